//! Tickets for withdrawals beyond the limit of now.

use crate::actions::{Scene, shares_for, withdraw_ix, worth};
use crate::forced::{at_risk, crash};
use anchor_lang::error::ErrorCode as Anchor;
use rampart::ClaimWithdrawalArgs;
use rampart::constants::{DAY_SECS, HOUR_SECS, TICKET_DUE_SECS, TICKET_HOLD_SECS};
use rampart::error::RampartError as E;
use rampart::events::{TicketCancelled, TicketOpened};
use rampart::state::rule::{Comparator, Metric, RuleParams};
use rampart::state::{Level, WithdrawTicket};
use rampart_client::{Instruction, exit, lending};
use rampart_tests::books::Donated;
use rampart_tests::defaults::{SOL, USDC, drawdown_rule};
use rampart_tests::events::the_one_logged;
use rampart_tests::refusal::{TokenRefusal, assert_refused, without_signature};
use rampart_tests::refusals::{with_account, with_read_only};
use rampart_tests::rules::{Shown, outflow_rate};
use rampart_tests::scenario::Scope;
use rampart_tests::{User, World};

/// What exits may take at once in the default vault: see `limiter.rs`.
const EXIT_AT_ONCE: u64 = 180_000 * USDC;
/// What tickets may book of one hour: half of that.
const HOUR_OF_TICKETS: u64 = 90_000 * USDC;
/// Shares of one USDC in a vault that has earned nothing.
const SHARES: u128 = USDC as u128 * rampart::constants::VIRTUAL_SHARES;

fn request_ix(world: &World, user: &User, shares: u128) -> Instruction {
    exit::request_withdrawal(&world.keys, user.address(), shares)
}

fn claim_ix(world: &World, user: &User, ticket: u8) -> Instruction {
    exit::claim_withdrawal(&world.keys, user.address(), user.usdc, ClaimWithdrawalArgs { ticket, min_amount: 0 })
}

fn request(world: &mut World, user: &User, shares: u128) -> TicketOpened {
    let ix = request_ix(world, user, shares);
    the_one_logged(&world.send(&[ix], &[&user.key]).unwrap_or_else(|e| panic!("{}", e.meta.logs.join("\n"))))
}

/// Claims and returns what was paid.
#[track_caller]
fn claim(world: &mut World, user: &User, ticket: u8) -> u64 {
    let (ix, before) = (claim_ix(world, user, ticket), world.balance(&user.usdc));
    world.send(&[ix], &[&user.key]).unwrap_or_else(|e| panic!("{}", e.meta.logs.join("\n")));
    world.balance(&user.usdc) - before
}

fn ticket(world: &World, user: &User, number: usize) -> WithdrawTicket {
    world.position(&user.position).tickets.slots[number]
}

fn to(world: &mut World, ts: i64) {
    let secs = ts - world.now_ts();
    assert!(secs >= 0);
    world.advance(secs);
}

/// A lender whose own inflow no longer counts.
fn settled(lent: u64) -> (World, User) {
    let mut world = World::with_vault();
    let lender = world.lender(lent);
    world.advance(HOUR_SECS);
    (world, lender)
}

#[test]
fn ticket_locks_shares_and_is_paid_in_its_hour_beside_live_exits() {
    let (mut world, lender) = settled(2_000_000 * USDC);
    let rival = world.lender(1_000_000 * USDC);
    world.advance(HOUR_SECS);
    world.withdraw(&lender, EXIT_AT_ONCE as u128 * rampart::constants::VIRTUAL_SHARES).unwrap();
    let opened = request(&mut world, &lender, 89_000 * SHARES);
    let hour = world.now_ts().div_euclid(HOUR_SECS);
    assert_eq!((opened.ticket, opened.shares, opened.eligible_at_ts), (0, 89_000 * SHARES, (hour + 2) * HOUR_SECS));
    assert_eq!(opened.latest_at_ts, opened.eligible_at_ts + TICKET_HOLD_SECS);
    let early = claim_ix(&world, &lender, 0);
    assert_refused(&mut world, &early, &[&lender.key], E::TicketNotRipe);
    to(&mut world, opened.eligible_at_ts - 1);
    assert_refused(&mut world, &early, &[&lender.key], E::TicketNotRipe);
    world.advance(1);
    // others take what they can: the room of the ticket stays
    for amount in [180_000, 100_000, 90_000, 50_000, 10_000, 1_000, 100, 10, 1].map(|a| a * SHARES) {
        let _ = world.withdraw(&rival, amount);
    }
    assert!(world.balance(&rival.usdc) > 80_000 * USDC, "live exits have their half");
    assert_eq!(claim(&mut world, &lender, 0), 89_000 * USDC);
    assert!(!ticket(&world, &lender, 0).is_open());
    assert_refused(&mut world, &early, &[&lender.key], E::TicketNotOpen);
    world.assert_books(&[&lender, &rival], Donated::default());
}

