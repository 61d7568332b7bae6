//! Change control: what waits, who stops it, what is refused at its execution, and the attacks on it.

use anchor_lang::error::ErrorCode;
use anchor_lang::solana_program::system_instruction;
use rampart::Validity;
use rampart::constants::{MAX_LOOSEN_DELAY_SECS, MIN_LOOSEN_DELAY_SECS};
use rampart::error::RampartError as E;
use rampart::events::{ChangeExecuted, ChangeProposed, ChangeStopped};
use rampart::state::{Change, ChangeGroup, Direction, Level, Roles, Switch};
use rampart_client::{AccountMeta, Instruction, Pubkey, address, control, evidence};
use rampart_tests::defaults::{self, SOL, USDC};
use rampart_tests::officers::{Officer, faster, one_source, quorum};
use rampart_tests::refusals::{with_account, with_extra, with_read_only, without_last};
use rampart_tests::{World, assert_error, events};
use solana_sdk::signature::Keypair;
use solana_sdk::signer::Signer;

const DELAY: i64 = MIN_LOOSEN_DELAY_SECS as i64;
const TARGET: usize = 3;

/// Edits the limits of a vault.
type LimitsEdit = fn(&mut rampart::state::VaultLimits);

fn root(world: &World) -> Keypair {
    world.root.insecure_clone()
}

fn limits_up(world: &World, bps: u16) -> Change {
    let mut limits = world.vault().limits;
    limits.loan_flow.daily_bps = (u32::from(limits.loan_flow.daily_bps) * u32::from(bps) / 10_000) as u16;
    Change::VaultLimits(limits)
}

fn line(world: &World, liquidation_line_bps: u16) -> Change {
    Change::VaultRisk(rampart::state::RiskParams { liquidation_line_bps, ..world.vault().risk })
}

fn metas(keys: &[Pubkey]) -> Vec<AccountMeta> {
    keys.iter().map(|key| AccountMeta::new_readonly(*key, false)).collect()
}

/// What a change of a vault's lines is tried on.
fn pair_evidence(world: &World, positions: &[Pubkey]) -> Vec<AccountMeta> {
    let assets = metas(&[world.keys.collateral_asset, world.keys.loan_asset]);
    [assets, world.pair_oracles(), metas(positions)].concat()
}

fn new_roles(world: &World, change: impl FnOnce(&mut Roles)) -> Change {
    let mut roles = world.guard_state().roles;
    change(&mut roles);
    Change::Roles(roles)
}

#[track_caller]
fn refuses_proposal(world: &mut World, target: Pubkey, change: Change, expected: E) {
    let (ix, root) = (world.propose_ix(target, change), root(world));
    world.refuses(&ix, &[&root], expected);
}

#[track_caller]
fn refuses_execution(world: &mut World, key: Pubkey, evidence: &[AccountMeta], expected: E) {
    let ix = world.execute_ix(key, evidence);
    world.refuses(&ix, &[], expected);
}

#[test]
fn change_waits_and_is_executed_by_anyone() {
    let mut world = World::with_vault();
    let (vault, before) = (world.keys.vault, world.vault());
    let change = limits_up(&world, 11_000);
    let key = address::change(&world.guard, 0);
    let ix = world.propose_ix(vault, change);
    let landed = world.send_as_root(&[ix]).unwrap();
    let fact: ChangeProposed = events::the_one(&landed);
    let (now, window) = (world.now_ts(), i64::from(defaults::bounds().max_execution_window_secs));
    assert_eq!((fact.change, fact.target, fact.group), (key, vault, ChangeGroup::VaultLimits as u8));
    assert_eq!((fact.direction, fact.eta_ts), (Direction::Looser as u8, now + DELAY));
    assert_eq!(fact.expires_at_ts, now + DELAY + window);
    let pending = world.change(&key);
    assert_eq!((pending.change().unwrap(), pending.rent_to), (change, world.root.pubkey()));
    assert_eq!(pending.value_hash, Change::VaultLimits(before.limits).hash());
    world.advance(DELAY - 1);
    refuses_execution(&mut world, key, &[], E::ChangeNotRipe);
    world.advance(1);
    let landed = world.execute(key, &[]).unwrap();
    let fact: ChangeExecuted = events::the_one(&landed);
    assert_eq!((fact.change, fact.target, fact.authority_epoch), (key, vault, 0));
    assert_eq!(Change::VaultLimits(world.vault().limits), change);
    assert!(!world.exists(&key), "the change is closed");
    assert_eq!(world.guard_state().next_change_id, 1);
}

#[test]
fn proposal_fails_when_signer_epoch_expiry_or_accounts_are_wrong() {
    let mut world = World::with_vault();
    let (vault, change, root) = (world.keys.vault, limits_up(&world, 11_000), root(&world));
    let ix = world.propose_ix(vault, change);
    let stranger = world.risk_admin.insecure_clone();
    world.refuses(&with_account(&ix, 0, stranger.pubkey()), &[&stranger], E::WrongAuthority);
    let mut unsigned = ix.clone();
    unsigned.accounts[0].is_signer = false;
    world.anchor_refuses(&unsigned, &[], ErrorCode::AccountNotSigner);
    world.anchor_refuses(
        &with_account(&ix, 2, world.keys.loan_asset),
        &[&root],
        ErrorCode::AccountDiscriminatorMismatch,
    );
    world.anchor_refuses(&with_account(&ix, TARGET + 1, vault), &[&root], ErrorCode::ConstraintAddress);
    let foreign = world.other_guard();
    world.refuses(&with_account(&ix, 2, foreign.vault), &[&root], E::ChangeTargetMismatch);
    let wrong_number = with_account(&ix, TARGET, address::change(&world.guard, 1));
    world.anchor_refuses(&wrong_number, &[&root], ErrorCode::ConstraintSeeds);
    world.advance(61);
    world.refuses(&ix, &[&root], E::InstructionExpired);
    let validity = Validity { authority_epoch: 1, ..world.validity() };
    let now = world.value(ChangeGroup::VaultLimits, &vault);
    let stale = control::propose_change((world.guard, &world.guard_state()), vault, (now, change), validity, &[]);
    world.refuses(&stale, &[&root], E::AuthorityEpochMoved);
}

