//! The reserve's basket, moved by the keeper's own plan.

use rampart::error::RampartError as E;
use rampart::state::Level;
use rampart_client::address;
use rampart_client::swap::PolicyKeys;
use rampart_keeper::decide::bands::{Band, Bands};
use rampart_keeper::decide::{Action, Decision};
use rampart_keeper::economics::Rebalance;
use rampart_keeper::intent::ActionClass;
use rampart_keeper_tests::Keeper;
use rampart_tests::defaults::{SOL, USDC};
use rampart_tests::keepers::Keepers;
use rampart_tests::scenario::Scope;
use rampart_tests::swaps::{Market, TOKEN_SWAP, params, plan};
use rampart_tests::{World, assert_error};
use solana_sdk::signer::Signer;
use std::collections::BTreeMap;

/// A reserve of 1,000 SOL at 150 and 50,000 USDC, whose SOL should be one half at no risk.
struct Desk {
    world: World,
    keepers: Keepers,
    market: Market,
    policy: PolicyKeys,
    keeper: Keeper,
}

fn desk(pool_sol: u64) -> Desk {
    let (mut world, keepers) = World::with_keepers(5);
    let market = world.market(pool_sol * SOL, pool_sol * 150 * USDC);
    let policy = world.swap_policy(1, params(TOKEN_SWAP));
    world.open_reserve(plan(), 1_000 * SOL, 50_000 * USDC);
    let subject = world.keys.collateral_asset;
    let mut told = vec![address::keeper_set(&world.guard)];
    told.extend(keepers.keys.iter().map(|key| address::report(&subject, &key.pubkey())));
    let mut keeper = Keeper::new(&mut world, &[market], &told);
    let mut named = vec![world.guard, address::reserve(&world.guard), policy.policy, policy.escrow, TOKEN_SWAP];
    named.extend([world.keys.collateral_asset, world.keys.loan_asset, world.sol.mint, world.usdc.mint]);
    named.extend(world.pair_oracles().iter().map(|meta| meta.pubkey));
    named.extend([world.sol, world.usdc].map(|mint| policy.token(&mint)));
    named.extend(world.reserve_tokens());
    named.extend(told.clone());
    named.extend([market.sol, market.usdc, market.pool]);
    keeper.with_table(&mut world, &named);
    let mut desk = Desk { world, keepers, market, policy, keeper };
    desk.fresh();
    desk
}

impl Desk {
    /// A second later, with prices of now.
    fn fresh(&mut self) {
        self.world.advance(1);
        let (sol, usdc) = (self.world.sol_price(), self.world.usdc_price());
        self.world.set_prices(sol, usdc);
    }

    fn report(&mut self, score_bps: u16) {
        self.fresh();
        let subject = self.world.keys.collateral_asset;
        self.keepers.report_all(&mut self.world, subject, score_bps);
    }

    fn next(&mut self) -> Option<Decision> {
        self.keeper.decision(&self.world, ActionClass::Rebalance)
    }

    fn lands(&mut self, decision: &Decision) {
        let before = self.world.reserve_books();
        let planned = self.keeper.plan(&self.world, decision).expect("a plan");
        self.keeper.land(&mut self.world, &planned).expect("it lands");
        let quote = of(decision).quote;
        let [sol, usdc] = before;
        let sells_sol = of(decision).args.from == 0;
        let expected = if sells_sol {
            [sol - quote.spent_amount, usdc + quote.received_amount]
        } else {
            [sol + quote.received_amount, usdc - quote.spent_amount]
        };
        assert_eq!(self.world.reserve_books(), expected, "to the unit");
    }
}

fn of(decision: &Decision) -> &Rebalance {
    let Action::Rebalance(next) = &decision.action else { panic!("about the basket") };
    next
}