#[test]
fn locked_shares_cannot_be_withdrawn_or_locked_again_until_cancelled() {
    let (mut world, lender) = settled(50_000 * USDC);
    request(&mut world, &lender, 30_000 * SHARES);
    let locked = withdraw_ix(&world, &lender, 20_000 * SHARES + 1);
    assert_refused(&mut world, &locked, &[&lender.key], E::SharesLocked);
    let again = request_ix(&world, &lender, 20_000 * SHARES + 1);
    assert_refused(&mut world, &again, &[&lender.key], E::SharesLocked);
    let close = lending::close_position(lender.address(), world.keys.vault);
    assert_refused(&mut world, &close, &[&lender.key], E::PositionNotEmpty);
    let cancel = exit::cancel_withdrawal(world.keys.vault, lender.address(), 0);
    let landed = world.send(std::slice::from_ref(&cancel), &[&lender.key]).unwrap();
    assert_eq!(the_one_logged::<TicketCancelled>(&landed).ticket, 0);
    assert_eq!(world.vault().loan_flow.bookings.total_amount, 0);
    assert_refused(&mut world, &cancel, &[&lender.key], E::TicketNotOpen);
    world.withdraw(&lender, 50_000 * SHARES).unwrap();
    let close = lending::close_position(lender.address(), world.keys.vault);
    world.send(&[close], &[&lender.key]).unwrap();
}

#[test]
fn request_fails_for_nothing_too_much_and_a_ninth_ticket() {
    let (mut world, lender) = settled(2_000_000 * USDC);
    let cases = [
        (0, E::ZeroAmount),
        (2_000_000 * SHARES + 1, E::AmountExceedsPosition),
        (HOUR_OF_TICKETS as u128 * rampart::constants::VIRTUAL_SHARES, E::TicketTooLarge),
    ];
    for (shares, error) in cases {
        let ix = request_ix(&world, &lender, shares);
        assert_refused(&mut world, &ix, &[&lender.key], error);
    }
    let mut last_ts = 0;
    for number in 0..8 {
        let opened = request(&mut world, &lender, 60_000 * SHARES);
        assert!(opened.ticket == number && opened.eligible_at_ts > last_ts, "each has an hour of its own");
        last_ts = opened.eligible_at_ts;
    }
    let ninth = request_ix(&world, &lender, 1_000 * SHARES);
    assert_refused(&mut world, &ninth, &[&lender.key], E::TicketsFull);
    let position = world.position(&lender.position);
    assert!(position.tickets.locked_shares() <= position.supply_shares.get());
}

#[test]
fn request_fails_when_the_queue_is_full() {
    let (mut world, lender) = settled(10_000_000 * USDC);
    let mut crowd: Vec<User> = (0..6).map(|_| world.lender(1_000_000 * USDC)).collect();
    crowd.push(lender);
    let mut refused = None;
    'all: for user in &crowd {
        for _ in 0..8 {
            let ix = request_ix(&world, user, 89_000 * SHARES);
            if world.send(std::slice::from_ref(&ix), &[&user.key]).is_err() {
                refused = Some((user, ix));
                break 'all;
            }
        }
    }
    let (user, ix) = refused.expect("the queue ends");
    assert_refused(&mut world, &ix, &[&user.key], E::TicketQueueFull);
}

#[test]
fn ticket_stays_shares_and_bears_a_loss_as_all_others_do() {
    let (mut world, [lender, borrower, by]) = at_risk();
    let other = world.lender(1_000_000 * USDC);
    world.advance(HOUR_SECS);
    world.set_prices(150.0, 1.0);
    let opened = request(&mut world, &lender, 50_000 * SHARES);
    crash(&mut world, 60.0);
    world.liquidate(&by, borrower.position, u64::MAX).unwrap();
    to(&mut world, opened.eligible_at_ts);
    let (before, half) = (worth(&world, &lender), worth(&world, &other) / 20);
    assert!(before < 1_000_000 * USDC);
    let paid = claim(&mut world, &lender, 0);
    assert!(paid < 50_000 * USDC && paid.abs_diff(half) <= 1, "{paid} {half}");
    world.assert_books(&[&lender, &other, &borrower, &by], Donated::default());
}

