use super::*;
use crate::watch::testing::{NOW, SLOT, World, bytes_of, key};
use rampart::risk::verdict::{Unknown, Verdict};
use rampart::state::{Metric, Position, Rule};

fn at(now_ts: i64) -> ChainTime {
    ChainTime { slot: SLOT, unix_ts: now_ts }
}

fn indexed(positions: &[(Pubkey, Position)]) -> PriceIndex {
    let mut index = PriceIndex::default();
    positions.iter().for_each(|(at, position)| index.put(*at, Some(position)));
    index
}

fn with_rule(world: &World, rule: &Rule) -> Store {
    let mut store = world.store(&[]);
    world.put(&mut store, key(60), bytes_of(rule));
    store
}

fn verdict(world: &World, store: &Store, now_ts: i64) -> Option<Verdict> {
    assess(store, &PriceIndex::default(), &world.found(), at(now_ts)).rules[&key(60)].verdict()
}

#[test]
fn positions_at_the_lines_are_found_and_planned_as_the_program_would() {
    let world = World::new();
    // the owner's end of the price is a little above one: 0.05 % of confidence on both sides
    let positions = [
        (key(50), world.position(1_000_000, 700_000)),
        (key(51), world.position(1_000_000, 780_000)),
        (key(52), world.position(1_000_000, 900_000)),
    ];
    let store = world.store(&positions);
    let assessment = assess(&store, &indexed(&positions), &world.found(), at(NOW));
    let found: Vec<_> = assessment.candidates.iter().map(|c| (c.position, c.is_liquidatable())).collect();
    assert_eq!(found, [(key(52), true), (key(51), false)]);
    let deep = assessment.candidates[0].plan(u64::MAX).unwrap();
    assert!(deep.repay_amount > 0 && deep.seize_amount > deep.repay_amount && !deep.is_insolvent);
    // a tenth of the debt is the hour's quota of soft deleveraging
    assert_eq!(assessment.candidates[1].plan(u64::MAX).unwrap().repay_amount, 78_000);
}

#[test]
fn interest_until_now_moves_a_position_over_the_line() {
    let world = World::new();
    let positions = [(key(50), world.position(1_000_000, 745_000))];
    let mut store = world.store(&positions);
    let mut vault = *store.vault(&world.vault_key).unwrap();
    (vault.cash_amount, vault.curve.base_rate_bps) = (0, 10_000);
    (vault.curve.kink_rate_bps, vault.curve.max_rate_bps) = (10_000, 10_000);
    let in_five_days = NOW + 5 * 86_400;
    for (collateral, past) in [(NOW, 0), (in_five_days, 1)] {
        world.put(&mut store, world.vault_key, bytes_of(&vault));
        world.price(&mut store, 0, 1_000, collateral - 1);
        world.price(&mut store, 1, 1_000, collateral - 1);
        let assessment = assess(&store, &indexed(&positions), &world.found(), at(collateral));
        assert_eq!(assessment.candidates.len(), past);
    }
}

#[test]
fn fault_19_stale_oracle_of_one_asset_leaves_the_rules_of_another_alone() {
    let world = World::new();
    let mut store = with_rule(&world, &world.rule());
    let other = Rule { subject: world.asset_keys[1], ..world.rule() };
    world.put(&mut store, key(61), bytes_of(&other));
    world.price(&mut store, 0, 850, NOW - 100);
    world.price(&mut store, 1, 850, NOW - 1);
    let assessment = assess(&store, &PriceIndex::default(), &world.found(), at(NOW));
    assert_eq!(assessment.rules[&key(60)].verdict(), Some(Verdict::Indeterminate(Unknown::Price)));
    assert!(assessment.rules[&key(61)].is_true());
}

#[test]
fn fault_18_20_stale_or_disputed_price_leaves_no_candidates_and_an_indeterminate_rule() {
    let world = World::new();
    let positions = [(key(50), world.position(1_000_000, 990_000))];
    let mut store = world.store(&positions);
    world.put(&mut store, key(60), bytes_of(&world.rule()));
    let stale = assess(&store, &indexed(&positions), &world.found(), at(NOW + 600));
    assert!(stale.candidates.is_empty());
    assert_eq!(stale.assets[&world.asset_keys[0]].band, Err(RampartError::PriceIndeterminate));
    assert_eq!(stale.rules[&key(60)].verdict(), Some(Verdict::Indeterminate(Unknown::Price)));
    let one = crate::watch::Update {
        key: key(10),
        owner: rampart::oracle::SWITCHBOARD_ON_DEMAND,
        lamports: 1,
        data: crate::watch::testing::feed(2_000, NOW - 1),
        slot: SLOT,
        origin: crate::watch::Origin::Push,
        write_version: 0,
        told_by: 0,
    };
    store.apply(one, std::time::Instant::now());
    let disputed = assess(&store, &indexed(&positions), &world.found(), at(NOW));
    assert_eq!(disputed.assets[&world.asset_keys[0]].band, Err(RampartError::PriceDisagreement));
    assert_eq!(disputed.rules[&key(60)].verdict(), Some(Verdict::Indeterminate(Unknown::Disagreement)));
}

