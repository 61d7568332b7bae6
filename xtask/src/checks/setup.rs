//! Tools that the checks call.

use super::{Run, Verdict};
use crate::command;
use crate::failure::Result;

/// Installs what is missing and can be installed with cargo.
pub fn tools(run: &mut Run) -> Result<Verdict> {
    install("cargo-nextest")?;
    if is_ci() && !run.quick {
        install("cargo-deny")?;
    }
    Ok(Verdict::Passed)
}

/// Returns whether the run is unattended: tools are installed without asking.
pub fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|ci| ci == "true")
}

fn install(tool: &str) -> Result<()> {
    if command::find(tool).is_some() {
        return Ok(());
    }
    println!("installing {tool}");
    command::run(command::cargo().args(["install", "--locked", tool]))
}
