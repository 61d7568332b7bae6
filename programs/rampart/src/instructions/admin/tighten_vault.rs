//! Makes a vault's limits stricter, at once.

use crate::error::RampartError;
use crate::events::VaultTightened;
use crate::instructions::admin::tighten_rule::Validity;
use crate::instructions::control::nonce::{INSTRUCTIONS_SYSVAR, refuse_durable_nonce};
use crate::math::bps::Bps;
use crate::refuse::require;
use crate::state::direction::{Direction, Judged};
use crate::state::flow::FlowLimits;
use crate::state::{Guard, InflowLimits, RiskParams, RiskScale, Vault, VaultLimits};
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
    /// New collateral.
    pub inflow: InflowLimits,
    /// How limits on new risk follow the market.
    pub scale: RiskScale,
}

impl TightenVaultArgs {
    /// The vault's parameters with these values in place of its own.
    fn applied(&self, vault: &Vault) -> (RiskParams, VaultLimits) {
        let Self {
            ltv_bps,
            supply_cap_amount,
            borrow_cap_amount,
            collateral_cap_amount,
            loan_flow,
            collateral_flow,
            inflow,
            scale: _,
        } = *self;
        let risk = RiskParams { ltv_bps, ..vault.risk };
        let caps = VaultLimits { supply_cap_amount, borrow_cap_amount, collateral_cap_amount, ..vault.limits };
        (risk, VaultLimits { loan_flow, collateral_flow, inflow, ..caps })
    }
}

/// Accounts of `tighten_vault`.
#[event_cpi]
#[derive(Accounts)]
pub struct TightenVault<'info> {
    /// Root or risk admin.
    pub authority: Signer<'info>,
    /// The guard; counts what is configured.
    #[account(mut)]
    pub guard: AccountLoader<'info, Guard>,
    /// The vault.
    #[account(mut, has_one = guard @ RampartError::VaultAssetsInvalid)]
    pub vault: AccountLoader<'info, Vault>,
    /// CHECK: the instructions of this transaction, by address.
    #[account(address = INSTRUCTIONS_SYSVAR)]
    pub instructions: UncheckedAccount<'info>,
}

impl TightenVault<'_> {
    /// Replaces the limits if every one of them is at least as strict. The exit floor and its reserve stay as they are.
    ///
    /// A flow's absolute floor may fall only while it stays above the hour's share of what the vault holds: on a vault's
    /// first day nothing else pays the exit floor.
    ///
    /// # Errors
    /// `DurableNonceRefused`, `LooseningRefused`, `RiskParamsInvalid`, `LimiterInvalid`, `InflowLimitsInvalid`,
    /// `ScaleInvalid`, `TightenStepExceeded`, and those of
    /// [`Validity::check`].
    pub fn handle(ctx: Context<Self>, args: TightenVaultArgs, validity: Validity) -> Result<()> {
        refuse_durable_nonce(&ctx.accounts.instructions)?;
        let now_ts = Clock::get()?.unix_timestamp;
        {
            let mut guard = ctx.accounts.guard.load_mut()?;
            validity.check(&guard, ctx.accounts.authority.key, now_ts)?;
            let mut vault = ctx.accounts.vault.load_mut()?;
            let (risk, limits) = args.applied(&vault);
            let lines = vault.risk.judge_move(&risk).and(vault.limits.judge_move(&limits));
            let judged = lines.and(vault.scale.judge_move(&args.scale));
            require!(judged.direction < Direction::Looser, RampartError::LooseningRefused);
            let (lenders, posted) = (vault.lenders_amount()?, vault.collateral_amount);
            let floors_stay = keeps_floor(&vault.limits.loan_flow, &args.loan_flow, lenders)
                && keeps_floor(&vault.limits.collateral_flow, &args.collateral_flow, posted);
            require!(floors_stay, RampartError::LimiterInvalid);
            risk.validate(&guard.bounds)?;
            limits.validate(&guard.bounds)?;
            args.scale.validate()?;
            vault.tightened.take(judged.step_bps, guard.bounds.max_tighten_step_bps, now_ts)?;
            (vault.risk, vault.limits) = (risk, limits);
            if vault.scale != args.scale {
                vault.set_scale(args.scale, now_ts);
            }
            guard.note_configured()?;
            if judged.direction == Direction::Tighter {
                vault.loan_flow.settle(&limits.loan_flow, now_ts);
                vault.collateral_flow.settle(&limits.collateral_flow, now_ts);
            }
        }
        emit_cpi!(VaultTightened { vault: ctx.accounts.vault.key() });
        Ok(())
    }
}

/// Tells whether the absolute floor stays, or still covers the hour's share of `held`.
fn keeps_floor(now: &FlowLimits, next: &FlowLimits, held: u64) -> bool {
    let share = Bps(next.hourly_bps.into()).of_ceil(held.into());
    next.absolute_floor_amount == now.absolute_floor_amount
        || share.is_some_and(|s| s <= next.absolute_floor_amount.into())
}
