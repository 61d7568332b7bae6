//! Raises the guard's level by a guardian's key, within the guardian's budget on chain.
//!
//! The chain says whether it is raised: a guardian's pause is a cause of the guard that only ends by itself or by the
//! resetter, and a second one of the same guardian is refused meanwhile. What was signed last is on the disk before it is
//! sent, and nothing new is signed until that is decided.

use super::wanted::Wanted;
use crate::chain::clock::ChainTime;
use crate::chain::pool::Pool;
use crate::chain::rpc::RpcError;
use crate::chain::standing::Use;
use crate::chain::{Backoff, entropy, fees};
use crate::config::PriceRange;
use crate::config::payer::PayerKey;
use crate::deploy::act::priced;
use crate::intent::{ActionClass, Outcome};
use crate::plan::priority;
use crate::submit::{Answer, NextStep, Wire, next_step};
use crate::watch::decode::{Decoded, decode};
use crate::watch::feeds::CLOCK;
use crate::whole;
use anchor_lang::prelude::Pubkey;
use rampart::state::{Guard, Level};
use rampart::{GuardianPauseArgs, Validity};
use serde::{Deserialize, Serialize};
use solana_sdk::signature::Signature;
use solana_sdk::transaction::{Transaction, TransactionError};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};

/// Name of the file in the state directory: what was signed last and is not decided.
pub const FILE: &str = "pause.json";
/// How long the instruction stays valid, seconds on chain.
const VALID_SECS: i64 = 120;
/// Compute units of a pause: it takes a tenth of it.
const COMPUTE_UNITS: u32 = 100_000;
/// Time between two sends of the same bytes or two questions, and how many sends make one try.
const RESEND: Duration = Duration::from_millis(400);
const SENDS: u32 = 200;
/// For how long one endpoint alone must call the bytes dead: as for trips, the chain lets only one land.
const ALONE: Duration = Duration::from_secs(5);
/// How long what others pay may be asked for.
const MARKET_PATIENCE: Duration = Duration::from_secs(1);
/// First and longest wait between two tries.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Why the level was not raised.
#[derive(Debug, thiserror::Error)]
pub enum PauseError {
    /// The guardian holds a lower level, which stands in the way.
    #[error("this guardian holds a lower level until {0}, and can't change its own pause: another guardian can")]
    Standing(i64),
    /// The key has no such right.
    #[error("key {0} is no guardian of the guard")]
    NoGuardian(Pubkey),
    /// The guardian has paused too much lately.
    #[error("guardian {guardian} has less than {wanted_secs} s left of its budget of pauses")]
    Budget {
        /// The guardian.
        guardian: Pubkey,
        /// What the pause would take.
        wanted_secs: u32,
    },
    /// The chain can't be asked.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// The chain's clock can't be read.
    #[error("the chain's clock can't be read")]
    NoClock,
    /// The guard can't be read.
    #[error("guard {0} can't be read")]
    NoGuard(Pubkey),
    /// The transaction can't be signed.
    #[error("the transaction can't be signed")]
    Sign(#[from] solana_sdk::signer::SignerError),
    /// The program refused.
    #[error("the program refused: {0}")]
    Refused(TransactionError),
    /// Its blockhash is dead, and it is in no block.
    #[error("transaction {0} expired")]
    Expired(Signature),
    /// What was done can't be made durable, so nothing is sent.
    #[error("the pause can't be noted on the disk")]
    Note(#[source] std::io::Error),
    /// Nobody said what became of it. The same bytes are followed further.
    #[error("nobody said in time what became of transaction {0}")]
    Unknown(Signature),
}

/// What became of a pause that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// The level is raised until then, unix seconds on chain.
    Raised(i64),
    /// A try failed, and the next one follows.
    Failed(String),
}

/// Raises the guard's level.
pub struct Pauser {
    /// The guardian's key; pays, too.
    pub guardian: PayerKey,
    /// The guard.
    pub guard: Pubkey,
    /// For how long, seconds.
    pub pause_secs: u32,
    /// What may be paid per compute unit: as for trips.
    pub price: PriceRange,
    /// The way to a node.
    pub wire: Arc<dyn Wire>,
    /// File of what was signed last.
    pub file: PathBuf,
}

/// Signed bytes that may land.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Sent {
    signature: String,
    bytes: Vec<u8>,
    last_valid_block_height: u64,
    until_ts: i64,
}

impl Sent {
    fn signature(&self) -> Signature {
        self.signature.parse().unwrap_or_default()
    }
}

