//! API, app, metrics and health, on one address.
//!
//! Reading needs no login, so the address is loopback unless the operator sets another one; acting needs a token. Owns the list of peers; the rest
//! of what it shows is handed over by `run`.

mod accounts;
mod api;
mod app;
mod control;
mod error;
mod health;
mod history;
mod lab;
mod openapi;
mod peers;
mod relay;
mod stream;
#[cfg(test)]
mod tests;

pub use accounts::AccountList;
pub use api::{PriceHistory, Sample};
pub use control::{Door, PauseRequest, ResumeRequest, TripRequest};
pub use error::HttpError;
pub use health::Pulse;
pub use relay::Chain;

use crate::config::Peer;
use crate::control::Group;
use crate::events::{EventKind, Events, Fact, Severity};
use crate::history::Reader;
use crate::metrics::Metrics;
use crate::view::{PeerView, View};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::{get, post};
use solana_sdk::pubkey::Pubkey;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

/// Readers of the event stream at once.
const STREAMS: usize = 64;
/// Longest body that is read.
const LARGEST_BODY: usize = 4_096;
/// How long open requests may take after the stop.
const FAREWELL: Duration = Duration::from_secs(2);

/// Everything that requests are answered from.
#[derive(Clone)]
pub struct ApiState {
    view: watch::Receiver<Arc<View>>,
    events: Events,
    metrics: Metrics,
    history: Arc<dyn PriceHistory>,
    kept: Option<(Reader, Pubkey)>,
    accounts: Option<accounts::Accounts>,
    relay: Option<relay::Relay>,
    lab: Option<Arc<Path>>,
    pulse: Pulse,
    peers: Arc<watch::Sender<Vec<PeerView>>>,
    streams: Arc<Semaphore>,
    shutdown: CancellationToken,
    door: Option<Door>,
    hosts: Arc<[String]>,
}

impl ApiState {
    /// Gathers what requests are answered from. `peers` are polled once [`serve`] runs.
    pub fn new(
        view: watch::Receiver<Arc<View>>,
        events: Events,
        metrics: Metrics,
        history: Arc<dyn PriceHistory>,
        pulse: Pulse,
        peers: &[Peer],
    ) -> Self {
        let unknown = |peer: &Peer| PeerView { name: peer.name.clone(), url: peer.url.clone(), ..PeerView::default() };
        let (peers, _) = watch::channel(peers.iter().map(unknown).collect());
        let streams = Arc::new(Semaphore::new(STREAMS));
        let shutdown = CancellationToken::new();
        let (door, hosts) = (None, Arc::default());
        let (peers, kept, accounts, relay, lab) = (Arc::new(peers), None, None, None, None);
        Self {
            view,
            events,
            metrics,
            history,
            kept,
            accounts,
            relay,
            lab,
            pulse,
            peers,
            streams,
            shutdown,
            door,
            hosts,
        }
    }

    /// Answers from the kept history of `guard`, too.
    pub fn with_history(self, reader: Reader, guard: Pubkey) -> Self {
        Self { kept: Some((reader, guard)), ..self }
    }

    /// Lists accounts of `guard`, too.
    pub fn with_accounts(self, list: Arc<dyn AccountList>, guard: Pubkey) -> Self {
        Self { accounts: Some(accounts::Accounts::new(list, guard)), ..self }
    }

    /// Passes requests of the app on to the chain, too.
    pub fn with_relay(self, chain: Arc<dyn Chain>) -> Self {
        Self { relay: Some(relay::Relay::new(chain)), ..self }
    }

    /// Shows the lab's results that are in `folder`, too.
    pub fn with_lab(self, folder: PathBuf) -> Self {
        Self { lab: Some(folder.into()), ..self }
    }

    /// Lets whoever has the token act, and takes requests for these host names.
    pub fn with_door(self, door: Door, hosts: &[String]) -> Self {
        Self { door: Some(door), hosts: hosts.into(), ..self }
    }

    fn tell_paused(&self, groups: &[Group], reason: &str) {
        let names = names_of(groups);
        let fact = Fact::new(EventKind::ClassPaused, self.slot(), format!("an operator paused {names}: {reason}"));
        // a paused trip leaves everything open that the keeper is there for
        let severity = if groups.contains(&Group::Trip) { Severity::Critical } else { Severity::Warning };
        self.events.emit(fact.with("classes", names).with("reason", reason).of_severity(severity));
    }

    fn tell_resumed(&self, groups: &[Group]) {
        let names = names_of(groups);
        let fact = Fact::new(EventKind::ClassResumed, self.slot(), format!("an operator resumed {names}"));
        self.events.emit(fact.with("classes", names));
    }

    fn slot(&self) -> u64 {
        self.view.borrow().keeper.slot
    }
}

fn names_of(groups: &[Group]) -> String {
    groups.iter().map(|group| group.as_str()).collect::<Vec<_>>().join(", ")
}

/// Takes an address.
///
/// # Errors
/// `Bind` if it is in use or not this machine's.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, HttpError> {
    TcpListener::bind(address).await.map_err(|source| HttpError::Bind { address, source })
}

/// Answers requests and polls peers until `shutdown`.
///
/// # Errors
/// `Serve` if the listener fails.
pub async fn serve(listener: TcpListener, state: ApiState, shutdown: CancellationToken) -> Result<(), HttpError> {
    let state = ApiState { shutdown: shutdown.clone(), ..state };
    let polling = peers::poll(state.peers.clone(), state.metrics.clone());
    let serving = axum::serve(listener, router(state)).with_graceful_shutdown(shutdown.clone().cancelled_owned());
    let overdue = async {
        shutdown.cancelled().await;
        tokio::time::sleep(FAREWELL).await;
    };
    tokio::select! {
        result = serving.into_future() => result.map_err(|source| HttpError::Serve { source }),
        () = polling => Ok(()),
        () = overdue => Ok(()),
    }
}

/// Returns every route. Pure: starts nothing.
pub fn router(state: ApiState) -> Router {
    let acting = Router::new()
        .route("/api/v1/control/pause", post(control::pause))
        .route("/api/v1/control/resume", post(control::resume))
        .route("/api/v1/control/trip", post(control::trip))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .route_layer(from_fn_with_state(state.clone(), control::authorize));
    let relaying =
        Router::new().route("/api/v1/rpc", post(relay::relay)).layer(DefaultBodyLimit::max(relay::LARGEST_BODY));
    Router::new()
        .merge(acting)
        .merge(relaying)
        .route("/api/v1/explain", get(control::explain))
        .route("/api/v1/state", get(api::state))
        .route("/api/v1/accounts", get(accounts::accounts))
        .route("/api/v1/positions", get(accounts::positions))
        .route("/api/v1/history", get(api::history))
        .route("/api/v1/history/{kind}", get(history::page))
        .route("/api/v1/events", get(stream::events))
        .route("/api/v1/openapi.json", get(openapi::document))
        .route("/lab/index.json", get(lab::index))
        .route("/lab/{name}", get(lab::result))
        .route("/metrics", get(health::metrics))
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .fallback(get(app::asset))
        .layer(from_fn_with_state(state.clone(), control::check_host))
        .layer(map_response(secure))
        .with_state(state)
}

/// What a browser may do with any answer: load from here alone, and never be framed or guess a type.
const SECURITY: [(&str, &str); 4] = [
    (
        "content-security-policy",
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; \
         base-uri 'none'; form-action 'none'; object-src 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
];

async fn secure(mut response: Response) -> Response {
    for (name, value) in SECURITY {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}
