//! Leases a part of the guard's dollar limit to a vault.

use crate::error::RampartError;
use crate::events::LeaseGranted;
use crate::oracle;
use crate::refuse::require;
use crate::state::aggregate::price_of_outflow;
use crate::state::lease::UnitCost;
use crate::state::{AggregateLimit, Asset, Guard, PairCost, Vault};
use anchor_lang::prelude::*;

/// Accounts of `lease_budget`.
///
/// Remaining accounts: the oracle accounts of the collateral's sources, then of the loan's, each in the set's order.
#[derive(Accounts)]
pub struct LeaseBudget<'info> {
    /// The guard. Read for whether the limit is in force.
    pub guard: AccountLoader<'info, Guard>,
    /// The limit.
    #[account(mut, has_one = guard @ RampartError::AggregateMismatch)]
    pub aggregate: AccountLoader<'info, AggregateLimit>,
    /// Asset account of the collateral. Read for its price.
    pub collateral_asset: AccountLoader<'info, Asset>,
    /// Asset account of the loan. Read for its price.
    pub loan_asset: AccountLoader<'info, Asset>,
    /// The vault. Keeps the lease.
    #[account(
        mut,
        has_one = guard @ RampartError::VaultAssetsInvalid,
        has_one = collateral_asset @ RampartError::VaultAssetsInvalid,
        has_one = loan_asset @ RampartError::VaultAssetsInvalid,
    )]
    pub vault: AccountLoader<'info, Vault>,
}

impl<'info> LeaseBudget<'info> {
    /// Leases `amount_micro_usd` and fixes what a base unit of both mints costs, for an hour; an amount of zero renews the
    /// costs alone. Anyone may call, and whoever leaves next uses it.
    ///
    /// # Errors
    /// `AggregateNotInForce`, `LeaseBeyondNeed`, `LeaseShareReached`, `AggregateLimitReached`, `PriceIndeterminate` for an
    /// asset without any price, `OracleAccountsMissing`, and the oracle's for accounts that aren't its.
    pub fn handle(ctx: Context<'info, Self>, amount_micro_usd: u64) -> Result<()> {
        let now_ts = Clock::get()?.unix_timestamp;
        let over_at_ts = ctx.accounts.apply(amount_micro_usd, ctx.remaining_accounts, now_ts)?;
        emit!(LeaseGranted { vault: ctx.accounts.vault.key(), amount_micro_usd, over_at_ts });
        Ok(())
    }

    fn apply(&self, amount: u64, oracles: &[AccountInfo], now_ts: i64) -> Result<i64> {
        require!(self.guard.load()?.has_aggregate_in_force(), RampartError::AggregateNotInForce);
        let cost = self.read_costs(oracles, now_ts)?;
        let (mut aggregate, mut vault) = (self.aggregate.load_mut()?, self.vault.load_mut()?);
        aggregate.lease(&mut vault, amount, cost, now_ts)
    }

    fn read_costs(&self, oracles: &[AccountInfo], now_ts: i64) -> Result<PairCost> {
        let (collateral, loan) = (self.collateral_asset.load()?, self.loan_asset.load()?);
        let split = collateral.oracle.account_count();
        require!(oracles.len() == split + loan.oracle.account_count(), RampartError::OracleAccountsMissing);
        let (first, second) = oracles.split_at(split);
        Ok(PairCost { loan: cost(&loan, second, now_ts)?, collateral: cost(&collateral, first, now_ts)? })
    }
}

/// What a base unit of `asset` costs by its sources, or by its reference where they don't agree.
fn cost(asset: &Asset, oracles: &[AccountInfo], now_ts: i64) -> Result<UnitCost> {
    let band = oracle::read_accounts(&asset.oracle, oracles, now_ts)?.band(&asset.oracle, now_ts);
    let price = price_of_outflow(asset, band, now_ts)?;
    Ok(UnitCost::of(price, asset.decimals)?)
}
