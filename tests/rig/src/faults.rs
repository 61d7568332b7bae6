//! What may be wrong with one endpoint. Switched while it runs.

use rampart_client::Pubkey;
use solana_sdk::hash::Hash;
use std::collections::BTreeSet;

/// What becomes of every HTTP request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpFault {
    /// Status 429 with `Retry-After`, seconds.
    TooManyRequests {
        /// The header's value.
        retry_after_secs: u64,
    },
    /// Status 200 with a JSON-RPC error.
    JsonError,
    /// Status 200 with a web page.
    Html,
    /// Status 200 with the first half of the answer.
    Truncated,
    /// Status 503.
    Unavailable,
    /// No answer.
    Hang,
}

/// What becomes of a transaction that is sent here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendFault {
    /// It is forwarded, and the answer never comes.
    ForwardedWithoutAnswer,
    /// It is accepted, and dropped.
    Dropped,
    /// It is refused with status 429.
    TooManyRequests,
    /// It is refused with status 503.
    Unavailable,
}

/// What a simulation here ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SimulationFault {
    /// The node knows no such blockhash, and does not replace it.
    UnknownBlockhash,
    /// The node has not come as far as the slot that it is asked about.
    Early,
    /// Our program refuses, with this code.
    Refused(u32),
}

/// Switches of one endpoint. The default is a healthy one.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Of all HTTP requests.
    pub http: Option<HttpFault>,
    /// Of transactions sent.
    pub send: Option<SendFault>,
    /// Of simulations.
    pub simulation: Option<SimulationFault>,
    /// Methods that are answered with an error of the server.
    pub methods_down: BTreeSet<&'static str>,
    /// A listing of more accounts is refused, as by a node that looks through no more.
    pub longest_listing: Option<usize>,
    /// Everything is as of this many slots ago.
    pub lag_slots: u64,
    /// Told in place of the chain's genesis hash.
    pub genesis: Option<Hash>,
    /// Added to every slot told.
    pub ahead_slots: u64,
    /// The WebSocket is open, and nothing is written to it.
    pub is_silent: bool,
    /// Accounts of which notifications are left out.
    pub silent_accounts: BTreeSet<Pubkey>,
    /// Each notification of an account is sent this many more times.
    pub extra_copies: usize,
    /// Notifications of accounts are kept for a block and then told newest first.
    pub is_reordered: bool,
    /// New WebSockets are refused.
    pub refuses_sockets: bool,
    /// Told by `getRecentPrioritizationFees`; an error if there is nothing here.
    pub recent_fees: Option<u64>,
}
