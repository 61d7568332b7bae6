//! One guarded market's risk engine: bars and readings in; score, band and report out. Deterministic, and without a clock.

use serde::{Deserialize, Serialize};

use crate::anomaly::{Alarm, Cusum, Detector, HalfSpaceTrees, Observation, PriceVerdict, Regime};
use crate::band::{Band, BandState, Bands};
use crate::bar::{Bar, BarError};
use crate::coarse::Coarse;
use crate::features::{self, Features, Market};
use crate::hazard::{self, Exit, HAZARDS, Place};
use crate::input::Input;
use crate::model::{Model, structural};
use crate::score::{ReportShares, Score, Weights};
use crate::state::{Drift, FlowReading, Operations, OracleHealth, OraclePrint, Stress};

/// Seconds between observations of the half-space trees.
const ACTIVITY_SECS: i64 = 60;
/// Seconds between two looks at the drift of the model's inputs: it takes two hundred logarithms.
const DRIFT_SECS: i64 = 3_600;
/// Share of the drift watch's half-life that must be seen before it demotes a model.
const DRIFT_COVERAGE: f64 = 0.3;
const DAY_SECS: f64 = 86_400.0;
/// Length of the bars whose falls the values at risk are of, seconds.
const HOUR_SECS: u32 = 3_600;

/// Horizons of the falls that are told beside the score, seconds: six hours and a day.
pub const FALL_HORIZONS_SECS: [u32; 2] = [21_600, 86_400];
/// Probabilities with which the next hour's fall exceeds the values at risk: 99 and 99.9 % of hours fall less.
pub const RISK_PROBABILITIES: [f64; 2] = [0.01, 0.001];

/// How a market is judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// When the market's past counts as known.
    pub market: features::Settings,
    /// Weights of the hazards.
    pub weights: Weights,
    /// Bands of the score.
    pub bands: Bands,
    /// Horizon, seconds.
    pub horizon_secs: u32,
    /// Fall of the price that turns the marginal debt bad after the cost of liquidation, share.
    pub buffer: f64,
    /// Liquidation bonus, share.
    pub bonus: f64,
    /// Age up to which a price is fresh, seconds.
    pub fresh_secs: f64,
    /// Age from which a price is dead, seconds.
    pub dead_secs: f64,
    /// Mean stability index of its inputs above which a model is demoted to the structural formula. On the recorded markets
    /// that it was trained for it is at most 0.06, on a stablecoin 3.7.
    pub drift_max: f64,
    /// Seed of the half-space trees.
    pub seed: u64,
}

impl Default for Settings {
    /// A day, 10 %, a bonus of 5 %, prices of 30 to 120 s, drift up to 0.25.
    fn default() -> Self {
        Self {
            market: features::Settings::default(),
            weights: Weights::default(),
            bands: Bands::default(),
            horizon_secs: 86_400,
            buffer: 0.10,
            bonus: 0.05,
            fresh_secs: 30.0,
            dead_secs: 120.0,
            drift_max: 0.25,
            seed: 1,
        }
    }
}

/// What is seen beside the bars at one time.
#[derive(Clone, Copy, Debug)]
pub struct Readings<'a> {
    /// Time, unix seconds.
    pub ts: i64,
    /// The oracle's price and confidence in quote per base, its age, its time-weighted price.
    pub price: Input,
    /// Confidence, quote per base.
    pub confidence: Input,
    /// Age of the price, seconds.
    pub age_secs: Input,
    /// Time-weighted price of 30 min.
    pub twap: Input,
    /// Last price of each independent venue.
    pub venues: &'a [Input],
    /// Log return of the majors over 30 min, times the asset's beta.
    pub factor: Input,
    /// How the portfolio moves.
    pub stress: Option<&'a Stress>,
    /// Flows of the pool.
    pub flow: Option<&'a FlowReading>,
    /// What can be withdrawn, share of the pool.
    pub withdrawable: Input,
    /// Collateral that a liquidation of the debt near its threshold sells, quote units.
    pub exit_size: Input,
    /// Where it is sold.
    pub exit_place: Place,
    /// The keeper's own health.
    pub operations: &'a Operations,
}

/// What the engine says of a market at one time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// Time, unix seconds.
    pub ts: i64,
    /// Score with its parts.
    pub score: Score,
    /// Band after hysteresis.
    pub band: Band,
    /// What goes on chain.
    pub report: ReportShares,
    /// Features at the last bar.
    pub features: Features,
    /// What the price's move means.
    pub verdict: PriceVerdict,
    /// The cumulative sum of falls.
    pub fall: Alarm,
    /// Probability of a regime at most ten hours old.
    pub change_probability: f64,
    /// Share of past activity that was as lonely.
    pub rarity: Input,
    /// Whether the structural formula stands in for a model that is absent or drifted.
    pub is_demoted: bool,
    /// Probability of a fall through the buffer within each of [`FALL_HORIZONS_SECS`]; missing while no price is known.
    pub falls: [Input; 2],
    /// Fall of the next hour that is exceeded with each of [`RISK_PROBABILITIES`], share of the price; missing where no tail of a
    /// model in use, or no volatility is known.
    pub value_at_risk: [Input; 2],
}

