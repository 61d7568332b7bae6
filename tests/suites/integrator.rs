//! A program of somebody else's that asks the guard: the kit's attacks, and every way of asking wrongly.

use anchor_lang::{AnchorSerialize, Discriminator};
use rampart::error::RampartError as E;
use rampart::state::integration::{ActionKind, Mode};
use rampart::state::{Guard, Integration, Level};
use rampart::{GuardVerdict, RegisterIntegrationArgs, instruction as ix};
use rampart_client::integration::{Registration, register_integration};
use rampart_client::{Instruction, Pubkey, address};
use rampart_cpi::kit::{Fakes, Guarded, attacks, charged};
use rampart_cpi::{GuardError, Kind, call::tag};
use rampart_tests::defaults::USDC;
use rampart_tests::integrations::{HELD, Setup, amounts};
use rampart_tests::integrator::{Act, Integrator, PROGRAM, YES};
use rampart_tests::scenario::Scope;
use rampart_tests::{Outcome, World};
use solana_sdk::account::Account;
use solana_sdk::instruction::InstructionError;
use solana_sdk::signer::Signer;
use solana_sdk::transaction::TransactionError;

fn setup() -> (World, Integrator) {
    setup_of(Setup::reported())
}

fn setup_of(setup: Setup) -> (World, Integrator) {
    let mut world = World::with_supply(anchor_spl::token::ID);
    let it = world.integrator(setup);
    (world, it)
}

/// What left the fixture's account, and what was charged for it, while `action` ran.
fn moved_and_charged(world: &mut World, it: &Integrator, action: impl FnOnce(&mut World)) -> (u64, u64) {
    let read = |w: &World| (w.balance(&it.to), w.svm.get_account(&it.integration).unwrap().data);
    let before = read(world);
    action(world);
    let after = read(world);
    (after.0 - before.0, charged(&before.1, &after.1).unwrap())
}

#[track_caller]
fn refused_with(outcome: Outcome, code: u32) {
    let failed = outcome.expect_err("expected a refusal");
    let expected = TransactionError::InstructionError(0, InstructionError::Custom(code));
    assert_eq!(failed.err, expected, "{}", failed.meta.logs.join("\n"));
}

#[track_caller]
fn refuses(world: &mut World, it: &Integrator, instruction: &Instruction, code: u32) {
    let mut outcome = None;
    let moved = moved_and_charged(world, it, |w| outcome = Some(w.send(std::slice::from_ref(instruction), &[])));
    refused_with(outcome.unwrap(), code);
    assert_eq!(moved, (0, 0));
}

fn bytes_of(verdict: &GuardVerdict) -> Vec<u8> {
    let mut bytes = vec![];
    verdict.serialize(&mut bytes).unwrap();
    bytes
}

#[test]
fn crate_knows_the_program_as_it_is() {
    assert_eq!(rampart_cpi::ID, rampart::ID);
    assert_eq!(rampart_cpi::PROGRAM_DATA, rampart::verdict::PROGRAM_DATA);
    assert_eq!(tag::CHECK, ix::CheckAction::DISCRIMINATOR);
    assert_eq!(tag::ENFORCE, ix::EnforceAction::DISCRIMINATOR);
    assert_eq!(tag::RECORD, ix::RecordOutflow::DISCRIMINATOR);
    assert_eq!(tag::CUSTODY_TRANSFER, ix::CustodyTransfer::DISCRIMINATOR);
    assert_eq!(tag::CUSTODY_MINT, ix::CustodyMint::DISCRIMINATOR);
    let kinds = [(Kind::Exit, ActionKind::Exit), (Kind::NewRisk, ActionKind::NewRisk)];
    let others = [(Kind::Deposit, ActionKind::Deposit), (Kind::Cure, ActionKind::Cure)];
    assert!(kinds.into_iter().chain(others).all(|(theirs, ours)| theirs as u8 == ours as u8));
    assert_eq!(rampart_cpi::kit::EXITED_AT, 8 + std::mem::offset_of!(Integration, exited_amount));
    assert_eq!(std::mem::offset_of!(Integration, risked_amount), std::mem::offset_of!(Integration, exited_amount) + 8);
    let (guard, program) = (Pubkey::new_from_array([3; 32]), Pubkey::new_from_array([4; 32]));
    assert_eq!(rampart_cpi::integration(&guard, &program, 5), address::integration(&guard, &program, 5));
    let verdict = GuardVerdict {
        abi: rampart::constants::VERDICT_ABI,
        kind: 2,
        level: 3,
        is_allowed: true,
        amount: 4,
        max_amount: 5,
        valid_until_ts: 6,
        integration: guard,
        deploy_slot: Some(7),
    };
    let read = rampart_cpi::GuardVerdict::parse(&rampart::ID, &bytes_of(&verdict)).unwrap();
    assert_eq!((read.kind, read.level, read.is_allowed, read.amount), (2, 3, true, 4));
    assert_eq!((read.max_amount, read.valid_until_ts, read.integration), (5, 6, guard));
    assert_eq!(read.deploy_slot, Some(7));
}

