//! Creating a vault: what is stored, and every pair and parameter that is refused.

use anchor_lang::error::ErrorCode;
use rampart::InitializeVaultArgs;
use rampart::error::RampartError;
use rampart::events::VaultCreated;
use rampart::math::price::Q64_ONE;
use rampart::state::breaker::Breaker;
use rampart::state::flow::{DayBase, FlowLimits};
use rampart::state::{InflowLimits, InterestCurve, RiskParams, Vault};
use rampart_client::{MintOf, Pubkey, VaultKeys, address, admin};
use rampart_tests::refusals::with_account;
use rampart_tests::world::defaults_args;
use rampart_tests::{World, defaults, events};
use solana_sdk::instruction::InstructionError;
use solana_sdk::signer::Signer;

const ALREADY_IN_USE: u32 = 0;
/// Places in the instruction's account list.
const GUARD: usize = 1;
const COLLATERAL_ASSET: usize = 2;
const LOAN_ASSET: usize = 3;
const COLLATERAL_MINT: usize = 4;
const LOAN_TOKEN_PROGRAM: usize = 10;

#[track_caller]
fn refuses(change: impl FnOnce(&mut InitializeVaultArgs), expected: RampartError) {
    let mut world = World::with_assets();
    let mut args = defaults_args();
    change(&mut args);
    let root = world.root.insecure_clone();
    world.refuses(&world.initialize_vault_ix(args), &[&root], expected);
    assert!(world.svm.get_account(&world.keys.vault).is_none());
}

#[test]
fn initialize_vault_stores_every_field() {
    let mut world = World::with_assets();
    let (args, now_ts) = (defaults_args(), world.now_ts());
    let landed = world.send_as_root(&[world.initialize_vault_ix(args)]).unwrap();
    let (vault, keys) = (world.vault(), world.keys);
    assert_eq!(
        (vault.guard, vault.collateral_asset, vault.loan_asset),
        (keys.guard, keys.collateral_asset, keys.loan_asset)
    );
    assert_eq!((vault.collateral_mint, vault.loan_mint), (keys.collateral_mint, keys.loan_mint));
    assert_eq!((vault.collateral_token, vault.loan_token), (keys.collateral_token, keys.loan_token));
    assert_eq!((vault.risk, vault.curve, vault.limits), (args.risk, args.curve, args.limits));
    assert_eq!((vault.supply_shares.get(), vault.debt_scaled.get(), vault.borrow_index_q64.get()), (0, 0, Q64_ONE));
    assert_eq!((vault.cash_amount, vault.insurance_amount, vault.collateral_amount), (0, 0, 0));
    assert_eq!((vault.accrued_at_ts, vault.totals), (now_ts, Default::default()));
    assert_eq!((vault.loan_flow.base, vault.collateral_flow.base), (DayBase::start(now_ts), DayBase::start(now_ts)));
    assert_eq!((vault.loan_flow.exit, vault.loan_flow.risk), (Default::default(), Default::default()));
    assert_eq!((vault.breaker, vault.version, vault.reserved), (Breaker::default(), 1, [0; 87]));
    assert_eq!((vault.collateral_decimals, vault.loan_decimals), (9, 6));
    let fact: VaultCreated = events::the_one(&landed);
    assert_eq!((fact.guard, fact.vault), (keys.guard, keys.vault));
}

#[test]
fn initialize_vault_owns_empty_token_accounts_of_both_mints() {
    for mut world in [World::with_vault(), World::with_token_2022_vault()] {
        let keys = world.keys;
        for (account, mint) in [(keys.collateral_token, keys.collateral_mint), (keys.loan_token, keys.loan_mint)] {
            let data = world.svm.get_account(&account).unwrap().data;
            assert_eq!((&data[..32], &data[32..64]), (mint.as_ref(), keys.vault.as_ref()));
            assert_eq!(world.balance(&account), 0);
        }
        let bump = [world.vault().bump];
        let seeds: &[&[u8]] =
            &[b"vault", keys.guard.as_ref(), keys.collateral_mint.as_ref(), keys.loan_mint.as_ref(), &bump];
        assert_eq!(Pubkey::create_program_address(seeds, &rampart::ID), Ok(keys.vault));
        let root = world.root.insecure_clone();
        world.callee_refuses(&world.initialize_vault_ix(defaults_args()), &[&root], ALREADY_IN_USE);
    }
}

#[test]
fn initialize_vault_fails_when_the_signer_is_not_root() {
    let mut world = World::with_assets();
    for signer in [world.risk_admin.insecure_clone(), world.payer.insecure_clone()] {
        let ix = admin::initialize_vault(signer.pubkey(), world.guard, world.sol, world.usdc, defaults_args());
        world.refuses(&ix, &[&signer], RampartError::WrongAuthority);
    }
    let mut unsigned = world.initialize_vault_ix(defaults_args());
    unsigned.accounts[0].is_signer = false;
    world.anchor_refuses(&unsigned, &[], ErrorCode::AccountNotSigner);
}

