//! Limits on new risk that follow the market: by the collateral's own volatility, and by what keepers report.

use anchor_lang::error::ErrorCode;
use rampart::error::RampartError as E;
use rampart::events::RiskScaled;
use rampart::state::{Change, KeeperCut, ReportPart, ReportParts, RiskScale, ScaleTarget, Switch, Vault};
use rampart_client::address;
use rampart_tests::defaults::{SOL, USDC};
use rampart_tests::keepers::{CALM, Keepers};
use rampart_tests::refusals::{with_account, with_extra, with_last_two_swapped, with_read_only, without_last};
use rampart_tests::scale::switch_on;
use rampart_tests::{User, World, assert_error, events};
use solana_sdk::signer::Signer;

const LTV: ScaleTarget = ScaleTarget::Ltv;
const CAP: ScaleTarget = ScaleTarget::BorrowCap;
const VAULT: usize = 0;
const SET: usize = 1;

/// A vault with a calm hour behind it, and an owner of 100 SOL at 150 dollars.
fn with_owner() -> (World, User) {
    let mut world = World::with_vault();
    world.lender(1_000_000 * USDC);
    let user = world.user(200 * SOL, 0);
    world.deposit_collateral(&user, 100 * SOL).unwrap();
    world.warm_up(60, 60);
    (world, user)
}

/// The price goes up and down by 1 % for half an hour.
fn shake(world: &mut World) {
    for minute in 0..30 {
        world.tick(60, if minute % 2 == 0 { 151.5 } else { 150.0 }, 1.0);
    }
}

/// Five keepers; the limit follows scores beyond 30 %, the cap depths below 50 %. Volatility is off.
fn with_keepers() -> (World, Keepers) {
    let (mut world, keepers) = World::with_keepers(5);
    world.scale(|scale| {
        switch_on(scale);
        scale.volatility.switch = Switch::Disabled as u8;
        (scale.ltv.part, scale.ltv.calm_bps, scale.ltv.slope_bps) = (ReportPart::Score as u8, 3_000, 5_000);
        scale.cap.calm_bps = 5_000;
    });
    (world, keepers)
}

fn say(world: &mut World, keepers: &Keepers, scores: &[u16]) {
    let subject = world.keys.collateral_asset;
    world.advance(1);
    keepers.report(world, subject, &scores.iter().copied().map(Some).collect::<Vec<_>>());
}

fn say_depth(world: &mut World, keepers: &Keepers, liquidity_bps: u16) {
    world.advance(1);
    for key in &keepers.keys {
        world.report(key, world.keys.collateral_asset, ReportParts { liquidity_bps, ..CALM }).unwrap();
    }
}

#[track_caller]
fn refuses(world: &mut World, target: ScaleTarget, expected: E) {
    let ix = world.scale_risk_ix(target);
    world.refuses(&ix, &[], expected);
}

#[test]
fn new_vault_takes_nothing_off() {
    let world = World::with_vault();
    let vault = world.vault();
    assert_eq!(vault.scale, RiskScale::off(7_000));
    vault.scale.validate().unwrap();
    assert_eq!((world.ltv_now(), vault.borrow_cap(world.now_ts())), (7_000, vault.limits.borrow_cap_amount));
}

#[test]
fn borrow_is_limited_by_volatility_beyond_calm() {
    let (mut world, user) = with_owner();
    world.scale(|scale| {
        switch_on(scale);
        scale.volatility.slope_bps = 20_000;
    });
    assert_eq!(world.ltv_now(), 7_000);
    shake(&mut world);
    // 30 changes of 1 %: 543 to 547 bps
    let volatility = world.sol_asset().window.volatility(3_600, world.now_ts()).unwrap().0 as u16;
    assert!((540..=550).contains(&volatility), "{volatility}");
    assert_eq!(world.ltv_now(), 7_000 - 2 * (volatility - 200));
    // 63 % of 15,000 dollars
    assert_error(world.borrow(&user, 9_600 * USDC), E::LtvExceeded);
    world.borrow(&user, 9_200 * USDC).unwrap();
    assert_error(world.withdraw_collateral(&user, 5 * SOL), E::LtvExceeded);
}

