//! Which faults begin and end when, by seed.

use crate::net::Net;
use crate::node::{Faults, Node};
use crate::process::Process;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// A fault begins in one of so many slots.
const RARITY: u32 = 22;

/// What ends later.
enum End {
    Node(usize),
    Leaders,
    Restart(usize),
    Resume(usize),
    Skew(usize),
}

/// What is to be done with a keeper's process. Not by the schedule, which holds chain and nodes: the process uses them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// It starts anew.
    Start(usize),
    /// It goes on.
    Resume(usize),
}

/// The faults of one simulation.
pub struct Schedule {
    rng: ChaCha8Rng,
    ends: Vec<(u64, End)>,
    /// The slot since which each node has been whole.
    pub whole_since: Vec<u64>,
    /// The slot since which leaders have taken in everything.
    pub open_since: u64,
}

impl Schedule {
    /// No fault yet.
    pub fn new(rng: ChaCha8Rng, nodes: usize) -> Self {
        Self { rng, ends: Vec::new(), whole_since: vec![0; nodes], open_since: 0 }
    }

    /// Has a process started again after `slots`.
    pub fn restart(&mut self, keeper: usize, at_slot: u64) {
        self.ends.push((at_slot, End::Restart(keeper)));
    }

    /// One slot passes: faults end and begin. Returns whom to start or resume. `is_over`: all end, none begins.
    pub fn step(&mut self, net: &mut Net, keepers: &mut [Process], is_over: bool) -> Vec<Wake> {
        let slot = net.chain.slot;
        let mut wakes = Vec::new();
        let (ended, left) = std::mem::take(&mut self.ends).into_iter().partition(|(at, _)| is_over || *at <= slot);
        self.ends = left;
        let ended: Vec<(u64, End)> = ended;
        for (_, end) in ended {
            match end {
                End::Node(n) => {
                    if let Some(node) = net.nodes.get_mut(n) {
                        node.faults = Faults::default();
                        self.whole_since[n] = slot;
                        net.record.line(&format!("node {n} is whole again"));
                    }
                }
                End::Leaders => {
                    net.chain.leaders.min_price = 0;
                    self.open_since = slot;
                    net.record.line("leaders take in everything again");
                }
                End::Restart(k) => wakes.push(Wake::Start(k)),
                End::Resume(k) => wakes.push(Wake::Resume(k)),
                End::Skew(k) => keepers.get_mut(k).into_iter().for_each(|keeper| keeper.skew_ms = 0),
            }
        }
        if !is_over && self.rng.random_range(0..RARITY) == 0 {
            self.begin(net, keepers);
        }
        wakes
    }

    /// Every node forgets its sockets, or is whole again and keeps those that are opened from then on.
    pub fn silence(&mut self, net: &mut Net, is_silent: bool) {
        let slot = net.chain.slot;
        net.nodes.iter_mut().for_each(|node| node.faults.is_silent = is_silent);
        self.whole_since.fill(if is_silent { u64::MAX } else { slot });
        net.record.line(if is_silent { "all sockets fall silent" } else { "nodes are whole again" });
    }

    fn begin(&mut self, net: &mut Net, keepers: &mut [Process]) {
        match self.rng.random_range(0..100) {
            0..58 => self.node(net),
            58..72 => self.chain(net),
            _ => self.keeper(net, keepers),
        }
    }

    fn node(&mut self, net: &mut Net) {
        let slot = net.chain.slot;
        let n = self.rng.random_range(0..net.nodes.len());
        let length = self.rng.random_range(15..300);
        let Some(node) = net.nodes.get_mut(n) else { return };
        let kind = break_node(node, slot, self.rng.random_range(0..16));
        net.record.fault(kind, &format!("node {n} for {length} slots"));
        self.whole_since[n] = u64::MAX;
        // the last fault of a node ends all of them
        self.ends.retain(|(_, end)| !matches!(end, End::Node(other) if *other == n));
        self.ends.push((slot + length, End::Node(n)));
    }

    fn chain(&mut self, net: &mut Net) {
        let slot = net.chain.slot;
        match self.rng.random_range(0..3) {
            0 => {
                let slots = self.rng.random_range(1..3);
                net.chain.begin_fork(slots);
                net.record.fault("fork", &format!("of {slots} slots dies"));
            }
            1 => {
                let slots = self.rng.random_range(1..7);
                net.chain.leaders.skipped = slots;
                net.record.fault("skipped leaders", &format!("{slots}"));
            }
            _ => {
                let (price, length) = (self.rng.random_range(2_000..150_000), self.rng.random_range(10..120));
                net.chain.leaders.min_price = price;
                self.open_since = u64::MAX;
                net.record.fault("congestion", &format!("from {price} micro-lamports for {length} slots"));
                self.ends.retain(|(_, end)| !matches!(end, End::Leaders));
                self.ends.push((slot + length, End::Leaders));
            }
        }
    }

    fn keeper(&mut self, net: &mut Net, keepers: &mut [Process]) {
        let slot = net.chain.slot;
        let k = self.rng.random_range(0..keepers.len());
        let length = self.rng.random_range(3..150);
        let roll = self.rng.random_range(0..8);
        let skew = self.rng.random_range(-30_000..30_000);
        let Some(keeper) = keepers.get_mut(k).filter(|keeper| keeper.up_since_slot.is_some()) else { return };
        match roll {
            0 | 1 => {
                keeper.kill();
                net.record.fault("kill", &format!("keeper {k} for {length} slots"));
                self.restart(k, slot + length);
            }
            2 | 3 => {
                keeper.arm_death(false);
                net.record.fault("kill before a send", &format!("keeper {k}"));
            }
            4 | 5 => {
                keeper.arm_death(true);
                net.record.fault("kill after a send", &format!("keeper {k}"));
            }
            6 => {
                keeper.pause();
                net.record.fault("pause", &format!("keeper {k} for {length} slots"));
                self.ends.push((slot + length, End::Resume(k)));
            }
            _ => {
                keeper.skew_ms = skew;
                net.record.fault("clock", &format!("keeper {k} is {skew} ms off for {length} slots"));
                self.ends.push((slot + length, End::Skew(k)));
            }
        }
    }
}

fn break_node(node: &mut Node, slot: u64, roll: u32) -> &'static str {
    let faults = &mut node.faults;
    match roll {
        0 => {
            faults.frozen_at = Some(slot.saturating_sub(node.lag_slots));
            "node stands still"
        }
        1 => {
            faults.timeouts_pct = 60;
            "timeouts after forwarding"
        }
        2 => {
            faults.busy_pct = 80;
            "too many requests"
        }
        3 => {
            faults.gateway_pct = 70;
            "bad gateway"
        }
        4 => {
            faults.has_no_history = true;
            "no history"
        }
        5 => {
            faults.ahead_slots = 4;
            "context slot ahead"
        }
        6 => {
            faults.lists_nothing = true;
            "no listings"
        }
        7 => {
            faults.swallows_sends = true;
            "sends swallowed"
        }
        8 => {
            faults.is_silent = true;
            "socket silent"
        }
        9 => {
            faults.is_mute_on_accounts = true;
            "accounts silent"
        }
        10 => {
            faults.repeats = true;
            "repeated notifications"
        }
        11 => {
            faults.reorders = true;
            "reordered notifications"
        }
        12 => {
            faults.drops_pct = 30;
            "lost notifications"
        }
        13 => {
            faults.refuses_sockets = true;
            node.resets += 1;
            "sockets refused"
        }
        14 => {
            faults.slow_ms = 1_500;
            "slow answers"
        }
        _ => {
            node.resets += 1;
            "socket reset"
        }
    }
}
