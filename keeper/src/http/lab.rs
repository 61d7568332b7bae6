//! What the lab found, for the app: files that an operator put into the folder. The keeper doesn't read what they say.

use super::ApiState;
use super::api::refuse;
use axum::Json;
use axum::extract::{Path as Named, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::io::ErrorKind;
use std::path::Path;

/// Files of the page at most: the first by name.
const MOST: usize = 50;
/// The lab's own files are far smaller.
const LARGEST: u64 = 16 << 20;

/// Names the results that are there. 404 where there is none, 503 where the folder can't be read.
pub(super) async fn index(State(state): State<ApiState>) -> Response {
    let Some(folder) = &state.lab else { return none() };
    match names(folder).await {
        Ok(names) if names.is_empty() => none(),
        Ok(names) => ([(header::CACHE_CONTROL, "no-cache")], Json(json!({ "results": names }))).into_response(),
        Err(error) => unreadable(folder, &error),
    }
}

/// One result. 404 where there is none of the name, 503 where it can't be read.
pub(super) async fn result(State(state): State<ApiState>, Named(name): Named<String>) -> Response {
    let Some(folder) = state.lab.as_ref().filter(|_| is_result(&name)) else { return none() };
    let kind = if name.ends_with('l') { "application/jsonl" } else { "application/json" };
    match read(&folder.join(&name)).await {
        Ok(text) => ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")], text).into_response(),
        Err(error) if error.kind() == ErrorKind::NotFound => none(),
        Err(error) => unreadable(&folder.join(&name), &error),
    }
}

/// Whether a name is one of a result, in the folder itself.
fn is_result(name: &str) -> bool {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    let is_kind = Path::new(name).extension().is_some_and(|end| end == "json" || end == "jsonl");
    is_plain && is_kind && !name.starts_with('.') && name != "index.json"
}

async fn names(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut entries = match tokio::fs::read_dir(folder).await {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    while let Some(entry) = entries.next_entry().await? {
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_result(&name) && entry.file_type().await?.is_file() {
            names.push(name);
        }
    }
    names.sort();
    names.truncate(MOST);
    Ok(names)
}

async fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let found = tokio::fs::metadata(path).await?;
    if !found.is_file() || found.len() > LARGEST {
        return Err(std::io::Error::other(format!("it must be a file of at most {LARGEST} bytes")));
    }
    tokio::fs::read(path).await
}

fn unreadable(path: &Path, error: &std::io::Error) -> Response {
    tracing::warn!("`{}` can't be read: {error}", path.display());
    refuse(StatusCode::SERVICE_UNAVAILABLE, "the lab's results can't be read; the keeper's log says why")
}

fn none() -> Response {
    let reason = "no such results of the lab are here; `rampart lab backtest`, `validate`, `hedge`, `sweep`, `probe` and `attack run` write \
                  them, into http.lab_dir";
    refuse(StatusCode::NOT_FOUND, reason)
}
