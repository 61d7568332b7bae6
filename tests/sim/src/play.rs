//! One simulation from its seed.

use crate::chain::{Chain, FIRST_SLOT};
use crate::host;
use crate::market::Market;
use crate::mutation::Mutation;
use crate::net::{Net, SharedNet};
use crate::node::Node;
use crate::process::{Ended, Process};
use crate::record::Record;
use crate::scene::Scene;
use crate::schedule::{Schedule, Wake};
use crate::sends::Act;
use crate::truth::{Covered, EVERY_SLOTS, Truth};
use rampart_client::Pubkey;
use rampart_tests::World;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use solana_sdk::signature::Signature;
use solana_sdk::signer::Signer;
use std::collections::BTreeMap;
use std::time::Duration;

/// Slots at the end in which nothing goes wrong any more, and everything must settle.
pub const QUIET_SLOTS: u64 = 700;
/// Slots that a keeper, and a way to the chain, must have been whole before anything is expected of them.
const SETTLED_SLOTS: u64 = 75;
/// What one keeper may spend in an hour on all classes but trips, lamports: the default of its settings.
const HOUR_LAMPORTS: u64 = 50_000_000;
/// Blocks after the death of a blockhash by which its transactions must be decided.
const DECIDED_BLOCKS: u64 = 300;

/// Slots of the scene of a lost gap in which all sockets are silent. In the middle of them the price falls, which is told
/// once; afterwards no price is told any more.
pub const LOST_GAP: std::ops::Range<u64> = 96..104;

/// What to play.
#[derive(Clone, Debug)]
pub struct Play {
    /// The seed: everything follows from it.
    pub seed: u64,
    /// How long.
    pub slots: u64,
    /// Whether every line is printed.
    pub is_shown: bool,
    /// What is wrong with the keepers, on purpose.
    pub mutation: Option<Mutation>,
    /// Whether the only thing that happens is a fall of the price that nobody is told of: see [`LOST_GAP`].
    pub is_gap_lost: bool,
    /// How far the wall clocks of all keepers are off in the second eighth of the slots, beside other faults,
    /// milliseconds.
    pub clock_ms: i64,
}

/// A simulation that runs.
struct Run {
    net: SharedNet,
    keepers: Vec<Process>,
    market: Market,
    schedule: Schedule,
    truth: Truth,
    rng: ChaCha8Rng,
    elapsed_ms: u64,
    by_payer: BTreeMap<Pubkey, usize>,
    landed: BTreeMap<Act, Signature>,
    fees: Vec<u64>,
    is_gap_lost: bool,
}

impl Play {
    /// Plays, and returns what happened.
    ///
    /// # Panics
    /// If the scene can't be built, or a keeper's journal can't be read.
    pub fn run(&self) -> Record {
        host::begin(self.seed);
        let dir = scratch();
        let mut run = self.begin(dir.path());
        for at in 0..self.slots {
            let is_off = (self.slots / 8..self.slots / 4).contains(&at);
            run.keepers.iter_mut().for_each(|keeper| keeper.offset_ms = if is_off { self.clock_ms } else { 0 });
            run.slot(at, self.slots);
        }
        run.end()
    }

    fn begin(&self, dir: &std::path::Path) -> Run {
        let stream = |n: u64| ChaCha8Rng::seed_from_u64(self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ n);
        let mut rng = stream(1);
        let (keepers, nodes) = (rng.random_range(1..=4), rng.random_range(3..=4usize));
        let mut scene = Scene::new(keepers, 12);
        let market = Market::new(stream(2), &mut scene);
        let Scene { world, rules, payers, probe, .. } = scene;
        let guard = world.guard;
        let truth = Truth::new(probe, rules, market.positions());
        let mut record = Record::default();
        record.is_shown = self.is_shown;
        let all = (0..nodes).map(|_| Node {
            lag_slots: rng.random_range(0..3),
            tells_clock: rng.random_range(0..3) > 0,
            ..Node::default()
        });
        let net = SharedNet::new(Chain::new(world), all.collect(), record);
        let by_payer = payers.iter().enumerate().map(|(k, payer)| (payer.pubkey(), k)).collect();
        let keepers: Vec<Process> = payers
            .into_iter()
            .enumerate()
            .map(|(k, payer)| {
                let mine = (0..rng.random_range(1..=3usize).min(nodes)).map(|n| (k + n) % nodes).collect();
                let mut process = Process::new(k, payer, guard, mine, dir.to_owned(), self.seed);
                process.mutate(self.mutation);
                process
            })
            .collect();
        let fees = vec![0; keepers.len()];
        let schedule = Schedule::new(stream(3), nodes);
        let (elapsed_ms, landed, is_gap_lost) = (0, BTreeMap::new(), self.is_gap_lost);
        let mut run =
            Run { net, keepers, market, schedule, truth, rng, elapsed_ms, by_payer, landed, fees, is_gap_lost };
        for keeper in &mut run.keepers {
            keeper.start(&run.net, FIRST_SLOT);
        }
        run
    }
}

