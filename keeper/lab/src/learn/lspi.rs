//! Least-squares policy iteration with a ridge and a penalty on what was rarely tried.

use super::environment::{Episode, State};
use super::solve;

/// Why nothing was learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LearnError {
    /// No decisions.
    #[error("no transitions to learn from: give it at least one scenario")]
    Empty,
    /// The system has no finite solution.
    #[error("the least-squares system can't be solved: raise the ridge")]
    Singular,
}

/// A linear value of each action. Shape: one row of `D` weights for each of `A` actions.
#[derive(Clone, Debug, PartialEq)]
pub struct Linear<const D: usize, const A: usize> {
    /// The weights.
    pub weights: [[f64; D]; A],
}

impl<const D: usize, const A: usize> Linear<D, A> {
    /// Returns a policy without any preference.
    pub const fn zero() -> Self {
        Self { weights: [[0.0; D]; A] }
    }

    /// Returns the value of `action`.
    pub fn value(&self, tiles: &[f32; D], action: usize) -> f64 {
        self.weights[action].iter().zip(tiles).map(|(weight, tile)| weight * f64::from(*tile)).sum()
    }

    /// Returns the best allowed action, the first of equals.
    pub fn best(&self, state: &State<D>) -> usize {
        let allowed = (0..A).filter(|action| state.mask >> action & 1 == 1);
        let valued = allowed.map(|action| (action, self.value(&state.tiles, action)));
        valued.reduce(|best, other| if other.1 > best.1 { other } else { best }).map_or(0, |best| best.0)
    }
}

/// The learner's settings.
///
/// # Source
/// Lagoudakis and Parr 2003: `A = Σ φ(s,a)·(φ(s,a) − γ·φ(s',π(s')))ᵀ`, `b = Σ φ·r`, `w = (A + εI)⁻¹·b`. The penalty on low coverage is
/// a count-based form of the conservatism of Kumar et al. 2020.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lspi {
    /// Discount of a decision, γ.
    pub discount: f64,
    /// Ridge ε on the normalised system.
    pub ridge: f64,
    /// Penalty κ: a weight loses `κ / sqrt(1 + n)`, with n the tile's mass in the data under that action.
    pub pessimism: f64,
    /// Iterations at most.
    pub iterations: usize,
}

impl Default for Lspi {
    fn default() -> Self {
        Self { discount: 0.999, ridge: 1e-6, pessimism: 1.0, iterations: 15 }
    }
}

impl Lspi {
    /// Learns from `episodes`, with `prices` on the two costs.
    ///
    /// # Errors
    /// `LearnError`.
    pub fn learn<const D: usize, const A: usize>(
        &self,
        episodes: &[Episode<D>],
        prices: &[f64; 2],
    ) -> Result<Linear<D, A>, LearnError> {
        let transitions: usize = episodes.iter().map(|episode| episode.decisions.len()).sum();
        if transitions == 0 {
            return Err(LearnError::Empty);
        }
        let coverage = coverage::<D, A>(episodes);
        let mut policy = Linear::zero();
        for _ in 0..self.iterations {
            let (mut a, mut b) = self.accumulate::<D, A>(episodes, prices, &policy, transitions);
            let solution = solve(&mut a, &mut b).ok_or(LearnError::Singular)?;
            let next = self.pessimist(&solution, &coverage);
            let is_settled = distance(&next, &policy) < 1e-9;
            policy = next;
            if is_settled {
                break;
            }
        }
        Ok(policy)
    }

    /// Sums the system for the present policy, divided by the number of transitions.
    fn accumulate<const D: usize, const A: usize>(
        &self,
        episodes: &[Episode<D>],
        prices: &[f64; 2],
        policy: &Linear<D, A>,
        transitions: usize,
    ) -> (Vec<Vec<f64>>, Vec<f64>) {
        let mut a = vec![vec![0.0; D * A]; D * A];
        let mut b = vec![0.0; D * A];
        for episode in episodes {
            for (pair, (action, outcome)) in episode.states.windows(2).zip(&episode.decisions) {
                let (row, next) = (usize::from(*action) * D, policy.best(&pair[1]) * D);
                let follow = if outcome.is_terminal { 0.0 } else { self.discount };
                let reward = outcome.reward - prices[0] * outcome.costs[0] - prices[1] * outcome.costs[1];
                for (tile, value) in pair[0].tiles.iter().enumerate().filter(|(_, value)| **value != 0.0) {
                    let value = f64::from(*value);
                    let line = &mut a[row + tile];
                    line[row..row + D]
                        .iter_mut()
                        .zip(&pair[0].tiles)
                        .for_each(|(to, now)| *to += value * f64::from(*now));
                    let after = line[next..next + D].iter_mut().zip(&pair[1].tiles);
                    after.for_each(|(to, then)| *to -= follow * value * f64::from(*then));
                    b[row + tile] += value * reward;
                }
            }
        }
        let share = 1.0 / transitions as f64;
        a.iter_mut().flatten().for_each(|value| *value *= share);
        b.iter_mut().for_each(|value| *value *= share);
        (0..D * A).for_each(|index| a[index][index] += self.ridge);
        (a, b)
    }

