//! Lets the model follow pauses, and checks their budgets.

use crate::sequences::action::{Action, Kind};
use crate::sequences::levels::Held;
use crate::sequences::model::{DAY, PauseSpan};
use crate::sequences::snap::Snap;
use crate::sequences::stage::Stage;
use rampart::state::Level;
use rampart_client::Instruction;

/// Guardians pause at most so long within any 30 days.
const PAUSE_WINDOW: i64 = 30 * DAY;
/// How long a pause stands before it may be lifted, seconds.
const PAUSE_DWELL: i64 = 900;
impl Stage {
    pub fn follow_pauses(&mut self, action: &Action, ix: &Instruction, before: &Snap) {
        let now = before.now;
        let (by, scope, secs, level) = match action.kind {
            Kind::Pause => {
                (Some(ix.accounts[0].pubkey), ix.accounts[2].pubkey, duration(ix, 9), Level::try_from(ix.data[8]))
            }
            Kind::Halt => (None, ix.accounts[1].pubkey, duration(ix, 8), Ok(Level::Halt)),
            _ => return,
        };
        let level = level.expect("level");
        let source = by.unwrap_or(self.world.guard);
        assert!(by.is_none() || level <= Level::ReduceOnly, "one guardian alone halted");
        assert!(self.model.scopes.find(&scope, &source, now).is_none(), "a guardian prolonged their own pause");
        assert!(secs > 0 && secs <= i64::from(before.guard.bounds.max_pause_secs), "a pause beyond the bound");
        let cause = Held {
            source,
            level,
            tripped: now,
            expires: now + secs,
            dwell: now + secs.min(PAUSE_DWELL),
            narrows_exits: true,
            is_pause: true,
        };
        assert!(self.model.scopes.raise(scope, cause, now), "a pause that has no place");
        // a halt falls to ReduceOnly for as long again
        let secs = if by.is_none() { 2 * secs } else { secs };
        self.model.pauses.push(PauseSpan { by, start: now, secs });
        self.assert_pause_budgets(before);
    }

    fn assert_pause_budgets(&self, before: &Snap) {
        let bounds = &before.guard.bounds;
        let newest = *self.model.pauses.last().expect("a pause");
        let ends = self.model.pauses.iter().map(|p| p.start + p.secs - PAUSE_WINDOW);
        let starts = self.model.pauses.iter().map(|p| p.start).chain(ends);
        for from in starts.filter(|from| *from < newest.start + newest.secs && newest.start < from + PAUSE_WINDOW) {
            let within = |p: &PauseSpan| ((p.start + p.secs).min(from + PAUSE_WINDOW) - p.start.max(from)).max(0);
            let sum =
                |of: &dyn Fn(&PauseSpan) -> bool| self.model.pauses.iter().filter(|p| of(p)).map(within).sum::<i64>();
            let all = sum(&|_| true);
            assert!(all <= i64::from(bounds.max_guard_pause_secs), "I8: {all} s of pauses within 30 days");
            if newest.by.is_some() {
                let (own, single) = (sum(&|p| p.by == newest.by), sum(&|p| p.by.is_some()));
                assert!(own <= i64::from(bounds.max_guardian_pause_secs), "I8: {own} s by one guardian");
                let for_singles = bounds.max_guard_pause_secs - bounds.quorum_reserve_secs;
                assert!(single <= i64::from(for_singles), "I8: {single} s by single guardians");
            }
        }
    }
}

fn duration(ix: &Instruction, at: usize) -> i64 {
    u32::from_le_bytes(ix.data[at..at + 4].try_into().expect("four bytes")).into()
}
