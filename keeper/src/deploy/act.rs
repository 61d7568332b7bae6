//! The transactions of the steps.

use super::image::Image;
use super::plan::{CHUNK, Step};
use super::standing::Site;
use crate::takeover::LOADER;
use anchor_lang::prelude::Rent;
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_loader_v3_interface::instruction as loader;
use solana_loader_v3_interface::state::UpgradeableLoaderState as Loader;
use solana_sdk::instruction::{Instruction, InstructionError};
use solana_sdk::pubkey::Pubkey;
use solana_system_interface::instruction as system;

/// Compute units that a write may use: the loader's 2,370, and 150 for each instruction about the budget.
const WRITE_UNITS: u32 = 5_000;

/// Returns the instructions of a step that is one transaction, signed by `signer`, and by the program where it is deployed.
///
/// # Errors
/// What the loader's interface says of instructions that can't be made. A step of several transactions, or of none, has none.
pub fn instructions(
    step: &Step,
    (site, image): (&Site, &Image),
    signer: &Pubkey,
) -> Result<Vec<Instruction>, InstructionError> {
    let len = image.bytes.len();
    Ok(match step {
        Step::CreateBuffer { held_lamports } => create_buffer(site, len, signer, *held_lamports)?,
        Step::Deploy { held_lamports } => deploy(site, len, signer, *held_lamports)?,
        Step::Extend { bytes } => {
            let bytes = u32::try_from(*bytes).map_err(|_| InstructionError::ArithmeticOverflow)?;
            vec![loader::extend_program(&site.program, Some(signer), bytes)]
        }
        Step::Upgrade => vec![upgrade(site, signer, signer)],
        Step::HandBuffer { to } => vec![loader::set_buffer_authority(&site.buffer, signer, to)],
        Step::HandOver { to } => vec![loader::set_upgrade_authority(&site.program, signer, Some(to))],
        Step::Write { .. } | Step::Await { .. } => vec![],
    })
}

/// Returns the instruction by which `authority` replaces the program; what the buffer holds too much goes to `spill`.
pub fn upgrade(site: &Site, authority: &Pubkey, spill: &Pubkey) -> Instruction {
    loader::upgrade(&site.program, &site.buffer, authority, spill)
}

/// Returns the instruction that writes the chunk at `offset`.
///
/// # Errors
/// `ArithmeticOverflow` for an offset that no account has.
pub fn write(site: &Site, image: &Image, signer: &Pubkey, offset: usize) -> Result<Instruction, InstructionError> {
    let at = u32::try_from(offset).map_err(|_| InstructionError::ArithmeticOverflow)?;
    let end = image.bytes.len().min(offset.saturating_add(CHUNK));
    let bytes = image.bytes.get(offset..end).unwrap_or_default().to_vec();
    Ok(loader::write(&site.buffer, signer, at, bytes))
}

/// Puts a compute limit and a price, micro-lamports for each unit, before instructions; nothing where nothing is paid.
pub fn priced(instructions: &[Instruction], units: u32, micro_lamports: u64) -> Vec<Instruction> {
    let budget = [
        ComputeBudgetInstruction::set_compute_unit_limit(units),
        ComputeBudgetInstruction::set_compute_unit_price(micro_lamports),
    ];
    let budget = budget.into_iter().filter(|_| micro_lamports > 0);
    budget.chain(instructions.iter().cloned()).collect()
}

/// As [`priced`], for a write.
pub fn priced_write(instruction: Instruction, micro_lamports: u64) -> Vec<Instruction> {
    priced(&[instruction], WRITE_UNITS, micro_lamports)
}

/// The address may hold lamports already, which anybody can send there: then there is nothing to create, only to fill up.
fn create_buffer(site: &Site, len: usize, signer: &Pubkey, held: u64) -> Result<Vec<Instruction>, InstructionError> {
    let space = Loader::size_of_buffer(len);
    let rent = Rent::default().minimum_balance(space);
    // the second of the two instructions; the first makes an account with a key of its own
    let initialize = loader::create_buffer(signer, &site.buffer, signer, rent, len)?.split_off(1);
    let (seed, space) = (site.seed.as_str(), space as u64);
    let creation = if held == 0 {
        vec![system::create_account_with_seed(signer, &site.buffer, signer, seed, rent, space, &LOADER)]
    } else {
        let transfer = system::transfer(signer, &site.buffer, rent.saturating_sub(held));
        vec![transfer, system::allocate_with_seed(&site.buffer, signer, seed, space, &LOADER)]
    };
    Ok([creation, initialize].concat())
}

fn deploy(site: &Site, len: usize, signer: &Pubkey, held: u64) -> Result<Vec<Instruction>, InstructionError> {
    let rent = Rent::default().minimum_balance(Loader::size_of_program());
    let mut all = loader::deploy_with_max_program_len(signer, &site.program, &site.buffer, signer, rent, len)?;
    if held > 0 {
        let transfer = system::transfer(signer, &site.program, rent.saturating_sub(held));
        let allocate = system::allocate(&site.program, Loader::size_of_program() as u64);
        all.splice(..1, [transfer, allocate, system::assign(&site.program, &LOADER)]);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::submit::PACKET_BYTES;
    use solana_sdk::message::Message;
    use solana_sdk::transaction::Transaction;

    #[test]
    fn chunk_with_a_price_fills_a_packet() {
        let (image, signer) = (Image::new(vec![7; 2 * CHUNK + 5]), Pubkey::new_unique());
        let site = Site::of(Pubkey::new_unique(), &image, &signer).expect("a site");
        let bytes = |offset| {
            let all = priced_write(write(&site, &image, &signer, offset).expect("a write"), 1);
            let transaction = Transaction::new_unsigned(Message::new(&all, Some(&signer)));
            bincode::serialize(&transaction).expect("bytes").len()
        };
        assert!((PACKET_BYTES - 16..=PACKET_BYTES).contains(&bytes(CHUNK)), "{}", bytes(CHUNK));
        assert_eq!(bytes(2 * CHUNK), bytes(CHUNK) - CHUNK + 5 - 1, "the last one is shorter, and so is its length");
        assert!(priced(&[], 1, 0).is_empty());
    }
}
