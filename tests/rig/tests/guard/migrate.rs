//! Accounts of an earlier layout: listed, tried and migrated from the terminal.

use crate::desk::Desk;
use rampart_keeper::error::KeeperError;
use rampart_tests::layouts::age;
use solana_sdk::signature::Keypair;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn vault_of_the_first_layout_is_listed_tried_and_migrated_once() {
    let desk = Desk::new().await;
    let nothing = desk.guard(&["migrate"]).await.expect("a list");
    assert_eq!(nothing.data["earlier"].as_array().map(Vec::len), Some(0));
    assert!(nothing.text.contains("every account has the present layout"), "{}", nothing.text);
    let vault = desk.world(|world| world.keys.vault);
    let read = || desk.world(|world| world.svm.get_account(&vault).expect("the vault").data);
    let present = read();
    desk.world(|world| age(world, &vault));
    desk.settle().await;
    let (aged, sends) = (read(), desk.scene.chain.state().sends.len());
    for words in [&["migrate"][..], &["migrate", "--dry-run"]] {
        let shown = desk.guard(words).await.expect("it would be migrated");
        assert_eq!(shown.data["earlier"][0]["key"], vault.to_string());
        assert_eq!((&shown.data["earlier"][0]["layout"], &shown.data["earlier"][0]["present"]), (&1.into(), &2.into()));
        assert_eq!(shown.data["results"].as_array().map(Vec::len), Some(words.len() - 1));
        assert!(shown.text.contains("nothing is sent"), "{}", shown.text);
    }
    let export = desk.guard(&["migrate", "--export", "squads"]).await.expect("an export");
    assert_eq!(export.data["results"][0]["result"]["format"], "squads");
    assert!(read() == aged && desk.scene.chain.state().sends.len() == sends, "nothing was sent so far");
    // a key without money is told by name of what it lacks
    let poor = desk.key("poor", &Keypair::new());
    let refused = desk.guard(&["migrate", "--yes", "--signer", &poor]).await.expect_err("nobody pays");
    let KeeperError::Refused { what, .. } = refused else { panic!("{refused}") };
    assert!(what.starts_with("0 of 1 accounts are migrated") && what.contains("has no SOL"), "{what}");
    assert!(read() == aged);
    // the keeper's key holds no role
    let done = desk.guard(&["migrate", "--yes"]).await.expect("it is migrated");
    assert_eq!(done.data["results"][0]["result"]["outcome"], "landed");
    assert!(read() == present);
    desk.settle().await;
    let again = desk.guard(&["migrate", "--yes"]).await.expect("nothing to do");
    assert_eq!(again.data["results"].as_array().map(Vec::len), Some(0));
}
