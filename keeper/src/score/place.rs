//! The pools in which collateral is sold: what they hold, and what was traded from one of their states to the next.
//!
//! Owns what is seen of the pools that `score.market` names. A pool that can't be read, holds another asset or wasn't confirmed
//! for long is unknown, never empty.

use super::candles::Traded;
use super::readings::dollars;
use crate::assess::Assessment;
use crate::config::{MarketSettings, ScoreSettings};
use crate::route::RouteError;
use crate::route::token_swap::Pool;
use crate::watch::store::Store;
use anchor_lang::prelude::Pubkey;
use rampart_score::hazard::Reserves;
use rampart_score::input::Input;
use std::collections::BTreeMap;
use thiserror::Error;

/// Age of what is known of a pool from which it is stale, slots: five minutes. Every sweep confirms it.
pub(super) const STALE_SLOTS: u64 = 750;
/// How long one side may have moved alone before it counts as a transfer, seconds: both token accounts of a trade are of one
/// slot, and may be heard of one after the other.
const HALF_SECS: i64 = 5;
/// How long a pool is unknown before that is told, seconds: at the start its accounts come one by one.
const PATIENCE_SECS: i64 = 30;
/// Slippage up to which the market counts as deep.
const DEEP: f64 = 0.02;
/// By how much a pool has to pay less than agreed for people to be told.
const TOLD_GAP: f64 = 0.001;

/// Why nothing is known of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PlaceError {
    /// It or an account of its tokens doesn't exist, or wasn't read yet.
    #[error("it or an account of its tokens doesn't exist")]
    Unknown,
    /// It isn't a pool that the keeper can read.
    #[error("{0}")]
    Unsupported(&'static str),
    /// It swaps other tokens.
    #[error("it doesn't hold the asset's mint")]
    OtherAsset,
    /// Nothing confirmed it for long.
    #[error("no answer confirmed what it holds for {STALE_SLOTS} slots")]
    Stale,
}

/// What a pool holds of an asset, and of the token that it pays for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Held {
    /// Tokens of the asset.
    asset: f64,
    /// Tokens of the other mint, where the guard has an asset of it.
    other: Option<(Pubkey, f64)>,
    /// Base units of both: the asset's first.
    amounts: [u64; 2],
    /// Decimals of the asset.
    decimals: u8,
    /// Share of what goes in.
    fee: f64,
}

/// Reads a pool in which an asset is sold.
///
/// # Errors
/// See [`PlaceError`].
pub fn held(store: &Store, market: &MarketSettings, pool: &Pubkey, tip_slot: u64) -> Result<Held, PlaceError> {
    let asset = store.asset(&market.asset).ok_or(PlaceError::Unknown)?;
    let (_, read) = Pool::of(store, pool)?;
    let side = read.mints.iter().position(|mint| *mint == asset.mint).ok_or(PlaceError::OtherAsset)?;
    let amounts = [read.held(store, side)?, read.held(store, 1 - side)?];
    let seen = Pool::accounts(store, pool).iter().map(|key| store.slot_of(key)).min().flatten();
    if seen.is_none_or(|slot| tip_slot.saturating_sub(slot) > STALE_SLOTS) {
        return Err(PlaceError::Stale);
    }
    let other = store.assets().find(|(_, asset)| asset.mint == read.mints[1 - side]);
    let fee = read.fee();
    if !(0.0..1.0).contains(&fee) {
        return Err(PlaceError::Unsupported("its fees take all"));
    }
    Ok(Held {
        asset: tokens(amounts[0], asset.decimals),
        other: other.map(|(key, asset)| (*key, tokens(amounts[1], asset.decimals))),
        amounts,
        decimals: asset.decimals,
        fee,
    })
}

fn tokens(amount: u64, decimals: u8) -> f64 {
    amount as f64 / 10f64.powi(i32::from(decimals))
}

impl From<RouteError> for PlaceError {
    fn from(error: RouteError) -> Self {
        match error {
            RouteError::Unsupported(why) => Self::Unsupported(why),
            RouteError::OtherPair => Self::OtherAsset,
            RouteError::Unknown | RouteError::Nothing | RouteError::Forbidden(_) => Self::Unknown,
        }
    }
}

/// The pools of all assets of which one is named.
#[derive(Debug, Default)]
pub(super) struct Places {
    all: BTreeMap<Pubkey, Place>,
}

