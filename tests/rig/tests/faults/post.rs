//! A feed that lags on chain while its publishers have signed a newer price.
//!
//! The programs of Pyth are a stand-in that checks proofs and believes signatures, and updates are built for the tests.

use rampart_rig::hermes::Told;
use rampart_rig::scene::{COHORT, FALLEN};
use rampart_rig::{Hermes, Keeper, Scene, until};

/// Trips and postings alone.
const CLASSES: &str = "[classes]\nobserve = false\nliquidate = false\ndeleverage = false\nstep_down = false\n";

/// Settings of a keeper that posts. At the rig's pace a minute of the chain passes in eight seconds.
fn settings(hermes: &Hermes, lamports_per_hour: u64) -> String {
    format!(
        "{CLASSES}[[signal]]\nname = \"hermes\"\nkind = \"hermes\"\nurl = \"{}\"\n\
         [poster]\nmax_age_secs = 60\ndeviation_bps = 100\nmin_interval_secs = 1\n\
         lamports_per_hour = {lamports_per_hour}\n",
        hermes.url()
    )
}

fn told(price: f64) -> Told {
    Told { price: Some(price), ..Told::default() }
}

/// Postings' transactions that reached an endpoint, and those that landed.
fn transactions(scene: &Scene) -> (usize, usize) {
    (scene.signatures_about(&COHORT.verifier).len(), scene.landings_about(&COHORT.verifier))
}

/// A keeper that posts, ready.
async fn begin(scene: Scene, lamports_per_hour: u64) -> (Scene, Hermes, Keeper) {
    let hermes = Hermes::start(&scene.chain).await;
    let keeper = Keeper::start(&scene, &settings(&hermes, lamports_per_hour));
    keeper.ready().await;
    (scene, hermes, keeper)
}

/// A posting between its two transactions, on a chain that includes nothing any more and where bytes live for so many blocks.
async fn opened(life_blocks: u64) -> (Scene, Hermes, Keeper) {
    let scene = Scene::with_push_feed(1).await;
    scene.chain.state().landing.life_blocks = life_blocks;
    let (scene, hermes, keeper) = begin(scene, 1_000_000).await;
    scene.lag(true);
    // the first transaction takes a while to be confirmed
    scene.chain.set_slot_ms(300);
    hermes.tell(told(FALLEN));
    until("the message is opened", || async { scene.open_messages() == 1 }).await;
    scene.chain.state().landing.is_congested = true;
    scene.chain.set_slot_ms(50);
    (scene, hermes, keeper)
}

