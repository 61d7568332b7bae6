//! Settings of the risk score and of what is reported of it.

use super::check::{Refusal, demand, within};
use super::text;
use anchor_lang::prelude::Pubkey;
use rampart_score::band::{Band, Bands, BandsError, Costs};
use rampart_score::hazard::HAZARDS;
use rampart_score::score::Weights;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// How often the score is reported on chain, where this keeper is one of the guard's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReportSettings {
    /// The least time between two reports about one subject, seconds.
    pub interval_secs: u32,
    /// The change of a part that is reported before the last report is a third as old as it may become, bps.
    pub step_bps: u16,
}

impl Default for ReportSettings {
    fn default() -> Self {
        Self { interval_secs: 10, step_bps: 200 }
    }
}

/// What the risk engine makes of assets and vaults.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ScoreSettings {
    /// Whether risk is scored at all.
    pub enabled: bool,
    /// The model of a fall through the buffer. Left out: the one that is built in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_file: Option<PathBuf>,
    /// What the band of the score changes about what is done.
    pub bands: BandSettings,
    /// The library of learned policies, as `rampart lab refit` writes it: the chosen one decides in shadow, rules drive.
    /// Left out: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub library_file: Option<PathBuf>,
    /// How much each hazard counts.
    pub weights: WeightSettings,
    /// Where collateral is sold.
    pub market: Vec<MarketSettings>,
}

/// How much each hazard counts in the score, bps of its probability: 10000 is all of it, 0 leaves it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WeightSettings {
    /// The collateral falls through its buffer.
    pub market_bps: u16,
    /// The price is wrong.
    pub oracle_bps: u16,
    /// Leaving costs more than the liquidation bonus.
    pub liquidity_bps: u16,
    /// More leaves than can.
    pub run_bps: u16,
    /// What is known is old.
    pub staleness_bps: u16,
    /// Everything falls together.
    pub system_bps: u16,
    /// The keeper sees, agrees or lands too little.
    pub operations_bps: u16,
}

impl WeightSettings {
    /// Returns name and value of each, in the order of the engine's hazards.
    fn all(&self) -> [(&'static str, u16); HAZARDS] {
        [
            ("market_bps", self.market_bps),
            ("oracle_bps", self.oracle_bps),
            ("liquidity_bps", self.liquidity_bps),
            ("run_bps", self.run_bps),
            ("staleness_bps", self.staleness_bps),
            ("system_bps", self.system_bps),
            ("operations_bps", self.operations_bps),
        ]
    }

    /// Returns the engine's weights; what a hazard counts as when nothing is known of it stays the engine's.
    pub fn weights(&self) -> Weights {
        Weights { weights: self.all().map(|(_, bps)| f64::from(bps) / 10_000.0), ..Weights::default() }
    }
}

impl Default for WeightSettings {
    /// The engine's own.
    fn default() -> Self {
        let [market_bps, oracle_bps, liquidity_bps, run_bps, staleness_bps, system_bps, operations_bps] =
            Weights::default().weights.map(|weight| (weight * 10_000.0).round() as u16);
        Self { market_bps, oracle_bps, liquidity_bps, run_bps, staleness_bps, system_bps, operations_bps }
    }
}

/// Checks the bounds.
pub(super) fn check(score: &ScoreSettings) -> Result<(), Refusal> {
    let weights = score.weights.all();
    for (name, bps) in weights {
        within(&format!("score.weights.{name}"), u64::from(bps), 0, 10_000)?;
    }
    demand(weights.iter().any(|(_, bps)| *bps > 0), "score.weights", || {
        "at least one must be above 0; `score.enabled = false` switches the score off".into()
    })?;
    for (at, market) in score.market.iter().enumerate() {
        let is_told = market.pool.is_some() || (market.volume_day_usd.is_some() && market.spread_bps.is_some());
        demand(is_told, &format!("score.market[{at}]"), || {
            "must name a `pool`, or `volume_day_usd` and `spread_bps`".into()
        })?;
    }
    for (at, costs) in score.bands.costs.iter().flatten().enumerate() {
        within(&format!("score.bands.costs[{at}].efficacy_bps"), u64::from(costs.efficacy_bps), 0, 10_000)?;
    }
    score.bands.of_costs().map(|_| ()).map_err(|error| {
        let reason = format!("{error}; acting must cost more from watch to breaker, beside what it avoids");
        ("score.bands.costs".to_owned(), reason)
    })
}

impl Default for ScoreSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            model_file: None,
            library_file: None,
            bands: BandSettings::default(),
            weights: WeightSettings::default(),
            market: Vec::new(),
        }
    }
}

/// What the band of the keeper's own score changes about what it does. A band is entered at once and left late, so that
/// nothing flutters; a band that isn't known holds no protection back, and gives no risk back either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BandSettings {
    /// From this band of a position's vault or collateral on it is softly deleveraged; below it that is left to others.
    #[schemars(with = "String")]
    pub deleverage_from: Band,
    /// From this band on positions are deleveraged whatever it brings, and the reserve is hedged within the narrow band.
    #[schemars(with = "String")]
    pub urgent_from: Band,
    /// Above this band the reserve buys nothing but its quote asset.
    #[schemars(with = "String")]
    pub buy_back_to: Band,
    /// What acting and not acting cost, for watch, tighten, restrict and breaker: a band begins at the score from which acting
    /// is cheaper. Left out: the engine's own entries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub costs: Option<[CostSettings; 4]>,
}

