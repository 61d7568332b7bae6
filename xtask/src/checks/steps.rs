//! The checks.

use super::setup::{is_ci, schemathesis};
use super::{Run, Verdict};
use crate::failure::{Failure, Result};
use crate::sbf::toolchain::{Toolchain, cargo_with_llvm};
use crate::{app as web, cases, command, files, fixtures as programs, program as artifacts};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Random sequences of all instructions that the suites play; few without it.
const SEQUENCES: &str = "5000";

/// What is built through Clippy: not the package that links LLVM, and not this one. Its executable runs meanwhile, and is what
/// cargo calls as a compiler and linker of programs: it must not be replaced.
const SHARED: [&str; 5] = ["--workspace", "--exclude", "sbf-lower", "--exclude", "xtask"];

/// How long a library is looked for.
const PKG_CONFIG: Duration = Duration::from_secs(20);

/// Where the database of known vulnerabilities is.
const ADVISORIES: &str = "https://github.com/RustSec/advisory-db";

/// The source is formatted, that of the fixtures included.
pub fn format(_: &mut Run) -> Result<Verdict> {
    command::run(command::cargo().args(["fmt", "--all", "--check"]))?;
    for folder in programs::folders()? {
        command::run(command::cargo().current_dir(folder).args(["fmt", "--check"]))?;
    }
    Ok(Verdict::Passed)
}

