//! What the engine does for the operator, in the same world.

use super::*;
use crate::capture::{self, Step, Summary};
use crate::config::ScoreSettings;
use crate::control::{Command, Explanation, Group, Pauses, TripAnswer};
use crate::events::Severity;
use crate::intent::IntentId;
use crate::score::Scorer;
use crate::takeover::signs;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use rampart::state::rule::RuleParams;
use rampart::state::{Metric, Switch, Vault};
use rampart_score::policy::{Library, Policy};
use std::io::{Read, Write};
use std::path::Path;
use tokio::sync::{oneshot, watch};

fn paused(groups: &[Group]) -> Pauses {
    let mut pauses = Pauses::default();
    groups.iter().for_each(|group| pauses.add(*group, "market test", 5));
    pauses
}

fn trip(rig: &mut Rig, target: Pubkey, is_dry: bool) -> TripAnswer {
    let (reply, mut answer) = oneshot::channel();
    rig.engine.command(Command::Trip { target, is_dry, reply });
    answer.try_recv().expect("an answer")
}

fn explain(rig: &mut Rig, subject: Pubkey) -> Option<Explanation> {
    let (reply, mut answer) = oneshot::channel();
    rig.engine.command(Command::Explain { subject, reply });
    answer.try_recv().expect("an answer")
}

fn gap(milli_dollars: i128, slot: u64) -> Vec<Update> {
    vec![oracle(10, milli_dollars, slot), oracle(11, milli_dollars, slot)]
}

#[tokio::test]
async fn paused_class_is_left_alone_while_trips_go_on_and_is_taken_up_again() {
    let mut rig = Rig::new();
    let positions = [(key(50), rig.world.position(1_000_000, 600_000))];
    rig.engine.command(Command::Pauses(paused(Group::WITHOUT_TRIPS)));
    rig.load(&rig.world.rule(), &positions);
    rig.blockhash(blockhash(1));
    rig.engine.updates(gap(700, SLOT + 1));
    settle().await;
    let calls = rig.recorder.take();
    assert!(calls.contains(&("send", ActionClass::Trip, key(RULE))), "{calls:?}");
    assert!(calls.iter().all(|call| call.1 == ActionClass::Trip), "{calls:?}");
    let view = rig.engine.view();
    let shown: Vec<_> =
        view.keeper.paused.iter().map(|paused| (paused.class.as_str(), paused.reason.as_str())).collect();
    assert!(shown.contains(&("liquidate", "market test")) && shown.len() == Group::WITHOUT_TRIPS.len(), "{shown:?}");
    let why = explain(&mut rig, key(50)).expect("a position");
    assert!(why.answer.contains("waits for \"no operator paused its class\": paused: market test"), "{}", why.answer);
    rig.engine.command(Command::Pauses(Pauses::default()));
    rig.engine.tick();
    settle().await;
    assert!(rig.recorder.take().contains(&("send", ActionClass::Liquidate, key(50))));
}

#[tokio::test]
async fn paused_trips_are_held_back_and_the_operator_is_told_why() {
    let mut rig = Rig::new();
    rig.load(&rig.world.rule(), &[]);
    rig.engine.command(Command::Pauses(paused(&[Group::Trip])));
    rig.blockhash(blockhash(1));
    rig.engine.updates(gap(850, SLOT + 1));
    settle().await;
    assert!(rig.recorder.take().is_empty());
    let answer = trip(&mut rig, key(RULE), false);
    assert!(!answer.is_sent && answer.text.contains("`rampart resume --class trip`"), "{}", answer.text);
    settle().await;
    assert!(rig.recorder.take().is_empty());
}

