//! Compute units of every instruction, against `snapshots/cu.md`: a change beyond 1 % fails and has to be explained.
//!
//! Every key and the clock are fixed, so that the numbers repeat exactly for the same program.

use rampart::state::asset::ReferenceSpan;
use rampart::state::bounty::BountyParams;
use rampart::state::flow::FlowLimits;
use rampart::state::group::GroupParams;
use rampart::state::rule::{RuleParams, Scope};
use rampart::state::{AggregateParams, Asset, Change, FlowCap, Level, RuleGroup, SwapParams, SwapPolicy, Switch};
use rampart::state::{ReportPart, ScaleTarget};
use rampart::{ClaimWithdrawalArgs, SupplyArgs, TightenIntegrationArgs, TightenVaultArgs, Validity};
use rampart_client::exit::{self, Claimed};
use rampart_client::{Instruction, Pubkey, address, admin, bounty, evidence, groups, keepers as client, lending};
use rampart_client::{aggregate, control, guardian, integration, liquidation, swap};
use rampart_tests::defaults::{self, SOL, USDC};
use rampart_tests::integrations::{EXIT, Setup};
use rampart_tests::integrator::Act;
use rampart_tests::keepers::{self, Keepers};
use rampart_tests::layouts::age;
use rampart_tests::leases::USD;
use rampart_tests::officers::{Officer, quorum};
use rampart_tests::scale::switch_on;
use rampart_tests::swaps::{self, units_beyond};
use rampart_tests::world::defaults_args;
use rampart_tests::{Outcome, User, World, compute_units, rules};
use solana_sdk::signature::Keypair;
use solana_sdk::signer::Signer;
use std::fmt::Write as _;
use std::path::PathBuf;

/// What was measured: the instruction with its circumstances, its units, and the design's budget.
struct Row {
    name: &'static str,
    units: u64,
    budget: Option<u64>,
}

/// Measurements so far.
#[derive(Default)]
pub(super) struct Table(Vec<Row>);

impl Table {
    #[track_caller]
    fn add(&mut self, name: &'static str, budget: Option<u64>, outcome: Outcome) {
        let units = compute_units(outcome);
        self.0.push(Row { name, units, budget });
    }
}

const OBSERVE: Option<u64> = Some(15_000);
const TRIP: Option<u64> = Some(15_000);
const WITHDRAW: Option<u64> = Some(20_000);
const BORROW: Option<u64> = Some(30_000);
const LIQUIDATE: Option<u64> = Some(35_000);
const CUSTODY: Option<u64> = Some(7_000);
const RECORD: Option<u64> = Some(5_000);

/// Runs every instruction there is, as people would.
pub(super) fn measure_all() -> Table {
    let mut table = Table::default();
    measure_admin(&mut table);
    measure_lending(&mut table);
    measure_evidence(&mut table);
    measure_trips(&mut table);
    measure_forced(&mut table);
    measure_exits(&mut table);
    measure_resolution(&mut table);
    measure_control(&mut table);
    measure_integrations(&mut table);
    measure_calls(&mut table);
    measure_keepers(&mut table);
    measure_metrics(&mut table);
    measure_groups(&mut table);
    measure_aggregate(&mut table);
    measure_rates(&mut table);
    measure_standby(&mut table);
    measure_swaps(&mut table);
    measure_edges(&mut table);
    measure_scale(&mut table);
    measure_migration(&mut table);
    table
}

#[test]
fn cu_snapshot() {
    let table = measure_all();
    let (path, now) = (snapshot_path(), render(&table));
    if std::env::var_os("RAMPART_WRITE_CU").is_some() {
        std::fs::write(&path, &now).expect("the snapshot is written");
    }
    let recorded = std::fs::read_to_string(&path).expect("the snapshot exists: RAMPART_WRITE_CU=1 writes it");
    let changes = changes(&table, &recorded);
    assert!(changes.is_empty(), "compute units changed by more than 1 %; RAMPART_WRITE_CU=1 records:\n{changes}");
}

/// What an earlier program left.
fn measure_migration(table: &mut Table) {
    let mut world = World::with_vault();
    let (guard, vault) = (world.guard, world.keys.vault);
    age(&mut world, &vault);
    table.add("migrate_vault", None, world.send(&[admin::migrate_vault(guard, vault)], &[]));
}

/// New risk whose limit follows the whole window.
fn measure_scale(table: &mut Table) {
    let mut world = full_window();
    world.lender(1_000_000 * USDC);
    let user = world.borrower(200 * SOL, 5_000 * USDC);
    world.scale(|scale| {
        switch_on(scale);
        scale.volatility.span_secs = 64 * 60;
    });
    world.warm_up(1, 60);
    table.add("borrow, by volatility of 64 cells, four oracles", BORROW, world.borrow(&user, 1_000 * USDC));
    world.warm_up(1, 60);
    let taken = world.withdraw_collateral(&user, SOL);
    table.add("withdraw_collateral, by volatility of 64 cells, four oracles", BORROW, taken);
}

/// A collateral that is a stake pool's token: the rate is read and applied.
fn measure_rates(table: &mut Table) {
    let mut world = World::with_staked_vault();
    let rule = world.create_rule(1, world.keys.collateral_asset, defaults::drawdown_rule());
    world.lender(1_000_000 * USDC);
    let borrower = world.user(200 * SOL, 0);
    world.deposit_collateral(&borrower, 100 * SOL).expect("collateral is posted");
    world.advance(37);
    world.set_prices(151.3, 1.0);
    let observe = |w: &World| evidence::observe(w.keys.collateral_asset, w.sol.mint, &w.sol_feeds.metas());
    let ix = observe(&world);
    table.add("observe, exchange rate, two sources", OBSERVE, world.send(&[ix], &[]));
    table.add("borrow, first, exchange rate, four oracles", BORROW, world.borrow(&borrower, 5_000 * USDC));
    world.advance(30);
    world.set_prices(150.0, 1.0);
    world.set_rate(1.9);
    let ix = observe(&world);
    table.add("observe, exchange rate beyond its cap, two sources", OBSERVE, world.send(&[ix], &[]));
    world.set_rate(0.9);
    table.add("trip, drawdown, exchange rate", TRIP, world.trip(rule));
}

