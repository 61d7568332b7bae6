//! How much a liquidation repays and what it receives for that.

use crate::error::RampartError;
use crate::math::Price;
use crate::math::bps::{BPS_ONE, Bps};
use crate::math::wide::{mul_div_ceil, mul_div_floor};
use crate::risk::health::ltv_floor;
use crate::state::vault::RiskParams;

/// What a liquidation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Debt that the liquidator repays, base units of the loan mint.
    pub repay_amount: u64,
    /// Collateral that it receives, base units of the collateral mint.
    pub seize_amount: u64,
    /// The bonus on what was repaid, bps.
    pub bonus_bps: u16,
    /// Whether all collateral is gone and the rest of the debt has to be written off.
    pub is_insolvent: bool,
}

/// What is known about a position when it is liquidated.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// Debt, base units of the loan mint, rounded up.
    pub debt: u64,
    /// Collateral, base units of the collateral mint.
    pub collateral: u64,
    /// The end of the price band that favours the owner.
    pub price: Price,
}

const ONE: u128 = BPS_ONE as u128;

/// Plans a liquidation that repays at most `max_repay`.
///
/// Repays what restores the target loan-to-value, but no more than the close factor; the bonus ramps with the distance
/// beyond the line and never exceeds what the position is worth. A position worth less than its debt is closed: all
/// collateral goes at the smallest bonus, and the rest of the debt is the vault's loss.
///
/// # Errors
/// `PositionHealthy` below the line, `DebtBelowMinimum` where `max_repay` would leave dust, `RepayTooSmall` where it is
/// dust, `ZeroAmount` for nothing to do, `HealthNotImproved` for a part that would leave the position no better.
///
/// # Source
/// docs/risk.md, "Liquidation".
pub fn plan(subject: Subject, params: &RiskParams, max_repay: u64) -> Result<Plan, RampartError> {
    let ltv = ltv_floor(subject.debt, subject.collateral, subject.price)?;
    if subject.debt == 0 || ltv < Bps(params.liquidation_line_bps.into()) {
        return Err(RampartError::PositionHealthy);
    }
    let value = subject.value()?;
    if value <= u128::from(subject.debt) {
        return close_insolvent(subject, value, params, max_repay);
    }
    let bonus_bps = ramped_bonus(ltv, params).min(affordable_bonus(subject.debt, value));
    let allowed = restoring_amount(subject.debt, value, params.target_ltv_bps, bonus_bps)?;
    let allowed = allowed.min(close_amount(ltv, subject.debt, params)?);
    finish(subject, value, allowed, bonus_bps, params, max_repay)
}

/// Plans a soft deleveraging that repays at most `max_repay` and what is left of the hour's quota.
///
/// # Errors
/// `OutsideSoftBand` below the soft line or at the liquidation line, `SoftQuotaUsed`, `ZeroAmount`, `RepayTooSmall`,
/// `DebtBelowMinimum`.
pub fn plan_soft(subject: Subject, params: &RiskParams, quota_left: u64, max_repay: u64) -> Result<Plan, RampartError> {
    let ltv = ltv_floor(subject.debt, subject.collateral, subject.price)?;
    let band = Bps(params.soft_line_bps.into())..Bps(params.liquidation_line_bps.into());
    if subject.debt == 0 || !band.contains(&ltv) {
        return Err(RampartError::OutsideSoftBand);
    }
    if quota_left == 0 {
        return Err(RampartError::SoftQuotaUsed);
    }
    let value = subject.value()?;
    let allowed = restoring_amount(subject.debt, value, params.target_ltv_bps, params.soft_bonus_bps)?;
    let allowed = allowed.min(quota_left);
    let repay = allowed.min(max_repay);
    require_worthwhile(repay, allowed, params)?;
    // a quota never closes a position: what would be left as dust stays for the owner
    if subject.debt - repay < params.min_debt_amount {
        return Err(RampartError::DebtBelowMinimum);
    }
    settled(subject, repay, params.soft_bonus_bps)
}

impl Subject {
    fn value(&self) -> Result<u128, RampartError> {
        self.price.value_floor(self.collateral.into()).ok_or(RampartError::MathOverflow)
    }
}

/// All collateral against as much debt as it covers at the smallest bonus.
fn close_insolvent(subject: Subject, value: u128, params: &RiskParams, max_repay: u64) -> Result<Plan, RampartError> {
    let covered = mul_div_ceil(value, ONE, ONE + u128::from(params.min_bonus_bps)).ok_or(RampartError::MathOverflow)?;
    let repay_amount = u64::try_from(covered).map_err(|_| RampartError::MathOverflow)?.min(subject.debt);
    if max_repay < repay_amount {
        return Err(RampartError::DebtBelowMinimum);
    }
    Ok(Plan { repay_amount, seize_amount: subject.collateral, bonus_bps: params.min_bonus_bps, is_insolvent: true })
}

