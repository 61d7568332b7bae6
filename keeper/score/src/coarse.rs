//! A market in the bars that a model was trained on: an hour's range, jumps and shortest volatility aren't a minute's.

use crate::bar::Bar;
use crate::features::{Features, Market, Settings};

/// Joins bars to longer ones, on whole multiples of their length.
#[derive(Clone, Copy, Debug)]
pub struct Coarse {
    secs: u32,
    /// Has taken whole bars alone.
    market: Market,
    open: Option<Bar>,
}

impl Coarse {
    /// Starts with nothing seen. Bars of `secs` or longer are taken as they are.
    pub fn new(settings: Settings, secs: u32) -> Self {
        Self { secs: secs.max(1), market: Market::new(settings), open: None }
    }

    /// Takes the next bar, that a [`Market`] took before. Returns the features at the whole bar that it completes, and that
    /// bar's length in seconds.
    pub fn push(&mut self, bar: &Bar) -> Option<(Features, f64)> {
        let is_over = |open: Bar| bar.secs >= self.secs || self.cell(open.open_ts) != self.cell(bar.open_ts);
        let is_over = self.open.is_some_and(is_over);
        let mut whole = self.open.take_if(|_| is_over).map(|open| self.close(&open));
        let joined = self.open.map_or(*bar, |open| join(&open, bar));
        if bar.secs >= self.secs || self.cell(joined.close_ts()) != self.cell(joined.open_ts) {
            self.open = None;
            whole = Some(self.close(&joined));
        } else {
            self.open = Some(joined);
        }
        whole
    }

    /// Returns the market at the last whole bar and the one in progress, as if that closed now: a fall counts at once.
    pub fn market(&self) -> Market {
        let mut market = self.market;
        if let Some(open) = &self.open {
            // CANNOT be refused: as in `close`
            let _ = market.push(open);
        }
        market
    }

    fn cell(&self, ts: i64) -> i64 {
        ts.div_euclid(i64::from(self.secs))
    }

    fn close(&mut self, bar: &Bar) -> (Features, f64) {
        // CANNOT be refused: made of bars that were taken, in their order; one whose volumes are too much together is left out
        let _ = self.market.push(bar);
        (self.market.features(), f64::from(bar.secs))
    }
}

/// Joins a bar to what came before it within one longer bar. What was traded is known where both tell it.
fn join(first: &Bar, then: &Bar) -> Bar {
    let secs = then.close_ts().saturating_sub(first.open_ts);
    Bar {
        open_ts: first.open_ts,
        secs: u32::try_from(secs).unwrap_or(u32::MAX),
        open: first.open,
        high: first.high.max(then.high),
        low: first.low.min(then.low),
        close: then.close,
        volume: sum(first.volume, then.volume),
        taker_buy: sum(first.taker_buy, then.taker_buy),
    }
}

fn sum(first: Option<f64>, then: Option<f64>) -> Option<f64> {
    first.zip(then).map(|(first, then)| first + then)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::FEATURES;

    /// Minutes of a price that goes up and down within the hour, and whole hours of the same.
    fn minutes(count: i64) -> Vec<Bar> {
        let price =
            |minute: i64| 100.0 * (0.02 * (minute as f64 / 7.0).sin() + 0.01 * (minute as f64 / 130.0).cos()).exp();
        let bar = |minute: i64| {
            let (open, close) = (price(minute), price(minute + 1));
            let (high, low) = (open.max(close) * 1.001, open.min(close) * 0.999);
            Bar {
                open_ts: 7_200 + minute * 60,
                secs: 60,
                open,
                high,
                low,
                close,
                volume: Some(2.0),
                taker_buy: Some(1.0),
            }
        };
        (0..count).map(bar).collect()
    }

    fn hours(minutes: &[Bar]) -> Vec<Bar> {
        let high = |hour: &[Bar]| hour.iter().map(|bar| bar.high).fold(0.0, f64::max);
        let low = |hour: &[Bar]| hour.iter().map(|bar| bar.low).fold(f64::MAX, f64::min);
        let hour = |hour: &[Bar]| Bar {
            secs: 60 * hour.len() as u32,
            high: high(hour),
            low: low(hour),
            close: hour[hour.len() - 1].close,
            volume: Some(2.0 * hour.len() as f64),
            taker_buy: Some(hour.len() as f64),
            ..hour[0]
        };
        minutes.chunks(60).map(hour).collect()
    }

    fn near(found: &Features, expected: &Features) {
        for (at, name) in FEATURES.iter().enumerate() {
            let [found, expected] = [found, expected].map(|features| features.values[at]);
            assert!((found - expected).abs() < 1e-9, "{name}: {found}, {expected}");
        }
    }

    #[test]
    fn minutes_give_the_features_of_hours_once_the_hour_is_over() {
        let bars = minutes(60 * 72);
        let (mut coarse, mut market) = (Coarse::new(Settings::default(), 3_600), Market::new(Settings::default()));
        let whole: Vec<(Features, f64)> = bars.iter().filter_map(|bar| coarse.push(bar)).collect();
        assert_eq!(whole.len(), 72);
        for (hour, (features, secs)) in hours(&bars).iter().zip(&whole) {
            market.push(hour).unwrap();
            near(features, &market.features());
            assert_eq!(*secs, 3_600.0);
        }
        // By minutes alone the last half an hour has thirty returns instead of one.
        let mut fine = Market::new(Settings::default());
        bars.iter().for_each(|bar| fine.push(bar).unwrap());
        let [fine, hourly] = [fine.features(), coarse.market().features()].map(|features| features.values[0]);
        assert!((fine - hourly).abs() > 0.1, "{fine}, {hourly}");
    }

    #[test]
    fn bar_in_progress_counts_as_if_it_closed_now() {
        let bars = minutes(60 * 50 + 25);
        let (mut coarse, mut market) = (Coarse::new(Settings::default(), 3_600), Market::new(Settings::default()));
        bars.iter().for_each(|bar| {
            coarse.push(bar);
        });
        hours(&bars).iter().for_each(|bar| market.push(bar).unwrap());
        near(&coarse.market().features(), &market.features());
        let fallen = Bar { open_ts: bars[bars.len() - 1].close_ts(), high: 101.0, low: 70.0, close: 70.0, ..bars[0] };
        let before = coarse.market().features();
        assert!(coarse.push(&Bar { open: 101.0, ..fallen }).is_none());
        let [before, after] = [before, coarse.market().features()].map(|features| features.get("drawdown_1h").unwrap());
        assert!(after > before + 0.2, "{before}, {after}");
    }

    #[test]
    fn bars_of_the_length_are_taken_as_they_are_and_a_gap_ends_the_one_in_progress() {
        let bars = minutes(90);
        let mut coarse = Coarse::new(Settings::default(), 3_600);
        let taken: usize = bars.iter().filter_map(|bar| coarse.push(bar)).count();
        assert_eq!((taken, coarse.open.map(|open| open.secs)), (1, Some(1_800)));
        let later = Bar { open_ts: bars[0].open_ts + 5 * 3_600, ..bars[0] };
        assert_eq!(coarse.push(&later).map(|(_, secs)| secs), Some(1_800.0));
        let hour = Bar { open_ts: later.open_ts + 3_600, secs: 3_600, ..later };
        assert_eq!(coarse.push(&hour).map(|(_, secs)| secs), Some(3_600.0));
        assert!(coarse.open.is_none());
    }
}
