use super::super::{Known, Standing, Watcher, load, store};
use super::*;
use crate::config::Commitment;
use crate::events::{EventKind, Events};
use crate::metrics::Metrics;
use crate::submit::PoolWire;
use crate::watch::testing::{NOW, World, bytes_of, clock, key};
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rampart::error::RampartError;
use rampart::state::{Cause, CauseKind};
use serde_json::{Value, json};
use solana_sdk::signature::Keypair;
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use tokio_util::sync::CancellationToken;

/// Blocks for which a blockhash lives here; each question for the height takes one.
const LIFE: u64 = 3;

/// What the chain makes of new bytes, where they do not just land.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// The roles move before they arrive.
    MoveRoles,
    /// Leaders leave them out, and they expire.
    Leave,
    /// Leaders leave them out as long as this is there, and no block comes.
    Hold,
}

struct Inner {
    world: World,
    height: u64,
    fates: VecDeque<Fate>,
    is_down: bool,
    /// Distinct bytes, in the order in which they came.
    sent: Vec<Vec<u8>>,
    /// What leaders leave out for good.
    left: Vec<String>,
    statuses: BTreeMap<String, Value>,
}

/// A chain of one guard, played over JSON-RPC.
#[derive(Clone)]
struct Node(Arc<Mutex<Inner>>, String);

fn guardian() -> PayerKey {
    PayerKey::new(Keypair::new_from_array([7; 32]))
}

fn world() -> World {
    let mut world = World::new();
    let roles = &mut world.guard.roles;
    (roles.root, roles.risk_admin, roles.resetter, roles.vetoer) = (key(101), key(102), key(103), key(104));
    (roles.guardians[0], roles.guardian_count, roles.guardian_quorum) = (guardian().pubkey(), 1, 1);
    world
}

impl Node {
    async fn start(fates: &[Fate]) -> Self {
        let fates = fates.iter().copied().collect();
        let (sent, left, statuses) = (Vec::new(), Vec::new(), BTreeMap::new());
        let inner = Inner { world: world(), height: 100, fates, is_down: false, sent, left, statuses };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let node = Self(Arc::new(Mutex::new(inner)), format!("http://{}", listener.local_addr().expect("an address")));
        let router = Router::new().route("/", post(answer)).with_state(node.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        node
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().expect("no panic holds it")
    }

    fn pool(&self) -> Arc<Pool> {
        let endpoint = toml::from_str(&format!("name = \"e\"\nhttp = \"{}\"", self.1)).expect("settings");
        let pool = Arc::new(Pool::new(vec![endpoint], Commitment::Processed, Metrics::new()));
        pool.endpoints().iter().for_each(|endpoint| pool.verified(endpoint));
        pool
    }

    fn pauser(&self, dir: &Path) -> Pauser {
        Pauser {
            guardian: guardian(),
            guard: World::new().guard_key,
            pause_secs: 3_600,
            price: PriceRange { floor: 10_000, cap: 1_000_000 },
            wire: Arc::new(PoolWire::new(self.pool(), &[], Metrics::new())),
            file: dir.join(FILE),
        }
    }

    /// The distinct transactions that arrived.
    fn sent(&self) -> Vec<Transaction> {
        self.inner().sent.iter().map(|bytes| bincode::deserialize(bytes).expect("a transaction")).collect()
    }

    /// Until when the guardian holds the guard's level.
    fn raised_until(&self) -> Option<i64> {
        let inner = self.inner();
        inner.world.guard.breaker.cause_of(&guardian().pubkey(), NOW).map(Cause::ends_at_ts)
    }
}

impl Inner {
    fn receive(&mut self, bytes: Vec<u8>) -> String {
        let transaction: Transaction = bincode::deserialize(&bytes).expect("a transaction");
        let name = transaction.signatures[0].to_string();
        if !self.sent.contains(&bytes) {
            self.sent.push(bytes);
        }
        if self.statuses.contains_key(&name) || self.left.contains(&name) || self.fates.front() == Some(&Fate::Hold) {
            return name;
        }
        match self.fates.pop_front() {
            Some(Fate::Leave) => {
                self.left.push(name.clone());
                return name;
            }
            Some(Fate::MoveRoles) => self.world.guard.authority_epoch += 1,
            Some(Fate::Hold) | None => {}
        }
        let error = self.execute(&transaction).err();
        self.statuses.insert(name.clone(), status(error));
        name
    }

