//! What ought to happen, found out by brute force: the program itself is asked, on the chain's own accounts, what it
//! would let anyone do now. Nothing of the keeper's is used here.

use crate::record::Record;
use rampart::math::price::Q64_ONE;
use rampart_client::{Instruction, Pubkey, liquidation};
use rampart_tests::User;
use rampart_tests::World;
use rampart_tests::world::liquidator;
use solana_sdk::message::Message;
use solana_sdk::signer::Signer;
use solana_sdk::transaction::Transaction;
use std::collections::BTreeMap;

/// The program is asked every so many slots.
pub const EVERY_SLOTS: u64 = 2;
/// Loan-to-value from which a position is worth asking about: well below the soft line of 75 %.
const ASKED_FROM: f64 = 0.70;
/// Below so much repaid, USDC base units, nobody calls it a miss that nobody acted.
const WORTH_AMOUNT: u64 = 10_000_000;

/// The most covered slots that an action may stay due.
pub const fn bound_slots(class: &str) -> u64 {
    match class.as_bytes() {
        b"trip" | b"persist" => 40,
        b"liquidate" => 60,
        _ => 150,
    }
}

/// Something that is due.
#[derive(Clone, Copy, Debug)]
struct Due {
    since_slot: u64,
    covered_slots: u64,
    fence: u64,
    is_told: bool,
}

/// Whether some keeper has been able to see and act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Covered {
    /// With one whole node: enough to give a trip up, of which the fence on chain lets only one land.
    pub by_one: bool,
    /// With two, or its only one: what it takes to give up anything else.
    pub by_two: bool,
}

impl Covered {
    const fn is_enough_for(self, class: &str) -> bool {
        match class.as_bytes() {
            b"trip" => self.by_one,
            _ => self.by_two,
        }
    }
}

/// The judge.
pub struct Truth {
    probe: User,
    rules: Vec<(&'static str, Pubkey)>,
    positions: Vec<Pubkey>,
    due: BTreeMap<(&'static str, Pubkey), Due>,
    asked_slot: u64,
    /// Questions asked so far.
    pub questions: u64,
}

impl Truth {
    /// A judge over rules and positions, who asks as `probe`.
    pub fn new(probe: User, rules: Vec<(&'static str, Pubkey)>, positions: Vec<Pubkey>) -> Self {
        Self { probe, rules, positions, due: BTreeMap::new(), asked_slot: 0, questions: 0 }
    }

    /// Asks what is due, and holds it against what was due before.
    pub fn judge(&mut self, world: &World, slot: u64, covered: Covered, record: &mut Record) {
        let passed = if self.asked_slot == 0 { 0 } else { slot - self.asked_slot };
        self.asked_slot = slot;
        let now = self.ask_all(world);
        let before = std::mem::take(&mut self.due);
        for ((class, target), due) in &before {
            let fence = fence_of(world, class, target);
            if fence != due.fence {
                let slots = slot.saturating_sub(due.since_slot);
                record.reactions.entry(class).or_default().push(slots);
                record.line(&format!("DONE {class} {target} after {slots} slots"));
            } else if !now.contains(&(*class, *target)) {
                record.line(&format!("PASSED {class} {target} without an action"));
            }
        }
        for (class, target) in now {
            let fence = fence_of(world, class, &target);
            let known = before.get(&(class, target)).filter(|due| due.fence == fence);
            if known.is_none() {
                record.line(&format!("DUE {class} {target} fence {fence}"));
            }
            let mut due = known.copied().unwrap_or(Due { since_slot: slot, covered_slots: 0, fence, is_told: false });
            // what nobody could see or do starts anew when somebody can
            due.covered_slots = if covered.is_enough_for(class) { due.covered_slots + passed } else { 0 };
            if due.covered_slots > bound_slots(class) && !due.is_told {
                due.is_told = true;
                let name = self.rules.iter().find(|(_, key)| *key == target).map_or("position", |(name, _)| *name);
                record.violation(format!(
                    "MISS {class} of {name} {target} was due for {} slots in which a keeper could see and act",
                    due.covered_slots
                ));
            }
            self.due.insert((class, target), due);
        }
    }

    /// Returns how much is due now.
    pub fn open(&self) -> Vec<String> {
        self.due.keys().map(|(class, target)| format!("{class} of {target}")).collect()
    }

    fn ask_all(&mut self, world: &World) -> Vec<(&'static str, Pubkey)> {
        let mut due = Vec::new();
        for at in 0..self.rules.len() {
            let (_, key) = self.rules[at];
            if self.would_pass(world, world.trip_ix(key)) {
                due.push(("trip", key));
            } else if self.would_pass(world, world.step_down_ix(key)) {
                due.push(("step_down", key));
            }
        }
        for at in 0..self.positions.len() {
            let key = self.positions[at];
            if ltv(world, &key) < ASKED_FROM {
                continue;
            }
            let args = world.liquidate_args(key, 50_000_000_000_000);
            let (by, oracles) = (liquidator(&self.probe), world.pair_oracles());
            if self.repaid(world, liquidation::liquidate(&world.keys, key, by, &oracles, args)) >= WORTH_AMOUNT {
                due.push(("liquidate", key));
            } else if self.repaid(world, liquidation::deleverage(&world.keys, key, by, &oracles, args)) >= WORTH_AMOUNT
            {
                due.push(("deleverage", key));
            }
        }
        due
    }

    fn would_pass(&mut self, world: &World, instruction: Instruction) -> bool {
        self.simulate(world, instruction).is_some()
    }

    /// What the probe would pay, base units of the loan mint; zero where the program refuses.
    fn repaid(&mut self, world: &World, instruction: Instruction) -> u64 {
        let before = world.balance(&self.probe.usdc);
        let Some(after) = self.simulate(world, instruction) else { return 0 };
        before.saturating_sub(after)
    }

    /// The probe's balance after an instruction; `None` where the program refuses it.
    fn simulate(&mut self, world: &World, instruction: Instruction) -> Option<u64> {
        self.questions += 1;
        let message = Message::new(&[instruction], Some(&self.probe.key.pubkey()));
        // the chain checks signatures where transactions arrive: a question needs none
        let transaction = Transaction::new_unsigned(message);
        let outcome = world.svm.simulate_transaction(transaction).ok()?;
        let account = outcome.post_accounts.iter().find(|(key, _)| *key == self.probe.usdc);
        let amount = account.map(|(_, account)| {
            use solana_sdk::account::ReadableAccount;
            account.data().get(64..72).and_then(|b| b.try_into().ok()).map_or(0, u64::from_le_bytes)
        });
        Some(amount.unwrap_or(0))
    }
}

/// The value that an action of a class moves.
fn fence_of(world: &World, class: &str, target: &Pubkey) -> u64 {
    match class {
        "trip" | "step_down" => world.rule(target).trip_epoch,
        _ => world.position(target).liquidation_seq,
    }
}

fn ltv(world: &World, key: &Pubkey) -> f64 {
    let (position, index) = (world.position(key), world.vault().borrow_index_q64.get());
    let debt = position.debt_scaled.get() as f64 * (index as f64 / Q64_ONE as f64) / 1e6;
    let value = position.collateral_amount as f64 / 1e9 * world.sol_price();
    if debt <= 0.0 { 0.0 } else { debt / value.max(1e-9) }
}
