//! Liquidations: which way, at which size, and whether what was predicted is what lands.

use rampart::error::RampartError as E;
use rampart::events::PositionLiquidated;
use rampart::state::Purpose;
use rampart_client::swap::PolicyKeys;
use rampart_keeper::decide::{Action, Decision};
use rampart_keeper::economics::{Declined, Offer, Way};
use rampart_keeper::intent::{ActionClass, Outcome};
use rampart_keeper::plan::PlanError;
use rampart_keeper::submit::raised_by;
use rampart_keeper_tests::{Keeper, estimate, failed};
use rampart_tests::defaults::{SOL, USDC};
use rampart_tests::swaps::{Market, TOKEN_SWAP, params};
use rampart_tests::{User, World, assert_error, events};
use solana_sdk::instruction::InstructionError;
use solana_sdk::signer::Signer;
use solana_sdk::transaction::TransactionError;

/// A position of 10,000 against 100 SOL at 111, where 90 % are lent, a pool at that price, and a keeper.
struct Stage {
    world: World,
    borrower: User,
    market: Market,
    policy: PolicyKeys,
    keeper: Keeper,
}

fn stage(pool_sol: u64) -> Stage {
    let mut world = World::with_vault();
    world.lender(1_000_000 * USDC);
    let borrower = world.borrower(100 * SOL, 10_000 * USDC);
    let market = world.market(pool_sol * SOL, pool_sol * 111 * USDC);
    let mut own = params(TOKEN_SWAP);
    own.purpose = Purpose::Liquidation as u8;
    let policy = world.swap_policy(1, own);
    world.set_prices(111.0, 1.0);
    let keeper = Keeper::new(&mut world, &[market], &[borrower.position]);
    Stage { world, borrower, market, policy, keeper }
}

impl Stage {
    fn decision(&mut self) -> Option<Decision> {
        self.keeper.decision(&self.world, ActionClass::Liquidate)
    }

    /// Gives the keeper the table that `rampart table create` would make.
    fn with_table(&mut self) {
        let shared = self.keeper.shared_accounts(&self.world);
        let own = [self.keeper.key.pubkey(), self.borrower.position];
        assert!(own.iter().all(|key| !shared.contains(key)), "what is one keeper's or one position's");
        self.keeper.with_table(&mut self.world, &shared);
    }

    /// Lands a decision and asserts that it brought what was predicted, to the unit.
    fn land_as_predicted(&mut self, decision: &Decision) -> PositionLiquidated {
        let planned = self.keeper.plan(&self.world, decision).expect("a plan");
        let (before, expected) = (self.keeper.holds(&self.world), estimate(decision));
        let landed = self.keeper.land(&mut self.world, &planned).expect("it lands");
        let after = self.keeper.holds(&self.world);
        assert_eq!(after.0 - before.0, expected.collateral_amount, "collateral");
        assert_eq!(after.1 + expected.paid_amount, before.1 + expected.surplus_amount, "loan");
        assert_eq!(before.2 - after.2, expected.fee_lamports, "fee");
        events::the_one(&landed)
    }
}

fn offers(decision: &Decision) -> &[Offer] {
    let Action::Position { offers, .. } = &decision.action else { panic!("about a position") };
    offers
}

#[test]
fn position_is_liquidated_through_the_pool_for_exactly_the_predicted_profit() {
    let mut s = stage(100_000);
    s.with_table();
    s.keeper.fund(&mut s.world, 0, 0);
    let decision = s.decision().expect("a liquidation");
    assert!(matches!(offers(&decision)[0].way, Way::Swap(_)) && offers(&decision).len() == 1);
    let fact = s.land_as_predicted(&decision);
    // a deep pool: all that the program allows
    assert_eq!((fact.repaid_amount, fact.liquidator), (7_500 * USDC, s.keeper.key.pubkey()));
    let profit = estimate(&decision).profit_micro_usd;
    assert!((400_000_000..600_000_000).contains(&profit), "{profit}");
    for mint in [s.world.sol, s.world.usdc] {
        assert_eq!(s.world.balance(&s.policy.token(&mint)), 0, "the escrow is empty");
    }
    s.keeper.history.started(&decision.intent, None, s.world.slot());
    let slot = s.world.slot();
    s.keeper.history.ended(&decision.intent, &Outcome::Landed { slot, compute_units: None }, slot);
    s.world.advance(1);
    s.world.set_prices(111.0, 1.0);
    assert!(s.decision().is_none(), "it is done");
}

