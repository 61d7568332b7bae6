//! What a running keeper sees and does, asked over its API.

use super::AskArgs;
use super::ask::Running;
use super::output::{Output, ago};
use crate::config::Config;
use crate::error::KeeperError;
use crate::events::unix_ms;
use crate::view::View;
use std::fmt::Write;

/// Asks and prints. Settings are only read if no address was given.
pub(super) async fn status(
    args: &AskArgs,
    out: Output,
    settings: impl FnOnce() -> Result<Config, KeeperError>,
) -> Result<(), KeeperError> {
    let view = Running::of(args, settings)?.state().await?;
    out.print(&view, || summary(&view))
}

/// Returns a few lines that fit a terminal.
pub(super) fn summary(view: &View) -> String {
    let mut out = String::new();
    // CANNOT fail: a String takes any write.
    let _ = write_summary(&mut out, view);
    out
}

fn write_summary(out: &mut String, view: &View) -> std::fmt::Result {
    let keeper = &view.keeper;
    let ready =
        if keeper.ready { "ready".to_owned() } else { format!("NOT READY: {}", keeper.not_ready_reasons.join("; ")) };
    writeln!(out, "{} {} ({}), slot {}, {ready}", keeper.name, keeper.version, keeper.mode, keeper.slot)?;
    for paused in &keeper.paused {
        let since = ago(paused.since_ts.max(0).cast_unsigned().saturating_mul(1_000), unix_ms());
        writeln!(out, "PAUSED {}: {} ({since}; `rampart resume` ends it)", paused.class, paused.reason)?;
    }
    writeln!(out, "signer {} with {} lamports", keeper.signer, keeper.balance_lamports)?;
    let sent = &keeper.transactions;
    writeln!(
        out,
        "transactions: {} sent, {} landed, {} lost race, {} failed, {} expired, {} unknown",
        sent.sent, sent.landed, sent.lost_race, sent.failed, sent.expired, sent.unknown
    )?;
    out.push_str(&super::fleet::line(&keeper.fleet));
    for source in &keeper.sources {
        let state = if source.up { "up" } else { "DOWN" };
        writeln!(out, "source {}: {state}, slot {}, silent {} ms", source.name, source.last_slot, source.silent_ms)?;
    }
    for signal in &keeper.signals {
        let state = match &signal.reason {
            Some(reason) => format!("DEGRADED: {reason} (prices on chain are acted on as before)"),
            None if signal.up => format!("up, {} feeds", signal.feeds),
            None => "nothing heard yet".to_owned(),
        };
        writeln!(out, "signal {}: {state}", signal.name)?;
    }
    write_guarded(out, view)
}

fn write_guarded(out: &mut String, view: &View) -> std::fmt::Result {
    writeln!(out, "guard {}: {}", view.guard.address, view.guard.level_name)?;
    for asset in &view.assets {
        for early in asset.early.iter().filter(|early| early.moved) {
            let (gap, lead) = (early.gap_bps.unwrap_or(0), early.lead_secs.unwrap_or(0));
            writeln!(
                out,
                "asset {}: {} says {}, {gap:+} bps to the chain, {lead} s ahead",
                asset.symbol, early.signal, early.price
            )?;
        }
    }
    for vault in &view.vaults {
        let positions = &vault.positions;
        writeln!(
            out,
            "vault {}: {}, price {}, {} positions, {} soft, {} liquidatable{}",
            vault.name,
            vault.level_name,
            vault.price.state,
            positions.count,
            positions.soft,
            positions.liquidatable,
            match positions.declined {
                0 => String::new(),
                declined => format!(", {declined} DECLINED (`rampart explain <position>` says why)"),
            }
        )?;
    }
    for rule in &view.rules {
        let value = rule.value.as_deref().unwrap_or("-");
        writeln!(out, "rule {} on {}: {} ({value} {})", rule.name, rule.subject_name, rule.verdict, rule.unit)?;
    }
    for peer in &view.peers {
        let state = if peer.up { "up" } else { "DOWN" };
        writeln!(out, "peer {}: {state}, slot {}", peer.name, peer.slot)?;
    }
    Ok(())
}
