//! `rampart lab attack`: which attacks there are, and what one looks like.

use super::{DataArgs, LabError, Printer, Read, write_json};
use crate::attack::{CRISES, Grafts, Keeper, Scenario, Split, Template, Tick, generate, template, templates};
use crate::pool::KeeperConfig;
use crate::story::tell;
use crate::validate::{Config, EXAMPLE};
use clap::Subcommand;
use serde::Serialize;
use serde_json::json;
use std::path::PathBuf;

/// What to do with the attacks.
#[derive(Clone, Debug, Subcommand)]
pub enum AttackCommand {
    /// List templates, incidents and recorded crises with their side of the split
    List,
    /// Draw one scenario and print its steps as a table
    Show {
        /// Template, incident or recorded crisis, as `list` names it
        name: String,
        /// Same seed, same numbers
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Ranges of parameters to draw from
        #[arg(long, value_enum, default_value = "test")]
        split: Split,
        /// Print every so many minutes
        #[arg(long, default_value_t = 30)]
        every: usize,
        #[command(flatten)]
        data: DataArgs,
    },
    /// Play one scenario through the pool with a guard and without, and tell what happened
    Run {
        /// Template, incident or recorded crisis, as `list` names it
        name: String,
        /// Same seed, same numbers
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Ranges of parameters to draw from
        #[arg(long, value_enum, default_value = "test")]
        split: Split,
        /// The guard's configuration, as `validate` takes it [default: what `validate --example` prints]
        #[arg(long, value_name = "CONFIG.toml")]
        guard: Option<PathBuf>,
        /// Vault of the guard's file [default: the only one]
        #[arg(long, value_name = "NAME", requires = "guard")]
        vault: Option<String>,
        /// Keepers that report, 3 to 15: the limit for new risk follows their median, and a median score of 60 % forbids new risk
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(3..=15))]
        keepers: Option<u8>,
        /// How many of them an attacker has where the scenario says that one is compromised
        #[arg(long, value_name = "N", default_value_t = 1, requires = "keepers")]
        compromised: u8,
        /// Tell every so many minutes too; 0 for changes alone
        #[arg(long, default_value_t = 0)]
        every: u64,
        /// Where to write what happened as JSON
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        #[command(flatten)]
        data: DataArgs,
    },
}

/// Runs one of the commands.
pub fn run(command: AttackCommand, out: Printer, read: Read) -> Result<(), LabError> {
    match command {
        AttackCommand::List => {
            list(out);
            Ok(())
        }
        AttackCommand::Show { name, seed, split, every, data } => {
            print(&draw(&name, seed, split, &data)?, every.max(1), out);
            Ok(())
        }
        AttackCommand::Run { name, seed, split, guard, vault, keepers, compromised, every, out: file, data } => {
            let config = guard.map_or_else(|| Config::parse(EXAMPLE), |path| read(&path, vault.as_deref()))?;
            let keepers = keepers.map(|count| KeeperConfig { compromised, ..KeeperConfig::of(count) });
            let story = tell(&config, keepers, draw(&name, seed, split, &data)?, every);
            write_json(file.as_deref(), &story)?;
            out.answer(&story, &story);
            Ok(())
        }
    }
}

#[derive(Serialize)]
struct Listed {
    name: &'static str,
    split: &'static str,
    hours: u32,
    about: &'static str,
    source: &'static str,
    without_effect: Vec<&'static str>,
}

/// Draws of a template that are looked through for what has no effect.
const LISTED_DRAWS: std::ops::RangeInclusive<u64> = 1..=3;

/// Returns what a template's first draws hold that has no effect in the pool.
fn without_effect(template: &Template) -> Vec<&'static str> {
    let split = template.only.unwrap_or(Split::Test);
    let drawn = LISTED_DRAWS.filter_map(|seed| generate(template, split, seed).ok());
    let found: std::collections::BTreeSet<&str> = drawn.flat_map(|scenario| scenario.without_effect(false)).collect();
    found.into_iter().collect()
}

