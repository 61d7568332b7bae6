use super::*;
use crate::attack::{Split, generate, suite, template};
use crate::backtest::{Market, compare};
use crate::policy::{Contender, Fixed};
use crate::pool::{GuardConfig, Settings};
use crate::sweep::{Journal, Plan as Grid};
use crate::validate::{Config, EXAMPLE, Plan as Cases, validate};
use crate::work::Work;
use std::path::Path;

/// A name that would be a script, if it were not escaped.
const HOSTILE: &str = "<script>alert('&\"x\")</script>";

fn backtest() -> crate::backtest::Report {
    let name = |name: &str, guard| Fixed { name: name.into(), guard };
    let contenders = [name(HOSTILE, GuardConfig::unguarded()), name("lower", GuardConfig::unguarded().with_ltv(6_500))];
    let markets: Vec<Market> =
        suite(Split::Train, 1, 1).take(2).map(|scenario| Market::new(scenario, Settings::default(), 300.0)).collect();
    let all: Vec<&dyn Contender> = contenders.iter().map(|one| one as &dyn Contender).collect();
    compare("two markets", &all, &markets, 0, 1, &mut Work::quiet())
}

fn hedge() -> crate::hedge::Study {
    let pair = crate::hedge::generated(140, 1);
    crate::hedge::Study::of(&[pair], &crate::hedge::Assumptions::default(), 20, 1).unwrap()
}

fn probe() -> crate::probe::Probe {
    let outage = crate::probe::Outage { name: "covid".into(), bad_debt_bps: [100.0, 140.0], cost_bps: [0.0; 2] };
    crate::probe::Probe { outages: vec![outage], ..crate::probe::Probe::default() }
}

fn written(dir: &Path, name: &str, result: &impl serde::Serialize) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, serde_json::to_string(result).unwrap()).unwrap();
    path
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let config = Config::parse(EXAMPLE).unwrap();
    let verdict =
        validate(&config, Cases { data: None, draws: 1, seed: 3, against: None }, &mut Work::quiet()).unwrap();
    let scenario = generate(&template("pump").unwrap(), Split::Test, 2).unwrap();
    let story = crate::story::tell(&config, None, scenario, 0);
    let plan = "split = \"train\"\ntemplates = [\"flash-crash\"]\nvolumes = [300.0, 3_000.0]\nltv_bps = [7_500]\n\
                soft_quota_bps = [0]\ndrawdown_bps = [800]\nseeds = [1]\n";
    let plan = Grid::parse(Path::new("plan.toml"), plan).unwrap();
    let cells = dir.join("cells.jsonl");
    let mut journal = Journal::open(&cells, &plan).unwrap();
    crate::sweep::run(&plan, "0/1".parse().unwrap(), &mut journal, None, |_, _| true).unwrap();
    let envelope = serde_json::json!({ "schema": 1, "command": "lab", "version": "0", "data": verdict });
    vec![
        written(dir, "backtest.json", &backtest()),
        written(dir, "verdict.json", &envelope),
        cells,
        written(dir, "story.json", &story),
        written(dir, "hedge.json", &hedge()),
        written(dir, "probe.json", &probe()),
    ]
}

#[test]
fn page_has_a_heading_a_plot_and_a_table_for_every_result_and_nothing_to_load() {
    let dir = tempfile::tempdir().unwrap();
    let found = report("All <results>", &files(dir.path())).unwrap();
    let kinds: Vec<&str> = found.sections.iter().map(|section| section.kind.as_str()).collect();
    assert_eq!(kinds, ["backtest", "validate", "sweep", "attack run", "hedge", "probe", "targets"]);
    let page = found.html().unwrap();
    let count = |text: &str| page.matches(text).count();
    let (figures, tables) = found
        .sections
        .iter()
        .fold((0, 0), |(figures, tables), one| (figures + one.figures.len(), tables + one.tables.len()));
    assert_eq!((count("<h2 "), count("<figure>"), count("<table>")), (7, figures, tables));
    assert_eq!((count("<svg"), count("role=\"img\" aria-label=\"")), (figures, figures));
    assert!(found.sections[..5].iter().all(|one| !one.figures.is_empty()));
    assert!(found.sections.iter().all(|one| !one.tables.is_empty()));
    assert!(count("<th scope=\"row\"") > 0 && count("<th scope=\"col\"") > 0 && count("<caption") == tables);
    assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">") && page.contains("prefers-color-scheme: dark"));
    for loads in ["src=", "href=\"http", "url(", "@import", "<script", "<link"] {
        assert_eq!(count(loads), 0, "{loads}");
    }
}

