//! From a step to the instructions that try it: configuration, by tightening and by changes that wait.

use crate::sequences::action::{Action, Kind};
use crate::sequences::build::part;
use crate::sequences::stage::{Owner, PLACES, Stage, bounty_params};
use rampart::state::bounty::BountyParams;
use rampart::state::rule::Metric;
use rampart::state::{Change, ChangeGroup, FlowCap, OracleSet, PendingChange, Switch};
use rampart::{TightenIntegrationArgs, TightenVaultArgs};
use rampart_client::integration as places;
use rampart_client::{AccountMeta, Instruction, Pubkey, admin, bounty, control, evidence};
use rampart_tests::officers::{Officer, faster};

/// The set with sources that may differ a little more.
fn less_agreement(set: OracleSet) -> OracleSet {
    OracleSet { max_disagree_bps: set.max_disagree_bps + 1, ..set }
}

impl Stage {
    /// Returns what makes a vault, a rule or an integration stricter.
    pub fn tighten(&self, action: &Action) -> Instruction {
        let w = &self.world;
        let by = if action.a.is_multiple_of(2) { self.root() } else { w.guard_state().roles.risk_admin };
        // most fall, some stay, and now and then one rises
        let to = |value: u64, n: u32| match n % 16 {
            0 => value.saturating_add(1),
            1..=7 => value,
            _ => part(value, 9_000 + n % 1_000),
        };
        let small = |value: u16, n: u32| to(value.into(), n) as u16;
        match action.kind {
            Kind::TightenVault => {
                let v = w.vault();
                let mut args = TightenVaultArgs {
                    ltv_bps: small(v.risk.ltv_bps, action.b),
                    supply_cap_amount: to(v.limits.supply_cap_amount, action.b / 7),
                    borrow_cap_amount: to(v.limits.borrow_cap_amount, action.b / 11),
                    collateral_cap_amount: to(v.limits.collateral_cap_amount, action.b / 13),
                    loan_flow: v.limits.loan_flow,
                    collateral_flow: v.limits.collateral_flow,
                    inflow: v.limits.inflow,
                    scale: v.scale,
                };
                args.scale.floor_ltv_bps = small(args.scale.floor_ltv_bps, action.b / 23);
                if action.b / 29 % 8 == 3 {
                    args.scale.volatility.switch = rampart::state::Switch::Enabled as u8;
                }
                args.loan_flow.daily_bps = small(args.loan_flow.daily_bps, action.b / 17);
                args.loan_flow.absolute_floor_amount = to(args.loan_flow.absolute_floor_amount, action.b / 19);
                admin::tighten_vault(by, w.guard, w.keys.vault, args, self.validity())
            }
            Kind::TightenRule => {
                let rule = self.rule(action.a / 2);
                let mut params = w.rule(&rule).params;
                if params.metric == Metric::CollateralRatio as u8 {
                    params.threshold += 10;
                } else {
                    params.threshold = to(params.threshold, action.b);
                }
                params.duration_secs += action.b / 16 % 60;
                admin::tighten_rule(by, w.guard, rule, params, self.validity())
            }
            _ => {
                let place = &self.cast.places[action.a as usize / 2 % PLACES];
                let caps = w.integration(place).caps;
                let cut = |cap: FlowCap| FlowCap {
                    hourly_amount: to(cap.hourly_amount, action.b),
                    daily_amount: to(cap.daily_amount, action.b),
                    ..cap
                };
                let args = TightenIntegrationArgs { exit: cut(caps.exit), risk: cut(caps.risk) };
                places::tighten_integration(by, w.guard, place.keys.integration, args, self.validity())
            }
        }
    }

    /// Returns what a step about the bounty vault tries.
    pub fn bounty_step(&self, action: &Action) -> Option<Instruction> {
        let w = &self.world;
        let more = BountyParams { bounty_lamports: 1_000_000 + u64::from(action.b % 9_000_000), ..bounty_params() };
        Some(match action.kind {
            Kind::SetBounty => bounty::set_bounty(self.root(), w.guard, more, self.validity()),
            Kind::WithdrawBounty => {
                let amount = u64::from(action.b % 1_000_000);
                bounty::withdraw_bounty(self.root(), w.guard, self.cast.hunter, amount, self.validity())
            }
            _ => bounty::initialize_bounty(self.root(), self.new_guard?, bounty_params()),
        })
    }

