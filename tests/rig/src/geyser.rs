//! A Yellowstone gRPC server on loopback, with faults of its own: what it keeps for replays, and how it turns streams away.

use crate::chain::{Block, Chain};
use crate::geyser_service::Service;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{broadcast, watch};
use tonic::Code;
use tonic::transport::server::TcpIncoming;
use yellowstone_grpc_proto::geyser::geyser_server::GeyserServer;

/// The token that every request has to carry.
pub const TOKEN: &str = "rig-token";
/// Blocks that are remembered at most.
const BLOCKS: usize = 4_096;

/// Switches of the server. The default is a healthy one that keeps everything.
#[derive(Clone, Debug, Default)]
pub struct GeyserFaults {
    /// Streams are open, and nothing is told.
    pub is_silent: bool,
    /// Streams are ended with this status: those that are open at their next block, new ones at once.
    pub ends_with: Option<Code>,
    /// Nothing is kept for replays.
    pub keeps_nothing: bool,
}

/// What one stream asked for first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Slot from which it was to be replayed.
    pub from_slot: Option<u64>,
    /// Newest slot at that time.
    pub tip: u64,
}

/// A running server. Clones share it.
#[derive(Clone)]
pub struct Geyser {
    shared: Arc<Shared>,
}

struct Shared {
    url: String,
    faults: Mutex<GeyserFaults>,
    kept: Mutex<VecDeque<Arc<Block>>>,
    blocks: broadcast::Sender<Arc<Block>>,
    opened: Mutex<Vec<Opened>>,
    resets: watch::Sender<u64>,
}

impl Geyser {
    /// Starts a server of `chain`.
    ///
    /// # Panics
    /// If loopback has no free port.
    pub async fn start(chain: &Chain) -> Self {
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
        let url = format!("http://{}", incoming.local_addr().expect("an address"));
        let shared = Shared {
            url,
            faults: Mutex::default(),
            kept: Mutex::default(),
            blocks: broadcast::channel(BLOCKS).0,
            opened: Mutex::default(),
            resets: watch::Sender::new(0),
        };
        let geyser = Self { shared: Arc::new(shared) };
        let (mut blocks, keeper) = (chain.blocks(), geyser.clone());
        tokio::spawn(async move {
            while let Ok(block) = blocks.recv().await {
                keeper.keep(block);
            }
        });
        let service = GeyserServer::new(Service { geyser: geyser.clone() });
        tokio::spawn(tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming));
        geyser
    }

    /// Returns the settings of a keeper that uses it, with its token in `dir`.
    ///
    /// # Panics
    /// If the file can't be written.
    pub fn settings(&self, dir: &std::path::Path) -> String {
        use std::io::Write;
        use std::os::unix::fs::OpenOptionsExt;
        let path = dir.join("grpc.token");
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.create(true).truncate(true).write(true).mode(0o600).open(&path).expect("a token file");
        file.write_all(TOKEN.as_bytes()).expect("a token file");
        format!("[[grpc]]\nname = \"stream\"\nurl = \"{}\"\nx_token_file = {path:?}\n", self.shared.url)
    }

    /// Returns its switches.
    pub fn faults(&self) -> MutexGuard<'_, GeyserFaults> {
        self.shared.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Switches every fault off.
    pub fn heal(&self) {
        *self.faults() = GeyserFaults::default();
    }

    /// Ends every open stream as a server does that stops.
    pub fn reset_streams(&self) {
        self.shared.resets.send_modify(|resets| *resets += 1);
    }

    /// Returns what each stream asked for first, in order.
    pub fn opened(&self) -> Vec<Opened> {
        self.shared.opened.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn note(&self, from_slot: Option<u64>) {
        let tip = self.kept().back().map_or(0, |block| block.slot);
        self.shared.opened.lock().unwrap_or_else(PoisonError::into_inner).push(Opened { from_slot, tip });
    }

    pub(crate) fn resets(&self) -> watch::Receiver<u64> {
        self.shared.resets.subscribe()
    }

    /// Returns what was kept from a slot on, and what comes after; nothing in between is lost.
    pub(crate) fn from(&self, slot: u64) -> (Vec<Arc<Block>>, broadcast::Receiver<Arc<Block>>) {
        let kept = self.kept();
        let blocks = self.shared.blocks.subscribe();
        (kept.iter().filter(|block| block.slot >= slot).cloned().collect(), blocks)
    }

    fn keep(&self, block: Arc<Block>) {
        let mut kept = self.kept();
        kept.push_back(block.clone());
        if kept.len() > BLOCKS {
            kept.pop_front();
        }
        // nobody listening is fine
        let _ = self.shared.blocks.send(block);
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<Arc<Block>>> {
        self.shared.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
