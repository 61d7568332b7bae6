//! The chain's own clock.
//!
//! "Now" is the Clock sysvar, never the host: a host that is 30 s off decides nothing differently. A reading that is some
//! slots old is carried on to the newest slot at the chain's own measured pace, for a transaction that is sent now runs
//! in that slot or later. The host's monotonic clock measures only how long a slot takes and how long a source has been
//! silent.

use std::time::{Duration, Instant};

/// A moment on chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChainTime {
    /// Slot of the Clock sysvar.
    pub slot: u64,
    /// Its time, unix seconds.
    pub unix_ts: i64,
}

impl ChainTime {
    /// Reads the data of the Clock sysvar; `None` for fewer than its 40 bytes, or a clock that was never set.
    pub fn decode(data: &[u8]) -> Option<Self> {
        let word = |at: usize| data.get(at..at + 8).and_then(|b| b.try_into().ok());
        let slot = word(0).map(u64::from_le_bytes)?;
        let unix_ts = word(32).map(i64::from_le_bytes)?;
        (unix_ts > 0).then_some(Self { slot, unix_ts })
    }
}

/// Bounds of a believable slot duration.
const SHORTEST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_secs(2);
/// What is assumed until the first measurement.
const ASSUMED: Duration = Duration::from_millis(400);
/// Weight of the old value, out of 16.
const KEEP: u32 = 15;
/// Slots between two readings from which the pace of chain time is measured.
const PACE_SLOTS: u64 = 16;
/// A longer slot is a jump in time, no pace, microseconds.
const LONGEST_PACE_MICROS: u64 = 60_000_000;
/// Slots for which a reading is carried on at most.
const CARRIED_SLOTS: u64 = 8;

/// Clock sysvar, newest slot and measured slot duration.
#[derive(Clone, Debug)]
pub struct ChainClock {
    now: ChainTime,
    pace_from: ChainTime,
    pace_micros: u64,
    tip_slot: u64,
    tip_at: Option<Instant>,
    slot_duration: Duration,
    samples: u32,
}

impl Default for ChainClock {
    fn default() -> Self {
        Self {
            now: ChainTime::default(),
            pace_from: ChainTime::default(),
            pace_micros: 0,
            tip_slot: 0,
            tip_at: None,
            slot_duration: ASSUMED,
            samples: 0,
        }
    }
}

impl ChainClock {
    /// Returns the newest reading of the sysvar, carried on to the newest slot; `None` before the first.
    ///
    /// Rounded down, and for a few slots at most: it is never ahead of what the program will see.
    pub fn now(&self) -> Option<ChainTime> {
        let slots = self.tip_slot.saturating_sub(self.now.slot).min(CARRIED_SLOTS);
        let secs = i64::try_from(slots * self.pace_micros / 1_000_000).unwrap_or(0);
        let now = ChainTime { slot: self.now.slot + slots, unix_ts: self.now.unix_ts.saturating_add(secs) };
        (self.now.unix_ts > 0).then_some(now)
    }

    /// Returns the newest slot that anything told of.
    pub fn tip_slot(&self) -> u64 {
        self.tip_slot.max(self.now.slot)
    }

    /// Returns the slot of the newest reading of the sysvar: accounts are known as of about then.
    pub fn reading_slot(&self) -> u64 {
        self.now.slot
    }

    /// Returns the measured slot duration.
    pub fn slot_duration(&self) -> Duration {
        self.slot_duration
    }

    /// Takes a reading of the sysvar; an older one changes nothing. Returns whether time moved.
    pub fn take(&mut self, reading: ChainTime) -> bool {
        let is_newer = reading.slot > self.now.slot || self.now.unix_ts == 0;
        if is_newer {
            // a fork may carry a lower time at a higher slot: the sysvar rules, whatever it says
            self.now = reading;
            self.measure_pace(reading);
        }
        is_newer
    }

    fn measure_pace(&mut self, reading: ChainTime) {
        let slots = reading.slot.saturating_sub(self.pace_from.slot);
        if slots < PACE_SLOTS {
            return;
        }
        let secs = u64::try_from(reading.unix_ts.saturating_sub(self.pace_from.unix_ts)).unwrap_or(0);
        let micros = secs.saturating_mul(1_000_000) / slots;
        if self.pace_from.unix_ts > 0 && micros <= LONGEST_PACE_MICROS {
            self.pace_micros = if self.pace_micros == 0 { micros } else { (3 * self.pace_micros + micros) / 4 };
        }
        self.pace_from = reading;
    }

    /// Takes a slot notification that arrived at `at`.
    pub fn slot_seen(&mut self, slot: u64, at: Instant) {
        if slot <= self.tip_slot {
            return;
        }
        if let Some(before) = self.tip_at {
            self.measure(at.saturating_duration_since(before), slot - self.tip_slot);
        }
        self.tip_slot = slot;
        self.tip_at = Some(at);
    }

