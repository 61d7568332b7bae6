//! The weekly refit: a candidate learned from the weeks before a cut is held in shadow against the policy that reigns, on the weeks
//! after, and replaces it only if the gate of promotions says so.
//!
//! Owns the weeks (`weeks`), the candidate (`teach`), the verdict (`judge`), and a folder (`store`) with the library, an append-only
//! journal (`journal`) and the work in progress: a run that was cut off at any point goes on, a second run changes nothing.
//! Nothing here reads a clock: what is due follows from the data. The keeper reads the library, see `rampart_score::policy`.

mod journal;
mod judge;
mod store;
mod teach;
mod weeks;

pub use journal::{BEGIN, END, Journal, Line, Named, table};
pub use judge::{Judged, Over, Verdict, judge};
pub use store::{LIBRARY_FILE, Store};
pub use teach::{Taught, teach};
pub use weeks::{WEEK_SECS, WeekMarket, newest_week, week_start, weeks};

use crate::attack::{Split, suite};
use crate::backtest::Market;
use crate::data::{Series, sha256_hex};
use crate::learn::{LearnError, VOLUMES};
use crate::time::format_day;
use rampart_score::policy::{Library, Policy, PolicyError};
use serde::Serialize;
use std::path::PathBuf;
use store::Candidate;

/// Share of the learning weeks, the newest, on which the candidate is chosen among its seeds and rounds: a quarter.
const SELECTION_PARTS: usize = 4;
/// The fewest pieces of recorded weeks to learn from.
const LEAST_PIECES: usize = 4;
/// Seeds of attacks between two weeks: no week sees another's.
const SEEDS_A_WEEK: u64 = 100;
/// First seed of the attacks that judge; those that teach begin at 0.
const JUDGING_SEED: u64 = 1 << 32;

/// What is refitted when, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// First week to refit at, unix seconds; none: the newest that the data holds.
    #[serde(skip)]
    pub from_ts: Option<i64>,
    /// No refit is later, unix seconds.
    #[serde(skip)]
    pub until_ts: Option<i64>,
    /// Weeks between the cut and the refit: what the verdict is on.
    pub shadow_weeks: u32,
    /// The most weeks before the cut that are learned from.
    pub learn_weeks: u32,
    /// Draws of each template of attacks of the training split to learn from, and of the test split to judge on.
    pub draws: u64,
    /// Seeds of training.
    pub seeds: u64,
    /// Rounds of the constraints' multipliers.
    pub rounds: usize,
}

impl Default for Settings {
    /// A quarter in shadow, a year to learn from, one draw of each attack, three seeds.
    fn default() -> Self {
        Self { from_ts: None, until_ts: None, shadow_weeks: 13, learn_weeks: 52, draws: 1, seeds: 3, rounds: 3 }
    }
}

/// Why a refit stops. What was written before stays good.
#[derive(Debug, thiserror::Error)]
pub enum RefitError {
    /// A file of the folder can't be read or written.
    #[error("failed to read or write {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another run holds the folder.
    #[error("{} is held by another refit: wait for it to end", .0.display())]
    Held(PathBuf),
    /// The library's file is refused.
    #[error("{}: {source}", path.display())]
    Library {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rampart_score::policy::LibraryError,
    },
    /// The policy is refused.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A line of the journal that is none, or doesn't follow on the one before.
    #[error("{} line {line}: {why}", path.display())]
    Journal {
        /// The journal.
        path: PathBuf,
        /// Its line, from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// The library isn't the one that the journal ends with.
    #[error("the journal ends with library {expected}, {} holds {found}: restore the folder from a copy", path.display())]
    Torn {
        /// The library's file.
        path: PathBuf,
        /// What the journal says.
        expected: String,
        /// What is there; `none`.
        found: String,
    },
    /// Too little before the cut.
    #[error(
        "{pieces} recorded weeks before the cut of {cut}, {LEAST_PIECES} are needed: fetch more, or judge on fewer weeks"
    )]
    TooLittle {
        /// Pieces of weeks that there are.
        pieces: usize,
        /// First day in shadow.
        cut: String,
    },
    /// The learner failed.
    #[error(transparent)]
    Learn(#[from] LearnError),
}

