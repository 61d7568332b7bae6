//! Every `rampart` command of the documentation is run as its reader would run it: the built binary, in a directory of its own, on
//! a chain with the real program.

mod commands;
mod deploying;
mod fleet;
mod governing;
mod lab;
mod operating;
mod stage;

use std::collections::BTreeSet;

#[test]
fn every_command_of_the_documentation_is_run_and_none_besides() {
    let tables = [deploying::RUNS, fleet::RUNS, governing::RUNS, lab::RUNS, operating::RUNS];
    let run: BTreeSet<String> =
        tables.into_iter().flatten().flat_map(|runs| runs.iter()).map(|run| run.docs.to_owned()).collect();
    let documented = commands::documented();
    let unrun: Vec<_> = documented.difference(&run).collect();
    assert!(unrun.is_empty(), "the documentation has commands that no test runs: {unrun:#?}");
    let stale: Vec<_> = run.difference(&documented).collect();
    assert!(stale.is_empty(), "tests run commands that no document has: {stale:#?}");
}
