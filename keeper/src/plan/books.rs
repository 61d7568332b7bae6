//! Instructions of housekeeping and of the reserve's basket.

use crate::decide::settle::Housekeeping;
use crate::economics::Rebalance;
use crate::plan::{PlanError, Planner};
use anchor_lang::prelude::{AccountMeta, Pubkey};
use rampart_client::{Instruction, aggregate, exit, keepers, lending, swap};

impl Planner<'_> {
    pub(super) fn about_books(&self, what: &Housekeeping) -> Result<Instruction, PlanError> {
        match what {
            Housekeeping::RecordShortfall(vault) => {
                Ok(exit::record_shortfall(&self.vault_keys(*vault, self.vault(vault)?)?))
            }
            Housekeeping::Accrue(vault) => Ok(lending::accrue(*vault)),
            Housekeeping::Scale { vault, target } => {
                let missing = || PlanError::Unknown(rampart_client::address::keeper_set(&self.store.guard_key()));
                let (_, set) = self.store.keeper_set().ok_or_else(missing)?;
                Ok(keepers::scale_risk(*vault, &self.vault(vault)?.collateral_asset, set, *target))
            }
            Housekeeping::ReturnLease(vault) => Ok(aggregate::return_lease(self.store.guard_key(), *vault)),
        }
    }

    /// The rebalance, behind the creation of each token account that isn't there.
    pub(super) fn about_basket(&self, next: &Rebalance) -> Result<Vec<Instruction>, PlanError> {
        let (from, to) = next.pair;
        let evidence = self.basket_evidence()?;
        let mut all = self.missing(next.policy.escrow, [from, to]);
        let guard = self.store.guard_key();
        let (args, route) = (next.args.clone(), &next.routed.accounts);
        all.push(swap::rebalance(self.signer, guard, &next.policy, (from, to), &evidence, args, route));
        Ok(all)
    }

    /// Each asset of the basket with its oracles, then the keepers' reports about the scored one, where there are keepers.
    pub(super) fn basket_evidence(&self) -> Result<Vec<AccountMeta>, PlanError> {
        let missing = || PlanError::Unknown(rampart_client::address::reserve(&self.store.guard_key()));
        let (_, reserve) = self.store.reserve().ok_or_else(missing)?;
        let mut all = Vec::new();
        for held in reserve.active() {
            all.push(AccountMeta::new_readonly(held.asset, false));
            all.extend(self.oracles_of(&held.asset)?);
        }
        if self.store.keeper_set().is_some() {
            let scored: Pubkey = reserve.active().get(usize::from(reserve.plan.scored)).ok_or_else(missing)?.asset;
            all.extend(self.reports_about(&scored)?);
        }
        Ok(all)
    }
}
