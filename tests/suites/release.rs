//! The end of an integration: its switch, and the release of what the guard holds for it.

use anchor_spl::token_2022::spl_token_2022::extension::StateWithExtensions;
use anchor_spl::token_2022::spl_token_2022::state::{Account as TokenState, Mint as MintState};
use anchor_spl::token_interface::spl_token_2022::instruction as token;
use rampart::error::RampartError as E;
use rampart::events::ChangeExecuted;
use rampart::state::{Change, ChangeGroup, Level, Switch};
use rampart_client::{AccountMeta, Pubkey, control};
use rampart_tests::integrations::{EXIT, HELD, Place, SUPPLY, Setup};
use rampart_tests::officers::Officer;
use rampart_tests::refusals::with_account;
use rampart_tests::scenario::Scope;
use rampart_tests::{World, assert_error, assert_unchanged, events};
use solana_sdk::signer::Signer;

const HELD_INDEX: usize = 7;
const PROGRAM_INDEX: usize = 8;
const MINT_INDEX: usize = 9;

fn setup(setup: Setup) -> (World, Place) {
    let mut world = World::with_supply(anchor_spl::token::ID);
    let place = world.register(setup);
    (world, place)
}

fn metas(keys: &[(Pubkey, bool)]) -> Vec<AccountMeta> {
    let meta =
        |(key, is_writable): &(Pubkey, bool)| AccountMeta { pubkey: *key, is_signer: false, is_writable: *is_writable };
    keys.iter().map(meta).collect()
}

/// What a release of the token account names.
fn of_token(place: &Place) -> Vec<AccountMeta> {
    metas(&[(place.token, true), (place.mint.token_program, false)])
}

/// What a release of the mint authority names.
fn of_mint(place: &Place) -> Vec<AccountMeta> {
    metas(&[(place.mint.mint, true), (place.mint.token_program, false)])
}

fn owner_of(world: &World, token: &Pubkey) -> Pubkey {
    let data = world.svm.get_account(token).unwrap().data;
    StateWithExtensions::<TokenState>::unpack(&data).unwrap().base.owner
}

fn mint_authority(world: &World, mint: &Pubkey) -> Option<Pubkey> {
    let data = world.svm.get_account(mint).unwrap().data;
    StateWithExtensions::<MintState>::unpack(&data).unwrap().base.mint_authority.into()
}

/// Waits for the delay, where there are no prices to publish.
fn wait(world: &mut World) {
    let secs = i64::from(world.guard_state().loosen_delay_secs);
    world.advance(secs);
}

#[test]
fn token_account_is_released_after_the_delay_to_the_key_that_was_named() {
    let (mut world, place) = setup(Setup::custody_shares());
    let (key, next) = (place.keys.integration, Pubkey::new_from_array([0x71; 32]));
    assert_eq!(world.integration(&place).holder, key);
    let change = world.propose(key, Change::Holder(next));
    let ix = world.execute_ix(change, &of_token(&place));
    world.refuses(&ix, &[], E::ChangeNotRipe);
    wait(&mut world);
    let landed = world.send(&[ix], &[]).unwrap();
    let fact: ChangeExecuted = events::the_one(&landed);
    assert_eq!((fact.target, fact.group), (key, ChangeGroup::Holder as u8));
    let i = world.integration(&place);
    assert_eq!((i.holder, i.switch), (next, Switch::Disabled as u8));
    assert_eq!((owner_of(&world, &place.token), world.balance(&place.token)), (next, HELD));
    let ix = place.transfer_ix(EXIT, 1);
    world.refuses(&ix, &[&place.authority], E::IntegrationDisabled);
}

#[test]
fn mint_authority_is_released_and_the_new_one_mints() {
    let (mut world, place) = setup(Setup::mint());
    let next = world.new_key();
    let change = world.propose(place.keys.integration, Change::Holder(next.pubkey()));
    wait(&mut world);
    world.execute(change, &of_mint(&place)).unwrap();
    assert_eq!(mint_authority(&world, &place.mint.mint), Some(next.pubkey()));
    let refused = place.mint_ix(1);
    world.refuses(&refused, &[&place.authority], E::IntegrationDisabled);
    let program = place.mint.token_program;
    let ix = token::mint_to(&program, &place.mint.mint, &place.destination, &next.pubkey(), &[], 5).unwrap();
    world.send(&[ix], &[&next]).unwrap();
    assert_eq!(world.balance(&place.destination), 5);
}

