//! A change as fields with names: what moves, from what to what, and which way by the program's own judgement.

use super::spec::{
    AggregateSpec, CurveSpec, GrantSpec, Key, LimitsSpec, OracleSpec, Part, PlanSpec, ReferenceSpec, RiskSpec,
    RolesSpec, RuleSpec, ScaleSpec, StandbySpec, SwapSpec, SwitchName, Unknown,
};
use rampart::state::{Change, ChangeGroup, Direction};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Why a change can't be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The chain is ahead of this version.
    #[error(transparent)]
    Unknown(#[from] Unknown),
    /// A field is missing, unknown, or holds something else.
    #[error("the fields of `{group}` do not fit: {source}")]
    Fields {
        /// The group.
        group: &'static str,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// There is no such field.
    #[error("`{group}` has no field `{field}`; it has {known}")]
    NoField {
        /// The group.
        group: &'static str,
        /// What was asked for.
        field: String,
        /// What there is.
        known: String,
    },
}

/// Every group with its name, as commands and files write it.
pub const GROUPS: [(ChangeGroup, &str); 19] = [
    (ChangeGroup::VaultRisk, "vault-risk"),
    (ChangeGroup::VaultLimits, "vault-limits"),
    (ChangeGroup::VaultCurve, "vault-curve"),
    (ChangeGroup::VaultScale, "vault-scale"),
    (ChangeGroup::VaultCover, "vault-cover"),
    (ChangeGroup::Rule, "rule"),
    (ChangeGroup::AssetOracle, "asset-oracle"),
    (ChangeGroup::AssetStandby, "asset-standby"),
    (ChangeGroup::AssetReference, "asset-reference"),
    (ChangeGroup::AssetWarmUp, "asset-warm-up"),
    (ChangeGroup::Aggregate, "dollar-limit"),
    (ChangeGroup::Roles, "roles"),
    (ChangeGroup::Root, "root"),
    (ChangeGroup::LoosenDelay, "delay"),
    (ChangeGroup::IntegrationSwitch, "integration-switch"),
    (ChangeGroup::Holder, "holder"),
    (ChangeGroup::SwapPolicy, "swap-policy"),
    (ChangeGroup::ReservePlan, "reserve-plan"),
    (ChangeGroup::ReserveGrant, "reserve-grant"),
];

/// Returns the name of a group.
pub fn group_name(group: ChangeGroup) -> &'static str {
    GROUPS.iter().find(|(known, _)| *known == group).map_or("unknown", |(_, name)| name)
}

/// Returns the group of a name.
pub fn group_of(name: &str) -> Option<ChangeGroup> {
    GROUPS.iter().find(|(_, known)| *known == name).map(|(group, _)| *group)
}

/// Returns a value with its fields by name.
///
/// # Errors
/// `Unknown`, `Fields`.
pub fn to_json(change: &Change) -> Result<Value, ChangeError> {
    let group = group_name(change.group());
    match change {
        Change::VaultRisk(v) => write::<RiskSpec, _>(group, v),
        Change::VaultLimits(v) => write::<LimitsSpec, _>(group, v),
        Change::VaultCurve(v) => write::<CurveSpec, _>(group, v),
        Change::Rule(v) => write::<RuleSpec, _>(group, v),
        Change::AssetOracle(v) => write::<OracleSpec, _>(group, v),
        Change::AssetReference(v) => write::<ReferenceSpec, _>(group, v),
        Change::Roles(v) => write::<RolesSpec, _>(group, v),
        Change::LoosenDelay(v) => Ok(single("loosen_delay_secs", v)),
        Change::Root(v) => Ok(single("root", &Key(*v))),
        Change::Aggregate(v) => write::<AggregateSpec, _>(group, v),
        Change::AssetWarmUp(v) => Ok(single("warm_up_secs", v)),
        Change::AssetStandby(v) => write::<StandbySpec, _>(group, v),
        Change::IntegrationSwitch(v) | Change::VaultCover(v) => Ok(single("switch", &SwitchName::of(v)?)),
        Change::Holder(v) => Ok(single("holder", &Key(*v))),
        Change::SwapPolicy(v) => write::<SwapSpec, _>(group, v),
        Change::ReservePlan(v) => write::<PlanSpec, _>(group, v),
        Change::ReserveGrant(v) => write::<GrantSpec, _>(group, v),
        Change::VaultScale(v) => write::<ScaleSpec, _>(group, v),
    }
}

