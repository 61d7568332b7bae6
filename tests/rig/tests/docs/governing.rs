//! Governance's commands: a guard from a file, acts of the night, and what can't be undone.

use crate::stage::{Run, Stage};
use rampart_client::address;
use rampart_rig::Scene;
use rampart_rig::templates::{filled, template};
use rampart_tests::officers::Officer;
use rampart_tests::swaps::THIEF;
use solana_sdk::signature::Keypair;
use solana_sdk::signer::Signer;

/// Everything that governance types.
pub const RUNS: &[&[Run]] = &[CREATING, JUDGING, GOVERNING, AT_NIGHT, MEANS, FOR_EVER, COUNTING, COUNTED];

const CREATING: &[Run] = &[
    Run::new("rampart init --guard guard.toml", "wrote other.toml").typed(
        "rampart init --guard guard.toml --config other.toml --rpc-url {URL} --payer-file payer.json --state-dir other",
    ),
    Run::new("rampart guard plan guard.toml", "+ SOL/USDC: create SOL/USDC"),
    Run::new("rampart guard plan", "\"what\": \"create SOL/USDC\"").typed("rampart guard plan guard.toml --json"),
    Run::new("rampart guard apply guard.toml --dry-run", "nothing is sent")
        .typed("rampart guard apply guard.toml --dry-run --signer ROOT.json"),
    Run::new("rampart guard apply guard.toml --yes --signer ROOT.json", "landed"),
    Run::new("rampart guard apply guard.toml --yes", "nothing to do: the guard is as the file says")
        .typed("rampart guard apply guard.toml --yes --signer ROOT.json"),
    Run::new("rampart guard apply FILE --yes", "nothing to do: the guard is as the file says")
        .typed("rampart guard apply guard.toml --yes --signer ROOT.json"),
];

/// The guard of the file, once its scale is ripe.
const JUDGING: &[Run] = &[
    Run::new("rampart guard propose vault-risk ltv_bps=6900 target_ltv_bps=6900 --lab DIR", "rampart lab validate lab/")
        .typed("rampart guard propose vault-risk ltv_bps=6900 target_ltv_bps=6900 --lab lab --config other.toml"),
    Run::new("rampart guard propose --lab DIR", "rampart lab validate again/")
        .typed("rampart guard propose vault-risk ltv_bps=6800 target_ltv_bps=6800 --lab again --config other.toml"),
    Run::new("rampart lab validate DIR/VAULT.toml --against DIR/VAULT.today.toml --out report.json", "passed").typed(
        "rampart lab validate lab/{VAULT}.toml --against lab/{VAULT}.today.toml --without-data --draws 1 --out report.json",
    ),
    Run::new("rampart guard propose vault-risk ltv_bps=6900 target_ltv_bps=6900 --validate report.json", "landed").typed(
        "rampart guard propose vault-risk ltv_bps=6900 target_ltv_bps=6900 --validate report.json --accept-skipped \
         --config other.toml --signer ROOT.json",
    ),
];

const GOVERNING: &[Run] = &[
    Run::new("rampart guard", "Usage: rampart guard").ends(64),
    Run::new("rampart guard show", "{GUARD}"),
    Run::new("rampart guard propose", "waits for 48 h")
        .typed("rampart guard propose vault-limits supply_cap_amount=120000000000000 --signer ROOT.json"),
    Run::new("rampart guard simulate TEXT", "veto_change: ").typed("rampart guard simulate {VETO}"),
    Run::new("rampart guard veto", "landed").typed("rampart guard veto 0 --signer VETOER.json"),
    Run::new("rampart guard tighten", "ltv_bps: 70 % -> 65 % (tighter)")
        .typed("rampart guard tighten vault-risk ltv_bps=6500 --signer RISK_ADMIN.json"),
    Run::new("rampart guard pause", "landed").typed("rampart guard pause caution --secs 600 --signer GUARDIAN.json"),
    Run::new("rampart guard reset N", "NotTripped").typed("rampart guard reset 1 --signer RESETTER.json").ends(1),
    Run::new("rampart guard migrate", "nothing"),
    Run::new("rampart guard migrate --dry-run", "nothing"),
    Run::new("rampart guard migrate --yes", "nothing"),
];

/// A source died, and another one was approved for that day.
const AT_NIGHT: &[Run] = &[
    Run::new("rampart guard standby", "take the place of source 1")
        .typed("rampart guard standby --target {ASSET} --standby 1 --export squads --as {RISK_ADMIN}"),
    Run::new("rampart guard standby --target ASSET --dry-run", "nothing is sent")
        .typed("rampart guard standby --target {ASSET} --dry-run"),
    Run::new("rampart guard standby --target ASSET --signer RISK_ADMIN.json", "landed")
        .typed("rampart guard standby --target {ASSET} --signer RISK_ADMIN.json"),
];

/// `policy.toml` and `reserve.toml` are the files that docs/governance.md prints, with this chain's mints.
const MEANS: &[Run] = &[
    Run::new("rampart guard add-policy N FILE", "create swap policy 7")
        .typed("rampart guard add-policy 7 policy.toml --yes --signer ROOT.json"),
    Run::new("rampart guard add-reserve FILE", "create the reserve")
        .typed("rampart guard add-reserve reserve.toml --yes --signer ROOT.json"),
    Run::new("rampart guard pay-grant", "there is no grant out of the reserve").ends(1),
];

