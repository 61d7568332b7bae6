//! A true crash: whoever halts liquidations as well makes bad debt.

use super::Row;
use super::pool::{Pool, Setup, Terms, whole};
use rampart::state::Level;
use rampart::state::rule::RuleParams;
use rampart_tests::User;
use rampart_tests::defaults::{self, USDC};

/// A hundredth of the 4,608 users whom the crash put at risk.
const USERS: u64 = 46;

/// Users at 50 to 70 % when SOL stands at 220.
fn borrowers(pool: &mut Pool) -> Vec<User> {
    (0..USERS)
        .map(|n| {
            let user = pool.attacker(1_000);
            pool.borrow_most(&user, 1_000 * 220 * USDC * (5_000 + 2_000 * n / USERS) / 10_000);
            user
        })
        .collect()
}

/// 220 to 143 in twenty minutes, a wick, and back to 180. `goes_on`: liquidators act at a halt; else they wait until it is
/// over, as behind a guard that stops them. Returns bad debt and the users who were liquidated.
fn play(goes_on: bool) -> (u64, usize) {
    let mut pool = Pool::new(Setup::Open, Terms::of(100_000_000, 220.0));
    let params = RuleParams {
        threshold: 2_700,
        clear_threshold: 1_600,
        level: Level::Halt as u8,
        window_secs: 3_600,
        ..defaults::drawdown_rule()
    };
    let rule = pool.world.create_rule(1, pool.world.keys.collateral_asset, params);
    let users = borrowers(&mut pool);
    let by = pool.world.user(0, 50_000_000 * USDC);
    for minute in 1..=60 {
        let dollars = match minute {
            1..=20 => 220.0 - 77.0 * f64::from(minute) / 20.0,
            21..=30 => 143.0,
            _ => 143.0 + 37.0 * f64::from(minute - 30) / 30.0,
        };
        pool.world.tick(60, dollars, 1.0);
        let _ = pool.world.trip(rule);
        if goes_on {
            liquidate(&mut pool, &by, &users);
        }
    }
    // the second leg, after a halt that stopped everything
    pool.world.tick(60, 120.0, 1.0);
    for _ in 0..20 {
        pool.world.tick(60, 120.0, 1.0);
        liquidate(&mut pool, &by, &users);
    }
    let hit = users.iter().filter(|u| pool.world.position(&u.position).liquidation_seq > 0).count();
    (pool.world.vault().totals.bad_debt_amount, hit)
}

fn liquidate(pool: &mut Pool, by: &User, users: &[User]) {
    for user in users {
        let _ = pool.world.deleverage(by, user.position, u64::MAX);
        let _ = pool.world.liquidate(by, user.position, u64::MAX);
    }
}

pub fn row() -> Row {
    let ((stopped, _), (guarded, _)) = (play(false), play(true));
    Row {
        name: "Crash of 10 Oct 2025",
        reported: "a true move; 4,608 users at risk on Drift",
        counted: "bad debt of 46 users with 1,000 SOL each, dollars",
        open: whole(stopped),
        guarded: whole(guarded),
        held: "liquidation goes on at a halt, at a price of two sources; soft deleveraging before",
        note: "Without is a guard that stops liquidations as well: nobody liquidates until the price has fallen a second time, to 120. With: a drawdown rule halts the asset, and liquidations go on. Both pools have open limits, so that nothing else is compared. Users are not spared by that: Drift's band of 50 % over five minutes spared about half of its users, and carried the risk of the second fall.",
    }
}

#[test]
fn crash_of_october_leaves_no_bad_debt_where_liquidations_go_on() {
    let ((stopped, _), (guarded, hit)) = (play(false), play(true));
    assert!(stopped > 0);
    assert_eq!(guarded, 0);
    assert!(hit > 0);
}
