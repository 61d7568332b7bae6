//! Threshold rules: what is measured, against what, for how long, and what follows.

use crate::constants::WINDOW_CELLS;
use crate::error::RampartError;
use crate::math::bps::BPS_ONE;
use crate::risk::verdict::Verdict;
use crate::state::breaker::Level;
use crate::state::direction::{Direction, Judged};
use crate::state::guard::HardBounds;
use crate::state::oracle_set::{Switch, stored_enum};
use crate::state::step_meter::StepMeter;
use anchor_lang::prelude::*;

/// What a rule measures. Each metric has one unit and one reader, in `risk/measures.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Metric {
    /// Fall of an asset's price from its high in the window, bps. Subject: asset.
    Drawdown = 1,
    /// Gap between an asset's price and its reference, bps. Subject: asset.
    DeviationFromReference = 2,
    /// Age of an asset's newest usable set of sources, seconds. Subject: asset.
    OracleAge = 3,
    /// Width of an asset's widest required source, bps of its price. Subject: asset.
    ConfidenceRatio = 4,
    /// Loan asset that left a vault in the window, bps of the day's base. Subject: vault.
    OutflowRate = 5,
    /// Collateral of a vault over its debt, bps. Subject: vault.
    CollateralRatio = 6,
}
stored_enum!(Metric { Drawdown, DeviationFromReference, OracleAge, ConfidenceRatio, OutflowRate, CollateralRatio });

/// Which side of the threshold is dangerous.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Comparator {
    /// True at the threshold and above it.
    Above = 1,
    /// True at the threshold and below it.
    Below = 2,
}
stored_enum!(Comparator { Above, Below });

/// Whose level a rule raises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Scope {
    /// The rule's subject: an asset, or a vault.
    Subject = 1,
    /// The whole guard.
    Guard = 2,
}
stored_enum!(Scope { Subject, Guard });

impl Metric {
    /// Tells whether the metric is about an asset's price (its subject is an asset) or about a vault.
    pub fn is_about_asset(self) -> bool {
        matches!(self, Self::Drawdown | Self::DeviationFromReference | Self::OracleAge | Self::ConfidenceRatio)
    }

    /// Tells whether the metric measures missing knowledge: it restricts new risk, never exits.
    pub fn is_blindness(self) -> bool {
        matches!(self, Self::OracleAge | Self::ConfidenceRatio)
    }
}

/// What a rule demands; fixed at creation, tightened afterwards.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, bytemuck::Pod, bytemuck::Zeroable)]
pub struct RuleParams {
    /// True at this value and beyond; unit of the metric.
    pub threshold: u64,
    /// Clear at this value and on the other side of it: hysteresis.
    pub clear_threshold: u64,
    /// Window of the metric, seconds; for metrics without one, 1.
    pub window_secs: u32,
    /// How long it must hold, in publish time and in clock time, seconds.
    pub min_persist_secs: u32,
    /// A longer gap between two observations starts the streak anew, seconds.
    pub max_gap_secs: u32,
    /// How long the level holds, seconds.
    pub duration_secs: u32,
    /// How long before it may be stepped down, seconds.
    pub min_dwell_secs: u32,
    /// How many observations it must hold for.
    pub min_observations: u16,
    /// How many sources must agree on the price that proves it.
    pub sources_required: u8,
    /// [`Metric`].
    pub metric: u8,
    /// [`Comparator`].
    pub comparator: u8,
    /// [`Level`], 1 to 3.
    pub level: u8,
    /// [`Scope`].
    pub scope: u8,
    /// [`Switch`].
    pub switch: u8,
    /// Zeros.
    pub reserved: [u8; 4],
}

