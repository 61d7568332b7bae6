//! What owners of positions one by one ask for: done or refused as the instruction of that name does it, with the same functions on
//! the same accounts. Buckets take what of many wishes passes instead (`Defence::admit_borrow`, `Defence::admit_exit`).

use super::{Defence, Exact, Pool};
use anchor_lang::prelude::Result;
use rampart::error::RampartError;
use rampart::instructions::lending::exit::{ExitPass, Taken};
use rampart::math::shares;
use rampart::risk::gate::{Class, Pass, gate};
use rampart::risk::health::require_carried;
use rampart::state::flow::Outflow;
use rampart::state::{Leaving, Position, Purse, TicketSide, Vault};

/// What an owner asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// To borrow, base units of the loan.
    Borrow(u64),
    /// To repay, base units of the loan.
    Repay(u64),
    /// To take collateral out, base units.
    TakeCollateral(u64),
    /// To give shares of a lender back.
    Withdraw(u128),
}

/// How collateral leaves.
enum Way {
    Exit(ExitPass),
    Risk(Pass),
}

impl Pool<Exact> {
    /// Does what the owner of position `at` wishes for, at the prices of the last step. Refused, nothing changes.
    ///
    /// # Errors
    /// Those of the instruction; `AmountExceedsPosition` where there is no such position.
    pub fn ask(&mut self, at: usize, wish: Wish, now_ts: i64) -> Result<()> {
        let held = self.book.positions.get(at).ok_or(RampartError::AmountExceedsPosition)?;
        let (mut defence, mut position) = (self.defence.clone(), *held);
        match wish {
            Wish::Borrow(amount) => defence.borrow(&mut position, amount, now_ts)?,
            Wish::Repay(amount) => defence.repay(&mut position, amount, now_ts)?,
            Wish::TakeCollateral(amount) => defence.take_collateral(&mut position, amount, now_ts)?,
            Wish::Withdraw(shares) => defence.withdraw(&mut position, shares, now_ts)?,
        }
        (self.defence, self.book.positions[at]) = (defence, position);
        Ok(())
    }
}

impl Defence {
    fn borrow(&mut self, position: &mut Position, amount: u64, now_ts: i64) -> Result<()> {
        let pass = gate(Class::RiskUp, self.levels(now_ts))?;
        let vault = &mut *self.vault;
        vault.accrue(now_ts)?;
        require(amount <= vault.cash_amount, RampartError::InsufficientCash)?;
        let index = vault.borrow_index_q64.get();
        let added = shares::scaled_for_borrow(amount.into(), index).ok_or(RampartError::MathOverflow)?;
        vault.debt_scaled = (vault.debt_scaled.get() + added).into();
        position.debt_scaled = (position.debt_scaled.get() + added).into();
        require(vault.debt_amount()? <= vault.borrow_cap(now_ts), RampartError::BorrowCapReached)?;
        require(vault.debt_of(position)? >= vault.risk.min_debt_amount, RampartError::DebtBelowMinimum)?;
        self.require_carried(position, position.collateral_amount, now_ts)?;
        let Vault { limits, loan_flow, lease, .. } = &mut *self.vault;
        Purse::of(&self.guard, lease, Leaving::Loan).charge(amount, now_ts)?;
        loan_flow.charge(amount, Outflow::Risk { scale_bps: pass.scale_bps() }, &limits.loan_flow, now_ts)?;
        position.risk_taken_at_ts = now_ts;
        let vault = &mut *self.vault;
        vault.cash_amount -= amount;
        vault.totals.borrowed_amount = vault.totals.borrowed_amount.saturating_add(amount);
        vault.note_bases(now_ts)
    }

