//! The shield against random and adversarial actions, judged by a slow and independent reading of its promises.

use rampart_score::policy::{Action, Bounds, Refusal, Shield, Stance};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::VecDeque;

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// What was really changed, and when; judged without the shield's own books.
#[derive(Default)]
struct Judge {
    /// LTV moves of the last day: when, and by how many bps.
    ltv: VecDeque<(i64, i32)>,
    caps: VecDeque<(i64, i32)>,
    hedge: VecDeque<(i64, i32)>,
    /// Starts of the halts of the last 30 days.
    halts: VecDeque<i64>,
    violations: u64,
}

impl Judge {
    fn look(&mut self, before: &Stance, after: &Stance, is_calm: bool, now: i64, bounds: &Bounds) {
        self.require((bounds.ltv_min_bps..=bounds.ltv_max_bps).contains(&after.ltv_bps));
        self.require((bounds.caps_min_bps..=bounds.caps_max_bps).contains(&after.caps_bps));
        self.require(after.hedge_bps <= bounds.hedge_max_bps);
        let moves = [
            (i32::from(after.ltv_bps) - i32::from(before.ltv_bps), 1),
            (i32::from(after.caps_bps) - i32::from(before.caps_bps), 1),
            (i32::from(after.hedge_bps) - i32::from(before.hedge_bps), -1),
        ];
        let is_loosening = moves.iter().any(|(by, sign)| by * sign > 0);
        self.require(!is_loosening || (is_calm && before.halted_until_ts.is_none_or(|until| until <= now)));
        for (book, (by, _)) in [&mut self.ltv, &mut self.caps, &mut self.hedge].into_iter().zip(moves) {
            if by != 0 {
                book.push_back((now, by));
            }
            while book.front().is_some_and(|(ts, _)| now - ts >= DAY) {
                book.pop_front();
            }
        }
        let up = |book: &VecDeque<(i64, i32)>, window: i64| -> i32 {
            book.iter().filter(|(ts, by)| now - ts < window && *by > 0).map(|(_, by)| by).sum()
        };
        let down = |book: &VecDeque<(i64, i32)>| -> i32 { book.iter().map(|(_, by)| (-by).max(0)).sum() };
        let daily = i32::from(bounds.tightenings_per_day);
        let held = [
            up(&self.ltv, HOUR) <= 100,
            up(&self.caps, HOUR) <= 500,
            down(&self.ltv) <= 250 * daily,
            down(&self.caps) <= 2_500 * daily,
            up(&self.hedge, DAY) <= 2_500 * i32::from(bounds.hedges_per_day),
            down(&self.hedge) <= 2_500 * i32::from(bounds.hedges_per_day),
        ];
        held.into_iter().for_each(|is_held| self.require(is_held));
        self.look_at_halts(before, after, now, bounds);
    }

    fn look_at_halts(&mut self, before: &Stance, after: &Stance, now: i64, bounds: &Bounds) {
        if after.halted_until_ts != before.halted_until_ts {
            self.halts.push_back(now);
            let until = after.halted_until_ts.expect("a halt has an end");
            self.require(until - now == 1_800);
        }
        while self.halts.front().is_some_and(|ts| now - ts >= 30 * DAY) {
            self.halts.pop_front();
        }
        self.require(self.halts.len() as i64 * 1_800 <= i64::from(bounds.halt_budget_secs));
        let today = self.halts.iter().filter(|ts| now - **ts < DAY).count();
        self.require(today <= usize::from(bounds.halts_per_day));
        self.require(after.deleverage_until_ts.is_none_or(|until| until - now <= HOUR));
    }

    fn require(&mut self, is_held: bool) {
        self.violations += u64::from(!is_held);
    }
}

