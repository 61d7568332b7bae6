//! Whether forecasts of value at risk and expected shortfall were right: coverage, independence, size.

use statrs::distribution::{ChiSquared, ContinuousCDF};

/// Violations of a value at risk, as they came in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Violations {
    /// Forecasts.
    pub count: u64,
    /// Falls beyond the forecast.
    pub hits: u64,
    /// Transitions from one forecast to the next. Shape: `[was hit][is hit]`.
    pub transitions: [[u64; 2]; 2],
    last: Option<bool>,
}

/// The p-values of Christoffersen's tests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Christoffersen {
    /// Whether a hit makes the next one likelier, χ²₁.
    pub independence: f64,
    /// Coverage and independence together, χ²₂.
    pub conditional_coverage: f64,
}

impl Violations {
    /// Counts one forecast.
    pub fn push(&mut self, is_hit: bool) {
        self.count += 1;
        self.hits += u64::from(is_hit);
        if let Some(was_hit) = self.last {
            self.transitions[usize::from(was_hit)][usize::from(is_hit)] += 1;
        }
        self.last = Some(is_hit);
    }

    /// Says that the next forecast doesn't follow the last one.
    pub fn gap(&mut self) {
        self.last = None;
    }

    /// Returns the share of hits; none before the first forecast.
    pub fn rate(&self) -> Option<f64> {
        (self.count > 0).then(|| self.hits as f64 / self.count as f64)
    }

    /// Returns how often a hit follows a hit; none before the first hit.
    pub fn hit_after_hit(&self) -> Option<f64> {
        let [misses, hits] = self.transitions[1];
        (misses + hits > 0).then(|| hits as f64 / (misses + hits) as f64)
    }

    /// Returns the likelihood ratio of Kupiec's coverage test for a level `p`.
    pub fn kupiec_ratio(&self, p: f64) -> f64 {
        let (hits, misses) = (self.hits as f64, (self.count - self.hits) as f64);
        let rate = self.rate().unwrap_or(p);
        (2.0 * (log_likelihood(misses, hits, rate) - log_likelihood(misses, hits, p))).max(0.0)
    }

    /// Returns the p-value of Kupiec's test: small where the share of hits isn't `p`.
    ///
    /// # Source
    /// Kupiec (1995).
    pub fn kupiec(&self, p: f64) -> f64 {
        survival(self.kupiec_ratio(p), 1.0)
    }

    /// Returns the likelihood ratio of Christoffersen's independence test.
    pub fn independence_ratio(&self) -> f64 {
        let [[n00, n01], [n10, n11]] = self.transitions.map(|row| row.map(|count| count as f64));
        let share = |hits: f64, misses: f64| if hits + misses > 0.0 { hits / (hits + misses) } else { 0.0 };
        let pooled = log_likelihood(n00 + n10, n01 + n11, share(n01 + n11, n00 + n10));
        let split = log_likelihood(n00, n01, share(n01, n00)) + log_likelihood(n10, n11, share(n11, n10));
        (2.0 * (split - pooled)).max(0.0)
    }

    /// Returns Christoffersen's p-values for a level `p`.
    ///
    /// # Source
    /// Christoffersen (1998).
    pub fn christoffersen(&self, p: f64) -> Christoffersen {
        let independence = self.independence_ratio();
        Christoffersen {
            independence: survival(independence, 1.0),
            conditional_coverage: survival(independence + self.kupiec_ratio(p), 2.0),
        }
    }
}

/// Returns Acerbi & Szekely's Z2: 0 for right forecasts, negative where losses were larger; -0.70 rejects at 5 %.
///
/// # Shape
/// `(loss, value at risk, expected shortfall)` for each forecast, all positive for a fall; `p` is their level.
///
/// # Source
/// Acerbi & Szekely (2014).
pub fn acerbi_szekely_z2(forecasts: impl Iterator<Item = (f64, f64, f64)>, p: f64) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for (loss, value_at_risk, expected_shortfall) in forecasts {
        count += 1.0;
        if loss > value_at_risk {
            sum += loss / (p * expected_shortfall);
        }
    }
    if count > 0.0 { 1.0 - sum / count } else { 0.0 }
}

