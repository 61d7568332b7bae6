//! Judges readings: age, confidence, agreement.
//!
//! Owns the rule by which sources agree; reads no bytes and no clock. Called by instructions and by the keeper.
//!
//! # Agreement
//! Two sources agree when their prices differ by at most `max_disagree_bps` of the lower one. Only usable sources count:
//! valid, fresh, confident. Fewer usable ones than required: indeterminate. The agreeing group is the median of the
//! usable sources with every source that agrees with it; of two, both or neither.
//!
//! Let two honest sources agree and a third one lie. Whatever it says,
//! - the group holds both honest ones: of three prices the median lies between them or is one of them, and so agrees
//!   with both. The liar can't make the price indeterminate while `required` is 1 or 2;
//! - `mid` lies between the honest prices: it is the median, or the mean of the honest pair;
//! - the band holds both honest bands. The liar can only widen it, by `max_disagree_bps` beyond an honest price and its
//!   own admitted confidence: what blocks new risk gets stricter, what seizes gets milder.
//!
//! The alternative of refusing a chain (low with mid, mid with high, but not low with high) would hand one liar the switch
//! for the other two; the alternative of the median with its nearer neighbour alone would let it drop an honest one. In a
//! chain no three agree: it counts as two, and is a disagreement where all three are required.
//! Two usable sources that differ are always a disagreement, also where one is enough: nothing tells which of them lies.

use crate::constants::MAX_SOURCES;
use crate::error::RampartError;
use crate::math::bps::BPS_ONE;
use crate::math::{Bps, Price};
use crate::oracle::{AssetReading, RateReading, Reading};
use crate::state::oracle_set::{OracleSet, OracleSource, Pin};
use core::result::Result;

/// The price of an asset on which the required sources agree.
///
/// # Units
/// US dollars for one whole token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceBand {
    /// The lowest end of the agreeing sources' confidence intervals.
    pub lo: Price,
    /// The middle: the median of three, the mean of two.
    pub mid: Price,
    /// The highest end of the agreeing sources' confidence intervals.
    pub hi: Price,
    /// When each agreeing source published, unix seconds, by source index; `None` for the others.
    pub publish_ts: [Option<i64>; MAX_SOURCES],
    /// How many sources agree with each other.
    pub sources: u8,
}

impl PriceBand {
    /// Returns the oldest publish time in the band, unix seconds; a band of no source is as old as can be.
    pub fn oldest_publish_ts(&self) -> i64 {
        self.publish_ts.iter().flatten().copied().min().unwrap_or(i64::MIN)
    }

    /// Checks that at least `n` sources agree.
    ///
    /// # Errors
    /// `PriceIndeterminate` for fewer.
    pub fn require_sources(&self, n: u8) -> Result<(), RampartError> {
        if self.sources >= n { Ok(()) } else { Err(RampartError::PriceIndeterminate) }
    }
}

/// Which checks a reading passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceHealth {
    /// Published at most `max_age_secs` ago.
    pub is_fresh: bool,
    /// Confidence at most `max_confidence_bps` of the price, and both ends of the interval are prices.
    pub is_confident: bool,
}

impl PriceHealth {
    /// Judges one reading by the limits of its source.
    pub fn of(reading: &Reading, source: &OracleSource, now_ts: i64) -> Self {
        let is_narrow = is_within_bps(reading.confidence_q64, source.max_confidence_bps, reading.price);
        Self {
            is_fresh: now_ts.saturating_sub(reading.publish_ts) <= i64::from(source.max_age_secs),
            is_confident: is_narrow && reading.low().is_some() && reading.high().is_some(),
        }
    }

    /// Tells whether the reading may take part in an agreement.
    pub fn is_usable(self) -> bool {
        self.is_fresh && self.is_confident
    }
}

impl Reading {
    /// Returns the low end of the confidence interval; `None` where that isn't a price.
    pub fn low(&self) -> Option<Price> {
        self.price.q64().checked_sub(self.confidence_q64).and_then(|raw| Price::from_q64(raw).ok())
    }

