//! Features against second implementations that see the whole history, and against the future.

mod common;

use proptest::prelude::*;
use rampart_score::bar::{Bar, BarError};
use rampart_score::features::{FEATURES, Features, Market, Settings, Volatility};
use rampart_score::features::{lee_mykland_threshold, schema_hash, schema_hash_hex};

const HOUR: f64 = 3_600.0;
const DAY: f64 = 86_400.0;

fn run(bars: &[Bar]) -> Market {
    let mut market = Market::new(Settings::default());
    bars.iter().for_each(|bar| market.push(bar).unwrap());
    market
}

fn get(features: &Features, name: &str) -> f64 {
    features.get(name).unwrap()
}

fn near(features: &Features, name: &str, expected: f64) {
    let found = get(features, name);
    assert!((found - expected).abs() < 1e-9 * (1.0 + expected.abs()), "{name}: {found} instead of {expected}");
}

/// Returns the log returns with the age at which each ends, oldest first.
fn returns(bars: &[Bar]) -> Vec<(f64, f64)> {
    let end = bars.last().unwrap().close_ts();
    bars.windows(2).map(|pair| ((end - pair[1].close_ts()) as f64, (pair[1].close / pair[0].close).ln())).collect()
}

/// Returns the mean of values by age at a half-life, for bars of one length.
fn weighted(values: impl Iterator<Item = (f64, f64)>, half_life: f64) -> f64 {
    let (mut sum, mut total) = (0.0, 0.0);
    for (age, value) in values {
        let weight = 0.5f64.powf(age / half_life);
        sum += weight * value;
        total += weight;
    }
    sum / total
}

#[test]
fn volatilities_equal_weighted_sums_over_the_whole_history() {
    let bars = common::walk(1, 700, 3_600, 0.01);
    let features = run(&bars).features();
    let returns = returns(&bars);
    let variance = |half_life| weighted(returns.iter().map(|(age, r)| (*age, r * r * 24.0)), half_life);
    let half_lives = [0.5 * HOUR, 6.0 * HOUR, DAY, 7.0 * DAY, 30.0 * DAY];
    for (name, half_life) in FEATURES.iter().zip(half_lives) {
        near(&features, name, 0.5 * variance(half_life).ln());
    }
    let har =
        0.30 * variance(6.0 * HOUR) + 0.30 * variance(DAY) + 0.25 * variance(7.0 * DAY) + 0.15 * variance(30.0 * DAY);
    near(&features, "log_vol_har", 0.5 * har.ln());
    let falls = weighted(returns.iter().map(|(age, r)| (*age, if *r < 0.0 { r * r * 24.0 } else { 0.0 })), DAY);
    near(&features, "downside_share_24h", falls / variance(DAY));
}

#[test]
fn jump_ratio_equals_bipower_over_realised_variance() {
    let bars = common::walk(2, 500, 3_600, 0.01);
    let features = run(&bars).features();
    let returns = returns(&bars);
    let pairs = || returns.windows(2).map(|pair| (pair[1].0, pair[0].1, pair[1].1));
    let bipower = weighted(pairs().map(|(age, a, b)| (age, std::f64::consts::FRAC_PI_2 * a.abs() * b.abs())), DAY);
    let realised = weighted(pairs().map(|(age, _, b)| (age, b * b)), DAY);
    near(&features, "jump_ratio_24h", (1.0 - bipower / realised).clamp(0.0, 1.0));
}

#[test]
fn volatility_of_closes_and_of_ranges_agree_on_a_fine_random_walk() {
    // Parkinson is right for a continuous path: 720 steps an hour come near it.
    let steps = common::walk(3, 720 * 24 * 8, 5, 0.0004);
    let bars: Vec<Bar> = steps
        .chunks(720)
        .map(|hour| Bar {
            open_ts: hour[0].open_ts,
            secs: 3_600,
            open: hour[0].open,
            high: hour.iter().map(|step| step.open.max(step.close)).fold(0.0, f64::max),
            low: hour.iter().map(|step| step.open.min(step.close)).fold(f64::MAX, f64::min),
            close: hour[719].close,
            volume: Some(1.0),
            taker_buy: None,
        })
        .collect();
    let features = run(&bars).features();
    let expected = 0.0004 * 17_280f64.sqrt();
    for (name, tolerance) in [("log_parkinson_24h", 0.12), ("log_vol_7d", 0.12), ("log_vol_24h", 0.30)] {
        assert!(
            (get(&features, name).exp() / expected - 1.0).abs() < tolerance,
            "{name}: {}",
            get(&features, name).exp()
        );
    }
}

