//! A guard as a file that a protocol keeps with its code: what shall be, in the types of [`super::spec`].
//!
//! Accounts are named; their addresses follow from the guard's and from mints. What a file leaves out is left alone.

use super::refusal;
use super::spec::{
    AggregateSpec, BoundsSpec, CurveSpec, IssuerName, Key, LimitsSpec, MemberName, OracleSpec, Part, PegName,
    ReferenceSpec, RiskSpec, RolesSpec, RuleSpec, ScaleSpec, StandbySpec, SwitchName,
};
use anchor_lang::error::Error as AnchorError;
use anchor_lang::prelude::{ProgramError, Pubkey};
use rampart::SetKeepersArgs;
use rampart::state::keeper_set::KeeperLimits;
use rampart::state::warm_up::require_warm_up;
use rampart::state::{HardBounds, KeeperSeat, Metric};
use rampart_client::address;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A guard as it shall be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuardFile {
    /// Which guard.
    pub guard: GuardSection,
    /// Who may do what.
    pub roles: RolesSpec,
    /// Floors and ceilings.
    pub bounds: BoundsSpec,
    /// Whose reports count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keepers: Option<KeepersSpec>,
    /// The dollar limit over all vaults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dollar_limit: Option<AggregateSpec>,
    /// Assets.
    #[serde(default, rename = "asset")]
    pub assets: Vec<AssetSpec>,
    /// Vaults.
    #[serde(default, rename = "vault")]
    pub vaults: Vec<VaultSpec>,
    /// Rules.
    #[serde(default, rename = "rule")]
    pub rules: Vec<NamedRule>,
}

/// Which guard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuardSection {
    /// Number chosen by the creator.
    pub id: u16,
    /// Who created it [default: the root]; name it before the root ever changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator: Option<Key>,
    /// How long loosenings wait, seconds.
    pub loosen_delay_secs: u32,
}

/// Whose reports count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeepersSpec {
    /// Oldest report that counts, seconds.
    pub max_age_secs: u32,
    /// Widest spread that is still one opinion, bps.
    pub max_spread_bps: u16,
    /// Members.
    pub members: Vec<SeatSpec>,
}

/// A member of the keeper set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeatSpec {
    /// Signs its reports.
    pub key: Key,
    /// Where its data comes from.
    pub source_tag: u16,
    /// What it is there for.
    #[serde(default)]
    pub role: MemberName,
}

impl KeepersSpec {
    /// Returns the set as it is written.
    pub fn args(&self) -> SetKeepersArgs {
        let seat = |m: &SeatSpec| KeeperSeat { key: m.key.0, source_tag: m.source_tag, role: m.role.value() };
        let limits = KeeperLimits { max_age_secs: self.max_age_secs, max_spread_bps: self.max_spread_bps };
        SetKeepersArgs { members: self.members.iter().map(seat).collect(), limits }
    }
}

/// An asset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssetSpec {
    /// Name within the file.
    pub name: String,
    /// Its mint.
    pub mint: Key,
    /// What it is meant to be worth. Fixed at registration.
    pub peg: PegName,
    /// What its issuer may do. Fixed at registration.
    pub issuer: IssuerName,
    /// How long it warms up, seconds.
    pub warm_up_secs: u32,
    /// How its reference is kept.
    pub reference: ReferenceSpec,
    /// Its sources.
    pub oracle: OracleSpec,
    /// Sources that may take a dead one's place.
    #[serde(default)]
    pub standby: StandbySpec,
}

/// A vault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultSpec {
    /// Name within the file.
    pub name: String,
    /// Name of the collateral.
    pub collateral: String,
    /// Name of the loan.
    pub loan: String,
    /// Whether the guard's reserve meets its bad debt. A new vault has it disabled; to enable it is a change that waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cover: Option<SwitchName>,
    /// Lines, bonuses and close factor.
    pub risk: RiskSpec,
    /// Interest.
    pub curve: CurveSpec,
    /// Caps and limits.
    pub limits: LimitsSpec,
    /// How limits on new risk follow the market.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<ScaleSpec>,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedRule {
    /// Its number.
    pub id: u16,
    /// Name of the asset or vault that is measured.
    pub subject: String,
    /// What it demands.
    pub params: RuleSpec,
}

