//! The local Solana network: an embedded Surfpool, or a validator that goes on where one has ended.
//!
//! Owns the sending of transactions. Surfpool's cheat codes are used for three things alone: to deploy programs, to
//! write oracle accounts, and to jump over the two days that lie between set-up and story. Every other effect is a
//! transaction. A validator knows no such codes: see [`Backend`].

mod backend;
mod embedded;
mod genesis;
mod validator;
mod writer;

pub use backend::Backend;
pub use writer::OracleWrite;

use crate::error::{DemoError, Outcome, rpc};
use crate::metronome::{Rhythm, SlotMark, Timeline};
use embedded::Embedded;
use rampart_client::{Instruction, Pubkey};
use solana_client::nonblocking::rpc_client::RpcClient;
use solana_client::rpc_config::RpcSendTransactionConfig;
use solana_commitment_config::CommitmentConfig;
use solana_sdk::account::Account;
use solana_sdk::hash::Hash;
use solana_sdk::signature::{Keypair, Signature};
use solana_sdk::signer::Signer;
use solana_sdk::transaction::{Transaction, TransactionError};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use validator::Validator;

/// How old a blockhash may be before a new one is asked for, in slots; the network takes 150.
const BLOCKHASH_SLOTS: u64 = 40;
/// How often a sent transaction's status is asked for, and how long between.
const STATUS_ASKS: u32 = 2_000;
const STATUS_PAUSE: Duration = Duration::from_millis(10);
/// Compute units that every transaction may use, at least.
const COMPUTE_UNITS: u32 = 400_000;
/// The native program that takes the limit, and its instruction's number.
const COMPUTE_BUDGET: Pubkey = anchor_lang::prelude::pubkey!("ComputeBudget111111111111111111111111111111");
const SET_COMPUTE_UNIT_LIMIT: u8 = 2;
/// How chain time runs against the wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Chain time of one slot, milliseconds.
    pub slot_ms: u64,
    /// Wall time of one slot, milliseconds.
    pub wall_ms: u64,
}

impl Pace {
    /// Returns the pace at which chain time runs `speed` times as fast as the wall clock.
    ///
    /// A slot takes at least `wall_ms` of wall time, and lasts whole seconds of chain time from one second up, so that
    /// every slot has a time of its own.
    pub fn of_speed(speed: u32, wall_ms: u64) -> Self {
        let slot_ms = u64::from(speed) * wall_ms;
        let slot_ms = if slot_ms >= 1_000 { slot_ms.div_ceil(1_000) * 1_000 } else { slot_ms.max(1) };
        Self { slot_ms, wall_ms: (slot_ms / u64::from(speed.max(1))).max(1) }
    }

    /// Returns the chain time of one slot in whole seconds, at least one.
    pub fn slot_secs(&self) -> i64 {
        i64::try_from(self.slot_ms.div_ceil(1_000)).unwrap_or(i64::MAX)
    }
}

/// What became of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Landing {
    /// It took effect.
    Landed,
    /// It was refused, by the program with this code or for another reason.
    Refused {
        /// The program's error code, where it was the program.
        code: Option<u32>,
        /// The whole reason.
        reason: String,
    },
}

/// What makes the slots.
enum Chain {
    Embedded(Embedded),
    Validator(Validator),
}

/// A running network.
pub struct Network {
    chain: Chain,
    timeline: Arc<Timeline>,
    pace: Pace,
    blockhash: Mutex<Option<(u64, Hash)>>,
    sent: AtomicU32,
    payer: Keypair,
    rpc_url: String,
    ws_url: String,
    rpc: RpcClient,
}

impl Network {
    /// Starts an embedded network, offline, on free ports of the loopback interface.
    ///
    /// # Errors
    /// [`DemoError::Network`] where it doesn't start.
    pub async fn start(pace: Pace, payer: Keypair) -> Outcome<Self> {
        let (embedded, urls) = Embedded::start(pace, &payer).await?;
        let timeline = Arc::clone(embedded.timeline());
        Ok(Self::new(Chain::Embedded(embedded), timeline, pace, payer, urls))
    }

