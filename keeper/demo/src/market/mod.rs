//! Markets: what every asset costs at which second of the story.
//!
//! Owns recorded candles (`candles`), how a bar becomes ticks (`ticks`), and made-up markets (`synthetic`). Knows nothing
//! of oracles: `feeder` publishes.

pub mod candles;
pub mod past;
pub mod recorded;
pub mod synthetic;
pub mod ticks;

use crate::world::Coin;

/// What everything costs at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PricePoint {
    /// Seconds of chain time since the start of the story.
    pub at_secs: i64,
    /// US dollars for one whole token, by [`Coin`].
    pub usd: [f64; 3],
}

/// What happens to the prints of a source.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Effect {
    /// Every price is this many times as high.
    Times(f64),
    /// Nothing is published.
    Silent,
    /// The confidence is at least this wide, bps.
    Wide(f64),
}

/// Something that happens to one source for a while.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Disturbance {
    /// Of which asset.
    pub coin: Coin,
    /// Which of its sources.
    pub source: usize,
    /// From this second of the story.
    pub from_secs: i64,
    /// Up to, and without, this second.
    pub to_secs: i64,
    /// What happens.
    pub effect: Effect,
}

impl Disturbance {
    /// Tells whether it is about this source at this second.
    pub fn concerns(&self, coin: Coin, source: usize, at_secs: i64) -> bool {
        self.coin == coin && self.source == source && (self.from_secs..self.to_secs).contains(&at_secs)
    }

    /// Returns price and confidence under it; `None` where nothing is published.
    pub fn apply(&self, usd: f64, confidence_bps: f64) -> Option<(f64, f64)> {
        match self.effect {
            Effect::Times(factor) => Some((usd * factor, confidence_bps)),
            Effect::Wide(bps) => Some((usd, confidence_bps.max(bps))),
            Effect::Silent => None,
        }
    }
}
