//! What to do about what was assessed.
//!
//! Pure function of the assessment, the policy and the history of earlier decisions; the chain's clock is the only time.
//! An intent names the value on chain that its action moves (its fence), so that any number of keepers may decide the
//! same: the program lets one through. The history holds back what is under way, what failed lately, and what another
//! rank is to do first.

pub mod bands;
mod basket;
mod evidence;
mod groups;
pub mod history;
pub mod liquidations;
pub mod reports;
mod scale;
pub mod settle;

use crate::assess::group::ClearRule;
use crate::assess::{Assessment, Candidate};
use crate::config::{BandSettings, Classes, Config, ReportSettings};
use crate::decide::bands::Bands;
use crate::decide::reports::Opinion;
use crate::decide::settle::Housekeeping;
use crate::economics::{Economics, Offer, Rebalance};
use crate::intent::{ActionClass, Intent, IntentId};
use crate::post::Posting;
use crate::watch::store::Store;
use anchor_lang::prelude::Pubkey;
use rampart::SubmitReportArgs;
use rampart::state::{Metric, RuleGroup};
use std::collections::BTreeMap;

pub use history::History;

/// What this keeper may do at all.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Which classes are switched on.
    pub classes: Classes,
    /// Slots that this keeper waits before it acts on what is no trip; a quarter of that for trips.
    pub stagger_slots: u64,
    /// Slots that the fleet has this keeper wait before it acts on anything, in place of the above.
    pub fleet_delay_slots: Option<u64>,
    /// How many intents may be under way at once.
    pub max_in_flight: usize,
    /// How often reports are renewed.
    pub reports: ReportSettings,
    /// What the band of the own score changes.
    pub bands: BandSettings,
    /// What actions have to bring, and where tokens can be swapped.
    pub economics: Economics,
}

impl Policy {
    /// Derives the policy from the settings.
    pub fn new(config: &Config) -> Self {
        let stagger = &config.tx.stagger;
        Self {
            classes: config.classes,
            stagger_slots: stagger.rank.saturating_mul(stagger.slots),
            fleet_delay_slots: None,
            max_in_flight: config.tx.max_in_flight,
            reports: config.report,
            bands: config.score.bands,
            economics: Economics::new(config),
        }
    }

    /// Returns how long to leave an intent of `class` to the ranks before this one, in slots.
    pub fn delay_slots(&self, class: ActionClass) -> u64 {
        // each keeper speaks for itself
        if class == ActionClass::Report {
            return 0;
        }
        let own = if class == ActionClass::Trip { self.stagger_slots.div_ceil(4) } else { self.stagger_slots };
        self.fleet_delay_slots.unwrap_or(own)
    }
}

/// What the keeper's own state allows at this moment.
#[derive(Clone, Debug, Default)]
pub struct Means {
    /// Whether some source is complete: without one, only trips, which the program proves anyway.
    pub is_gapless: bool,
    /// Whether the balance allows more than trips.
    pub is_funded: bool,
    /// Whether the signer is a member of the guard's keeper set.
    pub is_keeper: bool,
    /// What the signer holds of each mint, base units.
    pub tokens: BTreeMap<Pubkey, u64>,
    /// What the signer would report now, by subject.
    pub opinions: BTreeMap<Pubkey, Opinion>,
    /// Bands of the signer's own scores.
    pub bands: Bands,
}

/// What an action needs beyond its intent.
#[derive(Clone, Debug)]
pub enum Action {
    /// Trip, observe or step down this rule.
    Rule(Pubkey),
    /// Trip this group.
    TripGroup {
        /// The group.
        group: Pubkey,
        /// Its rules that have to be observed first, in the same transaction.
        observe: Vec<Pubkey>,
    },
    /// Step this group down.
    StepDownGroup {
        /// The group.
        group: Pubkey,
        /// The rule that is clear.
        clear: ClearRule,
    },
    /// Observe this asset.
    Asset(Pubkey),
    /// Mark the halt of this vault.
    Vault(Pubkey),
    /// Liquidate or deleverage this position.
    Position {
        /// The position.
        candidate: Box<Candidate>,
        /// The ways that are worth it, the best first.
        offers: Vec<Offer>,
    },
    /// Report the risk of an asset or vault.
    Report {
        /// The asset or vault.
        subject: Pubkey,
        /// Whether the report has to be opened first.
        is_new: bool,
        /// What is said.
        args: SubmitReportArgs,
    },
    /// Keep a vault's books honest.
    Settle(Housekeeping),
    /// Swap a part of the reserve's basket.
    Rebalance(Box<Rebalance>),
    /// Take a step towards a newer price on chain. Decided by the desk of `post`, never here.
    Post(Box<Posting>),
}

/// Something to do now.
#[derive(Clone, Debug)]
pub struct Decision {
    /// What, on which state, and why.
    pub intent: Intent,
    /// What it takes.
    pub action: Action,
    /// The state that the wait for other ranks is about: when it moves, somebody acted and the wait starts anew.
    pub awaited: u64,
}

