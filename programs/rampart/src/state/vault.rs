//! An isolated pair: one collateral mint against one loan mint.

use crate::constants::{HOUR_SECS, YEAR_SECS};
use crate::error::RampartError;
use crate::math::bps::{BPS_ONE, Bps};
use crate::math::limiter::DayRing;
use crate::math::price::{Price, Q64_ONE};
use crate::math::{U128, mul_div_floor, shares};
use crate::refuse::require;
use crate::state::asset::Asset;
use crate::state::breaker::{Breaker, Halts};
use crate::state::flow::{FlowLimits, OutflowLimiter};
use crate::state::guard::HardBounds;
use crate::state::inflow::InflowLimits;
use crate::state::lease::Lease;
use crate::state::oracle_set::Switch;
use crate::state::position::Position;
use crate::state::resolution::Resolution;
use crate::state::risk_scale::{KeeperCut, KeeperScale, RiskScale, ScaleTarget};
use crate::state::shortfall::Shortfall;
use crate::state::step_meter::StepMeter;
use crate::state::ticket::TicketSide;
use anchor_lang::prelude::*;

/// When a position may borrow, when it is deleveraged, when it is liquidated, and at what price.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, bytemuck::Pod, bytemuck::Zeroable)]
pub struct RiskParams {
    /// Debt left after a liquidation is zero or at least this, base units of the loan mint.
    pub min_debt_amount: u64,
    /// Loan-to-value limit for new risk, bps.
    pub ltv_bps: u16,
    /// Loan-to-value from which soft deleveraging is open, bps. Fixed at creation.
    pub soft_line_bps: u16,
    /// Loan-to-value from which liquidation is open, bps.
    pub liquidation_line_bps: u16,
    /// Loan-to-value that a liquidation restores, bps.
    pub target_ltv_bps: u16,
    /// Bonus of soft deleveraging, bps. Fixed at creation.
    pub soft_bonus_bps: u16,
    /// What soft deleveraging may repay of a position's debt within an hour, bps. Fixed at creation.
    pub soft_quota_bps: u16,
    /// Bonus at the liquidation line, bps.
    pub min_bonus_bps: u16,
    /// Bonus at `full_close_ltv_bps` and beyond, bps.
    pub max_bonus_bps: u16,
    /// Share of the debt that one liquidation may repay at the liquidation line, bps.
    pub close_factor_bps: u16,
    /// Loan-to-value from which one liquidation may repay all, bps.
    pub full_close_ltv_bps: u16,
    /// Zeros.
    pub reserved: [u8; 4],
}

impl RiskParams {
    /// Checks that the lines are in order and that no liquidation at its line can cost more than the collateral.
    ///
    /// # Errors
    /// `RiskParamsInvalid`, `OutsideHardBounds`, `UnknownKind` for reserved bytes that are set.
    pub fn validate(&self, bounds: &HardBounds) -> Result<()> {
        require!(self.reserved == [0; 4], RampartError::UnknownKind);
        let one = BPS_ONE as u16;
        let ordered = self.ltv_bps > 0
            && self.ltv_bps < self.soft_line_bps
            && self.soft_line_bps < self.liquidation_line_bps
            && self.liquidation_line_bps < self.full_close_ltv_bps
            && self.full_close_ltv_bps <= one
            && self.target_ltv_bps > 0
            && self.target_ltv_bps <= self.soft_line_bps;
        let bonuses = self.soft_bonus_bps <= self.min_bonus_bps && self.min_bonus_bps <= self.max_bonus_bps;
        let shares = self.soft_quota_bps > 0
            && self.soft_quota_bps <= one
            && self.close_factor_bps > 0
            && self.close_factor_bps <= one;
        let line = u64::from(self.liquidation_line_bps) * (BPS_ONE + u64::from(self.max_bonus_bps));
        require!(ordered && bonuses && shares && line <= BPS_ONE * BPS_ONE, RampartError::RiskParamsInvalid);
        require!(self.ltv_bps <= bounds.max_ltv_bps, RampartError::OutsideHardBounds);
        require!(self.max_bonus_bps <= bounds.max_bonus_bps, RampartError::OutsideHardBounds);
        Ok(())
    }
}

