//! Invariants of pure functions over whole small domains, and harnesses for Kani of the same claims.
//!
//! `docs/invariants.md` names each. A small domain is gone through completely, where property tests pick from a wide one.
//! The harnesses under `cfg(kani)` are for `cargo kani`; nothing here runs them.

#[cfg(test)]
mod exhaustive {
    use crate::constants::{DAY_SECS, HOUR_SECS, VIRTUAL_SHARES};
    use crate::error::RampartError;
    use crate::math::limiter::{DayRing, LeakyBucket};
    use crate::math::shares::{assets_for_shares, shares_for_deposit};
    use crate::risk::gate::{Class, gate};
    use crate::risk::keepers::{Ballot, Poll};
    use crate::state::breaker::{Breaker, Cause, CauseKind, Level, Levels, Reach};
    use crate::state::guard::Roles;
    use crate::state::keeper_set::{KeeperRole, KeeperSet, quorum_of};
    use crate::state::rule::Comparator;
    use anchor_lang::prelude::Pubkey;
    use bytemuck::Zeroable;

    const LEVELS: [Level; 5] = [Level::Normal, Level::Caution, Level::ReduceOnly, Level::Halt, Level::Resolution];

    /// What left within the window that begins at `start`.
    fn left(out: &[(i64, u64)], start: i64, window: i64) -> u64 {
        out.iter().filter(|(t, _)| (start..start + window).contains(t)).map(|o| o.1).sum()
    }

    /// All sequences of three waits and amounts, at every small limit, against the list of what left.
    #[test]
    fn inv_01_no_window_of_a_small_limiter_lets_more_than_the_limit_out() {
        const WAITS: [i64; 5] = [0, 1_800, 3_599, 3_600, 82_800];
        let steps = || WAITS.into_iter().flat_map(|wait| (0..4u64).map(move |amount| (wait, amount)));
        for limit in 2..=5 {
            for first in steps() {
                for second in steps() {
                    for third in steps() {
                        run_limiter(limit, [first, second, third, first]);
                    }
                }
            }
        }
    }

    fn run_limiter(limit: u64, steps: [(i64, u64); 4]) {
        let (mut bucket, mut ring, mut now) = (LeakyBucket::default(), DayRing::default(), 10 * DAY_SECS + 1_000);
        let (mut hour, mut day) = (vec![], vec![]);
        for (wait, amount) in steps {
            now += wait;
            bucket.settle(now, limit);
            ring.settle(now);
            hour.extend(bucket.take(amount, 0).is_ok().then_some((now, amount)));
            day.extend(ring.take(amount, limit).is_ok().then_some((now, amount)));
        }
        for start in hour.iter().chain(&day).map(|o| o.0) {
            assert!(left(&hour, start, HOUR_SECS) <= limit, "{steps:?} at {limit}");
            assert!(left(&day, start, DAY_SECS) <= limit, "{steps:?} at {limit}");
        }
    }

    #[test]
    fn inv_02_leaking_twice_equals_leaking_once_on_a_small_domain() {
        for limit in 0..8u64 {
            for used in 0..12u128 {
                let start = LeakyBucket { used_scaled: (used * 3_600 + used % 7).into(), last_ts: 0, limit };
                for (a, b) in (0..40i64).flat_map(|a| (0..40).map(move |b| (a * 91, b * 91))) {
                    let (mut twice, mut once) = (start, start);
                    twice.settle(a, limit);
                    twice.settle(a + b, limit);
                    once.settle(a + b, limit);
                    assert_eq!(twice, once);
                }
            }
        }
    }

