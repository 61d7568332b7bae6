//! `cargo xtask validator`: the tests of the demo's network on Solana's own validator instead of Surfpool.

use crate::failure::{Failure, Result};
use crate::{command, files, fixtures};
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

/// The validator's package and executable.
const PACKAGE: [&str; 3] = ["agave-validator", "--version", "4.2.2"];
const BINARY: &str = "solana-test-validator";

/// Where it is installed, and what says that it is elsewhere; the tests look there too.
const ROOT: &str = "target/validator";
const VARIABLE: &str = "RAMPART_VALIDATOR";

/// What is optimised in it: without, two cores don't keep up with the shreds of a slot, and its broadcast stage ends with "All banks
/// frozen .. must have a block id" within minutes. The rest is not, so that it builds in half an hour.
const OPTIMISED: [(&str, u8); 14] = [
    ("reed-solomon-erasure", 3),
    ("ed25519-dalek", 3),
    ("curve25519-dalek", 3),
    ("sha2", 3),
    ("solana-sbpf", 3),
    ("blake3", 3),
    ("solana-ledger", 1),
    ("solana-turbine", 1),
    ("solana-entry", 1),
    ("solana-poh", 1),
    ("solana-perf", 1),
    ("solana-svm", 1),
    ("solana-program-runtime", 1),
    ("solana-merkle-tree", 1),
];

/// What its build needs of Debian.
const DEBIAN: [&str; 6] = ["libclang-dev", "protobuf-compiler", "libudev-dev", "pkg-config", "libssl-dev", "cmake"];

/// Runs the pipeline test and the test of three keepers on a validator, which it installs where there is none.
///
/// # Errors
/// A tool is missing, the validator doesn't build, or a test fails.
pub fn run() -> Result<()> {
    if command::find("etcd").is_none() {
        return Err(
            Failure::new("etcd is missing: three keepers share their work by it").hint("install Debian's etcd-server")
        );
    }
    let binary = validator()?;
    println!("{}: {}", binary.display(), command::output(command::clean(&binary).arg("--version"))?);
    fixtures::build()?;
    let mut tests = command::cargo();
    tests.args(["nextest", "run", "--locked", "--profile", "validator", "--no-capture", "--no-fail-fast"]);
    tests.args(["-p", "rampart-demo", "--test", "pipeline", "--test", "fleet"]);
    command::run(tests.env(VARIABLE, &binary))
}

/// Returns the validator: the one that is named, the one on the PATH, the one that was installed, or a new one.
fn validator() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os(VARIABLE).map(PathBuf::from) {
        let missing = || Failure::new(format!("{VARIABLE} names `{}`, which is no file", named.display()));
        return if named.is_file() { Ok(named) } else { Err(missing()) };
    }
    let own = files::root().join(ROOT).join("bin").join(BINARY);
    match command::find(BINARY) {
        Some(found) => Ok(found),
        None if own.is_file() => Ok(own),
        None => install().map(|()| own),
    }
}

fn install() -> Result<()> {
    if let Some(missing) = missing_packages() {
        return Err(Failure::new(format!("{BINARY} can't be built without {}", missing.join(", ")))
            .hint(format!("apt-get install --no-install-recommends {}", missing.join(" "))));
    }
    println!("installing {BINARY} {}: about 30 minutes on two idle cores", PACKAGE[2]);
    let start = Instant::now();
    let mut install = command::cargo();
    for (package, level) in OPTIMISED {
        install.arg("--config").arg(format!("profile.dev.package.{package}.opt-level={level}"));
    }
    install.env("CARGO_PROFILE_DEV_DEBUG", "0").env("CARGO_INCREMENTAL", "0");
    install.arg("install").args(PACKAGE).args(["--bin", BINARY, "--locked", "--debug", "--root"]);
    command::run(install.arg(files::root().join(ROOT)))?;
    println!("installed after {:.0} minutes", start.elapsed().as_secs_f64() / 60.0);
    Ok(())
}

/// Returns which of Debian's packages are missing; nothing where none is, or where there is no Debian.
fn missing_packages() -> Option<Vec<&'static str>> {
    let dpkg = command::find("dpkg-query")?;
    let is_installed = |package: &&str| {
        let status = command::output(Command::new(&dpkg).args(["-W", "-f", "${Status}", package]));
        status.is_ok_and(|status| status.contains("ok installed"))
    };
    let missing: Vec<_> = DEBIAN.into_iter().filter(|package| !is_installed(package)).collect();
    if missing.is_empty() { None } else { Some(missing) }
}
