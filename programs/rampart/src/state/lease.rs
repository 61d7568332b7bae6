//! A vault's part of the guard's dollar limit: what it has leased, what is left of it, and what a base unit costs.
//!
//! Leases are kept on a grid of [`LEASE_CELLS`] cells of time to the window. What was granted in a cell is over when the
//! cell and 23 more have passed, for whoever holds it and for the limit alike: no lease outlives what it is counted for.

use crate::constants::{LEASE_CELLS, LEASE_PRICE_SECS, MICRO_USD};
use crate::error::RampartError;
use crate::math::price::{Q64_ONE, pow10};
use crate::math::{Price, U128, mul_div_ceil, mul_div_floor};
use crate::refuse::require;
use crate::state::guard::Guard;
use anchor_lang::prelude::*;

/// Dollars per cell of time, of the newest 24 cells.
///
/// # Units
/// Micro-dollars.
#[zero_copy]
#[derive(Debug, PartialEq, Eq)]
pub struct LeaseRing {
    /// Micro-dollars by the cell that they were granted in, at `cell % 24`.
    pub cells: [u64; LEASE_CELLS],
    /// The newest cell: unix seconds divided by the cell's length.
    pub newest_cell: i64,
}

impl Default for LeaseRing {
    fn default() -> Self {
        Self { cells: [0; LEASE_CELLS], newest_cell: 0 }
    }
}

impl LeaseRing {
    /// Moves the ring on to `cell` and forgets what is over; a clock that went back moves nothing.
    pub fn settle(&mut self, cell: i64) {
        let passed = cell.saturating_sub(self.newest_cell).clamp(0, LEASE_CELLS as i64);
        if passed == LEASE_CELLS as i64 {
            self.cells = [0; LEASE_CELLS];
        } else {
            for step in 0..passed {
                self.cells[index_of(cell - step)] = 0;
            }
        }
        self.newest_cell = self.newest_cell.max(cell);
    }

    /// Returns all that the settled ring holds.
    pub fn total(&self) -> u64 {
        self.cells.iter().fold(0u64, |sum, cell| sum.saturating_add(*cell))
    }

    /// Adds `amount` to the settled ring's newest cell.
    fn add(&mut self, amount: u64) {
        let cell = &mut self.cells[index_of(self.newest_cell)];
        *cell = cell.saturating_add(amount);
    }

    /// Takes `amount` off `cell`, which the settled ring holds.
    fn sub(&mut self, cell: i64, amount: u64) {
        let cell = &mut self.cells[index_of(cell)];
        *cell = cell.saturating_sub(amount);
    }

    /// Takes up to `amount` out, the oldest first: what ends soonest is used first.
    fn take(&mut self, amount: u64) {
        let mut left = amount;
        for back in (0..LEASE_CELLS as i64).rev() {
            if left == 0 {
                return;
            }
            let cell = &mut self.cells[index_of(self.newest_cell - back)];
            let taken = left.min(*cell);
            *cell -= taken;
            left -= taken;
        }
    }

    /// Grants `amount` in the settled ring's newest cell, if all that is live stays within `most`.
    ///
    /// # Errors
    /// `AggregateLimitReached`; the ring is as before.
    pub fn grant(&mut self, amount: u64, most: u64) -> Result<()> {
        let live = self.total().checked_add(amount).ok_or(RampartError::AggregateLimitReached)?;
        require!(live <= most, RampartError::AggregateLimitReached);
        self.add(amount);
        Ok(())
    }
}

fn index_of(cell: i64) -> usize {
    cell.rem_euclid(LEASE_CELLS as i64) as usize
}

/// What one base unit of a mint costs of a lease.
///
/// # Units
/// Micro-dollars per base unit, U64.64, rounded up; never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitCost(u128);

impl UnitCost {
    /// Returns the cost at `price`, dollars for one whole token of `decimals`.
    ///
    /// # Errors
    /// `PriceOutOfRange`.
    pub fn of(price: Price, decimals: u8) -> core::result::Result<Self, RampartError> {
        let units = pow10(decimals).ok_or(RampartError::PriceOutOfRange)?;
        mul_div_ceil(price.q64(), MICRO_USD.into(), units).map(Self).ok_or(RampartError::PriceOutOfRange)
    }

    /// Returns what `amount` base units cost, micro-dollars, rounded up; beyond 64 bits the largest number.
    pub fn cost(self, amount: u64) -> u64 {
        let cost = mul_div_ceil(amount.into(), self.0, Q64_ONE);
        cost.and_then(|c| u64::try_from(c).ok()).unwrap_or(u64::MAX)
    }

    /// Returns how many base units `micro_usd` pays for, rounded down.
    pub fn units(self, micro_usd: u64) -> u64 {
        let units = mul_div_floor(micro_usd.into(), Q64_ONE, self.0);
        units.and_then(|u| u64::try_from(u).ok()).unwrap_or(u64::MAX)
    }
}

/// Which of a vault's mints leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaving {
    /// The loan mint.
    Loan,
    /// The collateral mint.
    Collateral,
}

/// What both mints of a vault cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairCost {
    /// A base unit of the loan mint.
    pub loan: UnitCost,
    /// A base unit of the collateral mint.
    pub collateral: UnitCost,
}

/// What a vault has leased of the guard's dollar limit. Every outflow writes its vault, and no account of all vaults.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Lease {
    /// What was granted and not given back, micro-dollars.
    pub granted: LeaseRing,
    /// What of it is unused, micro-dollars.
    pub unused: LeaseRing,
    /// Cost of a base unit of the loan mint, micro-dollars, U64.64.
    pub loan_cost_q64: U128,
    /// Cost of a base unit of the collateral mint, micro-dollars, U64.64.
    pub collateral_cost_q64: U128,
    /// When both costs were read from the prices, unix seconds.
    pub priced_at_ts: i64,
    /// Length of a cell, seconds: a 24th of the limit's window. Zero before the first lease.
    pub cell_secs: u32,
    /// Zeros.
    pub reserved: [u8; 4],
}

