//! Recorded crises on recorded calm: rescaled to the host's volatility, warped in time, spliced in at a random offset.

use super::{AttackError, Dice, Origin, STEP_SECS, Scenario, Split};
use crate::data::{DataError, Series, load};
use crate::market::{World, daily_vol, path};
use rampart_score::bar::Bar;
use rand::Rng;
use std::path::Path;

/// The last second that may be trained on, 2022-09-30 23:59:59 UTC; the test begins a week later.
const TRAIN_UNTIL_TS: i64 = 1_664_582_399;
const TEST_FROM_TS: i64 = 1_665_187_200;
/// Market that crises are spliced into.
const HOST: &str = "SOLUSDT_5m.csv.gz";
const HOST_HOURS: i64 = 78;
const HOUR: i64 = 3_600;
/// The most that a calm host falls from its high within the window.
const CALM_FALL: f64 = 0.06;
const TRIES: usize = 4_000;

/// A crisis on record.
#[derive(Clone, Copy, Debug)]
pub struct Crisis {
    /// Name of the scenario.
    pub name: &'static str,
    /// File of the recording.
    pub file: &'static str,
    /// First second, unix.
    pub from_ts: i64,
    /// Hours of the segment.
    pub hours: i64,
    /// Side of the split, by date.
    pub split: Split,
}

/// Crises that can be grafted: those until 2022-09-30 for training, later ones for results.
pub const CRISES: [Crisis; 9] = [
    Crisis::train("covid-2020-bch", "BCHUSDT_5m.csv.gz", 1_583_971_200, 36),
    Crisis::train("covid-2020-xtz", "XTZUSDT_5m.csv.gz", 1_583_971_200, 36),
    Crisis::train("may-2021-eth", "ETHUSDT_1m.csv.gz", 1_621_382_400, 24),
    Crisis::train("may-2021-btc", "BTCUSDT_1m.csv.gz", 1_621_382_400, 24),
    Crisis::train("june-2022-eth", "ETHUSDT_5m.csv.gz", 1_654_992_000, 72),
    Crisis::train("june-2022-sol", "SOLUSDT_5m.csv.gz", 1_654_992_000, 72),
    Crisis::test("ftx-2022-sol", "SOLUSDT_5m.csv.gz", 1_667_865_600, 48),
    Crisis::test("august-2024-sol", "SOLUSDT_5m.csv.gz", 1_722_729_600, 48),
    Crisis::test("august-2024-eth", "ETHUSDT_5m.csv.gz", 1_722_729_600, 48),
];

impl Crisis {
    const fn train(name: &'static str, file: &'static str, from_ts: i64, hours: i64) -> Self {
        Self { name, file, from_ts, hours, split: Split::Train }
    }

    const fn test(name: &'static str, file: &'static str, from_ts: i64, hours: i64) -> Self {
        Self { name, file, from_ts, hours, split: Split::Test }
    }
}

/// The recordings that grafts are made of, read once.
pub struct Grafts {
    host: Series,
    crises: Vec<(Crisis, Series)>,
}

impl Grafts {
    /// Reads the recordings in `dir`.
    ///
    /// # Errors
    /// As [`load`], for the first file that is absent or malformed.
    pub fn read(dir: &Path) -> Result<Self, DataError> {
        let crises = CRISES.into_iter().map(|crisis| Ok((crisis, load(&dir.join(crisis.file))?)));
        Ok(Self { host: load(&dir.join(HOST))?, crises: crises.collect::<Result<_, DataError>>()? })
    }

    /// Draws one scenario from each crisis of `split` and each of `seeds`.
    pub fn suite(
        &self,
        split: Split,
        seeds: std::ops::Range<u64>,
    ) -> impl Iterator<Item = Result<Scenario, AttackError>> {
        let held = self.crises.iter().filter(move |(crisis, _)| crisis.split == split);
        held.flat_map(move |(crisis, series)| seeds.clone().map(move |seed| self.graft(crisis, series, seed)))
    }

    /// Draws one scenario from the crisis called `name`.
    ///
    /// # Errors
    /// `UnknownTemplate` if no crisis has the name.
    pub fn draw(&self, name: &str, seed: u64) -> Result<Scenario, AttackError> {
        let found = self.crises.iter().find(|(crisis, _)| crisis.name == name);
        let (crisis, series) = found.ok_or_else(|| AttackError::UnknownTemplate(name.to_owned()))?;
        self.graft(crisis, series, seed)
    }

    fn graft(&self, crisis: &Crisis, series: &Series, seed: u64) -> Result<Scenario, AttackError> {
        let mut dice = Dice::new(crisis.name, crisis.split, seed);
        let segment = between(&series.bars, crisis.from_ts, crisis.from_ts + crisis.hours * HOUR);
        let warp = dice.any("warp", (0.5, 2.0));
        let needed = HOST_HOURS + (crisis.hours as f64 * warp).ceil() as i64;
        let host = self.calm(crisis.split, needed, &mut dice).ok_or(AttackError::NoCalm(HOST))?;
        let host_vol = daily_vol(host).ok_or(AttackError::NoCalm(HOST))?;
        let before = between(&series.bars, crisis.from_ts - 7 * 24 * HOUR, crisis.from_ts);
        let source_vol = daily_vol(before).ok_or(AttackError::NoCalm(crisis.file))?;
        let scale = dice.note("scale", (host_vol / source_vol).clamp(0.4, 2.5));
        let mut world = path(host, STEP_SECS).world(host_vol, &mut dice.rng);
        let onset = dice.any("onset_minutes", (3_000.0, 3_600.0));
        splice(&mut world, onset as usize, segment, warp, scale);
        let (name, drawn_split) = (crisis.name.to_owned(), crisis.split);
        let ticks = world.finish(&mut dice.rng);
        let (origin, step_secs, onset) = (Origin::Grafted, STEP_SECS, Some(onset as usize));
        let drawn = dice.into_drawn();
        Ok(Scenario { name, origin, split: drawn_split, seed, step_secs, concentration: 0.0, drawn, onset, ticks })
    }

