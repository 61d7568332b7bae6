//! Standby sources: approved in advance, and let in only for a source that is proved dead.

use anchor_lang::error::ErrorCode;
use anchor_lang::solana_program::system_instruction;
use rampart::error::RampartError as E;
use rampart::events::StandbyActivated;
use rampart::oracle::{PYTH_RECEIVER, PYTH_RECEIVER_COMPATIBLE, SWITCHBOARD_ON_DEMAND};
use rampart::state::{Asset, Change, Finality, OracleSet, OracleSource, StandbySet};
use rampart::{RegisterAssetArgs, Validity};
use rampart_client::{AccountMeta, Instruction, Pubkey, VaultKeys, admin, control, evidence, oracle_metas};
use rampart_feeds::{VerificationLevel, pyth_price_update, switchboard_pull_feed};
use rampart_tests::defaults::{self, USDC};
use rampart_tests::officers::one_source;
use rampart_tests::refusals::{with_account, with_extra, with_read_only, without_last};
use rampart_tests::world::defaults_args;
use rampart_tests::{World, assert_error, events};
use solana_sdk::signature::Keypair;
use solana_sdk::signer::Signer;

/// Another Switchboard feed, of other people.
const THIRD: Pubkey = Pubkey::new_from_array([0x71; 32]);
/// The same Pyth feed, written by the other receiver.
const TWIN: Pubkey = Pubkey::new_from_array([0x72; 32]);
/// Places in the set and among the standby sources.
const PYTH: u8 = 0;
const SWITCHBOARD: u8 = 1;
const BY_THIRD: u8 = 0;
const BY_TWIN: u8 = 1;
/// Places of accounts.
const ASSET_AT: usize = 2;
const FIRST_ORACLE_AT: usize = 6;

fn third(set: &OracleSet) -> OracleSource {
    OracleSource { account: THIRD, publisher: 3, ..set.sources[usize::from(SWITCHBOARD)] }
}

fn twin(set: &OracleSet) -> OracleSource {
    OracleSource { account: TWIN, program: PYTH_RECEIVER_COMPATIBLE, ..set.sources[usize::from(PYTH)] }
}

fn standing(sources: &[OracleSource]) -> StandbySet {
    let mut set = StandbySet { count: sources.len() as u8, ..StandbySet::default() };
    set.sources[..sources.len()].copy_from_slice(sources);
    set
}

/// A vault whose collateral has `set` for sources and `standby` beside them.
fn world_of(set: impl FnOnce(OracleSet) -> OracleSet, standby: impl FnOnce(&OracleSet) -> StandbySet) -> World {
    let mut world = World::with_guard();
    let set = set(world.sol_feeds.set());
    let args = RegisterAssetArgs { standby: Some(standby(&set)), ..defaults::asset_args(set) };
    let root = world.root.pubkey();
    let ixs = [
        admin::register_asset(root, world.guard, world.sol.mint, args),
        world.register_asset_ix(world.usdc, world.usdc_feeds),
    ];
    world.send_as_root(&ixs).unwrap();
    world.keys = VaultKeys::derive(world.guard, world.sol, world.usdc);
    world.set_prices(150.0, 1.0);
    let vault = world.initialize_vault_ix(defaults_args());
    world.send_as_root(&[vault]).unwrap();
    for _ in 0..10 {
        world.advance(60);
        world.set_prices(150.0, 1.0);
        observe(&mut world);
        let loan = evidence::observe(world.keys.loan_asset, world.usdc.mint, &world.usdc_feeds.metas());
        world.send(&[loan], &[]).unwrap();
    }
    world.advance(10);
    publish_all(&mut world, 150.0);
    world
}

/// Two sources, both required, and both standby sources.
fn world() -> World {
    world_of(|set| set, |set| standing(&[third(set), twin(set)]))
}

/// One source, and one standby.
fn single() -> World {
    world_of(one_source, |set| {
        let switchboard = rampart_tests::oracles::Feeds::new(0x11).set().sources[1];
        standing(&[OracleSource { account: THIRD, publisher: 3, ..switchboard }, twin(set)])
    })
}

