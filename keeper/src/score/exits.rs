//! What would have to be sold, and what the market takes.

use super::Seen;
use super::place::Places;
use super::readings::{Priced, dollars};
use crate::config::{MarketSettings, ScoreSettings};
use crate::watch::index::threshold;
use anchor_lang::prelude::Pubkey;
use rampart::math::Price;
use rampart::state::Vault;
use rampart_score::hazard::Place;
use rampart_score::input::Input;
use rampart_score::state::Composition;
use std::collections::BTreeMap;

/// The fall within which debt counts as about to be liquidated, bps.
pub(super) const NEAR_BPS: u128 = 500;
/// The most positions of a vault that are looked at to say how its debt is placed, those nearest to their line first.
const POSITIONS_MAX: usize = 20_000;

/// The way out of a subject's collateral.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exits {
    /// Collateral that liquidations would sell after a small fall, in units of the subject's price.
    pub size: Input,
    /// Where it is sold.
    pub place: Place,
}

/// What is known of where collateral is sold.
#[derive(Clone, Copy)]
pub(super) struct Market<'a> {
    /// What the operator knows.
    pub settings: &'a ScoreSettings,
    /// The pools that the operator named.
    pub places: &'a Places,
}

impl Market<'_> {
    fn of(&self, asset: &Pubkey) -> Option<&MarketSettings> {
        self.settings.market.iter().find(|market| market.asset == *asset)
    }

    /// What a pool holds is seen, and counts alone where one is named. Volume and spread are the operator's: no account on chain
    /// tells them. With neither they are missing, which raises the score.
    fn place(&self, priced: &Priced, seen: Seen) -> Place {
        let reserves = |asset| self.places.reserves(&asset, priced.unit, seen.assessment);
        if let Some(reserves) = priced.collateral.and_then(reserves) {
            return Place::Pool(reserves);
        }
        let market = priced.collateral.and_then(|asset| self.of(&asset));
        let volume_day: Input = market.and_then(|market| market.volume_day_usd).map(|usd| usd as f64).into();
        let spread = market.and_then(|market| market.spread_bps).map(|bps| f64::from(bps) / 10_000.0).into();
        Place::Books { volume_day: in_units(volume_day, priced.unit), spread }
    }

    /// Returns what an asset's market takes within 2 %, US dollars: by its pool, else of books by the square-root law, which at a
    /// volatility of 4 % a day is a quarter of a day's volume.
    pub(super) fn depth(&self, asset: &Pubkey, seen: Seen) -> Option<f64> {
        match self.places.depth(asset, seen.assessment) {
            Some(depth) => depth.known(),
            None => self.of(asset)?.volume_day_usd.map(|usd| usd as f64 / 4.0),
        }
    }
}

/// Of an asset that no vault takes nothing is ever sold.
pub(super) fn of(priced: &Priced, market: Market, near: &BTreeMap<Pubkey, f64>, seen: Seen) -> Exits {
    let sold = |vault: Pubkey| -> Input { near.get(&vault).map(|debt| debt * (1.0 + priced.bonus)).into() };
    let size = priced.vault.map_or(Input::NotApplicable, |vault| in_units(sold(vault), priced.unit));
    Exits { size, place: market.place(priced, seen) }
}

/// Dollars in units of which one costs `unit` dollars.
fn in_units(dollars: Input, unit: Input) -> Input {
    dollars.known().zip(unit.known()).map(|(dollars, unit)| dollars / unit).into()
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
    /// The debt that a fall of 10 % puts up for liquidation over what the market takes within 2 %; nothing where that isn't known.
    pub against_depth: Option<f64>,
}

/// Adds up the debt of a vault; nothing without a price, or before the first position.
pub(super) fn placed(vault: &Pubkey, market: Market, seen: Seen) -> Option<Placed> {
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
    let depth = market.depth(&books.collateral_asset, seen);
    let against_depth = depth.and_then(|depth| composition.against_depth(depth));
    Some(Placed { composition, is_whole: index.len() <= POSITIONS_MAX, against_depth })
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
