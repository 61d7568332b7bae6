//! A change of configuration that waits: what, against which value, until when.

use crate::constants::MAX_CHANGE_LEN;
use crate::error::RampartError;
use crate::refuse::{err, require};
use crate::state::aggregate::AggregateParams;
use crate::state::asset::ReferenceParams;
use crate::state::direction::{Direction, Judged, Judgement};
use crate::state::guard::{Guard, Roles};
use crate::state::oracle_set::{OracleSet, stored_enum};
use crate::state::reserve::{ReserveGrant, ReservePlan};
use crate::state::risk_scale::RiskScale;
use crate::state::rule::RuleParams;
use crate::state::standby::StandbySet;
use crate::state::swap_policy::SwapParams;
use crate::state::vault::{InterestCurve, RiskParams, VaultLimits};
use anchor_lang::prelude::*;

/// What belongs together and changes together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ChangeGroup {
    /// Lines, bonuses and close factor of a vault.
    VaultRisk = 1,
    /// Caps and outflow limits of a vault.
    VaultLimits = 2,
    /// Interest of a vault.
    VaultCurve = 3,
    /// Parameters of a rule.
    Rule = 4,
    /// Price sources of an asset.
    AssetOracle = 5,
    /// How the reference of an asset is kept.
    AssetReference = 6,
    /// Roles of a guard, without its root.
    Roles = 7,
    /// Delay of a guard's loosenings.
    LoosenDelay = 8,
    /// Root of a guard.
    Root = 9,
    /// The dollar limit over all vaults of a guard.
    Aggregate = 10,
    /// How long an asset warms up as collateral.
    AssetWarmUp = 11,
    /// Standby sources of an asset.
    AssetStandby = 12,
    /// Whether an integration is in use.
    IntegrationSwitch = 13,
    /// Who holds what an integration holds: its release from custody.
    Holder = 14,
    /// What a swap policy allows.
    SwapPolicy = 15,
    /// Weights and cover of the reserve.
    ReservePlan = 16,
    /// Leave to take something out of the reserve.
    ReserveGrant = 17,
    /// How limits on new risk of a vault follow the market.
    VaultScale = 18,
    /// Whether the guard's reserve meets a vault's bad debt.
    VaultCover = 19,
}
stored_enum!(ChangeGroup {
    VaultRisk,
    VaultLimits,
    VaultCurve,
    Rule,
    AssetOracle,
    AssetReference,
    Roles,
    LoosenDelay,
    Root,
    Aggregate,
    AssetWarmUp,
    AssetStandby,
    IntegrationSwitch,
    Holder,
    SwapPolicy,
    ReservePlan,
    ReserveGrant,
    VaultScale,
    VaultCover,
});

/// The value of one group: what is, or what shall be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize)]
pub enum Change {
    /// Lines, bonuses and close factor of a vault.
    VaultRisk(RiskParams),
    /// Caps and outflow limits of a vault.
    VaultLimits(VaultLimits),
    /// Interest of a vault.
    VaultCurve(InterestCurve),
    /// Parameters of a rule.
    Rule(RuleParams),
    /// Price sources of an asset.
    AssetOracle(OracleSet),
    /// How the reference of an asset is kept.
    AssetReference(ReferenceParams),
    /// Roles of a guard, without its root.
    Roles(Roles),
    /// Delay of a guard's loosenings, seconds.
    LoosenDelay(u32),
    /// Root of a guard.
    Root(Pubkey),
    /// The dollar limit over all vaults of a guard.
    Aggregate(AggregateParams),
    /// How long an asset warms up as collateral, seconds from its registration.
    AssetWarmUp(u32),
    /// Standby sources of an asset.
    AssetStandby(StandbySet),
    /// Whether an integration is in use: `Switch`.
    IntegrationSwitch(u8),
    /// Who owns an integration's token account, or is the authority of its mint.
    Holder(Pubkey),
    /// What a swap policy allows.
    SwapPolicy(SwapParams),
    /// Weights and cover of the reserve.
    ReservePlan(ReservePlan),
    /// Leave to take something out of the reserve.
    ReserveGrant(ReserveGrant),
    /// How limits on new risk of a vault follow the market.
    VaultScale(RiskScale),
    /// Whether the guard's reserve meets a vault's bad debt: `Switch`.
    VaultCover(u8),
}