/// Interest by utilisation: straight from `base` to `kink`, straight and steeper from there to `max`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, bytemuck::Pod, bytemuck::Zeroable)]
pub struct InterestCurve {
    /// Yearly rate at no utilisation, bps.
    pub base_rate_bps: u32,
    /// Yearly rate at the kink, bps.
    pub kink_rate_bps: u32,
    /// Yearly rate at full utilisation, bps.
    pub max_rate_bps: u32,
    /// Utilisation of the kink, bps.
    pub kink_bps: u16,
    /// Part of the interest that the vault keeps against bad debt, bps.
    pub reserve_factor_bps: u16,
}

/// The highest yearly rate that a curve may have: 1,000 %.
pub const MAX_RATE_BPS: u32 = 100_000;

impl InterestCurve {
    /// Checks that the curve ascends and has a kink inside.
    ///
    /// # Errors
    /// `CurveInvalid`.
    pub fn validate(&self) -> Result<()> {
        let ascending = self.base_rate_bps <= self.kink_rate_bps
            && self.kink_rate_bps <= self.max_rate_bps
            && self.max_rate_bps <= MAX_RATE_BPS;
        let one = BPS_ONE as u16;
        let shares = self.kink_bps > 0 && self.kink_bps < one && self.reserve_factor_bps < one;
        require!(ascending && shares, RampartError::CurveInvalid);
        Ok(())
    }

    /// Returns the yearly rate in bps at a utilisation in bps (beyond one whole: the highest rate), rounded up.
    pub fn rate_bps(&self, utilisation: Bps) -> u64 {
        let (u, kink) = (u64::from(utilisation.0).min(BPS_ONE), u64::from(self.kink_bps));
        let (low, high, over, span) = if u <= kink {
            (self.base_rate_bps, self.kink_rate_bps, u, kink)
        } else {
            (self.kink_rate_bps, self.max_rate_bps, u - kink, BPS_ONE - kink)
        };
        u64::from(low) + (u64::from(high.saturating_sub(low)) * over).div_ceil(span.max(1))
    }
}

/// Caps and outflow limits of a vault.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, bytemuck::Pod, bytemuck::Zeroable)]
pub struct VaultLimits {
    /// The most that lenders may have in the vault, base units of the loan mint.
    pub supply_cap_amount: u64,
    /// The most that may be borrowed, base units of the loan mint.
    pub borrow_cap_amount: u64,
    /// The most collateral, base units of the collateral mint.
    pub collateral_cap_amount: u64,
    /// Outflow of the loan mint.
    pub loan_flow: FlowLimits,
    /// Outflow of the collateral mint.
    pub collateral_flow: FlowLimits,
    /// What each position may take out per day at any level below Resolution, bps.
    pub exit_floor_bps: u16,
    /// Zeros.
    pub reserved: [u8; 6],
    /// New collateral.
    pub inflow: InflowLimits,
}

impl VaultLimits {
    /// Checks both flows against the guard's hard bounds, and the limits on new collateral.
    ///
    /// # Errors
    /// `LimiterInvalid`, `InflowLimitsInvalid`, `OutsideHardBounds`, `UnknownKind` for reserved bytes that are set.
    pub fn validate(&self, bounds: &HardBounds) -> Result<()> {
        require!(self.reserved == [0; 6], RampartError::UnknownKind);
        self.loan_flow.validate(self.exit_floor_bps, bounds)?;
        self.collateral_flow.validate(self.exit_floor_bps, bounds)?;
        self.inflow.validate()
    }
}

/// Totals since creation, for the app and for reconciliation. They saturate and decide nothing.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct VaultTotals {
    /// Lent, base units of the loan mint.
    pub supplied_amount: u64,
    /// Withdrawn by lenders, base units of the loan mint.
    pub withdrawn_amount: u64,
    /// Borrowed, base units of the loan mint.
    pub borrowed_amount: u64,
    /// Repaid by anyone, base units of the loan mint.
    pub repaid_amount: u64,
    /// Repaid by liquidators and deleveragers, base units of the loan mint.
    pub liquidated_amount: u64,
    /// Collateral that they received, base units of the collateral mint.
    pub seized_amount: u64,
    /// Debt that no collateral was left for, base units of the loan mint.
    pub bad_debt_amount: u64,
    /// Part of the bad debt that the vault's insurance paid, base units of the loan mint.
    pub insured_amount: u64,
}

