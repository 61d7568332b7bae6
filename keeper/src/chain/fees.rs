//! What others pay for the accounts that the keeper writes.
//!
//! Asked for account by account, for the method tells of transactions that wrote all of the accounts named. Three of four
//! recent slots paid no more than what is taken. Nothing here is a bound: floor and cap of each class are the planner's.

use crate::chain::pool::Pool;
use crate::chain::rpc::RpcError;
use crate::metrics::Metrics;
use crate::watch::feeds::WatchSet;
use anchor_lang::prelude::Pubkey;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often some accounts are asked for, and how many.
const PERIOD: Duration = Duration::from_secs(2);
const ACCOUNTS: usize = 4;
/// Accounts that are asked for in turn.
const WATCHED: usize = 64;
/// Pause where no endpoint serves the method.
const UNSERVED: Duration = Duration::from_secs(300);
/// The share of slots, in percent, that paid no more.
const PERCENTILE: usize = 75;

/// Micro-lamports per compute unit, by written account.
pub type Market = Arc<HashMap<Pubkey, u64>>;

/// Asks until it is told to stop.
pub async fn run(
    pool: Arc<Pool>,
    set: watch::Receiver<Arc<WatchSet>>,
    market: watch::Sender<Market>,
    metrics: Metrics,
    stop: CancellationToken,
) {
    let mut turn = 0;
    loop {
        let watched = set.borrow().clone();
        let pause = match ask(&pool, &watched, turn, &market).await {
            Err(RpcError::Request { source, .. }) if source.is_unserved() => UNSERVED,
            _ => PERIOD,
        };
        let highest = market.borrow().values().max().copied().unwrap_or(0);
        metrics.market_price.set(i64::try_from(highest).unwrap_or(i64::MAX));
        turn += 1;
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => return,
        }
    }
}

async fn ask(pool: &Pool, set: &WatchSet, turn: usize, market: &watch::Sender<Market>) -> Result<(), RpcError> {
    // what others write too: the guard's own accounts, not oracles and wallets
    let accounts: Vec<Pubkey> =
        set.accounts.iter().filter(|key| !set.raw.contains(key)).take(WATCHED).copied().collect();
    for account in accounts.iter().cycle().skip(turn * ACCOUNTS % accounts.len().max(1)).take(ACCOUNTS) {
        let price = percentile(pool.recent_fees(account).await?);
        market.send_modify(|market| {
            let market = Arc::make_mut(market);
            market.insert(*account, price);
            market.retain(|known, _| set.accounts.contains(known));
        });
    }
    Ok(())
}

pub(crate) fn percentile(mut fees: Vec<u64>) -> u64 {
    fees.sort_unstable();
    fees.get(fees.len() * PERCENTILE / 100).or(fees.last()).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_of_four_slots_paid_no_more() {
        assert_eq!(percentile(vec![]), 0);
        assert_eq!(percentile(vec![7]), 7);
        assert_eq!(percentile(vec![0, 0, 0, 0]), 0);
        assert_eq!(percentile(vec![400, 100, 300, 200]), 400);
        assert_eq!(percentile((0..100).collect()), 75);
    }
}
