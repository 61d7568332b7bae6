use super::*;
use crate::assess::assess;
use crate::chain::clock::ChainTime;
use crate::decide::bands::Band;
use crate::intent::Outcome;
use crate::watch::index::PriceIndex;
use crate::watch::testing::{NOW, SLOT, World, bytes_of, key};
use rampart::state::{Cause, Position, Rule};

const RULE: u8 = 60;

struct Scene {
    world: World,
    store: Store,
    index: PriceIndex,
    policy: Policy,
    means: Means,
    history: History,
}

impl Scene {
    fn new(positions: &[(Pubkey, Position)]) -> Self {
        let world = World::new();
        let store = world.store(positions);
        let mut index = PriceIndex::default();
        positions.iter().for_each(|(at, position)| index.put(*at, Some(position)));
        let (classes, economics) = (Classes::default(), Economics::default());
        let policy = Policy {
            classes,
            stagger_slots: 0,
            fleet_delay_slots: None,
            max_in_flight: 64,
            reports: ReportSettings::default(),
            bands: BandSettings::default(),
            economics,
        };
        let tokens = BTreeMap::from([(key(21), 10_000_000)]);
        let means = Means { is_gapless: true, is_funded: true, is_keeper: false, tokens, ..Means::default() };
        Self { world, store, index, policy, means, history: History::default() }
    }

    fn with_rule(change: impl FnOnce(&mut Rule)) -> Self {
        let mut scene = Self::new(&[]);
        let mut rule = scene.world.rule();
        change(&mut rule);
        scene.world.put(&mut scene.store, key(RULE), bytes_of(&rule));
        scene
    }

    fn price(&mut self, milli_dollars: i128, publish_ts: i64) {
        self.world.price(&mut self.store, 0, milli_dollars, publish_ts);
    }

    fn decide_at(&mut self, slot: u64, unix_ts: i64) -> Vec<(ActionClass, Pubkey, u64)> {
        let assessment = assess(&self.store, &self.index, &self.world.found(), ChainTime { slot, unix_ts });
        let decided = decide(&assessment, &self.store, &self.policy, &self.means, &mut self.history);
        decided.into_iter().map(|d| (d.intent.class, d.intent.target, d.intent.fence)).collect()
    }

    fn decide(&mut self) -> Vec<(ActionClass, Pubkey, u64)> {
        // prices that were published together with the reference need no observation
        self.decide_at(SLOT, NOW).into_iter().filter(|(class, ..)| *class != ActionClass::Observe).collect()
    }
}

#[test]
fn rule_that_is_true_is_tripped_with_its_fence() {
    let mut scene = Scene::with_rule(|rule| rule.trip_epoch = 7);
    assert!(scene.decide().is_empty());
    scene.price(850, NOW - 1);
    assert_eq!(scene.decide(), [(ActionClass::Trip, key(RULE), 7)]);
}

#[test]
fn rule_that_must_hold_gets_its_streak_built_and_is_tripped_then() {
    let mut scene = Scene::with_rule(|rule| {
        (rule.params.min_persist_secs, rule.params.min_observations) = (10, 3);
    });
    scene.price(850, NOW - 1);
    assert_eq!(scene.decide(), [(ActionClass::ObserveRule, key(RULE), NOW as u64 - 1)]);
    let mut rule = *scene.store.rule(&key(RULE)).unwrap();
    let seen = rampart::risk::verdict::Verdict::True { value: 1_500 };
    rule.observe(seen, NOW - 1, NOW, SLOT).unwrap();
    scene.world.put(&mut scene.store, key(RULE), bytes_of(&rule));
    assert!(scene.decide().is_empty(), "the same print counts once");
    scene.price(850, NOW + 4);
    assert!(
        !scene.decide_at(SLOT, NOW + 5).iter().any(|d| d.0 == ActionClass::ObserveRule),
        "the slot has to move too"
    );
    assert!(scene.decide_at(SLOT + 9, NOW + 5).contains(&(ActionClass::ObserveRule, key(RULE), SLOT)));
    rule.observe(seen, NOW + 4, NOW + 5, SLOT + 9).unwrap();
    scene.world.put(&mut scene.store, key(RULE), bytes_of(&rule));
    scene.price(850, NOW + 9);
    let trips = |scene: &mut Scene, now_ts| scene.decide_at(SLOT + 30, now_ts).iter().any(|d| d.0 == ActionClass::Trip);
    assert!(!trips(&mut scene, NOW + 9), "not for ten seconds yet");
    scene.price(850, NOW + 10);
    assert!(trips(&mut scene, NOW + 11));
}

