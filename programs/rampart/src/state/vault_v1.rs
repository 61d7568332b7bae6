//! The first layout of [`Vault`], which had no scale, and the way from it to the present one. Nothing else knows it.
//!
//! Both are equally long. The scale took bytes that were reserved, and every field before them has its place still.

use crate::constants::LAYOUT_VERSION;
use crate::error::RampartError;
use crate::refuse::require;
use crate::state::{RiskScale, Switch, Vault};
use anchor_lang::Discriminator;
use anchor_lang::prelude::*;

/// Discriminator: the start of `sha256("account:Vault")`.
pub const DISCRIMINATOR: [u8; 8] = [0xd3, 0x08, 0xe8, 0x2b, 0x02, 0x98, 0x75, 0x77];
/// Number of the layout.
pub const LAYOUT: u8 = 1;
/// Where what was reserved begins, in bytes from the account's start.
pub const RESERVED: usize = 8 + core::mem::offset_of!(Vault, scale);

// 224 bytes were reserved, at the end.
const _: () = assert!(Vault::SPACE - RESERVED == 224);

/// Turns an account's data from this layout into the present one, in place: with a scale that takes nothing off, so that
/// the limits of the vault are what they were, and without cover by the reserve, which only a change that waits gives.
///
/// # Errors
/// `LayoutIsPresent`; Anchor's `AccountDiscriminatorMismatch` for anything but a vault of this layout; `UnknownStoredValue`
/// for another version, or reserved bytes that are set. The data of a refused account is as it was.
pub fn migrate(data: &mut [u8]) -> Result<&mut Vault> {
    require!(!data.starts_with(Vault::DISCRIMINATOR), RampartError::LayoutIsPresent);
    let is_first = data.starts_with(&DISCRIMINATOR) && data.len() >= Vault::SPACE;
    require!(is_first, ErrorCode::AccountDiscriminatorMismatch);
    let is_zero = data[RESERVED..Vault::SPACE].iter().all(|byte| *byte == 0);
    let is_version = data[8 + core::mem::offset_of!(Vault, version)] == LAYOUT_VERSION;
    require!(is_zero && is_version, RampartError::UnknownStoredValue);
    data[..8].copy_from_slice(Vault::DISCRIMINATOR);
    let vault: &mut Vault = bytemuck::from_bytes_mut(&mut data[8..Vault::SPACE]);
    vault.scale = RiskScale::off(vault.risk.ltv_bps);
    vault.cover = Switch::Disabled as u8;
    Ok(vault)
}

#[cfg(test)]
mod tests;
