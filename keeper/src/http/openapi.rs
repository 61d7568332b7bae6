//! The API in OpenAPI 3.1, made from the types that it takes and answers with.
//!
//! The keeper serves it; `docs/openapi.json` is the same. A route that is not in it fails a test.

use super::{accounts, api, control, health, relay};
use crate::control::{Explanation, Pauses, TripAnswer};
use crate::events::Event;
use crate::history::{Filter, Kind, Page};
use crate::view::View;
use axum::Json;
use schemars::JsonSchema;
use schemars::generate::{Contract, SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

const JSON: &str = "application/json";

/// What a status says, wherever it is answered.
const REFUSALS: [(u16, &str); 6] = [
    (400, "A parameter or the body won't do: `error` names it."),
    (401, "The token is missing or another one."),
    (404, "There is no such thing, or this keeper keeps none."),
    (421, "The request names a host that `http.hosts` doesn't list."),
    (503, "Not now: `error` says why. Ask again."),
    (507, "The keeper's disk refused what has to be kept first."),
];

pub(super) async fn document() -> Json<&'static Value> {
    static DESCRIPTION: LazyLock<Value> = LazyLock::new(describe);
    Json(&DESCRIPTION)
}

/// Returns the whole description.
pub(super) fn describe() -> Value {
    let mut shapes = Shapes::new();
    let mut paths = Map::new();
    for operation in reading(&mut shapes).into_iter().chain(acting(&mut shapes)) {
        let (path, method, described) = operation.describe(&mut shapes);
        let item = paths.entry(path).or_insert_with(|| json!({}));
        item[method] = described;
    }
    let token =
        json!({ "type": "http", "scheme": "bearer", "description": "From the file that `http.token_file` names." });
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Rampart keeper",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Amounts and prices are decimal strings. Reading needs no login; acting needs the token.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "paths": paths,
        "components": { "schemas": shapes.components(), "securitySchemes": { "token": token } },
    })
}

/// The shapes of what is taken and of what is answered: a field with a default may be left out of the one only.
struct Shapes {
    taken: SchemaGenerator,
    answered: SchemaGenerator,
}

impl Shapes {
    fn new() -> Self {
        let generator = |contract: Contract| {
            let settings = SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
                settings.contract = contract.clone();
            });
            settings.into_generator()
        };
        Self { taken: generator(Contract::Deserialize), answered: generator(Contract::Serialize) }
    }

    fn of<T: JsonSchema>(&mut self) -> Value {
        json!({ JSON: { "schema": self.answered.subschema_for::<T>() } })
    }

    fn components(mut self) -> Map<String, Value> {
        let mut all = self.taken.take_definitions(true);
        all.extend(self.answered.take_definitions(true));
        all
    }
}

/// One request that can be made.
struct Operation {
    method: &'static str,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    parameters: Vec<Value>,
    body: Option<Value>,
    needs_token: bool,
    answer: Value,
    refusals: &'static [u16],
}

impl Operation {
    fn get(path: &'static str, id: &'static str, summary: &'static str, answer: Value) -> Self {
        Self {
            method: "get",
            path,
            id,
            summary,
            parameters: Vec::new(),
            body: None,
            needs_token: false,
            answer,
            refusals: &[],
        }
    }

    fn with(self, parameters: Vec<Value>) -> Self {
        Self { parameters, ..self }
    }

    fn or(self, refusals: &'static [u16]) -> Self {
        Self { refusals, ..self }
    }

    fn describe(self, shapes: &mut Shapes) -> (&'static str, &'static str, Value) {
        let mut responses = Map::new();
        responses.insert("200".into(), json!({ "description": "Done.", "content": self.answer }));
        let refusal = shapes.of::<api::Refusal>();
        let is_refused = |status: &u16| *status == 421 || self.refusals.contains(status);
        for (status, description) in REFUSALS.iter().filter(|(status, _)| is_refused(status)) {
            // these two tell in their own way how things stand
            let content = match (self.id, status) {
                ("live", 503) => text("text/plain"),
                ("ready", 503) => shapes.of::<health::Readiness>(),
                _ => refusal.clone(),
            };
            responses.insert(status.to_string(), json!({ "description": description, "content": content }));
        }
        let mut described = json!({ "operationId": self.id, "summary": self.summary, "parameters": self.parameters, "responses": responses });
        if let Some(schema) = self.body {
            described["requestBody"] = json!({ "required": true, "content": { JSON: { "schema": schema } } });
        }
        if self.needs_token {
            described["security"] = json!([{ "token": [] }]);
        }
        (self.path, self.method, described)
    }
}

fn text(kind: &str) -> Value {
    json!({ kind: { "schema": { "type": "string" } } })
}

fn parameter(place: &str, name: &str, description: &str, schema: Value) -> Value {
    json!({ "in": place, "name": name, "required": true, "description": description, "schema": schema })
}

fn address(name: &str, description: &str) -> Value {
    let schema = json!({ "type": "string", "pattern": "^[1-9A-HJ-NP-Za-km-z]{32,44}$" });
    parameter("query", name, description, schema)
}

