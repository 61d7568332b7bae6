//! Asking the guard: verdicts, and the form that fails instead of answering.

use anchor_lang::AnchorDeserialize;
use anchor_lang::error::ErrorCode;
use rampart::GuardVerdict;
use rampart::error::RampartError as E;
use rampart::state::integration::ActionKind;
use rampart::state::{Integration, Level, Switch};
use rampart::verdict::PROGRAM_DATA;
use rampart_client::Instruction;
use rampart_client::integration::{check_action, enforce_action};
use rampart_tests::World;
use rampart_tests::defaults::USDC;
use rampart_tests::integrations::{EXIT, Place, RISK, Setup};
use rampart_tests::refusals::{with_account, with_extra, without_last};
use rampart_tests::scenario::Scope;

const DEPOSIT: u8 = ActionKind::Deposit as u8;
const CURE: u8 = ActionKind::Cure as u8;

fn setup() -> (World, Place) {
    let mut world = World::with_supply(anchor_spl::token::ID);
    let place = world.register(Setup::reported());
    (world, place)
}

/// The bytes that the program returns.
fn answer(world: &mut World, ix: Instruction) -> Vec<u8> {
    let landed = world.send(&[ix], &[]).unwrap_or_else(|e| panic!("{:?} {:?}", e.err, e.meta.logs));
    assert_eq!(landed.return_data.program_id, rampart::ID);
    landed.return_data.data
}

fn verdict(world: &mut World, place: &Place, kind: u8, amount: u64) -> GuardVerdict {
    GuardVerdict::try_from_slice(&answer(world, check_action(&place.keys, kind, amount))).unwrap()
}

/// The slot of the program's deployment.
fn deployed_at(world: &World) -> u64 {
    let data = world.svm.get_account(&PROGRAM_DATA).unwrap().data;
    u64::from_le_bytes(data[4..12].try_into().unwrap())
}

/// What is allowed at most of exits, new risk, deposits and cures.
fn most(world: &mut World, place: &Place) -> [u64; 4] {
    [EXIT, RISK, DEPOSIT, CURE].map(|kind| verdict(world, place, kind, 0).max_amount)
}

#[test]
fn verdict_names_the_question_and_the_most() {
    let (mut world, place) = setup();
    world.record(&place, EXIT, 1_000 * USDC).unwrap();
    let now_ts = world.now_ts();
    let asked = verdict(&mut world, &place, EXIT, 9_000 * USDC);
    let expected = GuardVerdict {
        abi: 1,
        kind: EXIT,
        level: Level::Normal as u8,
        is_allowed: true,
        amount: 9_000 * USDC,
        max_amount: 9_000 * USDC,
        valid_until_ts: now_ts,
        integration: place.keys.integration,
        deploy_slot: Some(deployed_at(&world)),
    };
    assert_eq!(asked, expected);
    let more = verdict(&mut world, &place, EXIT, 9_000 * USDC + 1);
    assert_eq!((more.is_allowed, more.max_amount), (false, 9_000 * USDC));
    world.record(&place, EXIT, 9_000 * USDC).unwrap();
}

#[test]
fn verdict_is_laid_out_as_documented() {
    let (mut world, place) = setup();
    let bytes = answer(&mut world, without_last(&check_action(&place.keys, RISK, 77)));
    assert_eq!((bytes.len(), bytes[60]), (61, 0));
    assert_eq!(&bytes[..4], &[1, RISK, 0, 1]);
    let u64_at = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    assert_eq!((u64_at(4), u64_at(12), u64_at(20)), (77, 5_000 * USDC, world.now_ts() as u64));
    assert_eq!(bytes[28..60], place.keys.integration.to_bytes());
    let bytes = answer(&mut world, check_action(&place.keys, RISK, 77));
    let slot = [&[1][..], &deployed_at(&world).to_le_bytes()].concat();
    assert_eq!((bytes.len(), &bytes[60..]), (69, &slot[..]));
}

#[test]
fn case_017_replaced_program_shows_in_the_verdict() {
    let (mut world, place) = setup();
    let mut account = world.svm.get_account(&PROGRAM_DATA).unwrap();
    account.data[4..12].copy_from_slice(&123_456u64.to_le_bytes());
    world.svm.set_account(PROGRAM_DATA, account).unwrap();
    assert_eq!(verdict(&mut world, &place, EXIT, 1).deploy_slot, Some(123_456));
    // any other account in its place is a wrong account
    let other = with_account(&check_action(&place.keys, EXIT, 1), 2, world.guard);
    world.refuses(&other, &[], E::IntegrationMismatch);
}

