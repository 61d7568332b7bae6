//! Groups of rules.

use crate::{AccountMeta, Instruction, Pubkey, address, build};
use rampart::control::nonce::INSTRUCTIONS_SYSVAR;
use rampart::state::RuleGroup;
use rampart::state::group::GroupParams;
use rampart::{accounts, instruction};

/// Creates group `id` of `rules`, which raises the level of `scope`: the guard, or an asset or a vault of it.
pub fn create_group(
    root: Pubkey,
    guard: Pubkey,
    scope: Pubkey,
    id: u16,
    params: GroupParams,
    rules: &[Pubkey],
) -> Instruction {
    let accounts = accounts::CreateGroup {
        root,
        guard,
        scope,
        group: address::group(&guard, id),
        instructions: INSTRUCTIONS_SYSVAR,
        system_program: anchor_lang::system_program::ID,
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    build(accounts, instruction::CreateGroup { id, params }, &read_only(rules))
}

/// Trips the group at `key`, fenced by its `trip_epoch`. The bounty, if there is one, goes to `bounty_to`.
pub fn trip_group(key: Pubkey, group: &RuleGroup, bounty_to: Option<Pubkey>) -> Instruction {
    let accounts = accounts::TripGroup {
        group: key,
        scope: group.scope,
        bounty_vault: bounty_to.map(|_| address::bounty_vault(&group.guard)),
        bounty_to,
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    build(accounts, instruction::TripGroup { trip_epoch: group.trip_epoch }, &read_only(group.active()))
}

/// Steps the cause of the group at `key` down, as `rule` of it is clear; fenced by its `trip_epoch`.
pub fn step_down_group(key: Pubkey, group: &RuleGroup, rule: Pubkey) -> Instruction {
    let accounts = accounts::StepDownGroup {
        group: key,
        rule,
        scope: group.scope,
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    build(accounts, instruction::StepDownGroup { trip_epoch: group.trip_epoch }, &[])
}

fn read_only(keys: &[Pubkey]) -> Vec<AccountMeta> {
    keys.iter().map(|key| AccountMeta::new_readonly(*key, false)).collect()
}
