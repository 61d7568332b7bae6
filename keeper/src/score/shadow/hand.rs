//! The choice among a library's policies, kept from one start to the next.

use crate::whole;
use rampart_score::policy::{Choice, Library};
use serde::{Deserialize, Serialize};
use solana_sdk::hash::hashv;
use std::path::Path;

/// Name of the kept choice in the state directory.
pub(super) const FILE: &str = "library-choice.json";
/// Share of even choice: no policy is ever given up.
const EXPLORE: f64 = 0.05;
/// What a day leaves of the past: a half-life of 6.6 days.
const KEEP: f64 = 0.9;
/// Utility below the day's best that pays nothing, bps of the debt.
const SCALE_BPS: f64 = 10.0;

/// The choice, and the last day that it rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Hand {
    library_sha256: String,
    /// Last day that was looked at, days since 1970; nothing before the first.
    day: Option<i64>,
    rounds: u64,
    choice: Choice,
}

impl Hand {
    /// Goes on with the choice that is kept for this library, or starts one in which the reigning policy is favoured.
    pub(super) fn of(library: &Library, kept: Option<&Path>) -> Self {
        kept.and_then(|path| Self::read(library, path)).unwrap_or_else(|| {
            // CANNOT be refused: a checked library has 1 to 5 policies, and the shares are constants
            let choice = Choice::new(library.policies().len(), library.reigning_at(), EXPLORE, KEEP)
                .expect("the bounds of a choice are those of a library");
            Self { library_sha256: library.hash().to_owned(), day: None, rounds: 0, choice }
        })
    }

    fn read(library: &Library, path: &Path) -> Option<Self> {
        let hand: Self = serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok()?;
        let is_of_it = hand.library_sha256 == library.hash() && hand.choice.count() == library.policies().len();
        (is_of_it && hand.choice.validate().is_ok()).then_some(hand)
    }

    /// Keeps the choice. A disk that refuses costs no more than the choice's past.
    pub(super) fn keep(&self, path: Option<&Path>) {
        let Some(path) = path else { return };
        let bytes = serde_json::to_vec(self).map_err(std::io::Error::from);
        if let Err(error) = bytes.and_then(|bytes| whole::replace(path, &bytes)) {
            tracing::warn!("failed to keep the choice among policies in `{}`: {error}", path.display());
        }
    }

    /// Says whether the outcomes of the days before `day` are still to be learned.
    pub(super) fn is_due(&mut self, day: i64) -> bool {
        let last = *self.day.get_or_insert(day);
        day > last
    }

    /// Passes a day by.
    pub(super) fn skip(&mut self, day: i64) {
        self.day = Some(day);
    }

    /// Learns what each policy would have brought, bps of the debt.
    pub(super) fn learn(&mut self, utilities: &[f64], day: i64, library: &Library) {
        self.day = Some(day);
        let best = utilities.iter().copied().fold(f64::MIN, f64::max);
        let rewards: Vec<f64> = utilities.iter().map(|utility| 1.0 - (best - utility) / SCALE_BPS).collect();
        match self.choice.learn(&rewards) {
            Ok(()) => self.rounds += 1,
            Err(error) => tracing::warn!("nothing was learned of a day in shadow: {error}"),
        }
        tracing::info!(day, chosen = self.chosen(library), ?utilities, "a day in shadow was counted");
    }

    /// Returns the place of the chosen policy: equal for all keepers with equal choices on one day.
    pub(super) fn chosen(&self, library: &Library) -> usize {
        let day = self.day.unwrap_or(0).to_le_bytes();
        let hash = hashv(&[library.hash().as_bytes(), &day]).to_bytes();
        let draw = hash.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        self.choice.choose(f64::from(draw) / (f64::from(u32::MAX) + 1.0))
    }

    pub(super) fn probabilities(&self) -> Vec<f64> {
        self.choice.probabilities()
    }

    pub(super) fn rounds(&self) -> u64 {
        self.rounds
    }
}