fn metas(world: &World) -> Vec<AccountMeta> {
    oracle_metas(&world.sol_asset().oracle)
}

fn observe(world: &mut World) {
    let ix = evidence::observe(world.keys.collateral_asset, world.sol.mint, &metas(world));
    world.send(&[ix], &[]).unwrap();
}

/// Publishes on both sources and on both standby ones.
fn publish_all(world: &mut World, dollars: f64) {
    world.set_prices(dollars, 1.0);
    publish_third(world, dollars, world.now_ts());
    publish_twin(world, dollars, world.now_ts());
}

fn publish_third(world: &mut World, dollars: f64, publish_ts: i64) {
    let value = (dollars * 1e9).round() as i128 * 1_000_000_000;
    world.put_account(THIRD, SWITCHBOARD_ON_DEMAND, switchboard_pull_feed(value, 0, publish_ts, world.slot()));
}

fn publish_twin(world: &mut World, dollars: f64, publish_ts: i64) {
    let (feed, mantissa) = (world.sol_feeds.feed_id, (dollars * 1e8).round() as i64);
    let data = pyth_price_update(feed, mantissa, 0, -8, publish_ts, world.slot(), VerificationLevel::Full);
    world.put_account(TWIN, PYTH_RECEIVER_COMPATIBLE, data);
}

/// Closes a source's account.
fn kill(world: &mut World, source: u8) {
    let key = world.sol_asset().oracle.sources[usize::from(source)].account;
    world.svm.set_account(key, Default::default()).unwrap();
}

fn ix(world: &World, places: (u8, u8)) -> Instruction {
    let asset = (world.keys.collateral_asset, &world.sol_asset());
    control::activate_standby(world.risk_admin.pubkey(), asset, places, world.validity(), &metas(world))
}

fn admin_key(world: &World) -> Keypair {
    world.risk_admin.insecure_clone()
}

fn activate(world: &mut World, places: (u8, u8)) -> rampart_tests::Outcome {
    let (ix, admin) = (ix(world, places), admin_key(world));
    world.send(&[ix], &[&admin])
}

#[track_caller]
fn refuses(world: &mut World, places: (u8, u8), expected: E) {
    let (ix, admin) = (ix(world, places), admin_key(world));
    world.refuses(&ix, &[&admin], expected);
}

#[test]
fn standby_takes_the_place_of_a_source_whose_account_is_gone() {
    let mut world = world();
    kill(&mut world, SWITCHBOARD);
    let before = world.sol_asset();
    let dead = before.oracle.sources[1].account;
    let landed = activate(&mut world, (SWITCHBOARD, BY_THIRD)).unwrap();
    let after = world.sol_asset();
    assert_eq!(
        (after.oracle.sources[1], after.standby.sources[0]),
        (before.standby.sources[0], before.oracle.sources[1])
    );
    let mut expected = before;
    (expected.oracle, expected.standby) = (after.oracle, after.standby);
    assert_eq!(bytemuck::bytes_of(&after), bytemuck::bytes_of(&expected), "nothing else is written");
    assert_eq!((after.oracle.count, after.oracle.required, after.standby.count), (2, 2, 2));
    let fact: StandbyActivated = events::the_one(&landed);
    assert_eq!((fact.asset, fact.source, fact.dead), (world.keys.collateral_asset, 1, dead));
    assert_eq!(fact.standby, THIRD);
    observe(&mut world);
    assert_eq!(world.sol_asset().reference.samples, before.reference.samples + 1);
    // the dead one is approved still: alive again it may take the place of another dead one
    world.advance(10);
    publish_all(&mut world, 150.0);
    world.svm.set_account(THIRD, Default::default()).unwrap();
    activate(&mut world, (SWITCHBOARD, BY_THIRD)).unwrap();
    assert_eq!(world.sol_asset().oracle, before.oracle);
}

