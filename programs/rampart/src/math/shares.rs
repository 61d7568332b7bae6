//! Shares against assets, with a virtual offset, rounded against the caller.

use crate::constants::{VIRTUAL_ASSETS, VIRTUAL_SHARES};
use crate::math::price::Q64_ONE;
use crate::math::wide::{mul_div_ceil, mul_div_floor};

/// Returns the shares that `assets` buy, rounded down; `None` beyond 128 bits.
pub fn shares_for_deposit(assets: u128, total_assets: u128, total_shares: u128) -> Option<u128> {
    mul_div_floor(assets, total_shares.checked_add(VIRTUAL_SHARES)?, total_assets.checked_add(VIRTUAL_ASSETS)?)
}

/// Returns the shares that have to be burnt for `assets`, rounded up; `None` beyond 128 bits.
pub fn shares_for_withdrawal(assets: u128, total_assets: u128, total_shares: u128) -> Option<u128> {
    mul_div_ceil(assets, total_shares.checked_add(VIRTUAL_SHARES)?, total_assets.checked_add(VIRTUAL_ASSETS)?)
}

/// Returns what `shares` are worth, rounded down; `None` beyond 128 bits.
pub fn assets_for_shares(shares: u128, total_assets: u128, total_shares: u128) -> Option<u128> {
    mul_div_floor(shares, total_assets.checked_add(VIRTUAL_ASSETS)?, total_shares.checked_add(VIRTUAL_SHARES)?)
}

/// Returns the debt behind `scaled` at `index_q64`, rounded up against the borrower; `None` beyond 128 bits.
///
/// # Units
/// `scaled` is debt divided by the index at the time of borrowing; the index is U64.64 and starts at one.
pub fn debt_of(scaled: u128, index_q64: u128) -> Option<u128> {
    mul_div_ceil(scaled, index_q64, Q64_ONE)
}

/// Returns the debt behind `scaled`, rounded down: what lenders may count on; `None` beyond 128 bits.
pub fn debt_counted_on(scaled: u128, index_q64: u128) -> Option<u128> {
    mul_div_floor(scaled, index_q64, Q64_ONE)
}

/// Returns the scaled form of newly borrowed `amount`, rounded up; `None` beyond 128 bits.
pub fn scaled_for_borrow(amount: u128, index_q64: u128) -> Option<u128> {
    mul_div_ceil(amount, Q64_ONE, index_q64)
}

/// Returns the scaled form of repaid `amount`, rounded down; `None` beyond 128 bits.
pub fn scaled_for_repay(amount: u128, index_q64: u128) -> Option<u128> {
    mul_div_floor(amount, Q64_ONE, index_q64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const AMOUNT: core::ops::Range<u128> = 1..1_000_000_000_000_000_000;

    proptest! {
        #[test]
        fn deposit_and_withdrawal_never_gain(assets in AMOUNT, total in 0..AMOUNT.end, shares in 0..AMOUNT.end) {
            let minted = shares_for_deposit(assets, total, shares).unwrap();
            let back = assets_for_shares(minted, total + assets, shares + minted).unwrap();
            prop_assert!(back <= assets);
        }

        #[test]
        fn withdrawal_never_lowers_the_price_of_the_shares_that_stay(held in AMOUNT, total in AMOUNT, take in AMOUNT) {
            let shares = shares_for_deposit(held, 0, 0).unwrap();
            let take = take % total + 1;
            let burnt = shares_for_withdrawal(take, total, shares).unwrap();
            prop_assume!(burnt <= shares && take <= total);
            let before = assets_for_shares(1_000_000_000, total, shares).unwrap();
            let after = assets_for_shares(1_000_000_000, total - take, shares - burnt).unwrap();
            prop_assert!(after >= before);
        }

        #[test]
        fn borrowing_and_repaying_never_gain(amount in AMOUNT, index in Q64_ONE..Q64_ONE * 1_000) {
            let scaled = scaled_for_borrow(amount, index).unwrap();
            prop_assert!(debt_of(scaled, index).unwrap() >= amount);
            prop_assert!(scaled_for_repay(amount, index).unwrap() <= scaled);
        }
    }

    #[test]
    fn donation_to_an_empty_vault_costs_the_attacker_more_than_the_victim() {
        // the attacker holds one base unit of shares and gives 10^12; the victim deposits 10^12
        let attacker = shares_for_deposit(1, 0, 0).unwrap();
        let donated = 1_000_000_000_000u128;
        let victim = shares_for_deposit(donated, 1 + donated, attacker).unwrap();
        let victim_back = assets_for_shares(victim, 1 + 2 * donated, attacker + victim).unwrap();
        assert!(donated - victim_back <= donated / 1_000);
    }
}
