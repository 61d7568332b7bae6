//! What a pool in which collateral is sold makes of the score.

use super::*;
use crate::config::MarketSettings;
use crate::score::place::{self, PlaceError, STALE_SLOTS};
use crate::watch::testing::{pool, token_account};
use crate::watch::{Origin, Update};
use rampart_score::hazard::Reserves;
use rampart_score::input::Input;
use std::collections::HashSet;
use std::time::Instant;

/// The pool, and what it says its token accounts are.
const POOL: u8 = 81;
const TOKENS: [u8; 2] = [82, 83];

/// Names the pool, and what the operator knows beside it: hardly anything is traded, at a spread of everything.
fn market(asset: Pubkey) -> MarketSettings {
    let (volume_day_usd, spread_bps) = (Some(1), Some(10_000));
    MarketSettings { asset, pool: Some(key(POOL)), volume_day_usd, spread_bps, past_file: None }
}

/// A vault whose one debt is 0.78 dollars, 2.5 % from its line.
fn scene() -> Scene {
    let mut scene = Scene::new(&ScoreSettings::default());
    let market = vec![market(scene.world.asset_keys[0])];
    scene.scorer = Scorer::new(&ScoreSettings { market, ..ScoreSettings::default() }).expect("no model");
    let positions = [(key(50), scene.world.position(1_000_000, 780_000))];
    scene.store = scene.world.store(&positions);
    scene.index.put(key(50), Some(&positions[0].1));
    let watched = [POOL].iter().chain(&TOKENS).map(|n| key(*n)).chain(scene.world.oracle_keys());
    scene.store.watch_raw(watched.collect::<HashSet<_>>());
    scene
}

impl Scene {
    fn put_raw(&mut self, at: u8, data: Vec<u8>, slot: u64) {
        let update = Update { lamports: 1, data, ..Update::absent(key(at), slot, Origin::Push) };
        self.store.apply(update, Instant::now());
    }

    /// What the pool of both mints holds, base units, as of `slot`.
    fn put_pool(&mut self, amounts: [u64; 2], slot: u64) {
        self.put_raw(POOL, pool(key(20), key(21)), slot);
        for side in 0..2 {
            let mint = key(20 + side as u8);
            self.put_raw(TOKENS[side], token_account(&mint, &key(POOL), amounts[side]), slot);
        }
    }

    fn held(&self, tip_slot: u64) -> Result<(), PlaceError> {
        place::held(&self.store, &market(self.world.asset_keys[0]), &key(POOL), tip_slot).map(|_| ())
    }

    fn seen<R>(&self, look: impl FnOnce(Seen) -> R) -> R {
        let now = ChainTime { slot: SLOT, unix_ts: NOW };
        let assessment = assess(&self.store, &self.index, &self.world.found(), now);
        let (store, index, early) = (&self.store, &self.index, &self.board);
        look(Seen { store, assessment: &assessment, index, early, signer: &key(SIGNER), tip_slot: SLOT })
    }
}

fn near(found: Input, expected: f64) {
    assert!(found.known().is_some_and(|found| (found - expected).abs() < 1e-9), "{found:?}, {expected}");
}