    /// What the program makes of it, as far as it matters here.
    fn execute(&mut self, transaction: &Transaction) -> Result<(), RampartError> {
        let data = &transaction.message.instructions.last().expect("a pause").data;
        let (duration_secs, epoch) = (u32::from_le_bytes(data[9..13].try_into().expect("bytes")), &data[13..21]);
        let (source, guard) = (transaction.message.account_keys[0], &mut self.world.guard);
        if epoch != guard.authority_epoch.to_le_bytes() {
            return Err(RampartError::AuthorityEpochMoved);
        }
        if guard.breaker.cause_of(&source, NOW).is_some() {
            return Err(RampartError::OwnPauseExtension);
        }
        let kind = CauseKind::Pause as u8;
        let expires_at_ts = NOW + i64::from(duration_secs);
        guard.breaker.causes[0] = Cause { source, expires_at_ts, level: data[8], kind, ..Cause::default() };
        Ok(())
    }
}

fn status(error: Option<RampartError>) -> Value {
    let error = error.map(|error| json!({ "InstructionError": [2, { "Custom": u32::from(error) }] }));
    let status = error.clone().map_or(json!({ "Ok": null }), |error| json!({ "Err": error }));
    json!({ "slot": 90, "confirmations": 1, "status": status, "err": error, "confirmationStatus": "confirmed" })
}

async fn answer(State(node): State<Node>, Json(request): Json<Value>) -> (StatusCode, Json<Value>) {
    let mut inner = node.inner();
    if inner.is_down {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(Value::Null));
    }
    let (params, height) = (&request["params"], inner.height);
    let with_slot = |value: Value| json!({ "context": { "slot": height + 1_000 }, "value": value });
    let result = match request["method"].as_str().expect("a method") {
        "getBlockHeight" => {
            inner.height += u64::from(inner.fates.front() != Some(&Fate::Hold));
            json!(inner.height)
        }
        "getEpochInfo" => {
            json!({ "absoluteSlot": height + 1_000, "blockHeight": height, "epoch": 1, "slotIndex": 1, "slotsInEpoch": 10, "transactionCount": 1 })
        }
        "getSlot" => json!(height + 1_000),
        "getLatestBlockhash" => {
            let hash = Pubkey::new_from_array([height as u8; 32]).to_string();
            with_slot(json!({ "blockhash": hash, "lastValidBlockHeight": height + LIFE }))
        }
        "getMultipleAccounts" => {
            let keys = params[0].as_array().expect("keys").iter().map(|key| key.as_str().expect("a key").to_owned());
            with_slot(keys.map(|key| account(&inner.world, &key)).collect())
        }
        "getProgramAccounts" => with_slot(json!([])),
        "getSignatureStatuses" => {
            let names = params[0].as_array().expect("signatures").iter();
            let known = names.map(|name| inner.statuses.get(name.as_str().expect("one")).cloned());
            // the history is as new as the newest block
            json!({ "context": { "slot": inner.height + 1_000 }, "value": known.collect::<Vec<_>>() })
        }
        "sendTransaction" => {
            let bytes = BASE64_STANDARD.decode(params[0].as_str().expect("bytes")).expect("base64");
            json!(inner.receive(bytes))
        }
        "getRecentPrioritizationFees" => json!([{ "slot": 1, "prioritizationFee": 20_000 }]),
        other => panic!("{other} is not played"),
    };
    (StatusCode::OK, Json(json!({ "jsonrpc": "2.0", "id": request["id"], "result": result })))
}

fn account(world: &World, at: &str) -> Value {
    let (owner, data) = if at == world.guard_key.to_string() {
        (rampart::ID, bytes_of(&world.guard))
    } else if at == CLOCK.to_string() {
        (Pubkey::default(), clock(1_000, NOW).data)
    } else {
        return Value::Null;
    };
    json!({
        "owner": owner.to_string(), "lamports": 1, "executable": false, "rentEpoch": 0, "space": data.len(),
        "data": [BASE64_STANDARD.encode(data), "base64"],
    })
}

/// Raises, and returns until when with all that was told before.
async fn raise(node: &Node, dir: &Path) -> (i64, Vec<News>) {
    let (told, mut news) = mpsc::channel(16);
    let until_ts = node.pauser(dir).raise(&node.pool(), &told).await;
    (until_ts, std::iter::from_fn(|| news.try_recv().ok()).collect())
}

