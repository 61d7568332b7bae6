//! Acts of the night: a standby source for a dead one, and the end of a cause.

use crate::desk::{Desk, assert_refused, refusal};
use rampart::error::RampartError;
use rampart::state::Level;
use rampart_client::{evidence, oracle_metas};
use rampart_rig::scene::{CALM, FALLEN};
use rampart_rig::standby::THIRD;
use rampart_tests::officers::Officer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn standby_that_tells_takes_the_place_of_the_source_that_is_dead() {
    let desk = Desk::new().await;
    let admin = desk.world(|world| world.risk_admin.insecure_clone());
    let admin = desk.key("admin", &admin);
    let asset = desk.world(|world| world.keys.collateral_asset).to_string();
    let words = ["standby", "--target", &asset, "--signer", &admin];
    let at = |more: &[&'static str]| [&words[..], more].concat();
    desk.settle().await;
    assert_refused!(desk, &["standby", "--signer", &admin], "may be meant of 2 accounts", "--target");
    assert_refused!(desk, &words, &format!("no source of {asset} is proved dead"), "asset-oracle");
    assert_refused!(desk, &at(&["--source", "1"]), "no standby source of", "asset-standby");
    desk.scene.approve_standby();
    desk.settle().await;
    let alive = at(&["--source", "1", "--standby", "1"]);
    assert_refused!(desk, &alive, &refusal(RampartError::SourceNotDead), "asset-oracle");
    let nowhere = at(&["--source", "1", "--standby", "2"]);
    assert_refused!(desk, &nowhere, &refusal(RampartError::StandbyInvalid), "guard show");
    let dead = desk.scene.kill_second();
    desk.settle().await;
    let payer = desk.path("payer.json").display().to_string();
    let stranger = ["standby", "--target", &asset, "--signer", &payer];
    assert_refused!(desk, &stranger, "needs the root or the risk admin", "--signer");
    assert_refused!(desk, &at(&["--standby", "0"]), &refusal(RampartError::PriceIndeterminate), "--standby");
    desk.scene.tell_standby();
    desk.settle().await;
    let dry = desk.guard(&at(&["--dry-run"])).await.expect("it would be taken");
    for told in [
        &*format!("let standby source 1 ({THIRD}) take the place of source 1 ({dead}) of asset {asset}: holds at once"),
        &format!("effect on asset-oracle: sources.1.account: {dead} -> {THIRD}"),
        "nothing is sent",
    ] {
        assert!(dry.text.contains(told), "{told}\n{}", dry.text);
    }
    assert_eq!(desk.scene.chain.state().sends.len(), 0);
    let root = desk.world(|world| world.guard_state().roles.root).to_string();
    let exported = ["standby", "--target", &asset, "--export", "squads", "--as", &root];
    let export = desk.guard(&exported).await.expect("an export");
    assert_eq!((&export.data["result"]["format"], &export.data["result"]["signer"]), (&"squads".into(), &root.into()));
    desk.scene.tell_standby();
    desk.settle().await;
    let done = desk.guard(&words).await.expect("it lands");
    assert_eq!(done.data["result"]["outcome"], "landed");
    let asset = desk.world(|world| world.sol_asset());
    assert_eq!((asset.oracle.sources[1].account, asset.standby.sources[1].account), (THIRD, dead));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resetter_ends_the_cause_of_a_rule_that_is_clear_after_its_dwell() {
    let desk = Desk::new().await;
    let resetter = Officer::Resetter;
    desk.world(|world| world.svm.airdrop(&resetter.address(), 1_000_000_000).expect("airdrop"));
    let key = desk.key("resetter", &resetter.key());
    let (words, root) = (["reset", "1", "--signer", &key], desk.root());
    desk.settle().await;
    assert_refused!(desk, &["reset", "9", "--signer", &key], "no rule at 9", "guard show");
    assert_refused!(desk, &["reset", "1", "--signer", &root], "needs the resetter", "--signer");
    assert_refused!(desk, &words, &refusal(RampartError::NotTripped), "guard show");
    desk.scene.price(FALLEN);
    desk.settle().await;
    desk.world(|world| {
        let rule: rampart::state::Rule = world.load(&desk.scene.rule);
        let trip = evidence::trip(desk.scene.rule, &rule, None, &oracle_metas(&world.sol_asset().oracle));
        world.send(&[trip], &[]).expect("it trips");
    });
    desk.settle().await;
    assert_refused!(desk, &words, &refusal(RampartError::RuleNotClear), "safe side");
    desk.scene.price(CALM);
    desk.settle().await;
    assert_refused!(desk, &words, &refusal(RampartError::DwellNotOver), "dwell time");
    for _ in 0..5 {
        desk.scene.chain.advance(60);
        desk.settle().await;
        desk.world(|world| world.observe_both());
    }
    desk.settle().await;
    let level = |desk: &Desk| desk.world(|world| world.sol_asset().breaker.level_at(world.now_ts()));
    assert_eq!(level(&desk), Level::ReduceOnly);
    let dry = desk.guard(&["reset", "1", "--dry-run"]).await.expect("it would be taken");
    assert!(
        dry.text.contains("reset the cause of rule 1 at ") && dry.text.contains("ReduceOnly -> Normal"),
        "{}",
        dry.text
    );
    assert_eq!(level(&desk), Level::ReduceOnly);
    desk.guard(&words).await.expect("it lands");
    assert_eq!(level(&desk), Level::Normal);
}