fn measure_standby(table: &mut Table) {
    let mut world = World::with_vault();
    let key = world.keys.collateral_asset;
    let spare = Pubkey::new_from_array([0x71; 32]);
    let mut set = rampart::state::StandbySet { count: 1, ..Default::default() };
    set.sources[0] =
        rampart::state::OracleSource { account: spare, publisher: 3, ..world.sol_asset().oracle.sources[1] };
    let change = world.propose(key, Change::AssetStandby(set));
    world.ripen();
    let account = world.svm.get_account(&world.sol_feeds.switchboard).expect("the feed exists");
    world.svm.set_account(spare, account).expect("its twin is written");
    let evidence = [world.sol_feeds.metas(), vec![rampart_client::AccountMeta::new_readonly(spare, false)]].concat();
    table.add("execute_change, standby, two and one oracles", None, world.execute(change, &evidence));
    world.svm.set_account(world.sol_feeds.switchboard, Default::default()).expect("the feed is closed");
    let (admin, oracles) = (world.risk_admin.insecure_clone(), world.sol_feeds.metas());
    let asset = (key, &world.sol_asset());
    let ix = control::activate_standby(admin.pubkey(), asset, (1, 0), world.validity(), &oracles);
    table.add("activate_standby, two and one oracles", None, world.send(&[ix], &[&admin]));
}

fn measure_admin(table: &mut Table) {
    let mut world = World::empty();
    world.sol = world.create_mint(anchor_spl::token::ID, 9);
    world.usdc = world.create_mint(anchor_spl::token::ID, 6);
    world.keys = rampart_client::VaultKeys::derive(world.guard, world.sol, world.usdc);
    let root = world.root.insecure_clone();
    let mut act = |world: &mut World, name, ix: Instruction| table.add(name, None, world.send(&[ix], &[&root]));
    let ix = world.initialize_guard_ix();
    act(&mut world, "initialize_guard", ix);
    for (name, mint, feeds) in
        [("register_asset", world.sol, world.sol_feeds), ("register_asset, of the loan", world.usdc, world.usdc_feeds)]
    {
        let ix = world.register_asset_ix(mint, feeds);
        act(&mut world, name, ix);
    }
    let ix = world.initialize_vault_ix(defaults_args());
    act(&mut world, "initialize_vault", ix);
    let params = defaults::drawdown_rule();
    let ix = admin::create_rule(root.pubkey(), world.guard, world.keys.collateral_asset, 1, params);
    act(&mut world, "create_rule", ix);
    let validity = Validity { authority_epoch: 0, expires_at_ts: world.now_ts() };
    let rule = rampart_client::address::rule(&world.guard, 1);
    let params = RuleParams { threshold: 900, ..params };
    let ix = admin::tighten_rule(root.pubkey(), world.guard, rule, params, validity);
    act(&mut world, "tighten_rule", ix);
    let limits = world.vault().limits;
    let args = TightenVaultArgs {
        ltv_bps: 6_000,
        supply_cap_amount: 1,
        borrow_cap_amount: 1,
        collateral_cap_amount: 1,
        loan_flow: FlowLimits { hourly_bps: 1_900, ..limits.loan_flow },
        collateral_flow: limits.collateral_flow,
        inflow: limits.inflow,
        scale: world.vault().scale,
    };
    let ix = admin::tighten_vault(root.pubkey(), world.guard, world.keys.vault, args, validity);
    act(&mut world, "tighten_vault", ix);
}

fn measure_control(table: &mut Table) {
    let mut world = World::with_vault();
    let (vault, guard, root) = (world.keys.vault, world.guard, world.root.insecure_clone());
    let limits = world.vault().limits;
    let flow = FlowLimits { daily_bps: 4_400, ..limits.loan_flow };
    let change = Change::VaultLimits(rampart::state::VaultLimits { loan_flow: flow, ..limits });
    let first = rampart_client::address::change(&guard, 0);
    let propose = world.propose_ix(vault, change);
    table.add("propose_change, limits", None, world.send(&[propose], &[&root]));
    let second = world.propose(vault, change);
    let veto = control::veto_change(Officer::Vetoer.address(), second, &world.change(&second));
    table.add("veto_change", None, world.send(&[veto], &[&Officer::Vetoer.key()]));
    let third = world.propose(vault, change);
    let cancel = control::cancel_change(root.pubkey(), third, &world.change(&third));
    table.add("cancel_change", None, world.send(&[cancel], &[&root]));
    let set = world.sol_asset().oracle;
    let mut next = set;
    next.sources[0].max_age_secs = 100;
    let oracle = world.propose(world.keys.collateral_asset, Change::AssetOracle(next));
    let heir = world.new_key();
    let successor = world.propose(guard, Change::Root(heir.pubkey()));
    world.ripen();
    table.add("execute_change, limits", None, world.execute(first, &[]));
    let evidence = [world.sol_feeds.metas(), world.sol_feeds.metas()].concat();
    table.add("execute_change, sources, two and two oracles", None, world.execute(oracle, &evidence));
    let validity = world.validity();
    let args = rampart::GuardianPauseArgs { level: Level::ReduceOnly as u8, duration_secs: 3_600, validity };
    let pause = guardian::guardian_pause(Officer::FirstGuardian.address(), guard, vault, args);
    table.add("guardian_pause", None, world.send(&[pause], &[&Officer::FirstGuardian.key()]));
    let [one, two] = quorum();
    let halt = guardian::guardian_halt(guard, vault, 3_600, validity, &[one.pubkey(), two.pubkey()]);
    table.add("guardian_halt", None, world.send(&[halt], &[&one, &two]));
    world.advance(900);
    let (resetter, source) = (Officer::Resetter.key(), Officer::FirstGuardian.address());
    let lift = guardian::lift_pause(resetter.pubkey(), guard, vault, source, world.validity());
    table.add("lift_pause", None, world.send(&[lift], &[&resetter]));
    let accept = control::accept_root(heir.pubkey(), successor, &world.change(&successor));
    table.add("accept_root", None, world.send(&[accept], &[&heir]));
    measure_bounds(table);
}

