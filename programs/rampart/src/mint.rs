//! Which mints are admitted: SPL Token, and Token-2022 without extensions that touch balances or authority.

use crate::constants::MAX_DECIMALS;
use crate::error::RampartError;
use anchor_lang::prelude::*;
use anchor_spl::token_2022::spl_token_2022::extension::{BaseStateWithExtensions, ExtensionType, StateWithExtensions};
use anchor_spl::token_2022::spl_token_2022::state::Mint as MintState;

/// Bytes of a mint without extensions.
const PLAIN_MINT_LEN: usize = 82;

/// Extensions that only describe a mint.
const HARMLESS: [ExtensionType; 6] = [
    ExtensionType::MetadataPointer,
    ExtensionType::TokenMetadata,
    ExtensionType::GroupPointer,
    ExtensionType::TokenGroup,
    ExtensionType::GroupMemberPointer,
    ExtensionType::TokenGroupMember,
];

/// Returns which extensions `mint` carries, a bit per extension, after checking that each is harmless.
///
/// # Errors
/// `MintExtensionRefused` for any other extension, `MintDecimalsTooLarge`.
pub fn admit(mint: &AccountInfo, decimals: u8) -> Result<u64> {
    require!(decimals <= MAX_DECIMALS, RampartError::MintDecimalsTooLarge);
    fingerprint(mint)
}

/// Returns the fingerprint of `mint` as it is now.
///
/// # Errors
/// `MintExtensionRefused` for an extension that is not admitted or not known.
pub fn fingerprint(mint: &AccountInfo) -> Result<u64> {
    let data = mint.try_borrow_data()?;
    if data.len() == PLAIN_MINT_LEN {
        return Ok(0);
    }
    let state = StateWithExtensions::<MintState>::unpack(&data).map_err(|_| RampartError::MintExtensionRefused)?;
    let types = state.get_extension_types().map_err(|_| RampartError::MintExtensionRefused)?;
    types.iter().try_fold(0u64, |bits, extension| {
        require!(HARMLESS.contains(extension), RampartError::MintExtensionRefused);
        Ok(bits | 1u64 << (*extension as u16 % 64))
    })
}

/// Returns the supply in base units that the mint of an asset has now.
///
/// # Errors
/// `AssetMintMismatch` for another account than `mint` of `token_program`.
pub fn supply(account: &AccountInfo, mint: &Pubkey, token_program: &Pubkey) -> Result<u64> {
    let is_its_own = account.key == mint && account.owner == token_program;
    require!(is_its_own, RampartError::AssetMintMismatch);
    Ok(decode_supply(&account.try_borrow_data()?)?)
}

/// Decodes the supply from the bytes of a mint: both token programs keep it at bytes 36 to 44.
///
/// # Errors
/// `AssetMintMismatch` for data that is too short.
pub fn decode_supply(data: &[u8]) -> core::result::Result<u64, RampartError> {
    let bytes = data.get(36..44).and_then(|b| b.try_into().ok()).ok_or(RampartError::AssetMintMismatch)?;
    Ok(u64::from_le_bytes(bytes))
}

/// Checks that `mint` is as it was when its asset was registered.
///
/// # Errors
/// `MintFingerprintChanged`, `MintExtensionRefused`.
pub fn require_unchanged(mint: &AccountInfo, registered: u64) -> Result<()> {
    require!(fingerprint(mint)? == registered, RampartError::MintFingerprintChanged);
    Ok(())
}
