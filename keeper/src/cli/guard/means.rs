//! Swap policies and the reserve.

use super::Answer;
use super::way::{Way, WayArgs, refused};
use crate::config::Config;
use crate::error::KeeperError;
use crate::guard::means::{self, ReserveFile};
use crate::guard::spec::SwapSpec;
use clap::Args;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// Arguments of `guard add-policy`.
#[derive(Debug, Args)]
pub struct AddPolicyArgs {
    /// Number of the policy
    pub id: u16,
    /// What it allows: a TOML file with the fields of the group `swap-policy`
    pub file: PathBuf,
    /// Send it: without this it is tried and shown
    #[arg(long)]
    pub yes: bool,
    /// How.
    #[command(flatten)]
    pub way: WayArgs,
}

/// Arguments of `guard add-reserve`.
#[derive(Debug, Args)]
pub struct AddReserveArgs {
    /// Its basket: a TOML file with `mints` and, under `[plan]`, the fields of the group `reserve-plan`
    pub file: PathBuf,
    /// Send it: without this it is tried and shown
    #[arg(long)]
    pub yes: bool,
    /// How.
    #[command(flatten)]
    pub way: WayArgs,
}

/// Arguments of `guard pay-grant`.
#[derive(Debug, Args)]
pub struct PayGrantArgs {
    /// How.
    #[command(flatten)]
    pub way: WayArgs,
}

fn read_file<T: DeserializeOwned>(path: &Path) -> Result<T, KeeperError> {
    let refused = |why: String| KeeperError::Refused {
        what: format!("file `{}`: {why}", path.display()),
        hint: "docs/governance.md, \"Swap policies and the reserve\", has one to start from".into(),
    };
    let text = std::fs::read_to_string(path).map_err(|source| refused(source.to_string()))?;
    toml::from_str(&text).map_err(|source| refused(source.to_string().trim_end().to_owned()))
}

/// Creates a swap policy.
pub(super) async fn add_policy(args: &AddPolicyArgs, config: &Config) -> Result<Answer, KeeperError> {
    let spec: SwapSpec = read_file(&args.file)?;
    let flags = args.way.unless_confirmed(args.yes);
    let way = Way::open(&flags, config).await?;
    let by = (way.authority("the root", &[way.guard()?.roles.root])?, way.validity()?);
    let act = means::add_policy(&way.snapshot, args.id, &spec, by).map_err(|e| refused(&e))?;
    way.once_confirmed(&act, args.yes).await
}

/// Creates the reserve.
pub(super) async fn add_reserve(args: &AddReserveArgs, config: &Config) -> Result<Answer, KeeperError> {
    let file: ReserveFile = read_file(&args.file)?;
    let flags = args.way.unless_confirmed(args.yes);
    let way = Way::open(&flags, config).await?;
    let by = (way.authority("the root", &[way.guard()?.roles.root])?, way.validity()?);
    let act = means::add_reserve(&way.snapshot, &file, by).map_err(|e| refused(&e))?;
    way.once_confirmed(&act, args.yes).await
}

/// Pays what was granted.
pub(super) async fn pay_grant(args: &PayGrantArgs, config: &Config) -> Result<Answer, KeeperError> {
    let way = Way::open(&args.way, config).await?;
    let act = means::pay_grant(&way.snapshot, way.guard()?.roles.root).map_err(|e| refused(&e))?;
    way.carry_out(&act).await
}
