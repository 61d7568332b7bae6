//! How long the keepers' word takes: from the block in which prices turn to the one in which a rule on the median trips.
//!
//! A row is several chains with slots of 400 ms of real time and four keepers each, as shipped, which know the week before.
//! Beside the median's rule stands the drawdown's, which waits for nobody's word.

mod past;
mod turn;

use rampart::state::Level;
use rampart::state::rule::RuleParams;
use rampart_client::keepers;
use rampart_rig::keeper::TRIPS_ALONE;
use rampart_rig::{Keeper, Scene};
use rampart_tests::keepers::{Keepers, median};
use solana_sdk::pubkey::Pubkey;
use solana_sdk::signer::Signer;
use std::time::Duration;
use turn::Turn;

/// Chains of a row, and keepers of a chain.
const CHAINS: u64 = 4;
const KEEPERS: u8 = 4;
/// Slots after which a trip that has not landed counts as missed: four minutes.
const WINDOW_SLOTS: u64 = 600;
const SLOT_MS: u64 = 400;
const SECOND: Duration = Duration::from_secs(1);
/// Calm that keepers see before prices turn, and by how much longer each chain's is than the last one's: bars close by the
/// minute, and a turn may come at any of its seconds. Seconds.
const CALM_SECS: u64 = 30;
const PHASE_SECS: u64 = 15;

/// Slots from the turn to the trip of the median's rule and of the drawdown's; nothing where none came.
struct Answer {
    median: Option<u64>,
    drawdown: Option<u64>,
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime starts");
    println!("\n### What keepers' word takes: {CHAINS} chains of {KEEPERS} keepers, slots of {SLOT_MS} ms\n");
    println!("| prices | rule | tripped | seconds: p50 | worst |\n| --- | --- | ---: | ---: | ---: |");
    for turn in Turn::ALL {
        let answers = runtime.block_on(row(turn));
        for (rule, of) in [
            ("the keepers' median of the score, at 3,000", (|a| a.median) as fn(&Answer) -> Option<u64>),
            ("drawdown of 10 %", |a| a.drawdown),
        ] {
            println!("{}", told(turn, rule, answers.iter().filter_map(of).collect()));
        }
    }
}

fn told(turn: Turn, rule: &str, mut slots: Vec<u64>) -> String {
    slots.sort_unstable();
    let secs = |at: Option<&u64>| at.map_or("-".to_owned(), |slots| format!("{:.1}", (slots * SLOT_MS) as f64 / 1e3));
    let (half, worst) = (slots.len().div_ceil(2).saturating_sub(1), slots.last());
    let (name, tripped) = (turn.name(), slots.len());
    format!("| {name} | {rule} | {tripped} of {CHAINS} | {} | {} |", secs(slots.get(half)), secs(worst))
}

async fn row(turn: Turn) -> Vec<Answer> {
    let played = (0..CHAINS).map(|seed| tokio::spawn(play(turn, seed)));
    futures_util::future::join_all(played).await.into_iter().map(|chain| chain.expect("no panic")).collect()
}

async fn play(turn: Turn, seed: u64) -> Answer {
    let scene = Scene::new(2).await;
    scene.chain.state().relay.seed = seed;
    let (keys, rule) = found(&scene);
    let past = past::Files::write(&scene);
    scene.chain.set_slot_ms(SLOT_MS);
    let settings = format!("{TRIPS_ALONE}{}", past.settings());
    let keepers: Vec<Keeper> = keys.keys.iter().map(|key| Keeper::start_as(key, &scene, &settings)).collect();
    for keeper in &keepers {
        keeper.ready().await;
    }
    tokio::time::sleep(SECOND * (CALM_SECS + PHASE_SECS * seed) as u32).await;
    let due = scene.chain.state().slot + 1;
    assert_eq!(scene.chain.state().world.rule(&rule).trip_epoch, 0, "a calm market trips nothing");
    let answer = wait(&scene, turn, due, [rule, scene.rule]).await;
    scene.chain.stop();
    for keeper in keepers {
        keeper.stop().await.0.expect("a clean stop");
    }
    answer
}

/// Founds the keepers' set, with a rule on the median of their scores: what restricts, without the time that a template waits.
fn found(scene: &Scene) -> (Keepers, Pubkey) {
    // the first four belong to officers
    let keys = Keepers { keys: (5..5 + KEEPERS).map(|seed| scene.rival(seed)).collect() };
    let mut state = scene.chain.state();
    let (root, guard) = (state.world.root.pubkey(), scene.guard);
    state.world.send_as_root(&[keepers::initialize_keepers(root, guard, keys.args())]).expect("a set");
    let params = RuleParams { threshold: 3_000, clear_threshold: 2_100, level: Level::Caution as u8, ..median() };
    let subject = state.world.keys.collateral_asset;
    let rule = state.world.create_rule(2, subject, params);
    (keys, rule)
}

/// Lets prices turn, until every rule has tripped that can, or the window is over.
async fn wait(scene: &Scene, turn: Turn, due: u64, [median, drawdown]: [Pubkey; 2]) -> Answer {
    let mut slots = 0;
    while slots <= WINDOW_SLOTS {
        turn.go_on(scene, slots * SLOT_MS);
        tokio::time::sleep(SECOND / 10).await;
        slots = scene.chain.state().slot.saturating_sub(due);
        let is_tripped = |rule: &Pubkey| scene.chain.state().world.rule(rule).trip_epoch > 0;
        if is_tripped(&median) && (!turn.is_fall() || is_tripped(&drawdown)) {
            break;
        }
    }
    Answer { median: scene.slots_to(&median, due), drawdown: scene.slots_to(&drawdown, due) }
}
