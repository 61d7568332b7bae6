//! Tickets for collateral beyond the limit of now: the same queue as for shares, of the other token.

use anchor_lang::error::ErrorCode as Anchor;
use rampart::ClaimWithdrawalArgs;
use rampart::constants::{DAY_SECS, HOUR_SECS};
use rampart::error::RampartError as E;
use rampart::events::{ShortfallFound, TicketCancelled, TicketOpened};
use rampart::state::{Level, TicketSide, WithdrawTicket};
use rampart_client::{Instruction, exit, lending};
use rampart_tests::defaults::{SOL, USDC};
use rampart_tests::events::the_one_logged;
use rampart_tests::refusal::{TokenRefusal, assert_refused, without_signature};
use rampart_tests::refusals::{with_account, with_read_only};
use rampart_tests::scenario::Scope;
use rampart_tests::{User, World, assert_error};

fn request_ix(world: &World, user: &User, amount: u64) -> Instruction {
    exit::request_collateral(&world.keys, user.address(), amount)
}

fn claim_ix(world: &World, user: &User, ticket: u8) -> Instruction {
    exit::claim_collateral(&world.keys, user.address(), user.sol, ClaimWithdrawalArgs { ticket, min_amount: 0 })
}

#[track_caller]
fn request(world: &mut World, user: &User, amount: u64) -> TicketOpened {
    let ix = request_ix(world, user, amount);
    the_one_logged(&world.send(&[ix], &[&user.key]).unwrap_or_else(|e| panic!("{}", e.meta.logs.join("\n"))))
}

/// Claims and returns what was paid.
#[track_caller]
fn claim(world: &mut World, user: &User, ticket: u8) -> u64 {
    let (ix, before) = (claim_ix(world, user, ticket), world.balance(&user.sol));
    world.send(&[ix], &[&user.key]).unwrap_or_else(|e| panic!("{}", e.meta.logs.join("\n")));
    world.balance(&user.sol) - before
}

fn ticket(world: &World, user: &User, number: usize) -> WithdrawTicket {
    world.position(&user.position).tickets.slots[number]
}

fn to(world: &mut World, ts: i64) {
    let secs = ts - world.now_ts();
    assert!(secs >= 0);
    world.advance(secs);
}

/// An owner with 20,000 SOL of collateral and no debt, whose own inflow no longer counts, and what exits have at once.
fn saver() -> (World, User, u64) {
    let mut world = World::with_vault();
    let user = world.user(20_000 * SOL, 0);
    world.deposit_collateral(&user, 20_000 * SOL).unwrap();
    world.advance(HOUR_SECS + 1);
    let (limits, base) = (world.vault().limits.collateral_flow, world.vault().collateral_flow.base.amount);
    let hour = limits.allowed(base)[0] / 2;
    let at_once = hour - hour * u64::from(limits.floor_reserve_bps) / 10_000;
    (world, user, at_once)
}

#[test]
fn ticket_for_collateral_books_its_hour_and_is_paid_there_though_live_exits_used_the_rest() {
    let (mut world, user, at_once) = saver();
    let before = world.vault();
    let fact = request(&mut world, &user, at_once / 2);
    assert_eq!((fact.ticket, fact.shares, fact.side), (0, u128::from(at_once / 2), TicketSide::Collateral as u8));
    let opened = ticket(&world, &user, 0);
    assert_eq!((opened.side, opened.shares.get()), (TicketSide::Collateral as u8, u128::from(at_once / 2)));
    // collateral earns nothing: no margin is booked
    assert_eq!(opened.booking.amount, at_once / 2);
    assert_eq!((opened.eligible_at_ts, opened.latest_at_ts), (fact.eligible_at_ts, fact.latest_at_ts));
    let after = world.vault();
    assert_eq!(
        (after.collateral_amount, after.loan_flow.bookings),
        (before.collateral_amount, before.loan_flow.bookings)
    );
    assert_eq!(after.collateral_flow.bookings.total_amount, at_once / 2);
    let early = claim_ix(&world, &user, 0);
    assert_refused(&mut world, &early, &[&user.key], E::TicketNotRipe);
    to(&mut world, fact.eligible_at_ts);
    // what is live leaves the ticket's part free
    let free = at_once - at_once / 2;
    assert_error(world.withdraw_collateral(&user, free + 1), E::HourlyLimitReached);
    world.withdraw_collateral(&user, free).unwrap();
    assert_eq!(claim(&mut world, &user, 0), at_once / 2);
    let position = world.position(&user.position);
    assert_eq!(position.collateral_amount, 20_000 * SOL - at_once);
    assert_eq!(world.vault().collateral_amount, position.collateral_amount);
    assert!(position.tickets.is_empty());
    let again = claim_ix(&world, &user, 0);
    assert_refused(&mut world, &again, &[&user.key], E::TicketNotOpen);
}

