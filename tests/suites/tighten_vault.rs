//! Tightening a vault: what may fall falls at once, nothing may rise, and nobody can close exits with it.

use anchor_lang::error::ErrorCode;
use rampart::error::RampartError;
use rampart::events::VaultTightened;
use rampart::state::flow::FlowLimits;
use rampart::state::{InflowLimits, Level, ReportPart, RiskScale, Switch};
use rampart::{TightenVaultArgs, Validity};
use rampart_client::{Instruction, address, admin};
use rampart_tests::defaults::{SOL, USDC};
use rampart_tests::refusals::{with_account, with_read_only};
use rampart_tests::{World, defaults, events};
use solana_sdk::signer::Signer;

const VAULT: usize = 2;

fn now(world: &World) -> TightenVaultArgs {
    let vault = world.vault();
    TightenVaultArgs {
        ltv_bps: vault.risk.ltv_bps,
        supply_cap_amount: vault.limits.supply_cap_amount,
        borrow_cap_amount: vault.limits.borrow_cap_amount,
        collateral_cap_amount: vault.limits.collateral_cap_amount,
        loan_flow: vault.limits.loan_flow,
        collateral_flow: vault.limits.collateral_flow,
        inflow: vault.limits.inflow,
        scale: vault.scale,
    }
}

fn valid(world: &World) -> Validity {
    Validity { authority_epoch: world.guard_state().authority_epoch, expires_at_ts: world.now_ts() }
}

fn ix(world: &World, args: TightenVaultArgs) -> Instruction {
    admin::tighten_vault(world.risk_admin.pubkey(), world.guard, world.keys.vault, args, valid(world))
}

#[track_caller]
fn refuses(world: &mut World, change: impl FnOnce(&mut TightenVaultArgs), expected: RampartError) {
    let mut args = now(world);
    change(&mut args);
    let signer = world.risk_admin.insecure_clone();
    world.refuses(&ix(world, args), &[&signer], expected);
}

/// All three scales in use, with lower floors.
fn switched_on(scale: RiskScale) -> RiskScale {
    let mut on = RiskScale { floor_ltv_bps: 4_000, floor_cap_bps: 2_500, ..scale };
    on.volatility.calm_bps -= 50;
    for switch in [&mut on.volatility.switch, &mut on.ltv.switch, &mut on.cap.switch] {
        *switch = Switch::Enabled as u8;
    }
    on
}

#[test]
fn tighten_vault_stores_every_limit_and_nothing_else() {
    let mut world = World::with_vault();
    let before = world.vault();
    let args = TightenVaultArgs {
        ltv_bps: 5_000,
        supply_cap_amount: 3,
        borrow_cap_amount: 2,
        collateral_cap_amount: 1,
        loan_flow: FlowLimits {
            absolute_floor_amount: 9,
            hourly_bps: 1_900,
            daily_bps: 3_900,
            ..before.limits.loan_flow
        },
        collateral_flow: FlowLimits {
            absolute_floor_amount: 8,
            hourly_bps: 1_800,
            daily_bps: 3_800,
            ..before.limits.collateral_flow
        },
        inflow: InflowLimits { absolute_floor_amount: 7, hourly_bps: 4_900, daily_bps: 9_900, reserved: [0; 4] },
        scale: switched_on(before.scale),
    };
    let signer = world.risk_admin.insecure_clone();
    let landed = world.send(&[ix(&world, args)], &[&signer]).unwrap();
    let mut expected = before;
    expected.risk.ltv_bps = 5_000;
    expected.limits.supply_cap_amount = 3;
    expected.limits.borrow_cap_amount = 2;
    expected.limits.collateral_cap_amount = 1;
    (expected.limits.loan_flow, expected.limits.collateral_flow) = (args.loan_flow, args.collateral_flow);
    expected.limits.inflow = args.inflow;
    expected.set_scale(args.scale, world.now_ts());
    // the past is settled at the old limits, and the longest step is counted
    expected.loan_flow.settle(&args.loan_flow, world.now_ts());
    expected.collateral_flow.settle(&args.collateral_flow, world.now_ts());
    (expected.tightened.used_bps, expected.tightened.last_ts) = (10_000, world.now_ts());
    assert_eq!(bytemuck::bytes_of(&world.vault()), bytemuck::bytes_of(&expected));
    assert_eq!(events::the_one::<VaultTightened>(&landed).vault, world.keys.vault);
}

#[test]
fn tighten_vault_succeeds_for_root_and_with_the_values_that_stand() {
    let mut world = World::with_vault();
    let (before, args) = (world.vault(), now(&world));
    let ix = admin::tighten_vault(world.root.pubkey(), world.guard, world.keys.vault, args, valid(&world));
    world.send_as_root(&[ix]).unwrap();
    assert_eq!(bytemuck::bytes_of(&world.vault()), bytemuck::bytes_of(&before));
}

