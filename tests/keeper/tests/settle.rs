//! Housekeeping that the rules rely on.

use rampart_client::Pubkey;
use rampart_keeper::decide::Action;
use rampart_keeper::decide::settle::Housekeeping;
use rampart_keeper::intent::ActionClass;
use rampart_keeper_tests::Keeper;
use rampart_tests::World;
use rampart_tests::defaults::{SOL, USDC};
use rampart_tests::leases::USD;
use rampart_tests::rules::utilisation;

fn next(keeper: &mut Keeper, world: &World) -> Option<Housekeeping> {
    let decision = keeper.decision(world, ActionClass::Settle)?;
    let Action::Settle(what) = decision.action else { panic!("about the books") };
    Some(what)
}

fn lands(keeper: &mut Keeper, world: &mut World) {
    let decision = keeper.decision(world, ActionClass::Settle).expect("something to settle");
    let planned = keeper.plan(world, &decision).expect("a plan");
    keeper.land(world, &planned).expect("it lands");
}

fn set_amount(world: &mut World, token: Pubkey, amount: u64) {
    let mut account = world.svm.get_account(&token).unwrap();
    account.data[64..72].copy_from_slice(&amount.to_le_bytes());
    world.svm.set_account(token, account).unwrap();
}

#[test]
fn what_is_missing_is_recorded_once_and_taken_off_the_record_when_it_is_back() {
    let mut world = World::with_vault();
    world.lender(1_000 * USDC);
    let (vault, token) = (world.keys.vault, world.keys.loan_token);
    let mut keeper = Keeper::new(&mut world, &[], &[]);
    world.advance(60);
    assert_eq!(next(&mut keeper, &world), None, "all is there");
    set_amount(&mut world, token, 999 * USDC);
    world.advance(1);
    assert_eq!(next(&mut keeper, &world), None, "the vault's account may be on its way");
    let read_at = world.slot();
    while world.slot() < read_at + 16 {
        world.advance(1);
    }
    let decided = keeper.decide_on_what_it_knows(&world);
    let is_shortfall =
        |what: &Action| matches!(what, Action::Settle(Housekeeping::RecordShortfall(key)) if *key == vault);
    let decision = decided.into_iter().find(|decision| is_shortfall(&decision.action)).expect("it is short");
    let planned = keeper.plan(&world, &decision).expect("a plan");
    keeper.land(&mut world, &planned).expect("it lands");
    assert!(world.vault().loan_shortfall.is_proved());
    keeper.read(&world);
    let later = world.slot() + 40;
    while world.slot() < later {
        world.advance(1);
    }
    assert!(!keeper.decide_on_what_it_knows(&world).iter().any(|d| is_shortfall(&d.action)), "it is on record");
    set_amount(&mut world, token, 1_000 * USDC);
    keeper.read(&world);
    let later = world.slot() + 40;
    while world.slot() < later {
        world.advance(1);
    }
    let decided = keeper.decide_on_what_it_knows(&world);
    let decision = decided.into_iter().find(|decision| is_shortfall(&decision.action)).expect("it is back");
    let planned = keeper.plan(&world, &decision).expect("a plan");
    keeper.land(&mut world, &planned).expect("it lands");
    assert!(!world.vault().loan_shortfall.is_proved());
}

#[test]
fn interest_is_accrued_where_a_rule_is_measured_on_it() {
    let mut world = World::with_vault();
    world.lender(1_000_000 * USDC);
    world.borrower(100 * SOL, 10_000 * USDC);
    let mut keeper = Keeper::new(&mut world, &[], &[]);
    world.advance(3_600);
    assert_eq!(next(&mut keeper, &world), None, "no rule is measured on it");
    let rule = world.create_rule(1, world.keys.vault, utilisation());
    keeper.told.push(rule);
    assert_eq!(next(&mut keeper, &world), Some(Housekeeping::Accrue(world.keys.vault)));
    lands(&mut keeper, &mut world);
    assert_eq!(world.vault().accrued_at_ts, world.now_ts());
    world.advance(3_599);
    assert_eq!(next(&mut keeper, &world), None);
}

#[test]
fn lease_that_lies_unused_is_returned_when_leases_are_scarce() {
    let mut world = World::with_aggregate();
    world.lender(500_000 * USDC);
    world.lease(120_000 * USD).unwrap();
    let mut keeper = Keeper::new(&mut world, &[], &[]);
    assert_eq!(next(&mut keeper, &world), None, "whoever leased it has a cell to use it");
    world.advance(2 * 3_600);
    let most = world.aggregate().params.most_leased();
    let expected = (2 * 120_000 * USD >= most).then_some(Housekeeping::ReturnLease(world.keys.vault));
    let found = next(&mut keeper, &world);
    assert_eq!(found, expected, "most {most}");
    if expected.is_none() {
        let mut limit = world.aggregate();
        limit.params.limit_micro_usd = 400_000 * USD;
        let key = world.aggregate_key();
        world.store(&key, &limit);
    }
    assert_eq!(next(&mut keeper, &world), Some(Housekeeping::ReturnLease(world.keys.vault)));
    lands(&mut keeper, &mut world);
    assert_eq!(world.leased().0, 0);
    assert_eq!(next(&mut keeper, &world), None);
}
