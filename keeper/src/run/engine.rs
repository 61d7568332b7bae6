//! The one task that owns the state: updates in, decisions out.
//!
//! Nothing here waits for the network or the disk. Signing, journaling and sending happen in tasks of their own; a trip
//! that is ready is only handed over.

use crate::assess::{Assessment, assess};
use crate::chain::clock::{ChainClock, ChainTime};
use crate::chain::ws::Signal;
use crate::config::{Config, Mode};
use crate::decide::{Action, Decision, History, Means, Policy, decide};
use crate::events::{EventKind, Events, Fact};
use crate::intent::{ActionClass, Blockhash, Intent, Outcome, PlannedTx};
use crate::metrics::{Metrics, ResultLabel, SourceLabel, UpdateLabel};
use crate::plan::Planner;
use crate::run::armory::Armory;
use crate::run::courier::Courier;
use crate::run::facts;
use crate::run::shared::Shared;
use crate::run::sources::{Sources, Turn};
use crate::submit::SubmitError;
use crate::view::Builder;
use crate::watch::decode::TokenBalance;
use crate::watch::feeds::{self, CLOCK};
use crate::watch::index::PriceIndex;
use crate::watch::index::sweep::{self, Tally};
use crate::watch::oracles::Found;
use crate::watch::poll::{Polled, Snapshot};
use crate::watch::store::{Applied, Kind, Store};
use crate::watch::{Origin, Update};
use anchor_lang::prelude::Pubkey;
use rampart::state::Cause;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Positions that one step of the sweep checks.
const SWEEP_STEP: usize = 4_096;
/// How long a dry run remembers what it would have sent, slots.
const OBSERVE_PATIENCE_SLOTS: u64 = 64;
/// The longest life of a blockhash that is still signed with: half of what the shortest slots leave it.
const BLOCKHASH_LIFE: Duration = Duration::from_secs(15);

/// A plan that could not be signed.
pub type Refused = (Intent, SubmitError);

/// State, and all that is derived from it.
pub struct Engine<C> {
    pub(super) config: Arc<Config>,
    pub(super) signer: Pubkey,
    pub(super) courier: C,
    pub(super) armory: Armory<C>,
    pub(super) shared: Shared,
    pub(super) events: Events,
    pub(super) metrics: Metrics,
    pub(super) builder: Builder,
    pub(super) refused: mpsc::UnboundedSender<Refused>,
    pub(super) store: Store,
    pub(super) index: PriceIndex,
    pub(super) found: Found,
    pub(super) clock: ChainClock,
    pub(super) sources: Sources,
    pub(super) history: History,
    pub(super) policy: Policy,
    pub(super) assessment: Assessment,
    pub(super) blockhash: Option<(Blockhash, Instant)>,
    pub(super) tallies: HashMap<Pubkey, Tally>,
    pub(super) mismatches: u64,
    pub(super) started_at_ts: i64,
    round: HashMap<Pubkey, Tally>,
    cursor: Option<Pubkey>,
    true_rules: HashSet<Pubkey>,
    causes: HashMap<Pubkey, Cause>,
    armed_for: Option<(BTreeMap<Pubkey, u64>, Blockhash)>,
    is_dirty: bool,
    needs_watch: bool,
    has_news: bool,
}

/// What an engine starts with.
pub struct Setup<C> {
    /// The settings.
    pub config: Arc<Config>,
    /// The key that pays and signs.
    pub signer: Pubkey,
    /// Who signs and sends.
    pub courier: C,
    /// What it shares with the sources' tasks.
    pub shared: Shared,
    /// Where facts are told.
    pub events: Events,
    /// Where things are counted.
    pub metrics: Metrics,
    /// Where plans that could not be signed are told.
    pub refused: mpsc::UnboundedSender<Refused>,
}

