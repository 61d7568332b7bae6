//! Bounds of settings that their types do not hold.

use super::endpoints::Role;
use super::{Config, PriceRange};
use crate::history::HistoryUrl;

/// A slip of the keyboard must not empty the payer: 0.1 SOL.
const MAX_TIP_LAMPORTS: u64 = 100_000_000;
/// Each is told apart by one bit.
const MAX_ENDPOINTS: usize = 16;
/// As above.
const MAX_STREAMS: usize = 8;

/// A refused value: its key and the reason.
pub(super) type Refusal = (String, String);

/// Checks everything that the types cannot.
pub(super) fn check(config: &Config) -> Result<(), Refusal> {
    check_urls(config)?;
    check_program(config)?;
    check_spans(config)?;
    check_prices(config)?;
    check_economics(config)?;
    check_routes(config)?;
    check_history(config)?;
    check_names(config)?;
    super::ops::check(config)?;
    super::score::check(&config.score)?;
    super::signal::check(config)?;
    super::poster::check(config)?;
    super::fleet::check(&config.fleet, &config.keeper.name)
}

fn check_urls(config: &Config) -> Result<(), Refusal> {
    check_endpoints(config)?;
    check_streams(config)?;
    for (index, sender) in config.sender.iter().enumerate() {
        let key = |name: &str| format!("sender[{index}].{name}");
        named(&key("name"), &sender.name)?;
        scheme(&key("url"), &sender.url, ["http://", "https://"])?;
        within(&key("tip_lamports"), sender.tip_lamports, 0, MAX_TIP_LAMPORTS)?;
        demand(sender.tip_lamports == 0 || !sender.tip_accounts.is_empty(), &key("tip_accounts"), || {
            "must name an account that the tip goes to".into()
        })?;
    }
    config
        .http
        .peers
        .iter()
        .enumerate()
        .try_for_each(|(index, peer)| scheme(&format!("http.peers[{index}].url"), &peer.url, ["http://", "https://"]))
}

fn check_endpoints(config: &Config) -> Result<(), Refusal> {
    let (short, long) = (!config.cluster.rpc_url.is_empty() || config.cluster.ws_url.is_some(), !config.rpc.is_empty());
    demand(short != long, "cluster.rpc_url", || "set either this or `[[rpc]]`, and not both".into())?;
    let key = |index: usize, name: &str| match long {
        true => format!("rpc[{index}].{name}"),
        false => format!("cluster.{}", if name == "http" { "rpc_url" } else { "ws_url" }),
    };
    let endpoints = config.endpoints();
    for (index, endpoint) in endpoints.iter().enumerate() {
        named(&key(index, "name"), &endpoint.name)?;
        let is_alone = endpoints.iter().filter(|other| other.name == endpoint.name).count() == 1;
        demand(is_alone, &key(index, "name"), || format!("`{}` is the name of another endpoint too", endpoint.name))?;
        scheme(&key(index, "http"), &endpoint.http, ["http://", "https://"])?;
        if let Some(url) = &endpoint.ws {
            scheme(&key(index, "ws"), url, ["ws://", "wss://"])?;
        }
        within(&key(index, "max_lag_slots"), endpoint.max_lag_slots, 2, 1_000)?;
        within(&key(index, "max_rps"), endpoint.max_rps.map_or(1, u64::from), 1, 100_000)?;
    }
    let is_used = |role| endpoints.iter().any(|endpoint| endpoint.has(role));
    for role in [Role::Read, Role::Confirm] {
        demand(is_used(role), &key(0, "roles"), || format!("no endpoint has the role {role:?}"))?;
    }
    demand(is_used(Role::Send) || !config.sender.is_empty(), &key(0, "roles"), || "nothing sends".into())?;
    demand(endpoints.len() <= MAX_ENDPOINTS, "rpc", || format!("at most {MAX_ENDPOINTS} endpoints"))
}

