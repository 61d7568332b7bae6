//! What the keeper says of itself: the view, readiness, and the gauges.

use crate::chain::liveness::SourceHealth;
use crate::config::Mode;
use crate::early;
use crate::intent::ActionClass;
use crate::metrics::{ModelLabel, SourceLabel};
use crate::run::courier::Courier;
use crate::run::engine::Engine;
use crate::submit::Hour;
use crate::view::build::Inputs;
use crate::view::{BudgetView, CoverageView, KeeperView, ScoreView, SourceView, View};
use std::time::{Duration, Instant};

impl<C: Courier> Engine<C> {
    /// Builds the view and sets the gauges.
    pub fn view(&self) -> View {
        let keeper = self.keeper();
        self.measure(&keeper);
        let inputs = Inputs { store: &self.store, assessment: &self.assessment, tallies: &self.tallies };
        let mut view = self.builder.build(inputs, keeper);
        self.show_early(&mut view);
        self.show_declined(&mut view);
        view
    }

    /// Shows how many positions of each vault are left alone because of what they would bring.
    fn show_declined(&self, view: &mut View) {
        let declined = self.history.all_declined().filter_map(|key| self.store.position(key));
        for vault in declined.map(|position| position.vault.to_string()) {
            let shown = view.vaults.iter_mut().find(|shown| shown.address == vault);
            shown.into_iter().for_each(|shown| shown.positions.declined += 1);
        }
    }

    /// Shows what was heard early beside what is on chain.
    fn show_early(&self, view: &mut View) {
        let gaps = early::gaps(&self.shared.early, &self.store, &self.assessment);
        for asset in &mut view.assets {
            let about = gaps.iter().filter(|gap| gap.asset.to_string() == asset.address);
            asset.early = about.map(early::Gap::view).collect();
        }
        for signal in &view.keeper.signals {
            let label = SourceLabel { source: signal.name.clone() };
            let of = || gaps.iter().filter(|gap| gap.signal == signal.name);
            let widest = of().filter_map(|gap| gap.gap_bps).map(i64::abs).max();
            self.metrics.signal_up.get_or_create(&label).set(i64::from(signal.up));
            self.metrics.signal_gap_bps.get_or_create(&label).set(widest.unwrap_or(0));
            let lead = of().filter_map(|gap| gap.lead_secs).max();
            self.metrics.signal_lead_seconds.get_or_create(&label).set(lead.unwrap_or(0));
        }
    }

    fn keeper(&self) -> KeeperView {
        let now = Instant::now();
        let not_ready_reasons = self.not_ready_reasons(now);
        KeeperView {
            name: self.config.keeper.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            mode: self.config.keeper.mode.as_str().to_owned(),
            started_at_ts: self.started_at_ts,
            signer: self.signer.to_string(),
            slot: self.clock.tip_slot(),
            slot_ms: u64::try_from(self.clock.slot_duration().as_millis()).unwrap_or(u64::MAX),
            ready: not_ready_reasons.is_empty(),
            not_ready_reasons,
            sources: self.source_views(now),
            signals: early::view(&self.shared.early),
            coverage: self.coverage(now),
            balance_lamports: self.balance().to_string(),
            transactions: self.courier.counts(),
            paused: self.paused(),
            fleet: self.fleet.view(),
            score: self.scorer.view(),
            budgets: ActionClass::ALL.map(|class| budget(class, self.courier.hour(class))).into(),
            kept_for_trips_lamports: Some(self.courier.hour(ActionClass::Observe).reserved_lamports.to_string()),
        }
    }

    fn source_views(&self, now: Instant) -> Vec<SourceView> {
        let sockets = self.sources.sockets.iter();
        let mut views: Vec<_> = sockets.map(|socket| source(&socket.name, "websocket", &socket.health, now)).collect();
        // a request holds everything as of its slot: it has no gap of its own
        let poll = SourceHealth { has_gap: false, ..self.sources.poll.clone() };
        views.push(source("poll", "poll", &poll, now));
        views
    }

    fn coverage(&self, now: Instant) -> CoverageView {
        let (verified_ratio, oldest) = self.store.coverage(now, self.coverage_age());
        CoverageView {
            positions: self.store.position_count() as u64,
            verified_ratio,
            oldest_secs: oldest.as_secs(),
            mismatches: self.mismatches,
        }
    }

