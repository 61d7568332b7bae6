//! Prices before the start: from the history, so that a keeper that was restarted knows the market that it left, and
//! from recorded candles, so that one that is started first does not begin cold.

use crate::config::Config;
use crate::error::chain;
use crate::history::{Query, Reader};
use anchor_lang::prelude::Pubkey;
use flate2::read::MultiGzDecoder;
use rampart_score::bar::Bar;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::time::Duration;
use tokio::time::timeout;

/// How far back is read, seconds: what the engine weighs beyond a week is little.
const SPAN_SECS: i64 = 7 * 86_400;
/// How long a start waits for it: a slow database must not hold up the defence.
const PATIENCE: Duration = Duration::from_secs(3);
/// Length of a bar, seconds.
const BAR_SECS: u32 = 300;
/// The longest time between two closes across which assets are compared, seconds.
const GAP_MAX_SECS: i64 = 3_600;

/// Closes of each asset by the start of their bar, US dollars.
#[derive(Debug, Default)]
pub struct Past {
    closes: BTreeMap<Pubkey, BTreeMap<i64, f64>>,
}

impl Past {
    /// Reads what the keepers of the guard sampled until `now_ts`. Nothing where there is no history, or where it can't be
    /// read: the scores start cold then, and say so.
    pub async fn read(config: &Config, now_ts: i64) -> Self {
        let mut past = Self::default();
        if !config.score.enabled {
            return past;
        }
        for market in &config.score.market {
            let Some(path) = &market.past_file else { continue };
            if let Err(error) = past.take_file(market.asset, path) {
                tracing::warn!("scores of {} start cold: {}: {error}", market.asset, path.display());
            }
        }
        if !config.history.enabled {
            return past;
        }
        let query = Query::closes(&config.cluster.guard, now_ts.saturating_sub(SPAN_SECS), BAR_SECS);
        match timeout(PATIENCE, Reader::new(config).page(query)).await {
            Ok(Ok(page)) => past.take(&page.items),
            Ok(Err(error)) => tracing::info!("scores start without the history: {}", chain(&error)),
            Err(_) => tracing::info!("scores start without the history: no answer within {PATIENCE:?}"),
        }
        past
    }

