//! Prices as they come in, to bars as they close.

use rampart_score::bar::Bar;

/// Length of a bar, seconds.
pub(super) const BAR_SECS: u32 = 60;

/// The bar in progress.
#[derive(Debug, Default)]
pub(super) struct Candles {
    open: Option<Bar>,
}

impl Candles {
    /// Takes a price in; returns the bar that it closes, if any. No oracle tells what was traded: without a volume
    /// the engine takes its ratios as unknown.
    pub(super) fn push(&mut self, ts: i64, price: f64) -> Option<Bar> {
        let open_ts = ts - ts.rem_euclid(i64::from(BAR_SECS));
        match &mut self.open {
            Some(bar) if bar.open_ts >= open_ts => {
                (bar.high, bar.low, bar.close) = (bar.high.max(price), bar.low.min(price), price);
                None
            }
            open => open.replace(Bar::flat(open_ts, BAR_SECS, price)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bar_closes_with_the_first_price_behind_it_and_never_before() {
        let mut candles = Candles::default();
        for (ts, price) in [(120, 10.0), (150, 14.0), (160, 9.0), (179, 11.0)] {
            assert!(candles.push(ts, price).is_none());
        }
        let bar = candles.push(180, 20.0).expect("a closed bar");
        assert_eq!((bar.open_ts, bar.open, bar.high, bar.low, bar.close), (120, 10.0, 14.0, 9.0, 11.0));
        assert!(candles.push(100, 5.0).is_none(), "a clock that went back opens no bar");
        let bar = candles.push(400, 6.0).expect("minutes without a price have no bar");
        assert_eq!((bar.open_ts, bar.low, bar.close), (180, 5.0, 5.0));
    }
}