#[test]
fn proposal_fails_when_the_value_could_not_stand() {
    let mut world = World::with_vault();
    let (vault, guard, asset) = (world.keys.vault, world.guard, world.keys.collateral_asset);
    let rule = world.create_rule(1, asset, defaults::drawdown_rule());
    let same = world.value(ChangeGroup::VaultCurve, &vault);
    refuses_proposal(&mut world, vault, same, E::ChangeIsEmpty);
    let mut risk = world.vault().risk;
    risk.soft_line_bps -= 1;
    refuses_proposal(&mut world, vault, Change::VaultRisk(risk), E::FixedAtCreation);
    let mut params = world.rule(&rule).params;
    params.window_secs += 1;
    refuses_proposal(&mut world, rule, Change::Rule(params), E::FixedAtCreation);
    let mut reference = defaults::reference();
    reference.cell_secs += 1;
    refuses_proposal(&mut world, asset, Change::AssetReference(reference), E::FixedAtCreation);
    let mut set = world.sol_asset().oracle;
    set.count = 0;
    refuses_proposal(&mut world, asset, Change::AssetOracle(set), E::OracleSetInvalid);
    for secs in [MIN_LOOSEN_DELAY_SECS - 1, MAX_LOOSEN_DELAY_SECS + 1] {
        refuses_proposal(&mut world, guard, Change::LoosenDelay(secs), E::OutsideHardBounds);
    }
    let other_root = new_roles(&world, |r| r.root = Pubkey::new_from_array([9; 32]));
    refuses_proposal(&mut world, guard, other_root, E::RootNeedsAcceptance);
}

/// Cases 1: an admin transaction that a durable nonce kept signable for weeks.
#[test]
fn case_001_admin_transaction_on_a_durable_nonce() {
    let mut world = World::with_vault();
    let root = root(&world);
    let nonce = world.new_key();
    let rent = world.svm.minimum_balance_for_rent_exemption(80);
    let create =
        system_instruction::create_nonce_account(&world.payer_address(), &nonce.pubkey(), &root.pubkey(), rent);
    world.send(&create, &[&nonce]).unwrap();
    let advance = system_instruction::advance_nonce_account(&nonce.pubkey(), &root.pubkey());
    let propose = world.propose_ix(world.keys.vault, limits_up(&world, 11_000));
    let outcome = world.send(&[advance.clone(), propose.clone()], &[&root]);
    assert_error(outcome, E::DurableNonceRefused);
    world.send_as_root(&[propose]).unwrap();
    let key = address::change(&world.guard, 0);
    world.ripen();
    let execute = world.execute_ix(key, &[]);
    let outcome = world.send(&[advance, execute.clone()], &[&root]);
    assert_error(outcome, E::DurableNonceRefused);
    world.send(&[execute], &[]).unwrap();
}

/// Case 2: become root, then loosen, four slots apart.
#[test]
fn case_002_new_root_and_a_loosening_at_once() {
    let mut world = World::with_vault();
    let (thief, guard) = (world.risk_admin.insecure_clone(), world.guard);
    let fresh = world.new_key();
    world.svm.airdrop(&fresh.pubkey(), 10_000_000_000).unwrap();
    let loosening = world.propose(world.keys.vault, limits_up(&world, 11_000));
    let key = world.propose(guard, Change::Root(fresh.pubkey()));
    let accept = control::accept_root(fresh.pubkey(), key, &world.change(&key));
    world.refuses(&accept, &[&fresh], E::ChangeNotRipe);
    world.ripen();
    refuses_execution(&mut world, key, &[], E::RootNeedsAcceptance);
    world.refuses(&with_account(&accept, 0, thief.pubkey()), &[&thief], E::WrongAuthority);
    let landed = world.send(&[accept], &[&fresh]).unwrap();
    assert_eq!(events::the_one::<ChangeExecuted>(&landed).authority_epoch, 1);
    assert_eq!(world.guard_state().roles.root, fresh.pubkey());
    refuses_execution(&mut world, loosening, &[], E::AuthorityEpochMoved);
    let old = root(&world);
    let ix = world.propose_ix(world.keys.vault, limits_up(&world, 11_000));
    world.refuses(&with_account(&ix, 0, old.pubkey()), &[&old], E::WrongAuthority);
}

/// Case 3: an approval that outlived a rotation of its signers.
#[test]
fn case_003_stale_approval_after_rotation() {
    let mut world = World::with_vault();
    let (guard, vault) = (world.guard, world.keys.vault);
    let stale = world.propose(vault, limits_up(&world, 11_000));
    let rotation = new_roles(&world, |r| r.resetter = Pubkey::new_from_array([0x55; 32]));
    let key = world.propose(guard, rotation);
    let approved = world.propose_ix(vault, limits_up(&world, 11_000));
    world.ripen();
    world.execute(key, &[]).unwrap();
    assert_eq!(world.guard_state().authority_epoch, 1);
    refuses_execution(&mut world, stale, &[], E::AuthorityEpochMoved);
    let root = root(&world);
    world.refuses(&approved, &[&root], E::AuthorityEpochMoved);
}

