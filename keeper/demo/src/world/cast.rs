//! The people of the demo: their keys, and what the borrowers have and owe.

use crate::world::{Coin, SOURCES, VAULTS};
use rampart_client::Pubkey;
use rand::Rng;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use solana_sdk::signature::Keypair;
use solana_sdk::signer::Signer;

/// Borrowers of each vault.
pub const BORROWERS: [usize; 2] = [120, 80];
/// Lenders of each vault.
pub const LENDERS: usize = 5;
/// Keepers.
pub const KEEPERS: usize = 3;
/// The lowest and highest loan-to-value at which borrowers start, bps.
const LTV_BPS: (u64, u64) = (3_000, 7_350);

/// A key of the demo. It guards nothing: it is derived from the seed and used on the local network alone.
#[derive(Debug)]
pub struct Key(Keypair);

impl Key {
    fn new(rng: &mut ChaCha8Rng) -> Self {
        Self(Keypair::new_from_array(rng.random()))
    }

    /// Returns the address.
    pub fn key(&self) -> Pubkey {
        self.0.pubkey()
    }

    /// Returns the key pair.
    pub fn pair(&self) -> &Keypair {
        &self.0
    }
}

/// Somebody with a debt.
#[derive(Debug)]
pub struct Borrower {
    /// Signs.
    pub key: Key,
    /// Place of the vault.
    pub vault: usize,
    /// What the collateral is worth at the start, US dollars.
    pub collateral_usd: f64,
    /// Loan-to-value at the start, bps.
    pub ltv_bps: u64,
}

/// Somebody who lends.
#[derive(Debug)]
pub struct Lender {
    /// Signs.
    pub key: Key,
    /// Place of the vault.
    pub vault: usize,
}

/// Everybody, with their keys.
#[derive(Debug)]
pub struct Cast {
    /// Pays for the set-up and holds the mint authority.
    pub payer: Key,
    /// Root of the guard.
    pub root: Key,
    /// Tightens.
    pub risk_admin: Key,
    /// The other roles: resetter, vetoer, two guardians.
    pub officers: [Key; 4],
    /// Mints, by [`Coin`].
    pub mints: [Key; 3],
    /// Oracle accounts, by [`Coin`] and source.
    pub oracles: [[Pubkey; SOURCES]; 3],
    /// Lenders of all vaults.
    pub lenders: Vec<Lender>,
    /// Borrowers of all vaults.
    pub borrowers: Vec<Borrower>,
    /// Who tries what the guard is there against; borrows against collateral in the first vault.
    pub attacker: Key,
    /// Keepers' payers.
    pub keepers: [Key; KEEPERS],
    /// The pool's account, and the mint of its shares.
    pub pool: [Key; 2],
    /// Trades at the pool until its price is the market's.
    pub maker: Key,
}

impl Cast {
    /// Makes everybody out of `seed`: the same seed, the same people with the same positions.
    pub fn from_seed(seed: u64) -> Self {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        Self {
            payer: Key::new(rng),
            root: Key::new(rng),
            risk_admin: Key::new(rng),
            officers: std::array::from_fn(|_| Key::new(rng)),
            mints: std::array::from_fn(|_| Key::new(rng)),
            oracles: Coin::ALL.map(|_| std::array::from_fn(|_| Key::new(rng).key())),
            lenders: lenders(rng),
            borrowers: borrowers(rng),
            attacker: Key::new(rng),
            keepers: std::array::from_fn(|_| Key::new(rng)),
            pool: std::array::from_fn(|_| Key::new(rng)),
            maker: Key::new(rng),
        }
    }
}

fn lenders(rng: &mut ChaCha8Rng) -> Vec<Lender> {
    let vaults = (0..VAULTS.len()).flat_map(|vault| std::iter::repeat_n(vault, LENDERS));
    vaults.map(|vault| Lender { key: Key::new(rng), vault }).collect()
}

fn borrowers(rng: &mut ChaCha8Rng) -> Vec<Borrower> {
    let vaults = BORROWERS.iter().enumerate().flat_map(|(vault, count)| std::iter::repeat_n(vault, *count));
    vaults
        .map(|vault| Borrower {
            key: Key::new(rng),
            vault,
            collateral_usd: rng.random_range(20_000.0..140_000.0),
            ltv_bps: rng.random_range(LTV_BPS.0..LTV_BPS.1),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_gives_the_same_people() {
        let (a, b, c) = (Cast::from_seed(7), Cast::from_seed(7), Cast::from_seed(8));
        assert_eq!(a.borrowers.len(), 200);
        let positions = |cast: &Cast| cast.borrowers.iter().map(|p| (p.key.key(), p.ltv_bps)).collect::<Vec<_>>();
        assert_eq!(positions(&a), positions(&b));
        assert_ne!(positions(&a), positions(&c));
    }
}
