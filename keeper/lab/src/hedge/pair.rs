//! Two markets side by side: what one bar brought each of them.

use super::HedgeError;
use crate::data::Series;
use crate::market::Calm;
use crate::time::start_of_day;
use rampart_score::bar::Bar;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// What one bar brought both, as shares of the price at its start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// When it closed, unix seconds: it is known from then on.
    pub ts: i64,
    /// Return of the asset that is held.
    pub asset: f64,
    /// Return of the one that is shorted.
    pub short: f64,
}

/// Two markets by the names of their files: `ASSET/SHORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairName {
    /// The asset that is held.
    pub asset: String,
    /// The one that is shorted.
    pub short: String,
}

impl FromStr for PairName {
    type Err = HedgeError;

    fn from_str(text: &str) -> Result<Self, HedgeError> {
        match text.split('/').collect::<Vec<_>>()[..] {
            [asset, short] if !asset.is_empty() && !short.is_empty() && asset != short => {
                Ok(Self { asset: asset.into(), short: short.into() })
            }
            _ => Err(HedgeError::Pair(text.into())),
        }
    }
}

impl fmt::Display for PairName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.asset, self.short)
    }
}

/// Two markets with the bars that both have.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// Name in tables.
    pub name: String,
    /// Length of a bar, seconds.
    pub bar_secs: u32,
    /// By rising time; a bar that has none before it in either market is left out.
    pub rows: Vec<Row>,
}

/// Year, month and day, UTC.
pub type Day = (i32, u32, u32);

/// Days in which markets fell together, by the first day and the day after the last one, UTC.
///
/// # Source
/// The recorded markets' README, "Crises covered".
pub const CRISES: [(&str, Day, Day); 6] = [
    ("covid", (2020, 3, 12), (2020, 3, 14)),
    ("may-2021", (2021, 5, 19), (2021, 5, 20)),
    ("terra", (2022, 5, 7), (2022, 5, 14)),
    ("june-2022", (2022, 6, 12), (2022, 6, 19)),
    ("ftx", (2022, 11, 8), (2022, 11, 10)),
    ("august-2024", (2024, 8, 4), (2024, 8, 6)),
];

/// Returns the crisis that holds a bar, by its place in [`CRISES`].
pub(super) fn crisis_of(ts: i64, bar_secs: u32) -> Option<usize> {
    let open_ts = ts - i64::from(bar_secs);
    let day = |(year, month, day): Day| start_of_day(year, month, day).unwrap_or(i64::MAX);
    CRISES.iter().position(|(_, from, to)| (day(*from)..day(*to)).contains(&open_ts))
}

/// Lays two recorded markets side by side. No return is taken across a gap of either.
///
/// # Errors
/// `Intervals`.
pub fn align(name: &PairName, asset: &Series, short: &Series) -> Result<Pair, HedgeError> {
    let (asset_secs, short_secs) = (asset.interval_secs, short.interval_secs);
    if asset_secs != short_secs {
        return Err(HedgeError::Intervals { pair: name.to_string(), asset_secs, short_secs });
    }
    let others: BTreeMap<i64, f64> = returns(&short.bars).collect();
    let both = |(ts, asset)| others.get(&ts).map(|short| Row { ts, asset, short: *short });
    Ok(Pair { name: name.to_string(), bar_secs: asset_secs, rows: returns(&asset.bars).filter_map(both).collect() })
}

/// Close to close, for every bar that follows another without a gap.
fn returns(bars: &[Bar]) -> impl Iterator<Item = (i64, f64)> {
    let followed = bars.windows(2).filter(|pair| pair[0].close_ts() == pair[1].open_ts);
    followed.map(|pair| (pair[1].close_ts(), pair[1].close / pair[0].close - 1.0))
}

/// Generates `days` days of hours: an asset, and the common factor as what is shorted. The best ratio is near [`Calm::beta`].
pub fn generated(days: usize, seed: u64) -> Pair {
    const SECS: u32 = 3_600;
    let world = Calm::default().world(days * 24, SECS, &mut ChaCha8Rng::seed_from_u64(seed));
    let row = |(at, pair): (usize, &[crate::market::Step])| Row {
        ts: world.start_ts + (at as i64 + 2) * i64::from(SECS),
        asset: pair[1].truth / pair[0].truth - 1.0,
        short: pair[1].factor / pair[0].factor - 1.0,
    };
    let rows = world.steps.windows(2).enumerate().map(row).collect();
    Pair { name: format!("generated-{seed}/factor"), bar_secs: SECS, rows }
}