/// The pair's price when a halt began, at the end that favours owners.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct HaltMark {
    /// Loan base units for one collateral base unit, U64.64.
    pub price_q64: U128,
    /// When that halt began, unix seconds: the mark of another halt says nothing.
    pub halt_started_at_ts: i64,
    /// [`Switch`]; anything but enabled says nothing.
    pub is_known: u8,
    /// Zeros.
    pub reserved: [u8; 7],
}

impl HaltMark {
    /// Returns the price when `halt` began, where it is known.
    pub fn price(&self, halt: &Halts) -> Option<Price> {
        let is_known = self.is_known == Switch::Enabled as u8 && self.halt_started_at_ts == halt.started_at_ts;
        if is_known { Price::from_q64(self.price_q64.get()).ok() } else { None }
    }
}

/// One isolated pair.
///
/// The second layout: the first one had no scale. Its discriminator is the start of `sha256("account:Vault:2")`.
#[account(zero_copy, discriminator = [0x75, 0xc5, 0xc8, 0x64, 0xec, 0x3e, 0x1d, 0xb5])]
#[derive(Debug)]
pub struct Vault {
    /// The guard it belongs to.
    pub guard: Pubkey,
    /// Asset account of the collateral.
    pub collateral_asset: Pubkey,
    /// Asset account of the loan.
    pub loan_asset: Pubkey,
    /// Collateral mint.
    pub collateral_mint: Pubkey,
    /// Loan mint.
    pub loan_mint: Pubkey,
    /// Token account that holds the collateral; owned by this vault.
    pub collateral_token: Pubkey,
    /// Token account that holds the loan asset; owned by this vault.
    pub loan_token: Pubkey,
    /// Lines, bonuses and close factor.
    pub risk: RiskParams,
    /// Interest.
    pub curve: InterestCurve,
    /// Caps and outflow limits.
    pub limits: VaultLimits,
    /// Shares of all lenders.
    pub supply_shares: U128,
    /// Debt of all borrowers, divided by the index at the time of borrowing.
    pub debt_scaled: U128,
    /// Growth of debt since creation, U64.64, starts at one.
    pub borrow_index_q64: U128,
    /// Loan asset that the vault holds by its own books; never the raw balance.
    pub cash_amount: u64,
    /// Part of the assets that is kept against bad debt and belongs to no lender yet.
    pub insurance_amount: u64,
    /// Collateral that the vault holds by its own books; never the raw balance.
    pub collateral_amount: u64,
    /// When interest was last accrued, unix seconds.
    pub accrued_at_ts: i64,
    /// Totals since creation.
    pub totals: VaultTotals,
    /// Outflow of the loan asset.
    pub loan_flow: OutflowLimiter,
    /// Outflow of collateral.
    pub collateral_flow: OutflowLimiter,
    /// Collateral that came in, per hour. It limits nothing; rules measure it.
    pub collateral_inflow: DayRing,
    /// Of that, what its owner didn't take out again within the hour: what the limit on new collateral counts.
    pub new_collateral: DayRing,
    /// Level of this vault.
    pub breaker: Breaker,
    /// The price when the halt began that was marked last.
    pub halt_mark: HaltMark,
    /// What the loan token account was proved to be short of.
    pub loan_shortfall: Shortfall,
    /// What the collateral token account was proved to be short of.
    pub collateral_shortfall: Shortfall,
    /// The orderly end.
    pub resolution: Resolution,
    /// What tightenings at once have used of their daily step.
    pub tightened: StepMeter,
    /// What it has leased of the guard's dollar limit.
    pub lease: Lease,
    /// Decimals of the collateral mint.
    pub collateral_decimals: u8,
    /// Decimals of the loan mint.
    pub loan_decimals: u8,
    /// Layout version.
    pub version: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Zeros.
    pub padding: [u8; 4],
    /// Part of the bad debt that the guard's reserve paid since creation, base units of the loan mint.
    pub reserve_covered_amount: u64,
    /// How limits on new risk follow the market.
    pub scale: RiskScale,
    /// What keepers' reports take off the loan-to-value limit.
    pub ltv_cut: KeeperCut,
    /// What keepers' reports take off the borrow cap.
    pub cap_cut: KeeperCut,
    /// The price when the halt began that was marked before it: the grace times of both may run.
    pub earlier_halt_mark: HaltMark,
    /// [`Switch`]: whether the guard's reserve meets bad debt of this vault; anything but enabled doesn't. Written by a change
    /// that waited.
    pub cover: u8,
    /// Zeros.
    pub reserved: [u8; 87],
}

