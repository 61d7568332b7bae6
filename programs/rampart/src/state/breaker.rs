//! Levels and the causes that hold them up.

use crate::constants::MAX_CAUSES;
use crate::error::RampartError;
use crate::refuse::require;
use crate::state::group::GroupParams;
use crate::state::oracle_set::stored_enum;
use crate::state::rule::{Metric, RuleParams};
use anchor_lang::prelude::*;

/// What a scope still allows. Ordered: a higher level is stricter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// All within limits.
    #[default]
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

/// What a cause holds up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Reach {
    /// New risk and exits: a rule that was proved true on its required sources, or a guardian.
    All = 1,
    /// New risk alone: blindness, what keepers report, and collateral that comes in. Exits never depend on it.
    NewRisk = 2,
}
stored_enum!(Reach { All, NewRisk });

/// Who put a cause into force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum CauseKind {
    /// A rule, or a group of rules, that was proved true; `source` is the rule or the group.
    Rule = 1,
    /// A guardian's pause; `source` is the guardian, or the guard for a quorum's.
    Pause = 2,
    /// A shortfall that was proved; `source` is the vault.
    Shortfall = 16,
}
stored_enum!(CauseKind { Rule, Pause, Shortfall });

/// The levels in force, each the strictest of its kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    /// What new risk and lending have to pass.
    pub risk: Level,
    /// What exits and liquidations have to pass; never stricter than `risk`.
    pub exit: Level,
}

impl Levels {
    /// Returns one level for both.
    pub fn all(level: Level) -> Self {
        Self { risk: level, exit: level }
    }

    /// Returns the stricter of both, each for its kind.
    pub fn max(self, other: Self) -> Self {
        Self { risk: self.risk.max(other.risk), exit: self.exit.max(other.exit) }
    }
}

/// One reason why a level is raised.
///
/// Its effect ends by itself: at `expires_at_ts` a halt falls to `ReduceOnly` for as long again, everything else to
/// `Normal`. Nothing has to be called for that.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Cause {
    /// The rule that was proved true, or whoever [`CauseKind`] names.
    pub source: Pubkey,
    /// When it tripped, unix seconds.
    pub tripped_at_ts: i64,
    /// When its own level ends, unix seconds.
    pub expires_at_ts: i64,
    /// Before this time nobody may step it down, unix seconds.
    pub dwell_until_ts: i64,
    /// [`Level`], 1 to 3; 0 marks an empty slot.
    pub level: u8,
    /// [`CauseKind`].
    pub kind: u8,
    /// [`Reach`]; anything unknown counts as `All`.
    pub reach: u8,
    /// Zeros.
    pub reserved: [u8; 5],
}

impl Cause {
    /// Returns the cause that `rule` puts into force when it is proved true at `now_ts`.
    pub fn of_rule(rule: Pubkey, params: &RuleParams, now_ts: i64) -> Self {
        let reach = params.metric().map_or(Reach::All, Metric::reach);
        Self {
            source: rule,
            tripped_at_ts: now_ts,
            expires_at_ts: now_ts.saturating_add(params.duration_secs.into()),
            dwell_until_ts: now_ts.saturating_add(params.min_dwell_secs.into()),
            level: params.level,
            kind: CauseKind::Rule as u8,
            reach: reach as u8,
            reserved: [0; 5],
        }
    }

    /// Returns the cause that the group at `group` puts into force when it is proved true at `now_ts`.
    pub fn of_group(group: Pubkey, params: &GroupParams, reach: u8, now_ts: i64) -> Self {
        Self {
            source: group,
            tripped_at_ts: now_ts,
            expires_at_ts: now_ts.saturating_add(params.duration_secs.into()),
            dwell_until_ts: now_ts.saturating_add(params.min_dwell_secs.into()),
            level: params.level,
            kind: CauseKind::Rule as u8,
            reach,
            reserved: [0; 5],
        }
    }

    /// Returns the level that this cause demands at `now_ts`.
    ///
    /// A stored level that no version knows counts as `Halt`: unknown is never normal.
    pub fn level_at(&self, now_ts: i64) -> Level {
        let level = Level::try_from(self.level).unwrap_or(Level::Halt).min(Level::Halt);
        if now_ts < self.expires_at_ts {
            return level;
        }
        if now_ts < self.ends_at_ts() { Level::ReduceOnly } else { Level::Normal }
    }

    /// Returns when the cause ends by itself, unix seconds: a halt after its tail, everything else when its level ends.
    pub fn ends_at_ts(&self) -> i64 {
        if Level::try_from(self.level).is_ok_and(|level| level < Level::Halt) {
            return self.expires_at_ts;
        }
        self.expires_at_ts.saturating_add(self.expires_at_ts.saturating_sub(self.tripped_at_ts))
    }

