//! Narrower bounds, the freeze, and the census of a large guard.

use super::Answer;
use super::act::parse_edit;
use super::way::{Way, WayArgs, refused};
use crate::config::Config;
use crate::error::KeeperError;
use crate::guard::act::missing;
use crate::guard::{bounds, census};
use clap::{Args, Subcommand};
use rampart::state::Census;
use rampart_client::address;
use serde_json::{Value, json};
use solana_sdk::pubkey::Pubkey;

/// Arguments of `guard narrow`.
#[derive(Debug, Args)]
pub struct NarrowArgs {
    /// Bounds with their new values, as `guard show --json` names them
    #[arg(value_name = "FIELD=VALUE", required = true, value_parser = parse_edit)]
    pub edits: Vec<(String, String)>,
    /// Send it: without this it is tried and shown
    #[arg(long)]
    pub yes: bool,
    /// How.
    #[command(flatten)]
    pub way: WayArgs,
}

/// Arguments of `guard freeze`.
#[derive(Debug, Args)]
pub struct FreezeArgs {
    /// Send it: without this it is tried and shown
    #[arg(long)]
    pub yes: bool,
    /// How.
    #[command(flatten)]
    pub way: WayArgs,
}

/// What to do with the census.
#[derive(Debug, Subcommand)]
pub enum CensusCommand {
    /// Open it, as root: for the freeze, or with bounds for their narrowing
    Open(CensusOpenArgs),
    /// Count what is not counted yet, in as many transactions as it takes
    Count(CensusArgs),
    /// Close it, as root: it was used, or is void
    Close(CensusArgs),
}

/// Arguments of `guard census open`.
#[derive(Debug, Args)]
pub struct CensusOpenArgs {
    /// Bounds with their new values, the same as for `guard narrow`; none for the freeze
    #[arg(value_name = "FIELD=VALUE", value_parser = parse_edit)]
    pub edits: Vec<(String, String)>,
    /// Who may count, such as the keeper's key where a multisig is root [default: the root]
    #[arg(long, value_name = "ADDRESS")]
    pub counter: Option<Pubkey>,
    /// How.
    #[command(flatten)]
    pub way: WayArgs,
}

/// Arguments of `guard census count` and `guard census close`.
#[derive(Debug, Args)]
pub struct CensusArgs {
    /// How.
    #[command(flatten)]
    pub way: WayArgs,
}

/// Narrows the bounds.
pub(super) async fn narrow(args: &NarrowArgs, config: &Config) -> Result<Answer, KeeperError> {
    let flags = args.way.unless_confirmed(args.yes);
    let way = Way::open(&flags, config).await?;
    let guard = way.guard()?;
    let by = (way.authority("the root", &[guard.roles.root])?, way.validity()?);
    let next = bounds::edited(&guard.bounds, &args.edits).map_err(|e| refused(&e.into()))?;
    let act = bounds::narrow(&way.snapshot, guard, next, by).map_err(|e| refused(&e))?;
    way.once_confirmed(&act, args.yes).await
}

/// Freezes the guard.
pub(super) async fn freeze(args: &FreezeArgs, config: &Config) -> Result<Answer, KeeperError> {
    let flags = args.way.unless_confirmed(args.yes);
    let way = Way::open(&flags, config).await?;
    let guard = way.guard()?;
    let by = (way.authority("the root", &[guard.roles.root])?, way.validity()?);
    let act = bounds::freeze(&way.snapshot, guard, by).map_err(|e| refused(&e))?;
    way.once_confirmed(&act, args.yes).await
}

/// Opens, counts or closes the census.
pub(super) async fn census(command: &CensusCommand, config: &Config) -> Result<Answer, KeeperError> {
    match command {
        CensusCommand::Open(args) => open(args, config).await,
        CensusCommand::Count(args) => count(args, config).await,
        CensusCommand::Close(args) => close(args, config).await,
    }
}

async fn open(args: &CensusOpenArgs, config: &Config) -> Result<Answer, KeeperError> {
    let way = Way::open(&args.way, config).await?;
    let guard = way.guard()?;
    let root = way.authority("the root", &[guard.roles.root])?;
    let next = match args.edits.as_slice() {
        [] => None,
        edits => Some(bounds::edited(&guard.bounds, edits).map_err(|e| refused(&e.into()))?),
    };
    let counter = args.counter.unwrap_or(root);
    let act = census::open(&way.snapshot, guard, next, counter, (root, way.validity()?)).map_err(|e| refused(&e))?;
    way.carry_out(&act).await
}

fn opened<'a>(way: &'a Way<'_>) -> Result<&'a Census, KeeperError> {
    let key = address::census(&way.snapshot.key);
    way.snapshot.census.as_deref().ok_or_else(|| refused(&missing("census", &key)))
}

/// Counts in order; the first refusal ends it, and what was counted before stays counted.
async fn count(args: &CensusArgs, config: &Config) -> Result<Answer, KeeperError> {
    let way = Way::open(&args.way, config).await?;
    let census = opened(&way)?;
    way.authority("who counts", &[census.counter])?;
    let acts = census::count(&way.snapshot, census);
    // while nothing is sent, only the first follows what is counted
    let shown = if args.way.dry_run { 1 } else { acts.len() };
    let (mut text, mut results) = (String::new(), Vec::new());
    for act in acts.iter().take(shown) {
        let told = way.carry_out(act).await?;
        text.push_str(&told.text);
        results.push(told.data);
    }
    if acts.is_empty() {
        text.push_str(
            "nothing to do: everything is counted; `rampart guard narrow` or `rampart guard freeze` uses it\n",
        );
    }
    let data =
        json!({ "guard": way.snapshot.key.to_string(), "transactions": acts.len(), "results": Value::from(results) });
    Ok(Answer { data, text })
}

async fn close(args: &CensusArgs, config: &Config) -> Result<Answer, KeeperError> {
    let way = Way::open(&args.way, config).await?;
    let census = opened(&way)?;
    let root = way.authority("the root", &[way.guard()?.roles.root])?;
    way.carry_out(&census::close(&way.snapshot, census, root)).await
}