async fn slots_pass(scene: &Scene, slots: u64) {
    let until_slot = scene.chain.state().slot + slots;
    until("slots pass", || async { scene.chain.state().slot >= until_slot }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_19_lagging_feed_is_brought_forward_and_the_trip_that_waited_for_it_lands() {
    let (scene, hermes, keeper) = begin(Scene::with_push_feed(1).await, 1_000_000).await;
    scene.lag(true);
    scene.price(FALLEN);
    slots_pass(&scene, 20).await;
    assert_eq!((scene.trips(), transactions(&scene)), (0, (0, 0)), "one of two sources lags: nothing is proved");
    hermes.tell(told(FALLEN));
    until("the feed moves", || async { scene.feed_price() == FALLEN }).await;
    until("the rule trips", || async { scene.trips() == 1 }).await;
    // the price that it brought grows no older than this
    hermes.tell(Told::default());
    let posted = "rampart_posts_total{result=\"posted\"}";
    until("the keeper knows", || async { keeper.metric(posted).await >= 1.0 }).await;
    assert_eq!(scene.open_messages(), 0, "rent is back");
    let (signed, landed) = transactions(&scene);
    assert_eq!((signed % 2, signed), (0, landed), "two for each posting, and none in vain");
    for result in ["failed", "refused", "abandoned"] {
        assert_eq!(keeper.metric(&format!("rampart_posts_total{{result=\"{result}\"}}")).await, 0.0, "{result}");
    }
    keeper.stop().await.0.expect("a clean stop");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_19_old_feed_without_a_move_is_brought_forward_once_it_is_as_old_as_the_settings_say() {
    let (scene, hermes, keeper) = begin(Scene::with_push_feed(1).await, 1_000_000).await;
    hermes.tell(told(rampart_rig::scene::CALM));
    slots_pass(&scene, 20).await;
    assert_eq!(transactions(&scene), (0, 0), "it is fresh");
    scene.lag(true);
    let before = scene.chain.state().world.now_ts();
    scene.chain.advance(61);
    let publish_ts = || {
        let state = scene.chain.state();
        let data = state.world.svm.get_account(&state.world.sol_feeds.pyth).expect("the feed").data;
        i64::from_le_bytes(data[93..101].try_into().expect("eight bytes"))
    };
    until("the feed moves", || async { publish_ts() > before + 30 }).await;
    keeper.stop().await.0.expect("a clean stop");
    assert_eq!(scene.trips(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_21_torn_or_older_update_is_counted_and_nothing_is_sent() {
    let (scene, hermes, keeper) = begin(Scene::with_push_feed(1).await, 1_000_000).await;
    scene.lag(true);
    hermes.tell(Told { is_torn: true, ..told(FALLEN) });
    let malformed = "rampart_signed_updates_total{result=\"malformed\"}";
    until("it is counted", || async { keeper.metric(malformed).await >= 3.0 }).await;
    keeper.shows("the prices beside it are shown", |view| view.keeper.signals.iter().all(|signal| signal.up)).await;
    // older than what the chain holds
    hermes.tell(Told { age_secs: 1_000, ..told(FALLEN) });
    let kept = "rampart_signed_updates_total{result=\"kept\"}";
    until("it is read", || async { keeper.metric(kept).await >= 1.0 }).await;
    slots_pass(&scene, 20).await;
    assert_eq!(transactions(&scene), (0, 0));
    keeper.stop().await.0.expect("a clean stop");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_29_stop_between_the_two_transactions_is_followed_by_a_close_and_never_by_a_second_opening() {
    let (scene, hermes, keeper) = opened(60).await;
    hermes.tell(Told::default());
    let (ended, dir) = keeper.stop().await;
    ended.expect("a clean stop");
    // whatever it sent last is dead by now
    slots_pass(&scene, 70).await;
    scene.chain.state().landing.is_congested = false;
    assert_eq!(scene.open_messages(), 1);
    // no longer a keeper that posts
    let keeper = Keeper::start_in(dir, &scene, CLASSES);
    until("the message is closed", || async { scene.open_messages() == 0 }).await;
    slots_pass(&scene, 20).await;
    assert_eq!(scene.landings_about(&COHORT.verifier), 2, "one that opened and one that closed it");
    assert_eq!(scene.feed_price(), rampart_rig::scene::CALM, "nothing was brought");
    keeper.stop().await.0.expect("a clean stop");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_29_second_transaction_of_an_earlier_run_that_may_land_yet_is_sent_on_and_nothing_is_closed_twice() {
    // longer than a stop takes
    let (scene, hermes, keeper) = opened(1_000).await;
    until("the second is sent", || async { transactions(&scene).0 == 2 }).await;
    hermes.tell(Told::default());
    let (ended, dir) = keeper.stop().await;
    ended.expect("a clean stop");
    let keeper = Keeper::start_in(dir, &scene, CLASSES);
    scene.chain.state().landing.is_congested = false;
    until("the feed moves", || async { scene.feed_price() == FALLEN }).await;
    keeper.ready().await;
    slots_pass(&scene, 20).await;
    assert_eq!((transactions(&scene), scene.open_messages()), ((2, 2), 0));
    keeper.stop().await.0.expect("a clean stop");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fault_35_spent_budget_of_postings_refuses_the_next_visibly_and_no_trip() {
    // the fees of one posting and no more
    let (scene, hermes, keeper) = begin(Scene::with_push_feed(1).await, 10_000).await;
    scene.lag(true);
    hermes.tell(told(rampart_rig::scene::CALM * 0.98));
    let posted = "rampart_posts_total{result=\"posted\"}";
    until("the first is brought", || async { keeper.metric(posted).await >= 1.0 }).await;
    let sent = transactions(&scene);
    hermes.tell(told(rampart_rig::scene::CALM * 0.96));
    let refused = "rampart_posts_total{result=\"refused\"}";
    until("the next is refused", || async { keeper.metric(refused).await >= 1.0 }).await;
    assert_eq!((transactions(&scene), scene.open_messages()), (sent, 0));
    scene.lag(false);
    scene.price(FALLEN);
    until("the rule trips", || async { scene.trips() == 1 }).await;
    keeper.stop().await.0.expect("a clean stop");
}
