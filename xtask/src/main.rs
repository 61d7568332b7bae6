//! `cargo xtask`: every check and every generated file of this repository, from one command.

mod app;
mod cases;
mod checks;
mod cli;
mod command;
#[cfg(test)]
mod docs_tests;
mod failure;
mod faults;
mod files;
mod fixtures;
mod generate;
mod idl;
mod invariants;
mod program;
mod release;
mod sbf;
mod sequences;
mod simulation;
mod soak;
mod validator;

use clap::Parser;
use cli::{Cli, Task};
use std::process::ExitCode;

fn main() -> ExitCode {
    let result = sbf::roles::answer().unwrap_or_else(|| perform(Cli::parse().task));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn perform(task: Task) -> failure::Result<()> {
    match task {
        Task::BuildProgram { check: false } => program::build(),
        Task::BuildProgram { check: true } => program::check().map(|_| ()),
        Task::BuildFixtures => fixtures::build(),
        Task::Gen { check } => generate::generate(check),
        Task::Cu => generate::compute_units(),
        Task::Cases => cases::print(),
        Task::Sequences { count, from, seed } => sequences::run(count, from, seed),
        Task::Sim(sim) => simulation::run(&sim),
        Task::Incidents => generate::incidents(),
        Task::Bench => bench(),
        Task::Soak(soak) => soak::run(&soak),
        Task::Release(release) => release::run(&release),
        Task::Validator => validator::run(),
        Task::Test { quick } => checks::run(quick),
        Task::PrintIdl => idl::print(),
    }
}

fn bench() -> failure::Result<()> {
    println!("building the keeper as for a release: some ten minutes the first time, on two cores");
    measure("rampart-keeper", "tables", &["--features", "bench"])?;
    println!("\n### The score and the lab\n");
    measure("rampart-score", "ticks", &[])?;
    measure("rampart-lab", "pool", &[])?;
    println!("what keepers' word takes, and what lands: twenty-five minutes in real time");
    // slots take their time whatever the build
    measure("rampart-rig", "word", &["--profile", "dev"])?;
    measure("rampart-rig", "landing", &["--profile", "dev"])
}

fn measure(package: &str, bench: &str, further: &[&str]) -> failure::Result<()> {
    let mut cargo = command::cargo();
    command::run(cargo.args(["bench", "--locked", "-p", package, "--bench", bench]).args(further))
}
