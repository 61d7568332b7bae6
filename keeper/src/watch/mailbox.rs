//! Updates on their way from the sources' tasks to the one task that owns the state.
//!
//! A map by key, not a queue: under load intermediate versions of an account are lost, the newest never. Memory is
//! bounded by the number of accounts, and no sender ever waits.

use crate::watch::{Origin, Update};
use anchor_lang::prelude::Pubkey;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use tokio::sync::Notify;

/// The newest undelivered version of each account.
#[derive(Debug, Default)]
pub struct Mailbox {
    waiting: Mutex<HashMap<Pubkey, Update>>,
    notify: Notify,
}

impl Mailbox {
    /// Puts updates in.
    pub fn put(&self, updates: impl IntoIterator<Item = Update>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for update in updates {
            let Some(known) = waiting.get_mut(&update.key) else {
                waiting.insert(update.key, update);
                continue;
            };
            // what is left out must not hide who told of it, nor that a subscription did
            let told_by = known.told_by | update.told_by;
            let is_pushed = Origin::Push == known.origin || Origin::Push == update.origin;
            if update.replaces(known) {
                *known = update;
            }
            known.told_by = told_by;
            known.origin = if is_pushed { Origin::Push } else { Origin::Poll };
        }
        drop(waiting);
        self.notify.notify_one();
    }

    /// Takes out all that waits.
    pub fn take(&self) -> Vec<Update> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.drain().map(|(_, update)| update).collect()
    }

    /// Waits until something was put in since the last wait.
    pub async fn changed(&self) {
        self.notify.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(key: u8, slot: u64, lamports: u64, origin: Origin) -> Update {
        Update { lamports, ..Update::absent(Pubkey::new_from_array([key; 32]), slot, origin) }
    }

    #[test]
    fn newest_version_of_each_account_is_kept() {
        let mailbox = Mailbox::default();
        mailbox.put([update(1, 5, 1, Origin::Push), update(2, 5, 2, Origin::Push), update(1, 4, 3, Origin::Push)]);
        mailbox.put([update(1, 5, 4, Origin::Push), update(2, 5, 5, Origin::Poll)]);
        let mut taken: Vec<_> = mailbox.take().into_iter().map(|u| (u.key.to_bytes()[0], u.lamports)).collect();
        taken.sort_unstable();
        assert_eq!(taken, [(1, 4), (2, 2)]);
        assert!(mailbox.take().is_empty());
    }

    #[test]
    fn answer_that_overtakes_a_notification_keeps_its_origin() {
        let mailbox = Mailbox::default();
        mailbox.put([update(1, 5, 1, Origin::Push)]);
        mailbox.put([update(1, 6, 2, Origin::Poll)]);
        assert_eq!(mailbox.take(), [update(1, 6, 2, Origin::Push)]);
    }

    #[tokio::test]
    async fn update_before_the_wait_ends_it() {
        let mailbox = Mailbox::default();
        mailbox.put([update(1, 5, 1, Origin::Push)]);
        mailbox.changed().await;
        assert_eq!(mailbox.take().len(), 1);
    }

    #[test]
    fn fault_17_flood_keeps_the_newest_version_of_each_account_in_bounded_memory() {
        const ACCOUNTS: u64 = 64;
        let mailbox = Mailbox::default();
        let mut newest = HashMap::new();
        for n in 0..1_000_000u64 {
            // the order of slots is shaken: some come late
            let (key, slot) = ((n % ACCOUNTS) as u8, n / ACCOUNTS + n * 7_919 % 5);
            mailbox.put([update(key, slot, n + 1, Origin::Push)]);
            let known: &mut (u64, u64) = newest.entry(key).or_default();
            *known = if slot >= known.0 { (slot, n + 1) } else { *known };
        }
        let taken = mailbox.take();
        assert_eq!(taken.len() as u64, ACCOUNTS, "one version of each waits, however many came");
        for update in taken {
            assert_eq!((update.slot, update.lamports), newest[&update.key.to_bytes()[0]]);
        }
    }

    #[test]
    fn fault_08_later_version_of_a_slot_wins_whichever_source_tells_it_first() {
        let mailbox = Mailbox::default();
        let told = |write_version, told_by, lamports| Update {
            write_version,
            told_by,
            ..update(1, 5, lamports, Origin::Push)
        };
        mailbox.put([told(2, 0b01, 20), told(1, 0b10, 10)]);
        assert_eq!(mailbox.take(), [told(2, 0b11, 20)], "the late version changes nothing, and who told it is kept");
        mailbox.put([told(1, 0b10, 10), told(2, 0b10, 20)]);
        assert_eq!(mailbox.take(), [told(2, 0b10, 20)]);
    }
}
