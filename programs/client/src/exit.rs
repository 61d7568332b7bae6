//! Ways out beyond the limit of now.

use crate::{Instruction, Pubkey, VaultKeys, address, build};
use rampart::{ClaimWithdrawalArgs, accounts, instruction};

/// Takes a ticket for `shares` of `owner`.
pub fn request_withdrawal(keys: &VaultKeys, owner: Pubkey, shares: u128) -> Instruction {
    let accounts = accounts::RequestWithdrawal {
        owner,
        guard: keys.guard,
        collateral_asset: keys.collateral_asset,
        loan_asset: keys.loan_asset,
        vault: keys.vault,
        position: address::position(&keys.vault, &owner),
    };
    build(accounts, instruction::RequestWithdrawal { shares }, &[])
}

/// Pays a ripe ticket of `owner` to `owner_token`.
pub fn claim_withdrawal(
    keys: &VaultKeys,
    owner: Pubkey,
    owner_token: Pubkey,
    args: ClaimWithdrawalArgs,
) -> Instruction {
    let withdraw = rampart::WithdrawArgs { shares: 0, min_amount: 0 };
    let mut instruction = crate::lending::withdraw(keys, owner, owner_token, withdraw);
    instruction.data = anchor_lang::InstructionData::data(&instruction::ClaimWithdrawal { args });
    instruction
}

/// Gives a ticket of `owner` back.
pub fn cancel_withdrawal(vault: Pubkey, owner: Pubkey, ticket: u8) -> Instruction {
    let accounts = accounts::CancelWithdrawal { owner, vault, position: address::position(&vault, &owner) };
    build(accounts, instruction::CancelWithdrawal { ticket }, &[])
}
