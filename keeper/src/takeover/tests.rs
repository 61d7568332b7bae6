use super::*;
use crate::events::Severity;
use crate::watch::Origin;
use crate::watch::testing::{World, bytes_of, key, of_program, swap_policy};
use anchor_lang::Discriminator;
use anchor_lang::prelude::Pubkey;
use bytemuck::Zeroable;
use rampart::constants::LAYOUT_VERSION;
use rampart::state::{AggregateLimit, Integration, Reserve, Switch};
use std::collections::HashSet;
use std::time::Instant;

fn kinds(found: &[Sign]) -> Vec<(&'static str, Severity)> {
    found.iter().map(|sign| (sign.kind, sign.severity)).collect()
}

fn world() -> World {
    let mut world = World::new();
    let roles = &mut world.guard.roles;
    (roles.root, roles.risk_admin, roles.resetter, roles.vetoer) = (key(101), key(102), key(103), key(104));
    (roles.guardians[0], roles.guardian_count, roles.guardian_quorum) = (key(105), 1, 1);
    world.guard.loosen_delay_secs = 172_800;
    world
}

fn standing(world: &World) -> Standing {
    let mut store = world.store(&[]);
    world.put(&mut store, key(60), bytes_of(&world.rule()));
    Standing::of(&store).expect("the guard is known")
}

#[test]
fn everyday_work_gives_no_sign() {
    let world = world();
    let before = standing(&world);
    let mut store = world.store(&[(key(50), world.position(1_000, 100))]);
    world.put(&mut store, key(60), bytes_of(&world.rule()));
    world.price(&mut store, 0, 700, crate::watch::testing::NOW);
    assert_eq!(signs(&before, &Standing::of(&store).expect("the guard is known")), []);
}

#[test]
fn each_step_of_a_takeover_is_a_sign_of_its_own() {
    let mut world = world();
    let before = standing(&world);
    world.guard.next_change_id += 1;
    let proposed = standing(&world);
    assert_eq!(kinds(&signs(&before, &proposed)), [("change_proposed", Severity::Warning)]);
    world.guard.roles.root = key(200);
    world.guard.authority_epoch += 1;
    let moved = standing(&world);
    let found = signs(&proposed, &moved);
    assert_eq!(kinds(&found), [("role_moved", Severity::Critical)]);
    assert_eq!(found[0].text, format!("the root of the guard moved from {} to {}", key(101), key(200)));
    world.guard.loosen_delay_secs = 1;
    assert_eq!(kinds(&signs(&moved, &standing(&world))), [("delay_shortened", Severity::Critical)]);
}

#[test]
fn limits_listings_sources_and_switches_are_seen() {
    let world = world();
    let before = standing(&world);
    let mut store = world.store(&[]);
    let mut rule = world.rule();
    (rule.params.switch, rule.params.threshold) = (Switch::Disabled as u8, rule.params.threshold + 1);
    world.put(&mut store, key(60), bytes_of(&rule));
    let mut vault = world.vault();
    vault.limits.borrow_cap_amount = u64::MAX;
    world.put(&mut store, world.vault_key, bytes_of(&vault));
    let mut asset = world.asset(0);
    asset.oracle.sources[0].max_age_secs += 1;
    world.put(&mut store, world.asset_keys[0], bytes_of(&asset));
    world.put(&mut store, key(70), bytes_of(&world.asset(1)));
    let found = signs(&before, &Standing::of(&store).expect("the guard is known"));
    let expected = [
        ("listed", Severity::Warning),
        ("sources_changed", Severity::Critical),
        ("limit_raised", Severity::Critical),
        ("limit_raised", Severity::Warning),
        ("rule_switched_off", Severity::Critical),
    ];
    assert_eq!(kinds(&found), expected);
}

/// The signs of one account that becomes another, by kind, severity and what they say.
fn signs_of<T: bytemuck::Pod + Discriminator>(before: &T, now: &T) -> Vec<(&'static str, Severity, String)> {
    let world = world();
    let look = |account: &T| {
        let mut store = world.store(&[]);
        world.put(&mut store, key(70), bytes_of(account));
        Standing::of(&store).expect("the guard is known")
    };
    told(signs(&look(before), &look(now)))
}

