//! What amounts of a vault's two mints, and of fees, are worth.

use crate::assess::Assessment;
use crate::watch::store::Store;
use anchor_lang::prelude::{Pubkey, pubkey};
use rampart::math::Price;
use rampart::risk::health::Side;
use rampart::risk::swap::worth_micro_usd;
use rampart::state::Vault;

/// The mint of wrapped SOL: its price is what fees are reckoned at.
const NATIVE_MINT: Pubkey = pubkey!("So11111111111111111111111111111111111111112");
/// Decimals of SOL.
const SOL_DECIMALS: u8 = 9;

/// Prices of a vault's pair, as the program agrees on them.
#[derive(Clone, Copy, Debug)]
pub struct Market<'a> {
    /// The collateral.
    pub collateral: Side<'a>,
    /// The loan.
    pub loan: Side<'a>,
}

impl<'a> Market<'a> {
    /// Takes the prices of `vault`'s pair; `None` while one isn't agreed on.
    pub fn of(vault: &Vault, assessment: &'a Assessment) -> Option<Self> {
        let band = |key: &Pubkey| assessment.assets.get(key).and_then(|report| report.band.as_ref().ok());
        let side = |key: &Pubkey, decimals: u8| band(key).map(|band| Side { band, decimals });
        Some(Self {
            collateral: side(&vault.collateral_asset, vault.collateral_decimals)?,
            loan: side(&vault.loan_asset, vault.loan_decimals)?,
        })
    }

    /// Returns how many sources agree on each of both prices; the smaller number.
    pub fn sources(&self) -> u8 {
        self.collateral.band.sources.min(self.loan.band.sources)
    }

    /// Returns the older of both publish times, unix seconds.
    pub fn oldest_publish_ts(&self) -> i64 {
        self.collateral.band.oldest_publish_ts().min(self.loan.band.oldest_publish_ts())
    }
}

/// Returns what somebody has who has `amount`: at the middle, rounded down, micro-dollars.
pub fn income(amount: u64, side: &Side<'_>) -> i128 {
    // rounded up by one at most; more than can be counted is nothing that anybody pays
    worth_micro_usd(amount, side.band.mid, side.decimals).map_or(0, |worth| i128::from(worth.saturating_sub(1)))
}

/// Returns what `amount` costs: at the middle, rounded up, micro-dollars; all the world for more than can be counted.
pub fn cost(amount: u64, side: &Side<'_>) -> i128 {
    worth_micro_usd(amount, side.band.mid, side.decimals).map_or(i128::from(u64::MAX), i128::from)
}

/// Returns what `lamports` cost, micro-dollars, rounded up: at the high end of the guard's own price of SOL, else at
/// `sol_micro_usd`.
pub fn fee_micro_usd(lamports: u64, store: &Store, assessment: &Assessment, sol_micro_usd: u64) -> i128 {
    let is_sol = |key: &Pubkey| store.asset(key).is_some_and(|asset| asset.mint == NATIVE_MINT);
    let known = assessment.assets.iter().find(|(key, _)| is_sol(key));
    let price: Option<Price> = known.and_then(|(_, report)| report.band.as_ref().ok()).map(|band| band.hi);
    let at_price = price.and_then(|price| worth_micro_usd(lamports, price, SOL_DECIMALS).ok());
    let assumed = (u128::from(lamports) * u128::from(sol_micro_usd)).div_ceil(1_000_000_000);
    at_price.map_or_else(|| i128::try_from(assumed).unwrap_or(i128::MAX), i128::from)
}