#[test]
fn root_may_activate_and_a_frozen_guard_too() {
    let mut world = world();
    let mut guard = world.guard_state();
    guard.finality = Finality::Frozen as u8;
    let key = world.guard;
    world.store(&key, &guard);
    kill(&mut world, PYTH);
    let asset = (world.keys.collateral_asset, &world.sol_asset());
    let ix = control::activate_standby(world.root.pubkey(), asset, (PYTH, BY_TWIN), world.validity(), &metas(&world));
    world.send_as_root(&[ix]).unwrap();
    assert_eq!(world.sol_asset().oracle.sources[0].account, TWIN);
}

/// The reference has gone cold by then, which blocked every repair: now the source that lives is the witness.
#[test]
fn standby_replaces_a_source_that_has_been_silent_for_an_hour() {
    let mut world = world();
    let silent_since = world.now_ts();
    world.advance(3_600);
    let feeds = world.sol_feeds;
    let now_ts = world.now_ts();
    world.publish_switchboard(&feeds, 120.0, 5, now_ts);
    publish_twin(&mut world, 120.0, now_ts);
    refuses(&mut world, (PYTH, BY_TWIN), E::SourceNotDead);
    world.advance(1);
    assert_eq!(world.now_ts(), silent_since + 3_601);
    assert!(world.sol_asset().reference_price(world.now_ts()).is_err());
    activate(&mut world, (PYTH, BY_TWIN)).unwrap();
    // a price again, but no new risk until the reference is warm
    world.set_prices(120.0, 1.0);
    publish_twin(&mut world, 120.0, now_ts + 1);
    observe(&mut world);
    assert!(world.sol_asset().reference_price(world.now_ts()).is_err());
}

#[test]
fn living_source_is_never_replaced() {
    type Harm = fn(&mut World);
    let harms: [Harm; 6] = [
        |_| {},
        |w| w.publish_pyth(&w.sol_feeds.clone(), 150.0, 5, w.now_ts() - 3_600),
        |w| w.publish_pyth(&w.sol_feeds.clone(), 190.0, 5, w.now_ts()),
        |w| w.publish_pyth(&w.sol_feeds.clone(), 150.0, 9_000, w.now_ts()),
        |w| w.publish_pyth(&w.sol_feeds.clone(), 150.0, 5, w.now_ts() + 60),
        |w| {
            let level = VerificationLevel::Partial { num_signatures: 5 };
            let data = pyth_price_update(w.sol_feeds.feed_id, 1, 0, -8, w.now_ts(), 9, level);
            w.put_account(w.sol_feeds.pyth, PYTH_RECEIVER, data);
        },
    ];
    for harm in harms {
        let mut world = world();
        harm(&mut world);
        refuses(&mut world, (PYTH, BY_TWIN), E::SourceNotDead);
    }
}

#[test]
fn source_is_dead_once_its_account_is_anothers_or_carries_another_feed() {
    type Harm = fn(&mut World);
    let harms: [Harm; 3] = [
        |w| {
            let data = w.svm.get_account(&w.sol_feeds.pyth).unwrap().data;
            w.put_account(w.sol_feeds.pyth, anchor_spl::token::ID, data);
        },
        |w| w.put_account(w.sol_feeds.pyth, PYTH_RECEIVER, vec![1; 134]),
        |w| {
            let data = pyth_price_update([9; 32], 1, 0, -8, w.now_ts(), 9, VerificationLevel::Full);
            w.put_account(w.sol_feeds.pyth, PYTH_RECEIVER, data);
        },
    ];
    for harm in harms {
        let mut world = world();
        harm(&mut world);
        activate(&mut world, (PYTH, BY_TWIN)).unwrap();
    }
}

