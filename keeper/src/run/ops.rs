//! The tasks that serve the operator: commands, alerts, the watch on the guard's rulers, the recording.

use super::Keeper;
use super::courier::Courier;
use super::engine::Engine;
use crate::capture::Recorder;
use crate::chain::pool::Pool;
use crate::config::Config;
use crate::config::payer::PayerKey;
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
        let pauser = match &config.keys.guardian_file {
            Some(path) if config.takeover.pause_levels => Some(Arc::new(Pauser {
                guardian: PayerKey::read(path)?,
                pause_secs: config.takeover.pause_secs,
                wire,
                file: config.keeper.state_dir.join(PAUSE_FILE),
                turn: tokio::sync::Mutex::default(),
            })),
            _ => None,
        };
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
