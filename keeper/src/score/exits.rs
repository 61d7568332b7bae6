//! What would have to be sold, and what the market takes.

use super::Seen;
use super::readings::{Priced, dollars};
use crate::config::ScoreSettings;
use crate::watch::index::threshold;
use anchor_lang::prelude::Pubkey;
use rampart::math::Price;
use rampart::state::Vault;
use rampart_score::input::Input;
use std::collections::BTreeMap;

/// The fall within which debt counts as about to be liquidated, bps.
pub(super) const NEAR_BPS: u128 = 500;

/// The way out of a subject's collateral.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Exits {
    /// Collateral that liquidations would sell after a small fall, US dollars.
    pub size: Input,
    /// What is traded of it within a day, US dollars.
    pub volume_day: Input,
    /// Spread, share.
    pub spread: Input,
}

/// Volume and spread are the operator's: no account on chain tells them. Unset, they are missing, which raises the score.
pub(super) fn of(priced: &Priced, settings: &ScoreSettings, near: &BTreeMap<Pubkey, f64>) -> Exits {
    let market = settings.market.iter().find(|market| Some(market.asset) == priced.collateral);
    Exits {
        size: priced.vault.and_then(|vault| near.get(&vault)).map(|debt| debt * (1.0 + priced.bonus)).into(),
        volume_day: market.map(|market| market.volume_day_usd as f64).into(),
        spread: market.map(|market| f64::from(market.spread_bps) / 10_000.0).into(),
    }
}

/// Returns the debt of a vault whose line lies within a fall of `fall_bps`, US dollars; nothing without a price.
pub(super) fn near(vault: &Pubkey, seen: Seen, fall_bps: u128) -> Option<f64> {
    let report = seen.assessment.vaults.get(vault)?;
    let (pair, _) = report.pair.ok()?;
    let fallen = Price::from_q64(pair.lo.q64() / 10_000 * (10_000 - fall_bps)).ok()?;
    let books = &report.accrued;
    let line = threshold(fallen, books.borrow_index_q64.get(), books.risk.liquidation_line_bps);
    let keys = seen.index.vault(vault).into_iter().flat_map(|index| index.candidates(line));
    let debts = keys.filter_map(|key| books.debt_of(seen.store.position(&key)?).ok());
    worth(debts.map(|amount| amount as f64).sum(), books, seen)
}

/// Returns the whole debt of a vault, US dollars; nothing without a price.
pub(super) fn debt(vault: &Pubkey, seen: Seen) -> Option<f64> {
    let books = &seen.assessment.vaults.get(vault)?.accrued;
    worth(books.debt_amount().ok()? as f64, books, seen)
}

fn worth(amount: f64, books: &Vault, seen: Seen) -> Option<f64> {
    let loan = dollars(seen.assessment.assets.get(&books.loan_asset)?.band.ok()?.mid);
    Some(amount / 10f64.powi(i32::from(books.loan_decimals)) * loan)
}
