//! `rampart lab refit`: the weekly refit of the policy, with a gated promotion.

use super::train::day;
use super::{DataArgs, LabError, Printer};
use crate::data::{Checksums, DataError, Series, load, sha256_hex};
use crate::refit::{LIBRARY_FILE, Line, Settings, Store, Verdict, refit, teach};
use crate::time::format_day;
use crate::work::at_interrupt;
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is refitted, and where it is kept.
#[derive(Clone, Debug, Args)]
pub struct RefitArgs {
    #[command(flatten)]
    data: DataArgs,
    /// Folder of the library, its journal and the work in progress
    #[arg(long, value_name = "DIR")]
    library: PathBuf,
    /// Markets to learn from and to judge on, by the name of their files
    #[arg(long, value_delimiter = ',', default_value = "SOLUSDT_5m,ETHUSDT_5m,BTCUSDT_5m")]
    markets: Vec<String>,
    /// Refit at every week from this day on that isn't in the journal, YYYY-MM-DD [default: the newest week that all
    /// markets have reached]
    #[arg(long, value_name = "DAY", value_parser = day)]
    from: Option<i64>,
    /// No refit after this day, YYYY-MM-DD
    #[arg(long, value_name = "DAY", value_parser = day)]
    until: Option<i64>,
    /// Weeks between the cut and the refit, on which the candidate is judged
    #[arg(long, default_value_t = 13, value_parser = clap::value_parser!(u32).range(2..=520))]
    weeks: u32,
    /// The most weeks before the cut to learn from
    #[arg(long, default_value_t = 52, value_parser = clap::value_parser!(u32).range(4..=1_040))]
    learn_weeks: u32,
    /// Draws of each attack of the training split to learn from, and of the test split to judge on
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(0..=100))]
    draws: u64,
    /// Seeds of training
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=100))]
    seeds: u64,
    /// Rounds of the constraints' multipliers
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=10))]
    rounds: u64,
}

impl RefitArgs {
    fn settings(&self) -> Settings {
        Settings {
            from_ts: self.from,
            until_ts: self.until,
            shadow_weeks: self.weeks,
            learn_weeks: self.learn_weeks,
            draws: self.draws,
            seeds: self.seeds,
            rounds: self.rounds as usize,
        }
    }
}

/// Runs the command.
pub fn run(args: &RefitArgs, out: Printer) -> Result<(), LabError> {
    let dir = args.data.dir()?;
    let data = args.markets.iter().map(|name| read(&dir, name)).collect::<Result<Vec<Series>, _>>()?;
    let settings = args.settings();
    let mut store = Store::open(&args.library)?;
    let kept = args.library.clone();
    at_interrupt(move || {
        format!(
            "stopped: a learned candidate and finished refits are kept in {}, the same command goes on from there",
            kept.display()
        )
    });
    let learn = |material: &crate::refit::Material| {
        out.line(format_args!("learning from {} markets before {}", material.learn.len(), format_day(material.cut_ts)));
        teach(&settings, material, Arc::new(move |line| out.line(line)))
    };
    let done = refit(&settings, &data, &mut store, &learn, &|line| out.line(told(line)))?;
    let library = store.library();
    let reigns = library.map_or_else(
        || "no policy was promoted yet".into(),
        |library| {
            let policy = library.reigning();
            format!("version {} reigns with hash {} in {LIBRARY_FILE}", policy.card().version, policy.hash())
        },
    );
    let text = if done.is_empty() { format!("nothing is due; {reigns}") } else { reigns };
    let reigning =
        library.map(|library| json!({ "hash": library.reigning().hash(), "card": library.reigning().card() }));
    let library_sha256 = library.map(|library| library.hash().to_owned());
    out.answer(&json!({ "refits": done, "library_sha256": library_sha256, "reigning": reigning }), text);
    Ok(())
}

/// Reads a market whose content is what the folder's list says, where it is listed.
fn read(dir: &Path, name: &str) -> Result<Series, LabError> {
    let path = dir.join(format!("{name}.csv.gz"));
    let content = std::fs::read(&path).map_err(|source| DataError::Io { path: path.clone(), source })?;
    Checksums::read(dir)?.check(&path, &sha256_hex(&content))?;
    Ok(load(&path)?)
}

fn told(line: &Line) -> String {
    let against =
        line.incumbent.as_ref().map_or_else(|| "the rules".into(), |named| format!("version {}", named.version));
    let (week, verdict) = (format_day(line.week_ts), &line.verdict);
    let name = match verdict {
        Verdict::Promoted { .. } => format!("version {}", line.candidate.version),
        _ => "candidate".into(),
    };
    format!("{week}: {name} {} against {against}: {verdict}", &line.candidate.hash[..12.min(line.candidate.hash.len())])
}
