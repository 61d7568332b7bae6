use super::*;
use crate::config::{ConfigError, example};
use crate::view::View;
use std::fmt::Write;

/// Set to write the snapshot instead of comparing it.
const UPDATE: &str = "RAMPART_UPDATE_SNAPSHOTS";

fn line(words: &[&str]) -> Vec<std::ffi::OsString> {
    std::iter::once("rampart").chain(words.iter().copied()).map(Into::into).collect()
}

/// Returns the words of every command, the one without words first.
fn tree(command: &clap::Command) -> Vec<Vec<String>> {
    let below = command.get_subcommands().filter(|below| below.get_name() != "help");
    let named = |below: &clap::Command| {
        let name = [below.get_name().to_owned()];
        tree(below).into_iter().map(move |words| [&name[..], &words].concat()).collect::<Vec<_>>()
    };
    std::iter::once(Vec::new()).chain(below.flat_map(named)).collect()
}

#[test]
fn every_act_of_governance_can_be_tried_exported_and_read_by_programs() {
    let command = Cli::command();
    let guard = command.find_subcommand("guard").expect("it is there");
    let of = |words: &[String]| words.iter().fold(guard, |at, word| at.find_subcommand(word).expect("a command"));
    let (mut acts, mut lacking) = (0, Vec::new());
    for words in tree(guard).into_iter().filter(|words| !of(words).has_subcommands()) {
        let has = |flag: &str| of(&words).get_arguments().any(|known| known.get_long() == Some(flag));
        let is_reading = matches!(words[0].as_str(), "show" | "plan" | "simulate");
        if is_reading == (has("dry-run") && has("export")) {
            lacking.push(words.join(" "));
        }
        acts += usize::from(!is_reading);
    }
    assert!(lacking.is_empty(), "{lacking:?}");
    assert!(acts > 20 && command.get_arguments().any(|flag| flag.get_long() == Some("json") && flag.is_global_set()));
}

