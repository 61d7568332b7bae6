//! Whether the checks see what is wrong: states and steps that must not be, each against the check that should say so.

use super::action::{Action, Kind};
use super::model::{Flow, Way};
use super::stage::{LOAN_FLOOR, Stage};
use rampart::state::{Breaker, Guard, Level, Position, Vault};
use rampart_tests::scenario::Scope;
use std::panic::{AssertUnwindSafe, catch_unwind};

const ACCRUE: Action = Action { kind: Kind::Accrue, impostor: 0, a: 0, b: 0, twist: 0 };

/// What a check must say, and what is done for it.
type Case = (&'static str, Box<dyn FnOnce(&mut Stage)>);

/// Runs `spoil`, then a harmless step, and returns what the checks said.
fn said(first: &Stage, spoil: impl FnOnce(&mut Stage)) -> String {
    let mut stage = first.replica();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        spoil(&mut stage);
        stage.step(&ACCRUE);
    }));
    let text = |panic: Box<dyn std::any::Any + Send>| match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic.downcast_ref::<&str>().map_or_else(String::new, |text| (*text).to_owned()),
    };
    outcome.map_or_else(text, |()| "nothing".to_owned())
}

#[test]
fn checks_of_sequences_see_what_is_wrong() {
    let first = Stage::new();
    std::panic::set_hook(Box::new(|_| {}));
    let keys = first.world.keys;
    let position = first.cast.owners[0].position;
    let mut all = vec![];
    let cases: Vec<Case> = vec![
        (
            "sum of shares",
            Box::new(move |s| edit::<Position>(s, &position, |p| p.supply_shares = (p.supply_shares.get() + 1).into())),
        ),
        ("I11: collateral", Box::new(move |s| edit::<Vault>(s, &keys.vault, |v| v.collateral_amount += 1))),
        ("I5", Box::new(move |s| edit::<Vault>(s, &keys.vault, |v| v.limits.exit_floor_bps = 1))),
        ("I7", Box::new(|s| s.world.raise(Scope::Vault, Level::Caution))),
        (
            "I21",
            Box::new(move |s| {
                edit::<Position>(s, &position, |p| {
                    (p.tickets.slots[0].shares, p.tickets.slots[0].state) = ((p.supply_shares.get() + 1).into(), 1);
                })
            }),
        ),
        ("I22", Box::new(move |s| edit::<Guard>(s, &keys.guard, |g| g.roles.vetoer = g.roles.resetter))),
        ("I11: cash", Box::new(|s| s.model.surplus.0 += 1)),
    ];
    for (expected, spoil) in cases {
        all.push((expected, said(&first, spoil)));
    }
    // a level that the model knows of and the program has lost
    let lost = said(&first, |s| {
        s.step(&Action { kind: Kind::Pause, impostor: 0, a: 2, b: 0, twist: 0 });
        edit::<Vault>(s, &keys.vault, |v| v.breaker = Breaker::default());
    });
    all.push(("I7", lost));
    // an outflow beyond L, of which the program knows nothing
    let withdraw = Action { kind: Kind::Withdraw, impostor: 0, a: 1, b: 7, twist: 0 };
    let beyond = said(&first, |s| {
        let (ts, owner) = (s.model.latest, 0);
        s.model.loan.all.clear();
        s.model.loan.all.push(Flow { ts, owner, amount: LOAN_FLOOR, way: Way::Exit });
        s.step(&withdraw);
    });
    all.push(("I1: ", beyond));
    let _ = std::panic::take_hook();
    for (expected, said) in all {
        assert!(said.contains(expected), "expected `{expected}`: {said}");
    }
}

fn edit<T: anchor_lang::ZeroCopy + anchor_lang::Discriminator>(
    stage: &mut Stage,
    key: &rampart_client::Pubkey,
    change: impl FnOnce(&mut T),
) {
    let mut value: T = stage.world.load(key);
    change(&mut value);
    stage.world.store(key, &value);
}

/// Has random sequences of its own, over several vaults.
const DOLLARS: &str = "suites/aggregate.rs";
/// The model doesn't know the leases, baskets and routes that it would have to judge them by.
const SUITE: &str = "a suite of its own";

/// Instructions that no step tries yet, each with what shows it instead.
const NOT_TRIED: [(&str, &str); 16] = [
    ("initialize_aggregate", DOLLARS),
    ("tighten_aggregate", DOLLARS),
    ("lease_budget", DOLLARS),
    ("return_lease", DOLLARS),
    ("activate_standby", SUITE),
    ("claim_collateral", SUITE),
    ("open_census", SUITE),
    ("count_census", SUITE),
    ("close_census", SUITE),
    ("create_swap_policy", SUITE),
    ("tighten_swap_policy", SUITE),
    ("liquidate_by_swap", SUITE),
    ("initialize_reserve", SUITE),
    ("fund_reserve", SUITE),
    ("rebalance", SUITE),
    ("withdraw_reserve", SUITE),
];

#[test]
fn every_instruction_of_the_program_is_a_step_of_sequences() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../programs/rampart/src/lib.rs");
    let text = std::fs::read_to_string(path).expect("the program's source");
    let start = text.find("#[program]").expect("a program");
    let names = text[start..].lines().filter_map(|line| line.strip_prefix("    pub fn ")?.split(['(', '<']).next());
    let all: Vec<&str> = names.collect();
    assert!(all.len() > 50, "the instructions are read");
    let is_tried = |name: &&str| {
        Kind::ALL.iter().any(|kind| kind.name() == *name) || NOT_TRIED.iter().any(|(tried, _)| tried == name)
    };
    let missing: Vec<_> = all.iter().filter(|name| !is_tried(name)).collect();
    assert!(missing.is_empty(), "add a step to `action.rs`, or a reason to `NOT_TRIED`: {missing:?}");
    let gone: Vec<_> = Kind::ALL.iter().filter(|k| k.is_instruction() && !all.contains(&k.name())).collect();
    assert!(gone.is_empty(), "no instructions of the program: {gone:?}");
}
