//! The lab's commands, on generated markets: recorded ones aren't part of the repository, and take minutes.

use crate::stage::{Run, Stage};
use axum::Router;
use axum::extract::Path as Of;
use axum::routing::get;
use flate2::Compression;
use flate2::write::GzEncoder;
use rampart_lab::train::{DEAD, MAJORS};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

/// Everything that is typed in the lab.
pub const RUNS: &[&[Run]] = &[ATTACKS, GUARDS, MARKETS, STUDIES, RESULTS, MODELS, REFITS, LEARNING, ARCHIVE];

const ATTACKS: &[Run] = &[
    Run::new("rampart lab", "Usage: rampart lab").ends(64),
    Run::new("rampart lab attack list", "flash-crash"),
    Run::new("rampart lab attack run NAME --seed N", "flash-crash")
        .typed("rampart lab attack run flash-crash --seed 1"),
    Run::new("rampart lab attack run NAME --seed N --guard CONFIG.toml", "flash-crash")
        .typed("rampart lab attack run flash-crash --seed 1 --guard deploy/guards/sol.toml"),
];

/// `guard.toml` is the stablecoin's: fewer cases are about it.
const GUARDS: &[Run] = &[
    Run::new("rampart lab validate --example", "[vault]"),
    Run::new("rampart lab validate deploy/guards/sol.toml", "passed")
        .typed("rampart lab validate deploy/guards/sol.toml --without-data --draws 1"),
    Run::new("rampart lab validate guard.toml --without-data", "passed")
        .typed("rampart lab validate guard.toml --without-data --draws 1"),
    Run::new("rampart lab validate FILE", "no recorded markets")
        .typed("rampart lab validate guard.toml --data none")
        .ends(1),
    Run::new("rampart lab validate", "[vault]").typed("rampart lab validate --example"),
    Run::new("rampart lab validate NEXT.toml --against TODAY.toml", "passed")
        .typed("rampart lab validate guard.toml --against deploy/guards/stablecoin.toml --without-data --draws 1"),
];

const MARKETS: &[Run] = &[
    Run::new("rampart lab data check", "SOLUSDT_5m.csv.gz"),
    Run::new("rampart lab data check --data DIR", "SOLUSDT_5m.csv.gz").typed("rampart lab data check --data market"),
    Run::new("rampart lab backtest", "| no guard").typed("rampart lab backtest --markets SOLUSDT_5m"),
    Run::new("rampart lab backtest --out FILE", "| no guard")
        .typed("rampart lab backtest --markets SOLUSDT_5m --out backtest.json"),
    Run::new("rampart lab backtest --on generated --out FILE", "| no guard")
        .typed("rampart lab backtest --on generated --draws 1 --out attacks.json"),
];

const STUDIES: &[Run] = &[
    Run::new("rampart lab hedge", "| SOLUSDT_1h/ETHUSDT_1h").typed("rampart lab hedge --resamples 20"),
    Run::new("rampart lab hedge --docs FILE", "| SOLUSDT_1h/ETHUSDT_1h")
        .typed("rampart lab hedge --resamples 20 --docs page.md"),
    Run::new("rampart lab hedge --docs docs/risk-results.md", "generated-1/factor")
        .typed("rampart lab hedge --on generated --draws 1 --resamples 20 --docs page.md"),
    Run::new("rampart lab hedge --out FILE", "generated-1/factor")
        .typed("rampart lab hedge --on generated --draws 1 --resamples 20 --out hedge.json"),
    Run::new("rampart lab probe --out FILE", "| pump |")
        .typed("rampart lab probe --markets SOLUSDT_5m --draws 1 --out probe.json"),
    Run::new("rampart lab probe", "| 3 % in 1 h |").typed("rampart lab probe --markets SOLUSDT_5m --draws 1"),
    Run::new("rampart lab probe --docs FILE", "| 3 % in 1 h |")
        .typed("rampart lab probe --markets SOLUSDT_5m --draws 1 --docs page.md"),
    Run::new("rampart lab probe --docs docs/risk-results.md", "| pump |")
        .typed("rampart lab probe --markets SOLUSDT_5m --draws 1 --docs page.md --out probe.json"),
];

/// Of what a backtest and a verdict left.
const RESULTS: &[Run] = &[
    Run::new("rampart lab sweep PLAN.toml --out FILE", "cells").typed("rampart lab sweep plan.toml --out cells.jsonl"),
    Run::new("rampart lab merge PLAN.toml FILE --out FILE", "cells")
        .typed("rampart lab merge plan.toml cells.jsonl --out merged.jsonl"),
    Run::new("rampart lab report", "3 plots, 2 tables").typed("rampart lab report backtest.json --html page.html"),
    Run::new("rampart lab report FILE --html FILE", "(validate, report.json)")
        .typed("rampart lab report backtest.json report.json merged.jsonl --html page.html --out page.json"),
    Run::new("rampart lab report --docs FILE", "Against the targets")
        .typed("rampart lab report backtest.json --docs page.md"),
    Run::new("rampart lab report FILE --docs docs/risk-results.md", "Against the targets")
        .typed("rampart lab report backtest.json attacks.json --docs page.md"),
];

