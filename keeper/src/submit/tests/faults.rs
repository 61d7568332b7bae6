//! Random faults on every call, and restarts in between: at most one landing, two live signatures never, nothing lost.

use super::world::{Chain, Fault, Process, intent, plan};
use crate::intent::{ActionClass, Intent};
use proptest::prelude::*;

/// Far more turns than a script has faults.
const MOST_TURNS: usize = 400;

#[derive(Clone, Debug)]
struct Script {
    faults: Vec<Fault>,
    /// Turns before which the process is started anew.
    restarts: Vec<usize>,
    /// Turns during which leaders include nothing.
    congested: std::ops::Range<usize>,
    blocks_per_turn: u64,
}

fn fault() -> impl Strategy<Value = Fault> {
    use Fault::{AnswerLost, Fine, Lagging, Unreachable};
    prop_oneof![4 => Just(Fine), 2 => Just(Unreachable), 2 => Just(AnswerLost), 2 => Just(Lagging)]
}

fn script() -> impl Strategy<Value = Script> {
    let faults = prop::collection::vec(fault(), 0..160);
    let restarts = prop::collection::vec(0..40_usize, 0..4);
    let congested = (0..20_usize, 0..40_usize).prop_map(|(start, length)| start..start + length);
    (faults, restarts, congested, 1..6_u64).prop_map(|(faults, restarts, congested, blocks_per_turn)| Script {
        faults,
        restarts,
        congested,
        blocks_per_turn,
    })
}

async fn play(script: &Script) -> Chain {
    let (chain, dir) = (Chain::new(), tempfile::tempdir().expect("a directory"));
    let intents = intents();
    chain.ledger().script.extend(script.faults.iter().copied());
    let mut process = Process::start(&chain, dir.path());
    for turn in 0..MOST_TURNS {
        if script.restarts.contains(&turn) {
            drop(process);
            process = Process::start(&chain, dir.path());
        }
        chain.ledger().is_congested = script.congested.contains(&turn);
        for intent in &intents {
            if let Ok(prepared) = process.submitter.prepare(plan(intent), chain.blockhash()).await {
                drop(process.submitter.send(&prepared).await);
            }
        }
        process.idle().await;
        process.turn().await;
        chain.advance(script.blocks_per_turn);
        if process.journal.undecided().expect("rows").is_empty() && intents.iter().all(|i| chain.landings(i) == 1) {
            break;
        }
    }
    chain
}

fn intents() -> [Intent; 2] {
    [intent(ActionClass::Trip, 1), intent(ActionClass::Liquidate, 2)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_faults_land_each_intent_exactly_once(script in script()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let chain = runtime.block_on(play(&script));
        prop_assert_eq!(&chain.ledger().violations, &Vec::<String>::new());
        for intent in intents() {
            prop_assert_eq!(chain.landings(&intent), 1, "{}", intent.class);
        }
    }
}
