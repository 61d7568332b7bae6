//! What the terminal and the system see: text, log lines, signals.

use super::output::Output;
use crate::config::secret::redact;
use crate::config::{Config, ConfigError, Log, LogFormat};
use crate::error::KeeperError;
use std::io::Write;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

/// Prints settings as TOML. Addresses may hold a key: user, path and query are hidden.
pub(super) fn config(config: &Config, out: Output) -> Result<(), KeeperError> {
    let failed = |source| KeeperError::Chain { what: "write settings as TOML".into(), source };
    let value = printed(config).map_err(|source| failed(Box::new(source)))?;
    let text = toml::to_string_pretty(&value).map_err(|source| failed(Box::new(source)))?;
    out.print(&value, || text)
}

/// Returns what is shown of settings.
pub(super) fn printed(config: &Config) -> Result<toml::Value, toml::ser::Error> {
    let mut value = toml::Value::try_from(config)?;
    hide(&mut value);
    Ok(value)
}

fn hide(value: &mut toml::Value) {
    match value {
        toml::Value::String(text) => *text = redact(text),
        toml::Value::Array(values) => values.iter_mut().for_each(hide),
        toml::Value::Table(table) => table.iter_mut().for_each(|(_, value)| hide(value)),
        _ => {}
    }
}

/// Prints the JSON Schema of the settings.
pub(super) fn schema() -> Result<(), KeeperError> {
    let schema = schemars::schema_for!(Config);
    text(&format!("{:#}\n", schema.to_value()))
}

/// Prints the version and the program it is built for.
pub(super) fn version(out: Output) -> Result<(), KeeperError> {
    let (version, program, schema) = (env!("CARGO_PKG_VERSION"), rampart::ID.to_string(), crate::view::SCHEMA);
    let data = serde_json::json!({ "rampart": version, "program": program, "view_schema": schema });
    out.print(&data, || format!("rampart {version}\nprogram {program}\nview schema {schema}\n"))
}

/// Prints text. A reader that left early is no failure.
pub(super) fn text(text: &str) -> Result<(), KeeperError> {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    Ok(())
}

/// Prints a line of something endless.
///
/// # Errors
/// `Refused` once nobody reads it any more.
pub(super) fn line(line: &str) -> Result<(), KeeperError> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(|error| KeeperError::Refused {
        what: format!("nobody reads the output: {error}"),
        hint: "this is the end".into(),
    })
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

/// Returns where each SIGHUP arrives: an ask to read the settings anew.
pub(super) fn reload_signal() -> Result<mpsc::Receiver<()>, KeeperError> {
    let failed = |source| KeeperError::Chain { what: "listen for signals".into(), source: Box::new(source) };
    let mut hangup = signal(SignalKind::hangup()).map_err(failed)?;
    let (ask, asked) = mpsc::channel(1);
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            // one that waits already will see the same settings
            let _ = ask.try_send(());
        }
    });
    Ok(asked)
}
