//! What lies elsewhere: endpoints, program, guard, clock, balances, roles, the running keeper.

use super::Finding;
use crate::chain::rpc::Rpc;
use crate::cli::ask::Running;
use crate::cli::chain::{OnChain, asked, open};
use crate::cli::{AskArgs, keys};
use crate::config::endpoints::Role;
use crate::config::payer::PayerKey;
use crate::config::secret::redact;
use crate::config::{Config, RpcEndpoint};
use crate::deploy::image::code_hash;
use crate::error::KeeperError;
use crate::events::unix_ts;
use crate::submit::fee_lamports;
use crate::takeover::{HEADER_LEN, decode};
use crate::watch::Update;
use futures_util::future::join_all;
use solana_sdk::hash::Hash;
use std::time::Duration;

/// The artifact that this keeper is built with: SHA-256 and length of the program's code.
const SUMS: &str = include_str!("../../../../artifacts/SHA256SUMS");
const CODE_LEN: usize = include_bytes!("../../../../artifacts/rampart.so").len();
/// A clock that is off by more confuses people, logs and the validity of what they sign.
const SKEW_SECS: u64 = 10;
const PATIENCE: Duration = Duration::from_secs(10);
/// Compute units of a trip, for the reckoning.
const TRIP_UNITS: u32 = 100_000;

pub(super) async fn look(config: &Config) -> Vec<Finding> {
    let endpoints = config.endpoints();
    // as at the start: the chain that is set, else that of the first endpoint that answers
    let clients: Vec<Rpc> = endpoints.iter().map(|endpoint| open(endpoint, config)).collect();
    let found = join_all(clients.iter().map(genesis)).await;
    let first = found.iter().find_map(|genesis| genesis.as_ref().ok()).copied();
    let wanted = config.cluster.genesis_hash.or(first);
    let is_set = config.cluster.genesis_hash.is_some();
    let pairs = endpoints.iter().zip(clients).zip(found);
    let tried = join_all(pairs.map(|((endpoint, rpc), found)| {
        let chain = found.and_then(|found| chain_of(found, wanted, is_set));
        try_endpoint(endpoint, rpc, chain)
    }))
    .await;
    let (mut findings, mut first) = (Vec::new(), None);
    for (endpoint, (rpc, found)) in endpoints.iter().zip(tried) {
        first = first.or(rpc.filter(|_| endpoint.has(Role::Read)));
        findings.extend(found);
    }
    if let [only] = endpoints.as_slice() {
        let found = format!("{} is the only one", redact(&only.http));
        findings.push(Finding::warning("endpoints", found, "list two of different operators under `[[rpc]]`"));
    }
    if let Some(rpc) = first {
        // one that can't be reached is what the others are there for
        findings.iter_mut().for_each(Finding::soften);
        match OnChain::ask(&rpc, config.cluster.guard).await {
            Ok(chain) => {
                findings.extend(on_chain(&rpc, config, chain).await);
                findings.extend(super::poster::look(&rpc, config).await);
                findings.extend(super::place::look(&rpc, config).await);
            }
            Err(source) => findings.push(Finding::of("accounts", Err(asked("ask for accounts", source)))),
        }
    }
    findings.push(running(config).await);
    findings
}

/// Tries one endpoint whose chain was asked for: its subscriptions. Returns the way to it where it answers for the right chain.
async fn try_endpoint(
    endpoint: &RpcEndpoint,
    rpc: Rpc,
    chain: Result<String, KeeperError>,
) -> (Option<Rpc>, Vec<Finding>) {
    let is_right = chain.is_ok();
    let mut findings = vec![Finding::of(format!("endpoint {}", redact(&endpoint.http)), chain)];
    if is_right && endpoint.has(Role::Read) {
        findings.push(socket(&endpoint.ws_url()).await);
    }
    (is_right.then_some(rpc), findings)
}

async fn genesis(rpc: &Rpc) -> Result<Hash, KeeperError> {
    rpc.genesis_hash().await.map_err(|source| asked("ask for the genesis hash", source))
}

fn chain_of(found: Hash, wanted: Option<Hash>, is_set: bool) -> Result<String, KeeperError> {
    match wanted {
        Some(wanted) if wanted != found => {
            let from = if is_set { "`cluster.genesis_hash`" } else { "another endpoint's" };
            Err(KeeperError::WrongChain(format!("genesis hash is {found}, {from} is {wanted}")))
        }
        _ if is_set => Ok(format!("genesis {found}, as set")),
        _ => Ok(format!("genesis {found}; `cluster.genesis_hash` would pin it")),
    }
}

/// No start ends without subscriptions: requests carry alone then.
async fn socket(url: &str) -> Finding {
    let name = format!("endpoint {}", redact(url));
    let why = match tokio::time::timeout(PATIENCE, tokio_tungstenite::connect_async(url)).await {
        Ok(Ok(_)) => return Finding::ok(name, "takes subscriptions"),
        Ok(Err(error)) => redact(&error.to_string()),
        Err(_) => format!("no answer within {} s", PATIENCE.as_secs()),
    };
    let fix =
        "set its subscriptions' address; without them the keeper asks every `ingest.poll_ms` and sees changes later";
    Finding::warning(name, format!("takes no subscriptions: {why}"), fix)
}

