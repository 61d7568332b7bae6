//! Reading the history: from the file, or from the team's database over a connection of its own.

use super::local::Local;
use super::postgres::Postgres;
use super::query::{Filter, Page, Query};
use super::record::Kind;
use super::{HistoryError, blocking};
use crate::config::Config;
use anchor_lang::prelude::Pubkey;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Questions answered at once: each may hold a blocking thread.
const READERS: usize = 2;

/// Answers questions. Clones share the connection.
#[derive(Clone)]
pub struct Reader {
    place: Place,
    readers: Arc<Semaphore>,
}

#[derive(Clone)]
enum Place {
    Nowhere,
    File(PathBuf),
    Database(Arc<Postgres>),
}

impl Reader {
    /// Reads what the settings say is written.
    pub fn new(config: &Config) -> Self {
        let history = &config.history;
        let place = match &history.url {
            _ if !history.enabled => Place::Nowhere,
            Some(url) => Place::Database(Arc::new(Postgres::new(url, history.password_file.clone()))),
            None => Place::File(config.keeper.state_dir.clone()),
        };
        Self { place, readers: Arc::new(Semaphore::new(READERS)) }
    }

    /// Returns one page.
    ///
    /// # Errors
    /// `Missing`, `File`, `Database`, `Timeout`, `Password`, `TooNew`, `Disabled`.
    pub async fn page(&self, query: Query) -> Result<Page, HistoryError> {
        let _turn = self.readers.acquire().await.map_err(|_| HistoryError::Broken)?;
        match &self.place {
            Place::Nowhere => Err(HistoryError::Disabled),
            Place::Database(database) => database.page(&query).await,
            Place::File(dir) => {
                let dir = dir.clone();
                blocking(move || Local::page(&dir, &query)).await
            }
        }
    }

    /// Tries it, and tells where the history is.
    ///
    /// # Errors
    /// As [`Self::page`].
    pub async fn probe(&self, guard: &Pubkey) -> Result<String, HistoryError> {
        let filter = Filter { limit: Some(1), ..Filter::default() };
        let page = match self.page(Query::new(Kind::Events, &filter, guard)?).await {
            // the first start makes it
            Err(HistoryError::Missing { .. }) => return Ok("no file yet".into()),
            result => result?,
        };
        let newest = page.items.first().and_then(|item| item["at"].as_str()).unwrap_or("none yet");
        Ok(format!("readable, newest event {newest}"))
    }
}
