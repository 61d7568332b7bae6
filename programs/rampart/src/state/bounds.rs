//! Floors and ceilings of a guard: fixed when it is created, narrowed by root, widened by nobody.

use crate::constants::{
    DAY_SECS, MAX_EFFECT_BPS, MAX_EXECUTION_WINDOW_SECS, MAX_LOOSEN_DELAY_SECS, MAX_PAUSE_SECS, MAX_PAUSE_TOTAL_SECS,
    MAX_WARM_UP_SECS, MIN_EXECUTION_WINDOW_SECS, MIN_LOOSEN_DELAY_SECS,
};
use crate::error::RampartError;
use crate::math::bps::BPS_ONE;
use crate::refuse::require;
use anchor_lang::prelude::*;

/// Floors and ceilings that no key can move apart.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, bytemuck::Pod, bytemuck::Zeroable)]
pub struct HardBounds {
    /// The oldest price age that a source may be given, seconds.
    pub max_oracle_age_secs: u32,
    /// The longest a rule may hold its level, seconds.
    pub max_rule_duration_secs: u32,
    /// The shortest delay of a loosening, seconds; at least [`MIN_LOOSEN_DELAY_SECS`].
    pub min_loosen_delay_secs: u32,
    /// How long a ripe change may be executed, seconds.
    pub max_execution_window_secs: u32,
    /// The longest one pause, seconds.
    pub max_pause_secs: u32,
    /// What one guardian may pause within any 30 days, seconds.
    pub max_guardian_pause_secs: u32,
    /// What all guardians and their quorum may pause within any 30 days, seconds.
    pub max_guard_pause_secs: u32,
    /// The part of it that only the quorum may use, seconds.
    pub quorum_reserve_secs: u32,
    /// The shortest time that a new asset warms up as collateral, seconds; zero where none is demanded.
    pub min_warm_up_secs: u32,
    /// The widest confidence or disagreement that an asset may allow, bps.
    pub max_confidence_bps: u16,
    /// The highest outflow limit of an hour, bps of the day's base.
    pub max_hourly_outflow_bps: u16,
    /// The highest outflow limit of a day, bps of the day's base.
    pub max_daily_outflow_bps: u16,
    /// The lowest exit floor, bps of a position per day.
    pub min_exit_floor_bps: u16,
    /// The highest loan-to-value ratio for new risk, bps.
    pub max_ltv_bps: u16,
    /// The highest liquidation bonus, bps.
    pub max_bonus_bps: u16,
    /// The most that one change may move the effective price, health or the allowed outflow, bps of what it was.
    pub max_effect_bps: u16,
    /// The most that tightenings at once may take off a limit within any 24 hours, bps of what it was.
    pub max_tighten_step_bps: u16,
    /// The most that a swap policy may let a swap pay below the worst end of its prices, bps.
    pub max_slippage_bps: u16,
    /// The most that a swap policy may let a day's rebalances lose, bps of what it lets them swap.
    pub max_swap_loss_bps: u16,
    /// Zeros.
    pub reserved: [u8; 8],
}

impl HardBounds {
    /// Checks that the bounds leave room and bind at all.
    ///
    /// # Errors
    /// `BoundsInvalid` for a bound outside its own floor and ceiling, `UnknownKind` for reserved bytes that are set.
    pub fn validate(&self) -> Result<()> {
        require!(self.reserved == [0; 8], RampartError::UnknownKind);
        let one = BPS_ONE as u16;
        let shares = [
            self.max_confidence_bps,
            self.max_hourly_outflow_bps,
            self.max_daily_outflow_bps,
            self.min_exit_floor_bps,
            self.max_ltv_bps,
            self.max_bonus_bps,
            self.max_tighten_step_bps,
            self.max_slippage_bps,
            self.max_swap_loss_bps,
        ];
        require!(shares.iter().all(|b| *b > 0 && *b <= one), RampartError::BoundsInvalid);
        require!((1..=MAX_EFFECT_BPS).contains(&self.max_effect_bps), RampartError::BoundsInvalid);
        require!(self.max_hourly_outflow_bps <= self.max_daily_outflow_bps, RampartError::BoundsInvalid);
        require!(self.min_exit_floor_bps < self.max_daily_outflow_bps, RampartError::BoundsInvalid);
        require!(self.max_ltv_bps < one, RampartError::BoundsInvalid);
        require!(self.max_oracle_age_secs > 0 && self.max_rule_duration_secs > 0, RampartError::BoundsInvalid);
        require!(self.min_warm_up_secs <= MAX_WARM_UP_SECS, RampartError::BoundsInvalid);
        let delays = MIN_LOOSEN_DELAY_SECS..=MAX_LOOSEN_DELAY_SECS;
        require!(delays.contains(&self.min_loosen_delay_secs), RampartError::BoundsInvalid);
        let windows = MIN_EXECUTION_WINDOW_SECS..=MAX_EXECUTION_WINDOW_SECS;
        require!(windows.contains(&self.max_execution_window_secs), RampartError::BoundsInvalid);
        self.validate_pauses()
    }

