//! What a durable nonce could keep signable for weeks is refused; what is useful signed in advance isn't.

use anchor_lang::error::ErrorCode;
use anchor_lang::solana_program::system_instruction;
use rampart::control::nonce::INSTRUCTIONS_SYSVAR;
use rampart::error::RampartError as E;
use rampart::state::bounty::BountyParams;
use rampart::state::group::GroupParams;
use rampart::state::rule::{RuleParams, Standing};
use rampart::state::{Level, Switch};
use rampart::{GuardianPauseArgs, SetKeepersArgs, TightenIntegrationArgs, TightenVaultArgs};
use rampart_client::{
    Instruction, Pubkey, address, admin, aggregate, bounty, control, exit, groups, guardian, integration, keepers, swap,
};
use rampart_tests::asserts::code_of;
use rampart_tests::integrations::{Setup, caps};
use rampart_tests::keepers::{Keepers, limits};
use rampart_tests::officers::{Officer, quorum};
use rampart_tests::refusals::with_account;
use rampart_tests::swaps;
use rampart_tests::world::defaults_args;
use rampart_tests::{World, assert_unchanged, defaults, rules};
use solana_sdk::signature::Keypair;
use solana_sdk::signer::Signer;

/// A privileged instruction that would land as it is, and who signs it.
struct Act {
    name: &'static str,
    ix: Instruction,
    signers: Vec<Keypair>,
}

/// Creates a nonce account of root's and returns the instruction that advances it.
fn nonce(world: &mut World) -> Instruction {
    let (nonce, root) = (world.new_key(), world.root.pubkey());
    let rent = world.svm.minimum_balance_for_rent_exemption(80);
    let create = system_instruction::create_nonce_account(&world.payer_address(), &nonce.pubkey(), &root, rent);
    world.send(&create, &[&nonce]).expect("nonce account is created");
    system_instruction::advance_nonce_account(&nonce.pubkey(), &root)
}

/// Parameters of a bounty.
fn bounty_params(bounty_lamports: u64) -> BountyParams {
    BountyParams { bounty_lamports, daily_limit_lamports: bounty_lamports * 2, cooldown_secs: 600, reserved: [0; 4] }
}

/// A world in which everything that [`acts`] names is there, with a cause that has outlived its dwell time.
fn setup() -> (World, Keepers, rampart_tests::integrations::Place) {
    let (mut world, keepers) = World::with_keepers(4);
    let ix = bounty::initialize_bounty(world.root.pubkey(), world.guard, bounty_params(5_000_000));
    world.send_as_root(&[ix]).expect("bounty vault is created");
    world.svm.airdrop(&address::bounty_vault(&world.guard), 1_000_000_000).expect("airdrop");
    let member = |params| RuleParams { standing: Standing::Member as u8, ..params };
    world.create_rule(1, world.keys.collateral_asset, member(defaults::drawdown_rule()));
    world.create_rule(2, world.keys.collateral_asset, member(rules::deviation()));
    world.create_rule(3, world.keys.collateral_asset, defaults::drawdown_rule());
    let place = world.register(Setup::reported());
    (world, keepers, place)
}

