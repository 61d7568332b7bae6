//! What must hold of a swap: it receives what the prices say, and losses and volume stay within a day's budgets.

use crate::sequences::action::{Action, Kind};
use crate::sequences::check::has_prices;
use crate::sequences::model::DAY;
use crate::sequences::snap::Snap;
use crate::sequences::stage::Stage;
use rampart::state::{Level, Reserve, SwapPolicy};
use rampart_client::{Instruction, Pubkey, address};

/// How far both ends of a price are from its middle, each 5 bps: low in, high out.
const BANDS: f64 = 0.9995 / 1.0005;
/// How long a report counts, seconds.
const REPORT_SECS: i64 = 60;

/// What a keeper said of the collateral.
#[derive(Clone, Copy, Debug)]
pub struct Said {
    by: Pubkey,
    ts: i64,
    /// The score, bps.
    pub score_bps: u16,
}

/// One swap by a policy, micro-dollars at the honest price.
#[derive(Clone, Copy, Debug)]
pub struct Trade {
    /// When, at the latest time that the chain had shown by then.
    pub ts: i64,
    /// The policy.
    pub policy: Pubkey,
    /// What went in.
    pub worth: f64,
    /// What a rebalance lost.
    pub loss: f64,
}

/// All swaps, covers and reports of a sequence.
#[derive(Clone, Debug, Default)]
pub struct Swaps {
    /// Swaps.
    pub trades: Vec<Trade>,
    /// What the reserve paid for bad debt: when, base units.
    pub covers: Vec<(i64, u64)>,
    /// Reports about the collateral.
    pub scores: Vec<Said>,
}

/// What changed hands: base units.
#[derive(Clone, Copy, Debug)]
struct Traded {
    spent: u64,
    received: u64,
    is_sale: bool,
}

impl Traded {
    /// Reads it of whom was traded with, not of what the program says.
    fn of(before: &Snap, after: &Snap) -> Option<Self> {
        let at = (0..2).find(|i| before.traders[*i] != after.traders[*i])?;
        assert_eq!(before.traders[1 - at], after.traders[1 - at], "one swap, and two who traded");
        let ([sol, usdc], [sol_now, usdc_now]) = (before.traders[at], after.traders[at]);
        let is_sale = sol_now >= sol;
        let (spent, received) = if is_sale {
            (sol_now - sol, usdc.checked_sub(usdc_now).expect("a swap that only took"))
        } else {
            (usdc_now.checked_sub(usdc).expect("a swap that only took"), sol - sol_now)
        };
        Some(Self { spent, received, is_sale })
    }

    /// What is fair for what was spent, base units of what comes out, and the micro-dollars of one of them.
    fn fair(&self, [sol, usdc]: [f64; 2]) -> (f64, f64) {
        // micro-dollars of a base unit: 9 decimals, and 6
        let (sol, usdc) = (sol / 1_000.0, usdc);
        let (from, to) = if self.is_sale { (sol, usdc) } else { (usdc, sol) };
        (self.spent as f64 * from / to, to)
    }
}

