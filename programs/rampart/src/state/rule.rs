//! Threshold rules: what is measured, against what, for how long, and what follows.

use crate::constants::{MAX_REPORTED_SECS, WINDOW_CELLS};
use crate::error::RampartError;
use crate::math::bps::BPS_ONE;
use crate::math::{Price, U128};
use crate::refuse::require;
use crate::risk::measures::Measured;
use crate::risk::verdict::{Unknown, Verdict};
use crate::state::asset::ReferenceSpan;
use crate::state::breaker::{Level, Reach};
use crate::state::direction::{Direction, Judged};
use crate::state::guard::HardBounds;
use crate::state::oracle_set::{Switch, stored_enum};
use crate::state::report::ReportPart;
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
    /// What left in the window, bps of the day's base. Subject: vault, whose loan asset is meant, or integration.
    OutflowRate = 5,
    /// Collateral of a vault over its debt, bps. Subject: vault.
    CollateralRatio = 6,
    /// Root of the summed squares of an asset's price changes from cell to cell in the window, bps. Subject: asset.
    RealizedVolatility = 8,
    /// Gap between an asset's highest and lowest usable source, bps of the lower. Subject: asset.
    SourceDisagreement = 9,
    /// Gap between a pegged asset's price and its peg, bps of the peg. Subject: asset.
    PegDeviation = 10,
    /// Growth of the mint's supply over its reference, bps of the reference. Subject: asset.
    SupplyGrowth = 11,
    /// Collateral that came into a vault in the window, bps of the day's base. Subject: vault.
    InflowRate = 12,
    /// Part of a vault's assets that is lent out, bps. Subject: vault.
    Utilisation = 13,
    /// What a vault keeps against bad debt over its debt, bps. Subject: vault.
    ReserveCover = 14,
    /// A part of the median report of the guard's keepers, bps. Subject: asset or vault.
    KeeperMedian = 15,
    /// Time since a quorum of keepers reported, seconds. Subject: asset or vault.
    KeeperSilence = 16,
    /// Gap between the keepers' reports, bps. Subject: asset or vault.
    KeeperSpread = 17,
    /// What can't leave a vault of what its books say, of the worse of both tokens, bps. Subject: vault.
    VaultShortfall = 20,
}
stored_enum!(Metric {
    Drawdown,
    DeviationFromReference,
    OracleAge,
    ConfidenceRatio,
    OutflowRate,
    CollateralRatio,
    RealizedVolatility,
    SourceDisagreement,
    PegDeviation,
    SupplyGrowth,
    InflowRate,
    Utilisation,
    ReserveCover,
    KeeperMedian,
    KeeperSilence,
    KeeperSpread,
    VaultShortfall,
});

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

/// Whether a rule acts by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Standing {
    /// It trips by itself, and may be part of groups.
    Alone = 1,
    /// It trips only as part of a group.
    Member = 2,
}
stored_enum!(Standing { Alone, Member });

impl Metric {
    /// Tells whether the metric is about an asset's price (its subject is an asset) or about a vault.
    pub fn is_about_asset(self) -> bool {
        use Metric as M;
        matches!(self, M::Drawdown | M::DeviationFromReference | M::RealizedVolatility | M::PegDeviation)
            || matches!(self, M::SupplyGrowth)
            || self.is_blindness()
    }

    /// Tells whether the metric measures missing knowledge: it restricts new risk, never exits.
    pub fn is_blindness(self) -> bool {
        matches!(self, Self::OracleAge | Self::ConfidenceRatio | Self::SourceDisagreement)
    }

    /// Tells whether the metric is what keepers report, about an asset or a vault: it restricts new risk, never exits.
    pub fn is_reported(self) -> bool {
        matches!(self, Self::KeeperMedian | Self::KeeperSilence | Self::KeeperSpread)
    }