/// Case 4: no limit can be set to infinity, or to nothing, whoever signs and however long it waits.
#[test]
fn case_004_limit_at_infinity() {
    let mut world = World::with_vault();
    let vault = world.keys.vault;
    let with = |world: &World, change: LimitsEdit| {
        let mut limits = world.vault().limits;
        change(&mut limits);
        Change::VaultLimits(limits)
    };
    let changes: [(LimitsEdit, E); 4] = [
        (|l| l.loan_flow.daily_bps = u16::MAX, E::OutsideHardBounds),
        (|l| l.loan_flow.hourly_bps = 3_001, E::OutsideHardBounds),
        (|l| l.loan_flow.hourly_bps = 0, E::LimiterInvalid),
        (|l| l.exit_floor_bps = 49, E::OutsideHardBounds),
    ];
    for (change, expected) in changes {
        let change = with(&world, change);
        refuses_proposal(&mut world, vault, change, expected);
    }
    // what no bound stops at the proposal, the effect stops at the execution
    let huge = with(&world, |l| l.loan_flow.absolute_floor_amount = u64::MAX);
    let key = world.propose(vault, huge);
    world.ripen();
    refuses_execution(&mut world, key, &[], E::EffectTooLarge);
}

/// Case 5: lower the delay, then loosen under the new one.
#[test]
fn case_005_shorter_delay_first() {
    let mut world = World::with_vault();
    let (guard, vault) = (world.guard, world.keys.vault);
    let longer = world.propose(guard, Change::LoosenDelay(2 * MIN_LOOSEN_DELAY_SECS));
    world.execute(longer, &[]).unwrap();
    assert_eq!(world.guard_state().loosen_delay_secs, 2 * MIN_LOOSEN_DELAY_SECS);
    let shorter = world.propose(guard, Change::LoosenDelay(MIN_LOOSEN_DELAY_SECS));
    let loosening = world.propose(vault, limits_up(&world, 11_000));
    world.advance(2 * DELAY - 1);
    refuses_execution(&mut world, shorter, &[], E::ChangeNotRipe);
    refuses_execution(&mut world, loosening, &[], E::ChangeNotRipe);
    world.advance(1);
    world.execute(shorter, &[]).unwrap();
    world.execute(loosening, &[]).unwrap();
}

/// Case 5: a delay that is raised against a loosening which already waits holds for that, too.
#[test]
fn case_005_longer_delay_holds_for_what_is_pending() {
    let mut world = World::with_vault();
    let loosening = world.propose(world.keys.vault, limits_up(&world, 11_000));
    let longer = world.propose(world.guard, Change::LoosenDelay(MIN_LOOSEN_DELAY_SECS + 100));
    world.execute(longer, &[]).unwrap();
    world.advance(DELAY + 99);
    refuses_execution(&mut world, loosening, &[], E::ChangeNotRipe);
    world.advance(1);
    world.execute(loosening, &[]).unwrap();
}

/// Case 6: a loosening hidden in a batch of tightenings, and a window moved with its threshold so that the rate rises.
#[test]
fn case_006_loosening_hidden_in_a_batch() {
    let mut world = World::with_vault();
    let (vault, admin) = (world.keys.vault, world.risk_admin.insecure_clone());
    let rule = world.create_rule(1, world.keys.collateral_asset, defaults::drawdown_rule());
    let limits = world.vault().limits;
    let mut hidden = limits;
    (hidden.supply_cap_amount, hidden.borrow_cap_amount) = (1, 1);
    hidden.collateral_flow.daily_bps += 1;
    let args = rampart::TightenVaultArgs {
        ltv_bps: 7_000,
        supply_cap_amount: 1,
        borrow_cap_amount: 1,
        collateral_cap_amount: limits.collateral_cap_amount,
        loan_flow: limits.loan_flow,
        collateral_flow: hidden.collateral_flow,
        inflow: limits.inflow,
        scale: world.vault().scale,
    };
    let ix = rampart_client::admin::tighten_vault(admin.pubkey(), world.guard, vault, args, world.validity());
    world.refuses(&ix, &[&admin], E::LooseningRefused);
    let shorter = rampart::state::rule::RuleParams {
        threshold: 900,
        clear_threshold: 400,
        window_secs: 60,
        ..defaults::drawdown_rule()
    };
    let ix = rampart_client::admin::tighten_rule(admin.pubkey(), world.guard, rule, shorter, world.validity());
    world.refuses(&ix, &[&admin], E::LooseningRefused);
    let key = world.propose(vault, Change::VaultLimits(hidden));
    assert_eq!(world.change(&key).direction, Direction::Looser as u8);
    world.ripen();
    world.execute(key, &[]).unwrap();
}

/// Case 7: executed after the value it was prepared against moved.
#[test]
fn case_007_value_moved_since() {
    let mut world = World::with_vault();
    let (vault, root) = (world.keys.vault, root(&world));
    let (first, second) = (limits_up(&world, 11_000), limits_up(&world, 12_000));
    let prepared = world.propose_ix(vault, first);
    let (one, two) = (world.propose(vault, first), world.propose(vault, second));
    world.ripen();
    world.execute(one, &[]).unwrap();
    refuses_execution(&mut world, two, &[], E::ChangeValueMoved);
    let mut prepared = with_account(&prepared, TARGET, address::change(&world.guard, 2));
    let fresh = world.propose_ix(vault, second);
    // the value's hash of before under the validity of now
    let (tail, hash_at) = (48, fresh.data.len() - 48);
    prepared.data.truncate(prepared.data.len() - 16);
    prepared.data.extend_from_slice(&fresh.data[fresh.data.len() - 16..]);
    assert_eq!(prepared.data.len() - tail, hash_at);
    world.refuses(&prepared, &[&root], E::ChangeValueMoved);
}

