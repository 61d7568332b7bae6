//! What a liquidation brings its keeper, by each way to do it.
//!
//! Two ways: with what the keeper holds of the loan mint, and with the seized collateral itself, sold along a route on
//! the way. The plan is the program's own at every size that is looked at; the swap is held to the policy and to the
//! bound on chain beforehand, so that what is sent is what would land.
//!
//! ```text
//! inventory:  profit = sale(seized) - repaid - repaid · inventory cost - fee
//! swap:       profit = (received - repaid) + (seized - spent) · (1 - haircut) - fee
//! ```
//! `sale` is the best quote of a route, and without one the middle of the prices less the haircut. All in micro-dollars at
//! the middle of the prices that the program agrees on, rounded against the keeper.

use crate::assess::{Assessment, Candidate};
use crate::economics::Economics;
use crate::economics::market::{Market, cost, fee_micro_usd, income};
use crate::economics::search::{best, best_of_few, rounded};
use crate::intent::ActionClass;
use crate::plan::{SWAP_UNITS, priority, unit_limit};
use crate::route::{Ask, Order, Quote, Route, allow};
use crate::submit::fee_lamports;
use crate::watch::store::Store;
use rampart::risk::liquidation::Plan;
use rampart::risk::swap::{SwapTerms, worth_micro_usd};
use rampart::state::swap_policy::SwapRequest;
use rampart::state::{Guard, Purpose, SwapPolicy, Vault};
use rampart_client::swap::{PolicyKeys, Routed};
use rampart_client::{MintOf, Pubkey};
use std::fmt;

/// What a liquidation would come to for the keeper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// Loan base units that the keeper pays out of its own account; none by a swap.
    pub paid_amount: u64,
    /// Loan base units that it gets by a swap.
    pub surplus_amount: u64,
    /// Collateral base units that it gets.
    pub collateral_amount: u64,
    /// The most that the fee can be.
    pub fee_lamports: u64,
    /// All of it, micro-dollars.
    pub profit_micro_usd: i128,
}

/// A liquidation along a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwapWay {
    /// Name of the route.
    pub route: String,
    /// The policy that it swaps under.
    pub policy: PolicyKeys,
    /// The route's instruction.
    pub routed: Routed,
    /// The least surplus to land with, base units of the loan mint.
    pub min_surplus_amount: u64,
    /// Lookup tables that hold the route's accounts.
    pub tables: Vec<Pubkey>,
}

/// How a liquidation is paid for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// With what the keeper holds.
    Inventory,
    /// With the seized collateral.
    Swap(Box<SwapWay>),
}

/// One way to liquidate a position, at its best size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// How.
    pub way: Way,
    /// What the program will do, as far as is known.
    pub plan: Plan,
    /// The most to repay, base units of the loan mint.
    pub max_repay_amount: u64,
    /// What it brings.
    pub estimate: Estimate,
}

/// Why a position that could be liquidated is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Declined {
    /// Neither own tokens nor a route: there is nothing that the program would take.
    NoWay,
    /// The best way would cost more than the settings allow, micro-dollars.
    Loss {
        /// What it brings, below zero.
        profit_micro_usd: i128,
        /// What it has to bring.
        least_micro_usd: i128,
    },
    /// The best way brings something, and less than it has to, micro-dollars.
    TooLittle {
        /// What it brings.
        profit_micro_usd: i128,
        /// What it has to bring.
        least_micro_usd: i128,
    },
}

impl Declined {
    /// Every name of a reason.
    pub const NAMES: [&'static str; 3] = ["no_way", "loss", "too_little"];

    /// The best way brings `profit_micro_usd`, and that is less than `least_micro_usd`.
    const fn below(profit_micro_usd: i128, least_micro_usd: i128) -> Self {
        if profit_micro_usd < 0 {
            Self::Loss { profit_micro_usd, least_micro_usd }
        } else {
            Self::TooLittle { profit_micro_usd, least_micro_usd }
        }
    }

    /// Returns the name used in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoWay => "no_way",
            Self::Loss { .. } => "loss",
            Self::TooLittle { .. } => "too_little",
        }
    }
}

