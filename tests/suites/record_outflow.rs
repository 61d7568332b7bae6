//! Recording an outflow: limits by level, pinned accounts, and whose budget it is.

use anchor_lang::error::ErrorCode;
use rampart::constants::DAY_SECS;
use rampart::error::RampartError as E;
use rampart::events::IntegrationFlowed;
use rampart::state::integration::ActionKind;
use rampart::state::{Cause, Integration, Level, Reach, Switch};
use rampart_client::{Pubkey, address};
use rampart_tests::defaults::USDC;
use rampart_tests::integrations::{EXIT, HELD, Place, RISK, Setup};
use rampart_tests::refusals::{with_account, with_extra, with_read_only, without_last};
use rampart_tests::scenario::Scope;
use rampart_tests::{World, events};
use solana_sdk::signer::Signer;

const GUARD: usize = 1;
const INTEGRATION: usize = 2;

fn setup() -> (World, Place) {
    let mut world = World::with_supply(anchor_spl::token::ID);
    let place = world.register(Setup::reported());
    (world, place)
}

/// Raises the integration's own level.
fn raise(world: &mut World, place: &Place, level: Level, reach: Reach) {
    let now_ts = world.now_ts();
    let mut state = world.integration(place);
    let cause = Cause {
        source: Pubkey::new_from_array([level as u8; 32]),
        tripped_at_ts: now_ts,
        expires_at_ts: now_ts + DAY_SECS,
        dwell_until_ts: now_ts,
        level: level as u8,
        kind: 1,
        reach: reach as u8,
        reserved: [0; 5],
    };
    state.breaker.trip(cause, now_ts).unwrap();
    world.store(&place.keys.integration, &state);
}

#[track_caller]
fn refuses(world: &mut World, place: &Place, kind: u8, amount: u64, expected: E) {
    world.refuses(&place.record_ix(kind, amount), &[&place.authority], expected);
}

#[test]
fn record_outflow_charges_the_budget_of_its_kind_and_tells() {
    let (mut world, place) = setup();
    let before = world.integration(&place);
    let landed = world.record(&place, EXIT, 3_000 * USDC).unwrap();
    let told: IntegrationFlowed = events::the_one_logged(&landed);
    assert_eq!((told.integration, told.kind, told.amount), (place.keys.integration, EXIT, 3_000 * USDC));
    world.record(&place, RISK, 2_000 * USDC).unwrap();
    let after = world.integration(&place);
    assert_eq!((after.exited_amount, after.risked_amount), (3_000 * USDC, 2_000 * USDC));
    assert_eq!((after.flow.exit.day.total(), after.flow.risk.day.total()), (3_000 * USDC, 2_000 * USDC));
    assert_eq!(after.flow.floor, before.flow.floor);
    assert_eq!((after.caps, after.breaker), (before.caps, before.breaker));
}

#[test]
fn record_outflow_fails_beyond_the_hour_and_beyond_the_day() {
    let (mut world, place) = setup();
    // half a bucket's limit is there at once
    refuses(&mut world, &place, EXIT, 10_000 * USDC + 1, E::HourlyLimitReached);
    for _ in 0..8 {
        world.record(&place, EXIT, 10_000 * USDC).unwrap();
        refuses(&mut world, &place, EXIT, 1, E::HourlyLimitReached);
        world.advance(3_600);
    }
    refuses(&mut world, &place, EXIT, 1, E::DailyLimitReached);
    world.record(&place, RISK, 5_000 * USDC).unwrap();
    world.advance(DAY_SECS);
    world.record(&place, EXIT, 10_000 * USDC).unwrap();
}

#[test]
fn record_outflow_near_the_largest_number_is_refused_and_leaves_the_budget_usable() {
    let (mut world, place) = setup();
    refuses(&mut world, &place, EXIT, u64::MAX, E::HourlyLimitReached);
    world.record(&place, EXIT, 1).unwrap();
    refuses(&mut world, &place, EXIT, u64::MAX, E::HourlyLimitReached);
    world.record(&place, EXIT, 1).unwrap();
}

