//! What flows in and out of a pool: amounts over three windows, and bursts as a self-exciting intensity.

use serde::{Deserialize, Serialize};

/// Kinds of flow.
pub const FLOWS: usize = 4;
/// Memory of the amounts, seconds: 5 min, 1 h, 24 h.
const MEMORIES: [f64; 3] = [300.0, 3_600.0, 86_400.0];

/// What flowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FlowKind {
    /// Withdrawals.
    Outflow = 0,
    /// Deposits and repayments.
    Inflow = 1,
    /// New borrows.
    Borrow = 2,
    /// Debt that liquidations repaid.
    Liquidation = 3,
}

/// A self-exciting intensity: `λ = μ + Σ α e^{-β(t - tᵢ)}`, kept by recursion.
///
/// # Source
/// Hawkes (1971); the recursion is Ozaki's (1979).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hawkes {
    base: f64,
    jump: f64,
    decay: f64,
    excitation: f64,
    last_ts: Option<i64>,
}

impl Hawkes {
    /// Prepares base μ, jump α and decay β, each per second; `α < β` keeps the process from exploding.
    pub fn new(base: f64, jump: f64, decay: f64) -> Self {
        Self { base, jump, decay, excitation: 0.0, last_ts: None }
    }

    /// Counts an event. One that is older than the last counts as of the same time.
    pub fn push(&mut self, ts: i64) {
        self.excitation = self.excitation_at(ts) + self.jump;
        self.last_ts = Some(self.last_ts.map_or(ts, |last| last.max(ts)));
    }

    /// Returns the intensity at `ts`, events per second.
    pub fn intensity(&self, ts: i64) -> f64 {
        self.base + self.excitation_at(ts)
    }

    /// Returns the intensity over its base: 1 when calm.
    pub fn burst(&self, ts: i64) -> f64 {
        self.intensity(ts) / self.base
    }

    fn excitation_at(&self, ts: i64) -> f64 {
        let Some(last) = self.last_ts else { return 0.0 };
        self.excitation * (-self.decay * ts.saturating_sub(last).max(0) as f64).exp()
    }
}

/// The flows of one pool.
#[derive(Clone, Copy, Debug)]
pub struct Flow {
    sums: [[f64; 3]; FLOWS],
    bursts: [Hawkes; FLOWS],
    last_ts: Option<i64>,
}

impl Default for Flow {
    /// Four events an hour are calm; an event raises the rate by half of one for about ten minutes.
    fn default() -> Self {
        let hawkes = Hawkes::new(4.0 / 3_600.0, 0.5 / 600.0, 1.0 / 600.0);
        Self { sums: [[0.0; 3]; FLOWS], bursts: [hawkes; FLOWS], last_ts: None }
    }
}

/// Flows as shares of the pool.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlowReading {
    /// Amounts over 5 min, 1 h and 24 h (exponential memory), share of the pool. Shape: `[kind][window]`.
    pub shares: [[f64; 3]; FLOWS],
    /// Intensities over their base. Shape: `[kind]`.
    pub bursts: [f64; FLOWS],
}

impl Flow {
    /// Counts an amount, base units of the pool's mint. One that isn't a positive number is left out.
    pub fn push(&mut self, kind: FlowKind, amount: f64, ts: i64) {
        if !amount.is_finite() || amount <= 0.0 {
            return;
        }
        self.advance(ts);
        self.sums[kind as usize].iter_mut().for_each(|sum| *sum = (*sum + amount).min(f64::MAX / 1e3));
        self.bursts[kind as usize].push(ts);
    }

    fn advance(&mut self, ts: i64) {
        if let Some(last) = self.last_ts.filter(|last| *last < ts) {
            let secs = ts.saturating_sub(last) as f64;
            let kept = MEMORIES.map(|memory| (-secs / memory).exp());
            self.sums.iter_mut().for_each(|sums| sums.iter_mut().zip(kept).for_each(|(sum, kept)| *sum *= kept));
        }
        self.last_ts = Some(self.last_ts.map_or(ts, |last| last.max(ts)));
    }

    /// Returns the flows at `ts` as shares of `pool`, in the same units; none for a pool that isn't above 0.
    pub fn reading(&mut self, pool: f64, ts: i64) -> Option<FlowReading> {
        if !pool.is_finite() || pool <= 0.0 {
            return None;
        }
        self.advance(ts);
        Some(FlowReading {
            shares: self.sums.map(|sums| sums.map(|sum| (sum / pool).min(1e6))),
            bursts: self.bursts.map(|burst| burst.burst(ts)),
        })
    }
}

impl FlowReading {
    /// Returns the shares of a kind: 5 min, 1 h, 24 h.
    pub fn of(&self, kind: FlowKind) -> [f64; 3] {
        self.shares[kind as usize]
    }

    /// Returns what the half-space trees watch: hourly shares and bursts, each as a logarithm.
    pub fn activity(&self) -> [f64; 2 * FLOWS] {
        let mut activity = [0.0; 2 * FLOWS];
        for kind in 0..FLOWS {
            activity[kind] = (1e-6 + self.shares[kind][1]).ln();
            activity[FLOWS + kind] = self.bursts[kind].max(f64::MIN_POSITIVE).ln();
        }
        activity
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn intensity_equals_the_sum_over_all_events(gaps in prop::collection::vec(0i64..2_000, 1..50), after in 0i64..5_000) {
            let mut hawkes = Hawkes::new(0.001, 0.0008, 0.002);
            let mut times = Vec::new();
            let mut ts = 0;
            for gap in gaps {
                ts += gap;
                times.push(ts);
                hawkes.push(ts);
            }
            let now = ts + after;
            let expected: f64 = 0.001 + times.iter().map(|time| 0.0008 * (-0.002 * (now - time) as f64).exp()).sum::<f64>();
            prop_assert!((hawkes.intensity(now) - expected).abs() < 1e-12);
        }

        #[test]
        fn shares_equal_the_sum_over_all_amounts(flows in prop::collection::vec((0i64..3_000, 1.0f64..1e6), 1..50)) {
            let mut flow = Flow::default();
            let mut seen = Vec::new();
            let mut ts = 0;
            for (gap, amount) in flows {
                ts += gap;
                seen.push((ts, amount));
                flow.push(FlowKind::Outflow, amount, ts);
            }
            let reading = flow.reading(1e7, ts + 60).unwrap();
            for (window, memory) in [300.0, 3_600.0, 86_400.0].into_iter().enumerate() {
                let expected: f64 =
                    seen.iter().map(|(time, amount)| amount / 1e7 * (-((ts + 60 - time) as f64) / memory).exp()).sum();
                prop_assert!((reading.of(FlowKind::Outflow)[window] / expected - 1.0).abs() < 1e-9);
            }
            prop_assert_eq!(reading.of(FlowKind::Inflow), [0.0; 3]);
        }

        #[test]
        fn reading_is_finite_whatever_comes_in(
            flows in prop::collection::vec((any::<i64>(), prop::num::f64::ANY), 0..30),
            pool in prop::num::f64::ANY,
            now in any::<i64>(),
        ) {
            let mut flow = Flow::default();
            for (ts, amount) in flows {
                flow.push(FlowKind::Borrow, amount, ts);
            }
            if let Some(reading) = flow.reading(pool, now) {
                prop_assert!(reading.activity().iter().chain(reading.shares.iter().flatten()).all(|value| value.is_finite()));
            }
        }
    }
}
