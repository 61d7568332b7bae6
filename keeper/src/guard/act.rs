//! What may be done to a guard, as instructions with who has to sign them.

use super::census::MAX_NAMED;
use super::change::{self, ChangeError, Move};
use super::memo;
use super::snapshot::Snapshot;
use super::spec::Digest;
use anchor_lang::prelude::{AccountMeta, Pubkey};
use rampart::state::{Change, ChangeGroup, Guard, KeeperSeat, KeeperSet, Level, PendingChange};
use rampart::{GuardianPauseArgs, SetKeepersArgs, TightenVaultArgs, Validity};
use rampart_client::{address, admin, aggregate, control, guardian, keepers, swap};
use solana_sdk::instruction::Instruction;

/// One act of governance: a transaction.
#[derive(Clone, Debug)]
pub struct Act {
    /// What it does, in words.
    pub what: String,
    /// When it holds, in words.
    pub when: String,
    /// What moves.
    pub moves: Vec<Move>,
    /// The account that amounts are told by.
    pub target: Pubkey,
    /// Who signs for the guard; the first one also pays where nobody else does.
    pub signers: Vec<Pubkey>,
    /// The instructions, in order.
    pub instructions: Vec<Instruction>,
    /// What of it nobody can ever take back, in words.
    pub lasting: Option<String>,
}

/// Why an act can't be made.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// The fields don't fit.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// There is no such account.
    #[error("there is no {what} at {key} of this guard")]
    Missing {
        /// What was looked for.
        what: &'static str,
        /// Where.
        key: String,
    },
    /// The group has no instruction that tightens it at once.
    #[error("`{0}` has nothing that tightens at once: propose it")]
    NotAtOnce(&'static str),
    /// A field that gets looser is among those to tighten at once.
    #[error("`{0}` gets looser, or has no strict side: propose it, which waits")]
    Looser(String),
    /// Nothing moves.
    #[error("the guard has this value already: nothing moves")]
    Same,
    /// A hard bound would get wider.
    #[error("`{0}` gets wider, and a hard bound only ever narrows")]
    Wider(String),
    /// More accounts than one transaction can name.
    #[error("the guard has {0} accounts, and one transaction names {MAX_NAMED} of them")]
    TooMany(usize),
    /// What would be created is there.
    #[error("there is a {what} at {key} already")]
    Exists {
        /// What.
        what: &'static str,
        /// Where.
        key: Pubkey,
        /// What to do instead.
        next: &'static str,
    },
}

impl ActError {
    /// Returns what to do next.
    pub fn next(&self) -> &'static str {
        match self {
            Self::Change(_) => "compare the names with `rampart guard show --json`",
            Self::Missing { .. } => "`rampart guard show` lists addresses and numbers",
            Self::NotAtOnce(_) | Self::Looser(_) => "use `rampart guard propose` with the same fields",
            Self::Same => "there is nothing to do",
            Self::Wider(_) => "leave it out: what a bound forbids stays forbidden for as long as the guard lives",
            Self::TooMany(_) => "count them first: `rampart guard census open`, then `rampart guard census count`",
            Self::Exists { next, .. } => next,
        }
    }
}

/// Names an account that isn't there.
pub fn missing(what: &'static str, key: &impl ToString) -> ActError {
    ActError::Missing { what, key: key.to_string() }
}

/// Proposes the move of `target` from `now` to `next`, with a note on the report that it was judged by.
///
/// # Errors
/// `Change`, `Same`.
pub fn propose(
    (key, guard): (Pubkey, &Guard),
    target: Pubkey,
    (now, next): (Change, Change),
    (validity, cosigners, reports): (Validity, &[Pubkey], &[Digest]),
) -> Result<Act, ActError> {
    let moves = change::moves(&now, &next)?;
    if moves.is_empty() {
        return Err(ActError::Same);
    }
    let instruction = control::propose_change((key, guard), target, (now, next), validity, cosigners);
    let notes = reports.iter().map(|report| memo::note(report, &key, guard.next_change_id));
    let is_longer_delay = matches!((now, next), (Change::LoosenDelay(now), Change::LoosenDelay(next)) if next > now);
    let delay = super::words::span(guard.loosen_delay_secs.into());
    Ok(Act {
        what: format!("propose change {} of {}", guard.next_change_id, change::group_name(next.group())),
        when: if is_longer_delay {
            "may be executed at once".into()
        } else {
            format!("waits for {delay}, then anyone executes it")
        },
        moves,
        target,
        signers: std::iter::once(guard.roles.root).chain(cosigners.iter().copied()).collect(),
        instructions: notes.chain([instruction]).collect(),
        lasting: None,
    })
}

/// Tightens `target` from `now` to `next` at once, signed by `authority`: root or risk admin.
///
/// # Errors
/// `Change`, `Same`, `Looser`, `NotAtOnce`, `Missing`.
pub fn tighten(
    snapshot: &Snapshot,
    target: Pubkey,
    (now, next): (Change, Change),
    (authority, validity): (Pubkey, Validity),
) -> Result<Act, ActError> {
    let moves = change::moves(&now, &next)?;
    let group = change::group_name(next.group());
    if let Some(looser) = moves.iter().find(|moved| moved.direction != "tighter") {
        return Err(ActError::Looser(looser.field.clone()));
    }
    if moves.is_empty() {
        return Err(ActError::Same);
    }
    let instruction = match next {
        Change::Rule(params) => admin::tighten_rule(authority, snapshot.key, target, params, validity),
        Change::Aggregate(params) => aggregate::tighten_aggregate(authority, snapshot.key, params, validity),
        Change::SwapPolicy(params) => swap::tighten_swap_policy(authority, snapshot.key, target, params, validity),
        _ => {
            let args = vault_args(snapshot, &target, &next).ok_or(ActError::NotAtOnce(group))?;
            admin::tighten_vault(authority, snapshot.key, target, args, validity)
        }
    };
    Ok(Act {
        what: format!("tighten {group}"),
        when: "holds at once".into(),
        moves,
        target,
        signers: vec![authority],
        instructions: vec![instruction],
        lasting: None,
    })
}

