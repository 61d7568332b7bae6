//! What people and programs see of a guard: who governs, what stands, what waits and what is paused.

mod build;
mod text;

pub use build::{Names, decimals_of, in_words, ripe_ts, view};
pub use text::text;

use super::change::Move;
use serde::Serialize;
use serde_json::Value;

/// A guard as it is shown.
#[derive(Clone, Debug, Serialize)]
pub struct GuardReport {
    /// Its address.
    pub address: String,
    /// Its number.
    pub id: u16,
    /// Whether it may still loosen: `open` or `frozen`.
    pub finality: &'static str,
    /// The authority epoch.
    pub authority_epoch: u64,
    /// The strictest level in force at the guard itself.
    pub level: &'static str,
    /// Who may do what.
    pub roles: Value,
    /// How long loosenings wait, seconds.
    pub loosen_delay_secs: u32,
    /// Floors and ceilings.
    pub bounds: Value,
    /// The dollar limit over all vaults.
    pub dollar_limit: Option<Value>,
    /// Assets.
    pub assets: Vec<AssetReport>,
    /// Vaults.
    pub vaults: Vec<VaultReport>,
    /// Rules.
    pub rules: Vec<RuleReport>,
    /// Changes that wait, by number.
    pub pending: Vec<PendingReport>,
    /// Members of the keeper set.
    pub keepers: Vec<KeeperReport>,
    /// Causes in force at any scope.
    pub causes: Vec<CauseReport>,
    /// What each guardian may still pause within 30 days.
    pub budgets: Vec<BudgetReport>,
}

/// An asset.
#[derive(Clone, Debug, Serialize)]
pub struct AssetReport {
    /// Its address.
    pub address: String,
    /// Its name.
    pub name: String,
    /// Its mint.
    pub mint: String,
    /// Its sources.
    pub oracle: Value,
    /// Its standby sources.
    pub standby: Value,
    /// How its reference is kept.
    pub reference: Value,
    /// How long it warms up, seconds.
    pub warm_up_secs: u32,
}

/// A vault.
#[derive(Clone, Debug, Serialize)]
pub struct VaultReport {
    /// Its address.
    pub address: String,
    /// Its name.
    pub name: String,
    /// The strictest level in force at it.
    pub level: &'static str,
    /// Lines, bonuses and close factor.
    pub risk: Value,
    /// Caps and limits.
    pub limits: Value,
    /// Interest.
    pub curve: Value,
    /// How limits follow the market.
    pub scale: Value,
    /// Whether the guard's reserve meets its bad debt.
    pub is_covered: bool,
    /// Decimals of the loan and of the collateral mint.
    pub decimals: (u8, u8),
}

/// A rule.
#[derive(Clone, Debug, Serialize)]
pub struct RuleReport {
    /// Its address.
    pub address: String,
    /// Its number.
    pub id: u16,
    /// What is measured.
    pub subject: String,
    /// The rule in one sentence.
    pub sentence: String,
    /// Its parameters.
    pub params: Value,
    /// How often it tripped and stepped down.
    pub trip_epoch: u64,
}

/// A change that waits.
#[derive(Clone, Debug, Serialize)]
pub struct PendingReport {
    /// Its number.
    pub id: u64,
    /// Its address.
    pub address: String,
    /// What belongs to it.
    pub group: &'static str,
    /// The account that it would change.
    pub target: String,
    /// Name of that account.
    pub target_name: String,
    /// Which way, as the program judged at its proposal.
    pub direction: &'static str,
    /// `waits`, `ripe`, `expired` or `void`.
    pub state: &'static str,
    /// The state in words, with the countdown.
    pub words: String,
    /// When it was proposed, unix seconds.
    pub proposed_at_ts: i64,
    /// From when it may be executed, unix seconds.
    pub ripe_ts: i64,
    /// From when it may no longer be executed, unix seconds.
    pub expires_at_ts: i64,
    /// Every field that moves.
    pub moves: Vec<Move>,
    /// The same in words.
    pub moves_in_words: Vec<String>,
}

/// A member of the keeper set.
#[derive(Clone, Debug, Serialize)]
pub struct KeeperReport {
    /// Its key.
    pub key: String,
    /// Its role.
    pub role: String,
    /// Where its data comes from.
    pub source_tag: u16,
    /// From when on its reports count, unix seconds.
    pub active_from_ts: i64,
}

/// A cause that holds a level up.
#[derive(Clone, Debug, Serialize)]
pub struct CauseReport {
    /// Where.
    pub scope: String,
    /// Who or what put it into force.
    pub source: String,
    /// `rule`, `pause` or `shortfall`.
    pub kind: &'static str,
    /// The level that it demands now.
    pub level: &'static str,
    /// When it ends by itself, unix seconds.
    pub ends_at_ts: i64,
    /// From when it may be lifted or stepped down, unix seconds.
    pub dwell_until_ts: i64,
}

/// What is left to a guardian.
#[derive(Clone, Debug, Serialize)]
pub struct BudgetReport {
    /// The guardian; `quorum` for what all together may use.
    pub guardian: String,
    /// What is left of 30 days, seconds.
    pub left_secs: u32,
}
