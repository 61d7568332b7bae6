//! Liquidates with the seized collateral itself: sold on the way, so that a keeper needs none of the loan asset.

use crate::constants::VAULT_SEED;
use crate::error::RampartError;
use crate::events::{BadDebtCovered, SwapExecuted};
use crate::instructions::liquidation::apply::{Ledger, LiquidateArgs, Liquidated};
use crate::instructions::reserve::cover;
use crate::instructions::swap::escrow::{amount_in, owner_in};
use crate::instructions::swap::route::{Demand, Route, Traded};
use crate::instructions::swap::transfer::Coin;
use crate::refuse::require;
use crate::risk::swap::{SwapTerms, worth_micro_usd};
use crate::state::swap_policy::SwapRequest;
use crate::state::{Asset, Guard, Position, Purpose, SwapPolicy, Vault};
use anchor_lang::prelude::*;

/// Accounts of `liquidate_by_swap`.
///
/// Remaining accounts: as of `liquidate`; then the route's accounts in its order.
#[event_cpi]
#[derive(Accounts)]
pub struct LiquidateBySwap<'info> {
    /// Who liquidates and receives the surplus. Anyone may.
    pub liquidator: Signer<'info>,
    /// The guard. Read for its level and bounds.
    pub guard: AccountLoader<'info, Guard>,
    /// Asset account of the collateral. Read for its level and price.
    pub collateral_asset: AccountLoader<'info, Asset>,
    /// Asset account of the loan. Read for its level and price.
    pub loan_asset: AccountLoader<'info, Asset>,
    /// The vault. Its accounts MUST be its own: [`LiquidateBySwap::require_accounts`], one read instead of seven.
    #[account(mut)]
    pub vault: AccountLoader<'info, Vault>,
    /// The position.
    #[account(mut, has_one = vault @ RampartError::VaultAssetsInvalid)]
    pub position: AccountLoader<'info, Position>,
    /// The policy.
    #[account(mut)]
    pub policy: AccountLoader<'info, SwapPolicy>,
    /// CHECK: the policy's escrow authority, by seeds, in [`Route::require_allowed`].
    pub escrow: UncheckedAccount<'info>,
    /// CHECK: the vault's collateral mint, by address.
    pub collateral_mint: UncheckedAccount<'info>,
    /// CHECK: the vault's loan mint, by address.
    pub loan_mint: UncheckedAccount<'info>,
    /// CHECK: the vault's account of the collateral mint, by address.
    #[account(mut)]
    pub collateral_token: UncheckedAccount<'info>,
    /// CHECK: the vault's account of the loan mint, by address.
    #[account(mut)]
    pub loan_token: UncheckedAccount<'info>,
    /// CHECK: the escrow's account of the collateral mint; MUST be the escrow's alone: [`Route::open`].
    #[account(mut)]
    pub escrow_collateral: UncheckedAccount<'info>,
    /// CHECK: the escrow's account of the loan mint; as above.
    #[account(mut)]
    pub escrow_loan: UncheckedAccount<'info>,
    /// CHECK: where collateral goes that the route left over; not the vault's and not the escrow's.
    #[account(mut)]
    pub liquidator_collateral_token: UncheckedAccount<'info>,
    /// CHECK: where the surplus goes; not the vault's and not the escrow's.
    #[account(mut)]
    pub liquidator_loan_token: UncheckedAccount<'info>,
    /// CHECK: the program that the policy names, in [`Route::require_allowed`].
    pub route_program: UncheckedAccount<'info>,
    /// CHECK: program of the collateral mint: MUST own it.
    pub collateral_token_program: UncheckedAccount<'info>,
    /// CHECK: program of the loan mint: MUST own it.
    pub loan_token_program: UncheckedAccount<'info>,
}

