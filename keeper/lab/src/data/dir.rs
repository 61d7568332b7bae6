//! Where the recorded markets are, and what lies there.

use super::{Checksums, DataError, Series, checksums, read};
use std::path::{Path, PathBuf};

/// Where recorded data is looked for, from the working folder and each folder above it.
const DEFAULT: &str = "shared/data/market";

/// A file of the folder.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// Where it is.
    pub path: PathBuf,
    /// SHA-256 of the packed file, hexadecimal.
    pub sha256: String,
    /// What the folder's list says of it.
    pub checksum: super::Checksum,
    /// Its candles; none where the name isn't `SYMBOL_INTERVAL.csv.gz`: funding rates, flows.
    pub series: Option<Series>,
}

/// Returns the folder of recorded markets: `flag`, else `RAMPART_DATA`, else `shared/data/market` beside the repository.
///
/// # Errors
/// `NoDirectory` with where it was looked for.
pub fn data_dir(flag: Option<&Path>) -> Result<PathBuf, DataError> {
    let named = flag.map(PathBuf::from).or_else(|| std::env::var_os("RAMPART_DATA").map(PathBuf::from));
    if let Some(dir) = named {
        return if dir.is_dir() { Ok(dir) } else { Err(DataError::NoDirectory(dir)) };
    }
    let here = std::env::current_dir().unwrap_or_default();
    let found = here.ancestors().map(|above| above.join(DEFAULT)).find(|dir| dir.is_dir());
    found.ok_or_else(|| DataError::NoDirectory(Path::new("..").join(DEFAULT)))
}

/// Returns the folder for a test, or prints why `what` is skipped.
pub fn data_dir_or_skip(what: &str) -> Option<PathBuf> {
    data_dir(None).inspect_err(|error| println!("skipped {what}: {error}")).ok()
}

/// Reads every packed file of the folder, by name, and checks it against the folder's list.
///
/// # Errors
/// The first file that can't be read, isn't what its list says, or holds a malformed line; listed files that are absent.
pub fn list(dir: &Path) -> Result<Vec<Recording>, DataError> {
    let sums = Checksums::read(dir)?;
    let names = names(dir)?;
    if let Some(missing) = sums.missing(&names).next() {
        let source = std::io::Error::new(std::io::ErrorKind::NotFound, "listed in SHA256SUMS, not in the folder");
        return Err(DataError::Io { path: dir.join(missing), source });
    }
    names.iter().map(|name| recording(dir.join(name), &sums)).collect()
}

fn recording(path: PathBuf, sums: &Checksums) -> Result<Recording, DataError> {
    let content = std::fs::read(&path).map_err(|source| DataError::Io { path: path.clone(), source })?;
    let sha256 = checksums::sha256_hex(&content);
    let checksum = sums.check(&path, &sha256)?;
    let series = read::name_of(&path).map(|_| read::load(&path)).transpose()?;
    Ok(Recording { path, sha256, checksum, series })
}

fn names(dir: &Path) -> Result<Vec<String>, DataError> {
    let fail = |source| DataError::Io { path: dir.into(), source };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(fail)? {
        let name = entry.map_err(fail)?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".csv.gz") {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Checksum;

    #[test]
    fn data_dir_fails_when_the_named_folder_is_absent() {
        let absent = Path::new("no-such-folder");
        assert!(matches!(data_dir(Some(absent)), Err(DataError::NoDirectory(dir)) if dir == absent));
    }

    #[test]
    fn list_fails_when_a_listed_file_is_absent_or_changed() {
        let dir = tempfile::tempdir().unwrap();
        let mut sums = Checksums::default();
        sums.record(dir.path(), "A_funding.csv.gz", &checksums::sha256_hex(b"rates")).unwrap();
        assert!(matches!(list(dir.path()), Err(DataError::Io { path, .. }) if path.ends_with("A_funding.csv.gz")));
        std::fs::write(dir.path().join("A_funding.csv.gz"), b"other").unwrap();
        assert!(matches!(list(dir.path()), Err(DataError::Checksum { .. })));
        std::fs::write(dir.path().join("A_funding.csv.gz"), b"rates").unwrap();
        let found = list(dir.path()).unwrap();
        assert_eq!((found.len(), found[0].checksum, found[0].series.is_none()), (1, Checksum::Matches, true));
    }

    #[test]
    fn recorded_markets_are_sound_when_present() {
        let Some(dir) = data_dir_or_skip("recorded markets") else { return };
        let found = list(&dir).unwrap();
        assert!(!found.is_empty(), "{} holds no files", dir.display());
        for recording in found {
            assert_eq!(recording.checksum, Checksum::Matches, "{}", recording.path.display());
        }
    }
}
