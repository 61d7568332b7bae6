//! A vault of a guard's file as the lab plays it: what governance tries before it changes a threshold.

use super::file::{GuardFile, NamedRule, VaultSpec};
use super::spec::{OracleSpec, Part, PegName};
use rampart::state::asset::Peg;
use rampart_lab::pool::OracleLimits;
use rampart_lab::validate::{Config, ConfigError, Guarded, Require, text_of};
use std::path::Path;

/// Reads what the lab is to play: a guard's file, of which `vault` names one, or a configuration of the lab's own.
///
/// # Errors
/// `Read`, `Syntax` or `Refused` as the lab itself; `Guard` for a guard's file that can't be played, with every reason.
pub fn read(path: &Path, vault: Option<&str>) -> Result<Config, ConfigError> {
    let text = text_of(path)?;
    let is_guard = toml::from_str::<toml::Table>(&text).is_ok_and(|table| table.contains_key("guard"));
    let failed = |why: String| ConfigError::Guard(format!("guard file `{}`: {}", path.display(), why.trim_end()));
    match (is_guard, vault) {
        (true, _) => {
            let file = GuardFile::read(&text).map_err(|error| failed(error.to_string()))?;
            let problems = file.problems();
            let named = if problems.is_empty() { chosen(&file, vault) } else { Err(problems.join("; ")) };
            of(&file, named.map_err(failed)?)
        }
        (false, None) => Config::parse(&text),
        (false, Some(_)) => Err(ConfigError::Guard(format!(
            "`--vault` names a vault of a guard's file, and `{}` is a configuration of the lab's own",
            path.display()
        ))),
    }
}

fn chosen<'a>(file: &'a GuardFile, name: Option<&str>) -> Result<&'a VaultSpec, String> {
    let names = || file.vaults.iter().map(|vault| vault.name.as_str()).collect::<Vec<_>>().join(", ");
    match (name, file.vaults.as_slice()) {
        (Some(name), vaults) => vaults
            .iter()
            .find(|vault| vault.name == name)
            .ok_or_else(|| format!("no vault is named `{name}`; it has {}", names())),
        (None, [only]) => Ok(only),
        (None, []) => Err("it has no vault".into()),
        (None, _) => Err(format!("name one of its vaults by `--vault`: {}", names())),
    }
}

/// Returns a vault of the file as the lab plays it.
fn of(file: &GuardFile, vault: &VaultSpec) -> Result<Config, ConfigError> {
    // CANNOT be missing: `problems` names a vault whose asset isn't in the file
    let Some(collateral) = file.asset(&vault.collateral) else {
        return Err(ConfigError::Guard(format!("vault {}: no asset is named `{}`", vault.name, vault.collateral)));
    };
    let peg = if collateral.peg == PegName::UsDollar { Peg::UsDollar } else { Peg::Unpegged };
    let limits = vault.limits.value();
    let is_about = |rule: &&NamedRule| [&vault.name, &vault.collateral].contains(&&rule.subject);
    let guarded = Guarded {
        name: vault.name.clone(),
        risk: vault.risk.value(),
        reference: collateral.reference.value(),
        peg,
        oracle: limits_of(&collateral.oracle),
        flow: limits.loan_flow,
        exit_floor_bps: limits.exit_floor_bps,
        bounds: file.bounds.value(),
        rules: file.rules.iter().filter(is_about).map(|rule| (rule.id, rule.params.value())).collect(),
        left_out: left_out(file, vault),
    };
    Config::of(guarded, Require::of_peg(peg)?)
}

/// The lab has two sources with one limit of age and confidence: the widest that the file allows.
fn limits_of(oracle: &OracleSpec) -> OracleLimits {
    let widest = |of: fn(&super::spec::SourceSpec) -> u32| oracle.sources.iter().map(of).max().unwrap_or(0);
    OracleLimits {
        required: oracle.required.min(2),
        max_age_secs: widest(|source| source.max_age_secs),
        max_confidence_bps: u16::try_from(widest(|source| source.max_confidence_bps.into())).unwrap_or(u16::MAX),
        max_disagree_bps: oracle.max_disagree_bps,
    }
}

/// What the lab has no part for, with the reason.
fn left_out(file: &GuardFile, vault: &VaultSpec) -> Vec<String> {
    let caps = "caps (the pool is as large as its market)".to_owned();
    let scale = vault.scale.as_ref().map(|_| "scale (new risk is played at the vault's own limit)".to_owned());
    let of_loan = file.rules.iter().filter(|rule| rule.subject == vault.loan);
    let rules = of_loan.map(|rule| format!("rule {} (about {}, which stands for a dollar)", rule.id, rule.subject));
    std::iter::once(caps).chain(scale).chain(rules).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../deploy/guards/{name}.toml"))
    }

    fn refusal(text: &str, vault: Option<&str>) -> String {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("its text");
        match read(file.path(), vault) {
            Err(ConfigError::Guard(why)) => why,
            other => panic!("not refused: {other:?}"),
        }
    }

    #[test]
    fn every_template_is_played_with_its_own_lines_and_rules() {
        for (name, played) in [("sol", 5), ("btc", 5), ("stablecoin", 4), ("long-tail", 5)] {
            let config = read(&path(name), None).unwrap_or_else(|error| panic!("{name}: {error}"));
            let file = GuardFile::read(&std::fs::read_to_string(path(name)).expect("a template")).expect("a guard");
            let (guard, vault) = (config.guard(), &file.vaults[0]);
            assert_eq!(
                (guard.risk, guard.rules.len()),
                (vault.risk.value(), played),
                "{name}: {:?}",
                config.unplayed()
            );
            assert_eq!(guard.oracle.required, 2, "{name}");
            let left_out = config.unplayed();
            assert!(left_out.iter().any(|what| what.starts_with("caps")), "{name}: {left_out:?}");
        }
    }

    #[test]
    fn file_that_cannot_be_played_says_why() {
        let text = std::fs::read_to_string(path("sol")).expect("a template");
        let unknown = refusal(&text, Some("DOGE/USDC"));
        assert!(unknown.ends_with("no vault is named `DOGE/USDC`; it has SOL/USDC"), "{unknown}");
        let typo = refusal(&text.replacen("\nloosen_delay_secs", "\nloosen_delay", 1), None);
        assert!(typo.contains("unknown field `loosen_delay`"), "{typo}");
        let lines = refusal(&text.replace("soft_line_bps = 7500", "soft_line_bps = 6500"), None);
        assert!(lines.contains("vault SOL/USDC risk: Risk parameters must satisfy"), "{lines}");
        let own = refusal(rampart_lab::validate::EXAMPLE, Some("SOL/USDC"));
        assert!(own.contains("is a configuration of the lab's own"), "{own}");
    }
}
