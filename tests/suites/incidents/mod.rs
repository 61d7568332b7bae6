//! Incidents of other protocols, played against this program with their amounts: what leaves a pool that is as open as the
//! program lets it be, and what leaves one with the limits and rules of `docs/rules.md`.
//!
//! `docs/incidents.md` holds the table; `cargo xtask incidents` writes it. Each incident is one file with one `play`.

mod aave_capo;
mod crash_of_october;
mod drift;
mod drift_usdy;
mod kelp;
mod loopscale;
mod mango;
mod pool;
mod resolv;
mod solend_usdh;
mod solend_whale;
mod usdc_depeg;

use pool::Setup;
use std::fmt::Write as _;
use std::path::PathBuf;

/// What one play came to.
pub struct Row {
    /// Name and date.
    name: &'static str,
    /// What was lost then, as reported.
    reported: &'static str,
    /// What is counted.
    counted: &'static str,
    /// Without a guard.
    open: String,
    /// With it.
    guarded: String,
    /// What held.
    held: &'static str,
    /// What is assumed, and where it doesn't help.
    note: &'static str,
}

fn rows() -> Vec<Row> {
    vec![
        mango::row(),
        solend_whale::row(),
        solend_usdh::row(),
        usdc_depeg::row(),
        loopscale::row(),
        drift_usdy::row(),
        crash_of_october::row(),
        aave_capo::row(),
        resolv::row(),
        drift::row(),
        kelp::row(),
    ]
}

const HEAD: &str = "# Incidents, replayed

Eleven incidents of other protocols, played against the built program in LiteSVM with their amounts. `cargo xtask incidents`
plays them again and writes this file; the suite fails if a number differs.

*Without* is the same program with its limits far above all that there is, a price reference that is the last print, and no
rules: as close to no guard as it can be set. What its instructions prove by themselves (owners, pinned oracle accounts, the
delay of a loosening) can't be switched off; where the incident needed that, the number is computed and says so. *With* are the
values that [rules.md](rules.md) starts from: exits and new risk of 20 % an hour and 40 % a day of the pool, 40 % of that for new
risk, half of it at once. An attacker tries again with half of whatever is refused, until nothing passes.
New collateral comes in at any rate and without a warm-up in both, and no dollar limit is in force: the warm-up alone holds
Drift's, the limit on new collateral KelpDAO's (`suites/warm_up.rs`, `suites/inflow.rs`).

| incident | reported | what is counted | without | with | what held |
| --- | --- | --- | ---: | ---: | --- |
";

fn render(rows: &[Row]) -> String {
    let mut text = String::from(HEAD);
    for Row { name, reported, counted, open, guarded, held, .. } in rows {
        writeln!(text, "| {name} | {reported} | {counted} | {open} | {guarded} | {held} |").expect("a line");
    }
    text += "\n## What is assumed\n";
    for Row { name, note, .. } in rows {
        writeln!(text, "- **{name}.** {note}").expect("a line");
    }
    text
}

#[test]
fn incidents_are_as_the_table_says() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/incidents.md");
    let now = render(&rows());
    if std::env::var_os("RAMPART_WRITE_INCIDENTS").is_some() {
        std::fs::write(&path, &now).expect("the table is written");
    }
    let recorded = std::fs::read_to_string(&path).expect("the table exists: RAMPART_WRITE_INCIDENTS=1 writes it");
    assert!(now == recorded, "`docs/incidents.md` differs; `cargo xtask incidents` writes:\n{now}");
}

/// Plays an incident both ways.
fn both(play: fn(Setup) -> u64) -> (u64, u64) {
    (play(Setup::Open), play(Setup::Guarded))
}