#[test]
fn left_over_streak_is_ended_when_the_rule_is_clear() {
    let mut scene = Scene::with_rule(|rule| (rule.streak.count, rule.streak.last_slot) = (2, SLOT - 9));
    assert_eq!(scene.decide(), [(ActionClass::ObserveRule, key(RULE), SLOT - 9)]);
}

fn in_force(scene: &mut Scene, level: u8) {
    let mut asset = *scene.store.asset(&scene.world.asset_keys[0]).unwrap();
    let (tripped_at_ts, dwell_until_ts, expires_at_ts) = (NOW - 100, NOW - 1, NOW + 500);
    asset.breaker.causes[0] =
        Cause { source: key(RULE), tripped_at_ts, expires_at_ts, dwell_until_ts, level, ..Cause::default() };
    scene.world.put(&mut scene.store, scene.world.asset_keys[0], bytes_of(&asset));
}

#[test]
fn clear_rule_steps_down_after_its_dwell_time_and_each_step_is_another_intent() {
    let mut scene = Scene::with_rule(|_| {});
    in_force(&mut scene, 3);
    assert_eq!(scene.decide(), [(ActionClass::StepDown, key(RULE), 0)]);
    let early = scene.decide_at(SLOT, NOW - 2);
    assert!(early.iter().all(|d| d.0 != ActionClass::StepDown));
    scene.price(930, NOW - 1);
    assert!(scene.decide().is_empty(), "between the thresholds it stays");
}

#[test]
fn fault_40_rule_in_force_is_not_tripped_again() {
    let mut scene = Scene::with_rule(|_| {});
    in_force(&mut scene, 3);
    scene.price(850, NOW - 1);
    assert!(scene.decide().is_empty());
}

#[test]
fn disabled_rule_and_disabled_class_do_nothing() {
    let mut scene = Scene::with_rule(|rule| rule.params.switch = 1);
    scene.price(850, NOW - 1);
    assert!(scene.decide().is_empty());
    let mut scene = Scene::with_rule(|_| {});
    scene.price(850, NOW - 1);
    scene.policy.classes.trip = false;
    assert!(scene.decide().is_empty());
}

#[test]
fn open_gap_or_empty_purse_leaves_trips_alone() {
    let world = World::new();
    for blind in [true, false] {
        let mut scene = Scene::new(&[(key(50), world.position(1_000_000, 900_000))]);
        scene.world.put(&mut scene.store, key(RULE), bytes_of(&world.rule()));
        scene.price(850, NOW - 1);
        (scene.means.is_gapless, scene.means.is_funded) = (!blind, blind);
        assert_eq!(scene.decide_at(SLOT, NOW), [(ActionClass::Trip, key(RULE), 0)]);
    }
}

#[test]
fn age_is_no_proof_while_a_gap_is_open() {
    let mut scene = Scene::with_rule(|rule| {
        (rule.params.metric, rule.params.level, rule.params.sources_required) = (3, 1, 1);
        (rule.params.threshold, rule.params.clear_threshold) = (60, 30);
    });
    scene.price(1_000, NOW - 70);
    scene.means.is_funded = false;
    assert_eq!(scene.decide(), [(ActionClass::Trip, key(RULE), 0)]);
    scene.means.is_gapless = false;
    assert!(scene.decide().is_empty());
}

#[test]
fn positions_are_taken_deepest_first_within_what_the_signer_holds() {
    let world = World::new();
    let positions = [
        (key(50), world.position(1_000_000, 820_000)),
        (key(51), world.position(1_000_000, 940_000)),
        (key(52), world.position(1_000_000, 780_000)),
    ];
    let mut scene = Scene::new(&positions);
    assert_eq!(
        scene.decide(),
        [
            (ActionClass::Liquidate, key(51), 0),
            (ActionClass::Liquidate, key(50), 0),
            (ActionClass::Deleverage, key(52), 0)
        ]
    );
    scene.means.tokens.insert(key(21), 0);
    assert!(scene.decide().is_empty(), "nothing to repay with");
}

fn in_band(world: &World, band: Band) -> Bands {
    Bands::Known(BTreeMap::from([(world.vault().collateral_asset, band)]))
}

