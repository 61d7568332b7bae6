//! The next swap of the reserve's basket: which pair, along which route, and how much.
//!
//! Everything that the program will ask is asked of the program's own functions beforehand: level and median, the
//! policy's caps and its cooldown, the bound of the price, the budget of losses, and that the basket comes nearer its
//! targets without passing one. What is added is the operator's band, within which the basket is left alone, the most that
//! one swap may lose, and what the keeper's own score leaves: it narrows the band for a hedge, and forbids to buy.

use crate::assess::basket::{Aim, BasketReport};
use crate::config::{BandSettings, RebalanceSettings};
use crate::decide::bands::Bands;
use crate::economics::Economics;
use crate::economics::search::{best, best_of_few, rounded};
use crate::route::{Ask, Order, Quote, Route, allow};
use crate::watch::store::Store;
use rampart::RebalanceArgs;
use rampart::constants::RESERVE_ASSETS;
use rampart::math::bps::part;
use rampart::math::mul_div_floor;
use rampart::risk::basket::Each;
use rampart::risk::health::Side;
use rampart::risk::swap::{SwapTerms, loss_amount, worth_micro_usd};
use rampart::state::swap_policy::SwapRequest;
use rampart::state::{Guard, Purpose, Reserve, SwapCaller, SwapPolicy};
use rampart_client::swap::{PolicyKeys, Routed};
use rampart_client::{MintOf, Pubkey};

/// How much less than its quote a swap may bring when it lands, bps: room for others' swaps in between.
const TOLERANCE_BPS: u64 = 50;

/// A swap of the reserve's basket.
#[derive(Clone, Debug)]
pub struct Rebalance {
    /// Name of the route.
    pub route: String,
    /// The policy that it swaps under.
    pub policy: PolicyKeys,
    /// What is sold, and what is bought.
    pub pair: (MintOf, MintOf),
    /// What the program is told.
    pub args: RebalanceArgs,
    /// The route's instruction.
    pub routed: Routed,
    /// What it would come to now.
    pub quote: Quote,
    /// How much nearer its targets the basket comes, micro-dollars times 10,000.
    pub gained: i128,
    /// The part of the whole within which the basket would have been left alone, bps.
    pub band_bps: u16,
    /// Lookup tables that hold the route's accounts.
    pub tables: Vec<Pubkey>,
}

/// What the keeper itself leaves of the basket's moves, beside what the program does.
#[derive(Clone, Copy, Debug)]
pub struct Leave<'a> {
    /// Whether the signer is one of the guard's keepers.
    pub is_keeper: bool,
    /// Bands of its own scores.
    pub bands: &'a Bands,
    /// What they change.
    pub settings: &'a BandSettings,
}

impl Leave<'_> {
    /// Returns the part of the whole within which the basket is left alone for a swap of `pair`, bps; `None` where the
    /// keeper's own score forbids the swap.
    fn band_bps(&self, rebalance: &RebalanceSettings, reserve: &Reserve, (from, to): (usize, usize)) -> Option<u16> {
        let quote = usize::from(reserve.plan.quote);
        let about = [from, to, reserve.plan.scored.into()].into_iter().filter(|at| *at != quote);
        let subjects: Vec<&Pubkey> = about.filter_map(|at| Some(&reserve.active().get(at)?.asset)).collect();
        if to != quote {
            return self.bands.may_buy(self.settings, subjects).then_some(rebalance.band_bps);
        }
        let is_urgent = self.settings.is_urgent(self.bands.highest(subjects));
        let urgent_bps = if is_urgent { rebalance.urgent_band_bps } else { u16::MAX };
        Some(rebalance.band_bps.min(urgent_bps))
    }
}

