//! Registering integrations: who may, which limits, and what must have been handed over.

use anchor_lang::error::ErrorCode;
use anchor_spl::token_interface::spl_token_2022::instruction::{self as token, AuthorityType};
use rampart::constants::LAYOUT_VERSION;
use rampart::error::RampartError as E;
use rampart::events::IntegrationRegistered;
use rampart::state::integration::{LimitBase, Mode};
use rampart::state::{Breaker, FlowCap, FlowCaps, Switch};
use rampart::{RegisterIntegrationArgs, Validity};
use rampart_client::integration::{Registration, register_integration};
use rampart_client::{Instruction, Pubkey, address};
use rampart_tests::defaults::USDC;
use rampart_tests::integrations::{EXIT, HELD, Place, SUPPLY, Setup, amounts, caps, mint_caps, shares};
use rampart_tests::refusals::with_account;
use rampart_tests::{World, events};
use solana_sdk::signer::Signer;

const MINT: usize = 3;
const TOKEN: usize = 4;
const ASSET: usize = 5;
const INTEGRATION: usize = 6;

fn world() -> World {
    World::with_supply(anchor_spl::token::ID)
}

#[track_caller]
fn refuses(world: &mut World, setup: Setup, expected: E) {
    let place = world.place(setup);
    let ix = world.register_ix(&place, setup);
    let root = world.root.insecure_clone();
    world.refuses(&ix, &[&root], expected);
}

#[track_caller]
fn refuses_caps(world: &mut World, setup: Setup, change: impl FnOnce(&mut FlowCaps), expected: E) {
    let mut setup = setup;
    change(&mut setup.caps);
    refuses(world, setup, expected);
}

/// The instruction that registers `place` with other arguments.
fn with_args(world: &World, place: &Place, change: impl FnOnce(&mut RegisterIntegrationArgs)) -> Instruction {
    let mut args = RegisterIntegrationArgs {
        authority: place.keys.authority,
        caps: caps(),
        mode: Mode::Reported as u8,
        base: LimitBase::Absolute as u8,
    };
    change(&mut args);
    let it = Registration {
        guard: world.guard,
        integrator: anchor_lang::system_program::ID,
        index: 7,
        mint: place.mint.mint,
        token: None,
        asset: None,
    };
    register_integration(world.root.pubkey(), it, args, world.validity())
}

#[test]
fn register_integration_stores_everything_and_tells() {
    let mut world = world();
    let setup = Setup::custody_shares();
    let place = world.place(setup);
    let ix = world.register_ix(&place, setup);
    let landed = world.send_as_root(&[ix]).unwrap();
    let i = world.integration(&place);
    let system = anchor_lang::system_program::ID;
    assert_eq!((i.guard, i.program, i.authority), (world.guard, system, place.keys.authority));
    assert_eq!((i.mint, i.token, i.asset), (place.mint.mint, place.token, Pubkey::default()));
    assert_eq!((i.mode, i.base), (Mode::Custody as u8, LimitBase::Balance as u8));
    assert_eq!((i.switch, i.asset_switch), (Switch::Enabled as u8, Switch::Disabled as u8));
    assert_eq!((i.decimals, i.version, i.index, i.extension_fingerprint), (6, LAYOUT_VERSION, 7, 6 << 40));
    assert_eq!((i.caps, i.breaker, i.reserved), (shares(), Breaker::default(), [0; 95]));
    assert_eq!((i.flow.base.amount, i.flow.base.last_amount), (0, HELD));
    assert_eq!((i.exited_amount, i.risked_amount), (0, 0));
    let told: IntegrationRegistered = events::the_one(&landed);
    assert_eq!((told.guard, told.integration), (world.guard, place.keys.integration));
    assert_eq!((told.program, told.authority), (system, place.keys.authority));
}

#[test]
fn register_integration_succeeds_in_every_mode_and_for_both_token_programs() {
    for program in [anchor_spl::token::ID, anchor_spl::token_2022::ID] {
        let mut world = World::with_supply(program);
        let supply = Setup { base: LimitBase::Supply, caps: shares(), ..Setup::reported() };
        let all = [
            Setup::reported(),
            Setup::reported_shares(),
            supply,
            Setup::custody(),
            Setup::custody_shares(),
            Setup::mint(),
        ];
        for (index, setup) in all.into_iter().enumerate() {
            world.register(Setup { index: index as u16, ..setup });
        }
    }
}

