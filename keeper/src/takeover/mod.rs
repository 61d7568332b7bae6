//! First signs that somebody takes the guard over.
//!
//! A takeover goes through valid keys: roles move, the program is upgraded, a limit is lifted, something worthless is
//! listed, transactions are signed ahead under durable nonces. Each of these is told the moment it shows, whatever the
//! reason; what is known is kept across restarts, so that nothing done while the keeper was down goes unseen. With a
//! guardian's key, the first critical sign also raises the guard's level for a bounded time: new risk stops, exits go on.

mod pause;
mod program;
mod sign;
mod standing;
#[cfg(test)]
mod tests;

pub use pause::{FILE as PAUSE_FILE, Pauser};
pub use program::{HEADER_LEN, LOADER, ProgramStanding, data_address, decode};
pub use sign::{KINDS, Sign, signs, signs_at_first, signs_of_program};
pub use standing::Standing;

use crate::chain::pool::Pool;
use crate::events::{EventKind, Events, Fact, Severity};
use crate::metrics::{KindLabel, Metrics};
use crate::whole;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Name of the file in the state directory.
pub const FILE: &str = "standing.json";

/// What is known, across restarts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Of the guard and what belongs to it.
    pub standing: Option<Arc<Standing>>,
    /// Of the program.
    pub program: Option<ProgramStanding>,
}

/// What the watch needs.
pub struct Watcher {
    /// The endpoints.
    pub pool: Arc<Pool>,
    /// What the engine sees of the guard.
    pub standings: watch::Receiver<Option<Arc<Standing>>>,
    /// Newest slot known.
    pub slot: Arc<AtomicU64>,
    /// Period of asking for the program and nonces.
    pub poll: Duration,
    /// Directory in which what is known is kept.
    pub state_dir: PathBuf,
    /// Who raises the guard's level, if anybody.
    pub pauser: Option<Arc<Pauser>>,
    /// Where signs are told.
    pub events: Events,
    /// Where they are counted.
    pub metrics: Metrics,
}

impl Watcher {
    /// Looks until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut known = load(&self.state_dir);
        let mut polls = tokio::time::interval(self.poll);
        polls.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let before = known.clone();
            let found = tokio::select! {
                () = stop.cancelled() => return,
                changed = self.standings.changed() => match changed {
                    Ok(()) => self.look(&mut known),
                    Err(_) => return,
                },
                _ = polls.tick() => self.ask(&mut known).await,
            };
            self.tell(&found);
            self.pause(&found, &known);
            // after the telling: a crash in between tells twice, never not at all
            if known != before {
                store(&self.state_dir, &known);
            }
        }
    }

    /// Compares what the engine sees now with what is known.
    fn look(&mut self, known: &mut Known) -> Vec<Sign> {
        let Some(now) = self.standings.borrow_and_update().clone() else { return Vec::new() };
        let found = known.standing.as_ref().map_or_else(Vec::new, |before| signs(before, &now));
        known.standing = Some(now);
        found
    }

    async fn ask(&self, known: &mut Known) -> Vec<Sign> {
        // without the holders of roles there is nothing to compare durable nonces with
        let Some(holders) = known.standing.as_ref().map(|standing| standing.holders()) else { return Vec::new() };
        match ProgramStanding::ask(&self.pool, &holders, known.program.as_ref()).await {
            Ok(now) => {
                let found = match &known.program {
                    Some(before) => signs_of_program(before, &now),
                    None => signs_at_first(&now),
                };
                known.program = Some(now);
                found
            }
            Err(error) => {
                tracing::warn!("the program can't be looked at: {}", crate::error::chain(&error));
                Vec::new()
            }
        }
    }

    fn tell(&self, found: &[Sign]) {
        for sign in found {
            self.metrics.takeover_signs.get_or_create(&KindLabel { kind: sign.kind }).inc();
            let fact = Fact::new(EventKind::AuthoritySign, self.slot.load(Ordering::Relaxed), sign.text.clone());
            let fact = fact.with("sign", sign.kind).with("subject", sign.subject.clone());
            self.events.emit(fact.of_severity(sign.severity));
        }
    }

    /// Raises the guard's level at the first critical sign. Beside the watch: the next sign must not wait for a block.
    fn pause(&self, found: &[Sign], known: &Known) {
        let (Some(pauser), Some(standing)) = (self.pauser.clone(), known.standing.clone()) else { return };
        let Some(sign) = found.iter().find(|sign| sign.severity == Severity::Critical).cloned() else { return };
        let (pool, events, slot) = (self.pool.clone(), self.events.clone(), self.slot.clone());
        tokio::spawn(async move {
            let text = match pauser.pause(&pool, &standing).await {
                Ok(until_ts) => format!("the guard's level is raised until {until_ts} after a sign: {}", sign.text),
                Err(error) => format!("the guard's level was not raised: {}", crate::error::chain(&error)),
            };
            let fact = Fact::new(EventKind::LevelsPaused, slot.load(Ordering::Relaxed), text);
            events.emit(fact.with("sign", sign.kind).with("subject", sign.subject));
        });
    }
}

/// Reads what is known. A file that can't be read counts as none: the next look is a new beginning, and says so.
fn load(dir: &Path) -> Known {
    let path = dir.join(FILE);
    match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_else(|error| {
            tracing::warn!(file = %path.display(), "what was known of the guard's rulers can't be read: {error}");
            Known::default()
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Known::default(),
        Err(error) => {
            tracing::warn!(file = %path.display(), "what was known of the guard's rulers can't be read: {error}");
            Known::default()
        }
    }
}

fn store(dir: &Path, known: &Known) {
    let path = dir.join(FILE);
    let bytes = serde_json::to_vec(known).map_err(std::io::Error::from);
    let written = bytes.and_then(|bytes| whole::replace(&path, &bytes));
    if let Err(error) = written {
        tracing::warn!(file = %path.display(), "what is known of the guard's rulers can't be kept: {error}");
    }
}
