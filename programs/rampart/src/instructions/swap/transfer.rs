//! Calls of the token programs between accounts that were checked by hand.
//!
//! Built by hand: both programs share these bytes, and typed accounts would cost more than the swap's own checks.

use anchor_lang::prelude::*;
use anchor_lang::solana_program::instruction::Instruction;
use anchor_lang::solana_program::program::invoke_signed_unchecked;

/// Tag of `TransferChecked`.
const TRANSFER_CHECKED: u8 = 12;

/// A mint with its program.
#[derive(Clone, Copy)]
pub struct Coin<'a, 'info> {
    /// The mint.
    pub mint: &'a AccountInfo<'info>,
    /// Its decimals.
    pub decimals: u8,
}

impl<'info> Coin<'_, 'info> {
    /// Moves `amount` between two accounts of the mint on `authority`'s signature: its own, or by `signers`. State MUST be
    /// written before, and no account's data borrowed.
    ///
    /// # Errors
    /// Those of the token program.
    pub fn transfer(
        &self,
        from: &AccountInfo<'info>,
        to: &AccountInfo<'info>,
        (authority, signers): (&AccountInfo<'info>, &[&[&[u8]]]),
        amount: u64,
    ) -> Result<()> {
        if amount == 0 {
            return Ok(());
        }
        let mut data = Vec::with_capacity(10);
        data.push(TRANSFER_CHECKED);
        data.extend_from_slice(&amount.to_le_bytes());
        data.push(self.decimals);
        let accounts = vec![
            AccountMeta::new(*from.key, false),
            AccountMeta::new_readonly(*self.mint.key, false),
            AccountMeta::new(*to.key, false),
            AccountMeta::new_readonly(*authority.key, true),
        ];
        // the mint's owner is its token program: asset accounts only admit mints of the two
        let instruction = Instruction { program_id: *self.mint.owner, accounts, data };
        let infos = [from.clone(), self.mint.clone(), to.clone(), authority.clone()];
        Ok(invoke_signed_unchecked(&instruction, &infos, signers)?)
    }
}
