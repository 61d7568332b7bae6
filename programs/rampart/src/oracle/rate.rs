//! Exchange rates: what multiplies the price of the sources, for an asset that is a claim on another one.
//!
//! Owns the rule by which a rate counts; the pool's bytes are `stake_pool`'s, the figures are the asset's
//! [`RateSource`]. A rate is read with the sources, by the same two functions, so no path can price an asset without it.
//!
//! A fall counts at once and in full. A rise counts up to a cap that grows in a straight line from a snapshot: beyond it
//! the low end and the middle of the band stay at the cap, and what is borrowed, observed and measured is worth no more.
//! The high end, at which owners are seized, follows the true rate, but no farther beyond the cap than sources may differ:
//! a cap that governance set too low liquidates nobody, and a pool that went mad shields nobody for ever.
//! A pool that can't be read, or wasn't brought up to date, leaves no price at all.

use crate::constants::RATE_SCALE;
use crate::error::RampartError;
use crate::math::Price;
use crate::math::bps::BPS_ONE;
use crate::math::wide::{mul_div_ceil, mul_div_floor};
use crate::oracle::{Invalid, OracleAccount, PriceBand, stake_pool};
use crate::state::oracle_set::OracleSet;
use crate::state::rate_source::RateKind;
use anchor_lang::prelude::{Pubkey, pubkey};
use core::result::Result;

/// Owner of SPL stake pools.
///
/// # Source
/// spl-stake-pool 2.2.0, `declare_id!`.
pub const SPL_STAKE_POOL: Pubkey = pubkey!("SPoo1Ku8WFXoNDMHPsrGSTSG1Y47rzgn41SLUNakuHy");
/// The Clock sysvar, which dates a rate: pools count in epochs.
pub const CLOCK: Pubkey = pubkey!("SysvarC1ock11111111111111111111111111111111");
/// Where the Clock sysvar keeps the epoch: after the slot and the time at which the epoch began.
const CLOCK_EPOCH: core::ops::Range<usize> = 16..24;

/// A rate as a fraction, so that nothing is rounded before the price is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    /// Base tokens.
    pub numerator: u64,
    /// For this many tokens; positive.
    pub denominator: u64,
}

impl Ratio {
    fn of_e9(rate_e9: u64) -> Self {
        Self { numerator: rate_e9, denominator: RATE_SCALE }
    }

    fn is_at_most(self, other: Self) -> bool {
        let product = |a: u64, b: u64| u128::from(a) * u128::from(b);
        product(self.numerator, other.denominator) <= product(other.numerator, self.denominator)
    }
}

/// The two rates between which an asset is valued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The pool's own, or the cap where that is lower.
    pub low: Ratio,
    /// The pool's own, or the cap with the allowed disagreement where that is lower.
    pub high: Ratio,
}

/// What an asset's rate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateReading {
    /// The sources price the asset itself.
    Unrated,
    /// The sources' price is multiplied.
    Rated(Rate),
    /// There should be a rate and there is none: there is no price either.
    Unknown(Invalid),
}

impl RateReading {
    /// Tells whether the pool's rate lies beyond the cap.
    pub fn is_capped(&self) -> bool {
        matches!(self, Self::Rated(rate) if rate.low != rate.high)
    }

    /// Returns the band of the asset from that of its sources: the low end and the middle rounded down, the high end up.
    ///
    /// # Errors
    /// `PriceIndeterminate` without a rate, or where a product is no price.
    pub fn apply(&self, band: PriceBand) -> Result<PriceBand, RampartError> {
        match self {
            Self::Unrated => Ok(band),
            Self::Unknown(_) => Err(RampartError::PriceIndeterminate),
            Self::Rated(rate) => rate.apply(band).ok_or(RampartError::PriceIndeterminate),
        }
    }
}

impl Rate {
    /// Never inlined: most assets have no rate, and their path stays short.
    #[inline(never)]
    fn apply(&self, band: PriceBand) -> Option<PriceBand> {
        let (low, high) = (self.low, self.high);
        let down = |price: Price| mul_div_floor(price.q64(), low.numerator.into(), low.denominator.into());
        let up = mul_div_ceil(band.hi.q64(), high.numerator.into(), high.denominator.into());
        let price = |q64: Option<u128>| q64.and_then(|raw| Price::from_q64(raw).ok());
        Some(PriceBand { lo: price(down(band.lo))?, mid: price(down(band.mid))?, hi: price(up)?, ..band })
    }
}

/// Reads the rate of `set`, which has one, from the pool and the Clock sysvar.
///
/// # Errors
/// `OracleAccountMismatch` for another account than the pinned pool, or than the sysvar; `UnknownStoredValue` for a kind
/// that isn't known. All else is an unknown rate.
#[inline(never)]
pub fn read(set: &OracleSet, accounts: [OracleAccount; 2], now_ts: i64) -> Result<RateReading, RampartError> {
    let [pool, clock] = accounts;
    if *pool.key != set.rate.account || *clock.key != CLOCK {
        return Err(RampartError::OracleAccountMismatch);
    }
    match RateKind::try_from(set.rate.kind)? {
        RateKind::Unrated => Ok(RateReading::Unrated),
        RateKind::SplStakePool => {
            let ratio = stake_pool_ratio(&pool, &clock, set.rate.max_age_epochs);
            Ok(ratio.map_or_else(RateReading::Unknown, |ratio| RateReading::Rated(capped(set, ratio, now_ts))))
        }
    }
}

/// Owner first: the bytes of another program mean nothing.
fn stake_pool_ratio(pool: &OracleAccount, clock: &OracleAccount, max_age_epochs: u8) -> Result<Ratio, Invalid> {
    if pool.data.is_empty() {
        return Err(Invalid::Missing);
    }
    if *pool.owner != SPL_STAKE_POOL {
        return Err(Invalid::WrongOwner);
    }
    let said = stake_pool::decode(pool.data)?;
    let epoch = clock.data.get(CLOCK_EPOCH).and_then(|b| b.try_into().ok()).map(u64::from_le_bytes);
    let age = epoch.ok_or(Invalid::Undated)?.checked_sub(said.last_update_epoch).ok_or(Invalid::FromFuture)?;
    if age > u64::from(max_age_epochs) {
        return Err(Invalid::RateTooOld);
    }
    if said.total_lamports == 0 || said.pool_token_supply == 0 {
        return Err(Invalid::NotPositive);
    }
    Ok(Ratio { numerator: said.total_lamports, denominator: said.pool_token_supply })
}

/// The pool's rate under its cap, and under the cap with as much more as two sources may differ.
fn capped(set: &OracleSet, ratio: Ratio, now_ts: i64) -> Rate {
    let cap_e9 = set.rate.cap_e9(now_ts);
    let cap = Ratio::of_e9(cap_e9);
    if ratio.is_at_most(cap) {
        return Rate { low: ratio, high: ratio };
    }
    let width_bps = BPS_ONE + u64::from(set.max_disagree_bps);
    let wide_e9 = mul_div_floor(cap_e9.into(), width_bps.into(), BPS_ONE.into()).and_then(|e9| u64::try_from(e9).ok());
    let wide = Ratio::of_e9(wide_e9.unwrap_or(u64::MAX));
    Rate { low: cap, high: if ratio.is_at_most(wide) { ratio } else { wide } }
}
