//! The public archive of exchange candles: names of its monthly files, and what is in them.
//!
//! # Source
//! The archive's own description (github.com/binance/binance-public-data): monthly kline zips of one CSV, columns open time,
//! open, high, low, close, volume, close time, quote volume, trades, taker buy base volume, taker buy quote volume, ignore;
//! milliseconds, and microseconds for spot from 2025-01-01; a `.CHECKSUM` beside each zip as `sha256sum` writes it.

use super::{Checksums, DataError, FetchError, LineError, Series, read::interval_secs};
use rampart_score::bar::Bar;
use std::io::{Cursor, Read};
use std::path::Path;

/// Where the exchange keeps it.
pub const ARCHIVE: &str = "https://data.binance.vision/data/spot/monthly/klines";
/// Columns of a line, in the archive's order.
const COLUMNS: usize = 12;
/// Times above this are microseconds: as milliseconds it is the year 2286.
const MILLIS_MAX: i64 = 10_000_000_000_000;
/// Largest unpacked month that is read: a month of minutes is 5 MB.
const UNPACKED_MAX: u64 = 256 << 20;

/// A month, from 1.
pub type Month = (i32, u32);

/// Returns a month's address in an archive.
pub fn url(archive: &str, symbol: &str, interval: &str, month: Month) -> String {
    format!("{}/{symbol}/{interval}/{}", archive.trim_end_matches('/'), zip_name(symbol, interval, month))
}

/// Returns a month's file name in the archive.
pub fn zip_name(symbol: &str, interval: &str, (year, month): Month) -> String {
    format!("{symbol}-{interval}-{year:04}-{month:02}.zip")
}

/// Returns the months of `[from, to]`.
pub fn months(from: Month, to: Month) -> impl Iterator<Item = Month> {
    let next = |(year, month): &Month| Some(if *month == 12 { (year + 1, 1) } else { (*year, month + 1) });
    std::iter::successors(Some(from), next).take_while(move |month| *month <= to)
}

/// Checks a month's zip against its `.CHECKSUM`, and returns its bars.
///
/// # Errors
/// `Data` where the checksum or a line is wrong, `Zip` where it isn't an archive of one file.
pub fn bars(name: &str, zip: &[u8], checksum: &str, interval: &str) -> Result<Vec<Bar>, FetchError> {
    let path = Path::new(name);
    let sums = Checksums::parse(&path.with_extension("zip.CHECKSUM"), checksum)?;
    if sums.check(path, &super::sha256_hex(zip))? == super::Checksum::Unlisted {
        return Err(FetchError::Unlisted { name: name.to_owned() });
    }
    let fail = |source| FetchError::Zip { name: name.to_owned(), source };
    let mut archive = zip::ZipArchive::new(Cursor::new(zip)).map_err(fail)?;
    let file = archive.by_index(0).map_err(fail)?;
    let secs = interval_secs(interval).ok_or_else(|| FetchError::Interval(interval.to_owned()))?;
    Ok(parse(path, file.take(UNPACKED_MAX), secs)?)
}

fn parse(path: &Path, text: impl Read, secs: u32) -> Result<Vec<Bar>, DataError> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
    let mut bars: Vec<Bar> = Vec::new();
    for (at, record) in reader.records().enumerate() {
        let line = at as u64 + 1;
        let fail = |source: LineError| DataError::Line { path: path.into(), line, source };
        let record = record.map_err(|error| fail(error.into()))?;
        // Some months open with names of columns.
        if line == 1 && record.get(0) == Some("open_time") {
            continue;
        }
        let bar = bar(&record, secs).map_err(fail)?;
        match bars.last() {
            Some(last) if bar.open_ts <= last.open_ts => {
                return Err(fail(LineError::NotLater { time: bar.open_ts, last: last.open_ts }));
            }
            _ => bars.push(bar),
        }
    }
    Ok(bars)
}

fn bar(record: &csv::StringRecord, secs: u32) -> Result<Bar, LineError> {
    if record.len() != COLUMNS {
        return Err(LineError::Fields { found: record.len(), expected: COLUMNS });
    }
    let number = |at: usize, column: &'static str| {
        record[at].parse::<f64>().map_err(|_| LineError::Number { column, text: record[at].into() })
    };
    let time: i64 = record[0].parse().map_err(|_| LineError::Number { column: "open time", text: record[0].into() })?;
    let open_ts = time / if time > MILLIS_MAX { 1_000_000 } else { 1_000 };
    let bar = Bar {
        open_ts,
        secs,
        open: number(1, "open")?,
        high: number(2, "high")?,
        low: number(3, "low")?,
        close: number(4, "close")?,
        volume: Some(number(5, "volume")?),
        taker_buy: Some(number(9, "taker buy base volume")?),
    };
    bar.validate()?;
    if open_ts.rem_euclid(i64::from(secs)) != 0 {
        return Err(LineError::OffGrid { time: open_ts, interval_secs: secs });
    }
    Ok(bar)
}

