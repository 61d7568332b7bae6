//! Rules and how far they are from their thresholds.

use crate::view::amounts::level_name;
use crate::view::build::{Builder, Inputs};
use crate::view::build_asset::reason_of;
use crate::view::{RuleView, StreakView};
use crate::watch::store::Store;
use anchor_lang::prelude::Pubkey;
use rampart::risk::verdict::Verdict;
use rampart::state::rule::RuleParams;
use rampart::state::{Comparator, Level, Metric, Rule, Scope, Switch};

pub(super) fn build(builder: &Builder, inputs: Inputs, key: &Pubkey, rule: &Rule) -> RuleView {
    let params = &rule.params;
    let metric = Metric::try_from(params.metric).ok();
    let report = inputs.assessment.rules.get(key);
    let (verdict, reason) = verdict_of(report.map(|r| r.measured.map(|m| m.verdict)));
    let level = Level::try_from(params.level).unwrap_or(Level::Halt);
    RuleView {
        address: key.to_string(),
        id: rule.id,
        name: name(builder, inputs.store, key, rule),
        metric: metric.map_or("unknown", metric_name).to_owned(),
        unit: if metric == Some(Metric::OracleAge) { "seconds" } else { "bps" }.to_owned(),
        subject: rule.subject.to_string(),
        subject_name: subject_name(builder, inputs.store, rule),
        comparator: if params.comparator == Comparator::Below as u8 { "below" } else { "above" }.to_owned(),
        threshold: params.threshold,
        clear_threshold: params.clear_threshold,
        window_secs: params.window_secs,
        value: report.and_then(|r| r.verdict()).and_then(Verdict::value).map(|v| v.to_string()),
        verdict: verdict.to_owned(),
        reason,
        level: level as u8,
        level_name: level_name(level).to_owned(),
        scope: if params.scope == Scope::Guard as u8 { "guard" } else { "subject" }.to_owned(),
        streak: StreakView {
            count: rule.streak.count,
            since_ts: (rule.streak.count > 0).then_some(rule.streak.first_true_ts),
        },
        min_persist_secs: params.min_persist_secs,
        min_observations: params.min_observations,
        trip_epoch: rule.trip_epoch,
        is_in_force: report.is_some_and(|r| r.cause.is_some()),
        is_enabled: params.switch == Switch::Enabled as u8,
    }
}

type Judged = Option<Result<Verdict, rampart::error::RampartError>>;

fn verdict_of(judged: Judged) -> (&'static str, Option<String>) {
    match judged {
        Some(Ok(Verdict::True { .. })) => ("true", None),
        Some(Ok(Verdict::Between { .. })) => ("between", None),
        Some(Ok(Verdict::Clear { .. })) => ("clear", None),
        Some(Ok(Verdict::Indeterminate(why))) => ("indeterminate", Some(why.name().to_owned())),
        Some(Err(error)) => ("indeterminate", Some(reason_of(error))),
        None => ("indeterminate", Some("unmeasured".to_owned())),
    }
}

/// The name of a metric in the API.
pub(crate) const fn metric_name(metric: Metric) -> &'static str {
    match metric {
        Metric::Drawdown => "drawdown",
        Metric::DeviationFromReference => "deviation_from_reference",
        Metric::OracleAge => "oracle_age",
        Metric::ConfidenceRatio => "confidence_ratio",
        Metric::OutflowRate => "outflow_rate",
        Metric::CollateralRatio => "collateral_ratio",
        Metric::VaultShortfall => "vault_shortfall",
    }
}

/// Returns the configured name of a rule, else its metric and subject.
pub(crate) fn name(builder: &Builder, store: &Store, key: &Pubkey, rule: &Rule) -> String {
    let described = || format!("{} {}", describe(&rule.params), subject_name(builder, store, rule));
    builder.label(key).unwrap_or_else(described)
}

fn describe(params: &RuleParams) -> &'static str {
    Metric::try_from(params.metric).map_or("unknown", metric_name)
}

fn subject_name(builder: &Builder, store: &Store, rule: &Rule) -> String {
    let is_about_asset = rule.params.metric().is_ok_and(Metric::is_about_asset);
    if is_about_asset { builder.symbol(store, &rule.subject) } else { builder.vault_name(store, &rule.subject) }
}
