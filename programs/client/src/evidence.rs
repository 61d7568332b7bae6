//! What anyone may prove.

use crate::{AccountMeta, Instruction, Pubkey, address, build};
use rampart::state::{Rule, Scope};
use rampart::{accounts, instruction};

/// The asset accounts of a vault, which the collateral ratio is measured with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairAssets {
    /// Asset account of the collateral.
    pub collateral: Pubkey,
    /// Asset account of the loan.
    pub loan: Pubkey,
}

/// Observes an asset's price and its mint's supply. `oracles`: its sources.
pub fn observe(asset: Pubkey, mint: Pubkey, oracles: &[AccountMeta]) -> Instruction {
    build(accounts::Observe { asset, mint }, instruction::Observe {}, oracles)
}

/// Takes one observation into the streak of the rule at `key`.
pub fn observe_rule(key: Pubkey, rule: &Rule, pair: Option<PairAssets>, oracles: &[AccountMeta]) -> Instruction {
    let accounts = accounts::ObserveRule {
        rule: key,
        subject: rule.subject,
        collateral_asset: pair.map(|p| p.collateral),
        loan_asset: pair.map(|p| p.loan),
    };
    build(accounts, instruction::ObserveRule {}, oracles)
}

/// Trips the rule at `key`, fenced by its `trip_epoch`.
pub fn trip(key: Pubkey, rule: &Rule, pair: Option<PairAssets>, oracles: &[AccountMeta]) -> Instruction {
    trip_for(key, rule, pair, oracles, None)
}

/// As [`trip`], with the bounty, if there is one, paid to `bounty_to`.
pub fn trip_for(
    key: Pubkey,
    rule: &Rule,
    pair: Option<PairAssets>,
    oracles: &[AccountMeta],
    bounty_to: Option<Pubkey>,
) -> Instruction {
    let accounts = accounts::Trip {
        rule: key,
        subject: rule.subject,
        scope: scope_of(rule),
        collateral_asset: pair.map(|p| p.collateral),
        loan_asset: pair.map(|p| p.loan),
        bounty_vault: bounty_to.map(|_| address::bounty_vault(&rule.guard)),
        bounty_to,
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    build(accounts, instruction::Trip { trip_epoch: rule.trip_epoch }, oracles)
}

/// Steps the cause of the rule at `key` down, fenced by its `trip_epoch`.
pub fn step_down(key: Pubkey, rule: &Rule, pair: Option<PairAssets>, oracles: &[AccountMeta]) -> Instruction {
    let accounts = accounts::StepDown {
        rule: key,
        subject: rule.subject,
        scope: scope_of(rule),
        collateral_asset: pair.map(|p| p.collateral),
        loan_asset: pair.map(|p| p.loan),
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    build(accounts, instruction::StepDown { trip_epoch: rule.trip_epoch }, oracles)
}

/// Returns the account whose level a rule raises.
pub fn scope_of(rule: &Rule) -> Pubkey {
    if rule.params.scope == Scope::Guard as u8 { rule.guard } else { rule.subject }
}
