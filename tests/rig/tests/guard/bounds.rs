//! Bounds that narrow, the freeze, and the census before either.

use crate::desk::{Desk, assert_refused, refusal};
use rampart::error::RampartError;
use rampart::state::{Finality, Rule, Switch};
use rampart_client::address;
use rampart_tests::defaults::drawdown_rule;
use solana_sdk::signer::Signer;

fn rule_switch(desk: &Desk, switch: Switch) {
    desk.world(|world| {
        let mut rule: Rule = world.load(&desk.scene.rule);
        rule.params.switch = switch as u8;
        world.store(&desk.scene.rule, &rule);
    });
}

fn is_frozen(desk: &Desk) -> bool {
    desk.world(|world| world.guard_state().finality) == Finality::Frozen as u8
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bounds_narrow_for_ever_once_that_is_confirmed() {
    let desk = Desk::new().await;
    let root = desk.root();
    let admin = desk.world(|world| world.risk_admin.insecure_clone());
    let admin = desk.key("admin", &admin);
    let wider = ["narrow", "max_ltv_bps=9100", "max_bonus_bps=900", "--yes", "--signer", &root];
    assert_refused!(desk, &wider, "`max_ltv_bps` gets wider", "as long as the guard lives");
    let later = ["narrow", "min_loosen_delay_secs=172799", "--yes", "--signer", &root];
    assert_refused!(desk, &later, "`min_loosen_delay_secs` gets wider", "as long as the guard lives");
    let typo = ["narrow", "max_ltv=1", "--yes", "--signer", &root];
    assert_refused!(desk, &typo, "`bounds` has no field `max_ltv`; it has max_bonus_bps", "guard show");
    let same = ["narrow", "max_ltv_bps=9000", "--yes", "--signer", &root];
    assert_refused!(desk, &same, "has this value already", "nothing to do");
    let stranger = ["narrow", "max_ltv_bps=7000", "--yes", "--signer", &admin];
    assert_refused!(desk, &stranger, "needs the root", "--signer");
    // the vault that there is lends up to 70 %
    let beyond = ["narrow", "max_ltv_bps=6900", "--yes", "--signer", &root];
    assert_refused!(desk, &beyond, &refusal(RampartError::OutsideHardBounds), "guard show");
    let words = ["narrow", "max_ltv_bps=7000"];
    let (before, shown) = (desk.governed(), desk.guard(&words).await.expect("it would be taken"));
    for told in [
        "narrow the hard bounds: holds at once",
        "max_ltv_bps: 90 % -> 70 % (tighter)",
        "for ever: no instruction widens a bound again",
        "effect on bounds: max_ltv_bps: 90 % -> 70 % (tighter)",
        "nothing is sent\n`--yes` sends it",
    ] {
        assert!(shown.text.contains(told), "{told}\n{}", shown.text);
    }
    assert_eq!((desk.governed(), desk.scene.chain.state().sends.len()), (before, 0));
    let export = desk.guard(&[&words[..], &["--export", "realms"]].concat()).await.expect("an export");
    assert_eq!(export.data["result"]["exports"].as_array().map(Vec::len), Some(1));
    let done = desk.guard(&[&words[..], &["--yes", "--signer", &root]].concat()).await.expect("it lands");
    assert!(done.data["lasting"].as_str().is_some_and(|words| words.contains("widens a bound")), "{}", done.data);
    assert_eq!(desk.world(|world| world.guard_state().bounds.max_ltv_bps), 7_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guard_freezes_once_that_is_confirmed_and_loosens_nothing_again() {
    let desk = Desk::new().await;
    let root = desk.root();
    let freeze = ["freeze", "--yes", "--signer", &root];
    rule_switch(&desk, Switch::Disabled);
    desk.settle().await;
    assert_refused!(desk, &freeze, &refusal(RampartError::CensusNotEnabled), "enable every rule");
    rule_switch(&desk, Switch::Enabled);
    desk.guard(&["propose", "delay", "loosen_delay_secs=259200", "--signer", &root]).await.expect("it lands");
    desk.settle().await;
    let payer = desk.path("payer.json").display().to_string();
    assert_refused!(desk, &["freeze", "--yes", "--signer", &payer], "needs the root", "--signer");
    let sends = desk.scene.chain.state().sends.len();
    let shown = desk.guard(&["freeze"]).await.expect("it would be taken");
    for told in [
        "for ever: nothing is loosened again: 1 pending changes can't be executed any more, roles and root stay",
        "effect on finality: open -> frozen",
        "`--yes` sends it",
    ] {
        assert!(shown.text.contains(told), "{told}\n{}", shown.text);
    }
    assert!(!is_frozen(&desk) && desk.scene.chain.state().sends.len() == sends, "nothing is sent");
    desk.guard(&freeze).await.expect("it lands");
    assert!(is_frozen(&desk));
    desk.settle().await;
    assert_refused!(desk, &freeze, &refusal(RampartError::GuardFrozen), "only tightening is left");
    let looser = ["propose", "vault-risk", "ltv_bps=7100", "--signer", &root];
    assert_refused!(desk, &looser, &refusal(RampartError::GuardFrozen), "only tightening is left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_guard_is_counted_by_the_keepers_key_and_frozen_by_root() {
    let desk = Desk::new().await;
    let (root, payer) = (desk.root(), desk.scene.payer.pubkey().to_string());
    desk.world(|world| {
        let asset = world.keys.collateral_asset;
        for id in 2..=23 {
            world.create_rule(id, asset, drawdown_rule());
        }
    });
    desk.settle().await;
    let freeze = ["freeze", "--yes", "--signer", &root];
    assert_refused!(desk, &freeze, "has 26 accounts, and one transaction names 20", "census open");
    assert_refused!(desk, &["census", "count"], "there is no census at", "guard show");
    assert_refused!(desk, &["census", "open"], "needs the root", "--signer");
    let open = ["census", "open", "--counter", &payer, "--signer", &root];
    let opened = desk.guard(&open).await.expect("it lands");
    assert!(opened.text.contains("open a census to freeze the guard") && opened.text.contains("good for a day"));
    desk.settle().await;
    assert_refused!(desk, &open, "there is a census at", "census close");
    assert_refused!(desk, &freeze, "has 26 accounts", "census count");
    assert_refused!(desk, &["census", "count", "--signer", &root], "needs who counts", "--signer");
    let sends = desk.scene.chain.state().sends.len();
    let dry = desk.guard(&["census", "count", "--dry-run"]).await.expect("it would be taken");
    assert!(dry.text.contains("effect on census: 20 of 26 accounts are counted"), "{}", dry.text);
    assert_eq!((&dry.data["transactions"], desk.scene.chain.state().sends.len()), (&2.into(), sends));
    let counted = desk.guard(&["census", "count"]).await.expect("both land");
    assert_eq!(counted.data["results"].as_array().map(Vec::len), Some(2));
    assert!(counted.text.contains("26 of 26 are counted then"), "{}", counted.text);
    desk.settle().await;
    let again = desk.guard(&["census", "count"]).await.expect("nothing to do");
    assert!(again.text.starts_with("nothing to do: everything is counted"), "{}", again.text);
    desk.guard(&freeze).await.expect("it lands");
    assert!(is_frozen(&desk));
    desk.settle().await;
    let closed = desk.guard(&["census", "close", "--signer", &root]).await.expect("it lands");
    assert!(closed.text.contains("effect on census: closed"), "{}", closed.text);
    assert!(!desk.world(|world| world.exists(&address::census(&world.guard))), "its rent is back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn census_for_bounds_is_void_once_something_is_configured() {
    let desk = Desk::new().await;
    let root = desk.root();
    let wider = ["census", "open", "max_ltv_bps=9100", "--signer", &root];
    assert_refused!(desk, &wider, "`max_ltv_bps` gets wider", "as long as the guard lives");
    let opened = desk.guard(&["census", "open", "max_ltv_bps=7000", "--signer", &root]).await.expect("it lands");
    assert!(opened.text.contains("max_ltv_bps: 90 % -> 70 % (tighter)"), "{}", opened.text);
    desk.guard(&["tighten", "vault-risk", "ltv_bps=6900", "--signer", &root]).await.expect("it lands");
    desk.settle().await;
    let count = ["census", "count", "--signer", &root];
    assert_refused!(desk, &count, &refusal(RampartError::CensusMoved), "census close");
    // few enough to be named: the census is left aside
    desk.guard(&["narrow", "max_ltv_bps=7000", "--yes", "--signer", &root]).await.expect("it lands");
    assert_eq!(desk.world(|world| world.guard_state().bounds.max_ltv_bps), 7_000);
}
