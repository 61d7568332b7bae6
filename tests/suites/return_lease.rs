//! Giving back what a vault has leased and not used.

use anchor_lang::error::ErrorCode;
use rampart::constants::VIRTUAL_SHARES;
use rampart::error::RampartError as E;
use rampart::events::LeaseReturned;
use rampart_client::{Instruction, address, aggregate};
use rampart_tests::defaults::{self, USDC};
use rampart_tests::events::the_one_logged;
use rampart_tests::leases::USD;
use rampart_tests::refusals::{with_account, with_read_only};
use rampart_tests::{User, World};
use solana_sdk::signer::Signer;

const LIMIT: usize = 0;
const VAULT: usize = 1;

fn ix(world: &World) -> Instruction {
    aggregate::return_lease(world.guard, world.keys.vault)
}

/// A vault at the start of an hour with 100,000 dollars leased, of which a lender has used a little more than 50,000.
fn half_used() -> (World, User) {
    let mut world = World::with_aggregate();
    let lender = world.lender(500_000 * USDC);
    let next_hour = (world.now_ts() / 3_600 + 2) * 3_600;
    let pair = world.pair();
    world.pass(next_hour - world.now_ts(), &[pair]);
    world.lease(100_000 * USD).unwrap();
    world.withdraw(&lender, 50_000 * u128::from(USDC) * VIRTUAL_SHARES).unwrap();
    (world, lender)
}

const USED: u64 = 50_025 * USD;

#[test]
fn return_lease_gives_back_what_lay_unused_for_a_whole_cell_and_nothing_that_was_used() {
    let (mut world, _) = half_used();
    assert_eq!(world.leased(), (100_000 * USD, 100_000 * USD - USED - 1));
    let give_back = ix(&world);
    world.advance(7_199);
    world.refuses(&give_back, &[], E::NothingToReturn);
    world.advance(1);
    let landed = world.send(std::slice::from_ref(&give_back), &[]).unwrap();
    let fact: LeaseReturned = the_one_logged(&landed);
    assert_eq!((fact.vault, fact.amount_micro_usd), (world.keys.vault, 100_000 * USD - USED - 1));
    assert_eq!((world.leased(), world.leased_by_all()), ((USED + 1, 0), USED + 1));
    world.assert_leases(&[world.keys.vault]);
    world.refuses(&give_back, &[], E::NothingToReturn);
}

#[test]
fn return_lease_has_nothing_to_give_back_once_the_lease_is_over() {
    let (mut world, _) = half_used();
    world.advance(24 * 3_600);
    let give_back = ix(&world);
    world.refuses(&give_back, &[], E::NothingToReturn);
    assert_eq!((world.leased(), world.leased_by_all()), ((0, 0), 0));
}

#[test]
fn return_lease_fails_when_an_account_is_another() {
    let (mut world, _) = half_used();
    let other = world.other_guard();
    let theirs = aggregate::initialize_aggregate(world.root.pubkey(), other.guard, defaults::aggregate());
    world.send_as_root(&[theirs]).unwrap();
    world.advance(7_200);
    let give_back = ix(&world);
    world.refuses(&with_account(&give_back, LIMIT, address::aggregate(&other.guard)), &[], E::AggregateMismatch);
    world.refuses(&with_account(&give_back, VAULT, other.vault), &[], E::AggregateMismatch);
    for index in [LIMIT, VAULT] {
        world.anchor_refuses(
            &with_account(&give_back, index, world.guard),
            &[],
            ErrorCode::AccountDiscriminatorMismatch,
        );
        let stolen = world.copy_under(&give_back.accounts[index].pubkey, anchor_spl::token::ID);
        world.anchor_refuses(&with_account(&give_back, index, stolen), &[], ErrorCode::AccountOwnedByWrongProgram);
        world.anchor_refuses(&with_read_only(&give_back, index), &[], ErrorCode::ConstraintMut);
    }
    world.send(&[give_back], &[]).unwrap();
}
