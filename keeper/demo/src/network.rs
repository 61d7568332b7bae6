//! The embedded Solana network.
//!
//! Owns the Surfpool instance, its clock and the sending of transactions. Cheat codes are used for three things alone:
//! to deploy the program, to write oracle accounts, and to jump over the day that lies between set-up and story. Every
//! other effect is a transaction.

use crate::error::{DemoError, Outcome, rpc};
use crate::metronome::{Metronome, Rhythm, SlotMark, Timeline};
use rampart_client::{Instruction, Pubkey};
use solana_client::nonblocking::rpc_client::RpcClient;
use solana_client::rpc_config::RpcSendTransactionConfig;
use solana_client::rpc_request::RpcRequest;
use solana_commitment_config::CommitmentConfig;
use solana_sdk::account::Account;
use solana_sdk::hash::Hash;
use solana_sdk::signature::{Keypair, Signature};
use solana_sdk::signer::Signer;
use solana_sdk::transaction::{Transaction, TransactionError};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use surfpool_sdk::{BlockProductionMode, SimnetCommand, Surfnet};

/// Lamports of the account that pays for the set-up.
const PAYER_LAMPORTS: u64 = 100_000 * 1_000_000_000;
/// How old a blockhash may be before a new one is asked for, in slots; the network takes 150.
const BLOCKHASH_SLOTS: u64 = 40;
/// How often a sent transaction's status is asked for, and how long between.
const STATUS_ASKS: u32 = 400;
const STATUS_PAUSE: Duration = Duration::from_millis(10);
/// Compute units that every transaction may use, at least.
const COMPUTE_UNITS: u32 = 400_000;
/// The native program that takes the limit, and its instruction's number.
const COMPUTE_BUDGET: Pubkey = anchor_lang::prelude::pubkey!("ComputeBudget111111111111111111111111111111");
const SET_COMPUTE_UNIT_LIMIT: u8 = 2;
/// Ports are picked free and taken a moment later: another process may be quicker.
const START_ATTEMPTS: u32 = 3;

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

/// A running embedded network.
pub struct Network {
    surfnet: Mutex<Option<Arc<Surfnet>>>,
    metronome: Metronome,
    blockhash: Mutex<Option<(u64, Hash)>>,
    sent: AtomicU32,
    payer: Keypair,
    rpc_url: String,
    ws_url: String,
    rpc: RpcClient,
}

