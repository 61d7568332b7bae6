//! Static rules over the same actions, inside the same shield: what drives until a learned policy has proved itself.

use super::{Action, Shield, Situation};
use serde::{Deserialize, Serialize};

/// Thresholds of the rules. One that nothing reaches, such as 2, switches its rule off.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Market's probability from which the LTV goes one step down; each doubling asks for one more.
    pub tighten_at: f64,
    /// Share of the debt within 10 % of its line from which it is softly deleveraged.
    pub deleverage_at: f64,
    /// Market's, oracle's or run's probability from which new risk is halted.
    pub halt_at: f64,
    /// Market's probability from which the reserve goes into the quote asset.
    pub hedge_at: f64,
}

impl Default for Rules {
    fn default() -> Self {
        Self { tighten_at: 0.02, deleverage_at: 0.1, halt_at: 0.6, hedge_at: 0.05 }
    }
}

impl Rules {
    /// Returns the first that is called for and allowed, in the order halt, deleverage, tighten LTV and caps, hedge, loosen. What
    /// isn't a number is taken as certain.
    pub fn choose(&self, situation: &Situation, shield: &Shield, is_calm: bool, now_ts: i64) -> Action {
        let may = |action: &Action| shield.check(*action, is_calm, now_ts).is_ok();
        let known = |p: f64| if p.is_nan() { 1.0 } else { p };
        let (market, stance) = (known(situation.p_market), shield.stance());
        let worst = market.max(known(situation.p_oracle)).max(known(situation.p_run));
        let steps_down = u32::from(shield.bounds().ltv_max_bps.saturating_sub(stance.ltv_bps) / Action::LTV_DOWN_BPS);
        let wanted = [
            (Action::Halt, worst >= self.halt_at),
            (Action::Deleverage, known(situation.near[1]) >= self.deleverage_at),
            (Action::TightenLtv, market >= self.tighten_at * f64::from(1u32 << steps_down.min(16))),
            (Action::TightenCaps, known(situation.p_liquidity).max(known(situation.p_run)) >= 0.4),
            (Action::HedgeMore, market >= self.hedge_at),
            (Action::LoosenLtv, market < self.tighten_at / 2.0),
            (Action::LoosenCaps, known(situation.p_liquidity) < 0.1),
            (Action::HedgeLess, market < self.hedge_at / 2.0),
        ];
        let called = wanted.into_iter().filter(|(_, is_called)| *is_called).map(|(action, _)| action);
        called.into_iter().find(may).unwrap_or(Action::Noop)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Bounds;
    use super::*;

    #[test]
    fn rules_tighten_by_the_doubling_and_loosen_when_calm() {
        let rules = Rules { hedge_at: 2.0, ..Rules::default() };
        let mut shield = Shield::new(Bounds::default());
        let bad = Situation { p_market: 0.05, ..Situation::default() };
        for expected in [Action::TightenLtv, Action::TightenLtv, Action::Noop] {
            let action = rules.choose(&bad, &shield, false, 0);
            assert_eq!(action, expected);
            shield.act(action, false, 0).unwrap();
        }
        assert_eq!(shield.stance().ltv_bps, 7_000);
        assert_eq!(rules.choose(&Situation::default(), &shield, true, 10), Action::LoosenLtv);
        assert_eq!(rules.choose(&Situation::default(), &shield, false, 10), Action::Noop);
    }

    #[test]
    fn rules_take_the_unknown_as_certain() {
        let shield = Shield::new(Bounds::default());
        let unknown = Situation { p_oracle: f64::NAN, ..Situation::default() };
        assert_eq!(Rules::default().choose(&unknown, &shield, false, 0), Action::Halt);
    }
}
