//! Puts the keeper together, watches over its tasks, and stops it cleanly.
//!
//! Owns the wiring and the order of start and stop. Every task is critical: when one ends before the stop, the keeper
//! ends with an error, so that the supervisor of the machine starts it anew from the journal.

mod armory;
mod courier;
mod engine;
#[cfg(test)]
mod engine_tests;
mod facts;
mod prices;
mod report;
mod shared;
mod sources;
mod start;
mod turn;

use crate::chain::network::{HostNetwork, Network};
use crate::chain::pool::{Endpoint, Pool};
use crate::chain::{blockhash, fees, ws};
use crate::config::Config;
use crate::config::endpoints::Role;
use crate::config::payer::PayerKey;
use crate::error::{Cause, KeeperError};
use crate::events::{EventKind, Events, Fact};
use crate::http::{self, ApiState, Pulse};
use crate::journal::{Disk, Journal};
use crate::metrics::Metrics;
use crate::submit::{self, PoolWire, Submitter};
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
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

/// How long a stop waits for transactions under way; what is undecided then stays in the journal.
const PATIENCE: Duration = Duration::from_secs(8);
/// How long it then waits for the tasks.
const FAREWELL: Duration = Duration::from_secs(2);
/// Signals and answers that may wait for the engine.
const BACKLOG: usize = 1_024;

/// What a keeper has of the machine that it runs on.
pub struct Host {
    /// The way to the chain.
    pub network: Arc<dyn Network>,
    /// Who pays and signs.
    pub payer: PayerKey,
    /// What its journal lies on.
    pub disk: Disk,
    /// Where its API listens, if anywhere.
    pub listen: Option<SocketAddr>,
}

/// Runs the keeper until `stop` is cancelled.
///
/// # Errors
/// Whatever keeps it from starting; `TaskDied` when a task ended by itself.
pub async fn run(config: Config, stop: CancellationToken) -> Result<(), KeeperError> {
    let payer = PayerKey::read(&config.keys.payer_file)?;
    let (network, listen) = (Arc::new(HostNetwork::default()), Some(config.http.listen));
    run_on(Host { network, payer, disk: Disk::Host, listen }, config, Metrics::new(), stop).await
}

/// As [`run`], on a host of the caller's.
///
/// # Errors
/// Those of [`run`].
pub async fn run_on(host: Host, config: Config, metrics: Metrics, stop: CancellationToken) -> Result<(), KeeperError> {
    let Host { network, payer, disk, listen } = host;
    let (config, signer, events) = (Arc::new(config), payer.pubkey(), Events::new(metrics.clone()));
    let pool = Arc::new(Pool::over(network, config.endpoints(), config.cluster.commitment, metrics.clone()));
    let genesis = tokio::select! {
        verified = start::verify(&pool, &config) => verified?,
        () = stop.cancelled() => return Ok(()),
    };
    let slot = Arc::new(AtomicU64::new(pool.newest_slot()));
    let slot_micros = Arc::new(AtomicU64::new(shared::ASSUMED_SLOT_MICROS));
    let submitter = Submitter::open(submit::Setup {
        wire: Arc::new(PoolWire::new(pool.clone(), &config.sender, metrics.clone())),
        journal: Journal::open_on(&config.keeper.state_dir, disk, metrics.clone())?,
        payer,
        mode: config.keeper.mode,
        tx: config.tx.clone(),
        senders: config.sender.clone(),
        budget: config.budget,
        metrics: metrics.clone(),
        events: events.clone(),
        slot: slot.clone(),
        slot_micros: slot_micros.clone(),
    })?;
    let listener = match listen {
        Some(listen) => Some(http::bind(listen).await?),
        None => None,
    };
    let mut keeper = Keeper::new(submitter.clone(), events.clone());
    let views = keeper.watch(&config, pool.clone(), metrics.clone(), (slot.clone(), slot_micros), signer);
    let (probing, period) = (keeper.serving.clone(), Duration::from_secs(config.ingest.probe_secs));
    keeper.spawn_endless("probe", async move { pool.probe(genesis, period, probing).await });
    let api = ApiState::new(views.views, events.clone(), metrics, views.prices, views.pulse, &config.http.peers);
    if let Some(listener) = listener {
        let serving = keeper.serving.clone();
        keeper.spawn("http", async move { http::serve(listener, api, serving).await.map_err(Cause::from) });
    }
    let text = format!("keeper `{}` started in mode {}", config.keeper.name, config.keeper.mode.as_str());
    let started = Fact::new(EventKind::KeeperStarted, slot.load(Ordering::Relaxed), text);
    events.emit(started.with("listen", config.http.listen.to_string()).with("signer", signer.to_string()));
    keeper.supervise(stop, &slot).await
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
        metrics: Metrics,
        (slot, slot_micros): (Arc<AtomicU64>, Arc<AtomicU64>),
        signer: anchor_lang::prelude::Pubkey,
    ) -> Views {
        let read = |(_, endpoint): &(usize, &Endpoint)| endpoint.settings.has(Role::Read);
        let endpoints: Vec<_> = pool.endpoints().iter().enumerate().filter(read).collect();
        let (shared, renewals) = Shared::new(slot, slot_micros, endpoints.len());
        let mailbox = Arc::new(Mailbox::default());
        let (signals, from_socket) = mpsc::channel(BACKLOG);
        let (polled, from_poller) = mpsc::channel(BACKLOG);
        let (refused, from_couriers) = mpsc::unbounded_channel();
        for (source, ((index, endpoint), renew)) in endpoints.into_iter().zip(renewals).enumerate() {
            let socket = ws::Socket {
                source,
                index,
                pool: pool.clone(),
                url: endpoint.settings.ws_url(),
                commitment: config.cluster.commitment,
                stall_slots: config.ingest.stall_slots,
                slot_micros: shared.slot_micros.clone(),
                topics: shared.topics.subscribe(),
                renew,
                mailbox: mailbox.clone(),
                signals: signals.clone(),
            };
            self.spawn_endless("socket", socket.run(self.serving.clone()));
        }
        let poller = Poller {
            pool: pool.clone(),
            set: shared.set.subscribe(),
            positions: shared.positions.subscribe(),
            snapshot_wanted: shared.snapshot_wanted.clone(),
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
        let engine = Engine::new(engine::Setup {
            config: config.clone(),
            signer,
            courier: self.submitter.clone(),
            shared,
            events: self.events.clone(),
            metrics,
            refused,
        });
        let (newest, blockhashes) = watch::channel(None);
        let (views, receiver) = watch::channel(Arc::new(engine.view()));
        let (prices, pulse) = (Arc::<Prices>::default(), Pulse::new());
        let outcomes = self.submitter.outcomes();
        let loop_ = turn::Loop {
            mailbox,
            from_socket,
            from_poller,
            from_couriers,
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
    async fn supervise(mut self, stop: CancellationToken, slot: &AtomicU64) -> Result<(), KeeperError> {
        let died = tokio::select! {
            () = stop.cancelled() => None,
            ended = self.tasks.join_next_with_id() => ended,
        };
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