impl<C: Courier> Engine<C> {
    /// An engine that knows nothing yet.
    pub fn new(setup: Setup<C>) -> Self {
        let is_observing = setup.config.keeper.mode == Mode::Observe;
        let history = if is_observing { History::with_patience(OBSERVE_PATIENCE_SLOTS) } else { History::default() };
        let mut engine = Self {
            armory: Armory::new(setup.courier.clone()),
            builder: Builder::new(setup.config.labels()),
            policy: Policy::new(&setup.config),
            store: Store::new(setup.config.cluster.guard),
            signer: setup.signer,
            courier: setup.courier,
            shared: setup.shared,
            events: setup.events,
            metrics: setup.metrics,
            refused: setup.refused,
            config: setup.config,
            index: PriceIndex::default(),
            found: Found::new(),
            clock: ChainClock::default(),
            sources: Sources::new(Instant::now()),
            history,
            assessment: Assessment::default(),
            blockhash: None,
            tallies: HashMap::new(),
            mismatches: 0,
            started_at_ts: i64::try_from(crate::events::unix_ms() / 1_000).unwrap_or(0),
            round: HashMap::new(),
            cursor: None,
            true_rules: HashSet::new(),
            causes: HashMap::new(),
            armed_for: None,
            is_dirty: false,
            needs_watch: true,
            has_news: true,
        };
        engine.watch();
        engine
    }