#[test]
fn help_is_as_recorded() {
    let mut text = String::new();
    for words in tree(&Cli::command()) {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let (help, code) = parse(line(&[&words[..], &["--help"]].concat())).expect_err("help ends the parsing");
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
    for words in [
        &["rum"][..],
        &["pause"],
        &["pause", "--class", "trips", "--reason", "r"],
        &["intents"],
        &["run", "--observ"],
        &["run", "--listen", "here"],
        &["config"],
        &["lab"],
        &["lab", "validate"],
        &["lab", "sweep", "plan.toml"],
        &[],
    ] {
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
    let Command::Run(args) = &cli.command else { panic!("another command") };
    let expected =
        Overrides { observe: true, listen: Some(([127, 0, 0, 1], 7).into()), log_format: Some(LogFormat::Pretty) };
    assert_eq!(args.overrides(), expected);
}

#[tokio::test]
async fn commands_fail_on_a_missing_file_with_a_hint() {
    let commands = [
        &["run"][..],
        &["keys"],
        &["status"],
        &["history", "events"],
        &["config", "print"],
        &["intents", "ls"],
        &["guard", "show"],
        &["trip", "x"],
    ];
    for words in commands {
        let cli = parse(line(&[words, &["--config", "/nonexistent/rampart.toml"]].concat())).expect("a command");
        let error = cli.execute().await.expect_err("a refusal");
        assert!(matches!(error, KeeperError::Config(ConfigError::Read { .. })), "{error}");
        assert_eq!(error.exit_code(), 2);
        assert!(error.hint().contains("rampart init --config /nonexistent/rampart.toml"), "{}", error.hint());
    }
}

#[tokio::test]
async fn lab_runs_without_settings_and_keeps_its_exit_codes() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("strict.toml");
    let strict = rampart_lab::validate::EXAMPLE.replace("max_bad_debt_bps = 1_000.0", "max_bad_debt_bps = 0.0");
    std::fs::write(&path, strict).expect("a file");
    let path = path.to_str().expect("a path");
    let config = ["--config", "/nonexistent/rampart.toml"];
    let run = |words: &[&str]| parse(line(&[&config[..], &["lab"], words].concat())).expect("a command");
    run(&["attack", "list"]).execute().await.expect("done");
    let failed = run(&["validate", path, "--without-data", "--draws", "1"]).execute().await.expect_err("a verdict");
    assert!(failed.to_string().contains("breaks its bounds") && !failed.is_transient(), "{failed}");
    assert_eq!(failed.exit_code(), 2);
    let absent = run(&["validate", "/nonexistent.toml"]).execute().await.expect_err("a refusal");
    assert_eq!(absent.exit_code(), 1);
    assert!(absent.hint().contains("rampart lab validate --example"), "{}", absent.hint());
    // told once, though the error has a source
    assert_eq!(crate::error::chain(&absent).matches("No such file").count(), 1);
}

#[test]
fn printed_settings_parse_to_the_same() {
    let dir = tempfile::tempdir().expect("a directory");
    let (one, two) = (dir.path().join("one.toml"), dir.path().join("two.toml"));
    example::write(&one, example::TEXT).expect("a file");
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

#[test]
fn pause_without_a_class_leaves_trips_alone() {
    let cli = parse(line(&["pause", "--reason", "market test"])).expect("a command");
    let Command::Pause(args) = &cli.command else { panic!("another command") };
    assert!(args.class.is_empty() && !Group::WITHOUT_TRIPS.contains(&Group::Trip));
    let cli = parse(line(&["pause", "--class", "trip", "--reason", "r"])).expect("a command");
    let Command::Pause(args) = &cli.command else { panic!("another command") };
    assert_eq!(args.class, [Group::Trip]);
}

#[test]
fn printed_settings_hide_what_may_be_secret() {
    let text = "[cluster]\nrpc_url = \"https://u:p@node.example/v2/KEY\"\nguard = \"11111111111111111111111111111111\"\n\
                [keeper]\nname = \"k\"\nstate_dir = \"s\"\n[keys]\npayer_file = \"p\"\n";
    let settings: Config = toml::from_str(text).expect("settings");
    let printed = show::printed(&settings).expect("TOML").to_string();
    assert!(printed.contains("https://<hidden>@node.example/<hidden>") && !printed.contains("KEY"), "{printed}");
}

#[test]
fn schema_of_the_settings_takes_the_example_and_refuses_unknown_keys() {
    let schema = schemars::schema_for!(Config).to_value();
    let example: toml::Value = example::TEXT.parse::<toml::Table>().expect("TOML").into();
    assert_eq!(schema["additionalProperties"], false);
    let sections = schema["properties"].as_object().expect("sections");
    for section in example.as_table().expect("sections").keys() {
        assert!(sections.contains_key(section), "{section}");
    }
    let required: Vec<_> = schema["required"].as_array().expect("a list").iter().map(|key| key.as_str()).collect();
    assert_eq!(required, [Some("cluster"), Some("keeper"), Some("keys")]);
    assert_eq!(schema["$defs"]["Cluster"]["properties"]["guard"]["type"], "string");
}

#[test]
fn every_answer_and_every_error_come_in_one_envelope() {
    let out = Output { is_json: true, command: "status" };
    let envelope: serde_json::Value = serde_json::from_str(&out.envelope_of(&[1])).expect("JSON");
    assert_eq!(
        (&envelope["schema"], &envelope["command"], &envelope["data"]),
        (&1.into(), &"status".into(), &[1].into())
    );
}

#[test]
fn columns_are_as_wide_as_their_widest_cell() {
    let rows = [["A", "B"], ["long", "x"]].map(|row| row.map(str::to_owned).to_vec());
    assert_eq!(output::table(&rows), "A     B\nlong  x\n");
    assert_eq!(output::ago(0, 90_000), "90 s ago");
    assert_eq!(output::ago(0, 7_200_000), "2 h ago");
    assert_eq!(output::ago(10, 0), "0 s ago");
}

#[test]
fn capture_runs_on_its_own_beside_a_member_of_a_fleet() {
    let mut config: Config = toml::from_str(
        "[cluster]\nrpc_url = \"http://127.0.0.1:1\"\nguard = \"11111111111111111111111111111111\"\n[keeper]\nname = \"k\"\n\
         state_dir = \"s\"\n[keys]\npayer_file = \"p\"\n[fleet]\nmode = \"etcd\"\nmember = \"a\"\nendpoints = [\"http://127.0.0.1:2379\"]\n",
    )
    .expect("settings");
    assert_eq!(config.fleet.mode, config::FleetMode::Etcd);
    record_beside(&mut config, Path::new("c.gz"), Path::new("c.state"));
    assert_eq!(config.fleet.mode, config::FleetMode::Single, "the member's name is the keeper's");
    assert_eq!((config.capture.file, config.keeper.state_dir), (Some("c.gz".into()), "c.state".into()));
    assert!(config.notify.is_empty() && !config.takeover.watch);
}
