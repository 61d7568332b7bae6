//! One connection: what is asked for on it, what was confirmed, and what it told last.

use crate::chain::network::{Io, Network};
use crate::chain::ws::{CONFIRM_TIMEOUT, CONNECT_TIMEOUT, Topics};
use crate::chain::ws_message as message;
use crate::chain::ws_stamps::Stamps;
use crate::chain::ws_versions::Versions;
use crate::config::Commitment;
use crate::watch::feeds::Topic;
use futures_util::SinkExt;
use std::collections::HashMap;
use std::time::Instant;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::UrlError;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async_tls};

pub(super) type Stream = WebSocketStream<MaybeTlsStream<Box<dyn Io>>>;

/// Opens a socket to `url` over `network`.
pub(super) async fn connect(network: &dyn Network, url: &str) -> Result<Stream, Error> {
    let request = url.into_client_request()?;
    let uri = request.uri();
    let host = uri.host().ok_or(Error::Url(UrlError::NoHostName))?;
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("wss") { 443 } else { 80 });
    let stream = network.dial(&format!("{host}:{port}")).await.map_err(Error::Io)?;
    client_async_tls(request, stream).await.map(|(stream, _)| stream)
}

/// One connection.
pub(super) struct Session {
    pub(super) stream: Stream,
    commitment: Commitment,
    next_id: u64,
    pub(super) wanted: Topics,
    asked: HashMap<u64, (Topic, Instant)>,
    pub(super) active: HashMap<u64, Topic>,
    pub(super) stamps: Stamps,
    pub(super) versions: Versions,
    pub(super) last_slot: u64,
    pub(super) last_slot_at: Instant,
    pub(super) has_slots: bool,
}

impl Session {
    pub(super) fn new(stream: Stream, commitment: Commitment) -> Self {
        Self {
            stream,
            commitment,
            next_id: 0,
            wanted: Topics::default(),
            asked: HashMap::new(),
            active: HashMap::new(),
            stamps: Stamps::default(),
            versions: Versions::default(),
            last_slot: 0,
            last_slot_at: Instant::now(),
            has_slots: false,
        }
    }

    pub(super) async fn set_topics(&mut self, topics: Topics) -> Result<(), String> {
        let before = std::mem::replace(&mut self.wanted, topics.clone());
        for topic in before.difference(&topics) {
            self.end(topic).await?;
        }
        for topic in topics.difference(&before) {
            self.ask(*topic).await?;
        }
        Ok(())
    }

    pub(super) async fn renew(&mut self, topic: &Topic) -> Result<(), String> {
        if !self.wanted.contains(topic) {
            return Ok(());
        }
        tracing::warn!(?topic, "a subscription missed a change and is renewed");
        self.end(topic).await?;
        self.ask(*topic).await
    }

    async fn ask(&mut self, topic: Topic) -> Result<(), String> {
        self.next_id += 1;
        self.asked.insert(self.next_id, (topic, Instant::now()));
        let request = message::subscribe(self.next_id, &topic, self.commitment);
        self.write(request).await
    }

    async fn end(&mut self, topic: &Topic) -> Result<(), String> {
        self.asked.retain(|_, (asked, _)| asked != topic);
        let numbers: Vec<u64> = self.active.iter().filter(|(_, t)| *t == topic).map(|(n, _)| *n).collect();
        for number in numbers {
            self.active.remove(&number);
            self.stamps.forget(number);
            self.next_id += 1;
            let request = message::unsubscribe(self.next_id, topic, number);
            self.write(request).await?;
        }
        Ok(())
    }

    async fn write(&mut self, text: String) -> Result<(), String> {
        let sent = timeout(CONNECT_TIMEOUT, self.stream.send(Message::text(text))).await;
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(format!("failed to subscribe: {error}")),
            Err(_) => Err("failed to subscribe in time".to_owned()),
        }
    }

    /// Notes an accepted subscription; returns whether it was the last that was open.
    pub(super) fn accepted(&mut self, id: u64, subscription: u64) -> bool {
        let Some((topic, _)) = self.asked.remove(&id) else { return false };
        if topic == Topic::Slots {
            self.has_slots = true;
            self.last_slot_at = Instant::now();
        }
        self.active.insert(subscription, topic);
        self.is_covered()
    }

    /// Tells whether nothing that is wanted waits for its confirmation.
    pub(super) fn is_covered(&self) -> bool {
        self.asked.is_empty()
    }

    /// Returns a subscription whose confirmation is overdue.
    pub(super) fn overdue(&self) -> Option<Topic> {
        self.asked.values().find(|(_, since)| since.elapsed() >= CONFIRM_TIMEOUT).map(|(topic, _)| *topic)
    }

    pub(super) fn refused(&mut self, id: u64, reason: &str) -> Result<(), String> {
        match self.asked.remove(&id) {
            Some((topic, _)) => Err(format!("the server refused to subscribe to {topic:?}: {reason}")),
            None => Ok(()),
        }
    }
}