fn check_streams(config: &Config) -> Result<(), Refusal> {
    let endpoints = config.endpoints();
    for (index, stream) in config.grpc.iter().enumerate() {
        let key = |name: &str| format!("grpc[{index}].{name}");
        named(&key("name"), &stream.name)?;
        let is_taken = endpoints.iter().any(|endpoint| endpoint.name == stream.name)
            || config.grpc[..index].iter().any(|other| other.name == stream.name);
        demand(!is_taken, &key("name"), || format!("`{}` is the name of another source too", stream.name))?;
        scheme(&key("url"), &stream.url, ["http://", "https://"])?;
    }
    demand(config.grpc.len() <= MAX_STREAMS, "grpc", || format!("at most {MAX_STREAMS} streams"))?;
    demand(config.grpc.is_empty() || cfg!(feature = "grpc"), "grpc", || {
        "this keeper was built without gRPC; build it with `--features grpc`".into()
    })
}

pub(super) fn scheme(key: &str, url: &str, allowed: [&str; 2]) -> Result<(), Refusal> {
    let host = allowed.iter().find_map(|scheme| url.strip_prefix(scheme));
    let is_usable = host.is_some_and(|host| !host.is_empty() && !host.contains(char::is_whitespace));
    demand(is_usable, key, || format!("`{url}` must start with {} or {} and name a host", allowed[0], allowed[1]))
}

fn check_program(config: &Config) -> Result<(), Refusal> {
    let linked = rampart::ID;
    demand(config.cluster.program_id.is_none_or(|id| id == linked), "cluster.program_id", || {
        format!("this keeper is built for program {linked}; install the keeper of the other program, or remove the key")
    })
}

fn check_spans(config: &Config) -> Result<(), Refusal> {
    within("ingest.stall_slots", config.ingest.stall_slots, 2, 1_000)?;
    within("ingest.poll_ms", config.ingest.poll_ms, 50, 60_000)?;
    within("ingest.sweep_secs", config.ingest.sweep_secs, 1, 3_600)?;
    // what wasn't confirmed for that long is stale: `score::STALE_SLOTS`
    let has_pool = config.score.enabled && config.score.market.iter().any(|market| market.pool.is_some());
    demand(!has_pool || config.ingest.sweep_secs <= 120, "ingest.sweep_secs", || {
        "must be at most 120 where `score.market` names a pool: what it holds would look stale".into()
    })?;
    within("ingest.probe_secs", config.ingest.probe_secs, 1, 600)?;
    within("tx.resend_ms", config.tx.resend_ms, 50, 10_000)?;
    within("tx.max_in_flight", config.tx.max_in_flight as u64, 1, 256)?;
    within("tx.stagger.rank", config.tx.stagger.rank, 0, 32)?;
    within("tx.stagger.slots", config.tx.stagger.slots, 0, 64)?;
    within("budget.reserve_trips", config.budget.reserve_trips, 0, 100_000)
}

pub(super) fn within(key: &str, value: u64, low: u64, high: u64) -> Result<(), Refusal> {
    demand((low..=high).contains(&value), key, || format!("{value} must lie between {low} and {high}"))
}

fn check_prices(config: &Config) -> Result<(), Refusal> {
    let prices = &config.tx.compute_price;
    range("trip", prices.trip)?;
    range("liquidate", prices.liquidate)?;
    range("evidence", prices.evidence)?;
    range("rebalance", prices.rebalance)
}

fn check_economics(config: &Config) -> Result<(), Refusal> {
    let (economics, rebalance) = (&config.economics, &config.rebalance);
    within("economics.haircut_bps", economics.haircut_bps.into(), 0, 10_000)?;
    within("economics.inventory_cost_bps", economics.inventory_cost_bps.into(), 0, 10_000)?;
    within("economics.seize_slack_bps", economics.seize_slack_bps.into(), 0, 1_000)?;
    within("economics.sol_micro_usd", economics.sol_micro_usd, 1, 1_000_000_000_000)?;
    within("rebalance.band_bps", rebalance.band_bps.into(), 1, 20_000)?;
    within("rebalance.urgent_band_bps", rebalance.urgent_band_bps.into(), 1, 20_000)?;
    within("rebalance.max_loss_bps", rebalance.max_loss_bps.into(), 0, 10_000)?;
    // a v0 transaction names its tables: each takes 34 bytes before it saves any
    within("tx.lookup_tables", config.tx.lookup_tables.len() as u64, 0, 8)
}