/// What root, risk admin and the quorum do, each once.
fn acts(world: &mut World, keepers_: &Keepers, place: &rampart_tests::integrations::Place) -> Vec<Act> {
    let (root, admin) = (world.root.insecure_clone(), world.risk_admin.insecure_clone());
    let (guard, k, valid) = (world.guard, world.keys, world.validity());
    let (by_root, by_admin) = (root.pubkey(), admin.pubkey());
    let limits_now = world.vault().limits;
    let vault = TightenVaultArgs {
        ltv_bps: world.vault().risk.ltv_bps,
        supply_cap_amount: limits_now.supply_cap_amount - 1,
        borrow_cap_amount: limits_now.borrow_cap_amount,
        collateral_cap_amount: limits_now.collateral_cap_amount,
        loan_flow: limits_now.loan_flow,
        collateral_flow: limits_now.collateral_flow,
        inflow: limits_now.inflow,
        scale: world.vault().scale,
    };
    let group = GroupParams {
        duration_secs: 3_600,
        min_dwell_secs: 300,
        max_age_secs: 30,
        level: Level::ReduceOnly as u8,
        bounty: Switch::Disabled as u8,
        reserved: [0; 2],
    };
    let members = [1, 2].map(|id| address::rule(&guard, id));
    let tighter = TightenIntegrationArgs { exit: caps().exit, risk: caps().risk };
    let set = SetKeepersArgs { members: keepers_.seats(), limits: limits() };
    let args = defaults::asset_args(world.sol_feeds.set());
    let fresh = world.create_mint(anchor_spl::token::ID, 6);
    let to = world.payer_address();
    let setup = Setup { index: 8, ..Setup::reported() };
    let next = world.place(setup);
    let guardians = [Officer::FirstGuardian.address(), Officer::SecondGuardian.address()];
    let one = |name, ix, signer: &Keypair| Act { name, ix, signers: vec![signer.insecure_clone()] };
    vec![
        one("tighten_vault", admin::tighten_vault(by_admin, guard, k.vault, vault, valid), &admin),
        one(
            "tighten_rule",
            admin::tighten_rule(by_admin, guard, address::rule(&guard, 3), defaults::drawdown_rule(), valid),
            &admin,
        ),
        one(
            "tighten_integration",
            integration::tighten_integration(by_admin, guard, place.keys.integration, tighter, valid),
            &admin,
        ),
        one("set_keepers", keepers::set_keepers(by_root, guard, set, valid), &root),
        one("set_bounty", bounty::set_bounty(by_root, guard, bounty_params(1), valid), &root),
        one("withdraw_bounty", bounty::withdraw_bounty(by_root, guard, to, 1, valid), &root),
        one("create_rule", admin::create_rule(by_root, guard, k.vault, 9, rules::utilisation()), &root),
        one("create_group", groups::create_group(by_root, guard, k.collateral_asset, 9, group, &members), &root),
        one("register_asset", admin::register_asset(by_root, guard, fresh.mint, args), &root),
        one("initialize_vault", admin::initialize_vault(by_root, guard, world.usdc, world.sol, defaults_args()), &root),
        one("register_integration", world.register_ix(&next, setup), &root),
        Act {
            name: "enter_resolution",
            ix: exit::enter_resolution(&k, by_root, &guardians, 10 * 86_400, valid),
            signers: root_and_quorum(world),
        },
    ]
}

/// Root, and both guardians.
fn root_and_quorum(world: &World) -> Vec<Keypair> {
    let [first, second] = quorum();
    vec![world.root.insecure_clone(), first, second]
}

/// Asserts that `act` is refused behind an advanced nonce, that it lands without one, and that no other account passes
/// for the sysvar.
#[track_caller]
fn assert_refuses_nonce(world: &mut World, advance: &Instruction, act: &Act) {
    let root = world.root.insecure_clone();
    let signers: Vec<&Keypair> = act.signers.iter().chain([&root]).collect();
    let payer = world.payer_address();
    let keys: Vec<Pubkey> = act.ix.accounts.iter().map(|m| m.pubkey).filter(|k| *k != payer).collect();
    assert_unchanged(world, &keys, |w| {
        let failed = w.send(&[advance.clone(), act.ix.clone()], &signers).expect_err(act.name);
        assert_eq!(code_of(&failed.err), u32::from(E::DurableNonceRefused), "{}", act.name);
    });
    let sysvar = act.ix.accounts.iter().position(|m| m.pubkey == INSTRUCTIONS_SYSVAR);
    let sysvar = sysvar.unwrap_or_else(|| panic!("`{}` doesn't name the sysvar", act.name));
    let signers: Vec<&Keypair> = act.signers.iter().collect();
    let cosplay = with_account(&act.ix, sysvar, world.guard);
    let cosplay_outcome = world.send(std::slice::from_ref(&cosplay), &signers).expect_err(act.name);
    assert_eq!(code_of(&cosplay_outcome.err), u32::from(ErrorCode::ConstraintAddress), "{}", act.name);
    world.send(std::slice::from_ref(&act.ix), &signers).unwrap_or_else(|e| panic!("{}: {:?}", act.name, e.meta.logs));
}

/// Case 1: all that root, risk admin and the quorum do at once.
#[test]
fn case_001_privileged_instruction_on_a_durable_nonce() {
    let (mut world, keepers, place) = setup();
    let advance = nonce(&mut world);
    for act in acts(&mut world, &keepers, &place) {
        assert_refuses_nonce(&mut world, &advance, &act);
    }
    let root = world.root.pubkey();
    let ix = exit::leave_resolution(
        &world.keys,
        root,
        &[Officer::FirstGuardian.address(), Officer::SecondGuardian.address()],
        world.validity(),
    );
    let signers = root_and_quorum(&world);
    assert_refuses_nonce(&mut world, &advance, &Act { name: "leave_resolution", ix, signers });
}

/// Case 1: what creates the accounts that a guard has once.
#[test]
fn case_001_creation_on_a_durable_nonce() {
    let mut world = World::with_vault();
    let (root, keepers_) = (world.root.insecure_clone(), Keepers::new(&mut world, 3));
    let advance = nonce(&mut world);
    let ix = keepers::initialize_keepers(root.pubkey(), world.guard, keepers_.args());
    assert_refuses_nonce(
        &mut world,
        &advance,
        &Act { name: "initialize_keepers", ix, signers: vec![root.insecure_clone()] },
    );
    let ix = bounty::initialize_bounty(root.pubkey(), world.guard, bounty_params(1));
    assert_refuses_nonce(&mut world, &advance, &Act { name: "initialize_bounty", ix, signers: vec![root] });
}