impl Vault {
    /// Account size in bytes, with the discriminator.
    pub const SPACE: usize = 8 + core::mem::size_of::<Self>();
    /// Number of the layout.
    pub const LAYOUT: u8 = 2;

    /// Returns the loan-to-value limit for new risk as it is now, bps: what the scale leaves of it. Positions that stand,
    /// and their lines, don't look at it.
    pub fn ltv_for_new_risk(&self, collateral: &Asset, now_ts: i64) -> u16 {
        self.scale.ltv_bps(self.risk.ltv_bps, &self.ltv_cut, &collateral.window, now_ts)
    }

    /// Returns whether the guard's reserve meets bad debt of this vault. What is unknown is off: no vault that was created or
    /// migrated has ever spent the reserve by itself.
    pub fn cover_switch(&self) -> Switch {
        if self.cover == Switch::Enabled as u8 { Switch::Enabled } else { Switch::Disabled }
    }

    /// Returns the borrow cap as it is now, base units of the loan mint.
    pub fn borrow_cap(&self, now_ts: i64) -> u64 {
        self.scale.borrow_cap(self.limits.borrow_cap_amount, &self.cap_cut, now_ts)
    }

    /// Returns a part of the scale that keepers' reports drive, with what they take off.
    pub fn keeper_scale_mut(&mut self, target: ScaleTarget) -> (&KeeperScale, &mut KeeperCut) {
        match target {
            ScaleTarget::Ltv => (&self.scale.ltv, &mut self.ltv_cut),
            ScaleTarget::BorrowCap => (&self.scale.cap, &mut self.cap_cut),
        }
    }

    /// Sets the scale; what was used of the steps leaks by the old ones until `now_ts`.
    pub fn set_scale(&mut self, scale: RiskScale, now_ts: i64) {
        self.ltv_cut.settle(&self.scale.ltv, now_ts);
        self.cap_cut.settle(&self.scale.cap, now_ts);
        self.scale = scale;
    }

    /// Returns all debt, rounded down: what lenders may count on.
    ///
    /// # Errors
    /// `MathOverflow`.
    pub fn debt_amount(&self) -> Result<u64> {
        let debt = shares::debt_counted_on(self.debt_scaled.get(), self.borrow_index_q64.get());
        debt.and_then(|d| u64::try_from(d).ok()).ok_or_else(|| RampartError::MathOverflow.into())
    }

    /// Returns what belongs to the lenders: cash and debt, less the insurance.
    ///
    /// # Errors
    /// `MathOverflow`.
    pub fn lenders_amount(&self) -> Result<u64> {
        let assets = u128::from(self.cash_amount) + u128::from(self.debt_amount()?);
        let lenders = assets.saturating_sub(u128::from(self.insurance_amount));
        u64::try_from(lenders).map_err(|_| RampartError::MathOverflow.into())
    }

    /// Returns the share of the vault's assets that is lent out, rounded up.
    ///
    /// # Errors
    /// `MathOverflow`.
    pub fn utilisation(&self) -> Result<Bps> {
        let debt = u128::from(self.debt_amount()?);
        if debt == 0 {
            return Ok(Bps(0));
        }
        // cash that was paid out in Resolution counts as there: borrowers don't pay for its distribution
        let cash = u128::from(self.cash_amount) + u128::from(self.resolution.paid_amount);
        Ok(Bps::ratio_ceil(debt, debt + cash))
    }

