//! The time that leases are counted in.

use rustix::time::{ClockId, clock_gettime};
use std::sync::Arc;
use std::time::Duration;

/// Tells the time since some fixed moment.
pub type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// The time since the machine started. Unlike `Instant`, it goes on while the machine sleeps, and nobody sets it.
pub fn machine() -> Clock {
    Arc::new(|| {
        let now = clock_gettime(CLOCK);
        Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
    })
}

#[cfg(target_os = "linux")]
const CLOCK: ClockId = ClockId::Boottime;
// goes on during sleep there
#[cfg(not(target_os = "linux"))]
const CLOCK: ClockId = ClockId::Monotonic;

#[cfg(test)]
mod tests {
    #[test]
    fn time_goes_forward() {
        let clock = super::machine();
        let before = clock();
        std::thread::sleep(std::time::Duration::from_millis(2));
        assert!(clock() > before);
    }
}
