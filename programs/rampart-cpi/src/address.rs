//! The guard's addresses, pinned.

use crate::error::GuardError;
use solana_account_info::AccountInfo;
use solana_address::Address;

/// The guard's program.
pub const ID: Address = Address::from_str_const("HiDN1cZjY1y3GCUFJfsaQae162WdXHXZ7Pkv9UWBjh4s");

/// The account in which the runtime keeps the guard's program, and the slot of its last deployment.
pub const PROGRAM_DATA: Address = Address::from_str_const("hYqhuACd1Wm5X5WM89xuzcnGxJ19JKhFm2uYRy2pHsb");

/// The program that owns [`PROGRAM_DATA`].
const LOADER: Address = Address::from_str_const("BPFLoaderUpgradeab1e11111111111111111111111");

/// Returns the address of the integration that `program` has under `guard`.
///
/// To be derived once, when the integrator is configured, and pinned: on chain this costs more than the guard's answer.
pub fn integration(guard: &Address, program: &Address, index: u16) -> Address {
    let seeds: [&[u8]; 4] = [b"integration", guard.as_ref(), program.as_ref(), &index.to_le_bytes()];
    Address::find_program_address(&seeds, &ID).0
}

/// Returns the slot in which the guard's program was last deployed.
///
/// # Errors
/// `WrongProgramData` unless the account is [`PROGRAM_DATA`].
pub fn deploy_slot(program_data: &AccountInfo) -> Result<u64, GuardError> {
    if *program_data.key != PROGRAM_DATA || *program_data.owner != LOADER {
        return Err(GuardError::WrongProgramData);
    }
    let data = program_data.try_borrow_data().map_err(|_| GuardError::WrongProgramData)?;
    // a tag of four bytes, 3 for program data, then the slot
    let slot = data.get(4..12).filter(|_| data[..4] == [3, 0, 0, 0]).and_then(|bytes| bytes.try_into().ok());
    slot.map(u64::from_le_bytes).ok_or(GuardError::WrongProgramData)
}

/// Checks that the guard's program is still the one that the caller knows.
///
/// This reads the runtime's own account: a program that was replaced can't lie about it.
///
/// # Errors
/// `ProgramChanged`, `WrongProgramData`.
pub fn require_deploy_slot(program_data: &AccountInfo, pinned_slot: u64) -> Result<(), GuardError> {
    if deploy_slot(program_data)? == pinned_slot { Ok(()) } else { Err(GuardError::ProgramChanged) }
}