    /// Takes note of collateral that came in; returns what of it is beyond the limit on new collateral.
    pub fn note_inflow(&mut self, amount: u64, now_ts: i64) -> u64 {
        self.collateral_flow.base.settle(now_ts);
        for ring in [&mut self.collateral_inflow, &mut self.new_collateral] {
            ring.settle(now_ts);
        }
        let room = self.limits.inflow.room(&self.new_collateral, self.collateral_flow.base.amount);
        for ring in [&mut self.collateral_inflow, &mut self.new_collateral] {
            ring.record(amount);
        }
        amount.saturating_sub(room)
    }

    /// Takes note of collateral that its owner took out again within the hour.
    pub fn unnote_inflow(&mut self, amount: u64, now_ts: i64) {
        if amount > 0 {
            self.new_collateral.settle(now_ts);
            self.new_collateral.take_back(amount);
        }
    }

    /// Returns the collateral that came in within the last `hours` (and the hour they overlap) as a share of the day's
    /// base, rounded up. With no base yet, the share is of the absolute floor's limit.
    pub fn inflow_bps(&self, hours: u32, now_ts: i64) -> Bps {
        let (mut base, mut inflow) = (self.collateral_flow.base, self.collateral_inflow);
        base.settle(now_ts);
        inflow.settle(now_ts);
        let whole = base.amount.max(self.limits.collateral_flow.absolute_floor_amount);
        Bps::ratio_ceil(inflow.recent(hours).into(), whole.into())
    }

    /// Returns what the vault keeps against bad debt as a share of its debt, rounded down; without debt the largest.
    ///
    /// # Errors
    /// `MathOverflow`.
    pub fn reserve_cover(&self) -> Result<Bps> {
        Ok(Bps::ratio_floor(self.insurance_amount.into(), self.debt_amount()?.into()))
    }

    /// Adds the interest since the last accrual to the debt.
    ///
    /// The index grows by `rate · dt / year`, rounded up; n accruals compound and otherwise come to the same as one, as
    /// nothing is lost below a base unit.
    ///
    /// # Errors
    /// `MathOverflow`.
    pub fn accrue(&mut self, now_ts: i64) -> Result<()> {
        let elapsed_secs = u64::try_from(now_ts.saturating_sub(self.accrued_at_ts)).unwrap_or(0);
        if elapsed_secs == 0 {
            return Ok(());
        }
        self.accrued_at_ts = now_ts;
        if self.debt_scaled.get() == 0 {
            return Ok(());
        }
        let before = self.debt_amount()?;
        let rate_bps = self.curve.rate_bps(self.utilisation()?);
        let growth = grow(self.borrow_index_q64.get(), rate_bps, elapsed_secs).ok_or(RampartError::MathOverflow)?;
        self.borrow_index_q64 = growth.into();
        let interest = self.debt_amount()?.saturating_sub(before);
        let kept = Bps(u32::from(self.curve.reserve_factor_bps)).of_floor(u128::from(interest)).unwrap_or(0);
        self.insurance_amount = self.insurance_amount.saturating_add(kept as u64);
        Ok(())
    }

    /// Returns the debt of `position`, rounded up against its owner.
    ///
    /// # Errors
    /// `MathOverflow`.
    pub fn debt_of(&self, position: &Position) -> Result<u64> {
        let debt = shares::debt_of(position.debt_scaled.get(), self.borrow_index_q64.get());
        debt.and_then(|d| u64::try_from(d).ok()).ok_or_else(|| RampartError::MathOverflow.into())
    }

    /// Returns the price when `halt` began, where it is marked.
    pub fn halt_price(&self, halt: &Halts) -> Option<Price> {
        self.halt_mark.price(halt).or_else(|| self.earlier_halt_mark.price(halt))
    }

    /// Marks the price when `halt` began, from both assets' window memories; the first mark of a halt stays, and that of the
    /// halt that was marked before it.
    ///
    /// The high of the collateral's cell over the low of the loan's: what is seen within a cell may be later than the
    /// halt by the length of the cell, and owners get the better of it.
    pub fn mark_halt(&mut self, halt: &Halts, collateral: &Asset, loan: &Asset) {
        if self.halt_price(halt).is_some() {
            return;
        }
        let of = |asset: &Asset| {
            let cell = asset.window.at(halt.started_at_ts, asset.reference_params.max_age_secs)?;
            Some((Price::from_q64(cell.high_q64.get()).ok()?, Price::from_q64(cell.low_q64.get()).ok()?))
        };
        let (Some((high, _)), Some((_, low))) = (of(collateral), of(loan)) else { return };
        let Ok(price) = Price::pair(high, self.collateral_decimals, low, self.loan_decimals) else { return };
        self.earlier_halt_mark = self.halt_mark;
        self.halt_mark = HaltMark {
            price_q64: price.q64().into(),
            halt_started_at_ts: halt.started_at_ts,
            is_known: Switch::Enabled as u8,
            reserved: [0; 7],
        };
    }