#[test]
fn guarded_withdrawal_pays_what_it_records_and_no_more_than_the_limit() {
    for setup in [Setup::reported(), Setup::reported_shares()] {
        let (mut world, it) = setup_of(setup);
        let moved = moved_and_charged(&mut world, &it, |w| {
            w.act(&it, Act::Withdraw, 3_000 * USDC, &[]).unwrap();
        });
        assert_eq!(moved, (3_000 * USDC, 3_000 * USDC));
        let more = it.ix(Act::Withdraw, 7_000 * USDC + 1, &[]);
        refuses(&mut world, &it, &more, E::HourlyLimitReached.into());
        world.raise(Scope::Guard, Level::Halt);
        refuses(&mut world, &it, &it.ix(Act::Withdraw, 1_000 * USDC + 1, &[]), E::HourlyLimitReached.into());
        world.act(&it, Act::Withdraw, 1_000 * USDC, &[]).unwrap();
    }
}

#[test]
fn guarded_withdrawal_looks_at_the_pinned_asset() {
    let mut world = World::with_assets();
    let owner = world.payer_address();
    world.create_token_account(world.usdc, owner, 9 * HELD);
    let it = world.integrator(Setup { has_asset: true, ..Setup::reported_shares() });
    world.act(&it, Act::Withdraw, 1_001 * USDC, &[]).unwrap();
    world.raise(Scope::LoanAsset, Level::ReduceOnly);
    refuses(&mut world, &it, &it.ix(Act::Withdraw, 1_001 * USDC, &[]), E::HourlyLimitReached.into());
}

/// Everything that an attacker prepares: a guard of his own that allows the victim everything.
fn fakes(world: &mut World, it: &Integrator) -> (Fakes, solana_sdk::signature::Keypair) {
    let guard = world.strangers_guard();
    let payer = world.payer_address();
    let wide = amounts(HELD, HELD);
    let setup = Setup { integrator: PROGRAM, ..Setup::reported() };
    let caps = rampart::state::FlowCaps { exit: wide, ..setup.caps };
    let it_registration = Registration {
        guard,
        integrator: PROGRAM,
        index: setup.index,
        mint: world.usdc.mint,
        token: None,
        asset: None,
    };
    let (mode, base) = (setup.mode as u8, setup.base as u8);
    let args = RegisterIntegrationArgs { authority: it.authority, caps, mode, base };
    let ix = register_integration(payer, it_registration, args, world.validity());
    world.send(&[ix], &[]).unwrap();
    let copy = world.copy_under(&it.integration, YES);
    let stranger = world.new_key();
    let integration = it_registration.address();
    (Fakes { program: YES, guard, integration, copy, stranger: stranger.pubkey() }, stranger)
}

#[test]
fn case_069_kit_finds_no_way_past_the_guarded_withdrawal() {
    let (mut world, it) = setup();
    let (fakes, stranger) = fakes(&mut world, &it);
    let guarded = Guarded { guard: world.guard, integration: it.integration, authority: it.authority };
    for amount in [1, 20_000 * USDC] {
        let honest = it.ix(Act::Withdraw, amount, &[]);
        let all = attacks(&honest, &guarded, &fakes);
        assert_eq!(all.len(), 10);
        for attack in all {
            let signs = attack.instruction.accounts.iter().any(|a| a.is_signer && a.pubkey == fakes.stranger);
            let signers = if signs { vec![&stranger] } else { vec![] };
            let moved = moved_and_charged(&mut world, &it, |w| {
                assert!(w.send(&[attack.instruction], &signers).is_err(), "{} landed", attack.name);
            });
            assert_eq!(moved, (0, 0), "{}", attack.name);
        }
    }
    world.act(&it, Act::Withdraw, 1, &[]).unwrap();
}

