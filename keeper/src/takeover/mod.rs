//! First signs that somebody takes the guard over.
//!
//! A takeover goes through valid keys: roles move, the program is upgraded, a limit is lifted, something worthless is
//! listed, transactions are signed ahead under durable nonces. Each of these is told the moment it shows, whatever the
//! reason; what is known is kept across restarts, so that nothing done while the keeper was down goes unseen. With a
//! guardian's key, the first critical sign also raises the guard's level for a bounded time: new risk stops, exits go on.
//! That is tried, across restarts as well, until the level is raised or nothing is left of the sign.

mod limits;
mod pause;
mod program;
mod sign;
mod standing;
#[cfg(test)]
mod tests;
mod wanted;

pub use pause::{FILE as PAUSE_FILE, News, Pauser};
pub use program::{HEADER_LEN, LOADER, ProgramStanding, data_address, decode};
pub use sign::{KINDS, Sign, signs, signs_at_first, signs_of_program};
pub use standing::Standing;
pub use wanted::Wanted;

use crate::chain::pool::Pool;
use crate::events::{EventKind, Events, Fact};
use crate::metrics::{KindLabel, Metrics};
use crate::whole;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
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
    /// The pause that a sign has asked for and that is not in force yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted: Option<Arc<Wanted>>,
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
    pub pauser: Option<Pauser>,
    /// Where signs are told.
    pub events: Events,
    /// Where they are counted.
    pub metrics: Metrics,
}

impl Watcher {
    /// Looks until `stop`, and has the guard's level raised where a sign asks for it.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut known = load(&self.state_dir);
        let (pauser, pool) = (self.pauser.take(), self.pool.clone());
        known.wanted = known.wanted.filter(|_| pauser.is_some());
        let (wants, wanted) = watch::channel(known.wanted.clone());
        let (told, news) = mpsc::channel(1);
        // beside the watch: the next sign must not wait for a block
        let raising = async {
            match &pauser {
                Some(pauser) => pauser.run(&pool, wanted, told).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.look_on(known, (pauser.is_some(), wants, news), stop) => {}
            () = raising => {}
        }
    }

    async fn look_on(
        &mut self,
        mut known: Known,
        (is_pausing, wants, mut news): (bool, watch::Sender<Option<Arc<Wanted>>>, mpsc::Receiver<News>),
        stop: CancellationToken,
    ) {
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
                Some(news) = news.recv() => {
                    self.take(&news, &mut known);
                    Vec::new()
                }
            };
            self.tell(&found);
            if is_pausing {
                self.want(&found, &before, &mut known);
            }
            // after the telling: a crash in between tells twice, never not at all
            if known != before {
                store(&self.state_dir, &known);
            }
            // after the writing, for the same reason
            wants.send_if_modified(|wanted| std::mem::replace(wanted, known.wanted.clone()) != known.wanted);
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

    /// Asks for a pause at the first critical sign, until nothing is left of it.
    fn want(&self, found: &[Sign], before: &Known, known: &mut Known) {
        if let Some(asked) = found.iter().find_map(|sign| Wanted::by(sign, before)) {
            let first = known.wanted.take().map(Arc::unwrap_or_clone);
            known.wanted = Some(Arc::new(first.unwrap_or(asked).completed(before)));
        }
        if let Some(gone) = known.wanted.clone().filter(|wanted| wanted.is_gone(known)) {
            known.wanted = None;
            let text =
                format!("the guard's level needs no raising any more, for nothing is left of the sign: {}", gone.text);
            self.tell_pause(&gone, "dropped", text);
        }
    }

    fn take(&self, news: &News, known: &mut Known) {
        let Some(wanted) = known.wanted.clone() else { return };
        match news {
            News::Raised(until_ts) => {
                known.wanted = None;
                let text = format!("the guard's level is raised until {until_ts} after a sign: {}", wanted.text);
                self.tell_pause(&wanted, "raised", text);
            }
            News::Failed(why) => {
                let text = format!("the guard's level was not raised yet, and it is tried again: {why}");
                self.tell_pause(&wanted, "failed", text);
            }
        }
    }

    fn tell_pause(&self, wanted: &Wanted, pause: &str, text: String) {
        let fact = Fact::new(EventKind::LevelsPaused, self.slot.load(Ordering::Relaxed), text);
        let fact = fact.with("sign", wanted.sign.clone()).with("subject", wanted.subject.clone());
        self.events.emit(fact.with("pause", pause));
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
