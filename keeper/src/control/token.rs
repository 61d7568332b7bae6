//! The token that acting over HTTP needs.

use crate::config::payer::KeyError;
use crate::config::secret::Secret;
use rand::TryRngCore;
use rand::rngs::OsRng;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// Name of the file in the state directory, unless the settings name another.
pub const FILE: &str = "control.token";

/// The token. Has no `Debug` and no way to be written.
#[derive(Clone)]
pub struct Token(Arc<Secret>);

impl Token {
    /// Reads the token of a file; makes it, for the owner alone, if there is none.
    ///
    /// # Errors
    /// `Read`, `Mode` if anybody besides the owner has a right to the file, `Secret` for an empty one.
    pub fn open(path: &Path) -> Result<Self, KeyError> {
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
            Ok(mut file) => {
                let read = |source| KeyError::Read { path: path.to_owned(), source };
                let mut bytes = [0_u8; 32];
                OsRng.try_fill_bytes(&mut bytes).map_err(|error| read(std::io::Error::other(error.to_string())))?;
                let text = hex::encode(bytes);
                writeln!(file, "{text}").and_then(|()| file.sync_all()).map_err(read)?;
                Ok(Self(Arc::new(Secret::new(text))))
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Self::read(path),
            Err(source) => Err(KeyError::Read { path: path.to_owned(), source }),
        }
    }

    /// Reads the token of a file.
    ///
    /// # Errors
    /// As [`Self::open`], also for a file that is not there.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        Secret::read(path).map(|secret| Self(Arc::new(secret)))
    }

    /// Tells whether `text` is the token, in a time that does not depend on where it differs.
    pub fn is(&self, text: &str) -> bool {
        self.0.expose().as_bytes().ct_eq(text.as_bytes()).into()
    }

    /// Returns the token itself, for a request.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn token_is_made_once_for_the_owner_alone() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join(FILE);
        let first = Token::open(&path).expect("a token");
        assert_eq!(std::fs::metadata(&path).expect("the file").permissions().mode() & 0o777, 0o600);
        assert_eq!(first.expose().len(), 64);
        let again = Token::open(&path).expect("the same token");
        assert!(again.is(first.expose()) && !again.is("") && !again.is(&first.expose()[..63]));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o604)).expect("its mode");
        assert!(matches!(Token::open(&path).err(), Some(KeyError::Mode { mode: 0o604, .. })));
    }
}
