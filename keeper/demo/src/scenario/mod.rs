//! Stories: a market, what happens to its oracles, and what people try.
//!
//! Each is made out of a seed, and says in words what was attempted; what stopped it is told from what the chain
//! answered. `acts` performs.

pub mod acts;
pub mod stories;

use crate::market::{Disturbance, PricePoint};

/// The stories.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scenario {
    /// SOL loses 43 % and BTC 27 % within twenty minutes.
    Crash,
    /// One of two price sources is moved far up, then far down.
    OracleManipulation,
    /// The loan asset loses an eighth of its dollar.
    Depeg,
    /// All lenders of a vault withdraw at once.
    BankRun,
    /// Both sources of SOL fall silent while its price falls.
    StaleOracle,
    /// Two of three keepers die in the middle of the crash.
    KeeperOutage,
    /// The root key is in the wrong hands.
    AdminTakeover,
}

/// A change that a thief of the root key would like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loosening {
    /// Borrow up to 90 % of the collateral.
    Ltv,
    /// Let everything out within an hour.
    Outflow,
    /// Borrow without a cap.
    BorrowCap,
    /// Switch the drawdown rule off.
    DisableRule,
    /// Let the drawdown rule wait for a fall of 99 %.
    Threshold,
}

/// What somebody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// The attacker borrows this many US dollars against its collateral.
    AttackerBorrows {
        /// US dollars.
        usd: u32,
    },
    /// The attacker liquidates the safest borrower of the first vault.
    AttackerLiquidates,
    /// A borrower borrows this many US dollars more.
    BorrowsMore {
        /// Place in the cast.
        borrower: usize,
        /// US dollars.
        usd: u32,
    },
    /// A lender withdraws this share of what it has left.
    Withdraws {
        /// Place in the cast.
        lender: usize,
        /// Share, bps.
        share_bps: u16,
    },
    /// The root key loosens the first vault or its rule.
    Loosens(Loosening),
    /// Somebody without a role tightens the first vault to nothing.
    StrangerTightens,
    /// A keeper's machine dies.
    KillsKeeper(usize),
    /// A keeper is started again.
    RestartsKeeper(usize),
}

/// An act and when it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheduled {
    /// Seconds since the start.
    pub at_secs: i64,
    /// What.
    pub act: Act,
    /// Whether the program has to refuse it: if it lands, an invariant is broken.
    pub must_be_refused: bool,
}

/// A story, ready to be played.
#[derive(Clone, Debug)]
pub struct Story {
    /// What everything costs.
    pub points: Vec<PricePoint>,
    /// What happens to the oracles.
    pub disturbances: Vec<Disturbance>,
    /// What people do, in order of time.
    pub acts: Vec<Scheduled>,
    /// What is attempted, in a sentence.
    pub attempt: String,
}

impl Scenario {
    /// Returns the name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::OracleManipulation => "oracle-manipulation",
            Self::Depeg => "depeg",
            Self::BankRun => "bank-run",
            Self::StaleOracle => "stale-oracle",
            Self::KeeperOutage => "keeper-outage",
            Self::AdminTakeover => "admin-takeover",
        }
    }
}
