//! Sources that go silent, lag, lie or come back.

use rampart_keeper::view::{SourceView, View};
use rampart_rig::faults::HttpFault;
use rampart_rig::scene::{CALM, CRASHED, FALLEN};
use rampart_rig::{Keeper, Scene, until};
use rampart_tests::defaults::USDC;
use rampart_tests::oracles::Feeds;
use solana_sdk::hash::Hash;

/// Sweeps so rare that nothing but subscriptions can have told.
pub const NO_SWEEP: &str = "[ingest]\npoll_ms = 60000\nsweep_secs = 3600\n";

pub fn source<'a>(view: &'a View, name: &str) -> Option<&'a SourceView> {
    view.keeper.sources.iter().find(|source| source.name == name)
}

pub fn is_complete(view: &View, name: &str) -> bool {
    source(view, name).is_some_and(|source| source.up && !source.has_gap)
}

pub fn is_gapped(view: &View, name: &str) -> bool {
    source(view, name).is_some_and(|source| source.has_gap)
}

pub async fn trips(scene: &Scene) {
    scene.price(FALLEN);
    until("the rule trips", || async { scene.trips() == 1 }).await;
}

pub async fn stops(scene: &Scene, keeper: Keeper) {
    assert!(keeper.is_running());
    keeper.stop().await.0.expect("a clean stop");
    assert_eq!(scene.trips(), 1, "once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn healthy_chain_is_tripped_once() {
    let scene = Scene::new(1).await;
    let keeper = Keeper::start(&scene, "");
    keeper.ready().await;
    trips(&scene).await;
    stops(&scene, keeper).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_01_silent_websocket_is_noticed_in_slots_and_the_other_endpoint_carries_on() {
    let scene = Scene::new(2).await;
    let keeper = Keeper::start(&scene, NO_SWEEP);
    keeper.shows("both are complete", |view| is_complete(view, "e0") && is_complete(view, "e1")).await;
    scene.endpoints[0].faults().is_silent = true;
    keeper.shows("the silent one is down", |view| source(view, "e0").is_some_and(|source| !source.up)).await;
    keeper.shows("the other one carries on", |view| view.keeper.ready && is_complete(view, "e1")).await;
    trips(&scene).await;
    stops(&scene, keeper).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_01_silent_websocket_of_the_only_endpoint_is_made_up_for_by_requests() {
    let scene = Scene::new(1).await;
    let keeper = Keeper::start(&scene, "");
    keeper.ready().await;
    scene.endpoints[0].faults().is_silent = true;
    keeper.shows("it is down", |view| source(view, "websocket").is_some_and(|source| !source.up)).await;
    trips(&scene).await;
    scene.endpoints[0].heal();
    keeper.shows("it is complete again", |view| is_complete(view, "websocket")).await;
    stops(&scene, keeper).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_02_one_silent_subscription_is_renewed_alone() {
    let scene = Scene::new(1).await;
    let keeper = Keeper::start(&scene, "");
    keeper.ready().await;
    let (endpoint, pyth) = (&scene.endpoints[0], scene.chain.state().world.sol_feeds.pyth);
    let (sockets, before) = (endpoint.sockets_opened(), endpoint.subscriptions_of(&pyth));
    endpoint.faults().silent_accounts.insert(pyth);
    until("the silent one is renewed", || async { endpoint.subscriptions_of(&pyth) > before }).await;
    let switchboard = scene.chain.state().world.sol_feeds.switchboard;
    assert_eq!((endpoint.sockets_opened(), endpoint.subscriptions_of(&switchboard)), (sockets, 1), "nothing else");
    trips(&scene).await;
    stops(&scene, keeper).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_03_reset_without_a_close_is_followed_by_a_new_connection() {
    let scene = Scene::new(1).await;
    let keeper = Keeper::start(&scene, "");
    keeper.ready().await;
    let sockets = scene.endpoints[0].sockets_opened();
    scene.endpoints[0].reset_sockets();
    until("it connects anew", || async { scene.endpoints[0].sockets_opened() > sockets }).await;
    keeper.shows("the gap is closed", |view| is_complete(view, "websocket")).await;
    trips(&scene).await;
    stops(&scene, keeper).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_04_gap_stays_open_until_a_snapshot_and_blocks_the_all_clear() {
    // both carry a gap: requests fail, and subscriptions are back without a snapshot
    let scene = Scene::with_rule(1, crate::steps::brief_rule()).await;
    let keeper = Keeper::start(&scene, "");
    keeper.ready().await;
    trips(&scene).await;
    let endpoint = &scene.endpoints[0];
    endpoint.faults().methods_down.extend(["getMultipleAccounts", "getProgramAccounts"]);
    endpoint.reset_sockets();
    keeper.shows("the gap is open", |view| is_gapped(view, "websocket")).await;
    scene.price(CALM);
    // long past the dwell time, with a rule that is clear by what the subscriptions tell
    let until_slot = scene.chain.state().slot + crate::steps::DWELL_SLOTS * 3;
    until("the dwell time passes", || async { scene.chain.state().slot > until_slot }).await;
    let view = keeper.view().await.expect("a view");
    assert!(is_gapped(&view, "websocket") && !view.keeper.ready, "{:?}", view.keeper.not_ready_reasons);
    assert_eq!(
        (scene.rule().step_downs, keeper.metric("rampart_source_gap_state{source=\"websocket\"}").await),
        (0, 1.0)
    );
    endpoint.heal();
    keeper.shows("the gap is closed", |view| is_complete(view, "websocket")).await;
    until("the rule steps down", || async { scene.rule().step_downs > 0 }).await;
    keeper.stop().await.0.expect("a clean stop");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_08_duplicate_and_reordered_updates_change_nothing() {
    let scene = Scene::new(2).await;
    {
        let mut faults = scene.endpoints[0].faults();
        (faults.extra_copies, faults.is_reordered) = (2, true);
    }
    let keeper = Keeper::start(&scene, "");
    keeper.ready().await;
    let dropped = || async {
        let of = async |result: &str| {
            keeper.metric(&format!("rampart_account_updates_total{{source=\"websocket\",result=\"{result}\"}}")).await
        };
        of("stale").await > 10.0 && of("applied").await > 10.0 && of("decode_error").await == 0.0
    };
    until("updates are dropped, and others applied", dropped).await;
    trips(&scene).await;
    stops(&scene, keeper).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_09_price_of_a_dead_fork_is_undone_and_trips_nothing() {
    let scene = Scene::new(1).await;
    let keeper = Keeper::start(&scene, "[classes]\nobserve = false\n");
    keeper.ready().await;
    scene.chain.state().is_publishing = false;
    let fork = scene.fork_of_prices(FALLEN);
    scene.chain.tell_dead_fork(fork);
    let seen = "rampart_events_total{kind=\"rule_became_true\"}";
    until("the fork's price is seen", || async { keeper.metric(seen).await == 1.0 }).await;
    keeper.shows("the chain's price is back", |view| view.rules.iter().all(|rule| rule.verdict != "true")).await;
    keeper.stop().await.0.expect("a clean stop");
    assert_eq!((scene.trips(), scene.landings_about(&scene.rule)), (0, 0), "the program saw no such price");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_10_endpoint_that_lags_is_not_believed_until_it_caught_up() {
    let scene = Scene::new(2).await;
    let keeper = Keeper::start(&scene, "[ingest]\nprobe_secs = 1\n");
    keeper.ready().await;
    until("there is a past to lag in", || async { scene.chain.state().slot > 10_250 }).await;
    scene.endpoints[0].faults().lag_slots = 200;
    let usable = "rampart_endpoint_usable_state{endpoint=\"e0\"}";
    until("it is not believed", || async {
        keeper.metric(usable).await == 0.0 && keeper.metrics().await.contains(usable)
    })
    .await;
    let asked = scene.endpoints[0].asked("getMultipleAccounts");
    keeper.shows("the other one carries on", |view| view.keeper.ready && is_complete(view, "e1")).await;
    trips(&scene).await;
    assert_eq!(scene.endpoints[0].asked("getMultipleAccounts"), asked, "nothing is read from it");
    scene.endpoints[0].heal();
    until("it is believed again", || async { keeper.metric(usable).await == 1.0 }).await;
    keeper.shows("both are complete", |view| is_complete(view, "e0") && is_complete(view, "e1")).await;
    stops(&scene, keeper).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_10_endpoint_that_tells_of_slots_to_come_is_not_believed() {
    let scene = Scene::new(2).await;
    let keeper = Keeper::start(&scene, "[ingest]\nprobe_secs = 1\n");
    keeper.shows("both are complete", |view| is_complete(view, "e0") && is_complete(view, "e1")).await;
    scene.endpoints[1].faults().ahead_slots = 1_000_000;
    let usable = "rampart_endpoint_usable_state{endpoint=\"e1\"}";
    until("it is not believed", || async { keeper.metric(usable).await == 0.0 }).await;
    trips(&scene).await;
    assert!(keeper.view().await.expect("a view").keeper.slot < 1_000_000);
    stops(&scene, keeper).await;
}

/// All that was true looked old to the keeper until it was started anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_10_slot_that_never_was_blinds_the_only_endpoint_for_seconds_and_not_for_good() {
    let scene = Scene::new(1).await;
    scene.endpoints[0].faults().ahead_slots = 1_000_000;
    let keeper = Keeper::start(&scene, "[ingest]\nprobe_secs = 1\n");
    keeper.shows("it believes the slot", |view| view.keeper.slot > 1_000_000).await;
    scene.endpoints[0].heal();
    keeper.shows("it is back", |view| view.keeper.slot < 1_000_000 && view.keeper.ready).await;
    trips(&scene).await;
    stops(&scene, keeper).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_11_endpoint_of_another_cluster_refuses_the_start() {
    let scene = Scene::new(2).await;
    let genesis = scene.chain.state().genesis();
    scene.endpoints[1].faults().genesis = Some(Hash::new_from_array([9; 32]));
    let error = Keeper::start(&scene, &format!("[cluster]\ngenesis_hash = \"{genesis}\"\n")).ended().await.unwrap_err();
    assert_eq!(error.exit_code(), 4);
    assert!(error.to_string().contains("endpoint `e1`"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_11_endpoint_that_turns_to_another_cluster_is_not_believed() {
    let scene = Scene::new(2).await;
    let keeper = Keeper::start(&scene, "[ingest]\nprobe_secs = 1\n");
    keeper.ready().await;
    scene.endpoints[1].faults().genesis = Some(Hash::new_from_array([9; 32]));
    let usable = "rampart_endpoint_usable_state{endpoint=\"e1\"}";
    until("it is not believed", || async { keeper.metric(usable).await == 0.0 }).await;
    trips(&scene).await;
    scene.endpoints[1].heal();
    until("it is believed again", || async { keeper.metric(usable).await == 1.0 }).await;
    stops(&scene, keeper).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_12_rate_limit_slows_the_sweep_and_leaves_the_hot_path_its_share() {
    let scene = Scene::new(1).await;
    let keeper = Keeper::start(&scene, "");
    keeper.ready().await;
    let endpoint = &scene.endpoints[0];
    endpoint.faults().http = Some(HttpFault::TooManyRequests { retry_after_secs: 30 });
    let limited = "rampart_endpoint_failures_total{endpoint=\"websocket\",reason=\"rate_limited\"}";
    until("it is limited", || async { keeper.metric(limited).await >= 1.0 }).await;
    endpoint.heal();
    let (listed, read) = (endpoint.asked("getProgramAccounts"), endpoint.asked("getMultipleAccounts"));
    until("the hot path goes on", || async { endpoint.asked("getMultipleAccounts") >= read + 5 }).await;
    assert_eq!(endpoint.asked("getProgramAccounts"), listed, "the sweep waits as long as it was asked to");
    trips(&scene).await;
    stops(&scene, keeper).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_13_answers_that_are_none_are_counted_and_the_other_endpoint_is_asked() {
    let scene = Scene::new(2).await;
    let keeper = Keeper::start(&scene, "");
    keeper.ready().await;
    for (fault, reason) in [
        (HttpFault::JsonError, "refused"),
        (HttpFault::Html, "no_json"),
        (HttpFault::Truncated, "no_json"),
        (HttpFault::Unavailable, "status"),
    ] {
        let name = format!("rampart_endpoint_failures_total{{endpoint=\"e0\",reason=\"{reason}\"}}");
        let before = keeper.metric(&name).await;
        scene.endpoints[0].faults().http = Some(fault);
        until("the failure is counted", || async { keeper.metric(&name).await > before }).await;
        keeper.shows("the keeper stays ready", |view| view.keeper.ready).await;
        scene.endpoints[0].heal();
    }
    assert_eq!(keeper.metric("rampart_account_updates_total{source=\"poll\",result=\"decode_error\"}").await, 0.0);
    trips(&scene).await;
    stops(&scene, keeper).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_13_endpoint_that_hangs_holds_nothing_up() {
    let scene = Scene::new(2).await;
    let keeper = Keeper::start(&scene, "[ingest]\nprobe_secs = 1\n");
    keeper.ready().await;
    scene.endpoints[0].faults().http = Some(HttpFault::Hang);
    let hung = "rampart_endpoint_failures_total{endpoint=\"e0\",reason=\"unreachable\"}";
    until("it is noticed", || async { keeper.metric(hung).await >= 1.0 }).await;
    keeper.shows("the keeper is ready", |view| view.keeper.ready).await;
    trips(&scene).await;
    stops(&scene, keeper).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_13_endpoint_that_is_down_at_the_start_is_taken_in_later() {
    let scene = Scene::new(2).await;
    scene.endpoints[0].faults().http = Some(HttpFault::Unavailable);
    let keeper = Keeper::start(&scene, "[ingest]\nprobe_secs = 1\n");
    keeper.ready().await;
    let view = keeper.view().await.expect("a view");
    assert!(!is_complete(&view, "e0") && is_complete(&view, "e1"), "nothing is read before it is verified");
    scene.endpoints[0].heal();
    keeper.shows("it is complete", |view| is_complete(view, "e0")).await;
    trips(&scene).await;
    stops(&scene, keeper).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_14_known_accounts_are_verified_where_listing_is_disabled() {
    let scene = Scene::new(1).await;
    let keeper = Keeper::start(&scene, "");
    keeper.ready().await;
    scene.endpoints[0].faults().methods_down.insert("getProgramAccounts");
    // longer than a verification counts: known positions are fetched one by one in time
    let listed = scene.endpoints[0].asked("getProgramAccounts");
    until("several sweeps pass", || async { scene.endpoints[0].asked("getProgramAccounts") >= listed + 5 }).await;
    keeper
        .shows("everything is verified", |view| view.keeper.ready && view.keeper.coverage.verified_ratio == 1.0)
        .await;
    trips(&scene).await;
    stops(&scene, keeper).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_14_keeper_that_never_got_a_listing_is_not_ready() {
    let scene = Scene::new(1).await;
    scene.endpoints[0].faults().methods_down.insert("getProgramAccounts");
    let keeper = Keeper::start(&scene, "");
    until("several sweeps pass", || async { scene.endpoints[0].asked("getProgramAccounts") >= 5 }).await;
    let view = keeper.view().await.expect("a view");
    assert!(view.keeper.not_ready_reasons.contains(&"no source of data is complete".to_owned()));
    scene.endpoints[0].heal();
    keeper.ready().await;
    keeper.stop().await.0.expect("a clean stop");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_14_positions_that_no_node_lists_at_once_are_listed_by_their_owners() {
    let scene = Scene::new(1).await;
    (0..6).for_each(|_| drop(scene.chain.state().world.lender(1_000 * USDC)));
    scene.endpoints[0].faults().longest_listing = Some(5);
    let keeper = Keeper::start(&scene, "");
    let is_whole = |view: &View| view.keeper.ready && view.keeper.coverage.positions == 8;
    keeper.shows("all positions are known and verified", is_whole).await;
    scene.price(CRASHED);
    until("the borrower is liquidated", || async { scene.position().liquidation_seq > 0 }).await;
    keeper.stop().await.0.expect("a clean stop");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_22_price_of_another_feed_in_the_pinned_account_is_refused() {
    let scene = Scene::new(1).await;
    let keeper = Keeper::start(&scene, "[classes]\nobserve = false\n");
    keeper.ready().await;
    {
        let mut state = scene.chain.state();
        state.is_publishing = false;
        let feeds = state.world.sol_feeds;
        state.world.publish(&Feeds { feed_id: [0x77; 32], ..feeds }, FALLEN);
    }
    keeper
        .shows("the rule can't be judged", |view| view.rules.iter().all(|rule| rule.verdict == "indeterminate"))
        .await;
    let view = keeper.view().await.expect("a view");
    assert!(view.rules[0].reason.is_some(), "the reason is shown");
    let blind = "rampart_events_total{kind=\"rule_blind\"}";
    until("it is told that nobody can judge the rule", || async { keeper.metric(blind).await == 1.0 }).await;
    assert_eq!(keeper.metric("rampart_rules_blind").await, 1.0);
    keeper.stop().await.0.expect("a clean stop");
    assert_eq!((scene.trips(), scene.signatures_about(&scene.rule).len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_41_slots_that_grow_shorter_are_no_stall() {
    let scene = Scene::new(1).await;
    scene.chain.set_slot_ms(200);
    let keeper = Keeper::start(&scene, "");
    keeper.ready().await;
    keeper.shows("the pace is measured", |view| (150..300).contains(&view.keeper.slot_ms)).await;
    scene.chain.set_slot_ms(100);
    keeper.shows("the new pace is measured", |view| (80..130).contains(&view.keeper.slot_ms)).await;
    trips(&scene).await;
    let view = keeper.view().await.expect("a view");
    let websocket = source(&view, "websocket").expect("a source");
    assert_eq!((websocket.reconnects, view.keeper.transactions.expired), (0, 0));
    stops(&scene, keeper).await;
}
