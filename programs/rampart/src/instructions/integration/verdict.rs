//! What the guard answers to a program that asks.

use crate::error::RampartError;
use crate::refuse::require_keys_eq;
use anchor_lang::prelude::*;

/// The address of this program's own data, where the runtime keeps the slot of its last deployment.
pub const PROGRAM_DATA: Pubkey = Pubkey::from_str_const("hYqhuACd1Wm5X5WM89xuzcnGxJ19JKhFm2uYRy2pHsb");

/// The answer to `check_action`, as return data. Advisory: only `record_outflow` consumes, and only it binds.
///
/// # Shape
/// Borsh, little-endian: `abi` at 0, `kind` at 1, `level` at 2, `is_allowed` at 3, `amount` at 4, `max_amount` at 12,
/// `valid_until_ts` at 20, `integration` at 28, `deploy_slot` at 60 (0, or 1 and the slot): 61 or 69 bytes.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuardVerdict {
    /// Version of these bytes: [`crate::constants::VERDICT_ABI`].
    pub abi: u8,
    /// The action that was asked about.
    pub kind: u8,
    /// The level that it has to pass, 0 to 4.
    pub level: u8,
    /// Whether it may be done in this amount.
    pub is_allowed: bool,
    /// The amount that was asked about, base units.
    pub amount: u64,
    /// The most that would be allowed, base units.
    pub max_amount: u64,
    /// The chain's time when it was given: after that it says nothing, unix seconds.
    pub valid_until_ts: i64,
    /// The integration that it is about.
    pub integration: Pubkey,
    /// Slot of this program's last deployment, where its data account was passed.
    pub deploy_slot: Option<u64>,
}

/// Returns the slot of this program's last deployment, read from its data account.
///
/// # Errors
/// `IntegrationMismatch` for any other account.
pub fn deploy_slot(program_data: &AccountInfo) -> Result<u64> {
    require_keys_eq!(*program_data.key, PROGRAM_DATA, RampartError::IntegrationMismatch);
    let data = program_data.try_borrow_data()?;
    // a tag of four bytes, 3 for program data, then the slot
    let slot = data.get(4..12).filter(|_| data[..4] == [3, 0, 0, 0]).and_then(|bytes| bytes.try_into().ok());
    Ok(u64::from_le_bytes(slot.ok_or(RampartError::IntegrationMismatch)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use anchor_lang::solana_program::bpf_loader_upgradeable;

    #[test]
    fn program_data_is_where_the_loader_keeps_it() {
        let derived = Pubkey::find_program_address(&[crate::ID.as_ref()], &bpf_loader_upgradeable::ID).0;
        assert_eq!(PROGRAM_DATA, derived);
    }
}