impl Network {
    /// Starts the network, offline, on free ports of the loopback interface.
    ///
    /// # Errors
    /// [`DemoError::Network`] where it doesn't start.
    pub async fn start(pace: Pace, payer: Keypair) -> Outcome<Self> {
        let surfnet = Arc::new(start_surfnet(pace, &payer).await?);
        let (rpc_url, ws_url) = (surfnet.rpc_url().to_owned(), surfnet.ws_url().to_owned());
        let rpc = RpcClient::new_with_commitment(rpc_url.clone(), CommitmentConfig::processed());
        // the network would run every transaction again for each of its instructions, to profile them: five times slower
        let no_profiles = SimnetCommand::StartRunbookExecution("rampart-demo".to_owned());
        surfnet.send_command(no_profiles).map_err(|e| DemoError::Network(e.to_string()))?;
        let metronome = Metronome::start(Arc::clone(&surfnet), pace)?;
        Ok(Self {
            surfnet: Mutex::new(Some(surfnet)),
            metronome,
            blockhash: Mutex::new(None),
            sent: AtomicU32::new(0),
            payer,
            rpc_url,
            ws_url,
            rpc,
        })
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

    /// Returns the RPC client, at commitment processed.
    pub fn rpc(&self) -> &RpcClient {
        &self.rpc
    }

    /// Returns when each slot began.
    pub fn timeline(&self) -> &Arc<Timeline> {
        self.metronome.timeline()
    }

    /// Returns the slot in progress.
    pub fn now(&self) -> SlotMark {
        self.timeline().now()
    }

    /// Returns how chain time runs against the wall clock.
    pub fn pace(&self) -> Pace {
        self.metronome.pace()
    }

    /// Lets time stand still; only [`Network::step`] moves it.
    pub fn hold(&self) {
        self.metronome.set(Rhythm::Held);
    }

    /// Lets slots follow each other at the pace of the run.
    pub fn at_pace(&self) {
        self.metronome.set(Rhythm::Every(Duration::from_millis(self.pace().wall_ms)));
    }

    /// Makes `slots` slots at once and waits for the last.
    ///
    /// # Errors
    /// [`DemoError::Network`] where the network makes no more slots.
    pub async fn step(&self, slots: u32) -> Outcome<SlotMark> {
        let target = self.now().slot + u64::from(slots);
        self.metronome.step(slots);
        self.timeline().until(|mark| mark.slot >= target).await
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

    /// Jumps `secs` of chain time ahead. Only while no keeper runs: it would rightly call it a stall.
    ///
    /// # Errors
    /// [`DemoError::Rpc`] where the network refuses.
    pub async fn jump(&self, secs: i64) -> Outcome<SlotMark> {
        let target_ts = self.now().unix_ts + secs;
        let params = serde_json::json!([{ "absoluteTimestamp": target_ts * 1_000 }]);
        let method = RpcRequest::Custom { method: "surfnet_timeTravel" };
        self.rpc.send::<serde_json::Value>(method, params).await.map_err(rpc("jump in time"))?;
        *self.lock_blockhash() = None;
        self.step(1).await
    }

    /// Writes the program at its address.
    ///
    /// # Errors
    /// [`DemoError::File`] without the file, [`DemoError::Rpc`] where the network refuses.
    pub async fn deploy(&self, so: &Path) -> Outcome<()> {
        let bytes = std::fs::read(so).map_err(|source| DemoError::File { path: so.to_owned(), source })?;
        let params = serde_json::json!([rampart::ID.to_string(), hex(&bytes), 0]);
        self.cheat("surfnet_writeProgram", params, "deploy the program").await
    }

    /// Writes an oracle account, as its publisher would.
    ///
    /// # Errors
    /// [`DemoError::Rpc`] where the network refuses.
    pub async fn set_oracle(&self, address: &Pubkey, owner: &Pubkey, data: &[u8]) -> Outcome<()> {
        let account = serde_json::json!({ "lamports": 100_000_000, "data": hex(data), "owner": owner.to_string() });
        self.cheat("surfnet_setAccount", serde_json::json!([address.to_string(), account]), "write an oracle account")
            .await
    }

    async fn cheat(&self, method: &'static str, params: serde_json::Value, doing: &'static str) -> Outcome<()> {
        let sent = self.rpc.send::<serde_json::Value>(RpcRequest::Custom { method }, params).await;
        sent.map(|_| ()).map_err(rpc(doing))
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

    /// Sends a step of the set-up, which must succeed. The network simulates it first, and executes it before it answers.
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
        self.metronome.stop();
        let taken = self.surfnet.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        match taken.and_then(Arc::into_inner) {
            Some(mut surfnet) => {
                tokio::task::block_in_place(|| surfnet.stop()).map_err(|e| DemoError::Network(e.to_string()))
            }
            None => Ok(()),
        }
    }
}

async fn start_surfnet(pace: Pace, payer: &Keypair) -> Outcome<Surfnet> {
    let mut problem = String::new();
    for _ in 0..START_ATTEMPTS {
        let started = Surfnet::builder()
            .offline(true)
            .block_production_mode(BlockProductionMode::Manual)
            .slot_time_ms(pace.slot_ms)
            .airdrop_sol(PAYER_LAMPORTS)
            .payer(payer.insecure_clone())
            .start()
            .await;
        match started {
            Ok(surfnet) => return Ok(surfnet),
            Err(error) => problem = error.to_string(),
        }
    }
    Err(DemoError::Network(problem))
}

fn refused(error: &TransactionError) -> Landing {
    let code = match error {
        TransactionError::InstructionError(_, solana_sdk::instruction::InstructionError::Custom(code)) => Some(*code),
        _ => None,
    };
    Landing::Refused { code, reason: error.to_string() }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
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
