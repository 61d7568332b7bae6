//! Levels and the causes that hold them up.

use crate::constants::MAX_CAUSES;
use crate::error::RampartError;
use crate::state::oracle_set::stored_enum;
use anchor_lang::prelude::*;

/// What a scope still allows. Ordered: a higher level is stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// All within limits.
    Normal = 0,
    /// New risk and exits at reduced limits.
    Caution = 1,
    /// No new risk; exits through the floor.
    ReduceOnly = 2,
    /// As `ReduceOnly`, and liquidation only at a price on which two sources agree.
    Halt = 3,
    /// Orderly wind-down.
    Resolution = 4,
}
stored_enum!(Level { Normal, Caution, ReduceOnly, Halt, Resolution });

/// One reason why a level is raised.
///
/// Its effect ends by itself: at `expires_at_ts` a halt falls to `ReduceOnly` for as long again, everything else to
/// `Normal`. Nothing has to be called for that.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Cause {
    /// The rule that was proved true.
    pub rule: Pubkey,
    /// When it tripped, unix seconds.
    pub tripped_at_ts: i64,
    /// When its own level ends, unix seconds.
    pub expires_at_ts: i64,
    /// Before this time nobody may step it down, unix seconds.
    pub dwell_until_ts: i64,
    /// [`Level`], 1 to 3; 0 marks an empty slot.
    pub level: u8,
    /// Zeros.
    pub reserved: [u8; 7],
}

impl Cause {
    /// Returns the level that this cause demands at `now_ts`.
    ///
    /// A stored level that no version knows counts as `Halt`: unknown is never normal.
    pub fn level_at(&self, now_ts: i64) -> Level {
        let level = Level::try_from(self.level).unwrap_or(Level::Halt).min(Level::Halt);
        if now_ts < self.expires_at_ts {
            return level;
        }
        let tail_secs = self.expires_at_ts.saturating_sub(self.tripped_at_ts);
        let in_tail = now_ts < self.expires_at_ts.saturating_add(tail_secs);
        if level == Level::Halt && in_tail { Level::ReduceOnly } else { Level::Normal }
    }
}

/// The causes of one scope (a vault, an asset or a guard).
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Breaker {
    /// Causes; empty slots have level 0.
    pub causes: [Cause; MAX_CAUSES],
    /// Counts the times the breaker went to `ReduceOnly` or higher from below: an episode of restricted exits.
    pub episode: u64,
}

impl Breaker {
    /// Returns the strictest level of all unexpired causes.
    pub fn level_at(&self, now_ts: i64) -> Level {
        self.causes.iter().map(|c| c.level_at(now_ts)).max().unwrap_or(Level::Normal)
    }

    /// Returns the cause that `rule` holds in force at `now_ts`.
    pub fn cause_of(&self, rule: &Pubkey, now_ts: i64) -> Option<&Cause> {
        self.causes.iter().find(|c| c.rule == *rule && c.level_at(now_ts) > Level::Normal)
    }

    /// Puts a proved cause into force, over an expired one or the least strict.
    ///
    /// # Errors
    /// `AlreadyTripped` while the same rule holds this level or a higher one, `CausesFull` when all four slots hold
    /// causes at least as strict, `MathOverflow` for more episodes than can be counted.
    pub fn trip(&mut self, cause: Cause, now_ts: i64) -> Result<()> {
        let before = self.level_at(now_ts);
        // a cause that was stepped down, or has fallen by itself, may rise again
        let held = self.cause_of(&cause.rule, now_ts).is_some_and(|c| c.level_at(now_ts) >= cause.level_at(now_ts));
        require!(!held, RampartError::AlreadyTripped);
        let slot = self.slot_for(&cause, now_ts).ok_or(RampartError::CausesFull)?;
        self.causes[slot] = cause;
        if before < Level::ReduceOnly && self.level_at(now_ts) >= Level::ReduceOnly {
            self.episode = self.episode.checked_add(1).ok_or(RampartError::MathOverflow)?;
        }
        Ok(())
    }

    fn slot_for(&self, cause: &Cause, now_ts: i64) -> Option<usize> {
        if let Some(own) = self.causes.iter().position(|c| c.level > 0 && c.rule == cause.rule) {
            return Some(own);
        }
        let (index, weakest) = self.causes.iter().enumerate().min_by_key(|(_, c)| c.level_at(now_ts))?;
        (weakest.level_at(now_ts) < cause.level_at(now_ts)).then_some(index)
    }

