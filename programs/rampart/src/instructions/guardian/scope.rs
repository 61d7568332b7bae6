//! The breaker of a scope: a guard, an asset, a vault or an integration.

use crate::error::RampartError;
use crate::events::ScopePaused;
use crate::instructions::evidence::evaluate::{guard_of_subject, with_breaker_of};
use crate::refuse::{require, require_keys_eq};
use crate::state::breaker::{Breaker, Cause, CauseKind, Level, Reach};
use anchor_lang::prelude::*;

/// Applies `change` to the breaker of `scope`: the guard at `guard`, or an asset, a vault or an integration of it.
///
/// # Errors
/// `ChangeTargetMismatch` for an account of another guard, Anchor's for one of another kind or owner; and `change`'s.
pub fn with_scope<T>(scope: &AccountInfo, guard: &Pubkey, change: impl FnOnce(&mut Breaker) -> Result<T>) -> Result<T> {
    if scope.key != guard {
        require_keys_eq!(guard_of_subject(scope)?, *guard, RampartError::ChangeTargetMismatch);
    }
    with_breaker_of(scope, change)
}

/// A pause that its budget has been charged for.
pub struct Pause {
    /// The guardian, or the guard for the quorum.
    pub source: Pubkey,
    /// The level that it demands.
    pub level: Level,
    /// How long, seconds.
    pub duration_secs: u32,
    /// What is left of the budget, seconds.
    pub budget_left_secs: u32,
}

impl Pause {
    /// Puts the pause into force.
    ///
    /// # Errors
    /// `OwnPauseExtension` while the source holds one at this scope, `CausesFull`, and those of [`with_scope`].
    pub fn apply(&self, scope: &AccountInfo, guard: &Pubkey, now_ts: i64) -> Result<ScopePaused> {
        let expires_at_ts = now_ts.saturating_add(self.duration_secs.into());
        let cause = Cause {
            source: self.source,
            tripped_at_ts: now_ts,
            expires_at_ts,
            dwell_until_ts: expires_at_ts.min(now_ts.saturating_add(crate::constants::PAUSE_DWELL_SECS)),
            level: self.level as u8,
            kind: CauseKind::Pause as u8,
            reach: Reach::All as u8,
            reserved: [0; 5],
        };
        with_scope(scope, guard, |breaker| {
            let held = breaker.cause_of(&self.source, now_ts).is_some();
            require!(!held, RampartError::OwnPauseExtension);
            breaker.trip(cause, now_ts)
        })?;
        Ok(ScopePaused {
            guard: *guard,
            scope: scope.key(),
            source: self.source,
            level: cause.level,
            expires_at_ts,
            budget_left_secs: self.budget_left_secs,
        })
    }
}