/// Everything builds, and Clippy has nothing to say.
pub fn lint(_: &mut Run) -> Result<Verdict> {
    build()?;
    command::run(command::cargo().args([
        "clippy",
        "--locked",
        "-p",
        "xtask",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    Ok(Verdict::Passed)
}

/// Builds everything that is shared, the keeper among it; does nothing where it is built.
fn build() -> Result<()> {
    let mut build = command::cargo();
    build.args(["build", "--locked", "--all-targets"]).args(SHARED).args(features());
    command::run(through_clippy(&mut build))
}

/// Lets Clippy compile the workspace's own crates, as `cargo clippy` does, but to the end: what is linted is what the tests
/// run on, and a thousand crates are compiled once instead of checked first.
fn through_clippy(cargo: &mut Command) -> &mut Command {
    // the form in which `cargo clippy` hands its arguments on
    cargo.env("RUSTC_WORKSPACE_WRAPPER", "clippy-driver").env("CLIPPY_ARGS", "-D__CLIPPY_HACKERY__warnings")
}

/// The dependencies' licences and sources are allowed, and none has a known vulnerability.
pub fn dependencies(run: &mut Run) -> Result<Verdict> {
    if run.quick {
        return Ok(Verdict::Skipped("left out by --quick".into()));
    }
    if command::find("cargo-deny").is_none() {
        return Ok(Verdict::Skipped("cargo-deny is missing: `cargo install --locked cargo-deny`".into()));
    }
    command::run(command::cargo().args(["deny", "--locked", "check", "licenses", "bans", "sources"]))?;
    let mut look = command::clean("git");
    look.args(["ls-remote", "--quiet", ADVISORIES, "HEAD"]).env("GIT_TERMINAL_PROMPT", "0");
    if !command::succeeds_within(&mut look, Duration::from_secs(20)) {
        println!("the database of vulnerabilities can't be reached: advisories are not checked");
        return Ok(Verdict::Passed);
    }
    command::run(command::cargo().args(["deny", "--locked", "check", "advisories"]))?;
    Ok(Verdict::Passed)
}

/// What the keeper can be built with. One set of features for all steps: third-party crates are compiled once.
fn features() -> [String; 2] {
    let mut all = vec!["rampart-rig/grpc", "rampart-keeper/vault"];
    match command::succeeds_within(command::clean("pkg-config").args(["--exists", "libudev"]), PKG_CONFIG) {
        true => all.push("rampart-keeper/ledger"),
        // a Ledger is found by it
        false => println!("libudev is missing: signing with a Ledger is not looked at; install libudev-dev"),
    }
    match command::find("protoc") {
        Some(_) => all.push("rampart-keeper/fleet"),
        // the client of etcd is made from its protocol's files
        None => println!(
            "protoc is missing: the keeper's fleets are not looked at; install protobuf-compiler and libprotobuf-dev"
        ),
    }
    ["--features".to_owned(), all.join(",")]
}

/// Every attack case has a test, or a reason why it has none.
pub fn cases(_: &mut Run) -> Result<Verdict> {
    cases::print()?;
    Ok(Verdict::Passed)
}

/// `artifacts/` is what the source gives.
pub fn program(run: &mut Run) -> Result<Verdict> {
    if let Err(missing) = Toolchain::find() {
        return Ok(Verdict::Skipped(missing.to_string()));
    }
    run.program = Some(artifacts::check()?);
    Ok(Verdict::Passed)
}

/// The fixture programs build, and the copy of one that is kept is what its source gives.
pub fn fixtures(_: &mut Run) -> Result<Verdict> {
    if let Err(missing) = Toolchain::find() {
        return Ok(Verdict::Skipped(missing.to_string()));
    }
    programs::check()?;
    Ok(Verdict::Passed)
}

/// Every test of the workspace passes.
pub fn tests(run: &mut Run) -> Result<Verdict> {
    let mut nextest = command::cargo();
    nextest.args(["nextest", "run", "--locked", "--test-threads", &threads()]).args(SHARED).args(features());
    if let Some(program) = &run.program {
        nextest.env("RAMPART_SO", program);
    }
    if !run.quick {
        nextest.env("RAMPART_SEQUENCES", SEQUENCES);
    }
    if schemathesis().is_file() {
        nextest.env("RAMPART_SCHEMATHESIS", schemathesis());
    }
    command::run(command::cargo().args(["nextest", "run", "--locked", "-p", "xtask"]))?;
    command::run(through_clippy(&mut nextest))?;
    Ok(Verdict::Passed)
}

/// Tests at once: one more than there are processors, as many wait for a clock and not for one.
fn threads() -> String {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    (processors + 1).to_string()
}

/// The tools that will read `deploy/` take all of it. What the tests' build left is the keeper that it is tried on.
pub fn deploy(_: &mut Run) -> Result<Verdict> {
    build()?;
    let mut check = command::clean(files::root().join("deploy/check.sh"));
    match command::code(check.arg(files::root().join("target/debug/rampart")))? {
        0 => Ok(Verdict::Passed),
        // unattended, nothing is left out: `.ci/run` installs the tools
        3 if !is_ci() => Ok(Verdict::Skipped("tools are missing, named above: a part was not looked at".into())),
        3 => Err(Failure::new("tools that read `deploy/` are missing").hint("install what is named above")),
        code => Err(Failure::new(format!("`deploy/check.sh` ended with {code}"))),
    }
}

/// The package that links LLVM: lints and tests.
pub fn lowering(_: &mut Run) -> Result<Verdict> {
    match Toolchain::find() {
        Err(missing) => return Ok(Verdict::Skipped(missing.to_string())),
        Ok(Toolchain::Platform(_)) => {
            return Ok(Verdict::Skipped("cargo build-sbf does without it".into()));
        }
        Ok(Toolchain::Upstream(_)) => {}
    }
    let package = ["--locked", "--quiet", "-p", "sbf-lower"];
    command::run(cargo_with_llvm().arg("clippy").args(package).args(["--all-targets", "--", "-D", "warnings"]))?;
    command::run(cargo_with_llvm().arg("test").args(package))?;
    Ok(Verdict::Passed)
}

/// The app's own checks and tests pass, and it builds to what is checked in.
pub fn app(_: &mut Run) -> Result<Verdict> {
    if !web::folder().join("package.json").is_file() {
        return Ok(Verdict::Skipped("there is no app/package.json".into()));
    }
    if command::find("npm").is_none() {
        return Err(Failure::new("npm is missing").hint("install Node 20 or later"));
    }
    web::install()?;
    for name in ["check", "test"].into_iter().filter(|name| web::has_script(name)) {
        web::script(name)?;
    }
    web::build(true)?;
    Ok(Verdict::Passed)
}

/// The app's pages are whole, accessible and work by the keyboard in a real browser, with invented data.
pub fn browser(_: &mut Run) -> Result<Verdict> {
    // another version of the browser draws letters in another way: the pictures are for who changes the pages
    in_browser("e2e", web::browse)
}

/// The pages against a demo that runs: a crash through the levels, a change queued and vetoed, an export decoded, a withdrawal
/// through the exit floor, a keeper lost and back.
pub fn page(run: &mut Run) -> Result<Verdict> {
    if run.quick {
        return Ok(Verdict::Skipped("left out by --quick".into()));
    }
    build()?;
    in_browser("e2e:demo", |chromium| web::browse_demo(chromium, &files::root().join("target/debug/rampart-demo")))
}

fn in_browser(script: &str, tests: impl Fn(&Path) -> Result<()>) -> Result<Verdict> {
    if !web::has_script(script) || command::find("npm").is_none() {
        return Ok(Verdict::Skipped("the app has no such tests, or npm is missing".into()));
    }
    let named = std::env::var_os("CHROMIUM").map(std::path::PathBuf::from);
    let Some(chromium) = named.or_else(|| command::find("chromium")) else {
        // unattended, nothing is left out: `.ci/run` installs it
        let hint = "install Debian's chromium, or name one by CHROMIUM";
        return if is_ci() {
            Err(Failure::new("chromium is missing").hint(hint))
        } else {
            Ok(Verdict::Skipped(format!("chromium is missing: {hint}")))
        };
    };
    web::install()?;
    tests(&chromium)?;
    Ok(Verdict::Passed)
}

/// The app's client is what the IDL gives; the step `program` compares the IDL.
pub fn generated(_: &mut Run) -> Result<Verdict> {
    if !web::has_script("generate") || command::find("npm").is_none() {
        return Ok(Verdict::Skipped("the app has no generator, or npm is missing".into()));
    }
    web::install()?;
    web::generate(true)?;
    Ok(Verdict::Passed)
}

/// The demo holds every invariant in the built-in crash; a recorded crisis is one of the tests.
pub fn demo(run: &mut Run) -> Result<Verdict> {
    if run.quick {
        return Ok(Verdict::Skipped("left out by --quick".into()));
    }
    play(run)?;
    Ok(Verdict::Passed)
}

/// Plays what the tests' build left: `cargo demo` builds the same without the tests' features, which is a third of all again.
fn play(run: &Run) -> Result<()> {
    build()?;
    let mut demo = command::clean(files::root().join("target/debug/rampart-demo"));
    demo.arg("--headless");
    if let Some(program) = &run.program {
        demo.env("RAMPART_SO", files::root().join(program));
    }
    command::run(&mut demo)
}
