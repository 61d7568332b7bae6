//! Creates an isolated pair.

use crate::constants::{COLLATERAL_SEED, LAYOUT_VERSION, LOAN_SEED, VAULT_SEED};
use crate::error::RampartError;
use crate::events::VaultCreated;
use crate::instructions::control::nonce::{INSTRUCTIONS_SYSVAR, refuse_durable_nonce};
use crate::math::price::Q64_ONE;
use crate::refuse::{require_keys_eq, require_keys_neq};
use crate::state::flow::DayBase;
use crate::state::{Asset, Guard, InterestCurve, RiskParams, RiskScale, Switch, Vault, VaultLimits};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};

/// What `initialize_vault` is told.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug)]
pub struct InitializeVaultArgs {
    /// Lines, bonuses and close factor.
    pub risk: RiskParams,
    /// Interest.
    pub curve: InterestCurve,
    /// Caps and outflow limits.
    pub limits: VaultLimits,
}

/// Accounts of `initialize_vault`.
#[event_cpi]
#[derive(Accounts)]
pub struct InitializeVault<'info> {
    /// Root of the guard. Pays the rent.
    #[account(mut)]
    pub root: Signer<'info>,
    /// The guard; counts what it has.
    #[account(mut)]
    pub guard: AccountLoader<'info, Guard>,
    /// Asset account of the collateral.
    #[account(has_one = guard @ RampartError::VaultAssetsInvalid)]
    pub collateral_asset: AccountLoader<'info, Asset>,
    /// Asset account of the loan.
    #[account(has_one = guard @ RampartError::VaultAssetsInvalid)]
    pub loan_asset: AccountLoader<'info, Asset>,
    /// Collateral mint.
    pub collateral_mint: Box<InterfaceAccount<'info, Mint>>,
    /// Loan mint.
    pub loan_mint: Box<InterfaceAccount<'info, Mint>>,
    /// The vault. One per guard and pair.
    #[account(
        init,
        payer = root,
        space = Vault::SPACE,
        seeds = [VAULT_SEED, guard.key().as_ref(), collateral_mint.key().as_ref(), loan_mint.key().as_ref()],
        bump,
    )]
    pub vault: AccountLoader<'info, Vault>,
    /// Will hold the collateral.
    #[account(
        init,
        payer = root,
        seeds = [COLLATERAL_SEED, vault.key().as_ref()],
        bump,
        token::mint = collateral_mint,
        token::authority = vault,
        token::token_program = collateral_token_program,
    )]
    pub collateral_token: Box<InterfaceAccount<'info, TokenAccount>>,
    /// Will hold the loan asset.
    #[account(
        init,
        payer = root,
        seeds = [LOAN_SEED, vault.key().as_ref()],
        bump,
        token::mint = loan_mint,
        token::authority = vault,
        token::token_program = loan_token_program,
    )]
    pub loan_token: Box<InterfaceAccount<'info, TokenAccount>>,
    /// Program of the collateral mint.
    pub collateral_token_program: Interface<'info, TokenInterface>,
    /// Program of the loan mint.
    pub loan_token_program: Interface<'info, TokenInterface>,
    /// CHECK: the instructions of this transaction, by address.
    #[account(address = INSTRUCTIONS_SYSVAR)]
    pub instructions: UncheckedAccount<'info>,
    /// Creates the accounts.
    pub system_program: Program<'info, System>,
}

impl InitializeVault<'_> {
    fn validate(&self, args: &InitializeVaultArgs) -> Result<()> {
        let guard = self.guard.load()?;
        require_keys_eq!(guard.roles.root, self.root.key(), RampartError::WrongAuthority);
        guard.require_open()?;
        require_keys_neq!(self.collateral_asset.key(), self.loan_asset.key(), RampartError::VaultAssetsInvalid);
        require_keys_eq!(
            self.collateral_asset.load()?.mint,
            self.collateral_mint.key(),
            RampartError::VaultAssetsInvalid
        );
        require_keys_eq!(self.loan_asset.load()?.mint, self.loan_mint.key(), RampartError::VaultAssetsInvalid);
        args.risk.validate(&guard.bounds)?;
        args.curve.validate()?;
        args.limits.validate(&guard.bounds)
    }

    /// Creates the vault, empty, at level Normal, and without cover by the guard's reserve.
    ///
    /// # Errors
    /// `DurableNonceRefused`, `WrongAuthority`, `GuardFrozen`, `VaultAssetsInvalid`, `RiskParamsInvalid`, `CurveInvalid`, `LimiterInvalid`,
    /// `OutsideHardBounds`.
    pub fn handle(ctx: Context<Self>, args: InitializeVaultArgs) -> Result<()> {
        refuse_durable_nonce(&ctx.accounts.instructions)?;
        let accounts = &ctx.accounts;
        accounts.validate(&args)?;
        let now_ts = Clock::get()?.unix_timestamp;
        {
            let mut vault = accounts.vault.load_init()?;
            vault.guard = accounts.guard.key();
            vault.collateral_asset = accounts.collateral_asset.key();
            vault.loan_asset = accounts.loan_asset.key();
            vault.collateral_mint = accounts.collateral_mint.key();
            vault.loan_mint = accounts.loan_mint.key();
            vault.collateral_token = accounts.collateral_token.key();
            vault.loan_token = accounts.loan_token.key();
            vault.risk = args.risk;
            vault.curve = args.curve;
            vault.limits = args.limits;
            vault.scale = RiskScale::off(args.risk.ltv_bps);
            // root alone creates vaults, at once: what the reserve pays for is for others to stop
            vault.cover = Switch::Disabled as u8;
            vault.borrow_index_q64 = Q64_ONE.into();
            vault.accrued_at_ts = now_ts;
            vault.loan_flow.base = DayBase::start(now_ts);
            vault.collateral_flow.base = DayBase::start(now_ts);
            vault.collateral_decimals = accounts.collateral_mint.decimals;
            vault.loan_decimals = accounts.loan_mint.decimals;
            vault.version = LAYOUT_VERSION;
            vault.bump = ctx.bumps.vault;
        }
        {
            let mut guard = ctx.accounts.guard.load_mut()?;
            guard.vault_count = guard.vault_count.checked_add(1).ok_or(RampartError::MathOverflow)?;
        }
        emit_cpi!(VaultCreated { guard: accounts.guard.key(), vault: accounts.vault.key() });
        Ok(())
    }
}
