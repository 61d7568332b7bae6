//! Everything that a start would stumble over and a running keeper may suffer from, tried without sending anything.

mod local;
mod place;
mod poster;
mod remote;

use super::output::Output;
use crate::config::Config;
use crate::config::{self, Overrides};
use crate::error::{self, KeeperError};
use serde::Serialize;
use std::path::Path;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// As it should be.
    Ok,
    /// It runs, but somebody should look.
    Warning,
    /// A start would end here.
    Failed,
}

/// One line of the table.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    name: String,
    state: State,
    found: String,
    /// What to do, unless it is as it should be.
    fix: Option<String>,
    /// Exit code of a start that stumbles over it.
    #[serde(skip)]
    exit_code: u8,
}

impl Finding {
    fn ok(name: impl Into<String>, found: impl Into<String>) -> Self {
        Self { name: name.into(), state: State::Ok, found: found.into(), fix: None, exit_code: 0 }
    }

    fn warning(name: impl Into<String>, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { state: State::Warning, fix: Some(fix.into()), ..Self::ok(name, found) }
    }

    /// Makes a network that can't be reached a warning: another endpoint is there. Another chain stays what it is.
    fn soften(&mut self) {
        if self.state == State::Failed && self.exit_code == 5 {
            (self.state, self.exit_code) = (State::Warning, 0);
        }
    }

    fn of(name: impl Into<String>, result: Result<String, KeeperError>) -> Self {
        match result {
            Ok(found) => Self::ok(name, found),
            Err(failure) => Self {
                name: name.into(),
                state: State::Failed,
                found: error::chain(&failure),
                fix: Some(failure.hint()),
                exit_code: failure.exit_code(),
            },
        }
    }
}

/// Tries everything and prints a table.
///
/// # Errors
/// `ChecksFailed` with the exit code that a start would end with.
pub(super) async fn doctor(path: &Path, out: Output) -> Result<(), KeeperError> {
    let config = match config::load(path, std::env::vars(), &Overrides::default()) {
        Ok(config) => config,
        // nothing else can be tried
        Err(failure) => return report(&[Finding::of("settings", Err(failure.into()))], out),
    };
    let mut findings = vec![Finding::ok("settings", path.display().to_string())];
    findings.extend(local::look(&config));
    findings.push(Finding::of("history", history(&config).await));
    findings.extend(remote::look(&config).await);
    findings.extend(super::fleet::look(&config).await.map(|found| Finding::of("fleet", found)));
    report(&findings, out)
}

async fn history(config: &Config) -> Result<String, KeeperError> {
    if !config.history.enabled {
        return Ok("not kept".into());
    }
    Ok(crate::history::Reader::new(config).probe(&config.cluster.guard).await?)
}

fn report(findings: &[Finding], out: Output) -> Result<(), KeeperError> {
    out.print(&findings, || text(findings))?;
    let mut failed = findings.iter().filter(|finding| finding.state == State::Failed);
    match failed.next() {
        None => Ok(()),
        Some(first) => Err(KeeperError::ChecksFailed {
            exit_code: first.exit_code,
            failed: 1 + failed.count(),
            total: findings.len(),
        }),
    }
}

fn text(findings: &[Finding]) -> String {
    let width = findings.iter().map(|finding| finding.name.len()).max().unwrap_or(0);
    let line = |finding: &Finding| {
        let state = match finding.state {
            State::Ok => "ok     ",
            State::Warning => "WARNING",
            State::Failed => "FAILED ",
        };
        let fix = finding.fix.as_ref().map_or_else(String::new, |fix| format!("{:8}{:<width$}  fix: {fix}\n", "", ""));
        format!("{state} {:<width$}  {}\n{fix}", finding.name, finding.found)
    };
    let warnings = findings.iter().filter(|finding| finding.state == State::Warning).count();
    let failed = findings.iter().filter(|finding| finding.state == State::Failed).count();
    let end = match (failed, warnings) {
        (0, 0) => "all is well; `rampart run --observe` starts without sending".to_owned(),
        (0, _) => format!("{warnings} warnings; the keeper would start"),
        _ => format!("{failed} failed, {warnings} warnings; the keeper would not start"),
    };
    findings.iter().map(line).collect::<String>() + &end + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_finding_names_its_fix_and_the_first_failure_the_exit_code() {
        let key = crate::config::payer::KeyError::Mode { path: "payer.json".into(), mode: 0o644 };
        let findings = [
            Finding::ok("settings", "rampart.toml"),
            Finding::warning("clock", "9 s ahead", "set the clock"),
            Finding::of("payer", Err(key.into())),
            Finding::of("guard", Err(KeeperError::WrongChain("another chain".into()))),
        ];
        let text = text(&findings);
        assert!(text.contains("fix: run `chmod 600 payer.json`") && text.contains("fix: set the clock"), "{text}");
        assert!(text.ends_with("2 failed, 1 warnings; the keeper would not start\n"), "{text}");
        let out = Output { is_json: false, command: "doctor" };
        let error = report(&findings, out).expect_err("two failed");
        assert!(matches!(error, KeeperError::ChecksFailed { failed: 2, total: 4, exit_code: 3 }), "{error}");
    }
}
