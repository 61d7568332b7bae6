//! Another program's place under a guard: its limits, its level and who may charge it.

use crate::constants::INTEGRATION_SEED;
use crate::error::RampartError;
use crate::math::bps::{BPS_ONE, Bps};
use crate::refuse::require;
use crate::risk::gate::{Class, gate};
use crate::state::breaker::{Breaker, Levels};
use crate::state::flow_cap::{Flow, FlowCap, FlowCaps, Lane};
use crate::state::guard::HardBounds;
use crate::state::oracle_set::{Switch, stored_enum};
use anchor_lang::prelude::*;

/// How the value of an integration moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Mode {
    /// The integrator moves it, and records it in the same instruction.
    Reported = 1,
    /// The integration owns the token account: only `custody_transfer` moves it.
    Custody = 2,
    /// The integration is the mint authority: only `custody_mint` mints.
    Mint = 3,
}
stored_enum!(Mode { Reported, Custody, Mint });

/// What percentages are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum LimitBase {
    /// Nothing: limits are amounts alone.
    Absolute = 1,
    /// The balance of the pinned token account.
    Balance = 2,
    /// The supply of the mint.
    Supply = 3,
}
stored_enum!(LimitBase { Absolute, Balance, Supply });

/// What an integrator is about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ActionKind {
    /// Value out, without a debt behind it: a withdrawal.
    Exit = 1,
    /// Value out that makes new risk: a loan, a mint.
    NewRisk = 2,
    /// Value in: a deposit.
    Deposit = 3,
    /// Less risk: a repayment, more collateral.
    Cure = 4,
}
stored_enum!(ActionKind { Exit, NewRisk, Deposit, Cure });

impl ActionKind {
    /// Returns the class that the gate knows it as.
    pub fn class(self) -> Class {
        match self {
            Self::Exit => Class::Exit,
            Self::NewRisk => Class::RiskUp,
            Self::Deposit => Class::Neutral,
            Self::Cure => Class::RiskDown,
        }
    }

    /// Returns the lane that `levels` leave of it; `None` for actions that let nothing out.
    ///
    /// # Errors
    /// `LevelForbids`.
    pub fn lane(self, levels: Levels) -> core::result::Result<Option<Lane>, RampartError> {
        let pass = gate(self.class(), levels)?;
        Ok(match self {
            Self::Exit => Some(Lane::of_exit(pass)),
            Self::NewRisk => Some(Lane::Risk(pass.scale_bps())),
            Self::Deposit | Self::Cure => None,
        })
    }
}

/// One integrator's limits, level and authority. Nothing that it writes is shared with another.
#[account(zero_copy)]
#[derive(Debug, PartialEq, Eq)]
pub struct Integration {
    /// The guard it belongs to.
    pub guard: Pubkey,
    /// The integrator's program; the System program for a wallet.
    pub program: Pubkey,
    /// Who may charge it: an address that the integrator's program signs for, or a wallet.
    pub authority: Pubkey,
    /// The mint whose base units are counted.
    pub mint: Pubkey,
    /// The token account that is held, or whose balance is the base; the default key where the mode and base need none.
    pub token: Pubkey,
    /// Asset account whose level counts too, while `asset_switch` is enabled; else the default key.
    pub asset: Pubkey,
    /// Limits.
    pub caps: FlowCaps,
    /// What left.
    pub flow: Flow,
    /// Level of this integration alone.
    pub breaker: Breaker,
    /// Let out through exits since registration, base units. Saturates and decides nothing.
    pub exited_amount: u64,
    /// Let out as new risk since registration, base units. Saturates and decides nothing.
    pub risked_amount: u64,
    /// Number within guard and program; part of the address.
    pub index: u16,
    /// [`Mode`].
    pub mode: u8,
    /// [`LimitBase`].
    pub base: u8,
    /// [`Switch`]: everything but enabled refuses.
    pub switch: u8,
    /// [`Switch`]: everything but disabled demands the asset account.
    pub asset_switch: u8,
    /// Decimals of the mint.
    pub decimals: u8,
    /// Layout version.
    pub version: u8,
    /// Extensions of the mint at registration, a bit per extension.
    pub extension_fingerprint: u64,
    /// Bump of the address.
    pub bump: u8,
    /// Who owns `token`, or is the mint authority: this account until it releases them. The default key where the mode
    /// holds nothing.
    pub holder: Pubkey,
    /// Zeros.
    pub reserved: [u8; 95],
}

impl Integration {
    /// Account size in bytes, with the discriminator.
    pub const SPACE: usize = 8 + core::mem::size_of::<Self>();

