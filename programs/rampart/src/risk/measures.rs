//! One reader for each metric.
//!
//! A measure that can narrow exits is taken at the end of the price band that favours the owner: a wide confidence never
//! fakes a breach. What it may hide is caught by the rule on the confidence itself.

use crate::constants::HOUR_SECS;
use crate::error::RampartError;
use crate::math::{Bps, Price};
use crate::oracle::{AssetReading, PriceBand};
use crate::risk::health::PairBand;
use crate::risk::keepers::Poll;
use crate::risk::verdict::{Unknown, Verdict};
use crate::state::asset::{Peg, ReferenceSpan};
use crate::state::oracle_set::Pin;
use crate::state::rule::{Metric, Rule, RuleParams};
use crate::state::{Asset, Holding, Integration, Level, ReportPart, Vault};

/// A verdict and the publish time of the data behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    /// What the rule comes to.
    pub verdict: Verdict,
    /// The oldest publish time of the agreeing sources, or the clock for metrics without a price, unix seconds.
    pub publish_ts: i64,
    /// The reference that a deviation was measured against.
    pub reference: Option<Price>,
}

impl Measured {
    fn at(verdict: Verdict, publish_ts: i64) -> Self {
        Self { verdict, publish_ts, reference: None }
    }
}

/// Measures a metric about an asset and judges it.
///
/// # Errors
/// `UnknownKind` for a metric that is not about an asset.
pub fn asset(rule: &Rule, asset: &Asset, reading: &AssetReading, now_ts: i64) -> Result<Measured, RampartError> {
    let (params, set) = (&rule.params, &asset.oracle);
    let known = |value: Option<Bps>| value.map(|bps| bps.0.into()).ok_or(Unknown::Price);
    let unpriced = match Metric::try_from(params.metric)? {
        Metric::OracleAge => Some(oracle_age(asset, reading, now_ts)),
        Metric::ConfidenceRatio => Some(known(reading.confidence_bps(set, now_ts))),
        Metric::SourceDisagreement => Some(known(reading.disagreement_bps(set, now_ts))),
        _ => None,
    };
    if let Some(measured) = unpriced {
        return Ok(Measured::at(params.judge_measured(measured), now_ts));
    }
    let agreed = reading.band(set, now_ts).and_then(|b| b.require_sources(params.sources_required).map(|()| b));
    match agreed {
        Ok(band) => priced(rule, asset, &band, now_ts),
        Err(error) => Ok(Measured::at(Verdict::Indeterminate(error.into()), now_ts)),
    }
}

/// Measures a metric that needs an agreed price.
fn priced(rule: &Rule, asset: &Asset, band: &PriceBand, now_ts: i64) -> Result<Measured, RampartError> {
    let params = &rule.params;
    let mut reference = None;
    let measured = match Metric::try_from(params.metric)? {
        Metric::Drawdown => drawdown(asset, band, params.window_secs, now_ts),
        Metric::RealizedVolatility => asset.window.volatility(params.window_secs, now_ts).ok_or(Unknown::Coverage),
        Metric::DeviationFromReference => {
            reference = reference_of(rule, asset, now_ts)?;
            reference.map(|price| gap(price, band)).ok_or(Unknown::Reference)
        }
        Metric::PegDeviation => Peg::try_from(asset.peg)?.price().map(|peg| gap(peg, band)).ok_or(Unknown::Nothing),
        _ => return Err(RampartError::UnknownKind),
    };
    let verdict = params.judge_measured(measured.map(|value| value.0.into()));
    Ok(Measured { verdict, publish_ts: band.oldest_publish_ts(), reference })
}

/// Measures the growth of an asset's supply and judges it. A fall is no growth.
pub fn supply(params: &RuleParams, asset: &Asset, supply_amount: u64, now_ts: i64) -> Measured {
    let growth = asset.supply_reference(now_ts).map_err(|_| Unknown::Reference).map(|reference| {
        let grown = supply_amount.saturating_sub(reference);
        if grown == 0 { 0 } else { Bps::ratio_ceil(grown.into(), reference.into()).0.into() }
    });
    Measured::at(params.judge_measured(growth), now_ts)
}

/// Measures a metric about a vault and judges it. `pair` is needed for the collateral ratio alone.
///
/// # Errors
/// `UnknownKind` for a metric that is not about a vault, `MathOverflow`.
pub fn vault(
    params: &RuleParams,
    vault: &Vault,
    pair: Result<(PairBand, i64), RampartError>,
    now_ts: i64,
) -> Result<Measured, RampartError> {
    let hours = params.window_secs.div_ceil(HOUR_SECS as u32);
    let overflow = |_| RampartError::MathOverflow;
    let value = match Metric::try_from(params.metric)? {
        Metric::OutflowRate => vault.loan_flow.outflow_bps(hours, &vault.limits.loan_flow, now_ts),
        Metric::InflowRate => vault.inflow_bps(hours, now_ts),
        Metric::Utilisation => vault.utilisation().map_err(overflow)?,
        Metric::ReserveCover => vault.reserve_cover().map_err(overflow)?,
        Metric::CollateralRatio => return Ok(collateral_ratio(params, vault, pair, now_ts)),
        _ => return Err(RampartError::UnknownKind),
    };
    Ok(Measured::at(params.judge(value.0.into()), now_ts))
}

