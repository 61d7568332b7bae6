//! Lets the model follow changes that wait, and checks that none lands before its date, after its window or over another value.

use crate::sequences::action::{Action, Kind};
use crate::sequences::model::Pending;
use crate::sequences::snap::Snap;
use crate::sequences::stage::Stage;
use rampart::state::ChangeGroup;
use rampart_client::{Instruction, Pubkey};

impl Stage {
    pub fn follow_changes(&mut self, action: &Action, ix: &Instruction, before: &Snap, after: &Snap) {
        let now = before.now;
        match action.kind {
            Kind::Propose => {
                let key = ix.accounts[3].pubkey;
                let stored = self.world.change(&key);
                let next = stored.change().expect("a change");
                let target = ix.accounts[2].pubkey;
                let value = before.value(next.group(), &target).expect("a value of the guard");
                let delay = i64::from(before.guard.loosen_delay_secs);
                let pending = Pending {
                    key,
                    target,
                    before: value,
                    next,
                    proposed: now,
                    delay,
                    window: i64::from(before.guard.bounds.max_execution_window_secs),
                    epoch: before.guard.authority_epoch,
                };
                let eta = pending.ripe_at(0);
                assert_eq!((stored.eta_ts, stored.expires_at_ts), (eta, eta + pending.window), "dates of a change");
                self.model.pending.push(pending);
            }
            Kind::Execute | Kind::AcceptRoot => {
                let key = if action.kind == Kind::Execute { ix.accounts[1].pubkey } else { ix.accounts[2].pubkey };
                let change = self.take_pending(&key);
                let delay = i64::from(before.guard.loosen_delay_secs);
                assert!(now >= change.ripe_at(delay), "I6: executed before its time");
                assert!(now < change.ripe_at(0) + change.window, "I6: executed after its window");
                assert_eq!(change.epoch, before.guard.authority_epoch, "I6: executed under another epoch");
                let group = change.next.group();
                assert_eq!(
                    (group == ChangeGroup::Root),
                    (action.kind == Kind::AcceptRoot),
                    "root moved without acceptance"
                );
                let (was, is) = (before.value(group, &change.target), after.value(group, &change.target));
                assert_eq!(was.as_ref(), Some(&change.before), "I6: executed over another value");
                assert_eq!(is.as_ref(), Some(&change.next), "executed, and something else stands");
            }
            Kind::Veto | Kind::CancelChange => drop(self.take_pending(&ix.accounts[2].pubkey)),
            _ => {}
        }
    }

    fn take_pending(&mut self, key: &Pubkey) -> Pending {
        let at = self.model.pending.iter().position(|p| p.key == *key).expect("I6: a change that nobody proposed");
        self.model.pending.remove(at)
    }
}
