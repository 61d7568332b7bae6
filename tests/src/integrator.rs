//! The fixture program that guards its withdrawals, and the program that says yes to everything.

use crate::integrations::{HELD, Setup};
use crate::tokens::ACCOUNT_LEN;
use crate::world::{Outcome, World};
use anchor_spl::token_interface::spl_token_2022::instruction::AuthorityType;
use rampart::state::integration::{LimitBase, Mode};
use rampart::{RegisterIntegrationArgs, verdict};
use rampart_client::integration::{self as client, Registration};
use rampart_client::{AccountMeta, Instruction, Pubkey, address};
use solana_sdk::account::Account;
use solana_sdk::signer::Signer;
use std::path::Path;

/// The fixture's address in these worlds.
pub const PROGRAM: Pubkey = Pubkey::new_from_array([0x1a; 32]);
/// The address of the program that says yes to everything.
pub const YES: Pubkey = Pubkey::new_from_array([0x1b; 32]);
const CONFIG: Pubkey = Pubkey::new_from_array([0x1c; 32]);

/// What the fixture does: the first byte of its instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Records, then pays.
    Withdraw = 0,
    /// Pays without a word to the guard.
    Unguarded = 1,
    /// Enforces, then pays.
    EnforceOnly = 2,
    /// Checks one amount and pays another.
    CheckThenMore = 3,
    /// Checks, lets another program answer, and reads that.
    Overwritten = 4,
    /// Takes a verdict that the transaction brings along.
    Remembered = 5,
    /// Calls itself some levels deep.
    Deep = 6,
    /// Lets the guard move what it holds.
    Custody = 7,
    /// Lets the guard mint.
    Mint = 8,
    /// Withdraws while the guard's program is the one it knows.
    Pinned = 9,
    /// Checks, and withdraws at most what is allowed.
    UpToTheMost = 10,
}

/// The deployed fixture with its integration.
#[derive(Clone, Copy, Debug)]
pub struct Integrator {
    /// Its authority: owns `from`, and is the integration's.
    pub authority: Pubkey,
    /// Where its tokens are.
    pub from: Pubkey,
    /// Where they go.
    pub to: Pubkey,
    /// The integration.
    pub integration: Pubkey,
    mint: Pubkey,
    token_program: Pubkey,
    guard: Pubkey,
    asset: Option<Pubkey>,
    receiver: Pubkey,
}

impl Integrator {
    /// Returns the instruction of `act`, with `more` after the amount and the guard's program data at the end.
    pub fn ix(&self, act: Act, amount: u64, more: &[u8]) -> Instruction {
        let mut ix = self.bare_ix(act, amount, more);
        ix.accounts.push(AccountMeta::new_readonly(YES, false));
        ix.accounts.push(AccountMeta::new_readonly(PROGRAM, false));
        ix.accounts.push(AccountMeta::new_readonly(verdict::PROGRAM_DATA, false));
        ix
    }

    /// As [`Integrator::ix`], with no account that the act doesn't need.
    pub fn bare_ix(&self, act: Act, amount: u64, more: &[u8]) -> Instruction {
        let read = |key| AccountMeta::new_readonly(key, false);
        let write = |key| AccountMeta::new(key, false);
        let mut accounts = vec![
            read(CONFIG),
            read(self.authority),
            write(self.from),
            write(self.to),
            if act == Act::Mint { write(self.mint) } else { read(self.mint) },
            read(self.token_program),
            read(rampart::ID),
            read(self.guard),
            write(self.integration),
        ];
        accounts.extend(self.asset.map(read));
        if matches!(act, Act::Custody | Act::Deep) {
            accounts.push(read(self.receiver));
        }
        let data = [&[act as u8][..], &amount.to_le_bytes(), more].concat();
        Instruction { program_id: PROGRAM, accounts, data }
    }

    /// As [`Integrator::ix`], ending with the program that says yes to everything.
    pub fn ix_with_stranger(&self, act: Act, amount: u64, more: &[u8]) -> Instruction {
        let mut ix = self.bare_ix(act, amount, more);
        ix.accounts.push(AccountMeta::new_readonly(YES, false));
        ix
    }
}

/// Returns a built fixture program.
///
/// # Panics
/// If there is none, with the command that builds it.
pub fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../target/fixtures/{name}.so"));
    let missing = |e| panic!("failed to read `{}`: {e}; `cargo xtask build-fixtures` builds it", path.display());
    std::fs::read(&path).unwrap_or_else(missing)
}

impl World {
    /// Deploys the fixtures and registers an integration of the first; its tokens are [`HELD`].
    pub fn integrator(&mut self, setup: Setup) -> Integrator {
        for (program, name) in [(PROGRAM, "integrator"), (YES, "yes")] {
            self.svm.add_program(program, &fixture(name)).expect("the fixture loads");
        }
        let (authority, bump) = Pubkey::find_program_address(&[b"vault"], &PROGRAM);
        let integration = address::integration(&self.guard, &PROGRAM, setup.index);
        let (mint, token_program) = (self.usdc.mint, self.usdc.token_program);
        let owner = if setup.mode == Mode::Custody { integration } else { authority };
        let from = self.create_token_account(self.usdc, owner, HELD);
        let receiver = self.payer_address();
        let to = self.create_token_account(self.usdc, receiver, 0);
        if setup.mode == Mode::Mint {
            let ix = self.hand_over_ix(token_program, mint, AuthorityType::MintTokens, integration);
            self.send(&[ix], &[]).expect("mint authority is handed over");
        }
        let asset = setup.has_asset.then(|| address::asset(&self.guard, &mint));
        let has_base = setup.mode == Mode::Reported && setup.base == LimitBase::Balance;
        let needs_token = setup.mode == Mode::Custody || setup.base == LimitBase::Balance;
        let it = Registration {
            guard: self.guard,
            integrator: PROGRAM,
            index: setup.index,
            mint,
            token: needs_token.then_some(from),
            asset,
        };
        let (mode, base) = (setup.mode as u8, setup.base as u8);
        let args = RegisterIntegrationArgs { authority, caps: setup.caps, mode, base };
        let ix = client::register_integration(self.root.pubkey(), it, args, self.validity());
        self.send_as_root(&[ix]).expect("the fixture is registered");
        let bits = u8::from(has_base) | u8::from(asset.is_some()) << 1;
        self.put_config(integration, bump, bits);
        Integrator { authority, from, to, integration, mint, token_program, guard: self.guard, asset, receiver }
    }

    fn put_config(&mut self, integration: Pubkey, bump: u8, bits: u8) {
        let data = [integration.as_ref(), &[bump, bits]].concat();
        let lamports = self.svm.minimum_balance_for_rent_exemption(ACCOUNT_LEN as usize);
        let config = Account { lamports, data, owner: PROGRAM, executable: false, rent_epoch: u64::MAX };
        self.svm.set_account(CONFIG, config).expect("the configuration is written");
    }

    /// Runs one act of the fixture.
    pub fn act(&mut self, it: &Integrator, act: Act, amount: u64, more: &[u8]) -> Outcome {
        self.send(&[it.ix(act, amount, more)], &[])
    }
}
