//! The dollar limit over all vaults of a guard, leased to them.
//!
//! # The bound
//! Let W be the window, 24 cells long, and L the limit. Live leases (granted, not given back, of the newest 24 cells) are
//! at most L/2 at every grant. Take any window [a, a + W), and let a lie in cell c:
//! - what leaves in it on leases of cells up to c: these leases are granted by the end of c, and whichever of them can be
//!   used at a or later are of the cells c - 23 to c, live together at the end of c: at most L/2;
//! - what leaves in it on leases of later cells: those are of the cells c + 1 to c + 24, of which the window touches only
//!   the part before a + W in the last; all are live together then: at most L/2.
//!
//! Together L. Giving back moves only what was not used, and a change of the limit keeps every cell.

use crate::constants::{DAY_SECS, HOUR_SECS, LEASE_CELLS, MICRO_USD, MIN_AGGREGATE_MICRO_USD, OUTFLOW_HAIRCUT_BPS};
use crate::error::RampartError;
use crate::math::bps::{BPS_ONE, part};
use crate::math::{Price, mul_div_ceil};
use crate::oracle::PriceBand;
use crate::refuse::require;
use crate::state::asset::Asset;
use crate::state::flow::{DayBase, FlowLimits};
use crate::state::lease::{LeaseRing, PairCost};
use crate::state::oracle_set::Switch;
use crate::state::step_meter::StepMeter;
use crate::state::vault::Vault;
use anchor_lang::prelude::*;

/// How much may leave all vaults of a guard together.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, bytemuck::Pod, bytemuck::Zeroable)]
pub struct AggregateParams {
    /// L: the most that leaves within any window, micro-dollars; live leases are at most half of it.
    pub limit_micro_usd: u64,
    /// W, seconds: a multiple of 24, an hour to a week. Fixed at creation.
    pub window_secs: u32,
    /// The part of L/2 that one vault may have leased, bps.
    pub vault_share_bps: u16,
    /// [`Switch`].
    pub switch: u8,
    /// Zeros.
    pub reserved: [u8; 1],
}

impl AggregateParams {
    /// Checks that the limit binds and leaves room.
    ///
    /// # Errors
    /// `AggregateInvalid`, `UnknownKind`.
    pub fn validate(&self) -> Result<()> {
        require!(self.reserved == [0; 1], RampartError::UnknownKind);
        Switch::try_from(self.switch).map_err(|_| RampartError::UnknownKind)?;
        let windows = HOUR_SECS as u32..=7 * DAY_SECS as u32;
        let fits = windows.contains(&self.window_secs) && self.window_secs.is_multiple_of(LEASE_CELLS as u32);
        let shares = 1..=BPS_ONE as u16;
        let binds = self.limit_micro_usd >= MIN_AGGREGATE_MICRO_USD && shares.contains(&self.vault_share_bps);
        require!(fits && binds, RampartError::AggregateInvalid);
        Ok(())
    }

    /// Returns the length of a cell, seconds.
    pub fn cell_secs(&self) -> u32 {
        self.window_secs / LEASE_CELLS as u32
    }

    /// Returns the most that may be leased at once, micro-dollars, rounded down.
    pub fn most_leased(&self) -> u64 {
        self.limit_micro_usd / 2
    }

    /// Returns the most that one vault may have leased at once, micro-dollars, rounded down.
    pub fn most_of_a_vault(&self) -> u64 {
        part(self.most_leased(), self.vault_share_bps)
    }
}

/// The dollar limit of a guard. Written by leases and by what gives them back, by no outflow.
#[account(zero_copy)]
#[derive(Debug, PartialEq, Eq)]
pub struct AggregateLimit {
    /// The guard.
    pub guard: Pubkey,
    /// How much, in which window.
    pub params: AggregateParams,
    /// What is leased: of all vaults together.
    pub leased: LeaseRing,
    /// What tightenings at once have used of their daily step.
    pub tightened: StepMeter,
    /// Layout version.
    pub version: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Zeros.
    pub reserved: [u8; 126],
}

impl AggregateLimit {
    /// Account size in bytes, with the discriminator.
    pub const SPACE: usize = 8 + core::mem::size_of::<Self>();

