//! Models: closed forms, directions, and every reason to refuse a file.

mod common;

use proptest::prelude::*;
use rampart_score::features::{COUNT, FEATURES, Features, LOG_VOL_24H};
use rampart_score::model::{Model, ModelError, ModelFile, Tail, structural};

fn features(vol_day: f64) -> Features {
    let mut values = [0.0; COUNT];
    values[LOG_VOL_24H] = vol_day.ln();
    Features { values, is_warming: false, has_volume: true }
}

fn model() -> Model {
    Model::from_file(common::model_file()).unwrap()
}

#[test]
fn probability_equals_the_reflection_principle_when_only_structure_counts() {
    // A depth of one, 1.96 and 3 standard deviations: 2Φ(-z).
    for (z, expected) in [(1.0, 0.317_310_507_863), (1.959_963_984_540, 0.05), (3.0, 0.002_699_796_063)] {
        let vol = 0.04;
        let buffer = 1.0 - (-z * vol * 0.25f64.sqrt()).exp();
        let p = model().probability(&features(vol), buffer, 21_600);
        assert!((p - expected).abs() < 1e-9, "{z} {p}");
    }
}

#[test]
fn structural_joins_the_tail_as_an_independent_way_to_fall() {
    let tail = Tail { bar_secs: 3_600, threshold: 1.5, shape: 0.25, scale: 0.6, share: 0.05 };
    let (vol, buffer) = (0.04, 0.10);
    let p = |tail| 1.0 / (1.0 + (-structural(vol, buffer, 21_600, tail)).exp());
    let z = -(1.0f64 - buffer).ln() / (vol / 24f64.sqrt());
    let jump = 1.0 - (1.0 - 0.05 * (1.0 + 0.25 * (z - 1.5) / 0.6).powf(-4.0)).powi(6);
    assert!((p(Some(&tail)) - (1.0 - (1.0 - p(None)) * (1.0 - jump))).abs() < 1e-12);
}

#[test]
fn coefficients_standardise_calibrate_and_correct_for_depth() {
    let mut file = common::model_file();
    let head = &mut file.heads[1];
    (head.intercept, head.log_depth, head.platt.slope, head.platt.intercept) = (-1.0, -0.4, 0.8, 0.1);
    (head.coefficients[10], head.means[10], head.scales[10]) = (0.7, 0.02, 0.05);
    file.heads.remove(0);
    let model = Model::from_file(file).unwrap();
    let mut seen = features(0.04);
    seen.values[10] = 0.12;
    let buffer = 0.10;
    let logit = -1.0 + structural(0.04, buffer, 86_400, None) - 0.4 * (-(1.0f64 - buffer).ln()).ln() + 0.7 * 2.0;
    let expected = 1.0 / (1.0 + (-(0.8 * logit + 0.1)).exp());
    assert!((model.probability(&seen, buffer, 86_400) - expected).abs() < 1e-12);
}

#[test]
fn feature_that_no_source_tells_counts_as_it_was_on_average() {
    let mut file = common::model_file();
    for head in &mut file.heads {
        (head.coefficients[19], head.means[19], head.scales[19]) = (0.8, -0.2, 0.5);
    }
    let model = Model::from_file(file).unwrap();
    let known = |value: f64| {
        let mut seen = features(0.04);
        (seen.values[19], seen.values[20]) = (value, 0.1);
        model.probability(&seen, 0.1, 86_400)
    };
    let unknown = Features { has_volume: false, ..features(0.04) };
    assert_eq!((unknown.get("amihud_log_ratio"), unknown.known(18)), (None, Some(0.0)));
    let p = model.probability(&unknown, 0.1, 86_400);
    assert!((p - known(-0.2)).abs() < 1e-12 && (p - known(0.0)).abs() > 1e-4, "{p}");
}

#[test]
fn horizon_between_heads_takes_the_longer_one_and_beyond_them_repeats_it() {
    let (model, seen) = (model(), features(0.04));
    let p = |secs| model.probability(&seen, 0.1, secs);
    assert_eq!(p(30_000), p(86_400));
    assert_eq!(p(0), p(21_600));
    assert!((p(172_800) - (1.0 - (1.0 - p(86_400)).powi(2))).abs() < 1e-12);
}

#[test]
fn probability_is_one_when_the_buffer_is_used_up_or_an_input_is_not_a_number() {
    let model = model();
    for buffer in [0.0, -0.1, f64::NAN, f64::NEG_INFINITY] {
        assert_eq!(model.probability(&features(0.04), buffer, 86_400), 1.0);
    }
    let mut seen = features(0.04);
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        seen.values[3] = bad;
        assert_eq!(model.probability(&seen, 0.1, 86_400), 1.0);
    }
}

#[test]
fn model_is_the_same_after_a_round_trip_through_its_file() {
    let mut file = common::model_file();
    file.deciles = vec![std::array::from_fn(|at| (at as f64 + 0.1).sin() + at as f64); COUNT];
    let model = Model::from_file(file).unwrap();
    let read = Model::from_json(&model.to_json()).unwrap();
    assert_eq!((&read, read.hash()), (&model, model.hash()));
    assert_eq!(read.card().name, "structural");
}