/// Accounts of Token-2022 whose owner can never change are emptied instead.
#[test]
fn what_an_account_with_a_fixed_owner_holds_is_moved_to_the_new_holder() {
    let mut world = World::with_supply(anchor_spl::token_2022::ID);
    let setup = Setup::custody();
    let mut place = world.place(setup);
    place.token = world.create_fixed_owner_account(place.mint, place.keys.integration, HELD);
    let ix = world.register_ix(&place, setup);
    world.send_as_root(&[ix]).unwrap();
    let (next, stranger) = (world.new_key().pubkey(), world.new_key().pubkey());
    let (to, theirs) =
        (world.create_token_account(place.mint, next, 0), world.create_token_account(place.mint, stranger, 0));
    let change = world.propose(place.keys.integration, Change::Holder(next));
    wait(&mut world);
    let whole = |to| [of_token(&place), metas(&[(place.mint.mint, false), (to, true)])].concat();
    let ix = world.execute_ix(change, &whole(theirs));
    world.refuses(&ix, &[], E::IntegrationMismatch);
    let ix = world.execute_ix(change, &of_token(&place));
    world.refuses(&ix, &[], E::IntegrationMismatch);
    let ix = with_account(&world.execute_ix(change, &whole(to)), MINT_INDEX, to);
    world.refuses(&ix, &[], E::IntegrationMismatch);
    world.execute(change, &whole(to)).unwrap();
    assert_eq!((world.balance(&to), world.balance(&place.token)), (HELD, 0));
    assert_eq!(world.integration(&place).holder, next);
}

#[test]
fn release_is_stopped_by_the_vetoer_and_by_a_guardian() {
    let (mut world, place) = setup(Setup::custody());
    for officer in [Officer::Vetoer, Officer::SecondGuardian] {
        let change = world.propose(place.keys.integration, Change::Holder(Pubkey::new_from_array([0x71; 32])));
        let veto = control::veto_change(officer.address(), change, &world.change(&change));
        world.send(&[veto], &[&officer.key()]).unwrap();
        assert!(!world.exists(&change));
    }
    assert_eq!(owner_of(&world, &place.token), place.keys.integration);
}

/// No release gets around a halt: it would take all that the floor leaves a part of.
#[test]
fn release_fails_while_exits_are_restricted() {
    let (mut world, place) = setup(Setup::custody());
    let change = world.propose(place.keys.integration, Change::Holder(Pubkey::new_from_array([0x71; 32])));
    wait(&mut world);
    let ix = world.execute_ix(change, &of_token(&place));
    for level in [Level::Caution, Level::ReduceOnly, Level::Halt] {
        world.raise(Scope::Guard, level);
        world.refuses(&ix, &[], E::LevelForbids);
        assert_eq!(owner_of(&world, &place.token), place.keys.integration);
        world.calm(Scope::Guard);
    }
    world.send(&[ix], &[]).unwrap();
}

/// The asset that the integration pins can't be left out, and its level counts.
#[test]
fn release_counts_the_level_of_the_asset() {
    let mut world = World::with_vault();
    let payer = world.payer_address();
    world.create_token_account(world.usdc, payer, SUPPLY);
    let place = world.register(Setup { has_asset: true, ..Setup::custody() });
    let change = world.propose(place.keys.integration, Change::Holder(Pubkey::new_from_array([0x71; 32])));
    wait(&mut world);
    let ix = world.execute_ix(change, &of_token(&place));
    world.refuses(&ix, &[], E::IntegrationMismatch);
    let asset = place.keys.asset.unwrap();
    let whole = [of_token(&place), metas(&[(asset, false)])].concat();
    world.raise(Scope::LoanAsset, Level::Halt);
    let ix = world.execute_ix(change, &whole);
    world.refuses(&ix, &[], E::LevelForbids);
    world.calm(Scope::LoanAsset);
    let other = world.execute_ix(change, &[of_token(&place), metas(&[(world.keys.collateral_asset, false)])].concat());
    world.refuses(&other, &[], E::IntegrationMismatch);
    world.send(&[ix], &[]).unwrap();
}

