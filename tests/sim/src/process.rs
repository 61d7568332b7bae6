//! One keeper as a process of its own: started, ended at any moment, stopped and continued, with a clock that is off.

use crate::host;
use crate::mutation::Mutation;
use crate::net::{Death, Link, SharedNet};
use crate::node::Failure;
use futures_util::future::{BoxFuture, FutureExt};
use rampart_client::Pubkey;
use rampart_keeper::chain::http::CallError;
use rampart_keeper::chain::network::{Io, Network, Reply};
use rampart_keeper::config::Config;
use rampart_keeper::config::payer::PayerKey;
use rampart_keeper::error::KeeperError;
use rampart_keeper::journal::{Disk, Journal, State};
use rampart_keeper::metrics::Metrics;
use rampart_keeper::run::{Machine, run_on};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use solana_sdk::signature::Keypair;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// What a write to the disk takes.
const DISK: Duration = Duration::from_millis(4);

/// The network as one keeper reaches it.
struct SimulatedNetwork(Arc<Link>);

impl Network for SimulatedNetwork {
    fn post<'a>(
        &'a self,
        url: &'a str,
        request: &'a Value,
        patience: Duration,
    ) -> BoxFuture<'a, Result<Reply, CallError>> {
        async move {
            let method = request["method"].as_str().unwrap_or_default();
            let reply = |status, retry_after, body: Value| {
                Ok(Reply { status, retry_after, body: body.to_string().into_bytes() })
            };
            match self.0.call(url, method, &request["params"], patience).await {
                Ok(result) => reply(200, None, json!({ "jsonrpc": "2.0", "id": 1, "result": result })),
                Err(Failure::Refused(code, message)) => reply(
                    200,
                    None,
                    json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": code, "message": message } }),
                ),
                Err(Failure::TooMany(wait)) => reply(429, Some(wait), Value::Null),
                Err(Failure::Status(status)) => reply(status, None, Value::Null),
                Err(Failure::Timeout) => Err(CallError::Transport(Box::new(io::Error::from(io::ErrorKind::TimedOut)))),
            }
        }
        .boxed()
    }

    fn dial<'a>(&'a self, authority: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Io>>> {
        async move {
            let stream =
                self.0.connect(authority).await.map_err(|_| io::Error::from(io::ErrorKind::ConnectionRefused))?;
            Ok(Box::new(stream) as Box<dyn Io>)
        }
        .boxed()
    }
}

/// A keeper's process.
pub struct Process {
    /// Number of the keeper.
    pub index: usize,
    /// How far its wall clock is off by a fault, milliseconds.
    pub skew_ms: i64,
    /// How far it is off besides, milliseconds.
    pub offset_ms: i64,
    /// Since which slot it has been running without a pause; `None` while it isn't.
    pub up_since_slot: Option<u64>,
    /// How often it was started.
    pub starts: u64,
    /// The nodes that it knows.
    pub nodes: Vec<usize>,
    /// What may end it.
    pub death: Arc<Death>,
    payer: Keypair,
    guard: Pubkey,
    dir: PathBuf,
    seed: u64,
    mutation: Option<Mutation>,
    running: Option<(Runtime, JoinHandle<Result<(), KeeperError>>)>,
}

/// How a process stands after its time.
pub enum Ended {
    /// It goes on.
    Runs,
    /// It was killed at a send.
    Killed,
    /// It ended by itself.
    Exited(String),
}

impl Process {
    /// A keeper with its own directory in `dir`, not started yet.
    pub fn new(index: usize, payer: Keypair, guard: Pubkey, nodes: Vec<usize>, dir: PathBuf, seed: u64) -> Self {
        Self {
            index,
            skew_ms: 0,
            offset_ms: 0,
            up_since_slot: None,
            starts: 0,
            nodes,
            death: Arc::default(),
            payer,
            guard,
            dir: dir.join(format!("keeper-{index}")),
            seed,
            mutation: None,
            running: None,
        }
    }

    /// Makes it wrong on purpose.
    pub fn mutate(&mut self, mutation: Option<Mutation>) {
        self.mutation = mutation;
    }