#[test]
fn activation_fails_without_the_right_signer_epoch_time_and_fence() {
    let mut world = world();
    kill(&mut world, SWITCHBOARD);
    let (sound, admin) = (ix(&world, (SWITCHBOARD, BY_THIRD)), admin_key(&world));
    let stranger = world.new_key();
    world.svm.airdrop(&stranger.pubkey(), 1_000_000_000).unwrap();
    world.refuses(&with_account(&sound, 0, stranger.pubkey()), &[&stranger], E::WrongAuthority);
    let mut unsigned = sound.clone();
    unsigned.accounts[0].is_signer = false;
    world.anchor_refuses(&unsigned, &[], ErrorCode::AccountNotSigner);
    let read_only = with_read_only(&sound, ASSET_AT);
    world.anchor_refuses(&read_only, &[&admin], ErrorCode::ConstraintMut);
    let asset = (world.keys.collateral_asset, &world.sol_asset());
    let valid =
        |validity| control::activate_standby(admin.pubkey(), asset, (SWITCHBOARD, BY_THIRD), validity, &metas(&world));
    let other_epoch = valid(Validity { authority_epoch: 1, ..world.validity() });
    let expired = valid(Validity { expires_at_ts: world.now_ts() - 1, ..world.validity() });
    let mut other_set = world.sol_asset();
    other_set.oracle.max_disagree_bps += 1;
    let stale = (world.keys.collateral_asset, &other_set);
    let stale =
        control::activate_standby(admin.pubkey(), stale, (SWITCHBOARD, BY_THIRD), world.validity(), &metas(&world));
    world.refuses(&other_epoch, &[&admin], E::AuthorityEpochMoved);
    world.refuses(&expired, &[&admin], E::InstructionExpired);
    world.refuses(&stale, &[&admin], E::ChangeValueMoved);
    world.send(std::slice::from_ref(&sound), &[&admin]).unwrap();
    // the same act a second time
    world.refuses(&sound, &[&admin], E::ChangeValueMoved);
}

#[test]
fn case_001_activation_on_a_durable_nonce() {
    let mut world = world();
    kill(&mut world, SWITCHBOARD);
    let (admin, nonce) = (admin_key(&world), world.new_key());
    let rent = world.svm.minimum_balance_for_rent_exemption(80);
    let create =
        system_instruction::create_nonce_account(&world.payer_address(), &nonce.pubkey(), &admin.pubkey(), rent);
    world.send(&create, &[&nonce]).unwrap();
    let advance = system_instruction::advance_nonce_account(&nonce.pubkey(), &admin.pubkey());
    let sound = ix(&world, (SWITCHBOARD, BY_THIRD));
    let outcome = world.send(&[advance, sound], &[&admin]);
    assert_error(outcome, E::DurableNonceRefused);
    assert_ne!(world.sol_asset().oracle.sources[1].account, THIRD);
}

#[test]
fn activation_fails_with_other_accounts_than_the_pinned_ones() {
    let mut world = world();
    kill(&mut world, SWITCHBOARD);
    let (sound, admin) = (ix(&world, (SWITCHBOARD, BY_THIRD)), admin_key(&world));
    let empty = Pubkey::new_from_array([0x55; 32]);
    for at in FIRST_ORACLE_AT..FIRST_ORACLE_AT + 3 {
        world.refuses(&with_account(&sound, at, empty), &[&admin], E::OracleAccountMismatch);
    }
    // an account that is dead anyway isn't the source's
    world.refuses(&with_account(&sound, FIRST_ORACLE_AT + 2, TWIN), &[&admin], E::OracleAccountMismatch);
    world.refuses(&without_last(&sound), &[&admin], E::OracleAccountsMissing);
    world.refuses(&with_extra(&sound, THIRD), &[&admin], E::OracleAccountsMissing);
    let loan = with_account(&sound, ASSET_AT, world.keys.loan_asset);
    world.refuses(&loan, &[&admin], E::ChangeValueMoved);
    world.anchor_refuses(&with_account(&sound, ASSET_AT, THIRD), &[&admin], ErrorCode::AccountOwnedByWrongProgram);
    let vault = with_account(&sound, ASSET_AT, world.keys.vault);
    world.anchor_refuses(&vault, &[&admin], ErrorCode::AccountDiscriminatorMismatch);
    let foreign = world.other_guard();
    let foreign = with_account(&sound, ASSET_AT, foreign.collateral_asset);
    world.refuses(&foreign, &[&admin], E::ChangeTargetMismatch);
    world.anchor_refuses(&with_account(&sound, 3, THIRD), &[&admin], ErrorCode::ConstraintAddress);
}

