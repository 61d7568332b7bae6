//! What the chain says about keys, the guard and the program.

use crate::chain::rpc::{Rpc, RpcError};
use crate::config::{Config, RpcEndpoint};
use crate::error::{self, KeeperError};
use crate::metrics::Metrics;
use crate::takeover::data_address;
use crate::watch::Update;
use crate::watch::decode::{Decoded, decode};
use crate::watch::feeds::CLOCK;
use rampart::state::{Guard, KeeperSet};
use solana_sdk::pubkey::Pubkey;

/// The guard's accounts and the program's, as of one answer.
pub(super) struct OnChain {
    /// The guard, or why it can't be read.
    pub guard: Result<Box<Guard>, KeeperError>,
    /// Its keeper set, if it has one.
    pub keepers: Option<Box<KeeperSet>>,
    /// Account of the program.
    pub program: Option<Update>,
    /// Account that holds its code.
    pub code: Option<Update>,
    /// Time of the chain's clock, unix seconds.
    pub unix_ts: Option<i64>,
    /// Slot of the answer.
    pub slot: u64,
}

impl OnChain {
    /// Asks for all of it.
    pub async fn ask(rpc: &Rpc, guard: Pubkey) -> Result<Self, RpcError> {
        let keys = [guard, rampart_client::address::keeper_set(&guard), rampart::ID, data_address(), CLOCK];
        let listing = rpc.accounts(&keys).await?;
        let find =
            |key: Pubkey| listing.updates.iter().find(|update| update.key == key && !update.is_absent()).cloned();
        let keepers = find(keys[1]).and_then(|account| match decode(&account.owner, &account.data) {
            Ok(Decoded::KeeperSet(set)) => Some(set),
            _ => None,
        });
        let clock = find(CLOCK).and_then(|account| crate::chain::clock::ChainTime::decode(&account.data));
        Ok(Self {
            guard: read_guard(guard, find(guard)),
            keepers,
            program: find(rampart::ID),
            code: find(data_address()),
            unix_ts: clock.map(|clock| clock.unix_ts),
            slot: listing.slot,
        })
    }

    /// Returns the roles that a key holds, in words; the keeper's role last.
    pub fn roles_of(&self, key: &Pubkey) -> Vec<String> {
        let mut roles = Vec::new();
        if let Ok(guard) = &self.guard {
            let of = &guard.roles;
            let single = [
                (&of.root, "root of the guard"),
                (&of.risk_admin, "risk admin of the guard"),
                (&of.resetter, "resetter of the guard"),
                (&of.vetoer, "vetoer of the guard"),
            ];
            roles.extend(single.into_iter().filter(|(holder, _)| *holder == key).map(|(_, role)| role.to_owned()));
            if of.is_guardian(key) {
                roles.push(GUARDIAN.into());
            }
        }
        let code = self.code.as_ref().and_then(|code| crate::takeover::decode(&code.data));
        if code.and_then(|(_, authority)| authority).is_some_and(|authority| authority == *key) {
            roles.push("upgrade authority of the program".into());
        }
        let is_keeper = |set: &KeeperSet| set.active().iter().any(|member| member.key == *key);
        if self.keepers.as_deref().is_some_and(is_keeper) {
            roles.push(KEEPER.into());
        }
        roles
    }
}

/// The role that a payer may have.
pub(super) const KEEPER: &str = "keeper of the guard";
/// The role that a guardian's key has to have.
pub(super) const GUARDIAN: &str = "guardian of the guard";

/// Returns a way to an endpoint. What it answers is shown and not acted on: one is enough.
pub(super) fn open(endpoint: &RpcEndpoint, config: &Config) -> Rpc {
    Rpc::new(&endpoint.http, config.cluster.commitment, Metrics::new())
}

/// Asks the endpoints of the settings in turn, until one answers.
pub(super) async fn ask_any(config: &Config) -> Result<OnChain, KeeperError> {
    let mut last = None;
    for endpoint in config.endpoints() {
        match OnChain::ask(&open(&endpoint, config), config.cluster.guard).await {
            Ok(found) => return Ok(found),
            Err(error) => last = Some(error),
        }
    }
    Err(asked("ask for roles", last.unwrap_or(RpcError::NoEndpoint)))
}

/// Names what was asked of the chain in vain.
pub(super) fn asked(what: &str, source: RpcError) -> KeeperError {
    KeeperError::Chain { what: what.to_owned(), source: Box::new(source) }
}

fn read_guard(address: Pubkey, account: Option<Update>) -> Result<Box<Guard>, KeeperError> {
    let wrong = |reason: String| KeeperError::WrongChain(format!("guard {address} {reason}"));
    let account = account.ok_or_else(|| wrong("does not exist on this chain".into()))?;
    match decode(&account.owner, &account.data) {
        Ok(Decoded::Guard(guard)) => Ok(guard),
        Ok(_) => Err(wrong("is another account of the program".into())),
        Err(cause) => Err(wrong(format!("cannot be read: {}", error::chain(&cause)))),
    }
}