#[derive(Debug)]
struct Place {
    market: MarketSettings,
    pool: Pubkey,
    now: Result<Held, PlaceError>,
    /// The state that the next one is compared with.
    last: Option<Held>,
    /// Since when one side alone differs from it.
    half_since: Option<i64>,
    /// What takers did since the look before; nothing where it isn't known.
    traded: Option<Traded>,
    unknown_since: Option<i64>,
    is_told: bool,
}

impl Places {
    /// The pools of the settings.
    pub(super) fn of(settings: &ScoreSettings) -> Self {
        let markets = settings.market.iter().filter(|_| settings.enabled);
        let place = |market: &MarketSettings| Some((market.asset, Place::new(market.clone(), market.pool?)));
        Self { all: markets.filter_map(place).collect() }
    }

    /// Returns the accounts that say what the pools hold; more as they become known.
    pub(super) fn accounts(&self, store: &Store) -> Vec<Pubkey> {
        self.all.values().flat_map(|place| Pool::accounts(store, &place.pool)).collect()
    }

    /// Looks at all pools.
    pub(super) fn see(&mut self, store: &Store, tip_slot: u64, now_ts: i64) {
        for place in self.all.values_mut() {
            place.take(held(store, &place.market, &place.pool, tip_slot), now_ts);
        }
    }

    /// Returns what takers did with an asset since the look before; nothing where nobody tells.
    pub(super) fn traded(&self, asset: &Pubkey) -> Option<Traded> {
        self.all.get(asset)?.traded
    }

    /// Returns what the pool of an asset holds, in units of which one costs `unit` dollars; nothing where no pool is named.
    pub(super) fn reserves(&self, asset: &Pubkey, unit: Input, assessment: &Assessment) -> Option<Reserves> {
        let place = self.all.get(asset)?;
        let Ok(held) = place.now else { return Some(Reserves::default()) };
        let worth = |asset: &Pubkey, tokens: f64| -> Input {
            let price = assessment.assets.get(asset).and_then(|report| report.band.ok());
            price.zip(unit.known()).map(|(band, unit)| tokens * dollars(band.mid) / unit).into()
        };
        let paid = held.other.map_or(Input::NotApplicable, |(other, tokens)| worth(&other, tokens));
        Some(Reserves { fee: Input::of(held.fee), sold: worth(asset, held.asset), paid })
    }

    /// Returns what the pool of an asset takes within 2 %, US dollars; nothing where no pool is named.
    pub(super) fn depth(&self, asset: &Pubkey, assessment: &Assessment) -> Option<Input> {
        self.reserves(asset, Input::Known(1.0), assessment).map(|reserves| reserves.depth(DEEP))
    }

    /// Returns the pool of an asset with what is known of it, for people.
    pub(super) fn told(&self, asset: &Pubkey, assessment: &Assessment) -> Option<String> {
        let place = self.all.get(asset)?;
        let reserves = self.reserves(asset, Input::Known(1.0), assessment)?;
        let said = match (place.now, reserves.depth(DEEP).known()) {
            (Ok(held), Some(depth)) => {
                let worse = reserves.worse().filter(|share| *share >= TOLD_GAP);
                let worse = worse.map(|share| format!(", pays {:.1} % less than agreed", 100.0 * share));
                let (fee_bps, worse) = (10_000.0 * held.fee, worse.unwrap_or_default());
                format!("takes {depth:.0} dollars within 2 %, fee {fee_bps:.1} bps{worse}")
            }
            (Ok(_), None) => "unknown without agreed prices".to_owned(),
            (Err(error), _) => format!("unknown: {error}"),
        };
        Some(format!("pool {}: {said}", place.pool))
    }
}

impl Place {
    fn new(market: MarketSettings, pool: Pubkey) -> Self {
        Self {
            market,
            pool,
            now: Err(PlaceError::Unknown),
            last: None,
            half_since: None,
            traded: None,
            unknown_since: None,
            is_told: false,
        }
    }

    fn take(&mut self, now: Result<Held, PlaceError>, now_ts: i64) {
        self.tell(now, now_ts);
        self.now = now;
        self.traded = match (self.last, now) {
            (Some(last), Ok(held)) => Some(self.compare(last, held, now_ts)),
            (_, now) => {
                (self.last, self.half_since) = (now.ok(), None);
                None
            }
        };
    }

