//! The tables of `docs/performance.md`: `cargo xtask bench`.
//!
//! All that is compared runs in one process, one after the other, on the same book and the same prices.

use rampart_keeper::bench::engine::{Bench, book};
use rampart_keeper::bench::habits::{Found, Habit};
use rampart_keeper::bench::market::{Noise, Path};
use rampart_keeper::bench::{percentile, resident_bytes};
use std::time::{Duration, Instant};

const SEED: u64 = 1;
/// Positions in the table of habits: a scan of all at every print is slow.
const HABITS_OVER: usize = 20_000;
/// Prints and changes that a percentile is of.
const SAMPLES: usize = 2_000;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    machine();
    println!("\n### A print, a change, a trip\n");
    println!(
        "| positions | print, nobody reached: p50 | p99 | print that reaches 100: p50 | p99 | change of a position: p50 | p99 | of 1,000 at once, each: p50 | p99 | full scan: p50 | rule to send, of 10,000: p50 | p99 | longest hold of a sweep | memory |"
    );
    println!("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for count in [10_000, 100_000, 1_000_000] {
        println!("{}", runtime.block_on(paths(count)));
    }
    println!("\n### When positions are found, {HABITS_OVER} of them over an hour\n");
    println!("| prices | who looks | due | never found | slots until found: p50 | p99 | worst | CPU, s |");
    println!("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    let book = book(HABITS_OVER, SEED);
    for path in Path::ALL {
        let prices = path.prices(SEED);
        Habit::ALL.iter().for_each(|habit| row(path, *habit, book.play(*habit, &prices)));
    }
}

/// Says what the numbers were measured on.
fn machine() {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("?", |l| l.trim_start_matches(['\t', ' ', ':']));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = read("/proc/meminfo");
    let kib = memory.lines().find_map(|l| l.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    println!("{model}, {cores} cores, {} GiB; seed {SEED}", kib.unwrap_or(0) / (1 << 20));
}

async fn paths(count: usize) -> String {
    let book = book(count, SEED);
    let before = resident_bytes().unwrap_or(0);
    let mut bench = Bench::new(&book);
    let memory = resident_bytes().unwrap_or(0).saturating_sub(before);
    let mut noise = Noise::new(SEED);
    let mut calm: Vec<Duration> = (0..SAMPLES).map(|_| bench.print(1_000 + noise.below(3))).collect();
    assert_eq!(bench.candidates(), 0, "nobody is reached at a dollar");
    // the price at which a hundred stand beyond the soft line
    let reaching = (900..1_000).rev().find(|milli| {
        bench.print(*milli);
        bench.candidates() >= 100
    });
    let at = reaching.unwrap_or(900);
    let mut reached: Vec<Duration> = (0..SAMPLES / 10)
        .map(|_| {
            bench.print(1_000);
            bench.print(at)
        })
        .collect();
    bench.print(1_000);
    let all: Vec<_> = book.positions.iter().take(1_000).map(|(at, position)| (*at, *position)).collect();
    let changed = |n: usize| {
        all.iter().map(move |(at, p)| {
            (*at, {
                let mut p = *p;
                p.collateral_amount += n as u64;
                p
            })
        })
    };
    let mut change: Vec<Duration> = (1..=2).flat_map(changed).map(|(at, p)| bench.change(at, &p)).collect();
    let mut busy: Vec<Duration> = (3..103).map(|n| bench.change_all(&changed(n).collect::<Vec<_>>())).collect();
    let mut scans: Vec<Duration> = (0..10)
        .map(|_| {
            let began = Instant::now();
            assert_eq!(book.due_at(1_000), 0);
            began.elapsed()
        })
        .collect();
    let mut trips = vec![];
    for _ in 0..if count > 100_000 { 1 } else { 20 } {
        trips.extend(Bench::new(&rampart_keeper::bench::engine::book(count.min(10_000), SEED)).trip().await);
    }
    let both = |all: &mut Vec<Duration>| format!("{} | {}", text(percentile(all, 500)), text(percentile(all, 990)));
    format!(
        "| {count} | {} | {} | {} | {} | {} | {} | {} | {} MB |",
        both(&mut calm),
        both(&mut reached),
        both(&mut change),
        both(&mut busy),
        text(percentile(&mut scans, 500)),
        both(&mut trips),
        text(bench.sweep_hold),
        memory / 1_000_000
    )
}

fn row(path: Path, habit: Habit, mut found: Found) {
    found.delays.sort_unstable();
    let at = |share: usize| {
        let place = (found.delays.len() * share).div_ceil(1_000).saturating_sub(1);
        found.delays.get(place).map_or("-".to_owned(), ToString::to_string)
    };
    println!(
        "| {} | {} | {} | {} | {} | {} | {} | {:.2} |",
        path.name(),
        habit.name(),
        found.due,
        found.missed,
        at(500),
        at(990),
        at(1_000),
        found.spent.as_secs_f64()
    );
}

fn text(duration: Duration) -> String {
    let micros = duration.as_secs_f64() * 1e6;
    if micros < 1_000.0 { format!("{micros:.1} µs") } else { format!("{:.1} ms", micros / 1e3) }
}
