//! `solana-test-validator` as a process, with the accounts that it starts with and its clock.

use super::genesis::Genesis;
use crate::error::{DemoError, Outcome};
use crate::metronome::{SlotMark, Timeline, wall_unix_ms};
use crate::world::pool::{self, TOKEN_SWAP};
use futures_util::StreamExt;
use rampart::oracle::{PYTH_RECEIVER, SWITCHBOARD_ON_DEMAND};
use solana_client::nonblocking::pubsub_client::PubsubClient;
use solana_client::rpc_config::{RpcAccountInfoConfig, UiAccountEncoding};
use solana_commitment_config::CommitmentConfig;
use solana_sdk::clock::Clock;
use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// The slot to start at: the first of an epoch, as the clock is estimated from an epoch's first slot on, and beyond all
/// slots that the accounts remember.
const FIRST_SLOT: &str = "432000";
/// Shreds to keep: what landed is read at the end of a run.
const SHREDS: &str = "2000000";
/// How long a validator may take to start.
const START_TIMEOUT: Duration = Duration::from_secs(240);
const START_PAUSE: Duration = Duration::from_millis(200);
/// Lines of its log that an error shows.
const LOG_LINES: usize = 8;

/// A running validator; it ends with this value.
pub(super) struct Validator {
    child: Mutex<Child>,
    clock: JoinHandle<()>,
    timeline: Arc<Timeline>,
    dir: TempDir,
}

impl Validator {
    /// Starts `binary` with the programs under test and of the oracles, and with `accounts`. Returns the addresses of its
    /// JSON RPC and WebSocket servers too.
    pub(super) async fn start(
        binary: &Path,
        programs: [&PathBuf; 2],
        accounts: &Genesis,
    ) -> Outcome<(Self, [String; 2])> {
        let dir = tempfile::Builder::new().prefix("rampart-validator-").tempdir();
        let dir = dir.map_err(file(&std::env::temp_dir()))?;
        let preloaded = dir.path().join("accounts");
        std::fs::create_dir(&preloaded).map_err(file(&preloaded))?;
        accounts.write(&preloaded)?;
        let [rpc_port, faucet_port] = [adjacent_ports()?, adjacent_ports()?];
        let mut command = command(binary, dir.path(), programs, [rpc_port, faucet_port])?;
        let child = command.spawn().map_err(file(binary))?;
        let urls = [format!("http://127.0.0.1:{rpc_port}"), format!("ws://127.0.0.1:{}", rpc_port + 1)];
        let timeline = Arc::new(Timeline::new());
        let clock = tokio::spawn(follow_again(urls[1].clone(), Arc::clone(&timeline)));
        let validator = Self { child: Mutex::new(child), clock, timeline, dir };
        validator.wait_started().await?;
        Ok((validator, urls))
    }

    pub(super) fn timeline(&self) -> &Arc<Timeline> {
        &self.timeline
    }

    /// Kills it: nothing of it is kept.
    pub(super) fn stop(&self) -> Outcome<()> {
        self.clock.abort();
        let mut child = self.lock();
        child.kill().and_then(|()| child.wait()).map(drop).map_err(|e| DemoError::Network(format!("validator: {e}")))
    }

    /// Waits until slots follow each other.
    async fn wait_started(&self) -> Outcome<()> {
        let (start, mut first) = (Instant::now(), None);
        while start.elapsed() < START_TIMEOUT {
            if let Ok(Some(status)) = self.lock().try_wait() {
                return Err(self.problem(&format!("ended with {status}")));
            }
            let now = self.timeline.now().slot;
            if now > 0 && now > *first.get_or_insert(now) {
                return Ok(());
            }
            first = first.filter(|slot| *slot > 0);
            tokio::time::sleep(START_PAUSE).await;
        }
        Err(self.problem("makes no slots"))
    }

