//! Learned policies beside the rules: the chosen one of a library decides on each vault every five minutes, in shadow.
//!
//! Owns the library's file (`file`), the choice among its policies from one day to the next (`hand`), what each of them would have
//! brought (`outcome`), and what the chosen one and the rules would do, each behind a shield of its own (`stance`). Nothing
//! here reaches the chain: rules drive, whatever a policy's card says. A library that is refused leaves nothing but the rules.

mod file;
mod hand;
mod outcome;
mod stance;

use crate::view::{LibraryView, PolicyView};
use anchor_lang::prelude::Pubkey;
use file::{File, Read};
use hand::Hand;
use outcome::{Closes, Round};
use rampart_lab::learn::DECISION_SECS;
use rampart_score::bar::Bar;
use rampart_score::policy::{Library, Policy};
use stance::Stances;
pub(super) use stance::Vault;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Characters of a hash that people are shown.
const SHORT: usize = 12;

/// What is known of the library.
enum State {
    /// None is set.
    Off,
    /// It can't be used, and why.
    Refused(String),
    /// Its chosen policy decides in shadow.
    Serving(Box<Serving>),
}

/// A library in use.
struct Serving {
    library: Library,
    hand: Hand,
}

/// Decisions since the last look: as the rules', and other ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decided {
    /// The policy would have done what the rules would.
    pub same: u64,
    /// It would have done something else.
    pub other: u64,
}

/// The policies in shadow.
pub(super) struct Shadow {
    file: Option<File>,
    kept: Option<PathBuf>,
    state: State,
    stances: BTreeMap<Pubkey, Stances>,
    closes: BTreeMap<Pubkey, Closes>,
    round: Option<Round>,
    total: Decided,
    news: Decided,
    last_ts: i64,
}

impl Shadow {
    /// Reads the library, if one is set.
    pub(super) fn new(path: Option<&Path>) -> Self {
        let mut shadow = Self {
            file: path.map(File::new),
            kept: None,
            state: State::Off,
            stances: BTreeMap::new(),
            closes: BTreeMap::new(),
            round: None,
            total: Decided::default(),
            news: Decided::default(),
            last_ts: 0,
        };
        shadow.reload();
        shadow
    }

    /// Keeps the choice in `dir` from now on, and goes on with what is kept there of this library.
    pub(super) fn keep_in(&mut self, dir: &Path) {
        self.kept = self.file.is_some().then(|| dir.join(hand::FILE));
        if let (State::Serving(serving), Some(kept)) = (&mut self.state, &self.kept) {
            serving.hand = Hand::of(&serving.library, Some(kept));
        }
    }

    /// Says whether a library is set.
    pub(super) fn is_on(&self) -> bool {
        self.file.is_some()
    }

    /// Takes prices of a vault from before the start over.
    pub(super) fn remember(&mut self, vault: Pubkey, bars: &[Bar]) {
        if self.file.is_some() {
            let closes = self.closes.entry(vault).or_default();
            bars.iter().for_each(|bar| closes.push(bar.open_ts, bar.close));
        }
    }

    /// Looks at all vaults; decides when five minutes are over.
    pub(super) fn see(&mut self, vaults: &[Vault], now_ts: i64) {
        if self.file.is_none() {
            return;
        }
        for vault in vaults {
            let closes = self.closes.entry(vault.key).or_default();
            vault.price.into_iter().for_each(|price| closes.push(now_ts, price));
        }
        self.closes.retain(|key, _| vaults.iter().any(|vault| vault.key == *key));
        self.stances.retain(|key, _| vaults.iter().any(|vault| vault.key == *key));
        if now_ts.saturating_sub(self.last_ts) < DECISION_SECS {
            return;
        }
        self.last_ts = now_ts;
        self.reload();
        self.play(now_ts);
        let State::Serving(serving) = &self.state else { return };
        let policy = serving.chosen();
        for vault in vaults {
            let stances = self.stances.entry(vault.key).or_insert_with(|| Stances::new(vault.ltv_bps));
            let is_same = stances.decide(policy, vault, now_ts);
            for count in [&mut self.total, &mut self.news] {
                *(if is_same { &mut count.same } else { &mut count.other }) += 1;
            }
        }
    }

