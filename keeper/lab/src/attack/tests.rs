//! What each template promises, read from its steps.

use super::*;

/// Noise of an ordinary minute is far below this share of a price, over the minutes that the claims are about.
const NOISE: f64 = 0.03;

fn draw(name: &str, split: Split, seed: u64) -> Scenario {
    generate(&template(name).expect("template is in the list"), split, seed).expect("template is for this split")
}

fn each(name: &str, check: impl Fn(&Scenario)) {
    let template = template(name).expect("template is in the list");
    for split in [Split::Train, Split::Test].into_iter().filter(|split| template.is_for(*split)) {
        (0..8).for_each(|seed| check(&draw(name, split, seed)));
    }
}

fn get(scenario: &Scenario, name: &str) -> f64 {
    scenario.drawn(name).unwrap_or_else(|| panic!("{} drew no `{name}`", scenario.name))
}

fn onset(scenario: &Scenario) -> usize {
    scenario.onset.expect("scenario has an onset")
}

/// Largest of `value` within `hours` from the onset.
fn most(scenario: &Scenario, hours: usize, value: impl Fn(&Tick) -> f64) -> f64 {
    scenario.ticks[onset(scenario)..].iter().take(hours * 60).map(value).fold(f64::MIN, f64::max)
}

/// Truth of a step over truth just before the onset.
fn truth_after(scenario: &Scenario, steps: usize) -> f64 {
    scenario.ticks[onset(scenario) + steps].truth / scenario.ticks[onset(scenario) - 1].truth
}

fn minutes(scenario: &Scenario, name: &str) -> usize {
    get(scenario, name).round() as usize
}

#[test]
fn generate_repeats_every_byte_for_a_seed_and_no_other() {
    for template in templates() {
        let split = template.only.unwrap_or(Split::Train);
        let first = generate(&template, split, 7).expect("template is for this split");
        assert_eq!(first.digest(), generate(&template, split, 7).expect("as before").digest(), "{}", template.name);
        assert_ne!(first.digest(), generate(&template, split, 8).expect("as before").digest(), "{}", template.name);
        assert_eq!(first.ticks.len(), template.hours as usize * 60);
    }
}

#[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
#[test]
fn generate_gives_the_known_digest() {
    // A change here changes every published table: say so where they are.
    let digest = draw("flash-crash", Split::Test, 1).digest();
    assert_eq!(hex::encode(&digest[..8]), "b4c45431a8dbadbb");
}

#[test]
fn generate_fails_when_template_is_held_out() {
    let refused = generate(&template("basis-break").expect("is in the list"), Split::Train, 1);
    assert!(matches!(refused, Err(AttackError::HeldOut { name: "basis-break", only: Split::Test })));
    assert!(matches!(template("nonsense"), Err(AttackError::UnknownTemplate(name)) if name == "nonsense"));
}

#[test]
fn every_number_of_every_scenario_is_sound() {
    for template in templates() {
        for split in [Split::Train, Split::Test].into_iter().filter(|split| template.is_for(*split)) {
            let scenario = generate(&template, split, 3).expect("template is for this split");
            for tick in &scenario.ticks {
                let positive = [tick.truth, tick.oracle.price, tick.second.price, tick.factor, tick.depth, tick.spread];
                let shares =
                    [tick.outflow, tick.attack_borrow, tick.inclusion, tick.feedback, tick.taker_buy / tick.volume];
                assert!(
                    positive.iter().chain(&tick.venues).all(|value| *value > 0.0 && value.is_finite()),
                    "{}",
                    template.name
                );
                assert!(shares.iter().all(|value| (0.0..=1.0).contains(value)), "{} {tick:?}", template.name);
            }
            let steps = scenario.ticks.windows(2);
            assert!(steps.map(|pair| pair[1].ts - pair[0].ts).all(|gap| gap == i64::from(STEP_SECS)));
        }
    }
}

#[test]
fn suite_never_draws_a_template_of_the_other_side() {
    let test_only: Vec<&str> = templates().iter().filter(|t| t.only == Some(Split::Test)).map(|t| t.name).collect();
    assert!(suite(Split::Train, 1, 1).all(|scenario| !test_only.contains(&scenario.name.as_str())));
    assert!(suite(Split::Test, 1, 1).any(|scenario| scenario.name == "novel"));
}

#[test]
fn flash_crash_falls_by_its_depth_in_its_minutes_and_retraces() {
    each("flash-crash", |scenario| {
        let (depth, down) = (get(scenario, "depth"), minutes(scenario, "minutes"));
        let fallen = 1.0 - truth_after(scenario, down);
        assert!((fallen - depth).abs() < NOISE, "{fallen} {depth}");
        let settled = 1.0 - truth_after(scenario, down + minutes(scenario, "back_minutes"));
        let expected = depth * (1.0 - get(scenario, "retrace"));
        assert!((settled - expected).abs() < 2.0 * NOISE, "{settled} {expected}");
        // All venues and both oracles see a real move.
        let low = scenario.ticks[onset(scenario) + down];
        assert!(
            (low.oracle.price / low.truth - 1.0).abs() < NOISE && (low.second.price / low.truth - 1.0).abs() < NOISE
        );
    });
}

