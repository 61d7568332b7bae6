//! Recorded markets: one file of candles for each asset and interval, read as it is or refused with its line.
//!
//! Owns the file format (`read`), checksums (`checksums`), where the files are (`dir`), and how they are made from a public
//! archive (`archive`, `fetch`). A gap is listed, never filled: what
//! wasn't recorded isn't known. Called by everything in the lab that needs a recorded market.

mod archive;
mod checksums;
mod dir;
mod fetch;
mod read;

pub use archive::{ARCHIVE, Month, months};
pub use checksums::{Checksum, Checksums, sha256_hex};
pub use dir::{Recording, data_dir, data_dir_or_skip, list};
pub use fetch::{FetchError, Request, fetch};
pub use read::{COLUMNS, FLOW_COLUMN, load, parse};

use rampart_score::bar::{Bar, BarError};
use std::path::PathBuf;

/// The candles of one asset at one interval, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Name of the market, as the file says it: `SOLUSDT`.
    pub symbol: String,
    /// Length of each bar, seconds.
    pub interval_secs: u32,
    /// The bars that were recorded, by rising time, each on the interval's grid.
    pub bars: Vec<Bar>,
}

/// A span without recorded bars between two that were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Line of the file of the first bar after the gap; the header is line 1.
    pub line: u64,
    /// Where the missing span starts, unix seconds.
    pub from_ts: i64,
    /// Where the missing span ends, exclusive, unix seconds.
    pub to_ts: i64,
    /// How many bars are missing.
    pub missing: u64,
}

impl Series {
    /// Returns the spans that weren't recorded, in order.
    pub fn gaps(&self) -> Vec<Gap> {
        let between = |(at, pair): (usize, &[Bar])| {
            let (from_ts, to_ts) = (pair[0].close_ts(), pair[1].open_ts);
            let missing = u64::try_from((to_ts - from_ts) / i64::from(self.interval_secs)).unwrap_or(0);
            // The header is line 1, the first bar line 2: the second bar of pair 0 is on line 3.
            (missing > 0).then_some(Gap { line: at as u64 + 3, from_ts, to_ts, missing })
        };
        self.bars.windows(2).enumerate().filter_map(between).collect()
    }
}

/// Why recorded data is refused.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// No folder of recorded markets.
    #[error("no recorded markets at {}: pass --data DIR, set RAMPART_DATA, or run `rampart lab fetch`", .0.display())]
    NoDirectory(PathBuf),
    /// The file or folder can't be read.
    #[error("failed to read {}: {source}", path.display())]
    Io {
        /// What was read.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The name isn't `SYMBOL_INTERVAL.csv.gz`.
    #[error("{} isn't named SYMBOL_INTERVAL.csv.gz with an interval of m, h or d, as in SOLUSDT_5m.csv.gz", .0.display())]
    Name(PathBuf),
    /// The first line names other columns.
    #[error("{} line 1: columns are `{found}`, candles have `{COLUMNS}`", path.display())]
    Columns {
        /// The file.
        path: PathBuf,
        /// What the first line says.
        found: String,
    },
    /// A line that isn't one of a candle file.
    #[error("{} line {line}: {source}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Line of the unpacked text, the header is 1.
        line: u64,
        /// What is wrong with it.
        source: LineError,
    },
    /// A file without bars.
    #[error("{} has no bars: fetch it again", .0.display())]
    Empty(PathBuf),
    /// A line of SHA256SUMS that isn't `HASH  NAME`.
    #[error("{} line {line}: expected a SHA-256 and a file name", path.display())]
    Sums {
        /// The list.
        path: PathBuf,
        /// Line of the list.
        line: usize,
    },
    /// A file whose content isn't what its list of checksums says.
    #[error("{} hashes to {found}, SHA256SUMS says {expected}: fetch it again", path.display())]
    Checksum {
        /// The file.
        path: PathBuf,
        /// What SHA256SUMS says.
        expected: String,
        /// What the content says.
        found: String,
    },
}

/// What is wrong with a line of a candle file.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// The text isn't the one of a table, or the archive is cut off.
    #[error("{0}")]
    Csv(#[from] csv::Error),
    /// A field isn't a number.
    #[error("{column} is `{text}`, not a number")]
    Number {
        /// Name of the column.
        column: &'static str,
        /// What stands there.
        text: String,
    },
    /// A candle that can't be.
    #[error("{0}")]
    Bar(#[from] BarError),
    /// More or fewer fields than the format has.
    #[error("{found} fields, expected {expected}")]
    Fields {
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// The time isn't a multiple of the interval.
    #[error("time {time} isn't on the grid of {interval_secs} s")]
    OffGrid {
        /// What stands there, unix seconds.
        time: i64,
        /// The file's interval.
        interval_secs: u32,
    },
    /// The time isn't later than the one of the line before.
    #[error("time {time} isn't later than {last} on the line before")]
    NotLater {
        /// What stands there, unix seconds.
        time: i64,
        /// Time of the line before.
        last: i64,
    },
}
