//! Prices from oracle accounts.
//!
//! Owns the one way in which this project reads an oracle: the program on every path, and the keeper, which links this
//! module. One file knows one provider's bytes (`pyth`, `switchboard`, `stake_pool`); `health` judges age, confidence and
//! agreement; `rate` multiplies the price of an asset that is a claim on another one.
//! Owns no policy: which sources an asset trusts, and how far, is its [`OracleSet`].
//!
//! Three steps, each a plain function: bytes to [`RawReading`], that to a [`Reading`] in US dollars, readings to a
//! [`PriceBand`]. Who may spoil what:
//! - A caller CANNOT switch a source off with a wrong account. Where the account is pinned, another one is an error;
//!   where the feed is pinned and the caller brings the account, anything that isn't this feed of this program, fully
//!   verified, is an error.
//! - A dead source CANNOT stop anything by itself. A pinned account that was closed, resized or taken over makes its
//!   source [`Invalid`], and the others go on.
//! - A caller CAN bring an old update of a pinned feed, which then isn't fresh. An asset that relies on such a source
//!   counts it in `required`.

pub mod decimal;
pub mod health;
pub mod pyth;
pub mod rate;
pub mod stake_pool;
pub mod switchboard;

use crate::constants::{DEAD_SOURCE_AGES, DEAD_SOURCE_SECS, MAX_FUTURE_SECS, MAX_SOURCES};
use crate::error::RampartError;
use crate::math::Price;
use crate::state::oracle_set::{OracleSet, OracleSource, Pin, SourceKind};
use anchor_lang::prelude::{AccountInfo, Pubkey, pubkey};
use core::result::Result;

pub use health::{PriceBand, PriceHealth};
pub use rate::RateReading;

/// Owner of Pyth price accounts, original receiver program.
///
/// # Source
/// pyth-solana-receiver-sdk 2.0.0, default features.
pub const PYTH_RECEIVER: Pubkey = pubkey!("rec5EKMGg6MxZYaMdyBfgwp4d5rB9T1VQH5pJv5LtFJ");
/// Owner of Pyth price accounts, "Pyth Core Compatible" receiver program.
///
/// # Source
/// pyth-solana-receiver-sdk 2.0.0, feature `pro-compatible`.
pub const PYTH_RECEIVER_COMPATIBLE: Pubkey = pubkey!("rec2HHDDnjLfj4kE7VyEtFA1HPGQLK33259532cRyHp");
/// Owner of Switchboard On-Demand pull feeds on mainnet.
///
/// # Source
/// switchboard-on-demand, `ON_DEMAND_MAINNET_PID`.
pub const SWITCHBOARD_ON_DEMAND: Pubkey = pubkey!("SBondMDrcV3K4kxZR1HNVT7osZxAHVHgYXL5Ze1oMUv");
/// Owner of Switchboard On-Demand pull feeds on devnet.
///
/// # Source
/// switchboard-on-demand, `ON_DEMAND_DEVNET_PID`.
pub const SWITCHBOARD_ON_DEMAND_DEVNET: Pubkey = pubkey!("Aio4gaXjXzJNVLtzwtNVmSqGKpANtXhybbkhtAC94ji2");

/// Tells whether `program` owns oracle accounts of this kind.
pub fn is_known_program(kind: SourceKind, program: &Pubkey) -> bool {
    let known = match kind {
        SourceKind::Pyth => [PYTH_RECEIVER, PYTH_RECEIVER_COMPATIBLE],
        SourceKind::Switchboard => [SWITCHBOARD_ON_DEMAND, SWITCHBOARD_ON_DEMAND_DEVNET],
    };
    known.contains(program)
}

/// An oracle account as it was found, on chain or over RPC.
#[derive(Clone, Copy, Debug)]
pub struct OracleAccount<'a> {
    /// Its address.
    pub key: &'a Pubkey,
    /// The program that owns it.
    pub owner: &'a Pubkey,
    /// Its bytes; empty where there is no account.
    pub data: &'a [u8],
}

/// What an oracle account holds: decoded, nothing judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawReading {
    /// US dollars for one whole token, times ten to the power of minus `exponent`.
    pub price: i128,
    /// Half the width of the confidence interval, in the same unit.
    pub confidence: u128,
    /// Power of ten of both.
    pub exponent: i32,
    /// When the price was published, unix seconds.
    pub publish_ts: i64,
}

/// The price of one source, in range and not from the future. Its age and its confidence are still to be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// US dollars for one whole token, rounded down.
    pub price: Price,
    /// Half the width of the confidence interval, US dollars in U64.64, rounded up.
    pub confidence_q64: u128,
    /// When the price was published, unix seconds, positive.
    pub publish_ts: i64,
}

