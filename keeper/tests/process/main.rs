//! The keeper as a process of its own, on a chain that is played to it over loopback: signals, systemd, commands.

mod chain;
mod keeper;
mod watch;

use anchor_lang::Discriminator;
use chain::Chain;
use keeper::Keeper;
use nix::sys::signal::Signal;
use serde_json::Value;
use solana_sdk::pubkey::Pubkey;
use solana_sdk::signer::Signer;
use solana_sdk::transaction::Transaction;
use std::collections::BTreeSet;
use watch::testing::key;

/// The rule of the played world.
const RULE: u8 = 60;

#[tokio::test(flavor = "multi_thread")]
async fn fault_44_sigterm_with_five_transactions_in_flight_ends_with_0_and_hands_them_over() {
    let chain = Chain::start(5).await;
    let mut keeper = Keeper::start(&chain, &[]).await;
    keeper.ready().await;
    chain.fall(700);
    // the trip, the observation and the five liquidations, each at least once: nothing is left for the next start to begin
    keeper.wait("transactions under way", || async { BTreeSet::from_iter(chain.sent()).len() >= 7 }).await;
    keeper.signal(Signal::SIGTERM);
    assert_eq!(keeper.end().await, Some(0));
    // none was confirmed: all are left to the next start, with the bytes that were sent
    let (ok, listed) = keeper.run(&["txs", "ls", "--json"]);
    assert!(ok, "{listed}");
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    let open: Vec<&str> = listed["data"]
        .as_array()
        .expect("transactions")
        .iter()
        .map(|tx| tx["state"].as_str().expect("a state"))
        .collect();
    assert!(open.len() >= 5 && open.iter().all(|state| matches!(*state, "sent" | "unknown")), "{open:?}");
    assert!(keeper.log().contains("stopping on a signal"), "{}", keeper.log());

    // the next start takes them over and sends the same bytes, never others
    let before = chain.sent();
    let mut keeper = keeper.again().await;
    keeper.wait("the same bytes again", || async { chain.sent().len() > before.len() }).await;
    keeper.signal(Signal::SIGTERM);
    // the second signal does not wait for what is under way
    keeper.signal(Signal::SIGTERM);
    assert_eq!(keeper.end().await, Some(0));
    let known: BTreeSet<_> = before.iter().map(|bytes| target(bytes)).collect();
    let is_new = |bytes: &&Vec<u8>| !before.contains(*bytes);
    let sent = chain.sent();
    // an asset whose observation has grown old meanwhile is an action of its own
    let again = sent.iter().filter(is_new).filter(|bytes| known.contains(&target(bytes)));
    assert_eq!(again.count(), 0, "new bytes were signed while the old may still land");
}

