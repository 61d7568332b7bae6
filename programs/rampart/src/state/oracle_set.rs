//! Which price sources an asset trusts, and how far.

use crate::constants::MAX_SOURCES;
use crate::error::RampartError;
use crate::refuse::require;
use crate::state::guard::HardBounds;
use crate::state::rate_source::RateSource;
use anchor_lang::prelude::*;

/// On or off, as an explicit value instead of a zero with a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Switch {
    /// Not in use.
    Disabled = 1,
    /// In use.
    Enabled = 2,
}

/// The provider of a price source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum SourceKind {
    /// Pyth `PriceUpdateV2`, of either receiver program.
    Pyth = 1,
    /// Switchboard On-Demand pull feed.
    Switchboard = 2,
}

/// How the oracle account of a source is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Pin {
    /// By its address.
    Account = 1,
    /// By its owner program and feed id: any account of the program that carries the feed.
    Feed = 2,
}

macro_rules! stored_enum {
    ($name:ident { $($variant:ident),+ $(,)? }) => {
        impl TryFrom<u8> for $name {
            type Error = RampartError;
            fn try_from(value: u8) -> core::result::Result<Self, RampartError> {
                $(if value == $name::$variant as u8 { return Ok($name::$variant); })+
                Err(RampartError::UnknownStoredValue)
            }
        }
    };
}
pub(crate) use stored_enum;

stored_enum!(Switch { Disabled, Enabled });
stored_enum!(SourceKind { Pyth, Switchboard });
stored_enum!(Pin { Account, Feed });

/// One price source of an asset.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, bytemuck::Pod, bytemuck::Zeroable)]
pub struct OracleSource {
    /// The program that owns the oracle account.
    pub program: Pubkey,
    /// The oracle account, for [`Pin::Account`]; else the default key.
    pub account: Pubkey,
    /// The provider's feed id, for Pyth; else zeros.
    pub feed_id: [u8; 32],
    /// The oldest publish time that counts, in seconds before now.
    pub max_age_secs: u32,
    /// The widest confidence that counts, in bps of the price.
    pub max_confidence_bps: u16,
    /// [`SourceKind`].
    pub kind: u8,
    /// [`Pin`].
    pub pin: u8,
    /// Who publishes: two sources of one publisher never count as two.
    pub publisher: u8,
    /// Zeros.
    pub reserved: [u8; 7],
}

/// The sources of an asset and how they have to agree.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, bytemuck::Pod, bytemuck::Zeroable)]
pub struct OracleSet {
    /// The sources; the first `count` are in use.
    pub sources: [OracleSource; MAX_SOURCES],
    /// How many sources there are, 1 to 3.
    pub count: u8,
    /// How many must be valid and agree, 1 to `count`.
    pub required: u8,
    /// The widest gap between two agreeing sources, in bps of the lower.
    pub max_disagree_bps: u16,
    /// Zeros.
    pub reserved: [u8; 4],
    /// What the sources' price is multiplied with, for an asset that is a claim on another one.
    pub rate: RateSource,
}

impl OracleSet {
    /// Returns the sources in use.
    pub fn active(&self) -> &[OracleSource] {
        &self.sources[..usize::from(self.count).min(MAX_SOURCES)]
    }

    /// Returns how many accounts a reading of the set takes: one for each source, and two for an exchange rate.
    pub fn account_count(&self) -> usize {
        self.active().len() + self.rate.account_count()
    }

    /// Checks the set against the guard's hard bounds.
    ///
    /// # Errors
    /// `OracleSetInvalid` for counts, publishers or pins that can't work and for unused places that aren't empty,
    /// `UnknownKind` for undecodable enums and reserved bytes that are set, `OutsideHardBounds` for ages or confidences
    /// beyond the guard's ceilings, `RateInvalid`.
    pub fn validate(&self, bounds: &HardBounds) -> Result<()> {
        require!(self.reserved == [0; 4], RampartError::UnknownKind);
        let count = usize::from(self.count);
        require!((1..=MAX_SOURCES).contains(&count), RampartError::OracleSetInvalid);
        require!(self.required >= 1 && self.required <= self.count, RampartError::OracleSetInvalid);
        require!(self.max_disagree_bps > 0, RampartError::OracleSetInvalid);
        require!(self.max_disagree_bps <= bounds.max_confidence_bps, RampartError::OutsideHardBounds);
        for (index, source) in self.active().iter().enumerate() {
            source.validate(bounds)?;
            let twin = self.active()[..index].iter().any(|s| s.shares_publisher(source));
            require!(!twin, RampartError::OracleSetInvalid);
        }
        // what no version has judged must not come into use later
        require!(self.sources[count..].iter().all(OracleSource::is_empty), RampartError::OracleSetInvalid);
        self.rate.validate()
    }
}

impl OracleSource {
    /// Tells whether both are published by the same: two sources of one publisher never count as two.
    ///
    /// Root tags publishers, and a wrong tag MUST NOT make two of one: whatever Pyth signs is Pyth's, whichever receiver
    /// or feed carries it, and one account is one source.
    pub fn shares_publisher(&self, other: &Self) -> bool {
        let both_pyth = self.kind == SourceKind::Pyth as u8 && other.kind == SourceKind::Pyth as u8;
        self.publisher == other.publisher || both_pyth || self.is_same_account(other)
    }

    /// Tells whether both are pinned to one account.
    pub fn is_same_account(&self, other: &Self) -> bool {
        let pinned = self.pin == Pin::Account as u8 && other.pin == Pin::Account as u8;
        pinned && self.account == other.account
    }

    /// Tells whether this is the place of no source.
    pub fn is_empty(&self) -> bool {
        bytemuck::bytes_of(self).iter().all(|byte| *byte == 0)
    }

    /// Checks the source alone.
    ///
    /// # Errors
    /// As [`OracleSet::validate`].
    pub fn validate(&self, bounds: &HardBounds) -> Result<()> {
        require!(self.reserved == [0; 7], RampartError::UnknownKind);
        require!(self.publisher > 0, RampartError::OracleSetInvalid);
        let kind = SourceKind::try_from(self.kind).map_err(|_| RampartError::UnknownKind)?;
        let pin = Pin::try_from(self.pin).map_err(|_| RampartError::UnknownKind)?;
        require!(crate::oracle::is_known_program(kind, &self.program), RampartError::OracleSetInvalid);
        match pin {
            Pin::Account => require!(self.account != Pubkey::default(), RampartError::OracleSetInvalid),
            // a Switchboard feed has no id of its own: only its address tells it apart
            Pin::Feed => {
                require!(kind == SourceKind::Pyth && self.account == Pubkey::default(), RampartError::OracleSetInvalid)
            }
        }
        require!((kind == SourceKind::Pyth) == (self.feed_id != [0; 32]), RampartError::OracleSetInvalid);
        require!(self.max_age_secs > 0 && self.max_confidence_bps > 0, RampartError::OracleSetInvalid);
        require!(self.max_age_secs <= bounds.max_oracle_age_secs, RampartError::OutsideHardBounds);
        require!(self.max_confidence_bps <= bounds.max_confidence_bps, RampartError::OutsideHardBounds);
        Ok(())
    }
}
