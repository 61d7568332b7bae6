//! A learning problem: states with tiles and a mask, actions by index, reward and costs.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// What is seen before a decision. `D` tiles; the mask's bits are the allowed actions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct State<const D: usize> {
    /// Tiles. Single precision, as millions are kept.
    pub tiles: [f32; D],
    /// Bit `a` set: action `a` is allowed. Never 0.
    pub mask: u16,
}

/// What a decision came to, until the next one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Reward; more is better.
    pub reward: f64,
    /// Costs that constraints bound: halted minutes, bad debt.
    pub costs: [f64; 2],
    /// The world ends here, and nothing follows: not set where only the record ends.
    pub is_terminal: bool,
}

/// Something to decide in, step by step.
pub trait Environment<const D: usize> {
    /// Returns the first state.
    fn reset(&mut self) -> State<D>;

    /// Acts, and returns what came of it and the next state; none after the last.
    fn step(&mut self, action: usize) -> Option<(Outcome, State<D>)>;
}

/// What happened from a reset on. Shape: one more state than decisions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Episode<const D: usize> {
    /// States in order.
    pub states: Vec<State<D>>,
    /// Action and outcome of each decision.
    pub decisions: Vec<(u8, Outcome)>,
}

/// Plays one episode with `choose`, and with an even draw from what is allowed in a share `explore` of the decisions.
pub fn rollout<const D: usize, W: Environment<D>>(
    world: &mut W,
    mut choose: impl FnMut(&W, &State<D>) -> usize,
    explore: f64,
    rng: &mut ChaCha8Rng,
) -> Episode<D> {
    let mut state = world.reset();
    let mut episode = Episode { states: vec![state], decisions: Vec::new() };
    loop {
        let wanted = if rng.random::<f64>() < explore { any_allowed(state.mask, rng) } else { choose(world, &state) };
        // What isn't allowed becomes the first that is: a noop in every problem here.
        let action =
            if wanted < 16 && state.mask >> wanted & 1 == 1 { wanted } else { state.mask.trailing_zeros() as usize };
        let Some((outcome, next)) = world.step(action) else { return episode };
        episode.decisions.push((action as u8, outcome));
        episode.states.push(next);
        state = next;
    }
}

fn any_allowed(mask: u16, rng: &mut ChaCha8Rng) -> usize {
    let nth = rng.random_range(0..mask.count_ones().max(1)) as usize;
    (0..16).filter(|action| mask >> action & 1 == 1).nth(nth).unwrap_or(0)
}
