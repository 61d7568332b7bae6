//! What the lab found, for the app: a file that an operator put into the folder. The keeper doesn't read what it says.

use super::ApiState;
use super::api::refuse;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::io::ErrorKind;
use std::path::Path;

const FILE: &str = "backtest.json";
/// The lab's own files are far smaller.
const LARGEST: u64 = 16 << 20;

/// The newest comparison. 404 where there is none, 503 where it can't be read.
pub(super) async fn backtest(State(state): State<ApiState>) -> Response {
    let Some(folder) = &state.lab else { return none() };
    match read(&folder.join(FILE)).await {
        Ok(text) => {
            ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")], text).into_response()
        }
        Err(error) if error.kind() == ErrorKind::NotFound => none(),
        Err(error) => {
            tracing::warn!("`{}` can't be read: {error}", folder.join(FILE).display());
            refuse(StatusCode::SERVICE_UNAVAILABLE, "the lab's results can't be read; the keeper's log says why")
        }
    }
}

async fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let found = tokio::fs::metadata(path).await?;
    if !found.is_file() || found.len() > LARGEST {
        return Err(std::io::Error::other(format!("it must be a file of at most {LARGEST} bytes")));
    }
    tokio::fs::read(path).await
}

fn none() -> Response {
    let reason =
        "no results of the lab are here; `rampart lab backtest --out` writes them as backtest.json into http.lab_dir";
    refuse(StatusCode::NOT_FOUND, reason)
}
