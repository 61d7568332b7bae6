//! The difference between a file and the chain, as acts in the order in which they have to land.
//!
//! Pure. Each act is made against the state that the acts before it leave, so that all of them can be exported at once.
//! A field that gets tighter is tightened at once where the program has an instruction for it; the rest of its group
//! is proposed. What waits already is not proposed again: a plan of what is under way is empty.

mod create;

use super::act::{self, Act, ActError};
use super::change::{self, ChangeError};
use super::file::{GuardFile, words};
use super::snapshot::Snapshot;
use super::spec::{BoundsSpec, Part};
use super::view::in_words;
use anchor_lang::prelude::Pubkey;
use rampart::Validity;
use rampart::state::{Change, ChangeGroup, Guard};
use rampart_client::address;
use std::collections::BTreeMap;

/// Token program of each mint.
pub type Mints = BTreeMap<Pubkey, Pubkey>;

/// One act with what it is about.
#[derive(Clone, Debug)]
pub struct Step {
    /// Name of the account, as the file has it.
    pub subject: String,
    /// `create`, `tighten` or `propose`.
    pub kind: &'static str,
    /// What to do.
    pub act: Act,
}

/// What there is to do.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Acts, in order.
    pub steps: Vec<Step>,
    /// What is worth knowing and asks for nothing.
    pub notes: Vec<String>,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The program would refuse the file.
    #[error("the program would refuse the file: {}", .0.join("; "))]
    Refused(Vec<String>),
    /// An act can't be made.
    #[error(transparent)]
    Act(#[from] ActError),
    /// A value can't be read.
    #[error(transparent)]
    Change(#[from] ChangeError),
}

/// What of a file is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Only {
    /// All of it.
    All,
    /// What the chain doesn't have yet.
    Missing,
    /// Accounts of these names.
    Named(Vec<String>),
}

/// Who tightens, until when what is made is good, and what is meant.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Root or risk admin: signs what tightens at once; the root where nothing else is said.
    pub tightens: Option<Pubkey>,
    /// Until when the program takes it, unix seconds.
    pub expires_at_ts: i64,
    /// Chain time, unix seconds.
    pub now_ts: i64,
    /// What of the file is meant.
    pub only: Only,
}

struct Planner<'a> {
    file: &'a GuardFile,
    mints: &'a Mints,
    terms: Terms,
    /// The chain as the acts so far leave it.
    state: Snapshot,
    plan: Plan,
}

/// Returns what leads from `snapshot` to `file`.
///
/// # Errors
/// `Refused` for a file that the program would refuse, `Act`, `Change`.
pub fn plan(file: &GuardFile, snapshot: &Snapshot, mints: &Mints, terms: Terms) -> Result<Plan, PlanError> {
    let problems = file.problems();
    if !problems.is_empty() {
        return Err(PlanError::Refused(problems));
    }
    let mut planner = Planner { file, mints, terms, state: snapshot.clone(), plan: Plan::default() };
    planner.create()?;
    planner.values()?;
    planner.governance()?;
    planner.leftovers();
    Ok(planner.plan)
}

