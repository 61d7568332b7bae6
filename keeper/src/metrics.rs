//! Numbers for Prometheus: `rampart_<noun>_<unit>[_total]`, labels from fixed lists only, never an address.

use crate::economics::Declined;
use crate::events::EventKind;
use crate::intent::ActionClass;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Metric, Registry};
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// A gauge with fractions.
pub type Ratio = Gauge<f64, AtomicU64>;
/// A histogram for each set of labels.
pub type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// Label: kind of event.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct KindLabel {
    /// From `EventKind`.
    pub kind: &'static str,
}

/// Label: a source of data.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct SourceLabel {
    /// `poll`, `websocket`, or an endpoint's name in the settings.
    pub source: String,
}

/// Labels: a gRPC stream and why it ended.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct StreamLabel {
    /// Its name in the settings.
    pub source: String,
    /// From a fixed list.
    pub reason: &'static str,
}

/// Labels: a source of early prices and why it was lost.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct SignalLabel {
    /// Its name in the settings.
    pub source: String,
    /// From the fixed list of `SignalError`.
    pub reason: &'static str,
}

/// Labels: a source of data and what became of an update.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct UpdateLabel {
    /// `websocket` or `poll`.
    pub source: &'static str,
    /// `applied`, `stale`, `duplicate` or `decode_error`.
    pub result: &'static str,
}

/// Label: an endpoint, by its name in the settings.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct EndpointLabel {
    /// The name.
    pub endpoint: String,
}

/// Labels: an endpoint and why it gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RefusalLabel {
    /// Its name in the settings.
    pub endpoint: String,
    /// From the fixed lists of `RpcError` and `CallError`.
    pub reason: &'static str,
}

/// Labels: a way by which transactions go out, and how it took one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct SendLabel {
    /// Its name in the settings.
    pub sender: String,
    /// `ok`, or from the fixed list of `CallError`.
    pub result: &'static str,
}

/// Label: class of action.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ClassLabel {
    /// The class.
    pub class: ActionClass,
}

/// Labels: class of action and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ResultLabel {
    /// The class.
    pub class: ActionClass,
    /// From a fixed list in the module that counts.
    pub result: &'static str,
}

/// Labels: class of liquidation and why it was declined.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct DeclinedLabel {
    /// The class.
    pub class: ActionClass,
    /// From `Declined`.
    pub reason: &'static str,
}

/// Labels: RPC method and result.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RpcLabel {
    /// JSON-RPC method.
    pub method: &'static str,
    /// `ok` or `error`.
    pub result: &'static str,
}

/// Label: what became of something.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OnlyResultLabel {
    /// From a fixed list in the module that counts.
    pub result: &'static str,
}

/// Label: a horizon.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct HorizonLabel {
    /// `6h` or `24h`.
    pub horizon: &'static str,
}

/// Label: a level of the value at risk.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct LevelLabel {
    /// Share of hours that fall less, %: `99` or `99.9`.
    pub level: &'static str,
}

/// Label: task of the keeper.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct TaskLabel {
    /// Its name.
    pub task: &'static str,
}

/// Label: group of classes that is switched as one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct GroupLabel {
    /// Its name in the settings.
    pub class: &'static str,
}

/// Labels: kind of sink and what became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct NotifyLabel {
    /// `webhook`, `slack`, `pagerduty` or `telegram`.
    pub kind: &'static str,
    /// `delivered`, `retried`, `refused`, `dropped` or `repeated`.
    pub result: &'static str,
}

/// Label: role in the fleet.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RoleLabel {
    /// From `fleet::Role`.
    pub role: &'static str,
}

/// Labels of a model.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ModelLabel {
    /// `crash` or `policy`.
    pub kind: &'static str,
    /// Its version.
    pub version: u32,
    /// The beginning of its hash.
    pub hash: String,
}

/// Labels of the build.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct BuildLabel {
    /// Version of the keeper.
    pub version: &'static str,
}

impl prometheus_client::encoding::EncodeLabelValue for ActionClass {
    fn encode(&self, encoder: &mut LabelValueEncoder) -> fmt::Result {
        prometheus_client::encoding::EncodeLabelValue::encode(&self.as_str(), encoder)
    }
}

