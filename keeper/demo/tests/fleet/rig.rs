//! A chain, a market, an etcd, and three keepers with a gate of its own to etcd each.

use crate::testing::{Etcd, Gate, request};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use rampart::state::{Rule, Vault};
use rampart_client::Pubkey;
use rampart_demo::accounts;
use rampart_demo::error::Outcome;
use rampart_demo::feeder::Feeder;
use rampart_demo::invariants::nobody_is_liquidated_twice;
use rampart_demo::keepers::files::{Files, Known};
use rampart_demo::keepers::http;
use rampart_demo::keepers::process::{Process, free_ports};
use rampart_demo::ledger::Ledger;
use rampart_demo::market::PricePoint;
use rampart_demo::market::synthetic::START_USD;
use rampart_demo::network::{Backend, Network, Pace};
use rampart_demo::play::positions;
use rampart_demo::run::program;
use rampart_demo::unguarded::Held;
use rampart_demo::world::build::SetUp;
use rampart_demo::world::cast::{Cast, KEEPERS};
use rampart_demo::world::{Coin, World};
use serde_json::{Value, json};
use solana_sdk::hash::hashv;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const CALM: PricePoint = PricePoint { at_secs: 0, usd: START_USD };
/// Prints until something must have happened, and chain seconds between two.
const PRINTS: u32 = 600;
const STEP_SECS: i64 = 2;
/// Prints in a row at which nothing must be left to do.
const CLEAR: u32 = 10;
/// Prints after which whatever would be done twice has been.
const AFTERMATH: u32 = 50;

/// How the keepers are told to share their work.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Settings {
    /// Not at all: all act at once.
    Together,
    /// By etcd.
    Fleet,
}

/// What became of a keeper's transactions.
#[derive(Debug)]
pub struct Count {
    /// They took effect.
    pub landed: u64,
    /// They paid a fee for nothing.
    pub refused: u64,
}

/// Everything there is.
pub struct Rig {
    network: Network,
    world: World,
    feeder: Feeder,
    point: PricePoint,
    etcd: Etcd,
    gates: Vec<Gate>,
    keepers: Vec<Process>,
    files: Vec<Files>,
    binary: PathBuf,
    before: Vec<Held>,
    /// Liquidations of all positions when the price last fell.
    done_before: u64,
    from_slot: u64,
    _dir: tempfile::TempDir,
}

impl Rig {
    /// Starts everything, and waits until all keepers can act and the fleet is settled. Nothing where there is no etcd.
    pub async fn start(settings: Settings) -> Outcome<Option<Self>> {
        let Some(etcd) = Etcd::start().await else { return Ok(None) };
        let dir = tempfile::tempdir().expect("a directory");
        let binary = crate::build::keeper(dir.path());
        let world = World::new(Cast::from_seed(11));
        let network = Network::start(Pace::of_speed(10, 100), world.cast.payer.pair().insecure_clone()).await?;
        let mut feeder = Feeder::new(11);
        let backend = Backend::from_environment();
        let mut set_up =
            SetUp { network: &network, world: &world, feeder: &mut feeder, start: CALM, backend: &backend };
        set_up.run(&program(), |_| ()).await?;
        let network = network.continue_on(&backend).await?;
        let (mut gates, mut keepers, mut all_files, ports) = (vec![], vec![], vec![], free_ports(KEEPERS)?);
        network.at_pace();
        for rank in 0..KEEPERS {
            let gate = Gate::open(etcd.port()).await;
            let files = Files::write(dir.path(), rank, &ports, &network, &world, &Known::default())?;
            share(&files, settings, gate.port());
            keepers.push(Process::start(&binary, &files, &[])?);
            gates.push(gate);
            all_files.push(files);
        }
        let (before, from_slot) = (positions(&network, &world).await?, network.now().slot);
        let mut rig = Self {
            network,
            world,
            feeder,
            point: CALM,
            etcd,
            gates,
            keepers,
            files: all_files,
            binary,
            before,
            done_before: 0,
            from_slot,
            _dir: dir,
        };
        rig.until("all are ready", async |rig| rig.are_ready().await).await?;
        if settings == Settings::Fleet {
            rig.until_settled().await?;
        }
        Ok(Some(rig))
    }

    /// Ends what is left.
    pub async fn stop(mut self) -> Outcome<()> {
        for keeper in &mut self.keepers {
            keeper.stop().await?;
        }
        self.network.stop()
    }

    /// Lets the price of the first asset fall to a share of where it began.
    pub async fn fall_to(&mut self, share: f64) -> Outcome<()> {
        self.done_before = self.liquidations().await?;
        self.point.usd[0] = START_USD[0] * share;
        self.feeder.publish(&self.network, &self.world, &self.point, &[]).await
    }

    /// Waits until the rule has tripped, positions were liquidated, and for a while nobody sees another beyond its line.
    pub async fn until_done(&mut self) -> Outcome<()> {
        let clear = std::cell::Cell::new(0);
        let is_done = async |rig: &Self| {
            clear.set(if rig.is_done().await { clear.get() + 1 } else { 0 });
            clear.get() >= CLEAR
        };
        self.until("all is done", is_done).await
    }

