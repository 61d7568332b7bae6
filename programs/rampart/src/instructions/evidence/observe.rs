//! Takes an agreed price into an asset's reference and window memory.

use crate::error::RampartError;
use crate::events::PriceObserved;
use crate::oracle;
use crate::state::Asset;
use anchor_lang::prelude::*;

/// Accounts of `observe`.
///
/// Remaining accounts: the oracle accounts of the asset's sources, in the set's order.
#[derive(Accounts)]
pub struct Observe<'info> {
    /// The asset. Only this instruction writes its reference and window.
    #[account(mut)]
    pub asset: AccountLoader<'info, Asset>,
}

impl<'info> Observe<'info> {
    /// Observes. Anyone may call: the proof is in the oracle accounts.
    ///
    /// # Errors
    /// `ObservationNotNewer`, and the oracle's.
    pub fn handle(ctx: Context<'info, Self>) -> Result<()> {
        let clock = Clock::get()?;
        let now_ts = clock.unix_timestamp;
        let mut asset = ctx.accounts.asset.load_mut()?;
        require!(ctx.remaining_accounts.len() == asset.oracle.active().len(), RampartError::OracleAccountsMissing);
        let reading = oracle::read_accounts(&asset.oracle, ctx.remaining_accounts, now_ts)?;
        let band = reading.band(&asset.oracle, now_ts)?;
        asset.observe(&band, now_ts, clock.slot)?;
        emit!(PriceObserved {
            asset: ctx.accounts.asset.key(),
            price_q64: band.mid.q64(),
            reference_q64: asset.reference.price_q64.get(),
        });
        Ok(())
    }
}
