//! What must hold of a vault's books after every instruction.

use crate::world::{User, World};
use rampart::state::{Position, Vault};

/// Tokens that somebody sent to the vault's accounts without an instruction of the program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Donated {
    /// Base units of the loan mint.
    pub loan: u64,
    /// Base units of the collateral mint.
    pub collateral: u64,
}

impl World {
    /// Asserts that the vault's books agree with its token accounts and with `users`, who are all of its owners.
    ///
    /// # Panics
    /// If they don't.
    #[track_caller]
    pub fn assert_books(&self, users: &[&User], donated: Donated) {
        let vault = self.vault();
        let open = |u: &User| self.svm.get_account(&u.position).is_some_and(|a| !a.data.is_empty());
        let positions: Vec<Position> = users.iter().filter(|u| open(u)).map(|u| self.position(&u.position)).collect();
        self.assert_balances(&vault, donated);
        assert_sums(&vault, &positions);
        assert_claims(&vault, &positions);
    }

    #[track_caller]
    fn assert_balances(&self, vault: &Vault, donated: Donated) {
        let loan = self.balance(&self.keys.loan_token);
        let collateral = self.balance(&self.keys.collateral_token);
        assert_eq!(loan, vault.cash_amount + donated.loan, "cash");
        assert_eq!(collateral, vault.collateral_amount + donated.collateral, "collateral");
    }
}

#[track_caller]
fn assert_sums(vault: &Vault, positions: &[Position]) {
    let sum = |of: fn(&Position) -> u128| positions.iter().map(of).sum::<u128>();
    assert_eq!(sum(|p| p.supply_shares.get()), vault.supply_shares.get(), "shares");
    assert_eq!(sum(|p| p.debt_scaled.get()), vault.debt_scaled.get(), "scaled debt");
    let is_locked_within = |p: &Position| p.tickets.locked_shares() <= p.supply_shares.get();
    assert!(positions.iter().all(is_locked_within), "tickets lock more shares than there are");
    assert_eq!(sum(|p| p.collateral_amount.into()), vault.collateral_amount.into(), "collateral");
}

/// Lenders can claim no more than there is, even all of them at once, and borrowers owe at least what is counted on.
#[track_caller]
fn assert_claims(vault: &Vault, positions: &[Position]) {
    let worth = |p: &Position| vault.assets_for_shares(p.supply_shares.get()).expect("worth");
    let claims: u128 = positions.iter().map(|p| u128::from(worth(p))).sum();
    let debt = vault.debt_amount().expect("debt");
    let there_is = u128::from(vault.cash_amount) + u128::from(debt);
    assert!(claims <= there_is, "lenders claim {claims} of {there_is}");
    let owed = |p: &Position| u128::from(vault.debt_of(p).expect("debt"));
    assert!(positions.iter().map(owed).sum::<u128>() >= u128::from(debt), "owed");
}