#[tokio::test]
async fn trip_by_hand_says_what_it_would_do_and_sends_once_without_waiting_for_ranks() {
    let mut rig = Rig::new();
    let mut config = config(rig.world.guard_key);
    (config.tx.stagger.rank, config.tx.stagger.slots) = (8, 64);
    rig.engine.command(Command::Settings(Arc::new(config)));
    rig.load(&rig.world.rule(), &[]);
    rig.blockhash(blockhash(1));
    settle().await;
    let refused = trip(&mut rig, key(RULE), false);
    assert!(!refused.is_possible && refused.text.contains("it waits for \"the rule is true\""), "{}", refused.text);
    let unknown = trip(&mut rig, key(99), false);
    assert!(unknown.text.contains("no rule or group"), "{}", unknown.text);
    let vault = rig.world.vault_key;
    let wrong = trip(&mut rig, vault, false);
    assert!(wrong.text.contains("is a vault"), "{}", wrong.text);
    rig.engine.updates(gap(850, SLOT + 1));
    settle().await;
    assert!(rig.recorder.take().is_empty(), "left to the ranks before it");
    let dry = trip(&mut rig, key(RULE), true);
    assert!(
        dry.is_possible && !dry.is_sent && dry.text.contains("measured 1496 at a threshold of 1000"),
        "{}",
        dry.text
    );
    settle().await;
    assert!(rig.recorder.take().is_empty(), "it was only asked");
    let sent = trip(&mut rig, key(RULE), false);
    assert!(sent.is_sent && sent.fence == Some(0), "{}", sent.text);
    settle().await;
    assert_eq!(rig.recorder.take().iter().filter(|call| call.0 == "send").count(), 1);
    assert!(rig.events().contains(&EventKind::TripAsked));
    let again = trip(&mut rig, key(RULE), false);
    assert!(!again.is_sent && again.text.contains("under way"), "{}", again.text);
}

#[tokio::test]
async fn explanations_name_inputs_thresholds_distance_fence_and_the_first_obstacle() {
    let mut rig = Rig::new();
    let positions = [(key(50), rig.world.position(1_000_000, 600_000))];
    rig.load(&rig.world.rule(), &positions);
    rig.blockhash(blockhash(1));
    rig.engine.tick();
    let text = |why: &Explanation, name: &str| {
        why.inputs.iter().find(|input| input.name == name).map(|input| input.value.clone()).unwrap_or_default()
    };
    let rule = explain(&mut rig, key(RULE)).expect("a rule");
    assert_eq!(text(&rule, "distance"), "1000 bps left until it is above the threshold");
    assert_eq!(text(&rule, "fence"), "trip_epoch 0");
    assert!(rule.answer.starts_with("no trip, it waits for \"the rule is true\": clear, 0 bps"), "{}", rule.answer);
    let position = explain(&mut rig, key(50)).expect("a position");
    assert_eq!(text(&position, "loan-to-value"), "5994 bps");
    assert_eq!(text(&position, "distance"), "a fall of 2008 bps to the soft line, 2507 bps to the liquidation line");
    assert!(
        position.answer.contains("waits for \"its loan-to-value is at the soft line\": 5994 bps"),
        "{}",
        position.answer
    );
    rig.engine.updates(gap(700, SLOT + 1));
    let position = explain(&mut rig, key(50)).expect("a position");
    assert!(position.answer.starts_with("liquidate: a transaction is under way"), "{}", position.answer);
    for (subject, kind) in
        [(rig.world.vault_key, "vault"), (rig.world.asset_keys[0], "asset"), (rig.world.guard_key, "guard")]
    {
        let why = explain(&mut rig, subject).expect(kind);
        assert!(why.kind == kind && !why.answer.is_empty() && !why.inputs.is_empty(), "{why:?}");
    }
    assert_eq!(explain(&mut rig, key(200)), None);
}

