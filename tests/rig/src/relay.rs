//! The way from a node to a leader: what gets lost on it, and what the node sends again by itself.

use crate::landing::Pending;
use solana_sdk::hash::hashv;
use solana_sdk::signature::Signature;

/// A node forwards what it holds again after so many slots: `retry_rate_ms` of agave's send-transaction-service is 2 s.
const RETRY_SLOTS: u64 = 5;

/// The way. The default loses nothing.
#[derive(Clone, Debug, Default)]
pub struct Relay {
    /// Packets that don't arrive, of a thousand.
    pub loss_per_mille: u64,
    /// Another seed loses other packets.
    pub seed: u64,
    packets: u64,
    held: Vec<(u64, Pending)>,
}

impl Relay {
    /// Sends one packet, and tells whether it arrives.
    pub fn arrives(&mut self) -> bool {
        self.packets += 1;
        let hash = hashv(&[&self.seed.to_le_bytes(), &self.packets.to_le_bytes()]).to_bytes();
        let draw = hash.iter().take(4).fold(0, |draw, byte| draw << 8 | u64::from(*byte)) % 1_000;
        draw >= self.loss_per_mille
    }

    /// Keeps a transaction, to be forwarded again.
    pub fn hold(&mut self, pending: Pending, slot: u64) {
        self.held.push((slot + RETRY_SLOTS, pending));
    }

    /// Forwards what is due, and returns what arrives.
    pub fn forward(&mut self, slot: u64, may_land: impl Fn(&Pending) -> bool) -> Vec<(Signature, Pending)> {
        let mut held = std::mem::take(&mut self.held);
        held.retain(|(_, pending)| may_land(pending));
        let due = held.iter_mut().filter(|(at, _)| *at <= slot);
        let sent = due.filter_map(|(at, pending)| {
            *at = slot + RETRY_SLOTS;
            self.arrives().then(|| (pending.signature, pending.clone()))
        });
        let arrived = sent.collect();
        self.held = held;
        arrived
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn share_of_packets_that_are_lost_is_the_share_that_was_asked_for() {
        let mut relay = Relay { loss_per_mille: 300, ..Relay::default() };
        let arrived = (0..10_000).filter(|_| relay.arrives()).count();
        assert!((6_850..=7_150).contains(&arrived), "{arrived} of 10,000 arrived");
        assert!((0..100).all(|_| Relay::default().arrives()));
    }
}
