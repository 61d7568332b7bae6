//! How configuration may move: stricter at once, looser by a change that waited, and never beyond the hard bounds.

use crate::sequences::action::{Action, Kind};
use crate::sequences::policies::assert_policies;
use crate::sequences::reserve::assert_plan;
use crate::sequences::snap::Snap;
use crate::sequences::standby::assert_sources;
use rampart::state::flow::FlowLimits;
use rampart::state::rule::{Comparator, RuleParams};
use rampart::state::{Change, ChangeGroup, FlowCap, HardBounds, RiskScale, Roles, Switch, Vault};
use rampart_client::Pubkey;

impl Snap {
    /// Returns what an account of the guard holds of a group.
    pub fn value(&self, group: ChangeGroup, target: &Pubkey) -> Option<Change> {
        let vault = (*target == self.keys.vault).then_some(&self.vault);
        let k = &self.keys;
        let asset = [k.collateral_asset, k.loan_asset].iter().position(|key| key == target).map(|i| &self.assets[i]);
        let guard = (*target == k.guard).then_some(&self.guard);
        Some(match group {
            ChangeGroup::VaultRisk => Change::VaultRisk(vault?.risk),
            ChangeGroup::VaultLimits => Change::VaultLimits(vault?.limits),
            ChangeGroup::VaultCurve => Change::VaultCurve(vault?.curve),
            ChangeGroup::VaultScale => Change::VaultScale(vault?.scale),
            ChangeGroup::VaultCover => Change::VaultCover(vault?.cover_switch() as u8),
            ChangeGroup::Rule => Change::Rule(self.rule(target)?.params),
            ChangeGroup::AssetOracle => Change::AssetOracle(asset?.oracle),
            ChangeGroup::AssetReference => Change::AssetReference(asset?.reference_params),
            ChangeGroup::Roles => Change::Roles(guard?.roles),
            ChangeGroup::LoosenDelay => Change::LoosenDelay(guard?.loosen_delay_secs),
            ChangeGroup::Root => Change::Root(guard?.roles.root),
            ChangeGroup::AssetStandby => Change::AssetStandby(asset?.standby),
            ChangeGroup::AssetWarmUp => Change::AssetWarmUp(asset?.warm_up.duration_secs),
            ChangeGroup::ReserveGrant => Change::ReserveGrant(self.reserve_at(target)?.grant),
            ChangeGroup::ReservePlan => Change::ReservePlan(self.reserve_at(target)?.plan),
            // not among what the sequences change
            ChangeGroup::Aggregate | ChangeGroup::IntegrationSwitch | ChangeGroup::Holder | ChangeGroup::SwapPolicy => {
                return None;
            }
        })
    }

    fn reserve_at(&self, target: &Pubkey) -> Option<&rampart::state::Reserve> {
        self.reserve.as_deref().filter(|_| *target == rampart_client::address::reserve(&self.keys.guard))
    }

    /// Tells whether nothing differs.
    pub fn is_same(&self, other: &Self) -> bool {
        use bytemuck::bytes_of;
        let open =
            |s: &Self| s.positions.iter().map(|p| p.as_deref().map(|p| bytes_of(p).to_vec())).collect::<Vec<_>>();
        let rules = |s: &Self| s.rules.iter().map(|(_, r)| bytes_of(&**r).to_vec()).collect::<Vec<_>>();
        bytes_of(&*self.guard) == bytes_of(&*other.guard)
            && bytes_of(&*self.vault) == bytes_of(&*other.vault)
            && self.assets.iter().zip(&other.assets).all(|(a, b)| bytes_of(&**a) == bytes_of(&**b))
            && self.integrations.iter().zip(&other.integrations).all(|(a, b)| bytes_of(&**a) == bytes_of(&**b))
            && bytes_of(&*self.keepers) == bytes_of(&*other.keepers)
            && self.aggregate == other.aggregate
            && self.policies == other.policies
            && self.reserve == other.reserve
            && (self.reserve_held, self.traders, self.escrowed, self.treasury)
                == (other.reserve_held, other.traders, other.escrowed, other.treasury)
            && bytes_of(&*self.bounty) == bytes_of(&*other.bounty)
            && open(self) == open(other)
            && rules(self) == rules(other)
            && (self.held, self.custody, self.minted, self.bounty_lamports)
                == (other.held, other.custody, other.minted, other.bounty_lamports)
    }
}

