//! A chain of one guard, played over JSON-RPC: it takes transactions and never confirms one.

use crate::watch::feeds::CLOCK;
use crate::watch::testing::{World, bytes_of, feed, key, token_account};
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rampart_keeper::watch::feeds::wallets;
use serde_json::{Value, json};
use solana_sdk::pubkey::Pubkey;
use solana_sdk::signature::{Keypair, Signature};
use solana_sdk::signer::Signer;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const SLOT_MS: u64 = 100;

struct Account {
    owner: Pubkey,
    lamports: u64,
    data: Vec<u8>,
}

struct Inner {
    accounts: BTreeMap<Pubkey, Account>,
    sent: Vec<Vec<u8>>,
    milli_dollars: i128,
    started: std::time::Instant,
}

/// The chain.
pub struct Chain {
    /// Its endpoint.
    pub url: String,
    /// Who pays on it.
    pub payer: Keypair,
    /// A guardian of the guard.
    pub guardian: Keypair,
    /// The world on it.
    pub world: World,
    inner: Arc<Mutex<Inner>>,
}

fn now_ts() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock");
    i64::try_from(since.as_secs()).expect("a time")
}

impl Chain {
    /// Starts it with so many positions, from 60 % loan-to-value on.
    pub async fn start(positions: u8) -> Self {
        let (mut world, payer, guardian) = (World::new(), Keypair::new(), Keypair::new());
        let roles = &mut world.guard.roles;
        (roles.root, roles.risk_admin, roles.resetter, roles.vetoer) = (key(101), key(102), key(103), key(104));
        (roles.guardians[0], roles.guardian_count, roles.guardian_quorum) = (guardian.pubkey(), 1, 1);
        let mut accounts = BTreeMap::new();
        let program = |data| Account { owner: rampart::ID, lamports: 1, data };
        accounts.insert(world.guard_key, program(bytes_of(&world.guard)));
        for (at, key) in world.asset_keys.into_iter().enumerate() {
            let mut asset = world.asset(at as u8);
            // as of now: the world is of another time
            let shift = now_ts() - crate::watch::testing::NOW;
            asset.reference.updated_at_ts += shift;
            asset.reference.last_publish_ts = asset.reference.last_publish_ts.map(|ts| ts + shift);
            let mut fresh: rampart::state::window::Window = bytemuck::Zeroable::zeroed();
            fresh.cell_secs = asset.window.cell_secs;
            for back in (0..6).rev() {
                fresh.record(
                    rampart::math::Price::from_q64(rampart::math::price::Q64_ONE).expect("a dollar"),
                    now_ts() - 60 * back,
                );
            }
            asset.window = fresh;
            accounts.insert(key, program(bytes_of(&asset)));
        }
        let mut vault = world.vault();
        vault.accrued_at_ts = now_ts();
        let debts: Vec<u64> = (0..positions).map(|at| 600_000 + 10_000 * u64::from(at)).collect();
        vault.debt_scaled = u128::from(debts.iter().sum::<u64>()).into();
        vault.collateral_amount = 1_000_000 * u64::from(positions);
        accounts.insert(world.vault_key, program(bytes_of(&vault)));
        for (at, debt) in debts.iter().enumerate() {
            accounts.insert(key(50 + at as u8), program(bytes_of(&world.position(1_000_000, *debt))));
        }
        let mut rule = world.rule();
        rule.params.scope = rampart::state::Scope::Subject as u8;
        accounts.insert(key(crate::RULE), program(bytes_of(&rule)));
        accounts
            .insert(payer.pubkey(), Account { owner: Pubkey::default(), lamports: 10_000_000_000, data: Vec::new() });
        let store = world.store(&[]);
        for (mint, wallet) in wallets(&store, &payer.pubkey()) {
            let data = token_account(&mint, &payer.pubkey(), 1_000_000_000);
            accounts.insert(wallet.token, Account { owner: wallet.token_program, lamports: 1, data });
        }
        // a durable nonce of the root, there from the beginning
        let mut nonce = vec![0; 80];
        nonce[8..40].copy_from_slice(key(101).as_ref());
        accounts.insert(key(150), Account { owner: Pubkey::default(), lamports: 1, data: nonce });
        accounts.insert(rampart::ID, Account { owner: key(9), lamports: 1, data: vec![0; 36] });
        let inner = Inner { accounts, sent: Vec::new(), milli_dollars: 1_000, started: std::time::Instant::now() };
        let inner = Arc::new(Mutex::new(inner));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().route("/", post(answer)).with_state(inner.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, payer, guardian, world, inner }
    }

    /// Lets the collateral's sources say another price, in thousandths of a dollar.
    pub fn fall(&self, milli_dollars: i128) {
        self.inner.lock().expect("a lock").milli_dollars = milli_dollars;
    }

    /// Gives the root of the guard to somebody else, as the first step of a takeover.
    pub fn seize(&self) {
        let mut guard = self.world.guard;
        guard.roles.root = key(200);
        guard.authority_epoch += 1;
        let account = Account { owner: rampart::ID, lamports: 1, data: bytes_of(&guard) };
        self.inner.lock().expect("a lock").accounts.insert(self.world.guard_key, account);
    }

