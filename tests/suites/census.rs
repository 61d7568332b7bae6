//! All of a guard's accounts, counted over several transactions: as strict as in one.

use anchor_lang::error::ErrorCode;
use rampart::constants::CENSUS_MAX_SECS;
use rampart::error::RampartError as E;
use rampart::state::rule::RuleParams;
use rampart::state::{Census, CensusPurpose, Change, Finality, HardBounds, Switch};
use rampart::{OpenCensusArgs, TightenVaultArgs};
use rampart_client::{Instruction, Pubkey, address, admin, control};
use rampart_tests::defaults;
use rampart_tests::officers::Officer;
use rampart_tests::refusals::{with_account, with_read_only};
use rampart_tests::{World, assert_error};
use solana_sdk::signature::Keypair;
use solana_sdk::signer::Signer;

/// A guard with a vault, two assets and three rules; the keys of all, in ascending order.
fn setup() -> (World, Vec<Pubkey>) {
    let mut world = World::with_vault();
    let k = world.keys;
    let mut all = vec![k.vault, k.collateral_asset, k.loan_asset];
    all.extend([1, 2, 3].map(|id| world.create_rule(id, k.collateral_asset, defaults::drawdown_rule())));
    all.sort_unstable();
    (world, all)
}

fn narrower(world: &World) -> HardBounds {
    HardBounds { max_ltv_bps: 7_000, ..world.guard_state().bounds }
}

fn counter() -> Keypair {
    Keypair::new_from_array([0xc0; 32])
}

fn open_ix(world: &World, purpose: CensusPurpose, bounds: HardBounds) -> Instruction {
    let (purpose, validity) = (purpose as u8, world.validity());
    let args = OpenCensusArgs { bounds, purpose, counter: counter().pubkey(), validity };
    control::open_census(world.root.pubkey(), world.guard, args)
}

fn open(world: &mut World, purpose: CensusPurpose) {
    let bounds = match purpose {
        CensusPurpose::Narrow => narrower(world),
        CensusPurpose::Freeze => world.guard_state().bounds,
    };
    let ix = open_ix(world, purpose, bounds);
    world.send_as_root(&[ix]).expect("census is opened");
}

fn count_ix(world: &World, some: &[Pubkey]) -> Instruction {
    control::count_census(counter().pubkey(), world.guard, some)
}

fn count(world: &mut World, some: &[Pubkey]) {
    let ix = count_ix(world, some);
    world.send(&[ix], &[&counter()]).expect("accounts are counted");
}

fn narrow_ix(world: &World) -> Instruction {
    let census = [address::census(&world.guard)];
    control::narrow_bounds(world.root.pubkey(), world.guard, narrower(world), world.validity(), &census)
}

fn freeze_ix(world: &World) -> Instruction {
    let census = [address::census(&world.guard)];
    control::freeze_forever(world.root.pubkey(), world.guard, world.validity(), &census)
}

fn root(world: &World) -> Keypair {
    world.root.insecure_clone()
}

#[test]
fn bounds_are_narrowed_by_a_census_of_several_transactions() {
    let (mut world, all) = setup();
    let signer = root(&world);
    open(&mut world, CensusPurpose::Narrow);
    let census: Census = world.load(&address::census(&world.guard));
    assert_eq!((census.guard, census.counter, census.rent_to), (world.guard, counter().pubkey(), signer.pubkey()));
    assert_eq!((census.bounds, census.opened_at_ts), (narrower(&world), world.now_ts()));
    for some in all.chunks(2) {
        let unfinished = narrow_ix(&world);
        world.refuses(&unfinished, &[&signer], E::CensusIncomplete);
        count(&mut world, some);
    }
    let ix = narrow_ix(&world);
    world.send_as_root(&[ix]).unwrap();
    assert_eq!(world.guard_state().bounds.max_ltv_bps, 7_000);
    let close = control::close_census(signer.pubkey(), world.guard, signer.pubkey());
    world.send_as_root(&[close]).unwrap();
    assert!(!world.exists(&address::census(&world.guard)));
}

#[test]
fn guard_is_frozen_by_a_census_of_several_transactions() {
    let (mut world, all) = setup();
    open(&mut world, CensusPurpose::Freeze);
    all.chunks(1).for_each(|one| count(&mut world, one));
    let ix = freeze_ix(&world);
    world.send_as_root(&[ix]).unwrap();
    assert_eq!(world.guard_state().finality, Finality::Frozen as u8);
}

