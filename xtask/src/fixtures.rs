//! Programs that only serve as fixtures.

use crate::failure::Result;
use crate::files;
use crate::sbf::build_sbf;
use crate::sbf::toolchain::Toolchain;
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

/// Builds every program of `tests/fixtures/` to `target/fixtures/<folder>.so`.
///
/// # Errors
/// A tool is missing, or a program doesn't build.
pub fn build() -> Result<()> {
    let toolchain = Toolchain::find()?;
    let out = files::root().join("target/fixtures");
    for folder in folders()? {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        build_sbf(&toolchain, &folder, &out.join(format!("{name}.so")))?;
    }
    Ok(())
}
