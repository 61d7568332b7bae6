//! Memory of recent prices as a grid of time cells.

use crate::constants::WINDOW_CELLS;
use crate::math::bps::BPS_ONE;
use crate::math::{Bps, Price, U128};
use anchor_lang::prelude::*;

/// What was seen in one cell of time.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct WindowCell {
    /// Highest price seen, US dollars per whole token, U64.64.
    pub high_q64: U128,
    /// Lowest price seen, U64.64.
    pub low_q64: U128,
    /// Last price seen, U64.64.
    pub close_q64: U128,
    /// Which cell of time this is: unix seconds divided by the cell's length.
    pub index: i64,
    /// How many observations it holds; 0 marks an empty cell.
    pub samples: u64,
}

/// The last 64 cells of time. Only `observe` writes it.
#[zero_copy]
#[derive(Debug, PartialEq, Eq)]
pub struct Window {
    /// Cells, at `index % 64`.
    pub cells: [WindowCell; WINDOW_CELLS],
    /// Length of a cell, seconds.
    pub cell_secs: u32,
    /// Zeros.
    pub reserved: [u8; 4],
}

/// What a window says about a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowView {
    /// Highest price in the span.
    pub high: Price,
    /// How many cells of the span hold observations.
    pub covered_cells: u32,
    /// How many cells the span has.
    pub span_cells: u32,
}

impl Window {
    /// Records `price` at `now_ts`.
    pub fn record(&mut self, price: Price, now_ts: i64) {
        let index = now_ts / i64::from(self.cell_secs.max(1));
        let cell = &mut self.cells[index.rem_euclid(WINDOW_CELLS as i64) as usize];
        let raw = price.q64();
        if cell.index != index || cell.samples == 0 {
            *cell = WindowCell { high_q64: raw.into(), low_q64: raw.into(), close_q64: raw.into(), index, samples: 1 };
            return;
        }
        cell.high_q64 = cell.high_q64.get().max(raw).into();
        cell.low_q64 = cell.low_q64.get().min(raw).into();
        cell.close_q64 = raw.into();
        cell.samples = cell.samples.saturating_add(1);
    }

    /// Returns the newest cell that holds observations and began at `ts` at the latest, unless it is older than
    /// `max_age_secs` by then.
    pub fn at(&self, ts: i64, max_age_secs: u32) -> Option<&WindowCell> {
        let cell_secs = i64::from(self.cell_secs.max(1));
        let newest = ts / cell_secs;
        let oldest = newest - i64::from(max_age_secs) / cell_secs;
        let seen = self.cells.iter().filter(|c| c.samples > 0 && (oldest..=newest).contains(&c.index));
        seen.max_by_key(|c| c.index)
    }

    /// Returns what was seen in the last `span_secs`; `None` when nothing was, or the span is longer than the memory.
    pub fn view(&self, span_secs: u32, now_ts: i64) -> Option<WindowView> {
        let cell_secs = self.cell_secs.max(1);
        let span_cells = span_secs.div_ceil(cell_secs);
        if span_cells == 0 || span_cells as usize > WINDOW_CELLS {
            return None;
        }
        let newest = now_ts / i64::from(cell_secs);
        let oldest = newest - i64::from(span_cells) + 1;
        let (mut high, mut covered_cells) = (0u128, 0u32);
        for cell in &self.cells {
            if cell.samples > 0 && (oldest..=newest).contains(&cell.index) {
                high = high.max(cell.high_q64.get());
                covered_cells += 1;
            }
        }
        let high = Price::from_q64(high).ok()?;
        Some(WindowView { high, covered_cells, span_cells })
    }
}

impl Window {
    /// Returns the root of the summed squares of the changes from one seen cell's close to the next within the last
    /// `span_secs`, in bps rounded down; `None` when fewer than half of the cells were seen, or the span is longer than
    /// the memory.
    pub fn volatility(&self, span_secs: u32, now_ts: i64) -> Option<Bps> {
        let cell_secs = self.cell_secs.max(1);
        let span_cells = span_secs.div_ceil(cell_secs);
        if span_cells == 0 || span_cells as usize > WINDOW_CELLS {
            return None;
        }
        let newest = now_ts / i64::from(cell_secs);
        let (mut scale, mut last, mut seen, mut squares) = (None, 0u64, 0u32, 0u64);
        for index in newest - i64::from(span_cells) + 1..=newest {
            let cell = &self.cells[(index as usize) % WINDOW_CELLS];
            if cell.samples == 0 || cell.index != index {
                continue;
            }
            let close = scale.get_or_insert_with(|| Scale::of(cell.close_q64)).apply(cell.close_q64);
            if seen > 0 {
                let change = change_bps(last, close);
                squares = squares.saturating_add(change * change);
            }
            last = close;
            seen += 1;
        }
        // one close is no change
        let is_covered = seen >= 2 && seen * 2 >= span_cells;
        is_covered.then(|| Bps(u32::try_from(squares.isqrt()).unwrap_or(u32::MAX)))
    }
}

