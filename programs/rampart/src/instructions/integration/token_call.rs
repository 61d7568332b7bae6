//! Calls of the token programs on an integration's signature.
//!
//! Built by hand: both programs share these bytes, and a call through their crates costs more than the limiter.

use crate::instructions::shared::load;
use crate::state::Integration;
use crate::state::integration::Mode;
use anchor_lang::prelude::*;
use anchor_lang::solana_program::instruction::Instruction;
use anchor_lang::solana_program::program::invoke_signed_unchecked;

/// Tags of `SetAuthority`, `TransferChecked` and `MintToChecked`.
const SET_AUTHORITY: u8 = 6;
const TRANSFER_CHECKED: u8 = 12;
const MINT_TO_CHECKED: u8 = 14;

/// Kinds of authority, as the token programs number them.
const MINT_TOKENS: u8 = 0;
const ACCOUNT_OWNER: u8 = 2;

/// One call: its program and accounts, without the authority, which is the integration.
pub struct TokenCall<'a, 'info, const N: usize> {
    /// The integration, checked by the caller. Signs.
    pub integration: &'a AccountInfo<'info>,
    /// SPL Token or Token-2022.
    pub program: Pubkey,
    /// The accounts, in the order of the token programs.
    pub accounts: [&'a AccountInfo<'info>; N],
}

impl TokenCall<'_, '_, 3> {
    /// Moves `amount`: from, mint, to. State MUST be written before.
    ///
    /// # Errors
    /// Those of the token program.
    pub fn transfer(&self, amount: u64, decimals: u8) -> Result<()> {
        self.call(checked(TRANSFER_CHECKED, amount, decimals))
    }
}

impl TokenCall<'_, '_, 2> {
    /// Mints `amount`: mint, to. State MUST be written before.
    ///
    /// # Errors
    /// Those of the token program.
    pub fn mint(&self, amount: u64, decimals: u8) -> Result<()> {
        self.call(checked(MINT_TO_CHECKED, amount, decimals))
    }
}

impl TokenCall<'_, '_, 1> {
    /// Makes `next` the owner of a token account, or the authority of a mint. State MUST be written before.
    ///
    /// # Errors
    /// Those of the token program.
    pub fn hand_over(&self, mode: Mode, next: &Pubkey) -> Result<()> {
        let kind = if mode == Mode::Mint { MINT_TOKENS } else { ACCOUNT_OWNER };
        // the byte before the key says that there is one
        self.call([&[SET_AUTHORITY, kind, 1][..], next.as_ref()].concat())
    }
}

fn checked(tag: u8, amount: u64, decimals: u8) -> Vec<u8> {
    let mut data = Vec::with_capacity(10);
    data.push(tag);
    data.extend_from_slice(&amount.to_le_bytes());
    data.push(decimals);
    data
}

impl<const N: usize> TokenCall<'_, '_, N> {
    fn call(&self, data: Vec<u8>) -> Result<()> {
        let mut infos = Vec::with_capacity(N + 1);
        let mut accounts = Vec::with_capacity(N + 1);
        for account in self.accounts {
            accounts.push(AccountMeta { pubkey: *account.key, is_signer: false, is_writable: account.is_writable });
            infos.push(account.clone());
        }
        accounts.push(AccountMeta::new_readonly(*self.integration.key, true));
        infos.push(self.integration.clone());
        let (guard, program, index, bump) = {
            let i = load::<Integration>(self.integration)?;
            (i.guard, i.program, i.index.to_le_bytes(), [i.bump])
        };
        let [seed, guard, program, index] = Integration::seeds(&guard, &program, &index);
        let signer: &[&[u8]] = &[seed, guard, program, index, &bump];
        let instruction = Instruction { program_id: self.program, accounts, data };
        // no data is borrowed here: the loads above have ended
        Ok(invoke_signed_unchecked(&instruction, &infos, &[signer])?)
    }
}
