//! How far a build is, out of cargo's own lines.

use std::time::{Duration, Instant};

/// Between two plain lines.
const LINE_PAUSE: Duration = Duration::from_secs(15);
/// Width of the bar, characters.
const WIDTH: usize = 30;

/// Counts what cargo says it compiles.
pub struct Progress {
    total: usize,
    done: usize,
    is_plain: bool,
    began: Instant,
    last_line: Option<Instant>,
}

impl Progress {
    /// Starts with about `total` packages to come.
    pub fn new(total: usize, is_plain: bool) -> Self {
        Self { total, done: 0, is_plain, began: Instant::now(), last_line: None }
    }

    /// Takes a line of cargo's; returns it where it has to be shown as it is.
    pub fn take<'a>(&mut self, line: &'a str) -> Option<&'a str> {
        let text = line.trim_start();
        if let Some(package) = text.strip_prefix("Compiling ") {
            self.done += 1;
            self.show(package);
            return None;
        }
        let is_chatter = ["Downloading", "Downloaded", "Updating", "Locking", "Finished", "Fresh"]
            .iter()
            .any(|w| text.starts_with(w));
        (!is_chatter && !text.is_empty()).then_some(line)
    }

    fn show(&mut self, package: &str) {
        let name = package.split_ascii_whitespace().next().unwrap_or_default();
        let (done, total) = (self.done.min(self.total), self.total);
        if self.is_plain {
            if self.last_line.is_none_or(|at| at.elapsed() >= LINE_PAUSE) {
                self.last_line = Some(Instant::now());
                eprintln!(
                    "{done} of about {total} packages, {} s passed{}",
                    self.began.elapsed().as_secs(),
                    self.left()
                );
            }
            return;
        }
        let full = WIDTH * done / total.max(1);
        let bar = format!("{}{}", "#".repeat(full), ".".repeat(WIDTH - full));
        // the line is cleared to its end, as names differ in length
        eprint!("\r[{bar}] {done} of about {total}{}  {name}\x1b[K", self.left());
    }

    /// What is left at the pace so far. Early on it says little, so nothing is said.
    fn left(&self) -> String {
        if self.done < 20 || self.done >= self.total {
            return String::new();
        }
        let secs = self.began.elapsed().as_secs() * (self.total - self.done) as u64 / self.done as u64;
        format!(", about {} min {} s left", secs / 60, secs % 60)
    }

    /// Ends the bar's line.
    pub fn finish(&self) {
        if !self.is_plain && self.done > 0 {
            eprintln!();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compiled_packages_are_counted_and_problems_are_shown() {
        let mut progress = Progress::new(2, true);
        assert_eq!(progress.take("   Compiling serde v1.0.0"), None);
        assert_eq!(progress.take("    Finished `dev` profile"), None);
        assert_eq!(progress.take("error[E0308]: mismatched types"), Some("error[E0308]: mismatched types"));
        assert_eq!(progress.done, 1);
    }

    #[test]
    fn more_packages_than_estimated_do_no_harm() {
        let mut progress = Progress::new(1, false);
        (0..3).for_each(|_| assert_eq!(progress.take("Compiling a v1"), None));
        assert_eq!(progress.done, 3);
    }
}
