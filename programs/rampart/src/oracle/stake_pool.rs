//! SPL stake pool accounts: how much SOL one token of the pool is worth.
//!
//! Owns that format alone, by offset: the fields stand before everything of variable length. The provider's crate writes
//! the accounts of the tests.

use crate::oracle::Invalid;
use core::result::Result;

/// What a pool says: decoded, nothing judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolReading {
    /// SOL that the pool holds, lamports.
    pub total_lamports: u64,
    /// Tokens of the pool, base units. They have nine decimals, as SOL has: the program refuses any other mint.
    pub pool_token_supply: u64,
    /// The epoch in which both were last brought up to date.
    pub last_update_epoch: u64,
}

/// `AccountType::StakePool`, the first byte.
const TYPE_STAKE_POOL: u8 = 1;

/// Offsets in the account: the type, eight keys and a bump stand before them.
pub mod offset {
    /// `total_lamports`, u64.
    pub const TOTAL_LAMPORTS: usize = 258;
    /// `pool_token_supply`, u64.
    pub const POOL_TOKEN_SUPPLY: usize = 266;
    /// `last_update_epoch`, u64.
    pub const LAST_UPDATE_EPOCH: usize = 274;
    /// Bytes up to the end of the last field that is read.
    pub const END: usize = 282;
}

/// Decodes a stake pool.
///
/// # Errors
/// `BadData` for another type of account or too few bytes.
///
/// # Source
/// spl-stake-pool 2.2.0, `StakePool`, borsh.
pub fn decode(data: &[u8]) -> Result<PoolReading, Invalid> {
    let data: &[u8; offset::END] = data.first_chunk().ok_or(Invalid::BadData)?;
    if data[0] != TYPE_STAKE_POOL {
        return Err(Invalid::BadData);
    }
    Ok(PoolReading {
        total_lamports: u64_at(data, offset::TOTAL_LAMPORTS),
        pool_token_supply: u64_at(data, offset::POOL_TOKEN_SUPPLY),
        last_update_epoch: u64_at(data, offset::LAST_UPDATE_EPOCH),
    })
}

/// The number at `at`, which every caller keeps within the account.
fn u64_at(data: &[u8; offset::END], at: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&data[at..at + 8]);
    u64::from_le_bytes(bytes)
}
