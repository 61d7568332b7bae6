//! The crash model from a data set and a split: standardisation, tail, logistic weights, calibration.

use super::{BUFFERS, Config, Dataset, HORIZONS, Line, Point, Row, Sample, Split, TrainError, Weights};
use rampart_score::features::{COUNT, schema_hash_hex};
use rampart_score::model::{Card, FORMAT, Head, Model, ModelFile, Platt, Tail, structural};
use rampart_score::state::DECILES;
use rampart_score::tail::PotFit;
use std::collections::BTreeMap;

/// Version of the model that a release ships.
pub const VERSION: u32 = 1;
/// Seconds of the bars that the tail is fitted on.
const BAR_SECS: u32 = 3_600;
/// Bounds of a probability before its logit is taken.
const P_MIN: f64 = 1e-12;

/// Trains the model of a split. Equal data, split and settings give an equal file, bit for bit, on one machine.
///
/// # Errors
/// `TooFew`, `NotSettled`, `Tail`, and `Model` where the result is one that inference refuses.
pub fn fit(set: &Dataset, split: &Split, config: &Config) -> Result<Model, TrainError> {
    let heads = HORIZONS.iter().enumerate().map(|(at, horizon)| head(set, split, config, at, *horizon));
    let rows = training_rows(set, split, config, HORIZONS.len() - 1);
    let file = ModelFile {
        format: FORMAT,
        card: card(set, split, config),
        heads: heads.collect::<Result<_, _>>()?,
        deciles: deciles(&rows),
        falls: Some(tail(rows.iter().filter_map(|row| row.scaled_fall), config)?),
        hash: String::new(),
    };
    Ok(Model::from_file(file)?)
}

/// Returns a model with other metrics on its card.
///
/// # Errors
/// `Model`, as when it was trained.
pub fn with_metrics(model: &Model, metrics: BTreeMap<String, f64>) -> Result<Model, TrainError> {
    let mut file: ModelFile = serde_json::from_str(&model.to_json()).map_err(rampart_score::model::ModelError::from)?;
    file.card.metrics = metrics;
    Ok(Model::from_file(file)?)
}

fn card(set: &Dataset, split: &Split, config: &Config) -> Card {
    let day = |ts: i64| crate::time::format_day(ts - 1);
    let (from, to) = (split.train(HORIZONS[HORIZONS.len() - 1], config).end, split.seen_until(config));
    let limits = [
        format!("trained on futures until {}, calibrated until {}", day(split.calibrate_from), day(to)),
        format!("decision times until {}, every {} h of each asset", day(from), config.thin),
        "prices of one venue (hourly spot candles, as `rampart-lab fetch` builds them from the exchange's public archive)"
            .to_owned(),
        "today's majors: assets that died are judged in the evaluation and not trained on".to_owned(),
        "a wick of the venue counts as a fall".to_owned(),
    ];
    Card {
        name: "crash-logistic".to_owned(),
        version: VERSION,
        trained_by: "rampart-lab train crash".to_owned(),
        trained_until_ts: to,
        training_data_sha256: set.sha256.clone(),
        feature_schema_sha256: schema_hash_hex(),
        metrics: BTreeMap::new(),
        limits: limits.into(),
    }
}

/// Returns the rows that are trained on for a horizon: every n-th hour, staggered over assets.
pub fn training_rows<'a>(set: &'a Dataset, split: &Split, config: &Config, at: usize) -> Vec<&'a Row> {
    let period = split.train(HORIZONS[at], config);
    set.between(period.start, period.end, false).filter(|row| row.falls[at].is_some() && is_kept(row, config)).collect()
}

fn is_kept(row: &Row, config: &Config) -> bool {
    (row.known_ts / i64::from(BAR_SECS) + row.asset as i64).rem_euclid(config.thin.max(1) as i64) == 0
}

fn head(set: &Dataset, split: &Split, config: &Config, at: usize, horizon: u32) -> Result<Head, TrainError> {
    let rows = training_rows(set, split, config, at);
    let (means, scales) = standardisation(&rows);
    let tail = tail(rows.iter().filter_map(|row| row.standard_fall), config)?;
    let samples: Vec<Sample> = rows.iter().map(|row| sample(row, at, (&means, &scales), horizon, &tail)).collect();
    let weights = Weights::fit(&samples, config.l2)?;
    let mut head = Head {
        horizon_secs: horizon,
        intercept: weights.intercept(),
        structural: weights.structural(),
        log_depth: weights.log_depth(),
        coefficients: weights.features().to_vec(),
        means,
        scales,
        tail: Some(tail),
        platt: Platt { slope: 1.0, intercept: 0.0 },
    };
    let period = split.calibrate(horizon, config);
    let seen = set.between(period.start, period.end, false).filter(|row| is_kept(row, config));
    head.platt = calibration(&head, seen, at)?.into();
    Ok(head)
}

