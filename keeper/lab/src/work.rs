//! Work that takes minutes or hours, in parts: a bar with an estimate, finished parts kept on disk, and what Ctrl-C says of them.
//!
//! The bar is drawn on standard error where that is a terminal, and nowhere else. Parts are kept beside the file that the work is
//! for, one line of JSON each, written when it is finished; the file goes once the result is there. A part depends on the key of
//! its work and on its own name alone, so that work that was stopped comes to the same result. Ctrl-C says what is kept and ends the
//! process with [`INTERRUPTED`], never within a write.

use crate::data::sha256_hex;
use crate::whole;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;

/// Exit code of work that Ctrl-C stopped.
pub const INTERRUPTED: i32 = 130;

/// What Ctrl-C says; none while nothing runs that would be lost.
static SAID: Mutex<Option<Box<dyn Fn() -> String + Send>>> = Mutex::new(None);
static LISTENING: Once = Once::new();

/// Why work can't be begun.
#[derive(Debug, thiserror::Error)]
#[error("failed to keep finished parts in {}: {source}", path.display())]
pub struct WorkError {
    /// The file of parts.
    path: PathBuf,
    /// Why.
    source: io::Error,
}

/// Lets Ctrl-C end the process with [`INTERRUPTED`] and say `said` before. The last caller's text holds.
pub fn at_interrupt(said: impl Fn() -> String + Send + 'static) {
    *SAID.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(said));
    LISTENING.call_once(|| {
        // Where the system refuses a handler, Ctrl-C ends the process as it always did.
        let Ok(mut signals) = signal_hook::iterator::Signals::new([signal_hook::consts::SIGINT]) else { return };
        std::thread::spawn(move || {
            if signals.forever().next().is_some() {
                let _held = whole::writing();
                let said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
                let line = said.as_ref().map_or_else(|| "stopped".into(), |said| said());
                // Nowhere left to tell it.
                let _ = writeln!(io::stderr(), "{line}");
                std::process::exit(INTERRUPTED);
            }
        });
    });
}