    /// Both sides in opposite directions: a trade. Both in the same one is liquidity that was added or removed, and one side alone
    /// a transfer, unless the other is still to be heard of.
    fn compare(&mut self, last: Held, held: Held, now_ts: i64) -> Traded {
        let [asset, other] = [0, 1].map(|side| held.amounts[side].cmp(&last.amounts[side]));
        if asset.is_ne() != other.is_ne() {
            let since = *self.half_since.get_or_insert(now_ts);
            if now_ts.saturating_sub(since) < HALF_SECS {
                return Traded::default();
            }
        }
        (self.last, self.half_since) = (Some(held), None);
        let amount = tokens(held.amounts[0].abs_diff(last.amounts[0]), held.decimals);
        match (asset.is_lt(), asset.is_gt(), asset == other.reverse()) {
            (true, _, true) => Traded { bought: amount, sold: 0.0 },
            (_, true, true) => Traded { bought: 0.0, sold: amount },
            _ => Traded::default(),
        }
    }

    /// Says once that a pool is unknown, and once that it is known again.
    fn tell(&mut self, now: Result<Held, PlaceError>, now_ts: i64) {
        let (asset, pool) = (self.market.asset, self.pool);
        let Err(error) = now else {
            if std::mem::take(&mut self.is_told) {
                tracing::info!(%asset, %pool, "the pool in which the asset is sold is known again");
            }
            self.unknown_since = None;
            return;
        };
        let since = *self.unknown_since.get_or_insert(now_ts);
        if now_ts.saturating_sub(since) >= PATIENCE_SECS && !std::mem::replace(&mut self.is_told, true) {
            tracing::warn!(
                %asset, %pool,
                "the pool in which the asset is sold is unknown, so its score counts liquidity as missing: {error}; \
                 correct `score.market`, see `rampart doctor`"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELD: Held = Held { asset: 1e3, other: None, amounts: [1_000_000, 500_000], decimals: 3, fee: 0.003 };

    fn place() -> Place {
        let market = MarketSettings {
            asset: Pubkey::default(),
            pool: Some(Pubkey::default()),
            volume_day_usd: None,
            spread_bps: None,
            past_file: None,
        };
        Place::new(market, Pubkey::default())
    }

    /// What is told of states of the reserves, one a second.
    fn traded(states: &[[u64; 2]]) -> Vec<Option<(f64, f64)>> {
        let mut place = place();
        let told = |(ts, amounts): (usize, &[u64; 2])| {
            place.take(Ok(Held { amounts: *amounts, ..HELD }), ts as i64);
            place.traded.map(|traded| (traded.bought, traded.sold))
        };
        states.iter().enumerate().map(told).collect()
    }

    const NONE: Option<(f64, f64)> = Some((0.0, 0.0));

    #[test]
    fn sides_that_move_apart_are_a_trade_and_liquidity_that_comes_or_goes_is_none() {
        // the first state has none before it
        let states = [[1_000_000, 500_000], [990_000, 505_000], [992_000, 504_000], [992_000, 504_000]];
        assert_eq!(traded(&states), [None, Some((10.0, 0.0)), Some((0.0, 2.0)), NONE]);
        assert_eq!(traded(&[[1_000, 500], [2_000, 1_000], [500, 250]]), [None, NONE, NONE]);
    }

    #[test]
    fn half_of_a_trade_waits_for_the_other_and_a_side_that_moves_alone_is_a_transfer() {
        assert_eq!(traded(&[[1_000, 500], [900, 500], [900, 556]]), [None, NONE, Some((0.1, 0.0))]);
        // the next trade comes while the first is half heard of
        let states = [[1_000, 500], [900, 500], [800, 556], [800, 625]];
        assert_eq!(traded(&states)[1..3], [NONE, Some((0.2, 0.0))]);
        let mut states = vec![[1_000, 500], [900, 500]];
        states.extend([[900, 500]; 5]);
        states.push([910, 495]);
        let told = traded(&states);
        assert!(told[1..7].iter().all(|told| *told == NONE), "{told:?}");
        assert_eq!(told[7], Some((0.0, 0.01)), "the transfer is no part of the trade behind it");
    }

    #[test]
    fn pool_that_was_unknown_tells_nothing_of_what_was_traded_meanwhile() {
        let mut place = place();
        let later = Held { amounts: [900_000, 560_000], ..HELD };
        let states = [Ok(HELD), Err(PlaceError::Stale), Ok(later), Ok(later)];
        let told = states.map(|state| {
            place.take(state, 0);
            place.traded
        });
        assert_eq!(told, [None, None, None, Some(Traded::default())]);
    }
}
