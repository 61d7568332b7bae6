//! The built program, held against the hash that is on record for it.

use solana_sdk::hash::hash;
use std::io;
use std::path::{Path, PathBuf};

/// Name of the file of hashes that lies beside a built program, in the format of `sha256sum`.
pub const SUMS: &str = "SHA256SUMS";
/// The longest program that a chain takes: an account's ten mebibytes, less what its loader writes before the code.
const LONGEST: usize = (10 << 20) - 45;

/// Why a file is not the program that is to be deployed.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// It can't be read.
    #[error("failed to read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is no program.
    #[error("`{}` is no program: {reason}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: &'static str,
    },
    /// No hash is on record for it.
    #[error("no SHA-256 is on record for `{}`: `{}` has none", path.display(), sums.display())]
    NoHash {
        /// The file.
        path: PathBuf,
        /// Where it was looked for.
        sums: PathBuf,
    },
    /// It is another build than the one on record.
    #[error("`{}` has SHA-256 {found}, and {wanted} is on record", path.display())]
    OtherHash {
        /// The file.
        path: PathBuf,
        /// Its hash.
        found: String,
        /// The hash on record.
        wanted: String,
    },
}

impl ImageError {
    /// Returns what to do next.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Read { .. } => "name the built program: `rampart deploy --so FILE`",
            Self::Format { .. } => "build it: `cargo xtask build-program`",
            Self::NoHash { .. } => "name the hash that you expect: `--sha256 HASH`",
            Self::OtherHash { .. } => "build it again and compare: `cargo xtask build-program --check`",
        }
    }
}

/// A program's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Their SHA-256, in hexadecimal.
    pub sha256: String,
}

impl Image {
    /// Wraps a program's bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        let sha256 = sha2_hex(&bytes);
        Self { bytes, sha256 }
    }

    /// Reads a program whose hash MUST be `wanted`, or, where none is named, the one that [`SUMS`] beside it has for it.
    ///
    /// # Errors
    /// All of [`ImageError`].
    pub fn read(path: &Path, wanted: Option<&str>) -> Result<Self, ImageError> {
        let bytes = std::fs::read(path).map_err(|source| ImageError::Read { path: path.to_owned(), source })?;
        let format = |reason| ImageError::Format { path: path.to_owned(), reason };
        if !bytes.starts_with(b"\x7fELF") {
            return Err(format("it is no ELF file"));
        }
        if bytes.len() > LONGEST {
            return Err(format("it is longer than an account"));
        }
        let image = Self::new(bytes);
        let wanted = match wanted {
            Some(wanted) => wanted.to_lowercase(),
            None => on_record(path)?,
        };
        if image.sha256 != wanted {
            return Err(ImageError::OtherHash { path: path.to_owned(), found: image.sha256, wanted });
        }
        Ok(image)
    }

    /// Returns whom its `security.txt` names, as explorers read it; nothing where it has none that they can read.
    pub fn contacts(&self) -> Option<Vec<String>> {
        let text = solana_security_txt::find_and_parse(&self.bytes).ok()?;
        Some(text.contacts.iter().map(ToString::to_string).collect())
    }

    /// Tells whether the code of a program, with the room behind it, is this image.
    pub fn is_code(&self, code: &[u8]) -> bool {
        code.strip_prefix(self.bytes.as_slice()).is_some_and(|rest| rest.iter().all(|byte| *byte == 0))
    }
}

/// Returns SHA-256 of deployed code: of as many bytes as `len` where only zeros follow, which are room for a longer one.
pub fn code_hash(code: &[u8], len: usize) -> String {
    let (ours, rest) = code.split_at(code.len().min(len));
    sha2_hex(if rest.iter().all(|byte| *byte == 0) { ours } else { code })
}

fn on_record(path: &Path) -> Result<String, ImageError> {
    let sums = path.with_file_name(SUMS);
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let text = std::fs::read_to_string(&sums).unwrap_or_default();
    let found = text.lines().find_map(|line| {
        let (hash, file) = line.split_once("  ")?;
        (file == name).then(|| hash.to_lowercase())
    });
    found.ok_or_else(|| ImageError::NoHash { path: path.to_owned(), sums })
}

/// Returns SHA-256 in hexadecimal.
fn sha2_hex(bytes: &[u8]) -> String {
    hex::encode(hash(bytes).to_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_is_taken_by_its_hash_on_record_or_the_one_that_is_named() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("p.so");
        std::fs::write(&path, b"\x7fELF one").expect("a file");
        let hash = sha2_hex(b"\x7fELF one");
        assert!(matches!(Image::read(&path, None), Err(ImageError::NoHash { .. })));
        assert_eq!(Image::read(&path, Some(&hash.to_uppercase())).expect("the hash").sha256, hash);
        let record = |text: &str| std::fs::write(dir.path().join(SUMS), text).expect("a file");
        record(&format!("{hash}  p.so\n{}  other.so\n", "0".repeat(64)));
        assert_eq!(Image::read(&path, None).expect("on record").bytes, b"\x7fELF one");
        record(&format!("{}  p.so\n", "0".repeat(64)));
        let error = Image::read(&path, None).expect_err("another hash").to_string();
        assert!(error.contains(&hash) && error.contains(&"0".repeat(64)), "{error}");
        std::fs::write(&path, b"text").expect("a file");
        assert!(matches!(Image::read(&path, None), Err(ImageError::Format { reason: "it is no ELF file", .. })));
        assert!(matches!(Image::read(&dir.path().join("none"), None), Err(ImageError::Read { .. })));
    }

    #[test]
    fn room_behind_the_code_is_no_part_of_it() {
        let image = Image::new(vec![1, 2, 0]);
        assert!(image.is_code(&[1, 2, 0]) && image.is_code(&[1, 2, 0, 0, 0]));
        assert!(!image.is_code(&[1, 2]) && !image.is_code(&[1, 2, 0, 0, 9]) && !image.is_code(&[1, 3, 0]));
        assert_eq!(code_hash(&[1, 2, 0, 0], 3), image.sha256);
        assert_eq!(code_hash(&[1, 2, 0, 9], 3), sha2_hex(&[1, 2, 0, 9]));
    }

    #[test]
    fn contacts_of_the_program_that_ships_are_read_as_explorers_read_them() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../artifacts/rampart.so");
        let image = Image::read(&path, None).expect("the built program");
        let contacts = image.contacts().expect("a security.txt");
        assert!(contacts[0].contains("programs/rampart/src/security.rs"), "{contacts:?}");
        assert_eq!(Image::new(b"\x7fELF one".to_vec()).contacts(), None);
    }
}
