//! The list `SHA256SUMS` of a folder, as `sha256sum` writes and checks it.

use super::DataError;
use std::collections::BTreeMap;
use std::path::Path;

/// Name of the list.
pub const SUMS_FILE: &str = "SHA256SUMS";

/// What the list says of a file's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// The content is what was listed.
    Matches,
    /// The file isn't on the list.
    Unlisted,
}

/// The checksums of a folder, by file name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checksums(BTreeMap<String, String>);

impl Checksums {
    /// Reads the list of `dir`; an absent list is an empty one.
    ///
    /// # Errors
    /// `Io`, or `Sums` with the first line that isn't a checksum and a name.
    pub fn read(dir: &Path) -> Result<Self, DataError> {
        let path = dir.join(SUMS_FILE);
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(&path, &text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(DataError::Io { path, source }),
        }
    }

    /// Reads the text of a list; `path` is named in errors.
    ///
    /// # Errors
    /// `Sums`.
    pub fn parse(path: &Path, text: &str) -> Result<Self, DataError> {
        let mut sums = BTreeMap::new();
        for (at, line) in text.lines().enumerate() {
            let fail = || DataError::Sums { path: path.into(), line: at + 1 };
            let (sum, name) = line.split_once(char::is_whitespace).ok_or_else(fail)?;
            if sum.len() != 64 || !sum.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(fail());
            }
            sums.insert(name.trim_start_matches([' ', '*']).to_owned(), sum.to_lowercase());
        }
        Ok(Self(sums))
    }

    /// Checks a file's content against the list.
    ///
    /// # Errors
    /// `Checksum` where the list says otherwise.
    pub fn check(&self, path: &Path, sha256: &str) -> Result<Checksum, DataError> {
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        match self.0.get(name.as_ref()) {
            None => Ok(Checksum::Unlisted),
            Some(listed) if listed == sha256 => Ok(Checksum::Matches),
            Some(listed) => {
                Err(DataError::Checksum { path: path.into(), expected: listed.clone(), found: sha256.into() })
            }
        }
    }

    /// Returns the files of the list that `present` doesn't name.
    pub fn missing<'a>(&'a self, present: &'a [String]) -> impl Iterator<Item = &'a str> {
        self.0.keys().map(String::as_str).filter(|name| !present.iter().any(|other| other == name))
    }

    /// Sets the checksum of a file and writes the list of `dir` anew.
    ///
    /// # Errors
    /// `Io`.
    pub fn record(&mut self, dir: &Path, name: &str, sha256: &str) -> Result<(), DataError> {
        self.0.insert(name.to_owned(), sha256.to_owned());
        let path = dir.join(SUMS_FILE);
        let text: String = self.0.iter().map(|(name, sum)| format!("{sum}  {name}\n")).collect();
        std::fs::write(&path, text).map_err(|source| DataError::Io { path, source })
    }
}

/// Returns the SHA-256 of a content, lower-case hexadecimal.
pub fn sha256_hex(content: &[u8]) -> String {
    hex::encode(solana_sha256_hasher::hash(content).to_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_tells_apart_when_content_is_listed_changed_or_unknown() {
        let mut sums = Checksums::default();
        let dir = tempfile::tempdir().unwrap();
        sums.record(dir.path(), "A_1h.csv.gz", &sha256_hex(b"abc")).unwrap();
        // FIPS 180-2, the digest of "abc".
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let read = Checksums::read(dir.path()).unwrap();
        assert_eq!(read, sums);
        assert_eq!(read.check(Path::new("x/A_1h.csv.gz"), abc).unwrap(), Checksum::Matches);
        assert_eq!(read.check(Path::new("B_1h.csv.gz"), abc).unwrap(), Checksum::Unlisted);
        let other = sha256_hex(b"abd");
        let error = read.check(Path::new("A_1h.csv.gz"), &other).unwrap_err();
        assert!(matches!(error, DataError::Checksum { expected, found, .. } if expected == abc && found == other));
        assert_eq!(read.missing(&[]).collect::<Vec<_>>(), ["A_1h.csv.gz"]);
    }

    #[test]
    fn read_names_the_line_when_the_list_is_malformed() {
        let good = format!("{}  A\nnonsense\n", "0".repeat(64));
        let error = Checksums::parse(Path::new("SHA256SUMS"), &good).unwrap_err();
        assert!(matches!(error, DataError::Sums { line: 2, .. }));
    }
}
