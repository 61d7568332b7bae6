//! The verdict on a configuration: numbers case by case, what failed, and one hash over all of it.

use super::Plan;
use super::config::{Config, Require};
use super::measures::{Sight, hour_out};
use crate::backtest::{Market, Played};
use crate::data::sha256_hex;
use crate::pool::{GuardConfig, Settings, Totals};
use rampart::state::asset::Peg;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// What a contender came to in a case, on its worst path each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Lost, bps of the pool's debt at the start.
    pub bad_debt_bps: f64,
    /// Taken out by lenders and borrowed by attackers within an hour, bps of the deposits at the start.
    pub hour_out_bps: f64,
    /// What liquidations and deleveraging cost owners, bps of the debt.
    pub cost_bps: f64,
    /// Time in which users were held up, bps.
    pub halted_bps: f64,
}

impl Measured {
    fn of(market: &Market, played: &Played) -> Self {
        let Settings { target_debt, deposits, .. } = market.settings;
        let Totals { bad_debt, forced_cost, soft_cost, .. } = played.totals;
        let halted = played.steps.iter().filter(|step| step.is_halted()).count();
        Self {
            bad_debt_bps: rounded(bad_debt / target_debt * 1e4),
            hour_out_bps: rounded(hour_out(&played.steps, market.scenario.step_secs) / deposits * 1e4),
            cost_bps: rounded((forced_cost + soft_cost) / target_debt * 1e4),
            halted_bps: rounded(halted as f64 / (played.steps.len() as f64).max(1.0) * 1e4),
        }
    }

    fn worst(self, other: Self) -> Self {
        Self {
            bad_debt_bps: self.bad_debt_bps.max(other.bad_debt_bps),
            hour_out_bps: self.hour_out_bps.max(other.hour_out_bps),
            cost_bps: self.cost_bps.max(other.cost_bps),
            halted_bps: self.halted_bps.max(other.halted_bps),
        }
    }

    /// By name, in the order of the fields.
    fn named(&self) -> [(&'static str, f64); 4] {
        let Self { bad_debt_bps, hour_out_bps, cost_bps, halted_bps } = *self;
        [
            ("bad debt", bad_debt_bps),
            ("out within an hour", hour_out_bps),
            ("cost to owners", cost_bps),
            ("held up", halted_bps),
        ]
    }
}

/// One crisis or template, over all its draws.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// Whether nothing is wrong in it: what is held up is held up for nothing.
    pub is_true_negative: bool,
    /// How many paths were played.
    pub paths: u32,
    /// With the guard.
    pub guarded: Measured,
    /// Without rules, limits, scale and soft deleveraging.
    pub unguarded: Measured,
    /// With the configuration that it is held against.
    pub against: Option<Measured>,
    /// Longest that a crash stood in sight before new risk was closed, seconds; none where nobody saw one.
    pub unanswered_secs: Option<u32>,
    /// Highest LTV limit that was offered in a rough hour, bps of the vault's own; none where there was no such hour.
    pub rough_ltv_bps: Option<f64>,
    /// Trips, over all paths.
    pub trips: u64,
    /// Bounds that it broke.
    pub failed: Vec<String>,
}

/// The plays of one path.
pub(super) struct Plays {
    pub ours: Played,
    pub unguarded: Played,
    pub against: Option<Played>,
}

impl Case {
    pub(super) fn add(&mut self, market: &Market, plays: &Plays, (guard, require): (&GuardConfig, &Require)) {
        let Plays { ours, unguarded, against } = plays;
        self.paths += 1;
        self.guarded = self.guarded.worst(Measured::of(market, ours));
        self.unguarded = self.unguarded.worst(Measured::of(market, unguarded));
        if let Some(played) = against {
            self.against = Some(self.against.unwrap_or_default().worst(Measured::of(market, played)));
        }
        let sight = Sight::of(&market.scenario, &guard.oracle, guard.peg == Peg::UsDollar);
        self.unanswered_secs = self.unanswered_secs.max(sight.unanswered_secs(&ours.steps, require.crash_bps));
        let own_bps = f64::from(guard.risk.ltv_bps.max(1));
        let rough = sight
            .rough_ltv_bps(&ours.steps, require.rough_bps)
            .map(|ltv_bps| rounded(f64::from(ltv_bps) / own_bps * 1e4));
        self.rough_ltv_bps = rough.map(|rough| self.rough_ltv_bps.unwrap_or(0.0).max(rough)).or(self.rough_ltv_bps);
        self.trips += ours.trips.len() as u64;
    }

