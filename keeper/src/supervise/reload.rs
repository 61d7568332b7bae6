//! New settings without a restart: what can change does, what can't is named, what is wrong changes nothing.

use super::Host;
use crate::config::{Config, ConfigError};
use crate::control::Control;
use crate::events::{EventKind, Fact};
use crate::metrics::OnlyResultLabel;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use toml::Value;

/// Where new settings come from.
pub struct Reload {
    /// Asks for a reload.
    pub asked: mpsc::Receiver<()>,
    /// Resolves the settings anew, from all their sources.
    pub load: Box<dyn Fn() -> Result<Config, ConfigError> + Send + Sync>,
}

impl Reload {
    /// Reloads at each ask, for good. `current` holds what is in effect; `control` is the way to the engine that runs.
    pub async fn run(
        mut self,
        host: Host,
        current: watch::Sender<Arc<Config>>,
        control: watch::Receiver<Option<Control>>,
    ) {
        while self.asked.recv().await.is_some() {
            let result = self.once(&host, &current, &control).await;
            host.metrics.settings_reloads.get_or_create(&OnlyResultLabel { result }).inc();
        }
        std::future::pending().await
    }

    async fn once(
        &self,
        host: &Host,
        current: &watch::Sender<Arc<Config>>,
        control: &watch::Receiver<Option<Control>>,
    ) -> &'static str {
        let before = current.borrow().clone();
        let loaded = match (self.load)() {
            Ok(loaded) => loaded,
            Err(error) => {
                let text = format!("new settings were refused, the old ones stay: {}", crate::error::chain(&error));
                host.events.emit(Fact::new(EventKind::SettingsRefused, 0, text));
                return "refused";
            }
        };
        let (next, later) = adopt(&before, loaded);
        let is_same = next == *before;
        let next = Arc::new(next);
        current.send_replace(next.clone());
        let way = control.borrow().clone();
        if let (false, Some(way)) = (is_same, way) {
            // an engine that is being started anew starts with them
            let _ = way.settings(next).await;
        }
        let text = match (is_same, later.is_empty()) {
            (true, true) => "settings were read anew: nothing changed".to_owned(),
            (false, true) => "new settings are in effect".to_owned(),
            (_, false) => {
                format!("new settings are in effect, but for those that need a restart: {}", later.join(", "))
            }
        };
        host.events.emit(Fact::new(EventKind::SettingsReloaded, 0, text));
        if is_same { "unchanged" } else { "applied" }
    }
}

/// Takes over from `loaded` what can change while the keeper runs. Returns the rest of the keys that differ, too.
pub fn adopt(before: &Config, loaded: Config) -> (Config, Vec<String>) {
    let mut next = before.clone();
    next.classes = loaded.classes;
    next.label.clone_from(&loaded.label);
    next.tx.stagger = loaded.tx.stagger;
    next.tx.compute_price = loaded.tx.compute_price.clone();
    let mut later = Vec::new();
    differing(&value_of(&next), &value_of(&loaded), "", &mut later);
    (next, later)
}

fn value_of(config: &Config) -> Value {
    Value::try_from(config).unwrap_or(Value::Boolean(false))
}

fn differing(one: &Value, other: &Value, path: &str, out: &mut Vec<String>) {
    match (one, other) {
        (Value::Table(one), Value::Table(other)) => {
            let keys: std::collections::BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            for key in keys {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                match (one.get(key), other.get(key)) {
                    (Some(one), Some(other)) => differing(one, other, &path, out),
                    _ => out.push(path),
                }
            }
        }
        _ if one != other => out.push(path.to_owned()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Command;

    fn config() -> Config {
        toml::from_str(
            "[cluster]\nrpc_url = \"http://127.0.0.1:1\"\nguard = \"11111111111111111111111111111111\"\n\
             [keeper]\nname = \"k\"\nstate_dir = \"s\"\n[keys]\npayer_file = \"p\"\n",
        )
        .expect("settings")
    }

    #[test]
    fn adopt_takes_what_can_change_and_names_the_rest() {
        let before = config();
        let mut loaded = config();
        loaded.classes.liquidate = false;
        loaded.tx.stagger.rank = 2;
        loaded.tx.resend_ms = 500;
        loaded.cluster.rpc_url = "http://127.0.0.1:2".into();
        let (next, later) = adopt(&before, loaded);
        assert_eq!((next.classes.liquidate, next.tx.stagger.rank, next.tx.resend_ms), (false, 2, 400));
        assert_eq!(next.cluster.rpc_url, "http://127.0.0.1:1");
        assert_eq!(later, ["cluster.rpc_url", "tx.resend_ms"]);
    }

    #[tokio::test]
    async fn fault_47_reload_of_bad_settings_keeps_the_old_and_counts_it() {
        let (host, dir) = (Host::new(), tempfile::tempdir().expect("a directory"));
        let mut before = config();
        before.keeper.state_dir = dir.path().to_owned();
        let (control, mut commands) = Control::open(&before).expect("the way to the engine");
        let (current, ways) = (watch::Sender::new(Arc::new(before.clone())), watch::Sender::new(Some(control)));
        let (ask, asked) = mpsc::channel(1);
        let (answer, answers) = std::sync::mpsc::channel::<Result<Config, ConfigError>>();
        let answers = std::sync::Mutex::new(answers);
        let reload =
            Reload { asked, load: Box::new(move || answers.lock().expect("a lock").recv().expect("an answer")) };
        let task = tokio::spawn(reload.run(host.clone(), current.clone(), ways.subscribe()));
        let count = |result| host.metrics.settings_reloads.get_or_create(&OnlyResultLabel { result }).get();

        let refused = ConfigError::Refused { key: "tx.resend_ms".into(), origin: "f".into(), reason: "0".into() };
        answer.send(Err(refused)).expect("a listener");
        ask.send(()).await.expect("a listener");
        while count("refused") == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(**current.borrow(), before, "the old settings stay");
        assert!(commands.try_recv().is_err(), "the engine hears nothing of it");

        let mut good = before.clone();
        good.classes.liquidate = false;
        answer.send(Ok(good.clone())).expect("a listener");
        ask.send(()).await.expect("a listener");
        let Some(Command::Settings(told)) = commands.recv().await else { panic!("another command") };
        assert_eq!(*told, good);
        while count("applied") == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!((count("refused"), count("applied")), (1, 1));
        task.abort();
    }
}
