//! Which pools of `[[score.market]]` can't be read as a place where the asset is sold.

use super::Finding;
use crate::chain::rpc::{Rpc, RpcError};
use crate::cli::chain::asked;
use crate::config::Config;
use crate::route::token_swap::Pool;
use crate::score::place::{PlaceError, held};
use crate::watch::store::Store;
use solana_sdk::pubkey::Pubkey;
use std::time::Instant;

pub(super) async fn look(rpc: &Rpc, config: &Config) -> Vec<Finding> {
    let markets = config.score.market.iter().filter(|_| config.score.enabled);
    let pools: Vec<_> = markets.filter_map(|market| Some((market, market.pool?))).collect();
    if pools.is_empty() {
        return Vec::new();
    }
    let keys: Vec<Pubkey> = pools.iter().map(|(_, pool)| *pool).collect();
    let assets: Vec<Pubkey> = pools.iter().map(|(market, _)| market.asset).collect();
    match read(rpc, config, &keys, &assets).await {
        Ok((store, slot)) => pools
            .into_iter()
            .map(|(market, pool)| judge(&pool, held(&store, market, &pool, slot).map(|_| ())))
            .collect(),
        Err(source) => vec![Finding::of("score.market", Err(asked("ask for pools", source)))],
    }
}

/// Pools first: they name the accounts of their tokens.
async fn read(rpc: &Rpc, config: &Config, pools: &[Pubkey], assets: &[Pubkey]) -> Result<(Store, u64), RpcError> {
    let (mut store, mut slot) = (Store::new(config.cluster.guard), 0);
    for _ in 0..2 {
        let raw: Vec<Pubkey> = pools.iter().flat_map(|pool| Pool::accounts(&store, pool)).collect();
        store.watch_raw(raw.iter().copied().collect());
        let keys: Vec<Pubkey> = raw.iter().chain(assets).copied().collect();
        let listing = rpc.accounts(&keys).await?;
        slot = listing.slot;
        for update in listing.updates {
            store.apply(update, Instant::now());
        }
    }
    Ok((store, slot))
}

fn judge(pool: &Pubkey, held: Result<(), PlaceError>) -> Finding {
    let name = format!("pool {pool}");
    match held {
        Ok(()) => Finding::ok(name, "tells what is sold there and what a sale costs"),
        Err(error) => {
            let fix =
                "correct `pool` of this `[[score.market]]`, or set `volume_day_usd` and `spread_bps` in its place";
            Finding::warning(name, format!("{error}: the score counts liquidity as missing"), fix)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;
    use crate::watch::testing::key;

    #[test]
    fn pool_that_cannot_be_read_is_named_with_the_reason_and_the_fix() {
        let found = judge(&key(5), Err(PlaceError::OtherAsset));
        let text = "it doesn't hold the asset's mint: the score counts liquidity as missing";
        assert_eq!((found.name, found.state, found.found.as_str()), (format!("pool {}", key(5)), State::Warning, text));
        assert!(found.fix.is_some_and(|fix| fix.starts_with("correct `pool` of this `[[score.market]]`")));
        assert_eq!(judge(&key(5), Ok(())).state, State::Ok);
    }
}
