use super::world::{Chain, Fault, LIFE, Process, intent, plan, plan_of};
use crate::config::Mode;
use crate::events::EventKind;
use crate::intent::{ActionClass, Intent, Outcome};
use crate::submit::{Prepared, SubmitError};
use anchor_lang::Discriminator;
use rampart::error::RampartError;
use solana_sdk::instruction::{Instruction, InstructionError};
use solana_sdk::pubkey::Pubkey;
use solana_sdk::transaction::TransactionError;

pub(super) fn dir() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

pub(super) fn liquidation() -> Intent {
    intent(ActionClass::Liquidate, 1)
}

pub(super) async fn prepare(process: &Process, chain: &Chain, intent: &Intent) -> Result<Prepared, SubmitError> {
    process.submitter.prepare(plan(intent), chain.blockhash()).await
}

pub(super) async fn send(process: &Process, chain: &Chain, intent: &Intent) -> Prepared {
    let prepared = prepare(process, chain, intent).await.expect("signed bytes");
    process.submitter.send(&prepared).await.expect("it departs");
    process.idle().await;
    prepared
}

pub(super) async fn turns(process: &Process, chain: &Chain, count: u64) {
    for _ in 0..count {
        process.turn().await;
        chain.advance(1);
    }
}

#[tokio::test]
async fn landed_transaction_is_told_with_its_times() {
    let (chain, dir) = (Chain::new(), dir());
    let process = Process::start(&chain, dir.path());
    let mut outcomes = process.submitter.outcomes();
    let prepared = send(&process, &chain, &liquidation()).await;
    turns(&process, &chain, 10).await;
    let settled = outcomes.try_recv().expect("an outcome");
    assert_eq!((settled.signature, settled.intent), (prepared.signature, liquidation()));
    assert_eq!(settled.outcome, Outcome::Landed { slot: 1_102, compute_units: Some(4_321) });
    assert_eq!(process.journal.state_of(&prepared.signature), "landed");
    let (recent, _) = process.events.subscribe();
    let event = recent.last().expect("an event");
    assert_eq!(event.kind, EventKind::TransactionLanded);
    for field in ["class", "target", "signature", "slot", "first_sent_unix_ms", "landed_unix_ms", "first_sent_slot"] {
        assert!(!event.fields[field].is_null(), "{field}");
    }
}

#[tokio::test]
async fn the_same_bytes_are_sent_until_they_land() {
    let (chain, dir) = (Chain::new(), dir());
    let process = Process::start(&chain, dir.path());
    chain.ledger().is_congested = true;
    send(&process, &chain, &liquidation()).await;
    turns(&process, &chain, 5).await;
    chain.ledger().is_congested = false;
    turns(&process, &chain, 10).await;
    let sent = chain.ledger().bytes.clone();
    assert!(sent.len() >= 6, "{} sends", sent.len());
    assert!(sent.iter().all(|bytes| *bytes == sent[0]));
    assert_eq!(chain.landings(&liquidation()), 1);
    let sends = chain.ledger().bytes.len();
    turns(&process, &chain, 5).await;
    assert_eq!(chain.ledger().bytes.len(), sends, "nothing is sent after it landed");
}

#[tokio::test]
async fn fault_28_silence_is_unknown_and_nothing_new_is_signed() {
    let (chain, dir) = (Chain::new(), dir());
    let process = Process::start(&chain, dir.path());
    let mut outcomes = process.submitter.outcomes();
    let prepared = send(&process, &chain, &liquidation()).await;
    chain.ledger().is_silent = true;
    turns(&process, &chain, 3 * LIFE).await;
    assert_eq!(outcomes.try_recv().expect("an outcome").outcome, Outcome::Unknown);
    assert!(outcomes.try_recv().is_err(), "it is told once");
    assert!(matches!(prepare(&process, &chain, &liquidation()).await, Err(SubmitError::InFlight)));
    assert_eq!(process.journal.state_of(&prepared.signature), "unknown");
    assert_eq!(process.submitter.counts().unknown, 1);
    chain.ledger().is_silent = false;
    turns(&process, &chain, 2).await;
    assert!(matches!(outcomes.try_recv().expect("an outcome").outcome, Outcome::Landed { .. }));
    assert_eq!(process.submitter.counts().unknown, 0);
}

