//! Fills the view from the store and the assessment.

use crate::assess::Assessment;
use crate::view::amounts::{level_name, short};
use crate::view::{
    CauseView, ChainView, GuardView, KeeperView, SCHEMA, View, build_asset, build_rule, build_vault, reserve,
};
use crate::watch::index::sweep::Tally;
use crate::watch::store::Store;
use anchor_lang::prelude::Pubkey;
use rampart::state::{Breaker, Level};
use std::collections::{BTreeMap, HashMap};

/// Builds views.
#[derive(Clone, Debug)]
pub struct Builder {
    labels: BTreeMap<Pubkey, String>,
}

/// What a view is built from.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// Accounts.
    pub store: &'a Store,
    /// What they mean.
    pub assessment: &'a Assessment,
    /// Counts of the last round of the sweep, by vault.
    pub tallies: &'a HashMap<Pubkey, Tally>,
}

impl Builder {
    /// A builder that names accounts as `labels` says.
    pub fn new(labels: BTreeMap<Pubkey, String>) -> Self {
        Self { labels }
    }

    /// Builds the view; `keeper` is what the keeper says of itself.
    pub fn build(&self, inputs: Inputs, keeper: KeeperView) -> View {
        let now = inputs.assessment.now;
        View {
            schema: SCHEMA,
            keeper,
            peers: Vec::new(),
            chain: ChainView { slot: now.slot, unix_ts: now.unix_ts },
            guard: self.guard(inputs),
            assets: inputs.store.assets().map(|(k, a)| build_asset::build(self, inputs, k, a)).collect(),
            vaults: inputs.store.vaults().map(|(k, v)| build_vault::build(self, inputs, k, v)).collect(),
            rules: inputs.store.rules().map(|(k, r)| build_rule::build(self, inputs, k, r)).collect(),
            reserve: reserve::build(inputs),
        }
    }

    fn guard(&self, inputs: Inputs) -> GuardView {
        let now_ts = inputs.assessment.now.unix_ts;
        // without the account nothing is known of its level: unknown is never normal
        let level = inputs.store.guard().map_or(Level::Halt, |g| g.breaker.level_at(now_ts));
        GuardView {
            address: inputs.store.guard_key().to_string(),
            level: level as u8,
            level_name: level_name(level).to_owned(),
            causes: inputs.store.guard().map_or_else(Vec::new, |g| self.causes(inputs, &g.breaker)),
        }
    }

    /// Returns the causes of a breaker that are in force.
    pub(super) fn causes(&self, inputs: Inputs, breaker: &Breaker) -> Vec<CauseView> {
        let now_ts = inputs.assessment.now.unix_ts;
        let in_force =
            breaker.causes.iter().map(|c| (c, c.level_at(now_ts))).filter(|(_, level)| *level > Level::Normal);
        let view = in_force.map(|(cause, level)| CauseView {
            rule: cause.source.to_string(),
            rule_name: self.source_name(inputs.store, &cause.source),
            is_new_risk_only: cause.levels_at(now_ts).exit == Level::Normal,
            level: level as u8,
            level_name: level_name(level).to_owned(),
            tripped_at_ts: cause.tripped_at_ts,
            expires_at_ts: cause.expires_at_ts,
            dwell_until_ts: cause.dwell_until_ts,
        });
        view.collect()
    }

    /// Returns the name of what holds a cause in force: a rule, a group of rules, or whoever paused.
    pub(crate) fn source_name(&self, store: &Store, key: &Pubkey) -> String {
        let rule = |key: &Pubkey| store.rule(key).map(|rule| build_rule::name(self, store, key, rule));
        let group = || {
            let names: Option<Vec<String>> = store.group(key)?.active().iter().map(rule).collect();
            names.map(|names| names.join(" and "))
        };
        rule(key).or_else(|| self.label(key)).or_else(group).unwrap_or_else(|| short(key))
    }

    /// Returns the configured name of an account.
    pub(super) fn label(&self, key: &Pubkey) -> Option<String> {
        self.labels.get(key).cloned()
    }

    /// Returns the name of an asset: its own, or that of its mint.
    pub(super) fn symbol(&self, store: &Store, asset: &Pubkey) -> String {
        let of_mint = || store.asset(asset).and_then(|a| self.label(&a.mint));
        self.label(asset).or_else(of_mint).unwrap_or_else(|| short(asset))
    }

    /// Returns the name of a vault: its own, or both symbols.
    pub(crate) fn vault_name(&self, store: &Store, vault: &Pubkey) -> String {
        let pair = || {
            let v = store.vault(vault)?;
            Some(format!("{}/{}", self.symbol(store, &v.collateral_asset), self.symbol(store, &v.loan_asset)))
        };
        self.label(vault).or_else(pair).unwrap_or_else(|| short(vault))
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
