//! Raises the guard's level by a guardian's key, within the guardian's budget on chain.

use super::standing::Standing;
use crate::chain::clock::ChainTime;
use crate::chain::pool::Pool;
use crate::chain::rpc::RpcError;
use crate::chain::standing::Use;
use crate::config::payer::PayerKey;
use crate::intent::ActionClass;
use crate::submit::{Wire, WireError};
use crate::watch::feeds::CLOCK;
use crate::whole;
use anchor_lang::prelude::Pubkey;
use rampart::state::Level;
use rampart::{GuardianPauseArgs, Validity};
use solana_sdk::transaction::{Transaction, TransactionError};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Name of the file in the state directory.
pub const FILE: &str = "paused-until";
/// How long the instruction stays valid, seconds on chain.
const VALID_SECS: i64 = 120;
/// Time between two sends of the same bytes, and how often they are sent at most.
const RESEND: Duration = Duration::from_millis(400);
const SENDS: u32 = 200;

/// Why the level was not raised.
#[derive(Debug, thiserror::Error)]
pub enum PauseError {
    /// It is raised already.
    #[error("it is raised already until {0}, and a guardian can't prolong its own pause")]
    Standing(i64),
    /// The key has no such right.
    #[error("key {0} is no guardian of the guard")]
    NoGuardian(Pubkey),
    /// The chain can't be asked.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// The chain's clock can't be read.
    #[error("the chain's clock can't be read")]
    NoClock,
    /// The transaction can't be signed.
    #[error("the transaction can't be signed")]
    Sign(#[from] solana_sdk::signer::SignerError),
    /// The program refused.
    #[error("the program refused: {0}")]
    Refused(TransactionError),
    /// What was done can't be made durable, so nothing is sent.
    #[error("the pause can't be noted on the disk")]
    Note(#[source] std::io::Error),
    /// Nobody said what became of it.
    #[error("nobody said in time what became of transaction {0}")]
    Unknown(solana_sdk::signature::Signature),
}

/// Raises the guard's level.
pub struct Pauser {
    /// The guardian's key; pays, too.
    pub guardian: PayerKey,
    /// For how long, seconds.
    pub pause_secs: u32,
    /// The way to a node.
    pub wire: Arc<dyn Wire>,
    /// File that says until when the level is raised, unix seconds on chain.
    pub file: PathBuf,
    /// One pause at a time.
    pub turn: tokio::sync::Mutex<()>,
}

impl Pauser {
    /// Raises the guard's level to ReduceOnly. Until when is on the disk before anything is sent: a crash must not spend the
    /// guardian's budget twice.
    ///
    /// Returns until when it is raised, unix seconds on chain.
    ///
    /// # Errors
    /// All of [`PauseError`].
    pub async fn pause(&self, pool: &Pool, standing: &Standing) -> Result<i64, PauseError> {
        let _turn = self.turn.lock().await;
        let key = self.guardian.pubkey();
        if !standing.roles.contains_key(&format!("guardian {key}")) {
            return Err(PauseError::NoGuardian(key));
        }
        let now = self.now(pool).await?;
        let paused_until_ts = self.paused_until_ts()?;
        if paused_until_ts > now.unix_ts {
            return Err(PauseError::Standing(paused_until_ts));
        }
        let duration_secs = self.pause_secs.min(standing.max_pause_secs);
        let transaction = self.signed(pool, standing, duration_secs, now.unix_ts).await?;
        let until_ts = now.unix_ts.saturating_add(duration_secs.into());
        self.note(until_ts).map_err(PauseError::Note)?;
        self.land(&transaction).await.map(|()| until_ts)
    }

    fn paused_until_ts(&self) -> Result<i64, PauseError> {
        match fs::read_to_string(&self.file) {
            Ok(text) => text.trim().parse().map_err(|_| PauseError::Note(std::io::ErrorKind::InvalidData.into())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(PauseError::Note(error)),
        }
    }

    fn note(&self, until_ts: i64) -> std::io::Result<()> {
        whole::replace(&self.file, format!("{until_ts}\n").as_bytes())
    }

    async fn now(&self, pool: &Pool) -> Result<ChainTime, PauseError> {
        let listing = pool.accounts(&[CLOCK], Use::Hot).await?;
        listing.updates.first().and_then(|clock| ChainTime::decode(&clock.data)).ok_or(PauseError::NoClock)
    }

    async fn signed(
        &self,
        pool: &Pool,
        standing: &Standing,
        duration_secs: u32,
        now_ts: i64,
    ) -> Result<Transaction, PauseError> {
        let key = self.guardian.pubkey();
        let guard = standing.guard.parse().map_err(|_| PauseError::NoGuardian(key))?;
        let validity = Validity { authority_epoch: standing.authority_epoch, expires_at_ts: now_ts + VALID_SECS };
        let args = GuardianPauseArgs { level: Level::ReduceOnly as u8, duration_secs, validity };
        let pause = rampart_client::guardian::guardian_pause(key, guard, guard, args);
        let mut transaction = Transaction::new_with_payer(&[pause], Some(&key));
        transaction.try_sign(&[self.guardian.keypair()], pool.latest_blockhash().await?.hash)?;
        Ok(transaction)
    }

    /// Sends the same bytes until the chain says what became of them.
    async fn land(&self, transaction: &Transaction) -> Result<(), PauseError> {
        let signature = transaction.signatures.first().copied().unwrap_or_default();
        let bytes = bincode::serialize(transaction).unwrap_or_default();
        for _ in 0..SENDS {
            let sent: Result<(), WireError> = self.wire.send(ActionClass::Trip, &bytes).await;
            sent.unwrap_or_else(|error| tracing::debug!("{}", crate::error::chain(&error)));
            tokio::time::sleep(RESEND).await;
            let statuses = self.wire.statuses(&[signature], false, Use::Hot).await;
            let found = statuses.ok().and_then(|statuses| statuses.found.into_iter().next().flatten());
            match found.filter(|found| found.is_confirmed).map(|found| found.result) {
                Some(Ok(())) => return Ok(()),
                Some(Err(error)) => return Err(PauseError::Refused(error)),
                None => {}
            }
        }
        Err(PauseError::Unknown(signature))
    }
}
