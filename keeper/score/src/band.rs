//! What a score calls for: bands whose borders follow from costs, left late and only after calm.

use serde::{Deserialize, Serialize};

/// What the defence may do, from nothing to all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Band {
    /// Nothing; limits may be loosened.
    #[default]
    Normal,
    /// Loosening is frozen.
    Watch,
    /// Loan-to-value and caps for new risk are tightened.
    Tighten,
    /// Borrowing is restricted, soft deleveraging runs, the reserve hedges.
    Restrict,
    /// The breaker is asked for, and people are told.
    Breaker,
}

impl Band {
    /// All bands, rising.
    pub const ALL: [Self; 5] = [Self::Normal, Self::Watch, Self::Tighten, Self::Restrict, Self::Breaker];

    /// Returns the name, as settings have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Watch => "watch",
            Self::Tighten => "tighten",
            Self::Restrict => "restrict",
            Self::Breaker => "breaker",
        }
    }
}

/// Scores at which bands begin, and how they are left.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bands {
    /// Entries of watch, tighten, restrict and breaker, bps.
    pub entries_bps: [u16; 4],
    /// Share of its entry that the score must be below for a band to be left.
    pub exit_share: f64,
    /// How long it must be, seconds.
    pub calm_secs: u32,
    /// How long it must be where what was known alone called for less, seconds.
    pub doubt_secs: u32,
    /// Lowest band while a market's past isn't known.
    pub warming: Band,
}

impl Default for Bands {
    /// 800, 1,500, 3,000 and 6,000 bps; left below 0.7 of the entry for two half-lives of 6 h, or for a quarter of an hour.
    fn default() -> Self {
        Self {
            entries_bps: [800, 1_500, 3_000, 6_000],
            exit_share: 0.7,
            calm_secs: 43_200,
            doubt_secs: 900,
            warming: Band::Watch,
        }
    }
}

/// Why bands are refused.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum BandsError {
    /// Entries that don't rise from above 0 to at most 10,000.
    #[error("bands' entries {found:?} must rise, from above 0 to at most 10,000 bps")]
    Entries {
        /// What was given, bps.
        found: [u16; 4],
    },
    /// A share that isn't from 0 to 1.
    #[error("bands' exit share must be above 0 and at most 1")]
    ExitShare,
}

/// What acting and not acting cost, for one band, in one unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Costs {
    /// Cost of acting.
    pub action: f64,
    /// Loss that comes if the event does.
    pub avoidable: f64,
    /// Share of that loss that acting avoids, η, 0 to 1.
    pub efficacy: f64,
}

impl Costs {
    /// Returns the probability above which acting is cheaper: `C / (C + η L)`, bps, rounded up.
    ///
    /// A cost that isn't a positive number gives 10,000: what can't be weighed is done by people.
    pub fn entry_bps(&self) -> u16 {
        let avoided = self.efficacy.clamp(0.0, 1.0) * self.avoidable;
        let p = self.action / (self.action + avoided);
        let is_sound = self.action > 0.0 && avoided >= 0.0 && p.is_finite();
        if is_sound { (10_000.0 * p).ceil().min(10_000.0) as u16 } else { 10_000 }
    }
}

impl Bands {
    /// Makes bands from the costs of watch, tighten, restrict and breaker.
    ///
    /// # Errors
    /// `Entries` where costs don't rise with the band.
    pub fn from_costs(costs: &[Costs; 4]) -> Result<Self, BandsError> {
        let bands = Self { entries_bps: costs.map(|costs| costs.entry_bps()), ..Self::default() };
        bands.validate()?;
        Ok(bands)
    }

    /// Checks entries and exit share.
    ///
    /// # Errors
    /// `Entries`, `ExitShare`.
    pub fn validate(&self) -> Result<(), BandsError> {
        let found = self.entries_bps;
        if found[0] == 0 || found[3] > 10_000 || !found.is_sorted_by(|a, b| a < b) {
            return Err(BandsError::Entries { found });
        }
        if self.exit_share.is_nan() || self.exit_share <= 0.0 || self.exit_share > 1.0 {
            return Err(BandsError::ExitShare);
        }
        Ok(())
    }

    /// Returns the band that a score enters.
    pub fn entered(&self, score_bps: u16) -> Band {
        Band::ALL[self.entries_bps.iter().filter(|entry| score_bps >= **entry).count()]
    }

