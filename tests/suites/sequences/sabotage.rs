//! Whether the checks see what is wrong: states and steps that must not be, each against the check that should say so.

mod limits;
mod swaps;

use super::action::{Action, Kind};
use super::model::{Flow, Way};
use super::policies::assert_policies;
use super::quiet::quietly;
use super::stage::{LOAN_FLOOR, Stage};
use super::standby::assert_sources;
use limits::{lease, of_limits};
use rampart::state::{AggregateLimit, Asset, Breaker, Guard, Level, Position, SwapPolicy, Vault};
use rampart_tests::scenario::Scope;
use swaps::{of_swaps, of_the_reserve};

const ACCRUE: Action = Action { kind: Kind::Accrue, impostor: 0, a: 0, b: 0, twist: 0 };

/// What a check must say, and what they said.
type Case = (&'static str, String);
/// Spoils a state.
type Spoil = Box<dyn FnOnce(&mut Stage)>;

/// Runs `spoil`, then a harmless step, and returns what the checks said.
fn said(first: &Stage, spoil: impl FnOnce(&mut Stage)) -> String {
    let mut stage = first.replica();
    let outcome = quietly(|| {
        spoil(&mut stage);
        stage.step(&ACCRUE);
    });
    outcome.map_or_else(|text| text, |()| "nothing".to_owned())
}

#[test]
fn checks_of_sequences_see_what_is_wrong() {
    let first = Stage::new();
    let keys = first.world.keys;
    let position = first.cast.owners[0].position;
    let mut all = vec![];
    let cases: Vec<(&str, Spoil)> = vec![
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
    // the dollar limit: a lease that nobody was granted, and more on leases than L
    let withdraw_on_lease = Action { kind: Kind::Withdraw, impostor: 0, a: 1, b: 2_001, twist: 0 };
    let unleased = said(&first, |s| {
        lease(s);
        edit::<Vault>(s, &keys.vault, |v| v.lease.unused.cells[0] += 1);
    });
    all.push(("I3: ", unleased));
    let aggregate = first.world.aggregate_key();
    let forgotten = said(&first, |s| {
        lease(s);
        edit::<AggregateLimit>(s, &aggregate, |l| l.leased = Default::default());
    });
    all.push(("I3: what the limit has leased", forgotten));
    let too_much = said(&first, |s| {
        lease(s);
        s.model.leases.note_paid(s.model.latest, 120_000_000_001);
        s.step(&withdraw_on_lease);
    });
    all.push(("I3: ", too_much));
    // an outflow that the lease didn't pay for
    let for_nothing = said(&first, |s| {
        lease(s);
        s.model.loan.all.clear();
        let (now, plan) = (s.snap(), s.instructions(&withdraw_on_lease).expect("a withdrawal"));
        let flow = Flow { ts: s.model.latest, behind_secs: 0, owner: 0, amount: LOAN_FLOOR / 2, way: Way::Exit };
        s.follow_leases(&withdraw_on_lease, &plan, Some((flow, true)), (&now, &now));
    });
    all.push(("within a day without a lease", for_nothing));
    // a census that left an account out
    let uncounted = said(&first, |s| {
        s.step(&Action { kind: Kind::OpenCensus, ..ACCRUE });
        s.step(&Action { kind: Kind::CountCensus, ..ACCRUE });
        s.model.census.as_mut().expect("a census").forget_one();
        s.step(&Action { kind: Kind::NarrowBounds, a: 1, ..ACCRUE });
    });
    all.push(("I4: not every account", uncounted));
    let moved = said(&first, |s| {
        s.step(&Action { kind: Kind::OpenCensus, ..ACCRUE });
        s.step(&Action { kind: Kind::CountCensus, ..ACCRUE });
        s.model.census.as_mut().expect("a census").spoil();
        s.step(&Action { kind: Kind::NarrowBounds, a: 1, ..ACCRUE });
    });
    all.push(("after something was configured", moved));
    // a policy that became looser, and one beyond the bounds
    let looser = said(&first, |s| {
        s.step(&Action { kind: Kind::CreateSwapPolicy, ..ACCRUE });
        let (key, before) = (*s.policies.last().expect("a policy"), s.snap());
        edit::<SwapPolicy>(s, &key, |p| p.params.max_slippage_bps += 1);
        assert_policies(&Action { kind: Kind::TightenSwapPolicy, ..ACCRUE }, &before, &s.snap());
    });
    all.push(("I6: ", looser));
    let beyond = said(&first, |s| {
        s.step(&Action { kind: Kind::CreateSwapPolicy, ..ACCRUE });
        let (key, mut before) = (*s.policies.last().expect("a policy"), s.snap());
        before.policies.retain(|(known, _)| *known != key);
        edit::<SwapPolicy>(s, &key, |p| p.params.max_slippage_bps = 501);
        assert_policies(&ACCRUE, &before, &s.snap());
    });
    all.push(("I5: policy", beyond));
    let at_once = said(&first, |s| {
        s.step(&Action { kind: Kind::CreateSwapPolicy, ..ACCRUE });
        let (key, mut before) = (*s.policies.last().expect("a policy"), s.snap());
        before.policies.retain(|(known, _)| *known != key);
        edit::<SwapPolicy>(s, &key, |p| p.params.switch = rampart::state::Switch::Enabled as u8);
        assert_policies(&ACCRUE, &before, &s.snap());
    });
    all.push(("works from its first second", at_once));
    // a source that lives, and another one than was approved
    all.push(("a living source", said(&first, Stage::follow_standby)));
    let other = said(&first, |s| {
        let before = s.snap();
        edit::<Asset>(s, &keys.collateral_asset, |a| a.oracle.sources[1].publisher = 9);
        assert_sources(&Action { kind: Kind::ActivateStandby, ..ACCRUE }, false, &before, &s.snap());
    });
    all.push(("moved an asset", other));
    // collateral in the queue: more than there is, and paid before its hour
    let (posted, request) = (first.cast.owners[0].position, Action { kind: Kind::Request, b: 2, ..ACCRUE });
    let overlocked = said(&first, |s| {
        s.step(&Action { kind: Kind::Deposit, b: 7, ..ACCRUE });
        let plan = s.instructions(&request).expect("a request");
        s.send(&plan).expect("requested");
        edit::<Position>(s, &posted, |p| p.tickets.slots[1] = p.tickets.slots[0]);
        let now = s.snap();
        s.assert_ticket(&request, &plan[0], &now, &now);
    });
    all.push(("I21: tickets lock more collateral", overlocked));
    let early = said(&first, |s| {
        s.step(&Action { kind: Kind::Deposit, b: 7, ..ACCRUE });
        s.step(&request);
        let claim = Action { kind: Kind::ClaimCollateral, b: 1, ..ACCRUE };
        let (plan, now) = (s.instructions(&claim).expect("a claim"), s.snap());
        s.assert_ticket(&claim, &plan[0], &now, &now);
    });
    all.push(("before its hour", early));
    // an outflow beyond L, of which the program knows nothing
    let withdraw = Action { kind: Kind::Withdraw, impostor: 0, a: 1, b: 7, twist: 0 };
    let beyond = said(&first, |s| {
        let (ts, owner) = (s.model.latest, 0);
        s.model.loan.all.clear();
        s.model.loan.all.push(Flow { ts, behind_secs: 0, owner, amount: LOAN_FLOOR, way: Way::Exit });
        s.step(&withdraw);
    });
    all.push(("I1: ", beyond));
    all.extend(of_limits(&first));
    all.extend(of_swaps(&first));
    all.extend(of_the_reserve(&first));
    let blind: Vec<_> = all.iter().filter(|(expected, said)| !said.contains(expected)).collect();
    assert!(blind.is_empty(), "expected, and said: {blind:#?}");
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

#[test]
fn every_instruction_of_the_program_is_a_step_of_sequences() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../programs/rampart/src/lib.rs");
    let text = std::fs::read_to_string(path).expect("the program's source");
    let start = text.find("#[program]").expect("a program");
    let names = text[start..].lines().filter_map(|line| line.strip_prefix("    pub fn ")?.split(['(', '<']).next());
    let all: Vec<&str> = names.collect();
    assert!(all.len() > 50, "the instructions are read");
    let is_tried = |name: &&str| Kind::ALL.iter().any(|kind| kind.name() == *name);
    let missing: Vec<_> = all.iter().filter(|name| !is_tried(name)).collect();
    assert!(missing.is_empty(), "add a step to `action.rs`: {missing:?}");
    let gone: Vec<_> = Kind::ALL.iter().filter(|k| k.is_instruction() && !all.contains(&k.name())).collect();
    assert!(gone.is_empty(), "no instructions of the program: {gone:?}");
}
