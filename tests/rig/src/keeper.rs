//! The real keeper against the rig: its library entry point, its API, its end.

use crate::endpoint::Endpoint;
use crate::scene::Scene;
use crate::wait::{PATIENCE, PAUSE, until};
use rampart_keeper::config::{self, Overrides};
use rampart_keeper::error::KeeperError;
use rampart_keeper::supervise::Reload;
use rampart_keeper::view::View;
use solana_sdk::signature::Keypair;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Instant;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use toml::{Table, Value};

const KEY: &str = "payer.json";

/// Settings as shipped, but for what acts beside trips and reports, which would only blur what a benchmark counts.
pub const TRIPS_ALONE: &str = "[classes]\nobserve = false\nliquidate = false\ndeleverage = false\nstep_down = false\n\
                               settle = false\n[tx]\nresend_ms = 400\n[ingest]\npoll_ms = 1000\n";

/// A keeper that runs.
pub struct Keeper {
    url: String,
    stop: CancellationToken,
    running: JoinHandle<Result<(), KeeperError>>,
    dir: TempDir,
}

impl Keeper {
    /// Starts a keeper on all endpoints of `scene`, with `extra` settings.
    ///
    /// # Panics
    /// If its settings are refused.
    pub fn start(scene: &Scene, extra: &str) -> Self {
        Self::start_in(tempfile::tempdir().expect("a directory"), scene, extra)
    }

    /// As [`Self::start`], with another key.
    pub fn start_as(payer: &Keypair, scene: &Scene, extra: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        write_key(dir.path(), payer);
        Self::start_in(dir, scene, extra)
    }

    /// As [`Self::start`], on the state of an earlier run.
    pub fn start_in(dir: TempDir, scene: &Scene, extra: &str) -> Self {
        let _ = tracing_subscriber::fmt()
            .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
            .with_test_writer()
            .try_init();
        let port = free_port();
        let path = write_settings(scene, dir.path(), port, extra);
        let config = config::load(&path, [], &Overrides::default()).expect("settings that are accepted");
        let stop = CancellationToken::new();
        let load = Box::new(move || config::load(&path, [], &Overrides::default()));
        // nobody asks for a reload
        let reload = Reload { asked: tokio::sync::mpsc::channel(1).1, load };
        let running = tokio::spawn(rampart_keeper::run::run(config, reload, stop.clone()));
        Self { url: format!("http://127.0.0.1:{port}"), stop, running, dir }
    }

    /// Returns where its API is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns what lets act through its API.
    ///
    /// # Panics
    /// If it wrote none yet.
    pub fn token(&self) -> String {
        let path = self.dir.path().join("state").join(rampart_keeper::control::token::FILE);
        std::fs::read_to_string(path).expect("a token").trim().to_owned()
    }

    /// Returns what it shows; `None` while it shows nothing.
    pub async fn view(&self) -> Option<View> {
        let answer = reqwest::get(format!("{}/api/v1/state", self.url)).await.ok()?;
        answer.json().await.ok()
    }

    /// Returns its metrics.
    pub async fn metrics(&self) -> String {
        let Ok(answer) = reqwest::get(format!("{}/metrics", self.url)).await else { return String::new() };
        answer.text().await.unwrap_or_default()
    }

    /// Returns one number of its metrics, by its name with labels; zero while it is not there.
    pub async fn metric(&self, name: &str) -> f64 {
        let metrics = self.metrics().await;
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|value| value.parse().ok()).unwrap_or(0.0)
    }

    /// Waits until it is ready.
    pub async fn ready(&self) {
        let mut reasons = Vec::new();
        let started = Instant::now();
        while !self.view().await.is_some_and(|view| {
            reasons = view.keeper.not_ready_reasons;
            view.keeper.ready
        }) {
            assert!(started.elapsed() < PATIENCE, "the keeper is not ready: {reasons:?}");
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Waits until it shows something.
    pub async fn shows(&self, what: &str, is_met: impl Fn(&View) -> bool) {
        until(what, || async { self.view().await.is_some_and(|view| is_met(&view)) }).await;
    }

    /// Tells whether it still runs.
    pub fn is_running(&self) -> bool {
        !self.running.is_finished()
    }

    /// Stops it and returns how it ended, with its state.
    pub async fn stop(self) -> (Result<(), KeeperError>, TempDir) {
        self.stop.cancel();
        (self.running.await.expect("no panic"), self.dir)
    }

    /// Waits until it ends by itself, and returns how.
    pub async fn ended(self) -> Result<(), KeeperError> {
        self.running.await.expect("no panic")
    }
}

/// Writes the settings of a keeper of `scene`, with `extra` ones, and returns their file.
///
/// # Panics
/// If the file can't be written.
pub fn write_settings(scene: &Scene, dir: &Path, port: u16, extra: &str) -> PathBuf {
    let path = dir.join("keeper.toml");
    std::fs::write(&path, settings(scene, dir, port, extra)).expect("settings");
    path
}

/// Returns a port that was free a moment ago.
///
/// # Panics
/// If loopback has none.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

fn write_key(dir: &Path, payer: &Keypair) {
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.create_new(true).write(true).mode(0o600).open(dir.join(KEY)).expect("a key file");
    file.write_all(format!("{:?}", payer.to_bytes().to_vec()).as_bytes()).expect("a key file");
}

fn settings(scene: &Scene, dir: &Path, port: u16, extra: &str) -> String {
    let key = dir.join(KEY);
    if !key.exists() {
        write_key(dir, &scene.payer);
    }
    let text = format!(
        "[cluster]\nguard = \"{}\"\n[keeper]\nname = \"rig\"\nstate_dir = {:?}\n[keys]\npayer_file = {:?}\n\
         [ingest]\npoll_ms = 300\nsweep_secs = 2\n[tx]\nresend_ms = 100\n[http]\nlisten = \"127.0.0.1:{port}\"\n",
        scene.guard,
        dir.join("state"),
        key
    );
    let mut table: Table = text.parse().expect("settings");
    add_endpoints(&mut table, &scene.endpoints);
    merge(&mut table, extra.parse().expect("settings"));
    table.to_string()
}

fn add_endpoints(table: &mut Table, endpoints: &[Endpoint]) {
    let text = |value: &str| Value::String(value.to_owned());
    if let ([only], Some(Value::Table(cluster))) = (endpoints, table.get_mut("cluster")) {
        cluster.insert("rpc_url".to_owned(), text(only.http()));
        cluster.insert("ws_url".to_owned(), text(only.ws()));
        return;
    }
    let rpc = endpoints.iter().map(|endpoint| {
        let keys = [("name", endpoint.name()), ("http", endpoint.http()), ("ws", endpoint.ws())];
        Value::Table(keys.into_iter().map(|(key, value)| (key.to_owned(), text(value))).collect())
    });
    table.insert("rpc".to_owned(), Value::Array(rpc.collect()));
}

fn merge(into: &mut Table, from: Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Table(section)), Value::Table(more)) => merge(section, more),
            (_, value) => drop(into.insert(key, value)),
        }
    }
}
