//! What `cargo xtask bench` measures: the engine's own paths, and other keepers' habits of looking for positions.

pub mod engine;
pub mod habits;
pub mod market;

use std::time::Duration;

/// Returns the smallest duration that `share` of `all` stay within.
///
/// # Units
/// `share` in thousandths. Zero for no durations at all.
pub fn percentile(all: &mut [Duration], share: usize) -> Duration {
    all.sort_unstable();
    let at = (all.len() * share).div_ceil(1_000).saturating_sub(1);
    all.get(at).copied().unwrap_or_default()
}

/// Returns how much memory this process holds, bytes; `None` where the system doesn't tell.
pub fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1_024)
}
