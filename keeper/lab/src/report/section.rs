//! What each kind of result becomes: notes, plots and tables.

use super::{Figure, Found, Plot, Section, Series, Table, plain};
use crate::backtest::{Outcome, Report as Backtest};
use crate::evaluate::{Interval, Results};
use crate::hedge::{Method, Outcome as HedgeOutcome, Study};
use crate::refit;
use crate::story::{Side, Story};
use crate::sweep::Line;
use crate::validate::{Case, Verdict};
use std::collections::BTreeMap;

/// Returns the section of a result, without the file's name and hash.
pub fn of(found: &Found) -> Section {
    match found {
        Found::Backtest(report) => backtest(report),
        Found::Verdict(verdict) => self::verdict(verdict),
        Found::Evaluation(results) => evaluation(results),
        Found::Sweep(lines) => sweep(lines),
        Found::Story(story) => self::story(story),
        Found::Hedge(study) => hedge(study),
        Found::Probe(probe) => told("Single defences", "probe", &probe.to_string()),
        Found::Policy(standings) => told("Learned policy", "train policy", &standings.to_string()),
        Found::Refits(lines) => told("Refits", "refit", &refit::table(lines)),
    }
}

fn section(title: String, kind: &str, notes: Vec<String>, figures: Vec<Figure>, tables: Vec<Table>) -> Section {
    Section { title, kind: kind.into(), file: String::new(), sha256: String::new(), notes, figures, tables }
}

/// Returns the section of a result whose own text already holds all that there is to say.
fn told(title: &str, kind: &str, text: &str) -> Section {
    let (notes, tables) = plain::parts(text);
    section(title.into(), kind, notes, Vec::new(), tables)
}

/// Returns the section of the targets.
pub fn of_targets(table: Table) -> Section {
    section("Against the targets".into(), "targets", Vec::new(), Vec::new(), vec![table])
}

fn figure(title: &str, description: String, plot: Plot) -> Figure {
    Figure { title: title.into(), description, plot }
}

fn backtest(report: &Backtest) -> Section {
    let names: Vec<String> = report.outcomes.iter().map(|outcome| outcome.name.clone()).collect();
    let bars = |title: &str, unit: &str, of: fn(&Outcome) -> f64| {
        let values: Vec<f64> = report.outcomes.iter().map(of).collect();
        let least = report.outcomes.iter().min_by(|a, b| of(a).total_cmp(&of(b)));
        let stands_out =
            least.map_or_else(String::new, |least| format!(" Least: {} with {:.2}.", least.name, of(least)));
        let description = format!("{title}, {unit}, for {} policies.{stands_out}", names.len());
        let series = vec![Series { name: unit.into(), values }];
        figure(title, description, Plot::Bars { unit: unit.into(), labels: names.clone(), series })
    };
    let gains =
        report.outcomes.iter().map(|outcome| [outcome.gain.mean, outcome.gain.low, outcome.gain.high]).collect();
    let gain_unit = "bps of the mean debt a year; right of 0 is less bad debt".to_owned();
    let figures = vec![
        bars("Bad debt", "bps of the mean debt a year", |outcome| outcome.metrics.bad_debt_bps_year),
        figure(
            &format!("Less bad debt than {}", report.reference),
            format!("Each policy's difference to {} with the middle 95 % over redrawn weeks.", report.reference),
            Plot::Intervals { unit: gain_unit, labels: names.clone(), values: gains },
        ),
        bars("Time that users were held up", "% of the time", |outcome| outcome.metrics.halted_bps / 100.0),
    ];
    let head = [
        "policy",
        "bad debt, bps/yr",
        "less than reference",
        "2.5 %",
        "97.5 %",
        "mean debt, M",
        "forced cost, bps/yr",
        "soft cost, bps/yr",
        "worst 5 % of weeks, bps",
        "halts",
        "false",
        "halted, %",
        "events",
        "warned, %",
        "lead, min",
        "fall ahead",
        "LTV offered, %",
    ];
    let row = |Outcome { name, metrics: m, gain }: &Outcome| {
        let numbers = [
            format!("{:.1}", m.bad_debt_bps_year),
            format!("{:.1}", gain.mean),
            format!("{:.1}", gain.low),
            format!("{:.1}", gain.high),
            format!("{:.2}", m.average_debt / 1e6),
            format!("{:.1}", m.forced_cost_bps_year),
            format!("{:.1}", m.soft_cost_bps_year),
            format!("{:.2}", m.es95_week_bps),
            m.halts.to_string(),
            m.false_halts.to_string(),
            format!("{:.2}", m.halted_bps / 100.0),
            m.events.to_string(),
            format!("{:.0}", m.warned_share * 100.0),
            format!("{:.0}", m.lead_secs / 60.0),
            format!("{:.2}", m.fall_ahead),
            format!("{:.1}", m.capital_efficiency * 100.0),
        ];
        std::iter::once(name.clone()).chain(numbers).collect()
    };
    let mut tables = vec![Table::new("Policies", &head, report.outcomes.iter().map(row).collect())];
    if !report.tried.is_empty() {
        let rows = report.tried.iter().map(|tried| {
            let m = &tried.metrics;
            vec![
                tried.name.clone(),
                format!("{:.1}", m.bad_debt_bps_year),
                format!("{:.2}", m.average_debt / 1e6),
                format!("{:.2}", m.halted_bps / 100.0),
                if tried.is_eligible { "yes" } else { "no" }.to_owned(),
            ]
        });
        let head =
            ["tried for the tuned rules", "bad debt, bps/yr", "mean debt, M", "halted, %", "within budget and debt"];
        tables.push(Table::new("Static rules that were tried, on the training split", &head, rows.collect()));
    }
    let notes = vec![format!("Seed {}. Differences are against {}.", report.seed, report.reference)];
    section(report.title.clone(), "backtest", notes, figures, tables)
}

