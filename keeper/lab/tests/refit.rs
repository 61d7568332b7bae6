//! The weekly refit from end to end, on a generated market: who is promoted, who isn't, and what a cut leaves behind.

use flate2::{Compression, write::GzEncoder};
use rampart_lab::data::{Series, load};
use rampart_lab::learn::{Decider, LearnError, Linear, Lspi};
use rampart_lab::market::Calm;
use rampart_lab::refit::{
    LIBRARY_FILE, Material, RefitError, Settings, Store, Taught, Verdict, WEEK_SECS, newest_week, refit, teach,
};
use rampart_score::policy::{
    Action, Library, LibraryError, Mode, POLICY_FORMAT, Policy, PolicyCard, PolicyFile, Rules, TILES,
    situation_schema_hex,
};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

/// Weeks of the market.
const WEEKS: usize = 17;

fn settings() -> Settings {
    Settings { shadow_weeks: 6, learn_weeks: 8, draws: 0, seeds: 1, rounds: 1, ..Settings::default() }
}

/// Writes a market of five-minute bars, seeded.
fn record(dir: &Path) {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let world = Calm { daily_vol: 0.01, beta: 0.0, ..Calm::default() }.world(WEEKS * 7 * 288, 300, &mut rng);
    let file = std::fs::File::create(dir.join("GENUSD_5m.csv.gz")).unwrap();
    let mut packed = GzEncoder::new(file, Compression::fast());
    writeln!(packed, "time,open,high,low,close,volume").unwrap();
    let mut open = world.steps[0].truth;
    for (at, step) in world.steps.iter().enumerate() {
        let (close, ts) = (step.truth, world.start_ts + 300 * at as i64);
        let (high, low) = (open.max(close), open.min(close));
        writeln!(packed, "{ts},{open},{high},{low},{close},{}", step.volume).unwrap();
        open = close;
    }
    packed.finish().unwrap();
}

fn market(dir: &Path) -> Vec<Series> {
    record(dir);
    vec![load(&dir.join("GENUSD_5m.csv.gz")).unwrap()]
}

fn policy(of: &[(Action, f64)]) -> Policy {
    let card = PolicyCard { name: "test".into(), ..PolicyCard::default() };
    let file = PolicyFile { format: POLICY_FORMAT, card, weights: weights(of), hash: String::new() };
    Policy::from_file(file).unwrap()
}

fn weights(of: &[(Action, f64)]) -> Vec<Vec<f64>> {
    let mut weights = vec![vec![0.0; TILES]; Action::COUNT];
    of.iter().for_each(|(action, value)| weights[action.index()][0] = *value);
    weights
}

/// Moves the reserve to and fro as often as the shield lets it, and pays for each move.
fn churner() -> Policy {
    policy(&[(Action::HedgeMore, 3.0), (Action::HedgeLess, 2.0)])
}

/// Leaves everything as it is, without a look at the material.
fn idler() -> Taught {
    Taught { weights: weights(&[]), transitions: 1, seeds: vec![1] }
}

fn seeded(dir: &Path, policy: Policy) -> PathBuf {
    let folder = dir.join("library");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(LIBRARY_FILE), Library::promote(None, policy).unwrap().to_json()).unwrap();
    folder
}

/// Learns from the same plays with rewards dealt out anew: there is nothing to learn in them.
fn teach_noise(material: &Material) -> Result<Taught, RefitError> {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let decider = Decider::Rules(Rules::default());
    let mut episodes: Vec<_> = material.learn.iter().map(|market| decider.record(market, 0.5, &mut rng)).collect();
    let mut outcomes: Vec<_> =
        episodes.iter().flat_map(|episode| episode.decisions.iter().map(|(_, outcome)| *outcome)).collect();
    outcomes.shuffle(&mut rng);
    let decisions = episodes.iter_mut().flat_map(|episode| &mut episode.decisions);
    decisions.zip(outcomes).for_each(|((_, to), from)| *to = from);
    let learned: Linear<TILES, { Action::COUNT }> = Lspi::default().learn(&episodes, &[0.0; 2])?;
    Ok(Taught { weights: learned.weights.map(|row| row.to_vec()).to_vec(), transitions: 1, seeds: vec![3] })
}

/// Name and content of all files of a folder.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| (path.file_name().unwrap().to_string_lossy().into(), std::fs::read(&path).unwrap())).collect()
}

#[test]
fn refit_promotes_what_is_surely_better_and_keeps_noise_out() {
    let dir = tempfile::tempdir().unwrap();
    let (data, settings) = (market(dir.path()), settings());
    let folder = seeded(dir.path(), churner());
    let library = Store::open(&folder).unwrap().library().unwrap().clone();
    let noise = refit(&settings, &data, &mut Store::open(&folder).unwrap(), &teach_noise, &|_| ()).unwrap();
    assert!(!matches!(noise[0].verdict, Verdict::Promoted { .. }), "{noise:?}");
    assert_eq!(Store::open(&folder).unwrap().library(), Some(&library), "the incumbent stays");

    let folder = seeded(&dir.path().join("again"), churner());
    let learn = |material: &Material| teach(&settings, material, Arc::new(|_| ()));
    let lines = refit(&settings, &data, &mut Store::open(&folder).unwrap(), &learn, &|_| ()).unwrap();
    assert!(matches!(lines[0].verdict, Verdict::Promoted { lower } if lower > 0.0), "{lines:?}");
    let store = Store::open(&folder).unwrap();
    let promoted = store.library().unwrap();
    assert_eq!(promoted.policies()[0], churner(), "who reigned before stays in the library");
    let card = promoted.reigning().card();
    assert_eq!((card.version, card.mode, promoted.reigning().hash()), (2, Mode::Shadow, &*lines[0].candidate.hash));
    assert_eq!((&card.training_data_sha256, &card.metrics), (&lines[0].data_sha256, &lines[0].metrics));
    assert!(card.metrics["gain_over_incumbent.lower"] > 0.0 && card.transitions > 0);
}