#[tokio::test]
async fn explanation_tells_the_hours_fees_of_the_class() {
    let mut rig = Rig::new();
    rig.load(&rig.world.rule(), &[(key(50), rig.world.position(1_000_000, 600_000))]);
    let text = |why: &Explanation| {
        why.inputs.iter().find(|input| input.name == "fees of the hour").map(|input| input.value.clone())
    };
    let why = explain(&mut rig, key(50)).expect("a position");
    let expected = "7000 lamports by deleverage, 49000000 by all but trips, of 50000000 (budget.lamports_per_hour)";
    assert_eq!(text(&why).as_deref(), Some(expected));
    let hour =
        why.conditions.iter().find(|condition| condition.what == "the hour's fees are not used up").expect("told");
    assert!(hour.is_met && hour.detail.starts_with("1000000 lamports left, one costs "), "{}", hour.detail);
    let rule = explain(&mut rig, key(RULE)).expect("a rule");
    assert_eq!(text(&rule).as_deref(), Some("7000 lamports by trip; trips are never refused"));
    assert!(rule.conditions.iter().all(|condition| condition.what != hour.what), "nothing holds a trip back");
}

#[tokio::test]
async fn liquidation_that_brings_too_little_is_counted_once_and_explained() {
    let mut rig = Rig::new();
    let mut config = config(rig.world.guard_key);
    config.economics.min_profit_micro_usd = Some(i64::MAX);
    rig.engine.command(Command::Settings(Arc::new(config.clone())));
    rig.load(&rig.world.rule(), &[(key(50), rig.world.position(1_000_000, 600_000))]);
    rig.blockhash(blockhash(1));
    for slot in 1..12 {
        rig.engine.updates(gap(700, SLOT + slot).into_iter().chain([clock(SLOT + slot, NOW)]).collect());
    }
    settle().await;
    assert!(rig.recorder.take().iter().all(|call| call.1 != ActionClass::Liquidate));
    let count = |rig: &Rig| {
        let text = rig.engine.metrics.render();
        let of = |line: &str| {
            line.starts_with("rampart_liquidations_declined_total{class=\"liquidate\"") && !line.ends_with(" 0")
        };
        text.lines().filter(|line| of(line)).map(str::to_owned).collect::<Vec<_>>()
    };
    let expected = "rampart_liquidations_declined_total{class=\"liquidate\",reason=\"too_little\"} 1";
    assert_eq!(count(&rig), [expected], "once, however often it is weighed");
    let why = explain(&mut rig, key(50)).expect("a position");
    assert!(why.answer.starts_with("no liquidate, it waits for \"there is a way that is worth it\""), "{}", why.answer);
    let view = rig.engine.view();
    assert_eq!(view.vaults[0].positions.declined, 1);
    // below zero: what it may cost
    config.economics.min_profit_micro_usd = Some(i64::MIN);
    rig.engine.command(Command::Settings(Arc::new(config)));
    rig.engine.updates(gap(700, SLOT + 16).into_iter().chain([clock(SLOT + 16, NOW)]).collect());
    settle().await;
    assert!(rig.recorder.take().contains(&("send", ActionClass::Liquidate, key(50))));
    assert_eq!(rig.engine.view().vaults[0].positions.declined, 0);
}

#[tokio::test]
async fn readiness_is_told_once_it_has_turned_for_good() {
    let mut rig = Rig::new();
    rig.load(&rig.world.rule(), &[]);
    rig.blockhash(blockhash(1));
    rig.engine.tick();
    let ready = rig.engine.view();
    for _ in 0..20 {
        rig.engine.tell_ready(&ready);
    }
    let mut broken = ready.clone();
    (broken.keeper.ready, broken.keeper.not_ready_reasons) = (false, vec!["no fresh blockhash".into()]);
    rig.engine.tell_ready(&broken);
    rig.engine.tell_ready(&ready);
    assert_eq!(
        rig.events().iter().filter(|kind| **kind == EventKind::KeeperNotReady).count(),
        0,
        "a moment is no news"
    );
    for _ in 0..20 {
        rig.engine.tell_ready(&broken);
    }
    let told =
        rig.events().into_iter().filter(|kind| matches!(kind, EventKind::KeeperReady | EventKind::KeeperNotReady));
    assert_eq!(told.collect::<Vec<_>>(), [EventKind::KeeperReady, EventKind::KeeperNotReady]);
}