impl Change {
    /// Returns the group.
    pub fn group(&self) -> ChangeGroup {
        match self {
            Self::VaultRisk(_) => ChangeGroup::VaultRisk,
            Self::VaultLimits(_) => ChangeGroup::VaultLimits,
            Self::VaultCurve(_) => ChangeGroup::VaultCurve,
            Self::Rule(_) => ChangeGroup::Rule,
            Self::AssetOracle(_) => ChangeGroup::AssetOracle,
            Self::AssetReference(_) => ChangeGroup::AssetReference,
            Self::Roles(_) => ChangeGroup::Roles,
            Self::LoosenDelay(_) => ChangeGroup::LoosenDelay,
            Self::Root(_) => ChangeGroup::Root,
            Self::Aggregate(_) => ChangeGroup::Aggregate,
            Self::AssetWarmUp(_) => ChangeGroup::AssetWarmUp,
            Self::AssetStandby(_) => ChangeGroup::AssetStandby,
            Self::IntegrationSwitch(_) => ChangeGroup::IntegrationSwitch,
            Self::Holder(_) => ChangeGroup::Holder,
            Self::SwapPolicy(_) => ChangeGroup::SwapPolicy,
            Self::ReservePlan(_) => ChangeGroup::ReservePlan,
            Self::ReserveGrant(_) => ChangeGroup::ReserveGrant,
            Self::VaultScale(_) => ChangeGroup::VaultScale,
            Self::VaultCover(_) => ChangeGroup::VaultCover,
        }
    }

    /// Returns the roles of a guard that has `now` once the change holds; nothing for a change of anything else.
    pub fn roles_after(&self, now: &Roles) -> Option<Roles> {
        match self {
            Self::Roles(next) => Some(*next),
            Self::Root(root) => Some(Roles { root: *root, ..*now }),
            _ => None,
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::VaultRisk(v) => bytemuck::bytes_of(v),
            Self::VaultLimits(v) => bytemuck::bytes_of(v),
            Self::VaultCurve(v) => bytemuck::bytes_of(v),
            Self::Rule(v) => bytemuck::bytes_of(v),
            Self::AssetOracle(v) => bytemuck::bytes_of(v),
            Self::AssetReference(v) => bytemuck::bytes_of(v),
            Self::Roles(v) => bytemuck::bytes_of(v),
            Self::LoosenDelay(v) => bytemuck::bytes_of(v),
            Self::Aggregate(v) => bytemuck::bytes_of(v),
            Self::AssetWarmUp(v) => bytemuck::bytes_of(v),
            Self::AssetStandby(v) => bytemuck::bytes_of(v),
            Self::Root(v) | Self::Holder(v) => bytemuck::bytes_of(v),
            Self::IntegrationSwitch(v) | Self::VaultCover(v) => bytemuck::bytes_of(v),
            Self::SwapPolicy(v) => bytemuck::bytes_of(v),
            Self::ReservePlan(v) => bytemuck::bytes_of(v),
            Self::ReserveGrant(v) => bytemuck::bytes_of(v),
            Self::VaultScale(v) => bytemuck::bytes_of(v),
        }
    }

