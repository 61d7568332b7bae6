//! Tries to get past the guard, across instructions. Case numbers are those of the catalogue of attacks; cases about one
//! instruction stand in that instruction's suite.

use rampart::error::RampartError;
use rampart::math::{Bps, Price};
use rampart::oracle::{PYTH_RECEIVER, SWITCHBOARD_ON_DEMAND};
use rampart::state::rule::RuleParams;
use rampart::state::{Asset, Cause, Guard, Level, Rule};
use rampart_client::{Instruction, Pubkey, address, admin, evidence, lending, liquidation};
use rampart_feeds::{VerificationLevel, pyth_price_update};
use rampart_tests::asserts::code_of;
use rampart_tests::defaults::{self, SOL, USDC};
use rampart_tests::refusals::with_account;
use rampart_tests::world::liquidator;
use rampart_tests::{User, World, assert_error, rules};
use solana_sdk::account::Account;
use solana_sdk::signature::Keypair;
use solana_sdk::signer::Signer;

/// A vault in a crash at 120 dollars, in which every path that reads a price would land.
struct Scene {
    world: World,
    lender: User,
    /// Far beyond the liquidation line.
    sick: User,
    /// Within the soft band.
    soft: User,
    /// Well covered.
    sound: User,
    liquidator: User,
    /// True.
    crash: Pubkey,
    /// Clear, and in force.
    over: Pubkey,
}

fn scene() -> Scene {
    let mut world = World::with_vault();
    let asset = world.keys.collateral_asset;
    let lender = world.lender(1_000_000 * USDC);
    let sick = world.borrower(100 * SOL, 10_400 * USDC);
    let soft = world.borrower(100 * SOL, 9_300 * USDC);
    let sound = world.borrower(100 * SOL, 1_000 * USDC);
    let liquidator = world.user(0, 100_000 * USDC);
    let crash = world.create_rule(1, asset, RuleParams { level: Level::Caution as u8, ..defaults::drawdown_rule() });
    let far =
        RuleParams { threshold: 9_000, clear_threshold: 8_000, level: Level::Caution as u8, ..rules::deviation() };
    let over = world.create_rule(2, asset, far);
    put_cause(&mut world, &asset, over, Level::Caution);
    world.advance(10);
    world.set_prices(120.0, 1.0);
    Scene { world, lender, sick, soft, sound, liquidator, crash, over }
}

/// Puts a cause of `rule` into force on an asset, for an hour and without a dwell time.
fn put_cause(world: &mut World, asset: &Pubkey, rule: Pubkey, level: Level) {
    let mut state: Asset = world.load(asset);
    let now_ts = world.now_ts();
    let (tripped_at_ts, expires_at_ts, dwell_until_ts) = (now_ts, now_ts + 3_600, now_ts);
    state.breaker.causes[3] =
        Cause { source: rule, tripped_at_ts, expires_at_ts, dwell_until_ts, level: level as u8, ..Cause::default() };
    world.store(asset, &state);
}

impl Scene {
    /// Every instruction that reads a price, with its signer and its error for a price that is not known.
    fn paths(&self) -> Vec<(&'static str, Instruction, Option<&Keypair>, Option<RampartError>)> {
        let (w, unknown) = (&self.world, Some(RampartError::PriceIndeterminate));
        let oracles = w.pair_oracles();
        let by = liquidator(&self.liquidator);
        let (sick, soft, sound) = (self.sick.position, self.soft.position, &self.sound);
        let liquidate = liquidation::liquidate(&w.keys, sick, by, &oracles, w.liquidate_args(sick, u64::MAX));
        let deleverage = liquidation::deleverage(&w.keys, soft, by, &oracles, w.liquidate_args(soft, u64::MAX));
        let borrow = lending::borrow(&w.keys, sound.address(), sound.usdc, &oracles, 10 * USDC);
        let take = lending::withdraw_collateral(&w.keys, sound.address(), sound.sol, &oracles, SOL);
        let observe = evidence::observe(w.keys.collateral_asset, w.sol.mint, &w.sol_feeds.metas());
        let untrue = Some(RampartError::RuleIndeterminate);
        vec![
            ("liquidate", liquidate, Some(&self.liquidator.key), unknown),
            ("deleverage", deleverage, Some(&self.liquidator.key), unknown),
            ("borrow", borrow, Some(&sound.key), unknown),
            ("withdraw_collateral", take, Some(&sound.key), unknown),
            ("observe", observe, None, unknown),
            ("trip", w.trip_ix(self.crash), None, untrue),
            ("step_down", w.step_down_ix(self.over), None, untrue),
            // takes note of nothing, without an error
            ("observe_rule", w.observe_rule_ix(self.crash), None, None),
        ]
    }

