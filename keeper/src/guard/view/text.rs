//! A guard's report as text.

use super::{GuardReport, PendingReport, VaultReport};
use crate::guard::words::{self, Decimals};
use serde_json::Value;
use std::fmt::Write;

/// Returns the report for a terminal.
pub fn text(report: &GuardReport, now_ts: i64) -> String {
    let mut out = String::new();
    // CANNOT fail: a String takes any write
    let _ = head(&mut out, report);
    let _ = stands(&mut out, report);
    let _ = waits(&mut out, report);
    let _ = people(&mut out, report, now_ts);
    out
}

fn head(out: &mut String, report: &GuardReport) -> std::fmt::Result {
    writeln!(out, "guard {} (number {}), {}, level {}", report.address, report.id, report.finality, report.level)?;
    let delay = words::span(report.loosen_delay_secs.into());
    writeln!(out, "loosenings wait {delay}; authority epoch {}", report.authority_epoch)?;
    writeln!(out, "\nROLES")?;
    fields(out, &report.roles, None)?;
    writeln!(out, "\nBOUNDS, which only ever narrow")?;
    fields(out, &report.bounds, None)?;
    if let Some(limit) = &report.dollar_limit {
        writeln!(out, "\nDOLLAR LIMIT over all vaults")?;
        fields(out, limit, None)?;
    }
    Ok(())
}

fn stands(out: &mut String, report: &GuardReport) -> std::fmt::Result {
    for asset in &report.assets {
        writeln!(out, "\nASSET {} {}", asset.name, asset.address)?;
        writeln!(out, "  mint {}, warms up for {}", asset.mint, words::span(asset.warm_up_secs.into()))?;
        fields(out, &asset.oracle, None)?;
        fields(out, &serde_json::json!({ "standby": asset.standby["sources"] }), None)?;
    }
    for vault in &report.vaults {
        one_vault(out, vault)?;
    }
    writeln!(out, "\nRULES")?;
    if report.rules.is_empty() {
        writeln!(out, "  none")?;
    }
    for rule in &report.rules {
        writeln!(out, "  {} {}\n     {}", rule.id, rule.sentence, rule.address)?;
    }
    Ok(())
}

fn one_vault(out: &mut String, vault: &VaultReport) -> std::fmt::Result {
    writeln!(out, "\nVAULT {} {}, level {}", vault.name, vault.address, vault.level)?;
    for value in [&vault.risk, &vault.limits, &vault.curve] {
        fields(out, value, Some(vault.decimals))?;
    }
    writeln!(
        out,
        "  the reserve meets {} of its bad debt",
        if vault.is_covered { "what is capped" } else { "nothing" }
    )?;
    let is_on = ["volatility", "ltv", "cap"].iter().any(|part| vault.scale[part]["switch"] == "enabled");
    if is_on { fields(out, &vault.scale, None) } else { writeln!(out, "  limits on new risk follow nothing") }
}

fn waits(out: &mut String, report: &GuardReport) -> std::fmt::Result {
    writeln!(out, "\nPENDING CHANGES")?;
    if report.pending.is_empty() {
        writeln!(out, "  none")?;
    }
    for change in &report.pending {
        one_change(out, change)?;
    }
    Ok(())
}

fn one_change(out: &mut String, change: &PendingReport) -> std::fmt::Result {
    let (id, group, of, way) = (change.id, change.group, &change.target_name, change.direction);
    writeln!(out, "  {id} {group} of {of}, {way}: {}", change.words)?;
    writeln!(out, "     {}", change.address)?;
    change.moves_in_words.iter().try_for_each(|line| writeln!(out, "     {line}"))
}

fn people(out: &mut String, report: &GuardReport, now_ts: i64) -> std::fmt::Result {
    writeln!(out, "\nKEEPERS")?;
    if report.keepers.is_empty() {
        writeln!(out, "  none")?;
    }
    for keeper in &report.keepers {
        let counts = if keeper.active_from_ts <= now_ts { "counts" } else { "does not count yet" };
        writeln!(out, "  {} {}, source {}, {counts}", keeper.key, keeper.role, keeper.source_tag)?;
    }
    writeln!(out, "\nPAUSES AND OTHER CAUSES IN FORCE")?;
    if report.causes.is_empty() {
        writeln!(out, "  none")?;
    }
    for cause in &report.causes {
        let left = words::countdown(cause.ends_at_ts.saturating_sub(now_ts));
        writeln!(out, "  {} at {}: {} by {}, ends in {left}", cause.level, cause.scope, cause.kind, cause.source)?;
    }
    for budget in &report.budgets {
        writeln!(out, "  {} may pause {} more", budget.guardian, words::countdown(budget.left_secs.into()))?;
    }
    Ok(())
}

/// Writes every field of a value, nested ones with the names that they are under.
fn fields(out: &mut String, value: &Value, decimals: Decimals) -> std::fmt::Result {
    let mut leaves = Vec::new();
    collect("", value, &mut leaves);
    let width = leaves.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    leaves
        .iter()
        .try_for_each(|(name, value)| writeln!(out, "  {name:<width$}  {}", words::value(name, value, decimals)))
}

fn collect<'a>(under: &str, value: &'a Value, leaves: &mut Vec<(String, &'a Value)>) {
    let join = |name: &str| if under.is_empty() { name.to_owned() } else { format!("{under}.{name}") };
    match value {
        Value::Object(map) => map.iter().for_each(|(name, value)| collect(&join(name), value, leaves)),
        Value::Array(list) if list.iter().any(Value::is_object) => {
            list.iter().enumerate().for_each(|(at, value)| collect(&join(&at.to_string()), value, leaves));
        }
        other => leaves.push((under.to_owned(), other)),
    }
}
