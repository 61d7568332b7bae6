//! One thing that a decision was made from.

use crate::chain::clock::ChainTime;
use crate::config::{
    BandSettings, Classes, ComputePrices, EconomicsSettings, RebalanceSettings, ReportSettings, RouteSettings, text,
};
use crate::decide::bands::Bands;
use crate::decide::reports::{Opinion, parts_of, shares_of};
use crate::decide::{Action, Decision, Means, Policy};
use crate::intent::{ActionClass, Intent, Outcome};
use crate::watch::oracles::Found;
use crate::watch::{Origin, Update};
use anchor_lang::prelude::Pubkey;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rampart_score::band::Band;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};

/// Form of recordings. Raised with every change that an older reader would misread.
pub const VERSION: u32 = 1;

/// What a recording begins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`VERSION`].
    pub version: u32,
    /// Version of the keeper that wrote it.
    pub keeper: String,
    /// The guard.
    #[serde(with = "text")]
    pub guard: Pubkey,
    /// How long what is under way blocks its target, slots; the usual time where there is none.
    pub patience_slots: Option<u64>,
}

/// An intent, as recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meant {
    class: String,
    #[serde(with = "text")]
    target: Pubkey,
    fence: u64,
    reason: String,
}

impl Meant {
    fn of(intent: &Intent) -> Self {
        let class = intent.class.as_str().to_owned();
        Self { class, target: intent.target, fence: intent.fence, reason: intent.reason.clone() }
    }

    /// Returns the intent; nothing for a class that this version does not know.
    pub(super) fn intent(&self) -> Option<Intent> {
        let class = ActionClass::from_name(&self.class)?;
        Some(Intent { class, target: self.target, fence: self.fence, reason: self.reason.clone() })
    }
}

/// A decision, as recorded: all that is compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// What is meant.
    #[serde(flatten)]
    pub meant: Meant,
    /// The state that the wait for other ranks is about.
    pub awaited: u64,
    /// What it takes.
    pub action: String,
}

impl Decided {
    fn of(decision: &Decision) -> Self {
        Self { meant: Meant::of(&decision.intent), awaited: decision.awaited, action: action_text(&decision.action) }
    }

    /// Returns one line for people.
    pub fn line(&self) -> String {
        let Meant { class, target, fence, reason } = &self.meant;
        format!("{class} {target} fence {fence}: {reason}; {}", self.action)
    }
}

fn action_text(action: &Action) -> String {
    match action {
        Action::Rule(key) => format!("rule {key}"),
        Action::TripGroup { group, observe } => format!("group {group} observing {observe:?}"),
        Action::StepDownGroup { group, clear } => {
            format!("group {group} clear by {} unseen {}", clear.rule, clear.is_unseen)
        }
        Action::Asset(key) => format!("asset {key}"),
        Action::Vault(key) => format!("vault {key}"),
        Action::Position { candidate, offers } => {
            format!("vault {} ltv {}: {offers:?}", candidate.vault, candidate.ltv.0)
        }
        Action::Report { subject, is_new, args } => format!("subject {subject} new {is_new} {args:?}"),
        Action::Settle(what) => format!("{what:?}"),
        Action::Rebalance(swap) => format!("{swap:?}"),
        Action::Post(posting) => format!("{posting:?}"),
    }
}

/// What a keeper would report about one subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Its report.
    #[serde(with = "text")]
    report: Pubkey,
    /// Score, volatility, liquidity, correlation, anomaly, health of its sources; bps.
    parts: [u16; 6],
}

impl From<&Opinion> for Said {
    fn from(opinion: &Opinion) -> Self {
        Self { report: opinion.report, parts: shares_of(&opinion.parts) }
    }
}

impl From<Said> for Opinion {
    fn from(said: Said) -> Self {
        Self { report: said.report, parts: parts_of(said.parts) }
    }
}