/// Returns a vault's values with one group of them replaced.
fn vault_args(snapshot: &Snapshot, target: &Pubkey, next: &Change) -> Option<TightenVaultArgs> {
    let vault = snapshot.vaults.get(target)?;
    let (mut ltv_bps, mut limits, mut scale) = (vault.risk.ltv_bps, vault.limits, vault.scale);
    match next {
        Change::VaultRisk(risk) => ltv_bps = risk.ltv_bps,
        Change::VaultLimits(next) => limits = *next,
        Change::VaultScale(next) => scale = *next,
        _ => return None,
    }
    Some(TightenVaultArgs {
        ltv_bps,
        supply_cap_amount: limits.supply_cap_amount,
        borrow_cap_amount: limits.borrow_cap_amount,
        collateral_cap_amount: limits.collateral_cap_amount,
        loan_flow: limits.loan_flow,
        collateral_flow: limits.collateral_flow,
        inflow: limits.inflow,
        scale,
    })
}

fn about(pending: &PendingChange, what: &str, signers: Vec<Pubkey>, instructions: Vec<Instruction>) -> Act {
    let group = ChangeGroup::try_from(pending.group).map_or("unknown", change::group_name);
    Act {
        what: format!("{what} change {} of {group}", pending.id),
        when: "holds at once".into(),
        moves: Vec::new(),
        target: pending.target,
        signers,
        instructions,
        lasting: None,
    }
}

/// Executes a change; `before` settles what has to be settled in the same transaction.
pub fn execute(key: Pubkey, pending: &PendingChange, evidence: &[AccountMeta], before: Vec<Instruction>) -> Act {
    let instruction = control::execute_change(key, pending, evidence);
    about(pending, "execute", Vec::new(), before.into_iter().chain([instruction]).collect())
}

/// Vetoes a change.
pub fn veto(authority: Pubkey, key: Pubkey, pending: &PendingChange) -> Act {
    about(pending, "veto", vec![authority], vec![control::veto_change(authority, key, pending)])
}

/// Takes a proposal back.
pub fn cancel(root: Pubkey, key: Pubkey, pending: &PendingChange) -> Act {
    about(pending, "cancel", vec![root], vec![control::cancel_change(root, key, pending)])
}

/// Takes over as root.
pub fn accept(new_root: Pubkey, key: Pubkey, pending: &PendingChange) -> Act {
    about(pending, "accept", vec![new_root], vec![control::accept_root(new_root, key, pending)])
}

/// An act of one instruction about the account at `scope`, which moves no field.
pub(super) fn at_scope(
    what: String,
    when: String,
    scope: Pubkey,
    signers: Vec<Pubkey>,
    instruction: Instruction,
) -> Act {
    Act { what, when, moves: Vec::new(), target: scope, signers, instructions: vec![instruction], lasting: None }
}

/// Raises the level of a scope: one guardian to Caution or ReduceOnly, their quorum to Halt.
pub fn pause(guard: Pubkey, scope: Pubkey, (level, secs): (Level, u32), by: &[Pubkey], validity: Validity) -> Act {
    let span = super::words::span(secs.into());
    let name = crate::view::amounts::level_name(level);
    let what = format!("pause {scope} at {name}");
    match (level, by) {
        (Level::Halt, by) => {
            let instruction = guardian::guardian_halt(guard, scope, secs, validity, by);
            at_scope(
                what,
                format!("holds for {span}, then ReduceOnly for as long again"),
                scope,
                by.to_vec(),
                instruction,
            )
        }
        (level, by) => {
            let one = by.first().copied().unwrap_or_default();
            let args = GuardianPauseArgs { level: level as u8, duration_secs: secs, validity };
            let instruction = guardian::guardian_pause(one, guard, scope, args);
            at_scope(what, format!("holds for {span}, and ends by itself"), scope, vec![one], instruction)
        }
    }
}

/// Lifts the pause of `source` at `scope`.
pub fn resume(guard: (Pubkey, &Guard), scope: Pubkey, source: Pubkey, validity: Validity) -> Act {
    let (key, guard) = guard;
    let resetter = guard.roles.resetter;
    let instruction = guardian::lift_pause(resetter, key, scope, source, validity);
    at_scope(
        format!("lift the pause of {source} at {scope}"),
        "holds at once".into(),
        scope,
        vec![resetter],
        instruction,
    )
}

/// Sets the members of the keeper set, or creates it.
pub fn set_keepers(
    key: Pubkey,
    set: Option<&KeeperSet>,
    args: SetKeepersArgs,
    (authority, validity): (Pubkey, Validity),
) -> Act {
    let count = args.members.len();
    let (what, when, instruction) = match set {
        None => ("create the keeper set", "holds at once", keepers::initialize_keepers(authority, key, args)),
        Some(_) => (
            "replace the keeper set",
            "who leaves is out at once, who joins counts after 48 h",
            keepers::set_keepers(authority, key, args, validity),
        ),
    };
    let what = format!("{what}: {count} members");
    at_scope(what, when.into(), address::keeper_set(&key), vec![authority], instruction)
}

/// Returns the present members as they are set.
pub fn seats(set: &KeeperSet) -> Vec<KeeperSeat> {
    let seat = |m: &rampart::state::KeeperMember| KeeperSeat { key: m.key, source_tag: m.source_tag, role: m.role };
    set.active().iter().map(seat).collect()
}
