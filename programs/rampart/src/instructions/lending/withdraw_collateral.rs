//! Takes collateral out of a position.

use crate::error::RampartError;
use crate::events::{FlowKind, Flowed, ShortfallFound};
use crate::instructions::exit::record_shortfall::note_collateral;
use crate::instructions::exit::request_withdrawal::open_ticket;
use crate::instructions::lending::exit::{ExitPass, Taken};
use crate::instructions::shared::{Movement, PairPrices, pass_gate};
use crate::mint;
use crate::refuse::require;
use crate::risk::gate::{Class, Pass};
use crate::risk::health::{price_for_new_risk, require_carried};
use crate::state::flow::Outflow;
use crate::state::{Asset, Guard, Holding, Leaving, Level, Position, Purse, TicketSide, Vault};
use anchor_lang::prelude::*;
use anchor_spl::token_interface::{Mint, TokenAccount, TokenInterface};

/// Accounts of `withdraw_collateral`.
///
/// Remaining accounts: the oracle accounts of the collateral's sources, then of the loan's, each in the set's order.
#[derive(Accounts)]
pub struct WithdrawCollateral<'info> {
    /// Owner of the position.
    pub owner: Signer<'info>,
    /// The guard. Read for its level.
    pub guard: AccountLoader<'info, Guard>,
    /// Asset account of the collateral. Read for its level and its price.
    pub collateral_asset: AccountLoader<'info, Asset>,
    /// Asset account of the loan. Read for its level and its price.
    pub loan_asset: AccountLoader<'info, Asset>,
    /// The vault.
    #[account(
        mut,
        has_one = guard @ RampartError::VaultAssetsInvalid,
        has_one = collateral_asset @ RampartError::VaultAssetsInvalid,
        has_one = loan_asset @ RampartError::VaultAssetsInvalid,
        has_one = collateral_mint @ RampartError::VaultAssetsInvalid,
        has_one = collateral_token @ RampartError::VaultAssetsInvalid,
    )]
    pub vault: AccountLoader<'info, Vault>,
    /// The position of the owner.
    #[account(mut, has_one = vault @ RampartError::VaultAssetsInvalid, has_one = owner @ RampartError::WrongAuthority)]
    pub position: AccountLoader<'info, Position>,
    /// The mint that moves.
    pub collateral_mint: Box<InterfaceAccount<'info, Mint>>,
    /// Where the tokens go.
    #[account(mut)]
    pub owner_token: Box<InterfaceAccount<'info, TokenAccount>>,
    /// The vault's account of the mint.
    #[account(mut)]
    pub collateral_token: Box<InterfaceAccount<'info, TokenAccount>>,
    /// Program of the mint.
    pub token_program: Interface<'info, TokenInterface>,
}

/// What lets the collateral out.
enum Way {
    /// There is no debt behind it.
    Exit(ExitPass),
    /// There is, and what stays behind has to carry it.
    Risk(Pass),
}

impl<'info> WithdrawCollateral<'info> {
    /// Pays collateral out: as an exit where there is no debt, else as new risk at the pessimistic price.
    ///
    /// A shortfall of the vault is recorded, as by `withdraw`, and nothing paid; without debt a ticket is taken.
    ///
    /// # Errors
    /// `ZeroAmount`, `AmountExceedsPosition`, `SharesLocked`, `LevelForbids`, `ExitFloorUsed`, `LeaseTooSmall`,
    /// `LeasePriceOld`, `HourlyLimitReached`, `DailyLimitReached`, `MintFingerprintChanged`; with debt also `LtvExceeded`,
    /// `CollateralWarmsUp` and the oracle's.
    pub fn handle(ctx: Context<'info, Self>, amount: u64) -> Result<()> {
        let accounts = ctx.accounts;
        let now_ts = Clock::get()?.unix_timestamp;
        if !accounts.apply(amount, ctx.remaining_accounts, now_ts)? {
            return Ok(());
        }
        accounts.movement().push(&accounts.vault, amount)?;
        emit!(Flowed {
            vault: accounts.vault.key(),
            position: accounts.position.key(),
            kind: FlowKind::CollateralWithdrawn,
            amount,
        });
        Ok(())
    }

    /// Books the withdrawal; `false` where the vault is short of collateral, which is recorded instead.
    fn apply(&self, amount: u64, oracles: &[AccountInfo], now_ts: i64) -> Result<bool> {
        let (mut vault, mut position) = (self.vault.load_mut()?, self.position.load_mut()?);
        let (guard, collateral, loan) = (self.guard.load()?, self.collateral_asset.load()?, self.loan_asset.load()?);
        let has_debt = position.debt_scaled.get() > 0;
        let assets = [&*collateral, &*loan];
        let way = if has_debt {
            Way::Risk(pass_gate(Class::RiskUp, &guard, &vault, assets, now_ts)?)
        } else {
            Way::Exit(ExitPass::new(&guard, &vault, assets, now_ts)?)
        };
        require!(amount > 0, RampartError::ZeroAmount);
        position.require_free(TicketSide::Collateral, amount.into())?;
        if note_collateral(&mut vault, self.vault.key(), Holding::of(&self.collateral_token), now_ts) {
            vault.accrue(now_ts)?;
            let side = TicketSide::Collateral;
            let queued = open_ticket(&mut vault, &mut position, side, amount.into(), Level::ReduceOnly, now_ts);
            self.emit_found(queued.ok().map(|(number, _)| number));
            return Ok(false);
        }
        mint::require_same_unit(self.collateral_mint.as_ref().as_ref(), collateral.extension_fingerprint)?;
        vault.accrue(now_ts)?;
        let left = position.collateral_amount - amount;
        if has_debt {
            let prices = PairPrices::read(&collateral, &loan, oracles, now_ts)?;
            let (c, l) = prices.sides(&vault);
            let price = price_for_new_risk(c, collateral.reference_price(now_ts)?, l, loan.reference_price(now_ts)?)?;
            let (debt, ripe) = (vault.debt_of(&position)?, position.ripe_of(left, now_ts));
            let ltv_bps = vault.ltv_for_new_risk(&collateral, now_ts);
            require_carried(debt, ripe, price, (ltv_bps, &collateral.warm_up), now_ts)?;
            position.risk_taken_at_ts = now_ts;
        }
        let charged = position.collateral_credit.net(amount, Vault::CREDIT_WINDOW_SECS, now_ts);
        vault.unnote_inflow(amount - charged, now_ts);
        let Vault { limits, collateral_flow: flow, lease, .. } = &mut *vault;
        let (limits, mut purse) = (limits.collateral_flow, Purse::of(&guard, lease, Leaving::Collateral));
        match way {
            Way::Risk(pass) => {
                purse.charge(charged, now_ts)?;
                flow.charge(charged, Outflow::Risk { scale_bps: pass.scale_bps() }, &limits, now_ts)?;
            }
            Way::Exit(pass) => {
                let held_units = position.collateral_amount.into();
                let taken = Taken { amount: charged, units: amount.into(), held_units };
                pass.charge((flow, &mut purse), &limits, &mut position.collateral_floor, taken)?;
            }
        }
        vault.pay_collateral(&mut position, amount, now_ts)?;
        Ok(true)
    }

    pub(crate) fn emit_found(&self, ticket: Option<u8>) {
        emit!(ShortfallFound { vault: self.vault.key(), position: self.position.key(), ticket });
    }

    pub(crate) fn movement(&self) -> Movement<'_, 'info> {
        Movement {
            mint: &self.collateral_mint,
            token_program: &self.token_program,
            from: &self.collateral_token,
            to: &self.owner_token,
        }
    }
}