    /// Returns what `shares` of a lender are worth, rounded down.
    ///
    /// # Errors
    /// `MathOverflow`.
    pub fn assets_for_shares(&self, supply_shares: u128) -> Result<u64> {
        let assets = shares::assets_for_shares(supply_shares, self.lenders_amount()?.into(), self.supply_shares.get());
        assets.and_then(|a| u64::try_from(a).ok()).ok_or_else(|| RampartError::MathOverflow.into())
    }

    /// Takes `amount` of debt off `position` and off the vault; `amount` up to all of it.
    ///
    /// # Errors
    /// `MathOverflow`.
    pub fn reduce_debt(&mut self, position: &mut Position, amount: u64) -> Result<()> {
        let held = position.debt_scaled.get();
        let scaled = if amount >= self.debt_of(position)? {
            held
        } else {
            let part = shares::scaled_for_repay(amount.into(), self.borrow_index_q64.get());
            part.ok_or(RampartError::MathOverflow)?.min(held)
        };
        position.debt_scaled = (held - scaled).into();
        let all = self.debt_scaled.get().checked_sub(scaled).ok_or(RampartError::MathOverflow)?;
        self.debt_scaled = all.into();
        Ok(())
    }

    /// Books that `position` gives `shares` back for `amount`; the tokens move afterwards.
    ///
    /// # Errors
    /// `AmountExceedsPosition`, `InsufficientCash`, `MathOverflow`.
    pub fn pay_lender(&mut self, position: &mut Position, shares: u128, amount: u64, now_ts: i64) -> Result<()> {
        let held = position.supply_shares.get();
        let left = held.checked_sub(shares).ok_or(RampartError::AmountExceedsPosition)?;
        let all = self.supply_shares.get().checked_sub(shares).ok_or(RampartError::MathOverflow)?;
        self.cash_amount = self.cash_amount.checked_sub(amount).ok_or(RampartError::InsufficientCash)?;
        position.supply_shares = left.into();
        self.supply_shares = all.into();
        self.totals.withdrawn_amount = self.totals.withdrawn_amount.saturating_add(amount);
        self.note_bases(now_ts)
    }

    /// Books debt that nothing is left for: the insurance pays first, the lenders bear the rest in this instruction.
    ///
    /// Returns the part that the insurance paid.
    ///
    /// # Errors
    /// `MathOverflow`.
    pub fn write_off(&mut self, position: &mut Position) -> Result<(u64, u64)> {
        let bad_debt = self.debt_of(position)?;
        self.reduce_debt(position, bad_debt)?;
        let insured = bad_debt.min(self.insurance_amount);
        // debt is gone from the assets; taking the insured part off the insurance gives it to the lenders
        self.insurance_amount -= insured;
        self.totals.bad_debt_amount = self.totals.bad_debt_amount.saturating_add(bad_debt);
        self.totals.insured_amount = self.totals.insured_amount.saturating_add(insured);
        Ok((bad_debt, insured))
    }

    /// Returns the limiter of a side and its limits.
    pub fn flow_mut(&mut self, side: TicketSide) -> (&mut OutflowLimiter, FlowLimits) {
        match side {
            TicketSide::Loan => (&mut self.loan_flow, self.limits.loan_flow),
            TicketSide::Collateral => (&mut self.collateral_flow, self.limits.collateral_flow),
        }
    }

    /// Books that `amount` of collateral leaves `position`; the tokens move afterwards.
    ///
    /// # Errors
    /// `AmountExceedsPosition`, `MathOverflow`.
    pub fn pay_collateral(&mut self, position: &mut Position, amount: u64, now_ts: i64) -> Result<()> {
        let left = position.collateral_amount.checked_sub(amount).ok_or(RampartError::AmountExceedsPosition)?;
        self.collateral_amount = self.collateral_amount.checked_sub(amount).ok_or(RampartError::MathOverflow)?;
        position.collateral_amount = left;
        self.note_bases(now_ts)
    }

