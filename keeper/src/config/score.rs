//! Settings of the risk score and of what is reported of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