impl Pauser {
    /// Raises the guard's level to ReduceOnly whenever that is wanted, and tries until it is raised or no longer wanted.
    pub async fn run(&self, pool: &Pool, mut wants: watch::Receiver<Option<Arc<Wanted>>>, news: mpsc::Sender<News>) {
        // ends with the watch, which holds the other ends
        while wants.wait_for(Option::is_some).await.is_ok() {
            let mut others = wants.clone();
            let raised = tokio::select! {
                until_ts = self.raise(pool, &news) => Some(until_ts),
                () = async { drop(others.wait_for(Option::is_none).await) } => None,
            };
            let Some(until_ts) = raised else { continue };
            if news.send(News::Raised(until_ts)).await.is_err() || wants.wait_for(Option::is_none).await.is_err() {
                return;
            }
        }
    }

    /// Tries until the level is raised. Returns until when, unix seconds on chain.
    async fn raise(&self, pool: &Pool, news: &mpsc::Sender<News>) -> i64 {
        let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
        let (mut failures, mut expiries) = (0_u32, 0_u32);
        loop {
            let error = match self.attempt(pool, expiries).await {
                Ok(until_ts) => return until_ts,
                Err(error) => error,
            };
            expiries += u32::from(matches!(error, PauseError::Expired(_)));
            failures = failures.saturating_add(1);
            if failures.is_power_of_two() {
                // nobody listens only where the watch ends, and this with it
                drop(news.send(News::Failed(crate::error::chain(&error))).await);
            }
            tokio::time::sleep(backoff.next_delay(entropy())).await;
        }
    }

    /// Raises the level, unless it is raised: first by what was signed last, as long as that may land.
    ///
    /// Returns until when, unix seconds on chain.
    async fn attempt(&self, pool: &Pool, expiries: u32) -> Result<i64, PauseError> {
        let noted = self.noted()?;
        if let Some(sent) = &noted {
            self.land(sent).await?;
        }
        let (now, guard) = self.look(pool).await?;
        // one that has ended since raises nothing
        if let Some(sent) = noted.filter(|sent| sent.until_ts > now.unix_ts) {
            return Ok(sent.until_ts);
        }
        if let Some(until_ts) = self.standing_pause(&guard, now.unix_ts)? {
            return Ok(until_ts);
        }
        let sent = self.signed(pool, &guard, now.unix_ts, expiries).await?;
        self.note(&sent).map_err(PauseError::Note)?;
        self.land(&sent).await.map(|()| sent.until_ts)
    }

    async fn look(&self, pool: &Pool) -> Result<(ChainTime, Box<Guard>), PauseError> {
        let listing = pool.accounts(&[CLOCK, self.guard], Use::Hot).await?;
        let [clock, guard] = listing.updates.as_slice() else { return Err(PauseError::NoClock) };
        let now = ChainTime::decode(&clock.data).ok_or(PauseError::NoClock)?;
        match decode(&guard.owner, &guard.data) {
            Ok(Decoded::Guard(guard)) => Ok((now, guard)),
            _ => Err(PauseError::NoGuard(self.guard)),
        }
    }

    /// Returns until when this guardian holds the level already.
    fn standing_pause(&self, guard: &Guard, now_ts: i64) -> Result<Option<i64>, PauseError> {
        match guard.breaker.cause_of(&self.guardian.pubkey(), now_ts) {
            None => Ok(None),
            Some(cause) if cause.level_at(now_ts) >= Level::ReduceOnly => Ok(Some(cause.ends_at_ts())),
            Some(cause) => Err(PauseError::Standing(cause.ends_at_ts())),
        }
    }

    async fn signed(&self, pool: &Pool, guard: &Guard, now_ts: i64, expiries: u32) -> Result<Sent, PauseError> {
        let key = self.guardian.pubkey();
        let duration_secs = self.pause_secs.min(guard.bounds.max_pause_secs);
        check(guard, &key, duration_secs, now_ts)?;
        let validity = Validity { authority_epoch: guard.authority_epoch, expires_at_ts: now_ts + VALID_SECS };
        let args = GuardianPauseArgs { level: Level::ReduceOnly as u8, duration_secs, validity };
        let pause = rampart_client::guardian::guardian_pause(key, self.guard, self.guard, args);
        let blockhash = pool.latest_blockhash().await?;
        // after what can't be done without: an endpoint that refuses this is left alone for a moment
        let price = priority(ActionClass::Trip, self.price, self.market(pool).await, expiries);
        let mut transaction = Transaction::new_with_payer(&priced(&[pause], COMPUTE_UNITS, price), Some(&key));
        transaction.try_sign(&[self.guardian.keypair()], blockhash.hash)?;
        Ok(Sent {
            signature: transaction.signatures.first().copied().unwrap_or_default().to_string(),
            // CANNOT fail: plain data written into a vector
            bytes: bincode::serialize(&transaction).unwrap_or_default(),
            last_valid_block_height: blockhash.last_valid_block_height,
            until_ts: now_ts.saturating_add(duration_secs.into()),
        })
    }

