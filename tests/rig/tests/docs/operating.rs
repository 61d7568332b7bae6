//! An operator's commands: before the keeper runs, while it does, and after it has acted.

use crate::stage::{INIT, Run, Stage};
use rampart_rig::scene::CRASHED;
use rampart_rig::{Scene, until};
use rampart_tests::defaults::{SOL, USDC};
use rampart_tests::swaps::{TOKEN_SWAP, params};

/// Everything that an operator types.
pub const RUNS: &[&[Run]] = &[BEFORE, OBSERVING, WATCHING, ACTING, AFTER, TABLES];

const BEFORE: &[Run] = &[
    Run::new("rampart --help", "Usage: rampart [OPTIONS] <COMMAND>"),
    INIT,
    Run::new("rampart config print", "guard = \"{GUARD}\""),
    Run::new("rampart keys", "{PAYER}"),
    Run::new("rampart doctor", "ok"),
];

const OBSERVING: &[Run] = &[Run::new("rampart run --observe", "stopping on a signal")];

const WATCHING: &[Run] = &[
    Run::new("rampart status", "ready"),
    Run::new("rampart explain", "known names: ").typed("rampart explain vault").ends(1),
    Run::new("rampart explain guard", "Normal"),
    Run::new("rampart explain RULE", "what has to hold").typed("rampart explain {RULE}"),
    Run::new("rampart explain NAME", "{POSITION}").typed("rampart explain {POSITION}"),
    Run::new("rampart explain POSITION", "{POSITION}").typed("rampart explain {POSITION}"),
    Run::new("rampart explain <position>", "{POSITION}").typed("rampart explain {POSITION}"),
    Run::new("rampart explain reserve", "the keeper knows no such rule").ends(1),
    Run::new("rampart pause --class post --reason R", "post"),
    Run::new("rampart resume --class trip", "trip"),
    Run::new("rampart resume", "nothing is paused"),
    Run::new("rampart capture FILE", "the keeper may act on every class")
        .typed("rampart capture recording.gz --seconds 3"),
    Run::new("rampart replay FILE", "decisions").typed("rampart replay recording.gz"),
    Run::new("rampart replay", "decisions").typed("rampart replay recording.gz --diff"),
];

const ACTING: &[Run] = &[Run::new("rampart run", "stopping on a signal")];

/// Most of them read the disk and need no keeper.
const AFTER: &[Run] = &[
    Run::new("rampart history", "trip").typed("rampart history decisions"),
    Run::new("rampart history events", "started"),
    Run::new("rampart history events --since 24h", "started"),
    Run::new("rampart history events --since 10d", "started"),
    Run::new("rampart history decisions --since 1h", "trip"),
    Run::new("rampart intents ls", "trip"),
    Run::new("rampart txs ls --state unknown", ""),
    Run::new("rampart txs ls --state failed", ""),
    Run::new("rampart txs ls --state expired", ""),
    Run::new("rampart txs show", "{SIGNATURE}").typed("rampart txs show {SIGNATURE}"),
];

const TABLES: &[Run] = &[
    Run::new("rampart table", "tx.lookup_tables").typed("rampart table create"),
    Run::new("rampart table show", "{TABLE}").typed("rampart table show {TABLE}"),
    Run::new("rampart table extend", "nothing is missing").typed("rampart table extend {TABLE}"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn operators_commands_do_what_the_documentation_says() {
    let scene = Scene::new(1).await;
    let mut stage = Stage::of(&scene);
    stage.all(BEFORE);
    let mut keeper = stage.start(&OBSERVING[0]);
    keeper.ready().await;
    stage.all(WATCHING);
    keeper.stop();
    let mut keeper = stage.start(&ACTING[0]);
    keeper.ready().await;
    scene.price(CRASHED);
    until("the rule trips", || async { scene.trips() > 0 }).await;
    let landed = || {
        serde_json::from_str::<serde_json::Value>(&stage.run(&Run::new("rampart txs ls --state landed --json", "")))
            .expect("JSON")
    };
    until("the trip is known to have landed", || async { !landed()["data"].as_array().expect("a list").is_empty() })
        .await;
    let signature = landed()["data"][0]["signature"].as_str().expect("a signature").to_owned();
    keeper.stop();
    stage.know("SIGNATURE", signature);
    stage.all(AFTER);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn table_commands_do_what_the_documentation_says() {
    let scene = Scene::new(1).await;
    let mut stage = Stage::settled(&scene);
    let pool = {
        let world = &mut scene.chain.state().world;
        let market = world.market(1_000 * SOL, 111_000 * USDC);
        let mut own = params(TOKEN_SWAP);
        own.purpose = rampart::state::Purpose::Liquidation as u8;
        world.swap_policy(1, own);
        market.pool
    };
    let route = format!("[{{ name = \"pool\", kind = \"token_swap\", policy = 1, pool = \"{pool}\" }}]");
    stage.set("RAMPART__ROUTE", route);
    scene.settle().await;
    let made = stage.run(&TABLES[0]);
    let table =
        made.split("tx.lookup_tables = [\"").nth(1).and_then(|rest| rest.split('"').next()).expect("an address");
    stage.know("TABLE", table);
    stage.all(&TABLES[1..]);
}

/// No route names the pool: it is watched for the score alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pool_in_which_collateral_is_sold_is_told_by_doctor_and_explain_or_named_with_what_is_wrong() {
    let scene = Scene::new(1).await;
    let mut stage = Stage::settled(&scene);
    let (asset, pool) = {
        let world = &mut scene.chain.state().world;
        (world.keys.collateral_asset, world.market(1_000 * SOL, 111_000 * USDC).pool)
    };
    let named = |pool| format!("[{{ asset = \"{asset}\", pool = \"{pool}\" }}]");
    stage.know("ASSET", asset);
    stage.set("RAMPART__SCORE__MARKET", named(pool));
    scene.settle().await;
    stage.run(&Run::new("rampart doctor", "tells what is sold there and what a sale costs"));
    let mut keeper = stage.start(&ACTING[0]);
    keeper.ready().await;
    let explained = Run::new("rampart explain ASSET", "sold at").typed("rampart explain {ASSET}");
    let told = format!("pool {pool}: takes ");
    until("what the pool takes is told", || async { stage.run(&explained).contains(&told) }).await;
    let text = stage.run(&explained);
    assert!(text.contains("fall through the buffer within 6 h, 24 h") && text.contains("value at risk"), "{text}");
    keeper.stop();
    stage.set("RAMPART__SCORE__MARKET", named(scene.rule));
    stage.run(&Run::new("rampart doctor", "it is no open pool of version 1: the score counts liquidity as missing"));
}
