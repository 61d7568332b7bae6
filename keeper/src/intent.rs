//! What the keeper means to do, before and after it is a transaction.
//!
//! Owns names and identities. Decides nothing, signs nothing. Written by `decide` and `plan`, read by `journal` and
//! `submit`.

use serde::{Deserialize, Serialize};
use solana_sdk::hash::{Hash, hashv};
use solana_sdk::instruction::Instruction;
use solana_sdk::message::AddressLookupTableAccount;
use solana_sdk::pubkey::Pubkey;
use solana_sdk::transaction::TransactionError;
use std::fmt;

/// The kind of an action: what it may spend, and how urgent it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionClass {
    /// Raises a breaker by a rule that is true.
    Trip,
    /// Liquidates a position beyond its liquidation line.
    Liquidate,
    /// Shrinks a position between its soft and liquidation lines.
    Deleverage,
    /// Writes an asset's price reference.
    Observe,
    /// Takes one observation into a rule's streak.
    ObserveRule,
    /// Marks the price when a halt began.
    MarkHalt,
    /// Reports the risk that this keeper sees.
    Report,
    /// Lowers the level of a rule that is no longer true.
    StepDown,
    /// Keeps a vault's books honest.
    Settle,
    /// Moves the reserve's basket.
    Rebalance,
    /// Brings a signed update of an oracle on chain.
    Post,
}

impl ActionClass {
    /// Every class, most urgent first.
    pub const ALL: [Self; 11] = [
        Self::Trip,
        Self::Liquidate,
        Self::Deleverage,
        Self::ObserveRule,
        Self::Observe,
        Self::MarkHalt,
        Self::Report,
        Self::Settle,
        Self::StepDown,
        Self::Rebalance,
        Self::Post,
    ];

    /// Returns the name used in the journal, in metrics and in events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trip => "trip",
            Self::Liquidate => "liquidate",
            Self::Deleverage => "deleverage",
            Self::Observe => "observe",
            Self::ObserveRule => "observe_rule",
            Self::MarkHalt => "mark_halt",
            Self::Report => "report",
            Self::StepDown => "step_down",
            Self::Settle => "settle",
            Self::Rebalance => "rebalance",
            Self::Post => "post",
        }
    }

    /// Tells whether the program lets at most one action of this class land for a fence, at the cost of a fee for each
    /// further one: it names the `trip_epoch` of its rule or group, and moves it.
    pub const fn moves_trip_epoch(self) -> bool {
        matches!(self, Self::Trip | Self::StepDown)
    }

    /// Returns the class of a name, or nothing for a name this version does not know.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == name)
    }
}

impl fmt::Display for ActionClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Identity of an intent: equal in every keeper that means the same action on the same state.
///
/// # Shape
/// SHA-256 over class, target and fence; shown as 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IntentId([u8; 32]);

impl fmt::Display for IntentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for IntentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One action that the keeper means to take, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Kind of action.
    pub class: ActionClass,
    /// The account acted on: rule, position, asset or feed.
    pub target: Pubkey,
    /// The value on chain that the action moves: `trip_epoch`, `liquidation_seq`, or a count that stands for it.
    pub fence: u64,
    /// Why, in one plain sentence. Not part of the identity.
    pub reason: String,
}

impl Intent {
    /// Returns the identity.
    pub fn id(&self) -> IntentId {
        let parts: [&[u8]; 3] = [self.class.as_str().as_bytes(), self.target.as_ref(), &self.fence.to_le_bytes()];
        IntentId(hashv(&parts).to_bytes())
    }
}

/// An intent with the instructions that carry it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedTx {
    /// What is meant.
    pub intent: Intent,
    /// Instructions, without those of the compute budget.
    pub instructions: Vec<Instruction>,
    /// Compute units asked for.
    pub compute_unit_limit: u32,
    /// Priority fee per compute unit.
    pub priority_micro_lamports: u64,
    /// Lookup tables without which it would not fit into a packet; none where it fits.
    pub tables: Vec<AddressLookupTableAccount>,
}

/// A blockhash and the block height at which it dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blockhash {
    /// The hash.
    pub hash: Hash,
    /// Last block height at which a transaction with it may land.
    pub last_valid_block_height: u64,
}

/// What became of a signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It is in a confirmed block and succeeded.
    Landed {
        /// Slot of the block.
        slot: u64,
        /// Units used, where the node says so.
        compute_units: Option<u64>,
    },
    /// It is in a confirmed block and failed: the fee is paid, nothing else changed.
    Failed {
        /// Slot of the block.
        slot: u64,
        /// What the chain said.
        error: TransactionError,
        /// Code of the program, where the program refused.
        code: Option<u32>,
        /// Whether the refusal means that somebody else acted first, or that the cause is gone.
        lost_race: bool,
    },
    /// It can never land.
    Expired,
    /// Nobody could say yet. It may have landed; nothing new is signed for the intent.
    Unknown,
}

impl Outcome {
    /// Returns the name used in the journal, in metrics and in events.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Landed { .. } => "landed",
            Self::Failed { lost_race: true, .. } => "lost_race",
            Self::Failed { .. } => "failed",
            Self::Expired => "expired",
            Self::Unknown => "unknown",
        }
    }

    /// Returns whether nothing can change it any more.
    pub const fn is_final(&self) -> bool {
        !matches!(self, Self::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intent(class: ActionClass, fence: u64, reason: &str) -> Intent {
        Intent { class, target: Pubkey::new_from_array([7; 32]), fence, reason: reason.into() }
    }

    #[test]
    fn id_is_the_same_for_another_reason() {
        assert_eq!(intent(ActionClass::Trip, 3, "a").id(), intent(ActionClass::Trip, 3, "b").id());
    }

    #[test]
    fn id_differs_by_class_target_and_fence() {
        let base = intent(ActionClass::Trip, 3, "");
        let moved = Intent { target: Pubkey::new_from_array([8; 32]), ..base.clone() };
        assert_ne!(base.id(), intent(ActionClass::Trip, 4, "").id());
        assert_ne!(base.id(), intent(ActionClass::Liquidate, 3, "").id());
        assert_ne!(base.id(), moved.id());
    }

    #[test]
    fn id_is_shown_as_64_hex_digits() {
        let shown = intent(ActionClass::Trip, 3, "").id().to_string();
        assert_eq!(shown.len(), 64);
        assert!(shown.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()));
    }

    #[test]
    fn class_names_round_trip() {
        for class in ActionClass::ALL {
            assert_eq!(ActionClass::from_name(class.as_str()), Some(class));
        }
        assert_eq!(ActionClass::from_name("guess"), None);
    }
}
