//! Who rules the guard and what they allow, as far as only they can change it.

use crate::watch::store::Store;
use anchor_lang::prelude::Pubkey;
use rampart::state::{Comparator, Guard, Rule, Switch, Vault};
use serde::{Deserialize, Serialize};
use solana_sdk::hash::hashv;
use std::collections::BTreeMap;

/// Who rules the guard and what they allow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The guard.
    pub guard: String,
    /// Holder of each role, by role.
    pub roles: BTreeMap<String, String>,
    /// Counts changes of roles.
    pub authority_epoch: u64,
    /// Counts proposed changes.
    pub next_change_id: u64,
    /// How long a loosening waits, seconds.
    pub loosen_delay_secs: u32,
    /// The longest one pause, seconds.
    pub max_pause_secs: u32,
    /// What is listed, by address: `asset`, `vault` or `integration`.
    pub listings: BTreeMap<String, String>,
    /// What is allowed, by name: higher is looser.
    pub limits: BTreeMap<String, u64>,
    /// What must not change unseen, by name: a hash of it.
    pub settings: BTreeMap<String, String>,
    /// Rules that are switched on.
    pub rules_on: BTreeMap<String, bool>,
}

impl Standing {
    /// Returns how things stand; `None` while the guard is not known.
    pub fn of(store: &Store) -> Option<Self> {
        let guard = store.guard()?;
        let mut standing = Self {
            guard: store.guard_key().to_string(),
            roles: roles(guard),
            authority_epoch: guard.authority_epoch,
            next_change_id: guard.next_change_id,
            loosen_delay_secs: guard.loosen_delay_secs,
            max_pause_secs: guard.bounds.max_pause_secs,
            ..Self::default()
        };
        for (key, asset) in store.assets() {
            standing.listings.insert(key.to_string(), "asset".into());
            let oracle = bytemuck::bytes_of(&asset.oracle);
            standing.settings.insert(format!("price sources of asset {key}"), digest(oracle));
        }
        for (key, vault) in store.vaults() {
            standing.listings.insert(key.to_string(), "vault".into());
            standing.limits.extend(vault_limits(key, vault));
        }
        for (key, _) in store.integrations() {
            standing.listings.insert(key.to_string(), "integration".into());
        }
        for (key, rule) in store.rules() {
            standing.rules_on.insert(key.to_string(), rule.params.switch == Switch::Enabled as u8);
            standing.limits.insert(format!("threshold of rule {key}"), looseness(rule));
        }
        if let Some((_, set)) = store.keeper_set() {
            let members = set.active().iter().map(|member| (format!("keeper {}", member.key), member.key.to_string()));
            standing.roles.extend(members);
        }
        Some(standing)
    }

    /// Returns everybody who may change something, without keepers.
    pub fn holders(&self) -> Vec<(String, Pubkey)> {
        let holders = self.roles.iter().filter(|(role, _)| !role.starts_with("keeper "));
        holders.filter_map(|(role, key)| Some((role.clone(), key.parse().ok()?))).collect()
    }
}

fn roles(guard: &Guard) -> BTreeMap<String, String> {
    let roles = &guard.roles;
    let single = [
        ("root", roles.root),
        ("risk admin", roles.risk_admin),
        ("resetter", roles.resetter),
        ("vetoer", roles.vetoer),
    ];
    let named = single.into_iter().map(|(role, key)| (role.to_owned(), key.to_string()));
    let guardians = roles.active_guardians().iter().map(|key| (format!("guardian {key}"), key.to_string()));
    named.chain(guardians).collect()
}

fn vault_limits(key: &Pubkey, vault: &Vault) -> Vec<(String, u64)> {
    let limits = &vault.limits;
    let of = [
        ("supply cap", limits.supply_cap_amount),
        ("borrow cap", limits.borrow_cap_amount),
        ("collateral cap", limits.collateral_cap_amount),
        ("hourly outflow of the loan mint", limits.loan_flow.hourly_bps.into()),
        ("daily outflow of the loan mint", limits.loan_flow.daily_bps.into()),
        ("outflow floor of the loan mint", limits.loan_flow.absolute_floor_amount),
        ("hourly outflow of the collateral mint", limits.collateral_flow.hourly_bps.into()),
        ("daily outflow of the collateral mint", limits.collateral_flow.daily_bps.into()),
        ("outflow floor of the collateral mint", limits.collateral_flow.absolute_floor_amount),
        ("loan-to-value limit", vault.risk.ltv_bps.into()),
        ("liquidation line", vault.risk.liquidation_line_bps.into()),
    ];
    of.into_iter().map(|(name, value)| (format!("{name} of vault {key}"), value)).collect()
}

/// Higher is looser: a rule that fires above its threshold is looser the higher that is, the other way round below.
fn looseness(rule: &Rule) -> u64 {
    let is_below = rule.params.comparator == Comparator::Below as u8;
    if is_below { u64::MAX - rule.params.threshold } else { rule.params.threshold }
}

fn digest(bytes: &[u8]) -> String {
    hashv(&[bytes]).to_string()
}