/// Case 13: every one, each once: none left out, twice, in the place of another, or of another guard.
#[test]
fn case_013_census_that_leaves_an_account_out() {
    let (mut world, all) = setup();
    let (signer, counter) = (root(&world), counter());
    let foreign = world.other_guard();
    open(&mut world, CensusPurpose::Freeze);
    count(&mut world, &all[..2]);
    let again = count_ix(&world, &all[1..2]);
    world.refuses(&again, &[&counter], E::CensusIncomplete);
    let back = count_ix(&world, &all[..1]);
    world.refuses(&back, &[&counter], E::CensusIncomplete);
    let twice = count_ix(&world, &[all[2], all[2]]);
    world.refuses(&twice, &[&counter], E::CensusIncomplete);
    let mut unordered = count_ix(&world, &all[2..4]);
    let last = unordered.accounts.len() - 1;
    unordered.accounts.swap(last, last - 1);
    world.refuses(&unordered, &[&counter], E::CensusIncomplete);
    for other in [foreign.vault, foreign.collateral_asset, world.guard] {
        let ix = count_ix(&world, &[other]);
        world.refuses(&ix, &[&counter], E::CensusIncomplete);
    }
    // the third is skipped for good
    count(&mut world, &all[3..]);
    let ix = freeze_ix(&world);
    world.refuses(&ix, &[&signer], E::CensusIncomplete);
    let late = count_ix(&world, &all[2..3]);
    world.refuses(&late, &[&counter], E::CensusIncomplete);
}

#[test]
fn account_outside_the_bounds_or_disabled_is_not_counted() {
    let (mut world, all) = setup();
    let (counter, rule) = (counter(), address::rule(&world.guard, 2));
    let params = RuleParams { switch: Switch::Disabled as u8, ..defaults::drawdown_rule() };
    let key = world.propose(rule, Change::Rule(params));
    world.ripen();
    world.execute(key, &[]).unwrap();
    open(&mut world, CensusPurpose::Freeze);
    let ix = count_ix(&world, &all);
    world.refuses(&ix, &[&counter], E::CensusNotEnabled);
    let signer = root(&world);
    let close = control::close_census(signer.pubkey(), world.guard, signer.pubkey());
    world.send_as_root(&[close]).unwrap();
    let tight = HardBounds { max_ltv_bps: 6_999, ..world.guard_state().bounds };
    let ix = open_ix(&world, CensusPurpose::Narrow, tight);
    world.send_as_root(&[ix]).unwrap();
    let ix = count_ix(&world, &[world.keys.vault]);
    world.refuses(&ix, &[&counter], E::OutsideHardBounds);
}

/// Case 13: what was counted is configured anew before the census is used, by each way that there is.
#[test]
fn case_013_account_that_changes_after_it_was_counted() {
    let change: fn(&mut World, Pubkey) = |world, key| {
        world.execute(key, &[]).expect("change is executed");
    };
    let tighten_vault: fn(&mut World, Pubkey) = |world, _| {
        let (risk, limits) = (world.vault().risk, world.vault().limits);
        let args = TightenVaultArgs {
            ltv_bps: risk.ltv_bps,
            supply_cap_amount: limits.supply_cap_amount - 1,
            borrow_cap_amount: limits.borrow_cap_amount,
            collateral_cap_amount: limits.collateral_cap_amount,
            loan_flow: limits.loan_flow,
            collateral_flow: limits.collateral_flow,
            inflow: limits.inflow,
            scale: world.vault().scale,
        };
        let ix = admin::tighten_vault(world.root.pubkey(), world.guard, world.keys.vault, args, world.validity());
        world.send_as_root(&[ix]).expect("vault is tightened");
    };
    let tighten_rule: fn(&mut World, Pubkey) = |world, _| {
        let rule = address::rule(&world.guard, 1);
        let ix =
            admin::tighten_rule(world.root.pubkey(), world.guard, rule, defaults::drawdown_rule(), world.validity());
        world.send_as_root(&[ix]).expect("rule is tightened");
    };
    let roles: fn(&mut World, Pubkey) = |world, _| {
        let mut guard = world.guard_state();
        guard.authority_epoch += 1;
        let key = world.guard;
        world.store(&key, &guard);
    };
    let time: fn(&mut World, Pubkey) = |world, _| world.advance(CENSUS_MAX_SECS + 1);
    for act in [change, tighten_vault, tighten_rule, roles, time] {
        let (mut world, all) = setup();
        let (signer, counter) = (root(&world), counter());
        let mut limits = world.vault().limits;
        limits.loan_flow.daily_bps -= 1;
        let key = world.propose(world.keys.vault, Change::VaultLimits(limits));
        world.ripen();
        open(&mut world, CensusPurpose::Narrow);
        count(&mut world, &all[..5]);
        act(&mut world, key);
        let ix = count_ix(&world, &all[5..]);
        world.refuses(&ix, &[&counter], E::CensusMoved);
        let ix = narrow_ix(&world);
        world.refuses(&ix, &[&signer], E::CensusMoved);
    }
}

/// What is created while a census is taken has to be counted too.
#[test]
fn rule_created_after_the_count_is_not_forgotten() {
    let (mut world, all) = setup();
    let signer = root(&world);
    open(&mut world, CensusPurpose::Freeze);
    count(&mut world, &all);
    world.create_rule(4, world.keys.loan_asset, defaults::drawdown_rule());
    let ix = freeze_ix(&world);
    world.refuses(&ix, &[&signer], E::CensusIncomplete);
}

