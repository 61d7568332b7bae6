//! From a snapshot to what is shown of it. Pure: names and time are arguments.

use super::{
    AssetReport, BudgetReport, CauseReport, GuardReport, KeeperReport, PendingReport, RuleReport, VaultReport,
};
use crate::guard::change::{self, ChangeError, Move};
use crate::guard::snapshot::Snapshot;
use crate::guard::spec::{BoundsSpec, LevelName, MemberName, Part};
use crate::guard::words::{self, Decimals};
use crate::view::amounts::{level_name, short};
use anchor_lang::prelude::Pubkey;
use rampart::state::{
    Asset, Breaker, Cause, CauseKind, Change, Direction, Finality, Guard, Level, PendingChange, Switch, Vault,
};
use std::collections::BTreeMap;

/// Names of accounts, as the settings give them.
pub type Names = BTreeMap<Pubkey, String>;

/// Looks names up; without one, an address is shortened.
struct Book<'a> {
    names: &'a Names,
    snapshot: &'a Snapshot,
}

impl Book<'_> {
    fn of(&self, key: &Pubkey) -> String {
        let asset = |key: &Pubkey| self.names.get(key).cloned().unwrap_or_else(|| self.mint_name(key));
        if let Some(name) = self.names.get(key) {
            return name.clone();
        }
        match self.snapshot.vaults.get(key) {
            Some(vault) => format!("{}/{}", asset(&vault.collateral_asset), asset(&vault.loan_asset)),
            None if *key == self.snapshot.key => "the guard".into(),
            None => asset(key),
        }
    }

    fn mint_name(&self, key: &Pubkey) -> String {
        self.snapshot.assets.get(key).map_or_else(|| short(key), |asset| short(&asset.mint))
    }
}

/// Returns what is shown of a guard at `now_ts`; `None` where there is no guard.
///
/// # Errors
/// A value that this version doesn't know.
pub fn view(snapshot: &Snapshot, names: &Names, now_ts: i64) -> Result<Option<GuardReport>, ChangeError> {
    let Some(guard) = &snapshot.guard else { return Ok(None) };
    let book = Book { names, snapshot };
    let finality = if guard.finality == Finality::Open as u8 { "open" } else { "frozen" };
    let dollar_limit = snapshot.aggregate.as_ref().map(|limit| change::to_json(&Change::Aggregate(limit.params)));
    Ok(Some(GuardReport {
        address: snapshot.key.to_string(),
        id: guard.id,
        finality,
        authority_epoch: guard.authority_epoch,
        level: level_name(guard.breaker.level_at(now_ts)),
        roles: change::to_json(&Change::Roles(guard.roles))?,
        loosen_delay_secs: guard.loosen_delay_secs,
        bounds: serde_json::to_value(BoundsSpec::of(&guard.bounds)?).unwrap_or_default(),
        dollar_limit: dollar_limit.transpose()?,
        assets: snapshot.assets.iter().map(|(key, a)| asset(&book, key, a)).collect::<Result<_, _>>()?,
        vaults: snapshot.vaults.iter().map(|(key, v)| vault(&book, key, v, now_ts)).collect::<Result<_, _>>()?,
        rules: rules(&book)?,
        pending: pending(&book, guard, now_ts)?,
        keepers: keepers(snapshot)?,
        causes: causes(&book, guard, now_ts),
        budgets: budgets(guard, now_ts),
    }))
}

fn asset(book: &Book, key: &Pubkey, asset: &Asset) -> Result<AssetReport, ChangeError> {
    Ok(AssetReport {
        address: key.to_string(),
        name: book.of(key),
        mint: asset.mint.to_string(),
        oracle: change::to_json(&Change::AssetOracle(asset.oracle))?,
        standby: change::to_json(&Change::AssetStandby(asset.standby))?,
        reference: change::to_json(&Change::AssetReference(asset.reference_params))?,
        warm_up_secs: asset.warm_up.duration_secs,
    })
}

fn vault(book: &Book, key: &Pubkey, vault: &Vault, now_ts: i64) -> Result<VaultReport, ChangeError> {
    Ok(VaultReport {
        address: key.to_string(),
        name: book.of(key),
        level: level_name(vault.breaker.level_at(now_ts)),
        risk: change::to_json(&Change::VaultRisk(vault.risk))?,
        limits: change::to_json(&Change::VaultLimits(vault.limits))?,
        curve: change::to_json(&Change::VaultCurve(vault.curve))?,
        scale: change::to_json(&Change::VaultScale(vault.scale))?,
        is_covered: vault.cover_switch() == Switch::Enabled,
        decimals: (vault.loan_decimals, vault.collateral_decimals),
    })
}

fn rules(book: &Book) -> Result<Vec<RuleReport>, ChangeError> {
    let mut rules = Vec::new();
    for (key, rule) in &book.snapshot.rules {
        rules.push(RuleReport {
            address: key.to_string(),
            id: rule.id,
            subject: rule.subject.to_string(),
            sentence: words::rule(&rule.params, &book.of(&rule.subject))?,
            params: change::to_json(&Change::Rule(rule.params))?,
            trip_epoch: rule.trip_epoch,
        });
    }
    rules.sort_by_key(|rule| rule.id);
    Ok(rules)
}

/// Returns from when a change may be executed: a delay that was raised since holds for it, too.
pub fn ripe_ts(change: &PendingChange, guard: &Guard) -> i64 {
    let waited = change.proposed_at_ts.saturating_add(guard.loosen_delay_secs.into());
    if change.eta_ts > change.proposed_at_ts { change.eta_ts.max(waited) } else { change.eta_ts }
}

