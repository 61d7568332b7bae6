//! The keeper's own health: what it sees of the chain, what lands, whether its peers agree, whether its model still fits.

use crate::ewma::{Ewma, decay};
use crate::input::Input;

/// Half-life of the share of transactions that land, seconds.
const INCLUSION_HALF_LIFE: f64 = 900.0;

/// Measures of the keeper's health.
#[derive(Clone, Copy, Debug, Default)]
pub struct Operations {
    /// Slots that the keeper's view is behind the newest that any source reported.
    pub slots_behind: Input,
    /// Largest gap of fresh peers' scores to the keeper's own, bps; not applicable without one of its own.
    pub disagreement_bps: Input,
    /// Mean stability index of the model's inputs.
    pub drift: Input,
    inclusion: Ewma,
    last_ts: Option<i64>,
}

impl Operations {
    /// Counts a transaction that landed or expired.
    pub fn push_outcome(&mut self, is_landed: bool, ts: i64) {
        let secs = self.last_ts.map_or(1.0, |last| ts.saturating_sub(last).max(1) as f64);
        self.inclusion.push(f64::from(u8::from(is_landed)), decay(secs.max(30.0), INCLUSION_HALF_LIFE));
        self.last_ts = Some(ts);
    }

    /// Says how far the keeper's view is behind the newest slot that any source reported.
    pub fn set_slots(&mut self, newest_slot: u64, seen_slot: u64) {
        self.slots_behind = Input::Known(newest_slot.saturating_sub(seen_slot) as f64);
    }

    /// Compares the keeper's own score with its peers' fresh ones; without peers there is nothing to disagree with.
    ///
    /// A keeper that has no score of its own yet disagrees with nobody. That isn't missing: it would raise the band on each
    /// start, which is left only after hours of calm, for a question that the next look answers.
    pub fn set_peers(&mut self, own_bps: Option<u16>, peers_bps: &[u16]) {
        let widest = |own_bps: u16| peers_bps.iter().map(|peer| peer.abs_diff(own_bps)).max().unwrap_or(0);
        self.disagreement_bps =
            own_bps.map_or(Input::NotApplicable, |own_bps| Input::Known(f64::from(widest(own_bps))));
    }

    /// Returns the share of transactions that land, 0 to 1; missing before the first.
    pub fn inclusion(&self) -> Input {
        self.inclusion.mean().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_equal_hand_computed_values() {
        let mut operations = Operations::default();
        assert!(operations.inclusion().is_missing() && operations.slots_behind.is_missing());
        operations.set_slots(110, 103);
        operations.set_peers(None, &[900, 2_600]);
        assert_eq!(operations.disagreement_bps, Input::NotApplicable);
        operations.set_peers(Some(1_000), &[900, 2_600]);
        operations.push_outcome(true, 0);
        operations.push_outcome(false, 900);
        assert_eq!((operations.slots_behind, operations.disagreement_bps), (Input::Known(7.0), Input::Known(1_600.0)));
        // The first stands for 30 s, then half of it is left beside the half of the second.
        let first = 1.0 - 0.5f64.powf(30.0 / 900.0);
        let expected = 0.5 * first / (0.5 * first + 0.5);
        assert!((operations.inclusion().known().unwrap() - expected).abs() < 1e-12);
    }
}
