//! Writes the settings of a new keeper: asks on a terminal, takes flags elsewhere.

use super::output::Output;
use super::{InitArgs, show};
use crate::config::{self, ConfigError, Overrides, example};
use crate::error::KeeperError;
use crate::guard::file::GuardFile;
use dialoguer::{Confirm, Input};
use serde::Serialize;
use solana_sdk::pubkey::Pubkey;
use solana_sdk::signature::Keypair;
use solana_sdk::signer::Signer;
use std::io::{ErrorKind, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// What is asked about the guard.
const GUARD: &str = "Address of the guard, or its file";

/// What a keeper can't do without.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Answers {
    name: String,
    rpc_url: String,
    /// Address of the guard; the default key while it is not known.
    guard: String,
    payer_file: PathBuf,
    state_dir: PathBuf,
    is_observing: bool,
    makes_key: bool,
}

/// Who answers what no flag does.
trait Ask {
    fn text(&self, what: &str, default: &str, check: fn(&str) -> Result<(), String>) -> Result<String, KeeperError>;
    fn yes(&self, what: &str, default: bool) -> Result<bool, KeeperError>;
}

struct Terminal;

impl Ask for Terminal {
    fn text(&self, what: &str, default: &str, check: fn(&str) -> Result<(), String>) -> Result<String, KeeperError> {
        let prompt = Input::<String>::new().with_prompt(what).default(default.to_owned());
        prompt.validate_with(|text: &String| check(text)).interact_text().map_err(failed)
    }

    fn yes(&self, what: &str, default: bool) -> Result<bool, KeeperError> {
        Confirm::new().with_prompt(what).default(default).interact().map_err(failed)
    }
}

fn failed(source: dialoguer::Error) -> KeeperError {
    KeeperError::Chain { what: "ask on the terminal".into(), source: Box::new(source) }
}

/// Nobody answers: the defaults stand.
struct Nobody;

impl Ask for Nobody {
    fn text(&self, _: &str, default: &str, _: fn(&str) -> Result<(), String>) -> Result<String, KeeperError> {
        Ok(default.to_owned())
    }

    fn yes(&self, _: &str, default: bool) -> Result<bool, KeeperError> {
        Ok(default)
    }
}

/// Writes the settings, and the key if that is wanted.
pub(super) fn init(path: &Path, args: &InitArgs, out: Output) -> Result<(), KeeperError> {
    if path.exists() && !args.print {
        // before the questions, not after them
        let source = std::io::Error::new(ErrorKind::AlreadyExists, "it exists already");
        return Err(ConfigError::Write { path: path.to_owned(), source }.into());
    }
    let is_asked =
        !(args.yes || args.print || out.is_json) && std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let answers = if is_asked { gather(args, &Terminal)? } else { gather(args, &Nobody)? };
    let text = settings(&answers);
    if args.print {
        return show::text(&text);
    }
    example::write(path, &text)?;
    // what was written must load, or the hint says why
    config::load(path, [], &Overrides::default())?;
    let key = if answers.makes_key { Some(make_key(&answers.payer_file)?) } else { None };
    let next = next(path, &answers, key.as_ref());
    let data =
        serde_json::json!({ "file": path, "answers": answers, "payer": key.map(|k| k.to_string()), "next": next });
    out.print(&data, || format!("wrote {}\n{next}\n", path.display()))
}