    /// Takes back slots after `slot`, which never were; a reading of the sysvar after `bound` as well.
    pub fn step_back(&mut self, slot: u64, bound: u64) {
        if self.tip_slot() > slot {
            self.tip_slot = slot;
        }
        if self.now.slot > bound {
            (self.now, self.pace_from) = (ChainTime::default(), ChainTime::default());
        }
    }

    fn measure(&mut self, elapsed: Duration, slots: u64) {
        // a jump over many slots is a reconnection or a time travel, no measurement
        let Some(slots) = u32::try_from(slots).ok().filter(|n| *n <= 32) else { return };
        let sample = (elapsed / slots).clamp(SHORTEST, LONGEST);
        // the first samples are averaged evenly, so that a wrong assumption is gone after a few slots
        let keep = self.samples.min(KEEP);
        self.slot_duration = (self.slot_duration * keep + sample) / (keep + 1);
        self.samples = self.samples.saturating_add(1);
    }

    /// Returns how long `slots` slots take.
    pub fn span(&self, slots: u32) -> Duration {
        self.slot_duration * slots
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sysvar(slot: u64, unix_ts: i64) -> Vec<u8> {
        let mut data = vec![0; 40];
        data[..8].copy_from_slice(&slot.to_le_bytes());
        data[32..].copy_from_slice(&unix_ts.to_le_bytes());
        data
    }

    #[test]
    fn sysvar_is_decoded_and_a_short_one_refused() {
        assert_eq!(ChainTime::decode(&sysvar(7, 99)), Some(ChainTime { slot: 7, unix_ts: 99 }));
        assert_eq!(ChainTime::decode(&sysvar(7, 99)[..39]), None);
        assert_eq!(ChainTime::decode(&sysvar(7, 0)), None);
    }

    #[test]
    fn older_reading_changes_nothing() {
        let mut clock = ChainClock::default();
        assert_eq!(clock.now(), None);
        assert!(clock.take(ChainTime { slot: 7, unix_ts: 99 }));
        assert!(!clock.take(ChainTime { slot: 6, unix_ts: 100 }));
        assert_eq!(clock.now(), Some(ChainTime { slot: 7, unix_ts: 99 }));
    }

    #[test]
    fn reading_is_carried_on_at_the_chains_own_pace_and_not_far() {
        let (mut clock, start) = (ChainClock::default(), Instant::now());
        let carried = |clock: &ChainClock| clock.now().map(|now| (now.slot, now.unix_ts));
        clock.take(ChainTime { slot: 100, unix_ts: 1_000 });
        clock.slot_seen(103, start);
        assert_eq!(carried(&clock), Some((103, 1_000)), "no pace is known yet");
        clock.take(ChainTime { slot: 120, unix_ts: 1_040 });
        clock.slot_seen(120, start);
        assert_eq!(carried(&clock), Some((120, 1_040)));
        clock.slot_seen(123, start);
        assert_eq!(carried(&clock), Some((123, 1_046)));
        clock.slot_seen(500, start);
        assert_eq!(carried(&clock), Some((128, 1_056)), "a source that ran ahead carries it no further");
        clock.take(ChainTime { slot: 500, unix_ts: 1_000_000 });
        clock.slot_seen(501, start);
        assert_eq!(carried(&clock), Some((501, 1_000_002)), "a jump in time is no pace");
    }

    #[test]
    fn slots_that_never_were_are_taken_back_and_the_next_reading_counts() {
        let (mut clock, start) = (ChainClock::default(), Instant::now());
        clock.take(ChainTime { slot: 50_000_000, unix_ts: 99 });
        clock.slot_seen(50_000_001, start);
        clock.step_back(1_000, 1_150);
        assert_eq!((clock.tip_slot(), clock.now()), (1_000, None));
        assert!(clock.take(ChainTime { slot: 1_001, unix_ts: 100 }));
        clock.step_back(1_000, 1_150);
        assert_eq!(clock.now(), Some(ChainTime { slot: 1_001, unix_ts: 100 }), "so close it may be right");
    }

    #[test]
    fn slot_duration_follows_a_change_of_pace() {
        let (mut clock, start) = (ChainClock::default(), Instant::now());
        for slot in 1..=100u64 {
            clock.slot_seen(slot, start + Duration::from_millis(200 * slot));
        }
        assert_eq!(clock.slot_duration().as_millis(), 200);
        for slot in 101..=200u64 {
            clock.slot_seen(slot, start + Duration::from_millis(20_000 + 400 * (slot - 100)));
        }
        assert!((395..=400).contains(&clock.slot_duration().as_millis()));
    }

    #[test]
    fn jump_and_repeated_slot_measure_nothing() {
        let (mut clock, start) = (ChainClock::default(), Instant::now());
        clock.slot_seen(10, start);
        clock.slot_seen(10, start + Duration::from_millis(5));
        clock.slot_seen(10_000, start + Duration::from_millis(10));
        assert_eq!((clock.slot_duration(), clock.tip_slot()), (ASSUMED, 10_000));
    }
}