#[test]
fn census_serves_its_own_purpose_bounds_and_guard_alone() {
    let (mut world, all) = setup();
    let signer = root(&world);
    open(&mut world, CensusPurpose::Narrow);
    count(&mut world, &all);
    let ix = freeze_ix(&world);
    world.refuses(&ix, &[&signer], E::CensusIncomplete);
    let census = address::census(&world.guard);
    let other = HardBounds { max_ltv_bps: 7_100, ..world.guard_state().bounds };
    let ix = control::narrow_bounds(signer.pubkey(), world.guard, other, world.validity(), &[census]);
    world.refuses(&ix, &[&signer], E::CensusIncomplete);
    let foreign = world.other_guard().guard;
    let ix = control::narrow_bounds(signer.pubkey(), foreign, narrower(&world), world.validity(), &[census]);
    world.refuses(&ix, &[&signer], E::CensusIncomplete);
    let stolen = world.copy_under(&census, anchor_spl::token::ID);
    let ix = narrow_ix(&world);
    let last = ix.accounts.len() - 1;
    world.refuses(&with_account(&ix, last, stolen), &[&signer], E::CensusIncomplete);
    // a census beside accounts is no census
    let both = [census, all[0]];
    let ix = control::narrow_bounds(signer.pubkey(), world.guard, narrower(&world), world.validity(), &both);
    world.refuses(&ix, &[&signer], E::CensusIncomplete);
}

#[test]
fn census_is_opened_by_root_for_what_could_stand() {
    let (mut world, _) = setup();
    let (signer, admin) = (root(&world), world.risk_admin.insecure_clone());
    let bounds = world.guard_state().bounds;
    let ix = open_ix(&world, CensusPurpose::Narrow, narrower(&world));
    world.refuses(&with_account(&ix, 0, admin.pubkey()), &[&admin], E::WrongAuthority);
    world.anchor_refuses(&with_account(&ix, 3, world.guard), &[&signer], ErrorCode::ConstraintAddress);
    world.anchor_refuses(&with_account(&ix, 2, world.keys.vault), &[&signer], ErrorCode::ConstraintSeeds);
    let wide = HardBounds { max_ltv_bps: bounds.max_ltv_bps + 1, ..bounds };
    let wider = open_ix(&world, CensusPurpose::Narrow, wide);
    world.refuses(&wider, &[&signer], E::BoundsOnlyNarrow);
    let zero = HardBounds { max_effect_bps: 0, ..bounds };
    let invalid = open_ix(&world, CensusPurpose::Narrow, zero);
    world.refuses(&invalid, &[&signer], E::BoundsInvalid);
    let other = open_ix(&world, CensusPurpose::Freeze, narrower(&world));
    world.refuses(&other, &[&signer], E::CensusIncomplete);
    let args = OpenCensusArgs { bounds, purpose: 3, counter: counter().pubkey(), validity: world.validity() };
    world.refuses(&control::open_census(signer.pubkey(), world.guard, args), &[&signer], E::UnknownKind);
    let validity = rampart::Validity { authority_epoch: 9, ..world.validity() };
    let args = OpenCensusArgs { purpose: 1, validity, ..args };
    world.refuses(&control::open_census(signer.pubkey(), world.guard, args), &[&signer], E::AuthorityEpochMoved);
    world.advance(61);
    world.refuses(&ix, &[&signer], E::InstructionExpired);
}

#[test]
fn census_is_counted_and_closed_by_whom_it_names() {
    let (mut world, all) = setup();
    let (signer, counter, stranger) = (root(&world), counter(), Officer::Resetter.key());
    open(&mut world, CensusPurpose::Narrow);
    let ix = count_ix(&world, &all);
    world.refuses(&with_account(&ix, 0, stranger.pubkey()), &[&stranger], E::WrongAuthority);
    world.refuses(&with_account(&ix, 0, signer.pubkey()), &[&signer], E::WrongAuthority);
    let mut unsigned = ix.clone();
    unsigned.accounts[0].is_signer = false;
    world.anchor_refuses(&unsigned, &[], ErrorCode::AccountNotSigner);
    world.anchor_refuses(&with_read_only(&ix, 2), &[&counter], ErrorCode::ConstraintMut);
    let foreign = world.other_guard().guard;
    world.refuses(&with_account(&ix, 1, foreign), &[&counter], E::CensusIncomplete);
    let close = control::close_census(signer.pubkey(), world.guard, signer.pubkey());
    world.refuses(&with_account(&close, 0, stranger.pubkey()), &[&stranger], E::WrongAuthority);
    world.refuses(&with_account(&close, 3, stranger.pubkey()), &[&signer], E::ChangeTargetMismatch);
    world.refuses(&with_account(&close, 1, foreign), &[&signer], E::CensusIncomplete);
    let again = open_ix(&world, CensusPurpose::Narrow, narrower(&world));
    assert!(world.send_as_root(&[again]).is_err(), "one at a time");
    world.send_as_root(&[close]).unwrap();
    let outcome = world.send(&[ix], &[&counter]);
    rampart_tests::assert_anchor_error(outcome, ErrorCode::AccountOwnedByWrongProgram);
    open(&mut world, CensusPurpose::Freeze);
    let frozen = freeze_ix(&world);
    let outcome = world.send(&[frozen], &[&signer]);
    assert_error(outcome, E::CensusIncomplete);
}