async fn on_chain(rpc: &Rpc, config: &Config, chain: OnChain) -> Vec<Finding> {
    let mut findings = vec![program(&chain), clock(&chain)];
    findings.extend(keys::reports(config, Some(&chain)).into_iter().flat_map(|report| {
        let name = format!("{} roles", report.purpose);
        let is_readable = report.key.is_some();
        let roles = if report.roles.is_empty() { "none".to_owned() } else { report.roles.join(", ") };
        let warnings = report.warnings.into_iter().filter(move |_| is_readable);
        let wrong: Vec<_> = warnings.map(|fix| Finding::warning(&name, roles.clone(), fix)).collect();
        if wrong.is_empty() && is_readable { vec![Finding::ok(name, roles)] } else { wrong }
    }));
    findings.push(Finding::of(
        "guard",
        chain.guard.map(|guard| {
            format!(
                "{}, {} assets, {} vaults, {} rules",
                config.cluster.guard, guard.asset_count, guard.vault_count, guard.rule_count
            )
        }),
    ));
    if let Ok(payer) = PayerKey::read(&config.keys.payer_file) {
        findings.push(balance(rpc, config, payer.pubkey()).await);
    }
    findings
}

fn program(chain: &OnChain) -> Finding {
    let id = rampart::ID;
    if chain.program.is_none() {
        return Finding::of(
            "program",
            Err(KeeperError::WrongChain(format!("program {id} does not exist on this chain"))),
        );
    }
    let wanted = SUMS.lines().find(|line| line.ends_with("rampart.so")).and_then(|line| line.split_whitespace().next());
    match chain.code.as_ref().map(code_of) {
        None => Finding::warning(
            "program",
            format!("{id}, its code can't be seen"),
            "compare it by hand with artifacts/SHA256SUMS",
        ),
        Some((found, slot)) if Some(found.as_str()) == wanted => {
            Finding::ok("program", format!("{id}, deployed in slot {slot}, the code this keeper is built for"))
        }
        Some((found, slot)) => Finding::warning(
            "program",
            format!(
                "{id}, deployed in slot {slot}, code {found}, this keeper is built for {}",
                wanted.unwrap_or("none")
            ),
            "install the keeper of that version, or find out who deployed it; run with --observe meanwhile",
        ),
    }
}

/// Returns SHA-256 of the deployed code, as long as ours, and the slot of its deployment.
fn code_of(account: &Update) -> (String, u64) {
    let code = account.data.get(HEADER_LEN..).unwrap_or_default();
    (code_hash(code, CODE_LEN), decode(&account.data).map_or(0, |(slot, _)| slot))
}

fn clock(chain: &OnChain) -> Finding {
    let Some(chain_ts) = chain.unix_ts else {
        return Finding::warning("clock", "the chain's clock can't be read", "ask another endpoint");
    };
    let host_ts = unix_ts();
    let text = format!("slot {}, this machine is {} s off the chain", chain.slot, host_ts.saturating_sub(chain_ts));
    if host_ts.abs_diff(chain_ts) <= SKEW_SECS {
        return Finding::ok("clock", text);
    }
    Finding::warning(
        "clock",
        text,
        "start a time service such as chrony; the keeper itself decides by the chain's clock",
    )
}

async fn balance(rpc: &Rpc, config: &Config, payer: solana_sdk::pubkey::Pubkey) -> Finding {
    let lamports = match rpc.accounts(&[payer]).await {
        Ok(listing) => listing.updates.first().map_or(0, |account| account.lamports),
        Err(source) => return Finding::of("balance", Err(asked("ask for the balance", source))),
    };
    let trip = fee_lamports(TRIP_UNITS, config.tx.compute_price.trip.cap).max(1);
    let least = config.budget.min_payer_lamports.max(config.budget.reserve_trips.saturating_mul(trip));
    let text = format!("{lamports} lamports, pays for {} trips at the highest fee", lamports / trip);
    match lamports {
        lamports if lamports < config.budget.min_payer_lamports => {
            let what = format!(
                "{payer} holds {lamports} lamports, `budget.min_payer_lamports` is {}",
                config.budget.min_payer_lamports
            );
            let failure = KeeperError::Chain { what: "find enough balance".into(), source: what.into() };
            let fix = format!("send SOL to {payer}");
            Finding { fix: Some(fix), ..Finding::of("balance", Err(failure)) }
        }
        lamports if lamports < least => Finding::warning(
            "balance",
            text,
            format!("send SOL to {payer}: below {least} lamports only trips are paid for"),
        ),
        _ => Finding::ok("balance", text),
    }
}

async fn running(config: &Config) -> Finding {
    let asked = match Running::of(&AskArgs::default(), || Ok(config.clone())) {
        Ok(running) => running.state().await,
        Err(error) => Err(error),
    };
    match asked {
        Ok(view) if view.keeper.ready => Finding::ok("running keeper", format!("`{}` is ready", view.keeper.name)),
        Ok(view) => {
            let reasons = view.keeper.not_ready_reasons.join("; ");
            Finding::warning(
                "running keeper",
                format!("`{}` is not ready: {reasons}", view.keeper.name),
                "`rampart explain guard`",
            )
        }
        Err(KeeperError::Http(_)) => Finding::ok("running keeper", format!("none at {}", config.http.listen)),
        Err(error) => Finding::warning("running keeper", crate::error::chain(&error), error.hint()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn endpoint_of_another_chain_fails_whether_or_not_the_chain_is_set() {
        let [ours, theirs] = [[1; 32], [2; 32]].map(Hash::new_from_array);
        assert!(chain_of(ours, Some(ours), false).is_ok());
        for (is_set, from) in [(true, "`cluster.genesis_hash` is"), (false, "another endpoint's is")] {
            let refused = chain_of(theirs, Some(ours), is_set).expect_err("another chain");
            assert!(matches!(&refused, KeeperError::WrongChain(text) if text.contains(from)), "{refused}");
            let mut finding = Finding::of("endpoint", Err(refused));
            finding.soften();
            assert_eq!(finding.state, State::Failed, "others that answer don't excuse it");
        }
    }
}
