mod database;
mod file;
mod http;
mod server;

use super::record::{Record, Who};
use super::*;
use crate::events::{Event, EventKind, Events, Fact};
use crate::intent::{ActionClass, Intent};
use crate::metrics::KindLabel;
use rampart::state::{Report, ReportParts};
use std::path::Path;
use std::time::Duration;
use tokio::task::JoinHandle;

const TS: i64 = 1_800_000_000;

fn key(n: u8) -> Pubkey {
    Pubkey::new_from_array([n; 32])
}

/// Settings of a keeper of guard 1 with its state in `dir`; `history` is what stands in that section.
fn config(dir: &Path, name: &str, history: &str) -> Config {
    let text = format!(
        "[cluster]\nrpc_url = \"http://127.0.0.1:1\"\nguard = \"{}\"\n[keeper]\nname = \"{name}\"\nstate_dir = {:?}\n\
         [keys]\npayer_file = \"p\"\n[history]\n{history}\n",
        key(1),
        dir.display().to_string()
    );
    let mut config: Config = toml::from_str(&text).expect("settings");
    // the rows' clock stands still, retention's does not
    let kept = &mut config.history;
    (kept.events_days, kept.decisions_days, kept.reports_days, kept.samples_days) = (36_500, 36_500, 36_500, 36_500);
    config
}

/// A keeper's history at work.
struct Running {
    config: Config,
    events: Events,
    metrics: Metrics,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    fn start(config: Config, signer: u8) -> Self {
        let metrics = Metrics::new();
        let events = Events::new(metrics.clone());
        let (recorder, writer) = prepare(&config, &key(signer), &metrics).expect("a history");
        events.record_to(recorder);
        let stop = CancellationToken::new();
        let task = tokio::spawn(writer.run(stop.clone()));
        Self { config, events, metrics, stop, task }
    }

    async fn stop(self) -> Metrics {
        self.stop.cancel();
        self.task.await.expect("an orderly end");
        self.metrics
    }

    async fn page(&self, kind: Kind, filter: Filter) -> Result<Page, HistoryError> {
        page(&self.config, kind, filter).await
    }

    /// Waits until a kind has `count` rows.
    async fn has(&self, kind: Kind, count: usize) {
        until(&format!("{count} {}", kind.as_str()), async || self.count(kind).await == Some(count)).await;
    }

    async fn count(&self, kind: Kind) -> Option<usize> {
        self.page(kind, all()).await.ok().map(|page| page.items.len())
    }
}

async fn page(config: &Config, kind: Kind, filter: Filter) -> Result<Page, HistoryError> {
    let query = Query::new(kind, &filter, &config.cluster.guard).expect("a question");
    Reader::new(config).page(query).await
}

fn all() -> Filter {
    Filter { limit: Some(query::LARGEST_LIMIT), ..Filter::default() }
}

/// Waits for a condition, a minute at most.
async fn until(what: &str, mut is_met: impl AsyncFnMut() -> bool) {
    for _ in 0..600 {
        if is_met().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("waited a minute for {what}");
}

fn trip(rule: u8, epoch: u64) -> Fact {
    let fact = Fact::new(EventKind::BreakerTripped, 100 + epoch, format!("rule {rule} tripped"));
    fact.with("rule", key(rule).to_string()).with("trip_epoch", epoch).with("scope", key(3).to_string())
}

fn intent(fence: u64) -> Intent {
    Intent { class: ActionClass::Trip, target: key(4), fence, reason: "it is true".into() }
}

/// What the submitter tells of a transaction.
fn fate(kind: EventKind, intent: &Intent, signature: &str, slot: u64) -> Fact {
    let fact = Fact::new(kind, slot, "a fate").with("intent", intent.id().to_string()).with("signature", signature);
    fact.with("target", intent.target.to_string())
}

fn report(seq: u64) -> Report {
    let parts = ReportParts { score_bps: 4_200, ..ReportParts::default() };
    let (subject, keeper) = (key(3), key(8));
    Report { seq, set_epoch: 1, subject, keeper, parts, observed_at_ts: TS, ..bytemuck::Zeroable::zeroed() }
}

fn view(ts: i64) -> crate::view::View {
    use crate::view::{AssetPriceView, AssetView, ChainView, RuleView, VaultView, View};
    let price = AssetPriceView { mid: Some("150.250000000000000001".into()), ..AssetPriceView::default() };
    let asset = AssetView { address: key(2).to_string(), price, ..AssetView::default() };
    let debt_amount = u64::MAX.to_string();
    let vault = VaultView { address: key(3).to_string(), debt_amount, utilisation_bps: 7_000, ..VaultView::default() };
    let rule = RuleView { address: key(4).to_string(), value: Some("731".into()), level: 2, ..RuleView::default() };
    let chain = ChainView { slot: 9, unix_ts: ts };
    View { assets: vec![asset], vaults: vec![vault], rules: vec![rule], chain, ..View::default() }
}

/// Samples of an asset and a vault: three periods of five minutes, in the first of them two prices and in the last none.
fn prices() -> Vec<Record> {
    let who = Who { guard: key(1).to_string(), keeper: "one".into(), signer: key(9).to_string() };
    let sample = |ts: i64, price: Option<&str>| {
        let mut view = view(ts);
        view.assets[0].price.mid = price.map(str::to_owned);
        [who.asset(&view.assets[0], ts, ts, 1), who.vault(&view.vaults[0], ts, ts, 1)]
    };
    let all = [(TS, Some("100")), (TS + 285, Some("101.5")), (TS + 300, Some("99")), (TS + 600, None)];
    all.into_iter().flat_map(|(ts, price)| sample(ts, price)).collect()
}

async fn closes_are_the_last(config: &Config) {
    let query = |from_ts| Query::closes(&key(1), from_ts, 300);
    let found = Reader::new(config).page(query(TS)).await.expect("a page");
    assert_eq!((texts(&found, "price"), found.next), (vec!["99".to_owned(), "101.5".to_owned()], None));
    let later = Reader::new(config).page(query(TS + 1)).await.expect("a page");
    assert_eq!(texts(&later, "price"), ["99", "101.5"]);
    let none = Reader::new(config).page(query(TS + 301)).await.expect("a page");
    assert_eq!(texts(&none, "price"), [""; 0]);
}

fn texts(page: &Page, field: &str) -> Vec<String> {
    let text = |item: &serde_json::Value| item[field].as_str().map_or_else(|| item[field].to_string(), str::to_owned);
    page.items.iter().map(text).collect()
}

fn dropped(metrics: &Metrics, kind: Kind) -> u64 {
    metrics.history_dropped.get_or_create(&KindLabel { kind: kind.as_str() }).get()
}
