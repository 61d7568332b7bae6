//! Takes an agreed price into an asset's references and window memory, and its mint's supply into the supply reference.

use crate::error::RampartError;
use crate::events::PriceObserved;
use crate::mint;
use crate::oracle;
use crate::refuse::require;
use crate::state::Asset;
use anchor_lang::prelude::*;

/// Accounts of `observe`.
///
/// Remaining accounts: the oracle accounts of the asset's sources, in the set's order.
#[derive(Accounts)]
pub struct Observe<'info> {
    /// The asset. Only this instruction writes its references and window.
    #[account(mut)]
    pub asset: AccountLoader<'info, Asset>,
    /// CHECK: MUST be the asset's mint; its supply is read.
    pub mint: UncheckedAccount<'info>,
}

impl<'info> Observe<'info> {
    /// Observes. Anyone may call: the proof is in the oracle accounts.
    ///
    /// # Errors
    /// `ObservationNotNewer`, `AssetMintMismatch`, and the oracle's.
    pub fn handle(ctx: Context<'info, Self>) -> Result<()> {
        let clock = Clock::get()?;
        let now_ts = clock.unix_timestamp;
        let mut asset = ctx.accounts.asset.load_mut()?;
        require!(ctx.remaining_accounts.len() == asset.oracle.account_count(), RampartError::OracleAccountsMissing);
        let reading = oracle::read_accounts(&asset.oracle, ctx.remaining_accounts, now_ts)?;
        let band = reading.band(&asset.oracle, now_ts)?;
        let supply_amount = mint::supply(&ctx.accounts.mint, &asset.mint, &asset.token_program)?;
        asset.observe(&band, supply_amount, now_ts, clock.slot)?;
        emit!(PriceObserved {
            asset: ctx.accounts.asset.key(),
            price_q64: band.mid.q64(),
            reference_q64: asset.reference.price_q64.get(),
        });
        Ok(())
    }
}
