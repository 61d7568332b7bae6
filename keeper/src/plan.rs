//! Decisions to instructions, with what they may use and pay.

use crate::chain::fees::Market;
use crate::config::{ComputePrices, PriceRange};
use crate::decide::{Action, Decision, History};
use crate::intent::{ActionClass, PlannedTx};
use crate::watch::feeds::{self, Wallets};
use crate::watch::oracles::{self, Found};
use crate::watch::store::Store;
use anchor_lang::prelude::{AccountMeta, Pubkey};
use anchor_spl::associated_token::spl_associated_token_account::instruction::create_associated_token_account_idempotent;
use rampart::LiquidateArgs;
use rampart::state::{Asset, Guard, Metric, Rule, RuleGroup, Switch, Vault};
use rampart_client::evidence::{self, PairAssets};
use rampart_client::liquidation::{self, Liquidator};
use rampart_client::{Instruction, VaultKeys, address, groups, swap};
use thiserror::Error;

/// Why a decision can't be carried out.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PlanError {
    /// An account that the instruction names is not known.
    #[error("account {0} is not known")]
    Unknown(Pubkey),
    /// No oracle account was found for a feed of this asset.
    #[error("no oracle account is known for a feed of asset {0}")]
    OracleNotFound(Pubkey),
}

/// What plans are made with.
#[derive(Clone, Copy, Debug)]
pub struct Planner<'a> {
    /// The chain's state.
    pub store: &'a Store,
    /// Accounts of feeds without a pinned account.
    pub found: &'a Found,
    /// The key that pays and signs.
    pub signer: Pubkey,
    /// Priority fees.
    pub prices: &'a ComputePrices,
    /// What others pay, by written account.
    pub market: &'a Market,
}

/// Units that an instruction of a class may use: measured, with a margin of about half for what was not measured.
///
/// # Source
/// The compute-unit table of the program's tests. A mint with extensions and a third source cost more: what is exceeded
/// on chain is raised for the next attempt.
const fn unit_limit(class: ActionClass) -> u32 {
    match class {
        ActionClass::Trip | ActionClass::StepDown => 60_000,
        ActionClass::Observe | ActionClass::ObserveRule | ActionClass::MarkHalt => 40_000,
        ActionClass::Liquidate | ActionClass::Deleverage => 150_000,
    }
}

/// Units for the creation of an associated token account.
const TOKEN_ACCOUNT_UNITS: u32 = 40_000;
/// The most that a transaction may ask for.
const MAX_UNITS: u32 = 1_400_000;