    fn pessimist<const D: usize, const A: usize>(&self, solution: &[f64], coverage: &[[f64; D]; A]) -> Linear<D, A> {
        let mut policy = Linear::zero();
        for (action, row) in policy.weights.iter_mut().enumerate() {
            for (tile, weight) in row.iter_mut().enumerate() {
                *weight = solution[action * D + tile] - self.pessimism / (1.0 + coverage[action][tile]).sqrt();
            }
        }
        policy
    }
}

/// Returns the mass of each tile under each action.
fn coverage<const D: usize, const A: usize>(episodes: &[Episode<D>]) -> [[f64; D]; A] {
    let mut mass = [[0.0; D]; A];
    for episode in episodes {
        for (state, (action, _)) in episode.states.iter().zip(&episode.decisions) {
            mass[usize::from(*action)].iter_mut().zip(&state.tiles).for_each(|(sum, tile)| *sum += f64::from(*tile));
        }
    }
    mass
}

fn distance<const D: usize, const A: usize>(one: &Linear<D, A>, other: &Linear<D, A>) -> f64 {
    let pairs = one.weights.iter().flatten().zip(other.weights.iter().flatten());
    pairs.map(|(x, y)| (x - y).abs()).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::super::environment::{Environment, Outcome, rollout};
    use super::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    const LENGTH: usize = 5;

    /// A chain: action 1 goes right, action 0 stays; only the last state pays, 1 a step. `V(i) = γ^(4 − i) / (1 − γ)`.
    struct Chain {
        at: usize,
        left: usize,
        start: usize,
        /// State in which going right is masked.
        wall: Option<usize>,
    }

    impl Chain {
        fn state(&self) -> State<LENGTH> {
            let mut tiles = [0.0; LENGTH];
            tiles[self.at] = 1.0;
            State { tiles, mask: if self.wall == Some(self.at) { 0b01 } else { 0b11 } }
        }
    }

    impl Environment<LENGTH> for Chain {
        fn reset(&mut self) -> State<LENGTH> {
            (self.at, self.left) = (self.start, 50);
            self.state()
        }

        fn step(&mut self, action: usize) -> Option<(Outcome, State<LENGTH>)> {
            self.left = self.left.checked_sub(1)?;
            let reward = if self.at == LENGTH - 1 { 1.0 } else { 0.0 };
            self.at = (self.at + action).min(LENGTH - 1);
            Some((Outcome { reward, ..Outcome::default() }, self.state()))
        }
    }

    fn played(wall: Option<usize>) -> Vec<Episode<LENGTH>> {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        (0..200)
            .map(|_| {
                let start = rng.random_range(0..LENGTH);
                rollout(&mut Chain { at: 0, left: 0, start, wall }, |_, _| 0, 1.0, &mut rng)
            })
            .collect()
    }

    fn exact() -> Lspi {
        Lspi { discount: 0.9, ridge: 1e-12, pessimism: 0.0, iterations: 15 }
    }

    #[test]
    fn learn_finds_the_closed_form_of_the_chain() {
        let policy: Linear<LENGTH, 2> = exact().learn(&played(None), &[0.0; 2]).unwrap();
        for state in 0..LENGTH {
            let known = 0.9f64.powi((LENGTH - 1 - state) as i32) / 0.1;
            assert!((policy.weights[1][state] - known).abs() < 1e-6, "{state}: {}", policy.weights[1][state]);
            // Staying costs a step.
            let stay = if state == LENGTH - 1 { known } else { 0.9 * known };
            assert!((policy.weights[0][state] - stay).abs() < 1e-6);
        }
    }

    #[test]
    fn learn_sees_the_mask_of_the_next_state() {
        let policy: Linear<LENGTH, 2> = exact().learn(&played(Some(2)), &[0.0; 2]).unwrap();
        // Nothing left of the wall is worth anything, as nobody can pass it.
        assert!((0..3).all(|state| policy.weights[0][state].abs() < 1e-6 && policy.weights[1][state].abs() < 1e-6));
        assert!((policy.weights[1][3] - 9.0).abs() < 1e-6);
    }

    #[test]
    fn learn_avoids_what_was_rarely_tried() {
        // Action 1 paid 1.2 once; action 0 paid 1 a thousand times.
        let state = State { tiles: [1.0], mask: 0b11 };
        let once = |action, reward| (action, Outcome { reward, is_terminal: true, ..Outcome::default() });
        let mut decisions = vec![once(0, 1.0); 1_000];
        decisions.push(once(1, 1.2));
        let episode = Episode { states: vec![state; 1_002], decisions };
        let bold: Linear<1, 2> = exact().learn(std::slice::from_ref(&episode), &[0.0; 2]).unwrap();
        assert_eq!(bold.best(&state), 1);
        let careful: Linear<1, 2> = Lspi { pessimism: 0.5, ..exact() }.learn(&[episode], &[0.0; 2]).unwrap();
        assert_eq!(careful.best(&state), 0);
    }

    #[test]
    fn learn_fails_without_transitions() {
        assert_eq!(exact().learn::<1, 2>(&[], &[0.0; 2]), Err(LearnError::Empty));
    }
}
