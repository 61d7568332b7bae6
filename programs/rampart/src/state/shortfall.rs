//! What a vault's books say against what its token accounts hold.

use crate::error::RampartError;
use crate::math::Bps;
use crate::math::bps::BPS_ONE;
use crate::state::oracle_set::stored_enum;
use anchor_lang::prelude::*;
use anchor_spl::token_interface::TokenAccount;
use anchor_spl::token_interface::spl_token_2022::state::AccountState;

/// Where both token programs keep an account's amount, and its state.
const AMOUNT: core::ops::Range<usize> = 64..72;
const STATE: usize = 108;

/// What a token account of a vault holds now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Base units.
    pub amount: u64,
    /// Whether nothing can leave it.
    pub is_frozen: bool,
}

impl Holding {
    /// Returns what a loaded token account holds.
    pub fn of(account: &TokenAccount) -> Self {
        Self { amount: account.amount, is_frozen: account.state == AccountState::Frozen }
    }

    /// Reads a token account whose address the caller has checked.
    ///
    /// # Errors
    /// `UnknownStoredValue` for data that is too short.
    pub fn read(account: &AccountInfo) -> Result<Self> {
        Ok(Self::decode(&account.try_borrow_data()?)?)
    }

    /// Decodes the bytes of a token account.
    ///
    /// # Errors
    /// `UnknownStoredValue` for data that is too short.
    pub fn decode(data: &[u8]) -> core::result::Result<Self, RampartError> {
        let amount = data.get(AMOUNT).and_then(|b| b.try_into().ok()).map(u64::from_le_bytes);
        let state = data.get(STATE).ok_or(RampartError::UnknownStoredValue)?;
        // anything but initialised can't pay
        let is_frozen = *state != AccountState::Initialized as u8;
        Ok(Self { amount: amount.ok_or(RampartError::UnknownStoredValue)?, is_frozen })
    }

    /// Returns what can leave the account.
    pub fn payable(&self) -> u64 {
        if self.is_frozen { 0 } else { self.amount }
    }

    /// Returns which share of the `booked` amount can't leave, rounded up.
    pub fn missing(&self, booked: u64) -> Bps {
        let missing = booked.saturating_sub(self.payable());
        if missing == 0 { Bps(0) } else { Bps::ratio_ceil(missing.into(), booked.into()).min(Bps(BPS_ONE as u32)) }
    }
}

/// Whether a shortfall of one token was proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ShortfallState {
    /// The last proof found none.
    None = 0,
    /// It was found, and no proof since found it gone.
    Proved = 1,
}
stored_enum!(ShortfallState { None, Proved });

/// Since when a shortfall of one token has stood proved.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Shortfall {
    /// When it was first found, unix seconds; says nothing without one.
    pub since_ts: i64,
    /// [`ShortfallState`]; anything unknown counts as proved.
    pub state: u8,
    /// Zeros.
    pub reserved: [u8; 7],
}

impl Shortfall {
    /// Tells whether it stands.
    pub fn is_proved(&self) -> bool {
        self.state != ShortfallState::None as u8
    }

    /// Takes a proof: what is found keeps its first time, what is gone is forgotten.
    pub fn note(&mut self, is_short: bool, now_ts: i64) {
        if !is_short {
            *self = Self::default();
        } else if !self.is_proved() {
            *self = Self { since_ts: now_ts, state: ShortfallState::Proved as u8, reserved: [0; 7] };
        }
    }

    /// Tells whether it has stood proved for `span_secs`.
    pub fn has_stood(&self, span_secs: i64, now_ts: i64) -> bool {
        self.is_proved() && now_ts.saturating_sub(self.since_ts) >= span_secs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_missing_unit_shows_and_a_frozen_account_misses_all() {
        let holds = |amount| Holding { amount, is_frozen: false };
        assert_eq!([holds(100).missing(100), holds(200).missing(100), holds(0).missing(0)], [Bps(0); 3]);
        assert_eq!(holds(999_999_999).missing(1_000_000_000), Bps(1));
        assert_eq!(holds(0).missing(5), Bps(10_000));
        assert_eq!(Holding { amount: 200, is_frozen: true }.missing(100), Bps(10_000));
    }

    #[test]
    fn shortfall_keeps_its_first_time_until_it_is_gone() {
        let mut s = Shortfall::default();
        s.note(true, 100);
        s.note(true, 200);
        assert!(s.has_stood(100, 200) && !s.has_stood(101, 200));
        s.note(false, 300);
        assert!(!s.is_proved() && !s.has_stood(0, 300));
    }
}
