//! How far the prices on chain are behind what was heard.

use super::{Board, FeedId, Standing};
use crate::assess::Assessment;
use crate::config::SignalSettings;
use crate::view::amounts;
use crate::view::{EarlyView, SignalView};
use crate::watch::store::Store;
use anchor_lang::prelude::Pubkey;
use rampart::math::Price;
use rampart::oracle::Reading;
use rampart::state::SourceKind;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A price that was heard, held against the same feed on chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Gap {
    /// The asset.
    pub asset: Pubkey,
    /// Which of its sources, by index.
    pub index: usize,
    /// The signal's name.
    pub signal: String,
    /// What was heard.
    pub price: Price,
    /// How much higher it is than on chain, bps; below zero: lower. `None` where the chain has no price.
    pub gap_bps: Option<i64>,
    /// How much later it was published than what is on chain, seconds; below zero: earlier.
    pub lead_secs: Option<i64>,
    /// Whether the gap is one that the settings call a move, by a price that is no older.
    pub is_moved: bool,
}

/// Returns the Pyth feeds of all assets.
pub fn wanted(store: &Store) -> BTreeSet<FeedId> {
    let sources = store.assets().flat_map(|(_, asset)| asset.oracle.active());
    sources.filter(|source| source.kind == SourceKind::Pyth as u8).map(|source| source.feed_id).collect()
}

/// Holds everything that was heard against the chain.
pub fn gaps(board: &Board, store: &Store, assessment: &Assessment) -> Vec<Gap> {
    let mut gaps = Vec::new();
    for (settings, standing) in board.read() {
        for (asset, state) in store.assets() {
            for (index, source) in state.oracle.active().iter().enumerate() {
                let said = assessment.assets.get(asset).and_then(|report| report.reading.ok());
                let on_chain = said.and_then(|said| said.sources[index].reading.ok());
                let is_pyth = source.kind == SourceKind::Pyth as u8;
                let heard = heard(&standing, &source.feed_id, assessment.now.unix_ts).filter(|_| is_pyth);
                gaps.extend(heard.map(|heard| gap((*asset, index), &settings, heard, on_chain)));
            }
        }
    }
    gaps
}

/// Returns what was heard of each asset's sources, while it isn't older than such a source may be; US dollars, before any
/// exchange rate of the asset.
pub fn heard_of(board: &Board, store: &Store, now_ts: i64) -> BTreeMap<Pubkey, Vec<Price>> {
    let mut prices: BTreeMap<Pubkey, Vec<Price>> = BTreeMap::new();
    for (_, standing) in board.read() {
        for (asset, state) in store.assets() {
            let of_pyth = state.oracle.active().iter().filter(|source| source.kind == SourceKind::Pyth as u8);
            let live = of_pyth.filter_map(|source| {
                let heard = heard(&standing, &source.feed_id, now_ts)?;
                let age_secs = now_ts.saturating_sub(heard.publish_ts);
                (age_secs <= i64::from(source.max_age_secs)).then_some(heard.price)
            });
            prices.entry(*asset).or_default().extend(live);
        }
    }
    prices
}

/// What can't be a price on chain is none here either.
fn heard(standing: &Standing, feed: &FeedId, now_ts: i64) -> Option<Reading> {
    let raw = standing.prices.get(feed)?;
    // the chain's clock may be behind Pyth's: what matters is which is the later one
    Reading::new(*raw, now_ts.max(raw.publish_ts)).ok()
}

fn gap((asset, index): (Pubkey, usize), settings: &SignalSettings, heard: Reading, on_chain: Option<Reading>) -> Gap {
    let size = on_chain.map(|known| {
        let size = i64::from(heard.price.deviation(known.price).0);
        if heard.price < known.price { -size } else { size }
    });
    let lead = on_chain.map(|known| heard.publish_ts.saturating_sub(known.publish_ts));
    let is_moved = size.is_some_and(|size| size.unsigned_abs() >= u64::from(settings.deviation_bps));
    let is_later = lead.is_some_and(|lead| lead >= 0);
    Gap {
        asset,
        index,
        signal: settings.name.clone(),
        price: heard.price,
        gap_bps: size,
        lead_secs: lead,
        is_moved: is_moved && is_later,
    }
}

impl Gap {
    /// Returns what the API shows of it.
    pub fn view(&self) -> EarlyView {
        EarlyView {
            signal: self.signal.clone(),
            source: self.index,
            price: amounts::price(self.price),
            gap_bps: self.gap_bps,
            lead_secs: self.lead_secs,
            moved: self.is_moved,
        }
    }

    /// Returns it as one line.
    pub fn text(&self) -> String {
        let price = amounts::price(self.price);
        match (self.gap_bps, self.lead_secs) {
            (Some(gap), Some(lead)) => {
                let moved = if self.is_moved { "; the chain doesn't show this move yet" } else { "" };
                format!("{price}, {gap:+} bps to the chain, published {lead:+} s{moved}")
            }
            _ => format!("{price}; the chain has no price"),
        }
    }
}

/// Returns what the API shows of every source.
pub fn view(board: &Board) -> Vec<SignalView> {
    let millis = |silent: Duration| u64::try_from(silent.as_millis()).unwrap_or(u64::MAX);
    let view = |(settings, standing): (SignalSettings, Standing)| SignalView {
        name: settings.name,
        kind: settings.kind.as_str().to_owned(),
        up: standing.fault.is_none() && standing.heard_at.is_some(),
        degraded: standing.fault.is_some(),
        reason: standing.fault.map(|(_, text)| text),
        feeds: standing.prices.len() as u64,
        silent_ms: standing.heard_at.map(|at| millis(at.elapsed())),
        losses: standing.losses,
    };
    board.read().into_iter().map(view).collect()
}