    /// Takes recorded candles: the last close of each five minutes.
    fn take_file(&mut self, asset: Pubkey, path: &Path) -> std::io::Result<()> {
        let file = File::open(path)?;
        let is_packed = path.extension().is_some_and(|extension| extension == "gz");
        let plain: Box<dyn Read> = if is_packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
        let closes = self.closes.entry(asset).or_default();
        for line in BufReader::new(plain).lines() {
            let line = line?;
            let mut fields = line.split(',').map(str::trim);
            let (ts, close) = (fields.next().and_then(|ts| ts.parse::<i64>().ok()), fields.nth(3));
            // a line of names, and what isn't a price
            let price = close.and_then(|close| close.parse::<f64>().ok()).filter(|price| *price > 0.0);
            let (Some(ts), Some(price)) = (ts, price) else { continue };
            closes.insert(grid(ts), price);
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn of(items: &[Value]) -> Self {
        let mut past = Self::default();
        past.take(items);
        past
    }

    fn take(&mut self, items: &[Value]) {
        for item in items {
            let text = |name: &str| item[name].as_str();
            let subject = text("subject").and_then(|subject| subject.parse().ok());
            let price = text("price").and_then(|price| price.parse::<f64>().ok()).filter(|price| *price > 0.0);
            let (Some(subject), Some(price), Some(at_ms)) = (subject, price, item["at_ms"].as_i64()) else { continue };
            self.closes.entry(subject).or_default().insert(grid(at_ms.div_euclid(1_000)), price);
        }
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
            // of what went on within a bar, its ends are known, and not what was traded
            let open = bars.last().filter(|last| last.close_ts() == *open_ts).map_or(close, |last| last.close);
            let (high, low) = (open.max(close), open.min(close));
            bars.push(Bar { open_ts: *open_ts, secs: BAR_SECS, open, high, low, close, volume: None, taker_buy: None });
        }
        bars
    }

    /// Returns what all `assets` did from one bar to the next: seconds, and the log return of each; bars that one of them lacks
    /// are left out.
    pub(super) fn returns(&self, assets: &[Pubkey], now_ts: i64) -> Vec<(i64, Vec<Option<f64>>)> {
        let Some((first, others)) = assets.split_first() else { return Vec::new() };
        let closes_at = |(open_ts, close): (&i64, &f64)| {
            let others = others.iter().map(|asset| self.closes.get(asset)?.get(open_ts).copied());
            Some((*open_ts, std::iter::once(Some(*close)).chain(others).collect::<Option<Vec<f64>>>()?))
        };
        let last_ts = now_ts.saturating_sub(BAR_SECS.into());
        let closed = self.closes.get(first).into_iter().flat_map(|closes| closes.range(..=last_ts));
        let all: Vec<(i64, Vec<f64>)> = closed.filter_map(closes_at).collect();
        let moved = |pair: &[(i64, Vec<f64>)]| {
            let ((from_ts, before), (to_ts, now)) = (&pair[0], &pair[1]);
            (to_ts - from_ts, before.iter().zip(now).map(|(before, now)| Some((now / before).ln())).collect())
        };
        // as of the features: no return is taken across a gap of more than an hour
        all.windows(2).map(moved).filter(|(secs, _)| *secs <= GAP_MAX_SECS).collect()
    }
}

/// The start of the bar that holds `ts`.
fn grid(ts: i64) -> i64 {
    ts - ts.rem_euclid(i64::from(BAR_SECS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::io::Write;

    #[test]
    fn candles_of_a_file_are_taken_by_five_minutes_and_the_history_wins() {
        let sol = Pubkey::new_from_array([1; 32]);
        let text = "time,open,high,low,close,volume\n0,1,1,1,100,5\n240,1,1,1,101,5\n300,1,1,1,x,5\n600,1,1,1,103,5\n";
        let dir = tempfile::tempdir().unwrap();
        let (plain, packed) = (dir.path().join("a.csv"), dir.path().join("a.csv.gz"));
        std::fs::write(&plain, text).unwrap();
        let mut gzip = flate2::write::GzEncoder::new(File::create(&packed).unwrap(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        gzip.finish().unwrap();
        for path in [plain, packed] {
            let mut past = Past::default();
            past.take_file(sol, &path).unwrap();
            assert_eq!(past.closes[&sol], BTreeMap::from([(0, 101.0), (600, 103.0)]), "{}", path.display());
            past.take(&[json!({ "subject": sol.to_string(), "at_ms": 700_000, "price": "104" })]);
            assert_eq!(past.closes[&sol][&600], 104.0);
        }
        let error = Past::default().take_file(sol, &dir.path().join("missing.csv")).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    }

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

    #[test]
    fn returns_are_those_that_all_assets_made_and_none_across_a_gap() {
        let [sol, usdc] = [1, 2].map(|n| Pubkey::new_from_array([n; 32]));
        let item = |subject: Pubkey, bar: i64, price: &str| json!({ "subject": subject.to_string(), "at_ms": bar * 300_000, "price": price });
        let sol_at = [(0, "100"), (1, "110"), (2, "121"), (3, "242"), (20, "484"), (21, "968")];
        let usdc_at = [(0, "1"), (1, "1"), (3, "2"), (20, "2"), (21, "2")];
        let sol_at = sol_at.map(|(bar, price)| item(sol, bar, price));
        let past =
            Past::of(&sol_at.into_iter().chain(usdc_at.map(|(bar, price)| item(usdc, bar, price))).collect::<Vec<_>>());
        let rounded = |now_ts: i64| -> Vec<(i64, Vec<i64>)> {
            let percent = |of: Option<f64>| (100.0 * of.unwrap()).round() as i64;
            let returns = past.returns(&[sol, usdc], now_ts).into_iter();
            returns.map(|(secs, of)| (secs, of.into_iter().map(percent).collect())).collect()
        };
        // ln 1.1 = 10 %, ln 2.2 = 79 %, ln 2 = 69 %; the bar that has no price of the second asset is left out
        assert_eq!(rounded(22 * 300), [(300, vec![10, 0]), (600, vec![79, 69]), (300, vec![69, 0])]);
        assert_eq!(rounded(22 * 300 - 1).len(), 2, "the last bar is open");
        assert!(past.returns(&[sol, Pubkey::default()], 10_000).is_empty() && past.returns(&[], 10_000).is_empty());
    }
}