    /// Two causes at every level and reach, stepped down at any time: levels never rise by themselves, fall by one at a step,
    /// and end with their causes.
    #[test]
    fn inv_07_levels_never_rise_by_themselves_and_step_down_by_one() {
        let cause = |source: u8, level: Level, reach: Reach| Cause {
            source: Pubkey::new_from_array([source; 32]),
            tripped_at_ts: 0,
            expires_at_ts: 6 + i64::from(source),
            dwell_until_ts: 2,
            level: level as u8,
            kind: CauseKind::Rule as u8,
            reach: reach as u8,
            reserved: [0; 5],
        };
        let kinds = || LEVELS[1..4].iter().flat_map(|l| [(*l, Reach::All), (*l, Reach::NewRisk)]);
        for (first, second) in kinds().flat_map(|a| kinds().map(move |b| (a, b))) {
            for stepped_at in 2..20 {
                let mut breaker = Breaker::default();
                breaker.trip(cause(1, first.0, first.1), 0).unwrap();
                breaker.trip(cause(2, second.0, second.1), 0).unwrap();
                let (mut before, mut last) = (breaker, breaker.levels_at(0));
                for now in 0..24 {
                    if now == stepped_at {
                        step(&mut breaker, now);
                    }
                    let is = breaker.levels_at(now);
                    assert!(is.risk <= last.risk && is.exit <= last.exit, "rose at {now}");
                    assert!(now == stepped_at || is == before.levels_at(now), "moved without a step at {now}");
                    (before, last) = (breaker, is);
                }
                assert_eq!(last, Levels::default(), "ends by itself");
            }
        }
    }

    fn step(breaker: &mut Breaker, now: i64) {
        let source = Pubkey::new_from_array([1; 32]);
        let own = |b: &Breaker| b.cause_of(&source, now).map_or(Level::Normal, |c| c.level_at(now));
        let was = own(breaker);
        if breaker.step_down(&source, now).is_ok() {
            assert_eq!(own(breaker) as u8 + 1, was as u8);
        }
    }

    #[test]
    fn inv_09_10_16_gate_over_every_class_and_pair_of_levels() {
        for (risk, exit) in LEVELS.iter().flat_map(|r| LEVELS.iter().map(move |e| (*r, *e))) {
            let levels = Levels { risk, exit };
            assert_eq!(gate(Class::Exit, levels).is_ok(), exit < Level::Resolution);
            assert!(gate(Class::RiskDown, levels).is_ok() && gate(Class::Evidence, levels).is_ok());
            assert_eq!(gate(Class::RiskUp, levels).is_ok(), risk < Level::ReduceOnly);
            // what isn't known raises the level for new risk alone
            assert_eq!(gate(Class::Exit, levels), gate(Class::Exit, Levels { risk: Level::Normal, exit }));
        }
    }

    #[test]
    fn inv_12_deposit_and_withdrawal_of_a_small_vault_never_gain() {
        for total in 0..20u128 {
            for shares in (0..20).map(|n| n * VIRTUAL_SHARES / 3) {
                for assets in 1..20 {
                    let minted = shares_for_deposit(assets, total, shares).unwrap();
                    let back = assets_for_shares(minted, total + assets, shares + minted).unwrap();
                    assert!(back <= assets, "{assets} into {total} of {shares} give {back}");
                }
            }
        }
    }

    /// Every vote of three to five keepers on four values, with every set of fewer liars than half of a quorum.
    #[test]
    fn inv_15_median_of_a_small_set_lies_within_the_honest_range() {
        for count in 3..=5usize {
            let set = set_of(count);
            let liars = (usize::from(quorum_of(count as u8)) - 1) / 2;
            for vote in 0..4usize.pow(count as u32) {
                let values: Vec<u16> = (0..count).map(|i| (vote / 4usize.pow(i as u32) % 4) as u16).collect();
                let mut poll = Poll::new(&set, 1_000);
                for (member, value) in set.active().iter().zip(&values) {
                    poll.count(member, Some(Ballot { value_bps: *value, observed_at_ts: 1_000, set_epoch: 1 }));
                }
                for danger in [Comparator::Above, Comparator::Below] {
                    let median = poll.median(danger, true).unwrap();
                    for who in (0u32..1 << count).filter(|who| who.count_ones() as usize <= liars) {
                        let honest = || values.iter().enumerate().filter(|(i, _)| who >> i & 1 == 0).map(|(_, v)| *v);
                        let range = honest().min().unwrap()..=honest().max().unwrap();
                        assert!(range.contains(&median), "{values:?}, liars {who:b}: {median}");
                    }
                }
            }
        }
    }