    /// Returns what a cause of the metric holds up.
    ///
    /// Collateral that comes in is new risk to come, and no reason to leave: whoever borrows it for one transaction and takes
    /// it out again makes the rule true for the fee, and would close the exits of everybody else.
    pub fn reach(self) -> Reach {
        let comes_in = self == Self::InflowRate;
        if self.is_blindness() || self.is_reported() || comes_in { Reach::NewRisk } else { Reach::All }
    }

    /// Tells whether the metric hangs on a price on which sources have to agree.
    fn has_price(self) -> bool {
        let is_books = matches!(
            self,
            Self::OutflowRate | Self::InflowRate | Self::Utilisation | Self::ReserveCover | Self::VaultShortfall
        );
        !is_books && !self.is_reported() && self != Self::SupplyGrowth
    }

    /// The highest value that the measure can have, in its unit: every measure saturates at 32 bits.
    fn highest(self) -> u64 {
        match self {
            Self::Drawdown | Self::Utilisation | Self::KeeperMedian | Self::KeeperSpread => BPS_ONE,
            _ => u64::from(u32::MAX),
        }
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
    /// [`ReportPart`], for the keepers' median and their spread; else `Score`.
    pub part: u8,
    /// [`ReferenceSpan`], for the deviation from the reference; else `Short`.
    pub reference_span: u8,
    /// [`Standing`].
    pub standing: u8,
    /// [`Switch`]: whether a trip may be paid for from the bounty vault.
    pub bounty: u8,
    /// Zeros.
    pub reserved: [u8; 8],
}

/// A rule may call for `ReduceOnly` on blindness once it has stood for at least this long, seconds.
pub const MIN_BLIND_SECS: u32 = 600;

impl RuleParams {
    /// Checks that the rule can become true, can become clear again, and stays within the bounds.
    ///
    /// # Errors
    /// `UnknownKind` for undecodable enums and reserved bytes that are set, `RuleInvalid` for parts that don't fit,
    /// `OutsideHardBounds` for a duration beyond the guard's ceiling.
    pub fn validate(&self, bounds: &HardBounds) -> Result<()> {
        require!(self.reserved == [0; 8], RampartError::UnknownKind);
        let metric = self.metric()?;
        let level = Level::try_from(self.level).map_err(|_| RampartError::UnknownKind)?;
        Scope::try_from(self.scope).map_err(|_| RampartError::UnknownKind)?;
        Switch::try_from(self.switch).map_err(|_| RampartError::UnknownKind)?;
        Switch::try_from(self.bounty).map_err(|_| RampartError::UnknownKind)?;
        Standing::try_from(self.standing).map_err(|_| RampartError::UnknownKind)?;
        self.validate_lines(metric)?;
        require!((Level::Caution..=self.highest_level(metric)).contains(&level), RampartError::RuleInvalid);
        require!(self.window_secs > 0 && self.duration_secs > 0 && self.max_gap_secs > 0, RampartError::RuleInvalid);
        require!(self.min_dwell_secs <= self.duration_secs, RampartError::RuleInvalid);
        require!(self.min_observations >= 1, RampartError::RuleInvalid);
        require!(self.sources_required >= 1 && self.sources_required <= 3, RampartError::RuleInvalid);
        // a single source never closes exits
        let is_single = metric.has_price() && self.sources_required < 2;
        require!(level < Level::ReduceOnly || !is_single, RampartError::RuleInvalid);
        require!(!metric.is_reported() || self.duration_secs <= MAX_REPORTED_SECS, RampartError::RuleInvalid);
        require!(self.duration_secs <= bounds.max_rule_duration_secs, RampartError::OutsideHardBounds);
        Ok(())
    }