/// How far beyond the line, as (distance, span): the same ramp drives bonus and close factor.
fn ramp(ltv: Bps, params: &RiskParams) -> (u64, u64) {
    let span = u64::from(params.full_close_ltv_bps.saturating_sub(params.liquidation_line_bps)).max(1);
    let distance = u64::from(ltv.0).saturating_sub(params.liquidation_line_bps.into());
    (distance.min(span), span)
}

fn ramped_bonus(ltv: Bps, params: &RiskParams) -> u16 {
    let (distance, span) = ramp(ltv, params);
    let rise = u64::from(params.max_bonus_bps.saturating_sub(params.min_bonus_bps)) * distance / span;
    params.min_bonus_bps.saturating_add(u16::try_from(rise).unwrap_or(0))
}

/// The bonus at which a solvent position is worth no less than its debt: `value / debt - 1`, rounded down.
fn affordable_bonus(debt: u64, value: u128) -> u16 {
    let surplus = value.saturating_sub(debt.into());
    u16::try_from(Bps::ratio_floor(surplus, debt.into()).0).unwrap_or(u16::MAX)
}

fn close_amount(ltv: Bps, debt: u64, params: &RiskParams) -> Result<u64, RampartError> {
    let (distance, span) = ramp(ltv, params);
    let base = u64::from(params.close_factor_bps);
    let factor = base + (BPS_ONE - base.min(BPS_ONE)) * distance / span;
    let amount = mul_div_ceil(debt.into(), factor.into(), ONE).ok_or(RampartError::MathOverflow)?;
    u64::try_from(amount).map_err(|_| RampartError::MathOverflow)
}

/// What has to be repaid so that `(debt - r) / (value - r · (1 + bonus))` is the target; rounded up.
fn restoring_amount(debt: u64, value: u128, target_bps: u16, bonus_bps: u16) -> Result<u64, RampartError> {
    let overflow = RampartError::MathOverflow;
    let (debt_scaled, target) = (u128::from(debt) * ONE, u128::from(target_bps));
    let excess = debt_scaled.saturating_sub(target.checked_mul(value).ok_or(overflow)?);
    let removed = (ONE * ONE).checked_sub(target * (ONE + u128::from(bonus_bps))).filter(|d| *d > 0);
    // where seizing at this bonus can't reach the target, everything has to go
    let Some(removed) = removed else {
        return Ok(debt);
    };
    let amount = mul_div_ceil(excess, ONE, removed).ok_or(RampartError::MathOverflow)?;
    Ok(u64::try_from(amount).unwrap_or(u64::MAX).min(debt))
}

/// A liquidation repays at least this part of what is allowed: one eighth.
const LEAST_PART: u64 = 8;

/// Refuses dust: an owner could otherwise use up the one liquidation per slot, and move the fence, for next to nothing.
///
/// The least is a part of what is allowed, so that whoever takes the slot at the least brings the position closer to its
/// target each time.
fn require_worthwhile(repay: u64, allowed: u64, params: &RiskParams) -> Result<(), RampartError> {
    if repay == 0 {
        return Err(RampartError::ZeroAmount);
    }
    if repay < allowed && repay < params.min_debt_amount.max(allowed.div_ceil(LEAST_PART)) {
        return Err(RampartError::RepayTooSmall);
    }
    Ok(())
}

/// Settles what is repaid between what is allowed, what the liquidator offers, and the dust that may not stay.
fn finish(
    subject: Subject,
    value: u128,
    allowed: u64,
    bonus_bps: u16,
    params: &RiskParams,
    max_repay: u64,
) -> Result<Plan, RampartError> {
    let mut repay = allowed.min(max_repay);
    require_worthwhile(repay, allowed, params)?;
    if subject.debt - repay > 0 && subject.debt - repay < params.min_debt_amount {
        if max_repay < subject.debt {
            return Err(RampartError::DebtBelowMinimum);
        }
        repay = subject.debt;
    }
    let plan = settled(subject, repay, bonus_bps)?;
    let left_value =
        value.saturating_sub(subject.price.value_ceil(plan.seize_amount.into()).ok_or(RampartError::MathOverflow)?);
    let left_debt = u128::from(subject.debt - repay);
    let before = mul_div_floor(u128::from(subject.debt), left_value, 1).ok_or(RampartError::MathOverflow)?;
    let after = mul_div_floor(left_debt, value, 1).ok_or(RampartError::MathOverflow)?;
    if left_debt > 0 && after >= before {
        return Err(RampartError::HealthNotImproved);
    }
    Ok(plan)
}

