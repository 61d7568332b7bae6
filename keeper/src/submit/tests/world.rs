//! A chain in memory that follows a script, and counts what must never happen.

use crate::chain::standing::Use;
use crate::config::payer::PayerKey;
use crate::config::{Budget, Mode, Tx};
use crate::events::Events;
use crate::intent::{ActionClass, Blockhash, Intent, PlannedTx};
use crate::journal::Journal;
use crate::metrics::Metrics;
use crate::submit::wire::{Answered, Found, Simulated, Statuses, Tip, Wire, WireError};
use crate::submit::{Setup, Submitter};
use futures_util::future::{BoxFuture, FutureExt};
use solana_sdk::hash::Hash;
use solana_sdk::instruction::Instruction;
use solana_sdk::pubkey::Pubkey;
use solana_sdk::signature::{Keypair, Signature};
use solana_sdk::transaction::{Transaction, TransactionError};
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// Blocks for which a blockhash lives here.
pub const LIFE: u64 = 20;
/// Blocks from processed to confirmed.
const CONFIRMING: u64 = 3;
/// Slots are ahead of heights by this much.
const SKIPPED: u64 = 1_000;

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    Fine,
    /// The call does not reach the node, and fails.
    Unreachable,
    /// The call reaches the node, and its answer is lost.
    AnswerLost,
    /// The node accepts and drops the bytes; it answers questions as of many blocks ago.
    Lagging,
}

/// What nodes say of a simulation.
#[derive(Clone, Debug, Default)]
pub enum Simulation {
    /// They fail.
    #[default]
    Silence,
    /// They take forever.
    Never,
    /// This.
    Said(Simulated),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Landed {
    height: u64,
    result: Result<(), TransactionError>,
}

#[derive(Default)]
pub struct Ledger {
    pub height: u64,
    pub script: VecDeque<Fault>,
    /// What the chain makes of a transaction: a success if there is nothing here.
    pub refusals: VecDeque<TransactionError>,
    /// What nodes tell of the logs of any transaction; nothing if there is nothing here.
    pub logs: Option<Vec<String>>,
    /// Leaders leave everything out.
    pub is_congested: bool,
    pub is_silent: bool,
    /// One node answers, and another that would have to agree does not.
    pub is_alone: bool,
    is_dead: bool,
    pending: BTreeMap<Signature, (u64, u64)>,
    landed: BTreeMap<Signature, Landed>,
    /// By intent: signatures that ever reached a node, with the last height each may land at.
    pub received: BTreeMap<Vec<u8>, Vec<(Signature, u64)>>,
    pub bytes: Vec<Vec<u8>>,
    /// What nodes say of simulations, and what they were asked to simulate.
    pub simulation: Simulation,
    pub simulated: Vec<Vec<u8>>,
    pub violations: Vec<String>,
    pub steps: u64,
    crash: Option<Crash>,
}

/// Stops the process at one step.
pub struct Crash {
    pub at_step: u64,
    pub copy: Box<dyn Fn() + Send>,
}

/// The chain. `Node` is one process's way to it.
#[derive(Clone, Default)]
pub struct Chain(pub Arc<Mutex<Ledger>>);

impl Chain {
    pub fn new() -> Self {
        let chain = Self::default();
        chain.ledger().height = 100;
        chain
    }

    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.0.lock().expect("no panic holds it")
    }

