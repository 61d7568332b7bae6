use super::*;
use crate::config::ConfigError;
use crate::view::View;
use std::fmt::Write;

/// Set to write the snapshot instead of comparing it.
const UPDATE: &str = "RAMPART_UPDATE_SNAPSHOTS";

fn line(words: &[&str]) -> Vec<std::ffi::OsString> {
    std::iter::once("rampart").chain(words.iter().copied()).map(Into::into).collect()
}

#[test]
fn help_is_as_recorded() {
    let mut text = String::new();
    let commands =
        [&[][..], &["run"], &["status"], &["check"], &["init"], &["config"], &["config", "print"], &["completions"]];
    let fleet = [&["fleet"][..], &["fleet", "status"], &["fleet", "ranks"], &["fleet", "drain"]];
    for words in commands.into_iter().chain(fleet) {
        let (help, code) = parse(line(&[words, &["--help"]].concat())).expect_err("help ends the parsing");
        assert_eq!(code, 0);
        writeln!(text, "$ rampart {} --help\n{help}", words.join(" ")).expect("a string");
    }
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/help.txt");
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(&path, &text).expect("the snapshot");
    }
    let recorded = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, recorded, "set {UPDATE}=1 to record it");
}

#[test]
fn usage_errors_have_their_own_code() {
    for words in [&["rum"][..], &["run", "--observ"], &["run", "--listen", "here"], &["config"], &[]] {
        let (error, code) = parse(line(words)).expect_err("a refusal");
        assert_eq!(code, USAGE, "{error}");
    }
    let (_, code) = parse(line(&["--version"])).expect_err("the version ends the parsing");
    assert_eq!(code, 0);
}

#[test]
fn flags_of_run_become_overrides() {
    let cli =
        parse(line(&["run", "--observe", "--listen", "127.0.0.1:7", "--log-format", "pretty"])).expect("a command");
    let Command::Run(args) = cli.command else { panic!("another command") };
    let expected =
        Overrides { observe: true, listen: Some(([127, 0, 0, 1], 7).into()), log_format: Some(LogFormat::Pretty) };
    assert_eq!(args.overrides(), expected);
}

#[tokio::test]
async fn commands_fail_on_a_missing_file_with_a_hint() {
    for words in [&["run"][..], &["check"], &["status"], &["config", "print"]] {
        let cli = parse(line(&[words, &["--config", "/nonexistent/rampart.toml"]].concat())).expect("a command");
        let error = cli.execute().await.expect_err("a refusal");
        assert!(matches!(error, KeeperError::Config(ConfigError::Read { .. })), "{error}");
        assert_eq!(error.exit_code(), 2);
        assert!(error.hint().contains("rampart init --config /nonexistent/rampart.toml"), "{}", error.hint());
    }
}

#[test]
fn printed_settings_parse_to_the_same() {
    let dir = tempfile::tempdir().expect("a directory");
    let (one, two) = (dir.path().join("one.toml"), dir.path().join("two.toml"));
    example::write(&one).expect("a file");
    let settings = config::load(&one, [], &Overrides::default()).expect("settings");
    std::fs::write(&two, toml::to_string_pretty(&settings).expect("TOML")).expect("a file");
    assert_eq!(config::load(&two, [], &Overrides::default()).expect("settings"), settings);
}

#[test]
fn status_says_why_it_is_not_ready() {
    let mut view = View::default();
    view.keeper.name = "one".into();
    view.keeper.not_ready_reasons = vec!["no source is up".into()];
    let text = status::summary(&view);
    assert!(text.starts_with("one ") && text.contains("NOT READY: no source is up"), "{text}");
}
