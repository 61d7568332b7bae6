//! The process dies at every step there is: between any two disk writes and network calls.

use super::world::{Chain, Crash, Process, intent, plan};
use crate::intent::{ActionClass, Intent};
use std::path::Path;

/// Far more steps than a run has.
const MOST_STEPS: u64 = 400;
const MOST_TURNS: u32 = 200;

struct Wanted {
    liquidation: Intent,
    trip: Intent,
    /// Signed with every blockhash, and never meant.
    standby: Intent,
}

fn wanted() -> Wanted {
    Wanted {
        liquidation: intent(ActionClass::Liquidate, 1),
        trip: intent(ActionClass::Trip, 2),
        standby: intent(ActionClass::Trip, 3),
    }
}

/// What the keeper's loop does in one turn: prepare afresh, send what is meant, resend, confirm.
async fn turn(process: &Process, chain: &Chain, wanted: &Wanted) {
    let plans = [&wanted.trip, &wanted.standby].map(plan).to_vec();
    let trips = process.submitter.prepare_all(plans, chain.blockhash()).await;
    if let Some(Ok(trip)) = trips.first() {
        drop(process.submitter.send(trip).await);
    }
    if let Ok(liquidation) = process.submitter.prepare(plan(&wanted.liquidation), chain.blockhash()).await {
        drop(process.submitter.send(&liquidation).await);
    }
    process.idle().await;
    process.turn().await;
}

/// Runs until both are done or the process dies. Returns whether it died.
async fn run(process: &Process, chain: &Chain, wanted: &Wanted) -> bool {
    for _ in 0..MOST_TURNS {
        turn(process, chain, wanted).await;
        if chain.is_dead() {
            return true;
        }
        chain.advance(1);
        if process.submitter.counts().landed == 2 {
            return false;
        }
    }
    panic!("the intents were lost");
}

/// Plays one life that ends at `step` and a second one on what the disk held then.
async fn crash_at(step: u64, is_congested: bool) -> bool {
    let (chain, wanted) = (Chain::new(), wanted());
    let (dir, copy) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let process = Process::start(&chain, dir.path());
    arm(&chain, &process, step, copy.path());
    chain.ledger().is_congested = is_congested;
    let has_died = if is_congested {
        one_turn_then_die(&process, &chain, &wanted).await
    } else {
        run(&process, &chain, &wanted).await
    };
    drop(process);
    if has_died {
        chain.revive();
        chain.ledger().is_congested = false;
        finish(&chain, copy.path(), &wanted).await;
    }
    judge(&chain, &wanted, step);
    has_died
}

/// Nothing lands in the first life: it dies with bytes that may or may not have reached a node.
async fn one_turn_then_die(process: &Process, chain: &Chain, wanted: &Wanted) -> bool {
    for _ in 0..3 {
        turn(process, chain, wanted).await;
        chain.advance(1);
    }
    chain.is_dead()
}

fn arm(chain: &Chain, process: &Process, at_step: u64, copy: &Path) {
    let (on_wire, to) = (process.journal.clone(), copy.to_owned());
    chain.crash_at(Crash { at_step, copy: Box::new(move || on_wire.copy_to(&to)) });
    // A commit is a step too. The files are copied by hand: the journal's lock is held here.
    let (chain, to) = (chain.clone(), copy.to_owned());
    process.journal.on_commit(Box::new(move |from| chain.step_on_disk(from, &to)));
}

async fn finish(chain: &Chain, dir: &Path, wanted: &Wanted) {
    let process = Process::start(chain, dir);
    for _ in 0..MOST_TURNS {
        turn(&process, chain, wanted).await;
        chain.advance(1);
        if chain.landings(&wanted.trip) + chain.landings(&wanted.liquidation) == 2 {
            break;
        }
    }
    // Whatever else was signed gets its chance to land as well.
    for _ in 0..50 {
        process.turn().await;
        chain.advance(1);
    }
    assert_eq!(
        process.journal.undecided().expect("rows").iter().filter(|row| row.signed.intent != wanted.standby).count(),
        0
    );
}

fn judge(chain: &Chain, wanted: &Wanted, step: u64) {
    if chain.is_dead() || chain.ledger().is_congested {
        return;
    }
    assert_eq!(chain.landings(&wanted.liquidation), 1, "liquidation, crash at step {step}");
    assert_eq!(chain.landings(&wanted.trip), 1, "trip, crash at step {step}");
    assert_eq!(chain.signatures(&wanted.standby), [], "never meant, crash at step {step}");
    assert_eq!(chain.ledger().violations, Vec::<String>::new(), "crash at step {step}");
}

async fn walk(is_congested: bool) -> u64 {
    for step in 1..MOST_STEPS {
        if !crash_at(step, is_congested).await {
            return step;
        }
    }
    panic!("the walk does not end");
}

#[tokio::test]
async fn fault_29_every_crash_lands_each_intent_exactly_once() {
    let steps = walk(false).await;
    assert!(steps > 20, "only {steps} steps were walked");
}

#[tokio::test]
async fn fault_29_every_crash_before_a_landing_lands_each_intent_exactly_once() {
    let steps = walk(true).await;
    assert!(steps > 20, "only {steps} steps were walked");
}