fn reading(shapes: &mut Shapes) -> Vec<Operation> {
    let accounts = shapes.of::<accounts::Answer>();
    let kind = json!(shapes.taken.subschema_for::<accounts::Kind>());
    let rpc = Operation {
        method: "post",
        body: Some(json!(shapes.taken.subschema_for::<relay::Request>())),
        ..Operation::get(
            "/api/v1/rpc",
            "rpc",
            "Passes a request of JSON-RPC on to the chain.",
            shapes.of::<relay::Answer>(),
        )
    };
    // in the components, so that readers of the stream have it
    shapes.answered.subschema_for::<Event>();
    vec![
        rpc.or(&[400, 404, 503]),
        Operation::get("/api/v1/state", "state", "The keeper, and all that it guards.", shapes.of::<View>()).or(&[503]),
        Operation::get("/api/v1/accounts", "accounts", "All accounts of a kind, as they are on chain.", accounts.clone())
            .with(vec![parameter("query", "kind", "Which kind.", kind)])
            .or(&[400, 503]),
        Operation::get("/api/v1/positions", "positions", "All positions of an owner.", accounts)
            .with(vec![address("owner", "Whose.")])
            .or(&[400, 503]),
        Operation::get("/api/v1/history", "prices", "Prices of an asset since the start.", shapes.of::<api::Samples>())
            .with(vec![address("asset", "Account of the asset.")])
            .or(&[400, 404]),
        Operation::get("/api/v1/history/{kind}", "history", "A page of what is kept, newest first.", shapes.of::<Page>())
            .with(page(shapes))
            .or(&[400, 404, 503]),
        Operation::get("/api/v1/explain", "explain", "Why the keeper acts on something, or doesn't.", shapes.of::<Explanation>())
            .with(vec![address("subject", "A rule, group, position, vault, asset or guard.")])
            .or(&[400, 404, 503]),
        Operation::get(
            "/api/v1/events",
            "events",
            "The last 200 events, then each as it happens; each one's `data` is an `Event`. `last-event-id` leaves out what was seen.",
            text("text/event-stream"),
        )
        .or(&[503]),
        Operation::get("/api/v1/openapi.json", "openapi", "This description.", json!({ JSON: { "schema": { "type": "object" } } })),
        Operation::get("/lab/index.json", "labIndex", "Names of what the lab found.", json!({ JSON: { "schema": { "type": "object" } } }))
            .or(&[404, 503]),
        Operation::get(
            "/lab/{name}",
            "lab",
            "What the lab found, as it wrote it.",
            json!({ JSON: { "schema": {} }, "application/jsonl": { "schema": { "type": "string" } } }),
        )
        .with(vec![parameter("path", "name", "A file that the index names.", json!({ "type": "string" }))])
        .or(&[400, 404, 503]),
        Operation::get("/metrics", "metrics", "Numbers for Prometheus.", text("application/openmetrics-text")),
        Operation::get("/livez", "live", "Whether the keeper's loop turns.", text("text/plain")).or(&[503]),
        Operation::get("/readyz", "ready", "Whether it may act on all classes.", shapes.of::<health::Readiness>()).or(&[503]),
    ]
}

/// Returns the parameters of a page, from the fields of [`Filter`].
fn page(shapes: &mut Shapes) -> Vec<Value> {
    let kind = json!(shapes.taken.subschema_for::<Kind>());
    let mut parameters = vec![parameter("path", "kind", "What is kept.", kind)];
    let filter = shapes.taken.root_schema_for::<Filter>();
    let fields = filter.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    for (name, mut schema) in fields {
        let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        parameters.push(json!({ "in": "query", "name": name, "description": description, "schema": schema }));
    }
    parameters
}

fn acting(shapes: &mut Shapes) -> Vec<Operation> {
    let post = |path, id, summary, answer, body| Operation {
        method: "post",
        body: Some(body),
        needs_token: true,
        ..Operation::get(path, id, summary, answer).or(&[400, 401, 503, 507])
    };
    let pauses = shapes.of::<Pauses>();
    let pause = json!(shapes.taken.subschema_for::<control::PauseRequest>());
    let resume = json!(shapes.taken.subschema_for::<control::ResumeRequest>());
    let trip = json!(shapes.taken.subschema_for::<control::TripRequest>());
    vec![
        post(
            "/api/v1/control/pause",
            "pause",
            "Pauses classes of action; answers with all that is paused.",
            pauses.clone(),
            pause,
        ),
        post(
            "/api/v1/control/resume",
            "resume",
            "Resumes classes of action; answers with what is still paused.",
            pauses,
            resume,
        ),
        post(
            "/api/v1/control/trip",
            "trip",
            "Trips a rule or group that holds, by hand.",
            shapes.of::<TripAnswer>(),
            trip,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the description is for whoever has no keeper at hand.
    const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");

    #[test]
    fn kept_description_is_that_of_the_types() {
        let said = format!("{}\n", serde_json::to_string_pretty(&describe()).unwrap());
        if std::env::var_os("RAMPART_UPDATE_SNAPSHOTS").is_some() {
            std::fs::write(KEPT, &said).unwrap();
        }
        let kept = std::fs::read_to_string(KEPT).unwrap();
        assert_eq!(said, kept, "docs/openapi.json: RAMPART_UPDATE_SNAPSHOTS=1 writes it anew");
    }

    #[test]
    fn every_route_is_described_and_every_description_is_a_route() {
        let described = describe();
        let mut described: Vec<&str> = described["paths"].as_object().unwrap().keys().map(String::as_str).collect();
        let routes = include_str!("mod.rs").split(".route(\"").skip(1);
        let mut routed: Vec<&str> = routes.filter_map(|rest| rest.split('"').next()).collect();
        routed.sort_unstable();
        described.sort_unstable();
        assert_eq!(described, routed);
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
            match value {
                Value::Object(map) => {
                    found.extend(map.get("$ref").and_then(Value::as_str));
                    map.values().for_each(|value| references(value, found));
                }
                Value::Array(items) => items.iter().for_each(|value| references(value, found)),
                _ => {}
            }
        }
        let (described, mut found) = (describe(), Vec::new());
        references(&described, &mut found);
        assert!(found.len() > 50, "{}", found.len());
        for reference in found {
            assert!(described.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
        }
    }
}
