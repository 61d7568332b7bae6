//! What the journal holds, read while the keeper runs.

use super::output::{Output, ago, table};
use super::{JournalCommand, ListArgs};
use crate::config::Config;
use crate::error::KeeperError;
use crate::events::unix_ms;
use crate::intent::ActionClass;
use crate::journal::State;
use crate::records::{Filter, IntentRecord, Records, TxRecord};
use std::fmt::Write;

/// Lists or shows intents.
pub(super) fn intents(command: &JournalCommand, config: &Config, out: Output) -> Result<(), KeeperError> {
    let records = Records::open(&config.keeper.state_dir)?;
    match command {
        JournalCommand::Ls(args) => {
            let found = records.intents(&filter(args)?)?;
            out.print(&found, || intent_table(&found))
        }
        JournalCommand::Show { id } => {
            let filter = Filter { intent: Some(id.to_lowercase()), with_unsent: true, ..Filter::default() };
            let found = one(records.intents(&filter)?, "intent", id)?;
            out.print(&found, || intent_text(&found))
        }
    }
}

/// Lists or shows transactions.
pub(super) fn txs(command: &JournalCommand, config: &Config, out: Output) -> Result<(), KeeperError> {
    let records = Records::open(&config.keeper.state_dir)?;
    match command {
        JournalCommand::Ls(args) => {
            let found = records.transactions(&filter(args)?)?;
            out.print(&found, || tx_table(&found))
        }
        JournalCommand::Show { id } => {
            let filter = Filter { signature: Some(id.clone()), with_unsent: true, ..Filter::default() };
            let found = one(records.transactions(&filter)?, "transaction", id)?;
            out.print(&found, || tx_text(&found))
        }
    }
}

/// A word that no journal holds would list nothing, as if there were nothing.
fn filter(args: &ListArgs) -> Result<Filter, KeeperError> {
    let classes = ActionClass::ALL.map(ActionClass::as_str);
    let states = State::ALL.map(State::as_str);
    known("class", args.class.as_deref(), &classes)?;
    known("state", args.state.as_deref(), &states)?;
    Ok(Filter {
        class: args.class.clone(),
        state: args.state.clone(),
        target: args.target.clone(),
        limit: args.limit,
        with_unsent: args.all,
        ..Filter::default()
    })
}

fn known(what: &str, given: Option<&str>, all: &[&str]) -> Result<(), KeeperError> {
    match given.filter(|given| !all.contains(given)) {
        None => Ok(()),
        Some(given) => Err(KeeperError::Refused {
            what: format!("there is no {what} `{given}`"),
            hint: format!("use one of: {}", all.join(", ")),
        }),
    }
}

fn one<T>(found: Vec<T>, what: &str, id: &str) -> Result<T, KeeperError> {
    let count = found.len();
    let mut found = found.into_iter();
    match (found.next(), count) {
        (Some(one), 1) => Ok(one),
        (None, _) => Err(KeeperError::Refused {
            what: format!("the journal holds no {what} that starts with `{id}`"),
            hint: format!(
                "`rampart {}s ls` lists them; decided ones are kept for seven days",
                if what == "intent" { what } else { "tx" }
            ),
        }),
        _ => Err(KeeperError::Refused { what: format!("{count} start with `{id}`"), hint: "give more of it".into() }),
    }
}

fn short(text: &str) -> String {
    text.chars().take(12).collect()
}

fn intent_table(found: &[IntentRecord]) -> String {
    if found.is_empty() {
        return "the journal holds no such intent\n".into();
    }
    let now = unix_ms();
    let names = ["INTENT", "CLASS", "TARGET", "FENCE", "STATE", "TXS", "WHEN", "WHY"].map(str::to_owned).to_vec();
    let row = |intent: &IntentRecord| {
        let tx = intent.transactions.first()?;
        Some(vec![
            short(&intent.intent),
            tx.class.clone(),
            short(&tx.target),
            tx.fence.to_string(),
            tx.state.clone(),
            intent.transactions.len().to_string(),
            ago(tx.planned_ms, now),
            tx.reason.clone(),
        ])
    };
    table(&std::iter::once(names).chain(found.iter().filter_map(row)).collect::<Vec<_>>())
}

fn tx_table(found: &[TxRecord]) -> String {
    if found.is_empty() {
        return "the journal holds no such transaction\n".into();
    }
    let now = unix_ms();
    let names = ["SIGNATURE", "CLASS", "STATE", "SLOT", "FEE", "WHEN", "INTENT"].map(str::to_owned).to_vec();
    let row = |tx: &TxRecord| {
        vec![
            short(&tx.signature),
            tx.class.clone(),
            tx.state.clone(),
            tx.slot.map_or_else(|| "-".into(), |slot| slot.to_string()),
            tx.fee_lamports.to_string(),
            ago(tx.planned_ms, now),
            short(&tx.intent),
        ]
    };
    table(&std::iter::once(names).chain(found.iter().map(row)).collect::<Vec<_>>())
}

/// Returns one line about a transaction.
pub(super) fn line_of(tx: &TxRecord, now_ms: u64) -> String {
    let slot = tx.slot.map_or_else(String::new, |slot| format!(" in slot {slot}"));
    let detail = tx.detail.as_ref().map_or_else(String::new, |detail| format!(" ({detail})"));
    format!("{} {} {}{slot}{detail}, {}", short(&tx.signature), tx.class, tx.state, ago(tx.planned_ms, now_ms))
}

fn intent_text(intent: &IntentRecord) -> String {
    let mut out = format!("intent {}\n", intent.intent);
    if let Some(tx) = intent.transactions.first() {
        // CANNOT fail: a String takes any write.
        let _ = writeln!(out, "{} of {}, fence {}: {}", tx.class, tx.target, tx.fence, tx.reason);
    }
    let now = unix_ms();
    for tx in &intent.transactions {
        // CANNOT fail, as above.
        let _ = writeln!(out, "  {}", line_of(tx, now));
    }
    out.push_str("`rampart txs show <signature>` shows one in full\n");
    out
}

fn tx_text(tx: &TxRecord) -> String {
    let now = unix_ms();
    let when = |ms: Option<u64>| ms.map_or_else(|| "never".into(), |ms| format!("{ms} ms ({})", ago(ms, now)));
    let rows = [
        ("signature", tx.signature.clone()),
        ("state", tx.state.clone()),
        ("intent", tx.intent.clone()),
        ("action", format!("{} of {}, fence {}", tx.class, tx.target, tx.fence)),
        ("reason", tx.reason.clone()),
        ("planned", when(Some(tx.planned_ms))),
        ("signed", when(Some(tx.signed_ms))),
        ("sent", when(tx.sent_ms)),
        ("decided", when(tx.decided_ms)),
        ("slot", tx.slot.map_or_else(|| "-".into(), |slot| slot.to_string())),
        ("detail", tx.detail.clone().unwrap_or_else(|| "-".into())),
        ("fee at most", format!("{} lamports", tx.fee_lamports)),
        ("blockhash", format!("{}, dies at height {}", tx.blockhash, tx.last_valid_block_height)),
    ];
    table(&rows.map(|(name, value)| vec![name.to_owned(), value]))
}
