//! Pays a ripe ticket.

use crate::error::RampartError;
use crate::events::{FlowKind, Flowed};
use crate::instructions::exit::record_shortfall::note_loan;
use crate::instructions::lending::Withdraw;
use crate::instructions::shared::pass_gate;
use crate::math::shares;
use crate::mint;
use crate::refuse::require;
use crate::risk::gate::{Class, Pass};
use crate::state::{Guard, Holding, Leaving, Position, Purse, TicketSide, Vault, WithdrawTicket};
use anchor_lang::prelude::*;

/// What `claim_withdrawal` is told.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug)]
pub struct ClaimWithdrawalArgs {
    /// Number of the ticket.
    pub ticket: u8,
    /// The least to accept, base units of the mint that moves.
    pub min_amount: u64,
}

impl<'info> Withdraw<'info> {
    /// Pays a ripe ticket what its shares are worth now; where cash, room or the vault's lease are short, what they allow.
    /// The rest of the ticket stays, with its dates. A shortfall of the vault is recorded, as by `withdraw`, and nothing paid.
    ///
    /// # Errors
    /// `TicketNotOpen`, `TicketNotRipe`, `TicketHeld`, `LevelForbids`, `InsufficientCash`, `LeaseTooSmall`,
    /// `LeasePriceOld`, `HourlyLimitReached`, `DailyLimitReached`, `SlippageExceeded`, `MintFingerprintChanged`, `MathOverflow`.
    pub fn claim(ctx: Context<'info, Self>, args: ClaimWithdrawalArgs) -> Result<()> {
        let accounts = ctx.accounts;
        let now_ts = Clock::get()?.unix_timestamp;
        let Some(amount) = accounts.apply_claim(args, now_ts)? else {
            return Ok(());
        };
        accounts.movement().push(&accounts.vault, amount)?;
        emit!(Flowed {
            vault: accounts.vault.key(),
            position: accounts.position.key(),
            kind: FlowKind::Withdrawn,
            amount,
        });
        Ok(())
    }

    fn apply_claim(&self, args: ClaimWithdrawalArgs, now_ts: i64) -> Result<Option<u64>> {
        let (mut vault, mut position) = (self.vault.load_mut()?, self.position.load_mut()?);
        let (guard, collateral, loan) = (self.guard.load()?, self.collateral_asset.load()?, self.loan_asset.load()?);
        let ticket = position.tickets.open_of(TicketSide::Loan, args.ticket)?;
        let pass = pass_gate(Class::Exit, &guard, &vault, [&collateral, &loan], now_ts)?;
        ticket.require_ripe(pass == Pass::Floor, now_ts)?;
        mint::require_same_unit(self.loan_mint.as_ref().as_ref(), loan.extension_fingerprint)?;
        if note_loan(&mut vault, self.vault.key(), Holding::of(&self.loan_token), now_ts) {
            self.emit_found(Some(args.ticket));
            return Ok(None);
        }
        pay_ticket((&guard, &mut vault), &mut position, TicketSide::Loan, args, ticket, now_ts).map(Some)
    }
}

/// Books what a ripe ticket pays now; what it couldn't pay stays in the ticket.
///
/// # Errors
/// `InsufficientCash`, `LeaseTooSmall`, `LeasePriceOld`, `HourlyLimitReached`, `DailyLimitReached`, `SlippageExceeded`,
/// `MathOverflow`.
pub(crate) fn pay_ticket(
    (guard, vault): (&Guard, &mut Vault),
    position: &mut Position,
    side: TicketSide,
    args: ClaimWithdrawalArgs,
    mut ticket: WithdrawTicket,
    now_ts: i64,
) -> Result<u64> {
    vault.accrue(now_ts)?;
    // a liquidation may have taken what a ticket locks
    let locked = ticket.shares.get().min(position.held(side));
    let (worth, there) = match side {
        TicketSide::Loan => (vault.assets_for_shares(locked)?, vault.cash_amount),
        TicketSide::Collateral => (u64::try_from(locked).unwrap_or(u64::MAX), vault.collateral_amount),
    };
    require!(worth > 0, RampartError::SlippageExceeded);
    let Vault { limits, loan_flow, collateral_flow, lease, .. } = &mut *vault;
    let (flow, limits, leaving) = match side {
        TicketSide::Loan => (loan_flow, limits.loan_flow, Leaving::Loan),
        TicketSide::Collateral => (collateral_flow, limits.collateral_flow, Leaving::Collateral),
    };
    let mut purse = Purse::of(guard, lease, leaving);
    let there = there.min(purse.room(now_ts)?);
    let amount = flow.claim(&mut ticket.booking, worth, there, &limits, now_ts)?;
    purse.charge(amount, now_ts)?;
    require!(amount >= args.min_amount, RampartError::SlippageExceeded);
    let burnt = match side {
        _ if amount == worth => locked,
        TicketSide::Loan => {
            let (lenders, all) = (vault.lenders_amount()?, vault.supply_shares.get());
            let burnt = shares::shares_for_withdrawal(amount.into(), lenders.into(), all);
            burnt.ok_or(RampartError::MathOverflow)?.min(locked)
        }
        TicketSide::Collateral => amount.into(),
    };
    ticket.shares = (locked - burnt).into();
    position.tickets.put(args.ticket, ticket);
    match side {
        TicketSide::Loan => vault.pay_lender(position, burnt, amount, now_ts)?,
        TicketSide::Collateral => vault.pay_collateral(position, amount, now_ts)?,
    }
    Ok(amount)
}
