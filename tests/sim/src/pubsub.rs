//! Subscriptions over WebSocket, as a node tells them, over a stream in memory.

use crate::net::{Link, Told};
use futures_util::{SinkExt, StreamExt};
use rampart_client::Pubkey;
use rampart_rig::rpc::{Filters, account as account_json};
use serde_json::{Value, json};
use solana_sdk::account::Account;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

const CLOCK: Pubkey = Pubkey::from_str_const("SysvarC1ock11111111111111111111111111111111");

/// What one subscription is about.
enum Topic {
    Slots,
    Account(Pubkey),
    Program(Pubkey, Filters),
}

struct Session {
    link: Arc<Link>,
    node: usize,
    topics: BTreeMap<u64, Topic>,
    next: u64,
    /// Messages that were held back, to come in the wrong order.
    late: Vec<String>,
    /// Whether the node forgot this socket: it stays open, and nothing comes on it any more.
    is_forgotten: bool,
    /// Subscriptions that the node forgot, likewise.
    forgotten: BTreeSet<u64>,
}

/// Serves one socket until either side is gone. The end without a close frame is a reset.
pub async fn serve(
    stream: DuplexStream,
    link: Arc<Link>,
    node: usize,
    mut told: mpsc::UnboundedReceiver<Arc<Told>>,
    delay: Duration,
) {
    let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
    let mut session = Session {
        link,
        node,
        topics: BTreeMap::new(),
        next: 1,
        late: Vec::new(),
        is_forgotten: false,
        forgotten: BTreeSet::new(),
    };
    loop {
        let messages = tokio::select! {
            biased;
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => session.request(&text),
                Some(Ok(_)) => Vec::new(),
                _ => return,
            },
            told = told.recv() => match told {
                Some(told) => {
                    tokio::time::sleep(delay).await;
                    session.messages(&told)
                }
                None => return,
            },
        };
        if !write(&mut socket, messages).await {
            return;
        }
    }
}

async fn write(socket: &mut WebSocketStream<DuplexStream>, messages: Vec<String>) -> bool {
    for message in messages {
        if socket.feed(Message::text(message)).await.is_err() {
            return false;
        }
    }
    socket.flush().await.is_ok()
}

impl Session {
    fn request(&mut self, text: &str) -> Vec<String> {
        let request: Value = serde_json::from_str(text).unwrap_or_default();
        let params = &request["params"];
        let key = || params[0].as_str().and_then(|key| key.parse().ok()).unwrap_or_default();
        let topic = match request["method"].as_str().unwrap_or_default() {
            "slotSubscribe" => Topic::Slots,
            "accountSubscribe" => Topic::Account(key()),
            "programSubscribe" => Topic::Program(key(), Filters::read(&params[1]["filters"])),
            _ => {
                self.topics.remove(&params[0].as_u64().unwrap_or(0));
                return vec![json!({ "jsonrpc": "2.0", "id": request["id"], "result": true }).to_string()];
            }
        };
        let number = self.next;
        self.next += 1;
        self.topics.insert(number, topic);
        vec![json!({ "jsonrpc": "2.0", "id": request["id"], "result": number }).to_string()]
    }

    /// What of a block is told now, with all that goes wrong on the way.
    fn messages(&mut self, told: &Told) -> Vec<String> {
        let (faults, tells_clock) = {
            let net = self.link.net.lock();
            net.nodes.get(self.node).map(|node| (node.faults.clone(), node.tells_clock)).unwrap_or_default()
        };
        self.is_forgotten |= faults.is_silent;
        if self.is_forgotten {
            return Vec::new();
        }
        if faults.is_mute_on_accounts {
            let accounts = self.topics.iter().filter(|(_, topic)| !matches!(topic, Topic::Slots));
            self.forgotten.extend(accounts.map(|(number, _)| *number));
        }
        let mut messages = Vec::new();
        for (number, topic) in &self.topics {
            if !self.forgotten.contains(number) {
                Self::about(*number, topic, told, tells_clock, &mut messages);
            }
        }
        messages.retain(|_| !self.is_hit(faults.drops_pct));
        if faults.repeats {
            messages = messages.iter().flat_map(|message| [message.clone(), message.clone()]).collect();
        }
        if faults.reorders {
            messages.append(&mut self.late);
            messages.reverse();
            self.late = messages.split_off(messages.len() - messages.len() / 3);
        } else {
            messages.splice(0..0, self.late.drain(..));
        }
        messages
    }

    fn is_hit(&self, pct: u32) -> bool {
        pct > 0 && self.link.number(100) < u64::from(pct)
    }

    fn about(number: u64, topic: &Topic, told: &Told, tells_clock: bool, messages: &mut Vec<String>) {
        let slot = told.slot;
        let mut notify = |method: &str, result: &str| {
            messages.push(format!(
                r#"{{"jsonrpc":"2.0","method":"{method}","params":{{"result":{result},"subscription":{number}}}}}"#
            ));
        };
        if matches!(topic, Topic::Slots) {
            let (parent, root) = (slot - 1, slot - 32);
            return notify("slotNotification", &format!(r#"{{"parent":{parent},"root":{root},"slot":{slot}}}"#));
        }
        for (key, account) in &told.changes {
            let (nothing, account) = (Account::default(), account.as_deref());
            let shown = || account_json(account.unwrap_or(&nothing));
            match topic {
                Topic::Account(wanted) if wanted == key && (*key != CLOCK || tells_clock) => {
                    let value = shown();
                    notify("accountNotification", &format!(r#"{{"context":{{"slot":{slot}}},"value":{value}}}"#));
                }
                Topic::Program(owner, filters) if account.is_some_and(|a| a.owner == *owner && filters.pass(a)) => {
                    let value = shown();
                    let value = format!(r#"{{"pubkey":"{key}","account":{value}}}"#);
                    notify("programNotification", &format!(r#"{{"context":{{"slot":{slot}}},"value":{value}}}"#));
                }
                _ => {}
            }
        }
    }
}
