//! What happened, kept for people and the app: events, decisions with their fates, reports of keepers, samples.
//!
//! Nothing here may hold a decision up or stop the keeper: what is recorded goes into bounded queues, a task of its own
//! writes them to `state_dir/history.db`, and where a team's PostgreSQL is set, another delivers them from there, in
//! order and once. Samples are the first to be dropped. The journal is another file and knows nothing of this.
//!
//! ```text
//! events, engine, view ─> queues ─> intake ─> history.db          no `history.url`: the history itself
//!                                               └─> delivery ─> PostgreSQL
//! ```

mod delivery;
mod error;
mod intake;
mod local;
mod postgres;
pub mod query;
mod reader;
mod record;
mod recorder;
mod sql;
#[cfg(test)]
mod tests;
mod url;
mod watch;

pub use error::HistoryError;
pub use query::{Filter, Page, Query};
pub use reader::Reader;
pub use record::{Kind, Who};
pub use recorder::Recorder;
pub use url::{HistoryUrl, hide_passwords};
pub use watch::watch;

use crate::config::Config;
use crate::metrics::Metrics;
use delivery::Delivery;
use intake::Intake;
use solana_sdk::pubkey::Pubkey;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// The tasks that write.
pub struct Writer {
    intake: Intake,
    delivery: Option<Delivery>,
}

/// Prepares the history of a keeper; nothing where the settings switch it off. Opens and connects nothing yet.
pub fn prepare(config: &Config, signer: &Pubkey, metrics: &Metrics) -> Option<(Recorder, Writer)> {
    if !config.history.enabled {
        return None;
    }
    let who = Arc::new(Who {
        guard: config.cluster.guard.to_string(),
        keeper: config.keeper.name.clone(),
        signer: signer.to_string(),
    });
    let (recorder, queues) = Recorder::new(who.clone(), metrics.clone());
    let filled = Arc::new(Notify::new());
    let intake = Intake {
        dir: config.keeper.state_dir.clone(),
        settings: config.history.clone(),
        queues,
        metrics: metrics.clone(),
        filled: filled.clone(),
        local: Arc::default(),
    };
    let delivery = config.history.url.as_ref().map(|url| Delivery {
        database: postgres::Postgres::new(url, config.history.password_file.clone()),
        keeper: who.keeper.clone(),
        settings: config.history.clone(),
        metrics: metrics.clone(),
        filled,
        local: intake.local.clone(),
    });
    Some((recorder, Writer { intake, delivery }))
}

impl Writer {
    /// Writes until `stop`, whatever happens to disk and database. Ends only after it.
    pub async fn run(self, stop: CancellationToken) {
        let delivering = self.delivery.map(|delivery| tokio::spawn(delivery.run(stop.clone())));
        let taking_in = tokio::spawn(self.intake.run(stop.clone()));
        for task in [Some(taking_in), delivering].into_iter().flatten() {
            if let Err(error) = task.await {
                tracing::error!("a task of the history broke off; the keeper goes on without: {error}");
            }
        }
        // a history that broke off must not take the keeper with it
        stop.cancelled().await;
    }
}

/// Runs `call` where it may block.
async fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> Result<T, HistoryError> + Send + 'static,
) -> Result<T, HistoryError> {
    tokio::task::spawn_blocking(call).await.unwrap_or(Err(HistoryError::Broken))
}
