//! Builds a Rust crate as an SBPF v3 program.
//!
//! With `cargo build-sbf` on the PATH that tool does it. Otherwise rustc and LLVM of the distribution do, through the
//! package `sbf-lower`: rustc writes bitcode and calls this binary as its linker ([`roles`]), which keeps the bitcode.

pub mod library;
pub mod roles;
pub mod toolchain;
mod upstream;

use crate::command::{self, clean};
use crate::failure::{Failure, Result};
use crate::files;
use serde_json::Value;
use std::path::{Path, PathBuf};
use toolchain::Toolchain;

/// Builds the program in `manifest_dir` as the file `out`.
///
/// # Errors
/// A tool is missing, the program doesn't compile, or it holds what a program can't have.
pub fn build_sbf(toolchain: &Toolchain, manifest_dir: &Path, out: &Path) -> Result<()> {
    let krate = Crate::read(toolchain, manifest_dir)?;
    println!("building {} with {}", krate.stem, toolchain.name());
    let built = match toolchain {
        Toolchain::Platform(_) => platform(&krate)?,
        Toolchain::Upstream(tools) => upstream::build(tools, &krate)?,
    };
    files::copy(&built, out)
}

/// Returns the folder for what the builds leave between runs.
pub fn work_folder() -> PathBuf {
    files::root().join("target/sbf")
}

/// What a build has to know of a crate.
pub struct Crate {
    /// The folder of its manifest.
    pub folder: PathBuf,
    /// The library's name: `lib<stem>.so` is the program.
    pub stem: String,
    /// Whether the crate belongs to this repository's workspace; fixtures have workspaces of their own.
    pub is_member: bool,
}

impl Crate {
    fn read(toolchain: &Toolchain, folder: &Path) -> Result<Crate> {
        let mut metadata = clean(toolchain.cargo());
        metadata.current_dir(folder).args(["metadata", "--no-deps", "--format-version", "1"]);
        let metadata: Value = serde_json::from_str(&command::output(&mut metadata)?)
            .map_err(|e| Failure::new(format!("failed to read cargo's metadata: {e}")))?;
        let manifest = folder.join("Cargo.toml");
        let stem = program_name(&metadata, &manifest);
        let missing = || Failure::new(format!("`{}` has no target of type cdylib", manifest.display()));
        let is_member = metadata["workspace_root"].as_str().is_some_and(|root| Path::new(root) == files::root());
        Ok(Crate { folder: folder.to_path_buf(), stem: stem.ok_or_else(missing)?, is_member })
    }
}

/// Returns the name of the cdylib that the package of `manifest` builds.
fn program_name(metadata: &Value, manifest: &Path) -> Option<String> {
    let packages = metadata["packages"].as_array()?;
    let package = packages.iter().find(|p| p["manifest_path"].as_str().is_some_and(|m| Path::new(m) == manifest))?;
    let is_program = |t: &&Value| t["crate_types"].as_array().is_some_and(|k| k.iter().any(|k| k == "cdylib"));
    let target = package["targets"].as_array()?.iter().find(is_program)?;
    Some(target["name"].as_str()?.replace('-', "_"))
}

fn platform(krate: &Crate) -> Result<PathBuf> {
    let folder = work_folder().join("platform");
    files::create_folder(&folder)?;
    let mut build = clean("cargo");
    build.current_dir(&krate.folder).args(["build-sbf", "--arch", "v3", "--sbf-out-dir"]).arg(&folder);
    command::run(build.args(["--", "--locked"]))?;
    Ok(folder.join(format!("{}.so", krate.stem)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn program_name_is_that_of_the_cdylib() {
        let metadata = json!({"packages": [
            {"manifest_path": "/w/a/Cargo.toml", "targets": [{"name": "a", "crate_types": ["lib"]}]},
            {"manifest_path": "/w/b/Cargo.toml", "targets": [
                {"name": "build-script-build", "crate_types": ["bin"]},
                {"name": "token-swap", "crate_types": ["cdylib", "lib"]}]}]});
        assert_eq!(program_name(&metadata, Path::new("/w/b/Cargo.toml")).as_deref(), Some("token_swap"));
        assert_eq!(program_name(&metadata, Path::new("/w/a/Cargo.toml")), None);
    }
}
