//! Trips that are ready before they are needed.
//!
//! At every new blockhash, and when a rule's fence moves, the trip of each rule that is not in force is signed and
//! journaled. The tick that proves a rule only hands the bytes over: no request and no disk are on that path.

use crate::intent::{Blockhash, Intent, PlannedTx};
use crate::run::courier::{Courier, Departure};
use crate::submit::Prepared;
use anchor_lang::prelude::Pubkey;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Trips to prepare, and the blockhash to do it with.
pub type Order = Option<(Vec<PlannedTx>, Blockhash)>;

/// The prepared trips, by rule.
#[derive(Debug)]
pub struct Armory<C> {
    courier: C,
    armed: Arc<Mutex<HashMap<Pubkey, Prepared>>>,
    orders: watch::Sender<Order>,
}

impl<C: Courier> Armory<C> {
    /// An empty armory.
    pub fn new(courier: C) -> Self {
        Self { courier, armed: Arc::default(), orders: watch::Sender::new(None) }
    }

    /// Asks for these trips to be prepared, in place of the last order.
    pub fn order(&self, plans: Vec<PlannedTx>, blockhash: Blockhash) {
        self.orders.send_replace(Some((plans, blockhash)));
    }

    /// Hands the prepared trip over; `false` where none is ready for this very intent, or none that `may_land`.
    ///
    /// Bytes that are sent stand in the way of new ones until they certainly can't land: dead ones must not be sent.
    pub fn fire(&self, intent: &Intent, departure: &Departure, may_land: impl FnOnce(&Blockhash) -> bool) -> bool {
        let mut armed = lock(&self.armed);
        let is_ready = armed
            .get(&intent.target)
            .is_some_and(|prepared| prepared.intent.id() == intent.id() && may_land(&prepared.blockhash));
        let Some(prepared) = armed.remove(&intent.target).filter(|_| is_ready) else { return false };
        let (courier, departure) = (self.courier.clone(), departure.clone());
        tokio::spawn(async move { departure.send(&courier, &prepared).await });
        true
    }

    /// Returns how many trips are ready.
    #[cfg(test)]
    pub fn ready(&self) -> usize {
        lock(&self.armed).len()
    }

    /// Returns the work of preparing what is ordered; it ends with the armory.
    pub fn worker(&self) -> impl Future<Output = ()> + Send + use<C> {
        let (courier, armed, mut orders) = (self.courier.clone(), self.armed.clone(), self.orders.subscribe());
        async move {
            while orders.changed().await.is_ok() {
                let order = orders.borrow_and_update().clone();
                if let Some((plans, blockhash)) = order {
                    prepare(&courier, &armed, plans, blockhash).await;
                }
            }
        }
    }
}

async fn prepare<C: Courier>(
    courier: &C,
    armed: &Mutex<HashMap<Pubkey, Prepared>>,
    plans: Vec<PlannedTx>,
    blockhash: Blockhash,
) {
    let targets: Vec<Pubkey> = plans.iter().map(|p| p.intent.target).collect();
    let prepared = courier.prepare_all(plans, blockhash).await;
    let mut armed = lock(armed);
    armed.retain(|rule, _| targets.contains(rule));
    for result in prepared {
        match result {
            Ok(prepared) => drop(armed.insert(prepared.intent.target, prepared)),
            // a trip that is under way or has landed needs no second one
            Err(error) => tracing::debug!(reason = error.as_str(), "a trip was not prepared: {error}"),
        }
    }
}

fn lock(armed: &Mutex<HashMap<Pubkey, Prepared>>) -> MutexGuard<'_, HashMap<Pubkey, Prepared>> {
    armed.lock().unwrap_or_else(PoisonError::into_inner)
}