/// Reads a value from its fields by name.
///
/// # Errors
/// `Fields`.
pub fn from_json(group: ChangeGroup, value: &Value) -> Result<Change, ChangeError> {
    let name = group_name(group);
    Ok(match group {
        ChangeGroup::VaultRisk => Change::VaultRisk(read::<RiskSpec, _>(name, value)?),
        ChangeGroup::VaultLimits => Change::VaultLimits(read::<LimitsSpec, _>(name, value)?),
        ChangeGroup::VaultCurve => Change::VaultCurve(read::<CurveSpec, _>(name, value)?),
        ChangeGroup::Rule => Change::Rule(read::<RuleSpec, _>(name, value)?),
        ChangeGroup::AssetOracle => Change::AssetOracle(read::<OracleSpec, _>(name, value)?),
        ChangeGroup::AssetReference => Change::AssetReference(read::<ReferenceSpec, _>(name, value)?),
        ChangeGroup::Roles => Change::Roles(read::<RolesSpec, _>(name, value)?),
        ChangeGroup::LoosenDelay => Change::LoosenDelay(read_one(name, value, "loosen_delay_secs")?),
        ChangeGroup::Root => Change::Root(read_one::<Key>(name, value, "root")?.0),
        ChangeGroup::Aggregate => Change::Aggregate(read::<AggregateSpec, _>(name, value)?),
        ChangeGroup::AssetWarmUp => Change::AssetWarmUp(read_one(name, value, "warm_up_secs")?),
        ChangeGroup::AssetStandby => Change::AssetStandby(read::<StandbySpec, _>(name, value)?),
        ChangeGroup::IntegrationSwitch => {
            Change::IntegrationSwitch(read_one::<SwitchName>(name, value, "switch")?.value())
        }
        ChangeGroup::Holder => Change::Holder(read_one::<Key>(name, value, "holder")?.0),
        ChangeGroup::SwapPolicy => Change::SwapPolicy(read::<SwapSpec, _>(name, value)?),
        ChangeGroup::ReservePlan => Change::ReservePlan(read::<PlanSpec, _>(name, value)?),
        ChangeGroup::ReserveGrant => Change::ReserveGrant(read::<GrantSpec, _>(name, value)?),
        ChangeGroup::VaultScale => Change::VaultScale(read::<ScaleSpec, _>(name, value)?),
        ChangeGroup::VaultCover => Change::VaultCover(read_one::<SwitchName>(name, value, "switch")?.value()),
    })
}

fn single(name: &str, value: &impl Serialize) -> Value {
    // CANNOT fail: numbers and texts
    Value::Object(Map::from_iter([(name.to_owned(), serde_json::to_value(value).unwrap_or_default())]))
}

pub(super) fn write<S: Part<T> + Serialize, T>(group: &'static str, value: &T) -> Result<Value, ChangeError> {
    serde_json::to_value(S::of(value)?).map_err(|source| ChangeError::Fields { group, source })
}

pub(super) fn read<S: Part<T> + DeserializeOwned, T>(group: &'static str, value: &Value) -> Result<T, ChangeError> {
    let spec: S = serde_json::from_value(value.clone()).map_err(|source| ChangeError::Fields { group, source })?;
    Ok(spec.value())
}

fn read_one<S: DeserializeOwned>(group: &'static str, value: &Value, field: &str) -> Result<S, ChangeError> {
    serde_json::from_value(value[field].clone()).map_err(|source| ChangeError::Fields { group, source })
}

/// One field that moves.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Move {
    /// Its name, with those of the structs that it is in.
    pub field: String,
    /// What it is.
    pub from: Value,
    /// What it shall be.
    pub to: Value,
    /// Which way, by the program's judgement of this field alone: `tighter` or `looser`; `new` where there was nothing.
    pub direction: &'static str,
}

/// Returns the word for a direction.
pub fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Same => "same",
        Direction::Tighter => "tighter",
        Direction::Looser => "looser",
    }
}

/// Returns every field that moves between two values of one group.
///
/// # Errors
/// `Unknown`, `Fields`.
pub fn moves(now: &Change, next: &Change) -> Result<Vec<Move>, ChangeError> {
    let (from, to) = (to_json(now)?, to_json(next)?);
    let mut moved = Vec::new();
    for path in differences(&from, &to) {
        let alone = with(from.clone(), &path, at(&to, &path).clone());
        // a field whose move can't be judged alone is the whole's
        let judged = from_json(now.group(), &alone).ok().and_then(|alone| now.judge_move(&alone).ok());
        let direction = judged.map_or(Direction::Looser, |judged| judged.direction);
        let (field, direction) = (path.join("."), direction_name(direction));
        moved.push(Move { field, from: at(&from, &path).clone(), to: at(&to, &path).clone(), direction });
    }
    Ok(moved)
}

