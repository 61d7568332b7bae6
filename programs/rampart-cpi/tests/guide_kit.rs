//! The code of `docs/integrating.md` that uses the kit, compiled as it stands there.

#![allow(dead_code)]

use rampart_cpi::kit::{Fakes, Guarded, attacks, charged};
use solana_instruction::Instruction;

/// Sends every attack with `send`, which returns whether the transaction landed.
fn assert_guarded(honest: &Instruction, guarded: &Guarded, fakes: &Fakes, mut send: impl FnMut(&Instruction) -> bool) {
    for attack in attacks(honest, guarded, fakes) {
        assert!(!send(&attack.instruction), "{} landed", attack.name);
    }
}

/// Whatever left MUST have been charged: a path that forgets the call, or pays more than it asked for, shows here.
fn assert_charged(integration_before: &[u8], integration_after: &[u8], left_amount: u64) {
    assert_eq!(charged(integration_before, integration_after), Some(left_amount));
}