    pub fn blockhash(&self) -> Blockhash {
        let last_valid_block_height = self.ledger().height + LIFE;
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&last_valid_block_height.to_le_bytes());
        Blockhash { hash: Hash::new_from_array(hash), last_valid_block_height }
    }

    pub fn advance(&self, blocks: u64) {
        (0..blocks).for_each(|_| self.ledger().produce());
    }

    /// Successful landings of an intent.
    pub fn landings(&self, intent: &Intent) -> usize {
        let ledger = self.ledger();
        let signatures = ledger.received.get(&mark(intent)).cloned().unwrap_or_default();
        signatures.iter().filter(|(s, _)| ledger.landed.get(s).is_some_and(|landed| landed.result.is_ok())).count()
    }

    /// Signatures of an intent that ever reached a node.
    pub fn signatures(&self, intent: &Intent) -> Vec<Signature> {
        let ledger = self.ledger();
        ledger.received.get(&mark(intent)).into_iter().flatten().map(|(signature, _)| *signature).collect()
    }

    /// A process dies at a step: from then on nothing of it reaches the chain.
    pub fn crash_at(&self, crash: Crash) {
        let mut ledger = self.ledger();
        (ledger.steps, ledger.is_dead, ledger.crash) = (0, false, Some(crash));
    }

    pub fn is_dead(&self) -> bool {
        self.ledger().is_dead
    }

    pub fn revive(&self) {
        let mut ledger = self.ledger();
        (ledger.is_dead, ledger.crash) = (false, None);
    }

    /// Counts one step of the process; a crash there leaves a copy of the journal's files.
    pub fn step(&self) {
        if let Some(crash) = self.count_step() {
            (crash.copy)();
        }
    }

    /// Counts one commit as a step. The journal's lock is held.
    pub fn step_on_disk(&self, from: &Path, to: &Path) {
        if self.count_step().is_some() {
            crate::journal::copy_files(from, to);
        }
    }

    fn count_step(&self) -> Option<Crash> {
        let mut ledger = self.ledger();
        ledger.steps += 1;
        let is_now = ledger.crash.as_ref().is_some_and(|crash| crash.at_step == ledger.steps);
        ledger.is_dead |= is_now;
        if is_now { ledger.crash.take() } else { None }
    }
}

impl Ledger {
    fn produce(&mut self) {
        self.height += 1;
        let height = self.height;
        self.pending.retain(|_, (_, last)| *last >= height);
        if self.is_congested {
            return;
        }
        let due: Vec<_> = self.pending.iter().filter(|(_, (at, _))| *at <= height).map(|(s, _)| *s).collect();
        for signature in due {
            self.pending.remove(&signature);
            let result = self.refusals.pop_front().map_or(Ok(()), Err);
            self.landed.insert(signature, Landed { height, result });
        }
    }

    fn receive(&mut self, bytes: &[u8]) {
        let transaction: Transaction = bincode::deserialize(bytes).expect("a transaction");
        let signature = transaction.signatures[0];
        let hash = transaction.message.recent_blockhash.to_bytes();
        let last = u64::from_le_bytes(hash[..8].try_into().expect("eight bytes"));
        let intent = transaction.message.instructions.last().expect("an instruction").data.clone();
        self.bytes.push(bytes.to_vec());
        self.judge(&intent, signature);
        let received = self.received.entry(intent).or_default();
        if !received.iter().any(|(known, _)| *known == signature) {
            received.push((signature, last));
        }
        if !self.landed.contains_key(&signature) && last > self.height {
            self.pending.entry(signature).or_insert((self.height + 2, last));
        }
    }

    /// Whether a signature may come while the intent's others are what they are.
    fn judge(&mut self, intent: &[u8], signature: Signature) {
        for (other, last) in self.received.get(intent).into_iter().flatten() {
            let is_ok = match self.landed.get(other) {
                Some(landed) => landed.result.is_err(),
                None => self.height >= *last,
            };
            if *other != signature && !is_ok {
                self.violations.push(format!("{signature} was sent while {other} had landed or could still land"));
            }
        }
    }

    fn next_fault(&mut self) -> Fault {
        if self.is_silent || self.is_dead {
            return Fault::Unreachable;
        }
        self.script.pop_front().unwrap_or(Fault::Fine)
    }

    fn found(&self, signature: &Signature, seen: u64, history: bool) -> Option<Found> {
        let landed = self.landed.get(signature).filter(|landed| landed.height <= seen)?;
        let is_recent = landed.height + LIFE + CONFIRMING > seen;
        let is_confirmed = landed.height + CONFIRMING <= seen;
        (history || is_recent).then(|| Found {
            slot: landed.height + SKIPPED,
            result: landed.result.clone(),
            is_confirmed,
        })
    }
}

const LAG: u64 = 12;

fn silence<T>() -> Result<T, WireError> {
    Err(WireError::Timeout(Duration::from_secs(5)))
}

impl Wire for Chain {
    fn send<'a>(&'a self, _: ActionClass, bytes: &'a [u8]) -> Answered<'a, ()> {
        async move {
            self.step();
            let fault = self.ledger().next_fault();
            if matches!(fault, Fault::Fine | Fault::AnswerLost) {
                self.ledger().receive(bytes);
            }
            self.step();
            if matches!(fault, Fault::Fine | Fault::Lagging) { Ok(()) } else { silence() }
        }
        .boxed()
    }

