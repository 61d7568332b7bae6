//! The history over the API.

use super::*;
use crate::http::{self, ApiState, PriceHistory, Pulse, Sample};
use serde_json::Value;

struct NoPrices;

impl PriceHistory for NoPrices {
    fn samples(&self, _: &Pubkey) -> Option<Vec<Sample>> {
        None
    }
}

async fn serve(config: &Config, stop: &CancellationToken) -> String {
    let (_, views) = tokio::sync::watch::channel(Arc::default());
    let metrics = Metrics::new();
    let events = Events::new(metrics.clone());
    let state = ApiState::new(views, events, metrics, Arc::new(NoPrices), Pulse::new(), &[]);
    let state = state.with_history(Reader::new(config), config.cluster.guard);
    let listener = http::bind(([127, 0, 0, 1], 0).into()).await.expect("a port");
    let base = format!("http://{}/api/v1/history", listener.local_addr().expect("an address"));
    tokio::spawn(http::serve(listener, state, stop.clone()));
    base
}

async fn get(url: &str) -> (u16, Value) {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let answer = client.get(url).send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

#[tokio::test]
async fn pages_are_served_and_questions_that_will_not_do_are_refused_by_name() {
    let dir = tempfile::tempdir().expect("a directory");
    let running = Running::start(config(dir.path(), "one", ""), 9);
    (1..=3).for_each(|epoch| drop(running.events.emit(trip(4, epoch))));
    let settings = running.config.clone();
    running.stop().await;
    let stop = CancellationToken::new();
    let base = serve(&settings, &stop).await;

    let (status, first) = get(&format!("{base}/events?limit=2&vault={}", key(3))).await;
    assert_eq!((status, first["items"].as_array().map(Vec::len)), (200, Some(2)));
    assert_eq!((&first["items"][0]["slot"], &first["items"][0]["fields"]["trip_epoch"]), (&103.into(), &3.into()));
    let cursor = first["next"].as_str().expect("a cursor");
    let (_, last) = get(&format!("{base}/events?limit=2&cursor={cursor}")).await;
    assert_eq!((&last["items"][0]["slot"], &last["next"]), (&101.into(), &Value::Null));

    for (path, status, reason) in [
        ("events?limit=501", 400, "limit must lie between 1 and 500"),
        ("events?vault=x", 400, "vault must be an address in base58"),
        ("events?cursor=x", 400, "cursor must be `next` of an earlier page"),
        ("reports?name=x", 400, "name means nothing for reports"),
        ("events?form=1", 400, "unknown field `form`"),
        ("events?from=soon", 400, "from"),
        ("secrets", 404, "the kinds are events, decisions, reports and samples"),
    ] {
        let (found, body) = get(&format!("{base}/{path}")).await;
        assert_eq!(found, status, "{path}: {body}");
        assert!(body["error"].as_str().is_some_and(|error| error.contains(reason)), "{path}: {body}");
    }

    std::fs::remove_file(dir.path().join(local::FILE)).expect("the file");
    let (status, body) = get(&format!("{base}/events")).await;
    assert_eq!((status, &body["error"]), (503, &"the history can't be read now; the keeper's log says why".into()));
    let off = serve(&config(dir.path(), "one", "enabled = false"), &stop).await;
    let (status, body) = get(&format!("{off}/events")).await;
    assert_eq!((status, &body["error"]), (404, &"no history is kept: `history.enabled` is false".into()));
    stop.cancel();
}
