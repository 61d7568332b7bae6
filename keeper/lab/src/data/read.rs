//! The candle file: `SYMBOL_INTERVAL.csv.gz`, one line a bar.

use super::{DataError, LineError, Series};
use csv::{ReaderBuilder, StringRecord};
use flate2::read::MultiGzDecoder;
use rampart_score::bar::Bar;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The columns of a candle file: open time in unix seconds, quote per base, base units.
pub const COLUMNS: &str = "time,open,high,low,close,volume";
/// A seventh column, where the venue says what takers bought, base units.
pub const FLOW_COLUMN: &str = "taker_buy_base";
const FIELDS: [&str; 7] = ["time", "open", "high", "low", "close", "volume", FLOW_COLUMN];

/// Reads `SYMBOL_INTERVAL.csv.gz`.
///
/// # Errors
/// `Name`, `Io`, `Columns`, `Empty`, and `Line` with the first line that isn't a candle later than the one before.
pub fn load(path: &Path) -> Result<Series, DataError> {
    let file = File::open(path).map_err(|source| DataError::Io { path: path.into(), source })?;
    parse(path, MultiGzDecoder::new(file))
}

/// Reads a candle file's text; `path` says symbol and interval, and is named in errors.
///
/// # Errors
/// As [`load`].
pub fn parse(path: &Path, text: impl Read) -> Result<Series, DataError> {
    let (symbol, interval_secs) = name_of(path).ok_or_else(|| DataError::Name(path.into()))?;
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(false).from_reader(text);
    let mut record = StringRecord::new();
    let mut bars: Vec<Bar> = Vec::new();
    for line in 1.. {
        let fail = |source: LineError| DataError::Line { path: path.into(), line, source };
        if !reader.read_record(&mut record).map_err(|error| fail(error.into()))? {
            break;
        }
        if line == 1 {
            check_columns(path, &record)?;
        } else {
            bars.push(bar_of(&record, interval_secs, bars.last()).map_err(fail)?);
        }
    }
    if bars.is_empty() {
        return Err(DataError::Empty(path.into()));
    }
    Ok(Series { symbol, interval_secs, bars })
}

fn check_columns(path: &Path, header: &StringRecord) -> Result<(), DataError> {
    let found = header.iter().collect::<Vec<_>>().join(",");
    if found == COLUMNS || found == format!("{COLUMNS},{FLOW_COLUMN}") {
        return Ok(());
    }
    Err(DataError::Columns { path: path.into(), found })
}

fn bar_of(record: &StringRecord, secs: u32, last: Option<&Bar>) -> Result<Bar, LineError> {
    let [time, open, high, low, close, volume] = std::array::from_fn(|at| record.get(at).unwrap_or_default());
    let open_ts = time.parse().map_err(|_| LineError::Number { column: FIELDS[0], text: time.into() })?;
    let taker_buy = record.get(6).map(|text| number(6, text)).transpose()?;
    let bar = Bar {
        open_ts,
        secs,
        open: number(1, open)?,
        high: number(2, high)?,
        low: number(3, low)?,
        close: number(4, close)?,
        volume: Some(number(5, volume)?),
        taker_buy,
    };
    bar.validate()?;
    if open_ts.rem_euclid(i64::from(secs)) != 0 {
        return Err(LineError::OffGrid { time: open_ts, interval_secs: secs });
    }
    match last {
        Some(last) if open_ts <= last.open_ts => Err(LineError::NotLater { time: open_ts, last: last.open_ts }),
        _ => Ok(bar),
    }
}

fn number(at: usize, text: &str) -> Result<f64, LineError> {
    text.parse().map_err(|_| LineError::Number { column: FIELDS[at], text: text.into() })
}

/// Returns symbol and interval of a candle file's name, none where it isn't one.
pub(super) fn name_of(path: &Path) -> Option<(String, u32)> {
    let (symbol, interval) = path.file_name()?.to_str()?.strip_suffix(".csv.gz")?.rsplit_once('_')?;
    let secs = interval_secs(interval)?;
    (!symbol.is_empty()).then(|| (symbol.to_owned(), secs))
}

