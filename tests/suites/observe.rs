//! Observing a price: what enters the reference and the window memory, and what never does.

use anchor_lang::error::ErrorCode;
use rampart::error::RampartError;
use rampart::events::PriceObserved;
use rampart::math::{Bps, Price, U128};
use rampart::oracle::SWITCHBOARD_ON_DEMAND;
use rampart::state::Asset;
use rampart::state::asset::Reference;
use rampart::state::oracle_set::OracleSource;
use rampart_client::{Instruction, Pubkey, address, admin, evidence};
use rampart_feeds::switchboard_pull_feed;
use rampart_tests::refusals::{with_account, with_read_only};
use rampart_tests::{World, defaults, events};
use solana_sdk::signer::Signer;

fn ix(world: &World) -> Instruction {
    evidence::observe(world.keys.collateral_asset, world.sol.mint, &world.sol_feeds.metas())
}

fn price(dollars: u128) -> Price {
    Price::from_q64(dollars * defaults::DOLLAR_Q64).unwrap()
}

/// Publishes the collateral's price now and observes it.
fn observe(world: &mut World, dollars: f64) -> rampart_tests::Outcome {
    let feeds = world.sol_feeds;
    world.publish(&feeds, dollars);
    world.send(&[ix(world)], &[])
}

#[test]
fn observe_starts_a_reference_at_the_first_price() {
    let mut world = World::with_assets();
    let landed = world.send(&[ix(&world)], &[]).unwrap();
    let asset = world.sol_asset();
    let (now_ts, raw) = (world.now_ts(), asset.reference.price_q64.get());
    assert!(Price::from_q64(raw).unwrap().deviation(price(150)) <= Bps(1));
    let expected = Reference {
        price_q64: raw.into(),
        updated_at_ts: now_ts,
        samples: 1,
        last_publish_ts: [now_ts, now_ts, 0],
        last_slot: world.slot(),
    };
    assert_eq!(asset.reference, expected);
    let cell = asset.window.cells[(now_ts / 60 % 64) as usize];
    assert_eq!((cell.index, cell.samples), (now_ts / 60, 1));
    assert_eq!((cell.high_q64, cell.low_q64, cell.close_q64), (U128::new(raw), U128::new(raw), U128::new(raw)));
    let fact: PriceObserved = events::the_one_logged(&landed);
    assert_eq!((fact.asset, fact.price_q64, fact.reference_q64), (world.keys.collateral_asset, raw, raw));
}

#[test]
fn observe_moves_the_reference_half_way_in_a_half_life() {
    let mut world = World::with_vault();
    world.advance(300);
    observe(&mut world, 100.0).unwrap();
    let reference = world.sol_asset().reference_price(world.now_ts()).unwrap();
    assert!(reference.deviation(price(125)) <= Bps(2), "{reference:?}");
    assert_eq!(world.sol_asset().reference.samples, 11);
}

#[test]
fn observe_leaves_every_other_field_as_it_was() {
    let mut world = World::with_vault();
    let before = world.sol_asset();
    world.advance(60);
    observe(&mut world, 140.0).unwrap();
    let after = world.sol_asset();
    let after = Asset { reference: before.reference, window: before.window, anchors: before.anchors, ..after };
    assert_eq!(bytemuck::bytes_of(&after), bytemuck::bytes_of(&before));
}

#[test]
fn observe_records_high_low_and_close_of_a_cell() {
    let mut world = World::with_assets();
    world.set_clock(world.now_ts() / 60 * 60 + 60, world.slot() + 4);
    for dollars in [150.0, 170.0, 130.0, 140.0] {
        world.advance(2);
        observe(&mut world, dollars).unwrap();
    }
    let now_ts = world.now_ts();
    let cell = world.sol_asset().window.cells[(now_ts / 60 % 64) as usize];
    let near = |raw: U128, dollars| Price::from_q64(raw.get()).unwrap().deviation(price(dollars)) <= Bps(1);
    assert!(near(cell.high_q64, 170) && near(cell.low_q64, 130) && near(cell.close_q64, 140));
    assert_eq!(cell.samples, 4);
    let view = world.sol_asset().window.view(60, now_ts).unwrap();
    assert_eq!((view.covered_cells, view.span_cells), (1, 1));
}

#[test]
fn observe_fails_twice_in_one_slot_and_on_the_same_print() {
    let mut world = World::with_vault();
    let not_newer = RampartError::ObservationNotNewer;
    world.refuses(&ix(&world), &[], not_newer);
    // another slot, the same print
    world.advance(1);
    world.refuses(&ix(&world), &[], not_newer);
    // one of two sources is not newer
    let feeds = world.sol_feeds;
    world.publish_pyth(&feeds, 150.0, 5, world.now_ts());
    world.refuses(&ix(&world), &[], not_newer);
    world.publish_switchboard(&feeds, 150.0, 5, world.now_ts());
    world.send(&[ix(&world)], &[]).unwrap();
    // a newer print in the same slot
    world.set_clock(world.now_ts() + 1, world.slot());
    world.publish(&feeds, 150.0);
    world.refuses(&ix(&world), &[], not_newer);
}

#[test]
fn observe_fails_on_an_older_print_than_the_last_counted() {
    let mut world = World::with_vault();
    world.advance(5);
    let (feeds, older) = (world.sol_feeds, world.now_ts() - 6);
    world.publish_pyth(&feeds, 120.0, 5, older);
    world.publish_switchboard(&feeds, 120.0, 5, world.now_ts());
    world.refuses(&ix(&world), &[], RampartError::ObservationNotNewer);
}

