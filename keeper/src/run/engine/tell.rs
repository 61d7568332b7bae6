//! What changed, told as facts.

use crate::assess::RuleReport;
use crate::chain::clock::ChainTime;
use crate::events::{EventKind, Fact};
use crate::metrics::DeclinedLabel;
use crate::run::blind::is_blind;
use crate::run::courier::Courier;
use crate::run::engine::Engine;
use crate::run::facts;
use crate::run::sources::Turn;
use crate::view::verdict_of;
use anchor_lang::prelude::Pubkey;
use rampart::state::{Cause, Metric};

impl<C: Courier> Engine<C> {
    pub(super) fn tell_source(&self, source: usize, turn: Turn, reason: &str) {
        let (slot, name) = (self.clock.tip_slot(), self.socket_name(source));
        let fact = match turn {
            Turn::Same => return,
            Turn::Complete => Fact::new(EventKind::SourceUp, slot, "the subscriptions are up and their gap is closed"),
            Turn::Lost => Fact::new(EventKind::SourceDown, slot, format!("the subscriptions are down: {reason}")),
        };
        self.events.emit(fact.with("source", name));
    }

    /// Counts the liquidations that are declined from now on.
    pub(super) fn tell_declined(&mut self) {
        for (intent, why) in self.history.take_declined() {
            let (class, reason) = (intent.class, why.as_str());
            self.metrics.declined.get_or_create(&DeclinedLabel { class, reason }).inc();
            tracing::info!(class = class.as_str(), target = %intent.target, reason, "a liquidation is declined: {why}");
        }
    }

    /// Returns the name of a source of subscriptions.
    pub(super) fn socket_name(&self, source: usize) -> String {
        self.sources.sockets.get(source).map_or_else(String::new, |socket| socket.name.clone())
    }

    pub(super) fn tell_change(
        &self,
        key: &Pubkey,
        position: Option<&rampart::state::Position>,
        rule: Option<&rampart::state::Rule>,
        group: Option<&rampart::state::RuleGroup>,
    ) {
        let slot = self.store.slot_of(key).unwrap_or_default();
        if let (Some(before), Some(after)) = (position, self.store.position(key)) {
            let name = self.builder.vault_name(&self.store, &after.vault);
            let fact = facts::reduced(key, &name, before, after, slot);
            fact.into_iter().for_each(|fact| drop(self.events.emit(fact)));
        }
        if let (Some(before), Some(after)) = (group, self.store.group(key)) {
            let name = self.source_name(key);
            let fact = facts::group_tripped(key, &name, before, after, slot);
            fact.into_iter().for_each(|fact| drop(self.events.emit(fact)));
        }
        if let (Some(before), Some(after)) = (rule, self.store.rule(key)) {
            let name = self.source_name(key);
            let fact = facts::tripped(key, &name, before, after, slot);
            fact.into_iter().for_each(|fact| drop(self.events.emit(fact)));
        }
    }

    /// Returns the counters of what people change, where `key` is the guard or its set of keepers.
    pub(super) fn admin_seqs(&self, key: &Pubkey) -> Option<facts::AdminSeqs> {
        let set = self.store.keeper_set().filter(|(set, _)| *set == key).map(|(_, set)| set);
        let guard = self.store.guard().filter(|_| *key == self.config.cluster.guard);
        guard.map(facts::AdminSeqs::of_guard).or(set.map(facts::AdminSeqs::of_set))
    }

    /// Tells what people changed since `before`.
    pub(super) fn tell_admin(&self, key: &Pubkey, before: Option<facts::AdminSeqs>) {
        let slot = self.store.slot_of(key).unwrap_or_default();
        if let (Some(before), Some(after)) = (before, self.admin_seqs(key)) {
            facts::admin(key, &before, &after, slot).into_iter().for_each(|fact| drop(self.events.emit(fact)));
        }
    }

    /// Records what a keeper reported.
    pub(super) fn tell_report(&self, key: &Pubkey) {
        let slot = self.store.slot_of(key).unwrap_or_default();
        if let Some((_, report)) = self.store.reports().find(|(address, _)| *address == key) {
            self.events.record(|to| to.report(key, report, slot));
        }
    }

    pub(super) fn tell_rules(&mut self, now: ChainTime) {
        let keys: Vec<Pubkey> = self.assessment.rules.keys().copied().collect();
        for key in keys {
            let report = self.assessment.rules[&key];
            let was_true = self.true_rules.contains(&key);
            let name = self.source_name(&key);
            let metric = self.store.rule(&key).and_then(|rule| Metric::try_from(rule.params.metric).ok());
            if let Some(fact) = facts::rule_turned(&key, &name, metric, &report, was_true, now.slot) {
                self.events.emit(self.scoped(&key, fact));
                if report.is_true() {
                    self.true_rules.insert(key)
                } else {
                    self.true_rules.remove(&key)
                };
            }
            self.tell_blind(key, &report, now);
            self.tell_cause(key, report.cause, now);
        }
        self.blind.retain(|key| self.assessment.rules.contains_key(key));
        self.metrics.rules_blind.set(i64::try_from(self.blind.len()).unwrap_or(i64::MAX));
        let causes: Vec<_> = self.assessment.groups.iter().map(|(key, report)| (*key, report.cause)).collect();
        causes.into_iter().for_each(|(key, cause)| self.tell_cause(key, cause, now));
    }

    /// Tells of a rule that could not be judged for a while, or can be again.
    fn tell_blind(&mut self, key: Pubkey, report: &RuleReport, now: ChainTime) {
        if let Some(turn) = self.blind.note(key, is_blind(report), now.unix_ts) {
            let (name, reason) = (self.source_name(&key), verdict_of(Some(report)).1.unwrap_or_default());
            self.events.emit(self.scoped(&key, facts::blind(&key, &name, turn, &reason, now.slot)));
        }
    }

    /// Tells of a cause that was stepped down since the last call.
    fn tell_cause(&mut self, key: Pubkey, cause: Option<Cause>, now: ChainTime) {
        let before = match cause {
            Some(cause) => self.causes.insert(key, cause),
            None => self.causes.remove(&key),
        };
        let name = self.source_name(&key);
        let fact = before.and_then(|b| facts::stepped_down(&key, &name, &b, cause.as_ref(), now.unix_ts, now.slot));
        fact.into_iter().for_each(|fact| drop(self.events.emit(self.scoped(&key, fact))));
    }

    /// Adds the account whose level a rule or group raises.
    fn scoped(&self, key: &Pubkey, fact: Fact) -> Fact {
        let of_rule = self.store.rule(key).map(rampart_client::evidence::scope_of);
        match of_rule.or(self.store.group(key).map(|group| group.scope)) {
            Some(scope) => fact.with("scope", scope.to_string()),
            None => fact,
        }
    }

    fn source_name(&self, key: &Pubkey) -> String {
        self.builder.source_name(&self.store, key)
    }
}
