use super::*;
use crate::data::{DataError, Series, data_dir_or_skip, load, parse};
use rampart_score::bar::Bar;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use std::path::Path;

const HOUR: u32 = 3_600;

fn free() -> Assumptions {
    Assumptions { band: 0.0, trade_bps: 0.0, sell_bps: 0.0, funding_bps_year: 0.0, ..Assumptions::default() }
}

/// A year of hours; the asset's return is made of the short's and of noise of the same size.
fn pair(seed: u64, asset: impl Fn(f64, f64) -> f64) -> Pair {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut draw = || 0.01 * rng.sample::<f64, _>(StandardNormal).clamp(-4.0, 4.0);
    let row = |at: i64| {
        let (short, noise) = (draw(), draw());
        Row { ts: (at + 1) * i64::from(HOUR), asset: asset(short, noise), short }
    };
    Pair { name: "A/B".into(), bar_secs: HOUR, rows: (0..365 * 24).map(row).collect() }
}

fn outcomes(pair: &Pair, assumptions: &Assumptions) -> Vec<Outcome> {
    Study::of(std::slice::from_ref(pair), assumptions, 200, 1).unwrap().pairs.remove(0).outcomes
}

#[test]
fn hedge_is_whole_with_the_slope_as_ratio_when_the_asset_is_a_multiple_of_the_short() {
    let found = outcomes(&pair(1, |short, _| 1.7 * short), &free());
    for one in &found[..2] {
        let name = one.method.name();
        assert!((one.held - 1.7).abs() < 1e-9, "{name}: {}", one.held);
        assert!((one.variance_cut.value - 1.0).abs() < 1e-9 && one.variance_cut.low > 0.999, "{name}: {one:?}");
        assert!((one.day_cut.value - 1.0).abs() < 1e-9, "{name}: {one:?}");
    }
    // 1:1 leaves (0.7 / 1.7)²
    assert!((found[2].variance_cut.value - (1.0 - (0.7f64 / 1.7).powi(2))).abs() < 1e-3, "{found:?}");
    // what sold all of it has no variance either
    assert!((found[3].held - 1.0).abs() < 1e-6 && found[3].variance_cut.value > 1.0 - 1e-9, "{found:?}");
}

#[test]
fn hedge_cuts_nothing_when_the_markets_know_nothing_of_each_other() {
    let found = outcomes(&pair(2, |_, noise| noise), &free());
    for one in &found[..2] {
        assert!(one.variance_cut.value.abs() < 0.02 && one.held < 0.1, "{one:?}");
    }
    // one short of the same size doubles the variance
    assert!((found[2].variance_cut.value + 1.0).abs() < 0.05, "{found:?}");
}

#[test]
fn variance_cut_is_the_square_of_the_correlation_and_its_interval_holds_it() {
    // half of the variance is common
    let found = outcomes(&pair(3, |short, noise| short + noise), &free());
    for one in &found[..2] {
        assert!((one.variance_cut.value - 0.5).abs() < 0.03, "{one:?}");
        assert!(one.variance_cut.low < 0.5 && one.variance_cut.high > 0.47, "{one:?}");
    }
    // selling aims at the same cut
    assert!((found[3].variance_cut.value - 0.5).abs() < 0.05, "{found:?}");
    assert!((found[3].held - (1.0 - 0.5f64.sqrt())).abs() < 0.03, "{found:?}");
}

#[test]
fn leak_is_found_in_a_ratio_that_sees_its_own_bar_or_all_of_them_and_in_none_of_the_methods() {
    let pair = pair(4, |short, noise| short + noise);
    for method in Method::ALL {
        for assumptions in [free(), Assumptions::default()] {
            let honest = |rows: &[Row]| play(method, rows, HOUR, &assumptions).iter().map(Step::ratio).collect();
            assert_eq!(check("honest", &pair.rows, honest).unwrap(), CUTS, "{}", method.name());
        }
    }
    let peeks = |rows: &[Row]| {
        let mut estimator = Estimator::new(Method::Ewma, &free(), HOUR);
        let see = |row: &Row| {
            estimator.see(row);
            estimator.target().unwrap_or(0.0)
        };
        rows.iter().map(see).collect()
    };
    assert!(matches!(check("peeks", &pair.rows, peeks), Err(HedgeError::Leak { what, .. }) if what == "peeks"));
    let fitted_on_all = |rows: &[Row]| {
        let sum = |of: fn(&Row) -> f64| rows.iter().map(of).sum::<f64>();
        vec![sum(|row| row.asset * row.short) / sum(|row| row.short * row.short); rows.len()]
    };
    assert!(matches!(check("all", &pair.rows, fitted_on_all), Err(HedgeError::Leak { .. })));
}

#[test]
fn band_holds_trades_back_and_costs_are_what_was_traded_and_held() {
    let pair = pair(5, |short, noise| short + noise);
    let [free_of_bands, banded] =
        [0.0, 0.2].map(|band| outcomes(&pair, &Assumptions { band, ..Assumptions::default() }));
    for (all, few) in free_of_bands.iter().zip(&banded) {
        let name = all.method.name();
        assert!((all.trades_year - 8_760.0).abs() < 1.0, "{name}: {all:?}");
        assert!(
            few.trades_year < 0.1 * all.trades_year && few.cost_bps_year < 0.5 * all.cost_bps_year,
            "{name}: {few:?}"
        );
    }
    let assumptions = Assumptions { funding_bps_year: 876.0, ..Assumptions::default() };
    let steps = play(Method::OneToOne, &pair.rows, HOUR, &assumptions);
    assert_eq!((steps[0].held, steps[0].traded, steps[0].cost), (1.0, 1.0, 8e-4));
    assert!((steps[0].carry - 1e-5).abs() < 1e-12, "876 bps over 8,760 hours");
    for pair in steps.windows(2) {
        let moved = if pair[1].traded > 0.0 { assumptions.band } else { 0.0 };
        assert!(pair[1].traded > moved || pair[1].traded == 0.0, "{pair:?}");
        assert!((pair[1].cost - pair[1].traded * 8e-4).abs() < 1e-15);
    }
}

