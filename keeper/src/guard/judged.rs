//! A change of the chain as the lab plays it: which vaults it reaches, what each comes to, and whether a verdict is of that.

use super::change::{self, ChangeError};
use super::played;
use super::snapshot::Snapshot;
use anchor_lang::prelude::Pubkey;
use rampart::state::Change;
use rampart_lab::validate::{Config, ConfigError, Guarded, Require, Verdict};

/// Why no verdict can speak for a change.
#[derive(Debug, thiserror::Error)]
pub enum UnjudgedError {
    /// The lab has no part for the group.
    #[error(
        "the lab can't judge `{0}`: it plays lines, outflow limits, scale and rules of a vault, and its collateral's prices"
    )]
    Group(&'static str),
    /// No vault takes the asset as collateral.
    #[error("the lab can't judge this: {0} is no collateral of a vault, and a loan stands for a dollar there")]
    NoCollateral(Pubkey),
    /// Fields that move nothing in the pool.
    #[error("the lab plays no part of {0}, so that no report says anything about it")]
    Fields(String),
    /// The configuration can't be played, or the fields can't be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A field has no name here.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// A report is of something else.
    #[error("no report is of vault {vault} after this change: its configuration becomes {wanted}, and {given}")]
    Other {
        /// The vault.
        vault: Pubkey,
        /// Hash of what it becomes.
        wanted: String,
        /// What the reports are of.
        given: String,
    },
    /// Crises weren't played.
    #[error("the report of `{name}` has not met {}", skipped.join("; "))]
    Skipped {
        /// Name of the configuration.
        name: String,
        /// The crises, with the reason.
        skipped: Vec<String>,
    },
    /// Held against what isn't today's.
    #[error("the report of `{name}` is held against configuration {theirs}, and the chain's is {today}")]
    Against {
        /// Name of the configuration.
        name: String,
        /// Hash of what it was held against.
        theirs: String,
        /// Hash of what stands.
        today: String,
    },
}

impl UnjudgedError {
    /// Returns what to do next.
    pub fn next(&self) -> &'static str {
        match self {
            Self::Group(_) | Self::NoCollateral(_) => {
                "propose it without `--validate`; `--report HASH` notes what else it was judged by"
            }
            Self::Fields(_) => "propose that by itself, without `--validate`",
            Self::Config(_) | Self::Change(_) => "docs/governance.md says what each field means",
            Self::Other { .. } => {
                "the same proposal with `--lab DIR` writes what is to be judged, `rampart lab validate DIR/VAULT.toml --out FILE` judges it"
            }
            Self::Skipped { .. } => {
                "validate again with recorded markets (`--data DIR`), or take it as it is: `--accept-skipped`"
            }
            Self::Against { .. } => "validate again with `--against DIR/VAULT.today.toml`, which `--lab DIR` writes",
        }
    }
}

/// A vault that a change reaches.
#[derive(Clone, Debug)]
pub struct Reached {
    /// Its address.
    pub vault: Pubkey,
    /// As it stands.
    pub today: Config,
    /// As the change leaves it.
    pub next: Config,
}

/// Returns what the lab has to play for a change of `target` from `now` to `next`: every vault that it reaches.
///
/// # Errors
/// `Group`, `NoCollateral`, `Fields`, `Config`, `Change`.
pub fn reached(
    snapshot: &Snapshot,
    target: &Pubkey,
    now: &Change,
    next: &Change,
) -> Result<Vec<Reached>, UnjudgedError> {
    let after = after(snapshot, target, next).ok_or(UnjudgedError::Group(change::group_name(next.group())))?;
    let subject = snapshot.rules.get(target).map_or(*target, |rule| rule.subject);
    let is_reached = |key: &&Pubkey| **key == subject || snapshot.vaults[*key].collateral_asset == subject;
    let keys: Vec<Pubkey> = snapshot.vaults.keys().filter(is_reached).copied().collect();
    if keys.is_empty() {
        return Err(UnjudgedError::NoCollateral(subject));
    }
    require_played(snapshot, target, (now, next), &keys)?;
    keys.into_iter()
        .map(|vault| Ok(Reached { vault, today: config(snapshot, &vault)?, next: config(&after, &vault)? }))
        .collect()
}