    /// Asserts that every path would land.
    fn lands(&mut self) {
        self.world.svm.expire_blockhash();
        for (name, ix, signer, _) in self.paths() {
            let signers: Vec<_> = signer.into_iter().collect();
            assert_eq!(self.world.simulate_with(&[ix], &signers), Ok(()), "{name}");
        }
    }

    /// Asserts that no path acts on the collateral's price as it stands.
    #[track_caller]
    fn is_blind(&mut self, why: &str) {
        self.world.svm.expire_blockhash();
        for (name, ix, signer, expected) in self.paths() {
            let signers: Vec<_> = signer.into_iter().collect();
            let found = self.world.simulate_with(&[ix], &signers).err().map(|error| code_of(&error));
            assert_eq!(found, expected.map(u32::from), "{name}, {why}");
        }
        let before = self.world.rule(&self.crash).streak;
        self.world.observe_rule(self.crash).unwrap();
        assert_eq!(self.world.rule(&self.crash).streak, before, "{why}");
    }

    /// Runs `check` with the account at `key` replaced, and puts it back.
    fn with(&mut self, key: Pubkey, account: Account, check: impl FnOnce(&mut Self)) {
        let honest = self.world.svm.get_account(&key).unwrap();
        self.world.svm.set_account(key, account).unwrap();
        check(self);
        self.world.svm.set_account(key, honest).unwrap();
    }
}

/// On every path.
#[test]
fn case_019_020_021_022_026_031_price_that_one_source_spoils_moves_nothing_on_any_path() {
    let mut scene = scene();
    scene.lands();
    let (feeds, now_ts, slot) = (scene.world.sol_feeds, scene.world.now_ts(), scene.world.slot());
    let honest = scene.world.svm.get_account(&feeds.pyth).unwrap();
    let full = VerificationLevel::Full;
    let update = |feed, price, exponent, ts, level| pyth_price_update(feed, price, 1, exponent, ts, slot, level);
    let id = feeds.feed_id;
    let spoilt = [
        ("partial", update(id, 12_000_000_000, -8, now_ts, VerificationLevel::Partial { num_signatures: 12 })),
        ("another feed", update([0x22; 32], 12_000_000_000, -8, now_ts, full)),
        ("from the future", update(id, 12_000_000_000, -8, now_ts + 6, full)),
        ("stale", update(id, 12_000_000_000, -8, now_ts - 91, full)),
        ("negative", update(id, i64::MIN, -8, now_ts, full)),
        ("bad exponent", update(id, 12_000_000_000, i32::MIN, now_ts, full)),
        ("closed", vec![]),
    ];
    for (why, data) in spoilt {
        scene.with(feeds.pyth, Account { data, ..honest.clone() }, |scene| scene.is_blind(why));
    }
    let stolen = Account { owner: rampart::ID, ..honest };
    scene.with(feeds.pyth, stolen, |scene| scene.is_blind("another owner"));
    let honest = scene.world.svm.get_account(&feeds.switchboard).unwrap();
    let stolen = Account { owner: PYTH_RECEIVER, ..honest };
    scene.with(feeds.switchboard, stolen, |scene| scene.is_blind("another owner of the second source"));
    scene.lands();
}

