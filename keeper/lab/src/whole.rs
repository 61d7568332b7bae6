//! Files that are there whole or not at all: the state of keepers, the library of policies, results.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Held while a file is written: Ctrl-C waits for it (`work`).
static WRITING: Mutex<()> = Mutex::new(());

/// Returns a lock under which nothing is being written.
pub fn writing() -> MutexGuard<'static, ()> {
    WRITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Replaces a file by `bytes`: a crash or a power cut leaves the old one or the new one.
///
/// # Errors
/// What the system says; the old file stays.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let _held = writing();
    let staged = path.with_extension("new");
    let mut file = File::create(&staged)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&staged, path)?;
    // the rename itself has to outlive a power cut; a name alone lies in the working folder
    let dir = path.parent().map(|dir| if dir.as_os_str().is_empty() { Path::new(".") } else { dir });
    dir.map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

/// Writes where a user asked for: a file is replaced as by [`replace`], behind a link where there is one; a pipe or a terminal is
/// written to.
///
/// # Errors
/// What the system says.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.into());
    match fs::metadata(&target) {
        Ok(found) if !found.is_file() => fs::write(path, bytes),
        _ => replace(&target, bytes),
    }
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

    #[test]
    fn write_goes_behind_a_link_and_into_what_is_no_file() {
        let dir = tempfile::tempdir().expect("a directory");
        let (file, link) = (dir.path().join("file.json"), dir.path().join("link.json"));
        fs::write(&file, "old").expect("a file");
        std::os::unix::fs::symlink(&file, &link).expect("a link");
        write(&link, b"new").expect("written");
        assert_eq!(fs::read_to_string(&file).expect("a file"), "new");
        assert!(fs::symlink_metadata(&link).expect("a link").is_symlink());
        write(Path::new("/dev/null"), b"gone").expect("written");
        assert!(!fs::metadata("/dev/null").expect("a device").is_file());
    }
}
