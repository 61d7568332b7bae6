//! Why a keeper can't be part of its fleet.

use crate::config::payer::KeyError;
use std::path::PathBuf;

/// Why a keeper can't be part of its fleet.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// A secret for etcd was refused.
    #[error("failed to read a secret for etcd")]
    Secret(#[from] KeyError),
    /// A certificate cannot be read.
    #[error("failed to read certificate file `{}`", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// etcd did not answer, or refused.
    #[error("failed to {what} in etcd")]
    Etcd {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// etcd did not answer in time.
    #[error("etcd did not answer within {millis} ms")]
    Silent {
        /// How long was waited.
        millis: u128,
    },
    /// The lease is gone.
    #[error("etcd has no lease of this keeper any more")]
    LeaseLost,
    /// Another process has joined under the same name.
    #[error("member `{id}` of the fleet is another process, or one that died a moment ago")]
    MemberTaken {
        /// The name.
        id: String,
    },
    /// Nobody of that name is in the fleet.
    #[error("member `{id}` is not in the fleet")]
    NoSuchMember {
        /// The name.
        id: String,
    },
    /// The keeper does not belong to a fleet.
    #[error("`fleet.mode` is `single`: this keeper has no fleet")]
    NoFleet,
    /// The keeper was built without the feature.
    #[error("this keeper was built without fleets")]
    NotBuilt,
}

impl FleetError {
    /// Returns whether trying again may help.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Etcd { .. } | Self::Silent { .. } | Self::LeaseLost | Self::MemberTaken { .. })
    }

    /// Returns the exit code of the process. See docs/operating.md.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Secret(_) => 3,
            Self::Certificate { .. } | Self::NoFleet | Self::NotBuilt | Self::NoSuchMember { .. } => 2,
            _ => 5,
        }
    }

    /// Returns what to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::Secret(_) => {
                "correct `fleet.key_file` or `fleet.password_file`; only their owner may read these files".into()
            }
            Self::Certificate { .. } => "correct `fleet.ca_file` or `fleet.cert_file`".into(),
            Self::MemberTaken { .. } => "give every keeper a `fleet.member` of its own".into(),
            Self::NoSuchMember { .. } => "`rampart fleet ranks` lists the members".into(),
            Self::NoFleet => "set `fleet.mode` to `etcd`; docs/fleet.md says how".into(),
            Self::NotBuilt => "build it with `cargo build --release -p rampart-keeper --features fleet`".into(),
            Self::Etcd { .. } | Self::Silent { .. } | Self::LeaseLost => {
                "check `fleet.endpoints` and etcd itself".into()
            }
        }
    }
}
