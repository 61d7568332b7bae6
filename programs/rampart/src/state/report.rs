//! What one keeper says about one subject.

use crate::error::RampartError;
use crate::math::bps::BPS_ONE;
use crate::refuse::require;
use crate::state::oracle_set::stored_enum;
use crate::state::rule::Comparator;
use anchor_lang::prelude::*;

/// A part of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ReportPart {
    /// The risk score as a whole; high is dangerous.
    Score = 1,
    /// Volatility; high is dangerous.
    Volatility = 2,
    /// Depth of the market; low is dangerous.
    Liquidity = 3,
    /// Correlation with other assets in a fall; high is dangerous.
    Correlation = 4,
    /// Anomaly of flows and prices; high is dangerous.
    Anomaly = 5,
    /// Health of the keeper's own sources; low is dangerous.
    SystemHealth = 6,
}
stored_enum!(ReportPart { Score, Volatility, Liquidity, Correlation, Anomaly, SystemHealth });

impl ReportPart {
    /// Returns the side on which the part is dangerous.
    pub fn danger_side(self) -> Comparator {
        match self {
            Self::Score | Self::Volatility | Self::Correlation | Self::Anomaly => Comparator::Above,
            Self::Liquidity | Self::SystemHealth => Comparator::Below,
        }
    }
}

/// The values of a report, each from 0 to 10,000 bps.
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, bytemuck::Pod, bytemuck::Zeroable,
)]
pub struct ReportParts {
    /// [`ReportPart::Score`], bps.
    pub score_bps: u16,
    /// [`ReportPart::Volatility`], bps.
    pub volatility_bps: u16,
    /// [`ReportPart::Liquidity`], bps.
    pub liquidity_bps: u16,
    /// [`ReportPart::Correlation`], bps.
    pub correlation_bps: u16,
    /// [`ReportPart::Anomaly`], bps.
    pub anomaly_bps: u16,
    /// [`ReportPart::SystemHealth`], bps.
    pub system_health_bps: u16,
}

impl ReportParts {
    /// Returns one part, bps.
    pub fn get(&self, part: ReportPart) -> u16 {
        match part {
            ReportPart::Score => self.score_bps,
            ReportPart::Volatility => self.volatility_bps,
            ReportPart::Liquidity => self.liquidity_bps,
            ReportPart::Correlation => self.correlation_bps,
            ReportPart::Anomaly => self.anomaly_bps,
            ReportPart::SystemHealth => self.system_health_bps,
        }
    }

    /// Checks that every part is a share.
    ///
    /// # Errors
    /// `ReportInvalid`.
    pub fn validate(&self) -> Result<()> {
        let all = [
            self.score_bps,
            self.volatility_bps,
            self.liquidity_bps,
            self.correlation_bps,
            self.anomaly_bps,
            self.system_health_bps,
        ];
        require!(all.iter().all(|part| u64::from(*part) <= BPS_ONE), RampartError::ReportInvalid);
        Ok(())
    }
}

/// The last report of one keeper about one subject. There is one account for both: nothing to spam or to reorder.
#[account(zero_copy)]
#[derive(Debug, PartialEq, Eq)]
pub struct Report {
    /// The guard it belongs to.
    pub guard: Pubkey,
    /// The asset or vault.
    pub subject: Pubkey,
    /// Who reports.
    pub keeper: Pubkey,
    /// When the keeper observed it, unix seconds.
    pub observed_at_ts: i64,
    /// Number of the report; rises strictly. 0 before the first.
    pub seq: u64,
    /// The set's epoch that it was made under; sets start at 1, so one that was never made counts nowhere.
    pub set_epoch: u64,
    /// What it says.
    pub parts: ReportParts,
    /// Layout version.
    pub version: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Zeros.
    pub reserved: [u8; 34],
}

impl Report {
    /// Account size in bytes, with the discriminator.
    pub const SPACE: usize = 8 + core::mem::size_of::<Self>();

    /// Takes a newer report.
    ///
    /// # Errors
    /// `ReportInvalid` for a part that isn't a share, `ReportNotNewer` unless both `seq` and `observed_at_ts` rise.
    pub fn renew(&mut self, parts: ReportParts, observed_at_ts: i64, seq: u64, set_epoch: u64) -> Result<()> {
        parts.validate()?;
        require!(seq > self.seq && observed_at_ts > self.observed_at_ts, RampartError::ReportNotNewer);
        (self.parts, self.observed_at_ts, self.seq, self.set_epoch) = (parts, observed_at_ts, seq, set_epoch);
        Ok(())
    }
}

const _: () = assert!(Report::SPACE <= 10_240);
