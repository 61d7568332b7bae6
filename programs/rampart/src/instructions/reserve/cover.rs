//! What the reserve pays for a vault's bad debt, in the instruction that records it.
//!
//! The guard says whether there is a reserve, the vault whether it is covered. Where both say yes, an instruction that records
//! bad debt without the reserve fails: whoever liquidates can't choose that lenders bear what it would pay.

use crate::constants::RESERVE_SEED;
use crate::error::RampartError;
use crate::instructions::shared::{is_kind, load, load_mut};
use crate::instructions::swap::escrow::movable;
use crate::instructions::swap::transfer::Coin;
use crate::refuse::{require, require_keys_eq};
use crate::state::{Guard, Reserve, Switch, Vault};
use anchor_lang::prelude::*;

/// Splits `accounts` into what cover needs and the rest: the reserve and its associated account of the loan mint, which is
/// not looked at where the basket doesn't have that mint. Neither has to be there while there is no bad debt.
///
/// # Errors
/// `ReserveMissing` for a reserve without the account.
pub fn split<'a, 'info>(
    accounts: &'a [AccountInfo<'info>],
) -> Result<(&'a [AccountInfo<'info>], &'a [AccountInfo<'info>])> {
    match accounts {
        [first, ..] if is_kind::<Reserve>(first) => {
            Ok(accounts.split_at_checked(2).ok_or(RampartError::ReserveMissing)?)
        }
        _ => Ok((&[], accounts)),
    }
}

/// Books what the reserve pays of `open_amount`, which `vault`'s own insurance didn't; [`pay`] moves the tokens.
///
/// It is less than all where a cap, the books or the account itself says so. A frozen account pays nothing, so that it
/// can't hold up the liquidation. A vault that no change has covered gets nothing: whoever creates vaults, at prices that they
/// choose, would empty the reserve through one of them.
///
/// # Errors
/// `ReserveMissing`, `ReserveAccountsMismatch`, `MathOverflow`, Anchor's for an account that isn't writable.
#[inline(never)]
pub fn book(
    guard_key: &Pubkey,
    guard: &Guard,
    vault: &mut Vault,
    open_amount: u64,
    accounts: &[AccountInfo],
    now_ts: i64,
) -> Result<u64> {
    if open_amount == 0 || !guard.has_reserve() || vault.cover_switch() != Switch::Enabled {
        return Ok(0);
    }
    let first = accounts.first().ok_or(RampartError::ReserveMissing)?;
    let mut reserve = load_mut::<Reserve>(first)?;
    require_keys_eq!(reserve.guard, *guard_key, RampartError::ReserveAccountsMismatch);
    let Some(index) = reserve.index_of(&vault.loan_mint) else { return Ok(0) };
    let token = accounts.get(1).ok_or(RampartError::ReserveMissing)?;
    let is_its_own = reserve.assets[index].token == *token.key;
    require!(is_its_own, RampartError::ReserveAccountsMismatch);
    let sizes = (open_amount, movable(token));
    let amount = reserve.take_cover(index as u8, sizes, vault.reserve_covered_amount, now_ts)?;
    vault.cash_amount = vault.cash_amount.checked_add(amount).ok_or(RampartError::MathOverflow)?;
    vault.reserve_covered_amount = vault.reserve_covered_amount.saturating_add(amount);
    vault.note_bases(now_ts)?;
    Ok(amount)
}

/// Moves what was booked from the reserve to the vault's account `to`.
///
/// # Errors
/// Those of the token program.
#[inline(never)]
pub fn pay<'info>(
    accounts: &[AccountInfo<'info>],
    coin: Coin<'_, 'info>,
    to: &AccountInfo<'info>,
    amount: u64,
) -> Result<()> {
    let [reserve, token] = accounts else { return Ok(()) };
    if amount == 0 {
        return Ok(());
    }
    sign(reserve, |signers| coin.transfer(token, to, (reserve, signers), amount))
}

/// Runs `act` with the seeds of `reserve`.
///
/// # Errors
/// Those of `act`.
pub fn sign(reserve: &AccountInfo, act: impl FnOnce(&[&[&[u8]]]) -> Result<()>) -> Result<()> {
    let (guard, bump) = {
        let reserve = load::<Reserve>(reserve)?;
        (reserve.guard, [reserve.bump])
    };
    let seeds: &[&[u8]] = &[RESERVE_SEED, guard.as_ref(), &bump];
    act(&[seeds])
}
