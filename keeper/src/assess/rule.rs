//! Rules, measured and judged as `trip`, `observe_rule` and `step_down` will do it.

use crate::assess::{AssetReport, VaultReport};
use crate::chain::clock::ChainTime;
use crate::watch::store::Store;
use anchor_lang::prelude::Pubkey;
use rampart::error::RampartError;
use rampart::risk::measures::{self, Measured};
use rampart::risk::verdict::Verdict;
use rampart::state::{Breaker, Cause, Level, Metric, Rule, Scope, Switch};
use std::collections::BTreeMap;

/// How a rule stands.
#[derive(Clone, Copy, Debug)]
pub struct RuleReport {
    /// What was measured; or what the program would refuse the call for.
    pub measured: Result<Measured, RampartError>,
    /// Whether it is switched on.
    pub is_enabled: bool,
    /// The cause that it holds in force, a halt's tail included.
    pub cause: Option<Cause>,
    /// Whether its breaker would take a trip now: not in force already, and room for the cause.
    pub has_room: bool,
    /// Whether it has been true for long enough, this observation included.
    pub is_persistent: bool,
}

impl RuleReport {
    /// Returns the verdict, where something was measured.
    pub fn verdict(&self) -> Option<Verdict> {
        self.measured.ok().map(|m| m.verdict)
    }

    /// Tells whether the rule is true.
    pub fn is_true(&self) -> bool {
        matches!(self.verdict(), Some(Verdict::True { .. }))
    }

    /// Tells whether the rule is clear.
    pub fn is_clear(&self) -> bool {
        matches!(self.verdict(), Some(Verdict::Clear { .. }))
    }
}

/// Judges `rule` as of `now`.
pub fn report(
    key: &Pubkey,
    rule: &Rule,
    store: &Store,
    assets: &BTreeMap<Pubkey, AssetReport>,
    vaults: &BTreeMap<Pubkey, VaultReport>,
    now: ChainTime,
) -> RuleReport {
    let measured = measure(rule, store, assets, vaults, now.unix_ts);
    let breaker = breaker_of(rule, store);
    let persists = |m: &Measured| {
        matches!(m.verdict, Verdict::True { .. }) && rule.is_persistent(m.publish_ts, now.unix_ts, now.slot)
    };
    RuleReport {
        is_persistent: measured.as_ref().is_ok_and(persists),
        measured,
        is_enabled: rule.params.switch == Switch::Enabled as u8,
        cause: breaker.and_then(|b| b.cause_of(key, now.unix_ts).copied()),
        has_room: breaker.is_some_and(|b| has_room(b, key, rule, now.unix_ts)),
    }
}

fn measure(
    rule: &Rule,
    store: &Store,
    assets: &BTreeMap<Pubkey, AssetReport>,
    vaults: &BTreeMap<Pubkey, VaultReport>,
    now_ts: i64,
) -> Result<Measured, RampartError> {
    let metric = Metric::try_from(rule.params.metric)?;
    let missing = RampartError::RuleSubjectMismatch;
    // the store holds neither reports, mints nor the vaults' token accounts yet
    if metric.is_reported() {
        return Err(RampartError::ReportAccountsMismatch);
    }
    if metric == Metric::SupplyGrowth {
        return Err(RampartError::AssetMintMismatch);
    }
    if metric == Metric::VaultShortfall {
        return Err(RampartError::VaultAssetsInvalid);
    }
    if metric.is_about_asset() {
        let asset = store.asset(&rule.subject).ok_or(missing)?;
        let reading = assets.get(&rule.subject).ok_or(missing)?.reading?;
        return measures::asset(rule, asset, &reading, now_ts);
    }
    let vault = store.vault(&rule.subject).ok_or(missing)?;
    let pair = match metric {
        Metric::CollateralRatio => vaults.get(&rule.subject).ok_or(missing)?.pair,
        _ => Err(RampartError::PriceIndeterminate),
    };
    match pair {
        // the program takes only these two for an unknown price; the others refuse the call
        Err(error) if error != RampartError::PriceIndeterminate && error != RampartError::PriceDisagreement => {
            Err(error)
        }
        // unaccrued, as the program measures it
        pair => measures::vault(&rule.params, vault, pair, now_ts),
    }
}

/// Returns the breaker that `rule` governs.
pub fn breaker_of<'a>(rule: &Rule, store: &'a Store) -> Option<&'a Breaker> {
    if rule.params.scope == Scope::Guard as u8 {
        return store.guard().map(|g| &g.breaker);
    }
    let is_about_asset = rule.params.metric().is_ok_and(|m| m.is_about_asset());
    if is_about_asset {
        store.asset(&rule.subject).map(|a| &a.breaker)
    } else {
        store.vault(&rule.subject).map(|v| &v.breaker)
    }
}

/// Tries the trip on a copy of the breaker.
fn has_room(breaker: &Breaker, key: &Pubkey, rule: &Rule, now_ts: i64) -> bool {
    let cause = Cause::of_rule(*key, &rule.params, now_ts);
    let mut copy = *breaker;
    cause.level_at(now_ts) > Level::Normal && copy.trip(cause, now_ts).is_ok()
}
