//! A census over several transactions: that it says of all accounts what one transaction would.

use crate::sequences::action::{Action, Kind};
use crate::sequences::model::DAY;
use crate::sequences::snap::Snap;
use crate::sequences::stage::Stage;
use rampart::OpenCensusArgs;
use rampart::state::{Census, CensusPurpose, HardBounds, Rule};
use rampart_client::{Instruction, Pubkey, address, control};

/// The census that is being taken.
#[derive(Clone, Debug)]
pub struct Counted {
    opened: i64,
    all: Vec<Pubkey>,
    /// Whether anything that was there was configured since it was opened.
    is_void: bool,
}

impl Counted {
    /// Forgets an account that was counted.
    pub fn forget_one(&mut self) {
        self.all.pop();
    }

    /// Takes it for older than a day.
    pub fn age(&mut self) {
        self.opened -= DAY + 1;
    }

    /// Takes it for void.
    pub fn spoil(&mut self) {
        self.is_void = true;
    }
}

/// Narrower bounds, and now and then wider ones.
fn next_bounds(mut bounds: HardBounds, number: u32) -> HardBounds {
    match number % 6 {
        0 => bounds.max_pause_secs -= bounds.max_pause_secs / 50,
        1 => bounds.min_loosen_delay_secs += 60,
        2 => bounds.max_effect_bps -= bounds.max_effect_bps / 100,
        3 => bounds.max_ltv_bps -= 5,
        4 => bounds.max_guard_pause_secs -= bounds.max_guard_pause_secs / 100,
        // wider: refused
        _ => bounds.max_ltv_bps += 1,
    }
    bounds
}

impl Stage {
    /// Every asset, vault and rule of the guard.
    fn everything(&self) -> Vec<Pubkey> {
        let assets = self.mints.iter().map(|m| address::asset(&self.world.guard, &m.mint));
        let mut all: Vec<Pubkey> =
            assets.chain(self.vaults.iter().copied()).chain(self.rules.iter().copied()).collect();
        all.sort_unstable();
        all
    }

    fn open_census(&self) -> Option<Census> {
        let key = address::census(&self.world.guard);
        self.world.exists(&key).then(|| self.world.load(&key))
    }

    /// Narrows the bounds or freezes the guard: by all accounts in one transaction, or by a census.
    pub fn forever(&self, action: &Action) -> Instruction {
        let w = &self.world;
        let census = self.open_census().filter(|_| action.a % 2 == 1);
        let all = census.map_or_else(|| self.everything(), |_| vec![address::census(&w.guard)]);
        if action.kind == Kind::FreezeForever {
            return control::freeze_forever(self.root(), w.guard, self.validity(), &all);
        }
        let bounds = census.map_or_else(|| next_bounds(w.guard_state().bounds, action.b), |c| c.bounds);
        control::narrow_bounds(self.root(), w.guard, bounds, self.validity(), &all)
    }

    /// Opens a census, counts into it, or closes it.
    pub fn census_step(&self, action: &Action) -> Option<Instruction> {
        let w = &self.world;
        if action.kind == Kind::OpenCensus {
            let now = w.guard_state().bounds;
            let (purpose, bounds) = match action.b % 8 {
                7 => (CensusPurpose::Freeze, now),
                number => (CensusPurpose::Narrow, next_bounds(now, number)),
            };
            let (purpose, counter) = (purpose as u8, self.cast.hunter);
            let args = OpenCensusArgs { bounds, purpose, counter, validity: self.validity() };
            return Some(control::open_census(self.root(), w.guard, args));
        }
        let census = self.open_census()?;
        if action.kind == Kind::CloseCensus {
            return Some(control::close_census(self.root(), w.guard, census.rent_to));
        }
        let mut left: Vec<Pubkey> = self.everything().into_iter().filter(|key| *key > census.tally.last).collect();
        if action.b % 16 == 15 && !left.is_empty() {
            // one is left out
            left.remove(0);
        }
        if !action.b.is_multiple_of(3) {
            left.truncate(1 + (action.a % 6) as usize);
        }
        Some(control::count_census(self.cast.hunter, w.guard, &left))
    }

    /// Lets the model follow a census, and checks that one that is used has counted all.
    pub fn follow_census(&mut self, action: &Action, ix: &Instruction, before: &Snap, after: &Snap) {
        if let Some(census) = &mut self.model.census {
            let stays = |key, rule: &Rule| after.rule(key).is_some_and(|now| now.params == rule.params);
            let vault = |s: &Snap| (s.vault.risk, s.vault.limits, s.vault.curve);
            let assets = |s: &Snap| s.assets.each_ref().map(|a| (a.oracle, a.reference_params, a.standby));
            let is_same = before.rules.iter().all(|(key, rule)| stays(key, rule))
                && vault(before) == vault(after)
                // sources that change places were held against the bounds in either place
                && (action.kind == Kind::ActivateStandby || assets(before) == assets(after))
                && before.guard.authority_epoch == after.guard.authority_epoch;
            // what is new is held against the bounds by whoever counts it, or leaves the census incomplete
            census.is_void |= !is_same;
        }
        match action.kind {
            Kind::OpenCensus => {
                self.model.census = Some(Counted { opened: before.now, all: vec![], is_void: false });
            }
            Kind::CountCensus => {
                let census = self.model.census.as_mut().expect("a census that was opened");
                census.all.extend(ix.accounts[3..].iter().map(|meta| meta.pubkey));
            }
            Kind::CloseCensus => self.model.census = None,
            Kind::NarrowBounds | Kind::FreezeForever => self.assert_census(ix, before),
            _ => {}
        }
    }

    fn assert_census(&self, ix: &Instruction, before: &Snap) {
        let key = address::census(&self.world.guard);
        let named: Vec<Pubkey> = match &self.model.census {
            Some(census) if ix.accounts.iter().any(|m| m.pubkey == key) => {
                assert!(!census.is_void, "a census was used after something was configured");
                assert!(before.now - census.opened <= DAY, "a census was used after a day");
                census.all.clone()
            }
            // behind root, guard, the transaction's instructions, the event's authority and the program
            _ => ix.accounts[5..].iter().map(|meta| meta.pubkey).collect(),
        };
        assert_eq!(named, self.everything(), "I4: not every account was held against the bounds");
    }
}
