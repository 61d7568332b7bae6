//! Rules that trip only together.

use crate::constants::{MAX_GROUP_AGE_SECS, MAX_GROUP_RULES, MAX_REPORTED_SECS};
use crate::error::RampartError;
use crate::refuse::require;
use crate::state::breaker::{Level, Reach};
use crate::state::guard::HardBounds;
use crate::state::oracle_set::Switch;
use crate::state::rule::Rule;
use anchor_lang::prelude::*;

/// What a group demands.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, bytemuck::Pod, bytemuck::Zeroable)]
pub struct GroupParams {
    /// How long the level holds, seconds.
    pub duration_secs: u32,
    /// How long before it may be stepped down, seconds.
    pub min_dwell_secs: u32,
    /// The longest ago that a rule may have been seen true, or clear, seconds.
    pub max_age_secs: u32,
    /// [`Level`], 1 to 3.
    pub level: u8,
    /// [`Switch`]: whether a trip may be paid for from the bounty vault.
    pub bounty: u8,
    /// Zeros.
    pub reserved: [u8; 2],
}

impl GroupParams {
    /// Checks the group against its guard's bounds and its rules, and returns what its cause holds up.
    ///
    /// All rules have to be true, so the group has no more power than the strongest of them: it narrows exits only where
    /// one of them may do so at that level.
    ///
    /// # Errors
    /// `UnknownKind`, `GroupInvalid`, `OutsideHardBounds`.
    pub fn validate(&self, bounds: &HardBounds, rules: &[Power]) -> Result<Reach> {
        require!(self.reserved == [0; 2], RampartError::UnknownKind);
        let level = Level::try_from(self.level).map_err(|_| RampartError::UnknownKind)?;
        Switch::try_from(self.bounty).map_err(|_| RampartError::UnknownKind)?;
        let may = |reach: Reach| rules.iter().any(|rule| rule.reach == reach && rule.level >= level);
        require!((Level::Caution..=Level::Halt).contains(&level), RampartError::GroupInvalid);
        require!(may(Reach::All) || may(Reach::NewRisk), RampartError::GroupInvalid);
        let times = self.duration_secs > 0
            && self.min_dwell_secs <= self.duration_secs
            && (1..=MAX_GROUP_AGE_SECS).contains(&self.max_age_secs);
        require!(times, RampartError::GroupInvalid);
        require!(self.duration_secs <= bounds.max_rule_duration_secs, RampartError::OutsideHardBounds);
        if may(Reach::All) {
            return Ok(Reach::All);
        }
        require!(self.duration_secs <= MAX_REPORTED_SECS, RampartError::GroupInvalid);
        Ok(Reach::NewRisk)
    }
}

/// What one rule may call for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Power {
    /// Its level.
    pub level: Level,
    /// What its cause holds up.
    pub reach: Reach,
}

impl Power {
    /// Returns what `rule` may call for.
    ///
    /// # Errors
    /// `UnknownKind`, `UnknownStoredValue`.
    pub fn of(rule: &Rule) -> Result<Self> {
        Ok(Self { level: Level::try_from(rule.params.level)?, reach: rule.params.metric()?.reach() })
    }
}

/// A group of two to four rules: true only while all of them are.
#[account(zero_copy)]
#[derive(Debug, PartialEq, Eq)]
pub struct RuleGroup {
    /// The guard it belongs to.
    pub guard: Pubkey,
    /// The guard, vault or asset whose level it raises.
    pub scope: Pubkey,
    /// Its rules; the first `count` are in use.
    pub rules: [Pubkey; MAX_GROUP_RULES],
    /// What it demands.
    pub params: GroupParams,
    /// Counts trips and steps down: the fence that both name.
    pub trip_epoch: u64,
    /// How many of these were steps down.
    pub step_downs: u64,
    /// Number within the guard; part of the address.
    pub id: u16,
    /// How many rules it has.
    pub count: u8,
    /// [`Reach`] of its cause, from its rules at creation.
    pub reach: u8,
    /// Layout version.
    pub version: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Zeros.
    pub reserved: [u8; 66],
}

impl RuleGroup {
    /// Account size in bytes, with the discriminator.
    pub const SPACE: usize = 8 + core::mem::size_of::<Self>();

    /// Returns the rules in use.
    pub fn active(&self) -> &[Pubkey] {
        &self.rules[..usize::from(self.count).min(MAX_GROUP_RULES)]
    }
}

const _: () = assert!(RuleGroup::SPACE <= 10_240);
