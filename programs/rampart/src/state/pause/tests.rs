use super::*;
use proptest::prelude::*;

const GUARDIAN: [Pubkey; 3] =
    [Pubkey::new_from_array([1; 32]), Pubkey::new_from_array([2; 32]), Pubkey::new_from_array([3; 32])];

fn bounds() -> HardBounds {
    HardBounds {
        max_pause_secs: 86_400,
        max_guardian_pause_secs: 172_800,
        max_guard_pause_secs: 500_000,
        quorum_reserve_secs: 200_000,
        ..bytemuck::Zeroable::zeroed()
    }
}

fn roles(active: &[Pubkey]) -> Roles {
    let mut roles: Roles = bytemuck::Zeroable::zeroed();
    roles.guardians[..active.len()].copy_from_slice(active);
    roles.guardian_count = active.len() as u8;
    roles
}

#[test]
fn pause_across_midnight_counts_in_the_day_that_it_falls_in() {
    let mut ring = PauseRing::default();
    let evening = 20_000 * DAY_SECS + 86_000;
    ring.settle(evening);
    ring.charge(evening, 1_000).unwrap();
    assert_eq!((ring.cells[cell_of(20_000)], ring.cells[cell_of(20_001)]), (400, 600));
    ring.settle(evening + 30 * DAY_SECS);
    assert_eq!(ring.total_secs(), 1_000);
    ring.settle(evening + 31 * DAY_SECS);
    assert_eq!(ring.total_secs(), 600);
    ring.settle(evening + 32 * DAY_SECS);
    assert_eq!(ring.total_secs(), 0);
}

#[test]
fn order_of_the_guardians_gives_nobody_a_new_budget() {
    let (mut budget, now) = (PauseBudget::default(), 20_000 * DAY_SECS);
    let (first, second) = (roles(&GUARDIAN[..2]), roles(&[GUARDIAN[1], GUARDIAN[0]]));
    budget.charge_guardian(&GUARDIAN[0], &first, &bounds(), now, 172_800 / 2).unwrap();
    budget.charge_guardian(&GUARDIAN[0], &second, &bounds(), now, 172_800 / 2).unwrap();
    let outcome = budget.charge_guardian(&GUARDIAN[0], &second, &bounds(), now, 1);
    assert_eq!(outcome.unwrap_err(), RampartError::PauseBudgetUsed.into());
}

#[test]
fn ninth_guardian_takes_the_place_of_one_who_left() {
    let (mut budget, now) = (PauseBudget::default(), 20_000 * DAY_SECS);
    let key = |n: u8| Pubkey::new_from_array([n; 32]);
    let all: Vec<Pubkey> = (1..=8).map(key).collect();
    for guardian in &all {
        budget.charge_guardian(guardian, &roles(&all), &bounds(), now, 10).unwrap();
    }
    let mut next = all.clone();
    next[3] = key(9);
    budget.charge_guardian(&key(9), &roles(&next), &bounds(), now, 10).unwrap();
    assert!(budget.guardians.iter().all(|g| g.guardian != key(4)));
    assert_eq!(budget.single.total_secs(), 90);
}

#[test]
fn single_guardians_never_touch_the_reserve_and_the_quorum_may_use_the_rest() {
    let (mut budget, now, all) = (PauseBudget::default(), 20_000 * DAY_SECS, roles(&GUARDIAN));
    for guardian in &GUARDIAN {
        for secs in [86_400, 63_600 / 3 * 3 / 3] {
            let _ = budget.charge_guardian(guardian, &all, &bounds(), now, secs);
        }
    }
    assert!(budget.single.total_secs() <= 300_000);
    budget.charge_quorum(&bounds(), now, 172_800).unwrap();
    assert!(budget.charge_quorum(&bounds(), now, 172_800).is_err());
}

#[test]
fn quorum_that_used_more_than_its_reserve_leaves_singles_less() {
    let (mut budget, now, all) = (PauseBudget::default(), 20_000 * DAY_SECS, roles(&GUARDIAN));
    for _ in 0..2 {
        budget.charge_quorum(&bounds(), now, 172_800).unwrap();
    }
    budget.charge_guardian(&GUARDIAN[0], &all, &bounds(), now, 86_400).unwrap();
    budget.charge_guardian(&GUARDIAN[1], &all, &bounds(), now, 68_000).unwrap();
    let outcome = budget.charge_guardian(&GUARDIAN[2], &all, &bounds(), now, 1);
    assert_eq!(outcome.unwrap_err(), RampartError::PauseBudgetUsed.into());
}

/// The slow truth: paused seconds within `[from, from + 30 days)`.
fn paused(pauses: &[(i64, i64)], from: i64) -> i64 {
    let to = from + 30 * DAY_SECS;
    pauses.iter().map(|(start, secs)| ((start + secs).min(to) - (*start).max(from)).max(0)).sum()
}

proptest! {
    #[test]
    fn no_window_of_30_days_exceeds_the_budget(asked in prop::collection::vec((0i64..400_000, 1u32..86_400, 0usize..4), 1..120)) {
        let (mut budget, all, bounds) = (PauseBudget::default(), roles(&GUARDIAN), bounds());
        let (mut now, mut pauses, mut singles) = (20_000 * DAY_SECS, vec![], vec![]);
        for (gap, secs, who) in asked {
            now += gap;
            if who == 3 {
                if budget.charge_quorum(&bounds, now, secs * 2).is_ok() {
                    pauses.push((now, i64::from(secs) * 2));
                }
            } else if budget.charge_guardian(&GUARDIAN[who], &all, &bounds, now, secs).is_ok() {
                pauses.push((now, i64::from(secs)));
                singles.push((now, i64::from(secs), who));
            }
        }
        for (start, secs) in &pauses {
            for from in [*start, start + secs - 30 * DAY_SECS] {
                prop_assert!(paused(&pauses, from) <= 500_000);
                let all_singles: Vec<_> = singles.iter().map(|(t, s, _)| (*t, *s)).collect();
                prop_assert!(paused(&all_singles, from) <= 300_000);
                for who in 0..3 {
                    let own: Vec<_> = singles.iter().filter(|s| s.2 == who).map(|(t, s, _)| (*t, *s)).collect();
                    prop_assert!(paused(&own, from) <= 172_800);
                }
            }
        }
    }
}