impl Stage {
    /// Lets the model follow swaps and reports, and checks them.
    pub fn follow_swaps(&mut self, action: &Action, ix: &Instruction, before: &Snap, after: &Snap) {
        self.follow_reports(action, ix, before);
        let is_swap = matches!(action.kind, Kind::Rebalance | Kind::LiquidateBySwap);
        let traded = Traded::of(before, after);
        assert!(is_swap || traded.is_none(), "{action:?} traded");
        if !is_swap {
            return;
        }
        let at = if action.kind == Kind::Rebalance { 3 } else { 6 };
        let key = ix.accounts[at].pubkey;
        let traded = traded.expect("a swap with somebody");
        let (was, is) = (before.policy(&key), after.policy(&key));
        let now = before.now;
        assert!(has_prices(&self.model, now), "swapped without a price: {action:?}");
        let oldest = self.model.feeds.iter().map(|feed| feed.published).min().expect("two");
        assert!(now - oldest <= i64::from(was.params.max_oracle_age_secs), "I13: swapped at an old price");
        let (fair, unit) = traded.fair(self.model.feeds.map(|feed| feed.dollars));
        let slippage = was.params.max_slippage_bps.min(before.guard.bounds.max_slippage_bps);
        let least = fair * BANDS * (1.0 - f64::from(slippage) / 10_000.0) * 0.999_999 - 2.0;
        assert!(traded.received as f64 >= least, "I13: {} received of at least {least}: {action:?}", traded.received);
        let is_rebalance = action.kind == Kind::Rebalance;
        let loss = if is_rebalance { (fair - traded.received as f64).max(0.0) * unit } else { 0.0 };
        let trade = Trade { ts: self.model.latest, policy: key, worth: fair * unit, loss };
        self.model.swaps.trades.push(trade);
        assert_charged(&trade, was, is);
        self.assert_day(&trade, was, before);
        if is_rebalance {
            let waited = now - was.rebalanced_at_ts;
            let may = was.counter == 0 || waited >= i64::from(was.params.cooldown_secs);
            assert!(may && is.counter == was.counter + 1, "a rebalance without its cooldown or its fence");
            self.assert_basket(action, ix, (before, after), traded);
        } else {
            assert_eq!(
                (was.counter, was.lost_micro_usd),
                (is.counter, is.lost_micro_usd),
                "a liquidation moved a fence"
            );
            let repaid = after.vault.cash_amount - before.vault.cash_amount;
            let covered = after.vault.reserve_covered_amount - before.vault.reserve_covered_amount;
            assert!(traded.received >= repaid - covered, "repaid more than the swap brought");
        }
    }

    fn follow_reports(&mut self, action: &Action, ix: &Instruction, before: &Snap) {
        if action.kind == Kind::SubmitReport {
            let set = before.keepers.active();
            let by = set.iter().map(|m| m.key).find(|key| ix.accounts.iter().any(|m| m.is_signer && m.pubkey == *key));
            let Some(by) = by else { return };
            let report = address::report(&before.keys.collateral_asset, &by);
            if ix.accounts.iter().any(|m| m.pubkey == report) {
                let stored: rampart::state::Report = self.world.load(&report);
                let said = Said { by, ts: stored.observed_at_ts, score_bps: stored.parts.score_bps };
                self.model.swaps.scores.push(said);
            }
        }
    }

    /// No 24 hours see more swapped, or lost, than the policy and the guard's bound allow.
    fn assert_day(&self, newest: &Trade, policy: &SwapPolicy, before: &Snap) {
        let (p, bounds) = (&policy.params, &before.guard.bounds);
        let lately = |t: &&Trade| t.policy == newest.policy && newest.ts - t.ts < DAY;
        let sum = |of: fn(&Trade) -> f64| self.model.swaps.trades.iter().filter(lately).map(of).sum::<f64>();
        let (swapped, lost) = (sum(|t| t.worth), sum(|t| t.loss));
        assert!(newest.worth <= p.max_swap_micro_usd as f64 * 1.000_001, "I13: {} in one swap", newest.worth);
        assert!(swapped <= p.max_day_micro_usd as f64 * 1.000_001, "I13: {swapped} swapped within a day");
        let most = p.max_day_micro_usd as f64 * f64::from(bounds.max_swap_loss_bps) / 10_000.0;
        let budget = most.min(p.loss_day_micro_usd as f64);
        assert!(lost <= budget * 1.000_001 + 10.0, "I13: {lost} lost within a day, of {budget}");
    }

