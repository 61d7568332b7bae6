//! Pays a ripe ticket for collateral.

use crate::events::{FlowKind, Flowed};
use crate::instructions::exit::claim_withdrawal::{ClaimWithdrawalArgs, pay_ticket};
use crate::instructions::exit::record_shortfall::note_collateral;
use crate::instructions::lending::WithdrawCollateral;
use crate::instructions::shared::pass_gate;
use crate::mint;
use crate::risk::gate::{Class, Pass};
use crate::state::{Holding, TicketSide};
use anchor_lang::prelude::*;

impl<'info> WithdrawCollateral<'info> {
    /// Pays a ripe ticket for collateral, as `claim_withdrawal` pays one for shares. No debt may stand behind it.
    ///
    /// # Errors
    /// Also `DebtOutstanding`.
    pub fn claim(ctx: Context<'info, Self>, args: ClaimWithdrawalArgs) -> Result<()> {
        let accounts = ctx.accounts;
        let now_ts = Clock::get()?.unix_timestamp;
        let Some(amount) = accounts.apply_claim(args, now_ts)? else {
            return Ok(());
        };
        accounts.movement().push(&accounts.vault, amount)?;
        let (vault, position) = (accounts.vault.key(), accounts.position.key());
        emit!(Flowed { vault, position, kind: FlowKind::CollateralWithdrawn, amount });
        Ok(())
    }

    fn apply_claim(&self, args: ClaimWithdrawalArgs, now_ts: i64) -> Result<Option<u64>> {
        let (mut vault, mut position) = (self.vault.load_mut()?, self.position.load_mut()?);
        let (guard, collateral, loan) = (self.guard.load()?, self.collateral_asset.load()?, self.loan_asset.load()?);
        let ticket = position.tickets.open_of(TicketSide::Collateral, args.ticket)?;
        let pass = pass_gate(Class::Exit, &guard, &vault, [&collateral, &loan], now_ts)?;
        ticket.require_ripe(pass == Pass::Floor, now_ts)?;
        position.require_claimable(TicketSide::Collateral)?;
        mint::require_same_unit(self.collateral_mint.as_ref().as_ref(), collateral.extension_fingerprint)?;
        if note_collateral(&mut vault, self.vault.key(), Holding::of(&self.collateral_token), now_ts) {
            self.emit_found(Some(args.ticket));
            return Ok(None);
        }
        pay_ticket((&guard, &mut vault), &mut position, TicketSide::Collateral, args, ticket, now_ts).map(Some)
    }
}
