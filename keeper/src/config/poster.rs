//! When signed updates are brought on chain.

use super::check::{Refusal, demand, within};
use super::{Config, SignalKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Brings updates of Pyth on chain that a signal of kind `hermes` receives, for feeds that the guard uses.
///
/// # Source
/// Sponsored feeds are pushed at least every 60 s, or at a move of 50 bps: below these bounds the keeper would pay for
/// what comes anyway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PosterSettings {
    /// A price on chain that is as old by the chain's clock is replaced, seconds.
    pub max_age_secs: u64,
    /// So is one that the signed price is as far away from, bps.
    pub deviation_bps: u32,
    /// The least time between the beginnings of two postings of one feed, seconds.
    pub min_interval_secs: u64,
    /// Fees of postings within any hour. A posting that has begun is finished, or taken back, beyond it.
    pub lamports_per_hour: u64,
}

impl Default for PosterSettings {
    fn default() -> Self {
        Self { max_age_secs: 75, deviation_bps: 100, min_interval_secs: 15, lamports_per_hour: 5_000_000 }
    }
}

/// Checks what the types don't hold.
pub(super) fn check(config: &Config) -> Result<(), Refusal> {
    // less than the fees of the two transactions of one posting can't begin any
    const ONE_POSTING: u64 = 10_000;
    let Some(poster) = &config.poster else { return Ok(()) };
    within("poster.max_age_secs", poster.max_age_secs, 1, 3_600)?;
    within("poster.deviation_bps", poster.deviation_bps.into(), 1, 10_000)?;
    within("poster.min_interval_secs", poster.min_interval_secs, 1, 3_600)?;
    within("poster.lamports_per_hour", poster.lamports_per_hour, ONE_POSTING, 10_000_000_000)?;
    let has_updates = config.signal.iter().any(|signal| signal.kind == SignalKind::Hermes);
    demand(has_updates, "poster", || "needs a `[[signal]]` of kind \"hermes\": signed updates come from there".into())
}
