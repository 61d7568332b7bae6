//! Where settings come from: flag, then environment, then file, then default.

use super::check::check;
use super::{Config, ConfigError, LogFormat, Mode};
use crate::history::hide_passwords;
use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use toml::{Table, Value};

/// Every variable that sets a key starts with this; `__` stands for each dot.
pub const PREFIX: &str = "RAMPART__";

/// What flags set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Forces `keeper.mode = "observe"`.
    pub observe: bool,
    /// Replaces `http.listen`.
    pub listen: Option<SocketAddr>,
    /// Replaces `log.format`.
    pub log_format: Option<LogFormat>,
}

/// Resolves all settings. `environment` is usually `std::env::vars()`.
///
/// # Errors
/// `Read` and `Syntax` for the file, `Refused` for a key, with the file or the variable that set it.
pub fn load(
    path: &Path,
    environment: impl IntoIterator<Item = (String, String)>,
    overrides: &Overrides,
) -> Result<Config, ConfigError> {
    let text = fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    resolve(&text, path, environment, overrides)
}

/// Returns settings for a command that needs an endpoint and a key and nothing else; they name no guard.
///
/// # Errors
/// `Refused` for an endpoint that is no address.
pub fn of_flags(url: &str, payer_file: &Path) -> Result<Config, ConfigError> {
    let at = |section: &str, keys: &[(&str, &str)]| {
        let values = keys.iter().map(|(key, value)| ((*key).to_owned(), Value::String((*value).to_owned())));
        (section.to_owned(), Value::Table(values.collect()))
    };
    let payer_file = payer_file.to_string_lossy();
    let sections = [
        at("cluster", &[("rpc_url", url), ("guard", &solana_sdk::pubkey::Pubkey::default().to_string())]),
        at("keeper", &[("name", "deploy"), ("state_dir", ".")]),
        at("keys", &[("payer_file", &payer_file)]),
    ];
    let text = Table::from_iter(sections).to_string();
    resolve(&text, Path::new("--url"), [], &Overrides::default())
}

fn resolve(
    text: &str,
    path: &Path,
    environment: impl IntoIterator<Item = (String, String)>,
    overrides: &Overrides,
) -> Result<Config, ConfigError> {
    let syntax = |mut source: toml::de::Error| {
        // the error shows the line
        source.set_input(Some(&hide_passwords(text)));
        ConfigError::Syntax { path: path.to_owned(), source: Box::new(source) }
    };
    let mut origins = Origins::new(path);
    let mut table: Table = text.parse().map_err(syntax)?;
    for (variable, value) in environment {
        if let Some(key) = variable.strip_prefix(PREFIX) {
            let keys: Vec<_> = key.split("__").map(str::to_lowercase).collect();
            origins.0.insert(keys.join("."), format!("environment variable `{variable}`"));
            insert(&mut table, &keys, parse_value(&value)).map_err(|reason| origins.refuse(keys.join("."), reason))?;
        }
    }
    let mut config: Config = serde_path_to_error::deserialize(Value::Table(table))
        .map_err(|error| origins.refuse(error.path().to_string(), error.inner().to_string()))?;
    overrides.apply(&mut config);
    check(&config).map_err(|(key, reason)| origins.refuse(key, reason))?;
    Ok(config)
}

impl Overrides {
    fn apply(&self, config: &mut Config) {
        if self.observe {
            config.keeper.mode = Mode::Observe;
        }
        config.http.listen = self.listen.unwrap_or(config.http.listen);
        config.log.format = self.log_format.unwrap_or(config.log.format);
    }
}

/// Numbers, booleans, arrays and tables read as TOML; anything else is text.
fn parse_value(text: &str) -> Value {
    let read = format!("v = {text}").parse::<Table>().ok().and_then(|mut table| table.remove("v"));
    read.unwrap_or_else(|| Value::String(text.to_owned()))
}

fn insert(table: &mut Table, keys: &[String], value: Value) -> Result<(), String> {
    let Some((last, sections)) = keys.split_last() else { return Ok(()) };
    let mut at = table;
    for section in sections {
        let next = at.entry(section.clone()).or_insert_with(|| Value::Table(Table::new()));
        at = next.as_table_mut().ok_or_else(|| format!("`{section}` is a value, not a section"))?;
    }
    at.insert(last.clone(), value);
    Ok(())
}

/// Where each key was set: variables by key, and the file for all others.
struct Origins(BTreeMap<String, String>, String);

impl Origins {
    fn new(path: &Path) -> Self {
        Self(BTreeMap::new(), format!("file `{}`", path.display()))
    }