#[test]
fn missing_scope_counts_as_a_halt() {
    let world = World::new();
    let mut store = world.store(&[]);
    let level = |store: &Store| {
        assess(store, &PriceIndex::default(), &world.found(), at(NOW)).vaults[&world.vault_key].levels.risk
    };
    assert_eq!(level(&store), Level::Normal);
    world.put(&mut store, world.guard_key, vec![0; 9]);
    assert_eq!(level(&store), Level::Halt);
}

#[test]
fn resolution_stops_liquidations_until_its_date_and_lets_them_collect_from_then_on() {
    let world = World::new();
    let mut store = world.store(&[]);
    let mut vault = *store.vault(&world.vault_key).unwrap();
    (vault.resolution.state, vault.resolution.ends_at_ts) = (1, NOW + 10);
    world.put(&mut store, world.vault_key, bytes_of(&vault));
    let pass = |now_ts| {
        let report = &assess(&store, &PriceIndex::default(), &world.found(), at(now_ts)).vaults[&world.vault_key];
        report.pass
    };
    assert_eq!(pass(NOW + 9), Err(RampartError::LevelForbids));
    assert_eq!(pass(NOW + 10), gate(Class::Liquidation, Levels::all(Level::Halt)));
}

#[test]
fn drawdown_is_measured_at_the_end_that_favours_the_owner() {
    let world = World::new();
    let mut store = with_rule(&world, &world.rule());
    assert!(matches!(verdict(&world, &store, NOW), Some(Verdict::Clear { value: 0 })));
    world.price(&mut store, 0, 899, NOW - 1);
    assert!(matches!(verdict(&world, &store, NOW), Some(Verdict::True { value: 1_000..=1_010 })));
    world.price(&mut store, 0, 930, NOW - 1);
    assert!(matches!(verdict(&world, &store, NOW), Some(Verdict::Between { .. })));
}

#[test]
fn vault_rules_measure_the_pair_and_the_flow() {
    let world = World::new();
    let mut rule = world.rule();
    rule.subject = world.vault_key;
    (rule.params.metric, rule.params.comparator) = (Metric::CollateralRatio as u8, 2);
    (rule.params.threshold, rule.params.clear_threshold) = (12_000, 13_000);
    let positions = [(key(50), world.position(1_100_000, 1_000_000))];
    let mut store = world.store(&positions);
    world.put(&mut store, key(60), bytes_of(&rule));
    assert!(matches!(verdict(&world, &store, NOW), Some(Verdict::True { value: 11_000..=11_020 })));
    (rule.params.metric, rule.params.comparator) = (Metric::OutflowRate as u8, 1);
    (rule.params.threshold, rule.params.clear_threshold) = (1_000, 500);
    world.put(&mut store, key(60), bytes_of(&rule));
    assert!(verdict(&world, &store, NOW).is_some());
}

#[test]
fn breaker_in_force_has_no_room_for_the_same_rule() {
    let world = World::new();
    let mut store = with_rule(&world, &world.rule());
    world.price(&mut store, 0, 800, NOW - 1);
    let report =
        |store: &Store, now_ts| assess(store, &PriceIndex::default(), &world.found(), at(now_ts)).rules[&key(60)];
    assert!(report(&store, NOW).has_room && report(&store, NOW).is_persistent);
    let mut asset = *store.asset(&world.asset_keys[0]).unwrap();
    let cause = rampart::state::Cause {
        source: key(60),
        tripped_at_ts: NOW,
        expires_at_ts: NOW + 60,
        dwell_until_ts: NOW + 10,
        level: 3,
        ..Default::default()
    };
    asset.breaker.trip(cause, NOW).unwrap();
    world.put(&mut store, world.asset_keys[0], bytes_of(&asset));
    assert!(!report(&store, NOW + 1).has_room && report(&store, NOW + 1).cause.is_some());
    let in_its_tail = report(&store, NOW + 61);
    assert!(in_its_tail.has_room && in_its_tail.cause.is_some(), "the own level is over, its tail is not");
}

#[test]
fn oracle_account_that_nothing_told_of_yet_is_no_missing_one() {
    let world = World::new();
    let mut rule = world.rule();
    (rule.params.metric, rule.params.level) = (Metric::OracleAge as u8, 1);
    let mut store = with_rule(&world, &rule);
    store.watch_raw(std::collections::HashSet::new());
    let report = |store: &Store| assess(store, &PriceIndex::default(), &world.found(), at(NOW)).rules[&key(60)];
    assert_eq!(report(&store).measured.err(), Some(RampartError::OracleAccountsMissing));
    store.watch_raw(world.oracle_keys().into_iter().collect());
    for oracle in world.oracle_keys() {
        store.apply(crate::watch::Update::absent(oracle, SLOT, crate::watch::Origin::Poll), std::time::Instant::now());
    }
    assert!(report(&store).is_true(), "now it is known that there is none");
}

