//! The code of `docs/integrating.md`, compiled as it stands there.

#![allow(dead_code, clippy::too_many_arguments)]

use rampart_cpi::{Guard, Kind};
use solana_account_info::AccountInfo;
use solana_address::Address;
use solana_program_error::ProgramResult;

/// Charges a withdrawal. Call it once the amount is final, in the instruction that transfers, before the transfer.
fn guard_withdrawal<'info>(
    rampart: &AccountInfo<'info>,
    guard: &AccountInfo<'info>,
    integration: &AccountInfo<'info>,
    pool: &AccountInfo<'info>,
    authority: &AccountInfo<'info>,
    pinned: &Address,
    amount: u64,
    bump: u8,
) -> ProgramResult {
    // with limits in percent of what the pool holds; leave `with_base` out where limits are amounts
    let guard = Guard::new(rampart, guard, integration, pinned)?.with_base(pool);
    guard.record_outflow(authority, Kind::Exit, amount, &[b"vault", &[bump]])
}

use solana_program_error::ProgramError;

/// Returns how much of `wanted` may leave now.
fn up_to_the_most(guard: &Guard, wanted: u64) -> Result<u64, ProgramError> {
    let verdict = guard.check(Kind::Exit, wanted)?;
    Ok(wanted.min(verdict.max_amount))
}

/// The guide, and all files that hold its code.
const GUIDE: &str = include_str!("../../../docs/integrating.md");
const CODE: [&str; 2] = [include_str!("guide.rs"), include_str!("guide_kit.rs")];

#[test]
fn code_of_the_guide_is_compiled_here() {
    let blocks: Vec<&str> = GUIDE.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(blocks.len(), 3);
    for block in blocks {
        assert!(CODE.iter().any(|code| code.contains(block)), "not compiled:\n{block}");
    }
}