    /// Returns the levels that this cause demands at `now_ts`.
    pub fn levels_at(&self, now_ts: i64) -> Levels {
        // most slots are empty, and every instruction reads several breakers
        if self.level == Level::Normal as u8 {
            return Levels::default();
        }
        let level = self.level_at(now_ts);
        let exit = if self.reach == Reach::NewRisk as u8 { Level::Normal } else { level };
        Levels { risk: level, exit }
    }

    /// Returns the cause at `level` from now on. It never outlasts the end that the cause had anyway.
    fn stepped(&self, level: Level, now_ts: i64) -> Self {
        let dwell_secs = self.dwell_until_ts.saturating_sub(self.tripped_at_ts);
        let length_secs = self.expires_at_ts.saturating_sub(self.tripped_at_ts);
        Self {
            level: level as u8,
            tripped_at_ts: now_ts,
            expires_at_ts: now_ts.saturating_add(length_secs).min(self.ends_at_ts()),
            dwell_until_ts: now_ts.saturating_add(dwell_secs),
            ..*self
        }
    }
}

/// The latest halt of one scope.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Halts {
    /// How many there were; with none, the times say nothing.
    pub count: u64,
    /// When the latest began, unix seconds.
    pub started_at_ts: i64,
    /// When it ended, or will end unless it is prolonged or stepped down, unix seconds.
    pub ends_at_ts: i64,
}

impl Halts {
    /// Tells whether the latest halt ended within the last `span_secs`.
    pub fn ended_within(&self, span_secs: i64, now_ts: i64) -> bool {
        let over_secs = now_ts.saturating_sub(self.ends_at_ts);
        self.count > 0 && (0..span_secs).contains(&over_secs)
    }
}

/// The causes of one scope (a vault, an asset or a guard).
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Breaker {
    /// Causes; empty slots have level 0.
    pub causes: [Cause; MAX_CAUSES],
    /// Counts the times exits went to `ReduceOnly` or higher from below: an episode of restricted exits.
    pub episode: u64,
    /// The latest halt: positions have a grace time after it.
    pub halts: Halts,
}

impl Breaker {
    /// Returns the strictest level of all unexpired causes.
    pub fn level_at(&self, now_ts: i64) -> Level {
        self.levels_at(now_ts).risk
    }

    /// Returns the strictest levels of all unexpired causes.
    pub fn levels_at(&self, now_ts: i64) -> Levels {
        self.causes.iter().fold(Levels::default(), |levels, cause| levels.max(cause.levels_at(now_ts)))
    }

    /// Returns the cause that `source` holds in force at `now_ts`.
    pub fn cause_of(&self, source: &Pubkey, now_ts: i64) -> Option<&Cause> {
        self.causes.iter().find(|c| c.source == *source && c.level_at(now_ts) > Level::Normal)
    }

    /// Puts a proved cause into force, over an expired one or a less strict one: best one that ends before it, then the least
    /// strict. A pause that would outlast it keeps its slot: nobody could prove it again, and its time is paid for.
    ///
    /// # Errors
    /// `AlreadyTripped` while the same rule holds this level or a higher one, `CausesFull` when all four slots hold
    /// causes that don't give way, `MathOverflow` for more episodes than can be counted.
    pub fn trip(&mut self, cause: Cause, now_ts: i64) -> Result<()> {
        let before = self.levels_at(now_ts).exit;
        // a cause that was stepped down, or has fallen by itself, may rise again
        let held = self.cause_of(&cause.source, now_ts).is_some_and(|c| c.level_at(now_ts) >= cause.level_at(now_ts));
        require!(!held, RampartError::AlreadyTripped);
        let slot = self.slot_for(&cause, now_ts).ok_or(RampartError::CausesFull)?;
        self.causes[slot] = cause;
        self.note_halt(before, now_ts);
        if before < Level::ReduceOnly && self.levels_at(now_ts).exit >= Level::ReduceOnly {
            self.episode = self.episode.checked_add(1).ok_or(RampartError::MathOverflow)?;
        }
        Ok(())
    }

    /// Notes where a halt began or ended, after the causes have changed. `before` is the level of exits before that.
    pub fn note_halt(&mut self, before: Level, now_ts: i64) {
        let (was_halted, is_halted) = (before >= Level::Halt, self.levels_at(now_ts).exit >= Level::Halt);
        if is_halted && !was_halted {
            self.halts.count = self.halts.count.saturating_add(1);
            self.halts.started_at_ts = now_ts;
        }
        let halting = self.causes.iter().filter(|c| c.levels_at(now_ts).exit >= Level::Halt);
        if let Some(ends_at_ts) = halting.map(|c| c.expires_at_ts).max() {
            self.halts.ends_at_ts = ends_at_ts;
        } else if was_halted {
            self.halts.ends_at_ts = now_ts;
        }
    }

