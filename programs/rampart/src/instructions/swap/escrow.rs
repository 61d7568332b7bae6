//! An escrow's token account, before and after a foreign program had the escrow's signature.

use crate::error::RampartError;
use crate::refuse::{require, require_keys_eq};
use anchor_lang::prelude::*;

/// Where both token programs keep what, bytes from the start of a token account.
///
/// # Source
/// spl-token 3, `state::Account`; Token-2022 puts its extensions behind these 165 bytes.
const LEN: usize = 165;
const OWNER: usize = 32;
const AMOUNT: usize = 64;
const DELEGATE: usize = 72;
const STATE: usize = 108;
const NATIVE: usize = 109;
const CLOSE_AUTHORITY: usize = 129;

/// The state of an account that is neither frozen nor empty.
const INITIALIZED: u8 = 1;

/// A token account as it was: everything but its amount has to be so afterwards.
pub struct Snapshot {
    data: Vec<u8>,
    program: Pubkey,
    amount: u64,
    spare_lamports: u64,
}

impl Snapshot {
    /// Takes it, after checking that `owner` alone can move what `account` holds of `mint`.
    ///
    /// # Errors
    /// `EscrowNotClean`.
    pub fn take(account: &AccountInfo, mint: &AccountInfo, owner: &Pubkey) -> Result<Self> {
        require_keys_eq!(*account.owner, *mint.owner, RampartError::EscrowNotClean);
        let data = account.try_borrow_data()?;
        require!(data.len() >= LEN, RampartError::EscrowNotClean);
        let is_its_own = data[..OWNER] == mint.key.to_bytes() && data[OWNER..AMOUNT] == owner.to_bytes();
        let is_free = data[DELEGATE..DELEGATE + 4] == [0; 4]
            && data[CLOSE_AUTHORITY..CLOSE_AUTHORITY + 4] == [0; 4]
            && data[STATE] == INITIALIZED;
        require!(is_its_own && is_free, RampartError::EscrowNotClean);
        let amount = amount_in(&data);
        Ok(Self { spare_lamports: spare(account, &data), program: *account.owner, data: data.to_vec(), amount })
    }

    /// Returns what the account held.
    pub fn amount(&self) -> u64 {
        self.amount
    }

    /// Checks that nothing but the amount changed, and that no lamports are gone. Returns the amount now.
    ///
    /// # Errors
    /// `EscrowTampered`.
    pub fn require_same(&self, account: &AccountInfo) -> Result<u64> {
        let data = account.try_borrow_data()?;
        let is_same = *account.owner == self.program
            && data.len() == self.data.len()
            && data[..AMOUNT] == self.data[..AMOUNT]
            && data[DELEGATE..] == self.data[DELEGATE..]
            && spare(account, &data) >= self.spare_lamports;
        require!(is_same, RampartError::EscrowTampered);
        Ok(amount_in(&data))
    }
}

/// Returns the balance in a token account's data; nothing for data that is none.
pub fn amount_in(data: &[u8]) -> u64 {
    data.get(AMOUNT..DELEGATE).and_then(|b| b.try_into().ok()).map_or(0, u64::from_le_bytes)
}

/// Returns who owns the token account; `None` for data that is none.
pub fn owner_in(data: &[u8]) -> Option<&[u8]> {
    data.get(OWNER..AMOUNT).filter(|_| data.len() >= LEN)
}

/// Returns what can leave a token account now: its balance, and nothing while it is frozen or no such account.
pub fn movable(account: &AccountInfo) -> u64 {
    account.try_borrow_data().map_or(0, |data| {
        let is_usable = data.len() >= LEN && data[STATE] == INITIALIZED;
        if is_usable { amount_in(&data) } else { 0 }
    })
}

