//! Trades at the pool until its price is the market's, as arbitrage does.

use crate::error::Outcome;
use crate::network::{Landing, Network};
use crate::world::{Coin, World, params};
use rampart_client::Instruction;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// A gap that is left alone: what the pool's fees would take, share.
const LEFT_ALONE: f64 = 0.003;

/// Somebody with tokens of both kinds.
#[derive(Default)]
pub struct Maker {
    under_way: Option<JoinHandle<Outcome<Landing>>>,
}

impl Maker {
    /// Brings the pool, which holds `held` of SOL and USDC, to the market's price; one trade at a time.
    pub fn trade(&mut self, network: &Arc<Network>, world: &Arc<World>, held: [u64; 2], usd: [f64; 3]) {
        if self.under_way.as_ref().is_some_and(|trade| !trade.is_finished()) {
            return;
        }
        let Some(instruction) = trade(world, held, usd) else { return };
        let (network, world) = (Arc::clone(network), Arc::clone(world));
        // one that is refused is tried anew with what the pool holds then
        self.under_way = Some(tokio::spawn(async move {
            network.send(&[instruction], &[world.cast.maker.pair()]).await.map(|(_, landing)| landing)
        }));
    }

    /// Waits for what is under way.
    pub async fn finish(&mut self) {
        if let Some(trade) = self.under_way.take() {
            let _ = trade.await;
        }
    }
}

fn trade(world: &World, held: [u64; 2], usd: [f64; 3]) -> Option<Instruction> {
    let (side, amount) = step(held, usd)?;
    let maker = world.cast.maker.key();
    let [sol, usdc] = params::BASKET.map(|coin| world.token(&maker, coin));
    let pair = if side == 0 { (sol, usdc) } else { (usdc, sol) };
    Some(world.pool.swap(maker, pair, side, amount))
}

/// Which side is sold to a pool of a constant product that holds `held`, and how much; nothing within its fees.
fn step(held: [u64; 2], usd: [f64; 3]) -> Option<(usize, u64)> {
    // made-up trades, not accounting: floats become integers here and saturate
    let [sol, usdc] = held.map(|amount| amount as f64);
    let unit = |coin: Coin| usd[coin.index()] / 10f64.powi(i32::from(coin.decimals()));
    let fair = unit(Coin::Sol) / unit(Coin::Usdc);
    let gap = usdc / sol / fair - 1.0;
    if gap.is_nan() || gap.abs() <= LEFT_ALONE {
        return None;
    }
    let wanted_sol = (sol * usdc / fair).sqrt();
    Some(if gap > 0.0 { (0, (wanted_sol - sol) as u64) } else { (1, (sol * usdc / wanted_sol - usdc) as u64) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trade_brings_the_pool_to_the_markets_price_from_either_side() {
        // 1,000 SOL and 150,000 USDC
        let held = [1_000_000_000_000, 150_000_000_000];
        let price = |[sol, usdc]: [u64; 2]| usdc as f64 / sol as f64 * 1_000.0;
        assert_eq!(step(held, [150.3, 0.0, 1.0]), None);
        for market in [120.0, 180.0] {
            let (side, amount) = step(held, [market, 0.0, 1.0]).unwrap();
            let mut after = held;
            after[side] += amount;
            after[1 - side] = (u128::from(held[0]) * u128::from(held[1]) / u128::from(after[side])) as u64;
            assert!((price(after) / market - 1.0).abs() < 1e-6, "{market}: {}", price(after));
        }
    }
}
