//! Ways out beyond the limit of now.

use crate::{AccountMeta, Instruction, Pubkey, VaultKeys, address, build};
use rampart::control::nonce::INSTRUCTIONS_SYSVAR;
use rampart::state::TicketSide;
use rampart::{ClaimWithdrawalArgs, Validity, accounts, instruction};

/// Takes a ticket for `shares` of `owner`.
pub fn request_withdrawal(keys: &VaultKeys, owner: Pubkey, shares: u128) -> Instruction {
    request(keys, owner, shares, TicketSide::Loan)
}

/// Takes a ticket for `amount` of `owner`'s collateral.
pub fn request_collateral(keys: &VaultKeys, owner: Pubkey, amount: u64) -> Instruction {
    request(keys, owner, amount.into(), TicketSide::Collateral)
}

fn request(keys: &VaultKeys, owner: Pubkey, shares: u128, side: TicketSide) -> Instruction {
    let accounts = accounts::RequestWithdrawal {
        owner,
        guard: keys.guard,
        collateral_asset: keys.collateral_asset,
        loan_asset: keys.loan_asset,
        vault: keys.vault,
        position: address::position(&keys.vault, &owner),
    };
    build(accounts, instruction::RequestWithdrawal { shares, side: side as u8 }, &[])
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

/// Pays a ripe ticket for collateral of `owner` to `owner_token`.
pub fn claim_collateral(
    keys: &VaultKeys,
    owner: Pubkey,
    owner_token: Pubkey,
    args: ClaimWithdrawalArgs,
) -> Instruction {
    let mut instruction = crate::lending::withdraw_collateral(keys, owner, owner_token, &[], 0);
    instruction.data = anchor_lang::InstructionData::data(&instruction::ClaimCollateral { args });
    instruction
}

/// Gives a ticket of `owner` back.
pub fn cancel_withdrawal(vault: Pubkey, owner: Pubkey, ticket: u8) -> Instruction {
    let accounts = accounts::CancelWithdrawal { owner, vault, position: address::position(&vault, &owner) };
    build(accounts, instruction::CancelWithdrawal { ticket }, &[])
}

/// Holds a vault's token accounts against its books.
pub fn record_shortfall(keys: &VaultKeys) -> Instruction {
    let accounts = accounts::RecordShortfall {
        vault: keys.vault,
        loan_token: keys.loan_token,
        collateral_token: keys.collateral_token,
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    build(accounts, instruction::RecordShortfall {}, &[])
}

fn change_resolution(keys: &VaultKeys, authority: Pubkey) -> accounts::ChangeResolution {
    accounts::ChangeResolution {
        authority,
        guard: keys.guard,
        vault: keys.vault,
        loan_token: keys.loan_token,
        collateral_token: keys.collateral_token,
        instructions: INSTRUCTIONS_SYSVAR,
        event_authority: address::event_authority(),
        program: rampart::ID,
    }
}

fn signers(guardians: &[Pubkey]) -> Vec<AccountMeta> {
    guardians.iter().map(|g| AccountMeta::new_readonly(*g, true)).collect()
}

/// Begins Resolution: by root with `guardians`, or by anyone with none once a shortfall has stood.
pub fn enter_resolution(
    keys: &VaultKeys,
    authority: Pubkey,
    guardians: &[Pubkey],
    duration_secs: u32,
    validity: Validity,
) -> Instruction {
    let data = instruction::EnterResolution { duration_secs, validity };
    build(change_resolution(keys, authority), data, &signers(guardians))
}

/// Calls Resolution off, by root with `guardians`.
pub fn leave_resolution(keys: &VaultKeys, root: Pubkey, guardians: &[Pubkey], validity: Validity) -> Instruction {
    build(change_resolution(keys, root), instruction::LeaveResolution { validity }, &signers(guardians))
}

/// Which of a vault's tokens a position claims in Resolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// The cash that its shares have a part of.
    Cash,
    /// Its collateral.
    Collateral,
}

/// Pays `owner`'s part of a vault in Resolution to `owner_token`; signed by the owner, or by anyone once it is forced.
pub fn claim_resolution(
    keys: &VaultKeys,
    authority: Pubkey,
    owner: Pubkey,
    owner_token: Pubkey,
    claimed: Claimed,
) -> Instruction {
    let (mint, vault_token, token_program) = match claimed {
        Claimed::Cash => (keys.loan_mint, keys.loan_token, keys.loan_token_program),
        Claimed::Collateral => (keys.collateral_mint, keys.collateral_token, keys.collateral_token_program),
    };
    let accounts = accounts::ClaimResolution {
        authority,
        vault: keys.vault,
        position: address::position(&keys.vault, &owner),
        mint,
        owner_token,
        vault_token,
        token_program,
    };
    build(accounts, instruction::ClaimResolution {}, &[])
}