impl RuleParams {
    /// Checks that the rule can become true, can become clear again, and stays within the bounds.
    ///
    /// # Errors
    /// `UnknownKind` for undecodable enums and reserved bytes that are set, `RuleInvalid` for parts that don't fit,
    /// `OutsideHardBounds` for a duration beyond the guard's ceiling.
    pub fn validate(&self, bounds: &HardBounds) -> Result<()> {
        require!(self.reserved == [0; 4], RampartError::UnknownKind);
        let metric = self.metric()?;
        let comparator = Comparator::try_from(self.comparator).map_err(|_| RampartError::UnknownKind)?;
        let level = Level::try_from(self.level).map_err(|_| RampartError::UnknownKind)?;
        Scope::try_from(self.scope).map_err(|_| RampartError::UnknownKind)?;
        Switch::try_from(self.switch).map_err(|_| RampartError::UnknownKind)?;
        require!((Level::Caution..=Level::Halt).contains(&level), RampartError::RuleInvalid);
        let danger_side = if metric == Metric::CollateralRatio { Comparator::Below } else { Comparator::Above };
        require!(comparator == danger_side, RampartError::RuleInvalid);
        let has_hysteresis = match comparator {
            Comparator::Above => self.clear_threshold < self.threshold,
            Comparator::Below => self.clear_threshold > self.threshold,
        };
        require!(has_hysteresis && self.threshold > 0, RampartError::RuleInvalid);
        // every measure saturates at 32 bits, and nothing falls by more than all of it
        let highest = if metric == Metric::Drawdown { BPS_ONE } else { u64::from(u32::MAX) };
        require!(self.threshold.max(self.clear_threshold) <= highest, RampartError::RuleInvalid);
        require!(self.window_secs > 0 && self.duration_secs > 0 && self.max_gap_secs > 0, RampartError::RuleInvalid);
        require!(self.min_dwell_secs <= self.duration_secs, RampartError::RuleInvalid);
        require!(self.min_observations >= 1, RampartError::RuleInvalid);
        require!(self.sources_required >= 1 && self.sources_required <= 3, RampartError::RuleInvalid);
        // a single source never closes exits, and blindness never halts
        let has_price = metric != Metric::OutflowRate;
        require!(level < Level::ReduceOnly || self.sources_required >= 2 || !has_price, RampartError::RuleInvalid);
        require!(!metric.is_blindness() || level == Level::Caution, RampartError::RuleInvalid);
        require!(self.duration_secs <= bounds.max_rule_duration_secs, RampartError::OutsideHardBounds);
        Ok(())
    }

    /// Returns the decoded metric.
    ///
    /// # Errors
    /// `UnknownKind`.
    pub fn metric(&self) -> Result<Metric> {
        Metric::try_from(self.metric).map_err(|_| RampartError::UnknownKind.into())
    }

    /// Tells whether `value` lies on the dangerous side of `line`.
    fn is_beyond(&self, value: u64, line: u64) -> bool {
        if self.comparator == Comparator::Below as u8 { value <= line } else { value >= line }
    }

    /// Judges a measured value: true at the threshold, clear at the clear threshold, and in between neither.
    pub fn judge(&self, value: u64) -> Verdict {
        if self.is_beyond(value, self.threshold) {
            Verdict::True { value }
        } else if self.is_beyond(value, self.clear_threshold) && value != self.clear_threshold {
            Verdict::Between { value }
        } else {
            Verdict::Clear { value }
        }
    }

    /// Checks that `next` is at least as strict in every field.
    ///
    /// # Errors
    /// `LooseningRefused` if any field would loosen.
    pub fn require_tightening(&self, next: &Self) -> Result<()> {
        require!(self.judge_move(next).direction < Direction::Looser, RampartError::LooseningRefused);
        Ok(())
    }
}

/// Since when a rule has been true.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Streak {
    /// Clock time of the first true observation, unix seconds.
    pub first_true_ts: i64,
    /// Publish time of the first true observation, unix seconds.
    pub first_publish_ts: i64,
    /// Clock time of the last counted observation, unix seconds.
    pub last_ts: i64,
    /// Publish time of the last counted observation, unix seconds.
    pub last_publish_ts: i64,
    /// Slot of the last counted observation.
    pub last_slot: u64,
    /// True observations in a row; 0 when there is no streak.
    pub count: u64,
}

