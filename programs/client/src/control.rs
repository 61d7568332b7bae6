//! Change control: propose, stop, execute; hard bounds; root.

use crate::admin::SYSTEM;
use crate::{AccountMeta, Instruction, Pubkey, address, build};
use rampart::constants::MAX_STANDBY;
use rampart::control::nonce::INSTRUCTIONS_SYSVAR;
use rampart::state::{Asset, Change, ChangeGroup, Guard, HardBounds, PendingChange};
use rampart::{ActivateStandbyArgs, OpenCensusArgs, ProposeChangeArgs, Validity};
use rampart::{accounts, instruction};

/// Proposes `change` of `target`, whose group holds `now`, under the guard's next number.
///
/// `guardians`: a quorum of co-signers where the change moves the vetoer, else none.
pub fn propose_change(
    (guard_key, guard): (Pubkey, &Guard),
    target: Pubkey,
    (now, change): (Change, Change),
    validity: Validity,
    guardians: &[Pubkey],
) -> Instruction {
    let accounts = accounts::ProposeChange {
        root: guard.roles.root,
        guard: guard_key,
        target,
        change: address::change(&guard_key, guard.next_change_id),
        instructions: INSTRUCTIONS_SYSVAR,
        system_program: SYSTEM,
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    let args = ProposeChangeArgs { change, value_hash: now.hash(), validity };
    let rest = [keepers_of(change.group(), &guard_key), signers(guardians)].concat();
    build(accounts, instruction::ProposeChange { args }, &rest)
}

/// The keeper set, for changes of roles and root: the program asks for it where the guard has one.
fn keepers_of(group: ChangeGroup, guard: &Pubkey) -> Vec<AccountMeta> {
    let gives_roles = matches!(group, ChangeGroup::Roles | ChangeGroup::Root);
    gives_roles.then(|| AccountMeta::new_readonly(address::keeper_set(guard), false)).into_iter().collect()
}

/// Proposes `new_root` as root.
pub fn propose_root(guard_key: Pubkey, guard: &Guard, new_root: Pubkey, validity: Validity) -> Instruction {
    let change = (Change::Root(guard.roles.root), Change::Root(new_root));
    propose_change((guard_key, guard), guard_key, change, validity, &[])
}

/// Takes over as root by the change at `key`.
pub fn accept_root(new_root: Pubkey, key: Pubkey, change: &PendingChange) -> Instruction {
    let accounts = accounts::AcceptRoot {
        new_root,
        guard: change.guard,
        change: key,
        rent_to: change.rent_to,
        instructions: INSTRUCTIONS_SYSVAR,
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    build(accounts, instruction::AcceptRoot {}, &keepers_of(ChangeGroup::Root, &change.guard))
}

/// Executes the change at `key`. `evidence`: what its effect is tried on, see `control::effect::require_bounded`.
pub fn execute_change(key: Pubkey, change: &PendingChange, evidence: &[AccountMeta]) -> Instruction {
    let accounts = accounts::ExecuteChange {
        guard: change.guard,
        change: key,
        rent_to: change.rent_to,
        target: change.target,
        instructions: INSTRUCTIONS_SYSVAR,
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    let keepers = ChangeGroup::try_from(change.group).map_or_else(|_| Vec::new(), |g| keepers_of(g, &change.guard));
    build(accounts, instruction::ExecuteChange {}, &[evidence, &keepers].concat())
}

/// Stops the change at `key`, by the vetoer or a guardian.
pub fn veto_change(authority: Pubkey, key: Pubkey, change: &PendingChange) -> Instruction {
    let accounts = accounts::VetoChange {
        authority,
        guard: change.guard,
        change: key,
        rent_to: change.rent_to,
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    build(accounts, instruction::VetoChange {}, &[])
}

/// Takes the change at `key` back, by root.
pub fn cancel_change(root: Pubkey, key: Pubkey, change: &PendingChange) -> Instruction {
    let accounts = accounts::CancelChange {
        root,
        guard: change.guard,
        change: key,
        rent_to: change.rent_to,
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    build(accounts, instruction::CancelChange {}, &[])
}

/// Lets the standby at place `standby` take the place `source` of a dead one in the asset at `key`, by root or risk admin.
///
/// `oracles`: the oracle accounts of the asset's set.
pub fn activate_standby(
    authority: Pubkey,
    (key, asset): (Pubkey, &Asset),
    (source, standby): (u8, u8),
    validity: Validity,
    oracles: &[AccountMeta],
) -> Instruction {
    let accounts = accounts::ActivateStandby {
        authority,
        guard: asset.guard,
        asset: key,
        instructions: INSTRUCTIONS_SYSVAR,
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    let value_hash = Change::AssetOracle(asset.oracle).hash();
    let newcomer = asset.standby.sources[usize::from(standby).min(MAX_STANDBY - 1)].account;
    let all = [oracles, &[AccountMeta::new_readonly(newcomer, false)]].concat();
    let args = ActivateStandbyArgs { source, standby, value_hash, validity };
    build(accounts, instruction::ActivateStandby { args }, &all)
}

/// Narrows the hard bounds. `all`: every asset, vault and rule of the guard, or its census alone.
pub fn narrow_bounds(
    root: Pubkey,
    guard: Pubkey,
    bounds: HardBounds,
    validity: Validity,
    all: &[Pubkey],
) -> Instruction {
    let accounts = accounts::NarrowBounds {
        root,
        guard,
        instructions: INSTRUCTIONS_SYSVAR,
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    build(accounts, instruction::NarrowBounds { bounds, validity }, &census(all))
}

/// Gives up loosening for ever. `all`: every asset, vault and rule of the guard, or its census alone.
pub fn freeze_forever(root: Pubkey, guard: Pubkey, validity: Validity, all: &[Pubkey]) -> Instruction {
    let accounts = accounts::FreezeForever {
        root,
        guard,
        instructions: INSTRUCTIONS_SYSVAR,
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    build(accounts, instruction::FreezeForever { validity }, &census(all))
}

/// Begins a census: for bounds that become narrower, or for a freeze.
pub fn open_census(root: Pubkey, guard: Pubkey, args: OpenCensusArgs) -> Instruction {
    let accounts = accounts::OpenCensus {
        root,
        guard,
        census: address::census(&guard),
        instructions: INSTRUCTIONS_SYSVAR,
        system_program: SYSTEM,
    };
    build(accounts, instruction::OpenCensus { args }, &[])
}

/// Counts `some` of the guard's accounts: of all in ascending order, those that follow what was counted.
pub fn count_census(counter: Pubkey, guard: Pubkey, some: &[Pubkey]) -> Instruction {
    let accounts = accounts::CountCensus { counter, guard, census: address::census(&guard) };
    build(accounts, instruction::CountCensus {}, &census(some))
}

/// Closes a census, whose rent `rent_to` paid.
pub fn close_census(root: Pubkey, guard: Pubkey, rent_to: Pubkey) -> Instruction {
    let accounts = accounts::CloseCensus { root, guard, census: address::census(&guard), rent_to };
    build(accounts, instruction::CloseCensus {}, &[])
}

/// Accounts as the program wants to see all of them: read-only, in ascending order.
fn census(all: &[Pubkey]) -> Vec<AccountMeta> {
    let mut keys = all.to_vec();
    keys.sort_unstable();
    keys.into_iter().map(|key| AccountMeta::new_readonly(key, false)).collect()
}

pub(crate) fn signers(keys: &[Pubkey]) -> Vec<AccountMeta> {
    keys.iter().map(|key| AccountMeta::new_readonly(*key, true)).collect()
}
