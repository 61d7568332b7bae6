//! People of the guard with their keys, and the life of a change.

use crate::world::{Outcome, World};
use rampart::Validity;
use rampart::state::asset::ReferenceParams;
use rampart::state::{Change, ChangeGroup, OracleSet, PendingChange};
use rampart_client::{AccountMeta, Instruction, Pubkey, address, control};
use solana_sdk::signature::Keypair;
use solana_sdk::signer::Signer;

/// Who besides root and risk admin holds a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Officer {
    /// The first guardian.
    FirstGuardian = 0xa1,
    /// The second guardian.
    SecondGuardian = 0xa2,
    /// The resetter.
    Resetter = 0xa3,
    /// The vetoer.
    Vetoer = 0xa4,
}

impl Officer {
    /// Returns the officer's key.
    pub fn key(self) -> Keypair {
        Keypair::new_from_array([self as u8; 32])
    }

    /// Returns the officer's address.
    pub fn address(self) -> Pubkey {
        self.key().pubkey()
    }
}

/// Both guardians: the default quorum.
pub fn quorum() -> [Keypair; 2] {
    [Officer::FirstGuardian.key(), Officer::SecondGuardian.key()]
}

impl World {
    /// Returns a validity of a minute under the present epoch.
    pub fn validity(&self) -> Validity {
        Validity { authority_epoch: self.guard_state().authority_epoch, expires_at_ts: self.now_ts() + 60 }
    }

    /// Returns what `target` holds of `group` now.
    pub fn value(&self, group: ChangeGroup, target: &Pubkey) -> Change {
        let asset = || self.load::<rampart::state::Asset>(target);
        match group {
            ChangeGroup::VaultRisk => Change::VaultRisk(self.load::<rampart::state::Vault>(target).risk),
            ChangeGroup::VaultLimits => Change::VaultLimits(self.load::<rampart::state::Vault>(target).limits),
            ChangeGroup::VaultScale => Change::VaultScale(self.load::<rampart::state::Vault>(target).scale),
            ChangeGroup::VaultCover => {
                Change::VaultCover(self.load::<rampart::state::Vault>(target).cover_switch() as u8)
            }
            ChangeGroup::VaultCurve => Change::VaultCurve(self.load::<rampart::state::Vault>(target).curve),
            ChangeGroup::Rule => Change::Rule(self.rule(target).params),
            ChangeGroup::AssetOracle => Change::AssetOracle(asset().oracle),
            ChangeGroup::AssetReference => Change::AssetReference(asset().reference_params),
            ChangeGroup::Roles => Change::Roles(self.guard_state().roles),
            ChangeGroup::LoosenDelay => Change::LoosenDelay(self.guard_state().loosen_delay_secs),
            ChangeGroup::Root => Change::Root(self.guard_state().roles.root),
            ChangeGroup::Aggregate => Change::Aggregate(self.load::<rampart::state::AggregateLimit>(target).params),
            ChangeGroup::AssetWarmUp => Change::AssetWarmUp(asset().warm_up.duration_secs),
            ChangeGroup::AssetStandby => Change::AssetStandby(asset().standby),
            ChangeGroup::IntegrationSwitch => {
                Change::IntegrationSwitch(self.load::<rampart::state::Integration>(target).switch)
            }
            ChangeGroup::Holder => Change::Holder(self.load::<rampart::state::Integration>(target).holder),
            ChangeGroup::SwapPolicy => Change::SwapPolicy(self.load::<rampart::state::SwapPolicy>(target).params),
            ChangeGroup::ReservePlan => Change::ReservePlan(self.load::<rampart::state::Reserve>(target).plan),
            ChangeGroup::ReserveGrant => Change::ReserveGrant(self.load::<rampart::state::Reserve>(target).grant),
        }
    }

    /// Returns the instruction by which root proposes `change` of `target`.
    pub fn propose_ix(&self, target: Pubkey, change: Change) -> Instruction {
        let now = self.value(change.group(), &target);
        control::propose_change((self.guard, &self.guard_state()), target, (now, change), self.validity(), &[])
    }

    /// Proposes `change` of `target` as root and returns the change's address.
    pub fn propose(&mut self, target: Pubkey, change: Change) -> Pubkey {
        let key = address::change(&self.guard, self.guard_state().next_change_id);
        let ix = self.propose_ix(target, change);
        self.send_as_root(&[ix]).expect("change is proposed");
        key
    }

    /// Returns a pending change.
    pub fn change(&self, key: &Pubkey) -> PendingChange {
        self.load(key)
    }

    /// Returns the instruction that executes the change at `key`.
    pub fn execute_ix(&self, key: Pubkey, evidence: &[AccountMeta]) -> Instruction {
        control::execute_change(key, &self.change(&key), evidence)
    }

    /// Executes the change at `key`, signed by nobody but the payer of the fee.
    pub fn execute(&mut self, key: Pubkey, evidence: &[AccountMeta]) -> Outcome {
        let ix = self.execute_ix(key, evidence);
        self.send(&[ix], &[])
    }

    /// Waits for the guard's delay and publishes the prices that stand.
    pub fn ripen(&mut self) {
        let (sol, usdc) = (self.sol_price(), self.usdc_price());
        let delay_secs = i64::from(self.guard_state().loosen_delay_secs);
        self.advance(delay_secs);
        self.set_prices(sol, usdc);
    }

    /// Tells whether there is an account at `key`.
    pub fn exists(&self, key: &Pubkey) -> bool {
        self.svm.get_account(key).is_some_and(|account| !account.data.is_empty())
    }
}

/// The set without its second source: a loosening.
pub fn one_source(mut set: OracleSet) -> OracleSet {
    set.sources[1] = bytemuck::Zeroable::zeroed();
    (set.count, set.required) = (1, 1);
    set
}

/// Parameters that follow the price twice as fast.
pub fn faster(params: ReferenceParams) -> ReferenceParams {
    ReferenceParams { half_life_secs: params.half_life_secs / 2, ..params }
}
