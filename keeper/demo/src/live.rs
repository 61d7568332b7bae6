//! What is shown while a run goes on: a bar and a table on a terminal, plain lines elsewhere. Always on standard error.

use crate::watch::Snapshot;
use crate::world::{Coin, VAULTS, vault_name};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Between two plain lines.
const LINE_PAUSE: Duration = Duration::from_secs(10);

/// The display of one run.
pub enum Live {
    /// A terminal.
    Bars {
        /// Progress of the story.
        bar: ProgressBar,
        /// The table below it.
        table: ProgressBar,
        /// Holds both.
        all: MultiProgress,
    },
    /// Anything else.
    Lines {
        /// When the last line was printed.
        last: Option<Instant>,
    },
}

impl Live {
    /// Opens the display for a story of `secs` chain seconds.
    pub fn open(is_headless: bool, secs: i64) -> Self {
        if is_headless || !std::io::stderr().is_terminal() {
            return Self::Lines { last: None };
        }
        let all = MultiProgress::new();
        let bar = all.add(ProgressBar::new(secs.unsigned_abs()));
        let style = ProgressStyle::with_template(
            "{bar:40.cyan/blue} {pos}/{len} s of the market, {elapsed} passed, {eta} left",
        );
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let table = all.add(ProgressBar::new_spinner());
        table.set_style(ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()));
        Self::Bars { bar, table, all }
    }

    /// Prints a line that stays.
    pub fn say(&self, line: &str) {
        match self {
            Self::Bars { all, .. } => drop(all.println(line)),
            Self::Lines { .. } => eprintln!("{line}"),
        }
    }

    /// Shows the present moment.
    pub fn update(&mut self, at_secs: i64, snapshot: &Snapshot, usd: [f64; 3]) {
        match self {
            Self::Bars { bar, table, .. } => {
                bar.set_position(at_secs.unsigned_abs());
                table.set_message(rows(snapshot, usd));
            }
            Self::Lines { last } if last.is_none_or(|at| at.elapsed() >= LINE_PAUSE) => {
                *last = Some(Instant::now());
                eprintln!("second {at_secs}\n{}", rows(snapshot, usd));
            }
            Self::Lines { .. } => {}
        }
    }

    /// Closes the display.
    pub fn close(&self) {
        if let Self::Bars { bar, table, .. } = self {
            table.finish_and_clear();
            bar.finish_and_clear();
        }
    }
}

/// Prices, and one row for each vault.
fn rows(snapshot: &Snapshot, usd: [f64; 3]) -> String {
    let prices = Coin::ALL.map(|coin| format!("{} {:.4}", coin.symbol(), usd[coin.index()])).join("   ");
    let vaults = VAULTS.iter().enumerate().map(|(at, _)| {
        let (vault, level) = (&snapshot.vaults[at], snapshot.level(at));
        let whole = |amount: u64| amount / crate::world::params::USDC;
        let debt = vault.debt_amount().unwrap_or(0);
        format!(
            "  {:<9} {:<11} cash {:>9}  debt {:>9}  liquidated {:>9}  bad debt {:>7} USDC",
            vault_name(at),
            format!("{level:?}"),
            whole(vault.cash_amount),
            whole(debt),
            whole(vault.totals.liquidated_amount),
            whole(vault.totals.bad_debt_amount),
        )
    });
    format!("  {prices}\n{}", vaults.collect::<Vec<_>>().join("\n"))
}
