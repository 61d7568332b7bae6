//! Proposals and what becomes of them, tightenings, pauses and keepers.

use super::way::{Way, WayArgs, refused};
use super::{Answer, report, unknown};
use crate::cli::chain::asked;
use crate::config::Config;
use crate::error::KeeperError;
use crate::guard::act::{self, missing};
use crate::guard::change::{self, GROUPS, group_of};
use crate::guard::evidence;
use crate::guard::spec::{Digest, MemberName, Part};
use clap::{Args, ValueEnum};
use rampart::SetKeepersArgs;
use rampart::state::keeper_set::KeeperLimits;
use rampart::state::{Change, ChangeGroup, KeeperSeat, Level, PendingChange};
use solana_sdk::pubkey::Pubkey;
use std::path::PathBuf;

/// Arguments of `guard propose` and `guard tighten`.
#[derive(Debug, Args)]
pub struct ProposeArgs {
    /// What belongs together: vault-risk, vault-limits, vault-curve, vault-scale, vault-cover, rule, asset-oracle, asset-standby,
    /// asset-reference, asset-warm-up, dollar-limit, roles, root, delay, integration-switch, holder, swap-policy,
    /// reserve-plan or reserve-grant
    #[arg(value_parser = parse_group)]
    pub group: ChangeGroup,
    /// Fields with their new values, as `guard show --json` names them
    #[arg(value_name = "FIELD=VALUE", required = true, value_parser = parse_edit)]
    pub edits: Vec<(String, String)>,
    /// The vault, rule, asset or integration [default: the guard's own account, or the only one]
    #[arg(long, value_name = "ADDRESS")]
    pub target: Option<Pubkey>,
    /// Hash of the lab's report that it was judged by, SHA-256; noted beside the proposal
    #[arg(long, value_name = "HASH", value_parser = parse_digest, conflicts_with = "validate")]
    pub report: Option<Digest>,
    /// The lab's report of what the vault becomes, as `rampart lab validate --out` writes it, may be given several times, one for
    /// each vault that the change reaches: the hash that its last line says is noted. One that failed, or is of something else,
    /// is refused
    #[arg(long, value_name = "FILE")]
    pub validate: Vec<PathBuf>,
    /// Take a report that skipped crises, because their recorded markets were not there
    #[arg(long, requires = "validate")]
    pub accept_skipped: bool,
    /// Write what the lab has to judge, a file for each vault that the change reaches, and propose nothing
    #[arg(long, value_name = "DIR", conflicts_with_all = ["validate", "report"])]
    pub lab: Option<PathBuf>,
    /// How.
    #[command(flatten)]
    pub way: WayArgs,
}

/// Arguments of commands about one pending change.
#[derive(Debug, Args)]
pub struct ChangeArgs {
    /// Number of the change
    pub change: u64,
    /// How.
    #[command(flatten)]
    pub way: WayArgs,
}

/// Arguments of `guard execute`.
#[derive(Debug, Args)]
pub struct ExecuteArgs {
    /// Number of the change
    pub change: u64,
    /// Position to try a vault's lines on, may be given several times [default: those with the most debt]
    #[arg(long = "evidence", value_name = "ADDRESS")]
    pub evidence: Vec<Pubkey>,
    /// How.
    #[command(flatten)]
    pub way: WayArgs,
}

/// Level of a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PauseLevel {
    /// New risk and exits at reduced limits
    Caution,
    /// No new risk; exits through the floor
    ReduceOnly,
    /// By a quorum of guardians
    Halt,
}

/// Arguments of `guard pause`.
#[derive(Debug, Args)]
pub struct GuardPauseArgs {
    /// The level
    #[arg(value_enum)]
    pub level: PauseLevel,
    /// For how long, seconds
    #[arg(long, value_name = "SECONDS")]
    pub secs: u32,
    /// Asset, vault or integration [default: the whole guard]
    #[arg(long, value_name = "ADDRESS")]
    pub scope: Option<Pubkey>,
    /// How.
    #[command(flatten)]
    pub way: WayArgs,
}

/// Arguments of `guard resume`.
#[derive(Debug, Args)]
pub struct GuardResumeArgs {
    /// The guardian whose pause it is, or the guard for a quorum's
    pub source: Pubkey,
    /// Asset, vault or integration [default: the whole guard]
    #[arg(long, value_name = "ADDRESS")]
    pub scope: Option<Pubkey>,
    /// How.
    #[command(flatten)]
    pub way: WayArgs,
}

/// Arguments of `guard keepers`.
#[derive(Debug, Args)]
pub struct KeepersArgs {
    /// Keeper that joins, with where its data comes from: ADDRESS=TAG; may be given several times
    #[arg(long, value_name = "ADDRESS=TAG", value_parser = parse_seat)]
    pub add: Vec<(Pubkey, u16)>,
    /// Keeper that leaves, may be given several times
    #[arg(long, value_name = "ADDRESS")]
    pub remove: Vec<Pubkey>,
    /// Who joins reports on trial
    #[arg(long)]
    pub standby: bool,
    /// Oldest report that counts, seconds [default: as it is, else 120]
    #[arg(long, value_name = "SECONDS")]
    pub max_age_secs: Option<u32>,
    /// Widest spread that is still one opinion, bps [default: as it is, else 2,000]
    #[arg(long, value_name = "BPS")]
    pub max_spread_bps: Option<u16>,
    /// How.
    #[command(flatten)]
    pub way: WayArgs,
}

