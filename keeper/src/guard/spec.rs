//! The guard's parameters as people write and read them: one type for files, for JSON and for the difference of two values.
//!
//! Each type mirrors one struct of the program. Both conversions name every field, so that a field that the program gains
//! doesn't compile without a line here. Nothing is judged here: the program's own checks do that.

mod lists;
mod names;
mod params;

pub use lists::{GrantSpec, OracleSpec, PlanSpec, RolesSpec, StandbySpec, SwapSpec};
pub use names::{
    CallerName, ComparatorName, IssuerName, LevelName, MemberName, MetricName, PartName, PegName, PinName, PurposeName,
    RateName, ScopeName, SourceName, SpanName, StandingName, SwitchName,
};
pub use params::{
    AggregateSpec, BoundsSpec, CurveSpec, FlowSpec, InflowSpec, KeeperScaleSpec, LimitsSpec, RateSpec, ReferenceSpec,
    RiskSpec, RuleSpec, ScaleSpec, SourceSpec, VolatilitySpec,
};

use anchor_lang::prelude::Pubkey;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The chain holds a value that this version has no word for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the chain holds a {what} of number {value}, which this version does not know")]
pub struct Unknown {
    /// Of which kind.
    pub what: &'static str,
    /// The stored number.
    pub value: u8,
}

/// A readable form of `T`.
pub trait Part<T>: Sized {
    /// Reads a stored value.
    ///
    /// # Errors
    /// [`Unknown`].
    fn of(value: &T) -> Result<Self, Unknown>;
    /// Returns the value as it is stored.
    fn value(&self) -> T;
}

macro_rules! as_it_is {
    ($($kind:ty),+) => {$(
        impl Part<$kind> for $kind {
            fn of(value: &$kind) -> Result<Self, Unknown> {
                Ok(*value)
            }

            fn value(&self) -> $kind {
                *self
            }
        }
    )+};
}
as_it_is!(u8, u16, u32, u64, i64);

/// An address, written in base58.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Key(pub Pubkey);

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<String> for Key {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| format!("`{text}` is no address: 32 bytes in base58 are wanted"))
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.0.to_string()
    }
}

impl Part<Pubkey> for Key {
    fn of(value: &Pubkey) -> Result<Self, Unknown> {
        Ok(Self(*value))
    }

    fn value(&self) -> Pubkey {
        self.0
    }
}

/// Bytes, written as hexadecimal digits; none where all are zero.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(pub [u8; 32]);

impl TryFrom<String> for Digest {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        unhex(&text)
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or_else(|| format!("`{text}` is not 64 hexadecimal digits"))
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        if digest == Digest::default() { Self::new() } else { hex::encode(digest.0) }
    }
}

impl Part<[u8; 32]> for Digest {
    fn of(value: &[u8; 32]) -> Result<Self, Unknown> {
        Ok(Self(*value))
    }

    fn value(&self) -> [u8; 32] {
        self.0
    }
}

/// Reads hexadecimal digits, with or without `0x` before them.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    hex::decode(text.strip_prefix("0x").unwrap_or(text)).ok()
}
