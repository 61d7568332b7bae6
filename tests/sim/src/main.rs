//! `rampart-sim`: plays one seed in this process, or many, each in a process of its own.

mod libc_clock;

use clap::Parser;
use rampart_sim::mutation::Mutation;
use rampart_sim::play::Play;
use rampart_sim::report::{self, Report};
use std::process::{Child, Command, ExitCode, Stdio};

/// The keeper against a simulated chain, network and host.
#[derive(Parser)]
struct Cli {
    /// Slots to play in all, over as many seeds as that takes.
    #[arg(long, default_value_t = 20_000)]
    slots: u64,
    /// Slots of one seed.
    #[arg(long, default_value_t = 5_000)]
    slots_each: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Simulations at the same time.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Plays this seed alone, and prints everything that happens.
    #[arg(long)]
    seed: Option<u64>,
    /// Prints no more than what a seed came to.
    #[arg(long)]
    brief: bool,
    /// Makes the keepers wrong on purpose.
    #[arg(long)]
    mutation: Option<Mutation>,
    /// Plays nothing but a fall of the price that nobody is told of: it is told once, while all sockets are silent.
    #[arg(long)]
    lost_gap: bool,
    /// Puts the wall clocks of all keepers off by so many milliseconds in the second eighth of the slots.
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    clock_ms: i64,
}

fn main() -> ExitCode {
    // before anything else: the first hash map fixes how all of this thread iterate
    if std::env::args().any(|argument| argument == "--seed" || argument.starts_with("--seed=")) {
        rampart_sim::host::begin(0);
    }
    let cli = Cli::parse();
    let is_right = match cli.seed {
        Some(seed) => one(&cli, seed),
        None => many(&cli),
    };
    if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn one(cli: &Cli, seed: u64) -> bool {
    // the keeper's own log, between the lines of the simulation. It is made even where nobody reads it: making it takes
    // from the streams of randomness, and a replay must be the same as what it replays
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into());
    let is_brief = cli.brief;
    let writer = move || -> Box<dyn std::io::Write> {
        if is_brief { Box::new(std::io::sink()) } else { Box::new(std::io::stdout()) }
    };
    tracing_subscriber::fmt().with_env_filter(filter).without_time().with_ansi(false).with_writer(writer).init();
    let (slots, mutation, is_gap_lost, clock_ms) = (cli.slots_each, cli.mutation, cli.lost_gap, cli.clock_ms);
    let play = Play { seed, slots, is_shown: !cli.brief, mutation, is_gap_lost, clock_ms };
    let record = play.run();
    println!("{}", report::line(seed, cli.slots_each, &record));
    record.violations.is_empty()
}

fn many(cli: &Cli) -> bool {
    let seeds = cli.from..cli.from + cli.slots.div_ceil(cli.slots_each.max(1));
    let (mut report, mut is_right) = (Report::default(), true);
    let mut running: std::collections::VecDeque<(u64, Child)> = std::collections::VecDeque::new();
    for seed in seeds {
        if running.len() >= cli.jobs.max(1) {
            is_right &= finish(&mut running, &mut report, cli);
        }
        match spawn(cli, seed) {
            Ok(child) => running.push_back((seed, child)),
            Err(error) => {
                eprintln!("error: seed {seed} can't be played: {error}");
                is_right = false;
            }
        }
    }
    while !running.is_empty() {
        is_right &= finish(&mut running, &mut report, cli);
    }
    print!("{}", report.render());
    is_right && report.violations.is_empty()
}

fn spawn(cli: &Cli, seed: u64) -> std::io::Result<Child> {
    let mut child = Command::new(std::env::current_exe()?);
    child.args(["--brief", "--seed", &seed.to_string(), "--slots-each", &cli.slots_each.to_string()]);
    if let Some(mutation) = cli.mutation {
        child.args(["--mutation", mutation.name()]);
    }
    child.stdout(Stdio::piped()).spawn()
}

/// Waits for the simulation that was started first.
fn finish(running: &mut std::collections::VecDeque<(u64, Child)>, report: &mut Report, cli: &Cli) -> bool {
    let Some((seed, child)) = running.pop_front() else { return true };
    let output = child.wait_with_output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let (known, is_whole) = (report.violations.len(), text.lines().any(|line| report.add(line)));
    for violation in &report.violations[known..] {
        eprintln!("{violation}");
    }
    if !is_whole {
        eprintln!("seed {seed} came to no end");
    }
    let is_right = is_whole && report.violations.len() == known;
    if !is_right {
        let mutation = cli.mutation.map_or(String::new(), |mutation| format!(" --mutation {}", mutation.name()));
        let length = if cli.slots_each == 5_000 { String::new() } else { format!(" --slots-each {}", cli.slots_each) };
        eprintln!("replay: cargo xtask sim --seed {seed}{length}{mutation}");
    }
    is_right
}
