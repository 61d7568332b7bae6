//! What can be asked of the history, and the answer: one page, newest first.

use super::record::{Kind, Shape, Value};
use super::sql::Dialect;
use anchor_lang::prelude::Pubkey;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};

/// Rows of a page where nothing is said.
pub const DEFAULT_LIMIT: u32 = 100;
/// Rows of the largest page.
pub const LARGEST_LIMIT: u32 = 500;

/// What is asked, as it comes from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// From this moment on, unix seconds.
    pub from: Option<i64>,
    /// Before this moment, unix seconds.
    pub to: Option<i64>,
    /// Of this guard; left out: the keeper's own.
    pub guard: Option<String>,
    /// What concerns this vault.
    pub vault: Option<String>,
    /// Of this rule, position, asset or vault.
    pub subject: Option<String>,
    /// Kind of event or sample, class of decision.
    pub name: Option<String>,
    /// Rows of the page.
    #[schemars(range(min = 1, max = LARGEST_LIMIT))]
    pub limit: Option<u32>,
    /// `next` of the page before.
    pub cursor: Option<String>,
}

/// Why a question can't be answered: names the parameter and what would do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{parameter} {reason}")]
pub struct BadFilter {
    /// The parameter.
    pub parameter: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

/// A question that can be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The table asked.
    pub kind: Kind,
    limit: u32,
    conditions: Vec<(&'static str, Vec<Value>)>,
}

/// One page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Page {
    /// Rows, newest first.
    pub items: Vec<serde_json::Value>,
    /// Cursor of the next page; none on the last.
    pub next: Option<String>,
}

/// A row as it was read: `id`, `at_ms`, `at`, `slot`, then the kind's columns.
pub struct Found {
    /// Number in its table.
    pub id: i64,
    /// Unix milliseconds.
    pub at_ms: i64,
    /// The same as text.
    pub at: String,
    /// Slot.
    pub slot: i64,
    /// The kind's columns.
    pub values: Vec<Value>,
}

impl Query {
    /// Checks a question. `guard` is the one that is meant where none is named.
    ///
    /// # Errors
    /// The first parameter that won't do.
    pub fn new(kind: Kind, filter: &Filter, guard: &Pubkey) -> Result<Self, BadFilter> {
        let limit = filter.limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=LARGEST_LIMIT).contains(&limit) {
            return Err(bad("limit", format!("must lie between 1 and {LARGEST_LIMIT}")));
        }
        let guard = address("guard", filter.guard.as_deref())?.unwrap_or_else(|| guard.to_string());
        let mut conditions = vec![("guard = {}", vec![Value::Text(Some(guard))])];
        for (condition, ts) in [("at_ms >= {}", filter.from), ("at_ms < {}", filter.to)] {
            conditions.extend(ts.map(|ts| (condition, vec![Value::Int(Some(ts.saturating_mul(1_000)))])));
        }
        if let Some(vault) = address("vault", filter.vault.as_deref())? {
            let vault = Value::Text(Some(vault));
            conditions.push(match kind.has_scope() {
                true => ("(scope = {} OR subject = {})", vec![vault.clone(), vault]),
                false => ("subject = {}", vec![vault]),
            });
        }
        if let Some(subject) = address("subject", filter.subject.as_deref())? {
            conditions.push(("subject = {}", vec![Value::Text(Some(subject))]));
        }
        if let Some(name) = &filter.name {
            let column = kind.name_column().ok_or_else(|| bad("name", "means nothing for reports"))?;
            let condition = if column == "class" { "class = {}" } else { "kind = {}" };
            conditions.push((condition, vec![Value::Text(Some(name.replace('\0', "")))]));
        }
        if let Some(cursor) = &filter.cursor {
            let (at_ms, id) = parse_cursor(cursor).ok_or_else(|| bad("cursor", "must be `next` of an earlier page"))?;
            conditions.push(("(at_ms, id) < ({}, {})", vec![Value::Int(Some(at_ms)), Value::Int(Some(id))]));
        }
        Ok(Self { kind, limit, conditions })
    }

    /// Asks for the last price of each asset in each period of `every_secs` since `from_ts`.
    pub fn closes(guard: &Pubkey, from_ts: i64, every_secs: u32) -> Self {
        /// Far more than the assets of a guard have.
        const MOST: u32 = 200_000;
        const LAST_OF_EACH: &str = "id IN (SELECT MAX(id) FROM history_samples WHERE guard = {} AND kind = 'asset' \
                                    AND price IS NOT NULL AND at_ms >= {} GROUP BY subject, at_ms / {})";
        let every_ms = i64::from(every_secs) * 1_000;
        let guard = Value::Text(Some(guard.to_string()));
        let values = vec![guard, Value::Int(Some(from_ts.saturating_mul(1_000))), Value::Int(Some(every_ms))];
        Self { kind: Kind::Samples, limit: MOST, conditions: vec![(LAST_OF_EACH, values)] }
    }

    /// Returns the statement and its parameters. Asks for one row more than the page holds.
    pub fn sql(&self, dialect: Dialect) -> (String, Vec<Value>) {
        let mut sql = format!("SELECT id, at_ms, {}, slot", dialect.at());
        self.kind.columns().iter().for_each(|(name, _)| sql.extend([", ", name]));
        sql.extend([" FROM ", self.kind.table(), " WHERE "]);
        let mut parameters = Vec::new();
        for (index, (condition, values)) in self.conditions.iter().enumerate() {
            sql.push_str(if index == 0 { "" } else { " AND " });
            let mut parts = condition.split("{}");
            sql.push_str(parts.next().unwrap_or_default());
            for (part, value) in parts.zip(values) {
                parameters.push(value.clone());
                sql.push_str(&format!("${}{part}", parameters.len()));
            }
        }
        sql.push_str(&format!(" ORDER BY at_ms DESC, id DESC LIMIT {}", self.limit + 1));
        (sql, parameters)
    }

    /// Makes a page of the rows that [`Query::sql`] found.
    pub fn page(&self, mut found: Vec<Found>) -> Page {
        let limit = self.limit as usize;
        let has_more = found.len() > limit;
        found.truncate(limit);
        let last = found.last().filter(|_| has_more).map(|row| format!("{}_{}", row.at_ms, row.id));
        Page { items: found.into_iter().map(|row| item(self.kind, row)).collect(), next: last }
    }
}