/// A run with a crash: a trip, liquidations, a loss of the race, an expiry, and a pause in between.
async fn recorded_run(path: &Path) -> Vec<(IntentId, ActionClass)> {
    let mut rig = Rig::new();
    let recorder = capture::Recorder::start(path, &config(rig.world.guard_key), Metrics::new()).expect("a recording");
    rig.engine.record_to(recorder);
    let positions = [
        (key(50), rig.world.position(1_000_000, 600_000)),
        (key(51), rig.world.position(1_000_000, 550_000)),
        (key(52), rig.world.position(1_000_000, 100_000)),
    ];
    rig.load(&rig.world.rule(), &positions);
    let mut decided = Vec::new();
    for (at, price) in [990, 940, 880, 780, 740, 700, 690, 720, 800, 900].into_iter().enumerate() {
        let slot = SLOT + 1 + at as u64;
        rig.blockhash(blockhash(at as u8));
        rig.engine.updates(gap(price, slot));
        rig.engine.updates(vec![clock(slot, NOW + at as i64)]);
        settle().await;
        for (what, class, target) in rig.recorder.take() {
            if what == "send" {
                let intent = Intent { class, target, fence: 0, reason: String::new() };
                decided.push((intent.id(), class));
                let outcome = match at % 3 {
                    0 => Outcome::Expired,
                    1 => Outcome::Landed { slot, compute_units: Some(5) },
                    _ => Outcome::Unknown,
                };
                rig.engine.outcome(&intent, &outcome);
            }
        }
        if at == 4 {
            rig.engine.command(Command::Pauses(paused(&[Group::Deleverage])));
        }
        rig.engine.tick();
    }
    decided
}

fn replayed(path: &Path) -> (Summary, Vec<Step>) {
    let mut steps = Vec::new();
    let summary = capture::replay(path, |step| steps.push(step.clone())).expect("a recording");
    (summary, steps)
}

#[tokio::test]
async fn replay_of_a_run_decides_the_same_byte_for_byte() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("capture.gz");
    let acted = recorded_run(&path).await;
    let (summary, steps) = replayed(&path);
    assert_eq!((summary.differing, summary.lost, summary.is_torn), (0, 0, false));
    assert!(summary.decided >= 3 && summary.steps > summary.decided, "{summary:?}");
    let bytes = |of: fn(&Step) -> &Vec<capture::Decided>| {
        steps.iter().map(|step| serde_json::to_vec(of(step)).expect("plain data")).collect::<Vec<_>>()
    };
    assert_eq!(bytes(|step| &step.recorded), bytes(|step| &step.decided));
    let lines: Vec<String> = steps.iter().flat_map(|step| &step.decided).map(capture::Decided::line).collect();
    for class in [ActionClass::Trip, ActionClass::Liquidate] {
        assert!(acted.iter().any(|(_, acted)| *acted == class), "the run has a {class}");
        assert!(lines.iter().any(|line| line.starts_with(class.as_str())), "{lines:#?}");
    }
}

#[tokio::test]
async fn replay_sees_a_decision_that_changed() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("capture.gz");
    recorded_run(&path).await;
    let mut text = String::new();
    GzDecoder::new(std::fs::File::open(&path).expect("the file")).read_to_string(&mut text).expect("whole");
    // as if this build no longer tripped
    let changed = text.replace("\"trip\":true", "\"trip\":false");
    assert_ne!(changed, text);
    let mut file = GzEncoder::new(std::fs::File::create(&path).expect("a file"), Compression::fast());
    file.write_all(changed.as_bytes()).expect("a write");
    file.finish().expect("an end");
    let (summary, steps) = replayed(&path);
    assert!(summary.differing > 0, "{summary:?}");
    let first = steps.iter().find(|step| !step.is_same()).expect("a step that differs");
    let has_trip = |all: &[capture::Decided]| all.iter().any(|decided| decided.line().starts_with("trip "));
    assert!(has_trip(&first.recorded) && !has_trip(&first.decided), "{first:?}");
}