/// Case 8: left for months, executed in a crisis.
#[test]
fn case_008_forgotten_change() {
    let mut world = World::with_vault();
    let key = world.propose(world.keys.vault, limits_up(&world, 11_000));
    let window = i64::from(defaults::bounds().max_execution_window_secs);
    world.advance(DELAY + window);
    refuses_execution(&mut world, key, &[], E::ChangeExpired);
    let cancel = control::cancel_change(world.root.pubkey(), key, &world.change(&key));
    let landed = world.send_as_root(&[cancel]).unwrap();
    assert_eq!(events::the_one::<ChangeStopped>(&landed).by, world.root.pubkey());
    assert!(!world.exists(&key));
}

/// Cases 9 and 10: two roles for one key, and default keys, by the way of a change.
#[test]
fn case_009_two_roles_for_one_key() {
    let mut world = World::with_guard();
    let guard = world.guard;
    let changes: [fn(&mut Roles); 4] = [
        |r| r.resetter = r.risk_admin,
        |r| r.guardians[1] = r.resetter,
        |r| r.risk_admin = Pubkey::default(),
        |r| r.guardian_quorum = 0,
    ];
    for change in changes {
        let change = new_roles(&world, change);
        refuses_proposal(&mut world, guard, change, E::RolesInvalid);
    }
    for key in [Pubkey::default(), Officer::Vetoer.address(), world.risk_admin.pubkey()] {
        refuses_proposal(&mut world, guard, Change::Root(key), E::RolesInvalid);
    }
}

/// Case 11: a lower liquidation line waits, and doesn't make a healthy position of the sample liquidatable.
#[test]
fn case_011_lower_line_hits_a_healthy_position() {
    let mut world = World::with_vault();
    world.lender(1_000_000 * USDC);
    let edge = world.borrower(100 * SOL, 10_400 * USDC);
    let safe = world.borrower(1_000 * SOL, 10_000 * USDC);
    let vault = world.keys.vault;
    let change = line(&world, 7_600);
    let key = world.propose(vault, change);
    world.ripen();
    // the edge owes 10_400 and the interest of two days against 100 SOL
    world.set_prices(136.5, 1.0);
    let evidence = |w: &World, p: &[Pubkey]| pair_evidence(w, p);
    let with_edge = evidence(&world, &[safe.position, edge.position]);
    refuses_execution(&mut world, key, &with_edge, E::HealthyPositionHit);
    let twins = evidence(&world, &[safe.position, safe.position]);
    refuses_execution(&mut world, key, &twins, E::SampleInvalid);
    let none = evidence(&world, &[]);
    refuses_execution(&mut world, key, &none, E::SampleInvalid);
    let lender = world.user(0, 0);
    let without_debt = evidence(&world, &[lender.position]);
    refuses_execution(&mut world, key, &without_debt, E::SampleInvalid);
    refuses_execution(&mut world, key, &[], E::VaultAssetsInvalid);
    let few = evidence(&world, &[])[..5].to_vec();
    refuses_execution(&mut world, key, &few, E::OracleAccountsMissing);
    let fine = evidence(&world, &[safe.position]);
    world.execute(key, &fine).unwrap();
    assert_eq!(world.vault().risk.liquidation_line_bps, 7_600);
}

/// Cases 11 and 12: a change may move a line, an allowance or a price by a bound only.
#[test]
fn case_012_effect_beyond_the_bound() {
    let mut world = World::with_vault();
    let (vault, asset) = (world.keys.vault, world.keys.collateral_asset);
    let low = {
        let risk = world.vault().risk;
        Change::VaultRisk(rampart::state::RiskParams { ltv_bps: 5_200, ..risk })
    };
    let (too_low, too_high) = (world.propose(vault, low), world.propose(vault, limits_up(&world, 12_510)));
    let moved = world.propose(asset, Change::AssetOracle(one_source(world.sol_asset().oracle)));
    world.ripen();
    refuses_execution(&mut world, too_low, &[], E::EffectTooLarge);
    refuses_execution(&mut world, too_high, &[], E::EffectTooLarge);
    // both present sources say 150 together; the one that would stay says 190
    let feeds = world.sol_feeds;
    let evidence = [feeds.metas(), feeds.metas()[..1].to_vec()].concat();
    world.publish_pyth(&feeds, 190.0, 5, world.now_ts());
    refuses_execution(&mut world, moved, &evidence, E::EffectUnknown);
    world.set_prices(150.0, 1.0);
    let evidence_short = feeds.metas();
    refuses_execution(&mut world, moved, &evidence_short, E::OracleAccountsMissing);
    world.execute(moved, &evidence).unwrap();
    assert_eq!(world.sol_asset().oracle.count, 1);
}

/// Case 12: the new sources against a warm reference, where the present ones are silent.
#[test]
fn case_012_new_source_far_from_the_reference() {
    let mut world = World::with_vault();
    let asset = world.keys.collateral_asset;
    let key = world.propose(asset, Change::AssetOracle(one_source(world.sol_asset().oracle)));
    world.ripen();
    world.warm_up(4, 60);
    let feeds = world.sol_feeds;
    let evidence = [feeds.metas(), feeds.metas()[..1].to_vec()].concat();
    world.publish_pyth(&feeds, 190.0, 5, world.now_ts());
    refuses_execution(&mut world, key, &evidence, E::EffectTooLarge);
    world.publish_pyth(&feeds, 160.0, 5, world.now_ts());
    world.execute(key, &evidence).unwrap();
}