#[test]
fn case_037_window_edge_drain_stays_within_the_limit_of_an_integration() {
    let (mut world, place) = setup();
    let (start, mut passed) = (world.now_ts(), vec![]);
    for _ in 0..400 {
        world.advance(36);
        for amount in [10_000 * USDC, 500 * USDC, 20 * USDC] {
            if world.record(&place, EXIT, amount).is_ok() {
                passed.push((world.now_ts() - start, amount));
            }
        }
    }
    let within = |from: i64| passed.iter().filter(|(t, _)| (from..from + 3_600).contains(t)).map(|p| p.1).sum::<u64>();
    let worst = passed.iter().map(|(t, _)| within(*t)).max().unwrap();
    assert!((19_000 * USDC..=20_000 * USDC).contains(&worst), "{worst} left within an hour");
}

#[test]
fn record_outflow_scales_with_the_level_of_integration_guard_and_asset() {
    for scope in [None, Some(Scope::Guard), Some(Scope::LoanAsset)] {
        let mut world = World::with_assets();
        let owner = world.payer_address();
        world.create_token_account(world.usdc, owner, 9_000_000 * USDC);
        let place = world.register(Setup { has_asset: true, ..Setup::reported() });
        let to = |world: &mut World, level| match scope {
            Some(scope) => world.raise(scope, level),
            None => raise(world, &place, level, Reach::All),
        };
        to(&mut world, Level::Caution);
        refuses(&mut world, &place, EXIT, 5_000 * USDC + 1, E::HourlyLimitReached);
        refuses(&mut world, &place, RISK, 1_250 * USDC + 1, E::HourlyLimitReached);
        world.record(&place, RISK, 1_250 * USDC).unwrap();
        to(&mut world, Level::ReduceOnly);
        refuses(&mut world, &place, RISK, 1, E::LevelForbids);
        refuses(&mut world, &place, EXIT, 1_000 * USDC + 1, E::HourlyLimitReached);
        to(&mut world, Level::Halt);
        world.record(&place, EXIT, 1_000 * USDC).unwrap();
        assert_eq!(world.integration(&place).flow.floor.day.total(), 1_000 * USDC);
    }
}

#[test]
fn floor_is_there_when_the_exits_of_the_hour_are_used_up() {
    let (mut world, place) = setup();
    world.record(&place, EXIT, 10_000 * USDC).unwrap();
    raise(&mut world, &place, Level::Halt, Reach::All);
    world.record(&place, EXIT, 1_000 * USDC).unwrap();
    refuses(&mut world, &place, EXIT, 1, E::HourlyLimitReached);
    world.advance(3_600);
    world.record(&place, EXIT, 1_000 * USDC).unwrap();
}

#[test]
fn record_outflow_of_exits_passes_while_only_new_risk_is_restricted() {
    let (mut world, place) = setup();
    raise(&mut world, &place, Level::ReduceOnly, Reach::NewRisk);
    refuses(&mut world, &place, RISK, 1, E::LevelForbids);
    world.record(&place, EXIT, 10_000 * USDC).unwrap();
}

#[test]
fn record_outflow_fails_in_resolution_only() {
    let (mut world, place) = setup();
    raise(&mut world, &place, Level::Halt, Reach::All);
    world.record(&place, EXIT, 1).unwrap();
    let mut state = world.integration(&place);
    // an unknown level is strict, but never stricter than what a rule or guardian may reach
    state.breaker.causes[0].level = 77;
    world.store(&place.keys.integration, &state);
    refuses(&mut world, &place, RISK, 1, E::LevelForbids);
    world.record(&place, EXIT, 1).unwrap();
}

#[test]
fn limits_in_shares_are_of_the_day_that_is_over() {
    let mut world = World::with_supply(anchor_spl::token::ID);
    let place = world.register(Setup::reported_shares());
    // on the first day only the amounts count
    refuses(&mut world, &place, EXIT, 10_000 * USDC + 1, E::HourlyLimitReached);
    world.record(&place, EXIT, 1).unwrap();
    world.advance(DAY_SECS);
    // 10 % of a million an hour, half of it at once
    refuses(&mut world, &place, EXIT, 50_000 * USDC + 1, E::HourlyLimitReached);
    world.record(&place, EXIT, 50_000 * USDC - 1).unwrap();
    assert_eq!(world.integration(&place).flow.base.last_amount, HELD - 50_000 * USDC + 1);
}