/// Why the account of a source yields no price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Invalid {
    /// There is no account, or an empty one.
    Missing,
    /// The account belongs to another program than the pinned one.
    WrongOwner,
    /// The account has another discriminator, is too short, or holds what the provider never writes.
    BadData,
    /// The account carries another feed.
    WrongFeed,
    /// Pyth verified the update only in part.
    Partial,
    /// Switchboard has no result, or one from fewer samples than the feed asks for.
    TooFewSamples,
    /// The price carries no publish time.
    Undated,
    /// The publish time lies further in the future than clocks may differ. Nothing tells how old such a price is, so it is
    /// none; see docs/risk.md, "Clocks".
    FromFuture,
    /// The price is zero or negative.
    NotPositive,
    /// The exponent isn't between -18 and 0.
    BadExponent,
    /// The price isn't between 2⁻³² and 2⁴⁸, or the confidence is beyond 128 bits.
    OutOfRange,
    /// The exchange rate wasn't brought up to date for more epochs than the asset allows.
    RateTooOld,
}

impl Invalid {
    /// Returns the reason in one word, as metrics and reports name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::WrongOwner => "wrong_owner",
            Self::BadData => "bad_data",
            Self::WrongFeed => "wrong_feed",
            Self::Partial => "partial",
            Self::TooFewSamples => "too_few_samples",
            Self::Undated => "undated",
            Self::FromFuture => "from_future",
            Self::NotPositive => "not_positive",
            Self::BadExponent => "bad_exponent",
            Self::OutOfRange => "out_of_range",
            Self::RateTooOld => "rate_too_old",
        }
    }

    /// The error for an account that the caller chose: what it is was in the caller's hands, what it says was not.
    const fn chosen_account_error(self) -> Option<RampartError> {
        match self {
            Self::Missing | Self::WrongOwner => Some(RampartError::OracleOwnerMismatch),
            Self::BadData | Self::Partial => Some(RampartError::OracleDataInvalid),
            Self::WrongFeed => Some(RampartError::OracleFeedMismatch),
            Self::TooFewSamples
            | Self::Undated
            | Self::FromFuture
            | Self::NotPositive
            | Self::BadExponent
            | Self::OutOfRange
            | Self::RateTooOld => None,
        }
    }
}

/// What one source said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceReading {
    /// The price, or why there is none.
    pub reading: Result<Reading, Invalid>,
}

/// What every source of an asset said, before agreement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AssetReading {
    /// By source index; the first `count` are in use, the others are [`Invalid::Missing`].
    pub sources: [SourceReading; MAX_SOURCES],
    /// How many sources the asset has.
    pub count: u8,
    /// What their price is multiplied with.
    pub rate: RateReading,
}

impl Reading {
    /// Converts a decoded price and refuses what can't be one.
    ///
    /// # Errors
    /// `NotPositive`, `Undated`, `FromFuture`, `BadExponent`, `OutOfRange`.
    pub fn new(raw: RawReading, now_ts: i64) -> Result<Self, Invalid> {
        let mantissa = u128::try_from(raw.price).ok().filter(|m| *m > 0).ok_or(Invalid::NotPositive)?;
        if raw.publish_ts <= 0 {
            return Err(Invalid::Undated);
        }
        if raw.publish_ts > now_ts.saturating_add(MAX_FUTURE_SECS) {
            return Err(Invalid::FromFuture);
        }
        let scale = decimal::Scale::new(raw.exponent).ok_or(Invalid::BadExponent)?;
        let price_q64 = scale.q64_floor(mantissa).ok_or(Invalid::OutOfRange)?;
        let price = Price::from_q64(price_q64).map_err(|_| Invalid::OutOfRange)?;
        let confidence_q64 = scale.q64_ceil(raw.confidence).ok_or(Invalid::OutOfRange)?;
        Ok(Self { price, confidence_q64, publish_ts: raw.publish_ts })
    }
}

/// Reads one source from its account.
///
/// # Errors
/// `OracleAccountMismatch` for another account than the pinned one. Where only the feed is pinned:
/// `OracleOwnerMismatch`, `OracleDataInvalid`, `OracleFeedMismatch` for an account that isn't this feed, fully verified.
/// `UnknownStoredValue` or `OracleSetInvalid` for a source that was never valid. All else is an [`Invalid`] reading.
pub fn read_source(source: &OracleSource, account: &OracleAccount, now_ts: i64) -> Result<SourceReading, RampartError> {
    let kind = SourceKind::try_from(source.kind)?;
    let pin = Pin::try_from(source.pin)?;
    match pin {
        Pin::Account if *account.key != source.account => {
            return Err(RampartError::OracleAccountMismatch);
        }
        // no feed id to tell one Switchboard account from another
        Pin::Feed if kind == SourceKind::Switchboard => return Err(RampartError::OracleSetInvalid),
        Pin::Account | Pin::Feed => {}
    }
    let reading = decode(kind, source, account).and_then(|raw| Reading::new(raw, now_ts));
    let chosen_wrongly = reading.err().filter(|_| pin == Pin::Feed).and_then(Invalid::chosen_account_error);
    chosen_wrongly.map_or(Ok(SourceReading { reading }), Err)
}

