//! `rampart-lab attack`: which attacks there are, and what one looks like.

use super::{DataArgs, LabError};
use crate::attack::{CRISES, Grafts, Keeper, Scenario, Split, Tick, generate, template, templates};
use clap::Subcommand;

/// What to do with the attacks.
#[derive(Debug, Subcommand)]
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
}

/// Runs one of the commands.
pub fn run(command: AttackCommand) -> Result<(), LabError> {
    match command {
        AttackCommand::List => {
            list();
            Ok(())
        }
        AttackCommand::Show { name, seed, split, every, data } => {
            print(&draw(&name, seed, split, &data)?, every.max(1));
            Ok(())
        }
    }
}

fn list() {
    println!("{:<20} {:<6} {:>5}  about", "name", "split", "hours");
    for template in templates() {
        let split = template.only.map_or("both", label);
        println!("{:<20} {split:<6} {:>5}  {}", template.name, template.hours, template.about);
        if !template.source.is_empty() {
            println!("{:<34}  source: {}", "", template.source);
        }
    }
    println!("\nrecorded crises, spliced into recorded calm:");
    for crisis in CRISES {
        println!("{:<20} {:<6} {:>5}  {}", crisis.name, label(crisis.split), crisis.hours, crisis.file);
    }
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

fn print(scenario: &Scenario, every: usize) {
    let digest: String = scenario.digest().iter().map(|byte| format!("{byte:02x}")).collect();
    println!(
        "{} seed {} ({}), {} steps, sha256 {digest}",
        scenario.name,
        scenario.seed,
        label(scenario.split),
        scenario.ticks.len()
    );
    scenario.drawn.iter().for_each(|(name, value)| println!("  {name} = {value:.4}"));
    println!(
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
    );
    for (index, tick) in scenario.ticks.iter().enumerate().filter(|(index, _)| index % every == 0) {
        println!("{}", line(index, tick));
    }
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