fn measure_bounds(table: &mut Table) {
    let mut world = World::with_vault();
    let (guard, root, keys) = (world.guard, world.root.insecure_clone(), world.keys);
    let rule = world.create_rule(1, keys.collateral_asset, defaults::drawdown_rule());
    world.tick(30, 130.0, 1.0);
    world.trip(rule).expect("rule trips");
    world.advance(300);
    world.set_prices(150.0, 1.0);
    let (resetter, oracles) = (Officer::Resetter.key(), world.sol_feeds.metas());
    let reset = (rule, &world.rule(&rule));
    let ix = guardian::reset_breaker(resetter.pubkey(), reset, None, &oracles, world.validity());
    table.add("reset_breaker, two oracles", None, world.send(&[ix], &[&resetter]));
    let all = [keys.vault, keys.collateral_asset, keys.loan_asset, rule];
    let bounds = rampart::state::HardBounds { max_effect_bps: 1_000, ..world.guard_state().bounds };
    let narrow = control::narrow_bounds(root.pubkey(), guard, bounds, world.validity(), &all);
    table.add("narrow_bounds, four accounts", None, world.send(&[narrow], &[&root]));
    let freeze = control::freeze_forever(root.pubkey(), guard, world.validity(), &all);
    table.add("freeze_forever, four accounts", None, world.send(&[freeze], &[&root]));
}

fn measure_lending(table: &mut Table) {
    let mut world = World::with_vault();
    let key = world.new_key();
    let open = lending::open_position(world.payer_address(), key.pubkey(), world.keys.vault);
    table.add("open_position", None, world.send(&[open], &[&key]));
    let close = lending::close_position(key.pubkey(), world.keys.vault);
    table.add("close_position", None, world.send(&[close], &[&key]));
    let (lender, borrower) = (world.user(0, 2_000_000 * USDC), world.user(200 * SOL, 1_000 * USDC));
    table.add("supply, first", None, world.supply(&lender, 1_000_000 * USDC));
    table.add("deposit_collateral", None, world.deposit_collateral(&borrower, 100 * SOL));
    table.add("withdraw_collateral, no debt", WITHDRAW, world.withdraw_collateral(&borrower, SOL));
    table.add("borrow, first, four oracles", BORROW, world.borrow(&borrower, 5_000 * USDC));
    world.warm_up(1, 60);
    table.add("accrue", None, send(&mut world, lending::accrue, &[]));
    world.warm_up(1, 60);
    table.add("borrow, with interest, four oracles", BORROW, world.borrow(&borrower, 1_000 * USDC));
    world.warm_up(1, 60);
    let taken = world.withdraw_collateral(&borrower, SOL);
    table.add("withdraw_collateral, behind a debt, four oracles", BORROW, taken);
    world.warm_up(1, 60);
    table.add("supply, with interest", None, world.supply(&lender, 1_000_000 * USDC));
    world.warm_up(1, 60);
    table.add("repay, with interest", None, world.repay(&borrower, 100 * USDC));
    world.warm_up(1, 3_600);
    let part = world.position(&lender.position).supply_shares.get() / 50;
    table.add("withdraw, with interest", WITHDRAW, world.withdraw(&lender, part));
    halt(&mut world);
    table.add("withdraw, through the floor of a halt", WITHDRAW, world.withdraw(&lender, part / 4));
    let saver_amount = SOL / 2;
    world.repay(&borrower, u64::MAX).expect("debt is repaid or the amount is too large");
    let taken = world.withdraw_collateral(&borrower, saver_amount);
    table.add("withdraw_collateral, through the floor of a halt", WITHDRAW, taken);
}

fn send(world: &mut World, ix: impl Fn(Pubkey) -> Instruction, signers: &[&Keypair]) -> Outcome {
    let ix = ix(world.keys.vault);
    world.send(&[ix], signers)
}

/// Halts the collateral by a rule that is true.
fn halt(world: &mut World) {
    let params = RuleParams { level: Level::Halt as u8, ..defaults::drawdown_rule() };
    let rule = world.create_rule(90, world.keys.collateral_asset, params);
    world.warm_up(10, 60);
    world.tick(10, 130.0, 1.0);
    world.trip(rule).expect("the rule is true");
}

fn measure_evidence(table: &mut Table) {
    let mut world = World::with_assets();
    let observe = |w: &World| evidence::observe(w.keys.collateral_asset, w.sol.mint, &w.sol_feeds.metas());
    let ix = observe(&world);
    table.add("observe, first, two sources", OBSERVE, world.send(&[ix], &[]));
    world.advance(37);
    world.set_prices(151.3, 1.0);
    let ix = observe(&world);
    table.add("observe, moving reference, two sources", OBSERVE, world.send(&[ix], &[]));
    let mut world = full_window();
    world.advance(59);
    world.set_prices(151.3, 1.0);
    let ix = observe(&world);
    table.add("observe, full window, two sources", OBSERVE, world.send(&[ix], &[]));
}

/// A world whose collateral has 64 observed cells, and a rule over all of them.
fn full_window() -> World {
    let mut world = World::with_vault();
    world.warm_up(64, 60);
    let asset: Asset = world.sol_asset();
    let view = asset.window.view(64 * 60, world.now_ts()).expect("the window is covered");
    assert_eq!((view.covered_cells, view.span_cells), (64, 64));
    world
}

