//! The state and the history of prices.

use super::ApiState;
use crate::view::View;
use axum::Json;
use axum::extract::{FromRequestParts, Query, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use solana_sdk::pubkey::Pubkey;

/// One moment of an asset's price. Prices are decimal strings in US dollars.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

pub(super) async fn history(State(state): State<ApiState>, Asked(query): Asked<HistoryOf>) -> Response {
    let Ok(asset) = query.asset.parse::<Pubkey>() else {
        return refuse(StatusCode::BAD_REQUEST, "asset must be an address in base58");
    };
    match state.history.samples(&asset) {
        Some(samples) => Json(Samples { samples }).into_response(),
        None => refuse(StatusCode::NOT_FOUND, "the guard has no such asset"),
    }
}

/// The prices of an asset.
#[derive(Serialize, JsonSchema)]
pub(super) struct Samples {
    /// Oldest first.
    samples: Vec<Sample>,
}

/// Why a request was refused.
#[derive(Serialize, JsonSchema)]
pub(super) struct Refusal {
    /// The reason, and what would do.
    error: String,
}

pub(super) fn refuse(status: StatusCode, reason: &str) -> Response {
    (status, Json(Refusal { error: reason.to_owned() })).into_response()
}

/// The parameters of a request; those that can't be read are refused in the form of every refusal.
pub(super) struct Asked<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let asked = Query::<T>::from_request_parts(parts, state).await;
        asked.map(|Query(asked)| Self(asked)).map_err(|bad| refuse(StatusCode::BAD_REQUEST, &bad.body_text()))
    }
}
