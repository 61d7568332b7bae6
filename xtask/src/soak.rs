//! `cargo xtask soak`: the keeper as it ships, for hours.

use crate::command;
use crate::failure::Result;

/// How long.
#[derive(clap::Args)]
pub struct Soak {
    /// Hours that it runs.
    #[arg(long, default_value_t = 24.0)]
    hours: f64,
    /// Milliseconds of a slot; the chain's own time goes on by 400 in each.
    #[arg(long, default_value_t = 400)]
    slot_ms: u64,
}

/// Builds both sides optimised, and runs.
///
/// # Errors
/// Something doesn't build, or the run's verdict.
pub fn run(soak: &Soak) -> Result<()> {
    const PROFILE: [&str; 3] = ["--locked", "--profile", "sim"];
    command::run(command::cargo().arg("build").args(PROFILE).args(["-p", "rampart-keeper", "--bin", "rampart"]))?;
    let mut run = command::cargo();
    run.arg("run").args(PROFILE).args(["-p", "rampart-rig", "--bin", "rampart-soak", "--"]);
    run.args(["--keeper", "target/sim/rampart", "--hours", &soak.hours.to_string()]);
    command::run(run.args(["--slot-ms", &soak.slot_ms.to_string()]))
}