#[test]
fn shallow_pool_takes_a_part_and_the_part_lands_as_predicted() {
    let mut s = stage(2_000);
    s.with_table();
    s.keeper.fund(&mut s.world, 0, 0);
    let decision = s.decision().expect("a liquidation");
    let chosen = offers(&decision)[0].plan.repay_amount;
    // all of it would fall through the bound of 1 %, and an eighth is the least that the program takes
    assert!((7_500 * USDC / 8..7_500 * USDC / 2).contains(&chosen), "{chosen}");
    let fact = s.land_as_predicted(&decision);
    assert_eq!(fact.repaid_amount, chosen);
}

#[test]
fn own_tokens_are_used_where_the_pool_is_dry_and_for_as_much_as_they_are() {
    let mut s = stage(100);
    s.keeper.fund(&mut s.world, 0, 3_000 * USDC);
    let decision = s.decision().expect("a liquidation");
    assert_eq!(offers(&decision).iter().map(|offer| &offer.way).collect::<Vec<_>>(), [&Way::Inventory]);
    let fact = s.land_as_predicted(&decision);
    assert!(fact.repaid_amount <= 3_000 * USDC, "{}", fact.repaid_amount);
    assert!(fact.repaid_amount >= 7_500 * USDC / 8, "{}", fact.repaid_amount);
}

#[test]
fn nothing_below_the_least_profit_is_done_but_what_must_be() {
    let mut s = stage(100_000);
    s.keeper.policy.economics.settings.min_profit_micro_usd = Some(10_000_000_000);
    assert!(s.decision().is_none(), "less than ten thousand dollars");
    let declined = s.keeper.history.take_declined();
    assert!(
        matches!(declined[..], [(_, Declined::TooLittle { profit_micro_usd, least_micro_usd: 10_000_000_000 })]
            if (1..10_000_000_000).contains(&profit_micro_usd)),
        "{declined:?}"
    );
    assert_eq!(s.keeper.history.all_declined().count(), 1);
    s.world.advance(4);
    s.world.set_prices(111.0, 1.0);
    s.keeper.policy.economics.settings.must_do = vec![s.world.keys.vault];
    let decision = s.decision().expect("it must be done");
    assert_eq!(s.keeper.history.all_declined().count(), 0);
    assert!(estimate(&decision).profit_micro_usd < 10_000_000_000);
    s.world.advance(4);
    s.world.set_prices(111.0, 1.0);
    s.keeper.policy.economics.settings.must_do.clear();
    s.keeper.policy.economics.settings.min_profit_micro_usd = Some(300_000_000);
    let decision = s.decision().expect("more than 300 dollars");
    let Way::Swap(way) = &offers(&decision)[0].way else { panic!("by a swap") };
    // what lands brings at least that, whatever happens to the pool
    assert!((290 * USDC..310 * USDC).contains(&way.min_surplus_amount), "{}", way.min_surplus_amount);
}

#[test]
fn fault_37_swap_that_fits_no_packet_gets_a_table_or_gives_way_to_own_tokens_when_it_is_planned() {
    let mut s = stage(100_000);
    let decision = s.decision().expect("a liquidation");
    let refused = s.keeper.plan(&s.world, &decision).expect_err("too large");
    assert!(matches!(refused, PlanError::TooLarge { bytes } if bytes > 1_232), "{refused:?}");
    // with own tokens beside it, the second way is planned
    let token = s.world.create_associated(s.world.usdc, s.keeper.key.pubkey());
    s.world.mint_to(s.world.usdc, token, 20_000 * USDC);
    let decision = s.decision().expect("a liquidation");
    let ways: Vec<bool> = offers(&decision).iter().map(|offer| offer.way == Way::Inventory).collect();
    assert_eq!(ways, [false, true]);
    let planned = s.keeper.plan(&s.world, &decision).expect("own tokens fit");
    assert!(planned.tables.is_empty());
    let mut copy = s.world.replica();
    s.keeper.land(&mut copy, &planned).expect("it lands");
    let left = copy.balance(&token);
    assert!(left < 20_000 * USDC, "it was paid for with own tokens: {left}");
    // and with a table the first
    s.with_table();
    let decision = s.decision().expect("a liquidation");
    let planned = s.keeper.plan(&s.world, &decision).expect("it fits with a table");
    assert_eq!(planned.tables.len(), 1);
    s.keeper.land(&mut s.world, &planned).expect("it lands");
    assert!(s.world.balance(&token) > 20_000 * USDC, "the surplus");
}