fn pending(book: &Book, guard: &Guard, now_ts: i64) -> Result<Vec<PendingReport>, ChangeError> {
    let mut all = Vec::new();
    for (key, pending) in &book.snapshot.changes {
        let Ok(next) = pending.change() else { continue };
        let now = book.snapshot.current(next.group(), &pending.target);
        let moves = now.as_ref().map_or_else(|| Ok(Vec::new()), |now| change::moves(now, &next))?;
        let decimals = decimals_of(book.snapshot, &pending.target);
        let is_moved = now.as_ref().is_none_or(|now| now.hash() != pending.value_hash);
        let (state, words) = state_of(pending, guard, is_moved, now_ts);
        all.push(PendingReport {
            id: pending.id,
            address: key.to_string(),
            group: change::group_name(next.group()),
            target: pending.target.to_string(),
            target_name: book.of(&pending.target),
            direction: direction_of(pending.direction),
            state,
            words,
            proposed_at_ts: pending.proposed_at_ts,
            ripe_ts: ripe_ts(pending, guard),
            expires_at_ts: pending.expires_at_ts,
            moves_in_words: moves.iter().map(|moved| in_words(moved, decimals)).collect(),
            moves,
        });
    }
    all.sort_by_key(|change| change.id);
    Ok(all)
}

/// Returns the decimals that amounts of an account are told in.
pub fn decimals_of(snapshot: &Snapshot, target: &Pubkey) -> Decimals {
    snapshot.vaults.get(target).map(|vault| (vault.loan_decimals, vault.collateral_decimals))
}

/// Returns a move as one line.
pub fn in_words(moved: &Move, decimals: Decimals) -> String {
    let told = |value| words::value(&moved.field, value, decimals);
    format!("{}: {} -> {} ({})", moved.field, told(&moved.from), told(&moved.to), moved.direction)
}

fn direction_of(stored: u8) -> &'static str {
    let is = |direction: Direction| stored == direction as u8;
    if is(Direction::Tighter) { "tighter" } else { "looser" }
}

fn state_of(change: &PendingChange, guard: &Guard, is_moved: bool, now_ts: i64) -> (&'static str, String) {
    let ripe_ts = ripe_ts(change, guard);
    if change.authority_epoch != guard.authority_epoch {
        return ("void", "void: roles have changed since; `guard cancel` closes it".into());
    }
    if is_moved {
        return ("void", "void: the value has moved since; `guard cancel` closes it".into());
    }
    if now_ts >= change.expires_at_ts || ripe_ts >= change.expires_at_ts {
        return ("expired", "expired: it was not executed in time; propose it anew".into());
    }
    let left = |until: i64| words::countdown(until.saturating_sub(now_ts));
    if now_ts < ripe_ts {
        return ("waits", format!("may be executed in {}", left(ripe_ts)));
    }
    ("ripe", format!("may be executed now, for {}", left(change.expires_at_ts)))
}

fn keepers(snapshot: &Snapshot) -> Result<Vec<KeeperReport>, ChangeError> {
    let members = snapshot.keepers.iter().flat_map(|set| set.active());
    let report = |member: &rampart::state::KeeperMember| {
        Ok(KeeperReport {
            key: member.key.to_string(),
            role: MemberName::of(&member.role)?.to_string(),
            source_tag: member.source_tag,
            active_from_ts: member.active_from_ts,
        })
    };
    members.map(report).collect()
}

fn causes(book: &Book, guard: &Guard, now_ts: i64) -> Vec<CauseReport> {
    let snapshot = book.snapshot;
    let scopes = std::iter::once((&snapshot.key, &guard.breaker))
        .chain(snapshot.assets.iter().map(|(key, asset)| (key, &asset.breaker)))
        .chain(snapshot.vaults.iter().map(|(key, vault)| (key, &vault.breaker)));
    scopes.flat_map(|(key, breaker)| in_force(book, key, breaker, now_ts)).collect()
}

fn in_force(book: &Book, scope: &Pubkey, breaker: &Breaker, now_ts: i64) -> Vec<CauseReport> {
    let report = |cause: &Cause| CauseReport {
        scope: book.of(scope),
        source: book.of(&cause.source),
        kind: match CauseKind::try_from(cause.kind) {
            Ok(CauseKind::Rule) => "rule",
            Ok(CauseKind::Pause) => "pause",
            Ok(CauseKind::Shortfall) => "shortfall",
            Err(_) => "unknown",
        },
        level: LevelName::of(&(cause.level_at(now_ts) as u8)).map_or("Halt", words::level),
        ends_at_ts: cause.ends_at_ts(),
        dwell_until_ts: cause.dwell_until_ts,
    };
    breaker.causes.iter().filter(|cause| cause.level_at(now_ts) > Level::Normal).map(report).collect()
}

fn budgets(guard: &Guard, now_ts: i64) -> Vec<BudgetReport> {
    let (bounds, mut pauses) = (&guard.bounds, guard.pauses);
    pauses.single.settle(now_ts);
    let singles_left = (bounds.max_guard_pause_secs.saturating_sub(bounds.quorum_reserve_secs))
        .saturating_sub(pauses.single.total_secs());
    let of = |guardian: &Pubkey| {
        let used = pauses.guardians.iter().find(|budget| budget.guardian == *guardian).map_or(0, |budget| {
            let mut ring = budget.ring;
            ring.settle(now_ts);
            ring.total_secs()
        });
        let left_secs = bounds.max_guardian_pause_secs.saturating_sub(used).min(singles_left);
        BudgetReport { guardian: guardian.to_string(), left_secs }
    };
    guard.roles.active_guardians().iter().map(of).collect()
}
