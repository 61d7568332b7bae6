//! Limits on new risk that follow the keepers' median: taken off and given back in the steps that the program leaves.

use crate::assess::Assessment;
use crate::assess::rule::poll_of;
use crate::chain::clock::ChainTime;
use crate::decide::settle::Housekeeping;
use crate::decide::{Action, Decision};
use crate::intent::ActionClass;
use crate::watch::store::Store;
use anchor_lang::prelude::Pubkey;
use rampart::constants::MAX_REPORTED_SECS;
use rampart::state::{KeeperCut, ReportPart, ScaleTarget, Vault};

/// The steps leak by the second: less than this is waited for, unless it is all that is asked for, bps.
const LEAST_BPS: u16 = 50;
/// What is taken off is renewed once less than this is left of it, seconds.
const RENEW_SECS: i64 = MAX_REPORTED_SECS as i64 / 2;

/// Returns the limits that are due to move, one of a vault at a time.
pub fn limits(assessment: &Assessment, store: &Store) -> Vec<Decision> {
    let now = assessment.now;
    let first = |(key, vault): (&Pubkey, &Vault)| {
        [ScaleTarget::Ltv, ScaleTarget::BorrowCap].into_iter().find_map(|target| limit(key, vault, target, store, now))
    };
    listening(store).filter_map(first).collect()
}

/// Returns the collaterals whose reports move a limit.
pub fn subjects(store: &Store) -> impl Iterator<Item = Pubkey> {
    listening(store).map(|(_, vault)| vault.collateral_asset)
}

/// Vaults that have a limit which follows reports.
fn listening(store: &Store) -> impl Iterator<Item = (&Pubkey, &Vault)> {
    store.vaults().filter(|(_, vault)| vault.scale.ltv.is_on() || vault.scale.cap.is_on())
}

fn limit(key: &Pubkey, vault: &Vault, target: ScaleTarget, store: &Store, now: ChainTime) -> Option<Decision> {
    let mut vault = *vault;
    let subject = vault.collateral_asset;
    let (scale, cut) = vault.keeper_scale_mut(target);
    let part = ReportPart::try_from(scale.part).ok().filter(|_| scale.is_on())?;
    let poll = poll_of(store, &subject, part, now.unix_ts).ok()?;
    let median_bps = poll.median(part.danger_side(), true).ok()?;
    let (before, wanted_bps) = (*cut, scale.wanted_bps(median_bps).ok()?);
    cut.follow(scale, wanted_bps, poll.heard_ts(), now.unix_ts).ok()?;
    if !is_worth_it(&before, cut, wanted_bps, now.unix_ts) {
        return None;
    }
    let reason = format!(
        "{} bps off instead of {}: the keepers' median of {part:?} is {median_bps} bps",
        cut.cut_bps,
        before.bps_at(now.unix_ts)
    );
    let action = Action::Settle(Housekeeping::Scale { vault: *key, target });
    Some(Decision::new(ActionClass::Settle, *key, fence(&before, target), reason, action))
}

fn is_worth_it(before: &KeeperCut, after: &KeeperCut, wanted_bps: u16, now_ts: i64) -> bool {
    let current = before.bps_at(now_ts);
    let moved = after.cut_bps.abs_diff(current);
    if moved > 0 {
        return moved >= LEAST_BPS || after.cut_bps == wanted_bps;
    }
    before.expires_at_ts.saturating_sub(now_ts) < RENEW_SECS
}

/// What a landed action moves: the cut itself or when it ends, with the target, as both limits are the vault's.
fn fence(cut: &KeeperCut, target: ScaleTarget) -> u64 {
    let ends = u64::try_from(cut.expires_at_ts).unwrap_or(0);
    ends << 16 | u64::from(cut.cut_bps) << 2 | target as u64
}
