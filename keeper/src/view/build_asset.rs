//! Assets, their sources and references.

use crate::assess::AssetReport;
use crate::view::amounts::{level_name, price};
use crate::view::build::{Builder, Inputs};
use crate::view::{AssetPriceView, AssetView, OracleView, ReferenceView};
use anchor_lang::prelude::Pubkey;
use rampart::error::RampartError;
use rampart::math::Price;
use rampart::oracle::{PriceHealth, SourceReading};
use rampart::risk::verdict::Unknown;
use rampart::state::oracle_set::OracleSource;
use rampart::state::{Asset, SourceKind};

pub(super) fn build(builder: &Builder, inputs: Inputs, key: &Pubkey, asset: &Asset) -> AssetView {
    let now_ts = inputs.assessment.now.unix_ts;
    let level = asset.breaker.level_at(now_ts);
    AssetView {
        address: key.to_string(),
        mint: asset.mint.to_string(),
        symbol: builder.symbol(inputs.store, key),
        decimals: asset.decimals,
        level: level as u8,
        level_name: level_name(level).to_owned(),
        causes: builder.causes(inputs, &asset.breaker),
        price: inputs.assessment.assets.get(key).map_or_else(AssetPriceView::default, |r| prices(asset, r, now_ts)),
        reference: reference(asset, now_ts),
        window_high: high(asset, now_ts),
        early: Vec::new(),
    }
}

fn prices(asset: &Asset, report: &AssetReport, now_ts: i64) -> AssetPriceView {
    let band = report.band.ok();
    AssetPriceView {
        state: state_of(band.is_some()),
        reason: report.band.err().map(reason_of),
        lo: band.map(|b| price(b.lo)),
        mid: band.map(|b| price(b.mid)),
        hi: band.map(|b| price(b.hi)),
        agreeing: band.map_or(0, |b| b.sources),
        required: asset.oracle.required,
        sources: sources(asset, report, now_ts),
    }
}

pub(super) fn state_of(is_agreed: bool) -> String {
    if is_agreed { "agreed" } else { "indeterminate" }.to_owned()
}

/// Why there is no price, in one word.
pub(super) fn reason_of(error: RampartError) -> String {
    match error {
        RampartError::PriceIndeterminate | RampartError::PriceDisagreement => Unknown::from(error).name().to_owned(),
        other => format!("{other:?}"),
    }
}

fn sources(asset: &Asset, report: &AssetReport, now_ts: i64) -> Vec<OracleView> {
    let said = report.reading.as_ref().ok();
    let of = |(at, source): (usize, &OracleSource)| oracle(source, said.map(|s| &s.sources[at]), now_ts);
    asset.oracle.active().iter().enumerate().map(of).collect()
}

fn oracle(source: &OracleSource, said: Option<&SourceReading>, now_ts: i64) -> OracleView {
    let kind = if source.kind == SourceKind::Pyth as u8 { "pyth" } else { "switchboard" };
    let empty = OracleView { kind: kind.to_owned(), publisher: source.publisher, ..OracleView::default() };
    let reading = match said.map(|s| s.reading) {
        Some(Ok(reading)) => reading,
        Some(Err(invalid)) => {
            return OracleView { state: "invalid".to_owned(), reason: Some(invalid.name().to_owned()), ..empty };
        }
        None => return OracleView { state: "invalid".to_owned(), reason: Some("account".to_owned()), ..empty },
    };
    let health = PriceHealth::of(&reading, source, now_ts);
    let state = if !health.is_fresh {
        "stale"
    } else if !health.is_confident {
        "wide"
    } else {
        "ok"
    };
    OracleView {
        price: Some(price(reading.price)),
        confidence_bps: Some(reading.confidence_bps().0),
        age_secs: Some(reading.age_secs(now_ts)),
        state: state.to_owned(),
        ..empty
    }
}

fn reference(asset: &Asset, now_ts: i64) -> ReferenceView {
    let has_samples = asset.reference.samples > 0;
    let stored = Price::from_q64(asset.reference.price_q64.get()).ok().filter(|_| has_samples);
    ReferenceView {
        price: stored.map(price),
        age_secs: has_samples.then(|| u64::try_from(now_ts.saturating_sub(asset.reference.updated_at_ts)).unwrap_or(0)),
        is_warm: asset.reference_price(now_ts).is_ok(),
    }
}

fn high(asset: &Asset, now_ts: i64) -> Option<String> {
    let all_secs = asset.window.cell_secs.saturating_mul(rampart::constants::WINDOW_CELLS as u32);
    asset.window.view(all_secs, now_ts).map(|view| price(view.high))
}
