//! A keeper's settings and key.

use crate::error::{DemoError, Outcome};
use crate::network::Network;
use crate::world::cast::KEEPERS;
use crate::world::{Coin, VAULTS, World, params, vault_name};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// Slots that each rank waits longer than the one before, so that not all pay for the same action.
const STAGGER_SLOTS: i64 = 2;
/// Fees of an hour; far above what a run needs.
const LAMPORTS_PER_HOUR: i64 = 50_000_000_000;

/// The least time between two reports, chain seconds.
const REPORT_SECS: i64 = 20;
/// What is traded of each collateral within a day, US dollars, and the spread there, bps: a calm day of a large exchange.
const MARKETS: [(Coin, i64, i64); 3] =
    [(Coin::Sol, 500_000_000, 2), (Coin::Btc, 5_000_000_000, 1), (Coin::Usdc, 5_000_000_000, 1)];

/// What keepers are told beyond where the guard is.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Lookup tables.
    pub tables: Vec<String>,
    /// Files with candles from before the story, by [`Coin`]; none where nothing is known.
    pub past: Vec<PathBuf>,
}

/// Where a keeper's files are.
#[derive(Clone, Debug)]
pub struct Files {
    name: String,
    port: u16,
    dir: PathBuf,
}

impl Files {
    /// Writes the files of the keeper of `rank`.
    ///
    /// # Errors
    /// [`DemoError::File`].
    pub fn write(
        dir: &Path,
        rank: usize,
        ports: &[u16],
        network: &Network,
        world: &World,
        known: &Known,
    ) -> Outcome<Self> {
        let name = name_of(rank);
        let files = Self { dir: dir.join(&name), name, port: ports[rank] };
        std::fs::create_dir_all(&files.dir).map_err(failed(&files.dir))?;
        let key = serde_json::to_string(&world.cast.keepers[rank].pair().to_bytes().to_vec()).unwrap_or_default();
        write_private(&files.key_path(), &key)?;
        let text = files.settings(rank, ports, network, world, known).to_string();
        std::fs::write(files.settings_path(), text).map_err(failed(&files.settings_path()))?;
        Ok(files)
    }

    /// Returns the keeper's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the address of its HTTP server.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Returns its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the path of its settings.
    pub fn settings_path(&self) -> PathBuf {
        self.dir.join("keeper.toml")
    }

    /// Returns the path of its log.
    pub fn log_path(&self) -> PathBuf {
        self.dir.join("keeper.log")
    }

    fn key_path(&self) -> PathBuf {
        self.dir.join("payer.json")
    }

    fn settings(&self, rank: usize, ports: &[u16], network: &Network, world: &World, known: &Known) -> Table {
        let text = |s: &str| Value::String(s.to_owned());
        let path = |p: PathBuf| Value::String(p.display().to_string());
        let peers = (0..KEEPERS).filter(|other| *other != rank).map(|other| {
            let url = format!("http://127.0.0.1:{}", ports[other]);
            Value::Table(table([("name", text(&name_of(other))), ("url", text(&url))]))
        });
        let stagger = table([("rank", Value::Integer(rank as i64)), ("slots", Value::Integer(STAGGER_SLOTS))]);
        table([
            (
                "cluster",
                Value::Table(table([
                    ("rpc_url", text(network.rpc_url())),
                    ("ws_url", text(network.ws_url())),
                    ("guard", text(&world.guard.to_string())),
                    ("commitment", text("processed")),
                ])),
            ),
            (
                "keeper",
                Value::Table(table([
                    ("name", text(&self.name)),
                    ("mode", text("act")),
                    ("state_dir", path(self.dir.join("state"))),
                ])),
            ),
            ("keys", Value::Table(table([("payer_file", path(self.key_path()))]))),
            (
                "tx",
                Value::Table(table([
                    ("stagger", Value::Table(stagger)),
                    ("lookup_tables", Value::Array(known.tables.iter().map(|table| text(table)).collect())),
                ])),
            ),
            ("budget", Value::Table(table([("lamports_per_hour", Value::Integer(LAMPORTS_PER_HOUR))]))),
            (
                "http",
                Value::Table(table([
                    ("listen", text(&format!("127.0.0.1:{}", self.port))),
                    ("peers", Value::Array(peers.collect())),
                ])),
            ),
            ("report", Value::Table(table([("interval_secs", Value::Integer(REPORT_SECS))]))),
            ("score", Value::Table(table([("market", Value::Array(markets(world, known)))]))),
            (
                "route",
                Value::Array(vec![Value::Table(table([
                    ("name", text("pool")),
                    ("kind", text("token_swap")),
                    ("policy", Value::Integer(params::POLICY_ID.into())),
                    ("pool", text(&world.pool.pool.to_string())),
                ]))]),
            ),
            ("log", Value::Table(table([("format", text("json")), ("level", text("info"))]))),
            ("label", Value::Array(labels(world))),
        ])
    }
}

/// Where liquidators sell, and what was paid there before the story.
fn markets(world: &World, known: &Known) -> Vec<Value> {
    let market = |(coin, volume, spread): (Coin, i64, i64)| {
        let asset = Value::String(world.asset(coin).to_string());
        let numbers = [("volume_day_usd", Value::Integer(volume)), ("spread_bps", Value::Integer(spread))];
        let past = known
            .past
            .get(coin.index())
            .map(|path| ("past_file".to_owned(), Value::String(path.display().to_string())));
        Value::Table(table([("asset", asset)]).into_iter().chain(table(numbers)).chain(past).collect())
    };
    MARKETS.map(market).to_vec()
}

/// What to call the accounts of the demo.
fn labels(world: &World) -> Vec<Value> {
    let assets = Coin::ALL.map(|coin| (world.asset(coin), coin.symbol().to_owned()));
    let vaults = (0..VAULTS.len()).map(|at| (world.vaults[at].vault, vault_name(at)));
    let rules = world.rules.iter().map(|rule| (rule.key, rule.name.clone()));
    let all = assets.into_iter().chain(vaults).chain(rules);
    all.map(|(address, name)| {
        Value::Table(table([("address", Value::String(address.to_string())), ("name", Value::String(name))]))
    })
    .collect()
}

fn name_of(rank: usize) -> String {
    format!("keeper-{}", rank + 1)
}

fn table<const N: usize>(entries: [(&str, Value); N]) -> Table {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> DemoError {
    let path = path.to_owned();
    move |source| DemoError::File { path, source }
}

/// Writes a file that only its owner may read; the keeper refuses any other key.
fn write_private(path: &Path, text: &str) -> Outcome<()> {
    use std::io::Write;
    let opened = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    let mut file = opened.map_err(failed(path))?;
    file.write_all(text.as_bytes()).map_err(failed(path))
}