fn measure_trips(table: &mut Table) {
    let mut world = full_window();
    let (asset, vault) = (world.keys.collateral_asset, world.keys.vault);
    world.lender(1_000_000 * USDC);
    world.borrower(100 * SOL, 10_000 * USDC);
    let mut outflow = rules::outflow_rate();
    (outflow.threshold, outflow.clear_threshold, outflow.window_secs) = (1, 0, 23 * 3_600);
    let whole = RuleParams { window_secs: 64 * 60, level: Level::Halt as u8, ..defaults::drawdown_rule() };
    let caution = |params| RuleParams { level: Level::Caution as u8, scope: Scope::Guard as u8, ..params };
    let all = [
        ("drawdown, 64 cells", asset, whole),
        ("deviation from the reference", asset, rules::deviation()),
        ("confidence ratio", asset, rules::confidence_ratio()),
        ("outflow rate, 23 hours", vault, outflow),
        ("collateral ratio, four oracles", vault, rules::collateral_ratio()),
        ("drawdown, scope of the guard", asset, caution(defaults::drawdown_rule())),
        ("oracle age", asset, rules::oracle_age()),
    ];
    let keys: Vec<_> =
        (1..).zip(all).map(|(id, (_, subject, params))| world.create_rule(id, subject, params)).collect();
    world.advance(30);
    world.set_prices(120.0, 1.0);
    let (feeds, now_ts) = (world.sol_feeds, world.now_ts());
    world.publish_pyth(&feeds, 120.0, 110, now_ts);
    world.publish_switchboard(&feeds, 120.0, 110, now_ts);
    table.add("observe_rule, drawdown, 64 cells", OBSERVE, world.observe_rule(keys[0]));
    let names = [
        "trip, drawdown, 64 cells",
        "trip, deviation from the reference",
        "trip, confidence ratio",
        "trip, outflow rate, 23 hours",
        "trip, collateral ratio, four oracles",
        "trip, drawdown, scope of the guard",
    ];
    for (name, key) in names.into_iter().zip(&keys) {
        table.add(name, TRIP, world.trip(*key));
    }
    world.advance(120);
    table.add("trip, oracle age", TRIP, world.trip(keys[6]));
    world.advance(300);
    world.set_prices(150.0, 1.0);
    table.add("step_down, drawdown, 64 cells", TRIP, world.step_down(keys[0]));
    table.add("step_down, collateral ratio, four oracles", TRIP, world.step_down(keys[4]));
}

/// A vault with a borrower of 10,000 against 100 SOL, and a liquidator.
fn at_risk() -> (World, User, User) {
    let mut world = World::with_vault();
    world.lender(1_000_000 * USDC);
    let borrower = world.borrower(100 * SOL, 10_000 * USDC);
    let by = world.user(0, 100_000 * USDC);
    world.advance(60);
    (world, borrower, by)
}

fn measure_forced(table: &mut Table) {
    let (mut world, borrower, by) = at_risk();
    world.set_prices(120.0, 1.0);
    table.add("liquidate, four oracles", LIQUIDATE, world.liquidate(&by, borrower.position, u64::MAX));
    let (mut world, borrower, by) = at_risk();
    world.set_prices(90.0, 1.0);
    table.add("liquidate, bad debt, four oracles", LIQUIDATE, world.liquidate(&by, borrower.position, u64::MAX));
    let (mut world, borrower, by) = at_risk();
    let params = RuleParams { level: Level::Halt as u8, ..defaults::drawdown_rule() };
    let rule = world.create_rule(1, world.keys.collateral_asset, params);
    world.set_prices(120.0, 1.0);
    world.trip(rule).expect("the rule is true");
    table.add("liquidate, in a halt, four oracles", LIQUIDATE, world.liquidate(&by, borrower.position, u64::MAX));
    let (mut world, borrower, by) = at_risk();
    world.set_prices(130.0, 1.0);
    table.add("deleverage, four oracles", LIQUIDATE, world.deleverage(&by, borrower.position, u64::MAX));
    let mut world = World::with_token_2022_vault();
    let lender = world.user(0, 1_000 * USDC);
    let args = SupplyArgs { amount: 1_000 * USDC, min_shares: 0 };
    let ix = lending::supply(&world.keys, lender.address(), lender.usdc, args);
    table.add("supply, first, Token-2022", None, world.send(&[ix], &[&lender.key]));
}

fn measure_exits(table: &mut Table) {
    let mut world = World::with_vault();
    let (lender, rival) = (world.lender(2_000_000 * USDC), world.lender(1_000_000 * USDC));
    world.warm_up(1, 3_600);
    let shares = |amount: u64| u128::from(amount) * rampart::constants::VIRTUAL_SHARES;
    let request = exit::request_withdrawal(&world.keys, lender.address(), shares(60_000 * USDC));
    table.add("request_withdrawal, first", None, world.send(std::slice::from_ref(&request), &[&lender.key]));
    for _ in 0..6 {
        world.send(std::slice::from_ref(&request), &[&lender.key]).expect("the queue has room");
    }
    table.add("request_withdrawal, eighth", None, world.send(&[request], &[&lender.key]));
    let cancel = exit::cancel_withdrawal(world.keys.vault, lender.address(), 7);
    table.add("cancel_withdrawal", None, world.send(&[cancel], &[&lender.key]));
    let eligible_at_ts = world.position(&lender.position).tickets.slots[0].eligible_at_ts;
    let wait = eligible_at_ts - world.now_ts();
    world.advance(wait);
    let beside = world.withdraw(&rival, shares(1_000 * USDC));
    table.add("withdraw, beside tickets", WITHDRAW, beside);
    let args = ClaimWithdrawalArgs { ticket: 0, min_amount: 0 };
    let claim = exit::claim_withdrawal(&world.keys, lender.address(), lender.usdc, args);
    table.add("claim_withdrawal, in its hour", WITHDRAW, world.send(&[claim], &[&lender.key]));
    let record = exit::record_shortfall(&world.keys);
    table.add("record_shortfall, none", None, world.send(&[record], &[]));
}

