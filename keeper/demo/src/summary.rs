//! What a run came to, as a table and as JSON.

use crate::invariants::Broken;
use crate::ledger::{Entry, Ledger};
use crate::lines::Line;
use crate::market::ticks::Gap;
use crate::metronome::Timeline;
use crate::play::Played;
use crate::scenario::acts::Record;
use crate::scores::Course;
use crate::unguarded::{self, Tally};
use crate::watch::BecameTrue;
use crate::world::World;
use crate::world::params::USDC;
use rampart::events::BreakerTripped;
use rampart::state::Level;
use serde::Serialize;

mod text;

/// Layout version of the JSON.
const SCHEMA: u32 = 2;

/// A rule that became true, and what followed.
#[derive(Clone, Debug, Serialize)]
pub struct Defence {
    /// The rule.
    pub rule: String,
    /// What was measured when it became true, in the metric's unit.
    pub value: u64,
    /// Slot in which the price that made it true was on the chain.
    pub true_slot: u64,
    /// Seconds since the story's start.
    pub true_at_secs: i64,
    /// How long the rule has to hold before it may trip, chain seconds.
    pub min_persist_secs: u32,
    /// The trip, if there was one.
    pub trip: Option<Trip>,
    /// Why there was none, where there was none.
    pub no_trip: Option<&'static str>,
}

/// A trip that landed.
#[derive(Clone, Debug, Serialize)]
pub struct Trip {
    /// Slot.
    pub slot: u64,
    /// Slots since the rule was true.
    pub slots: u64,
    /// Wall time since then, from slot to slot, milliseconds.
    pub wall_ms: u64,
    /// Level that it raised the scope to.
    pub level: u8,
    /// Who sent it.
    pub by: String,
    /// Its signature.
    pub signature: String,
}

/// What one keeper did, by its own transactions on the chain and by its own account.
#[derive(Clone, Debug, Default, Serialize)]
pub struct KeeperLine {
    /// Its name.
    pub name: String,
    /// Trips that landed.
    pub trips: usize,
    /// Liquidations that landed.
    pub liquidations: usize,
    /// Deleveragings that landed.
    pub deleveragings: usize,
    /// Its transactions about vaults and rules that failed on chain: mostly races that another keeper won.
    pub failed: usize,
    /// What its API says of its transactions; null where it no longer answers.
    pub transactions: serde_json::Value,
}

/// What the reserve held, base units of SOL and USDC.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Reserve {
    /// At the start.
    pub before: [u64; 2],
    /// At the end.
    pub after: [u64; 2],
    /// Swaps in between.
    pub swaps: u64,
    /// What they lost against the middle of the prices, micro-dollars.
    pub lost_micro_usd: u64,
}

/// Everything.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Layout version of this JSON.
    pub schema: u32,
    /// What was played.
    pub market: String,
    /// Seed.
    pub seed: u64,
    /// Chain seconds in a wall second.
    pub speed: u32,
    /// Wall time of a slot at best, milliseconds.
    pub slot_wall_ms: u64,
    /// Chain time of a slot, milliseconds.
    pub slot_chain_ms: u64,
    /// Spans that the recording lacks.
    pub gaps: Vec<Gap>,
    /// What was attempted.
    pub attempt: String,
    /// Rules that became true, with what followed.
    pub defences: Vec<Defence>,
    /// What people tried.
    pub acts: Vec<Record>,
    /// Keepers that died and came back.
    pub outages: Vec<String>,
    /// What the keepers reported of each collateral.
    pub scores: Vec<Course>,
    /// The lines of defence, in the order in which they first acted.
    pub lines: Vec<Line>,
    /// What became of the reserve.
    pub reserve: Reserve,
    /// Softly deleveraged: how often, and repaid in base units of the loan mint.
    pub deleveraged: (usize, u64),
    /// Liquidated: how often, and repaid.
    pub liquidated: (usize, u64),
    /// The market with the guard.
    pub guarded: Tally,
    /// The same market under the guard's lines, fixed: a comparison that is computed, not played on the chain.
    pub static_thresholds: Tally,
    /// The same market without it: a comparison that is computed, not played on the chain.
    pub without_guard: Tally,
    /// People's acts that would have succeeded under fixed thresholds.
    pub static_acts: usize,
    /// People's acts that would have succeeded without it.
    pub without_guard_acts: usize,
    /// Highest level per vault at the end.
    pub end_levels: Vec<String>,
    /// Keepers.
    pub keepers: Vec<KeeperLine>,
    /// Broken invariants; none in a good run.
    pub broken: Vec<Broken>,
    /// Whether the run was ended early.
    pub is_interrupted: bool,
}