/// What the weeks of one refit are played on.
#[derive(Debug)]
pub struct Material {
    /// When it is, unix seconds, and where shadow begins.
    pub week_ts: i64,
    /// First second in shadow.
    pub cut_ts: i64,
    /// To learn from: recorded weeks, then attacks.
    pub learn: Vec<Market>,
    /// To choose among seeds and rounds on.
    pub select: Vec<Market>,
    /// Recorded weeks in shadow.
    pub weeks: Vec<WeekMarket>,
    /// Attacks that nobody learned from, with the kinds and the ranges of the test split.
    pub attacks: Vec<Market>,
}

impl Material {
    /// Cuts `data` for the refit at `week_ts`.
    ///
    /// # Errors
    /// `TooLittle`.
    pub fn at(week_ts: i64, data: &[Series], settings: &Settings) -> Result<Self, RefitError> {
        let cut_ts = week_ts - i64::from(settings.shadow_weeks) * WEEK_SECS;
        let from_ts = cut_ts - i64::from(settings.learn_weeks) * WEEK_SECS;
        let mut learn: Vec<Market> =
            weeks(data, from_ts, cut_ts, Split::Train).into_iter().map(|week| week.market).collect();
        if learn.len() < LEAST_PIECES {
            return Err(RefitError::TooLittle { pieces: learn.len(), cut: format_day(cut_ts) });
        }
        let select = learn.split_off(learn.len() - learn.len() / SELECTION_PARTS);
        let seed = (week_ts / WEEK_SECS) as u64 * SEEDS_A_WEEK;
        let attacks = |split: Split, first: u64| {
            let drawn = suite(split, first, settings.draws.min(SEEDS_A_WEEK));
            drawn.map(|scenario| Market::new(scenario, crate::pool::Settings::default(), VOLUMES))
        };
        learn.extend(attacks(Split::Train, seed));
        let weeks = weeks(data, cut_ts, week_ts, Split::Test);
        Ok(Self { week_ts, cut_ts, learn, select, weeks, attacks: attacks(Split::Test, JUDGING_SEED + seed).collect() })
    }

    /// Returns the SHA-256 over the digests of what is learned from and chosen on, hexadecimal.
    pub fn digest(&self) -> String {
        digest(self.learn.iter().chain(&self.select))
    }
}

fn digest<'a>(markets: impl Iterator<Item = &'a Market>) -> String {
    sha256_hex(&markets.flat_map(|market| market.scenario.digest()).collect::<Vec<u8>>())
}

/// Who learns a candidate from what comes before the cut.
pub type Learner<'a> = &'a dyn Fn(&Material) -> Result<Taught, RefitError>;

/// Refits at every week that is due, and returns the journal's new lines. Weeks up to the journal's last are done.
///
/// # Errors
/// `RefitError`; the weeks before the failing one are done.
pub fn refit(
    settings: &Settings,
    data: &[Series],
    store: &mut Store,
    learner: Learner,
    progress: &dyn Fn(&Line),
) -> Result<Vec<Line>, RefitError> {
    let mut done = Vec::new();
    for week_ts in due(settings, data, store.journal().last()) {
        let line = refit_at(settings, &Material::at(week_ts, data, settings)?, store, learner)?;
        progress(&line);
        done.push(line);
    }
    Ok(done)
}

/// Returns the weeks that are due, oldest first.
fn due(settings: &Settings, data: &[Series], last: Option<&Line>) -> Vec<i64> {
    let Some(newest) = newest_week(data) else { return Vec::new() };
    let until = settings.until_ts.map_or(newest, week_start).min(newest);
    let from = settings.from_ts.map_or(until, |from_ts| week_start(from_ts + WEEK_SECS - 1));
    let from = last.map_or(from, |last| from.max(last.week_ts + WEEK_SECS));
    (0..).map(|week| from + week * WEEK_SECS).take_while(|week_ts| *week_ts <= until).collect()
}

