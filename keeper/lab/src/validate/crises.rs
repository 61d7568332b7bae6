//! Recorded crises, each with the week before it.

use crate::attack::{Scenario, Split};
use crate::backtest::{RecordedSettings, minutes};
use crate::data::{DataError, load, sha256_hex};
use crate::time::start_of_day;
use rampart::state::asset::Peg;
use std::path::Path;

/// One crisis in one recorded market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crisis {
    /// Name in verdicts.
    pub name: &'static str,
    /// What its coin was meant to be worth: vaults of the other kind don't meet it.
    pub peg: Peg,
    /// File of the market.
    pub file: &'static str,
    /// First day, UTC.
    pub from: (i32, u32, u32),
    /// The day after the last one, UTC.
    pub to: (i32, u32, u32),
}

/// What a configuration has to survive.
///
/// # Source
/// The recorded markets' README, "Crises covered".
pub const CRISES: [Crisis; 8] = [
    Crisis { name: "covid", peg: Peg::Unpegged, file: "BCHUSDT_5m", from: (2020, 3, 5), to: (2020, 3, 20) },
    Crisis { name: "may-2021", peg: Peg::Unpegged, file: "ETHUSDT_1m", from: (2021, 5, 10), to: (2021, 5, 21) },
    Crisis { name: "may-2021-sol", peg: Peg::Unpegged, file: "SOLUSDT_15m", from: (2021, 5, 10), to: (2021, 5, 26) },
    Crisis { name: "terra", peg: Peg::Unpegged, file: "LUNAUSDT_1m", from: (2022, 5, 1), to: (2022, 5, 14) },
    Crisis { name: "june-2022", peg: Peg::Unpegged, file: "ETHUSDT_5m", from: (2022, 6, 5), to: (2022, 6, 21) },
    Crisis { name: "ftx", peg: Peg::Unpegged, file: "SOLUSDT_5m", from: (2022, 11, 1), to: (2022, 11, 15) },
    Crisis { name: "august-2024", peg: Peg::Unpegged, file: "SOLUSDT_5m", from: (2024, 7, 28), to: (2024, 8, 10) },
    Crisis {
        name: "usdc-march-2023",
        peg: Peg::UsDollar,
        file: "KRAKEN-USDCUSD_1h",
        from: (2023, 3, 10),
        to: (2023, 3, 14),
    },
];

/// Steps are no longer than this, seconds.
const STEP_SECS: u32 = 60;

impl Crisis {
    /// Returns its scenarios and the hash of its file, or why it can't be played.
    ///
    /// # Errors
    /// A file that is malformed.
    pub fn load(
        &self,
        dir: Option<&Path>,
        cell_secs: u32,
    ) -> Result<Result<(Vec<Scenario>, String), String>, DataError> {
        let Some(dir) = dir else { return Ok(Err("no recorded markets".into())) };
        let path = dir.join(format!("{}.csv.gz", self.file));
        let Ok(content) = std::fs::read(&path) else { return Ok(Err(format!("{} is not there", path.display()))) };
        let series = load(&path)?;
        let day = |(year, month, day)| start_of_day(year, month, day).unwrap_or(0);
        let step_secs = STEP_SECS.min(cell_secs.max(1));
        let span = (day(self.from), day(self.to));
        let scenarios = minutes(&series, span, step_secs, Split::Test, &RecordedSettings::default());
        if scenarios.is_empty() {
            return Ok(Err(format!("{} has no bars of its days", path.display())));
        }
        Ok(Ok((scenarios, sha256_hex(&content))))
    }
}