/// An account of the caller's own, with the right bytes and owner, in the place of a pinned one.
#[test]
fn case_019_oracle_account_of_the_callers_own_is_refused_on_every_path() {
    let mut scene = scene();
    let pins =
        [(scene.world.sol_feeds.pyth, PYTH_RECEIVER), (scene.world.sol_feeds.switchboard, SWITCHBOARD_ON_DEMAND)];
    for (pinned, owner) in pins {
        let own = scene.world.copy_under(&pinned, owner);
        for (name, ix, signer, _) in scene.paths() {
            let signers: Vec<_> = signer.into_iter().collect();
            let index = ix.accounts.iter().position(|m| m.pubkey == pinned).unwrap();
            let error = scene.world.simulate_with(&[with_account(&ix, index, own)], &signers).unwrap_err();
            assert_eq!(code_of(&error), u32::from(RampartError::OracleAccountMismatch), "{name}");
        }
    }
}

/// The tripped account cannot be left out, and one that is not tripped cannot take its place.
#[test]
fn case_056_level_cannot_be_dodged_with_accounts_that_are_not_tripped() {
    let mut scene = scene();
    let asset = scene.world.keys.collateral_asset;
    let calm_guard = scene.world.copy_under(&scene.world.guard.clone(), rampart::ID);
    let calm_asset = scene.world.copy_under(&asset, rampart::ID);
    put_cause(&mut scene.world, &asset, scene.over, Level::Halt);
    let (w, lender, sound) = (&scene.world, &scene.lender, &scene.sound);
    let supply = rampart::SupplyArgs { amount: 1, min_shares: 0 };
    let shares = w.position(&lender.position).supply_shares.get() / 2;
    let withdraw = rampart::WithdrawArgs { shares, min_amount: 0 };
    let oracles = w.pair_oracles();
    let gated = [
        (lending::supply(&w.keys, lender.address(), lender.usdc, supply), &lender.key, RampartError::LevelForbids),
        (lending::withdraw(&w.keys, lender.address(), lender.usdc, withdraw), &lender.key, RampartError::ExitFloorUsed),
        (lending::borrow(&w.keys, sound.address(), sound.usdc, &oracles, USDC), &sound.key, RampartError::LevelForbids),
        (
            lending::withdraw_collateral(&w.keys, sound.address(), sound.sol, &oracles, 1),
            &sound.key,
            RampartError::LevelForbids,
        ),
    ];
    for (ix, signer, refusal) in gated {
        let code = |ix: &Instruction| code_of(&w.simulate_with(std::slice::from_ref(ix), &[signer]).unwrap_err());
        assert_eq!(code(&ix), u32::from(refusal));
        for (own, other) in [(w.guard, calm_guard), (asset, calm_asset)] {
            let index = ix.accounts.iter().position(|m| m.pubkey == own).unwrap();
            assert_eq!(code(&with_account(&ix, index, other)), u32::from(RampartError::VaultAssetsInvalid));
        }
    }
}

/// The level speaks before the price does.
#[test]
fn case_057_gate_is_passed_before_any_price_is_read() {
    let mut scene = scene();
    let asset = scene.world.keys.collateral_asset;
    put_cause(&mut scene.world, &asset, scene.over, Level::ReduceOnly);
    scene.world.svm.set_account(scene.world.sol_feeds.pyth, Account::default()).unwrap();
    assert_error(scene.world.borrow(&scene.sound, USDC), RampartError::LevelForbids);
    assert_error(scene.world.withdraw_collateral(&scene.sound, 1), RampartError::LevelForbids);
}

