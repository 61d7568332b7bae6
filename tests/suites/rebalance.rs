//! Rebalancing the reserve: along the real SPL Token Swap program, nearer to its targets and never on missing data.

use rampart::error::RampartError as E;
use rampart::events::SwapExecuted;
use rampart::state::{Asset, Level, Purpose, SwapCaller, SwapParams, Switch};
use rampart_client::swap::PolicyKeys;
use rampart_client::{Instruction, Pubkey, swap};
use rampart_tests::defaults::{SOL, USDC};
use rampart_tests::keepers::Keepers;
use rampart_tests::refusals::with_account;
use rampart_tests::scenario::Scope;
use rampart_tests::swaps::{Market, TEN_SOL, THIEF, TOKEN_SWAP, Theft, Thief, params, plan};
use rampart_tests::{World, assert_error, events};
use solana_sdk::signer::Signer;

/// A reserve of 1,000 SOL at 150 and 50,000 USDC, whose SOL should be one half at no risk; five keepers see none.
struct Desk {
    world: World,
    keepers: Keepers,
    market: Market,
    policy: PolicyKeys,
}

fn desk() -> Desk {
    desk_with(params(TOKEN_SWAP), 1_000 * SOL, 50_000 * USDC)
}

fn desk_with(params: SwapParams, sol: u64, usdc: u64) -> Desk {
    let (mut world, keepers) = World::with_keepers(5);
    let market = world.market(1_000_000 * SOL, 150_000_000 * USDC);
    let policy = world.swap_policy(1, params);
    world.open_reserve(plan(), sol, usdc);
    let mut desk = Desk { world, keepers, market, policy };
    desk.report(0);
    desk
}

impl Desk {
    fn report(&mut self, score_bps: u16) {
        let subject = self.world.keys.collateral_asset;
        self.world.advance(1);
        let (sol, usdc) = (self.world.sol_price(), self.world.usdc_price());
        self.world.set_prices(sol, usdc);
        self.keepers.report_all(&mut self.world, subject, score_bps);
    }

    fn sell(&self, amount: u64) -> Instruction {
        let route = self.market.route(&self.world, &self.policy, self.world.sol, amount, 0);
        self.world.sell_sol_ix(&self.policy, Some(&self.keepers), amount, route)
    }

    fn sell_blind(&self, amount: u64) -> Instruction {
        let route = self.market.route(&self.world, &self.policy, self.world.sol, amount, 0);
        self.world.sell_sol_ix(&self.policy, None, amount, route)
    }

    fn buy(&self, amount: u64, keepers: Option<&Keepers>) -> Instruction {
        let (sol, usdc) = (self.world.sol, self.world.usdc);
        let route = self.market.route(&self.world, &self.policy, usdc, amount, 0);
        self.world.rebalance_ix(&self.policy, keepers, (usdc, sol), amount, route)
    }

    #[track_caller]
    fn refuses(&mut self, ix: &Instruction, expected: E) {
        self.world.refuses(ix, &[], expected);
    }
}

#[test]
fn rebalance_sells_what_is_above_its_target_and_keeps_the_books() {
    let mut d = desk();
    let before = d.world.balance(&d.market.usdc);
    let ix = d.sell(300 * SOL);
    let landed = d.world.send(&[ix], &[]).unwrap();
    let received = before - d.world.balance(&d.market.usdc);
    // 300 of a million SOL at 150: 45,000 less 0.3 % of fees and 0.03 % of depth
    assert!((44_800 * USDC..44_900 * USDC).contains(&received), "{received}");
    let fact: SwapExecuted = events::the_one_logged(&landed);
    // the pool takes no more than its curve needs: a few lamports come back
    assert!((300 * SOL - 10..=300 * SOL).contains(&fact.spent_amount), "{}", fact.spent_amount);
    let books = [1_000 * SOL - fact.spent_amount, 50_000 * USDC + received];
    assert_eq!(d.world.reserve_books(), books);
    assert_eq!(d.world.reserve_tokens().map(|t| d.world.balance(&t)), books);
    for mint in [d.world.sol, d.world.usdc] {
        assert_eq!(d.world.balance(&d.policy.token(&mint)), 0, "the escrow is empty");
    }
    let lost = 45_000 * USDC - received;
    assert_eq!(fact.received_amount, received);
    // priced at the high end of 5 bps
    assert!((lost..lost + lost / 1_000).contains(&fact.loss_micro_usd), "{} of {lost}", fact.loss_micro_usd);
    // 300 SOL at the high end, rounded up
    assert_eq!(fact.worth_micro_usd, 45_022_500_001);
    let policy = d.world.policy(&d.policy);
    assert_eq!((policy.counter, policy.rebalanced_at_ts), (1, d.world.now_ts()));
    assert_eq!(policy.swapped_micro_usd, fact.worth_micro_usd);
    assert_eq!((policy.lost_micro_usd, policy.lost.total()), (fact.loss_micro_usd, fact.loss_micro_usd));
}

