//! Whether what a process holds has come to rest.

use std::fmt;
use std::time::Duration;

/// What is usually allocated may be so much more at the end than in the second sixth, percent.
const MEMORY_GROWTH_PERCENT: u64 = 5;
/// Fewer tell nothing.
const LEAST_SAMPLES: usize = 12;
/// Sockets come and go, and so do threads that wait for disks.
const COUNT_GROWTH: u64 = 4;
/// Slots of a minute that is judged, of those of the best minute, percent.
const PACE_PERCENT: u64 = 80;
const TOO_LITTLE: &str = "too little was measured: run it for longer";

/// What a keeper held at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Since the start.
    pub at: Duration,
    /// What its allocator has given out, KiB.
    pub allocated_kib: u64,
    /// Anonymous resident memory, KiB: the above, the databases' caches, and what the allocator keeps. Shown, not judged:
    /// when it gives pages back is its own affair.
    pub anonymous_kib: u64,
    /// Open files and sockets.
    pub files: u64,
    /// Threads.
    pub threads: u64,
    /// Newest slot of the chain.
    pub slot: u64,
    /// Falls that are over.
    pub falls: u64,
    /// How often the rule tripped.
    pub trips: u64,
    /// Positions that a sweep found to differ.
    pub mismatches: u64,
    /// Tasks that ended and were started again.
    pub restarts: u64,
}

impl Sample {
    /// Header of the lines.
    pub const HEAD: &'static str = "| minutes | slot | allocated, MiB | resident, MiB | files | threads | falls | trips | mismatches | restarts |\n\
                                    | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |";
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |kib: u64| kib as f64 / 1_024.0;
        write!(f, "| {} | {} | ", self.at.as_secs() / 60, self.slot)?;
        write!(f, "{:.2} | {:.1} | ", mib(self.allocated_kib), mib(self.anonymous_kib))?;
        write!(f, "{} | {} | ", self.files, self.threads)?;
        write!(f, "{} | {} | {} | {} |", self.falls, self.trips, self.mismatches, self.restarts)
    }
}

/// Judges a run.
///
/// A minute in which the machine did not give the chain its pace says nothing of the keeper: what is under way piles up, and
/// is gone once there is time for it. It is shown, not judged.
///
/// # Errors
/// What grew, differed, ended or was missed, with its numbers.
pub fn verdict(samples: &[Sample]) -> Result<String, String> {
    let Some(last) = samples.last() else { return Err(TOO_LITTLE.to_owned()) };
    let judged = at_pace(samples);
    if judged.len() < LEAST_SAMPLES {
        return Err(format!("{TOO_LITTLE}; {} of {} minutes had their pace", judged.len(), samples.len()));
    }
    if last.allocated_kib == 0 {
        return Err("the keeper doesn't tell what it has allocated".to_owned());
    }
    // the usual, not the highest: a snapshot that is being read is no growth. The first sixth fills what has a bound
    let sixth = judged.len() / 6;
    let usual = |of: fn(&Sample) -> u64| {
        [&judged[sixth..2 * sixth], &judged[judged.len() - sixth..]].map(|part| median(part.iter().map(|one| of(one))))
    };
    let memory = usual(|sample| sample.allocated_kib);
    if memory[1] * 100 > memory[0] * (100 + MEMORY_GROWTH_PERCENT) {
        return Err(format!("memory grew from {} KiB in the second sixth to {} KiB in the last", memory[0], memory[1]));
    }
    for (what, [before, after]) in [("open files", usual(|s| s.files)), ("threads", usual(|s| s.threads))] {
        if after > before + COUNT_GROWTH {
            return Err(format!("{what} grew from {before} in the second sixth to {after} in the last"));
        }
    }
    if last.mismatches + last.restarts > 0 {
        return Err(format!("{} positions differed, {} tasks were restarted", last.mismatches, last.restarts));
    }
    if last.trips < last.falls {
        return Err(format!("{} falls, and {} trips", last.falls, last.trips));
    }
    let ([before, after], (falls, trips)) = (memory, (last.falls, last.trips));
    Ok(format!(
        "at rest: {before} KiB allocated in the second sixth, {after} KiB in the last; {trips} trips of {falls} falls; \
         {} of {} minutes judged",
        judged.len(),
        samples.len()
    ))
}

/// Returns the samples whose minute had nearly as many slots as the best one.
fn at_pace(samples: &[Sample]) -> Vec<&Sample> {
    let advance = |pair: &[Sample]| pair[1].slot.saturating_sub(pair[0].slot);
    let best = samples.windows(2).map(advance).max().unwrap_or(0);
    let is_kept = |pair: &&[Sample]| advance(pair) * 100 >= best * PACE_PERCENT;
    samples.windows(2).filter(is_kept).map(|pair| &pair[1]).collect()
}

fn median(values: impl Iterator<Item = u64>) -> u64 {
    let mut all: Vec<u64> = values.collect();
    all.sort_unstable();
    all.get(all.len() / 2).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(memory: impl Fn(u64) -> u64) -> Vec<Sample> {
        let sample = |minute| Sample {
            at: Duration::from_secs(minute * 60),
            allocated_kib: memory(minute),
            anonymous_kib: 60_000,
            files: 40,
            threads: 9,
            slot: 10_000 + minute * 150,
            falls: 1,
            trips: 1,
            mismatches: 0,
            restarts: 0,
        };
        (0..30).map(sample).collect()
    }

    #[test]
    fn fault_46_steady_run_is_at_rest_and_growth_is_named() {
        let steady = verdict(&samples(|minute| 50_000 + minute % 3)).unwrap();
        assert_eq!(
            steady,
            "at rest: 50002 KiB allocated in the second sixth, 50002 KiB in the last; 1 trips of 1 falls; 29 of 30 minutes judged"
        );
        let grown = verdict(&samples(|minute| 50_000 + minute * 500)).unwrap_err();
        assert_eq!(grown, "memory grew from 53500 KiB in the second sixth to 64000 KiB in the last");
    }

    #[test]
    fn minutes_that_the_machine_took_away_are_not_judged() {
        let mut slot = 10_000;
        let starved: Vec<Sample> =
            (samples(|minute| if minute > 20 { 90_000 } else { 50_000 }).into_iter().enumerate())
                .map(|(at, sample)| {
                    slot += if at > 20 { 40 } else { 150 };
                    Sample { slot, files: if at > 20 { 70 } else { 40 }, ..sample }
                })
                .collect();
        assert!(verdict(&starved).unwrap().ends_with("20 of 30 minutes judged"));
        let leak = samples(|_| 50_000).into_iter().zip(0..).map(|(sample, at)| Sample { files: 40 + at, ..sample });
        let grown = verdict(&leak.collect::<Vec<_>>()).unwrap_err();
        assert_eq!(grown, "open files grew from 47 in the second sixth to 68 in the last");
    }

    #[test]
    fn fault_46_missed_fall_is_named() {
        let mut missed = samples(|_| 50_000);
        missed.last_mut().unwrap().trips = 0;
        assert_eq!(verdict(&missed).unwrap_err(), "1 falls, and 0 trips");
        assert_eq!(verdict(&[]).unwrap_err(), "too little was measured: run it for longer");
    }
}
