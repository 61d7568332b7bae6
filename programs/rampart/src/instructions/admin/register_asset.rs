//! Registers a mint with its price sources.

use crate::constants::{ASSET_SEED, LAYOUT_VERSION};
use crate::error::RampartError;
use crate::events::AssetRegistered;
use crate::instructions::control::nonce::{INSTRUCTIONS_SYSVAR, refuse_durable_nonce};
use crate::mint::{self, Issuer};
use crate::refuse::{require, require_keys_eq};
use crate::state::asset::{Peg, ReferenceParams};
use crate::state::warm_up::{WarmUp, require_warm_up};
use crate::state::{Asset, Guard, OracleSet, StandbySet};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::Mint;

/// What `register_asset` is told.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug)]
pub struct RegisterAssetArgs {
    /// Price sources.
    pub oracle: OracleSet,
    /// How the reference is kept.
    pub reference: ReferenceParams,
    /// Standby sources, where there are any yet.
    pub standby: Option<StandbySet>,
    /// [`Peg`].
    pub peg: u8,
    /// Until it carries its full loan-to-value as collateral, seconds from now; at least the guard's floor.
    pub warm_up_secs: u32,
    /// [`Issuer`].
    pub issuer: u8,
}

/// Accounts of `register_asset`.
#[event_cpi]
#[derive(Accounts)]
pub struct RegisterAsset<'info> {
    /// Root of the guard. Pays the rent.
    #[account(mut)]
    pub root: Signer<'info>,
    /// The guard; counts what it has.
    #[account(mut)]
    pub guard: AccountLoader<'info, Guard>,
    /// The mint.
    pub mint: Box<InterfaceAccount<'info, Mint>>,
    /// The asset account. One per guard and mint.
    #[account(init, payer = root, space = Asset::SPACE, seeds = [ASSET_SEED, guard.key().as_ref(), mint.key().as_ref()], bump)]
    pub asset: AccountLoader<'info, Asset>,
    /// CHECK: the instructions of this transaction, by address.
    #[account(address = INSTRUCTIONS_SYSVAR)]
    pub instructions: UncheckedAccount<'info>,
    /// Creates the account.
    pub system_program: Program<'info, System>,
}

impl RegisterAsset<'_> {
    fn validate(&self, args: &RegisterAssetArgs) -> Result<()> {
        let guard = self.guard.load()?;
        require_keys_eq!(guard.roles.root, self.root.key(), RampartError::WrongAuthority);
        guard.require_open()?;
        args.oracle.validate(&guard.bounds)?;
        if let Some(standby) = &args.standby {
            standby.validate(&guard.bounds)?;
            standby.require_fits(&args.oracle)?;
        }
        Peg::try_from(args.peg).map_err(|_| RampartError::UnknownKind)?;
        require_warm_up(args.warm_up_secs, &guard.bounds)?;
        let r = &args.reference;
        let usable = r.half_life_secs > 0 && r.cell_secs > 0 && r.min_samples > 0;
        require!(usable && r.max_age_secs >= r.half_life_secs, RampartError::ReferenceParamsInvalid);
        Ok(())
    }

    /// Registers the mint; its reference starts cold, and as collateral it weighs nothing until it warms up.
    ///
    /// # Errors
    /// `DurableNonceRefused`, `WrongAuthority`, `GuardFrozen`, `OracleSetInvalid`, `UnknownKind`, `OutsideHardBounds`,
    /// `ReferenceParamsInvalid`, `WarmUpInvalid`, `MintExtensionRefused`, `MintDecimalsTooLarge`, `MintIssuerUnnamed`,
    /// `StandbyInvalid`, `RateInvalid`.
    pub fn handle(ctx: Context<Self>, args: RegisterAssetArgs) -> Result<()> {
        refuse_durable_nonce(&ctx.accounts.instructions)?;
        ctx.accounts.validate(&args)?;
        let now_ts = Clock::get()?.unix_timestamp;
        let mint = &ctx.accounts.mint;
        let issuer = Issuer::try_from(args.issuer).map_err(|_| RampartError::UnknownKind)?;
        let extension_fingerprint = mint::admit(mint.as_ref().as_ref(), mint.decimals, issuer)?;
        {
            let mut asset = ctx.accounts.asset.load_init()?;
            asset.guard = ctx.accounts.guard.key();
            asset.mint = mint.key();
            asset.token_program = *mint.to_account_info().owner;
            asset.oracle = args.oracle;
            asset.standby = args.standby.unwrap_or_default();
            asset.reference_params = args.reference;
            asset.window.cell_secs = args.reference.cell_secs;
            asset.supply_reference_amount = mint.supply;
            asset.peg = args.peg;
            asset.warm_up = WarmUp::start(args.warm_up_secs, now_ts);
            asset.extension_fingerprint = extension_fingerprint;
            asset.decimals = mint.decimals;
            asset.version = LAYOUT_VERSION;
            asset.bump = ctx.bumps.asset;
        }
        {
            let mut guard = ctx.accounts.guard.load_mut()?;
            guard.asset_count = guard.asset_count.checked_add(1).ok_or(RampartError::MathOverflow)?;
        }
        emit_cpi!(AssetRegistered {
            guard: ctx.accounts.guard.key(),
            asset: ctx.accounts.asset.key(),
            mint: mint.key(),
        });
        Ok(())
    }
}