/// Every field that moves has to move something in the pool of one of the vaults.
fn require_played(
    snapshot: &Snapshot,
    target: &Pubkey,
    (now, next): (&Change, &Change),
    keys: &[Pubkey],
) -> Result<(), UnjudgedError> {
    let played = |change: &Change| {
        let after = after(snapshot, target, change);
        let guarded = keys.iter().filter_map(move |key| played::of_chain(after.as_ref()?, key));
        guarded.map(unchecked).collect::<Result<Vec<_>, _>>()
    };
    let (all, mut unplayed) = (played(next)?, Vec::new());
    for moved in change::moves(now, next)? {
        let without = change::edited(next, &[(moved.field.clone(), moved.from.to_string())])?;
        if all.iter().zip(&played(&without)?).all(|(all, without)| all.plays_as(without)) {
            unplayed.push(format!("`{}`", moved.field));
        }
    }
    if unplayed.is_empty() { Ok(()) } else { Err(UnjudgedError::Fields(unplayed.join(", "))) }
}

fn unchecked(guarded: Guarded) -> Result<Config, ConfigError> {
    let require = Require::of_peg(guarded.peg)?;
    Ok(Config::unchecked(guarded, require))
}

fn config(snapshot: &Snapshot, vault: &Pubkey) -> Result<Config, UnjudgedError> {
    let guarded = played::of_chain(snapshot, vault).ok_or(UnjudgedError::NoCollateral(*vault))?;
    let require = Require::of_peg(guarded.peg)?;
    Ok(Config::of(guarded, require)?)
}

/// Returns the guard as a change leaves it; nothing for groups that the lab has no part for, and targets that aren't there.
fn after(snapshot: &Snapshot, target: &Pubkey, next: &Change) -> Option<Snapshot> {
    let mut after = snapshot.clone();
    match *next {
        Change::VaultRisk(value) => after.vaults.get_mut(target)?.risk = value,
        Change::VaultLimits(value) => after.vaults.get_mut(target)?.limits = value,
        Change::VaultScale(value) => after.vaults.get_mut(target)?.scale = value,
        Change::Rule(value) => after.rules.get_mut(target)?.params = value,
        Change::AssetOracle(value) => after.assets.get_mut(target)?.oracle = value,
        Change::AssetReference(value) => after.assets.get_mut(target)?.reference_params = value,
        Change::VaultCurve(_)
        | Change::VaultCover(_)
        | Change::AssetStandby(_)
        | Change::AssetWarmUp(_)
        | Change::Aggregate(_)
        | Change::Roles(_)
        | Change::Root(_)
        | Change::LoosenDelay(_)
        | Change::IntegrationSwitch(_)
        | Change::Holder(_)
        | Change::SwapPolicy(_)
        | Change::ReservePlan(_)
        | Change::ReserveGrant(_) => return None,
    }
    Some(after)
}

/// Returns the verdicts that speak for a change, one for each vault that it reaches.
///
/// # Errors
/// `Other`, `Skipped`, `Against`.
pub fn judged_by<'a>(
    reached: &[Reached],
    verdicts: &'a [Verdict],
    accepts_skipped: bool,
) -> Result<Vec<&'a Verdict>, UnjudgedError> {
    reached.iter().map(|reached| of_vault(reached, verdicts, accepts_skipped)).collect()
}

fn of_vault<'a>(
    reached: &Reached,
    verdicts: &'a [Verdict],
    accepts_skipped: bool,
) -> Result<&'a Verdict, UnjudgedError> {
    let (wanted, today) = (reached.next.sha256(), reached.today.sha256());
    let Some(verdict) = verdicts.iter().find(|verdict| verdict.config_sha256 == wanted) else {
        let of = |verdict: &Verdict| format!("`{}` is of {}", verdict.name, verdict.config_sha256);
        let given = verdicts.iter().map(of).collect::<Vec<_>>().join(", ");
        return Err(UnjudgedError::Other { vault: reached.vault, wanted, given });
    };
    let name = verdict.name.clone();
    if !verdict.skipped.is_empty() && !accepts_skipped {
        return Err(UnjudgedError::Skipped { name, skipped: verdict.skipped.clone() });
    }
    match &verdict.against {
        Some(against) if against.config_sha256 != today => {
            Err(UnjudgedError::Against { name, theirs: against.config_sha256.clone(), today })
        }
        _ => Ok(verdict),
    }
}