#[test]
fn case_039_deposit_that_stays_for_a_moment_does_not_raise_a_limit_in_shares() {
    let mut world = World::with_supply(anchor_spl::token::ID);
    let place = world.register(Setup::reported_shares());
    world.advance(DAY_SECS - 10);
    world.mint_to(place.mint, place.token, 9 * HELD);
    world.record(&place, EXIT, 1).unwrap();
    world.advance(10);
    refuses(&mut world, &place, EXIT, 51_000 * USDC, E::HourlyLimitReached);
    world.record(&place, EXIT, 50_000 * USDC - 1).unwrap();
}

#[test]
fn case_040_limit_in_shares_is_not_rebased_by_a_withdrawal() {
    let mut world = World::with_supply(anchor_spl::token::ID);
    let place = world.register(Setup::reported_shares());
    world.advance(DAY_SECS);
    world.record(&place, EXIT, 50_000 * USDC).unwrap();
    world.advance(3_600);
    refuses(&mut world, &place, EXIT, 50_000 * USDC + 1, E::HourlyLimitReached);
    world.record(&place, EXIT, 50_000 * USDC).unwrap();
}

#[test]
fn case_070_stranger_cannot_burn_the_budget() {
    let (mut world, place) = setup();
    let stranger = world.new_key();
    let theirs = with_account(&place.record_ix(EXIT, USDC), 0, stranger.pubkey());
    world.refuses(&theirs, &[&stranger], E::WrongAuthority);
    let mut unsigned = place.record_ix(EXIT, USDC);
    unsigned.accounts[0].is_signer = false;
    world.anchor_refuses(&unsigned, &[], ErrorCode::AccountNotSigner);
}

#[test]
fn one_integration_never_touches_another() {
    let (mut world, place) = setup();
    let other = world.register(Setup { index: 8, ..Setup::reported() });
    let before: Integration = world.integration(&other);
    world.record(&place, EXIT, 10_000 * USDC).unwrap();
    raise(&mut world, &place, Level::Halt, Reach::All);
    assert_eq!(world.integration(&other), before);
    world.record(&other, EXIT, 10_000 * USDC).unwrap();
    let crossed = with_account(&place.record_ix(EXIT, 1), INTEGRATION, other.keys.integration);
    world.refuses(&crossed, &[&place.authority], E::WrongAuthority);
}

#[test]
fn record_outflow_fails_for_what_lets_nothing_out_and_for_nothing() {
    let (mut world, place) = setup();
    refuses(&mut world, &place, EXIT, 0, E::ZeroAmount);
    for kind in [ActionKind::Deposit, ActionKind::Cure] {
        refuses(&mut world, &place, kind as u8, 1, E::IntegrationModeForbids);
    }
    for kind in [0, 5, u8::MAX] {
        refuses(&mut world, &place, kind, 1, E::UnknownKind);
    }
}

#[test]
fn record_outflow_fails_for_an_integration_that_the_guard_moves_itself() {
    let mut world = World::with_supply(anchor_spl::token::ID);
    for setup in [Setup::custody(), Setup { index: 8, ..Setup::mint() }] {
        let place = world.register(setup);
        refuses(&mut world, &place, RISK, 1, E::IntegrationModeForbids);
    }
}

#[test]
fn record_outflow_fails_unless_enabled() {
    let (mut world, place) = setup();
    for switch in [0, Switch::Disabled as u8, 77] {
        let state = Integration { switch, ..world.integration(&place) };
        world.store(&place.keys.integration, &state);
        refuses(&mut world, &place, EXIT, 1, E::IntegrationDisabled);
    }
}

