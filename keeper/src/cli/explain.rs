//! Why the keeper acts on something, or doesn't: asked over the API, with what the journal holds about it.

use super::ExplainArgs;
use super::ask::Running;
use super::journal::line_of;
use super::output::Output;
use crate::config::Config;
use crate::control::Explanation;
use crate::error::KeeperError;
use crate::events::unix_ms;
use crate::records::{Filter, Records, TxRecord};
use crate::view::View;
use serde::Serialize;
use std::fmt::Write;

/// Transactions of the journal that are shown with an answer.
const SHOWN: u32 = 5;
/// What is shorter is no identity of an intent.
const SHORTEST_ID: usize = 8;

/// The answer.
#[derive(Debug, Serialize)]
struct Answer {
    explanation: Explanation,
    /// What was done about it before, newest first.
    transactions: Vec<TxRecord>,
}

/// Asks and prints.
pub(super) async fn explain(
    args: &ExplainArgs,
    out: Output,
    settings: impl Fn() -> Result<Config, KeeperError>,
) -> Result<(), KeeperError> {
    let running = Running::of(&args.ask, &settings)?;
    // without settings there is no journal to look into, and the keeper may be far away
    let records = settings().ok().and_then(|config| Records::open(&config.keeper.state_dir).ok());
    let of_intent = records.as_ref().and_then(|records| of_intent(records, &args.subject));
    let subject = match &of_intent {
        Some(tx) => tx.target.clone(),
        None => address_of(&args.subject, &running.state().await?)?,
    };
    let explanation: Explanation = running.get("/api/v1/explain", &[("subject", &subject)]).await?;
    let intent = of_intent.map(|tx| tx.intent);
    let filter = Filter { target: intent.is_none().then_some(subject), intent, limit: SHOWN, ..Filter::default() };
    let transactions = records.map_or_else(Vec::new, |records| records.transactions(&filter).unwrap_or_default());
    let answer = Answer { explanation, transactions };
    out.print(&answer, || text(&answer))
}

fn of_intent(records: &Records, subject: &str) -> Option<TxRecord> {
    let is_id = subject.len() >= SHORTEST_ID && subject.bytes().all(|byte| byte.is_ascii_hexdigit());
    let filter = Filter { intent: Some(subject.to_owned()), limit: 1, with_unsent: true, ..Filter::default() };
    is_id.then(|| records.transactions(&filter).ok()?.into_iter().next()).flatten()
}

/// Finds the address of what an operator names.
pub(super) fn address_of(name: &str, view: &View) -> Result<String, KeeperError> {
    if name == "guard" {
        return Ok(view.guard.address.clone());
    }
    if name == "reserve"
        && let Ok(guard) = view.guard.address.parse()
    {
        return Ok(rampart_client::address::reserve(&guard).to_string());
    }
    if name.parse::<solana_sdk::pubkey::Pubkey>().is_ok() {
        return Ok(name.to_owned());
    }
    let rules = view.rules.iter().map(|rule| (&rule.name, &rule.address));
    let vaults = view.vaults.iter().map(|vault| (&vault.name, &vault.address));
    let assets = view.assets.iter().map(|asset| (&asset.symbol, &asset.address));
    let all: Vec<_> = rules.chain(vaults).chain(assets).collect();
    let mut named = all.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
    match (named.next(), named.next()) {
        (Some((_, address)), None) => Ok((*address).clone()),
        (Some(_), Some(_)) => Err(KeeperError::Refused {
            what: format!("`{name}` names more than one account"),
            hint: "use the address; `rampart status --json` shows it".into(),
        }),
        (None, _) => {
            let known: Vec<&str> = all.iter().map(|(known, _)| known.as_str()).collect();
            Err(KeeperError::Refused {
                what: format!("`{name}` is no address and no name that the keeper knows"),
                hint: format!("known names: {}", known.join(", ")),
            })
        }
    }
}

fn text(answer: &Answer) -> String {
    let mut out = String::new();
    // CANNOT fail: a String takes any write.
    let _ = write_text(&mut out, answer);
    out
}

fn write_text(out: &mut String, answer: &Answer) -> std::fmt::Result {
    let why = &answer.explanation;
    writeln!(out, "{} {} ({})\n{}\n", why.kind, why.name, why.subject, why.answer)?;
    let width = why.inputs.iter().map(|input| input.name.len()).max().unwrap_or(0);
    for input in &why.inputs {
        writeln!(out, "  {:<width$}  {}", input.name, input.value)?;
    }
    if !why.conditions.is_empty() {
        writeln!(out, "\nwhat has to hold, at slot {}:", why.slot)?;
    }
    for condition in &why.conditions {
        let mark = if condition.is_met { "yes" } else { "NO " };
        writeln!(out, "  {mark}  {}: {}", condition.what, condition.detail)?;
    }
    if !answer.transactions.is_empty() {
        writeln!(out, "\nwhat was done about it:")?;
        let now = unix_ms();
        answer.transactions.iter().try_for_each(|tx| writeln!(out, "  {}", line_of(tx, now)))?;
    }
    if !why.next.is_empty() {
        writeln!(out, "\nnext: {}", why.next)?;
    }
    Ok(())
}
