//! The table of directions: which way each configured field is strict, and how far it moved.
//!
//! Every table destructures its struct without `..`: a new field doesn't compile without a line here. What has no strict
//! side (it harms somebody whichever way it moves, or says what is measured) counts as looser whenever it moves: it waits.
//! Fields that only work together are one struct and are judged as one: as loose as the loosest of them.

use crate::state::aggregate::AggregateParams;
use crate::state::asset::ReferenceParams;
use crate::state::flow::FlowLimits;
use crate::state::guard::Roles;
use crate::state::inflow::InflowLimits;
use crate::state::oracle_set::{OracleSet, OracleSource};
use crate::state::rate_source::RateSource;
use crate::state::reserve::{ReserveGrant, ReservePlan};
use crate::state::risk_scale::{KeeperScale, RiskScale, VolatilityScale};
use crate::state::rule::{Comparator, RuleParams};
use crate::state::standby::StandbySet;
use crate::state::step_meter::step_between;
use crate::state::swap_policy::SwapParams;
use crate::state::vault::{InterestCurve, RiskParams, VaultLimits};
use anchor_lang::prelude::Pubkey;

/// Which way a configuration moves. Ordered: of several fields the loosest decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Direction {
    /// Nothing moves.
    Same = 1,
    /// Every field that moves gets stricter.
    Tighter = 2,
    /// A field gets looser, or moves without having a strict side.
    Looser = 3,
}

/// What a move comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Of the loosest field.
    pub direction: Direction,
    /// The longest step of a field that gets stricter, bps of the larger of its two values.
    pub step_bps: u32,
}

impl Judgement {
    /// Nothing has moved yet.
    pub const NONE: Self = Self { direction: Direction::Same, step_bps: 0 };

    /// Returns the looser of both, with the longer step.
    pub fn and(self, other: Self) -> Self {
        Self { direction: self.direction.max(other.direction), step_bps: self.step_bps.max(other.step_bps) }
    }

    fn when_tighter(now: u64, next: u64, is_tighter: bool) -> Self {
        match (now == next, is_tighter) {
            (true, _) => Self::NONE,
            (false, true) => Self { direction: Direction::Tighter, step_bps: step_between(now, next) },
            (false, false) => Self { direction: Direction::Looser, step_bps: 0 },
        }
    }

    /// A ceiling: lower is stricter.
    fn ceiling(self, now: impl Into<u64>, next: impl Into<u64>) -> Self {
        let (now, next) = (now.into(), next.into());
        self.and(Self::when_tighter(now, next, next < now))
    }

    /// A floor: higher is stricter.
    fn floor(self, now: impl Into<u64>, next: impl Into<u64>) -> Self {
        let (now, next) = (now.into(), next.into());
        self.and(Self::when_tighter(now, next, next > now))
    }

    /// No strict side: whatever moves it waits.
    fn waits<T: PartialEq>(self, now: T, next: T) -> Self {
        let direction = if now == next { Direction::Same } else { Direction::Looser };
        self.and(Self { direction, step_bps: 0 })
    }
}

/// A configuration whose moves have a direction.
pub trait Judged {
    /// Judges the move from `self` to `next`.
    fn judge_move(&self, next: &Self) -> Judgement;
}

impl Judged for RiskParams {
    fn judge_move(&self, next: &Self) -> Judgement {
        let Self {
            min_debt_amount,
            ltv_bps,
            soft_line_bps,
            liquidation_line_bps,
            target_ltv_bps,
            soft_bonus_bps,
            soft_quota_bps,
            min_bonus_bps,
            max_bonus_bps,
            close_factor_bps,
            full_close_ltv_bps,
            reserved,
        } = *next;
        // only new risk has a strict side: each of the others seizes more from owners or leaves more to lenders
        Judgement::NONE
            .ceiling(self.ltv_bps, ltv_bps)
            .waits(self.min_debt_amount, min_debt_amount)
            .waits(self.soft_line_bps, soft_line_bps)
            .waits(self.liquidation_line_bps, liquidation_line_bps)
            .waits(self.target_ltv_bps, target_ltv_bps)
            .waits(self.soft_bonus_bps, soft_bonus_bps)
            .waits(self.soft_quota_bps, soft_quota_bps)
            .waits(self.min_bonus_bps, min_bonus_bps)
            .waits(self.max_bonus_bps, max_bonus_bps)
            .waits(self.close_factor_bps, close_factor_bps)
            .waits(self.full_close_ltv_bps, full_close_ltv_bps)
            .waits(self.reserved, reserved)
    }
}

