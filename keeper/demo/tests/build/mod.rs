//! The keeper's binary with all that tests need of it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds the keeper with its crash points and with fleets, and copies it to `dir`, as the next build overwrites it.
pub fn keeper(dir: &Path) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // as the checks build all tests: so nothing but the keeper is compiled again
    let mut build = Command::new(cargo);
    build.current_dir(root).args(["test", "--quiet", "--locked", "--no-run", "--workspace", "--exclude", "sbf-lower"]);
    build.args(["--test", "process", "--features", "rampart-rig/grpc,rampart-keeper/faults,rampart-keeper/fleet"]);
    // build scripts look at what cargo tells this test of its own package, and would run anew each time it changes
    let own = std::env::vars_os().map(|(name, _)| name).filter(|name| {
        name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
    });
    for name in own {
        build.env_remove(name);
    }
    let status = build.status().expect("cargo runs");
    assert!(status.success(), "the keeper is built");
    let built = rampart_demo::keepers::process::find_binary().expect("the keeper is beside the tests");
    let copy = dir.join("rampart");
    std::fs::copy(built, &copy).expect("a copy");
    copy
}