fn told(found: Vec<Sign>) -> Vec<(&'static str, Severity, String)> {
    found.into_iter().map(|sign| (sign.kind, sign.severity, sign.text)).collect()
}

fn raised(severity: Severity, name: &str, old: u64, new: u64) -> (&'static str, Severity, String) {
    ("limit_raised", severity, format!("the {name} was loosened from {old} to {new}"))
}

#[test]
fn limit_of_an_integration_that_is_raised_is_seen() {
    let mut before = Integration::zeroed();
    (before.guard, before.version) = (world().guard_key, LAYOUT_VERSION);
    before.caps.exit.hourly_amount = 1_000;
    before.caps.risk.daily_bps = 100;
    let mut now = before;
    (now.caps.exit.hourly_amount, now.caps.risk.daily_bps) = (1_999, 200);
    let expected = [
        raised(Severity::Critical, &format!("daily share of new risk of integration {}", key(70)), 100, 200),
        raised(Severity::Warning, &format!("hourly amount of exits of integration {}", key(70)), 1_000, 1_999),
    ];
    assert_eq!(signs_of(&before, &now), expected);
    assert!(signs_of(&now, &before).is_empty(), "a tightening is none");
}

#[test]
fn swap_policy_that_may_do_more_is_seen() {
    let (_, mut before) = swap_policy(world().guard_key, key(81));
    before.params.max_day_micro_usd = 1_000;
    before.params.loss_day_micro_usd = 10;
    let mut now = before;
    (now.params.max_day_micro_usd, now.params.loss_day_micro_usd) = (1_500, 20);
    let expected = [
        raised(Severity::Critical, &format!("daily loss of swap policy {}", key(70)), 10, 20),
        raised(Severity::Warning, &format!("daily swaps of swap policy {}", key(70)), 1_000, 1_500),
    ];
    assert_eq!(signs_of(&before, &now), expected);
    let mut other = before;
    other.params.program = key(82);
    let changed = ("sources_changed", Severity::Critical, format!("the program of swap policy {} changed", key(70)));
    assert_eq!(signs_of(&before, &other), [changed]);
    let mut off = before;
    off.params.switch = Switch::Disabled as u8;
    let found = signs_of(&off, &before);
    assert!(found.contains(&raised(Severity::Critical, &format!("daily swaps of swap policy {}", key(70)), 0, 1_000)));
    assert!(signs_of(&before, &off).is_empty());
}

#[test]
fn reserve_that_risks_pays_or_gives_more_is_seen() {
    let mut before = Reserve::zeroed();
    (before.guard, before.version) = (world().guard_key, LAYOUT_VERSION);
    (before.assets[0].asset, before.assets[1].asset) = (key(2), key(3));
    (before.plan.count, before.plan.quote, before.plan.min_improvement_bps) = (2, 1, 10);
    (before.plan.weights_bps[0], before.plan.weights_bps[1]) = ([4_000, 2_000, 0, 0], [6_000, 8_000, 10_000, 10_000]);
    before.plan.cover[1].day_amount = 500;
    let mut now = before;
    (now.plan.weights_bps[0], now.plan.weights_bps[1]) = ([5_000, 4_000, 0, 0], [5_000, 6_000, 10_000, 10_000]);
    now.plan.cover[1].day_amount = 600;
    now.grant.amount = 7;
    let weight = |level| format!("reserve's weight of asset {} at level {level}", key(2));
    let expected = [
        raised(Severity::Critical, "grant of the reserve", 0, 7),
        raised(Severity::Warning, &format!("reserve's cover within a day in asset {}", key(3)), 500, 600),
        raised(Severity::Warning, &weight(0), 4_000, 5_000),
        raised(Severity::Critical, &weight(1), 2_000, 4_000),
    ];
    assert_eq!(signs_of(&before, &now), expected);
}