    /// Checks that both lines lie on the sides they belong to, within what can be measured.
    fn validate_lines(&self, metric: Metric) -> Result<()> {
        let comparator = Comparator::try_from(self.comparator).map_err(|_| RampartError::UnknownKind)?;
        let part = ReportPart::try_from(self.part).map_err(|_| RampartError::UnknownKind)?;
        let has_part = matches!(metric, Metric::KeeperMedian | Metric::KeeperSpread);
        require!(has_part || part == ReportPart::Score, RampartError::RuleInvalid);
        let span = ReferenceSpan::try_from(self.reference_span).map_err(|_| RampartError::UnknownKind)?;
        let has_span = metric == Metric::DeviationFromReference;
        require!(has_span || span == ReferenceSpan::Short, RampartError::RuleInvalid);
        let danger_side = match metric {
            Metric::CollateralRatio | Metric::ReserveCover => Comparator::Below,
            Metric::KeeperMedian => part.danger_side(),
            _ => Comparator::Above,
        };
        require!(comparator == danger_side, RampartError::RuleInvalid);
        let has_hysteresis = match comparator {
            Comparator::Above => self.clear_threshold < self.threshold,
            Comparator::Below => self.clear_threshold > self.threshold,
        };
        require!(has_hysteresis && self.threshold > 0, RampartError::RuleInvalid);
        require!(self.threshold.max(self.clear_threshold) <= metric.highest(), RampartError::RuleInvalid);
        Ok(())
    }

