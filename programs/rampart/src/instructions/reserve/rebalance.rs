//! Swaps one asset of the reserve into another, nearer to where the basket should be.

use crate::error::RampartError;
use crate::events::SwapExecuted;
use crate::instructions::reserve::basket::{Aim, Pair, Reading};
use crate::instructions::reserve::cover::sign;
use crate::instructions::swap::route::{Demand, Route, Traded};
use crate::instructions::swap::transfer::Coin;
use crate::mint;
use crate::refuse::require;
use crate::risk::basket::{Basket, Each};
use crate::risk::swap::{SwapTerms, loss_amount, worth_micro_usd};
use crate::state::swap_policy::SwapRequest;
use crate::state::{Guard, Purpose, Reserve, SwapCaller, SwapPolicy};
use anchor_lang::prelude::*;

/// What `rebalance` is told.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug)]
pub struct RebalanceArgs {
    /// The policy's `counter` that the caller knows of: the fence against acting twice.
    pub counter: u64,
    /// What to swap at most, base units.
    pub amount: u64,
    /// The least to accept, base units of what comes out.
    pub min_out_amount: u64,
    /// Place in the basket of what is sold.
    pub from: u8,
    /// Place in the basket of what is bought.
    pub to: u8,
    /// Data of the route program's instruction.
    pub route: Vec<u8>,
}

/// Accounts of `rebalance`.
///
/// Remaining accounts: for each asset of the basket its asset account and its oracles, in order; the guard's keeper set
/// and each member's report about the scored asset (or none of these); then the route's accounts in its order.
#[derive(Accounts)]
pub struct Rebalance<'info> {
    /// Who rebalances: by the policy anyone, or a keeper.
    pub caller: Signer<'info>,
    /// The guard. Read for its level and bounds.
    pub guard: AccountLoader<'info, Guard>,
    /// The reserve.
    #[account(mut)]
    pub reserve: AccountLoader<'info, Reserve>,
    /// The policy.
    #[account(mut)]
    pub policy: AccountLoader<'info, SwapPolicy>,
    /// CHECK: the policy's escrow authority, by seeds, in [`Route::require_allowed`].
    pub escrow: UncheckedAccount<'info>,
    /// CHECK: mint of what is sold, by address, below.
    pub from_mint: UncheckedAccount<'info>,
    /// CHECK: mint of what is bought, by address, below.
    pub to_mint: UncheckedAccount<'info>,
    /// CHECK: the reserve's account of what is sold, by address, below.
    #[account(mut)]
    pub from_token: UncheckedAccount<'info>,
    /// CHECK: the reserve's account of what is bought, by address, below.
    #[account(mut)]
    pub to_token: UncheckedAccount<'info>,
    /// CHECK: the escrow's account of what is sold; MUST be the escrow's alone: [`Route::open`].
    #[account(mut)]
    pub escrow_from: UncheckedAccount<'info>,
    /// CHECK: the escrow's account of what is bought; as above.
    #[account(mut)]
    pub escrow_to: UncheckedAccount<'info>,
    /// CHECK: the program that the policy names, in [`Route::require_allowed`].
    pub route_program: UncheckedAccount<'info>,
    /// CHECK: program of `from_mint`: MUST own it.
    pub from_program: UncheckedAccount<'info>,
    /// CHECK: program of `to_mint`: MUST own it.
    pub to_program: UncheckedAccount<'info>,
}

/// What was found out before anything moves.
struct Plan {
    reading: Box<Reading>,
    aim: Aim,
    before: Each<u64>,
    demand: Demand,
    decimals: [u8; 2],
    min_improvement_bps: u16,
}

impl<'info> Rebalance<'info> {
    /// Rebalances. The swap is guarded: see [`Route`].
    ///
    /// # Errors
    /// `LevelForbids`, `ReserveHolds`, `NotAKeeper`, `SwapCounterMoved`, `AmountExceedsPosition`, `ZeroAmount`,
    /// `RebalanceWrongWay`, `RebalanceOvershoots`, `RebalanceTooSmall`, `SwapLossBudgetUsed`, `MintFingerprintChanged`,
    /// those of [`SwapPolicy::admit`], [`Reading::take`], [`Route`] and the route.
    pub fn handle(ctx: Context<'info, Self>, args: RebalanceArgs) -> Result<()> {
        let (accounts, now_ts) = (&ctx.accounts, Clock::get()?.unix_timestamp);
        let plan = accounts.admit(&args, ctx.remaining_accounts, now_ts)?;
        let kept_out = [accounts.reserve.key(), accounts.from_token.key(), accounts.to_token.key()];
        let route = Route {
            policy: &accounts.policy,
            escrow: &accounts.escrow,
            from: Coin { mint: &accounts.from_mint, decimals: plan.decimals[0] },
            escrow_from: &accounts.escrow_from,
            to: Coin { mint: &accounts.to_mint, decimals: plan.decimals[1] },
            escrow_to: &accounts.escrow_to,
            program: &accounts.route_program,
            accounts: ctx.remaining_accounts.get(plan.reading.used..).unwrap_or_default(),
            kept_out: &kept_out,
        };
        let (from, to) = (args.from, args.to);
        let traded = accounts.swap(&route, &plan, args.route)?;
        let loss_micro_usd = accounts.settle(&plan, (from, to), &traded, now_ts)?;
        emit!(SwapExecuted {
            policy: accounts.policy.key(),
            from_mint: accounts.from_mint.key(),
            to_mint: accounts.to_mint.key(),
            spent_amount: traded.spent_amount,
            received_amount: traded.received_amount,
            worth_micro_usd: plan.demand.worth_micro_usd,
            loss_micro_usd,
        });
        Ok(())
    }

