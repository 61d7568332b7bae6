//! What a keeper knows of a pool and its market, step by step: the situation that rules and policies decide on.
//!
//! Everything is read from oracles, venues, books and the pool, never from `Tick::truth`.

use crate::attack::{Tick, VENUES};
use crate::policy::Volatility;
use crate::pool::{Book, Pool};
use rampart_score::band::{Band, BandState, Bands, Scores};
use rampart_score::hazard::{Exit, Place, staleness};
use rampart_score::input::Input;
use rampart_score::model::structural;
use rampart_score::policy::Situation;
use std::collections::VecDeque;

const HOUR_SECS: f64 = 3_600.0;
/// Span of the score's slope, seconds.
const SLOPE_SECS: i64 = 1_800;
/// Half-life of the fast volatility, seconds.
const FAST_SECS: f64 = 1_800.0;
/// Horizons over which the slow and the fast volatility are judged, seconds.
const HORIZONS: (u32, u32) = (86_400, 21_600);
/// Oracles' age from which a print counts as old, and as dead, seconds.
const AGES: (f64, f64) = (90.0, 600.0);

/// Follows one market and its pool.
#[derive(Clone, Debug, Default)]
pub struct Watcher {
    volatility: Volatility,
    fast: f64,
    last: Option<(i64, f64)>,
    outflow_hour: f64,
    left: f64,
    band: BandState,
    scores: VecDeque<(i64, f64)>,
    score_bps: u16,
    situation: Situation,
}

impl Watcher {
    /// Takes a step that is over.
    pub fn push<B: Book>(&mut self, tick: &Tick, pool: &Pool<B>) {
        let secs = self.last.map_or(0.0, |(ts, _)| (tick.ts - ts) as f64);
        if let Some(price) = pool.price() {
            self.volatility.push(tick.ts, price);
            let change = self.last.map_or(0.0, |(_, last)| f64::ln(price / last));
            let keep = 0.5f64.powf(secs / FAST_SECS);
            self.fast = keep * self.fast + (1.0 - keep) * change * change / secs.max(1.0);
            self.last = Some((tick.ts, price));
        }
        let totals = pool.totals();
        let left = totals.withdrawn + totals.refused_exits;
        self.outflow_hour = self.outflow_hour * 0.5f64.powf(secs / HOUR_SECS) + (left - self.left);
        self.left = left;
    }

    /// Says whether enough of the past is known to decide anything.
    pub fn is_warm(&self) -> bool {
        self.volatility.day().is_some()
    }

    /// Judges the situation at the end of `tick`; call it once a decision, after [`Watcher::push`].
    pub fn judge<B: Book>(&mut self, tick: &Tick, pool: &Pool<B>) -> &Situation {
        let p_market = self.market(pool);
        let near = [0.05, 0.10, 0.20].map(|fall| pool.share_within(fall));
        let debt = pool.debt();
        let volume = pool.liquidity().day_volume();
        let p_liquidity = self.liquidity(tick, pool, near[1] * debt);
        let (p_oracle, p_run) = (oracle(tick), self.run(pool, debt));
        let calm: f64 = [p_market, p_liquidity, p_oracle, p_run].map(|p| 1.0 - p.clamp(0.0, 1.0)).iter().product();
        let score = 1e4 * (1.0 - calm);
        let slope = self.slope(tick.ts, score);
        self.score_bps = score.round() as u16;
        // it knows all that it looks at
        let scores = Scores { bps: self.score_bps, known_bps: self.score_bps };
        self.band.push(&Bands::default(), scores, !self.is_warm(), tick.ts);
        // What the books take within 2 %, by the square-root law at a volatility of 4 % a day: a quarter of a day's volume.
        let debt_to_depth = debt / (volume / 4.0).max(f64::MIN_POSITIVE);
        self.situation = Situation { p_market, p_liquidity, p_oracle, p_run, slope, near, debt_to_depth };
        &self.situation
    }

    /// Returns the situation of the last judgement.
    pub fn situation(&self) -> &Situation {
        &self.situation
    }

    /// Returns the score of the last judgement, bps.
    pub fn score_bps(&self) -> u16 {
        self.score_bps
    }

    /// Returns its band.
    pub fn band(&self) -> Band {
        self.band.band()
    }

    /// Says whether the band is at most "watch".
    pub fn is_calm(&self) -> bool {
        self.band() <= Band::Watch
    }

    /// Returns the probability to fall through the buffer of a loan at the highest LTV, after what liquidating costs now.
    fn market<B: Book>(&self, pool: &Pool<B>) -> f64 {
        let Some(slow) = self.volatility.day() else { return 1.0 };
        let risk = pool.defence().risk();
        let owed = f64::from(risk.ltv_bps) / 1e4 * (1.0 + f64::from(risk.max_bonus_bps) / 1e4);
        let buffer = 1.0 - owed / (1.0 - pool.liquidity().impact().min(0.9));
        if buffer <= 0.0 {
            return 1.0;
        }
        let fast = (self.fast * 86_400.0).sqrt().max(1e-6);
        let logit =
            structural(slow.max(1e-6), buffer, HORIZONS.0, None).max(structural(fast, buffer, HORIZONS.1, None));
        1.0 / (1.0 + (-logit).exp())
    }

    fn liquidity<B: Book>(&self, tick: &Tick, pool: &Pool<B>, size: f64) -> f64 {
        let exit = Exit {
            size: Input::of(size),
            place: Place::Books {
                volume_day: Input::of(pool.liquidity().day_volume()),
                spread: Input::of(tick.spread),
            },
            lambda: None,
            vol_day: self.volatility.day().into(),
            bonus: f64::from(pool.defence().risk().max_bonus_bps) / 1e4,
        };
        exit.hazard(HORIZONS.1).known().unwrap_or(1.0)
    }

    /// Returns how close the last hour's pace, held for six, comes to what can be withdrawn.
    fn run<B: Book>(&self, pool: &Pool<B>, debt: f64) -> f64 {
        let cash = (pool.deposits() - debt).max(1e-9);
        (self.outflow_hour * 6.0 / cash - 0.2).clamp(0.0, 1.0)
    }

    fn slope(&mut self, now_ts: i64, score: f64) -> f64 {
        while self.scores.front().is_some_and(|(ts, _)| now_ts - ts > SLOPE_SECS) {
            self.scores.pop_front();
        }
        let before = self.scores.front().map_or(score, |(_, before)| *before);
        self.scores.push_back((now_ts, score));
        score - before
    }
}

/// Returns how likely the price isn't the market's: sources or venues apart by 2 to 10 %, a wide confidence, or old prints.
fn oracle(tick: &Tick) -> f64 {
    let mut venues = tick.venues;
    venues.sort_by(f64::total_cmp);
    let apart = |a: f64, b: f64| (a / b).ln().abs();
    let gap = apart(tick.oracle.price, tick.second.price).max(apart(tick.oracle.price, venues[VENUES / 2]));
    let wide = (tick.oracle.conf / tick.oracle.price - 0.005) / 0.045;
    let age = f64::from(tick.oracle.age_secs.max(tick.second.age_secs));
    let old = staleness(Input::of(age), AGES.0, AGES.1).known().unwrap_or(1.0);
    1.0 - (1.0 - 0.9 * ((gap - 0.02) / 0.08).clamp(0.0, 1.0)) * (1.0 - 0.9 * wide.clamp(0.0, 1.0)) * (1.0 - old)
}