#[test]
fn unknown_volatility_leaves_the_floor_for_new_risk_and_stops_no_cure_or_exit() {
    let (mut world, user) = with_owner();
    let saver = world.user(10 * SOL, 0);
    world.deposit_collateral(&saver, 10 * SOL).unwrap();
    world.scale(switch_on);
    world.borrow(&user, 9_900 * USDC).unwrap();
    // forty minutes that nobody observed
    world.advance(2_400);
    world.warm_up(3, 20);
    assert_eq!(world.ltv_now(), 5_000);
    assert_error(world.borrow(&user, 10 * USDC), E::LtvExceeded);
    assert_error(world.withdraw_collateral(&user, SOL), E::LtvExceeded);
    let other = world.user(0, 100_000 * USDC);
    assert_error(world.liquidate(&other, user.position, u64::MAX), E::PositionHealthy);
    assert_error(world.deleverage(&other, user.position, u64::MAX), E::OutsideSoftBand);
    world.withdraw_collateral(&saver, 10 * SOL).unwrap();
    world.deposit_collateral(&user, 50 * SOL).unwrap();
    world.repay(&user, 100 * USDC).unwrap();
    world.borrow(&user, 100 * USDC).unwrap();
}

#[test]
fn scaled_limits_leave_liquidation_as_it_is() {
    let (mut world, user) = with_owner();
    world.borrow(&user, 10_000 * USDC).unwrap();
    world.scale(|scale| {
        switch_on(scale);
        scale.volatility.slope_bps = 20_000;
    });
    world.tick(1, 120.0, 1.0);
    assert_eq!(world.ltv_now(), 5_000);
    let before = world.position(&user.position).collateral_amount;
    let other = world.user(0, 100_000 * USDC);
    world.liquidate(&other, user.position, u64::MAX).unwrap();
    assert!(world.position(&user.position).collateral_amount < before);
}

#[test]
fn scale_risk_follows_the_median_and_says_so() {
    let (mut world, keepers) = with_keepers();
    // half of what lies beyond 30 %
    say(&mut world, &keepers, &[9_000, 5_000, 3_400, 3_400, 100]);
    let before = world.vault();
    let landed = world.scale_risk(LTV).unwrap();
    let now = world.now_ts();
    let event = events::the_one::<RiskScaled>(&landed);
    assert_eq!((event.vault, event.target, event.median_bps), (world.keys.vault, 1, 3_400));
    assert_eq!((event.from_bps, event.to_bps, event.expires_at_ts), (0, 200, now + 21_600));
    let cut = KeeperCut {
        expires_at_ts: now + 21_600,
        moved_at_ts: now,
        hour_used: 200 * 3_600,
        day_used: 200 * 86_400,
        cut_bps: 200,
        reserved: [0; 6],
    };
    let expected = Vault { ltv_cut: cut, ..before };
    assert_eq!(bytemuck::bytes_of(&world.vault()), bytemuck::bytes_of(&expected));
    assert_eq!(world.ltv_now(), 6_800);
    world.advance(21_599);
    assert_eq!(world.ltv_now(), 6_800);
    world.advance(1);
    assert_eq!(world.ltv_now(), 7_000);
}

#[test]
fn scale_risk_limits_what_is_borrowed_and_taken_out_and_lets_everybody_out() {
    let (mut world, keepers) = with_keepers();
    let lender = world.lender(1_000_000 * USDC);
    let user = world.user(200 * SOL, 0);
    world.deposit_collateral(&user, 100 * SOL).unwrap();
    world.scale(|scale| (scale.ltv.hour_bps, scale.ltv.day_bps) = (2_000, 5_000));
    world.borrow(&user, 10_000 * USDC).unwrap();
    say(&mut world, &keepers, &[9_000; 5]);
    world.scale_risk(LTV).unwrap();
    assert_eq!(world.ltv_now(), 6_000);
    assert_error(world.borrow(&user, 10 * USDC), E::LtvExceeded);
    assert_error(world.withdraw_collateral(&user, SOL), E::LtvExceeded);
    world.repay(&user, 1_500 * USDC).unwrap();
    world.borrow(&user, 100 * USDC).unwrap();
    let shares = world.position(&lender.position).supply_shares.get() / 100;
    world.withdraw(&lender, shares).unwrap();
}