#[test]
fn tighten_vault_fails_when_any_limit_would_rise() {
    let mut world = World::with_vault();
    let changes: [fn(&mut TightenVaultArgs); 24] = [
        |a| a.scale.floor_ltv_bps += 1,
        |a| a.scale.volatility.span_secs += 1,
        |a| a.scale.volatility.span_secs -= 1,
        |a| a.scale.volatility.calm_bps += 1,
        |a| a.scale.volatility.slope_bps -= 1,
        |a| a.scale.ltv.slope_bps -= 1,
        |a| a.scale.ltv.calm_bps -= 1,
        |a| a.scale.ltv.hour_bps -= 1,
        |a| a.scale.cap.day_bps -= 1,
        |a| a.scale.cap.calm_bps += 1,
        |a| a.scale.ltv.part = ReportPart::Score as u8,
        |a| a.inflow.absolute_floor_amount += 1,
        |a| a.inflow.hourly_bps += 1,
        |a| a.inflow.daily_bps = u16::MAX,
        |a| a.ltv_bps += 1,
        |a| a.supply_cap_amount += 1,
        |a| a.borrow_cap_amount = u64::MAX,
        |a| a.collateral_cap_amount += 1,
        |a| a.loan_flow.absolute_floor_amount += 1,
        |a| a.loan_flow.hourly_bps += 1,
        |a| a.loan_flow.daily_bps += 1,
        |a| a.collateral_flow.absolute_floor_amount += 1,
        |a| a.collateral_flow.hourly_bps += 1,
        |a| a.collateral_flow.daily_bps = u16::MAX,
    ];
    for change in changes {
        refuses(&mut world, change, RampartError::LooseningRefused);
    }
}

#[test]
fn tighten_vault_fails_when_the_exit_share_or_its_reserve_would_move() {
    let mut world = World::with_vault();
    let fields: [fn(&mut TightenVaultArgs) -> &mut u16; 4] = [
        |a| &mut a.loan_flow.exit_share_bps,
        |a| &mut a.loan_flow.floor_reserve_bps,
        |a| &mut a.collateral_flow.exit_share_bps,
        |a| &mut a.collateral_flow.floor_reserve_bps,
    ];
    for field in fields {
        refuses(&mut world, |a| *field(a) += 1, RampartError::LooseningRefused);
        refuses(&mut world, |a| *field(a) -= 1, RampartError::LooseningRefused);
    }
}

/// A loosening among tightenings is a loosening.
#[test]
fn case_006_loosening_among_tightenings_is_refused() {
    let mut world = World::with_vault();
    let hidden = |a: &mut TightenVaultArgs| {
        (a.ltv_bps, a.supply_cap_amount, a.borrow_cap_amount) = (1_000, 0, 0);
        a.loan_flow.daily_bps += 1;
    };
    refuses(&mut world, hidden, RampartError::LooseningRefused);
}

#[test]
fn tighten_vault_fails_when_the_result_could_not_work() {
    let mut world = World::with_vault();
    refuses(&mut world, |a| a.ltv_bps = 0, RampartError::RiskParamsInvalid);
    refuses(&mut world, |a| a.scale.floor_ltv_bps = 0, RampartError::ScaleInvalid);
    refuses(&mut world, |a| a.scale.cap.hour_bps = 2_001, RampartError::ScaleInvalid);
    refuses(&mut world, |a| a.loan_flow.hourly_bps = 0, RampartError::LimiterInvalid);
    refuses(&mut world, |a| a.loan_flow.hourly_bps = 1_600, RampartError::LimiterInvalid);
    refuses(&mut world, |a| a.loan_flow.daily_bps = a.loan_flow.hourly_bps - 1, RampartError::LimiterInvalid);
    refuses(&mut world, |a| a.collateral_flow.hourly_bps = 1_600, RampartError::LimiterInvalid);
}

/// With the absolute floor gone on the vault's first day, the exit floor paid nothing.
#[test]
fn case_011_tightening_cannot_starve_the_exit_floor() {
    let mut world = World::with_vault();
    world.lender(1_000_000 * USDC);
    world.borrower(100 * SOL, 1_000 * USDC);
    refuses(&mut world, |a| a.loan_flow.absolute_floor_amount = 0, RampartError::LimiterInvalid);
    refuses(&mut world, |a| a.loan_flow.absolute_floor_amount = 199_999 * USDC, RampartError::LimiterInvalid);
    refuses(&mut world, |a| a.collateral_flow.absolute_floor_amount = 20 * SOL - 1, RampartError::LimiterInvalid);
    let mut args = now(&world);
    (args.loan_flow.absolute_floor_amount, args.collateral_flow.absolute_floor_amount) = (200_000 * USDC, 20 * SOL);
    let signer = world.risk_admin.insecure_clone();
    world.send(&[ix(&world, args)], &[&signer]).unwrap();
    assert_eq!(now(&world).loan_flow.absolute_floor_amount, 200_000 * USDC);
}