#[test]
fn deleveraging_follows_the_band_of_the_score_and_liquidation_does_not() {
    let world = World::new();
    let positions = [(key(50), world.position(1_000_000, 820_000)), (key(52), world.position(1_000_000, 780_000))];
    let decided = |bands: Bands| {
        let mut scene = Scene::new(&positions);
        scene.policy.bands.deleverage_from = Band::Restrict;
        scene.means.bands = bands;
        scene.decide()
    };
    let (liquidated, deleveraged) = ((ActionClass::Liquidate, key(50), 0), (ActionClass::Deleverage, key(52), 0));
    assert_eq!(decided(in_band(&world, Band::Tighten)), [liquidated]);
    assert_eq!(decided(in_band(&world, Band::Restrict)), [liquidated, deleveraged]);
    assert_eq!(decided(Bands::Known(BTreeMap::new())), [liquidated, deleveraged], "unknown is no reason to wait");
    assert_eq!(decided(Bands::Off), [liquidated, deleveraged]);
}

#[test]
fn deleveraging_in_an_urgent_band_need_not_be_worth_it() {
    let world = World::new();
    let positions = [(key(50), world.position(1_000_000, 820_000)), (key(52), world.position(1_000_000, 780_000))];
    let decided = |band: Band| {
        let mut scene = Scene::new(&positions);
        scene.policy.economics.settings.min_profit_micro_usd = Some(i64::MAX);
        scene.means.bands = in_band(&world, band);
        scene.decide()
    };
    assert_eq!(decided(Band::Tighten), []);
    assert_eq!(decided(Band::Restrict), [(ActionClass::Deleverage, key(52), 0)], "a liquidation still has to pay");
}

#[test]
fn repayments_together_never_exceed_the_balance() {
    let world = World::new();
    let positions: Vec<_> = (0..10).map(|n| (key(50 + n), world.position(1_000_000, 900_000))).collect();
    let mut scene = Scene::new(&positions);
    scene.means.tokens.insert(key(21), 1_000_000);
    let assessment = assess(&scene.store, &scene.index, &scene.world.found(), ChainTime { slot: SLOT, unix_ts: NOW });
    let decided = decide(&assessment, &scene.store, &scene.policy, &scene.means, &mut scene.history);
    let repaid = decided.iter().filter_map(|d| match &d.action {
        Action::Position { offers, .. } => offers.first().map(|offer| offer.plan.repay_amount),
        _ => None,
    });
    let sum: u64 = repaid.sum();
    assert!(sum > 0 && sum <= 1_000_000, "{sum}");
    assert!(decided.len() < 10);
}

#[test]
fn halt_liquidates_only_on_two_sources_where_there_are_two() {
    let world = World::new();
    let mut scene = Scene::new(&[(key(50), world.position(1_000_000, 900_000))]);
    in_force(&mut scene, 3);
    assert_eq!(scene.decide(), [(ActionClass::Liquidate, key(50), 0)]);
    // two sources, of which one can't be read
    for n in 0..2 {
        let mut asset = *scene.store.asset(&world.asset_keys[n]).unwrap();
        asset.oracle.required = 1;
        asset.oracle.sources[1].account = key(99);
        scene.world.put(&mut scene.store, world.asset_keys[n], bytes_of(&asset));
    }
    assert!(scene.decide().is_empty(), "one of two sources is not enough in a halt");
    // an asset that never had more than one: its liquidations go on
    for n in 0..2 {
        let mut asset = *scene.store.asset(&world.asset_keys[n]).unwrap();
        asset.oracle.count = 1;
        scene.world.put(&mut scene.store, world.asset_keys[n], bytes_of(&asset));
    }
    assert_eq!(scene.decide(), [(ActionClass::Liquidate, key(50), 0)]);
}

#[test]
fn position_liquidated_in_this_slot_waits_for_the_next() {
    let world = World::new();
    let mut position = world.position(1_000_000, 900_000);
    (position.liquidation_seq, position.last_liquidation_slot) = (1, SLOT);
    let mut scene = Scene::new(&[(key(50), position)]);
    assert!(scene.decide().is_empty());
    let next = scene.decide_at(SLOT + 1, NOW);
    assert!(next.contains(&(ActionClass::Liquidate, key(50), 1)));
}