    /// Returns the bytes that arrived, in order, each as often as it did.
    pub fn sent(&self) -> Vec<Vec<u8>> {
        self.inner.lock().expect("a lock").sent.clone()
    }
}

impl Inner {
    fn slot(&self) -> u64 {
        1_000 + u64::try_from(self.started.elapsed().as_millis()).expect("a time") / SLOT_MS
    }

    fn account(&self, key: &Pubkey) -> Value {
        let oracle = |milli| json!({ "owner": rampart::oracle::SWITCHBOARD_ON_DEMAND.to_string(), "lamports": 1, "executable": false, "rentEpoch": 0, "space": 1, "data": [BASE64_STANDARD.encode(feed(milli, now_ts() - 1)), "base64"] });
        let index = (10..14).find(|n| crate::watch::testing::key(*n) == *key);
        match index {
            Some(10 | 11) => return oracle(self.milli_dollars),
            Some(_) => return oracle(1_000),
            None => {}
        }
        if *key == CLOCK {
            let mut data = vec![0; 40];
            data[..8].copy_from_slice(&self.slot().to_le_bytes());
            data[32..].copy_from_slice(&now_ts().to_le_bytes());
            return shown(&Account { owner: Pubkey::default(), lamports: 1, data });
        }
        self.accounts.get(key).map_or(Value::Null, shown)
    }

    fn listed(&self, params: &Value) -> Vec<Value> {
        let filters = params[1]["filters"].as_array().cloned().unwrap_or_default();
        let fits = |data: &[u8]| {
            filters.iter().all(|filter| {
                if let Some(size) = filter["dataSize"].as_u64() {
                    return data.len() as u64 == size;
                }
                let at = filter["memcmp"]["offset"].as_u64().expect("an offset") as usize;
                let bytes = filter["memcmp"]["bytes"].as_str().expect("bytes");
                let bytes = solana_sdk::bs58::decode(bytes).into_vec().expect("base58");
                data.get(at..at + bytes.len()) == Some(&bytes[..])
            })
        };
        let owner: Pubkey = params[0].as_str().expect("a program").parse().expect("an address");
        let of_program = self.accounts.iter().filter(|(_, account)| account.owner == owner && fits(&account.data));
        of_program.map(|(key, account)| json!({ "pubkey": key.to_string(), "account": shown(account) })).collect()
    }
}

fn shown(account: &Account) -> Value {
    json!({
        "owner": account.owner.to_string(),
        "lamports": account.lamports,
        "executable": false,
        "rentEpoch": 0,
        "space": account.data.len(),
        "data": [BASE64_STANDARD.encode(&account.data), "base64"],
    })
}

async fn answer(State(inner): State<Arc<Mutex<Inner>>>, Json(request): Json<Value>) -> Json<Value> {
    let mut inner = inner.lock().expect("a lock");
    let (slot, params) = (inner.slot(), &request["params"]);
    let with_slot = |value: Value| json!({ "context": { "slot": slot }, "value": value });
    let height = slot - 900;
    let result = match request["method"].as_str().expect("a method") {
        "getGenesisHash" => json!("5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"),
        "getSlot" => json!(slot),
        "getBlockHeight" => json!(height),
        "getVersion" => json!({ "solana-core": "4.0.0", "feature-set": 1 }),
        "getEpochInfo" => {
            json!({ "absoluteSlot": slot, "blockHeight": height, "epoch": 1, "slotIndex": 1, "slotsInEpoch": 10, "transactionCount": 1 })
        }
        "getLatestBlockhash" => {
            // a new one now and then, as on a chain
            let hash = Pubkey::new_from_array([(slot / 40) as u8; 32]).to_string();
            with_slot(json!({ "blockhash": hash, "lastValidBlockHeight": height + 100_000 }))
        }
        "getMultipleAccounts" => {
            let keys = params[0]
                .as_array()
                .expect("keys")
                .iter()
                .map(|key| key.as_str().expect("a key").parse().expect("an address"));
            with_slot(keys.map(|key| inner.account(&key)).collect())
        }
        "getProgramAccounts" => with_slot(json!(inner.listed(params))),
        "getSignatureStatuses" => {
            with_slot(params[0].as_array().expect("signatures").iter().map(|_| Value::Null).collect())
        }
        "sendTransaction" => {
            let bytes = BASE64_STANDARD.decode(params[0].as_str().expect("bytes")).expect("base64");
            let signature = Signature::try_from(&bytes[1..65]).expect("a signature");
            inner.sent.push(bytes);
            json!(signature.to_string())
        }
        other => {
            let error = json!({ "code": -32_601, "message": format!("{other} is not played") });
            return Json(json!({ "jsonrpc": "2.0", "id": request["id"], "error": error }));
        }
    };
    Json(json!({ "jsonrpc": "2.0", "id": request["id"], "result": result }))
}

/// How long a test waits for anything.
pub const PATIENCE: Duration = Duration::from_secs(60);