#[test]
fn claim_pays_what_cash_allows_and_the_rest_stays_with_its_dates() {
    let mut world = World::with_vault();
    let lender = world.lender(100_000 * USDC);
    let borrower = world.borrower(1_000 * SOL, 80_000 * USDC);
    world.advance(HOUR_SECS);
    let opened = request(&mut world, &lender, 50_000 * SHARES);
    to(&mut world, opened.eligible_at_ts);
    assert_eq!(claim(&mut world, &lender, 0), 20_000 * USDC);
    let left = ticket(&world, &lender, 0);
    assert_eq!((left.eligible_at_ts, left.latest_at_ts), (opened.eligible_at_ts, opened.latest_at_ts));
    assert!(left.shares.get() > 29_999 * SHARES && left.shares.get() < 30_001 * SHARES);
    let broke = claim_ix(&world, &lender, 0);
    assert_refused(&mut world, &broke, &[&lender.key], E::InsufficientCash);
    world.repay(&borrower, 40_000 * USDC).unwrap();
    let rest = claim(&mut world, &lender, 0);
    assert!((29_999 * USDC..30_100 * USDC).contains(&rest), "{rest}");
    assert!(world.position(&lender.position).tickets.is_empty());
    world.assert_books(&[&lender, &borrower], Donated::default());
}

#[test]
fn claim_fails_below_the_least_asked_for_and_for_a_wrong_number() {
    let (mut world, lender) = settled(50_000 * USDC);
    let opened = request(&mut world, &lender, 30_000 * SHARES);
    to(&mut world, opened.eligible_at_ts);
    let (keys, owner, to) = (world.keys, lender.address(), lender.usdc);
    let ix = |ticket, min_amount| exit::claim_withdrawal(&keys, owner, to, ClaimWithdrawalArgs { ticket, min_amount });
    assert_refused(&mut world, &ix(0, 30_000 * USDC + 1), &[&lender.key], E::SlippageExceeded);
    for number in [1, 7, 8, 255] {
        assert_refused(&mut world, &ix(number, 0), &[&lender.key], E::TicketNotOpen);
        let cancel = exit::cancel_withdrawal(keys.vault, owner, number);
        assert_refused(&mut world, &cancel, &[&lender.key], E::TicketNotOpen);
    }
    world.send(&[ix(0, 30_000 * USDC)], &[&lender.key]).unwrap();
}

#[test]
fn claim_after_its_hour_has_what_live_exits_have() {
    let (mut world, lender) = settled(1_000_000 * USDC);
    let rival = world.lender(1_000_000 * USDC);
    let opened = request(&mut world, &lender, 80_000 * SHARES);
    to(&mut world, opened.eligible_at_ts + HOUR_SECS);
    world.withdraw(&rival, 150_000 * SHARES).unwrap();
    assert_eq!(claim(&mut world, &lender, 0), 30_000 * USDC);
    let full = claim_ix(&world, &lender, 0);
    assert_refused(&mut world, &full, &[&lender.key], E::HourlyLimitReached);
    world.advance(2 * HOUR_SECS);
    assert_eq!(claim(&mut world, &lender, 0), 50_000 * USDC);
}

#[test]
fn claim_waits_for_restricted_exits_and_passes_at_its_latest_date() {
    for level in [Level::ReduceOnly, Level::Halt] {
        let (mut world, lender) = settled(50_000 * USDC);
        let opened = request(&mut world, &lender, 30_000 * SHARES);
        world.advance(DAY_SECS);
        world.raise(Scope::Vault, level);
        let ix = claim_ix(&world, &lender, 0);
        assert_refused(&mut world, &ix, &[&lender.key], E::TicketHeld);
        to(&mut world, opened.latest_at_ts);
        world.calm(Scope::Vault);
        world.raise(Scope::Guard, level);
        assert_eq!(claim(&mut world, &lender, 0), 30_000 * USDC);
    }
}

