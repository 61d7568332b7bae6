//! Accounts of earlier layouts: which there are, and bringing them to the present one.

use super::Answer;
use super::way::{Way, WayArgs};
use crate::cli::chain::asked;
use crate::config::Config;
use crate::error::KeeperError;
use crate::guard::migrate::{Earlier, earlier, migrate};
use clap::Args;
use serde_json::{Value, json};

/// Arguments of `guard migrate`.
#[derive(Debug, Args)]
pub struct MigrateArgs {
    /// Migrate them; without this they are only listed
    #[arg(long)]
    pub yes: bool,
    /// How.
    #[command(flatten)]
    pub way: WayArgs,
}

/// Lists accounts of earlier layouts, and migrates them one after the other where that is asked for.
pub(super) async fn migrate_all(args: &MigrateArgs, config: &Config) -> Result<Answer, KeeperError> {
    let is_asked = args.yes || args.way.dry_run || args.way.export.is_some();
    // a list needs no key
    let flags = WayArgs { dry_run: args.way.dry_run || !is_asked, ..args.way.clone() };
    let way = Way::open(&flags, config).await?;
    let guard = (way.snapshot.key, way.guard()?);
    let found = earlier(&way.rpc, &guard.0).await.map_err(|e| asked("list accounts of earlier layouts", e))?;
    let line =
        |e: &Earlier| format!("{} {} has layout {}, the present one is {}\n", e.kind, e.key, e.layout, e.present);
    let mut text: String = found.iter().map(line).collect();
    if found.is_empty() {
        text.push_str("nothing to do: every account has the present layout\n");
    } else if !is_asked {
        text.push_str("nothing is sent; `--yes` migrates them, and `--dry-run` tries it\n");
    }
    let mut results = Vec::new();
    for one in found.iter().filter(|_| is_asked) {
        let told = way.carry_out(&migrate(guard, one)).await.map_err(|error| stopped(&error, results.len(), &found))?;
        text.push_str(&told.text);
        results.push(told.data);
    }
    let data = json!({ "guard": guard.0.to_string(), "earlier": found, "results": Value::from(results) });
    Ok(Answer { data, text })
}

fn stopped(error: &KeeperError, done: usize, all: &[Earlier]) -> KeeperError {
    KeeperError::Refused { what: format!("{done} of {} accounts are migrated; {error}", all.len()), hint: error.hint() }
}