/// A third source that publishes seldom does not hold up the two that are required, and never goes back.
#[test]
fn observe_needs_as_many_newer_sources_as_are_required() {
    let mut world = World::with_assets();
    let (feeds, slow) = (world.sol_feeds, Pubkey::new_from_array([0x77; 32]));
    let mint = world.create_mint(anchor_spl::token::ID, 9).mint;
    let mut oracle = feeds.set();
    oracle.sources[2] = OracleSource { account: slow, publisher: 3, ..oracle.sources[1] };
    oracle.count = 3;
    let args = defaults::asset_args(oracle);
    let register = admin::register_asset(world.root.pubkey(), world.guard, mint, args);
    world.send_as_root(&[register]).unwrap();
    let key = address::asset(&world.guard, &mint);
    let observe = evidence::observe(key, mint, &rampart_client::oracle_metas(&oracle));
    let publish_slow = |w: &mut World, publish_ts| {
        let data = switchboard_pull_feed(150_000_000_000_000_000_000, 0, publish_ts, w.slot());
        w.put_account(slow, SWITCHBOARD_ON_DEMAND, data);
    };
    let first_ts = world.now_ts();
    publish_slow(&mut world, first_ts);
    world.send(std::slice::from_ref(&observe), &[]).unwrap();
    world.advance(10);
    world.refuses(&observe, &[], RampartError::ObservationNotNewer);
    world.publish(&feeds, 150.0);
    world.send(std::slice::from_ref(&observe), &[]).unwrap();
    let reference = world.load::<Asset>(&key).reference;
    assert_eq!((reference.samples, reference.last_publish_ts), (2, [first_ts + 10, first_ts + 10, first_ts]));
    world.advance(10);
    world.publish(&feeds, 150.0);
    publish_slow(&mut world, first_ts - 1);
    world.refuses(&observe, &[], RampartError::ObservationNotNewer);
}

/// The number of observations decides nothing: sixty small steps come to the same as one large.
#[test]
fn observe_often_moves_the_reference_as_far_as_observing_once() {
    let (mut often, mut once) = (World::with_vault(), World::with_vault());
    for _ in 0..60 {
        often.advance(1);
        observe(&mut often, 100.0).unwrap();
    }
    once.advance(60);
    observe(&mut once, 100.0).unwrap();
    let reference = |w: &World| w.sol_asset().reference_price(w.now_ts()).unwrap();
    assert!(reference(&often).deviation(reference(&once)) <= Bps(2));
    assert_eq!(
        often.sol_asset().window.view(600, often.now_ts()).map(|v| v.high),
        once.sol_asset().window.view(600, once.now_ts()).map(|v| v.high)
    );
}

#[test]
fn observe_starts_a_reference_anew_that_is_older_than_its_limit() {
    let mut world = World::with_vault();
    world.advance(3_600);
    world.set_prices(100.0, 1.0);
    assert!(world.sol_asset().reference_price(world.now_ts()).is_ok());
    world.advance(1);
    assert_eq!(world.sol_asset().reference_price(world.now_ts()), Err(RampartError::PriceIndeterminate));
    for samples in 1..=3 {
        observe(&mut world, 100.0).unwrap();
        assert_eq!(world.sol_asset().reference.samples, samples);
        assert_eq!(world.sol_asset().reference_price(world.now_ts()).is_ok(), samples == 3);
        world.advance(1);
    }
    let reference = world.sol_asset().reference_price(world.now_ts()).unwrap();
    assert!(reference.deviation(price(100)) <= Bps(1));
}

#[test]
fn observe_fails_when_the_price_is_indeterminate() {
    let mut world = World::with_vault();
    let feeds = world.sol_feeds;
    world.advance(91);
    world.refuses(&ix(&world), &[], RampartError::PriceIndeterminate);
    world.publish_pyth(&feeds, 150.0, 5, world.now_ts());
    world.refuses(&ix(&world), &[], RampartError::PriceIndeterminate);
    world.publish_switchboard(&feeds, 151.6, 5, world.now_ts());
    world.refuses(&ix(&world), &[], RampartError::PriceDisagreement);
    world.publish_switchboard(&feeds, 150.0, 201, world.now_ts());
    world.refuses(&ix(&world), &[], RampartError::PriceIndeterminate);
    world.publish_switchboard(&feeds, 151.4, 199, world.now_ts());
    world.send(&[ix(&world)], &[]).unwrap();
}

#[test]
fn observe_fails_when_the_account_is_no_asset_of_the_program() {
    let mut world = World::with_vault();
    world.advance(1);
    world.set_prices(150.0, 1.0);
    let observe = ix(&world);
    for other in [world.keys.vault, world.guard] {
        world.anchor_refuses(&with_account(&observe, 0, other), &[], ErrorCode::AccountDiscriminatorMismatch);
    }
    let stolen = world.copy_under(&world.keys.collateral_asset.clone(), anchor_spl::token::ID);
    world.anchor_refuses(&with_account(&observe, 0, stolen), &[], ErrorCode::AccountOwnedByWrongProgram);
    world.anchor_refuses(&with_read_only(&observe, 0), &[], ErrorCode::ConstraintMut);
    // another asset's sources are not this asset's
    let crossed = with_account(&observe, 0, world.keys.loan_asset);
    world.refuses(&crossed, &[], RampartError::OracleAccountMismatch);
}
