//! What must be true before the keeper starts: the right chain, the program on it, and a guard that can be read.

use crate::chain::rpc::{Rpc, RpcError};
use crate::chain::{Backoff, entropy};
use crate::config::Config;
use crate::error::KeeperError;
use crate::watch::decode::{Decoded, decode};
use std::time::Duration;

/// How often the endpoint is tried: it may start at the same time as the keeper.
const ATTEMPTS: u32 = 6;

/// Checks chain, program and guard.
///
/// # Errors
/// `WrongChain` where one of them is another one; `Chain` where the endpoint can't be asked.
pub async fn verify(rpc: &Rpc, config: &Config) -> Result<(), KeeperError> {
    let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(4));
    let mut attempt = 1;
    loop {
        match try_verify(rpc, config).await {
            Ok(judged) => return judged,
            Err(error) if attempt == ATTEMPTS => {
                return Err(KeeperError::Chain {
                    what: "verify chain, program and guard".to_owned(),
                    source: Box::new(error),
                });
            }
            Err(error) => {
                tracing::warn!(attempt, error = %crate::error::chain(&error), "the endpoint can't be asked yet")
            }
        }
        attempt += 1;
        tokio::time::sleep(backoff.next_delay(entropy())).await;
    }
}

/// The outer error is "unknown", the inner one is "no".
async fn try_verify(rpc: &Rpc, config: &Config) -> Result<Result<(), KeeperError>, RpcError> {
    let genesis = rpc.genesis_hash().await?;
    if let Some(wanted) = config.cluster.genesis_hash.filter(|wanted| *wanted != genesis) {
        return Ok(Err(KeeperError::WrongChain(format!(
            "genesis hash is {genesis}, `cluster.genesis_hash` is {wanted}"
        ))));
    }
    let listing = rpc.accounts(&[rampart::ID, config.cluster.guard]).await?;
    let [program, guard] = listing.updates.as_slice() else {
        return Err(RpcError::Unreadable { what: "program and guard" });
    };
    let wrong = |text: String| Ok(Err(KeeperError::WrongChain(text)));
    if program.is_absent() {
        return wrong(format!("program {} does not exist on this chain", rampart::ID));
    }
    if guard.is_absent() {
        return wrong(format!("guard {} does not exist on this chain", guard.key));
    }
    match decode(&guard.owner, &guard.data) {
        Ok(Decoded::Guard(_)) => Ok(Ok(())),
        Ok(_) => wrong(format!("account {} is no guard", guard.key)),
        Err(error) => wrong(format!("guard {} can't be read: {error}", guard.key)),
    }
}
