//! Finds the tools that build programs, and says which versions they are.

use crate::command::{self, clean, find};
use crate::failure::{Failure, Result};
use crate::files;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where Debian installs its Rust; a rustup toolchain of the same name on the PATH is another one.
const RUSTC: &str = "/usr/bin/rustc";
const CARGO: &str = "/usr/bin/cargo";

/// Where Debian installs LLVM 22.
const LLVM: &str = "/usr/lib/llvm-22";

/// The LLVM that rustc, the installed LLVM and the package `sbf-lower` agree on.
const LLVM_MAJOR: &str = "22.";

/// Installs what [`Toolchain::find`] looks for.
const INSTALL: &str =
    "run `apt-get install rustc-web cargo-web rust-web-src llvm-22 llvm-22-dev`, or put `cargo build-sbf` on the PATH";

/// The tools that build programs.
pub enum Toolchain {
    /// `cargo build-sbf`; what it says of its version.
    Platform(String),
    /// The distribution's rustc and LLVM.
    Upstream(Upstream),
}

/// The distribution's rustc and LLVM.
pub struct Upstream {
    /// What `rustc -Vv` says.
    rustc_version: String,
    /// What `llvm-config --version` says.
    llvm_version: String,
    /// The sources of std.
    pub library: PathBuf,
}

impl Toolchain {
    /// Returns the tools to build with.
    ///
    /// # Errors
    /// What is missing, and the command that installs it.
    pub fn find() -> Result<Toolchain> {
        if find("cargo-build-sbf").is_some() {
            return Ok(Toolchain::Platform(command::output(clean("cargo").args(["build-sbf", "--version"]))?));
        }
        Upstream::find().map(Toolchain::Upstream)
    }

    /// Returns a name for messages.
    pub fn name(&self) -> &'static str {
        match self {
            Toolchain::Platform(_) => "cargo build-sbf",
            Toolchain::Upstream(_) => "the distribution's rustc and LLVM",
        }
    }

    /// Returns the cargo that reads the manifests.
    pub fn cargo(&self) -> &Path {
        Path::new(if let Toolchain::Upstream(_) = self { CARGO } else { "cargo" })
    }

    /// Returns every version that the bytes of a program depend on, a line for each.
    ///
    /// # Errors
    /// The lock file can't be read.
    pub fn versions(&self) -> Result<String> {
        let lock = files::read_text(&files::root().join("Cargo.lock"))?;
        let tools = match self {
            Toolchain::Platform(version) => version.lines().collect::<Vec<_>>().join(", "),
            Toolchain::Upstream(tools) => tools.versions(&lock),
        };
        Ok(format!("{tools}\nanchor-lang {}\n", locked_version(&lock, "anchor-lang")))
    }
}

impl Upstream {
    fn find() -> Result<Upstream> {
        let missing = |what: String| Failure::new(format!("{what} is missing")).hint(INSTALL);
        let mut rustc = clean(RUSTC);
        let rustc_version = command::output(rustc.arg("-Vv")).map_err(|_| missing(format!("`{RUSTC}`")))?;
        if !Path::new(CARGO).is_file() {
            return Err(missing(format!("`{CARGO}`")));
        }
        let its_llvm = rustc_version.lines().find_map(|l| l.strip_prefix("LLVM version: ")).unwrap_or_default();
        if !its_llvm.starts_with(LLVM_MAJOR) {
            return Err(Failure::new(format!("`{RUSTC}` has LLVM {its_llvm}, not {LLVM_MAJOR}x")).hint(INSTALL));
        }
        let config = format!("{LLVM}/bin/llvm-config");
        let llvm_version =
            command::output(clean(&config).arg("--version")).map_err(|_| missing(format!("`{config}`")))?;
        let sysroot = command::output(clean(RUSTC).args(["--print", "sysroot"]))?;
        let library = Path::new(&sysroot).join("lib/rustlib/src/rust/library");
        if !library.join("std/src/lib.rs").is_file() {
            return Err(missing(format!("std's source in `{}`", library.display())));
        }
        Ok(Upstream { rustc_version, llvm_version, library })
    }

    /// Returns the first line of `rustc -Vv`.
    pub fn rustc_version(&self) -> &str {
        self.rustc_version.lines().next().unwrap_or_default()
    }

    fn versions(&self, lock: &str) -> String {
        let host = self.rustc_version.lines().find_map(|l| l.strip_prefix("host: ")).unwrap_or_default();
        let (linker, llvm) = (locked_version(lock, "sbpf-linker"), &self.llvm_version);
        format!("{}\nhost {host}\nllvm {llvm}\nsbpf-linker {linker}", self.rustc_version())
    }

    /// Returns a command of the distribution's cargo.
    pub fn cargo(&self) -> Command {
        let mut command = clean(CARGO);
        command.env("RUSTC", RUSTC);
        command
    }

    /// Returns the path of rustc.
    pub fn rustc(&self) -> &'static str {
        RUSTC
    }
}

/// Returns a command of the repository's cargo that finds LLVM, with a target folder of its own.
pub fn cargo_with_llvm() -> Command {
    let mut command = command::cargo();
    command.env("LLVM_SYS_221_PREFIX", LLVM).env("RUSTFLAGS", format!("-L {LLVM}/lib"));
    command.env("CARGO_TARGET_DIR", super::work_folder().join("tools"));
    command
}

/// Returns the version of a package in a lock file.
fn locked_version<'a>(lock: &'a str, package: &str) -> &'a str {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name).skip(1);
    let version = lines.next().and_then(|line| line.strip_prefix("version = \""));
    version.map_or("unknown", |version| version.trim_end_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locked_version_is_that_of_the_exact_name() {
        let lock = "[[package]]\nname = \"anchor-lang-idl\"\nversion = \"0.1.4\"\n\n[[package]]\nname = \"anchor-lang\"\nversion = \"1.2.2\"\n";
        assert_eq!(locked_version(lock, "anchor-lang"), "1.2.2");
        assert_eq!(locked_version(lock, "absent"), "unknown");
    }
}
