//! Who rules the guard and what they allow, as far as only they can change it.

use super::limits;
use crate::watch::feeds::aggregate_of;
use crate::watch::store::Store;
use anchor_lang::prelude::Pubkey;
use rampart::state::{Guard, Switch};
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
    /// What is listed, by address: `asset`, `vault`, `integration` or `swap policy`.
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
            standing.limits.extend(limits::of_vault(key, vault));
        }
        for (key, integration) in store.integrations() {
            standing.listings.insert(key.to_string(), "integration".into());
            standing.limits.extend(limits::of_integration(key, integration));
        }
        for (key, policy) in store.policies() {
            standing.listings.insert(key.to_string(), "swap policy".into());
            standing.limits.extend(limits::of_policy(key, policy));
            let called =
                [&policy.params.program.to_bytes()[..], bytemuck::cast_slice(&policy.params.prefixes)].concat();
            standing.settings.insert(format!("program of swap policy {key}"), digest(&called));
        }
        standing.limits.extend(limits::of_aggregate(guard, aggregate_of(store).as_ref()));
        standing.limits.extend(store.reserve().into_iter().flat_map(|(_, reserve)| limits::of_reserve(reserve)));
        for (key, rule) in store.rules() {
            standing.rules_on.insert(key.to_string(), rule.params.switch == Switch::Enabled as u8);
            standing.limits.insert(format!("threshold of rule {key}"), limits::of_rule(rule));
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

fn digest(bytes: &[u8]) -> String {
    hashv(&[bytes]).to_string()
}
