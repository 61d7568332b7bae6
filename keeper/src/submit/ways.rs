//! The ways by which the same bytes go out. One that fails or hangs stops no other.

use super::node::PATIENCE;
use super::wire::WireError;
use crate::chain::http::{CallError, Http};
use crate::chain::pool::Pool;
use crate::chain::standing::Quarantine;
use crate::config::Sender;
use crate::config::endpoints::{Role, SenderKind};
use crate::intent::ActionClass;
use crate::metrics::{Metrics, SendLabel};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// The longest that a way is left alone that asked for fewer transactions.
const LONGEST_REST: Duration = Duration::from_secs(2);

/// One way.
struct Way {
    /// Number of its endpoint in the pool; nothing for a sender.
    endpoint: Option<usize>,
    name: String,
    http: Http,
    kind: SenderKind,
    sender: Option<Sender>,
    rests_until: Mutex<Option<Instant>>,
    /// Names of transactions whose send has no answer yet.
    under_way: Mutex<HashSet<Vec<u8>>>,
}

/// A send whose answer is waited for. Ends with it.
struct UnderWay {
    way: Arc<Way>,
    name: Vec<u8>,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.way.under_way().remove(&self.name);
    }
}

/// All ways.
pub(super) struct Ways {
    pool: Arc<Pool>,
    ways: Vec<Arc<Way>>,
    metrics: Metrics,
}

impl Ways {
    /// The endpoints of `pool` that send, and `senders`.
    pub fn new(pool: Arc<Pool>, senders: &[Sender], metrics: Metrics) -> Self {
        let way = |endpoint, name: &str, url: &str, kind, sender| {
            let (name, http) = (name.to_owned(), Http::over(pool.network().clone(), url));
            let (rests_until, under_way) = Default::default();
            Arc::new(Way { endpoint, name, http, kind, sender, rests_until, under_way })
        };
        let endpoints = pool.endpoints().iter().enumerate().map(|(index, endpoint)| (index, &endpoint.settings));
        let endpoints = endpoints.filter(|(_, settings)| settings.has(Role::Send));
        let nodes = endpoints.map(|(index, s)| way(Some(index), &s.name, &s.http, SenderKind::Rpc, None));
        let senders = senders.iter().map(|s| way(None, &s.name, &s.url, s.kind, Some(s.clone())));
        Self { ways: nodes.chain(senders).collect(), metrics, pool }
    }

    /// Tells whether a way leads to the right chain. One that only lags forwards as well as any other.
    fn leads(&self, way: &Way) -> bool {
        let quarantine = way.endpoint.and_then(|index| self.pool.quarantine_of(index));
        !matches!(quarantine, Some(Quarantine::OtherCluster | Quarantine::Unverified))
    }

    /// Hands bytes over by every way that takes the class; returns as soon as one took them.
    ///
    /// A way that has not answered for the same bytes yet is left out: where it hangs, requests would pile up.
    ///
    /// # Errors
    /// Of the last way that refused, once all have; `NoWay` where none was asked.
    pub async fn send(&self, class: ActionClass, bytes: &[u8]) -> Result<(), WireError> {
        let text = STANDARD.encode(bytes);
        let (results, mut first) = mpsc::unbounded_channel();
        for way in self.ways.iter().filter(|way| way.takes(class) && self.leads(way)) {
            let Some(under_way) = Way::begin(way, bytes) else { continue };
            let (way, text, results, metrics) = (way.clone(), text.clone(), results.clone(), self.metrics.clone());
            let node = way.endpoint.and_then(|index| self.pool.endpoints().get(index));
            node.into_iter().for_each(|endpoint| endpoint.rpc.count_urgent());
            // a task of its own: it goes on when another was faster
            tokio::spawn(async move {
                let result = way.send(&text).await;
                drop(under_way);
                let label = result.as_ref().err().map_or("ok", CallError::as_str);
                metrics.sends.get_or_create(&SendLabel { sender: way.name.clone(), result: label }).inc();
                // nobody waits any more where another was faster
                let _ = results.send(result);
            });
        }
        drop(results);
        let mut last = WireError::NoWay;
        while let Some(result) = first.recv().await {
            match result {
                Ok(()) => return Ok(()),
                Err(error) => last = WireError::Call(error),
            }
        }
        Err(last)
    }
}

impl Way {
    /// Notes that `bytes` are handed over; nothing where that is under way already.
    fn begin(this: &Arc<Self>, bytes: &[u8]) -> Option<UnderWay> {
        /// How many signatures there are, and the first of them.
        const NAME_BYTES: usize = 1 + 64;
        let name = bytes.get(..NAME_BYTES).unwrap_or(bytes).to_vec();
        this.under_way().insert(name.clone()).then(|| UnderWay { way: this.clone(), name })
    }

    fn under_way(&self) -> MutexGuard<'_, HashSet<Vec<u8>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn takes(&self, class: ActionClass) -> bool {
        let rests_until = *self.rests_until.lock().unwrap_or_else(PoisonError::into_inner);
        let is_resting = rests_until.is_some_and(|until| Instant::now() < until);
        !is_resting && self.sender.as_ref().is_none_or(|sender| sender.takes(class))
    }

    async fn send(&self, text: &str) -> Result<(), CallError> {
        let result = self.http.call::<Value>("sendTransaction", params(self.kind, text), PATIENCE).await;
        if let Err(CallError::TooMany(wait)) = &result {
            let until = Instant::now() + (*wait).min(LONGEST_REST);
            *self.rests_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
        }
        result.map(drop)
    }
}

/// No preflight: it costs a round trip and judges by another slot. No retries by the node: resending is ours.
pub(super) fn params(kind: SenderKind, text: &str) -> Value {
    match kind {
        SenderKind::Jito => json!([text, { "encoding": "base64" }]),
        SenderKind::Rpc | SenderKind::HttpSender => {
            json!([text, { "encoding": "base64", "skipPreflight": true, "maxRetries": 0 }])
        }
    }
}