#[test]
fn held_units_drift_with_both_prices_until_they_are_traded() {
    let row = |at: i64, asset: f64, short: f64| Row { ts: at * i64::from(HOUR), asset, short };
    let rows = [row(1, -0.2, 0.0), row(2, 0.0, 0.0), row(3, 0.0, 0.0)];
    let wide = Assumptions { band: 0.3, ..free() };
    let held = |method, of: &Assumptions| play(method, &rows, HOUR, of).iter().map(Step::ratio).collect::<Vec<_>>();
    assert_eq!(held(Method::OneToOne, &wide), [1.0, 1.25, 1.25]);
    assert_eq!(held(Method::OneToOne, &free()), [1.0, 1.0, 1.0]);
}

fn series(text: &str, name: &str) -> Result<Series, DataError> {
    parse(Path::new(name), format!("time,open,high,low,close,volume\n{text}").as_bytes())
}

#[test]
fn no_return_is_taken_across_a_gap_of_either_market() {
    let bar = |hour: i64, close: f64| format!("{},{close},{close},{close},{close},1\n", hour * 3_600);
    let text = |hours: &[(i64, f64)]| hours.iter().map(|(hour, close)| bar(*hour, *close)).collect::<String>();
    let asset = series(&text(&[(0, 10.0), (1, 11.0), (2, 11.0), (5, 22.0), (6, 11.0)]), "AUSDT_1h.csv.gz").unwrap();
    let short = series(&text(&[(1, 5.0), (2, 6.0), (3, 6.0), (5, 6.0), (6, 3.0)]), "BUSDT_1h.csv.gz").unwrap();
    let name: PairName = "AUSDT_1h/BUSDT_1h".parse().unwrap();
    let rows = align(&name, &asset, &short).unwrap().rows;
    let found: Vec<_> = rows.iter().map(|row| (row.ts / 3_600, row.asset)).collect();
    assert_eq!(found, [(3, 0.0), (7, -0.5)]);
    assert!((rows[0].short - 0.2).abs() < 1e-12 && rows[1].short == -0.5, "{rows:?}");
}

#[test]
fn pair_is_refused_when_it_is_none_is_short_or_has_two_intervals() {
    for text in ["SOLUSDT_1h", "SOLUSDT_1h/", "A/B/C", "A/A"] {
        assert!(matches!(text.parse::<PairName>(), Err(HedgeError::Pair(named)) if named == text), "{text}");
    }
    let bars = |secs: u32| {
        let bar = |at: i64| Bar {
            open_ts: at * i64::from(secs),
            secs,
            open: 1.0,
            high: 1.0,
            low: 1.0,
            close: 1.0,
            volume: Some(1.0),
            taker_buy: None,
        };
        Series { symbol: "A".into(), interval_secs: secs, bars: (0..50).map(bar).collect() }
    };
    let name: PairName = "A_1h/B_5m".parse().unwrap();
    assert_eq!(
        align(&name, &bars(3_600), &bars(300)).unwrap_err().to_string(),
        "`A_1h/B_5m` has bars of 3600 s and of 300 s: name two markets of one interval"
    );
    let few = align(&name, &bars(3_600), &bars(3_600)).unwrap();
    assert_eq!(
        Study::of(&[few], &Assumptions::default(), 10, 1).unwrap_err().to_string(),
        "`A_1h/B_5m` has 49 bars in common with one before them, 3120 are needed: name markets that overlap for longer"
    );
}

#[test]
fn generated_pair_is_hedged_near_its_true_exposure() {
    let found = outcomes(&generated(365, 7), &Assumptions::default());
    let beta = crate::market::Calm::default().beta;
    for one in &found[..2] {
        assert!((one.held - beta).abs() < 0.25 && one.variance_cut.low > 0.3, "{one:?}");
    }
}

#[test]
fn crisis_days_are_told_apart_on_recorded_markets() {
    let Some(dir) = data_dir_or_skip("hedge of recorded markets") else { return };
    let name: PairName = "SOLUSDT_1h/ETHUSDT_1h".parse().unwrap();
    let read = |name: &str| load(&dir.join(format!("{name}.csv.gz"))).unwrap();
    let pair = align(&name, &read(&name.asset), &read(&name.short)).unwrap();
    let study = Study::of(&[pair], &Assumptions::default(), 100, 1).unwrap();
    let found = &study.pairs[0];
    let names: Vec<&str> = found.crises.iter().map(|crisis| crisis.name.as_str()).collect();
    assert_eq!(names, ["may-2021", "terra", "june-2022", "ftx", "august-2024"]);
    assert!(found.crises.iter().all(|crisis| crisis.unhedged < 0.0), "{:?}", found.crises);
    assert_eq!(study.leak_checks, CUTS * Method::ALL.len());
    let ewma = &found.outcomes[0];
    assert!(ewma.variance_cut.low > 0.2 && ewma.worst.day > found.unhedged.day, "{ewma:?}");
}
