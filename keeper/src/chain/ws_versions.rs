//! Which version of an account within its slot a notification carries.
//!
//! The protocol tells slots and no write versions. A node tells the versions of one slot in their order, so the count of
//! different ones stands for it: of two sources that both tell the third version, the second to arrive changes nothing,
//! and one that is late by a version undoes nothing.

use crate::watch::Update;
use anchor_lang::prelude::Pubkey;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Counts of one connection. Bounded by the accounts that are subscribed to.
#[derive(Debug, Default)]
pub struct Versions {
    last: HashMap<Pubkey, Last>,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    slot: u64,
    version: u64,
    content: u64,
    /// As the server counts: over all its accounts, and for itself alone.
    #[cfg_attr(not(feature = "grpc"), expect(dead_code, reason = "subscriptions don't tell it"))]
    written: u64,
}

impl Versions {
    /// Returns the version of `update`: the last one again, where the same is told twice.
    pub fn number(&mut self, update: &Update) -> u64 {
        self.take(update, 0)
    }

    /// As [`Self::number`], where the server counts its writes; `None` for a version that an earlier one overtook.
    ///
    /// A server's count says nothing about another server's, so that the place within the slot stands for it too.
    #[cfg(feature = "grpc")]
    pub fn place(&mut self, update: &Update, written: u64) -> Option<u64> {
        let last = self.last.get(&update.key).filter(|last| last.slot == update.slot);
        let is_overtaken = last.is_some_and(|last| written < last.written);
        (!is_overtaken).then(|| self.take(update, written))
    }

    fn take(&mut self, update: &Update, written: u64) -> u64 {
        let mut hasher = DefaultHasher::new();
        (update.owner, update.lamports, &update.data).hash(&mut hasher);
        let content = hasher.finish();
        let before = self.last.get(&update.key).filter(|last| last.slot == update.slot);
        let version = before.map_or(1, |last| last.version + u64::from(last.content != content));
        self.last.insert(update.key, Last { slot: update.slot, version, content, written });
        version
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::Origin;

    #[test]
    fn versions_of_a_slot_are_counted_and_repetitions_are_not() {
        let mut versions = Versions::default();
        let update = |slot, lamports| Update { lamports, ..Update::absent(Pubkey::default(), slot, Origin::Push) };
        let told = [(5, 1), (5, 1), (5, 2), (6, 2), (6, 3), (6, 2)];
        let numbers: Vec<u64> = told.map(|(slot, lamports)| versions.number(&update(slot, lamports))).into();
        assert_eq!(numbers, [1, 1, 2, 1, 2, 3]);
    }

    #[cfg(feature = "grpc")]
    #[test]
    fn counted_writes_are_placed_within_their_slot_and_late_ones_are_left_out() {
        let mut versions = Versions::default();
        let update = |slot, lamports| Update { lamports, ..Update::absent(Pubkey::default(), slot, Origin::Push) };
        let told = [(5, 1, 900), (5, 2, 907), (5, 1, 903), (5, 2, 907), (6, 1, 10), (6, 3, 11)];
        let places = told.map(|(slot, lamports, written)| versions.place(&update(slot, lamports), written));
        assert_eq!(places, [Some(1), Some(2), None, Some(2), Some(1), Some(2)]);
    }
}