/// Tickets for collateral, a census in steps, and the release of what is held.
fn measure_edges(table: &mut Table) {
    let mut world = World::with_vault();
    let saver = world.user(20_000 * SOL, 0);
    world.deposit_collateral(&saver, 20_000 * SOL).expect("saver deposits");
    let request = exit::request_collateral(&world.keys, saver.address(), 5_000 * SOL);
    table.add("request_withdrawal, collateral", None, world.send(&[request], &[&saver.key]));
    let wait = world.position(&saver.position).tickets.slots[0].eligible_at_ts - world.now_ts();
    world.advance(wait);
    let args = ClaimWithdrawalArgs { ticket: 0, min_amount: 0 };
    let claim = exit::claim_collateral(&world.keys, saver.address(), saver.sol, args);
    table.add("claim_collateral, in its hour", WITHDRAW, world.send(&[claim], &[&saver.key]));
    let (root, k, bounds) = (world.root.insecure_clone(), world.keys, world.guard_state().bounds);
    let args = rampart::OpenCensusArgs { bounds, purpose: 1, counter: root.pubkey(), validity: world.validity() };
    let open = control::open_census(root.pubkey(), world.guard, args);
    table.add("open_census", None, world.send(&[open], &[&root]));
    let count = control::count_census(root.pubkey(), world.guard, &[k.vault, k.collateral_asset, k.loan_asset]);
    table.add("count_census, three accounts", None, world.send(&[count], &[&root]));
    let census = [address::census(&world.guard)];
    let narrow = control::narrow_bounds(root.pubkey(), world.guard, bounds, world.validity(), &census);
    table.add("narrow_bounds, by a census", None, world.send(&[narrow], &[&root]));
    let close = control::close_census(root.pubkey(), world.guard, root.pubkey());
    table.add("close_census", None, world.send(&[close], &[&root]));
    let mut world = World::with_supply(anchor_spl::token::ID);
    let place = world.register(Setup::custody());
    let change = world.propose(place.keys.integration, Change::Holder(root.pubkey()));
    let delay_secs = i64::from(world.guard_state().loosen_delay_secs);
    world.advance(delay_secs);
    let evidence = [
        rampart_client::AccountMeta::new(place.token, false),
        rampart_client::AccountMeta::new_readonly(place.mint.token_program, false),
    ];
    table.add("execute_change, release of a token account", None, world.execute(change, &evidence));
}

fn measure_resolution(table: &mut Table) {
    let (mut world, borrower, by) = at_risk();
    let params = RuleParams { level: Level::Halt as u8, duration_secs: 600, ..defaults::drawdown_rule() };
    let rule = world.create_rule(1, world.keys.collateral_asset, params);
    world.warm_up(2, 30);
    for _ in 0..4 {
        world.tick(30, 120.0, 1.0);
    }
    world.trip(rule).expect("the rule is true");
    let mark = liquidation::mark_halt(&world.keys);
    world.advance(600);
    world.set_prices(120.0, 1.0);
    let unmarked = world.vault();
    table.add("mark_halt", None, world.send(&[mark], &[]));
    let vault = world.keys.vault;
    world.store(&vault, &unmarked);
    let taken = world.liquidate(&by, borrower.position, 1_000 * USDC);
    table.add("liquidate, in the grace time, unmarked, four oracles", LIQUIDATE, taken);
    let mut world = World::with_vault();
    let (lender, guardians) = (world.lender(1_000 * USDC), [world.new_key(), world.new_key()]);
    let saver = world.user(SOL, 0);
    world.deposit_collateral(&saver, SOL).expect("collateral is posted");
    let mut guard = world.guard_state();
    guard.roles.guardians[..2].copy_from_slice(&guardians.each_ref().map(Signer::pubkey));
    let key = world.guard;
    world.store(&key, &guard);
    let validity = Validity { authority_epoch: 0, expires_at_ts: world.now_ts() };
    let (root, keys) = (world.root.insecure_clone(), guardians.each_ref().map(Signer::pubkey));
    let all = [&root, &guardians[0], &guardians[1]];
    let enter = exit::enter_resolution(&world.keys, root.pubkey(), &keys, 30 * 86_400, validity);
    let leave = exit::leave_resolution(&world.keys, root.pubkey(), &keys, validity);
    table.add("enter_resolution, root and two guardians", None, world.send(std::slice::from_ref(&enter), &all));
    table.add("leave_resolution, root and two guardians", None, world.send(&[leave], &all));
    world.send(&[enter], &all).expect("Resolution is entered again");
    world.advance(86_400);
    let cash = exit::claim_resolution(&world.keys, lender.address(), lender.address(), lender.usdc, Claimed::Cash);
    table.add("claim_resolution, cash", WITHDRAW, world.send(&[cash], &[&lender.key]));
    let own = exit::claim_resolution(&world.keys, saver.address(), saver.address(), saver.sol, Claimed::Collateral);
    table.add("claim_resolution, collateral", WITHDRAW, world.send(&[own], &[&saver.key]));
}

fn measure_integrations(table: &mut Table) {
    let mut world = World::with_supply(anchor_spl::token::ID);
    let setup = Setup::custody_shares();
    let place = world.place(setup);
    let ix = world.register_ix(&place, setup);
    table.add("register_integration", None, world.send_as_root(&[ix]));
    let caps = world.integration(&place).caps;
    let args = TightenIntegrationArgs { exit: caps.exit, risk: FlowCap::default() };
    let validity = world.validity();
    let root = world.root.pubkey();
    let ix = integration::tighten_integration(root, world.guard, place.keys.integration, args, validity);
    table.add("tighten_integration", None, world.send_as_root(&[ix]));
    let check = integration::check_action(&place.keys, EXIT, USDC);
    table.add("check_action, with the deployment", RECORD, world.send(&[check], &[]));
    let enforce = integration::enforce_action(&place.keys, EXIT, USDC);
    table.add("enforce_action", RECORD, world.send(&[enforce], &[]));
    table.add("custody_transfer, first", CUSTODY, world.custody_transfer(&place, EXIT, USDC));
    world.advance(600);
    table.add("custody_transfer", CUSTODY, world.custody_transfer(&place, EXIT, USDC));
    world.advance(90_000);
    table.add("custody_transfer, a day later", CUSTODY, world.custody_transfer(&place, EXIT, USDC));
    let reporter = world.register(Setup { index: 9, ..Setup::reported_shares() });
    table.add("record_outflow, first", RECORD, world.record(&reporter, EXIT, USDC));
    world.advance(600);
    table.add("record_outflow", RECORD, world.record(&reporter, EXIT, USDC));
    let minter = world.register(Setup { index: 8, ..Setup::mint() });
    table.add("custody_mint, first", CUSTODY, world.custody_mint(&minter, USDC));
    world.advance(600);
    table.add("custody_mint", CUSTODY, world.custody_mint(&minter, USDC));
    let mut world = World::with_supply(anchor_spl::token_2022::ID);
    let place = world.register(Setup::custody_shares());
    world.custody_transfer(&place, EXIT, USDC).expect("tokens move");
    world.advance(600);
    table.add("custody_transfer, Token-2022", None, world.custody_transfer(&place, EXIT, USDC));
}

