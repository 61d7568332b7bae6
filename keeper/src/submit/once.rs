//! One transaction of a person: the same bytes until they have landed or never can.
//!
//! Nothing is journaled: who calls knows the signature before the first send, and the program fences what is sent (a change
//! has a number, a value its hash), so that a second command can't do it twice. New bytes are never signed here.

use super::node;
use super::step::{Answer, NextStep, next_step};
use super::ways::params;
use crate::chain::rpc::Rpc;
use crate::config::endpoints::SenderKind;
use crate::intent::{Blockhash, Outcome};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use solana_sdk::signature::Signature;
use std::time::Duration;

/// Questions before nobody can say: a blockhash is dead long before.
const MOST_ROUNDS: usize = 1_000;
/// Time between two questions.
const PAUSE: Duration = Duration::from_millis(400);

/// Signed bytes with their name and their life.
#[derive(Clone, Debug)]
pub struct Once {
    /// Name of the transaction.
    pub signature: Signature,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Until when they may land.
    pub blockhash: Blockhash,
}

/// Sends `once` by every endpoint and asks the first that answers, until it is decided.
pub async fn once(endpoints: &[Rpc], once: &Once) -> Outcome {
    for _ in 0..MOST_ROUNDS {
        match ask(endpoints, once).await {
            NextStep::Settle(outcome) => return outcome,
            NextStep::Resend => hand_over(endpoints, &once.bytes).await,
            NextStep::Wait | NextStep::AskAgain | NextStep::Doubt => {}
        }
        tokio::time::sleep(PAUSE).await;
    }
    Outcome::Unknown
}

/// The end of the chain is asked for before the signature: a block between the two could hold it.
async fn ask(endpoints: &[Rpc], once: &Once) -> NextStep {
    for rpc in endpoints {
        let Ok(tip) = node::tip(rpc).await else { continue };
        let Ok(statuses) = node::statuses(rpc, &[once.signature], true).await else { continue };
        let not_found =
            Answer::NotFound { context_slot: statuses.context_slot, searched_history: true, is_agreed: true };
        let answer = statuses.found.into_iter().next().flatten().map_or(not_found, Answer::Found);
        return next_step(&once.bytes, once.blockhash.last_valid_block_height, Some(tip), &answer);
    }
    NextStep::Resend
}

/// No preflight: it was simulated before, and the first send may be under way.
async fn hand_over(endpoints: &[Rpc], bytes: &[u8]) {
    let params = params(SenderKind::Rpc, &STANDARD.encode(bytes));
    let sends =
        endpoints.iter().map(|rpc| rpc.call::<Value>("sendTransaction", "a transaction's taking", params.clone()));
    // it may have been forwarded all the same: only the chain can say
    for error in futures_util::future::join_all(sends).await.into_iter().filter_map(Result::err) {
        tracing::debug!("{}", crate::error::chain(&error));
    }
}
