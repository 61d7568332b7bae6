//! Pages of the kept history.

use super::ApiState;
use super::api::{Asked, refuse};
use crate::error::chain;
use crate::history::{Filter, HistoryError, Kind, Query};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// One page, newest first.
///
/// 400 names the parameter that won't do, 404 means that no history is kept or that there is no such kind, 503 that file
/// or database can't be read now.
pub(super) async fn page(
    State(state): State<ApiState>,
    Path(kind): Path<String>,
    filter: Result<Asked<Filter>, Response>,
) -> Response {
    let Some(kind) = Kind::from_name(&kind) else {
        return refuse(StatusCode::NOT_FOUND, "the kinds are events, decisions, reports and samples");
    };
    let Some((reader, guard)) = &state.kept else {
        return refuse(StatusCode::NOT_FOUND, &HistoryError::Disabled.to_string());
    };
    let filter = match filter {
        Ok(Asked(filter)) => filter,
        Err(refusal) => return refusal,
    };
    let query = match Query::new(kind, &filter, guard) {
        Ok(query) => query,
        Err(bad) => return refuse(StatusCode::BAD_REQUEST, &bad.to_string()),
    };
    match reader.page(query).await {
        Ok(page) => Json(page).into_response(),
        Err(error @ HistoryError::Disabled) => refuse(StatusCode::NOT_FOUND, &error.to_string()),
        Err(error) => {
            // the answer goes to anybody who can reach the API: it says no more than it must
            tracing::warn!(hint = %error.hint(), "{}", chain(&error));
            refuse(StatusCode::SERVICE_UNAVAILABLE, "the history can't be read now; the keeper's log says why")
        }
    }
}
