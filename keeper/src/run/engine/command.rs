//! Commands of the operator, carried out between two pieces of news.

use crate::config::Mode;
use crate::control::{Command, Group, TripAnswer};
use crate::decide::{Decision, trip_of};
use crate::events::{EventKind, Fact};
use crate::intent::ActionClass;
use crate::run::courier::Courier;
use crate::run::engine::Engine;
use anchor_lang::prelude::Pubkey;

impl<C: Courier> Engine<C> {
    /// Carries a command out. Whoever asked may be gone: then the answer is dropped.
    pub fn command(&mut self, command: Command) {
        match command {
            Command::Pauses(pauses) => self.set_pauses(pauses),
            Command::Settings(config) => self.set_config(config),
            Command::Trip { target, is_dry, reply } => drop(reply.send(self.trip_by_hand(target, is_dry))),
            Command::Explain { subject, reply } => drop(reply.send(self.explain(subject))),
        }
    }

    /// Trips a rule or group without waiting for other ranks. The program proves it like any other trip.
    fn trip_by_hand(&mut self, target: Pubkey, is_dry: bool) -> TripAnswer {
        let Some(decision) = trip_of(&target, &self.assessment, &self.store) else {
            return refused(self.why_no_trip(&target));
        };
        if let Some(why) = self.trip_obstacle(&decision) {
            return TripAnswer { fence: Some(decision.intent.fence), ..refused(why) };
        }
        let answer = self.described(&decision);
        if is_dry || !answer.is_possible {
            return answer;
        }
        let text = format!("an operator asked for the trip of {target}");
        self.events.emit(
            Fact::new(EventKind::TripAsked, self.clock.tip_slot(), text)
                .with("rule", target.to_string())
                .with("intent", decision.id().to_string()),
        );
        let pass = self.fleet.pass();
        self.act(vec![decision], pass);
        TripAnswer { is_sent: true, text: format!("handed over: {}", answer.text), ..answer }
    }

    fn why_no_trip(&self, target: &Pubkey) -> String {
        match self.explain(*target) {
            Some(why) if matches!(why.kind.as_str(), "rule" | "group") => {
                format!("the program would refuse it: {}", why.answer)
            }
            Some(why) => format!("{target} is a {}, not a rule or group", why.kind),
            None => format!("the guard has no rule or group {target}"),
        }
    }

    fn trip_obstacle(&self, decision: &Decision) -> Option<String> {
        let slot = self.clock.tip_slot();
        let state_slot = self.store.slot_of(&decision.intent.target);
        if self.config.keeper.mode == Mode::Observe {
            return Some("this keeper only observes: nothing is sent".into());
        }
        if self.is_paused(Group::Trip) {
            return Some("trips are paused; `rampart resume --class trip` ends that".into());
        }
        if !self.policy.classes.trip {
            return Some("trips are switched off by `classes.trip`".into());
        }
        if !self.has_blockhash() {
            return Some("there is no fresh blockhash to sign with".into());
        }
        self.history.hold(&decision.intent, slot, state_slot, 0)
    }

    fn described(&self, decision: &Decision) -> TripAnswer {
        let (intent, name) = (&decision.intent, self.builder.source_name(&self.store, &decision.intent.target));
        let base =
            TripAnswer { intent: Some(intent.id().to_string()), fence: Some(intent.fence), ..refused("".into()) };
        let market = self.shared.market.borrow().clone();
        match self.planner(&market, &[]).plan(decision, &self.history) {
            Ok(plan) => TripAnswer {
                is_possible: true,
                text: format!("trips {name}: {}", intent.reason),
                fee_text: Some(format!(
                    "{} compute units at {} micro-lamports each",
                    plan.compute_unit_limit, plan.priority_micro_lamports
                )),
                ..base
            },
            Err(error) => TripAnswer { text: format!("can't be planned: {error}"), ..base },
        }
    }
}

fn refused(text: String) -> TripAnswer {
    TripAnswer { is_sent: false, is_possible: false, text, intent: None, fence: None, fee_text: None }
}

impl Group {
    /// Returns the group that a class is switched with.
    pub const fn of(class: ActionClass) -> Self {
        match class {
            ActionClass::Trip => Self::Trip,
            ActionClass::Liquidate => Self::Liquidate,
            ActionClass::Deleverage => Self::Deleverage,
            ActionClass::Observe | ActionClass::ObserveRule | ActionClass::MarkHalt => Self::Observe,
            ActionClass::Report => Self::Report,
            ActionClass::StepDown => Self::StepDown,
            ActionClass::Settle => Self::Settle,
            ActionClass::Rebalance => Self::Rebalance,
            ActionClass::Post => Self::Post,
        }
    }
}
