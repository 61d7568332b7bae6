//! What owners do with their positions.

use crate::{AccountMeta, Instruction, Pubkey, VaultKeys, address, build};
use rampart::{SupplyArgs, WithdrawArgs, accounts, instruction};

/// Opens `owner`'s position.
pub fn open_position(payer: Pubkey, owner: Pubkey, vault: Pubkey) -> Instruction {
    let accounts = accounts::OpenPosition {
        payer,
        owner,
        vault,
        position: address::position(&vault, &owner),
        system_program: anchor_lang::system_program::ID,
    };
    build(accounts, instruction::OpenPosition {}, &[])
}

/// Closes `owner`'s empty position.
pub fn close_position(owner: Pubkey, vault: Pubkey) -> Instruction {
    let accounts = accounts::ClosePosition { owner, position: address::position(&vault, &owner) };
    build(accounts, instruction::ClosePosition {}, &[])
}

/// Lends from `owner_token`.
pub fn supply(keys: &VaultKeys, owner: Pubkey, owner_token: Pubkey, args: SupplyArgs) -> Instruction {
    let accounts = accounts::Supply {
        owner,
        guard: keys.guard,
        collateral_asset: keys.collateral_asset,
        loan_asset: keys.loan_asset,
        vault: keys.vault,
        position: address::position(&keys.vault, &owner),
        loan_mint: keys.loan_mint,
        owner_token,
        loan_token: keys.loan_token,
        token_program: keys.loan_token_program,
    };
    build(accounts, instruction::Supply { args }, &[])
}

/// Takes lent tokens back to `owner_token`.
pub fn withdraw(keys: &VaultKeys, owner: Pubkey, owner_token: Pubkey, args: WithdrawArgs) -> Instruction {
    let accounts = accounts::Withdraw {
        owner,
        guard: keys.guard,
        collateral_asset: keys.collateral_asset,
        loan_asset: keys.loan_asset,
        vault: keys.vault,
        position: address::position(&keys.vault, &owner),
        loan_mint: keys.loan_mint,
        owner_token,
        loan_token: keys.loan_token,
        token_program: keys.loan_token_program,
    };
    build(accounts, instruction::Withdraw { args }, &[])
}

/// Adds collateral from `payer_token` to the position of `owner`.
pub fn deposit_collateral(
    keys: &VaultKeys,
    payer: Pubkey,
    payer_token: Pubkey,
    owner: Pubkey,
    amount: u64,
) -> Instruction {
    let accounts = accounts::DepositCollateral {
        payer,
        guard: keys.guard,
        collateral_asset: keys.collateral_asset,
        loan_asset: keys.loan_asset,
        vault: keys.vault,
        position: address::position(&keys.vault, &owner),
        collateral_mint: keys.collateral_mint,
        payer_token,
        collateral_token: keys.collateral_token,
        token_program: keys.collateral_token_program,
    };
    build(accounts, instruction::DepositCollateral { amount }, &[])
}

/// Takes collateral out to `owner_token`. `oracles`: the collateral's sources, then the loan's.
pub fn withdraw_collateral(
    keys: &VaultKeys,
    owner: Pubkey,
    owner_token: Pubkey,
    oracles: &[AccountMeta],
    amount: u64,
) -> Instruction {
    let accounts = accounts::WithdrawCollateral {
        owner,
        guard: keys.guard,
        collateral_asset: keys.collateral_asset,
        loan_asset: keys.loan_asset,
        vault: keys.vault,
        position: address::position(&keys.vault, &owner),
        collateral_mint: keys.collateral_mint,
        owner_token,
        collateral_token: keys.collateral_token,
        token_program: keys.collateral_token_program,
    };
    build(accounts, instruction::WithdrawCollateral { amount }, oracles)
}

/// Borrows to `owner_token`. `oracles`: the collateral's sources, then the loan's.
pub fn borrow(
    keys: &VaultKeys,
    owner: Pubkey,
    owner_token: Pubkey,
    oracles: &[AccountMeta],
    amount: u64,
) -> Instruction {
    let accounts = accounts::Borrow {
        owner,
        guard: keys.guard,
        collateral_asset: keys.collateral_asset,
        loan_asset: keys.loan_asset,
        vault: keys.vault,
        position: address::position(&keys.vault, &owner),
        loan_mint: keys.loan_mint,
        owner_token,
        loan_token: keys.loan_token,
        token_program: keys.loan_token_program,
        collateral_mint: keys.collateral_mint,
        collateral_token: keys.collateral_token,
    };
    build(accounts, instruction::Borrow { amount }, oracles)
}

/// Pays back debt of `owner` from `payer_token`: `amount`, or all of the debt where that is less.
pub fn repay(keys: &VaultKeys, payer: Pubkey, payer_token: Pubkey, owner: Pubkey, amount: u64) -> Instruction {
    let accounts = accounts::Repay {
        payer,
        guard: keys.guard,
        collateral_asset: keys.collateral_asset,
        loan_asset: keys.loan_asset,
        vault: keys.vault,
        position: address::position(&keys.vault, &owner),
        loan_mint: keys.loan_mint,
        payer_token,
        loan_token: keys.loan_token,
        token_program: keys.loan_token_program,
    };
    build(accounts, instruction::Repay { amount }, &[])
}

/// Brings a vault's interest up to date.
pub fn accrue(vault: Pubkey) -> Instruction {
    build(accounts::Accrue { vault }, instruction::Accrue {}, &[])
}
