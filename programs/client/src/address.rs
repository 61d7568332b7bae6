//! Program-derived addresses.

use anchor_lang::prelude::Pubkey;
use rampart::constants::{
    AGGREGATE_SEED, ASSET_SEED, BOUNTY_SEED, CENSUS_SEED, CHANGE_SEED, COLLATERAL_SEED, ESCROW_SEED, GROUP_SEED,
    GUARD_SEED, KEEPERS_SEED, LOAN_SEED, POLICY_SEED, POSITION_SEED, REPORT_SEED, RESERVE_SEED, RULE_SEED, VAULT_SEED,
};
use rampart::state::Integration;

fn find(seeds: &[&[u8]]) -> Pubkey {
    Pubkey::find_program_address(seeds, &rampart::ID).0
}

/// Returns the address of the guard that `creator` made under `id`.
pub fn guard(creator: &Pubkey, id: u16) -> Pubkey {
    find(&[GUARD_SEED, creator.as_ref(), &id.to_le_bytes()])
}

/// Returns the address of the asset account of `mint`.
pub fn asset(guard: &Pubkey, mint: &Pubkey) -> Pubkey {
    find(&[ASSET_SEED, guard.as_ref(), mint.as_ref()])
}

/// Returns the address of the vault of a pair.
pub fn vault(guard: &Pubkey, collateral_mint: &Pubkey, loan_mint: &Pubkey) -> Pubkey {
    find(&[VAULT_SEED, guard.as_ref(), collateral_mint.as_ref(), loan_mint.as_ref()])
}

/// Returns the address of a vault's collateral token account.
pub fn collateral_token(vault: &Pubkey) -> Pubkey {
    find(&[COLLATERAL_SEED, vault.as_ref()])
}

/// Returns the address of a vault's loan token account.
pub fn loan_token(vault: &Pubkey) -> Pubkey {
    find(&[LOAN_SEED, vault.as_ref()])
}

/// Returns the address of an owner's position.
pub fn position(vault: &Pubkey, owner: &Pubkey) -> Pubkey {
    find(&[POSITION_SEED, vault.as_ref(), owner.as_ref()])
}

/// Returns the address of a guard's rule.
pub fn rule(guard: &Pubkey, id: u16) -> Pubkey {
    find(&[RULE_SEED, guard.as_ref(), &id.to_le_bytes()])
}

/// Returns the address of the integration that a program, or a wallet by the System program, has under `guard`.
pub fn integration(guard: &Pubkey, program: &Pubkey, index: u16) -> Pubkey {
    find(&Integration::seeds(guard, program, &index.to_le_bytes()))
}

/// Returns the address of a guard's change number `id`.
pub fn change(guard: &Pubkey, id: u64) -> Pubkey {
    find(&[CHANGE_SEED, guard.as_ref(), &id.to_le_bytes()])
}

/// Returns the address that signs the program's events.
pub fn event_authority() -> Pubkey {
    find(&[b"__event_authority"])
}

/// Returns the address of a guard's keeper set.
pub fn keeper_set(guard: &Pubkey) -> Pubkey {
    find(&[KEEPERS_SEED, guard.as_ref()])
}

/// Returns the address of a keeper's report about a subject.
pub fn report(subject: &Pubkey, keeper: &Pubkey) -> Pubkey {
    find(&[REPORT_SEED, subject.as_ref(), keeper.as_ref()])
}

/// Returns the address of a guard's group of rules.
pub fn group(guard: &Pubkey, id: u16) -> Pubkey {
    find(&[GROUP_SEED, guard.as_ref(), &id.to_le_bytes()])
}

/// Returns the address of a guard's dollar limit.
pub fn aggregate(guard: &Pubkey) -> Pubkey {
    find(&[AGGREGATE_SEED, guard.as_ref()])
}

/// Returns the address of a guard's census.
pub fn census(guard: &Pubkey) -> Pubkey {
    find(&[CENSUS_SEED, guard.as_ref()])
}

/// Returns the address of a guard's bounty vault.
pub fn bounty_vault(guard: &Pubkey) -> Pubkey {
    find(&[BOUNTY_SEED, guard.as_ref()])
}

/// Returns the address of a guard's swap policy.
pub fn swap_policy(guard: &Pubkey, id: u16) -> Pubkey {
    find(&[POLICY_SEED, guard.as_ref(), &id.to_le_bytes()])
}

/// Returns the escrow authority of a swap policy.
pub fn escrow(policy: &Pubkey) -> Pubkey {
    find(&[ESCROW_SEED, policy.as_ref()])
}

/// Returns the address of a guard's reserve.
pub fn reserve(guard: &Pubkey) -> Pubkey {
    find(&[RESERVE_SEED, guard.as_ref()])
}

/// Returns the associated token account of `owner`.
pub fn associated(owner: &Pubkey, mint: &Pubkey, token_program: &Pubkey) -> Pubkey {
    anchor_spl::associated_token::get_associated_token_address_with_program_id(owner, mint, token_program)
}
