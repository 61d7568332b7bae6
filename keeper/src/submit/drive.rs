//! What goes on beside the callers: the loop, disk writes and network calls.

use super::book::Stage;
use super::{SubmitError, Submitter};
use crate::journal::{Journal, JournalError, State};
use solana_sdk::signature::Signature;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Nodes are not asked more often than this to forward the same bytes.
const SHORTEST_RESEND: Duration = Duration::from_millis(100);
/// How often a journal that takes nothing is tried, while nothing else writes to it.
const PROBE: Duration = Duration::from_secs(2);

impl Submitter {
    /// Resends and confirms until [`Self::drain`] closes it.
    ///
    /// # Errors
    /// `Journal` as soon as the journal is found corrupt: the keeper must end then.
    pub async fn drive(self) -> Result<(), SubmitError> {
        let period = Duration::from_millis(self.shared.tx.resend_ms);
        let closed = self.shared.closed.clone();
        let resend = async {
            loop {
                tokio::time::sleep(self.resend_pause()).await;
                self.resend_turn();
            }
        };
        let confirm = every(period, || self.confirm_turn());
        let probe = every(PROBE, || self.probe_turn());
        let mut broken = self.shared.broken.subscribe();
        tokio::select! {
            () = closed.cancelled() => Ok(()),
            () = resend => Ok(()),
            () = confirm => Ok(()),
            () = probe => Ok(()),
            // CANNOT close: this submitter holds the other end.
            found = broken.wait_for(Option::is_some) => {
                found.ok().and_then(|found| found.clone()).map_or(Ok(()), |error| Err(SubmitError::Journal(error)))
            }
        }
    }

    /// Finds out whether a journal that took nothing takes something again: with nothing to do, nobody else would.
    pub(super) async fn probe_turn(&self) {
        if self.is_journal_failing() {
            self.note(Journal::probe).await;
        }
    }

    /// Once in every slot, as long as that is not more often than `SHORTEST_RESEND`, and at least every `tx.resend_ms`.
    fn resend_pause(&self) -> Duration {
        let slot = Duration::from_micros(self.shared.slot_micros.load(Ordering::Relaxed));
        let longest = Duration::from_millis(self.shared.tx.resend_ms);
        slot.max(SHORTEST_RESEND).min(longest)
    }

    /// Waits until every sent transaction is decided, or `patience` is over; then closes [`Self::drive`].
    ///
    /// What is undecided stays in the journal, for the next start.
    pub async fn drain(&self, patience: Duration) {
        let wait = async {
            while self.book().flights().any(|flight| flight.stage == Stage::Sent) || self.is_busy() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        // Either way the journal holds the truth.
        let _ = tokio::time::timeout(patience, wait).await;
        self.shared.closed.cancel();
    }

    pub(super) async fn note_unsent(&self, signatures: Vec<Signature>, state: State) {
        if !signatures.is_empty() {
            self.note(move |journal| journal.mark_unsent(&signatures, state)).await;
        }
    }

    /// Writes something that is safe to lose: the next start finds it out by asking the chain.
    pub(super) async fn note(&self, write: impl FnOnce(&Journal) -> Result<(), JournalError> + Send + 'static) {
        if let Err(error) = self.shared.journal.blocking(write).await {
            tracing::error!("{}", crate::error::chain(&self.judge(error)));
        }
    }

    /// Ends [`Self::drive`] if the journal cannot be trusted any more.
    pub(super) fn judge(&self, error: JournalError) -> Arc<JournalError> {
        let error = Arc::new(error);
        if !error.is_transient() {
            self.shared.broken.send_replace(Some(error.clone()));
        }
        error
    }

    pub(super) fn background(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.shared.pending.fetch_add(1, Ordering::AcqRel);
        let submitter = self.clone();
        tokio::spawn(async move {
            work.await;
            submitter.shared.pending.fetch_sub(1, Ordering::AcqRel);
        });
    }

    pub(super) fn is_busy(&self) -> bool {
        self.shared.pending.load(Ordering::Acquire) > 0
    }
}

async fn every<F: Future<Output = ()>>(period: Duration, mut turn: impl FnMut() -> F) {
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        turn().await;
    }
}
