//! The newest slot that any endpoint told of, and which endpoints can't be right about it.
//!
//! An endpoint that is far behind the others would undo what is known; one that is far ahead of what can have passed
//! would make everything true look old. Neither is believed at its first word. But the newest slot may be the one that is
//! wrong: a node of another chain behind a balancer was believed once, or a chain really jumped. So answers elsewhere that
//! agree with each other for a while, while nobody stands by the newest slot, take its place. One that creeps ahead step
//! by step is not told from one that is fast. Pure: every moment comes in as an argument.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// No chain makes slots faster than this.
const FASTEST_SLOT: Duration = Duration::from_millis(20);
/// Slots that an endpoint may be ahead of the time that passed: as many as a blockhash lives.
pub const HEADROOM_SLOTS: u64 = 150;
/// An endpoint that said nothing for so long has no say any more, where nothing tells how often it is asked.
const WITNESS: Duration = Duration::from_secs(15);
/// How long answers must agree elsewhere, without one that stands by the newest slot, before they are believed.
const UNCONTRADICTED: Duration = Duration::from_secs(5);
/// And how many of them there must be.
const ANSWERS: u32 = 3;
/// Endpoints that must agree, where as many are heard.
const WITNESSES: usize = 2;

/// What a slot is, as told by one endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Believable.
    Fine,
    /// So many slots behind the newest.
    Behind(u64),
    /// So many slots ahead of what can have passed since the newest.
    Ahead(u64),
}

/// The newest slot, and who told what lately.
#[derive(Debug)]
pub struct Tip {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    slot: u64,
    at: Option<Instant>,
    /// When each endpoint was last heard, whatever it said.
    heard: Vec<(usize, Instant)>,
    witness: Duration,
    elsewhere: Option<Elsewhere>,
    was_lowered: bool,
}

/// Answers that agree with each other, and not with the newest slot.
#[derive(Debug)]
struct Elsewhere {
    slot: u64,
    at: Instant,
    since: Instant,
    told_by: Vec<usize>,
    answers: u32,
}

impl Default for Tip {
    fn default() -> Self {
        Self::outliving(Duration::ZERO)
    }
}

impl Tip {
    /// Nothing told yet. An endpoint that is asked every `period` keeps its say from one question to the next.
    pub fn outliving(period: Duration) -> Self {
        let witness = period.saturating_mul(2).saturating_add(WITNESS);
        let (heard, elsewhere, was_lowered) = (Vec::new(), None, false);
        Self { state: Mutex::new(State { slot: 0, at: None, heard, witness, elsewhere, was_lowered }) }
    }

    /// Takes over how often each endpoint is asked at least.
    pub fn outlive(&self, period: Duration) {
        let mut state = self.state();
        state.witness = state.witness.max(period.saturating_mul(2).saturating_add(WITNESS));
    }

    /// Returns the newest slot.
    pub fn slot(&self) -> u64 {
        self.state().slot
    }

    /// Returns the newest slot, where somebody told it within the time in which a wrong one would have been found out.
    pub fn recent(&self, now: Instant) -> Option<u64> {
        let state = self.state();
        let is_recent = state.at.is_some_and(|at| now.saturating_duration_since(at) <= UNCONTRADICTED);
        is_recent.then_some(state.slot)
    }

    /// Tells, once, whether the newest slot turned out too high and was lowered.
    pub fn take_lowered(&self) -> bool {
        std::mem::take(&mut self.state().was_lowered)
    }

    /// Judges `slot` as told by endpoint `by`, which may be `max_lag_slots` behind.
    pub fn judge(&self, by: usize, slot: u64, max_lag_slots: u64, now: Instant) -> Verdict {
        let mut state = self.state();
        state.hear(by, now);
        let verdict = state.verdict(slot, max_lag_slots, now);
        if verdict == Verdict::Fine {
            state.believe(slot, now);
            return verdict;
        }
        if state.is_agreed_elsewhere(by, slot, max_lag_slots, now) { Verdict::Fine } else { verdict }
    }

