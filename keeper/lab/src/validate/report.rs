//! The verdict on a configuration: numbers case by case, what failed, and one hash over all of it.

use super::config::{Config, Require};
use crate::backtest::{Market, Played};
use crate::data::sha256_hex;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// One crisis or template, over all its draws.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// Whether nothing is wrong in it: what is held up is held up for nothing.
    pub is_true_negative: bool,
    /// How many paths were played.
    pub paths: u32,
    /// Most that a path lost, bps of the pool's debt at the start.
    pub bad_debt_bps: f64,
    /// The same without rules, limits and soft deleveraging.
    pub unguarded_bps: f64,
    /// What liquidations and deleveraging cost owners, on the worst path, bps.
    pub cost_bps: f64,
    /// Time in which users were held up, on the worst path, bps.
    pub halted_bps: f64,
    /// Trips, over all paths.
    pub trips: u64,
    /// Bounds that it broke.
    pub failed: Vec<String>,
}

impl Case {
    pub(super) fn add(&mut self, market: &Market, ours: &Played, unguarded: &Played) {
        let debt = market.settings.target_debt;
        let of = |amount: f64| rounded(amount / debt * 1e4);
        self.paths += 1;
        self.bad_debt_bps = self.bad_debt_bps.max(of(ours.totals.bad_debt));
        self.unguarded_bps = self.unguarded_bps.max(of(unguarded.totals.bad_debt));
        self.cost_bps = self.cost_bps.max(of(ours.totals.forced_cost + ours.totals.soft_cost));
        let halted = ours.steps.iter().filter(|step| step.is_halted()).count();
        self.halted_bps = self.halted_bps.max(rounded(halted as f64 / (ours.steps.len() as f64).max(1.0) * 1e4));
        self.trips += ours.trips.len() as u64;
    }
}

/// The last digits of a logarithm differ between machines; a thousandth of a basis point doesn't.
fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

/// What a configuration came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Name of the configuration.
    pub name: String,
    /// SHA-256 of the configuration as canonical JSON.
    pub config_sha256: String,
    /// Seed of the first draw.
    pub seed: u64,
    /// Draws of each template.
    pub draws: u64,
    /// Recorded files with their SHA-256.
    pub data: BTreeMap<String, String>,
    /// Crises that couldn't be played, with the reason. A verdict that skips says less.
    pub skipped: Vec<String>,
    /// Rules that the pool can't play: the verdict says nothing about them.
    pub unplayed: Vec<String>,
    /// Cases, in order.
    pub cases: Vec<Case>,
    /// Mean of what the cases lost, bps.
    pub mean_bad_debt_bps: f64,
    /// Bounds over all cases that were broken.
    pub failed: Vec<String>,
    /// Whether every bound was kept.
    pub is_passed: bool,
}

impl Verdict {
    pub(super) fn new(config: &Config, seed: u64, draws: u64) -> Self {
        Self {
            name: config.name.clone(),
            config_sha256: canonical_hash(config),
            seed,
            draws,
            data: BTreeMap::new(),
            skipped: Vec::new(),
            unplayed: config.unplayed(),
            cases: Vec::new(),
            mean_bad_debt_bps: 0.0,
            failed: Vec::new(),
            is_passed: false,
        }
    }

    pub(super) fn judge(&mut self, require: &Require) {
        for case in &mut self.cases {
            if case.bad_debt_bps > require.max_bad_debt_bps {
                case.failed
                    .push(format!("loses {} bps, max_bad_debt_bps is {}", case.bad_debt_bps, require.max_bad_debt_bps));
            }
            if case.is_true_negative && case.halted_bps > require.max_calm_halted_bps {
                case.failed.push(format!(
                    "held up {} bps for nothing, max_calm_halted_bps is {}",
                    case.halted_bps, require.max_calm_halted_bps
                ));
            }
        }
        let sum: f64 = self.cases.iter().map(|case| case.bad_debt_bps).sum();
        self.mean_bad_debt_bps = rounded(sum / (self.cases.len() as f64).max(1.0));
        if self.mean_bad_debt_bps > require.max_mean_bad_debt_bps {
            self.failed.push(format!(
                "the mean case loses {} bps, max_mean_bad_debt_bps is {}",
                self.mean_bad_debt_bps, require.max_mean_bad_debt_bps
            ));
        }
        self.is_passed =
            self.failed.is_empty() && !self.cases.is_empty() && self.cases.iter().all(|case| case.failed.is_empty());
    }

    /// Returns the SHA-256 of the verdict as canonical JSON: what a change of the configuration can name.
    pub fn hash(&self) -> String {
        canonical_hash(self)
    }
}

/// Returns the SHA-256, hexadecimal, of a value as JSON without spaces and with keys in order.
pub fn canonical_hash(value: &impl Serialize) -> String {
    let mut text = String::new();
    write_canonical(&serde_json::to_value(value).unwrap_or(Value::Null), &mut text);
    sha256_hex(text.as_bytes())
}

fn write_canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(map) => {
            let sorted: BTreeMap<_, _> = map.iter().collect();
            text.push('{');
            for (at, (key, value)) in sorted.into_iter().enumerate() {
                text.push_str(if at > 0 { "," } else { "" });
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                write_canonical(value, text);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                text.push_str(if at > 0 { "," } else { "" });
                write_canonical(item, text);
            }
            text.push(']');
        }
        other => text.push_str(&other.to_string()),
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| case | paths | bad debt, bps | unguarded, bps | cost to owners, bps | held up, bps | trips | verdict |"
        )?;
        writeln!(f, "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |")?;
        for case in &self.cases {
            let verdict =
                if case.failed.is_empty() { "pass".into() } else { format!("FAIL: {}", case.failed.join("; ")) };
            let Case { name, paths, bad_debt_bps, unguarded_bps, cost_bps, halted_bps, trips, .. } = case;
            writeln!(
                f,
                "| {name} | {paths} | {bad_debt_bps:.1} | {unguarded_bps:.1} | {cost_bps:.1} | {halted_bps:.1} | {trips} | {verdict} |"
            )?;
        }
        self.skipped.iter().try_for_each(|skipped| writeln!(f, "skipped {skipped}"))?;
        self.unplayed.iter().try_for_each(|rule| writeln!(f, "not played: {rule}"))?;
        self.failed.iter().try_for_each(|failed| writeln!(f, "FAIL: {failed}"))?;
        writeln!(f, "mean {} bps; {}", self.mean_bad_debt_bps, if self.is_passed { "passed" } else { "failed" })?;
        write!(f, "report {}", self.hash())
    }
}