impl GuardFile {
    /// Reads a file's text.
    ///
    /// # Errors
    /// What TOML refuses, with the line.
    pub fn read(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// Returns a key of the roles or keepers that only stands for one: in base58 it ends in many ones.
    pub fn placeholder(&self) -> Option<Key> {
        let roles = [self.roles.root, self.roles.risk_admin, self.roles.resetter, self.roles.vetoer];
        let members = self.keepers.iter().flat_map(|keepers| keepers.members.iter().map(|member| member.key));
        let all = roles.into_iter().chain(self.roles.guardians.iter().copied()).chain(members);
        let sources = self.assets.iter().flat_map(|a| a.oracle.sources.iter().chain(&a.standby.sources));
        let accounts = sources.map(|source| source.account).filter(|key| *key != Key::default());
        let mut all = all.chain(accounts).chain(self.assets.iter().map(|asset| asset.mint));
        all.find(|key| key.to_string().ends_with("1111111111111111"))
    }

    /// Returns the address of the guard.
    pub fn address(&self) -> Pubkey {
        address::guard(&self.guard.creator.unwrap_or(self.roles.root).0, self.guard.id)
    }

    /// Returns the asset of a name.
    pub fn asset(&self, name: &str) -> Option<&AssetSpec> {
        self.assets.iter().find(|asset| asset.name == name)
    }

    /// Returns the address of the asset or vault of a name.
    pub fn subject(&self, name: &str) -> Option<Pubkey> {
        let guard = self.address();
        let asset = self.asset(name).map(|asset| address::asset(&guard, &asset.mint.0));
        asset.or_else(|| self.vault_address(self.vaults.iter().find(|vault| vault.name == name)?))
    }

    /// Returns the address of a vault.
    pub fn vault_address(&self, vault: &VaultSpec) -> Option<Pubkey> {
        let (collateral, loan) = (self.asset(&vault.collateral)?, self.asset(&vault.loan)?);
        Some(address::vault(&self.address(), &collateral.mint.0, &loan.mint.0))
    }

    /// Returns everything in the file that the program would refuse, by the program's own checks.
    pub fn problems(&self) -> Vec<String> {
        let bounds = self.bounds.value();
        let mut found = Vec::new();
        let mut take = |at: String, result: Result<(), AnchorError>| {
            found.extend(result.err().map(|error| format!("{at}: {}", words(&error))));
        };
        take("bounds".into(), bounds.validate());
        take("roles".into(), self.roles.value().validate());
        for asset in &self.assets {
            self.asset_checks(asset, &bounds)
                .into_iter()
                .for_each(|(what, r)| take(format!("asset {} {what}", asset.name), r));
        }
        for vault in &self.vaults {
            vault_checks(vault, &bounds)
                .into_iter()
                .for_each(|(what, r)| take(format!("vault {} {what}", vault.name), r));
        }
        for rule in &self.rules {
            take(format!("rule {}", rule.id), rule.params.value().validate(&bounds));
        }
        if let Some(limit) = &self.dollar_limit {
            take("dollar_limit".into(), limit.value().validate());
        }
        found.extend(self.loose_ends());
        found
    }

    fn asset_checks(&self, asset: &AssetSpec, bounds: &HardBounds) -> Vec<(&'static str, Result<(), AnchorError>)> {
        let (oracle, standby) = (asset.oracle.value(), asset.standby.value());
        vec![
            ("oracle", oracle.validate(bounds)),
            ("standby", standby.validate(bounds).and_then(|()| standby.require_fits(&oracle))),
            ("warm_up_secs", require_warm_up(asset.warm_up_secs, bounds)),
        ]
    }

    /// Names that nothing has, and names and numbers that two have.
    fn loose_ends(&self) -> Vec<String> {
        let mut found = Vec::new();
        let (mut names, mut ids) = (BTreeSet::new(), BTreeSet::new());
        for name in self.assets.iter().map(|a| &a.name).chain(self.vaults.iter().map(|v| &v.name)) {
            if !names.insert(name) {
                found.push(format!("two accounts are named `{name}`"));
            }
        }
        for vault in self.vaults.iter().filter(|vault| self.vault_address(vault).is_none()) {
            found.push(format!(
                "vault {}: an asset `{}` or `{}` is not in the file",
                vault.name, vault.collateral, vault.loan
            ));
        }
        for rule in &self.rules {
            if !ids.insert(rule.id) {
                found.push(format!("two rules have the number {}", rule.id));
            }
            found.extend(self.subject_problem(rule));
        }
        let delay = self.guard.loosen_delay_secs;
        if !(self.bounds.min_loosen_delay_secs..=rampart::constants::MAX_LOOSEN_DELAY_SECS).contains(&delay) {
            found.push("guard: loosen_delay_secs lies outside the bounds".into());
        }
        found
    }
}

impl GuardFile {
    /// What is wrong with the subject of a rule: metrics of prices are about assets, those of reports about either.
    fn subject_problem(&self, rule: &NamedRule) -> Option<String> {
        let metric = Metric::try_from(rule.params.metric.value()).ok()?;
        let is_asset = self.asset(&rule.subject).is_some();
        let wrong = |what: String| Some(format!("rule {}: {what}", rule.id));
        match self.subject(&rule.subject) {
            None => wrong(format!("nothing in the file is named `{}`", rule.subject)),
            Some(_) if metric.is_reported() || metric.is_about_asset() == is_asset => None,
            Some(_) if is_asset => wrong(format!("its metric is about a vault, and `{}` is an asset", rule.subject)),
            Some(_) => wrong(format!("its metric is about an asset, and `{}` is a vault", rule.subject)),
        }
    }
}

fn vault_checks(vault: &VaultSpec, bounds: &HardBounds) -> Vec<(&'static str, Result<(), AnchorError>)> {
    vec![
        ("risk", vault.risk.value().validate(bounds)),
        ("curve", vault.curve.value().validate()),
        ("limits", vault.limits.value().validate(bounds)),
        ("scale", vault.scale.as_ref().map_or(Ok(()), |scale| scale.value().validate())),
    ]
}

/// Returns what an error of the program's checks means.
pub fn words(error: &AnchorError) -> String {
    let code = match error {
        AnchorError::AnchorError(error) => Some(error.error_code_number),
        AnchorError::ProgramError(error) => match error.program_error {
            ProgramError::Custom(code) => Some(code),
            _ => None,
        },
    };
    let meant = code.and_then(refusal::of_code);
    meant.map_or_else(|| error.to_string(), |refusal| format!("{}; {}", refusal.what, refusal.next))
}
