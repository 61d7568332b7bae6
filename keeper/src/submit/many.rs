//! Many transactions of a person at once, none of which depends on another or harms if it is done twice: each the same bytes
//! until it is decided.

use super::once::{MOST_ROUNDS, Once, PAUSE, ask};
use super::step::NextStep;
use super::ways::params;
use super::wire::STATUS_BATCH;
use crate::chain::http::CallError;
use crate::chain::rpc::{Rpc, RpcError};
use crate::config::endpoints::SenderKind;
use crate::intent::Outcome;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::stream::{self, StreamExt};
use serde_json::Value;

/// Rounds after which what has not been seen is sent again.
const RESEND_ROUNDS: usize = 5;
/// Requests under way at once.
const AT_ONCE: usize = 16;

/// Sends all by the endpoints in turn and asks them, until each is decided. `told` hears how many are.
/// Outcomes are in the order of `all`.
pub async fn many(endpoints: &[Rpc], all: &[Once], told: impl Fn(usize)) -> Vec<Outcome> {
    let mut outcomes: Vec<Option<Outcome>> = vec![None; all.len()];
    for round in 0..MOST_ROUNDS {
        let open: Vec<usize> = (0..all.len()).filter(|at| outcomes[*at].is_none()).collect();
        if open.is_empty() {
            break;
        }
        let mut unseen = Vec::new();
        for batch in open.chunks(STATUS_BATCH) {
            let asked: Vec<&Once> = batch.iter().map(|at| &all[*at]).collect();
            let steps = ask(endpoints, &asked).await;
            for (at, step) in batch.iter().zip(steps) {
                match step {
                    NextStep::Settle(outcome) => outcomes[*at] = Some(outcome),
                    // done twice they are done once: one endpoint's word is enough
                    NextStep::Doubt => outcomes[*at] = Some(Outcome::Expired),
                    NextStep::Resend => unseen.push(*at),
                    NextStep::Wait | NextStep::AskAgain => {}
                }
            }
        }
        told(outcomes.iter().flatten().count());
        if round % RESEND_ROUNDS == 0 {
            send(endpoints, all, &unseen).await;
        }
        tokio::time::sleep(PAUSE).await;
    }
    outcomes.into_iter().map(|outcome| outcome.unwrap_or(Outcome::Unknown)).collect()
}

/// Hands each to one endpoint: the next round sees which have come in.
async fn send(endpoints: &[Rpc], all: &[Once], which: &[usize]) {
    let sends = which.iter().filter_map(|at| Some((endpoints.get(at % endpoints.len().max(1))?, &all[*at].bytes)));
    let sends = sends.map(|(rpc, bytes)| async move {
        let params = params(SenderKind::Rpc, &STANDARD.encode(bytes));
        match rpc.call::<Value>("sendTransaction", "a transaction's taking", params).await {
            // it may have been forwarded all the same: only the chain can say
            Err(RpcError::Request { source: CallError::TooMany(wait), .. }) => tokio::time::sleep(wait).await,
            Err(error) => tracing::debug!("{}", crate::error::chain(&error)),
            Ok(_) => {}
        }
    });
    stream::iter(sends).buffer_unordered(AT_ONCE).collect::<()>().await;
}