    /// Returns the high end of the confidence interval; `None` where that isn't a price.
    pub fn high(&self) -> Option<Price> {
        self.price.q64().checked_add(self.confidence_q64).and_then(|raw| Price::from_q64(raw).ok())
    }

    /// Returns the confidence as a share of the price, rounded up.
    pub fn confidence_bps(&self) -> Bps {
        Bps::ratio_ceil(self.confidence_q64, self.price.q64())
    }

    /// Returns the age in seconds; zero for a publish time just ahead of the clock.
    pub fn age_secs(&self, now_ts: i64) -> u64 {
        u64::try_from(now_ts.saturating_sub(self.publish_ts)).unwrap_or(0)
    }
}

/// A usable source.
#[derive(Clone, Copy)]
struct Usable<'a> {
    index: usize,
    reading: &'a Reading,
}

/// Up to one item for each source, in order, the empty places last.
type Slots<T> = [Option<T>; MAX_SOURCES];

impl AssetReading {
    /// Returns the price on which enough usable sources agree (see the module's rule), at the asset's exchange rate.
    ///
    /// # Errors
    /// `PriceIndeterminate` where fewer sources are usable than required or the rate is unknown, `PriceDisagreement` where
    /// enough are, but they differ.
    pub fn band(&self, set: &OracleSet, now_ts: i64) -> Result<PriceBand, RampartError> {
        let required = usize::from(set.required.max(1));
        let usable = self.usable_by_price(set, now_ts);
        if usable.iter().flatten().count() < required {
            return Err(RampartError::PriceIndeterminate);
        }
        let (group, sources) = agreeing_group(usable, set.max_disagree_bps).ok_or(RampartError::PriceDisagreement)?;
        if usize::from(sources) < required {
            return Err(RampartError::PriceDisagreement);
        }
        let band = band_of(&group, sources).ok_or(RampartError::PriceIndeterminate)?;
        // most assets have none, and a copy of the band costs more than the question
        if matches!(self.rate, RateReading::Unrated) { Ok(band) } else { self.rate.apply(band) }
    }

    /// Returns the age in seconds of the k-th freshest source, k being what the set requires; `None` where fewer count.
    ///
    /// Stale sources count, sources without a price don't, and neither do those with a pinned feed: their account is the
    /// caller's choice, and an old update is no proof that there is no newer one. Without its exchange rate an asset has no
    /// price of any age.
    pub fn age_secs(&self, set: &OracleSet, now_ts: i64) -> Option<u64> {
        if matches!(self.rate, RateReading::Unknown(_)) {
            return None;
        }
        let pinned = self.readings(set).filter(|(_, source, _)| source.pin == Pin::Account as u8);
        kth_smallest(pinned.map(|(_, _, reading)| reading.age_secs(now_ts)), set.required)
    }

    /// Returns the widest confidence among the k most confident fresh sources, k being what the set requires; `None`
    /// where fewer are fresh. In bps of the price, rounded up.
    pub fn confidence_bps(&self, set: &OracleSet, now_ts: i64) -> Option<Bps> {
        let fresh = self.readings(set).filter(|(_, source, r)| PriceHealth::of(r, source, now_ts).is_fresh);
        kth_smallest(fresh.map(|(_, _, reading)| reading.confidence_bps()), set.required)
    }

    /// Returns the gap between the highest and the lowest usable source, as a share of the lower; `None` for fewer than
    /// two, or than the set requires.
    pub fn disagreement_bps(&self, set: &OracleSet, now_ts: i64) -> Option<Bps> {
        let usable = self.usable_by_price(set, now_ts);
        let mut prices = usable.iter().flatten().map(|source| source.reading.price);
        let (lowest, count) = (prices.next()?, usable.iter().flatten().count());
        let highest = prices.next_back()?;
        let is_enough = count >= usize::from(set.required);
        is_enough.then(|| highest.deviation(lowest))
    }

