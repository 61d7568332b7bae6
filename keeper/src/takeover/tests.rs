use super::*;
use crate::watch::testing::{World, bytes_of, key};
use rampart::state::Switch;

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