#[test]
fn kit_refusals_are_the_expected_ones() {
    let (mut world, it) = setup();
    let (fakes, _) = fakes(&mut world, &it);
    let guarded = Guarded { guard: world.guard, integration: it.integration, authority: it.authority };
    let all = attacks(&it.ix(Act::Withdraw, 1, &[]), &guarded, &fakes);
    let wrong_program = GuardError::WrongProgram as u32;
    let wrong_place = GuardError::WrongIntegration as u32;
    let codes = [wrong_program, wrong_program, wrong_place, wrong_place, E::IntegrationMismatch.into(), wrong_place];
    for (attack, code) in all.iter().zip(codes) {
        refuses(&mut world, &it, &attack.instruction, code);
    }
}

#[test]
fn case_069_fake_guard_would_say_yes_to_everything() {
    let (mut world, it) = setup();
    // asked directly, it returns a verdict in the right form: only the program's address gives it away
    let mut ask = it.ix(Act::EnforceOnly, 1, &[]);
    ask.program_id = YES;
    ask.data = [&tag::CHECK[..], &[1], &(HELD * 9).to_le_bytes()].concat();
    let landed = world.send(&[ask], &[]).unwrap();
    let says = landed.return_data.data;
    assert!(rampart_cpi::GuardVerdict::parse(&rampart_cpi::ID, &says).unwrap().is_allowed);
    assert_eq!(rampart_cpi::GuardVerdict::parse(&YES, &says), Err(GuardError::VerdictInvalid));
}

#[test]
fn case_069_overwritten_return_data_is_refused() {
    let (mut world, it) = setup();
    let verdict = GuardVerdict {
        abi: 1,
        kind: 1,
        level: 0,
        is_allowed: true,
        amount: HELD,
        max_amount: u64::MAX,
        valid_until_ts: i64::MAX,
        integration: it.integration,
        deploy_slot: None,
    };
    let forged = bytes_of(&verdict);
    let overwrite = it.ix_with_stranger(Act::Overwritten, HELD, &forged);
    refuses(&mut world, &it, &overwrite, GuardError::VerdictInvalid as u32);
    // a stranger that returns nothing leaves nothing
    let silence = it.ix_with_stranger(Act::Overwritten, 1, &[]);
    refuses(&mut world, &it, &silence, GuardError::VerdictInvalid as u32);
}

#[test]
fn case_071_more_than_was_checked_is_refused_or_shows_as_not_charged() {
    let (mut world, it) = setup();
    // beyond the verdict's most: refused
    let more = it.ix(Act::CheckThenMore, 1, &(10_000 * USDC + 1).to_le_bytes());
    refuses(&mut world, &it, &more, GuardError::NotAllowed as u32);
    // within it: the tokens go, and the kit shows that nothing was charged
    let within = it.ix(Act::CheckThenMore, 1, &(10_000 * USDC).to_le_bytes());
    let moved = moved_and_charged(&mut world, &it, |w| {
        w.send(&[within], &[]).unwrap();
    });
    assert_eq!(moved, (10_000 * USDC, 0));
    // the form that records can't be got wrong: amount paid and amount charged are one
    let moved = moved_and_charged(&mut world, &it, |w| {
        w.act(&it, Act::UpToTheMost, 99_000 * USDC, &[]).unwrap();
    });
    assert_eq!(moved, (10_000 * USDC, 10_000 * USDC));
}

#[test]
fn skipped_call_shows_as_not_charged() {
    let (mut world, it) = setup();
    for act in [Act::Unguarded, Act::EnforceOnly] {
        let moved = moved_and_charged(&mut world, &it, |w| {
            w.act(&it, act, 5_000 * USDC, &[]).unwrap();
        });
        assert_eq!(moved, (5_000 * USDC, 0), "{act:?}");
    }
}

