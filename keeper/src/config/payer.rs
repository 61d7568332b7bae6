//! The key that pays and signs. Read once, never shown.

use super::secret::read_private;
use solana_sdk::pubkey::Pubkey;
use solana_sdk::signature::Keypair;
use solana_sdk::signer::Signer;
use std::io;
use std::path::{Path, PathBuf};

/// Longest secret that is read: a keypair is 64 numbers, a key in PEM of up to 4096 bits is shorter.
const LONGEST: u64 = 4_096;

/// Why the key was refused. Never holds a part of the key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("failed to read key file `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody besides the owner may read it.
    #[error("key file `{}` has mode {mode:04o}, so others can read or change it", path.display())]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It holds no secret.
    #[error("secret file `{}` does not hold one line of text", path.display())]
    Secret {
        /// The file.
        path: PathBuf,
    },
    /// It is not a keypair.
    #[error("key file `{}` is not a Solana keypair: {reason}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong, without any of its content.
        reason: &'static str,
    },
}

impl KeyError {
    /// Returns whether trying again may help: never, somebody must edit.
    pub const fn is_transient(&self) -> bool {
        false
    }

    /// Returns what to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::Read { path, .. } => {
                format!("set `keys.payer_file`, or make a key with `solana-keygen new --outfile {}`", path.display())
            }
            Self::Mode { path, .. } => {
                format!("run `chmod 600 {}`; if others could read it, make a new key", path.display())
            }
            Self::Secret { path } => format!("put the secret alone into `{}`", path.display()),
            Self::Format { .. } => "it must hold a JSON array of 64 numbers, as `solana-keygen` writes".into(),
        }
    }
}

/// The key that pays and signs. Has no `Debug`, no `Clone` and no way to be written.
pub struct PayerKey(Keypair);

impl PayerKey {
    /// Wraps a keypair.
    pub fn new(keypair: Keypair) -> Self {
        Self(keypair)
    }

    /// Reads a keypair file.
    ///
    /// # Errors
    /// `Read`, `Mode` if anybody besides the owner has a right to the file, `Format`.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let text = read_private(path, LONGEST)?;
        parse(&text).map_err(|reason| KeyError::Format { path: path.to_owned(), reason })
    }

    /// Returns the public half.
    pub fn pubkey(&self) -> Pubkey {
        self.0.pubkey()
    }

    pub(crate) const fn keypair(&self) -> &Keypair {
        &self.0
    }
}

fn parse(text: &str) -> Result<PayerKey, &'static str> {
    let bytes: Vec<u8> = serde_json::from_str(text).map_err(|_| "not a JSON array of bytes")?;
    if bytes.len() != 64 {
        return Err("not 64 numbers");
    }
    Keypair::try_from(bytes.as_slice()).map(PayerKey).map_err(|_| "public and secret halves do not belong together")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    fn file(content: &str, mode: u32) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("payer.json");
        fs::write(&path, content).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("its mode");
        (dir, path)
    }

    fn keypair_json() -> (String, Pubkey) {
        let keypair = Keypair::new();
        (serde_json::to_string(&keypair.to_bytes().to_vec()).expect("numbers"), keypair.pubkey())
    }

    #[test]
    fn read_takes_a_keypair_of_the_owner() {
        let (json, pubkey) = keypair_json();
        let (_dir, path) = file(&json, 0o600);
        assert_eq!(PayerKey::read(&path).ok().map(|key| key.pubkey()), Some(pubkey));
    }

    #[test]
    fn fault_49_read_fails_when_others_may_read() {
        let (json, _) = keypair_json();
        for mode in [0o644, 0o640, 0o602] {
            let (_dir, path) = file(&json, mode);
            let error = PayerKey::read(&path).err().expect("a refusal");
            assert!(matches!(error, KeyError::Mode { mode: found, .. } if found == mode), "{error}");
        }
    }

    #[test]
    fn read_fails_on_what_is_no_keypair_without_telling_its_content() {
        let mismatched = serde_json::to_string(&vec![9_u8; 64]).expect("numbers");
        for content in ["", "{}", "[1,2,3]", "[256]", mismatched.as_str()] {
            let (_dir, path) = file(content, 0o600);
            let error = PayerKey::read(&path).err().expect("a refusal");
            assert!(matches!(error, KeyError::Format { .. }), "{error}");
            assert!(!error.to_string().contains("[1,2,3]"));
        }
    }

    #[test]
    fn read_fails_on_a_missing_file() {
        let error = PayerKey::read(Path::new("/nonexistent/payer.json")).err().expect("a refusal");
        assert!(matches!(error, KeyError::Read { .. }));
        assert!(error.hint().contains("solana-keygen"));
    }
}
