//! What keepers reach of the world: nodes over a network that delays, loses and lies. No sockets, no threads.

use crate::chain::{Block, Chain, Version};
use crate::landing::Pending;
use crate::mutation::Mutation;
use crate::node::{Failure, Node};
use crate::record::Record;
use crate::sends::Sends;
use rampart_client::Pubkey;
use rampart_rig::rpc::sent_bytes;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::time::sleep;

/// Blocks that a node that falls behind can still tell of.
const BACKLOG: usize = 256;
/// So many of a hundred sends never reach a leader, on a good day.
const LOST_PCT: u32 = 8;

/// A block as it is told to subscribers.
#[derive(Debug)]
pub struct Told {
    /// Its slot.
    pub slot: u64,
    /// Accounts that changed.
    pub changes: Vec<(Pubkey, Version)>,
}

/// An open socket, from the node's side.
pub struct OpenSocket {
    node: usize,
    told_slot: u64,
    resets: u64,
    blocks: mpsc::UnboundedSender<Arc<Told>>,
}

/// Chain and nodes.
pub struct Net {
    /// The chain.
    pub chain: Chain,
    /// Its nodes.
    pub nodes: Vec<Node>,
    /// What happened.
    pub record: Record,
    /// What keepers sent.
    pub sends: Sends,
    sockets: Vec<OpenSocket>,
    backlog: VecDeque<Arc<Told>>,
}

/// Chain and nodes, as the tasks of keepers share them. One thread: never contended, never held across a wait.
#[derive(Clone)]
pub struct SharedNet(Arc<Mutex<Net>>);

impl SharedNet {
    /// Takes chain and nodes over.
    pub fn new(chain: Chain, nodes: Vec<Node>, record: Record) -> Self {
        let (sends, sockets, backlog) = (Sends::default(), Vec::new(), VecDeque::new());
        Self(Arc::new(Mutex::new(Net { chain, nodes, record, sends, sockets, backlog })))
    }

    /// Returns them.
    pub fn lock(&self) -> MutexGuard<'_, Net> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Net {
    /// Tells subscribers of a block, each node as far as it has seen the chain.
    pub fn tell(&mut self, block: Option<&Block>) {
        if let Some(block) = block {
            self.backlog.push_back(Arc::new(Told { slot: block.slot, changes: block.changes.clone() }));
            if self.backlog.len() > BACKLOG {
                self.backlog.pop_front();
            }
        }
        let (chain, nodes, backlog) = (&self.chain, &self.nodes, &self.backlog);
        self.sockets.retain_mut(|socket| {
            let Some(node) = nodes.get(socket.node).filter(|node| node.resets == socket.resets) else { return false };
            let tip = node.tip(chain);
            let news = backlog.iter().filter(|told| told.slot > socket.told_slot && told.slot <= tip);
            // a subscriber that is gone is forgotten
            let is_open = news.cloned().all(|told| socket.blocks.send(told).is_ok());
            socket.told_slot = socket.told_slot.max(tip);
            is_open && !socket.blocks.is_closed()
        });
    }
}

/// What makes a keeper's process die at its next send.
#[derive(Debug, Default)]
pub struct Death {
    /// Whether it dies, and whether the bytes leave before.
    pub armed: Mutex<Option<bool>>,
    /// Told when it died.
    pub struck: Notify,
}

/// One keeper's way to the nodes.
pub struct Link {
    /// Chain and nodes.
    pub net: SharedNet,
    /// Number of the keeper.
    pub keeper: usize,
    /// What may end it.
    pub death: Arc<Death>,
    /// What is wrong with the keeper, on purpose.
    pub mutation: Option<Mutation>,
    rng: Mutex<ChaCha8Rng>,
}

impl Link {
    /// A way with delays of its own.
    pub fn new(net: SharedNet, keeper: usize, death: Arc<Death>, mutation: Option<Mutation>, rng: ChaCha8Rng) -> Self {
        Self { net, keeper, death, mutation, rng: Mutex::new(rng) }
    }