    /// Reads the library anew if its file has changed.
    fn reload(&mut self) {
        let Some(read) = self.file.as_mut().and_then(File::changed) else { return };
        self.round = None;
        self.state = match read {
            Read::Library(library) => {
                let reigning = library.reigning();
                let (version, hash) = (reigning.card().version, short(reigning.hash()));
                tracing::info!(version, hash, "a library of policies is in use, in shadow; rules drive");
                let hand = Hand::of(&library, self.kept.as_deref());
                State::Serving(Box::new(Serving { library: *library, hand }))
            }
            Read::Refused(why) => {
                tracing::warn!("the library of policies is refused, rules drive alone: {why}");
                self.stances.clear();
                State::Refused(why)
            }
        };
    }

    /// Once a day: what each policy would have brought on the day before, and the choice that follows.
    fn play(&mut self, now_ts: i64) {
        let State::Serving(serving) = &mut self.state else { return };
        if let Some(round) = self.round.take_if(|round| round.is_over()) {
            let day = round.day;
            match round.utilities() {
                Some(utilities) => serving.hand.learn(&utilities, day, &serving.library),
                None => serving.hand.skip(day),
            }
            serving.hand.keep(self.kept.as_deref());
        }
        let day = outcome::day_of(now_ts);
        if self.round.is_none() && serving.hand.is_due(day) {
            let paths = self.closes.values().filter_map(|closes| closes.until(day)).collect();
            self.round = Round::begin(&serving.library, paths, day);
            if self.round.is_none() {
                serving.hand.skip(day);
            }
        }
    }

    /// Returns the decisions since the last call.
    pub(super) fn take_news(&mut self) -> Decided {
        std::mem::take(&mut self.news)
    }

    /// Returns what the chosen policy and the rules would have done last about a vault, for people.
    pub(super) fn told(&self, vault: &Pubkey) -> Option<String> {
        let State::Serving(serving) = &self.state else { return None };
        let (policy, rules) = self.stances.get(vault)?.last()?;
        let chosen = serving.chosen();
        let (name, version, hash) = (&chosen.card().name, chosen.card().version, short(chosen.hash()));
        Some(format!("{name} version {version}, {hash}, would {policy}; rules would {rules}; in shadow"))
    }

    /// Returns the library as it stands.
    pub(super) fn view(&self) -> LibraryView {
        match &self.state {
            State::Off => LibraryView { state: "off".into(), ..LibraryView::default() },
            State::Refused(why) => {
                LibraryView { state: "refused".into(), reason: Some(why.clone()), ..LibraryView::default() }
            }
            State::Serving(serving) => LibraryView {
                state: "shadow".into(),
                reason: None,
                hash: Some(serving.library.hash().to_owned()),
                rounds: serving.hand.rounds(),
                decisions: self.total.same + self.total.other,
                differing: self.total.other,
                policies: serving.views(),
            },
        }
    }
}

impl Serving {
    fn chosen(&self) -> &Policy {
        let policies = self.library.policies();
        policies.get(self.hand.chosen(&self.library)).unwrap_or_else(|| self.library.reigning())
    }

    fn views(&self) -> Vec<PolicyView> {
        let chosen = self.chosen().hash();
        let shares = self.hand.probabilities();
        let view = |(at, (policy, probability)): (usize, (&Policy, f64))| PolicyView {
            name: policy.card().name.clone(),
            version: policy.card().version,
            hash: policy.hash().to_owned(),
            probability,
            is_reigning: at == self.library.reigning_at(),
            is_chosen: policy.hash() == chosen,
        };
        self.library.policies().iter().zip(shares).enumerate().map(view).collect()
    }
}

/// Returns the beginning of a hash.
pub(super) fn short(hash: &str) -> &str {
    hash.get(..SHORT).unwrap_or(hash)
}

#[cfg(test)]
pub(super) mod tests;
