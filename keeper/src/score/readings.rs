//! From assessed accounts to what the engine reads.

use super::Seen;
use super::exits::Exits;
use anchor_lang::prelude::Pubkey;
use rampart::math::Price;
use rampart::oracle::{AssetReading, RateReading};
use rampart::state::{Asset, Vault};
use rampart_score::engine::Readings;
use rampart_score::input::Input;
use rampart_score::state::{FlowReading, Operations, Stress};
use std::collections::BTreeMap;

/// What was heard of assets before it is on chain, US dollars before their exchange rate.
pub(super) type Heard = BTreeMap<Pubkey, Vec<Price>>;

/// Buffer and bonus of an asset that no vault takes: those of the engine's defaults.
const PLAIN: (f64, f64) = (0.10, 0.05);

/// One subject at one moment.
#[derive(Clone, Debug)]
pub(super) struct Priced {
    /// The asset or vault.
    pub subject: Pubkey,
    /// The asset that would be sold.
    pub collateral: Option<Pubkey>,
    /// The vault whose flows and positions count: the subject, or the one with most debt behind the asset.
    pub vault: Option<Pubkey>,
    /// The asset in whose tokens the price is; none for US dollars.
    pub quote: Option<Pubkey>,
    /// What one of that costs, US dollars.
    pub unit: Input,
    /// The fall that turns the marginal debt bad, share.
    pub buffer: f64,
    /// The largest liquidation bonus, share.
    pub bonus: f64,
    /// The agreed price: US dollars for an asset, loan tokens for a vault.
    pub price: Input,
    ts: i64,
    confidence: Input,
    age_secs: Input,
    twap: Input,
    venues: Vec<Input>,
    withdrawable: Input,
}

/// Returns a price as a number.
pub(super) fn dollars(price: Price) -> f64 {
    price.q64() as f64 / 2f64.powi(64)
}

/// Reads an asset.
pub(super) fn of_asset(key: &Pubkey, seen: Seen, heard: &Heard) -> Priced {
    let (report, now_ts) = (&seen.assessment.assets[key], seen.assessment.now.unix_ts);
    let asset = seen.store.asset(key);
    let of_asset = seen.assessment.vaults.iter().filter(|(_, vault)| vault.accrued.collateral_asset == *key);
    let largest = of_asset.max_by_key(|(_, vault)| vault.accrued.debt_amount().unwrap_or(u64::MAX));
    let (buffer, bonus) = largest.map_or(PLAIN, |(_, vault)| bounds(&vault.accrued));
    let read = asset.zip(report.reading.as_ref().ok());
    let heard = heard.get(key).map_or(&[][..], Vec::as_slice);
    let venues = read.map(|(asset, reading)| venues(asset, reading, heard));
    let band = report.band.ok();
    Priced {
        subject: *key,
        collateral: Some(*key),
        vault: largest.map(|(key, _)| *key),
        quote: None,
        unit: Input::Known(1.0),
        buffer,
        bonus,
        price: band.map(|band| dollars(band.mid)).into(),
        ts: now_ts,
        confidence: band.map(|band| (dollars(band.hi) - dollars(band.lo)) / 2.0).into(),
        age_secs: band
            .map(|band| now_ts.saturating_sub(band.oldest_publish_ts()).max(0) as f64)
            .or_else(|| read.and_then(|(asset, reading)| reading.age_secs(&asset.oracle, now_ts)).map(|age| age as f64))
            .into(),
        twap: asset.and_then(|asset| asset.reference_price(now_ts).ok()).map(dollars).into(),
        venues: venues.unwrap_or_default(),
        withdrawable: largest.map_or(Input::NotApplicable, |(_, vault)| withdrawable(&vault.accrued)),
    }
}

/// What an asset's sources say on chain, and what was heard of them before it is there: each a venue, at the asset's exchange
/// rate as the agreed price is.
pub(super) fn venues(asset: &Asset, reading: &AssetReading, heard: &[Price]) -> Vec<Input> {
    let rate = match reading.rate {
        RateReading::Unrated => Some(1.0),
        RateReading::Rated(rate) => Some(rate.low.numerator as f64 / rate.low.denominator as f64),
        RateReading::Unknown(_) => None,
    };
    let venue = |price: Price| -> Input { rate.map(|rate| rate * dollars(price)).into() };
    let on_chain: Vec<Input> = reading.readings(&asset.oracle).map(|(_, _, reading)| venue(reading.price)).collect();
    let missing = usize::from(asset.oracle.count).saturating_sub(on_chain.len());
    let early = heard.iter().map(|price| venue(*price));
    on_chain.into_iter().chain(std::iter::repeat_n(Input::Missing, missing)).chain(early).collect()
}

