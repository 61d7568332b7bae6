//! Attacks on a guarded instruction, for an integrator's own tests.
//!
//! The kit turns one honest instruction into those that an attacker would send. It runs nothing: send each with whatever
//! runs your tests (LiteSVM, Mollusk, a validator), and assert that it fails and that no balance moved. Then assert of
//! every instruction that lets tokens out that [`charged`] equals what left: that is how a forgotten call shows.

use crate::address::ID;
use crate::call::tag;
use solana_address::Address;
use solana_instruction::{AccountMeta, Instruction};

/// An instruction that MUST fail.
#[derive(Clone, Debug)]
pub struct Attack {
    /// What it tries.
    pub name: &'static str,
    /// The instruction.
    pub instruction: Instruction,
}

/// The honest instruction's guard accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guarded {
    /// The guard.
    pub guard: Address,
    /// The integration.
    pub integration: Address,
    /// The integration's authority.
    pub authority: Address,
}

/// What the attacker prepared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fakes {
    /// A program that succeeds at everything and returns a verdict that allows it.
    pub program: Address,
    /// A guard of the attacker's own.
    pub guard: Address,
    /// An integration under it that allows everything and names the same authority.
    pub integration: Address,
    /// A copy of the honest integration's bytes that another program owns.
    pub copy: Address,
    /// A key of the attacker's own; signs.
    pub stranger: Address,
}

/// Returns the attacks on `honest`, an instruction of the integrator that lets value out.
///
/// Sign each as the honest one is signed, and by `stranger`.
pub fn attacks(honest: &Instruction, guarded: &Guarded, fakes: &Fakes) -> Vec<Attack> {
    let swap = |name, swaps: &[(Address, Address)]| Attack { name, instruction: swapped(honest, swaps) };
    let program = (ID, fakes.program);
    let (guard, integration) = ((guarded.guard, fakes.guard), (guarded.integration, fakes.integration));
    vec![
        swap("a fake guard program", &[program]),
        swap("a fake guard program with its own accounts", &[program, guard, integration]),
        swap("an integration of the attacker's guard", &[integration]),
        swap("an integration of the attacker's guard, with that guard", &[guard, integration]),
        swap("the attacker's guard", &[guard]),
        swap("a copy of the integration", &[(guarded.integration, fakes.copy)]),
        swap("the guard as the integration", &[(guarded.integration, guarded.guard)]),
        Attack { name: "no guard accounts", instruction: without(honest, &[ID, guarded.guard, guarded.integration]) },
        Attack { name: "a stranger burns the budget", instruction: record(guarded, fakes.stranger, true) },
        Attack { name: "the authority without its signature", instruction: record(guarded, guarded.authority, false) },
    ]
}

/// Returns what was charged to an integration between two states of its account, base units.
///
/// `None` if either isn't an integration's data.
pub fn charged(before: &[u8], after: &[u8]) -> Option<u64> {
    total(after)?.checked_sub(total(before)?)
}

/// Where an integration's account keeps what it let out through exits; what it let out as new risk follows.
pub const EXITED_AT: usize = 1_328;

fn total(data: &[u8]) -> Option<u64> {
    let u64_at = |at: usize| Some(u64::from_le_bytes(data.get(at..at + 8)?.try_into().ok()?));
    u64_at(EXITED_AT)?.checked_add(u64_at(EXITED_AT + 8)?)
}

fn swapped(honest: &Instruction, swaps: &[(Address, Address)]) -> Instruction {
    let mut changed = honest.clone();
    for meta in &mut changed.accounts {
        if let Some((_, fake)) = swaps.iter().find(|(own, _)| meta.pubkey == *own) {
            meta.pubkey = *fake;
        }
    }
    changed
}

fn without(honest: &Instruction, keys: &[Address]) -> Instruction {
    let mut changed = honest.clone();
    changed.accounts.retain(|meta| !keys.contains(&meta.pubkey));
    changed
}

fn record(guarded: &Guarded, authority: Address, is_signer: bool) -> Instruction {
    let accounts = vec![
        AccountMeta::new_readonly(authority, is_signer),
        AccountMeta::new_readonly(guarded.guard, false),
        AccountMeta::new(guarded.integration, false),
    ];
    let data = [&tag::RECORD[..], &[1], &1u64.to_le_bytes()].concat();
    Instruction { program_id: ID, accounts, data }
}