    fn set_of(count: usize) -> KeeperSet {
        let mut set = KeeperSet::zeroed();
        (set.count, set.epoch, set.max_age_secs, set.max_spread_bps) = (count as u8, 1, 60, 9_999);
        for (tag, member) in set.members.iter_mut().take(count).enumerate() {
            (member.source_tag, member.role) = (tag as u16, KeeperRole::Reporter as u8);
        }
        set
    }

    /// Any two places of any number of guardians with one key are refused, and so is an empty one.
    #[test]
    fn inv_22_no_key_has_two_roles() {
        for guardians in 1..=8u8 {
            let key = |n: usize| Pubkey::new_from_array([n as u8 + 1; 32]);
            let with = |keys: &[Pubkey]| {
                let mut roles = Roles { guardian_count: guardians, guardian_quorum: 1, ..Roles::zeroed() };
                [roles.root, roles.risk_admin, roles.resetter, roles.vetoer] = [keys[0], keys[1], keys[2], keys[3]];
                roles.guardians[..usize::from(guardians)].copy_from_slice(&keys[4..]);
                roles.validate()
            };
            let keys: Vec<Pubkey> = (0..4 + usize::from(guardians)).map(key).collect();
            with(&keys).unwrap();
            for (i, j) in (0..keys.len()).flat_map(|i| (0..i).map(move |j| (i, j))) {
                let mut twins = keys.clone();
                twins[i] = twins[j];
                assert_eq!(with(&twins).unwrap_err(), RampartError::RolesInvalid.into());
                twins[i] = Pubkey::default();
                assert_eq!(with(&twins).unwrap_err(), RampartError::RolesInvalid.into());
            }
        }
    }
}

/// For `cargo kani`; not run by the checks of this repository.
#[cfg(kani)]
mod harnesses {
    use crate::constants::HOUR_SECS;
    use crate::math::limiter::LeakyBucket;
    use crate::math::shares::{assets_for_shares, shares_for_deposit};

    /// I1 for two outflows: two within an hour never exceed the limit.
    #[kani::proof]
    fn inv_01_two_outflows_within_an_hour() {
        let (limit, wait, a, b): (u64, i64, u64, u64) = (kani::any(), kani::any(), kani::any(), kani::any());
        kani::assume((0..HOUR_SECS).contains(&wait) && limit > 1);
        let mut bucket = LeakyBucket::default();
        bucket.settle(0, limit);
        let first = bucket.take(a, 0).is_ok();
        bucket.settle(wait, limit);
        if first && bucket.take(b, 0).is_ok() {
            assert!(u128::from(a) + u128::from(b) <= u128::from(limit));
        }
    }

    /// I2.
    #[kani::proof]
    fn inv_02_leak_composes() {
        let (limit, used, a, b): (u64, u64, u32, u32) = (kani::any(), kani::any(), kani::any(), kani::any());
        let start = LeakyBucket { used_scaled: u128::from(used).into(), last_ts: 0, limit };
        let (mut twice, mut once) = (start, start);
        twice.settle(a.into(), limit);
        twice.settle(i64::from(a) + i64::from(b), limit);
        once.settle(i64::from(a) + i64::from(b), limit);
        assert!(twice == once);
    }

    /// I12 for one deposit.
    #[kani::proof]
    fn inv_12_deposit_never_gains() {
        let (assets, total, shares): (u32, u32, u64) = (kani::any(), kani::any(), kani::any());
        let minted = shares_for_deposit(assets.into(), total.into(), shares.into()).unwrap();
        let back = assets_for_shares(minted, u128::from(total) + u128::from(assets), u128::from(shares) + minted);
        assert!(back.unwrap() <= u128::from(assets));
    }
}
