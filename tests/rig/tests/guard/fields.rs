//! Values as fields with names: they read back as they were written, and each field's way is the program's.

use crate::show::snapshot_of;
use rampart::state::{Change, ChangeGroup as G};
use rampart_client::Pubkey;
use rampart_keeper::guard::change::{edited, from_json, moves, to_json};
use rampart_tests::World;
use rampart_tests::defaults::drawdown_rule;

#[test]
fn every_group_that_a_guard_holds_reads_back_as_it_was_written() {
    let mut world = World::with_vault();
    let rule = world.create_rule(1, world.keys.collateral_asset, drawdown_rule());
    let (vault, asset, guard) = (world.keys.vault, world.keys.collateral_asset, world.guard);
    let snapshot = snapshot_of(&world);
    let groups: [(G, Pubkey); 13] = [
        (G::VaultRisk, vault),
        (G::VaultLimits, vault),
        (G::VaultCurve, vault),
        (G::VaultScale, vault),
        (G::VaultCover, vault),
        (G::Rule, rule),
        (G::AssetOracle, asset),
        (G::AssetStandby, asset),
        (G::AssetReference, asset),
        (G::AssetWarmUp, asset),
        (G::Roles, guard),
        (G::LoosenDelay, guard),
        (G::Root, guard),
    ];
    for (group, target) in groups {
        let value = snapshot.current(group, &target).expect("the world has it");
        assert_eq!(value, world.value(group, &target));
        assert_eq!(from_json(group, &to_json(&value).expect("JSON")).expect("the same"), value);
        assert_eq!(moves(&value, &value).expect("nothing"), []);
    }
}

#[test]
fn each_field_moves_the_way_that_the_program_says() {
    let world = World::with_vault();
    let now = Change::VaultLimits(world.vault().limits);
    let edit = |field: &str, value: &str| (field.to_owned(), value.to_owned());
    let edits = [
        edit("supply_cap_amount", "1000000"),
        edit("loan_flow.daily_bps", "4500"),
        edit("exit_floor_bps", "90"),
        edit("inflow.hourly_bps", "4000"),
    ];
    let next = edited(&now, &edits).expect("fields that fit");
    let told: Vec<_> = moves(&now, &next).expect("moves").into_iter().map(|m| (m.field, m.direction)).collect();
    let expected = [
        ("exit_floor_bps", "looser"),
        ("inflow.hourly_bps", "tighter"),
        ("loan_flow.daily_bps", "looser"),
        ("supply_cap_amount", "tighter"),
    ];
    assert_eq!(told, expected.map(|(field, way)| (field.to_owned(), way)));
}
