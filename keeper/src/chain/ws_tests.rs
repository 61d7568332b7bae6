use super::*;
use crate::chain::pool::Pool;
use crate::config::Commitment;
use crate::metrics::Metrics;
use crate::watch::feeds::Child;
use crate::watch::mailbox::Mailbox;
use anchor_lang::prelude::Pubkey;
use futures_util::SinkExt;
use serde_json::{Value, json};
use std::sync::atomic::AtomicU64;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::{WebSocketStream, accept_async};

/// A server of the subscription protocol that does what a test tells it.
struct Server {
    listener: TcpListener,
}

type Peer = WebSocketStream<TcpStream>;

impl Server {
    async fn new() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    async fn accept(&self) -> Peer {
        accept_async(self.listener.accept().await.unwrap().0).await.unwrap()
    }
}

/// Reads a request: its id, method and first parameter.
async fn request(peer: &mut Peer) -> (u64, String, Value) {
    loop {
        let message = peer.next().await.unwrap().unwrap();
        if let Message::Text(text) = message {
            let value: Value = serde_json::from_str(&text).unwrap();
            return (
                value["id"].as_u64().unwrap(),
                value["method"].as_str().unwrap().to_owned(),
                value["params"][0].clone(),
            );
        }
    }
}

async fn send(peer: &mut Peer, value: Value) {
    peer.send(Message::text(value.to_string())).await.unwrap();
}

async fn accept_all(peer: &mut Peer, n: usize) -> Vec<(u64, String)> {
    let mut accepted = vec![];
    for _ in 0..n {
        let (id, method, _) = request(peer).await;
        send(peer, json!({ "jsonrpc": "2.0", "id": id, "result": 100 + id })).await;
        accepted.push((100 + id, method));
    }
    accepted
}

fn slot(subscription: u64, slot: u64) -> Value {
    json!({ "jsonrpc": "2.0", "method": "slotNotification", "params": { "result": { "slot": slot }, "subscription": subscription } })
}

struct Client {
    signals: mpsc::Receiver<(usize, Signal)>,
    topics: watch::Sender<Topics>,
    renew: mpsc::Sender<Topic>,
    mailbox: Arc<Mailbox>,
    stop: CancellationToken,
}

impl Client {
    async fn next(&mut self) -> Option<Signal> {
        self.signals.recv().await.map(|(_, signal)| signal)
    }
}

/// A pool of one endpoint that is believed.
fn pool() -> Arc<Pool> {
    let text = "name = \"e\"\nhttp = \"http://127.0.0.1:1\"";
    let pool = Pool::new(vec![toml::from_str(text).unwrap()], Commitment::Processed, Metrics::new());
    pool.verified(&pool.endpoints()[0]);
    Arc::new(pool)
}

const ORACLE: Pubkey = Pubkey::new_from_array([3; 32]);

fn topics(extra: &[Topic]) -> Topics {
    Arc::new([Topic::Slots, Topic::Account(ORACLE)].into_iter().chain(extra.iter().copied()).collect())
}

fn start(server: &Server) -> Client {
    start_at(format!("ws://{}", server.listener.local_addr().unwrap()))
}

fn start_at(url: String) -> Client {
    let (signals, from_socket) = mpsc::channel(64);
    let (renew, renewals) = mpsc::channel(8);
    let (topics, watched) = watch::channel(topics(&[]));
    let (mailbox, stop) = (Arc::<Mailbox>::default(), CancellationToken::new());
    let feed = Feed {
        source: 0,
        index: 0,
        pool: pool(),
        commitment: Commitment::Processed,
        stall_slots: 4,
        slot_micros: Arc::new(AtomicU64::new(50_000)),
        topics: watched,
        renew: renewals,
        mailbox: mailbox.clone(),
        signals,
    };
    tokio::spawn(Socket { feed, url }.run(stop.clone()));
    Client { signals: from_socket, topics, renew, mailbox, stop }
}