    /// The highest level that the rule may call for: what isn't known never halts, nor does what narrows new risk alone, and what
    /// nobody says only cautions.
    fn highest_level(&self, metric: Metric) -> Level {
        match metric {
            Metric::OracleAge if self.min_persist_secs >= MIN_BLIND_SECS => Level::ReduceOnly,
            Metric::KeeperMedian | Metric::InflowRate => Level::ReduceOnly,
            Metric::KeeperSilence | Metric::KeeperSpread => Level::Caution,
            metric if metric.is_blindness() => Level::Caution,
            _ => Level::Halt,
        }
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

    /// Judges what was measured; what could not be is indeterminate.
    pub fn judge_measured(&self, measured: core::result::Result<u64, Unknown>) -> Verdict {
        measured.map_or_else(Verdict::Indeterminate, |value| self.judge(value))
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

/// The reference that a deviation is held against while it lasts, so that it can't be dragged after the price.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct HeldReference {
    /// The reference at the first true observation, US dollars per whole token, U64.64; meaningful until `until_ts`.
    pub price_q64: U128,
    /// Until when it is held, unless the rule is clear before, unix seconds.
    pub until_ts: i64,
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
    /// The reference that it is held against while a deviation lasts.
    pub held: HeldReference,
    /// When it was last seen clear, unix seconds.
    pub cleared_at_ts: i64,
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

    /// Returns the reference that is held at `now_ts`.
    pub fn held_reference(&self, now_ts: i64) -> Option<Price> {
        let is_held = now_ts < self.held.until_ts;
        Price::from_q64(self.held.price_q64.get()).ok().filter(|_| is_held)
    }

    /// Holds the reference that a true observation was measured against: for as long as the streak and the level that
    /// follows may last, and no observation prolongs it.
    pub fn hold_reference(&mut self, measured: &Measured, now_ts: i64) {
        let Some(reference) = measured.reference.filter(|_| matches!(measured.verdict, Verdict::True { .. })) else {
            return;
        };
        if self.held_reference(now_ts).is_none() {
            let secs = i64::from(self.params.min_persist_secs) + i64::from(self.params.duration_secs);
            self.held = HeldReference { price_q64: reference.q64().into(), until_ts: now_ts.saturating_add(secs) };
        }
    }

    /// Ends streak and held reference: the rule was seen clear.
    pub fn clear(&mut self, now_ts: i64) {
        (self.streak, self.held) = (Streak::default(), HeldReference::default());
        self.cleared_at_ts = now_ts;
    }

    /// Takes note of a step down on a proof that the rule is clear: it moves the fence.
    ///
    /// # Errors
    /// `MathOverflow`.
    pub fn note_step_down(&mut self, now_ts: i64) -> Result<()> {
        self.clear(now_ts);
        self.trip_epoch = self.trip_epoch.checked_add(1).ok_or(RampartError::MathOverflow)?;
        self.step_downs = self.step_downs.saturating_add(1);
        Ok(())
    }

    /// Tells whether its streak is long enough, and its last observation at most `max_age_secs` old.
    pub fn stands_true(&self, max_age_secs: u32, now_ts: i64) -> bool {
        let streak = &self.streak;
        let persist_secs = i64::from(self.params.min_persist_secs);
        streak.count >= u64::from(self.params.min_observations.max(1))
            && now_ts.saturating_sub(streak.last_ts) <= i64::from(max_age_secs)
            && streak.last_ts.saturating_sub(streak.first_true_ts) >= persist_secs
            && streak.last_publish_ts.saturating_sub(streak.first_publish_ts) >= persist_secs
    }

    /// Tells whether it was seen clear at most `max_age_secs` ago, and not true since.
    pub fn stands_clear(&self, max_age_secs: u32, now_ts: i64) -> bool {
        self.streak.count == 0 && now_ts.saturating_sub(self.cleared_at_ts) <= i64::from(max_age_secs)
    }

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
        if let Verdict::Clear { .. } = verdict {
            self.clear(now_ts);
        }
        let streak = &mut self.streak;
        match verdict {
            Verdict::Clear { .. } | Verdict::Between { .. } | Verdict::Indeterminate(_) => {}
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
            Metric::Drawdown | Metric::RealizedVolatility => u64::from(cell_secs) * WINDOW_CELLS as u64,
            Metric::OutflowRate | Metric::InflowRate => 23 * 3_600,
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
            part: ReportPart::Score as u8,
            reference_span: ReferenceSpan::Short as u8,
            standing: Standing::Alone as u8,
            bounty: Switch::Disabled as u8,
            reserved: [0; 8],
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
    fn reference_is_held_from_the_first_true_observation_until_clear_or_its_end() {
        let mut r = rule();
        let seen = |dollars: u128, verdict| Measured {
            verdict,
            publish_ts: 100,
            reference: Price::from_q64(dollars << 64).ok(),
        };
        r.hold_reference(&seen(100, Verdict::Between { value: 700 }), 100);
        assert_eq!(r.held_reference(100), None);
        r.hold_reference(&seen(100, Verdict::True { value: 1_000 }), 100);
        r.hold_reference(&seen(90, Verdict::True { value: 1_000 }), 200);
        // 10 s of persistence and 600 s of level
        assert_eq!(r.held_reference(709), Price::from_q64(100 << 64).ok());
        assert_eq!(r.held_reference(710), None);
        r.observe(Verdict::Between { value: 700 }, 300, 300, 3).unwrap();
        assert!(r.held_reference(300).is_some());
        r.observe(Verdict::Clear { value: 0 }, 301, 301, 4).unwrap();
        assert_eq!(r.held, HeldReference::default());
    }

    #[test]
    fn rule_stands_true_after_its_streak_and_for_as_long_as_it_was_just_seen() {
        let mut r = rule();
        let seen = Verdict::True { value: 2_000 };
        for (ts, slot) in [(100, 1), (105, 2), (109, 3)] {
            r.observe(seen, ts, ts, slot).unwrap();
        }
        assert!(!r.stands_true(60, 110), "it was not seen for ten seconds");
        r.observe(seen, 110, 110, 4).unwrap();
        assert!(r.stands_true(60, 110) && r.stands_true(60, 170) && !r.stands_true(60, 171));
        r.observe(Verdict::Clear { value: 0 }, 115, 115, 5).unwrap();
        assert!(!r.stands_true(60, 115) && r.stands_clear(60, 175) && !r.stands_clear(60, 176));
        r.observe(seen, 120, 120, 6).unwrap();
        assert!(!r.stands_clear(60, 120));
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