    /// As [`Self::judge`], and takes nothing in.
    pub fn peek(&self, slot: u64, max_lag_slots: u64, now: Instant) -> Verdict {
        self.state().verdict(slot, max_lag_slots, now)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Slots that may have passed since `at`.
fn possible(at: Instant, now: Instant) -> u64 {
    let passed = now.saturating_duration_since(at).as_millis() / FASTEST_SLOT.as_millis();
    HEADROOM_SLOTS.saturating_add(u64::try_from(passed).unwrap_or(u64::MAX))
}

impl State {
    fn verdict(&self, slot: u64, max_lag_slots: u64, now: Instant) -> Verdict {
        if let Some(lag) = self.slot.checked_sub(slot) {
            return if lag > max_lag_slots { Verdict::Behind(lag) } else { Verdict::Fine };
        }
        let Some(at) = self.at else { return Verdict::Fine };
        let ahead = slot - self.slot;
        if ahead > possible(at, now) { Verdict::Ahead(ahead) } else { Verdict::Fine }
    }

    fn hear(&mut self, by: usize, now: Instant) {
        let witness = self.witness;
        self.heard.retain(|(other, at)| *other != by && now.saturating_duration_since(*at) <= witness);
        self.heard.push((by, now));
    }

    fn believe(&mut self, slot: u64, now: Instant) {
        self.elsewhere = None;
        if slot > self.slot || self.at.is_none() {
            (self.slot, self.at) = (slot, Some(now));
        }
    }

    /// Notes an answer that the newest slot contradicts, and moves the newest slot there where enough agree.
    fn is_agreed_elsewhere(&mut self, by: usize, slot: u64, max_lag_slots: u64, now: Instant) -> bool {
        let fits = |known: &Elsewhere| {
            slot.saturating_add(max_lag_slots) >= known.slot
                && slot.saturating_sub(known.slot) <= possible(known.at, now)
        };
        let fresh = || Elsewhere { slot, at: now, since: now, told_by: Vec::new(), answers: 0 };
        let mut known = self.elsewhere.take().filter(fits).unwrap_or_else(fresh);
        known.answers = known.answers.saturating_add(1);
        if !known.told_by.contains(&by) {
            known.told_by.push(by);
        }
        if slot > known.slot {
            (known.slot, known.at) = (slot, now);
        }
        let is_agreed = known.answers >= ANSWERS
            && known.told_by.len() >= self.heard.len().min(WITNESSES)
            && now.saturating_duration_since(known.since) >= UNCONTRADICTED;
        if !is_agreed {
            self.elsewhere = Some(known);
            return false;
        }
        tracing::warn!(
            from = self.slot,
            to = known.slot,
            "the newest slot is given up: all that is told agrees on another"
        );
        self.was_lowered |= known.slot < self.slot;
        (self.slot, self.at) = (known.slot, Some(now));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAG: u64 = 20;

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn endpoint_behind_the_others_is_refused_and_the_newest_stands() {
        let (tip, now) = (Tip::default(), Instant::now());
        assert_eq!(tip.judge(0, 1_000, LAG, now), Verdict::Fine);
        assert_eq!(tip.judge(1, 980, LAG, now), Verdict::Fine);
        assert_eq!(tip.judge(1, 800, LAG, now), Verdict::Behind(200));
        assert_eq!(tip.slot(), 1_000);
    }

    #[test]
    fn endpoint_ahead_of_what_can_have_passed_is_refused_for_as_long_as_another_says_otherwise() {
        let (tip, now) = (Tip::default(), Instant::now());
        assert_eq!(tip.judge(0, 1_000, LAG, now), Verdict::Fine);
        assert_eq!(tip.judge(1, 1_000_000, LAG, now), Verdict::Ahead(999_000));
        assert_eq!(tip.slot(), 1_000);
        // twenty milliseconds a slot, and as many as a blockhash lives
        assert_eq!(tip.judge(1, 1_200, LAG, now + secs(1)), Verdict::Fine);
        for n in 2..60 {
            assert!(matches!(tip.judge(1, 1_000_000, LAG, now + secs(n)), Verdict::Ahead(_)), "second {n}");
            assert_eq!(tip.judge(0, 1_200 + n, LAG, now + secs(n)), Verdict::Fine);
        }
    }

    /// With two endpoints the word of the second counted for five seconds, and it is asked every `probe_secs`.
    #[test]
    fn endpoint_that_is_asked_rarely_keeps_its_say_from_one_question_to_the_next() {
        let (tip, now) = (Tip::outliving(secs(600)), Instant::now());
        assert_eq!(tip.judge(0, 1_000, LAG, now), Verdict::Fine);
        for n in 1..590 {
            let verdict = tip.judge(1, 1_000_000, LAG, now + secs(n));
            assert!(matches!(verdict, Verdict::Ahead(_)), "second {n}: {verdict:?}");
        }
        assert_eq!(tip.slot(), 1_000);
    }

    #[test]
    fn last_endpoint_that_is_heard_is_believed_elsewhere_after_a_while() {
        let (tip, now) = (Tip::default(), Instant::now());
        assert_eq!(tip.judge(0, 1_000, LAG, now), Verdict::Fine);
        let later = now + secs(60);
        assert_eq!(tip.judge(1, 1_000_000, LAG, later), Verdict::Ahead(999_000));
        assert_eq!(tip.judge(1, 1_000_002, LAG, later + secs(2)), Verdict::Ahead(999_002));
        assert_eq!(tip.judge(1, 1_000_010, LAG, later + secs(5)), Verdict::Fine);
        assert_eq!(tip.slot(), 1_000_010);
        assert!(!tip.take_lowered());
    }

    /// One answer of another chain's node behind a balancer was believed, and all that came after it was too old.
    #[test]
    fn single_absurd_answer_of_the_only_endpoint_changes_nothing() {
        let (tip, now) = (Tip::default(), Instant::now());
        assert_eq!(tip.judge(0, 1_000, LAG, now), Verdict::Fine);
        assert_eq!(tip.judge(0, 50_000_000, LAG, now), Verdict::Ahead(49_999_000));
        assert_eq!(tip.judge(0, 1_001, LAG, now + secs(1)), Verdict::Fine);
        assert_eq!(tip.slot(), 1_001);
    }

    #[test]
    fn chain_that_really_jumped_is_followed_after_a_while() {
        let (tip, now) = (Tip::default(), Instant::now());
        assert_eq!(tip.judge(0, 1_000, LAG, now), Verdict::Fine);
        for (n, slot) in [(1, 50_000_000), (3, 50_000_005)] {
            assert!(matches!(tip.judge(0, slot, LAG, now + secs(n)), Verdict::Ahead(_)));
        }
        assert_eq!(tip.judge(0, 50_000_012, LAG, now + secs(6)), Verdict::Fine);
        assert_eq!((tip.slot(), tip.take_lowered()), (50_000_012, false));
    }

    /// The newest slot only ever rose: until a restart nothing else was believed.
    #[test]
    fn absurd_slot_that_came_first_is_given_up_once_everybody_agrees_on_another() {
        let (tip, now) = (Tip::default(), Instant::now());
        assert_eq!(tip.judge(0, 50_000_000, LAG, now), Verdict::Fine);
        assert_eq!(tip.judge(0, 1_000, LAG, now), Verdict::Behind(49_999_000));
        assert_eq!(tip.judge(1, 1_003, LAG, now + secs(1)), Verdict::Behind(49_998_997));
        assert_eq!(tip.judge(0, 1_012, LAG, now + secs(4)), Verdict::Behind(49_998_988));
        assert_eq!(tip.slot(), 50_000_000, "not at once");
        assert_eq!(tip.judge(1, 1_015, LAG, now + secs(5)), Verdict::Fine);
        assert_eq!((tip.slot(), tip.take_lowered(), tip.take_lowered()), (1_015, true, false));
    }

    #[test]
    fn one_of_two_endpoints_does_not_lower_what_the_other_stands_by() {
        let (tip, now) = (Tip::default(), Instant::now());
        for n in 0..30 {
            assert_eq!(tip.judge(0, 5_000 + n, LAG, now + secs(n)), Verdict::Fine);
            assert!(matches!(tip.judge(1, 1_000 + n, LAG, now + secs(n)), Verdict::Behind(_)), "second {n}");
        }
        // it says nothing for a moment: its word still counts
        for n in 30..40 {
            assert!(matches!(tip.judge(1, 1_000 + n, LAG, now + secs(n)), Verdict::Behind(_)), "second {n}");
        }
        assert_eq!(tip.slot(), 5_029);
    }
}