#[test]
fn locked_collateral_cannot_be_withdrawn_or_locked_again_until_cancelled() {
    let (mut world, user, at_once) = saver();
    let small = world.user(10 * SOL, 0);
    world.deposit_collateral(&small, 10 * SOL).unwrap();
    request(&mut world, &small, 8 * SOL);
    assert_error(world.withdraw_collateral(&small, 3 * SOL), E::SharesLocked);
    let ix = request_ix(&world, &small, 3 * SOL);
    assert_refused(&mut world, &ix, &[&small.key], E::SharesLocked);
    let ix = request_ix(&world, &small, 11 * SOL);
    assert_refused(&mut world, &ix, &[&small.key], E::AmountExceedsPosition);
    let ix = request_ix(&world, &small, 0);
    assert_refused(&mut world, &ix, &[&small.key], E::ZeroAmount);
    let ix = request_ix(&world, &user, at_once);
    assert_refused(&mut world, &ix, &[&user.key], E::TicketTooLarge);
    world.withdraw_collateral(&small, 2 * SOL).unwrap();
    let cancel = exit::cancel_withdrawal(world.keys.vault, small.address(), 0);
    let fact: TicketCancelled = the_one_logged(&world.send(&[cancel], &[&small.key]).unwrap());
    assert_eq!(fact.ticket, 0);
    assert_eq!(world.vault().collateral_flow.bookings.total_amount, 0);
    world.withdraw_collateral(&small, 8 * SOL).unwrap();
}

/// A debt that is taken on later doesn't let the ticket carry its collateral away.
#[test]
fn collateral_behind_a_debt_is_neither_booked_nor_paid() {
    let mut world = World::with_vault();
    world.lender(1_000_000 * USDC);
    let user = world.user(100 * SOL, 0);
    world.deposit_collateral(&user, 100 * SOL).unwrap();
    let fact = request(&mut world, &user, 100 * SOL);
    world.borrow(&user, 1_000 * USDC).unwrap();
    let more = request_ix(&world, &user, 1);
    assert_refused(&mut world, &more, &[&user.key], E::DebtOutstanding);
    to(&mut world, fact.eligible_at_ts);
    let ix = claim_ix(&world, &user, 0);
    assert_refused(&mut world, &ix, &[&user.key], E::DebtOutstanding);
    world.fund(&user, 0, 100 * USDC);
    world.repay(&user, u64::MAX).unwrap();
    assert_eq!(claim(&mut world, &user, 0), 100 * SOL);
    assert!(world.position(&user.position).is_empty());
}

/// What a liquidation took is gone from the ticket as well.
#[test]
fn ticket_pays_no_more_than_the_position_still_has() {
    let mut world = World::with_vault();
    world.lender(1_000_000 * USDC);
    let user = world.user(100 * SOL, 0);
    world.deposit_collateral(&user, 100 * SOL).unwrap();
    let fact = request(&mut world, &user, 100 * SOL);
    world.borrow(&user, 10_000 * USDC).unwrap();
    let by = world.user(0, 100_000 * USDC);
    world.set_prices(120.0, 1.0);
    world.liquidate(&by, user.position, u64::MAX).unwrap();
    let left = world.position(&user.position).collateral_amount;
    assert!(left < 100 * SOL);
    world.fund(&user, 0, 10_000 * USDC);
    world.repay(&user, u64::MAX).unwrap();
    to(&mut world, fact.eligible_at_ts);
    assert_eq!(claim(&mut world, &user, 0), left);
    assert!(world.position(&user.position).is_empty());
}

#[test]
fn tickets_of_both_sides_share_the_slots_and_nothing_else() {
    let (mut world, user, at_once) = saver();
    world.fund(&user, 0, 1_000 * USDC);
    world.supply(&user, 1_000 * USDC).unwrap();
    let shares = world.position(&user.position).supply_shares.get();
    let ix = exit::request_withdrawal(&world.keys, user.address(), shares);
    world.send(&[ix], &[&user.key]).unwrap();
    let fact = request(&mut world, &user, at_once / 2);
    assert_eq!(fact.ticket, 1);
    let position = world.position(&user.position);
    assert_eq!(position.tickets.locked(TicketSide::Loan), shares);
    assert_eq!(position.tickets.locked(TicketSide::Collateral), u128::from(at_once / 2));
    to(&mut world, fact.eligible_at_ts);
    // a ticket is claimed of its own side alone
    let crossed = claim_ix(&world, &user, 0);
    assert_refused(&mut world, &crossed, &[&user.key], E::TicketNotOpen);
    let args = ClaimWithdrawalArgs { ticket: 1, min_amount: 0 };
    let crossed = exit::claim_withdrawal(&world.keys, user.address(), user.usdc, args);
    assert_refused(&mut world, &crossed, &[&user.key], E::TicketNotOpen);
    let mut unknown = request_ix(&world, &user, 1);
    *unknown.data.last_mut().unwrap() = 2;
    assert_refused(&mut world, &unknown, &[&user.key], E::UnknownKind);
    assert_eq!(claim(&mut world, &user, 1), at_once / 2);
    let args = ClaimWithdrawalArgs { ticket: 0, min_amount: 0 };
    let ix = exit::claim_withdrawal(&world.keys, user.address(), user.usdc, args);
    world.send(&[ix], &[&user.key]).unwrap();
    assert!(world.position(&user.position).tickets.is_empty());
}

