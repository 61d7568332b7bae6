//! Tokens that the guard holds for an integrator: out through the limiter, and no other way.

use anchor_lang::error::ErrorCode;
use anchor_spl::token_interface::spl_token_2022::instruction as token;
use rampart::constants::DAY_SECS;
use rampart::error::RampartError as E;
use rampart::events::IntegrationFlowed;
use rampart::state::{Integration, Level};
use rampart_tests::defaults::USDC;
use rampart_tests::integrations::{EXIT, HELD, Place, RISK, SUPPLY, Setup};
use rampart_tests::refusal::TokenRefusal;
use rampart_tests::refusals::{with_account, with_extra, with_read_only};
use rampart_tests::scenario::Scope;
use rampart_tests::{World, events};
use solana_sdk::signer::Signer;

const GUARD: usize = 1;
const INTEGRATION: usize = 2;
const MINT: usize = 3;
const TOKEN: usize = 4;
const DESTINATION: usize = 5;
const PROGRAM: usize = 6;
const OWNER: usize = 7;

fn setup() -> (World, Place) {
    setup_of(anchor_spl::token::ID)
}

fn setup_of(token_program: anchor_lang::prelude::Pubkey) -> (World, Place) {
    let mut world = World::with_supply(token_program);
    let place = world.register(Setup::custody_shares());
    (world, place)
}

#[test]
fn custody_transfer_moves_charges_and_tells_for_both_token_programs() {
    for program in [anchor_spl::token::ID, anchor_spl::token_2022::ID] {
        let (mut world, place) = setup_of(program);
        let landed = world.custody_transfer(&place, EXIT, 3_000 * USDC).unwrap();
        assert_eq!(world.balance(&place.destination), 3_000 * USDC);
        assert_eq!(world.balance(&place.token), HELD - 3_000 * USDC);
        let i = world.integration(&place);
        assert_eq!((i.exited_amount, i.flow.base.last_amount), (3_000 * USDC, HELD - 3_000 * USDC));
        let told: IntegrationFlowed = events::the_one_logged(&landed);
        assert_eq!((told.integration, told.kind, told.amount), (place.keys.integration, EXIT, 3_000 * USDC));
        world.custody_transfer(&place, RISK, 1_000 * USDC).unwrap();
        assert_eq!(world.integration(&place).risked_amount, 1_000 * USDC);
    }
}

#[test]
fn custody_transfer_stays_within_the_limits_of_hour_level_and_floor() {
    let (mut world, place) = setup();
    let refuses = |world: &mut World, kind, amount, expected| {
        let ix = place.transfer_ix(kind, amount);
        world.refuses(&ix, &[&place.authority], expected);
    };
    refuses(&mut world, EXIT, 10_000 * USDC + 1, E::HourlyLimitReached);
    world.custody_transfer(&place, EXIT, 10_000 * USDC).unwrap();
    world.raise(Scope::Guard, Level::Halt);
    refuses(&mut world, RISK, 1, E::LevelForbids);
    refuses(&mut world, EXIT, 1_000 * USDC + 1, E::HourlyLimitReached);
    world.custody_transfer(&place, EXIT, 1_000 * USDC).unwrap();
    world.calm(Scope::Guard);
    // the day that is over had 989,000 at its end
    world.advance(DAY_SECS);
    refuses(&mut world, EXIT, 49_450 * USDC + 1, E::HourlyLimitReached);
    world.custody_transfer(&place, EXIT, 49_450 * USDC).unwrap();
}

#[test]
fn case_045_nothing_but_the_limiter_moves_what_is_held() {
    let (mut world, place) = setup();
    let (program, own) = (place.mint.token_program, place.authority.pubkey());
    let transfer =
        token::transfer_checked(&program, &place.token, &place.mint.mint, &place.destination, &own, &[], 1, 6);
    let approve = token::approve(&program, &place.token, &own, &own, &[], 1);
    let burn = token::burn(&program, &place.token, &place.mint.mint, &own, &[], 1);
    for ix in [transfer, approve, burn] {
        let ix = ix.unwrap();
        world.callee_refuses(&ix, &[&place.authority], TokenRefusal::OwnerMismatch as u32);
    }
    let take = token::AuthorityType::AccountOwner;
    let take = token::set_authority(&program, &place.token, Some(&own), take, &own, &[]).unwrap();
    world.callee_refuses(&take, &[&place.authority], TokenRefusal::OwnerMismatch as u32);
    let close = token::close_account(&program, &place.token, &own, &own, &[]).unwrap();
    assert!(world.send(&[close], &[&place.authority]).is_err());
    assert_eq!(world.balance(&place.token), HELD);
}

#[test]
fn case_091_destination_that_the_integration_owns_is_refused() {
    let (mut world, place) = setup();
    let honest = place.transfer_ix(EXIT, 1);
    let own = world.create_token_account(place.mint, place.keys.integration, 0);
    for destination in [own, place.token] {
        let ix = with_account(&honest, DESTINATION, destination);
        world.refuses(&with_account(&ix, OWNER, place.keys.integration), &[&place.authority], E::DestinationForbidden);
        // and the owner can't be named wrongly
        world.refuses(&ix, &[&place.authority], E::IntegrationMismatch);
    }
    for destination in [world.guard, place.keys.integration, place.mint.mint, place.authority.pubkey()] {
        let ix = with_account(&honest, DESTINATION, destination);
        world.refuses(&ix, &[&place.authority], E::IntegrationMismatch);
    }
}

