//! Pays for a trip. What limits bounties never limits trips.

use crate::error::RampartError;
use crate::events::BountyPaid;
use crate::refuse::{err, require_keys_eq, require_keys_neq};
use crate::state::BountyVault;
use anchor_lang::prelude::*;

/// The accounts of one bounty: both or neither.
pub struct Bounty<'a, 'info> {
    /// What pays.
    pub vault: Option<&'a AccountLoader<'info, BountyVault>>,
    /// Who is paid.
    pub to: Option<&'a UncheckedAccount<'info>>,
}

impl Bounty<'_, '_> {
    /// Pays one bounty for the trip of `source`, if it is one that is paid for and the vault's limits allow it.
    ///
    /// # Errors
    /// `BountyAccountsMismatch` for one account without the other, another guard's vault, or a vault that pays itself.
    pub fn pay(&self, guard: &Pubkey, source: Pubkey, is_paid_for: bool, now_ts: i64) -> Result<()> {
        let (vault, to) = match (self.vault, self.to) {
            (None, None) => return Ok(()),
            (Some(vault), Some(to)) => (vault, to),
            _ => return err!(RampartError::BountyAccountsMismatch),
        };
        require_keys_eq!(vault.load()?.guard, *guard, RampartError::BountyAccountsMismatch);
        require_keys_neq!(vault.key(), to.key(), RampartError::BountyAccountsMismatch);
        if !is_paid_for {
            return Ok(());
        }
        // read before the data is borrowed
        let free_lamports = free_lamports(vault.as_ref())?;
        let amount_lamports = vault.load_mut()?.take(free_lamports, now_ts);
        if amount_lamports > 0 {
            move_lamports(vault.as_ref(), to, amount_lamports)?;
            emit!(BountyPaid { guard: *guard, source, to: to.key(), amount_lamports });
        }
        Ok(())
    }
}

/// Returns what a bounty vault holds above its rent, lamports.
///
/// # Errors
/// Those of the rent sysvar.
pub fn free_lamports(vault: &AccountInfo) -> Result<u64> {
    let kept = Rent::get()?.minimum_balance(vault.data_len());
    Ok(vault.lamports().saturating_sub(kept))
}

/// Moves lamports out of an account of this program.
///
/// # Errors
/// `MathOverflow`.
pub fn move_lamports(from: &AccountInfo, to: &AccountInfo, amount_lamports: u64) -> Result<()> {
    let left = from.lamports().checked_sub(amount_lamports).ok_or(RampartError::MathOverflow)?;
    let grown = to.lamports().checked_add(amount_lamports).ok_or(RampartError::MathOverflow)?;
    **from.try_borrow_mut_lamports()? = left;
    **to.try_borrow_mut_lamports()? = grown;
    Ok(())
}
