//! Ctrl-C: what is finished is kept, nothing is half written, and the exit code says that it was stopped.

use rampart_lab::validate::EXAMPLE;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

const PLAN: &str = "split = \"train\"\ntemplates = [\"flash-crash\", \"pump\"]\nvolumes = [300.0, 1_000.0, 3_000.0]\n\
                    ltv_bps = [7_000, 7_500]\nsoft_quota_bps = [0, 1_000]\ndrawdown_bps = [800, 1_600]\nseeds = [1, 2, 3]\n";

fn lab(dir: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rampart-lab"));
    command.args(words).current_dir(dir).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn interrupt(child: &Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}

/// Runs a command until `is_ready`, and then presses Ctrl-C.
fn stopped(dir: &Path, words: &[&str], is_ready: impl Fn(&Child) -> bool) -> (Output, String) {
    let mut child = lab(dir, words).spawn().unwrap();
    while !is_ready(&child) {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it could be stopped: {words:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(130), "{said}");
    (output, said)
}

/// The file of parts, once it has `least` lines.
fn parts(dir: &Path, least: usize) -> Option<PathBuf> {
    let found = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut found = found.filter(|path| path.extension().is_some_and(|end| end == "parts"));
    found.find(|path| std::fs::read_to_string(path).is_ok_and(|text| text.lines().count() >= least))
}

fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn stopped_validation_goes_on_from_its_finished_cases_and_comes_to_the_same_verdict() {
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [whole, cut] = dirs.each_ref().map(tempfile::TempDir::path);
    for dir in [whole, cut] {
        std::fs::write(dir.join("c.toml"), EXAMPLE).unwrap();
    }
    let words = ["validate", "c.toml", "--without-data", "--draws", "1", "--out", "v.json"];
    let through = lab(whole, &words).output().unwrap();
    assert_eq!(names(whole), ["c.toml", "v.json"], "{}", String::from_utf8_lossy(&through.stderr));

    let (output, said) = stopped(cut, &words, |_| parts(cut, 2).is_some());
    let path = parts(cut, 2).unwrap();
    let (name, text) = (path.file_name().unwrap().to_str().unwrap(), std::fs::read_to_string(&path).unwrap());
    assert_eq!(
        said,
        format!(
            "stopped: {} cases are kept in {name}, the same command goes on from there; no result was written\n",
            text.lines().count()
        ),
        "nothing else, and no bar, where there is no terminal"
    );
    assert!(output.stdout.is_empty() && text.ends_with('\n') && !cut.join("v.json").exists());

    let rest = lab(cut, &words).output().unwrap();
    assert_eq!((rest.status, &rest.stdout), (through.status, &through.stdout));
    assert_eq!(std::fs::read(cut.join("v.json")).unwrap(), std::fs::read(whole.join("v.json")).unwrap());
    assert_eq!(names(cut), ["c.toml", "v.json"]);
}

#[test]
fn stopped_training_and_backtest_keep_their_parts_and_the_file_that_was_there() {
    let training = "train policy --data empty --draws 1 --test-draws 1 --seeds 1 --rounds 1 --out out.json";
    for (line, what) in
        [(training, "parts"), ("backtest --on generated --draws 1 --out out.json", "plays of all markets")]
    {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        std::fs::create_dir(dir.join("empty")).unwrap();
        std::fs::write(dir.join("out.json"), "the one before").unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        let (_, said) = stopped(dir, &words, |_| parts(dir, 1).is_some());
        assert!(said.starts_with("stopped: ") && said.contains(&format!(" {what} are kept in out.json.")), "{said}");
        assert_eq!(std::fs::read_to_string(dir.join("out.json")).unwrap(), "the one before");
        assert_eq!(names(dir).len(), 3, "{:?}", names(dir));
    }
}

#[test]
fn stopped_sweep_names_its_file_of_cells() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    std::fs::write(dir.join("plan.toml"), PLAN).unwrap();
    let cells = || std::fs::read_to_string(dir.join("cells.jsonl")).unwrap_or_default();
    let (_, said) = stopped(dir, &["sweep", "plan.toml", "--out", "cells.jsonl"], |_| cells().lines().count() > 0);
    assert_eq!(said, "stopped: finished cells are in cells.jsonl, the same command goes on from there\n");
    assert!(cells().ends_with('\n'), "the last cell is whole");
}

#[test]
fn stopped_command_without_a_file_says_that_nothing_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    // Bit 1 of the caught signals is SIGINT.
    let is_caught = |child: &Child| {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let caught = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigCgt:")?.trim(), 16).ok());
        caught.is_some_and(|bits| bits & 2 != 0)
    };
    let (_, said) = stopped(dir, &["backtest", "--on", "generated", "--draws", "2"], is_caught);
    // before the markets are drawn it is the second text
    let texts = ["stopped: nothing was written\n", "stopped: no file was left half written\n"];
    assert!(texts.contains(&said.as_str()), "{said}");
    assert!(names(dir).is_empty());
}
