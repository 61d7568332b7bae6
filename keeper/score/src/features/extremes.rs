//! The highest price of a rolling window in constant memory: a monotone queue over 60 time cells.

/// Cells of a window.
const CELLS: i64 = 60;
const CAPACITY: usize = 64;

/// The high of a rolling window, exact to a cell: a 60th of the window.
#[derive(Clone, Copy, Debug)]
pub struct HighRing {
    cell_secs: i64,
    cells: [i64; CAPACITY],
    highs: [f64; CAPACITY],
    first: usize,
    len: usize,
}

impl HighRing {
    /// Prepares a window of `window_secs`, at least 60.
    pub const fn new(window_secs: i64) -> Self {
        let cell_secs = if window_secs < CELLS { 1 } else { window_secs / CELLS };
        Self { cell_secs, cells: [0; CAPACITY], highs: [0.0; CAPACITY], first: 0, len: 0 }
    }

    /// Adds the high of a bar that closed at `close_ts` and returns the window's. Bars MUST come in order.
    pub fn push(&mut self, close_ts: i64, high: f64) -> f64 {
        let cell = close_ts.div_euclid(self.cell_secs);
        while self.len > 0 && self.cells[self.first] <= cell.saturating_sub(CELLS) {
            self.first = (self.first + 1) % CAPACITY;
            self.len -= 1;
        }
        // What is neither higher nor later than the new one can't be the window's high any more.
        while self.len > 0 && self.highs[self.slot(self.len - 1)] <= high {
            self.len -= 1;
        }
        // In a cell that has a higher high already, the new one can't outlive it.
        if self.len == 0 || self.cells[self.slot(self.len - 1)] != cell {
            let slot = self.slot(self.len);
            (self.cells[slot], self.highs[slot]) = (cell, high);
            self.len += 1;
        }
        self.highs[self.first]
    }

    fn slot(&self, at: usize) -> usize {
        (self.first + at) % CAPACITY
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn high_equals_brute_force_when_bars_are_irregular(
            steps in prop::collection::vec((1i64..4_000, 1.0f64..100.0), 1..300),
            window in prop::sample::select(vec![3_600i64, 14_400, 86_400]),
        ) {
            let mut ring = HighRing::new(window);
            let mut seen: Vec<(i64, f64)> = Vec::new();
            let mut ts = 0;
            for (secs, high) in steps {
                ts += secs;
                seen.push((ts / (window / 60), high));
                let now = ts / (window / 60);
                let expected =
                    seen.iter().filter(|(cell, _)| *cell > now - 60).map(|(_, high)| *high).fold(0.0, f64::max);
                prop_assert_eq!(ring.push(ts, high), expected);
            }
        }
    }
}
