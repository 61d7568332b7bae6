//! What `cargo demo` runs first: says what will be built, builds it with progress, and starts it.
//!
//! Needs the standard library alone, so that the first word comes within seconds on a fresh machine.

mod build;
mod progress;
mod tools;

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    match prepare(&root, &arguments) {
        Ok(demo) => start(&demo, &arguments),
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// Checks the tools, builds, and returns the executable.
fn prepare(root: &Path, arguments: &[OsString]) -> Result<PathBuf, String> {
    tools::check()?;
    let program = root.join("artifacts/rampart.so");
    if !program.is_file() {
        return Err("artifacts/rampart.so is missing: build it with `cargo xtask build-program`".to_owned());
    }
    let is_plain = arguments.iter().any(|argument| argument == "--headless") || !tools::is_terminal();
    build::run(root, is_plain)
}

/// Becomes the demo, so that signals and its exit code are its own.
#[cfg(unix)]
fn start(demo: &Path, arguments: &[OsString]) -> ExitCode {
    use std::os::unix::process::CommandExt;
    let error = std::process::Command::new(demo).args(arguments).exec();
    eprintln!("error: {} can't be started: {error}", demo.display());
    ExitCode::FAILURE
}

#[cfg(not(unix))]
fn start(demo: &Path, arguments: &[OsString]) -> ExitCode {
    match std::process::Command::new(demo).args(arguments).status() {
        Ok(status) => ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)),
        Err(error) => {
            eprintln!("error: {} can't be started: {error}", demo.display());
            ExitCode::FAILURE
        }
    }
}
