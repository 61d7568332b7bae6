//! Builds the keeper and the demo.

use crate::progress::Progress;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The packages that are built.
const PACKAGES: [&str; 2] = ["rampart-keeper", "rampart-demo"];
/// The part of the lock file's packages below them that one platform needs, in hundredths. Measured on Linux.
const NEEDED_PERCENT: usize = 90;

/// Builds both packages with progress and returns the demo's executable.
///
/// # Errors
/// What cargo could not do; its own words are already on the terminal.
pub fn run(root: &Path, is_plain: bool) -> Result<PathBuf, String> {
    let lock = std::fs::read_to_string(root.join("Cargo.lock")).map_err(|error| format!("Cargo.lock: {error}"))?;
    let total = packages_below(&lock, &PACKAGES) * NEEDED_PERCENT / 100;
    let executable = target_dir(root).join("debug").join("rampart-demo");
    if !executable.is_file() {
        eprintln!(
            "This builds the Rampart keeper, an embedded Solana network and the demo: about {total} packages.\nThe first build \
             takes about ten minutes on two cores and some five gigabytes of disk; later ones take seconds."
        );
    }
    build(root, total, is_plain)?;
    if executable.is_file() { Ok(executable) } else { Err(format!("cargo built no {}", executable.display())) }
}

fn build(root: &Path, total: usize, is_plain: bool) -> Result<(), String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root).arg("build").arg("--locked").arg("--color=never");
    // the program is also a `cdylib`: without this, builds of other packages write its library to the same file
    command.env("__CARGO_DEFAULT_LIB_METADATA", "rampart");
    // what cargo tells this process of its own package: build scripts would see it here and not in other builds, and run anew
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            command.env_remove(name);
        }
    }
    for package in PACKAGES {
        command.arg("-p").arg(package);
    }
    let spawned = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.map_err(|error| format!("cargo can't be started: {error}"))?;
    let mut progress = Progress::new(total, is_plain);
    if let Some(stderr) = child.stderr.take() {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            if let Some(shown) = progress.take(&line) {
                eprintln!("{shown}");
            }
        }
    }
    progress.finish();
    let status = child.wait().map_err(|error| format!("cargo: {error}"))?;
    if status.success() { Ok(()) } else { Err("the build failed: see above".to_owned()) }
}

/// Where cargo puts what it builds: this executable is there already.
fn target_dir(root: &Path) -> PathBuf {
    let here = std::env::current_exe().ok();
    let found = here.as_deref().and_then(|exe| exe.ancestors().nth(2)).map(Path::to_path_buf);
    found.unwrap_or_else(|| root.join("target"))
}

/// Counts the packages that `roots` need by the lock file, themselves included: an upper bound, as it knows all platforms.
fn packages_below(lock: &str, roots: &[&str]) -> usize {
    let mut needs: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for package in lock.split("[[package]]").skip(1) {
        let name = package.lines().find_map(|line| quoted(line.strip_prefix("name = ")?)).unwrap_or_default();
        let listed = package
            .split_once("dependencies = [")
            .map_or("", |(_, rest)| rest.split_once(']').map_or("", |(list, _)| list));
        // an entry may carry a version behind the name
        let names = listed.lines().filter_map(quoted).filter_map(|entry| entry.split(' ').next());
        needs.entry(name).or_default().extend(names);
        *counts.entry(name).or_default() += 1;
    }
    let (mut seen, mut next): (BTreeSet<&str>, Vec<&str>) = (BTreeSet::new(), roots.to_vec());
    while let Some(name) = next.pop() {
        if needs.contains_key(name) && seen.insert(name) {
            next.extend(needs.get(name).into_iter().flatten());
        }
    }
    seen.iter().filter_map(|name| counts.get(name)).sum()
}

fn quoted(text: &str) -> Option<&str> {
    text.trim().trim_end_matches(',').strip_prefix('"')?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"
[[package]]
name = "a"
version = "1.0.0"
dependencies = [
 "b",
 "c 2.0.0",
]

[[package]]
name = "b"
version = "1.0.0"

[[package]]
name = "c"
version = "1.0.0"

[[package]]
name = "c"
version = "2.0.0"
dependencies = [
 "a",
]

[[package]]
name = "stranger"
version = "1.0.0"
"#;

    #[test]
    fn packages_below_a_root_are_counted_through_circles() {
        assert_eq!(packages_below(LOCK, &["a"]), 4);
        assert_eq!(packages_below(LOCK, &["b"]), 1);
        assert_eq!(packages_below(LOCK, &["missing"]), 0);
    }
}