fn gather(args: &InitArgs, ask: &impl Ask) -> Result<Answers, KeeperError> {
    let text = |given: Option<String>, what: &str, default: &str, check: fn(&str) -> Result<(), String>| match given {
        Some(given) => check(&given).map(|()| given).map_err(|reason| refused(what, &reason)),
        None => ask.text(what, default, check),
    };
    let path = |given: &Option<PathBuf>| given.as_ref().map(|path| path.display().to_string());
    let name = text(args.name.clone(), "Name of this keeper", "keeper-1", check_name)?;
    let rpc_url = text(args.rpc_url.clone(), "JSON-RPC endpoint", "http://127.0.0.1:8899", check_url)?;
    let unknown = Pubkey::default().to_string();
    let guard = text(args.guard.clone(), GUARD, &unknown, |text| guard_of(text).map(drop))?;
    let guard = guard_of(&guard).map_err(|reason| refused(GUARD, &reason))?.to_string();
    let payer_file = text(path(&args.payer_file), "Keypair file of the payer", "payer.json", check_path)?;
    let state_dir = text(path(&args.state_dir), "Directory of the journal", "state", check_path)?;
    let is_observing = args.observe || ask.yes("Only observe, send nothing?", false)?;
    let payer_file = PathBuf::from(payer_file);
    let makes_key = !payer_file.exists() && (args.new_key || ask.yes("Make a new key for the payer?", false)?);
    Ok(Answers { name, rpc_url, guard, payer_file, state_dir: state_dir.into(), is_observing, makes_key })
}

fn refused(what: &str, reason: &str) -> KeeperError {
    KeeperError::Refused { what: format!("{what}: {reason}"), hint: "`rampart init --help` shows the flags".into() }
}

fn check_name(text: &str) -> Result<(), String> {
    let is_usable = !text.trim().is_empty() && text.len() <= 64 && !text.contains(char::is_control);
    if is_usable { Ok(()) } else { Err("must hold 1 to 64 printable characters".into()) }
}

fn check_url(text: &str) -> Result<(), String> {
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let is_usable = host.is_some_and(|host| !host.is_empty() && !host.contains(char::is_whitespace));
    if is_usable { Ok(()) } else { Err("must start with http:// or https:// and name a host".into()) }
}

/// Returns the address that is written there, or that the guard of a file has or will have.
fn guard_of(text: &str) -> Result<Pubkey, String> {
    if let Ok(key) = text.parse() {
        return Ok(key);
    }
    let read = std::fs::read_to_string(text);
    let read = read.map_err(|error| format!("`{text}` is no address, and no file that can be read: {error}"))?;
    GuardFile::read(&read).map(|file| file.address()).map_err(|error| format!("guard file `{text}`: {error}"))
}

fn check_path(text: &str) -> Result<(), String> {
    if text.is_empty() || text.contains(char::is_control) { Err("must name a file".into()) } else { Ok(()) }
}

/// The example, with the answers in place of its own values; all its explanations stay.
fn settings(answers: &Answers) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let mode = if answers.is_observing { "observe" } else { "act" };
    let values = [
        ("cluster", "rpc_url", quoted(&answers.rpc_url)),
        ("cluster", "guard", quoted(&answers.guard)),
        ("keeper", "name", quoted(&answers.name)),
        ("keeper", "mode", quoted(mode)),
        ("keeper", "state_dir", quoted(&answers.state_dir.display().to_string())),
        ("keys", "payer_file", quoted(&answers.payer_file.display().to_string())),
    ];
    let mut section = "";
    let line = |line: &'static str| {
        if let Some((name, _)) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            section = name;
        }
        let is_its =
            |(table, key, _): &&(&str, &str, String)| *table == section && line.starts_with(&format!("{key} = "));
        let found = values.iter().find(is_its);
        let comment = line.find('#').map_or("", |at| &line[at..]);
        let new = found.map(|(_, key, value)| format!("{key} = {value} {comment}").trim_end().to_owned());
        new.unwrap_or_else(|| line.to_owned()) + "\n"
    };
    example::TEXT.lines().map(line).collect()
}

/// Makes a key that only its owner may read. Never over an existing file.
fn make_key(path: &Path) -> Result<Pubkey, KeeperError> {
    let failed = |source| KeeperError::from(ConfigError::Write { path: path.to_owned(), source });
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    let key = Keypair::new();
    let text = serde_json::to_string(&key.to_bytes().to_vec()).unwrap_or_default();
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    Ok(key.pubkey())
}