impl Planner<'_> {
    /// Plans `decision`. `history` says how often the same was tried in vain: units and price rise with that.
    ///
    /// # Errors
    /// `Unknown`, `OracleNotFound`.
    pub fn plan(&self, decision: &Decision, history: &History) -> Result<PlannedTx, PlanError> {
        let intent = decision.intent.clone();
        let instructions = self.instructions(decision)?;
        let extra = TOKEN_ACCOUNT_UNITS * u32::try_from(instructions.len().saturating_sub(1)).unwrap_or(0);
        let limit = unit_limit(intent.class).max(history.measured_units(intent.class));
        let units = (limit + extra) << history.compute_exceeded(&intent).min(4);
        Ok(PlannedTx {
            compute_unit_limit: units.min(MAX_UNITS),
            priority_micro_lamports: escalated(
                self.prices.of(intent.class),
                self.market_price(&instructions),
                history.expiries(&intent),
            ),
            instructions,
            intent,
        })
    }

    /// The most that others pay for one of the accounts that are written; zero where nothing is known.
    fn market_price(&self, instructions: &[Instruction]) -> u64 {
        let metas = instructions.iter().flat_map(|instruction| &instruction.accounts);
        let written = metas.filter(|meta| meta.is_writable);
        written.filter_map(|meta| self.market.get(&meta.pubkey)).max().copied().unwrap_or(0)
    }

    /// Plans the trip of a rule ahead of its time.
    ///
    /// # Errors
    /// `Unknown`, `OracleNotFound`.
    pub fn plan_trip(&self, key: Pubkey, rule: &Rule, history: &History) -> Result<PlannedTx, PlanError> {
        let reason = format!("measured at or beyond a threshold of {}", rule.params.threshold);
        let decision = Decision::new(ActionClass::Trip, key, rule.trip_epoch, reason, Action::Rule(key));
        self.plan(&decision, history)
    }

    fn instructions(&self, decision: &Decision) -> Result<Vec<Instruction>, PlanError> {
        match &decision.action {
            Action::Asset(key) => {
                let asset = self.asset(key)?;
                Ok(vec![evidence::observe(*key, asset.mint, &self.oracles_of(key)?)])
            }
            Action::Rule(key) => self.about_rule(key, decision.intent.class).map(|instruction| vec![instruction]),
            Action::TripGroup { group, observe } => {
                let account = self.group(group)?;
                let trip = groups::trip_group(*group, account, self.bounty(account.params.bounty));
                self.observed(observe, trip)
            }
            Action::StepDownGroup { group, clear } => {
                let step_down = groups::step_down_group(*group, self.group(group)?, clear.rule);
                self.observed(if clear.is_unseen { std::slice::from_ref(&clear.rule) } else { &[] }, step_down)
            }
            Action::Vault(key) => {
                let keys = self.vault_keys(*key, self.vault(key)?)?;
                Ok(vec![liquidation::mark_halt(&keys)])
            }
            Action::Position { candidate, max_repay_amount, .. } => {
                let args = LiquidateArgs {
                    liquidation_seq: candidate.liquidation_seq,
                    max_repay_amount: *max_repay_amount,
                    // the program prices both sides at one price and one bonus: less collateral means less repaid
                    min_seize_amount: 0,
                };
                self.about_position(candidate.position, candidate.vault, decision.intent.class, args)
            }
        }
    }

    fn about_rule(&self, key: &Pubkey, class: ActionClass) -> Result<Instruction, PlanError> {
        let rule = self.store.rule(key).ok_or(PlanError::Unknown(*key))?;
        let (pair, oracles) = self.evidence(rule)?;
        Ok(match class {
            ActionClass::ObserveRule => evidence::observe_rule(*key, rule, pair, &oracles),
            ActionClass::StepDown => evidence::step_down(*key, rule, pair, &oracles),
            _ => evidence::trip_for(*key, rule, pair, &oracles, self.bounty(rule.params.bounty)),
        })
    }

    /// `act` behind one observation of each of `rules`.
    fn observed(&self, rules: &[Pubkey], act: Instruction) -> Result<Vec<Instruction>, PlanError> {
        let observations = rules.iter().map(|key| self.about_rule(key, ActionClass::ObserveRule));
        observations.chain([Ok(act)]).collect()
    }

    /// Who is paid for a trip, where it is one that is paid for.
    fn bounty(&self, switch: u8) -> Option<Pubkey> {
        let is_paid_for = switch == Switch::Enabled as u8 && self.store.bounty_vault().is_some();
        is_paid_for.then_some(self.signer)
    }

    fn group(&self, key: &Pubkey) -> Result<&RuleGroup, PlanError> {
        self.store.group(key).ok_or(PlanError::Unknown(*key))
    }

    /// The accounts that the rule's metric is measured on.
    fn evidence(&self, rule: &Rule) -> Result<(Option<PairAssets>, Vec<AccountMeta>), PlanError> {
        let read = |key: Pubkey| AccountMeta::new_readonly(key, false);
        match Metric::try_from(rule.params.metric) {
            Ok(metric) if metric.is_reported() => return Ok((None, self.reports_about(&rule.subject)?)),
            Ok(Metric::SupplyGrowth) => return Ok((None, vec![read(self.asset(&rule.subject)?.mint)])),
            Ok(Metric::VaultShortfall) => {
                let vault = self.vault(&rule.subject)?;
                return Ok((None, vec![read(vault.loan_token), read(vault.collateral_token)]));
            }
            Ok(metric) if metric.is_about_asset() => return Ok((None, self.oracles_of(&rule.subject)?)),
            Ok(Metric::CollateralRatio) => {}
            _ => return Ok((None, Vec::new())),
        }
        let vault = self.vault(&rule.subject)?;
        let pair = PairAssets { collateral: vault.collateral_asset, loan: vault.loan_asset };
        Ok((Some(pair), self.oracles_of_pair(vault)?))
    }

    fn about_position(
        &self,
        position: Pubkey,
        vault_key: Pubkey,
        class: ActionClass,
        args: LiquidateArgs,
    ) -> Result<Vec<Instruction>, PlanError> {
        let vault = self.vault(&vault_key)?;
        let keys = self.vault_keys(vault_key, vault)?;
        let wallets = feeds::wallets(self.store, &self.signer);
        let by = self.liquidator(vault, &wallets)?;
        let oracles = self.oracles_of_pair(vault)?;
        let act = match class {
            ActionClass::Deleverage => liquidation::deleverage(&keys, position, by, &oracles, args),
            _ => liquidation::liquidate(&keys, position, by, &[oracles, self.cover(&keys)].concat(), args),
        };
        let missing = [
            (by.loan_token, keys.loan_mint, keys.loan_token_program),
            (by.collateral_token, keys.collateral_mint, keys.collateral_token_program),
        ];
        let missing = missing.into_iter().filter(|(token, ..)| self.store.raw(token).is_none());
        let create = missing.map(|(_, mint, program)| {
            create_associated_token_account_idempotent(&self.signer, &self.signer, &mint, &program)
        });
        Ok(create.chain([act]).collect())
    }

    /// What the guard's reserve pays bad debt by: whether any is left is known only when the liquidation lands.
    fn cover(&self, keys: &VaultKeys) -> Vec<AccountMeta> {
        let has_reserve = self.store.guard().is_some_and(Guard::has_reserve);
        if has_reserve { swap::cover(&keys.guard, &keys.loan()).to_vec() } else { Vec::new() }
    }

    fn liquidator(&self, vault: &Vault, wallets: &Wallets) -> Result<Liquidator, PlanError> {
        let token = |mint: Pubkey| wallets.get(&mint).map(|w| w.token).ok_or(PlanError::Unknown(mint));
        Ok(Liquidator {
            authority: self.signer,
            loan_token: token(vault.loan_mint)?,
            collateral_token: token(vault.collateral_mint)?,
        })
    }

    fn vault_keys(&self, key: Pubkey, vault: &Vault) -> Result<VaultKeys, PlanError> {
        let program =
            |asset: Pubkey| self.store.asset(&asset).map(|a| a.token_program).ok_or(PlanError::Unknown(asset));
        Ok(VaultKeys {
            vault: key,
            guard: vault.guard,
            collateral_asset: vault.collateral_asset,
            loan_asset: vault.loan_asset,
            collateral_mint: vault.collateral_mint,
            loan_mint: vault.loan_mint,
            collateral_token: vault.collateral_token,
            loan_token: vault.loan_token,
            collateral_token_program: program(vault.collateral_asset)?,
            loan_token_program: program(vault.loan_asset)?,
        })
    }

    /// The keeper set, then each member's report about `subject`.
    fn reports_about(&self, subject: &Pubkey) -> Result<Vec<AccountMeta>, PlanError> {
        let missing = PlanError::Unknown(address::keeper_set(&self.store.guard_key()));
        let (key, set) = self.store.keeper_set().ok_or(missing)?;
        let reports = set.active().iter().map(|member| address::report(subject, &member.key));
        Ok(std::iter::once(*key).chain(reports).map(|key| AccountMeta::new_readonly(key, false)).collect())
    }

    fn asset(&self, key: &Pubkey) -> Result<&Asset, PlanError> {
        self.store.asset(key).ok_or(PlanError::Unknown(*key))
    }

    fn vault(&self, key: &Pubkey) -> Result<&Vault, PlanError> {
        self.store.vault(key).ok_or(PlanError::Unknown(*key))
    }

    fn oracles_of(&self, asset: &Pubkey) -> Result<Vec<AccountMeta>, PlanError> {
        let set = &self.asset(asset)?.oracle;
        oracles::metas(set, self.found).ok_or(PlanError::OracleNotFound(*asset))
    }

    fn oracles_of_pair(&self, vault: &Vault) -> Result<Vec<AccountMeta>, PlanError> {
        Ok([self.oracles_of(&vault.collateral_asset)?, self.oracles_of(&vault.loan_asset)?].concat())
    }
}

/// What others pay, within floor and cap; half as much again for each expiry, at most the cap.
fn escalated(range: PriceRange, market: u64, expiries: u32) -> u64 {
    let rise = |price: u64, _| price.saturating_add(price / 2).max(price.saturating_add(1_000));
    (0..expiries.min(32)).fold(range.floor.max(market), rise).min(range.cap)
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
