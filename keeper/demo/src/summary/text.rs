//! The summary as people read it.

use crate::lines::Line;
use crate::scenario::acts::Answer;
use crate::scores::Course;
use crate::summary::{Defence, KeeperLine, Summary, level_name};
use crate::unguarded::{AT_ONCE, LOOK_SECS, Tally};
use std::collections::BTreeMap;
use std::fmt::{Display, Write};

/// Renders everything. Writing into a string cannot fail.
pub(super) fn render(summary: &Summary) -> String {
    let mut out = String::new();
    let _ =
        writeln!(out, "\n{}, seed {}, {} chain seconds in a wall second", summary.market, summary.seed, summary.speed);
    for gap in &summary.gaps {
        let _ = writeln!(out, "the recording has no bars from {} to {}: skipped", gap.from_ts, gap.to_ts);
    }
    let _ = writeln!(out, "\nWhat was attempted\n  {}", summary.attempt);
    out.push_str("\nWhat stopped it\n");
    defences(&mut out, &summary.defences);
    scores(&mut out, &summary.scores);
    lines(&mut out, &summary.lines);
    acts(&mut out, summary);
    comparison(&mut out, summary);
    keepers(&mut out, &summary.keepers);
    if summary.broken.is_empty() {
        out.push_str("\nEvery invariant held.\n");
    }
    for broken in &summary.broken {
        let _ = writeln!(out, "\nBROKEN: {}: {}", broken.invariant, broken.detail);
    }
    out
}

fn defences(out: &mut String, defences: &[Defence]) {
    if defences.is_empty() {
        out.push_str("  no rule became true\n");
        return;
    }
    let _ = writeln!(out, "  {:<36} {:>8} {:>7}  trip", "rule", "value", "true at");
    for defence in defences {
        let trip = match (&defence.trip, defence.no_trip) {
            (Some(trip), _) => {
                format!("+{} slots, {} ms, {} by {}", trip.slots, trip.wall_ms, level_name(trip.level), trip.by)
            }
            (None, why) => why.unwrap_or_default().to_owned(),
        };
        let _ = writeln!(out, "  {:<36} {:>8} {:>6}s  {trip}", defence.rule, defence.value, defence.true_at_secs);
    }
}

/// The lines of defence in the order in which they first acted.
fn lines(out: &mut String, lines: &[Line]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n  {:<44} {:>7}", "lines of defence, as they acted", "from");
    for Line { at_secs, what, detail } in lines {
        let _ = writeln!(out, "  {what:<44} {at_secs:>6}s  {detail}");
    }
    out.push('\n');
}

/// What the median of the keepers' reports came to.
fn scores(out: &mut String, courses: &[Course]) {
    let percent = |bps: u16| f64::from(bps) / 100.0;
    for Course { coin, first_bps, highest_bps, highest_at_secs, last_bps } in courses {
        let (first, highest, last) = (percent(*first_bps), percent(*highest_bps), percent(*last_bps));
        let _ = writeln!(
            out,
            "  risk score of {coin}, by the keepers' reports: {first:.1} % at first, {highest:.1} % in second {highest_at_secs}, {last:.1} % at last"
        );
    }
}

/// Acts that are alike, told once.
fn acts(out: &mut String, summary: &Summary) {
    let mut told: BTreeMap<(String, String), (usize, i64)> = BTreeMap::new();
    for record in &summary.acts {
        let answer = match &record.answer {
            Answer::Landed => "done".to_owned(),
            Answer::Refused { by, because } => format!("refused: {because} ({by})"),
        };
        told.entry((record.what.clone(), answer)).or_insert((0, record.at_secs)).0 += 1;
    }
    let mut told: Vec<_> = told.into_iter().collect();
    told.sort_by_key(|(_, (_, first))| *first);
    for ((what, answer), (count, first)) in told {
        let times = if count > 1 { format!(" ({count} times)") } else { String::new() };
        let _ = writeln!(out, "  second {first}: {what}{times}: {answer}");
    }
    for outage in &summary.outages {
        let _ = writeln!(out, "  {outage}");
    }
}

/// A line of the comparison: its name and what it shows of either market.
type Row = (&'static str, fn(&Tally) -> u64);

fn comparison(out: &mut String, summary: &Summary) {
    let columns = [&summary.guarded, &summary.static_thresholds, &summary.without_guard];
    let (soft, hard) = (summary.deleveraged, summary.liquidated);
    let _ = writeln!(
        out,
        "\nDeleveraged {} times ({} USDC), liquidated {} times ({} USDC).",
        soft.0,
        whole(soft.1),
        hard.0,
        whole(hard.1)
    );
    let _ = writeln!(
        out,
        "\nWith the guard, and computed beside it the same market under fixed thresholds and without (USDC)"
    );
    let rows: [Row; 8] = [
        ("repaid by liquidators", |t| whole(t.liquidated_amount)),
        ("bonus that borrowers paid", |t| whole(t.bonus_amount)),
        ("bad debt written off", |t| whole(t.bad_debt_amount)),
        ("debt above its collateral", |t| whole(t.hidden_bad_debt_amount)),
        ("lenders' loss", |t| whole(t.loss_amount())),
        ("withdrawn and borrowed", |t| whole(t.left_amount)),
        ("healthy positions liquidated", |t| t.wrongly_liquidated),
        ("the reserve at the end", |t| whole(t.reserve_amount)),
    ];
    let mut row = |name: &str, [guard, fixed, without]: [&dyn Display; 3]| {
        let _ = writeln!(out, "  {name:<30} {guard:>12} {fixed:>12} {without:>12}");
    };
    row("", [&"guard", &"fixed", &"without"]);
    for (name, of) in rows {
        let [guard, fixed, without] = columns.map(of);
        row(name, [&guard, &fixed, &without]);
    }
    row("acts that succeed", [&landed(summary), &summary.static_acts, &summary.without_guard_acts]);
    let _ = writeln!(
        out,
        "  Fixed: the guard's lines without what moves with the market: no score, no limit by volatility, no deleveraging, no\n  \
         hedge; liquidators look at every price and take all that is at the line. Without: one price source, no levels, no\n  \
         limits, no deleveraging, no hedge, and a liquidator that takes the {AT_ONCE} worst positions of each vault every {LOOK_SECS}\n  \
         seconds. Both are computed in this process, not played on the chain."
    );
}

fn landed(summary: &Summary) -> usize {
    summary.acts.iter().filter(|record| record.answer == Answer::Landed).count()
}

fn keepers(out: &mut String, lines: &[KeeperLine]) {
    let _ = writeln!(
        out,
        "\n  {:<10} {:>6} {:>13} {:>14} {:>7}   by its own account",
        "keeper", "trips", "liquidations", "deleveragings", "failed"
    );
    for line in lines {
        let own = match &line.transactions {
            serde_json::Value::Object(counts) => {
                let count = |name: &str| counts.get(name).map_or_else(|| "?".to_owned(), ToString::to_string);
                format!(
                    "sent {}, landed {}, lost races {}, expired {}",
                    count("sent"),
                    count("landed"),
                    count("lost_race"),
                    count("expired")
                )
            }
            _ => "no answer".to_owned(),
        };
        let _ = writeln!(
            out,
            "  {:<10} {:>6} {:>13} {:>14} {:>7}   {own}",
            line.name, line.trips, line.liquidations, line.deleveragings, line.failed
        );
    }
}

fn whole(amount: u64) -> u64 {
    amount / crate::world::params::USDC
}