/// What `liquidate_by_swap` is told.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug)]
pub struct LiquidateBySwapArgs {
    /// As of `liquidate`.
    pub liquidate: LiquidateArgs,
    /// The least that has to be left over for the liquidator, base units of the loan mint.
    pub min_surplus_amount: u64,
    /// Data of the route program's instruction.
    pub route: Vec<u8>,
}

impl<'info> LiquidateBySwap<'info> {
    /// Liquidates as `liquidate` does, on the same books. The seized collateral goes through the policy's escrow; the vault
    /// gets exactly the repayment, or nothing happens at all; the surplus is the liquidator's.
    ///
    /// What the route loses is the liquidator's loss: it counts against no budget of the policy.
    ///
    /// # Errors
    /// Those of [`Ledger::liquidate`], [`SwapPolicy::admit`] and [`Route`]; `VaultAssetsInvalid`, `SwapAccountsMismatch`,
    /// `SwapRepayNotCovered`, `ReceivedAmountMismatch`, `DestinationForbidden`.
    pub fn handle(ctx: Context<'info, Self>, args: LiquidateBySwapArgs) -> Result<()> {
        let accounts = &ctx.accounts;
        let decimals = accounts.require_accounts()?;
        let (liquidator, rest) = (accounts.liquidator.key, ctx.remaining_accounts);
        let done = accounts.ledger().liquidate(liquidator, &args.liquidate, rest)?;
        let demand = accounts.admit(&done, &args, decimals)?;
        let kept_out = [accounts.vault.key(), accounts.collateral_token.key(), accounts.loan_token.key()];
        let route = Route {
            policy: &accounts.policy,
            escrow: &accounts.escrow,
            from: Coin { mint: &accounts.collateral_mint, decimals: decimals[0] },
            escrow_from: &accounts.escrow_collateral,
            to: Coin { mint: &accounts.loan_mint, decimals: decimals[1] },
            escrow_to: &accounts.escrow_loan,
            program: &accounts.route_program,
            accounts: done.rest,
            kept_out: &kept_out,
        };
        let traded = accounts.swap(&route, done.event.repaid_amount, &demand, args.route)?;
        cover::pay(done.cover, route.to, &accounts.loan_token, done.covered_amount)?;
        if done.covered_amount > 0 {
            let (guard, vault) = (accounts.guard.key(), accounts.vault.key());
            emit_cpi!(BadDebtCovered { guard, vault, amount: done.covered_amount });
        }
        emit!(SwapExecuted {
            policy: accounts.policy.key(),
            from_mint: accounts.collateral_mint.key(),
            to_mint: accounts.loan_mint.key(),
            spent_amount: traded.spent_amount,
            received_amount: traded.received_amount,
            worth_micro_usd: demand.worth_micro_usd,
            loss_micro_usd: 0,
        });
        emit_cpi!(done.event);
        Ok(())
    }

    fn ledger(&self) -> Ledger<'_, 'info> {
        Ledger {
            guard: &self.guard,
            collateral_asset: &self.collateral_asset,
            loan_asset: &self.loan_asset,
            vault: &self.vault,
            position: &self.position,
            collateral_mint: &self.collateral_mint,
            loan_mint: &self.loan_mint,
            collateral_token: &self.collateral_token,
        }
    }

    /// Checks that all accounts are the vault's, the policy its guard's, and that the surplus leaves both. Returns the
    /// decimals of both mints.
    #[inline(never)]
    fn require_accounts(&self) -> Result<[u8; 2]> {
        let vault = self.vault.load()?;
        let are_its_own = vault.guard == self.guard.key()
            && vault.collateral_asset == self.collateral_asset.key()
            && vault.loan_asset == self.loan_asset.key()
            && vault.collateral_mint == self.collateral_mint.key()
            && vault.loan_mint == self.loan_mint.key()
            && vault.collateral_token == self.collateral_token.key()
            && vault.loan_token == self.loan_token.key();
        require!(are_its_own, RampartError::VaultAssetsInvalid);
        let are_programs = *self.collateral_mint.owner == self.collateral_token_program.key()
            && *self.loan_mint.owner == self.loan_token_program.key();
        let is_policy = self.policy.load()?.guard == vault.guard;
        require!(are_programs && is_policy, RampartError::SwapAccountsMismatch);
        for account in [&self.liquidator_collateral_token, &self.liquidator_loan_token] {
            let data = account.try_borrow_data()?;
            let owner = owner_in(&data).ok_or(RampartError::DestinationForbidden)?;
            let is_outside = owner != self.vault.key().as_ref() && owner != self.escrow.key().as_ref();
            require!(is_outside, RampartError::DestinationForbidden);
        }
        Ok([vault.collateral_decimals, vault.loan_decimals])
    }

