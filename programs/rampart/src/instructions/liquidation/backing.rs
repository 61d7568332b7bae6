//! Collateral that is short is short for all: in Resolution a liquidation counts and pays the part that is there.

use crate::error::RampartError;
use crate::events::PositionLiquidated;
use crate::instructions::liquidation::apply::{LiquidateArgs, book};
use crate::math::{mul_div_ceil, mul_div_floor};
use crate::refuse::require;
use crate::risk::liquidation::Plan;
use crate::state::{Holding, Position, Vault};
use anchor_lang::prelude::*;

/// Which part of a vault's booked collateral is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backing {
    there: u64,
    booked: u64,
}

impl Backing {
    /// Reads it of a vault and its collateral account, whose address the caller has checked. Outside of Resolution all that
    /// is booked counts as there.
    ///
    /// # Errors
    /// `UnknownStoredValue` for an account that is too short.
    pub fn of(vault: &Vault, collateral_token: &AccountInfo) -> Result<Self> {
        let booked = vault.collateral_amount;
        let there = match vault.resolution.is_in_force() {
            true => Holding::read(collateral_token)?.amount.min(booked),
            false => booked,
        };
        Ok(Self { there, booked })
    }

    /// Returns what is there of a booked amount, rounded down.
    ///
    /// # Errors
    /// `MathOverflow`.
    pub fn real(self, booked_amount: u64) -> Result<u64> {
        if self.there == self.booked {
            return Ok(booked_amount);
        }
        let real = mul_div_floor(booked_amount.into(), self.there.into(), self.booked.into());
        real.and_then(|r| u64::try_from(r).ok()).ok_or_else(|| RampartError::MathOverflow.into())
    }

    /// Returns what is booked for a real amount, rounded up: what others hold doesn't lose.
    fn booked(self, real_amount: u64) -> Result<u64> {
        if self.there == self.booked {
            return Ok(real_amount);
        }
        let booked = mul_div_ceil(real_amount.into(), self.booked.into(), self.there.into());
        booked.and_then(|b| u64::try_from(b).ok()).ok_or_else(|| RampartError::MathOverflow.into())
    }

    /// Books a plan that was made on what is there of the position's collateral; as [`book`].
    ///
    /// The fact says what is paid. The books lose the amount that this was a part of, so that the part of all others stays
    /// what it was, and all of an insolvent position's.
    ///
    /// # Errors
    /// Those of [`book`].
    pub fn book(
        self,
        vault: &mut Vault,
        position: &mut Position,
        plan: Plan,
        args: &LiquidateArgs,
        clock: &Clock,
        is_soft: bool,
    ) -> Result<PositionLiquidated> {
        let paid = plan.seize_amount;
        require!(paid >= args.min_seize_amount, RampartError::SeizedBelowMinimum);
        let seize_amount = if plan.is_insolvent { position.collateral_amount } else { self.booked(paid)? };
        let event = book(vault, position, Plan { seize_amount, ..plan }, args, clock, is_soft)?;
        let unpaid = seize_amount.saturating_sub(paid);
        vault.totals.seized_amount = vault.totals.seized_amount.saturating_sub(unpaid);
        Ok(PositionLiquidated { seized_amount: paid, ..event })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn part_of_all_others_never_falls_by_a_seizure(booked in 1u64.., there in 0u64.., held in 0u64.., seized in 0u64..) {
            let (there, held) = (there.min(booked), held.min(booked));
            let backing = Backing { there, booked };
            let real = backing.real(held).unwrap();
            prop_assert!(real <= there);
            let paid = if real == 0 { 0 } else { seized % (real + 1) };
            let off = if paid == 0 { 0 } else { backing.booked(paid).unwrap() };
            prop_assert!(paid <= off && off <= held, "{off} of {held}");
            // there' / booked' >= there / booked
            let (after, left) = (u128::from(there - paid), u128::from(booked - off));
            prop_assert!(after * u128::from(booked) >= u128::from(there) * left);
        }
    }
}