/// Returns the text of a candle file, with the column of what takers bought if `has_flow`.
///
/// Volumes are rounded to six significant digits, prices are as recorded: equal bars give equal text.
pub fn text(series: &Series, has_flow: bool) -> String {
    let mut text = super::COLUMNS.to_owned();
    if has_flow {
        text += &format!(",{}", super::FLOW_COLUMN);
    }
    text.push('\n');
    for bar in &series.bars {
        let Bar { open_ts, open, high, low, close, .. } = bar;
        // archives tell volumes
        let volume = bar.volume.unwrap_or(0.0);
        text += &format!("{open_ts},{open},{high},{low},{close},{}", six_digits(volume));
        if let (true, Some(bought)) = (has_flow, bar.taker_buy) {
            text += &format!(",{}", six_digits(bought.min(volume)).min(six_digits(volume)));
        }
        text.push('\n');
    }
    text
}

fn six_digits(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use zip::write::SimpleFileOptions;

    const MILLIS: &str = "1735682400000,190.1,191,189.9,190.5,1234.5678,1735685999999,235000.1,900,600.25,114000.5,0\n\
                          1735686000000,190.5,190.6,188,188.2,2000,1735689599999,378000,1000,900,170000,0\n";
    const MICROS: &str = "1735689600000000,188.2,189,187,188,0.00012345678,1735693199999999,1,2,0,0,0\n";

    fn zipped(text: &str) -> (Vec<u8>, String) {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        writer.start_file("SOLUSDT-1h-2024-12.csv", options).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
        let bytes = writer.finish().unwrap().into_inner();
        let sum = format!("{}  SOLUSDT-1h-2024-12.zip\n", super::super::sha256_hex(&bytes));
        (bytes, sum)
    }

    fn read(text: &str) -> Result<Vec<Bar>, FetchError> {
        let (zip, sum) = zipped(text);
        bars("SOLUSDT-1h-2024-12.zip", &zip, &sum, "1h")
    }

    #[test]
    fn bars_are_the_columns_of_the_archive_when_times_are_in_milliseconds_or_microseconds() {
        let bars = read(&format!("{MILLIS}{MICROS}")).unwrap();
        let times: Vec<i64> = bars.iter().map(|bar| bar.open_ts).collect();
        assert_eq!(times, [1_735_682_400, 1_735_686_000, 1_735_689_600]);
        let first = Bar {
            open_ts: 1_735_682_400,
            secs: 3_600,
            open: 190.1,
            high: 191.0,
            low: 189.9,
            close: 190.5,
            volume: Some(1_234.567_8),
            taker_buy: Some(600.25),
        };
        assert_eq!(bars[0], first);
        let header = "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore\n";
        assert_eq!(read(&format!("{header}{MILLIS}")).unwrap(), bars[..2]);
    }

    #[test]
    fn text_is_read_back_when_written_as_a_candle_file() {
        let series = Series {
            symbol: "SOLUSDT".to_owned(),
            interval_secs: 3_600,
            bars: read(&format!("{MILLIS}{MICROS}")).unwrap(),
        };
        let plain = text(&series, false);
        assert_eq!(plain.lines().nth(1), Some("1735682400,190.1,191,189.9,190.5,1234.57"));
        assert_eq!(plain.lines().nth(3), Some("1735689600,188.2,189,187,188,0.000123457"));
        let path = Path::new("SOLUSDT_1h.csv.gz");
        let read = super::super::parse(path, text(&series, true).as_bytes()).unwrap();
        assert_eq!(read.bars[0].taker_buy, Some(600.25));
        assert_eq!(super::super::parse(path, plain.as_bytes()).unwrap().bars[1].close, 188.2);
    }

    #[test]
    fn bars_are_refused_when_checksum_archive_or_line_is_wrong() {
        let (zip, sum) = zipped(MILLIS);
        let name = "SOLUSDT-1h-2024-12.zip";
        let other = format!("{}  {name}\n", "0".repeat(64));
        assert!(matches!(bars(name, &zip, &other, "1h"), Err(FetchError::Data(DataError::Checksum { .. }))));
        assert!(matches!(bars("other.zip", &zip, &sum, "1h"), Err(FetchError::Unlisted { .. })));
        let junk = b"not an archive";
        let junk_sum = format!("{}  {name}\n", super::super::sha256_hex(junk));
        assert!(matches!(bars(name, junk, &junk_sum, "1h"), Err(FetchError::Zip { .. })));
        let cases = [
            (format!("{MILLIS}1,2,3\n"), "SOLUSDT-1h-2024-12.zip line 3: 3 fields, expected 12"),
            (
                format!("{MICROS}{MILLIS}"),
                "SOLUSDT-1h-2024-12.zip line 2: time 1735682400 isn't later than 1735689600 on the line before",
            ),
            (MILLIS.replacen("190.1", "x", 1), "SOLUSDT-1h-2024-12.zip line 1: open is `x`, not a number"),
        ];
        for (text, expected) in cases {
            assert_eq!(read(&text).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn months_run_over_the_year_when_listed() {
        let all: Vec<Month> = months((2024, 11), (2025, 2)).collect();
        assert_eq!(all, [(2024, 11), (2024, 12), (2025, 1), (2025, 2)]);
        assert_eq!(
            url(ARCHIVE, "SOLUSDT", "1h", all[2]),
            "https://data.binance.vision/data/spot/monthly/klines/SOLUSDT/1h/SOLUSDT-1h-2025-01.zip"
        );
    }
}
