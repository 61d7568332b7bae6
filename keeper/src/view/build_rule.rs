//! Rules and how far they are from their thresholds.

use crate::assess::RuleReport;
use crate::view::amounts::{level_name, metric_unit, price};
use crate::view::build::{Builder, Inputs};
use crate::view::build_asset::reason_of;
use crate::view::{RuleGroupView, RuleView, StreakView};
use crate::watch::store::Store;
use anchor_lang::prelude::Pubkey;
use rampart::math::Price;
use rampart::risk::verdict::Verdict;
use rampart::state::asset::{Peg, ReferenceSpan};
use rampart::state::rule::RuleParams;
use rampart::state::{Asset, Comparator, Level, Metric, Rule, RuleGroup, Scope, Standing, Switch};

pub(super) fn build(builder: &Builder, inputs: Inputs, key: &Pubkey, rule: &Rule) -> RuleView {
    let params = &rule.params;
    let metric = Metric::try_from(params.metric).ok();
    let report = inputs.assessment.rules.get(key);
    let (verdict, reason) = verdict_of(report);
    let level = Level::try_from(params.level).unwrap_or(Level::Halt);
    RuleView {
        address: key.to_string(),
        id: rule.id,
        name: name(builder, inputs.store, key, rule),
        metric: metric.map_or("unknown", metric_name).to_owned(),
        unit: metric.map_or("bps", metric_unit).to_owned(),
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
        reference_span: metric.and_then(|metric| span_of(metric, params)).map(str::to_owned),
        compared_price: compared(inputs, rule).map(price),
        standing: if params.standing == Standing::Alone as u8 { "alone" } else { "member" }.to_owned(),
        groups: groups(inputs, key),
    }
}

fn span_of(metric: Metric, params: &RuleParams) -> Option<&'static str> {
    let span = (metric == Metric::DeviationFromReference).then(|| ReferenceSpan::try_from(params.reference_span).ok());
    Some(match span?? {
        ReferenceSpan::Short => "short",
        ReferenceSpan::FourHours => "four_hours",
        ReferenceSpan::Day => "day",
    })
}

/// What the measure of the rule holds the present price against, from where the program takes it.
fn compared(inputs: Inputs, rule: &Rule) -> Option<Price> {
    let (asset, now_ts) = (inputs.store.asset(&rule.subject)?, inputs.assessment.now.unix_ts);
    match rule.params.metric().ok()? {
        Metric::Drawdown => asset.window.view(rule.params.window_secs, now_ts).map(|seen| seen.high),
        Metric::DeviationFromReference => reference(rule, asset, now_ts),
        Metric::PegDeviation => Peg::try_from(asset.peg).ok()?.price(),
        _ => None,
    }
}

fn reference(rule: &Rule, asset: &Asset, now_ts: i64) -> Option<Price> {
    let span = ReferenceSpan::try_from(rule.params.reference_span).ok()?;
    rule.held_reference(now_ts).or_else(|| asset.reference_of(span, now_ts).ok())
}

fn groups(inputs: Inputs, rule: &Pubkey) -> Vec<RuleGroupView> {
    let of_rule = inputs.store.groups().filter(|(_, group)| group.active().contains(rule));
    of_rule.map(|(key, account)| group(inputs, key, account)).collect()
}

fn group(inputs: Inputs, key: &Pubkey, group: &RuleGroup) -> RuleGroupView {
    let level = Level::try_from(group.params.level).unwrap_or(Level::Halt);
    RuleGroupView {
        address: key.to_string(),
        id: group.id,
        level: level as u8,
        level_name: level_name(level).to_owned(),
        scope: group.scope.to_string(),
        rules: group.active().iter().map(Pubkey::to_string).collect(),
        is_in_force: inputs.assessment.groups.get(key).is_some_and(|report| report.cause.is_some()),
    }
}

/// The name of a rule's verdict, and why it can't be judged.
pub(crate) fn verdict_of(report: Option<&RuleReport>) -> (&'static str, Option<String>) {
    match report.map(|report| report.measured.map(|measured| measured.verdict)) {
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
        Metric::RealizedVolatility => "realized_volatility",
        Metric::SourceDisagreement => "source_disagreement",
        Metric::PegDeviation => "peg_deviation",
        Metric::SupplyGrowth => "supply_growth",
        Metric::InflowRate => "inflow_rate",
        Metric::Utilisation => "utilisation",
        Metric::ReserveCover => "reserve_cover",
        Metric::KeeperMedian => "keeper_median",
        Metric::KeeperSilence => "keeper_silence",
        Metric::KeeperSpread => "keeper_spread",
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