    fn new(chain: Chain, timeline: Arc<Timeline>, pace: Pace, payer: Keypair, urls: [String; 2]) -> Self {
        let [rpc_url, ws_url] = urls;
        let rpc = RpcClient::new_with_commitment(rpc_url.clone(), CommitmentConfig::processed());
        let (blockhash, sent) = (Mutex::new(None), AtomicU32::new(0));
        Self { chain, timeline, pace, blockhash, sent, payer, rpc_url, ws_url, rpc }
    }

    /// Returns the address of the JSON RPC server.
    pub fn rpc_url(&self) -> &str {
        &self.rpc_url
    }

    /// Returns the address of the WebSocket server.
    pub fn ws_url(&self) -> &str {
        &self.ws_url
    }

    /// Returns the account that pays for the set-up and mints the tokens.
    pub fn payer(&self) -> &Keypair {
        &self.payer
    }

    /// Returns the address of [`Network::payer`].
    pub fn payer_key(&self) -> Pubkey {
        self.payer.pubkey()
    }

    /// Returns the RPC client, at commitment processed.
    pub fn rpc(&self) -> &RpcClient {
        &self.rpc
    }

    /// Returns when each slot began.
    pub fn timeline(&self) -> &Arc<Timeline> {
        &self.timeline
    }

    /// Returns the slot in progress.
    pub fn now(&self) -> SlotMark {
        self.timeline.now()
    }

    /// Returns how chain time runs against the wall clock.
    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// Lets time stand still; only [`Network::step`] moves it. A validator's goes on: nobody can hold it.
    pub fn hold(&self) {
        self.set(Rhythm::Held);
    }

    /// Lets slots follow each other at the pace of the run.
    pub fn at_pace(&self) {
        self.set(Rhythm::Every(Duration::from_millis(self.pace.wall_ms)));
    }

    fn set(&self, rhythm: Rhythm) {
        if let Chain::Embedded(embedded) = &self.chain {
            embedded.set(rhythm);
        }
    }

    /// Makes `slots` slots at once and waits for the last; waits for as many where a validator makes them.
    ///
    /// # Errors
    /// [`DemoError::Network`] where the network makes no more slots.
    pub async fn step(&self, slots: u32) -> Outcome<SlotMark> {
        let target = self.now().slot + u64::from(slots);
        if let Chain::Embedded(embedded) = &self.chain {
            embedded.step(slots);
        }
        self.timeline.until(|mark| mark.slot >= target).await
    }

    /// Waits until the chain's clock has reached `unix_ts`.
    ///
    /// # Errors
    /// [`DemoError::Network`] where the network makes no more slots.
    pub async fn until(&self, unix_ts: i64) -> Outcome<SlotMark> {
        self.timeline().until(|mark| mark.unix_ts >= unix_ts).await
    }

    /// Waits for the next slot.
    ///
    /// # Errors
    /// [`DemoError::Network`] where the network makes no more slots.
    pub async fn next_slot(&self) -> Outcome<SlotMark> {
        let slot = self.now().slot;
        self.timeline().until(|mark| mark.slot > slot).await
    }

    /// Sends `instructions`, paid by the network's payer and signed by `signers` too, and waits for what becomes of them.
    ///
    /// Only while slots follow each other: the network tells of a transaction once its block is complete.
    ///
    /// # Errors
    /// [`DemoError::Rpc`] where the network doesn't answer; a refused transaction is a [`Landing::Refused`].
    pub async fn send(&self, instructions: &[Instruction], signers: &[&Keypair]) -> Outcome<(Signature, Landing)> {
        let transaction = self.signed(instructions, signers).await?;
        let config = RpcSendTransactionConfig { skip_preflight: true, ..RpcSendTransactionConfig::default() };
        let sent = self.rpc.send_transaction_with_config(&transaction, config).await;
        let signature = sent.map_err(rpc("send a transaction"))?;
        for _ in 0..STATUS_ASKS {
            if let Some(landing) = self.landing(&signature).await? {
                return Ok((signature, landing));
            }
            tokio::time::sleep(STATUS_PAUSE).await;
        }
        Err(DemoError::Rpc { doing: "send a transaction", problem: format!("{signature} has no status") })
    }

