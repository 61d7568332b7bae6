//! Tightening an integration: limits fall, what was used stays used, and the floor stays.

use anchor_lang::error::ErrorCode;
use rampart::error::RampartError as E;
use rampart::events::IntegrationTightened;
use rampart::state::{FlowCaps, Integration};
use rampart::{TightenIntegrationArgs, Validity};
use rampart_client::Instruction;
use rampart_client::integration::tighten_integration;
use rampart_tests::defaults::USDC;
use rampart_tests::integrations::{EXIT, Place, Setup, caps};
use rampart_tests::refusals::{with_account, with_read_only};
use rampart_tests::{World, events};
use solana_sdk::signer::Signer;

const INTEGRATION: usize = 2;

fn setup() -> (World, Place) {
    let mut world = World::with_supply(anchor_spl::token::ID);
    let place = world.register(Setup::reported_shares());
    (world, place)
}

fn ix(world: &World, place: &Place, change: impl FnOnce(&mut FlowCaps)) -> Instruction {
    let mut caps = world.integration(place).caps;
    change(&mut caps);
    let args = TightenIntegrationArgs { exit: caps.exit, risk: caps.risk };
    tighten_integration(world.risk_admin.pubkey(), world.guard, place.keys.integration, args, world.validity())
}

#[test]
fn tighten_integration_lowers_every_limit_and_nothing_else() {
    let (mut world, place) = setup();
    let before = world.integration(&place);
    let change = |c: &mut FlowCaps| {
        c.exit.hourly_amount = 4_000 * USDC;
        c.exit.daily_amount = 16_000 * USDC;
        (c.exit.hourly_bps, c.exit.daily_bps) = (400, 800);
        c.risk = Default::default();
    };
    let tighten = ix(&world, &place, change);
    let signer = world.risk_admin.insecure_clone();
    let landed = world.send(&[tighten], &[&signer]).unwrap();
    let mut expected = before.caps;
    change(&mut expected);
    let after = world.integration(&place);
    assert_eq!(after.caps, expected);
    assert_eq!(Integration { caps: before.caps, flow: before.flow, ..after }, before);
    let told: IntegrationTightened = events::the_one(&landed);
    assert_eq!(told.integration, place.keys.integration);
}

#[test]
fn case_048_tightening_keeps_what_was_used() {
    let (mut world, place) = setup();
    world.record(&place, EXIT, 9_000 * USDC).unwrap();
    let tighten = ix(&world, &place, |c| (c.exit.hourly_amount, c.exit.daily_amount) = (10_000 * USDC, 16_000 * USDC));
    let signer = world.risk_admin.insecure_clone();
    world.send(&[tighten], &[&signer]).unwrap();
    assert_eq!(world.integration(&place).flow.exit.day.total(), 9_000 * USDC);
    world.refuses(&place.record_ix(EXIT, 1), &[&place.authority], E::HourlyLimitReached);
    // 5,000 leak within an hour under the new limit, and 4,000 stay: 1,000 are free
    world.advance(3_600);
    world.refuses(&place.record_ix(EXIT, 1_000 * USDC + 1), &[&place.authority], E::HourlyLimitReached);
    world.record(&place, EXIT, 1_000 * USDC).unwrap();
}

#[test]
fn tighten_integration_fails_when_any_limit_would_rise() {
    let (mut world, place) = setup();
    let changes: [fn(&mut FlowCaps); 8] = [
        |c| c.exit.hourly_amount += 1,
        |c| c.exit.daily_amount += 1,
        |c| c.exit.hourly_bps += 1,
        |c| c.exit.daily_bps += 1,
        |c| c.risk.hourly_amount += 1,
        |c| c.risk.daily_amount += 1,
        |c| c.risk.hourly_bps += 1,
        |c| c.risk.daily_bps += 1,
    ];
    let signer = world.risk_admin.insecure_clone();
    for change in changes {
        world.refuses(&ix(&world, &place, change), &[&signer], E::LooseningRefused);
    }
    // one that rises isn't hidden by one that falls
    let mixed = ix(&world, &place, |c| (c.exit.hourly_amount, c.exit.hourly_bps) = (4_000 * USDC, 1_001));
    world.refuses(&mixed, &[&signer], E::LooseningRefused);
    world.refuses(&ix(&world, &place, |c| c.exit.reserved[1] = 1), &[&signer], E::UnknownKind);
}

#[test]
fn case_011_tightening_never_closes_the_exits() {
    let (mut world, place) = setup();
    let signer = world.risk_admin.insecure_clone();
    let changes: [fn(&mut FlowCaps); 4] = [
        |c| c.exit = Default::default(),
        |c| c.exit.hourly_amount = 4_000 * USDC - 1,
        |c| c.exit.daily_bps = 799,
        |c| c.exit.hourly_amount = c.exit.daily_amount + 1,
    ];
    for (at, change) in changes.into_iter().enumerate() {
        let expected = if at == 3 { E::LooseningRefused } else { E::FlowCapsInvalid };
        world.refuses(&ix(&world, &place, change), &[&signer], expected);
    }
    assert_eq!(world.integration(&place).caps.floor.daily_amount, caps().floor.daily_amount);
}

#[test]
fn tighten_integration_fails_for_strangers_and_after_its_time() {
    let (mut world, place) = setup();
    let honest = ix(&world, &place, |c| c.risk = Default::default());
    let stranger = world.payer.insecure_clone();
    world.refuses(&with_account(&honest, 0, stranger.pubkey()), &[], E::WrongAuthority);
    world.refuses(&with_account(&honest, 0, place.keys.authority), &[&place.authority], E::WrongAuthority);
    let signer = world.risk_admin.insecure_clone();
    let mut unsigned = honest.clone();
    unsigned.accounts[0].is_signer = false;
    world.anchor_refuses(&unsigned, &[], ErrorCode::AccountNotSigner);
    world.advance(61);
    world.refuses(&honest, &[&signer], E::InstructionExpired);
    let caps = world.integration(&place).caps;
    let args = TightenIntegrationArgs { exit: caps.exit, risk: caps.risk };
    let stale = Validity { authority_epoch: 1, ..world.validity() };
    let stale = tighten_integration(signer.pubkey(), world.guard, place.keys.integration, args, stale);
    world.refuses(&stale, &[&signer], E::AuthorityEpochMoved);
}

#[test]
fn tighten_integration_fails_for_another_guard_kind_or_owner() {
    let (mut world, place) = setup();
    let honest = ix(&world, &place, |c| c.risk = Default::default());
    let signer = world.risk_admin.insecure_clone();
    let foreign = world.strangers_guard();
    world.refuses(&with_account(&honest, 1, foreign), &[&signer], E::IntegrationMismatch);
    for (index, other) in [(1, place.keys.integration), (INTEGRATION, world.guard)] {
        let cosplay = with_account(&honest, index, other);
        world.anchor_refuses(&cosplay, &[&signer], ErrorCode::AccountDiscriminatorMismatch);
        let stolen = world.copy_under(&honest.accounts[index].pubkey, anchor_spl::token::ID);
        world.anchor_refuses(&with_account(&honest, index, stolen), &[&signer], ErrorCode::AccountOwnedByWrongProgram);
    }
    world.anchor_refuses(&with_read_only(&honest, INTEGRATION), &[&signer], ErrorCode::ConstraintMut);
}