    /// Notes the amounts that the limiters' day bases are averaged from; call it last.
    ///
    /// # Errors
    /// `MathOverflow`.
    pub fn note_bases(&mut self, now_ts: i64) -> Result<()> {
        self.loan_flow.base.settle(now_ts);
        self.collateral_flow.base.settle(now_ts);
        let lenders = self.lenders_amount()?;
        self.loan_flow.base.note(lenders);
        self.collateral_flow.base.note(self.collateral_amount);
        Ok(())
    }

    /// The time in which a position's own inflow is netted against its outflow, seconds.
    pub const CREDIT_WINDOW_SECS: i64 = HOUR_SECS;
}

/// `index · (1 + rate · dt / year)`, rounded up.
fn grow(index_q64: u128, rate_bps: u64, elapsed_secs: u64) -> Option<u128> {
    let rate = u128::from(rate_bps).checked_mul(u128::from(elapsed_secs))?;
    let growth = mul_div_floor(rate, Q64_ONE, u128::from(YEAR_SECS) * u128::from(BPS_ONE))?.checked_add(1)?;
    index_q64.checked_add(crate::math::mul_div_ceil(index_q64, growth, Q64_ONE)?)
}

const _: () = assert!(Vault::SPACE <= 10_240);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn vault() -> Vault {
        let mut v: Vault = bytemuck::Zeroable::zeroed();
        v.borrow_index_q64 = Q64_ONE.into();
        v.curve = InterestCurve {
            base_rate_bps: 0,
            kink_rate_bps: 1_000,
            max_rate_bps: 10_000,
            kink_bps: 8_000,
            reserve_factor_bps: 1_000,
        };
        v
    }

    #[test]
    fn rate_rises_slowly_to_the_kink_and_steeply_beyond() {
        let curve = vault().curve;
        assert_eq!(
            [0, 4_000, 8_000, 9_000, 10_000, 20_000].map(|u| curve.rate_bps(Bps(u))),
            [0, 500, 1_000, 5_500, 10_000, 10_000]
        );
    }

    #[test]
    fn year_at_the_kink_costs_its_rate() {
        let mut v = vault();
        v.cash_amount = 200_000_000;
        v.debt_scaled = 800_000_000u128.into();
        v.accrue(YEAR_SECS as i64).unwrap();
        assert!((880_000_000..=880_000_001).contains(&v.debt_amount().unwrap()));
        assert_eq!(v.insurance_amount, 8_000_000);
    }

    #[test]
    fn write_off_is_met_by_the_insurance_first_and_then_lowers_the_share_price() {
        let mut v = vault();
        let mut p: Position = bytemuck::Zeroable::zeroed();
        (v.cash_amount, v.insurance_amount) = (500, 100);
        v.supply_shares = (1_000 * 1_000_000u128).into();
        (v.debt_scaled, p.debt_scaled) = (600u128.into(), 300u128.into());
        assert_eq!(v.lenders_amount().unwrap(), 1_000);
        assert_eq!(v.write_off(&mut p).unwrap(), (300, 100));
        assert_eq!((v.lenders_amount().unwrap(), v.debt_amount().unwrap(), p.is_empty()), (800, 300, true));
    }

    proptest! {
        #[test]
        fn accrual_often_is_close_to_accrual_once_and_never_below(parts in prop::collection::vec(1i64..5_000, 1..60), debt in 1u64..1_000_000_000_000) {
            let mut often = vault();
            often.cash_amount = debt / 4;
            often.debt_scaled = u128::from(debt).into();
            let mut once = often;
            let mut now = 0;
            for part in parts {
                now += part;
                often.accrue(now).unwrap();
            }
            once.accrue(now).unwrap();
            let (a, b) = (often.debt_amount().unwrap(), once.debt_amount().unwrap());
            prop_assert!(a + 1 >= b);
            prop_assert!(a - b.min(a) <= debt / 1_000 + 2);
        }
    }
}
