//! What holds after every step of any sequence of actions, by several owners, at any prices and times.

use crate::actions::{deleverage_ix, liquidate_ix, shares_for};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rampart::error::RampartError as E;
use rampart::state::Level;
use rampart_client::{Instruction, exit, lending};
use rampart_tests::books::Donated;
use rampart_tests::defaults::{SOL, USDC};
use rampart_tests::scenario::{SCOPES, args_with_floors};
use rampart_tests::{Outcome, User, World};
use solana_sdk::instruction::InstructionError;
use solana_sdk::transaction::TransactionError;
use std::cell::Cell;

/// Sequences that are tried.
const CASES: u32 = 24;
/// Actions of one sequence.
const ACTIONS: usize = 40;
/// What L never falls below: small, so that it binds.
const LOAN_FLOOR: u64 = 60_000 * USDC;
const COLLATERAL_FLOOR: u64 = 600 * SOL;

/// One step. Amounts are shares of what there is, in bps, so that most steps get past the first check.
#[derive(Clone, Debug)]
enum Action {
    Supply { user: usize, bps: u64 },
    Withdraw { user: usize, bps: u64 },
    Deposit { user: usize, bps: u64 },
    TakeOut { user: usize, bps: u64 },
    Borrow { user: usize, bps: u64 },
    Repay { user: usize, bps: u64 },
    Liquidate { by: usize, of: usize, bps: u64 },
    Deleverage { by: usize, of: usize, bps: u64 },
    Raise { scope: usize, level: u8 },
    Calm { scope: usize },
    Move { percent: i64 },
    Wait { secs: i64 },
    Donate { amount: u64 },
    Accrue,
    Request { user: usize, bps: u64 },
    Claim { user: usize, ticket: u8 },
    Cancel { user: usize, ticket: u8 },
}

fn action() -> impl Strategy<Value = Action> {
    use Action as A;
    let (user, bps) = (0..3usize, prop_oneof![Just(1u64), Just(10_000), 1u64..10_000]);
    // the first owner starts without debt
    let numbered = (user.clone(), 0..3u8);
    let pair = (user.clone(), prop_oneof![1 => Just(0usize), 6 => 1..3usize], bps.clone());
    let one = (user, bps);
    let secs = prop_oneof![Just(0i64), Just(1), 1i64..900, 1i64..90_000, Just(3_600), Just(30 * 86_400)];
    prop_oneof![
        3 => one.clone().prop_map(|(user, bps)| A::Supply { user, bps }),
        4 => one.clone().prop_map(|(user, bps)| A::Withdraw { user, bps }),
        3 => one.clone().prop_map(|(user, bps)| A::Deposit { user, bps }),
        3 => one.clone().prop_map(|(user, bps)| A::TakeOut { user, bps }),
        4 => one.clone().prop_map(|(user, bps)| A::Borrow { user, bps }),
        2 => one.prop_map(|(user, bps)| A::Repay { user, bps }),
        5 => pair.clone().prop_map(|(by, of, bps)| A::Liquidate { by, of, bps }),
        3 => pair.prop_map(|(by, of, bps)| A::Deleverage { by, of, bps }),
        1 => (0..4usize, 1u8..4).prop_map(|(scope, level)| A::Raise { scope, level }),
        2 => (0..4usize).prop_map(|scope| A::Calm { scope }),
        6 => prop_oneof![-12i64..12, -35i64..25].prop_map(|percent| A::Move { percent }),
        4 => secs.prop_map(|secs| A::Wait { secs }),
        1 => (1u64..1_000_000_000).prop_map(|amount| A::Donate { amount }),
        1 => Just(A::Accrue),
        3 => (0..3usize, prop_oneof![Just(10_000u64), 1u64..3_000]).prop_map(|(user, bps)| A::Request { user, bps }),
        4 => numbered.clone().prop_map(|(user, ticket)| A::Claim { user, ticket }),
        1 => numbered.prop_map(|(user, ticket)| A::Cancel { user, ticket }),
    ]
}

/// One movement of a token, as its owner's balance shows it.
#[derive(Clone, Copy, Debug)]
struct Flow {
    ts: i64,
    user: usize,
    amount: u64,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    In,
    Exit,
    Risk,
}