/// Returns the swap that brings the basket nearest to its targets; `None` where none is due or none would be admitted.
pub fn next(
    economics: &Economics,
    store: &Store,
    report: &BasketReport,
    leave: &Leave<'_>,
    now_ts: i64,
) -> Option<Rebalance> {
    let ((_, reserve), guard) = (store.reserve()?, store.guard()?);
    let count = reserve.active().len();
    let pairs = (0..count).flat_map(|from| (0..count).map(move |to| (from, to))).filter(|(from, to)| from != to);
    let ways = pairs.flat_map(|pair| economics.routes.open(store).map(move |way| (pair, way)));
    let found = ways.filter_map(|(pair, (route, keys, policy))| {
        let may = policy.params.caller == SwapCaller::Anyone as u8 || leave.is_keeper;
        let band_bps = leave.band_bps(&economics.rebalance, reserve, pair).filter(|_| may)?;
        let aim = report.aim(reserve, pair).ok()?;
        let desk = Desk { economics, store, report, reserve, guard, policy, route, pair, band_bps, aim, now_ts };
        desk.next(keys)
    });
    found.max_by_key(|rebalance| rebalance.gained)
}

struct Desk<'a> {
    economics: &'a Economics,
    store: &'a Store,
    report: &'a BasketReport,
    reserve: &'a Reserve,
    guard: &'a Guard,
    policy: &'a SwapPolicy,
    route: &'a dyn Route,
    pair: (usize, usize),
    band_bps: u16,
    aim: Aim,
    now_ts: i64,
}