/// Returns a bar with an estimate that counts `what`; hidden where standard error is no terminal.
pub fn bar(what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template(&format!("{{bar:30}} {{pos}}/{{len}} {what}, {{eta}} left {{wide_msg}}"));
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Work in parts.
#[derive(Debug)]
pub struct Work {
    bar: ProgressBar,
    kept: Option<Kept>,
}

/// The file of finished parts.
#[derive(Debug)]
struct Kept {
    path: PathBuf,
    file: File,
    values: BTreeMap<String, Value>,
    count: Arc<AtomicU64>,
}

impl Work {
    /// Returns work without a bar that keeps nothing, for callers that have their own way.
    pub fn quiet() -> Self {
        Self { bar: ProgressBar::hidden(), kept: None }
    }

    /// Begins work for the file `out`, or goes on with what was stopped under an equal `key`; without a file nothing is kept.
    ///
    /// # Errors
    /// The file of parts can't be read or written.
    pub fn begin(out: Option<&Path>, key: &impl Serialize, what: &'static str) -> Result<Self, WorkError> {
        let kept = out.map(|out| Kept::open(out, key)).transpose()?;
        let work = Self { bar: bar(what), kept };
        let (bar, kept) = (work.bar.clone(), work.kept.as_ref().map(|kept| (kept.path.clone(), kept.count.clone())));
        at_interrupt(move || {
            bar.finish_and_clear();
            match kept.as_ref().map(|(path, count)| (path, count.load(Ordering::Relaxed))) {
                Some((path, count)) if count > 0 => format!(
                    "stopped: {count} {what} are kept in {}, the same command goes on from there; no result was written",
                    path.display()
                ),
                Some((path, _)) => {
                    // an empty one is of no use to anybody
                    let _ = std::fs::remove_file(path);
                    "stopped: no part was finished, and nothing was written".into()
                }
                None => "stopped: nothing was written".into(),
            }
        });
        Ok(work)
    }

    /// Adds to the parts that the bar counts to.
    pub fn expect(&self, parts: usize) {
        self.bar.inc_length(parts as u64);
        // the estimate moves on within a part; before this there is nothing to estimate
        self.bar.enable_steady_tick(Duration::from_millis(500));
    }

    /// Makes something that is quick to make again, and isn't kept.
    ///
    /// # Errors
    /// What `make` fails with.
    pub fn step<T, E>(&self, name: &'static str, make: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        self.bar.set_message(name);
        let made = make()?;
        self.bar.inc(1);
        Ok(made)
    }

    /// Counts a part that can't be made.
    pub fn skip(&self) {
        self.bar.inc(1);
    }

    /// Returns a part: as it was kept, or made and kept. A name MUST say all that the part hangs on beside the work's key.
    pub fn part<T: Serialize + DeserializeOwned>(&mut self, name: &str, make: impl FnOnce() -> T) -> T {
        let Ok(made) = self.try_part::<T, std::convert::Infallible>(name, || Ok(make()));
        made
    }

    /// As [`Work::part`]; what fails is not kept.
    ///
    /// # Errors
    /// What `make` fails with.
    pub fn try_part<T: Serialize + DeserializeOwned, E>(
        &mut self,
        name: &str,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        self.bar.set_message(name.to_owned());
        let found = self.kept.as_ref().and_then(|kept| T::deserialize(kept.values.get(name)?).ok());
        let part = match found {
            Some(part) => part,
            None => {
                let made = make()?;
                if let Some(kept) = &mut self.kept {
                    kept.add(name, &made);
                }
                made
            }
        };
        self.bar.inc(1);
        Ok(part)
    }

    /// Prints something of one's own while the bar is away.
    pub fn told(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

    /// Ends the work, once its result is written: what was kept of it goes.
    pub fn finish(self) {
        self.bar.finish_and_clear();
        *SAID.lock().unwrap_or_else(PoisonError::into_inner) = None;
        if let Some(kept) = self.kept {
            // The result is there: parts that stay are read by nobody but an equal run.
            let _ = std::fs::remove_file(kept.path);
        }
    }
}

impl Kept {
    /// Opens the file of this key; a last line that was cut off is dropped, as is one that isn't a part.
    fn open(out: &Path, key: &impl Serialize) -> Result<Self, WorkError> {
        let key = sha256_hex(serde_json::to_string(key).unwrap_or_default().as_bytes());
        let name = out.file_name().unwrap_or_default().to_string_lossy();
        let path = out.with_file_name(format!("{name}.{}.parts", &key[..8]));
        let fail = |source| WorkError { path: path.clone(), source };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(fail(error)),
        };
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
            std::fs::create_dir_all(dir).map_err(fail)?;
        }
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(fail)?;
        file.set_len(whole as u64).map_err(fail)?;
        let values: BTreeMap<String, Value> = text[..whole].lines().filter_map(part_of).collect();
        let count = Arc::new(AtomicU64::new(values.len() as u64));
        Ok(Self { path, file, values, count })
    }

    /// Keeps a part. Where the disk is full the work goes on, and Ctrl-C counts what is there.
    fn add(&mut self, name: &str, made: &impl Serialize) {
        let line = format!("{}\n", json!({ "part": name, "value": made }));
        let _held = whole::writing();
        if self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_data()).is_ok() {
            self.count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn part_of(line: &str) -> Option<(String, Value)> {
    let mut line: Value = serde_json::from_str(line).ok()?;
    Some((line["part"].as_str()?.to_owned(), line["value"].take()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn played(dir: &Path, key: &str, until: usize, made: &mut Vec<usize>) -> Vec<f64> {
        let kept = Kept::open(&dir.join("out.json"), &key).unwrap();
        let mut work = Work { kept: Some(kept), ..Work::quiet() };
        let mut part = |at: usize| {
            work.part(&at.to_string(), || {
                made.push(at);
                0.1 + at as f64 / 3.0
            })
        };
        let values = (0..until).map(&mut part).collect();
        if until == 4 {
            work.finish();
        }
        values
    }

    #[test]
    fn work_goes_on_where_it_was_stopped_and_comes_to_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let (mut first, mut rest, mut other, mut again) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        played(dir.path(), "a", 3, &mut first);
        let path = std::fs::read_dir(dir.path()).unwrap().next().unwrap().unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        // killed in the middle of a line
        std::fs::write(&path, &text[..text.len() - 5]).unwrap();
        let found = played(dir.path(), "a", 4, &mut rest);
        assert_eq!((first, rest), (vec![0, 1, 2], vec![2, 3]));
        assert!(!path.exists(), "the result is there");
        assert_eq!(found, played(dir.path(), "a", 4, &mut again));
        assert_eq!(again.len(), 4);
        // another key knows nothing of it
        played(dir.path(), "a", 2, &mut Vec::new());
        played(dir.path(), "b", 2, &mut other);
        assert_eq!((other, std::fs::read_dir(dir.path()).unwrap().count()), (vec![0, 1], 2));
    }

    #[test]
    fn part_that_fails_is_not_kept() {
        let dir = tempfile::tempdir().unwrap();
        let kept = Kept::open(&dir.path().join("out.json"), &1).unwrap();
        let mut work = Work { kept: Some(kept), ..Work::quiet() };
        assert_eq!(work.try_part("a", || Err::<u32, _>("no")), Err("no"));
        assert_eq!(work.try_part("a", || Ok::<_, &str>(7)), Ok(7));
        assert_eq!(work.kept.as_ref().map(|kept| kept.count.load(Ordering::Relaxed)), Some(1));
    }
}
