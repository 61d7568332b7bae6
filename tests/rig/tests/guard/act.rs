//! Proposals and what becomes of them, from the terminal to the program.

use crate::desk::{Desk, assert_refused, refusal, ripen};
use rampart::error::RampartError;
use rampart::state::Level;
use rampart_client::address;
use rampart_tests::officers::Officer;
use solana_sdk::signer::Signer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn proposal_waits_is_executed_by_anyone_and_holds() {
    let desk = Desk::new().await;
    let (root, payer) = (desk.root(), desk.path("payer.json").display().to_string());
    let propose = ["propose", "vault-limits", "supply_cap_amount=120000000000000", "--signer", &root];
    let dry = desk.guard(&[&propose[..], &["--dry-run"]].concat()).await.expect("a trial");
    assert_eq!(dry.data["result"]["is_sent"], false);
    assert!(dry.text.contains("supply_cap_amount: 100,000,000 loan tokens -> 120,000,000 loan tokens (looser)"));
    assert!(
        dry.text.contains("effect on change: change 0 waits") && dry.text.contains("waits for 48 h"),
        "{}",
        dry.text
    );
    assert!(desk.scene.chain.state().sends.is_empty(), "a trial sends nothing");
    let done = desk.guard(&propose).await.expect("it lands");
    assert_eq!(done.data["result"]["outcome"], "landed");
    desk.settle().await;
    let early = ["execute", "0", "--signer", &payer];
    assert_refused!(desk, &early, &refusal(RampartError::ChangeNotRipe), "counts down");
    ripen(&desk);
    desk.settle().await;
    desk.guard(&early).await.expect("it is ripe");
    assert_eq!(desk.world(|world| world.vault().limits.supply_cap_amount), 120_000_000_000_000);
    assert!(!desk.world(|world| world.exists(&address::change(&world.guard, 0))), "the change is closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn line_is_executed_with_the_evidence_that_the_program_asks_for() {
    let desk = Desk::new().await;
    let root = desk.root();
    desk.guard(&["propose", "vault-risk", "liquidation_line_bps=8100", "--signer", &root]).await.expect("it lands");
    ripen(&desk);
    desk.settle().await;
    desk.guard(&["execute", "0"]).await.expect("the keeper finds assets, oracles and the borrower");
    assert_eq!(desk.world(|world| world.vault().risk.liquidation_line_bps), 8_100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guardian_vetoes_and_root_cancels() {
    let desk = Desk::new().await;
    let (root, guardian) = (desk.root(), desk.key("guardian", &Officer::FirstGuardian.key()));
    desk.world(|world| world.svm.airdrop(&Officer::FirstGuardian.address(), 1_000_000_000).expect("airdrop"));
    for _ in 0..2 {
        desk.guard(&["propose", "delay", "loosen_delay_secs=259200", "--signer", &root]).await.expect("it lands");
        desk.settle().await;
    }
    assert_refused!(desk, &["veto", "0", "--signer", &root], "needs the vetoer or a guardian", "--signer");
    assert_refused!(desk, &["veto", "9", "--signer", &guardian], "no pending change at 9", "guard show");
    desk.guard(&["veto", "0", "--signer", &guardian]).await.expect("it lands");
    desk.guard(&["cancel", "1", "--signer", &root]).await.expect("it lands");
    for id in [0, 1] {
        assert!(!desk.world(|world| world.exists(&address::change(&world.guard, id))), "change {id} is closed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tightening_holds_at_once_and_a_loosening_is_sent_to_the_queue() {
    let desk = Desk::new().await;
    let admin = desk.world(|world| world.risk_admin.insecure_clone());
    let admin = desk.key("admin", &admin);
    let looser = ["tighten", "vault-risk", "ltv_bps=7100", "--signer", &admin];
    assert_refused!(desk, &looser, "`ltv_bps` gets looser", "guard propose");
    let same = ["tighten", "vault-risk", "ltv_bps=7000", "--signer", &admin];
    assert_refused!(desk, &same, "has this value already", "nothing to do");
    let beyond = ["tighten", "vault-risk", "ltv_bps=0", "--signer", &admin];
    assert_refused!(desk, &beyond, &refusal(RampartError::RiskParamsInvalid), "soft line");
    let done = desk.guard(&["tighten", "vault-risk", "ltv_bps=6500", "--signer", &admin]).await.expect("it lands");
    assert!(done.text.contains("effect on vault-risk: ltv_bps: 70 % -> 65 % (tighter)"), "{}", done.text);
    assert_eq!(desk.world(|world| world.vault().risk.ltv_bps), 6_500);
    let stranger = desk.path("payer.json").display().to_string();
    assert_refused!(
        desk,
        &["tighten", "vault-risk", "ltv_bps=6400", "--signer", &stranger],
        "needs the root",
        "--signer"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fields_and_groups_that_do_not_exist_are_refused_with_those_that_do() {
    let desk = Desk::new().await;
    let root = desk.root();
    let typo = ["propose", "vault-risk", "ltv=1", "--signer", &root];
    assert_refused!(desk, &typo, "has no field `ltv`; it has close_factor_bps", "guard show");
    let word = ["propose", "vault-risk", "ltv_bps=high", "--signer", &root];
    assert_refused!(desk, &word, "invalid type: string \"high\", expected u16", "guard show");
    let two = ["propose", "asset-warm-up", "warm_up_secs=1", "--signer", &root];
    assert_refused!(desk, &two, "may be meant of 2 accounts", "--target");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guardian_pauses_the_quorum_halts_and_the_resetter_lifts() {
    let desk = Desk::new().await;
    let officers = [Officer::FirstGuardian, Officer::SecondGuardian, Officer::Resetter];
    let [first, second, resetter] = officers.map(|officer| {
        desk.world(|world| world.svm.airdrop(&officer.address(), 1_000_000_000).expect("airdrop"));
        desk.key(&format!("{officer:?}"), &officer.key())
    });
    let guardian = Officer::FirstGuardian.address().to_string();
    desk.settle().await;
    let long = ["pause", "caution", "--secs", "99999", "--signer", &first];
    assert_refused!(desk, &long, &refusal(RampartError::PauseInvalid), "longest pause");
    let done = desk.guard(&["pause", "reduce-only", "--secs", "3600", "--signer", &first]).await.expect("it lands");
    assert!(done.text.contains("Normal -> ReduceOnly"), "{}", done.text);
    let level = |desk: &Desk| desk.world(|world| world.guard_state().breaker.level_at(world.now_ts()));
    assert_eq!(level(&desk), Level::ReduceOnly);
    desk.settle().await;
    let again = ["pause", "caution", "--secs", "60", "--signer", &first];
    assert_refused!(desk, &again, &refusal(RampartError::OwnPauseExtension), "another guardian");
    let early = ["resume", &guardian, "--signer", &resetter];
    assert_refused!(desk, &early, &refusal(RampartError::DwellNotOver), "15 minutes");
    desk.scene.chain.advance(900);
    desk.settle().await;
    desk.guard(&early).await.expect("it lands");
    assert_eq!(level(&desk), Level::Normal);
    let alone = ["pause", "halt", "--secs", "60", "--signer", &first];
    assert_refused!(desk, &alone, "needs 2 guardians", "--signer");
    desk.guard(&["pause", "halt", "--secs", "60", "--signer", &first, "--signer", &second]).await.expect("it lands");
    assert_eq!(level(&desk), Level::Halt);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keepers_join_and_leave() {
    let desk = Desk::new().await;
    let root = desk.root();
    let seats: Vec<String> =
        (1..=4).map(|n| format!("{}={n}", solana_sdk::pubkey::Pubkey::new_from_array([0x60 + n; 32]))).collect();
    let two = ["keepers", "--add", &seats[0], "--add", &seats[1], "--signer", &root];
    assert_refused!(desk, &two, "(Keeper", "3");
    let all: Vec<&str> = seats.iter().flat_map(|seat| ["--add", seat.as_str()]).collect();
    let done = desk.guard(&[&["keepers", "--signer", &root][..], &all].concat()).await.expect("it lands");
    assert!(done.text.contains("create the keeper set: 4 members"), "{}", done.text);
    desk.settle().await;
    let gone = seats[3].split_once('=').expect("a seat").0;
    let done = desk.guard(&["keepers", "--remove", gone, "--signer", &root]).await.expect("it lands");
    assert!(done.text.contains(&format!("keeper {gone} leaves")), "{}", done.text);
    let set: rampart::state::KeeperSet = desk.world(|world| world.load(&address::keeper_set(&world.guard)));
    assert_eq!((set.count, set.epoch), (3, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn root_moves_by_the_acceptance_of_the_new_one_alone() {
    let desk = Desk::new().await;
    let (root, next) = (desk.root(), desk.rich());
    let (to, key) = (format!("root={}", next.pubkey()), desk.key("next", &next));
    desk.settle().await;
    desk.guard(&["propose", "root", &to, "--signer", &root]).await.expect("it lands");
    desk.guard(&["propose", "delay", "loosen_delay_secs=259200", "--signer", &root]).await.expect("it lands");
    desk.settle().await;
    let stands = |desk: &Desk| desk.world(|world| world.guard_state().roles.root);
    let old = stands(&desk);
    let accept = ["accept", "0", "--signer", &key];
    assert_refused!(desk, &accept, &refusal(RampartError::ChangeNotRipe), "counts down");
    ripen(&desk);
    desk.settle().await;
    assert_refused!(desk, &["accept", "0", "--signer", &root], "needs the new root", "--signer");
    assert_refused!(desk, &["accept", "1", "--signer", &key], "no change of the root at 1", "guard show");
    assert_refused!(desk, &["execute", "0"], &refusal(RampartError::RootNeedsAcceptance), "guard accept");
    assert_eq!(stands(&desk), old);
    desk.guard(&accept).await.expect("it lands");
    assert_eq!((stands(&desk), stands(&desk) == old), (next.pubkey(), false));
    desk.settle().await;
    // what the old root had proposed is void
    assert_refused!(desk, &["execute", "1"], &refusal(RampartError::AuthorityEpochMoved), "");
}
