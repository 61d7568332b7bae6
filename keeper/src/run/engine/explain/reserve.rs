//! Why the reserve's basket is moved, or isn't.

use super::{answer_of, name_of};
use crate::control::Explanation;
use crate::decide::bands::band_text;
use crate::decide::wanted_about;
use crate::intent::ActionClass;
use crate::run::courier::Courier;
use crate::run::engine::Engine;
use anchor_lang::prelude::Pubkey;
use rampart::state::{Reserve, SwapPolicy};

impl<C: Courier> Engine<C> {
    pub(super) fn explain_reserve(&self, mut why: Explanation, key: Pubkey) -> Explanation {
        why.kind = "reserve".into();
        let (Some((_, reserve)), Some(report)) = (self.store.reserve(), self.assessment.basket.as_ref()) else {
            why.answer = "its assets are not known yet".into();
            return why;
        };
        let quote = usize::from(reserve.plan.quote);
        let scored = reserve.active().get(usize::from(reserve.plan.scored)).map(|held| held.asset);
        let bands = self.scorer.bands();
        let band = bands.highest(&scored);
        why.input("held", self.basket_text(reserve));
        why.input(
            "median of the keepers' scores",
            report.score_bps.map_or("unknown".into(), |bps| format!("{bps} bps")),
        );
        why.input("band of the own score", band_text(band));
        self.explain_width(&mut why, self.policy.bands.is_urgent(band));
        let may_buy = bands.may_buy(&self.policy.bands, &scored);
        let above = band_text(Some(self.policy.bands.buy_back_to));
        let buys = if may_buy { "open" } else { "closed" };
        why.input("buying anything but the quote asset", format!("{buys}: score.bands.buy_back_to is {above}"));
        for other in (0..reserve.active().len()).filter(|at| *at != quote) {
            let aim = report.aim(reserve, (other, quote));
            let text = aim.map_or_else(name_of, |aim| format!("{} bps of the whole", aim.targets[other]));
            let name = self.builder.source_name(&self.store, &reserve.assets[other].asset);
            why.condition(&format!("where {name} belongs is known, and the level lets it go"), aim.is_ok(), text);
        }
        let open: Vec<_> = self.policy.economics.routes.open(&self.store).collect();
        why.condition("a route is open", !open.is_empty(), format!("{} open", open.len()));
        let mut due = None;
        for (_, keys, policy) in &open {
            why.input(&format!("policy {}", keys.policy), self.policy_text(policy));
            let scene = (&self.policy, &self.means());
            let wanted = wanted_about(&keys.policy, &self.assessment, &self.store, scene, &self.history);
            due = due.or(wanted.filter(|decision| decision.intent.class == ActionClass::Rebalance));
        }
        let text = due.as_ref().map_or_else(|| "none".to_owned(), |due| due.intent.reason.clone());
        why.condition("a swap brings it nearer, beyond the band", due.is_some(), text);
        let target = due.map(|due| due.intent.target).or(open.first().map(|(_, keys, _)| keys.policy));
        self.explain_way(&mut why, target.unwrap_or(key), ActionClass::Rebalance);
        why.answer = answer_of(&why, "rebalance", None);
        why
    }

    fn explain_width(&self, why: &mut Explanation, is_urgent: bool) {
        let rebalance = &self.policy.economics.rebalance;
        let urgent = if is_urgent { ", in force" } else { "" };
        why.input(
            "left alone within",
            format!(
                "{} bps of the whole; {} bps for swaps into the quote asset while urgent{urgent}",
                rebalance.band_bps, rebalance.urgent_band_bps
            ),
        );
    }

    fn basket_text(&self, reserve: &Reserve) -> String {
        let held = reserve.active().iter();
        let each = held.map(|held| {
            format!("{} base units of {}", held.accounted_amount, self.builder.source_name(&self.store, &held.asset))
        });
        each.collect::<Vec<_>>().join(", ")
    }

    fn policy_text(&self, policy: &SwapPolicy) -> String {
        let now_ts = self.assessment.now.unix_ts;
        let (mut swapped, mut lost) = (policy.swapped, policy.lost);
        swapped.settle(now_ts);
        lost.settle(now_ts);
        format!(
            "counter {}, {} of {} micro-dollars swapped and {} of {} lost within the day",
            policy.counter,
            swapped.total(),
            policy.params.max_day_micro_usd,
            lost.total(),
            policy.params.loss_day_micro_usd
        )
    }
}