/// Bytes that no reader can decode are Halt on a breaker and a refusal on a rule; exits stay open.
#[test]
fn case_016_undecodable_bytes_are_never_normal_and_never_close_exits() {
    let mut scene = scene();
    let asset = scene.world.keys.collateral_asset;
    for level in [4, 5, u8::MAX] {
        let mut state: Asset = scene.world.load(&asset);
        state.breaker.causes[3].level = level;
        scene.world.store(&asset, &state);
        assert_eq!(scene.world.level(), Level::Halt);
    }
    let floor = scene.world.position(&scene.lender.position).supply_shares.get() / 100;
    scene.world.withdraw(&scene.lender, floor).unwrap();
    let spoils: [fn(&mut RuleParams); 3] = [|p| p.metric = 99, |p| p.scope = 0, |p| p.switch = 7];
    for spoil in spoils {
        let mut rule: Rule = scene.world.rule(&scene.crash);
        let honest = rule;
        spoil(&mut rule.params);
        scene.world.store(&scene.crash, &rule);
        let error = scene.world.simulate(&[scene.world.trip_ix(scene.crash)]).unwrap_err();
        let known = [RampartError::UnknownKind, RampartError::UnknownStoredValue, RampartError::RuleDisabled];
        assert!(known.iter().any(|e| code_of(&error) == u32::from(*e)), "{error:?}");
        scene.world.store(&scene.crash, &honest);
    }
}

/// Every level that can be reached has a way out, for lenders and for savers.
#[test]
fn case_016_exit_is_open_at_every_level() {
    for level in [Level::Normal, Level::Caution, Level::ReduceOnly, Level::Halt] {
        let mut world = World::with_vault();
        let lender = world.lender(1_000_000 * USDC);
        let saver = world.user(100 * SOL, 0);
        world.deposit_collateral(&saver, 100 * SOL).unwrap();
        world.borrower(100 * SOL, 1_000 * USDC);
        let asset = world.keys.collateral_asset;
        if level > Level::Normal {
            put_cause(&mut world, &asset, asset, level);
        }
        assert_eq!(world.level(), level);
        let floor = world.position(&lender.position).supply_shares.get() / 100;
        world.withdraw(&lender, floor).unwrap();
        world.withdraw_collateral(&saver, SOL).unwrap();
        world.advance(7_200);
        assert_eq!(world.level(), Level::Normal);
    }
}

/// Of several valid updates the worst can be chosen, but none older than the last counted.
#[test]
fn case_023_streak_cannot_be_built_from_one_moment() {
    let mut world = World::with_vault();
    let params = RuleParams { min_persist_secs: 60, min_observations: 2, ..defaults::drawdown_rule() };
    let rule = world.create_rule(1, world.keys.collateral_asset, params);
    world.advance(60);
    let (feeds, now_ts) = (world.sol_feeds, world.now_ts());
    for age_secs in [60, 40, 20, 0] {
        world.set_clock(now_ts, world.slot() + 1);
        world.publish_pyth(&feeds, 120.0, 5, now_ts - age_secs);
        world.publish_switchboard(&feeds, 120.0, 5, now_ts - age_secs);
        world.observe_rule(rule).unwrap();
    }
    assert_eq!(world.rule(&rule).streak.count, 4);
    // a minute of prints, but no time on the clock
    world.refuses(&world.trip_ix(rule), &[], RampartError::RuleNotPersistent);
    world.set_clock(now_ts + 1, world.slot() + 1);
    world.publish_pyth(&feeds, 120.0, 5, now_ts - 30);
    world.publish_switchboard(&feeds, 120.0, 5, now_ts - 30);
    world.refuses(&world.observe_rule_ix(rule), &[], RampartError::ObservationNotNewer);
}

/// A minute at half the price, however often it is observed, moves the reference by an eighth of the gap.
#[test]
fn case_027_030_reference_cannot_be_dragged_by_many_observations() {
    let mut world = World::with_vault();
    let feeds = world.sol_feeds;
    for _ in 0..60 {
        world.advance(1);
        world.publish(&feeds, 75.0);
        world.send(&[evidence::observe(world.keys.collateral_asset, world.sol.mint, &feeds.metas())], &[]).unwrap();
    }
    let reference = world.sol_asset().reference_price(world.now_ts()).unwrap();
    let before = Price::from_q64(150 * defaults::DOLLAR_Q64).unwrap();
    // (150 - 75) · (1 - 2^(-60/300)) = 9.71 dollars
    assert!((Bps(640)..=Bps(650)).contains(&reference.deviation(before)), "{reference:?}");
}

