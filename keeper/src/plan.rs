//! Decisions to instructions, with what they may use and pay.

mod books;
pub mod needs;
pub mod tables;

use crate::assess::Candidate;
use crate::chain::fees::Market;
use crate::config::{ComputePrices, PriceRange};
use crate::decide::{Action, Decision, History};
use crate::economics::{Offer, Way};
use crate::intent::{ActionClass, PlannedTx};
use crate::post::Step;
use crate::submit::PACKET_BYTES;
use crate::watch::feeds::{self, Wallets};
use crate::watch::oracles::{self, Found};
use crate::watch::store::Store;
use anchor_lang::prelude::{AccountMeta, Pubkey};
use anchor_spl::associated_token::spl_associated_token_account::instruction::create_associated_token_account_idempotent;
use needs::Needs;
use rampart::LiquidateArgs;
use rampart::state::{Asset, Guard, Rule, RuleGroup, Switch, Vault};
use rampart_client::evidence::{self, PairAssets};
use rampart_client::liquidation::{self, Liquidator};
use rampart_client::{Instruction, MintOf, VaultKeys, address, groups, keepers, swap};
use solana_sdk::message::AddressLookupTableAccount;
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
    /// Not even with the lookup tables that are known.
    #[error(
        "a transaction of {bytes} bytes exceeds the packet size of {PACKET_BYTES}: add its accounts to a lookup table"
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// There was no way to carry it out that is worth it.
    #[error("position {0} has no way to be liquidated")]
    NoWay(Pubkey),
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
    /// Lookup tables, for what doesn't fit into a packet.
    pub tables: &'a [AddressLookupTableAccount],
}

/// Units that an instruction of a class may use: measured, with a margin of about half for what was not measured.
///
/// # Source
/// The compute-unit table of the program's tests. A mint with extensions and a third source cost more: what is exceeded
/// on chain is raised for the next attempt.
pub const fn unit_limit(class: ActionClass) -> u32 {
    match class {
        ActionClass::Trip | ActionClass::StepDown => 60_000,
        ActionClass::Observe | ActionClass::ObserveRule | ActionClass::MarkHalt => 40_000,
        ActionClass::Liquidate | ActionClass::Deleverage => 150_000,
        ActionClass::Settle | ActionClass::Report => 60_000,
        ActionClass::Rebalance => 150_000 + SWAP_UNITS,
        ActionClass::Post => Step::Price.units(),
    }
}

/// Units for a route.
pub const SWAP_UNITS: u32 = 250_000;
/// Units for the creation of an associated token account.
const TOKEN_ACCOUNT_UNITS: u32 = 40_000;
/// The most that a transaction may ask for.
pub const MAX_UNITS: u32 = 1_400_000;