/// Returns why a file is refused after a change, its hash being renewed.
fn refusal(change: impl FnOnce(&mut ModelFile)) -> String {
    let mut file = common::model_file();
    change(&mut file);
    Model::from_file(file).unwrap_err().to_string()
}

#[test]
fn file_is_refused_when_its_content_is_not_what_was_hashed() {
    let text = model().to_json().replace("\"structural\": 1.0", "\"structural\": 1.5");
    assert!(matches!(Model::from_json(&text), Err(ModelError::Hash { .. })));
    let text = model().to_json().replace("\"format\"", "\"formed\"");
    assert!(matches!(Model::from_json(&text), Err(ModelError::Json(_))));
    assert!(matches!(Model::from_json("{}"), Err(ModelError::Json(_))));
}

#[test]
fn file_is_refused_when_its_schema_or_format_is_another() {
    let other = "ab".repeat(32);
    let message = refusal(|file| file.card.feature_schema_sha256 = other.clone());
    assert!(
        message.starts_with(&format!("model was trained for feature schema {other}, this build has ")),
        "{message}"
    );
    assert_eq!(refusal(|file| file.format = 2), "model has format 2, this build reads 1: train it anew");
}

#[test]
fn file_is_refused_when_the_probability_could_rise_with_the_buffer() {
    let expected =
        "model's head 21600 s: the probability must not rise with the buffer: structural >= 0 and log_depth <= 0";
    assert_eq!(refusal(|file| file.heads[0].structural = -1e-12), expected);
    assert_eq!(refusal(|file| file.heads[0].log_depth = 1e-12), expected);
}

#[test]
fn file_is_refused_when_a_number_or_shape_is_wrong() {
    let shapes = "model's head 86400 s: coefficients, means and scales must be one for each feature";
    assert_eq!(refusal(|file| file.heads[1].means.truncate(COUNT - 1)), shapes);
    let finite = "model's head 86400 s: every number must be finite";
    assert_eq!(refusal(|file| file.heads[1].coefficients[4] = f64::NAN), finite);
    let scales = "model's head 86400 s: the calibration's slope and the scales must be above 0";
    assert_eq!(refusal(|file| file.heads[1].scales[0] = 0.0), scales);
    assert_eq!(refusal(|file| file.heads[1].platt.slope = -1.0), scales);
    let heads = "model's heads must be one or more, by rising horizon";
    assert_eq!(refusal(|file| file.heads.clear()), heads);
    assert_eq!(refusal(|file| file.heads.swap(0, 1)), heads);
    let deciles = "model's deciles must be rising numbers, nine for each feature or none at all";
    assert_eq!(refusal(|file| file.deciles = vec![[0.0; 9]; COUNT - 1]), deciles);
    assert_eq!(refusal(|file| file.deciles = vec![std::array::from_fn(|at| -(at as f64)); COUNT]), deciles);
    let tail = Tail { bar_secs: 3_600, threshold: 1.5, shape: 1.0, scale: 0.6, share: 0.05 };
    assert!(
        refusal(|file| file.heads[0].tail = Some(tail)).starts_with("model's head 21600 s: the tail must have bars")
    );
}

proptest! {
    #[test]
    fn probability_never_rises_with_the_buffer_nor_falls_with_the_horizon(
        coefficients in prop::collection::vec(-2.0f64..2.0, COUNT),
        values in prop::collection::vec(-5.0f64..1.0, COUNT),
        weights in (0.0f64..2.0, -2.0f64..0.0, 0.2f64..3.0),
        buffers in (0.001f64..0.999, 0.0f64..1.0),
        horizons in (1u32..400_000, 0u32..400_000),
    ) {
        let mut file = common::model_file();
        for (at, head) in file.heads.iter_mut().enumerate() {
            (head.structural, head.log_depth, head.platt.slope) = weights;
            head.coefficients = coefficients.iter().map(|value| value / (at + 1) as f64).collect();
            head.tail = Some(Tail { bar_secs: 3_600, threshold: 1.5, shape: 0.2, scale: 0.6, share: 0.05 });
        }
        let model = Model::from_file(file).unwrap();
        let seen = Features { values: values.try_into().unwrap(), is_warming: false, has_volume: true };
        let (shallow, deep) = (buffers.0, buffers.0 + (1.0 - buffers.0) * buffers.1);
        let (short, long) = (horizons.0, horizons.0 + horizons.1);
        prop_assert!(model.probability(&seen, deep, short) <= model.probability(&seen, shallow, short));
        prop_assert!(model.probability(&seen, deep, short) <= model.probability(&seen, deep, long) + 1e-12);
    }

    #[test]
    fn probability_is_from_0_to_1_whatever_comes_in(
        values in prop::collection::vec(prop::num::f64::ANY, COUNT),
        buffer in prop::num::f64::ANY,
        horizon in any::<u32>(),
    ) {
        let seen = Features { values: values.try_into().unwrap(), is_warming: false, has_volume: true };
        prop_assert!((0.0..=1.0).contains(&model().probability(&seen, buffer, horizon)));
    }
}

#[test]
fn features_find_their_value_by_name() {
    let seen = Features { values: std::array::from_fn(|at| at as f64), is_warming: false, has_volume: true };
    assert_eq!(seen.get(FEATURES[LOG_VOL_24H]), Some(LOG_VOL_24H as f64));
    assert_eq!(seen.get("log_vol"), None);
}
