//! When each line of defence acted: read off the chain's accounts at every point of the market.

use crate::watch::Snapshot;
use crate::world::VAULTS;
use crate::world::params::USDC;
use rampart_score::band::{Band, Bands};
use serde::Serialize;

/// One line of defence, from the first time it acted on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Seconds since the story's start.
    pub at_secs: i64,
    /// Which.
    pub what: String,
    /// What it came to.
    pub detail: String,
}

/// What accounts show of the lines of defence; liquidations and trips are in the ledger.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    /// Bands that the median of a collateral's score was in at first and has entered since, each with when and at which score.
    bands: Vec<(usize, Band, i64, u16)>,
    /// The limit on new risk of each vault that was scaled: when first, and the lowest with when.
    scaled: [Option<(i64, u16, i64)>; VAULTS.len()],
    /// Swaps of the basket: when, SOL sold (bought where negative) and USDC received, base units.
    swaps: Vec<(i64, i128, i128)>,
}

impl Lines {
    /// Takes one look; `medians` are the scores of the collaterals.
    pub fn look(&mut self, before: &Snapshot, now: &Snapshot, medians: [Option<u16>; VAULTS.len()], at_secs: i64) {
        for (vault, median) in medians.into_iter().enumerate() {
            let Some(bps) = median else { continue };
            let band = Bands::default().entered(bps);
            let is_new = self.bands.iter().all(|(of, known, ..)| *of != vault || band > *known);
            if is_new {
                self.bands.push((vault, band, at_secs, bps));
            }
        }
        for (vault, scaled) in self.scaled.iter_mut().enumerate() {
            let ltv_bps = now.ltv_for_new_risk(vault);
            if ltv_bps < now.vaults[vault].risk.ltv_bps {
                let (first, lowest, when) = scaled.unwrap_or((at_secs, ltv_bps, at_secs));
                *scaled = Some(if ltv_bps < lowest { (first, ltv_bps, at_secs) } else { (first, lowest, when) });
            }
        }
        if now.policy.counter > before.policy.counter {
            let ([sol, usdc], [sol_now, usdc_now]) = (before.basket(), now.basket());
            self.swaps.push((at_secs, i128::from(sol) - i128::from(sol_now), i128::from(usdc_now) - i128::from(usdc)));
        }
    }

    /// Returns the lines that accounts show.
    pub fn lines(&self, end: &Snapshot) -> Vec<Line> {
        let bands = self.bands.iter().map(|(vault, band, at_secs, bps)| Line {
            at_secs: *at_secs,
            what: format!("score of {} in band {}", VAULTS[*vault].symbol(), format!("{band:?}").to_lowercase()),
            detail: format!("{}, median of the keepers' reports", percent((*bps).into())),
        });
        let scaled = self.scaled.iter().enumerate().filter_map(|(vault, scaled)| {
            let (at_secs, lowest, when) = (*scaled)?;
            let full = percent(end.vaults[vault].risk.ltv_bps.into());
            Some(Line {
                at_secs,
                what: format!("loan-to-value for new risk, {}", VAULTS[vault].symbol()),
                detail: format!("below {full} by volatility, lowest {} in second {when}", percent(lowest.into())),
            })
        });
        bands.chain(scaled).chain(self.hedge(end)).collect()
    }

    fn hedge(&self, end: &Snapshot) -> Option<Line> {
        let sales: Vec<_> = self.swaps.iter().filter(|(_, sold, _)| *sold > 0).collect();
        let (at_secs, ..) = sales.first()?;
        let (sold, received) = sales.iter().fold((0, 0), |sum, sale| (sum.0 + sale.1, sum.1 + sale.2));
        let bought = self.swaps.len() - sales.len();
        Some(Line {
            at_secs: *at_secs,
            what: "hedge of the reserve".to_owned(),
            detail: format!(
                "{} swaps, {} SOL for {} USDC, {} USDC lost to prices and fees in all; bought back {bought} times",
                sales.len(),
                sold / 1_000_000_000,
                received / i128::from(USDC),
                end.policy.lost_micro_usd / USDC,
            ),
        })
    }
}

fn percent(bps: u64) -> String {
    format!("{}.{:02} %", bps / 100, bps % 100)
}