/// Case 1: the dollar limit, swap policies and the reserve.
#[test]
fn case_001_limits_and_swaps_on_a_durable_nonce() {
    let mut world = World::with_vault();
    let (root, guard, valid) = (world.root.insecure_clone(), world.guard, world.validity());
    let (limit, allowed) = (defaults::aggregate(), swaps::disabled(swaps::params(swaps::TOKEN_SWAP)));
    world.market(1_000_000_000, 1_000_000);
    let advance = nonce(&mut world);
    let lower = rampart::state::AggregateParams { limit_micro_usd: limit.limit_micro_usd - 1, ..limit };
    let slower = rampart::state::SwapParams { cooldown_secs: allowed.cooldown_secs + 1, ..allowed };
    let mints = [world.sol.mint, world.usdc.mint];
    let by = root.pubkey();
    for (name, ix) in [
        ("initialize_aggregate", aggregate::initialize_aggregate(by, guard, limit)),
        ("tighten_aggregate", aggregate::tighten_aggregate(by, guard, lower, valid)),
        ("create_swap_policy", swap::create_swap_policy(by, guard, 1, allowed, valid)),
        ("tighten_swap_policy", swap::tighten_swap_policy(by, guard, address::swap_policy(&guard, 1), slower, valid)),
        ("initialize_reserve", swap::initialize_reserve(by, guard, &mints, swaps::plan(), valid)),
    ] {
        assert_refuses_nonce(&mut world, &advance, &Act { name, ix, signers: vec![root.insecure_clone()] });
    }
}

/// Case 1: the resetter lowers levels, at the time that it signs for and no other.
#[test]
fn case_001_reset_on_a_durable_nonce() {
    let mut world = World::with_vault();
    let (guard, resetter) = (world.guard, Officer::Resetter.key());
    let rule = world.create_rule(1, world.keys.collateral_asset, defaults::drawdown_rule());
    let advance = nonce(&mut world);
    let source = Officer::FirstGuardian.address();
    let args = GuardianPauseArgs { level: 1, duration_secs: 3_600, validity: world.validity() };
    let pause = guardian::guardian_pause(source, guard, world.keys.vault, args);
    world.send(&[pause], &[&Officer::FirstGuardian.key()]).unwrap();
    world.warm_up(10, 60);
    world.tick(30, 130.0, 1.0);
    world.trip(rule).unwrap();
    world.advance(300);
    world.set_prices(150.0, 1.0);
    let lift = guardian::lift_pause(resetter.pubkey(), guard, world.keys.vault, source, world.validity());
    let (pair, oracles) = world.evidence_of(&rule);
    let reset =
        guardian::reset_breaker(resetter.pubkey(), (rule, &world.rule(&rule)), pair, &oracles, world.validity());
    for (name, ix) in [("reset_breaker", reset), ("lift_pause", lift)] {
        assert_refuses_nonce(&mut world, &advance, &Act { name, ix, signers: vec![resetter.insecure_clone()] });
    }
}

/// A pause that is signed in advance carries its own expiry; a veto and a cancellation name one change.
#[test]
fn pause_veto_and_cancellation_pass_on_a_durable_nonce() {
    let mut world = World::with_vault();
    let (guard, vault, root) = (world.guard, world.keys.vault, world.root.insecure_clone());
    let advance = nonce(&mut world);
    let args = GuardianPauseArgs { level: 1, duration_secs: 3_600, validity: world.validity() };
    let pause = guardian::guardian_pause(Officer::FirstGuardian.address(), guard, vault, args);
    world.send(&[advance.clone(), pause], &[&Officer::FirstGuardian.key(), &root]).unwrap();
    let mut limits = world.vault().limits;
    limits.supply_cap_amount += 1;
    for stop in [
        |by: &Keypair, key, change: &_| control::veto_change(by.pubkey(), key, change),
        |by: &Keypair, key, change: &_| control::cancel_change(by.pubkey(), key, change),
    ] {
        let key = world.propose(vault, rampart::state::Change::VaultLimits(limits));
        let by = if world.guard_state().next_change_id == 1 { Officer::Vetoer.key() } else { root.insecure_clone() };
        let ix = stop(&by, key, &world.change(&key));
        world.send(&[advance.clone(), ix], &[&by, &root]).unwrap();
        assert!(!world.exists(&key));
    }
}