    fn from_bytes(group: ChangeGroup, bytes: &[u8; MAX_CHANGE_LEN]) -> Self {
        match group {
            ChangeGroup::VaultRisk => Self::VaultRisk(read(bytes)),
            ChangeGroup::VaultLimits => Self::VaultLimits(read(bytes)),
            ChangeGroup::VaultCurve => Self::VaultCurve(read(bytes)),
            ChangeGroup::Rule => Self::Rule(read(bytes)),
            ChangeGroup::AssetOracle => Self::AssetOracle(read(bytes)),
            ChangeGroup::AssetReference => Self::AssetReference(read(bytes)),
            ChangeGroup::Roles => Self::Roles(read(bytes)),
            ChangeGroup::LoosenDelay => Self::LoosenDelay(read(bytes)),
            ChangeGroup::Root => Self::Root(read(bytes)),
            ChangeGroup::Aggregate => Self::Aggregate(read(bytes)),
            ChangeGroup::AssetWarmUp => Self::AssetWarmUp(read(bytes)),
            ChangeGroup::AssetStandby => Self::AssetStandby(read(bytes)),
            ChangeGroup::IntegrationSwitch => Self::IntegrationSwitch(read(bytes)),
            ChangeGroup::Holder => Self::Holder(read(bytes)),
            ChangeGroup::SwapPolicy => Self::SwapPolicy(read(bytes)),
            ChangeGroup::ReservePlan => Self::ReservePlan(read(bytes)),
            ChangeGroup::ReserveGrant => Self::ReserveGrant(read(bytes)),
            ChangeGroup::VaultScale => Self::VaultScale(read(bytes)),
            ChangeGroup::VaultCover => Self::VaultCover(read(bytes)),
        }
    }

    /// Returns SHA-256 of the group and the stored bytes: what a change names as the value that it was prepared against.
    pub fn hash(&self) -> [u8; 32] {
        solana_sha256_hasher::hashv(&[&[self.group() as u8], self.bytes()]).to_bytes()
    }

    /// Judges the move from `self` to `next`, of the same group.
    ///
    /// # Errors
    /// `ChangeTargetMismatch` for different groups.
    pub fn judge_move(&self, next: &Self) -> Result<Judgement> {
        Ok(match (self, next) {
            (Self::VaultRisk(now), Self::VaultRisk(next)) => now.judge_move(next),
            (Self::VaultLimits(now), Self::VaultLimits(next)) => now.judge_move(next),
            (Self::VaultCurve(now), Self::VaultCurve(next)) => now.judge_move(next),
            (Self::Rule(now), Self::Rule(next)) => now.judge_move(next),
            (Self::AssetOracle(now), Self::AssetOracle(next)) => now.judge_move(next),
            (Self::AssetReference(now), Self::AssetReference(next)) => now.judge_move(next),
            (Self::Roles(now), Self::Roles(next)) => now.judge_move(next),
            (Self::LoosenDelay(now), Self::LoosenDelay(next)) => now.judge_move(next),
            (Self::Root(now), Self::Root(next)) | (Self::Holder(now), Self::Holder(next)) => now.judge_move(next),
            (Self::IntegrationSwitch(now), Self::IntegrationSwitch(next)) => now.judge_move(next),
            (Self::Aggregate(now), Self::Aggregate(next)) => now.judge_move(next),
            (Self::AssetWarmUp(now), Self::AssetWarmUp(next)) => now.judge_move(next),
            (Self::AssetStandby(now), Self::AssetStandby(next)) => now.judge_move(next),
            (Self::SwapPolicy(now), Self::SwapPolicy(next)) => now.judge_move(next),
            (Self::ReservePlan(now), Self::ReservePlan(next)) => now.judge_move(next),
            (Self::ReserveGrant(now), Self::ReserveGrant(next)) => now.judge_move(next),
            (Self::VaultScale(now), Self::VaultScale(next)) => now.judge_move(next),
            (Self::VaultCover(now), Self::VaultCover(next)) => now.judge_move(next),
            _ => return err!(RampartError::ChangeTargetMismatch),
        })
    }
}

/// The first bytes of a stored change; MAX_CHANGE_LEN is asserted to hold every group.
fn read<T: bytemuck::AnyBitPattern>(bytes: &[u8; MAX_CHANGE_LEN]) -> T {
    bytemuck::pod_read_unaligned(&bytes[..core::mem::size_of::<T>()])
}

