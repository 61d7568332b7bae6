//! Public keys, file modes, and the roles that they hold on chain.

use super::chain::{GUARDIAN, KEEPER, OnChain, ask_any};
use super::output::{Output, table};
use crate::config::Config;
use crate::config::payer::PayerKey;
use crate::error::{self, KeeperError};
use serde::Serialize;
use solana_sdk::pubkey::Pubkey;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// One key of the settings.
#[derive(Debug, Serialize)]
pub(super) struct KeyReport {
    /// What it is for: `payer` or `guardian`.
    pub purpose: &'static str,
    /// Its file.
    pub file: PathBuf,
    /// Permission bits of the file, octal.
    pub mode: Option<String>,
    /// The public key.
    pub key: Option<String>,
    /// Roles that it holds on chain.
    pub roles: Vec<String>,
    /// What is wrong with it.
    pub warnings: Vec<String>,
}

/// Prints every key.
pub(super) async fn keys(config: &Config, out: Output) -> Result<(), KeeperError> {
    let asked = ask_any(config).await;
    let reports = reports(config, asked.as_ref().ok());
    out.print(&reports, || text(&reports, asked.as_ref().err()))?;
    let failed = reports.iter().filter(|report| !report.warnings.is_empty()).count();
    if failed > 0 {
        return Err(KeeperError::ChecksFailed { failed, total: reports.len(), exit_code: 3 });
    }
    Ok(())
}

/// Looks at every key of the settings; roles only where the chain answered.
pub(super) fn reports(config: &Config, chain: Option<&OnChain>) -> Vec<KeyReport> {
    let payer = report("payer", &config.keys.payer_file, chain, judge_payer);
    let guardian = config.keys.guardian_file.as_ref().map(|path| report("guardian", path, chain, judge_guardian));
    std::iter::once(payer).chain(guardian).collect()
}

fn report(
    purpose: &'static str,
    path: &Path,
    chain: Option<&OnChain>,
    judge: impl Fn(&[String]) -> Vec<String>,
) -> KeyReport {
    let mode = std::fs::metadata(path).ok().map(|file| format!("{:04o}", file.permissions().mode() & 0o7777));
    let mut report =
        KeyReport { purpose, file: path.to_owned(), mode, key: None, roles: Vec::new(), warnings: Vec::new() };
    let key: Pubkey = match PayerKey::read(path) {
        Ok(key) => key.pubkey(),
        Err(cause) => {
            report.warnings.push(format!("{}; {}", error::chain(&cause), cause.hint()));
            return report;
        }
    };
    report.key = Some(key.to_string());
    if let Some(chain) = chain {
        report.roles = chain.roles_of(&key);
        report.warnings = judge(&report.roles);
    }
    report
}

/// Whoever steals the payer's key must get its balance and nothing else.
fn judge_payer(roles: &[String]) -> Vec<String> {
    let wrong = roles.iter().filter(|role| *role != KEEPER);
    wrong.map(|role| format!("the payer's key is {role}: give that role to another key, or pay with another")).collect()
}

fn judge_guardian(roles: &[String]) -> Vec<String> {
    let mut warnings: Vec<String> = roles
        .iter()
        .filter(|role| *role != GUARDIAN)
        .map(|role| format!("the guardian's key is also {role}: a key on this machine must not be"))
        .collect();
    if !roles.iter().any(|role| role == GUARDIAN) {
        warnings.push("the guardian's key is no guardian of the guard: `takeover.pause_levels` can't work".into());
    }
    warnings
}

fn text(reports: &[KeyReport], failure: Option<&KeeperError>) -> String {
    let mut rows = vec![["PURPOSE", "KEY", "MODE", "ROLES", "FILE"].map(str::to_owned).to_vec()];
    rows.extend(reports.iter().map(|report| {
        let roles = if report.roles.is_empty() { "none".to_owned() } else { report.roles.join(", ") };
        let known = if failure.is_some() { "unknown".to_owned() } else { roles };
        let key = report.key.clone().unwrap_or_else(|| "unreadable".into());
        let mode = report.mode.clone().unwrap_or_else(|| "-".into());
        vec![report.purpose.to_owned(), key, mode, known, report.file.display().to_string()]
    }));
    let warnings = reports.iter().flat_map(|report| &report.warnings).map(|warning| format!("WARNING: {warning}\n"));
    let unknown = failure.map(|failure| format!("roles are not known: {}\n", error::chain(failure)));
    table(&rows) + &warnings.chain(unknown).collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payer_may_be_a_keeper_and_nothing_else() {
        assert!(judge_payer(&[]).is_empty() && judge_payer(&[KEEPER.into()]).is_empty());
        let warnings = judge_payer(&["root of the guard".into(), KEEPER.into()]);
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].contains("root of the guard"), "{warnings:?}");
    }

    #[test]
    fn guardian_must_be_one_and_nothing_else() {
        assert!(judge_guardian(&[GUARDIAN.into()]).is_empty());
        assert_eq!(judge_guardian(&[GUARDIAN.into(), KEEPER.into()]).len(), 1);
        assert_eq!(judge_guardian(&[]).len(), 1);
    }
}