/// Checks that what moved moved by an instruction that may move it, and in the direction that it may.
pub fn assert_configuration(action: &Action, before: &Snap, after: &Snap) {
    let waited = matches!(action.kind, Kind::Execute | Kind::AcceptRoot);
    let (was, is) = (&before.vault, &after.vault);
    let vault = |v: &Vault| (v.risk, v.limits, v.curve, v.scale);
    assert!(was.cover == is.cover || waited, "I6: {action:?} moved the vault's cover");
    if vault(was) != vault(is) && !waited {
        assert!(action.kind == Kind::TightenVault && is_stricter_vault(was, is), "I6: {action:?} moved the vault");
    }
    for ((key, was), (_, is)) in before.rules.iter().zip(&after.rules) {
        let is_tighter = action.kind == Kind::TightenRule && is_stricter_rule(&was.params, &is.params);
        assert!(was.params == is.params || waited || is_tighter, "I6: {action:?} moved rule {key}");
    }
    assert_sources(action, waited, before, after);
    for (was, is) in before.integrations.iter().zip(&after.integrations) {
        let lower = |a: &FlowCap, b: &FlowCap| {
            b.hourly_amount <= a.hourly_amount
                && b.daily_amount <= a.daily_amount
                && b.hourly_bps <= a.hourly_bps
                && b.daily_bps <= a.daily_bps
        };
        let (a, b) = (&was.caps, &is.caps);
        let is_tighter = lower(&a.exit, &b.exit) && lower(&a.risk, &b.risk) && a.floor == b.floor;
        assert!(a == b || (action.kind == Kind::TightenIntegration && is_tighter), "I6: {action:?} moved caps");
    }
    assert_policies(action, before, after);
    let params = |s: &Snap| s.aggregate.as_ref().map(|a| a.params);
    if let (Some(was), Some(is)) = (params(before), params(after)) {
        let is_lower = is.limit_micro_usd <= was.limit_micro_usd && is.vault_share_bps <= was.vault_share_bps;
        let may = action.kind == Kind::TightenAggregate && is_lower && is.window_secs == was.window_secs;
        assert!(was == is || may, "I6: {action:?} moved the dollar limit");
    }
    assert_plan(action, before, after);
    assert_guard(action, before, after, waited);
}

fn assert_guard(action: &Action, before: &Snap, after: &Snap, waited: bool) {
    let (was, is) = (&before.guard, &after.guard);
    assert!(is_narrower(&was.bounds, &is.bounds), "I4: {action:?} widened a bound");
    assert!(was.bounds == is.bounds || action.kind == Kind::NarrowBounds, "I4: {action:?} moved a bound");
    let same = was.roles == is.roles && was.loosen_delay_secs == is.loosen_delay_secs;
    let is_raised_floor = action.kind == Kind::NarrowBounds && is.loosen_delay_secs >= was.loosen_delay_secs;
    assert!(same || waited || (was.roles == is.roles && is_raised_floor), "I6: {action:?} moved roles or the delay");
    assert!(is.authority_epoch >= was.authority_epoch, "the epoch went back");
    let roles_moved = was.roles != is.roles;
    assert!(!roles_moved || is.authority_epoch > was.authority_epoch, "roles moved under the same epoch");
    assert!(was.finality == is.finality || action.kind == Kind::FreezeForever, "{action:?} moved finality");
    let seated = before.keepers.active() == after.keepers.active();
    assert!(seated || action.kind == Kind::SetKeepers, "{action:?} moved the keeper set");
}

/// Checks that all that is stored lies within the guard's bounds.
pub fn assert_within_bounds(snap: &Snap) {
    let (b, v) = (&snap.guard.bounds, &snap.vault);
    assert!(is_distinct(&snap.guard.roles), "I22: one key has two roles");
    for flow in [&v.limits.loan_flow, &v.limits.collateral_flow] {
        let fits = flow.hourly_bps <= b.max_hourly_outflow_bps && flow.daily_bps <= b.max_daily_outflow_bps;
        assert!(fits, "I5: an outflow limit beyond its bound");
    }
    assert!(v.limits.exit_floor_bps >= b.min_exit_floor_bps, "I5: the exit floor below its bound");
    assert!(v.risk.ltv_bps <= b.max_ltv_bps && v.risk.max_bonus_bps <= b.max_bonus_bps, "I5: risk beyond its bound");
    assert!(snap.guard.loosen_delay_secs >= b.min_loosen_delay_secs, "I5: the delay below its bound");
    let duration = |r: &RuleParams| r.duration_secs <= b.max_rule_duration_secs;
    assert!(snap.rules.iter().all(|(_, r)| duration(&r.params)), "I5: a rule beyond its bound");
    let sources = snap.assets.iter().flat_map(|a| a.oracle.active());
    let fits = |age: u32, confidence: u16| age <= b.max_oracle_age_secs && confidence <= b.max_confidence_bps;
    assert!(sources.into_iter().all(|s| fits(s.max_age_secs, s.max_confidence_bps)), "I5: a source beyond its bound");
}

