//! Numbers, spans, rules and causes in words.

use super::spec::{LevelName, MetricName, Part, RuleSpec, ScopeName, SwitchName, Unknown};
use rampart::state::rule::RuleParams;
use serde_json::Value;

/// Returns a share in bps as per cent.
pub fn percent(bps: u64) -> String {
    let text = format!("{}.{:02}", bps / 100, bps % 100);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// Returns a span in its largest whole unit.
pub fn span(secs: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(86_400, "d"), (3_600, "h"), (60, "min")];
    let whole = UNITS.iter().find(|(unit, _)| secs >= *unit && secs.is_multiple_of(*unit));
    // two days are better known as hours
    match whole {
        Some((86_400, _)) if secs < 4 * 86_400 => format!("{} h", secs / 3_600),
        Some((unit, name)) => format!("{} {name}", secs / unit),
        None => format!("{secs} s"),
    }
}

/// Returns what is left of a span, in its two largest units.
pub fn countdown(secs: i64) -> String {
    let secs = secs.max(0);
    let (days, hours, minutes) = (secs / 86_400, secs / 3_600 % 24, secs / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{secs} s"),
        (0, 0, minutes) => format!("{minutes} min {} s", secs % 60),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// Returns a number with its thousands apart.
pub fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let spaced = digits.bytes().enumerate().flat_map(|(at, digit)| {
        let is_gap = at > 0 && (digits.len() - at).is_multiple_of(3);
        is_gap.then_some(',').into_iter().chain(std::iter::once(char::from(digit)))
    });
    spaced.collect()
}

/// Returns base units as whole tokens.
pub fn tokens(amount: u64, decimals: u8) -> String {
    let one = 10_u64.checked_pow(decimals.into()).unwrap_or(u64::MAX);
    let rest = format!("{:0width$}", amount % one, width = usize::from(decimals));
    let rest = rest.trim_end_matches('0');
    let point = if rest.is_empty() || one == 1 { String::new() } else { format!(".{rest}") };
    format!("{}{point}", grouped(amount / one))
}

/// Decimals of the mints that amounts are of: of the loan and of the collateral.
pub type Decimals = Option<(u8, u8)>;

/// Returns the value of a field in words: what its name says of its unit.
pub fn value(field: &str, value: &Value, decimals: Decimals) -> String {
    let Some(number) = value.as_u64() else { return plain(value) };
    let name = field.rsplit('.').next().unwrap_or(field);
    if name.ends_with("_bps") {
        return percent(number);
    }
    if name.ends_with("_secs") {
        return span(number);
    }
    if let Some(dollars) = name.strip_suffix("_micro_usd").map(|_| tokens(number, 6)) {
        return format!("{dollars} dollars");
    }
    match decimals {
        Some((loan, collateral)) if name.ends_with("_amount") => {
            let of_collateral = field.contains("collateral") || field.starts_with("inflow");
            let (decimals, what) = if of_collateral { (collateral, "collateral") } else { (loan, "loan") };
            format!("{} {what} tokens", tokens(number, decimals))
        }
        _ => grouped(number),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "none".into(),
        Value::String(text) => text.clone(),
        Value::Array(list) => format!("[{}]", list.iter().map(plain).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// Returns a rule's threshold in the unit of its metric.
fn threshold(metric: MetricName, value: u64) -> String {
    match metric {
        MetricName::OracleAge | MetricName::KeeperSilence => span(value),
        _ => percent(value),
    }
}

/// Returns a metric as a phrase about `subject`.
fn measured(rule: &RuleSpec, subject: &str) -> String {
    let window = span(rule.window_secs.into());
    match rule.metric {
        MetricName::Drawdown => format!("the fall of {subject} from its high of {window}"),
        MetricName::DeviationFromReference => {
            format!("the gap between {subject} and its reference ({})", rule.reference_span)
        }
        MetricName::OracleAge => format!("the age of the price of {subject}"),
        MetricName::ConfidenceRatio => format!("the width of the price of {subject}"),
        MetricName::OutflowRate => format!("what left {subject} in {window}"),
        MetricName::CollateralRatio => format!("collateral over debt of {subject}"),
        MetricName::RealizedVolatility => format!("the volatility of {subject} in {window}"),
        MetricName::SourceDisagreement => format!("the gap between the sources of {subject}"),
        MetricName::PegDeviation => format!("the gap between {subject} and its peg"),
        MetricName::SupplyGrowth => format!("the growth of the supply of {subject}"),
        MetricName::InflowRate => format!("the collateral that came into {subject} in {window}"),
        MetricName::Utilisation => format!("the lent part of {subject}"),
        MetricName::ReserveCover => format!("what {subject} keeps against bad debt over its debt"),
        MetricName::KeeperMedian => format!("the keepers' median {} of {subject}", rule.part),
        MetricName::KeeperSilence => format!("the silence of the keepers about {subject}"),
        MetricName::KeeperSpread => format!("the gap between the keepers' reports about {subject}"),
        MetricName::VaultShortfall => format!("the shortfall of {subject}"),
    }
}

/// Returns a rule as one sentence.
///
/// # Errors
/// [`Unknown`].
pub fn rule(params: &RuleParams, subject: &str) -> Result<String, Unknown> {
    let rule = RuleSpec::of(params)?;
    let whose = if rule.scope == ScopeName::Guard { "the whole guard" } else { subject };
    let limit = threshold(rule.metric, rule.threshold);
    let clear = threshold(rule.metric, rule.clear_threshold);
    let side = format!("{} {limit}", rule.comparator);
    let proof = match (rule.min_persist_secs, rule.min_observations) {
        (0, 0 | 1) => "at once".to_owned(),
        (secs, count) => format!("for {} and {count} observations", span(secs.into())),
    };
    let sources =
        if rule.sources_required == 1 { "1 source".into() } else { format!("{} sources", rule.sources_required) };
    let off = if rule.switch == SwitchName::Disabled { "DISABLED: " } else { "" };
    Ok(format!(
        "{off}when {} is at or {side} {proof}, by {sources}: {} for {whose} for {}; clear at {clear}, steps down after {}",
        measured(&rule, subject),
        level(rule.level),
        span(rule.duration_secs.into()),
        span(rule.min_dwell_secs.into()),
    ))
}

/// Returns a level as it is written everywhere.
pub fn level(level: LevelName) -> &'static str {
    match level {
        LevelName::Normal => "Normal",
        LevelName::Caution => "Caution",
        LevelName::ReduceOnly => "ReduceOnly",
        LevelName::Halt => "Halt",
        LevelName::Resolution => "Resolution",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_told_by_the_unit_in_their_name() {
        let of = |field: &str, number: u64| value(field, &json!(number), Some((6, 9)));
        assert_eq!(of("ltv_bps", 7_050), "70.5 %");
        assert_eq!(of("max_age_secs", 90), "90 s");
        assert_eq!(of("loosen_delay_secs", 172_800), "48 h");
        assert_eq!(of("duration_secs", 864_000), "10 d");
        assert_eq!(of("limit_micro_usd", 10_000_000_000_000), "10,000,000 dollars");
        assert_eq!(of("supply_cap_amount", 1_500_000), "1.5 loan tokens");
        assert_eq!(of("collateral_flow.absolute_floor_amount", 2_000_000_000), "2 collateral tokens");
        assert_eq!(of("min_samples", 1_234), "1,234");
        assert_eq!(value("metric", &json!("drawdown"), None), "drawdown");
        assert_eq!(value("min_debt_amount", &json!(10_000), None), "10,000");
    }

    #[test]
    fn countdown_has_its_two_largest_units() {
        let told = [-5, 59, 61, 3_661, 90_000].map(countdown);
        assert_eq!(told, ["0 s", "59 s", "1 min 1 s", "1 h 1 min", "1 d 1 h"]);
    }
}