/// A world under test with the slow record of all that moved.
struct Run {
    world: World,
    users: Vec<User>,
    loan: Vec<Flow>,
    collateral: Vec<Flow>,
    donated: Donated,
    /// The most that the vault has held: no day's base is above it.
    most: (u64, u64),
}

impl Run {
    fn new() -> Self {
        let mut world = World::with_vault_args(args_with_floors(LOAN_FLOOR, COLLATERAL_FLOOR));
        let users: Vec<User> = (0..3).map(|_| world.user(5_000 * SOL, 200_000 * USDC)).collect();
        world.supply(&users[0], 150_000 * USDC).unwrap();
        let ts = world.now_ts();
        let mut loan = vec![Flow { ts, user: 0, amount: 150_000 * USDC, kind: Kind::In }];
        let mut collateral = vec![];
        // two borrowers at 61 %, whom a fall of a quarter takes over the line
        for user in [1, 2] {
            world.deposit_collateral(&users[user], 60 * SOL).unwrap();
            world.borrow(&users[user], 5_500 * USDC).unwrap();
            collateral.push(Flow { ts, user, amount: 60 * SOL, kind: Kind::In });
            loan.push(Flow { ts, user, amount: 5_500 * USDC, kind: Kind::Risk });
        }
        Self { world, users, loan, collateral, donated: Donated::default(), most: (0, 0) }
    }

    fn step(&mut self, action: &Action) {
        match *action {
            Action::Raise { scope, level } => {
                // as a trip would, it is refused while the same cause is in force
                self.world.calm(SCOPES[scope]);
                self.world.raise(SCOPES[scope], Level::try_from(level).unwrap());
            }
            Action::Calm { scope } => self.world.calm(SCOPES[scope]),
            Action::Move { percent } => {
                let dollars = (self.world.sol_price() * (100 + percent) as f64 / 100.0).clamp(0.5, 20_000.0);
                self.world.set_prices(dollars, self.world.usdc_price());
            }
            Action::Wait { secs } => self.wait(secs),
            Action::Donate { amount } => self.donate(amount),
            _ => self.act(action),
        }
        self.check();
    }

    fn wait(&mut self, secs: i64) {
        self.world.advance(secs);
        let (sol, usdc) = (self.world.sol_price(), self.world.usdc_price());
        self.world.set_prices(sol, usdc);
        // after a gap the reference warms up again
        for _ in 0..if secs > 3_600 { 3 } else { 0 } {
            self.world.tick(20, sol, usdc);
        }
    }

    fn donate(&mut self, amount: u64) {
        let (loan, collateral) = (self.world.keys.loan_token, self.world.keys.collateral_token);
        self.world.mint_to(self.world.usdc, loan, amount);
        self.world.mint_to(self.world.sol, collateral, amount);
        self.donated.loan += amount;
        self.donated.collateral += amount;
    }

    fn act(&mut self, action: &Action) {
        let (actor, ix) = self.instruction(action);
        let before = self.balances(actor);
        let key = &self.users[actor].key;
        let signers = if matches!(action, Action::Accrue) { vec![] } else { vec![key] };
        let outcome = self.world.send(&[ix], &signers);
        assert_sane(action, &outcome);
        if outcome.is_ok() {
            self.record(action, actor, before);
        }
    }

