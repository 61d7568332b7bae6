//! How much less new risk a vault takes as its collateral gets rougher or its market thinner.
//!
//! Two sources tighten, and the stricter one holds: the collateral's own volatility, proved at each use, and what a quorum
//! of keepers reports, proved by `scale_risk`. Neither goes below the floors, and neither touches a position that stands:
//! lines of liquidation don't move.

use crate::constants::{CUT_EASE_HOUR_BPS, DAY_SECS, HOUR_SECS, MAX_CUT_DAY_BPS, MAX_CUT_HOUR_BPS, MAX_REPORTED_SECS};
use crate::error::RampartError;
use crate::math::bps::{BPS_ONE, Bps};
use crate::refuse::require;
use crate::state::oracle_set::{Switch, stored_enum};
use crate::state::report::ReportPart;
use crate::state::rule::Comparator;
use crate::state::window::Window;
use anchor_lang::prelude::*;

/// What is scaled down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ScaleTarget {
    /// The loan-to-value limit for new risk.
    Ltv = 1,
    /// The borrow cap.
    BorrowCap = 2,
}
stored_enum!(ScaleTarget { Ltv, BorrowCap });

/// How the collateral's own volatility lowers the loan-to-value limit for new risk.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, bytemuck::Pod, bytemuck::Zeroable)]
pub struct VolatilityScale {
    /// The span that volatility is measured over, seconds. One that the asset's window can't hold is never known.
    pub span_secs: u32,
    /// Volatility over the span up to which nothing is taken off, bps.
    pub calm_bps: u16,
    /// What is taken off for each 10_000 bps of volatility beyond calm, bps.
    pub slope_bps: u16,
    /// [`Switch`].
    pub switch: u8,
    /// Zeros.
    pub reserved: [u8; 3],
}

impl VolatilityScale {
    /// Returns what `window` takes off at `now_ts`, bps, rounded up; all where too little was seen to know.
    fn cut_bps(&self, window: &Window, now_ts: i64) -> u16 {
        if self.switch != Switch::Enabled as u8 {
            return 0;
        }
        match window.volatility(self.span_secs, now_ts) {
            Some(Bps(volatility)) => beyond(volatility.saturating_sub(self.calm_bps.into()), self.slope_bps),
            None => BPS_ONE as u16,
        }
    }
}

/// How a part of the keepers' reports lowers a limit.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, bytemuck::Pod, bytemuck::Zeroable)]
pub struct KeeperScale {
    /// The median up to which, or down to which, nothing is taken off, bps.
    pub calm_bps: u16,
    /// What is taken off for each 10_000 bps of the median beyond calm, bps.
    pub slope_bps: u16,
    /// The most that may be taken off within any hour, bps; half of it at once.
    pub hour_bps: u16,
    /// The most that may be taken off within any day, bps; half of it at once.
    pub day_bps: u16,
    /// [`ReportPart`].
    pub part: u8,
    /// [`Switch`].
    pub switch: u8,
    /// Zeros.
    pub reserved: [u8; 2],
}

impl KeeperScale {
    /// Tells whether it is in use.
    pub fn is_on(&self) -> bool {
        self.switch == Switch::Enabled as u8
    }

    /// Returns what a median asks to take off, bps, rounded up.
    ///
    /// # Errors
    /// `UnknownStoredValue`.
    pub fn wanted_bps(&self, median_bps: u16) -> core::result::Result<u16, RampartError> {
        let gap = match ReportPart::try_from(self.part)?.danger_side() {
            Comparator::Above => median_bps.saturating_sub(self.calm_bps),
            Comparator::Below => self.calm_bps.saturating_sub(median_bps),
        };
        Ok(beyond(gap.into(), self.slope_bps))
    }

    fn validate(&self, parts: &[ReportPart]) -> Result<()> {
        require!(self.reserved == [0; 2], RampartError::UnknownKind);
        Switch::try_from(self.switch).map_err(|_| RampartError::UnknownKind)?;
        let part = ReportPart::try_from(self.part).map_err(|_| RampartError::UnknownKind)?;
        // half of an hour's is the most that one call takes, so that it is at least one
        let steps = self.hour_bps >= 2
            && self.hour_bps <= MAX_CUT_HOUR_BPS
            && self.hour_bps <= self.day_bps
            && self.day_bps <= MAX_CUT_DAY_BPS;
        let calm = u64::from(self.calm_bps) <= BPS_ONE && self.slope_bps > 0;
        require!(parts.contains(&part) && steps && calm, RampartError::ScaleInvalid);
        Ok(())
    }
}

