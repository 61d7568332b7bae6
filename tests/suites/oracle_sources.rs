//! Oracle accounts: what one has to be to count, on every path that reads a price.

use rampart::error::RampartError;
use rampart::oracle::{PYTH_RECEIVER, PYTH_RECEIVER_COMPATIBLE, SWITCHBOARD_ON_DEMAND};
use rampart::state::Asset;
use rampart::state::oracle_set::{OracleSet, Pin};
use rampart_client::{AccountMeta, Instruction, Pubkey, address, admin, evidence};
use rampart_feeds::{VerificationLevel, pyth_price_update, switchboard_pull_feed};
use rampart_tests::refusals::{with_account, with_extra, with_last_two_swapped, without_last};
use rampart_tests::{World, defaults};
use solana_sdk::signer::Signer;

/// Value of one dollar on a Switchboard feed.
const E18: i128 = 1_000_000_000_000_000_000;
/// Places of both sources in `observe`.
const PYTH: usize = 2;
const SWITCHBOARD: usize = 3;

fn observe(world: &World) -> Instruction {
    evidence::observe(world.keys.collateral_asset, world.sol.mint, &world.sol_feeds.metas())
}

/// A world in which both sources have a newer print than the last counted.
fn fresh() -> World {
    let mut world = World::with_vault();
    world.advance(10);
    world.set_prices(150.0, 1.0);
    world
}

/// Writes a Pyth update of the collateral's feed.
fn put_pyth(world: &mut World, price: i64, confidence: u64, exponent: i32, publish_ts: i64) {
    let (feeds, level) = (world.sol_feeds, VerificationLevel::Full);
    let data = pyth_price_update(feeds.feed_id, price, confidence, exponent, publish_ts, world.slot(), level);
    world.put_account(feeds.pyth, PYTH_RECEIVER, data);
}

#[track_caller]
fn is_indeterminate(world: &mut World) {
    world.refuses(&observe(world), &[], RampartError::PriceIndeterminate);
}

#[test]
fn price_is_read_at_every_exponent_from_minus_18_to_0() {
    for (price, exponent) in [(150, 0), (15_000_000_000, -8), (1_500_000_000_000_000_000, -16)] {
        let mut world = fresh();
        let now_ts = world.now_ts();
        put_pyth(&mut world, price, 0, exponent, now_ts);
        world.send(&[observe(&world)], &[]).unwrap();
    }
}

#[test]
fn case_026_price_that_cannot_be_one_is_indeterminate() {
    let now_ts = fresh().now_ts();
    let updates = [
        (0, 1, -8),
        (-1, 1, -8),
        (i64::MIN, 1, -8),
        (15_000_000_000, 1, 1),
        (15_000_000_000, 1, -19),
        (15_000_000_000, 1, i32::MIN),
        (15_000_000_000, 1, i32::MAX),
        (i64::MAX, 1, 0),
        (1, 0, -18),
        (15_000_000_000, u64::MAX, -8),
    ];
    for (price, confidence, exponent) in updates {
        let mut world = fresh();
        put_pyth(&mut world, price, confidence, exponent, now_ts);
        is_indeterminate(&mut world);
    }
}

#[test]
fn case_022_price_from_the_future_or_without_a_time_is_indeterminate() {
    for offset in [-91, 6, i64::MAX] {
        let mut world = fresh();
        let publish_ts = world.now_ts().saturating_add(offset);
        put_pyth(&mut world, 15_000_000_000, 1, -8, publish_ts);
        is_indeterminate(&mut world);
    }
    for publish_ts in [0, -1, i64::MIN] {
        let mut world = fresh();
        put_pyth(&mut world, 15_000_000_000, 1, -8, publish_ts);
        is_indeterminate(&mut world);
    }
    let mut world = fresh();
    let publish_ts = world.now_ts() + 5;
    put_pyth(&mut world, 15_000_000_000, 1, -8, publish_ts);
    world.send(&[observe(&world)], &[]).unwrap();
}

#[test]
fn price_with_a_wide_confidence_is_indeterminate() {
    for (confidence_bps, is_usable) in [(200, true), (201, false)] {
        let mut world = fresh();
        let (feeds, now_ts) = (world.sol_feeds, world.now_ts());
        world.publish_pyth(&feeds, 150.0, confidence_bps, now_ts);
        assert_eq!(world.send(&[observe(&world)], &[]).is_ok(), is_usable);
    }
}