    fn instruction(&self, action: &Action) -> (usize, Instruction) {
        use crate::actions as a;
        let (w, u) = (&self.world, &self.users);
        let part = |amount: u64, bps: u64| (u128::from(amount) * u128::from(bps) / 10_000) as u64;
        // half of the time all that is allowed
        let most = |of: usize, bps: u64| if bps >= 5_000 { u64::MAX } else { part(a::debt(w, &u[of]), bps) };
        let position = |user: usize| w.position(&u[user].position);
        match *action {
            Action::Supply { user, bps } => (user, a::supply_ix(w, &u[user], part(w.balance(&u[user].usdc), bps))),
            Action::Withdraw { user, bps } => {
                let shares = position(user).supply_shares.get();
                let wanted = if bps == 1 { shares_for(w, 1) } else { shares / 10_000 * u128::from(bps) };
                (user, a::withdraw_ix(w, &u[user], if bps == 10_000 { shares } else { wanted }))
            }
            Action::Deposit { user, bps } => (user, a::deposit_ix(w, &u[user], part(w.balance(&u[user].sol), bps))),
            Action::TakeOut { user, bps } => {
                (user, a::withdraw_collateral_ix(w, &u[user], part(position(user).collateral_amount, bps)))
            }
            Action::Borrow { user, bps } => {
                let worth = position(user).collateral_amount as f64 / SOL as f64 * w.sol_price();
                let most = (worth * 0.75) as u64 * USDC;
                (user, a::borrow_ix(w, &u[user], part(most, bps)))
            }
            Action::Repay { user, bps } => (user, a::repay_ix(w, &u[user], part(a::debt(w, &u[user]), bps))),
            Action::Liquidate { by, of, bps } => (by, liquidate_ix(w, &u[by], u[of].position, most(of, bps))),
            Action::Deleverage { by, of, bps } => (by, deleverage_ix(w, &u[by], u[of].position, most(of, bps))),
            Action::Request { user, bps } => {
                let shares = position(user).supply_shares.get() / 10_000 * u128::from(bps);
                (user, exit::request_withdrawal(&w.keys, u[user].address(), shares))
            }
            Action::Claim { user, ticket } => {
                let args = rampart::ClaimWithdrawalArgs { ticket, min_amount: 0 };
                (user, exit::claim_withdrawal(&w.keys, u[user].address(), u[user].usdc, args))
            }
            Action::Cancel { user, ticket } => (user, exit::cancel_withdrawal(w.keys.vault, u[user].address(), ticket)),
            _ => (0, lending::accrue(w.keys.vault)),
        }
    }

    fn balances(&self, user: usize) -> (u64, u64, bool) {
        let user = &self.users[user];
        let has_debt = self.world.position(&user.position).debt_scaled.get() > 0;
        (self.world.balance(&user.usdc), self.world.balance(&user.sol), has_debt)
    }

    fn record(&mut self, action: &Action, user: usize, before: (u64, u64, bool)) {
        let ts = self.world.now_ts();
        let (usdc, sol, _) = self.balances(user);
        let flow = |amount, kind| Flow { ts, user, amount, kind };
        match action {
            Action::Supply { .. } => self.loan.push(flow(before.0 - usdc, Kind::In)),
            Action::Withdraw { .. } | Action::Claim { .. } => self.loan.push(flow(usdc - before.0, Kind::Exit)),
            Action::Borrow { .. } => self.loan.push(flow(usdc - before.0, Kind::Risk)),
            Action::Deposit { .. } => self.collateral.push(flow(before.1 - sol, Kind::In)),
            Action::TakeOut { .. } if before.2 => self.collateral.push(flow(sol - before.1, Kind::Risk)),
            Action::TakeOut { .. } => self.collateral.push(flow(sol - before.1, Kind::Exit)),
            _ => {}
        }
    }

    fn check(&mut self) {
        let users: Vec<&User> = self.users.iter().collect();
        self.world.assert_books(&users, self.donated);
        let vault = self.world.vault();
        self.most.0 = self.most.0.max(vault.lenders_amount().unwrap());
        self.most.1 = self.most.1.max(vault.collateral_amount);
        assert_within(&self.loan, LOAN_FLOOR, self.most.0, true);
        assert_within(&self.collateral, COLLATERAL_FLOOR, self.most.1, false);
    }
}

/// In every window that starts at an outflow, no more left than its budget, net of what the same owners brought in
/// within an hour before, or within the window. A loan is never netted.
fn assert_within(flows: &[Flow], floor: u64, most: u64, is_loan: bool) {
    for (window_secs, bps) in [(3_600, 2_000), (86_400, 4_000)] {
        let limit = floor.max((u128::from(most) * bps / 10_000) as u64);
        for start in flows.iter().filter(|f| f.kind != Kind::In).map(|f| f.ts) {
            let left = |kind| net_outflow(flows, start, window_secs, kind, is_loan && kind == Kind::Risk);
            let (exits, risk) = (left(Kind::Exit), left(Kind::Risk));
            assert!(exits <= limit * 6 / 10, "{exits} in exits within {window_secs} s, L is {limit}");
            assert!(risk <= limit - limit * 6 / 10, "{risk} in risk within {window_secs} s, L is {limit}");
        }
    }
}