/// `slope` for each whole of `gap`, rounded up, at most all.
fn beyond(gap_bps: u32, slope_bps: u16) -> u16 {
    let cut = (u64::from(gap_bps) * u64::from(slope_bps)).div_ceil(BPS_ONE);
    cut.min(BPS_ONE) as u16
}

/// How limits on new risk follow the market.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, bytemuck::Pod, bytemuck::Zeroable)]
pub struct RiskScale {
    /// By volatility: the loan-to-value limit.
    pub volatility: VolatilityScale,
    /// By keepers' reports: the loan-to-value limit.
    pub ltv: KeeperScale,
    /// By keepers' reports: the borrow cap.
    pub cap: KeeperScale,
    /// What is always left of the loan-to-value limit, bps of the collateral's value.
    pub floor_ltv_bps: u16,
    /// What is always left of the borrow cap, bps of it.
    pub floor_cap_bps: u16,
}

impl RiskScale {
    /// Returns a scale that takes nothing off, of a vault with this limit.
    pub fn off(ltv_bps: u16) -> Self {
        let keepers = |part: ReportPart, calm_bps| KeeperScale {
            calm_bps,
            slope_bps: BPS_ONE as u16,
            hour_bps: 500,
            day_bps: 1_500,
            part: part as u8,
            switch: Switch::Disabled as u8,
            reserved: [0; 2],
        };
        Self {
            volatility: VolatilityScale {
                span_secs: HOUR_SECS as u32,
                calm_bps: 200,
                slope_bps: BPS_ONE as u16,
                switch: Switch::Disabled as u8,
                reserved: [0; 3],
            },
            ltv: keepers(ReportPart::Volatility, BPS_ONE as u16),
            cap: keepers(ReportPart::Liquidity, 0),
            floor_ltv_bps: ltv_bps,
            floor_cap_bps: BPS_ONE as u16,
        }
    }

    /// Checks steps, parts and floors.
    ///
    /// # Errors
    /// `ScaleInvalid`; `UnknownKind` for undecodable enums and reserved bytes that are set.
    pub fn validate(&self) -> Result<()> {
        let volatility = &self.volatility;
        require!(volatility.reserved == [0; 3], RampartError::UnknownKind);
        Switch::try_from(volatility.switch).map_err(|_| RampartError::UnknownKind)?;
        self.ltv.validate(&[ReportPart::Score, ReportPart::Volatility])?;
        self.cap.validate(&[ReportPart::Liquidity])?;
        let floors = [self.floor_ltv_bps, self.floor_cap_bps];
        let fits = volatility.span_secs > 0
            && volatility.slope_bps > 0
            && floors.iter().all(|floor| (1..=BPS_ONE).contains(&u64::from(*floor)));
        require!(fits, RampartError::ScaleInvalid);
        Ok(())
    }

    /// Returns what is left of a loan-to-value limit of `full_bps` once `window` and the keepers' `cut` took off theirs.
    pub fn ltv_bps(&self, full_bps: u16, cut: &KeeperCut, window: &Window, now_ts: i64) -> u16 {
        let reported = if self.ltv.is_on() { cut.bps_at(now_ts) } else { 0 };
        // both look at the same market: the deeper one, not their sum
        let taken = reported.max(self.volatility.cut_bps(window, now_ts));
        full_bps.saturating_sub(taken).max(self.floor_ltv_bps.min(full_bps))
    }

    /// Returns what is left of a borrow cap of `full_amount` once the keepers' `cut` took off its share, rounded down.
    pub fn borrow_cap(&self, full_amount: u64, cut: &KeeperCut, now_ts: i64) -> u64 {
        let taken = if self.cap.is_on() { cut.bps_at(now_ts) } else { 0 };
        let share = (BPS_ONE as u16).saturating_sub(taken).max(self.floor_cap_bps);
        Bps(share.into()).of_floor(full_amount.into()).and_then(|amount| u64::try_from(amount).ok()).unwrap_or(0)
    }
}

