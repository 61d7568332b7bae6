//! Small files that are there whole or not at all: the state of keepers, the library of policies.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// Replaces a file by `bytes`: a crash or a power cut leaves the old one or the new one.
///
/// # Errors
/// What the system says; the old file stays.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let staged = path.with_extension("new");
    let mut file = File::create(&staged)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&staged, path)?;
    // the rename itself has to outlive a power cut
    path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_is_the_old_one_or_the_new_one_and_nothing_else_is_left() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("state.json");
        for text in ["a longer one", "short"] {
            replace(&path, text.as_bytes()).expect("a file");
            assert_eq!(fs::read_to_string(&path).expect("a file"), text);
        }
        assert_eq!(fs::read_dir(dir.path()).expect("a directory").count(), 1);
        let missing = dir.path().join("none").join("state.json");
        assert_eq!(replace(&missing, b"x").expect_err("no folder").kind(), io::ErrorKind::NotFound);
    }
}
