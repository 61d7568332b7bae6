//! What lands: the keeper beside `send_and_confirm_transaction`, on the same chain with the same trouble.
//!
//! A row is several chains with slots of 400 ms of real time, on each of which all rules become true in one block. On
//! each, a keeper of this repository trips them, or clients do that send by `solana-client`. Those are told of the block
//! at once by the chain itself; the keeper finds out as it always does.

mod clients;
mod table;
mod trouble;

use clients::Habit;
use rampart_rig::keeper::TRIPS_ALONE;
use rampart_rig::scene::FALLEN;
use rampart_rig::{Keeper, Scene};
use rampart_tests::defaults::drawdown_rule;
use solana_sdk::pubkey::Pubkey;
use std::time::Duration;
use table::{Contender, Row, Trip};
use trouble::Trouble;

/// Chains of a row.
const CHAINS: usize = 6;
/// Rules of a chain: as many as one subject may have causes at a time.
const RULES: u16 = 4;
/// Slots after which a trip that has not landed counts as missed: more than a blockhash lives.
const WINDOW_SLOTS: u64 = 200;
/// Slots that are waited for second landings after the last trip.
const AFTERMATH_SLOTS: u64 = 40;
const SLOT_MS: u64 = 400;
const SECOND: Duration = Duration::from_secs(1);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime starts");
    let trips = CHAINS * usize::from(RULES);
    println!("\n### What lands: {trips} trips, {RULES} due in one block, {WINDOW_SLOTS} slots of {SLOT_MS} ms\n");
    println!("{}", Row::HEAD);
    for trouble in Trouble::ALL {
        for contender in [Contender::Rampart, Contender::Client(Habit::Once), Contender::Client(Habit::Loop)] {
            println!("{}", runtime.block_on(row(trouble, contender)));
        }
    }
}

async fn row(trouble: Trouble, contender: Contender) -> Row {
    let played = (0..CHAINS as u64).map(|seed| tokio::spawn(play(trouble, contender, seed)));
    let chains = futures_util::future::join_all(played).await.into_iter().map(|chain| chain.expect("no panic"));
    Row::of(trouble, contender, chains.collect())
}

async fn play(trouble: Trouble, contender: Contender, seed: u64) -> Vec<Trip> {
    let scene = Scene::new(2).await;
    scene.chain.state().relay.seed = seed;
    let rules = rules(&scene);
    scene.chain.set_slot_ms(SLOT_MS);
    let keeper = match contender {
        Contender::Rampart => Some(Keeper::start(&scene, TRIPS_ALONE)),
        Contender::Client(_) => None,
    };
    if let Some(keeper) = &keeper {
        keeper.ready().await;
        // Armed for every rule: that is what an idle keeper is.
        tokio::time::sleep(5 * SECOND).await;
    }
    trouble.begin(&scene);
    scene.price(FALLEN);
    let due = scene.chain.state().slot + 1;
    if let Contender::Client(habit) = contender {
        clients::start(&scene, &rules, habit, due);
    }
    wait(&scene, &rules, trouble, due).await;
    scene.chain.stop();
    if let Some(keeper) = keeper {
        keeper.stop().await.0.expect("a clean stop");
    }
    rules.iter().map(|rule| Trip::read(&scene, rule, due)).collect()
}

fn rules(scene: &Scene) -> Vec<Pubkey> {
    let mut state = scene.chain.state();
    let asset = state.world.keys.collateral_asset;
    let more = (2..=RULES).map(|id| state.world.create_rule(id, asset, drawdown_rule())).collect::<Vec<_>>();
    std::iter::once(scene.rule).chain(more).collect()
}

/// Until the window is over, or everything landed and might have landed twice.
async fn wait(scene: &Scene, rules: &[Pubkey], trouble: Trouble, due: u64) {
    let mut slot = due;
    let mut end = due + WINDOW_SLOTS;
    while slot <= end {
        tokio::time::sleep(SECOND / 10).await;
        slot = scene.chain.state().slot;
        trouble.go_on(&scene.chain, slot.saturating_sub(due));
        if rules.iter().all(|rule| scene.chain.state().world.rule(rule).trip_epoch > 0) {
            end = end.min(slot + AFTERMATH_SLOTS);
        }
    }
}
