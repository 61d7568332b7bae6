//! Creation and tightening.

use crate::{Instruction, MintOf, Pubkey, VaultKeys, address, build};
use rampart::control::nonce::INSTRUCTIONS_SYSVAR;
use rampart::state::rule::RuleParams;
use rampart::{InitializeGuardArgs, InitializeVaultArgs, RegisterAssetArgs, TightenVaultArgs, Validity};
use rampart::{accounts, instruction};

pub(crate) const SYSTEM: Pubkey = anchor_lang::system_program::ID;

/// Creates a guard under `creator` and `id`.
pub fn initialize_guard(creator: Pubkey, id: u16, args: InitializeGuardArgs) -> Instruction {
    let accounts = accounts::InitializeGuard {
        creator,
        guard: address::guard(&creator, id),
        system_program: SYSTEM,
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    build(accounts, instruction::InitializeGuard { id, args }, &[])
}

/// Registers `mint` with its price sources.
pub fn register_asset(root: Pubkey, guard: Pubkey, mint: Pubkey, args: RegisterAssetArgs) -> Instruction {
    let accounts = accounts::RegisterAsset {
        root,
        guard,
        mint,
        asset: address::asset(&guard, &mint),
        instructions: INSTRUCTIONS_SYSVAR,
        system_program: SYSTEM,
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    build(accounts, instruction::RegisterAsset { args }, &[])
}

/// Creates the vault of a pair.
pub fn initialize_vault(
    root: Pubkey,
    guard: Pubkey,
    collateral: MintOf,
    loan: MintOf,
    args: InitializeVaultArgs,
) -> Instruction {
    let keys = VaultKeys::derive(guard, collateral, loan);
    let accounts = accounts::InitializeVault {
        root,
        guard,
        collateral_asset: keys.collateral_asset,
        loan_asset: keys.loan_asset,
        collateral_mint: keys.collateral_mint,
        loan_mint: keys.loan_mint,
        vault: keys.vault,
        collateral_token: keys.collateral_token,
        loan_token: keys.loan_token,
        collateral_token_program: keys.collateral_token_program,
        loan_token_program: keys.loan_token_program,
        instructions: INSTRUCTIONS_SYSVAR,
        system_program: SYSTEM,
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    build(accounts, instruction::InitializeVault { args }, &[])
}

/// Brings a vault from an earlier layout to the present one. Anyone may.
pub fn migrate_vault(guard: Pubkey, vault: Pubkey) -> Instruction {
    let event_authority = address::event_authority();
    build(
        accounts::MigrateVault { guard, vault, event_authority, program: rampart::ID },
        instruction::MigrateVault {},
        &[],
    )
}

/// Makes a vault's limits stricter.
pub fn tighten_vault(
    authority: Pubkey,
    guard: Pubkey,
    vault: Pubkey,
    args: TightenVaultArgs,
    validity: Validity,
) -> Instruction {
    let accounts = accounts::TightenVault {
        authority,
        guard,
        vault,
        instructions: INSTRUCTIONS_SYSVAR,
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    build(accounts, instruction::TightenVault { args, validity }, &[])
}

/// Creates a rule under `id` about `subject`, an asset account or a vault.
pub fn create_rule(root: Pubkey, guard: Pubkey, subject: Pubkey, id: u16, params: RuleParams) -> Instruction {
    let accounts = accounts::CreateRule {
        root,
        guard,
        subject,
        rule: address::rule(&guard, id),
        instructions: INSTRUCTIONS_SYSVAR,
        system_program: SYSTEM,
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    build(accounts, instruction::CreateRule { id, params }, &[])
}

/// Makes a rule stricter.
pub fn tighten_rule(
    authority: Pubkey,
    guard: Pubkey,
    rule: Pubkey,
    params: RuleParams,
    validity: Validity,
) -> Instruction {
    let accounts = accounts::TightenRule {
        authority,
        guard,
        rule,
        instructions: INSTRUCTIONS_SYSVAR,
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    build(accounts, instruction::TightenRule { params, validity }, &[])
}
