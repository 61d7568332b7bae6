//! What the terminal and the system see: text, log lines, signals.

use crate::config::{Config, ConfigError, Log, LogFormat};
use crate::error::KeeperError;
use std::io::Write;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

/// Prints settings as TOML, without the password that an address may hold.
pub(super) fn config(config: &Config) -> Result<(), KeeperError> {
    let text = toml::to_string_pretty(config)
        .map_err(|source| KeeperError::Chain { what: "write settings as TOML".into(), source: Box::new(source) })?;
    self::text(&text)
}

/// Prints the version and the program it is built for.
pub(super) fn version() -> Result<(), KeeperError> {
    text(&format!(
        "rampart {}\nprogram {}\nview schema {}\n",
        env!("CARGO_PKG_VERSION"),
        rampart::ID,
        crate::view::SCHEMA
    ))
}

/// Prints text. A reader that left early is no failure.
pub(super) fn text(text: &str) -> Result<(), KeeperError> {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    Ok(())
}

/// Starts the log, on standard error.
pub(super) fn start_log(log: &Log) -> Result<(), KeeperError> {
    let filter = EnvFilter::try_new(&log.level).map_err(|error| ConfigError::Refused {
        key: "log.level".into(),
        origin: "the settings".into(),
        reason: error.to_string(),
    })?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match log.format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Pretty => builder.compact().try_init(),
    };
    // Only a second start in one process fails: the first one goes on.
    drop(started);
    Ok(())
}

/// Returns a token that the first SIGTERM or SIGINT cancels. A second signal ends the process at once.
pub(super) fn stop_signal() -> Result<CancellationToken, KeeperError> {
    let failed = |source| KeeperError::Chain { what: "listen for signals".into(), source: Box::new(source) };
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let token = CancellationToken::new();
    let stop = token.clone();
    tokio::spawn(async move {
        for is_first in [true, false] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            stop.cancel();
            if !is_first {
                // The journal holds everything that is under way.
                std::process::exit(0);
            }
        }
    });
    Ok(token)
}