#[test]
fn rebalance_that_the_keeper_planned_lands_to_the_unit_and_is_the_largest_that_would() {
    let mut d = desk(1_000_000);
    d.report(0);
    let decision = d.next().expect("333 SOL too many");
    assert_eq!((decision.intent.target, decision.intent.fence), (d.policy.policy, 0));
    let amount = of(&decision).args.amount;
    assert!((330 * SOL..334 * SOL).contains(&amount), "{amount}");
    // a hundredth more would pass the target
    let mut more = d.world.replica();
    let larger = amount + amount / 100 + SOL;
    let route = d.market.route(&more, &d.policy, more.sol, larger, 0);
    let ix = more.sell_sol_ix(&d.policy, Some(&d.keepers), larger, route);
    assert_error(more.send(&[ix], &[]), E::RebalanceOvershoots);
    d.lands(&decision);
    assert_eq!(d.world.policy(&d.policy).counter, 1);
    d.report(0);
    assert!(d.next().is_none(), "it is where it should be");
}

#[test]
fn rebalance_waits_for_the_cooldown_and_follows_the_score() {
    let mut d = desk(1_000_000);
    d.report(0);
    let first = d.next().expect("off its targets");
    d.lands(&first);
    d.report(8_000);
    assert!(d.next().is_none(), "the cooldown isn't over");
    d.world.advance(300);
    d.report(8_000);
    let second = d.next().expect("the score has risen");
    assert_eq!(second.intent.fence, 1);
    d.lands(&second);
}

#[test]
fn basket_is_held_while_the_median_is_not_known_unless_a_level_was_proved() {
    let mut d = desk(1_000_000);
    assert!(d.next().is_none(), "nobody has reported");
    d.world.raise(Scope::Guard, Level::ReduceOnly);
    d.fresh();
    let decision = d.next().expect("a level that needs no keepers");
    assert!(of(&decision).args.amount > 800 * SOL);
    d.lands(&decision);
}

#[test]
fn rebalance_stays_within_the_depth_and_the_operators_loss() {
    let mut d = desk(5_000);
    d.report(0);
    d.keeper.policy.economics.rebalance.max_loss_bps = 80;
    let decision = d.next().expect("a part of it");
    let amount = of(&decision).args.amount;
    // 30 bps of fees and as many of depth as the operator leaves
    assert!((10 * SOL..40 * SOL).contains(&amount), "{amount}");
    d.lands(&decision);
    d.keeper.policy.economics.rebalance.max_loss_bps = 20;
    d.world.advance(300);
    d.report(0);
    assert!(d.next().is_none(), "the pool's fees alone are more");
}

#[test]
fn basket_within_the_operators_band_is_left_alone() {
    let mut d = desk(1_000_000);
    d.report(0);
    // 150,000 of 200,000 where 100,000 should be: a distance of half the whole
    d.keeper.policy.economics.rebalance.band_bps = 5_001;
    assert!(d.next().is_none());
    d.keeper.policy.economics.rebalance.band_bps = 5_000;
    assert!(d.next().is_some());
}

fn in_band(desk: &Desk, band: Band) -> Bands {
    Bands::Known(BTreeMap::from([(desk.world.keys.collateral_asset, band)]))
}

#[test]
fn small_hedge_waits_until_the_own_score_is_urgent() {
    let mut d = desk(1_000_000);
    d.report(0);
    let first = d.next().expect("off its targets");
    d.lands(&first);
    d.world.advance(300);
    // the target fell by 200 bps: a distance of 400, within the band of 500 and beyond that of 200
    d.report(1_000);
    d.keeper.bands = in_band(&d, Band::Tighten);
    assert!(d.next().is_none());
    d.keeper.bands = in_band(&d, Band::Restrict);
    let hedge = d.next().expect("the narrow band is in force");
    assert_eq!((of(&hedge).band_bps, of(&hedge).args.from), (200, 0));
    d.lands(&hedge);
}

#[test]
fn nothing_volatile_is_bought_back_while_the_own_score_is_high_or_unknown() {
    let mut d = desk(1_000_000);
    d.report(8_000);
    let hedge = d.next().expect("off its targets");
    d.lands(&hedge);
    d.world.advance(300);
    d.report(0);
    for bands in [in_band(&d, Band::Tighten), Bands::Known(BTreeMap::new())] {
        d.keeper.bands = bands;
        assert!(d.next().is_none(), "the median alone gives no risk back");
    }
    d.keeper.bands = in_band(&d, Band::Watch);
    let bought = d.next().expect("calm by both");
    assert_eq!(of(&bought).args.from, 1);
    d.lands(&bought);
}