/// Bits that the first price of a window is brought to, so that one word holds every price of it.
const SCALED_BITS: u32 = 40;
/// The largest scaled price: a thousand times the first.
const SCALED_MAX: u64 = (1 << 50) - 1;

/// Brings prices to one word: relative changes don't depend on the unit, and 64-bit divisions are cheap on chain.
#[derive(Clone, Copy)]
struct Scale {
    /// Places that the number of two words is shifted to the right, 0 to 73.
    right: u32,
}

impl Scale {
    fn of(first: U128) -> Self {
        let zeros = if first.hi > 0 { first.hi.leading_zeros() } else { 64 + first.lo.leading_zeros() };
        Self { right: (128 - zeros).saturating_sub(SCALED_BITS) }
    }

    fn apply(self, price: U128) -> u64 {
        if self.right >= 64 {
            return (price.hi >> (self.right - 64)).min(SCALED_MAX);
        }
        if self.right == 0 {
            return if price.hi > 0 { SCALED_MAX } else { price.lo.min(SCALED_MAX) };
        }
        if price.hi >> self.right > 0 {
            return SCALED_MAX;
        }
        (price.hi << (64 - self.right) | price.lo >> self.right).min(SCALED_MAX)
    }
}

/// The change from one scaled price to another in bps of the first, rounded down, at most `u32::MAX`.
fn change_bps(from: u64, to: u64) -> u64 {
    (from.abs_diff(to) * BPS_ONE / from.max(1)).min(u64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::price::{PRICE_MAX_Q64, PRICE_MIN_Q64, Q64_ONE};

    fn window() -> Window {
        Window { cells: [WindowCell::default(); WINDOW_CELLS], cell_secs: 60, reserved: [0; 4] }
    }

    fn dollars(n: u128) -> Price {
        Price::from_q64(n * Q64_ONE).unwrap()
    }

    #[test]
    fn high_leaves_the_view_when_its_cell_leaves_the_span() {
        let mut w = window();
        w.record(dollars(100), 600);
        w.record(dollars(90), 660);
        assert_eq!(w.view(120, 660).unwrap().high, dollars(100));
        assert_eq!(w.view(120, 720).unwrap().high, dollars(90));
        assert_eq!(w.view(120, 840), None);
    }

    #[test]
    fn old_cells_are_overwritten_and_never_counted_again() {
        let mut w = window();
        w.record(dollars(500), 0);
        w.record(dollars(50), 64 * 60);
        let view = w.view(64 * 60, 64 * 60).unwrap();
        assert_eq!((view.high, view.covered_cells, view.span_cells), (dollars(50), 1, 64));
    }

    #[test]
    fn cell_of_a_time_is_the_newest_one_before_it_that_is_not_too_old() {
        let mut w = window();
        w.record(dollars(100), 600);
        w.record(dollars(90), 720);
        let close = |ts, age| w.at(ts, age).map(|c| c.close_q64.get() / Q64_ONE);
        assert_eq!(
            [close(599, 600), close(600, 0), close(719, 60), close(720, 0)],
            [None, Some(100), Some(100), Some(90)]
        );
        assert_eq!([close(780, 59), close(780, 60)], [None, Some(90)]);
    }

    #[test]
    fn volatility_is_the_root_of_the_summed_squares() {
        let mut w = window();
        for (minute, price) in [(0, 100), (1, 110), (2, 99), (3, 99)] {
            w.record(dollars(price), minute * 60);
        }
        // 10 % up, 10 % down, nothing: the root of two squares of 1,000
        assert_eq!(w.volatility(240, 180), Some(Bps(1_414)));
        // a gap counts as one change, and half of the cells must be seen
        assert_eq!(w.volatility(420, 360), Some(Bps(1_414)));
        assert_eq!(w.volatility(541, 480), None);
        assert_eq!(w.volatility(60, 180), None);
        assert_eq!((w.volatility(0, 180), w.volatility(65 * 60, 180)), (None, None));
    }

    #[test]
    fn volatility_of_the_widest_changes_saturates() {
        let mut w = window();
        for minute in 0..64 {
            let raw = if minute % 2 == 0 { PRICE_MIN_Q64 } else { PRICE_MAX_Q64 };
            w.record(Price::from_q64(raw).unwrap(), minute * 60);
        }
        assert_eq!(w.volatility(64 * 60, 63 * 60), Some(Bps::MAX));
    }

    #[test]
    fn volatility_is_the_same_at_every_scale() {
        for shift in [0, 16, 30, 34, 41] {
            let mut w = window();
            for (minute, price) in [(0, 100u128), (1, 110), (2, 99), (3, 99)] {
                w.record(Price::from_q64(price << (32 + shift)).unwrap(), minute * 60);
            }
            assert!(w.volatility(240, 180).unwrap().0.abs_diff(1_414) <= 1, "shifted by {shift}");
        }
    }

    #[test]
    fn span_longer_than_the_memory_is_unknown() {
        let mut w = window();
        w.record(dollars(1), 0);
        assert_eq!(w.view(65 * 60, 0), None);
        assert_eq!(w.view(0, 0), None);
    }
}
