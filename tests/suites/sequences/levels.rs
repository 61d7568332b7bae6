//! Levels from causes, kept by hand: the reference for every breaker.

use rampart::state::{Level, Levels};
use rampart_client::Pubkey;
use std::collections::BTreeMap;

/// One reason why a level is raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Rule, group, guardian, guard or vault.
    pub source: Pubkey,
    /// Its level when it began.
    pub level: Level,
    /// When it began, unix seconds.
    pub tripped: i64,
    /// When that level ends, unix seconds.
    pub expires: i64,
    /// Before this nobody lowers it, unix seconds.
    pub dwell: i64,
    /// Whether exits feel it.
    pub narrows_exits: bool,
    /// Whether a guardian raised it.
    pub is_pause: bool,
}

impl Held {
    /// When it ends, with the tail of a halt.
    fn ends(&self) -> i64 {
        if self.level == Level::Halt { self.expires + (self.expires - self.tripped) } else { self.expires }
    }

    /// The level that it demands at `now`.
    pub fn level_at(&self, now: i64) -> Level {
        match () {
            () if now < self.expires => self.level,
            () if now < self.ends() => Level::ReduceOnly,
            () => Level::Normal,
        }
    }

    fn levels_at(&self, now: i64) -> Levels {
        let risk = self.level_at(now);
        Levels { risk, exit: if self.narrows_exits { risk } else { Level::Normal } }
    }
}

/// The causes of every scope; four places each.
#[derive(Clone, Debug, Default)]
pub struct Scopes {
    by_scope: BTreeMap<Pubkey, [Option<Held>; 4]>,
}

fn strictness(levels: Levels) -> u8 {
    levels.risk as u8 + levels.exit as u8
}

impl Scopes {
    /// Every cause with its scope.
    pub fn all(&self) -> impl Iterator<Item = (&Pubkey, &Held)> {
        self.by_scope.iter().flat_map(|(scope, held)| held.iter().flatten().map(move |h| (scope, h)))
    }

    /// The strictest levels of several scopes.
    pub fn of(&self, scopes: &[Pubkey], now: i64) -> Levels {
        let causes = scopes.iter().filter_map(|s| self.by_scope.get(s)).flatten().flatten();
        causes.fold(Levels::default(), |levels, held| levels.max(held.levels_at(now)))
    }

    /// Finds the cause that `source` has in force at `scope`.
    pub fn find(&self, scope: &Pubkey, source: &Pubkey, now: i64) -> Option<&Held> {
        let held = self.by_scope.get(scope)?.iter().flatten().find(|h| h.source == *source);
        held.filter(|h| h.level_at(now) > Level::Normal)
    }

    /// Puts a cause into force; tells whether there was a place for it.
    pub fn raise(&mut self, scope: Pubkey, cause: Held, now: i64) -> bool {
        let is_held = self.find(&scope, &cause.source, now).is_some_and(|h| h.level_at(now) >= cause.level);
        if is_held {
            return false;
        }
        let places = self.by_scope.entry(scope).or_default();
        let levels = |place: &Option<Held>| place.map_or(Levels::default(), |h| h.levels_at(now));
        if let Some(own) = places.iter_mut().flatten().find(|h| h.source == cause.source) {
            *own = cause;
            return true;
        }
        // over the least strict, and only if all that it held up stays up
        let weakest = places.iter_mut().min_by_key(|p| strictness(levels(p))).expect("four places");
        let (new, old) = (cause.levels_at(now), levels(weakest));
        if new.max(old) != new || strictness(new) <= strictness(old) {
            return false;
        }
        *weakest = Some(cause);
        true
    }

    /// Lowers a cause by one level.
    pub fn lower(&mut self, scope: &Pubkey, source: &Pubkey, now: i64) {
        let Some(place) = self.place(scope, source) else { return };
        let held = place.expect("a cause");
        let next = match held.level_at(now) {
            Level::Halt => Level::ReduceOnly,
            Level::ReduceOnly => Level::Caution,
            _ => {
                *place = None;
                return;
            }
        };
        *place = Some(Held {
            level: next,
            tripped: now,
            expires: (now + held.expires - held.tripped).min(held.ends()),
            dwell: now + held.dwell - held.tripped,
            ..held
        });
    }

    /// Takes a cause away.
    pub fn remove(&mut self, scope: &Pubkey, source: &Pubkey) {
        if let Some(place) = self.place(scope, source) {
            *place = None;
        }
    }

    fn place(&mut self, scope: &Pubkey, source: &Pubkey) -> Option<&mut Option<Held>> {
        let places = self.by_scope.get_mut(scope)?;
        places.iter_mut().find(|p| p.is_some_and(|h| h.source == *source))
    }
}