/// Two blind hours and then a jump. Blindness moves nothing, and both prices have to be back.
#[test]
fn case_036_blind_hours_block_new_risk_and_liquidation_and_leave_exits_open() {
    let mut scene = scene();
    let age = scene.world.create_rule(3, scene.world.keys.collateral_asset, rules::oracle_age());
    scene.world.advance(7_200);
    scene.world.trip(age).unwrap();
    assert_eq!(scene.world.level(), Level::Caution);
    let sick = scene.sick.position;
    assert_error(scene.world.liquidate(&scene.liquidator, sick, u64::MAX), RampartError::PriceIndeterminate);
    assert_error(scene.world.borrow(&scene.sound, 10 * USDC), RampartError::PriceIndeterminate);
    let part = scene.world.position(&scene.lender.position).supply_shares.get() / 50;
    scene.world.withdraw(&scene.lender, part).unwrap();
    let feeds = scene.world.sol_feeds;
    scene.world.publish(&feeds, 60.0);
    assert_error(scene.world.liquidate(&scene.liquidator, sick, u64::MAX), RampartError::PriceIndeterminate);
    scene.world.set_prices(60.0, 1.0);
    // the reference is as old as the outage: new risk stays blocked although prices are back
    assert_error(scene.world.borrow(&scene.sound, 10 * USDC), RampartError::PriceIndeterminate);
    scene.world.liquidate(&scene.liquidator, sick, u64::MAX).unwrap();
}

/// Dust into a halted asset neither shields a position nor is refused.
#[test]
fn case_055_dust_does_not_shield_a_position_from_liquidation() {
    let mut scene = scene();
    let asset = scene.world.keys.collateral_asset;
    put_cause(&mut scene.world, &asset, scene.over, Level::Halt);
    let sick = scene.sick.position;
    let stale_fence = scene.world.liquidate_args(sick, u64::MAX);
    let helper = scene.world.user(10 * SOL, 100 * USDC);
    let w = &scene.world;
    let dust = [
        lending::deposit_collateral(&w.keys, helper.address(), helper.sol, scene.sick.address(), 1),
        lending::repay(&w.keys, helper.address(), helper.usdc, scene.sick.address(), 1),
    ];
    let by = liquidator(&scene.liquidator);
    let act = liquidation::liquidate(&w.keys, sick, by, &w.pair_oracles(), stale_fence);
    scene.world.send(&dust, &[&helper.key]).unwrap();
    scene.world.send(&[act], &[&scene.liquidator.key]).unwrap();
    assert_eq!(scene.world.position(&sick).liquidation_seq, 1);
}

/// A trip writes its rule and its breaker, and nothing that users write; users never write guard or asset.
#[test]
fn case_067_guard_and_assets_are_read_only_wherever_users_act() {
    let scene = scene();
    let (w, lender, sound) = (&scene.world, &scene.lender, &scene.sound);
    let supply = rampart::SupplyArgs { amount: 1, min_shares: 0 };
    let withdraw = rampart::WithdrawArgs { shares: 1, min_amount: 0 };
    let mut all: Vec<Instruction> = scene.paths().into_iter().take(4).map(|(_, ix, _, _)| ix).collect();
    all.push(lending::supply(&w.keys, lender.address(), lender.usdc, supply));
    all.push(lending::withdraw(&w.keys, lender.address(), lender.usdc, withdraw));
    all.push(lending::deposit_collateral(&w.keys, sound.address(), sound.sol, sound.address(), 1));
    all.push(lending::repay(&w.keys, sound.address(), sound.usdc, sound.address(), 1));
    let shared = [w.guard, w.keys.collateral_asset, w.keys.loan_asset];
    for ix in all {
        let named: Vec<_> = ix.accounts.iter().filter(|m| shared.contains(&m.pubkey)).collect();
        assert_eq!(named.len(), 3);
        assert!(named.iter().all(|m| !m.is_writable));
    }
    let trip = w.trip_ix(scene.crash);
    let written: Vec<_> = trip.accounts.iter().filter(|m| m.is_writable).map(|m| m.pubkey).collect();
    assert_eq!(written, [scene.crash, w.keys.collateral_asset]);
    assert!(trip.accounts.iter().all(|m| !m.is_signer));
}