/// Returns the seconds of an interval as exchanges write it: `1m`, `4h`, `1d`.
pub fn interval_secs(text: &str) -> Option<u32> {
    let (count, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    count.parse::<u32>().ok().filter(|count| *count > 0)?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Gap;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    const GOOD: &str = "time,open,high,low,close,volume\n3600,10,11,9,10.5,7\n7200,10.5,12,10,11,8\n";

    fn read(text: &str) -> Result<Series, DataError> {
        parse(Path::new("SOLUSDT_1h.csv.gz"), text.as_bytes())
    }

    #[test]
    fn load_returns_the_bars_when_the_file_is_packed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("SOLUSDT_1h.csv.gz");
        let mut packed = GzEncoder::new(File::create(&path).unwrap(), Compression::default());
        packed.write_all(GOOD.as_bytes()).unwrap();
        packed.finish().unwrap();
        let series = load(&path).unwrap();
        assert_eq!((series.symbol.as_str(), series.interval_secs), ("SOLUSDT", 3_600));
        assert_eq!(series.bars.len(), 2);
        assert_eq!((series.bars[1].close_ts(), series.bars[1].low, series.bars[1].taker_buy), (10_800, 10.0, None));
        assert_eq!(series.gaps(), []);
    }

    #[test]
    fn parse_reads_the_taker_flow_when_the_file_has_it() {
        let series = read("time,open,high,low,close,volume,taker_buy_base\n3600,10,11,9,10.5,7,3.5\n").unwrap();
        assert_eq!(series.bars[0].taker_buy, Some(3.5));
    }

    #[test]
    fn gaps_are_listed_when_bars_are_missing() {
        let series = read(&format!("{GOOD}18000,11,11,11,11,0\n")).unwrap();
        assert_eq!(series.gaps(), [Gap { line: 4, from_ts: 10_800, to_ts: 18_000, missing: 2 }]);
    }

    #[test]
    fn parse_names_file_and_line_when_a_line_is_malformed() {
        let cases = [
            ("10800,1,2,x,1,1\n", "SOLUSDT_1h.csv.gz line 4: low is `x`, not a number"),
            (
                "10800,1,2,1\n",
                "SOLUSDT_1h.csv.gz line 4: CSV error: record 3 (line: 4, byte: 73): found record with 4 fields, but the previous record has 6 fields",
            ),
            ("10801,1,2,1,1,1\n", "SOLUSDT_1h.csv.gz line 4: time 10801 isn't on the grid of 3600 s"),
            ("7200,1,2,1,1,1\n", "SOLUSDT_1h.csv.gz line 4: time 7200 isn't later than 7200 on the line before"),
            (
                "10800,3,2,1,1,1\n",
                "SOLUSDT_1h.csv.gz line 4: bar at 10800 opens or closes outside of its low and high: check its source",
            ),
            (
                "10800,1,2,NaN,1,1\n",
                "SOLUSDT_1h.csv.gz line 4: bar at 10800 has a price that isn't a number from 1e-15 to 1e15: check its source",
            ),
        ];
        for (line, expected) in cases {
            assert_eq!(read(&format!("{GOOD}{line}")).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn load_fails_when_the_archive_is_cut_off() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("SOLUSDT_1h.csv.gz");
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(GOOD.as_bytes()).unwrap();
        let bytes = packed.finish().unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 12]).unwrap();
        assert!(matches!(load(&path), Err(DataError::Line { source: LineError::Csv(_), .. })));
    }

    #[test]
    fn parse_fails_when_columns_or_name_are_others() {
        let funding = parse(Path::new("BTCUSDT_1h.csv.gz"), "time,funding_rate\n0,0.1\n".as_bytes());
        assert!(matches!(funding, Err(DataError::Columns { found, .. }) if found == "time,funding_rate"));
        for name in ["BTCUSDT_funding.csv.gz", "BTCUSDT_0h.csv.gz", "_1h.csv.gz", "BTCUSDT_1h.csv"] {
            assert!(matches!(parse(Path::new(name), GOOD.as_bytes()), Err(DataError::Name(_))), "{name}");
        }
        assert!(matches!(read("time,open,high,low,close,volume\n"), Err(DataError::Empty(_))));
    }
}
