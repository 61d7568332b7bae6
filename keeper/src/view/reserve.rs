//! Where the reserve's basket should be, as `rebalance` will judge it.

use crate::assess::BasketReport;
use crate::assess::basket::Course;
use crate::view::amounts::level_name;
use crate::view::build::Inputs;
use rampart::risk::basket::targets;
use rampart::state::Reserve;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the reserve's basket should be now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReserveView {
    /// Address of the reserve.
    pub address: String,
    /// Asset account that the keepers' score of the basket is about.
    pub scored_asset: String,
    /// The level whose weights lead: the stricter one of the guard and of the scored asset.
    pub level: u8,
    /// The level in words.
    pub level_name: String,
    /// The keepers' median score, bps; nothing where it is not known.
    pub score_bps: Option<u16>,
    /// `followed`; `to_quote`: without a median a level that was proved moves it to the quote asset, and nothing else; or
    /// `held`: without a median it keeps what it has.
    pub state: String,
    /// What each asset should be of the whole, bps, in the basket's order; empty while it is held.
    pub targets_bps: Vec<u16>,
}

pub(super) fn build(inputs: Inputs) -> Option<ReserveView> {
    let (key, reserve) = inputs.store.reserve()?;
    let report = inputs.assessment.basket.as_ref()?;
    let (state, course) = course_of(report);
    let level = course.map_or(report.level(), |course| course.level);
    Some(ReserveView {
        address: key.to_string(),
        scored_asset: reserve.active().get(usize::from(reserve.plan.scored))?.asset.to_string(),
        level: level as u8,
        level_name: level_name(level).to_owned(),
        score_bps: report.score_bps,
        state: state.to_owned(),
        targets_bps: course.map_or_else(Vec::new, |course| targets_of(reserve, course)),
    })
}

fn course_of(report: &BasketReport) -> (&'static str, Option<Course>) {
    match (report.course(false), report.course(true)) {
        (Ok(course), _) => ("followed", Some(course)),
        (_, Ok(course)) => ("to_quote", Some(course)),
        _ => ("held", None),
    }
}

fn targets_of(reserve: &Reserve, course: Course) -> Vec<u16> {
    let plan = &reserve.plan;
    let all = targets(&plan.weights_bps, usize::from(plan.quote), course.level, course.score_bps);
    all[..reserve.active().len()].to_vec()
}
