//! Acts of the night: a standby source for a dead one, the end of a cause.

use super::Answer;
use super::act::default_target;
use super::way::{Way, WayArgs, refused};
use crate::cli::chain::asked;
use crate::config::Config;
use crate::error::KeeperError;
use crate::guard::act::{Act, missing};
use crate::guard::{evidence, urgent};
use clap::Args;
use rampart::state::{Asset, ChangeGroup};
use solana_sdk::pubkey::Pubkey;

/// Arguments of `guard standby`.
#[derive(Debug, Args)]
pub struct StandbyArgs {
    /// The asset [default: the only one]
    #[arg(long, value_name = "ADDRESS")]
    pub target: Option<Pubkey>,
    /// Place of the dead source, from 0 [default: the first that is proved dead]
    #[arg(long, value_name = "PLACE")]
    pub source: Option<u8>,
    /// Place of the standby source, from 0 [default: the first that the program takes]
    #[arg(long, value_name = "PLACE")]
    pub standby: Option<u8>,
    /// How.
    #[command(flatten)]
    pub way: WayArgs,
}

/// Arguments of `guard reset`.
#[derive(Debug, Args)]
pub struct ResetArgs {
    /// Number of the rule
    pub rule: u16,
    /// How.
    #[command(flatten)]
    pub way: WayArgs,
}

/// Lets a standby source take a dead one's place.
pub(super) async fn standby(args: &StandbyArgs, config: &Config) -> Result<Answer, KeeperError> {
    let way = Way::open(&args.way, config).await?;
    let guard = way.guard()?;
    let by = way.authority("the root or the risk admin", &[guard.roles.root, guard.roles.risk_admin])?;
    let key = args.target.map_or_else(|| default_target(ChangeGroup::AssetOracle, &way), Ok)?;
    let asset = way.snapshot.assets.get(&key).ok_or_else(|| refused(&missing("asset", &key)))?;
    let source = match args.source {
        Some(source) => source,
        None => dead(&way, (key, asset)).await?,
    };
    let oracles = evidence::of_asset(&way.rpc, asset).await.map_err(|e| asked("find the oracle accounts", e))?;
    let validity = way.validity()?;
    let act = |standby| urgent::standby((key, asset), (source, standby), &oracles, (by, validity));
    let places = args.standby.map_or_else(|| urgent::fitting(asset, source, &guard.bounds), |one| vec![one]);
    let acts: Vec<Act> = places.into_iter().map(act).collect();
    way.carry_out(first_taken(&way, &acts).await.ok_or_else(|| nobody_stands_by(&key, source))?).await
}

/// The first source that is proved dead.
async fn dead(way: &Way<'_>, (key, asset): (Pubkey, &Asset)) -> Result<u8, KeeperError> {
    let dead = evidence::dead(&way.rpc, asset, way.snapshot.now_ts()).await;
    let dead = dead.map_err(|e| asked("look at the oracle accounts", e))?;
    dead.first().copied().ok_or_else(|| KeeperError::Refused {
        what: format!("no source of {key} is proved dead; nothing was sent"),
        hint: "a source that is only silent for a while, or wrong, is replaced by a change that waits: the group `asset-oracle`"
            .into(),
    })
}

/// The first act that a node would take; where it takes none, the first of all, so that its refusal is told.
async fn first_taken<'a>(way: &Way<'_>, acts: &'a [Act]) -> Option<&'a Act> {
    for act in acts.iter().filter(|_| acts.len() > 1) {
        if way.is_taken(act).await {
            return Some(act);
        }
    }
    acts.first()
}

fn nobody_stands_by(key: &Pubkey, source: u8) -> KeeperError {
    KeeperError::Refused {
        what: format!("no standby source of {key} could take the place {source}; nothing was sent"),
        hint: "approve one for the next time: the group `asset-standby`; for now the group `asset-oracle` waits".into(),
    }
}

/// Ends the cause of a rule that is clear.
pub(super) async fn reset(args: &ResetArgs, config: &Config) -> Result<Answer, KeeperError> {
    let way = Way::open(&args.way, config).await?;
    let by = way.authority("the resetter", &[way.guard()?.roles.resetter])?;
    let found = way.snapshot.rules.iter().find(|(_, rule)| rule.id == args.rule);
    let (key, rule) = found.ok_or_else(|| refused(&missing("rule", &args.rule)))?;
    let gathered = evidence::of_rule(&way.rpc, &way.snapshot, rule).await;
    let (pair, metas) = gathered.map_err(|e| asked("gather what the rule is measured on", e))?;
    way.carry_out(&urgent::reset((*key, rule), (pair, &metas), (by, way.validity()?))).await
}
