//! What the engine keeps for the operator: pauses, the recording, what is known of the guard's rulers, readiness told.

use crate::capture::{Frame, Recorder};
use crate::config::Config;
use crate::control::{Group, Pauses};
use crate::decide::Policy;
use crate::events::{EventKind, Fact};
use crate::metrics::GroupLabel;
use crate::run::courier::Courier;
use crate::run::engine::Engine;
use crate::takeover::Standing;
use crate::view::{PausedView, View};
use std::sync::Arc;
use tokio::sync::watch;

/// Views in a row that must say the same before a change of readiness is told: a moment is no news.
const VIEWS_TO_TELL: u32 = 8;

/// What the engine keeps for the operator.
#[derive(Default)]
pub struct Ops {
    pauses: Pauses,
    recorder: Option<Recorder>,
    standings: Option<watch::Sender<Option<Arc<Standing>>>>,
    is_privileged_dirty: bool,
    told_ready: bool,
    turned_views: u32,
}

impl Ops {
    /// Records what a decision is made from; the frame is only built if there is a recording.
    pub(in crate::run) fn record(&self, frame: impl FnOnce() -> Frame) {
        if let Some(recorder) = &self.recorder {
            recorder.record(frame());
        }
    }

    pub(super) const fn privileged_changed(&mut self) {
        self.is_privileged_dirty = true;
    }
}

impl<C: Courier> Engine<C> {
    /// Records from now on everything that decisions are made from.
    pub fn record_to(&mut self, recorder: Recorder) {
        self.ops.recorder = Some(recorder);
        self.ops.record(|| Frame::policy(&self.policy));
    }

    /// Tells from now on what is known of the guard's rulers.
    pub fn tell_standing_to(&mut self, standings: watch::Sender<Option<Arc<Standing>>>) {
        self.ops.standings = Some(standings);
    }

    /// Takes over what an operator paused.
    pub fn set_pauses(&mut self, pauses: Pauses) {
        for group in Group::ALL {
            let gauge = self.metrics.class_paused.get_or_create(&GroupLabel { class: group.as_str() });
            gauge.set(i64::from(pauses.holds(group)));
        }
        self.ops.pauses = pauses;
        self.set_policy();
    }

    /// Takes over the settings that can change while it runs.
    pub fn set_config(&mut self, config: Arc<Config>) {
        self.builder = crate::view::Builder::new(config.labels());
        self.config = config;
        self.set_policy();
    }

    fn set_policy(&mut self) {
        let mut policy = Policy::new(&self.config);
        policy.classes = self.ops.pauses.mask(policy.classes);
        // settings of routes need a restart; what they asked for, and how long they were told to wait, stays known
        policy.economics.routes = std::mem::take(&mut self.policy.economics.routes);
        self.policy = policy;
        self.ops.record(|| Frame::policy(&self.policy));
        // what was held back may be due now
        self.is_dirty = true;
        self.has_news = true;
    }

    pub(in crate::run) fn is_paused(&self, group: Group) -> bool {
        self.ops.pauses.holds(group)
    }

    pub(in crate::run) fn paused(&self) -> Vec<PausedView> {
        let view = |(group, pause): (&Group, &crate::control::Pause)| PausedView {
            class: group.as_str().to_owned(),
            reason: pause.reason.clone(),
            since_ts: pause.since_ts,
        };
        self.ops.pauses.0.iter().map(view).collect()
    }

    /// Hands what is known of the guard's rulers on, where it may have changed and is known whole.
    pub(super) fn tell_standing(&mut self) {
        if !self.ops.is_privileged_dirty || self.ops.standings.is_none() || !self.is_gapless() {
            return;
        }
        let Some(standing) = Standing::of(&self.store) else { return };
        self.ops.is_privileged_dirty = false;
        if let Some(standings) = &self.ops.standings {
            standings.send_if_modified(|known| {
                let is_news = known.as_deref() != Some(&standing);
                if is_news {
                    *known = Some(Arc::new(standing));
                }
                is_news
            });
        }
    }

    /// Tells when readiness has turned for good.
    pub fn tell_ready(&mut self, view: &View) {
        if view.keeper.ready == self.ops.told_ready {
            self.ops.turned_views = 0;
            return;
        }
        self.ops.turned_views += 1;
        if self.ops.turned_views < VIEWS_TO_TELL {
            return;
        }
        (self.ops.told_ready, self.ops.turned_views) = (view.keeper.ready, 0);
        let fact = if view.keeper.ready {
            Fact::new(EventKind::KeeperReady, view.keeper.slot, "the keeper may act on every class")
        } else {
            let reasons = view.keeper.not_ready_reasons.join("; ");
            Fact::new(EventKind::KeeperNotReady, view.keeper.slot, format!("the keeper may not act: {reasons}"))
        };
        self.events.emit(fact);
    }
}
