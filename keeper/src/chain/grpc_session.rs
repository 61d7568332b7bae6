//! One stream: how it is opened, what was asked on it, what it told last, and why it ended.

use crate::chain::grpc_message::{slots_name, subscribe};
use crate::chain::ws::{CONFIRM_TIMEOUT, CONNECT_TIMEOUT, Topics};
use crate::chain::ws_versions::Versions;
use crate::config::secret::{Secret, redact};
use crate::config::{Commitment, GrpcEndpoint};
use futures_util::stream::poll_fn;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tonic::codec::Streaming;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::{ClientTlsConfig, Endpoint};
use tonic::{Code, Request, Status};
use yellowstone_grpc_proto::geyser::geyser_client::GeyserClient;
use yellowstone_grpc_proto::geyser::{SubscribeRequest, SubscribeUpdate};

/// Period and patience of the pings of HTTP/2; together well below 25 s.
const PING_PERIOD: Duration = Duration::from_secs(10);
const PING_PATIENCE: Duration = Duration::from_secs(5);
/// An account has 10 MiB at most.
const LONGEST_MESSAGE: usize = 16 << 20;
/// Requests under way on one stream.
const REQUESTS: usize = 16;
/// Slots that are told once more after a break: their accounts may not have been complete.
const OVERLAP_SLOTS: u64 = 4;

/// Why a stream ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct End {
    /// From a fixed list, for the metrics.
    pub(super) reason: &'static str,
    /// What happened; no secrets.
    pub(super) text: String,
}

impl End {
    pub(super) fn new(reason: &'static str, text: impl Into<String>) -> Self {
        Self { reason, text: redact(&text.into()) }
    }

    /// What a server's status means.
    pub(super) fn of(status: &Status) -> Self {
        let reason = match status.code() {
            Code::ResourceExhausted => "limited",
            Code::Unauthenticated | Code::PermissionDenied => "refused",
            Code::Unavailable => "unavailable",
            // a reader that lagged is told by several codes
            _ => "failed",
        };
        Self::new(reason, format!("the server ended the stream: {:?}: {}", status.code(), status.message()))
    }

    /// Tells whether another attempt at the same slot may find what this one did not: nothing was said about the slot.
    fn says_nothing_of_the_slot(&self) -> bool {
        self.reason != "failed"
    }
}

/// What is known of one stream.
pub(super) struct Session {
    requests: mpsc::Sender<SubscribeRequest>,
    number: u64,
    asked_at: Instant,
    /// Slot from which it was to be replayed.
    from_slot: Option<u64>,
    /// Slot at which a replay is over.
    target: u64,
    pub(super) wanted: Topics,
    pub(super) is_covered: bool,
    pub(super) versions: Versions,
    pub(super) last_slot: u64,
    pub(super) last_slot_at: Instant,
}

impl Session {
    /// Opens a stream of `wanted`, replayed from `from_slot`; `target`: the newest slot that is known.
    pub(super) async fn open(
        settings: &GrpcEndpoint,
        commitment: Commitment,
        wanted: Topics,
        from_slot: Option<u64>,
        target: u64,
    ) -> Result<(Self, Streaming<SubscribeUpdate>), End> {
        let (requests, mut waiting) = mpsc::channel(REQUESTS);
        let now = Instant::now();
        let session = Self {
            requests,
            number: 1,
            asked_at: now,
            from_slot,
            target: from_slot.map_or(0, |_| target),
            wanted,
            is_covered: false,
            versions: Versions::default(),
            last_slot: 0,
            last_slot_at: now,
        };
        session.send(subscribe(&session.wanted, commitment, session.number, from_slot))?;
        let mut request = Request::new(poll_fn(move |context| waiting.poll_recv(context)));
        if let Some(token) = token(settings)? {
            request.metadata_mut().insert("x-token", token);
        }
        match timeout(CONNECT_TIMEOUT, connect(settings, request)).await {
            Ok(opened) => Ok((session, opened?)),
            Err(_) => Err(End::new("unavailable", "failed to connect in time")),
        }
    }