    /// One pause fits into a guardian's budget, that into the guardians', and a halt with its tail into the reserve.
    fn validate_pauses(&self) -> Result<()> {
        let guardians_secs = self.max_guard_pause_secs.checked_sub(self.quorum_reserve_secs);
        let fits = self.max_pause_secs > 0
            && self.max_pause_secs <= MAX_PAUSE_SECS
            && self.max_pause_secs <= self.max_guardian_pause_secs
            && guardians_secs.is_some_and(|all| self.max_guardian_pause_secs <= all)
            && self.quorum_reserve_secs >= 2 * self.max_pause_secs
            && self.max_guard_pause_secs <= MAX_PAUSE_TOTAL_SECS;
        require!(fits, RampartError::BoundsInvalid);
        Ok(())
    }

    /// Checks that `next` is at least as narrow in every bound.
    ///
    /// The destructuring has no `..`: a bound without a line here doesn't compile.
    ///
    /// # Errors
    /// `BoundsOnlyNarrow`.
    pub fn require_narrower(&self, next: &Self) -> Result<()> {
        let Self {
            max_oracle_age_secs,
            max_rule_duration_secs,
            min_loosen_delay_secs,
            max_execution_window_secs,
            max_pause_secs,
            max_guardian_pause_secs,
            max_guard_pause_secs,
            quorum_reserve_secs,
            min_warm_up_secs,
            max_confidence_bps,
            max_hourly_outflow_bps,
            max_daily_outflow_bps,
            min_exit_floor_bps,
            max_ltv_bps,
            max_bonus_bps,
            max_effect_bps,
            max_tighten_step_bps,
            max_slippage_bps,
            max_swap_loss_bps,
            reserved: _,
        } = *next;
        let spans = max_oracle_age_secs <= self.max_oracle_age_secs
            && max_rule_duration_secs <= self.max_rule_duration_secs
            && min_loosen_delay_secs >= self.min_loosen_delay_secs
            && max_execution_window_secs <= self.max_execution_window_secs
            && min_warm_up_secs >= self.min_warm_up_secs;
        // the reserve takes from the guardians what it gives to their quorum: it has no narrow side
        let pauses = max_pause_secs <= self.max_pause_secs
            && max_guardian_pause_secs <= self.max_guardian_pause_secs
            && max_guard_pause_secs <= self.max_guard_pause_secs
            && quorum_reserve_secs == self.quorum_reserve_secs;
        let shares = max_confidence_bps <= self.max_confidence_bps
            && max_hourly_outflow_bps <= self.max_hourly_outflow_bps
            && max_daily_outflow_bps <= self.max_daily_outflow_bps
            && min_exit_floor_bps >= self.min_exit_floor_bps
            && max_ltv_bps <= self.max_ltv_bps
            && max_bonus_bps <= self.max_bonus_bps
            && max_effect_bps <= self.max_effect_bps
            && max_tighten_step_bps <= self.max_tighten_step_bps
            && max_slippage_bps <= self.max_slippage_bps
            && max_swap_loss_bps <= self.max_swap_loss_bps;
        require!(spans && pauses && shares, RampartError::BoundsOnlyNarrow);
        Ok(())
    }
}

// a day's cells of the pause ring reach two days ahead: a halt of one day and its tail of another
const _: () = assert!(2 * MAX_PAUSE_SECS as i64 <= 2 * DAY_SECS);
