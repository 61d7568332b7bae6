//! One reader for each metric.
//!
//! A measure that can narrow exits is taken at the end of the price band that favours the owner: a wide confidence never
//! fakes a breach. What it may hide is caught by the rule on the confidence itself.

use crate::constants::HOUR_SECS;
use crate::error::RampartError;
use crate::math::{Bps, Price};
use crate::oracle::{AssetReading, PriceBand};
use crate::risk::health::PairBand;
use crate::risk::verdict::{Unknown, Verdict};
use crate::state::oracle_set::Pin;
use crate::state::rule::{Metric, RuleParams};
use crate::state::{Asset, Integration, Vault};

/// A verdict and the publish time of the data behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    /// What the rule comes to.
    pub verdict: Verdict,
    /// The oldest publish time of the agreeing sources, or the clock for metrics without a price, unix seconds.
    pub publish_ts: i64,
}

/// Measures a metric about an asset and judges it.
///
/// # Errors
/// `UnknownKind` for a metric that is not about an asset.
pub fn asset(
    params: &RuleParams,
    asset: &Asset,
    reading: &AssetReading,
    now_ts: i64,
) -> Result<Measured, RampartError> {
    let set = &asset.oracle;
    let metric = Metric::try_from(params.metric)?;
    if metric == Metric::OracleAge {
        let verdict = oracle_age(asset, reading, now_ts).map(|age_secs| params.judge(age_secs));
        let verdict = verdict.unwrap_or_else(Verdict::Indeterminate);
        return Ok(Measured { verdict, publish_ts: now_ts });
    }
    if metric == Metric::ConfidenceRatio {
        let verdict = match reading.confidence_bps(set, now_ts) {
            Some(ratio) => params.judge(ratio.0.into()),
            None => Verdict::Indeterminate(Unknown::Price),
        };
        return Ok(Measured { verdict, publish_ts: now_ts });
    }
    let agreed = reading.band(set, now_ts).and_then(|b| b.require_sources(params.sources_required).map(|()| b));
    let band = match agreed {
        Ok(band) => band,
        Err(error) => {
            return Ok(Measured { verdict: Verdict::Indeterminate(error.into()), publish_ts: now_ts });
        }
    };
    let measured = match metric {
        Metric::Drawdown => drawdown(asset, &band, params.window_secs, now_ts),
        Metric::DeviationFromReference => deviation(asset, &band, now_ts),
        _ => return Err(RampartError::UnknownKind),
    };
    let verdict = match measured {
        Ok(value) => params.judge(value.0.into()),
        Err(unknown) => Verdict::Indeterminate(unknown),
    };
    Ok(Measured { verdict, publish_ts: band.oldest_publish_ts() })
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
    match Metric::try_from(params.metric)? {
        Metric::OutflowRate => {
            let hours = params.window_secs.div_ceil(HOUR_SECS as u32);
            let left = vault.loan_flow.outflow_bps(hours, &vault.limits.loan_flow, now_ts);
            Ok(Measured { verdict: params.judge(left.0.into()), publish_ts: now_ts })
        }
        Metric::CollateralRatio => Ok(collateral_ratio(params, vault, pair, now_ts)),
        _ => Err(RampartError::UnknownKind),
    }
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
    Ok(Measured { verdict: params.judge(left.0.into()), publish_ts: now_ts })
}

fn collateral_ratio(
    params: &RuleParams,
    vault: &Vault,
    pair: Result<(PairBand, i64), RampartError>,
    now_ts: i64,
) -> Measured {
    let unknown = |reason| Measured { verdict: Verdict::Indeterminate(reason), publish_ts: now_ts };
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
    Measured { verdict: params.judge(ratio.0.into()), publish_ts }
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

fn deviation(asset: &Asset, band: &PriceBand, now_ts: i64) -> Result<Bps, Unknown> {
    let reference = asset.reference_price(now_ts).map_err(|_| Unknown::Reference)?;
    let nearest = reference.clamp(band.lo, band.hi);
    Ok(Price::deviation(nearest, reference))
}
