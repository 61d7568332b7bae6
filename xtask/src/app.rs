//! The web app's own scripts.

use crate::command;
use crate::failure::{Failure, Result};
use crate::files;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the app's client that is generated from the IDL.
const CLIENT: &str = "app/src/generated";

/// Returns the app's folder.
pub fn folder() -> PathBuf {
    files::root().join("app")
}

/// Returns whether the app's manifest has a script.
pub fn has_script(name: &str) -> bool {
    let manifest = files::read_text(&folder().join("package.json")).unwrap_or_default();
    let manifest: Value = serde_json::from_str(&manifest).unwrap_or_default();
    manifest["scripts"][name].is_string()
}

/// Runs one of the app's scripts.
///
/// # Errors
/// npm is missing, or the script fails.
pub fn script(name: &str) -> Result<()> {
    command::run(npm().args(["run", "--silent", name]))
}

/// Runs the tests of the pages in the browser at `chromium`, without comparing pictures.
///
/// # Errors
/// npm is missing, or a test fails.
pub fn browse(chromium: &Path) -> Result<()> {
    command::run(npm().args(["run", "--silent", "e2e", "--", "--ignore-snapshots"]).env("CHROMIUM", chromium))
}

/// Runs the tests of the pages in the browser at `chromium`, each against a demo that `demo` plays.
///
/// # Errors
/// npm is missing, or a test fails.
pub fn browse_demo(chromium: &Path, demo: &Path) -> Result<()> {
    let mut tests = npm();
    tests.args(["run", "--silent", "e2e:demo"]).env("CHROMIUM", chromium).env("RAMPART_DEMO", demo);
    command::run(&mut tests)
}

/// Installs the app's dependencies unless they are there.
///
/// # Errors
/// npm is missing, or the registry can't be reached.
pub fn install() -> Result<()> {
    let (installed, wanted) = (folder().join("node_modules/.package-lock.json"), folder().join("package-lock.json"));
    if files::modified(&installed).is_some() && files::modified(&installed) >= files::modified(&wanted) {
        return Ok(());
    }
    command::run(npm().args(["ci", "--no-audit", "--no-fund"]))
}

/// Generates the app's client from the IDL; with `check`, compares it with the one that is there.
///
/// # Errors
/// The script fails, or the client isn't what the IDL gives.
pub fn generate(check: bool) -> Result<()> {
    if !has_script("generate") {
        return Ok(());
    }
    let (client, before) = (files::root().join(CLIENT), files::root().join("target/app-client"));
    files::remove_folder(&before)?;
    if client.is_dir() {
        files::copy_folder(&client, &before)?;
    }
    script("generate")?;
    if !check || before.is_dir() && files::same_folder(&before, &client)? {
        return Ok(());
    }
    // A check leaves the files as they were.
    files::remove_folder(&client)?;
    if before.is_dir() {
        files::copy_folder(&before, &client)?;
    }
    Err(Failure::new(format!("`{CLIENT}` isn't what the IDL gives")).hint("run `cargo xtask gen` and commit"))
}

/// Builds the app to `artifacts/app`; with `check`, compares it with what is there.
///
/// # Errors
/// The script fails, or `artifacts/app` isn't what the source gives.
pub fn build(check: bool) -> Result<()> {
    if !has_script("build") {
        return Ok(());
    }
    script("build")?;
    let (built, kept) = (folder().join("dist"), files::root().join("artifacts/app"));
    if !check {
        files::remove_folder(&kept)?;
        return files::copy_folder(&built, &kept);
    }
    if kept.is_dir() && files::same_folder(&built, &kept)? {
        return Ok(());
    }
    Err(Failure::new("`artifacts/app` isn't what the source gives").hint("run `cargo xtask gen` and commit"))
}

fn npm() -> Command {
    let mut command = command::clean("npm");
    command.current_dir(folder());
    command
}