/// Reads a vault: the collateral's price in tokens of the loan. Nothing without both of its assets.
pub(super) fn of_vault(key: &Pubkey, seen: Seen, heard: &Heard) -> Option<Priced> {
    let vault = &seen.assessment.vaults[key].accrued;
    seen.assessment.assets.get(&vault.collateral_asset)?;
    let loan = seen.assessment.assets.get(&vault.loan_asset)?.band.ok();
    let collateral = of_asset(&vault.collateral_asset, seen, heard);
    let loan_price: Input = loan.map(|band| dollars(band.mid)).into();
    let quoted = |price: Input| price.known().zip(loan_price.known()).map(|(price, loan)| price / loan).into();
    let (buffer, bonus) = bounds(vault);
    let width = loan.map_or(0.0, |band| (dollars(band.hi) - dollars(band.lo)) / 2.0 / dollars(band.mid));
    let relative = collateral.confidence.known().zip(collateral.price.known()).map(|(c, price)| c / price + width);
    let price: Input = quoted(collateral.price);
    Some(Priced {
        subject: *key,
        vault: Some(*key),
        quote: Some(vault.loan_asset),
        unit: loan_price,
        buffer,
        bonus,
        price,
        confidence: relative.zip(price.known()).map(|(relative, price)| relative * price).into(),
        twap: quoted(collateral.twap),
        venues: collateral.venues.iter().map(|venue| quoted(*venue)).collect(),
        withdrawable: withdrawable(vault),
        ..collateral
    })
}

/// The fall that turns debt at the liquidation line bad once the bonus is paid, and that bonus; shares.
fn bounds(vault: &Vault) -> (f64, f64) {
    let bonus = f64::from(vault.risk.max_bonus_bps) / 10_000.0;
    let buffer = 1.0 - f64::from(vault.risk.liquidation_line_bps) / 10_000.0 * (1.0 + bonus);
    (buffer.clamp(0.01, 0.99), bonus)
}

/// The share of a pool that can be withdrawn; from an empty one nobody can run.
fn withdrawable(vault: &Vault) -> Input {
    let Ok(debt) = vault.debt_amount() else { return Input::Missing };
    let pool = vault.cash_amount as f64 + debt as f64;
    if pool > 0.0 { Input::of(vault.cash_amount as f64 / pool) } else { Input::NotApplicable }
}

/// Returns what the other keepers last said of the subject, while it counts. The keeper's own report is as old as its last
/// change: it disagrees with nobody by it.
pub(super) fn peers(priced: &Priced, seen: Seen) -> Vec<u16> {
    let Some((_, set)) = seen.store.keeper_set() else { return Vec::new() };
    let is_fresh = |observed_at_ts: i64| priced.ts.saturating_sub(observed_at_ts) <= i64::from(set.max_age_secs);
    let about = seen.store.reports().filter(|(_, report)| report.subject == priced.subject && report.seq > 0);
    let others = about.filter(|(_, report)| report.keeper != *seen.signer);
    let fresh = others.filter(|(_, report)| report.set_epoch == set.epoch && is_fresh(report.observed_at_ts));
    fresh.map(|(_, report)| report.parts.score_bps).collect()
}

impl Priced {
    /// Returns the engine's readings. `factor`: how far the majors moved, see the scorer's.
    pub(super) fn readings<'a>(
        &'a self,
        (flow, stress): (Option<&'a FlowReading>, Option<&'a Stress>),
        factor: Input,
        exit: &Exits,
        operations: &'a Operations,
    ) -> Readings<'a> {
        Readings {
            ts: self.ts,
            price: self.price,
            confidence: self.confidence,
            age_secs: self.age_secs,
            twap: self.twap,
            venues: &self.venues,
            factor,
            stress,
            flow,
            withdrawable: self.withdrawable,
            exit_size: exit.size,
            exit_place: exit.place,
            operations,
        }
    }
}
