//! Lets a standby source take the place of one that is proved dead, at once.

use crate::error::RampartError;
use crate::events::StandbyActivated;
use crate::instructions::admin::tighten_rule::Validity;
use crate::instructions::control::nonce::{INSTRUCTIONS_SYSVAR, refuse_durable_nonce};
use crate::instructions::control::standby;
use crate::math::Bps;
use crate::refuse::require;
use crate::state::{Asset, Change, Guard, OracleSet};
use anchor_lang::prelude::*;

/// What `activate_standby` is told.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug)]
pub struct ActivateStandbyArgs {
    /// Place of the dead source in the asset's set.
    pub source: u8,
    /// Place of the standby source among the standby ones.
    pub standby: u8,
    /// [`Change::hash`] of the asset's set as the signer knows it: the fence against acting twice.
    pub value_hash: [u8; 32],
    /// Under which epoch, until when.
    pub validity: Validity,
}

/// Accounts of `activate_standby`.
///
/// Remaining accounts: the oracle accounts of the asset's set, then the standby source's.
#[event_cpi]
#[derive(Accounts)]
pub struct ActivateStandby<'info> {
    /// Root or risk admin.
    pub authority: Signer<'info>,
    /// The guard. Read for its roles and bounds.
    pub guard: AccountLoader<'info, Guard>,
    /// The asset.
    #[account(mut, has_one = guard @ RampartError::ChangeTargetMismatch)]
    pub asset: AccountLoader<'info, Asset>,
    /// CHECK: the instructions of this transaction, by address.
    #[account(address = INSTRUCTIONS_SYSVAR)]
    pub instructions: UncheckedAccount<'info>,
}

impl<'info> ActivateStandby<'info> {
    /// Lets both change places. As many sources are required as before, and the dead one stands by: it was approved, and
    /// comes back only by this instruction, alive and in the place of another dead one.
    ///
    /// Nothing is loosened: the newcomer waited for the guard's delay when it was approved, was tried on the price then,
    /// and is tried again. A guard that is frozen can do it too.
    ///
    /// # Errors
    /// `DurableNonceRefused`, `ChangeValueMoved`, `StandbyInvalid`, `OracleSetInvalid`, `OutsideHardBounds`,
    /// `OracleAccountsMissing`, `SourceNotDead`, and those of [`Validity::check`] and [`standby::require_repaired`].
    pub fn handle(ctx: Context<'info, Self>, args: ActivateStandbyArgs) -> Result<()> {
        let now_ts = Clock::get()?.unix_timestamp;
        refuse_durable_nonce(&ctx.accounts.instructions)?;
        let event = ctx.accounts.apply(&args, ctx.remaining_accounts, now_ts)?;
        emit_cpi!(event);
        Ok(())
    }

    fn apply(
        &self,
        args: &ActivateStandbyArgs,
        oracles: &[AccountInfo<'info>],
        now_ts: i64,
    ) -> Result<StandbyActivated> {
        let guard = self.guard.load()?;
        args.validity.check(&guard, self.authority.key, now_ts)?;
        let mut asset = self.asset.load_mut()?;
        require!(Change::AssetOracle(asset.oracle).hash() == args.value_hash, RampartError::ChangeValueMoved);
        let (mut next, mut standing) = (asset.oracle, asset.standby);
        standing.activate(&mut next, args.source, args.standby, &guard.bounds)?;
        self.prove(&asset, (&next, args.source), oracles, Bps(guard.bounds.max_effect_bps.into()), now_ts)?;
        let place = usize::from(args.source);
        let (dead, standby) = (asset.oracle.sources[place].account, next.sources[place].account);
        (asset.oracle, asset.standby) = (next, standing);
        Ok(StandbyActivated { asset: self.asset.key(), source: args.source, dead, standby })
    }

    /// Proves that the source is dead and that the standby is worth its place.
    #[inline(never)]
    fn prove(
        &self,
        asset: &Asset,
        (next, source): (&OracleSet, u8),
        oracles: &[AccountInfo<'info>],
        max: Bps,
        now_ts: i64,
    ) -> Result<()> {
        let (standby, old) = oracles.split_last().ok_or(RampartError::OracleAccountsMissing)?;
        require!(old.len() == asset.oracle.account_count(), RampartError::OracleAccountsMissing);
        let place = usize::from(source);
        let is_dead = standby::is_dead(&asset.oracle.sources[place], &old[place], now_ts)?;
        require!(is_dead, RampartError::SourceNotDead);
        let mut new = old.to_vec();
        new[place] = standby.clone();
        standby::require_repaired(asset, (next, source), (old, &new), max, now_ts)
    }
}