/// What the market is judged by.
struct Judged<'a> {
    /// None where the structural formula stands in, as before a day of returns in its bars.
    model: Option<&'a Model>,
    /// In the bars of the model, where there is one.
    features: Features,
    /// What falls are measured by, per square root of a day; missing before the first return.
    vol_of_falls: Input,
}

/// The engine of one market.
#[derive(Clone, Debug)]
pub struct Engine {
    settings: Settings,
    model: Option<Model>,
    /// The market in the model's bars: what the model and the watch on its inputs see.
    coarse: Coarse,
    drift: Option<Drift>,
    /// Mean stability index of the model's inputs; missing while too little was seen.
    drift_index: Input,
    drift_ts: Option<i64>,
    market: Market,
    cusum: Cusum,
    regime: Regime,
    forest: HalfSpaceTrees,
    detector: Detector,
    rarity: Input,
    rarity_ts: Option<i64>,
    band: BandState,
}

impl Engine {
    /// Starts an engine; without a model the structural formula judges the market.
    pub fn new(settings: Settings, model: Option<Model>) -> Self {
        let drift = model.as_ref().map(Model::deciles).filter(|deciles| !deciles.is_empty()).map(Drift::new);
        // without a model nothing looks at it
        let bar_secs = model.as_ref().map_or(1, Model::bar_secs);
        Self {
            market: Market::new(settings.market),
            coarse: Coarse::new(settings.market, bar_secs),
            forest: HalfSpaceTrees::new(settings.seed),
            cusum: Cusum::default(),
            regime: Regime::default(),
            detector: Detector::default(),
            rarity: Input::Missing,
            rarity_ts: None,
            band: BandState::default(),
            drift_index: Input::Missing,
            drift_ts: None,
            settings,
            model,
            drift,
        }
    }

    /// Takes the next closed bar.
    ///
    /// # Errors
    /// As [`Market::push`]; the state is unchanged then.
    pub fn push(&mut self, bar: &Bar) -> Result<(), BarError> {
        let last_ts = self.market.last().map(Bar::close_ts);
        // Judged by what was known before the bar.
        let variance_day = self.market.volatility().variance_day();
        let is_known = self.market.volatility().is_known();
        self.market.push(bar)?;
        self.regime.push(bar);
        let secs = last_ts.map_or(f64::from(bar.secs), |last| (bar.close_ts() - last) as f64);
        if is_known {
            self.cusum.push(self.market.last_return() / (variance_day * secs / DAY_SECS).sqrt());
        }
        if self.model.is_some()
            && let Some((features, secs)) = self.coarse.push(bar)
        {
            self.watch_drift(&features, bar.close_ts(), secs);
        }
        Ok(())
    }

    fn watch_drift(&mut self, features: &Features, ts: i64, secs: f64) {
        let Some(drift) = &mut self.drift else { return };
        drift.push(features, secs);
        if self.drift_ts.is_none_or(|last| ts.saturating_sub(last) >= DRIFT_SECS) {
            self.drift_index = (drift.coverage() >= DRIFT_COVERAGE).then(|| drift.index()).into();
            self.drift_ts = Some(ts);
        }
    }

    /// Judges the market. Allocates nothing.
    pub fn assess(&mut self, seen: &Readings) -> Assessment {
        let features = self.market.features();
        let sigma = features.vol_day() * (300.0 / DAY_SECS).sqrt();
        let verdict = self.detector.push(&self.observation(seen, sigma));
        self.watch_activity(seen);
        let is_demoted = self.is_demoted();
        let judged = self.judged(is_demoted);
        let hazards = self.hazards(seen, &features, verdict, sigma, &judged);
        let falls = FALL_HORIZONS_SECS.map(|horizon_secs| self.fall(seen.ts, &judged, horizon_secs));
        let value_at_risk = self.value_at_risk(seen.ts, &judged);
        let score = Score::of(&hazards, &self.settings.weights);
        let band = self.band.push(&self.settings.bands, score.scores(), features.is_warming, seen.ts);
        let vol_day = if self.is_stale(seen.ts) { Input::Missing } else { Input::of(features.vol_day()) };
        let correlation = seen.stress.map(|stress| stress.correlation).into();
        let report = ReportShares::of(&score, vol_day, correlation, self.anomaly(verdict, &features));
        Assessment {
            ts: seen.ts,
            score,
            band,
            report,
            features,
            verdict,
            fall: self.cusum.alarm(),
            change_probability: self.regime.change_probability(),
            rarity: self.rarity,
            is_demoted,
            falls,
            value_at_risk,
        }
    }

