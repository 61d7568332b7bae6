//! The orderly end of a vault: each share gets its part of the cash as it comes in.

use crate::error::RampartError;
use crate::math::{U128, mul_div_floor};
use crate::state::oracle_set::stored_enum;
use anchor_lang::prelude::*;

/// Whether a vault is in Resolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ResolutionState {
    /// It is not.
    None = 0,
    /// It is.
    Entered = 1,
}
stored_enum!(ResolutionState { None, Entered });

/// A vault's Resolution.
///
/// For the first day claims are closed, and root with the guardians' quorum may leave again. Then claims open and nothing
/// leads back. At its date it is forced: liquidations go on, and anyone may have anybody paid.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Resolution {
    /// Shares of all lenders when it was entered: what each part is a part of.
    pub shares: U128,
    /// Paid to lenders since then, base units of the loan mint.
    pub paid_amount: u64,
    /// When it was entered, unix seconds.
    pub entered_at_ts: i64,
    /// From when on claims are paid, unix seconds.
    pub claims_open_at_ts: i64,
    /// When it is forced, unix seconds.
    pub ends_at_ts: i64,
    /// [`ResolutionState`]; anything unknown counts as entered.
    pub state: u8,
    /// Zeros.
    pub reserved: [u8; 7],
}

impl Resolution {
    /// Tells whether the vault is in Resolution.
    pub fn is_in_force(&self) -> bool {
        self.state != ResolutionState::None as u8
    }

    /// Tells whether claims are paid.
    pub fn is_open(&self, now_ts: i64) -> bool {
        self.is_in_force() && now_ts >= self.claims_open_at_ts
    }

    /// Tells whether its date has come.
    pub fn is_forced(&self, now_ts: i64) -> bool {
        self.is_in_force() && now_ts >= self.ends_at_ts
    }

    /// Returns what `shares` may claim of all cash that there is or was, less what they have `claimed`; rounded down.
    ///
    /// It depends on the cash that came in and on nobody else's claims, so their order doesn't matter.
    ///
    /// # Errors
    /// `MathOverflow`.
    pub fn due(&self, shares: u128, claimed: u64, cash: u64) -> Result<u64> {
        let received = u128::from(cash) + u128::from(self.paid_amount);
        if self.shares == U128::ZERO {
            return Ok(0);
        }
        let part = mul_div_floor(shares, received, self.shares.get()).ok_or(RampartError::MathOverflow)?;
        let part = u64::try_from(part).map_err(|_| RampartError::MathOverflow)?;
        Ok(part.saturating_sub(claimed).min(cash))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Lets `order` claim while `inflow` comes in step by step; then all claim once more. Returns what each has.
    fn run(shares: &[u128], order: &[usize], inflow: &[u64]) -> (Vec<u64>, u64) {
        let all: u128 = shares.iter().sum();
        let mut r = Resolution { shares: all.into(), state: ResolutionState::Entered as u8, ..Default::default() };
        let (mut cash, mut claimed) = (0u64, vec![0u64; shares.len()]);
        let mut claim = |who: usize, cash: &mut u64, r: &mut Resolution| {
            let due = r.due(shares[who], claimed[who], *cash).unwrap();
            claimed[who] += due;
            *cash -= due;
            r.paid_amount += due;
        };
        for (step, amount) in inflow.iter().enumerate() {
            cash += amount;
            for who in order.iter().skip(step % 3).step_by(1 + step % 2) {
                claim(who % shares.len(), &mut cash, &mut r);
            }
        }
        for who in 0..shares.len() {
            claim(who, &mut cash, &mut r);
        }
        (claimed, cash)
    }

    proptest! {
        #[test]
        fn order_of_claims_does_not_matter_and_nobody_gets_more_than_the_part_of_the_shares(
            shares in prop::collection::vec(1u128..1 << 90, 1..9),
            orders in (prop::collection::vec(0usize..9, 0..30), prop::collection::vec(0usize..9, 0..30)),
            inflow in prop::collection::vec(0u64..1_000_000_000_000, 1..12),
        ) {
            let (one, left) = run(&shares, &orders.0, &inflow);
            let (other, _) = run(&shares, &orders.1, &inflow);
            prop_assert_eq!(&one, &other);
            let (all, received) = (shares.iter().sum::<u128>(), inflow.iter().sum::<u64>());
            for (share, got) in shares.iter().zip(&one) {
                prop_assert_eq!(u128::from(*got), mul_div_floor(*share, received.into(), all).unwrap());
            }
            prop_assert!(left < shares.len() as u64, "only rounding stays");
        }
    }

    #[test]
    fn cash_that_is_lost_between_claims_takes_nothing_back_and_pays_no_more_than_there_is() {
        let mut r = Resolution { shares: 100u128.into(), state: ResolutionState::Entered as u8, ..Default::default() };
        assert_eq!(r.due(50, 0, 1_000).unwrap(), 500);
        r.paid_amount = 500;
        assert_eq!((r.due(50, 500, 100).unwrap(), r.due(50, 0, 100).unwrap()), (0, 100));
        assert_eq!(Resolution::default().due(5, 0, 100).unwrap(), 0);
    }

    #[test]
    fn phases_follow_each_other_and_an_unknown_state_counts_as_entered() {
        let r = Resolution { claims_open_at_ts: 10, ends_at_ts: 20, state: 1, ..Default::default() };
        assert_eq!(
            [9, 10, 19, 20].map(|t| (r.is_open(t), r.is_forced(t))),
            [(false, false), (true, false), (true, false), (true, true)]
        );
        assert!(!Resolution { state: 0, ..r }.is_open(30) && Resolution { state: 77, ..r }.is_in_force());
    }
}
