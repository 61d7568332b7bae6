//! Rules, measured and judged as `trip`, `observe_rule` and `step_down` will do it.

use crate::assess::{AssetReport, VaultReport};
use crate::chain::clock::ChainTime;
use crate::watch::store::Store;
use anchor_lang::prelude::Pubkey;
use rampart::error::RampartError;
use rampart::mint;
use rampart::risk::keepers::Poll;
use rampart::risk::measures::{self, Measured};
use rampart::risk::verdict::Verdict;
use rampart::state::{Asset, Breaker, Cause, Holding, Level, Metric, ReportPart, Rule, Scope, Standing, Switch, Vault};
use rampart_client::keepers;
use std::collections::BTreeMap;

/// How a rule stands.
#[derive(Clone, Copy, Debug)]
pub struct RuleReport {
    /// What was measured; or what the program would refuse the call for.
    pub measured: Result<Measured, RampartError>,
    /// Whether it is switched on.
    pub is_enabled: bool,
    /// Whether it trips by itself, and not only as part of a group.
    pub is_alone: bool,
    /// Whether a group that it is part of could be tripped: then its streak has to be kept, too.
    pub serves_group: bool,
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
        is_alone: rule.params.standing == Standing::Alone as u8,
        serves_group: super::group::has_room_for(key, store, now.unix_ts),
        cause: breaker.and_then(|b| b.cause_of(key, now.unix_ts).copied()),
        has_room: breaker.is_some_and(|b| has_room(b, Cause::of_rule(*key, &rule.params, now.unix_ts), now.unix_ts)),
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
    if metric.is_reported() {
        return reported(rule, store, now_ts);
    }
    if metric.is_about_asset() {
        let asset = store.asset(&rule.subject).ok_or(missing)?;
        if metric == Metric::SupplyGrowth {
            return Ok(measures::supply(&rule.params, asset, supply_of(asset, store)?, now_ts));
        }
        let reading = assets.get(&rule.subject).ok_or(missing)?.reading?;
        return measures::asset(rule, asset, &reading, now_ts);
    }
    if let Some(integration) = store.integration(&rule.subject) {
        return measures::integration(&rule.params, integration, now_ts);
    }
    let vault = store.vault(&rule.subject).ok_or(missing)?;
    if metric == Metric::VaultShortfall {
        let (loan, collateral) = holdings_of(vault, store)?;
        return Ok(measures::shortfall(&rule.params, vault, loan, collateral, now_ts));
    }
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

/// Counts the reports about the rule's subject; who never reported has none.
fn reported(rule: &Rule, store: &Store, now_ts: i64) -> Result<Measured, RampartError> {
    let poll = poll_of(store, &rule.subject, ReportPart::try_from(rule.params.part)?, now_ts)?;
    measures::reported(&rule.params, &poll, now_ts)
}

/// Counts what the keepers report of one part of `subject`'s risk.
///
/// # Errors
/// `ReportAccountsMismatch` without a keeper set.
pub fn poll_of(store: &Store, subject: &Pubkey, part: ReportPart, now_ts: i64) -> Result<Poll, RampartError> {
    let (_, set) = store.keeper_set().ok_or(RampartError::ReportAccountsMismatch)?;
    let about = store.reports().map(|(_, report)| report).filter(|report| report.subject == *subject);
    Ok(keepers::poll(set, about, part, now_ts))
}

fn supply_of(asset: &Asset, store: &Store) -> Result<u64, RampartError> {
    let account = store.raw(&asset.mint).filter(|account| account.owner == asset.token_program);
    mint::decode_supply(&account.ok_or(RampartError::AssetMintMismatch)?.data)
}

/// Returns what the vault's accounts of the loan and of the collateral hold.
///
/// # Errors
/// `VaultAssetsInvalid` while no source has told of them, `UnknownStoredValue` for bytes that are too short.
pub fn holdings_of(vault: &Vault, store: &Store) -> Result<(Holding, Holding), RampartError> {
    let holding = |key| Holding::decode(&store.raw(key).ok_or(RampartError::VaultAssetsInvalid)?.data);
    Ok((holding(&vault.loan_token)?, holding(&vault.collateral_token)?))
}

/// Returns the breaker that `rule` governs.
pub fn breaker_of<'a>(rule: &Rule, store: &'a Store) -> Option<&'a Breaker> {
    let scope = if rule.params.scope == Scope::Guard as u8 { rule.guard } else { rule.subject };
    breaker_at(&scope, store)
}

/// Returns the breaker of the guard, asset, vault or integration at `key`.
pub fn breaker_at<'a>(key: &Pubkey, store: &'a Store) -> Option<&'a Breaker> {
    if *key == store.guard_key() {
        return store.guard().map(|g| &g.breaker);
    }
    let asset = store.asset(key).map(|a| &a.breaker);
    let vault = || store.vault(key).map(|v| &v.breaker);
    asset.or_else(vault).or_else(|| store.integration(key).map(|i| &i.breaker))
}

/// Tries the trip on a copy of the breaker.
pub fn has_room(breaker: &Breaker, cause: Cause, now_ts: i64) -> bool {
    let mut copy = *breaker;
    cause.level_at(now_ts) > Level::Normal && copy.trip(cause, now_ts).is_ok()
}
