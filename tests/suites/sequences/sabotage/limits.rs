//! Spoiled leases, costs, censuses and tickets.

use super::{ACCRUE, Case, edit, said};
use crate::sequences::action::{Action, Kind};
use crate::sequences::config::assert_configuration;
use crate::sequences::run::Became;
use crate::sequences::snap::Snap;
use crate::sequences::stage::Stage;
use rampart::state::{AggregateLimit, Guard, Switch, Vault};
use rampart_tests::leases::USD;

const LEASE: Action = Action { kind: Kind::Lease, a: 3, ..ACCRUE };
const CLAIM: Action = Action { kind: Kind::ClaimCollateral, ..ACCRUE };

/// Puts a dollar limit of 120,000 into force, and leases 30,000 of it.
pub fn lease(stage: &mut Stage) {
    let limit = Action { kind: Kind::InitializeAggregate, ..ACCRUE };
    assert_eq!([stage.step(&limit), stage.step(&LEASE)], [Became::Landed, Became::Landed]);
}

/// Leases, spoils the state, and lets the checks see one more lease.
fn leased(first: &Stage, spoil: impl FnOnce(&mut Stage)) -> String {
    said(first, |s| {
        lease(s);
        spoil(s);
        let (now, plan) = (s.snap(), [s.world.lease_ix(USD)]);
        s.follow_leases(&LEASE, &plan, None, (&now, &now));
    })
}

/// Claims a ticket by a transaction of its own, and lets the checks see what `spoil` leaves of it.
fn claim_for_nothing(first: &Stage, spoil: impl FnOnce(&mut Snap, &Snap)) -> String {
    said(first, |s| {
        let request = Action { kind: Kind::Request, a: 1, b: 349, ..ACCRUE };
        let until_ripe = Action { kind: Kind::WaitFor, b: 1, ..ACCRUE };
        assert_eq!([s.step(&request), s.step(&until_ripe)], [Became::Landed, Became::Landed]);
        let claim = Action { kind: Kind::Claim, a: 1, b: 1, ..ACCRUE };
        let (plan, before) = (s.instructions(&claim).expect("a claim"), s.snap());
        s.send(&plan).expect("claimed");
        let mut after = s.snap();
        spoil(&mut after, &before);
        s.follow_money(&claim, &plan[0], &before, &after);
    })
}

/// What the dollar limit must not be, census and collateral's tickets with it.
pub fn of_limits(first: &Stage) -> Vec<Case> {
    let (limit, keys) = (first.world.aggregate_key(), first.world.keys);
    vec![
        (
            "of live leases, L is",
            leased(first, |s| {
                edit::<AggregateLimit>(s, &limit, |l| l.params.limit_micro_usd = 60_000 * USD);
            }),
        ),
        (
            "beyond its share",
            leased(first, |s| {
                edit::<AggregateLimit>(s, &limit, |l| l.params.vault_share_bps = 5_000);
            }),
        ),
        (
            "counts as",
            leased(first, |s| {
                edit::<Vault>(s, &keys.vault, |v| v.lease.loan_cost_q64 = (v.lease.loan_cost_q64.get() / 2).into());
            }),
        ),
        (
            "moved the dollar limit",
            said(first, |s| {
                lease(s);
                let before = s.snap();
                edit::<AggregateLimit>(s, &limit, |l| l.params.limit_micro_usd += 1);
                assert_configuration(&ACCRUE, &before, &s.snap());
            }),
        ),
        (
            "the guard says what its limit says",
            said(first, |s| {
                lease(s);
                edit::<Guard>(s, &keys.guard, |g| g.aggregate = Switch::Disabled as u8);
            }),
        ),
        (
            "a census was used after a day",
            said(first, |s| {
                s.step(&Action { kind: Kind::OpenCensus, ..ACCRUE });
                s.step(&Action { kind: Kind::CountCensus, ..ACCRUE });
                s.model.census.as_mut().expect("a census").age();
                s.step(&Action { kind: Kind::NarrowBounds, a: 1, ..ACCRUE });
            }),
        ),
        (
            "left as Exit, charged",
            claim_for_nothing(first, |after, before| {
                after.vault.loan_flow.exit.hour = before.vault.loan_flow.exit.hour
            }),
        ),
        (
            "left as Exit, charged",
            claim_for_nothing(first, |after, before| after.vault.loan_flow.exit.day = before.vault.loan_flow.exit.day),
        ),
        ("nothing", claim_for_nothing(first, |_, _| ())),
        (
            // no exit is charged, and four take 29 % each
            "left as Exit within 3600 s",
            said(first, |s| {
                for _ in 0..4 {
                    let was = s.world.vault().loan_flow.exit;
                    let leave = Action { kind: Kind::Withdraw, a: 1, b: 5 * 2_900 + 1, ..ACCRUE };
                    assert_eq!(s.step(&leave), Became::Landed);
                    edit::<Vault>(s, &keys.vault, |v| v.loan_flow.exit = was);
                }
            }),
        ),
        (
            "behind a debt",
            said(first, |s| {
                let plan = s.instructions(&CLAIM).expect("a claim");
                let (before, mut after) = (s.snap(), s.snap());
                // of an owner who borrows
                after.positions[1].as_mut().expect("open").collateral_amount -= 1;
                after.vault.collateral_amount -= 1;
                s.follow_money(&CLAIM, &plan[0], &before, &after);
            }),
        ),
    ]
}