    fn observation<'a>(&self, seen: &Readings<'a>, sigma: f64) -> Observation<'a> {
        let liquidity = self.market.liquidity();
        let amihud_log_ratio = liquidity.has_volume().then(|| liquidity.amihud_log_ratio()).into();
        let Readings { ts, price: oracle, venues, factor, .. } = *seen;
        Observation { ts, oracle, venues, sigma, factor, amihud_log_ratio }
    }

    fn watch_activity(&mut self, seen: &Readings) {
        let Some(flow) = seen.flow else {
            self.rarity = Input::Missing;
            return;
        };
        if self.rarity_ts.is_none_or(|last| seen.ts.saturating_sub(last) >= ACTIVITY_SECS) {
            self.rarity = Input::of(self.forest.push(&flow.activity()));
            self.rarity_ts = Some(seen.ts);
        }
    }

    fn hazards(
        &self,
        seen: &Readings,
        features: &Features,
        verdict: PriceVerdict,
        sigma: f64,
        judged: &Judged,
    ) -> [Input; HAZARDS] {
        let Readings { price, confidence, age_secs, twap, venues, .. } = *seen;
        let health = OracleHealth::of(&OraclePrint { price, confidence, age_secs, twap, venues, sigma });
        let exit = Exit {
            size: seen.exit_size,
            place: seen.exit_place,
            lambda: self.market.liquidity().proved_lambda(),
            vol_day: Input::of(features.vol_day()),
            bonus: self.settings.bonus,
        };
        let horizon_secs = self.settings.horizon_secs;
        [
            hazard::market(self.fall(seen.ts, judged, horizon_secs), self.cusum.alarm()),
            hazard::oracle(&health, verdict),
            exit.hazard(horizon_secs),
            hazard::run(seen.flow, seen.withdrawable, self.rarity, horizon_secs),
            hazard::staleness(age_secs, self.settings.fresh_secs, self.settings.dead_secs),
            hazard::system(seen.stress),
            hazard::operations(&self.operations(seen)),
        ]
    }

    fn judged(&self, is_demoted: bool) -> Judged<'_> {
        let coarse = self.model.as_ref().filter(|_| !is_demoted).map(|model| (model, self.coarse.market()));
        // the first hours of a model's bars are few returns: a still one would be a calm that nobody knows of
        let coarse = coarse.filter(|(_, market)| market.volatility().is_settled());
        let (model, market) = coarse.map_or((None, self.market), |(model, market)| (Some(model), market));
        let features = market.features();
        let volatility = market.volatility();
        let vol_of_falls = volatility.is_known().then(|| volatility.vol_of_falls()).into();
        Judged { model, features, vol_of_falls }
    }

    /// Returns the probability of a fall through the buffer within a horizon.
    fn fall(&self, ts: i64, judged: &Judged, horizon_secs: u32) -> Input {
        let buffer = self.settings.buffer;
        if self.is_stale(ts) || judged.vol_of_falls.is_missing() {
            return Input::Missing;
        }
        match judged.model {
            Some(model) => Input::of(model.probability(&judged.features, buffer, horizon_secs)),
            None if buffer > 0.0 && buffer < 1.0 => {
                let vol_day = judged.features.vol_day();
                Input::of(1.0 / (1.0 + (-structural(vol_day, buffer, horizon_secs, None)).exp()))
            }
            None => Input::Known(1.0),
        }
    }

    fn value_at_risk(&self, ts: i64, judged: &Judged) -> [Input; 2] {
        let tail = judged.model.and_then(Model::falls).filter(|tail| tail.bar_secs == HOUR_SECS && !self.is_stale(ts));
        let tail = tail.zip(judged.vol_of_falls.known());
        // of a logarithm, the share of the price
        let share = |p: f64| tail.map(|(tail, vol)| -(-tail.value_at_risk(p, vol)).exp_m1());
        RISK_PROBABILITIES.map(|p| share(p).into())
    }

    fn operations(&self, seen: &Readings) -> Operations {
        let mut operations = *seen.operations;
        operations.drift = self.drift_index;
        operations
    }

    /// Returns whether the structural formula stands in for a model that is absent or drifted.
    pub fn is_demoted(&self) -> bool {
        self.model.is_none() || self.drift_index.known().is_some_and(|index| index > self.settings.drift_max)
    }

    /// No bar, or none within the longest gap that a return is taken across.
    fn is_stale(&self, ts: i64) -> bool {
        let age_secs = self.market.last().map(|last| ts.saturating_sub(last.close_ts()));
        age_secs.is_none_or(|age| age > i64::from(self.settings.market.max_gap_secs))
    }

    /// The strangest of price, flows and a regime that began with more volatility; missing when the price's is.
    fn anomaly(&self, verdict: PriceVerdict, features: &Features) -> Input {
        let flows = self.rarity.known().map_or(0.0, hazard::strangeness);
        let is_rougher = features.values[1] > features.values[3];
        let regime = if is_rougher { self.regime.change_probability() } else { 0.0 };
        verdict.probability().map(|price| price.max(flows).max(regime))
    }

    /// Returns the mean stability index of the model's inputs; missing while too little was seen.
    pub fn drift_index(&self) -> Input {
        self.drift_index
    }

    /// Returns how far `price` is from where it was within about the last half an hour, log; none before the first look.
    pub fn moved(&self, price: f64) -> Option<f64> {
        self.detector.moved(price)
    }

    /// Returns the market's estimators.
    pub fn market(&self) -> &Market {
        &self.market
    }

    /// Returns the model in use, if any.
    pub fn model(&self) -> Option<&Model> {
        self.model.as_ref()
    }
}
