//! The guard for other programs: registration, questions, records and custody.

use crate::{AccountMeta, Instruction, Pubkey, address, build};
use rampart::control::nonce::INSTRUCTIONS_SYSVAR;
use rampart::verdict::PROGRAM_DATA;
use rampart::{RegisterIntegrationArgs, TightenIntegrationArgs, Validity};
use rampart::{accounts, instruction};

/// An integration with what its instructions name beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntegrationKeys {
    /// The integration.
    pub integration: Pubkey,
    /// Its guard.
    pub guard: Pubkey,
    /// Who may charge it.
    pub authority: Pubkey,
    /// The token account or mint that percentages are of; none for limits that are amounts.
    pub base: Option<Pubkey>,
    /// The asset account whose level counts too.
    pub asset: Option<Pubkey>,
}

impl IntegrationKeys {
    fn metas(&self, takes_base: bool) -> Vec<AccountMeta> {
        let base = self.base.filter(|_| takes_base);
        base.into_iter().chain(self.asset).map(|key| AccountMeta::new_readonly(key, false)).collect()
    }
}

/// What is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The guard.
    pub guard: Pubkey,
    /// The integrator's program, or the System program for a wallet.
    pub integrator: Pubkey,
    /// Number within guard and program.
    pub index: u16,
    /// The mint whose base units are counted.
    pub mint: Pubkey,
    /// The token account that is held, or whose balance is the base.
    pub token: Option<Pubkey>,
    /// The asset account whose level counts too.
    pub asset: Option<Pubkey>,
}

impl Registration {
    /// Returns the integration's address.
    pub fn address(&self) -> Pubkey {
        address::integration(&self.guard, &self.integrator, self.index)
    }
}

/// The accounts of a transfer out of custody, or of a mint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payout {
    /// The mint.
    pub mint: Pubkey,
    /// Program of the mint.
    pub token_program: Pubkey,
    /// Where the tokens go.
    pub destination: Pubkey,
    /// Who owns `destination`; a mint doesn't ask.
    pub destination_owner: Pubkey,
}

/// Registers an integration.
pub fn register_integration(
    root: Pubkey,
    it: Registration,
    args: RegisterIntegrationArgs,
    validity: Validity,
) -> Instruction {
    let accounts = accounts::RegisterIntegration {
        root,
        guard: it.guard,
        integrator: it.integrator,
        mint: it.mint,
        token: it.token,
        asset: it.asset,
        integration: it.address(),
        instructions: INSTRUCTIONS_SYSVAR,
        system_program: anchor_lang::system_program::ID,
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    build(accounts, instruction::RegisterIntegration { index: it.index, args, validity }, &[])
}

/// Makes an integration's limits stricter.
pub fn tighten_integration(
    authority: Pubkey,
    guard: Pubkey,
    integration: Pubkey,
    args: TightenIntegrationArgs,
    validity: Validity,
) -> Instruction {
    let accounts = accounts::TightenIntegration {
        authority,
        guard,
        integration,
        instructions: INSTRUCTIONS_SYSVAR,
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    build(accounts, instruction::TightenIntegration { args, validity }, &[])
}

fn ask(keys: &IntegrationKeys) -> accounts::AskGuard {
    accounts::AskGuard { guard: keys.guard, integration: keys.integration }
}

/// Asks for a verdict, with the slot of the program's last deployment.
pub fn check_action(keys: &IntegrationKeys, kind: u8, amount: u64) -> Instruction {
    let mut metas = keys.metas(false);
    metas.push(AccountMeta::new_readonly(PROGRAM_DATA, false));
    build(ask(keys), instruction::CheckAction { kind, amount }, &metas)
}

/// Fails unless the action is allowed.
pub fn enforce_action(keys: &IntegrationKeys, kind: u8, amount: u64) -> Instruction {
    build(ask(keys), instruction::EnforceAction { kind, amount }, &keys.metas(false))
}

/// Enforces and charges an outflow.
pub fn record_outflow(keys: &IntegrationKeys, kind: u8, amount: u64) -> Instruction {
    let accounts =
        accounts::RecordOutflow { authority: keys.authority, guard: keys.guard, integration: keys.integration };
    build(accounts, instruction::RecordOutflow { kind, amount }, &keys.metas(true))
}

/// Moves tokens out of `token`, which the integration holds.
pub fn custody_transfer(keys: &IntegrationKeys, token: Pubkey, to: Payout, kind: u8, amount: u64) -> Instruction {
    let accounts = accounts::CustodyTransfer {
        authority: keys.authority,
        guard: keys.guard,
        integration: keys.integration,
        mint: to.mint,
        token,
        destination: to.destination,
        token_program: to.token_program,
        destination_owner: to.destination_owner,
    };
    build(accounts, instruction::CustodyTransfer { kind, amount }, &keys.metas(false))
}

/// Mints tokens whose mint authority the integration is.
pub fn custody_mint(keys: &IntegrationKeys, to: Payout, amount: u64) -> Instruction {
    let accounts = accounts::CustodyMint {
        authority: keys.authority,
        guard: keys.guard,
        integration: keys.integration,
        mint: to.mint,
        destination: to.destination,
        token_program: to.token_program,
    };
    build(accounts, instruction::CustodyMint { amount }, &keys.metas(false))
}
