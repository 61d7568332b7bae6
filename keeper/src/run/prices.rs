//! Remembers prices for the charts: one sample a second, the last half hour.

use crate::http::{PriceHistory, Sample};
use crate::view::View;
use anchor_lang::prelude::Pubkey;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Samples kept of each asset.
const KEPT: usize = 1_800;

/// Samples by asset.
#[derive(Debug, Default)]
pub struct Prices {
    samples: Mutex<HashMap<Pubkey, VecDeque<Sample>>>,
}

impl Prices {
    /// Takes a sample of every asset of `view`, unless the chain's clock has not moved since the last.
    pub fn record(&self, view: &View) {
        let mut samples = self.samples();
        for asset in &view.assets {
            let Ok(key) = asset.address.parse() else { continue };
            let of_asset: &mut VecDeque<Sample> = samples.entry(key).or_default();
            if of_asset.back().is_some_and(|last| last.ts >= view.chain.unix_ts) {
                continue;
            }
            if of_asset.len() == KEPT {
                of_asset.pop_front();
            }
            of_asset.push_back(Sample {
                ts: view.chain.unix_ts,
                price: asset.price.mid.clone(),
                reference: asset.reference.price.clone(),
                lo: asset.price.lo.clone(),
                hi: asset.price.hi.clone(),
            });
        }
        samples.retain(|key, _| view.assets.iter().any(|asset| asset.address == key.to_string()));
    }

    fn samples(&self) -> MutexGuard<'_, HashMap<Pubkey, VecDeque<Sample>>> {
        self.samples.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PriceHistory for Prices {
    fn samples(&self, asset: &Pubkey) -> Option<Vec<Sample>> {
        Prices::samples(self).get(asset).map(|samples| samples.iter().cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{AssetView, ChainView};
    use crate::watch::testing::key;

    fn view(ts: i64) -> View {
        let asset = AssetView { address: key(1).to_string(), ..AssetView::default() };
        View { assets: vec![asset], chain: ChainView { slot: 1, unix_ts: ts }, ..View::default() }
    }

    #[test]
    fn one_sample_a_second_is_kept_up_to_the_limit() {
        let prices = Prices::default();
        for ts in 0..KEPT as i64 + 10 {
            prices.record(&view(ts));
            prices.record(&view(ts));
        }
        let samples = PriceHistory::samples(&prices, &key(1)).unwrap();
        assert_eq!((samples.len(), samples[0].ts, samples[KEPT - 1].ts), (KEPT, 10, KEPT as i64 + 9));
        assert_eq!(PriceHistory::samples(&prices, &key(2)).map(|s| s.len()), None);
    }
}