#[test]
fn stored_values_that_no_version_knows_are_refused() {
    let (mut world, place) = setup();
    let sound = world.integration(&place);
    world.store(&place.keys.integration, &Integration { base: 77, ..sound });
    refuses(&mut world, &place, EXIT, 1, E::UnknownStoredValue);
    world.store(&place.keys.integration, &Integration { mode: 77, ..sound });
    refuses(&mut world, &place, EXIT, 1, E::IntegrationModeForbids);
    // an unknown switch of the asset demands the asset
    world.store(&place.keys.integration, &Integration { asset_switch: 77, ..sound });
    refuses(&mut world, &place, EXIT, 1, E::IntegrationMismatch);
}

#[test]
fn record_outflow_fails_without_exactly_the_pinned_accounts() {
    let mut world = World::with_assets();
    let owner = world.payer_address();
    world.create_token_account(world.usdc, owner, 9_000_000 * USDC);
    let place = world.register(Setup { has_asset: true, ..Setup::reported_shares() });
    let honest = place.record_ix(EXIT, 1);
    let (base, asset) = (3, 4);
    let wrong = [
        without_last(&honest),
        without_last(&without_last(&honest)),
        with_extra(&honest, world.guard),
        with_account(&honest, base, place.destination),
        with_account(&honest, asset, world.keys.collateral_asset),
        with_account(&honest, asset, place.token),
        rampart_tests::refusals::with_last_two_swapped(&honest),
    ];
    for ix in wrong {
        world.refuses(&ix, &[&place.authority], E::IntegrationMismatch);
    }
    world.send(&[honest], &[&place.authority]).unwrap();
}

#[test]
fn base_that_is_no_token_account_any_more_is_refused() {
    let mut world = World::with_supply(anchor_spl::token::ID);
    let place = world.register(Setup::reported_shares());
    let sound = world.svm.get_account(&place.token).unwrap();
    let stolen = solana_sdk::account::Account { owner: anchor_lang::system_program::ID, ..sound.clone() };
    let mut other_mint = sound.clone();
    other_mint.data[0] ^= 1;
    let mut short = sound;
    short.data.truncate(164);
    for account in [stolen, other_mint, short] {
        world.svm.set_account(place.token, account).unwrap();
        refuses(&mut world, &place, EXIT, 1, E::IntegrationMismatch);
    }
}

#[test]
fn record_outflow_fails_when_an_account_is_of_another_kind_owner_or_guard() {
    let (mut world, place) = setup();
    let honest = place.record_ix(EXIT, 1);
    for (index, other) in [(GUARD, place.keys.integration), (INTEGRATION, world.guard)] {
        let cosplay = with_account(&honest, index, other);
        world.anchor_refuses(&cosplay, &[&place.authority], ErrorCode::AccountDiscriminatorMismatch);
        let stolen = world.copy_under(&honest.accounts[index].pubkey, anchor_spl::token::ID);
        let stolen = with_account(&honest, index, stolen);
        world.anchor_refuses(&stolen, &[&place.authority], ErrorCode::AccountOwnedByWrongProgram);
    }
    let foreign = world.strangers_guard();
    world.refuses(&with_account(&honest, GUARD, foreign), &[&place.authority], E::IntegrationMismatch);
    world.anchor_refuses(&with_read_only(&honest, INTEGRATION), &[&place.authority], ErrorCode::ConstraintMut);
}

#[test]
fn clock_that_goes_back_refills_nothing_and_closes_nothing() {
    let (mut world, place) = setup();
    world.record(&place, EXIT, 9_000 * USDC).unwrap();
    world.set_clock(world.now_ts() - 7_200, world.slot() + 1);
    refuses(&mut world, &place, EXIT, 1_000 * USDC + 1, E::HourlyLimitReached);
    world.record(&place, EXIT, 1_000 * USDC).unwrap();
}

#[test]
fn addresses_differ_by_guard_program_and_index() {
    let (guard, program) = (Pubkey::new_from_array([1; 32]), Pubkey::new_from_array([2; 32]));
    let all = [
        address::integration(&guard, &program, 0),
        address::integration(&guard, &program, 1),
        address::integration(&program, &guard, 0),
    ];
    assert!(all[0] != all[1] && all[0] != all[2] && all[1] != all[2]);
}