impl Planner<'_> {
    fn guard(&self) -> &Guard {
        // `create` comes first and leaves one
        self.state.guard.as_deref().unwrap_or_else(|| unreachable!("a guard was created"))
    }

    fn validity(&self) -> Validity {
        Validity { authority_epoch: self.guard().authority_epoch, expires_at_ts: self.terms.expires_at_ts }
    }

    fn is_meant(&self, subject: &str) -> bool {
        match &self.terms.only {
            Only::All | Only::Missing => true,
            Only::Named(names) => names.iter().any(|name| name == subject),
        }
    }

    fn push(&mut self, subject: &str, kind: &'static str, act: Act) {
        self.plan.steps.push(Step { subject: subject.to_owned(), kind, act });
    }

    /// Everything that changes on its own: assets, vaults, rules, the dollar limit.
    fn values(&mut self) -> Result<(), PlanError> {
        let file = self.file;
        let key = file.address();
        for asset in &file.assets {
            let target = address::asset(&key, &asset.mint.0);
            self.toward(&asset.name, target, Change::AssetOracle(asset.oracle.value()))?;
            self.toward(&asset.name, target, Change::AssetStandby(asset.standby.value()))?;
            self.toward(&asset.name, target, Change::AssetReference(asset.reference.value()))?;
            self.toward(&asset.name, target, Change::AssetWarmUp(asset.warm_up_secs))?;
        }
        for vault in &file.vaults {
            let Some(target) = file.vault_address(vault) else { continue };
            self.toward(&vault.name, target, Change::VaultRisk(vault.risk.value()))?;
            self.toward(&vault.name, target, Change::VaultLimits(vault.limits.value()))?;
            self.toward(&vault.name, target, Change::VaultCurve(vault.curve.value()))?;
            if let Some(scale) = &vault.scale {
                self.toward(&vault.name, target, Change::VaultScale(scale.value()))?;
            }
            if let Some(cover) = &vault.cover {
                self.toward(&vault.name, target, Change::VaultCover(cover.value()))?;
            }
        }
        for rule in &file.rules {
            let target = address::rule(&key, rule.id);
            self.toward(&format!("rule {}", rule.id), target, Change::Rule(rule.params.value()))?;
        }
        if let Some(limit) = &file.dollar_limit {
            self.toward("dollar limit", address::aggregate(&key), Change::Aggregate(limit.value()))?;
        }
        Ok(())
    }

    /// The delay, roles and root: last, for a change of roles voids what is pending.
    fn governance(&mut self) -> Result<(), PlanError> {
        let (key, roles) = (self.file.address(), self.file.roles.value());
        self.toward("guard", key, Change::LoosenDelay(self.file.guard.loosen_delay_secs))?;
        let root = self.guard().roles.root;
        self.toward("guard", key, Change::Roles(rampart::state::Roles { root, ..roles }))?;
        self.toward("guard", key, Change::Root(roles.root))
    }

    /// Plans the way of one group to `next`.
    fn toward(&mut self, subject: &str, target: Pubkey, next: Change) -> Result<(), PlanError> {
        let Some(now) = self.state.current(next.group(), &target) else { return Ok(()) };
        if now == next || self.terms.only == Only::Missing || !self.is_meant(subject) {
            return Ok(());
        }
        let now = self.at_once(subject, target, (now, next))?;
        if now == next || self.waits_already(subject, target, (&now, &next)) {
            return Ok(());
        }
        let refused = |error| PlanError::Refused(vec![format!("{subject}: {}", words(&error))]);
        rampart::control::target::validate(&now, &next, self.guard()).map_err(refused)?;
        let cosigners = self.cosigners(&next);
        let with = (self.validity(), cosigners.as_slice(), &[][..]);
        let act = act::propose((self.state.key, self.guard()), target, (now, next), with)?;
        self.push(subject, "propose", act);
        if let Some(guard) = &mut self.state.guard {
            guard.next_change_id += 1;
        }
        Ok(())
    }

    /// Tightens what may be tightened at once and returns what holds then.
    fn at_once(&mut self, subject: &str, target: Pubkey, (now, next): (Change, Change)) -> Result<Change, PlanError> {
        use ChangeGroup as G;
        let has_instruction =
            matches!(next.group(), G::VaultRisk | G::VaultLimits | G::VaultScale | G::Rule | G::Aggregate);
        let tight = change::tighter_part(&now, &next)?;
        let stands = rampart::control::target::validate(&now, &tight, self.guard()).is_ok();
        if !has_instruction || tight == now || !stands || !self.has_room(target, (&now, &tight)) {
            return Ok(now);
        }
        let by = (self.terms.tightens.unwrap_or(self.guard().roles.root), self.validity());
        let act = act::tighten(&self.state, target, (now, tight), by)?;
        self.push(subject, "tighten", act);
        self.set(target, tight);
        Ok(tight)
    }

    /// Charges the step to the meter of the account, as the program will; tells whether there is room for it.
    fn has_room(&mut self, target: Pubkey, (now, tight): (&Change, &Change)) -> bool {
        let (limit_bps, now_ts) = (self.guard().bounds.max_tighten_step_bps, self.terms.now_ts);
        let Ok(judged) = now.judge_move(tight) else { return false };
        let state = &mut self.state;
        let meter = match (state.vaults.get_mut(&target), state.rules.get_mut(&target), &mut state.aggregate) {
            (Some(vault), ..) => &mut vault.tightened,
            (_, Some(rule), _) => &mut rule.tightened,
            (_, _, Some(aggregate)) => &mut aggregate.tightened,
            _ => return false,
        };
        meter.take(judged.step_bps, limit_bps, now_ts).is_ok()
    }

    fn set(&mut self, target: Pubkey, change: Change) {
        let (vault, rule) = (self.state.vaults.get_mut(&target), self.state.rules.get_mut(&target));
        match (change, vault, rule, &mut self.state.aggregate) {
            (Change::VaultRisk(risk), Some(vault), ..) => vault.risk = risk,
            (Change::VaultLimits(limits), Some(vault), ..) => vault.limits = limits,
            (Change::VaultScale(scale), Some(vault), ..) => vault.scale = scale,
            (Change::Rule(params), _, Some(rule), _) => rule.params = params,
            (Change::Aggregate(params), _, _, Some(aggregate)) => aggregate.params = params,
            _ => {}
        }
    }

    fn waits_already(&mut self, subject: &str, target: Pubkey, (now, next): (&Change, &Change)) -> bool {
        let (epoch, now_ts) = (self.guard().authority_epoch, self.terms.now_ts);
        let same = self.state.changes.values().find(|pending| {
            pending.target == target
                && pending.change().is_ok_and(|change| change == *next)
                && pending.value_hash == now.hash()
                && pending.authority_epoch == epoch
                && now_ts < pending.expires_at_ts
        });
        let Some(id) = same.map(|pending| pending.id) else { return false };
        self.plan.notes.push(format!("{subject}: change {id} waits already; `guard execute {id}` once it is ripe"));
        true
    }

    /// A change of the vetoer needs a quorum of guardians.
    fn cosigners(&self, next: &Change) -> Vec<Pubkey> {
        let roles = &self.guard().roles;
        match next {
            Change::Roles(next) if next.vetoer != roles.vetoer => {
                roles.active_guardians().iter().take(roles.guardian_quorum.into()).copied().collect()
            }
            _ => Vec::new(),
        }
    }

    /// What the file can't move, and what isn't in it.
    fn leftovers(&mut self) {
        let mut notes = Vec::new();
        let bounds = self.guard().bounds;
        if bounds != self.file.bounds.value() {
            let way = match bounds.require_narrower(&self.file.bounds.value()) {
                Ok(()) => "`rampart guard narrow` narrows them, which is no part of a plan",
                Err(_) => "they never widen",
            };
            notes.push(format!("bounds differ from the file: {way}: {}", self.bounds_in_words()));
        }
        let file = self.file;
        for asset in &file.assets {
            let found = self.state.assets.get(&address::asset(&file.address(), &asset.mint.0));
            if found.is_some_and(|found| found.peg != asset.peg.value()) {
                notes.push(format!("{}: its peg differs from the file, and is fixed at registration", asset.name));
            }
        }
        let named = |key: &Pubkey| file.vaults.iter().any(|vault| file.vault_address(vault) == Some(*key));
        let strays = self.state.vaults.keys().filter(|key| !named(key)).map(|key| format!("vault {key}"));
        let is_ruled = |id: u16| file.rules.iter().any(|rule| rule.id == id);
        let rules = self.state.rules.values().filter(|rule| !is_ruled(rule.id)).map(|rule| format!("rule {}", rule.id));
        notes.extend(strays.chain(rules).map(|what| format!("{what} is not in the file and stays as it is")));
        self.plan.notes.extend(notes);
    }

    fn bounds_in_words(&self) -> String {
        let json = |bounds| BoundsSpec::of(bounds).ok().and_then(|spec| serde_json::to_value(spec).ok());
        let (now, next) = (json(&self.guard().bounds), json(&self.file.bounds.value()));
        let (now, next) = (now.unwrap_or_default(), next.unwrap_or_default());
        let moved = next.as_object().into_iter().flatten().filter(|(name, value)| now[name.as_str()] != **value);
        let line = |(name, to): (&String, &serde_json::Value)| {
            let (field, from, to) = (name.clone(), now[name.as_str()].clone(), to.clone());
            in_words(&change::Move { field, from, to, direction: "not planned" }, None)
        };
        moved.map(line).collect::<Vec<_>>().join(", ")
    }
}
