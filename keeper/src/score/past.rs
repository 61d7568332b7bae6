//! Prices before the start, from the history: a keeper that was restarted knows the market that it left.

use crate::config::Config;
use crate::error::chain;
use crate::history::{Query, Reader};
use anchor_lang::prelude::Pubkey;
use rampart_score::bar::Bar;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::timeout;

/// How far back is read, seconds: what the engine weighs beyond a week is little.
const SPAN_SECS: i64 = 7 * 86_400;
/// How long a start waits for it: a slow database must not hold up the defence.
const PATIENCE: Duration = Duration::from_secs(3);
/// Length of a bar, seconds.
const BAR_SECS: u32 = 300;

/// Closes of each asset by the start of their bar, US dollars.
#[derive(Debug, Default)]
pub struct Past {
    closes: BTreeMap<Pubkey, BTreeMap<i64, f64>>,
}

impl Past {
    /// Reads what the keepers of the guard sampled until `now_ts`. Nothing where there is no history, or where it can't be
    /// read: the scores start cold then, and say so.
    pub async fn read(config: &Config, now_ts: i64) -> Self {
        if !(config.score.enabled && config.history.enabled) {
            return Self::default();
        }
        let query = Query::closes(&config.cluster.guard, now_ts.saturating_sub(SPAN_SECS), BAR_SECS);
        match timeout(PATIENCE, Reader::new(config).page(query)).await {
            Ok(Ok(page)) => return Self::of(&page.items),
            Ok(Err(error)) => tracing::info!("scores start cold: {}", chain(&error)),
            Err(_) => tracing::info!("scores start cold: the history did not answer within {PATIENCE:?}"),
        }
        Self::default()
    }

    pub(super) fn of(items: &[Value]) -> Self {
        let mut past = Self::default();
        for item in items {
            let text = |name: &str| item[name].as_str();
            let subject = text("subject").and_then(|subject| subject.parse().ok());
            let price = text("price").and_then(|price| price.parse::<f64>().ok()).filter(|price| *price > 0.0);
            let (Some(subject), Some(price), Some(at_ms)) = (subject, price, item["at_ms"].as_i64()) else { continue };
            let open_ts = at_ms.div_euclid(1_000 * i64::from(BAR_SECS)) * i64::from(BAR_SECS);
            past.closes.entry(subject).or_default().insert(open_ts, price);
        }
        past
    }

    /// Returns the bars of an asset that closed by `now_ts`, in units of `quote` where one is named.
    pub(super) fn bars(&self, asset: &Pubkey, quote: Option<&Pubkey>, now_ts: i64) -> Vec<Bar> {
        let mut bars: Vec<Bar> = Vec::new();
        for (open_ts, dollars) in self.closes.get(asset).into_iter().flatten() {
            let price = match quote {
                Some(quote) => {
                    self.closes.get(quote).and_then(|closes| closes.get(open_ts)).map(|quote| dollars / quote)
                }
                None => Some(*dollars),
            };
            let Some(close) = price.filter(|_| open_ts + i64::from(BAR_SECS) <= now_ts) else { continue };
            // of what went on within a bar, its ends are known
            let open = bars.last().filter(|last| last.close_ts() == *open_ts).map_or(close, |last| last.close);
            let (high, low) = (open.max(close), open.min(close));
            bars.push(Bar { open_ts: *open_ts, secs: BAR_SECS, open, high, low, close, volume: 0.0, taker_buy: None });
        }
        bars
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn closes_become_bars_in_units_of_the_loan_and_nothing_is_filled_in() {
        let [sol, usdc] = [1, 2].map(|n| Pubkey::new_from_array([n; 32]));
        let item = |subject: Pubkey, ts: i64, price: &str| json!({ "subject": subject.to_string(), "at_ms": ts * 1_000, "price": price });
        let past = Past::of(&[
            item(sol, 1_505, "120"),
            item(sol, 590, "110.0"),
            item(sol, 299, "100.0"),
            item(sol, 899, "not a number"),
            item(usdc, 280, "0.5"),
            item(usdc, 580, "1"),
        ]);
        let ends = |bars: Vec<Bar>| bars.iter().map(|bar| (bar.open_ts, bar.open, bar.close)).collect::<Vec<_>>();
        assert_eq!(ends(past.bars(&sol, None, 1_799)), [(0, 100.0, 100.0), (300, 100.0, 110.0)], "the last is open");
        assert_eq!(ends(past.bars(&sol, None, 1_800))[2], (1_500, 120.0, 120.0), "behind a gap, from its own price");
        assert_eq!(ends(past.bars(&sol, Some(&usdc), 1_800)), [(0, 200.0, 200.0), (300, 200.0, 110.0)]);
        assert!(past.bars(&usdc, Some(&Pubkey::default()), 1_800).is_empty());
    }
}