    /// Lowers the cause of `rule` by one level; a new duration starts, no longer than the first.
    ///
    /// # Errors
    /// `NotTripped` without a cause in force, `DwellNotOver` before its dwell time.
    pub fn step_down(&mut self, rule: &Pubkey, now_ts: i64) -> Result<(Level, Level)> {
        let cause = self
            .causes
            .iter_mut()
            .find(|c| c.rule == *rule && c.level_at(now_ts) > Level::Normal)
            .ok_or(RampartError::NotTripped)?;
        require!(now_ts >= cause.dwell_until_ts, RampartError::DwellNotOver);
        let from = cause.level_at(now_ts);
        let dwell_secs = cause.dwell_until_ts.saturating_sub(cause.tripped_at_ts);
        let length_secs = cause.expires_at_ts.saturating_sub(cause.tripped_at_ts);
        match from {
            Level::Halt => *cause = cause.restarted(Level::ReduceOnly, now_ts, dwell_secs, length_secs),
            Level::ReduceOnly => *cause = cause.restarted(Level::Caution, now_ts, dwell_secs, length_secs),
            _ => *cause = Cause::default(),
        }
        let to = cause.level_at(now_ts);
        Ok((from, to))
    }
}

impl Cause {
    fn restarted(&self, level: Level, now_ts: i64, dwell_secs: i64, length_secs: i64) -> Self {
        Self {
            level: level as u8,
            tripped_at_ts: now_ts,
            expires_at_ts: now_ts.saturating_add(length_secs),
            dwell_until_ts: now_ts.saturating_add(dwell_secs),
            ..*self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(rule: u8, level: Level, now: i64, secs: i64) -> Cause {
        Cause {
            rule: Pubkey::new_from_array([rule; 32]),
            tripped_at_ts: now,
            expires_at_ts: now + secs,
            dwell_until_ts: now + 10,
            level: level as u8,
            reserved: [0; 7],
        }
    }

    #[test]
    fn halt_falls_to_reduce_only_and_then_to_normal_by_itself() {
        let mut breaker = Breaker::default();
        breaker.trip(cause(1, Level::Halt, 100, 60), 100).unwrap();
        assert_eq!(breaker.level_at(159), Level::Halt);
        assert_eq!(breaker.level_at(160), Level::ReduceOnly);
        assert_eq!(breaker.level_at(220), Level::Normal);
    }

    #[test]
    fn second_trip_keeps_the_cause_of_the_first() {
        let mut breaker = Breaker::default();
        breaker.trip(cause(1, Level::ReduceOnly, 100, 60), 100).unwrap();
        breaker.trip(cause(2, Level::Caution, 110, 600), 110).unwrap();
        assert_eq!(breaker.level_at(150), Level::ReduceOnly);
        assert_eq!(breaker.level_at(160), Level::Caution);
        assert_eq!(breaker.episode, 1);
    }

    #[test]
    fn same_rule_cannot_trip_twice_while_in_force() {
        let mut breaker = Breaker::default();
        breaker.trip(cause(1, Level::Caution, 100, 60), 100).unwrap();
        let before = breaker;
        assert_eq!(
            breaker.trip(cause(1, Level::Caution, 110, 60), 110).unwrap_err(),
            RampartError::AlreadyTripped.into()
        );
        assert_eq!(breaker, before);
        breaker.trip(cause(1, Level::Caution, 160, 60), 160).unwrap();
    }

    #[test]
    fn fifth_cause_replaces_only_a_weaker_one() {
        let mut breaker = Breaker::default();
        for rule in 1..=4 {
            breaker.trip(cause(rule, Level::Caution, 100, 60), 100).unwrap();
        }
        assert_eq!(breaker.trip(cause(5, Level::Caution, 101, 60), 101).unwrap_err(), RampartError::CausesFull.into());
        breaker.trip(cause(6, Level::Halt, 102, 60), 102).unwrap();
        assert_eq!(breaker.level_at(102), Level::Halt);
    }

    #[test]
    fn step_down_goes_one_level_and_waits_for_the_dwell_time() {
        let mut breaker = Breaker::default();
        breaker.trip(cause(1, Level::Halt, 100, 60), 100).unwrap();
        let rule = Pubkey::new_from_array([1; 32]);
        assert_eq!(breaker.step_down(&rule, 105).unwrap_err(), RampartError::DwellNotOver.into());
        assert_eq!(breaker.step_down(&rule, 110).unwrap(), (Level::Halt, Level::ReduceOnly));
        assert_eq!(breaker.step_down(&rule, 120).unwrap(), (Level::ReduceOnly, Level::Caution));
        assert_eq!(breaker.step_down(&rule, 130).unwrap(), (Level::Caution, Level::Normal));
        assert_eq!(breaker.step_down(&rule, 140).unwrap_err(), RampartError::NotTripped.into());
    }

    #[test]
    fn cause_that_was_stepped_down_may_rise_again() {
        let mut breaker = Breaker::default();
        breaker.trip(cause(1, Level::Halt, 100, 60), 100).unwrap();
        breaker.step_down(&Pubkey::new_from_array([1; 32]), 110).unwrap();
        breaker.trip(cause(1, Level::Halt, 115, 60), 115).unwrap();
        assert_eq!((breaker.level_at(115), breaker.episode), (Level::Halt, 1));
    }

    #[test]
    fn unknown_stored_level_counts_as_halt() {
        let mut breaker = Breaker::default();
        breaker.causes[0] = Cause { level: 77, ..cause(1, Level::Caution, 100, 60) };
        assert_eq!(breaker.level_at(120), Level::Halt);
    }
}