#[test]
fn claim_is_no_standing_way_around_a_halt() {
    let (mut world, lender) = settled(50_000 * USDC);
    let opened = request(&mut world, &lender, 30_000 * SHARES);
    to(&mut world, opened.latest_at_ts + TICKET_DUE_SECS);
    world.raise(Scope::CollateralAsset, Level::Halt);
    let ix = claim_ix(&world, &lender, 0);
    assert_refused(&mut world, &ix, &[&lender.key], E::TicketHeld);
    world.calm(Scope::CollateralAsset);
    assert_eq!(claim(&mut world, &lender, 0), 30_000 * USDC);
}

#[test]
fn case_014_tightened_limits_change_no_date_of_a_pending_ticket() {
    let (mut world, lender) = settled(50_000 * USDC);
    request(&mut world, &lender, 30_000 * SHARES);
    let before = ticket(&world, &lender, 0);
    let mut vault = world.vault();
    // as change control or a tightening would leave it
    vault.limits.loan_flow.hourly_bps /= 2;
    vault.limits.loan_flow.absolute_floor_amount /= 2;
    let key = world.keys.vault;
    world.store(&key, &vault);
    assert_eq!(ticket(&world, &lender, 0), before);
    to(&mut world, before.eligible_at_ts);
    assert_eq!(claim(&mut world, &lender, 0), 30_000 * USDC);
}

#[test]
fn case_037_window_edge_drain_with_tickets_stays_within_the_limit() {
    let (mut world, whale) = settled(5_000_000 * USDC);
    let rival = world.lender(5_000_000 * USDC);
    world.advance(HOUR_SECS);
    let mut out: Vec<(i64, u64)> = vec![];
    for _ in 0..8 {
        request(&mut world, &whale, 89_000 * SHARES);
    }
    for _ in 0..80 {
        let edge = (world.now_ts().div_euclid(HOUR_SECS) + 1) * HOUR_SECS;
        for ts in [edge - 1, edge] {
            to(&mut world, ts);
            for number in 0..8 {
                let (ix, before) = (claim_ix(&world, &whale, number), world.balance(&whale.usdc));
                let _ = world.send(&[ix], &[&whale.key]);
                out.push((ts, world.balance(&whale.usdc) - before));
            }
            for amount in [180_000, 90_000, 30_000, 5_000, 500].map(|a| a * SHARES) {
                let before = world.balance(&rival.usdc);
                let _ = world.withdraw(&rival, amount);
                out.push((ts, world.balance(&rival.usdc) - before));
            }
        }
    }
    assert_eq!(world.balance(&whale.usdc), 8 * 89_000 * USDC, "every ticket was paid");
    // L is at most a fifth of 10,000,000 an hour and two fifths a day; exits have 60 % of it
    for (window_secs, limit) in [(HOUR_SECS, 1_200_000 * USDC), (DAY_SECS, 2_400_000 * USDC)] {
        for (start, _) in &out {
            let inside = |t: i64| (*start..start + window_secs).contains(&t);
            let left: u64 = out.iter().filter(|(t, _)| inside(*t)).map(|o| o.1).sum();
            assert!(left <= limit, "{left} within {window_secs} s");
        }
    }
    let first_day = out.iter().filter(|(t, _)| *t < out[0].0 + 20 * HOUR_SECS).map(|o| o.1).sum::<u64>();
    assert!(first_day <= 600_000 * USDC, "{first_day}");
}

#[test]
fn case_044_ticket_books_what_its_shares_are_worth_not_their_number() {
    let mut world = World::with_vault();
    let lender = world.lender(100_000 * USDC);
    world.borrower(1_000 * SOL, 80_000 * USDC);
    world.advance(365 * DAY_SECS);
    let shares = 10_000 * SHARES;
    let mut vault = world.vault();
    vault.accrue(world.now_ts()).unwrap();
    let value = vault.assets_for_shares(shares).unwrap();
    assert!(value > 10_100 * USDC);
    request(&mut world, &lender, shares);
    assert_eq!(ticket(&world, &lender, 0).booking.amount, value + value.div_ceil(200));
}

