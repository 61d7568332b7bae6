//! What the chosen policy and the rules would do about one vault, each behind its own shield.

use anchor_lang::prelude::Pubkey;
use rampart_score::band::Band;
use rampart_score::engine::Assessment as Said;
use rampart_score::hazard::Hazard;
use rampart_score::policy::{Action, Bounds, Policy, Rules, Shield, Situation};
use std::collections::VecDeque;

/// Over how long a change of the score counts, seconds.
const SLOPE_SECS: i64 = 1_800;

/// A vault at one moment. What isn't known is NaN, which counts as the worst.
#[derive(Clone, Debug)]
pub(in crate::score) struct Vault {
    /// Its account.
    pub key: Pubkey,
    /// What the engine says of it.
    pub said: Said,
    /// Collateral in tokens of the loan.
    pub price: Option<f64>,
    /// Its limit for new risk, bps.
    pub ltv_bps: u16,
    /// Shares of the debt within 5, 10 and 20 % of their line.
    pub near: [f64; 3],
    /// Debt over what the books take within 2 %.
    pub debt_to_depth: f64,
}

impl Vault {
    fn situation(&self, slope: f64) -> Situation {
        let known = |hazard| {
            let part = self.said.score.part(hazard);
            if part.is_missing { f64::NAN } else { part.probability }
        };
        Situation {
            p_market: known(Hazard::Market),
            p_liquidity: known(Hazard::Liquidity),
            p_oracle: known(Hazard::Oracle),
            p_run: known(Hazard::Run),
            slope,
            near: self.near,
            // the tiles take what isn't a number as nothing here
            debt_to_depth: if self.debt_to_depth.is_nan() { f64::INFINITY } else { self.debt_to_depth },
        }
    }

    /// Says whether the market is calm and known.
    fn is_calm(&self) -> bool {
        self.said.band <= Band::Watch && self.said.score.parts.iter().all(|part| !part.is_missing)
    }
}

/// Both stances of a vault.
#[derive(Debug)]
pub(super) struct Stances {
    policy: Shield,
    rules: Shield,
    scores: VecDeque<(i64, f64)>,
    last: Option<(Action, Action)>,
}

impl Stances {
    /// Starts with both at the vault's own limit.
    pub(super) fn new(ltv_bps: u16) -> Self {
        let plain = Bounds::default();
        let bounds = Bounds { ltv_max_bps: ltv_bps, ltv_min_bps: plain.ltv_min_bps.min(ltv_bps), ..plain };
        Self { policy: Shield::new(bounds), rules: Shield::new(bounds), scores: VecDeque::new(), last: None }
    }

    /// Has both decide; tells whether they would do the same.
    pub(super) fn decide(&mut self, policy: &Policy, vault: &Vault, now_ts: i64) -> bool {
        let situation = vault.situation(self.slope(now_ts, f64::from(vault.said.score.bps)));
        let is_calm = vault.is_calm();
        let chosen = policy.choose(&situation, &self.policy, is_calm, now_ts);
        let ruled = Rules::default().choose(&situation, &self.rules, is_calm, now_ts);
        for (shield, action) in [(&mut self.policy, chosen), (&mut self.rules, ruled)] {
            // CANNOT be refused: both chose among what their shield allows
            let _ = shield.act(action, is_calm, now_ts);
        }
        self.last = Some((chosen, ruled));
        chosen == ruled
    }

    fn slope(&mut self, now_ts: i64, score: f64) -> f64 {
        while self.scores.front().is_some_and(|(ts, _)| now_ts.saturating_sub(*ts) > SLOPE_SECS) {
            self.scores.pop_front();
        }
        let before = self.scores.front().map_or(score, |(_, before)| *before);
        self.scores.push_back((now_ts, score));
        score - before
    }

    /// Returns what the policy and the rules would have done last, as words behind "would".
    pub(super) fn last(&self) -> Option<(&'static str, &'static str)> {
        self.last.map(|(policy, rules)| (words(policy), words(rules)))
    }
}

fn words(action: Action) -> &'static str {
    match action {
        Action::Noop => "leave everything",
        Action::TightenLtv => "lower the loan-to-value",
        Action::LoosenLtv => "raise the loan-to-value",
        Action::TightenCaps => "lower the caps",
        Action::LoosenCaps => "raise the caps",
        Action::Deleverage => "deleverage softly",
        Action::HedgeMore => "hedge more",
        Action::HedgeLess => "hedge less",
        Action::Halt => "halt new risk",
    }
}