#[test]
fn scale_risk_scales_the_borrow_cap_by_depth_down_to_its_floor() {
    let (mut world, keepers) = with_keepers();
    world.lender(1_000_000 * USDC);
    let user = world.user(1_000 * SOL, 0);
    world.deposit_collateral(&user, 1_000 * SOL).unwrap();
    let mut vault = world.vault();
    vault.limits.borrow_cap_amount = 10_000 * USDC;
    (vault.scale.cap.hour_bps, vault.scale.cap.day_bps) = (2_000, 5_000);
    vault.scale.floor_cap_bps = 9_500;
    let key = world.keys.vault;
    world.store(&key, &vault);
    say_depth(&mut world, &keepers, 4_800);
    world.scale_risk(CAP).unwrap();
    assert_error(world.borrow(&user, 9_801 * USDC), E::BorrowCapReached);
    say_depth(&mut world, &keepers, 0);
    world.scale_risk(CAP).unwrap();
    assert_eq!(world.vault().cap_cut.cut_bps, 1_000);
    assert_error(world.borrow(&user, 9_501 * USDC), E::BorrowCapReached);
    world.borrow(&user, 9_500 * USDC).unwrap();
    assert_eq!(world.ltv_now(), 7_000);
}

/// Of five keepers two may lie, and n calls take no more than one.
#[test]
fn keepers_who_lie_and_calls_in_a_row_take_no_more() {
    let (mut world, keepers) = with_keepers();
    say(&mut world, &keepers, &[10_000, 10_000, 500, 600, 700]);
    refuses(&mut world, LTV, E::MedianUnknown);
    say(&mut world, &keepers, &[10_000, 2_000, 2_100, 2_200, 700]);
    refuses(&mut world, LTV, E::ScaleUnchanged);
    say(&mut world, &keepers, &[9_000; 5]);
    world.scale_risk(LTV).unwrap();
    assert_eq!(world.ltv_now(), 6_750);
    for _ in 0..5 {
        refuses(&mut world, LTV, E::ScaleStepUsed);
    }
    // within the hour of 500 bps and the day of 1,500, however often it is called
    let start = world.now_ts();
    while world.now_ts() < start + 85_000 {
        world.advance(600);
        say(&mut world, &keepers, &[10_000; 5]);
        let _ = world.scale_risk(LTV);
        let taken = 7_000 - world.ltv_now();
        let hours = (world.now_ts() - start) / 3_600 + 1;
        assert!(i64::from(taken) <= 500 * hours && taken <= 1_500, "{taken} within {hours} hours");
    }
    assert!(world.ltv_now() < 5_600);
}

/// Reports that were counted once prolong nothing, and old ones count no more.
#[test]
fn reports_shown_again_or_too_old_change_nothing() {
    let (mut world, keepers) = with_keepers();
    say(&mut world, &keepers, &[3_400; 5]);
    world.scale_risk(LTV).unwrap();
    let cut = world.vault().ltv_cut;
    world.advance(60);
    refuses(&mut world, LTV, E::ScaleUnchanged);
    world.advance(1);
    refuses(&mut world, LTV, E::MedianUnknown);
    assert_eq!(world.vault().ltv_cut, cut);
    say(&mut world, &keepers, &[3_400; 5]);
    world.scale_risk(LTV).unwrap();
    let renewed = world.vault().ltv_cut;
    assert_eq!((renewed.cut_bps, renewed.expires_at_ts), (200, world.now_ts() + 21_600));
    // a quorum of five is four
    world.advance(61);
    let subject = world.keys.collateral_asset;
    keepers.report(&mut world, subject, &[Some(9_000), Some(9_000), Some(9_000), None, None]);
    refuses(&mut world, LTV, E::MedianUnknown);
}

