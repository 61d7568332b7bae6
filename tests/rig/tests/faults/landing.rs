//! Transactions that are lost, late, refused, or landed without anybody saying so.

use rampart_client::Pubkey;
use rampart_keeper::config::ComputePrices;
use rampart_rig::faults::SendFault;
use rampart_rig::landing::Pending;
use rampart_rig::scene::{CRASHED, FALLEN};
use rampart_rig::{Endpoint, Keeper, Scene, until};
use solana_sdk::instruction::InstructionError;
use solana_sdk::transaction::TransactionError;

/// Trips alone: what else the keeper does would only blur what is counted.
const TRIPS: &str = "[classes]\nobserve = false\nliquidate = false\ndeleverage = false\nstep_down = false\n";

async fn tripped(scene: &Scene) {
    until("the rule trips", || async { scene.trips() == 1 }).await;
}

async fn settled(keeper: &Keeper) {
    keeper.shows("it knows that it landed", |view| view.keeper.transactions.landed >= 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_25_send_without_an_answer_that_was_forwarded_lands_once() {
    let scene = Scene::new(1).await;
    let keeper = Keeper::start(&scene, TRIPS);
    keeper.ready().await;
    scene.endpoints[0].faults().send = Some(SendFault::ForwardedWithoutAnswer);
    scene.price(FALLEN);
    tripped(&scene).await;
    settled(&keeper).await;
    keeper.stop().await.0.expect("a clean stop");
    assert_eq!((scene.trips(), scene.signatures_about(&scene.rule).len()), (1, 1), "one signature, landed once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_26_expired_transaction_is_signed_anew_only_when_it_is_dead_and_pays_more() {
    let scene = Scene::new(2).await;
    {
        let mut state = scene.chain.state();
        (state.landing.life_blocks, state.landing.is_congested) = (40, true);
    }
    let keeper = Keeper::start(&scene, TRIPS);
    keeper.ready().await;
    scene.price(FALLEN);
    until("a second signature is sent", || async { scene.signatures_about(&scene.rule).len() >= 2 }).await;
    {
        let state = scene.chain.state();
        let sent = |signature| state.sends.iter().filter(move |send| send.signature == signature);
        let signatures = state.sends.iter().map(|send| send.signature).collect::<Vec<_>>();
        let first = signatures[0];
        let second = *signatures.iter().find(|signature| **signature != first).expect("a second");
        let pending = |signature| {
            let send = sent(signature).next().expect("it was sent");
            Pending::read(&send.bytes).expect("a transaction")
        };
        let last_height = state.last_height_of(&pending(first).blockhash()).expect("a recent blockhash");
        let sent_at = state.height_at(sent(second).next().expect("it was sent").slot);
        assert!(sent_at > last_height, "the first was dead: {sent_at} after {last_height}");
        assert!(pending(second).price > pending(first).price, "the price rises");
    }
    scene.chain.state().landing.is_congested = false;
    tripped(&scene).await;
    settled(&keeper).await;
    keeper.stop().await.0.expect("a clean stop");
    assert_eq!((scene.trips(), scene.landings_about(&scene.rule)), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_26_trip_is_signed_anew_by_the_word_of_one_endpoint_while_the_other_says_nothing() {
    let scene = Scene::new(2).await;
    {
        let mut state = scene.chain.state();
        (state.landing.life_blocks, state.landing.is_congested) = (40, true);
    }
    let keeper = Keeper::start(&scene, TRIPS);
    keeper.ready().await;
    scene.endpoints[1].faults().methods_down.extend(["getSignatureStatuses", "getBlockHeight"]);
    scene.price(FALLEN);
    until("it is sent", || async { !scene.signatures_about(&scene.rule).is_empty() }).await;
    until("a second signature is sent", || async { scene.signatures_about(&scene.rule).len() >= 2 }).await;
    scene.chain.state().landing.is_congested = false;
    tripped(&scene).await;
    keeper.shows("the first is given up", |view| view.keeper.transactions.expired >= 1).await;
    keeper.stop().await.0.expect("a clean stop");
    assert_eq!(scene.trips(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_28_landed_transaction_without_a_status_stays_unknown_and_is_not_sent_again() {
    let scene = Scene::new(1).await;
    let keeper = Keeper::start(&scene, TRIPS);
    keeper.ready().await;
    let down = ["getSignatureStatuses", "getBlockHeight", "getEpochInfo"];
    scene.endpoints[0].faults().methods_down.extend(down);
    scene.price(FALLEN);
    tripped(&scene).await;
    keeper.shows("its fate is unknown", |view| view.keeper.transactions.unknown == 1).await;
    assert_eq!(scene.signatures_about(&scene.rule).len(), 1);
    scene.endpoints[0].heal();
    settled(&keeper).await;
    keeper.shows("nothing is unknown", |view| view.keeper.transactions.unknown == 0).await;
    keeper.stop().await.0.expect("a clean stop");
    assert_eq!((scene.trips(), scene.signatures_about(&scene.rule).len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_30_two_keepers_trip_once_and_the_loser_pays_one_fee() {
    let scene = Scene::new(1).await;
    let first = Keeper::start(&scene, TRIPS);
    let rival = scene.rival(2);
    let second = Keeper::start_as(&rival, &scene, TRIPS);
    first.ready().await;
    second.ready().await;
    scene.price(FALLEN);
    tripped(&scene).await;
    let ended = |view: &rampart_keeper::view::View| {
        let t = &view.keeper.transactions;
        t.sent == 1 && t.landed + t.lost_race == 1 && t.unknown == 0
    };
    first.shows("the first sent and knows", ended).await;
    second.shows("the second sent and knows", ended).await;
    let failed = scene.chain.state().all_landed().filter(|(_, landed)| landed.result.is_err()).count();
    first.stop().await.0.expect("a clean stop");
    second.stop().await.0.expect("a clean stop");
    assert_eq!(scene.trips(), 1);
    assert!(failed <= 1, "{failed} fees for nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_31_refusal_on_chain_is_judged_anew_and_not_repeated_blindly() {
    let scene = Scene::new(1).await;
    let keeper = Keeper::start(&scene, TRIPS);
    keeper.ready().await;
    let code = u32::from(rampart::error::RampartError::RuleNotTrue);
    let error = TransactionError::InstructionError(1, InstructionError::Custom(code));
    scene.chain.state().landing.refusals.push_back(error);
    scene.price(FALLEN);
    tripped(&scene).await;
    settled(&keeper).await;
    keeper.stop().await.0.expect("a clean stop");
    assert_eq!((scene.trips(), scene.signatures_about(&scene.rule).len()), (1, 2), "one more, from fresh state");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_32_trip_that_ran_out_of_units_is_tried_once_more_with_more() {
    let scene = Scene::new(1).await;
    let keeper = Keeper::start(&scene, TRIPS);
    keeper.ready().await;
    scene.chain.state().landing.needs_units = 100_000;
    scene.price(FALLEN);
    tripped(&scene).await;
    settled(&keeper).await;
    keeper.stop().await.0.expect("a clean stop");
    assert_eq!((scene.trips(), scene.signatures_about(&scene.rule).len()), (1, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_36_sender_that_is_down_or_limited_stops_no_other_and_all_get_the_same_bytes() {
    let scene = Scene::new(3).await;
    let keeper = Keeper::start(&scene, TRIPS);
    keeper.ready().await;
    scene.chain.state().landing.is_congested = true;
    scene.endpoints[0].faults().send = Some(SendFault::Unavailable);
    scene.endpoints[1].faults().send = Some(SendFault::TooManyRequests);
    scene.price(FALLEN);
    until("the third gets it", || async { !scene.signatures_about(&scene.rule).is_empty() }).await;
    scene.endpoints[0].heal();
    scene.endpoints[1].heal();
    let reached = || async {
        let state = scene.chain.state();
        scene.endpoints.iter().all(|e| state.sends.iter().any(|send| send.endpoint == e.name()))
    };
    until("all get it", reached).await;
    {
        let state = scene.chain.state();
        assert!(state.sends.iter().all(|send| send.bytes == state.sends[0].bytes), "the same bytes");
    }
    scene.chain.state().landing.is_congested = false;
    tripped(&scene).await;
    keeper.stop().await.0.expect("a clean stop");
    assert_eq!((scene.trips(), scene.signatures_about(&scene.rule).len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_38_rebroadcast_goes_on_while_leaders_are_skipped() {
    let scene = Scene::new(1).await;
    let keeper = Keeper::start(&scene, TRIPS);
    keeper.ready().await;
    scene.chain.state().landing.is_congested = true;
    scene.price(FALLEN);
    until("it is sent", || async { !scene.signatures_about(&scene.rule).is_empty() }).await;
    let sent = scene.chain.state().sends.len();
    {
        let mut state = scene.chain.state();
        (state.landing.skipped_leaders, state.landing.is_congested) = (16, false);
    }
    tripped(&scene).await;
    settled(&keeper).await;
    keeper.stop().await.0.expect("a clean stop");
    assert!(scene.chain.state().sends.len() > sent, "it was sent again meanwhile");
    assert_eq!((scene.trips(), scene.signatures_about(&scene.rule).len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_44_stop_with_transactions_under_way_ends_cleanly_and_the_next_run_takes_them_over() {
    let scene = Scene::new(1).await;
    let keeper = Keeper::start(&scene, TRIPS);
    keeper.ready().await;
    scene.chain.state().landing.is_congested = true;
    scene.price(FALLEN);
    until("it is sent", || async { !scene.signatures_about(&scene.rule).is_empty() }).await;
    let (ended, dir) = keeper.stop().await;
    ended.expect("a clean stop");
    scene.chain.state().landing.is_congested = false;
    let keeper = Keeper::start_in(dir, &scene, TRIPS);
    tripped(&scene).await;
    keeper.ready().await;
    keeper.stop().await.0.expect("a clean stop");
    assert_eq!((scene.trips(), scene.landings_about(&scene.rule)), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_23_gap_in_the_price_liquidates_what_it_crosses_once() {
    let scene = Scene::new(2).await;
    let keeper = Keeper::start(&scene, "[classes]\ndeleverage = false\n");
    keeper.ready().await;
    scene.price(CRASHED);
    until("it is liquidated", || async { scene.position().liquidation_seq >= 1 }).await;
    keeper.shows("the keeper knows", |view| view.keeper.transactions.unknown == 0).await;
    keeper.stop().await.0.expect("a clean stop");
    let landings = scene.landings_about(&scene.borrower.position);
    assert_eq!(scene.position().liquidation_seq, landings as u64, "each landing moved the fence by one");
}

/// Prices of the transactions that name the rule, micro-lamports per compute unit.
fn prices(scene: &Scene) -> Vec<u64> {
    let signatures = scene.signatures_about(&scene.rule);
    let state = scene.chain.state();
    let bytes = |signature| state.sends.iter().find(|send| send.signature == signature).map(|send| &send.bytes);
    let pending = signatures.into_iter().filter_map(|signature| Pending::read(bytes(signature)?));
    pending.map(|pending| pending.price).collect()
}

/// Trips the rule where others are told to pay `fee`; returns what the keeper paid.
async fn paid_where_others_pay(fee: u64) -> Vec<u64> {
    let scene = Scene::new(1).await;
    scene.endpoints[0].faults().recent_fees = Some(fee);
    let keeper = Keeper::start(&scene, TRIPS);
    keeper.ready().await;
    let endpoint = &scene.endpoints[0];
    until("all accounts were asked for", || async {
        endpoint.asked("getRecentPrioritizationFees") >= 16
            && keeper.metric("rampart_market_price_micro_lamports").await == fee as f64
    })
    .await;
    let blockhashes = endpoint.asked("getLatestBlockhash");
    until("trips are prepared anew", || async { endpoint.asked("getLatestBlockhash") >= blockhashes + 2 }).await;
    scene.price(FALLEN);
    tripped(&scene).await;
    keeper.stop().await.0.expect("a clean stop");
    assert_eq!(scene.trips(), 1);
    prices(&scene)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_33_fees_a_thousand_times_higher_are_capped() {
    let cap = ComputePrices::default().trip.cap;
    assert_eq!(paid_where_others_pay(cap * 1_000).await, [cap]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_34_fees_of_zero_mean_the_floor() {
    assert_eq!(paid_where_others_pay(0).await, [ComputePrices::default().trip.floor]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_36_sender_with_a_tip_is_one_way_of_several() {
    let scene = Scene::new(1).await;
    let engine = Endpoint::start("engine", &scene.chain).await;
    let tips = Pubkey::new_from_array([77; 32]);
    let sender = format!(
        "[[sender]]\nname = \"engine\"\nkind = \"jito\"\nurl = \"{}\"\ntip_lamports = 1000000\n\
         tip_accounts = [\"{tips}\"]\n{TRIPS}",
        engine.http()
    );
    let keeper = Keeper::start(&scene, &sender);
    keeper.ready().await;
    scene.chain.state().landing.is_congested = true;
    scene.price(FALLEN);
    let by = |name: &'static str| {
        let scene = &scene;
        move || async move { scene.chain.state().sends.iter().any(|send| send.endpoint == name) }
    };
    until("the engine gets it", by("engine")).await;
    until("the node gets it", by("e0")).await;
    {
        let state = scene.chain.state();
        assert!(state.sends.iter().all(|send| send.bytes == state.sends[0].bytes), "the same bytes");
    }
    engine.faults().send = Some(SendFault::Unavailable);
    scene.chain.state().landing.is_congested = false;
    tripped(&scene).await;
    settled(&keeper).await;
    keeper.stop().await.0.expect("a clean stop");
    assert_eq!((scene.trips(), scene.signatures_about(&scene.rule).len()), (1, 1));
    assert_eq!(scene.chain.state().world.svm.get_balance(&tips), Some(1_000_000), "paid once, by whatever way");
}
