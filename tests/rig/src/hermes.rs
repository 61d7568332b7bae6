//! Hermes on loopback: a stream of prices with the updates that are to be brought on chain.
//!
//! Updates are built with Pyth's own types, see `rampart_feeds::signed_update`; their signatures are none.

use crate::chain::Chain;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::stream;
use rampart_feeds::{SignedPrice, signed_update};
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Between two events.
const PERIOD: Duration = Duration::from_millis(100);
/// Signatures of a quorum.
const SIGNATURES: u8 = 13;

/// What the server tells.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Told {
    /// Dollars; nothing is told without.
    pub price: Option<f64>,
    /// How old what it tells is, seconds.
    pub age_secs: i64,
    /// Whether the signed updates are torn.
    pub is_torn: bool,
}

/// A running server. Clones share it.
#[derive(Clone)]
pub struct Hermes {
    chain: Chain,
    url: String,
    told: Arc<Mutex<Told>>,
}

impl Hermes {
    /// Starts a server that tells of the collateral's feed by the clock of `chain`.
    ///
    /// # Panics
    /// If loopback has no free port.
    pub async fn start(chain: &Chain) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let hermes = Self { chain: chain.clone(), url, told: Arc::default() };
        let router = Router::new().route("/v2/updates/price/stream", get(answer)).with_state(hermes.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        hermes
    }

    /// Returns its base address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sets what it tells from now on.
    pub fn tell(&self, told: Told) {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = told;
    }

    fn event(&self) -> String {
        let told = *self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let (feed_id, now_ts) = {
            let state = self.chain.state();
            (state.world.sol_feeds.feed_id, state.world.now_ts())
        };
        let Some(dollars) = told.price else {
            return format!("data:{}\n\n", json!({ "binary": { "encoding": "base64", "data": [] }, "parsed": [] }));
        };
        let (price_mantissa, publish_time) = ((dollars * 1e8).round() as i64, now_ts - told.age_secs);
        let conf = price_mantissa.unsigned_abs() / 2_000;
        let mut bytes =
            signed_update(&[SignedPrice { feed_id, price_mantissa, conf, exponent: -8, publish_time }], SIGNATURES);
        if told.is_torn {
            bytes.truncate(bytes.len() / 2);
        }
        let price = json!({
            "price": price_mantissa.to_string(), "conf": conf.to_string(), "expo": -8, "publish_time": publish_time,
        });
        let event = json!({
            "binary": { "encoding": "base64", "data": [STANDARD.encode(bytes)] },
            "parsed": [{ "id": hex::encode(feed_id), "price": price, "ema_price": price }],
        });
        format!("data:{event}\n\n")
    }
}

async fn answer(State(hermes): State<Hermes>) -> Response {
    let events = stream::unfold(hermes, |hermes| async move {
        tokio::time::sleep(PERIOD).await;
        Some((Ok::<_, std::convert::Infallible>(hermes.event()), hermes))
    });
    ([(CONTENT_TYPE, "text/event-stream")], Body::from_stream(events)).into_response()
}