/// Makes an empty directory for the keepers' files.
fn scratch() -> tempfile::TempDir {
    // by the process: a name of the seed's stream would be another where somebody plays the same seed
    let name = format!("rampart-sim-{}", std::process::id());
    // a process that was killed left its own, and its id comes round again
    let _ = std::fs::remove_dir_all(fast_disk().join(&name));
    tempfile::Builder::new().prefix(&name).rand_bytes(0).tempdir_in(fast_disk()).expect("a directory")
}

/// A file system in memory, where there is one: the journal is written as on a disk, and nobody waits for one.
fn fast_disk() -> std::path::PathBuf {
    let memory = std::path::PathBuf::from("/dev/shm");
    if memory.is_dir() { memory } else { std::env::temp_dir() }
}

impl Run {
    fn slot(&mut self, at: u64, slots: u64) {
        let is_over = at + QUIET_SLOTS >= slots;
        // the chain doubles its pace in the middle
        let base = if at < slots / 2 { 400 } else { 200 };
        let took_ms = base * self.rng.random_range(85..=115) / 100;
        let until = Duration::from_millis(self.elapsed_ms + took_ms);
        if self.is_gap_lost {
            self.lose_sockets(at);
        } else {
            self.faults(is_over);
        }
        for k in 0..self.keepers.len() {
            self.keeper(k, until);
        }
        self.elapsed_ms += took_ms;
        host::set_now(until);
        self.block(at, is_over);
        if at.is_multiple_of(EVERY_SLOTS) {
            self.judge();
        }
    }

    fn faults(&mut self, is_over: bool) {
        let now = Duration::from_millis(self.elapsed_ms);
        let wakes = {
            let mut net = self.net.lock();
            self.schedule.step(&mut net, &mut self.keepers, is_over)
        };
        for wake in wakes {
            self.wake(wake, now);
        }
    }

    fn wake(&mut self, wake: Wake, now: Duration) {
        let note = |k: usize, what: &str| {
            let mut net = self.net.lock();
            net.record.line(&format!("keeper {k} {what}"));
            net.chain.slot
        };
        match wake {
            Wake::Start(k) => self.keepers[k].start(&self.net, note(k, "starts")),
            Wake::Resume(k) if self.keepers[k].is_alive() => self.keepers[k].resume(now, note(k, "goes on")),
            Wake::Resume(_) => {}
        }
    }

    fn lose_sockets(&mut self, at: u64) {
        if at == LOST_GAP.start || at == LOST_GAP.end {
            self.schedule.silence(&mut self.net.lock(), at == LOST_GAP.start);
        }
    }

    fn keeper(&mut self, k: usize, until: Duration) {
        let ended = self.keepers[k].run_until(until);
        let (why, slots) = match ended {
            Ended::Runs => return,
            Ended::Killed => ("is dead at a send".to_owned(), self.rng.random_range(3..60)),
            Ended::Exited(why) => (format!("ended: {why}"), 12),
        };
        let mut net = self.net.lock();
        net.record.line(&format!("keeper {k} {why}"));
        if why.contains("PANIC") {
            net.record.violation(format!("keeper {k} {why}"));
        }
        let slot = net.chain.slot;
        self.schedule.restart(k, slot + slots);
    }

