//! The one task that owns the state: updates in, decisions out.
//!
//! Nothing here waits for the network or the disk. Signing, journaling and sending happen in tasks of their own; a trip
//! that is ready is only handed over.

mod act;
mod command;
mod explain;
mod ingest;
mod ops;
mod tell;

use crate::assess::Assessment;
use crate::capture::Frame;
use crate::chain::clock::ChainClock;
use crate::config::endpoints::Role;
use crate::config::{Config, Mode};
use crate::decide::{History, Policy};
use crate::events::Events;
use crate::fleet::{Fleet, Stale};
use crate::intent::{ActionClass, Blockhash, Intent, Outcome};
use crate::metrics::{Metrics, OnlyResultLabel, ResultLabel};
use crate::post::{Desk, Left};
use crate::run::armory::{Armory, Fences};
use crate::run::blind::Blind;
use crate::run::courier::Courier;
use crate::run::shared::Shared;
use crate::run::sources::Sources;
use crate::score::Scorer;
use crate::submit::SubmitError;
use crate::view::Builder;
use crate::watch::index::PriceIndex;
use crate::watch::index::sweep::{self, Tally};
use crate::watch::oracles::Found;
use crate::watch::store::Store;
use anchor_lang::prelude::Pubkey;
use rampart::state::Cause;
use solana_sdk::transaction::TransactionError;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Positions that one step of the sweep checks.
const SWEEP_STEP: usize = 4_096;
/// Slots of age that are counted of a blockhash at most: none lives longer.
const LONGEST_BEHIND_SLOTS: u64 = 150;
/// How long a dry run remembers what it would have sent, slots.
pub(crate) const OBSERVE_PATIENCE_SLOTS: u64 = 64;

/// A plan that did not leave, and why.
pub type Refused = (Intent, Unsent);

/// Why a plan did not leave.
#[derive(Debug)]
pub enum Unsent {
    /// It could not be signed, or was refused when it was to be sent.
    Refused(SubmitError),
    /// It was decided under a place in the fleet that this keeper no longer has.
    Stale(Stale),
}

/// State, and all that is derived from it.
pub struct Engine<C> {
    pub(super) config: Arc<Config>,
    pub(super) signer: Pubkey,
    pub(super) courier: C,
    pub(super) fleet: Fleet,
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
    pub(super) ops: ops::Ops,
    pub(super) scorer: Scorer,
    pub(super) desk: Desk,
    round: HashMap<Pubkey, Tally>,
    cursor: Option<Pubkey>,
    true_rules: HashSet<Pubkey>,
    blind: Blind,
    causes: HashMap<Pubkey, Cause>,
    armed_for: Option<(Fences, Blockhash)>,
    is_dirty: bool,
    needs_watch: bool,
    has_news: bool,
    /// When to ask again for a snapshot that was of too early a slot.
    again_at: Option<Instant>,
}

/// What an engine starts with.
pub struct Setup<C> {
    /// The settings.
    pub config: Arc<Config>,
    /// The key that pays and signs.
    pub signer: Pubkey,
    /// Who signs and sends.
    pub courier: C,
    /// Whom it leaves what to.
    pub fleet: Fleet,
    /// What it makes of the risk.
    pub scorer: Scorer,
    /// What it shares with the sources' tasks.
    pub shared: Shared,
    /// Where facts are told.
    pub events: Events,
    /// Where things are counted.
    pub metrics: Metrics,
    /// Where plans that did not leave are told.
    pub refused: mpsc::UnboundedSender<Refused>,
}

impl<C: Courier> Engine<C> {
    /// An engine that knows nothing yet.
    pub fn new(setup: Setup<C>) -> Self {
        let is_observing = setup.config.keeper.mode == Mode::Observe;
        let history = if is_observing { History::with_patience(OBSERVE_PATIENCE_SLOTS) } else { History::default() };
        let endpoints = setup.config.endpoints().into_iter();
        let names = endpoints.filter(|endpoint| endpoint.has(Role::Read)).map(|endpoint| endpoint.name);
        let streams = setup.config.grpc.iter().map(|stream| stream.name.clone());
        let sources = Sources::new(names.chain(streams), Instant::now());
        let mut engine = Self {
            armory: Armory::new(setup.courier.clone()),
            builder: Builder::new(setup.config.labels()),
            policy: Policy::new(&setup.config),
            store: Store::new(setup.config.cluster.guard),
            signer: setup.signer,
            courier: setup.courier,
            fleet: setup.fleet,
            shared: setup.shared,
            events: setup.events,
            metrics: setup.metrics,
            refused: setup.refused,
            desk: Desk::new(setup.config.poster),
            config: setup.config,
            index: PriceIndex::default(),
            found: Found::new(),
            clock: ChainClock::default(),
            sources,
            history,
            assessment: Assessment::default(),
            blockhash: None,
            tallies: HashMap::new(),
            mismatches: 0,
            started_at_ts: crate::events::unix_ts(),
            ops: ops::Ops::default(),
            scorer: setup.scorer,
            round: HashMap::new(),
            cursor: None,
            true_rules: HashSet::new(),
            blind: Blind::default(),
            causes: HashMap::new(),
            armed_for: None,
            is_dirty: false,
            needs_watch: true,
            has_news: true,
            again_at: None,
        };
        engine.shared.early.begin(&engine.config.signal);
        if engine.config.poster.is_some() {
            engine.shared.early.keep_updates();
        }
        engine.watch();
        engine
    }

    /// Takes over what an earlier run left on chain of its postings.
    pub fn take_left(&mut self, left: Vec<Left>) {
        self.desk.recover(left);
    }