/// Tells whether the account of a source proves that the source is dead: it isn't the source's account any more, or its
/// newest print is older than [`DEAD_SOURCE_AGES`] times its age limit and [`DEAD_SOURCE_SECS`], or as far in the future.
///
/// What is only silent, wide, partly verified or wrong is alive. Where only the feed is pinned nothing proves it: the
/// account is the caller's choice, and an old update is no proof that there is no newer one.
///
/// # Errors
/// `OracleAccountMismatch` for another account than the pinned one, `UnknownStoredValue`.
#[inline(never)]
pub fn is_dead(source: &OracleSource, account: &OracleAccount, now_ts: i64) -> Result<bool, RampartError> {
    if source.pin != Pin::Account as u8 {
        return Ok(false);
    }
    if *account.key != source.account {
        return Err(RampartError::OracleAccountMismatch);
    }
    let silence_secs = DEAD_SOURCE_SECS.max(DEAD_SOURCE_AGES * i64::from(source.max_age_secs));
    Ok(match decode(SourceKind::try_from(source.kind)?, source, account) {
        Ok(raw) => raw.publish_ts > 0 && now_ts.abs_diff(raw.publish_ts) > silence_secs.unsigned_abs(),
        Err(reason) => {
            matches!(reason, Invalid::Missing | Invalid::WrongOwner | Invalid::BadData | Invalid::WrongFeed)
        }
    })
}

/// Owner first: the bytes of another program mean nothing.
///
/// Always inlined: a call for each source costs more than decoding what is hot.
#[inline(always)]
fn decode(kind: SourceKind, source: &OracleSource, account: &OracleAccount) -> Result<RawReading, Invalid> {
    if account.data.is_empty() {
        return Err(Invalid::Missing);
    }
    if *account.owner != source.program {
        return Err(Invalid::WrongOwner);
    }
    match kind {
        SourceKind::Pyth => pyth::decode(account.data, &source.feed_id),
        SourceKind::Switchboard => switchboard::decode(account.data),
    }
}

/// Reads every source of an asset, and its exchange rate, from the accounts of an instruction.
///
/// # Accounts
/// One for each source, in the order of the set; for an asset with an exchange rate then its pool and the Clock sysvar.
/// Further ones are left alone.
///
/// # Errors
/// `OracleAccountsMissing` for too few accounts, else as [`read_source`] and [`rate::read`].
pub fn read_accounts<'info>(
    set: &OracleSet,
    accounts: &[AccountInfo<'info>],
    now_ts: i64,
) -> Result<AssetReading, RampartError> {
    let sources = set.active();
    let mut asset = AssetReading::unread(sources.len());
    let (accounts, further) = accounts.split_at_checked(sources.len()).ok_or(RampartError::OracleAccountsMissing)?;
    for ((source, account), slot) in sources.iter().zip(accounts).zip(&mut asset.sources) {
        // fails only for an account that this instruction holds mutably: never a foreign one
        let data = account.try_borrow_data().map_err(|_| RampartError::OracleDataInvalid)?;
        *slot = read_source(source, &OracleAccount { key: account.key, owner: account.owner, data: &data }, now_ts)?;
    }
    if set.rate.is_rated() {
        asset.rate = read_rate_accounts(set, further, now_ts)?;
    }
    Ok(asset)
}

#[inline(never)]
fn read_rate_accounts(set: &OracleSet, further: &[AccountInfo], now_ts: i64) -> Result<RateReading, RampartError> {
    let [pool, clock, ..] = further else { return Err(RampartError::OracleAccountsMissing) };
    let pool_data = pool.try_borrow_data().map_err(|_| RampartError::OracleDataInvalid)?;
    let clock_data = clock.try_borrow_data().map_err(|_| RampartError::OracleDataInvalid)?;
    let accounts = [
        OracleAccount { key: pool.key, owner: pool.owner, data: &pool_data },
        OracleAccount { key: clock.key, owner: clock.owner, data: &clock_data },
    ];
    rate::read(set, accounts, now_ts)
}

/// Reads every source of an asset, and its exchange rate, from accounts fetched over RPC, in the order of
/// [`read_accounts`].
///
/// # Errors
/// As [`read_accounts`].
pub fn read_all(set: &OracleSet, accounts: &[OracleAccount], now_ts: i64) -> Result<AssetReading, RampartError> {
    let sources = set.active();
    let mut asset = AssetReading::unread(sources.len());
    let (accounts, further) = accounts.split_at_checked(sources.len()).ok_or(RampartError::OracleAccountsMissing)?;
    for ((source, account), slot) in sources.iter().zip(accounts).zip(&mut asset.sources) {
        *slot = read_source(source, account, now_ts)?;
    }
    if set.rate.is_rated() {
        let [pool, clock, ..] = further else { return Err(RampartError::OracleAccountsMissing) };
        asset.rate = rate::read(set, [*pool, *clock], now_ts)?;
    }
    Ok(asset)
}

impl AssetReading {
    /// A reading of `count` sources, none of which has been read.
    fn unread(count: usize) -> Self {
        Self {
            sources: [SourceReading { reading: Err(Invalid::Missing) }; MAX_SOURCES],
            count: count as u8,
            rate: RateReading::Unrated,
        }
    }
}

#[cfg(test)]
mod tests;
