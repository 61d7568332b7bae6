//! What a running keeper sees and does, asked over its API.

use super::StatusArgs;
use super::show::text;
use crate::config::Config;
use crate::error::KeeperError;
use crate::http::HttpError;
use crate::view::View;
use std::fmt::Write;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(5);

/// Asks and prints. Settings are only read if no address was given.
pub(super) async fn status(
    args: &StatusArgs,
    settings: impl FnOnce() -> Result<Config, KeeperError>,
) -> Result<(), KeeperError> {
    let body = state(args, settings).await?;
    if args.json { text(&format!("{body:#}\n")) } else { text(&summary(&view_of(body)?)) }
}

/// Asks for the whole state.
pub(super) async fn state(
    args: &StatusArgs,
    settings: impl FnOnce() -> Result<Config, KeeperError>,
) -> Result<serde_json::Value, KeeperError> {
    let base = match &args.url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => format!("http://{}", settings()?.http.listen),
    };
    let url = format!("{base}/api/v1/state");
    Ok(ask(&url).await.map_err(|source| HttpError::Ask { url, source })?)
}

async fn ask(url: &str) -> Result<serde_json::Value, reqwest::Error> {
    let client = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build()?;
    client.get(url).send().await?.error_for_status()?.json().await
}

pub(super) fn view_of(body: serde_json::Value) -> Result<View, KeeperError> {
    serde_json::from_value(body)
        .map_err(|source| KeeperError::Chain { what: "read the keeper's state".into(), source: Box::new(source) })
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
    write_guarded(out, view)
}

fn write_guarded(out: &mut String, view: &View) -> std::fmt::Result {
    writeln!(out, "guard {}: {}", view.guard.address, view.guard.level_name)?;
    for vault in &view.vaults {
        let positions = &vault.positions;
        writeln!(
            out,
            "vault {}: {}, price {}, {} positions, {} soft, {} liquidatable",
            vault.name, vault.level_name, vault.price.state, positions.count, positions.soft, positions.liquidatable
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
