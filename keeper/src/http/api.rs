//! The state and the history of prices.

use super::ApiState;
use crate::view::View;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use solana_sdk::pubkey::Pubkey;

/// One moment of an asset's price. Prices are decimal strings in US dollars.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Unix seconds on chain.
    pub ts: i64,
    /// Middle of the agreed price.
    pub price: Option<String>,
    /// The time-weighted reference.
    pub reference: Option<String>,
    /// Low end of the agreed price.
    pub lo: Option<String>,
    /// High end of the agreed price.
    pub hi: Option<String>,
}

/// Who remembers prices.
pub trait PriceHistory: Send + Sync + 'static {
    /// Returns the samples of an asset, oldest first; nothing for an asset that the guard does not have.
    fn samples(&self, asset: &Pubkey) -> Option<Vec<Sample>>;
}

/// The view, with peers in it. Before the chain was read there is nothing to tell, and zeros would look like a state.
pub(super) async fn state(State(state): State<ApiState>) -> Response {
    let view = View::clone(&state.view.borrow());
    if view.chain.slot == 0 {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "the chain has not been read yet; ask again in a moment");
    }
    Json(View { peers: state.peers.borrow().clone(), ..view }).into_response()
}

#[derive(Deserialize)]
pub(super) struct HistoryOf {
    asset: String,
}

pub(super) async fn history(State(state): State<ApiState>, Query(query): Query<HistoryOf>) -> Response {
    let Ok(asset) = query.asset.parse::<Pubkey>() else {
        return refuse(StatusCode::BAD_REQUEST, "asset must be an address in base58");
    };
    match state.history.samples(&asset) {
        Some(samples) => Json(json!({ "samples": samples })).into_response(),
        None => refuse(StatusCode::NOT_FOUND, "the guard has no such asset"),
    }
}

pub(super) fn refuse(status: StatusCode, reason: &str) -> Response {
    (status, Json(json!({ "error": reason }))).into_response()
}