    /// Sends a step of the set-up, which must succeed. Surfpool simulates it first, and executes it before it answers.
    ///
    /// # Errors
    /// [`DemoError::SetUp`] where it was refused.
    pub async fn must(&self, step: &str, instructions: &[Instruction], signers: &[&Keypair]) -> Outcome<()> {
        let transaction = self.signed(instructions, signers).await?;
        let commitment = Some(CommitmentConfig::processed().commitment);
        let config =
            RpcSendTransactionConfig { preflight_commitment: commitment, ..RpcSendTransactionConfig::default() };
        let sent = self.rpc.send_transaction_with_config(&transaction, config).await;
        sent.map(|_| ()).map_err(|error| DemoError::SetUp { step: step.to_owned(), problem: error.to_string() })
    }

    async fn signed(&self, instructions: &[Instruction], signers: &[&Keypair]) -> Outcome<Transaction> {
        let hash = self.recent_blockhash().await?;
        let payer = core::iter::once(&self.payer);
        let mut all: Vec<&Keypair> = payer.chain(signers.iter().copied()).collect();
        all.dedup_by_key(|signer| signer.pubkey());
        let instructions = [&[self.compute_limit()], instructions].concat();
        Ok(Transaction::new_signed_with_payer(&instructions, Some(&self.payer.pubkey()), &all, hash))
    }

    /// A compute limit that no two transactions share: equal ones would be taken for one.
    fn compute_limit(&self) -> Instruction {
        let limit = COMPUTE_UNITS + self.sent.fetch_add(1, Ordering::Relaxed) % 100_000;
        let data = [&[SET_COMPUTE_UNIT_LIMIT][..], &limit.to_le_bytes()].concat();
        Instruction { program_id: COMPUTE_BUDGET, accounts: Vec::new(), data }
    }

    async fn landing(&self, signature: &Signature) -> Outcome<Option<Landing>> {
        let answer = self.rpc.get_signature_statuses(&[*signature]).await.map_err(rpc("ask for a status"))?;
        let status = answer.value.into_iter().next().flatten();
        Ok(status.map(|s| s.err.map_or(Landing::Landed, |error| refused(&error))))
    }

    async fn recent_blockhash(&self) -> Outcome<Hash> {
        let slot = self.now().slot;
        if let Some((at_slot, hash)) = *self.lock_blockhash()
            && slot.saturating_sub(at_slot) < BLOCKHASH_SLOTS
        {
            return Ok(hash);
        }
        let hash = self.rpc.get_latest_blockhash().await.map_err(rpc("ask for a blockhash"))?;
        *self.lock_blockhash() = Some((slot, hash));
        Ok(hash)
    }

    fn lock_blockhash(&self) -> std::sync::MutexGuard<'_, Option<(u64, Hash)>> {
        self.blockhash.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Returns accounts in the order of `addresses`, `None` where there is none.
    ///
    /// # Errors
    /// [`DemoError::Rpc`] where the network doesn't answer.
    pub async fn accounts(&self, addresses: &[Pubkey]) -> Outcome<Vec<Option<Account>>> {
        let mut found = Vec::with_capacity(addresses.len());
        for part in addresses.chunks(100) {
            found.extend(self.rpc.get_multiple_accounts(part).await.map_err(rpc("read accounts"))?);
        }
        Ok(found)
    }

    /// Stops the network and frees its ports.
    ///
    /// # Errors
    /// [`DemoError::Network`] where it doesn't confirm.
    pub fn stop(&self) -> Outcome<()> {
        match &self.chain {
            Chain::Embedded(embedded) => embedded.stop(),
            Chain::Validator(validator) => validator.stop(),
        }
    }
}

fn refused(error: &TransactionError) -> Landing {
    let code = match error {
        TransactionError::InstructionError(_, solana_sdk::instruction::InstructionError::Custom(code)) => Some(*code),
        _ => None,
    };
    Landing::Refused { code, reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pace_gives_each_slot_whole_seconds() {
        assert_eq!(Pace::of_speed(20, 100), Pace { slot_ms: 2_000, wall_ms: 100 });
        assert_eq!(Pace::of_speed(15, 100), Pace { slot_ms: 2_000, wall_ms: 133 });
        assert_eq!(Pace::of_speed(1, 100), Pace { slot_ms: 100, wall_ms: 100 });
        assert_eq!(Pace::of_speed(1, 100).slot_secs(), 1);
    }
}
