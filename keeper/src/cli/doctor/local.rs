//! What lies on this machine: keys, secrets, disk, journal.

use super::Finding;
use crate::config::Config;
use crate::config::payer::{KeyError, PayerKey};
use crate::config::secret::Secret;
use crate::error::KeeperError;
use crate::journal::{Journal, JournalError};
use crate::metrics::Metrics;
use nix::sys::statvfs::statvfs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Free space below which the journal may soon not be written.
const LITTLE_BYTES: u64 = 1 << 30;
const TOO_LITTLE_BYTES: u64 = 32 << 20;

pub(super) fn look(config: &Config) -> Vec<Finding> {
    let mut findings = vec![Finding::of("payer key", key(&config.keys.payer_file))];
    if let Some(path) = &config.keys.guardian_file {
        findings.push(Finding::of("guardian key", key(path)));
    }
    findings.extend(config.grpc.iter().filter_map(|stream| {
        let path = stream.x_token_file.as_ref()?;
        Some(Finding::of(format!("stream {}", stream.name), secret(path)))
    }));
    findings.push(token(config));
    findings.extend(config.notify.iter().flat_map(|sink| {
        let files = [&sink.url_file, &sink.token_file].into_iter().flatten();
        files.map(|path| Finding::of(format!("sink {}", sink.name), secret(path)))
    }));
    findings.push(state_dir(&config.keeper.state_dir));
    findings.push(disk(&config.keeper.state_dir));
    findings.push(Finding::of("journal", journal(config)));
    findings.extend(exits(config));
    findings
}

/// What isn't known is a hazard: without a market nobody can say what leaving costs, and scores stay high in the calmest hour.
fn exits(config: &Config) -> Option<Finding> {
    let is_blind = config.score.enabled && config.score.market.is_empty();
    is_blind.then(|| {
        let found = "no market says where collateral is sold: the score counts liquidity as unknown";
        Finding::warning("score", found, "name one for each vault under `[[score.market]]`; docs/risk.md, \"Score\"")
    })
}

fn key(path: &Path) -> Result<String, KeeperError> {
    Ok(PayerKey::read(path).map(|key| format!("{} in {}", key.pubkey(), path.display()))?)
}

fn secret(path: &Path) -> Result<String, KeeperError> {
    Secret::read(path)?;
    Ok(format!("secret in {}", path.display()))
}

fn token(config: &Config) -> Finding {
    let path = config.token_file();
    match Secret::read(&path) {
        Err(KeyError::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            Finding::ok("control token", format!("{} is made at the first start", path.display()))
        }
        found => Finding::of("control token", found.map(|_| path.display().to_string()).map_err(KeeperError::from)),
    }
}

fn state_dir(dir: &Path) -> Finding {
    let Ok(found) = std::fs::metadata(dir) else {
        return Finding::ok("state directory", format!("{} is made at the first start", dir.display()));
    };
    let mode = found.permissions().mode() & 0o7777;
    let text = format!("{} has mode {mode:04o}", dir.display());
    if mode & 0o077 == 0 {
        return Finding::ok("state directory", text);
    }
    // the journal tells what the keeper is about to do
    Finding::warning("state directory", text, format!("run `chmod 700 {}`", dir.display()))
}

fn disk(dir: &Path) -> Finding {
    // the directory may not be there yet: its first parent that is has the same disk
    let Some(there) = dir.ancestors().find(|at| at.exists()).or(Some(Path::new("."))) else {
        return Finding::ok("disk", "unknown");
    };
    match statvfs(if there.as_os_str().is_empty() { Path::new(".") } else { there }) {
        Ok(stat) => {
            let free = stat.blocks_available().saturating_mul(stat.fragment_size());
            let text = format!("{} MB free at {}", free >> 20, dir.display());
            let fix = "free space, or move `keeper.state_dir`: with a full disk only trips go on";
            match free {
                0..TOO_LITTLE_BYTES => {
                    Finding { state: super::State::Failed, exit_code: 6, ..Finding::warning("disk", text, fix) }
                }
                TOO_LITTLE_BYTES..LITTLE_BYTES => Finding::warning("disk", text, fix),
                _ => Finding::ok("disk", text),
            }
        }
        Err(error) => {
            Finding::warning("disk", format!("can't be asked: {error}"), "check the mount of `keeper.state_dir`")
        }
    }
}

fn journal(config: &Config) -> Result<String, KeeperError> {
    if !config.keeper.state_dir.exists() {
        return Ok("is made at the first start".into());
    }
    match Journal::open(&config.keeper.state_dir, Metrics::new()) {
        Ok(journal) => Ok(format!("whole, {} undecided", journal.undecided()?.len())),
        // A running keeper proved it whole at its start.
        Err(JournalError::Locked { .. }) => Ok("in use by a running keeper".into()),
        Err(error) => Err(error.into()),
    }
}