impl Judged for RiskScale {
    fn judge_move(&self, next: &Self) -> Judgement {
        let Self { volatility, ltv, cap, floor_ltv_bps, floor_cap_bps } = *next;
        // whatever slopes and switches do is bounded by the floors: these are what a day's step counts
        let within =
            self.volatility.judge_move(&volatility).and(self.ltv.judge_move(&ltv)).and(self.cap.judge_move(&cap));
        Judgement { step_bps: 0, ..within }
            .ceiling(self.floor_ltv_bps, floor_ltv_bps)
            .ceiling(self.floor_cap_bps, floor_cap_bps)
    }
}

impl Judged for VolatilityScale {
    fn judge_move(&self, next: &Self) -> Judgement {
        let Self { span_secs, calm_bps, slope_bps, switch, reserved } = *next;
        Judgement::NONE
            .waits(self.span_secs, span_secs)
            .ceiling(self.calm_bps, calm_bps)
            .floor(self.slope_bps, slope_bps)
            .floor(self.switch, switch)
            .waits(self.reserved, reserved)
    }
}

impl Judged for KeeperScale {
    fn judge_move(&self, next: &Self) -> Judgement {
        let Self { calm_bps, slope_bps, hour_bps, day_bps, part, switch, reserved } = *next;
        Judgement::NONE
            // of a part that is dangerous when low, a higher calm is the stricter one: it waits whichever way it moves
            .waits(self.calm_bps, calm_bps)
            .floor(self.slope_bps, slope_bps)
            .floor(self.hour_bps, hour_bps)
            .floor(self.day_bps, day_bps)
            .waits(self.part, part)
            .floor(self.switch, switch)
            .waits(self.reserved, reserved)
    }
}

impl Judged for InterestCurve {
    fn judge_move(&self, next: &Self) -> Judgement {
        let Self { base_rate_bps, kink_rate_bps, max_rate_bps, kink_bps, reserve_factor_bps } = *next;
        // a rate takes from borrowers what it gives to lenders
        Judgement::NONE
            .waits(self.base_rate_bps, base_rate_bps)
            .waits(self.kink_rate_bps, kink_rate_bps)
            .waits(self.max_rate_bps, max_rate_bps)
            .waits(self.kink_bps, kink_bps)
            .waits(self.reserve_factor_bps, reserve_factor_bps)
    }
}

impl Judged for VaultLimits {
    fn judge_move(&self, next: &Self) -> Judgement {
        let Self {
            supply_cap_amount,
            borrow_cap_amount,
            collateral_cap_amount,
            loan_flow,
            collateral_flow,
            exit_floor_bps,
            reserved,
            inflow,
        } = *next;
        Judgement::NONE
            .ceiling(self.supply_cap_amount, supply_cap_amount)
            .ceiling(self.borrow_cap_amount, borrow_cap_amount)
            .ceiling(self.collateral_cap_amount, collateral_cap_amount)
            .and(self.loan_flow.judge_move(&loan_flow))
            .and(self.collateral_flow.judge_move(&collateral_flow))
            .and(self.inflow.judge_move(&inflow))
            // up lets more out under attack, down traps funds
            .waits(self.exit_floor_bps, exit_floor_bps)
            .waits(self.reserved, reserved)
    }
}

impl Judged for FlowLimits {
    fn judge_move(&self, next: &Self) -> Judgement {
        let Self { absolute_floor_amount, hourly_bps, daily_bps, exit_share_bps, floor_reserve_bps } = *next;
        // the share moves what exits or borrowers get of one L: one of both rates rises, whatever L does
        Judgement::NONE
            .ceiling(self.absolute_floor_amount, absolute_floor_amount)
            .ceiling(self.hourly_bps, hourly_bps)
            .ceiling(self.daily_bps, daily_bps)
            .waits(self.exit_share_bps, exit_share_bps)
            .waits(self.floor_reserve_bps, floor_reserve_bps)
    }
}

impl Judged for InflowLimits {
    fn judge_move(&self, next: &Self) -> Judgement {
        let Self { absolute_floor_amount, hourly_bps, daily_bps, reserved } = *next;
        Judgement::NONE
            .ceiling(self.absolute_floor_amount, absolute_floor_amount)
            .ceiling(self.hourly_bps, hourly_bps)
            .ceiling(self.daily_bps, daily_bps)
            .waits(self.reserved, reserved)
    }
}

