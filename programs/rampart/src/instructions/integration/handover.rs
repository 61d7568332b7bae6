//! Checks that a token account or a mint is the integration's alone. Handing over is the owner's own act, before it.

use crate::error::RampartError;
use crate::refuse::require;
use anchor_lang::prelude::*;
use anchor_lang::solana_program::program_option::COption;
use anchor_spl::token_2022::spl_token_2022::extension::{BaseStateWithExtensions, ExtensionType, StateWithExtensions};
use anchor_spl::token_2022::spl_token_2022::state::{Account as TokenState, AccountState};
use anchor_spl::token_interface::{Mint, TokenAccount};

/// Bytes of a token account without extensions.
const PLAIN_ACCOUNT_LEN: usize = 165;

/// Checks that `owner` alone can move what `token` holds.
///
/// A delegate or a close authority could (closing wrapped SOL pays it out); extensions other than the immutable owner
/// could refuse transfers by a program.
///
/// # Errors
/// `CustodyNotHandedOver`.
pub fn require_token(token: &InterfaceAccount<TokenAccount>, owner: &Pubkey) -> Result<()> {
    let is_alone = token.owner == *owner && token.delegate.is_none() && token.close_authority.is_none();
    require!(is_alone && token.state == AccountState::Initialized, RampartError::CustodyNotHandedOver);
    let info: &AccountInfo = token.as_ref();
    let data = info.try_borrow_data()?;
    if data.len() == PLAIN_ACCOUNT_LEN {
        return Ok(());
    }
    let refused = |_| RampartError::CustodyNotHandedOver;
    let state = StateWithExtensions::<TokenState>::unpack(&data).map_err(refused)?;
    let types = state.get_extension_types().map_err(refused)?;
    let is_plain = types.iter().all(|extension| *extension == ExtensionType::ImmutableOwner);
    require!(is_plain, RampartError::CustodyNotHandedOver);
    Ok(())
}

/// Checks that `authority` alone can mint.
///
/// # Errors
/// `CustodyNotHandedOver`.
pub fn require_mint(mint: &InterfaceAccount<Mint>, authority: &Pubkey) -> Result<()> {
    let is_alone = mint.mint_authority == COption::Some(*authority);
    require!(is_alone, RampartError::CustodyNotHandedOver);
    Ok(())
}