#[test]
fn inflow_that_is_let_in_faster_is_seen() {
    let world = world();
    let look = |hourly_bps| {
        let (mut store, mut vault) = (world.store(&[]), world.vault());
        vault.limits.inflow.hourly_bps = hourly_bps;
        world.put(&mut store, world.vault_key, bytes_of(&vault));
        Standing::of(&store).expect("the guard is known")
    };
    let name = format!("hourly inflow of vault {}", world.vault_key);
    assert_eq!(told(signs(&look(100), &look(150))), [raised(Severity::Warning, &name, 100, 150)]);
    assert_eq!(told(signs(&look(100), &look(200))), [raised(Severity::Critical, &name, 100, 200)]);
}

#[test]
fn dollar_limit_that_is_raised_or_switched_off_is_seen() {
    let mut world = world();
    world.guard.aggregate = Switch::Enabled as u8;
    let at: Pubkey = rampart_client::address::aggregate(&world.guard_key);
    let look = |world: &World, limit_micro_usd| {
        let (mut store, mut limit) = (world.store(&[]), AggregateLimit::zeroed());
        (limit.guard, limit.version) = (world.guard_key, LAYOUT_VERSION);
        (limit.params.limit_micro_usd, limit.params.vault_share_bps) = (limit_micro_usd, 5_000);
        store.watch_raw(HashSet::from([at]));
        store.apply(of_program(at, bytes_of(&limit), 5, Origin::Poll), Instant::now());
        Standing::of(&store).expect("the guard is known")
    };
    let (name, before) = ("dollar limit of all vaults", look(&world, 1_000));
    assert_eq!(told(signs(&before, &look(&world, 1_100))), [raised(Severity::Warning, name, 1_000, 1_100)]);
    assert_eq!(told(signs(&before, &look(&world, 2_000))), [raised(Severity::Critical, name, 1_000, 2_000)]);
    world.guard.aggregate = Switch::Disabled as u8;
    let expected = [
        raised(Severity::Critical, name, 1_000, u64::MAX),
        raised(Severity::Critical, "share of one vault in the dollar limit", 5_000, u64::MAX),
    ];
    assert_eq!(told(signs(&before, &look(&world, 1_000))), expected);
}

#[test]
fn upgrade_authority_deployment_and_nonces_are_seen() {
    let before = ProgramStanding { upgrade_authority: Some("a".into()), deployed_slot: Some(5), ..Default::default() };
    let mut now = before.clone();
    now.nonces.insert("n".into(), "root".into());
    assert_eq!(kinds(&signs_of_program(&before, &now)), [("durable_nonce", Severity::Critical)]);
    now = ProgramStanding { upgrade_authority: Some("b".into()), deployed_slot: Some(6), ..now };
    let all = [
        ("upgrade_authority_moved", Severity::Critical),
        ("program_upgraded", Severity::Critical),
        ("durable_nonce", Severity::Critical),
    ];
    assert_eq!(kinds(&signs_of_program(&before, &now)), all);
    assert_eq!(signs_of_program(&now, &now), []);
}

#[test]
fn program_data_is_read_and_anything_else_is_not() {
    let mut data = vec![0; program::HEADER_LEN + 100];
    data[..4].copy_from_slice(&3_u32.to_le_bytes());
    data[4..12].copy_from_slice(&77_u64.to_le_bytes());
    assert_eq!(program::decode(&data), Some((77, None)));
    data[12] = 1;
    data[13..45].copy_from_slice(key(9).as_ref());
    assert_eq!(program::decode(&data), Some((77, Some(key(9)))));
    data[12] = 2;
    assert_eq!(program::decode(&data), None);
    assert_eq!((program::decode(&data[..44]), program::decode(&[])), (None, None));
}

#[test]
fn what_is_known_outlives_a_restart() {
    let dir = tempfile::tempdir().expect("a directory");
    assert_eq!(load(dir.path()), Known::default());
    let known = Known { standing: Some(Arc::new(standing(&world()))), ..Known::default() };
    store(dir.path(), &known);
    assert_eq!(load(dir.path()), known);
    std::fs::write(dir.path().join(FILE), "{").expect("a file");
    assert_eq!(load(dir.path()), Known::default());
}
