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
pub(super) const MOST_ROUNDS: usize = 1_000;
/// Time between two questions.
pub(super) const PAUSE: Duration = Duration::from_millis(400);

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
        match ask(endpoints, &[once]).await.first() {
            Some(NextStep::Settle(outcome)) => return outcome.clone(),
            Some(NextStep::Resend) => hand_over(endpoints, &once.bytes).await,
            Some(NextStep::Doubt) if doubts == MOST_DOUBTS => return Outcome::Unknown,
            Some(NextStep::Doubt) => doubts += 1,
            Some(NextStep::Wait | NextStep::AskAgain) | None => {}
        }
        tokio::time::sleep(PAUSE).await;
    }
    Outcome::Unknown
}

/// Asks what to do next with each of `all`, which are [`STATUS_BATCH`](super::wire::STATUS_BATCH) at most: until as many
/// endpoints have answered as have to agree, or one has found them all.
pub(super) async fn ask(endpoints: &[Rpc], all: &[&Once]) -> Vec<NextStep> {
    let signatures: Vec<Signature> = all.iter().map(|once| once.signature).collect();
    let quorum = endpoints.len().min(WITNESSES);
    let mut asked: FuturesUnordered<_> = endpoints.iter().map(|rpc| witness(rpc, &signatures)).collect();
    let (mut told, mut answers) = (None::<(Tip, Statuses)>, 0);
    while answers < quorum
        && !told.as_ref().is_some_and(|(_, statuses)| statuses.found.iter().all(Option::is_some))
        && let Some(answer) = asked.next().await
    {
        let Ok((tip, statuses)) = answer else { continue };
        answers += 1;
        told = Some(match told {
            None => (tip, statuses),
            Some((other, others)) => (Tip::merge(other, tip), Statuses::merge(others, statuses)),
        });
    }
    let Some((tip, statuses)) = told else { return vec![NextStep::Resend; all.len()] };
    let not_found =
        Answer::NotFound { context_slot: statuses.context_slot, searched_history: true, is_agreed: answers == quorum };
    let answered = statuses.found.into_iter().map(|found| found.map_or_else(|| not_found.clone(), Answer::Found));
    let step = |(once, answer): (&&Once, Answer)| {
        next_step(&once.bytes, once.blockhash.last_valid_block_height, Some(tip), &answer)
    };
    all.iter().zip(answered).map(step).collect()
}

/// The end of the chain is asked for before the signatures: a block between the two could hold them.
async fn witness(rpc: &Rpc, signatures: &[Signature]) -> Result<(Tip, Statuses), WireError> {
    let tip = node::tip(rpc).await?;
    Ok((tip, node::statuses(rpc, signatures, true).await?))
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