fn verdict(verdict: &Verdict) -> Section {
    let labels: Vec<String> = verdict.cases.iter().map(|case| case.name.clone()).collect();
    let values = |of: fn(&Case) -> f64| verdict.cases.iter().map(of).collect();
    let series = vec![
        Series { name: "with the guard".into(), values: values(|case| case.guarded.bad_debt_bps) },
        Series { name: "its lines alone".into(), values: values(|case| case.unguarded.bad_debt_bps) },
    ];
    let failed = verdict.cases.iter().filter(|case| !case.failed.is_empty()).count();
    let description = format!("The worst path of each of {} cases; {failed} broke a bound.", labels.len());
    let unit = "bps of the debt at the start".to_owned();
    let figures = vec![figure("Bad debt by case", description, Plot::Bars { unit, labels, series })];
    let columns = Case::default().columns();
    let head: Vec<&str> = ["case", "verdict"].into_iter().chain(columns.iter().map(|(head, _)| *head)).collect();
    let rows = verdict.cases.iter().map(|case| {
        let values = case.columns().map(|(_, value)| value);
        [case.name.clone(), case.said()].into_iter().chain(values).collect()
    });
    let said = if verdict.is_passed { "passed" } else { "FAILED" };
    let mut notes = vec![
        format!(
            "{said}: mean bad debt {} bps, seed {}, {} draws.",
            verdict.mean_bad_debt_bps, verdict.seed, verdict.draws
        ),
        format!("Verdict {}, configuration {}.", verdict.hash(), verdict.config_sha256),
    ];
    notes.extend(verdict.failed.iter().map(|failed| format!("FAIL: {failed}")));
    notes.extend(verdict.skipped.iter().map(|skipped| format!("Skipped: {skipped}")));
    notes.extend(verdict.unplayed.iter().map(|rule| format!("Not played: {rule}")));
    let against = verdict.against.iter();
    notes.extend(against.map(|other| format!("Held against {}, configuration {}.", other.name, other.config_sha256)));
    notes.extend(verdict.moved());
    let tables = vec![Table::new("Cases", &head, rows.collect())];
    section(format!("Configuration {}", verdict.name), "validate", notes, figures, tables)
}