#[test]
fn mint_without_a_supply_may_have_any_amounts() {
    let mut world = World::with_guard();
    world.usdc = world.create_mint(anchor_spl::token::ID, 6);
    let setup = Setup::mint();
    let authority = world.new_key();
    let integration = address::integration(&world.guard, &setup.integrator, setup.index);
    let ix = world.hand_over_ix(world.usdc.token_program, world.usdc.mint, AuthorityType::MintTokens, integration);
    world.send(&[ix], &[]).unwrap();
    let it = Registration {
        guard: world.guard,
        integrator: setup.integrator,
        index: setup.index,
        mint: world.usdc.mint,
        token: None,
        asset: None,
    };
    let args = RegisterIntegrationArgs {
        authority: authority.pubkey(),
        caps: mint_caps(),
        mode: Mode::Mint as u8,
        base: LimitBase::Absolute as u8,
    };
    let ix = register_integration(world.root.pubkey(), it, args, world.validity());
    world.send_as_root(&[ix]).unwrap();
}

#[test]
fn case_004_limits_beyond_the_hard_bounds_are_refused_at_both_ends() {
    let mut world = world();
    let reported = Setup::reported();
    let wide = |c: &mut FlowCaps, hourly: u64, daily: u64| {
        // the floor keeps its share of the day
        (c.exit, c.floor) = (amounts(hourly, daily), amounts(2_000 * USDC, daily / 200 + 1));
    };
    let (place, root) = (world.place(reported), world.root.insecure_clone());
    // all budgets together stay within 30 % of the supply an hour and 60 % a day
    let most = SUPPLY / 10 * 3 - caps().risk.hourly_amount - 2_000 * USDC;
    for (hourly, daily) in [(u64::MAX, u64::MAX), (most + 1, most + 1), (most, SUPPLY / 10 * 6)] {
        let mut setup = reported;
        wide(&mut setup.caps, hourly, daily);
        world.refuses(&world.register_ix(&place, setup), &[&root], E::OutsideHardBounds);
    }
    let mut most_of_all = reported;
    wide(&mut most_of_all.caps, most, most);
    let ix = world.register_ix(&place, most_of_all);
    world.send_as_root(&[ix]).unwrap();
    let of_balance = Setup { index: 8, ..Setup::reported_shares() };
    refuses_caps(&mut world, of_balance, |c| c.exit.hourly_bps = 3_000 - 399, E::FlowCapsInvalid);
    let wide = |c: &mut FlowCaps, hourly, daily| (c.exit.hourly_bps, c.exit.daily_bps) = (hourly, daily);
    refuses_caps(&mut world, of_balance, |c| wide(c, 2_601, 5_200), E::OutsideHardBounds);
    refuses_caps(&mut world, of_balance, |c| wide(c, 2_600, 5_201), E::OutsideHardBounds);
    refuses_caps(&mut world, of_balance, |c| c.floor.daily_bps = 49, E::FlowCapsInvalid);
    refuses_caps(&mut world, of_balance, |c| (c.floor.hourly_bps, c.floor.daily_bps) = (10, 49), E::OutsideHardBounds);
}

#[test]
fn register_integration_fails_without_a_floor_that_exits_keep() {
    let mut world = world();
    let reported = Setup::reported();
    refuses_caps(&mut world, reported, |c| c.floor = FlowCap::default(), E::FlowCapsInvalid);
    refuses_caps(&mut world, reported, |c| c.floor.hourly_amount = 1, E::FlowCapsInvalid);
    // at least the guard's floor of a day's exits
    refuses_caps(&mut world, reported, |c| c.floor = amounts(2, 400 * USDC - 1), E::FlowCapsInvalid);
    refuses_caps(&mut world, reported, |c| c.exit = amounts(2_000 * USDC, 80_000 * USDC), E::FlowCapsInvalid);
}