#[test]
fn initialize_vault_fails_when_assets_and_mints_do_not_belong_together() {
    let mut world = World::with_assets();
    let root = world.root.insecure_clone();
    let (keys, ix) = (world.keys, world.initialize_vault_ix(defaults_args()));
    let same = with_account(&ix, LOAN_ASSET, keys.collateral_asset);
    world.refuses(&same, &[&root], RampartError::VaultAssetsInvalid);
    let same = with_account(&ix, COLLATERAL_ASSET, keys.loan_asset);
    world.refuses(&same, &[&root], RampartError::VaultAssetsInvalid);
    let mut crossed = with_account(&ix, LOAN_ASSET, keys.collateral_asset);
    crossed.accounts[COLLATERAL_ASSET].pubkey = keys.loan_asset;
    world.refuses(&crossed, &[&root], RampartError::VaultAssetsInvalid);
    let other_mint = with_account(&ix, COLLATERAL_MINT, keys.loan_mint);
    world.anchor_refuses(&other_mint, &[&root], ErrorCode::ConstraintSeeds);
}

/// Creates a second guard of the same root, with the collateral registered under it, and returns guard and asset.
fn other_guard(world: &mut World) -> (Pubkey, Pubkey) {
    let (root, guard) = (world.root.pubkey(), address::guard(&world.root.pubkey(), 2));
    let roles = defaults::roles(root, world.risk_admin.pubkey());
    let args = rampart::InitializeGuardArgs { roles, bounds: defaults::bounds() };
    let asset = defaults::asset_args(world.sol_feeds.set());
    let ixs = [admin::initialize_guard(root, 2, args), admin::register_asset(root, guard, world.sol.mint, asset)];
    world.send_as_root(&ixs).unwrap();
    (guard, address::asset(&guard, &world.sol.mint))
}

#[test]
fn initialize_vault_fails_with_an_asset_of_another_guard() {
    let mut world = World::with_assets();
    let root = world.root.insecure_clone();
    let (_, foreign) = other_guard(&mut world);
    let ix = with_account(&world.initialize_vault_ix(defaults_args()), COLLATERAL_ASSET, foreign);
    world.refuses(&ix, &[&root], RampartError::VaultAssetsInvalid);
}

#[test]
fn initialize_vault_fails_with_accounts_of_another_kind_or_owner() {
    let mut world = World::with_assets();
    let root = world.root.insecure_clone();
    let ix = world.initialize_vault_ix(defaults_args());
    let keys = world.keys;
    for (index, other) in [(GUARD, keys.loan_asset), (COLLATERAL_ASSET, keys.guard), (LOAN_ASSET, keys.guard)] {
        let cosplay = with_account(&ix, index, other);
        world.anchor_refuses(&cosplay, &[&root], ErrorCode::AccountDiscriminatorMismatch);
        let stolen = world.copy_under(&ix.accounts[index].pubkey, anchor_spl::token::ID);
        let stolen = with_account(&ix, index, stolen);
        world.anchor_refuses(&stolen, &[&root], ErrorCode::AccountOwnedByWrongProgram);
    }
    let stolen = world.copy_under(&keys.collateral_mint, rampart::ID);
    let foreign = MintOf { mint: stolen, ..world.sol };
    let mut ix = admin::initialize_vault(root.pubkey(), world.guard, foreign, world.usdc, defaults_args());
    ix.accounts[COLLATERAL_ASSET].pubkey = keys.collateral_asset;
    world.anchor_refuses(&ix, &[&root], ErrorCode::AccountOwnedByWrongProgram);
}

#[test]
fn initialize_vault_fails_with_another_token_program() {
    let mut world = World::with_assets();
    let root = world.root.insecure_clone();
    let ix = world.initialize_vault_ix(defaults_args());
    let other = with_account(&ix, LOAN_TOKEN_PROGRAM, rampart::ID);
    world.anchor_refuses(&other, &[&root], ErrorCode::InvalidProgramId);
    // the other token program refuses a mint that it does not own
    let other = with_account(&ix, LOAN_TOKEN_PROGRAM, anchor_spl::token_2022::ID);
    world.refuses_with(&other, &[&root], InstructionError::IncorrectProgramId);
    assert!(world.svm.get_account(&world.keys.vault).is_none());
}

#[test]
fn initialize_vault_fails_at_the_address_of_another_pair() {
    let mut world = World::with_vault();
    let root = world.root.insecure_clone();
    let other = world.create_mint(anchor_spl::token::ID, 6);
    let keys = VaultKeys::derive(world.guard, world.usdc, other);
    let ix = with_account(&world.initialize_vault_ix(defaults_args()), 6, keys.vault);
    world.anchor_refuses(&ix, &[&root], ErrorCode::ConstraintSeeds);
}