#[test]
fn parkinson_equals_its_closed_form_and_is_not_widened_by_a_wick() {
    let mut bars = common::walk(4, 400, 3_600, 0.01);
    for bar in &mut bars {
        (bar.high, bar.low) = (bar.open.max(bar.close) * 1.004, bar.open.min(bar.close) / 1.004);
    }
    let end = bars.last().unwrap().close_ts();
    let square = |bar: &Bar| (bar.high / bar.low).ln().powi(2) * 24.0 / (4.0 * 2f64.ln());
    let expected = weighted(bars.iter().map(|bar| ((end - bar.close_ts()) as f64, square(bar))), DAY);
    near(&run(&bars).features(), "log_parkinson_24h", 0.5 * expected.ln());
    let before = get(&run(&bars).features(), "log_parkinson_24h");
    bars.last_mut().unwrap().low = 0.000_1;
    let after = get(&run(&bars).features(), "log_parkinson_24h");
    // ln(100 / 0.0001) = 13.8 as a range would make it 14 times as high; bounded, it is less than twice.
    assert!(after - before < 0.7, "{before} {after}");
}

#[test]
fn jump_is_flagged_when_a_return_is_beyond_the_gumbel_quantile() {
    // Lee & Mykland's constants for n = 288, by hand: C = 3.7597…, S = 0.3724…
    let n = 288f64;
    let c = (2.0 / std::f64::consts::PI).sqrt();
    let (root, s) = ((2.0 * n.ln()).sqrt(), 1.0 / (c * (2.0 * n.ln()).sqrt()));
    let center = root / c - (std::f64::consts::PI.ln() + n.ln().ln()) / (2.0 * c * root);
    assert!((lee_mykland_threshold(n) - (center + 4.600_149 * s)).abs() < 1e-5);
    let mut volatility = Volatility::default();
    (0..500).for_each(|at| volatility.push(if at % 2 == 0 { 0.001 } else { -0.001 }, 0.002, 300.0));
    // |r| = 0.001 throughout: the local deviation is √(π/2) · 0.001.
    let border = lee_mykland_threshold(n) * std::f64::consts::FRAC_PI_2.sqrt() * 0.001;
    assert!(!volatility.is_jump(border * 0.999, 300.0) && volatility.is_jump(-border * 1.001, 300.0));
    volatility.push(-border * 1.001, 0.01, 300.0);
    assert_eq!(volatility.jump_recency(), 1.0);
    (0..72).for_each(|_| volatility.push(0.001, 0.002, 300.0));
    assert!((volatility.jump_recency() - 0.5).abs() < 1e-9);
}

#[test]
fn drawdowns_and_momenta_equal_a_search_through_the_history() {
    let bars = common::walk(5, 24 * 40, 3_600, 0.01);
    let features = run(&bars).features();
    let last = bars.last().unwrap();
    for (name, hours) in [("1h", 1), ("4h", 4), ("24h", 24)] {
        let high = bars[bars.len() - hours..].iter().map(|bar| bar.high).fold(0.0, f64::max);
        near(&features, &format!("drawdown_{name}"), 1.0 - last.close / high);
    }
    let vol = get(&features, "log_vol_7d").exp();
    for (name, hours) in [("1h", 1), ("6h", 6), ("24h", 24)] {
        let past = bars[bars.len() - 1 - hours].close;
        near(&features, &format!("momentum_{name}"), (last.close / past).ln() / (vol * (hours as f64 / 24.0).sqrt()));
    }
    // Cells of the longer windows are wider than a bar: exact to one of them.
    let cell = |hours: usize| hours.div_ceil(60);
    for (name, hours) in [("7d", 168), ("30d", 720)] {
        let fall =
            |width: usize| 1.0 - last.close / bars[bars.len() - width..].iter().map(|bar| bar.high).fold(0.0, f64::max);
        let found = get(&features, &format!("drawdown_{name}"));
        assert!((fall(hours - cell(hours))..=fall(hours)).contains(&found), "{name}");
    }
}