/// What a summary is made of.
pub struct Parts<'a> {
    /// The market.
    pub world: &'a World,
    /// The story.
    pub played: &'a Played,
    /// The chain's record.
    pub ledger: &'a Ledger,
    /// When slots began.
    pub timeline: &'a Timeline,
}

impl Parts<'_> {
    /// Pairs every moment at which a rule became true with the first trip of that rule from then on.
    pub fn defences(&self) -> Vec<Defence> {
        let facts = &self.played.watch.became_true;
        facts.iter().enumerate().map(|(at, fact)| self.defence(fact, &facts[at + 1..])).collect()
    }

    fn defence(&self, fact: &BecameTrue, later: &[BecameTrue]) -> Defence {
        let rule = &self.world.rules[fact.rule];
        let until_slot = later.iter().find(|next| next.rule == fact.rule).map_or(u64::MAX, |next| next.false_slot);
        let mut trips = self.ledger.trips.iter().filter(|trip| trip.fact.rule == rule.key);
        let trip = trips.clone().find(|trip| (fact.false_slot..until_slot).contains(&trip.slot));
        let in_force = trips.any(|trip| {
            let at_slot = trip.slot < fact.false_slot;
            at_slot && trip.fact.expires_at_ts > fact.mark.unix_ts
        });
        Defence {
            rule: rule.name.clone(),
            value: fact.value,
            true_slot: fact.mark.slot,
            true_at_secs: fact.mark.unix_ts - self.played.start.mark.unix_ts,
            min_persist_secs: self.played.end.rules[fact.rule].params.min_persist_secs,
            trip: trip.map(|trip| self.trip(fact, trip)),
            no_trip: trip.is_none().then_some(if in_force {
                "already in force"
            } else {
                "did not hold long enough, or the story ended"
            }),
        }
    }

    fn trip(&self, fact: &BecameTrue, trip: &Entry<BreakerTripped>) -> Trip {
        let landed_ms = self.timeline.mark(trip.slot).map_or(fact.mark.wall_unix_ms, |mark| mark.wall_unix_ms);
        Trip {
            slot: trip.slot,
            slots: trip.slot.saturating_sub(fact.mark.slot),
            wall_ms: landed_ms.saturating_sub(fact.mark.wall_unix_ms),
            level: trip.fact.level_after,
            by: keeper_name(self.world, &trip.payer),
            signature: trip.signature.clone(),
        }
    }

    /// Returns how often and how much was repaid, of soft deleveragings or of liquidations.
    pub fn repaid(&self, is_soft: bool) -> (usize, u64) {
        let facts = self.ledger.liquidations.iter().filter(|entry| entry.fact.is_soft == is_soft);
        facts.fold((0, 0), |(count, sum), entry| (count + 1, sum + entry.fact.repaid_amount))
    }

    /// Returns what the guarded market came to.
    pub fn guarded(&self) -> Tally {
        let (start, end) = (&self.played.start.vaults, &self.played.end.vaults);
        let moved = |of: fn(&rampart::state::Vault) -> u64| {
            start.iter().zip(end).map(|(a, b)| of(b).saturating_sub(of(a))).sum::<u64>()
        };
        Tally {
            liquidated_amount: moved(|v| v.totals.liquidated_amount),
            bad_debt_amount: moved(|v| v.totals.bad_debt_amount),
            insured_amount: moved(|v| v.totals.insured_amount),
            hidden_bad_debt_amount: unguarded::hidden_bad_debt(end, &self.played.held_after, self.played.last_usd),
            left_amount: moved(|v| v.totals.withdrawn_amount) + moved(|v| v.totals.borrowed_amount),
            wrongly_liquidated: 0,
            cash_amount: end.iter().map(|v| v.cash_amount).sum(),
            bonus_amount: self
                .ledger
                .liquidations
                .iter()
                .map(|entry| unguarded::bonus_amount(entry.fact.repaid_amount, entry.fact.bonus_bps))
                .sum(),
            reserve_amount: unguarded::basket_amount(self.played.end.basket(), self.played.last_usd),
        }
    }

    /// Returns what became of the reserve.
    pub fn reserve(&self) -> Reserve {
        let (start, end) = (&self.played.start, &self.played.end);
        Reserve {
            before: start.basket(),
            after: end.basket(),
            swaps: end.policy.counter - start.policy.counter,
            lost_micro_usd: end.policy.lost_micro_usd.saturating_sub(start.policy.lost_micro_usd),
        }
    }

    /// Returns the lines of defence, in the order in which they first acted.
    pub fn lines(&self) -> Vec<Line> {
        let mut lines = self.played.lines.lines(&self.played.end);
        for (is_soft, what) in [(true, "soft deleveraging"), (false, "liquidation at the line")] {
            let facts = self.ledger.liquidations.iter().filter(|entry| entry.fact.is_soft == is_soft);
            let (count, amount) = self.repaid(is_soft);
            let detail = format!("{count} times, {} USDC repaid", amount / USDC);
            let first = facts.min_by_key(|entry| entry.slot).and_then(|entry| self.secs_of(entry.slot));
            lines.extend(first.map(|at_secs| Line { at_secs, what: what.to_owned(), detail }));
        }
        for entry in self.ledger.trips.iter().filter(|entry| entry.fact.level_after >= Level::ReduceOnly as u8) {
            let (what, level) = (format!("breaker: {}", self.world.name_of(&entry.fact.rule)), entry.fact.level_after);
            let is_known = lines.iter().any(|line| line.what == what);
            let at_secs = self.secs_of(entry.slot).filter(|_| !is_known);
            lines.extend(at_secs.map(|at_secs| Line { at_secs, what, detail: level_name(level) }));
        }
        lines.sort_by_key(|line| line.at_secs);
        lines
    }

    fn secs_of(&self, slot: u64) -> Option<i64> {
        self.timeline.mark(slot).map(|mark| mark.unix_ts - self.played.start.mark.unix_ts)
    }

    /// Returns what each keeper did on the chain.
    pub fn keepers(&self, answers: Vec<(String, serde_json::Value)>) -> Vec<KeeperLine> {
        let lines = answers.into_iter().zip(&self.world.cast.keepers).map(|((name, transactions), key)| {
            let mine = |payer: &rampart_client::Pubkey| *payer == key.key();
            let soft = |is_soft| {
                self.ledger.liquidations.iter().filter(move |e| mine(&e.payer) && e.fact.is_soft == is_soft).count()
            };
            KeeperLine {
                name,
                trips: self.ledger.trips.iter().filter(|e| mine(&e.payer)).count(),
                liquidations: soft(false),
                deleveragings: soft(true),
                failed: self.ledger.failed.iter().filter(|e| mine(&e.payer)).count(),
                transactions,
            }
        });
        lines.collect()
    }

    /// Returns the level in force of each vault at the end.
    pub fn end_levels(&self) -> Vec<String> {
        (0..self.played.end.vaults.len()).map(|at| format!("{:?}", self.played.end.level(at))).collect()
    }
}

fn keeper_name(world: &World, payer: &rampart_client::Pubkey) -> String {
    let at = world.cast.keepers.iter().position(|key| key.key() == *payer);
    at.map_or_else(|| payer.to_string(), |rank| format!("keeper-{}", rank + 1))
}

impl Summary {
    /// Returns the layout version that every summary carries.
    pub const fn schema() -> u32 {
        SCHEMA
    }

    /// Returns the summary as people read it.
    pub fn to_text(&self) -> String {
        text::render(self)
    }
}

/// Returns a level's name.
fn level_name(level: u8) -> String {
    Level::try_from(level).map_or_else(|_| level.to_string(), |level| format!("{level:?}"))
}
