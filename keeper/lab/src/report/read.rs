//! Result files, told apart by what they hold.

use super::ReportError;
use crate::backtest::Report as Backtest;
use crate::data::sha256_hex;
use crate::evaluate::Results;
use crate::hedge::Study;
use crate::learn::Standings;
use crate::probe::Probe;
use crate::refit::Line as Refit;
use crate::story::Story;
use crate::sweep::Line;
use crate::validate::Verdict;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::path::Path;

/// What a file holds.
#[derive(Clone, Debug)]
pub enum Found {
    /// Of `backtest`.
    Backtest(Backtest),
    /// Of `validate`.
    Verdict(Verdict),
    /// Of `evaluate`.
    Evaluation(Box<Results>),
    /// Of `sweep` or `merge`.
    Sweep(Vec<Line>),
    /// Of `attack run`.
    Story(Story),
    /// Of `hedge`.
    Hedge(Study),
    /// Of `probe`.
    Probe(Probe),
    /// Of `train policy --results`.
    Policy(Standings),
    /// The journal of `refit`.
    Refits(Vec<Refit>),
}

/// Reads a file. Returns what it holds, its name and its SHA-256. An answer in the envelope of `--json` is as good as a bare one.
///
/// # Errors
/// `Read`, `Unknown`.
pub fn read(path: &Path) -> Result<(Found, String, String), ReportError> {
    let text = std::fs::read_to_string(path).map_err(|source| ReportError::Read { path: path.into(), source })?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let found = parse(&text).map_err(|reason| ReportError::Unknown { path: path.into(), reason })?;
    Ok((found, name, sha256_hex(text.as_bytes())))
}

fn parse(text: &str) -> Result<Found, String> {
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        if let Ok(refits) = text.lines().map(serde_json::from_str).collect::<Result<Vec<Refit>, _>>()
            && !refits.is_empty()
        {
            return Ok(Found::Refits(refits));
        }
        let lines = text.lines().map(serde_json::from_str).collect::<Result<Vec<Line>, _>>();
        return match lines {
            Ok(lines) if !lines.is_empty() => Ok(Found::Sweep(lines)),
            Ok(_) => Err("it is empty".into()),
            Err(error) => Err(error.to_string()),
        };
    };
    let value = match value {
        Value::Object(mut map) if map.contains_key("schema") && map.contains_key("data") => {
            map.remove("data").unwrap_or_default()
        }
        other => other,
    };
    let has = |key: &str| value.get(key).is_some();
    if has("outcomes") {
        as_type(value).map(Found::Backtest)
    } else if has("cases") {
        as_type(value).map(Found::Verdict)
    } else if has("leaks") {
        as_type(value).map(|results| Found::Evaluation(Box::new(results)))
    } else if has("moments") {
        as_type(value).map(Found::Story)
    } else if has("leak_checks") {
        as_type(value).map(Found::Hedge)
    } else if has("outages") {
        as_type(value).map(Found::Probe)
    } else if has("contests") {
        as_type(value).map(Found::Policy)
    } else if has("week_ts") {
        as_type(value).map(|line| Found::Refits(vec![line]))
    } else if has("cell") {
        as_type(value).map(|line| Found::Sweep(vec![line]))
    } else {
        Err("it has none of their fields".into())
    }
}

fn as_type<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}
