use super::*;
use crate::constants::WINDOW_CELLS;
use crate::math::Price;
use crate::math::price::Q64_ONE;
use crate::state::window::WindowCell;
use proptest::prelude::*;

const NOW: i64 = 1_000_000;

fn keepers() -> KeeperScale {
    KeeperScale { calm_bps: 3_000, switch: Switch::Enabled as u8, ..RiskScale::off(7_000).ltv }
}

fn scale() -> RiskScale {
    let off = RiskScale::off(7_000);
    let volatility =
        VolatilityScale { calm_bps: 200, slope_bps: 20_000, switch: Switch::Enabled as u8, ..off.volatility };
    RiskScale { volatility, ltv: keepers(), floor_ltv_bps: 5_000, ..off }
}

/// A window of minutes; the price goes up and down by `swing_bps` from one of the last `cells` to the next.
fn window(cells: i64, swing_bps: u64) -> Window {
    let mut window = Window { cells: [WindowCell::default(); WINDOW_CELLS], cell_secs: 60, reserved: [0; 4] };
    for back in 0..cells {
        let swing = if back % 2 == 0 { Q64_ONE / 10_000 * u128::from(swing_bps) } else { 0 };
        window.record(Price::from_q64(100 * (Q64_ONE + swing)).unwrap(), NOW - 60 * back);
    }
    window
}

fn ltv(scale: &RiskScale, cut: &KeeperCut, window: &Window) -> u16 {
    scale.ltv_bps(7_000, cut, window, NOW)
}

fn cut(cut_bps: u16) -> KeeperCut {
    KeeperCut { expires_at_ts: NOW + 1, moved_at_ts: NOW, cut_bps, ..KeeperCut::default() }
}

#[test]
fn limit_falls_by_slope_beyond_calm_and_never_below_the_floor() {
    let none = KeeperCut::default();
    // 59 changes of 20 bps come to 153 bps: calm
    assert_eq!(ltv(&scale(), &none, &window(60, 20)), 7_000);
    let wild = window(60, 50);
    let volatility = wild.volatility(3_600, NOW).unwrap().0 as u16;
    assert_eq!(ltv(&scale(), &none, &wild), 7_000 - 2 * (volatility - 200));
    assert_eq!(ltv(&scale(), &none, &window(60, 500)), 5_000);
}

#[test]
fn too_little_coverage_is_unknown_and_leaves_the_floor() {
    let none = KeeperCut::default();
    assert_eq!(ltv(&scale(), &none, &window(29, 0)), 5_000);
    assert_eq!(ltv(&scale(), &none, &window(30, 0)), 7_000);
    let mut long = scale();
    long.volatility.span_secs = 64 * 60 + 1;
    assert_eq!(ltv(&long, &none, &window(64, 0)), 5_000);
}

#[test]
fn deeper_of_both_sources_holds_and_what_is_off_takes_nothing() {
    let wild = window(60, 50);
    let proven = 7_000 - ltv(&scale(), &KeeperCut::default(), &wild);
    assert_eq!(ltv(&scale(), &cut(proven + 100), &wild), 6_900 - proven);
    assert_eq!(ltv(&scale(), &cut(proven - 100), &wild), 7_000 - proven);
    let off = RiskScale::off(7_000);
    assert_eq!(ltv(&off, &cut(2_000), &window(0, 0)), 7_000);
    assert_eq!(off.borrow_cap(u64::MAX, &cut(10_000), NOW), u64::MAX);
}

#[test]
fn floor_above_the_limit_is_the_limit() {
    let above = RiskScale { floor_ltv_bps: 9_000, ..scale() };
    assert_eq!(ltv(&above, &cut(10_000), &window(0, 0)), 7_000);
}

#[test]
fn cap_falls_by_its_share_to_its_floor() {
    let mut by_depth = RiskScale { floor_cap_bps: 2_500, ..RiskScale::off(7_000) };
    by_depth.cap.switch = Switch::Enabled as u8;
    assert_eq!(by_depth.borrow_cap(1_001, &cut(1_000), NOW), 900);
    assert_eq!(by_depth.borrow_cap(1_000, &cut(10_000), NOW), 250);
    assert_eq!(by_depth.borrow_cap(1_000, &cut(10_000), NOW + 1), 1_000);
}

#[test]
fn part_asks_on_the_side_of_its_danger() {
    let depth = KeeperScale { part: ReportPart::Liquidity as u8, slope_bps: 5_000, ..keepers() };
    assert_eq!((depth.wanted_bps(3_000), depth.wanted_bps(999)), (Ok(0), Ok(1_001)));
    assert_eq!((keepers().wanted_bps(3_000), keepers().wanted_bps(10_000)), (Ok(0), Ok(7_000)));
}

#[test]
fn step_is_half_at_once_and_the_rest_as_the_hour_passes() {
    let (k, mut c) = (keepers(), KeeperCut::default());
    c.follow(&k, 7_000, NOW, NOW).unwrap();
    assert_eq!((c.bps_at(NOW), c.expires_at_ts), (250, NOW + 21_600));
    let first = c;
    // the same reports again: nothing
    assert_eq!(c.follow(&k, 7_000, NOW, NOW), Err(RampartError::ScaleStepUsed.into()));
    assert_eq!(c, first);
    c.follow(&k, 7_000, NOW + 1_800, NOW + 1_800).unwrap();
    assert_eq!(c.bps_at(NOW + 1_800), 375);
}