/// Nobody installs what governance hasn't approved.
#[test]
fn activation_fails_for_a_place_that_nothing_stands_at() {
    let mut world = world_of(|set| set, |set| standing(&[third(set)]));
    kill(&mut world, SWITCHBOARD);
    let (admin, sound) = (admin_key(&world), ix(&world, (SWITCHBOARD, BY_THIRD)));
    for places in [(SWITCHBOARD, 1), (SWITCHBOARD, 2), (SWITCHBOARD, u8::MAX), (2, 0), (u8::MAX, 0)] {
        let mut ix = ix(&world, places);
        ix.accounts.last_mut().unwrap().pubkey = THIRD;
        world.refuses(&ix, &[&admin], E::StandbyInvalid);
    }
    world.send(&[sound], &[&admin]).unwrap();
    let mut bare = World::with_vault();
    kill(&mut bare, SWITCHBOARD);
    let none = control::activate_standby(
        admin.pubkey(),
        (bare.keys.collateral_asset, &bare.sol_asset()),
        (SWITCHBOARD, 0),
        bare.validity(),
        &bare.sol_feeds.metas(),
    );
    bare.refuses(&none, &[&admin], E::StandbyInvalid);
}

/// Case 32: the twin of the Pyth source doesn't stand beside it, whatever its tag.
#[test]
fn case_032_standby_of_the_publisher_that_stays_is_refused() {
    let mut world = world();
    kill(&mut world, SWITCHBOARD);
    refuses(&mut world, (SWITCHBOARD, BY_TWIN), E::OracleSetInvalid);
    let mut tagged = world_of(|set| set, |set| standing(&[OracleSource { publisher: 9, ..twin(set) }, third(set)]));
    kill(&mut tagged, SWITCHBOARD);
    refuses(&mut tagged, (SWITCHBOARD, 0), E::OracleSetInvalid);
}

#[test]
fn activation_fails_while_the_standby_itself_says_nothing_sound() {
    let mut world = world();
    kill(&mut world, SWITCHBOARD);
    let now_ts = world.now_ts();
    publish_third(&mut world, 150.0, now_ts - 91);
    refuses(&mut world, (SWITCHBOARD, BY_THIRD), E::PriceIndeterminate);
    world.svm.set_account(THIRD, Default::default()).unwrap();
    refuses(&mut world, (SWITCHBOARD, BY_THIRD), E::PriceIndeterminate);
    let value = 150_000_000_000_000_000_000;
    let wide = switchboard_pull_feed(value, value / 10, now_ts, world.slot());
    world.put_account(THIRD, SWITCHBOARD_ON_DEMAND, wide);
    refuses(&mut world, (SWITCHBOARD, BY_THIRD), E::PriceIndeterminate);
}

#[test]
fn activation_fails_when_the_standby_disagrees_with_the_source_that_lives() {
    let mut world = world();
    kill(&mut world, SWITCHBOARD);
    let now_ts = world.now_ts();
    publish_third(&mut world, 152.0, now_ts);
    refuses(&mut world, (SWITCHBOARD, BY_THIRD), E::PriceDisagreement);
}