#[test]
fn assets_are_observed_when_cold_moved_or_due_and_only_on_newer_prints() {
    let mut scene = Scene::new(&[]);
    let observes = |scene: &mut Scene, slot, now_ts| {
        scene.decide_at(slot, now_ts).into_iter().filter(|d| d.0 == ActionClass::Observe && d.1 == key(2)).count()
    };
    assert_eq!(observes(&mut scene, SLOT, NOW), 0, "20 seconds old, and the price is the same");
    scene.price(1_010, NOW - 1);
    assert_eq!(observes(&mut scene, SLOT, NOW), 1, "it moved by one per cent");
    scene.price(1_000, NOW + 9);
    assert_eq!(observes(&mut scene, SLOT, NOW + 10), 1, "half a cell has passed");
    scene.price(1_010, NOW - 20);
    assert_eq!(observes(&mut scene, SLOT, NOW), 0, "a print that was counted counts no more");
    scene.price(1_010, NOW - 1);
    assert_eq!(observes(&mut scene, SLOT - 50, NOW), 0, "the slot has to move");
    let mut asset = *scene.store.asset(&key(2)).unwrap();
    asset.reference.samples = 1;
    scene.world.put(&mut scene.store, key(2), bytes_of(&asset));
    scene.price(1_000, NOW - 1);
    assert_eq!(observes(&mut scene, SLOT, NOW), 1, "cold");
}

#[test]
fn what_is_under_way_is_not_decided_again_and_room_is_kept() {
    let world = World::new();
    let mut scene =
        Scene::new(&[(key(50), world.position(1_000_000, 900_000)), (key(51), world.position(1_000_000, 850_000))]);
    scene.policy.max_in_flight = 1;
    assert_eq!(scene.decide(), [(ActionClass::Liquidate, key(50), 0)]);
    let intent = Intent { class: ActionClass::Liquidate, target: key(50), fence: 0, reason: String::new() };
    scene.history.started(&intent, Some((key(21), 100)), SLOT);
    assert!(scene.decide().is_empty(), "no room");
    scene.policy.max_in_flight = 2;
    assert_eq!(scene.decide(), [(ActionClass::Liquidate, key(51), 0)]);
    scene.history.ended(&intent, &Outcome::Expired, SLOT);
    assert_eq!(scene.decide().len(), 2);
}

#[test]
fn rank_leaves_the_first_slots_to_others_and_a_trip_waits_less() {
    let world = World::new();
    let mut scene = Scene::new(&[(key(50), world.position(1_000_000, 900_000))]);
    scene.world.put(&mut scene.store, key(RULE), bytes_of(&world.rule()));
    scene.price(850, NOW - 1);
    scene.policy.stagger_slots = 8;
    let classes = |scene: &mut Scene, slot| -> Vec<ActionClass> {
        scene.decide_at(slot, NOW).into_iter().map(|d| d.0).filter(|c| *c != ActionClass::Observe).collect()
    };
    assert!(classes(&mut scene, SLOT).is_empty());
    assert_eq!(classes(&mut scene, SLOT + 2), [ActionClass::Trip]);
    assert_eq!(classes(&mut scene, SLOT + 8), [ActionClass::Trip, ActionClass::Liquidate]);
}

const GROUP: u8 = 61;

/// A group of two rules on the collateral: a drawdown that is a member only, and a rule on the loan's outflow.
fn with_group(streak_count: u64) -> Scene {
    let mut scene = Scene::with_rule(|rule| {
        rule.params.standing = rampart::state::Standing::Member as u8;
        if streak_count > 0 {
            let seen = rampart::risk::verdict::Verdict::True { value: 1_500 };
            rule.observe(seen, NOW - 3, NOW - 2, SLOT - 8).unwrap();
        }
    });
    let mut other = scene.world.rule();
    (other.params.metric, other.subject) = (Metric::Utilisation as u8, scene.world.vault_key);
    (other.params.threshold, other.params.clear_threshold) = (0, 0);
    scene.world.put(&mut scene.store, key(62), bytes_of(&other));
    let mut group: RuleGroup = bytemuck::Zeroable::zeroed();
    (group.guard, group.scope) = (scene.world.guard_key, scene.world.asset_keys[0]);
    (group.rules[0], group.rules[1], group.count) = (key(RULE), key(62), 2);
    (group.params.level, group.params.duration_secs, group.params.max_age_secs) = (3, 600, 60);
    (group.reach, group.version, group.trip_epoch) = (1, rampart::constants::LAYOUT_VERSION, 4);
    scene.world.put(&mut scene.store, key(GROUP), bytes_of(&group));
    scene
}

