//! `cargo xtask sim`: the keeper in simulated worlds, as many slots as wanted, and what came of them.

use crate::command;
use crate::failure::Result;

/// What to play.
#[derive(clap::Args)]
pub struct Sim {
    /// Slots to play in all.
    #[arg(long, default_value_t = 1_000_000)]
    slots: u64,
    /// Slots of one seed.
    #[arg(long, default_value_t = 5_000)]
    slots_each: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Simulations at the same time.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Plays this seed alone, and prints everything that happens.
    #[arg(long)]
    seed: Option<u64>,
    /// Makes the keepers wrong on purpose: gives-up-early, forgets-journal, ignores-gaps.
    #[arg(long)]
    mutation: Option<String>,
}

/// Plays, optimised.
///
/// # Errors
/// Something was missed, doubled, stuck or overspent: the seed and the command that replays it are printed.
pub fn run(sim: &Sim) -> Result<()> {
    let mut cargo = command::cargo();
    cargo.args(["run", "--locked", "--quiet", "--profile", "sim", "--package", "rampart-sim", "--"]);
    let number = |value: u64| value.to_string();
    cargo.args(["--slots", &number(sim.slots), "--slots-each", &number(sim.slots_each), "--from", &number(sim.from)]);
    cargo.args(["--jobs", &sim.jobs.to_string()]);
    if let Some(seed) = sim.seed {
        cargo.args(["--seed", &number(seed)]);
    }
    if let Some(mutation) = &sim.mutation {
        cargo.args(["--mutation", mutation]);
    }
    command::run(&mut cargo)
}