/// One source alone: the warm reference bounds it, then the slow anchors do.
#[test]
fn lonely_standby_is_held_against_the_reference_and_then_against_the_anchors() {
    let mut world = single();
    kill(&mut world, PYTH);
    let now_ts = world.now_ts();
    publish_third(&mut world, 190.0, now_ts);
    refuses(&mut world, (PYTH, BY_THIRD), E::EffectTooLarge);
    publish_third(&mut world, 110.0, now_ts);
    refuses(&mut world, (PYTH, BY_THIRD), E::EffectTooLarge);
    let mut near = single();
    kill(&mut near, PYTH);
    let now_ts = near.now_ts();
    publish_third(&mut near, 120.0, now_ts);
    activate(&mut near, (PYTH, BY_THIRD)).unwrap();
    // beyond the reference's age: what the day's anchor says
    let mut warm = single();
    let mut asset = warm.sol_asset();
    asset.anchors[1].weighed_secs = 86_400;
    let key = warm.keys.collateral_asset;
    warm.store(&key, &asset);
    kill(&mut warm, PYTH);
    warm.advance(20_000);
    let now_ts = warm.now_ts();
    publish_third(&mut warm, 190.0, now_ts);
    refuses(&mut warm, (PYTH, BY_THIRD), E::EffectTooLarge);
    publish_third(&mut warm, 140.0, now_ts);
    activate(&mut warm, (PYTH, BY_THIRD)).unwrap();
}

/// Nothing at all to compare with: not at once. By a change that waits, since every present source is proved dead.
#[test]
fn asset_of_one_dead_source_with_a_cold_reference_is_repaired_by_a_change_that_waits() {
    let mut world = single();
    kill(&mut world, PYTH);
    world.advance(100_000);
    let now_ts = world.now_ts();
    publish_third(&mut world, 190.0, now_ts);
    refuses(&mut world, (PYTH, BY_THIRD), E::EffectUnknown);
    let mut set = world.sol_asset().oracle;
    set.sources[0] = world.sol_asset().standby.sources[0];
    let change = world.propose(world.keys.collateral_asset, Change::AssetOracle(set));
    let dead = metas(&world);
    world.advance(172_800);
    let now_ts = world.now_ts();
    publish_third(&mut world, 190.0, now_ts);
    let evidence = [dead, oracle_metas(&set)].concat();
    // while the source only prints nonsense it isn't dead, and nothing is known
    world.publish_pyth(&world.sol_feeds.clone(), 150.0, 9_000, now_ts);
    let ix = world.execute_ix(change, &evidence);
    world.refuses(&ix, &[], E::EffectUnknown);
    kill(&mut world, PYTH);
    world.execute(change, &evidence).unwrap();
    assert_eq!(world.sol_asset().oracle, set);
}

/// A change that keeps a living source as witness repairs an asset whose reference is cold; one that replaces all doesn't.
#[test]
fn change_that_keeps_a_witness_repairs_an_asset_with_a_cold_reference() {
    let mut world = world();
    let kept = {
        let mut set = world.sol_asset().oracle;
        set.sources[1] = third(&set);
        set
    };
    let replaced = OracleSet { sources: [twin(&kept), kept.sources[1], kept.sources[2]], ..kept };
    let old = metas(&world);
    let change = world.propose(world.keys.collateral_asset, Change::AssetOracle(kept));
    let all = world.propose(world.keys.collateral_asset, Change::AssetOracle(replaced));
    world.advance(172_800);
    publish_all(&mut world, 90.0);
    kill(&mut world, SWITCHBOARD);
    let evidence = [old.clone(), oracle_metas(&replaced)].concat();
    let ix = world.execute_ix(all, &evidence);
    world.refuses(&ix, &[], E::EffectUnknown);
    world.execute(change, &[old, oracle_metas(&kept)].concat()).unwrap();
    assert_eq!(world.sol_asset().oracle, kept);
}

#[test]
fn both_sources_dead_are_replaced_one_after_the_other() {
    let mut world = world();
    kill(&mut world, PYTH);
    kill(&mut world, SWITCHBOARD);
    world.advance(100_000);
    let now_ts = world.now_ts();
    publish_third(&mut world, 90.0, now_ts);
    publish_twin(&mut world, 92.0, now_ts);
    activate(&mut world, (SWITCHBOARD, BY_THIRD)).unwrap();
    // still no price, so nothing moved; the second has to agree with the first
    refuses(&mut world, (PYTH, BY_TWIN), E::PriceDisagreement);
    publish_twin(&mut world, 90.1, now_ts);
    activate(&mut world, (PYTH, BY_TWIN)).unwrap();
    observe(&mut world);
}