/// Plays `actions` actions: random ones, bursts of the same, always the loosest or the tightest, with a clock that stands, jumps and
/// at times goes back. Returns accepted actions and violations.
fn play(actions: u64, seed: u64) -> (u64, u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let bounds = Bounds::default();
    let (mut shield, mut judge, mut now, mut newest, mut accepted) =
        (Shield::new(bounds), Judge::default(), 0i64, 0i64, 0);
    let mut manner = 0;
    for step in 0..actions {
        if step % 500 == 0 {
            manner = rng.random_range(0..5);
        }
        now += match rng.random_range(0..20) {
            0 => -rng.random_range(0..2 * HOUR),
            1 => rng.random_range(0..2 * DAY),
            2..8 => 0,
            _ => rng.random_range(1..900),
        };
        let action = match manner {
            0 | 1 => Action::ALL[rng.random_range(0..Action::COUNT)],
            2 => [Action::LoosenLtv, Action::LoosenCaps, Action::HedgeLess][rng.random_range(0..3)],
            3 => [Action::TightenLtv, Action::TightenCaps, Action::HedgeMore][rng.random_range(0..3)],
            _ => Action::Halt,
        };
        let is_calm = rng.random_bool(0.6);
        let (before, mask) = (shield, shield.mask(is_calm, now));
        let done = shield.act(action, is_calm, now);
        assert_eq!(done.is_ok(), mask[action.index()], "mask and act must agree");
        match done {
            Ok(after) => {
                accepted += 1;
                if action != Action::Noop {
                    judge.require(now >= newest);
                    newest = now;
                    judge.look(before.stance(), &after, is_calm, now, &bounds);
                }
            }
            Err(_) => assert_eq!(shield, before, "a refused action changes nothing"),
        }
    }
    (accepted, judge.violations)
}

#[test]
fn shield_holds_its_promises_over_a_hundred_thousand_actions() {
    let (accepted, violations) = play(100_000, 1);
    assert_eq!(violations, 0);
    assert!(accepted > 10_000, "only {accepted} actions got through: the test would see nothing");
}

/// Run with `--run-ignored all`; the number that it prints is the one of the docs.
#[test]
#[ignore = "ten million actions: a minute"]
fn shield_holds_its_promises_over_ten_million_actions() {
    let (accepted, violations) = (0..10).map(|seed| play(1_000_000, seed)).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    println!("10000000 actions, {accepted} accepted, {violations} violations");
    assert_eq!(violations, 0);
}

#[test]
fn act_names_the_rule_that_refuses() {
    let mut shield = Shield::new(Bounds { halts_per_day: 2, halt_budget_secs: 5_400, ..Bounds::default() });
    assert_eq!(shield.act(Action::LoosenLtv, true, 0), Err(Refusal::Bound));
    shield.act(Action::TightenLtv, false, 0).unwrap();
    assert_eq!(shield.act(Action::LoosenLtv, false, 10), Err(Refusal::NotCalm));
    shield.act(Action::LoosenLtv, true, 10).unwrap();
    assert_eq!(shield.act(Action::LoosenLtv, true, 10 + HOUR - 1), Err(Refusal::Rate));
    shield.act(Action::LoosenLtv, true, 10 + HOUR).unwrap();
    assert_eq!(shield.act(Action::TightenLtv, true, 0), Err(Refusal::Clock));
    shield.act(Action::Halt, false, DAY).unwrap();
    assert_eq!(shield.act(Action::Halt, false, DAY + 1_799), Err(Refusal::Halted));
    assert_eq!(shield.act(Action::LoosenLtv, true, DAY + 1_799), Err(Refusal::NotCalm));
    shield.act(Action::Halt, false, DAY + 1_800).unwrap();
    assert_eq!(shield.act(Action::Halt, false, DAY + 3_600), Err(Refusal::Rate));
    shield.act(Action::Halt, false, 2 * DAY + 1_800).unwrap();
    assert_eq!(shield.act(Action::Halt, false, 4 * DAY), Err(Refusal::Budget));
    assert_eq!(shield.halt_budget_left(4 * DAY), 0);
    assert_eq!(shield.halt_budget_left(31 * DAY), 1_800);
}