/// What the guard costs on top of a program that calls it: the same withdrawal with and without.
fn measure_calls(table: &mut Table) {
    let names = ["record_outflow, on top of it, limits in amounts", "record_outflow, on top of it, limits in shares"];
    for (name, setup) in names.into_iter().zip([Setup::reported(), Setup::reported_shares()]) {
        let mut world = World::with_supply(anchor_spl::token::ID);
        let it = world.integrator(setup);
        let act = |world: &mut World, act| {
            world.advance(600);
            compute_units(world.send(&[it.bare_ix(act, USDC, &[])], &[]))
        };
        act(&mut world, Act::Withdraw);
        let (without, with) = (act(&mut world, Act::Unguarded), act(&mut world, Act::Withdraw));
        if table.0.iter().all(|row| row.name != UNGUARDED) {
            let enforced = act(&mut world, Act::EnforceOnly);
            table.0.push(Row { name: UNGUARDED, units: without, budget: None });
            table.0.push(Row { name: "enforce_action, on top of it", units: enforced - without, budget: RECORD });
        }
        table.0.push(Row { name, units: with - without, budget: RECORD });
    }
}

/// Rules about the collateral or the vault, numbered from 1.
fn rules_of(world: &mut World, all: &[(Pubkey, RuleParams)]) -> Vec<Pubkey> {
    (1..).zip(all).map(|(id, (subject, params))| world.create_rule(id, *subject, *params)).collect()
}

fn measure_keepers(table: &mut Table) {
    let mut world = World::with_vault();
    let keepers = Keepers::new(&mut world, 15);
    let (root, subject) = (world.root.insecure_clone(), world.keys.collateral_asset);
    let ix = client::initialize_keepers(root.pubkey(), world.guard, keepers.args());
    table.add("initialize_keepers, 15", None, world.send(&[ix], &[&root]));
    let ix = client::open_report(world.payer_address(), world.guard, subject, keepers.keys[0].pubkey());
    table.add("open_report", None, world.send(&[ix], &[]));
    let rest = Keepers { keys: keepers.keys[1..].iter().map(|k| k.insecure_clone()).collect() };
    rest.open(&mut world, subject);
    let ix = world.report_ix(&keepers.keys[0], subject, keepers::CALM);
    table.add("submit_report", None, world.send(&[ix], &[&keepers.keys[0]]));
    world.advance(1);
    // in falling order, which is the longest to sort
    let scores: Vec<_> = (0..15).map(|n| Some(9_000 - 10 * n)).collect();
    keepers.report(&mut world, subject, &scores);
    let vault = world.keys.vault;
    let books = RuleParams { level: Level::Caution as u8, ..rules::utilisation() };
    let keys = rules_of(&mut world, &[(subject, keepers::median()), (subject, keepers::silence()), (vault, books)]);
    table.add("observe_rule, utilisation", OBSERVE, world.observe_rule(keys[2]));
    table.add("observe_rule, keeper median of 15", OBSERVE, world.observe_rule(keys[0]));
    table.add("trip, keeper median of 15", TRIP, world.trip(keys[0]));
    world.scale(|scale| {
        switch_on(scale);
        (scale.ltv.part, scale.ltv.calm_bps) = (ReportPart::Score as u8, 3_000);
        scale.cap.calm_bps = 10_000;
    });
    table.add("scale_risk, loan-to-value limit, 15 keepers", TRIP, world.scale_risk(ScaleTarget::Ltv));
    table.add("scale_risk, borrow cap, 15 keepers", TRIP, world.scale_risk(ScaleTarget::BorrowCap));
    world.advance(300);
    table.add("trip, keeper silence of 15", TRIP, world.trip(keys[1]));
    let validity = Validity { authority_epoch: 0, expires_at_ts: world.now_ts() };
    let ix = client::set_keepers(root.pubkey(), world.guard, keepers.args(), validity);
    table.add("set_keepers, 15", None, world.send(&[ix], &[&root]));
}

fn measure_metrics(table: &mut Table) {
    let mut world = full_window();
    let (asset, loan, vault) = (world.keys.collateral_asset, world.keys.loan_asset, world.keys.vault);
    world.lender(10_000 * USDC);
    let user = world.borrower(30_000 * SOL, 9_600 * USDC);
    let whole = RuleParams { window_secs: 64 * 60, ..rules::realized_volatility() };
    let all = [
        (asset, whole),
        (asset, rules::source_disagreement()),
        (loan, rules::peg_deviation()),
        (asset, rules::supply_growth()),
        (vault, rules::inflow_rate()),
        (vault, rules::utilisation()),
        (vault, rules::reserve_cover()),
        (asset, rules::deviation_from(ReferenceSpan::Day)),
    ];
    let keys = rules_of(&mut world, &all);
    for minute in 0..64 {
        world.tick(60, if minute % 2 == 0 { 140.0 } else { 150.0 }, 1.0);
    }
    world.mint_to(world.sol, user.sol, 1_000_000 * SOL);
    let (feeds, now_ts) = (world.sol_feeds, world.now_ts());
    world.publish_switchboard(&feeds, 151.2, 5, now_ts);
    let names =
        ["trip, volatility, 64 cells", "trip, source disagreement", "trip, peg deviation", "trip, supply growth"];
    world.set_prices(150.0, 0.95);
    table.add(names[0], TRIP, world.trip(keys[0]));
    world.publish_switchboard(&feeds, 151.2, 5, now_ts);
    for at in 1..4 {
        table.add(names[at], TRIP, world.trip(keys[at]));
    }
    let user = world.user(30_000 * SOL, 0);
    world.deposit_collateral(&user, 30_000 * SOL).expect("collateral comes in");
    for (at, name) in [(4, "trip, inflow rate"), (5, "trip, utilisation"), (6, "trip, reserve cover")] {
        table.add(name, TRIP, world.trip(keys[at]));
    }
    world.warm_up(48, 1_800);
    world.set_prices(100.0, 1.0);
    table.add("observe_rule, deviation from the day's anchor", OBSERVE, world.observe_rule(keys[7]));
    world.advance(10);
    world.set_prices(100.0, 1.0);
    let ix = evidence::observe(asset, world.sol.mint, &world.sol_feeds.metas());
    table.add("observe, supply and anchors moving, two sources", OBSERVE, world.send(&[ix], &[]));
}

