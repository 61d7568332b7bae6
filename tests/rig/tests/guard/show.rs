//! What `guard show` tells.

use crate::desk::Desk;
use rampart::constants::MIN_LOOSEN_DELAY_SECS;
use rampart::state::{Change, VaultLimits};
use rampart_client::{Pubkey, address};
use rampart_keeper::guard::snapshot::Snapshot;
use rampart_keeper::guard::view::{Names, text, view};
use rampart_keeper::watch::{Origin, Update};
use rampart_tests::World;
use rampart_tests::officers::Officer;
use solana_sdk::signer::Signer;

/// Everything of the world's guard, without a network.
pub fn snapshot_of(world: &World) -> Snapshot {
    snapshot_at(world, world.guard)
}

/// As [`snapshot_of`], of another guard.
pub fn snapshot_at(world: &World, guard: Pubkey) -> Snapshot {
    let mut snapshot = Snapshot::of(guard);
    for (key, account) in &world.svm.accounts_db().inner {
        let account = solana_sdk::account::Account::from(account.clone());
        let update = Update {
            owner: account.owner,
            lamports: account.lamports,
            data: account.data,
            ..Update::absent(*key, 1, Origin::Poll)
        };
        snapshot.take(&update);
    }
    snapshot
}

fn raised(world: &World) -> Change {
    let limits = world.vault().limits;
    Change::VaultLimits(VaultLimits { supply_cap_amount: limits.supply_cap_amount + 1_000_000, ..limits })
}

fn pause(world: &mut World, secs: u32) {
    let args = rampart::GuardianPauseArgs { level: 1, duration_secs: secs, validity: world.validity() };
    let key = Officer::FirstGuardian.key();
    let ix = rampart_client::guardian::guardian_pause(key.pubkey(), world.guard, world.guard, args);
    world.send(&[ix], &[&key]).expect("guardian pauses");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn show_tells_vaults_rules_changes_and_pauses_as_they_stand() {
    let desk = Desk::new().await;
    desk.world(|world| {
        let change = raised(world);
        world.propose(world.keys.vault, change);
        pause(world, 3_600);
    });
    desk.settle().await;
    let answer = desk.guard(&["show"]).await.expect("an answer");
    let data = &answer.data;
    assert_eq!(data["vaults"][0]["name"], "SOL/USDC");
    assert_eq!(data["vaults"][0]["risk"]["ltv_bps"], 7_000);
    assert_eq!(data["rules"][0]["params"]["metric"], "drawdown");
    assert_eq!(data["pending"][0]["group"], "vault-limits");
    assert_eq!(data["pending"][0]["moves"][0]["field"], "supply_cap_amount");
    assert_eq!(data["pending"][0]["direction"], "looser");
    assert_eq!((&data["causes"][0]["kind"], &data["causes"][0]["level"]), (&"pause".into(), &"Caution".into()));
    assert_eq!(data["budgets"].as_array().map(Vec::len), Some(2));
    for words in [
        "when the fall of SOL from its high of 10 min is at or above 10 % at once, by 2 sources: ReduceOnly for SOL for 1 h",
        "supply_cap_amount: 100,000,000 loan tokens -> 100,000,001 loan tokens (looser)",
        "0 vault-limits of SOL/USDC, looser: may be executed in ",
        "liquidation_line_bps",
    ] {
        assert!(answer.text.contains(words), "{words}\n{}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn show_of_what_is_no_guard_says_so() {
    let desk = Desk::new().await;
    let error = desk.guard(&["show", "--guard", &rampart::ID.to_string()]).await.expect_err("a refusal");
    assert_eq!(error.to_string(), format!("there is no guard at {} on this chain", rampart::ID));
    assert_eq!(error.exit_code(), 4);
}

#[test]
fn pending_change_counts_down_ripens_expires_and_is_void_once_its_value_moves() {
    let mut world = World::with_vault();
    let change = raised(&world);
    world.propose(world.keys.vault, change);
    let (snapshot, now) = (snapshot_of(&world), world.now_ts());
    let state = |snapshot: &Snapshot, now_ts| {
        let report = view(snapshot, &Names::new(), now_ts).expect("known values").expect("a guard");
        let pending = &report.pending[0];
        assert!(text(&report, now_ts).contains(&pending.words));
        (pending.state, pending.words.clone())
    };
    let delay = i64::from(MIN_LOOSEN_DELAY_SECS);
    assert_eq!(state(&snapshot, now), ("waits", "may be executed in 2 d 0 h".into()));
    assert_eq!(state(&snapshot, now + delay - 61), ("waits", "may be executed in 1 min 1 s".into()));
    assert_eq!(state(&snapshot, now + delay), ("ripe", "may be executed now, for 3 d 0 h".into()));
    assert_eq!(state(&snapshot, now + delay + 3 * 86_400).0, "expired");
    let mut vault = world.vault();
    vault.limits.supply_cap_amount -= 1;
    let key = world.keys.vault;
    world.store(&key, &vault);
    assert_eq!(state(&snapshot_of(&world), now).0, "void");
    assert!(snapshot.changes.contains_key(&address::change(&world.guard, 0)));
}