impl Lease {
    /// Takes the costs of `now_ts` and moves both rings on to `cell`.
    pub fn settle(&mut self, cell: i64, cell_secs: u32, cost: PairCost, now_ts: i64) {
        self.granted.settle(cell);
        self.unused.settle(cell);
        self.cell_secs = cell_secs;
        self.loan_cost_q64 = cost.loan.0.into();
        self.collateral_cost_q64 = cost.collateral.0.into();
        self.priced_at_ts = now_ts.max(self.priced_at_ts);
    }

    /// Adds a grant to the settled lease.
    pub fn add(&mut self, amount_micro_usd: u64) {
        self.granted.add(amount_micro_usd);
        self.unused.add(amount_micro_usd);
    }

    /// Gives what has lain unused for a whole cell back to `leased`, the limit's ring, and returns how much that was.
    ///
    /// What was granted in the present cell or the one before stays: whoever leased it has at least a cell to use it.
    pub fn give_back(&mut self, leased: &mut LeaseRing, cell: i64) -> u64 {
        for ring in [&mut self.granted, &mut self.unused, &mut *leased] {
            ring.settle(cell);
        }
        let mut given = 0u64;
        for cell in cell - LEASE_CELLS as i64 + 1..cell - 1 {
            let unused = self.unused.cells[index_of(cell)];
            for ring in [&mut self.granted, &mut self.unused, &mut *leased] {
                ring.sub(cell, unused);
            }
            given = given.saturating_add(unused);
        }
        given
    }

    /// Returns the newest cell that either ring has seen.
    pub fn newest_cell(&self) -> i64 {
        self.granted.newest_cell.max(self.unused.newest_cell)
    }

    /// Moves what is unused on to `now_ts`.
    fn settle_unused(&mut self, now_ts: i64) {
        if self.cell_secs > 0 {
            self.unused.settle(now_ts.div_euclid(self.cell_secs.into()));
        }
    }

    fn cost_of(&self, leaving: Leaving) -> UnitCost {
        UnitCost(match leaving {
            Leaving::Loan => self.loan_cost_q64.get(),
            Leaving::Collateral => self.collateral_cost_q64.get(),
        })
    }

    /// Checks that a price is fixed and not too old.
    fn require_priced(&self, now_ts: i64) -> Result<()> {
        require!(self.cell_secs > 0, RampartError::LeaseTooSmall);
        let age_secs = now_ts.saturating_sub(self.priced_at_ts);
        require!(age_secs <= LEASE_PRICE_SECS, RampartError::LeasePriceOld);
        Ok(())
    }
}

/// What an outflow is paid from: the vault's lease, where the guard's dollar limit is in force.
pub struct Purse<'a> {
    lease: Option<&'a mut Lease>,
    leaving: Leaving,
}

impl<'a> Purse<'a> {
    /// Returns the purse for what leaves a vault of `guard`.
    ///
    /// Whether the limit is in force says the guard itself: no caller can leave it out.
    pub fn of(guard: &Guard, lease: &'a mut Lease, leaving: Leaving) -> Self {
        Self { lease: guard.has_aggregate_in_force().then_some(lease), leaving }
    }

    /// Returns what `amount` base units cost, if the lease has that; micro-dollars. Nothing costs nothing.
    ///
    /// # Errors
    /// `LeaseTooSmall`, `LeasePriceOld`.
    pub fn quote(&mut self, amount: u64, now_ts: i64) -> Result<u64> {
        let Some(lease) = self.lease.as_deref_mut().filter(|_| amount > 0) else { return Ok(0) };
        lease.require_priced(now_ts)?;
        lease.settle_unused(now_ts);
        let cost = lease.cost_of(self.leaving).cost(amount);
        require!(cost <= lease.unused.total(), RampartError::LeaseTooSmall);
        Ok(cost)
    }

    /// Takes a quoted cost out.
    pub fn pay(&mut self, micro_usd: u64) {
        if let Some(lease) = self.lease.as_deref_mut() {
            lease.unused.take(micro_usd);
        }
    }

    /// Takes the cost of `amount` base units out.
    ///
    /// # Errors
    /// `LeaseTooSmall`, `LeasePriceOld`.
    pub fn charge(&mut self, amount: u64, now_ts: i64) -> Result<()> {
        let cost = self.quote(amount, now_ts)?;
        self.pay(cost);
        Ok(())
    }

    /// Takes out what the lease has of the cost of `amount` base units: for the exit floor, which nothing refuses.
    pub fn charge_what_is_there(&mut self, amount: u64, now_ts: i64) {
        if let Some(lease) = self.lease.as_deref_mut().filter(|l| l.cell_secs > 0) {
            lease.settle_unused(now_ts);
            lease.unused.take(lease.cost_of(self.leaving).cost(amount));
        }
    }

    /// Returns how many base units can be charged now; without a limit in force as many as there are numbers.
    ///
    /// # Errors
    /// `LeaseTooSmall` where that is none, `LeasePriceOld`.
    pub fn room(&mut self, now_ts: i64) -> Result<u64> {
        let Some(lease) = self.lease.as_deref_mut() else { return Ok(u64::MAX) };
        lease.require_priced(now_ts)?;
        lease.settle_unused(now_ts);
        let room = lease.cost_of(self.leaving).units(lease.unused.total());
        require!(room > 0, RampartError::LeaseTooSmall);
        Ok(room)
    }
}

const _: () = assert!(core::mem::size_of::<Lease>() == 448);

#[cfg(test)]
mod tests;