#[test]
fn rebalance_follows_the_median_on_a_straight_line() {
    let mut d = desk();
    let ix = d.sell(400 * SOL);
    d.refuses(&ix, E::RebalanceOvershoots);
    // half way from 50 % to 30 %
    d.report(5_000);
    let ix = d.sell(470 * SOL);
    d.refuses(&ix, E::RebalanceOvershoots);
    let ix = d.sell(460 * SOL);
    d.world.send(&[ix], &[]).unwrap();
}

#[test]
fn rebalance_follows_the_level() {
    let mut d = desk();
    d.world.raise(Scope::Guard, Level::ReduceOnly);
    // from 75 % to 10 %
    let ix = d.sell(870 * SOL);
    d.refuses(&ix, E::RebalanceOvershoots);
    let ix = d.sell(700 * SOL);
    d.world.send(&[ix], &[]).unwrap();
    d.world.raise(Scope::Guard, Level::Halt);
    d.world.advance(300);
    d.report(0);
    let left = d.world.reserve_books()[0];
    let ix = d.sell(left);
    d.world.send(&[ix], &[]).unwrap();
    assert!(d.world.reserve_books()[0] < 10, "{}", d.world.reserve_books()[0]);
}

#[test]
fn rebalance_holds_while_the_median_is_not_known() {
    let mut d = desk();
    let ix = d.sell_blind(100 * SOL);
    d.refuses(&ix, E::ReserveHolds);
    let (mut world, subject) = (d.world, d.keepers.keys.len());
    assert_eq!(subject, 5);
    // expired
    world.advance(61);
    world.set_prices(150.0, 1.0);
    d.world = world;
    let ix = d.sell(100 * SOL);
    d.refuses(&ix, E::ReserveHolds);
    // too few
    let key = d.world.keys.collateral_asset;
    d.keepers.report(&mut d.world, key, &[Some(0), Some(0), Some(0), None, None]);
    let ix = d.sell(100 * SOL);
    d.refuses(&ix, E::ReserveHolds);
    // no one opinion
    d.world.advance(1);
    d.keepers.report(&mut d.world, key, &[Some(0), Some(0), Some(9_000), Some(9_000), Some(9_000)]);
    let ix = d.sell(100 * SOL);
    d.refuses(&ix, E::ReserveHolds);
    // a level that was proved without keepers needs none to sell
    d.world.raise(Scope::CollateralAsset, Level::ReduceOnly);
    d.world.send(&[ix], &[]).unwrap();
}

#[test]
fn rebalance_never_buys_back_on_missing_data() {
    let mut d = desk_with(params(TOKEN_SWAP), 100 * SOL, 185_000 * USDC);
    let ix = d.buy(30_000 * USDC, None);
    d.refuses(&ix, E::ReserveHolds);
    for level in [Level::ReduceOnly, Level::Halt] {
        d.world.raise(Scope::Guard, level);
        let ix = d.buy(30_000 * USDC, None);
        d.refuses(&ix, E::LevelForbids);
        let ix = d.buy(30_000 * USDC, Some(&d.keepers));
        d.refuses(&ix, E::LevelForbids);
        d.world.calm(Scope::Guard);
    }
    let ix = d.buy(30_000 * USDC, Some(&d.keepers));
    d.world.send(&[ix], &[]).unwrap();
    assert!((290 * SOL..300 * SOL).contains(&d.world.reserve_books()[0]));
}

#[test]
fn rebalance_at_caution_is_a_quarter_of_the_size_where_it_buys() {
    let mut d = desk_with(params(TOKEN_SWAP), 100 * SOL, 185_000 * USDC);
    let mut tight = d.world.policy(&d.policy);
    tight.params.max_swap_micro_usd = 40_000 * USDC;
    d.world.store(&d.policy.policy.clone(), &tight);
    d.world.raise(Scope::Guard, Level::Caution);
    let ix = d.buy(10_000 * USDC, Some(&d.keepers));
    d.refuses(&ix, E::SwapTooLarge);
    let ix = d.buy(9_000 * USDC, Some(&d.keepers));
    d.world.send(&[ix], &[]).unwrap();
}

