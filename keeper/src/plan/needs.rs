//! Which accounts a rule's metric is measured on, beside its subject: what `observe_rule`, `trip`, `step_down` and
//! `reset_breaker` are called with.

use rampart::state::{Metric, Rule};

/// What a metric takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// The keeper set and each member's report about the subject.
    Reports,
    /// The subject's mint.
    Mint,
    /// The token accounts of the subject, a vault.
    Tokens,
    /// The oracles of the subject, an asset.
    Oracles,
    /// Both assets of the subject, a vault, and the oracles of both.
    Pair,
    /// The subject alone.
    Nothing,
}

impl Needs {
    /// Returns what the metric of `rule` takes.
    pub fn of(rule: &Rule) -> Self {
        match Metric::try_from(rule.params.metric) {
            Ok(metric) if metric.is_reported() => Self::Reports,
            Ok(Metric::SupplyGrowth) => Self::Mint,
            Ok(Metric::VaultShortfall) => Self::Tokens,
            Ok(metric) if metric.is_about_asset() => Self::Oracles,
            Ok(Metric::CollateralRatio) => Self::Pair,
            _ => Self::Nothing,
        }
    }
}
