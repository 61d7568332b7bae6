//! Swap policies: who creates them, what they may hold, and which way they move at once.

use rampart::error::RampartError as E;
use rampart::events::SwapPolicySet;
use rampart::state::{Change, Prefix, Purpose, SwapCaller, SwapParams, Switch};
use rampart_client::{Pubkey, address, swap};
use rampart_tests::defaults::USDC;
use rampart_tests::refusals::with_account;
use rampart_tests::swaps::{THIEF, TOKEN_SWAP, disabled, params};
use rampart_tests::{World, events};
use solana_sdk::signer::Signer;

/// Changes the parameters of a policy.
type Edit = fn(&mut SwapParams);

fn world() -> World {
    let mut world = World::with_vault();
    world.thief();
    world
}

fn edited(change: Edit) -> SwapParams {
    let mut own = params(THIEF);
    change(&mut own);
    own
}

#[test]
fn create_swap_policy_stores_what_root_says() {
    let mut world = world();
    let (root, own) = (world.root.insecure_clone(), disabled(params(THIEF)));
    let ix = swap::create_swap_policy(root.pubkey(), world.guard, 7, own, world.validity());
    let landed = world.send(&[ix], &[&root]).unwrap();
    let fact: SwapPolicySet = events::the_one(&landed);
    let key = address::swap_policy(&world.guard, 7);
    assert_eq!((fact.policy, fact.program), (key, THIEF));
    let policy: rampart::state::SwapPolicy = world.load(&key);
    assert_eq!((policy.params, policy.guard, policy.id, policy.counter), (own, world.guard, 7, 0));
}

#[test]
fn create_swap_policy_fails_by_anyone_but_root_and_for_what_a_policy_must_not_be() {
    let mut world = world();
    let root = world.root.insecure_clone();
    let good = swap::create_swap_policy(root.pubkey(), world.guard, 1, disabled(params(THIEF)), world.validity());
    let admin = world.risk_admin.insecure_clone();
    world.refuses(&with_account(&good, 0, admin.pubkey()), &[&admin], E::WrongAuthority);
    world.refuses(&with_account(&good, 2, rampart::ID), &[&root], E::SwapPolicyInvalid);
    let changes: [(Edit, E); 21] = [
        (|p| p.program = Pubkey::default(), E::SwapPolicyInvalid),
        (|p| p.program = rampart::ID, E::SwapPolicyInvalid),
        (|p| p.program = anchor_spl::token::ID, E::SwapPolicyInvalid),
        (|p| p.program = anchor_spl::token_2022::ID, E::SwapPolicyInvalid),
        (|p| p.program = anchor_lang::system_program::ID, E::SwapPolicyInvalid),
        (|p| p.program = Pubkey::new_from_array([0x66; 32]), E::SwapPolicyInvalid),
        (|p| p.prefix_count = 0, E::SwapPolicyInvalid),
        (|p| p.prefix_count = 2, E::SwapPolicyInvalid),
        (|p| p.prefix_count = 9, E::SwapPolicyInvalid),
        (|p| p.prefixes[0].len = 0, E::SwapPolicyInvalid),
        (|p| p.prefixes[0].len = 9, E::SwapPolicyInvalid),
        (|p| p.prefixes[0] = Prefix { bytes: [1; 8], len: 1 }, E::SwapPolicyInvalid),
        (|p| p.prefixes[3].len = 1, E::SwapPolicyInvalid),
        (|p| p.max_oracle_age_secs = 31, E::SwapPolicyInvalid),
        (|p| p.max_swap_micro_usd = p.max_day_micro_usd + 1, E::SwapPolicyInvalid),
        (|p| p.max_slippage_bps = 501, E::OutsideHardBounds),
        // 1 % of what a day may swap
        (|p| p.loss_day_micro_usd = 100_000 * USDC + 1, E::OutsideHardBounds),
        (|p| p.purpose = 4, E::UnknownKind),
        (|p| p.caller = 0, E::UnknownKind),
        (|p| p.reserved = [1; 2], E::UnknownKind),
        (|p| p.switch = Switch::Enabled as u8, E::SwapPolicyMustWait),
    ];
    for (index, (change, error)) in changes.into_iter().enumerate() {
        let mut own = disabled(params(THIEF));
        change(&mut own);
        let ix = swap::create_swap_policy(root.pubkey(), world.guard, index as u16, own, world.validity());
        world.refuses(&ix, &[&root], error);
    }
    world.advance(61);
    world.refuses(&good, &[&root], E::InstructionExpired);
}

