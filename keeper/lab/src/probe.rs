//! Three questions that no table of policies answers: what a halt by drawdown can do at all (`breaker`), what four hours without a
//! keeper cost (`outage`), and what an oracle that lies lets an attacker take (`lie`).

mod breaker;
mod lie;
mod outage;

pub use breaker::{Counts, Point, breaker, rules};
pub use lie::{Lie, lies};
pub use outage::{Outage, outages};

use crate::backtest::Interval;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Where the section of a document begins and ends.
pub const BEGIN: &str = "<!-- probe: written by `rampart lab probe --docs FILE` -->";
/// See [`BEGIN`].
pub const END: &str = "<!-- /probe -->";

/// All that was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Probe {
    /// One rule each, alone.
    pub breaker: Vec<Point>,
    /// One crisis each.
    pub outages: Vec<Outage>,
    /// One attack each.
    pub lies: Vec<Lie>,
    /// Crises that weren't played, with the reason.
    pub skipped: Vec<String>,
    /// SHA-256 of each file that was read.
    pub data: BTreeMap<String, String>,
    /// Seed of draws and resamples.
    pub seed: u64,
}

fn percent(interval: Option<Interval>) -> String {
    interval.map_or_else(
        || "-".into(),
        |Interval { mean, low, high }| format!("{:.0} % ({:.0} to {:.0})", mean * 100.0, low * 100.0, high * 100.0),
    )
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "**What a halt by drawdown can do.** One rule alone, `ReduceOnly` for an hour, over the markets of the test split; a fall"
        )?;
        writeln!(
            f,
            "is 12 % from the high of four hours, met where the rule tripped in these hours before the fall was that deep; a halt is"
        )?;
        writeln!(
            f,
            "right where 5 % follow within four hours. In brackets 95 % of redrawn weeks, all markets together.\n"
        )?;
        writeln!(
            f,
            "| rule | trips a market and year | falls met | halts that were right | of the fall still ahead, median | held up |"
        )?;
        writeln!(f, "| --- | --- | --- | --- | --- | --- |")?;
        for point in &self.breaker {
            writeln!(f, "{point}")?;
        }
        writeln!(
            f,
            "\n**Four hours without a keeper**, at the worst of the times that were tried around the deepest price: bad debt and what"
        )?;
        writeln!(
            f,
            "liquidations cost owners, bps of the debt at the start. Anybody may liquidate at the line meanwhile; nobody trips,"
        )?;
        writeln!(f, "observes or deleverages early.\n")?;
        writeln!(f, "| crisis | bad debt with a keeper | without | cost to owners with | without |")?;
        writeln!(f, "| --- | ---: | ---: | ---: | ---: |")?;
        for outage in &self.outages {
            writeln!(f, "{outage}")?;
        }
        writeln!(
            f,
            "\n**What a lie takes.** Both oracles follow a venue that an attacker moves; borrowed against it, beyond what the collateral is"
        )?;
        writeln!(
            f,
            "worth in truth, as a share of the pool's deposits. The bound is what the borrow cap leaves when the attack begins.\n"
        )?;
        writeln!(
            f,
            "| attack | draws | taken without a guard, worst | with it, worst | bound, least | above its bound |"
        )?;
        writeln!(f, "| --- | ---: | ---: | ---: | ---: | ---: |")?;
        for lie in &self.lies {
            writeln!(f, "{lie}")?;
        }
        for reason in &self.skipped {
            writeln!(f, "\nNot played: {reason}")?;
        }
        Ok(())
    }
}
