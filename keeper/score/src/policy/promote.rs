//! The gate of promotions: a candidate replaces the incumbent only with evidence, and only if no constraint gets worse.

/// What a policy did on the same scenarios as another, one value for each block of time or scenario, in the same order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcomes {
    /// Utility of each block; more is better.
    pub utility: Vec<f64>,
    /// Constraints by name, with the value that must not rise: halted minutes, the tail of bad debt.
    pub constraints: Vec<(&'static str, f64)>,
}

/// How sure a promotion must be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gate {
    /// Probability with which the true gain may be below the bound: 0.05.
    pub level: f64,
    /// Resamples of the bootstrap.
    pub resamples: u32,
    /// Seed of the bootstrap.
    pub seed: u64,
}

impl Default for Gate {
    fn default() -> Self {
        Self { level: 0.05, resamples: 2_000, seed: 1 }
    }
}

/// What the gate says.
#[derive(Clone, Debug, PartialEq)]
pub enum Promotion {
    /// The gain's lower bound is above 0 and nothing got worse.
    Promote {
        /// Lower bound of the mean gain of a block.
        lower: f64,
    },
    /// The gain isn't sure.
    Unsure {
        /// Lower bound of the mean gain of a block.
        lower: f64,
    },
    /// A constraint is worse, unknown, or named by one side only.
    Worse {
        /// Its name.
        constraint: &'static str,
    },
    /// The blocks can't be paired: none, or another number of them, or not numbers.
    Unpaired,
}

/// Decides whether `candidate` may replace `incumbent`.
pub fn promotion(candidate: &Outcomes, incumbent: &Outcomes, gate: &Gate) -> Promotion {
    let Some(lower) = paired_lower_bound(&candidate.utility, &incumbent.utility, gate) else {
        return Promotion::Unpaired;
    };
    let is_held = |(name, before): &&(&'static str, f64)| {
        candidate.constraints.iter().any(|(other, after)| other == name && after <= before)
    };
    if let Some((constraint, _)) = incumbent.constraints.iter().find(|constraint| !is_held(constraint)) {
        return Promotion::Worse { constraint };
    }
    if lower > 0.0 { Promotion::Promote { lower } } else { Promotion::Unsure { lower } }
}

/// Returns the lower bound of the mean of `ours - theirs`, resampling whole blocks with replacement; none if they can't be paired.
///
/// # Source
/// Efron 1979, percentile bootstrap over paired differences; the blocks are the caller's (calendar weeks, or scenarios).
pub fn paired_lower_bound(ours: &[f64], theirs: &[f64], gate: &Gate) -> Option<f64> {
    let gains: Vec<f64> = ours.iter().zip(theirs).map(|(ours, theirs)| ours - theirs).collect();
    if ours.len() != theirs.len()
        || gains.len() < 2
        || gate.resamples == 0
        || !gains.iter().all(|gain| gain.is_finite())
    {
        return None;
    }
    let mut state = gate.seed;
    let mut means: Vec<f64> = (0..gate.resamples)
        .map(|_| (0..gains.len()).map(|_| gains[below(&mut state, gains.len())]).sum::<f64>() / gains.len() as f64)
        .collect();
    means.sort_by(f64::total_cmp);
    let rank = (gate.level.clamp(0.0, 1.0) * (means.len() - 1) as f64).floor() as usize;
    means.get(rank).copied()
}

/// Returns an even draw below `count`, by SplitMix64: the crate has no generator of its own, and a bootstrap needs no more.
fn below(state: &mut u64, count: usize) -> usize {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    ((u128::from(mixed) * count as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes(utility: &[f64], halted: f64) -> Outcomes {
        Outcomes { utility: utility.to_vec(), constraints: vec![("halted minutes", halted)] }
    }

    #[test]
    fn lower_bound_is_that_of_the_normal_mean_when_blocks_are_many() {
        // 400 gains with mean 0.5 and deviation 1: the 5 % bound of the mean is 0.5 − 1.645 / 20.
        let ours: Vec<f64> = (0..400).map(|index| 0.5 + if index % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let bound = paired_lower_bound(&ours, &vec![0.0; 400], &Gate::default()).unwrap();
        assert!((bound - (0.5 - 1.645 / 20.0)).abs() < 0.01, "{bound}");
    }

    #[test]
    fn promotion_needs_a_sure_gain_and_no_worse_constraint() {
        let base = outcomes(&[-1.0, -2.0, -1.5, -1.0, -3.0], 10.0);
        let better = [-0.5, -1.0, -1.0, -0.7, -2.0];
        assert!(matches!(promotion(&outcomes(&better, 10.0), &base, &Gate::default()), Promotion::Promote { .. }));
        let worse = Promotion::Worse { constraint: "halted minutes" };
        assert_eq!(promotion(&outcomes(&better, 10.1), &base, &Gate::default()), worse);
        assert_eq!(promotion(&outcomes(&better, f64::NAN), &base, &Gate::default()), worse);
        let unnamed = Outcomes { constraints: vec![], ..outcomes(&better, 0.0) };
        assert_eq!(promotion(&unnamed, &base, &Gate::default()), worse);
        let lucky = outcomes(&[-2.0, -2.5, -1.6, -1.1, 3.0], 10.0);
        assert!(matches!(promotion(&lucky, &base, &Gate::default()), Promotion::Unsure { .. }));
        assert_eq!(promotion(&outcomes(&better[..4], 10.0), &base, &Gate::default()), Promotion::Unpaired);
        assert!(matches!(promotion(&base, &base, &Gate::default()), Promotion::Unsure { lower } if lower == 0.0));
    }
}
