//! Where the built program is.

use std::path::PathBuf;

/// Returns the built program: the file that `RAMPART_SO` names, else `artifacts/rampart.so`.
///
/// # Panics
/// If there is none, with the command that builds it.
pub fn bytes() -> Vec<u8> {
    let path = std::env::var_os("RAMPART_SO")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../artifacts/rampart.so"), PathBuf::from);
    std::fs::read(&path)
        .unwrap_or_else(|e| panic!("failed to read `{}`: {e}; `cargo xtask build-program` builds it", path.display()))
}