    /// Returns the sources that have a price, with their index.
    pub fn readings<'a>(&'a self, set: &'a OracleSet) -> impl Iterator<Item = (usize, &'a OracleSource, &'a Reading)> {
        let sources = set.active().iter().zip(&self.sources).take(usize::from(self.count)).enumerate();
        sources.filter_map(|(index, (source, said))| said.reading.as_ref().ok().map(|reading| (index, source, reading)))
    }

    fn usable_by_price<'a>(&'a self, set: &'a OracleSet, now_ts: i64) -> Slots<Usable<'a>> {
        let mut slots = [None; MAX_SOURCES];
        for (index, source, reading) in self.readings(set) {
            if PriceHealth::of(reading, source, now_ts).is_usable() {
                insert(&mut slots, Usable { index, reading }, |other| other.reading.price <= reading.price);
            }
        }
        slots
    }
}

/// The median of the sources with every one that agrees with it, and how many agree with each other; `None` for none.
fn agreeing_group(usable: Slots<Usable<'_>>, max_disagree_bps: u16) -> Option<(Slots<Usable<'_>>, u8)> {
    let agree = |low: &Usable, high: &Usable| {
        let gap = high.reading.price.q64().abs_diff(low.reading.price.q64());
        is_within_bps(gap, max_disagree_bps, low.reading.price.min(high.reading.price))
    };
    match usable {
        [Some(_), None, _] => Some((usable, 1)),
        [Some(a), Some(b), None] => agree(&a, &b).then_some((usable, 2)),
        [Some(a), Some(b), Some(c)] => match (agree(&a, &b), agree(&b, &c)) {
            (true, true) => Some((usable, if agree(&a, &c) { 3 } else { 2 })),
            (true, false) => Some(([Some(a), Some(b), None], 2)),
            (false, true) => Some(([Some(b), Some(c), None], 2)),
            (false, false) => None,
        },
        [None, ..] => None,
    }
}

/// The band around a group that is in order of price; `None` for an empty group.
fn band_of(group: &Slots<Usable<'_>>, sources: u8) -> Option<PriceBand> {
    let price = |u: &Usable| u.reading.price;
    let mid = match group {
        [Some(a), Some(b), None] => mean(price(a), price(b)),
        [Some(_), Some(b), Some(_)] => price(b),
        [Some(a), ..] => price(a),
        [None, ..] => return None,
    };
    let (mut lo, mut hi, mut publish_ts) = (mid, mid, [None; MAX_SOURCES]);
    for Usable { index, reading } in group.iter().flatten() {
        lo = lo.min(reading.low()?);
        hi = hi.max(reading.high()?);
        *publish_ts.get_mut(*index)? = Some(reading.publish_ts);
    }
    Some(PriceBand { lo, mid, hi, publish_ts, sources })
}

/// The mean, rounded down; always between the two.
fn mean(a: Price, b: Price) -> Price {
    // prices have at most 113 bits: no overflow
    Price::from_q64((a.q64() + b.q64()) >> 1).unwrap_or(a)
}

/// Tells whether `part` is at most `max_bps` of `whole`: exact, without a division.
fn is_within_bps(part: u128, max_bps: u16, whole: Price) -> bool {
    // whole is at most 2^112 and max_bps below 2^16, so neither product overflows; 2^114 is four times any price
    const TOO_WIDE: u128 = 1 << 114;
    part < TOO_WIDE && part.wrapping_mul(u128::from(BPS_ONE)) <= whole.q64().wrapping_mul(u128::from(max_bps))
}

/// The k-th smallest item, k from 1; `None` where there are fewer.
fn kth_smallest<T: Copy + Ord>(items: impl Iterator<Item = T>, k: u8) -> Option<T> {
    let mut slots = [None; MAX_SOURCES];
    items.for_each(|item| insert(&mut slots, item, |other| *other <= item));
    slots.get(usize::from(k.max(1)) - 1).copied().flatten()
}

/// Puts `item` behind all that precede it. What no longer fits falls off the end.
fn insert<T: Copy>(slots: &mut Slots<T>, item: T, precedes: impl Fn(&T) -> bool) {
    let at = slots.iter().flatten().filter(|other| precedes(other)).count();
    if at < MAX_SOURCES {
        slots.copy_within(at..MAX_SOURCES - 1, at + 1);
        slots[at] = Some(item);
    }
}
