//! Swap policies: created by root, made stricter by root or risk admin, and within the guard's bounds.

use crate::sequences::action::{Action, Kind};
use crate::sequences::snap::Snap;
use crate::sequences::stage::Stage;
use rampart::state::{SwapParams, Switch};
use rampart_client::{Instruction, Pubkey, swap};
use rampart_tests::swaps::{TOKEN_SWAP, disabled, params};

impl Stage {
    /// Returns what a step about swap policies tries.
    pub fn policy_step(&self, action: &Action) -> Option<Instruction> {
        let w = &self.world;
        if action.kind == Kind::CreateSwapPolicy {
            let mut new = disabled(params(TOKEN_SWAP));
            // none that works at once, though root asks for it
            new.switch = if action.a % 8 == 7 { Switch::Enabled as u8 } else { new.switch };
            new.max_slippage_bps = [50, 100, 500, 501][(action.b % 4) as usize];
            new.loss_day_micro_usd += u64::from(action.a % 2) * new.max_day_micro_usd / 50;
            return Some(swap::create_swap_policy(self.root(), w.guard, self.created + 100, new, self.validity()));
        }
        let key = *self.policies.get(action.a as usize % self.policies.len().max(1))?;
        let by = if (action.a / 8).is_multiple_of(2) { self.root() } else { w.guard_state().roles.risk_admin };
        let mut next = w.load::<rampart::state::SwapPolicy>(&key).params;
        match action.b % 8 {
            0 => next.max_slippage_bps += 1,
            1 => next.max_slippage_bps -= next.max_slippage_bps / 20,
            2 => next.loss_day_micro_usd -= next.loss_day_micro_usd / 20,
            3 => next.max_swap_micro_usd -= next.max_swap_micro_usd / 20,
            4 => next.two_sources_micro_usd -= next.two_sources_micro_usd / 20,
            _ => next.cooldown_secs += 60,
        }
        Some(swap::tighten_swap_policy(by, w.guard, key, next, self.validity()))
    }
}

fn is_stricter(was: &SwapParams, is: &SwapParams) -> bool {
    let pinned = |p: &SwapParams| (p.program, p.prefixes, p.prefix_count, p.purpose, p.caller, p.switch);
    pinned(was) == pinned(is)
        && is.max_swap_micro_usd <= was.max_swap_micro_usd
        && is.max_day_micro_usd <= was.max_day_micro_usd
        && is.loss_day_micro_usd <= was.loss_day_micro_usd
        && is.two_sources_micro_usd <= was.two_sources_micro_usd
        && is.cooldown_secs >= was.cooldown_secs
        && is.max_oracle_age_secs <= was.max_oracle_age_secs
        && is.max_slippage_bps <= was.max_slippage_bps
}

/// Checks that a policy only becomes stricter, and that a new one lies within the bounds of then.
pub fn assert_policies(action: &Action, before: &Snap, after: &Snap) {
    let bounds = &after.guard.bounds;
    for (key, is) in &after.policies {
        match before.policies.iter().find(|(k, _)| k == key) {
            None => {
                assert_fits(&is.params, bounds, key);
                assert_eq!(is.params.switch, Switch::Disabled as u8, "I6: policy {key} works from its first second");
            }
            Some((_, was)) if was.params != is.params => {
                let may = action.kind == Kind::TightenSwapPolicy && is_stricter(&was.params, &is.params);
                assert!(may, "I6: {action:?} moved policy {key}");
                assert_fits(&is.params, bounds, key);
            }
            Some(_) => {}
        }
    }
}

fn assert_fits(p: &SwapParams, bounds: &rampart::state::HardBounds, key: &Pubkey) {
    let most = u128::from(p.max_day_micro_usd) * u128::from(bounds.max_swap_loss_bps) / 10_000;
    let fits = p.max_slippage_bps <= bounds.max_slippage_bps && u128::from(p.loss_day_micro_usd) <= most;
    assert!(fits, "I5: policy {key} beyond its bounds");
}