fn check_routes(config: &Config) -> Result<(), Refusal> {
    for (index, route) in config.route.iter().enumerate() {
        named(&format!("route[{index}].name"), &route.name)?;
        let is_new = config.route[..index].iter().all(|other| other.name != route.name);
        demand(is_new, &format!("route[{index}].name"), || format!("`{}` is the name of another route", route.name))?;
        route.check().map_err(|(key, reason)| (format!("route[{index}].{key}"), reason))?;
    }
    Ok(())
}

fn range(group: &str, range: PriceRange) -> Result<(), Refusal> {
    // A cap a hundred times the highest fee ever useful: it stops a slip of the keyboard from emptying the payer.
    const HIGHEST: u64 = 100_000_000;
    within(&format!("tx.compute_price.{group}.cap"), range.cap, 0, HIGHEST)?;
    demand(range.floor <= range.cap, &format!("tx.compute_price.{group}.floor"), || {
        format!("{} must not exceed the cap of {}", range.floor, range.cap)
    })
}

fn check_history(config: &Config) -> Result<(), Refusal> {
    const LONGEST: u64 = 36_500;
    let history = &config.history;
    within("history.events_days", history.events_days.into(), 1, LONGEST)?;
    within("history.decisions_days", history.decisions_days.into(), 1, LONGEST)?;
    within("history.reports_days", history.reports_days.into(), 1, LONGEST)?;
    within("history.samples_days", history.samples_days.into(), 1, LONGEST)?;
    within("history.sample_every_secs", history.sample_every_secs, 0, 86_400)?;
    within("history.max_mb", history.max_mb, 16, 1_048_576)?;
    let has_password = history.url.as_ref().is_some_and(HistoryUrl::has_password);
    demand(history.password_file.is_none() || (history.url.is_some() && !has_password), "history.password_file", || {
        "needs a `history.url`, without a password in it".into()
    })
}

fn check_names(config: &Config) -> Result<(), Refusal> {
    named("keeper.name", &config.keeper.name)?;
    for (index, peer) in config.http.peers.iter().enumerate() {
        named(&format!("http.peers[{index}].name"), &peer.name)?;
    }
    for (index, label) in config.label.iter().enumerate() {
        named(&format!("label[{index}].name"), &label.name)?;
    }
    demand(!config.keeper.state_dir.as_os_str().is_empty(), "keeper.state_dir", || "must name a directory".into())
}

pub(super) fn named(key: &str, name: &str) -> Result<(), Refusal> {
    let is_usable = !name.trim().is_empty() && name.len() <= 64 && !name.contains(char::is_control);
    demand(is_usable, key, || "must hold 1 to 64 printable characters".into())
}

pub(super) fn demand(is_met: bool, key: &str, reason: impl FnOnce() -> String) -> Result<(), Refusal> {
    if is_met { Ok(()) } else { Err((key.to_owned(), reason())) }
}

/// Turns an RPC address into the address of its subscriptions, as validators and Surfpool arrange them.
///
/// A port is raised by one; without a port the scheme alone changes.
pub(super) fn derive_ws_url(rpc_url: &str) -> String {
    let url = rpc_url.replacen("http", "ws", 1);
    let (scheme, rest) = url.split_once("://").unwrap_or(("ws", &url));
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let raised = authority.rsplit_once(':').and_then(|(host, port)| {
        let port = port.parse::<u16>().ok()?.checked_add(1)?;
        Some(format!("{host}:{port}"))
    });
    format!("{scheme}://{}{path}", raised.as_deref().unwrap_or(authority))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ws_url_is_derived_from_the_rpc_url() {
        assert_eq!(derive_ws_url("http://127.0.0.1:8899"), "ws://127.0.0.1:8900");
        assert_eq!(derive_ws_url("https://node.example/key"), "wss://node.example/key");
        assert_eq!(derive_ws_url("https://node.example:8443/a/b"), "wss://node.example:8444/a/b");
        assert_eq!(derive_ws_url("http://[::1]:8899/"), "ws://[::1]:8900/");
    }
}