/// What acting and not acting cost, for one band.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CostSettings {
    /// Cost of acting, US dollars.
    pub action_usd: u64,
    /// Loss that comes if the event does, US dollars.
    pub avoidable_usd: u64,
    /// Share of that loss that acting avoids, bps.
    pub efficacy_bps: u16,
}

impl BandSettings {
    /// Returns the engine's bands, with the entries that follow from the costs.
    ///
    /// # Errors
    /// `Entries` where they don't rise with the band.
    pub fn of_costs(&self) -> Result<Bands, BandsError> {
        let costs = |costs: CostSettings| Costs {
            action: costs.action_usd as f64,
            avoidable: costs.avoidable_usd as f64,
            efficacy: f64::from(costs.efficacy_bps) / 10_000.0,
        };
        self.costs.map_or_else(|| Ok(Bands::default()), |all| Bands::from_costs(&all.map(costs)))
    }
}

impl Default for BandSettings {
    /// All positions at their soft line, urgently from restrict on; nothing volatile is bought above watch.
    fn default() -> Self {
        Self { deleverage_from: Band::Normal, urgent_from: Band::Restrict, buy_back_to: Band::Watch, costs: None }
    }
}

/// Where one asset is sold. Of an asset without this, what a sale costs is unknown, which raises its score.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MarketSettings {
    /// The asset account.
    #[serde(with = "text")]
    #[schemars(with = "String")]
    pub asset: Pubkey,
    /// The pool of SPL Token Swap where a liquidator would sell: what it holds says what a sale costs, and its trades what is
    /// traded.
    #[serde(default, with = "super::text_option", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub pool: Option<Pubkey>,
    /// What is traded of it within a day where a liquidator would sell, US dollars; low rather than high. Counts without a pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_day_usd: Option<u64>,
    /// Spread there, bps. Counts without a pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread_bps: Option<u16>,
    /// What it cost before the start, US dollars, for a keeper without a history of its own: CSV or CSV.GZ of unix seconds,
    /// open, high, low, close, as exchanges record it, each bar at most five minutes long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub past_file: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_follow_from_costs_and_costs_that_give_none_are_refused_by_name() {
        let text = |actions: [u32; 4]| {
            let costs =
                actions.map(|usd| format!("{{ action_usd = {usd}, avoidable_usd = 12, efficacy_bps = 10000 }}"));
            format!("bands = {{ costs = [{}] }}", costs.join(", "))
        };
        let settings: ScoreSettings = toml::from_str(&text([1, 2, 5, 15])).expect("settings");
        // 1 / 13, 2 / 14, 5 / 17, 15 / 27, rounded up
        assert_eq!(settings.bands.of_costs().expect("they rise").entries_bps, [770, 1_429, 2_942, 5_556]);
        assert_eq!((check(&settings), settings.bands.buy_back_to), (Ok(()), Band::Watch));
        assert_eq!(ScoreSettings::default().bands.of_costs(), Ok(Bands::default()));
        let settings: ScoreSettings = toml::from_str(&text([2, 1, 5, 15])).expect("settings");
        let (key, reason) = check(&settings).expect_err("they fall");
        assert_eq!((&*key, settings.bands.of_costs().is_err()), ("score.bands.costs", true));
        assert!(reason.starts_with("bands' entries [1429, 770, 2942, 5556] must rise"), "{reason}");
        let mut settings: ScoreSettings = toml::from_str(&text([1, 2, 5, 15])).expect("settings");
        settings.bands.costs.as_mut().expect("costs")[3].efficacy_bps = 10_001;
        assert_eq!(check(&settings).expect_err("too much").0, "score.bands.costs[3].efficacy_bps");
    }

    #[test]
    fn market_that_names_neither_pool_nor_volume_and_spread_is_refused() {
        let asset = "So11111111111111111111111111111111111111112";
        let checked = |rest: &str| {
            let settings: ScoreSettings =
                toml::from_str(&format!("[[market]]\nasset = \"{asset}\"\n{rest}")).expect("settings");
            check(&settings)
        };
        assert_eq!(checked("volume_day_usd = 5\nspread_bps = 10"), Ok(()));
        assert_eq!(checked(&format!("pool = \"{asset}\"")), Ok(()));
        for rest in ["", "volume_day_usd = 5", "spread_bps = 10"] {
            let (key, reason) = checked(rest).expect_err("too little is known");
            assert_eq!(
                (&*key, &*reason),
                ("score.market[0]", "must name a `pool`, or `volume_day_usd` and `spread_bps`")
            );
        }
    }

    #[test]
    fn weights_beyond_their_bounds_are_refused_by_name() {
        let refused = |change: fn(&mut WeightSettings)| {
            let mut settings = ScoreSettings::default();
            change(&mut settings.weights);
            check(&settings).err()
        };
        assert_eq!(refused(|_| ()), None);
        assert_eq!(refused(|weights| weights.market_bps = 0), None);
        let (key, reason) = refused(|weights| weights.run_bps = 10_001).expect("too much");
        assert_eq!((&*key, &*reason), ("score.weights.run_bps", "10001 must lie between 0 and 10000"));
        let none = WeightSettings {
            market_bps: 0,
            oracle_bps: 0,
            liquidity_bps: 0,
            run_bps: 0,
            staleness_bps: 0,
            system_bps: 0,
            operations_bps: 0,
        };
        let settings = ScoreSettings { weights: none, ..ScoreSettings::default() };
        assert_eq!(check(&settings).expect_err("nothing counts").0, "score.weights");
    }
}