fn parse_group(text: &str) -> Result<ChangeGroup, String> {
    let known = || GROUPS.map(|(_, name)| name).join(", ");
    group_of(text).ok_or_else(|| format!("there is {}", known()))
}

pub(super) fn parse_edit(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').ok_or("FIELD=VALUE is wanted")?;
    Ok((parts.0.to_owned(), parts.1.to_owned()))
}

fn parse_digest(text: &str) -> Result<Digest, String> {
    Digest::try_from(text.to_owned())
}

fn parse_seat(text: &str) -> Result<(Pubkey, u16), String> {
    let (key, tag) = text.split_once('=').ok_or("ADDRESS=TAG is wanted")?;
    let key = key.parse().map_err(|_| format!("`{key}` is no address"))?;
    Ok((key, tag.parse().map_err(|_| format!("`{tag}` is no number up to 65,535"))?))
}

/// Proposes a change.
pub(super) async fn propose(args: &ProposeArgs, config: &Config) -> Result<Answer, KeeperError> {
    if let Some(dir) = &args.lab {
        return report::write(args, dir, config).await;
    }
    let verdicts = report::verdicts(args)?;
    let way = Way::open(&args.way, config).await?;
    let (target, now, next) = edited(args, &way)?;
    let reports = report::noted(args, &verdicts, (&way.snapshot, &target), (&now, &next))?;
    let guard = way.guard()?;
    way.authority("the root", &[guard.roles.root])?;
    let cosigners = match next {
        Change::Roles(next) if next.vetoer != guard.roles.vetoer => way.quorum(guard)?,
        _ => Vec::new(),
    };
    let with = (way.validity()?, cosigners.as_slice(), reports.as_slice());
    let act = act::propose((way.snapshot.key, guard), target, (now, next), with).map_err(|e| refused(&e))?;
    way.carry_out(&act).await
}

/// Tightens at once.
pub(super) async fn tighten(args: &ProposeArgs, config: &Config) -> Result<Answer, KeeperError> {
    if args.report.is_some() || !args.validate.is_empty() || args.lab.is_some() {
        return Err(KeeperError::Refused {
            what: "what gets tighter at once is judged by nobody before, and notes no report".into(),
            hint: "leave `--report`, `--validate` and `--lab` out, or `rampart guard propose` it".into(),
        });
    }
    let way = Way::open(&args.way, config).await?;
    let (target, now, next) = edited(args, &way)?;
    let roles = &way.guard()?.roles;
    let by = (way.authority("the root or the risk admin", &[roles.root, roles.risk_admin])?, way.validity()?);
    let act = act::tighten(&way.snapshot, target, (now, next), by).map_err(|e| refused(&e))?;
    way.carry_out(&act).await
}

pub(super) fn edited(args: &ProposeArgs, way: &Way) -> Result<(Pubkey, Change, Change), KeeperError> {
    let snapshot = &way.snapshot;
    let target = args.target.map_or_else(|| default_target(args.group, way), Ok)?;
    let now = snapshot.current(args.group, &target);
    let now = now.ok_or_else(|| refused(&missing(change::group_name(args.group), &target)))?;
    let next = change::edited(&now, &args.edits).map_err(|source| unknown(&source))?;
    Ok((target, now, next))
}

/// The guard's own account for what it has once, else the only account of the kind.
pub(super) fn default_target(group: ChangeGroup, way: &Way) -> Result<Pubkey, KeeperError> {
    use ChangeGroup as G;
    let snapshot = &way.snapshot;
    let mut keys: Vec<Pubkey> = match group {
        G::Roles | G::Root | G::LoosenDelay => vec![snapshot.key],
        G::Aggregate => vec![rampart_client::address::aggregate(&snapshot.key)],
        G::ReservePlan | G::ReserveGrant => vec![rampart_client::address::reserve(&snapshot.key)],
        G::VaultRisk | G::VaultLimits | G::VaultCurve | G::VaultScale | G::VaultCover => {
            snapshot.vaults.keys().copied().collect()
        }
        G::Rule => snapshot.rules.keys().copied().collect(),
        G::AssetOracle | G::AssetStandby | G::AssetReference | G::AssetWarmUp => {
            snapshot.assets.keys().copied().collect()
        }
        G::IntegrationSwitch | G::Holder => snapshot.integrations.keys().copied().collect(),
        G::SwapPolicy => snapshot.policies.keys().copied().collect(),
    };
    match (keys.len(), keys.pop()) {
        (1, Some(key)) => Ok(key),
        (count, _) => Err(KeeperError::Refused {
            what: format!("`{}` may be meant of {count} accounts", change::group_name(group)),
            hint: "name one: `--target ADDRESS`; `rampart guard show` lists them".into(),
        }),
    }
}

