//! Jupiter's API: a quote and the instruction of its swap, asked for in the background.
//!
//! The engine never waits for it: what was asked for lately is at hand, anything else is asked for now and is there at a
//! later tick. Its word counts for nothing by itself: the answer has to be about what was asked, nobody but the escrow may
//! sign, and the policy's lists and the program's bound decide as for any other route.
//!
//! # Source
//! Jupiter's published schema of `/swap/v1/quote` and `/swap/v1/swap-instructions`
//! (github.com/jup-ag/jupiter-quote-api-node, swagger.yaml).

mod api;

use crate::config::RouteSettings;
use crate::route::{Ask, Order, Quote, Route, RouteError};
use crate::watch::store::Store;
use anchor_lang::prelude::Pubkey;
use api::{Answer, Api, Request};
use rampart_client::address;
use rampart_client::swap::Routed;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Requests under way at once.
const AT_ONCE: usize = 2;
/// Answers that are kept.
const KEPT: usize = 64;
/// How long a request that failed is not tried again.
const BACKOFF: Duration = Duration::from_secs(2);

/// The API, for the swaps of one policy.
#[derive(Clone, Debug)]
pub struct Jupiter {
    name: String,
    policy_id: u16,
    max_age: Duration,
    api: Arc<Api>,
    known: Arc<Mutex<HashMap<Ask, State>>>,
}

/// What became of a question.
#[derive(Clone, Debug)]
enum State {
    Asked,
    Failed(Instant),
    Answered(Box<Answer>, Instant),
}

impl State {
    fn is_over(&self, max_age: Duration) -> bool {
        match self {
            Self::Asked => false,
            Self::Failed(at) => at.elapsed() >= BACKOFF,
            Self::Answered(_, at) => at.elapsed() >= max_age,
        }
    }
}

impl Jupiter {
    /// Asks at the address of `settings`, with the key of their file.
    pub fn new(settings: &RouteSettings) -> Self {
        Self {
            name: settings.name.clone(),
            policy_id: settings.policy,
            max_age: Duration::from_millis(settings.max_age_ms),
            api: Arc::new(Api::new(settings)),
            known: Arc::default(),
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Ask, State>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the answer that is at hand, and has a new one fetched where there is none.
    fn answer(&self, store: &Store, ask: &Ask) -> Result<Answer, RouteError> {
        let request = self.request(store, ask)?;
        let mut known = self.known();
        known.retain(|_, state| !state.is_over(self.max_age));
        match known.get(ask) {
            Some(State::Answered(answer, _)) => return Ok(Answer::clone(answer)),
            Some(State::Asked | State::Failed(_)) => return Err(RouteError::Unknown),
            None => {}
        }
        let under_way = known.values().filter(|state| matches!(state, State::Asked)).count();
        if let (true, Ok(runtime)) = (under_way < AT_ONCE && known.len() < KEPT, tokio::runtime::Handle::try_current())
        {
            known.insert(*ask, State::Asked);
            let route = self.clone();
            runtime.spawn(async move { route.fetch(request).await });
        }
        Err(RouteError::Unknown)
    }

    async fn fetch(self, request: Request) {
        let ask = request.ask;
        let state = match self.api.fetch(request).await {
            Ok(answer) => State::Answered(Box::new(answer), Instant::now()),
            Err(error) => {
                tracing::warn!(route = self.name, "no quote: {}", crate::error::chain(&error));
                State::Failed(Instant::now())
            }
        };
        self.known().insert(ask, state);
    }

    /// Everything that the API has to know: who swaps is the escrow, and what comes out is the escrow's.
    fn request(&self, store: &Store, ask: &Ask) -> Result<Request, RouteError> {
        let policy =
            store.policy(&address::swap_policy(&store.guard_key(), self.policy_id)).ok_or(RouteError::Unknown)?;
        let program =
            |mint: &Pubkey| store.assets().find(|(_, asset)| asset.mint == *mint).map(|(_, a)| a.token_program);
        let to_program = program(&ask.to).ok_or(RouteError::OtherPair)?;
        Ok(Request {
            ask: *ask,
            escrow: policy.escrow,
            destination: address::associated(&policy.escrow, &ask.to, &to_program),
            slippage_bps: policy.params.max_slippage_bps,
        })
    }
}

impl Route for Jupiter {
    fn name(&self) -> &str {
        &self.name
    }

    fn policy_id(&self) -> u16 {
        self.policy_id
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn accounts(&self, _: &Store) -> Vec<Pubkey> {
        let known = self.known();
        let answers = known.values().filter_map(|state| match state {
            State::Answered(answer, _) => Some(answer.tables.clone()),
            State::Asked | State::Failed(_) => None,
        });
        answers.flatten().collect()
    }

    fn quote(&self, store: &Store, ask: &Ask) -> Result<Quote, RouteError> {
        self.answer(store, ask).map(|answer| answer.quote)
    }

    fn build(&self, store: &Store, order: &Order<'_>) -> Result<Routed, RouteError> {
        let ask = Ask { from: order.from.mint, to: order.to.mint, amount: order.amount };
        self.answer(store, &ask).map(|answer| answer.routed)
    }

    fn tables(&self, store: &Store, ask: &Ask) -> Vec<Pubkey> {
        self.answer(store, ask).map(|answer| answer.tables).unwrap_or_default()
    }
}

#[cfg(test)]
#[path = "jupiter_tests.rs"]
mod tests;