    fn slot_for(&self, cause: &Cause, now_ts: i64) -> Option<usize> {
        if let Some(own) = self.causes.iter().position(|c| c.level > 0 && c.source == cause.source) {
            return Some(own);
        }
        let strictness = |levels: Levels| levels.risk as u8 + levels.exit as u8;
        let new = cause.levels_at(now_ts);
        let outlasts = |old: &Cause| old.ends_at_ts() > cause.ends_at_ts();
        let gives_way = |old: &Cause| {
            let held = old.levels_at(now_ts);
            // what is replaced must not have held up anything that the new cause doesn't
            let is_weaker = new.max(held) == new && strictness(new) > strictness(held);
            is_weaker && (old.kind != CauseKind::Pause as u8 || !outlasts(old))
        };
        let weak = self.causes.iter().enumerate().filter(|(_, old)| gives_way(old));
        let first = weak.min_by_key(|(_, old)| (outlasts(old), strictness(old.levels_at(now_ts)), old.ends_at_ts()));
        first.map(|(index, _)| index)
    }

    /// Lowers the cause of `source` by one level; a new dwell time starts, the cause's end stays or comes earlier.
    ///
    /// # Errors
    /// `NotTripped` without a cause in force, `DwellNotOver` before its dwell time.
    pub fn step_down(&mut self, source: &Pubkey, now_ts: i64) -> Result<(Level, Level)> {
        let before = self.levels_at(now_ts).exit;
        let cause = self
            .causes
            .iter_mut()
            .find(|c| c.source == *source && c.level_at(now_ts) > Level::Normal)
            .ok_or(RampartError::NotTripped)?;
        require!(now_ts >= cause.dwell_until_ts, RampartError::DwellNotOver);
        let from = cause.level_at(now_ts);
        *cause = match from {
            Level::Halt => cause.stepped(Level::ReduceOnly, now_ts),
            Level::ReduceOnly => cause.stepped(Level::Caution, now_ts),
            _ => Cause::default(),
        };
        let to = cause.level_at(now_ts);
        self.note_halt(before, now_ts);
        Ok((from, to))
    }
}

