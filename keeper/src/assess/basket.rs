//! The reserve's basket: what it is worth and where it may go, as `rebalance` will judge it.

use crate::assess::AssetReport;
use crate::assess::rule::poll_of;
use crate::watch::store::Store;
use anchor_lang::prelude::Pubkey;
use rampart::constants::RESERVE_ASSETS;
use rampart::error::RampartError;
use rampart::oracle::PriceBand;
use rampart::risk::basket::{Basket, Each, targets};
use rampart::risk::gate::{Class, Pass, gate};
use rampart::risk::swap::worth_micro_usd;
use rampart::state::{Comparator, Level, Levels, ReportPart, Reserve};
use std::collections::BTreeMap;

/// How the basket stands.
#[derive(Clone, Debug)]
pub struct BasketReport {
    /// Price of each asset, where one is agreed on.
    bands: Each<Option<PriceBand>>,
    /// Levels of each asset.
    own: Each<Levels>,
    /// Levels of the guard and of the asset that the score is about.
    basket: Levels,
    /// The keepers' median risk score, bps; `None` where it is not known.
    pub score_bps: Option<u16>,
}

/// Where a swap from one asset to another may take the basket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aim {
    /// Where the basket should be, bps of the whole.
    pub targets: Each<u16>,
    /// How much of the policy's size the level leaves, bps.
    pub scale_bps: u16,
}

/// What the basket's targets follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Course {
    /// The level whose weights lead.
    pub level: Level,
    /// How far from there to the next level's, bps.
    pub score_bps: u16,
}

/// Reads the basket; `None` without a reserve, or while an account that it takes is not known.
pub fn report(store: &Store, assets: &BTreeMap<Pubkey, AssetReport>, now_ts: i64) -> Option<BasketReport> {
    let (_, reserve) = store.reserve()?;
    let mut bands = [None; RESERVE_ASSETS];
    let mut own = [Levels::default(); RESERVE_ASSETS];
    for (index, held) in reserve.active().iter().enumerate() {
        bands[index] = assets.get(&held.asset).and_then(|report| report.band.ok());
        own[index] = store.asset(&held.asset)?.breaker.levels_at(now_ts);
    }
    let scored = usize::from(reserve.plan.scored);
    let subject = &reserve.active().get(scored)?.asset;
    let poll = poll_of(store, subject, ReportPart::Score, now_ts).ok();
    Some(BasketReport {
        bands,
        own,
        basket: store.guard()?.breaker.levels_at(now_ts).max(own[scored]),
        score_bps: poll.and_then(|poll| poll.median(Comparator::Above, true).ok()),
    })
}

impl BasketReport {
    /// Returns the price of the asset at `index`, where one is agreed on.
    pub fn band(&self, index: usize) -> Option<&PriceBand> {
        self.bands.get(index)?.as_ref()
    }

    /// Returns the stricter level of the guard and of the scored asset.
    pub fn level(&self) -> Level {
        self.basket.risk
    }

    /// Returns what the targets follow for swaps into the quote asset, or for any others.
    ///
    /// # Errors
    /// `ReserveHolds`: as the program.
    pub fn course(&self, is_to_quote: bool) -> Result<Course, RampartError> {
        match self.score_bps {
            Some(score_bps) => Ok(Course { level: self.basket.risk, score_bps }),
            // without a median only a level that was proved without keepers moves it, and only to the quote asset
            None if is_to_quote && self.basket.exit >= Level::ReduceOnly => {
                Ok(Course { level: self.basket.exit, score_bps: 0 })
            }
            None => Err(RampartError::ReserveHolds),
        }
    }

    /// Decides where the basket should be and whether it may go there by selling `from` for `to`.
    ///
    /// # Errors
    /// `PriceIndeterminate`, `LevelForbids`, `TwoSourcesRequired`, `ReserveHolds`: as the program.
    pub fn aim(&self, reserve: &Reserve, (from, to): (usize, usize)) -> Result<Aim, RampartError> {
        let sources = [from, to].map(|at| self.band(at).map(|band| band.sources));
        let [Some(sold), Some(bought)] = sources else { return Err(RampartError::PriceIndeterminate) };
        let quote = usize::from(reserve.plan.quote);
        let class = if to == quote { Class::Liquidation } else { Class::RiskUp };
        let pass = gate(class, self.basket.max(self.own[from]))?;
        let calm = gate(Class::RiskUp, if to == quote { self.own[to] } else { self.own[to].max(self.basket) })?;
        if pass == Pass::TwoSources && sold.min(bought) < 2 {
            return Err(RampartError::TwoSourcesRequired);
        }
        let course = self.course(to == quote)?;
        Ok(Aim {
            targets: targets(&reserve.plan.weights_bps, quote, course.level, course.score_bps),
            scale_bps: pass.scale_bps().min(calm.scale_bps()),
        })
    }

    /// Returns what the basket is worth with `amounts` of each asset, base units.
    ///
    /// # Errors
    /// `MathOverflow`; `PriceIndeterminate` for something held that has no price.
    pub fn weigh<'a>(
        &self,
        reserve: &Reserve,
        amounts: &Each<u64>,
        targets: &'a Each<u16>,
    ) -> Result<Basket<'a>, RampartError> {
        let mut worth = [0; RESERVE_ASSETS];
        for (index, held) in reserve.active().iter().enumerate() {
            if amounts[index] > 0 {
                let band = self.band(index).ok_or(RampartError::PriceIndeterminate)?;
                worth[index] = worth_micro_usd(amounts[index], band.mid, held.decimals)?;
            }
        }
        Ok(Basket { worth, targets })
    }
}
