//! No role goes to a keeper: whoever configures or pauses doesn't report as well.

use crate::error::RampartError;
use crate::instructions::shared::{is_kind, load};
use crate::refuse::{err, require};
use crate::state::guard::Keepers;
use crate::state::keeper_set::holds_role;
use crate::state::{Guard, KeeperSet, Roles};
use anchor_lang::prelude::*;

/// Checks that nobody who would hold a role by `next` is a member of the guard's keeper set.
///
/// The guard says whether there is a set, so that it can't be left out. A guard has one: its address is of the guard.
///
/// # Accounts
/// `accounts`: the guard's keeper set among them, where there is one.
///
/// # Errors
/// `KeeperSetMissing`, `KeeperHoldsRole`.
pub fn require_no_keeper(guard_key: &Pubkey, guard: &Guard, next: &Roles, accounts: &[AccountInfo]) -> Result<()> {
    if guard.keepers == Keepers::None as u8 {
        return Ok(());
    }
    for account in accounts.iter().filter(|a| is_kind::<KeeperSet>(a)) {
        let set = load::<KeeperSet>(account)?;
        if set.guard == *guard_key {
            let is_free = set.active().iter().all(|member| !holds_role(next, &member.key));
            require!(is_free, RampartError::KeeperHoldsRole);
            return Ok(());
        }
    }
    err!(RampartError::KeeperSetMissing)
}
