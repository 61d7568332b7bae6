//! The process aborts for real between the journal and the send.

use super::world::{Chain, Process, intent, plan};
use crate::intent::ActionClass;
use crate::journal::State;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

const DIR: &str = "RAMPART_TEST_DIR";
const NAME: &str = "submit::tests::abort::fault_29_abort_between_journal_and_send_leaves_bytes_that_land_once";
const SIGABRT: i32 = 6;

#[tokio::test]
async fn fault_29_abort_between_journal_and_send_leaves_bytes_that_land_once() {
    let (chain, liquidation) = (Chain::new(), intent(ActionClass::Liquidate, 1));
    if let Some(dir) = std::env::var_os(DIR) {
        let process = Process::start(&chain, dir.as_ref());
        let prepared = process.submitter.prepare(plan(&liquidation), chain.blockhash()).await.expect("signed bytes");
        drop(process.submitter.send(&prepared).await);
        unreachable!("the fault aborts");
    }
    let dir = tempfile::tempdir().expect("a directory");
    let mut child = Command::new(std::env::current_exe().expect("this test"));
    child.args(["--exact", NAME]).env(DIR, dir.path()).env("RAMPART_FAULT", "crash_after_journal");
    assert_eq!(child.output().expect("a child").status.signal(), Some(SIGABRT));
    let process = Process::start(&chain, dir.path());
    let undecided = process.journal.undecided().expect("rows");
    assert_eq!(undecided.iter().map(|row| row.state).collect::<Vec<_>>(), [State::Signed]);
    let prepared = process.submitter.prepare(plan(&liquidation), chain.blockhash()).await.expect("the same bytes");
    assert_eq!(prepared.signature, undecided[0].signed.signature);
    process.submitter.send(&prepared).await.expect("it departs");
    for _ in 0..10 {
        process.turn().await;
        chain.advance(1);
    }
    assert_eq!(chain.landings(&liquidation), 1);
}
