//! Half-space trees beside an independent forest, on anomalies that were planted.

use krcf::{RandomCutForest, RandomCutForestOptions};
use rampart_score::anomaly::{ACTIVITY, HalfSpaceTrees};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Returns the share of pairs in which the planted one is stranger.
fn ranking(planted: &[f64], usual: &[f64]) -> f64 {
    let wins = planted.iter().flat_map(|strange| usual.iter().map(move |value| (strange, value)));
    let sum: f64 = wins
        .map(|(strange, value)| {
            if strange > value {
                1.0
            } else if strange == value {
                0.5
            } else {
                0.0
            }
        })
        .sum();
    sum / (planted.len() * usual.len()) as f64
}

#[test]
fn planted_anomalies_are_found_by_both_forests() {
    let mut random = ChaCha8Rng::seed_from_u64(21);
    let mut trees = HalfSpaceTrees::new(1);
    let mut cuts = RandomCutForest::new(RandomCutForestOptions {
        dimensions: ACTIVITY,
        shingle_size: 1,
        num_trees: Some(15),
        sample_size: Some(256),
        random_seed: Some(42),
        ..Default::default()
    })
    .unwrap();
    let mut found = [[Vec::new(), Vec::new()], [Vec::new(), Vec::new()]];
    let mut false_alarms = 0;
    for at in 0..2_500 {
        let mut normal = || (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
        let common = normal();
        let mut point: [f64; ACTIVITY] = std::array::from_fn(|_| 0.6 * common + 0.8 * normal());
        // A run: outflow and its burst rise, inflow stops.
        let is_planted = at > 1_000 && at % 100 == 0;
        if is_planted {
            (point[0], point[1], point[4]) = (point[0] + 6.0, point[1] - 5.0, point[4] + 6.0);
        }
        let rank = trees.push(&point);
        let narrow = point.map(|value| value as f32);
        let score = cuts.score(&narrow).unwrap();
        cuts.update(&narrow).unwrap();
        if at > 1_000 {
            let side = usize::from(!is_planted);
            found[0][side].push(-rank);
            found[1][side].push(score);
            false_alarms += usize::from(!is_planted && rank < 0.01);
        }
    }
    let [own, independent] = found.each_ref().map(|[planted, usual]| ranking(planted, usual));
    println!("planted anomalies above usual activity: half-space trees {own:.4}, random cut forest {independent:.4}");
    println!("usual activity below rank 1 %: {false_alarms} of {}", found[0][1].len());
    assert!(independent > 0.97, "{independent}");
    assert!(own > 0.95, "{own}");
    assert!(false_alarms * 100 < 3 * found[0][1].len(), "{false_alarms}");
}
