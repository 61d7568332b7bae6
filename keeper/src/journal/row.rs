//! One signed transaction as the journal keeps it.

use crate::intent::{ActionClass, Blockhash, Intent};
use rusqlite::Row;
use solana_sdk::hash::{Hash, hashv};
use solana_sdk::pubkey::Pubkey;
use solana_sdk::signature::Signature;
use std::str::FromStr;

/// One signed transaction. Nothing in it ever changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// What is meant.
    pub intent: Intent,
    /// First signature: the transaction's name.
    pub signature: Signature,
    /// The bytes that are sent, and sent again.
    pub bytes: Vec<u8>,
    /// The blockhash in them, and when it dies.
    pub blockhash: Blockhash,
    /// The most it can cost.
    pub fee_lamports: u64,
    /// When it was planned, by the host's clock.
    pub planned_ms: u64,
}

impl Signed {
    /// Returns a hash over every field, by which an altered row is found.
    pub(super) fn checksum(&self) -> [u8; 32] {
        let parts: [&[u8]; 9] = [
            self.intent.class.as_str().as_bytes(),
            self.intent.target.as_ref(),
            &self.intent.fence.to_le_bytes(),
            self.intent.reason.as_bytes(),
            self.signature.as_ref(),
            &self.bytes,
            self.blockhash.hash.as_ref(),
            &self.blockhash.last_valid_block_height.to_le_bytes(),
            &self.fee_lamports.to_le_bytes(),
        ];
        hashv(&parts).to_bytes()
    }
}

/// How far a transaction has come. The order is the only way through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Durable, and perhaps sent: a crash may lie between the two.
    Signed,
    /// Certainly sent.
    Sent,
    /// Sent, and nobody could say what became of it. May still turn into any of the following.
    Unknown,
    /// In a confirmed block, succeeded.
    Landed,
    /// In a confirmed block, refused.
    Failed,
    /// In a confirmed block, refused because somebody else was first.
    LostRace,
    /// Can never land.
    Expired,
    /// Replaced before it was ever sent.
    Superseded,
    /// Not sent, because the keeper only observes.
    Observed,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 9] = [
        Self::Signed,
        Self::Sent,
        Self::Unknown,
        Self::Landed,
        Self::Failed,
        Self::LostRace,
        Self::Expired,
        Self::Superseded,
        Self::Observed,
    ];

    /// Returns the name kept in the journal.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::Sent => "sent",
            Self::Unknown => "unknown",
            Self::Landed => "landed",
            Self::Failed => "failed",
            Self::LostRace => "lost_race",
            Self::Expired => "expired",
            Self::Superseded => "superseded",
            Self::Observed => "observed",
        }
    }

    /// Returns whether nothing can change it any more.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Signed | Self::Sent | Self::Unknown)
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// A row that was read back; undecided, unless it was asked for by its class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undecided {
    /// The transaction.
    pub signed: Signed,
    /// How far it had come.
    pub state: State,
}

/// Columns that [`read`] expects, in order.
pub(super) const COLUMNS: &str = "class, target, fence, reason, signature, bytes, blockhash, last_valid_block_height, \
                                  fee_lamports, planned_ms, checksum, state";

/// Reads a row and proves that it is what was written.
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Result<Undecided, String>> {
    let state: String = row.get(11)?;
    let checksum: Vec<u8> = row.get(10)?;
    let signed = match fields(row)? {
        Ok(signed) => signed,
        Err(what) => return Ok(Err(what.to_owned())),
    };
    if signed.checksum().as_slice() != checksum {
        return Ok(Err(format!("the row of transaction {} was altered", signed.signature)));
    }
    let unknown = || format!("the row of transaction {} has the unknown state `{state}`", signed.signature);
    Ok(State::from_name(&state).ok_or_else(unknown).map(|state| Undecided { signed: signed.clone(), state }))
}

fn fields(row: &Row<'_>) -> rusqlite::Result<Result<Signed, &'static str>> {
    let (class, reason): (String, String) = (row.get(0)?, row.get(3)?);
    let class = ActionClass::from_name(&class).ok_or("a row has an unknown class");
    let target = parse::<Pubkey>(row, 1)?.ok_or("a row has an unreadable target");
    let signature = parse::<Signature>(row, 4)?.ok_or("a row has an unreadable signature");
    let hash = parse::<Hash>(row, 6)?.ok_or("a row has an unreadable blockhash");
    let (fence, height): (i64, i64) = (row.get(2)?, row.get(7)?);
    let (fee, planned): (i64, i64) = (row.get(8)?, row.get(9)?);
    let bytes = row.get(5)?;
    let build = || {
        Ok(Signed {
            intent: Intent { class: class?, target: target?, fence: fence.cast_unsigned(), reason },
            signature: signature?,
            bytes,
            blockhash: Blockhash { hash: hash?, last_valid_block_height: height.cast_unsigned() },
            fee_lamports: fee.cast_unsigned(),
            planned_ms: planned.cast_unsigned(),
        })
    };
    Ok(build())
}

fn parse<T: FromStr>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>> {
    row.get::<_, String>(column).map(|text| text.parse().ok())
}
