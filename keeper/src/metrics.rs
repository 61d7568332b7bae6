//! Numbers for Prometheus: `rampart_<noun>_<unit>[_total]`, labels from fixed lists only, never an address.

use crate::intent::ActionClass;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Metric, Registry};
use std::fmt;
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

/// Labels: RPC method and result.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RpcLabel {
    /// JSON-RPC method.
    pub method: &'static str,
    /// `ok` or `error`.
    pub result: &'static str,
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
    /// Account updates, by source and result.
    account_updates: Family<UpdateLabel, Counter> = Family::default(), "rampart_account_updates";
    /// Accounts held in memory.
    accounts: Gauge = Gauge::default(), "rampart_accounts_count";
    /// Share of positions verified by the last sweep.
    coverage_ratio: Ratio = Gauge::default(), "rampart_coverage_ratio";
    /// Age of the position verified longest ago.
    coverage_oldest_seconds: Gauge = Gauge::default(), "rampart_coverage_oldest_seconds";
    /// Positions the sweep found to differ from what was held.
    sweep_mismatches: Counter = Counter::default(), "rampart_sweep_mismatches";
    /// Positions evaluated, all causes.
    evaluations: Counter = Counter::default(), "rampart_evaluations";
    /// Time from an update to the decision it led to.
    decide_seconds: Histogram = Histogram::new(exponential_buckets(1e-6, 4.0, 12)), "rampart_decide_duration_seconds";
    /// Intents made, by class and result: planned, suppressed or refused.
    intents: Family<ResultLabel, Counter> = Family::default(), "rampart_intents";
    /// Transactions, by class and result: signed, sent, observed, refused, landed, failed, lost_race, expired or unknown.
    transactions: Family<ResultLabel, Counter> = Family::default(), "rampart_transactions";
    /// Bytes handed over, by way and result; again and again counts each time.
    sends: Family<SendLabel, Counter> = Family::default(), "rampart_sends";
    /// Times bytes were handed to a node again.
    resends: Counter = Counter::default(), "rampart_transaction_resends";
    /// Transactions that are sent and not yet decided.
    in_flight: Gauge = Gauge::default(), "rampart_transactions_in_flight_count";
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
    trips_affordable: Gauge = Gauge::default(), "rampart_trips_affordable_count";
    /// RPC requests, by method and result.
    rpc_requests: Family<RpcLabel, Counter> = Family::default(), "rampart_rpc_requests";
    /// Time of one durable write to the journal.
    journal_write_seconds: Histogram = Histogram::new(exponential_buckets(1e-4, 2.0, 14)), "rampart_journal_write_duration_seconds";
    /// Writes to the journal that failed.
    journal_errors: Counter = Counter::default(), "rampart_journal_errors";
    /// Whether a peer answers, by its rank in the configuration.
    peers_up: Gauge = Gauge::default(), "rampart_peers_up_count";
}

impl Metrics {
    /// Returns the text that Prometheus reads.
    pub fn render(&self) -> String {
        let mut text = String::new();
        // CANNOT fail: a String takes any write.
        let _ = encode(&mut text, &self.registry);
        text
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
}
