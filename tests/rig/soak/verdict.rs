//! Whether what a process holds has come to rest.

use std::fmt;
use std::time::Duration;

/// What is usually allocated may be so much more at the end than in the second sixth, percent.
const MEMORY_GROWTH_PERCENT: u64 = 5;
/// Fewer tell nothing.
const LEAST_SAMPLES: usize = 12;
/// Sockets come and go.
const FILES_GROWTH: u64 = 4;

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
/// # Errors
/// What grew, differed, ended or was missed, with its numbers.
pub fn verdict(samples: &[Sample]) -> Result<String, String> {
    let (Some(last), Some(settled)) =
        (samples.get(LEAST_SAMPLES..).and(samples.last()), samples.get(samples.len() / 3))
    else {
        return Err("too little was measured: run it for longer".to_owned());
    };
    if last.allocated_kib == 0 {
        return Err("the keeper doesn't tell what it has allocated".to_owned());
    }
    let highest = |from: usize, to: usize, of: fn(&Sample) -> u64| {
        samples.get(from..to).unwrap_or_default().iter().map(of).max().unwrap_or(0)
    };
    let (third, all) = (samples.len().div_ceil(3), samples.len());
    // the usual, not the highest: a snapshot that is being read is no growth. The first sixth fills what has a bound
    let sixth = samples.len() / 6;
    let memory = [median(&samples[sixth..2 * sixth]), median(&samples[all - sixth..])];
    let files = [highest(0, third, |s| s.files), highest(all - third, all, |s| s.files)];
    if memory[1] * 100 > memory[0] * (100 + MEMORY_GROWTH_PERCENT) {
        return Err(format!("memory grew from {} KiB in the second sixth to {} KiB in the last", memory[0], memory[1]));
    }
    if files[1] > files[0] + FILES_GROWTH {
        return Err(format!("open files grew from {} in the first third to {} in the last", files[0], files[1]));
    }
    if last.threads > settled.threads {
        return Err(format!("threads grew from {} to {}", settled.threads, last.threads));
    }
    if last.mismatches + last.restarts > 0 {
        return Err(format!("{} positions differed, {} tasks were restarted", last.mismatches, last.restarts));
    }
    if last.trips < last.falls {
        return Err(format!("{} falls, and {} trips", last.falls, last.trips));
    }
    let [before, after] = memory;
    let (falls, trips) = (last.falls, last.trips);
    Ok(format!(
        "at rest: {before} KiB allocated in the second sixth, {after} KiB in the last; {trips} trips of {falls} falls"
    ))
}

/// Returns what is usually allocated; zero where nothing was measured.
fn median(samples: &[Sample]) -> u64 {
    let mut all: Vec<u64> = samples.iter().map(|sample| sample.allocated_kib).collect();
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
    fn steady_run_is_at_rest_and_growth_is_named() {
        let steady = verdict(&samples(|minute| 50_000 + minute % 3)).unwrap();
        assert_eq!(
            steady,
            "at rest: 50001 KiB allocated in the second sixth, 50001 KiB in the last; 1 trips of 1 falls"
        );
        let grown = verdict(&samples(|minute| 50_000 + minute * 500)).unwrap_err();
        assert_eq!(grown, "memory grew from 53500 KiB in the second sixth to 63500 KiB in the last");
    }

    #[test]
    fn missed_fall_is_named() {
        let mut missed = samples(|_| 50_000);
        missed.last_mut().unwrap().trips = 0;
        assert_eq!(verdict(&missed).unwrap_err(), "1 falls, and 0 trips");
        assert_eq!(verdict(&[]).unwrap_err(), "too little was measured: run it for longer");
    }
}
