//! Puts the keeper together, watches over its tasks, and stops it cleanly.
//!
//! Owns the wiring and the order of start and stop. Every task is critical: when one ends before the stop, all are
//! stopped and start anew from the journal; when that happens too often, the keeper ends with an error.

mod armory;
#[cfg(any(test, feature = "bench"))]
pub mod bench;
mod blind;
mod courier;
mod engine;
#[cfg(test)]
mod engine_tests;
mod facts;
mod ops;
mod prices;
mod report;
mod shared;
mod sources;
mod start;
mod turn;

pub(crate) use engine::OBSERVE_PATIENCE_SLOTS;

use crate::chain::feed::Feed;
#[cfg(feature = "grpc")]
use crate::chain::grpc;
use crate::chain::network::{HostNetwork, Network};
use crate::chain::pool::{Endpoint, Pool};
use crate::chain::{blockhash, fees, ws};
use crate::config::Config;
use crate::config::endpoints::Role;
use crate::config::payer::{KeyError, PayerKey};
use crate::control::Control;
use crate::early;
use crate::error::{Cause, KeeperError};
use crate::events::{EventKind, Events, Fact, unix_ts};
use crate::fleet::Fleet;
use crate::history;
use crate::http::{self, ApiState, Pulse};
use crate::intent::ActionClass;
use crate::journal::{Disk, Journal, JournalError};
use crate::metrics::Metrics;
use crate::post;
use crate::score::{Past, Scorer};
use crate::submit::{self, PoolWire, Submitter, Wire};
use crate::supervise::{Host, Phase, Reload, Watchdog, restarting};
use crate::view::View;
use crate::watch::mailbox::Mailbox;
use crate::watch::poll::Poller;
use engine::Engine;
use prices::Prices;
use shared::Shared;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

/// Every task, for the metrics.
pub const TASKS: [&str; 13] = [
    "armory",
    "engine",
    "submitter",
    "socket",
    "stream",
    "signal",
    "poller",
    "blockhash",
    "http",
    "takeover",
    "notify",
    "probe",
    "fees",
];
/// How long a stop waits for transactions under way; what is undecided then stays in the journal.
const PATIENCE: Duration = Duration::from_secs(8);
/// How long it then waits for the tasks.
const FAREWELL: Duration = Duration::from_secs(2);
/// How often, and in what steps, a restart waits for the journal of the last run.
const LOCK_ATTEMPTS: u32 = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(100);
/// Signals and answers that may wait for the engine.
const BACKLOG: usize = 1_024;

/// What a keeper has of the machine that it runs on.
#[derive(Clone)]
pub struct Machine {
    /// The way to the chain.
    pub network: Arc<dyn Network>,
    /// Reads who pays and signs.
    pub payer: Arc<dyn Fn() -> Result<PayerKey, KeyError> + Send + Sync>,
    /// What its journal lies on.
    pub disk: Disk,
    /// Where its API listens, if anywhere.
    pub listen: Option<SocketAddr>,
}

impl Machine {
    /// The machine that this process runs on.
    fn own(config: &Config) -> Self {
        let (network, file) = (Arc::new(HostNetwork::default()), config.keys.payer_file.clone());
        let payer = Arc::new(move || PayerKey::read(&file));
        Self { network, payer, disk: Disk::Host, listen: Some(config.http.listen) }
    }
}

/// Runs the keeper until `stop` is cancelled, with restarts where a task died.
///
/// # Errors
/// Whatever keeps it from starting; `TaskDied` when tasks ended by themselves too often.
pub async fn run(config: Config, reload: Reload, stop: CancellationToken) -> Result<(), KeeperError> {
    let host = Host::new();
    let (settings, ways) = (watch::Sender::new(Arc::new(config)), watch::Sender::new(None));
    let watchdog = Watchdog { pulse: host.pulse.clone(), phase: host.phase.clone() };
    let watching = tokio::spawn(watchdog.run(stop.clone()));
    let reloading = tokio::spawn(reload.run(host.clone(), settings.clone(), ways.subscribe()));
    let result = restarting(&host, &stop, Instant::now, |is_restart| {
        let (host, config) = (host.clone(), settings.borrow().clone());
        let (ways, stop) = (ways.clone(), stop.clone());
        async move { once(Machine::own(&config), &host, config, &ways, is_restart, stop).await }
    })
    .await;
    reloading.abort();
    watching.abort();
    result
}