/// Case 91: a vault of any guard, another integration: their books know nothing of what they would receive.
#[test]
fn case_091_destination_of_another_guard_is_refused() {
    let mut world = World::with_vault();
    let payer = world.payer_address();
    world.create_token_account(world.usdc, payer, SUPPLY);
    let (place, foreign) = (world.register(Setup::custody()), world.other_guard());
    let second = world.register(Setup { index: 8, ..Setup::custody() });
    let honest = place.transfer_ix(EXIT, 1);
    let owned = [
        (world.keys.loan_token, world.keys.vault),
        (foreign.loan_token, foreign.vault),
        (second.token, second.keys.integration),
    ];
    for (destination, owner) in owned {
        let ix = with_account(&with_account(&honest, DESTINATION, destination), OWNER, owner);
        world.refuses(&ix, &[&place.authority], E::DestinationForbidden);
        let lie = with_account(&honest, DESTINATION, destination);
        world.refuses(&lie, &[&place.authority], E::IntegrationMismatch);
    }
    world.custody_transfer(&place, EXIT, 1).unwrap();
}

#[test]
fn custody_transfer_fails_for_strangers() {
    let (mut world, place) = setup();
    let stranger = world.new_key();
    world.refuses(&with_account(&place.transfer_ix(EXIT, 1), 0, stranger.pubkey()), &[&stranger], E::WrongAuthority);
    let mut unsigned = place.transfer_ix(EXIT, 1);
    unsigned.accounts[0].is_signer = false;
    world.anchor_refuses(&unsigned, &[], ErrorCode::AccountNotSigner);
}

#[test]
fn custody_transfer_fails_for_wrong_accounts() {
    let (mut world, place) = setup();
    let honest = place.transfer_ix(EXIT, 1);
    let foreign = world.strangers_guard();
    let second = world.register(Setup { index: 8, ..Setup::custody() });
    let other_mint = world.create_mint(place.mint.token_program, 6);
    let wrong = [(GUARD, foreign), (MINT, other_mint.mint), (TOKEN, second.token)];
    for (index, key) in wrong {
        world.refuses(&with_account(&honest, index, key), &[&place.authority], E::IntegrationMismatch);
    }
    let crossed = with_account(&honest, INTEGRATION, second.keys.integration);
    world.refuses(&crossed, &[&place.authority], E::WrongAuthority);
    let stranger = world.new_key().pubkey();
    let theirs = world.create_token_account(other_mint, stranger, 0);
    world.refuses(&with_account(&honest, DESTINATION, theirs), &[&place.authority], E::IntegrationMismatch);
    world.refuses(&with_extra(&honest, world.guard), &[&place.authority], E::IntegrationMismatch);
    let fake = with_account(&honest, PROGRAM, anchor_lang::system_program::ID);
    world.anchor_refuses(&fake, &[&place.authority], ErrorCode::InvalidProgramId);
    for index in [INTEGRATION, TOKEN, DESTINATION] {
        world.anchor_refuses(&with_read_only(&honest, index), &[&place.authority], ErrorCode::ConstraintMut);
    }
}

#[test]
fn custody_transfer_fails_in_another_mode_for_nothing_and_when_the_mint_changed() {
    let (mut world, place) = setup();
    world.refuses(&place.transfer_ix(EXIT, 0), &[&place.authority], E::ZeroAmount);
    world.refuses(&place.transfer_ix(4, 1), &[&place.authority], E::IntegrationModeForbids);
    world.refuses(&place.transfer_ix(0, 1), &[&place.authority], E::UnknownKind);
    let sound = world.integration(&place);
    world.store(&place.keys.integration, &Integration { extension_fingerprint: 2, ..sound });
    world.refuses(&place.transfer_ix(EXIT, 1), &[&place.authority], E::MintFingerprintChanged);
    world.store(&place.keys.integration, &Integration { switch: 1, ..sound });
    world.refuses(&place.transfer_ix(EXIT, 1), &[&place.authority], E::IntegrationDisabled);
    let reported = world.register(Setup { index: 8, ..Setup::reported_shares() });
    world.refuses(&reported.transfer_ix(EXIT, 1), &[&reported.authority], E::IntegrationModeForbids);
}

#[test]
fn custody_transfer_of_more_than_is_held_charges_nothing() {
    let mut world = World::with_supply(anchor_spl::token::ID);
    let place = world.register(Setup::custody());
    let mut account = world.svm.get_account(&place.token).unwrap();
    account.data[64..72].copy_from_slice(&(5 * USDC).to_le_bytes());
    world.svm.set_account(place.token, account).unwrap();
    let ix = place.transfer_ix(EXIT, 6 * USDC);
    world.callee_refuses(&ix, &[&place.authority], TokenRefusal::InsufficientFunds as u32);
}
