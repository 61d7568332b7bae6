//! The app, built into the program.

use super::api::refuse;
use axum::body::Body;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

// Left out when the app was not built: the API works without it.
#[derive(RustEmbed)]
#[folder = "../artifacts/app"]
#[allow_missing = true]
struct App;

const INDEX: &str = "index.html";

/// A file of the app. A path without an extension is a screen of the app, so it gets the one page.
pub(super) async fn asset(uri: Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path.starts_with("api/") {
        return refuse(StatusCode::NOT_FOUND, "there is no such endpoint");
    }
    let is_screen = !path.rsplit('/').next().unwrap_or_default().contains('.');
    let name = if is_screen { INDEX } else { path };
    match App::get(name) {
        Some(file) => answer(name, file),
        None if is_screen => {
            refuse(StatusCode::NOT_FOUND, "this keeper was built without the app; the API is at /api/v1")
        }
        None => refuse(StatusCode::NOT_FOUND, "there is no such file"),
    }
}

fn answer(name: &str, file: EmbeddedFile) -> Response {
    let kind = file.metadata.mimetype().to_owned();
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, caching(name).to_owned())];
    (headers, Body::from(file.data.into_owned())).into_response()
}

/// Names with a hash never change their content; everything else is asked for each time.
fn caching(name: &str) -> &'static str {
    if is_hashed(name) { "public, max-age=31536000, immutable" } else { "no-cache" }
}

/// Whether a name is one the bundler made: `assets/<name>-<hash of 8 or more>.<extension>`.
fn is_hashed(name: &str) -> bool {
    let stem = name.strip_prefix("assets/").and_then(|file| file.rsplit_once('.')).map(|(stem, _)| stem);
    let hash = stem.map(|stem| stem.trim_end_matches(".min")).filter(|stem| stem.len() > 8).and_then(|stem| {
        let at = stem.len().checked_sub(9)?;
        (stem.as_bytes().get(at) == Some(&b'-')).then(|| &stem[at + 1..])
    });
    hash.is_some_and(|hash| hash.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hashed_names_are_kept_for_good() {
        for name in ["assets/index-BxW3k9Qz.js", "assets/u-plot-D_1-f-Zq.css"] {
            assert!(caching(name).contains("immutable"), "{name}");
        }
        for name in ["index.html", "assets/logo.svg", "favicon-12345678.ico", "assets/a.js", "assets/index-short.js"] {
            assert_eq!(caching(name), "no-cache", "{name}");
        }
    }
}