/// One threshold rule.
#[account(zero_copy)]
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// The guard it belongs to.
    pub guard: Pubkey,
    /// The asset or vault that is measured.
    pub subject: Pubkey,
    /// What it demands.
    pub params: RuleParams,
    /// Since when it has been true.
    pub streak: Streak,
    /// Counts trips and steps down: the fence that both name.
    pub trip_epoch: u64,
    /// How many of these were steps down.
    pub step_downs: u64,
    /// What tightenings at once have used of their daily step.
    pub tightened: StepMeter,
    /// Number within the guard; part of the address.
    pub id: u16,
    /// Layout version.
    pub version: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Zeros.
    pub reserved: [u8; 68],
}

impl Rule {
    /// Account size in bytes, with the discriminator.
    pub const SPACE: usize = 8 + core::mem::size_of::<Self>();

    /// Takes one observation into the streak.
    ///
    /// A true one counts only with a newer publish time and a newer slot, so that neither pokes nor one print make a
    /// streak. A gap starts it anew. Only a clear one ends it: a dip in between, and missing data, pause it.
    ///
    /// # Units
    /// `publish_ts` is the oldest publish time of the agreeing sources; for metrics without a price, the clock's.
    ///
    /// # Errors
    /// `ObservationNotNewer` for a true observation that is not newer.
    pub fn observe(&mut self, verdict: Verdict, publish_ts: i64, now_ts: i64, slot: u64) -> Result<()> {
        let streak = &mut self.streak;
        match verdict {
            Verdict::Clear { .. } => *streak = Streak::default(),
            Verdict::Between { .. } | Verdict::Indeterminate(_) => {}
            Verdict::True { .. } => {
                let gap_secs = now_ts.saturating_sub(streak.last_ts);
                if streak.count == 0 || gap_secs > i64::from(self.params.max_gap_secs) {
                    *streak = Streak { first_true_ts: now_ts, first_publish_ts: publish_ts, ..Streak::default() };
                } else {
                    let newer = publish_ts > streak.last_publish_ts && slot > streak.last_slot;
                    require!(newer, RampartError::ObservationNotNewer);
                }
                streak.last_ts = now_ts;
                streak.last_publish_ts = publish_ts;
                streak.last_slot = slot;
                streak.count = streak.count.saturating_add(1);
            }
        }
        Ok(())
    }

    /// Tells whether the rule, true now at `publish_ts`, has been true for long enough to trip.
    ///
    /// The observation that the trip itself makes counts.
    pub fn is_persistent(&self, publish_ts: i64, now_ts: i64, slot: u64) -> bool {
        let mut next = *self;
        // a trip on the very print of the last observation adds nothing but is not wrong
        if next.observe(Verdict::True { value: 0 }, publish_ts, now_ts, slot).is_err() {
            next = *self;
        }
        let streak = &next.streak;
        let persist_secs = i64::from(self.params.min_persist_secs);
        streak.count >= u64::from(self.params.min_observations)
            && now_ts.saturating_sub(streak.first_true_ts) >= persist_secs
            && streak.last_publish_ts.saturating_sub(streak.first_publish_ts) >= persist_secs
    }