    /// Returns the lowest band that isn't left at a score: its entry, but for the exit share, is still reached.
    fn held(&self, score_bps: u16) -> Band {
        let is_held = |entry: &&u16| f64::from(score_bps) >= self.exit_share * f64::from(**entry);
        Band::ALL[self.entries_bps.iter().filter(is_held).count()]
    }
}

/// A score, and what it is without what isn't known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scores {
    /// The whole, bps.
    pub bps: u16,
    /// Of what is known alone, bps; at most the whole.
    pub known_bps: u16,
}

/// The band of one market over time: entered at once, left after calm.
///
/// What isn't known is danger while it isn't, and little longer: a second without prices says nothing of the next twelve hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BandState {
    /// Entered by what is known.
    danger: Lasting,
    /// Entered by the whole, soon left.
    doubt: Lasting,
}

/// A band that is left after calm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Lasting {
    band: Band,
    /// Since when scores have held no more than a lower band, and the highest that one of them held.
    calm: Option<(i64, Band)>,
}

impl BandState {
    /// Takes a score at `ts` and returns the band.
    pub fn push(&mut self, bands: &Bands, scores: Scores, is_warming: bool, ts: i64) -> Band {
        let floor = if is_warming { bands.warming } else { Band::Normal };
        let entered = |bps| bands.entered(bps).max(floor);
        // calm is what the whole says: nothing calms down while it isn't seen
        let held = bands.held(scores.bps).max(floor);
        self.danger.push((entered(scores.known_bps), held), bands.calm_secs, ts);
        self.doubt.push((entered(scores.bps), held), bands.doubt_secs, ts);
        self.band()
    }

    /// Returns the present band.
    pub fn band(&self) -> Band {
        self.danger.band.max(self.doubt.band)
    }
}