/// What an attacker leaves of a vault after `drained` base units of the loan asset left it.
fn drained(vault: &Vault, drained: u64, now_ts: i64) -> Vault {
    let mut vault = *vault;
    vault.loan_flow.base.amount = 1_000_000_000;
    vault.loan_flow.base.last_amount = 1_000_000_000;
    (vault.loan_flow.base.last_ts, vault.loan_flow.base.started_ts) = (now_ts, now_ts - 3_600);
    vault.loan_flow.risk.day.settle(now_ts);
    vault.loan_flow.risk.day.record(drained);
    vault.cash_amount -= drained;
    vault
}

#[tokio::test]
async fn fault_55_takeover_is_told_at_its_first_sign_and_trips_before_the_configured_loss() {
    const DRAINS: u64 = 31;
    const SECS: u64 = 12 * 60;
    const SLOT_MS: u64 = 400;
    const THRESHOLD_BPS: u64 = 2_000;
    let mut rig = Rig::new();
    let (sender, standings) = watch::channel(None);
    rig.engine.tell_standing_to(sender);
    let mut rule = rig.world.rule();
    rule.subject = rig.world.vault_key;
    (rule.params.metric, rule.params.threshold, rule.params.clear_threshold) =
        (Metric::OutflowRate as u8, THRESHOLD_BPS, 1_000);
    (rule.params.window_secs, rule.params.sources_required) = (3_600, 1);
    // the vault of this world has no base yet, of which any outflow is too much: the rule waits until it has one
    let off = Rule { params: RuleParams { switch: Switch::Disabled as u8, ..rule.params }, ..rule };
    rig.load(&off, &[]);
    let vault = drained(&rig.world.vault(), 0, NOW);
    rig.engine.updates(vec![account(rig.world.vault_key, bytes_of(&vault), SLOT + 1)]);
    rig.engine.updates(vec![account(key(RULE), bytes_of(&rule), SLOT + 1)]);
    rig.blockhash(blockhash(1));
    rig.engine.tick();
    settle().await;
    assert!(rig.recorder.take().iter().all(|call| call.0 != "send"), "nothing left yet");
    let calm = standings.borrow().clone().expect("the guard is known");

    // the script: roles move, a limit is lifted, then 31 drains within twelve minutes
    let slot_at = |secs: u64| SLOT + 10 + secs * 1_000 / SLOT_MS;
    let mut guard = rig.world.guard;
    guard.roles.root = key(200);
    guard.authority_epoch += 1;
    rig.engine.updates(vec![account(rig.world.guard_key, bytes_of(&guard), slot_at(0))]);
    let moved = standings.borrow().clone().expect("the guard is known");
    let first = signs(&calm, &moved);
    assert_eq!(
        first.iter().map(|sign| (sign.kind, sign.severity)).collect::<Vec<_>>(),
        [("role_moved", Severity::Critical)]
    );
    let mut vault = vault;
    vault.limits.borrow_cap_amount = u64::MAX;
    rig.engine.updates(vec![account(rig.world.vault_key, bytes_of(&vault), slot_at(1))]);
    let lifted = standings.borrow().clone().expect("the guard is known");
    assert!(
        signs(&moved, &lifted).iter().any(|sign| sign.kind == "limit_raised" && sign.severity == Severity::Critical)
    );

    let mut tripped_at = None;
    for drain in 1..=DRAINS {
        let secs = 2 + drain * SECS / DRAINS;
        let (slot, now_ts) = (slot_at(secs), NOW + secs as i64);
        let left = drain * 1_000_000_000 / DRAINS;
        rig.engine.updates(vec![
            clock(slot, now_ts),
            account(rig.world.vault_key, bytes_of(&drained(&vault, left, now_ts)), slot),
        ]);
        settle().await;
        if rig.recorder.take().contains(&("send", ActionClass::Trip, key(RULE))) {
            tripped_at = Some((drain, slot, left));
            break;
        }
    }
    let (drain, slot, lost) = tripped_at.expect("the rule trips");
    // the rule is true once a fifth is gone: with drains of a 31st, that is the seventh
    assert_eq!(drain, 7);
    assert!(lost * 10_000 / 1_000_000_000 <= THRESHOLD_BPS + 10_000 / DRAINS, "{lost}");
    let (since_sign, since_drain) = (slot - slot_at(0), slot - slot_at(2 + SECS / DRAINS));
    println!(
        "takeover: trip {since_sign} slots after the first sign, {since_drain} after the first drain, {lost} of 1000000000 lost"
    );
    assert!(since_drain < SECS * 1_000 / SLOT_MS / 4, "{since_drain}");
}

