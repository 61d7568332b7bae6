//! What keepers' reports come to: quorum, median, spread and silence.
//!
//! Let fewer than half of a quorum lie. Whatever they say, and whatever they leave unsaid, the median lies between two
//! honest values: it has as many values on either side as there can be liars.

use crate::constants::MAX_KEEPERS;
use crate::risk::verdict::Unknown;
use crate::state::keeper_set::{KeeperMember, KeeperSet};
use crate::state::rule::Comparator;

/// What one report says about one part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ballot {
    /// The part, bps.
    pub value_bps: u16,
    /// When the keeper observed it, unix seconds.
    pub observed_at_ts: i64,
    /// The set's epoch that it was made under.
    pub set_epoch: u64,
}

/// The reports of a set about one subject, counted one by one.
#[derive(Clone, Copy, Debug)]
pub struct Poll {
    now_ts: i64,
    oldest_ts: i64,
    epoch: u64,
    changed_at_ts: i64,
    max_spread_bps: u16,
    quorum: usize,
    /// Of the fresh reports, ascending.
    values: [u16; MAX_KEEPERS],
    /// Of the fresh reports, in the set's order.
    tags: [u16; MAX_KEEPERS],
    fresh: usize,
    /// When each reporter was last heard, the newest first.
    heard: [i64; MAX_KEEPERS],
    reporters: usize,
}

impl Poll {
    /// Starts a poll of `set`.
    pub fn new(set: &KeeperSet, now_ts: i64) -> Self {
        Self {
            now_ts,
            oldest_ts: now_ts.saturating_sub(i64::from(set.max_age_secs)),
            epoch: set.epoch,
            changed_at_ts: set.changed_at_ts,
            max_spread_bps: set.max_spread_bps,
            quorum: usize::from(set.quorum_at(now_ts)),
            values: [0; MAX_KEEPERS],
            tags: [0; MAX_KEEPERS],
            fresh: 0,
            heard: [0; MAX_KEEPERS],
            reporters: 0,
        }
    }

    /// Counts what `member` says; `None` where it never reported.
    #[inline(always)]
    pub fn count(&mut self, member: &KeeperMember, ballot: Option<Ballot>) {
        if !member.counts_at(self.now_ts) || self.reporters >= MAX_KEEPERS {
            return;
        }
        let present = ballot.filter(|b| b.set_epoch == self.epoch);
        // nobody was silent before it could be heard
        let since_ts = self.changed_at_ts.max(member.active_from_ts);
        let heard_ts = present.map_or(since_ts, |b| b.observed_at_ts);
        insert(&mut self.heard, self.reporters, heard_ts, |other, new| other >= new);
        self.reporters += 1;
        let Some(ballot) = present.filter(|b| b.observed_at_ts >= self.oldest_ts) else {
            return;
        };
        self.tags[self.fresh] = member.source_tag;
        insert(&mut self.values, self.fresh, ballot.value_bps, |other, new| other <= new);
        self.fresh += 1;
    }

    /// Returns the median of the fresh reports: of an even number the one further from danger, so that an even split
    /// proves nothing.
    ///
    /// # Errors
    /// `Quorum` for too few fresh reports, or for fewer sources than a quorum where `is_diverse` asks for that; `Spread`
    /// where they are no one opinion.
    pub fn median(&self, danger: Comparator, is_diverse: bool) -> Result<u16, Unknown> {
        if self.spread()? > self.max_spread_bps {
            return Err(Unknown::Spread);
        }
        if is_diverse && self.sources() < self.quorum {
            return Err(Unknown::Quorum);
        }
        let at = if danger == Comparator::Below { self.fresh / 2 } else { (self.fresh - 1) / 2 };
        Ok(self.values[at])
    }