/// One thing that a decision was made from, or the decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "frame", rename_all = "snake_case")]
pub enum Frame {
    /// The beginning.
    Header(Header),
    /// What the keeper may do at all.
    Policy {
        /// Which classes are switched on.
        classes: Classes,
        /// Slots that it waits for other ranks.
        stagger_slots: u64,
        /// Intents that may be under way at once.
        max_in_flight: usize,
        /// What liquidations have to bring.
        economics: EconomicsSettings,
        /// How the reserve's basket is moved.
        rebalance: RebalanceSettings,
        /// How often reports are renewed.
        #[serde(default)]
        report: ReportSettings,
        /// What the band of the own score changes.
        #[serde(default)]
        bands: BandSettings,
        /// Where tokens can be swapped.
        routes: Vec<RouteSettings>,
        /// Ranges of priority fees.
        compute_price: ComputePrices,
    },
    /// A version of an account, or its absence.
    Account {
        /// Its address.
        #[serde(with = "text")]
        key: Pubkey,
        /// Its program.
        #[serde(with = "text")]
        owner: Pubkey,
        /// Its balance.
        lamports: u64,
        /// Its bytes, base64.
        data: String,
        /// Slot of this version.
        slot: u64,
        /// Whether a subscription brought it.
        is_pushed: bool,
        /// Which version within its slot, where a subscription tells.
        write_version: u64,
    },
    /// Which accounts are kept as bytes.
    Raw {
        /// Their addresses.
        keys: Vec<String>,
    },
    /// Which accounts of the program there are.
    Listed {
        /// Their addresses.
        keys: Vec<String>,
        /// Slot of the listing.
        slot: u64,
    },
    /// Accounts of price feeds without a pinned account.
    Found {
        /// Program, feed id in hex, account.
        feeds: Vec<(String, String, String)>,
    },
    /// The sweep put a position right.
    Reindex {
        /// The position.
        #[serde(with = "text")]
        key: Pubkey,
    },
    /// A decision is made now.
    Settle {
        /// Slot of the chain's clock.
        slot: u64,
        /// Its time, unix seconds.
        unix_ts: i64,
        /// Whether a source is complete.
        is_gapless: bool,
        /// Whether the balance allows more than trips.
        is_funded: bool,
        /// Whether the signer is one of the guard's keepers.
        is_keeper: bool,
        /// Slots that it leaves to the keepers of its fleet before it, where it is in one.
        fleet_delay_slots: Option<u64>,
        /// What others pay for compute, by written account.
        market: BTreeMap<String, u64>,
        /// What the signer holds, base units by mint.
        tokens: BTreeMap<String, u64>,
        /// What it would report, by subject.
        #[serde(default)]
        opinions: BTreeMap<String, Said>,
        /// Bands of its own scores, by subject; nothing where it doesn't score.
        #[serde(default)]
        bands: Option<BTreeMap<String, Band>>,
    },
    /// What was decided.
    Decided {
        /// The decisions, most urgent first.
        decisions: Vec<Decided>,
    },
    /// An intent is being carried out.
    Started {
        /// The intent.
        meant: Meant,
        /// Mint and amount that it spends.
        spends: Option<(String, u64)>,
        /// Newest slot then.
        slot: u64,
    },
    /// Nothing was sent for an intent.
    NotSent {
        /// The intent.
        meant: Meant,
        /// Newest slot then.
        slot: u64,
    },
    /// What became of an intent's transaction.
    Ended {
        /// The intent.
        meant: Meant,
        /// What became of it.
        ended: Outcome,
        /// Newest slot then.
        slot: u64,
    },
    /// Frames were lost to a slow disk: what follows can't be replayed.
    Lost {
        /// How many.
        frames: u64,
    },
}

fn names<'a>(keys: impl IntoIterator<Item = &'a Pubkey>) -> Vec<String> {
    let mut names: Vec<String> = keys.into_iter().map(ToString::to_string).collect();
    names.sort_unstable();
    names
}

impl Frame {
    /// What the keeper may do at all.
    pub fn policy(policy: &Policy) -> Self {
        let Policy { classes, stagger_slots, max_in_flight, ref economics, .. } = *policy;
        Self::Policy {
            classes,
            stagger_slots,
            max_in_flight,
            economics: economics.settings.clone(),
            rebalance: economics.rebalance,
            report: policy.reports,
            bands: policy.bands,
            routes: economics.routes.settings().to_vec(),
            compute_price: economics.prices.clone(),
        }
    }

    /// A version of an account.
    pub fn account(update: &Update) -> Self {
        Self::Account {
            key: update.key,
            owner: update.owner,
            lamports: update.lamports,
            data: BASE64_STANDARD.encode(&update.data),
            slot: update.slot,
            is_pushed: update.origin == Origin::Push,
            write_version: update.write_version,
        }
    }

    /// Accounts that are kept as bytes.
    pub fn raw(keys: &HashSet<Pubkey>) -> Self {
        Self::Raw { keys: names(keys) }
    }

    /// Accounts that there are.
    pub fn listed(keys: &HashSet<Pubkey>, slot: u64) -> Self {
        Self::Listed { keys: names(keys), slot }
    }

    /// Accounts of price feeds.
    pub fn found(found: &Found) -> Self {
        let mut feeds: Vec<_> =
            found.iter().map(|((program, id), key)| (program.to_string(), hex::encode(id), key.to_string())).collect();
        feeds.sort_unstable();
        Self::Found { feeds }
    }

    /// The sweep put a position right.
    pub const fn reindex(key: Pubkey) -> Self {
        Self::Reindex { key }
    }

    /// A decision is made now.
    pub fn settle(now: ChainTime, means: &Means, policy: &Policy) -> Self {
        Self::Settle {
            slot: now.slot,
            unix_ts: now.unix_ts,
            is_gapless: means.is_gapless,
            is_funded: means.is_funded,
            is_keeper: means.is_keeper,
            fleet_delay_slots: policy.fleet_delay_slots,
            market: policy.economics.market.iter().map(|(account, price)| (account.to_string(), *price)).collect(),
            tokens: means.tokens.iter().map(|(mint, amount)| (mint.to_string(), *amount)).collect(),
            opinions: means.opinions.iter().map(|(subject, opinion)| (subject.to_string(), opinion.into())).collect(),
            bands: match &means.bands {
                Bands::Off => None,
                Bands::Known(bands) => Some(bands.iter().map(|(key, band)| (key.to_string(), *band)).collect()),
            },
        }
    }

    /// What was decided.
    pub fn decided(decisions: &[Decision]) -> Self {
        Self::Decided { decisions: decisions.iter().map(Decided::of).collect() }
    }

    /// An intent is being carried out.
    pub fn started(intent: &Intent, spends: Option<(Pubkey, u64)>, slot: u64) -> Self {
        let spends = spends.map(|(mint, amount)| (mint.to_string(), amount));
        Self::Started { meant: Meant::of(intent), spends, slot }
    }

    /// Nothing was sent for an intent.
    pub fn not_sent(intent: &Intent, slot: u64) -> Self {
        Self::NotSent { meant: Meant::of(intent), slot }
    }

    /// What became of an intent's transaction.
    pub fn ended(intent: &Intent, outcome: &Outcome, slot: u64) -> Self {
        Self::Ended { meant: Meant::of(intent), ended: outcome.clone(), slot }
    }
}
