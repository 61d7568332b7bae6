//! The keeper's API beside its own description: schemathesis asks a running keeper whatever `docs/openapi.json` allows, and
//! much that it doesn't, and holds each answer to it.

use rampart_rig::{Keeper, Scene};
use std::path::PathBuf;
use std::process::Command;

/// Where schemathesis is, if it isn't on the PATH.
const VARIABLE: &str = "RAMPART_SCHEMATHESIS";

/// A check that would refuse what is meant: an address in base58 of the right length may still be none.
const LEFT_OUT: &str = "positive_data_acceptance";

fn schemathesis() -> Option<PathBuf> {
    let named = std::env::var_os(VARIABLE).map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    named.or_else(|| std::env::split_paths(&path).map(|folder| folder.join("schemathesis")).find(|tool| tool.is_file()))
}

#[tokio::test(flavor = "multi_thread")]
async fn api_answers_as_its_description_says() {
    let Some(tool) = schemathesis() else {
        // unattended, nothing is left out
        assert_ne!(
            std::env::var("CI").as_deref(),
            Ok("true"),
            "there is no schemathesis: `cargo xtask test` installs it"
        );
        eprintln!("skipped: there is no schemathesis; `pip install schemathesis`, or name it by {VARIABLE}");
        return;
    };
    let scene = Scene::new(1).await;
    let keeper = Keeper::start(&scene, "");
    keeper.ready().await;
    let dir = tempfile::tempdir().expect("a directory");
    let mut command = Command::new(tool);
    command.current_dir(dir.path()).arg("run").arg(format!("{}/api/v1/openapi.json", keeper.url()));
    // a stream has no end to wait for, and whether the keeper is ready is the world's affair
    command.args(["--exclude-path", "/api/v1/events", "--exclude-path", "/readyz", "--exclude-checks", LEFT_OUT]);
    command.args(["--header", &format!("Authorization: Bearer {}", keeper.token())]);
    command.args(["--seed", "1", "--max-examples", "40", "--generation-database", "none", "--no-color"]);
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic");
    let output = output.expect("schemathesis starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    // what it asked left the keeper at work
    keeper.ready().await;
    println!("{said}");
}
