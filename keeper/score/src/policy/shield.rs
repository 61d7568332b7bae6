//! The shield: which actions are allowed now, whoever asks.
//!
//! Tightening takes effect at once, within daily limits. Loosening needs a calm and known market, goes by small steps, and never
//! follows on a clock that went back. Halts expire by themselves and have a budget.

use super::{Action, Stance};
use serde::{Deserialize, Serialize};

const HOUR_SECS: i64 = 3_600;
const DAY_SECS: i64 = 86_400;
/// Window of the halt budget, seconds.
const BUDGET_SECS: i64 = 30 * DAY_SECS;
/// The most events of one kind that a limit can count.
const REMEMBERED: usize = 32;

/// What governance allows a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// Lowest LTV for new risk, bps.
    pub ltv_min_bps: u16,
    /// Highest LTV for new risk, bps.
    pub ltv_max_bps: u16,
    /// Lowest caps, bps of their base.
    pub caps_min_bps: u16,
    /// Highest caps, bps of their base.
    pub caps_max_bps: u16,
    /// Highest hedge, bps of the exposure.
    pub hedge_max_bps: u16,
    /// Steps down of the LTV and of the caps, each, in any day; at most 32.
    pub tightenings_per_day: u8,
    /// Steps of the hedge in one direction, each, in any day; at most 32.
    pub hedges_per_day: u8,
    /// Halts in any day: a first one and its renewals; at most 32.
    pub halts_per_day: u8,
    /// Seconds halted in any 30 days.
    pub halt_budget_secs: u32,
}

impl Default for Bounds {
    /// Lowest LTV 45 %, highest 75 %; four halts a day and 0.5 % of 30 days.
    fn default() -> Self {
        Self {
            ltv_min_bps: 4_500,
            ltv_max_bps: 7_500,
            caps_min_bps: 2_500,
            caps_max_bps: 10_000,
            hedge_max_bps: 10_000,
            tightenings_per_day: 8,
            hedges_per_day: 8,
            halts_per_day: 4,
            halt_budget_secs: 12_960,
        }
    }
}

/// Why an action isn't allowed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It would leave the bounds.
    #[error("the bounds are reached")]
    Bound,
    /// The hour's or the day's limit is used up.
    #[error("the limit of the hour or the day is used up")]
    Rate,
    /// The market isn't calm, an input is missing, or new risk is halted.
    #[error("loosening needs a calm and known market")]
    NotCalm,
    /// A halt runs already.
    #[error("a halt runs until it expires")]
    Halted,
    /// The halt budget is used up.
    #[error("the halt budget of 30 days is used up")]
    Budget,
    /// The clock went back.
    #[error("the clock went back")]
    Clock,
}

/// Times of the last events of one kind, newest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Recent {
    times: [i64; REMEMBERED],
    count: usize,
}

impl Recent {
    const NONE: Self = Self { times: [0; REMEMBERED], count: 0 };

    /// Returns how many events are less than `window_secs` old.
    fn within(&self, now_ts: i64, window_secs: i64) -> usize {
        self.times[..self.count].iter().filter(|ts| now_ts.saturating_sub(**ts) < window_secs).count()
    }

    fn record(&mut self, now_ts: i64) {
        if self.count == REMEMBERED {
            self.times.rotate_left(1);
            self.count -= 1;
        }
        self.times[self.count] = now_ts;
        self.count += 1;
    }
}

/// The stance of a guard and what was done lately: decides which actions are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shield {
    bounds: Bounds,
    stance: Stance,
    recent: [Recent; Action::COUNT],
    last_ts: i64,
}

impl Shield {
    /// Starts at the loosest stance that `bounds` allow, with nothing used up.
    pub fn new(bounds: Bounds) -> Self {
        let (ltv_bps, caps_bps) = (bounds.ltv_max_bps, bounds.caps_max_bps);
        let stance = Stance { ltv_bps, caps_bps, hedge_bps: 0, deleverage_until_ts: None, halted_until_ts: None };
        Self { bounds, stance, recent: [Recent::NONE; Action::COUNT], last_ts: i64::MIN }
    }

    /// Returns the present stance.
    pub fn stance(&self) -> &Stance {
        &self.stance
    }

    /// Returns the bounds.
    pub fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// Returns the seconds of halt that are left at `now_ts`, of any 30 days.
    pub fn halt_budget_left(&self, now_ts: i64) -> u32 {
        let used = self.recent[Action::Halt.index()].within(now_ts, BUDGET_SECS) as i64 * Action::HALT_SECS;
        self.bounds.halt_budget_secs.saturating_sub(u32::try_from(used).unwrap_or(u32::MAX))
    }