fn prices(sent: &[Transaction]) -> Vec<u64> {
    let price =
        |sent: &Transaction| u64::from_le_bytes(sent.message.instructions[1].data[1..9].try_into().expect("eight"));
    sent.iter().map(price).collect()
}

#[tokio::test]
async fn refused_pause_is_signed_anew_under_the_new_epoch() {
    let (node, dir) = (Node::start(&[Fate::MoveRoles]).await, tempfile::tempdir().expect("a directory"));
    let (until_ts, news) = raise(&node, dir.path()).await;
    assert_eq!((until_ts, node.raised_until()), (NOW + 3_600, Some(NOW + 3_600)));
    let code = format!("{:#x}", u32::from(RampartError::AuthorityEpochMoved));
    let why = format!("the program refused: Error processing Instruction 2: custom program error: {code}");
    assert_eq!(news, [News::Failed(why)]);
    let epochs: Vec<_> = node.sent().iter().map(|sent| sent.message.instructions[2].data[13]).collect();
    assert_eq!(epochs, [0, 1]);
    assert!(!dir.path().join(FILE).exists(), "nothing is under way any more");
}

#[tokio::test]
async fn expired_pause_is_signed_anew_and_pays_more() {
    let (node, dir) = (Node::start(&[Fate::Leave]).await, tempfile::tempdir().expect("a directory"));
    let (until_ts, news) = raise(&node, dir.path()).await;
    assert_eq!((until_ts, node.raised_until()), (NOW + 3_600, Some(NOW + 3_600)));
    let sent = node.sent();
    assert_eq!(news, [News::Failed(format!("transaction {} expired", sent[0].signatures[0]))]);
    assert_eq!(prices(&sent), [20_000, 200_000], "what others pay, then ten times as much");
}

#[tokio::test]
async fn pause_that_may_still_land_is_followed_after_a_crash_and_no_second_one_is_signed() {
    let (node, dir) = (Node::start(&[Fate::Hold]).await, tempfile::tempdir().expect("a directory"));
    let (told, _news) = mpsc::channel(16);
    let (pauser, pool) = (node.pauser(dir.path()), node.pool());
    let dying = tokio::spawn(async move { pauser.raise(&pool, &told).await });
    until("it is sent", || !node.sent().is_empty()).await;
    dying.abort();
    assert!(dying.await.is_err() && node.raised_until().is_none());
    node.inner().fates.clear();
    assert_eq!(raise(&node, dir.path()).await, (NOW + 3_600, Vec::new()));
    assert_eq!((node.sent().len(), node.raised_until()), (1, Some(NOW + 3_600)));
}

#[tokio::test]
async fn level_that_the_guardian_holds_already_is_left_as_it_is() {
    let (node, dir) = (Node::start(&[]).await, tempfile::tempdir().expect("a directory"));
    assert_eq!(raise(&node, dir.path()).await, (NOW + 3_600, Vec::new()));
    assert_eq!(raise(&node, dir.path()).await, (NOW + 3_600, Vec::new()));
    assert_eq!(node.sent().len(), 1);
}

#[tokio::test]
async fn pause_is_not_sent_where_the_program_would_refuse_it() {
    let (node, dir) = (Node::start(&[]).await, tempfile::tempdir().expect("a directory"));
    {
        let (mut inner, left_secs) = (node.inner(), 3_599);
        let guard = &mut inner.world.guard;
        let (roles, bounds) = (guard.roles, guard.bounds);
        let used_secs = bounds.max_guardian_pause_secs - left_secs;
        guard.pauses.charge_guardian(&guardian().pubkey(), &roles, &bounds, NOW, used_secs).expect("within the budget");
    }
    let refused = node.pauser(dir.path()).attempt(&node.pool(), 0).await;
    assert!(
        matches!(refused, Err(PauseError::Budget { guardian: at, wanted_secs: 3_600 }) if at == guardian().pubkey())
    );
    node.inner().world.guard.roles.guardians[0] = key(105);
    let refused = node.pauser(dir.path()).attempt(&node.pool(), 0).await;
    assert!(matches!(refused, Err(PauseError::NoGuardian(at)) if at == guardian().pubkey()));
    node.inner().world.guard.breaker.causes[0] = Cause {
        source: guardian().pubkey(),
        expires_at_ts: NOW + 5,
        level: Level::Caution as u8,
        kind: CauseKind::Pause as u8,
        ..Cause::default()
    };
    let refused = node.pauser(dir.path()).attempt(&node.pool(), 0).await;
    assert!(matches!(refused, Err(PauseError::Standing(until_ts)) if until_ts == NOW + 5));
    assert!(node.sent().is_empty() && !dir.path().join(FILE).exists());
}