fn measure_groups(table: &mut Table) {
    let mut world = full_window();
    let (root, guard, subject) = (world.root.insecure_clone(), world.guard, world.keys.collateral_asset);
    let limits = BountyParams {
        bounty_lamports: 1_000_000,
        daily_limit_lamports: 10_000_000,
        cooldown_secs: 1,
        reserved: [0; 4],
    };
    let ix = bounty::initialize_bounty(root.pubkey(), guard, limits);
    table.add("initialize_bounty", None, world.send(&[ix], &[&root]));
    let vault = address::bounty_vault(&guard);
    world.svm.airdrop(&vault, SOL).expect("airdrop");
    let (drawdown, deviation) = (defaults::drawdown_rule(), rules::deviation());
    let paid = RuleParams { bounty: Switch::Enabled as u8, ..drawdown };
    let four =
        rules_of(&mut world, &[(subject, drawdown), (subject, deviation), (subject, paid), (subject, deviation)]);
    let params = GroupParams {
        duration_secs: 3_600,
        min_dwell_secs: 0,
        max_age_secs: 60,
        level: Level::ReduceOnly as u8,
        bounty: Switch::Enabled as u8,
        reserved: [0; 2],
    };
    let ix = groups::create_group(root.pubkey(), guard, subject, 1, params, &four);
    table.add("create_group, four rules", None, world.send(&[ix], &[&root]));
    world.advance(10);
    world.set_prices(120.0, 1.0);
    four.iter().for_each(|rule| drop(world.observe_rule(*rule).expect("rule is true")));
    let key = address::group(&guard, 1);
    let ix = groups::trip_group(key, &world.load::<RuleGroup>(&key), Some(root.pubkey()));
    table.add("trip_group, four rules, with a bounty", TRIP, world.send(&[ix], &[]));
    world.advance(1);
    let (pair, oracles) = world.evidence_of(&four[2]);
    let ix = evidence::trip_for(four[2], &world.rule(&four[2]), pair, &oracles, Some(root.pubkey()));
    table.add("trip, drawdown, with a bounty", TRIP, world.send(&[ix], &[]));
    world.set_prices(150.0, 1.0);
    world.observe_rule(four[0]).expect("rule is clear");
    let ix = groups::step_down_group(key, &world.load::<RuleGroup>(&key), four[0]);
    table.add("step_down_group", TRIP, world.send(&[ix], &[]));
    let validity = Validity { authority_epoch: 0, expires_at_ts: world.now_ts() };
    let ix = bounty::set_bounty(root.pubkey(), guard, limits, validity);
    table.add("set_bounty", None, world.send(&[ix], &[&root]));
    let ix = bounty::withdraw_bounty(root.pubkey(), guard, root.pubkey(), 1_000_000, validity);
    table.add("withdraw_bounty", None, world.send(&[ix], &[&root]));
}

fn measure_aggregate(table: &mut Table) {
    let mut world = World::with_vault();
    let (root, guard) = (world.root.insecure_clone(), world.guard);
    let lender = world.lender(1_000_000 * USDC);
    let borrower = world.borrower(100 * SOL, 5_000 * USDC);
    world.warm_up(1, 3_600);
    let params = defaults::aggregate();
    let ix = aggregate::initialize_aggregate(root.pubkey(), guard, params);
    table.add("initialize_aggregate", None, world.send(&[ix], &[&root]));
    table.add("lease_budget, first, four oracles", None, world.lease(200_000 * USD));
    let part = world.position(&lender.position).supply_shares.get() / 50;
    table.add("withdraw, with interest, from a lease", WITHDRAW, world.withdraw(&lender, part));
    table.add("borrow, from a lease, four oracles", BORROW, world.borrow(&borrower, 1_000 * USDC));
    let taken = world.withdraw_collateral(&borrower, SOL);
    table.add("withdraw_collateral, behind a debt, from a lease, four oracles", BORROW, taken);
    // the oldest of 24 cells is the one that pays
    for _ in 0..23 {
        world.warm_up(1, 3_600);
        world.lease(USD).expect("a dollar is leased");
    }
    table.add("lease_budget, of nothing, four oracles", None, world.lease(0));
    table.add("withdraw, with interest, from a lease of 24 cells", WITHDRAW, world.withdraw(&lender, part / 2));
    world.raise(rampart_tests::scenario::Scope::Vault, Level::Halt);
    let exit = world.withdraw(&lender, part / 4);
    table.add("withdraw, through the floor of a halt, beside a lease", WITHDRAW, exit);
    let ix = aggregate::return_lease(guard, world.keys.vault);
    table.add("return_lease, 22 cells", None, world.send(&[ix], &[]));
    let validity = Validity { authority_epoch: 0, expires_at_ts: world.now_ts() };
    let params = AggregateParams { limit_micro_usd: params.limit_micro_usd / 2, ..params };
    let ix = aggregate::tighten_aggregate(root.pubkey(), guard, params, validity);
    table.add("tighten_aggregate", None, world.send(&[ix], &[&root]));
}

const SWAP: Option<u64> = Some(25_000);

