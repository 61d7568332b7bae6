//! How often tasks may be started anew.

use super::Host;
use crate::error::KeeperError;
use crate::events::{EventKind, Fact};
use crate::metrics::TaskLabel;
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Restarts within [`WINDOW`] after which the process ends.
pub const LIMIT: usize = 3;
/// The time that restarts are counted in.
pub const WINDOW: Duration = Duration::from_secs(60);

/// The restarts of the last minute.
#[derive(Debug, Default)]
pub struct Restarts(VecDeque<Instant>);

impl Restarts {
    /// Counts a restart at `now`; `false` where there were too many already.
    pub fn allow(&mut self, now: Instant) -> bool {
        self.0.retain(|at| now.saturating_duration_since(*at) < WINDOW);
        let is_allowed = self.0.len() < LIMIT;
        if is_allowed {
            self.0.push_back(now);
        }
        is_allowed
    }
}

/// Runs `once` and runs it anew when a task of it died, within the limit. `once` is told whether it is a restart; `now` is
/// the clock that restarts are counted by.
///
/// # Errors
/// Whatever ended it for good.
pub async fn restarting<F: Future<Output = Result<(), KeeperError>>>(
    host: &Host,
    stop: &CancellationToken,
    now: impl Fn() -> Instant,
    mut once: impl FnMut(bool) -> F,
) -> Result<(), KeeperError> {
    let mut restarts = Restarts::default();
    let mut result = once(false).await;
    loop {
        let task = match &result {
            // a journal that can't be trusted is no better after a restart
            Err(error @ KeeperError::TaskDied { task, .. }) if error.exit_code() == 5 => *task,
            _ => return result,
        };
        if stop.is_cancelled() || !restarts.allow(now()) {
            return result;
        }
        let text = match &result {
            Err(error) => format!("{}; all tasks start anew", crate::error::chain(error)),
            Ok(()) => String::new(),
        };
        host.metrics.task_restarts.get_or_create(&TaskLabel { task }).inc();
        host.events.emit(Fact::new(EventKind::TaskRestarted, 0, text).with("task", task));
        result = once(true).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    fn died() -> Result<(), KeeperError> {
        Err(KeeperError::TaskDied { task: "engine", source: None })
    }

    /// Runs that die, with so much time between them, until the end or the last of `most`.
    async fn dying(every: Duration, most: u32) -> (u32, Result<(), KeeperError>, Host) {
        let (host, stop, runs, start) = (Host::new(), CancellationToken::new(), AtomicU32::new(0), Instant::now());
        let now = || start + every * runs.load(Ordering::Relaxed);
        let result = restarting(&host, &stop, now, |_| async {
            let run = runs.fetch_add(1, Ordering::Relaxed) + 1;
            if run == most { Ok(()) } else { died() }
        })
        .await;
        (runs.load(Ordering::Relaxed), result, host)
    }

    #[tokio::test]
    async fn task_that_keeps_dying_is_restarted_three_times_and_then_ends_with_5() {
        let (runs, result, host) = dying(Duration::from_secs(10), 100).await;
        assert_eq!(runs as usize, 1 + LIMIT);
        assert_eq!(result.expect_err("it gives up").exit_code(), 5);
        assert_eq!(host.metrics.task_restarts.get_or_create(&TaskLabel { task: "engine" }).get(), 3);
    }

    #[tokio::test]
    async fn task_that_dies_now_and_then_goes_on_until_the_stop() {
        let (runs, result, _) = dying(Duration::from_secs(20), 20).await;
        assert!(result.is_ok() && runs == 20, "{runs}");
    }

    #[tokio::test]
    async fn what_a_restart_cannot_mend_ends_at_once() {
        let (host, runs) = (Host::new(), AtomicU32::new(0));
        let result = restarting(&host, &CancellationToken::new(), Instant::now, |_| async {
            runs.fetch_add(1, Ordering::Relaxed);
            Err(KeeperError::WrongChain("another chain".into()))
        })
        .await;
        assert_eq!((runs.load(Ordering::Relaxed), result.expect_err("an error").exit_code()), (1, 4));
    }
}
