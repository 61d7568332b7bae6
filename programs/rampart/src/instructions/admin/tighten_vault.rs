//! Makes a vault's limits stricter, at once.

use crate::error::RampartError;
use crate::events::VaultTightened;
use crate::instructions::admin::tighten_rule::Validity;
use crate::math::bps::Bps;
use crate::state::flow::FlowLimits;
use crate::state::{Guard, Vault};
use anchor_lang::prelude::*;

/// What `tighten_vault` is told: the values that may fall. Lines of existing positions are not among them.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug)]
pub struct TightenVaultArgs {
    /// Loan-to-value limit for new risk, bps.
    pub ltv_bps: u16,
    /// Supply cap, base units of the loan mint.
    pub supply_cap_amount: u64,
    /// Borrow cap, base units of the loan mint.
    pub borrow_cap_amount: u64,
    /// Collateral cap, base units of the collateral mint.
    pub collateral_cap_amount: u64,
    /// Outflow of the loan mint.
    pub loan_flow: FlowLimits,
    /// Outflow of the collateral mint.
    pub collateral_flow: FlowLimits,
}

/// Accounts of `tighten_vault`.
#[event_cpi]
#[derive(Accounts)]
pub struct TightenVault<'info> {
    /// Root or risk admin.
    pub authority: Signer<'info>,
    /// The guard.
    pub guard: AccountLoader<'info, Guard>,
    /// The vault.
    #[account(mut, has_one = guard @ RampartError::VaultAssetsInvalid)]
    pub vault: AccountLoader<'info, Vault>,
}

impl TightenVault<'_> {
    /// Replaces the limits if every one of them is at least as strict. The exit floor and its reserve stay as they are.
    ///
    /// A flow's absolute floor may fall only while it stays above the hour's share of what the vault holds: on a vault's
    /// first day nothing else pays the exit floor.
    ///
    /// # Errors
    /// `LooseningRefused`, `RiskParamsInvalid`, `LimiterInvalid`, and those of [`Validity::check`].
    pub fn handle(ctx: Context<Self>, args: TightenVaultArgs, validity: Validity) -> Result<()> {
        let now_ts = Clock::get()?.unix_timestamp;
        {
            let guard = ctx.accounts.guard.load()?;
            validity.check(&guard, ctx.accounts.authority.key, now_ts)?;
            let mut vault = ctx.accounts.vault.load_mut()?;
            let limits = &vault.limits;
            let caps_fall = args.ltv_bps <= vault.risk.ltv_bps
                && args.supply_cap_amount <= limits.supply_cap_amount
                && args.borrow_cap_amount <= limits.borrow_cap_amount
                && args.collateral_cap_amount <= limits.collateral_cap_amount;
            let flows_fall = is_tighter(&limits.loan_flow, &args.loan_flow)
                && is_tighter(&limits.collateral_flow, &args.collateral_flow);
            require!(caps_fall && flows_fall, RampartError::LooseningRefused);
            let (lenders, posted) = (vault.lenders_amount()?, vault.collateral_amount);
            let floors_stay = keeps_floor(&limits.loan_flow, &args.loan_flow, lenders)
                && keeps_floor(&limits.collateral_flow, &args.collateral_flow, posted);
            require!(floors_stay, RampartError::LimiterInvalid);
            vault.risk.ltv_bps = args.ltv_bps;
            vault.limits.supply_cap_amount = args.supply_cap_amount;
            vault.limits.borrow_cap_amount = args.borrow_cap_amount;
            vault.limits.collateral_cap_amount = args.collateral_cap_amount;
            vault.limits.loan_flow = args.loan_flow;
            vault.limits.collateral_flow = args.collateral_flow;
            vault.risk.validate(&guard.bounds)?;
            vault.limits.validate(&guard.bounds)?;
        }
        emit_cpi!(VaultTightened { vault: ctx.accounts.vault.key() });
        Ok(())
    }
}

fn is_tighter(now: &FlowLimits, next: &FlowLimits) -> bool {
    next.absolute_floor_amount <= now.absolute_floor_amount
        && next.hourly_bps <= now.hourly_bps
        && next.daily_bps <= now.daily_bps
        && next.exit_share_bps == now.exit_share_bps
        && next.floor_reserve_bps == now.floor_reserve_bps
}

/// Tells whether the absolute floor stays, or still covers the hour's share of `held`.
fn keeps_floor(now: &FlowLimits, next: &FlowLimits, held: u64) -> bool {
    let share = Bps(next.hourly_bps.into()).of_ceil(held.into());
    next.absolute_floor_amount == now.absolute_floor_amount
        || share.is_some_and(|s| s <= next.absolute_floor_amount.into())
}
