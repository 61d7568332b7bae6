//! Tools that the checks call.

use super::{Run, Verdict};
use crate::failure::Result;
use crate::{command, files};
use std::path::PathBuf;

/// Installs what is missing and can be installed with cargo.
pub fn tools(run: &mut Run) -> Result<Verdict> {
    install("cargo-nextest")?;
    if is_ci() && !run.quick {
        install("cargo-deny")?;
        install_schemathesis()?;
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
    // not optimised: what it does takes seconds, to optimise it minutes
    command::run(
        command::cargo().args(["install", "--locked", "--debug", tool]).env("CARGO_PROFILE_DEV_DEBUG", "false"),
    )
}

/// Returns where schemathesis is installed for the test of the keeper's API; one on the PATH is found by the test itself.
pub fn schemathesis() -> PathBuf {
    files::root().join("target/schemathesis/bin/schemathesis")
}

fn install_schemathesis() -> Result<()> {
    if command::find("schemathesis").is_some() || schemathesis().is_file() {
        return Ok(());
    }
    println!("installing schemathesis");
    let folder = files::root().join("target/schemathesis");
    command::run(command::clean("python3").args(["-m", "venv"]).arg(&folder))?;
    let wanted = ["install", "--quiet", "--disable-pip-version-check", "schemathesis~=4.32.5"];
    command::run(command::clean(folder.join("bin/pip")).args(wanted))
}