/// Returns `now` with only those fields of `next` that get tighter.
///
/// # Errors
/// `Unknown`, `Fields`.
pub fn tighter_part(now: &Change, next: &Change) -> Result<Change, ChangeError> {
    let mut value = to_json(now)?;
    for moved in moves(now, next)?.into_iter().filter(|moved| moved.direction == "tighter") {
        let path: Vec<String> = moved.field.split('.').map(str::to_owned).collect();
        value = with(value, &path, moved.to);
    }
    from_json(now.group(), &value)
}

/// Returns `now` with fields set by name; values are JSON, or else text.
///
/// # Errors
/// `NoField`, `Unknown`, `Fields`.
pub fn edited(now: &Change, edits: &[(String, String)]) -> Result<Change, ChangeError> {
    let group = now.group();
    let is_optional = |field: &str| group == ChangeGroup::AssetOracle && field == "rate";
    from_json(group, &with_edits(group_name(group), to_json(now)?, edits, is_optional)?)
}

/// Sets fields of a value by name.
pub(super) fn with_edits(
    group: &'static str,
    mut value: Value,
    edits: &[(String, String)],
    is_optional: impl Fn(&str) -> bool,
) -> Result<Value, ChangeError> {
    for (field, text) in edits {
        let path: Vec<String> = field.split('.').map(str::to_owned).collect();
        if at(&value, &path).is_null() && !is_optional(field) {
            return Err(ChangeError::NoField { group, field: field.clone(), known: leaves(&value).join(", ") });
        }
        let edit = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()));
        value = with(value, &path, edit);
    }
    Ok(value)
}

/// Returns every field of a value that the chain doesn't have yet.
///
/// # Errors
/// `Unknown`, `Fields`.
pub fn created(next: &Change) -> Result<Vec<Move>, ChangeError> {
    let value = to_json(next)?;
    let path = |field: &String| field.split('.').map(str::to_owned).collect::<Vec<_>>();
    let one = |field: String| {
        let to = at(&value, &path(&field)).clone();
        Move { field, from: Value::Null, to, direction: "new" }
    };
    Ok(leaves(&value).into_iter().map(one).collect())
}

fn step<'a>(value: &'a Value, name: &str) -> &'a Value {
    match value {
        Value::Array(list) => name.parse().ok().and_then(|at: usize| list.get(at)).unwrap_or(&Value::Null),
        other => &other[name],
    }
}

pub(super) fn at<'a>(value: &'a Value, path: &[String]) -> &'a Value {
    path.iter().fold(value, |value, name| step(value, name))
}

pub(super) fn with(mut value: Value, path: &[String], next: Value) -> Value {
    let Some((name, rest)) = path.split_first() else { return next };
    let inner = with(step(&value, name).clone(), rest, next);
    match &mut value {
        Value::Array(list) => {
            if let Some(place) = name.parse().ok().and_then(|at: usize| list.get_mut(at)) {
                *place = inner;
            }
        }
        Value::Object(map) => {
            map.insert(name.clone(), inner);
        }
        _ => {}
    }
    value
}

/// Paths of what differs; lists of another length differ as a whole.
pub(super) fn differences(from: &Value, to: &Value) -> Vec<Vec<String>> {
    let under = |name: String, from: &Value, to: &Value| {
        differences(from, to).into_iter().map(move |path| std::iter::once(name.clone()).chain(path).collect())
    };
    match (from, to) {
        _ if from == to => Vec::new(),
        (Value::Object(a), Value::Object(b)) => {
            let names: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            names.into_iter().flat_map(|name| under(name.clone(), &from[name], &to[name])).collect()
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() && a.iter().any(Value::is_object) => {
            a.iter().zip(b).enumerate().flat_map(|(at, (a, b))| under(at.to_string(), a, b)).collect()
        }
        _ => vec![Vec::new()],
    }
}

fn leaves(value: &Value) -> Vec<String> {
    let under = |name: String, value: &Value| {
        let inner = leaves(value);
        if inner.is_empty() { vec![name] } else { inner.iter().map(|leaf| format!("{name}.{leaf}")).collect() }
    };
    match value {
        Value::Object(map) => map.iter().flat_map(|(name, value)| under(name.clone(), value)).collect(),
        _ => Vec::new(),
    }
}
