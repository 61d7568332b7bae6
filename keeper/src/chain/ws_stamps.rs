//! Whether the slots on notifications mean anything.
//!
//! A notification carries the slot of its version. Some servers put the slot of the subscription on all that follow
//! (Surfpool 1.6 does), so everything would look older than the first request's answer. That is proved by one
//! subscription that repeats a slot while the socket's own slots have moved on; from then on the newest slot that the
//! socket told of is taken instead, for the versions of a subscription come in order.

use std::collections::HashMap;

/// Slots that the socket must have moved on between two notifications of one slot. A set of accounts brings several of
/// one slot, but all of them at once.
const PROOF_SLOTS: u64 = 4;

/// What the notifications of one connection carried.
#[derive(Debug, Default)]
pub struct Stamps {
    is_meaningless: bool,
    /// By subscription: the slot it last carried, and the socket's slot when it first did.
    last: HashMap<u64, (u64, u64)>,
}

impl Stamps {
    /// Returns the slot to take for a notification that carries `slot`, while the socket's newest slot is `newest`.
    pub fn judge(&mut self, subscription: u64, slot: u64, newest: u64) -> u64 {
        if !self.is_meaningless {
            let (carried, since) = *self.last.get(&subscription).unwrap_or(&(slot, newest));
            let repeats = carried == slot;
            self.is_meaningless = repeats && newest >= since.saturating_add(PROOF_SLOTS);
            self.last.insert(subscription, (slot, if repeats { since } else { newest }));
            if self.is_meaningless {
                tracing::warn!(
                    slot,
                    newest,
                    "notifications carry no slot of their own; the newest slot is taken instead"
                );
            }
        }
        if self.is_meaningless { slot.max(newest) } else { slot }
    }

    /// Forgets a subscription that ended.
    pub fn forget(&mut self, subscription: u64) {
        self.last.remove(&subscription);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_taken_as_they_are_where_they_move_on() {
        let mut stamps = Stamps::default();
        for newest in 100..200 {
            assert_eq!(stamps.judge(1, newest - 1, newest), newest - 1);
            assert_eq!(stamps.judge(2, newest - 1, newest), newest - 1);
            assert_eq!(stamps.judge(2, newest - 1, newest + 1), newest - 1, "two accounts of one slot");
        }
        // a quiet account changes rarely, and then carries its own slot
        assert_eq!(stamps.judge(3, 200, 200), 200);
        assert_eq!(stamps.judge(3, 900, 901), 900);
    }

    #[test]
    fn repeated_slot_proves_that_they_mean_nothing_for_the_whole_connection() {
        let mut stamps = Stamps::default();
        assert_eq!(stamps.judge(1, 100, 101), 100);
        assert_eq!(stamps.judge(1, 100, 104), 100, "not yet a proof");
        assert_eq!(stamps.judge(1, 100, 105), 105);
        assert_eq!(stamps.judge(2, 100, 107), 107);
        assert_eq!(stamps.judge(2, 300, 107), 300, "never older than what it says");
    }
}
