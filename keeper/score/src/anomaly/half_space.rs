//! Half-space trees: how empty the neighbourhood of an observation was in the last window. One pass, fixed memory.

/// Dimensions of an observation.
pub const ACTIVITY: usize = 8;
const TREES: usize = 25;
const DEPTH: usize = 8;
const NODES: usize = (1 << (DEPTH + 1)) - 1;
/// Observations of a window.
const WINDOW: u32 = 250;
/// A node with fewer than this isn't split further when it is scored: a tenth of the window.
const SPARSE: u32 = WINDOW / 10;
/// Bins of the logarithm of a score.
const BINS: usize = 128;
/// What a score's count keeps per observation: about 5,000 of them are remembered.
const KEPT: f64 = 0.9998;
/// Half-life of the scaling, observations.
const SCALING: f64 = 2_000.0;

#[derive(Clone, Copy, Debug, Default)]
struct Node {
    dimension: u8,
    split: f32,
    reference: u32,
    latest: u32,
}

/// A forest over [`ACTIVITY`] features of activity.
///
/// # Source
/// Tan, Ting & Liu (2011). The score is turned into the share of past observations that were as lonely.
#[derive(Clone, Debug)]
pub struct HalfSpaceTrees {
    nodes: Vec<Node>,
    means: [f64; ACTIVITY],
    squares: [f64; ACTIVITY],
    weight: f64,
    in_window: u32,
    windows: u64,
    histogram: [f64; BINS],
}

impl HalfSpaceTrees {
    /// Grows the trees from a seed.
    pub fn new(seed: u64) -> Self {
        let mut random = SplitMix(seed);
        let mut nodes = vec![Node::default(); TREES * NODES];
        for tree in nodes.chunks_exact_mut(NODES) {
            grow(tree, &mut random);
        }
        Self {
            nodes,
            means: [0.0; ACTIVITY],
            squares: [0.0; ACTIVITY],
            weight: 0.0,
            in_window: 0,
            windows: 0,
            histogram: [0.0; BINS],
        }
    }

    /// Adds an observation and returns the share of earlier ones that were as lonely or more: near 0 for an anomaly.
    ///
    /// 1 while two windows haven't passed, and for an observation that isn't numbers: it is left out.
    pub fn push(&mut self, observation: &[f64; ACTIVITY]) -> f64 {
        if !observation.iter().all(|value| value.is_finite()) {
            return 1.0;
        }
        let point = self.squash(observation);
        let rank = if self.windows >= 2 { self.rank(self.score(&point)) } else { 1.0 };
        self.count(&point);
        rank
    }

    /// Returns the forest's score for an observation, without adding it: masses of its neighbourhoods, low when lonely.
    pub fn score_of(&self, observation: &[f64; ACTIVITY]) -> f64 {
        self.score(&self.scaled(observation))
    }

    /// Updates the scaling and returns the observation in the unit cube.
    fn squash(&mut self, observation: &[f64; ACTIVITY]) -> [f32; ACTIVITY] {
        let kept = 1.0 - 1.0 / SCALING;
        // Extremes are judged as such and don't stretch the scale by more than a bound.
        for (at, value) in observation.iter().enumerate() {
            let bounded = if self.weight > 0.05 {
                let (mean, spread) = self.scale(at);
                value.clamp(mean - 6.0 * spread, mean + 6.0 * spread)
            } else {
                value.clamp(-1e12, 1e12)
            };
            self.means[at] = kept * self.means[at] + (1.0 - kept) * bounded;
            self.squares[at] = kept * self.squares[at] + (1.0 - kept) * bounded * bounded;
        }
        self.weight = kept * self.weight + (1.0 - kept);
        self.scaled(observation)
    }

    fn scaled(&self, observation: &[f64; ACTIVITY]) -> [f32; ACTIVITY] {
        std::array::from_fn(|at| {
            let (mean, spread) = self.scale(at);
            let z = (observation[at] - mean) / spread;
            (1.0 / (1.0 + (-z / 1.7).exp())) as f32
        })
    }

    fn scale(&self, at: usize) -> (f64, f64) {
        let mean = self.means[at] / self.weight.max(f64::MIN_POSITIVE);
        let variance = self.squares[at] / self.weight.max(f64::MIN_POSITIVE) - mean * mean;
        (mean, variance.max(0.0).sqrt().max(1e-9 * (1.0 + mean.abs())))
    }

