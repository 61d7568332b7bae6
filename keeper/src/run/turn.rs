//! The engine's loop: one piece of news at a time, and a regular tick.

use crate::chain::blockhash::Blockhashes;
use crate::chain::ws::Signal;
use crate::control::Command;
use crate::http::Pulse;
use crate::run::courier::Courier;
use crate::run::engine::{Engine, Refused};
use crate::run::prices::Prices;
use crate::submit::Settled;
use crate::view::View;
use crate::watch::mailbox::Mailbox;
use crate::watch::poll::Polled;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

const TICK: Duration = Duration::from_millis(100);
/// The view is built anew this often, and sooner after a change.
const VIEW: Duration = Duration::from_secs(1);
/// The least time between two views.
const VIEW_AFTER_CHANGE: Duration = Duration::from_millis(250);

/// Everything that the engine hears from and tells.
pub struct Loop {
    /// Accounts.
    pub mailbox: Arc<Mailbox>,
    /// Slots, coverage and losses of the subscriptions.
    pub from_socket: mpsc::Receiver<(usize, Signal)>,
    /// Snapshots and failures of the requests.
    pub from_poller: mpsc::Receiver<Polled>,
    /// Plans that could not be signed.
    pub from_couriers: mpsc::UnboundedReceiver<Refused>,
    /// What an operator asks for.
    pub commands: mpsc::Receiver<Command>,
    /// Fresh blockhashes.
    pub blockhashes: Blockhashes,
    /// What became of transactions.
    pub outcomes: broadcast::Receiver<Settled>,
    /// Where views go.
    pub views: watch::Sender<Arc<View>>,
    /// Where prices are remembered.
    pub prices: Arc<Prices>,
    /// Proof that the loop turns.
    pub pulse: Pulse,
}

impl Loop {
    /// Turns until it is told to stop, or a source is gone.
    pub async fn run<C: Courier>(mut self, mut engine: Engine<C>, stop: CancellationToken) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut shown_at: Option<Instant> = None;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                signal = self.from_socket.recv() => match signal {
                    Some((source, signal)) => engine.signal(source, signal),
                    None => return,
                },
                () = self.mailbox.changed() => engine.updates(self.mailbox.take()),
                polled = self.from_poller.recv() => match polled {
                    Some(polled) => engine.polled(polled),
                    None => return,
                },
                changed = self.blockhashes.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let newest = *self.blockhashes.borrow_and_update();
                    newest.into_iter().for_each(|dated| engine.blockhash(dated.blockhash, dated.slot));
                }
                settled = self.outcomes.recv() => match settled {
                    Ok(settled) => engine.outcome(&settled.intent, &settled.outcome),
                    Err(RecvError::Lagged(lost)) => tracing::error!(lost, "outcomes were lost to a slow loop"),
                    Err(RecvError::Closed) => return,
                },
                Some(command) = self.commands.recv() => engine.command(command),
                Some(refused) = self.from_couriers.recv() => engine.refused(&refused),
                _ = ticks.tick() => {
                    fault();
                    engine.tick();
                    self.pulse.beat();
                    self.show(&mut engine, &mut shown_at);
                }
            }
        }
    }

    fn show<C: Courier>(&self, engine: &mut Engine<C>, shown_at: &mut Option<Instant>) {
        let age = shown_at.map_or(Duration::MAX, |at| at.elapsed());
        if age >= VIEW_AFTER_CHANGE && (engine.take_news() || age >= VIEW) {
            let view = engine.view();
            engine.tell_ready(&view);
            self.prices.record(&view);
            self.views.send_replace(Arc::new(view));
            *shown_at = Some(Instant::now());
        }
    }
}

/// Lets a test break the loop from outside. Never in a release.
#[cfg(any(feature = "faults", debug_assertions))]
fn fault() {
    match std::env::var("RAMPART_FAULT").as_deref() {
        Ok("panic_engine") => panic!("as asked by RAMPART_FAULT"),
        Ok("stick_engine") => std::thread::sleep(Duration::from_secs(3_600)),
        _ => {}
    }
}

#[cfg(not(any(feature = "faults", debug_assertions)))]
const fn fault() {}
