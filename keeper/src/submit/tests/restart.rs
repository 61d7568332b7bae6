//! What a process makes of what an earlier one on the same directory did.

use super::basics::{dir, liquidation, prepare, send, turns};
use super::world::{Chain, Process, intent};
use crate::chain::standing::Use;
use crate::config::Mode;
use crate::intent::ActionClass;
use crate::submit::wire::Wire;
use crate::submit::{Setup, SubmitError};

fn poor(setup: &mut Setup) {
    setup.budget.lamports_per_hour = 12_000;
}

fn spent(process: &Process) -> u64 {
    process.submitter.hour(ActionClass::Liquidate).spent_lamports
}

#[tokio::test]
async fn fault_35_restart_is_no_new_hour_and_what_it_takes_over_is_charged_once() {
    let (chain, dir) = (Chain::new(), dir());
    let process = Process::with(&chain, dir.path(), poor);
    chain.ledger().is_congested = true;
    send(&process, &chain, &liquidation()).await;
    send(&process, &chain, &intent(ActionClass::Observe, 2)).await;
    send(&process, &chain, &intent(ActionClass::Trip, 4)).await;
    drop(process);
    let process = Process::with(&chain, dir.path(), poor);
    assert_eq!(spent(&process), 10_000);
    let refused = prepare(&process, &chain, &intent(ActionClass::Observe, 3)).await;
    assert!(matches!(refused, Err(SubmitError::OverBudget { fee_lamports: 5_000, left_lamports: 2_000 })));
    chain.ledger().is_congested = false;
    turns(&process, &chain, 10).await;
    assert_eq!((process.submitter.counts().landed, spent(&process)), (3, 10_000));
    drop(process);
    assert_eq!(spent(&Process::with(&chain, dir.path(), poor)), 10_000, "decided meanwhile, and of the same hour");
}

#[tokio::test]
async fn bytes_of_an_earlier_run_are_charged_when_they_are_sent_or_found_landed() {
    for is_sent_again in [true, false] {
        let (chain, dir) = (Chain::new(), dir());
        let process = Process::start(&chain, dir.path());
        prepare(&process, &chain, &liquidation()).await.expect("signed bytes");
        // the crash: they went out, and nothing says so
        let left = process.journal.undecided().expect("rows").remove(0).signed;
        chain.send(ActionClass::Liquidate, &left.bytes).await.expect("a node took them");
        drop(process);
        let process = Process::start(&chain, dir.path());
        assert_eq!(spent(&process), 0);
        if is_sent_again {
            assert_eq!(send(&process, &chain, &liquidation()).await.signature, left.signature);
            assert_eq!(spent(&process), 5_000);
        }
        turns(&process, &chain, 10).await;
        assert_eq!((process.submitter.counts().landed, spent(&process)), (1, 5_000), "sent again: {is_sent_again}");
        drop(process);
        assert_eq!(spent(&Process::start(&chain, dir.path())), 5_000);
    }
}

#[tokio::test]
async fn observer_follows_what_an_earlier_run_may_have_sent_and_sends_nothing_of_it() {
    let (chain, dir) = (Chain::new(), dir());
    let process = Process::start(&chain, dir.path());
    chain.ledger().is_congested = true;
    let sent = send(&process, &chain, &liquidation()).await;
    let doubtful = prepare(&process, &chain, &intent(ActionClass::Observe, 2)).await.expect("signed bytes");
    drop(process);
    let arrived = chain.ledger().bytes.len();
    let observer = Process::with(&chain, dir.path(), |setup| setup.mode = Mode::Observe);
    turns(&observer, &chain, 3).await;
    let refused = prepare(&observer, &chain, &doubtful.intent).await;
    assert!(matches!(refused, Err(SubmitError::InFlight)), "{refused:?}");
    let state = |signature| observer.journal.state_of(signature);
    assert_eq!((state(&sent.signature), state(&doubtful.signature)), ("sent".to_owned(), "signed".to_owned()));
    assert!(observer.submitter.is_in_flight(&doubtful.intent.id()));
    chain.ledger().is_congested = false;
    turns(&observer, &chain, 10).await;
    assert_eq!(chain.ledger().bytes.len(), arrived, "nothing was sent");
    assert_eq!(state(&sent.signature), "landed");
    let statuses = chain.statuses(&[doubtful.signature], true, Use::Calm).await.expect("an answer");
    assert_eq!(statuses.found, [None]);
}

#[tokio::test]
async fn journal_that_took_nothing_is_tried_again_until_it_does() {
    let (chain, dir) = (Chain::new(), dir());
    let process = Process::start(&chain, dir.path());
    assert!(!process.submitter.is_journal_failing());
    process.journal.refuse_writes(true);
    let refused = prepare(&process, &chain, &liquidation()).await;
    assert!(matches!(refused, Err(SubmitError::Journal(_))) && process.submitter.is_journal_failing());
    process.submitter.probe_turn().await;
    assert!(process.submitter.is_journal_failing(), "a failing try changes nothing");
    process.journal.refuse_writes(false);
    process.submitter.probe_turn().await;
    assert!(!process.submitter.is_journal_failing());
}