#[test]
fn liquidity_equals_weighted_sums_over_the_whole_history() {
    let bars = common::walk(6, 900, 3_600, 0.01);
    let market = run(&bars);
    let features = market.features();
    let end = bars.last().unwrap().close_ts();
    let ages = || bars[1..].iter().map(|bar| (end - bar.close_ts()) as f64);
    let traded = |bar: &Bar| bar.volume.unwrap() * bar.close;
    let volume = |half_life| weighted(ages().zip(bars[1..].iter().map(traded)), half_life);
    near(&features, "volume_log_ratio", (volume(6.0 * HOUR) / volume(7.0 * DAY)).ln());
    let returns = returns(&bars);
    let illiquid = |half_life| {
        weighted(returns.iter().zip(&bars[1..]).map(|((age, r), bar)| (*age, r.abs() / traded(bar))), half_life)
    };
    near(&features, "amihud_log_ratio", (illiquid(DAY) / illiquid(30.0 * DAY)).ln());
    let flow = |bar: &Bar| (2.0 * bar.taker_buy.unwrap() - bar.volume.unwrap()) * bar.close;
    let mean = |f: &dyn Fn(f64, f64) -> f64| {
        weighted(returns.iter().zip(&bars[1..]).map(|((age, r), bar)| (*age, f(flow(bar), *r))), DAY)
    };
    let (q, qq, r, qr) = (mean(&|q, _| q), mean(&|q, _| q * q), mean(&|_, r| r), mean(&|q, r| q * r));
    let lambda = (qr - q * r) / (qq - q * q);
    assert!((market.liquidity().kyle_lambda().unwrap() / lambda - 1.0).abs() < 1e-9);
    let silent: Vec<Bar> = bars.iter().map(|bar| Bar { taker_buy: None, ..*bar }).collect();
    assert_eq!(run(&silent).liquidity().kyle_lambda(), None);
}

#[test]
fn kyle_lambda_is_found_when_it_was_planted() {
    let mut close = 100.0f64;
    let mut market = Market::new(Settings::default());
    for at in 0..2_000i64 {
        let open = close;
        let bought = 500.0 + f64::from((at * 7_919 % 401) as i32 - 200);
        // Quote flow is signed volume times the close; lambda 2e-7 per quote unit, to first order.
        close = open * (2e-7 * (2.0 * bought - 1_000.0) * open).exp();
        let (high, low) = (open.max(close), open.min(close));
        let bar = Bar {
            open_ts: at * 300,
            secs: 300,
            open,
            high,
            low,
            close,
            volume: Some(1_000.0),
            taker_buy: Some(bought),
        };
        market.push(&bar).unwrap();
    }
    let lambda = market.liquidity().kyle_lambda().unwrap();
    assert!((lambda / 2e-7 - 1.0).abs() < 0.02, "{lambda}");
}

/// A minute at a price that moves by `change` thousandths of a percent, in which takers bought `bought` of 1,000.
fn minute(at: i64, open: f64, change: f64, bought: f64) -> Bar {
    let close = open * (change * 1e-5).exp();
    let (high, low) = (open.max(close), open.min(close));
    let (volume, taker_buy) = (Some(1_000.0), Some(bought));
    Bar { open_ts: at * 60, secs: 60, open, high, low, close, volume, taker_buy }
}

#[test]
fn lambda_counts_when_trades_are_enough_and_chance_makes_none() {
    // the price goes up by one when takers buy more than half, and down when they sell; or it does so whatever they do
    let proved = |count: i64, answers: bool| {
        let (mut market, mut price) = (Market::new(Settings::default()), 100.0);
        for at in 0..count {
            let [side, other] = [at * 7 % 5 % 2, at * 11 % 7 % 2].map(|bit| 2.0 * bit as f64 - 1.0);
            let bar = minute(at, price, if answers { side } else { other }, 500.0 + 400.0 * side);
            price = bar.close;
            market.push(&bar).unwrap();
        }
        (market.liquidity().kyle_lambda().is_some(), market.liquidity().proved_lambda())
    };
    assert_eq!(proved(30, true), (true, None), "29 returns");
    let (_, lambda) = proved(60, true);
    // 1e-5 a bar for a flow of (2 · 900 - 1,000) · 100 either way
    assert!((lambda.unwrap() / (1e-5 / 8e4) - 1.0).abs() < 0.01, "{lambda:?}");
    assert_eq!(proved(600, false), (true, None));
}