/// Measures a metric about what keepers report and judges it.
///
/// # Errors
/// `UnknownKind` for a metric or a part that isn't the keepers'.
pub fn reported(params: &RuleParams, poll: &Poll, now_ts: i64) -> Result<Measured, RampartError> {
    let part = ReportPart::try_from(params.part)?;
    let measured = match Metric::try_from(params.metric)? {
        Metric::KeeperMedian => poll.median(part.danger_side(), params.level >= Level::ReduceOnly as u8).map(u64::from),
        Metric::KeeperSpread => poll.spread().map(u64::from),
        Metric::KeeperSilence => Ok(poll.silence_secs()),
        _ => return Err(RampartError::UnknownKind),
    };
    // silence lasts on without a newer report
    let is_silence = params.metric == Metric::KeeperSilence as u8;
    let publish_ts = if is_silence { now_ts } else { poll.heard_ts() };
    Ok(Measured::at(params.judge_measured(measured), publish_ts))
}

/// Measures what can't leave a vault of what its books say, in its accounts of the loan and of the collateral.
pub fn shortfall(params: &RuleParams, vault: &Vault, loan: Holding, collateral: Holding, now_ts: i64) -> Measured {
    let missing = loan.missing(vault.cash_amount).max(collateral.missing(vault.collateral_amount));
    Measured::at(params.judge(missing.0.into()), now_ts)
}

/// Measures the outflow of an integration and judges it.
///
/// # Errors
/// `UnknownKind` for any other metric.
pub fn integration(params: &RuleParams, integration: &Integration, now_ts: i64) -> Result<Measured, RampartError> {
    if Metric::try_from(params.metric)? != Metric::OutflowRate {
        return Err(RampartError::UnknownKind);
    }
    let hours = params.window_secs.div_ceil(HOUR_SECS as u32);
    let left = integration.flow.outflow_bps(hours, &integration.caps, now_ts);
    Ok(Measured::at(params.judge(left.0.into()), now_ts))
}

fn collateral_ratio(
    params: &RuleParams,
    vault: &Vault,
    pair: Result<(PairBand, i64), RampartError>,
    now_ts: i64,
) -> Measured {
    let unknown = |reason| Measured::at(Verdict::Indeterminate(reason), now_ts);
    let (band, publish_ts) = match pair {
        Ok(pair) => pair,
        Err(error) => return unknown(error.into()),
    };
    if band.sources < params.sources_required {
        return unknown(Unknown::Price);
    }
    let (Ok(debt), Some(value)) = (vault.debt_amount(), band.hi.value_floor(vault.collateral_amount.into())) else {
        return unknown(Unknown::Nothing);
    };
    // no debt saturates: more than enough collateral
    let ratio = Bps::ratio_floor(value, debt.into());
    Measured::at(params.judge(ratio.0.into()), publish_ts)
}

/// Age of the newest set of sources that is large enough; nothing decodable is older than any limit.
///
/// Unknown where too few sources are pinned by address: the caller chooses the others' accounts, and could choose old ones.
fn oracle_age(asset: &Asset, reading: &AssetReading, now_ts: i64) -> Result<u64, Unknown> {
    let set = &asset.oracle;
    let pinned = set.active().iter().filter(|s| s.pin == Pin::Account as u8).count();
    if pinned < usize::from(set.required) {
        return Err(Unknown::Price);
    }
    Ok(reading.age_secs(set, now_ts).unwrap_or(u64::from(u32::MAX)))
}

/// Fall from the window's high; at least half of the window's cells must hold observations.
fn drawdown(asset: &Asset, band: &PriceBand, window_secs: u32, now_ts: i64) -> Result<Bps, Unknown> {
    let view = asset.window.view(window_secs, now_ts).ok_or(Unknown::Coverage)?;
    if view.covered_cells * 2 < view.span_cells {
        return Err(Unknown::Coverage);
    }
    Ok(band.hi.drawdown_from(view.high))
}

/// The reference that `rule` holds, else the asset's of the rule's span; `None` where that is cold or too old.
fn reference_of(rule: &Rule, asset: &Asset, now_ts: i64) -> Result<Option<Price>, RampartError> {
    let span = ReferenceSpan::try_from(rule.params.reference_span)?;
    Ok(rule.held_reference(now_ts).or_else(|| asset.reference_of(span, now_ts).ok()))
}

/// The gap between `reference` and the nearest end of the band: a wide confidence fakes no breach.
fn gap(reference: Price, band: &PriceBand) -> Bps {
    Price::deviation(reference.clamp(band.lo, band.hi), reference)
}
