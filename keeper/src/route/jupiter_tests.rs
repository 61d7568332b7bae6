//! Answers in these tests are written from the published schema of the API, not recorded from it.

use super::*;
use crate::config::RouteKind;
use crate::route::allow;
use crate::watch::testing::{World, bytes_of, key, swap_policy};
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::routing::{get, post};
use axum::{Json, Router};
use rampart::error::RampartError;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;

const PROGRAM: u8 = 70;

/// What the server answers, and what it was asked.
#[derive(Clone)]
struct Server {
    quote: Arc<dyn Fn() -> Result<Value, StatusCode> + Send + Sync>,
    swap: Value,
    heard: Arc<Mutex<Vec<String>>>,
}

async fn serve(server: Server) -> String {
    let quote = |Shared(server): Shared<Server>, headers: HeaderMap, uri: Uri| async move {
        let key = headers.get("x-api-key").and_then(|key| key.to_str().ok()).unwrap_or_default().to_owned();
        server.heard.lock().unwrap().push(format!("{uri} {key}"));
        (server.quote)().map(Json)
    };
    let swap = |Shared(server): Shared<Server>, Json(body): Json<Value>| async move {
        server.heard.lock().unwrap().push(body.to_string());
        Json(server.swap.clone())
    };
    let router = Router::new()
        .route("/swap/v1/quote", get(quote))
        .route("/swap/v1/swap-instructions", post(swap))
        .with_state(server);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

struct Scene {
    store: Store,
    ask: Ask,
    escrow: Pubkey,
    destination: Pubkey,
}

fn scene() -> Scene {
    let world = World::new();
    let mut store = world.store(&[]);
    let (keys, policy) = swap_policy(world.guard_key, key(PROGRAM));
    world.put(&mut store, keys.policy, bytes_of(&policy));
    let program = store.asset(&world.asset_keys[1]).unwrap().token_program;
    let destination = address::associated(&keys.escrow, &key(21), &program);
    Scene { store, ask: Ask { from: key(20), to: key(21), amount: 1_000 }, escrow: keys.escrow, destination }
}

impl Scene {
    fn quote(&self) -> Value {
        json!({
            "inputMint": self.ask.from.to_string(), "inAmount": "1000",
            "outputMint": self.ask.to.to_string(), "outAmount": "990",
            "otherAmountThreshold": "980", "swapMode": "ExactIn", "slippageBps": 100, "platformFee": null,
            "priceImpactPct": "0.01", "routePlan": [], "contextSlot": 1, "timeTaken": 0.01
        })
    }

    fn swap(&self) -> Value {
        let account = |key: Pubkey, signs: bool, writes: bool| json!({ "pubkey": key.to_string(), "isSigner": signs, "isWritable": writes });
        json!({
            "computeBudgetInstructions": [], "setupInstructions": [], "cleanupInstruction": null, "otherInstructions": [],
            "swapInstruction": {
                "programId": key(PROGRAM).to_string(),
                "accounts": [account(self.escrow, true, true), account(self.destination, false, true), account(key(80), false, true)],
                "data": "AQID"
            },
            "addressLookupTableAddresses": [key(81).to_string()]
        })
    }

    fn server(&self) -> Server {
        let quote = self.quote();
        Server { quote: Arc::new(move || Ok(quote.clone())), swap: self.swap(), heard: Arc::default() }
    }
}

fn settings(url: String) -> RouteSettings {
    RouteSettings {
        name: "jupiter".into(),
        kind: RouteKind::Jupiter,
        policy: 1,
        pool: None,
        url,
        key_file: None,
        timeout_ms: 500,
        max_age_ms: 60_000,
    }
}

/// Asks until the question is settled one way or the other.
async fn settled(route: &Jupiter, scene: &Scene) -> Result<Quote, RouteError> {
    for _ in 0..2_000 {
        let answer = route.quote(&scene.store, &scene.ask);
        let is_open = matches!(route.known().get(&scene.ask), Some(State::Asked) | None);
        if answer.is_ok() || !is_open {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the question was never settled");
}

#[tokio::test]
async fn quote_is_there_at_a_later_tick_and_its_swap_is_the_escrows() {
    let (scene, dir) = (scene(), tempfile::tempdir().unwrap());
    let server = scene.server();
    let path = dir.path().join("key");
    std::fs::write(&path, "secret\n").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let settings = RouteSettings { key_file: Some(path), ..settings(serve(server.clone()).await) };
    let route = Jupiter::new(&settings);
    assert_eq!(route.quote(&scene.store, &scene.ask), Err(RouteError::Unknown), "nothing waits for it");
    assert_eq!(settled(&route, &scene).await, Ok(Quote { spent_amount: 1_000, received_amount: 990 }));
    let (keys, policy) = swap_policy(scene.store.guard_key(), key(PROGRAM));
    let mint = |mint| rampart_client::MintOf { mint, token_program: anchor_spl::token::ID };
    let order = Order { policy: &keys, from: mint(key(20)), to: mint(key(21)), amount: 1_000, least_amount: 0 };
    let routed = route.build(&scene.store, &order).unwrap();
    assert_eq!(routed.data, [1, 2, 3]);
    assert!(routed.accounts.iter().all(|meta| !meta.is_signer));
    assert_eq!(allow::require_allowed(&scene.store, (&keys, &policy), &keys.program, &routed), Ok(()));
    assert_eq!(route.accounts(&scene.store), [key(81)]);
    let heard = server.heard.lock().unwrap().clone();
    assert!(heard[0].contains("amount=1000") && heard[0].ends_with(" secret"), "{}", heard[0]);
    assert!(heard[1].contains(&scene.escrow.to_string()) && heard[1].contains("\"outAmount\":\"990\""));
    assert_eq!(heard.len(), 2, "one question, however often it is looked at");
}

#[tokio::test]
async fn fault_13_answer_about_something_else_is_no_answer() {
    type Edit = fn(&mut Value, &mut Value);
    let edits: [Edit; 7] = [
        |quote, _| quote["inAmount"] = json!("2000"),
        |quote, _| quote["outputMint"] = json!(key(22).to_string()),
        |quote, _| quote["swapMode"] = json!("ExactOut"),
        |quote, _| quote["outAmount"] = json!("-1"),
        |_, swap| swap["swapInstruction"]["accounts"][2]["isSigner"] = json!(true),
        |_, swap| swap["swapInstruction"]["accounts"][1]["pubkey"] = json!(key(83).to_string()),
        |_, swap| swap["swapInstruction"]["data"] = json!("?"),
    ];
    for edit in edits {
        let scene = scene();
        let (mut quote, mut swap) = (scene.quote(), scene.swap());
        edit(&mut quote, &mut swap);
        let server = Server { quote: Arc::new(move || Ok(quote.clone())), swap, heard: Arc::default() };
        let route = Jupiter::new(&settings(serve(server).await));
        assert_eq!(settled(&route, &scene).await, Err(RouteError::Unknown));
        assert!(matches!(route.known().get(&scene.ask), Some(State::Failed(_))));
    }
}

#[tokio::test]
async fn fault_12_refusal_is_not_asked_again_at_once_and_silence_ends_by_itself() {
    let scene = scene();
    let refusing = Server { quote: Arc::new(|| Err(StatusCode::TOO_MANY_REQUESTS)), ..scene.server() };
    let route = Jupiter::new(&settings(serve(refusing.clone()).await));
    assert_eq!(settled(&route, &scene).await, Err(RouteError::Unknown));
    for _ in 0..10 {
        assert_eq!(route.quote(&scene.store, &scene.ask), Err(RouteError::Unknown));
    }
    assert_eq!(refusing.heard.lock().unwrap().len(), 1);
    // a server that takes the connection and says nothing
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let route = Jupiter::new(&settings(format!("http://{}", silent.local_addr().unwrap())));
    assert_eq!(settled(&route, &scene).await, Err(RouteError::Unknown));
}

#[tokio::test]
async fn key_that_others_can_read_is_not_sent() {
    let (scene, dir) = (scene(), tempfile::tempdir().unwrap());
    let server = scene.server();
    let path = dir.path().join("key");
    std::fs::write(&path, "secret").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let route = Jupiter::new(&RouteSettings { key_file: Some(path), ..settings(serve(server.clone()).await) });
    assert_eq!(settled(&route, &scene).await, Err(RouteError::Unknown));
    assert!(server.heard.lock().unwrap().is_empty());
}

#[test]
fn swap_of_another_program_is_refused_by_the_policy() {
    let scene = scene();
    let (keys, policy) = swap_policy(scene.store.guard_key(), key(PROGRAM));
    let routed = Routed { accounts: Vec::new(), data: vec![9] };
    let refused = allow::require_allowed(&scene.store, (&keys, &policy), &keys.program, &routed);
    assert_eq!(refused, Err(RouteError::Forbidden(RampartError::SwapInstructionForbidden)));
}
