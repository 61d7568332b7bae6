//! The lab within the keeper's binary: `rampart lab ..` is what `rampart-lab ..` is.

use super::output::Output;
use crate::error::{Cause, KeeperError};
use rampart_lab::cli::{LabCommand, Printer, run};

/// Runs a command of the lab. It computes for minutes or hours, and talks to the network in its own way: on a thread of its own.
pub(super) async fn lab(command: LabCommand, out: Output) -> Result<(), KeeperError> {
    let printer = if out.is_json { Printer::json(envelope) } else { Printer::text() };
    let done = tokio::task::spawn_blocking(move || run(command, printer, crate::guard::played::read)).await;
    let died = |source| KeeperError::TaskDied { task: "lab", source: Some(Cause::from(source)) };
    done.map_err(died)?.map_err(|error| KeeperError::Lab(Box::new(error)))
}

fn envelope(data: serde_json::Value) -> serde_json::Value {
    Output { is_json: true, command: "lab" }.envelope("data", data)
}