fn pending<'a>(way: &'a Way, id: u64) -> Result<(Pubkey, &'a PendingChange), KeeperError> {
    let found = way.snapshot.changes.iter().find(|(_, pending)| pending.id == id);
    found.map(|(key, pending)| (*key, pending.as_ref())).ok_or_else(|| refused(&missing("pending change", &id)))
}

/// Executes a change that has waited.
pub(super) async fn execute(args: &ExecuteArgs, config: &Config) -> Result<Answer, KeeperError> {
    let way = Way::open(&args.way, config).await?;
    let (key, pending) = pending(&way, args.change)?;
    let gathered = evidence::gather(&way.rpc, &way.snapshot, pending, &args.evidence).await;
    let evidence = gathered.map_err(|source| asked("gather what the change is tried on", source))?;
    way.carry_out(&act::execute(key, pending, &evidence.metas, evidence.before)).await
}

/// Vetoes a change.
pub(super) async fn veto(args: &ChangeArgs, config: &Config) -> Result<Answer, KeeperError> {
    let way = Way::open(&args.way, config).await?;
    let (key, pending) = pending(&way, args.change)?;
    let roles = &way.guard()?.roles;
    let holders: Vec<Pubkey> = std::iter::once(roles.vetoer).chain(roles.active_guardians().iter().copied()).collect();
    let by = way.authority("the vetoer or a guardian", &holders)?;
    way.carry_out(&act::veto(by, key, pending)).await
}

/// Takes a proposal back.
pub(super) async fn cancel(args: &ChangeArgs, config: &Config) -> Result<Answer, KeeperError> {
    let way = Way::open(&args.way, config).await?;
    let (key, pending) = pending(&way, args.change)?;
    let root = way.authority("the root", &[way.guard()?.roles.root])?;
    way.carry_out(&act::cancel(root, key, pending)).await
}

/// Takes over as root.
pub(super) async fn accept(args: &ChangeArgs, config: &Config) -> Result<Answer, KeeperError> {
    let way = Way::open(&args.way, config).await?;
    let (key, pending) = pending(&way, args.change)?;
    let Ok(Change::Root(next)) = pending.change() else {
        return Err(refused(&missing("change of the root", &args.change)));
    };
    let by = way.authority("the new root", &[next])?;
    way.carry_out(&act::accept(by, key, pending)).await
}

/// Pauses a scope.
pub(super) async fn pause(args: &GuardPauseArgs, config: &Config) -> Result<Answer, KeeperError> {
    let way = Way::open(&args.way, config).await?;
    let guard = way.guard()?;
    let scope = args.scope.unwrap_or(way.snapshot.key);
    let level = match args.level {
        PauseLevel::Caution => Level::Caution,
        PauseLevel::ReduceOnly => Level::ReduceOnly,
        PauseLevel::Halt => Level::Halt,
    };
    let by = match level {
        Level::Halt => way.quorum(guard)?,
        _ => vec![way.authority("a guardian", guard.roles.active_guardians())?],
    };
    way.carry_out(&act::pause(way.snapshot.key, scope, (level, args.secs), &by, way.validity()?)).await
}

/// Lifts a pause.
pub(super) async fn resume(args: &GuardResumeArgs, config: &Config) -> Result<Answer, KeeperError> {
    let way = Way::open(&args.way, config).await?;
    let guard = way.guard()?;
    way.authority("the resetter", &[guard.roles.resetter])?;
    let scope = args.scope.unwrap_or(way.snapshot.key);
    way.carry_out(&act::resume((way.snapshot.key, guard), scope, args.source, way.validity()?)).await
}

/// Changes the members of the keeper set.
pub(super) async fn keepers(args: &KeepersArgs, config: &Config) -> Result<Answer, KeeperError> {
    let way = Way::open(&args.way, config).await?;
    let set = way.snapshot.keepers.as_deref();
    let role = if args.standby { MemberName::Standby } else { MemberName::Reporter };
    let joining = args.add.iter().map(|(key, tag)| KeeperSeat { key: *key, source_tag: *tag, role: role.value() });
    let staying = set.map(act::seats).unwrap_or_default();
    let staying = staying.into_iter().filter(|seat| !args.remove.contains(&seat.key));
    let limits = KeeperLimits {
        max_age_secs: args.max_age_secs.or(set.map(|set| set.max_age_secs)).unwrap_or(120),
        max_spread_bps: args.max_spread_bps.or(set.map(|set| set.max_spread_bps)).unwrap_or(2_000),
    };
    let members = SetKeepersArgs { members: staying.chain(joining).collect(), limits };
    let roles = &way.guard()?.roles;
    // the risk admin may only leave members out
    let holders = [roles.root, roles.risk_admin];
    let holders = if args.add.is_empty() && set.is_some() { &holders[..] } else { &holders[..1] };
    let by = way.authority("the root", holders)?;
    way.carry_out(&act::set_keepers(way.snapshot.key, set, members, (by, way.validity()?))).await
}
