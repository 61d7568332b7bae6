//! Address of the team's database. Shown without its password everywhere: its `Debug`, `Display` and `Serialize` hide it.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

const HIDDEN: &str = "***";

/// `postgres://user[:password]@host[:port]/database[?option=value..]`.
#[derive(Clone, PartialEq, Eq)]
pub struct HistoryUrl(String);

impl HistoryUrl {
    /// Checks an address.
    ///
    /// # Errors
    /// What is wrong, without the address in it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if !(text.starts_with("postgres://") || text.starts_with("postgresql://")) {
            return Err("must start with postgres:// (left out, the history is a file in `keeper.state_dir`)".into());
        }
        match text.parse::<tokio_postgres::Config>() {
            Ok(config) if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() => {
                Err("must name a host".into())
            }
            Ok(config) if config.get_user().is_none() => Err("must name a user: postgres://user@host/database".into()),
            Ok(config) if config.get_dbname().is_none() => Err("must name a database after the host".into()),
            Ok(_) => Ok(Self(text.to_owned())),
            // its text may hold a part of the address
            Err(_) => Err("is not postgres://user@host:port/database?option=value".into()),
        }
    }

    /// Tells whether there is a password in it.
    pub fn has_password(&self) -> bool {
        self.parsed().get_password().is_some()
    }

    /// Returns what the library makes of it.
    pub(super) fn parsed(&self) -> tokio_postgres::Config {
        // CANNOT fail: it was parsed before.
        self.0.parse().unwrap_or_default()
    }
}

impl fmt::Display for HistoryUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hide(&self.0, HIDDEN))
    }
}

impl fmt::Debug for HistoryUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HistoryUrl({self})")
    }
}

impl Serialize for HistoryUrl {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HistoryUrl {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

/// Hides passwords in text that may hold addresses of databases: settings files, errors.
///
/// A password stands between the first colon and the last `@` of an address, or after `password=`. Each is replaced by
/// as many bytes as it has, so that places in the text stay true.
pub fn hide_passwords(text: &str) -> String {
    hide(text, "")
}

/// Puts `mark` for each password, or `*` for each of its bytes where it is empty.
fn hide(text: &str, mark: &str) -> String {
    let is_end = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`');
    let put = |password: &str| if mark.is_empty() { "*".repeat(password.len()) } else { mark.to_owned() };
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = find_scheme(rest) {
        let (before, address) = rest.split_at(at);
        let (address, after) = address.split_at(address.find(is_end).unwrap_or(address.len()));
        out.push_str(before);
        out.push_str(&hide_option(&hide_user(address, put), put));
        rest = after;
    }
    out + rest
}

/// The place behind the next `postgres://` or `postgresql://`.
fn find_scheme(text: &str) -> Option<usize> {
    let lower = text.to_ascii_lowercase();
    let after = |scheme: &str| lower.find(scheme).map(|at| at + scheme.len());
    after("postgres://").into_iter().chain(after("postgresql://")).min()
}

fn hide_user(address: &str, put: impl Fn(&str) -> String) -> String {
    let Some((user, host)) = address.rsplit_once('@') else { return address.to_owned() };
    match user.split_once(':') {
        Some((name, password)) => format!("{name}:{}@{host}", put(password)),
        None => address.to_owned(),
    }
}

fn hide_option(address: &str, put: impl Fn(&str) -> String) -> String {
    const OPTION: &str = "password=";
    let Some(at) = address.to_ascii_lowercase().find(OPTION).map(|at| at + OPTION.len()) else {
        return address.to_owned();
    };
    let (before, rest) = address.split_at(at);
    let (password, after) = rest.split_at(rest.find('&').unwrap_or(rest.len()));
    format!("{before}{}{after}", put(password))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_is_shown_without_its_password() {
        for (given, shown) in [
            ("postgres://u:s3cret@db/h", "postgres://u:***@db/h"),
            ("postgresql://u:s3:cr@et@db:5/h?sslmode=require", "postgresql://u:***@db:5/h?sslmode=require"),
            ("postgres://u@db/h?password=s3cret&sslmode=disable", "postgres://u@db/h?password=***&sslmode=disable"),
            ("postgres://u@db/h", "postgres://u@db/h"),
        ] {
            let url = HistoryUrl(given.to_owned());
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), format!("HistoryUrl({shown})"));
            assert_eq!(serde_json::to_value(&url).expect("text"), shown);
        }
    }

    #[test]
    fn passwords_in_other_text_are_hidden_at_their_length() {
        let text = "url = \"postgres://u:abc@h/d\" # and 'postgresql://v:12345@h/d?password=x' end";
        let hidden = "url = \"postgres://u:***@h/d\" # and 'postgresql://v:*****@h/d?password=*' end";
        assert_eq!(hide_passwords(text), hidden);
        assert_eq!(hide_passwords("[history]\nurl = 1"), "[history]\nurl = 1");
    }

    #[test]
    fn an_address_that_will_not_do_is_refused_without_being_shown() {
        for url in [
            "mysql://u:s3cret@h/d",
            "postgres://u:s3cret@h:port/d",
            "postgres://u:s3cret@/d",
            "postgres://h/d",
            "postgres://u:s3cret@h",
        ] {
            let reason = HistoryUrl::parse(url).expect_err("a refusal");
            assert!(!reason.contains("s3cret"), "{reason}");
        }
    }
}
