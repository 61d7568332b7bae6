//! Brings signed updates of Pyth on chain, where the account of a feed that the guard uses lags.
//!
//! Off unless the settings have `[poster]`. It decides nothing about vaults and rules and no price of its own comes on
//! chain: it pays for an update that the publishers signed, the programs of Pyth verify it, and what follows is decided
//! by what the account then holds. It runs behind everything else, spends an hour's allowance of its own, and keeps no
//! transaction of another class waiting.
//!
//! `update` reads what Hermes sends, `wire` makes instructions of it, `desk` says which feed needs one and what the next
//! step of each posting is, `recover` finds in the journal what an earlier run left on chain. Called by `run`; the
//! updates come by `early`.

mod desk;
mod recover;
mod update;
mod wire;

pub(crate) use desk::why_not;
pub use desk::{Desk, Scene};
pub use recover::{LOOK_BACK, Left, left};
pub use update::{SignedUpdate, UpdateError};
pub use wire::{Cohort, Message, Place, SHARDS};

use crate::intent::{ActionClass, Intent};
use anchor_lang::prelude::Pubkey;
use solana_sdk::instruction::Instruction;
use std::sync::Arc;

/// One transaction of a posting. In the order in which they are sent; the last one only where the one before can't be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Opens the account of the message and writes the message's head.
    Open = 0,
    /// Writes the rest, has it verified, moves the feed, and closes the account.
    Price = 1,
    /// Closes the account of a message that is needed no more.
    Close = 2,
}

impl Step {
    /// Returns the fence of this step of the posting of an update.
    ///
    /// # Shape
    /// The time of publishing, unix seconds, times four, plus the step: equal in every keeper that brings the same
    /// update to the same account.
    pub fn fence(self, publish_ts: i64) -> u64 {
        publish_ts.max(0).unsigned_abs().saturating_mul(4).saturating_add(self as u64)
    }

    /// Returns which step of which update an intent is; `None` for an intent of another class.
    pub fn of(intent: &Intent) -> Option<(Self, i64)> {
        let publish_ts = i64::try_from(intent.fence / 4).ok().filter(|_| intent.class == ActionClass::Post)?;
        let step = [Self::Open, Self::Price, Self::Close].into_iter().find(|step| *step as u64 == intent.fence % 4)?;
        Some((step, publish_ts))
    }

    /// Returns the compute units that the step may use.
    ///
    /// # Source
    /// pyth-crosschain, `pyth_solana_receiver/src/compute_budget.ts`: 350,000 to verify thirteen signatures, 190,000 to
    /// update a feed; the rest is a margin. Never measured on a public cluster: what is exceeded is raised for the next
    /// attempt.
    pub const fn units(self) -> u32 {
        match self {
            Self::Open | Self::Close => 40_000,
            Self::Price => 600_000,
        }
    }
}

/// Tells whether an intent ends what an earlier transaction began: its rent comes back by nothing else.
pub fn ends_what_began(intent: &Intent) -> bool {
    Step::of(intent).is_some_and(|(step, _)| step != Step::Open)
}

/// What a step takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Posting {
    /// Which step.
    pub step: Step,
    /// What is brought where; `None` where only the message's account is known any more.
    pub brings: Option<(Place, Arc<SignedUpdate>)>,
    /// The asset that uses it, where one is known.
    pub asset: Option<Pubkey>,
    /// The account of the message.
    pub message: Message,
    /// What is sent.
    pub instructions: Vec<Instruction>,
}

#[cfg(test)]
mod tests;
