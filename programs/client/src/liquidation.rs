//! Forced reduction of positions.

use crate::{AccountMeta, Instruction, Pubkey, VaultKeys, address, build};
use rampart::{LiquidateArgs, accounts, instruction};

/// Who liquidates, and from and to which token accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Liquidator {
    /// Signs.
    pub authority: Pubkey,
    /// Where the repayment comes from.
    pub loan_token: Pubkey,
    /// Where the collateral goes.
    pub collateral_token: Pubkey,
}

/// Liquidates `position`. `oracles`: the collateral's sources, then the loan's.
pub fn liquidate(
    keys: &VaultKeys,
    position: Pubkey,
    by: Liquidator,
    oracles: &[AccountMeta],
    args: LiquidateArgs,
) -> Instruction {
    let accounts = accounts::Liquidate {
        liquidator: by.authority,
        guard: keys.guard,
        collateral_asset: keys.collateral_asset,
        loan_asset: keys.loan_asset,
        vault: keys.vault,
        position,
        collateral_mint: keys.collateral_mint,
        loan_mint: keys.loan_mint,
        liquidator_loan_token: by.loan_token,
        liquidator_collateral_token: by.collateral_token,
        loan_token: keys.loan_token,
        collateral_token: keys.collateral_token,
        loan_token_program: keys.loan_token_program,
        collateral_token_program: keys.collateral_token_program,
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    build(accounts, instruction::Liquidate { args }, oracles)
}

/// Softly deleverages `position`. `oracles`: the collateral's sources, then the loan's.
pub fn deleverage(
    keys: &VaultKeys,
    position: Pubkey,
    by: Liquidator,
    oracles: &[AccountMeta],
    args: LiquidateArgs,
) -> Instruction {
    let mut instruction = liquidate(keys, position, by, oracles, args);
    instruction.data = anchor_lang::InstructionData::data(&instruction::Deleverage { args });
    instruction
}

/// Marks the price when the latest halt of a vault began.
pub fn mark_halt(keys: &VaultKeys) -> Instruction {
    let accounts = accounts::MarkHalt {
        guard: keys.guard,
        collateral_asset: keys.collateral_asset,
        loan_asset: keys.loan_asset,
        vault: keys.vault,
    };
    build(accounts, instruction::MarkHalt {}, &[])
}