fn refit_at(settings: &Settings, material: &Material, store: &mut Store, learner: Learner) -> Result<Line, RefitError> {
    let library_sha256 = store.library().map(|library| library.hash().to_owned());
    let plan_sha256 = sha256_hex(&serde_json::to_vec(settings).unwrap_or_default());
    let data_sha256 = material.digest();
    let key = sha256_hex(format!("{} {plan_sha256} {data_sha256} {library_sha256:?}", material.week_ts).as_bytes());
    let taught = match store.candidate(&key)? {
        Some(taught) => taught,
        None => {
            let taught = learner(material)?;
            store.keep(&Candidate { key, taught: taught.clone() })?;
            taught
        }
    };
    let incumbent = store.library().map(Library::reigning);
    let judged = judge(material, &taught.policy()?, incumbent);
    let policy = Policy::from_file(taught.file(settings, &data_sha256, incumbent, &judged))?;
    let line = Line {
        week_ts: material.week_ts,
        cut_ts: material.cut_ts,
        plan_sha256,
        data_sha256,
        candidate: Named::of(&policy),
        incumbent: incumbent.map(Named::of),
        verdict: judged.verdict.clone(),
        metrics: judged.metrics,
        library_sha256,
        previous_sha256: String::new(),
    };
    store.close(line, policy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rampart_score::bar::Bar;

    #[test]
    fn due_weeks_follow_the_data_and_the_journal() {
        let bar = |open_ts| Bar { volume: Some(1.0), ..Bar::flat(open_ts, 300, 1.0) };
        let monday = week_start(1_700_000_000);
        let series = |ends: i64| Series { symbol: "X".into(), interval_secs: 300, bars: vec![bar(ends - 300)] };
        // the market that ends first decides
        let data = [series(monday + 9 * WEEK_SECS), series(monday + 3 * WEEK_SECS + 5_000)];
        let newest = monday + 3 * WEEK_SECS;
        let settings = Settings::default();
        assert_eq!(due(&settings, &data, None), [newest]);
        let from = Settings { from_ts: Some(monday + WEEK_SECS - 60), ..settings.clone() };
        assert_eq!(due(&from, &data, None), [1, 2, 3].map(|week| monday + week * WEEK_SECS));
        let until = Settings { until_ts: Some(monday + 2 * WEEK_SECS + 60), ..from.clone() };
        assert_eq!(due(&until, &data, None), [1, 2].map(|week| monday + week * WEEK_SECS));
        let last = Line { week_ts: monday + 2 * WEEK_SECS, ..Line::sample() };
        assert_eq!(due(&from, &data, Some(&last)), [newest]);
        assert!(due(&settings, &data, Some(&Line { week_ts: newest, ..last })).is_empty());
        assert!(due(&settings, &[], None).is_empty(), "no data, nothing due");
    }

    #[test]
    fn attacks_that_judge_are_of_the_test_split_and_those_that_teach_of_the_training_split() {
        let monday = week_start(1_700_000_000);
        let bar = |at: i64| {
            let price = if at % 2 == 0 { 100.0 } else { 100.1 };
            Bar { volume: Some(1_000.0), ..Bar::flat(monday + at * 300, 300, price) }
        };
        let data = [Series { symbol: "X".into(), interval_secs: 300, bars: (0..7 * 2_016).map(bar).collect() }];
        let settings = Settings { shadow_weeks: 2, ..Settings::default() };
        let material = Material::at(monday + 7 * WEEK_SECS, &data, &settings).unwrap();
        let splits = |markets: &[Market]| markets.iter().map(|market| market.scenario.split).collect::<Vec<_>>();
        assert!(splits(&material.learn).iter().all(|split| *split == Split::Train));
        assert!(!material.attacks.is_empty() && splits(&material.attacks).iter().all(|split| *split == Split::Test));
        let names = |markets: &[Market]| markets.iter().any(|market| market.scenario.name == "novel");
        assert_eq!([&material.learn, &material.attacks].map(|markets| names(markets)), [false, true], "held out");
    }
}