    /// What a sweep verified stays verified until the next could have come twice.
    fn coverage_age(&self) -> Duration {
        Duration::from_secs(self.config.ingest.sweep_secs) * 2 + Duration::from_secs(2)
    }

    fn not_ready_reasons(&self, now: Instant) -> Vec<String> {
        let (covered, _) = self.store.coverage(now, self.coverage_age());
        let is_missing = [
            (self.clock.now().is_none(), "the chain's clock is not known".to_owned()),
            (self.store.guard().is_none(), "the guard account is not known".to_owned()),
            (!self.is_gapless(), "no source of data is complete".to_owned()),
            (!self.has_blockhash(), "no fresh blockhash".to_owned()),
            (covered < 1.0, "not every position was verified lately".to_owned()),
            (
                self.courier.is_journal_failing(),
                "the journal takes nothing: nothing but trips can be signed".to_owned(),
            ),
            (self.store.quarantined() > 0, format!("{} accounts can't be read", self.store.quarantined())),
            (
                self.balance() < self.config.budget.min_payer_lamports,
                format!("balance of {} lamports is below the minimum", self.balance()),
            ),
        ];
        is_missing.into_iter().filter(|(is_missing, _)| *is_missing).map(|(_, reason)| reason).collect()
    }

    /// What is judged by; what isn't in use any more is told no longer.
    fn measure_models(&self, score: &ScoreView) {
        let crash = score.model.iter().map(|model| ("crash", model.version, &model.hash));
        let chosen = score.library.policies.iter().filter(|policy| policy.is_chosen);
        let models = crash.chain(chosen.map(|policy| ("policy", policy.version, &policy.hash)));
        self.metrics.model_info.clear();
        for (kind, version, hash) in models {
            let hash = hash.chars().take(12).collect();
            self.metrics.model_info.get_or_create(&ModelLabel { kind, version, hash }).set(1);
        }
        self.metrics.library_refused.set(i64::from(score.library.state == "refused"));
    }

    fn measure(&self, keeper: &KeeperView) {
        let gauge = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        self.measure_models(&keeper.score);
        self.metrics.slot.set(gauge(keeper.slot));
        self.metrics.slot_seconds.set(self.clock.slot_duration().as_secs_f64());
        let host_ts = crate::events::unix_ts();
        let skew = self.clock.now().map_or(0, |now| host_ts.saturating_sub(now.unix_ts));
        self.metrics.clock_skew_seconds.set(skew);
        self.metrics.ready.set(i64::from(keeper.ready));
        // who only observes must own nothing: all that are fit come before it
        self.fleet.set_fit(keeper.ready && self.config.keeper.mode == Mode::Act);
        self.metrics.accounts.set(gauge(self.store.account_count() as u64));
        self.metrics.coverage_ratio.set(keeper.coverage.verified_ratio);
        self.metrics.coverage_oldest_seconds.set(gauge(keeper.coverage.oldest_secs));
        for view in &keeper.sources {
            let label = SourceLabel { source: view.name.clone() };
            self.metrics.source_up.get_or_create(&label).set(i64::from(view.up));
            self.metrics.source_gap.get_or_create(&label).set(i64::from(view.has_gap));
            let lag = keeper.slot.saturating_sub(view.last_slot);
            self.metrics.source_lag_slots.get_or_create(&label).set(gauge(lag));
        }
    }
}

fn source(name: &str, kind: &str, health: &SourceHealth, now: Instant) -> SourceView {
    SourceView {
        name: name.to_owned(),
        kind: kind.to_owned(),
        up: health.is_up,
        last_slot: health.last_slot,
        silent_ms: u64::try_from(health.silent(now).as_millis()).unwrap_or(u64::MAX),
        reconnects: health.reconnects,
        has_gap: health.has_gap,
    }
}

fn budget(class: ActionClass, hour: Hour) -> BudgetView {
    BudgetView {
        class: class.as_str().to_owned(),
        own_lamports: hour.own_lamports.to_string(),
        spent_lamports: hour.spent_lamports.to_string(),
        allowance_lamports: hour.allowance_lamports.map(|lamports| lamports.to_string()),
        left_lamports: hour.left_lamports().map(|lamports| lamports.to_string()),
    }
}