    /// Asks for `topics` in place of what was asked for.
    pub(super) fn ask(&mut self, topics: Topics, commitment: Commitment) -> Result<(), End> {
        self.number += 1;
        (self.wanted, self.is_covered, self.asked_at) = (topics, false, Instant::now());
        self.send(subscribe(&self.wanted, commitment, self.number, None))
    }

    pub(super) fn send(&self, request: SubscribeRequest) -> Result<(), End> {
        self.requests.try_send(request).map_err(|_| End::new("unavailable", "the server takes no requests"))
    }

    /// Notes a slot; returns whether the replay, if there is one, is over.
    pub(super) fn slot(&mut self, slot: u64) -> bool {
        self.last_slot = self.last_slot.max(slot);
        self.last_slot_at = Instant::now();
        !self.is_catching_up()
    }

    /// Tells whether the replay still goes on.
    pub(super) fn is_catching_up(&self) -> bool {
        self.last_slot < self.target
    }

    /// Tells whether what came under `filters` proves that the newest request holds, for the first time.
    pub(super) fn covers(&mut self, filters: &[String]) -> bool {
        let is_proof = !self.is_covered && filters.contains(&slots_name(self.number));
        self.is_covered |= is_proof;
        is_proof
    }

    /// Tells whether all that changed since the break has come, and not only what changes from now on.
    pub(super) fn is_resumption(&self) -> bool {
        self.from_slot.is_some() && self.number == 1
    }

    /// Tells whether the newest request should have been proved by now.
    pub(super) fn is_overdue(&self) -> bool {
        !self.is_covered && self.asked_at.elapsed() >= CONFIRM_TIMEOUT
    }

    /// Returns where the next stream starts.
    pub(super) fn next_from(&self) -> Option<u64> {
        if self.last_slot == 0 { self.from_slot } else { Some(self.last_slot.saturating_sub(OVERLAP_SLOTS)) }
    }

    /// Tells whether `end` means that the server doesn't hold the slot any more. Servers say so by different codes; that
    /// they said it before anything else is what they have in common.
    pub(super) fn lost_its_slot(&self, end: &End) -> bool {
        self.from_slot.is_some() && self.last_slot == 0 && !end.says_nothing_of_the_slot()
    }
}

async fn connect<S>(settings: &GrpcEndpoint, request: Request<S>) -> Result<Streaming<SubscribeUpdate>, End>
where
    S: futures_util::Stream<Item = SubscribeRequest> + Send + 'static,
{
    let failed = |error: tonic::transport::Error| {
        End::new("unavailable", format!("failed to connect: {}", crate::error::chain(&error)))
    };
    let endpoint = Endpoint::from_shared(settings.url.clone()).map_err(failed)?;
    let endpoint = endpoint.http2_keep_alive_interval(PING_PERIOD).keep_alive_timeout(PING_PATIENCE);
    let mut endpoint = endpoint.keep_alive_while_idle(true).tcp_nodelay(true);
    if settings.url.starts_with("https://") {
        endpoint = endpoint.tls_config(ClientTlsConfig::new().with_native_roots()).map_err(failed)?;
    }
    let mut client =
        GeyserClient::new(endpoint.connect().await.map_err(failed)?).max_decoding_message_size(LONGEST_MESSAGE);
    client.subscribe(request).await.map(tonic::Response::into_inner).map_err(|status| End::of(&status))
}

fn token(settings: &GrpcEndpoint) -> Result<Option<AsciiMetadataValue>, End> {
    let Some(path) = &settings.x_token_file else { return Ok(None) };
    let secret = Secret::read(path).map_err(|error| End::new("refused", crate::error::chain(&error)))?;
    let unusable = |_| End::new("refused", format!("{} holds no token", path.display()));
    let mut value: AsciiMetadataValue = secret.expose().parse().map_err(unusable)?;
    value.set_sensitive(true);
    Ok(Some(value))
}