/// A week of prices from the history, of which nobody tells what was traded, stood for a week without trades: then whatever was
/// traded first was a hundred times the habit.
#[test]
fn bars_that_tell_no_volume_leave_its_averages_and_ratios_as_they_were() {
    let bars = common::walk(12, 30 * 60, 60, 0.001);
    let untold = |bar: &Bar| Bar { volume: None, taker_buy: None, ..*bar };
    let (history, told) = bars.split_at(5 * 60);
    let (mut mixed, mut alone) = (Market::new(Settings::default()), Market::new(Settings::default()));
    history.iter().for_each(|bar| mixed.push(&untold(bar)).unwrap());
    alone.push(&untold(&history[history.len() - 1])).unwrap();
    for (bar, minutes) in told.iter().zip(1..) {
        [&mut mixed, &mut alone].into_iter().for_each(|market| market.push(bar).unwrap());
        let ratios = ["amihud_log_ratio", "volume_log_ratio"].map(|name| mixed.features().get(name));
        assert_eq!(ratios.map(|ratio| ratio.is_some()), [minutes >= 1_440; 2], "{minutes}");
        assert!(ratios == ["amihud_log_ratio", "volume_log_ratio"].map(|name| alone.features().get(name)));
    }
    let (before, last) = (mixed.liquidity().volume_day(), *mixed.last().unwrap());
    mixed.push(&untold(&minute(last.close_ts() / 60, last.close, 1.0, 0.0))).unwrap();
    assert_eq!(mixed.liquidity().volume_day(), before);
    let quiet = minute(last.close_ts() / 60 + 1, last.close, 1.0, 0.0);
    mixed.push(&Bar { volume: Some(0.0), ..quiet }).unwrap();
    assert!(mixed.liquidity().volume_day() < before, "a minute in which nobody traded counts");
}

#[test]
fn features_do_not_change_when_the_future_does() {
    let bars = common::walk(7, 2_000, 300, 0.003);
    let mut online = Market::new(Settings::default());
    let mut seen = Vec::new();
    for bar in &bars {
        online.push(bar).unwrap();
        seen.push(online.features());
    }
    for cut in [1, 2, 500, 1_234, 1_999] {
        let mut other = bars[..cut].to_vec();
        other.extend(
            common::walk(99, 2_000 - cut, 300, 0.05)
                .iter()
                .enumerate()
                .map(|(at, bar)| Bar { open_ts: bars[cut].open_ts + at as i64 * 300, ..*bar }),
        );
        let mut market = Market::new(Settings::default());
        for (at, bar) in other.iter().enumerate() {
            market.push(bar).unwrap();
            if at < cut {
                assert_eq!(market.features(), seen[at], "bar {at} sees beyond {cut}");
            }
        }
        assert_ne!(market.features(), seen[1_999]);
    }
}

#[test]
fn market_warms_anew_and_takes_no_return_when_a_gap_is_longer_than_an_hour() {
    let mut bars = common::walk(8, 100, 3_600, 0.01);
    for bar in &mut bars[60..] {
        // The gap loses 90 %.
        bar.open_ts += 3_601;
        for price in [&mut bar.open, &mut bar.high, &mut bar.low, &mut bar.close] {
            *price *= 0.1;
        }
    }
    let (before, after, later) = (run(&bars[..60]), run(&bars[..61]), run(&bars));
    assert!(!before.is_warming() && after.is_warming() && later.is_warming());
    assert_eq!(after.last_return(), 0.0);
    let [old, new] = [&before, &after].map(|market| market.features());
    // Uncertainty grew by 3,601 s of a day, nothing else: no return of -230 %.
    near(&new, "log_vol_24h", get(&old, "log_vol_24h") + 0.5 * (1.0 + 3_601.0 / DAY).ln());
    assert_eq!(get(&new, "momentum_24h"), 0.0);
    // What was lost meanwhile is a drawdown all the same.
    assert!(get(&new, "drawdown_24h") > 0.85);
    assert_eq!(get(&new, "jump_ratio_24h"), get(&old, "jump_ratio_24h"));
    let mut short = bars[..61].to_vec();
    short[60].open_ts -= 1;
    assert!(!run(&short).is_warming());
}