#[test]
fn verdict_follows_the_level_of_each_kind() {
    let (mut world, place) = setup();
    let all = u64::MAX;
    assert_eq!(most(&mut world, &place), [10_000 * USDC, 5_000 * USDC, all, all]);
    world.raise(Scope::Guard, Level::Caution);
    assert_eq!(most(&mut world, &place), [5_000 * USDC, 1_250 * USDC, all, all]);
    for level in [Level::ReduceOnly, Level::Halt] {
        world.raise(Scope::Guard, level);
        assert_eq!(most(&mut world, &place), [1_000 * USDC, 0, 0, all]);
        let refused = verdict(&mut world, &place, RISK, 0);
        assert_eq!((refused.is_allowed, refused.level), (false, level as u8));
    }
}

#[test]
fn enforce_action_fails_exactly_where_the_verdict_says_no() {
    let (mut world, place) = setup();
    for level in [Level::Normal, Level::Caution, Level::ReduceOnly, Level::Halt] {
        if level > Level::Normal {
            world.raise(Scope::Guard, level);
        }
        for kind in [EXIT, RISK, DEPOSIT, CURE] {
            for amount in [1, 1_000 * USDC, 1_000 * USDC + 1, 1_250 * USDC + 1, 5_000 * USDC, 10_000 * USDC + 1] {
                let says = verdict(&mut world, &place, kind, amount).is_allowed;
                let before = world.integration(&place);
                let passes = world.send(&[enforce_action(&place.keys, kind, amount)], &[]).is_ok();
                assert_eq!(passes, says, "{level:?}, kind {kind}, {amount}");
                assert_eq!(world.integration(&place), before);
            }
        }
    }
}

#[test]
fn enforce_action_says_why() {
    let (mut world, place) = setup();
    let ix = |kind, amount| enforce_action(&place.keys, kind, amount);
    world.refuses(&ix(EXIT, 10_000 * USDC + 1), &[], E::HourlyLimitReached);
    world.refuses(&ix(0, 1), &[], E::UnknownKind);
    world.refuses(&with_extra(&ix(EXIT, 1), world.guard), &[], E::IntegrationMismatch);
    world.raise(Scope::Guard, Level::Halt);
    world.refuses(&ix(RISK, 1), &[], E::LevelForbids);
    world.refuses(&ix(DEPOSIT, 1), &[], E::LevelForbids);
}

#[test]
fn disabled_integration_allows_nothing() {
    let (mut world, place) = setup();
    let state = Integration { switch: Switch::Disabled as u8, ..world.integration(&place) };
    world.store(&place.keys.integration, &state);
    assert_eq!(most(&mut world, &place), [0; 4]);
    for kind in [EXIT, RISK, DEPOSIT, CURE] {
        assert!(!verdict(&mut world, &place, kind, 0).is_allowed);
        world.refuses(&enforce_action(&place.keys, kind, 0), &[], E::IntegrationDisabled);
    }
}

#[test]
fn questions_fail_for_another_guard_kind_or_owner() {
    let (mut world, place) = setup();
    let foreign = world.strangers_guard();
    for honest in [check_action(&place.keys, EXIT, 1), enforce_action(&place.keys, EXIT, 1)] {
        world.refuses(&with_account(&honest, 0, foreign), &[], E::IntegrationMismatch);
        for (index, other) in [(0, place.keys.integration), (1, world.guard)] {
            let cosplay = with_account(&honest, index, other);
            world.anchor_refuses(&cosplay, &[], ErrorCode::AccountDiscriminatorMismatch);
            let stolen = world.copy_under(&honest.accounts[index].pubkey, anchor_spl::token::ID);
            world.anchor_refuses(&with_account(&honest, index, stolen), &[], ErrorCode::AccountOwnedByWrongProgram);
        }
    }
}

#[test]
fn questions_fail_without_the_asset_that_the_integration_pins() {
    let mut world = World::with_assets();
    let owner = world.payer_address();
    world.create_token_account(world.usdc, owner, 9_000_000 * USDC);
    let place = world.register(Setup { has_asset: true, ..Setup::reported() });
    let honest = enforce_action(&place.keys, EXIT, 1);
    world.refuses(&without_last(&honest), &[], E::IntegrationMismatch);
    world.refuses(&with_account(&honest, 2, world.keys.collateral_asset), &[], E::IntegrationMismatch);
    world.raise(Scope::LoanAsset, Level::Halt);
    assert_eq!(most(&mut world, &place)[0], 1_000 * USDC);
}
