//! Charges what leaves a position without debt behind it: the exit budget first, then the exit floor.

use crate::instructions::shared::{effective_levels, episode};
use crate::risk::gate::{Class, Pass, gate};
use crate::state::flow::{FlowLimits, Outflow, OutflowLimiter};
use crate::state::position::{ExitFloor, FloorTime};
use crate::state::{Asset, Guard, Level, Purse, Vault};
use anchor_lang::prelude::*;

/// What the levels in force leave of exits.
#[derive(Clone, Copy)]
pub struct ExitPass {
    scale_bps: Option<u16>,
    floor_bps: u16,
    time: FloorTime,
}

impl ExitPass {
    /// Passes the gate for exits.
    ///
    /// # Errors
    /// `LevelForbids` in Resolution.
    pub fn new(guard: &Guard, vault: &Vault, assets: [&Asset; 2], now_ts: i64) -> Result<Self> {
        let levels = effective_levels(guard, vault, assets, now_ts);
        let scale_bps = match gate(Class::Exit, levels)? {
            Pass::Floor => None,
            Pass::Scaled(scale_bps) => Some(scale_bps),
            Pass::Full | Pass::TwoSources => Some(10_000),
        };
        let is_restricted = levels.exit >= Level::ReduceOnly;
        let time = FloorTime { episode: episode(guard, vault, assets), is_restricted, now_ts };
        Ok(Self { scale_bps, floor_bps: vault.limits.exit_floor_bps, time })
    }

    /// Charges what is `taken` to the limiter and the lease: within the level's share of the exit budget, else through the
    /// exit floor.
    ///
    /// The floor is open at every level, so that a day on which others used the budget up is no worse for a position than
    /// a halt. It needs no lease: of what the vault has leased it uses what is there, and nothing refuses it for the rest.
    ///
    /// # Errors
    /// `LeaseTooSmall`, `LeasePriceOld`, `HourlyLimitReached`, `DailyLimitReached`, `ExitFloorUsed`.
    pub fn charge(
        self,
        (limiter, purse): (&mut OutflowLimiter, &mut Purse),
        limits: &FlowLimits,
        floor: &mut ExitFloor,
        taken: Taken,
    ) -> Result<()> {
        let now_ts = self.time.now_ts;
        if let Some(scale_bps) = self.scale_bps {
            let refusal = match charge_within(limiter, purse, taken.amount, Outflow::Exit { scale_bps }, limits, now_ts)
            {
                Ok(()) => return Ok(()),
                Err(refusal) => refusal,
            };
            if floor.take(taken.units, taken.held_units, self.floor_bps, self.time).is_err() {
                return Err(refusal);
            }
        } else {
            floor.take(taken.units, taken.held_units, self.floor_bps, self.time)?;
        }
        limiter.charge(taken.amount, Outflow::Floor, limits, now_ts)?;
        purse.charge_what_is_there(taken.amount, now_ts);
        Ok(())
    }
}

/// Charges both, or neither.
fn charge_within(
    limiter: &mut OutflowLimiter,
    purse: &mut Purse,
    amount: u64,
    outflow: Outflow,
    limits: &FlowLimits,
    now_ts: i64,
) -> Result<()> {
    let cost = purse.quote(amount, now_ts)?;
    limiter.charge(amount, outflow, limits, now_ts)?;
    purse.pay(cost);
    Ok(())
}

/// What leaves a position.
#[derive(Clone, Copy)]
pub struct Taken {
    /// Base units, net of the position's own recent inflow: what the limiter is charged with.
    pub amount: u64,
    /// Shares, or base units of collateral.
    pub units: u128,
    /// What the position held of them.
    pub held_units: u128,
}
