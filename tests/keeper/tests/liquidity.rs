//! What the reserves of a pool and the trades there make of the risk engine's liquidity.

use crate::quote::swap;
use rampart_keeper::config::{MarketSettings, ScoreSettings};
use rampart_keeper::score::Scorer;
use rampart_keeper_tests::Keeper;
use rampart_tests::World;
use rampart_tests::defaults::{SOL, USDC};
use rampart_tests::swaps::Market;

/// A debt of 10,000 whose line is at 125 dollars, a pool of ten thousand SOL at 128, and a keeper that scores and swaps nowhere.
struct Stage {
    world: World,
    market: Market,
    keeper: Keeper,
}

fn stage(names_pool: bool) -> Stage {
    let mut world = World::with_vault();
    world.lender(1_000_000 * USDC);
    let borrower = world.borrower(100 * SOL, 10_000 * USDC);
    let market = world.market(10_000 * SOL, 1_280_000 * USDC);
    let mut keeper = Keeper::new(&mut world, &[], &[borrower.position]);
    let place = MarketSettings {
        asset: world.keys.collateral_asset,
        pool: names_pool.then_some(market.pool),
        volume_day_usd: (!names_pool).then_some(1_000_000),
        spread_bps: (!names_pool).then_some(60),
        past_file: None,
    };
    let settings = ScoreSettings { market: vec![place], ..ScoreSettings::default() };
    keeper.scorer = Some(Scorer::new(&settings).expect("the model that is built in"));
    Stage { world, market, keeper }
}

impl Stage {
    /// Half an hour later at a price of about 128.
    fn later(&mut self, nth: u32) {
        self.world.advance(1_800);
        self.world.set_prices(128.0 + 0.1 * f64::from(nth % 3), 1.0);
    }

    /// Swaps SOL at the pool: takers sell it, or buy about as much.
    fn trade(&mut self, sol: u64, is_sale: bool) {
        let (collateral, loan) = (self.world.sol, self.world.usdc);
        let (from, to, amount) =
            if is_sale { (collateral, loan, sol * SOL) } else { (loan, collateral, sol * 128 * USDC) };
        swap(&mut self.world, &self.market, from, to, amount).expect("it swaps");
    }

    /// Looks; returns both features of volumes, of the asset and of the vault.
    fn volumes(&mut self) -> [Option<f64>; 4] {
        let keys = [self.world.keys.collateral_asset, self.world.keys.vault];
        let scorer = self.keeper.score(&self.world);
        let [asset, vault] = keys.map(|key| scorer.of(&key).expect("it was seen").said.features);
        let names = ["amihud_log_ratio", "volume_log_ratio"];
        let [[a, b], [c, d]] = [asset, vault].map(|features| names.map(|name| features.get(name)));
        [a, b, c, d]
    }

    /// Looks; returns the probability that an exit costs more than its bonus, nothing where it is missing.
    fn liquidity(&mut self) -> Option<f64> {
        let vault = self.world.keys.vault;
        let score = self.keeper.score(&self.world).of(&vault).expect("it was seen").said.score;
        let part = score.parts.iter().find(|part| part.hazard.name() == "liquidity").expect("one of the seven");
        (!part.is_missing).then_some(part.probability)
    }
}

#[test]
fn trades_at_the_pool_make_the_features_of_volumes_known_after_a_day() {
    let mut known = Vec::new();
    for names_pool in [true, false] {
        let mut s = stage(names_pool);
        for half_hour in 0..60 {
            s.later(half_hour);
            // ten times as much at the end
            s.trade(if half_hour < 54 { 2 } else { 20 }, half_hour % 2 == 0);
            let volumes = s.volumes();
            // the first bar has no state before it, and a bar is closed by the next price: 48 of half an hour
            assert_eq!(volumes.map(|v| v.is_some()), [names_pool && half_hour > 48; 4], "{half_hour}: {volumes:?}");
            known = if names_pool { volumes.to_vec() } else { known };
        }
    }
    let [Some(amihud), Some(volume), ..] = known[..] else { panic!("they are known: {known:?}") };
    assert!(volume > 0.5 && amihud < 0.0, "more is traded than ever: {volume}, {amihud}");
}

#[test]
fn pool_that_is_drained_raises_the_hazard_of_liquidity_and_one_that_is_gone_leaves_it_missing() {
    let mut s = stage(true);
    s.later(0);
    // 10,800 into 1,280,000 at 30 bps is 1.1 %, of a bonus of 8 %
    let calm = s.liquidity().expect("the pool tells it");
    assert!(calm < 0.01, "{calm}");
    s.trade(10_000, true);
    s.later(1);
    let drained = s.liquidity().expect("the pool tells it");
    assert!(drained > 0.99, "it pays a quarter of the price: {drained}");
    s.trade(9_900, false);
    s.later(2);
    let restored = s.liquidity().expect("the pool tells it");
    assert!(restored < 0.01, "{restored}");
    let account = s.world.svm.get_account(&s.market.pool).expect("a pool");
    s.world.put_account(s.market.pool, account.owner, vec![0; account.data.len()]);
    s.later(3);
    assert_eq!(s.liquidity(), None);
}
