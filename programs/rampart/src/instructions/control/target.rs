//! The account that a change is about: what it holds, whether the next value may stand, and the write.

use crate::error::RampartError;
use crate::instructions::control::release;
use crate::instructions::shared::{load, load_mut};
use crate::refuse::{err, require, require_keys_eq, require_keys_neq};
use crate::state::integration::Mode;
use crate::state::rule::Streak;
use crate::state::warm_up::require_warm_up;
use crate::state::{
    AggregateLimit, Asset, Change, ChangeGroup, Guard, Integration, Reserve, Rule, SwapPolicy, Switch, Vault,
};
use anchor_lang::prelude::*;

/// Returns what `target` holds now, of `group`.
///
/// # Errors
/// `ChangeTargetMismatch` for an account of another guard; `CustodyNotHeld`; Anchor's for an account of another kind or
/// owner.
pub fn current(group: ChangeGroup, target: &AccountInfo, guard_key: &Pubkey, guard: &Guard) -> Result<Change> {
    let of_guard = |owner: &Pubkey| -> Result<()> {
        require_keys_eq!(*owner, *guard_key, RampartError::ChangeTargetMismatch);
        Ok(())
    };
    Ok(match group {
        ChangeGroup::VaultRisk
        | ChangeGroup::VaultLimits
        | ChangeGroup::VaultCurve
        | ChangeGroup::VaultScale
        | ChangeGroup::VaultCover => {
            let vault = load::<Vault>(target)?;
            of_guard(&vault.guard)?;
            match group {
                ChangeGroup::VaultRisk => Change::VaultRisk(vault.risk),
                ChangeGroup::VaultLimits => Change::VaultLimits(vault.limits),
                ChangeGroup::VaultScale => Change::VaultScale(vault.scale),
                ChangeGroup::VaultCover => Change::VaultCover(vault.cover_switch() as u8),
                _ => Change::VaultCurve(vault.curve),
            }
        }
        ChangeGroup::Rule => {
            let rule = load::<Rule>(target)?;
            of_guard(&rule.guard)?;
            Change::Rule(rule.params)
        }
        ChangeGroup::AssetOracle
        | ChangeGroup::AssetReference
        | ChangeGroup::AssetWarmUp
        | ChangeGroup::AssetStandby => {
            let asset = load::<Asset>(target)?;
            of_guard(&asset.guard)?;
            match group {
                ChangeGroup::AssetOracle => Change::AssetOracle(asset.oracle),
                ChangeGroup::AssetStandby => Change::AssetStandby(asset.standby),
                ChangeGroup::AssetReference => Change::AssetReference(asset.reference_params),
                _ => Change::AssetWarmUp(asset.warm_up.duration_secs),
            }
        }
        ChangeGroup::Aggregate => {
            let aggregate = load::<AggregateLimit>(target)?;
            of_guard(&aggregate.guard)?;
            Change::Aggregate(aggregate.params)
        }
        ChangeGroup::Roles => of_guard(target.key).map(|()| Change::Roles(guard.roles))?,
        ChangeGroup::LoosenDelay => of_guard(target.key).map(|()| Change::LoosenDelay(guard.loosen_delay_secs))?,
        ChangeGroup::Root => of_guard(target.key).map(|()| Change::Root(guard.roles.root))?,
        ChangeGroup::IntegrationSwitch | ChangeGroup::Holder => {
            let integration = load::<Integration>(target)?;
            of_guard(&integration.guard)?;
            // what was released has nothing to let out, and nothing to release
            if group == ChangeGroup::Holder || integration.mode != Mode::Reported as u8 {
                integration.require_holding(target.key)?;
            }
            match group {
                ChangeGroup::Holder => Change::Holder(integration.holder),
                _ => Change::IntegrationSwitch(integration.switch),
            }
        }
        ChangeGroup::SwapPolicy => {
            let policy = load::<SwapPolicy>(target)?;
            of_guard(&policy.guard)?;
            Change::SwapPolicy(policy.params)
        }
        ChangeGroup::ReservePlan | ChangeGroup::ReserveGrant => {
            let reserve = load::<Reserve>(target)?;
            of_guard(&reserve.guard)?;
            match group {
                ChangeGroup::ReservePlan => Change::ReservePlan(reserve.plan),
                _ => Change::ReserveGrant(reserve.grant),
            }
        }
    })
}