#[test]
fn rebalance_buys_no_quote_asset_that_is_in_trouble_itself() {
    let mut d = desk();
    let ix = d.sell(100 * SOL);
    d.world.raise(Scope::LoanAsset, Level::ReduceOnly);
    d.refuses(&ix, E::LevelForbids);
    d.world.calm(Scope::LoanAsset);
    d.world.send(&[ix], &[]).unwrap();
}

#[test]
fn rebalance_at_a_halt_needs_two_sources() {
    let mut d = desk();
    let key = d.world.keys.collateral_asset;
    let mut asset: Asset = d.world.load(&key);
    asset.oracle.required = 1;
    d.world.store(&key, &asset);
    let switchboard = d.world.sol_feeds.switchboard;
    d.world.put_account(switchboard, Pubkey::default(), vec![]);
    d.world.raise(Scope::Guard, Level::Halt);
    let ix = d.sell(100 * SOL);
    d.refuses(&ix, E::TwoSourcesRequired);
    d.world.calm(Scope::Guard);
    d.world.raise(Scope::Guard, Level::ReduceOnly);
    d.world.send(&[ix], &[]).unwrap();
}

#[test]
fn case_077_rebalance_at_an_old_price_and_at_one_source() {
    let mut d = desk();
    let ix = d.sell(300 * SOL);
    d.world.advance(30);
    d.world.simulate(std::slice::from_ref(&ix)).unwrap();
    d.world.advance(1);
    d.refuses(&ix, E::SwapPriceTooOld);
    d.report(0);
    let key = d.world.keys.collateral_asset;
    let mut asset: Asset = d.world.load(&key);
    asset.oracle.required = 1;
    d.world.store(&key, &asset);
    let switchboard = d.world.sol_feeds.switchboard;
    d.world.put_account(switchboard, Pubkey::default(), vec![]);
    let mut policy = d.world.policy(&d.policy);
    policy.params.two_sources_micro_usd = 40_000 * USDC;
    d.world.store(&d.policy.policy.clone(), &policy);
    d.refuses(&ix, E::TwoSourcesRequired);
    let ix = d.sell(200 * SOL);
    d.world.send(&[ix], &[]).unwrap();
}

#[test]
fn rebalance_waits_for_its_fence_cooldown_and_improvement() {
    let mut d = desk();
    let ix = d.sell(100 * SOL);
    d.world.send(std::slice::from_ref(&ix), &[]).unwrap();
    d.refuses(&ix, E::SwapCounterMoved);
    let ix = d.sell(100 * SOL);
    d.refuses(&ix, E::SwapCooldown);
    d.world.advance(300);
    d.report(0);
    // 1 % of 200,000 is 2,000: both assets move by it, and the loss counts
    let ix = d.sell(6 * SOL);
    d.refuses(&ix, E::RebalanceTooSmall);
    let ix = d.sell(0);
    d.refuses(&ix, E::ZeroAmount);
    let ix = d.sell(1_001 * SOL);
    d.refuses(&ix, E::AmountExceedsPosition);
    let ix = d.sell(100 * SOL);
    d.world.send(&[ix], &[]).unwrap();
}

#[test]
fn case_078_rebalance_there_and_back() {
    let mut d = desk();
    let ix = d.sell(330 * SOL);
    d.world.send(&[ix], &[]).unwrap();
    let ix = d.buy(20_000 * USDC, Some(&d.keepers));
    d.refuses(&ix, E::SwapCooldown);
    d.world.advance(300);
    d.report(0);
    // what was lost on the way isn't bought back
    let ix = d.buy(20_000 * USDC, Some(&d.keepers));
    d.refuses(&ix, E::RebalanceWrongWay);
    let ix = d.sell(20 * SOL);
    d.refuses(&ix, E::RebalanceOvershoots);
    // a score that rises makes SOL too much again: each way waits, improves, and pays out of one loss budget
    d.report(2_000);
    let ix = d.buy(20_000 * USDC, Some(&d.keepers));
    d.refuses(&ix, E::RebalanceWrongWay);
    let ix = d.sell(50 * SOL);
    d.world.send(&[ix], &[]).unwrap();
    d.report(0);
    let ix = d.buy(5_000 * USDC, Some(&d.keepers));
    d.refuses(&ix, E::SwapCooldown);
    let policy = d.world.policy(&d.policy);
    assert_eq!((policy.counter, policy.lost.total()), (2, policy.lost_micro_usd));
}