/// The guarded swap and the reserve; what a route costs by itself is SPL Token Swap's and taken off.
fn measure_swaps(table: &mut Table) {
    let (mut world, keepers) = World::with_keepers(5);
    let (guard, root) = (world.guard, world.root.insecure_clone());
    let market = world.market(100_000 * SOL, 15_000_000 * USDC);
    let own = swaps::params(swaps::TOKEN_SWAP);
    let policy = swap::PolicyKeys::derive(&guard, 1, swaps::TOKEN_SWAP);
    let ix = swap::create_swap_policy(root.pubkey(), guard, 1, swaps::disabled(own), world.validity());
    table.add("create_swap_policy", None, world.send(&[ix], &[&root]));
    let enabled = SwapPolicy { params: own, ..world.policy(&policy) };
    world.store(&policy.policy, &enabled);
    let mints = [world.sol, world.usdc];
    for mint in mints {
        world.create_associated(mint, policy.escrow);
        world.create_associated(mint, address::reserve(&guard));
    }
    let of_mints = mints.map(|m| m.mint);
    let ix = swap::initialize_reserve(root.pubkey(), guard, &of_mints, swaps::plan(), world.validity());
    table.add("initialize_reserve, two assets", None, world.send(&[ix], &[&root]));
    for (mint, amount) in [(world.sol, 1_000 * SOL), (world.usdc, 50_000 * USDC)] {
        let ix = world.fund_ix(mint, amount);
        let name = if mint == world.sol { "fund_reserve" } else { "fund_reserve, of the quote asset" };
        table.add(name, None, world.send(&[ix], &[]));
    }
    world.advance(1);
    world.set_prices(150.0, 1.0);
    let subject = world.keys.collateral_asset;
    keepers.report_all(&mut world, subject, 0);
    let route = market.route(&world, &policy, world.sol, 100 * SOL, 0);
    let ix = world.sell_sol_ix(&policy, Some(&keepers), 100 * SOL, route);
    let units = units_beyond(world.send(&[ix], &[]), &swaps::TOKEN_SWAP);
    table.0.push(Row { name: "rebalance, four oracles, five reports, beyond the route", units, budget: SWAP });
    world.raise(rampart_tests::scenario::Scope::Guard, Level::ReduceOnly);
    world.advance(300);
    world.set_prices(150.0, 1.0);
    let route = market.route(&world, &policy, world.sol, 100 * SOL, 0);
    let ix = world.sell_sol_ix(&policy, None, 100 * SOL, route);
    let units = units_beyond(world.send(&[ix], &[]), &swaps::TOKEN_SWAP);
    table.0.push(Row { name: "rebalance, four oracles, without keepers, beyond the route", units, budget: SWAP });
    let tight = SwapParams { cooldown_secs: 600, ..own };
    let ix = swap::tighten_swap_policy(root.pubkey(), guard, policy.policy, tight, world.validity());
    table.add("tighten_swap_policy", None, world.send(&[ix], &[&root]));
    let treasury = world.user(0, 0);
    world.grant(1, treasury.usdc, USDC).expect("grant is executed");
    let ix = swap::withdraw_reserve(address::reserve(&guard), &world.reserve(), world.usdc);
    table.add("withdraw_reserve", None, world.send(&[ix], &[]));
    measure_swap_liquidations(table);
}

fn measure_swap_liquidations(table: &mut Table) {
    for (name, dollars, has_reserve) in [
        ("liquidate_by_swap, four oracles, beyond the route", 111.0, false),
        ("liquidate_by_swap, bad debt, cover, four oracles, beyond the route", 90.0, true),
    ] {
        let (mut world, [_, borrower, _]) = crate::forced::at_risk();
        let by = world.user(0, 0);
        let market = world.market(100_000 * SOL, dollars as u64 * 100_000 * USDC);
        let policy = world.swap_policy(1, swaps::params(swaps::TOKEN_SWAP));
        if has_reserve {
            world.open_reserve(swaps::plan(), 0, 10_000 * USDC);
        }
        world.set_prices(dollars, 1.0);
        let cover = if has_reserve { swap::cover(&world.guard, &world.usdc).to_vec() } else { vec![] };
        let evidence = [world.pair_oracles(), cover].concat();
        let args = world.liquidate_args(borrower.position, u64::MAX);
        let amount = if has_reserve { 100 * SOL } else { 71 * SOL };
        let route = market.route(&world, &policy, world.sol, amount, 0);
        let ix = world.swap_liquidation_with(&by, borrower.position, &policy, &evidence, args, route);
        let units = units_beyond(world.send(&[ix], &[&by.key]), &swaps::TOKEN_SWAP);
        table.0.push(Row { name, units, budget: LIQUIDATE });
        if has_reserve {
            let (mut world, [_, borrower, by]) = crate::forced::at_risk();
            world.open_reserve(swaps::plan(), 0, 10_000 * USDC);
            world.set_prices(dollars, 1.0);
            let evidence = [world.pair_oracles(), swap::cover(&world.guard, &world.usdc).to_vec()].concat();
            let args = world.liquidate_args(borrower.position, u64::MAX);
            let liquidator = rampart_tests::world::liquidator(&by);
            let ix = liquidation::liquidate(&world.keys, borrower.position, liquidator, &evidence, args);
            table.add("liquidate, bad debt, cover, four oracles", LIQUIDATE, world.send(&[ix], &[&by.key]));
        }
    }
}

const UNGUARDED: &str = "a program's withdrawal, unguarded";

fn snapshot_path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("snapshots/cu.md")
}

const HEAD: &str = "# Compute units

Measured by `suites/cu.rs` in LiteSVM on `artifacts/rampart.so`, one instruction per transaction, token program included.
A build with other tools has other numbers. A change beyond 1 % fails the suite; `RAMPART_WRITE_CU=1` records a new table.
Budgets are the design's; where a figure is above its budget, the last column says so.

| instruction | units | budget | |
| --- | ---: | ---: | --- |
";

fn render(table: &Table) -> String {
    let mut text = String::from(HEAD);
    for Row { name, units, budget } in &table.0 {
        let verdict = match budget {
            Some(budget) if units > budget => format!("misses it by {}", units - budget),
            Some(_) => "within".to_owned(),
            None => String::new(),
        };
        let budget = budget.map_or(String::new(), |b| b.to_string());
        writeln!(text, "| {name} | {units} | {budget} | {verdict} |").expect("a string takes every line");
    }
    text
}

/// One line for each row that is new, gone, or off by more than 1 %.
fn changes(table: &Table, recorded: &str) -> String {
    let mut text = String::new();
    let mut left: Vec<(&str, u64)> = recorded.lines().filter_map(parse).collect();
    for Row { name, units, .. } in &table.0 {
        let at = left.iter().position(|(n, _)| n == name);
        let before = at.map(|i| left.remove(i).1);
        if before.is_none_or(|b| b.abs_diff(*units) * 100 > b) {
            let before = before.map_or("none".to_owned(), |b| b.to_string());
            writeln!(text, "{name}: {before} -> {units}").expect("a string takes every line");
        }
    }
    for (name, before) in left {
        writeln!(text, "{name}: {before} -> none").expect("a string takes every line");
    }
    text
}

fn parse(line: &str) -> Option<(&str, u64)> {
    let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
    Some((cells.next()?, cells.next()?.parse().ok()?))
}