#[test]
fn fault_30_two_keepers_fire_together_and_the_second_pays_one_fee() {
    let mut s = stage(100_000);
    s.with_table();
    s.keeper.fund(&mut s.world, 0, 0);
    let mut second = Keeper::new(&mut s.world, &[s.market], &[s.borrower.position]);
    second.tables.clone_from(&s.keeper.tables);
    second.fund(&mut s.world, 0, 0);
    let first = s.decision().expect("a liquidation");
    let rival = second.decision(&s.world, ActionClass::Liquidate).expect("the same liquidation");
    assert_eq!(first.id(), rival.id(), "one intent, whoever means it");
    let plan = second.plan(&s.world, &rival).expect("a plan");
    s.land_as_predicted(&first);
    let before = second.holds(&s.world);
    let refused = second.land(&mut s.world, &plan);
    let logs = refused.as_ref().err().map(|failed| failed.meta.logs.clone()).unwrap_or_default();
    assert_eq!(raised_by(&logs, E::LiquidationSeqMoved.into()), Some(rampart::ID), "no fault of the pool's");
    assert_error(refused, E::LiquidationSeqMoved);
    let after = second.holds(&s.world);
    assert_eq!((after.0, after.1, before.2 - after.2), (before.0, before.1, estimate(&rival).fee_lamports));
}

#[test]
fn fault_31_pool_that_moved_fails_the_swap_and_the_next_decision_is_made_on_what_is_there() {
    let mut s = stage(100_000);
    s.with_table();
    s.keeper.fund(&mut s.world, 0, 0);
    let decision = s.decision().expect("a liquidation");
    let planned = s.keeper.plan(&s.world, &decision).expect("a plan");
    // somebody drains the pool of a tenth of its USDC between the plan and the block
    let (pool_usdc, drained) = (s.market.usdc, 9_000_000 * USDC);
    let mut account = s.world.svm.get_account(&pool_usdc).unwrap();
    account.data[64..72].copy_from_slice(&drained.to_le_bytes());
    s.world.svm.set_account(pool_usdc, account).unwrap();
    let vault = s.world.svm.get_account(&s.world.keys.vault);
    s.keeper.history.started(&decision.intent, None, s.world.slot());
    let refused = s.keeper.land(&mut s.world, &planned).expect_err("the pool pays less");
    assert!(s.world.svm.get_account(&s.world.keys.vault) == vault, "nothing changed");
    let TransactionError::InstructionError(_, InstructionError::Custom(code)) = refused.err else {
        panic!("{:?}", refused.err)
    };
    assert_eq!(raised_by(&refused.meta.logs, code), Some(TOKEN_SWAP), "the pool's refusal, within our instruction");
    s.keeper.history.ended(&decision.intent, &failed(&refused.err, s.world.slot()), s.world.slot());
    assert!(s.decision().is_none(), "not blindly again");
    // by then the pool is below the bound, so no swap is sent that would fail
    s.world.advance(20);
    s.world.set_prices(111.0, 1.0);
    assert!(s.decision().is_none(), "the pool is a fifth below the bound");
    s.world.advance(5);
    s.world.set_prices(111.0, 1.0);
    let mut account = s.world.svm.get_account(&pool_usdc).unwrap();
    account.data[64..72].copy_from_slice(&(11_100_000 * USDC).to_le_bytes());
    s.world.svm.set_account(pool_usdc, account).unwrap();
    let decision = s.decision().expect("the pool is back");
    s.land_as_predicted(&decision);
}

#[test]
fn doomed_swap_is_not_sent_where_the_policy_or_the_bound_refuses_it() {
    type Edit = fn(&mut rampart::state::SwapPolicy);
    let edits: [Edit; 5] = [
        |p| p.params.purpose = Purpose::Rebalance as u8,
        |p| p.params.max_swap_micro_usd = 900 * USDC,
        |p| p.params.max_day_micro_usd = 900 * USDC,
        |p| p.params.switch = 1,
        |p| p.params.max_slippage_bps = 0,
    ];
    for edit in edits {
        let mut s = stage(100_000);
        let mut policy = s.world.policy(&s.policy);
        edit(&mut policy);
        s.world.store(&s.policy.policy, &policy);
        assert!(s.decision().is_none());
    }
    let mut s = stage(100_000);
    s.world.advance(31);
    assert!(s.decision().is_none(), "the policy takes no price of that age");
}