fn item(kind: Kind, row: Found) -> serde_json::Value {
    let mut fields = Map::new();
    fields.insert("id".into(), json!(row.id));
    fields.insert("at".into(), json!(row.at));
    fields.insert("at_ms".into(), json!(row.at_ms));
    fields.insert("slot".into(), json!(row.slot));
    for ((name, shape), value) in kind.columns().iter().zip(row.values) {
        let value = match (shape, value) {
            (_, Value::Int(number)) => json!(number),
            (Shape::Json, Value::Text(Some(text))) => serde_json::from_str(&text).unwrap_or(json!(text)),
            (_, Value::Text(text)) => json!(text),
        };
        fields.insert((*name).to_owned(), value);
    }
    serde_json::Value::Object(fields)
}

fn address(parameter: &'static str, text: Option<&str>) -> Result<Option<String>, BadFilter> {
    let parse = |text: &str| text.parse::<Pubkey>().map_err(|_| bad(parameter, "must be an address in base58"));
    text.map(parse).transpose().map(|key| key.map(|key| key.to_string()))
}

fn parse_cursor(text: &str) -> Option<(i64, i64)> {
    let (at_ms, id) = text.split_once('_')?;
    Some((at_ms.parse().ok()?, id.parse().ok()?))
}

fn bad(parameter: &'static str, reason: impl Into<String>) -> BadFilter {
    BadFilter { parameter, reason: reason.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(kind: Kind, filter: Filter) -> Result<Query, BadFilter> {
        Query::new(kind, &filter, &Pubkey::new_from_array([1; 32]))
    }

    #[test]
    fn parameters_appear_in_order() {
        let vault = Pubkey::new_from_array([2; 32]).to_string();
        let filter = Filter {
            from: Some(5),
            vault: Some(vault),
            name: Some("trip".into()),
            cursor: Some("7_8".into()),
            limit: Some(2),
            ..Filter::default()
        };
        let (sql, parameters) = query(Kind::Decisions, filter).expect("a question").sql(Dialect::Sqlite);
        assert!(
            sql.ends_with(
                "FROM history_decisions WHERE guard = $1 AND at_ms >= $2 AND (scope = $3 OR subject = $4) \
                 AND class = $5 AND (at_ms, id) < ($6, $7) ORDER BY at_ms DESC, id DESC LIMIT 3"
            ),
            "{sql}"
        );
        assert_eq!(parameters[1], Value::Int(Some(5_000)));
        assert_eq!(parameters.len(), 7);
    }

    #[test]
    fn a_parameter_that_will_not_do_is_named() {
        let cases = [
            (Kind::Events, Filter { limit: Some(0), ..Filter::default() }, "limit must lie between 1 and 500"),
            (Kind::Events, Filter { limit: Some(501), ..Filter::default() }, "limit must lie between 1 and 500"),
            (
                Kind::Events,
                Filter { vault: Some("x".into()), ..Filter::default() },
                "vault must be an address in base58",
            ),
            (
                Kind::Events,
                Filter { guard: Some("' OR 1".into()), ..Filter::default() },
                "guard must be an address in base58",
            ),
            (
                Kind::Events,
                Filter { cursor: Some("1".into()), ..Filter::default() },
                "cursor must be `next` of an earlier page",
            ),
            (Kind::Reports, Filter { name: Some("x".into()), ..Filter::default() }, "name means nothing for reports"),
        ];
        for (kind, filter, expected) in cases {
            assert_eq!(query(kind, filter).expect_err("a refusal").to_string(), expected);
        }
    }
}
