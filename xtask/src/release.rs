//! `cargo xtask release`: what a release consists of, in one archive with its bills of materials and checksums.
//!
//! The same source gives the same archive, as long as rustc gives the same keeper: names are sorted, and the times in it are
//! the commit's.

use crate::failure::{Failure, Result};
use crate::{app, command, files, program};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// What to release.
#[derive(clap::Args)]
pub struct Release {
    /// Where to.
    #[arg(long, default_value = "target/release-archive", value_name = "DIR")]
    out: PathBuf,
    /// A keeper that is built already, instead of a new one.
    #[arg(long, value_name = "FILE")]
    keeper: Option<PathBuf>,
}

/// What operators choose between in their settings. Not `ledger`: it needs libudev where it runs. `deploy/Dockerfile` has the same.
pub(crate) const FEATURES: &str = "fleet,grpc,vault";

/// What of the repository goes along.
const FOLDERS: [&str; 3] = ["artifacts", "deploy", "docs"];
const FILES: [&str; 3] = ["book.toml", "README.md", "LICENSE"];

/// Makes the archive, its checksums and the bills of materials in the folder.
///
/// # Errors
/// The repository has changes that aren't committed, a tool is missing, or the keeper doesn't build.
pub fn run(release: &Release) -> Result<()> {
    let root = files::root();
    let changes = command::output(git().args(["status", "--porcelain"]))?;
    if !changes.is_empty() {
        return Err(Failure::new("there are changes that aren't committed")
            .hint("a release is what a commit gives: commit them"));
    }
    let keeper = match &release.keeper {
        Some(built) => built.clone(),
        None => build()?,
    };
    let version = command::output(command::clean(&keeper).arg("--version"))?;
    let name = format!("rampart-{}-x86_64-linux", version.rsplit(' ').next().unwrap_or_default());
    let out = root.join(&release.out);
    let tree = out.join(&name);
    files::remove_folder(&tree)?;
    for folder in FOLDERS {
        files::copy_folder(&root.join(folder), &tree.join(folder))?;
    }
    for file in FILES {
        files::copy(&root.join(file), &tree.join(file))?;
    }
    // with its mode: it is to be run
    let to = tree.join("rampart");
    std::fs::copy(&keeper, &to).map_err(|e| Failure::file("copy", &keeper, e))?;
    bill_of_crates(&tree)?;
    bill_of_packages(&tree)?;
    let archive = pack(&out, &name)?;
    let sum = program::sum_line(&format!("{name}.tar.gz"), &files::read(&archive)?);
    files::write(&out.join("SHA256SUMS"), &sum)?;
    print!("{sum}");
    Ok(())
}

fn git() -> std::process::Command {
    let mut git = command::clean("git");
    git.current_dir(files::root());
    git
}

/// Builds the keeper with everything that operators choose between in its settings.
fn build() -> Result<PathBuf> {
    println!("building the keeper as it ships: some 15 minutes on two cores");
    let mut build = command::cargo();
    build.args([
        "build",
        "--locked",
        "--release",
        "--package",
        "rampart-keeper",
        "--bin",
        "rampart",
        "--features",
        FEATURES,
    ]);
    command::run(&mut build)?;
    Ok(files::root().join("target/release/rampart"))
}

/// Writes what the keeper is made of, by CycloneDX.
fn bill_of_crates(tree: &Path) -> Result<()> {
    if command::find("cargo-cyclonedx").is_none() {
        return Err(Failure::new("cargo-cyclonedx is missing").hint("cargo install --locked cargo-cyclonedx"));
    }
    let mut bill = command::cargo();
    bill.args([
        "cyclonedx",
        "--quiet",
        "--format",
        "json",
        "--spec-version",
        "1.5",
        "--manifest-path",
        "keeper/Cargo.toml",
    ]);
    command::run(bill.args(["--features", FEATURES, "--override-filename", "keeper.cdx"]))?;
    // it leaves one beside each manifest
    let written = files::root().join("keeper/keeper.cdx.json");
    write_bill(&tree.join("sbom/keeper.cdx.json"), &files::read_text(&written)?)?;
    let found = command::output(git().args(["ls-files", "--others", "--exclude-standard", "--", "*.cdx.json"]))?;
    for path in found.lines() {
        std::fs::remove_file(files::root().join(path))
            .map_err(|e| Failure::new(format!("failed to remove `{path}`: {e}")))?;
    }
    Ok(())
}

/// Writes what the app is made of.
fn bill_of_packages(tree: &Path) -> Result<()> {
    app::install()?;
    let mut bill = command::clean("npm");
    bill.current_dir(app::folder()).args(["sbom", "--sbom-format", "cyclonedx", "--omit", "dev"]);
    write_bill(&tree.join("sbom/app.cdx.json"), &command::output(&mut bill)?)
}

/// Writes a bill without what differs each time it is made.
fn write_bill(path: &Path, text: &str) -> Result<()> {
    let unreadable = |e| Failure::new(format!("`{}` would be no JSON: {e}", path.display()));
    let mut bill: Value = serde_json::from_str(text).map_err(unreadable)?;
    if let Some(bill) = bill.as_object_mut() {
        bill.remove("serialNumber");
        bill.get_mut("metadata").and_then(Value::as_object_mut).and_then(|metadata| metadata.remove("timestamp"));
    }
    files::write(path, format!("{bill:#}\n"))
}

fn pack(out: &Path, name: &str) -> Result<PathBuf> {
    let time = command::output(git().args(["log", "-1", "--format=%ct"]))?;
    let (tar, archive) = (out.join(format!("{name}.tar")), out.join(format!("{name}.tar.gz")));
    let mut pack = command::clean("tar");
    pack.arg("--create").arg("--file").arg(&tar).arg("--directory").arg(out);
    pack.args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mode=u+rw,go+r,go-w"]);
    command::run(pack.arg(format!("--mtime=@{time}")).arg(name))?;
    command::run(command::clean("gzip").args(["--no-name", "--best", "--force"]).arg(&tar))?;
    Ok(archive)
}