#[test]
fn case_021_update_that_is_verified_in_part_is_indeterminate() {
    for num_signatures in [0, 5, u8::MAX] {
        let mut world = fresh();
        let (feeds, level) = (world.sol_feeds, VerificationLevel::Partial { num_signatures });
        let data = pyth_price_update(feeds.feed_id, 15_000_000_000, 1, -8, world.now_ts(), 9, level);
        world.put_account(feeds.pyth, PYTH_RECEIVER, data);
        is_indeterminate(&mut world);
    }
}

/// A pinned account that carries another feed.
#[test]
fn case_020_update_of_another_feed_is_indeterminate() {
    let mut world = fresh();
    let data = pyth_price_update([0x33; 32], 15_000_000_000, 1, -8, world.now_ts(), 9, VerificationLevel::Full);
    world.put_account(world.sol_feeds.pyth, PYTH_RECEIVER, data);
    is_indeterminate(&mut world);
}

/// The right bytes under another owner, for both providers.
#[test]
fn case_019_account_of_another_program_is_indeterminate() {
    let programs = [anchor_spl::token::ID, rampart::ID, PYTH_RECEIVER_COMPATIBLE, SWITCHBOARD_ON_DEMAND, PYTH_RECEIVER];
    for (key, own) in
        [(World::empty().sol_feeds.pyth, PYTH_RECEIVER), (World::empty().sol_feeds.switchboard, SWITCHBOARD_ON_DEMAND)]
    {
        for owner in programs.into_iter().filter(|p| *p != own) {
            let mut world = fresh();
            let data = world.svm.get_account(&key).unwrap().data;
            world.put_account(key, owner, data);
            is_indeterminate(&mut world);
        }
    }
}

#[test]
fn account_that_is_closed_cut_or_of_another_kind_is_indeterminate() {
    let feeds = World::empty().sol_feeds;
    for (key, owner, len) in [(feeds.pyth, PYTH_RECEIVER, 134), (feeds.switchboard, SWITCHBOARD_ON_DEMAND, 3_208)] {
        for cut in [0, 7, 8, len / 2, len - 2] {
            let mut world = fresh();
            let mut data = world.svm.get_account(&key).unwrap().data;
            data.truncate(cut);
            world.put_account(key, owner, data);
            is_indeterminate(&mut world);
        }
        let mut world = fresh();
        let mut data = world.svm.get_account(&key).unwrap().data;
        data[0] ^= 1;
        world.put_account(key, owner, data);
        is_indeterminate(&mut world);
        let mut world = fresh();
        world.svm.set_account(key, Default::default()).unwrap();
        is_indeterminate(&mut world);
    }
}

#[test]
fn switchboard_feed_that_holds_no_result_is_indeterminate() {
    let feeds = |change: fn(&mut Vec<u8>)| {
        let mut world = fresh();
        let mut data = switchboard_pull_feed(150 * E18, 0, world.now_ts(), world.slot());
        change(&mut data);
        world.put_account(world.sol_feeds.switchboard, SWITCHBOARD_ON_DEMAND, data);
        world
    };
    world_lands(feeds(|_| {}));
    is_indeterminate(&mut feeds(|d| d[2_368..2_376].fill(0)));
    is_indeterminate(&mut feeds(|d| d[2_360] = 0));
    is_indeterminate(&mut feeds(|d| d[2_215] = 2));
    is_indeterminate(&mut feeds(|d| d[2_361] = 32));
    is_indeterminate(&mut feeds(|d| d[2_280..2_296].fill(0xff)));
    is_indeterminate(&mut feeds(|d| d[2_264..2_280].fill(0xff)));
    // the time of the last update is anyone's; the one of the submission counts
    is_indeterminate(&mut feeds(|d| d[2_952..2_960].fill(0)));
    world_lands(feeds(|d| d[2_216..2_224].fill(0)));
}

#[track_caller]
fn world_lands(mut world: World) {
    world.send(&[observe(&world)], &[]).unwrap();
}

#[test]
fn sources_that_are_missing_extra_swapped_or_doubled_are_refused() {
    let mut world = fresh();
    let ix = observe(&world);
    let feeds = world.sol_feeds;
    world.refuses(&without_last(&ix), &[], RampartError::OracleAccountsMissing);
    world.refuses(&without_last(&without_last(&ix)), &[], RampartError::OracleAccountsMissing);
    world.refuses(&with_extra(&ix, feeds.pyth), &[], RampartError::OracleAccountsMissing);
    world.refuses(&with_last_two_swapped(&ix), &[], RampartError::OracleAccountMismatch);
    world.refuses(&with_account(&ix, SWITCHBOARD, feeds.pyth), &[], RampartError::OracleAccountMismatch);
    let twin = world.copy_under(&feeds.pyth, PYTH_RECEIVER);
    world.refuses(&with_account(&ix, PYTH, twin), &[], RampartError::OracleAccountMismatch);
}

