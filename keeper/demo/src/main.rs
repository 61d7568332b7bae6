//! `cargo demo`: parse, run, print, and map what happened to an exit code.
//!
//! 0: the story was told and every invariant held. 1: it could not be told. 2: an invariant was broken. 64: wrong usage.

use clap::Parser;
use rampart_demo::cli::Cli;
use rampart_demo::error::DemoError;
use rampart_demo::run::run;
use rampart_demo::summary::Summary;
use std::process::ExitCode;

const FAILED: u8 = 1;
const BROKEN: u8 = 2;
const USAGE: u8 = 64;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { USAGE } else { 0 };
            // nowhere left to tell it
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    match run(&cli).await {
        Ok(summary) => report(&cli, &summary),
        Err(error) => {
            eprintln!("error: {error}");
            if let Some(hint) = error.hint() {
                eprintln!("hint: {hint}");
            }
            ExitCode::from(if matches!(error, DemoError::Usage(_)) { USAGE } else { FAILED })
        }
    }
}

fn report(cli: &Cli, summary: &Summary) -> ExitCode {
    if cli.json {
        match serde_json::to_string_pretty(summary) {
            Ok(text) => println!("{text}"),
            Err(error) => eprintln!("error: the summary can't be written as JSON: {error}"),
        }
    } else if cli.headless || summary.is_interrupted {
        println!("{}", summary.to_text());
    }
    if summary.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(BROKEN) }
}