/// What a transaction is about: the accounts of its last instruction, which is the program's.
fn target(bytes: &[u8]) -> Vec<Pubkey> {
    let message = bincode::deserialize::<Transaction>(bytes).expect("a transaction").message;
    let last = message.instructions.last().expect("an instruction");
    last.accounts.iter().map(|index| message.account_keys[usize::from(*index)]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn systemd_is_told_ready_alive_and_stopping() {
    let chain = Chain::start(0).await;
    let socket = keeper::NotifySocket::new();
    let mut keeper =
        Keeper::start(&chain, &[("NOTIFY_SOCKET", socket.path()), ("WATCHDOG_USEC", "900000".into())]).await;
    keeper.ready().await;
    keeper
        .wait("READY and signs of life", || async { socket.count("READY=1") == 1 && socket.count("WATCHDOG=1") >= 3 })
        .await;
    assert_eq!(socket.count("STOPPING=1"), 0);
    keeper.signal(Signal::SIGTERM);
    assert_eq!(keeper.end().await, Some(0));
    assert_eq!(socket.count("STOPPING=1"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_45_stuck_loop_gets_no_signs_of_life_and_the_next_start_finds_the_state_whole() {
    let chain = Chain::start(1).await;
    let socket = keeper::NotifySocket::new();
    let stuck = [
        ("NOTIFY_SOCKET", socket.path()),
        ("WATCHDOG_USEC", "900000".to_owned()),
        ("RAMPART_FAULT", "stick_engine".to_owned()),
    ];
    let mut keeper = Keeper::start(&chain, &stuck).await;
    keeper.wait("the loop to be known as stuck", || async { keeper.status("/livez").await == Some(503) }).await;
    let signs = socket.count("WATCHDOG=1");
    keeper.wait("the API to go on", || async { keeper.status("/livez").await == Some(503) }).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    assert_eq!(socket.count("WATCHDOG=1"), signs, "no sign of life while it is stuck");
    // what systemd does then
    keeper.signal(Signal::SIGABRT);
    keeper.end().await;
    let mut keeper = keeper.again().await;
    keeper.ready().await;
    keeper.signal(Signal::SIGTERM);
    assert_eq!(keeper.end().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn task_that_dies_is_started_anew_three_times_and_then_the_process_ends_with_5() {
    let chain = Chain::start(0).await;
    let mut keeper = Keeper::start(&chain, &[("RAMPART_FAULT", "panic_engine".to_owned())]).await;
    assert_eq!(keeper.end().await, Some(5), "{}", keeper.log());
    let log = keeper.log();
    assert_eq!(log.matches("all tasks start anew").count(), 3, "{log}");
    assert!(log.contains("critical task `engine` ended"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_47_sighup_with_bad_settings_keeps_the_old_and_with_good_ones_takes_them() {
    let chain = Chain::start(0).await;
    let mut keeper = Keeper::start(&chain, &[]).await;
    keeper.ready().await;
    let good = keeper.settings();
    keeper.write_settings(&format!("{good}\n[tx]\nresend_ms = 0\n"));
    keeper.signal(Signal::SIGHUP);
    keeper
        .wait("the refusal to be counted", || keeper.has_metric("rampart_settings_reloads_total{result=\"refused\"} 1"))
        .await;
    assert_eq!(keeper.status("/readyz").await, Some(200), "it goes on as before");
    keeper.write_settings(&good.replace("name = \"RULE\"", "name = \"renamed\""));
    keeper.signal(Signal::SIGHUP);
    keeper.wait("the new settings", || keeper.has_metric("rampart_settings_reloads_total{result=\"applied\"} 1")).await;
    keeper.wait("the new name", || async { keeper.run(&["status"]).1.contains("renamed") }).await;
    keeper.signal(Signal::SIGTERM);
    assert_eq!(keeper.end().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn operator_pauses_explains_and_trips_with_the_token_alone() {
    let chain = Chain::start(1).await;
    let mut keeper = Keeper::start(&chain, &[]).await;
    keeper.ready().await;
    let (ok, text) = keeper.run(&["pause", "--reason", "market test"]);
    assert!(ok && text.contains("liquidate") && text.contains("trips go on"), "{text}");
    keeper
        .wait("the pause to show", || async { keeper.run(&["status"]).1.contains("PAUSED liquidate: market test") })
        .await;
    let (ok, text) = keeper.run(&["explain", "RULE"]);
    assert!(ok && text.contains("no trip, it waits for \"the rule is true\"") && text.contains("bps left"), "{text}");
    let (ok, text) = keeper.run(&["trip", "RULE", "--yes"]);
    assert!(!ok && text.contains("nothing is sent") && text.contains("hint: `rampart explain RULE`"), "{text}");
    assert!(chain.sent().is_empty());

    // the API takes the token and addresses, and nothing else
    for (token, host, expected) in [("wrong", None, 401), ("", None, 401), ("wrong", Some("evil.example"), 421)] {
        assert_eq!(keeper.post("/api/v1/control/resume", token, host, "{\"classes\":[\"liquidate\"]}").await, expected);
    }
    assert!(keeper.run(&["status"]).1.contains("PAUSED liquidate"), "nothing was resumed");

    // a pause outlives the keeper
    keeper.signal(Signal::SIGTERM);
    assert_eq!(keeper.end().await, Some(0));
    let mut keeper = keeper.again().await;
    keeper.ready().await;
    chain.fall(700);
    keeper.wait("the trip", || async { !chain.sent().is_empty() }).await;
    let (ok, listed) = keeper.run(&["intents", "ls"]);
    assert!(ok && listed.contains("trip") && !listed.contains("liquidate"), "{listed}");
    let (ok, text) = keeper.run(&["resume"]);
    assert!(ok && text.contains("nothing is paused"), "{text}");
    keeper.wait("the liquidation", || async { keeper.run(&["intents", "ls"]).1.contains("liquidate") }).await;
    let (ok, text) = keeper.run(&["explain", &key(50).to_string()]);
    assert!(ok && text.contains("what was done about it") && text.contains("under way"), "{text}");
    assert!(!keeper.run(&["explain", "nothing"]).0);
    keeper.signal(Signal::SIGTERM);
    assert_eq!(keeper.end().await, Some(0));
    let log = keeper.log();
    assert!(!log.contains(&keeper.token()), "the token is in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_49_doctor_and_run_refuse_a_key_that_others_can_read_with_3() {
    use std::os::unix::fs::PermissionsExt;
    let chain = Chain::start(0).await;
    let mut keeper = Keeper::start(&chain, &[]).await;
    keeper.ready().await;
    let (ok, text) = keeper.run(&["doctor"]);
    assert!(ok, "{text}");
    for line in ["payer key", "endpoint http://127.0.0.1", "guard", "balance", "running keeper", "disk"] {
        assert!(text.contains(line), "{line} is missing: {text}");
    }
    keeper.signal(Signal::SIGTERM);
    assert_eq!(keeper.end().await, Some(0));
    let path = keeper.path("payer.json");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("its mode");
    for command in ["doctor", "run"] {
        let (code, text) = keeper.code(&[command]);
        assert_eq!(code, Some(3), "{text}");
        assert!(text.contains("0644") && text.contains("chmod 600"), "{text}");
    }
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("its mode");
    // another key than the file says
    let mut bytes: Vec<u8> = serde_json::from_str(&std::fs::read_to_string(&path).expect("the key")).expect("numbers");
    bytes[40] ^= 1;
    std::fs::write(&path, serde_json::to_string(&bytes).expect("numbers")).expect("a write");
    let (code, text) = keeper.code(&["run"]);
    assert_eq!(code, Some(3), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn recording_of_a_process_replays_to_the_same_decisions() {
    let chain = Chain::start(2).await;
    let mut keeper = Keeper::start(&chain, &[("RAMPART__CAPTURE__FILE", keeper::Keeper::CAPTURE.to_owned())]).await;
    keeper.ready().await;
    chain.fall(880);
    keeper.wait("the trip", || async { !chain.sent().is_empty() }).await;
    chain.fall(700);
    keeper.wait("liquidations", || async { keeper.run(&["intents", "ls"]).1.contains("liquidate") }).await;
    keeper.signal(Signal::SIGTERM);
    assert_eq!(keeper.end().await, Some(0));
    let file = keeper.path(keeper::Keeper::CAPTURE).display().to_string();
    let (ok, text) = keeper.run(&["replay", &file, "--diff"]);
    assert!(ok && text.contains(" 0 differ from the recording"), "{text}");
    let (ok, text) = keeper.run(&["replay", &file]);
    assert!(ok && text.contains(&format!(" trip {} fence 0", key(RULE))) && text.contains(" liquidate "), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn watch_without_a_terminal_tells_facts_as_lines() {
    let chain = Chain::start(0).await;
    let mut keeper = Keeper::start(&chain, &[]).await;
    keeper.ready().await;
    let lines = keeper.follow(&["watch"], "keeper_started").await;
    assert!(lines.contains("info keeper_started: keeper `k` started in mode act"), "{lines}");
    let lines = keeper.follow(&["watch", "--json"], "keeper_started").await;
    let first: Value = serde_json::from_str(lines.lines().next().expect("a line")).expect("JSON");
    assert_eq!((&first["schema"], &first["command"]), (&1.into(), &"watch".into()));
    keeper.signal(Signal::SIGTERM);
    assert_eq!(keeper.end().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_55_first_critical_sign_raises_the_level_by_the_guardians_key_once() {
    let chain = Chain::start(0).await;
    let pausing = [
        ("RAMPART__KEYS__GUARDIAN_FILE", "guardian.json".to_owned()),
        ("RAMPART__TAKEOVER__PAUSE_LEVELS", "true".to_owned()),
    ];
    let keeper = Keeper::start(&chain, &pausing).await;
    keeper.ready().await;
    // what is known has to be there before it can change
    keeper.wait("a first look", || async { keeper.log().contains("holds a durable nonce already") }).await;
    assert!(chain.sent().is_empty(), "what was there before the first look is told and not acted on");
    let (ok, text) = keeper.run(&["keys"]);
    assert!(ok, "{text}");
    chain.seize();
    keeper.wait("the pause", || async { !chain.sent().is_empty() }).await;
    let log = keeper.log();
    let moved = format!("the root of the guard moved from {} to {}", key(101), key(200));
    assert!(
        log.contains(&moved) && keeper.has_metric("rampart_takeover_signs_total{kind=\"role_moved\"} 1").await,
        "{log}"
    );
    let pause: Transaction = bincode::deserialize(&chain.sent()[0]).expect("a transaction");
    assert_eq!(pause.message.account_keys[0], chain.guardian.pubkey());
    assert!(pause.verify().is_ok(), "the guardian has signed it");
    // behind the compute limit and its price: it competes as trips do
    let of = &pause.message.instructions[2];
    assert_eq!(of.data[..8], *rampart::instruction::GuardianPause::DISCRIMINATOR);
    // level, seconds, epoch: the new one
    assert_eq!((of.data[8], &of.data[9..13], of.data[13]), (2, &3_600_u32.to_le_bytes()[..], 1));
    assert!(keeper.path("state/pause.json").exists(), "it was on the disk before it was sent");

    // a crash at this moment: the guardian's budget is not spent twice, and what was seen is not told as new
    keeper.signal(Signal::SIGKILL);
    let before: std::collections::BTreeSet<Vec<u8>> = chain.sent().into_iter().collect();
    let mut keeper = keeper.again_with(&pausing).await;
    keeper.ready().await;
    chain.seize();
    keeper.signal(Signal::SIGTERM);
    assert_eq!(keeper.end().await, Some(0));
    let after: std::collections::BTreeSet<Vec<u8>> = chain.sent().into_iter().collect();
    assert_eq!(before, after);
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_in_addresses_are_in_no_log_and_no_answer() {
    let chain = Chain::start(0).await;
    let secret = [("RAMPART__CLUSTER__RPC_URL", "http://user:SECRET@127.0.0.1:1/v2/SECRET?key=SECRET".to_owned())];
    let mut keeper = Keeper::start(&chain, &secret).await;
    // nobody is there: it tries for a while, says so, and ends
    assert_eq!(keeper.end().await, Some(5), "{}", keeper.log());
    let log = keeper.log();
    assert!(log.contains("no endpoint can be asked yet") && log.contains("Connection refused"), "{log}");
    assert!(!log.contains("SECRET"), "{log}");
    for words in [&["config", "print"][..], &["config", "print", "--json"], &["doctor"], &["keys"]] {
        let (_, text) = keeper.code_with(words, &secret);
        assert!(text.contains("127.0.0.1:1") || words == ["keys"], "{text}");
        assert!(!text.contains("SECRET"), "{words:?} tells it: {text}");
    }
}
