//! The guard's answer, and the checks without which it means nothing.

use crate::address::ID;
use crate::error::GuardError;
use solana_address::Address;

/// Version of the bytes that this crate reads.
const ABI: u8 = 1;

/// The answer to a question. Advisory: it holds for the moment, and only what is recorded is charged.
///
/// # Shape
/// Little-endian: `abi` at 0, `kind` at 1, `level` at 2, `is_allowed` at 3, `amount` at 4, `max_amount` at 12,
/// `valid_until_ts` at 20, `integration` at 28, `deploy_slot` at 60 (0, or 1 and the slot): 61 or 69 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuardVerdict {
    /// The action that was asked about: [`crate::Kind`].
    pub kind: u8,
    /// The level that it has to pass: 0 Normal, 1 Caution, 2 ReduceOnly, 3 Halt, 4 Resolution.
    pub level: u8,
    /// Whether it may be done in this amount.
    pub is_allowed: bool,
    /// The amount that was asked about, base units.
    pub amount: u64,
    /// The most that would be allowed, base units.
    pub max_amount: u64,
    /// The chain's time when it was given, unix seconds.
    pub valid_until_ts: i64,
    /// The integration that it is about.
    pub integration: Address,
    /// Slot of the guard's last deployment, where its program data was passed.
    pub deploy_slot: Option<u64>,
}

impl GuardVerdict {
    /// Reads return data that `program` left.
    ///
    /// # Errors
    /// `VerdictInvalid` for another program than the guard, another version, or bytes that are no verdict.
    pub fn parse(program: &Address, data: &[u8]) -> Result<Self, GuardError> {
        if *program != ID {
            return Err(GuardError::VerdictInvalid);
        }
        Self::read(data).ok_or(GuardError::VerdictInvalid)
    }

    fn read(data: &[u8]) -> Option<Self> {
        let u64_at = |at: usize| Some(u64::from_le_bytes(data.get(at..at + 8)?.try_into().ok()?));
        let is_allowed = match data.get(3)? {
            0 => false,
            1 => true,
            _ => return None,
        };
        let deploy_slot = match (data.get(60)?, data.len()) {
            (0, 61) => None,
            (1, 69) => Some(u64_at(61)?),
            _ => return None,
        };
        let level = *data.get(2)?;
        if *data.first()? != ABI || level > 4 {
            return None;
        }
        Some(Self {
            kind: *data.get(1)?,
            level,
            is_allowed,
            amount: u64_at(4)?,
            max_amount: u64_at(12)?,
            valid_until_ts: i64::from_le_bytes(data.get(20..28)?.try_into().ok()?),
            integration: Address::new_from_array(data.get(28..60)?.try_into().ok()?),
            deploy_slot,
        })
    }

    /// Checks that the verdict allows `amount` now.
    ///
    /// # Errors
    /// `VerdictStale` if it was given for an earlier time, `NotAllowed` if it says no or `amount` is more than its most.
    pub fn require(&self, amount: u64, now_ts: i64) -> Result<(), GuardError> {
        if now_ts > self.valid_until_ts {
            return Err(GuardError::VerdictStale);
        }
        if !self.is_allowed || amount > self.max_amount {
            return Err(GuardError::NotAllowed);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes() -> Vec<u8> {
        let mut data = vec![ABI, 1, 0, 1];
        data.extend(70u64.to_le_bytes());
        data.extend(100u64.to_le_bytes());
        data.extend(1_000i64.to_le_bytes());
        data.extend([7; 32]);
        data.push(0);
        data
    }

    #[test]
    fn verdict_is_read_field_by_field() {
        let verdict = GuardVerdict::parse(&ID, &bytes()).unwrap();
        assert_eq!((verdict.amount, verdict.max_amount, verdict.valid_until_ts), (70, 100, 1_000));
        assert_eq!((verdict.integration, verdict.deploy_slot), (Address::new_from_array([7; 32]), None));
        let mut with_slot = bytes();
        with_slot[60] = 1;
        with_slot.extend(55u64.to_le_bytes());
        assert_eq!(GuardVerdict::parse(&ID, &with_slot).unwrap().deploy_slot, Some(55));
    }

    #[test]
    fn bytes_that_are_no_verdict_are_refused() {
        let refused = |data: &[u8]| GuardVerdict::parse(&ID, data) == Err(GuardError::VerdictInvalid);
        assert!(GuardVerdict::parse(&Address::new_from_array([1; 32]), &bytes()).is_err());
        for len in 0..61 {
            assert!(refused(&bytes()[..len]), "{len} bytes");
        }
        assert!(refused(&[bytes(), vec![0]].concat()));
        for (at, value) in [(0, 2), (2, 5), (3, 2), (60, 1), (60, 2)] {
            let mut changed = bytes();
            changed[at] = value;
            assert!(refused(&changed), "byte {at} is {value}");
        }
    }

    #[test]
    fn verdict_ends_with_its_time_and_its_amount() {
        let verdict = GuardVerdict::parse(&ID, &bytes()).unwrap();
        verdict.require(100, 1_000).unwrap();
        assert_eq!(verdict.require(100, 1_001), Err(GuardError::VerdictStale));
        assert_eq!(verdict.require(101, 1_000), Err(GuardError::NotAllowed));
        assert_eq!(GuardVerdict { is_allowed: false, ..verdict }.require(1, 1_000), Err(GuardError::NotAllowed));
    }
}
