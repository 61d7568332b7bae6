//! Downloads months of the archive and joins them to one candle file.

use super::archive::{Month, bars, months, text, url, zip_name};
use super::{Checksums, DataError, Series, read::interval_secs, sha256_hex};
use flate2::{Compression, GzBuilder};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(120);

/// Why a market isn't fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The archive can't be reached, or doesn't have the file.
    #[error("failed to download {url}: {source}")]
    Download {
        /// What was asked for.
        url: String,
        /// Why it failed.
        source: reqwest::Error,
    },
    /// The `.CHECKSUM` is another file's.
    #[error("{name} isn't named by its checksum file: fetch it again")]
    Unlisted {
        /// The zip.
        name: String,
    },
    /// Not an archive of one file.
    #[error("failed to unpack {name}: {source}")]
    Zip {
        /// The zip.
        name: String,
        /// Why.
        source: zip::result::ZipError,
    },
    /// An interval that isn't a number of minutes, hours or days.
    #[error("interval `{0}` isn't one of 1m, 5m, 15m, 1h, 4h, 1d")]
    Interval(String),
    /// A month that isn't later than the one before, or no bars at all.
    #[error("{name} starts before the month before it ended, or is empty: fetch it again")]
    Order {
        /// The zip.
        name: String,
    },
    /// A line or checksum is wrong, or a file can't be written.
    #[error(transparent)]
    Data(#[from] DataError),
}

/// What to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Address of the archive: [`ARCHIVE`](super::ARCHIVE), or a mirror of it.
    pub archive: String,
    /// Name of the market in the archive.
    pub symbol: String,
    /// Interval in the archive's words: `1h`.
    pub interval: String,
    /// First month.
    pub from: Month,
    /// Last month.
    pub to: Month,
    /// Whether to keep what takers bought.
    pub has_flow: bool,
}

/// Downloads, checks and joins the months, writes `SYMBOL_INTERVAL.csv.gz` into `dir` and its line into SHA256SUMS.
///
/// `seen` is told of each month that was read.
///
/// # Errors
/// The first month that can't be had or used; nothing is written then.
pub fn fetch(request: &Request, dir: &Path, seen: impl Fn(Month)) -> Result<PathBuf, FetchError> {
    let client = reqwest::blocking::Client::builder().timeout(TIMEOUT).build();
    let client = client.map_err(|source| FetchError::Download { url: request.archive.clone(), source })?;
    let get = |url: &str| {
        let response = client.get(url).send().and_then(reqwest::blocking::Response::error_for_status);
        let bytes = response.and_then(reqwest::blocking::Response::bytes);
        bytes.map(|bytes| bytes.to_vec()).map_err(|source| FetchError::Download { url: url.to_owned(), source })
    };
    let series = join(request, get, seen)?;
    write(&series, request, dir)
}

/// Reads every month through `get` and joins them.
fn join(
    request: &Request,
    get: impl Fn(&str) -> Result<Vec<u8>, FetchError>,
    seen: impl Fn(Month),
) -> Result<Series, FetchError> {
    let secs = interval_secs(&request.interval).ok_or_else(|| FetchError::Interval(request.interval.clone()))?;
    let mut series = Series { symbol: request.symbol.clone(), interval_secs: secs, bars: Vec::new() };
    for month in months(request.from, request.to) {
        let Request { archive, symbol, interval, .. } = request;
        let (name, url) = (zip_name(symbol, interval, month), url(archive, symbol, interval, month));
        let (zip, sum) = (get(&url)?, get(&format!("{url}.CHECKSUM"))?);
        let found = bars(&name, &zip, &String::from_utf8_lossy(&sum), &request.interval)?;
        let last = series.bars.last().map_or(i64::MIN, |bar| bar.open_ts);
        if found.first().is_none_or(|bar| bar.open_ts <= last) {
            return Err(FetchError::Order { name });
        }
        series.bars.extend(found);
        seen(month);
    }
    Ok(series)
}

fn write(series: &Series, request: &Request, dir: &Path) -> Result<PathBuf, FetchError> {
    let name = format!("{}_{}.csv.gz", request.symbol, request.interval);
    let path = dir.join(&name);
    let fail = |source| DataError::Io { path: path.clone(), source };
    std::fs::create_dir_all(dir).map_err(fail)?;
    // Without a time in the header, equal bars give an equal file.
    let mut packed = GzBuilder::new().write(Vec::new(), Compression::best());
    packed.write_all(text(series, request.has_flow).as_bytes()).map_err(fail)?;
    let packed = packed.finish().map_err(fail)?;
    let aside = path.with_extension("part");
    std::fs::write(&aside, &packed).and_then(|()| std::fs::rename(&aside, &path)).map_err(fail)?;
    Checksums::read(dir)?.record(dir, &name, &sha256_hex(&packed))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Checksum, list};
    use std::io::Cursor;
    use zip::write::SimpleFileOptions;

    fn request() -> Request {
        let archive = "http://archive/".into();
        let (symbol, interval) = ("SOLUSDT".into(), "1h".into());
        Request { archive, symbol, interval, from: (2024, 12), to: (2025, 1), has_flow: false }
    }

    /// An archive of one line for each month: the end of 2024 in milliseconds, the start of 2025 in microseconds.
    fn archive(url: &str) -> Result<Vec<u8>, FetchError> {
        let time = if url.contains("2024-12") { "1735686000000" } else { "1735689600000000" };
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file("month.csv", SimpleFileOptions::default()).unwrap();
        writer.write_all(format!("{time},10,11,9,10,5,0,0,0,2,0,0\n").as_bytes()).unwrap();
        let zip = writer.finish().unwrap().into_inner();
        let name = url.trim_end_matches(".CHECKSUM").rsplit('/').next().unwrap();
        let sum = format!("{}  {name}\n", sha256_hex(&zip)).into_bytes();
        Ok(if url.ends_with(".CHECKSUM") { sum } else { zip })
    }

    #[test]
    fn months_become_one_checked_file_when_joined() {
        let dir = tempfile::tempdir().unwrap();
        let series = join(&request(), archive, |_| ()).unwrap();
        write(&series, &request(), dir.path()).unwrap();
        let found = list(dir.path()).unwrap();
        assert_eq!((found.len(), found[0].checksum), (1, Checksum::Matches));
        let read = found[0].series.as_ref().unwrap();
        assert_eq!(read.bars.iter().map(|bar| bar.open_ts).collect::<Vec<_>>(), [1_735_686_000, 1_735_689_600]);
        assert_eq!(read.gaps(), []);
    }

    #[test]
    fn join_fails_when_a_month_repeats_the_one_before() {
        // the second month brings the first one's bars, under its own name
        let stuck = |url: &str| {
            let bytes = archive(&url.replace("2025-01", "2024-12"))?;
            let is_sum = url.contains("2025-01") && url.ends_with(".CHECKSUM");
            Ok(if is_sum { String::from_utf8_lossy(&bytes).replace("2024-12", "2025-01").into_bytes() } else { bytes })
        };
        let error = join(&request(), stuck, |_| ()).unwrap_err();
        assert!(matches!(&error, FetchError::Order { name } if name == "SOLUSDT-1h-2025-01.zip"), "{error}");
    }
}
