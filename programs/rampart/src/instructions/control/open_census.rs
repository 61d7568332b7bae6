//! Begins a census, for a guard too large to be named in one transaction.

use crate::constants::{CENSUS_SEED, LAYOUT_VERSION};
use crate::error::RampartError;
use crate::instructions::admin::tighten_rule::Validity;
use crate::instructions::control::nonce::{INSTRUCTIONS_SYSVAR, refuse_durable_nonce};
use crate::refuse::{require, require_keys_eq};
use crate::state::{Census, CensusPurpose, Guard, HardBounds};
use anchor_lang::prelude::*;

/// What `open_census` is told.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug)]
pub struct OpenCensusArgs {
    /// What each account is held against: the narrower bounds, or for a freeze the guard's own.
    pub bounds: HardBounds,
    /// [`CensusPurpose`].
    pub purpose: u8,
    /// Who may count.
    pub counter: Pubkey,
    /// Under which epoch, until when.
    pub validity: Validity,
}

/// Accounts of `open_census`.
#[derive(Accounts)]
pub struct OpenCensus<'info> {
    /// Root of the guard. Pays the rent and gets it back.
    #[account(mut)]
    pub root: Signer<'info>,
    /// The guard.
    pub guard: AccountLoader<'info, Guard>,
    /// The census. One at a time for each guard.
    #[account(init, payer = root, space = Census::SPACE, seeds = [CENSUS_SEED, guard.key().as_ref()], bump)]
    pub census: AccountLoader<'info, Census>,
    /// CHECK: the instructions of this transaction, by address.
    #[account(address = INSTRUCTIONS_SYSVAR)]
    pub instructions: UncheckedAccount<'info>,
    /// Creates the account.
    pub system_program: Program<'info, System>,
}

impl OpenCensus<'_> {
    /// Opens it, with nothing counted.
    ///
    /// # Errors
    /// `DurableNonceRefused`, `WrongAuthority`, `AuthorityEpochMoved`, `InstructionExpired`, `UnknownKind`,
    /// `BoundsOnlyNarrow`, `BoundsInvalid`; for a freeze `GuardFrozen`, and `CensusIncomplete` for other bounds.
    pub fn handle(ctx: Context<Self>, args: OpenCensusArgs) -> Result<()> {
        refuse_durable_nonce(&ctx.accounts.instructions)?;
        let now_ts = Clock::get()?.unix_timestamp;
        let guard = ctx.accounts.guard.load()?;
        require_keys_eq!(guard.roles.root, ctx.accounts.root.key(), RampartError::WrongAuthority);
        args.validity.check_time(&guard, now_ts)?;
        match CensusPurpose::try_from(args.purpose).map_err(|_| RampartError::UnknownKind)? {
            CensusPurpose::Narrow => {
                guard.bounds.require_narrower(&args.bounds)?;
                args.bounds.validate()?;
            }
            CensusPurpose::Freeze => {
                guard.require_open()?;
                require!(args.bounds == guard.bounds, RampartError::CensusIncomplete);
            }
        }
        let mut census = ctx.accounts.census.load_init()?;
        census.guard = ctx.accounts.guard.key();
        census.counter = args.counter;
        census.rent_to = ctx.accounts.root.key();
        census.bounds = args.bounds;
        census.config_seq = guard.config_seq;
        census.authority_epoch = guard.authority_epoch;
        census.opened_at_ts = now_ts;
        census.purpose = args.purpose;
        census.version = LAYOUT_VERSION;
        census.bump = ctx.bumps.census;
        Ok(())
    }
}