fn log_likelihood(misses: f64, hits: f64, p: f64) -> f64 {
    let term = |count: f64, p: f64| if count > 0.0 { count * p.ln() } else { 0.0 };
    term(misses, 1.0 - p) + term(hits, p)
}

fn survival(ratio: f64, freedom: f64) -> f64 {
    ChiSquared::new(freedom).map_or(f64::NAN, |chi| chi.sf(ratio))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violations(count: u64, hits: u64) -> Violations {
        Violations { count, hits, ..Violations::default() }
    }

    #[test]
    fn kupiec_equals_the_published_non_rejection_regions() {
        // Kupiec (1995), 95 % regions of hits: 255 days at 1 %: N < 7; 510 at 1 %: 1 < N < 11; 1000 at 5 %: 37 < N < 65.
        for (count, p, first_ok, last_ok) in [(255, 0.01, 0, 6), (510, 0.01, 2, 10), (1_000, 0.05, 38, 64)] {
            assert!(violations(count, first_ok).kupiec(p) > 0.02, "{count} {first_ok}");
            assert!(violations(count, last_ok).kupiec(p) > 0.05, "{count} {last_ok}");
            assert!(violations(count, last_ok + 1).kupiec(p) < 0.05, "{count} {last_ok}");
        }
        // -2 ln[0.99^245 0.01^5 / (0.98^245 0.02^5)], by hand: 2·(245 ln(0.98/0.99) + 5 ln 2) = 1.95681
        assert!((violations(250, 5).kupiec_ratio(0.01) - 1.956_8).abs() < 1e-3);
        assert!((violations(250, 5).kupiec(0.01) - 0.161_9).abs() < 1e-3);
    }

    #[test]
    fn independence_is_rejected_when_hits_come_in_pairs() {
        let mut paired = Violations::default();
        let mut spread = Violations::default();
        for at in 0..10_000u32 {
            paired.push(at % 200 < 2);
            spread.push(at % 100 == 0);
        }
        assert_eq!((paired.hits, spread.hits), (100, 100));
        assert!(paired.kupiec(0.01) > 0.9 && spread.kupiec(0.01) > 0.9);
        assert!(
            paired.christoffersen(0.01).independence < 1e-6 && paired.christoffersen(0.01).conditional_coverage < 1e-6
        );
        assert!(spread.christoffersen(0.01).independence > 0.1);
        assert_eq!(paired.hit_after_hit(), Some(0.5));
        assert_eq!(spread.hit_after_hit(), Some(0.0));
    }

    #[test]
    fn independence_ratio_equals_a_hand_computed_table() {
        let table = Violations { transitions: [[90, 5], [4, 1]], ..Violations::default() };
        // ln L: split 90 ln(90/95) + 5 ln(5/95) + 4 ln .8 + ln .2, pooled 94 ln .94 + 6 ln .06.
        let split = 90.0 * (90.0f64 / 95.0).ln() + 5.0 * (5.0f64 / 95.0).ln() + 4.0 * 0.8f64.ln() + 0.2f64.ln();
        let pooled = 94.0 * 0.94f64.ln() + 6.0 * 0.06f64.ln();
        assert!((table.independence_ratio() - 2.0 * (split - pooled)).abs() < 1e-9);
    }

    #[test]
    fn z2_is_zero_when_losses_are_as_forecast_and_negative_when_larger() {
        let forecast = |loss: f64| (0..100).map(move |at| (if at == 0 { loss } else { 0.0 }, 2.0, 3.0));
        assert!(acerbi_szekely_z2(forecast(3.0), 0.01).abs() < 1e-12);
        assert!((acerbi_szekely_z2(forecast(6.0), 0.01) + 1.0).abs() < 1e-12);
        assert!((acerbi_szekely_z2(forecast(1.0), 0.01) - 1.0).abs() < 1e-12);
    }
}