#[test]
fn release_fails_with_wrong_accounts() {
    let (mut world, place) = setup(Setup::custody());
    let second = world.register(Setup { index: 8, ..Setup::custody() });
    let change = world.propose(place.keys.integration, Change::Holder(Pubkey::new_from_array([0x71; 32])));
    wait(&mut world);
    let ix = world.execute_ix(change, &of_token(&place));
    for held in [second.token, place.mint.mint, place.destination, place.keys.integration] {
        world.refuses(&with_account(&ix, HELD_INDEX, held), &[], E::IntegrationMismatch);
    }
    let program = with_account(&ix, PROGRAM_INDEX, anchor_spl::token_2022::ID);
    world.refuses(&program, &[], E::IntegrationMismatch);
    world.refuses(&world.execute_ix(change, &[]), &[], E::IntegrationMismatch);
    let more = [of_token(&place), metas(&[(second.token, false)])].concat();
    world.refuses(&world.execute_ix(change, &more), &[], E::IntegrationMismatch);
    let crossed = with_account(&ix, 3, second.keys.integration);
    world.refuses(&crossed, &[], E::ChangeTargetMismatch);
    let mut read_only = ix.clone();
    read_only.accounts[HELD_INDEX].is_writable = false;
    assert_unchanged(&mut world, &[place.token, place.keys.integration, change], |w| {
        w.send(&[read_only], &[]).unwrap_err();
    });
    world.send(&[ix], &[]).unwrap();
}

#[test]
fn release_is_proposed_of_what_is_held_alone() {
    let (mut world, place) = setup(Setup::custody());
    let reported = world.register(Setup { index: 8, ..Setup::reported() });
    let root = world.root.insecure_clone();
    let next = Change::Holder(Pubkey::new_from_array([0x71; 32]));
    let propose = |w: &World, target, change| w.propose_ix(target, change);
    let ix = propose(&world, reported.keys.integration, next);
    world.refuses(&ix, &[&root], E::CustodyNotHeld);
    let ix = propose(&world, place.keys.integration, Change::Holder(Pubkey::default()));
    world.refuses(&ix, &[&root], E::IntegrationInvalid);
    let ix = propose(&world, place.keys.integration, Change::Holder(place.keys.integration));
    world.refuses(&ix, &[&root], E::ChangeIsEmpty);
    let foreign = world.strangers_guard();
    let ix = with_account(&propose(&world, place.keys.integration, next), 1, foreign);
    world.anchor_refuses(&ix, &[&root], anchor_lang::error::ErrorCode::ConstraintSeeds);
    let change = world.propose(place.keys.integration, next);
    let again = world.propose(place.keys.integration, next);
    wait(&mut world);
    world.execute(change, &of_token(&place)).unwrap();
    // what was released can neither be released again nor be put to use
    let outcome = world.execute(again, &of_token(&place));
    assert_error(outcome, E::CustodyNotHeld);
    let ix = propose(&world, place.keys.integration, Change::IntegrationSwitch(Switch::Enabled as u8));
    world.refuses(&ix, &[&root], E::CustodyNotHeld);
}

#[test]
fn switch_of_an_integration_waits_whichever_way_it_moves() {
    let (mut world, place) = setup(Setup::reported());
    let (key, root) = (place.keys.integration, world.root.insecure_clone());
    for switch in [Switch::Disabled, Switch::Enabled] {
        let change = world.propose(key, Change::IntegrationSwitch(switch as u8));
        world.refuses(&world.execute_ix(change, &[]), &[], E::ChangeNotRipe);
        wait(&mut world);
        world.execute(change, &[]).unwrap();
        assert_eq!(world.integration(&place).switch, switch as u8);
        let outcome = world.record(&place, EXIT, 1);
        match switch {
            Switch::Disabled => assert_error(outcome, E::IntegrationDisabled),
            Switch::Enabled => drop(outcome.unwrap()),
        }
    }
    for unknown in [0, 3, u8::MAX] {
        let ix = world.propose_ix(key, Change::IntegrationSwitch(unknown));
        world.refuses(&ix, &[&root], E::UnknownKind);
    }
    let same = world.propose_ix(key, Change::IntegrationSwitch(Switch::Enabled as u8));
    world.refuses(&same, &[&root], E::ChangeIsEmpty);
}
