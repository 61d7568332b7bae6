//! What would have to be sold, and what the market takes.

use super::Seen;
use super::readings::{Priced, dollars};
use crate::config::ScoreSettings;
use crate::watch::index::threshold;
use anchor_lang::prelude::Pubkey;
use rampart::math::Price;
use rampart::state::Vault;
use rampart_score::input::Input;
use rampart_score::state::Composition;
use std::collections::BTreeMap;

/// The fall within which debt counts as about to be liquidated, bps.
pub(super) const NEAR_BPS: u128 = 500;
/// The most positions of a vault that are looked at to say how its debt is placed, those nearest to their line first.
const POSITIONS_MAX: usize = 20_000;

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
/// Of an asset that no vault takes nothing is ever sold.
pub(super) fn of(priced: &Priced, settings: &ScoreSettings, near: &BTreeMap<Pubkey, f64>) -> Exits {
    let market = settings.market.iter().find(|market| Some(market.asset) == priced.collateral);
    let sold = |vault: Pubkey| -> Input { near.get(&vault).map(|debt| debt * (1.0 + priced.bonus)).into() };
    Exits {
        size: priced.vault.map_or(Input::NotApplicable, sold),
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

/// How the debt of a vault is placed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placed {
    /// The debt, position by position, US dollars.
    pub composition: Composition,
    /// Whether it is all of it: of a larger vault those positions are left out that are farthest from their line.
    pub is_whole: bool,
    /// The debt that a fall of 10 % puts up for liquidation over what the books take within 2 %; nothing without
    /// `score.market`.
    pub against_depth: Option<f64>,
}

/// Adds up the debt of a vault; nothing without a price, or before the first position.
pub(super) fn placed(vault: &Pubkey, settings: &ScoreSettings, seen: Seen) -> Option<Placed> {
    let report = seen.assessment.vaults.get(vault)?;
    let ((pair, _), books) = (report.pair.ok()?, &report.accrued);
    let line = threshold(pair.lo, books.borrow_index_q64.get(), books.risk.liquidation_line_bps) as f64;
    let index = seen.index.vault(vault)?;
    let mut composition = Composition::default();
    for key in index.candidates(0).take(POSITIONS_MAX) {
        let crossed_at = index.key(&key)? as f64;
        let amount = seen.store.position(&key).and_then(|position| books.debt_of(position).ok());
        // the price at which it crosses, as a share of the present one, is its key over the line's
        composition.push(worth(amount.unwrap_or(0) as f64, books, seen)?, 1.0 - crossed_at / line);
    }
    let depth = depth(&books.collateral_asset, settings);
    let against_depth = depth.and_then(|depth| composition.against_depth(depth));
    Some(Placed { composition, is_whole: index.len() <= POSITIONS_MAX, against_depth })
}

/// Returns what the books of an asset take within 2 %, US dollars: by the square-root law at a volatility of 4 % a day that is
/// a quarter of a day's volume.
pub(super) fn depth(asset: &Pubkey, settings: &ScoreSettings) -> Option<f64> {
    settings.market.iter().find(|market| market.asset == *asset).map(|market| market.volume_day_usd as f64 / 4.0)
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
