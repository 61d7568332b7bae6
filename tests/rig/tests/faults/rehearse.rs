//! What a node says of a transaction before it is sent.

use rampart::error::RampartError;
use rampart_keeper::control::Explanation;
use rampart_rig::scene::CRASHED;
use rampart_rig::{Keeper, Scene, SimulationFault, until};

/// Liquidations alone: a trip would be sent without being simulated.
const LIQUIDATIONS: &str = "[classes]\ntrip = false\ndeleverage = false\nstep_down = false\n";

async fn liquidated(scene: &Scene) {
    until("it is liquidated", || async { scene.position().liquidation_seq >= 1 }).await;
}

fn simulations(result: &str) -> String {
    format!("rampart_simulations_total{{class=\"liquidate\",result=\"{result}\"}}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_27_node_that_does_not_know_the_blockhash_or_lags_is_read_as_silence_and_the_transaction_lands() {
    for fault in [SimulationFault::UnknownBlockhash, SimulationFault::Early] {
        let scene = Scene::new(1).await;
        scene.endpoints[0].faults().simulation = Some(fault);
        let keeper = Keeper::start(&scene, LIQUIDATIONS);
        keeper.ready().await;
        scene.price(CRASHED);
        liquidated(&scene).await;
        assert!(keeper.metric(&simulations("unanswered")).await >= 1.0, "{fault:?}");
        let transactions = keeper.view().await.expect("a view").keeper.transactions;
        assert_eq!((transactions.expired, transactions.unknown), (0, 0), "{fault:?}: nothing is taken for dead");
        keeper.stop().await.0.expect("a clean stop");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn liquidation_that_the_program_refuses_in_a_simulation_costs_nothing_and_says_why() {
    let scene = Scene::new(1).await;
    let code = u32::from(RampartError::PositionHealthy);
    scene.endpoints[0].faults().simulation = Some(SimulationFault::Refused(code));
    let keeper = Keeper::start(&scene, LIQUIDATIONS);
    keeper.ready().await;
    scene.price(CRASHED);
    until("it is refused", || async { keeper.metric(&simulations("refused")).await >= 1.0 }).await;
    let url = format!("{}/api/v1/explain?subject={}", keeper.url(), scene.borrower.position);
    until("it says why", || async {
        let why = reqwest::get(&url).await.expect("an answer").json::<Explanation>().await;
        why.is_ok_and(|why| why.answer.contains("the program refuses the transaction in a simulation"))
    })
    .await;
    assert_eq!(scene.signatures_about(&scene.borrower.position), [], "nothing reached a node");
    scene.endpoints[0].heal();
    liquidated(&scene).await;
    keeper.stop().await.0.expect("a clean stop");
}