impl Lasting {
    fn push(&mut self, (entered, held): (Band, Band), calm_secs: u32, ts: i64) {
        if entered >= self.band || held >= self.band {
            (self.band, self.calm) = (entered.max(self.band), None);
            return;
        }
        let (since, highest) = self.calm.map_or((ts, held), |(since, highest)| (since, highest.max(held)));
        if ts.saturating_sub(since) >= i64::from(calm_secs) {
            // Down to what the calm time held, from where the wait begins anew.
            (self.band, self.calm) = (highest, None);
        } else {
            self.calm = Some((since, highest));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR: i64 = 3_600;

    /// A score of which all is known.
    fn known(bps: u16) -> Scores {
        Scores { bps, known_bps: bps }
    }

    #[test]
    fn band_is_entered_at_once_at_its_entry() {
        let bands = Bands::default();
        let expected = [
            (0, Band::Normal),
            (799, Band::Normal),
            (800, Band::Watch),
            (1_500, Band::Tighten),
            (6_000, Band::Breaker),
        ];
        for (score, band) in expected {
            assert_eq!(BandState::default().push(&bands, known(score), false, 0), band, "{score}");
        }
    }

    #[test]
    fn band_is_left_only_below_seven_tenths_for_two_half_lives() {
        let bands = Bands::default();
        let mut state = BandState::default();
        assert_eq!(state.push(&bands, known(3_000), false, 0), Band::Restrict);
        // 2,100 is 0.7 of the entry: held for ever.
        assert_eq!(state.push(&bands, known(2_100), false, 100 * HOUR), Band::Restrict);
        assert_eq!(state.push(&bands, known(2_099), false, 101 * HOUR), Band::Restrict);
        // A score that is high again ends the calm.
        assert_eq!(state.push(&bands, known(2_500), false, 112 * HOUR), Band::Restrict);
        assert_eq!(state.push(&bands, known(1_200), false, 113 * HOUR), Band::Restrict);
        assert_eq!(state.push(&bands, known(0), false, 125 * HOUR - 1), Band::Restrict);
        // Down to what the calm time held: 1,200 is above 0.7 · 1,500.
        assert_eq!(state.push(&bands, known(0), false, 125 * HOUR), Band::Tighten);
        assert_eq!(state.push(&bands, known(0), false, 126 * HOUR), Band::Tighten);
        assert_eq!(state.push(&bands, known(0), false, 138 * HOUR), Band::Normal);
    }

    #[test]
    fn band_is_never_normal_while_a_market_is_warming() {
        let mut state = BandState::default();
        for hour in 0..48 {
            assert_eq!(state.push(&Bands::default(), known(0), true, hour * HOUR), Band::Watch);
        }
        state.push(&Bands::default(), known(0), false, 48 * HOUR);
        assert_eq!(state.push(&Bands::default(), known(0), false, 60 * HOUR), Band::Normal);
    }

    #[test]
    fn band_of_what_was_not_known_is_left_a_quarter_of_an_hour_after_it_is() {
        let bands = Bands::default();
        let mut state = BandState::default();
        // one blind second
        assert_eq!(state.push(&bands, Scores { bps: 8_000, known_bps: 300 }, false, 0), Band::Breaker);
        assert_eq!(state.push(&bands, known(300), false, 1), Band::Breaker);
        assert_eq!(state.push(&bands, known(300), false, 900), Band::Breaker);
        assert_eq!(state.push(&bands, known(300), false, 901), Band::Normal);
        // what was known in the dark stays as long as ever
        assert_eq!(state.push(&bands, Scores { bps: 8_000, known_bps: 3_000 }, false, HOUR), Band::Breaker);
        assert_eq!(state.push(&bands, known(300), false, HOUR + 1), Band::Breaker);
        assert_eq!(state.push(&bands, known(300), false, 2 * HOUR), Band::Restrict);
        assert_eq!(state.push(&bands, known(300), false, 14 * HOUR), Band::Normal);
    }

    #[test]
    fn nothing_calms_down_in_the_dark() {
        let bands = Bands::default();
        let mut state = BandState::default();
        state.push(&bands, known(6_000), false, 0);
        for hour in 1..100 {
            assert_eq!(state.push(&bands, Scores { bps: 7_000, known_bps: 0 }, false, hour * HOUR), Band::Breaker);
        }
        assert_eq!(state.push(&bands, known(0), false, 100 * HOUR), Band::Breaker);
        assert_eq!(state.push(&bands, known(0), false, 112 * HOUR - 1), Band::Breaker);
        assert_eq!(state.push(&bands, known(0), false, 112 * HOUR), Band::Normal);
        // an input that is missing for good keeps no band above its own
        state.push(&bands, known(6_000), false, 113 * HOUR);
        for hour in 114..127 {
            state.push(&bands, Scores { bps: 2_000, known_bps: 0 }, false, hour * HOUR);
        }
        assert_eq!(state.band(), Band::Tighten);
    }

    #[test]
    fn entries_follow_from_costs() {
        // Acting costs 1 and avoids half of 20: 1 / (1 + 10).
        assert_eq!(Costs { action: 1.0, avoidable: 20.0, efficacy: 0.5 }.entry_bps(), 910);
        assert_eq!(Costs { action: 1.0, avoidable: 20.0, efficacy: 0.0 }.entry_bps(), 10_000);
        assert_eq!(Costs { action: f64::NAN, avoidable: 1.0, efficacy: 1.0 }.entry_bps(), 10_000);
        let costs = [1.0, 2.0, 5.0, 15.0].map(|action| Costs { action, avoidable: 12.0, efficacy: 1.0 });
        assert_eq!(Bands::from_costs(&costs).unwrap().entries_bps, [770, 1_429, 2_942, 5_556]);
        let found = [1_429, 770, 2_942, 5_556];
        assert_eq!(Bands::from_costs(&[costs[1], costs[0], costs[2], costs[3]]), Err(BandsError::Entries { found }));
        assert_eq!(Bands { exit_share: f64::NAN, ..Bands::default() }.validate(), Err(BandsError::ExitShare));
    }

    proptest! {
        #[test]
        fn band_is_never_below_the_one_that_the_score_enters(scores in prop::collection::vec((0u16..=10_000, 0u16..=10_000, 1i64..100_000), 1..60)) {
            let (bands, mut state, mut ts) = (Bands::default(), BandState::default(), 0);
            for (score, of_it, secs) in scores {
                ts += secs;
                let before = state.band();
                let band = state.push(&bands, Scores { bps: score, known_bps: of_it.min(score) }, false, ts);
                prop_assert!(band >= bands.entered(score));
                prop_assert!(band >= before || f64::from(score) < 0.7 * f64::from(bands.entries_bps[before as usize - 1]));
            }
        }
    }
}
