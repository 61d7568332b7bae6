//! Hermes: server-sent events with prices as JSON.
//!
//! # Source
//! docs.pyth.network, "Hermes", `GET /v2/updates/price/stream`: prices and confidences are decimal strings; the server
//! ends a stream after a day and where the reader is slow.

use super::{FeedId, Heard, Said, SignalError};
use crate::config::SignalSettings;
use crate::config::secret::Secret;
use eventsource_stream::{EventStreamError, Eventsource};
use futures_util::{Stream, StreamExt, stream};
use rampart::oracle::RawReading;
use reqwest::header::{ACCEPT, RETRY_AFTER};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::timeout;

/// Longest wait for a connection, and for the first byte of an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Prices come several times a second: a longer silence means that the stream is dead.
pub(super) const SILENCE: Duration = Duration::from_secs(10);
/// The longest event that is read.
const MAX_EVENT: usize = 1 << 20;

#[derive(Deserialize)]
struct Update {
    parsed: Vec<Parsed>,
    #[serde(default)]
    binary: Binary,
}

#[derive(Default, Deserialize)]
struct Binary {
    #[serde(default)]
    data: Vec<String>,
}

#[derive(Deserialize)]
struct Parsed {
    id: String,
    price: Body,
}

#[derive(Deserialize)]
struct Body {
    price: String,
    conf: String,
    expo: i32,
    publish_time: i64,
}

/// Streams the prices of `feeds` into `tell` until it is cancelled or the stream ends.
///
/// # Errors
/// Always: the stream has no end of its own.
pub(super) async fn stream(
    settings: &SignalSettings,
    feeds: &BTreeSet<FeedId>,
    mut tell: impl FnMut(&Said),
) -> Result<(), SignalError> {
    let response = connect(settings, feeds).await?;
    let unread = Arc::new(AtomicUsize::new(0));
    let mut events = std::pin::pin!(chunks(response, unread.clone()).eventsource());
    loop {
        let event = timeout(SILENCE, events.next()).await.map_err(|_| SignalError::Silent(SILENCE))?;
        let event = match event.ok_or(SignalError::Ended)? {
            Ok(event) => event,
            Err(EventStreamError::Transport(error)) => return Err(error),
            Err(_) => return Err(SignalError::Malformed("it is no stream of events")),
        };
        unread.store(0, Ordering::Relaxed);
        tell(&read(&event.data)?);
    }
}

async fn connect(settings: &SignalSettings, feeds: &BTreeSet<FeedId>) -> Result<reqwest::Response, SignalError> {
    let client = reqwest::Client::builder().connect_timeout(PATIENCE).build()?;
    let mut url = format!("{}/v2/updates/price/stream?", settings.url.trim_end_matches('/'));
    feeds.iter().for_each(|feed| url += &format!("ids[]={}&", hex::encode(feed)));
    // one feed that the server doesn't know must not cost the others
    url += "parsed=true&encoding=base64&ignore_invalid_price_ids=true";
    let request = client.get(url).header(ACCEPT, "text/event-stream");
    // read at each attempt: a new key needs no restart
    let request = match &settings.key_file {
        Some(path) => request.bearer_auth(Secret::read(path)?.expose()),
        None => request,
    };
    let response = timeout(PATIENCE, request.send()).await.map_err(|_| SignalError::Silent(PATIENCE))??;
    if !response.status().is_success() {
        let wait = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        return Err(SignalError::of_status(response.status().as_u16(), wait.map(Duration::from_secs)));
    }
    Ok(response)
}

/// The body, until more than one event's worth of it is `unread`.
fn chunks(response: reqwest::Response, unread: Arc<AtomicUsize>) -> impl Stream<Item = Result<Vec<u8>, SignalError>> {
    stream::try_unfold((response, unread), |(mut response, unread)| async move {
        let Some(chunk) = response.chunk().await? else { return Ok(None) };
        if unread.fetch_add(chunk.len(), Ordering::Relaxed).saturating_add(chunk.len()) > MAX_EVENT {
            return Err(SignalError::Malformed("an event does not end"));
        }
        Ok(Some((chunk.to_vec(), (response, unread))))
    })
}

/// Reads one event.
pub(super) fn read(event: &str) -> Result<Said, SignalError> {
    let update: Update = serde_json::from_str(event).map_err(|_| SignalError::Malformed("an event is no update"))?;
    let heard = |parsed| heard(parsed).ok_or(SignalError::Malformed("a price is no number"));
    let prices = update.parsed.iter().map(heard).collect::<Result<_, _>>()?;
    Ok(Said { prices, signed: update.binary.data })
}

fn heard(parsed: &Parsed) -> Option<Heard> {
    let raw = RawReading {
        price: parsed.price.price.parse::<i64>().ok()?.into(),
        confidence: parsed.price.conf.parse::<u64>().ok()?.into(),
        exponent: parsed.price.expo,
        publish_ts: parsed.price.publish_time,
    };
    Some((unhex(&parsed.id)?, raw))
}

fn unhex(text: &str) -> Option<FeedId> {
    let mut feed = FeedId::default();
    hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), &mut feed).ok()?;
    Some(feed)
}
