//! What the band of the keeper's own score changes about what it does.
//!
//! Inside what the program admits, and it proves every action whatever the score: where a position may be deleveraged is a
//! matter of its loan-to-value, where the basket belongs one of levels and of the keepers' median. What is decided here is
//! how eagerly that is used, and that nothing volatile is bought while the own score is high though the median allows it.

use crate::config::BandSettings;
use anchor_lang::prelude::Pubkey;
pub use rampart_score::band::Band;
use std::collections::BTreeMap;

/// Bands of the keeper's own scores.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Bands {
    /// It doesn't score: it goes by what is on chain alone.
    #[default]
    Off,
    /// By asset and vault; what isn't there is not known yet.
    Known(BTreeMap<Pubkey, Band>),
}

impl Bands {
    /// Returns the highest band of `subjects`; `None` where it isn't known of any.
    pub fn highest<'a>(&self, subjects: impl IntoIterator<Item = &'a Pubkey>) -> Option<Band> {
        let Self::Known(bands) = self else { return None };
        subjects.into_iter().filter_map(|subject| bands.get(subject)).copied().max()
    }

    /// Tells whether something volatile may be bought that is about `subjects`: all of them are known, and calm. Without
    /// scores the program's median alone decides.
    pub fn may_buy<'a>(&self, settings: &BandSettings, subjects: impl IntoIterator<Item = &'a Pubkey>) -> bool {
        let Self::Known(bands) = self else { return true };
        subjects.into_iter().all(|subject| bands.get(subject).is_some_and(|band| *band <= settings.buy_back_to))
    }
}

impl BandSettings {
    /// Tells whether a position at its soft line is deleveraged in `band`.
    pub fn deleverages(&self, band: Option<Band>) -> bool {
        // what isn't known stands in the way of no protection
        band.is_none_or(|band| band >= self.deleverage_from)
    }

    /// Tells whether `band` is urgent.
    pub fn is_urgent(&self, band: Option<Band>) -> bool {
        band.is_some_and(|band| band >= self.urgent_from)
    }
}

/// Returns a band for people.
pub fn band_text(band: Option<Band>) -> String {
    band.map_or_else(|| "unknown".to_owned(), |band| format!("{band:?}").to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn highest_known_band_counts_and_an_unknown_one_buys_nothing() {
        let [sol, usdc, other] = [1, 2, 3].map(|n| Pubkey::new_from_array([n; 32]));
        let bands = Bands::Known(BTreeMap::from([(sol, Band::Tighten), (usdc, Band::Normal)]));
        let settings = BandSettings::default();
        assert_eq!(bands.highest([&sol, &usdc, &other]), Some(Band::Tighten));
        assert_eq!((bands.highest([&other]), Bands::Off.highest([&sol])), (None, None));
        assert!(bands.may_buy(&settings, [&usdc]) && Bands::Off.may_buy(&settings, [&sol]));
        assert!(!bands.may_buy(&settings, [&usdc, &sol]) && !bands.may_buy(&settings, [&usdc, &other]));
    }

    #[test]
    fn unknown_band_deleverages_and_is_not_urgent() {
        let settings = BandSettings { deleverage_from: Band::Restrict, ..BandSettings::default() };
        let all = [None, Some(Band::Tighten), Some(Band::Restrict), Some(Band::Breaker)];
        assert_eq!(all.map(|band| settings.deleverages(band)), [true, false, true, true]);
        assert_eq!(all.map(|band| settings.is_urgent(band)), [false, false, true, true]);
    }
}
