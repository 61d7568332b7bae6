//! Reads, writes and copies files, with errors that name them.

use crate::failure::{Failure, Result};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Returns the repository's root: the folder that holds this crate's folder.
pub fn root() -> PathBuf {
    // `cargo run` and `cargo test` set the variable; the path at compile time serves a binary that is called directly.
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let manifest = manifest.filter(|path| path.ends_with("xtask")).unwrap_or(own);
    manifest.parent().map(Path::to_path_buf).unwrap_or_default()
}

/// Reads a file.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|e| Failure::file("read", path, e))
}

/// Reads a text file.
pub fn read_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|e| Failure::file("read", path, e))
}

/// Writes a file unless it has the contents already; makes its folder.
pub fn write(path: &Path, contents: impl AsRef<[u8]>) -> Result<()> {
    if std::fs::read(path).is_ok_and(|old| old == contents.as_ref()) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        create_folder(folder)?;
    }
    std::fs::write(path, contents).map_err(|e| Failure::file("write", path, e))
}

/// Copies a file; makes its folder.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    write(to, read(from)?)
}

/// Makes a folder and those it is in.
pub fn create_folder(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(|e| Failure::file("create", path, e))
}

/// Removes a folder with its contents, if it is there.
pub fn remove_folder(path: &Path) -> Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Failure::file("remove", path, e)),
        _ => Ok(()),
    }
}

/// Returns the paths in a folder, sorted.
pub fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).map_err(|e| Failure::file("read", folder, e))?;
    let mut paths: Vec<_> = entries.filter_map(|e| e.ok().map(|e| e.path())).collect();
    paths.sort();
    Ok(paths)
}

/// Copies a folder with its contents; links are followed.
pub fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    create_folder(to)?;
    for path in list(from)? {
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy_folder(&path, &target)?;
        } else {
            std::fs::copy(&path, &target).map_err(|e| Failure::file("copy", &path, e))?;
        }
    }
    Ok(())
}

/// Returns when a file was written last, nothing if it isn't there.
pub fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|m| m.modified()).ok()
}

/// Returns whether two folders hold files of the same names and contents.
pub fn same_folder(one: &Path, other: &Path) -> Result<bool> {
    let (left, right) = (list(one)?, list(other)?);
    let names =
        |paths: &[PathBuf]| paths.iter().filter_map(|p| p.file_name().map(|n| n.to_owned())).collect::<Vec<_>>();
    if names(&left) != names(&right) {
        return Ok(false);
    }
    for (x, y) in left.iter().zip(&right) {
        let same = match (x.is_dir(), y.is_dir()) {
            (true, true) => same_folder(x, y)?,
            (false, false) => read(x)? == read(y)?,
            _ => false,
        };
        if !same {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copied_folder_is_the_same_until_a_file_changes() {
        let base = std::env::temp_dir().join(format!("xtask-files-{}", std::process::id()));
        let (one, other) = (base.join("one"), base.join("other"));
        write(&one.join("a/b.txt"), "text").unwrap();
        copy_folder(&one, &other).unwrap();
        assert!(same_folder(&one, &other).unwrap());
        write(&other.join("a/b.txt"), "changed").unwrap();
        assert!(!same_folder(&one, &other).unwrap());
        remove_folder(&base).unwrap();
    }

    #[test]
    fn root_holds_the_workspace() {
        assert!(root().join("Cargo.lock").is_file());
    }
}
