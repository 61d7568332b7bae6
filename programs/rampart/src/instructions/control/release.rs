//! Hands back what the guard holds for an integrator: a token account, or the authority of a mint.

use crate::error::RampartError;
use crate::instructions::integration::sources;
use crate::instructions::integration::token_call::TokenCall;
use crate::instructions::shared::load_mut;
use crate::refuse::{err, require, require_keys_eq};
use crate::risk::gate::{Class, Pass, gate};
use crate::state::integration::Mode;
use crate::state::{Guard, Integration, Switch};
use anchor_lang::prelude::*;
use anchor_spl::token_2022::spl_token_2022::extension::{BaseStateWithExtensions, ExtensionType, StateWithExtensions};
use anchor_spl::token_2022::spl_token_2022::state::Account as TokenState;

/// Gives what the integration at `target` holds to `next`, and ends the integration's use.
///
/// It is charged to no limit: it waited in public, and could be stopped. It passes only where exits aren't restricted, so
/// that no release gets around a halt.
///
/// # Accounts
/// `accounts`: what is held (the token account, or the mint) and its program; for a token account whose owner can't change
/// also the mint and a token account of `next`'s, to which all that is held then goes; at last the integration's asset
/// where it pins one.
///
/// # Errors
/// `CustodyNotHeld`, `IntegrationMismatch`, `LevelForbids`, those of the token program.
#[inline(never)]
pub fn release<'info>(
    target: &AccountInfo<'info>,
    next: &Pubkey,
    accounts: &[AccountInfo<'info>],
    guard: &Guard,
    now_ts: i64,
) -> Result<()> {
    let [held, program, rest @ ..] = accounts else { return err!(RampartError::IntegrationMismatch) };
    require_keys_eq!(*program.key, *held.owner, RampartError::IntegrationMismatch);
    let (mode, decimals, moved) = {
        let mut integration = load_mut::<Integration>(target)?;
        integration.require_holding(target.key)?;
        let mode = Mode::try_from(integration.mode)?;
        let key = if mode == Mode::Mint { integration.mint } else { integration.token };
        require_keys_eq!(*held.key, key, RampartError::IntegrationMismatch);
        let (moved, rest) = moved(mode, held, rest)?;
        let (_, asset) = sources::pinned(&integration, rest, false)?;
        let levels = sources::levels(guard, &integration, asset, now_ts)?;
        require!(gate(Class::Exit, levels)? == Pass::Full, RampartError::LevelForbids);
        let moved = match moved {
            Some([mint, to]) => {
                require_keys_eq!(*mint.key, integration.mint, RampartError::IntegrationMismatch);
                require_keys_eq!(sources::owner_of(to, mint.key)?, *next, RampartError::IntegrationMismatch);
                Some((mint, to, sources::balance(held, mint.key)?))
            }
            None => None,
        };
        (integration.holder, integration.switch) = (*next, Switch::Disabled as u8);
        (mode, integration.decimals, moved)
    };
    let call = |accounts| TokenCall { integration: target, program: *program.key, accounts };
    match moved {
        Some((mint, to, amount)) => call([held, mint, to]).transfer(amount, decimals),
        None => TokenCall { integration: target, program: *program.key, accounts: [held] }.hand_over(mode, next),
    }
}

/// Takes mint and destination off `rest` where the token account's owner can't change.
#[allow(clippy::type_complexity)]
fn moved<'a, 'info>(
    mode: Mode,
    held: &AccountInfo,
    rest: &'a [AccountInfo<'info>],
) -> Result<(Option<[&'a AccountInfo<'info>; 2]>, &'a [AccountInfo<'info>])> {
    if mode == Mode::Mint || !is_owner_fixed(held)? {
        return Ok((None, rest));
    }
    let [mint, to, rest @ ..] = rest else { return err!(RampartError::IntegrationMismatch) };
    Ok((Some([mint, to]), rest))
}

fn is_owner_fixed(token: &AccountInfo) -> Result<bool> {
    let data = token.try_borrow_data()?;
    let unreadable = |_| RampartError::IntegrationMismatch;
    let state = StateWithExtensions::<TokenState>::unpack(&data).map_err(unreadable)?;
    let types = state.get_extension_types().map_err(unreadable)?;
    Ok(types.contains(&ExtensionType::ImmutableOwner))
}
