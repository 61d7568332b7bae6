//! What one endpoint says while another that would have to agree says nothing.

use super::basics::{dir, liquidation, prepare, send, turns};
use super::world::{Chain, LIFE, Process, intent};
use crate::intent::{ActionClass, Intent, Outcome};
use crate::submit::SubmitError;
use crate::submit::confirm::ALONE;
use std::time::Instant;

/// Sends an intent that never lands, and asks one node alone of two until its word has stood for [`ALONE`].
async fn forsaken(process: &Process, chain: &Chain, intent: &Intent) {
    (chain.ledger().is_congested, chain.ledger().is_alone) = (true, true);
    send(process, chain, intent).await;
    turns(process, chain, LIFE + 6).await;
    assert!(matches!(prepare(process, chain, intent).await, Err(SubmitError::InFlight)), "not at once");
    let since = Instant::now().checked_sub(ALONE).expect("a clock that has run for a while");
    for flight in process.submitter.book().flights_mut().filter(|flight| flight.doubted_since.is_some()) {
        flight.doubted_since = Some(since);
    }
    turns(process, chain, 2).await;
}

#[tokio::test]
async fn fault_26_word_of_one_endpoint_is_enough_for_trips_after_a_while() {
    for class in [ActionClass::Trip, ActionClass::StepDown] {
        let (chain, dir) = (Chain::new(), dir());
        let process = Process::start(&chain, dir.path());
        let mut outcomes = process.submitter.outcomes();
        let intent = intent(class, 4);
        forsaken(&process, &chain, &intent).await;
        let told: Vec<_> = std::iter::from_fn(|| outcomes.try_recv().ok()).map(|settled| settled.outcome).collect();
        assert_eq!(told.last(), Some(&Outcome::Expired));
        chain.ledger().is_congested = false;
        send(&process, &chain, &intent).await;
        turns(&process, &chain, 10).await;
        assert_eq!(chain.landings(&intent), 1);
        assert_eq!(chain.ledger().violations, Vec::<String>::new());
    }
}

#[tokio::test]
async fn fault_26_word_of_one_endpoint_is_never_enough_for_liquidations() {
    let (chain, dir) = (Chain::new(), dir());
    let process = Process::start(&chain, dir.path());
    forsaken(&process, &chain, &liquidation()).await;
    turns(&process, &chain, LIFE).await;
    assert!(matches!(prepare(&process, &chain, &liquidation()).await, Err(SubmitError::InFlight)));
    assert_eq!(process.submitter.counts().expired, 0);
    chain.ledger().is_alone = false;
    turns(&process, &chain, 2).await;
    assert_eq!(process.submitter.counts().expired, 1);
}

#[tokio::test]
async fn doubt_ends_when_two_endpoints_say_that_a_trip_may_still_land() {
    let (chain, dir) = (Chain::new(), dir());
    let process = Process::start(&chain, dir.path());
    let trip = intent(ActionClass::Trip, 4);
    chain.ledger().is_congested = true;
    let sent = send(&process, &chain, &trip).await;
    let doubt = |since| process.submitter.book().flights_mut().for_each(|flight| flight.doubted_since = since);
    doubt(Some(Instant::now()));
    chain.ledger().is_silent = true;
    process.turn().await;
    let is_doubted = || process.submitter.book().flights().any(|flight| flight.doubted_since.is_some());
    assert!(is_doubted(), "silence says nothing");
    chain.ledger().is_silent = false;
    process.turn().await;
    assert!(!is_doubted() && process.submitter.is_in_flight(&sent.intent.id()));
}