#[tokio::test]
async fn pool_in_which_collateral_is_sold_is_watched_with_its_tokens_and_told() {
    let mut rig = Rig::new();
    let asset = rig.world.asset_keys[0];
    let market = format!("[[market]]\nasset = \"{asset}\"\npool = \"{}\"", key(81));
    rig.engine.scorer = Scorer::new(&toml::from_str(&market).expect("settings")).expect("a scorer");
    rig.load(&rig.world.rule(), &[]);
    let is_watched = |rig: &Rig| [81, 82, 83].map(|n| rig.engine.sources.set.raw.contains(&key(n)));
    assert_eq!(is_watched(&rig), [true, false, false]);
    let raw = |n: u8, data: Vec<u8>| Update { lamports: 1, data, ..Update::absent(key(n), SLOT + 1, Origin::Push) };
    rig.engine.updates(vec![raw(81, testing::pool(key(20), key(21)))]);
    rig.engine.tick();
    assert_eq!(is_watched(&rig), [true; 3]);
    let sides = [(82, 20), (83, 21)].map(|(n, mint)| raw(n, testing::token_account(&key(mint), &key(81), 98_000_000)));
    rig.engine.updates(sides.into_iter().chain([clock(SLOT + 1, NOW + 1)]).collect());
    rig.engine.tick();
    let why = explain(&mut rig, asset).expect("an asset");
    let told = why.inputs.iter().find(|input| input.name == "sold at").expect("it is named");
    assert_eq!(told.value, format!("pool {}: takes 2 dollars within 2 %, fee 30.0 bps", key(81)));
}

#[tokio::test]
async fn falls_and_values_at_risk_are_told_in_explanation_view_and_metrics_and_unknown_ones_are_no_zero() {
    let dir = tempfile::tempdir().expect("a directory");
    let past_file = dir.path().join("past.csv");
    // three days of five minutes that go up and down by half a percent from hour to hour
    let lines =
        (1..=3 * 288_i64).map(|bar| format!("{},1,1,1,{}\n", NOW - 300 * bar, 1.0 + 0.005 * (bar / 12 % 2) as f64));
    std::fs::write(&past_file, lines.collect::<String>()).expect("a file");
    let mut rig = Rig::new();
    let [asset, loan] = rig.world.asset_keys;
    let mut config = config(rig.world.guard_key);
    config.history.enabled = false;
    let market =
        format!("[[market]]\nasset = \"{asset}\"\nvolume_day_usd = 1\nspread_bps = 1\npast_file = {past_file:?}");
    config.score = toml::from_str(&market).expect("settings");
    rig.engine.scorer = Scorer::new(&config.score).expect("a scorer");
    rig.engine.scorer.remember(crate::score::Past::read(&config, NOW).await);
    rig.load(&rig.world.rule(), &[]);
    rig.engine.tick();
    let mut said = |subject: Pubkey| {
        let why = explain(&mut rig, subject).expect("an asset");
        let names = ["fall through the buffer within 6 h, 24 h", "value at risk of an hour, 99 %, 99.9 %"];
        names.map(|name| why.inputs.iter().find(|input| input.name == name).expect("it is told").value.clone())
    };
    let (known, unknown) = (said(asset), said(loan));
    assert_eq!(unknown, ["unknown, unknown"; 2], "nobody knows what the loan cost before");
    let shown = rig.engine.view().keeper.score.subjects;
    let of =
        |subject: Pubkey| shown.iter().find(|view| view.subject == subject.to_string()).expect("it is shown").clone();
    let view = of(loan);
    assert_eq!((view.fall_6h, view.fall_24h, view.value_at_risk_99, view.value_at_risk_999), (None, None, None, None));
    let view = of(asset);
    let [six_hours, day, usual, rare] =
        [view.fall_6h, view.fall_24h, view.value_at_risk_99, view.value_at_risk_999].map(|value| value.expect("known"));
    assert!(0.0 < six_hours && six_hours < day && day < 1.0 && 0.001 < usual && usual < rare, "{view:?}");
    let percent = |[one, other]: [f64; 2]| format!("{:.2} %, {:.2} %", 100.0 * one, 100.0 * other);
    assert_eq!(known, [percent([six_hours, day]), percent([usual, rare])]);
    let said = rig.engine.scorer.of(&asset).expect("it was seen").said;
    assert_eq!((view.band.as_str(), view.score_bps), (said.band.name(), said.score.bps));
    let metrics = rig.engine.metrics.render();
    for (name, value) in [
        ("fall_probability_ratio{horizon=\"6h\"}", six_hours),
        ("fall_probability_ratio{horizon=\"24h\"}", day),
        ("value_at_risk_ratio{level=\"99\"}", usual),
        ("value_at_risk_ratio{level=\"99.9\"}", rare),
    ] {
        let told = metrics.lines().find_map(|line| line.strip_prefix(&format!("rampart_{name} "))).expect(name);
        assert_eq!(told.parse(), Ok(value), "{name}");
    }
    let cold = Rig::new().engine.metrics.render();
    assert!(!cold.contains("fall_probability_ratio{") && !cold.contains("value_at_risk_ratio{"), "{cold}");
}

