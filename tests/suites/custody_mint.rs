//! Mints that the guard holds for an integrator: new supply only through the limiter.

use anchor_lang::error::ErrorCode;
use anchor_spl::token_interface::spl_token_2022::instruction as token;
use rampart::constants::DAY_SECS;
use rampart::error::RampartError as E;
use rampart::events::IntegrationFlowed;
use rampart::state::integration::LimitBase;
use rampart::state::{FlowCap, FlowCaps, Integration, Level};
use rampart_tests::defaults::USDC;
use rampart_tests::integrations::{Place, RISK, SUPPLY, Setup, mint_caps};
use rampart_tests::refusal::TokenRefusal;
use rampart_tests::refusals::{with_account, with_extra, with_read_only};
use rampart_tests::scenario::Scope;
use rampart_tests::{World, events};
use solana_sdk::signer::Signer;

const INTEGRATION: usize = 2;
const MINT: usize = 3;
const DESTINATION: usize = 4;

fn setup() -> (World, Place) {
    let mut world = World::with_supply(anchor_spl::token::ID);
    let place = world.register(Setup::mint());
    (world, place)
}

fn supply(world: &World, place: &Place) -> u64 {
    let data = world.svm.get_account(&place.mint.mint).unwrap().data;
    u64::from_le_bytes(data[36..44].try_into().unwrap())
}

#[test]
fn custody_mint_mints_charges_and_tells_for_both_token_programs() {
    for program in [anchor_spl::token::ID, anchor_spl::token_2022::ID] {
        let mut world = World::with_supply(program);
        let place = world.register(Setup::mint());
        let landed = world.custody_mint(&place, 5_000 * USDC).unwrap();
        assert_eq!(world.balance(&place.destination), 5_000 * USDC);
        assert_eq!(supply(&world, &place), SUPPLY + 5_000 * USDC);
        let i = world.integration(&place);
        assert_eq!((i.exited_amount, i.risked_amount), (0, 5_000 * USDC));
        let told: IntegrationFlowed = events::the_one_logged(&landed);
        assert_eq!((told.integration, told.kind, told.amount), (place.keys.integration, RISK, 5_000 * USDC));
    }
}

#[test]
fn case_088_supply_cannot_jump_beyond_the_limit_of_the_mint() {
    let (mut world, place) = setup();
    // 80 million at once, against a supply of 10
    world.refuses(&place.mint_ix(80_000_000 * USDC), &[&place.authority], E::HourlyLimitReached);
    world.refuses(&place.mint_ix(5_000 * USDC + 1), &[&place.authority], E::HourlyLimitReached);
    let mut minted = 0;
    for _ in 0..48 {
        for amount in [5_000 * USDC, 100 * USDC] {
            minted += if world.custody_mint(&place, amount).is_ok() { amount } else { 0 };
        }
        world.advance(1_800);
    }
    assert!(minted <= 40_000 * USDC, "{minted} in a day");
    assert!(minted > 39_000 * USDC, "{minted} in a day");
}

#[test]
fn custody_mint_by_shares_is_of_the_supply_of_the_day_that_is_over() {
    let mut world = World::with_supply(anchor_spl::token::ID);
    let risk = FlowCap { hourly_bps: 100, daily_bps: 200, ..mint_caps().risk };
    let caps = FlowCaps { risk, ..FlowCaps::default() };
    let place = world.register(Setup { base: LimitBase::Supply, caps, ..Setup::mint() });
    world.refuses(&place.mint_ix(5_000 * USDC + 1), &[&place.authority], E::HourlyLimitReached);
    world.advance(DAY_SECS);
    world.refuses(&place.mint_ix(50_000 * USDC + 1), &[&place.authority], E::HourlyLimitReached);
    world.custody_mint(&place, 50_000 * USDC).unwrap();
    assert_eq!(world.integration(&place).flow.base.last_amount, SUPPLY + 50_000 * USDC);
}

#[test]
fn custody_mint_is_new_risk() {
    let (mut world, place) = setup();
    world.raise(Scope::Guard, Level::Caution);
    world.refuses(&place.mint_ix(1_250 * USDC + 1), &[&place.authority], E::HourlyLimitReached);
    world.custody_mint(&place, 1_250 * USDC).unwrap();
    world.raise(Scope::Guard, Level::ReduceOnly);
    world.refuses(&place.mint_ix(1), &[&place.authority], E::LevelForbids);
}

#[test]
fn nobody_mints_past_the_guard() {
    let (mut world, place) = setup();
    let (own, program) = (place.authority.pubkey(), place.mint.token_program);
    let mint = token::mint_to(&program, &place.mint.mint, &place.destination, &own, &[], 1).unwrap();
    world.callee_refuses(&mint, &[&place.authority], TokenRefusal::OwnerMismatch as u32);
    let take = token::AuthorityType::MintTokens;
    let take = token::set_authority(&program, &place.mint.mint, Some(&own), take, &own, &[]).unwrap();
    world.callee_refuses(&take, &[&place.authority], TokenRefusal::OwnerMismatch as u32);
}

#[test]
fn custody_mint_fails_for_strangers_and_wrong_accounts() {
    let mut world = World::with_supply(anchor_spl::token::ID);
    let reported = world.register(Setup { index: 8, ..Setup::reported() });
    let place = world.register(Setup::mint());
    let (honest, stranger) = (place.mint_ix(1), world.new_key());
    world.refuses(&with_account(&honest, 0, stranger.pubkey()), &[&stranger], E::WrongAuthority);
    let mut unsigned = honest.clone();
    unsigned.accounts[0].is_signer = false;
    world.anchor_refuses(&unsigned, &[], ErrorCode::AccountNotSigner);
    let foreign = world.strangers_guard();
    world.refuses(&with_account(&honest, 1, foreign), &[&place.authority], E::IntegrationMismatch);
    let other = world.create_mint(place.mint.token_program, 6);
    world.refuses(&with_account(&honest, MINT, other.mint), &[&place.authority], E::IntegrationMismatch);
    world.refuses(&with_extra(&honest, world.guard), &[&place.authority], E::IntegrationMismatch);
    let theirs = world.create_token_account(other, stranger.pubkey(), 0);
    let wrong = with_account(&honest, DESTINATION, theirs);
    world.callee_refuses(&wrong, &[&place.authority], TokenRefusal::MintMismatch as u32);
    for index in [INTEGRATION, MINT, DESTINATION] {
        world.anchor_refuses(&with_read_only(&honest, index), &[&place.authority], ErrorCode::ConstraintMut);
    }
    world.refuses(&reported.mint_ix(1), &[&reported.authority], E::IntegrationModeForbids);
}

#[test]
fn custody_mint_fails_for_nothing_and_when_the_mint_changed() {
    let (mut world, place) = setup();
    world.refuses(&place.mint_ix(0), &[&place.authority], E::ZeroAmount);
    let sound = world.integration(&place);
    world.store(&place.keys.integration, &Integration { extension_fingerprint: 2, ..sound });
    world.refuses(&place.mint_ix(1), &[&place.authority], E::MintFingerprintChanged);
    world.store(&place.keys.integration, &Integration { switch: 1, ..sound });
    world.refuses(&place.mint_ix(1), &[&place.authority], E::IntegrationDisabled);
}
