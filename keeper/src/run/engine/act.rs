//! From what is known to what is done about it.

use crate::assess::assess;
use crate::capture::Frame;
use crate::chain::blockhash::{landing_life, signing_life};
use crate::chain::fees::Market;
use crate::config::Mode;
use crate::decide::liquidations::spends;
use crate::decide::{Action, Decision, Means, decide, trips};
use crate::fleet::Pass;
use crate::intent::{ActionClass, Blockhash, Intent, PlannedTx};
use crate::metrics::{HorizonLabel, LevelLabel, OnlyResultLabel, ResultLabel, set_known};
use crate::plan::{Planner, tables};
use crate::post::{Scene, ends_what_began};
use crate::run::armory::Fences;
use crate::run::courier::{Courier, Departure};
use crate::run::engine::{Engine, Unsent};
use crate::score::Seen;
use crate::submit::{Rehearsal, is_rehearsed};
use crate::watch::decode::TokenBalance;
use crate::watch::feeds;
use anchor_lang::prelude::Pubkey;
use solana_sdk::message::AddressLookupTableAccount;
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
        let pass = self.fleet.pass();
        self.policy.fleet_delay_slots = pass.delay_slots();
        self.policy.economics.market = self.shared.market.borrow().clone();
        self.ops.record(|| Frame::settle(now, &means, &self.policy));
        let trips = trips(&self.assessment, &self.store, &self.policy, &means, &mut self.history);
        // before anything is weighed
        if !trips.is_empty() {
            self.act(trips.clone(), pass.clone());
        }
        let mut rest = decide(&self.assessment, &self.store, &self.policy, &means, &mut self.history);
        rest.retain(|decision| decision.intent.class != ActionClass::Trip);
        self.ops.record(|| Frame::decided(&[trips, rest.clone()].concat()));
        self.tell_declined();
        self.act(rest, pass.clone());
        self.metrics.decide_seconds.observe(since.elapsed().as_secs_f64());
        self.tell_rules(now);
        self.tell_standing();
        self.arm();
        // behind everything that is urgent: what is said of the risk now is reported at the next decision
        self.score();
        self.post(&means, pass);
    }

    /// Takes the next step of every posting, and begins those that are needed.
    ///
    /// Decided apart from everything else, and not recorded for replay: signed updates are heard, not read from the
    /// chain, and nothing else hangs on what is decided here.
    fn post(&mut self, means: &Means, pass: Pass) {
        if self.desk.is_idle() || !self.policy.classes.post {
            return;
        }
        let (slot, now) = (self.clock.tip_slot(), self.assessment.now);
        let scene = Scene {
            store: &self.store,
            found: &self.found,
            board: &self.shared.early,
            now,
            payer: self.signer,
            history: &self.history,
            may_begin: means.is_gapless && means.is_funded,
        };
        let mut wanted = self.desk.wanted(scene, &self.metrics);
        self.history.note_wanted(wanted.iter().map(|decision| (&decision.intent, decision.awaited)), slot);
        let delay = self.policy.delay_slots(ActionClass::Post);
        wanted.retain(|Decision { intent, .. }| {
            let delay = if ends_what_began(intent) { 0 } else { delay };
            self.history.is_due(intent, slot, self.store.slot_of(&intent.target), delay)
        });
        self.desk.fit(&mut wanted);
        if wanted.is_empty() {
            return;
        }
        self.act(wanted.clone(), pass);
        // a dry run learns of no outcome: it would wait for the first one forever
        if self.config.keeper.mode == Mode::Act {
            self.desk.started(wanted, &self.history, now);
        }
    }

    fn score(&mut self) {
        // what has not arrived yet isn't missing: a band that was entered for it would be left only after hours
        if !(self.scorer.has_looked() || self.is_gapless()) {
            return;
        }
        let seen = Seen {
            store: &self.store,
            assessment: &self.assessment,
            index: &self.index,
            early: &self.shared.early,
            signer: &self.signer,
            tip_slot: self.clock.tip_slot(),
        };
        self.scorer.see(seen);
        if let Some((score_bps, band)) = self.scorer.highest() {
            self.metrics.score.set(i64::from(score_bps));
            self.metrics.score_band.set(band as i64);
        }
        self.measure_falls();
        let decided = self.scorer.take_decided();
        for (result, count) in [("same", decided.same), ("other", decided.other)] {
            self.metrics.shadow_decisions.get_or_create(&OnlyResultLabel { result }).inc_by(count);
        }
    }

    fn measure_falls(&self) {
        let falls = ["6h", "24h"].into_iter().zip(self.scorer.highest_of(|said| said.falls));
        for (horizon, probability) in falls {
            set_known(&self.metrics.fall_probability, &HorizonLabel { horizon }, probability);
        }
        let at_risk = ["99", "99.9"].into_iter().zip(self.scorer.highest_of(|said| said.value_at_risk));
        for (level, share) in at_risk {
            set_known(&self.metrics.value_at_risk, &LevelLabel { level }, share);
        }
    }

    /// Tells whether some source is complete.
    pub(in crate::run) fn is_gapless(&self) -> bool {
        // three missed rounds of requests, and the time that one may take
        let max_age = Duration::from_millis(self.config.ingest.poll_ms).saturating_mul(3) + Duration::from_secs(2);
        self.sources.is_gapless(Instant::now(), max_age)
    }

    pub(super) fn means(&self) -> Means {
        let balance = |(mint, wallet): (Pubkey, feeds::Wallet)| {
            let account = self.store.raw(&wallet.token).filter(|a| a.owner == wallet.token_program)?;
            TokenBalance::decode(&account.data, &mint, &self.signer).map(|held| (mint, held.amount))
        };
        let wallets = feeds::wallets(&self.store, &self.signer);
        let is_keeper = self.is_keeper();
        Means {
            is_gapless: self.is_gapless(),
            is_funded: self.balance() >= self.config.budget.min_payer_lamports,
            is_keeper,
            tokens: wallets.into_iter().filter_map(balance).collect(),
            // nobody listens to anyone else
            opinions: if is_keeper { self.scorer.opinions(&self.store, &self.signer) } else { BTreeMap::new() },
            bands: self.scorer.bands(),
        }
    }

    fn is_keeper(&self) -> bool {
        let now_ts = self.assessment.now.unix_ts;
        self.store.keeper_set().is_some_and(|(_, set)| set.member_at(&self.signer, now_ts).is_some())
    }

    /// Hands ready trips over first, then has the rest signed and sent.
    pub(super) fn act(&mut self, decisions: Vec<Decision>, pass: Pass) {
        let departure = Departure { pass, refused: self.refused.clone() };
        let slot = self.clock.tip_slot();
        // read from their accounts when something is planned: a trip that is ready waits for nothing
        let mut tables = None;
        let mut plans = Vec::new();
        let market = self.shared.market.borrow().clone();
        for decision in decisions {
            let is_trip = decision.intent.class == ActionClass::Trip;
            let observed = match &decision.action {
                Action::TripGroup { observe, .. } => &observe[..],
                _ => &[],
            };
            let is_handed_over =
                is_trip && self.armory.fire(&decision.intent, observed, &departure, |armed| self.may_land(armed));
            if !is_handed_over {
                let tables =
                    tables.get_or_insert_with(|| tables::known(&self.store, &self.config.tx.lookup_tables, slot));
                match self.planner(&market, tables).plan(&decision, &self.history) {
                    Ok(plan) if self.has_blockhash() => plans.push(plan),
                    Ok(_) => continue,
                    Err(error) => {
                        tracing::warn!(class = decision.intent.class.as_str(), "a decision can't be planned: {error}");
                        self.not_sent(&decision.intent);
                        continue;
                    }
                }
            }
            self.metrics.intents.get_or_create(&ResultLabel { class: decision.intent.class, result: "planned" }).inc();
            let outcome = (self.config.keeper.mode == Mode::Observe).then_some("observed");
            self.events.record(|to| to.decision(&decision.intent, self.scope(&decision), outcome, slot));
            let spends = spends(&decision, &self.store);
            self.ops.record(|| Frame::started(&decision.intent, spends, slot));
            self.history.started(&decision.intent, spends, slot);
        }
        self.deliver(plans, departure);
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

    pub(super) fn planner<'a>(&'a self, market: &'a Market, tables: &'a [AddressLookupTableAccount]) -> Planner<'a> {
        let prices = &self.config.tx.compute_price;
        Planner { store: &self.store, found: &self.found, signer: self.signer, prices, market, tables }
    }

    /// Returns the guard, asset or vault that a decision is about.
    fn scope(&self, decision: &Decision) -> Option<Pubkey> {
        match &decision.action {
            Action::Rule(rule) => self.store.rule(rule).map(rampart_client::evidence::scope_of),
            Action::TripGroup { group, .. } | Action::StepDownGroup { group, .. } => {
                self.store.group(group).map(|group| group.scope)
            }
            Action::Asset(key) | Action::Vault(key) => Some(*key),
            Action::Position { candidate, .. } => Some(candidate.vault),
            Action::Report { subject, .. } => Some(*subject),
            Action::Settle(_) => Some(decision.intent.target),
            Action::Rebalance(_) => Some(self.store.guard_key()),
            Action::Post(posting) => posting.asset,
        }
    }

    /// Signs and journals all plans in one write, and sends them, in a task of its own; those that a node is asked about
    /// before in another one, so that no other waits for the answer.
    fn deliver(&self, plans: Vec<PlannedTx>, departure: Departure) {
        let Some((blockhash, _)) = self.blockhash else { return };
        let slot = self.clock.reading_slot();
        let (asked, others): (Vec<_>, Vec<_>) = plans.into_iter().partition(|plan| is_rehearsed(plan.intent.class));
        for plans in [others, asked].into_iter().filter(|plans| !plans.is_empty()) {
            let rehearsals = plans.into_iter().map(|plan| self.rehearsal(plan)).collect();
            tokio::spawn(deliver(self.courier.clone(), rehearsals, (blockhash, slot), departure.clone()));
        }
    }

    /// A plan, with the units that it must keep where it ran out of fewer before.
    fn rehearsal(&self, plan: PlannedTx) -> Rehearsal {
        let ran_out = self.history.compute_exceeded(&plan.intent) > 0;
        Rehearsal { least_units: if ran_out { plan.compute_unit_limit } else { 0 }, plan }
    }

    /// Has the trip of every rule and group that could trip prepared, once for each blockhash, each state of the fences,
    /// and each set of a group's rules that would have to be observed with it.
    pub(super) fn arm(&mut self) {
        let Some((blockhash, _)) = self.blockhash.filter(|_| self.policy.classes.trip) else { return };
        let order = Some((self.to_arm(), blockhash));
        if self.armed_for == order {
            return;
        }
        let market = self.shared.market.borrow().clone();
        let tables = tables::known(&self.store, &self.config.tx.lookup_tables, self.clock.tip_slot());
        // the trip of a rule names few accounts and never needs a table; that of a group may
        let planner = self.planner(&market, &tables);
        let plan = |(key, (_, unseen)): (&Pubkey, &(u64, Vec<Pubkey>))| {
            let planned = match (self.store.rule(key), self.store.group(key)) {
                (Some(rule), _) => planner.plan_trip(*key, rule, &self.history),
                (None, Some(group)) => planner.plan_group_trip(*key, group, unseen, &self.history),
                (None, None) => return None,
            };
            planned.ok().map(|planned| (planned, unseen.clone()))
        };
        let plans = order.iter().flat_map(|(trips, _)| trips).filter_map(plan).collect();
        self.armory.order(plans, blockhash);
        self.armed_for = order;
    }

    /// Everything whose trip is prepared: its fence, and the rules that have to be observed with it.
    fn to_arm(&self) -> Fences {
        let reports =
            self.assessment.rules.iter().filter(|(_, report)| report.is_enabled && report.is_alone && report.has_room);
        let rules = reports.filter_map(|(key, _)| Some((*key, (self.store.rule(key)?.trip_epoch, Vec::new()))));
        let reports = self.assessment.groups.iter().filter(|(_, report)| report.has_room);
        let groups = reports
            .filter_map(|(key, report)| Some((*key, (self.store.group(key)?.trip_epoch, report.unseen.clone()?))));
        rules.chain(groups).collect()
    }
}

/// Has plans rehearsed as of `slot`, signed and journaled in one write, and sent; gives back what does not leave.
async fn deliver<C: Courier>(
    courier: C,
    rehearsals: Vec<Rehearsal>,
    (blockhash, slot): (Blockhash, u64),
    departure: Departure,
) {
    let intents: Vec<Intent> = rehearsals.iter().map(|rehearsal| rehearsal.plan.intent.clone()).collect();
    let mut plans = Vec::new();
    for (intent, rehearsed) in intents.into_iter().zip(courier.rehearse(rehearsals, slot).await) {
        match rehearsed {
            Ok(plan) => plans.push(plan),
            Err(error) => departure.give_back(intent, Unsent::Refused(error)),
        }
    }
    let intents: Vec<Intent> = plans.iter().map(|plan| plan.intent.clone()).collect();
    for (intent, prepared) in intents.into_iter().zip(courier.prepare_all(plans, blockhash).await) {
        match prepared {
            Ok(prepared) => departure.send(&courier, &prepared).await,
            Err(error) => departure.give_back(intent, Unsent::Refused(error)),
        }
    }
}