/// Case 13: an unsafe configuration must not become eternal.
#[test]
fn case_013_freeze_of_an_unsafe_configuration() {
    let mut world = World::with_vault();
    let (k, root_key, signer) = (world.keys, world.root.pubkey(), root(&world));
    let guard = world.guard;
    let freeze = |w: &World, all: &[Pubkey]| control::freeze_forever(root_key, guard, w.validity(), all);
    let all = vec![k.vault, k.collateral_asset, k.loan_asset];
    world.refuses(&freeze(&world, &all), &[&signer], E::CensusNotEnabled);
    let disabled = rampart::state::rule::RuleParams { switch: Switch::Disabled as u8, ..defaults::drawdown_rule() };
    let rule = world.create_rule(1, k.collateral_asset, disabled);
    let with_rule = [all.clone(), vec![rule]].concat();
    world.refuses(&freeze(&world, &all), &[&signer], E::CensusIncomplete);
    world.refuses(&freeze(&world, &with_rule), &[&signer], E::CensusNotEnabled);
    let enable = rampart_client::admin::tighten_rule(
        root_key,
        guard,
        rule,
        rampart::state::rule::RuleParams { switch: Switch::Enabled as u8, ..disabled },
        world.validity(),
    );
    world.send_as_root(&[enable]).unwrap();
    let twice = [with_rule.clone(), vec![rule]].concat();
    world.refuses(&freeze(&world, &twice), &[&signer], E::CensusIncomplete);
    world.refuses(&freeze(&world, &with_rule[1..]), &[&signer], E::CensusIncomplete);
    let foreign = world.other_guard();
    let swapped = [with_rule[1..].to_vec(), vec![foreign.vault]].concat();
    world.refuses(&freeze(&world, &swapped), &[&signer], E::CensusIncomplete);
    let mut unordered = freeze(&world, &with_rule);
    let last = unordered.accounts.len() - 1;
    unordered.accounts.swap(last, last - 1);
    world.refuses(&unordered, &[&signer], E::CensusIncomplete);
    let pending = world.propose(k.vault, limits_up(&world, 11_000));
    let heir = world.new_key();
    let successor = world.propose(guard, Change::Root(heir.pubkey()));
    world.send_as_root(&[freeze(&world, &with_rule)]).unwrap();
    world.refuses(&freeze(&world, &with_rule), &[&signer], E::GuardFrozen);
    let limits = limits_up(&world, 11_000);
    refuses_proposal(&mut world, k.vault, limits, E::GuardFrozen);
    let other = world.create_mint(anchor_spl::token::ID, 9);
    let register = world.register_asset_ix(other, world.sol_feeds);
    world.refuses(&register, &[&signer], E::GuardFrozen);
    let args = rampart_tests::world::defaults_args();
    let reversed = rampart_client::admin::initialize_vault(root_key, guard, world.usdc, world.sol, args);
    world.refuses(&reversed, &[&signer], E::GuardFrozen);
    world.ripen();
    refuses_execution(&mut world, pending, &[], E::GuardFrozen);
    let accept = control::accept_root(heir.pubkey(), successor, &world.change(&successor));
    world.refuses(&accept, &[&heir], E::GuardFrozen);
    let longer = world.propose(guard, Change::LoosenDelay(MIN_LOOSEN_DELAY_SECS + 1));
    world.execute(longer, &[]).unwrap();
    assert_eq!(world.guard_state().loosen_delay_secs, MIN_LOOSEN_DELAY_SECS + 1);
}

/// Case 15: a new value must not be applied to past time.
#[test]
fn case_015_new_value_for_past_time() {
    let mut world = World::with_vault();
    world.lender(1_000_000 * USDC);
    world.borrower(100 * SOL, 10_000 * USDC);
    let (vault, asset) = (world.keys.vault, world.keys.collateral_asset);
    let mut curve = world.vault().curve;
    (curve.kink_rate_bps, curve.max_rate_bps) = (2_000, 20_000);
    let dearer = world.propose(vault, Change::VaultCurve(curve));
    let reference = faster(world.sol_asset().reference_params);
    let quicker = world.propose(asset, Change::AssetReference(reference));
    world.ripen();
    let mut expected = world.vault();
    expected.accrue(world.now_ts()).unwrap();
    world.execute(dearer, &[]).unwrap();
    let after = world.vault();
    assert_eq!(after.borrow_index_q64, expected.borrow_index_q64, "two days at the old rate");
    assert_eq!((after.accrued_at_ts, after.curve), (world.now_ts(), curve));
    world.observe_both();
    world.advance(1);
    world.set_prices(150.0, 1.0);
    refuses_execution(&mut world, quicker, &[], E::SettleFirst);
    let observe = evidence::observe(asset, world.sol.mint, &world.sol_feeds.metas());
    let execute = world.execute_ix(quicker, &[]);
    world.send(&[observe, execute], &[]).unwrap();
    assert_eq!(world.sol_asset().reference_params, reference);
}

