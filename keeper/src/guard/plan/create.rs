//! What the file names and the chain doesn't have yet.

use super::{PlanError, Planner};
use crate::guard::act::{self, Act};
use crate::guard::file::{AssetSpec, NamedRule, VaultSpec};
use crate::guard::spec::Part;
use anchor_lang::prelude::Pubkey;
use rampart::state::{AggregateLimit, Asset, Finality, Guard, RiskScale, Rule, Vault};
use rampart::{InitializeGuardArgs, InitializeVaultArgs, RegisterAssetArgs};
use rampart_client::{Instruction, MintOf, address, admin, aggregate};

impl Planner<'_> {
    /// Plans everything that is missing; the state holds it afterwards.
    pub(super) fn create(&mut self) -> Result<(), PlanError> {
        let file = self.file;
        if self.state.guard.is_none() {
            self.create_guard();
        }
        self.create_keepers();
        file.assets.iter().try_for_each(|asset| self.create_asset(asset))?;
        file.vaults.iter().try_for_each(|vault| self.create_vault(vault))?;
        file.rules.iter().try_for_each(|rule| self.create_rule(rule))?;
        self.create_dollar_limit();
        Ok(())
    }

    fn made(&mut self, subject: &str, target: Pubkey, instruction: Instruction) {
        let (root, what) = (self.guard().roles.root, format!("create {subject}"));
        let (when, moves) = ("holds at once".to_owned(), Vec::new());
        let act =
            Act { what, when, moves, target, signers: vec![root], instructions: vec![instruction], lasting: None };
        self.push(subject, "create", act);
    }

    fn create_guard(&mut self) {
        let (roles, bounds) = (self.file.roles.value(), self.file.bounds.value());
        let mut guard: Box<Guard> = Box::new(bytemuck::Zeroable::zeroed());
        (guard.roles, guard.bounds, guard.finality) = (roles, bounds, Finality::Open as u8);
        (guard.loosen_delay_secs, guard.id) = (bounds.min_loosen_delay_secs, self.file.guard.id);
        self.state.guard = Some(guard);
        let instruction =
            admin::initialize_guard(roles.root, self.file.guard.id, InitializeGuardArgs { roles, bounds });
        self.made("guard", self.state.key, instruction);
    }

    fn create_keepers(&mut self) {
        let Some(spec) = self.file.keepers.as_ref().filter(|_| self.is_meant("keepers")) else { return };
        let (args, key) = (spec.args(), self.state.key);
        let set = self.state.keepers.as_deref();
        let is_same = set.is_some_and(|set| {
            act::seats(set) == args.members
                && (set.max_age_secs, set.max_spread_bps) == (spec.max_age_secs, spec.max_spread_bps)
        });
        if !is_same {
            let kind = if set.is_some() { "tighten" } else { "create" };
            let act = act::set_keepers(key, set, args, (self.guard().roles.root, self.validity()));
            self.push("keepers", kind, act);
        }
    }

    fn create_asset(&mut self, spec: &AssetSpec) -> Result<(), PlanError> {
        let target = address::asset(&self.state.key, &spec.mint.0);
        if self.state.assets.contains_key(&target) || !self.is_meant(&spec.name) {
            return Ok(());
        }
        let standby = Some(spec.standby.value()).filter(|set| set.count > 0);
        let args = RegisterAssetArgs {
            oracle: spec.oracle.value(),
            reference: spec.reference.value(),
            standby,
            peg: spec.peg.value(),
            warm_up_secs: spec.warm_up_secs,
            issuer: spec.issuer.value(),
        };
        let mut asset: Box<Asset> = Box::new(bytemuck::Zeroable::zeroed());
        (asset.oracle, asset.reference_params, asset.peg) = (args.oracle, args.reference, args.peg);
        (asset.standby, asset.warm_up.duration_secs) = (standby.unwrap_or_default(), spec.warm_up_secs);
        asset.mint = spec.mint.0;
        asset.token_program = self.program_of(spec)?;
        self.state.assets.insert(target, asset);
        let instruction = admin::register_asset(self.guard().roles.root, self.state.key, spec.mint.0, args);
        self.made(&spec.name, target, instruction);
        Ok(())
    }

    fn program_of(&self, spec: &AssetSpec) -> Result<Pubkey, PlanError> {
        let known = self.state.assets.get(&address::asset(&self.state.key, &spec.mint.0)).map(|a| a.token_program);
        let program = known.or_else(|| self.mints.get(&spec.mint.0).copied());
        program.ok_or_else(|| act::missing("mint", &spec.mint).into())
    }

    fn create_vault(&mut self, spec: &VaultSpec) -> Result<(), PlanError> {
        let pair = (self.file.asset(&spec.collateral), self.file.asset(&spec.loan));
        let (Some(collateral), Some(loan)) = pair else { return Ok(()) };
        let target = address::vault(&self.state.key, &collateral.mint.0, &loan.mint.0);
        if self.state.vaults.contains_key(&target) || !self.is_meant(&spec.name) {
            return Ok(());
        }
        let of =
            |spec: &AssetSpec| Ok::<_, PlanError>(MintOf { mint: spec.mint.0, token_program: self.program_of(spec)? });
        let (collateral, loan) = (of(collateral)?, of(loan)?);
        let args =
            InitializeVaultArgs { risk: spec.risk.value(), curve: spec.curve.value(), limits: spec.limits.value() };
        let mut vault: Box<Vault> = Box::new(bytemuck::Zeroable::zeroed());
        (vault.risk, vault.curve, vault.limits) = (args.risk, args.curve, args.limits);
        vault.scale = RiskScale::off(args.risk.ltv_bps);
        self.state.vaults.insert(target, vault);
        let instruction = admin::initialize_vault(self.guard().roles.root, self.state.key, collateral, loan, args);
        self.made(&spec.name, target, instruction);
        Ok(())
    }

    fn create_rule(&mut self, spec: &NamedRule) -> Result<(), PlanError> {
        let target = address::rule(&self.state.key, spec.id);
        let Some(subject) = self.file.subject(&spec.subject) else { return Ok(()) };
        if let Some(rule) = self.state.rules.get(&target) {
            let words = format!("rule {}: it is about another subject, which is fixed: take another number", spec.id);
            return if rule.subject == subject { Ok(()) } else { Err(PlanError::Refused(vec![words])) };
        }
        let name = format!("rule {}", spec.id);
        if !self.is_meant(&name) {
            return Ok(());
        }
        let params = spec.params.value();
        let mut rule: Box<Rule> = Box::new(bytemuck::Zeroable::zeroed());
        (rule.subject, rule.params, rule.id) = (subject, params, spec.id);
        self.state.rules.insert(target, rule);
        let instruction = admin::create_rule(self.guard().roles.root, self.state.key, subject, spec.id, params);
        self.made(&name, target, instruction);
        Ok(())
    }

    fn create_dollar_limit(&mut self) {
        let Some(spec) = self.file.dollar_limit.as_ref().filter(|_| self.state.aggregate.is_none()) else { return };
        if !self.is_meant("dollar limit") {
            return;
        }
        let (target, params) = (address::aggregate(&self.state.key), spec.value());
        let mut limit: Box<AggregateLimit> = Box::new(bytemuck::Zeroable::zeroed());
        limit.params = params;
        self.state.aggregate = Some(limit);
        let instruction = aggregate::initialize_aggregate(self.guard().roles.root, self.state.key, params);
        self.made("dollar limit", target, instruction);
    }
}
