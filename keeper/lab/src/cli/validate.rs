//! `rampart lab validate`: a configuration through crises and attacks, with a verdict that has a hash.

use super::{LabError, Printer, Read, VERSION, write_json};
use crate::data::data_dir;
use crate::validate::{EXAMPLE, Plan, canonical_hash, validate};
use crate::work::Work;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

/// What to validate.
#[derive(Clone, Debug, Args)]
pub struct ValidateArgs {
    /// A guard's file, or a configuration of the lab's own
    #[arg(value_name = "CONFIG.toml", required_unless_present = "example")]
    file: Option<PathBuf>,
    /// Vault of the guard's file [default: the only one]
    #[arg(long, value_name = "NAME", requires = "file")]
    vault: Option<String>,
    /// Configuration that every case is held against, such as today's: what gets better or worse, and fails where it is too much
    #[arg(long, value_name = "OTHER.toml", requires = "file")]
    against: Option<PathBuf>,
    /// Print a complete configuration of the lab's own
    #[arg(long)]
    example: bool,
    /// Folder of recorded markets [default: RAMPART_DATA, else ../shared/data/market]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Play generated attacks alone
    #[arg(long, conflicts_with = "data")]
    without_data: bool,
    /// Draws of each template
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    draws: u64,
    /// Seed of the first draw
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where to write the verdict as JSON
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Runs the command. A configuration that breaks a bound is an error of its own, with its own exit code.
pub fn run(args: &ValidateArgs, out: Printer, read: Read) -> Result<(), LabError> {
    let Some(path) = args.file.as_ref().filter(|_| !args.example) else {
        out.answer(&EXAMPLE, EXAMPLE.trim_end());
        return Ok(());
    };
    let config = read(path, args.vault.as_deref())?;
    let against = args.against.as_deref().map(|path| read(path, args.vault.as_deref())).transpose()?;
    let dir = if args.without_data { None } else { Some(data_dir(args.data.as_deref())?) };
    let plan = Plan { data: dir.as_deref(), draws: args.draws, seed: args.seed, against: against.as_ref() };
    let held = against.as_ref().map(canonical_hash);
    let key = json!(["validate", VERSION, canonical_hash(&config), held, args.seed, args.draws]);
    let mut work = Work::begin(args.out.as_deref(), &key, "cases")?;
    let verdict = validate(&config, plan, &mut work)?;
    write_json(args.out.as_deref(), &verdict)?;
    work.finish();
    out.answer(&verdict, &verdict);
    if verdict.is_passed { Ok(()) } else { Err(LabError::NotPassed(config.name)) }
}