/// Runs the keeper until `stop` is cancelled or a task ends, on a machine of the caller's.
///
/// # Errors
/// Those of [`run`].
pub async fn run_on(
    machine: Machine,
    config: Config,
    metrics: Metrics,
    stop: CancellationToken,
) -> Result<(), KeeperError> {
    once(machine, &Host::with(metrics), Arc::new(config), &watch::Sender::new(None), false, stop).await
}

/// Runs all tasks until `stop` is cancelled or one of them ends.
async fn once(
    machine: Machine,
    host: &Host,
    config: Arc<Config>,
    ways: &watch::Sender<Option<Control>>,
    is_restart: bool,
    stop: CancellationToken,
) -> Result<(), KeeperError> {
    let (metrics, events) = (host.metrics.clone(), host.events.clone());
    let mut scorer = Scorer::new(&config.score)?;
    scorer.keep_in(&config.keeper.state_dir);
    let payer = (machine.payer)()?;
    let signer = payer.pubkey();
    let writer = history::prepare(&config, &signer, &metrics).map(|(recorder, writer)| {
        events.record_to(recorder);
        writer
    });
    let (endpoints, commitment) = (config.endpoints(), config.cluster.commitment);
    let probed = Duration::from_secs(config.ingest.probe_secs);
    let pool = Pool::over(machine.network, endpoints, commitment, metrics.clone()).probed_every(probed);
    let pool = Arc::new(pool);
    // the past is read beside: nobody is defended meanwhile
    let genesis = tokio::select! {
        (verified, past) = async { tokio::join!(start::verify(&pool, &config), Past::read(&config, unix_ts())) } => {
            scorer.remember(past);
            verified?
        }
        () = stop.cancelled() => return Ok(()),
    };
    let slot = Arc::new(AtomicU64::new(pool.newest_slot()));
    let slot_micros = Arc::new(AtomicU64::new(shared::ASSUMED_SLOT_MICROS));
    let wire: Arc<dyn Wire> = Arc::new(PoolWire::new(pool.clone(), &config.sender, metrics.clone()));
    let journal = open_journal(&config, machine.disk, &metrics, is_restart).await?;
    let left = post::left(&journal.newest(ActionClass::Post, post::LOOK_BACK)?);
    let submitter = Submitter::open(submit::Setup {
        wire: wire.clone(),
        journal,
        payer,
        mode: config.keeper.mode,
        tx: config.tx.clone(),
        senders: config.sender.clone(),
        budget: config.budget,
        posts_lamports_per_hour: config.poster.unwrap_or_default().lamports_per_hour,
        metrics: metrics.clone(),
        events: events.clone(),
        slot: slot.clone(),
        slot_micros: slot_micros.clone(),
    })?;
    let listener = match machine.listen {
        Some(listen) => Some(http::bind(listen).await?),
        None => None,
    };
    let mut keeper = Keeper::new(submitter.clone(), events.clone());
    // started once the lock of the state directory is held
    if let Some(writer) = writer {
        keeper.spawn_endless("history", writer.run(keeper.serving.clone()));
    }
    let fleet = Fleet::new(&config, metrics.clone(), events.clone(), slot.clone());
    // it leaves as soon as nothing is decided any more, so that the next rank goes on at once
    if let Some(belonging) = fleet.worker(&config, keeper.deciding.clone())? {
        keeper.spawn_endless("fleet", belonging);
    }
    let ops = ops::Ops::open(host, &config, pool.clone(), wire, slot.clone()).await?;
    let door = ops.door.clone();
    let views =
        keeper.watch(&config, pool.clone(), host, (slot.clone(), slot_micros), (signer, fleet, scorer, left), ops);
    ways.send_replace(Some(door.control.clone()));
    let (list, relayed) = (pool.clone(), pool.clone());
    let probing = keeper.serving.clone();
    keeper.spawn_endless("probe", async move { pool.probe(genesis, probed, probing).await });
    let samples = config.history.sample_every_secs;
    keeper
        .spawn_endless("levels", history::watch(views.views.clone(), events.clone(), samples, keeper.serving.clone()));
    let api = ApiState::new(views.views, events.clone(), metrics, views.prices, views.pulse, &config.http.peers);
    let api = api.with_history(history::Reader::new(&config), config.cluster.guard).with_lab(config.lab_dir());
    let api = api.with_accounts(list, config.cluster.guard).with_door(door, &config.http.hosts);
    let api = if config.http.is_relaying() { api.with_relay(relayed) } else { api };
    if let Some(listener) = listener {
        let serving = keeper.serving.clone();
        keeper.spawn("http", async move { http::serve(listener, api, serving).await.map_err(Cause::from) });
    }
    let text = format!("keeper `{}` started in mode {}", config.keeper.name, config.keeper.mode.as_str());
    let started = Fact::new(EventKind::KeeperStarted, slot.load(Ordering::Relaxed), text);
    events.emit(started.with("listen", config.http.listen.to_string()).with("signer", signer.to_string()));
    host.phase.running();
    let result = keeper.supervise(stop, &slot, &host.phase).await;
    ways.send_replace(None);
    result
}

