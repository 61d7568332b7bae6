//! Creates a guard's reserve.

use crate::constants::{LAYOUT_VERSION, RESERVE_SEED};
use crate::error::RampartError;
use crate::events::ReserveCreated;
use crate::instructions::admin::tighten_rule::Validity;
use crate::instructions::control::nonce::{INSTRUCTIONS_SYSVAR, refuse_durable_nonce};
use crate::instructions::shared::load;
use crate::refuse::{require, require_keys_eq};
use crate::state::{Asset, Guard, Reserve, ReserveAsset, ReservePlan, ReserveState};
use anchor_lang::prelude::*;
use anchor_spl::associated_token::get_associated_token_address_with_program_id;

/// Accounts of `initialize_reserve`.
///
/// Remaining accounts: the asset accounts of the basket, in the plan's order.
#[event_cpi]
#[derive(Accounts)]
pub struct InitializeReserve<'info> {
    /// Root of the guard. Pays the rent.
    #[account(mut)]
    pub root: Signer<'info>,
    /// The guard. From now on nobody can leave the reserve out.
    #[account(mut)]
    pub guard: AccountLoader<'info, Guard>,
    /// The reserve. One per guard.
    #[account(init, payer = root, space = Reserve::SPACE, seeds = [RESERVE_SEED, guard.key().as_ref()], bump)]
    pub reserve: AccountLoader<'info, Reserve>,
    /// Creates the account.
    pub system_program: Program<'info, System>,
    /// CHECK: the instructions of this transaction, by address.
    #[account(address = INSTRUCTIONS_SYSVAR)]
    pub instructions: UncheckedAccount<'info>,
}

impl<'info> InitializeReserve<'info> {
    /// Creates the reserve, empty. Its token accounts are the associated ones of its address: anyone creates them.
    ///
    /// # Errors
    /// `DurableNonceRefused`, `WrongAuthority`, `AuthorityEpochMoved`, `InstructionExpired`, `GuardFrozen`, `ReserveInvalid`, `UnknownKind`,
    /// `ReserveAccountsMismatch` for anything but distinct assets of the guard, one for each place.
    pub fn handle(ctx: Context<'info, Self>, plan: ReservePlan, validity: Validity) -> Result<()> {
        refuse_durable_nonce(&ctx.accounts.instructions)?;
        let accounts = &ctx.accounts;
        accounts.apply(&plan, validity, ctx.remaining_accounts, ctx.bumps.reserve)?;
        emit_cpi!(ReserveCreated { guard: accounts.guard.key(), reserve: accounts.reserve.key() });
        Ok(())
    }

    fn apply(&self, plan: &ReservePlan, validity: Validity, assets: &[AccountInfo<'info>], bump: u8) -> Result<()> {
        let mut guard = self.guard.load_mut()?;
        require_keys_eq!(guard.roles.root, self.root.key(), RampartError::WrongAuthority);
        validity.check_time(&guard, Clock::get()?.unix_timestamp)?;
        guard.require_open()?;
        plan.validate()?;
        require!(assets.len() == usize::from(plan.count), RampartError::ReserveAccountsMismatch);
        let key = self.reserve.key();
        let mut reserve = self.reserve.load_init()?;
        for (index, account) in assets.iter().enumerate() {
            let is_new = assets[..index].iter().all(|other| other.key != account.key);
            require!(is_new, RampartError::ReserveAccountsMismatch);
            reserve.assets[index] = held(account, &self.guard.key(), &key)?;
        }
        reserve.guard = self.guard.key();
        reserve.plan = *plan;
        reserve.version = LAYOUT_VERSION;
        reserve.bump = bump;
        guard.reserve = ReserveState::InForce as u8;
        Ok(())
    }
}

/// The place of an asset in the basket of `reserve`.
#[inline(never)]
fn held(account: &AccountInfo, guard: &Pubkey, reserve: &Pubkey) -> Result<ReserveAsset> {
    let asset = load::<Asset>(account).map_err(|_| RampartError::ReserveAccountsMismatch)?;
    require_keys_eq!(asset.guard, *guard, RampartError::ReserveAccountsMismatch);
    let token = get_associated_token_address_with_program_id(reserve, &asset.mint, &asset.token_program);
    Ok(ReserveAsset {
        asset: account.key(),
        mint: asset.mint,
        token,
        decimals: asset.decimals,
        ..ReserveAsset::default()
    })
}
