//! Plans that nodes execute before they are sent.

use super::basics::{dir, liquidation};
use super::world::{Chain, Process, Simulation, intent, plan};
use crate::config::Mode;
use crate::intent::ActionClass;
use crate::submit::{Rehearsal, Simulated, SubmitError};
use rampart::error::RampartError;
use solana_sdk::instruction::InstructionError;
use solana_sdk::transaction::{TransactionError, VersionedTransaction};
use std::time::{Duration, Instant};

async fn rehearse(process: &Process, class: ActionClass) -> Result<u32, SubmitError> {
    let rehearsal = Rehearsal { plan: plan(&intent(class, 1)), least_units: 0 };
    let mut results = process.submitter.rehearse(vec![rehearsal], 7).await;
    results.pop().expect("one result for each").map(|plan| plan.compute_unit_limit)
}

fn said(error: Option<TransactionError>) -> Simulation {
    Simulation::Said(Simulated { error, logs: Vec::new(), compute_units: Some(20_000) })
}

#[tokio::test]
async fn what_a_program_refuses_is_kept_back_and_what_passes_asks_for_what_it_takes() {
    let (chain, dir) = (Chain::new(), dir());
    let process = Process::start(&chain, dir.path());
    chain.ledger().simulation = said(None);
    assert_eq!(rehearse(&process, ActionClass::Liquidate).await.expect("it passes"), 35_000);
    let code = u32::from(RampartError::PositionHealthy);
    chain.ledger().simulation = said(Some(TransactionError::InstructionError(1, InstructionError::Custom(code))));
    for class in [ActionClass::Liquidate, ActionClass::Deleverage, ActionClass::Rebalance, ActionClass::Settle] {
        let refused = rehearse(&process, class).await;
        assert!(matches!(refused, Err(SubmitError::WouldFail { code: Some(c), .. }) if c == code), "{class}");
    }
    assert_eq!((chain.ledger().bytes.len(), process.journal.rows()), (0, 0), "nothing is signed or sent for it");
    let simulated = chain.ledger().simulated.clone();
    let transaction: VersionedTransaction = bincode::deserialize(&simulated[0]).expect("a transaction");
    assert_eq!(transaction.signatures, [solana_sdk::signature::Signature::default()], "nobody could send it");
}

#[tokio::test]
async fn what_nobody_says_or_says_in_time_is_sent_as_planned() {
    let (chain, dir) = (Chain::new(), dir());
    let process = Process::start(&chain, dir.path());
    let planned = plan(&liquidation()).compute_unit_limit;
    for simulation in [Simulation::Silence, Simulation::Never, said(Some(TransactionError::BlockhashNotFound))] {
        chain.ledger().simulation = simulation.clone();
        let started = Instant::now();
        assert_eq!(rehearse(&process, ActionClass::Liquidate).await.expect("no refusal"), planned, "{simulation:?}");
        assert!(started.elapsed() < Duration::from_secs(2), "{simulation:?}");
    }
}

#[tokio::test]
async fn trips_dry_runs_and_keepers_that_are_told_so_ask_nobody() {
    let (chain, dirs) = (Chain::new(), [dir(), dir(), dir()]);
    chain.ledger().simulation = said(Some(TransactionError::InstructionError(1, InstructionError::Custom(6_000))));
    let acting = Process::start(&chain, dirs[0].path());
    rehearse(&acting, ActionClass::Trip).await.expect("it is proved on chain");
    let observing = Process::with(&chain, dirs[1].path(), |setup| setup.mode = Mode::Observe);
    rehearse(&observing, ActionClass::Liquidate).await.expect("nothing is sent");
    let told = Process::with(&chain, dirs[2].path(), |setup| setup.tx.simulate = false);
    rehearse(&told, ActionClass::Liquidate).await.expect("as the settings say");
    assert_eq!(chain.ledger().simulated.len(), 0);
}