impl Breaker {
    /// Takes the cause of `source` away and returns the level that it demanded.
    ///
    /// # Errors
    /// `NotTripped` without a cause in force, `DwellNotOver` before its dwell time.
    pub fn reset(&mut self, source: &Pubkey, now_ts: i64) -> Result<Level> {
        let before = self.levels_at(now_ts).exit;
        let cause = self
            .causes
            .iter_mut()
            .find(|c| c.source == *source && c.level_at(now_ts) > Level::Normal)
            .ok_or(RampartError::NotTripped)?;
        require!(now_ts >= cause.dwell_until_ts, RampartError::DwellNotOver);
        let from = cause.level_at(now_ts);
        *cause = Cause::default();
        self.note_halt(before, now_ts);
        Ok(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(rule: u8, level: Level, now: i64, secs: i64) -> Cause {
        Cause {
            source: Pubkey::new_from_array([rule; 32]),
            tripped_at_ts: now,
            expires_at_ts: now + secs,
            dwell_until_ts: now + 10,
            level: level as u8,
            kind: CauseKind::Rule as u8,
            reach: Reach::All as u8,
            reserved: [0; 5],
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

    /// A halt of minutes took the place of a guardian's pause of hours, and nothing was left of it when the halt was over.
    #[test]
    fn pause_that_outlasts_a_stricter_cause_keeps_its_slot() {
        let pause = |by, secs| Cause { kind: CauseKind::Pause as u8, ..cause(by, Level::ReduceOnly, 100, secs) };
        let mut breaker = Breaker::default();
        breaker.trip(pause(1, 6_000), 100).unwrap();
        for rule in 2..=4 {
            breaker.trip(cause(rule, Level::ReduceOnly, 100, 200), 100).unwrap();
        }
        breaker.trip(cause(5, Level::Halt, 101, 60), 101).unwrap();
        assert_eq!((breaker.level_at(101), breaker.level_at(101 + 120)), (Level::Halt, Level::ReduceOnly));
        assert_eq!(breaker.level_at(6_099), Level::ReduceOnly);
        // four pauses leave no room to a halt that is shorter than all, and give way to one that isn't
        let mut full = Breaker::default();
        for by in 1..=4 {
            full.trip(pause(by, 6_000), 100).unwrap();
        }
        let before = full;
        assert_eq!(full.trip(cause(5, Level::Halt, 101, 60), 101).unwrap_err(), RampartError::CausesFull.into());
        assert_eq!(full, before);
        full.trip(cause(5, Level::Halt, 101, 6_000), 101).unwrap();
        assert_eq!(full.level_at(101), Level::Halt);
    }

    #[test]
    fn cause_that_ends_first_gives_way_first_and_a_rule_never_keeps_a_halt_out() {
        let mut breaker = Breaker::default();
        for (rule, level, secs) in
            [(1, Level::Caution, 900), (2, Level::ReduceOnly, 50), (3, Level::Caution, 900), (4, Level::Caution, 900)]
        {
            breaker.trip(cause(rule, level, 100, secs), 100).unwrap();
        }
        breaker.trip(cause(5, Level::Halt, 101, 60), 101).unwrap();
        assert_eq!(breaker.causes[1].source, Pubkey::new_from_array([5; 32]));
        breaker.trip(cause(6, Level::Halt, 102, 60), 102).unwrap();
        assert_eq!(breaker.causes[0].source, Pubkey::new_from_array([6; 32]), "rules can be proved again");
        assert_eq!(breaker.level_at(900), Level::Caution);
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
    fn step_down_never_prolongs_a_cause() {
        for (stepped_at, level) in
            [(110, Level::Halt), (159, Level::Halt), (170, Level::Halt), (150, Level::ReduceOnly)]
        {
            let mut breaker = Breaker::default();
            breaker.trip(cause(1, level, 100, 60), 100).unwrap();
            let end = breaker.causes[0].ends_at_ts();
            breaker.step_down(&Pubkey::new_from_array([1; 32]), stepped_at).unwrap();
            assert!(breaker.causes[0].ends_at_ts() <= end, "stepped down at {stepped_at}");
            assert!(breaker.level_at(stepped_at) > Level::Normal);
        }
    }

    #[test]
    fn blindness_restricts_new_risk_and_leaves_exits_alone() {
        let mut breaker = Breaker::default();
        breaker.trip(Cause { reach: Reach::NewRisk as u8, ..cause(1, Level::ReduceOnly, 100, 60) }, 100).unwrap();
        assert_eq!(breaker.levels_at(110), Levels { risk: Level::ReduceOnly, exit: Level::Normal });
        assert_eq!(breaker.episode, 0);
        breaker.trip(cause(2, Level::ReduceOnly, 110, 60), 110).unwrap();
        assert_eq!((breaker.levels_at(110), breaker.episode), (Levels::all(Level::ReduceOnly), 1));
    }

    #[test]
    fn halt_is_noted_from_its_first_cause_to_its_last() {
        let mut breaker = Breaker::default();
        assert!(!breaker.halts.ended_within(i64::MAX, 0));
        breaker.trip(cause(1, Level::Halt, 100, 60), 100).unwrap();
        breaker.trip(cause(2, Level::Halt, 120, 60), 120).unwrap();
        assert_eq!(breaker.halts, Halts { count: 1, started_at_ts: 100, ends_at_ts: 180 });
        breaker.step_down(&Pubkey::new_from_array([2; 32]), 130).unwrap();
        assert_eq!(breaker.halts.ends_at_ts, 160);
        breaker.step_down(&Pubkey::new_from_array([1; 32]), 140).unwrap();
        assert_eq!(breaker.halts, Halts { count: 1, started_at_ts: 100, ends_at_ts: 140 });
        assert!(breaker.halts.ended_within(10, 149) && !breaker.halts.ended_within(10, 150));
        breaker.trip(cause(1, Level::Halt, 300, 60), 300).unwrap();
        assert_eq!(breaker.halts, Halts { count: 2, started_at_ts: 300, ends_at_ts: 360 });
        // a later cause that does not halt changes nothing, not even after the halt has expired
        breaker.trip(cause(3, Level::Caution, 400, 60), 400).unwrap();
        assert_eq!(breaker.halts, Halts { count: 2, started_at_ts: 300, ends_at_ts: 360 });
    }

    #[test]
    fn unknown_stored_level_counts_as_halt() {
        let mut breaker = Breaker::default();
        breaker.causes[0] = Cause { level: 77, ..cause(1, Level::Caution, 100, 60) };
        assert_eq!(breaker.levels_at(120), Levels::all(Level::Halt));
        breaker.causes[0].reach = 77;
        assert_eq!(breaker.levels_at(120), Levels::all(Level::Halt));
    }
}