    /// Checks level, targets and policy, and takes the amount off the reserve's books.
    #[inline(never)]
    fn admit(&self, args: &RebalanceArgs, rest: &[AccountInfo<'info>], now_ts: i64) -> Result<Plan> {
        let guard = self.guard.load()?;
        let (mut reserve, mut policy) = (self.reserve.load_mut()?, self.policy.load_mut()?);
        self.require_accounts(&reserve, &policy, args)?;
        require!(policy.counter == args.counter, RampartError::SwapCounterMoved);
        require!(args.amount > 0, RampartError::ZeroAmount);
        let pair = Pair { from: args.from.into(), to: args.to.into() };
        let key = self.guard.key();
        let reading = Reading::take((&key, &guard), &reserve, pair, rest, (self.caller.key, now_ts))?;
        let may = policy.params.caller == SwapCaller::Anyone as u8 || reading.is_keeper;
        require!(may, RampartError::NotAKeeper);
        mint::require_unchanged(&self.from_mint, reading.fingerprints[0])?;
        mint::require_unchanged(&self.to_mint, reading.fingerprints[1])?;
        let aim = reading.aim(&reserve, pair)?;
        let before = reading.weigh(&reserve, &aim)?.worth;
        let decimals = [reserve.assets[pair.from].decimals, reserve.assets[pair.to].decimals];
        let worth_micro_usd = worth_micro_usd(args.amount, reading.from.hi, decimals[0])?;
        policy.admit(
            &SwapRequest {
                purpose: Purpose::Rebalance,
                worth_micro_usd,
                sources: reading.from.sources.min(reading.to.sources),
                oldest_publish_ts: reading.oldest_publish_ts(),
                scale_bps: aim.scale_bps,
            },
            now_ts,
        )?;
        let held = &mut reserve.assets[pair.from].accounted_amount;
        *held = held.checked_sub(args.amount).ok_or(RampartError::AmountExceedsPosition)?;
        let (from, to) = reading.sides(decimals);
        let demand = Demand {
            amount_in: args.amount,
            worth_micro_usd,
            min_out_amount: args.min_out_amount,
            terms: SwapTerms::new(from, to)?,
            max_slippage_bps: policy.max_slippage_bps(&guard.bounds),
        };
        let min_improvement_bps = reserve.plan.min_improvement_bps;
        Ok(Plan { reading, aim, before, demand, decimals, min_improvement_bps })
    }

    fn require_accounts(&self, reserve: &Reserve, policy: &SwapPolicy, args: &RebalanceArgs) -> Result<()> {
        let guard = self.guard.key();
        require!(reserve.guard == guard && policy.guard == guard, RampartError::SwapAccountsMismatch);
        let at = |index: u8| reserve.active().get(usize::from(index)).ok_or(RampartError::ReserveAccountsMismatch);
        let (from, to) = (at(args.from)?, at(args.to)?);
        let are_theirs = from.mint == self.from_mint.key()
            && from.token == self.from_token.key()
            && to.mint == self.to_mint.key()
            && to.token == self.to_token.key()
            && *self.from_mint.owner == self.from_program.key()
            && *self.to_mint.owner == self.to_program.key();
        require!(are_theirs && args.from != args.to, RampartError::SwapAccountsMismatch);
        Ok(())
    }

    /// Moves the amount through the route; what is left over and what came out goes to the reserve's accounts.
    #[inline(never)]
    fn swap(&self, route: &Route<'_, 'info>, plan: &Plan, data: Vec<u8>) -> Result<Traded> {
        let bump = route.require_allowed(&data)?;
        let before = route.open()?;
        sign(self.reserve.as_ref(), |signers| {
            let authority = (self.reserve.as_ref(), signers);
            route.from.transfer(&self.from_token, &self.escrow_from, authority, plan.demand.amount_in)
        })?;
        let traded = route.trade(&before, bump, data, &plan.demand)?;
        route.pay_back(bump, &self.from_token, traded.left_amount)?;
        route.pay_out(bump, &self.to_token, traded.held_amount)?;
        Ok(traded)
    }

    /// Books what came of it, checks that the basket is nearer its targets, and charges the loss. Gifts that were in the
    /// escrow went along to the reserve's accounts, and on no book.
    #[inline(never)]
    fn settle(&self, plan: &Plan, (from, to): (u8, u8), traded: &Traded, now_ts: i64) -> Result<u64> {
        let mut reserve = self.reserve.load_mut()?;
        let back_amount = plan.demand.amount_in.saturating_sub(traded.spent_amount);
        for (index, amount) in [(from, back_amount), (to, traded.received_amount)] {
            let held = &mut reserve.asset_mut(index)?.accounted_amount;
            *held = held.checked_add(amount).ok_or(RampartError::MathOverflow)?;
        }
        let after = plan.reading.weigh(&reserve, &plan.aim)?;
        let before = Basket { worth: plan.before, targets: &plan.aim.targets };
        before.require_nearer(&after, (from.into(), to.into()), plan.min_improvement_bps)?;
        let lost_amount = loss_amount(plan.reading.sides(plan.decimals), traded.spent_amount, traded.received_amount)?;
        let loss_micro_usd = worth_micro_usd(lost_amount, plan.reading.to.hi, plan.decimals[1])?;
        let guard = self.guard.load()?;
        self.policy.load_mut()?.charge_loss(loss_micro_usd, &guard.bounds, now_ts)?;
        Ok(loss_micro_usd)
    }
}
