//! Settings of a fleet, and their bounds.

use super::check::{Refusal, demand, scheme, within};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Whether other keepers share the work.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Fleet {
    /// How the members find each other.
    pub mode: FleetMode,
    /// This keeper's name within the fleet. `keeper.name` if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// Client addresses of etcd, http or https.
    pub endpoints: Vec<String>,
    /// Under which every key of the fleet is.
    pub prefix: String,
    /// How long a member that is silent keeps its place, milliseconds. Whole seconds, as etcd counts.
    pub lease_ttl_ms: u64,
    /// Slots that each rank waits longer than the one before.
    pub stagger_slots: u64,
    /// How many keepers there are to be, this one included: fewer are told by a metric. 0: not told.
    pub expected_members: u64,
    /// Certificate of the authority that signed etcd's, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// This keeper's certificate, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert_file: Option<PathBuf>,
    /// Its key, PEM, mode 0600.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
    /// User of etcd.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// File that holds its password, mode 0600.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
}

impl Default for Fleet {
    fn default() -> Self {
        Self {
            mode: FleetMode::default(),
            member: None,
            endpoints: Vec::new(),
            prefix: "/rampart".to_owned(),
            lease_ttl_ms: 2_000,
            stagger_slots: 2,
            expected_members: 0,
            ca_file: None,
            cert_file: None,
            key_file: None,
            user: None,
            password_file: None,
        }
    }
}

/// How the members of a fleet find each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FleetMode {
    /// There are none.
    #[default]
    Single,
    /// By leases in etcd.
    Etcd,
}

impl FleetMode {
    /// Returns the name used in settings and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Etcd => "etcd",
        }
    }
}

impl Fleet {
    /// Returns this keeper's name within the fleet.
    pub fn member_id<'a>(&'a self, keeper_name: &'a str) -> &'a str {
        self.member.as_deref().unwrap_or(keeper_name)
    }
}

pub(super) fn check(fleet: &Fleet, keeper_name: &str) -> Result<(), Refusal> {
    within("fleet.lease_ttl_ms", fleet.lease_ttl_ms, 2_000, 60_000)?;
    demand(fleet.lease_ttl_ms.is_multiple_of(1_000), "fleet.lease_ttl_ms", || {
        format!("{} must be whole seconds: etcd counts no less", fleet.lease_ttl_ms)
    })?;
    within("fleet.stagger_slots", fleet.stagger_slots, 1, 6)?;
    within("fleet.expected_members", fleet.expected_members, 0, 1_000)?;
    let is_path = fleet.prefix.starts_with('/') && fleet.prefix.len() > 1 && !fleet.prefix.ends_with('/');
    demand(is_path, "fleet.prefix", || format!("`{}` must start with a slash and not end with one", fleet.prefix))?;
    for (index, url) in fleet.endpoints.iter().enumerate() {
        scheme(&format!("fleet.endpoints[{index}]"), url, ["http://", "https://"])?;
    }
    check_secrets(fleet)?;
    if fleet.mode == FleetMode::Single { Ok(()) } else { check_member(fleet, keeper_name) }
}

fn check_secrets(fleet: &Fleet) -> Result<(), Refusal> {
    demand(fleet.cert_file.is_some() == fleet.key_file.is_some(), "fleet.cert_file", || {
        "needs `fleet.key_file`, and the other way round".into()
    })?;
    demand(fleet.user.is_some() == fleet.password_file.is_some(), "fleet.user", || {
        "needs `fleet.password_file`, and the other way round".into()
    })?;
    let has_tls = fleet.ca_file.is_some() || fleet.cert_file.is_some();
    let is_plain = fleet.endpoints.iter().any(|url| url.starts_with("http://"));
    demand(!(has_tls && is_plain), "fleet.endpoints", || "must all be https where a certificate is set".into())?;
    let is_secure = fleet.endpoints.iter().any(|url| url.starts_with("https://"));
    demand(!is_secure || fleet.ca_file.is_some(), "fleet.ca_file", || {
        "must name the authority of https endpoints: none is trusted by default".into()
    })
}

fn check_member(fleet: &Fleet, keeper_name: &str) -> Result<(), Refusal> {
    demand(cfg!(feature = "fleet"), "fleet.mode", || {
        "this keeper was built without fleets; build it with `--features fleet`".into()
    })?;
    demand(!fleet.endpoints.is_empty(), "fleet.endpoints", || "must name etcd's addresses".into())?;
    let id = fleet.member_id(keeper_name);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let is_usable = (1..=64).contains(&id.len()) && id.chars().all(is_plain);
    demand(is_usable, "fleet.member", || {
        format!("`{id}` must hold 1 to 64 letters, digits, dots, dashes and underscores")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut Fleet)) -> Option<String> {
        let mut fleet = Fleet { endpoints: vec!["http://127.0.0.1:2379".into()], ..Fleet::default() };
        change(&mut fleet);
        check(&fleet, "keeper-1").err().map(|(key, _)| key)
    }

    #[test]
    fn values_out_of_bounds_are_refused_at_their_key() {
        assert_eq!(refused(|_| ()), None);
        assert_eq!(refused(|f| f.lease_ttl_ms = 1_000).as_deref(), Some("fleet.lease_ttl_ms"));
        assert_eq!(refused(|f| f.lease_ttl_ms = 2_500).as_deref(), Some("fleet.lease_ttl_ms"));
        assert_eq!(refused(|f| f.stagger_slots = 0).as_deref(), Some("fleet.stagger_slots"));
        assert_eq!(refused(|f| f.prefix = "rampart".into()).as_deref(), Some("fleet.prefix"));
        assert_eq!(refused(|f| f.endpoints = vec!["127.0.0.1:2379".into()]).as_deref(), Some("fleet.endpoints[0]"));
        assert_eq!(refused(|f| f.user = Some("keeper".into())).as_deref(), Some("fleet.user"));
        assert_eq!(refused(|f| f.key_file = Some("k".into())).as_deref(), Some("fleet.cert_file"));
        assert_eq!(refused(|f| f.endpoints = vec!["https://a:1".into()]).as_deref(), Some("fleet.ca_file"));
        assert_eq!(refused(|f| f.ca_file = Some("ca".into())).as_deref(), Some("fleet.endpoints"));
    }

    #[cfg(not(feature = "fleet"))]
    #[test]
    fn mode_etcd_is_refused_by_a_keeper_without_the_feature() {
        assert_eq!(refused(|f| f.mode = FleetMode::Etcd).as_deref(), Some("fleet.mode"));
    }

    #[cfg(feature = "fleet")]
    #[test]
    fn mode_etcd_needs_endpoints_and_a_plain_name() {
        assert_eq!(refused(|f| f.mode = FleetMode::Etcd), None);
        let unnamed = |f: &mut Fleet| (f.mode, f.endpoints) = (FleetMode::Etcd, Vec::new());
        assert_eq!(refused(unnamed).as_deref(), Some("fleet.endpoints"));
        let odd = |f: &mut Fleet| (f.mode, f.member) = (FleetMode::Etcd, Some("a/b".into()));
        assert_eq!(refused(odd).as_deref(), Some("fleet.member"));
    }
}
