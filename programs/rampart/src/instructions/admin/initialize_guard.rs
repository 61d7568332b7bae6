//! Creates a guard with its roles and hard bounds.

use crate::constants::{GUARD_SEED, LAYOUT_VERSION};
use crate::error::RampartError;
use crate::events::GuardCreated;
use crate::refuse::require_keys_eq;
use crate::state::{Finality, Guard, HardBounds, ReserveState, Roles, Switch};
use anchor_lang::prelude::*;

/// What `initialize_guard` is told.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug)]
pub struct InitializeGuardArgs {
    /// Who may do what.
    pub roles: Roles,
    /// Floors and ceilings; only ever narrowed from here on. Loosenings wait for the floor of their delay at first.
    pub bounds: HardBounds,
}

/// Accounts of `initialize_guard`.
#[event_cpi]
#[derive(Accounts)]
#[instruction(id: u16)]
pub struct InitializeGuard<'info> {
    /// Pays the rent and becomes root. Its key is part of the guard's address, so that nobody can be first with other parameters.
    #[account(mut)]
    pub creator: Signer<'info>,
    /// The guard.
    #[account(init, payer = creator, space = Guard::SPACE, seeds = [GUARD_SEED, creator.key().as_ref(), &id.to_le_bytes()], bump)]
    pub guard: AccountLoader<'info, Guard>,
    /// Creates the account.
    pub system_program: Program<'info, System>,
}

impl InitializeGuard<'_> {
    /// Creates the guard at level Normal.
    ///
    /// # Errors
    /// `RolesInvalid`, `BoundsInvalid`, `UnknownKind`, `RootNeedsAcceptance` unless the creator is root.
    pub fn handle(ctx: Context<Self>, id: u16, args: InitializeGuardArgs) -> Result<()> {
        {
            let mut guard = ctx.accounts.guard.load_init()?;
            guard.creator = ctx.accounts.creator.key();
            guard.roles = args.roles;
            guard.bounds = args.bounds;
            guard.loosen_delay_secs = args.bounds.min_loosen_delay_secs;
            guard.finality = Finality::Open as u8;
            guard.aggregate = Switch::Disabled as u8;
            guard.reserve = ReserveState::Absent as u8;
            guard.id = id;
            guard.version = LAYOUT_VERSION;
            guard.bump = ctx.bumps.guard;
            guard.invariant()?;
            // a root that can't sign would own the guard for ever
            require_keys_eq!(guard.roles.root, guard.creator, RampartError::RootNeedsAcceptance);
        }
        emit_cpi!(GuardCreated { guard: ctx.accounts.guard.key(), creator: ctx.accounts.creator.key() });
        Ok(())
    }
}