/// Where one of two is enough the living source has a price: the newcomer agrees with it or stays out.
#[test]
fn standby_beside_a_source_that_is_enough_agrees_with_it() {
    let mut world = world_of(|set| OracleSet { required: 1, ..set }, |set| standing(&[third(set)]));
    kill(&mut world, SWITCHBOARD);
    let now_ts = world.now_ts();
    publish_third(&mut world, 160.0, now_ts);
    refuses(&mut world, (SWITCHBOARD, BY_THIRD), E::PriceDisagreement);
    publish_third(&mut world, 150.1, now_ts);
    activate(&mut world, (SWITCHBOARD, BY_THIRD)).unwrap();
}

// --- approval

fn approval(sources: &[OracleSource]) -> Change {
    Change::AssetStandby(standing(sources))
}

fn evidence_for(world: &World, accounts: &[Pubkey]) -> Vec<AccountMeta> {
    let further = accounts.iter().map(|key| AccountMeta::new_readonly(*key, false));
    metas(world).into_iter().chain(further).collect()
}

#[test]
fn standby_is_approved_by_a_change_that_waits_and_is_tried_on_the_price() {
    let mut world = World::with_vault();
    let (asset, set) = (world.keys.collateral_asset, world.sol_asset().oracle);
    let next = approval(&[third(&set), twin(&set)]);
    let key = world.propose(asset, next);
    let none = evidence_for(&world, &[THIRD, TWIN]);
    let ix = world.execute_ix(key, &none);
    world.refuses(&ix, &[], E::ChangeNotRipe);
    world.ripen();
    publish_all(&mut world, 150.0);
    let now_ts = world.now_ts();
    // another coin's feed
    publish_third(&mut world, 60_000.0, now_ts);
    let ix = world.execute_ix(key, &none);
    world.refuses(&ix, &[], E::EffectTooLarge);
    publish_third(&mut world, 150.0, now_ts);
    for accounts in [&[THIRD][..], &[], &[THIRD, TWIN, TWIN]] {
        let ix = world.execute_ix(key, &evidence_for(&world, accounts));
        world.refuses(&ix, &[], E::OracleAccountsMissing);
    }
    let swapped = world.execute_ix(key, &evidence_for(&world, &[TWIN, THIRD]));
    world.refuses(&swapped, &[], E::OracleAccountMismatch);
    world.execute(key, &none).unwrap();
    assert_eq!(Change::AssetStandby(world.sol_asset().standby), next);
    assert_eq!(world.sol_asset().oracle, set);
    kill(&mut world, SWITCHBOARD);
    activate(&mut world, (SWITCHBOARD, BY_THIRD)).unwrap();
}

#[test]
fn approval_fails_while_nothing_says_what_the_asset_is_worth() {
    let mut world = World::with_vault();
    let (asset, set) = (world.keys.collateral_asset, world.sol_asset().oracle);
    let key = world.propose(asset, approval(&[third(&set)]));
    world.advance(172_800);
    let now_ts = world.now_ts();
    publish_third(&mut world, 150.0, now_ts);
    let ix = world.execute_ix(key, &evidence_for(&world, &[THIRD]));
    world.refuses(&ix, &[], E::EffectUnknown);
}

#[test]
fn what_stands_by_already_is_taken_away_without_evidence() {
    let mut world = world();
    let set = world.sol_asset().oracle;
    let key = world.propose(world.keys.collateral_asset, approval(&[third(&set)]));
    world.ripen();
    world.execute(key, &[]).unwrap();
    assert_eq!(world.sol_asset().standby.count, 1);
}