#[tokio::test]
async fn fault_26_new_bytes_are_signed_only_after_the_old_expired() {
    let (chain, dir) = (Chain::new(), dir());
    let process = Process::start(&chain, dir.path());
    let mut outcomes = process.submitter.outcomes();
    chain.ledger().is_congested = true;
    let first = send(&process, &chain, &liquidation()).await;
    turns(&process, &chain, LIFE).await;
    assert!(matches!(prepare(&process, &chain, &liquidation()).await, Err(SubmitError::InFlight)));
    turns(&process, &chain, 6).await;
    assert_eq!(outcomes.try_recv().expect("an outcome").outcome, Outcome::Expired);
    chain.ledger().is_congested = false;
    let second = send(&process, &chain, &liquidation()).await;
    assert_ne!(first.signature, second.signature);
    turns(&process, &chain, 10).await;
    assert_eq!(chain.landings(&liquidation()), 1);
    assert_eq!(chain.ledger().violations, Vec::<String>::new());
}

#[tokio::test]
async fn fault_10_lagging_node_cannot_expire_what_landed() {
    let (chain, dir) = (Chain::new(), dir());
    let process = Process::start(&chain, dir.path());
    let mut outcomes = process.submitter.outcomes();
    chain.ledger().is_congested = true;
    send(&process, &chain, &liquidation()).await;
    chain.advance(LIFE - 1);
    chain.ledger().is_congested = false;
    chain.advance(5);
    // The tip is right, and past the last height; the node that answers for the signature has not seen the block yet.
    chain.ledger().script.extend([Fault::Fine, Fault::Lagging]);
    process.submitter.confirm_turn().await;
    assert!(outcomes.try_recv().is_err(), "no verdict");
    turns(&process, &chain, 3).await;
    assert!(matches!(outcomes.try_recv().expect("an outcome").outcome, Outcome::Landed { .. }));
}

#[tokio::test]
async fn sending_replaced_bytes_sends_the_newer_ones() {
    let (chain, dir) = (Chain::new(), dir());
    let process = Process::start(&chain, dir.path());
    let trip = intent(ActionClass::Trip, 2);
    let old = prepare(&process, &chain, &trip).await.expect("signed bytes");
    chain.advance(1);
    let new = prepare(&process, &chain, &trip).await.expect("signed bytes");
    assert_ne!(old.signature, new.signature);
    assert_eq!(process.journal.state_of(&old.signature), "superseded");
    process.submitter.send(&old).await.expect("it departs");
    process.submitter.send(&new).await.expect("it departs");
    process.idle().await;
    assert_eq!(chain.signatures(&trip), [new.signature]);
    assert_eq!(chain.ledger().bytes.len(), 1, "twice asked, once sent");
}

