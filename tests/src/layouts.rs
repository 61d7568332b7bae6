//! What the program makes of accounts of another layout, and of bytes behind an account: tried on every transaction that
//! a run of other tests sends and that lands.

use crate::World;
use litesvm::LiteSVM;
use rampart::state::{RiskScale, Vault, vault_v1};
use rampart_client::Pubkey;
use solana_sdk::account::Account;
use solana_sdk::transaction::{Transaction, TransactionError};
use std::cell::RefCell;

/// Bytes that are put behind an account, as a reallocation might leave them.
const TAIL: [u8; 64] = [0xFF; 64];

thread_local! {
    static PROBES: RefCell<Option<Vec<Probe>>> = const { RefCell::new(None) };
}

/// One account of the program's in one transaction, and what became of the transaction.
#[derive(Debug)]
pub struct Probe {
    /// Discriminators of the program's instructions in the transaction.
    pub instructions: Vec<[u8; 8]>,
    /// The account's own discriminator, which names its kind and its layout.
    pub kind: [u8; 8],
    /// With the discriminator of another layout.
    pub other_layout: Result<(), TransactionError>,
    /// With other bytes behind the account.
    pub with_tail: Result<(), TransactionError>,
}

/// Runs `run` and returns what every transaction that landed in it makes of changed accounts.
///
/// # Panics
/// Where `run` does.
pub fn probed(run: impl FnOnce()) -> Vec<Probe> {
    PROBES.set(Some(vec![]));
    run();
    PROBES.take().unwrap_or_default()
}

/// Tries `transaction`, which has not been sent yet, where somebody asked for it.
pub(crate) fn probe(svm: &mut LiteSVM, transaction: &Transaction) {
    if PROBES.with_borrow(Option::is_none) || run(svm, transaction).is_err() {
        return;
    }
    let message = &transaction.message;
    let ours =
        message.instructions.iter().filter(|ix| message.account_keys[usize::from(ix.program_id_index)] == rampart::ID);
    let instructions: Vec<[u8; 8]> = ours.filter_map(|ix| ix.data.first_chunk().copied()).collect();
    for key in &message.account_keys {
        let Some(account) = svm.get_account(key).filter(|a| a.owner == rampart::ID) else { continue };
        let Some(kind) = account.data.first_chunk().copied() else { continue };
        let mut other = account.clone();
        other.data[7] ^= 0x80;
        let mut longer = account.clone();
        longer.data.extend_from_slice(&TAIL);
        longer.lamports += 1_000_000_000;
        let probe = Probe {
            instructions: instructions.clone(),
            kind,
            other_layout: with(svm, key, (&account, other), transaction),
            with_tail: with(svm, key, (&account, longer), transaction),
        };
        PROBES.with_borrow_mut(|probes| probes.as_mut().expect("probes are asked for").push(probe));
    }
}

fn with(
    svm: &mut LiteSVM,
    key: &Pubkey,
    (account, changed): (&Account, Account),
    transaction: &Transaction,
) -> Result<(), TransactionError> {
    svm.set_account(*key, changed).expect("account is written");
    let outcome = run(svm, transaction);
    svm.set_account(*key, account.clone()).expect("account is written");
    outcome
}

fn run(svm: &LiteSVM, transaction: &Transaction) -> Result<(), TransactionError> {
    svm.simulate_transaction(transaction.clone()).map(|_| ()).map_err(|failed| failed.err)
}

/// Turns a vault, whose scale MUST be off and unused, back into the first layout.
///
/// # Panics
/// If there is no such vault at `key`.
pub fn age(world: &mut World, key: &Pubkey) {
    let vault: Vault = world.load(key);
    let cuts = [vault.ltv_cut, vault.cap_cut];
    assert!(vault.scale == RiskScale::off(vault.risk.ltv_bps) && cuts == [bytemuck::Zeroable::zeroed(); 2]);
    let mut account = world.svm.get_account(key).expect("account exists");
    account.data[..8].copy_from_slice(&vault_v1::DISCRIMINATOR);
    account.data[vault_v1::RESERVED..Vault::SPACE].fill(0);
    world.svm.set_account(*key, account).expect("account is written");
}
