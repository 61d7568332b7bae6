//! Which mints are admitted, and what is compared each time that their tokens move.
//!
//! SPL Token mints, and Token-2022 mints of which no extension touches balances. The table, extension by extension, is in
//! docs/adr/0009; an extension that this version does not know is refused.
//!
//! Two questions, asked at different doors. What brings tokens or risk in asks [`require_unchanged`]: is the mint, as it
//! is now, one that would be admitted, and the one that was? What lets tokens out, or debt down, asks
//! [`require_same_unit`] alone: an issuer who changes a mint must not lock in who trusted it before. What the token
//! program itself refuses then, it refuses.

use crate::constants::MAX_DECIMALS;
use crate::error::RampartError;
use crate::refuse::require;
use crate::state::oracle_set::stored_enum;
use anchor_lang::prelude::*;
use anchor_spl::token_2022::spl_token_2022::extension::ExtensionType;
use anchor_spl::token_2022::spl_token_2022::extension::transfer_fee::TransferFeeConfig;

/// Bytes of a mint without extensions.
const PLAIN_MINT_LEN: usize = 82;
/// Where both token programs keep the supply, the decimals and the tag of the freeze authority.
const SUPPLY: core::ops::Range<usize> = 36..44;
const DECIMALS: usize = 44;
const FREEZE_TAG: usize = 46;
/// Where a Token-2022 mint says that it is one, and its extensions follow: type and length as u16, then the bytes.
const ACCOUNT_TYPE: usize = 165;
const EXTENSIONS: usize = 166;
/// What stands at [`ACCOUNT_TYPE`] in a mint.
const TYPE_MINT: u8 = 1;
/// `AccountState::Initialized`, the one state that new accounts may start in.
const STARTS_THAWED: [u8; 1] = [1];

/// In a fingerprint: a bit for each extension type below this one, then the decimals, then who may freeze.
const DECIMALS_BIT: u32 = 40;
const FREEZE_BIT: u64 = 1 << 48;
const DECIMALS_BITS: u64 = 0xff << DECIMALS_BIT;

/// What root knows that the issuer of a mint may do, and registers it with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Issuer {
    /// Nothing: nobody can freeze an account of the mint or pause it.
    Powerless = 1,
    /// Stall: freeze accounts, let new ones start frozen, pause the mint, or announce a fee on transfers. Exits then wait for the
    /// issuer, or bring less than was paid, and nothing comes in any more: neither collateral nor repayments.
    MayStall = 2,
}
stored_enum!(Issuer { Powerless, MayStall });

/// Returns the fingerprint of `mint`, after checking that it may be an asset of a guard.
///
/// # Shape
/// Bit n for extension type n; the decimals from bit 40 on; bit 48 where somebody may freeze accounts.
///
/// # Errors
/// `MintExtensionRefused`, `MintDecimalsTooLarge`; `MintIssuerUnnamed` for an issuer who may stall and isn't named as one.
pub fn admit(mint: &AccountInfo, decimals: u8, issuer: Issuer) -> Result<u64> {
    require!(decimals <= MAX_DECIMALS, RampartError::MintDecimalsTooLarge);
    let found = fingerprint(mint)?;
    let stalls = FREEZE_BIT | bit(ExtensionType::Pausable) | bit(ExtensionType::DefaultAccountState);
    let is_powerless = found & stalls == 0 && !may_announce_fee(mint)?;
    require!(issuer == Issuer::MayStall || is_powerless, RampartError::MintIssuerUnnamed);
    Ok(found)
}

/// Tells whether somebody may announce a fee on transfers of `mint`.
fn may_announce_fee(mint: &AccountInfo) -> Result<bool> {
    let mut may = false;
    each_extension(&mint.try_borrow_data()?, |extension, value| {
        // the authority comes first, and is zeros once it is given up
        let is_held = value.iter().take(32).any(|byte| *byte != 0);
        may |= extension == ExtensionType::TransferFeeConfig && is_held;
        Ok(())
    })?;
    Ok(may)
}

/// Tells whether `mint` is paused: its token program moves nothing then.
///
/// # Errors
/// `MintExtensionRefused` for an extension that is not known or cut off.
pub fn is_paused(mint: &AccountInfo) -> Result<bool> {
    let mut is_paused = false;
    each_extension(&mint.try_borrow_data()?, |extension, value| {
        // behind the authority; unless it says no, it is
        is_paused |= extension == ExtensionType::Pausable && value.get(32) != Some(&0);
        Ok(())
    })?;
    Ok(is_paused)
}

/// Returns the fingerprint of `mint` as it is now.
///
/// # Errors
/// `MintExtensionRefused` for an extension that is not known, not admitted, or not in the state in which it is.
pub fn fingerprint(mint: &AccountInfo) -> Result<u64> {
    let data = mint.try_borrow_data()?;
    let mut bits = plain_bits(&data)?;
    each_extension(&data, |extension, value| {
        require!(is_admitted(extension, value), RampartError::MintExtensionRefused);
        bits |= bit(extension);
        Ok(())
    })?;
    Ok(bits)
}