#[test]
fn standby_sources_that_cannot_work_are_refused() {
    type Edit = fn(&mut StandbySet, &OracleSet);
    let edits: [(Edit, E); 11] = [
        (|s, _| s.count = 3, E::StandbyInvalid),
        (|s, _| s.count = 1, E::StandbyInvalid),
        (|s, _| s.reserved[6] = 1, E::UnknownKind),
        (|s, _| s.sources[1] = s.sources[0], E::StandbyInvalid),
        (|s, set| s.sources[0] = set.sources[0], E::StandbyInvalid),
        (|s, _| (s.sources[1].pin, s.sources[1].account) = (2, Pubkey::default()), E::StandbyInvalid),
        (|s, _| s.sources[0].publisher = 0, E::OracleSetInvalid),
        (|s, _| s.sources[0].program = anchor_spl::token::ID, E::OracleSetInvalid),
        (|s, _| s.sources[0].max_age_secs = 121, E::OutsideHardBounds),
        (|s, _| s.sources[0].max_confidence_bps = 501, E::OutsideHardBounds),
        (|s, _| s.sources[0].kind = 9, E::UnknownKind),
    ];
    for (edit, expected) in edits {
        let mut world = World::with_guard();
        let set = world.sol_feeds.set();
        let mut standby = standing(&[third(&set), twin(&set)]);
        edit(&mut standby, &set);
        let args = RegisterAssetArgs { standby: Some(standby), ..defaults::asset_args(set) };
        let root = world.root.insecure_clone();
        let ix = admin::register_asset(root.pubkey(), world.guard, world.sol.mint, args);
        world.refuses(&ix, &[&root], expected);
    }
}

/// Hard bounds that narrow hold for what stands by too.
#[test]
fn bounds_do_not_narrow_past_a_standby_source() {
    let mut world = world_of(|set| set, |set| standing(&[OracleSource { max_age_secs: 120, ..third(set) }]));
    let root = world.root.insecure_clone();
    let bounds = rampart::state::HardBounds { max_oracle_age_secs: 100, ..defaults::bounds() };
    let keys = world.keys;
    let all = [keys.vault, keys.collateral_asset, keys.loan_asset];
    let ix = control::narrow_bounds(root.pubkey(), world.guard, bounds, world.validity(), &all);
    world.refuses(&ix, &[&root], E::OutsideHardBounds);
}

/// Case 32 among the sources in use: whatever Pyth signs is one publisher's, and one account is one source.
#[test]
fn case_032_tags_do_not_make_two_publishers_of_one() {
    let edits: [fn(&mut OracleSet); 3] = [
        |s| s.sources[1] = OracleSource { publisher: 2, ..twin(s) },
        |s| s.sources[1] = OracleSource { publisher: 2, feed_id: [5; 32], ..twin(s) },
        |s| {
            s.sources[2] = OracleSource { publisher: 3, ..s.sources[1] };
            s.count = 3;
        },
    ];
    for edit in edits {
        let mut world = World::with_guard();
        let mut set = world.sol_feeds.set();
        edit(&mut set);
        let root = world.root.insecure_clone();
        let ix = admin::register_asset(root.pubkey(), world.guard, world.sol.mint, defaults::asset_args(set));
        world.refuses(&ix, &[&root], E::OracleSetInvalid);
    }
}

/// Lenders and borrowers go on through an activation.
#[test]
fn vault_goes_on_after_an_activation() {
    let mut world = world();
    world.lender(100_000 * USDC);
    kill(&mut world, SWITCHBOARD);
    activate(&mut world, (SWITCHBOARD, BY_THIRD)).unwrap();
    let user = world.user(100 * defaults::SOL, 0);
    world.deposit_collateral(&user, 100 * defaults::SOL).unwrap();
    let oracles = [metas(&world), world.usdc_feeds.metas()].concat();
    let ix = rampart_client::lending::borrow(&world.keys, user.address(), user.usdc, &oracles, 1_000 * USDC);
    world.send(&[ix], &[&user.key]).unwrap();
    assert_eq!(world.load::<Asset>(&world.keys.collateral_asset).standby.count, 2);
}