#[test]
fn case_076_death_by_a_thousand_cuts() {
    let mut small = params(THIEF);
    (small.loss_day_micro_usd, small.cooldown_secs) = (60 * USDC, 0);
    let (mut world, keepers) = World::with_keepers(5);
    let thief = world.thief();
    let policy = world.swap_policy(1, small);
    let mut with_least = plan();
    with_least.min_improvement_bps = 1;
    world.open_reserve(with_least, 1_000 * SOL, 50_000 * USDC);
    let cut = |world: &mut World| {
        world.advance(1);
        world.set_prices(150.0, 1.0);
        let subject = world.keys.collateral_asset;
        keepers.report_all(world, subject, 0);
        // 1 % below the worst end of the prices, to the unit
        let route = thief.route(world, &policy, Theft::Price, TEN_SOL, least_for_ten_sol());
        world.sell_sol_ix(&policy, Some(&keepers), TEN_SOL, route)
    };
    let mut lost = 0;
    for _ in 0..20 {
        let ix = cut(&mut world);
        if let Err(failed) = world.send(&[ix], &[]) {
            assert_error(Err(failed), E::SwapLossBudgetUsed);
            break;
        }
        lost = world.policy(&policy).lost_micro_usd;
    }
    assert_eq!(world.policy(&policy).counter, 3, "16.5 dollars a cut, of 60 a day");
    assert!((49 * USDC..=50 * USDC).contains(&lost), "{lost}");
    let ix = cut(&mut world);
    world.refuses(&ix, &[], E::SwapLossBudgetUsed);
    world.advance(25 * 3_600);
    let ix = cut(&mut world);
    world.send(&[ix], &[]).unwrap();
}

/// The least that ten SOL at 150 may bring: both bands 5 bps wide, 1 % of slippage.
fn least_for_ten_sol() -> u64 {
    use rampart::math::Price;
    use rampart::oracle::PriceBand;
    use rampart::risk::health::Side;
    use rampart::risk::swap::SwapTerms;
    let band = |cents: u128| {
        let at = |bps: u128| Price::from_decimal(cents * bps, -6).unwrap();
        PriceBand { lo: at(9_995), mid: at(10_000), hi: at(10_005), publish_ts: [None; 3], sources: 2 }
    };
    let (sol, usdc) = (band(15_000), band(100));
    let terms = SwapTerms::new(Side { band: &sol, decimals: 9 }, Side { band: &usdc, decimals: 6 }).unwrap();
    terms.least_amount(TEN_SOL, 100).unwrap()
}

/// A reserve whose policy trusts a thief.
fn trusting(change: fn(&mut SwapParams)) -> (World, Keepers, Thief, PolicyKeys) {
    let mut own = params(THIEF);
    change(&mut own);
    let (mut world, keepers) = World::with_keepers(5);
    let thief = world.thief();
    let policy = world.swap_policy(1, own);
    let mut with_least = plan();
    with_least.min_improvement_bps = 1;
    world.open_reserve(with_least, 1_000 * SOL, 50_000 * USDC);
    world.advance(1);
    world.set_prices(150.0, 1.0);
    let subject = world.keys.collateral_asset;
    keepers.report_all(&mut world, subject, 0);
    (world, keepers, thief, policy)
}

#[test]
fn rebalance_is_admitted_at_the_bound_and_refused_below() {
    let (mut world, keepers, thief, policy) = trusting(|_| ());
    let least = least_for_ten_sol();
    let at = |world: &World, pay| {
        let route = thief.route(world, &policy, Theft::Price, TEN_SOL, pay);
        world.sell_sol_ix(&policy, Some(&keepers), TEN_SOL, route)
    };
    let ix = at(&world, least - 1);
    world.refuses(&ix, &[], E::SwapBelowBound);
    let ix = at(&world, least);
    world.simulate(&[ix]).unwrap();
    let route = thief.route(&world, &policy, Theft::Price, TEN_SOL, 1_500 * USDC);
    let args = rampart::RebalanceArgs {
        counter: 0,
        amount: TEN_SOL,
        min_out_amount: 1_500 * USDC + 1,
        from: 0,
        to: 1,
        route: route.data,
    };
    let (payer, guard, mints) = (world.payer_address(), world.guard, (world.sol, world.usdc));
    let evidence = world.basket_evidence(Some(&keepers));
    let ix = swap::rebalance(payer, guard, &policy, mints, &evidence, args, &route.accounts);
    world.refuses(&ix, &[], E::SwapBelowMinimum);
}