impl Judged for AggregateParams {
    fn judge_move(&self, next: &Self) -> Judgement {
        let Self { limit_micro_usd, window_secs, vault_share_bps, switch, reserved } = *next;
        Judgement::NONE
            .ceiling(self.limit_micro_usd, limit_micro_usd)
            .waits(self.window_secs, window_secs)
            .ceiling(self.vault_share_bps, vault_share_bps)
            .and(Judgement { step_bps: 0, ..Judgement::NONE.floor(self.switch, switch) })
            .waits(self.reserved, reserved)
    }
}

impl Judged for RuleParams {
    fn judge_move(&self, next: &Self) -> Judgement {
        let Self {
            threshold,
            clear_threshold,
            window_secs,
            min_persist_secs,
            max_gap_secs,
            duration_secs,
            min_dwell_secs,
            min_observations,
            sources_required,
            metric,
            part,
            reference_span,
            standing,
            bounty,
            comparator,
            level,
            scope,
            switch,
            reserved,
        } = *next;
        let fixed = Judgement::NONE
            .waits(self.metric, metric)
            .waits(self.part, part)
            .waits(self.reference_span, reference_span)
            .waits(self.standing, standing)
            .waits(self.bounty, bounty)
            .waits(self.comparator, comparator)
            .waits(self.scope, scope)
            // a longer window sees more and its threshold means less: the rate of both has no one side
            .waits(self.window_secs, window_secs)
            // fewer sources close exits on one print, more leave a breach unproved
            .waits(self.sources_required, sources_required)
            .waits(self.reserved, reserved);
        let lines = if self.comparator == Comparator::Below as u8 {
            Judgement::NONE.floor(self.threshold, threshold).floor(self.clear_threshold, clear_threshold)
        } else {
            Judgement::NONE.ceiling(self.threshold, threshold).ceiling(self.clear_threshold, clear_threshold)
        };
        fixed
            .and(lines)
            .ceiling(self.min_persist_secs, min_persist_secs)
            .ceiling(self.min_observations, min_observations)
            .floor(self.max_gap_secs, max_gap_secs)
            .floor(self.duration_secs, duration_secs)
            .floor(self.min_dwell_secs, min_dwell_secs)
            .floor(self.level, level)
            .and(Judgement { step_bps: 0, ..Judgement::NONE.floor(self.switch, switch) })
    }
}

impl Judged for OracleSource {
    fn judge_move(&self, next: &Self) -> Judgement {
        let Self { program, account, feed_id, max_age_secs, max_confidence_bps, kind, pin, publisher, reserved } =
            *next;
        Judgement::NONE
            .waits(self.program, program)
            .waits(self.account, account)
            .waits(self.feed_id, feed_id)
            .ceiling(self.max_age_secs, max_age_secs)
            .ceiling(self.max_confidence_bps, max_confidence_bps)
            .waits(self.kind, kind)
            .waits(self.pin, pin)
            .waits(self.publisher, publisher)
            .waits(self.reserved, reserved)
    }
}

impl Judged for OracleSet {
    fn judge_move(&self, next: &Self) -> Judgement {
        let Self { sources, count, required, max_disagree_bps, reserved, rate } = next;
        let each = self.sources.iter().zip(sources).map(|(now, next)| now.judge_move(next));
        each.fold(Judgement::NONE, Judgement::and)
            // a source more can outvote, a source less can't be outvoted
            .waits(self.count, *count)
            .floor(self.required, *required)
            .ceiling(self.max_disagree_bps, *max_disagree_bps)
            .waits(self.reserved, *reserved)
            .and(self.rate.judge_move(rate))
    }
}

impl Judged for RateSource {
    fn judge_move(&self, next: &Self) -> Judgement {
        let Self { account, snapshot_e9, snapshot_ts, max_growth_bps, max_age_epochs, kind, reserved } = *next;
        // a cap that is too low takes value from owners, one that is too high lets a false rate in
        Judgement::NONE
            .waits(self.account, account)
            .waits(self.snapshot_e9, snapshot_e9)
            .waits(self.snapshot_ts, snapshot_ts)
            .waits(self.max_growth_bps, max_growth_bps)
            .ceiling(self.max_age_epochs, max_age_epochs)
            .waits(self.kind, kind)
            .waits(self.reserved, reserved)
    }
}

impl Judged for StandbySet {
    fn judge_move(&self, next: &Self) -> Judgement {
        let Self { sources, count, reserved } = next;
        let each = self.sources.iter().zip(sources).map(|(now, next)| now.judge_move(next));
        // one more may come into use without another word, one less leaves a dead source in its place
        each.fold(Judgement::NONE, Judgement::and).waits(self.count, *count).waits(self.reserved, *reserved)
    }
}