    /// Tells whether anything was assessed anew since the last call.
    pub fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.has_news)
    }

    /// Takes a blockhash in that a node gave as of `slot`: every trip is prepared anew with it.
    ///
    /// One that dies sooner than the one at hand is left out for as long as that one is signed with: another node lags.
    pub fn blockhash(&mut self, blockhash: Blockhash, slot: u64) {
        let height = blockhash.last_valid_block_height;
        let is_older = self.blockhash.is_some_and(|(known, _)| height < known.last_valid_block_height);
        if is_older && self.has_blockhash() {
            return;
        }
        // as old as the node's view of the chain, whenever the answer came
        let behind = self.clock.tip_slot().saturating_sub(slot).min(LONGEST_BEHIND_SLOTS);
        let age = self.clock.span(u32::try_from(behind).unwrap_or(u32::MAX));
        let now = Instant::now();
        self.blockhash = Some((blockhash, now.checked_sub(age).unwrap_or(now)));
        self.arm();
    }

    /// Takes in what became of a transaction.
    pub fn outcome(&mut self, intent: &Intent, outcome: &Outcome) {
        let slot = self.clock.tip_slot();
        self.ops.record(|| Frame::ended(intent, outcome, slot));
        self.history.ended(intent, outcome, slot);
        self.desk.ended(intent, outcome, &self.metrics);
        // what nobody acts on says nothing about how fast the chain takes what is urgent
        let is_landed = match outcome {
            _ if intent.class == ActionClass::Post => None,
            Outcome::Landed { .. } | Outcome::Failed { .. } => Some(true),
            Outcome::Expired => Some(false),
            Outcome::Unknown => None,
        };
        is_landed.into_iter().for_each(|is_landed| self.scorer.outcome(is_landed, self.assessment.now));
        self.is_dirty = true;
    }

    /// Takes in that a plan did not leave.
    pub fn refused(&mut self, refused: &Refused) {
        let (intent, why) = refused;
        let error = match why {
            // nothing stands in the way of new bytes
            Unsent::Refused(gone @ SubmitError::Gone) => return self.withdraw(intent, gone),
            Unsent::Refused(error) => error,
            Unsent::Stale(stale) => return self.withdraw(intent, stale),
        };
        tracing::debug!(class = intent.class.as_str(), target = %intent.target, reason = error.as_str(), "a plan was refused");
        self.metrics.intents.get_or_create(&ResultLabel { class: intent.class, result: "refused" }).inc();
        if intent.class == ActionClass::Post {
            self.metrics.posts.get_or_create(&OnlyResultLabel { result: "refused" }).inc();
        }
        self.events.record(|to| to.refusal(intent, error.as_str(), self.clock.tip_slot()));
        match error {
            SubmitError::WouldFail { error, code } => self.would_fail(intent, error, *code),
            _ => self.not_sent(intent),
        }
        self.history.note_refusal(intent, crate::error::chain(error));
    }

    /// What fails in a simulation is left alone as if it had failed on chain, which would have cost a fee.
    fn would_fail(&mut self, intent: &Intent, error: &TransactionError, code: Option<u32>) {
        let slot = self.clock.tip_slot();
        let outcome = Outcome::Failed { slot, error: error.clone(), code, lost_race: false };
        self.ops.record(|| Frame::ended(intent, &outcome, slot));
        self.history.ended(intent, &outcome, slot);
        self.desk.not_sent(intent);
    }

    pub(super) fn not_sent(&mut self, intent: &Intent) {
        let slot = self.clock.tip_slot();
        self.ops.record(|| Frame::not_sent(intent, slot));
        self.history.not_sent(intent, slot);
        self.desk.not_sent(intent);
    }

    fn withdraw(&mut self, intent: &Intent, why: &dyn std::fmt::Display) {
        tracing::info!(class = intent.class.as_str(), target = %intent.target, "a decision was withdrawn: {why}");
        self.metrics.intents.get_or_create(&ResultLabel { class: intent.class, result: "withdrawn" }).inc();
        self.history.withdrawn(intent);
        self.desk.not_sent(intent);
        self.is_dirty = true;
    }

    /// What is due without any news: the sweep, silent subscriptions, the clock, decisions that waited.
    pub fn tick(&mut self) {
        let now = Instant::now();
        self.sweep();
        self.want_later_snapshot(now);
        let patience = self.clock.span(4).max(Duration::from_millis(500));
        self.shared.needs_clock.store(self.sources.needs_clock(now, patience), Ordering::Relaxed);
        let grace = self
            .clock
            .span(u32::try_from(self.config.ingest.stall_slots).unwrap_or(u32::MAX))
            .max(Duration::from_secs(2));
        for (source, topic) in self.sources.take_dead(grace, now) {
            // a full channel only means that renewals are under way; the next change finds it again
            let _ = self.shared.renew.get(source).map(|renew| renew.try_send(topic));
        }
        self.settle(now);
    }

    /// Returns the signer's balance, lamports.
    pub(in crate::run) fn balance(&self) -> u64 {
        self.store.raw(&self.signer).map_or(0, |account| account.lamports)
    }

    pub(super) fn sweep(&mut self) {
        let priced = self.assessment.priced();
        let step = sweep::step(&self.store, &self.index, &priced, self.cursor, SWEEP_STEP, &mut self.round);
        for key in &step.mismatched {
            tracing::error!(position = %key, "the index differed from the full scan and was put right");
            self.ops.record(|| Frame::reindex(*key));
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
