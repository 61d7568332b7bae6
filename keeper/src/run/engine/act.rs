//! From what is known to what is done about it.

use crate::assess::assess;
use crate::chain::blockhash::{landing_life, signing_life};
use crate::chain::fees::Market;
use crate::decide::{Action, Decision, Means, decide};
use crate::intent::{ActionClass, Blockhash, Intent, PlannedTx};
use crate::metrics::ResultLabel;
use crate::plan::Planner;
use crate::run::courier::Courier;
use crate::run::engine::Engine;
use crate::watch::decode::TokenBalance;
use crate::watch::feeds;
use anchor_lang::prelude::Pubkey;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

impl<C: Courier> Engine<C> {
    /// Assesses and decides, where something changed or something waits.
    pub(super) fn settle(&mut self, since: Instant) {
        self.watch();
        let waits = self.history.is_waiting(self.clock.tip_slot());
        if !(std::mem::take(&mut self.is_dirty) || waits) {
            return;
        }
        let Some(now) = self.clock.now() else { return };
        self.assessment = assess(&self.store, &self.index, &self.found, now);
        self.has_news = true;
        self.metrics.evaluations.inc_by(self.assessment.candidates.len() as u64);
        let means = self.means();
        let decisions = decide(&self.assessment, &self.store, &self.policy, &means, &mut self.history);
        self.act(decisions);
        self.metrics.decide_seconds.observe(since.elapsed().as_secs_f64());
        self.tell_rules(now);
        self.arm();
    }

    /// Tells whether some source is complete.
    pub(in crate::run) fn is_gapless(&self) -> bool {
        // three missed rounds of requests, and the time that one may take
        let max_age = Duration::from_millis(self.config.ingest.poll_ms).saturating_mul(3) + Duration::from_secs(2);
        self.sources.is_gapless(Instant::now(), max_age)
    }

    fn means(&self) -> Means {
        let balance = |(mint, wallet): (Pubkey, feeds::Wallet)| {
            let account = self.store.raw(&wallet.token).filter(|a| a.owner == wallet.token_program)?;
            TokenBalance::decode(&account.data, &mint, &self.signer).map(|held| (mint, held.amount))
        };
        let wallets = feeds::wallets(&self.store, &self.signer);
        Means {
            is_gapless: self.is_gapless(),
            is_funded: self.balance() >= self.config.budget.min_payer_lamports,
            tokens: wallets.into_iter().filter_map(balance).collect(),
        }
    }

    /// Hands ready trips over first, then has the rest signed and sent.
    pub(super) fn act(&mut self, decisions: Vec<Decision>) {
        let slot = self.clock.tip_slot();
        let mut plans = Vec::new();
        let market = self.shared.market.borrow().clone();
        for decision in decisions {
            let is_trip = decision.intent.class == ActionClass::Trip;
            let is_handed_over = is_trip && self.armory.fire(&decision.intent, |armed| self.may_land(armed));
            if !is_handed_over {
                match self.planner(&market).plan(&decision, &self.history) {
                    Ok(plan) if self.has_blockhash() => plans.push(plan),
                    Ok(_) => continue,
                    Err(error) => {
                        tracing::warn!(class = decision.intent.class.as_str(), "a decision can't be planned: {error}");
                        self.history.not_sent(&decision.intent, slot);
                        continue;
                    }
                }
            }
            self.metrics.intents.get_or_create(&ResultLabel { class: decision.intent.class, result: "planned" }).inc();
            self.history.started(&decision.intent, self.spends(&decision), slot);
        }
        self.deliver(plans);
    }

    /// Tells whether there is a blockhash that is worth signing with.
    pub(in crate::run) fn has_blockhash(&self) -> bool {
        self.blockhash.is_some_and(|(_, at)| at.elapsed() <= signing_life(self.clock.slot_duration()))
    }

    /// Tells whether bytes with `armed` have the time to land: a while may have passed since they were prepared, in which
    /// no fresh blockhash could be had.
    fn may_land(&self, armed: &Blockhash) -> bool {
        self.blockhash.is_some_and(|(newest, at)| {
            let behind = newest.last_valid_block_height.saturating_sub(armed.last_valid_block_height);
            let behind = u32::try_from(behind).unwrap_or(u32::MAX);
            at.elapsed().saturating_add(self.clock.span(behind)) <= landing_life(self.clock.slot_duration())
        })
    }

    fn planner<'a>(&'a self, market: &'a Market) -> Planner<'a> {
        let prices = &self.config.tx.compute_price;
        Planner { store: &self.store, found: &self.found, signer: self.signer, prices, market }
    }

    fn spends(&self, decision: &Decision) -> Option<(Pubkey, u64)> {
        match &decision.action {
            Action::Position { candidate, max_repay_amount, .. } => {
                self.store.vault(&candidate.vault).map(|vault| (vault.loan_mint, *max_repay_amount))
            }
            Action::Rule(_)
            | Action::TripGroup { .. }
            | Action::StepDownGroup { .. }
            | Action::Asset(_)
            | Action::Vault(_) => None,
        }
    }

    /// Signs and journals all plans in one write, and sends them, in a task of its own.
    fn deliver(&self, plans: Vec<PlannedTx>) {
        let Some((blockhash, _)) = self.blockhash.filter(|_| !plans.is_empty()) else { return };
        let (courier, refused) = (self.courier.clone(), self.refused.clone());
        tokio::spawn(async move {
            let intents: Vec<Intent> = plans.iter().map(|plan| plan.intent.clone()).collect();
            for (intent, prepared) in intents.into_iter().zip(courier.prepare_all(plans, blockhash).await) {
                match prepared {
                    Ok(prepared) => courier.send(&prepared).await,
                    // the engine is gone only when the keeper stops
                    Err(error) => drop(refused.send((intent, error))),
                }
            }
        });
    }

    /// Has the trip of every rule that could trip prepared, once for each blockhash and each state of the fences.
    pub(super) fn arm(&mut self) {
        let Some((blockhash, _)) = self.blockhash.filter(|_| self.policy.classes.trip) else { return };
        let reports =
            self.assessment.rules.iter().filter(|(_, report)| report.is_enabled && report.is_alone && report.has_room);
        let rules = reports.filter_map(|(key, _)| self.store.rule(key).map(|rule| (*key, rule)));
        let fences: BTreeMap<Pubkey, u64> = rules.clone().map(|(key, rule)| (key, rule.trip_epoch)).collect();
        let order = Some((fences, blockhash));
        if self.armed_for == order {
            return;
        }
        let market = self.shared.market.borrow().clone();
        let planner = self.planner(&market);
        let plans = rules.filter_map(|(key, rule)| planner.plan_trip(key, rule, &self.history).ok()).collect();
        self.armory.order(plans, blockhash);
        self.armed_for = order;
    }
}
