//! One market's state: takes closed bars in order, gives features.

use serde::{Deserialize, Serialize};

use super::{COUNT, Features, HighRing, Liquidity, PastClose, Volatility};
use crate::bar::{Bar, BarError};

const HOUR: i64 = 3_600;
/// Windows of the drawdowns: 1 h, 4 h, 24 h, 7 d, 30 d.
const WINDOWS: [i64; 5] = [HOUR, 4 * HOUR, 24 * HOUR, 168 * HOUR, 720 * HOUR];
/// Horizons of the momentum: 1 h, 6 h, 24 h, 7 d.
const HORIZONS: [i64; 4] = [HOUR, 6 * HOUR, 24 * HOUR, 168 * HOUR];
/// Bound of a momentum, standard deviations.
const MOMENTUM_MAX: f64 = 20.0;

/// When a market's past counts as known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Longest time without a bar that returns are taken across, seconds.
    pub max_gap_secs: u32,
    /// How long the market must have been seen since the start or a gap, seconds.
    pub warmup_secs: u32,
}

impl Default for Settings {
    /// A gap above 1 h; two half-lives of 24 h.
    fn default() -> Self {
        Self { max_gap_secs: 3_600, warmup_secs: 172_800 }
    }
}

/// The estimators of one market.
#[derive(Clone, Copy, Debug)]
pub struct Market {
    settings: Settings,
    last: Option<Bar>,
    seen_secs: i64,
    volatility: Volatility,
    liquidity: Liquidity,
    highs: [HighRing; 5],
    window_highs: [f64; 5],
    pasts: [PastClose; 4],
    last_return: f64,
}

impl Market {
    /// Starts a market of which nothing is known.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            last: None,
            seen_secs: 0,
            volatility: Volatility::default(),
            liquidity: Liquidity::default(),
            highs: WINDOWS.map(HighRing::new),
            window_highs: [0.0; 5],
            pasts: HORIZONS.map(PastClose::new),
            last_return: 0.0,
        }
    }

    /// Takes the next closed bar.
    ///
    /// No return is taken across a gap. Highs are kept: what a market lost while nobody looked is a drawdown.
    ///
    /// # Errors
    /// What [`Bar::validate`] says, and `Order` where the bar isn't later than the last one. The state is unchanged then.
    pub fn push(&mut self, bar: &Bar) -> Result<(), BarError> {
        bar.validate()?;
        let close_ts = bar.close_ts();
        let log_range = (bar.high / bar.low).ln();
        match self.last {
            Some(last) if close_ts <= last.close_ts() => {
                return Err(BarError::Order { close_ts, last_close_ts: last.close_ts() });
            }
            Some(last) if bar.open_ts.saturating_sub(last.close_ts()) <= i64::from(self.settings.max_gap_secs) => {
                self.take_return(&last, bar, log_range);
            }
            last => self.restart(last.map(|last| last.close_ts()), bar, log_range),
        }
        for (high, ring) in self.window_highs.iter_mut().zip(&mut self.highs) {
            *high = ring.push(close_ts, bar.high);
        }
        self.pasts.iter_mut().for_each(|past| past.push(close_ts, bar.close));
        self.last = Some(*bar);
        Ok(())
    }

    fn take_return(&mut self, last: &Bar, bar: &Bar, log_range: f64) {
        let secs = bar.close_ts() - last.close_ts();
        self.seen_secs = self.seen_secs.saturating_add(secs);
        self.last_return = (bar.close / last.close).ln();
        self.volatility.push(self.last_return, log_range, secs as f64);
        // what nobody tells is no trade and no quiet bar either: the averages of volumes stay as they were
        let Some(volume) = bar.volume else { return };
        let flow = bar.taker_buy.map(|bought| (2.0 * bought - volume) * bar.close);
        self.liquidity.push(self.last_return, volume * bar.close, flow, secs as f64);
    }

    fn restart(&mut self, last_close_ts: Option<i64>, bar: &Bar, log_range: f64) {
        if let Some(last) = last_close_ts {
            self.volatility.gap(bar.open_ts.saturating_sub(last) as f64);
            self.pasts.iter_mut().for_each(PastClose::clear);
        }
        self.seen_secs = 0;
        self.last_return = 0.0;
        self.volatility.push_range(log_range, f64::from(bar.secs));
    }

    /// Returns the features at the close of the last bar. Every value is finite.
    pub fn features(&self) -> Features {
        let log_vols = self.volatility.log_vols();
        let mut values = [0.0; COUNT];
        values[..5].copy_from_slice(&log_vols);
        values[5] = self.volatility.log_parkinson();
        values[6] = self.volatility.log_har();
        values[7] = self.volatility.jump_ratio();
        values[8] = self.volatility.jump_recency();
        values[9] = self.volatility.downside_share();
        values[10..15].copy_from_slice(&self.drawdowns());
        values[15..19].copy_from_slice(&self.momenta());
        values[19] = self.liquidity.amihud_log_ratio();
        values[20] = self.liquidity.volume_log_ratio();
        Features { values, is_warming: self.is_warming(), has_volume: self.liquidity.has_volume() }
    }

    /// Returns whether too little was seen since the start or the last gap.
    pub fn is_warming(&self) -> bool {
        self.seen_secs < i64::from(self.settings.warmup_secs)
    }

    /// Returns the shares below the high of 1 h, 4 h, 24 h, 7 d and 30 d.
    pub fn drawdowns(&self) -> [f64; 5] {
        let close = self.last.map_or(0.0, |last| last.close);
        self.window_highs.map(|high| if high > 0.0 { (1.0 - close / high).max(0.0) } else { 0.0 })
    }

    fn momenta(&self) -> [f64; 4] {
        let Some(last) = self.last else { return [0.0; 4] };
        let vol = self.volatility.vol_week();
        self.pasts.map(|past| match past.past() {
            Some((ts, close)) if ts < last.close_ts() => {
                let days = (last.close_ts() - ts) as f64 / super::volatility::DAY_SECS;
                ((last.close / close).ln() / (vol * days.sqrt())).clamp(-MOMENTUM_MAX, MOMENTUM_MAX)
            }
            _ => 0.0,
        })
    }

    /// Returns the last log return; 0 after a gap.
    pub fn last_return(&self) -> f64 {
        self.last_return
    }

    /// Returns the last bar that was taken.
    pub fn last(&self) -> Option<&Bar> {
        self.last.as_ref()
    }

    /// Returns the volatility estimators.
    pub fn volatility(&self) -> &Volatility {
        &self.volatility
    }

    /// Returns the liquidity estimators.
    pub fn liquidity(&self) -> &Liquidity {
        &self.liquidity
    }
}