impl Planner<'_> {
    /// Plans `decision`. `history` says how often the same was tried in vain: units and price rise with that.
    ///
    /// Of several ways to liquidate the first is taken that fits into a packet, with lookup tables where need be.
    ///
    /// # Errors
    /// `Unknown`, `OracleNotFound`, `TooLarge`, `NoWay`.
    pub fn plan(&self, decision: &Decision, history: &History) -> Result<PlannedTx, PlanError> {
        let Action::Position { candidate, offers } = &decision.action else {
            let units = match &decision.action {
                Action::Post(posting) => posting.step.units(),
                _ => unit_limit(decision.intent.class),
            };
            let of_route = match &decision.action {
                Action::Rebalance(next) => &next.tables[..],
                _ => &[],
            };
            return self.packed(decision, self.instructions(decision)?, (units, of_route), history);
        };
        let mut refused = PlanError::NoWay(candidate.position);
        for offer in offers {
            let route_units = if offer.way == Way::Inventory { 0 } else { SWAP_UNITS };
            let units = unit_limit(decision.intent.class).saturating_add(route_units);
            let instructions = self.about_position(candidate, offer, decision, history)?;
            let of_route = match &offer.way {
                Way::Swap(way) => &way.tables[..],
                Way::Inventory => &[],
            };
            match self.packed(decision, instructions, (units, of_route), history) {
                Err(error) => refused = error,
                planned => return planned,
            }
        }
        Err(refused)
    }

    /// Puts instructions into a plan that fits into a packet.
    fn packed(
        &self,
        decision: &Decision,
        instructions: Vec<Instruction>,
        (units, of_route): (u32, &[Pubkey]),
        history: &History,
    ) -> Result<PlannedTx, PlanError> {
        let intent = decision.intent.clone();
        // further instructions create token accounts, but for a posting, which says itself what it needs
        let is_posting = intent.class == ActionClass::Post;
        let further = if is_posting { 0 } else { instructions.len().saturating_sub(1) };
        let extra = TOKEN_ACCOUNT_UNITS * u32::try_from(further).unwrap_or(0);
        // one step of a posting says nothing about another
        let limit = if is_posting { units } else { units.max(history.measured_units(intent.class)) };
        let units = (limit + extra) << history.compute_exceeded(&intent).min(4);
        let planned = PlannedTx {
            compute_unit_limit: units.min(MAX_UNITS),
            priority_micro_lamports: priority(
                intent.class,
                self.prices.of(intent.class),
                self.market_price(&instructions),
                history.expiries(&intent),
            ),
            instructions,
            intent,
            tables: Vec::new(),
        };
        // a route's own tables change rarely: whatever they hold by now can be looked up
        let tables = [self.tables, &tables::known(self.store, of_route, u64::MAX)].concat();
        tables::fitted(planned, &self.signer, &tables)
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

    /// Plans the trip of a group ahead of its time, behind the observations of `unseen`.
    ///
    /// # Errors
    /// `Unknown`, `OracleNotFound`, `TooLarge`.
    pub fn plan_group_trip(
        &self,
        key: Pubkey,
        group: &RuleGroup,
        unseen: &[Pubkey],
        history: &History,
    ) -> Result<PlannedTx, PlanError> {
        let reason = format!("all of its {} rules are true", group.count);
        let action = Action::TripGroup { group: key, observe: unseen.to_vec() };
        self.plan(&Decision::new(ActionClass::Trip, key, group.trip_epoch, reason, action), history)
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
            Action::Position { candidate, .. } => Err(PlanError::NoWay(candidate.position)),
            Action::Report { subject, is_new, args } => {
                let (guard, keeper) = (self.store.guard_key(), self.signer);
                let open = is_new.then(|| keepers::open_report(keeper, guard, *subject, keeper));
                Ok(open.into_iter().chain([keepers::submit_report(keeper, guard, *subject, *args)]).collect())
            }
            Action::Settle(housekeeping) => self.about_books(housekeeping).map(|instruction| vec![instruction]),
            Action::Rebalance(rebalance) => self.about_basket(rebalance),
            Action::Post(posting) => Ok(posting.instructions.clone()),
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
        Ok(match Needs::of(rule) {
            Needs::Reports => (None, self.reports_about(&rule.subject)?),
            Needs::Mint => (None, vec![read(self.asset(&rule.subject)?.mint)]),
            Needs::Tokens => {
                let vault = self.vault(&rule.subject)?;
                (None, vec![read(vault.loan_token), read(vault.collateral_token)])
            }
            Needs::Oracles => (None, self.oracles_of(&rule.subject)?),
            Needs::Pair => {
                let vault = self.vault(&rule.subject)?;
                let pair = PairAssets { collateral: vault.collateral_asset, loan: vault.loan_asset };
                (Some(pair), self.oracles_of_pair(vault)?)
            }
            Needs::Nothing => (None, Vec::new()),
        })
    }

    fn about_position(
        &self,
        candidate: &Candidate,
        offer: &Offer,
        decision: &Decision,
        history: &History,
    ) -> Result<Vec<Instruction>, PlanError> {
        let vault = self.vault(&candidate.vault)?;
        let keys = self.vault_keys(candidate.vault, vault)?;
        let by = self.liquidator(vault, &feeds::wallets(self.store, &self.signer))?;
        let oracles = self.oracles_of_pair(vault)?;
        let needs_cover = candidate.may_leave_bad_debt() || history.needs_cover(&decision.intent);
        let cover = if needs_cover { self.cover(&keys) } else { Vec::new() };
        let args = LiquidateArgs {
            liquidation_seq: candidate.liquidation_seq,
            max_repay_amount: offer.max_repay_amount,
            // the program prices both sides at one price and one bonus: less collateral means less repaid
            min_seize_amount: 0,
        };
        let position = candidate.position;
        let mut create = self.missing(self.signer, [keys.loan(), keys.collateral()]);
        let act = match (decision.intent.class, &offer.way) {
            (ActionClass::Deleverage, _) => liquidation::deleverage(&keys, position, by, &oracles, args),
            (_, Way::Inventory) => liquidation::liquidate(&keys, position, by, &[oracles, cover].concat(), args),
            (_, Way::Swap(way)) => {
                create.extend(self.missing(way.policy.escrow, [keys.collateral(), keys.loan()]));
                let (evidence, route) = ([oracles, cover].concat(), way.routed.clone());
                let surplus = way.min_surplus_amount;
                swap::liquidate_by_swap(&keys, position, by, &way.policy, &evidence, (args, route), surplus)
            }
        };
        create.push(act);
        Ok(create)
    }

    /// The creation of each token account of `owner` that isn't there.
    fn missing(&self, owner: Pubkey, mints: [MintOf; 2]) -> Vec<Instruction> {
        let at = |mint: &MintOf| address::associated(&owner, &mint.mint, &mint.token_program);
        let missing = mints.into_iter().filter(|mint| self.store.raw(&at(mint)).is_none());
        missing
            .map(|mint| {
                create_associated_token_account_idempotent(&self.signer, &owner, &mint.mint, &mint.token_program)
            })
            .collect()
    }

    /// What the guard's reserve pays bad debt by. Written by whoever names it: only where bad debt may be left, or all
    /// liquidations of a guard queue for one account.
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

/// Returns the priority fee per unit: what others pay, within floor and cap; for each expiry ten times as much for a trip
/// and half as much again for the rest, at most the cap.
///
/// An expiry takes a minute: what a trip protects is worth more than to feel the way to the price.
pub fn priority(class: ActionClass, range: PriceRange, market: u64, expiries: u32) -> u64 {
    let rise = |price: u64, _| match class {
        ActionClass::Trip => price.saturating_mul(10).max(1_000),
        _ => price.saturating_add(price / 2).max(price.saturating_add(1_000)),
    };
    (0..expiries.min(32)).fold(range.floor.max(market), rise).min(range.cap)
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