    /// Starts it on the state of its earlier runs.
    ///
    /// # Panics
    /// If the host gives it no runtime, or its settings are refused.
    pub fn start(&mut self, net: &SharedNet, slot: u64) {
        self.starts += 1;
        self.up_since_slot = Some(slot);
        host::set_skew_ms(self.skew_ms + self.offset_ms);
        if self.mutation == Some(Mutation::ForgetsJournal) {
            let _ = std::fs::remove_dir_all(&self.dir);
        }
        // time and nothing else: a socket or a file descriptor of the host would panic
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = runtime.expect("a runtime");
        self.death = Arc::default();
        let rng = ChaCha8Rng::seed_from_u64(self.seed ^ ((self.index as u64 + 1) << 32) ^ (self.starts << 48));
        let link = Link::new(net.clone(), self.index, self.death.clone(), self.mutation, rng);
        let payer = self.payer.insecure_clone();
        let machine = Machine {
            network: Arc::new(SimulatedNetwork(Arc::new(link))),
            payer: Arc::new(move || Ok(PayerKey::new(payer.insecure_clone()))),
            disk: Disk::Simulated { latency: DISK },
            listen: None,
        };
        let handle = runtime.spawn(run_on(machine, self.config(), Metrics::new(), CancellationToken::new()));
        self.running = Some((runtime, handle));
    }

    fn config(&self) -> Config {
        let blind = self.mutation == Some(Mutation::IgnoresGaps);
        let ingest = if blind {
            "stall_slots = 1000000000\npoll_ms = 1000000000\nsweep_secs = 1000000"
        } else {
            "stall_slots = 8\npoll_ms = 2000\nsweep_secs = 30"
        };
        let rpc: String = self
            .nodes
            .iter()
            .map(|n| format!("[[rpc]]\nname = \"node-{n}\"\nhttp = \"http://node-{n}\"\nws = \"ws://node-{n}\"\n"))
            .collect();
        let text = format!(
            "[cluster]\nguard = \"{}\"\n[keeper]\nname = \"keeper-{}\"\nstate_dir = {:?}\n[keys]\npayer_file = \"none\"\n\
             [ingest]\n{ingest}\n[tx.stagger]\nrank = {}\nslots = 3\n[history]\nenabled = false\n[takeover]\nwatch = false\n{rpc}",
            self.guard, self.index, self.dir, self.index
        );
        toml::from_str(&text).expect("settings that are accepted")
    }

    /// Tells whether it has a process, stopped or not.
    pub fn is_alive(&self) -> bool {
        self.running.is_some()
    }

    /// Lets it run until `until` after the start of the simulation.
    pub fn run_until(&mut self, until: Duration) -> Ended {
        let Some((runtime, handle)) = self.running.as_mut().filter(|_| self.up_since_slot.is_some()) else {
            return Ended::Runs;
        };
        host::set_skew_ms(self.skew_ms + self.offset_ms);
        let (at, death) = (host::at(until), self.death.clone());
        let is_struck = runtime.block_on(async {
            tokio::select! {
                biased;
                () = death.struck.notified() => true,
                () = tokio::time::sleep_until(at) => false,
            }
        });
        if is_struck {
            self.kill();
            return Ended::Killed;
        }
        if handle.is_finished() {
            let result = runtime.block_on(handle);
            self.kill();
            let why = match result {
                Ok(Ok(())) => "without an error".to_owned(),
                Ok(Err(error)) => rampart_keeper::error::chain(&error),
                Err(panic) => format!("PANIC {panic}"),
            };
            return Ended::Exited(why);
        }
        Ended::Runs
    }

    /// Ends it at once, as the system would: nothing of it goes on, and only what is on the disk stays.
    pub fn kill(&mut self) {
        self.up_since_slot = None;
        self.running = None;
    }

    /// Makes it die at its next send, before or after the bytes leave.
    pub fn arm_death(&self, is_sent: bool) {
        *self.death.armed.lock().unwrap_or_else(PoisonError::into_inner) = Some(is_sent);
    }

    /// Stops it; its time stands still.
    pub fn pause(&mut self) {
        self.up_since_slot = None;
    }

    /// Lets it go on: to it, time jumps to `now`.
    pub fn resume(&mut self, now: Duration, slot: u64) {
        let Some((runtime, _)) = &self.running else { return };
        host::set_skew_ms(self.skew_ms + self.offset_ms);
        let now = host::at(now);
        runtime.block_on(async {
            let missed = now.saturating_duration_since(tokio::time::Instant::now());
            tokio::time::advance(missed).await;
        });
        self.up_since_slot = Some(slot);
    }

    /// Returns what its journal holds undecided, of which the blockhash died more than `margin` blocks before `height`.
    ///
    /// # Panics
    /// If the journal can't be read: it is the keeper's memory.
    pub fn stuck(&self, height: u64, margin: u64) -> Vec<String> {
        let journal = Journal::open(&self.dir, Metrics::new()).expect("a journal that can be read");
        let undecided = journal.undecided().expect("a journal that can be read");
        let is_old = undecided.into_iter().filter(|row| row.signed.blockhash.last_valid_block_height + margin < height);
        let is_open = is_old.filter(|row| row.state != State::Signed);
        is_open
            .map(|row| format!("{} of {} is {}", row.signed.signature, row.signed.intent.class, row.state.as_str()))
            .collect()
    }
}