impl Desk<'_> {
    fn next(&self, policy: PolicyKeys) -> Option<Rebalance> {
        let (from, to) = self.pair;
        let high = self.most()?;
        let (amount, gained, quote) = match self.route.is_remote() {
            true => best_of_few(high, |size| self.gained(rounded(size)))?,
            false => best(high.div_ceil(64), high, |size| self.gained(size))?,
        };
        let amount = if self.route.is_remote() { rounded(amount) } else { amount };
        let least =
            self.sides()?.1.least_amount(quote.spent_amount, self.policy.max_slippage_bps(&self.guard.bounds)).ok()?;
        let expected = quote.received_amount
            - u64::try_from(u128::from(quote.received_amount) * u128::from(TOLERANCE_BPS) / 10_000).ok()?;
        let pair = (self.mint_of(from)?, self.mint_of(to)?);
        let min_out_amount = expected.max(least);
        let order = Order { policy: &policy, from: pair.0, to: pair.1, amount, least_amount: min_out_amount };
        let routed = self.route.build(self.store, &order).ok()?;
        allow::require_allowed(self.store, (&policy, self.policy), &policy.program, &routed).ok()?;
        let args = RebalanceArgs {
            counter: self.policy.counter,
            amount,
            min_out_amount,
            from: u8::try_from(from).ok()?,
            to: u8::try_from(to).ok()?,
            route: routed.data.clone(),
        };
        let ask = Ask { from: pair.0.mint, to: pair.1.mint, amount };
        let tables = self.route.tables(self.store, &ask);
        let (route, band_bps) = (self.route.name().to_owned(), self.band_bps);
        Some(Rebalance { route, policy, pair, args, routed, quote, gained, band_bps, tables })
    }

    fn amounts(&self) -> Each<u64> {
        let mut amounts = [0; RESERVE_ASSETS];
        self.reserve.active().iter().zip(&mut amounts).for_each(|(held, amount)| *amount = held.accounted_amount);
        amounts
    }

    /// The most to sell: what is above the target, within what the policy admits at once and has left of the day.
    fn most(&self) -> Option<u64> {
        let (from, _) = self.pair;
        let before = self.report.weigh(self.reserve, &self.amounts(), &self.aim.targets).ok()?;
        let whole = before.whole();
        let band = whole * u128::from(self.band_bps);
        let should = whole * u128::from(self.aim.targets[from]) / 10_000;
        let above = u128::from(before.worth[from]).checked_sub(should).filter(|above| *above > 0)?;
        if before.distance() < band {
            return None;
        }
        let mut day = self.policy.swapped;
        day.settle(self.now_ts);
        let left = self.policy.params.max_day_micro_usd.saturating_sub(day.total());
        let at_once = part(self.policy.params.max_swap_micro_usd, self.aim.scale_bps).min(left);
        let sources = self.report.band(from)?.sources.min(self.report.band(self.pair.1)?.sources);
        let at_once = if sources < 2 { at_once.min(self.policy.params.two_sources_micro_usd) } else { at_once };
        let held = self.amounts()[from];
        // what is above is reckoned at the middle, and what the policy admits at the high end
        let of =
            |worth: u128, all: u64| mul_div_floor(held.into(), worth, all.into()).and_then(|a| u64::try_from(a).ok());
        let by_target = of(above, before.worth[from])?;
        let by_policy =
            of(at_once.into(), worth_micro_usd(held, self.report.band(from)?.hi, self.decimals(from)).ok()?);
        Some(by_target.min(by_policy.unwrap_or(u64::MAX)).min(held)).filter(|most| *most > 0)
    }

    /// How much nearer its targets a swap of `amount` brings the basket; `None` where the program would refuse it.
    fn gained(&self, amount: u64) -> Option<(i128, Quote)> {
        let (from, to) = self.pair;
        let ask = Ask { from: self.mint_of(from)?.mint, to: self.mint_of(to)?.mint, amount };
        let quote = self.route.quote(self.store, &ask).ok()?;
        self.require_admitted(amount, quote)?;
        let mut amounts = self.amounts();
        let before = self.report.weigh(self.reserve, &amounts, &self.aim.targets).ok()?;
        amounts[from] = amounts[from].checked_sub(quote.spent_amount)?;
        amounts[to] = amounts[to].checked_add(quote.received_amount)?;
        let after = self.report.weigh(self.reserve, &amounts, &self.aim.targets).ok()?;
        before.require_nearer(&after, self.pair, self.reserve.plan.min_improvement_bps).ok()?;
        let gained = before.distance().checked_sub(after.distance())?;
        Some((i128::try_from(gained).ok()?, quote))
    }

    /// The policy's caps and cooldown, the bound of the price and the budget of losses, on a copy of the policy.
    fn require_admitted(&self, amount: u64, quote: Quote) -> Option<()> {
        let ((sold, bought), terms) = self.sides()?;
        let mut policy = *self.policy;
        let asked = SwapRequest {
            purpose: Purpose::Rebalance,
            worth_micro_usd: worth_micro_usd(amount, sold.band.hi, sold.decimals).ok()?,
            sources: sold.band.sources.min(bought.band.sources),
            oldest_publish_ts: sold.band.oldest_publish_ts().min(bought.band.oldest_publish_ts()),
            scale_bps: self.aim.scale_bps,
        };
        policy.admit(&asked, self.now_ts).ok()?;
        let least = terms.least_amount(quote.spent_amount, policy.max_slippage_bps(&self.guard.bounds)).ok()?;
        let lost_amount = loss_amount((sold, bought), quote.spent_amount, quote.received_amount).ok()?;
        let lost = worth_micro_usd(lost_amount, bought.band.hi, bought.decimals).ok()?;
        policy.charge_loss(lost, &self.guard.bounds, self.now_ts).ok()?;
        let most_lost = u128::from(asked.worth_micro_usd) * u128::from(self.economics.rebalance.max_loss_bps) / 10_000;
        (quote.received_amount >= least && u128::from(lost) <= most_lost).then_some(())
    }

    fn sides(&self) -> Option<((Side<'_>, Side<'_>), SwapTerms)> {
        let side = |at: usize| self.report.band(at).map(|band| Side { band, decimals: self.decimals(at) });
        let (sold, bought) = (side(self.pair.0)?, side(self.pair.1)?);
        Some(((sold, bought), SwapTerms::new(sold, bought).ok()?))
    }

    fn decimals(&self, at: usize) -> u8 {
        self.reserve.assets[at].decimals
    }

    fn mint_of(&self, at: usize) -> Option<MintOf> {
        let asset = self.store.asset(&self.reserve.assets.get(at)?.asset)?;
        Some(MintOf { mint: asset.mint, token_program: asset.token_program })
    }
}
