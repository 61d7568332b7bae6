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
            let known = waiting.get(&update.key);
            if known.is_some_and(|known| !replaces(&update, known)) {
                continue;
            }
            // an answer that overtakes a notification must not hide that the subscription delivered
            let is_pushed = known.is_some_and(|known| known.origin == Origin::Push);
            let origin = if is_pushed { Origin::Push } else { update.origin };
            waiting.insert(update.key, Update { origin, ..update });
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

/// As the store judges: newest slot, then the later arrival, but no answer over a notification of its own slot.
fn replaces(next: &Update, known: &Update) -> bool {
    let is_weaker = known.origin == Origin::Push && next.origin == Origin::Poll;
    next.slot > known.slot || (next.slot == known.slot && !is_weaker)
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
}