#[test]
fn initialize_vault_fails_when_its_lines_are_out_of_order() {
    let changes: [fn(&mut RiskParams); 18] = [
        |r| r.ltv_bps = 0,
        |r| r.ltv_bps = r.soft_line_bps,
        |r| r.soft_line_bps = r.liquidation_line_bps,
        |r| r.liquidation_line_bps = r.full_close_ltv_bps,
        |r| r.full_close_ltv_bps = 10_001,
        |r| r.target_ltv_bps = 0,
        |r| r.target_ltv_bps = r.soft_line_bps + 1,
        |r| r.soft_bonus_bps = r.min_bonus_bps + 1,
        |r| r.min_bonus_bps = r.max_bonus_bps + 1,
        |r| r.soft_quota_bps = 0,
        |r| r.soft_quota_bps = 10_001,
        |r| r.close_factor_bps = 0,
        |r| r.close_factor_bps = 10_001,
        // 0.93 · 1.08 is more than all collateral
        |r| r.liquidation_line_bps = 9_300,
        |r| r.max_bonus_bps = u16::MAX,
        |r| r.ltv_bps = u16::MAX,
        |r| r.soft_line_bps = u16::MAX,
        |r| r.liquidation_line_bps = 0,
    ];
    for change in changes {
        refuses(|a| change(&mut a.risk), RampartError::RiskParamsInvalid);
    }
}

#[test]
fn initialize_vault_fails_beyond_the_hard_bounds() {
    let beyond = RampartError::OutsideHardBounds;
    refuses(
        |a| {
            (a.risk.ltv_bps, a.risk.soft_line_bps, a.risk.liquidation_line_bps, a.risk.max_bonus_bps) =
                (9_001, 9_100, 9_200, 800)
        },
        beyond,
    );
    refuses(|a| a.risk.max_bonus_bps = 1_001, beyond);
    refuses(|a| (a.limits.loan_flow.hourly_bps, a.limits.loan_flow.daily_bps) = (3_001, 4_000), beyond);
    refuses(|a| a.limits.collateral_flow.daily_bps = 6_001, beyond);
    refuses(|a| a.limits.exit_floor_bps = 49, beyond);
}

#[test]
fn initialize_vault_fails_when_its_curve_descends() {
    let changes: [fn(&mut InterestCurve); 6] = [
        |c| c.base_rate_bps = c.kink_rate_bps + 1,
        |c| c.kink_rate_bps = c.max_rate_bps + 1,
        |c| c.max_rate_bps = 100_001,
        |c| c.kink_bps = 0,
        |c| c.kink_bps = 10_000,
        |c| c.reserve_factor_bps = 10_000,
    ];
    for change in changes {
        refuses(|a| change(&mut a.curve), RampartError::CurveInvalid);
    }
}

#[test]
fn initialize_vault_fails_when_a_limiter_cannot_hold_the_floor_back() {
    let changes: [fn(&mut FlowLimits); 7] = [
        |f| f.hourly_bps = 0,
        |f| f.hourly_bps = f.daily_bps + 1,
        |f| f.exit_share_bps = 0,
        |f| f.exit_share_bps = 10_000,
        |f| f.floor_reserve_bps = 0,
        |f| f.floor_reserve_bps = 10_000,
        // 0.4 · 0.6 · 0.16 / 2 is less than two floors of a hundredth
        |f| f.hourly_bps = 1_600,
    ];
    for change in changes {
        refuses(|a| change(&mut a.limits.loan_flow), RampartError::LimiterInvalid);
        refuses(|a| change(&mut a.limits.collateral_flow), RampartError::LimiterInvalid);
    }
    refuses(|a| a.limits.exit_floor_bps = 121, RampartError::LimiterInvalid);
}

#[test]
fn initialize_vault_fails_when_new_collateral_could_not_begin_or_an_hour_exceeds_its_day() {
    let changes: [fn(&mut InflowLimits); 4] = [
        |l| l.absolute_floor_amount = 0,
        |l| l.hourly_bps = 0,
        |l| l.hourly_bps = l.daily_bps + 1,
        |l| l.daily_bps = 10_001,
    ];
    for change in changes {
        refuses(|a| change(&mut a.limits.inflow), RampartError::InflowLimitsInvalid);
    }
}

#[test]
fn initialize_vault_fails_when_reserved_bytes_are_set() {
    refuses(|a| a.risk.reserved[0] = 1, RampartError::UnknownKind);
    refuses(|a| a.limits.reserved[5] = 1, RampartError::UnknownKind);
    refuses(|a| a.limits.inflow.reserved[3] = 1, RampartError::UnknownKind);
}

#[test]
fn initialize_vault_allows_the_reverse_pair_as_a_vault_of_its_own() {
    let mut world = World::with_vault();
    let ix = admin::initialize_vault(world.root.pubkey(), world.guard, world.usdc, world.sol, defaults_args());
    world.send_as_root(&[ix]).unwrap();
    let reverse: Vault = world.load(&VaultKeys::derive(world.guard, world.usdc, world.sol).vault);
    assert_eq!((reverse.collateral_decimals, reverse.loan_decimals), (6, 9));
}