#[test]
fn cut_ends_six_hours_after_the_last_proof_and_old_reports_prolong_nothing() {
    let (k, mut c) = (keepers(), KeeperCut::default());
    c.follow(&k, 200, NOW, NOW + 30).unwrap();
    assert_eq!(c.follow(&k, 200, NOW, NOW + 40), Err(RampartError::ScaleUnchanged.into()));
    assert_eq!((c.bps_at(NOW + 21_599), c.bps_at(NOW + 21_600)), (200, 0));
    c.follow(&k, 200, NOW + 50, NOW + 60).unwrap();
    assert_eq!(c.expires_at_ts, NOW + 50 + 21_600);
    // a report from the future counts from now
    c.follow(&k, 200, NOW + 75, NOW + 70).unwrap();
    assert_eq!(c.expires_at_ts, NOW + 70 + 21_600);
}

#[test]
fn cut_eases_by_a_hundred_an_hour_at_most_and_calls_in_between_do_not_stop_it() {
    let (k, mut c) = (keepers(), KeeperCut::default());
    c.follow(&k, 240, NOW, NOW).unwrap();
    for second in (30..=3_600).step_by(30) {
        c.follow(&k, 0, NOW + second, NOW + second).unwrap();
    }
    // each move drops less than one bps
    assert!((140..=180).contains(&c.bps_at(NOW + 3_600)), "{c:?}");
    c.follow(&k, 0, NOW + 21_600, NOW + 21_600).unwrap();
    assert_eq!(c.bps_at(NOW + 21_600), 0);
    assert_eq!(c.follow(&k, 0, NOW + 21_700, NOW + 21_700), Err(RampartError::ScaleUnchanged.into()));
}

#[test]
fn scale_outside_its_bounds_is_invalid() {
    scale().validate().unwrap();
    let bad: [fn(&mut RiskScale); 10] = [
        |s| s.volatility.span_secs = 0,
        |s| s.volatility.slope_bps = 0,
        |s| s.floor_ltv_bps = 0,
        |s| s.floor_cap_bps = 10_001,
        |s| s.ltv.hour_bps = 1,
        |s| s.ltv.hour_bps = MAX_CUT_HOUR_BPS + 1,
        |s| s.ltv.day_bps = MAX_CUT_DAY_BPS + 1,
        |s| s.ltv.day_bps = s.ltv.hour_bps - 1,
        |s| s.ltv.part = ReportPart::Liquidity as u8,
        |s| s.cap.part = ReportPart::Score as u8,
    ];
    for spoil in bad {
        let mut bad = scale();
        spoil(&mut bad);
        assert_eq!(bad.validate(), Err(RampartError::ScaleInvalid.into()), "{bad:?}");
    }
    for spoil in [
        (|s| s.volatility.switch = 0) as fn(&mut RiskScale),
        |s| s.ltv.switch = 3,
        |s| s.cap.part = 0,
        |s| s.cap.reserved[1] = 1,
        |s| s.volatility.reserved[0] = 1,
    ] {
        let mut unknown = scale();
        spoil(&mut unknown);
        assert_eq!(unknown.validate(), Err(RampartError::UnknownKind.into()), "{unknown:?}");
    }
}

proptest! {
    #[test]
    fn no_hour_and_no_day_takes_more_than_its_step_however_often_it_is_called(
        calls in prop::collection::vec((0i64..5_000, 0u16..=10_000), 1..120),
        hour_bps in 2u16..=2_000, more in 0u16..=3_000,
    ) {
        let k = KeeperScale { hour_bps, day_bps: hour_bps + more, ..keepers() };
        let (mut c, mut now, mut taken) = (KeeperCut::default(), NOW, vec![]);
        for (gap, wanted) in calls {
            now += gap;
            let before = c.bps_at(now);
            if c.follow(&k, wanted, now, now).is_ok() {
                prop_assert!(c.expires_at_ts <= now + i64::from(MAX_REPORTED_SECS));
                taken.push((now, c.bps_at(now).saturating_sub(before)));
            }
        }
        for (start, _) in &taken {
            let within = |secs: i64| taken.iter().filter(|(t, _)| (*start..*start + secs).contains(t)).map(|(_, b)| u32::from(*b)).sum::<u32>();
            prop_assert!(within(HOUR_SECS) <= u32::from(k.hour_bps));
            prop_assert!(within(DAY_SECS) <= u32::from(k.day_bps));
        }
    }

    #[test]
    fn limit_is_between_the_floor_and_the_whole(cut_bps in 0u16..=10_000, swing in 0u64..3_000, cells in 0i64..=60, full in 1u16..=9_999, floor in 1u16..=10_000) {
        let s = RiskScale { floor_ltv_bps: floor, ..scale() };
        let left = s.ltv_bps(full, &cut(cut_bps), &window(cells, swing), NOW);
        prop_assert!(left <= full && left >= floor.min(full));
    }
}
