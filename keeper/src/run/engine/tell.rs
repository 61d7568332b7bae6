//! What changed, told as facts.

use crate::chain::clock::ChainTime;
use crate::events::{EventKind, Fact};
use crate::run::courier::Courier;
use crate::run::engine::Engine;
use crate::run::facts;
use crate::run::sources::Turn;
use anchor_lang::prelude::Pubkey;

impl<C: Courier> Engine<C> {
    pub(super) fn tell_source(&self, turn: Turn, reason: &str) {
        let slot = self.clock.tip_slot();
        let fact = match turn {
            Turn::Same => return,
            Turn::Complete => Fact::new(EventKind::SourceUp, slot, "the subscriptions are up and their gap is closed"),
            Turn::Lost => Fact::new(EventKind::SourceDown, slot, format!("the subscriptions are down: {reason}")),
        };
        self.events.emit(fact.with("source", "websocket"));
    }

    pub(super) fn tell_change(
        &self,
        key: &Pubkey,
        position: Option<&rampart::state::Position>,
        rule: Option<&rampart::state::Rule>,
    ) {
        let slot = self.store.slot_of(key).unwrap_or_default();
        if let (Some(before), Some(after)) = (position, self.store.position(key)) {
            let name = self.builder.vault_name(&self.store, &after.vault);
            let fact = facts::reduced(key, &name, before, after, slot);
            fact.into_iter().for_each(|fact| drop(self.events.emit(fact)));
        }
        if let (Some(before), Some(after)) = (rule, self.store.rule(key)) {
            let name = self.rule_name(key);
            let fact = facts::tripped(key, &name, before, after, slot);
            fact.into_iter().for_each(|fact| drop(self.events.emit(fact)));
        }
    }

    pub(super) fn tell_rules(&mut self, now: ChainTime) {
        let keys: Vec<Pubkey> = self.assessment.rules.keys().copied().collect();
        for key in keys {
            let report = self.assessment.rules[&key];
            let was_true = self.true_rules.contains(&key);
            let name = self.rule_name(&key);
            if let Some(fact) = facts::rule_turned(&key, &name, &report, was_true, now.slot) {
                self.events.emit(fact);
                if report.is_true() {
                    self.true_rules.insert(key)
                } else {
                    self.true_rules.remove(&key)
                };
            }
            let before = match report.cause {
                Some(cause) => self.causes.insert(key, cause),
                None => self.causes.remove(&key),
            };
            let fact =
                before.and_then(|b| facts::stepped_down(&key, &name, &b, report.cause.as_ref(), now.unix_ts, now.slot));
            fact.into_iter().for_each(|fact| drop(self.events.emit(fact)));
        }
    }

    fn rule_name(&self, key: &Pubkey) -> String {
        self.store
            .rule(key)
            .map_or_else(String::new, |rule| crate::view::rule_name(&self.builder, &self.store, key, rule))
    }
}
