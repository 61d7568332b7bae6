//! Surfpool in this process: its start, its beat, and its cheat codes.

use super::{Chain, Network, OracleWrite, Pace};
use crate::error::{DemoError, Outcome, rpc};
use crate::metronome::{Metronome, Rhythm, SlotMark, Timeline};
use rampart_client::Pubkey;
use serde_json::{Value, json};
use solana_client::rpc_request::RpcRequest;
use solana_sdk::clock::Clock;
use solana_sdk::signature::Keypair;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use surfpool_sdk::{BlockProductionMode, SimnetCommand, Surfnet};

/// Lamports of the account that pays for the set-up.
const PAYER_LAMPORTS: u64 = 100_000 * 1_000_000_000;
/// Ports are picked free and taken a moment later: another process may be quicker.
const START_ATTEMPTS: u32 = 3;

/// A running Surfpool.
pub(super) struct Embedded {
    surfnet: Mutex<Option<Arc<Surfnet>>>,
    metronome: Metronome,
}

impl Embedded {
    /// Starts it, and returns the addresses of its JSON RPC and WebSocket servers too.
    pub(super) async fn start(pace: Pace, payer: &Keypair) -> Outcome<(Self, [String; 2])> {
        let surfnet = Arc::new(start_surfnet(pace, payer).await?);
        let urls = [surfnet.rpc_url().to_owned(), surfnet.ws_url().to_owned()];
        // the network would run every transaction again for each of its instructions, to profile them: five times slower
        let no_profiles = SimnetCommand::StartRunbookExecution("rampart-demo".to_owned());
        surfnet.send_command(no_profiles).map_err(|e| DemoError::Network(e.to_string()))?;
        let metronome = Metronome::start(Arc::clone(&surfnet))?;
        Ok((Self { surfnet: Mutex::new(Some(surfnet)), metronome }, urls))
    }

    pub(super) fn timeline(&self) -> &Arc<Timeline> {
        self.metronome.timeline()
    }

    pub(super) fn set(&self, rhythm: Rhythm) {
        self.metronome.set(rhythm);
    }

    pub(super) fn step(&self, slots: u32) {
        self.metronome.step(slots);
    }

    pub(super) fn stop(&self) -> Outcome<()> {
        self.metronome.stop();
        match self.lock().take().and_then(Arc::into_inner) {
            Some(mut surfnet) => {
                tokio::task::block_in_place(|| surfnet.stop()).map_err(|e| DemoError::Network(e.to_string()))
            }
            None => Ok(()),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<Surfnet>>> {
        self.surfnet.lock().unwrap_or_else(PoisonError::into_inner)
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

/// What Surfpool alone can do; a validator answers that it knows no such method.
impl Network {
    /// Sets the clock back to `unix_ts`, or ahead, in the next slot. Only before anything else happens.
    ///
    /// # Errors
    /// [`DemoError::Network`] where there is no Surfpool, or it makes no more slots.
    pub async fn set_clock(&self, unix_ts: i64) -> Outcome<SlotMark> {
        let Chain::Embedded(embedded) = &self.chain else {
            return Err(DemoError::Network("the clock of a validator can't be set".to_owned()));
        };
        // the first slot may not have come yet
        let slot = self.timeline.until(|mark| mark.slot > 0).await?.slot + 1;
        let clock = Clock { slot, unix_timestamp: unix_ts, epoch_start_timestamp: unix_ts, ..Clock::default() };
        let set = SimnetCommand::UpdateInternalClock(None, clock);
        let sent = embedded.lock().as_ref().map(|surfnet| surfnet.send_command(set));
        if !matches!(sent, Some(Ok(()))) {
            return Err(DemoError::Network("the clock can't be set: the network has stopped".to_owned()));
        }
        self.timeline.until(|mark| mark.slot >= slot).await
    }

    /// Jumps ahead to `unix_ts`. Only while no keeper runs: it would rightly call it a stall.
    ///
    /// # Errors
    /// [`DemoError::Rpc`] where the network refuses.
    pub async fn jump_to(&self, unix_ts: i64) -> Outcome<SlotMark> {
        let target = json!([{ "absoluteTimestamp": unix_ts * 1_000 }]);
        self.cheat("surfnet_timeTravel", target, "jump in time").await?;
        *self.lock_blockhash() = None;
        self.step(1).await
    }

    /// Writes the program `so` at the address `id`.
    ///
    /// # Errors
    /// [`DemoError::File`] without the file, [`DemoError::Rpc`] where the network refuses.
    pub async fn deploy(&self, id: &Pubkey, so: &Path) -> Outcome<()> {
        let bytes = std::fs::read(so).map_err(|source| DemoError::File { path: so.to_owned(), source })?;
        let params = json!([id.to_string(), hex::encode(&bytes), 0]);
        self.cheat("surfnet_writeProgram", params, "deploy a program").await.map(drop)
    }

    pub(super) async fn set_account(&self, write: &OracleWrite) -> Outcome<()> {
        let account =
            json!({ "lamports": 100_000_000, "data": hex::encode(&write.data), "owner": write.owner.to_string() });
        let params = json!([write.address.to_string(), account]);
        self.cheat("surfnet_setAccount", params, "write an oracle account").await.map(drop)
    }

    pub(super) async fn cheat(&self, method: &'static str, params: Value, doing: &'static str) -> Outcome<Value> {
        self.rpc.send::<Value>(RpcRequest::Custom { method }, params).await.map_err(rpc(doing))
    }
}
