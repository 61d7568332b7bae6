//! Rules to trip, to observe and to step down; assets to observe; halts to mark.

use crate::assess::{Assessment, AssetReport, RuleReport, VaultReport};
use crate::chain::clock::ChainTime;
use crate::decide::{Action, Decision};
use crate::intent::ActionClass;
use crate::watch::store::Store;
use anchor_lang::prelude::Pubkey;
use rampart::math::{Bps, Price};
use rampart::oracle::PriceBand;
use rampart::risk::measures::Measured;
use rampart::state::{Asset, Level, Rule};

/// Gap to the last counted price at which an observation is not left to its turn.
const MOVED: Bps = Bps(25);
/// The least time between two observations of an asset, seconds.
const MIN_OBSERVE_SECS: i64 = 2;

/// Returns what is to be done about each rule.
pub fn rules(assessment: &Assessment, store: &Store) -> Vec<Decision> {
    let decide = |(key, report): (&Pubkey, &RuleReport)| {
        let rule = store.rule(key).filter(|_| report.is_enabled)?;
        let measured = report.measured.ok()?;
        trip(key, rule, report, &measured)
            .or_else(|| observe_rule(key, rule, report, &measured, assessment.now))
            .or_else(|| step_down(key, rule, report, assessment.now))
    };
    assessment.rules.iter().filter_map(decide).collect()
}

fn trip(key: &Pubkey, rule: &Rule, report: &RuleReport, measured: &Measured) -> Option<Decision> {
    if !(report.is_alone && report.is_true() && report.has_room && report.is_persistent) {
        return None;
    }
    let value = measured.verdict.value().unwrap_or_default();
    let reason = format!("measured {value} at a threshold of {}", rule.params.threshold);
    Some(Decision::new(ActionClass::Trip, *key, rule.trip_epoch, reason, Action::Rule(*key)))
}

/// A true rule that has not held for long enough needs its streak built; a clear one, a left-over streak ended.
fn observe_rule(
    key: &Pubkey,
    rule: &Rule,
    report: &RuleReport,
    measured: &Measured,
    now: ChainTime,
) -> Option<Decision> {
    let streak = &rule.streak;
    let is_needed = (report.is_alone && report.has_room) || report.serves_group;
    let (is_due, reason) = if report.is_true() && is_needed {
        let count = format!("true observation {} of {}", streak.count.saturating_add(1), rule.params.min_observations);
        (counts(rule, measured, now) && now.unix_ts >= next_observation_ts(rule), count)
    } else if report.is_clear() && report.cause.is_none() {
        (streak.count > 0 && now.slot > streak.last_slot, "clear again: ends the streak".to_owned())
    } else {
        return None;
    };
    // a streak that starts moves nothing that could be named twice, so its print stands for it
    let fence = if streak.count > 0 { streak.last_slot } else { u64::try_from(measured.publish_ts).unwrap_or(0) };
    let decision = Decision::new(ActionClass::ObserveRule, *key, fence, reason, Action::Rule(*key));
    is_due.then_some(Decision { awaited: streak.last_slot, ..decision })
}

/// Whether the program would count a true observation.
fn counts(rule: &Rule, measured: &Measured, now: ChainTime) -> bool {
    let mut copy = *rule;
    copy.observe(measured.verdict, measured.publish_ts, now.unix_ts, now.slot).is_ok()
}

/// Often enough for every observation that is asked for and never as late as the largest gap; at once for the first.
fn next_observation_ts(rule: &Rule) -> i64 {
    let streak = &rule.streak;
    if streak.count == 0 {
        return i64::MIN;
    }
    let params = &rule.params;
    let step_secs = (params.min_persist_secs / u32::from(params.min_observations.max(1))).min(params.max_gap_secs / 2);
    streak.last_ts.saturating_add(step_secs.into())
}

fn step_down(key: &Pubkey, rule: &Rule, report: &RuleReport, now: ChainTime) -> Option<Decision> {
    let cause = report.cause.filter(|cause| report.is_clear() && now.unix_ts >= cause.dwell_until_ts)?;
    let level = cause.level_at(now.unix_ts);
    if level == Level::Normal {
        return None;
    }
    let reason = format!("clear at level {}, dwell time over", level as u8);
    Some(Decision::new(ActionClass::StepDown, *key, rule.trip_epoch, reason, Action::Rule(*key)))
}

/// Returns which vaults' halts are to be marked: before the windows forget the price when they began.
pub fn halts(assessment: &Assessment) -> Vec<Decision> {
    let decide = |(key, report): (&Pubkey, &VaultReport)| {
        let halt = report.markable?;
        let fence = u64::try_from(halt.started_at_ts).unwrap_or(0);
        let reason = "marks the price when the halt began".to_owned();
        Some(Decision::new(ActionClass::MarkHalt, *key, fence, reason, Action::Vault(*key)))
    };
    assessment.vaults.iter().filter_map(decide).collect()
}

/// Returns which assets are to be observed.
pub fn assets(assessment: &Assessment, store: &Store) -> Vec<Decision> {
    let decide = |(key, report): (&Pubkey, &AssetReport)| {
        let asset = store.asset(key)?;
        let band = report.band.ok()?;
        let why = observation_due(asset, &band, assessment.now)?;
        Some(Decision::new(ActionClass::Observe, *key, asset.reference.last_slot, why.to_owned(), Action::Asset(*key)))
    };
    assessment.assets.iter().filter_map(decide).collect()
}

fn observation_due(asset: &Asset, band: &PriceBand, now: ChainTime) -> Option<&'static str> {
    let reference = &asset.reference;
    let newer = |(at, ts): (usize, &Option<i64>)| ts.is_none_or(|ts| ts > reference.last_publish_ts[at]);
    let is_newer = now.slot > reference.last_slot && band.publish_ts.iter().enumerate().all(newer);
    let age_secs = now.unix_ts.saturating_sub(reference.updated_at_ts);
    if !is_newer || age_secs < MIN_OBSERVE_SECS {
        return None;
    }
    let is_cold = asset.reference_price(now.unix_ts).is_err();
    let has_moved = last_close(asset).is_none_or(|close| Price::deviation(band.mid, close) >= MOVED);
    if is_cold {
        Some("the reference is cold")
    } else if has_moved {
        Some("the price moved")
    } else {
        (age_secs >= period_secs(asset)).then_some("the last observation is old")
    }
}

/// Twice in each cell of the window, and well within the age at which the reference is lost.
fn period_secs(asset: &Asset) -> i64 {
    let params = &asset.reference_params;
    i64::from((asset.window.cell_secs / 2).min(params.max_age_secs / 4)).max(MIN_OBSERVE_SECS)
}

fn last_close(asset: &Asset) -> Option<Price> {
    let newest = asset.window.cells.iter().filter(|cell| cell.samples > 0).max_by_key(|cell| cell.index)?;
    Price::from_q64(newest.close_q64.get()).ok()
}