fn evaluation(results: &Results) -> Section {
    let label = |model: &str, task: &str| format!("{task}: {model}");
    let labels = results.metrics.iter().map(|row| label(&row.model, &row.task)).collect();
    let values = results.metrics.iter().map(|row| [row.auc.value, row.auc.low, row.auc.high]).collect();
    let unit = "area under the ROC curve; 0.5 is chance".to_owned();
    let mut figures = vec![figure(
        "Ranking",
        "Area under the ROC curve of each forecaster on each task, with 95 % over resampled weeks.".into(),
        Plot::Intervals { unit, labels, values },
    )];
    let tasks: Vec<&str> = results.metrics.iter().map(|row| row.task.as_str()).fold(Vec::new(), |mut seen, task| {
        if !seen.contains(&task) {
            seen.push(task);
        }
        seen
    });
    for task in tasks {
        let of_task = || results.metrics.iter().filter(|row| row.task == task);
        let most = of_task().flat_map(|row| &row.reliability).map(|(mean, share)| 100.0 * mean.max(*share));
        let most = most.fold(0.0, f64::max);
        let perfect = ("as forecast".to_owned(), vec![[0.0, 0.0], [most, most]]);
        let line = |row: &crate::evaluate::TaskMetrics| {
            (row.model.clone(), row.reliability.iter().map(|(mean, share)| [100.0 * mean, 100.0 * share]).collect())
        };
        let lines = std::iter::once(perfect).chain(of_task().take(3).map(line)).collect();
        let (x, y) = ("mean forecast of a tenth of the rows, %".to_owned(), "fell, %".to_owned());
        let description =
            "Share that fell over the mean forecast, ten bins of equal count; the straight line is perfect.";
        figures.push(figure(&format!("Reliability: {task}"), description.into(), Plot::Lines { x, y, lines }));
    }
    let interval = |value: f64, low: f64, high: f64| format!("{value:.3} ({low:.3} to {high:.3})");
    let rows = results.metrics.iter().map(|row| {
        let of = |metric: &crate::evaluate::Interval| interval(metric.value, metric.low, metric.high);
        let (rows, base) = (row.rows.to_string(), format!("{:.1}", 100.0 * row.base_rate));
        let numbers = [
            &row.auc,
            &row.auc_calm,
            &row.average_precision,
            &row.brier_skill,
            &row.calibration_error,
            &row.calibration_slope,
        ];
        let name = label(&row.model, &row.task);
        [name, rows, base].into_iter().chain(numbers.map(of)).collect()
    });
    let head = [
        "task and forecaster",
        "rows",
        "fell, %",
        "AUC",
        "AUC calm",
        "average precision",
        "Brier skill",
        "calibration error",
        "slope",
    ];
    let mut tables = vec![Table::new("Forecasters", &head, rows.collect())];
    let bins = results.metrics.iter().map(|row| {
        let cells = row.reliability.iter().map(|(mean, share)| format!("{:.2} / {:.2}", 100.0 * mean, 100.0 * share));
        std::iter::once(label(&row.model, &row.task)).chain(cells).collect()
    });
    let head = ["forecast / fell, %", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"];
    tables.push(Table::new("Reliability by tenth of the rows", &head, bins.collect()));
    let rows = results.announced.iter().map(|row| {
        vec![
            row.model.clone(),
            format!("{:.0}", 100.0 * row.aimed),
            format!("{:.1}", 100.0 * row.false_alarms),
            interval(100.0 * row.recall.value, 100.0 * row.recall.low, 100.0 * row.recall.high),
            format!("{:.0}", 100.0 * row.precision),
            row.lead_hours.map_or("-".into(), |hours| format!("{hours:.0}")),
        ]
    });
    let head = [
        "forecaster",
        "false alarm hours aimed at, %",
        "in the test, %",
        "events announced, %",
        "alarms followed, %",
        "lead, h",
    ];
    tables.push(Table::new("Events announced in the day before their low", &head, rows.collect()));
    let rows = results.coverage.iter().map(|row| {
        vec![
            format!("{}, {}, {:.1} %", row.symbol, row.method, 100.0 * (1.0 - row.level)),
            format!("{:.3}", 100.0 * row.rate),
            format!("{:.2}", row.kupiec),
            format!("{:.2}", row.independence),
            format!("{:.2}", row.conditional),
        ]
    });
    let head = ["hourly value at risk", "falls beyond, %", "Kupiec p", "independence p", "both p"];
    tables.push(Table::new("Coverage", &head, rows.collect()));
    let [from, to] = &results.test;
    let notes = vec![format!("Test {from} to {to} by calendar quarter, walked forward. Data {}.", results.data_sha256)];
    section("Crash model".into(), "evaluate", notes, figures, tables)
}

/// An axis of a sweep and a cell's place on it.
type Axis = (&'static str, fn(&Line) -> f64);

const AXES: [Axis; 8] = [
    ("debt, volumes of five minutes", |line| line.cell.volumes),
    ("share of the volume", |line| line.cell.market_share),
    ("impact Y", |line| line.cell.impact),
    ("latency, s", |line| f64::from(line.cell.latency_secs)),
    ("LTV, bps", |line| f64::from(line.cell.ltv_bps)),
    ("soft quota, bps an hour", |line| f64::from(line.cell.soft_quota_bps)),
    ("drawdown, bps", |line| line.cell.drawdown_bps as f64),
    ("window, s", |line| f64::from(line.cell.window_secs)),
];

fn sweep(lines: &[Line]) -> Section {
    let mut sorted: Vec<&Line> = lines.iter().collect();
    sorted.sort_by_key(|line| line.number);
    let mut figures = Vec::new();
    for (name, at) in AXES {
        let mut by_value: BTreeMap<u64, (f64, f64, u32)> = BTreeMap::new();
        for line in &sorted {
            // bits of a number that isn't negative are in its order
            let sums = by_value.entry(at(line).max(0.0).to_bits()).or_default();
            *sums = (sums.0 + line.metrics.bad_debt_bps_year, sums.1 + line.metrics.halted_bps, sums.2 + 1);
        }
        if by_value.len() < 2 {
            continue;
        }
        let points = by_value.iter().map(|(bits, (bad, _, count))| [f64::from_bits(*bits), bad / f64::from(*count)]);
        let description = format!("Mean bad debt over all cells with the same {name}, {} values.", by_value.len());
        let plot = Plot::Lines {
            x: name.into(),
            y: "bad debt, bps a year".into(),
            lines: vec![("mean of the cells".into(), points.collect())],
        };
        figures.push(figure(&format!("Bad debt by {name}"), description, plot));
    }
    let head: Vec<&str> = std::iter::once("cell")
        .chain(AXES.iter().map(|(name, _)| *name))
        .chain(["seed", "bad debt, bps/yr", "mean debt, M", "worst 5 % of weeks, bps", "halted, %"])
        .collect();
    let rows = sorted.iter().map(|line| {
        let m = &line.metrics;
        let tail = [
            line.cell.seed.to_string(),
            format!("{:.1}", m.bad_debt_bps_year),
            format!("{:.2}", m.average_debt / 1e6),
            format!("{:.2}", m.es95_week_bps),
            format!("{:.2}", m.halted_bps / 100.0),
        ];
        let axes = AXES.iter().map(|(_, at)| at(line).to_string());
        std::iter::once(line.number.to_string()).chain(axes).chain(tail).collect()
    });
    let tables = vec![Table::new("Cells", &head, rows.collect())];
    let plan = sorted.first().map_or("", |line| line.plan.as_str());
    let notes = vec![format!("{} cells of plan {plan}.", sorted.len())];
    section("Sweep".into(), "sweep", notes, figures, tables)
}

fn story(story: &Story) -> Section {
    let line =
        |name: &str, at: usize| (name.to_owned(), story.path.iter().map(|row| [row[0] / 60.0, row[at]]).collect());
    let plot = |y: &str, lines| Plot::Lines { x: "hours".into(), y: y.into(), lines };
    let (ours, bare) = (&story.guarded, &story.unguarded);
    let figures = vec![
        figure(
            "Price",
            "The true price over the hours of the scenario.".into(),
            plot("loan for one", vec![line("price", 1)]),
        ),
        figure(
            "Lost so far",
            format!(
                "Bad debt as it grew: {:.0} with the guard at the end, {:.0} without.",
                ours.bad_debt, bare.bad_debt
            ),
            plot("whole tokens of the loan", vec![line("with the guard", 2), line("without", 3)]),
        ),
    ];
    let sums = Side::LINES.iter().map(|(name, of)| vec![(*name).to_owned(), of(ours), of(bare)]);
    let moments = story.moments.iter().map(|m| {
        vec![
            m.minute.to_string(),
            format!("{:.4}", m.truth),
            m.score.map_or("-".into(), |score| score.to_string()),
            m.risk.clone(),
            m.exit.clone(),
            format!("{:.0}", m.lost),
            format!("{:.0}", m.lost_unguarded),
            m.what.join("; "),
        ]
    });
    let tables = vec![
        Table::new("Sums", &["whole tokens of the loan", "with the guard", "without"], sums.collect()),
        Table::new(
            "What happened",
            &["minute", "price", "score", "new risk", "exits", "lost", "lost without", "what"],
            moments.collect(),
        ),
    ];
    let notes = vec![format!(
        "Seed {}, scenario {}, guard {} ({}). Without: the same lines, no rules, limits or soft deleveraging.",
        story.seed, story.scenario_sha256, story.guard, story.guard_sha256
    )];
    section(format!("Attack {}", story.name), "attack run", notes, figures, tables)
}

fn hedge(study: &Study) -> Section {
    let all = || study.pairs.iter().flat_map(|pair| pair.outcomes.iter().map(move |one| (pair, one)));
    let label = |pair: &str, method: Method| format!("{pair}: {}", method.name());
    let intervals = |title: &str, description: &str, of: fn(&HedgeOutcome) -> &Interval| {
        let labels = all().map(|(pair, one)| label(&pair.name, one.method)).collect();
        let values = all().map(|(_, one)| [of(one).value, of(one).low, of(one).high].map(|share| 100.0 * share));
        let plot = Plot::Intervals { unit: "%; right of 0 is safer".into(), labels, values: values.collect() };
        figure(title, format!("{description}, with 95 % over resampled weeks."), plot)
    };
    let figures = vec![
        intervals("Variance cut", "Part of the variance that each way takes away, after costs", |one| {
            &one.variance_cut
        }),
        intervals("Worst days cut", "Part of the mean of the worst 1 % of days that each way takes away", |one| {
            &one.day_cut
        }),
    ];
    let percent = |share: f64| format!("{:.1}", 100.0 * share);
    let of = |of: &Interval| format!("{:.1} ({:.1} to {:.1})", 100.0 * of.value, 100.0 * of.low, 100.0 * of.high);
    let rows = all().map(|(pair, one)| {
        vec![
            label(&pair.name, one.method),
            format!("{:.2}", one.held),
            of(&one.variance_cut),
            one.crisis_variance_cut.map_or_else(|| "-".into(), percent),
            percent(pair.unhedged.day),
            percent(one.worst.day),
            of(&one.day_cut),
            one.over_selling.as_ref().map_or_else(|| "-".into(), of),
            format!("{:.0}", one.trades_year),
            format!("{:.0}", one.cost_bps_year),
            format!("{:.0}", one.carry_bps_year),
        ]
    });
    let head = [
        "way",
        "held",
        "variance cut, %",
        "in crises, %",
        "worst days without, %",
        "worst days, %",
        "worst days cut, %",
        "more than selling, points",
        "trades a year",
        "trades, bps/yr",
        "holding, bps/yr",
    ];
    let mut tables = vec![Table::new("Ways to hold less of the risk", &head, rows.collect())];
    let crises = study.pairs.iter().flat_map(|pair| pair.crises.iter().map(move |crisis| (pair, crisis)));
    let rows = crises.map(|(pair, crisis)| {
        let known = crisis.correlation.map_or_else(|| "-".into(), |value| format!("{value:.2}"));
        let hedged = crisis.hedged.iter().copied().map(percent);
        [format!("{}: {}", pair.name, crisis.name), known, percent(crisis.unhedged)].into_iter().chain(hedged).collect()
    });
    let head: Vec<&str> =
        ["crisis", "correlation", "no hedge, %"].into_iter().chain(Method::ALL.map(Method::name)).collect();
    tables.push(Table::new("Crises, sums of returns", &head, rows.collect()));
    // what was assumed is the first paragraph of the study's own text
    let notes: Vec<String> = study.to_string().lines().take(1).map(str::to_owned).collect();
    section("Hedging one asset by another".into(), "hedge", notes, figures, tables)
}
