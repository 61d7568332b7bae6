//! Bars for the tests: drawn from a seed, and recorded ones where they are at hand.

#![allow(dead_code)]

use std::path::{Path, PathBuf};

use rampart_score::bar::Bar;
use rampart_score::engine::{Assessment, Engine, Readings, Settings};
use rampart_score::features::{COUNT, schema_hash_hex};
use rampart_score::hazard::Place;
use rampart_score::input::Input;
use rampart_score::model::{Card, FORMAT, Head, Model, ModelFile, Platt};
use rampart_score::state::{Flow, FlowKind, Operations, Portfolio};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Draws bars of `secs`: a random walk whose volatility per bar is `vol`, with jumps.
pub fn walk(seed: u64, count: usize, secs: u32, vol: f64) -> Vec<Bar> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut close = 100.0f64;
    (0..count)
        .map(|at| {
            let open = close;
            let mut normal = || (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
            close *= (vol * normal()).exp();
            let (up, down) = ((vol * normal().abs()).exp(), (-vol * normal().abs()).exp());
            let volume = 1_000.0 * (0.5 * normal()).exp();
            let taker_buy = Some(volume * (0.5 + 0.4 * ((close / open).ln() / vol).tanh()));
            let open_ts = 1_600_000_000 + at as i64 * i64::from(secs);
            Bar {
                open_ts,
                secs,
                open,
                high: open.max(close) * up,
                low: open.min(close) * down,
                close,
                volume: Some(volume),
                taker_buy,
            }
        })
        .collect()
}

/// Returns the recorded bars of `SYMBOL_INTERVAL`, or says why there are none.
pub fn recorded(name: &str, secs: u32) -> Option<Vec<Bar>> {
    let folder = std::env::var_os("RAMPART_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/market"), PathBuf::from);
    let path = folder.join(format!("{name}.csv.gz"));
    let file = match std::fs::File::open(&path) {
        Ok(file) => file,
        Err(error) => {
            println!("skipped: no recorded market at {}: {error}; set RAMPART_DATA to its folder", path.display());
            return None;
        }
    };
    let mut reader = csv::Reader::from_reader(flate2::read::GzDecoder::new(file));
    let bars = reader.records().map(|row| {
        let row = row.expect("recorded file is csv");
        let number = |at: usize| row[at].parse::<f64>().expect("recorded value is a number");
        let open_ts = row[0].parse().expect("recorded time is an integer");
        let [open, high, low, close, volume] = [1, 2, 3, 4, 5].map(number);
        Bar { open_ts, secs, open, high, low, close, volume: Some(volume), taker_buy: None }
    });
    Some(bars.collect())
}

/// Returns a model file that relies on the structural feature alone, for 6 h and 24 h.
pub fn model_file() -> ModelFile {
    let card = Card {
        name: "structural".into(),
        version: 1,
        trained_by: "none".into(),
        trained_until_ts: 0,
        training_data_sha256: "00".repeat(32),
        feature_schema_sha256: schema_hash_hex(),
        metrics: [("auc".to_owned(), 0.1 + 0.2)].into(),
        limits: vec!["for tests".into()],
    };
    let head = |horizon_secs| Head {
        horizon_secs,
        intercept: 0.0,
        structural: 1.0,
        log_depth: 0.0,
        coefficients: vec![0.0; COUNT],
        means: vec![0.1; COUNT],
        scales: vec![1.0 / 3.0; COUNT],
        tail: None,
        platt: Platt { slope: 1.0, intercept: 0.0 },
    };
    ModelFile {
        format: FORMAT,
        card,
        heads: vec![head(21_600), head(86_400)],
        deciles: Vec::new(),
        falls: None,
        hash: String::new(),
    }
}

/// All that a keeper keeps for one market among 16.
pub struct Rig {
    pub engine: Engine,
    portfolio: Portfolio,
    flow: Flow,
    operations: Operations,
    ticks: usize,
}

impl Rig {
    pub fn new(settings: Settings, model: Option<Model>) -> Self {
        let mut operations = Operations::default();
        operations.set_slots(1_000, 1_000);
        let portfolio = Portfolio::new(16).expect("16 markets are allowed");
        Self { engine: Engine::new(settings, model), portfolio, flow: Flow::default(), operations, ticks: 0 }
    }

    /// Plays a bar, the portfolio's returns, one flow and one assessment.
    pub fn tick(&mut self, bar: &Bar) -> Assessment {
        self.tick_with(bar, |_| {})
    }

    /// As [`Rig::tick`], with the readings changed before they are judged.
    pub fn tick_with(&mut self, bar: &Bar, change: impl FnOnce(&mut Readings)) -> Assessment {
        self.ticks += 1;
        let ts = bar.close_ts();
        self.engine.push(bar).expect("drawn bars are sound");
        let last = self.engine.market().last_return();
        let scale = |market: usize| 1.0 + ((self.ticks * 31 + market * 17) % 7) as f64;
        let returns: [Option<f64>; 16] = std::array::from_fn(|market| Some(last * scale(market)));
        self.portfolio.push(f64::from(bar.secs), &returns).expect("returns are complete");
        self.flow.push(FlowKind::Outflow, 1_000.0 + (self.ticks % 13) as f64, ts);
        self.operations.set_peers(Some(500), &[500, 510, 520]);
        let flow = self.flow.reading(1e8, ts);
        let venues = [Input::of(bar.close), Input::of(bar.close * 1.000_1), Input::of(bar.close * 0.999_9)];
        let mut readings = Readings {
            ts,
            price: Input::of(bar.close),
            confidence: Input::of(bar.close * 5e-4),
            age_secs: Input::of(2.0),
            twap: Input::of(bar.close),
            venues: &venues,
            factor: Input::of(0.0),
            stress: self.portfolio.stress(),
            flow: flow.as_ref(),
            withdrawable: Input::of(0.2),
            exit_size: Input::of(1e5),
            exit_place: Place::Books { volume_day: Input::of(1e7), spread: Input::of(0.001) },
            operations: &self.operations,
        };
        change(&mut readings);
        self.engine.assess(&readings)
    }
}