/// Opens the journal; at a restart, work of the last run may hold it for a moment yet.
async fn open_journal(
    config: &Config,
    disk: Disk,
    metrics: &Metrics,
    is_restart: bool,
) -> Result<Journal, KeeperError> {
    for _ in 0..if is_restart { LOCK_ATTEMPTS } else { 0 } {
        match Journal::open_on(&config.keeper.state_dir, disk, metrics.clone()) {
            Err(JournalError::Locked { .. }) => tokio::time::sleep(LOCK_PAUSE).await,
            other => return Ok(other?),
        }
    }
    Ok(Journal::open_on(&config.keeper.state_dir, disk, metrics.clone())?)
}

/// What the API shows.
struct Views {
    views: watch::Receiver<Arc<View>>,
    prices: Arc<Prices>,
    pulse: Pulse,
}

/// The running tasks.
struct Keeper {
    submitter: Submitter,
    events: Events,
    tasks: JoinSet<Result<(), Cause>>,
    names: HashMap<Id, &'static str>,
    /// Ends what decides.
    deciding: CancellationToken,
    /// Ends everything else.
    serving: CancellationToken,
}

impl Keeper {
    fn new(submitter: Submitter, events: Events) -> Self {
        let (deciding, serving) = (CancellationToken::new(), CancellationToken::new());
        Self { submitter, events, tasks: JoinSet::new(), names: HashMap::new(), deciding, serving }
    }

    fn spawn(&mut self, name: &'static str, task: impl Future<Output = Result<(), Cause>> + Send + 'static) {
        let handle = self.tasks.spawn(task);
        self.names.insert(handle.id(), name);
    }

    fn spawn_endless(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        self.spawn(name, async move {
            task.await;
            Ok(())
        });
    }

