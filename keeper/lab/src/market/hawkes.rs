//! Self-exciting outflows: who leaves makes others leave.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// A Hawkes process with an exponential kernel: λ(t) = μ + Σ α·e^{−β(t − tᵢ)} over past events tᵢ.
///
/// # Source
/// Hawkes 1971; simulation by thinning, Ogata 1981.
#[derive(Clone, Copy, Debug)]
pub struct Hawkes {
    /// Events a minute from outside, μ.
    pub base: f64,
    /// Events that one event brings about, α/β. Below 1, or it explodes.
    pub branching: f64,
    /// Minutes after which half of an event's pull is gone.
    pub half_life: f64,
}

impl Hawkes {
    /// Returns the number of events in each of `minutes` minutes.
    pub fn counts(&self, minutes: usize, rng: &mut ChaCha8Rng) -> Vec<u32> {
        let decay = std::f64::consts::LN_2 / self.half_life;
        let jump = self.branching * decay;
        let (mut time, mut excited) = (0.0, 0.0);
        let mut counts = vec![0; minutes];
        // Thinning: the intensity only falls between events, so its present value bounds it until the next.
        while time < minutes as f64 {
            let bound: f64 = self.base + excited;
            let wait = -(1.0 - rng.random::<f64>()).ln() / bound;
            time += wait;
            excited *= (-decay * wait).exp();
            if time < minutes as f64 && rng.random::<f64>() * bound <= self.base + excited {
                counts[time as usize] += 1;
                excited += jump;
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn counts_have_the_stationary_mean_and_are_overdispersed() {
        let hawkes = Hawkes { base: 0.5, branching: 0.6, half_life: 10.0 };
        let counts = hawkes.counts(200_000, &mut ChaCha8Rng::seed_from_u64(1));
        let mean = counts.iter().sum::<u32>() as f64 / counts.len() as f64;
        // Stationary rate μ / (1 − α/β) = 1.25 a minute.
        assert!((mean - 1.25).abs() < 0.05, "{mean}");
        let hourly: Vec<f64> = counts.chunks(60).map(|hour| hour.iter().sum::<u32>() as f64).collect();
        let mean = hourly.iter().sum::<f64>() / hourly.len() as f64;
        let variance = hourly.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / hourly.len() as f64;
        // A Poisson process has a ratio of 1; this one tends to 1 / (1 − 0.6)² = 6.25 over long windows.
        assert!((3.5..7.0).contains(&(variance / mean)), "{}", variance / mean);
    }
}
