//! What this keeper reports of the risk that it sees, for the median of the guard's keepers.

use crate::assess::Assessment;
use crate::config::ReportSettings;
use crate::decide::{Action, Decision, Means, Policy, scale};
use crate::intent::ActionClass;
use crate::watch::store::Store;
use anchor_lang::prelude::Pubkey;
use rampart::SubmitReportArgs;
use rampart::state::{KeeperSet, Metric, Report, ReportParts, Reserve, Switch};
use std::collections::BTreeSet;

/// What this keeper holds of one subject at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opinion {
    /// The score with its parts, bps.
    pub parts: ReportParts,
    /// The keeper's own report about the subject, where it is or will be.
    pub report: Pubkey,
}

/// Returns the subjects that somebody listens to: those of rules on reports, the one that moves the reserve's basket, and
/// the collaterals of vaults whose limits follow reports.
pub fn subjects(store: &Store) -> BTreeSet<Pubkey> {
    let listens = |params: &rampart::state::rule::RuleParams| {
        params.switch == Switch::Enabled as u8 && Metric::try_from(params.metric).is_ok_and(Metric::is_reported)
    };
    let of_rules = store.rules().filter(|(_, rule)| listens(&rule.params)).map(|(_, rule)| rule.subject);
    let of_limits = scale::subjects(store);
    of_rules.chain(of_limits).chain(store.reserve().and_then(|(_, reserve)| scored(reserve))).collect()
}

fn scored(reserve: &Reserve) -> Option<Pubkey> {
    reserve.active().get(usize::from(reserve.plan.scored)).map(|part| part.asset)
}

/// Returns the reports that are due: each keeper speaks for itself, so none is left to another.
pub fn reports(assessment: &Assessment, store: &Store, policy: &Policy, means: &Means) -> Vec<Decision> {
    let Some((_, set)) = store.keeper_set().filter(|_| means.is_keeper) else { return Vec::new() };
    let decide = |(subject, opinion): (&Pubkey, &Opinion)| {
        let last = store.report(&opinion.report);
        let why = why_due(last, opinion, set, &policy.reports, assessment.now.unix_ts)?;
        let seq = last.map_or(0, |report| report.seq);
        let args =
            SubmitReportArgs { parts: opinion.parts, observed_at_ts: assessment.now.unix_ts, seq: seq.checked_add(1)? };
        let action = Action::Report { subject: *subject, is_new: last.is_none(), args };
        Some(Decision::new(ActionClass::Report, opinion.report, seq, why, action))
    };
    means.opinions.iter().filter_map(decide).collect()
}

fn why_due(
    last: Option<&Report>,
    opinion: &Opinion,
    set: &KeeperSet,
    settings: &ReportSettings,
    now_ts: i64,
) -> Option<String> {
    let score_bps = opinion.parts.score_bps;
    let Some(last) = last.filter(|report| report.seq > 0) else {
        return Some(format!("the first report: score {score_bps} bps"));
    };
    let age_secs = now_ts.saturating_sub(last.observed_at_ts);
    if age_secs < i64::from(settings.interval_secs.max(1)) {
        return None;
    }
    let moved = moved_bps(&last.parts, &opinion.parts);
    if last.set_epoch != set.epoch {
        Some(format!("the set of keepers changed: score {score_bps} bps"))
    } else if moved >= settings.step_bps.max(1) {
        Some(format!("a part moved by {moved} bps: score {score_bps} bps"))
    } else {
        // a third of the age at which it counts no longer leaves room for two that don't land
        (age_secs >= i64::from(set.max_age_secs / 3)).then(|| format!("{age_secs} s old: score {score_bps} bps"))
    }
}

/// The widest gap between two reports' parts, bps.
fn moved_bps(before: &ReportParts, now: &ReportParts) -> u16 {
    shares_of(before).into_iter().zip(shares_of(now)).map(|(a, b)| a.abs_diff(b)).max().unwrap_or(0)
}

/// Returns the parts of a report in the order of the account: score, volatility, liquidity, correlation, anomaly, health of
/// the sources; bps.
pub(crate) fn shares_of(parts: &ReportParts) -> [u16; 6] {
    let ReportParts { score_bps, volatility_bps, liquidity_bps, correlation_bps, anomaly_bps, system_health_bps } =
        *parts;
    [score_bps, volatility_bps, liquidity_bps, correlation_bps, anomaly_bps, system_health_bps]
}

/// Returns the parts that [`shares_of`] took apart.
pub(crate) fn parts_of(shares: [u16; 6]) -> ReportParts {
    let [score_bps, volatility_bps, liquidity_bps, correlation_bps, anomaly_bps, system_health_bps] = shares;
    ReportParts { score_bps, volatility_bps, liquidity_bps, correlation_bps, anomaly_bps, system_health_bps }
}
