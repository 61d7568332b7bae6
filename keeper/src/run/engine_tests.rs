mod kept;

use super::courier::Courier;
use super::engine::{Engine, Setup, Unsent};
use super::shared::Shared;
use crate::config::Config;
use crate::events::{EventKind, Events};
use crate::fleet::rank::{Member, Phase, ranking};
use crate::fleet::state::Identity;
use crate::fleet::{Fleet, Stale};
use crate::intent::{ActionClass, Blockhash, Intent, Outcome, PlannedTx};
use crate::metrics::Metrics;
use crate::submit::{Hour, Prepared, Rehearsal, SubmitError};
use crate::view::TransactionsView;
use crate::watch::feeds::{self, CLOCK, WatchSet};
use crate::watch::oracles::Found;
use crate::watch::poll::{Polled, Snapshot};
use crate::watch::testing::{self, NOW, SLOT, World, bytes_of, clock, key};
use crate::watch::{Origin, Update};
use anchor_lang::prelude::Pubkey;
use rampart::state::{Position, Rule};
use solana_sdk::hash::Hash;
use solana_sdk::signature::Signature;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

const SIGNER: u8 = 90;
const RULE: u8 = 60;

type Call = (&'static str, ActionClass, Pubkey);

/// Records what it is asked for, in order.
#[derive(Clone, Default)]
struct Recorder {
    calls: Arc<Mutex<Vec<Call>>>,
    /// What the next sends are refused with; none is once there is nothing here.
    refusals: Arc<Mutex<VecDeque<SubmitError>>>,
    /// What the next rehearsals end with; all pass once there is nothing here.
    rehearsals: Arc<Mutex<VecDeque<SubmitError>>>,
    is_journal_failing: Arc<AtomicBool>,
}

impl Recorder {
    fn note(&self, call: &'static str, intent: &Intent) {
        self.calls.lock().unwrap().push((call, intent.class, intent.target));
    }

    fn take(&self) -> Vec<Call> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }
}

impl Courier for Recorder {
    async fn prepare_all(&self, plans: Vec<PlannedTx>, blockhash: Blockhash) -> Vec<Result<Prepared, SubmitError>> {
        let prepare = |plan: PlannedTx| {
            self.note("prepare", &plan.intent);
            Ok(Prepared { intent: plan.intent, signature: Signature::default(), blockhash })
        };
        plans.into_iter().map(prepare).collect()
    }

    async fn rehearse(&self, rehearsals: Vec<Rehearsal>, _: u64) -> Vec<Result<PlannedTx, SubmitError>> {
        let next = || self.rehearsals.lock().unwrap().pop_front();
        rehearsals.into_iter().map(|rehearsal| next().map_or(Ok(rehearsal.plan), Err)).collect()
    }

    async fn send(&self, prepared: &Prepared) -> Result<(), SubmitError> {
        self.note("send", &prepared.intent);
        self.refusals.lock().unwrap().pop_front().map_or(Ok(()), Err)
    }

    fn set_balance(&self, _: u64) {}

    fn counts(&self) -> TransactionsView {
        TransactionsView::default()
    }

    fn hour(&self, class: ActionClass) -> Hour {
        let allowance_lamports = (class != ActionClass::Trip).then_some(50_000_000);
        Hour { own_lamports: 7_000, spent_lamports: 49_000_000, allowance_lamports, reserved_lamports: 10_000_000 }
    }

    fn is_journal_failing(&self) -> bool {
        self.is_journal_failing.load(Ordering::Relaxed)
    }
}

struct Rig {
    world: World,
    engine: Engine<Recorder>,
    recorder: Recorder,
    events: Events,
    refused: mpsc::UnboundedReceiver<super::engine::Refused>,
    _renewals: Vec<mpsc::Receiver<feeds::Topic>>,
}

fn config(guard: Pubkey) -> Config {
    let text = format!(
        "[cluster]\nrpc_url = \"http://127.0.0.1:1\"\nguard = \"{guard}\"\n[keeper]\nname = \"k\"\nstate_dir = \"s\"\n[keys]\npayer_file = \"p\"\n"
    );
    toml::from_str(&text).unwrap()
}

fn blockhash(n: u8) -> Blockhash {
    Blockhash { hash: Hash::new_from_array([n; 32]), last_valid_block_height: 500 }
}

fn account(at: Pubkey, data: Vec<u8>, slot: u64) -> Update {
    testing::of_program(at, data, slot, Origin::Poll)
}

fn oracle(n: u8, milli_dollars: i128, slot: u64) -> Update {
    testing::print(key(n), (milli_dollars, NOW - 20), slot)
}

impl Rig {
    fn new() -> Self {
        Self::in_fleet(Fleet::single())
    }

