//! Several keepers as one: who acts first, and who waits for whom.
//!
//! Owns the order of the members and the check of each decision against it. Makes nothing safe by itself: that no action
//! happens twice is the program's doing, whatever a member believes. This spares fees, and lets every member act when
//! those before it do not. See docs/fleet.md.

mod clock;
mod error;
#[cfg(feature = "fleet")]
pub mod etcd;
#[cfg(all(test, feature = "fleet"))]
mod etcd_tests;
mod kept;
pub mod rank;
pub mod state;
#[cfg(test)]
mod state_tests;
#[cfg(all(test, feature = "fleet"))]
mod testing;

pub use clock::{Clock, machine};
pub use error::FleetError;
pub use state::{Role, Stale, Standing};

use crate::config::{Config, FleetMode};
use crate::events::{EventKind, Events, Fact};
use crate::intent::ActionClass;
use crate::metrics::{Metrics, RoleLabel};
use crate::view::{FleetView, MemberView};
use state::{Identity, Permit, State};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// A task.
pub type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// How long the engine's word counts that it is ready: one that hangs must not own anything.
const FIT_MS: u64 = 5_000;

/// This keeper's place in its fleet. Clones share it.
#[derive(Clone)]
pub struct Fleet {
    shared: Option<Arc<Shared>>,
}

struct Shared {
    clock: Clock,
    known: Mutex<Known>,
    metrics: Metrics,
    events: Events,
    slot: Arc<AtomicU64>,
    /// Until when the engine's last word counts, by the clock; milliseconds.
    fit_until_ms: AtomicU64,
    /// The membership that etcd told last.
    seen: watch::Sender<Vec<rank::Member>>,
}

struct Known {
    state: State,
    /// What was told last, and whether etcd answered.
    told: Option<(Role, u64)>,
    is_engine_up: Option<bool>,
    takeovers_told: u64,
}

/// What a decision was allowed by. Asked once more right before its bytes leave.
#[derive(Clone)]
pub struct Pass {
    fleet: Fleet,
    permit: Option<Permit>,
}

impl Fleet {
    /// A keeper on its own: nobody to wait for.
    pub const fn single() -> Self {
        Self { shared: None }
    }

    /// The member that the settings describe, which has not joined yet.
    pub fn new(config: &Config, metrics: Metrics, events: Events, slot: Arc<AtomicU64>) -> Self {
        if config.fleet.mode == FleetMode::Single {
            return Self::single();
        }
        metrics.fleet_expected.set(i64::try_from(config.fleet.expected_members).unwrap_or(i64::MAX));
        let me = Identity {
            id: config.fleet.member_id(&config.keeper.name).to_owned(),
            guard: config.cluster.guard,
            ttl: Duration::from_millis(config.fleet.lease_ttl_ms),
            stagger_slots: config.fleet.stagger_slots,
            fallback_rank: config.tx.stagger.rank,
        };
        let members = kept::read(&config.keeper.state_dir, &config.fleet.prefix);
        if !members.is_empty() {
            tracing::info!(members = members.len(), "until etcd answers, ranks are those of the last membership seen");
        }
        Self::over(State::of_last_seen(me, members), machine(), metrics, events, slot)
    }

    /// A member that counts its lease by `clock`.
    pub fn with_clock(me: Identity, clock: Clock, metrics: Metrics, events: Events, slot: Arc<AtomicU64>) -> Self {
        Self::over(State::new(me), clock, metrics, events, slot)
    }

    fn over(state: State, clock: Clock, metrics: Metrics, events: Events, slot: Arc<AtomicU64>) -> Self {
        let known = Known { state, told: None, is_engine_up: None, takeovers_told: 0 };
        let (known, fit_until_ms, seen) = (Mutex::new(known), AtomicU64::new(0), watch::Sender::default());
        Self { shared: Some(Arc::new(Shared { clock, known, metrics, events, slot, fit_until_ms, seen })) }
    }

    /// Returns the work of belonging to the fleet until `stop`; nothing for a keeper on its own.
    ///
    /// # Errors
    /// `Certificate` and `Secret` for what it takes to talk to etcd.
    pub fn worker(&self, config: &Config, stop: CancellationToken) -> Result<Option<Work>, FleetError> {
        let Some(shared) = &self.shared else { return Ok(None) };
        let keeping = kept::keep(config.keeper.state_dir.clone(), config.fleet.prefix.clone(), shared.seen.subscribe());
        #[cfg(feature = "fleet")]
        {
            let belonging = etcd::Worker::open(config, self)?.run(stop);
            Ok(Some(Box::pin(async move {
                tokio::select! {
                    () = belonging => {}
                    () = keeping => {}
                }
            })))
        }
        #[cfg(not(feature = "fleet"))]
        {
            let _ = (keeping, stop);
            Err(FleetError::NotBuilt)
        }
    }

    /// Takes in whether the keeper is ready to act; MUST be told every second. One that is not, or no longer says so,
    /// comes after all that are.
    pub fn set_fit(&self, is_fit: bool) {
        if let Some(shared) = &self.shared {
            let until = if is_fit { shared.now_ms().saturating_add(FIT_MS) } else { 0 };
            shared.fit_until_ms.store(until, Ordering::Relaxed);
        }
    }

    /// Returns the present standing; nothing for a keeper on its own.
    pub fn standing(&self) -> Option<Standing> {
        self.shared.as_ref().map(|shared| shared.known().state.standing((shared.clock)()))
    }