fn next(path: &Path, answers: &Answers, key: Option<&Pubkey>) -> String {
    let mut steps = Vec::new();
    if answers.guard == Pubkey::default().to_string() {
        steps.push(format!("set `cluster.guard` in {}", path.display()));
    }
    match key {
        Some(key) => steps.push(format!("send SOL for fees to {key}, the new key in {}", answers.payer_file.display())),
        None if !answers.payer_file.exists() => {
            steps.push(format!("put the payer's keypair at {}, mode 0600", answers.payer_file.display()));
        }
        None => {}
    }
    steps.push(format!("run `rampart doctor --config {}`", path.display()));
    format!("next: {}", steps.join("; then "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const ADDRESS: &str = "HiDN1cZjY1y3GCUFJfsaQae162WdXHXZ7Pkv9UWBjh4s";

    struct Scripted;

    impl Ask for Scripted {
        fn text(
            &self,
            what: &str,
            default: &str,
            check: fn(&str) -> Result<(), String>,
        ) -> Result<String, KeeperError> {
            let answer = match what {
                GUARD => ADDRESS,
                "Name of this keeper" => "a \"quoted\" name",
                _ => default,
            };
            check(answer).map(|()| answer.to_owned()).map_err(|reason| refused(what, &reason))
        }

        fn yes(&self, what: &str, default: bool) -> Result<bool, KeeperError> {
            Ok(if what.starts_with("Only observe") { true } else { default })
        }
    }

    #[test]
    fn answers_become_settings_that_load_and_keep_every_explanation() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("rampart.toml");
        let args = InitArgs { rpc_url: Some("https://node.example/key".into()), ..InitArgs::default() };
        let text = settings(&gather(&args, &Scripted).expect("answers"));
        example::write(&path, &text).expect("a file");
        let config = config::load(&path, [], &Overrides::default()).expect("settings");
        assert_eq!(config.keeper.name, "a \"quoted\" name");
        assert_eq!(config.cluster.guard.to_string(), ADDRESS);
        assert_eq!(config.cluster.rpc_url, "https://node.example/key");
        assert_eq!(config.keeper.mode, crate::config::Mode::Observe);
        assert_eq!(text.lines().count(), example::TEXT.lines().count());
        assert_eq!(text.matches('#').count(), example::TEXT.matches('#').count());
    }

    #[test]
    fn flags_alone_write_settings_and_a_key_once() {
        let dir = tempfile::tempdir().expect("a directory");
        let (path, key) = (dir.path().join("rampart.toml"), dir.path().join("payer.json"));
        let args = InitArgs {
            yes: true,
            guard: Some(ADDRESS.into()),
            payer_file: Some(key.clone()),
            new_key: true,
            ..InitArgs::default()
        };
        let out = Output { is_json: false, command: "init" };
        init(&path, &args, out).expect("settings");
        assert_eq!(std::fs::metadata(&key).expect("a key").permissions().mode() & 0o777, 0o600);
        assert!(crate::config::payer::PayerKey::read(&key).is_ok());
        let before = std::fs::read(&key).expect("the key");
        let error = init(&path, &args, out).expect_err("the file exists");
        assert!(matches!(error, KeeperError::Config(ConfigError::Write { .. })), "{error}");
        assert_eq!(std::fs::read(&key).expect("the key"), before, "the key stays");
    }

    #[test]
    fn guard_that_is_to_be_created_is_named_by_its_file() {
        let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/guards/sol.toml");
        let file = GuardFile::read(&std::fs::read_to_string(&template).expect("a template")).expect("a guard");
        let args = InitArgs { guard: Some(template.display().to_string()), ..InitArgs::default() };
        assert_eq!(gather(&args, &Nobody).expect("answers").guard, file.address().to_string());
        let wrong = InitArgs { guard: Some(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml").into()), ..args };
        let error = gather(&wrong, &Nobody).expect_err("no guard").to_string();
        assert!(
            error.contains("Address of the guard, or its file: guard file `") && error.contains("Cargo.toml`"),
            "{error}"
        );
    }

    #[test]
    fn flag_that_cannot_be_used_is_refused_before_anything_is_written() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("rampart.toml");
        let args = InitArgs { yes: true, guard: Some("abc".into()), ..InitArgs::default() };
        let error = init(&path, &args, Output { is_json: false, command: "init" }).expect_err("a refusal");
        assert!(error.to_string().contains("`abc` is no address"), "{error}");
        assert!(!path.exists());
    }
}