    /// Returns the proposal of a change.
    pub fn proposal(&self, action: &Action) -> Instruction {
        let (w, k) = (&self.world, &self.world.keys);
        let up = |bps: u16| (u32::from(bps) * 11 / 10) as u16;
        let mut roles = w.guard_state().roles;
        let heir = self.cast.heirs[action.b as usize / 64 % 2];
        let (target, change) = match action.b % 12 {
            0 => {
                let mut limits = w.vault().limits;
                limits.loan_flow.daily_bps = up(limits.loan_flow.daily_bps);
                (k.vault, Change::VaultLimits(limits))
            }
            1 => {
                let mut limits = w.vault().limits;
                limits.collateral_flow.hourly_bps += 100;
                limits.collateral_flow.absolute_floor_amount +=
                    part(limits.collateral_flow.absolute_floor_amount, 1_000);
                (k.vault, Change::VaultLimits(limits))
            }
            2 if action.a % 2 == 1 => {
                let mut scale = w.vault().scale;
                scale.floor_ltv_bps = up(scale.floor_ltv_bps).min(10_000);
                scale.ltv.slope_bps += 100;
                (k.vault, Change::VaultScale(scale))
            }
            9 if action.a % 4 == 3 => {
                let is_covered = w.vault().cover_switch() == Switch::Enabled;
                let next = if is_covered { Switch::Disabled } else { Switch::Enabled };
                (k.vault, Change::VaultCover(next as u8))
            }
            2 => (k.vault, Change::VaultRisk(rampart::state::RiskParams { max_bonus_bps: 810, ..w.vault().risk })),
            3 => {
                let mut curve = w.vault().curve;
                curve.max_rate_bps += 100;
                (k.vault, Change::VaultCurve(curve))
            }
            4 => {
                let rule = self.rule(action.a);
                let mut params = w.rule(&rule).params;
                params.min_observations += 1;
                (rule, Change::Rule(params))
            }
            5 => (
                k.loan_asset,
                Change::AssetOracle(less_agreement(w.load::<rampart::state::Asset>(&k.loan_asset).oracle)),
            ),
            6 => (k.collateral_asset, Change::AssetReference(faster(w.sol_asset().reference_params))),
            7 => {
                roles.risk_admin = if roles.risk_admin == heir { self.admin() } else { heir };
                (w.guard, Change::Roles(roles))
            }
            8 => {
                let secs = w.guard_state().loosen_delay_secs;
                (
                    w.guard,
                    Change::LoosenDelay(if action.a.is_multiple_of(2) {
                        secs + 3_600
                    } else {
                        secs.saturating_sub(3_600)
                    }),
                )
            }
            10 | 11 if self.has_reserve() => self.reserve_change(action),
            _ => (w.guard, Change::Root(self.cast.heirs[2])),
        };
        let now = w.value(change.group(), &target);
        control::propose_change((w.guard, &w.guard_state()), target, (now, change), self.validity(), &[])
    }

    /// Returns what a step about a change that waits tries.
    pub fn change_step(&self, action: &Action) -> Option<Vec<Instruction>> {
        let w = &self.world;
        let is_root = |c: &PendingChange| c.group == ChangeGroup::Root as u8;
        let wanted = |c: &PendingChange| is_root(c) == (action.kind == Kind::AcceptRoot);
        let any = matches!(action.kind, Kind::Veto | Kind::CancelChange);
        let open: Vec<(Pubkey, PendingChange)> = self.model.pending_keys().map(|key| (key, w.change(&key))).collect();
        let fitting: Vec<_> = open.iter().filter(|(_, c)| any || wanted(c)).collect();
        let (key, change) = fitting.get(action.a as usize % fitting.len().max(1))?;
        let mut all = vec![];
        if action.kind == Kind::Execute && change.group == ChangeGroup::AssetReference as u8 {
            // the past is settled first
            all.push(evidence::observe(w.keys.collateral_asset, w.sol.mint, &w.sol_feeds.metas()));
        }
        all.push(match action.kind {
            Kind::Execute => control::execute_change(*key, change, &self.effect_evidence(change)),
            Kind::AcceptRoot => control::accept_root(self.cast.heirs[2], *key, change),
            Kind::Veto => {
                let by = if action.b.is_multiple_of(2) { Officer::Vetoer } else { Officer::FirstGuardian };
                control::veto_change(by.address(), *key, change)
            }
            _ => control::cancel_change(self.root(), *key, change),
        });
        Some(all)
    }

    /// What the effect of a change is tried on.
    fn effect_evidence(&self, change: &PendingChange) -> Vec<AccountMeta> {
        let w = &self.world;
        let read = |key: &Pubkey| AccountMeta::new_readonly(*key, false);
        match change.change() {
            Ok(Change::VaultRisk(_)) if w.vault().debt_scaled.get() > 0 => {
                let in_debt = |o: &&Owner| self.position_of(o).is_some_and(|p| p.debt_scaled.get() > 0);
                let positions = self.cast.owners.iter().filter(in_debt).map(|o| read(&o.position));
                let assets = [read(&w.keys.collateral_asset), read(&w.keys.loan_asset)];
                assets.into_iter().chain(w.pair_oracles()).chain(positions).collect()
            }
            Ok(Change::AssetOracle(next)) => {
                let now = w.load::<rampart::state::Asset>(&change.target).oracle;
                [rampart_client::oracle_metas(&now), rampart_client::oracle_metas(&next)].concat()
            }
            _ => vec![],
        }
    }
}
