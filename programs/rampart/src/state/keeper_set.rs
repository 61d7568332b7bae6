//! Whose reports a guard counts.

use crate::constants::{KEEPER_JOIN_DELAY_SECS, MAX_KEEPERS, MAX_REPORT_AGE_SECS, MIN_KEEPER_QUORUM};
use crate::error::RampartError;
use crate::math::bps::BPS_ONE;
use crate::refuse::require;
use crate::state::guard::Roles;
use crate::state::oracle_set::stored_enum;
use anchor_lang::prelude::*;

/// What a member is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum KeeperRole {
    /// Its reports count.
    Reporter = 1,
    /// It reports on trial: its record can be watched, its reports don't count.
    Standby = 2,
}
stored_enum!(KeeperRole { Reporter, Standby });

/// A place in the set, as governance gives it out.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeeperSeat {
    /// Signs its reports.
    pub key: Pubkey,
    /// Where its data comes from: members with one tag count as one source.
    pub source_tag: u16,
    /// [`KeeperRole`].
    pub role: u8,
}

/// One member.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct KeeperMember {
    /// Signs its reports.
    pub key: Pubkey,
    /// From when on its reports count, unix seconds.
    pub active_from_ts: i64,
    /// Where its data comes from: members with one tag count as one source.
    pub source_tag: u16,
    /// [`KeeperRole`]; what isn't known counts as `Standby`.
    pub role: u8,
    /// Zeros.
    pub reserved: [u8; 5],
}

impl KeeperMember {
    fn new(seat: KeeperSeat, active_from_ts: i64) -> Self {
        Self { key: seat.key, active_from_ts, source_tag: seat.source_tag, role: seat.role, reserved: [0; 5] }
    }

    /// Tells whether reports of this member count at `now_ts`.
    pub fn counts_at(&self, now_ts: i64) -> bool {
        self.role == KeeperRole::Reporter as u8 && self.active_from_ts <= now_ts
    }

    fn is_seat(&self, seat: &KeeperSeat) -> bool {
        self.key == seat.key && self.source_tag == seat.source_tag && self.role == seat.role
    }
}

/// Which reports count.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeeperLimits {
    /// The oldest report that counts, seconds.
    pub max_age_secs: u32,
    /// The widest spread of the reports' middle half that is still one opinion, bps.
    pub max_spread_bps: u16,
}

impl KeeperLimits {
    fn validate(self) -> Result<()> {
        let age = (1..=MAX_REPORT_AGE_SECS).contains(&self.max_age_secs);
        let spread = (1..BPS_ONE).contains(&u64::from(self.max_spread_bps));
        require!(age && spread, RampartError::KeeperSetInvalid);
        Ok(())
    }
}

/// The keepers of a guard.
#[account(zero_copy)]
#[derive(Debug, PartialEq, Eq)]
pub struct KeeperSet {
    /// The guard it belongs to.
    pub guard: Pubkey,
    /// Members; the first `count` are in use.
    pub members: [KeeperMember; MAX_KEEPERS],
    /// Counts changes, from 1; reports that were made under another epoch don't count.
    pub epoch: u64,
    /// When it last changed, unix seconds.
    pub changed_at_ts: i64,
    /// The oldest report that counts, seconds.
    pub max_age_secs: u32,
    /// The widest spread of the reports' middle half that is still one opinion, bps.
    pub max_spread_bps: u16,
    /// How many members there are.
    pub count: u8,
    /// Layout version.
    pub version: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Zeros.
    pub reserved: [u8; 127],
}

impl KeeperSet {
    /// Account size in bytes, with the discriminator.
    pub const SPACE: usize = 8 + core::mem::size_of::<Self>();

    /// Returns the members in use.
    pub fn active(&self) -> &[KeeperMember] {
        &self.members[..usize::from(self.count).min(MAX_KEEPERS)]
    }

    /// Returns how many members' reports count at `now_ts`.
    pub fn reporters_at(&self, now_ts: i64) -> u8 {
        self.active().iter().map(|m| u8::from(m.counts_at(now_ts))).sum()
    }

    /// Returns how many fresh reports are a quorum at `now_ts`: `max(3, ⌊2n/3⌋ + 1)` of n reporters.
    pub fn quorum_at(&self, now_ts: i64) -> u8 {
        quorum_of(self.reporters_at(now_ts))
    }