#[test]
fn register_integration_fails_for_limits_that_do_not_fit_their_mode_and_base() {
    let mut world = world();
    let pairs = [
        (Mode::Mint, LimitBase::Balance, E::IntegrationInvalid),
        (Mode::Custody, LimitBase::Supply, E::IntegrationInvalid),
    ];
    for (mode, base, expected) in pairs {
        let authority = world.new_key().pubkey();
        let place = world.place(Setup::reported());
        let ix = with_args(&world, &place, |a| (a.authority, a.mode, a.base) = (authority, mode as u8, base as u8));
        let root = world.root.insecure_clone();
        world.refuses(&ix, &[&root], expected);
    }
    refuses(&mut world, Setup { caps: shares(), ..Setup::reported() }, E::FlowCapsInvalid);
    refuses(&mut world, Setup { caps: caps(), ..Setup::reported_shares() }, E::OutsideHardBounds);
    refuses_caps(&mut world, Setup::reported(), |c| c.exit.reserved[0] = 1, E::UnknownKind);
    refuses_caps(&mut world, Setup::reported(), |c| c.risk.daily_amount = 1, E::FlowCapsInvalid);
}

#[test]
fn register_integration_of_a_mint_fails_for_exits_and_without_limits_of_its_base() {
    let mut world = world();
    let (place, root) = (world.place(Setup::mint()), world.root.insecure_clone());
    let no_shares = Setup { base: LimitBase::Supply, ..Setup::mint() };
    let nothing = Setup { caps: FlowCaps::default(), ..Setup::mint() };
    for setup in [Setup { caps: caps(), ..Setup::mint() }, no_shares, nothing] {
        world.refuses(&world.register_ix(&place, setup), &[&root], E::FlowCapsInvalid);
    }
}

#[test]
fn register_integration_fails_for_undecodable_kinds_and_authorities_that_nobody_signs_for() {
    let mut world = world();
    let (place, root) = (world.place(Setup::reported()), world.root.insecure_clone());
    for value in [0, 4, u8::MAX] {
        let ix = with_args(&world, &place, |a| a.mode = value);
        world.refuses(&ix, &[&root], E::UnknownKind);
        let ix = with_args(&world, &place, |a| a.base = value);
        world.refuses(&ix, &[&root], E::UnknownKind);
    }
    for authority in [Pubkey::default(), place.keys.integration] {
        let ix = with_args(&world, &place, |a| a.authority = authority);
        world.refuses(&ix, &[&root], E::IntegrationInvalid);
    }
}

#[test]
fn register_integration_fails_for_anyone_but_the_root_and_after_its_time() {
    let mut world = world();
    let setup = Setup::reported();
    let place = world.place(setup);
    let honest = world.register_ix(&place, setup);
    let admin = world.risk_admin.insecure_clone();
    world.refuses(&with_account(&honest, 0, admin.pubkey()), &[&admin], E::WrongAuthority);
    let payer = world.payer.insecure_clone();
    world.refuses(&with_account(&honest, 0, payer.pubkey()), &[], E::WrongAuthority);
    let root = world.root.insecure_clone();
    world.advance(61);
    world.refuses(&honest, &[&root], E::InstructionExpired);
    let it = Registration {
        guard: world.guard,
        integrator: setup.integrator,
        index: setup.index,
        mint: place.mint.mint,
        token: None,
        asset: None,
    };
    let args = RegisterIntegrationArgs {
        authority: place.keys.authority,
        caps: caps(),
        mode: Mode::Reported as u8,
        base: LimitBase::Absolute as u8,
    };
    let stale = Validity { authority_epoch: 1, ..world.validity() };
    let stale = register_integration(root.pubkey(), it, args, stale);
    world.refuses(&stale, &[&root], E::AuthorityEpochMoved);
}

#[test]
fn register_integration_fails_twice_and_at_another_address() {
    let mut world = world();
    let place = world.register(Setup::reported());
    let again = world.register_ix(&place, Setup::reported());
    let root = world.root.insecure_clone();
    world.callee_refuses(&again, &[&root], 0);
    let other = world.place(Setup { index: 8, ..Setup::reported() });
    let ix = world.register_ix(&other, Setup { index: 8, ..Setup::reported() });
    world.anchor_refuses(&with_account(&ix, INTEGRATION, place.keys.integration), &[&root], ErrorCode::ConstraintSeeds);
    let no_program = Setup { integrator: world.guard, ..Setup::reported() };
    let place = world.place(no_program);
    let ix = world.register_ix(&place, no_program);
    world.anchor_refuses(&ix, &[&root], ErrorCode::ConstraintExecutable);
}

