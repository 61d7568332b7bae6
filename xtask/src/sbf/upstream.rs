//! The build with the distribution's rustc and LLVM.

use super::toolchain::{Upstream, cargo_with_llvm};
use super::{Crate, library, roles, work_folder};
use crate::command;
use crate::failure::{Failure, Result};
use crate::files;
use std::fs::File;
use std::path::{Path, PathBuf};

/// The target's name. rustc finds the description by name: with its path the program would depend on where the checkout is.
const TARGET: &str = "sbpf-solana-solana";

/// The target's description: std's single-threaded platform without a libc, in bitcode.
const DESCRIPTION: &str = include_str!("target.json");

/// The Solana crates use their syscalls where the operating system is `solana`.
const RUSTFLAGS: &str = "-Zunstable-options --cfg target_os=\"solana\" -Aexplicit_builtin_cfgs_in_flags";

/// Builds a program and returns its file.
pub fn build(tools: &Upstream, krate: &Crate) -> Result<PathBuf> {
    let work = work_folder();
    files::create_folder(&work)?;
    let _lock = lock(&work.join("lock"))?;
    let lower = lowering_tool()?;
    let inputs = work.join("inputs").join(&krate.stem);
    compile(tools, krate, &work, &inputs)?;
    let program = work.join("programs").join(format!("{}.so", krate.stem));
    let built = files::modified(&program);
    if built > files::modified(&inputs) && built > files::modified(&lower) {
        return Ok(program);
    }
    files::create_folder(&work.join("programs"))?;
    command::run(command::clean(lower).arg(&inputs).arg(&program))?;
    Ok(program)
}

/// Waits until no other process builds programs.
fn lock(path: &Path) -> Result<File> {
    let file = File::create(path).map_err(|e| Failure::file("create", path, e))?;
    file.lock().map_err(|e| Failure::file("lock", path, e))?;
    Ok(file)
}

/// Builds the package `sbf-lower` and returns its binary.
fn lowering_tool() -> Result<PathBuf> {
    command::run(cargo_with_llvm().args(["build", "--quiet", "--locked", "-p", "sbf-lower"]))?;
    Ok(work_folder().join("tools/debug/sbf-lower"))
}

/// Compiles the program and everything it needs, std included, to bitcode in the folder `inputs`.
fn compile(tools: &Upstream, krate: &Crate, work: &Path, inputs: &Path) -> Result<()> {
    let library = library::prepare(&tools.library, tools.rustc_version(), work)?;
    files::write(&work.join("targets").join(format!("{TARGET}.json")), DESCRIPTION)?;
    let own = std::env::current_exe().map_err(|e| Failure::new(format!("failed to find this binary: {e}")))?;
    // Two workspaces that share a folder compile std again in turns.
    let cargo_folder = work.join(if krate.is_member { "cargo" } else { "cargo-fixtures" });
    start_over_if_stale(&cargo_folder)?;
    if !inputs.is_dir() {
        forget(&cargo_folder, &krate.stem);
    }
    let mut cargo = tools.cargo();
    cargo.current_dir(&krate.folder).args(["build", "--release", "--lib", "--locked", "--target", TARGET]);
    cargo.args(["-Zbuild-std=std,panic_abort", "-Zbuild-std-features="]);
    cargo
        .env("CARGO_TARGET_DIR", cargo_folder)
        .env("RUSTFLAGS", RUSTFLAGS)
        .env("RUST_TARGET_PATH", work.join("targets"));
    cargo.env("RUSTC_BOOTSTRAP", "1").env("__CARGO_TESTS_ONLY_SRC_ROOT", library);
    // std is usable by crates that don't ask for an unstable target.
    cargo.env("RUSTC_BOOTSTRAP_SYNTHETIC_TARGET", "1");
    // One object for each crate, optimised as a whole later.
    cargo.env("CARGO_PROFILE_RELEASE_LTO", "off").env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1");
    cargo.env("CARGO_PROFILE_RELEASE_DEBUG", "false").env("CARGO_INCREMENTAL", "0");
    cargo.env("RUSTC_WRAPPER", &own).env("CARGO_TARGET_SBPF_SOLANA_SOLANA_LINKER", &own);
    cargo.env(roles::RUSTC, tools.rustc()).env(roles::INPUTS, inputs).env(roles::STEM, &krate.stem);
    command::run(&mut cargo)
}

/// Removes what an earlier version of the wrapper compiled: cargo doesn't see that the wrapper changed, and a program of
/// both depends on what was built when.
fn start_over_if_stale(cargo_folder: &Path) -> Result<()> {
    let (stamp, wrapper) = (cargo_folder.join("wrapper.rs"), include_str!("roles.rs"));
    if std::fs::read_to_string(&stamp).is_ok_and(|last| last == wrapper) {
        return Ok(());
    }
    files::remove_folder(cargo_folder)?;
    files::write(&stamp, wrapper)
}

/// Makes cargo link the program again.
fn forget(cargo_folder: &Path, stem: &str) {
    let linked = cargo_folder.join(TARGET).join("release/deps").join(format!("lib{stem}.so"));
    // A file that isn't there is forgotten already.
    let _ = std::fs::remove_file(linked);
}