    /// What others pay to write the guard; nothing where nobody says so soon.
    async fn market(&self, pool: &Pool) -> u64 {
        let asked = tokio::time::timeout(MARKET_PATIENCE, pool.recent_fees(&self.guard)).await;
        asked.ok().and_then(Result::ok).map_or(0, fees::percentile)
    }

    /// Sends the same bytes until the chain says what became of them, and forgets them then.
    async fn land(&self, sent: &Sent) -> Result<(), PauseError> {
        let signature = sent.signature();
        let outcome = tokio::select! {
            outcome = self.outcome(sent, &signature) => outcome,
            () = self.resend(&sent.bytes) => return Err(PauseError::Unknown(signature)),
        };
        self.forget().map_err(PauseError::Note)?;
        match outcome {
            Outcome::Landed { .. } => Ok(()),
            Outcome::Failed { error, .. } => Err(PauseError::Refused(error)),
            Outcome::Expired | Outcome::Unknown => Err(PauseError::Expired(signature)),
        }
    }

    async fn resend(&self, bytes: &[u8]) {
        for _ in 0..SENDS {
            if let Err(error) = self.wire.send(ActionClass::Trip, bytes).await {
                tracing::debug!("{}", crate::error::chain(&error));
            }
            tokio::time::sleep(RESEND).await;
        }
    }

    /// Asks until it is decided.
    async fn outcome(&self, sent: &Sent, signature: &Signature) -> Outcome {
        let mut doubted_since = None;
        loop {
            match self.ask(sent, signature).await {
                NextStep::Settle(outcome) => return outcome,
                NextStep::Doubt if doubted_since.get_or_insert_with(Instant::now).elapsed() >= ALONE => {
                    return Outcome::Expired;
                }
                // silence speaks neither for nor against
                NextStep::Doubt | NextStep::AskAgain => {}
                NextStep::Resend | NextStep::Wait => doubted_since = None,
            }
            tokio::time::sleep(RESEND).await;
        }
    }

    async fn ask(&self, sent: &Sent, signature: &Signature) -> NextStep {
        // MUST come before the statuses: see `next_step`
        let tip = self.wire.tip(Use::Hot).await.ok();
        let is_past = tip.is_some_and(|tip| tip.block_height > sent.last_valid_block_height);
        let answer = match self.wire.statuses(&[*signature], is_past, Use::Hot).await {
            Ok(statuses) => {
                let (context_slot, is_agreed) = (statuses.context_slot, statuses.is_agreed);
                let not_found = Answer::NotFound { context_slot, searched_history: is_past, is_agreed };
                statuses.found.into_iter().next().flatten().map_or(not_found, Answer::Found)
            }
            Err(_) => Answer::Silence,
        };
        next_step(&sent.bytes, sent.last_valid_block_height, tip, &answer)
    }

    /// Returns what was signed last and may land. What can't be read was never whole, so that nothing was sent.
    fn noted(&self) -> Result<Option<Sent>, PauseError> {
        match fs::read(&self.file) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes)
                .inspect_err(
                    |error| tracing::warn!(file = %self.file.display(), "the last pause can't be read: {error}"),
                )
                .ok()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(PauseError::Note(error)),
        }
    }

    fn note(&self, sent: &Sent) -> std::io::Result<()> {
        whole::replace(&self.file, &serde_json::to_vec(sent)?)
    }

    fn forget(&self) -> std::io::Result<()> {
        match fs::remove_file(&self.file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }
}

/// Checks what the program would refuse, so that nothing is paid for a refusal.
fn check(guard: &Guard, key: &Pubkey, duration_secs: u32, now_ts: i64) -> Result<(), PauseError> {
    if !guard.roles.is_guardian(key) {
        return Err(PauseError::NoGuardian(*key));
    }
    let mut pauses = guard.pauses;
    let charged = pauses.charge_guardian(key, &guard.roles, &guard.bounds, now_ts, duration_secs);
    charged.map(drop).map_err(|_| PauseError::Budget { guardian: *key, wanted_secs: duration_secs })
}

#[cfg(test)]
#[path = "pause_tests.rs"]
mod tests;