/// Fits Platt's calibration on rows that training didn't see, all buffers together.
fn calibration<'a>(head: &Head, rows: impl Iterator<Item = &'a Row>, at: usize) -> Result<Line, TrainError> {
    let known = rows.filter_map(|row| Some((row, row.falls[at]?)));
    let point =
        |row: &Row, depth: f64, buffer: f64| Point::of(logit(head.probability(&row.features, buffer)), depth >= buffer);
    let points: Vec<Point> =
        known.flat_map(|(row, fall)| BUFFERS.map(|buffer| point(row, fall.depth, buffer))).collect();
    Line::fit("calibration", points.iter().copied())
}

/// Returns `ln(p / (1 - p))` of a probability.
pub fn logit(p: f64) -> f64 {
    let p = p.clamp(P_MIN, 1.0 - P_MIN);
    (p / (1.0 - p)).ln()
}

fn sample(row: &Row, at: usize, (means, scales): (&[f64], &[f64]), horizon: u32, tail: &Tail) -> Sample {
    let depth = row.falls[at].map_or(f64::NEG_INFINITY, |fall| fall.depth);
    Sample {
        features: std::array::from_fn(|at| (row.features.values[at] - means[at]) / scales[at]),
        structural: BUFFERS.map(|buffer| structural(row.features.vol_day(), buffer, horizon, Some(tail))),
        hits: BUFFERS.iter().filter(|buffer| depth >= **buffer).count(),
    }
}

/// Fits the tail of an hour's standardised falls.
///
/// # Errors
/// `Tail`.
pub fn tail(falls: impl Iterator<Item = f64>, config: &Config) -> Result<Tail, TrainError> {
    let mut falls: Vec<f64> = falls.collect();
    let fit = PotFit::fit(&mut falls, config.tail_share)?;
    Ok(Tail {
        bar_secs: BAR_SECS,
        threshold: fit.threshold,
        shape: fit.gpd.shape,
        scale: fit.gpd.scale,
        share: fit.share,
    })
}

/// Returns means and standard deviations; a constant feature has scale 1.
fn standardisation(rows: &[&Row]) -> (Vec<f64>, Vec<f64>) {
    let count = rows.len().max(1) as f64;
    let mean = |of: &dyn Fn(&Row) -> f64| rows.iter().map(|row| of(row)).sum::<f64>() / count;
    let means: Vec<f64> = (0..COUNT).map(|at| mean(&|row| row.features.values[at])).collect();
    let scale = |at: usize| mean(&|row| (row.features.values[at] - means[at]).powi(2)).sqrt();
    let scales = (0..COUNT).map(|at| Some(scale(at)).filter(|scale| *scale > 1e-9).unwrap_or(1.0)).collect();
    (means, scales)
}

/// Returns the edges between ten bins of equal share of each feature, for the drift watch.
fn deciles(rows: &[&Row]) -> Vec<[f64; DECILES]> {
    let edges = |at: usize| {
        let mut values: Vec<f64> = rows.iter().map(|row| row.features.values[at]).collect();
        values.sort_unstable_by(f64::total_cmp);
        std::array::from_fn(|edge| values[(edge + 1) * values.len() / (DECILES + 1)])
    };
    if rows.is_empty() { Vec::new() } else { (0..COUNT).map(edges).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walk_and_tail_count_in_every_head_of_the_model_that_ships() {
        // once the tail was a sum cut off at 1, which told no buffer from the next over 24 h: that head's coefficient was 0
        let model = Model::from_json(include_str!("../../../../artifacts/models/crash-v1.json")).unwrap();
        let weights: Vec<(u32, f64)> = model.heads().iter().map(|head| (head.horizon_secs, head.structural)).collect();
        assert_eq!(weights.iter().map(|(horizon, _)| *horizon).collect::<Vec<_>>(), HORIZONS);
        assert!(weights.iter().all(|(_, weight)| *weight > 0.05), "{weights:?}");
        assert_eq!(model.card().version, VERSION);
    }
}
