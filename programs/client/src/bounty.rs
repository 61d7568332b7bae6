//! The bounty vault of a guard. A plain transfer to its address funds it.

use crate::{Instruction, Pubkey, address, build};
use rampart::Validity;
use rampart::control::nonce::INSTRUCTIONS_SYSVAR;
use rampart::state::bounty::BountyParams;
use rampart::{accounts, instruction};

/// Creates the bounty vault of `guard`.
pub fn initialize_bounty(root: Pubkey, guard: Pubkey, params: BountyParams) -> Instruction {
    let accounts = accounts::InitializeBounty {
        root,
        guard,
        bounty_vault: address::bounty_vault(&guard),
        instructions: INSTRUCTIONS_SYSVAR,
        system_program: anchor_lang::system_program::ID,
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    build(accounts, instruction::InitializeBounty { params }, &[])
}

/// Changes what the bounty vault of `guard` pays.
pub fn set_bounty(root: Pubkey, guard: Pubkey, params: BountyParams, validity: Validity) -> Instruction {
    let accounts = accounts::SetBounty {
        root,
        guard,
        bounty_vault: address::bounty_vault(&guard),
        instructions: INSTRUCTIONS_SYSVAR,
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    build(accounts, instruction::SetBounty { params, validity }, &[])
}

/// Takes lamports out of the bounty vault of `guard`.
pub fn withdraw_bounty(
    root: Pubkey,
    guard: Pubkey,
    to: Pubkey,
    amount_lamports: u64,
    validity: Validity,
) -> Instruction {
    let accounts = accounts::WithdrawBounty {
        root,
        guard,
        bounty_vault: address::bounty_vault(&guard),
        to,
        instructions: INSTRUCTIONS_SYSVAR,
    };
    build(accounts, instruction::WithdrawBounty { amount_lamports, validity }, &[])
}
