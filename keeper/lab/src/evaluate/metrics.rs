//! Ranking, skill and calibration of forecasts, weighted by week so that a resample costs one pass.

use crate::train::crash::logit;
use crate::train::{Line, Point};

/// Bins of the calibration error, of equal count.
const ECE_BINS: usize = 10;
/// Bins of the reliability's slope, of equal count.
const SLOPE_BINS: usize = 100;

#[derive(Clone, Copy, Debug)]
struct Entry {
    score: f64,
    week: usize,
    is_hit: bool,
}

/// Sums of one week in one bin.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    rows: f64,
    p: f64,
    logit: f64,
    hits: f64,
    square_error: f64,
}

/// Forecasts with what came, sorted once.
#[derive(Clone, Debug)]
pub struct Forecasts {
    entries: Vec<Entry>,
    weeks: usize,
    /// Shape: weeks × [`SLOPE_BINS`].
    cells: Vec<Cell>,
}

impl Forecasts {
    /// Takes `(score, position of the week, fell)`; scores that are probabilities can be judged as such.
    pub fn new(rows: impl Iterator<Item = (f64, usize, bool)>, weeks: usize) -> Self {
        let mut entries: Vec<Entry> = rows.map(|(score, week, is_hit)| Entry { score, week, is_hit }).collect();
        entries.sort_by(|a, b| a.score.total_cmp(&b.score));
        let mut cells = vec![Cell::default(); weeks * SLOPE_BINS];
        for (at, entry) in entries.iter().enumerate() {
            let cell = &mut cells[entry.week * SLOPE_BINS + at * SLOPE_BINS / entries.len()];
            let hit = f64::from(u8::from(entry.is_hit));
            cell.rows += 1.0;
            cell.p += entry.score;
            cell.logit += logit(entry.score);
            cell.hits += hit;
            cell.square_error += (entry.score - hit).powi(2);
        }
        Self { entries, weeks, cells }
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the area under the ROC curve, ties counted half; none without both classes.
    pub fn auc(&self, weights: &[f64]) -> Option<f64> {
        let (mut below, mut sum, mut hits) = (0.0, 0.0, 0.0);
        for group in self.entries.chunk_by(|a, b| a.score == b.score) {
            let (group_hits, group_rest) = counts(group, weights);
            sum += group_hits * (below + 0.5 * group_rest);
            below += group_rest;
            hits += group_hits;
        }
        (hits > 0.0 && below > 0.0).then(|| sum / (hits * below))
    }

    /// Returns the average precision: the mean over falls of the precision at their score.
    pub fn average_precision(&self, weights: &[f64]) -> Option<f64> {
        let (mut hits, mut rows, mut sum) = (0.0, 0.0, 0.0);
        for group in self.entries.chunk_by(|a, b| a.score == b.score).rev() {
            let (group_hits, group_rest) = counts(group, weights);
            hits += group_hits;
            rows += group_hits + group_rest;
            sum += if rows > 0.0 { group_hits * hits / rows } else { 0.0 };
        }
        (hits > 0.0).then(|| sum / hits)
    }

    /// Returns the share of rows that fell.
    pub fn base_rate(&self, weights: &[f64]) -> Option<f64> {
        let all = self.total(weights);
        (all.rows > 0.0).then(|| all.hits / all.rows)
    }

    /// Returns the Brier skill over the base rate of the very rows that are judged: the hardest climatology there is.
    pub fn brier_skill(&self, weights: &[f64]) -> Option<f64> {
        let all = self.total(weights);
        let base = all.hits / all.rows;
        (base > 0.0 && base < 1.0).then(|| 1.0 - all.square_error / all.rows / (base * (1.0 - base)))
    }

    /// Returns the expected calibration error over ten bins of equal count.
    pub fn calibration_error(&self, weights: &[f64]) -> Option<f64> {
        let bins = self.bins(weights);
        let rows: f64 = bins.iter().map(|bin| bin.rows).sum();
        let gap = |bins: &[Cell]| {
            let (p, hits) = bins.iter().fold((0.0, 0.0), |(p, hits), bin| (p + bin.p, hits + bin.hits));
            (p - hits).abs()
        };
        (rows > 0.0).then(|| bins.chunks(SLOPE_BINS / ECE_BINS).map(gap).sum::<f64>() / rows)
    }

    /// Returns the slope of what came over the forecast's logit: 1 is calibrated, below 1 is overconfident.
    pub fn calibration_slope(&self, weights: &[f64]) -> Option<f64> {
        let bins = self.bins(weights);
        let point = |bin: &Cell| Point { x: bin.logit / bin.rows, rows: bin.rows, hits: bin.hits };
        let points: Vec<Point> = bins.iter().filter(|bin| bin.rows > 0.0).map(point).collect();
        Line::fit("reliability", points.into_iter()).ok().map(|line| line.slope)
    }

    /// Returns mean forecast and share that fell of ten bins of equal count.
    pub fn reliability(&self) -> Vec<(f64, f64)> {
        let bins = self.bins(&vec![1.0; self.weeks]);
        let mean = |bins: &[Cell]| {
            let sum = bins.iter().fold(Cell::default(), |sum, bin| sum.plus(bin, 1.0));
            (sum.p / sum.rows, sum.hits / sum.rows)
        };
        bins.chunks(SLOPE_BINS / ECE_BINS).map(mean).collect()
    }

    fn bins(&self, weights: &[f64]) -> Vec<Cell> {
        let mut bins = vec![Cell::default(); SLOPE_BINS];
        for (cells, weight) in self.cells.chunks(SLOPE_BINS).zip(weights).filter(|(_, weight)| **weight > 0.0) {
            bins.iter_mut().zip(cells).for_each(|(bin, cell)| *bin = bin.plus(cell, *weight));
        }
        bins
    }

    fn total(&self, weights: &[f64]) -> Cell {
        self.bins(weights).iter().fold(Cell::default(), |sum, bin| sum.plus(bin, 1.0))
    }
}

impl Cell {
    fn plus(self, other: &Self, weight: f64) -> Self {
        Self {
            rows: self.rows + weight * other.rows,
            p: self.p + weight * other.p,
            logit: self.logit + weight * other.logit,
            hits: self.hits + weight * other.hits,
            square_error: self.square_error + weight * other.square_error,
        }
    }
}

fn counts(group: &[Entry], weights: &[f64]) -> (f64, f64) {
    group.iter().fold((0.0, 0.0), |(hits, rest), entry| {
        let weight = weights[entry.week];
        if entry.is_hit { (hits + weight, rest) } else { (hits, rest + weight) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn of(rows: &[(f64, bool)]) -> Forecasts {
        Forecasts::new(rows.iter().map(|(score, is_hit)| (*score, 0, *is_hit)), 1)
    }

    #[test]
    fn ranking_equals_the_hand_computed_when_scores_tie() {
        // Pairs (hit, miss): (.8,.3) 1, (.8,.5) 1, (.5,.3) 1, (.5,.5) ½: 3.5 of 4.
        let forecasts = of(&[(0.3, false), (0.5, false), (0.5, true), (0.8, true)]);
        assert_eq!(forecasts.auc(&[1.0]), Some(0.875));
        // Precision 1 at .8, 2 of 3 at .5.
        assert!((forecasts.average_precision(&[1.0]).unwrap() - (1.0 + 2.0 / 3.0) / 2.0).abs() < 1e-12);
        // Brier: (.09 + .25 + .25 + .04) / 4 over a base of a half.
        assert!((forecasts.brier_skill(&[1.0]).unwrap() - (1.0 - 0.157_5 / 0.25)).abs() < 1e-12);
        assert_eq!(of(&[(0.3, false)]).auc(&[1.0]), None);
    }

    #[test]
    fn weights_equal_repeated_rows_when_a_week_is_drawn_twice() {
        let rows = [(0.1, 0, false), (0.4, 1, true), (0.35, 1, false), (0.8, 0, true), (0.45, 1, false)];
        let weighted = Forecasts::new(rows.into_iter(), 2);
        let repeated = Forecasts::new(rows.into_iter().chain(rows.into_iter().filter(|row| row.1 == 1)), 2);
        for metric in [Forecasts::auc, Forecasts::average_precision, Forecasts::brier_skill] {
            let (a, b) = (metric(&weighted, &[1.0, 2.0]).unwrap(), metric(&repeated, &[1.0, 1.0]).unwrap());
            assert!((a - b).abs() < 1e-12, "{a} {b}");
        }
    }

    #[test]
    fn calibration_is_found_when_falls_are_drawn_from_the_forecast_or_from_half_its_logit() {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let mut draw = |slope: f64| {
            let rows: Vec<(f64, bool)> = (0..100_000)
                .map(|_| {
                    let x: f64 = random.random_range(-4.0..2.0);
                    let p = 1.0 / (1.0 + (-slope * x).exp());
                    (1.0 / (1.0 + (-x).exp()), random.random::<f64>() < p)
                })
                .collect();
            of(&rows)
        };
        let (good, bold) = (draw(1.0), draw(0.5));
        assert!((good.calibration_slope(&[1.0]).unwrap() - 1.0).abs() < 0.03);
        assert!(good.calibration_error(&[1.0]).unwrap() < 0.01);
        assert!((bold.calibration_slope(&[1.0]).unwrap() - 0.5).abs() < 0.03);
        assert!(bold.calibration_error(&[1.0]).unwrap() > 0.05);
    }
}