#[tokio::test]
async fn accounts_reach_the_mailbox_under_the_address_that_was_subscribed_to() {
    let server = Server::new().await;
    let mut client = start(&server);
    let mut peer = server.accept().await;
    let accepted = accept_all(&mut peer, 2).await;
    assert!(matches!(client.next().await, Some(Signal::Covered(covered)) if covered.len() == 2));
    let (number, _) = accepted.iter().find(|(_, method)| method == "accountSubscribe").unwrap();
    let account = json!({ "data": ["AQI=", "base64"], "executable": false, "lamports": 9, "owner": ORACLE.to_string(), "rentEpoch": 0 });
    let result = json!({ "context": { "slot": 77 }, "value": account });
    let params = json!({ "result": result, "subscription": number });
    send(&mut peer, json!({ "jsonrpc": "2.0", "method": "accountNotification", "params": params })).await;
    client.mailbox.changed().await;
    let updates = client.mailbox.take();
    assert_eq!((updates[0].key, updates[0].slot, updates[0].data.as_slice()), (ORACLE, 77, &[1u8, 2][..]));
    client.stop.cancel();
}

#[tokio::test]
async fn silent_socket_is_given_up_and_opened_anew() {
    let server = Server::new().await;
    let mut client = start(&server);
    let mut peer = server.accept().await;
    let accepted = accept_all(&mut peer, 2).await;
    client.next().await.unwrap();
    let (number, _) = accepted.iter().find(|(_, method)| method == "slotSubscribe").unwrap();
    send(&mut peer, slot(*number, 5)).await;
    assert!(matches!(client.next().await, Some(Signal::Slot { slot: 5, .. })));
    // the connection stays open, and nothing comes any more
    let Some(Signal::Down(reason)) = client.next().await else { panic!("no signal") };
    assert!(reason.starts_with("no slot for"), "{reason}");
    let mut again = server.accept().await;
    assert_eq!(accept_all(&mut again, 2).await.len(), 2);
    assert!(matches!(client.next().await, Some(Signal::Covered(_))));
}

#[tokio::test]
async fn refused_subscription_and_closed_socket_are_told() {
    let server = Server::new().await;
    let mut client = start(&server);
    let mut peer = server.accept().await;
    let (id, ..) = request(&mut peer).await;
    send(&mut peer, json!({ "jsonrpc": "2.0", "id": id, "error": { "code": -32601, "message": "no" } })).await;
    let Some(Signal::Down(reason)) = client.next().await else { panic!("no signal") };
    assert!(reason.contains("refused"), "{reason}");
    let peer = server.accept().await;
    drop(peer);
    assert!(matches!(client.next().await, Some(Signal::Down(_))));
}

#[tokio::test]
async fn topics_that_change_are_subscribed_to_and_ended_one_by_one() {
    let server = Server::new().await;
    let mut client = start(&server);
    let mut peer = server.accept().await;
    let accepted = accept_all(&mut peer, 2).await;
    client.next().await.unwrap();
    let numbers: Vec<u64> = accepted.iter().map(|(number, _)| *number).collect();
    let children = Topic::Children(Child::Position, ORACLE);
    client.topics.send_replace(topics(&[children]));
    let added = accept_all(&mut peer, 1).await;
    assert_eq!(added[0].1, "programSubscribe");
    assert!(matches!(client.next().await, Some(Signal::Covered(covered)) if covered.contains(&children)));
    client.renew.send(Topic::Account(ORACLE)).await.unwrap();
    let (_, ended, number) = request(&mut peer).await;
    assert_eq!((ended.as_str(), numbers.contains(&number.as_u64().unwrap())), ("accountUnsubscribe", true));
    assert_eq!(accept_all(&mut peer, 1).await[0].1, "accountSubscribe");
    assert!(matches!(client.next().await, Some(Signal::Covered(covered)) if covered.contains(&children)));
    client.topics.send_replace(topics(&[]));
    loop {
        let (_, method, number) = request(&mut peer).await;
        if method == "programUnsubscribe" {
            assert_eq!(number, json!(added[0].0));
            break;
        }
    }
    // nothing has to be confirmed for what is only left out, and nobody would ever tell that the rest is complete
    assert!(matches!(client.next().await, Some(Signal::Covered(covered)) if covered == topics(&[])));
}

/// A missing TLS provider would panic here, and with that end the keeper on every `wss` endpoint.
#[tokio::test]
async fn encrypted_endpoint_that_is_none_is_an_error_and_no_panic() {
    let server = Server::new().await;
    let url = format!("wss://{}", server.listener.local_addr().unwrap());
    let mut client = start_at(url);
    drop(server.listener.accept().await.unwrap());
    let Some(Signal::Down(reason)) = client.next().await else { panic!("no signal") };
    assert!(reason.starts_with("failed to connect"), "{reason}");
}