#[tokio::test]
async fn many_plans_are_one_disk_write() {
    let (chain, dir) = (Chain::new(), dir());
    let process = Process::start(&chain, dir.path());
    let commits = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let counter = commits.clone();
    process.journal.on_commit(Box::new(move |_| {
        counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    }));
    let plans: Vec<_> = (0..50).map(|number| plan(&intent(ActionClass::Trip, number))).collect();
    let results = process.submitter.prepare_all(plans, chain.blockhash()).await;
    assert!(results.iter().all(Result::is_ok) && results.len() == 50);
    assert_eq!(commits.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_same_blockhash_gives_the_same_bytes_back() {
    let (chain, dir) = (Chain::new(), dir());
    let process = Process::start(&chain, dir.path());
    let first = prepare(&process, &chain, &liquidation()).await.expect("signed bytes");
    assert_eq!(prepare(&process, &chain, &liquidation()).await.expect("the same bytes"), first);
    assert_eq!(process.journal.state_of(&first.signature), "signed");
}

#[tokio::test]
async fn a_landed_intent_is_refused_for_good() {
    let (chain, dir) = (Chain::new(), dir());
    let process = Process::start(&chain, dir.path());
    send(&process, &chain, &liquidation()).await;
    turns(&process, &chain, 10).await;
    assert!(matches!(prepare(&process, &chain, &liquidation()).await, Err(SubmitError::Settled)));
    drop(process);
    let process = Process::start(&chain, dir.path());
    assert!(matches!(prepare(&process, &chain, &liquidation()).await, Err(SubmitError::Settled)));
}

#[tokio::test]
async fn a_lost_race_is_told_apart_and_may_be_tried_again() {
    let (chain, dir) = (Chain::new(), dir());
    let process = Process::start(&chain, dir.path());
    let code = u32::from(RampartError::PositionHealthy);
    // Instruction 0 sets the compute limit.
    let refusal = TransactionError::InstructionError(1, InstructionError::Custom(code));
    chain.ledger().refusals.push_back(refusal.clone());
    let mut outcomes = process.submitter.outcomes();
    send(&process, &chain, &liquidation()).await;
    turns(&process, &chain, 10).await;
    let expected = Outcome::Failed { slot: 1_102, error: refusal, code: Some(code), lost_race: true };
    assert_eq!(outcomes.try_recv().expect("an outcome").outcome, expected);
    assert_eq!(process.submitter.counts().lost_race, 1);
    send(&process, &chain, &liquidation()).await;
    turns(&process, &chain, 10).await;
    assert_eq!(chain.landings(&liquidation()), 1);
}

#[tokio::test]
async fn code_of_a_route_is_a_failure_and_that_of_the_program_a_lost_race() {
    let code = u32::from(RampartError::LiquidationSeqMoved);
    let refusal = TransactionError::InstructionError(1, InstructionError::Custom(code));
    let fails = |program: Pubkey| format!("Program {program} failed: custom program error: 0x{code:x}");
    let route = fails(Pubkey::new_from_array([4; 32]));
    let cases =
        [(Some(vec![route, fails(rampart::ID)]), None), (Some(vec![fails(rampart::ID)]), Some(code)), (None, None)];
    for (logs, expected) in cases {
        let (chain, dir) = (Chain::new(), dir());
        let process = Process::start(&chain, dir.path());
        chain.ledger().refusals.push_back(refusal.clone());
        chain.ledger().logs = logs;
        let mut outcomes = process.submitter.outcomes();
        let data = rampart::instruction::LiquidateBySwap::DISCRIMINATOR;
        let plan = plan_of(&liquidation(), Instruction::new_with_bytes(rampart::ID, data, vec![]));
        let prepared = process.submitter.prepare(plan, chain.blockhash()).await.expect("a signature");
        process.submitter.send(&prepared).await.expect("it departs");
        turns(&process, &chain, 10).await;
        let lost_race = expected.is_some();
        let outcome = Outcome::Failed { slot: 1_102, error: refusal.clone(), code: expected, lost_race };
        assert_eq!(outcomes.try_recv().expect("an outcome").outcome, outcome);
        let counts = process.submitter.counts();
        assert_eq!((counts.lost_race, counts.failed), (u64::from(lost_race), u64::from(!lost_race)));
    }
}

#[tokio::test]
async fn observing_signs_and_never_sends() {
    let (chain, dir) = (Chain::new(), dir());
    let process = Process::with(&chain, dir.path(), |setup| setup.mode = Mode::Observe);
    let prepared = send(&process, &chain, &liquidation()).await;
    turns(&process, &chain, 5).await;
    assert_eq!(chain.ledger().bytes.len(), 0);
    assert_eq!(process.journal.state_of(&prepared.signature), "observed");
    assert!(matches!(prepare(&process, &chain, &liquidation()).await, Err(SubmitError::InFlight)));
    turns(&process, &chain, 60).await;
    send(&process, &chain, &liquidation()).await;
    assert_eq!(chain.ledger().bytes.len(), 0);
}

#[tokio::test]
async fn bytes_of_an_earlier_run_are_the_only_ones_sent() {
    let (chain, dir) = (Chain::new(), dir());
    let first = prepare(&Process::start(&chain, dir.path()), &chain, &liquidation()).await.expect("signed bytes");
    chain.advance(1);
    let process = Process::start(&chain, dir.path());
    assert_eq!(process.events.subscribe().0[0].kind, EventKind::CrashRecovered);
    turns(&process, &chain, 2).await;
    assert_eq!(chain.ledger().bytes.len(), 0, "nobody asked for it in this run");
    assert_eq!(send(&process, &chain, &liquidation()).await.signature, first.signature);
    turns(&process, &chain, 10).await;
    assert_eq!(chain.signatures(&liquidation()), [first.signature]);
    assert_eq!(chain.landings(&liquidation()), 1);
}

#[tokio::test]
async fn two_doubtful_signatures_of_one_intent_wait_until_both_are_dead() {
    let (chain, dir, copy) = (Chain::new(), dir(), dir());
    let process = Process::start(&chain, dir.path());
    prepare(&process, &chain, &liquidation()).await.expect("signed bytes");
    chain.advance(1);
    // The crash lies between the write of the newer bytes and the note that the older were never sent.
    let (to, once) = (copy.path().to_owned(), std::sync::Once::new());
    process.journal.on_commit(Box::new(move |from| once.call_once(|| crate::journal::copy_files(from, &to))));
    prepare(&process, &chain, &liquidation()).await.expect("signed bytes");
    drop(process);
    let process = Process::start(&chain, copy.path());
    assert_eq!(process.journal.undecided().expect("rows").len(), 2);
    assert!(matches!(prepare(&process, &chain, &liquidation()).await, Err(SubmitError::InFlight)));
    turns(&process, &chain, LIFE + 10).await;
    send(&process, &chain, &liquidation()).await;
    turns(&process, &chain, 10).await;
    assert_eq!(chain.landings(&liquidation()), 1);
    assert_eq!(chain.ledger().violations, Vec::<String>::new());
}

#[tokio::test]
async fn fault_35_money_and_room_bound_everything_but_trips() {
    let (chain, dir) = (Chain::new(), dir());
    let process = Process::with(&chain, dir.path(), |setup| {
        setup.tx.max_in_flight = 2;
        setup.budget.lamports_per_hour = 12_000;
    });
    chain.ledger().is_congested = true;
    send(&process, &chain, &intent(ActionClass::Liquidate, 1)).await;
    send(&process, &chain, &intent(ActionClass::Observe, 2)).await;
    let refused = prepare(&process, &chain, &intent(ActionClass::Observe, 3)).await;
    assert!(matches!(refused, Err(SubmitError::TooManyInFlight { in_flight: 2 })));
    send(&process, &chain, &intent(ActionClass::Trip, 4)).await;
    turns(&process, &chain, LIFE + 6).await;
    let refused = prepare(&process, &chain, &intent(ActionClass::Observe, 3)).await;
    assert!(matches!(refused, Err(SubmitError::OverBudget { fee_lamports: 5_000, left_lamports: 2_000 })));
    process.submitter.set_balance(6_000);
    send(&process, &chain, &intent(ActionClass::Trip, 5)).await;
}

/// Each of a batch passed by itself, and what then was too much was left out with a line in the log.
#[tokio::test]
async fn what_the_hour_has_no_money_for_any_more_is_told_when_it_is_sent() {
    let (chain, dir) = (Chain::new(), dir());
    let process = Process::with(&chain, dir.path(), |setup| setup.budget.lamports_per_hour = 12_000);
    let intents: Vec<_> = (1..=3).map(|number| intent(ActionClass::Observe, number)).collect();
    let mut departed = Vec::new();
    // all signed before the first is sent
    for prepared in process.submitter.prepare_all(intents.iter().map(plan).collect(), chain.blockhash()).await {
        departed.push(match prepared {
            Ok(prepared) => process.submitter.send(&prepared).await,
            Err(error) => Err(error),
        });
    }
    process.idle().await;
    assert!(matches!(departed[..], [Ok(()), Ok(()), Err(SubmitError::OverBudget { left_lamports: 2_000, .. })]));
    assert!(!process.submitter.is_in_flight(&intents[2].id()));
    assert_eq!(chain.signatures(&intents[2]), []);
}

#[tokio::test]
async fn bytes_that_were_given_up_or_have_landed_are_told_when_they_are_sent() {
    let (chain, dir) = (Chain::new(), dir());
    let process = Process::start(&chain, dir.path());
    let trip = intent(ActionClass::Trip, 2);
    let prepared = prepare(&process, &chain, &trip).await.expect("signed bytes");
    let landed = send(&process, &chain, &liquidation()).await;
    turns(&process, &chain, LIFE + 6).await;
    assert!(matches!(process.submitter.send(&landed).await, Err(SubmitError::Settled)));
    // what was never sent is looked at rarely
    turns(&process, &chain, 60).await;
    assert!(matches!(process.submitter.send(&prepared).await, Err(SubmitError::Gone)));
    process.idle().await;
    assert_eq!((chain.signatures(&trip), process.journal.state_of(&prepared.signature)), (vec![], "superseded".into()));
    send(&process, &chain, &trip).await;
    turns(&process, &chain, 10).await;
    assert_eq!(chain.landings(&trip), 1, "new bytes go out");
}

#[tokio::test]
async fn fault_42_full_disk_stops_everything_but_trips() {
    let (chain, dir) = (Chain::new(), dir());
    let process = Process::start(&chain, dir.path());
    process.journal.refuse_writes(true);
    let refused = prepare(&process, &chain, &liquidation()).await;
    assert!(matches!(refused, Err(SubmitError::Journal(_))));
    let trip = intent(ActionClass::Trip, 2);
    send(&process, &chain, &trip).await;
    turns(&process, &chain, 10).await;
    assert_eq!((chain.landings(&trip), chain.landings(&liquidation())), (1, 0));
    process.journal.refuse_writes(false);
    send(&process, &chain, &liquidation()).await;
    turns(&process, &chain, 10).await;
    assert_eq!(chain.landings(&liquidation()), 1);
}

#[tokio::test]
async fn what_is_old_in_the_journal_goes_while_the_keeper_runs() {
    let (chain, dir) = (Chain::new(), dir());
    let process = Process::start(&chain, dir.path());
    let rows = crate::journal::old_signed(0..40);
    process.journal.insert_signed(&rows).expect("written");
    let names: Vec<_> = rows[1..].iter().map(|row| row.signature).collect();
    process.journal.mark_unsent(&names, crate::journal::State::Superseded).expect("written");
    assert_eq!(process.journal.rows(), 40);
    turns(&process, &chain, 30).await;
    assert_eq!(process.journal.rows(), 1, "what may have been sent stays");
    assert_eq!(process.journal.state_of(&rows[0].signature), "signed");
}

#[tokio::test]
async fn drain_returns_when_everything_is_decided() {
    let (chain, dir) = (Chain::new(), dir());
    let process = Process::with(&chain, dir.path(), |setup| setup.tx.resend_ms = 5);
    let driving = tokio::spawn(process.submitter.clone().drive());
    send(&process, &chain, &liquidation()).await;
    chain.advance(10);
    process.submitter.drain(std::time::Duration::from_secs(60)).await;
    driving.await.expect("the loop ends").expect("without an error");
    assert_eq!(chain.landings(&liquidation()), 1);
    assert_eq!(process.submitter.counts().landed, 1);
}

#[tokio::test]
async fn fault_43_corrupt_journal_ends_the_loop() {
    let (chain, dir) = (Chain::new(), dir());
    let process = Process::start(&chain, dir.path());
    let driving = tokio::spawn(process.submitter.clone().drive());
    process.journal.corrupt_file();
    let refused = prepare(&process, &chain, &intent(ActionClass::Trip, 1)).await;
    assert!(matches!(refused, Err(SubmitError::Journal(_))), "not even a trip goes on");
    let error = driving.await.expect("the loop ends").expect_err("with the journal's error");
    assert!(matches!(&error, SubmitError::Journal(error) if !error.is_transient()), "{error}");
}
