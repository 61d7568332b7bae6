//! The study in Markdown, as a terminal shows it and as the document has it.

use super::{Method, PairResult, Study};
use crate::evaluate::Interval;
use crate::time::format_day;
use std::fmt;

/// The line that opens the document's section.
pub const BEGIN: &str = "<!-- hedge: written by `rampart lab hedge --docs FILE` -->";
/// The line that closes it.
pub const END: &str = "<!-- /hedge -->";

impl fmt::Display for Study {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let a = &self.assumptions;
        writeln!(
            f,
            "Assumed: half-life {} h, window {} h, no trade within {} of the wanted ratio, {} bps for a trade of the short, {} bps a \
             year for holding it, {} bps for a sale. Bars within the first window aren't measured. Intervals are 95 % over {} \
             resamples of whole weeks, seed {}. Leak check: {} ratios equal to the bit without what came after them.\n",
            a.half_life_hours,
            a.window_hours,
            a.band,
            a.trade_bps,
            a.funding_bps_year,
            a.sell_bps,
            self.resamples,
            self.seed,
            self.leak_checks
        )?;
        self.outcomes(f)?;
        self.crises(f)
    }
}

impl Study {
    fn outcomes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| asset/short | way | held | variance cut | in crises | worst 1 % of bars | worst 1 % of days | days cut | more than selling | trades/yr | trades, bps/yr | holding, bps/yr | mean, bps/yr |"
        )?;
        writeln!(f, "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")?;
        for pair in &self.pairs {
            let (name, worst) = (&pair.name, &pair.unhedged);
            writeln!(
                f,
                "| {name} | no hedge | | | | {} | {} | | | | | | {:.0} |",
                percent(worst.bar),
                percent(worst.day),
                worst.mean_bps_year
            )?;
            pair.outcomes.iter().try_for_each(|one| {
                writeln!(
                    f,
                    "| {name} | {} | {:.2} | {} | {} | {} | {} | {} | {} | {:.0} | {:.0} | {:.0} | {:.0} |",
                    one.method.name(),
                    one.held,
                    interval(&one.variance_cut),
                    one.crisis_variance_cut.map_or_else(|| "-".into(), percent),
                    percent(one.worst.bar),
                    percent(one.worst.day),
                    interval(&one.day_cut),
                    one.over_selling.as_ref().map_or_else(|| "-".into(), points),
                    one.trades_year,
                    one.cost_bps_year,
                    one.carry_bps_year,
                    one.worst.mean_bps_year
                )
            })?;
        }
        writeln!(f)
    }

    fn crises(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pairs.iter().try_for_each(|pair| writeln!(f, "{}", span(pair)))?;
        if self.pairs.iter().all(|pair| pair.crises.is_empty()) {
            return Ok(());
        }
        let ways = Method::ALL.map(Method::name).join(" | ");
        writeln!(f, "\n| asset/short | crisis | bars | correlation | no hedge | {ways} |")?;
        writeln!(f, "| --- | --- | ---: | ---: | ---: |{}", " ---: |".repeat(Method::ALL.len()))?;
        for pair in &self.pairs {
            for crisis in &pair.crises {
                let hedged: Vec<String> = crisis.hedged.iter().copied().map(percent).collect();
                writeln!(
                    f,
                    "| {} | {} | {} | {} | {} | {} |",
                    pair.name,
                    crisis.name,
                    crisis.bars,
                    decimal(crisis.correlation),
                    percent(crisis.unhedged),
                    hedged.join(" | ")
                )?;
            }
        }
        Ok(())
    }
}

fn span(pair: &PairResult) -> String {
    format!(
        "- {}: {} bars of {} min, {} to {}; correlation {}, in crises {}",
        pair.name,
        pair.bars,
        pair.bar_secs / 60,
        format_day(pair.from_ts),
        format_day(pair.to_ts),
        decimal(pair.correlation),
        decimal(pair.crisis_correlation)
    )
}

pub(crate) fn decimal(value: Option<f64>) -> String {
    value.map_or_else(|| "-".into(), |value| format!("{value:.2}"))
}

pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn interval(of: &Interval) -> String {
    format!("{:.1} % ({:.1} to {:.1})", 100.0 * of.value, 100.0 * of.low, 100.0 * of.high)
}

fn points(of: &Interval) -> String {
    format!("{:+.1} ({:+.1} to {:+.1})", 100.0 * of.value, 100.0 * of.low, 100.0 * of.high)
}