fn raw(store: &mut Store, at: Pubkey, owner: Pubkey, data: Vec<u8>) {
    let keys = world_keys().chain([at]).collect();
    store.watch_raw(keys);
    let slot = store.slot_of(&at).unwrap_or(SLOT) + 1;
    let update = crate::watch::Update {
        key: at,
        owner,
        lamports: 1,
        data,
        slot,
        origin: crate::watch::Origin::Push,
        write_version: 0,
        told_by: 0,
    };
    store.apply(update, std::time::Instant::now());
}

fn world_keys() -> impl Iterator<Item = Pubkey> {
    World::new().oracle_keys().into_iter().chain([key(20), key(30), key(31)])
}

#[test]
fn supply_is_measured_on_the_mint_and_unknown_before_it_was_told_of() {
    let world = World::new();
    let mut rule = world.rule();
    rule.params.metric = Metric::SupplyGrowth as u8;
    let mut store = with_rule(&world, &rule);
    let mut asset = *store.asset(&world.asset_keys[0]).unwrap();
    (asset.supply_reference_amount, asset.token_program) = (1_000, key(80));
    world.put(&mut store, world.asset_keys[0], bytes_of(&asset));
    assert_eq!(verdict(&world, &store, NOW), None);
    let mut mint = vec![0; 82];
    mint[36..44].copy_from_slice(&1_250u64.to_le_bytes());
    raw(&mut store, key(20), key(81), mint.clone());
    assert_eq!(verdict(&world, &store, NOW), None, "another program's account says nothing");
    raw(&mut store, key(20), key(80), mint);
    assert_eq!(verdict(&world, &store, NOW), Some(Verdict::True { value: 2_500 }));
}

#[test]
fn shortfall_is_measured_on_the_vaults_token_accounts() {
    let world = World::new();
    let mut rule = world.rule();
    (rule.params.metric, rule.subject) = (Metric::VaultShortfall as u8, world.vault_key);
    let mut store = with_rule(&world, &rule);
    let account = |amount| crate::watch::testing::token_account(&key(21), &world.vault_key, amount);
    raw(&mut store, key(31), key(80), account(800_000_000));
    assert_eq!(verdict(&world, &store, NOW), None, "the other account is not known");
    raw(&mut store, key(30), key(80), account(0));
    assert_eq!(verdict(&world, &store, NOW), Some(Verdict::True { value: 2_000 }));
    raw(&mut store, key(31), key(80), account(1_000_000_000));
    assert_eq!(verdict(&world, &store, NOW), Some(Verdict::Clear { value: 0 }));
}

#[test]
fn median_counts_the_reports_about_its_subject_alone() {
    use rampart::state::{KeeperRole, KeeperSet, Report};
    let world = World::new();
    let mut rule = world.rule();
    (rule.params.metric, rule.params.threshold, rule.params.clear_threshold) =
        (Metric::KeeperMedian as u8, 7_000, 5_000);
    let mut store = with_rule(&world, &rule);
    let mut set: KeeperSet = bytemuck::Zeroable::zeroed();
    (set.guard, set.version, set.epoch, set.count) = (world.guard_key, rampart::constants::LAYOUT_VERSION, 1, 3);
    (set.max_age_secs, set.max_spread_bps, set.changed_at_ts) = (60, 3_000, NOW - 600);
    for (at, member) in set.members.iter_mut().take(3).enumerate() {
        (member.key, member.source_tag, member.role) = (key(71 + at as u8), at as u16, KeeperRole::Reporter as u8);
    }
    world.put(&mut store, key(70), bytes_of(&set));
    let mut report = |at: u8, keeper: u8, subject: Pubkey, score_bps: u16| {
        let mut report: Report = bytemuck::Zeroable::zeroed();
        (report.guard, report.version) = (world.guard_key, rampart::constants::LAYOUT_VERSION);
        (report.subject, report.keeper, report.set_epoch) = (subject, key(keeper), 1);
        (report.observed_at_ts, report.parts.score_bps) = (NOW - 5, score_bps);
        world.put(&mut store, key(at), bytes_of(&report));
    };
    report(90, 71, world.asset_keys[0], 8_000);
    report(91, 72, world.asset_keys[0], 7_500);
    report(92, 73, world.asset_keys[1], 9_900);
    assert_eq!(verdict(&world, &store, NOW), Some(Verdict::Indeterminate(Unknown::Quorum)));
    let mut third: Report = bytemuck::Zeroable::zeroed();
    (third.guard, third.version) = (world.guard_key, rampart::constants::LAYOUT_VERSION);
    (third.subject, third.keeper, third.set_epoch) = (world.asset_keys[0], key(73), 1);
    (third.observed_at_ts, third.parts.score_bps) = (NOW - 5, 7_200);
    world.put(&mut store, key(93), bytes_of(&third));
    assert_eq!(verdict(&world, &store, NOW), Some(Verdict::True { value: 7_500 }));
}