const FOR_EVER: &[Run] = &[
    Run::new("rampart guard narrow max_ltv_bps=7500 max_slippage_bps=200", "`--yes` sends it"),
    Run::new("rampart guard narrow max_ltv_bps=7500 max_slippage_bps=200 --yes --signer ROOT.json", "landed"),
    Run::new("rampart guard freeze", "`--yes` sends it"),
    Run::new("rampart guard census open --export squads --counter KEEPER", "census")
        .typed("rampart guard census open --export squads --counter {PAYER} --as {ROOT}"),
];

/// After the multisig has signed what was printed.
const COUNTING: &[Run] = &[
    Run::new("rampart guard census count", "are counted then"),
    Run::new("rampart guard freeze --export squads", "freeze")
        .typed("rampart guard freeze --export squads --as {ROOT}"),
];

const COUNTED: &[Run] = &[Run::new("rampart guard census close --export squads", "census")
    .typed("rampart guard census close --export squads --as {ROOT}")];

/// What a multisig does with the text that it was given.
const BY_MULTISIG: [Run; 2] = [
    Run::new("rampart guard census open --counter {PAYER} --signer ROOT.json", "good for a day"),
    Run::new("rampart guard freeze --yes --signer ROOT.json", "landed"),
];

/// A directory with every role's key, each with lamports.
fn desk(scene: &Scene) -> Stage {
    let mut stage = Stage::settled(scene);
    let [root, admin] = {
        let world = &scene.chain.state().world;
        [&world.root, &world.risk_admin].map(Keypair::insecure_clone)
    };
    let keys = [
        ("ROOT", root),
        ("RISK_ADMIN", admin),
        ("GUARDIAN", Officer::FirstGuardian.key()),
        ("RESETTER", Officer::Resetter.key()),
        ("VETOER", Officer::Vetoer.key()),
    ];
    for (name, key) in keys {
        scene.chain.state().world.svm.airdrop(&key.pubkey(), 1_000_000_000_000).expect("airdrop");
        stage.key(&format!("{name}.json"), &key);
        stage.know(name, key.pubkey());
    }
    stage.know("ASSET", scene.chain.state().world.keys.collateral_asset);
    stage
}

/// Returns the text that a multisig would be given.
fn exported(stage: &Stage, typed: &'static str) -> String {
    let text = stage.run(&Run::new(typed, ""));
    text.lines().last().expect("the text is last").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn guard_comes_from_its_file_as_the_documentation_says() {
    let scene = Scene::new(1).await;
    let mut stage = desk(&scene);
    let file = filled(template("sol"), &scene.chain.state().world);
    stage.write("guard.toml", &toml::to_string(&file).expect("TOML"));
    scene.settle().await;
    stage.all(CREATING);
    let settings = std::fs::read_to_string(stage.path("other.toml")).expect("settings");
    assert!(settings.contains(&format!("guard = \"{}\"", file.address())), "{settings}");
    // what the file asks for beyond what may be created at once has waited
    scene.chain.advance(i64::from(file.guard.loosen_delay_secs));
    scene.settle().await;
    stage.run(&Run::new("rampart guard execute 0 --config other.toml", "landed"));
    let [sol, usdc] = {
        let world = &scene.chain.state().world;
        [world.sol.mint, world.usdc.mint]
    };
    stage.know("VAULT", address::vault(&file.address(), &sol, &usdc));
    scene.settle().await;
    stage.all(JUDGING);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn governance_commands_do_what_the_documentation_says() {
    let scene = Scene::new(1).await;
    let mut stage = desk(&scene);
    scene.settle().await;
    let (before, after) = GOVERNING.split_at(3);
    stage.all(before);
    scene.settle().await;
    stage.know("VETO", exported(&stage, "rampart guard veto 0 --export squads --as {VETOER}"));
    stage.all(after);
    scene.approve_standby();
    scene.kill_second();
    scene.settle().await;
    for run in AT_NIGHT {
        scene.tell_standby();
        scene.settle().await;
        stage.run(run);
    }
}

/// Returns the example that the page prints after `sentence`.
fn example(sentence: &str) -> String {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/governance.md");
    let text = std::fs::read_to_string(page).expect("the page");
    let rest = text.split(sentence).nth(1).expect("the sentence");
    rest.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn means_and_ends_are_as_the_documentation_says() {
    let scene = Scene::new(1).await;
    let stage = desk(&scene);
    let [sol, usdc] = {
        let world = &scene.chain.state().world;
        [world.sol.mint, world.usdc.mint].map(|mint| mint.to_string())
    };
    scene.chain.state().world.thief();
    let policy = example("`rampart guard add-policy N FILE`");
    stage.write("policy.toml", &policy.replace("JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4", &THIEF.to_string()));
    let reserve = example("`rampart guard add-reserve FILE`")
        .replace("So11111111111111111111111111111111111111112", &sol)
        .replace("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v", &usdc);
    stage.write("reserve.toml", &reserve);
    scene.settle().await;
    stage.all(MEANS);
    stage.all(FOR_EVER);
    stage.run(&BY_MULTISIG[0]);
    scene.settle().await;
    stage.all(COUNTING);
    stage.run(&BY_MULTISIG[1]);
    scene.settle().await;
    stage.all(COUNTED);
}