    /// Tells whether anything was assessed anew since the last call.
    pub fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.has_news)
    }

    /// Takes updates in and decides what follows.
    pub fn updates(&mut self, updates: Vec<Update>) {
        let at = Instant::now();
        for update in updates {
            self.apply(update, at);
        }
        self.settle(at);
    }

    /// Takes a signal of the subscriptions in.
    pub fn signal(&mut self, signal: Signal) {
        match signal {
            Signal::Slot { slot, at } => {
                self.clock.slot_seen(slot, at);
                self.sources.slot(slot, at);
                let micros = u64::try_from(self.clock.slot_duration().as_micros()).unwrap_or(u64::MAX);
                self.shared.slot_micros.store(micros, Ordering::Relaxed);
            }
            Signal::Covered(topics) => {
                self.sources.covered(&topics, Instant::now());
                if self.sources.needs_snapshot() {
                    self.shared.snapshot_wanted.notify_one();
                }
            }
            Signal::Down(reason) => {
                let turn = self.sources.down();
                self.metrics.source_reconnects.get_or_create(&SourceLabel { source: "websocket" }).inc();
                tracing::debug!(reason, "the subscription socket is down");
                self.tell_source(turn, &reason);
                // the requests take over at once
                self.shared.is_alone.store(true, Ordering::Relaxed);
                self.shared.snapshot_wanted.notify_one();
            }
        }
        self.shared.slot.store(self.clock.tip_slot(), Ordering::Relaxed);
    }

    /// Takes an answer of the requests in.
    pub fn polled(&mut self, polled: Polled) {
        match polled {
            Polled::Accounts { slot } => self.sources.polled(slot, Instant::now()),
            Polled::Snapshot(snapshot) => self.snapshot(*snapshot),
            Polled::Failed(error) => {
                self.sources.poll_failed();
                tracing::warn!(error = %crate::error::chain(&error), "a request failed");
            }
        }
    }

    fn snapshot(&mut self, snapshot: Snapshot) {
        let at = Instant::now();
        self.sources.polled(snapshot.slot, at);
        if snapshot.found.iter().any(|(feed, key)| self.found.get(feed) != Some(key)) {
            self.found.extend(snapshot.found);
            self.needs_watch = true;
        }
        for update in snapshot.updates {
            self.apply(update, at);
        }
        for gone in self.store.retain_listed(&snapshot.listed, snapshot.slot) {
            self.index.put(gone, None);
            self.is_dirty = true;
            self.needs_watch = true;
        }
        self.watch();
        let turn = self.sources.snapshot(&snapshot.set, snapshot.asked_at);
        self.tell_source(turn, "");
        self.shared.is_alone.store(!self.sources.socket.is_gapless(), Ordering::Relaxed);
        if self.sources.needs_snapshot() {
            self.shared.snapshot_wanted.notify_one();
        }
        self.is_dirty = true;
        self.settle(at);
    }

    fn tell_source(&self, turn: Turn, reason: &str) {
        let slot = self.clock.tip_slot();
        let fact = match turn {
            Turn::Same => return,
            Turn::Complete => Fact::new(EventKind::SourceUp, slot, "the subscriptions are up and their gap is closed"),
            Turn::Lost => Fact::new(EventKind::SourceDown, slot, format!("the subscriptions are down: {reason}")),
        };
        self.events.emit(fact.with("source", "websocket"));
    }

    /// Takes a fresh blockhash in: every trip is prepared anew with it.
    pub fn blockhash(&mut self, blockhash: Blockhash) {
        self.blockhash = Some((blockhash, Instant::now()));
        self.arm();
    }

    /// Takes in what became of a transaction.
    pub fn outcome(&mut self, intent: &Intent, outcome: &Outcome) {
        self.history.ended(intent, outcome, self.clock.tip_slot());
        self.is_dirty = true;
    }

    /// Takes in that a plan could not be signed.
    pub fn refused(&mut self, refused: &Refused) {
        let (intent, error) = refused;
        tracing::debug!(class = intent.class.as_str(), target = %intent.target, reason = error.as_str(), "a plan was refused");
        self.metrics.intents.get_or_create(&ResultLabel { class: intent.class, result: "refused" }).inc();
        self.history.not_sent(intent, self.clock.tip_slot());
    }

    /// What is due without any news: the sweep, silent subscriptions, the clock, decisions that waited.
    pub fn tick(&mut self) {
        let now = Instant::now();
        self.sweep();
        let patience = self.clock.span(4).max(Duration::from_millis(500));
        self.shared.needs_clock.store(self.sources.needs_clock(now, patience), Ordering::Relaxed);
        let grace = self.clock.span(u32::try_from(self.config.ingest.stall_slots).unwrap_or(u32::MAX)).max(Duration::from_secs(2));
        for topic in self.sources.take_dead(grace, now) {
            // a full channel only means that renewals are under way; the next change finds it again
            let _ = self.shared.renew.try_send(topic);
        }
        self.settle(now);
    }

    fn apply(&mut self, update: Update, at: Instant) {
        let (key, origin) = (update.key, update.origin);
        let position = self.store.position(&key).copied();
        let rule = self.store.rule(&key).copied();
        let applied = self.store.apply(update, at);
        self.count(origin, applied);
        let vault_of = self.store.position(&key).or(position.as_ref());
        match origin {
            Origin::Push => self.sources.pushed(key, vault_of, at),
            Origin::Poll if matches!(applied, Applied::Changed(_)) => self.sources.found_by_request(key, vault_of, at),
            Origin::Poll => {}
        }
        match applied {
            Applied::Changed(kind) => self.changed(key, kind),
            Applied::Quarantined(why) => {
                tracing::warn!(account = %key, reason = why.name(), "an account is kept out: {why}");
                self.index.put(key, None);
                self.is_dirty = true;
            }
            Applied::Stale | Applied::Same | Applied::Unwanted => return,
        }
        self.tell_change(&key, position.as_ref(), rule.as_ref());
    }

    fn changed(&mut self, key: Pubkey, kind: Kind) {
        self.is_dirty = true;
        match kind {
            Kind::Position => self.index.put(key, self.store.position(&key)),
            Kind::Asset | Kind::Vault | Kind::Rule | Kind::Guard => self.needs_watch = true,
            Kind::Raw if key == CLOCK => {
                let reading = self.store.raw(&key).and_then(|account| ChainTime::decode(&account.data));
                let _ = reading.is_some_and(|reading| self.clock.take(reading));
            }
            Kind::Raw if key == self.signer => self.courier.set_balance(self.balance()),
            Kind::Raw => {}
        }
    }

    /// Returns the signer's balance, lamports.
    pub(super) fn balance(&self) -> u64 {
        self.store.raw(&self.signer).map_or(0, |account| account.lamports)
    }

    fn tell_change(&self, key: &Pubkey, position: Option<&rampart::state::Position>, rule: Option<&rampart::state::Rule>) {
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

    fn rule_name(&self, key: &Pubkey) -> String {
        self.store.rule(key).map_or_else(String::new, |rule| crate::view::rule_name(&self.builder, &self.store, key, rule))
    }

    fn count(&self, origin: Origin, applied: Applied) {
        let source = if origin == Origin::Push { "websocket" } else { "poll" };
        let result = match applied {
            Applied::Changed(_) => "applied",
            Applied::Stale => "stale",
            Applied::Same | Applied::Unwanted => "duplicate",
            Applied::Quarantined(_) => "decode_error",
        };
        self.metrics.account_updates.get_or_create(&UpdateLabel { source, result }).inc();
    }

    /// Derives anew what has to be watched, where something appeared or went away.
    fn watch(&mut self) {
        if !std::mem::take(&mut self.needs_watch) {
            return;
        }
        let set = feeds::watch_set(&self.store, &self.signer, &self.found);
        if !self.sources.watch(set) {
            return;
        }
        self.store.watch_raw(self.sources.set.raw.clone());
        self.shared.set.send_replace(self.sources.set.clone());
        self.shared.topics.send_replace(self.sources.topics.clone());
        self.shared.snapshot_wanted.notify_one();
    }

    /// Assesses and decides, where something changed or something waits.
    fn settle(&mut self, since: Instant) {
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
    pub(super) fn is_gapless(&self) -> bool {
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
    fn act(&mut self, decisions: Vec<Decision>) {
        let slot = self.clock.tip_slot();
        let mut plans = Vec::new();
        for decision in decisions {
            let is_handed_over = decision.intent.class == ActionClass::Trip && self.armory.fire(&decision.intent);
            if !is_handed_over {
                match self.planner().plan(&decision, &self.history) {
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
    pub(super) fn has_blockhash(&self) -> bool {
        self.blockhash.is_some_and(|(_, at)| at.elapsed() <= BLOCKHASH_LIFE)
    }

    fn planner(&self) -> Planner<'_> {
        Planner { store: &self.store, found: &self.found, signer: self.signer, prices: &self.config.tx.compute_price }
    }

    fn spends(&self, decision: &Decision) -> Option<(Pubkey, u64)> {
        match &decision.action {
            Action::Position { candidate, max_repay_amount, .. } => {
                self.store.vault(&candidate.vault).map(|vault| (vault.loan_mint, *max_repay_amount))
            }
            Action::Rule(_) | Action::Asset(_) => None,
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
    fn arm(&mut self) {
        let Some((blockhash, _)) = self.blockhash.filter(|_| self.policy.classes.trip) else { return };
        let reports = self.assessment.rules.iter().filter(|(_, report)| report.is_enabled && report.has_room);
        let rules = reports.filter_map(|(key, _)| self.store.rule(key).map(|rule| (*key, rule)));
        let fences: BTreeMap<Pubkey, u64> = rules.clone().map(|(key, rule)| (key, rule.trip_epoch)).collect();
        let order = Some((fences, blockhash));
        if self.armed_for == order {
            return;
        }
        let planner = self.planner();
        let plans = rules.filter_map(|(key, rule)| planner.plan_trip(key, rule, &self.history).ok()).collect();
        self.armory.order(plans, blockhash);
        self.armed_for = order;
    }

    fn tell_rules(&mut self, now: ChainTime) {
        let keys: Vec<Pubkey> = self.assessment.rules.keys().copied().collect();
        for key in keys {
            let report = self.assessment.rules[&key];
            let was_true = self.true_rules.contains(&key);
            let name = self.rule_name(&key);
            if let Some(fact) = facts::rule_turned(&key, &name, &report, was_true, now.slot) {
                self.events.emit(fact);
                if report.is_true() { self.true_rules.insert(key) } else { self.true_rules.remove(&key) };
            }
            let before = match report.cause {
                Some(cause) => self.causes.insert(key, cause),
                None => self.causes.remove(&key),
            };
            let fact = before.and_then(|b| facts::stepped_down(&key, &name, &b, report.cause.as_ref(), now.unix_ts, now.slot));
            fact.into_iter().for_each(|fact| drop(self.events.emit(fact)));
        }
    }

    fn sweep(&mut self) {
        let priced = self.assessment.priced();
        let step = sweep::step(&self.store, &self.index, &priced, self.cursor, SWEEP_STEP, &mut self.round);
        for key in &step.mismatched {
            tracing::error!(position = %key, "the index differed from the full scan and was put right");
            self.index.put(*key, self.store.position(key));
            self.is_dirty = true;
        }
        self.mismatches += step.mismatched.len() as u64;
        self.metrics.sweep_mismatches.inc_by(step.mismatched.len() as u64);
        self.cursor = step.cursor;
        if step.cursor.is_none() {
            self.tallies = std::mem::take(&mut self.round);
        }
    }
}