/// Creates an asset for a new mint with `change` made to the sources of the collateral.
fn asset_with(world: &mut World, change: impl FnOnce(&mut OracleSet)) -> Pubkey {
    let mint = world.create_mint(anchor_spl::token::ID, 9).mint;
    let mut args = defaults::asset_args(world.sol_feeds.set());
    change(&mut args.oracle);
    let root = world.root.pubkey();
    world.send_as_root(&[admin::register_asset(root, world.guard, mint, args)]).unwrap();
    address::asset(&world.guard, &mint)
}

fn observe_with(world: &World, asset: Pubkey, oracles: [Pubkey; 2]) -> Instruction {
    let mint = world.load::<Asset>(&asset).mint;
    evidence::observe(asset, mint, &oracles.map(|key| AccountMeta::new_readonly(key, false)))
}

#[test]
fn both_pyth_receivers_are_read_where_they_are_pinned() {
    let mut world = fresh();
    let (feeds, asset) = (world.sol_feeds, asset_with(&mut world, |o| o.sources[0].program = PYTH_RECEIVER_COMPATIBLE));
    let ix = observe_with(&world, asset, [feeds.pyth, feeds.switchboard]);
    world.refuses(&ix, &[], RampartError::PriceIndeterminate);
    let data = world.svm.get_account(&feeds.pyth).unwrap().data;
    world.put_account(feeds.pyth, PYTH_RECEIVER_COMPATIBLE, data);
    world.send(&[ix], &[]).unwrap();
    assert_eq!(world.load::<Asset>(&asset).reference.samples, 1);
}

#[test]
fn source_that_is_pinned_by_feed_is_read_from_any_account_of_the_feed() {
    let mut world = fresh();
    let by_feed = |o: &mut OracleSet| (o.sources[0].pin, o.sources[0].account) = (Pin::Feed as u8, Pubkey::default());
    let (feeds, asset) = (world.sol_feeds, asset_with(&mut world, by_feed));
    let twin = world.copy_under(&feeds.pyth, PYTH_RECEIVER);
    world.send(&[observe_with(&world, asset, [twin, feeds.switchboard])], &[]).unwrap();
    assert_eq!(world.load::<Asset>(&asset).reference.samples, 1);
}

/// What it is was the caller's choice, so a wrong one is refused instead of switching the source off.
#[test]
fn source_that_is_pinned_by_feed_refuses_what_is_not_that_feed() {
    let mut world = fresh();
    let by_feed = |o: &mut OracleSet| (o.sources[0].pin, o.sources[0].account) = (Pin::Feed as u8, Pubkey::default());
    let (feeds, other, asset) = (world.sol_feeds, world.usdc_feeds, asset_with(&mut world, by_feed));
    let refuses = |world: &mut World, key, expected| {
        world.refuses(&observe_with(world, asset, [key, feeds.switchboard]), &[], expected);
    };
    let stolen = world.copy_under(&feeds.pyth, anchor_spl::token::ID);
    refuses(&mut world, stolen, RampartError::OracleOwnerMismatch);
    refuses(&mut world, Pubkey::new_from_array([7; 32]), RampartError::OracleOwnerMismatch);
    refuses(&mut world, other.pyth, RampartError::OracleFeedMismatch);
    let partial = VerificationLevel::Partial { num_signatures: 5 };
    let data = pyth_price_update(feeds.feed_id, 15_000_000_000, 1, -8, world.now_ts(), 9, partial);
    let twin = world.copy_under(&feeds.pyth, PYTH_RECEIVER);
    world.put_account(twin, PYTH_RECEIVER, data);
    refuses(&mut world, twin, RampartError::OracleDataInvalid);
    world.put_account(twin, PYTH_RECEIVER, vec![1; 134]);
    refuses(&mut world, twin, RampartError::OracleDataInvalid);
}

/// With one of two sources dead, the other one says nothing alone.
#[test]
fn case_031_one_source_is_not_two() {
    let mut world = fresh();
    world.svm.set_account(world.sol_feeds.switchboard, Default::default()).unwrap();
    is_indeterminate(&mut world);
    let before = world.vault();
    let borrower = world.user(defaults::SOL, 0);
    world.deposit_collateral(&borrower, defaults::SOL).unwrap();
    rampart_tests::assert_error(world.borrow(&borrower, 20 * defaults::USDC), RampartError::InsufficientCash);
    world.withdraw_collateral(&borrower, defaults::SOL).unwrap();
    assert_eq!(world.vault().collateral_amount, before.collateral_amount);
}