/// The right bytes under another owner, and another kind of the same owner, in every place of a program account.
#[test]
fn case_089_accounts_of_another_kind_or_owner_are_refused_in_every_place() {
    let mut scene = scene();
    let keys = scene.world.keys;
    let own = [
        keys.guard,
        keys.collateral_asset,
        keys.loan_asset,
        keys.vault,
        scene.sick.position,
        scene.soft.position,
        scene.sound.position,
    ];
    let stolen = own.map(|key| (key, scene.world.copy_under(&key, anchor_spl::token::ID)));
    for (name, ix, signer, _) in scene.paths().into_iter().take(4) {
        let signers: Vec<_> = signer.into_iter().collect();
        let code = |ix| scene.world.simulate_with(&[ix], &signers).map_err(|e| code_of(&e)).unwrap_err();
        for (key, copy) in stolen {
            let Some(index) = ix.accounts.iter().position(|m| m.pubkey == key) else { continue };
            let other_kind = if key == keys.vault { scene.crash } else { keys.vault };
            let owner = u32::from(anchor_lang::error::ErrorCode::AccountOwnedByWrongProgram);
            let kind = u32::from(anchor_lang::error::ErrorCode::AccountDiscriminatorMismatch);
            assert_eq!(code(with_account(&ix, index, copy)), owner, "{name} {index}");
            assert_eq!(code(with_account(&ix, index, other_kind)), kind, "{name} {index}");
        }
    }
}

/// What leaves a vault cannot land in an account that the vault owns.
#[test]
fn case_091_destination_cannot_be_the_vault_itself() {
    let mut scene = scene();
    let vault = scene.world.keys.vault;
    let spare = [scene.world.usdc, scene.world.sol].map(|mint| scene.world.create_token_account(mint, vault, 0));
    let (w, sound) = (&scene.world, &scene.sound);
    let twice = u32::from(anchor_lang::error::ErrorCode::ConstraintDuplicateMutableAccount);
    let outflows = [(2, sound.usdc, w.keys.loan_token, spare[0]), (3, sound.sol, w.keys.collateral_token, spare[1])];
    for (path, from, own, spare) in outflows {
        let ix = &scene.paths()[path].1;
        for (to, expected) in [(own, twice), (spare, u32::from(RampartError::DestinationForbidden))] {
            let error = w.simulate_with(&[with_destination(ix, from, to)], &[&sound.key]).unwrap_err();
            assert_eq!(code_of(&error), expected);
        }
    }
}

fn with_destination(ix: &Instruction, from: Pubkey, to: Pubkey) -> Instruction {
    let index = ix.accounts.iter().position(|m| m.pubkey == from).unwrap();
    with_account(ix, index, to)
}

/// The strictest guard a creator can ask for still binds, and nobody else can rewrite it.
#[test]
fn case_004_009_010_018_guard_is_written_once() {
    let mut world = World::with_guard();
    let before: Guard = world.guard_state();
    let (root, stranger) = (world.root.insecure_clone(), world.payer.insecure_clone());
    let mut args = rampart::InitializeGuardArgs { roles: before.roles, bounds: before.bounds };
    args.bounds.max_hourly_outflow_bps = 6_000;
    for signer in [&root, &stranger] {
        let again = admin::initialize_guard(signer.pubkey(), 1, args);
        let at_the_guard = with_account(&again, 1, address::guard(&root.pubkey(), 1));
        assert!(world.send(&[at_the_guard], &[signer]).is_err());
    }
    assert_eq!(bytemuck::bytes_of(&world.guard_state()), bytemuck::bytes_of(&before));
}