    /// The basket moved towards where the level and the keepers have it, by as much as the plan asks, and not past it.
    fn assert_basket(&self, action: &Action, ix: &Instruction, (before, after): (&Snap, &Snap), traded: Traded) {
        let (was, is) = (before.reserve.as_ref().expect("a reserve"), after.reserve.as_ref().expect("a reserve"));
        let books = |r: &Reserve| [r.assets[0].accounted_amount, r.assets[1].accounted_amount];
        let ([sol, usdc], [sol_now, usdc_now]) = (books(was), books(is));
        let moved = if traded.is_sale {
            (sol.checked_sub(sol_now), usdc_now.checked_sub(usdc))
        } else {
            (usdc.checked_sub(usdc_now), sol_now.checked_sub(sol))
        };
        assert_eq!(moved, (Some(traded.spent), Some(traded.received)), "the reserve's books and the swap");
        let feeds = &self.model.feeds;
        let worth = |[sol, usdc]: [u64; 2]| [sol as f64 * feeds[0].dollars / 1_000.0, usdc as f64 * feeds[1].dollars];
        let (had, has) = (worth([sol, usdc]), worth([sol_now, usdc_now]));
        let (whole, whole_now) = (had[0] + had[1], has[0] + has[1]);
        let ends = self.targets(action, ix, before, traded.is_sale);
        let sign = if traded.is_sale { 1.0 } else { -1.0 };
        // what is above its target: the collateral where it is sold, the quote asset where that is bought back
        let excess = |share: f64, sol: f64, whole: f64| sign * (sol - share * whole);
        let (slack, least) = (whole * 2e-4, whole * f64::from(was.plan.min_improvement_bps) / 20_000.0);
        let is_nearer = |share: f64| excess(share, had[0], whole) - excess(share, has[0], whole_now) >= least - slack;
        assert!(ends.iter().any(|share| is_nearer(*share)), "I13: the basket came no nearer: {action:?}");
        let is_short_of = |share: f64| excess(share, has[0], whole_now) >= -slack;
        assert!(ends.iter().any(|share| is_short_of(*share)), "I13: the basket passed its target: {action:?}");
    }

    /// The ends of where the collateral's share should be: by the least and the highest score that counts, or by a proved
    /// level alone. Checks that the level allows the way.
    fn targets(&self, action: &Action, ix: &Instruction, before: &Snap, is_sale: bool) -> Vec<f64> {
        let (k, now) = (&before.keys, before.now);
        let of = |scopes: &[Pubkey]| self.model.scopes.of(scopes, now);
        let basket = of(&[k.guard, k.collateral_asset]);
        let bought = if is_sale { of(&[k.loan_asset]) } else { of(&[k.guard, k.collateral_asset, k.loan_asset]) };
        assert!(bought.risk < Level::ReduceOnly, "bought at {bought:?}: {action:?}");
        let plan = &before.reserve.as_ref().expect("a reserve").plan;
        let share = |level: Level, score: u16| {
            let at = (level as usize).min(3);
            let (own, next) = (plan.weights_bps[0][at], plan.weights_bps[0][(at + 1).min(3)]);
            (f64::from(own) - f64::from(own - next) * f64::from(score) / 10_000.0) / 10_000.0
        };
        let has_asked = ix.accounts.iter().any(|m| m.pubkey == self.cast.keeper_set);
        let counts = |s: &&Said| now - s.ts <= REPORT_SECS && before.keepers.active().iter().any(|m| m.key == s.by);
        let scores = || self.model.swaps.scores.iter().filter(counts).map(|s| s.score_bps);
        let known = scores().min().zip(scores().max()).filter(|_| has_asked);
        let by_proof = (is_sale && basket.exit >= Level::ReduceOnly).then(|| share(basket.exit, 0));
        assert!(known.is_some() || by_proof.is_some(), "I16: rebalanced on nothing: {action:?}");
        let by_scores = known.map(|(least, most)| [share(basket.risk, least), share(basket.risk, most)]);
        by_scores.into_iter().flatten().chain(by_proof).collect()
    }
}

/// The policy counted at least what was swapped, and what was lost to the unit.
fn assert_charged(trade: &Trade, was: &SwapPolicy, is: &SwapPolicy) {
    let swapped = (is.swapped_micro_usd - was.swapped_micro_usd) as f64;
    assert!(swapped >= trade.worth * 0.999_999 - 10.0, "I13: {swapped} counted of a volume of {}", trade.worth);
    let lost = (is.lost_micro_usd - was.lost_micro_usd) as f64;
    let slack = trade.worth * 1e-6 + 10.0;
    // counted at the high end of a price
    let fits = (trade.loss - slack..=trade.loss * 1.001 + slack).contains(&lost);
    assert!(fits, "I13: {lost} counted of a loss of {}", trade.loss);
}
