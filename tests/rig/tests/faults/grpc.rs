//! Yellowstone gRPC streams that go silent, are turned away, or come back.

use crate::sources::{NO_SWEEP, is_complete, is_gapped, source, stops, trips};
use rampart_keeper::view::View;
use rampart_rig::scene::FALLEN;
use rampart_rig::{Geyser, Keeper, Scene, until};
use tonic::Code;

/// A keeper on a scene of one endpoint and one stream that is complete.
async fn start(extra: &str, has_sockets: bool) -> (Scene, Geyser, Keeper, tempfile::TempDir) {
    let scene = Scene::new(1).await;
    scene.endpoints[0].faults().refuses_sockets = !has_sockets;
    let (geyser, dir) = (Geyser::start(&scene.chain).await, tempfile::tempdir().expect("a directory"));
    let keeper = Keeper::start(&scene, &format!("{extra}{}", geyser.settings(dir.path())));
    keeper.shows("the stream is complete", |view| is_complete(view, "stream")).await;
    keeper.ready().await;
    (scene, geyser, keeper, dir)
}

fn ends(reason: &str) -> String {
    format!("rampart_stream_ends_total{{source=\"stream\",reason=\"{reason}\"}}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_05_silent_grpc_stream_is_noticed_in_slots_and_the_subscriptions_carry_on() {
    let (scene, geyser, keeper, _dir) = start(NO_SWEEP, true).await;
    geyser.faults().is_silent = true;
    // the connection is up, and answers the pings of HTTP/2
    until("the silence is noticed", || async { keeper.metric(&ends("silent")).await >= 1.0 }).await;
    keeper
        .shows("the subscriptions carry on", |view| {
            view.keeper.ready && is_gapped(view, "stream") && is_complete(view, "websocket")
        })
        .await;
    trips(&scene).await;
    geyser.heal();
    keeper.shows("the stream is complete again", |view| is_complete(view, "stream")).await;
    stops(&scene, keeper).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_06_grpc_stream_that_is_limited_again_and_again_is_asked_from_where_it_was_lost() {
    let (scene, geyser, keeper, _dir) = start("", false).await;
    geyser.faults().ends_with = Some(Code::ResourceExhausted);
    until("it is turned away several times", || async { keeper.metric(&ends("limited")).await >= 3.0 }).await;
    keeper.shows("its gap shows", |view| is_gapped(view, "stream")).await;
    let opened = geyser.opened();
    let lost_at = opened[1].tip;
    let is_resumed = |from: Option<u64>| from.is_some_and(|from| from + 16 > lost_at && from <= lost_at);
    assert!(opened[1..].iter().all(|opened| is_resumed(opened.from_slot)), "{opened:?}");
    trips(&scene).await;
    geyser.heal();
    keeper.shows("the stream is complete again", |view| is_complete(view, "stream")).await;
    geyser.faults().ends_with = Some(Code::Internal);
    until("a reader that lagged is counted", || async { keeper.metric(&ends("failed")).await >= 1.0 }).await;
    geyser.heal();
    keeper.shows("the stream is complete again", |view| is_complete(view, "stream")).await;
    stops(&scene, keeper).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_07_grpc_slot_that_the_server_no_longer_keeps_is_made_up_for_by_a_snapshot() {
    let (scene, geyser, keeper, _dir) = start(NO_SWEEP, false).await;
    let listed = scene.endpoints[0].asked("getProgramAccounts");
    geyser.faults().keeps_nothing = true;
    geyser.reset_streams();
    until("the slot is gone", || async { keeper.metric(&ends("replay")).await == 1.0 }).await;
    let is_anew = |view: &View| source(view, "stream").is_some_and(|stream| stream.reconnects == 2 && !stream.has_gap);
    keeper.shows("the stream is complete again", is_anew).await;
    let opened: Vec<bool> = geyser.opened().iter().map(|opened| opened.from_slot.is_some()).collect();
    assert_eq!(opened, [false, true, false], "asked for once, then from the tip");
    assert!(scene.endpoints[0].asked("getProgramAccounts") > listed, "a snapshot was taken");
    trips(&scene).await;
    stops(&scene, keeper).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_07_grpc_replay_tells_what_changed_and_closes_the_gap_without_a_snapshot() {
    let (scene, geyser, keeper, _dir) = start(NO_SWEEP, false).await;
    // nothing but the stream can tell of accounts from here on
    scene.endpoints[0].faults().methods_down.extend(["getMultipleAccounts", "getProgramAccounts"]);
    geyser.faults().ends_with = Some(Code::Unavailable);
    keeper.shows("the gap is open", |view| is_gapped(view, "stream")).await;
    scene.price(FALLEN);
    let told_at = scene.chain.state().slot + 8;
    until("the fallen price is told", || async { scene.chain.state().slot > told_at }).await;
    assert_eq!(scene.trips(), 0, "nobody told the keeper");
    // the price changes no more: what is not replayed is never told
    scene.chain.state().is_publishing = false;
    geyser.heal();
    keeper.shows("the gap is closed", |view| is_complete(view, "stream")).await;
    until("the rule trips", || async { scene.trips() == 1 }).await;
    scene.endpoints[0].heal();
    keeper.stop().await.0.expect("a clean stop");
}