    fn block(&mut self, at: u64, is_over: bool) {
        let shared = self.net.clone();
        let mut net = shared.lock();
        let net: &mut Net = &mut net;
        let slot = net.chain.slot + 1;
        net.record.now = (slot, self.elapsed_ms);
        let (market, record) = (&mut self.market, &mut net.record);
        let (is_lost, fall_at) = (self.is_gap_lost, (LOST_GAP.start + LOST_GAP.end) / 2);
        let act = |world: &mut World| match at {
            _ if !is_lost => market.step(world, slot, is_over, record),
            _ if at < fall_at => market.step(world, slot, true, record),
            _ if at == fall_at => market.fall_once(world, record),
            _ => Vec::new(),
        };
        let block = net.chain.produce(self.elapsed_ms, act);
        net.tell(block.as_deref());
        for signature in std::mem::take(&mut net.chain.news) {
            self.landed(net, signature);
        }
    }

    /// A transaction is confirmed.
    fn landed(&mut self, net: &mut Net, signature: Signature) {
        let Some(landed) = net.chain.landed.get(&signature) else { return };
        let (Some(act), Some(k)) = (Act::of(&landed.pending), self.by_payer.get(&landed.pending.payer()).copied())
        else {
            return;
        };
        let (class, is_ok) = (act.class, landed.result.is_ok());
        if class != "trip" {
            self.fees[k] += landed.pending.fee_lamports();
        }
        *net.record.actions.entry((class, if is_ok { "landed" } else { "refused" })).or_default() += 1;
        let name = signature.to_string();
        let why = landed.result.clone().err().map_or(String::new(), |error| format!(": {error}"));
        net.record.line(&format!("keeper {k}'s {class} {} is confirmed{why}", &name[..8]));
        let earlier = self.landed.get(&act).copied().filter(|_| is_ok && act.fence.is_some());
        if let Some(earlier) = earlier {
            net.record.violation(format!(
                "DOUBLE {class} of {} at {:?} landed twice: {earlier} and {name}",
                act.target, act.fence
            ));
        }
        if is_ok {
            self.landed.insert(act, signature);
        }
    }

    fn judge(&mut self) {
        let shared = self.net.clone();
        let mut net = shared.lock();
        let net: &mut Net = &mut net;
        // a block that may vanish binds nobody
        if net.chain.is_forked() {
            return;
        }
        let slot = net.chain.slot;
        let is_settled = |since: u64| slot >= since.saturating_add(SETTLED_SLOTS);
        let can_act = |nodes: usize| {
            let by = |keeper: &Process| {
                let whole = keeper.nodes.iter().filter(|n| is_settled(self.schedule.whole_since[**n])).count();
                keeper.up_since_slot.is_some_and(is_settled) && whole >= keeper.nodes.len().min(nodes)
            };
            is_settled(self.schedule.open_since) && self.keepers.iter().any(by)
        };
        let covered = Covered { by_one: can_act(1), by_two: can_act(2) };
        self.truth.judge(&net.chain.world, slot, covered, &mut net.record);
    }

    fn end(mut self) -> Record {
        for keeper in &mut self.keepers {
            keeper.kill();
        }
        let mut net = self.net.lock();
        let height = net.chain.height_at(net.chain.slot);
        for keeper in &self.keepers {
            for stuck in keeper.stuck(height, DECIDED_BLOCKS) {
                net.record.violation(format!("STUCK keeper {}: {stuck}", keeper.index));
            }
            let hours = 1 + self.elapsed_ms / 3_600_000;
            if self.fees[keeper.index] > HOUR_LAMPORTS * hours {
                let spent = self.fees[keeper.index];
                net.record.violation(format!("BUDGET keeper {} spent {spent} lamports", keeper.index));
            }
        }
        let (questions, keepers) = (self.truth.questions, self.keepers.len());
        net.record.line(&format!("over: {keepers} keepers, {questions} questions"));
        std::mem::take(&mut net.record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_of_the_same_id_left_is_swept_away() {
        let left = scratch().keep();
        std::fs::write(left.join("journal"), "of another run").unwrap();
        let dir = scratch();
        assert_eq!(dir.path(), left);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
