//! From a step to the instructions that try it: evidence, reports and pauses.

use crate::sequences::action::{Action, Kind};
use crate::sequences::stage::Stage;
use rampart::state::{KeeperRole, KeeperSeat, Level, ReportParts, RuleGroup, ScaleTarget};
use rampart::{GuardianPauseArgs, SetKeepersArgs, SubmitReportArgs};
use rampart_client::{Instruction, Pubkey, address, evidence, groups, guardian, keepers};
use rampart_tests::keepers::{CALM, limits};
use rampart_tests::officers::Officer;

impl Stage {
    /// The rule that a number names.
    pub fn rule(&self, number: u32) -> Pubkey {
        self.rules[number as usize % self.rules.len()]
    }

    pub fn evidence(&self, action: &Action) -> Instruction {
        let (w, k) = (&self.world, &self.world.keys);
        // step down and reset a rule that is in force, where there is one
        let in_force =
            self.rules.iter().copied().filter(|r| self.model.holds_cause(r, w.now_ts())).nth((action.b % 2) as usize);
        let rule = match action.kind {
            Kind::StepDown | Kind::Reset => in_force.unwrap_or_else(|| self.rule(action.a)),
            _ => self.rule(action.a),
        };
        match action.kind {
            Kind::Observe if action.a.is_multiple_of(2) => {
                evidence::observe(k.collateral_asset, w.sol.mint, &w.sol_feeds.metas())
            }
            Kind::Observe => evidence::observe(k.loan_asset, w.usdc.mint, &w.usdc_feeds.metas()),
            Kind::ObserveRule => w.observe_rule_ix(rule),
            Kind::Trip => {
                let (pair, oracles) = w.evidence_of(&rule);
                let to = action.b.is_multiple_of(2).then_some(self.cast.hunter);
                evidence::trip_for(rule, &w.rule(&rule), pair, &oracles, to)
            }
            Kind::StepDown => w.step_down_ix(rule),
            _ => {
                let (pair, oracles) = w.evidence_of(&rule);
                let by = w.guard_state().roles.resetter;
                guardian::reset_breaker(by, (rule, &w.rule(&rule)), pair, &oracles, self.validity())
            }
        }
    }

    /// A group is proved by observations of its rules in the same transaction, or by earlier ones.
    pub fn group_step(&self, action: &Action) -> Vec<Instruction> {
        let (w, key) = (&self.world, self.cast.group);
        let group: RuleGroup = w.load(&key);
        let mut all: Vec<Instruction> = match action.a % 4 {
            0 => vec![],
            _ => group.active().iter().map(|rule| w.observe_rule_ix(*rule)).collect(),
        };
        if action.kind == Kind::TripGroup {
            all.push(groups::trip_group(key, &group, action.b.is_multiple_of(2).then_some(self.cast.hunter)));
        } else {
            all.push(groups::step_down_group(key, &group, group.active()[(action.b % 2) as usize]));
        }
        all
    }

    pub fn keeper_step(&self, action: &Action) -> Option<Instruction> {
        let w = &self.world;
        let key = self.cast.keepers[action.a as usize % self.cast.keepers.len()];
        let subject = if action.b % 16 == 1 { w.keys.vault } else { w.keys.collateral_asset };
        Some(match action.kind {
            Kind::OpenReport => {
                let subject = if action.b.is_multiple_of(2) { w.keys.vault } else { w.keys.loan_asset };
                keepers::open_report(w.payer_address(), w.guard, subject, key)
            }
            Kind::SubmitReport => {
                let report = address::report(&subject, &key);
                let seq = if w.exists(&report) { w.load::<rampart::state::Report>(&report).seq + 1 } else { 1 };
                let score_bps = [500, 500, 7_000, 9_000][(action.b / 16 % 4) as usize];
                let parts = ReportParts { score_bps, ..CALM };
                keepers::submit_report(
                    key,
                    w.guard,
                    subject,
                    SubmitReportArgs { parts, observed_at_ts: w.now_ts(), seq },
                )
            }
            Kind::ScaleRisk => {
                let target = if action.a.is_multiple_of(2) { ScaleTarget::Ltv } else { ScaleTarget::BorrowCap };
                keepers::scale_risk(w.keys.vault, &w.keys.collateral_asset, &w.keeper_set(), target)
            }
            Kind::SetKeepers => {
                let set = w.keeper_set();
                let seat =
                    |key: Pubkey, tag: u16| KeeperSeat { key, source_tag: tag, role: KeeperRole::Reporter as u8 };
                let mut members: Vec<KeeperSeat> = set.active().iter().map(|m| seat(m.key, m.source_tag)).collect();
                let is_full = members.len() > 4;
                if action.b.is_multiple_of(2) && !is_full {
                    members.push(seat(self.cast.keepers[4], 9));
                } else {
                    members.pop();
                }
                let by = if action.a.is_multiple_of(2) { self.admin() } else { self.root() };
                let args = SetKeepersArgs { members, limits: limits() };
                keepers::set_keepers(by, w.guard, args, self.validity())
            }
            _ => {
                let seat = |(tag, key): (usize, &Pubkey)| KeeperSeat {
                    key: *key,
                    source_tag: tag as u16,
                    role: KeeperRole::Reporter as u8,
                };
                let members = self.cast.keepers.iter().enumerate().map(seat).collect();
                keepers::initialize_keepers(self.root(), self.new_guard?, SetKeepersArgs { members, limits: limits() })
            }
        })
    }

    /// Scopes that can be paused.
    fn scope(&self, number: u32) -> Pubkey {
        let k = &self.world.keys;
        [k.vault, k.collateral_asset, k.guard, k.loan_asset, self.cast.places[1].keys.integration][number as usize % 5]
    }

    pub fn pause_step(&self, action: &Action) -> Instruction {
        let w = &self.world;
        let scope = self.scope(action.b);
        let guardians = [Officer::FirstGuardian, Officer::SecondGuardian].map(Officer::address);
        let duration_secs = [60, 900, 3_600, 10_000, 21_600, 21_601][(action.a % 6) as usize];
        match action.kind {
            Kind::Pause => {
                let level =
                    [Level::Caution, Level::ReduceOnly, Level::ReduceOnly, Level::Halt][(action.a / 6 % 4) as usize];
                let args = GuardianPauseArgs { level: level as u8, duration_secs, validity: self.validity() };
                guardian::guardian_pause(guardians[(action.b / 8 % 2) as usize], w.guard, scope, args)
            }
            Kind::Halt => guardian::guardian_halt(w.guard, scope, duration_secs, self.validity(), &guardians),
            _ => {
                let held = self.model.pause_in_force(w.now_ts());
                let (scope, source) = held.filter(|_| !action.b.is_multiple_of(8)).unwrap_or((scope, guardians[0]));
                guardian::lift_pause(w.guard_state().roles.resetter, w.guard, scope, source, self.validity())
            }
        }
    }
}
