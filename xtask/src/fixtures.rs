//! Programs that only serve as fixtures.

use crate::failure::{Failure, Result};
use crate::sbf::build_sbf;
use crate::sbf::toolchain::Toolchain;
use crate::{files, program};
use std::path::PathBuf;

/// Returns the folder of every fixture program.
///
/// # Errors
/// `tests/fixtures` can't be read.
pub fn folders() -> Result<Vec<PathBuf>> {
    let mut folders = files::list(&files::root().join("tests/fixtures"))?;
    folders.retain(|folder| folder.join("Cargo.toml").is_file());
    Ok(folders)
}

/// The program of which `artifacts/` keeps a copy: `cargo demo` swaps through it, on machines without the tools.
const KEPT: &str = "token-swap.so";

/// Builds every program of `tests/fixtures/` to `target/fixtures/<folder>.so`, and writes the copy that is kept.
///
/// # Errors
/// A tool is missing, or a program doesn't build.
pub fn build() -> Result<()> {
    build_all()?;
    files::write(&program::artifact(KEPT), files::read(&folder().join(KEPT))?)
}

/// Builds every program, and compares the copy that is kept; not where other tools gave other bytes.
///
/// # Errors
/// Those of [`build`]; the copy isn't what the source gives.
pub fn check() -> Result<()> {
    build_all()?;
    let is_same = files::read(&folder().join(KEPT))? == files::read(&program::artifact(KEPT))?;
    if is_same || !program::is_same_toolchain()? {
        return Ok(());
    }
    Err(Failure::new(format!("`artifacts/{KEPT}` isn't what the source gives"))
        .hint("run `cargo xtask build-fixtures` and commit it"))
}

fn folder() -> PathBuf {
    files::root().join("target/fixtures")
}

fn build_all() -> Result<()> {
    let toolchain = Toolchain::find()?;
    let out = folder();
    for folder in folders()? {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        build_sbf(&toolchain, &folder, &out.join(format!("{name}.so")))?;
    }
    Ok(())
}