    /// Returns every bound that it breaks.
    fn judged(&self, require: &Require) -> Vec<String> {
        let Measured { bad_debt_bps, hour_out_bps, halted_bps, .. } = self.guarded;
        let worse = bad_debt_bps - self.unguarded.bad_debt_bps;
        let calm_halted_bps = if self.is_true_negative { halted_bps } else { 0.0 };
        let unanswered_secs = self.unanswered_secs.unwrap_or(0);
        let rough_ltv_bps = self.rough_ltv_bps.unwrap_or(0.0);
        let bounds = [
            ("max_bad_debt_bps", bad_debt_bps, require.max_bad_debt_bps, format!("loses {bad_debt_bps} bps")),
            ("max_worse_bps", worse, require.max_worse_bps, format!("loses {worse:.1} bps more than its lines alone")),
            (
                "max_calm_halted_bps",
                calm_halted_bps,
                require.max_calm_halted_bps,
                format!("held up {calm_halted_bps} bps for nothing"),
            ),
            (
                "max_hour_out_bps",
                hour_out_bps,
                require.max_hour_out_bps,
                format!("lets {hour_out_bps} bps of the deposits out within an hour"),
            ),
            (
                "max_unanswered_secs",
                unanswered_secs.into(),
                require.max_unanswered_secs.into(),
                format!("leaves new risk open for {unanswered_secs} s of a crash"),
            ),
            (
                "max_rough_ltv_bps",
                rough_ltv_bps,
                require.max_rough_ltv_bps,
                format!("offers {rough_ltv_bps} bps of its LTV limit in a rough hour"),
            ),
        ];
        let broken = bounds.into_iter().filter(|(_, value, most, _)| value > most);
        broken.map(|(key, _, most, what)| format!("{what}, {key} is {most}")).chain(self.worse(require)).collect()
    }

    /// Returns by what it is too much worse than what it is held against. What owners pay and how long users wait is a trade that
    /// is shown, and no failure.
    fn worse(&self, require: &Require) -> Vec<String> {
        let Some(against) = self.against else { return Vec::new() };
        let pairs = self.guarded.named().into_iter().zip(against.named()).take(2);
        let worse = pairs.filter(|((_, ours), (_, theirs))| ours - theirs > require.max_worse_bps);
        let said = |((name, ours), (_, theirs)): ((&str, f64), (&str, f64))| {
            format!("{name} {ours} bps instead of {theirs}, max_worse_bps is {}", require.max_worse_bps)
        };
        worse.map(said).collect()
    }

    /// Returns what moved against the other configuration, in words; nothing where nothing did.
    fn moved(&self) -> Option<String> {
        let pairs = self.guarded.named().into_iter().zip(self.against?.named());
        let moved = pairs.filter(|((_, ours), (_, theirs))| (ours - theirs).abs() >= 0.05);
        let said = moved.map(|((name, ours), (_, theirs))| {
            let word = if ours > theirs { "worse" } else { "better" };
            format!("{name} {theirs:.1} -> {ours:.1} bps ({word})")
        });
        let said: Vec<String> = said.collect();
        (!said.is_empty()).then(|| format!("{}: {}", self.name, said.join(", ")))
    }