/// The strictest tightening that is allowed traps nobody and makes nobody liquidatable.
#[test]
fn case_011_exits_stay_open_after_the_strictest_tightening() {
    let mut world = World::with_vault();
    let lender = world.lender(1_000_000 * USDC);
    let borrower = world.borrower(100 * SOL, 10_000 * USDC);
    let mut args = now(&world);
    (args.ltv_bps, args.supply_cap_amount, args.borrow_cap_amount, args.collateral_cap_amount) = (1, 0, 0, 0);
    (args.loan_flow.absolute_floor_amount, args.collateral_flow.absolute_floor_amount) = (200_000 * USDC, 20 * SOL);
    let signer = world.risk_admin.insecure_clone();
    world.send(&[ix(&world, args)], &[&signer]).unwrap();
    let rule = world.create_rule(1, world.keys.collateral_asset, defaults::drawdown_rule());
    world.tick(3_700, 150.0, 1.0);
    world.warm_up(10, 60);
    world.tick(30, 130.0, 1.0);
    world.trip(rule).unwrap();
    assert_eq!(world.level(), Level::ReduceOnly);
    let shares = world.position(&lender.position).supply_shares.get() / 100;
    world.withdraw(&lender, shares).unwrap();
    assert!(world.balance(&lender.usdc) >= 9_999 * USDC);
    let other = world.user(0, 100_000 * USDC);
    let outcome = world.liquidate(&other, borrower.position, u64::MAX);
    rampart_tests::assert_error(outcome, RampartError::PositionHealthy);
}

#[test]
fn tighten_vault_fails_when_the_signer_holds_no_role_for_it() {
    let mut world = World::with_vault();
    let (args, validity) = (now(&world), valid(&world));
    let stranger = world.payer.insecure_clone();
    let theirs = admin::tighten_vault(stranger.pubkey(), world.guard, world.keys.vault, args, validity);
    world.refuses(&theirs, &[&stranger], RampartError::WrongAuthority);
    let mut unsigned = ix(&world, args);
    unsigned.accounts[0].is_signer = false;
    world.anchor_refuses(&unsigned, &[], ErrorCode::AccountNotSigner);
}

#[test]
fn tighten_vault_fails_after_its_expiry_and_under_another_epoch() {
    let mut world = World::with_vault();
    let (signer, late) = (world.risk_admin.insecure_clone(), ix(&world, now(&world)));
    world.advance(1);
    world.refuses(&late, &[&signer], RampartError::InstructionExpired);
    let mut guard = world.guard_state();
    guard.authority_epoch = 5;
    world.store(&world.guard.clone(), &guard);
    for authority_epoch in [0, 4, 6] {
        let validity = Validity { authority_epoch, ..valid(&world) };
        let stale = admin::tighten_vault(signer.pubkey(), world.guard, world.keys.vault, now(&world), validity);
        world.refuses(&stale, &[&signer], RampartError::AuthorityEpochMoved);
    }
    world.send(&[ix(&world, now(&world))], &[&signer]).unwrap();
}

#[test]
fn tighten_vault_fails_for_a_vault_of_another_guard() {
    let mut world = World::with_vault();
    let (root, guard) = (world.root.pubkey(), address::guard(&world.root.pubkey(), 2));
    let roles = defaults::roles(root, world.risk_admin.pubkey());
    let args = rampart::InitializeGuardArgs { roles, bounds: defaults::bounds() };
    world.send_as_root(&[admin::initialize_guard(root, 2, args)]).unwrap();
    let signer = world.root.insecure_clone();
    let foreign = admin::tighten_vault(root, guard, world.keys.vault, now(&world), valid(&world));
    world.refuses(&foreign, &[&signer], RampartError::VaultAssetsInvalid);
}

#[test]
fn tighten_vault_fails_when_an_account_is_of_another_kind_or_owner() {
    let mut world = World::with_vault();
    let signer = world.risk_admin.insecure_clone();
    let tighten = ix(&world, now(&world));
    for (index, other) in [(1, world.keys.vault), (VAULT, world.keys.loan_asset), (VAULT, world.guard)] {
        let cosplay = with_account(&tighten, index, other);
        world.anchor_refuses(&cosplay, &[&signer], ErrorCode::AccountDiscriminatorMismatch);
        let stolen = world.copy_under(&tighten.accounts[index].pubkey, anchor_spl::token::ID);
        let stolen = with_account(&tighten, index, stolen);
        world.anchor_refuses(&stolen, &[&signer], ErrorCode::AccountOwnedByWrongProgram);
    }
    let frozen = with_read_only(&tighten, VAULT);
    world.anchor_refuses(&frozen, &[&signer], ErrorCode::ConstraintMut);
}