#[test]
fn refit_goes_on_where_it_was_cut_off_and_a_second_run_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let data = market(dir.path());
    let settings = Settings { from_ts: Some(newest_week(&data).unwrap() - 2 * WEEK_SECS), ..settings() };
    let calls = Cell::new(0);
    let learn = |_: &Material| {
        calls.set(calls.get() + 1);
        Ok(idler())
    };
    let run = |folder: &Path, learner: rampart_lab::refit::Learner| {
        calls.set(0);
        refit(&settings, &data, &mut Store::open(folder)?, learner, &|_| ())
    };
    let whole = seeded(&dir.path().join("whole"), churner());
    let before = files(&whole);
    let lines = run(&whole, &learn).unwrap();
    let verdicts: Vec<bool> = lines.iter().map(|line| matches!(line.verdict, Verdict::Promoted { .. })).collect();
    assert_eq!((verdicts, calls.get()), (vec![true, false, false], 3), "nobody is surely better than itself");
    let after = files(&whole);
    assert_eq!(after.keys().map(String::as_str).collect::<Vec<_>>(), [LIBRARY_FILE, "lock", "refits.jsonl"]);

    assert!(run(&whole, &learn).unwrap().is_empty());
    assert_eq!((files(&whole) == after, calls.get()), (true, 0), "a second run learns nothing and writes nothing");

    // the learner fails in the second week
    let cut = seeded(&dir.path().join("cut"), churner());
    let failing = |material: &Material| {
        if calls.get() == 1 { Err(RefitError::Learn(LearnError::Empty)) } else { learn(material) }
    };
    assert!(matches!(run(&cut, &failing), Err(RefitError::Learn(LearnError::Empty))));
    assert_eq!(Store::open(&cut).unwrap().journal().lines(), &lines[..1]);
    run(&cut, &learn).unwrap();
    assert_eq!((files(&cut) == after, calls.get()), (true, 2));

    // cut off behind the journal's line: the library that it names lies beside
    std::fs::rename(cut.join(LIBRARY_FILE), cut.join("library.staged.json")).unwrap();
    std::fs::write(cut.join(LIBRARY_FILE), &before[LIBRARY_FILE]).unwrap();
    assert!(run(&cut, &learn).unwrap().is_empty());
    assert_eq!(files(&cut), after);

    // cut off within the journal's line
    let journal = &after["refits.jsonl"];
    std::fs::write(cut.join("refits.jsonl"), &journal[..journal.len() - 5]).unwrap();
    assert_eq!((run(&cut, &learn).unwrap().len(), calls.get()), (1, 1));
    assert_eq!(files(&cut), after);
}

#[test]
fn folder_is_refused_when_it_is_held_torn_or_of_another_schema() {
    let dir = tempfile::tempdir().unwrap();
    let data = market(dir.path());
    let folder = seeded(dir.path(), churner());
    let before = files(&folder);
    let mut held = Store::open(&folder).unwrap();
    assert!(matches!(Store::open(&folder), Err(RefitError::Held(path)) if path == folder));
    refit(&settings(), &data, &mut held, &|_| Ok(idler()), &|_| ()).unwrap();
    drop(held);
    let after = files(&folder);

    std::fs::write(folder.join(LIBRARY_FILE), &before[LIBRARY_FILE]).unwrap();
    assert!(matches!(Store::open(&folder), Err(RefitError::Torn { .. })), "the journal names another one");
    let other = String::from_utf8(after[LIBRARY_FILE].clone()).unwrap().replacen(&situation_schema_hex(), "abc", 1);
    std::fs::write(folder.join(LIBRARY_FILE), &other).unwrap();
    let refused = Store::open(&folder).unwrap_err();
    assert!(
        matches!(&refused, RefitError::Library { source: LibraryError::Schema { found, .. }, .. } if found == "abc"),
        "{refused}"
    );
    assert_eq!(
        (std::fs::read(folder.join(LIBRARY_FILE)).unwrap(), &files(&folder)["refits.jsonl"]),
        (other.into(), &after["refits.jsonl"])
    );
}

#[test]
fn killed_command_goes_on_with_the_candidate_that_it_had_learned() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path());
    let command = |folder: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rampart-lab"));
        command.args(["refit", "--markets", "GENUSD_5m", "--weeks", "6", "--learn-weeks", "4", "--draws", "0"]);
        command.args(["--seeds", "1", "--rounds", "1"]).arg("--data").arg(dir.path()).arg("--library").arg(folder);
        command
    };
    let [whole, cut] = ["whole", "cut"].map(|name| seeded(&dir.path().join(name), churner()));
    let run = |folder: &Path| {
        let output = command(folder).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let said = run(&whole);
    assert!(said.contains("learning from") && said.contains("reigns with hash"), "{said}");

    let mut child = command(&cut).stdout(Stdio::null()).spawn().unwrap();
    while !cut.join("candidate.json").exists() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let said = run(&cut);
    assert!(!said.contains("learning from"), "it is not learned again: {said}");
    assert_eq!(files(&cut), files(&whole));
    assert!(run(&cut).starts_with("nothing is due; "));
}
