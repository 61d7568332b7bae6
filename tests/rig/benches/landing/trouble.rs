//! What is wrong with the way to the chain.

use rampart_rig::Scene;
use rampart_rig::chain::Chain;
use rampart_rig::faults::SendFault;

/// Slots for which leaders leave everything out.
const CONGESTED_SLOTS: u64 = 60;
/// Ten times what the first signature pays, micro-lamports per compute unit.
const DEAR: u64 = 100_000;

/// One kind of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing.
    Calm,
    /// Of ten packets to a leader, seven are lost.
    Lossy,
    /// For a while leaders take nothing in.
    Congested,
    /// Leaders take in nothing at the price of the first signature.
    Dear,
    /// The first endpoint accepts transactions and drops them.
    Dropping,
    /// The first endpoint forwards transactions and never answers.
    Mute,
}

impl Trouble {
    /// All of them, in the table's order.
    pub const ALL: [Self; 6] = [Self::Calm, Self::Lossy, Self::Congested, Self::Dear, Self::Dropping, Self::Mute];

    /// Returns what the table says.
    pub fn name(self) -> &'static str {
        match self {
            Self::Calm => "none",
            Self::Lossy => "7 of 10 packets lost",
            Self::Congested => "leaders full for 60 slots",
            Self::Dear => "fee floor at 10 x the first price",
            Self::Dropping => "first endpoint drops",
            Self::Mute => "first endpoint never answers",
        }
    }

    /// Begins.
    pub fn begin(self, scene: &Scene) {
        let first = &scene.endpoints[0];
        match self {
            Self::Calm => {}
            Self::Lossy => scene.chain.state().relay.loss_per_mille = 700,
            Self::Congested => scene.chain.state().landing.is_congested = true,
            Self::Dear => scene.chain.state().landing.min_price = DEAR,
            Self::Dropping => first.faults().send = Some(SendFault::Dropped),
            Self::Mute => first.faults().send = Some(SendFault::ForwardedWithoutAnswer),
        }
    }

    /// Goes on, or ends, so many slots later.
    pub fn go_on(self, chain: &Chain, slots: u64) {
        if self == Self::Congested && slots >= CONGESTED_SLOTS {
            chain.state().landing.is_congested = false;
        }
    }
}
