//! How other keepers of the same guard are doing: asked every two seconds, shown, never obeyed.

use crate::metrics::Metrics;
use crate::view::{PeerView, TransactionsView};
use futures_util::future::join_all;
use reqwest::{Client, redirect};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

const PERIOD: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_millis(1_500);
/// A state larger than this is not read to its end.
const LARGEST: usize = 16 * 1024 * 1024;

/// The part of a peer's view that is shown here.
#[derive(Deserialize)]
struct PeerState {
    keeper: PeerKeeper,
}

#[derive(Deserialize)]
struct PeerKeeper {
    ready: bool,
    slot: u64,
    transactions: TransactionsView,
}

/// Asks all peers, for good. Ends never.
pub(super) async fn poll(peers: Arc<watch::Sender<Vec<PeerView>>>, metrics: Metrics) {
    // A peer that sends us elsewhere is not asked there.
    let client = Client::builder().timeout(PATIENCE).redirect(redirect::Policy::none()).no_proxy().build();
    let client = match client {
        Ok(client) if !peers.borrow().is_empty() => client,
        Ok(_) => return std::future::pending().await,
        Err(error) => {
            tracing::error!("peers are not polled: {}", crate::error::chain(&error));
            return std::future::pending().await;
        }
    };
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let known = peers.borrow().clone();
        let views = join_all(known.into_iter().map(|peer| refresh(&client, peer))).await;
        let up = views.iter().filter(|peer| peer.up).count();
        metrics.peers_up.set(up.try_into().unwrap_or(i64::MAX));
        peers.send_replace(views);
    }
}

/// A peer that does not answer keeps its last numbers, but is neither up nor ready.
pub(super) async fn refresh(client: &Client, peer: PeerView) -> PeerView {
    match ask(client, &peer.url).await {
        Some(PeerState { keeper }) => {
            PeerView { up: true, ready: keeper.ready, slot: keeper.slot, transactions: keeper.transactions, ..peer }
        }
        None => PeerView { up: false, ready: false, ..peer },
    }
}

async fn ask(client: &Client, url: &str) -> Option<PeerState> {
    let url = format!("{}/api/v1/state", url.trim_end_matches('/'));
    let mut response = client.get(url).send().await.ok()?.error_for_status().ok()?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        body.extend_from_slice(&chunk);
        if body.len() > LARGEST {
            return None;
        }
    }
    serde_json::from_slice(&body).ok()
}