#[test]
fn manipulations_move_one_venue_and_its_oracle_only() {
    each("pump", |scenario| {
        let top = scenario.ticks[onset(scenario) + minutes(scenario, "minutes")];
        let multiple = get(scenario, "multiple");
        assert!((top.venues[0] / top.truth / multiple - 1.0).abs() < NOISE);
        assert!((top.oracle.price / top.truth / multiple - 1.0).abs() < NOISE);
        assert!(top.venues[1..].iter().all(|venue| (venue / top.truth - 1.0).abs() < NOISE));
        assert!((top.second.price / top.truth - 1.0).abs() < NOISE);
        let drawn: f64 = scenario.ticks.iter().map(|tick| tick.attack_borrow).sum();
        assert!((drawn - get(scenario, "attack_borrow")).abs() < 1e-9);
        assert!(truth_after(scenario, minutes(scenario, "minutes")) > 1.0 - 2.0 * NOISE);
    });
    each("dump", |scenario| {
        let held = scenario.ticks[onset(scenario) + minutes(scenario, "minutes") / 2];
        assert!((held.venues[0] / held.truth - (1.0 - get(scenario, "depth"))).abs() < NOISE);
        assert!((held.second.price / held.truth - 1.0).abs() < NOISE);
    });
}

#[test]
fn wick_moves_no_oracle_and_is_no_event() {
    each("venue-wick", |scenario| {
        assert_eq!(scenario.onset, None);
        let wick = scenario.ticks[minutes(scenario, "onset_minutes")];
        assert!(wick.venues[0] / wick.truth < 0.71);
        assert!((wick.oracle.price / wick.truth - 1.0).abs() < 0.01);
    });
}

#[test]
fn peg_holds_until_it_breaks() {
    each("depeg", |scenario| {
        let calm = &scenario.ticks[..onset(scenario)];
        assert!(calm.iter().all(|tick| (tick.truth / calm[0].truth - 1.0).abs() < 0.02));
        let fallen = 1.0 - truth_after(scenario, minutes(scenario, "minutes"));
        assert!((fallen - get(scenario, "depth")).abs() < 3.0 * NOISE, "{fallen}");
    });
    let usdc = draw("usdc-2023", Split::Train, 1);
    let low = usdc.ticks.iter().map(|tick| tick.truth).fold(f64::MAX, f64::min) / usdc.ticks[0].truth;
    assert!((low - 0.874).abs() < 0.05, "{low}");
}

#[test]
fn drain_empties_books_before_the_price_moves() {
    each("liquidity-drain", |scenario| {
        let before: f64 = scenario.ticks[onset(scenario) - 60..onset(scenario)].iter().map(|tick| tick.depth).sum();
        let drained: f64 =
            scenario.ticks[onset(scenario) + 60..onset(scenario) + 120].iter().map(|tick| tick.depth).sum();
        let ratio = drained / before / get(scenario, "book_depth");
        assert!((0.5..2.0).contains(&ratio), "{ratio}");
        assert!((truth_after(scenario, 119) - 1.0).abs() < 2.0 * NOISE);
    });
}

#[test]
fn run_takes_its_share_in_its_hours() {
    each("bank-run", |scenario| {
        let hours = (get(scenario, "hours") * 60.0).ceil() as usize;
        let wished = &scenario.ticks[onset(scenario)..onset(scenario) + hours];
        let stayed: f64 = wished.iter().map(|tick| 1.0 - tick.outflow).product();
        // What leaves on an ordinary day comes on top.
        assert!((1.0 - stayed - get(scenario, "share")).abs() < 0.03, "{stayed}");
    });
}

#[test]
fn stale_oracle_ages_while_the_truth_falls() {
    each("stale-oracle", |scenario| {
        let frozen = &scenario.ticks[onset(scenario)..onset(scenario) + minutes(scenario, "minutes")];
        assert!(frozen.windows(2).all(|pair| pair[1].oracle.age_secs == pair[0].oracle.age_secs + STEP_SECS));
        assert!(frozen.windows(2).all(|pair| pair[1].oracle.price == pair[0].oracle.price));
        let last = frozen[frozen.len() - 1];
        assert!(last.truth / last.second.price < 1.0 - get(scenario, "depth") + 2.0 * NOISE);
        assert!(scenario.ticks[onset(scenario) + frozen.len()].oracle.age_secs <= 20);
    });
}

#[test]
fn faults_last_from_the_onset_for_their_minutes() {
    each("keeper-outage", |scenario| {
        let down = scenario.ticks.iter().filter(|tick| tick.keeper == Keeper::Down).count();
        assert_eq!(down, minutes(scenario, "outage_minutes"));
        assert_eq!(scenario.ticks[onset(scenario)].keeper, Keeper::Down);
        assert!(truth_after(scenario, minutes(scenario, "minutes")) < 1.0 - get(scenario, "depth") + NOISE);
    });
    each("congestion", |scenario| {
        let slow = scenario.ticks.iter().filter(|tick| tick.inclusion == get(scenario, "inclusion")).count();
        assert_eq!(slow, minutes(scenario, "congested_minutes"));
    });
    each("basis-break", |scenario| {
        let middle = scenario.ticks[onset(scenario) + minutes(scenario, "basis_minutes") / 2];
        assert!((middle.basis - get(scenario, "basis")).abs() < 0.01);
    });
    each("compromised-keeper", |scenario| {
        let lies = scenario.ticks.iter().filter(|tick| matches!(tick.keeper, Keeper::Compromised { .. })).count();
        assert_eq!(lies, (get(scenario, "hours") * 60.0).round() as usize);
    });
}

