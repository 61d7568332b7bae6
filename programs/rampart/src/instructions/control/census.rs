//! Every asset, vault and rule of a guard, named once: for what has to hold of all of them.

use crate::error::RampartError;
use crate::instructions::shared::{is_kind, load};
use crate::refuse::{err, require, require_keys_eq};
use crate::state::{Asset, Census, CensusPurpose, Guard, HardBounds, Rule, Switch, Tally, Vault};
use anchor_lang::Discriminator;
use anchor_lang::prelude::*;

/// Whether rules have to be enabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    /// They may be disabled.
    AnySwitch,
    /// Each has to be enabled, and there has to be one.
    Enabled,
}

impl Rules {
    fn purpose(self) -> CensusPurpose {
        match self {
            Self::AnySwitch => CensusPurpose::Narrow,
            Self::Enabled => CensusPurpose::Freeze,
        }
    }

    /// Returns what a census for `purpose` asks of rules.
    pub fn of(purpose: CensusPurpose) -> Self {
        match purpose {
            CensusPurpose::Narrow => Self::AnySwitch,
            CensusPurpose::Freeze => Self::Enabled,
        }
    }
}

/// Checks that `accounts` are all of the guard's, in ascending order of their keys, and each is within `bounds`; or that
/// they are one census of the guard that says so.
///
/// # Errors
/// `CensusIncomplete`, `CensusNotEnabled`, `CensusMoved`, and those of each value's `validate`.
pub fn require_all(
    guard_key: &Pubkey,
    guard: &Guard,
    bounds: &HardBounds,
    rules: Rules,
    accounts: &[AccountInfo],
    now_ts: i64,
) -> Result<()> {
    let tally = match accounts {
        [account] if is_kind::<Census>(account) => {
            let census = load::<Census>(account)?;
            let is_for_this = census.guard == *guard_key && census.purpose == rules.purpose() as u8;
            require!(is_for_this && census.bounds == *bounds, RampartError::CensusIncomplete);
            census.require_current(guard, now_ts)?;
            census.tally
        }
        _ => {
            let mut tally = Tally::default();
            count(&mut tally, guard_key, bounds, rules, accounts)?;
            tally
        }
    };
    tally.require_all(guard)?;
    require!(rules == Rules::AnySwitch || guard.rule_count > 0, RampartError::CensusNotEnabled);
    Ok(())
}

/// Counts `accounts`, each of which MUST be the guard's, within `bounds`, and follow the last one that was counted.
///
/// # Errors
/// As [`require_all`].
pub fn count(
    tally: &mut Tally,
    guard_key: &Pubkey,
    bounds: &HardBounds,
    rules: Rules,
    accounts: &[AccountInfo],
) -> Result<()> {
    for account in accounts {
        let (kind, owner) = check(account, bounds, rules)?;
        require_keys_eq!(owner, *guard_key, RampartError::CensusIncomplete);
        tally.count(account.key, kind)?;
    }
    Ok(())
}

/// Checks one account; returns its kind (asset, vault, rule) and its guard.
fn check(account: &AccountInfo, bounds: &HardBounds, rules: Rules) -> Result<(usize, Pubkey)> {
    let is = |discriminator: &[u8]| account.try_borrow_data().is_ok_and(|data| data.starts_with(discriminator));
    if is(Asset::DISCRIMINATOR) {
        let asset = load::<Asset>(account)?;
        asset.oracle.validate(bounds)?;
        asset.standby.validate(bounds)?;
        return Ok((0, asset.guard));
    }
    if is(Vault::DISCRIMINATOR) {
        let vault = load::<Vault>(account)?;
        vault.risk.validate(bounds)?;
        vault.curve.validate()?;
        vault.limits.validate(bounds)?;
        return Ok((1, vault.guard));
    }
    if is(Rule::DISCRIMINATOR) {
        let rule = load::<Rule>(account)?;
        rule.params.validate(bounds)?;
        let is_enabled = rule.params.switch == Switch::Enabled as u8;
        require!(is_enabled || rules == Rules::AnySwitch, RampartError::CensusNotEnabled);
        return Ok((2, rule.guard));
    }
    err!(RampartError::CensusIncomplete)
}
