//! Asks the guard about an action, without charging it.

use crate::constants::VERDICT_ABI;
use crate::error::RampartError;
use crate::instructions::integration::sources;
use crate::instructions::integration::verdict::{GuardVerdict, PROGRAM_DATA, deploy_slot};
use crate::risk::gate::Class;
use crate::state::integration::ActionKind;
use crate::state::{Guard, Integration, Levels};
use anchor_lang::prelude::*;

/// Accounts of `check_action` and `enforce_action`. Nothing is written and nobody signs.
///
/// Remaining accounts: the integration's asset where it pins one, then optionally this program's data account.
#[derive(Accounts)]
pub struct AskGuard<'info> {
    /// The guard.
    pub guard: AccountLoader<'info, Guard>,
    /// The integration.
    #[account(has_one = guard @ RampartError::IntegrationMismatch)]
    pub integration: AccountLoader<'info, Integration>,
}

impl<'info> AskGuard<'info> {
    /// Answers whether `kind` is allowed in `amount`, and up to which amount.
    ///
    /// # Errors
    /// `UnknownKind`, `IntegrationMismatch`.
    pub fn check(ctx: Context<'info, Self>, kind: u8, amount: u64) -> Result<GuardVerdict> {
        let (accounts, slot) = split_program_data(ctx.remaining_accounts)?;
        let asked = Asked::new(ctx.accounts, accounts, kind)?;
        let room = asked.room(&*ctx.accounts.integration.load()?);
        Ok(GuardVerdict {
            abi: VERDICT_ABI,
            kind,
            level: asked.level() as u8,
            is_allowed: room.as_ref().is_ok_and(|room| amount <= *room),
            amount,
            max_amount: room.unwrap_or(0),
            valid_until_ts: asked.now_ts,
            integration: ctx.accounts.integration.key(),
            deploy_slot: slot,
        })
    }

    /// Succeeds only if `kind` is allowed in `amount`. There is no answer to misread.
    ///
    /// # Errors
    /// `UnknownKind`, `IntegrationMismatch`, `IntegrationDisabled`, `LevelForbids`, `HourlyLimitReached`,
    /// `DailyLimitReached`.
    pub fn enforce(ctx: Context<'info, Self>, kind: u8, amount: u64) -> Result<()> {
        let (accounts, _) = split_program_data(ctx.remaining_accounts)?;
        let asked = Asked::new(ctx.accounts, accounts, kind)?;
        let integration = ctx.accounts.integration.load()?;
        integration.require_enabled()?;
        let Some(lane) = asked.kind.lane(asked.levels)? else { return Ok(()) };
        let mut flow = integration.flow;
        flow.charge(amount, lane, &integration.caps, asked.now_ts)
    }
}

/// A question with what is known about it.
struct Asked {
    kind: ActionKind,
    levels: Levels,
    now_ts: i64,
}

impl Asked {
    fn new<'info>(ask: &AskGuard<'info>, accounts: &[AccountInfo<'info>], kind: u8) -> Result<Self> {
        let kind = ActionKind::try_from(kind).map_err(|_| RampartError::UnknownKind)?;
        let now_ts = Clock::get()?.unix_timestamp;
        let integration = ask.integration.load()?;
        let (_, asset) = sources::pinned(&integration, accounts, false)?;
        let levels = sources::levels(&*ask.guard.load()?, &integration, asset, now_ts)?;
        Ok(Self { kind, levels, now_ts })
    }

    /// The level that the action has to pass.
    fn level(&self) -> crate::state::Level {
        if matches!(self.kind.class(), Class::RiskUp | Class::Neutral) { self.levels.risk } else { self.levels.exit }
    }

    /// The most that may be done; everything, for an action that lets nothing out.
    fn room(&self, integration: &Integration) -> Result<u64> {
        integration.require_enabled()?;
        let lane = self.kind.lane(self.levels)?;
        Ok(lane.map_or(u64::MAX, |lane| integration.flow.room(lane, &integration.caps, self.now_ts)))
    }
}

/// Takes this program's data account off the end, where it was passed.
fn split_program_data<'a, 'info>(
    accounts: &'a [AccountInfo<'info>],
) -> Result<(&'a [AccountInfo<'info>], Option<u64>)> {
    match accounts.split_last() {
        Some((last, rest)) if *last.key == PROGRAM_DATA => Ok((rest, Some(deploy_slot(last)?))),
        _ => Ok((accounts, None)),
    }
}
