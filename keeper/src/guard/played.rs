//! A vault of a guard's file as the lab plays it: what governance tries before it changes a threshold.

use super::file::{GuardFile, NamedRule, VaultSpec};
use super::snapshot::Snapshot;
use super::spec::{Part, PegName};
use anchor_lang::prelude::Pubkey;
use rampart::state::asset::Peg;
use rampart::state::{OracleSet, RiskScale};
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
    let of_loan = file.rules.iter().filter(|rule| rule.subject == vault.loan);
    let risk = vault.risk.value();
    let guarded = Guarded {
        name: vault.name.clone(),
        risk,
        reference: collateral.reference.value(),
        peg,
        oracle: limits_of(&collateral.oracle.value()),
        flow: limits.loan_flow,
        scale: vault.scale.as_ref().map_or_else(|| RiskScale::off(risk.ltv_bps), Part::value),
        exit_floor_bps: limits.exit_floor_bps,
        bounds: file.bounds.value(),
        rules: file.rules.iter().filter(is_about).map(|rule| (rule.id, rule.params.value())).collect(),
        loan_rules: of_loan.map(|rule| rule.id).collect(),
    };
    Config::of(guarded, Require::of_peg(peg)?)
}

/// Returns a vault of the chain as the lab plays it; nothing where it, its collateral or the guard isn't there.
pub fn of_chain(snapshot: &Snapshot, key: &Pubkey) -> Option<Guarded> {
    let (guard, vault) = (snapshot.guard.as_deref()?, snapshot.vaults.get(key)?);
    let collateral = snapshot.assets.get(&vault.collateral_asset)?;
    let about = |subjects: &[Pubkey]| {
        let rules = snapshot.rules.values().filter(|rule| subjects.contains(&rule.subject));
        rules.map(|rule| (rule.id, rule.params)).collect::<Vec<_>>()
    };
    let mut loan_rules: Vec<u16> = about(&[vault.loan_asset]).iter().map(|(id, _)| *id).collect();
    loan_rules.sort_unstable();
    Some(Guarded {
        name: key.to_string(),
        risk: vault.risk,
        reference: collateral.reference_params,
        peg: Peg::try_from(collateral.peg).ok()?,
        oracle: limits_of(&collateral.oracle),
        flow: vault.limits.loan_flow,
        scale: vault.scale,
        exit_floor_bps: vault.limits.exit_floor_bps,
        bounds: guard.bounds,
        rules: about(&[*key, vault.collateral_asset]),
        loan_rules,
    })
}

/// The lab has two sources with one limit of age and confidence: the widest that the guard allows.
fn limits_of(oracle: &OracleSet) -> OracleLimits {
    let sources = oracle.active();
    OracleLimits {
        required: oracle.required.min(2),
        max_age_secs: sources.iter().map(|source| source.max_age_secs).max().unwrap_or(0),
        max_confidence_bps: sources.iter().map(|source| source.max_confidence_bps).max().unwrap_or(0),
        max_disagree_bps: oracle.max_disagree_bps,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rampart_lab::validate::{Plan, Verdict, validate};
    use rampart_lab::work::Work;

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

    /// Reads a template's vault, with lines of its file replaced.
    fn config(name: &str, edits: &[(&str, &str)]) -> Config {
        let mut text = std::fs::read_to_string(path(name)).expect("a template");
        for (from, to) in edits {
            assert!(text.contains(from), "{name} has `{from}`");
            text = text.replace(from, to);
        }
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("its text");
        read(file.path(), None).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Plays it through draws of each attack.
    fn verdict(name: &str, edits: &[(&str, &str)], draws: u64) -> Verdict {
        let plan = Plan { data: None, draws, seed: 1, against: None };
        validate(&config(name, edits), plan, &mut Work::quiet()).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Asserts that a case, and no bound but this one in it, fails the verdict.
    fn assert_broken(verdict: &Verdict, name: &str, bound: &str) {
        let case = verdict.cases.iter().find(|case| case.name == name).expect("a case");
        let is_it = case.failed.len() == 1 && case.failed[0].contains(&format!(", {bound} is "));
        assert!(is_it && !verdict.is_passed, "{bound} in {name}\n{verdict}");
    }

    #[test]
    fn every_template_keeps_to_its_bounds() {
        for name in ["sol", "btc", "stablecoin", "long-tail"] {
            let verdict = verdict(name, &[], 1);
            assert!(verdict.is_passed, "{name}\n{verdict}");
        }
    }

    #[test]
    fn guard_without_rules_fails_where_a_crash_stands_unanswered() {
        let off = |level: &str| format!("level = \"{level}\"\nswitch = \"disabled\"");
        let on = |level: &str| format!("level = \"{level}\"\nswitch = \"enabled\"");
        let edits = ["caution", "reduce_only", "halt"].map(|level| (on(level), off(level)));
        let verdict = verdict("sol", &edits.each_ref().map(|(from, to)| (from.as_str(), to.as_str())), 1);
        assert_eq!(verdict.cases.iter().map(|case| case.trips).sum::<u64>(), 0);
        assert_broken(&verdict, "flash-crash", "max_unanswered_secs");
    }

    #[test]
    fn guard_without_outflow_limits_fails_where_lenders_and_attackers_leave_with_it() {
        let floor = "absolute_floor_amount = 500_000_000_000\n";
        let verdict = verdict("sol", &[(floor, "absolute_floor_amount = 500_000_000_000_000_000\n")], 1);
        for name in ["drift-2026", "bank-run", "kelp-rseth-2026"] {
            assert_broken(&verdict, name, "max_hour_out_bps");
        }
        let is_broken = |name: &str| verdict.cases.iter().any(|case| case.name == name && !case.failed.is_empty());
        assert!(!["calm", "flash-crash"].into_iter().any(is_broken));
    }

    #[test]
    fn guard_without_a_scale_fails_where_an_hour_is_rough_and_another_scale_is_another_configuration() {
        let heading = "[vault.scale.volatility]\nswitch = ";
        let [on, off] = ["enabled", "disabled"].map(|switch| format!("{heading}\"{switch}\""));
        let verdict = verdict("sol", &[(on.as_str(), off.as_str())], 1);
        assert_broken(&verdict, "flash-crash", "max_rough_ltv_bps");
        let hash = |edits: &[(&str, &str)]| config("sol", edits).sha256();
        let steeper = hash(&[("calm_bps = 300\nslope_bps = 10_000", "calm_bps = 300\nslope_bps = 12_000")]);
        let all = [hash(&[]), steeper, verdict.config_sha256];
        assert!(all[0] != all[1] && all[1] != all[2] && all[0] != all[2], "{all:?}");
    }

    #[test]
    fn guard_with_lines_too_high_fails_where_a_crash_costs_lenders_too_much() {
        let lines = "soft_line_bps = 7500\nliquidation_line_bps = 8000\nfull_close_ltv_bps = 9500";
        let high = "soft_line_bps = 8900\nliquidation_line_bps = 9200\nfull_close_ltv_bps = 9800";
        let verdict = verdict("sol", &[(lines, high), ("\nltv_bps = 7000", "\nltv_bps = 8000")], 3);
        assert_broken(&verdict, "flash-crash", "max_bad_debt_bps");
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