#[test]
fn case_046_whale_in_the_queue_holds_up_neither_live_exits_nor_floors_nor_later_tickets() {
    let (mut world, whale) = settled(8_000_000 * USDC);
    let small = world.lender(10_000 * USDC);
    world.advance(HOUR_SECS);
    for _ in 0..8 {
        request(&mut world, &whale, 89_000 * SHARES);
    }
    let own = request(&mut world, &small, 1_000 * SHARES);
    world.withdraw(&small, 1_000 * SHARES).unwrap();
    to(&mut world, own.eligible_at_ts);
    // none of the whale's was claimed: nobody waits behind it
    assert_eq!(claim(&mut world, &small, 0), 1_000 * USDC);
    world.raise(Scope::Vault, Level::Halt);
    world.withdraw(&small, 80 * SHARES).unwrap();
}

#[test]
fn case_047_requests_alone_make_no_outflow_rule_true() {
    let (mut world, whale) = settled(5_000_000 * USDC);
    let params = RuleParams { threshold: 1, clear_threshold: 0, ..outflow_rate() };
    assert_eq!((params.metric, params.comparator), (Metric::OutflowRate as u8, Comparator::Above as u8));
    let rule = world.create_rule(1, world.keys.vault, params);
    for _ in 0..8 {
        request(&mut world, &whale, 60_000 * SHARES);
    }
    assert_eq!(world.shown(rule), Shown::Clear);
    let ripe = ticket(&world, &whale, 0).eligible_at_ts;
    to(&mut world, ripe);
    claim(&mut world, &whale, 0);
    assert_eq!(world.shown(rule), Shown::True);
}

#[test]
fn case_049_tickets_made_while_exits_are_restricted_are_dated_a_day_later_all_alike() {
    let (mut world, lender) = settled(50_000 * USDC);
    let other = world.lender(50_000 * USDC);
    let rule = world.create_rule(1, world.keys.collateral_asset, drawdown_rule());
    world.warm_up(10, 60);
    world.tick(30, 120.0, 1.0);
    world.trip(rule).unwrap();
    let hour = world.now_ts().div_euclid(HOUR_SECS);
    for user in [&lender, &other] {
        let opened = request(&mut world, user, 10_000 * SHARES);
        assert_eq!(opened.eligible_at_ts, (hour + 2 + 24) * HOUR_SECS);
        assert_eq!(opened.latest_at_ts, opened.eligible_at_ts + TICKET_HOLD_SECS);
    }
}

#[test]
fn case_050_clock_that_goes_back_or_jumps_ripens_and_refills_nothing() {
    let (mut world, lender) = settled(500_000 * USDC);
    let opened = request(&mut world, &lender, 80_000 * SHARES);
    to(&mut world, opened.eligible_at_ts);
    let now = world.now_ts();
    world.set_clock(now - 1, world.slot() + 1);
    let early = claim_ix(&world, &lender, 0);
    assert_refused(&mut world, &early, &[&lender.key], E::TicketNotRipe);
    world.set_clock(now, world.slot() + 1);
    world.withdraw(&lender, 90_000 * SHARES).unwrap();
    assert_eq!(claim(&mut world, &lender, 0), 80_000 * USDC);
    world.set_clock(now - 40 * DAY_SECS, world.slot() + 1);
    let back = withdraw_ix(&world, &lender, 20_000 * SHARES);
    assert_refused(&mut world, &back, &[&lender.key], E::HourlyLimitReached);
    request(&mut world, &lender, 10_000 * SHARES);
    world.set_clock(now + 30 * DAY_SECS, world.slot() + 1);
    assert_eq!(claim(&mut world, &lender, 0), 10_000 * USDC);
}

#[test]
fn case_085_ticket_keeps_its_place_while_the_mint_is_frozen() {
    let (mut world, lender) = settled(50_000 * USDC);
    let opened = request(&mut world, &lender, 30_000 * SHARES);
    to(&mut world, opened.eligible_at_ts);
    let token = lender.usdc;
    let freeze = |w: &mut World, state: u8| {
        let mut account = w.svm.get_account(&token).unwrap();
        account.data[108] = state;
        w.svm.set_account(token, account).unwrap();
    };
    freeze(&mut world, 2);
    let before = ticket(&world, &lender, 0);
    let ix = claim_ix(&world, &lender, 0);
    assert_refused(&mut world, &ix, &[&lender.key], TokenRefusal::AccountFrozen);
    world.advance(30 * DAY_SECS);
    freeze(&mut world, 1);
    assert_eq!(ticket(&world, &lender, 0), before);
    assert_eq!(claim(&mut world, &lender, 0), 30_000 * USDC);
}

