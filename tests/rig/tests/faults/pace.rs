//! An endpoint's plan allows so many requests a second.

use crate::sources::{stops, trips};
use rampart_rig::{Keeper, Scene, until};
use std::fmt::Write;
use std::time::{Duration, Instant};

/// Requests a second.
const MAX_RPS: u64 = 4;
/// How long is counted.
const SPAN: Duration = Duration::from_secs(5);

/// Settings with sweeps one after the other.
fn settings(scene: &Scene, limit: &str) -> String {
    let mut text = "[ingest]\npoll_ms = 500\nsweep_secs = 1\n".to_owned();
    for endpoint in &scene.endpoints {
        let (name, http, ws) = (endpoint.name(), endpoint.http(), endpoint.ws());
        let _ = write!(text, "[[rpc]]\nname = \"{name}\"\nhttp = \"{http}\"\nws = \"{ws}\"\n{limit}");
    }
    text
}

fn asked(scene: &Scene, method: &str) -> u64 {
    scene.endpoints.iter().map(|endpoint| endpoint.asked(method)).sum()
}

/// How many listings were asked for within the span, which nothing but sweeps asks for.
async fn listings(scene: &Scene) -> u64 {
    let before = asked(scene, "getProgramAccounts");
    tokio::time::sleep(SPAN).await;
    asked(scene, "getProgramAccounts") - before
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sweeps_keep_to_the_endpoints_pace_and_trips_do_not() {
    let scene = Scene::new(2).await;
    let keeper = Keeper::start(&scene, &settings(&scene, &format!("max_rps = {MAX_RPS}\n")));
    keeper.ready().await;
    let paced = listings(&scene).await;
    // each listing asks for the slot, too, and one endpoint is preferred; both at most, and what may come at once
    assert!((1..=2 * (MAX_RPS * SPAN.as_secs() / 2 + 2)).contains(&paced), "{paced}");
    // every token of the next second is spoken for, again and again: the trip waits for none
    let (polls, started) = (asked(&scene, "getMultipleAccounts"), Instant::now());
    trips(&scene).await;
    let took = started.elapsed();
    until("prices are asked for while a sweep waits", || async { asked(&scene, "getMultipleAccounts") > polls }).await;
    assert!(took < Duration::from_secs(10), "{took:?}");
    stops(&scene, keeper).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sweeps_of_an_endpoint_without_a_limit_are_held_back_by_nothing() {
    let scene = Scene::new(2).await;
    let keeper = Keeper::start(&scene, &settings(&scene, ""));
    keeper.ready().await;
    let free = listings(&scene).await;
    assert!(free > 2 * (MAX_RPS * SPAN.as_secs() / 2 + 2), "what the other test holds back would come: {free}");
    keeper.stop().await.0.expect("a clean stop");
}
