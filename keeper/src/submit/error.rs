//! Why a transaction was not prepared.

use crate::journal::JournalError;
use solana_sdk::pubkey::Pubkey;
use solana_sdk::signer::SignerError;
use solana_sdk::transaction::TransactionError;
use std::sync::Arc;

/// Why a transaction was not prepared. Nothing was signed for sending.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// A signature of this intent may still land.
    #[error("a transaction of this intent may still land")]
    InFlight,
    /// This intent has landed already.
    #[error("this intent has landed already")]
    Settled,
    /// The signed bytes were given up before they were sent: their blockhash is dead.
    #[error("the signed bytes can no longer land and were given up unsent; they are signed anew")]
    Gone,
    /// These very bytes were signed before: only a newer blockhash makes others.
    #[error("the same bytes were signed before, under the same blockhash")]
    SameBytes,
    /// As many transactions are undecided as the settings allow.
    #[error("{in_flight} transactions are undecided, as many as `tx.max_in_flight` allows")]
    TooManyInFlight {
        /// Undecided now.
        in_flight: usize,
    },
    /// The hour's budget is used.
    #[error("fee of {fee_lamports} lamports exceeds what is left of `budget.lamports_per_hour`: {left_lamports}")]
    OverBudget {
        /// Highest fee of the transaction.
        fee_lamports: u64,
        /// Left within the hour.
        left_lamports: u64,
    },
    /// The hour's budget of postings is used.
    #[error("fee of {fee_lamports} lamports exceeds what is left of `poster.lamports_per_hour`: {left_lamports}")]
    OverPosting {
        /// Highest fee of the transaction.
        fee_lamports: u64,
        /// Left within the hour.
        left_lamports: u64,
    },
    /// The rest of the balance is kept for trips.
    #[error("balance of {balance_lamports} lamports is kept for trips, up to {reserved_lamports}")]
    ReserveForTrips {
        /// Balance, less what is under way.
        balance_lamports: u64,
        /// Kept back.
        reserved_lamports: u64,
    },
    /// The program refuses it in a simulation.
    #[error("the program refuses the transaction in a simulation: {error}")]
    WouldFail {
        /// What the chain would say.
        error: TransactionError,
        /// Code of our program, where it is known to be the one that refuses.
        code: Option<u32>,
    },
    /// The transaction does not fit into a packet.
    #[error("transaction of {bytes} bytes exceeds the packet size of {limit}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The most a packet holds.
        limit: usize,
    },
    /// Another signer than the payer is demanded.
    #[error("instructions demand a signature that payer `{payer}` cannot give")]
    Sign {
        /// The payer.
        payer: Pubkey,
        /// What the signer said.
        source: SignerError,
    },
    /// The journal refused, so the transaction must not be sent.
    #[error("failed to journal a transaction")]
    Journal(#[source] Arc<JournalError>),
}

impl SubmitError {
    /// Returns whether the same call may succeed later without an edit.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::InFlight
            | Self::Gone
            | Self::SameBytes
            | Self::TooManyInFlight { .. }
            | Self::OverBudget { .. }
            | Self::OverPosting { .. }
            | Self::ReserveForTrips { .. }
            | Self::WouldFail { .. } => true,
            Self::Settled | Self::TooLarge { .. } | Self::Sign { .. } => false,
            Self::Journal(error) => error.is_transient(),
        }
    }

    /// Returns the name used in metrics.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::InFlight => "in_flight",
            Self::Settled => "settled",
            Self::Gone => "gone",
            Self::SameBytes => "same_bytes",
            Self::TooManyInFlight { .. } => "too_many_in_flight",
            Self::OverBudget { .. } => "over_budget",
            Self::OverPosting { .. } => "over_posting",
            Self::ReserveForTrips { .. } => "reserve_for_trips",
            Self::WouldFail { .. } => "would_fail",
            Self::TooLarge { .. } => "too_large",
            Self::Sign { .. } => "sign",
            Self::Journal(_) => "journal",
        }
    }
}
