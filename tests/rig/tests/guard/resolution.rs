//! The orderly end of a vault, begun and called off.

use crate::desk::{Desk, assert_refused, refusal};
use rampart::constants::RESOLUTION_NOTICE_SECS;
use rampart::error::RampartError;
use rampart_tests::officers::Officer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn root_and_guardians_begin_a_resolution_and_call_it_off_before_claims_open() {
    let desk = Desk::new().await;
    let (root, payer) = (desk.root(), desk.path("payer.json").display().to_string());
    let [first, second] = [Officer::FirstGuardian, Officer::SecondGuardian]
        .map(|officer| desk.key(&format!("{officer:?}"), &officer.key()));
    let all = ["--signer", &root, "--signer", &first, "--signer", &second];
    let leave = [&["resolution", "leave"][..], &all].concat();
    assert_refused!(desk, &leave, &refusal(RampartError::ResolutionNotInForce), "resolution enter");
    let anyone = ["resolution", "enter", "--yes", "--signer", &payer];
    assert_refused!(desk, &anyone, &refusal(RampartError::ShortfallNotStanding), "root with a quorum");
    let alone = ["resolution", "enter", "--yes", "--signer", &root];
    assert_refused!(desk, &alone, "needs 2 guardians", "--signer");
    let enter = [&["resolution", "enter", "--yes", "--secs", "604800"][..], &all].concat();
    let soon = [&["resolution", "enter", "--yes", "--secs", "604799"][..], &all].concat();
    assert_refused!(desk, &soon, &refusal(RampartError::ResolutionDateInvalid), "--secs");
    let shown = [&["resolution", "enter", "--secs", "604800"][..], &all].concat();
    let shown = desk.guard(&shown).await.expect("it would be taken");
    for told in [
        "claims open after 24 h, and after 7 d",
        "for ever: root and guardians can call it off for 24 h",
        "`--yes` sends it",
    ] {
        assert!(shown.text.contains(told), "{told}\n{}", shown.text);
    }
    let is_in_force = |desk: &Desk| desk.world(|world| world.vault().resolution.is_in_force());
    assert!(!is_in_force(&desk) && desk.scene.chain.state().sends.is_empty(), "nothing is sent");
    desk.guard(&enter).await.expect("it lands");
    assert!(is_in_force(&desk));
    desk.settle().await;
    assert_refused!(desk, &enter, &refusal(RampartError::ResolutionInForce), "resolution leave");
    desk.guard(&leave).await.expect("it lands");
    assert!(!is_in_force(&desk));
    desk.settle().await;
    desk.guard(&enter).await.expect("it lands again");
    desk.scene.chain.advance(RESOLUTION_NOTICE_SECS);
    desk.settle().await;
    assert_refused!(desk, &leave, &refusal(RampartError::ResolutionOpen), "claims");
    assert!(is_in_force(&desk));
}
