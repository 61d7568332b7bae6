//! What guardians have used of their budgets of pauses.

use crate::constants::{DAY_SECS, MAX_GUARDIANS, PAUSE_WINDOW_DAYS};
use crate::error::RampartError;
use crate::refuse::require;
use crate::state::guard::{HardBounds, Roles};
use anchor_lang::prelude::*;

/// Cells of a ring: the present day, the 30 before it, and two ahead for a pause that runs on.
pub const PAUSE_CELLS: usize = PAUSE_WINDOW_DAYS as usize + 3;
/// Days ahead of the present one that a pause may reach into.
const DAYS_AHEAD: i64 = 2;

/// Paused seconds per day, each in the day in which it falls.
///
/// Any 30 days touch at most 31 aligned days. Charging requires that the present day, the 30 before it and all after it
/// stay within the budget together; so does then every window of 30 days. Conservative by at most one day's cell.
#[zero_copy]
#[derive(Debug, PartialEq, Eq)]
pub struct PauseRing {
    /// The present day: unix seconds / 86,400.
    pub day: i64,
    /// Paused seconds per day, at `day % 33`.
    pub cells: [u32; PAUSE_CELLS],
    /// Zeros.
    pub reserved: [u8; 4],
}

impl Default for PauseRing {
    fn default() -> Self {
        bytemuck::Zeroable::zeroed()
    }
}

impl PauseRing {
    /// Moves the ring on to the day of `now_ts`; a clock that went back moves nothing.
    pub fn settle(&mut self, now_ts: i64) {
        let day = now_ts.div_euclid(DAY_SECS);
        let passed = day.saturating_sub(self.day).clamp(0, PAUSE_CELLS as i64);
        for step in 0..passed {
            // the newest cell that a pause can reach is the one that the oldest day leaves
            self.cells[cell_of(day + DAYS_AHEAD - step)] = 0;
        }
        self.day = self.day.max(day);
    }

    /// Returns all that the settled ring holds, seconds.
    pub fn total_secs(&self) -> u32 {
        self.cells.iter().fold(0u32, |sum, cell| sum.saturating_add(*cell))
    }

    /// Charges the seconds from `now_ts` on, each to its day. The ring MUST be settled and have room.
    ///
    /// # Errors
    /// `PauseInvalid` for a pause beyond two days ahead.
    fn charge(&mut self, now_ts: i64, secs: u32) -> Result<()> {
        // a clock behind the ring's day charges the ring's day: nothing falls out early
        let start = now_ts.max(self.day.saturating_mul(DAY_SECS));
        let (mut at, end) = (start, start.saturating_add(secs.into()));
        while at < end {
            let day = at.div_euclid(DAY_SECS);
            require!(day <= self.day.saturating_add(DAYS_AHEAD), RampartError::PauseInvalid);
            let next = day.saturating_add(1).saturating_mul(DAY_SECS).min(end);
            let cell = &mut self.cells[cell_of(day)];
            *cell = cell.saturating_add((next - at) as u32);
            at = next;
        }
        Ok(())
    }
}

fn cell_of(day: i64) -> usize {
    day.rem_euclid(PAUSE_CELLS as i64) as usize
}

/// The ring of one guardian, kept by key: a new order of the guardians gives nobody a new budget.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct GuardianBudget {
    /// The guardian; the default key while the place is empty.
    pub guardian: Pubkey,
    /// What they paused.
    pub ring: PauseRing,
}

/// The budgets of all guardians of a guard. What a reset ends early isn't given back.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct PauseBudget {
    /// What single guardians paused, all together.
    pub single: PauseRing,
    /// What the quorum paused.
    pub quorum: PauseRing,
    /// What each guardian paused.
    pub guardians: [GuardianBudget; MAX_GUARDIANS],
}

impl PauseBudget {
    /// Charges a pause of `secs` by `guardian` and returns what is left to them, seconds.
    ///
    /// # Errors
    /// `PauseBudgetUsed`; nothing is charged then.
    pub fn charge_guardian(
        &mut self,
        guardian: &Pubkey,
        roles: &Roles,
        bounds: &HardBounds,
        now_ts: i64,
        secs: u32,
    ) -> Result<u32> {
        self.settle(now_ts);
        // the quorum's reserve is out of reach, whether it was used or not
        let for_singles = bounds.max_guard_pause_secs.saturating_sub(bounds.quorum_reserve_secs);
        let room = self.room(for_singles, bounds);
        let own = self.own(guardian, roles).ok_or(RampartError::PauseBudgetUsed)?;
        own.settle(now_ts);
        let left = room.min(bounds.max_guardian_pause_secs.saturating_sub(own.total_secs()));
        require!(secs <= left, RampartError::PauseBudgetUsed);
        own.charge(now_ts, secs)?;
        self.single.charge(now_ts, secs)?;
        Ok(left - secs)
    }

    /// Charges a pause of `secs` by the quorum and returns what is left to it, seconds.
    ///
    /// # Errors
    /// `PauseBudgetUsed`; nothing is charged then.
    pub fn charge_quorum(&mut self, bounds: &HardBounds, now_ts: i64, secs: u32) -> Result<u32> {
        self.settle(now_ts);
        let used = self.single.total_secs().saturating_add(self.quorum.total_secs());
        let left = bounds.max_guard_pause_secs.saturating_sub(used);
        require!(secs <= left, RampartError::PauseBudgetUsed);
        self.quorum.charge(now_ts, secs)?;
        Ok(left - secs)
    }

    fn settle(&mut self, now_ts: i64) {
        self.single.settle(now_ts);
        self.quorum.settle(now_ts);
    }

    /// What single guardians may still pause: out of their part, and out of what the quorum left of the whole.
    fn room(&self, for_singles: u32, bounds: &HardBounds) -> u32 {
        let single = self.single.total_secs();
        let used = single.saturating_add(self.quorum.total_secs());
        for_singles.saturating_sub(single).min(bounds.max_guard_pause_secs.saturating_sub(used))
    }

    /// The guardian's ring, or a place whose key isn't a guardian any more.
    fn own(&mut self, guardian: &Pubkey, roles: &Roles) -> Option<&mut PauseRing> {
        let held = self.guardians.iter().position(|g| g.guardian == *guardian);
        let index = held.or_else(|| self.guardians.iter().position(|g| !roles.is_guardian(&g.guardian)))?;
        let place = &mut self.guardians[index];
        if place.guardian != *guardian {
            *place = GuardianBudget { guardian: *guardian, ring: PauseRing::default() };
        }
        Some(&mut place.ring)
    }
}

#[cfg(test)]
mod tests;