/// Shows every extension of a mint with its value to `visit`.
///
/// # Errors
/// `MintExtensionRefused` for an extension that is not known or cut off, those of `visit`.
fn each_extension(data: &[u8], mut visit: impl FnMut(ExtensionType, &[u8]) -> Result<()>) -> Result<()> {
    if data.len() == PLAIN_MINT_LEN {
        return Ok(());
    }
    require!(data.get(ACCOUNT_TYPE) == Some(&TYPE_MINT), RampartError::MintExtensionRefused);
    let mut rest = data.get(EXTENSIONS..).unwrap_or_default();
    while let Some((&[t0, t1, l0, l1], tail)) = rest.split_first_chunk() {
        let kind = u16::from_le_bytes([t0, t1]);
        if kind == ExtensionType::Uninitialized as u16 {
            break;
        }
        let len = usize::from(u16::from_le_bytes([l0, l1]));
        let (value, next) = tail.split_at_checked(len).ok_or(RampartError::MintExtensionRefused)?;
        let extension = ExtensionType::try_from(kind).map_err(|_| RampartError::MintExtensionRefused)?;
        visit(extension, value)?;
        rest = next;
    }
    Ok(())
}

/// Tells whether a mint may carry `extension` in the state `value`.
fn is_admitted(extension: ExtensionType, value: &[u8]) -> bool {
    match extension {
        // what only describes
        ExtensionType::MetadataPointer
        | ExtensionType::TokenMetadata
        | ExtensionType::GroupPointer
        | ExtensionType::TokenGroup
        | ExtensionType::GroupMemberPointer
        | ExtensionType::TokenGroupMember => true,
        // balances can be hidden only by their owner, in an account that was configured for it: a vault's never is
        ExtensionType::ConfidentialTransferMint | ExtensionType::ConfidentialTransferFeeConfig => true,
        ExtensionType::TransferFeeConfig => takes_no_fee(value),
        // no program, and nobody who could name one
        ExtensionType::TransferHook => value.iter().all(|byte| *byte == 0),
        ExtensionType::DefaultAccountState => value == STARTS_THAWED,
        // named at registration; while it is paused the token program moves nothing
        ExtensionType::Pausable => true,
        // balances taken by others, closed and made anew, not to be moved, shown other than they are, minted unseen
        _ => false,
    }
}

/// Neither the fee of now nor the one that is announced takes anything.
fn takes_no_fee(value: &[u8]) -> bool {
    bytemuck::try_pod_read_unaligned::<TransferFeeConfig>(value).is_ok_and(|config| {
        let [older, newer] = [config.older_transfer_fee, config.newer_transfer_fee];
        u16::from(older.transfer_fee_basis_points) == 0 && u16::from(newer.transfer_fee_basis_points) == 0
    })
}

/// Decimals and freeze authority, which every mint has.
fn plain_bits(data: &[u8]) -> Result<u64> {
    require!(data.len() >= PLAIN_MINT_LEN, RampartError::MintExtensionRefused);
    let freeze = if data[FREEZE_TAG] == 0 { 0 } else { FREEZE_BIT };
    Ok(u64::from(data[DECIMALS]) << DECIMALS_BIT | freeze)
}

const fn bit(extension: ExtensionType) -> u64 {
    1 << extension as u16
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
    let bytes = data.get(SUPPLY).and_then(|b| b.try_into().ok()).ok_or(RampartError::AssetMintMismatch)?;
    Ok(u64::from_le_bytes(bytes))
}

/// Checks that `mint` is as it was when its asset was registered, for what brings tokens or risk in.
///
/// A freeze authority that was given up is no change to refuse: it can't come back.
///
/// # Errors
/// `MintFingerprintChanged`, `MintExtensionRefused`.
pub fn require_unchanged(mint: &AccountInfo, registered: u64) -> Result<()> {
    let found = fingerprint(mint)?;
    let is_same = found == registered || found | FREEZE_BIT == registered;
    require!(is_same, RampartError::MintFingerprintChanged);
    Ok(())
}

/// Checks that a base unit of `mint` is what it was when its asset was registered, for what lets tokens out or debt down.
///
/// # Errors
/// `MintFingerprintChanged` for other decimals.
pub fn require_same_unit(mint: &AccountInfo, registered: u64) -> Result<()> {
    let found = plain_bits(&mint.try_borrow_data()?)?;
    require!((found ^ registered) & DECIMALS_BITS == 0, RampartError::MintFingerprintChanged);
    Ok(())
}

// every extension that is admitted has a bit of its own below the decimals
const _: () = assert!((ExtensionType::PausableAccount as u32) < DECIMALS_BIT);