macro_rules! metrics {
    ($($(#[doc = $help:literal])+ $field:ident: $type:ty = $build:expr, $name:literal;)+) => {
        /// Every number the keeper tells. Cheap to clone: clones share their values.
        #[derive(Clone)]
        pub struct Metrics {
            registry: Arc<Registry>,
            $($(#[doc = $help])+ pub $field: $type,)+
        }

        impl Metrics {
            /// Makes a set in which everything is zero.
            pub fn new() -> Self {
                let mut registry = Registry::default();
                $(let $field: $type = $build; add(&mut registry, $name, concat!($($help),+), $field.clone());)+
                let metrics = Self { registry: Arc::new(registry), $($field),+ };
                metrics.build_info.get_or_create(&BuildLabel { version: env!("CARGO_PKG_VERSION") }).set(1);
                metrics.begin();
                metrics
            }

            /// Names of all metrics without the suffix of counters, in the order they are told.
            pub const NAMES: &'static [&'static str] = &[$($name),+];
        }
    };
}

metrics! {
    /// Version of the running keeper; always 1.
    build_info: Family<BuildLabel, Gauge> = Family::default(), "rampart_build_info";
    /// Facts told, by kind.
    events: Family<KindLabel, Counter> = Family::default(), "rampart_events";
    /// Newest slot the keeper knows.
    slot: Gauge = Gauge::default(), "rampart_slot_number";
    /// Measured length of a slot.
    slot_seconds: Ratio = Gauge::default(), "rampart_slot_duration_seconds";
    /// Whether the keeper is ready to act.
    ready: Gauge = Gauge::default(), "rampart_ready_state";
    /// Rules that are switched on and can't be judged now.
    rules_blind: Gauge = Gauge::default(), "rampart_rules_blind";
    /// Whether a source delivers.
    source_up: Family<SourceLabel, Gauge> = Family::default(), "rampart_source_up_state";
    /// Whether a source may have missed something that no snapshot brought since.
    source_gap: Family<SourceLabel, Gauge> = Family::default(), "rampart_source_gap_state";
    /// Whether an endpoint is on the right chain and abreast of the others.
    endpoint_usable: Family<EndpointLabel, Gauge> = Family::default(), "rampart_endpoint_usable_state";
    /// Requests without an answer that was used, by endpoint and reason.
    endpoint_failures: Family<RefusalLabel, Counter> = Family::default(), "rampart_endpoint_failures";
    /// Slots a source lags behind the newest known.
    source_lag_slots: Family<SourceLabel, Gauge> = Family::default(), "rampart_source_lag_slots";
    /// Times a source was connected anew.
    source_reconnects: Family<SourceLabel, Counter> = Family::default(), "rampart_source_reconnects";
    /// Times a gRPC stream ended, by source and reason.
    stream_ends: Family<StreamLabel, Counter> = Family::default(), "rampart_stream_ends";
    /// Whether a source of early prices gives any.
    signal_up: Family<SourceLabel, Gauge> = Family::default(), "rampart_signal_up_state";
    /// Times a source of early prices was lost, by source and reason.
    signal_failures: Family<SignalLabel, Counter> = Family::default(), "rampart_signal_failures";
    /// Widest gap between an early price and the same feed on chain, by source of early prices.
    signal_gap_bps: Family<SourceLabel, Gauge> = Family::default(), "rampart_signal_gap_bps";
    /// Most that an early price is ahead of the same feed on chain, by source of early prices.
    signal_lead_seconds: Family<SourceLabel, Gauge> = Family::default(), "rampart_signal_lead_seconds";
    /// Signed updates that were heard, by result: kept, older or malformed.
    signed_updates: Family<OnlyResultLabel, Counter> = Family::default(), "rampart_signed_updates";
    /// Postings of signed updates, by what became of them: opened, posted, lost_race, closed, failed, refused or abandoned.
    posts: Family<OnlyResultLabel, Counter> = Family::default(), "rampart_posts";
    /// Accounts of Pyth feeds in use that nothing can be posted to; 0 where nothing is posted at all.
    feeds_not_postable: Gauge = Gauge::default(), "rampart_feeds_not_postable";
    /// Account updates, by source and result.
    account_updates: Family<UpdateLabel, Counter> = Family::default(), "rampart_account_updates";
    /// Accounts held in memory.
    accounts: Gauge = Gauge::default(), "rampart_accounts";
    /// Share of positions verified by the last sweep.
    coverage_ratio: Ratio = Gauge::default(), "rampart_coverage_ratio";
    /// Age of the position verified longest ago.
    coverage_oldest_seconds: Gauge = Gauge::default(), "rampart_coverage_oldest_seconds";
    /// Positions the sweep found to differ from what was held.
    sweep_mismatches: Counter = Counter::default(), "rampart_sweep_mismatches";
    /// The highest risk score of all assets and vaults, bps.
    score: Gauge = Gauge::default(), "rampart_score_bps";
    /// Its band: 0 normal, 1 watch, 2 tighten, 3 restrict, 4 breaker.
    score_band: Gauge = Gauge::default(), "rampart_score_band_state";
    /// The highest probability of a fall through the buffer of all assets and vaults, by horizon; absent where none is known.
    fall_probability: Family<HorizonLabel, Ratio> = Family::default(), "rampart_fall_probability_ratio";
    /// The highest value at risk of the next hour of all assets and vaults, share of the price, by level; absent where none is known.
    value_at_risk: Family<LevelLabel, Ratio> = Family::default(), "rampart_value_at_risk_ratio";
    /// 1 for each model in use, by kind: crash, or the policy that is chosen in shadow.
    model_info: Family<ModelLabel, Gauge> = Family::default(), "rampart_model_info";
    /// Whether the library of policies is refused.
    library_refused: Gauge = Gauge::default(), "rampart_library_refused_state";
    /// Decisions of policies in shadow, by result: same as the rules', or other.
    shadow_decisions: Family<OnlyResultLabel, Counter> = Family::default(), "rampart_shadow_decisions";
    /// Positions evaluated, all causes.
    evaluations: Counter = Counter::default(), "rampart_evaluations";
    /// Time from an update to the decision it led to.
    decide_seconds: Histogram = Histogram::new(exponential_buckets(1e-6, 4.0, 12)), "rampart_decide_duration_seconds";
    /// Intents made, by class and result: planned, suppressed, refused or withdrawn.
    intents: Family<ResultLabel, Counter> = Family::default(), "rampart_intents";
    /// Liquidations that could be done and are not, by class and reason: no_way, loss or too_little.
    declined: Family<DeclinedLabel, Counter> = Family::default(), "rampart_liquidations_declined";
    /// Transactions, by class and result: signed, sent, observed, refused, landed, failed, lost_race, expired or unknown.
    transactions: Family<ResultLabel, Counter> = Family::default(), "rampart_transactions";
    /// Simulations before the first send, by class and result: passed, refused or unanswered.
    simulations: Family<ResultLabel, Counter> = Family::default(), "rampart_simulations";
    /// Bytes handed over, by way and result; again and again counts each time.
    sends: Family<SendLabel, Counter> = Family::default(), "rampart_sends";
    /// Times bytes were handed to a node again.
    resends: Counter = Counter::default(), "rampart_transaction_resends";
    /// Transactions that are sent and not yet decided.
    in_flight: Gauge = Gauge::default(), "rampart_transactions_in_flight";
    /// Age of the oldest transaction whose fate is unknown.
    unknown_oldest_seconds: Gauge = Gauge::default(), "rampart_transaction_unknown_oldest_seconds";
    /// Time from the decision to the hand-over of signed bytes.
    send_seconds: Histograms<ClassLabel> = Family::new_with_constructor(latency), "rampart_send_duration_seconds";
    /// Time from the first send to the confirmed block.
    land_seconds: Histograms<ClassLabel> = Family::new_with_constructor(latency), "rampart_land_duration_seconds";
    /// Fees paid or reserved, by class.
    fee_lamports: Family<ClassLabel, Counter> = Family::default(), "rampart_fee_lamports";
    /// Highest price that others pay for an account the keeper writes, micro-lamports per compute unit.
    market_price: Gauge = Gauge::default(), "rampart_market_price_micro_lamports";
    /// Balance of the payer.
    payer_lamports: Gauge = Gauge::default(), "rampart_payer_balance_lamports";
    /// Trips that the payer can still afford.
    trips_affordable: Gauge = Gauge::default(), "rampart_trips_affordable";
    /// RPC requests, by method and result.
    rpc_requests: Family<RpcLabel, Counter> = Family::default(), "rampart_rpc_requests";
    /// Time of one durable write to the journal.
    journal_write_seconds: Histogram = Histogram::new(exponential_buckets(1e-4, 2.0, 14)), "rampart_journal_write_duration_seconds";
    /// Writes to the journal that failed.
    journal_errors: Counter = Counter::default(), "rampart_journal_errors";
    /// Records taken into the history's local file, by kind.
    history_records: Family<KindLabel, Counter> = Family::default(), "rampart_history_records";
    /// Records that the history lost, by kind; samples go first.
    history_dropped: Family<KindLabel, Counter> = Family::default(), "rampart_history_dropped";
    /// Writes and deliveries of the history that failed.
    history_errors: Counter = Counter::default(), "rampart_history_errors";
    /// Records that wait for the team's database.
    history_waiting: Gauge = Gauge::default(), "rampart_history_waiting_records";
    /// Whether the team's database took the last delivery.
    history_up: Gauge = Gauge::default(), "rampart_history_up_state";
    /// Whether a peer answers, by its rank in the configuration.
    peers_up: Gauge = Gauge::default(), "rampart_peers_up";
    /// Time the process began, unix seconds by the host's clock.
    started_seconds: Gauge = Gauge::default(), "rampart_start_time_seconds";
    /// Memory that is allocated now, SQLite's left out; 0 in a program whose allocator doesn't count.
    memory: Gauge = Gauge::default(), "rampart_memory_allocated_bytes";
    /// Host's clock minus the chain's; decides nothing.
    clock_skew_seconds: Gauge = Gauge::default(), "rampart_clock_skew_seconds";
    /// Whether an operator paused a class.
    class_paused: Family<GroupLabel, Gauge> = Family::default(), "rampart_class_paused_state";
    /// Tasks that died and were started anew.
    task_restarts: Family<TaskLabel, Counter> = Family::default(), "rampart_task_restarts";
    /// Reloads of the settings, by result: applied, unchanged or refused.
    settings_reloads: Family<OnlyResultLabel, Counter> = Family::default(), "rampart_settings_reloads";
    /// Deliveries of alerts, by kind of sink and result: delivered, retried, dropped or repeated.
    notify: Family<NotifyLabel, Counter> = Family::default(), "rampart_notify_deliveries";
    /// Alerts that wait to be delivered.
    notify_backlog: Gauge = Gauge::default(), "rampart_notify_backlog";
    /// Age of the alert that has waited longest.
    notify_oldest_seconds: Gauge = Gauge::default(), "rampart_notify_oldest_seconds";
    /// Signs of a takeover, by kind.
    takeover_signs: Family<KindLabel, Counter> = Family::default(), "rampart_takeover_signs";
    /// Frames of the recording, by result: written or lost.
    capture_frames: Family<OnlyResultLabel, Counter> = Family::default(), "rampart_capture_frames";
    /// Whether this keeper holds a lease of its fleet's etcd.
    fleet_engine_up: Gauge = Gauge::default(), "rampart_fleet_engine_up";
    /// Place among the keepers of its guard; the owner's is 0.
    fleet_rank: Gauge = Gauge::default(), "rampart_fleet_rank";
    /// Keepers of its guard that etcd told of last.
    fleet_members: Gauge = Gauge::default(), "rampart_fleet_members";
    /// Keepers that there are to be, by the settings; 0 where these don't say.
    fleet_expected: Gauge = Gauge::default(), "rampart_fleet_expected_members";
    /// 1 for the role that it has in its fleet.
    fleet_role: Family<RoleLabel, Gauge> = Family::default(), "rampart_fleet_role";
    /// Times it took the place of another owner.
    fleet_takeovers: Counter = Counter::default(), "rampart_fleet_takeovers";
}

/// Sets the value of a label; one that isn't known is told no longer.
pub fn set_known<L: Clone + Eq + Hash>(family: &Family<L, Ratio>, label: &L, value: Option<f64>) {
    match value {
        Some(value) => drop(family.get_or_create(label).set(value)),
        None => drop(family.remove(label)),
    }
}

impl Metrics {
    /// Returns the text that Prometheus reads.
    pub fn render(&self) -> String {
        self.memory.set(i64::try_from(peak_alloc::PeakAlloc.current_usage()).unwrap_or(i64::MAX));
        let mut text = String::new();
        // CANNOT fail: a String takes any write.
        let _ = encode(&mut text, &self.registry);
        text
    }

    /// Begins at zero what alerts look for: a counter that appears with its first event has not risen for Prometheus.
    fn begin(&self) {
        for kind in EventKind::ALL {
            drop(self.events.get_or_create(&KindLabel { kind: kind.as_str() }));
        }
        for kind in crate::takeover::KINDS {
            drop(self.takeover_signs.get_or_create(&KindLabel { kind }));
        }
        for class in ActionClass::ALL {
            drop(self.intents.get_or_create(&ResultLabel { class, result: "withdrawn" }));
            for result in ["landed", "failed", "lost_race", "expired"] {
                drop(self.transactions.get_or_create(&ResultLabel { class, result }));
            }
        }
        for class in [ActionClass::Liquidate, ActionClass::Deleverage] {
            for reason in Declined::NAMES {
                drop(self.declined.get_or_create(&DeclinedLabel { class, reason }));
            }
        }
        for result in ["applied", "unchanged", "refused"] {
            drop(self.settings_reloads.get_or_create(&OnlyResultLabel { result }));
        }
        for result in ["same", "other"] {
            drop(self.shadow_decisions.get_or_create(&OnlyResultLabel { result }));
        }
        for result in ["written", "lost"] {
            drop(self.capture_frames.get_or_create(&OnlyResultLabel { result }));
        }
        for result in ["kept", "older", "malformed"] {
            drop(self.signed_updates.get_or_create(&OnlyResultLabel { result }));
        }
        for result in ["opened", "posted", "lost_race", "closed", "failed", "refused", "abandoned"] {
            drop(self.posts.get_or_create(&OnlyResultLabel { result }));
        }
        for kind in ["webhook", "slack", "pagerduty", "telegram"] {
            for result in ["delivered", "retried", "refused", "dropped", "repeated"] {
                drop(self.notify.get_or_create(&NotifyLabel { kind, result }));
            }
        }
        for task in crate::run::TASKS {
            drop(self.task_restarts.get_or_create(&TaskLabel { task }));
        }
    }

    /// Counts one transaction of a class.
    pub fn count_transaction(&self, class: ActionClass, result: &'static str) {
        self.transactions.get_or_create(&ResultLabel { class, result }).inc();
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

fn latency() -> Histogram {
    Histogram::new(exponential_buckets(1e-3, 2.0, 16))
}

fn add(registry: &mut Registry, name: &'static str, help: &'static str, metric: impl Metric) {
    // The library ends the text with a full stop and counters with `_total` by itself.
    registry.register(name, help.trim().trim_end_matches('.'), metric);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn render_tells_every_metric_that_has_a_value() {
        let metrics = Metrics::new();
        metrics.count_transaction(ActionClass::Trip, "landed");
        let text = metrics.render();
        assert!(text.contains("rampart_transactions_total{class=\"trip\",result=\"landed\"} 1"), "{text}");
        assert!(text.contains("rampart_payer_balance_lamports 0"), "{text}");
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn names_follow_the_convention_and_are_unique() {
        let mut seen = std::collections::BTreeSet::new();
        for name in Metrics::NAMES {
            assert!(name.starts_with("rampart_"), "{name}");
            assert!(!name.ends_with("_total"), "{name}: the library adds the suffix");
            assert!(seen.insert(name), "{name} is told twice");
        }
    }

    #[test]
    fn every_name_in_rules_dashboard_and_manual_is_one_that_is_told() {
        let files = [
            include_str!("../../deploy/prometheus/rampart.rules.yml"),
            include_str!("../../deploy/prometheus/rampart.test.yml"),
            include_str!("../../deploy/grafana/rampart.json"),
            include_str!("../../docs/operating.md"),
        ];
        let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
        let mut seen = 0;
        for name in files.into_iter().flat_map(|file| file.split(|c: char| !is_name(c))) {
            let Some(name) = name.strip_prefix("rampart_").map(|_| name) else { continue };
            let bare = ["_total", "_bucket", "_count", "_sum"].iter().filter_map(|end| name.strip_suffix(end));
            let is_told = std::iter::once(name).chain(bare).any(|name| Metrics::NAMES.contains(&name));
            assert!(is_told || name == "rampart_keeper", "{name} is told by nobody");
            seen += 1;
        }
        assert!(seen > 100, "{seen}");
    }

    #[test]
    fn what_alerts_look_for_begins_at_zero() {
        let text = Metrics::new().render();
        for line in [
            "rampart_events_total{kind=\"breaker_tripped\"} 0",
            "rampart_takeover_signs_total{kind=\"role_moved\"} 0",
            "rampart_transactions_total{class=\"trip\",result=\"failed\"} 0",
            "rampart_intents_total{class=\"trip\",result=\"withdrawn\"} 0",
            "rampart_liquidations_declined_total{class=\"liquidate\",reason=\"loss\"} 0",
            "rampart_settings_reloads_total{result=\"refused\"} 0",
            "rampart_capture_frames_total{result=\"lost\"} 0",
            "rampart_task_restarts_total{task=\"engine\"} 0",
        ] {
            assert!(text.contains(line), "{line} is missing");
        }
    }
}
