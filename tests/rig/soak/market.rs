//! What happens: prices that wander, a fall now and then, and endpoints in trouble one at a time.

use rampart_rig::Scene;
use rampart_rig::faults::HttpFault;
use rampart_rig::scene::CALM;
use solana_sdk::hash::hashv;

/// Slots from one fall to the next: longer than the rule's level lasts and its window looks back.
const FALL_EVERY: u64 = 12_000;
/// Slots that a fall lasts.
const FALL_LASTS: u64 = 50;
/// Beyond the rule's threshold, short of the borrower's line.
const DEPTH: f64 = 0.13;
/// Slots between two troubles, and of one.
const TROUBLE_EVERY: u64 = 300;
const TROUBLE_LASTS: u64 = 25;

/// The market, and what is wrong with the endpoints.
pub struct Market {
    turn: u64,
    first_slot: Option<u64>,
    falls: u64,
}

impl Market {
    /// Calm.
    pub fn new() -> Self {
        Self { turn: 0, first_slot: None, falls: 0 }
    }

    /// Returns how often the price fell so far, the fall under way left out.
    pub fn falls(&self) -> u64 {
        self.falls
    }

    /// One slot goes by.
    pub fn go_on(&mut self, scene: &Scene) {
        self.turn += 1;
        let slot = scene.chain.state().slot;
        let age = slot - *self.first_slot.get_or_insert(slot);
        let phase = age % FALL_EVERY;
        let is_fallen = (FALL_EVERY - FALL_LASTS..FALL_EVERY).contains(&phase);
        self.falls = age / FALL_EVERY;
        let wander = (draw(b"price", slot) - 0.5) * 0.004;
        scene.price(CALM * (1.0 + wander) * if is_fallen { 1.0 - DEPTH } else { 1.0 });
        trouble(scene, age, is_fallen);
    }
}

/// Never during a fall: whether that is noticed then is what the fault cases are about.
fn trouble(scene: &Scene, age: u64, is_fallen: bool) {
    let (round, phase) = (age / TROUBLE_EVERY, age % TROUBLE_EVERY);
    let endpoint = &scene.endpoints[usize::from(round % 2 == 1)];
    if is_fallen || phase >= TROUBLE_LASTS {
        scene.endpoints.iter().for_each(rampart_rig::Endpoint::heal);
        return;
    }
    let mut faults = endpoint.faults();
    match round % 6 {
        0 => faults.http = Some(HttpFault::TooManyRequests { retry_after_secs: 1 }),
        1 => faults.http = Some(HttpFault::Unavailable),
        2 => faults.is_silent = true,
        3 => faults.refuses_sockets = true,
        4 => faults.http = Some(HttpFault::Truncated),
        _ => faults.lag_slots = 40,
    }
    drop(faults);
    if phase == 0 && round % 6 == 3 {
        endpoint.reset_sockets();
    }
}

/// From 0 to 1, the same for the same slot.
fn draw(name: &[u8], slot: u64) -> f64 {
    let hash = hashv(&[name, &slot.to_le_bytes()]).to_bytes();
    f64::from(u32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]])) / f64::from(u32::MAX)
}
