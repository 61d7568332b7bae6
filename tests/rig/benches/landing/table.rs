//! One row of the table: what the chain says of the trips.

use crate::clients::Habit;
use crate::trouble::Trouble;
use rampart_rig::Scene;
use solana_sdk::pubkey::Pubkey;
use std::fmt;

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contender {
    /// The keeper of this repository.
    Rampart,
    /// `send_and_confirm_transaction`.
    Client(Habit),
}

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rampart => "rampart",
            Self::Client(Habit::Once) => "`send_and_confirm_transaction`",
            Self::Client(Habit::Loop) => "the same, in a loop",
        })
    }
}

/// What became of one trip.
pub struct Trip {
    /// Slots from the block that made the rule true to the one that tripped it; `None` where none did.
    slots: Option<u64>,
    signatures: usize,
    /// Transactions in blocks beyond the first: the program refuses them, and they cost a fee.
    doubles: usize,
}

impl Trip {
    /// Reads the chain.
    pub fn read(scene: &Scene, rule: &Pubkey, due: u64) -> Self {
        let (slots, signatures) = (scene.slots_to(rule, due), scene.signatures_about(rule));
        let state = scene.chain.state();
        let landed = signatures.iter().filter(|signature| state.landed(signature).is_some()).count();
        Self { slots, signatures: signatures.len(), doubles: landed.saturating_sub(1) }
    }
}

/// What became of the trips of one contender in one trouble.
pub struct Row {
    trouble: Trouble,
    contender: Contender,
    trips: Vec<Trip>,
    /// Of those that landed, in order.
    slots: Vec<u64>,
}

impl Row {
    /// Header of the table.
    pub const HEAD: &'static str = "| trouble | who sends | landed | slots to land: p50 | p90 | worst | signatures | in a block twice |\n\
                                    | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |";

    /// Sums up.
    pub fn of(trouble: Trouble, contender: Contender, chains: Vec<Vec<Trip>>) -> Self {
        let trips: Vec<Trip> = chains.into_iter().flatten().collect();
        let mut slots: Vec<u64> = trips.iter().filter_map(|trip| trip.slots).collect();
        slots.sort_unstable();
        Self { trouble, contender, trips, slots }
    }

    fn at(&self, share: usize) -> String {
        let place = (self.slots.len() * share).div_ceil(100).saturating_sub(1);
        self.slots.get(place).map_or_else(|| "-".to_owned(), ToString::to_string)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (trouble, who, landed, all) = (self.trouble.name(), self.contender, self.slots.len(), self.trips.len());
        let sum = |of: fn(&Trip) -> usize| self.trips.iter().map(of).sum::<usize>();
        write!(f, "| {trouble} | {who} | {landed} of {all} | {} | {} | {} ", self.at(50), self.at(90), self.at(100))?;
        write!(f, "| {} | {} |", sum(|trip| trip.signatures), sum(|trip| trip.doubles))
    }
}