    /// Returns the gap between the ends of the fresh reports' middle half, bps: less than a quarter of them can't widen it.
    ///
    /// # Errors
    /// `Quorum` for too few fresh reports.
    pub fn spread(&self) -> Result<u16, Unknown> {
        if self.fresh < self.quorum || self.fresh == 0 {
            return Err(Unknown::Quorum);
        }
        let cut = self.fresh / 4;
        Ok(self.values[self.fresh - 1 - cut].saturating_sub(self.values[cut]))
    }

    /// Returns how long ago a quorum was last heard, seconds; a set that can have none was never.
    pub fn silence_secs(&self) -> u64 {
        if self.quorum > self.reporters {
            return u64::from(u32::MAX);
        }
        u64::try_from(self.now_ts.saturating_sub(self.heard_ts())).unwrap_or(0)
    }

    /// Returns when the last of the quorum that was heard most recently was heard, unix seconds.
    pub fn heard_ts(&self) -> i64 {
        self.heard[..self.reporters].get(self.quorum.max(1) - 1).copied().unwrap_or(self.changed_at_ts)
    }

    /// How many different sources the fresh reports have.
    fn sources(&self) -> usize {
        let tags = &self.tags[..self.fresh];
        tags.iter().enumerate().filter(|(index, tag)| !tags[..*index].contains(tag)).count()
    }
}