/// Lamports that aren't the balance itself: wrapped SOL keeps its balance in lamports.
fn spare(account: &AccountInfo, data: &[u8]) -> u64 {
    let is_native = data[NATIVE..NATIVE + 4] != [0; 4];
    account.lamports().saturating_sub(if is_native { amount_in(data) } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes and lamports of a token account, for a test to change.
    #[derive(Clone)]
    struct Account {
        owner: Pubkey,
        lamports: u64,
        data: Vec<u8>,
    }

    type Edit = fn(&mut Account);

    const MINT: Pubkey = Pubkey::new_from_array([2; 32]);
    const ESCROW: Pubkey = Pubkey::new_from_array([3; 32]);
    const KEY: Pubkey = Pubkey::new_from_array([4; 32]);

    fn account() -> Account {
        let mut data = vec![0; 170];
        data[..32].copy_from_slice(MINT.as_ref());
        data[32..64].copy_from_slice(ESCROW.as_ref());
        data[AMOUNT] = 7;
        data[STATE] = INITIALIZED;
        Account { owner: anchor_spl::token::ID, lamports: 2_000, data }
    }

    fn with<T>(account: &mut Account, run: impl FnOnce(&AccountInfo) -> T) -> T {
        let info = AccountInfo::new(&KEY, false, true, &mut account.lamports, &mut account.data, &account.owner, false);
        run(&info)
    }

    fn take(account: &mut Account) -> Result<Snapshot> {
        let (mut lamports, mut data) = (1, vec![]);
        let mint = AccountInfo::new(&MINT, false, false, &mut lamports, &mut data, &anchor_spl::token::ID, false);
        with(account, |info| Snapshot::take(info, &mint, &ESCROW))
    }

    #[test]
    fn every_byte_but_the_amount_must_stay() {
        let mut now = account();
        let snapshot = take(&mut now).unwrap();
        assert_eq!(snapshot.amount(), 7);
        for at in 0..170 {
            let mut changed = account();
            changed.data[at] ^= 0x40;
            let found = with(&mut changed, |info| snapshot.require_same(info));
            assert_eq!(found.is_ok(), (AMOUNT..DELEGATE).contains(&at), "byte {at}");
        }
    }

    #[test]
    fn size_program_and_lamports_must_stay_and_more_lamports_may_come() {
        let snapshot = take(&mut account()).unwrap();
        let changes: [(Edit, bool); 5] = [
            (|a| a.data.truncate(165), false),
            (|a| a.data.clear(), false),
            (|a| a.owner = anchor_lang::system_program::ID, false),
            (|a| a.lamports -= 1, false),
            (|a| a.lamports += 1, true),
        ];
        for (index, (change, is_same)) in changes.into_iter().enumerate() {
            let mut changed = account();
            change(&mut changed);
            assert_eq!(with(&mut changed, |info| snapshot.require_same(info)).is_ok(), is_same, "change {index}");
        }
    }

    #[test]
    fn wrapped_sol_may_lose_the_lamports_of_its_amount_and_no_more() {
        let mut native = account();
        native.data[NATIVE] = 1;
        let snapshot = take(&mut native).unwrap();
        native.data[AMOUNT] = 2;
        native.lamports -= 5;
        assert_eq!(with(&mut native, |info| snapshot.require_same(info)).unwrap(), 2);
        native.lamports -= 1;
        assert!(with(&mut native, |info| snapshot.require_same(info)).is_err());
    }

    #[test]
    fn account_that_somebody_else_can_move_is_not_clean() {
        let changes: [fn(&mut Account); 7] = [
            |a| a.data[0] ^= 1,
            |a| a.data[OWNER] ^= 1,
            |a| a.data[DELEGATE] = 1,
            |a| a.data[CLOSE_AUTHORITY] = 1,
            |a| a.data[STATE] = 2,
            |a| a.data.truncate(164),
            |a| a.owner = anchor_spl::token_2022::ID,
        ];
        for change in changes {
            let mut changed = account();
            change(&mut changed);
            assert!(take(&mut changed).is_err());
        }
    }
}
