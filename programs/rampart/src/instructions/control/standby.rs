//! What standby sources are tried on: when they are approved, and when one takes a dead source's place.

use crate::error::RampartError;
use crate::instructions::control::effect::require_near as require_near_price;
use crate::math::{Bps, Price};
use crate::oracle::{self, OracleAccount, PriceBand, PriceHealth};
use crate::refuse::require;
use crate::state::asset::ReferenceSpan;
use crate::state::{Asset, OracleSet, OracleSource, StandbySet};
use anchor_lang::prelude::*;
use bytemuck::Zeroable;

/// Checks that each standby source that is new says now what the asset is worth now, within `max`.
///
/// A source that is approved while it prices something else would come into use in the worst hour.
///
/// # Accounts
/// `evidence`: the oracle accounts of the asset's set, then for each new standby source those of a set of it alone.
///
/// # Errors
/// `StandbyInvalid` for a source that could take no place, `OracleAccountsMissing`, `EffectUnknown` where nothing says what
/// the asset is worth, `EffectTooLarge`, and the oracle's.
pub fn require_near(
    now: &StandbySet,
    next: &StandbySet,
    asset: &Asset,
    evidence: &[AccountInfo],
    max: Bps,
    now_ts: i64,
) -> Result<()> {
    next.require_fits(&asset.oracle)?;
    let new = || next.active().iter().filter(|source| !now.active().contains(source));
    if new().next().is_none() {
        return Ok(());
    }
    let set = &asset.oracle;
    let (of_set, mut rest) =
        evidence.split_at_checked(set.account_count()).ok_or(RampartError::OracleAccountsMissing)?;
    let worth = match oracle::read_accounts(set, of_set, now_ts)?.band(set, now_ts) {
        Ok(band) => band.mid,
        Err(_) => witness(asset, now_ts).ok_or(RampartError::EffectUnknown)?,
    };
    for source in new() {
        let alone = alone(set, source);
        let split = rest.split_at_checked(alone.account_count()).ok_or(RampartError::OracleAccountsMissing)?;
        let price = oracle::read_accounts(&alone, split.0, now_ts)?.band(&alone, now_ts)?.mid;
        require_near_price(worth.q64(), price.q64(), max)?;
        rest = split.1;
    }
    require!(rest.is_empty(), RampartError::OracleAccountsMissing);
    Ok(())
}

/// The set with one source.
fn alone(set: &OracleSet, source: &OracleSource) -> OracleSet {
    let mut alone = OracleSet { count: 1, required: 1, sources: Zeroable::zeroed(), ..*set };
    alone.sources[0] = *source;
    alone
}

/// Tells whether the account of a source proves that it is dead.
///
/// # Errors
/// Those of `oracle::is_dead`.
pub fn is_dead(source: &OracleSource, account: &AccountInfo, now_ts: i64) -> Result<bool> {
    let data = account.try_borrow_data()?;
    let account = OracleAccount { key: account.key, owner: account.owner, data: &data };
    Ok(oracle::is_dead(source, &account, now_ts)?)
}

/// Checks what the price becomes when the asset's set is replaced by `next`, which differs in the source at `place`.
///
/// - The newcomer itself has to be fresh and confident.
/// - Where the present sources still agree on a price, the next one is near it.
/// - Where they don't, it is near the warm reference. With a cold one it is either agreed by two sources, each approved by
///   itself, or near a slow anchor. Without any such witness nothing happens at once: it takes a change that waits.
/// - Where there was no price and is none yet, since more than one source is dead, nothing moves: the next activation is
///   judged. A rate that is unknown is no such reason: it may be known again with the next block.
///
/// # Errors
/// `PriceIndeterminate`, `PriceDisagreement`, `EffectTooLarge`, `EffectUnknown`, and the oracle's.
pub fn require_repaired(
    asset: &Asset,
    (next, place): (&OracleSet, u8),
    (old, new): (&[AccountInfo], &[AccountInfo]),
    max: Bps,
    now_ts: i64,
) -> Result<()> {
    let will = oracle::read_accounts(next, new, now_ts)?;
    let usable = || will.readings(next).filter(|(_, source, r)| PriceHealth::of(r, source, now_ts).is_usable());
    require!(usable().any(|(index, _, _)| index == usize::from(place)), RampartError::PriceIndeterminate);
    let are_too_few = usable().count() < usize::from(next.required);
    let before = oracle::read_accounts(&asset.oracle, old, now_ts)?.band(&asset.oracle, now_ts);
    match (before, will.band(next, now_ts)) {
        (Ok(before), Ok(after)) => require_near_price(before.mid.q64(), after.mid.q64(), max),
        (Err(_), Err(RampartError::PriceIndeterminate)) if are_too_few => Ok(()),
        (_, Err(error)) => Err(error.into()),
        (Err(_), Ok(after)) => require_witnessed(asset, &after, max, now_ts),
    }
}

fn require_witnessed(asset: &Asset, after: &PriceBand, max: Bps, now_ts: i64) -> Result<()> {
    let near = |price: Price| require_near_price(price.q64(), after.mid.q64(), max);
    match asset.reference_price(now_ts) {
        Ok(reference) => near(reference),
        Err(_) if after.sources >= 2 => Ok(()),
        Err(_) => near(witness(asset, now_ts).ok_or(RampartError::EffectUnknown)?),
    }
}

/// The quickest of the asset's references that is warm.
fn witness(asset: &Asset, now_ts: i64) -> Option<Price> {
    let spans = [ReferenceSpan::Short, ReferenceSpan::FourHours, ReferenceSpan::Day];
    spans.into_iter().find_map(|span| asset.reference_of(span, now_ts).ok())
}
