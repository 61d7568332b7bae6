//! What liquidation and soft deleveraging have in common: their accounts' state, and the books.

use crate::error::RampartError;
use crate::events::PositionLiquidated;
use crate::instructions::liquidation::backing::Backing;
use crate::instructions::liquidation::grace::{latest_halts, require_no_grace};
use crate::instructions::reserve::cover;
use crate::instructions::shared::{PairPrices, pass_gate};
use crate::mint;
use crate::refuse::require;
use crate::risk::gate::{Class, Pass};
use crate::risk::liquidation::{Plan, Subject, plan};
use crate::state::{Asset, Guard, Position, Vault};
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

/// The accounts that a liquidation is decided and booked on.
pub struct Ledger<'a, 'info> {
    /// The guard.
    pub guard: &'a AccountLoader<'info, Guard>,
    /// Asset account of the collateral.
    pub collateral_asset: &'a AccountLoader<'info, Asset>,
    /// Asset account of the loan.
    pub loan_asset: &'a AccountLoader<'info, Asset>,
    /// The vault.
    pub vault: &'a AccountLoader<'info, Vault>,
    /// The position.
    pub position: &'a AccountLoader<'info, Position>,
    /// Collateral mint.
    pub collateral_mint: &'a AccountInfo<'info>,
    /// Loan mint.
    pub loan_mint: &'a AccountInfo<'info>,
    /// The vault's account of the collateral mint.
    pub collateral_token: &'a AccountInfo<'info>,
}

/// What a liquidation came to; the tokens move afterwards.
pub struct Liquidated<'a, 'info> {
    /// The fact.
    pub event: PositionLiquidated,
    /// The prices that it was decided by.
    pub prices: PairPrices,
    /// What the guard's reserve pays the vault, base units of the loan mint.
    pub covered_amount: u64,
    /// The accounts that it pays by.
    pub cover: &'a [AccountInfo<'info>],
    /// The accounts behind.
    pub rest: &'a [AccountInfo<'info>],
}

impl<'info> Ledger<'_, 'info> {
    /// Decides and books a liquidation by `liquidator`.
    ///
    /// # Accounts
    /// `accounts`: the oracle accounts of the collateral's sources, then of the loan's; what [`cover::split`] takes; others.
    ///
    /// # Errors
    /// `LevelForbids`, `TwoSourcesRequired`, `LiquidationSeqMoved`, `LiquidatedThisSlot`, `PositionHealthy`,
    /// `DebtBelowMinimum`, `HealthNotImproved`, `SeizedBelowMinimum`, `ZeroAmount`, `RepayTooSmall`, `LiquidationGrace`,
    /// `MintFingerprintChanged`, `ReserveMissing`, `ReserveAccountsMismatch`, the oracle's.
    #[inline(never)]
    pub fn liquidate<'a>(
        &self,
        liquidator: &Pubkey,
        args: &LiquidateArgs,
        accounts: &'a [AccountInfo<'info>],
    ) -> Result<Box<Liquidated<'a, 'info>>> {
        let clock = Clock::get()?;
        let now_ts = clock.unix_timestamp;
        let (mut vault, mut position) = (self.vault.load_mut()?, self.position.load_mut()?);
        let (collateral, loan) = (self.collateral_asset.load()?, self.loan_asset.load()?);
        let guard = self.guard.load()?;
        let pass = pass_gate(Class::Liquidation, &guard, &vault, [&collateral, &loan], now_ts)?;
        args.check(&position, clock.slot)?;
        mint::require_same_unit(self.collateral_mint, collateral.extension_fingerprint)?;
        mint::require_same_unit(self.loan_mint, loan.extension_fingerprint)?;
        vault.accrue(now_ts)?;
        let count = collateral.oracle.account_count() + loan.oracle.account_count();
        let (oracles, rest) = accounts.split_at_checked(count).ok_or(RampartError::OracleAccountsMissing)?;
        let prices = PairPrices::read(&collateral, &loan, oracles, now_ts)?;
        require!(pass != Pass::TwoSources || prices.sources() >= 2, RampartError::TwoSourcesRequired);
        let debt = vault.debt_of(&position)?;
        let backing = Backing::of(&vault, self.collateral_token)?;
        // the end of the band that favours the owner
        let subject =
            Subject { debt, collateral: backing.real(position.collateral_amount)?, price: prices.best(&vault)? };
        let plan = plan(subject, &vault.risk, args.max_repay_amount)?;
        let halts = latest_halts(&guard, &vault, [&collateral, &loan]);
        require_no_grace(&mut vault, &position, halts, [&collateral, &loan], subject, now_ts)?;
        let event = backing.book(&mut vault, &mut position, plan, args, &clock, false)?;
        let (cover, rest) = cover::split(rest)?;
        let open_amount = event.bad_debt_amount.saturating_sub(event.insured_amount);
        let covered_amount = cover::book(&self.guard.key(), &guard, &mut vault, open_amount, cover, now_ts)?;
        let event = PositionLiquidated { position: self.position.key(), liquidator: *liquidator, ..event };
        Ok(Box::new(Liquidated { event, prices, covered_amount, cover, rest }))
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