/// A change that waits for its delay, for a veto, or for its end.
///
/// Proposed by root; executed by anyone between `eta_ts` and `expires_at_ts` under the same authority epoch against the
/// same value; closed by execution, veto or cancellation. Its address holds a number that no other change ever gets.
#[account(zero_copy)]
#[derive(Debug, PartialEq, Eq)]
pub struct PendingChange {
    /// The guard.
    pub guard: Pubkey,
    /// The account that it would change: a vault, a rule, an asset, an integration, or the guard.
    pub target: Pubkey,
    /// Who paid the rent and gets it back.
    pub rent_to: Pubkey,
    /// [`Change::hash`] of the value that it was prepared against.
    pub value_hash: [u8; 32],
    /// Number within the guard; part of the address.
    pub id: u64,
    /// The authority epoch that it was proposed under.
    pub authority_epoch: u64,
    /// When it was proposed, unix seconds.
    pub proposed_at_ts: i64,
    /// From when it may be executed, unix seconds.
    pub eta_ts: i64,
    /// From when it may no longer be executed, unix seconds.
    pub expires_at_ts: i64,
    /// The value that shall be; the first bytes, by group.
    pub next: [u8; MAX_CHANGE_LEN],
    /// [`ChangeGroup`].
    pub group: u8,
    /// [`Direction`] when it was proposed.
    pub direction: u8,
    /// Layout version.
    pub version: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Zeros.
    pub reserved: [u8; 68],
}

impl PendingChange {
    /// Account size in bytes, with the discriminator.
    pub const SPACE: usize = 8 + core::mem::size_of::<Self>();

    /// Returns the change.
    ///
    /// # Errors
    /// `UnknownStoredValue`.
    pub fn change(&self) -> Result<Change> {
        Ok(Change::from_bytes(ChangeGroup::try_from(self.group)?, &self.next))
    }

    /// Stores the change and its direction.
    pub fn set(&mut self, change: &Change, direction: Direction) {
        let bytes = change.bytes();
        self.next = [0; MAX_CHANGE_LEN];
        self.next[..bytes.len()].copy_from_slice(bytes);
        self.group = change.group() as u8;
        self.direction = direction as u8;
    }

    /// Checks that the change may be executed on `guard` at `now_ts`.
    ///
    /// A delay that was raised in the meantime holds for what is pending too: it may then end before it ripens.
    ///
    /// # Errors
    /// `AuthorityEpochMoved`, `ChangeNotRipe`, `ChangeExpired`.
    pub fn require_ripe(&self, guard: &Guard, now_ts: i64) -> Result<()> {
        require!(self.authority_epoch == guard.authority_epoch, RampartError::AuthorityEpochMoved);
        require!(now_ts < self.expires_at_ts, RampartError::ChangeExpired);
        let waited_since = self.proposed_at_ts.saturating_add(guard.loosen_delay_secs.into());
        let ripe_ts = if self.eta_ts > self.proposed_at_ts { self.eta_ts.max(waited_since) } else { self.eta_ts };
        require!(now_ts >= ripe_ts, RampartError::ChangeNotRipe);
        Ok(())
    }
}

const _: () = assert!(PendingChange::SPACE <= 10_240);
const _: () = assert!(core::mem::size_of::<Roles>() <= MAX_CHANGE_LEN);
const _: () = assert!(core::mem::size_of::<OracleSet>() <= MAX_CHANGE_LEN);
const _: () = assert!(core::mem::size_of::<StandbySet>() <= MAX_CHANGE_LEN);
const _: () = assert!(core::mem::size_of::<RiskParams>() <= MAX_CHANGE_LEN);
const _: () = assert!(core::mem::size_of::<VaultLimits>() <= MAX_CHANGE_LEN);
const _: () = assert!(core::mem::size_of::<RuleParams>() <= MAX_CHANGE_LEN);
const _: () = assert!(core::mem::size_of::<AggregateParams>() <= MAX_CHANGE_LEN);
const _: () = assert!(core::mem::size_of::<SwapParams>() <= MAX_CHANGE_LEN);
const _: () = assert!(core::mem::size_of::<ReservePlan>() <= MAX_CHANGE_LEN);
