//! What a proposal was judged by: the lab's reports, held against what the chain becomes.

use super::act::ProposeArgs;
use super::way::{Way, WayArgs};
use super::{Answer, act};
use crate::config::Config;
use crate::error::{self, KeeperError};
use crate::guard::judged::{self, Reached, UnjudgedError};
use crate::guard::snapshot::Snapshot;
use crate::guard::spec::Digest;
use rampart::state::Change;
use rampart_lab::validate::Verdict;
use serde_json::json;
use solana_sdk::pubkey::Pubkey;
use std::path::{Path, PathBuf};

/// Reads every report of `--validate`.
pub(super) fn verdicts(args: &ProposeArgs) -> Result<Vec<Verdict>, KeeperError> {
    args.validate.iter().map(|path| passed(path)).collect()
}

/// Returns the hashes to note beside a proposal: of the lab's reports that speak for it, or the one that was named.
pub(super) fn noted(
    args: &ProposeArgs,
    verdicts: &[Verdict],
    (snapshot, target): (&Snapshot, &Pubkey),
    (now, next): (&Change, &Change),
) -> Result<Vec<Digest>, KeeperError> {
    if verdicts.is_empty() {
        return Ok(args.report.into_iter().collect());
    }
    let reached = judged::reached(snapshot, target, now, next).map_err(|error| unjudged(&error))?;
    let speak = judged::judged_by(&reached, verdicts, args.accept_skipped).map_err(|error| unjudged(&error))?;
    speak.into_iter().map(digest).collect()
}

fn unjudged(error: &UnjudgedError) -> KeeperError {
    KeeperError::Refused { what: error::chain(error), hint: error.next().into() }
}

/// Reads a verdict of the lab that passed.
fn passed(path: &Path) -> Result<Verdict, KeeperError> {
    let refuse =
        |why: String, hint: String| KeeperError::Refused { what: format!("report `{}` {why}", path.display()), hint };
    let read = std::fs::read(path).map_err(|source| {
        refuse(format!("can't be read: {source}"), "name the file that `rampart lab validate FILE --out` wrote".into())
    })?;
    let verdict: Verdict = serde_json::from_slice(&read).map_err(|source| {
        refuse(format!("is no verdict of the lab: {source}"), "write one: `rampart lab validate FILE --out`".into())
    })?;
    if !verdict.is_passed {
        let hint = format!("mend what failed and validate again; `--report {}` notes it all the same", verdict.hash());
        return Err(refuse(format!("says that `{}` failed", verdict.name), hint));
    }
    Ok(verdict)
}

/// Returns the hash that the lab prints of a verdict: the file's bytes have another.
fn digest(verdict: &Verdict) -> Result<Digest, KeeperError> {
    let refuse = |why| KeeperError::Refused { what: why, hint: "name another report".into() };
    Digest::try_from(verdict.hash()).map_err(refuse)
}

/// Writes what the lab has to play for a change, and proposes nothing. No key is needed.
pub(super) async fn write(args: &ProposeArgs, dir: &Path, config: &Config) -> Result<Answer, KeeperError> {
    let unsigned = WayArgs { dry_run: true, export: None, ..args.way.clone() };
    let way = Way::open(&unsigned, config).await?;
    let (target, now, next) = act::edited(args, &way)?;
    let reached = judged::reached(&way.snapshot, &target, &now, &next).map_err(|error| unjudged(&error))?;
    let written = reached.iter().map(|reached| write_one(reached, dir)).collect::<Result<Vec<_>, _>>()?;
    let line = |(reached, [next, today]): (&Reached, &[PathBuf; 2])| {
        let (next, today, hash) = (next.display(), today.display(), reached.next.sha256());
        format!(
            "vault {} becomes configuration {hash}\nrampart lab validate {next} --against {today} --out {}.json",
            reached.vault,
            next.to_string().trim_end_matches(".toml")
        )
    };
    let text = reached.iter().zip(&written).map(line).collect::<Vec<_>>().join("\n");
    let data = reached.iter().zip(&written).map(|(reached, [next, today])| {
        json!({ "vault": reached.vault.to_string(), "config_sha256": reached.next.sha256(), "file": next, "today": today })
    });
    Answer::new(&data.collect::<Vec<_>>(), text)
}

fn write_one(reached: &Reached, dir: &Path) -> Result<[PathBuf; 2], KeeperError> {
    let failed = |why: String| KeeperError::Refused {
        what: format!("failed to write to `{}`: {why}", dir.display()),
        hint: "name a folder that can be written to: `--lab DIR`".into(),
    };
    std::fs::create_dir_all(dir).map_err(|source| failed(source.to_string()))?;
    let paths = [dir.join(format!("{}.toml", reached.vault)), dir.join(format!("{}.today.toml", reached.vault))];
    for (path, config) in paths.iter().zip([&reached.next, &reached.today]) {
        let text = toml::to_string(config).map_err(|source| failed(source.to_string()))?;
        std::fs::write(path, text).map_err(|source| failed(source.to_string()))?;
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(is_passed: bool) -> Verdict {
        Verdict {
            name: "sol".into(),
            config_sha256: "ab".repeat(32),
            seed: 1,
            draws: 3,
            data: [("SOLUSDT_1m.csv.gz".to_owned(), "cd".repeat(32))].into(),
            skipped: Vec::new(),
            unplayed: vec!["rule 9".into()],
            against: None,
            cases: Vec::new(),
            mean_bad_debt_bps: 0.1 + 0.2,
            failed: Vec::new(),
            is_passed,
        }
    }

    /// Writes `text` and returns what is made of it.
    fn judged(text: &str) -> Result<Digest, KeeperError> {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("report.json");
        std::fs::write(&path, text).expect("a file");
        passed(&path).and_then(|verdict| digest(&verdict))
    }

    #[test]
    fn report_is_noted_by_the_hash_that_the_lab_printed_however_its_file_is_spaced() {
        let passed = verdict(true);
        let printed = passed.to_string();
        let said = printed.rsplit(' ').next().expect("a last word");
        let texts =
            [serde_json::to_string_pretty(&passed), serde_json::to_string(&passed)].map(|text| text.expect("JSON"));
        for text in texts {
            assert_eq!(String::from(judged(&text).expect("a hash")), said);
        }
    }

    #[test]
    fn report_is_refused_when_its_verdict_failed_or_it_is_none() {
        let failed = verdict(false);
        let refused = judged(&serde_json::to_string_pretty(&failed).expect("JSON")).expect_err("a refusal");
        assert!(refused.to_string().ends_with("report.json` says that `sol` failed"), "{refused}");
        assert!(
            refused.hint().ends_with(&format!("`--report {}` notes it all the same", failed.hash())),
            "{}",
            refused.hint()
        );
        let refused = judged("{\"verdict\":\"pass\"}").expect_err("a refusal");
        assert!(refused.to_string().contains("report.json` is no verdict of the lab: missing field"), "{refused}");
        let absent = passed(Path::new("/nonexistent/report.json")).expect_err("a refusal");
        assert!(absent.to_string().starts_with("report `/nonexistent/report.json` can't be read: "), "{absent}");
    }
}
