//! What an asset's exchange rate is read from, and how fast it may grow.

use crate::constants::{MAX_RATE_AGE_EPOCHS, MAX_RATE_GROWTH_BPS, RATE_SCALE, YEAR_SECS};
use crate::error::RampartError;
use crate::math::bps::BPS_ONE;
use crate::math::wide::mul_div_floor;
use crate::refuse::require;
use crate::state::oracle_set::stored_enum;
use anchor_lang::prelude::*;

/// Whether the price of an asset is that of its sources, or a multiple of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RateKind {
    /// The sources price the asset itself.
    Unrated = 1,
    /// The sources price SOL, and the asset is the token of an SPL stake pool.
    SplStakePool = 2,
}
stored_enum!(RateKind { Unrated, SplStakePool });

/// The exchange rate of an asset. Part of its [`crate::state::OracleSet`]: the sources and what multiplies their price
/// are read, judged, hashed and changed as one.
///
/// The cap is a snapshot with its time and a growth. They only work together, so they are set together or not at all.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, bytemuck::Pod, bytemuck::Zeroable)]
pub struct RateSource {
    /// The pool; the default key where there is no rate.
    pub account: Pubkey,
    /// A rate that was true at `snapshot_ts`: 10⁻⁹ base tokens for one token, 0.5 to 100.
    pub snapshot_e9: u64,
    /// When it was, unix seconds.
    pub snapshot_ts: i64,
    /// The most that the rate grows in a year from there, bps of the snapshot, without compounding.
    pub max_growth_bps: u16,
    /// The oldest rate that counts, epochs. A pool is updated some time after an epoch begins, so at least 1.
    pub max_age_epochs: u8,
    /// [`RateKind`].
    pub kind: u8,
    /// Zeros.
    pub reserved: [u8; 4],
}

impl RateSource {
    /// The asset is what its sources price.
    pub const UNRATED: Self = Self {
        account: Pubkey::new_from_array([0; 32]),
        snapshot_e9: 0,
        snapshot_ts: 0,
        max_growth_bps: 0,
        max_age_epochs: 0,
        kind: RateKind::Unrated as u8,
        reserved: [0; 4],
    };

    /// Tells whether there is a rate. A kind that this version doesn't know counts as one, and then can't be read.
    #[inline]
    pub fn is_rated(&self) -> bool {
        self.kind != RateKind::Unrated as u8
    }

    /// Returns how many accounts it is read from: the pool and the Clock sysvar, or none.
    pub fn account_count(&self) -> usize {
        if self.is_rated() { 2 } else { 0 }
    }

    /// Checks that all of it is set, or nothing.
    ///
    /// # Errors
    /// `RateInvalid`; `UnknownKind` for a kind that isn't one and reserved bytes that are set.
    pub fn validate(&self) -> Result<()> {
        require!(self.reserved == [0; 4], RampartError::UnknownKind);
        match RateKind::try_from(self.kind).map_err(|_| RampartError::UnknownKind)? {
            RateKind::Unrated => require!(*self == Self::UNRATED, RampartError::RateInvalid),
            RateKind::SplStakePool => {
                let is_set = self.account != Pubkey::default()
                    && (RATE_SCALE / 2..=100 * RATE_SCALE).contains(&self.snapshot_e9)
                    && self.snapshot_ts > 0
                    && (1..=MAX_RATE_GROWTH_BPS).contains(&self.max_growth_bps)
                    && (1..=MAX_RATE_AGE_EPOCHS).contains(&self.max_age_epochs);
                require!(is_set, RampartError::RateInvalid);
            }
        }
        Ok(())
    }

    /// Returns the highest rate that counts at `now_ts`, in 10⁻⁹, rounded down.
    ///
    /// Before its own time the snapshot itself is the cap.
    ///
    /// # Source
    /// docs/risk.md, "Exchange rates".
    pub fn cap_e9(&self, now_ts: i64) -> u64 {
        const YEAR_BPS: u128 = YEAR_SECS as u128 * BPS_ONE as u128;
        let elapsed_secs = now_ts.saturating_sub(self.snapshot_ts).max(0) as u128;
        let growth = elapsed_secs * u128::from(self.max_growth_bps);
        let grown = mul_div_floor(self.snapshot_e9.into(), growth, YEAR_BPS).and_then(|g| u64::try_from(g).ok());
        self.snapshot_e9.saturating_add(grown.unwrap_or(u64::MAX))
    }
}

const _: () = assert!(core::mem::size_of::<RateSource>() == 56);

#[cfg(test)]
mod tests {
    use super::*;

    /// 1.2 SOL for one token, at most 10 % a year.
    fn rate() -> RateSource {
        RateSource {
            account: Pubkey::new_from_array([7; 32]),
            snapshot_e9: 1_200_000_000,
            snapshot_ts: 1_000_000,
            max_growth_bps: 1_000,
            max_age_epochs: 1,
            kind: RateKind::SplStakePool as u8,
            reserved: [0; 4],
        }
    }

    #[test]
    fn cap_grows_in_a_straight_line_from_the_snapshot() {
        let year = YEAR_SECS as i64;
        for (after, cap) in
            [(0, 1_200_000_000), (year / 2, 1_260_000_000), (year, 1_320_000_000), (2 * year, 1_440_000_000)]
        {
            assert_eq!(rate().cap_e9(1_000_000 + after), cap);
        }
        assert_eq!(rate().cap_e9(0), 1_200_000_000);
        assert_eq!(RateSource { snapshot_ts: 1, max_growth_bps: 2_000, ..rate() }.cap_e9(i64::MAX), u64::MAX);
    }

    #[test]
    fn case_012_snapshot_and_growth_are_set_together_or_not_at_all() {
        assert!(rate().validate().is_ok() && RateSource::UNRATED.validate().is_ok());
        let edits: [fn(&mut RateSource); 10] = [
            |r| r.account = Pubkey::default(),
            |r| r.snapshot_e9 = 0,
            |r| r.snapshot_e9 = 499_999_999,
            |r| r.snapshot_e9 = 100_000_000_001,
            |r| r.snapshot_ts = 0,
            |r| r.max_growth_bps = 0,
            |r| r.max_growth_bps = MAX_RATE_GROWTH_BPS + 1,
            |r| r.max_age_epochs = 0,
            |r| r.max_age_epochs = MAX_RATE_AGE_EPOCHS + 1,
            |r| r.kind = RateKind::Unrated as u8,
        ];
        for edit in edits {
            let mut edited = rate();
            edit(&mut edited);
            assert_eq!(edited.validate().unwrap_err(), RampartError::RateInvalid.into());
        }
        let edits: [fn(&mut RateSource); 3] = [|r| r.kind = 0, |r| r.kind = 3, |r| r.reserved[3] = 1];
        for edit in edits {
            let mut edited = rate();
            edit(&mut edited);
            assert_eq!(edited.validate().unwrap_err(), RampartError::UnknownKind.into());
        }
    }
}
