//! Lets the levels of the model follow what landed, and checks that none falls by anything else.

use crate::sequences::action::{Action, Kind};
use crate::sequences::check::has_prices;
use crate::sequences::levels::Held;
use crate::sequences::model::{HOUR, Model};
use crate::sequences::snap::Snap;
use crate::sequences::stage::{Stage, group_params};
use rampart::state::Level;
use rampart_client::{Instruction, Pubkey};

/// One proof of a shortfall holds the vault so long, seconds.
const SHORTFALL_SECS: i64 = 6 * HOUR;

impl Stage {
    /// A level falls by a proved step down, a reset or a lift alone; time is the same before and after.
    pub fn assert_no_fall(&self, action: &Action, before: &Snap, after: &Snap) {
        let may_fall = matches!(action.kind, Kind::StepDown | Kind::StepDownGroup | Kind::Reset | Kind::Lift);
        let pairs = before.breakers(&self.cast).into_iter().zip(after.breakers(&self.cast));
        for ((scope, was), (_, is)) in pairs {
            let (was, is) = (was.levels_at(before.now), is.levels_at(after.now));
            let fell = is.risk < was.risk || is.exit < was.exit;
            assert!(!fell || may_fall, "I7: {scope} fell from {was:?} to {is:?} by {action:?}");
        }
        let (was, is) = (before.vault.resolution.is_in_force(), after.vault.resolution.is_in_force());
        assert!(!was || is || action.kind == Kind::LeaveResolution, "I7: Resolution ended by {action:?}");
        assert!(was || !is || action.kind == Kind::EnterResolution, "Resolution began by {action:?}");
    }

    /// Lets the model's causes follow what landed.
    pub fn follow_causes(&mut self, action: &Action, ix: &Instruction, before: &Snap) {
        let now = before.now;
        let at = |index: usize| ix.accounts[index].pubkey;
        match action.kind {
            Kind::Trip => {
                let (rule, scope) = (at(0), at(2));
                let params = before.rule(&rule).expect("a rule of the guard").params;
                self.assert_evidence(&params, now);
                let cause = Model::cause_of_rule(rule, &params, now);
                assert!(self.model.scopes.raise(scope, cause, now), "trip of a cause that has no place: {action:?}");
            }
            Kind::TripGroup => {
                let params = group_params();
                let cause = Held {
                    source: at(0),
                    level: Level::try_from(params.level).expect("level"),
                    tripped: now,
                    expires: now + i64::from(params.duration_secs),
                    dwell: now + i64::from(params.min_dwell_secs),
                    narrows_exits: true,
                    is_pause: false,
                };
                assert!(self.model.scopes.raise(at(1), cause, now), "trip of a cause that has no place: {action:?}");
            }
            Kind::StepDown | Kind::StepDownGroup => {
                self.assert_dwell(&at(2), &at(0), now);
                self.model.scopes.lower(&at(2), &at(0), now);
            }
            Kind::Reset => {
                self.assert_dwell(&at(4), &at(2), now);
                self.model.scopes.remove(&at(4), &at(2));
            }
            Kind::Lift => {
                let held = self.model.pause_in_force_at(&at(2), now);
                let source = held.into_iter().find(|s| ix.data.windows(32).any(|w| w == s.as_ref()));
                let source = source.expect("I7: a lift of what is no pause in force");
                self.assert_dwell(&at(2), &source, now);
                self.model.scopes.remove(&at(2), &source);
            }
            _ => self.follow_shortfall(action, now),
        }
    }

    /// Whoever touches a vault that is short proves it.
    fn follow_shortfall(&mut self, action: &Action, now: i64) {
        let (loan, collateral) = (self.model.surplus.0 < 0, self.model.surplus.1 < 0);
        let is_short = match action.kind {
            Kind::Withdraw | Kind::Claim => loan,
            Kind::TakeOut | Kind::ClaimCollateral => collateral,
            Kind::RecordShortfall => loan || collateral,
            Kind::EnterResolution => (loan || collateral) && action.a.is_multiple_of(3),
            _ => false,
        };
        if is_short {
            let vault = self.world.keys.vault;
            let until = now + SHORTFALL_SECS;
            let cause = Held {
                source: vault,
                level: Level::ReduceOnly,
                tripped: now,
                expires: until,
                dwell: until,
                narrows_exits: true,
                is_pause: false,
            };
            // renewed only after it has run out
            self.model.scopes.raise(vault, cause, now);
        }
    }

    fn assert_dwell(&self, scope: &Pubkey, source: &Pubkey, now: i64) {
        let held = self.model.scopes.find(scope, source, now).expect("I7: a level fell that no cause held up");
        assert!(now >= held.dwell, "I7: lowered before its dwell time");
    }

    /// A rule on a price trips on fresh sources that agree, whoever calls.
    fn assert_evidence(&self, params: &rampart::state::rule::RuleParams, now: i64) {
        use rampart::state::rule::Metric as M;
        let needs = [M::Drawdown, M::DeviationFromReference].iter().any(|m| *m as u8 == params.metric);
        assert!(!needs || self.model.feeds[0].is_good(now), "I18: tripped without fresh sources");
        let needs_both = params.metric == M::CollateralRatio as u8;
        assert!(!needs_both || has_prices(&self.model, now), "I18: tripped without fresh sources");
    }
}