    /// Lets the policy admit the swap, and says what the route is held to.
    #[inline(never)]
    fn admit(&self, done: &Liquidated, args: &LiquidateBySwapArgs, decimals: [u8; 2]) -> Result<Demand> {
        let (guard, mut policy, vault) = (self.guard.load()?, self.policy.load_mut()?, self.vault.load()?);
        let (event, prices) = (&done.event, &done.prices);
        let worth_micro_usd = worth_micro_usd(event.seized_amount, prices.collateral.hi, decimals[0])?;
        let asked = SwapRequest {
            purpose: Purpose::Liquidation,
            worth_micro_usd,
            sources: prices.sources(),
            oldest_publish_ts: prices.oldest_publish_ts(),
            scale_bps: 10_000,
        };
        policy.admit(&asked, Clock::get()?.unix_timestamp)?;
        let (collateral, loan) = prices.sides(&vault);
        Ok(Demand {
            amount_in: event.seized_amount,
            worth_micro_usd,
            min_out_amount: args.min_surplus_amount,
            terms: SwapTerms::new(collateral, loan)?,
            max_slippage_bps: policy.max_slippage_bps(&guard.bounds),
        })
    }

    /// Sells what was seized, pays the vault, and hands the rest over.
    #[inline(never)]
    fn swap(&self, route: &Route<'_, 'info>, repay_amount: u64, demand: &Demand, data: Vec<u8>) -> Result<Traded> {
        let bump = route.require_allowed(&data)?;
        let before = route.open()?;
        self.seize(route, demand.amount_in)?;
        let bare = Demand { min_out_amount: 0, ..*demand };
        let traded = route.trade(&before, bump, data, &bare)?;
        require!(traded.received_amount >= repay_amount, RampartError::SwapRepayNotCovered);
        let surplus_amount = traded.received_amount - repay_amount;
        require!(surplus_amount >= demand.min_out_amount, RampartError::SwapBelowMinimum);
        let had_amount = amount_in(&self.loan_token.try_borrow_data()?);
        route.pay_out(bump, &self.loan_token, repay_amount)?;
        let has_amount = amount_in(&self.loan_token.try_borrow_data()?);
        let is_exact = has_amount.checked_sub(had_amount) == Some(repay_amount);
        require!(is_exact, RampartError::ReceivedAmountMismatch);
        route.pay_out(bump, &self.liquidator_loan_token, traded.held_amount - repay_amount)?;
        route.pay_back(bump, &self.liquidator_collateral_token, traded.left_amount)?;
        Ok(traded)
    }

    /// Moves what was seized into the escrow, on the vault's signature: for the token program, not for the route.
    fn seize(&self, route: &Route<'_, 'info>, amount: u64) -> Result<()> {
        let (guard, bump) = {
            let vault = self.vault.load()?;
            (vault.guard, [vault.bump])
        };
        let (collateral, loan) = (self.collateral_mint.key(), self.loan_mint.key());
        let seeds: &[&[u8]] = &[VAULT_SEED, guard.as_ref(), collateral.as_ref(), loan.as_ref(), &bump];
        let authority = (self.vault.as_ref(), &[seeds][..]);
        route.from.transfer(&self.collateral_token, &self.escrow_collateral, authority, amount)
    }
}