#[tokio::test]
async fn policy_in_shadow_is_told_by_version_and_hash_in_explanation_view_and_metrics() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("library.json");
    let policy = Policy::from_json(include_str!("../../../artifacts/models/policy-v1.json")).expect("it ships");
    std::fs::write(&path, Library::promote(None, policy.clone()).expect("a library").to_json()).expect("a file");
    let mut rig = Rig::new();
    let settings = ScoreSettings { library_file: Some(path), ..ScoreSettings::default() };
    rig.engine.scorer = Scorer::new(&settings).expect("a scorer");
    rig.load(&rig.world.rule(), &[(key(50), rig.world.position(1_000_000, 600_000))]);
    rig.engine.updates(gap(700, SLOT + 1));
    rig.engine.tick();
    let text = |why: &Explanation, name: &str| {
        why.inputs.iter().find(|input| input.name == name).map(|input| input.value.clone()).unwrap_or_default()
    };
    let (version, hash) = (policy.card().version, policy.hash());
    let key = rig.world.vault_key;
    let vault = explain(&mut rig, key).expect("a vault");
    let told = text(&vault, "policy");
    assert!(told.starts_with(&format!("pool-lspi version {version}, {}, would ", &hash[..12])), "{vault:?}");
    assert_eq!(
        text(&vault, "risk: weights"),
        "market 100 %, oracle 100 %, liquidity 100 %, run 100 %, staleness 60 %, system 50 %, operations 50 %"
    );
    let key = rig.world.guard_key;
    let guard = explain(&mut rig, key).expect("a guard");
    assert_eq!(text(&guard, "policy in shadow"), format!("pool-lspi version {version}, {hash}; rules drive"));
    let shown = rig.engine.view().keeper.score.library;
    assert_eq!((shown.state.as_str(), shown.decisions, shown.policies[0].hash.as_str()), ("shadow", 1, hash));
    let metrics = rig.engine.metrics.render();
    let line = format!("rampart_model_info{{kind=\"policy\",version=\"{version}\",hash=\"{}\"}} 1", &hash[..12]);
    assert!(metrics.contains(&line) && metrics.contains("rampart_library_refused_state 0"), "{metrics}");
}
