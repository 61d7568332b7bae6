//! The host's clocks and randomness, as everything in this process sees them once a simulation has begun.
//!
//! The program `rampart-sim` puts itself in place of the C library's `clock_gettime` and `getrandom`, so that the
//! keeper's own code, the standard library and every dependency read virtual time and a stream of the seed. While a
//! runtime with a paused clock runs, that clock is the time; between them, [`set_now`] is.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Unix time at which every simulation begins, milliseconds.
pub const START_MS: u64 = 1_800_010_000_000;
/// Monotonic clock at that moment, seconds: anything well above zero.
const BASE_SECS: u64 = 1_000_000;
const NANOS: u64 = 1_000_000_000;

static IS_VIRTUAL: AtomicBool = AtomicBool::new(false);
static NOW_NANOS: AtomicU64 = AtomicU64::new(0);
static SKEW_MS: AtomicI64 = AtomicI64::new(0);
static RANDOM: AtomicU64 = AtomicU64::new(0);
static ZERO: OnceLock<Instant> = OnceLock::new();

/// Makes time and randomness virtual, for the rest of this process.
///
/// # Panics
/// If the program that runs did not put itself in place of the C library: nothing would be repeatable then.
pub fn begin(seed: u64) {
    RANDOM.store(seed, Ordering::Relaxed);
    IS_VIRTUAL.store(true, Ordering::Relaxed);
    let zero = *ZERO.get_or_init(Instant::now);
    set_now(Duration::from_secs(7));
    assert_eq!(zero.elapsed(), Duration::from_secs(7), "the host's clock is not in the simulation's hands");
    set_now(Duration::ZERO);
}

/// Sets the time between runtimes.
pub fn set_now(since_start: Duration) {
    NOW_NANOS.store(u64::try_from(since_start.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
}

/// Sets how far the wall clock of the host that runs now is off, milliseconds.
pub fn set_skew_ms(skew_ms: i64) {
    SKEW_MS.store(skew_ms, Ordering::Relaxed);
}

/// Returns the moment of the monotonic clock that is `since_start` after the start.
pub fn at(since_start: Duration) -> tokio::time::Instant {
    tokio::time::Instant::from_std(*ZERO.get_or_init(Instant::now) + since_start)
}

/// Returns seconds and nanoseconds of a clock; nothing while the process runs in real time.
pub fn read(is_wall_clock: bool) -> Option<(i64, i64)> {
    if !IS_VIRTUAL.load(Ordering::Relaxed) {
        return None;
    }
    let mut nanos = nanos() + BASE_SECS * NANOS;
    if is_wall_clock {
        let skew = SKEW_MS.load(Ordering::Relaxed).saturating_mul(1_000_000);
        nanos = (nanos - BASE_SECS * NANOS + START_MS * 1_000_000).saturating_add_signed(skew);
    }
    Some(((nanos / NANOS).cast_signed(), (nanos % NANOS).cast_signed()))
}

fn nanos() -> u64 {
    // the clock of a runtime is only read where there is one, and it never asks the host while it is paused
    match (tokio::runtime::Handle::try_current(), ZERO.get()) {
        (Ok(_), Some(zero)) => {
            let since = tokio::time::Instant::now().into_std().saturating_duration_since(*zero);
            u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
        }
        _ => NOW_NANOS.load(Ordering::Relaxed),
    }
}

/// Fills `bytes` from the seed's stream; `false` while the process runs in real time.
///
/// # Source
/// SplitMix64.
pub fn fill(bytes: &mut [u8]) -> bool {
    if !IS_VIRTUAL.load(Ordering::Relaxed) {
        return false;
    }
    for chunk in bytes.chunks_mut(8) {
        let mut z = RANDOM.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
    }
    true
}