    fn in_fleet(fleet: Fleet) -> Self {
        let (world, recorder, metrics) = (World::new(), Recorder::default(), Metrics::new());
        let events = Events::new(metrics.clone());
        let (shared, renewals) = Shared::new(Arc::default(), Arc::default(), 1);
        let (refused, from_couriers) = mpsc::unbounded_channel();
        let config = Arc::new(config(world.guard_key));
        let setup = Setup {
            scorer: crate::score::Scorer::new(&config.score).expect("no model file"),
            config,
            signer: key(SIGNER),
            courier: recorder.clone(),
            fleet,
            shared,
            events: events.clone(),
            metrics,
            refused,
        };
        Self { world, engine: Engine::new(setup), recorder, events, refused: from_couriers, _renewals: renewals }
    }

    /// Everything on chain, as one snapshot after another until the watched set stands still.
    /// The rule, switched off: what is decided is about positions alone.
    fn rule_off(&self) -> Rule {
        let rule = self.world.rule();
        Rule { params: rampart::state::rule::RuleParams { switch: 1, ..rule.params }, ..rule }
    }

    fn load(&mut self, rule: &Rule, positions: &[(Pubkey, Position)]) {
        for _ in 0..4 {
            let snapshot = self.everything(rule, positions);
            self.engine.polled(Polled::Snapshot(Box::new(snapshot)));
        }
    }

    fn everything(&self, rule: &Rule, positions: &[(Pubkey, Position)]) -> Snapshot {
        let world = &self.world;
        let of_program = [
            (world.guard_key, bytes_of(&world.guard)),
            (world.asset_keys[0], bytes_of(&world.asset(0))),
            (world.asset_keys[1], bytes_of(&world.asset(1))),
            (world.vault_key, bytes_of(&world.vault())),
            (key(RULE), bytes_of(rule)),
        ];
        let mut updates: Vec<Update> = of_program.into_iter().map(|(at, data)| account(at, data, SLOT)).collect();
        updates.extend(positions.iter().map(|(at, position)| account(*at, bytes_of(position), SLOT)));
        let listed = updates.iter().map(|u| u.key).collect();
        updates.extend((10..14).map(|n| Update { origin: Origin::Poll, ..oracle(n, 1_000, SLOT) }));
        updates.push(clock(SLOT, NOW));
        updates.push(Update { lamports: 1_000_000_000, ..Update::absent(key(SIGNER), SLOT, Origin::Poll) });
        for (mint, wallet) in feeds::wallets(&self.engine.store, &key(SIGNER)) {
            let data = testing::token_account(&mint, &key(SIGNER), 1_000_000_000);
            updates.push(Update {
                key: wallet.token,
                owner: wallet.token_program,
                lamports: 1,
                data,
                slot: SLOT,
                origin: Origin::Poll,
                write_version: 0,
                told_by: 0,
            });
        }
        let set: Arc<WatchSet> = self.engine.sources.set.clone();
        Snapshot { updates, listed, slot: SLOT, set, found: Found::new(), asked_at: Instant::now(), is_whole: true }
    }

    /// A blockhash of the newest slot.
    fn blockhash(&mut self, blockhash: Blockhash) {
        let slot = self.engine.clock.tip_slot();
        self.engine.blockhash(blockhash, slot);
    }

    /// Lets the engine take in what did not leave; returns how many of it there are.
    async fn give_back(&mut self) -> usize {
        settle().await;
        let given: Vec<_> = std::iter::from_fn(|| self.refused.try_recv().ok()).collect();
        given.iter().for_each(|refused| self.engine.refused(refused));
        given.len()
    }

    fn sent(&self) -> Vec<Call> {
        self.recorder.take().into_iter().filter(|call| call.0 == "send").collect()
    }

    fn events(&self) -> Vec<EventKind> {
        self.events.subscribe().0.iter().map(|event| event.kind).collect()
    }
}