/// Puts `new` into the first `count` items behind all that precede it. There MUST be room for one more.
#[inline(always)]
fn insert<T: Copy>(items: &mut [T; MAX_KEEPERS], count: usize, new: T, precedes: impl Fn(T, T) -> bool) {
    let mut at = count;
    while at > 0 && !precedes(items[at - 1], new) {
        items[at] = items[at - 1];
        at -= 1;
    }
    items[at] = new;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::keeper_set::{KeeperRole, quorum_of};
    use proptest::prelude::*;

    const NOW: i64 = 1_000_000;

    fn set(count: u8, max_spread_bps: u16) -> KeeperSet {
        let mut set: KeeperSet = bytemuck::Zeroable::zeroed();
        (set.count, set.epoch, set.max_age_secs, set.max_spread_bps) = (count, 1, 60, max_spread_bps);
        set.changed_at_ts = NOW - 1_000;
        for (index, member) in set.members.iter_mut().take(usize::from(count)).enumerate() {
            (member.source_tag, member.role) = (index as u16, KeeperRole::Reporter as u8);
        }
        set
    }

    fn poll(set: &KeeperSet, values: &[Option<u16>]) -> Poll {
        let mut poll = Poll::new(set, NOW);
        for (member, value) in set.active().iter().zip(values) {
            let ballot = value.map(|value_bps| Ballot { value_bps, observed_at_ts: NOW - 5, set_epoch: 1 });
            poll.count(member, ballot);
        }
        poll
    }

    fn some(values: &[u16]) -> Vec<Option<u16>> {
        values.iter().copied().map(Some).collect()
    }

    #[test]
    fn median_of_an_even_number_is_the_one_further_from_danger() {
        let poll = poll(&set(4, 9_999), &some(&[400, 100, 300, 200]));
        assert_eq!(poll.median(Comparator::Above, true), Ok(200));
        assert_eq!(poll.median(Comparator::Below, true), Ok(300));
    }

    #[test]
    fn median_needs_a_quorum_of_fresh_reports_of_the_present_epoch() {
        let set = set(5, 9_999);
        assert_eq!(poll(&set, &some(&[1, 2, 3])).median(Comparator::Above, false), Err(Unknown::Quorum));
        for spoilt in [
            Ballot { value_bps: 1, observed_at_ts: NOW - 61, set_epoch: 1 },
            Ballot { value_bps: 1, observed_at_ts: NOW, set_epoch: 2 },
        ] {
            let mut poll = poll(&set, &[Some(1), None, Some(3), Some(4)]);
            poll.count(&set.members[4], Some(spoilt));
            assert_eq!(poll.median(Comparator::Above, false), Err(Unknown::Quorum));
        }
        assert!(poll(&set, &[Some(1), None, Some(3), Some(4), Some(5)]).median(Comparator::Above, true).is_ok());
    }

    #[test]
    fn half_high_and_half_low_is_no_opinion() {
        let halves = [0, 0, 0, 0, 0, 0, 0, 10_000, 10_000, 10_000, 10_000, 10_000, 10_000, 10_000, 10_000];
        let split = poll(&set(15, 2_000), &some(&halves));
        assert_eq!((split.spread(), split.median(Comparator::Above, true)), (Ok(10_000), Err(Unknown::Spread)));
        // one of four can't widen the spread
        let lone = poll(&set(4, 2_000), &some(&[500, 10_000, 600, 700]));
        assert_eq!((lone.spread(), lone.median(Comparator::Above, true)), (Ok(100), Ok(600)));
    }

    #[test]
    fn one_source_with_many_keys_is_one_source() {
        let mut set = set(5, 9_999);
        set.members[3].source_tag = 0;
        set.members[4].source_tag = 1;
        let values = some(&[1, 2, 3, 4, 5]);
        assert_eq!(poll(&set, &values).median(Comparator::Above, false), Ok(3));
        assert_eq!(poll(&set, &values).median(Comparator::Above, true), Err(Unknown::Quorum));
    }

    #[test]
    fn silence_is_counted_from_the_last_of_a_quorum_and_never_from_before_the_set() {
        let set = set(5, 9_999);
        assert_eq!(poll(&set, &some(&[1, 2, 3, 4, 5])).silence_secs(), 5);
        assert_eq!(poll(&set, &[Some(1), Some(2), Some(3), Some(4), None]).silence_secs(), 5);
        assert_eq!(poll(&set, &[Some(1), Some(2), Some(3), None, None]).silence_secs(), 1_000);
        assert_eq!(poll(&set, &[]).silence_secs(), u64::from(u32::MAX));
    }

    proptest! {
        /// Invariant I15.
        #[test]
        fn fewer_liars_than_half_a_quorum_cannot_move_the_median_outside_the_honest_range(
            count in 3u8..=15,
            honest in prop::collection::vec(0u16..=10_000, 15),
            lies in prop::collection::vec(prop::option::of(0u16..=10_000), 15),
            order in Just((0usize..15).collect::<Vec<_>>()).prop_shuffle(),
            silent in 0usize..5,
        ) {
            let n = usize::from(count);
            let quorum = usize::from(quorum_of(count));
            let liars = (quorum - 1) / 2;
            let seats: Vec<usize> = order.into_iter().filter(|i| *i < n).collect();
            let mut values: Vec<Option<u16>> = honest[..n].iter().copied().map(Some).collect();
            seats.iter().take(liars).for_each(|i| values[*i] = lies[*i]);
            seats.iter().skip(liars).take(silent).for_each(|i| values[*i] = None);
            let said: Vec<u16> = seats.iter().skip(liars).filter_map(|i| values[*i]).collect();
            let poll = poll(&set(count, 9_999), &values);
            for danger in [Comparator::Above, Comparator::Below] {
                if let Ok(median) = poll.median(danger, true) {
                    let (low, high) = (said.iter().min().unwrap(), said.iter().max().unwrap());
                    prop_assert!((low..=high).contains(&&median), "{median} is not in {low}..={high}");
                }
            }
        }

        #[test]
        fn median_is_that_of_the_sorted_values(values in prop::collection::vec(0u16..=10_000, 3..=15)) {
            let poll = poll(&set(values.len() as u8, 9_999), &some(&values));
            let mut sorted = values.clone();
            sorted.sort_unstable();
            let spread = poll.spread().unwrap();
            let cut = sorted.len() / 4;
            prop_assert_eq!(spread, sorted[sorted.len() - 1 - cut] - sorted[cut]);
            if spread <= 9_999 {
                prop_assert_eq!(poll.median(Comparator::Above, true), Ok(sorted[(sorted.len() - 1) / 2]));
                prop_assert_eq!(poll.median(Comparator::Below, true), Ok(sorted[sorted.len() / 2]));
            }
        }
    }
}