    fn roll(&self, below: u64) -> u64 {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner).random_range(0..below.max(1))
    }

    fn is_hit(&self, pct: u32) -> bool {
        self.roll(100) < u64::from(pct)
    }

    fn node_of(url: &str) -> usize {
        let number = url.split("node-").nth(1).map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next());
        number.flatten().and_then(|digits| digits.parse().ok()).unwrap_or(usize::MAX)
    }

    /// Calls a node by JSON-RPC.
    ///
    /// # Errors
    /// All of [`Failure`].
    pub async fn call(&self, url: &str, method: &str, params: &Value, patience: Duration) -> Result<Value, Failure> {
        let at = Self::node_of(url);
        let faults = self.net.lock().nodes.get(at).map(|node| node.faults.clone()).unwrap_or_default();
        let there = Duration::from_millis(10 + self.roll(50) + faults.slow_ms);
        let back = Duration::from_millis(10 + self.roll(50));
        if there >= patience {
            sleep(patience).await;
            return Err(Failure::Timeout);
        }
        sleep(there).await;
        let answer = if method == "sendTransaction" {
            self.send(at, &faults, params).await
        } else {
            self.answer(at, method, params)
        };
        let times_out = self.is_hit(faults.timeouts_pct);
        if times_out {
            sleep(patience.saturating_sub(there)).await;
            return Err(Failure::Timeout);
        }
        sleep(back).await;
        if self.is_hit(faults.busy_pct) {
            return Err(Failure::TooMany(Duration::from_secs(1 + self.roll(4))));
        }
        if self.is_hit(faults.gateway_pct) {
            return Err(Failure::Status(502));
        }
        answer
    }

    fn answer(&self, at: usize, method: &str, params: &Value) -> Result<Value, Failure> {
        let net = self.net.lock();
        let Some(node) = net.nodes.get(at) else { return Err(Failure::Status(404)) };
        let mut answer = node.answer(&net.chain, method, params)?;
        if self.mutation == Some(Mutation::GivesUpEarly) {
            match method {
                "getBlockHeight" => answer = json!(answer.as_u64().unwrap_or(0) + 1_000),
                "getEpochInfo" => answer["blockHeight"] = json!(answer["blockHeight"].as_u64().unwrap_or(0) + 1_000),
                _ => {}
            }
        }
        Ok(answer)
    }

    async fn send(&self, at: usize, faults: &crate::node::Faults, params: &Value) -> Result<Value, Failure> {
        let (delay, is_lost) = (1 + self.roll(3), self.is_hit(LOST_PCT) || faults.swallows_sends);
        let death = self.death.armed.lock().unwrap_or_else(PoisonError::into_inner).take();
        if death != Some(false) {
            let mut net = self.net.lock();
            let net = &mut *net;
            let refused = || Failure::Refused(-32_602, "not a transaction".to_owned());
            let bytes = sent_bytes(params).ok_or_else(refused)?;
            let pending = Pending::read(&bytes, net.chain.slot + delay).ok_or_else(refused)?;
            let is_frozen = net.nodes.get(at).is_some_and(|node| node.faults.frozen_at.is_some());
            net.sends.arrived(self.keeper, &pending, &net.chain, &mut net.record);
            if !is_lost && !is_frozen {
                net.chain.receive(pending.clone());
            }
            if death.is_none() {
                return Ok(json!(pending.signature.to_string()));
            }
        }
        self.death.struck.notify_one();
        std::future::pending().await
    }

    /// Opens a socket to a node; returns the client's end of the stream.
    ///
    /// # Errors
    /// `Status` where the node takes none.
    pub async fn connect(self: &Arc<Self>, url: &str) -> Result<tokio::io::DuplexStream, Failure> {
        let at = Self::node_of(url);
        sleep(Duration::from_millis(20 + self.roll(80))).await;
        let (client, server) = tokio::io::duplex(4 << 20);
        let (blocks, told) = mpsc::unbounded_channel();
        {
            let mut net = self.net.lock();
            let Some(node) = net.nodes.get(at).filter(|node| !node.faults.refuses_sockets) else {
                return Err(Failure::Status(503));
            };
            let socket = OpenSocket { node: at, told_slot: node.tip(&net.chain), resets: node.resets, blocks };
            net.sockets.push(socket);
        }
        let delay = Duration::from_millis(10 + self.roll(90));
        tokio::spawn(crate::pubsub::serve(server, self.clone(), at, told, delay));
        Ok(client)
    }

    /// Rolls a number below `below`.
    pub(crate) fn number(&self, below: u64) -> u64 {
        self.roll(below)
    }
}
