//! Gives another program, or a wallet, a place under a guard.

use crate::constants::{INTEGRATION_SEED, LAYOUT_VERSION};
use crate::error::RampartError;
use crate::events::IntegrationRegistered;
use crate::instructions::admin::tighten_rule::Validity;
use crate::instructions::control::nonce::{INSTRUCTIONS_SYSVAR, refuse_durable_nonce};
use crate::instructions::integration::handover;
use crate::mint::{self, Issuer};
use crate::refuse::{require, require_keys_eq};
use crate::state::flow::DayBase;
use crate::state::integration::{LimitBase, Mode};
use crate::state::{Asset, FlowCaps, Guard, Integration, Switch};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount};

/// What `register_integration` is told.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug)]
pub struct RegisterIntegrationArgs {
    /// Who may charge it.
    pub authority: Pubkey,
    /// Limits.
    pub caps: FlowCaps,
    /// [`Mode`].
    pub mode: u8,
    /// [`LimitBase`].
    pub base: u8,
}

/// Accounts of `register_integration`.
#[event_cpi]
#[derive(Accounts)]
#[instruction(index: u16)]
pub struct RegisterIntegration<'info> {
    /// Root of the guard. Pays the rent.
    #[account(mut)]
    pub root: Signer<'info>,
    /// The guard.
    pub guard: AccountLoader<'info, Guard>,
    /// CHECK: the integrator's program, or the System program for a wallet; MUST be executable. Part of the address.
    #[account(executable)]
    pub integrator: UncheckedAccount<'info>,
    /// The mint whose base units are counted.
    pub mint: Box<InterfaceAccount<'info, Mint>>,
    /// The token account that is held, or whose balance is the base.
    #[account(token::mint = mint)]
    pub token: Option<Box<InterfaceAccount<'info, TokenAccount>>>,
    /// Asset account whose level counts too.
    #[account(has_one = guard @ RampartError::IntegrationMismatch, has_one = mint @ RampartError::IntegrationMismatch)]
    pub asset: Option<AccountLoader<'info, Asset>>,
    /// The integration.
    #[account(
        init,
        payer = root,
        space = Integration::SPACE,
        seeds = [INTEGRATION_SEED, guard.key().as_ref(), integrator.key().as_ref(), &index.to_le_bytes()],
        bump,
    )]
    pub integration: AccountLoader<'info, Integration>,
    /// CHECK: the instructions of this transaction, by address.
    #[account(address = INSTRUCTIONS_SYSVAR)]
    pub instructions: UncheckedAccount<'info>,
    /// Creates the account.
    pub system_program: Program<'info, System>,
}

impl RegisterIntegration<'_> {
    /// Registers. Token account or mint authority MUST have been handed over before, for the modes that hold them.
    ///
    /// # Errors
    /// `DurableNonceRefused`, `IntegrationInvalid`, `CustodyNotHandedOver`, `MintExtensionRefused`, `MintDecimalsTooLarge`, those of
    /// [`Integration::validate`] and of [`Validity::check`].
    pub fn handle(ctx: Context<Self>, index: u16, args: RegisterIntegrationArgs, validity: Validity) -> Result<()> {
        refuse_durable_nonce(&ctx.accounts.instructions)?;
        ctx.accounts.write(index, &args, ctx.bumps.integration, &validity)?;
        emit_cpi!(IntegrationRegistered {
            guard: ctx.accounts.guard.key(),
            integration: ctx.accounts.integration.key(),
            program: ctx.accounts.integrator.key(),
            authority: args.authority,
        });
        Ok(())
    }

    fn write(&self, index: u16, args: &RegisterIntegrationArgs, bump: u8, validity: &Validity) -> Result<()> {
        let now_ts = Clock::get()?.unix_timestamp;
        let mut i = self.integration.load_init()?;
        i.guard = self.guard.key();
        i.program = self.integrator.key();
        i.authority = args.authority;
        i.mint = self.mint.key();
        i.token = self.token.as_ref().map_or(Pubkey::default(), |token| token.key());
        i.asset = self.asset.as_ref().map_or(Pubkey::default(), |asset| asset.key());
        i.holder = if args.mode == Mode::Reported as u8 { Pubkey::default() } else { self.integration.key() };
        i.caps = args.caps;
        i.flow.base = DayBase::start(now_ts);
        i.flow.base.note(match &self.token {
            Some(token) if args.base == LimitBase::Balance as u8 => token.amount,
            _ => self.mint.supply,
        });
        (i.mode, i.base, i.index) = (args.mode, args.base, index);
        i.switch = Switch::Enabled as u8;
        i.asset_switch = if self.asset.is_some() { Switch::Enabled } else { Switch::Disabled } as u8;
        i.decimals = self.mint.decimals;
        // the integrator's own token: its users know its issuer
        i.extension_fingerprint = mint::admit(self.mint.as_ref().as_ref(), self.mint.decimals, Issuer::MayStall)?;
        (i.version, i.bump) = (LAYOUT_VERSION, bump);
        self.validate(&i, validity, now_ts)
    }

    fn validate(&self, integration: &Integration, validity: &Validity, now_ts: i64) -> Result<()> {
        let guard = self.guard.load()?;
        require_keys_eq!(guard.roles.root, self.root.key(), RampartError::WrongAuthority);
        validity.check(&guard, self.root.key, now_ts)?;
        let own = self.integration.key();
        let authority = integration.authority;
        require!(authority != Pubkey::default() && authority != own, RampartError::IntegrationInvalid);
        integration.validate(&guard.bounds, self.mint.supply)?;
        let mode = Mode::try_from(integration.mode)?;
        let needs_token = mode == Mode::Custody || integration.base == LimitBase::Balance as u8;
        require!(needs_token == self.token.is_some(), RampartError::IntegrationInvalid);
        match (mode, &self.token) {
            (Mode::Custody, Some(token)) => handover::require_token(token, &own),
            (Mode::Mint, _) => handover::require_mint(&self.mint, &own),
            _ => Ok(()),
        }
    }
}