    fn problem(&self, what: &str) -> DemoError {
        let read = |name: &str| std::fs::read_to_string(self.dir.path().join(name)).unwrap_or_default();
        let text = read("output") + &read("ledger/validator.log");
        let lines: Vec<_> = text.lines().rev().take(LOG_LINES).collect();
        let end: Vec<_> = lines.into_iter().rev().map(|line| format!("\n  | {line}")).collect();
        DemoError::Network(format!("validator: {what}{}", end.concat()))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Validator {
    fn drop(&mut self) {
        // it may have been stopped already
        let _ = self.stop();
    }
}

fn command(binary: &Path, dir: &Path, programs: [&PathBuf; 2], ports: [u16; 2]) -> Outcome<Command> {
    let path = dir.join("output");
    let output = File::create(&path).and_then(|file| Ok((file.try_clone()?, file)));
    let (out, err) = output.map_err(file(&path))?;
    let [program, writer] = programs;
    let mut command = Command::new(binary);
    command.args(["--quiet", "--bind-address", "127.0.0.1", "--ledger"]).arg(dir.join("ledger"));
    command.args(["--rpc-port", &ports[0].to_string(), "--faucet-port", &ports[1].to_string()]);
    command.args(["--slots-per-epoch", FIRST_SLOT, "--warp-slot", FIRST_SLOT, "--limit-ledger-size", SHREDS]);
    command.arg("--account-dir").arg(dir.join("accounts"));
    let swap = pool::program();
    let oracles = [(PYTH_RECEIVER, writer), (SWITCHBOARD_ON_DEMAND, writer)];
    for (id, so) in [(rampart::ID, program), (TOKEN_SWAP, &swap)].into_iter().chain(oracles) {
        if !so.is_file() {
            let problem = format!("`{}` is missing; `cargo xtask build-fixtures` builds fixtures", so.display());
            return Err(DemoError::Network(problem));
        }
        command.arg("--bpf-program").arg(id.to_string()).arg(so);
    }
    command.stdin(Stdio::null()).stdout(out).stderr(err);
    Ok(command)
}

/// Follows the clock until it is aborted: the server starts after the process, and may end a subscription.
async fn follow_again(ws_url: String, timeline: Arc<Timeline>) {
    loop {
        // whoever waits for a slot is told that none comes
        let _ = follow(&ws_url, &timeline).await;
        tokio::time::sleep(START_PAUSE).await;
    }
}

/// Notes every slot with its time, from the account that holds both.
async fn follow(ws_url: &str, timeline: &Timeline) -> Outcome<()> {
    let failed = |e: solana_client::pubsub_client::PubsubClientError| DemoError::Network(e.to_string());
    let client = PubsubClient::new(ws_url).await.map_err(failed)?;
    let config = RpcAccountInfoConfig {
        encoding: Some(UiAccountEncoding::Base64),
        commitment: Some(CommitmentConfig::processed()),
        ..RpcAccountInfoConfig::default()
    };
    let subscribed = client.account_subscribe(&solana_sdk::sysvar::clock::ID, Some(config)).await;
    let (mut updates, _unsubscribe) = subscribed.map_err(failed)?;
    while let Some(update) = updates.next().await {
        let Some(bytes) = update.value.data.decode() else { continue };
        let Ok(clock) = bincode::deserialize::<Clock>(&bytes) else { continue };
        let wall_unix_ms = wall_unix_ms();
        timeline.begin(SlotMark { slot: clock.slot, unix_ts: clock.unix_timestamp, wall_unix_ms });
    }
    Ok(())
}

/// Returns a free port whose successor is free too: the WebSocket server's is one above that of JSON RPC.
fn adjacent_ports() -> Outcome<u16> {
    for _ in 0..100 {
        let Ok(first) = TcpListener::bind("127.0.0.1:0") else { continue };
        let Ok(address) = first.local_addr() else { continue };
        if address.port() < u16::MAX && TcpListener::bind(("127.0.0.1", address.port() + 1)).is_ok() {
            return Ok(address.port());
        }
    }
    Err(DemoError::Network("no two free ports side by side".to_owned()))
}

fn file(path: &Path) -> impl FnOnce(std::io::Error) -> DemoError {
    let path = path.to_owned();
    move |source| DemoError::File { path, source }
}