#[test]
fn tighten_swap_policy_makes_every_limit_stricter_at_once_and_none_looser() {
    let mut world = world();
    let keys = world.swap_policy(1, params(THIEF));
    let (guard, admin) = (world.guard, world.risk_admin.insecure_clone());
    let tighter: [Edit; 8] = [
        |p| p.max_swap_micro_usd -= 1,
        |p| p.max_day_micro_usd -= 1,
        |p| p.loss_day_micro_usd -= 1,
        |p| p.two_sources_micro_usd -= 1,
        |p| p.cooldown_secs += 1,
        |p| p.max_oracle_age_secs -= 1,
        |p| p.max_slippage_bps -= 1,
        |p| p.switch = Switch::Disabled as u8,
    ];
    let looser: [Edit; 10] = [
        |p| p.max_swap_micro_usd += 1,
        |p| p.max_day_micro_usd += 1,
        |p| p.loss_day_micro_usd += 1,
        |p| p.two_sources_micro_usd += 1,
        |p| p.cooldown_secs -= 1,
        |p| p.max_slippage_bps += 1,
        |p| p.program = TOKEN_SWAP,
        |p| p.prefixes[0].bytes[0] = 2,
        |p| p.purpose = Purpose::Rebalance as u8,
        |p| p.caller = SwapCaller::Keepers as u8,
    ];
    for change in looser {
        let ix = swap::tighten_swap_policy(admin.pubkey(), guard, keys.policy, edited(change), world.validity());
        world.refuses(&ix, &[&admin], E::LooseningRefused);
    }
    let off = edited(|p| p.switch = Switch::Disabled as u8);
    let ix = swap::tighten_swap_policy(admin.pubkey(), guard, keys.policy, off, world.validity());
    let stranger = world.user(0, 0);
    world.refuses(&with_account(&ix, 0, stranger.address()), &[&stranger.key], E::WrongAuthority);
    let foreign = world.other_guard();
    world.refuses(&with_account(&ix, 1, foreign.guard), &[&admin], E::SwapAccountsMismatch);
    for change in tighter {
        let mut next = world.policy(&keys).params;
        change(&mut next);
        let ix = swap::tighten_swap_policy(admin.pubkey(), guard, keys.policy, next, world.validity());
        world.send(&[ix], &[&admin]).unwrap();
        assert_eq!(world.policy(&keys).params, next);
    }
}

#[test]
fn loosening_of_a_swap_policy_waits_and_keeps_what_the_day_has_used() {
    let mut world = world();
    let keys = world.swap_policy(1, params(THIEF));
    let mut used = world.policy(&keys);
    used.lost.settle(world.now_ts());
    used.lost.record(7);
    world.store(&keys.policy, &used);
    let next = edited(|p| p.max_slippage_bps = 500);
    let key = world.propose(keys.policy, Change::SwapPolicy(next));
    let ix = world.execute_ix(key, &[]);
    world.refuses(&ix, &[], E::ChangeNotRipe);
    world.ripen();
    world.execute(key, &[]).unwrap();
    let policy = world.policy(&keys);
    assert_eq!((policy.params, policy.lost.total()), (next, 7));
    let beyond = edited(|p| p.max_slippage_bps = 501);
    let (ix, root) = (world.propose_ix(keys.policy, Change::SwapPolicy(beyond)), world.root.insecure_clone());
    world.refuses(&ix, &[&root], E::OutsideHardBounds);
}