    /// Starts the sources, the engine and the submitter.
    fn watch(
        &mut self,
        config: &Arc<Config>,
        pool: Arc<Pool>,
        host: &Host,
        (slot, slot_micros): (Arc<AtomicU64>, Arc<AtomicU64>),
        (signer, fleet, scorer, left): (anchor_lang::prelude::Pubkey, Fleet, Scorer, Vec<post::Left>),
        ops: ops::Ops,
    ) -> Views {
        let metrics = host.metrics.clone();
        let read = |(_, endpoint): &(usize, &Endpoint)| endpoint.settings.has(Role::Read);
        let endpoints: Vec<_> = pool.endpoints().iter().enumerate().filter(read).collect();
        let (shared, renewals) = Shared::new(slot, slot_micros, endpoints.len() + config.grpc.len());
        let mut renewals = renewals.into_iter();
        let mailbox = Arc::new(Mailbox::default());
        let (signals, from_socket) = mpsc::channel(BACKLOG);
        let (polled, from_poller) = mpsc::channel(BACKLOG);
        let (refused, from_couriers) = mpsc::unbounded_channel();
        let feed = |(source, index), renew| Feed {
            source,
            index,
            pool: pool.clone(),
            commitment: config.cluster.commitment,
            stall_slots: config.ingest.stall_slots,
            slot_micros: shared.slot_micros.clone(),
            topics: shared.topics.subscribe(),
            renew,
            mailbox: mailbox.clone(),
            signals: signals.clone(),
        };
        for (source, ((index, endpoint), renew)) in endpoints.into_iter().zip(&mut renewals).enumerate() {
            let socket = ws::Socket { feed: feed((source, index), renew), url: endpoint.settings.ws_url() };
            self.spawn_endless("socket", socket.run(self.serving.clone()));
        }
        #[cfg(feature = "grpc")]
        for (index, (settings, renew)) in config.grpc.iter().zip(renewals).enumerate() {
            let source = shared.renew.len() - config.grpc.len() + index;
            let feed = feed((source, index), renew);
            let stream = grpc::Stream { feed, settings: settings.clone(), metrics: metrics.clone() };
            self.spawn_endless("stream", stream.run(self.serving.clone()));
        }
        for settings in config.signal.clone() {
            let (board, events, slot) = (shared.early.clone(), self.events.clone(), shared.slot.clone());
            let watcher = early::Watcher { settings, board, events, metrics: metrics.clone(), slot };
            self.spawn_endless("signal", watcher.run(self.serving.clone()));
        }
        let poller = Poller {
            pool: pool.clone(),
            set: shared.set.subscribe(),
            positions: shared.positions.subscribe(),
            snapshot_wanted: shared.snapshot_wanted.clone(),
            wanted_slot: shared.wanted_slot.clone(),
            is_alone: shared.is_alone.clone(),
            needs_clock: shared.needs_clock.clone(),
            slot_began: shared.slot_began.clone(),
            mailbox: mailbox.clone(),
            polled,
            poll: Duration::from_millis(config.ingest.poll_ms),
            sweep: Duration::from_secs(config.ingest.sweep_secs),
        };
        let slot_micros = shared.slot_micros.clone();
        let (market, set) = (shared.market.clone(), shared.set.subscribe());
        let pricing = fees::run(pool.clone(), set, market, metrics.clone(), self.serving.clone());
        self.spawn_endless("fees", pricing);
        let mut engine = Engine::new(engine::Setup {
            config: config.clone(),
            signer,
            courier: self.submitter.clone(),
            fleet,
            scorer,
            shared,
            events: self.events.clone(),
            metrics,
            refused,
        });
        engine.take_left(left);
        let commands = ops.start(self, &mut engine);
        let (newest, blockhashes) = watch::channel(None);
        let (views, receiver) = watch::channel(Arc::new(engine.view()));
        let (prices, pulse) = (Arc::<Prices>::default(), host.pulse.clone());
        pulse.beat();
        let outcomes = self.submitter.outcomes();
        let loop_ = turn::Loop {
            mailbox,
            from_socket,
            from_poller,
            from_couriers,
            commands,
            blockhashes,
            outcomes,
            views,
            prices: prices.clone(),
            pulse: pulse.clone(),
        };
        self.spawn_endless("armory", engine.armory.worker());
        self.spawn_endless("engine", loop_.run(engine, self.deciding.clone()));
        let driving = self.submitter.clone().drive();
        self.spawn("submitter", async move { driving.await.map_err(Cause::from) });
        self.spawn_endless("poller", poller.run(self.serving.clone()));
        self.spawn_endless("blockhash", blockhash::run(pool, newest, slot_micros, self.serving.clone()));
        Views { views: receiver, prices, pulse }
    }

    /// Waits for the stop, or for the end of a task.
    async fn supervise(mut self, stop: CancellationToken, slot: &AtomicU64, phase: &Phase) -> Result<(), KeeperError> {
        let died = tokio::select! {
            () = stop.cancelled() => None,
            ended = self.tasks.join_next_with_id() => ended,
        };
        phase.stopping();
        let result = died.map_or(Ok(()), |ended| Err(self.cause_of(ended)));
        let text = if result.is_ok() { "stopping on a signal" } else { "stopping because a task ended" };
        self.events.emit(Fact::new(EventKind::KeeperStopping, slot.load(Ordering::Relaxed), text));
        self.stop().await;
        result
    }

    /// Decides nothing more, lets what is under way come to its end, then ends the rest.
    async fn stop(&mut self) {
        self.deciding.cancel();
        self.submitter.drain(PATIENCE).await;
        self.serving.cancel();
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(FAREWELL, all).await.is_err() {
            tracing::warn!("a task did not end in time and was left");
        }
        self.tasks.abort_all();
    }

    fn cause_of(&self, ended: Result<(Id, Result<(), Cause>), tokio::task::JoinError>) -> KeeperError {
        let (id, source) = match ended {
            Ok((id, Ok(()))) => (id, None),
            Ok((id, Err(cause))) => (id, Some(cause)),
            Err(panic) => (panic.id(), Some(Cause::from(panic))),
        };
        KeeperError::TaskDied { task: self.names.get(&id).copied().unwrap_or("unknown"), source }
    }
}