#[test]
fn market_that_was_restarted_agrees_once_its_past_is_replayed() {
    let bars = common::walk(9, 24 * 150, 3_600, 0.01);
    let (whole, part) = (run(&bars).features(), run(&bars[24 * 30..]).features());
    for (name, (one, other)) in FEATURES.iter().zip(whole.values.iter().zip(part.values)) {
        // Four half-lives of the slowest estimator.
        assert!((one - other).abs() < 0.05, "{name}: {one} {other}");
    }
}

#[test]
fn bar_is_refused_without_effect_when_it_is_unsound_or_late() {
    let bars = common::walk(10, 50, 60, 0.001);
    let mut market = run(&bars);
    let before = market.features();
    let (bar, last_close_ts) = (bars[49], bars[49].close_ts());
    let open_ts = bar.open_ts + 60;
    let next = Bar { open_ts, ..bar };
    let cases = [
        (bar, BarError::Order { close_ts: last_close_ts, last_close_ts }),
        (Bar { secs: 0, ..next }, BarError::NoLength { open_ts }),
        (Bar { close: f64::NAN, ..next }, BarError::Price { open_ts }),
        (Bar { low: 0.0, ..next }, BarError::Price { open_ts }),
        (Bar { high: next.close.min(next.open) * 0.99, low: 1e-3, ..next }, BarError::Range { open_ts }),
        (Bar { volume: Some(-1.0), taker_buy: None, ..next }, BarError::Volume { open_ts }),
        (Bar { volume: None, ..next }, BarError::Volume { open_ts }),
        (Bar { taker_buy: next.volume.map(|volume| volume * 1.01), ..next }, BarError::Volume { open_ts }),
    ];
    for (bad, error) in cases {
        assert_eq!(market.push(&bad), Err(error));
        assert_eq!(market.features(), before);
    }
}

#[test]
fn schema_hash_is_the_one_that_shipped_models_were_trained_for() {
    // A change of names, order or version changes it: models are trained anew then.
    assert_eq!(schema_hash_hex(), SCHEMA);
    assert_eq!(schema_hash_hex().len(), 2 * schema_hash().len());
}

const SCHEMA: &str = "1504d648c651ae1eb5e7d66aa8c41a7bcb3165327387fdd9305d41046ffb5a60";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn features_are_finite_whatever_comes_in(
        steps in prop::collection::vec((any::<i64>(), any::<u32>(), prop::array::uniform5(prop::num::f64::ANY)), 1..40),
        sound in prop::collection::vec((1i64..200_000, 1e-14f64..1e14, 1e-14f64..1e14, 0.0f64..1e17), 1..40),
    ) {
        let mut market = Market::new(Settings::default());
        for (open_ts, secs, [open, high, low, close, volume]) in steps {
            let (volume, taker_buy) = (Some(volume), Some(volume));
            let _ = market.push(&Bar { open_ts, secs, open, high, low, close, volume, taker_buy });
            prop_assert!(market.features().values.iter().all(|value| value.is_finite()));
        }
        let mut market = Market::new(Settings::default());
        let mut open_ts = 0;
        for (gap, open, close, volume) in sound {
            open_ts += gap;
            let (high, low) = (open.max(close), open.min(close));
            let (volume, taker_buy) = (Some(volume), Some(volume / 3.0));
            let _ = market.push(&Bar { open_ts, secs: 60, open, high, low, close, volume, taker_buy });
            prop_assert!(market.features().values.iter().all(|value| value.is_finite()), "{:?}", market.features());
            prop_assert!(market.liquidity().kyle_lambda().is_none_or(f64::is_finite));
        }
    }
}
