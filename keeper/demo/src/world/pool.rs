//! A pool of SPL Token Swap between SOL and USDC: where the reserve hedges, and where liquidators may sell.
//!
//! Owns its addresses and instructions. Its price is made by trades alone: see `maker`.

use crate::world::Coin;
use crate::world::cast::Cast;
use rampart_client::{AccountMeta, Instruction, MintOf, Pubkey};
use std::path::{Path, PathBuf};

/// SPL Token Swap, at the address that it has on mainnet.
pub const TOKEN_SWAP: Pubkey = anchor_lang::prelude::pubkey!("SwaPpA9LAaLfeLi3a68M4DjnLqgtticKg6CnyNwgAC8");
/// How a swap's data starts.
pub const SWAP: u8 = 1;
/// Bytes of a pool's account: a version and its state.
pub const LEN: u64 = 324;
/// Decimals of the pool's shares.
pub const SHARE_DECIMALS: u8 = 6;
/// What the pool holds of each token at the start, US dollars.
pub const DEPTH_USD: f64 = 50_000_000.0;
/// The trading fee and the owner's, fee of withdrawals and the host's part: numerators and denominators.
const FEES: [u64; 8] = [25, 10_000, 5, 10_000, 0, 0, 20, 100];

/// The addresses of the pool.
#[derive(Clone, Copy, Debug)]
pub struct Pool {
    /// Its account.
    pub pool: Pubkey,
    /// Owns its tokens.
    pub authority: Pubkey,
    /// Its tokens: SOL, then USDC.
    pub tokens: [Pubkey; 2],
    /// The mint of its shares.
    pub shares: Pubkey,
    /// Where the owner's fee goes, in shares.
    pub fees: Pubkey,
}

impl Pool {
    pub(super) fn new(cast: &Cast, mints: &[MintOf; 3]) -> Self {
        let (pool, shares) = (cast.pool[0].key(), cast.pool[1].key());
        let (authority, _) = Pubkey::find_program_address(&[pool.as_ref()], &TOKEN_SWAP);
        let associated = anchor_spl::associated_token::get_associated_token_address;
        let tokens = [Coin::Sol, Coin::Usdc].map(|coin| associated(&authority, &mints[coin.index()].mint));
        Self { pool, authority, tokens, shares, fees: associated(&cast.payer.key(), &shares) }
    }

    /// Opens the pool with what its token accounts hold; the first shares go to `first`.
    pub fn initialize(&self, first: Pubkey) -> Instruction {
        let (read, write) = (|key| AccountMeta::new_readonly(key, false), |key| AccountMeta::new(key, false));
        let accounts = vec![
            write(self.pool),
            read(self.authority),
            read(self.tokens[0]),
            read(self.tokens[1]),
            write(self.shares),
            read(self.fees),
            write(first),
            read(anchor_spl::token::ID),
        ];
        let fees = FEES.iter().flat_map(|number| number.to_le_bytes());
        // a constant product: a curve of type zero without parameters
        let data = [0].into_iter().chain(fees).chain([0; 33]).collect();
        Instruction { program_id: TOKEN_SWAP, accounts, data }
    }

    /// Swaps `amount` of `owner`'s token account `from` into `to`; `from_side` is 0 for SOL.
    pub fn swap(&self, owner: Pubkey, (from, to): (Pubkey, Pubkey), from_side: usize, amount: u64) -> Instruction {
        let (read, write) = (|key| AccountMeta::new_readonly(key, false), |key| AccountMeta::new(key, false));
        let accounts = vec![
            read(self.pool),
            read(self.authority),
            AccountMeta::new_readonly(owner, true),
            write(from),
            write(self.tokens[from_side]),
            write(self.tokens[1 - from_side]),
            write(to),
            write(self.shares),
            write(self.fees),
            read(anchor_spl::token::ID),
        ];
        let data = [&[SWAP][..], &amount.to_le_bytes(), &0u64.to_le_bytes()].concat();
        Instruction { program_id: TOKEN_SWAP, accounts, data }
    }
}

/// The built program of the pool: the file that `RAMPART_TOKEN_SWAP_SO` names, else the one that is kept in the
/// repository.
pub fn program() -> PathBuf {
    let kept = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../artifacts/token-swap.so");
    std::env::var_os("RAMPART_TOKEN_SWAP_SO").map_or_else(kept, PathBuf::from)
}