/// Checks that `next` may stand in place of `now`, within the guard's bounds as they are.
///
/// # Errors
/// Those of the value's own `validate`; `FixedAtCreation`, `RootNeedsAcceptance`, `OutsideHardBounds`, `WarmUpInvalid`,
/// `UnknownKind`, `IntegrationInvalid`.
pub fn validate(now: &Change, next: &Change, guard: &Guard) -> Result<()> {
    let bounds = &guard.bounds;
    match (now, next) {
        (Change::VaultRisk(now), Change::VaultRisk(next)) => {
            let band = (next.soft_line_bps, next.soft_bonus_bps, next.soft_quota_bps);
            let is_same = band == (now.soft_line_bps, now.soft_bonus_bps, now.soft_quota_bps);
            require!(is_same, RampartError::FixedAtCreation);
            next.validate(bounds)
        }
        (_, Change::VaultLimits(next)) => next.validate(bounds),
        (_, Change::VaultCurve(next)) => next.validate(),
        (_, Change::VaultScale(next)) => next.validate(),
        (Change::Rule(now), Change::Rule(next)) => {
            let what = (next.metric, next.comparator, next.scope, next.window_secs, next.sources_required);
            let is_same = what == (now.metric, now.comparator, now.scope, now.window_secs, now.sources_required);
            require!(is_same, RampartError::FixedAtCreation);
            next.validate(bounds)
        }
        (_, Change::AssetOracle(next)) => next.validate(bounds),
        (_, Change::AssetStandby(next)) => next.validate(bounds),
        (Change::AssetReference(now), Change::AssetReference(next)) => {
            require!(next.cell_secs == now.cell_secs, RampartError::FixedAtCreation);
            let usable = next.half_life_secs > 0 && next.min_samples > 0;
            require!(usable && next.max_age_secs >= next.half_life_secs, RampartError::ReferenceParamsInvalid);
            Ok(())
        }
        (_, Change::Roles(next)) => {
            require_keys_eq!(next.root, guard.roles.root, RampartError::RootNeedsAcceptance);
            next.validate()
        }
        (_, Change::LoosenDelay(next)) => {
            let delays = bounds.min_loosen_delay_secs..=crate::constants::MAX_LOOSEN_DELAY_SECS;
            require!(delays.contains(next), RampartError::OutsideHardBounds);
            Ok(())
        }
        (_, Change::IntegrationSwitch(next) | Change::VaultCover(next)) => {
            Switch::try_from(*next).map_err(|_| RampartError::UnknownKind)?;
            Ok(())
        }
        (_, Change::Holder(next)) => {
            require_keys_neq!(*next, Pubkey::default(), RampartError::IntegrationInvalid);
            Ok(())
        }
        (_, Change::Root(next)) => crate::state::Roles { root: *next, ..guard.roles }.validate(),
        (Change::Aggregate(now), Change::Aggregate(next)) => {
            require!(next.window_secs == now.window_secs, RampartError::FixedAtCreation);
            next.validate()
        }
        (_, Change::AssetWarmUp(next)) => require_warm_up(*next, bounds),
        (_, Change::SwapPolicy(next)) => next.validate(bounds),
        (Change::ReservePlan(now), Change::ReservePlan(next)) => {
            require!(now.keeps_shape(next), RampartError::FixedAtCreation);
            next.validate()
        }
        (_, Change::ReserveGrant(next)) => next.validate(),
        (
            _,
            Change::VaultRisk(_)
            | Change::Rule(_)
            | Change::AssetReference(_)
            | Change::Aggregate(_)
            | Change::ReservePlan(_),
        ) => {
            err!(RampartError::ChangeTargetMismatch)
        }
    }
}

/// Writes `next`. Everything that runs by the old value is settled up to now with the old value.
///
/// # Errors
/// `SettleFirst` for a reference that was not observed at this very time, `MathOverflow`, those of `release`, Anchor's for
/// an account that isn't writable.
pub fn write<'info>(
    next: &Change,
    target: &AccountInfo<'info>,
    evidence: &[AccountInfo<'info>],
    guard: &mut Guard,
    now_ts: i64,
) -> Result<()> {
    match next {
        Change::VaultRisk(risk) => load_mut::<Vault>(target)?.risk = *risk,
        Change::VaultLimits(limits) => {
            let mut vault = load_mut::<Vault>(target)?;
            vault.limits = *limits;
            // the buckets leak at the limit that they remember, and take the new one from now on
            vault.loan_flow.settle(&limits.loan_flow, now_ts);
            vault.collateral_flow.settle(&limits.collateral_flow, now_ts);
        }
        Change::VaultCurve(curve) => {
            let mut vault = load_mut::<Vault>(target)?;
            vault.accrue(now_ts)?;
            vault.curve = *curve;
        }
        Change::VaultScale(scale) => load_mut::<Vault>(target)?.set_scale(*scale, now_ts),
        Change::VaultCover(switch) => load_mut::<Vault>(target)?.cover = *switch,
        Change::Rule(params) => {
            let mut rule = load_mut::<Rule>(target)?;
            rule.params = *params;
            // what was true at the old threshold says nothing about the new one
            rule.streak = Streak::default();
        }
        Change::AssetOracle(set) => load_mut::<Asset>(target)?.oracle = *set,
        Change::AssetStandby(set) => load_mut::<Asset>(target)?.standby = *set,
        Change::AssetReference(params) => {
            let mut asset = load_mut::<Asset>(target)?;
            let age_secs = now_ts.saturating_sub(asset.reference.updated_at_ts);
            let starts_over = age_secs > i64::from(asset.reference_params.max_age_secs.max(params.max_age_secs));
            require!(age_secs <= 0 || starts_over, RampartError::SettleFirst);
            asset.reference_params = *params;
        }
        Change::AssetWarmUp(secs) => load_mut::<Asset>(target)?.warm_up.duration_secs = *secs,
        Change::Aggregate(params) => {
            // what is leased stays leased; whether it is in force stands in the guard, where outflows read it
            load_mut::<AggregateLimit>(target)?.params = *params;
            guard.aggregate = params.switch;
        }
        Change::Roles(roles) => guard.set_roles(*roles)?,
        Change::LoosenDelay(secs) => guard.loosen_delay_secs = *secs,
        Change::IntegrationSwitch(switch) => load_mut::<Integration>(target)?.switch = *switch,
        Change::Holder(next) => release::release(target, next, evidence, guard, now_ts)?,
        Change::Root(_) => return err!(RampartError::RootNeedsAcceptance),
        // what a day has used stays used
        Change::SwapPolicy(params) => load_mut::<SwapPolicy>(target)?.params = *params,
        Change::ReservePlan(plan) => load_mut::<Reserve>(target)?.plan = *plan,
        Change::ReserveGrant(grant) => {
            let mut reserve = load_mut::<Reserve>(target)?;
            reserve.asset_mut(grant.index)?;
            reserve.grant = *grant;
        }
    }
    Ok(())
}
