//! Addresses and instructions of the Rampart program.
//!
//! Used by the keeper, the demo and the tests. Owns no network, no keys and no decisions.

pub mod address;
pub mod admin;
pub mod aggregate;
pub mod bounty;
pub mod control;
pub mod evidence;
pub mod exit;
pub mod groups;
pub mod guardian;
pub mod integration;
pub mod keepers;
pub mod lending;
pub mod liquidation;
pub mod swap;

pub use anchor_lang::prelude::{AccountMeta, Pubkey};
pub use anchor_lang::solana_program::instruction::Instruction;
use anchor_lang::{InstructionData, ToAccountMetas};
use rampart::oracle::rate::CLOCK;
use rampart::state::OracleSet;

/// A vault with everything that its instructions name, gathered once from the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VaultKeys {
    /// The vault.
    pub vault: Pubkey,
    /// Its guard.
    pub guard: Pubkey,
    /// Asset account of the collateral.
    pub collateral_asset: Pubkey,
    /// Asset account of the loan.
    pub loan_asset: Pubkey,
    /// Collateral mint.
    pub collateral_mint: Pubkey,
    /// Loan mint.
    pub loan_mint: Pubkey,
    /// The vault's account of the collateral mint.
    pub collateral_token: Pubkey,
    /// The vault's account of the loan mint.
    pub loan_token: Pubkey,
    /// Program of the collateral mint.
    pub collateral_token_program: Pubkey,
    /// Program of the loan mint.
    pub loan_token_program: Pubkey,
}

impl VaultKeys {
    /// Derives all addresses of the vault of a pair.
    pub fn derive(guard: Pubkey, collateral: MintOf, loan: MintOf) -> Self {
        let vault = address::vault(&guard, &collateral.mint, &loan.mint);
        Self {
            vault,
            guard,
            collateral_asset: address::asset(&guard, &collateral.mint),
            loan_asset: address::asset(&guard, &loan.mint),
            collateral_mint: collateral.mint,
            loan_mint: loan.mint,
            collateral_token: address::collateral_token(&vault),
            loan_token: address::loan_token(&vault),
            collateral_token_program: collateral.token_program,
            loan_token_program: loan.token_program,
        }
    }

    /// Returns the collateral mint with its program.
    pub fn collateral(&self) -> MintOf {
        MintOf { mint: self.collateral_mint, token_program: self.collateral_token_program }
    }

    /// Returns the loan mint with its program.
    pub fn loan(&self) -> MintOf {
        MintOf { mint: self.loan_mint, token_program: self.loan_token_program }
    }
}

/// A mint and the program that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MintOf {
    /// The mint.
    pub mint: Pubkey,
    /// SPL Token or Token-2022.
    pub token_program: Pubkey,
}

/// Returns the oracle accounts of a set, as read-only accounts in the set's order; after them the pool of its exchange
/// rate and the Clock sysvar, where it has one.
///
/// Only for sources that are pinned by address; a source that is pinned by feed needs an account that the caller chooses.
pub fn oracle_metas(set: &OracleSet) -> Vec<AccountMeta> {
    let rate = [set.rate.account, CLOCK].into_iter().take(set.rate.account_count());
    set.active()
        .iter()
        .map(|source| source.account)
        .chain(rate)
        .map(|key| AccountMeta::new_readonly(key, false))
        .collect()
}

fn build(accounts: impl ToAccountMetas, data: impl InstructionData, oracles: &[AccountMeta]) -> Instruction {
    let mut metas = accounts.to_account_metas(None);
    metas.extend_from_slice(oracles);
    Instruction { program_id: rampart::ID, accounts: metas, data: data.data() }
}
