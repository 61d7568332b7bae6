//! All contenders on the same markets, as a value and as a table.

use super::bootstrap::{Interval, Weeks, difference};
use super::metrics::{Metrics, Tally, weeks_of};
use super::{Market, Tried, play};
use crate::policy::Contender;
use crate::work::Work;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One contender's result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The contender.
    pub name: String,
    /// What it came to.
    pub metrics: Metrics,
    /// How much less bad debt it has than the reference, bps a year, over redrawn weeks.
    pub gain: Interval,
}

/// A comparison, with what it was made on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Which markets, in words.
    pub title: String,
    /// Whether they were generated: how often such things happen isn't in them.
    #[serde(default)]
    pub is_generated: bool,
    /// Name of the contender that gains are against.
    pub reference: String,
    /// Seed of every draw.
    pub seed: u64,
    /// Results, in the order of the contenders.
    pub outcomes: Vec<Outcome>,
    /// Every configuration that the tuning of the static rules tried.
    pub tried: Vec<Tried>,
}

/// Plays every contender on every market, one part of `work` each. Gains are against the contender at `reference`.
pub fn compare(
    title: &str,
    contenders: &[&dyn Contender],
    markets: &[Market],
    reference: usize,
    seed: u64,
    work: &mut Work,
) -> Report {
    let results: Vec<(Metrics, Weeks)> =
        contenders.iter().map(|contender| work.part(contender.name(), || come_to(*contender, markets, seed))).collect();
    let outcome = |(contender, (metrics, weeks)): (&&dyn Contender, &(Metrics, Weeks))| Outcome {
        name: contender.name().into(),
        metrics: metrics.clone(),
        gain: difference(weeks, &results[reference].1, seed),
    };
    let outcomes = contenders.iter().zip(&results).map(outcome).collect();
    Report {
        title: title.into(),
        is_generated: false,
        reference: contenders[reference].name().into(),
        seed,
        outcomes,
        tried: Vec::new(),
    }
}

/// Returns the lines between which a document holds the table of a backtest.
pub fn marks(report: &Report) -> (&'static str, &'static str) {
    if report.is_generated {
        ("<!-- attacks: written by `rampart lab report --docs FILE` -->", "<!-- /attacks -->")
    } else {
        ("<!-- backtest: written by `rampart lab report --docs FILE` -->", "<!-- /backtest -->")
    }
}

/// Returns what a contender comes to over all markets, and week by week.
fn come_to(contender: &dyn Contender, markets: &[Market], seed: u64) -> (Metrics, Weeks) {
    let (mut tally, mut weeks) = (Tally::default(), Vec::new());
    for market in markets {
        let played = play(contender, market, seed);
        tally.add(market, &played);
        weeks.push(weeks_of(market, &played));
    }
    (tally.metrics(), weeks)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "**{}**\n", self.title)?;
        writeln!(
            f,
            "| policy | bad debt, bps/yr | less than {} (95 %) | mean debt, M | forced cost, bps/yr | soft cost, bps/yr | worst 5 % of weeks, bps | halts | false | false/month | halted, % | warned | lead, min | fall ahead | LTV offered |",
            self.reference
        )?;
        writeln!(
            f,
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
        )?;
        for Outcome { name, metrics: m, gain } in &self.outcomes {
            writeln!(
                f,
                "| {name} | {:.1} | {:.1} ({:.1} to {:.1}) | {:.2} | {:.1} | {:.1} | {:.2} | {} | {} | {:.2} | {:.2} | {:.0} % of {} | {:.0} | {:.2} | {:.1} % |",
                m.bad_debt_bps_year,
                gain.mean,
                gain.low,
                gain.high,
                m.average_debt / 1e6,
                m.forced_cost_bps_year,
                m.soft_cost_bps_year,
                m.es95_week_bps,
                m.halts,
                m.false_halts,
                m.false_halts_month,
                m.halted_bps / 100.0,
                m.warned_share * 100.0,
                m.events,
                m.lead_secs / 60.0,
                m.fall_ahead,
                m.capital_efficiency * 100.0
            )?;
        }
        Ok(())
    }
}
