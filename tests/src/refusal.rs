//! Refusals of any kind, asserted together with the state that they leave alone.

use crate::world::{Outcome, World};
use anchor_lang::error::ErrorCode;
use rampart::error::RampartError;
use rampart_client::{AccountMeta, Instruction, Pubkey};
use solana_sdk::instruction::InstructionError;
use solana_sdk::signature::Keypair;
use solana_sdk::transaction::TransactionError;

/// Who refused, and with what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A custom code: of the program, of Anchor or of a token program.
    Code(u32, String),
    /// An error of the runtime itself.
    Runtime(InstructionError),
}

impl From<RampartError> for Refusal {
    fn from(error: RampartError) -> Self {
        Self::Code(error.into(), format!("{error:?}"))
    }
}

impl From<ErrorCode> for Refusal {
    fn from(error: ErrorCode) -> Self {
        Self::Code(error.into(), format!("{error:?}"))
    }
}

impl From<InstructionError> for Refusal {
    fn from(error: InstructionError) -> Self {
        Self::Runtime(error)
    }
}

/// Refusals of both token programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenRefusal {
    /// The account holds too little.
    InsufficientFunds = 1,
    /// Account and mint don't belong together.
    MintMismatch = 3,
    /// The signer doesn't own the account.
    OwnerMismatch = 4,
    /// The account is frozen.
    AccountFrozen = 17,
}

impl From<TokenRefusal> for Refusal {
    fn from(error: TokenRefusal) -> Self {
        Self::Code(error as u32, format!("{error:?}"))
    }
}

impl Refusal {
    /// Asserts that `outcome` is exactly this.
    ///
    /// # Panics
    /// Otherwise, with the logs.
    #[track_caller]
    pub fn assert(&self, outcome: Outcome) {
        let failed = outcome.expect_err(&format!("expected {self:?}, but the transaction landed"));
        let found = match &failed.err {
            TransactionError::InstructionError(_, error) => error,
            other => panic!("expected {self:?}, found {other:?}"),
        };
        let is_same = match self {
            Self::Code(code, _) => *found == InstructionError::Custom(*code),
            Self::Runtime(error) => found == error,
        };
        let logs = failed.meta.logs.join("\n");
        assert!(is_same, "expected {self:?}, found {found:?}\n{logs}");
    }
}

/// Sends `instruction` and asserts that it is refused with exactly `expected`, and that neither an account that it names
/// nor one of the vault's changed.
///
/// # Panics
/// Otherwise.
#[track_caller]
pub fn assert_refused(
    world: &mut World,
    instruction: &Instruction,
    signers: &[&Keypair],
    expected: impl Into<Refusal>,
) {
    let named = instruction.accounts.iter().map(|a| a.pubkey);
    let keys: Vec<Pubkey> = named.chain(world.vault_accounts()).collect();
    let read = |w: &World| -> Vec<_> {
        let account = |key| w.svm.get_account(key).map(|a| (a.owner, a.data));
        keys.iter().map(account).collect()
    };
    let before = read(world);
    let outcome = world.send(std::slice::from_ref(instruction), signers);
    expected.into().assert(outcome);
    assert!(before == read(world), "a refused instruction changed an account");
}

/// Returns `instruction` without the signature of its first account.
pub fn without_signature(instruction: &Instruction) -> Instruction {
    let mut changed = instruction.clone();
    changed.accounts[0].is_signer = false;
    changed
}

/// Returns `instruction` with `oracles` in place of its accounts from `from` on.
pub fn with_oracles(instruction: &Instruction, from: usize, oracles: &[AccountMeta]) -> Instruction {
    let mut changed = instruction.clone();
    changed.accounts.truncate(from);
    changed.accounts.extend_from_slice(oracles);
    changed
}

impl World {
    /// Returns the vault and everything that its instructions may write, without positions.
    pub fn vault_accounts(&self) -> [Pubkey; 6] {
        let k = &self.keys;
        [k.vault, k.guard, k.collateral_asset, k.loan_asset, k.collateral_token, k.loan_token]
    }
}
