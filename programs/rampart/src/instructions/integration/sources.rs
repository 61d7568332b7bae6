//! What an integration is judged on: the accounts that it pins beside the guard.

use crate::error::RampartError;
use crate::instructions::shared::load;
use crate::refuse::require;
use crate::state::integration::LimitBase;
use crate::state::oracle_set::Switch;
use crate::state::{Asset, Guard, Integration, Levels};
use anchor_lang::prelude::*;

/// Bytes of a mint and of a token account without extensions.
const MINT_LEN: usize = 82;
const TOKEN_LEN: usize = 165;

/// Splits the remaining accounts into what the integration pins: the account of its base where `takes_base`, then its
/// asset. Exactly these MUST be passed: nothing that is left out may count as calm.
///
/// # Errors
/// `IntegrationMismatch` for a missing, wrong or further account.
pub fn pinned<'a, 'info>(
    integration: &Integration,
    accounts: &'a [AccountInfo<'info>],
    takes_base: bool,
) -> Result<(Option<&'a AccountInfo<'info>>, Option<&'a AccountInfo<'info>>)> {
    let mut rest = accounts.iter();
    let mut next = |is_pinned: bool, key: &Pubkey| -> Result<Option<&'a AccountInfo<'info>>> {
        if !is_pinned {
            return Ok(None);
        }
        let found = rest.next().filter(|account| account.key == key);
        Ok(Some(found.ok_or(RampartError::IntegrationMismatch)?))
    };
    let base = LimitBase::try_from(integration.base)?;
    let key = if base == LimitBase::Supply { &integration.mint } else { &integration.token };
    let base = next(takes_base && base != LimitBase::Absolute, key)?;
    let asset = next(integration.asset_switch != Switch::Disabled as u8, &integration.asset)?;
    require!(rest.next().is_none(), RampartError::IntegrationMismatch);
    Ok((base, asset))
}

/// Returns the strictest levels of guard, integration and asset at `now_ts`.
///
/// # Errors
/// Those of loading the asset.
pub fn levels(guard: &Guard, integration: &Integration, asset: Option<&AccountInfo>, now_ts: i64) -> Result<Levels> {
    let own = guard.breaker.levels_at(now_ts).max(integration.breaker.levels_at(now_ts));
    Ok(match asset {
        Some(asset) => own.max(load::<Asset>(asset)?.breaker.levels_at(now_ts)),
        None => own,
    })
}

/// Returns what the integration's base account holds: a balance, or a supply; `None` for an absolute base.
///
/// # Errors
/// `IntegrationMismatch` for an account that is no token account of the mint any more.
pub fn held(integration: &Integration, account: &AccountInfo) -> Result<Option<u64>> {
    match LimitBase::try_from(integration.base)? {
        LimitBase::Absolute => Ok(None),
        LimitBase::Balance => balance(account, &integration.mint).map(Some),
        LimitBase::Supply => supply(account).map(Some),
    }
}

/// Returns the balance of a token account of `mint`.
///
/// # Errors
/// `IntegrationMismatch`.
pub fn balance(account: &AccountInfo, mint: &Pubkey) -> Result<u64> {
    require_token_program(account.owner)?;
    let data = account.try_borrow_data()?;
    let fits = data.len() >= TOKEN_LEN && data[..32] == mint.to_bytes();
    require!(fits, RampartError::IntegrationMismatch);
    u64_at(&data, 64)
}

/// Returns who owns a token account of `mint`.
///
/// # Errors
/// `IntegrationMismatch`.
pub fn owner_of(account: &AccountInfo, mint: &Pubkey) -> Result<Pubkey> {
    balance(account, mint)?;
    let data = account.try_borrow_data()?;
    Pubkey::try_from(&data[32..64]).map_err(|_| RampartError::IntegrationMismatch.into())
}

fn supply(account: &AccountInfo) -> Result<u64> {
    require_token_program(account.owner)?;
    let data = account.try_borrow_data()?;
    require!(data.len() >= MINT_LEN, RampartError::IntegrationMismatch);
    u64_at(&data, 36)
}

fn require_token_program(owner: &Pubkey) -> Result<()> {
    let is_known = *owner == anchor_spl::token::ID || *owner == anchor_spl::token_2022::ID;
    require!(is_known, RampartError::IntegrationMismatch);
    Ok(())
}

fn u64_at(data: &[u8], at: usize) -> Result<u64> {
    let bytes = data.get(at..at + 8).and_then(|b| b.try_into().ok()).ok_or(RampartError::IntegrationMismatch)?;
    Ok(u64::from_le_bytes(bytes))
}