impl fmt::Display for Declined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoWay => f.write_str("no own tokens and no route that the program would take"),
            Self::Loss { profit_micro_usd, least_micro_usd }
            | Self::TooLittle { profit_micro_usd, least_micro_usd } => {
                write!(f, "the best way brings {profit_micro_usd} micro-dollars, and has to bring {least_micro_usd}")
            }
        }
    }
}

/// Everything that the ways of one position are weighed by.
#[derive(Clone, Copy, Debug)]
pub struct Bench<'a> {
    /// What the operator wants, and the routes.
    pub economics: &'a Economics,
    /// Accounts.
    pub store: &'a Store,
    /// Prices.
    pub assessment: &'a Assessment,
    /// The position.
    pub candidate: &'a Candidate,
    /// Whether the program would liquidate it; else it is deleveraged.
    pub class: ActionClass,
    /// What the keeper holds of the loan mint and has not promised, base units.
    pub held_amount: u64,
    /// How often a transaction for the position expired: the fee rises with that.
    pub expiries: u32,
    /// Whether it is done whatever it brings.
    pub is_urgent: bool,
}

/// Returns the ways that are worth it, the best first; at least one.
///
/// # Errors
/// Why there is none.
pub fn offers(bench: &Bench<'_>) -> Result<Vec<Offer>, Declined> {
    let vault = bench.store.vault(&bench.candidate.vault).ok_or(Declined::NoWay)?;
    let market = Market::of(vault, bench.assessment).ok_or(Declined::NoWay)?;
    let least_micro_usd = bench.economics.settings.least(&bench.candidate.vault).filter(|_| !bench.is_urgent);
    let view = View { bench, vault, market, least_micro_usd };
    let mut found: Vec<Weighed> = view.by_inventory().into_iter().collect();
    // soft deleveraging has no instruction with a swap
    if let (ActionClass::Liquidate, Some(guard)) = (bench.class, bench.store.guard()) {
        let open = bench.economics.routes.open(bench.store);
        found.extend(open.filter_map(|(route, keys, policy)| view.by_swap(route, (&keys, policy), guard)));
    }
    let mut offers: Vec<Offer> = found.iter().filter_map(|weighed| weighed.clone().ok()).collect();
    if offers.is_empty() {
        return Err(found.into_iter().filter_map(Result::err).max().map_or(Declined::NoWay, |profit_micro_usd| {
            // CANNOT be missing: without a least, everything is worth it
            Declined::below(profit_micro_usd, view.least_micro_usd.unwrap_or(profit_micro_usd))
        }));
    }
    offers.sort_by_key(|offer| std::cmp::Reverse(offer.estimate.profit_micro_usd));
    Ok(offers)
}

/// A way that is worth it, or the profit of one that is not.
type Weighed = Result<Offer, i128>;

struct View<'a> {
    bench: &'a Bench<'a>,
    vault: &'a Vault,
    market: Market<'a>,
    /// What it has to bring; nothing where it must be done.
    least_micro_usd: Option<i128>,
}