fn list(out: Printer) {
    let of = |template: Template| {
        let without_effect = without_effect(&template);
        let Template { name, hours, only, about, source, .. } = template;
        Listed { name, split: only.map_or("both", label), hours, about, source, without_effect }
    };
    let drawn: Vec<Listed> = templates().into_iter().map(of).collect();
    let recorded = CRISES.iter().map(|crisis| Listed {
        name: crisis.name,
        split: label(crisis.split),
        hours: crisis.hours as u32,
        about: crisis.file,
        source: "",
        without_effect: Vec::new(),
    });
    let recorded: Vec<Listed> = recorded.collect();
    let mut lines = vec![format!("{:<20} {:<6} {:>5}  about", "name", "split", "hours")];
    lines.extend(drawn.iter().flat_map(rows));
    lines.push("\nrecorded crises, spliced into recorded calm:".to_owned());
    lines.extend(recorded.iter().flat_map(rows));
    out.answer(&json!({ "drawn": drawn, "recorded": recorded }), lines.join("\n"));
}

fn rows(of: &Listed) -> Vec<String> {
    let Listed { name, split, hours, about, source, without_effect } = of;
    let mut rows = vec![format!("{name:<20} {split:<6} {hours:>5}  {about}")];
    if !without_effect.is_empty() {
        rows.push(format!("{:<34}  no effect in the pool: {}", "", without_effect.join(", ")));
    }
    if !source.is_empty() {
        rows.push(format!("{:<34}  source: {source}", ""));
    }
    rows
}

fn label(split: Split) -> &'static str {
    match split {
        Split::Train => "train",
        Split::Test => "test",
    }
}

/// Draws the scenario called `name`: a template's, or a graft where recorded data is at hand.
fn draw(name: &str, seed: u64, split: Split, data: &DataArgs) -> Result<Scenario, LabError> {
    let Some(crisis) = CRISES.iter().find(|crisis| crisis.name == name) else {
        return Ok(generate(&template(name)?, split, seed)?);
    };
    let grafts = Grafts::read(&data.dir()?)?;
    Ok(grafts.draw(crisis.name, seed)?)
}

fn print(scenario: &Scenario, every: usize, out: Printer) {
    let digest = hex::encode(scenario.digest());
    let mut lines = vec![format!(
        "{} seed {} ({}), {} steps, sha256 {digest}",
        scenario.name,
        scenario.seed,
        label(scenario.split),
        scenario.ticks.len()
    )];
    lines.extend(scenario.drawn.iter().map(|(name, value)| format!("  {name} = {value:.4}")));
    lines.push(format!(
        "{:>6} {:>10} {:>10} {:>10} {:>6} {:>10} {:>7} {:>9} {:>8} {:>8} {:>6} {:>7}  keeper",
        "minute",
        "truth",
        "venue 1",
        "oracle",
        "age",
        "second",
        "depth",
        "volume",
        "outflow",
        "attack",
        "land",
        "basis"
    ));
    let shown = scenario.ticks.iter().enumerate().filter(|(index, _)| index % every == 0);
    lines.extend(shown.map(|(index, tick)| line(index, tick)));
    out.answer(scenario, lines.join("\n"));
}

fn line(index: usize, tick: &Tick) -> String {
    let keeper = match tick.keeper {
        Keeper::Honest => "up".to_owned(),
        Keeper::Down => "down".to_owned(),
        Keeper::Compromised { score } => format!("says {score}"),
    };
    let prices = format!(
        "{:>10.4} {:>10.4} {:>10.4} {:>6}",
        tick.truth, tick.venues[0], tick.oracle.price, tick.oracle.age_secs
    );
    let flows =
        format!("{:>8.5} {:>8.5} {:>6.2} {:>7.3}", tick.outflow, tick.attack_borrow, tick.inclusion, tick.basis);
    format!(
        "{index:>6} {prices} {:>10.4} {:>7.3} {:>9.1} {flows}  {keeper}",
        tick.second.price, tick.depth, tick.volume
    )
}