    fn score(&self, point: &[f32; ACTIVITY]) -> f64 {
        let of_tree = |tree: &[Node]| {
            let (mut at, mut depth) = (0, 0);
            while depth < DEPTH && tree[at].reference >= SPARSE {
                at = child(&tree[at], at, point);
                depth += 1;
            }
            f64::from(tree[at].reference) * (1u32 << depth) as f64
        };
        self.nodes.chunks_exact(NODES).map(of_tree).sum()
    }

    fn count(&mut self, point: &[f32; ACTIVITY]) {
        for tree in self.nodes.chunks_exact_mut(NODES) {
            let mut at = 0;
            for _ in 0..=DEPTH {
                tree[at].latest += 1;
                at = child(&tree[at], at, point).min(NODES - 1);
            }
        }
        self.in_window += 1;
        if self.in_window == WINDOW {
            self.nodes.iter_mut().for_each(|node| (node.reference, node.latest) = (node.latest, 0));
            self.in_window = 0;
            self.windows += 1;
        }
    }

    fn rank(&mut self, score: f64) -> f64 {
        let bin = (((score + 1.0).log2() * 6.0) as usize).min(BINS - 1);
        let below: f64 = self.histogram[..bin].iter().sum();
        let rest: f64 = self.histogram[bin..].iter().sum();
        // The observation itself counts: the first of its kind among n has rank 1/(n+1).
        let rank = (below + self.histogram[bin] + 1.0) / (below + rest + 1.0);
        self.histogram.iter_mut().for_each(|count| *count *= KEPT);
        self.histogram[bin] += 1.0;
        rank.min(1.0)
    }
}

fn child(node: &Node, at: usize, point: &[f32; ACTIVITY]) -> usize {
    2 * at + 1 + usize::from(point[usize::from(node.dimension)] >= node.split)
}

/// Splits the unit cube, stretched around a random point, by halves along random dimensions.
fn grow(tree: &mut [Node], random: &mut SplitMix) {
    let mut ranges = [[0.0f32; 2]; ACTIVITY];
    for range in &mut ranges {
        let center = random.unit() as f32;
        let reach = 2.0 * center.max(1.0 - center);
        *range = [center - reach, center + reach];
    }
    split(tree, 0, 0, ranges, random);
}

fn split(tree: &mut [Node], at: usize, depth: usize, ranges: [[f32; 2]; ACTIVITY], random: &mut SplitMix) {
    let dimension = (random.next() % ACTIVITY as u64) as usize;
    let [low, high] = ranges[dimension];
    let middle = (low + high) / 2.0;
    tree[at] = Node { dimension: dimension as u8, split: middle, ..Node::default() };
    if depth < DEPTH {
        let mut half = ranges;
        half[dimension] = [low, middle];
        split(tree, 2 * at + 1, depth + 1, half, random);
        half[dimension] = [middle, high];
        split(tree, 2 * at + 2, depth + 1, half, random);
    }
}

/// SplitMix64: the trees' only randomness, the same on every machine.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn rank_is_a_share_whatever_comes_in(
            data in prop::collection::vec(prop::array::uniform8(prop::num::f64::ANY), 1..40),
        ) {
            let mut forest = HalfSpaceTrees::new(1);
            for at in 0..600u32 {
                forest.push(&[f64::from(at % 7); ACTIVITY]);
            }
            for observation in data {
                let rank = forest.push(&observation);
                prop_assert!(rank > 0.0 && rank <= 1.0);
            }
        }
    }

    #[test]
    fn masses_equal_the_window_at_every_level_when_it_is_full() {
        let mut forest = HalfSpaceTrees::new(5);
        let mut random = SplitMix(9);
        for _ in 0..WINDOW {
            forest.push(&std::array::from_fn(|_| random.unit()));
        }
        for tree in forest.nodes.chunks_exact(NODES) {
            for depth in 0..=DEPTH {
                let level = &tree[(1 << depth) - 1..(1 << (depth + 1)) - 1];
                assert_eq!(level.iter().map(|node| node.reference).sum::<u32>(), WINDOW);
            }
        }
    }

    #[test]
    fn tree_is_the_same_when_the_seed_is() {
        let [one, same, other] = [1, 1, 2].map(|seed| HalfSpaceTrees::new(seed).nodes);
        let splits = |nodes: &[Node]| nodes.iter().map(|node| (node.dimension, node.split)).collect::<Vec<_>>();
        assert_eq!(splits(&one), splits(&same));
        assert_ne!(splits(&one), splits(&other));
    }
}
