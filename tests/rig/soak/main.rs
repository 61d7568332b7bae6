//! `cargo xtask soak`: the keeper's own process for hours, with falls and troubled endpoints, and what it holds meanwhile.
//!
//! Prints a line a minute and a verdict: memory, files and threads may not grow, nothing may differ from what the sweep
//! reads, no task may end, and every fall has to trip.

mod market;
mod process;
mod verdict;

use clap::Parser;
use market::Market;
use process::Process;
use rampart_rig::Scene;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use verdict::{Sample, verdict};

/// How long, and which keeper.
#[derive(Parser)]
struct Soak {
    /// Hours that it runs.
    #[arg(long, default_value_t = 24.0)]
    hours: f64,
    /// Milliseconds of a slot; the chain's own time goes on by 400 in each.
    #[arg(long, default_value_t = 400)]
    slot_ms: u64,
    /// Seconds between two lines.
    #[arg(long, default_value_t = 60)]
    every: u64,
    /// The keeper's executable.
    #[arg(long)]
    keeper: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let soak = Soak::parse();
    let scene = Scene::new(2).await;
    scene.chain.set_slot_ms(soak.slot_ms);
    let mut process = Process::start(&soak.keeper, &scene);
    process.ready().await;
    let mut market = Market::new();
    let began = Instant::now();
    println!("{}", Sample::HEAD);
    let mut samples: Vec<Sample> = Vec::new();
    while began.elapsed().as_secs_f64() < soak.hours * 3_600.0 {
        let Some(sample) = process.sample(&scene, began.elapsed(), market.falls()).await else {
            eprintln!("error: the keeper has ended: {}", process.end());
            return ExitCode::FAILURE;
        };
        println!("{sample}");
        samples.push(sample);
        let until = Instant::now() + Duration::from_secs(soak.every);
        while Instant::now() < until {
            market.go_on(&scene);
            tokio::time::sleep(Duration::from_millis(soak.slot_ms)).await;
        }
    }
    println!("{}", process.end());
    match verdict(&samples) {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(found) => {
            eprintln!("error: {found}");
            ExitCode::FAILURE
        }
    }
}