#[test]
fn claim_of_collateral_fails_below_what_is_accepted_while_held_and_at_a_changed_level() {
    let (mut world, user, at_once) = saver();
    let fact = request(&mut world, &user, at_once / 2);
    to(&mut world, fact.eligible_at_ts);
    let args = ClaimWithdrawalArgs { ticket: 0, min_amount: at_once / 2 + 1 };
    let ix = exit::claim_collateral(&world.keys, user.address(), user.sol, args);
    assert_refused(&mut world, &ix, &[&user.key], E::SlippageExceeded);
    world.raise(Scope::CollateralAsset, Level::Halt);
    let ix = claim_ix(&world, &user, 0);
    assert_refused(&mut world, &ix, &[&user.key], E::TicketHeld);
    to(&mut world, fact.latest_at_ts);
    let paid = claim(&mut world, &user, 0);
    assert!(paid > 0);
}

/// A vault that is short of collateral queues who asks, and pays nobody: what `withdraw` does for shares.
#[test]
fn case_095_withdrawal_and_claim_of_short_collateral_are_queued() {
    let (mut world, user, at_once) = saver();
    let fact = request(&mut world, &user, at_once / 2);
    let token = world.keys.collateral_token;
    let mut account = world.svm.get_account(&token).unwrap();
    account.data[64..72].copy_from_slice(&(10_000 * SOL).to_le_bytes());
    world.svm.set_account(token, account).unwrap();
    to(&mut world, fact.eligible_at_ts);
    let (ix, before) = (claim_ix(&world, &user, 0), world.balance(&user.sol));
    let found: ShortfallFound = the_one_logged(&world.send(&[ix], &[&user.key]).unwrap());
    assert_eq!((found.ticket, world.balance(&user.sol)), (Some(0), before));
    assert_eq!(world.level(), Level::ReduceOnly);
    let ix = lending::withdraw_collateral(&world.keys, user.address(), user.sol, &[], SOL);
    let found: ShortfallFound = the_one_logged(&world.send(&[ix], &[&user.key]).unwrap());
    assert_eq!((found.ticket, world.balance(&user.sol)), (Some(1), before));
    assert_eq!(ticket(&world, &user, 1).shares.get(), u128::from(SOL));
}

#[test]
fn claim_of_collateral_fails_for_others_and_with_wrong_accounts() {
    let (mut world, user, at_once) = saver();
    let fact = request(&mut world, &user, at_once / 2);
    to(&mut world, fact.eligible_at_ts + DAY_SECS);
    let other = world.user(SOL, 0);
    let (k, r, f) = (world.keys, world.reversed_vault(), world.other_guard());
    let ix = claim_ix(&world, &user, 0);
    assert_refused(&mut world, &without_signature(&ix), &[], Anchor::AccountNotSigner);
    assert_refused(&mut world, &with_account(&ix, 0, other.address()), &[&other.key], E::WrongAuthority);
    let cases = [
        (1, f.guard, E::VaultAssetsInvalid),
        (2, k.loan_asset, E::VaultAssetsInvalid),
        (3, k.collateral_asset, E::VaultAssetsInvalid),
        (4, r.vault, E::VaultAssetsInvalid),
        (4, f.vault, E::VaultAssetsInvalid),
        (5, other.position, E::WrongAuthority),
        (6, k.loan_mint, E::VaultAssetsInvalid),
        (8, k.loan_token, E::VaultAssetsInvalid),
    ];
    for (index, wrong, error) in cases {
        assert_refused(&mut world, &with_account(&ix, index, wrong), &[&user.key], error);
    }
    let to_other_mint = with_account(&ix, 7, user.usdc);
    assert_refused(&mut world, &to_other_mint, &[&user.key], TokenRefusal::MintMismatch);
    for index in [4, 5, 7, 8] {
        assert_refused(&mut world, &with_read_only(&ix, index), &[&user.key], Anchor::ConstraintMut);
    }
    let request = request_ix(&world, &user, SOL);
    assert_refused(&mut world, &without_signature(&request), &[], Anchor::AccountNotSigner);
    assert_refused(&mut world, &with_account(&request, 5, other.position), &[&user.key], E::WrongAuthority);
    world.send(&[ix], &[&user.key]).unwrap();
}
