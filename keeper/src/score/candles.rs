//! Prices as they come in, to bars as they close.

use rampart_score::bar::Bar;

/// Length of a bar, seconds.
pub(super) const BAR_SECS: u32 = 60;

/// What takers bought and sold, tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Traded {
    pub bought: f64,
    pub sold: f64,
}

/// The bar in progress.
#[derive(Debug)]
pub(super) struct Candles {
    open: Option<Bar>,
    /// Since the last price; nothing where it isn't known.
    traded: Option<Traded>,
}

impl Default for Candles {
    fn default() -> Self {
        Self { open: None, traded: Some(Traded::default()) }
    }
}

impl Traded {
    fn and(self, more: Self) -> Self {
        Self { bought: self.bought + more.bought, sold: self.sold + more.sold }
    }
}

impl Candles {
    /// Takes in what was traded since the last look; nothing where nobody tells: then nobody tells it of the bar either. No
    /// oracle does.
    pub(super) fn trade(&mut self, traded: Option<Traded>) {
        self.traded = self.traded.zip(traded).map(|(sum, more)| sum.and(more));
    }

    /// Takes a price in; returns the bar that it closes, if any. What was traded since the last price is of the bar of this one.
    pub(super) fn push(&mut self, ts: i64, price: f64) -> Option<Bar> {
        let open_ts = ts - ts.rem_euclid(i64::from(BAR_SECS));
        let traded = self.traded.replace(Traded::default());
        let (volume, bought) = (traded.map(|traded| traded.bought + traded.sold), traded.map(|traded| traded.bought));
        match &mut self.open {
            Some(bar) if bar.open_ts >= open_ts => {
                (bar.high, bar.low, bar.close) = (bar.high.max(price), bar.low.min(price), price);
                bar.volume = bar.volume.zip(volume).map(|(sum, more)| sum + more);
                bar.taker_buy = bar.taker_buy.zip(bought).map(|(sum, more)| sum + more);
                None
            }
            open => open.replace(Bar { volume, taker_buy: bought, ..Bar::flat(open_ts, BAR_SECS, price) }),
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

    #[test]
    fn trades_are_of_the_bar_of_the_next_price_and_a_look_that_tells_none_leaves_its_bar_unknown() {
        let mut candles = Candles::default();
        let mut look = |ts: i64, traded: Option<(f64, f64)>, price: Option<f64>| {
            candles.trade(traded.map(|(bought, sold)| Traded { bought, sold }));
            price.and_then(|price| candles.push(ts, price)).map(|bar| (bar.open_ts, bar.volume, bar.taker_buy))
        };
        assert_eq!(look(60, Some((3.0, 0.0)), Some(1.0)), None);
        assert_eq!(look(90, Some((0.0, 2.0)), Some(1.0)), None);
        // nobody agrees on a price: what was traded waits for one
        assert_eq!(look(110, Some((1.0, 1.0)), None), None);
        assert_eq!(look(119, Some((0.0, 0.0)), Some(1.0)), None);
        assert_eq!(look(120, Some((5.0, 0.0)), Some(1.0)), Some((60, Some(7.0), Some(4.0))));
        assert_eq!(look(150, None, Some(1.0)), None);
        assert_eq!(look(170, Some((9.0, 9.0)), Some(1.0)), None);
        assert_eq!(look(180, Some((0.0, 0.0)), Some(1.0)), Some((120, None, None)));
        assert_eq!(look(240, Some((0.0, 4.0)), Some(1.0)), Some((180, Some(0.0), Some(0.0))), "nobody traded");
    }
}