fn settled(subject: Subject, repay_amount: u64, bonus_bps: u16) -> Result<Plan, RampartError> {
    let owed =
        mul_div_floor(repay_amount.into(), ONE + u128::from(bonus_bps), ONE).ok_or(RampartError::MathOverflow)?;
    let seized = subject.price.amount_floor(owed).ok_or(RampartError::MathOverflow)?;
    let seize_amount = u64::try_from(seized).unwrap_or(u64::MAX).min(subject.collateral);
    Ok(Plan { repay_amount, seize_amount, bonus_bps, is_insolvent: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::price::Q64_ONE;
    use proptest::prelude::*;

    fn params() -> RiskParams {
        RiskParams {
            min_debt_amount: 100,
            ltv_bps: 7_000,
            soft_line_bps: 7_500,
            liquidation_line_bps: 8_000,
            target_ltv_bps: 7_000,
            soft_bonus_bps: 100,
            soft_quota_bps: 1_000,
            min_bonus_bps: 300,
            max_bonus_bps: 800,
            close_factor_bps: 2_500,
            full_close_ltv_bps: 9_500,
            reserved: [0; 4],
        }
    }

    fn subject(debt: u64, collateral: u64) -> Subject {
        Subject { debt, collateral, price: Price::from_q64(Q64_ONE).unwrap() }
    }

    #[test]
    fn healthy_position_is_refused() {
        assert_eq!(plan(subject(7_999, 10_000), &params(), u64::MAX), Err(RampartError::PositionHealthy));
        assert_eq!(plan(subject(0, 10_000), &params(), u64::MAX), Err(RampartError::PositionHealthy));
    }

    #[test]
    fn at_the_line_a_quarter_is_repaid_at_the_smallest_bonus() {
        let p = plan(subject(80_000, 100_000), &params(), u64::MAX).unwrap();
        assert_eq!((p.repay_amount, p.seize_amount, p.bonus_bps, p.is_insolvent), (20_000, 20_600, 300, false));
    }

    #[test]
    fn deep_below_the_line_more_is_repaid_at_a_higher_bonus_within_what_it_is_worth() {
        let p = plan(subject(95_000, 100_000), &params(), u64::MAX).unwrap();
        assert_eq!(p.bonus_bps, 526);
        assert_eq!(p.repay_amount, 95_000);
        assert!(p.seize_amount <= 100_000);
    }

    #[test]
    fn insolvent_position_gives_all_collateral_and_leaves_a_loss() {
        let p = plan(subject(103_000, 100_000), &params(), u64::MAX).unwrap();
        assert_eq!((p.repay_amount, p.seize_amount, p.is_insolvent), (97_088, 100_000, true));
        let empty = plan(subject(103_000, 0), &params(), 0).unwrap();
        assert_eq!((empty.repay_amount, empty.seize_amount, empty.is_insolvent), (0, 0, true));
    }

    #[test]
    fn dust_is_closed_or_refused() {
        let p = plan(subject(110, 130), &params(), u64::MAX).unwrap();
        assert_eq!(p.repay_amount, 110);
        assert_eq!(plan(subject(1_100, 1_300), &params(), 99), Err(RampartError::RepayTooSmall));
        // a quarter may be repaid, so at least a thirty-second has to be
        assert_eq!(plan(subject(80_000, 100_000), &params(), 2_499), Err(RampartError::RepayTooSmall));
        assert_eq!(plan(subject(80_000, 100_000), &params(), 2_500).unwrap().repay_amount, 2_500);
        assert_eq!(plan(subject(180, 205), &params(), 150), Err(RampartError::DebtBelowMinimum));
    }

    #[test]
    fn soft_plan_stays_in_its_band_and_quota() {
        assert_eq!(plan_soft(subject(7_400, 10_000), &params(), 500, u64::MAX), Err(RampartError::OutsideSoftBand));
        assert_eq!(plan_soft(subject(8_000, 10_000), &params(), 500, u64::MAX), Err(RampartError::OutsideSoftBand));
        assert_eq!(plan_soft(subject(7_600, 10_000), &params(), 0, u64::MAX), Err(RampartError::SoftQuotaUsed));
        let p = plan_soft(subject(7_600, 10_000), &params(), 500, u64::MAX).unwrap();
        assert_eq!((p.repay_amount, p.seize_amount), (500, 505));
    }

    proptest! {
        #[test]
        fn liquidation_improves_health_and_pays_no_more_than_its_bonus(debt in 200u64..1_000_000_000, cover in 1u64..2_000, max_repay in any::<u64>()) {
            let collateral = debt / 1_000 * cover;
            let s = subject(debt, collateral);
            let Ok(p) = plan(s, &params(), max_repay) else { return Ok(()) };
            prop_assert!(p.repay_amount <= debt && p.seize_amount <= collateral && p.repay_amount <= max_repay);
            if p.is_insolvent {
                prop_assert!(u128::from(collateral) <= u128::from(debt));
            } else {
                let paid = u128::from(p.repay_amount) * (10_000 + u128::from(p.bonus_bps));
                prop_assert!(u128::from(p.seize_amount) * 10_000 <= paid);
                let (left_debt, left) = (debt - p.repay_amount, collateral - p.seize_amount);
                prop_assert!(left >= left_debt, "a solvent position must stay solvent");
                prop_assert!(left_debt == 0 || left_debt >= 100);
                prop_assert!(left_debt == 0 || u128::from(left_debt) * u128::from(collateral) < u128::from(debt) * u128::from(left));
            }
        }
    }
}
