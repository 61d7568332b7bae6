//! Settings of the risk score and of what is reported of it.

use super::text;
use anchor_lang::prelude::Pubkey;
use rampart_score::band::Band;
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
    /// Where collateral is sold.
    pub market: Vec<MarketSettings>,
}

impl Default for ScoreSettings {
    fn default() -> Self {
        Self { enabled: true, model_file: None, bands: BandSettings::default(), market: Vec::new() }
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
}

impl Default for BandSettings {
    /// All positions at their soft line, urgently from restrict on; nothing volatile is bought above watch.
    fn default() -> Self {
        Self { deleverage_from: Band::Normal, urgent_from: Band::Restrict, buy_back_to: Band::Watch }
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
    /// What is traded of it within a day where a liquidator would sell, US dollars; low rather than high.
    pub volume_day_usd: u64,
    /// Spread there, bps.
    pub spread_bps: u16,
    /// What it cost before the start, US dollars, for a keeper without a history of its own: CSV or CSV.GZ of unix seconds,
    /// open, high, low, close, as exchanges record it, each bar at most five minutes long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub past_file: Option<PathBuf>,
}