/// Case 16: every state of a change has a way out, and an unknown group is refused.
#[test]
fn case_016_change_that_nobody_can_decode() {
    let mut world = World::with_vault();
    let key = world.propose(world.keys.vault, limits_up(&world, 11_000));
    let mut unknown = world.change(&key);
    unknown.group = 77;
    world.store(&key, &unknown);
    world.ripen();
    refuses_execution(&mut world, key, &[], E::UnknownStoredValue);
    let cancel = control::cancel_change(world.root.pubkey(), key, &unknown);
    world.send_as_root(&[cancel]).unwrap();
    assert!(!world.exists(&key));
}

/// Case 18: an address that somebody else initialises first.
#[test]
fn case_018_guard_at_the_address_of_another_creator() {
    let mut world = World::empty();
    let stranger = world.risk_admin.insecure_clone();
    let mut args = rampart::InitializeGuardArgs {
        roles: defaults::roles(stranger.pubkey(), world.payer_address()),
        bounds: defaults::bounds(),
    };
    args.roles.risk_admin = Pubkey::new_from_array([3; 32]);
    let ix = rampart_client::admin::initialize_guard(stranger.pubkey(), 1, args);
    world.anchor_refuses(&with_account(&ix, 1, world.guard), &[&stranger], ErrorCode::ConstraintSeeds);
}

#[test]
fn veto_by_vetoer_or_any_guardian_closes_the_change_and_returns_the_rent() {
    let mut world = World::with_vault();
    for officer in [Officer::Vetoer, Officer::FirstGuardian, Officer::SecondGuardian] {
        let before = world.svm.get_balance(&world.root.pubkey()).unwrap();
        let key = world.propose(world.keys.vault, limits_up(&world, 11_000));
        let veto = control::veto_change(officer.address(), key, &world.change(&key));
        let landed = world.send(&[veto], &[&officer.key()]).unwrap();
        assert_eq!(events::the_one::<ChangeStopped>(&landed).by, officer.address());
        assert!(!world.exists(&key));
        assert_eq!(world.svm.get_balance(&world.root.pubkey()).unwrap(), before);
    }
}

#[test]
fn veto_and_cancel_fail_for_everybody_else_and_for_wrong_accounts() {
    let mut world = World::with_vault();
    let key = world.propose(world.keys.vault, limits_up(&world, 11_000));
    let change = world.change(&key);
    let (root, admin) = (root(&world), world.risk_admin.insecure_clone());
    let resetter = Officer::Resetter.key();
    for signer in [&root, &admin, &resetter] {
        let veto = control::veto_change(signer.pubkey(), key, &change);
        world.refuses(&veto, &[signer], E::WrongAuthority);
    }
    for signer in [&admin, &resetter, &Officer::Vetoer.key()] {
        let cancel = control::cancel_change(signer.pubkey(), key, &change);
        world.refuses(&cancel, &[signer], E::WrongAuthority);
    }
    let vetoer = Officer::Vetoer.key();
    let veto = control::veto_change(vetoer.pubkey(), key, &change);
    let rent_thief = with_account(&veto, 3, admin.pubkey());
    world.refuses(&rent_thief, &[&vetoer], E::ChangeTargetMismatch);
    let mut unsigned = veto.clone();
    unsigned.accounts[0].is_signer = false;
    world.anchor_refuses(&unsigned, &[], ErrorCode::AccountNotSigner);
    let foreign = world.other_guard();
    world.refuses(&with_account(&veto, 1, foreign.guard), &[&vetoer], E::ChangeTargetMismatch);
}

#[test]
fn nobody_vetoes_a_change_of_their_own_role() {
    let mut world = World::with_guard();
    let guard = world.guard;
    let without_first = new_roles(&world, |r| r.guardians[0] = Pubkey::new_from_array([0x51; 32]));
    let key = world.propose(guard, without_first);
    let change = world.change(&key);
    let veto = |who: Officer| control::veto_change(who.address(), key, &change);
    world.refuses(&veto(Officer::FirstGuardian), &[&Officer::FirstGuardian.key()], E::OwnRoleVeto);
    world.send(&[veto(Officer::SecondGuardian)], &[&Officer::SecondGuardian.key()]).unwrap();
}

#[test]
fn vetoer_is_removed_by_root_and_a_quorum_of_guardians_alone() {
    let mut world = World::with_vault();
    let (guard, root) = (world.guard, root(&world));
    let change = new_roles(&world, |r| r.vetoer = Pubkey::new_from_array([0x52; 32]));
    refuses_proposal(&mut world, guard, change, E::QuorumMissing);
    let [first, second] = quorum();
    let now = world.value(ChangeGroup::Roles, &guard);
    let with = |w: &World, guardians: &[Pubkey]| {
        control::propose_change((guard, &w.guard_state()), guard, (now, change), w.validity(), guardians)
    };
    let twice = with(&world, &[first.pubkey(), first.pubkey()]);
    world.refuses(&twice, &[&root, &first], E::QuorumMissing);
    let mut unsigned = with(&world, &[first.pubkey(), second.pubkey()]);
    unsigned.accounts.last_mut().unwrap().is_signer = false;
    world.refuses(&unsigned, &[&root, &first], E::QuorumMissing);
    let ix = with(&world, &[first.pubkey(), second.pubkey()]);
    world.send(&[ix], &[&root, &first, &second]).unwrap();
    let key = address::change(&guard, 0);
    let veto = control::veto_change(Officer::Vetoer.address(), key, &world.change(&key));
    world.refuses(&veto, &[&Officer::Vetoer.key()], E::OwnRoleVeto);
    world.ripen();
    world.execute(key, &[]).unwrap();
    assert_eq!(world.guard_state().roles.vetoer, Pubkey::new_from_array([0x52; 32]));
}

