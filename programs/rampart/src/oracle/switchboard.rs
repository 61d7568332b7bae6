//! Switchboard On-Demand `PullFeedAccountData`, read by offset.
//!
//! Owns that format alone. The provider's crate isn't linked: it brings an older Solana SDK and a C library for a read
//! of five fields.

use crate::oracle::{Invalid, RawReading};
use core::result::Result;

/// First bytes of a pull feed.
pub const DISCRIMINATOR: [u8; 8] = [0xc4, 0x1b, 0x6c, 0xc4, 0x0a, 0xd7, 0xdb, 0x28];
/// Size of a pull feed account, bytes.
pub const ACCOUNT_LEN: usize = 3_208;
/// Power of ten of every value in it.
pub const EXPONENT: i32 = -18;
/// How many submissions a feed keeps.
pub const SUBMISSIONS: usize = 32;

/// Offsets in the account, the discriminator included.
pub mod offset {
    /// `min_sample_size`, u8.
    pub const MIN_SAMPLE_SIZE: usize = 2_215;
    /// `last_update_timestamp`, i64.
    pub const LAST_UPDATE_TS: usize = 2_216;
    /// `result.value`, i128.
    pub const VALUE: usize = 2_264;
    /// `result.std_dev`, i128.
    pub const STD_DEV: usize = 2_280;
    /// `result.num_samples`, u8.
    pub const NUM_SAMPLES: usize = 2_360;
    /// `result.submission_idx`, u8.
    pub const SUBMISSION_IDX: usize = 2_361;
    /// `result.slot`, u64.
    pub const SLOT: usize = 2_368;
    /// `submission_timestamps`, 32 of i64.
    pub const SUBMISSION_TS: usize = 2_952;
}

const _: () = assert!(offset::SUBMISSION_TS + 8 * SUBMISSIONS == ACCOUNT_LEN);

/// Decodes the current result of a pull feed.
///
/// The publish time is that of the submission the result was taken from, never `last_update_timestamp`: anyone may move
/// that one with a valid response while an older result stays selected, and the old price would look fresh.
///
/// # Shape
/// At least 3,208 bytes, the discriminator first.
///
/// # Errors
/// `BadData` for another discriminator, too few bytes, a submission index beyond 31 or a negative deviation;
/// `TooFewSamples` without a result, or with fewer samples than the feed asks for.
///
/// # Source
/// switchboard-on-demand 0.13.0, `PullFeedAccountData` and its `result_ts`; the loss that the other timestamp led to:
/// <https://github.com/aeyakovenko/percolator-prog/issues/405>
pub fn decode(data: &[u8]) -> Result<RawReading, Invalid> {
    let data: &[u8; ACCOUNT_LEN] = data.first_chunk().ok_or(Invalid::BadData)?;
    if bytes::<8>(data, 0) != DISCRIMINATOR {
        return Err(Invalid::BadData);
    }
    let samples = data[offset::NUM_SAMPLES];
    let has_result = u64::from_le_bytes(bytes(data, offset::SLOT)) > 0;
    if !has_result || samples < data[offset::MIN_SAMPLE_SIZE].max(1) {
        return Err(Invalid::TooFewSamples);
    }
    let submission = usize::from(data[offset::SUBMISSION_IDX]);
    if submission >= SUBMISSIONS {
        return Err(Invalid::BadData);
    }
    let std_dev = i128::from_le_bytes(bytes(data, offset::STD_DEV));
    Ok(RawReading {
        price: i128::from_le_bytes(bytes(data, offset::VALUE)),
        confidence: u128::try_from(std_dev).map_err(|_| Invalid::BadData)?,
        exponent: EXPONENT,
        publish_ts: i64::from_le_bytes(bytes(data, offset::SUBMISSION_TS + 8 * submission)),
    })
}

/// Copies `N` bytes at `at`, which every caller keeps within the account.
fn bytes<const N: usize>(data: &[u8; ACCOUNT_LEN], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&data[at..at + N]);
    out
}
