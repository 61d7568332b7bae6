//! Runs other programs.

use crate::failure::{Failure, Result};
use crate::files;
use std::cell::RefCell;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

thread_local! {
    /// Where programs that this thread runs print to, if not to the terminal.
    static LOG: RefCell<Option<File>> = const { RefCell::new(None) };
}

/// From now on programs that this thread runs print to a new file.
///
/// # Errors
/// The file can't be written.
pub fn write_to(log: &Path) -> Result<()> {
    files::write(log, "")?;
    let file = File::options().append(true).open(log).map_err(|e| Failure::file("open", log, e))?;
    LOG.with_borrow_mut(|kept| *kept = Some(file));
    Ok(())
}

/// Runs a command to its end, on this thread's terminal or file.
fn status(command: &mut Command) -> std::io::Result<ExitStatus> {
    LOG.with_borrow(|log| {
        if let Some(log) = log {
            command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log.try_clone()?);
        }
        command.status()
    })
}

/// What `cargo run` and the caller's own habits leave in the environment, and a build that others repeat must not see.
const FOREIGN: [&str; 12] = [
    "CARGO",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_TARGET_DIR",
    "LD_LIBRARY_PATH",
    "OUT_DIR",
    "RUSTC",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTFLAGS",
    "RUSTUP_TOOLCHAIN",
];

/// How the names of what `cargo run` tells of its package begin. Build scripts look at them: one that is there in one build and
/// not in the next has TLS and all above it compiled anew.
const OF_PACKAGE: [&str; 2] = ["CARGO_MANIFEST_", "CARGO_PKG_"];

/// Returns a command that doesn't inherit this process's build settings.
pub fn clean(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if FOREIGN.contains(&&*text) || OF_PACKAGE.iter().any(|start| text.starts_with(start)) {
            command.env_remove(&name);
        }
    }
    command
}

/// Gives the program's library a file name of its own for each set of features.
///
/// Without it cargo writes a package that is also a `cdylib` to one name, and builds of different packages overwrite each
/// other's: the next one then fails with two versions of one crate.
const HASHED_NAMES: (&str, &str) = ("__CARGO_DEFAULT_LIB_METADATA", "rampart");

/// Returns a command of the repository's own cargo, run in its root.
pub fn cargo() -> Command {
    let mut command = clean("cargo");
    command.current_dir(files::root()).env(HASHED_NAMES.0, HASHED_NAMES.1);
    command
}

/// Runs a command to its end.
///
/// # Errors
/// It can't be started, or ends with another code than zero.
pub fn run(command: &mut Command) -> Result<()> {
    let status = status(command).map_err(|e| not_started(command, &e))?;
    if status.success() { Ok(()) } else { Err(Failure::new(format!("`{}` ended with {status}", line(command)))) }
}

/// Runs a command to its end and returns its code.
///
/// # Errors
/// It can't be started, or is ended by a signal.
pub fn code(command: &mut Command) -> Result<i32> {
    let status = status(command).map_err(|e| not_started(command, &e))?;
    status.code().ok_or_else(|| Failure::new(format!("`{}` ended with {status}", line(command))))
}

/// Runs a command to its end and returns what it printed, without the last line break.
///
/// # Errors
/// It can't be started, or ends with another code than zero.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.output().map_err(|e| not_started(command, &e))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Failure::new(format!("`{}` ended with {}: {}", line(command), output.status, said.trim())))
}

/// Runs a command without a word, and returns whether it succeeds in time.
pub fn succeeds_within(command: &mut Command, limit: Duration) -> bool {
    let silent = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let Ok(mut child) = silent.spawn() else {
        return false;
    };
    let start = Instant::now();
    while start.elapsed() < limit {
        match child.try_wait() {
            Ok(None) => std::thread::sleep(Duration::from_millis(50)),
            ended => {
                return ended.is_ok_and(|status| status.is_some_and(|status| status.success()));
            }
        }
    }
    // It may have ended by itself meanwhile.
    let _ = child.kill();
    let _ = child.wait();
    false
}

/// Returns where a program is on the PATH.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|path| path.is_file())
}

fn not_started(command: &Command, error: &std::io::Error) -> Failure {
    Failure::new(format!("failed to start `{}`: {error}", command.get_program().to_string_lossy()))
}

fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|w| w.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// Returns a run of the program's suites, which takes what a test is called by. One set of packages: nothing compiles twice.
pub fn suites() -> Command {
    suites_of("test")
}

/// As [`suites`], built by a profile of the workspace.
pub fn suites_of(profile: &str) -> Command {
    let mut test = cargo();
    test.args([
        "test",
        "--locked",
        "--profile",
        profile,
        "-p",
        "rampart",
        "-p",
        "rampart-client",
        "-p",
        "rampart-cpi",
        "-p",
        "rampart-tests",
    ]);
    test.args(["--test", "suites", "--"]);
    test
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failure_names_the_command_and_its_code() {
        let error = run(Command::new("sh").args(["-c", "exit 3"])).unwrap_err().to_string();
        assert!(error.contains("sh -c exit 3") && error.contains('3'), "{error}");
    }

    #[test]
    fn command_fails_when_it_takes_too_long() {
        assert!(succeeds_within(Command::new("true").arg(""), Duration::from_secs(60)));
        assert!(!succeeds_within(Command::new("sleep").arg("60"), Duration::from_millis(100)));
    }

    #[test]
    fn failure_names_the_program_when_it_is_missing() {
        let error = output(&mut Command::new("no-such-program")).unwrap_err().to_string();
        assert!(error.contains("no-such-program"), "{error}");
    }
}
