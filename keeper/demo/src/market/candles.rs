//! Reads recorded candles: `unix seconds, open, high, low, close, volume`, plain or gzip.

use crate::error::{DemoError, Outcome};
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

/// The most candles that are taken from one file.
const MAX_CANDLES: usize = 5_000_000;
/// First bytes of a gzip file.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// One bar of a recorded market.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candle {
    /// When the bar opened, unix seconds.
    pub open_ts: i64,
    /// First price, quote per base.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
}

/// Which bars are wanted, unix seconds: from `from_ts`, and before `to_ts`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The first open time that counts.
    pub from_ts: Option<i64>,
    /// The first open time that no longer counts.
    pub to_ts: Option<i64>,
}

impl Span {
    fn holds(&self, ts: i64) -> bool {
        self.from_ts.is_none_or(|from| ts >= from) && self.to_ts.is_none_or(|to| ts < to)
    }
}

/// Reads the bars of `span` from a file.
///
/// # Shape
/// One bar a line, ascending in time; a first line of names is passed over. Gzip is told by its first bytes.
///
/// # Errors
/// [`DemoError::File`] where it can't be opened, [`DemoError::Market`] with the line and what is wrong with it.
pub fn read(path: &Path, span: Span) -> Outcome<Vec<Candle>> {
    let candles = read_any(path, span)?;
    if candles.is_empty() {
        let problem = "no bars in the asked span".to_owned();
        return Err(DemoError::Market { path: path.to_owned(), problem });
    }
    Ok(candles)
}

/// As [`read`], where there may be no bars at all.
///
/// # Errors
/// As [`read`].
pub fn read_any(path: &Path, span: Span) -> Outcome<Vec<Candle>> {
    let bytes = open(path).map_err(|source| DemoError::File { path: path.to_owned(), source })?;
    parse(bytes, span).map_err(|problem| DemoError::Market { path: path.to_owned(), problem })
}

fn open(path: &Path) -> std::io::Result<Box<dyn Read>> {
    let mut magic = [0; 2];
    let read = File::open(path)?.read(&mut magic)?;
    let file = BufReader::new(File::open(path)?);
    let is_gzip = read == 2 && magic == GZIP_MAGIC;
    Ok(if is_gzip { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) })
}

/// Parses bars; the error names the line.
///
/// # Errors
/// What is wrong, in words.
pub fn parse(input: impl Read, span: Span) -> Result<Vec<Candle>, String> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(input);
    let (mut candles, mut last_ts) = (Vec::new(), None);
    for (index, record) in reader.records().enumerate() {
        let record = record.map_err(|error| format!("unreadable: {error}"))?;
        let line = record.position().map_or(index as u64 + 1, csv::Position::line);
        if index == 0 && is_header(&record) {
            continue;
        }
        let candle = candle(&record).map_err(|problem| format!("line {line}: {problem}"))?;
        if last_ts.is_some_and(|last| candle.open_ts <= last) {
            return Err(format!("line {line}: time {} does not come after that of the bar before", candle.open_ts));
        }
        last_ts = Some(candle.open_ts);
        if span.holds(candle.open_ts) {
            candles.push(candle);
        }
        if candles.len() > MAX_CANDLES {
            return Err(format!("line {line}: more than {MAX_CANDLES} bars; narrow them with --from and --to"));
        }
    }
    Ok(candles)
}

fn is_header(record: &csv::StringRecord) -> bool {
    record.get(0).is_some_and(|first| !first.is_empty() && first.chars().all(|c| c.is_ascii_alphabetic() || c == '_'))
}

