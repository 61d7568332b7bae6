//! Sources that go silent, lag, lie or come back.

use rampart_rig::scene::FALLEN;
use rampart_rig::{Keeper, Scene, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn healthy_chain_is_tripped_once() {
    let scene = Scene::new(1).await;
    let keeper = Keeper::start(&scene, "");
    keeper.ready().await;
    scene.price(FALLEN);
    until("the rule trips", || async { scene.trips() == 1 }).await;
    let (ended, _) = keeper.stop().await;
    ended.expect("a clean stop");
    assert_eq!(scene.trips(), 1);
}