    /// Returns the cell of `now_ts`, or a later one that the limit or `vault` has seen: a clock that went back must not
    /// part what they count.
    fn cell_at(&self, vault: &Vault, now_ts: i64) -> i64 {
        let cell = now_ts.div_euclid(i64::from(self.params.cell_secs().max(1)));
        cell.max(self.leased.newest_cell).max(vault.lease.newest_cell())
    }

    /// Leases `amount` to `vault` and fixes what its base units cost; nothing, to fix the costs alone.
    ///
    /// # Units
    /// Micro-dollars. Returns when the lease is over, unix seconds.
    ///
    /// # Errors
    /// `LeaseBeyondNeed` for more than could leave the vault within an hour, with what it has unused; `LeaseShareReached`
    /// beyond the vault's share; `AggregateLimitReached`.
    pub fn lease(&mut self, vault: &mut Vault, amount: u64, cost: PairCost, now_ts: i64) -> Result<i64> {
        let cell = self.cell_at(vault, now_ts);
        let cell_secs = self.params.cell_secs();
        self.leased.settle(cell);
        vault.lease.settle(cell, cell_secs, cost, now_ts);
        if amount > 0 {
            let within = |held: u64, most: u64| held.checked_add(amount).is_some_and(|all| all <= most);
            let need = leaves_in_an_hour(vault, cost, now_ts);
            require!(within(vault.lease.unused.total(), need), RampartError::LeaseBeyondNeed);
            let share = self.params.most_of_a_vault();
            require!(within(vault.lease.granted.total(), share), RampartError::LeaseShareReached);
            self.leased.grant(amount, self.params.most_leased())?;
            vault.lease.add(amount);
        }
        let over_cell = cell.saturating_add(LEASE_CELLS as i64);
        Ok(over_cell.saturating_mul(cell_secs.into()))
    }

    /// Takes back what `vault` has left unused for a whole cell; returns how much, micro-dollars.
    ///
    /// # Errors
    /// `NothingToReturn`.
    pub fn take_back(&mut self, vault: &mut Vault, now_ts: i64) -> Result<u64> {
        let cell = self.cell_at(vault, now_ts);
        let given = vault.lease.give_back(&mut self.leased, cell);
        require!(given > 0, RampartError::NothingToReturn);
        Ok(given)
    }
}

/// What could leave `vault` within an hour at its limits of now, both mints together, micro-dollars: the most that it can
/// need.
fn leaves_in_an_hour(vault: &Vault, cost: PairCost, now_ts: i64) -> u64 {
    let hour = |limits: &FlowLimits, mut base: DayBase, held: u64| {
        base.settle(now_ts);
        let [exit, _, risk, _] = limits.allowed(base.amount);
        exit.saturating_add(risk).min(held)
    };
    let loan = hour(&vault.limits.loan_flow, vault.loan_flow.base, vault.cash_amount);
    let collateral = hour(&vault.limits.collateral_flow, vault.collateral_flow.base, vault.collateral_amount);
    cost.loan.cost(loan).saturating_add(cost.collateral.cost(collateral))
}

/// Returns the price at which what leaves is counted: the upper end of what the sources agree on, or the reference where
/// that is higher. Without an agreed price the highest reference that is stored, however old, and a haircut on top.
///
/// # Units
/// US dollars for one whole token.
///
/// # Errors
/// `PriceIndeterminate` for an asset that was never observed and has no agreed price: unknown is never free.
pub fn price_of_outflow(
    asset: &Asset,
    band: core::result::Result<PriceBand, RampartError>,
    now_ts: i64,
) -> core::result::Result<Price, RampartError> {
    if let Ok(band) = band {
        return Ok(asset.reference_price(now_ts).map_or(band.hi, |reference| band.hi.max(reference)));
    }
    let anchors = asset.anchors.iter().map(|anchor| anchor.price_q64.get());
    let frozen = anchors.fold(asset.reference.price_q64.get(), u128::max);
    let one = u128::from(BPS_ONE);
    let raised = mul_div_ceil(frozen, one + u128::from(OUTFLOW_HAIRCUT_BPS), one);
    let price = Price::from_q64(raised.ok_or(RampartError::PriceOutOfRange)?);
    if frozen == 0 { Err(RampartError::PriceIndeterminate) } else { price }
}

const _: () = assert!(AggregateLimit::SPACE <= 10_240);
const _: () = assert!(MIN_AGGREGATE_MICRO_USD >= MICRO_USD);

#[cfg(test)]
mod tests;