const MODELS: &[Run] = &[
    Run::new("rampart lab train crash", "crash-v1.json"),
    Run::new("rampart lab train crash --data DIR", "crash-v1.json").typed("rampart lab train crash --data market"),
    Run::new("rampart lab evaluate", "AUC").typed("rampart lab evaluate --resamples 5"),
    Run::new("rampart lab evaluate --docs FILE", "AUC").typed("rampart lab evaluate --resamples 5 --docs page.md"),
    Run::new("rampart lab evaluate --data DIR --docs docs/risk-results.md", "AUC")
        .typed("rampart lab evaluate --resamples 5 --data market --docs page.md"),
    Run::new("rampart lab evaluate --tune --data DIR", "calibration")
        .typed("rampart lab evaluate --tune --data market"),
    Run::new("rampart lab evaluate --without-volume", "calibration slope")
        .typed("rampart lab evaluate --without-volume --resamples 5"),
];

const REFITS: &[Run] = &[
    Run::new("rampart lab refit --library DIR", "candidate").typed(
        "rampart lab refit --library library --markets SOLUSDT_5m --weeks 4 --learn-weeks 4 --seeds 1 --rounds 1 --draws 0",
    ),
    Run::new("rampart lab refit --library DIR --from 2024-08-26", "candidate").typed(
        "rampart lab refit --library dated --from 2022-11-07 --markets SOLUSDT_5m --weeks 4 --learn-weeks 4 --seeds 1 --rounds 1 --draws 0",
    ),
    Run::new("rampart lab refit", "candidate").typed(
        "rampart lab refit --library other --markets SOLUSDT_5m --weeks 4 --learn-weeks 4 --seeds 1 --rounds 1 --draws 0",
    ),
];

/// Many minutes of work: it is begun, and stopped by Ctrl-C once parts of it are finished.
const LEARNING: &[Run] = &[Run::new("rampart lab train policy --results FILE", "the same command goes on from there")
    .typed("rampart lab train policy --draws 1 --test-draws 1 --seeds 1 --rounds 1 --results policy.json")
    .ends(130)];

const ARCHIVE: &[Run] = &[
    Run::new("rampart lab fetch", "SOLUSDT_1d.csv.gz")
        .typed("rampart lab fetch SOLUSDT 1d 2020-08 2020-09 --data fetched --archive {ARCHIVE}"),
    Run::new("rampart lab fetch SOLUSDT 1h 2020-08 2025-06 --data DIR", "SOLUSDT_1h.csv.gz")
        .typed("rampart lab fetch SOLUSDT 1h 2020-08 2020-10 --data fetched --archive {ARCHIVE}"),
    Run::new("rampart lab fetch SOLUSDT 5m 2023-07 2025-06 --data DIR", "SOLUSDT_5m.csv.gz")
        .typed("rampart lab fetch SOLUSDT 5m 2023-07 2023-08 --data fetched --archive {ARCHIVE}"),
];

/// So many prices a step apart, whose steps have fat tails, as a file of candles.
fn record(stage: &Stage, name: &str, span: (i64, i64), step_secs: i64) {
    let mut rng = ChaCha8Rng::seed_from_u64(name.bytes().map(u64::from).sum());
    let noise = StandardNormal;
    let (mut text, mut price, mut variance) = ("time,open,high,low,close,volume\n".to_owned(), 100.0_f64, 1.0_f64);
    let scale = 0.06 * (step_secs as f64 / 86_400.0).sqrt();
    for ts in (span.0..span.1).step_by(step_secs as usize) {
        let mut draw = || -> f64 { noise.sample(&mut rng) };
        // a ratio of normals has the tails of a crash, and its square lets one follow another
        let shock = draw() / (0.4 + draw().abs());
        variance = 0.98 * variance + 0.02 * shock.powi(2).min(25.0);
        let open = price;
        price *= (scale * variance.sqrt() * 0.7 * shock.clamp(-8.0, 8.0) - 1e-4 * (price / 100.0).ln()).exp();
        let _ = writeln!(
            text,
            "{ts},{open},{},{},{price},{}",
            open.max(price),
            open.min(price),
            1_000.0 * (0.5 * draw()).exp()
        );
    }
    let file = std::fs::File::create(stage.path(&format!("market/{name}.csv.gz"))).expect("a file");
    let mut packed = GzEncoder::new(file, Compression::fast());
    packed.write_all(text.as_bytes()).and_then(|()| packed.finish().map(drop)).expect("a file");
}

const DAY: i64 = 86_400;
/// Four weeks around the day from which the backtest's results are.
const MONTH: (i64, i64) = (1_663_632_000, 1_663_632_000 + 28 * DAY);
/// As many weeks as a refit needs.
const WEEKS: (i64, i64) = (1_661_990_400, 1_661_990_400 + 70 * DAY);
/// From 2018 to the middle of 2025: what the quarters of an evaluation are fitted on.
const YEARS: (i64, i64) = (1_514_764_800, 1_751_328_000);

