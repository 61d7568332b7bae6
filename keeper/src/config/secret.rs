//! Secrets from files that only their owner may read. Read when they are used, never kept in settings, never shown.

use super::payer::KeyError;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Longest secret that is read: an address with a token in it.
const LONGEST: u64 = 4_096;

/// A secret. Has no `Debug` and no `Display`.
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Reads the file of a secret: one line.
    ///
    /// # Errors
    /// `Read`, `Mode` if anybody besides the owner has a right to the file, `Format` for an empty one.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let text = read_private(path, LONGEST)?;
        let line = text.trim();
        if line.is_empty() || line.contains(char::is_control) {
            return Err(KeyError::Secret { path: path.to_owned() });
        }
        Ok(Self(line.to_owned()))
    }

    /// Returns the secret itself, to be used and not to be told.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Reads a file that nobody besides its owner has a right to.
pub(crate) fn read_private(path: &Path, longest: u64) -> Result<String, KeyError> {
    let read = |source| KeyError::Read { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(read)?;
    // Asked of the open file: the path could be exchanged in between.
    let mode = file.metadata().map_err(read)?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyError::Mode { path: path.to_owned(), mode });
    }
    let mut text = String::new();
    file.by_ref().take(longest).read_to_string(&mut text).map_err(read)?;
    Ok(text)
}

/// Hides what may be secret in every address within `text`: user, path and query. Scheme, host and port stay.
pub fn redact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (head, tail) = rest.split_at(at + 3);
        out.push_str(head);
        let is_end = |c: char| c.is_whitespace() || matches!(c, ')' | '"' | '\'' | '`' | '>' | ',' | ';');
        let (url, after) = tail.split_at(tail.find(is_end).unwrap_or(tail.len()));
        let (authority, path) = url.split_at(url.find(['/', '?', '#']).unwrap_or(url.len()));
        let (user, host) = authority.rsplit_once('@').map_or(("", authority), |(user, host)| (user, host));
        out.push_str(if user.is_empty() { "" } else { "<hidden>@" });
        out.push_str(host);
        out.push_str(if path.len() > 1 { "/<hidden>" } else { path });
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn secret_is_one_line_of_a_private_file() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("token");
        fs::write(&path, "abc\n").expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("its mode");
        assert_eq!(Secret::read(&path).ok().map(|secret| secret.expose().to_owned()), Some("abc".into()));
        fs::write(&path, "a\nb\n").expect("a file");
        assert!(matches!(Secret::read(&path), Err(KeyError::Secret { .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("its mode");
        assert!(matches!(Secret::read(&path), Err(KeyError::Mode { mode: 0o640, .. })));
    }

    #[test]
    fn redact_keeps_hosts_and_hides_the_rest() {
        let cases = [
            ("http://127.0.0.1:8899", "http://127.0.0.1:8899"),
            ("for url (https://node.example/v2/KEY): timeout", "for url (https://node.example/<hidden>): timeout"),
            ("wss://user:pw@node.example:1/?api-key=KEY x", "wss://<hidden>@node.example:1/<hidden> x"),
            ("https://a/KEY, https://b/?k=KEY", "https://a/<hidden>, https://b/<hidden>"),
            ("no address", "no address"),
        ];
        for (text, expected) in cases {
            assert_eq!(redact(text), expected);
            assert!(!redact(text).contains("KEY"));
        }
    }
}