#[test]
fn names_are_escaped_in_tables_titles_and_plots() {
    let dir = tempfile::tempdir().unwrap();
    let path = written(dir.path(), "backtest.json", &backtest());
    let page = report(HOSTILE, &[path]).unwrap().html().unwrap();
    assert!(!page.contains("<script") && !page.contains("alert('&\""));
    assert!(page.contains("<title>&lt;script&gt;"));
    let plot = &page[page.find("<svg").unwrap()..page.find("</svg>").unwrap()];
    assert!(plot.contains("&lt;script&gt;"), "{plot}");
}

#[test]
fn equal_files_give_an_equal_page_and_its_json_reads_back() {
    let dir = tempfile::tempdir().unwrap();
    let files = files(dir.path());
    let (one, two) = (report("r", &files).unwrap(), report("r", &files).unwrap());
    assert_eq!(one.html().unwrap(), two.html().unwrap());
    let read: Report = serde_json::from_str(&serde_json::to_string(&one).unwrap()).unwrap();
    // numbers may lose their last bit on the way
    assert_eq!(read.html().unwrap(), one.html().unwrap());
    assert_eq!(one.sections[0].sha256, crate::data::sha256_hex(&std::fs::read(&files[0]).unwrap()));
}

#[test]
fn every_value_of_a_plot_of_policies_is_in_the_table() {
    let dir = tempfile::tempdir().unwrap();
    let found = report("r", &[written(dir.path(), "backtest.json", &backtest())]).unwrap();
    let section = &found.sections[0];
    let Plot::Bars { series, labels, .. } = &section.figures[0].plot else { panic!("bars") };
    for (label, value) in labels.iter().zip(&series[0].values) {
        let row = section.tables[0].rows.iter().find(|row| row[0] == *label).unwrap();
        assert_eq!(row[1], format!("{value:.1}"));
    }
}

#[test]
fn document_gets_the_sections_of_its_results_and_what_was_aimed_at() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("results.md");
    let files = [written(dir.path(), "backtest.json", &backtest()), written(dir.path(), "probe.json", &probe())];
    let marked = |(begin, end): (&str, &str)| format!("{begin}\nold\n{end}\n");
    let marks = [crate::backtest::marks(&backtest()), (crate::probe::BEGIN, crate::probe::END), TARGETS];
    let text = format!("# Results\n{}prose\n", marks.map(marked).concat());
    std::fs::write(&path, &text).unwrap();
    assert_eq!(document(&path, &files).unwrap(), marks.map(|(begin, _)| begin));
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(written.starts_with("# Results\n") && written.ends_with("prose\n") && !written.contains("\nold\n"));
    assert!(written.contains(&backtest().to_string()) && written.contains(&probe().to_string()));
    let missed = "| bad debt of four hours without a keeper, against with one, recorded crises | at most +25 % | covid +40 % |  | **missed** |";
    assert!(written.contains(missed), "{written}");
    document(&path, &files).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), written, "equal files write an equal document");
}

#[test]
fn document_without_a_place_is_named_with_the_lines_it_lacks_and_stays() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("results.md");
    let text = format!("{}\nold\n{}\n", crate::probe::BEGIN, crate::probe::END);
    std::fs::write(&path, &text).unwrap();
    let error = document(&path, &[written(dir.path(), "probe.json", &probe())]).unwrap_err();
    let (begin, end) = TARGETS;
    let place = "in this order: add them where the section belongs";
    assert_eq!(error.to_string(), format!("{} has no lines `{begin}` and `{end}` {place}", path.display()));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn file_that_is_no_result_is_named() {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in [("a.json", "{\"x\": 1}"), ("b.json", "no json"), ("c.json", ""), ("d.json", "{\"cases\": 1}")]
    {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        let error = report("r", std::slice::from_ref(&path)).unwrap_err();
        assert!(matches!(&error, ReportError::Unknown { path: at, .. } if *at == path), "{error}");
    }
    assert!(matches!(report("r", &[dir.path().join("absent")]), Err(ReportError::Read { .. })));
}