    /// Draws `hours` of calm without a gap from the host's side of the split.
    fn calm(&self, split: Split, hours: i64, dice: &mut Dice) -> Option<&[Bar]> {
        let count = (hours * HOUR / i64::from(self.host.interval_secs)) as usize;
        let bars = match split {
            Split::Train => between(&self.host.bars, i64::MIN, TRAIN_UNTIL_TS),
            Split::Test => between(&self.host.bars, TEST_FROM_TS, i64::MAX),
        };
        let last = bars.len().checked_sub(count)?;
        // The calmest of what is drawn, if nothing drawn is calm enough: long windows of this market rarely are.
        let windows = (0..TRIES).map(|_| dice.rng.random_range(0..=last)).map(|start| &bars[start..start + count]);
        let mut calmest: Option<(&[Bar], f64)> = None;
        for window in windows.filter(|window| is_contiguous(window)) {
            let fall = deepest_fall(window);
            if calmest.is_none_or(|(_, least)| fall < least) {
                calmest = Some((window, fall));
            }
            if fall < CALM_FALL {
                break;
            }
        }
        let (window, fall) = calmest?;
        dice.note("host_fall", fall);
        Some(window)
    }
}

/// Bars that open in `from_ts..until_ts`.
fn between(bars: &[Bar], from_ts: i64, until_ts: i64) -> &[Bar] {
    let first = bars.partition_point(|bar| bar.open_ts < from_ts);
    let end = bars.partition_point(|bar| bar.open_ts < until_ts);
    &bars[first..end]
}

fn is_contiguous(bars: &[Bar]) -> bool {
    bars.windows(2).all(|pair| pair[1].open_ts == pair[0].close_ts())
}

fn deepest_fall(bars: &[Bar]) -> f64 {
    let mut high = 0.0f64;
    bars.iter().fold(0.0, |deepest: f64, bar| {
        high = high.max(bar.high);
        deepest.max(1.0 - bar.low / high)
    })
}

/// Adds the crisis' returns, scaled and warped, to the host's from `onset` on; books thin with the fall from the last hour's high.
fn splice(world: &mut World, onset: usize, segment: &[Bar], warp: f64, scale: f64) {
    let crisis = path(segment, STEP_SECS.min(segment.first().map_or(STEP_SECS, |bar| bar.secs)));
    let Some(&(first, _)) = crisis.steps.first() else { return };
    let mean = crisis.steps.iter().map(|step| step.1).sum::<f64>() / crisis.steps.len() as f64;
    let count = (crisis.steps.len() as f64 * warp) as usize;
    let at = |index: usize| crisis.steps[((index as f64 / warp) as usize).min(crisis.steps.len() - 1)];
    let shifts: Vec<f64> = (0..count).map(|index| scale * (at(index).0 / first).ln()).collect();
    world.add(onset, &shifts);
    let hour = world.steps_in(60.0);
    for (index, step) in world.steps.iter_mut().skip(onset).take(count).enumerate() {
        let high = shifts[index.saturating_sub(hour)..=index].iter().copied().fold(f64::MIN, f64::max);
        let fall = 1.0 - (shifts[index] - high).exp();
        step.depth *= (-3.6 * fall).exp();
        step.spread *= 1.0 + 20.0 * fall;
        step.volume *= (at(index).1 / mean.max(f64::MIN_POSITIVE)).clamp(0.2, 20.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::data_dir_or_skip;

    #[test]
    fn graft_falls_as_its_crisis_did_scaled_to_the_host() {
        let Some(dir) = data_dir_or_skip("grafts of recorded crises") else { return };
        let grafts = Grafts::read(&dir).unwrap();
        for split in [Split::Train, Split::Test] {
            for scenario in grafts.suite(split, 1..2) {
                let scenario = scenario.unwrap();
                let crisis = CRISES.iter().find(|crisis| crisis.name == scenario.name).unwrap();
                assert_eq!(crisis.split, split);
                let series = &grafts.crises.iter().find(|(other, _)| other.name == crisis.name).unwrap().1;
                let segment = between(&series.bars, crisis.from_ts, crisis.from_ts + crisis.hours * HOUR);
                let low = segment.iter().map(|bar| bar.low).fold(f64::MAX, f64::min) / segment[0].open;
                let expected = scenario.drawn("scale").unwrap() * low.ln();
                let start = scenario.ticks[scenario.onset.unwrap() - 1].truth;
                let fallen = scenario.ticks.iter().map(|tick| tick.truth).fold(f64::MAX, f64::min) / start;
                // The host moves too, by at most what was noted of it in either direction.
                let host = scenario.drawn("host_fall").unwrap() + 0.1;
                assert!((fallen.ln() - expected).abs() < host + 0.05, "{} {} {expected}", scenario.name, fallen.ln());
            }
        }
    }
}
