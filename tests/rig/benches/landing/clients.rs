//! Other ways to send: `send_and_confirm_transaction` of solana-client, once or in a loop.

use rampart_rig::Scene;
use rampart_rig::chain::Chain;
use rampart_rig::wait::PAUSE;
use solana_client::nonblocking::rpc_client::RpcClient;
use solana_commitment_config::CommitmentConfig;
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_sdk::instruction::Instruction;
use solana_sdk::pubkey::Pubkey;
use solana_sdk::signature::Keypair;
use solana_sdk::signer::Signer;
use solana_sdk::transaction::Transaction;
use std::sync::Arc;

/// What the keeper's first signature asks for and pays.
const UNITS: u32 = 200_000;
const MICRO_LAMPORTS: u64 = 10_000;

/// What is done when it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Habit {
    /// Nothing.
    Once,
    /// Another blockhash, another signature, and again: as bots do that know no better.
    Loop,
}

/// Starts one client for each rule. All send to the first endpoint.
pub fn start(scene: &Scene, rules: &[Pubkey], habit: Habit, due: u64) {
    let rpc =
        Arc::new(RpcClient::new_with_commitment(scene.endpoints[0].http().to_owned(), CommitmentConfig::confirmed()));
    for rule in rules {
        let trip = scene.chain.state().world.trip_ix(*rule);
        let payer = scene.payer.insecure_clone();
        tokio::spawn(client(rpc.clone(), scene.chain.clone(), payer, trip, habit, due));
    }
}

async fn client(rpc: Arc<RpcClient>, chain: Chain, payer: Keypair, trip: Instruction, habit: Habit, due: u64) {
    while chain.state().slot < due {
        tokio::time::sleep(PAUSE).await;
    }
    loop {
        let sent = send(&rpc, &payer, &trip).await;
        if sent.is_ok() || habit == Habit::Once {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn send(rpc: &RpcClient, payer: &Keypair, trip: &Instruction) -> solana_client::client_error::Result<()> {
    let blockhash = rpc.get_latest_blockhash().await?;
    let limit = ComputeBudgetInstruction::set_compute_unit_limit(UNITS);
    let price = ComputeBudgetInstruction::set_compute_unit_price(MICRO_LAMPORTS);
    let all = [limit, price, trip.clone()];
    let transaction = Transaction::new_signed_with_payer(&all, Some(&payer.pubkey()), &[payer], blockhash);
    rpc.send_and_confirm_transaction(&transaction).await.map(drop)
}