#[test]
fn execution_fails_with_wrong_accounts() {
    let mut world = World::with_vault();
    let key = world.propose(world.keys.vault, limits_up(&world, 11_000));
    world.ripen();
    let ix = world.execute_ix(key, &[]);
    world.refuses(&with_account(&ix, 2, world.payer_address()), &[], E::ChangeTargetMismatch);
    let reversed = world.reversed_vault();
    world.refuses(&with_account(&ix, TARGET, reversed.vault), &[], E::ChangeTargetMismatch);
    let foreign = world.other_guard();
    world.refuses(&with_account(&ix, 0, foreign.guard), &[], E::ChangeTargetMismatch);
    world.anchor_refuses(&with_account(&ix, 4, world.guard), &[], ErrorCode::ConstraintAddress);
    world.anchor_refuses(&with_read_only(&ix, TARGET), &[], ErrorCode::ConstraintMut);
    let stolen = world.copy_under(&key, anchor_spl::token::ID);
    world.anchor_refuses(&with_account(&ix, 1, stolen), &[], ErrorCode::AccountOwnedByWrongProgram);
    world.anchor_refuses(&with_account(&ix, 1, world.keys.vault), &[], ErrorCode::AccountDiscriminatorMismatch);
    world.send(&[ix], &[]).unwrap();
}

#[test]
fn disabled_rule_waits_and_loses_its_streak() {
    let mut world = World::with_vault();
    let rule = world.create_rule(1, world.keys.collateral_asset, defaults::drawdown_rule());
    let params = rampart::state::rule::RuleParams { switch: Switch::Disabled as u8, ..defaults::drawdown_rule() };
    let key = world.propose(rule, Change::Rule(params));
    world.ripen();
    world.execute(key, &[]).unwrap();
    assert_eq!((world.rule(&rule).params, world.rule(&rule).streak.count), (params, 0));
    world.refuses(&world.trip_ix(rule), &[], E::RuleDisabled);
}

fn narrow_ix(world: &World, change: impl FnOnce(&mut rampart::state::HardBounds)) -> Instruction {
    let (mut bounds, k) = (world.guard_state().bounds, world.keys);
    change(&mut bounds);
    let all = [k.vault, k.collateral_asset, k.loan_asset];
    control::narrow_bounds(world.root.pubkey(), world.guard, bounds, world.validity(), &all)
}

#[test]
fn bounds_narrow_and_never_widen() {
    let mut world = World::with_vault();
    let (key, mut guard) = (world.guard, world.guard_state());
    guard.bounds.min_warm_up_secs = 10;
    world.store(&key, &guard);
    let signer = root(&world);
    let wider: [fn(&mut rampart::state::HardBounds); 19] = [
        |b| b.min_warm_up_secs -= 1,
        |b| b.max_oracle_age_secs += 1,
        |b| b.max_rule_duration_secs += 1,
        |b| b.min_loosen_delay_secs -= 1,
        |b| b.max_execution_window_secs += 1,
        |b| b.max_pause_secs += 1,
        |b| b.max_guardian_pause_secs += 1,
        |b| b.max_guard_pause_secs += 1,
        |b| b.quorum_reserve_secs += 1,
        |b| b.max_confidence_bps += 1,
        |b| b.max_hourly_outflow_bps += 1,
        |b| b.max_daily_outflow_bps += 1,
        |b| b.min_exit_floor_bps -= 1,
        |b| b.max_ltv_bps += 1,
        |b| b.max_bonus_bps += 1,
        |b| b.max_effect_bps += 1,
        |b| b.max_tighten_step_bps += 1,
        |b| b.max_slippage_bps += 1,
        |b| b.max_swap_loss_bps += 1,
    ];
    for change in wider {
        let ix = narrow_ix(&world, change);
        world.refuses(&ix, &[&signer], E::BoundsOnlyNarrow);
    }
    // what exists lies outside of these
    let tight: [fn(&mut rampart::state::HardBounds); 4] = [
        |b| b.max_ltv_bps = 6_999,
        |b| b.max_daily_outflow_bps = 3_999,
        |b| b.min_exit_floor_bps = 101,
        |b| b.max_oracle_age_secs = 80,
    ];
    for change in tight {
        let ix = narrow_ix(&world, change);
        world.refuses(&ix, &[&signer], E::OutsideHardBounds);
    }
    let ix = narrow_ix(&world, |b| b.max_effect_bps = 0);
    world.refuses(&ix, &[&signer], E::BoundsInvalid);
    let ix = narrow_ix(&world, |b| (b.max_ltv_bps, b.min_loosen_delay_secs) = (7_000, 200_000));
    world.refuses(&without_last(&ix), &[&signer], E::CensusIncomplete);
    world.refuses(&with_extra(&ix, world.guard), &[&signer], E::CensusIncomplete);
    let admin = world.risk_admin.insecure_clone();
    world.refuses(&with_account(&ix, 0, admin.pubkey()), &[&admin], E::WrongAuthority);
    world.send_as_root(&[ix]).unwrap();
    let guard = world.guard_state();
    assert_eq!((guard.bounds.max_ltv_bps, guard.loosen_delay_secs), (7_000, 200_000));
}

