//! Where tokens can be swapped: what a swap would bring, and the instruction that does it.
//!
//! Owns quotes and instructions of other programs, and no judgement: whether a swap pays and whether the guard would let
//! it pass is `economics`. A quote never waits: a pool is read from the account store, and an answer of a remote API is
//! either at hand or not yet. Which program may be called with what is the policy's word alone.

pub mod allow;
pub mod jupiter;
pub mod token_swap;

use crate::config::{RouteKind, RouteSettings};
use crate::watch::store::Store;
use anchor_lang::prelude::Pubkey;
use rampart::error::RampartError;
use rampart::state::SwapPolicy;
use rampart_client::swap::{PolicyKeys, Routed};
use rampart_client::{MintOf, address};
use std::collections::HashSet;
use std::fmt::Debug;
use std::sync::Arc;
use thiserror::Error;

/// Why a route has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RouteError {
    /// The accounts that it is about are not known yet, or no answer has come yet.
    #[error("what the route is about is not known yet")]
    Unknown,
    /// It swaps other mints.
    #[error("the route doesn't swap these mints")]
    OtherPair,
    /// Its accounts hold what the keeper can't quote.
    #[error("the route's accounts hold what can't be quoted: {0}")]
    Unsupported(&'static str),
    /// Nothing would come out, or the amounts leave the numbers of the program.
    #[error("nothing would come of a swap of this amount")]
    Nothing,
    /// The policy refuses the program or the instruction.
    #[error("the policy refuses the route: {0}")]
    Forbidden(RampartError),
}

/// What is to be swapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ask {
    /// The mint that goes in.
    pub from: Pubkey,
    /// The mint that comes out.
    pub to: Pubkey,
    /// What is offered, base units of `from`.
    pub amount: u64,
}

/// What a swap would come to: exactly at a pool that is watched, as far as it says at a remote API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    /// What the route takes of what is offered, base units of what goes in.
    pub spent_amount: u64,
    /// What it pays, base units of what comes out.
    pub received_amount: u64,
}

/// A swap to be built.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// The policy whose escrow swaps.
    pub policy: &'a PolicyKeys,
    /// What goes in.
    pub from: MintOf,
    /// What comes out.
    pub to: MintOf,
    /// What is offered, base units of `from`.
    pub amount: u64,
    /// The least that the route itself may pay, base units of `to`.
    pub least_amount: u64,
}

/// A way to swap.
pub trait Route: Debug + Send + Sync {
    /// Returns its configured name.
    fn name(&self) -> &str;

    /// Returns the number of the policy that it swaps under.
    fn policy_id(&self) -> u16;

    /// Returns the accounts that have to be known before it can quote; more as they become known.
    fn accounts(&self, store: &Store) -> Vec<Pubkey>;

    /// Tells whether every quote is a request over the network: then few sizes are asked for.
    fn is_remote(&self) -> bool {
        false
    }

    /// Returns the lookup tables that hold accounts of the swap.
    fn tables(&self, _: &Store, _: &Ask) -> Vec<Pubkey> {
        Vec::new()
    }

    /// Returns what a swap would come to now.
    ///
    /// # Errors
    /// See [`RouteError`].
    fn quote(&self, store: &Store, ask: &Ask) -> Result<Quote, RouteError>;

    /// Returns the accounts and the data of the swap.
    ///
    /// # Errors
    /// See [`RouteError`].
    fn build(&self, store: &Store, order: &Order<'_>) -> Result<Routed, RouteError>;
}

/// All routes, in the order of the settings.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    all: Vec<Arc<dyn Route>>,
    settings: Vec<RouteSettings>,
}

impl Routes {
    /// Takes routes as they are.
    pub fn new(routes: Vec<Arc<dyn Route>>) -> Self {
        Self { all: routes, settings: vec![] }
    }

    /// The routes of the settings.
    pub fn of(settings: &[RouteSettings]) -> Self {
        let route = |one: &RouteSettings| -> Option<Arc<dyn Route>> {
            match one.kind {
                RouteKind::Jupiter => Some(Arc::new(jupiter::Jupiter::new(one))),
                RouteKind::TokenSwap => Some(Arc::new(token_swap::TokenSwap::new(&one.name, one.policy, one.pool?))),
            }
        };
        Self { all: settings.iter().filter_map(route).collect(), settings: settings.to_vec() }
    }

    /// Returns the settings that they were made from.
    pub fn settings(&self) -> &[RouteSettings] {
        &self.settings
    }

    /// Returns each route with its policy, where that is known.
    pub fn open<'a>(
        &'a self,
        store: &'a Store,
    ) -> impl Iterator<Item = (&'a dyn Route, PolicyKeys, &'a SwapPolicy)> + 'a {
        self.all.iter().filter_map(|route| {
            let key = address::swap_policy(&store.guard_key(), route.policy_id());
            let policy = store.policy(&key)?;
            let keys = PolicyKeys { policy: key, escrow: policy.escrow, program: policy.params.program };
            Some((&**route, keys, policy))
        })
    }

    /// Returns all accounts that quotes are made from.
    pub fn accounts(&self, store: &Store) -> Vec<Pubkey> {
        self.all.iter().flat_map(|route| route.accounts(store)).collect()
    }

    /// Tells whether all accounts that quotes are made from are among those that are `watched`.
    pub fn are_watched(&self, store: &Store, watched: &HashSet<Pubkey>) -> bool {
        self.all.iter().all(|route| route.accounts(store).iter().all(|key| watched.contains(key)))
    }

    /// Returns the numbers of all policies that are swapped under.
    pub fn policies(&self) -> impl Iterator<Item = u16> + '_ {
        self.all.iter().map(|route| route.policy_id())
    }

    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}
