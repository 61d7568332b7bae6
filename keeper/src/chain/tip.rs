//! The newest slot that any endpoint told of, and which endpoints can't be right about it.
//!
//! An endpoint that is far behind the others would undo what is known; one that is far ahead of what can have passed
//! would make everything true look old. Neither is believed. A single endpoint is believed whatever it jumps to: there is
//! nobody to hold against it. One that creeps ahead step by step is not told from one that is fast. Pure: every moment comes in as an argument.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// No chain makes slots faster than this.
const FASTEST_SLOT: Duration = Duration::from_millis(20);
/// Slots that an endpoint may be ahead of the time that passed: as many as a blockhash lives.
const HEADROOM_SLOTS: u64 = 150;
/// An endpoint that said nothing for so long is no witness against another.
const WITNESS: Duration = Duration::from_secs(5);

/// What a slot is, as told by one endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Believable.
    Fine,
    /// So many slots behind the newest.
    Behind(u64),
    /// So many slots ahead of the newest that another endpoint tells of.
    Ahead(u64),
}

/// The newest slot, and when each endpoint was last believed.
#[derive(Debug, Default)]
pub struct Tip {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    slot: u64,
    at: Option<Instant>,
    believed: Vec<(usize, Instant)>,
}

impl Tip {
    /// Returns the newest slot.
    pub fn slot(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).slot
    }

    /// Judges `slot` as told by endpoint `by`, which may be `max_lag_slots` behind.
    pub fn judge(&self, by: usize, slot: u64, max_lag_slots: u64, now: Instant) -> Verdict {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let verdict = state.verdict(by, slot, max_lag_slots, now);
        if verdict == Verdict::Fine {
            state.believe(by, slot, now);
        }
        verdict
    }

    /// As [`Self::judge`], and takes nothing in.
    #[cfg(feature = "grpc")]
    pub fn peek(&self, by: usize, slot: u64, max_lag_slots: u64, now: Instant) -> Verdict {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).verdict(by, slot, max_lag_slots, now)
    }
}

impl State {
    fn verdict(&self, by: usize, slot: u64, max_lag_slots: u64, now: Instant) -> Verdict {
        if let Some(lag) = self.slot.checked_sub(slot) {
            return if lag > max_lag_slots { Verdict::Behind(lag) } else { Verdict::Fine };
        }
        let is_witness = |(other, at): &(usize, Instant)| *other != by && now.saturating_duration_since(*at) <= WITNESS;
        let Some(at) = self.at.filter(|_| self.believed.iter().any(is_witness)) else { return Verdict::Fine };
        let passed = now.saturating_duration_since(at).as_millis() / FASTEST_SLOT.as_millis();
        let possible = HEADROOM_SLOTS.saturating_add(u64::try_from(passed).unwrap_or(u64::MAX));
        let ahead = slot - self.slot;
        if ahead > possible { Verdict::Ahead(ahead) } else { Verdict::Fine }
    }

    fn believe(&mut self, by: usize, slot: u64, now: Instant) {
        match self.believed.iter_mut().find(|(known, _)| *known == by) {
            Some((_, at)) => *at = now,
            None => self.believed.push((by, now)),
        }
        if slot > self.slot {
            (self.slot, self.at) = (slot, Some(now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoint_behind_the_others_is_refused_and_the_newest_stands() {
        let (tip, now) = (Tip::default(), Instant::now());
        assert_eq!(tip.judge(0, 1_000, 20, now), Verdict::Fine);
        assert_eq!(tip.judge(1, 980, 20, now), Verdict::Fine);
        assert_eq!(tip.judge(1, 800, 20, now), Verdict::Behind(200));
        assert_eq!(tip.slot(), 1_000);
    }

    #[test]
    fn endpoint_ahead_of_what_can_have_passed_is_refused_where_another_says_otherwise() {
        let (tip, now) = (Tip::default(), Instant::now());
        assert_eq!(tip.judge(0, 1_000, 20, now), Verdict::Fine);
        assert_eq!(tip.judge(1, 1_000_000, 20, now), Verdict::Ahead(999_000));
        assert_eq!(tip.slot(), 1_000);
        // twenty milliseconds a slot, and as many as a blockhash lives
        assert_eq!(tip.judge(1, 1_200, 20, now + Duration::from_secs(1)), Verdict::Fine);
        // nobody is left to hold against it
        assert_eq!(tip.judge(1, 1_000_000, 20, now + Duration::from_secs(60)), Verdict::Fine);
    }

    #[test]
    fn single_endpoint_may_jump() {
        let (tip, now) = (Tip::default(), Instant::now());
        assert_eq!(tip.judge(0, 1_000, 20, now), Verdict::Fine);
        assert_eq!(tip.judge(0, 50_000_000, 20, now), Verdict::Fine);
    }
}