impl View<'_> {
    fn is_worth_it(&self, estimate: &Estimate) -> bool {
        self.least_micro_usd.is_none_or(|least| estimate.profit_micro_usd >= least)
    }

    fn fee(&self, units: u32) -> (u64, i128) {
        let economics = self.bench.economics;
        let candidate = self.bench.candidate;
        let written = [&candidate.vault, &candidate.position].map(|key| economics.market.get(key).copied());
        let others = written.into_iter().flatten().max().unwrap_or(0);
        let price = priority(self.bench.class, economics.prices.of(self.bench.class), others, self.bench.expiries);
        let lamports = fee_lamports(units, price);
        let sol_micro_usd = economics.settings.sol_micro_usd;
        (lamports, fee_micro_usd(lamports, self.bench.store, self.bench.assessment, sol_micro_usd))
    }

    /// The sizes between which a position is liquidated: the least part that the program takes, and all that it allows.
    fn sizes(&self, most: u64) -> Option<(u64, u64)> {
        let whole = self.bench.candidate.plan(most).ok()?.repay_amount;
        Some((whole.div_ceil(8), whole))
    }

    fn by_inventory(&self) -> Option<Weighed> {
        let held = self.bench.held_amount;
        let (low, high) = self.sizes(held)?;
        // without a quote the profit is linear in the size: the most is the best, or nothing is
        let low = if self.sale(self.bench.candidate.subject.collateral).is_some() { low } else { high };
        let fee = self.fee(unit_limit(self.bench.class));
        let (_, _, (plan, estimate)) = best(low, high, |size| {
            let plan = self.bench.candidate.plan(size).ok()?;
            let estimate = self.of_inventory(&plan, fee);
            Some((estimate.profit_micro_usd, (plan, estimate)))
        })?;
        if !self.is_worth_it(&estimate) {
            return Some(Err(estimate.profit_micro_usd));
        }
        let max_repay_amount = if plan.repay_amount == high { headroom(high).min(held) } else { plan.repay_amount };
        Some(Ok(Offer { way: Way::Inventory, plan, max_repay_amount, estimate }))
    }

    fn of_inventory(&self, plan: &Plan, (fee_lamports, fee_micro_usd): (u64, i128)) -> Estimate {
        let paid = cost(plan.repay_amount, &self.market.loan);
        let held = paid * i128::from(self.bench.economics.settings.inventory_cost_bps) / 10_000;
        let sold = self.sale(plan.seize_amount).map(|amount| income(amount, &self.market.loan));
        let worth = sold.unwrap_or_else(|| self.unsold(plan.seize_amount));
        Estimate {
            paid_amount: plan.repay_amount,
            surplus_amount: 0,
            collateral_amount: plan.seize_amount,
            fee_lamports,
            profit_micro_usd: worth - paid - held - fee_micro_usd,
        }
    }

    /// What the best route pays for `amount` of the collateral.
    fn sale(&self, amount: u64) -> Option<u64> {
        let local = self.bench.economics.routes.open(self.bench.store).filter(|(route, ..)| !route.is_remote());
        let quotes = local.filter_map(|(route, ..)| {
            route.quote(self.bench.store, &self.ask(amount)).ok().map(|quote| quote.received_amount)
        });
        quotes.max()
    }

    /// What collateral is worth to a keeper that is left with it.
    fn unsold(&self, amount: u64) -> i128 {
        let kept_bps = 10_000 - i128::from(self.bench.economics.settings.haircut_bps.min(10_000));
        income(amount, &self.market.collateral) * kept_bps / 10_000
    }

    fn ask(&self, amount: u64) -> Ask {
        Ask { from: self.vault.collateral_mint, to: self.vault.loan_mint, amount }
    }

    fn by_swap(&self, route: &dyn Route, policy: (&PolicyKeys, &SwapPolicy), guard: &Guard) -> Option<Weighed> {
        let (low, high) = self.sizes(u64::MAX)?;
        let fee = self.fee(unit_limit(self.bench.class).saturating_add(SWAP_UNITS));
        let weigh = |size: u64| {
            let plan = self.bench.candidate.plan(size).ok()?;
            let sale = self.sold(route, plan, fee, (policy.1, guard))?;
            Some((sale.estimate.profit_micro_usd, sale))
        };
        let (_, _, sale) = if route.is_remote() { best_of_few(high, weigh) } else { best(low, high, weigh) }?;
        if !self.is_worth_it(&sale.estimate) {
            return Some(Err(sale.estimate.profit_micro_usd));
        }
        self.offered(route, policy, sale).map(Ok)
    }

    /// What comes of a liquidation with `plan` along `route`; `None` where the program would refuse it.
    fn sold(
        &self,
        route: &dyn Route,
        plan: Plan,
        (fee_lamports, fee_micro_usd): (u64, i128),
        (policy, guard): (&SwapPolicy, &Guard),
    ) -> Option<Sale> {
        let slack = u128::from(plan.seize_amount) * u128::from(self.bench.economics.settings.seize_slack_bps);
        // what is seized when it lands may be a little less, and a route that is told of more than there is fails
        let offered_amount = plan.seize_amount.checked_sub(u64::try_from(slack.div_ceil(10_000)).ok()?)?;
        let offered_amount = if route.is_remote() { rounded(offered_amount) } else { offered_amount };
        let quote = route.quote(self.bench.store, &self.ask(offered_amount)).ok()?;
        let surplus_amount = quote.received_amount.checked_sub(plan.repay_amount)?;
        self.require_admitted(&plan, quote, policy, guard)?;
        let collateral_amount = plan.seize_amount.checked_sub(quote.spent_amount)?;
        let worth = income(surplus_amount, &self.market.loan) + self.unsold(collateral_amount);
        let profit_micro_usd = worth - fee_micro_usd;
        let estimate = Estimate { paid_amount: 0, surplus_amount, collateral_amount, fee_lamports, profit_micro_usd };
        Some(Sale { plan, offered_amount, estimate })
    }

    /// The policy and the bound, as `liquidate_by_swap` will hold the swap to both.
    fn require_admitted(&self, plan: &Plan, quote: Quote, policy: &SwapPolicy, guard: &Guard) -> Option<()> {
        let Market { collateral, loan } = &self.market;
        let terms = SwapTerms::new(*collateral, *loan).ok()?;
        let least = terms.least_amount(quote.spent_amount, policy.max_slippage_bps(&guard.bounds)).ok()?;
        let asked = SwapRequest {
            purpose: Purpose::Liquidation,
            worth_micro_usd: worth_micro_usd(plan.seize_amount, collateral.band.hi, collateral.decimals).ok()?,
            sources: self.market.sources(),
            oldest_publish_ts: self.market.oldest_publish_ts(),
            scale_bps: 10_000,
        };
        let is_admitted = { *policy }.admit(&asked, self.bench.assessment.now.unix_ts).is_ok();
        (is_admitted && quote.received_amount >= least).then_some(())
    }

    fn offered(&self, route: &dyn Route, (keys, policy): (&PolicyKeys, &SwapPolicy), sale: Sale) -> Option<Offer> {
        let plan = sale.plan;
        let min_surplus_amount = self.least_surplus(&sale.estimate);
        let order = Order {
            policy: keys,
            from: self.mint_of(&self.vault.collateral_asset)?,
            to: self.mint_of(&self.vault.loan_asset)?,
            amount: sale.offered_amount,
            least_amount: plan.repay_amount.saturating_add(min_surplus_amount),
        };
        let routed = route.build(self.bench.store, &order).ok()?;
        allow::require_allowed(self.bench.store, (keys, policy), &keys.program, &routed).ok()?;
        // a whole debt grows until it lands, and what would be left is dust; any other size is repaid as it is named
        let closes = plan.is_insolvent || plan.repay_amount == self.bench.candidate.subject.debt;
        let max_repay_amount = if closes { headroom(plan.repay_amount) } else { plan.repay_amount };
        let tables = route.tables(self.bench.store, &self.ask(sale.offered_amount));
        let swap = SwapWay { route: route.name().to_owned(), policy: *keys, routed, min_surplus_amount, tables };
        Some(Offer { way: Way::Swap(Box::new(swap)), plan, max_repay_amount, estimate: sale.estimate })
    }

    /// The surplus at which it is just worth it: below that the transaction fails, whatever happened to the pool.
    fn least_surplus(&self, estimate: &Estimate) -> u64 {
        let Some(least) = self.least_micro_usd else { return 0 };
        let worth = income(estimate.surplus_amount, &self.market.loan);
        let beyond = estimate.profit_micro_usd - worth;
        let needed = (least - beyond).clamp(0, worth);
        if worth == 0 {
            return 0;
        }
        let part = u128::try_from(needed).unwrap_or(0).saturating_mul(estimate.surplus_amount.into());
        u64::try_from(part.div_ceil(u128::try_from(worth).unwrap_or(1).max(1))).unwrap_or(0)
    }

    fn mint_of(&self, asset: &Pubkey) -> Option<MintOf> {
        self.bench.store.asset(asset).map(|asset| MintOf { mint: asset.mint, token_program: asset.token_program })
    }
}

/// A liquidation by a swap that the program would take.
struct Sale {
    plan: Plan,
    offered_amount: u64,
    estimate: Estimate,
}

/// The debt and the amount that restores the target grow until the transaction lands: a twentieth more is allowed.
fn headroom(amount: u64) -> u64 {
    amount.saturating_add(amount.div_ceil(20))
}