fn candle(record: &csv::StringRecord) -> Result<Candle, String> {
    if record.len() < 5 {
        return Err(format!("{} fields, at least 5 wanted: time, open, high, low, close", record.len()));
    }
    let text = &record[0];
    let open_ts: i64 = text.parse().map_err(|_| format!("time {text:?} is not a whole number of unix seconds"))?;
    if !(0..100_000_000_000).contains(&open_ts) {
        return Err(format!("time {open_ts} is not in unix seconds"));
    }
    let price = |at: usize, name: &str| -> Result<f64, String> {
        let text = &record[at];
        let value: f64 = text.parse().map_err(|_| format!("{name} {text:?} is not a number"))?;
        if value.is_finite() && value > 0.0 {
            Ok(value)
        } else {
            Err(format!("{name} {text} is not a positive number"))
        }
    };
    let candle = Candle {
        open_ts,
        open: price(1, "open")?,
        high: price(2, "high")?,
        low: price(3, "low")?,
        close: price(4, "close")?,
    };
    let (lowest, highest) = (candle.open.min(candle.close), candle.open.max(candle.close));
    if candle.low > lowest || candle.high < highest {
        return Err(format!("low {} and high {} don't enclose open and close", candle.low, candle.high));
    }
    Ok(candle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        parse(text.as_bytes(), Span::default()).unwrap_err()
    }

    #[test]
    fn header_is_passed_over_and_volume_may_be_missing() {
        let text = "time,open,high,low,close,volume\n60,10,12,9,11,5\n120,11,11,10,10\n";
        let candles = parse(text.as_bytes(), Span::default()).unwrap();
        assert_eq!(candles.len(), 2);
        assert_eq!(candles[0], Candle { open_ts: 60, open: 10.0, high: 12.0, low: 9.0, close: 11.0 });
    }

    #[test]
    fn span_takes_the_first_and_leaves_the_last() {
        let text = "60,1,1,1,1,0\n120,1,1,1,1,0\n180,1,1,1,1,0\n";
        let span = Span { from_ts: Some(120), to_ts: Some(180) };
        let candles = parse(text.as_bytes(), span).unwrap();
        assert_eq!(candles.iter().map(|c| c.open_ts).collect::<Vec<_>>(), [120]);
    }

    #[test]
    fn malformed_lines_are_named_with_what_is_wrong() {
        assert_eq!(error("60,1,1,1,1\n120,1,1\n"), "line 2: 3 fields, at least 5 wanted: time, open, high, low, close");
        assert_eq!(error("time,o,h,l,c\n60,x,1,1,1\n"), "line 2: open \"x\" is not a number");
        assert_eq!(error("60.5,1,1,1,1\n"), "line 1: time \"60.5\" is not a whole number of unix seconds");
        assert_eq!(error("1651363200000,1,1,1,1\n"), "line 1: time 1651363200000 is not in unix seconds");
        assert_eq!(error("60,1,1,0,1\n"), "line 1: low 0 is not a positive number");
        assert_eq!(error("60,1,NaN,1,1\n"), "line 1: high NaN is not a positive number");
        assert_eq!(error("60,5,4,1,2\n"), "line 1: low 1 and high 4 don't enclose open and close");
        assert_eq!(error("120,1,1,1,1\n120,1,1,1,1\n"), "line 2: time 120 does not come after that of the bar before");
    }

    #[test]
    fn span_without_bars_is_an_error_where_bars_are_needed() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(read_any(file.path(), Span::default()).unwrap(), []);
        let error = read(file.path(), Span::default()).unwrap_err();
        assert!(matches!(error, DemoError::Market { problem, .. } if problem == "no bars in the asked span"));
    }

    #[test]
    fn gzip_is_told_by_its_first_bytes() {
        use std::io::Write;
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(b"time,open,high,low,close,volume\n60,1,2,1,2,0\n").unwrap();
        file.write_all(&gzip.finish().unwrap()).unwrap();
        assert_eq!(read(file.path(), Span::default()).unwrap().len(), 1);
    }

    #[test]
    fn truncated_gzip_is_an_error() {
        use std::io::Write;
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        gzip.write_all("60,1,2,1,2,0\n".repeat(10).as_bytes()).unwrap();
        file.write_all(&gzip.finish().unwrap()[..30]).unwrap();
        assert!(matches!(read(file.path(), Span::default()), Err(DemoError::Market { .. })));
    }
}
