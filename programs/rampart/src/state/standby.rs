//! Price sources that were approved in advance: they count for nothing until a dead one gives its place to them.

use crate::constants::MAX_STANDBY;
use crate::error::RampartError;
use crate::refuse::{err, require};
use crate::state::guard::HardBounds;
use crate::state::oracle_set::{OracleSet, OracleSource, Pin};
use anchor_lang::prelude::*;

/// The standby sources of an asset.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, bytemuck::Pod, bytemuck::Zeroable)]
pub struct StandbySet {
    /// The sources; the first `count` are in use, the rest zeros.
    pub sources: [OracleSource; MAX_STANDBY],
    /// How many there are.
    pub count: u8,
    /// Zeros.
    pub reserved: [u8; 7],
}

impl Default for StandbySet {
    /// Nothing stands by.
    fn default() -> Self {
        bytemuck::Zeroable::zeroed()
    }
}

impl StandbySet {
    /// Returns the sources in use.
    pub fn active(&self) -> &[OracleSource] {
        &self.sources[..usize::from(self.count).min(MAX_STANDBY)]
    }

    /// Checks the sources as a set's own are checked, and against each other.
    ///
    /// They are pinned by address: a source that is pinned by its feed is read from an account that the caller chooses,
    /// and would be weaker than the one whose place it takes.
    ///
    /// # Errors
    /// `StandbyInvalid`, and those of [`OracleSource::validate`].
    pub fn validate(&self, bounds: &HardBounds) -> Result<()> {
        require!(self.reserved == [0; 7], RampartError::UnknownKind);
        let count = usize::from(self.count);
        require!(count <= MAX_STANDBY, RampartError::StandbyInvalid);
        for (index, source) in self.active().iter().enumerate() {
            source.validate(bounds)?;
            require!(source.pin == Pin::Account as u8, RampartError::StandbyInvalid);
            let twin = self.active()[..index].iter().any(|s| s.is_same_account(source));
            require!(!twin, RampartError::StandbyInvalid);
        }
        require!(self.sources[count..].iter().all(OracleSource::is_empty), RampartError::StandbyInvalid);
        Ok(())
    }

    /// Checks that each source could take a place in `set`: no account twice, and no publisher beside itself.
    ///
    /// # Errors
    /// `StandbyInvalid`.
    pub fn require_fits(&self, set: &OracleSet) -> Result<()> {
        for standby in self.active() {
            let is_there = set.active().iter().any(|s| s.is_same_account(standby));
            let rivals = set.active().iter().filter(|s| s.shares_publisher(standby)).count();
            require!(!is_there && rivals <= 1, RampartError::StandbyInvalid);
        }
        Ok(())
    }

    /// Lets the standby at `standby` and the source at `source` of `set` change places.
    ///
    /// # Errors
    /// `StandbyInvalid` for a place that there is none of; those of [`OracleSet::validate`].
    pub fn activate(&mut self, set: &mut OracleSet, source: u8, standby: u8, bounds: &HardBounds) -> Result<()> {
        require!(source < set.count && standby < self.count, RampartError::StandbyInvalid);
        let places = (set.sources.get_mut(usize::from(source)), self.sources.get_mut(usize::from(standby)));
        let (Some(active), Some(spare)) = places else { return err!(RampartError::StandbyInvalid) };
        core::mem::swap(active, spare);
        set.validate(bounds)
    }
}
