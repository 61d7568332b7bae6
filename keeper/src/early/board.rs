//! What was heard lately, by source: written by the sources' tasks, read by the engine.

use super::{FeedId, Heard, SignalError};
use crate::config::SignalSettings;
use crate::post::SignedUpdate;
use rampart::oracle::RawReading;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::watch;

/// Feeds that are wanted.
pub type Wanted = Arc<BTreeSet<FeedId>>;

/// The newest signed update of each feed.
type Updates = BTreeMap<FeedId, Arc<SignedUpdate>>;

/// Shared by all clones.
#[derive(Clone, Debug)]
pub struct Board {
    wanted: watch::Sender<Wanted>,
    sources: Arc<Mutex<Vec<(SignalSettings, Standing)>>>,
    /// The newest signed update of each feed; `None` where nobody posts them.
    updates: Arc<Mutex<Option<Updates>>>,
}

/// How one source stands.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// Why it is degraded, in one word, and in a sentence with the fix; `None` while it delivers or hasn't begun.
    pub fault: Option<(&'static str, String)>,
    /// The newest price of each feed.
    pub prices: BTreeMap<FeedId, RawReading>,
    /// When it last said a price.
    pub heard_at: Option<Instant>,
    /// Times it was lost.
    pub losses: u64,
}

impl Default for Board {
    fn default() -> Self {
        Self { wanted: watch::Sender::new(Arc::default()), sources: Arc::default(), updates: Arc::default() }
    }
}

impl Board {
    /// Begins anew with these sources, of which nothing is known.
    pub fn begin(&self, settings: &[SignalSettings]) {
        *self.sources() = settings.iter().map(|one| (one.clone(), Standing::default())).collect();
    }

    /// Keeps signed updates from now on.
    pub fn keep_updates(&self) {
        self.updates().get_or_insert_default();
    }

    /// Tells whether signed updates are kept.
    pub fn keeps_updates(&self) -> bool {
        self.updates().is_some()
    }

    /// Takes a signed update in. Returns whether it is news about a feed that is wanted.
    pub fn signed(&self, update: SignedUpdate) -> bool {
        let (wanted, update) = (self.wanted.borrow().clone(), Arc::new(update));
        let mut updates = self.updates();
        let Some(updates) = updates.as_mut() else { return false };
        updates.retain(|feed, _| wanted.contains(feed));
        let mut is_news = false;
        for feed in update.feeds().filter(|feed| wanted.contains(*feed)) {
            let published = |update: &SignedUpdate| update.price(feed).map(|raw| raw.publish_ts);
            if updates.get(feed).is_none_or(|known| published(known) < published(&update)) {
                updates.insert(*feed, update.clone());
                is_news = true;
            }
        }
        is_news
    }

    /// Returns the newest signed update of a feed.
    pub fn update_of(&self, feed: &FeedId) -> Option<Arc<SignedUpdate>> {
        self.updates().as_ref()?.get(feed).cloned()
    }

    /// Takes over which feeds are wanted.
    pub fn want(&self, feeds: BTreeSet<FeedId>) {
        self.wanted.send_if_modified(|wanted| {
            let is_news = **wanted != feeds;
            if is_news {
                *wanted = Arc::new(feeds);
            }
            is_news
        });
    }

    /// Returns which feeds are wanted, now and later.
    pub fn subscribe(&self) -> watch::Receiver<Wanted> {
        self.wanted.subscribe()
    }

    /// Takes prices of a source in. Older ones than what is known are dropped. Returns whether it was degraded.
    pub fn heard(&self, name: &str, prices: &[Heard]) -> bool {
        let wanted = self.wanted.borrow().clone();
        let is_wanted = |(feed, _): &&Heard| wanted.contains(feed);
        let mut was_degraded = false;
        self.with(name, |standing| {
            standing.prices.retain(|feed, _| wanted.contains(feed));
            for (feed, raw) in prices.iter().filter(is_wanted) {
                let known = standing.prices.entry(*feed).or_insert(*raw);
                if raw.publish_ts >= known.publish_ts {
                    *known = *raw;
                }
            }
            standing.heard_at = Some(Instant::now());
            was_degraded = standing.fault.take().is_some();
        });
        was_degraded
    }

    /// Notes that a source gives no prices. What it said before counts no longer. Returns whether that is news.
    pub fn lost(&self, name: &str, error: &SignalError, text: String) -> bool {
        let mut is_news = false;
        self.with(name, |standing| {
            is_news = standing.fault.as_ref().is_none_or(|(known, _)| *known != error.as_str());
            standing.fault = Some((error.as_str(), text));
            standing.prices.clear();
            standing.losses += 1;
        });
        is_news
    }

    /// Returns every source with how it stands, in the order of the settings.
    pub fn read(&self) -> Vec<(SignalSettings, Standing)> {
        self.sources().clone()
    }

    fn updates(&self) -> MutexGuard<'_, Option<Updates>> {
        self.updates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with(&self, name: &str, change: impl FnOnce(&mut Standing)) {
        let mut sources = self.sources();
        sources.iter_mut().find(|(settings, _)| settings.name == name).map(|(_, standing)| standing).map(change);
    }

    fn sources(&self) -> MutexGuard<'_, Vec<(SignalSettings, Standing)>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
