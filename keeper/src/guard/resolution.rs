//! The orderly end of a vault, and calling it off.

use super::act::{Act, at_scope};
use super::snapshot::Snapshot;
use super::words;
use anchor_lang::prelude::Pubkey;
use rampart::Validity;
use rampart::constants::RESOLUTION_NOTICE_SECS;
use rampart_client::{MintOf, VaultKeys, exit};

/// Returns the addresses of a vault; nothing where it or one of its assets isn't there.
pub fn keys_of(snapshot: &Snapshot, key: &Pubkey) -> Option<VaultKeys> {
    let vault = snapshot.vaults.get(key)?;
    let mint = |asset: &Pubkey| {
        let asset = snapshot.assets.get(asset)?;
        Some(MintOf { mint: asset.mint, token_program: asset.token_program })
    };
    Some(VaultKeys::derive(snapshot.key, mint(&vault.collateral_asset)?, mint(&vault.loan_asset)?))
}

/// Begins it: by root with a quorum of guardians, or by anyone with none of them once a shortfall has stood.
pub fn enter(keys: &VaultKeys, (authority, guardians): (Pubkey, &[Pubkey]), secs: u32, validity: Validity) -> Act {
    let instruction = exit::enter_resolution(keys, authority, guardians, secs, validity);
    let notice = words::span(RESOLUTION_NOTICE_SECS.unsigned_abs());
    let when =
        format!("claims open after {notice}, and after {} anybody settles for everybody", words::span(secs.into()));
    let signers = std::iter::once(authority).chain(guardians.iter().copied()).collect();
    let act = at_scope(format!("begin the resolution of vault {}", keys.vault), when, keys.vault, signers, instruction);
    let lasting = format!("root and guardians can call it off for {notice}; once claims are open nothing leads back");
    Act { lasting: Some(lasting), ..act }
}

/// Calls it off, before claims are open.
pub fn leave(keys: &VaultKeys, (root, guardians): (Pubkey, &[Pubkey]), validity: Validity) -> Act {
    let instruction = exit::leave_resolution(keys, root, guardians, validity);
    let signers = std::iter::once(root).chain(guardians.iter().copied()).collect();
    let what = format!("call the resolution of vault {} off", keys.vault);
    at_scope(what, "holds at once".into(), keys.vault, signers, instruction)
}
