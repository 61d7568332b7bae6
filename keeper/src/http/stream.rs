//! Events as a stream for browsers: the last ones first, then each as it happens.

use super::{ApiState, api::refuse};
use crate::events::Event;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt, stream};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast;

const KEEP_ALIVE: Duration = Duration::from_secs(10);

pub(super) async fn events(State(state): State<ApiState>, headers: HeaderMap) -> Response {
    let Ok(seat) = state.streams.clone().try_acquire_owned() else {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "too many readers of the event stream");
    };
    let (recent, live) = state.events.subscribe();
    let seen = last_seen(&headers);
    let missed = recent.into_iter().filter(move |event| seen.is_none_or(|seen| event.id > seen));
    let all = stream::iter(missed).chain(follow(live)).map(move |event| {
        let _held = &seat; // given back when the reader leaves
        Ok::<_, Infallible>(encode(&event))
    });
    let until_stop = all.take_until(state.shutdown.clone().cancelled_owned());
    Sse::new(until_stop).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

/// Ends when this reader falls behind: it then connects again and is given what it missed.
fn follow(live: broadcast::Receiver<Arc<Event>>) -> impl Stream<Item = Arc<Event>> {
    stream::unfold(live, |mut live| async move { live.recv().await.ok().map(|event| (event, live)) })
}

fn last_seen(headers: &HeaderMap) -> Option<u64> {
    headers.get("last-event-id")?.to_str().ok()?.parse().ok()
}

fn encode(event: &Event) -> sse::Event {
    let frame = sse::Event::default().event(event.kind.as_str()).id(event.id.to_string());
    // CANNOT fail: strings, numbers and JSON values.
    frame.json_data(event).unwrap_or_default()
}
