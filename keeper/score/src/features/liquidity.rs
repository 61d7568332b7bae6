//! What it costs to move the price: Amihud's ratio, volume against its habit, Kyle's lambda where takers are known.

use crate::ewma::{Decays, Ewma};

const HOUR: f64 = 3_600.0;
/// Half-lives: 6 h, 24 h, 7 d, 30 d.
const HALF_LIVES: [f64; 4] = [6.0 * HOUR, 24.0 * HOUR, 168.0 * HOUR, 720.0 * HOUR];
/// Bounds of a log ratio: a market without trades is extreme, not infinite.
const LOG_RATIO_MAX: f64 = 8.0;
/// Time of which volumes have to be told before a ratio is known, seconds: fast and slow means of the same few bars are equal,
/// which isn't a market that trades as it always does.
const HABIT_SECS: f64 = 24.0 * HOUR;
/// Bars with trades, at a half-life of 24 h, from which the price's answer to flow is believed.
const TRADES_MIN: f64 = 30.0;
/// Standard errors by which that answer has to lie above none at all.
const ERRORS_MIN: f64 = 3.0;

/// Liquidity estimators of one market.
#[derive(Clone, Copy, Debug)]
pub struct Liquidity {
    decays: Decays<4>,
    volume_fast: Ewma,
    volume_slow: Ewma,
    amihud_fast: Ewma,
    amihud_slow: Ewma,
    flow: Ewma,
    flow_square: Ewma,
    change: Ewma,
    change_square: Ewma,
    product: Ewma,
    trades: f64,
    told_secs: f64,
}

impl Default for Liquidity {
    fn default() -> Self {
        let mean = Ewma::default();
        Self {
            decays: Decays::new(HALF_LIVES),
            volume_fast: mean,
            volume_slow: mean,
            amihud_fast: mean,
            amihud_slow: mean,
            flow: mean,
            flow_square: mean,
            change: mean,
            change_square: mean,
            product: mean,
            trades: 0.0,
            told_secs: 0.0,
        }
    }
}

impl Liquidity {
    /// Adds a bar: its log return, quote volume, and signed taker flow in quote units where the venue says.
    pub fn push(&mut self, log_return: f64, quote_volume: f64, signed_flow: Option<f64>, secs: f64) {
        let [six_hours, day, week, month] = *self.decays.over(secs);
        let per_sec = quote_volume / secs;
        self.volume_fast.push(per_sec, six_hours);
        self.volume_slow.push(per_sec, week);
        self.told_secs += secs;
        if quote_volume > 0.0 {
            let illiquidity = log_return.abs() / quote_volume;
            self.amihud_fast.push(illiquidity, day);
            self.amihud_slow.push(illiquidity, month);
        }
        if let Some(flow) = signed_flow {
            self.flow.push(flow, day);
            self.flow_square.push(flow * flow, day);
            self.change.push(log_return, day);
            self.change_square.push(log_return * log_return, day);
            self.trades = day * self.trades + f64::from(u8::from(quote_volume > 0.0));
            self.product.push(flow * log_return, day);
        }
    }

    /// Returns whether a trade was seen and volumes were told for a day. Without a trade no ratio is known: nothing is traded, or
    /// nobody tells.
    pub fn has_volume(&self) -> bool {
        self.told_secs >= HABIT_SECS && self.volume_slow.mean_or(0.0) > 0.0
    }

    /// Returns `ln(Amihud 24 h / Amihud 30 d)`; 0 before the first trade.
    pub fn amihud_log_ratio(&self) -> f64 {
        log_ratio(self.amihud_fast.mean(), self.amihud_slow.mean())
    }

    /// Returns `ln(volume 6 h / volume 7 d)`; 0 before the first trade.
    pub fn volume_log_ratio(&self) -> f64 {
        log_ratio(self.volume_fast.mean(), self.volume_slow.mean())
    }

    /// Returns Kyle's lambda at 24 h: log return per quote unit of signed flow. None where takers aren't known.
    ///
    /// # Source
    /// Kyle (1985): `Cov(Δp, q) / Var(q)`.
    pub fn kyle_lambda(&self) -> Option<f64> {
        let (flow, square) = (self.flow.mean()?, self.flow_square.mean()?);
        let variance = square - flow * flow;
        let covariance = self.product.mean()? - flow * self.change.mean()?;
        (variance > square * 1e-12).then(|| covariance / variance)
    }

    /// Returns Kyle's lambda where it is told from none at all: at least thirty bars with trades, and three standard errors above
    /// zero. None otherwise: what chance makes of a few trades would be a cost that nobody pays.
    ///
    /// # Source
    /// The error of a slope: with correlation r over n bars it lies r √n errors above zero, for a small r.
    pub fn proved_lambda(&self) -> Option<f64> {
        let lambda = self.kyle_lambda().filter(|lambda| *lambda > 0.0 && self.trades >= TRADES_MIN)?;
        let variance = |square: &Ewma, mean: &Ewma| square.mean_or(0.0) - mean.mean_or(0.0).powi(2);
        let changes = variance(&self.change_square, &self.change);
        let square = lambda * lambda * variance(&self.flow_square, &self.flow) / changes;
        (changes > 0.0 && square * self.trades >= ERRORS_MIN * ERRORS_MIN).then_some(lambda)
    }

    /// Returns the traded quote volume per day, half-life 7 d.
    pub fn volume_day(&self) -> f64 {
        self.volume_slow.mean_or(0.0) * 86_400.0
    }
}

fn log_ratio(fast: Option<f64>, slow: Option<f64>) -> f64 {
    match (fast, slow) {
        (Some(fast), Some(slow)) if slow > 0.0 => {
            (fast / slow).max(f64::MIN_POSITIVE).ln().clamp(-LOG_RATIO_MAX, LOG_RATIO_MAX)
        }
        _ => 0.0,
    }
}
