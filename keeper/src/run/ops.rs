//! The tasks that serve the operator: commands, alerts, the watch on the guard's rulers, the recording.

use super::Keeper;
use super::courier::Courier;
use super::engine::Engine;
use crate::capture::Recorder;
use crate::chain::pool::Pool;
use crate::config::payer::{KeyError, PayerKey};
use crate::config::{Config, Mode};
use crate::control::{Command, Control, Pauses, Token};
use crate::error::KeeperError;
use crate::http::Door;
use crate::notify::Notifier;
use crate::submit::Wire;
use crate::supervise::Host;
use crate::takeover::{PAUSE_FILE, Pauser, Watcher};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// What serves the operator, before it runs.
pub(super) struct Ops {
    pub door: Door,
    commands: mpsc::Receiver<Command>,
    pauses: Pauses,
    recorder: Option<Recorder>,
    notifier: Option<Notifier>,
    watcher: Option<(watch::Sender<Option<Arc<crate::takeover::Standing>>>, Watcher)>,
}

impl Ops {
    /// Opens every file that it needs.
    ///
    /// # Errors
    /// `Key` for a secret, `Chain` for a file of the state directory, `Capture`.
    pub async fn open(
        host: &Host,
        config: &Config,
        pool: Arc<Pool>,
        wire: Arc<dyn Wire>,
        slot: Arc<AtomicU64>,
    ) -> Result<Self, KeeperError> {
        let failed = |what: &str, source| KeeperError::Chain { what: what.to_owned(), source };
        let (control, commands) = Control::open(config).map_err(|e| failed("read what is paused", e))?;
        let pauses = control.pauses().await;
        let door = Door { control, token: Token::open(&config.token_file())? };
        let recorder = match &config.capture.file {
            Some(path) => Some(Recorder::start(path, config, host.metrics.clone())?),
            None => None,
        };
        let notifier = match config.notify.is_empty() {
            true => None,
            false => Some(
                Notifier::open(config, host.metrics.clone(), host.taken.clone())
                    .map_err(|e| failed("open the outbox of alerts", Box::new(e)))?,
            ),
        };
        let pauser = pauser(config, wire)?;
        let (sender, standings) = watch::channel(None);
        let watcher = Watcher {
            pool,
            standings,
            slot,
            poll: Duration::from_secs(config.takeover.poll_secs),
            state_dir: config.keeper.state_dir.clone(),
            pauser,
            events: host.events.clone(),
            metrics: host.metrics.clone(),
        };
        let watcher = config.takeover.watch.then_some((sender, watcher));
        Ok(Self { door, commands, pauses, recorder, notifier, watcher })
    }

    /// Starts the tasks and tells the engine. Returns where its commands come from.
    pub fn start<C: Courier>(self, keeper: &mut Keeper, engine: &mut Engine<C>) -> mpsc::Receiver<Command> {
        if let Some(recorder) = self.recorder {
            engine.record_to(recorder);
        }
        engine.set_pauses(self.pauses);
        if let Some((sender, watcher)) = self.watcher {
            engine.tell_standing_to(sender);
            keeper.spawn_endless("takeover", watcher.run(keeper.serving.clone()));
        }
        if let Some(notifier) = self.notifier {
            keeper.spawn_endless("notify", notifier.run(keeper.events.clone(), keeper.serving.clone()));
        }
        self.commands
    }
}

/// Returns who raises the guard's level: nobody without a guardian's key, nor where nothing may be sent.
fn pauser(config: &Config, wire: Arc<dyn Wire>) -> Result<Option<Pauser>, KeyError> {
    let is_pausing = config.takeover.pause_levels && config.keeper.mode == Mode::Act;
    let Some(path) = config.keys.guardian_file.as_ref().filter(|_| is_pausing) else { return Ok(None) };
    Ok(Some(Pauser {
        guardian: PayerKey::read(path)?,
        guard: config.cluster.guard,
        pause_secs: config.takeover.pause_secs,
        price: config.tx.compute_price.trip,
        wire,
        file: config.keeper.state_dir.join(PAUSE_FILE),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Commitment;
    use crate::metrics::Metrics;
    use crate::submit::PoolWire;
    use solana_sdk::signature::Keypair;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn level_is_raised_only_with_a_guardians_key_by_who_acts() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("guardian.json");
        let text = serde_json::to_string(&Keypair::new().to_bytes().to_vec()).expect("numbers");
        std::fs::write(&path, text).expect("a file");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("its mode");
        let settings = "[cluster]\nrpc_url = \"http://127.0.0.1:1\"\nguard = \"11111111111111111111111111111111\"\n[keeper]\n\
                        name = \"k\"\nstate_dir = \"s\"\n[keys]\npayer_file = \"p\"\n[takeover]\npause_levels = true\n";
        let mut config: Config = toml::from_str(settings).expect("settings");
        let has_pauser = |config: &Config| {
            let pool = Arc::new(Pool::new(Vec::new(), Commitment::Processed, Metrics::new()));
            pauser(config, Arc::new(PoolWire::new(pool, &[], Metrics::new()))).expect("a key").is_some()
        };
        assert!(!has_pauser(&config), "no key");
        config.keys.guardian_file = Some(path);
        assert!(has_pauser(&config));
        config.keeper.mode = Mode::Observe;
        assert!(!has_pauser(&config), "it sends nothing");
    }
}