    /// Returns what a decision made now is allowed by.
    pub fn pass(&self) -> Pass {
        let permit = self.shared.as_ref().map(|shared| shared.known().state.permit((shared.clock)()));
        Pass { fleet: self.clone(), permit }
    }

    /// Returns what the API shows.
    pub fn view(&self) -> FleetView {
        let Some(shared) = &self.shared else { return FleetView::default() };
        let (known, now) = (shared.known(), (shared.clock)());
        let (standing, me) = (known.state.standing(now), known.state.me());
        let ranked = rank::ranking(&me.guard, known.state.members()).into_iter().zip(0..);
        let member = |(member, rank): (&rank::Member, u64)| MemberView {
            id: member.id.clone(),
            rank,
            phase: member.phase.as_str().to_owned(),
        };
        FleetView {
            mode: FleetMode::Etcd.as_str().to_owned(),
            member: me.id.clone(),
            engine_up: known.is_engine_up == Some(true),
            role: standing.role.as_str().to_owned(),
            rank: standing.rank,
            delay_slots: standing.delay_slots,
            fence: standing.fence,
            takeovers: known.state.takeovers(),
            members: ranked.map(member).collect(),
        }
    }
}

/// What the task that talks to etcd tells.
#[cfg_attr(not(feature = "fleet"), allow(dead_code, reason = "the task is part of the feature"))]
impl Fleet {
    pub(crate) fn is_fit(&self) -> bool {
        self.shared.as_ref().is_some_and(|shared| shared.now_ms() < shared.fit_until_ms.load(Ordering::Relaxed))
    }

    pub(crate) fn confirmed(&self, sent_at: Duration, revision: i64, members: Vec<rank::Member>) {
        let Some(shared) = &self.shared else { return };
        shared.seen.send_if_modified(|seen| {
            let is_news = *seen != members;
            seen.clone_from(&members);
            is_news
        });
        let mut known = shared.known();
        known.state.confirmed(sent_at, revision, members);
        known.is_engine_up = Some(shared.tell_engine(known.is_engine_up, true));
        shared.tell_standing(&mut known);
    }

    /// etcd did not answer, or not with a lease; `is_lost` where it said that there is none any more.
    fn unconfirmed(&self, is_lost: bool) {
        let Some(shared) = &self.shared else { return };
        let mut known = shared.known();
        if is_lost {
            known.state.lost();
        }
        // one answer that did not come is no outage: as long as the lease lasts, nothing is lost
        let is_up = known.state.standing((shared.clock)()).role != Role::Detached;
        known.is_engine_up = Some(shared.tell_engine(known.is_engine_up, is_up));
        shared.tell_standing(&mut known);
    }
}

impl Shared {
    fn now_ms(&self) -> u64 {
        u64::try_from((self.clock)().as_millis()).unwrap_or(u64::MAX)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Every change under this lock is one step: a panic elsewhere leaves it whole.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell_engine(&self, before: Option<bool>, is_up: bool) -> bool {
        self.metrics.fleet_engine_up.set(i64::from(is_up));
        if before != Some(is_up) {
            let (kind, text) = match is_up {
                true => (EventKind::FleetEngineUp, "the fleet's etcd answers and this keeper holds a lease"),
                false => (EventKind::FleetEngineDown, "this keeper holds no lease of the fleet's etcd"),
            };
            self.events.emit(Fact::new(kind, self.slot.load(Ordering::Relaxed), text));
        }
        is_up
    }

    fn tell_standing(&self, known: &mut Known) {
        let standing = known.state.standing((self.clock)());
        let takeovers = known.state.takeovers();
        self.metrics.fleet_takeovers.inc_by(takeovers - known.takeovers_told);
        known.takeovers_told = takeovers;
        self.metrics.fleet_rank.set(i64::try_from(standing.rank).unwrap_or(i64::MAX));
        let members = rank::ranking(&known.state.me().guard, known.state.members()).len();
        self.metrics.fleet_members.set(i64::try_from(members).unwrap_or(i64::MAX));
        for role in Role::ALL {
            let label = RoleLabel { role: role.as_str() };
            self.metrics.fleet_role.get_or_create(&label).set(i64::from(role == standing.role));
        }
        if known.told == Some((standing.role, standing.rank)) {
            return;
        }
        known.told = Some((standing.role, standing.rank));
        let text = format!("this keeper is {} at rank {}", standing.role.as_str(), standing.rank);
        let fact = Fact::new(EventKind::FleetRoleChanged, self.slot.load(Ordering::Relaxed), text);
        self.events
            .emit(fact.with("role", standing.role.as_str()).with("rank", standing.rank).with("fence", standing.fence));
    }
}

impl Pass {
    /// Returns how long to leave everything to the ranks before; nothing for a keeper on its own.
    pub fn delay_slots(&self) -> Option<u64> {
        self.permit.as_ref().map(Permit::delay_slots)
    }

    /// Tells whether what was decided under this pass may leave now.
    ///
    /// A trip may be sent by any member, so only a pause stops it: the state it was decided on is old then.
    ///
    /// # Errors
    /// [`Stale`]: it must be decided anew.
    pub fn check(&self, class: ActionClass) -> Result<(), Stale> {
        let (Some(shared), Some(permit)) = (&self.fleet.shared, &self.permit) else { return Ok(()) };
        match shared.known().state.check(permit, (shared.clock)()) {
            Err(Stale::Demoted) if class == ActionClass::Trip => Ok(()),
            result => result,
        }
    }
}