    /// Checks that the window of the metric can be measured at all.
    ///
    /// # Errors
    /// `RuleInvalid` for a window longer than the memory behind the metric.
    pub fn validate_window(params: &RuleParams, cell_secs: u32) -> Result<()> {
        let longest_secs = match params.metric()? {
            Metric::Drawdown => u64::from(cell_secs) * WINDOW_CELLS as u64,
            Metric::OutflowRate => 23 * 3_600,
            _ => u64::from(u32::MAX),
        };
        require!(u64::from(params.window_secs) <= longest_secs, RampartError::RuleInvalid);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule() -> Rule {
        let mut rule: Rule = bytemuck::Zeroable::zeroed();
        rule.params = RuleParams {
            threshold: 1_000,
            clear_threshold: 500,
            window_secs: 600,
            min_persist_secs: 10,
            max_gap_secs: 30,
            duration_secs: 600,
            min_dwell_secs: 60,
            min_observations: 3,
            sources_required: 2,
            metric: Metric::Drawdown as u8,
            comparator: Comparator::Above as u8,
            level: Level::Halt as u8,
            scope: Scope::Subject as u8,
            switch: Switch::Enabled as u8,
            reserved: [0; 4],
        };
        rule
    }

    #[test]
    fn judge_has_hysteresis_on_both_sides() {
        let mut params = rule().params;
        assert_eq!(params.judge(1_000), Verdict::True { value: 1_000 });
        assert_eq!(params.judge(999), Verdict::Between { value: 999 });
        assert_eq!(params.judge(501), Verdict::Between { value: 501 });
        assert_eq!(params.judge(500), Verdict::Clear { value: 500 });
        params.comparator = Comparator::Below as u8;
        params.clear_threshold = 1_500;
        assert_eq!(params.judge(1_000), Verdict::True { value: 1_000 });
        assert_eq!(params.judge(1_499), Verdict::Between { value: 1_499 });
        assert_eq!(params.judge(1_500), Verdict::Clear { value: 1_500 });
    }

    #[test]
    fn streak_needs_publish_time_and_clock_time() {
        let mut r = rule();
        let seen = Verdict::True { value: 2_000 };
        r.observe(seen, 100, 100, 1).unwrap();
        assert_eq!(r.observe(seen, 100, 105, 2).unwrap_err(), RampartError::ObservationNotNewer.into());
        assert_eq!(r.observe(seen, 101, 105, 1).unwrap_err(), RampartError::ObservationNotNewer.into());
        r.observe(seen, 105, 105, 2).unwrap();
        assert!(!r.is_persistent(109, 120, 3), "publish time has not persisted");
        assert!(!r.is_persistent(120, 109, 3), "clock time has not persisted");
        assert!(r.is_persistent(110, 110, 3));
    }

    #[test]
    fn only_a_clear_value_or_a_gap_ends_a_streak() {
        let mut r = rule();
        let seen = Verdict::True { value: 2_000 };
        r.observe(seen, 100, 100, 1).unwrap();
        r.observe(Verdict::Between { value: 700 }, 101, 101, 2).unwrap();
        assert_eq!(r.streak.count, 1);
        r.observe(Verdict::Clear { value: 100 }, 102, 102, 3).unwrap();
        assert_eq!(r.streak, Streak::default());
        r.observe(seen, 103, 103, 4).unwrap();
        r.observe(seen, 140, 140, 5).unwrap();
        assert_eq!((r.streak.count, r.streak.first_true_ts), (1, 140));
    }

    #[test]
    fn rule_that_halts_on_one_source_is_refused() {
        let bounds = HardBounds {
            max_oracle_age_secs: 120,
            max_rule_duration_secs: 600,
            max_confidence_bps: 200,
            max_hourly_outflow_bps: 5_000,
            max_daily_outflow_bps: 5_000,
            min_exit_floor_bps: 50,
            max_ltv_bps: 9_000,
            max_bonus_bps: 1_000,
            ..bytemuck::Zeroable::zeroed()
        };
        let mut params = rule().params;
        params.validate(&bounds).unwrap();
        params.sources_required = 1;
        assert_eq!(params.validate(&bounds).unwrap_err(), RampartError::RuleInvalid.into());
        params.level = Level::Caution as u8;
        params.validate(&bounds).unwrap();
        params.duration_secs = 601;
        assert_eq!(params.validate(&bounds).unwrap_err(), RampartError::OutsideHardBounds.into());
    }
}