/// A directory with generated markets, a guard's file, and pages with the blocks that commands fill.
fn desk(span: (i64, i64), years: &[&str]) -> Stage {
    let mut stage = Stage::empty();
    stage.set("RAMPART_DATA", "market".to_owned());
    ["deploy"].iter().for_each(|folder| stage.link(folder));
    std::fs::create_dir(stage.path("market")).expect("a folder");
    record(&stage, "SOLUSDT_5m", span, 300);
    for name in years {
        // one has all of the past, the others as much as the last quarter needs
        let from = if *name == "BTCUSDT" { YEARS.0 } else { YEARS.1 - 200 * DAY };
        record(&stage, &format!("{name}_1h"), (from, YEARS.1), 3_600);
    }
    let page = |name: &str| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name);
    std::fs::copy(page("deploy/guards/stablecoin.toml"), stage.path("guard.toml")).expect("a file");
    std::fs::copy(page("docs/risk-results.md"), stage.path("page.md")).expect("a file");
    stage.write("plan.toml", PLAN);
    stage
}

const PLAN: &str = "split = \"test\"\ntemplates = [\"flash-crash\"]\nvolumes = [300.0]\nltv_bps = [7_000]\n\
                    soft_quota_bps = [0, 1_000]\ndrawdown_bps = [1_600]\nseeds = [1]\n";

#[test]
fn attacks_and_guards_are_played_as_the_documentation_says() {
    let stage = desk(MONTH, &[]);
    stage.all(ATTACKS);
    stage.all(GUARDS);
}

#[test]
fn markets_are_played_as_the_documentation_says() {
    let stage = desk(MONTH, &[]);
    stage.all(MARKETS);
    let judged = "rampart lab validate guard.toml --without-data --draws 1 --out report.json";
    stage.run(&Run::new(judged, "passed"));
    stage.all(RESULTS);
}

#[test]
fn studies_are_made_as_the_documentation_says() {
    let stage = desk(MONTH, &["BTCUSDT", "ETHUSDT", "SOLUSDT", "LINKUSDT"]);
    let page = std::fs::read_to_string(stage.path("page.md")).expect("the page");
    stage.all(STUDIES);
    assert_ne!(std::fs::read_to_string(stage.path("page.md")).expect("the page"), page, "its blocks are written anew");
}

#[test]
fn models_are_trained_and_judged_as_the_documentation_says() {
    desk(MONTH, &[&MAJORS[..], &DEAD].concat()).all(MODELS);
}

#[test]
fn refits_are_done_as_the_documentation_says() {
    desk(WEEKS, &[]).all(REFITS);
}

/// The longest that the first part is waited for.
const LEARNING_SECS: u32 = 600;

#[test]
fn learning_is_stopped_and_loses_nothing() {
    let stage = desk(MONTH, &[]);
    let learning = stage.start(&LEARNING[0]);
    let is_part = |path: &std::path::Path| {
        path.extension().is_some_and(|end| end == "parts")
            && std::fs::read_to_string(path).is_ok_and(|text| text.contains('\n'))
    };
    let has_part = || {
        let all = std::fs::read_dir(stage.path("artifacts/models"));
        all.is_ok_and(|mut all| all.any(|entry| entry.is_ok_and(|entry| is_part(&entry.path()))))
    };
    for _ in 0..LEARNING_SECS {
        if has_part() {
            break;
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    learning.interrupt();
}

/// A month of the archive: one candle, with its checksum beside it.
async fn month(Of((_, _, file)): Of<(String, String, String)>) -> Vec<u8> {
    let name = file.trim_end_matches(".CHECKSUM");
    let (year, rest) =
        name.rsplit_once('-').map(|(head, month)| (head.rsplit('-').next().expect("a year"), month)).expect("a month");
    let month: i64 = rest.trim_end_matches(".zip").parse().expect("a month");
    let ts = (year.parse::<i64>().expect("a year") * 12 + month - 1970 * 12) * 30 * DAY * 1_000;
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.start_file("month.csv", zip::write::SimpleFileOptions::default()).expect("a zip");
    writer.write_all(format!("{ts},10,11,9,10,5,0,0,0,2,0,0\n").as_bytes()).expect("a line");
    let zip = writer.finish().expect("a zip").into_inner();
    let sum = hex::encode(solana_sdk::hash::hash(&zip).to_bytes());
    if file.ends_with(".CHECKSUM") { format!("{sum}  {name}\n").into_bytes() } else { zip }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn markets_are_downloaded_as_the_documentation_says() {
    let mut stage = Stage::empty();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    stage.know("ARCHIVE", format!("http://{}", listener.local_addr().expect("an address")));
    let app = Router::new().route("/{symbol}/{interval}/{file}", get(month));
    tokio::spawn(async move { axum::serve(listener, app).await });
    stage.all(ARCHIVE);
}