    /// Waits until all members are ready and see the same order, with one owner.
    pub async fn until_settled(&mut self) -> Outcome<()> {
        let is_settled = async |rig: &Self| rig.is_settled().await && rig.owners().await.len() == 1;
        self.until("the fleet is settled", is_settled).await
    }

    /// Prints the present market until `is_true`.
    pub async fn until(&mut self, what: &str, is_true: impl AsyncFn(&Self) -> bool) -> Outcome<()> {
        for _ in 0..PRINTS {
            self.print().await?;
            if is_true(self).await {
                return Ok(());
            }
        }
        panic!("{what}: not within {PRINTS} prints; the keepers say {:?}", self.states().await);
    }

    /// Prints for a while longer, and compares what landed with what was to be done.
    pub async fn verify(&mut self) -> Outcome<()> {
        for _ in 0..AFTERMATH {
            self.print().await?;
        }
        self.until_done().await?;
        // what is still sent must not land between the accounts and the transactions that are compared
        self.network.hold();
        self.network.step(2).await?;
        let after = positions(&self.network, &self.world).await?;
        let ledger = Ledger::read(&self.network, &self.world, self.from_slot).await?;
        let mut epochs: Vec<_> = ledger.trips.iter().map(|trip| (trip.fact.rule, trip.fact.trip_epoch)).collect();
        epochs.sort();
        assert!(epochs.iter().any(|(rule, _)| *rule == self.world.rules[0].key), "the rule tripped");
        assert!(epochs.windows(2).all(|pair| pair[0] != pair[1]), "none twice: {epochs:?}");
        assert_eq!(nobody_is_liquidated_twice(&self.before, &after, &ledger), []);
        let missed = self.beyond_their_line(&after).await?;
        assert!(missed.is_empty(), "nobody liquidated {missed:?}");
        let (liquidated, tripped, lost) = (ledger.liquidations.len(), ledger.trips.len(), ledger.failed.len());
        eprintln!("{liquidated} liquidations and {tripped} trips landed, {lost} transactions were refused");
        self.network.at_pace();
        Ok(())
    }

    async fn print(&mut self) -> Outcome<()> {
        self.feeder.publish(&self.network, &self.world, &self.point, &[]).await?;
        self.network.until(self.network.now().unix_ts + STEP_SECS).await.map(drop)
    }

    /// Returns who owes more than the liquidation line of what is there, by the chain's accounts and the market's price: not by
    /// what the keepers say is left. A hundredth beyond it is the width of the price.
    async fn beyond_their_line(&self, all: &[Held]) -> Outcome<Vec<(Pubkey, f64)>> {
        let mut found = Vec::new();
        for (n, keys) in self.world.vaults.iter().enumerate() {
            let vault: Vault = accounts::read(&self.network, &keys.vault).await?;
            let line = f64::from(vault.risk.liquidation_line_bps) / 1e4;
            for held in all.iter().filter(|held| held.vault == n && held.state.collateral_amount > 0) {
                let usd = |amount: u64, coin: Coin| {
                    amount as f64 / 10f64.powi(coin.decimals().into()) * self.point.usd[coin as usize]
                };
                let debt = usd(vault.debt_of(&held.state).expect("a debt that fits"), Coin::Usdc);
                let ltv = debt / usd(held.state.collateral_amount, Coin::ALL[n]);
                found.extend((ltv > line * 1.01).then_some((held.key, ltv)));
            }
        }
        Ok(found)
    }

    /// How often positions were liquidated.
    async fn liquidations(&self) -> Outcome<u64> {
        let all = positions(&self.network, &self.world).await?;
        Ok(all.iter().map(|held| held.state.liquidation_seq).sum())
    }

    /// The rule that trips on a fall.
    pub async fn rule(&self) -> Outcome<Rule> {
        accounts::read(&self.network, &self.world.rules[0].key).await
    }

    async fn is_done(&self) -> bool {
        let is_clear = |state: &Value| {
            let vaults = state["vaults"].as_array().map_or(&[][..], Vec::as_slice);
            vaults.iter().all(|vault| vault["positions"]["liquidatable"] == 0)
        };
        let is_tripped = self.rule().await.is_ok_and(|rule| rule.trip_epoch > 0);
        let is_tripped = is_tripped && self.liquidations().await.is_ok_and(|done| done > self.done_before);
        let states = self.states().await;
        is_tripped
            && states.iter().any(|state| !state.is_null())
            && states.iter().filter(|s| !s.is_null()).all(is_clear)
    }

    /// What each keeper says of itself; null where it does not answer.
    async fn states(&self) -> Vec<Value> {
        let mut states = Vec::new();
        for keeper in &self.keepers {
            let asked = tokio::time::timeout(Duration::from_millis(500), http::get(keeper.port(), "/api/v1/state"));
            let answer = asked.await.ok().and_then(Result::ok);
            states.push(answer.and_then(|a| serde_json::from_str(&a.body).ok()).unwrap_or_default());
        }
        states
    }