    fn statuses<'a>(&'a self, signatures: &'a [Signature], search_history: bool, _: Use) -> Answered<'a, Statuses> {
        async move {
            self.step();
            let mut ledger = self.ledger();
            let seen = match ledger.next_fault() {
                Fault::Fine => ledger.height,
                Fault::Lagging => ledger.height - LAG,
                Fault::Unreachable | Fault::AnswerLost => return silence(),
            };
            let found = signatures.iter().map(|signature| ledger.found(signature, seen, search_history)).collect();
            Ok(Statuses { context_slot: seen + SKIPPED, found, is_agreed: !ledger.is_alone })
        }
        .boxed()
    }

    fn tip(&self, _: Use) -> Answered<'_, Tip> {
        async move {
            self.step();
            let mut ledger = self.ledger();
            let height = match ledger.next_fault() {
                Fault::Fine => ledger.height - CONFIRMING,
                Fault::Lagging => ledger.height - CONFIRMING - LAG,
                Fault::Unreachable | Fault::AnswerLost => return silence(),
            };
            Ok(Tip { slot: height + SKIPPED, block_height: height, is_agreed: !ledger.is_alone })
        }
        .boxed()
    }

    fn compute_units<'a>(&'a self, _: &'a Signature, _: Use) -> BoxFuture<'a, Option<u64>> {
        async { Some(4_321) }.boxed()
    }

    fn logs<'a>(&'a self, _: &'a Signature, _: Use) -> BoxFuture<'a, Option<Vec<String>>> {
        async { self.ledger().logs.clone() }.boxed()
    }

    fn simulate<'a>(&'a self, bytes: &'a [u8], _: u64, _: Use) -> Answered<'a, Simulated> {
        async {
            let simulation = {
                let mut ledger = self.ledger();
                ledger.simulated.push(bytes.to_vec());
                ledger.simulation.clone()
            };
            match simulation {
                Simulation::Silence => silence(),
                Simulation::Never => std::future::pending().await,
                Simulation::Said(simulated) => Ok(simulated),
            }
        }
        .boxed()
    }
}

fn mark(intent: &Intent) -> Vec<u8> {
    intent.id().to_string().into_bytes()
}

pub fn intent(class: ActionClass, number: u8) -> Intent {
    Intent { class, target: Pubkey::new_from_array([number; 32]), fence: 1, reason: "a test".into() }
}

pub fn plan(intent: &Intent) -> PlannedTx {
    plan_of(intent, Instruction::new_with_bytes(rampart::ID, &mark(intent), vec![]))
}

pub fn plan_of(intent: &Intent, instruction: Instruction) -> PlannedTx {
    let (compute_unit_limit, priority_micro_lamports) = (50_000, 0);
    PlannedTx {
        intent: intent.clone(),
        instructions: vec![instruction],
        compute_unit_limit,
        priority_micro_lamports,
        tables: Vec::new(),
    }
}

/// One process of a keeper.
pub struct Process {
    pub submitter: Submitter,
    pub journal: Journal,
    pub events: Events,
}

impl Process {
    pub fn start(chain: &Chain, dir: &Path) -> Self {
        Self::with(chain, dir, |_| {})
    }

    pub fn with(chain: &Chain, dir: &Path, adapt: impl FnOnce(&mut Setup)) -> Self {
        let metrics = Metrics::new();
        let journal = Journal::open(dir, metrics.clone()).expect("a journal");
        let events = Events::new(metrics.clone());
        let mut setup = Setup {
            wire: Arc::new(chain.clone()),
            journal: journal.clone(),
            payer: PayerKey::new(Keypair::new_from_array([7; 32])),
            mode: Mode::Act,
            tx: Tx::default(),
            senders: Vec::new(),
            budget: Budget::default(),
            posts_lamports_per_hour: 5_000_000,
            metrics,
            events: events.clone(),
            slot: Arc::default(),
            slot_micros: Arc::default(),
        };
        adapt(&mut setup);
        Self { submitter: Submitter::open(setup).expect("a submitter"), journal, events }
    }

    /// One turn of everything; `drive` does the same by the clock.
    pub async fn turn(&self) {
        self.submitter.resend_turn();
        self.idle().await;
        self.submitter.confirm_turn().await;
        self.idle().await;
    }

    /// Waits for background work.
    pub async fn idle(&self) {
        for _ in 0..20_000 {
            if !self.submitter.is_busy() {
                return;
            }
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        panic!("background work does not end");
    }
}
