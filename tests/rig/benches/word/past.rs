//! The week before, in files that a keeper reads at its start: an ordinary one, with the volatility of a coin and of a dollar.

use rampart_rig::Scene;
use rampart_rig::scene::CALM;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use solana_sdk::pubkey::Pubkey;
use std::fmt::Write as _;
use tempfile::TempDir;

const WEEK_SECS: i64 = 7 * 86_400;
const STEP_SECS: i64 = 300;
/// Volatilities per square root of a day.
const COIN: f64 = 0.03;
const DOLLAR: f64 = 0.000_5;

/// Files of the assets of a scene.
pub struct Files {
    dir: TempDir,
    assets: [Pubkey; 2],
}

impl Files {
    /// Writes the week before the present time of `scene`.
    pub fn write(scene: &Scene) -> Self {
        let (now_ts, keys) = {
            let state = scene.chain.state();
            (state.world.now_ts(), state.world.keys)
        };
        let dir = tempfile::tempdir().expect("a directory");
        let assets = [keys.collateral_asset, keys.loan_asset];
        for ((asset, end), vol_day) in assets.iter().zip([CALM, 1.0]).zip([COIN, DOLLAR]) {
            let text = candles(now_ts, end, vol_day);
            std::fs::write(dir.path().join(format!("{asset}.csv")), text).expect("a file");
        }
        Self { dir, assets }
    }

    /// Returns the settings that name them, with a market in which selling costs little.
    pub fn settings(&self) -> String {
        let market = |asset: &Pubkey| {
            let path = self.dir.path().join(format!("{asset}.csv"));
            format!(
                "[[score.market]]\nasset = \"{asset}\"\nvolume_day_usd = 500000000\nspread_bps = 5\npast_file = {path:?}\n"
            )
        };
        self.assets.iter().map(market).collect()
    }
}

/// A random walk backwards from `end`, as candles.
fn candles(now_ts: i64, end: f64, vol_day: f64) -> String {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let scale = vol_day * (STEP_SECS as f64 / 86_400.0).sqrt();
    let mut prices = vec![end];
    for _ in 0..WEEK_SECS / STEP_SECS {
        let shock: f64 = StandardNormal.sample(&mut rng);
        prices.push(prices[prices.len() - 1] * (scale * shock).exp());
    }
    let mut text = "time,open,high,low,close\n".to_owned();
    let first_ts = now_ts - now_ts.rem_euclid(STEP_SECS) - STEP_SECS * prices.len() as i64;
    for (n, price) in prices.iter().rev().enumerate() {
        let _ = writeln!(text, "{},{price},{price},{price},{price}", first_ts + STEP_SECS * n as i64);
    }
    text
}