#[test]
fn wide_crashes_fall_by_their_depth() {
    each("correlated-crash", |scenario| {
        let fall = minutes(scenario, "minutes");
        let factor = scenario.ticks[onset(scenario) + fall].factor / scenario.ticks[onset(scenario) - 1].factor;
        let expected = 0.85 * (1.0 - get(scenario, "depth")).ln();
        assert!((factor.ln() - expected).abs() < 3.0 * NOISE, "{factor}");
    });
    each("cascade", |scenario| {
        assert_eq!(most(scenario, 1, |tick| tick.feedback), get(scenario, "feedback"));
        assert!(scenario.ticks[..onset(scenario)].iter().all(|tick| tick.feedback == 0.0));
    });
    each("slow-bleed", |scenario| {
        let fallen = 1.0 - scenario.ticks[scenario.ticks.len() - 1].truth / scenario.ticks[onset(scenario)].truth;
        // Ten days of ordinary noise are about 12 %.
        assert!((fallen - get(scenario, "depth")).abs() < 0.3, "{fallen}");
        let ten_minutes = scenario.ticks.windows(11).map(|window| window[10].truth / window[0].truth);
        assert!(ten_minutes.fold(f64::MAX, f64::min) > 0.95, "a bleed has no crash");
    });
    each("whipsaw", |scenario| {
        let falls = get(scenario, "falls") as usize;
        let apart = (scenario.ticks.len() - onset(scenario)) / (falls + 1);
        for fall in 0..falls {
            let at = fall * apart;
            let down = truth_after(scenario, at + minutes(scenario, &format!("minutes_{fall}")))
                / truth_after(scenario, at - usize::from(at > 0));
            assert!((1.0 - down - get(scenario, &format!("depth_{fall}"))).abs() < NOISE, "{down}");
        }
    });
}

#[test]
fn novel_plays_two_different_templates() {
    let scenario = draw("novel", Split::Test, 4);
    let mut parts: Vec<&str> =
        scenario.drawn.iter().filter_map(|(name, _)| name.split_once('.')).map(|part| part.0).collect();
    parts.dedup();
    assert_eq!(parts.len(), 2, "{parts:?}");
    assert_ne!(parts[0], parts[1]);
}

#[test]
fn incidents_keep_their_numbers() {
    let mango = draw("mango-2022", Split::Train, 1);
    let top = most(&mango, 2, |tick| tick.oracle.price / tick.truth);
    assert!((top - 0.083 / 0.040).abs() < 0.02, "{top}");
    let capo = draw("aave-capo-2026", Split::Test, 1);
    let held = capo.ticks[onset(&capo) + 10];
    assert!((held.oracle.price / held.truth - (1.0 - 0.0285)).abs() < 0.001);
    let drift = draw("drift-2026", Split::Test, 1);
    let stayed: f64 = drift.ticks[onset(&drift)..onset(&drift) + 12].iter().map(|tick| 1.0 - tick.outflow).product();
    assert!((1.0 - stayed - get(&drift, "share")).abs() < 1e-9);
    let resolv = draw("resolv-usr-2026", Split::Test, 1);
    let after = resolv.ticks[onset(&resolv) + 60];
    assert_eq!(after.oracle.price, resolv.ticks[0].truth);
    assert!(after.truth / after.oracle.price < 0.6 && after.collateral_supply > 1.4);
    let usdh = draw("solend-usdh-2022", Split::Train, 1);
    assert!(usdh.ticks[onset(&usdh)].second.age_secs > 3_600);
    let spoofed = draw("loopscale-2025", Split::Test, 1);
    let during = spoofed.ticks[onset(&spoofed) + 5];
    assert!((during.oracle.price / during.truth / get(&spoofed, "bias") - 1.0).abs() < 0.01);
    assert!(during.venues.iter().all(|venue| (venue / during.truth - 1.0).abs() < 0.01));
    assert_eq!(draw("solend-whale-2022", Split::Train, 1).concentration, 0.95);
    let usdy = draw("drift-usdy-2025", Split::Test, 1);
    let low = usdy.ticks[onset(&usdy) + 5];
    assert!(low.oracle.price / low.second.price < 0.93);
    let kelp = draw("kelp-rseth-2026", Split::Test, 1);
    assert!(kelp.ticks[onset(&kelp)].collateral_supply > 1.09 && kelp.ticks[onset(&kelp) - 1].collateral_supply == 1.0);
    let october = draw("crash-2025-10-10", Split::Test, 1);
    assert!(truth_after(&october, minutes(&october, "minutes")) < 1.0 - get(&october, "depth") + 2.0 * NOISE);
}
