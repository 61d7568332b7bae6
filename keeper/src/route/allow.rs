//! What a policy lets be called, checked before anything is signed.
//!
//! The program refuses the same and more; a route from outside is checked here so that no fee is paid for the refusal,
//! and so that nothing but the swap reaches a transaction of this keeper.

use crate::route::RouteError;
use crate::watch::store::Store;
use anchor_lang::prelude::Pubkey;
use rampart::error::RampartError as E;
use rampart::state::SwapPolicy;
use rampart_client::swap::{PolicyKeys, Routed};
use std::collections::HashSet;

/// Checks that `policy` lets `program` be called with `routed` on the escrow's signature alone.
///
/// # Errors
/// `Forbidden`: with `SwapProgramForbidden` or `SwapInstructionForbidden` by the policy's lists, `SwapAccountsMismatch`
/// where anybody but the escrow would sign, `SwapRouteForbidden` for an account of the guard's or one that could be
/// written twice.
pub fn require_allowed(
    store: &Store,
    (keys, policy): (&PolicyKeys, &SwapPolicy),
    program: &Pubkey,
    routed: &Routed,
) -> Result<(), RouteError> {
    if *program != policy.params.program {
        return Err(RouteError::Forbidden(E::SwapProgramForbidden));
    }
    if policy.params.require_allowed(program, &routed.data).is_err() {
        return Err(RouteError::Forbidden(E::SwapInstructionForbidden));
    }
    if routed.accounts.iter().any(|meta| meta.is_signer) {
        return Err(RouteError::Forbidden(E::SwapAccountsMismatch));
    }
    let is_guards = |key: &Pubkey| *key == rampart::ID || store.is_of_program(key);
    let mut written = HashSet::new();
    let writable = routed.accounts.iter().filter(|meta| meta.is_writable && meta.pubkey != keys.escrow);
    let is_twice = writable.map(|meta| meta.pubkey).any(|key| !written.insert(key));
    if is_twice || routed.accounts.iter().any(|meta| is_guards(&meta.pubkey)) {
        return Err(RouteError::Forbidden(E::SwapRouteForbidden));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::testing::{World, key, swap_policy};
    use rampart_client::AccountMeta;

    #[test]
    fn route_passes_only_by_the_policys_lists_and_on_the_escrows_signature() {
        let world = World::new();
        let store = world.store(&[]);
        let (keys, policy) = swap_policy(world.guard_key, key(70));
        let routed = |data: u8, accounts: Vec<AccountMeta>| Routed { accounts, data: vec![data] };
        let judge = |program: Pubkey, routed: Routed| require_allowed(&store, (&keys, &policy), &program, &routed);
        let write = |n| AccountMeta::new(key(n), false);
        assert_eq!(judge(key(70), routed(1, vec![write(80), write(81)])), Ok(()));
        let refused = |error| Err(RouteError::Forbidden(error));
        assert_eq!(judge(key(71), routed(1, vec![])), refused(E::SwapProgramForbidden));
        assert_eq!(judge(key(70), routed(2, vec![])), refused(E::SwapInstructionForbidden));
        let signed = AccountMeta::new_readonly(key(90), true);
        assert_eq!(judge(key(70), routed(1, vec![signed])), refused(E::SwapAccountsMismatch));
        assert_eq!(judge(key(70), routed(1, vec![write(80), write(80)])), refused(E::SwapRouteForbidden));
        let vault = AccountMeta::new(world.vault_key, false);
        assert_eq!(judge(key(70), routed(1, vec![vault])), refused(E::SwapRouteForbidden));
    }
}