fn net_outflow(flows: &[Flow], start: i64, window_secs: i64, kind: Kind, is_gross: bool) -> u64 {
    let end = start + window_secs;
    let sum = |user: usize, kind: Kind, from: i64| -> u64 {
        let counts = |f: &&Flow| f.user == user && f.kind == kind && (from..end).contains(&f.ts);
        flows.iter().filter(counts).map(|f| f.amount).sum()
    };
    let net = |user| {
        let credit = if is_gross { 0 } else { sum(user, Kind::In, start - 3_599) };
        sum(user, kind, start).saturating_sub(credit)
    };
    (0..3).map(net).sum()
}

/// A refusal is one of the program's or a token program's own, never a failure; a cure is never refused by a level.
fn assert_sane(action: &Action, outcome: &Outcome) {
    let Err(failed) = outcome else { return };
    let logs = failed.meta.logs.join("\n");
    let TransactionError::InstructionError(_, InstructionError::Custom(code)) = failed.err else {
        panic!("{action:?}: {:?}\n{logs}", failed.err);
    };
    let is = |error: E| code == u32::from(error);
    assert!(!is(E::MathOverflow) && !is(E::HealthNotImproved), "{action:?}\n{logs}");
    assert!(code == 1 || (6_000..6_300).contains(&code), "{action:?}: {code}\n{logs}");
    if matches!(action, Action::Repay { .. } | Action::Deposit { .. } | Action::Accrue) {
        assert!(!is(E::LevelForbids) && !is(E::PriceIndeterminate), "{action:?}\n{logs}");
    }
}

#[test]
fn books_and_limits_hold_in_any_sequence_of_actions() {
    let config = Config { cases: CASES, max_shrink_iters: 200, failure_persistence: None, ..Config::default() };
    // The same sequences in every run.
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let (landed, refused, forced) = (Cell::new(0u32), Cell::new(0u32), Cell::new(0u32));
    let outcome = runner.run(&prop::collection::vec(action(), ACTIONS), |actions| {
        let mut run = Run::new();
        for action in &actions {
            let flows = run.loan.len() + run.collateral.len();
            run.step(action);
            let moved = run.loan.len() + run.collateral.len() > flows;
            let count = if moved { &landed } else { &refused };
            count.set(count.get() + 1);
        }
        forced.set(forced.get() + u32::from(run.world.vault().totals.liquidated_amount > 0));
        Ok(())
    });
    outcome.unwrap_or_else(|e| panic!("{e}"));
    assert!(landed.get() >= CASES * 5, "{} of {} steps moved tokens", landed.get(), landed.get() + refused.get());
    assert!(forced.get() >= CASES / 6, "{} of {CASES} sequences liquidated", forced.get());
}

#[test]
fn no_sequence_at_a_constant_price_and_time_gains() {
    let config = Config { cases: CASES, max_shrink_iters: 200, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let steps = prop::collection::vec((0..4u8, 1u64..40_000_000), 1..25);
    let outcome = runner.run(&steps, |steps| {
        let mut world = World::with_vault();
        let lender = world.lender(100_000 * USDC);
        let other = world.borrower(1_000 * SOL, 70_000 * USDC);
        world.advance(1_234_567);
        world.warm_up(4, 60);
        let user = world.user(100 * SOL, 1_000 * USDC);
        world.deposit_collateral(&user, 100 * SOL).unwrap();
        for (kind, amount) in steps {
            let shares = shares_for(&world, amount).min(world.position(&user.position).supply_shares.get());
            // refusals are fine: only the balances count
            let _ = match kind {
                0 => world.supply(&user, amount),
                1 => world.withdraw(&user, shares),
                2 => world.borrow(&user, amount),
                _ => world.repay(&user, amount),
            };
        }
        let shares = world.position(&user.position).supply_shares.get();
        let (has, owes) = (crate::actions::worth(&world, &user), crate::actions::debt(&world, &user));
        prop_assert!(world.balance(&user.usdc) + has <= 1_000 * USDC + owes, "{shares} shares");
        world.assert_books(&[&lender, &other, &user], Donated::default());
        Ok(())
    });
    outcome.unwrap_or_else(|e| panic!("{e}"));
}
