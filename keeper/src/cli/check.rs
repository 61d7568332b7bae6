//! Everything that a start would stumble over, tried without sending anything.

use super::show::text;
use crate::chain::rpc::Rpc;
use crate::config::payer::PayerKey;
use crate::config::{self, Config, Overrides};
use crate::error::{self, KeeperError};
use crate::journal::{Journal, JournalError};
use crate::metrics::Metrics;
use crate::watch::decode::{Decoded, decode};
use solana_sdk::pubkey::Pubkey;
use std::path::Path;

/// One line of the table.
struct Finding {
    name: &'static str,
    result: Result<String, KeeperError>,
}

/// Tries everything and prints a table.
///
/// # Errors
/// `ChecksFailed` with the exit code that a start would end with.
pub(super) async fn check(path: &Path) -> Result<(), KeeperError> {
    let config = config::load(path, std::env::vars(), &Overrides::default())?;
    let mut findings = vec![Finding { name: "settings", result: Ok(path.display().to_string()) }];
    let payer = PayerKey::read(&config.keys.payer_file).map(|key| key.pubkey());
    let signer = payer.as_ref().ok().copied();
    findings.push(Finding { name: "key", result: payer.map(|key| key.to_string()).map_err(KeeperError::from) });
    findings.push(Finding { name: "journal", result: journal(&config) });
    findings.extend(chain(&config, signer).await);
    report(&findings)
}

fn journal(config: &Config) -> Result<String, KeeperError> {
    match Journal::open(&config.keeper.state_dir, Metrics::new()) {
        Ok(journal) => Ok(format!("whole, {} undecided", journal.undecided()?.len())),
        // A running keeper proved it whole at its start.
        Err(JournalError::Locked { .. }) => Ok("in use by a running keeper".into()),
        Err(error) => Err(error.into()),
    }
}

async fn chain(config: &Config, signer: Option<Pubkey>) -> Vec<Finding> {
    // CANNOT be empty: settings without an endpoint are refused
    let url = config.endpoints().into_iter().next().map_or_else(String::new, |endpoint| endpoint.http);
    let rpc = Rpc::new(&url, config.cluster.commitment, Metrics::new());
    let genesis = genesis(&rpc, config).await;
    if matches!(genesis, Err(KeeperError::Chain { .. })) {
        // The rest would only say the same once more.
        return vec![Finding { name: "chain", result: genesis }];
    }
    let mut findings = vec![Finding { name: "chain", result: genesis }];
    findings.push(Finding { name: "program", result: program(&rpc).await });
    findings.push(Finding { name: "guard", result: guard(&rpc, config).await });
    if let Some(signer) = signer {
        findings.push(Finding { name: "balance", result: balance(&rpc, &signer, config).await });
    }
    findings
}

async fn genesis(rpc: &Rpc, config: &Config) -> Result<String, KeeperError> {
    let found = rpc.genesis_hash().await.map_err(|source| asked("ask for the genesis hash", source))?;
    match config.cluster.genesis_hash {
        Some(wanted) if wanted != found => {
            Err(KeeperError::WrongChain(format!("genesis hash is {found}, `cluster.genesis_hash` is {wanted}")))
        }
        _ => Ok(format!("genesis {found}")),
    }
}

async fn program(rpc: &Rpc) -> Result<String, KeeperError> {
    let program = fetch(rpc, rampart::ID).await?;
    match program {
        Some(account) if account.owner != solana_sdk::pubkey::Pubkey::default() && account.lamports > 0 => {
            Ok(rampart::ID.to_string())
        }
        _ => Err(KeeperError::WrongChain(format!("program {} does not exist on this chain", rampart::ID))),
    }
}

async fn guard(rpc: &Rpc, config: &Config) -> Result<String, KeeperError> {
    let address = config.cluster.guard;
    let wrong = |reason: String| KeeperError::WrongChain(format!("guard {address} {reason}"));
    let account = fetch(rpc, address).await?.ok_or_else(|| wrong("does not exist on this chain".into()))?;
    match decode(&account.owner, &account.data) {
        Ok(Decoded::Guard(_)) => Ok(address.to_string()),
        Ok(_) => Err(wrong("is another account of the program".into())),
        Err(error) => Err(wrong(format!("cannot be read: {}", error::chain(&error)))),
    }
}

async fn balance(rpc: &Rpc, signer: &Pubkey, config: &Config) -> Result<String, KeeperError> {
    let lamports = fetch(rpc, *signer).await?.map_or(0, |account| account.lamports);
    let least = config.budget.min_payer_lamports;
    if lamports < least {
        let text = format!("{signer} holds {lamports} lamports, `budget.min_payer_lamports` is {least}");
        return Err(KeeperError::Chain { what: "find enough balance".into(), source: text.into() });
    }
    Ok(format!("{lamports} lamports"))
}

async fn fetch(rpc: &Rpc, key: Pubkey) -> Result<Option<crate::watch::Update>, KeeperError> {
    let listing = rpc.accounts(&[key]).await.map_err(|source| asked("ask for an account", source))?;
    Ok(listing.updates.into_iter().next().filter(|account| account.lamports > 0))
}

fn asked(what: &str, source: crate::chain::rpc::RpcError) -> KeeperError {
    KeeperError::Chain { what: what.to_owned(), source: Box::new(source) }
}

fn report(findings: &[Finding]) -> Result<(), KeeperError> {
    let lines = findings.iter().map(|finding| match &finding.result {
        Ok(found) => format!("ok      {:<9} {found}\n", finding.name),
        Err(error) => {
            format!("failed  {:<9} {}\n        {:<9} hint: {}\n", finding.name, error::chain(error), "", error.hint())
        }
    });
    text(&lines.collect::<String>())?;
    let mut failed = findings.iter().filter_map(|finding| finding.result.as_ref().err());
    match failed.next() {
        None => Ok(()),
        Some(first) => Err(KeeperError::ChecksFailed {
            exit_code: first.exit_code(),
            failed: 1 + failed.count(),
            total: findings.len(),
        }),
    }
}