impl Decision {
    pub(crate) fn new(class: ActionClass, target: Pubkey, fence: u64, reason: String, action: Action) -> Self {
        Self { intent: Intent { class, target, fence, reason }, action, awaited: fence }
    }

    /// Returns the identity of its intent.
    pub fn id(&self) -> IntentId {
        self.intent.id()
    }
}

/// Returns the trips of [`decide`], which cost nothing to find: they leave before anything is weighed.
pub fn trips(
    assessment: &Assessment,
    store: &Store,
    policy: &Policy,
    means: &Means,
    history: &mut History,
) -> Vec<Decision> {
    let mut wanted = proved(assessment, store);
    wanted.retain(|decision| decision.intent.class == ActionClass::Trip);
    due(wanted, assessment, store, policy, means, history)
}

/// Returns what is to be done now, the most urgent first.
pub fn decide(
    assessment: &Assessment,
    store: &Store,
    policy: &Policy,
    means: &Means,
    history: &mut History,
) -> Vec<Decision> {
    let wanted = wanted(assessment, store, policy, means, history);
    due(wanted, assessment, store, policy, means, history)
}

/// Keeps what is allowed and due.
fn due(
    mut wanted: Vec<Decision>,
    assessment: &Assessment,
    store: &Store,
    policy: &Policy,
    means: &Means,
    history: &mut History,
) -> Vec<Decision> {
    let slot = assessment.now.slot;
    wanted.retain(|d| is_allowed(d, store, policy, means));
    history.note_wanted(wanted.iter().map(|d| (&d.intent, d.awaited)), slot);
    let mut room = policy.max_in_flight.saturating_sub(history.in_flight());
    wanted.retain(|decision| {
        let class = decision.intent.class;
        let is_due =
            history.is_due(&decision.intent, slot, store.slot_of(&decision.intent.target), policy.delay_slots(class));
        // a trip never waits for room
        let has_room = class == ActionClass::Trip || room > 0;
        room = room.saturating_sub(usize::from(is_due && has_room));
        is_due && has_room
    });
    wanted
}

/// Returns the trip of a rule or group, where the program would take it now. Leaves policy and history out.
pub fn trip_of(target: &Pubkey, assessment: &Assessment, store: &Store) -> Option<Decision> {
    let is_it = |decision: &Decision| decision.intent.class == ActionClass::Trip && decision.intent.target == *target;
    proved(assessment, store).into_iter().find(is_it)
}

/// What rules and groups of them prove: trips, steps down, observations.
fn proved(assessment: &Assessment, store: &Store) -> Vec<Decision> {
    let mut all = evidence::rules(assessment, store);
    all.extend(groups::groups(assessment, store));
    all
}

/// Returns what would be done about a target, were there no policy but what actions have to bring.
pub fn wanted_about(
    target: &Pubkey,
    assessment: &Assessment,
    store: &Store,
    (policy, means): (&Policy, &Means),
    history: &History,
) -> Option<Decision> {
    // what it notes is for the decisions that are carried out
    let mut history = history.clone();
    let all = wanted(assessment, store, policy, means, &mut history);
    all.into_iter().find(|decision| decision.intent.target == *target)
}

fn wanted(
    assessment: &Assessment,
    store: &Store,
    policy: &Policy,
    means: &Means,
    history: &mut History,
) -> Vec<Decision> {
    let mut wanted = proved(assessment, store);
    wanted.extend(evidence::halts(assessment));
    wanted.extend(liquidations::positions(assessment, store, policy, means, history));
    wanted.extend(evidence::assets(assessment, store));
    wanted.extend(reports::reports(assessment, store, policy, means));
    wanted.extend(settle::vaults(assessment, store));
    wanted.extend(scale::limits(assessment, store));
    wanted.extend(basket::rebalance(assessment, store, policy, means));
    wanted.sort_by_key(|d| ActionClass::ALL.iter().position(|class| *class == d.intent.class));
    wanted
}

fn is_allowed(decision: &Decision, store: &Store, policy: &Policy, means: &Means) -> bool {
    let class = decision.intent.class;
    // what looks old may only be our own copy that is: with a gap open, age proves nothing
    let is_about_age = |key: &Pubkey| {
        let metric = store.rule(key).map(|rule| Metric::try_from(rule.params.metric));
        matches!(metric, Some(Ok(Metric::OracleAge | Metric::KeeperSilence)))
    };
    let target = &decision.intent.target;
    let members = store.group(target).map_or(&[][..], RuleGroup::active);
    let is_blind = !means.is_gapless && (is_about_age(target) || members.iter().any(is_about_age));
    let is_proved_anyway = class == ActionClass::Trip && !is_blind;
    policy.classes.is_enabled(class)
        && (is_proved_anyway || (means.is_gapless && (means.is_funded || class == ActionClass::Trip)))
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