fn group_trip(scene: &mut Scene) -> Option<Vec<Pubkey>> {
    let now = ChainTime { slot: SLOT, unix_ts: NOW };
    let assessment = assess(&scene.store, &scene.index, &scene.world.found(), now);
    let mut decided = groups::groups(&assessment, &scene.store).into_iter();
    let decision = decided.next().filter(|d| d.intent.class == ActionClass::Trip)?;
    assert_eq!((decision.intent.target, decision.intent.fence), (key(GROUP), 4));
    if let Action::TripGroup { observe, .. } = decision.action { Some(observe) } else { None }
}

#[test]
fn group_is_tripped_when_all_of_its_rules_are_true_and_unseen_ones_are_observed_with_it() {
    let mut scene = with_group(0);
    assert_eq!(group_trip(&mut scene), None, "one of its rules is clear");
    scene.price(850, NOW - 1);
    assert_eq!(group_trip(&mut scene), Some(vec![key(RULE), key(62)]));
    let mut seen = with_group(1);
    seen.price(850, NOW - 1);
    assert_eq!(group_trip(&mut seen), Some(vec![key(62)]), "its streak is its proof");
}

#[test]
fn member_of_a_group_never_trips_alone_and_keeps_its_streak() {
    let mut scene = with_group(0);
    scene.price(850, NOW - 1);
    let decided = scene.decide();
    assert!(decided.contains(&(ActionClass::Trip, key(GROUP), 4)));
    assert!(!decided.iter().any(|d| d.0 == ActionClass::Trip && d.1 == key(RULE)));
    assert!(decided.iter().any(|d| d.0 == ActionClass::ObserveRule && d.1 == key(RULE)));
}

#[test]
fn group_in_force_steps_down_when_one_of_its_rules_is_clear() {
    let mut scene = with_group(0);
    let mut asset = *scene.store.asset(&scene.world.asset_keys[0]).unwrap();
    let times = (NOW - 100, NOW + 500, NOW - 1);
    let (tripped_at_ts, expires_at_ts, dwell_until_ts) = times;
    let cause =
        Cause { source: key(GROUP), tripped_at_ts, expires_at_ts, dwell_until_ts, level: 3, ..Cause::default() };
    asset.breaker.causes[0] = cause;
    scene.world.put(&mut scene.store, scene.world.asset_keys[0], bytes_of(&asset));
    assert!(scene.decide().contains(&(ActionClass::StepDown, key(GROUP), 4)));
    scene.price(850, NOW - 1);
    assert!(!scene.decide().iter().any(|d| d.1 == key(GROUP)), "all true, and in force already");
}

/// A position beyond its line in a vault whose collateral was halted a minute ago, at a price that was fine then.
fn after_a_halt() -> Scene {
    let mut scene = Scene::new(&[(key(50), World::new().position(1_000_000, 780_000))]);
    let mut asset = *scene.store.asset(&scene.world.asset_keys[0]).unwrap();
    asset.breaker.halts = rampart::state::Halts { started_at_ts: NOW - 60, ends_at_ts: NOW - 10, count: 1 };
    scene.world.put(&mut scene.store, scene.world.asset_keys[0], bytes_of(&asset));
    scene.price(950, NOW - 1);
    scene
}

#[test]
fn halt_is_marked_and_the_grace_time_after_it_is_respected() {
    let mut scene = after_a_halt();
    let decided = scene.decide();
    assert_eq!(decided, [(ActionClass::MarkHalt, scene.world.vault_key, NOW as u64 - 60)]);
    let mut vault = *scene.store.vault(&scene.world.vault_key).unwrap();
    let assets = scene.world.asset_keys.map(|key| *scene.store.asset(&key).unwrap());
    vault.mark_halt(&assets[0].breaker.halts, &assets[0], &assets[1]);
    scene.world.put(&mut scene.store, scene.world.vault_key, bytes_of(&vault));
    assert!(scene.decide().is_empty(), "marked, and healthy at the mark");
    let over_ts = NOW + rampart::constants::LIQUIDATION_GRACE_SECS;
    scene.price(950, over_ts - 1);
    scene.world.price(&mut scene.store, 1, 1_000, over_ts - 1);
    let later = scene.decide_at(SLOT + 9, over_ts);
    assert!(later.iter().any(|d| d.0 == ActionClass::Liquidate), "{later:?}");
}