#[test]
fn cut_comes_back_by_a_hundred_an_hour_while_keepers_report() {
    let (mut world, keepers) = with_keepers();
    say(&mut world, &keepers, &[3_400; 5]);
    world.scale_risk(LTV).unwrap();
    world.advance(1_799);
    say(&mut world, &keepers, &[500; 5]);
    world.scale_risk(LTV).unwrap();
    assert_eq!(world.ltv_now(), 6_850);
    refuses(&mut world, LTV, E::ScaleUnchanged);
}

#[test]
fn scale_risk_fails_where_it_is_off_or_nothing_it_knows() {
    let (mut world, keepers) = with_keepers();
    say(&mut world, &keepers, &[9_000; 5]);
    let mut unknown = world.scale_risk_ix(LTV);
    for target in [0, 3, u8::MAX] {
        *unknown.data.last_mut().unwrap() = target;
        world.refuses(&unknown, &[], E::UnknownKind);
    }
    world.scale(|scale| scale.ltv.switch = Switch::Disabled as u8);
    refuses(&mut world, LTV, E::ScaleDisabled);
    world.scale(|scale| scale.cap.switch = Switch::Disabled as u8);
    refuses(&mut world, CAP, E::ScaleDisabled);
}

#[test]
fn cut_of_a_scale_that_was_switched_off_takes_nothing() {
    let (mut world, keepers) = with_keepers();
    say(&mut world, &keepers, &[9_000; 5]);
    world.scale_risk(LTV).unwrap();
    world.scale(|scale| scale.ltv.switch = Switch::Disabled as u8);
    assert_eq!(world.ltv_now(), 7_000);
}

#[test]
fn scale_risk_fails_for_accounts_that_do_not_belong() {
    let (mut world, keepers) = with_keepers();
    say(&mut world, &keepers, &[9_000; 5]);
    let ix = world.scale_risk_ix(LTV);
    let extra = with_extra(&ix, world.keys.vault);
    for wrong in [without_last(&ix), with_last_two_swapped(&ix), extra] {
        world.refuses(&wrong, &[], E::ReportAccountsMismatch);
    }
    let foreign = world.other_guard();
    world.refuses(&with_account(&ix, VAULT, foreign.vault), &[], E::RuleSubjectMismatch);
    let last = ix.accounts.len() - 1;
    let of_vault = address::report(&world.keys.vault, &keepers.keys[4].pubkey());
    world.refuses(&with_account(&ix, last, of_vault), &[], E::ReportAccountsMismatch);
    for (index, other) in [(VAULT, world.guard), (SET, world.guard)] {
        world.anchor_refuses(&with_account(&ix, index, other), &[], ErrorCode::AccountDiscriminatorMismatch);
    }
    world.anchor_refuses(&with_read_only(&ix, VAULT), &[], ErrorCode::ConstraintMut);
    let stolen = world.copy_under(&world.keys.vault.clone(), anchor_spl::token::ID);
    world.anchor_refuses(&with_account(&ix, VAULT, stolen), &[], ErrorCode::AccountOwnedByWrongProgram);
}

#[test]
fn change_of_a_scale_waits_stays_near_and_settles_what_was_used() {
    let mut world = World::with_vault();
    world.scale(switch_on);
    let (vault, was) = (world.keys.vault, world.vault().scale);
    let wide = world.propose(vault, Change::VaultScale(RiskScale { floor_ltv_bps: 6_251, ..was }));
    let mut next = RiskScale { floor_ltv_bps: 6_250, ..was };
    next.volatility.switch = Switch::Disabled as u8;
    let near = world.propose(vault, Change::VaultScale(next));
    let ix = world.execute_ix(near, &[]);
    world.refuses(&ix, &[], E::ChangeNotRipe);
    let invalid = world.propose_ix(vault, Change::VaultScale(RiskScale { floor_cap_bps: 0, ..was }));
    let root = world.root.insecure_clone();
    world.refuses(&invalid, &[&root], E::ScaleInvalid);
    world.ripen();
    let ix = world.execute_ix(wide, &[]);
    world.refuses(&ix, &[], E::EffectTooLarge);
    world.execute(near, &[]).unwrap();
    let is = world.vault();
    assert_eq!((is.scale, is.ltv_cut.moved_at_ts), (next, world.now_ts()));
}