fn is_distinct(roles: &Roles) -> bool {
    let single = [roles.root, roles.risk_admin, roles.resetter, roles.vetoer];
    let mut all: Vec<Pubkey> = single.into_iter().chain(roles.active_guardians().iter().copied()).collect();
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    all.len() == count && !all.contains(&Pubkey::default())
}

fn is_stricter_flow(was: &FlowLimits, is: &FlowLimits) -> bool {
    is.absolute_floor_amount <= was.absolute_floor_amount
        && is.hourly_bps <= was.hourly_bps
        && is.daily_bps <= was.daily_bps
        && (is.exit_share_bps, is.floor_reserve_bps) == (was.exit_share_bps, was.floor_reserve_bps)
}

fn is_stricter_vault(was: &Vault, is: &Vault) -> bool {
    let (a, b) = (&was.limits, &is.limits);
    let lines = rampart::state::RiskParams { ltv_bps: was.risk.ltv_bps, ..is.risk };
    is.risk.ltv_bps <= was.risk.ltv_bps
        && lines == was.risk
        && is.curve == was.curve
        && b.supply_cap_amount <= a.supply_cap_amount
        && b.borrow_cap_amount <= a.borrow_cap_amount
        && b.collateral_cap_amount <= a.collateral_cap_amount
        && is_stricter_flow(&a.loan_flow, &b.loan_flow)
        && is_stricter_flow(&a.collateral_flow, &b.collateral_flow)
        && a.exit_floor_bps == b.exit_floor_bps
        && is_stricter_scale(&was.scale, &is.scale)
}

/// A floor may fall, and volatility be switched on: no more is asked for.
fn is_stricter_scale(was: &RiskScale, is: &RiskScale) -> bool {
    let (mut rest, mut same) = (*is, *was);
    (rest.floor_ltv_bps, rest.volatility.switch) = (same.floor_ltv_bps, Switch::Enabled as u8);
    same.volatility.switch = Switch::Enabled as u8;
    is.floor_ltv_bps <= was.floor_ltv_bps && is.volatility.switch >= was.volatility.switch && rest == same
}

fn is_stricter_rule(was: &RuleParams, is: &RuleParams) -> bool {
    let lines = if was.comparator == Comparator::Below as u8 {
        is.threshold >= was.threshold && is.clear_threshold >= was.clear_threshold
    } else {
        is.threshold <= was.threshold && is.clear_threshold <= was.clear_threshold
    };
    let what = |p: &RuleParams| (p.metric, p.comparator, p.scope, p.window_secs, p.sources_required);
    lines
        && what(was) == what(is)
        && is.level >= was.level
        && is.duration_secs >= was.duration_secs
        && is.min_persist_secs <= was.min_persist_secs
        && is.min_observations <= was.min_observations
}

fn is_narrower(was: &HardBounds, is: &HardBounds) -> bool {
    let down = [
        (was.max_oracle_age_secs, is.max_oracle_age_secs),
        (was.max_rule_duration_secs, is.max_rule_duration_secs),
        (was.max_execution_window_secs, is.max_execution_window_secs),
        (was.max_pause_secs, is.max_pause_secs),
        (was.max_guardian_pause_secs, is.max_guardian_pause_secs),
        (was.max_guard_pause_secs, is.max_guard_pause_secs),
        (was.max_confidence_bps.into(), is.max_confidence_bps.into()),
        (was.max_hourly_outflow_bps.into(), is.max_hourly_outflow_bps.into()),
        (was.max_daily_outflow_bps.into(), is.max_daily_outflow_bps.into()),
        (was.max_ltv_bps.into(), is.max_ltv_bps.into()),
        (was.max_bonus_bps.into(), is.max_bonus_bps.into()),
        (was.max_effect_bps.into(), is.max_effect_bps.into()),
        (was.max_tighten_step_bps.into(), is.max_tighten_step_bps.into()),
    ];
    let up = [
        (was.min_loosen_delay_secs, is.min_loosen_delay_secs),
        (was.min_exit_floor_bps.into(), is.min_exit_floor_bps.into()),
    ];
    down.iter().all(|(was, is): &(u32, u32)| is <= was)
        && up.iter().all(|(was, is): &(u32, u32)| is >= was)
        && was.quorum_reserve_secs == is.quorum_reserve_secs
}
