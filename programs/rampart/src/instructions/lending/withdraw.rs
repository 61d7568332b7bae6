//! Takes lent tokens back.

use crate::error::RampartError;
use crate::events::{FlowKind, Flowed, ShortfallFound};
use crate::instructions::exit::record_shortfall::note_loan;
use crate::instructions::exit::request_withdrawal::open_ticket;
use crate::instructions::lending::exit::{ExitPass, Taken};
use crate::instructions::shared::Movement;
use crate::mint;
use crate::refuse::require;
use crate::state::{Asset, Guard, Holding, Leaving, Level, Position, Purse, TicketSide, Vault};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};

/// What `withdraw` is told.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug)]
pub struct WithdrawArgs {
    /// Shares to give back.
    pub shares: u128,
    /// The least to accept for them, base units of the loan mint.
    pub min_amount: u64,
}

/// Accounts of `withdraw`.
#[derive(Accounts)]
pub struct Withdraw<'info> {
    /// Owner of the position.
    pub owner: Signer<'info>,
    /// The guard. Read for its level.
    pub guard: AccountLoader<'info, Guard>,
    /// Asset account of the collateral. Read for its level.
    pub collateral_asset: AccountLoader<'info, Asset>,
    /// Asset account of the loan. Read for its level.
    pub loan_asset: AccountLoader<'info, Asset>,
    /// The vault.
    #[account(
        mut,
        has_one = guard @ RampartError::VaultAssetsInvalid,
        has_one = collateral_asset @ RampartError::VaultAssetsInvalid,
        has_one = loan_asset @ RampartError::VaultAssetsInvalid,
        has_one = loan_mint @ RampartError::VaultAssetsInvalid,
        has_one = loan_token @ RampartError::VaultAssetsInvalid,
    )]
    pub vault: AccountLoader<'info, Vault>,
    /// The position of the owner.
    #[account(mut, has_one = vault @ RampartError::VaultAssetsInvalid, has_one = owner @ RampartError::WrongAuthority)]
    pub position: AccountLoader<'info, Position>,
    /// The mint that moves.
    pub loan_mint: Box<InterfaceAccount<'info, Mint>>,
    /// Where the tokens go.
    #[account(mut)]
    pub owner_token: Box<InterfaceAccount<'info, TokenAccount>>,
    /// The vault's account of the mint.
    #[account(mut)]
    pub loan_token: Box<InterfaceAccount<'info, TokenAccount>>,
    /// Program of the mint.
    pub token_program: Interface<'info, TokenInterface>,
}

impl<'info> Withdraw<'info> {
    /// Burns shares and pays what they are worth, rounded down, within the limits of the level.
    ///
    /// Where the vault's account holds less than its books say, it pays nothing, records that and takes a ticket where one
    /// is to be had: whoever leaves first must not leave the loss to the rest. That has to last, so it is no error.
    ///
    /// # Errors
    /// `ZeroAmount`, `AmountExceedsPosition`, `SharesLocked`, `LevelForbids`, `ExitFloorUsed`, `LeaseTooSmall`,
    /// `LeasePriceOld`, `HourlyLimitReached`, `DailyLimitReached`, `InsufficientCash`, `SlippageExceeded`, `MintFingerprintChanged`, `MathOverflow`.
    pub fn handle(ctx: Context<'info, Self>, args: WithdrawArgs) -> Result<()> {
        let accounts = ctx.accounts;
        let now_ts = Clock::get()?.unix_timestamp;
        let Some(amount) = accounts.apply(args, now_ts)? else {
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

    fn apply(&self, args: WithdrawArgs, now_ts: i64) -> Result<Option<u64>> {
        let (mut vault, mut position) = (self.vault.load_mut()?, self.position.load_mut()?);
        let (guard, collateral, loan) = (self.guard.load()?, self.collateral_asset.load()?, self.loan_asset.load()?);
        let pass = ExitPass::new(&guard, &vault, [&collateral, &loan], now_ts)?;
        require!(args.shares > 0, RampartError::ZeroAmount);
        let held = position.supply_shares.get();
        position.require_free(TicketSide::Loan, args.shares)?;
        if note_loan(&mut vault, self.vault.key(), Holding::of(&self.loan_token), now_ts) {
            vault.accrue(now_ts)?;
            let side = TicketSide::Loan;
            let queued = open_ticket(&mut vault, &mut position, side, args.shares, Level::ReduceOnly, now_ts);
            self.emit_found(queued.ok().map(|(number, _)| number));
            return Ok(None);
        }
        mint::require_same_unit(self.loan_mint.as_ref().as_ref(), loan.extension_fingerprint)?;
        vault.accrue(now_ts)?;
        let amount = vault.assets_for_shares(args.shares)?;
        // the last shares may go for nothing, or what they round to would keep the position open for ever
        let is_worth_it = amount > 0 || args.shares == held;
        require!(is_worth_it && amount >= args.min_amount, RampartError::SlippageExceeded);
        require!(amount <= vault.cash_amount, RampartError::InsufficientCash);
        let charged = position.supply_credit.net(amount, Vault::CREDIT_WINDOW_SECS, now_ts);
        let taken = Taken { amount: charged, units: args.shares, held_units: held };
        let Vault { limits, loan_flow: flow, lease, .. } = &mut *vault;
        let mut purse = Purse::of(&guard, lease, Leaving::Loan);
        pass.charge((flow, &mut purse), &limits.loan_flow, &mut position.supply_floor, taken)?;
        vault.pay_lender(&mut position, args.shares, amount, now_ts)?;
        Ok(Some(amount))
    }

    pub(crate) fn emit_found(&self, ticket: Option<u8>) {
        emit!(ShortfallFound { vault: self.vault.key(), position: self.position.key(), ticket });
    }

    pub(crate) fn movement(&self) -> Movement<'_, 'info> {
        Movement {
            mint: &self.loan_mint,
            token_program: &self.token_program,
            from: &self.loan_token,
            to: &self.owner_token,
        }
    }
}
