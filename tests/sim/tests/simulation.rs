//! Simulations of the suite, each in a process of its own: see `docs/simulation.md`.

use rampart_sim::report::Report;
use std::process::{Command, Output};

/// Slots that the suite plays.
const SLOTS: &str = "20000";

fn sim(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rampart-sim")).args(args).output().expect("the simulation starts")
}

fn report(args: &[&str]) -> Report {
    let (output, mut report) = (sim(args), Report::default());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.lines().any(|line| report.add(line)), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    report
}

#[test]
fn keepers_miss_nothing_and_double_nothing_under_faults() {
    let output = sim(&["--slots", SLOTS]);
    let (table, failures) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{table}");
    assert!(output.status.success(), "{failures}\n{table}");
    // a simulation in which nothing happens shows nothing
    for class in ["trip", "liquidate", "deleverage", "step_down", "observe"] {
        assert!(table.contains(&format!("| {class} | ")), "no {class} landed\n{table}");
    }
}

#[test]
fn one_seed_gives_the_same_bytes_twice() {
    let play = |seed: &str| sim(&["--seed", seed, "--slots-each", "900"]).stdout;
    let first = play("11");
    assert!(first.len() > 2_000, "{}", String::from_utf8_lossy(&first));
    assert!(first == play("11"), "two runs of one seed differ");
    assert!(first != play("12"), "the seed decides nothing");
}

#[test]
fn keeper_that_signs_anew_before_the_old_bytes_are_dead_is_found() {
    let report = report(&["--brief", "--seed", "3", "--slots-each", "800", "--mutation", "gives-up-early"]);
    assert!(report.count("DOUBLE") > 0, "{:?}", report.violations);
}

#[test]
fn keeper_that_forgets_its_journal_is_found() {
    let report = report(&["--brief", "--seed", "3", "--slots-each", "1000", "--mutation", "forgets-journal"]);
    assert!(report.count("DOUBLE") > 0, "{:?}", report.violations);
}

#[test]
fn keeper_that_ignores_gaps_is_found() {
    let scene = ["--brief", "--seed", "3", "--slots-each", "300", "--lost-gap"];
    let right = report(&scene);
    assert!(right.violations.is_empty(), "{:?}", right.violations);
    assert!(right.actions["trip"][0] > 0 && right.actions["liquidate"][0] > 0, "{:?}", right.actions);
    let wrong = report(&[&scene[..], &["--mutation", "ignores-gaps"]].concat());
    assert!(wrong.count("MISS") > 0, "{wrong:?}");
}

/// The wall clocks of all keepers are off by 30 s for an eighth of the time, while there is much to do, and right again
/// then: everything that happens, to the byte and the millisecond, is as if they had never been.
#[test]
fn fault_24_local_clock_off_by_30_s_and_corrected_changes_no_decision() {
    let play = |clock_ms: &str| {
        let output = sim(&["--brief", "--seed", "2", "--slots-each", "1600", "--clock-ms", clock_ms]);
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let right = play("0");
    let mut report = Report::default();
    assert!(right.lines().any(|line| report.add(line)), "{right}");
    assert!(report.actions["trip"][0] > 0, "{:?}", report.actions);
    assert_eq!(play("-30000"), right);
    assert_eq!(play("30000"), right);
}
