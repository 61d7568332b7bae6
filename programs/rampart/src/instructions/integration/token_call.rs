//! Calls of the token programs on an integration's signature.
//!
//! Built by hand: both programs share these bytes, and a call through their crates costs more than the limiter.

use crate::state::Integration;
use anchor_lang::prelude::*;
use anchor_lang::solana_program::instruction::Instruction;
use anchor_lang::solana_program::program::invoke_signed_unchecked;

/// Tags of `TransferChecked` and `MintToChecked`.
const TRANSFER_CHECKED: u8 = 12;
const MINT_TO_CHECKED: u8 = 14;

/// One call: its program and accounts, without the authority, which is the integration.
pub struct TokenCall<'a, 'info, const N: usize> {
    /// Signs.
    pub integration: &'a AccountLoader<'info, Integration>,
    /// SPL Token or Token-2022.
    pub program: Pubkey,
    /// The accounts, in the order of the token programs.
    pub accounts: [&'a UncheckedAccount<'info>; N],
}

impl TokenCall<'_, '_, 3> {
    /// Moves `amount`: from, mint, to. State MUST be written before.
    ///
    /// # Errors
    /// Those of the token program.
    pub fn transfer(&self, amount: u64, decimals: u8) -> Result<()> {
        self.call(TRANSFER_CHECKED, amount, decimals)
    }
}

impl TokenCall<'_, '_, 2> {
    /// Mints `amount`: mint, to. State MUST be written before.
    ///
    /// # Errors
    /// Those of the token program.
    pub fn mint(&self, amount: u64, decimals: u8) -> Result<()> {
        self.call(MINT_TO_CHECKED, amount, decimals)
    }
}

impl<const N: usize> TokenCall<'_, '_, N> {
    fn call(&self, tag: u8, amount: u64, decimals: u8) -> Result<()> {
        let mut data = Vec::with_capacity(10);
        data.push(tag);
        data.extend_from_slice(&amount.to_le_bytes());
        data.push(decimals);
        let mut infos = Vec::with_capacity(N + 1);
        let mut accounts = Vec::with_capacity(N + 1);
        for account in self.accounts {
            accounts.push(AccountMeta { pubkey: *account.key, is_signer: false, is_writable: account.is_writable });
            infos.push(account.to_account_info());
        }
        let integration = self.integration.to_account_info();
        accounts.push(AccountMeta::new_readonly(*integration.key, true));
        infos.push(integration);
        let (guard, program, index, bump) = {
            let i = self.integration.load()?;
            (i.guard, i.program, i.index.to_le_bytes(), [i.bump])
        };
        let [seed, guard, program, index] = Integration::seeds(&guard, &program, &index);
        let signer: &[&[u8]] = &[seed, guard, program, index, &bump];
        let instruction = Instruction { program_id: self.program, accounts, data };
        // no data is borrowed here: the loads above have ended
        Ok(invoke_signed_unchecked(&instruction, &infos, &[signer])?)
    }
}
