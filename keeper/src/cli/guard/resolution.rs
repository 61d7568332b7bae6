//! The orderly end of a vault.

use super::Answer;
use super::act::default_target;
use super::way::{Way, WayArgs, refused};
use crate::config::Config;
use crate::error::KeeperError;
use crate::guard::act::missing;
use crate::guard::resolution;
use clap::{Args, Subcommand};
use rampart::constants::RESOLUTION_MAX_SECS;
use rampart::state::ChangeGroup;
use rampart_client::VaultKeys;
use solana_sdk::pubkey::Pubkey;

/// What to do about a vault's resolution.
#[derive(Debug, Subcommand)]
pub enum ResolutionCommand {
    /// Begin it: root with a quorum of guardians; anyone, once a shortfall has stood proved for three days
    Enter(EnterArgs),
    /// Call it off, as root with a quorum of guardians, within a day of its beginning
    Leave(LeaveArgs),
}

/// Arguments of `guard resolution enter`.
#[derive(Debug, Args)]
pub struct EnterArgs {
    /// The vault [default: the only one]
    #[arg(long, value_name = "ADDRESS")]
    pub target: Option<Pubkey>,
    /// After which time it is forced, seconds: 7 to 30 days [default: 30 days]
    #[arg(long, value_name = "SECONDS")]
    pub secs: Option<u32>,
    /// Send it: without this it is tried and shown
    #[arg(long)]
    pub yes: bool,
    /// How.
    #[command(flatten)]
    pub way: WayArgs,
}

/// Arguments of `guard resolution leave`.
#[derive(Debug, Args)]
pub struct LeaveArgs {
    /// The vault [default: the only one]
    #[arg(long, value_name = "ADDRESS")]
    pub target: Option<Pubkey>,
    /// How.
    #[command(flatten)]
    pub way: WayArgs,
}

/// Begins or calls off a resolution.
pub(super) async fn resolution(command: &ResolutionCommand, config: &Config) -> Result<Answer, KeeperError> {
    match command {
        ResolutionCommand::Enter(args) => enter(args, config).await,
        ResolutionCommand::Leave(args) => leave(args, config).await,
    }
}

fn keys(way: &Way<'_>, target: Option<Pubkey>) -> Result<VaultKeys, KeeperError> {
    let key = target.map_or_else(|| default_target(ChangeGroup::VaultRisk, way), Ok)?;
    resolution::keys_of(&way.snapshot, &key).ok_or_else(|| refused(&missing("vault", &key)))
}

async fn enter(args: &EnterArgs, config: &Config) -> Result<Answer, KeeperError> {
    let flags = args.way.unless_confirmed(args.yes);
    let way = Way::open(&flags, config).await?;
    let (guard, keys) = (way.guard()?, keys(&way, args.target)?);
    let root = way.authority("the root", &[guard.roles.root]);
    // a key that is not root's asks as anyone: the program wants the proof of a shortfall then
    let (by, guardians) = match (root, way.anyone()) {
        (Err(_), Some(anyone)) => (anyone, Vec::new()),
        (root, _) => (root?, way.quorum(guard)?),
    };
    let longest = u32::try_from(RESOLUTION_MAX_SECS).unwrap_or(u32::MAX);
    let act = resolution::enter(&keys, (by, &guardians), args.secs.unwrap_or(longest), way.validity()?);
    way.once_confirmed(&act, args.yes).await
}

async fn leave(args: &LeaveArgs, config: &Config) -> Result<Answer, KeeperError> {
    let way = Way::open(&args.way, config).await?;
    let (guard, keys) = (way.guard()?, keys(&way, args.target)?);
    let (root, guardians) = (way.authority("the root", &[guard.roles.root])?, way.quorum(guard)?);
    way.carry_out(&resolution::leave(&keys, (root, &guardians), way.validity()?)).await
}
