//! The reserve's basket: at most one swap at a time, behind its policy's counter.

use crate::assess::Assessment;
use crate::decide::{Action, Decision, Means, Policy};
use crate::economics::rebalance::{self, Leave};
use crate::intent::ActionClass;
use crate::watch::store::Store;

/// Returns the rebalance that is due. A basket whose score is not known is held, as on chain.
pub fn rebalance(assessment: &Assessment, store: &Store, policy: &Policy, means: &Means) -> Option<Decision> {
    let (economics, report) = (&policy.economics, assessment.basket.as_ref()?);
    if economics.routes.is_empty() {
        return None;
    }
    let leave = Leave { is_keeper: means.is_keeper, bands: &means.bands, settings: &policy.bands };
    let next = rebalance::next(economics, store, report, &leave, assessment.now.unix_ts)?;
    let score = report.score_bps.map_or_else(|| "no score".to_owned(), |score| format!("a score of {score} bps"));
    let reason = format!(
        "the basket is off its targets at {score} by more than {} bps: {} of {} for {} along {}",
        next.band_bps, next.quote.spent_amount, next.pair.0.mint, next.quote.received_amount, next.route
    );
    let (target, fence) = (next.policy.policy, next.args.counter);
    Some(Decision::new(ActionClass::Rebalance, target, fence, reason, Action::Rebalance(Box::new(next))))
}
