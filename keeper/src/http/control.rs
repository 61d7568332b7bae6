//! What acts, and what explains. Acting needs the token.

use super::ApiState;
use super::api::{Asked, refuse};
use crate::control::{Control, ControlError, Group, Token};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use solana_sdk::pubkey::Pubkey;

/// The way to the engine, and what opens it.
#[derive(Clone)]
pub struct Door {
    /// The way.
    pub control: Control,
    /// What opens it.
    pub token: Token,
}

/// Body of `pause`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseRequest {
    /// Which groups.
    #[schemars(length(min = 1))]
    pub classes: Vec<Group>,
    /// Why, in one line.
    #[schemars(length(max = 200))]
    pub reason: String,
}

/// Body of `resume`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResumeRequest {
    /// Which groups.
    pub classes: Vec<Group>,
}

/// Body of `trip`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TripRequest {
    /// The rule or group.
    pub target: String,
    /// Only say what it would do.
    pub is_dry: bool,
}

/// Lets through who has the token. Only the header counts: a browser can't be led to send it.
pub(super) async fn authorize(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let Some(door) = &state.door else {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "this keeper takes no commands");
    };
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = given.and_then(|text| text.strip_prefix("Bearer ")).unwrap_or_default();
    if door.token.is(token.trim()) {
        return next.run(request).await;
    }
    let reason = "acting needs `authorization: Bearer <token>`; the token is in the file that `http.token_file` names";
    refuse(StatusCode::UNAUTHORIZED, reason)
}

/// Refuses names that were not set: a page could point its own name at this address and read or act as its visitor.
pub(super) async fn check_host(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let named = request.headers().get(header::HOST).and_then(|value| value.to_str().ok());
    // HTTP/2 has no such header; its authority is in the address
    let host = named.map(str::to_owned).or_else(|| request.uri().authority().map(ToString::to_string));
    if host.as_deref().is_some_and(|host| is_known(host, &state.hosts)) {
        return next.run(request).await;
    }
    let reason = "this host name is not known; add it to `http.hosts`, or use the address";
    refuse(StatusCode::MISDIRECTED_REQUEST, reason)
}

/// Tells whether a host is an address, `localhost`, or one of `names`.
fn is_known(host: &str, names: &[String]) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    let is_named = |known: &str| name.eq_ignore_ascii_case(known);
    name.parse::<std::net::IpAddr>().is_ok() || is_named("localhost") || names.iter().any(|known| is_named(known))
}

pub(super) async fn pause(State(state): State<ApiState>, body: Result<Json<PauseRequest>, JsonRejection>) -> Response {
    let Ok(Json(request)) = body else { return unreadable() };
    if request.classes.is_empty() {
        return refuse(StatusCode::BAD_REQUEST, "name at least one class");
    }
    if request.reason.chars().any(char::is_control) || request.reason.len() > 200 {
        return refuse(StatusCode::BAD_REQUEST, "the reason must be one line of at most 200 bytes");
    }
    let Some(door) = &state.door else { return gone() };
    let answer = door.control.pause(&request.classes, &request.reason).await;
    if answer.is_ok() {
        state.tell_paused(&request.classes, &request.reason);
    }
    answered(answer)
}

pub(super) async fn resume(
    State(state): State<ApiState>,
    body: Result<Json<ResumeRequest>, JsonRejection>,
) -> Response {
    let Ok(Json(request)) = body else { return unreadable() };
    let Some(door) = &state.door else { return gone() };
    let before = door.control.pauses().await;
    let groups: Vec<Group> = request.classes.into_iter().filter(|group| before.holds(*group)).collect();
    let answer = door.control.resume(&groups).await;
    if answer.is_ok() && !groups.is_empty() {
        state.tell_resumed(&groups);
    }
    answered(answer)
}

pub(super) async fn trip(State(state): State<ApiState>, body: Result<Json<TripRequest>, JsonRejection>) -> Response {
    let Ok(Json(request)) = body else { return unreadable() };
    let Ok(target) = request.target.parse::<Pubkey>() else {
        return refuse(StatusCode::BAD_REQUEST, "target must be an address in base58");
    };
    let Some(door) = &state.door else { return gone() };
    answered(door.control.trip(target, request.is_dry).await)
}

#[derive(Deserialize)]
pub(super) struct Subject {
    subject: String,
}

pub(super) async fn explain(State(state): State<ApiState>, Asked(query): Asked<Subject>) -> Response {
    let Ok(subject) = query.subject.parse::<Pubkey>() else {
        return refuse(StatusCode::BAD_REQUEST, "subject must be an address in base58");
    };
    let Some(door) = &state.door else { return gone() };
    match door.control.explain(subject).await {
        Ok(Some(why)) => Json(why).into_response(),
        Ok(None) => {
            refuse(StatusCode::NOT_FOUND, "the keeper knows no such rule, group, position, vault, asset or guard")
        }
        Err(error) => failed(&error),
    }
}

fn answered<T: Serialize>(answer: Result<T, ControlError>) -> Response {
    match answer {
        Ok(answer) => Json(json!(answer)).into_response(),
        Err(error) => failed(&error),
    }
}

fn failed(error: &ControlError) -> Response {
    let status = match error {
        ControlError::Busy => StatusCode::SERVICE_UNAVAILABLE,
        ControlError::Storage(_) => StatusCode::INSUFFICIENT_STORAGE,
    };
    refuse(status, &crate::error::chain(error))
}

fn unreadable() -> Response {
    refuse(StatusCode::BAD_REQUEST, "the body must be JSON of the form that docs/openapi.json shows")
}

fn gone() -> Response {
    refuse(StatusCode::SERVICE_UNAVAILABLE, "this keeper takes no commands")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_set_names_are_known_and_no_others() {
        let names = ["keeper.example".to_owned()];
        for host in
            ["127.0.0.1:9464", "[::1]:9464", "[::1]", "10.1.2.3", "localhost", "LOCALHOST:1", "Keeper.example:443"]
        {
            assert!(is_known(host, &names), "{host}");
        }
        for host in
            ["evil.example", "evil.example:9464", "localhost.evil.example", "127.0.0.1.evil.example", "", "a:b:c"]
        {
            assert!(!is_known(host, &names), "{host}");
        }
    }
}