#[test]
fn stale_verdict_is_refused() {
    let (mut world, it) = setup();
    let check = rampart_client::integration::IntegrationKeys {
        integration: it.integration,
        guard: world.guard,
        authority: it.authority,
        base: None,
        asset: None,
    };
    let check = rampart_client::integration::check_action(&check, 1, 5_000 * USDC);
    let verdict = world.send(&[check], &[]).unwrap().return_data.data;
    let remembered = |w: &World| {
        let more = [&w.now_ts().to_le_bytes()[..], &verdict].concat();
        it.ix(Act::Remembered, 5_000 * USDC, &more)
    };
    let fresh = remembered(&world);
    let moved = moved_and_charged(&mut world, &it, |w| {
        w.send(&[fresh], &[]).unwrap();
    });
    assert_eq!(moved, (5_000 * USDC, 0), "even a fresh verdict charges nothing");
    world.advance(1);
    let late = remembered(&world);
    refuses(&mut world, &it, &late, GuardError::VerdictStale as u32);
}

#[test]
fn case_017_integrator_that_pins_the_deployment_refuses_a_replaced_program() {
    let (mut world, it) = setup();
    let data = world.svm.get_account(&rampart_cpi::PROGRAM_DATA).unwrap();
    let slot = u64::from_le_bytes(data.data[4..12].try_into().unwrap());
    world.act(&it, Act::Pinned, 1, &slot.to_le_bytes()).unwrap();
    let other = it.ix(Act::Pinned, 1, &(slot + 1).to_le_bytes());
    refuses(&mut world, &it, &other, GuardError::ProgramChanged as u32);
    let wrong = it.ix_with_stranger(Act::Pinned, 1, &slot.to_le_bytes());
    refuses(&mut world, &it, &wrong, GuardError::WrongProgramData as u32);
    let stolen = Account { owner: YES, ..data };
    world.svm.set_account(rampart_cpi::PROGRAM_DATA, stolen).unwrap();
    let pinned = it.ix(Act::Pinned, 1, &slot.to_le_bytes());
    refuses(&mut world, &it, &pinned, GuardError::WrongProgramData as u32);
}

/// The most calls above the guard's at which each act still works.
fn deepest(world: &mut World, it: &Integrator, act: Act) -> u8 {
    let works = |world: &mut World, depth: u8| {
        let ix = it.ix(Act::Deep, 1, &[depth, act as u8]);
        world.send(&[ix], &[]).is_ok()
    };
    (0..8).take_while(|depth| works(world, *depth)).count() as u8
}

#[test]
fn case_080_guard_needs_one_level_of_calls_and_two_where_it_pays() {
    let (mut world, it) = setup();
    // the stack has 5 levels (8 or 9 on newer networks): the outermost, those of the act, the guard's or the token's
    let recorded = deepest(&mut world, &it, Act::Withdraw);
    let plain = deepest(&mut world, &it, Act::Unguarded);
    assert_eq!(recorded, plain, "recording takes no more depth than the transfer itself");
    let (mut world, it) = setup_of(Setup::custody());
    assert_eq!(deepest(&mut world, &it, Act::Custody) + 1, plain);
}

#[test]
fn guard_pays_and_mints_for_the_program_that_is_registered() {
    for (setup, act) in [(Setup::custody(), Act::Custody), (Setup::custody_shares(), Act::Custody)] {
        let (mut world, it) = setup_of(setup);
        let moved = moved_and_charged(&mut world, &it, |w| {
            w.act(&it, act, 4_000 * USDC, &[]).unwrap();
        });
        assert_eq!(moved, (4_000 * USDC, 4_000 * USDC));
        // the program's own transfer is over: it no longer owns the account
        assert!(world.act(&it, Act::Unguarded, 1, &[]).is_err());
    }
    let (mut world, it) = setup_of(Setup { mode: Mode::Mint, ..Setup::mint() });
    let moved = moved_and_charged(&mut world, &it, |w| {
        w.act(&it, Act::Mint, 4_000 * USDC, &[]).unwrap();
    });
    assert_eq!(moved, (4_000 * USDC, 4_000 * USDC));
    refuses(&mut world, &it, &it.ix(Act::Mint, 1_000 * USDC + 1, &[]), E::HourlyLimitReached.into());
}

#[test]
fn guard_stays_unwritten_when_an_integration_records() {
    let (mut world, it) = setup();
    let before: Guard = world.load(&world.guard);
    world.act(&it, Act::Withdraw, 1, &[]).unwrap();
    let after: Guard = world.load(&world.guard);
    assert_eq!(format!("{before:?}"), format!("{after:?}"));
}