    fn refuse(&self, key: String, reason: impl Into<String>) -> ConfigError {
        let is_part =
            |set: &str| key == set || key.starts_with(&format!("{set}.")) || key.starts_with(&format!("{set}["));
        let variable = self.0.iter().find(|(set, _)| is_part(set)).map(|(_, variable)| variable);
        let origin = variable.unwrap_or(&self.1).clone();
        ConfigError::Refused { key, origin, reason: hide_passwords(&reason.into()).trim().replace('\n', " ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Commitment;

    const GUARD: &str = "HiDN1cZjY1y3GCUFJfsaQae162WdXHXZ7Pkv9UWBjh4s";

    fn text() -> String {
        format!(
            "[cluster]\nrpc_url = \"http://127.0.0.1:8899\"\nguard = \"{GUARD}\"\n\
             [keeper]\nname = \"one\"\nstate_dir = \"state\"\n[keys]\npayer_file = \"payer.json\"\n"
        )
    }

    fn with(extra: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        resolve(&format!("{}{extra}", text()), Path::new("rampart.toml"), variables, &Overrides::default())
    }

    fn refused(result: Result<Config, ConfigError>) -> (String, String, String) {
        match result.expect_err("a refusal") {
            ConfigError::Refused { key, origin, reason } => (key, origin, reason),
            other => panic!("another error: {other}"),
        }
    }

    #[test]
    fn resolve_fills_in_defaults() {
        let config = with("", &[]).expect("settings");
        assert_eq!(config.ingest.stall_slots, 8);
        assert_eq!(config.tx.resend_ms, 400);
        assert_eq!(config.cluster.commitment, Commitment::Processed);
        assert_eq!(config.http.listen.to_string(), "127.0.0.1:9464");
        assert_eq!(config.endpoints()[0].ws_url(), "ws://127.0.0.1:8900");
        assert_eq!(config.keeper.mode, Mode::Act);
    }

    #[test]
    fn unknown_key_fails_and_is_named_with_its_file() {
        let (key, origin, reason) = refused(with("[tx]\nresend_mss = 1\n", &[]));
        assert_eq!(key, "tx.resend_mss");
        assert_eq!(origin, "file `rampart.toml`");
        assert!(reason.contains("unknown field") && reason.contains("`resend_ms`"), "{reason}");
    }

    #[test]
    fn unknown_variable_fails_and_is_named() {
        let (key, origin, _) = refused(with("", &[("RAMPART__TX__RESEND_MSS", "1")]));
        assert_eq!(key, "tx.resend_mss");
        assert_eq!(origin, "environment variable `RAMPART__TX__RESEND_MSS`");
    }

    #[test]
    fn variables_win_over_the_file_and_flags_over_both() {
        let variables = [("RAMPART__TX__RESEND_MS", "250"), ("RAMPART__KEEPER__NAME", "two"), ("PATH", "/bin")];
        let config = with("[tx]\nresend_ms = 300\n", &variables).expect("settings");
        assert_eq!((config.tx.resend_ms, config.keeper.name.as_str()), (250, "two"));
        let flags = Overrides { observe: true, listen: Some(([127, 0, 0, 1], 1).into()), ..Overrides::default() };
        let variables = [("RAMPART__KEEPER__MODE".to_owned(), "act".to_owned())];
        let config = resolve(&text(), Path::new("f"), variables, &flags).expect("settings");
        assert_eq!((config.keeper.mode, config.http.listen.port()), (Mode::Observe, 1));
    }

    #[test]
    fn variables_reach_nested_tables_and_arrays() {
        let variables = [
            ("RAMPART__TX__COMPUTE_PRICE__TRIP", "{ floor = 1, cap = 2 }"),
            ("RAMPART__HTTP__PEERS", "[{ name = \"b\", url = \"http://127.0.0.1:2\" }]"),
        ];
        let config = with("", &variables).expect("settings");
        assert_eq!((config.tx.compute_price.trip.floor, config.tx.compute_price.trip.cap), (1, 2));
        assert_eq!(config.http.peers[0].url, "http://127.0.0.1:2");
    }

    #[test]
    fn values_out_of_bounds_fail() {
        let cases = [
            ("[tx]\nresend_ms = 0\n", "tx.resend_ms"),
            ("[tx]\nmax_in_flight = 257\n", "tx.max_in_flight"),
            ("[ingest]\nstall_slots = 1\n", "ingest.stall_slots"),
            ("[tx.compute_price]\ntrip = { floor = 3, cap = 2 }\n", "tx.compute_price.trip.floor"),
            ("[http]\npeers = [{ name = \"\", url = \"http://a\" }]\n", "http.peers[0].name"),
            ("[http]\npeers = [{ name = \"a\", url = \"a:1\" }]\n", "http.peers[0].url"),
        ];
        for (extra, expected) in cases {
            assert_eq!(refused(with(extra, &[])).0, expected);
        }
    }

    #[test]
    fn endpoints_are_set_in_one_form_alone_and_each_has_a_name_of_its_own() {
        let one = "[[rpc]]\nname = \"a\"\nhttp = \"http://127.0.0.1:1\"\n";
        assert_eq!(refused(with(one, &[])).0, "cluster.rpc_url");
        let long = text().replace("rpc_url = \"http://127.0.0.1:8899\"\n", "");
        let load = |extra: &str| resolve(&format!("{long}{extra}"), Path::new("f"), [], &Overrides::default());
        assert_eq!(refused(load("")).0, "cluster.rpc_url");
        assert_eq!(refused(load(&format!("{one}{one}"))).0, "rpc[0].name");
        assert_eq!(refused(load(&format!("{one}roles = [\"read\"]\n"))).0, "rpc[0].roles");
        let config = load(one).expect("settings");
        assert_eq!(config.endpoints()[0].max_lag_slots, 20);
        assert_eq!(config.endpoints()[0].max_rps, None);
        assert_eq!(refused(load(&format!("{one}max_rps = 0\n"))).0, "rpc[0].max_rps");
        let sender = "[[sender]]\nname = \"j\"\nkind = \"jito\"\nurl = \"https://a\"\ntip_lamports = 1000\n";
        assert_eq!(refused(with(sender, &[])).0, "sender[0].tip_accounts");
    }

    #[test]
    fn streams_have_an_address_and_a_name_of_their_own() {
        let stream = |name: &str, url: &str| format!("[[grpc]]\nname = \"{name}\"\nurl = \"{url}\"\n");
        assert_eq!(refused(with(&stream("s", "127.0.0.1:1"), &[])).0, "grpc[0].url");
        assert_eq!(refused(with(&stream("websocket", "http://a"), &[])).0, "grpc[0].name");
        assert_eq!(refused(with(&stream("s", "http://a").repeat(2), &[])).0, "grpc[1].name");
        let taken = with(&stream("s", "http://a"), &[]);
        if cfg!(feature = "grpc") {
            assert_eq!(taken.expect("settings").grpc.len(), 1);
        } else {
            assert_eq!(refused(taken).0, "grpc");
        }
    }

    #[test]
    fn signals_are_off_by_default_and_never_send_a_key_in_the_clear() {
        assert_eq!(with("", &[]).expect("settings").signal, []);
        let signal = |kind: &str, rest: &str| format!("[[signal]]\nname = \"s\"\nkind = \"{kind}\"\n{rest}\n");
        let taken = with(&signal("hermes", "url = \"https://h\"\nkey_file = \"k\""), &[]).expect("settings").signal;
        assert_eq!((taken[0].deviation_bps, taken[0].poll_ms), (50, 1_000));
        assert!(with(&signal("hermes", "url = \"http://127.0.0.1:1/h\"\nkey_file = \"k\""), &[]).is_ok());
        let cases = [
            (signal("hermes", "url = \"http://h\"\nkey_file = \"k\""), "signal[0].url"),
            (signal("hermes", "url = \"http://127.0.0.1.example\"\nkey_file = \"k\""), "signal[0].url"),
            (signal("hermes", "url = \"http://localhost:80@h\"\nkey_file = \"k\""), "signal[0].url"),
            (signal("hermes", "url = \"h:1\""), "signal[0].url"),
            (signal("pythnet", "url = \"http://h\"\nkey_file = \"k\""), "signal[0].key_file"),
            (signal("pythnet", "url = \"http://h\"\npoll_ms = 1"), "signal[0].poll_ms"),
            (signal("hermes", "url = \"http://h\"\ndeviation_bps = 0"), "signal[0].deviation_bps"),
            (signal("hermes", "url = \"http://h\"").repeat(2), "signal[1].name"),
        ];
        for (extra, expected) in cases {
            assert_eq!(refused(with(&extra, &[])).0, expected);
        }
    }

    #[test]
    fn poster_is_off_by_default_and_needs_a_signal_that_brings_updates() {
        let poster = |rest: &str| {
            format!("[[signal]]\nname = \"s\"\nkind = \"hermes\"\nurl = \"https://h\"\n[poster]\n{rest}\n")
        };
        assert_eq!(with("", &[]).expect("settings").poster, None);
        assert_eq!(with(&poster(""), &[]).expect("settings").poster, Some(super::super::PosterSettings::default()));
        let taken = with(&poster("max_age_secs = 30"), &[]).expect("settings").poster;
        assert_eq!(taken.map(|poster| poster.max_age_secs), Some(30));
        for (extra, expected) in [
            ("[poster]\n".to_owned(), "poster"),
            ("[[signal]]\nname = \"s\"\nkind = \"pythnet\"\nurl = \"http://h\"\n[poster]\n".to_owned(), "poster"),
            (poster("max_age_secs = 0"), "poster.max_age_secs"),
            (poster("max_age_secs = 3601"), "poster.max_age_secs"),
            (poster("deviation_bps = 0"), "poster.deviation_bps"),
            (poster("deviation_bps = 10001"), "poster.deviation_bps"),
            (poster("min_interval_secs = 0"), "poster.min_interval_secs"),
            (poster("lamports_per_hour = 9999"), "poster.lamports_per_hour"),
            (poster("max_age_secs = \"a minute\""), "poster.max_age_secs"),
            (poster("max_age = 60"), "poster.max_age"),
        ] {
            assert_eq!(refused(with(&extra, &[])).0, expected, "{extra}");
        }
    }

    #[test]
    fn wrong_kinds_and_addresses_fail_at_their_key() {
        assert_eq!(refused(with("[tx]\nresend_ms = \"fast\"\n", &[])).0, "tx.resend_ms");
        let (key, origin, reason) = refused(with("", &[("RAMPART__CLUSTER__GUARD", "abc")]));
        assert_eq!(
            (key.as_str(), origin.as_str()),
            ("cluster.guard", "environment variable `RAMPART__CLUSTER__GUARD`")
        );
        assert!(reason.contains("`abc` is not base58"), "{reason}");
    }

    #[test]
    fn another_program_fails() {
        let (key, _, reason) = refused(with("", &[("RAMPART__CLUSTER__PROGRAM_ID", &GUARD.replace("Hi", "Hj"))]));
        assert_eq!(key, "cluster.program_id");
        assert!(reason.contains(GUARD), "{reason}");
    }

    #[test]
    fn torn_file_fails_with_its_line() {
        let error = resolve("[cluster\n", Path::new("f"), [], &Overrides::default()).expect_err("a refusal");
        assert!(matches!(error, ConfigError::Syntax { .. }));
        assert!(crate::error::chain(&error).contains("line 1"), "{}", crate::error::chain(&error));
    }

    #[test]
    fn a_refused_address_of_the_history_is_told_without_its_password() {
        let (key, _, reason) = refused(with("[history]\nurl = \"postgres://u:s3cret@h:port/d\"\n", &[]));
        assert_eq!((key.as_str(), reason.contains("s3cret")), ("history.url", false));
        let (key, origin, reason) = refused(with("", &[("RAMPART__HISTORY", "postgres://u:s3cret@h/d")]));
        assert_eq!((key.as_str(), origin.as_str()), ("history", "environment variable `RAMPART__HISTORY`"));
        assert!(reason.contains("postgres://u:******@h/d"), "{reason}");
        let torn = "[history]\nurl = \"postgres://u:s3cret@h/d\n";
        let error = resolve(torn, Path::new("f"), [], &Overrides::default()).expect_err("a refusal");
        let (shown, debug) = (crate::error::chain(&error), format!("{error:?}"));
        assert!(shown.contains("line 2") && shown.contains("postgres://<hidden>@h"), "{shown}");
        assert!(!shown.contains("s3cret") && !debug.contains("s3cret"), "{shown} {debug}");
        let both = "[history]\nurl = \"postgres://u:s3cret@h/d\"\npassword_file = \"p\"\n";
        assert_eq!(refused(with(both, &[])).0, "history.password_file");
    }

    #[test]
    fn settings_are_printed_without_the_password_of_the_history() {
        let config = with("[history]\nurl = \"postgres://u:s3cret@h/d\"\n", &[]).expect("settings");
        let printed = toml::to_string_pretty(&config).expect("TOML");
        assert!(printed.contains("url = \"postgres://u:***@h/d\""), "{printed}");
        assert!(!printed.contains("s3cret") && !format!("{config:?}").contains("s3cret"));
    }

    #[test]
    fn missing_key_fails_with_its_section() {
        let (key, _, reason) = refused(resolve("[cluster]\n", Path::new("f"), [], &Overrides::default()));
        assert_eq!(key, "cluster");
        assert!(reason.contains("`guard`"), "{reason}");
    }
}
