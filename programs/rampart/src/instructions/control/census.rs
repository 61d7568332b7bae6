//! Every asset, vault and rule of a guard, named once: for what has to hold of all of them.

use crate::error::RampartError;
use crate::instructions::shared::load;
use crate::state::{Asset, Guard, HardBounds, Rule, Switch, Vault};
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

/// Checks that `accounts` are all of the guard's, in ascending order of their keys, and each is within `bounds`.
///
/// # Errors
/// `CensusIncomplete`, `CensusNotEnabled`, and those of each value's `validate`.
pub fn require_all(
    guard_key: &Pubkey,
    guard: &Guard,
    bounds: &HardBounds,
    rules: Rules,
    accounts: &[AccountInfo],
) -> Result<()> {
    let is_ascending = accounts.windows(2).all(|pair| pair[0].key < pair[1].key);
    require!(is_ascending, RampartError::CensusIncomplete);
    let mut found = [0u32; 3];
    for account in accounts {
        let (kind, owner) = check(account, bounds, rules)?;
        require_keys_eq!(owner, *guard_key, RampartError::CensusIncomplete);
        found[kind] += 1;
    }
    let all = [guard.asset_count, guard.vault_count, guard.rule_count];
    require!(found == all, RampartError::CensusIncomplete);
    require!(rules == Rules::AnySwitch || guard.rule_count > 0, RampartError::CensusNotEnabled);
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
