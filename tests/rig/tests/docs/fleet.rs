//! Keepers that share the work, by a real etcd.

use crate::stage::{Run, Stage};
use rampart_rig::{Scene, until};

#[path = "../../../../keeper/src/fleet/testing.rs"]
#[expect(dead_code, reason = "the keeper's own tests use all of it")]
mod testing;

/// Everything about a fleet.
pub const RUNS: &[&[Run]] = &[TOGETHER];

const TOGETHER: &[Run] = &[
    Run::new("rampart fleet status", "owner"),
    Run::new("rampart fleet status --json", "\"owner\""),
    Run::new("rampart fleet ranks", "one"),
    Run::new("rampart fleet ranks --json", "\"one\""),
    Run::new("rampart fleet drain", "one"),
    Run::new("rampart fleet drain MEMBER --undo", "one").typed("rampart fleet drain one --undo"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fleet_commands_do_what_the_documentation_says() {
    let Some(etcd) = testing::Etcd::start().await else { return };
    let scene = Scene::new(1).await;
    let mut stage = Stage::settled(&scene);
    stage.set("RAMPART__FLEET__MODE", "etcd".to_owned());
    stage.set("RAMPART__FLEET__ENDPOINTS", format!("[\"http://127.0.0.1:{}\"]", etcd.port()));
    let mut keeper = stage.start(&Run::new("rampart run", "stopping on a signal"));
    keeper.ready().await;
    until("it owns the work", || async { stage.run(&Run::new("rampart fleet status", "")).contains("owner") }).await;
    stage.all(TOGETHER);
    keeper.stop();
}