#[test]
fn silence_of_keepers_is_no_proof_while_a_gap_is_open() {
    let mut scene = Scene::with_rule(|rule| {
        (rule.params.metric, rule.subject) = (Metric::KeeperSilence as u8, World::new().vault_key);
        (rule.params.threshold, rule.params.level) = (300, 1);
    });
    assert!(scene.decide().is_empty(), "no keeper set is known");
    let mut set: rampart::state::KeeperSet = bytemuck::Zeroable::zeroed();
    (set.guard, set.version, set.epoch) = (scene.world.guard_key, rampart::constants::LAYOUT_VERSION, 1);
    set.changed_at_ts = NOW - 600;
    scene.world.put(&mut scene.store, key(70), bytes_of(&set));
    assert_eq!(scene.decide(), [(ActionClass::Trip, key(RULE), 0)]);
    scene.means.is_gapless = false;
    assert!(scene.decide().is_empty());
}

/// The price that one source of the collateral says, in thousandths of a dollar.
fn print_of_one_source(scene: &mut Scene, milli_dollars: i128, publish_ts: i64) {
    let oracle = key(10);
    let slot = scene.store.slot_of(&oracle).unwrap() + 1;
    let data = crate::watch::testing::feed(milli_dollars, publish_ts);
    let (owner, origin) = (rampart::oracle::SWITCHBOARD_ON_DEMAND, crate::watch::Origin::Push);
    let update =
        crate::watch::Update { owner, lamports: 1, data, ..crate::watch::Update::absent(oracle, slot, origin) };
    scene.store.apply(update, std::time::Instant::now());
}

#[test]
fn fault_18_stale_oracle_liquidates_nobody() {
    let world = World::new();
    let mut scene = Scene::new(&[(key(50), world.position(1_000_000, 900_000))]);
    assert_eq!(scene.decide(), [(ActionClass::Liquidate, key(50), 0)]);
    let mut scene = Scene::new(&[(key(50), world.position(1_000_000, 900_000))]);
    assert!(scene.decide_at(SLOT, NOW + 90).is_empty(), "91 s old where 90 may be");
}

#[test]
fn fault_20_print_of_a_tenth_by_one_source_liquidates_nobody() {
    let world = World::new();
    let mut scene = Scene::new(&[(key(50), world.position(1_000_000, 500_000))]);
    print_of_one_source(&mut scene, 100, NOW - 1);
    assert!(scene.decide().is_empty(), "the sources disagree");
    scene.price(100, NOW - 1);
    assert_eq!(scene.decide(), [(ActionClass::Liquidate, key(50), 0)], "both say so");
}

#[test]
fn fault_19_one_stale_oracle_leaves_the_other_vaults_served() {
    let world = World::new();
    let mut scene = Scene::new(&[(key(50), world.position(1_000_000, 900_000))]);
    // a second vault, whose collateral has sources of its own
    let raw: std::collections::HashSet<Pubkey> = world.oracle_keys().into_iter().chain([key(14), key(15)]).collect();
    scene.store.watch_raw(raw);
    scene.world.price(&mut scene.store, 0, 1_000, NOW - 1);
    scene.world.price(&mut scene.store, 1, 1_000, NOW - 1);
    scene.world.price(&mut scene.store, 2, 1_000, NOW - 1);
    let mut vault = world.vault();
    (vault.collateral_asset, vault.collateral_mint) = (key(5), key(22));
    (vault.debt_scaled, vault.collateral_amount) = (900_000.into(), 1_000_000);
    scene.world.put(&mut scene.store, key(5), bytes_of(&world.asset(2)));
    scene.world.put(&mut scene.store, key(6), bytes_of(&vault));
    let mut position = world.position(1_000_000, 900_000);
    position.vault = key(6);
    scene.world.put(&mut scene.store, key(51), bytes_of(&position));
    scene.index.put(key(51), Some(&position));
    let both = scene.decide();
    assert_eq!(both.len(), 2, "{both:?}");
    scene.world.price(&mut scene.store, 0, 1_000, NOW - 120);
    assert_eq!(scene.decide(), [(ActionClass::Liquidate, key(51), 0)]);
}