    /// Returns the seconds since the last action other than a noop; none if there was none.
    pub fn since_last_action(&self, now_ts: i64) -> Option<i64> {
        let newest = self.recent.iter().skip(1).filter_map(|recent| recent.times[..recent.count].last()).max()?;
        Some(now_ts.saturating_sub(*newest).max(0))
    }

    /// Says whether `action` is allowed at `now_ts`. `is_calm` is the band at most "watch", with every input known.
    ///
    /// # Errors
    /// `Refusal`: the rule that forbids it.
    pub fn check(&self, action: Action, is_calm: bool, now_ts: i64) -> Result<(), Refusal> {
        if action == Action::Noop {
            return Ok(());
        }
        if now_ts < self.last_ts {
            return Err(Refusal::Clock);
        }
        if action.is_loosening() && (!is_calm || self.stance.is_halted(now_ts)) {
            return Err(Refusal::NotCalm);
        }
        self.check_bounds(action)?;
        self.check_halt(action, now_ts)?;
        let (limit, window_secs) = self.limit(action);
        let used = self.recent[action.index()].within(now_ts, window_secs);
        if used < usize::from(limit).min(REMEMBERED) { Ok(()) } else { Err(Refusal::Rate) }
    }

    /// Returns which actions are allowed, in their order.
    pub fn mask(&self, is_calm: bool, now_ts: i64) -> [bool; Action::COUNT] {
        Action::ALL.map(|action| self.check(action, is_calm, now_ts).is_ok())
    }

    /// Does `action` if it is allowed, and returns the new stance.
    ///
    /// # Errors
    /// As [`Shield::check`]; nothing has changed then.
    pub fn act(&mut self, action: Action, is_calm: bool, now_ts: i64) -> Result<Stance, Refusal> {
        self.check(action, is_calm, now_ts)?;
        if action != Action::Noop {
            self.stance = self.stance.after(action, now_ts);
            self.recent[action.index()].record(now_ts);
            self.last_ts = now_ts;
        }
        Ok(self.stance)
    }

    fn check_bounds(&self, action: Action) -> Result<(), Refusal> {
        let (stance, bounds) = (&self.stance, &self.bounds);
        let is_inside = match action {
            Action::TightenLtv => stance.ltv_bps >= bounds.ltv_min_bps.saturating_add(Action::LTV_DOWN_BPS),
            Action::LoosenLtv => stance.ltv_bps.saturating_add(Action::LTV_UP_BPS) <= bounds.ltv_max_bps,
            Action::TightenCaps => stance.caps_bps >= bounds.caps_min_bps.saturating_add(Action::CAPS_DOWN_BPS),
            Action::LoosenCaps => stance.caps_bps.saturating_add(Action::CAPS_UP_BPS) <= bounds.caps_max_bps,
            Action::HedgeMore => stance.hedge_bps.saturating_add(Action::HEDGE_BPS) <= bounds.hedge_max_bps,
            Action::HedgeLess => stance.hedge_bps >= Action::HEDGE_BPS,
            Action::Noop | Action::Deleverage | Action::Halt => true,
        };
        if is_inside { Ok(()) } else { Err(Refusal::Bound) }
    }

    fn check_halt(&self, action: Action, now_ts: i64) -> Result<(), Refusal> {
        if action != Action::Halt {
            return Ok(());
        }
        if self.stance.is_halted(now_ts) {
            return Err(Refusal::Halted);
        }
        // A budget of more halts than are remembered is cut to what is.
        let halts = self.recent[Action::Halt.index()].within(now_ts, BUDGET_SECS);
        let is_left = i64::from(self.halt_budget_left(now_ts)) >= Action::HALT_SECS && halts < REMEMBERED;
        if is_left { Ok(()) } else { Err(Refusal::Budget) }
    }

    /// Returns how often an action may be done in which window, seconds.
    fn limit(&self, action: Action) -> (u8, i64) {
        match action {
            Action::Noop => (u8::MAX, 0),
            Action::TightenLtv | Action::TightenCaps => (self.bounds.tightenings_per_day, DAY_SECS),
            Action::LoosenLtv | Action::LoosenCaps | Action::Deleverage => (1, HOUR_SECS),
            Action::HedgeMore | Action::HedgeLess => (self.bounds.hedges_per_day, DAY_SECS),
            Action::Halt => (self.bounds.halts_per_day, DAY_SECS),
        }
    }
}
