//! One transaction of a person: the same bytes until they have landed or never can.
//!
//! Nothing is journaled: who calls knows the signature before the first send, and the program fences what is sent (a change
//! has a number, a value its hash), so that a second command can't do it twice. New bytes are never signed here.

use super::node;
use super::step::{Answer, NextStep, next_step};
use super::ways::params;
use super::wire::{Statuses, Tip, WITNESSES, WireError};
use crate::chain::rpc::Rpc;
use crate::config::endpoints::SenderKind;
use crate::intent::{Blockhash, Outcome};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
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

/// Rounds in which one endpoint alone calls the bytes dead, before nobody can say: half a minute.
const MOST_DOUBTS: usize = 75;

/// Sends `once` by every endpoint and asks them until it is decided: they have to agree that it never can land, as in the
/// keeper.
pub async fn once(endpoints: &[Rpc], once: &Once) -> Outcome {
    let mut doubts = 0;
    for _ in 0..MOST_ROUNDS {
        match ask(endpoints, once).await {
            NextStep::Settle(outcome) => return outcome,
            NextStep::Resend => hand_over(endpoints, &once.bytes).await,
            NextStep::Doubt if doubts == MOST_DOUBTS => return Outcome::Unknown,
            NextStep::Doubt => doubts += 1,
            NextStep::Wait | NextStep::AskAgain => {}
        }
        tokio::time::sleep(PAUSE).await;
    }
    Outcome::Unknown
}

/// Asks until as many have answered as have to agree, or one has found it.
pub(super) async fn ask(endpoints: &[Rpc], once: &Once) -> NextStep {
    let quorum = endpoints.len().min(WITNESSES);
    let mut asked: FuturesUnordered<_> = endpoints.iter().map(|rpc| witness(rpc, once.signature)).collect();
    let (mut told, mut answers) = (None, 0);
    while answers < quorum
        && let Some(answer) = asked.next().await
    {
        let Ok((tip, statuses)) = answer else { continue };
        answers += 1;
        let (tip, statuses): (Tip, Statuses) = match told {
            None => (tip, statuses),
            Some((other, others)) => (Tip::merge(other, tip), Statuses::merge(others, statuses)),
        };
        if let Some(Some(found)) = statuses.found.first() {
            return step(once, tip, &Answer::Found(found.clone()));
        }
        told = Some((tip, statuses));
    }
    let Some((tip, Statuses { context_slot, .. })) = told else { return NextStep::Resend };
    step(once, tip, &Answer::NotFound { context_slot, searched_history: true, is_agreed: answers == quorum })
}

/// The end of the chain is asked for before the signature: a block between the two could hold it.
async fn witness(rpc: &Rpc, signature: Signature) -> Result<(Tip, Statuses), WireError> {
    let tip = node::tip(rpc).await?;
    Ok((tip, node::statuses(rpc, &[signature], true).await?))
}

fn step(once: &Once, tip: Tip, answer: &Answer) -> NextStep {
    next_step(&once.bytes, once.blockhash.last_valid_block_height, Some(tip), answer)
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
