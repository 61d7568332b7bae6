//! What must be true before the keeper starts: the right chain, the program on it, and a guard that can be read.

use crate::chain::pool::Pool;
use crate::chain::rpc::RpcError;
use crate::chain::standing::Use;
use crate::chain::{Backoff, entropy};
use crate::config::Config;
use crate::error::KeeperError;
use crate::watch::decode::{Decoded, decode};
use futures_util::future::join_all;
use solana_sdk::hash::Hash;
use std::time::Duration;

/// How often endpoints are tried: they may start at the same time as the keeper.
const ATTEMPTS: u32 = 6;

/// Checks chain, program and guard; returns the genesis hash.
///
/// Endpoints that can't be asked are left to the probe, as long as one answers.
///
/// # Errors
/// `WrongChain` where one of them is another one; `Chain` where no endpoint can be asked.
pub async fn verify(pool: &Pool, config: &Config) -> Result<Hash, KeeperError> {
    let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(4));
    let mut attempt = 1;
    loop {
        match try_verify(pool, config).await {
            Ok(judged) => return judged,
            Err(error) if attempt == ATTEMPTS => {
                return Err(KeeperError::Chain {
                    what: "verify chain, program and guard".to_owned(),
                    source: Box::new(error),
                });
            }
            Err(error) => {
                tracing::warn!(attempt, error = %crate::error::chain(&error), "no endpoint can be asked yet")
            }
        }
        attempt += 1;
        tokio::time::sleep(backoff.next_delay(entropy())).await;
    }
}

/// The outer error is "unknown", the inner one is "no".
async fn try_verify(pool: &Pool, config: &Config) -> Result<Result<Hash, KeeperError>, RpcError> {
    let wrong = |text: String| Ok(Err(KeeperError::WrongChain(text)));
    let found = join_all(pool.endpoints().iter().map(|endpoint| endpoint.rpc.genesis_hash())).await;
    let first = found.iter().find_map(|genesis| genesis.as_ref().ok()).copied();
    let wanted = config.cluster.genesis_hash.or(first);
    let mut last = RpcError::NoEndpoint;
    for (endpoint, found) in pool.endpoints().iter().zip(found) {
        let name = &endpoint.settings.name;
        match (found, wanted) {
            (Ok(genesis), Some(wanted)) if genesis != wanted => {
                let from = if config.cluster.genesis_hash.is_some() { "`cluster.genesis_hash`" } else { "another's" };
                return wrong(format!("endpoint `{name}`: genesis hash is {genesis}, {from} is {wanted}"));
            }
            (Ok(_), _) => pool.verified(endpoint),
            (Err(error), _) => last = error,
        }
    }
    let Some(genesis) = wanted.filter(|_| first.is_some()) else { return Err(last) };
    let listing = pool.accounts(&[rampart::ID, config.cluster.guard], Use::Hot).await?;
    let [program, guard] = listing.updates.as_slice() else {
        return Err(RpcError::Unreadable { what: "program and guard" });
    };
    if program.is_absent() {
        return wrong(format!("program {} does not exist on this chain", rampart::ID));
    }
    if guard.is_absent() {
        return wrong(format!("guard {} does not exist on this chain", guard.key));
    }
    match decode(&guard.owner, &guard.data) {
        Ok(Decoded::Guard(_)) => Ok(Ok(genesis)),
        Ok(_) => wrong(format!("account {} is no guard", guard.key)),
        Err(error) => wrong(format!("guard {} can't be read: {error}", guard.key)),
    }
}