#[test]
fn fault_23_gap_makes_every_crossing_position_a_candidate_in_the_same_tick() {
    let world = World::new();
    // 20 to 69 % at one dollar, 29 to 99 % at 70 cents
    let positions: Vec<_> =
        (0..50).map(|n| (key(100 + n), world.position(1_000_000, 200_000 + u64::from(n) * 10_000))).collect();
    let mut scene = Scene::new(&positions);
    let assess_now = |scene: &Scene| {
        assess(&scene.store, &scene.index, &scene.world.found(), ChainTime { slot: SLOT, unix_ts: NOW })
            .candidates
            .len()
    };
    assert_eq!(assess_now(&scene), 0);
    scene.price(700, NOW - 1);
    // the soft line of 75 % at the owner's end of 70 cents lies at 52.6 to 53 cents of debt
    let crossing = positions.iter().filter(|(_, p)| p.debt_scaled.get() >= 530_000).count();
    assert_eq!(assess_now(&scene), crossing);
    let decided = scene.decide();
    let acted = decided.iter().filter(|d| matches!(d.0, ActionClass::Liquidate | ActionClass::Deleverage)).count();
    assert_eq!(acted, crossing, "and each is acted on at once");
}

#[test]
fn fault_39_position_that_always_fails_starves_nobody() {
    use solana_sdk::instruction::InstructionError;
    use solana_sdk::transaction::TransactionError;
    let world = World::new();
    let mut scene =
        Scene::new(&[(key(50), world.position(1_000_000, 940_000)), (key(51), world.position(1_000_000, 900_000))]);
    scene.policy.max_in_flight = 1;
    scene.means.tokens.insert(key(21), 1_000_000);
    let intent =
        |target: u8| Intent { class: ActionClass::Liquidate, target: key(target), fence: 0, reason: String::new() };
    let error = TransactionError::InstructionError(2, InstructionError::Custom(1));
    let failed = Outcome::Failed { slot: SLOT, error, code: Some(1), lost_race: false };
    let (mut poisoned, mut served) = (0, 0);
    for slot in SLOT..SLOT + 1_000 {
        for (class, target, _) in scene.decide_at(slot, NOW) {
            assert_eq!(class, ActionClass::Liquidate);
            if target == key(50) {
                scene.history.started(&intent(50), None, slot);
                scene.history.ended(&intent(50), &failed, slot);
                poisoned += 1;
            } else {
                served += 1;
            }
        }
    }
    // the pause doubles: 16, 32, 64 and so on
    assert!((5..10).contains(&poisoned), "{poisoned}");
    assert_eq!(poisoned + served, 1_000, "whenever the one doesn't try, the other has its turn");
}

#[test]
fn fault_39_crowd_that_is_not_worth_it_starves_nobody() {
    let world = World::new();
    // deeper than the one that pays, and more of them than are weighed at a time
    let mut positions: Vec<(Pubkey, Position)> = (0..2_000u16)
        .map(|n| {
            let mut bytes = [9; 32];
            bytes[..2].copy_from_slice(&n.to_le_bytes());
            (Pubkey::new_from_array(bytes), world.position(10_000, 9_300))
        })
        .collect();
    positions.push((key(50), world.position(1_000_000_000, 850_000_000)));
    let mut scene = Scene::new(&positions);
    scene.means.tokens.insert(key(21), 1_000_000_000);
    scene.policy.economics.settings.min_profit_micro_usd = Some(1_000_000);
    let mut turns = 0;
    while !scene.decide_at(SLOT + turns, NOW).iter().any(|d| d.1 == key(50)) {
        turns += 1;
        assert!(turns < 8, "it waits behind what is not worth it");
    }
    assert!(turns > 0, "one turn alone weighs fewer");
}

#[test]
fn fault_40_guard_that_somebody_else_tripped_is_not_tripped_again() {
    let mut scene = Scene::with_rule(|rule| rule.trip_epoch = 1);
    scene.price(850, NOW - 1);
    assert_eq!(scene.decide(), [(ActionClass::Trip, key(RULE), 1)]);
    // another keeper's trip: the fence has moved, and the cause is in force
    let mut rule = *scene.store.rule(&key(RULE)).unwrap();
    rule.trip_epoch = 2;
    scene.world.put(&mut scene.store, key(RULE), bytes_of(&rule));
    in_force(&mut scene, 3);
    assert!(scene.decide().is_empty());
}