impl Judged for ReferenceParams {
    fn judge_move(&self, next: &Self) -> Judgement {
        let Self { half_life_secs, max_age_secs, cell_secs, min_samples } = *next;
        // short follows a manipulated price, long misses a true one
        Judgement::NONE
            .waits(self.half_life_secs, half_life_secs)
            .ceiling(self.max_age_secs, max_age_secs)
            .waits(self.cell_secs, cell_secs)
            .floor(self.min_samples, min_samples)
    }
}

impl Judged for Roles {
    fn judge_move(&self, next: &Self) -> Judgement {
        let Self { root, risk_admin, resetter, vetoer, guardians, guardian_count, guardian_quorum, reserved } = *next;
        Judgement::NONE
            .waits(self.root, root)
            .waits(self.risk_admin, risk_admin)
            .waits(self.resetter, resetter)
            .waits(self.vetoer, vetoer)
            .waits(self.guardians, guardians)
            .waits(self.guardian_count, guardian_count)
            .waits(self.guardian_quorum, guardian_quorum)
            .waits(self.reserved, reserved)
    }
}

impl Judged for SwapParams {
    fn judge_move(&self, next: &Self) -> Judgement {
        let Self {
            program,
            prefixes,
            max_swap_micro_usd,
            max_day_micro_usd,
            loss_day_micro_usd,
            two_sources_micro_usd,
            cooldown_secs,
            max_oracle_age_secs,
            max_slippage_bps,
            prefix_count,
            purpose,
            caller,
            switch,
            reserved,
        } = *next;
        Judgement::NONE
            .waits(self.program, program)
            .waits(self.prefixes, prefixes)
            .ceiling(self.max_swap_micro_usd, max_swap_micro_usd)
            .ceiling(self.max_day_micro_usd, max_day_micro_usd)
            .ceiling(self.loss_day_micro_usd, loss_day_micro_usd)
            .ceiling(self.two_sources_micro_usd, two_sources_micro_usd)
            .floor(self.cooldown_secs, cooldown_secs)
            .ceiling(self.max_oracle_age_secs, max_oracle_age_secs)
            .ceiling(self.max_slippage_bps, max_slippage_bps)
            .waits(self.prefix_count, prefix_count)
            .waits(self.purpose, purpose)
            // keepers alone: strict against strangers, and nobody where the keepers are gone
            .waits(self.caller, caller)
            // off is strict: the guard works on without swaps
            .and(Judgement { step_bps: 0, ..Judgement::NONE.ceiling(self.switch, switch) })
            .waits(self.reserved, reserved)
    }
}

impl Judged for ReservePlan {
    fn judge_move(&self, next: &Self) -> Judgement {
        let Self { weights_bps, cover, min_improvement_bps, count, quote, scored, reserved } = *next;
        // a weight takes from one asset what it gives to another; cover takes from the reserve what it gives to lenders
        Judgement::NONE
            .waits(self.weights_bps, weights_bps)
            .waits(self.cover, cover)
            .waits(self.min_improvement_bps, min_improvement_bps)
            .waits(self.count, count)
            .waits(self.quote, quote)
            .waits(self.scored, scored)
            .waits(self.reserved, reserved)
    }
}

impl Judged for ReserveGrant {
    fn judge_move(&self, next: &Self) -> Judgement {
        let Self { destination, amount, index, reserved } = *next;
        // a grant that is taken back would be a grant to whoever gets the next one: every grant waits in public
        Judgement::NONE
            .waits(self.destination, destination)
            .waits(self.amount, amount)
            .waits(self.index, index)
            .waits(self.reserved, reserved)
    }
}

/// The delay of loosenings, or the time that new collateral warms up, seconds: longer is stricter.
impl Judged for u32 {
    fn judge_move(&self, next: &Self) -> Judgement {
        Judgement::NONE.floor(*self, *next)
    }
}

/// The switch of an integration: off closes its exits, on lets out again what was off. That of a vault's cover: on spends the
/// reserve, off leaves lenders with what they were told is covered.
impl Judged for u8 {
    fn judge_move(&self, next: &Self) -> Judgement {
        Judgement::NONE.waits(self, next)
    }
}

/// The root, and who holds what an integration holds.
impl Judged for Pubkey {
    fn judge_move(&self, next: &Self) -> Judgement {
        Judgement::NONE.waits(self, next)
    }
}

#[cfg(test)]
mod tests;
