//! What liquidation and soft deleveraging have in common: their accounts' state, and the books.

use crate::error::RampartError;
use crate::events::PositionLiquidated;
use crate::risk::liquidation::Plan;
use crate::state::{Position, Vault};
use anchor_lang::prelude::*;

/// What a liquidator states.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug)]
pub struct LiquidateArgs {
    /// The position's `liquidation_seq` that the caller knows of: the fence against acting twice.
    pub liquidation_seq: u64,
    /// The most to repay, base units of the loan mint.
    pub max_repay_amount: u64,
    /// The least collateral to accept, base units of the collateral mint.
    pub min_seize_amount: u64,
}

impl LiquidateArgs {
    /// Checks the fence and that the position was not liquidated in this slot.
    ///
    /// # Errors
    /// `LiquidationSeqMoved`, `LiquidatedThisSlot`.
    pub fn check(&self, position: &Position, slot: u64) -> Result<()> {
        require!(position.liquidation_seq == self.liquidation_seq, RampartError::LiquidationSeqMoved);
        let again = position.liquidation_seq > 0 && position.last_liquidation_slot == slot;
        require!(!again, RampartError::LiquidatedThisSlot);
        Ok(())
    }
}

/// Books `plan` and returns the fact; the tokens move afterwards.
///
/// # Errors
/// `SeizedBelowMinimum`, `MathOverflow`.
pub fn book(
    vault: &mut Vault,
    position: &mut Position,
    plan: Plan,
    args: &LiquidateArgs,
    clock: &Clock,
    is_soft: bool,
) -> Result<PositionLiquidated> {
    require!(plan.seize_amount >= args.min_seize_amount, RampartError::SeizedBelowMinimum);
    vault.reduce_debt(position, plan.repay_amount)?;
    vault.cash_amount = vault.cash_amount.checked_add(plan.repay_amount).ok_or(RampartError::MathOverflow)?;
    let left = position.collateral_amount.checked_sub(plan.seize_amount).ok_or(RampartError::MathOverflow)?;
    position.collateral_amount = left;
    let all = vault.collateral_amount.checked_sub(plan.seize_amount).ok_or(RampartError::MathOverflow)?;
    vault.collateral_amount = all;
    let (bad_debt_amount, insured_amount) = if plan.is_insolvent { vault.write_off(position)? } else { (0, 0) };
    position.liquidation_seq = position.liquidation_seq.checked_add(1).ok_or(RampartError::MathOverflow)?;
    position.last_liquidation_slot = clock.slot;
    vault.totals.liquidated_amount = vault.totals.liquidated_amount.saturating_add(plan.repay_amount);
    vault.totals.seized_amount = vault.totals.seized_amount.saturating_add(plan.seize_amount);
    vault.note_bases(clock.unix_timestamp)?;
    Ok(PositionLiquidated {
        vault: position.vault,
        position: Pubkey::default(),
        liquidator: Pubkey::default(),
        repaid_amount: plan.repay_amount,
        seized_amount: plan.seize_amount,
        bonus_bps: plan.bonus_bps,
        is_soft,
        bad_debt_amount,
        insured_amount,
        liquidation_seq: position.liquidation_seq,
    })
}