/// What keepers' reports have taken off a limit, until when, and what of the steps is used.
///
/// The meters are leaky buckets of half a limit that leak as much per window, as in [`crate::math::limiter`]: any hour and
/// any day stay within the whole of it, and n calls come to the same as one.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct KeeperCut {
    /// From then on nothing is taken off, unix seconds.
    pub expires_at_ts: i64,
    /// When it last moved and its meters leaked, unix seconds.
    pub moved_at_ts: i64,
    /// What is used of the hour's step, bps times the seconds of an hour.
    pub hour_used: u32,
    /// What is used of the day's step, bps times the seconds of a day.
    pub day_used: u32,
    /// What is taken off, bps.
    pub cut_bps: u16,
    /// Zeros.
    pub reserved: [u8; 6],
}

impl KeeperCut {
    /// Returns what is taken off at `now_ts`, bps.
    pub fn bps_at(&self, now_ts: i64) -> u16 {
        if now_ts < self.expires_at_ts { self.cut_bps } else { 0 }
    }

    /// Lets the meters leak until `now_ts` by the steps that were in force: new steps count from now on.
    pub fn settle(&mut self, scale: &KeeperScale, now_ts: i64) {
        let elapsed_secs = u64::try_from(now_ts.saturating_sub(self.moved_at_ts)).unwrap_or(0);
        let leaked = |used: u32, limit_bps: u16| {
            let leaked = u64::from(limit_bps / 2).saturating_mul(elapsed_secs);
            u64::from(used).saturating_sub(leaked) as u32
        };
        self.hour_used = leaked(self.hour_used, scale.hour_bps);
        self.day_used = leaked(self.day_used, scale.day_bps);
        self.moved_at_ts = self.moved_at_ts.max(now_ts);
    }

    /// What the settled meters leave, bps.
    fn room_bps(&self, scale: &KeeperScale) -> u16 {
        let room = |limit_bps: u16, used: u32, secs: i64| {
            let secs = secs as u64;
            (u64::from(limit_bps / 2) * secs).saturating_sub(used.into()) / secs
        };
        let left = room(scale.hour_bps, self.hour_used, HOUR_SECS).min(room(scale.day_bps, self.day_used, DAY_SECS));
        left as u16
    }

    /// Follows a median that a quorum was last heard with at `heard_ts`: down by what the steps leave, back by
    /// [`CUT_EASE_HOUR_BPS`] an hour at most. It then holds for [`MAX_REPORTED_SECS`] from `heard_ts` on: reports that are
    /// shown again prolong nothing.
    ///
    /// # Errors
    /// `ScaleStepUsed` where the median asks for more and no step is left, `ScaleUnchanged` where nothing would change.
    pub fn follow(&mut self, scale: &KeeperScale, wanted_bps: u16, heard_ts: i64, now_ts: i64) -> Result<()> {
        let current = self.bps_at(now_ts);
        let mut next = *self;
        next.settle(scale, now_ts);
        let added = wanted_bps.saturating_sub(current).min(next.room_bps(scale));
        let eased = current.saturating_sub(wanted_bps).min(self.eased_bps(now_ts));
        next.cut_bps = current + added - eased;
        // at most half a limit times its window: both fit
        next.hour_used += u32::from(added) * HOUR_SECS as u32;
        next.day_used += u32::from(added) * DAY_SECS as u32;
        let proved_until_ts = heard_ts.min(now_ts).saturating_add(MAX_REPORTED_SECS.into());
        next.expires_at_ts = if current > 0 { self.expires_at_ts.max(proved_until_ts) } else { proved_until_ts };
        if next.cut_bps == current {
            let is_renewed = current > 0 && next.expires_at_ts > self.expires_at_ts;
            require!(is_renewed || wanted_bps <= current, RampartError::ScaleStepUsed);
            require!(is_renewed, RampartError::ScaleUnchanged);
            // what has not moved goes on easing and leaking from where it was
            next = Self { expires_at_ts: next.expires_at_ts, ..*self };
        }
        *self = next;
        Ok(())
    }

    /// How much of a cut may be given back since it last moved, bps.
    fn eased_bps(&self, now_ts: i64) -> u16 {
        let elapsed_secs = u64::try_from(now_ts.saturating_sub(self.moved_at_ts)).unwrap_or(0);
        let eased = elapsed_secs.saturating_mul(CUT_EASE_HOUR_BPS.into()) / HOUR_SECS as u64;
        eased.min(BPS_ONE) as u16
    }
}

const _: () = assert!(core::mem::size_of::<RiskScale>() == 40 && core::mem::size_of::<KeeperCut>() == 32);

#[cfg(test)]
mod tests;