#[test]
fn what_a_pool_holds_counts_in_place_of_what_the_operator_says() {
    let mut scene = scene();
    let [asset, vault] = [scene.world.asset_keys[0], scene.world.vault_key];
    scene.put_pool([100_000_000, 90_000_000], SLOT);
    scene.see(1_000, NOW);
    scene.world.price(&mut scene.store, 1, 1_000, NOW);
    // 100 tokens at a dollar each, of which it pays for 90; in dollars, and in units of two dollars
    for unit in [1.0, 2.0] {
        let reserves = |seen: Seen| scene.scorer.places.reserves(&asset, Input::Known(unit), seen.assessment);
        let Reserves { fee, sold, paid } = scene.seen(reserves).expect("it is named");
        [(fee, 0.003), (sold, 100.0 / unit), (paid, 90.0 / unit)].into_iter().for_each(|(input, by)| near(input, by));
    }
    let told = scene.seen(|seen| scene.scorer.place(&asset, seen.assessment)).expect("it is named");
    let worse = "takes 0 dollars within 2 %, fee 30.0 bps, pays 10.0 % less than agreed";
    assert_eq!(told, format!("pool {}: {worse}", key(POOL)));
    // more than a tenth is lost, of a bonus of 8 %
    let part = *scene.score(&vault).part(Hazard::Liquidity);
    assert!(!part.is_missing && part.probability > 0.6 && part.probability < 0.8, "{part:?}");
    scene.put_pool([100_000_000, 100_000_000], SLOT + 1);
    scene.see(1_000, NOW + 1);
    for subject in [asset, vault] {
        // 0.003 + 0.8424 / 100.8424 is 1.1 %: 3.3 deviations of 0.6 below the bonus
        let part = *scene.score(&subject).part(Hazard::Liquidity);
        assert!(!part.is_missing && part.probability > 1e-4 && part.probability < 1e-3, "{part:?}");
    }
    let placed = scene.seen(|seen| scene.scorer.placed(&vault, seen)).expect("a position");
    let against_depth = placed.against_depth.expect("the pool tells it");
    assert!((against_depth - 0.78 * 49.0 / 100.0).abs() < 1e-6, "{against_depth}");
    let told = scene.seen(|seen| scene.scorer.place(&asset, seen.assessment)).expect("it is named");
    assert_eq!(told, format!("pool {}: takes 2 dollars within 2 %, fee 30.0 bps", key(POOL)));
}

#[test]
fn pool_that_is_unknown_leaves_liquidity_missing_whatever_the_operator_says() {
    let mut scene = scene();
    let [asset, vault] = [scene.world.asset_keys[0], scene.world.vault_key];
    let accounts = |scene: &Scene| scene.scorer.accounts(&scene.store);
    assert_eq!((scene.held(SLOT), accounts(&scene)), (Err(PlaceError::Unknown), vec![key(POOL)]));
    scene.see(1_000, NOW);
    assert!(scene.score(&vault).part(Hazard::Liquidity).is_missing);
    assert_eq!(scene.seen(|seen| scene.scorer.placed(&vault, seen)).expect("a position").against_depth, None);
    let told = scene.seen(|seen| scene.scorer.place(&asset, seen.assessment)).expect("it is named");
    assert_eq!(told, format!("pool {}: unknown: it or an account of its tokens doesn't exist", key(POOL)));
    scene.put_raw(POOL, pool(key(20), key(21)), SLOT);
    assert_eq!(accounts(&scene), [POOL, TOKENS[0], TOKENS[1]].map(key));
    assert_eq!(scene.held(SLOT), Err(PlaceError::Unknown), "the accounts of its tokens");
    scene.put_pool([1, 1], SLOT + 1);
    assert_eq!(scene.held(SLOT + 1), Ok(()));
    assert_eq!(scene.held(SLOT + 1 + STALE_SLOTS), Ok(()));
    assert_eq!(scene.held(SLOT + 2 + STALE_SLOTS), Err(PlaceError::Stale));
    scene.put_raw(POOL, pool(key(21), key(22)), SLOT + 2);
    assert_eq!(scene.held(SLOT + 2), Err(PlaceError::OtherAsset));
    scene.put_raw(POOL, vec![0; 324], SLOT + 3);
    let unsupported = PlaceError::Unsupported("it is no open pool of version 1");
    assert_eq!(scene.held(SLOT + 3), Err(unsupported));
    let mut takes_all = pool(key(20), key(21));
    takes_all[227..235].copy_from_slice(&10_000u64.to_le_bytes());
    scene.put_raw(POOL, takes_all, SLOT + 4);
    assert_eq!(scene.held(SLOT + 4), Err(PlaceError::Unsupported("its fees take all")));
}