    fn repay(&mut self, position: &mut Position, amount: u64, now_ts: i64) -> Result<()> {
        gate(Class::RiskDown, self.levels(now_ts))?;
        let vault = &mut *self.vault;
        vault.accrue(now_ts)?;
        let debt = vault.debt_of(position)?;
        require(debt > 0, RampartError::NoDebt)?;
        let paid = amount.min(debt);
        let left = debt - paid;
        require(left == 0 || left >= vault.risk.min_debt_amount, RampartError::DebtBelowMinimum)?;
        vault.reduce_debt(position, paid)?;
        vault.cash_amount = vault.cash_amount.saturating_add(paid);
        vault.totals.repaid_amount = vault.totals.repaid_amount.saturating_add(paid);
        vault.note_bases(now_ts)
    }

    fn take_collateral(&mut self, position: &mut Position, amount: u64, now_ts: i64) -> Result<()> {
        let has_debt = position.debt_scaled.get() > 0;
        let way = if has_debt {
            Way::Risk(gate(Class::RiskUp, self.levels(now_ts))?)
        } else {
            Way::Exit(self.exit_pass(now_ts)?)
        };
        position.require_free(TicketSide::Collateral, amount.into())?;
        self.vault.accrue(now_ts)?;
        if has_debt {
            self.require_carried(position, position.collateral_amount - amount, now_ts)?;
            position.risk_taken_at_ts = now_ts;
        }
        let charged = position.collateral_credit.net(amount, Vault::CREDIT_WINDOW_SECS, now_ts);
        self.vault.unnote_inflow(amount - charged, now_ts);
        let Vault { limits, collateral_flow, lease, .. } = &mut *self.vault;
        let mut purse = Purse::of(&self.guard, lease, Leaving::Collateral);
        match way {
            Way::Risk(pass) => {
                let outflow = Outflow::Risk { scale_bps: pass.scale_bps() };
                purse.charge(charged, now_ts)?;
                collateral_flow.charge(charged, outflow, &limits.collateral_flow, now_ts)?;
            }
            Way::Exit(pass) => {
                let held_units = position.collateral_amount.into();
                let taken = Taken { amount: charged, units: amount.into(), held_units };
                let floor = &mut position.collateral_floor;
                pass.charge((collateral_flow, &mut purse), &limits.collateral_flow, floor, taken)?;
            }
        }
        self.vault.pay_collateral(position, amount, now_ts)
    }

    fn withdraw(&mut self, position: &mut Position, shares: u128, now_ts: i64) -> Result<()> {
        let pass = self.exit_pass(now_ts)?;
        let held_units = position.supply_shares.get();
        position.require_free(TicketSide::Loan, shares)?;
        self.vault.accrue(now_ts)?;
        let amount = self.vault.assets_for_shares(shares)?;
        require(amount > 0 || shares == held_units, RampartError::SlippageExceeded)?;
        require(amount <= self.vault.cash_amount, RampartError::InsufficientCash)?;
        let charged = position.supply_credit.net(amount, Vault::CREDIT_WINDOW_SECS, now_ts);
        let taken = Taken { amount: charged, units: shares, held_units };
        let Vault { limits, loan_flow, lease, .. } = &mut *self.vault;
        let mut purse = Purse::of(&self.guard, lease, Leaving::Loan);
        pass.charge((loan_flow, &mut purse), &limits.loan_flow, &mut position.supply_floor, taken)?;
        self.vault.pay_lender(position, shares, amount, now_ts)
    }

    fn exit_pass(&self, now_ts: i64) -> Result<ExitPass> {
        ExitPass::new(&self.guard, &self.vault, [&self.collateral, &self.loan], now_ts)
    }

    /// Requires that `collateral` of a position carries its debt as new risk.
    fn require_carried(&self, position: &Position, collateral: u64, now_ts: i64) -> Result<()> {
        let price = self.risk_price(&self.band(now_ts)?, now_ts)?;
        let (debt, ripe) = (self.vault.debt_of(position)?, position.ripe_of(collateral, now_ts));
        let limit = (self.ltv_for_new_risk(now_ts), &self.collateral.warm_up);
        Ok(require_carried(debt, ripe, price, limit, now_ts)?)
    }
}

fn require(is_so: bool, error: RampartError) -> Result<()> {
    if is_so { Ok(()) } else { Err(error.into()) }
}
