//! Subscriptions over WebSocket, as a node tells them.

use crate::chain::Block;
use crate::endpoint::Endpoint;
use crate::faults::Faults;
use crate::rpc;
use futures_util::{SinkExt, StreamExt};
use rampart_client::Pubkey;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// What one subscription is about.
enum Topic {
    Slots,
    Account(Pubkey),
    Program(Pubkey, rpc::Filters),
}

/// Takes sockets in for as long as the listener lives.
pub async fn accept(listener: TcpListener, endpoint: Endpoint) {
    while let Ok((stream, _)) = listener.accept().await {
        if endpoint.faults().refuses_sockets {
            continue;
        }
        let endpoint = endpoint.clone();
        tokio::spawn(async move {
            if let Ok(socket) = tokio_tungstenite::accept_async(stream).await {
                endpoint.note_socket();
                Session { endpoint, socket, topics: BTreeMap::new(), next: 1, late: VecDeque::new() }.serve().await;
            }
        });
    }
}

struct Session {
    endpoint: Endpoint,
    socket: WebSocketStream<TcpStream>,
    topics: BTreeMap<u64, Topic>,
    next: u64,
    /// Blocks that are not told yet, where the endpoint lags or reorders.
    late: VecDeque<Arc<Block>>,
}

impl Session {
    async fn serve(mut self) {
        let (mut blocks, mut resets) = (self.endpoint.chain().blocks(), self.endpoint.resets());
        loop {
            let is_open = tokio::select! {
                // dropping the stream without a close frame is the reset
                _ = resets.changed() => return,
                block = blocks.recv() => match block {
                    Ok(block) => self.block(block).await,
                    Err(_) => return,
                },
                message = self.socket.next() => match message {
                    Some(Ok(Message::Text(text))) => self.request(&text).await,
                    Some(Ok(_)) => true,
                    _ => false,
                },
            };
            if !is_open {
                return;
            }
        }
    }

    async fn write(&mut self, value: Value) -> bool {
        let is_silent = self.endpoint.faults().is_silent;
        is_silent || self.socket.send(Message::text(value.to_string())).await.is_ok()
    }

    async fn request(&mut self, text: &str) -> bool {
        let request: Value = serde_json::from_str(text).unwrap_or_default();
        let params = &request["params"];
        let key = || params[0].as_str().and_then(|key| key.parse().ok()).unwrap_or_default();
        let topic = match request["method"].as_str().unwrap_or_default() {
            "slotSubscribe" => Topic::Slots,
            "accountSubscribe" => Topic::Account(key()),
            "programSubscribe" => Topic::Program(key(), rpc::Filters::read(&params[1]["filters"])),
            _ => {
                self.topics.remove(&params[0].as_u64().unwrap_or(0));
                return self.write(json!({ "jsonrpc": "2.0", "id": request["id"], "result": true })).await;
            }
        };
        if let Topic::Account(account) = &topic {
            self.endpoint.note_subscription(*account);
        }
        let number = self.next;
        self.next += 1;
        self.topics.insert(number, topic);
        self.write(json!({ "jsonrpc": "2.0", "id": request["id"], "result": number })).await
    }

    async fn block(&mut self, block: Arc<Block>) -> bool {
        let faults = self.endpoint.faults().clone();
        self.late.push_back(block);
        if faults.is_reordered {
            // two blocks at once, the newer first
            if self.late.len() < 2 {
                return true;
            }
            self.late.make_contiguous().reverse();
        }
        let tip = self.endpoint.chain().state().slot;
        while let Some(block) = self.late.pop_front() {
            if block.slot + faults.lag_slots > tip {
                self.late.push_front(block);
                break;
            }
            if !self.tell(&block, &faults).await {
                return false;
            }
        }
        true
    }

    async fn tell(&mut self, block: &Block, faults: &Faults) -> bool {
        let slot = block.slot + faults.ahead_slots;
        let mut told = Vec::new();
        for (number, topic) in &self.topics {
            let notify = |method: &str, result: Value| json!({ "jsonrpc": "2.0", "method": method, "params": { "result": result, "subscription": number } });
            if matches!(topic, Topic::Slots) {
                told.push(notify("slotNotification", json!({ "parent": slot - 1, "root": slot - 32, "slot": slot })));
            }
            for (key, account) in &block.changes {
                if faults.silent_accounts.contains(key) {
                    continue;
                }
                let context = |value: Value| json!({ "context": { "slot": slot }, "value": value });
                let message = match topic {
                    Topic::Account(wanted) if wanted == key => {
                        notify("accountNotification", context(rpc::account(account)))
                    }
                    Topic::Program(owner, filters) if *owner == account.owner && filters.pass(account) => {
                        let value = json!({ "pubkey": key.to_string(), "account": rpc::account(account) });
                        notify("programNotification", context(value))
                    }
                    _ => continue,
                };
                told.extend(std::iter::repeat_n(message, 1 + faults.extra_copies));
            }
        }
        for message in told {
            if !self.write(message).await {
                return false;
            }
        }
        true
    }
}
