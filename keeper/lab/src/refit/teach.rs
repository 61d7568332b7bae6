//! A candidate: what was learned, and its file.

use super::{Judged, Material, RefitError, Settings};
use crate::learn::{Decider, Linear, Lspi, Training, halt_budget, train};
use crate::work::Work;
use rampart_score::policy::{
    Action, Mode, POLICY_FORMAT, Policy, PolicyCard, PolicyError, PolicyFile, Rules, TILES, situation_schema_hex,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What was learned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Taught {
    /// Weights. Shape: one row for each action, one number for each tile.
    pub weights: Vec<Vec<f64>>,
    /// Transitions that it was learned from.
    pub transitions: u64,
    /// Seeds of training.
    pub seeds: Vec<u64>,
}

/// Learns as `rampart lab train policy` does, from the weeks before the cut and attacks.
///
/// # Errors
/// `Learn`.
pub fn teach(
    settings: &Settings,
    material: &Material,
    progress: Arc<dyn Fn(String) + Send + Sync>,
) -> Result<Taught, RefitError> {
    let training = Training {
        lspi: Lspi::default(),
        explore: 0.15,
        seeds: (1..=settings.seeds).collect(),
        halted_bps: halt_budget(&material.select),
        es95: 100.0,
        rounds: settings.rounds,
    };
    let markets = (&material.learn[..], &material.select[..]);
    let trained = train(&training, &Rules::default(), markets, &mut Work::quiet(), progress)?;
    let weights = trained.policy.weights.iter().map(|row| row.to_vec()).collect();
    Ok(Taught { weights, transitions: trained.transitions, seeds: training.seeds })
}

impl Taught {
    /// Returns what decides by it.
    ///
    /// # Errors
    /// `Policy` where weights have another shape.
    pub fn policy(&self) -> Result<Decider, RefitError> {
        let rows: Result<Vec<[f64; TILES]>, _> = self.weights.iter().map(|row| row.as_slice().try_into()).collect();
        let weights: Option<[[f64; TILES]; Action::COUNT]> = rows.ok().and_then(|rows| rows.try_into().ok());
        let weights = weights.ok_or(PolicyError::Weights)?;
        Ok(Decider::Learned(Box::new(Linear { weights })))
    }

    /// Returns its file, with the card of what it was learned from and how it was judged.
    pub(super) fn file(
        &self,
        settings: &Settings,
        data_sha256: &str,
        incumbent: Option<&Policy>,
        judged: &Judged,
    ) -> PolicyFile {
        let Settings { shadow_weeks, learn_weeks, draws, seeds, rounds, .. } = settings;
        let card = PolicyCard {
            name: "pool-lspi".into(),
            version: incumbent.map_or(1, |policy| policy.card().version.saturating_add(1)),
            trained_by: format!(
                "rampart lab refit --weeks {shadow_weeks} --learn-weeks {learn_weeks} --draws {draws} --seeds {seeds} \
                 --rounds {rounds}"
            ),
            training_data_sha256: data_sha256.into(),
            situation_schema_sha256: situation_schema_hex(),
            discount: Lspi::default().discount,
            transitions: self.transitions,
            seeds: self.seeds.clone(),
            // a promotion is over other policies; who may act is decided by the tables against tuned rules
            mode: Mode::Shadow,
            metrics: judged.metrics.clone(),
            limits: vec![
                "depth, flows and people are assumed; prices are one exchange's".into(),
                "held against default rules, not tuned ones".into(),
            ],
        };
        PolicyFile { format: POLICY_FORMAT, card, weights: self.weights.clone(), hash: String::new() }
    }
}