/// Case 11: tightening at once has a step for each day.
#[test]
fn case_011_tightening_beyond_the_step_of_the_day() {
    let mut world = World::with_vault();
    let (guard, admin) = (world.guard, world.risk_admin.insecure_clone());
    let rule = world.create_rule(1, world.keys.collateral_asset, defaults::drawdown_rule());
    let ix = narrow_ix(&world, |b| b.max_tighten_step_bps = 1_000);
    let all = [world.keys.vault, world.keys.collateral_asset, world.keys.loan_asset, rule];
    let bounds = rampart::state::HardBounds { max_tighten_step_bps: 1_000, ..world.guard_state().bounds };
    let with_rule = control::narrow_bounds(world.root.pubkey(), guard, bounds, world.validity(), &all);
    let signer = root(&world);
    world.refuses(&ix, &[&signer], E::CensusIncomplete);
    world.send_as_root(&[with_rule]).unwrap();
    let vault = world.vault();
    let cut = |world: &World, ltv_bps: u16, supply_cap_amount: u64| {
        let limits = world.vault().limits;
        let args = rampart::TightenVaultArgs {
            ltv_bps,
            supply_cap_amount,
            borrow_cap_amount: limits.borrow_cap_amount,
            collateral_cap_amount: limits.collateral_cap_amount,
            loan_flow: limits.loan_flow,
            collateral_flow: limits.collateral_flow,
            inflow: limits.inflow,
            scale: world.vault().scale,
        };
        rampart_client::admin::tighten_vault(admin.pubkey(), guard, world.keys.vault, args, world.validity())
    };
    let cap = vault.limits.supply_cap_amount;
    world.refuses(&cut(&world, 6_299, cap), &[&admin], E::TightenStepExceeded);
    world.refuses(&cut(&world, 7_000, 0), &[&admin], E::TightenStepExceeded);
    world.send(&[cut(&world, 6_650, cap)], &[&admin]).unwrap();
    world.advance(86_000);
    world.send(&[cut(&world, 6_400, cap)], &[&admin]).unwrap();
    world.refuses(&cut(&world, 6_000, cap), &[&admin], E::TightenStepExceeded);
    world.advance(86_400);
    world.send(&[cut(&world, 6_000, cap)], &[&admin]).unwrap();
    let tighten = |world: &World, threshold: u64, level: Level| {
        let params = rampart::state::rule::RuleParams { threshold, level: level as u8, ..defaults::drawdown_rule() };
        rampart_client::admin::tighten_rule(admin.pubkey(), guard, rule, params, world.validity())
    };
    world.refuses(&tighten(&world, 899, Level::ReduceOnly), &[&admin], E::TightenStepExceeded);
    world.refuses(&tighten(&world, 1_000, Level::Halt), &[&admin], E::TightenStepExceeded);
    world.send(&[tighten(&world, 900, Level::ReduceOnly)], &[&admin]).unwrap();
    world.refuses(&tighten(&world, 899, Level::ReduceOnly), &[&admin], E::TightenStepExceeded);
}

/// Every instruction of root's: another signer, no signature, another epoch, too late, a durable nonce's sysvar swapped.
#[test]
fn bounds_and_freeze_fail_for_others_and_when_late() {
    let mut world = World::with_vault();
    let (signer, admin) = (root(&world), world.risk_admin.insecure_clone());
    let (k, guard) = (world.keys, world.guard);
    let all = [k.vault, k.collateral_asset, k.loan_asset];
    let both = |w: &World, validity: Validity| {
        let bounds = w.guard_state().bounds;
        [
            control::narrow_bounds(signer.pubkey(), guard, bounds, validity, &all),
            control::freeze_forever(signer.pubkey(), guard, validity, &all),
        ]
    };
    let valid = world.validity();
    for ix in both(&world, valid) {
        world.refuses(&with_account(&ix, 0, admin.pubkey()), &[&admin], E::WrongAuthority);
        let mut unsigned = ix.clone();
        unsigned.accounts[0].is_signer = false;
        world.anchor_refuses(&unsigned, &[], ErrorCode::AccountNotSigner);
        world.anchor_refuses(&with_account(&ix, 2, k.vault), &[&signer], ErrorCode::ConstraintAddress);
        world.anchor_refuses(&with_account(&ix, 1, k.vault), &[&signer], ErrorCode::AccountDiscriminatorMismatch);
        world.anchor_refuses(&with_read_only(&ix, 1), &[&signer], ErrorCode::ConstraintMut);
    }
    for ix in both(&world, Validity { authority_epoch: 1, ..valid }) {
        world.refuses(&ix, &[&signer], E::AuthorityEpochMoved);
    }
    world.advance(61);
    for ix in both(&world, valid) {
        world.refuses(&ix, &[&signer], E::InstructionExpired);
    }
}

#[test]
fn acceptance_fails_for_other_changes_keys_and_times() {
    let mut world = World::with_vault();
    let (guard, heir) = (world.guard, world.new_key());
    let limits = world.propose(world.keys.vault, limits_up(&world, 11_000));
    let key = world.propose(guard, Change::Root(heir.pubkey()));
    let change = world.change(&key);
    let other = control::accept_root(heir.pubkey(), limits, &world.change(&limits));
    world.refuses(&other, &[&heir], E::ChangeTargetMismatch);
    let accept = control::accept_root(heir.pubkey(), key, &change);
    let mut unsigned = accept.clone();
    unsigned.accounts[0].is_signer = false;
    world.anchor_refuses(&unsigned, &[], ErrorCode::AccountNotSigner);
    world.refuses(&with_account(&accept, 3, world.payer_address()), &[&heir], E::ChangeTargetMismatch);
    let foreign = world.other_guard();
    world.refuses(&with_account(&accept, 1, foreign.guard), &[&heir], E::ChangeTargetMismatch);
    world.advance(DELAY + i64::from(defaults::bounds().max_execution_window_secs));
    world.refuses(&accept, &[&heir], E::ChangeExpired);
}