#[test]
fn case_087_claims_in_many_parts_gain_nothing_by_rounding() {
    let mut world = World::with_vault();
    let lender = world.lender(100_000 * USDC);
    let borrower = world.borrower(1_000 * SOL, 80_000 * USDC);
    world.advance(77_777);
    world.fund(&borrower, 0, 1_000 * USDC);
    world.repay(&borrower, 1_000 * USDC).unwrap();
    let opened = request(&mut world, &lender, 25_000 * SHARES);
    to(&mut world, opened.eligible_at_ts);
    let (before, balance) = (worth(&world, &lender), world.balance(&lender.usdc));
    claim(&mut world, &lender, 0);
    for _ in 0..40 {
        world.repay(&borrower, 7 * USDC + 3).unwrap();
        claim(&mut world, &lender, 0);
    }
    let got = world.balance(&lender.usdc) - balance;
    assert!(got > 21_000 * USDC && got + worth(&world, &lender) <= before + 1, "{got}");
    world.assert_books(&[&lender, &borrower], Donated::default());
}

#[test]
fn case_091_claim_to_the_vault_itself_is_refused() {
    let mut s = Scene::new();
    s.world.advance(HOUR_SECS);
    let opened = request(&mut s.world, &s.lender, 10_000 * SHARES);
    to(&mut s.world, opened.eligible_at_ts);
    let ix = with_account(&claim_ix(&s.world, &s.lender, 0), 7, s.world.keys.loan_token);
    assert_refused(&mut s.world, &ix, &[&s.lender.key], Anchor::ConstraintDuplicateMutableAccount);
}

#[test]
fn claim_fails_with_any_wrong_account() {
    let mut s = Scene::new();
    let user = s.world.lender(1_000 * USDC);
    let opened = request(&mut s.world, &user, 500 * SHARES);
    to(&mut s.world, opened.eligible_at_ts);
    let ix = claim_ix(&s.world, &user, 0);
    s.assert_accounts_checked(&ix, &user, E::WrongAuthority);
    assert_eq!(claim(&mut s.world, &user, 0), 500 * USDC);
}

#[test]
fn request_and_cancel_fail_with_any_wrong_account() {
    let mut s = Scene::new();
    let user = s.world.lender(1_000 * USDC);
    request(&mut s.world, &user, 100 * SHARES);
    let (in_reversed, in_foreign) = (s.world.open_in(&user, &s.reversed), s.world.open_in(&user, &s.foreign));
    let request = request_ix(&s.world, &user, 100 * SHARES);
    let cancel = exit::cancel_withdrawal(s.world.keys.vault, user.address(), 0);
    let (k, f, r) = (s.world.keys, s.foreign, s.reversed);
    let stranger = s.stranger.key.insecure_clone();
    for ix in [&request, &cancel] {
        assert_refused(&mut s.world, &without_signature(ix), &[], Anchor::AccountNotSigner);
        let by = with_account(ix, 0, s.stranger.address());
        assert_refused(&mut s.world, &by, &[&stranger], E::WrongAuthority);
        let count = ix.accounts.len();
        for (index, wrong) in
            [(count - 1, in_reversed), (count - 1, in_foreign), (count - 2, r.vault), (count - 2, f.vault)]
        {
            assert_refused(&mut s.world, &with_account(ix, index, wrong), &[&user.key], E::VaultAssetsInvalid);
        }
        for index in [count - 1, count - 2] {
            assert_refused(&mut s.world, &with_read_only(ix, index), &[&user.key], Anchor::ConstraintMut);
        }
        let kind = with_account(ix, count - 1, k.vault);
        assert_refused(&mut s.world, &kind, &[&user.key], Anchor::AccountDiscriminatorMismatch);
    }
    for (index, wrong) in [(1, f.guard), (2, k.loan_asset), (2, f.collateral_asset), (3, f.loan_asset)] {
        assert_refused(&mut s.world, &with_account(&request, index, wrong), &[&user.key], E::VaultAssetsInvalid);
    }
}

#[test]
fn request_passes_at_every_level_below_resolution() {
    let Scene { mut world, lender, .. } = Scene::new();
    crate::actions::at_every_level(&mut world, |w| {
        let opened = request(w, &lender, SHARES);
        let cancel = exit::cancel_withdrawal(w.keys.vault, lender.address(), opened.ticket);
        w.send(&[cancel], &[&lender.key]).unwrap();
    });
    assert_eq!(shares_for(&world, USDC), SHARES);
}
