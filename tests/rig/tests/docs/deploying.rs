//! The program's way onto a chain, by the chain's own loader.

use crate::stage::{Run, Stage};
use rampart_rig::Scene;
use rampart_tests::integrator::fixture;
use solana_sdk::signature::Keypair;
use solana_sdk::signer::Signer;
use std::path::Path;
use std::process::{Command, Stdio};

/// Blocks for which a blockhash lives: slots are short here, and a busy machine must not let one die under way.
const LIFE_BLOCKS: u64 = 390;

/// Everything that puts the program on a chain.
pub const RUNS: &[&[Run]] = &[FIRST, AGAIN];

/// Nobody has the keypair of the address that is compiled in, so it stands there with another code, and is replaced: the way to a
/// new address is `program_is_deployed_on_surfpool_once_though_the_first_run_is_cut_off`.
const FIRST: &[Run] = &[
    Run::new("rampart deploy --program-keypair PROGRAM.json --upgrade-authority MULTISIG_VAULT", "`--yes` does it")
        .typed("rampart deploy --upgrade-authority {MULTISIG_VAULT}"),
    Run::new("rampart deploy --program-keypair PROGRAM.json --upgrade-authority MULTISIG_VAULT --yes", "as named")
        .typed("rampart deploy --upgrade-authority {MULTISIG_VAULT} --yes"),
    Run::new("rampart deploy", "as named"),
];

/// Another build, once a multisig may upgrade.
const AGAIN: &[Run] = &[Run::new(
    "rampart deploy --so target/verifiable/rampart.so --sha256 HASH --program-keypair PROGRAM.json",
    "and not {HASH}",
)
.typed("rampart deploy --so target/verifiable/rampart.so --sha256 {HASH}")];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn deployment_does_what_the_documentation_says() {
    let scene = Scene::new(1).await;
    scene.chain.state().landing.life_blocks = LIFE_BLOCKS;
    scene.chain.state().world.svm.airdrop(&scene.payer.pubkey(), 1_000_000_000_000).expect("airdrop");
    scene.put_program(&scene.payer.pubkey(), &fixture("yes"));
    scene.settle().await;
    let mut stage = Stage::settled(&scene);
    stage.link("artifacts");
    stage.know("MULTISIG_VAULT", Keypair::new().pubkey());
    stage.all(FIRST);
    std::fs::create_dir_all(stage.path("target/verifiable")).expect("a folder");
    let other = fixture("thief");
    std::fs::write(stage.path("target/verifiable/rampart.so"), &other).expect("a file");
    stage.know("HASH", hex::encode(solana_sdk::hash::hash(&other).to_bytes()));
    stage.all(AGAIN);
}

/// Calls `migrations/deploy.ts` as `anchor migrate` does: with a provider that names endpoint and wallet.
fn migrate(stage: &Stage, scene: &Scene, flags: &str) -> Option<(bool, String)> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/deploy.ts");
    let call = format!(
        "const Module = require('module'); const m = new Module('deploy');\
         m._compile(require('fs').readFileSync('{}', 'utf8'), 'deploy.js');\
         m.exports({{ connection: {{ rpcEndpoint: '{}' }} }}).catch(e => {{ console.error(e.message); process.exit(1) }})",
        script.display(),
        scene.endpoints[0].http(),
    );
    let mut node = Command::new("node");
    node.args(["-e", &call]).current_dir(stage.path("")).stdin(Stdio::null());
    node.env("RAMPART_BIN", crate::stage::binary())
        .env("ANCHOR_WALLET", stage.path("payer.json"))
        .env("RAMPART_DEPLOY", flags);
    let output = match node.output() {
        Ok(output) => output,
        Err(error) => {
            println!("skipped: node doesn't start: {error}");
            return None;
        }
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    Some((output.status.success(), text))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn anchor_migrate_shows_what_is_left_does_it_when_told_and_fails_where_the_deployment_does() {
    let scene = Scene::new(1).await;
    scene.chain.state().landing.life_blocks = LIFE_BLOCKS;
    scene.chain.state().world.svm.airdrop(&scene.payer.pubkey(), 1_000_000_000_000).expect("airdrop");
    scene.put_program(&scene.payer.pubkey(), &fixture("yes"));
    let stage = Stage::of(&scene);
    let next = fixture("thief");
    std::fs::write(stage.path("next.so"), &next).expect("a file");
    let base = format!("--so next.so --sha256 {}", hex::encode(solana_sdk::hash::hash(&next).to_bytes()));
    scene.settle().await;
    let Some((is_shown, text)) = migrate(&stage, &scene, &base) else { return };
    assert!(is_shown && text.contains("`--yes` does it"), "{text}");
    assert!(scene.chain.state().sends.is_empty(), "nothing was sent");
    let (is_refused, text) = migrate(&stage, &scene, "--so next.so").map(|(done, text)| (!done, text)).expect("node");
    assert!(
        is_refused && text.contains("no SHA-256 is on record") && text.contains("rampart deploy ended with 1"),
        "{text}"
    );
    let (is_done, text) = migrate(&stage, &scene, &format!("{base} --yes")).expect("node");
    assert!(is_done && text.contains("as named"), "{text}");
}
