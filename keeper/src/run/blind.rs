//! Rules that can't be judged, and for how long.

use crate::assess::RuleReport;
use anchor_lang::prelude::Pubkey;
use rampart::risk::verdict::{Unknown, Verdict};
use std::collections::HashMap;

/// Seconds of the chain's time that a rule may be blind before it is told of: a late print is no news.
const PATIENCE_SECS: i64 = 60;

/// The blind rules.
#[derive(Debug, Default)]
pub struct Blind(HashMap<Pubkey, Since>);

#[derive(Clone, Copy, Debug)]
struct Since {
    ts: i64,
    is_told: bool,
}

/// What is to be told of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It has been blind for so many seconds.
    Lost(i64),
    /// It can be judged again, after so many seconds.
    Found(i64),
}

/// Tells whether a rule that is switched on is blind: prices or reports are missing, stale or disputed.
///
/// One that has nothing to measure, or whose windows are not filled yet, is not.
pub fn is_blind(report: &RuleReport) -> bool {
    let waits = |why| matches!(why, Unknown::Coverage | Unknown::Reference | Unknown::Nothing);
    report.is_enabled
        && match report.verdict() {
            Some(Verdict::Indeterminate(why)) => !waits(why),
            Some(_) => false,
            None => true,
        }
}

impl Blind {
    /// Notes how a rule is as of `now_ts`, unix seconds of the chain's time; returns what is to be told.
    pub fn note(&mut self, rule: Pubkey, is_blind: bool, now_ts: i64) -> Option<Turn> {
        if !is_blind {
            return self.0.remove(&rule).filter(|since| since.is_told).map(|since| Turn::Found(now_ts - since.ts));
        }
        let since = self.0.entry(rule).or_insert(Since { ts: now_ts, is_told: false });
        let secs = now_ts.saturating_sub(since.ts);
        let is_news = secs >= PATIENCE_SECS && !since.is_told;
        since.is_told |= is_news;
        is_news.then_some(Turn::Lost(secs))
    }

    /// Forgets rules that are no more.
    pub fn retain(&mut self, exists: impl Fn(&Pubkey) -> bool) {
        self.0.retain(|rule, _| exists(rule));
    }

    /// Returns how many rules are blind, however short.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_is_told_once_after_a_minute_and_once_when_it_is_back() {
        let (mut blind, rule) = (Blind::default(), Pubkey::new_from_array([1; 32]));
        assert_eq!(blind.note(rule, true, 100), None);
        assert_eq!(blind.note(rule, true, 159), None);
        assert_eq!(blind.note(rule, true, 160), Some(Turn::Lost(60)));
        assert_eq!(blind.note(rule, true, 900), None);
        assert_eq!(blind.note(rule, false, 901), Some(Turn::Found(801)));
        assert_eq!((blind.note(rule, false, 902), blind.len()), (None, 0));
    }

    #[test]
    fn late_print_and_a_rule_that_is_gone_are_no_news() {
        let (mut blind, rule) = (Blind::default(), Pubkey::new_from_array([1; 32]));
        assert_eq!((blind.note(rule, true, 100), blind.note(rule, false, 130)), (None, None));
        assert_eq!((blind.note(rule, true, 200), blind.len()), (None, 1));
        blind.retain(|_| false);
        assert_eq!((blind.note(rule, false, 900), blind.len()), (None, 0));
    }
}
