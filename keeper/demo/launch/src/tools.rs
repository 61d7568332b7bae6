//! What has to be on the machine.

use std::io::IsTerminal;
use std::process::{Command, Stdio};

/// Checks that there is a C compiler: SQLite, the curves and TLS of the dependencies are C.
///
/// # Errors
/// What is missing, with the command that installs it.
pub fn check() -> Result<(), String> {
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    if runs(&compiler) && runs("make") && runs("perl") {
        return Ok(());
    }
    let missing: Vec<_> = [compiler.as_str(), "make", "perl"].into_iter().filter(|tool| !runs(tool)).collect();
    Err(format!("{} not found: the dependencies build C code.\nhint: {}", missing.join(", "), install_command()))
}

fn runs(tool: &str) -> bool {
    let quiet = || Stdio::null();
    Command::new(tool)
        .arg("--version")
        .stdin(quiet())
        .stdout(quiet())
        .stderr(quiet())
        .status()
        .is_ok_and(|status| status.success())
}

fn install_command() -> &'static str {
    if cfg!(target_os = "macos") {
        "xcode-select --install"
    } else {
        "apt-get install build-essential perl (Debian, Ubuntu), or dnf install gcc make perl (Fedora)"
    }
}

/// Tells whether somebody sees a bar.
pub fn is_terminal() -> bool {
    std::io::stderr().is_terminal()
}
