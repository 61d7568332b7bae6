//! When keepers look for positions to liquidate: our index at every print, and the habits of others, written anew from
//! their sources and named after what they do. None of these is the other keeper itself: those need their own programs'
//! accounts.

use crate::assess::position::Candidate;
use crate::watch::index::{PriceIndex, threshold};
use anchor_lang::prelude::Pubkey;
use rampart::math::Price;
use rampart::state::{Position, Vault};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// How somebody looks for positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Habit {
    /// The index, at every print.
    Index,
    /// All positions, at every print.
    EveryPrint,
    /// All positions, every so many slots.
    Scan(usize),
    /// At every print those within 10 % of the line when all were last looked at, every so many slots.
    Band(usize),
}

impl Habit {
    /// All that are compared: prints of 400 ms, so scans of 1.2 s, 5.2 s and 10 s.
    pub const ALL: [Self; 6] =
        [Self::Index, Self::EveryPrint, Self::Scan(3), Self::Scan(13), Self::Scan(25), Self::Band(75)];

    /// Returns what it does.
    pub fn name(self) -> String {
        let secs = |slots: usize| format!("{}.{} s", slots * 4 / 10, slots * 4 % 10);
        match self {
            Self::Index => "index at every print (Rampart)".into(),
            Self::EveryPrint => "all positions at every print".into(),
            Self::Scan(slots) => format!("all positions every {}", secs(slots)),
            Self::Band(slots) => format!("within 10 % of the line at every print, all every {}", secs(slots)),
        }
    }
}

/// Positions of one vault.
pub struct Book {
    /// The vault and its address.
    pub vault: (Pubkey, Vault),
    /// Its positions.
    pub positions: HashMap<Pubkey, Position>,
}

/// What came of a habit over one path of prices. A position that was found is dealt with, and gone.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Positions that were liquidatable at some print.
    pub due: usize,
    /// Those that were never found while they were.
    pub missed: usize,
    /// Slots from the print that made it so until it was found, of those found.
    pub delays: Vec<usize>,
    /// Time spent looking.
    pub spent: Duration,
}

/// A habit at work.
struct Search<'a> {
    book: &'a Book,
    index: PriceIndex,
    left: Vec<Pubkey>,
    band: Vec<Pubkey>,
}

impl Book {
    fn is_ripe(&self, at: &Pubkey, price: Price) -> bool {
        let judged = self.positions.get(at).and_then(|p| Candidate::judge(*at, self.vault.0, p, &self.vault.1, price));
        judged.is_some_and(|candidate| candidate.is_liquidatable())
    }

    /// Returns how many positions are liquidatable at a price in thousandths of a dollar, by looking at each.
    ///
    /// # Panics
    /// If the price is outside the range of prices.
    pub fn due_at(&self, milli: u64) -> usize {
        self.positions.keys().filter(|at| self.is_ripe(at, price_of(milli))).count()
    }

    /// Returns the price index over all positions.
    pub fn index(&self) -> PriceIndex {
        let mut index = PriceIndex::default();
        self.positions.iter().for_each(|(at, position)| index.put(*at, Some(position)));
        index
    }

    /// Plays `habit` over prices in thousandths of a dollar, one for each slot.
    ///
    /// # Panics
    /// If a price is outside the range of prices.
    pub fn play(&self, habit: Habit, prices: &[u64]) -> Found {
        let index = if habit == Habit::Index { self.index() } else { PriceIndex::default() };
        let mut search = Search { book: self, index, left: self.positions.keys().copied().collect(), band: vec![] };
        let mut found = Found::default();
        for (slot, milli) in prices.iter().enumerate() {
            let began = Instant::now();
            let now = search.look(habit, slot, price_of(*milli));
            search.forget(habit, &now);
            found.spent += began.elapsed();
            let since =
                |at: &Pubkey| prices[..slot].iter().rev().take_while(|p| self.is_ripe(at, price_of(**p))).count();
            found.delays.extend(now.iter().map(since));
        }
        found.due = self.due_at(prices.iter().min().copied().unwrap_or(1));
        found.missed = found.due - found.delays.len();
        found
    }
}

impl Search<'_> {
    fn look(&mut self, habit: Habit, slot: usize, price: Price) -> Vec<Pubkey> {
        let book = self.book;
        let ripe = |all: &[Pubkey]| all.iter().filter(|at| book.is_ripe(at, price)).copied().collect();
        match habit {
            Habit::Index => {
                let vault = &book.vault.1;
                let lowest = threshold(price, vault.borrow_index_q64.get(), vault.risk.liquidation_line_bps);
                let reached = self.index.vault(&book.vault.0).into_iter().flat_map(|index| index.candidates(lowest));
                reached.filter(|at| book.is_ripe(at, price)).collect()
            }
            Habit::EveryPrint => ripe(&self.left),
            Habit::Scan(every) if slot.is_multiple_of(every) => ripe(&self.left),
            Habit::Scan(_) => vec![],
            Habit::Band(every) => {
                if slot.is_multiple_of(every) {
                    let lower = Price::from_q64(price.q64() / 10 * 9).unwrap_or(price);
                    self.band = self.left.iter().filter(|at| book.is_ripe(at, lower)).copied().collect();
                }
                ripe(&self.band)
            }
        }
    }

    fn forget(&mut self, habit: Habit, found: &[Pubkey]) {
        if found.is_empty() {
            return;
        }
        if habit == Habit::Index {
            return found.iter().for_each(|at| self.index.put(*at, None));
        }
        let gone: std::collections::HashSet<&Pubkey> = found.iter().collect();
        self.left.retain(|at| !gone.contains(at));
        self.band.retain(|at| !gone.contains(at));
    }
}

fn price_of(milli: u64) -> Price {
    Price::from_decimal(milli.into(), -3).expect("the price is in range")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::engine::book;
    use crate::bench::market::Path;

    #[test]
    fn index_misses_nothing_and_finds_at_the_print_itself_and_a_scan_misses_a_wick() {
        let book = book(2_000, 7);
        for path in Path::ALL {
            let prices = path.prices(7);
            let ours = book.play(Habit::Index, &prices);
            assert_eq!((ours.missed, ours.delays.iter().max().copied().unwrap_or(0)), (0, 0), "{path:?}");
            let all = book.play(Habit::EveryPrint, &prices);
            assert_eq!((ours.due, ours.delays.len()), (all.due, all.delays.len()), "{path:?}");
        }
        let wick = Path::Wick.prices(7);
        assert!(book.play(Habit::Scan(25), &wick).missed > 0);
        assert!(book.play(Habit::Band(75), &wick).missed > 0);
    }
}