#[test]
fn rebalance_that_a_route_fills_in_part_returns_the_rest() {
    let (mut world, keepers, thief, policy) = trusting(|_| ());
    let route = thief.route(&world, &policy, Theft::Price, 8 * SOL, 1_200 * USDC);
    let ix = world.sell_sol_ix(&policy, Some(&keepers), TEN_SOL, route);
    world.send(&[ix], &[]).unwrap();
    let books = [992 * SOL, 51_200 * USDC];
    assert_eq!((world.reserve_books(), world.reserve_tokens().map(|t| world.balance(&t))), (books, books));
    assert_eq!(world.balance(&policy.token(&world.sol)), 0);
}

#[test]
fn rebalance_by_keepers_alone_refuses_strangers() {
    let (mut world, keepers, thief, policy) = trusting(|p| p.caller = SwapCaller::Keepers as u8);
    let route = thief.route(&world, &policy, Theft::Price, TEN_SOL, 1_500 * USDC);
    let ix = world.sell_sol_ix(&policy, Some(&keepers), TEN_SOL, route);
    world.refuses(&ix, &[], E::NotAKeeper);
    let keeper = &keepers.keys[2];
    world.send(&[with_account(&ix, 0, keeper.pubkey())], &[keeper]).unwrap();
}

#[test]
fn rebalance_fails_by_a_policy_that_is_off_or_for_something_else() {
    for (change, error) in [
        ((|p| p.switch = Switch::Disabled as u8) as fn(&mut SwapParams), E::SwapPolicyDisabled),
        (|p| p.purpose = Purpose::Liquidation as u8, E::SwapPurposeForbids),
        (|p| p.max_swap_micro_usd = 1_400 * USDC, E::SwapTooLarge),
        (
            |p| (p.max_swap_micro_usd, p.max_day_micro_usd, p.loss_day_micro_usd) = (1_400 * USDC, 1_400 * USDC, 0),
            E::SwapTooLarge,
        ),
    ] {
        let (mut world, keepers, thief, policy) = trusting(change);
        let route = thief.route(&world, &policy, Theft::Price, TEN_SOL, 1_500 * USDC);
        let ix = world.sell_sol_ix(&policy, Some(&keepers), TEN_SOL, route);
        world.refuses(&ix, &[], error);
    }
}

#[test]
fn rebalance_fails_with_any_wrong_account() {
    let (mut world, keepers, thief, policy) = trusting(|_| ());
    let route = thief.route(&world, &policy, Theft::Price, TEN_SOL, 1_500 * USDC);
    let ix = world.sell_sol_ix(&policy, Some(&keepers), TEN_SOL, route);
    let other = world.swap_policy(2, params(THIEF));
    let foreign = world.other_guard();
    let stranger = world.user(SOL, USDC);
    let [sol_token, usdc_token] = world.reserve_tokens();
    let (sol, usdc) = (world.sol.mint, world.usdc.mint);
    let cases = [
        (1, foreign.guard, E::SwapAccountsMismatch),
        (3, other.policy, E::SwapAccountsMismatch),
        (4, other.escrow, E::SwapAccountsMismatch),
        (4, stranger.address(), E::SwapAccountsMismatch),
        (5, usdc, E::SwapAccountsMismatch),
        (6, sol, E::SwapAccountsMismatch),
        (7, usdc_token, E::SwapAccountsMismatch),
        (7, stranger.sol, E::SwapAccountsMismatch),
        (8, sol_token, E::SwapAccountsMismatch),
        (8, stranger.usdc, E::SwapAccountsMismatch),
        // the route's own account of the escrow is another one, then
        (9, stranger.sol, E::SwapRouteForbidden),
        (9, other.token(&world.sol), E::SwapRouteForbidden),
        (10, stranger.usdc, E::SwapRouteForbidden),
        (11, TOKEN_SWAP, E::SwapProgramForbidden),
        (12, anchor_spl::token_2022::ID, E::SwapAccountsMismatch),
        (13, anchor_spl::token_2022::ID, E::SwapAccountsMismatch),
        // the basket's evidence: SOL's asset and oracles, USDC's, the keepers'
        (14, world.keys.loan_asset, E::ReserveAccountsMismatch),
        (15, world.usdc_feeds.pyth, E::OracleAccountMismatch),
        (17, world.keys.collateral_asset, E::ReserveAccountsMismatch),
        (20, world.guard, E::ReserveHolds),
        (21, world.keys.collateral_asset, E::ReportAccountsMismatch),
    ];
    for (index, key, error) in cases {
        world.refuses(&with_account(&ix, index, key), &[], error);
    }
    world.send(&[ix], &[]).unwrap();
}
