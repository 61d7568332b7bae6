//! What happened, from the history's file or database, or asked of a running keeper.

use super::HistoryArgs;
use super::output::Output;
use crate::config::Config;
use crate::error::KeeperError;
use crate::history::{Filter, HistoryError, Kind, Page, Query, Reader};
use crate::http::HttpError;
use serde_json::Value;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);
const UNITS: [(char, i64); 4] = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)];

/// Reads and prints one page. With an address, settings are not read.
pub(super) async fn history(
    args: &HistoryArgs,
    out: Output,
    settings: impl FnOnce() -> Result<Config, KeeperError>,
) -> Result<(), KeeperError> {
    let filter = args.filter(crate::events::unix_ts());
    let page = match &args.url {
        Some(url) => ask(url, args.kind, &filter).await?,
        None => read(&settings()?, args.kind, &filter).await?,
    };
    out.print(&page, || lines(args.kind, &page))
}

async fn read(config: &Config, kind: Kind, filter: &Filter) -> Result<Page, KeeperError> {
    let query = Query::new(kind, filter, &config.cluster.guard).map_err(HistoryError::from)?;
    Ok(Reader::new(config).page(query).await?)
}

async fn ask(base: &str, kind: Kind, filter: &Filter) -> Result<Page, KeeperError> {
    let url = format!("{}/api/v1/history/{}", base.trim_end_matches('/'), kind.as_str());
    let ask = async {
        let client = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build()?;
        client.get(&url).query(filter).send().await?.error_for_status()?.json().await
    };
    ask.await.map_err(|source| HttpError::Ask { url: url.clone(), source }.into())
}

impl HistoryArgs {
    fn filter(&self, now_ts: i64) -> Filter {
        let moment = |when: &Option<When>| when.map(|when| when.at(now_ts));
        Filter {
            from: moment(&self.since),
            to: moment(&self.until),
            guard: self.guard.clone(),
            vault: self.vault.clone(),
            subject: self.subject.clone(),
            name: self.name.clone(),
            limit: Some(self.limit),
            cursor: self.cursor.clone(),
        }
    }
}

/// A moment: a span before now, or unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Seconds before now.
    Ago(i64),
    /// Unix seconds.
    At(i64),
}

impl When {
    fn at(self, now_ts: i64) -> i64 {
        match self {
            Self::Ago(secs) => now_ts.saturating_sub(secs),
            Self::At(ts) => ts,
        }
    }

    /// Reads `90s`, `30m`, `24h`, `7d`, or unix seconds.
    ///
    /// # Errors
    /// What would do.
    pub fn parse(given: &str) -> Result<Self, String> {
        let unit = UNITS.iter().find_map(|(unit, secs)| given.strip_suffix(*unit).map(|number| (number, *secs)));
        let whole = |number: &str| number.parse::<u32>().ok().map(i64::from);
        let read = match unit {
            Some((number, secs)) => whole(number).map(|number| Self::Ago(number.saturating_mul(secs))),
            None => given.parse().ok().map(Self::At),
        };
        read.ok_or_else(|| "must be a span, as 90s, 30m, 24h or 7d, or unix seconds".into())
    }
}

/// Returns one line for each row, and how to go on.
fn lines(kind: Kind, page: &Page) -> String {
    let mut out: String = page.items.iter().map(|item| format!("{}\n", line(kind, item))).collect();
    if page.items.is_empty() {
        out.push_str("nothing\n");
    }
    page.next.iter().for_each(|next| out.push_str(&format!("more: --cursor {next}\n")));
    out
}

fn line(kind: Kind, item: &Value) -> String {
    let show = |name: &str| match &item[name] {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let rest = match kind {
        Kind::Events => format!("{} {}: {}", show("keeper"), show("kind"), show("text")),
        Kind::Decisions => {
            let fate = if item["outcome"].is_null() { "open".to_owned() } else { show("outcome") };
            let error = item["error"].as_str().map(|error| format!(" ({error})")).unwrap_or_default();
            let (class, subject) = (show("class"), show("subject"));
            format!("{} {class} {subject}: {fate}{error}; {}; {}", show("keeper"), show("reason"), show("signature"))
        }
        Kind::Reports => format!(
            "{} on {}: score {}, volatility {}, liquidity {}, correlation {}, anomaly {}, system health {} bps",
            show("reporter"),
            show("subject"),
            show("score_bps"),
            show("volatility_bps"),
            show("liquidity_bps"),
            show("correlation_bps"),
            show("anomaly_bps"),
            show("system_health_bps")
        ),
        Kind::Samples => format!(
            "{} {}: level {}, price {} ({} to {}), reference {}, utilisation {} bps",
            show("kind"),
            show("subject"),
            show("level"),
            show("price"),
            show("lo"),
            show("hi"),
            show("reference"),
            show("utilisation_bps")
        ),
    };
    format!("{} {} {rest}", show("at"), show("slot"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_spans_or_seconds() {
        assert_eq!(When::parse("24h").map(|when| when.at(100_000)), Ok(13_600));
        assert_eq!(When::parse("7d"), Ok(When::Ago(604_800)));
        assert_eq!(When::parse("1700000000"), Ok(When::At(1_700_000_000)));
        for refused in ["", "h", "-3h", "1.5h", "soon"] {
            assert!(When::parse(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn rows_are_lines_and_the_last_says_how_to_go_on() {
        let item = serde_json::json!({
            "at": "2026-01-01T00:00:00.000Z", "slot": 5, "keeper": "one", "class": "trip", "subject": "R",
            "reason": "it is true", "outcome": null, "signature": null, "error": null
        });
        let page = Page { items: vec![item], next: Some("1_2".into()) };
        assert_eq!(
            lines(Kind::Decisions, &page),
            "2026-01-01T00:00:00.000Z 5 one trip R: open; it is true; -\nmore: --cursor 1_2\n"
        );
    }
}