    /// Returns the member whose key is `key`, if it has joined by `now_ts`.
    pub fn member_at(&self, key: &Pubkey, now_ts: i64) -> Option<&KeeperMember> {
        self.active().iter().find(|m| m.key == *key && m.active_from_ts <= now_ts)
    }

    /// Fills a new set. Its members count at once: nothing relied on the set before.
    ///
    /// # Errors
    /// `KeeperSetInvalid`, `KeeperQuorumUnreachable`, `UnknownKind`.
    pub fn fill(&mut self, seats: &[KeeperSeat], limits: KeeperLimits, roles: &Roles, now_ts: i64) -> Result<()> {
        self.seat(seats, limits, roles, now_ts, |_| Ok(now_ts))
    }

    /// Replaces the members. Whoever is left out is out at once; whoever joins, or changes its tag or role, waits.
    ///
    /// # Errors
    /// `WrongAuthority` for anything but leaving members out while `may_join` is false, else as [`KeeperSet::fill`].
    pub fn replace(
        &mut self,
        seats: &[KeeperSeat],
        limits: KeeperLimits,
        roles: &Roles,
        may_join: bool,
        now_ts: i64,
    ) -> Result<()> {
        let before = *self;
        let same = limits.max_age_secs == before.max_age_secs && limits.max_spread_bps == before.max_spread_bps;
        require!(may_join || same, RampartError::WrongAuthority);
        self.seat(seats, limits, roles, now_ts, |seat| {
            if let Some(kept) = before.active().iter().find(|m| m.is_seat(seat)) {
                return Ok(kept.active_from_ts);
            }
            require!(may_join, RampartError::WrongAuthority);
            Ok(now_ts.saturating_add(KEEPER_JOIN_DELAY_SECS))
        })
    }

    fn seat(
        &mut self,
        seats: &[KeeperSeat],
        limits: KeeperLimits,
        roles: &Roles,
        now_ts: i64,
        active_from: impl Fn(&KeeperSeat) -> Result<i64>,
    ) -> Result<()> {
        limits.validate()?;
        require!(seats.len() <= MAX_KEEPERS, RampartError::KeeperSetInvalid);
        self.members = [KeeperMember::default(); MAX_KEEPERS];
        for (index, seat) in seats.iter().enumerate() {
            KeeperRole::try_from(seat.role).map_err(|_| RampartError::UnknownKind)?;
            let is_taken = seats[..index].iter().any(|s| s.key == seat.key);
            let is_own = seat.key != Pubkey::default() && !is_taken && !holds_role(roles, &seat.key);
            require!(is_own, RampartError::KeeperSetInvalid);
            self.members[index] = KeeperMember::new(*seat, active_from(seat)?);
        }
        self.count = seats.len() as u8;
        // with at least three the quorum is never more than all
        require!(self.reporters_at(now_ts) >= MIN_KEEPER_QUORUM, RampartError::KeeperQuorumUnreachable);
        (self.max_age_secs, self.max_spread_bps) = (limits.max_age_secs, limits.max_spread_bps);
        self.epoch = self.epoch.checked_add(1).ok_or(RampartError::MathOverflow)?;
        self.changed_at_ts = now_ts;
        Ok(())
    }
}

/// Returns the quorum of `reporters`: two of three and one more, and at least three.
pub fn quorum_of(reporters: u8) -> u8 {
    (u16::from(reporters) * 2 / 3 + 1).max(MIN_KEEPER_QUORUM.into()) as u8
}

/// Tells whether `key` holds a role of the guard: whoever configures or pauses doesn't report as well.
pub fn holds_role(roles: &Roles, key: &Pubkey) -> bool {
    let single = [&roles.root, &roles.risk_admin, &roles.resetter, &roles.vetoer];
    single.into_iter().chain(&roles.guardians).any(|holder| holder == key)
}

const _: () = assert!(KeeperSet::SPACE <= 10_240);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quorum_is_more_than_two_thirds_and_at_least_three() {
        let quorums = [(0, 3), (3, 3), (4, 3), (5, 4), (6, 5), (7, 5), (9, 7), (12, 9), (15, 11)];
        for (reporters, quorum) in quorums {
            assert_eq!(quorum_of(reporters), quorum, "of {reporters}");
        }
        assert!((3..=15).all(|n| quorum_of(n) <= n && u16::from(quorum_of(n)) * 3 > u16::from(n) * 2));
    }
}