/// Lets every spawned task that can go on do so.
async fn settle() {
    for _ in 0..32 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn tick_that_proves_a_rule_only_sends_what_was_prepared_before() {
    let mut rig = Rig::new();
    tokio::spawn(rig.engine.armory.worker());
    settle().await;
    rig.load(&rig.world.rule(), &[]);
    rig.blockhash(blockhash(1));
    settle().await;
    assert_eq!(rig.recorder.take(), [("prepare", ActionClass::Trip, key(RULE))]);
    assert_eq!(rig.engine.armory.ready(), 1);
    rig.engine.updates(vec![oracle(10, 850, SLOT + 1), oracle(11, 850, SLOT + 1)]);
    settle().await;
    assert_eq!(rig.recorder.take(), [("send", ActionClass::Trip, key(RULE))]);
    assert!(rig.events().contains(&EventKind::RuleBecameTrue));
    rig.engine.updates(vec![oracle(10, 840, SLOT + 2), oracle(11, 840, SLOT + 2)]);
    rig.engine.tick();
    settle().await;
    assert!(rig.recorder.take().iter().all(|call| call.0 != "send"), "it is under way");
}

/// A keeper without a fresh blockhash for a while fired the trip that it had prepared before. Dead bytes then stood in
/// the way of new ones until two endpoints agreed that they were dead.
#[tokio::test]
async fn trip_prepared_too_long_ago_is_signed_anew_instead_of_sent() {
    let mut rig = Rig::new();
    tokio::spawn(rig.engine.armory.worker());
    settle().await;
    rig.load(&rig.world.rule(), &[]);
    rig.blockhash(blockhash(1));
    settle().await;
    assert_eq!(rig.recorder.take(), [("prepare", ActionClass::Trip, key(RULE))]);
    // the next one comes so late that the worker has had no turn when the rule turns true
    rig.blockhash(Blockhash { last_valid_block_height: 500 + 200, ..blockhash(2) });
    rig.engine.updates(vec![oracle(10, 850, SLOT + 1), oracle(11, 850, SLOT + 1)]);
    settle().await;
    let calls: Vec<_> = rig.recorder.take().into_iter().map(|call| call.0).collect();
    let count = |name| calls.iter().filter(|call| **call == name).count();
    assert_eq!((count("prepare"), count("send")), (2, 1), "by the worker, and to be sent at once: {calls:?}");
}

#[tokio::test]
async fn trips_are_prepared_anew_with_each_blockhash_and_fence_and_not_more_often() {
    let mut rig = Rig::new();
    tokio::spawn(rig.engine.armory.worker());
    settle().await;
    rig.load(&rig.world.rule(), &[]);
    for n in [1, 1, 2] {
        rig.blockhash(blockhash(n));
        rig.engine.tick();
        settle().await;
    }
    assert_eq!(rig.recorder.take().len(), 2);
    let moved = Rule { trip_epoch: 1, ..rig.world.rule() };
    rig.engine.updates(vec![account(key(RULE), bytes_of(&moved), SLOT + 1)]);
    settle().await;
    assert_eq!(rig.recorder.take(), [("prepare", ActionClass::Trip, key(RULE))]);
    assert!(rig.events().contains(&EventKind::BreakerTripped));
}

/// A group of two rules on the collateral that trip only together: the first a drawdown, the second true all along.
fn group_of(rig: &Rig) -> [(Pubkey, Vec<u8>); 3] {
    use rampart::state::{Metric, RuleGroup, Standing};
    let mut first = rig.world.rule();
    first.params.standing = Standing::Member as u8;
    let mut second = first;
    (second.params.metric, second.subject) = (Metric::Utilisation as u8, rig.world.vault_key);
    (second.params.threshold, second.params.clear_threshold) = (0, 0);
    let mut group: RuleGroup = bytemuck::Zeroable::zeroed();
    (group.guard, group.scope) = (rig.world.guard_key, rig.world.asset_keys[0]);
    (group.rules[0], group.rules[1], group.count) = (key(RULE), key(62), 2);
    (group.params.level, group.params.duration_secs, group.params.max_age_secs) = (3, 600, 60);
    (group.reach, group.version, group.trip_epoch) = (1, rampart::constants::LAYOUT_VERSION, 4);
    [(key(RULE), bytes_of(&first)), (key(62), bytes_of(&second)), (key(61), bytes_of(&group))]
}

#[tokio::test]
async fn tick_that_proves_a_group_only_sends_what_was_prepared_with_the_observations_that_it_needs() {
    let mut rig = Rig::new();
    tokio::spawn(rig.engine.armory.worker());
    settle().await;
    let accounts = group_of(&rig);
    rig.load(&rig.world.rule(), &[]);
    rig.engine.updates(accounts.clone().map(|(at, data)| account(at, data, SLOT + 1)).to_vec());
    rig.blockhash(blockhash(1));
    rig.engine.tick();
    settle().await;
    let trips = |rig: &Rig| -> Vec<Call> {
        rig.recorder.take().into_iter().filter(|call| call.1 == ActionClass::Trip).collect()
    };
    assert_eq!(trips(&rig), [("prepare", ActionClass::Trip, key(61))], "neither rule trips alone");
    // one of them is seen true: its observation is left out, so that the trip is prepared anew
    let mut second: Rule = *rig.engine.store.rule(&key(62)).unwrap();
    let seen = rampart::risk::verdict::Verdict::True { value: 1 };
    second.observe(seen, NOW - 3, NOW - 2, SLOT - 8).unwrap();
    rig.engine.updates(vec![account(key(62), bytes_of(&second), SLOT + 2)]);
    settle().await;
    assert_eq!(trips(&rig), [("prepare", ActionClass::Trip, key(61))]);
    rig.engine.tick();
    settle().await;
    assert!(trips(&rig).is_empty(), "not more often");
    rig.engine.updates(vec![oracle(10, 850, SLOT + 3), oracle(11, 850, SLOT + 3)]);
    settle().await;
    assert_eq!(trips(&rig), [("send", ActionClass::Trip, key(61))], "nothing is signed on the way");
}

#[tokio::test]
async fn trip_of_a_group_that_observes_other_rules_than_the_prepared_one_is_signed_anew() {
    let mut rig = Rig::new();
    tokio::spawn(rig.engine.armory.worker());
    settle().await;
    rig.load(&rig.world.rule(), &[]);
    rig.engine.updates(group_of(&rig).map(|(at, data)| account(at, data, SLOT + 1)).to_vec());
    rig.blockhash(blockhash(1));
    rig.engine.tick();
    settle().await;
    rig.recorder.take();
    // seen true in the very update that proves the group: what was prepared observes it once more
    let mut second: Rule = *rig.engine.store.rule(&key(62)).unwrap();
    let seen = rampart::risk::verdict::Verdict::True { value: 1 };
    second.observe(seen, NOW - 3, NOW - 2, SLOT - 8).unwrap();
    let update = account(key(62), bytes_of(&second), SLOT + 2);
    rig.engine.updates(vec![update, oracle(10, 850, SLOT + 2), oracle(11, 850, SLOT + 2)]);
    settle().await;
    let calls = rig.recorder.take();
    let of_group: Vec<_> = calls.iter().filter(|call| call.2 == key(61)).map(|call| call.0).collect();
    assert_eq!(of_group.iter().filter(|call| **call == "send").count(), 1, "{of_group:?}");
    assert_eq!(of_group[0], "prepare", "the prepared one was left alone: {of_group:?}");
}

#[tokio::test]
async fn trip_without_a_prepared_one_is_signed_and_sent_all_the_same() {
    let mut rig = Rig::new();
    rig.load(&rig.world.rule(), &[]);
    rig.blockhash(blockhash(1));
    rig.engine.updates(vec![oracle(10, 850, SLOT + 1), oracle(11, 850, SLOT + 1)]);
    settle().await;
    assert_eq!(
        rig.recorder.take(),
        [("prepare", ActionClass::Trip, key(RULE)), ("send", ActionClass::Trip, key(RULE))]
    );
}

#[tokio::test]
async fn price_gap_liquidates_what_it_crosses_and_nothing_twice() {
    let mut rig = Rig::new();
    let off = rig.rule_off();
    let positions =
        [(key(50), rig.world.position(1_000_000, 600_000)), (key(51), rig.world.position(1_000_000, 100_000))];
    rig.load(&off, &positions);
    rig.blockhash(blockhash(1));
    settle().await;
    assert!(rig.recorder.take().is_empty());
    rig.engine.updates(vec![oracle(10, 700, SLOT + 1), oracle(11, 700, SLOT + 1)]);
    settle().await;
    let calls = [("prepare", ActionClass::Liquidate, key(50)), ("send", ActionClass::Liquidate, key(50))];
    assert_eq!(rig.recorder.take(), calls);
    let intent = Intent { class: ActionClass::Liquidate, target: key(50), fence: 0, reason: String::new() };
    rig.engine.outcome(&intent, &Outcome::Landed { slot: SLOT + 2, compute_units: None });
    rig.engine.updates(vec![clock(SLOT + 2, NOW + 1)]);
    settle().await;
    assert!(rig.recorder.take().is_empty(), "its effect does not show yet");
    let after = Position {
        liquidation_seq: 1,
        last_liquidation_slot: SLOT + 2,
        collateral_amount: 700_000,
        debt_scaled: 400_000u128.into(),
        ..positions[0].1
    };
    rig.engine.updates(vec![account(key(50), bytes_of(&after), SLOT + 3), clock(SLOT + 3, NOW + 1)]);
    settle().await;
    assert_eq!(rig.recorder.take().len(), 2, "still beyond the line: the next fence");
    assert!(rig.events().contains(&EventKind::PositionLiquidated));
}

#[tokio::test]
async fn open_gap_holds_liquidations_back_until_a_snapshot() {
    let mut rig = Rig::new();
    let positions = [(key(50), rig.world.position(1_000_000, 900_000))];
    let snapshot = rig.everything(&rig.world.rule(), &positions);
    rig.blockhash(blockhash(1));
    // the same accounts without the all-clear of a snapshot
    let raw: std::collections::HashSet<Pubkey> = (10..14).map(key).chain([CLOCK, key(SIGNER)]).collect();
    rig.engine.store.watch_raw(raw);
    rig.engine.updates(snapshot.updates);
    settle().await;
    assert!(!rig.engine.is_gapless());
    assert!(rig.recorder.take().iter().all(|call| call.1 == ActionClass::Trip));
    rig.load(&rig.world.rule(), &positions);
    settle().await;
    assert!(rig.engine.is_gapless());
    assert!(rig.recorder.take().contains(&("send", ActionClass::Liquidate, key(50))));
}

/// Each start took prices that had not arrived yet for missing: the keeper's own band was the highest for the next twelve hours.
#[tokio::test]
async fn score_waits_for_the_first_complete_source_and_then_for_none() {
    let mut rig = Rig::new();
    let snapshot = rig.everything(&rig.world.rule(), &[]);
    rig.engine.store.watch_raw((10..14).map(key).chain([CLOCK, key(SIGNER)]).collect());
    rig.engine
        .updates(snapshot.updates.into_iter().filter(|update| !(10..14).map(key).any(|at| at == update.key)).collect());
    rig.engine.tick();
    assert!(!rig.engine.is_gapless() && rig.engine.assessment.assets.len() == 2);
    assert_eq!(rig.engine.scorer.highest(), None, "no price has arrived");
    rig.load(&rig.world.rule(), &[]);
    rig.engine.tick();
    assert!(rig.engine.is_gapless());
    let (calm_bps, _) = rig.engine.scorer.highest().expect("it was seen");
    rig.engine.sources.poll_failed();
    assert!(!rig.engine.is_gapless());
    rig.engine.updates(vec![clock(SLOT + 2, NOW + 600)]);
    rig.engine.tick();
    let (blind_bps, _) = rig.engine.scorer.highest().expect("a score");
    assert!(blind_bps > calm_bps, "prices are ten minutes old: {blind_bps}, {calm_bps}");
}

#[tokio::test]
async fn fault_48_view_is_ready_only_with_everything_it_takes() {
    let mut rig = Rig::new();
    assert!(!rig.engine.view().keeper.ready);
    rig.load(&rig.world.rule(), &[(key(50), rig.world.position(1_000_000, 1_000))]);
    assert_eq!(rig.engine.view().keeper.not_ready_reasons, ["no fresh blockhash"]);
    rig.blockhash(blockhash(1));
    rig.engine.tick();
    let view = rig.engine.view();
    assert!(view.keeper.ready, "{:?}", view.keeper.not_ready_reasons);
    assert_eq!((view.keeper.coverage.positions, view.keeper.coverage.mismatches), (1, 0));
    assert_eq!((view.vaults[0].positions.count, view.keeper.balance_lamports.as_str()), (1, "1000000000"));
    rig.engine.updates(vec![account(rig.world.vault_key, vec![1; 50], SLOT + 5)]);
    assert!(!rig.engine.view().keeper.ready);
}

#[tokio::test]
async fn closed_position_leaves_store_and_index_with_the_next_listing() {
    let mut rig = Rig::new();
    let position = (key(50), rig.world.position(1_000_000, 900_000));
    rig.load(&rig.world.rule(), &[position]);
    assert_eq!(rig.engine.store.position_count(), 1);
    let mut snapshot = rig.everything(&rig.world.rule(), &[]);
    snapshot.slot = SLOT + 1;
    rig.engine.polled(Polled::Snapshot(Box::new(snapshot)));
    assert_eq!(rig.engine.store.position_count(), 0);
    assert!(rig.engine.index.vault(&rig.world.vault_key).unwrap().is_empty());
}

#[tokio::test]
async fn keeper_is_not_ready_while_its_journal_takes_nothing() {
    let mut rig = Rig::new();
    rig.load(&rig.world.rule(), &[]);
    rig.blockhash(blockhash(1));
    rig.engine.tick();
    assert!(rig.engine.view().keeper.ready, "{:?}", rig.engine.view().keeper.not_ready_reasons);
    rig.recorder.is_journal_failing.store(true, Ordering::Relaxed);
    let reasons = rig.engine.view().keeper.not_ready_reasons;
    assert_eq!(reasons, ["the journal takes nothing: nothing but trips can be signed"]);
    rig.recorder.is_journal_failing.store(false, Ordering::Relaxed);
    assert!(rig.engine.view().keeper.ready);
}

#[tokio::test]
async fn observer_is_never_fit_to_own_anything() {
    let (fleet, _now) = member_at(0);
    let mut rig = Rig::in_fleet(fleet.clone());
    rig.load(&rig.world.rule(), &[]);
    rig.blockhash(blockhash(1));
    rig.engine.tick();
    assert!(rig.engine.view().keeper.ready && fleet.is_fit(), "{:?}", rig.engine.view().keeper.not_ready_reasons);
    let mut config = config(rig.world.guard_key);
    config.keeper.mode = crate::config::Mode::Observe;
    rig.engine.set_config(Arc::new(config));
    assert!(rig.engine.view().keeper.ready && !fleet.is_fit());
}

/// A member of a fleet of two, whose clock the test sets, milliseconds.
fn member_at(rank: usize) -> (Fleet, Arc<AtomicU64>) {
    let guard = World::new().guard_key;
    let members = ["a", "b"].map(|id| Member { id: id.to_owned(), guard, phase: Phase::Ready });
    let id = ranking(&guard, &members)[rank].id.clone();
    let me = Identity { id, guard, ttl: Duration::from_secs(2), stagger_slots: 2, fallback_rank: 0 };
    let (now, metrics) = (Arc::new(AtomicU64::new(0)), Metrics::new());
    let clock = now.clone();
    let clock = Arc::new(move || Duration::from_millis(clock.load(Ordering::Relaxed)));
    let fleet = Fleet::with_clock(me, clock, metrics.clone(), Events::new(metrics), Arc::default());
    fleet.confirmed(Duration::ZERO, 5, members.to_vec());
    (fleet, now)
}

#[tokio::test]
async fn standby_leaves_everything_to_the_owner_for_its_wait_and_acts_then() {
    let (fleet, _now) = member_at(1);
    let mut rig = Rig::in_fleet(fleet);
    let position = (key(50), rig.world.position(1_000_000, 600_000));
    rig.load(&rig.world.rule(), &[position]);
    rig.blockhash(blockhash(1));
    rig.engine.updates(vec![oracle(10, 700, SLOT + 1), oracle(11, 700, SLOT + 1), clock(SLOT + 1, NOW)]);
    settle().await;
    assert!(rig.recorder.take().is_empty(), "the owner's turn");
    rig.engine.updates(vec![clock(SLOT + 3, NOW + 1)]);
    settle().await;
    let sent: Vec<_> = rig.recorder.take().into_iter().filter(|call| call.0 == "send").collect();
    let expected = [("send", ActionClass::Trip, key(RULE)), ("send", ActionClass::Liquidate, key(50))];
    assert_eq!(sent, expected, "nobody acted: its own turn, trips as well");
}

#[tokio::test]
async fn fault_52_what_was_decided_before_a_pause_is_not_sent_after_it_but_decided_anew() {
    let (fleet, now) = member_at(0);
    let mut rig = Rig::in_fleet(fleet);
    let position = (key(50), rig.world.position(1_000_000, 600_000));
    rig.load(&rig.world.rule(), &[position]);
    rig.blockhash(blockhash(1));
    rig.engine.updates(vec![oracle(10, 700, SLOT + 1), oracle(11, 700, SLOT + 1), clock(SLOT + 1, NOW)]);
    // decided; the tasks that sign and send go on half a minute later
    now.store(30_000, Ordering::Relaxed);
    settle().await;
    assert!(rig.recorder.take().iter().all(|call| call.0 != "send"), "nothing old leaves");
    let withdrawn: Vec<_> = std::iter::from_fn(|| rig.refused.try_recv().ok()).collect();
    assert_eq!(withdrawn.len(), 2);
    assert!(withdrawn.iter().all(|(_, why)| matches!(why, Unsent::Stale(Stale::Paused))));
    withdrawn.iter().for_each(|refused| rig.engine.refused(refused));
    // it holds no lease any more: one step behind whoever does
    rig.engine.updates(vec![clock(SLOT + 2, NOW + 1)]);
    settle().await;
    assert!(rig.recorder.take().is_empty());
    rig.engine.updates(vec![clock(SLOT + 3, NOW + 1)]);
    settle().await;
    let sent = rig.recorder.take().into_iter().filter(|call| call.0 == "send").count();
    assert_eq!(sent, 2, "nothing is lost: trip and liquidation");
}

/// A price that was heard early says that the rule is true and the position beyond its line; the chain doesn't.
#[tokio::test]
async fn fault_21_early_price_trips_nothing_and_a_degraded_signal_holds_nothing_back() {
    let mut rig = Rig::new();
    let board = rig.engine.shared.early.clone();
    let signal = "name = \"hermes\"\nkind = \"hermes\"\nurl = \"http://127.0.0.1:1\"\n";
    board.begin(&[toml::from_str(signal).unwrap()]);
    let mut asset = rig.world.asset(0);
    let source = &mut asset.oracle.sources[0];
    (source.kind, source.program) = (rampart::state::SourceKind::Pyth as u8, rampart::oracle::PYTH_RECEIVER);
    source.feed_id = [7; 32];
    let position = (key(50), rig.world.position(1_000_000, 600_000));
    rig.load(&rig.world.rule(), &[position]);
    rig.blockhash(blockhash(1));
    // wanted as soon as an asset names it, then put back: the chain's prices are those of the other tests
    rig.engine.updates(vec![account(rig.world.asset_keys[0], bytes_of(&asset), SLOT + 1)]);
    rig.engine.tick();
    let half = rampart::oracle::RawReading { price: 50, confidence: 1, exponent: -2, publish_ts: NOW };
    board.heard("hermes", &[([7; 32], half)]);
    assert_eq!(board.read()[0].1.prices.len(), 1);
    rig.engine.updates(vec![account(rig.world.asset_keys[0], bytes_of(&rig.world.asset(0)), SLOT + 2)]);
    rig.engine.tick();
    settle().await;
    assert!(rig.recorder.take().is_empty(), "the chain shows nothing");
    let refused = crate::early::SignalError::Refused(401);
    board.lost("hermes", &refused, "the server refuses access".into());
    let view = rig.engine.view();
    assert!(view.keeper.ready && view.keeper.signals[0].degraded, "{:?}", view.keeper);
    rig.engine.updates(vec![oracle(10, 700, SLOT + 3), oracle(11, 700, SLOT + 3), clock(SLOT + 3, NOW)]);
    settle().await;
    let sent: Vec<_> = rig.recorder.take().into_iter().filter(|call| call.0 == "send").collect();
    let expected = [("send", ActionClass::Trip, key(RULE)), ("send", ActionClass::Liquidate, key(50))];
    assert_eq!(sent, expected, "prices on chain are acted on as without any signal");
}

#[tokio::test]
async fn view_shows_what_each_class_may_still_spend_and_what_is_kept_for_trips() {
    let keeper = Rig::new().engine.view().keeper;
    let of = |class: &str| keeper.budgets.iter().find(|budget| budget.class == class).unwrap();
    assert_eq!(keeper.budgets.len(), ActionClass::ALL.len());
    let liquidate = of("liquidate");
    assert_eq!((liquidate.own_lamports.as_str(), liquidate.left_lamports.as_deref()), ("7000", Some("1000000")));
    assert_eq!((of("trip").allowance_lamports.as_deref(), of("trip").left_lamports.as_deref()), (None, None));
    assert_eq!(keeper.kept_for_trips_lamports.as_deref(), Some("10000000"));
}

/// How the program refuses to liquidate a position that is not at its line.
fn position_healthy() -> (solana_sdk::transaction::TransactionError, u32) {
    let code = u32::from(rampart::error::RampartError::PositionHealthy);
    let custom = solana_sdk::instruction::InstructionError::Custom(code);
    (solana_sdk::transaction::TransactionError::InstructionError(2, custom), code)
}

/// The hour's budget ran out in the middle of a batch. Whatever was not sent blocked its position, its tokens and the room
/// of others as if it were under way, for eight minutes.
#[tokio::test]
async fn liquidation_that_is_refused_when_it_is_sent_holds_nothing_and_is_tried_again() {
    let mut rig = Rig::new();
    let off = rig.rule_off();
    let position = rig.world.position(1_000_000, 600_000);
    rig.load(&off, &[(key(50), position), (key(51), position)]);
    rig.blockhash(blockhash(1));
    let refusal = SubmitError::OverBudget { fee_lamports: 5_000, left_lamports: 0 };
    rig.recorder.refusals.lock().unwrap().push_back(refusal);
    rig.engine.updates(vec![oracle(10, 700, SLOT + 1), oracle(11, 700, SLOT + 1)]);
    assert_eq!(rig.engine.history.in_flight(), 2);
    assert_eq!(rig.give_back().await, 1);
    assert_eq!(rig.sent().len(), 2, "one of both departed");
    assert_eq!(rig.engine.history.in_flight(), 1);
    assert_eq!(rig.engine.history.reserved().len(), 1, "its tokens alone are promised");
    rig.engine.updates(vec![clock(SLOT + 7, NOW + 2)]);
    settle().await;
    assert!(rig.sent().is_empty(), "not at once");
    rig.engine.updates(vec![clock(SLOT + 12, NOW + 4)]);
    settle().await;
    assert_eq!(rig.sent().len(), 1, "the one that was refused");
}

#[tokio::test]
async fn liquidation_that_fails_in_a_simulation_is_left_alone_and_says_why() {
    let mut rig = Rig::new();
    let off = rig.rule_off();
    rig.load(&off, &[(key(50), rig.world.position(1_000_000, 600_000))]);
    rig.blockhash(blockhash(1));
    let (error, code) = position_healthy();
    rig.recorder.rehearsals.lock().unwrap().push_back(SubmitError::WouldFail { error, code: Some(code) });
    rig.engine.updates(vec![oracle(10, 700, SLOT + 1), oracle(11, 700, SLOT + 1), clock(SLOT + 1, NOW)]);
    assert_eq!(rig.give_back().await, 1);
    assert!(rig.recorder.take().is_empty(), "neither signed nor sent");
    assert_eq!((rig.engine.history.in_flight(), rig.engine.history.reserved().len()), (0, 0));
    let why = rig.engine.explain(key(50)).expect("a position it knows");
    assert!(why.answer.contains("the program refuses the transaction in a simulation"), "{}", why.answer);
    rig.engine.updates(vec![clock(SLOT + 3, NOW + 1)]);
    settle().await;
    assert_eq!(rig.sent(), [("send", ActionClass::Liquidate, key(50))], "two slots later it passes");
}

/// Bytes that had been prepared were given up just before the rule turned true. The trip counted as under way for eight
/// minutes, and nothing was sent.
#[tokio::test]
async fn trip_whose_prepared_bytes_are_gone_is_signed_anew_at_once() {
    let mut rig = Rig::new();
    tokio::spawn(rig.engine.armory.worker());
    settle().await;
    rig.load(&rig.world.rule(), &[]);
    rig.blockhash(blockhash(1));
    settle().await;
    rig.recorder.take();
    rig.recorder.refusals.lock().unwrap().push_back(SubmitError::Gone);
    rig.engine.updates(vec![oracle(10, 850, SLOT + 1), oracle(11, 850, SLOT + 1)]);
    assert_eq!(rig.give_back().await, 1);
    assert_eq!(rig.recorder.take(), [("send", ActionClass::Trip, key(RULE))], "to nobody");
    rig.engine.tick();
    settle().await;
    let expected = [("prepare", ActionClass::Trip, key(RULE)), ("send", ActionClass::Trip, key(RULE))];
    assert_eq!(rig.recorder.take(), expected);
}

/// The refused liquidation waited for its position to change, and nobody had changed it: the price fell on, and nothing was
/// sent until the next sweep.
#[tokio::test]
async fn liquidation_that_came_too_early_is_tried_again_when_the_price_falls_on() {
    let mut rig = Rig::new();
    let off = rig.rule_off();
    rig.load(&off, &[(key(50), rig.world.position(1_000_000, 600_000))]);
    rig.blockhash(blockhash(1));
    rig.engine.updates(vec![oracle(10, 700, SLOT + 1), oracle(11, 700, SLOT + 1), clock(SLOT + 1, NOW)]);
    settle().await;
    let liquidation = ("send", ActionClass::Liquidate, key(50));
    assert_eq!(rig.sent(), [liquidation]);
    let (error, code) = position_healthy();
    let intent = Intent { class: ActionClass::Liquidate, target: key(50), fence: 0, reason: String::new() };
    rig.engine.outcome(&intent, &Outcome::Failed { slot: SLOT + 2, error, code: Some(code), lost_race: true });
    rig.engine.updates(vec![clock(SLOT + 2, NOW + 1)]);
    settle().await;
    assert!(rig.sent().is_empty(), "a short pause");
    rig.engine.updates(vec![oracle(10, 690, SLOT + 3), oracle(11, 690, SLOT + 3), clock(SLOT + 3, NOW + 1)]);
    settle().await;
    assert_eq!(rig.engine.store.slot_of(&key(50)), Some(SLOT), "nobody wrote the position");
    assert_eq!(rig.sent(), [liquidation]);
}

#[tokio::test]
async fn blockhash_of_a_node_that_lags_replaces_no_newer_one_and_is_as_old_as_its_slot() {
    let mut rig = Rig::new();
    rig.load(&rig.world.rule(), &[]);
    let of = |n: u8, height| Blockhash { last_valid_block_height: height, ..blockhash(n) };
    rig.blockhash(of(1, 500));
    rig.blockhash(of(2, 499));
    assert_eq!(rig.engine.blockhash.map(|(blockhash, _)| blockhash), Some(of(1, 500)));
    rig.blockhash(of(3, 501));
    assert_eq!(rig.engine.blockhash.map(|(blockhash, _)| blockhash), Some(of(3, 501)));
    let tip = rig.engine.clock.tip_slot();
    rig.engine.blockhash(of(4, 502), tip - 100);
    assert!(!rig.engine.has_blockhash(), "received just now, and a hundred slots old");
    rig.blockhash(of(5, 400));
    assert!(rig.engine.has_blockhash(), "nothing is left that it could be older than");
}

/// One endpoint told of another chain's slots: all that was true looked old until the keeper was started anew.
#[tokio::test]
async fn slots_that_never_were_are_forgotten_and_everything_is_asked_for_anew() {
    let mut rig = Rig::new();
    let position = (key(50), rig.world.position(1_000_000, 600_000));
    rig.load(&rig.world.rule(), &[position]);
    rig.blockhash(blockhash(1));
    let absurd = 50_000_000;
    rig.engine.updates(vec![oracle(10, 1_000, absurd), oracle(11, 1_000, absurd), clock(absurd, NOW)]);
    rig.engine.updates(vec![oracle(10, 700, SLOT + 1), oracle(11, 700, SLOT + 1), clock(SLOT + 1, NOW)]);
    settle().await;
    assert!(rig.sent().is_empty(), "what is true looks old");
    rig.engine.polled(Polled::SteppedBack { slot: SLOT + 1 });
    assert_eq!(rig.engine.clock.tip_slot(), SLOT + 1);
    assert!(!rig.engine.is_gapless());
    assert!(rig.engine.store.position(&key(50)).is_some(), "what is of slots that were is kept");
    rig.load(&rig.world.rule(), &[position]);
    rig.engine.updates(vec![oracle(10, 700, SLOT + 2), oracle(11, 700, SLOT + 2), clock(SLOT + 2, NOW)]);
    settle().await;
    assert_eq!(rig.sent(), [("send", ActionClass::Trip, key(RULE)), ("send", ActionClass::Liquidate, key(50))]);
    rig.engine.polled(Polled::SteppedBack { slot: SLOT });
    assert!(rig.engine.is_gapless(), "two slots are none of that");
}

#[path = "engine_ops_tests.rs"]
mod ops;