    /// Returns the columns of a table beside its name and verdict: heads, and what stands below them.
    pub fn columns(&self) -> [(&'static str, String); 10] {
        let Self { guarded, unguarded, .. } = self;
        [
            ("paths", self.paths.to_string()),
            ("bad debt, bps", format!("{:.1}", guarded.bad_debt_bps)),
            ("unguarded, bps", format!("{:.1}", unguarded.bad_debt_bps)),
            ("out in 1 h, bps", format!("{:.1}", guarded.hour_out_bps)),
            ("unguarded out, bps", format!("{:.1}", unguarded.hour_out_bps)),
            ("crash unanswered, s", self.unanswered_secs.map_or_else(|| "-".into(), |secs| secs.to_string())),
            ("LTV in a rough hour, bps", self.rough_ltv_bps.map_or_else(|| "-".into(), |bps| format!("{bps:.0}"))),
            ("cost to owners, bps", format!("{:.1}", guarded.cost_bps)),
            ("held up, bps", format!("{:.1}", guarded.halted_bps)),
            ("trips", self.trips.to_string()),
        ]
    }

    /// Returns whether it passed, in words.
    pub fn said(&self) -> String {
        if self.failed.is_empty() { "pass".into() } else { format!("FAIL: {}", self.failed.join("; ")) }
    }
}

/// The last digits of a logarithm differ between machines; a thousandth of a basis point doesn't.
fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

/// The configuration that another is held against: today's, mostly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Against {
    /// Its name.
    pub name: String,
    /// SHA-256 of it as canonical JSON, but for its name.
    pub config_sha256: String,
}

/// What a configuration came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Name of the configuration.
    pub name: String,
    /// SHA-256 of the configuration as canonical JSON, but for its name.
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
    /// What it was held against.
    pub against: Option<Against>,
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
    pub(super) fn new(config: &Config, plan: &Plan) -> Self {
        let against = |config: &Config| Against { name: config.name.clone(), config_sha256: config.sha256() };
        Self {
            name: config.name.clone(),
            config_sha256: config.sha256(),
            against: plan.against.map(against),
            seed: plan.seed,
            draws: plan.draws,
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
            case.failed = case.judged(require);
        }
        if self.cases.iter().all(|case| case.unanswered_secs.is_none()) {
            self.failed.push(format!(
                "nothing in sight falls by {} bps within an hour, so that no answer was seen: raise --draws or lower crash_bps",
                require.crash_bps
            ));
        }
        let sum: f64 = self.cases.iter().map(|case| case.guarded.bad_debt_bps).sum();
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

    /// Returns what moved against the other configuration, a line for each case in which anything did.
    pub fn moved(&self) -> Vec<String> {
        self.cases.iter().filter_map(Case::moved).collect()
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
        let heads = Case::default().columns().map(|(head, _)| head).join(" | ");
        writeln!(
            f,
            "| case | {heads} | verdict |\n| --- |{} --- |",
            " ---: |".repeat(Case::default().columns().len())
        )?;
        for case in &self.cases {
            let values = case.columns().map(|(_, value)| value).join(" | ");
            writeln!(f, "| {} | {values} | {} |", case.name, case.said())?;
        }
        if let Some(Against { name, config_sha256 }) = &self.against {
            let moved = self.moved();
            writeln!(
                f,
                "against `{name}`, configuration {config_sha256}: {} of {} cases move",
                moved.len(),
                self.cases.len()
            )?;
            moved.iter().try_for_each(|moved| writeln!(f, "{moved}"))?;
        }
        self.skipped.iter().try_for_each(|skipped| writeln!(f, "skipped {skipped}"))?;
        self.unplayed.iter().try_for_each(|rule| writeln!(f, "not played: {rule}"))?;
        writeln!(f, "configuration {}", self.config_sha256)?;
        self.failed.iter().try_for_each(|failed| writeln!(f, "FAIL: {failed}"))?;
        writeln!(f, "mean {} bps; {}", self.mean_bad_debt_bps, if self.is_passed { "passed" } else { "failed" })?;
        write!(f, "report {}", self.hash())
    }
}