#[test]
fn register_integration_fails_for_tokens_and_assets_of_something_else() {
    let mut world = World::with_assets();
    let owner = world.payer_address();
    world.create_token_account(world.usdc, owner, 9_000_000 * USDC);
    let setup = Setup { has_asset: true, ..Setup::reported_shares() };
    let (place, root) = (world.place(setup), world.root.insecure_clone());
    let honest = world.register_ix(&place, setup);
    let sol = world.create_token_account(world.sol, owner, 0);
    world.anchor_refuses(&with_account(&honest, TOKEN, sol), &[&root], ErrorCode::ConstraintTokenMint);
    world.refuses(&with_account(&honest, ASSET, world.keys.collateral_asset), &[&root], E::IntegrationMismatch);
    let foreign = world.other_guard();
    world.refuses(&with_account(&honest, ASSET, foreign.loan_asset), &[&root], E::IntegrationMismatch);
    world.anchor_refuses(&with_account(&honest, ASSET, world.guard), &[&root], ErrorCode::AccountDiscriminatorMismatch);
    let without = with_account(&honest, TOKEN, rampart::ID);
    world.refuses(&without, &[&root], E::IntegrationInvalid);
    let mut needless = world.register_ix(&place, setup);
    needless.data = world.register_ix(&place, Setup { has_asset: true, ..Setup::reported() }).data;
    world.refuses(&needless, &[&root], E::IntegrationInvalid);
    world.send_as_root(&[honest]).unwrap();
    assert_eq!(world.integration(&place).asset, world.keys.loan_asset);
}

#[test]
fn custody_fails_unless_the_token_account_is_the_integrations_alone() {
    let mut world = world();
    let (setup, root) = (Setup::custody(), world.root.insecure_clone());
    let place = world.place(setup);
    let honest = world.register_ix(&place, setup);
    let owner = world.payer_address();
    let theirs = world.create_token_account(place.mint, owner, HELD);
    world.refuses(&with_account(&honest, TOKEN, theirs), &[&root], E::CustodyNotHandedOver);
    let program = place.mint.token_program;
    // handing the owner over leaves the close authority behind
    let close =
        token::set_authority(&program, &theirs, Some(&owner), AuthorityType::CloseAccount, &owner, &[]).unwrap();
    let give = world.hand_over_ix(program, theirs, AuthorityType::AccountOwner, place.keys.integration);
    world.send(&[close, give], &[]).unwrap();
    world.refuses(&with_account(&honest, TOKEN, theirs), &[&root], E::CustodyNotHandedOver);
    for (at, bytes) in [(72, vec![1u8, 0, 0, 0, 9]), (108, vec![2u8])] {
        // a delegate; a frozen account
        let mut account = world.svm.get_account(&place.token).unwrap();
        account.data[at..at + bytes.len()].copy_from_slice(&bytes);
        world.svm.set_account(theirs, account).unwrap();
        world.refuses(&with_account(&honest, TOKEN, theirs), &[&root], E::CustodyNotHandedOver);
    }
    world.send_as_root(&[honest]).unwrap();
}

#[test]
fn account_that_its_owner_hands_over_is_taken_with_what_it_holds() {
    let mut world = world();
    let (setup, root) = (Setup::custody(), world.root.insecure_clone());
    let place = world.place(setup);
    let owner = world.payer_address();
    let theirs = world.create_token_account(place.mint, owner, HELD);
    let program = place.mint.token_program;
    let delegate = place.keys.authority;
    let approve = token::approve(&program, &theirs, &delegate, &owner, &[], HELD).unwrap();
    let give = world.hand_over_ix(program, theirs, AuthorityType::AccountOwner, place.keys.integration);
    let register = with_account(&world.register_ix(&place, setup), TOKEN, theirs);
    world.send(&[approve, give, register], &[&root]).unwrap();
    let place = Place { token: theirs, ..place };
    world.custody_transfer(&place, EXIT, 1).unwrap();
}

#[test]
fn mint_fails_unless_the_integration_is_its_authority() {
    let mut world = world();
    let (setup, root) = (Setup::mint(), world.root.insecure_clone());
    let other = world.create_mint(anchor_spl::token::ID, 6);
    let owner = world.payer_address();
    world.create_token_account(other, owner, SUPPLY);
    let place = world.place(setup);
    let honest = world.register_ix(&place, setup);
    world.refuses(&with_account(&honest, MINT, other.mint), &[&root], E::CustodyNotHandedOver);
    world.send_as_root(&[honest]).unwrap();
}