async fn until(what: &str, is_true: impl Fn() -> bool) {
    for _ in 0..1_200 {
        if is_true() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("waited in vain: {what}");
}

fn standing(world: &World) -> Arc<Standing> {
    Arc::new(Standing::of(&world.store(&[])).expect("the guard is known"))
}

/// A watch of one process, the end by which it is shown the guard, and what it tells.
struct Life {
    task: tokio::task::JoinHandle<()>,
    shown: watch::Sender<Option<Arc<Standing>>>,
    events: Events,
}

impl Life {
    fn start(node: &Node, dir: &Path) -> Self {
        let (shown, standings) = watch::channel(None);
        let events = Events::new(Metrics::new());
        let watcher = Watcher {
            pool: node.pool(),
            standings,
            slot: Arc::new(AtomicU64::new(5)),
            poll: Duration::from_secs(3_600),
            state_dir: dir.to_owned(),
            pauser: Some(node.pauser(dir)),
            events: events.clone(),
            metrics: Metrics::new(),
        };
        Self { task: tokio::spawn(watcher.run(CancellationToken::new())), shown, events }
    }

    /// What was told of pauses.
    fn pauses(&self) -> Vec<String> {
        let (told, _) = self.events.subscribe();
        let pauses = told.iter().filter(|event| event.kind == EventKind::LevelsPaused);
        pauses.map(|event| event.fields["pause"].as_str().expect("a word").to_owned()).collect()
    }

    async fn die(self) {
        self.task.abort();
        assert!(self.task.await.is_err());
    }
}

/// A node, and a state directory in which the world before the seizure is known.
async fn before_seizure() -> (Node, tempfile::TempDir, Arc<Standing>) {
    let (node, dir) = (Node::start(&[]).await, tempfile::tempdir().expect("a directory"));
    store(dir.path(), &Known { standing: Some(standing(&world())), ..Known::default() });
    let mut seized = world();
    seized.guard.roles.root = key(200);
    (node, dir, standing(&seized))
}

#[tokio::test]
async fn fault_55_sign_seen_while_nothing_answers_raises_the_level_in_a_later_life() {
    let (node, dir, seized) = before_seizure().await;
    node.inner().is_down = true;
    let life = Life::start(&node, dir.path());
    life.shown.send_replace(Some(seized.clone()));
    until("the failure is told", || life.pauses() == ["failed"]).await;
    life.die().await;
    let wanted = load(dir.path()).wanted.expect("it is on the disk");
    assert_eq!(wanted.sign, "role_moved");
    node.inner().is_down = false;
    let life = Life::start(&node, dir.path());
    until("the level is raised", || life.pauses() == ["raised"]).await;
    assert_eq!((node.raised_until(), node.sent().len()), (Some(NOW + 3_600), 1));
    until("it is wanted no more", || load(dir.path()).wanted.is_none()).await;
    life.die().await;
    // what is known is no sign again
    let life = Life::start(&node, dir.path());
    life.shown.send_replace(Some(seized));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!((life.pauses(), node.sent().len()), (Vec::new(), 1));
}

#[tokio::test]
async fn pause_is_wanted_no_more_when_nothing_is_left_of_the_sign() {
    let (node, dir, seized) = before_seizure().await;
    node.inner().is_down = true;
    let life = Life::start(&node, dir.path());
    life.shown.send_replace(Some(seized));
    until("the failure is told", || life.pauses() == ["failed"]).await;
    life.shown.send_replace(Some(standing(&world())));
    until("it is dropped", || life.pauses().last().is_some_and(|last| last == "dropped")).await;
    until("and forgotten", || load(dir.path()).wanted.is_none()).await;
    node.inner().is_down = false;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!((node.sent().len(), node.raised_until()), (0, None));
}