    async fn are_ready(&self) -> bool {
        self.states().await.iter().all(|state| state["keeper"]["ready"] == true)
    }

    async fn is_settled(&self) -> bool {
        let states = self.states().await;
        let of_all =
            states.iter().map(|state| state["keeper"]["fleet"]["members"].as_array().cloned().unwrap_or_default());
        let of_all: Vec<_> = of_all.collect();
        let is_whole = |members: &Vec<Value>| members.len() == KEEPERS && members.iter().all(|m| m["phase"] == "ready");
        of_all.iter().all(|members| is_whole(members) && *members == of_all[0])
    }

    /// What each keeper says it is in its fleet.
    pub async fn roles(&self) -> Vec<String> {
        let role = |state: &Value| state["keeper"]["fleet"]["role"].as_str().unwrap_or_default().to_owned();
        self.states().await.iter().map(role).collect()
    }

    /// What one keeper says it is.
    pub async fn role(&self, keeper: usize) -> String {
        self.roles().await[keeper].clone()
    }

    /// All that say that they own the guard.
    pub async fn owners(&self) -> Vec<usize> {
        let roles = self.roles().await;
        (0..roles.len()).filter(|n| roles[*n] == "owner").collect()
    }

    /// The one owner of a settled fleet.
    pub async fn owner(&self) -> usize {
        let owners = self.owners().await;
        assert_eq!(owners.len(), 1, "{owners:?}");
        owners[0]
    }

    /// What became of each keeper's transactions.
    pub async fn counts(&self) -> Vec<Count> {
        let number = |value: &Value| value.as_u64().unwrap_or_default();
        let count = |state: &Value| {
            let of = &state["keeper"]["transactions"];
            Count { landed: number(&of["landed"]), refused: number(&of["lost_race"]) + number(&of["failed"]) }
        };
        self.states().await.iter().map(count).collect()
    }

    /// What a keeper tells Prometheus.
    pub async fn metrics(&self, keeper: usize) -> String {
        http::get(self.keepers[keeper].port(), "/metrics").await.map(|answer| answer.body).unwrap_or_default()
    }

    /// Kills a keeper without warning.
    pub async fn kill(&mut self, keeper: usize) -> Outcome<()> {
        self.keepers[keeper].kill().await
    }

    /// Starts a keeper again.
    pub fn restart(&mut self, keeper: usize) -> Outcome<()> {
        self.keepers[keeper] = Process::start(&self.binary, &self.files[keeper], &[])?;
        Ok(())
    }

    /// Sends a keeper a signal.
    pub async fn signal(&self, keeper: usize, name: &str) -> Outcome<()> {
        self.keepers[keeper].signal(name).await
    }

    /// Opens or closes a keeper's way to etcd.
    pub fn gate(&self, keeper: usize, is_open: bool) {
        self.gates[keeper].set(is_open);
    }

    /// The etcd of all.
    pub fn etcd(&mut self) -> &mut Etcd {
        &mut self.etcd
    }

    /// The guard of all.
    pub fn guard(&self) -> Pubkey {
        self.world.guard
    }
}

fn share(files: &Files, settings: Settings, etcd: u16) {
    let text = std::fs::read_to_string(files.settings_path()).expect("settings");
    let text = match settings {
        Settings::Together => {
            assert!(text.contains("\nslots = 2\n"), "{text}");
            text.replace("\nslots = 2\n", "\nslots = 0\n")
        }
        Settings::Fleet => {
            format!("{text}\n[fleet]\nmode = \"etcd\"\nendpoints = [\"http://127.0.0.1:{etcd}\"]\n")
        }
    };
    std::fs::write(files.settings_path(), text).expect("settings");
}

/// Joins and leaves in turn, a second each, under a name that comes first. Leaves in the end.
pub async fn flap(etcd: u16, guard: Pubkey, is_over: Arc<AtomicBool>) {
    let score = |id: &str| hashv(&[guard.as_ref(), id.as_bytes()]).to_bytes();
    let highest = (1..=KEEPERS).map(|n| score(&format!("keeper-{n}"))).max().expect("keepers");
    let id = (0..).map(|n| format!("flapper-{n}")).find(|id| score(id) > highest).expect("hashes are spread");
    let key = BASE64.encode(format!("/rampart/members/{id}"));
    let card = BASE64.encode(json!({ "guard": guard.to_string(), "ready": true }).to_string());
    let (put, delete) = (json!({ "key": key, "value": card }), json!({ "key": key }));
    while !is_over.load(Ordering::Relaxed) {
        for (path, body) in [("/v3/kv/put", &put), ("/v3/kv/deleterange", &delete)] {
            let answer = request(etcd, "POST", path, &body.to_string()).await.expect("an answer");
            assert!(answer.contains("200 OK"), "{answer}");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}