    /// Returns the seeds of the address, without the bump.
    pub fn seeds<'a>(guard: &'a Pubkey, program: &'a Pubkey, index: &'a [u8; 2]) -> [&'a [u8]; 4] {
        [INTEGRATION_SEED, guard.as_ref(), program.as_ref(), index]
    }

    /// Checks that the integration is in use.
    ///
    /// # Errors
    /// `IntegrationDisabled`, also for a stored value that no version knows.
    pub fn require_enabled(&self) -> Result<()> {
        require!(self.switch == Switch::Enabled as u8, RampartError::IntegrationDisabled);
        Ok(())
    }

    /// Checks that the integration, which is at `key`, holds what its mode says.
    ///
    /// # Errors
    /// `CustodyNotHeld` for a mode that holds nothing, or after a release.
    pub fn require_holding(&self, key: &Pubkey) -> Result<()> {
        let holds = self.mode != Mode::Reported as u8 && self.holder == *key;
        require!(holds, RampartError::CustodyNotHeld);
        Ok(())
    }

    /// Checks that `authority` may charge the integration under `guard` in `mode` now.
    ///
    /// One read of the account instead of a constraint each: a constraint loads it anew.
    ///
    /// # Errors
    /// `IntegrationMismatch`, `WrongAuthority`, `IntegrationDisabled`, `IntegrationModeForbids`.
    pub fn require_chargeable(&self, guard: &Pubkey, authority: &Pubkey, mode: Mode) -> Result<()> {
        require!(self.guard == *guard, RampartError::IntegrationMismatch);
        require!(self.authority == *authority, RampartError::WrongAuthority);
        self.require_enabled()?;
        require!(self.mode == mode as u8, RampartError::IntegrationModeForbids);
        Ok(())
    }

    /// Charges an outflow, and notes what is left of the base.
    ///
    /// # Units
    /// `held`: what the base account holds before the outflow, base units; `None` for an absolute base.
    ///
    /// # Errors
    /// `ZeroAmount`, `IntegrationModeForbids` for an action that lets nothing out, `LevelForbids`, `HourlyLimitReached`,
    /// `DailyLimitReached`, `UnknownStoredValue`.
    pub fn charge(
        &mut self,
        kind: ActionKind,
        amount: u64,
        levels: Levels,
        held: Option<u64>,
        now_ts: i64,
    ) -> Result<()> {
        require!(amount > 0, RampartError::ZeroAmount);
        let lane = kind.lane(levels)?.ok_or(RampartError::IntegrationModeForbids)?;
        self.flow.charge(amount, lane, &self.caps, now_ts)?;
        if let Some(held) = held {
            self.flow.base.note(match Mode::try_from(self.mode)? {
                Mode::Mint => held.saturating_add(amount),
                // a transfer leaves the supply as it is
                _ if self.base == LimitBase::Supply as u8 => held,
                Mode::Reported | Mode::Custody => held.saturating_sub(amount),
            });
        }
        let total = if kind == ActionKind::Exit { &mut self.exited_amount } else { &mut self.risked_amount };
        *total = total.saturating_add(amount);
        Ok(())
    }

    /// Checks mode, base and limits against each other and against the guard's hard bounds.
    ///
    /// The three budgets together stay within the guard's shares: of the base where there is one, of the mint's supply
    /// where limits are amounts. A mint without a supply has nobody to dilute yet.
    ///
    /// # Errors
    /// `UnknownKind`, `IntegrationInvalid`, `FlowCapsInvalid`, `OutsideHardBounds`.
    pub fn validate(&self, bounds: &HardBounds, supply: u64) -> Result<()> {
        let mode = Mode::try_from(self.mode).map_err(|_| RampartError::UnknownKind)?;
        let base = LimitBase::try_from(self.base).map_err(|_| RampartError::UnknownKind)?;
        require!(mode != Mode::Mint || base != LimitBase::Balance, RampartError::IntegrationInvalid);
        require!(mode != Mode::Custody || base != LimitBase::Supply, RampartError::IntegrationInvalid);
        self.caps.validate()?;
        let none = FlowCap::default();
        let (exit, floor) = (self.caps.exit, self.caps.floor);
        if mode == Mode::Mint {
            // nobody leaves by minting
            require!(exit == none && floor == none && self.caps.risk != none, RampartError::FlowCapsInvalid);
        } else {
            let least = share(exit.daily_amount, bounds.min_exit_floor_bps);
            let floor_stands = floor.hourly_amount >= 2 && floor.daily_amount >= least;
            require!(floor_stands, RampartError::FlowCapsInvalid);
            let rate_stands = base == LimitBase::Absolute || floor.daily_bps >= bounds.min_exit_floor_bps;
            require!(rate_stands, RampartError::OutsideHardBounds);
        }
        self.require_within(base, mode, bounds, supply)
    }

    fn require_within(&self, base: LimitBase, mode: Mode, bounds: &HardBounds, supply: u64) -> Result<()> {
        let all = self.caps.all();
        let sum = |of: fn(&FlowCap) -> u64| all.iter().fold(0u64, |sum, cap| sum.saturating_add(of(cap)));
        let (hourly_bps, daily_bps) = (sum(|c| c.hourly_bps.into()), sum(|c| c.daily_bps.into()));
        let has_bps = hourly_bps > 0 || daily_bps > 0;
        require!(has_bps != (base == LimitBase::Absolute), RampartError::FlowCapsInvalid);
        require!(hourly_bps <= bounds.max_hourly_outflow_bps.into(), RampartError::OutsideHardBounds);
        require!(daily_bps <= bounds.max_daily_outflow_bps.into(), RampartError::OutsideHardBounds);
        if mode == Mode::Mint && supply == 0 {
            return Ok(());
        }
        let (hourly, daily) = (sum(|c| c.hourly_amount), sum(|c| c.daily_amount));
        require!(hourly <= share(supply, bounds.max_hourly_outflow_bps), RampartError::OutsideHardBounds);
        require!(daily <= share(supply, bounds.max_daily_outflow_bps), RampartError::OutsideHardBounds);
        Ok(())
    }
}

/// Rounded up; `bps` is at most one whole.
fn share(amount: u64, bps: u16) -> u64 {
    debug_assert!(u64::from(bps) <= BPS_ONE);
    Bps(bps.into()).of_ceil(amount.into()).and_then(|a| u64::try_from(a).ok()).unwrap_or(amount)
}

const _: () = assert!(Integration::SPACE <= 10_240);
