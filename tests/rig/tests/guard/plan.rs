//! A file against the chain: the templates against the program, and `plan` and `apply` from the terminal.

use crate::desk::Desk;
use crate::show::snapshot_at;
use rampart::state::Switch;
use rampart_client::address;
use rampart_keeper::error::KeeperError;
use rampart_keeper::guard::file::GuardFile;
use rampart_keeper::guard::plan::{Mints, Only, Plan, Terms, plan};
use rampart_keeper::guard::snapshot::Snapshot;
use rampart_keeper::guard::spec::SwitchName;
use rampart_rig::templates::{TEMPLATES, filled, template, template_path};
use rampart_tests::World;

fn mints(world: &World) -> Mints {
    [world.sol, world.usdc].map(|mint| (mint.mint, mint.token_program)).into()
}

fn planned(file: &GuardFile, world: &World) -> Plan {
    planned_of(file, world, Only::All)
}

fn planned_of(file: &GuardFile, world: &World, only: Only) -> Plan {
    let snapshot: Snapshot = snapshot_at(world, file.address());
    let terms = Terms { tightens: None, expires_at_ts: world.now_ts() + 600, now_ts: world.now_ts(), only };
    plan(file, &snapshot, &mints(world), terms).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn templates_pass_the_programs_own_checks_and_stand_for_nobodys_keys() {
    for name in TEMPLATES {
        let file = template(name);
        assert_eq!(file.problems(), Vec::<String>::new(), "{name}");
        assert!(file.placeholder().is_some(), "{name}: keys are for its user to fill in");
    }
}

#[test]
fn program_creates_every_template_and_a_second_plan_is_empty() {
    for name in TEMPLATES {
        let mut world = World::with_guard();
        let file = filled(template(name), &world);
        let first = planned(&file, &world);
        assert!(first.steps.len() >= 8 && first.notes.is_empty(), "{name}: {:?}", first.notes);
        for step in &first.steps {
            let landed = world.send_as_root(&step.act.instructions);
            landed.unwrap_or_else(|failed| {
                panic!("{name} {}: {:?}\n{}", step.subject, failed.err, failed.meta.logs.join("\n"))
            });
        }
        let second = planned(&file, &world);
        assert!(second.steps.is_empty(), "{name}: {:?}", second.steps.iter().map(|s| &s.act.what).collect::<Vec<_>>());
    }
}

#[test]
fn mixed_change_is_tightened_at_once_and_its_looser_part_proposed_once() {
    let mut world = World::with_guard();
    let mut file = filled(template("sol"), &world);
    for step in planned(&file, &world).steps {
        world.send_as_root(&step.act.instructions).expect("it is created");
    }
    let limits = &mut file.vaults[0].limits;
    (limits.supply_cap_amount, limits.borrow_cap_amount) = (22_000_000_000_000, 15_000_000_000_000);
    let kinds = |plan: &Plan| plan.steps.iter().map(|step| (step.kind, step.act.moves.len())).collect::<Vec<_>>();
    // the new vault's scale has used the step of the day
    assert_eq!(kinds(&planned(&file, &world)), [("propose", 2)]);
    world.advance(86_401);
    file.rules[0].params.threshold -= 100;
    let one = planned_of(&file, &world, Only::Named(vec!["rule 1".into()]));
    assert_eq!(one.steps.iter().map(|step| step.subject.as_str()).collect::<Vec<_>>(), ["rule 1"]);
    assert!(planned_of(&file, &world, Only::Missing).steps.is_empty());
    file.rules[0].params.threshold += 100;
    let plan = planned(&file, &world);
    assert_eq!(kinds(&plan), [("tighten", 1), ("propose", 1)]);
    for step in &plan.steps {
        world.send_as_root(&step.act.instructions).expect("it lands");
    }
    let vault = address::vault(&file.address(), &world.sol.mint, &world.usdc.mint);
    let stands: rampart::state::Vault = world.load(&vault);
    assert_eq!(
        (stands.limits.borrow_cap_amount, stands.limits.supply_cap_amount),
        (15_000_000_000_000, 20_000_000_000_000)
    );
    let again = planned(&file, &world);
    assert!(again.steps.is_empty());
    let note = |id| format!("SOL/USDC: change {id} waits already; `guard execute {id}` once it is ripe");
    assert_eq!(again.notes, [note(1), note(0)]);
    world.advance(i64::from(file.guard.loosen_delay_secs));
    for id in [0, 1] {
        let change = address::change(&file.address(), id);
        let ix = rampart_client::control::execute_change(change, &world.load(&change), &[]);
        world.send(&[ix], &[]).expect("it is ripe");
    }
    assert!(planned(&file, &world).notes.is_empty() && planned(&file, &world).steps.is_empty());
}

/// A new vault spends nothing of the reserve: that it is covered waits, however the file is applied.
#[test]
fn cover_of_a_new_vault_is_proposed_and_waits() {
    let mut world = World::with_guard();
    let mut file = filled(template("sol"), &world);
    file.vaults[0].cover = Some(SwitchName::Enabled);
    let vault = address::vault(&file.address(), &world.sol.mint, &world.usdc.mint);
    let first = planned(&file, &world);
    let cover = first.steps.iter().find(|step| step.act.moves.iter().any(|moved| moved.field == "switch"));
    let cover = cover.expect("a step about the cover");
    assert_eq!((cover.kind, cover.act.target, cover.act.moves[0].direction), ("propose", vault, "looser"));
    for step in &first.steps {
        world.send_as_root(&step.act.instructions).expect("it lands");
    }
    let stands = |world: &World| world.load::<rampart::state::Vault>(&vault).cover_switch();
    assert_eq!(stands(&world), Switch::Disabled);
    world.advance(i64::from(file.guard.loosen_delay_secs));
    // the file's other changes wait in the same queue
    let proposed: Vec<_> = first.steps.iter().filter(|step| step.kind == "propose").collect();
    let place = proposed.iter().position(|step| step.act.moves.iter().any(|moved| moved.field == "switch"));
    let change = address::change(&file.address(), place.expect("the cover is among them") as u64);
    let pending: rampart::state::PendingChange = world.load(&change);
    assert_eq!((pending.group, pending.target), (rampart::state::ChangeGroup::VaultCover as u8, vault));
    let ix = rampart_client::control::execute_change(change, &pending, &[]);
    world.send(&[ix], &[]).expect("it is ripe");
    assert_eq!(stands(&world), Switch::Enabled);
    assert!(planned(&file, &world).steps.is_empty());
}

/// Writes a guard file and returns its path.
pub(super) fn write(desk: &Desk, file: &GuardFile) -> String {
    let path = desk.path("guard.toml");
    std::fs::write(&path, toml::to_string(file).expect("TOML")).expect("a file");
    path.display().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn apply_sends_what_plan_shows_and_then_there_is_nothing_to_do() {
    let desk = Desk::new().await;
    let root = desk.root();
    let file = desk.world(|world| filled(template("sol"), world));
    let path = write(&desk, &file);
    let shown = desk.guard(&["plan", &path]).await.expect("a plan");
    assert!(shown.text.contains("+ SOL/USDC: create SOL/USDC, holds at once"), "{}", shown.text);
    let unasked = desk.guard(&["apply", &path, "--signer", &root]).await.expect("a plan");
    assert!(unasked.text.ends_with("nothing is sent; `--yes` sends it\n"), "{}", unasked.text);
    assert!(desk.scene.chain.state().sends.is_empty());
    let done = desk.guard(&["apply", &path, "--yes", "--signer", &root]).await.expect("all land");
    assert_eq!(done.data["results"].as_array().map(Vec::len), shown.data["steps"].as_array().map(Vec::len));
    assert!(desk.world(|world| world.exists(&file.address())));
    desk.settle().await;
    let sends = desk.scene.chain.state().sends.len();
    let again = desk.guard(&["apply", &path, "--yes", "--signer", &root]).await.expect("nothing");
    assert!(again.text.ends_with("nothing to do: the guard is as the file says\n"), "{}", again.text);
    assert_eq!(
        again.data["notes"],
        serde_json::json!(["SOL/USDC: change 0 waits already; `guard execute 0` once it is ripe"])
    );
    assert_eq!(desk.scene.chain.state().sends.len(), sends);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn apply_exports_each_act_for_the_multisig_that_is_root() {
    let desk = Desk::new().await;
    let file = desk.world(|world| filled(template("stablecoin"), world));
    let path = write(&desk, &file);
    let told = desk.guard(&["create", &path, "--export", "realms"]).await.expect("exports");
    let results = told.data["results"].as_array().expect("a list");
    assert_eq!(results.len(), told.data["create"].as_u64().map_or(0, |count| usize::try_from(count).expect("few")));
    assert!(results.iter().all(|one| one["result"]["exports"].as_array().is_some_and(|list| list.len() == 1)));
    assert!(desk.scene.chain.state().sends.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn file_that_the_program_would_refuse_is_refused_before_anything_is_sent() {
    let desk = Desk::new().await;
    let mut file = desk.world(|world| filled(template("sol"), world));
    file.vaults[0].risk.ltv_bps = 9_900;
    file.rules[0].subject = "DOGE".into();
    file.rules[1].subject = "SOL/USDC".into();
    let path = write(&desk, &file);
    let (before, root) = (desk.governed(), desk.root());
    let error = desk.guard(&["apply", &path, "--yes", "--signer", &root]).await.expect_err("a refusal");
    assert!(matches!(error, KeeperError::Refused { .. }));
    for words in [
        "vault SOL/USDC risk: Risk parameters must satisfy ltv < soft line",
        "nothing in the file is named `DOGE`",
        "rule 2: its metric is about an asset, and `SOL/USDC` is a vault",
    ] {
        assert!(error.to_string().contains(words), "{error}");
    }
    let stands_for = template_path("btc").display().to_string();
    let error = desk.guard(&["plan", &stands_for]).await.expect_err("a refusal");
    assert!(error.to_string().contains("stands for a key that nobody has"), "{error}");
    let typo = desk.path("typo.toml");
    std::fs::write(&typo, "[guard]\nid = 1\nloosen_delay = 1\n").expect("a file");
    let error = desk.guard(&["plan", &typo.display().to_string()]).await.expect_err("a refusal");
    assert!(error.to_string().contains("unknown field `loosen_delay`"), "{error}");
    assert_eq!(desk.governed(), before);
    assert!(desk.scene.chain.state().sends.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn vault_and_rule_come_one_by_one_and_others_stay_as_they_are() {
    let desk = Desk::new().await;
    let root = desk.root();
    let mut file = desk.world(|world| filled(template("sol"), world));
    let bare = GuardFile { vaults: vec![], rules: vec![], ..file.clone() };
    let path = write(&desk, &bare);
    desk.guard(&["create", &path, "--yes", "--signer", &root]).await.expect("a guard with assets");
    desk.settle().await;
    let path = write(&desk, &file);
    let vault =
        address::vault(&file.address(), &desk.world(|world| world.sol.mint), &desk.world(|world| world.usdc.mint));
    let guard = file.address();
    let rule = |id| address::rule(&guard, id);
    let exists = |keys: &[rampart_client::Pubkey]| {
        desk.world(|world| keys.iter().map(|key| world.exists(key)).collect::<Vec<_>>())
    };

    let sends = desk.scene.chain.state().sends.len();
    for (words, what, hint) in [
        (["add-vault", "DOGE/USDC"], "no vault of the file is named `DOGE/USDC`", "it has SOL/USDC"),
        (["set-rule", "99"], "no rule of the file has the number 99", "it has 1, 2, 3"),
    ] {
        let error =
            desk.guard(&[&words[..], &[&path, "--yes", "--signer", &root]].concat()).await.expect_err("a refusal");
        assert!(error.to_string().contains(what) && error.hint().contains(hint), "{error}: {}", error.hint());
    }
    assert_eq!((exists(&[vault, rule(1)]), desk.scene.chain.state().sends.len()), (vec![false, false], sends));
    desk.guard(&["add-vault", "SOL/USDC", &path, "--yes", "--signer", &root]).await.expect("a vault");
    desk.settle().await;
    assert_eq!(exists(&[vault, rule(1), rule(2)]), [true, false, false]);
    desk.guard(&["set-rule", "1", &path, "--yes", "--signer", &root]).await.expect("a rule");
    desk.settle().await;
    assert_eq!(exists(&[vault, rule(1), rule(2)]), [true, true, false]);
    // both rules differ from the file now; the one that is named is brought to it
    file.rules[0].params.threshold -= 100;
    let path = write(&desk, &file);
    let done = desk.guard(&["set-rule", "1", &path, "--yes", "--signer", &root]).await.expect("it is tightened");
    assert!(done.text.contains("threshold"), "{}", done.text);
    let stands: rampart::state::Rule = desk.world(|world| world.load(&rule(1)));
    assert_eq!((stands.params.threshold, exists(&[rule(2)])), (file.rules[0].params.threshold, vec![false]));
}
