//! Which feed needs an update brought on chain, and what the next step of each posting is.
//!
//! The chain's account is the truth: what is posted is only ever newer than it, and where somebody else was faster the
//! posting ends without an error. One posting at a time for each feed; one step under way at a time.

use super::{Cohort, Left, Message, Place, Posting, SignedUpdate, Step, ends_what_began};
use crate::chain::clock::ChainTime;
use crate::config::PosterSettings;
use crate::decide::{Action, Decision, History};
use crate::early::{Board, FeedId};
use crate::intent::{ActionClass, Intent, IntentId, Outcome};
use crate::metrics::{Metrics, OnlyResultLabel};
use crate::watch::oracles::{Found, account_of};
use crate::watch::store::Store;
use anchor_lang::AccountDeserialize;
use anchor_lang::prelude::Pubkey;
use pyth_solana_receiver_sdk::price_update::PriceUpdateV2;
use rampart::oracle::{RawReading, Reading};
use rampart::state::SourceKind;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Postings that may be under way at once.
const MOST_AT_ONCE: usize = 4;
/// Times that a second transaction may expire, or a closing fail, before it is given up.
const MOST_ATTEMPTS: u32 = 3;
/// Why the account of a message is closed that an earlier run opened.
const LEFT: &str = "an earlier run left the account of its message";

/// What the desk looks at.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// The chain's state.
    pub store: &'a Store,
    /// Accounts of feeds without a pinned account.
    pub found: &'a Found,
    /// What was heard.
    pub board: &'a Board,
    /// The chain's clock.
    pub now: ChainTime,
    /// Who pays and signs.
    pub payer: Pubkey,
    /// What is under way.
    pub history: &'a History,
    /// Whether a new posting may begin: the state is complete, and there is money.
    pub may_begin: bool,
}

/// The postings of one keeper.
#[derive(Debug, Default)]
pub struct Desk {
    settings: Option<PosterSettings>,
    running: BTreeMap<(Pubkey, i64), Running>,
    /// When the last posting of a feed's account began, unix seconds of the chain.
    begun_ts: BTreeMap<Pubkey, i64>,
    /// What was found of each price account, by its owner and feed.
    places: BTreeMap<(Pubkey, Pubkey, FeedId), Option<Place>>,
}

/// One update on its way.
#[derive(Clone, Debug)]
struct Running {
    message: Message,
    /// What it brings; `None` where an earlier run began it.
    brings: Option<(Place, Arc<SignedUpdate>)>,
    asset: Option<Pubkey>,
    stage: Stage,
    attempts: u32,
    /// Transactions of an earlier run whose fate isn't known yet.
    undecided: BTreeSet<IntentId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The first transaction is under way.
    Opening,
    /// The account of the message is open.
    Open,
    /// It is to be closed, and why.
    Closing(&'static str),
}

/// A feed's account that some asset uses.
#[derive(Clone, Copy, Debug)]
struct Used {
    place: Place,
    asset: Pubkey,
    on_chain: RawReading,
}

impl Desk {
    /// A desk that posts by `settings`; without them it only closes what an earlier run left.
    pub fn new(settings: Option<PosterSettings>) -> Self {
        Self { settings, ..Self::default() }
    }

    /// Takes over what an earlier run left on chain.
    pub fn recover(&mut self, left: Vec<Left>) {
        for Left { target, publish_ts, message, is_open, undecided } in left {
            let stage = if is_open { Stage::Closing(LEFT) } else { Stage::Opening };
            let (brings, asset, attempts) = (None, None, 0);
            self.running.insert((target, publish_ts), Running { message, brings, asset, stage, attempts, undecided });
        }
    }

    /// Tells whether there is anything to do or to wait for.
    pub fn is_idle(&self) -> bool {
        self.settings.is_none() && self.running.is_empty()
    }

    /// Returns the next step of every posting, then the first of those that are needed now.
    pub fn wanted(&mut self, scene: Scene<'_>, metrics: &Metrics) -> Vec<Decision> {
        let mut wanted: Vec<Decision> = Vec::new();
        self.forget_unsent(scene.history);
        self.give_up_lost(scene, metrics);
        for ((target, publish_ts), running) in &self.running {
            // one transaction at a time for each account
            let is_first = wanted.iter().all(|decision| decision.intent.target != *target);
            wanted.extend(running.next(target, *publish_ts, scene).filter(|_| is_first));
        }
        let Some(settings) = self.settings else { return wanted };
        let used = self.used(scene, metrics);
        if scene.may_begin {
            wanted.extend(used.iter().filter_map(|used| self.begin(&settings, used, scene)));
        }
        wanted
    }

    /// Keeps of the decisions that are due as many as there is room for: what has begun always has.
    pub fn fit(&self, due: &mut Vec<Decision>) {
        let mut room = MOST_AT_ONCE.saturating_sub(self.running.values().filter(|one| one.brings.is_some()).count());
        due.retain(|decision| {
            let fits = ends_what_began(&decision.intent) || room > 0;
            room = room.saturating_sub(usize::from(!ends_what_began(&decision.intent)));
            fits
        });
    }

    /// Notes which of the decisions left.
    pub fn started(&mut self, decisions: Vec<Decision>, history: &History, now: ChainTime) {
        for Decision { intent, action, .. } in decisions {
            let (Action::Post(posting), Some((Step::Open, publish_ts))) = (action, Step::of(&intent)) else { continue };
            if !history.is_under_way(&intent) {
                continue;
            }
            let Posting { message, brings, asset, .. } = *posting;
            let (stage, attempts, undecided) = (Stage::Opening, 0, BTreeSet::new());
            let (running, target) = (Running { message, brings, asset, stage, attempts, undecided }, intent.target);
            self.running.insert((target, publish_ts), running);
            self.begun_ts.insert(target, now.unix_ts);
        }
    }

    /// Notes that a step did not leave after all; it is decided anew.
    pub fn not_sent(&mut self, intent: &Intent) {
        if let Some((Step::Open, publish_ts)) = Step::of(intent) {
            self.running.remove(&(intent.target, publish_ts));
        }
    }

    /// Takes in what became of a transaction.
    pub fn ended(&mut self, intent: &Intent, outcome: &Outcome, metrics: &Metrics) {
        let Some((step, publish_ts)) = Step::of(intent).filter(|_| outcome.is_final()) else { return };
        let key = (intent.target, publish_ts);
        let Some(running) = self.running.get_mut(&key) else { return };
        running.undecided.remove(&intent.id());
        let is_landed = matches!(outcome, Outcome::Landed { .. });
        let is_expired = *outcome == Outcome::Expired;
        running.attempts = if is_landed { 0 } else { running.attempts + 1 };
        let result = match step {
            Step::Open if is_landed => {
                running.stage = if running.brings.is_some() { Stage::Open } else { Stage::Closing(LEFT) };
                Some("opened")
            }
            // nothing of it is on chain
            Step::Open => {
                self.running.remove(&key);
                (!is_expired).then_some("failed")
            }
            Step::Price if is_landed => {
                self.running.remove(&key);
                Some("posted")
            }
            Step::Price => {
                if !is_expired || running.attempts >= MOST_ATTEMPTS || running.brings.is_none() {
                    (running.stage, running.attempts) = (Stage::Closing("the price could not be brought"), 0);
                }
                (!is_expired).then_some("failed")
            }
            Step::Close if is_landed => {
                self.running.remove(&key);
                Some("closed")
            }
            Step::Close if !is_expired && running.attempts >= MOST_ATTEMPTS => {
                let message = running.message.address;
                tracing::warn!(%message, "the account of a message can't be closed: its rent stays there");
                self.running.remove(&key);
                Some("abandoned")
            }
            Step::Close => None,
        };
        result.into_iter().for_each(|result| count(metrics, result));
    }

    /// A first transaction that nothing was heard of for longer than any may live never left: the budget refused it at the
    /// last moment.
    fn forget_unsent(&mut self, history: &History) {
        self.running.retain(|(target, publish_ts), running| {
            let is_opening = running.stage == Stage::Opening && running.undecided.is_empty();
            let fence = Step::Open.fence(*publish_ts);
            let open = Intent { class: ActionClass::Post, target: *target, fence, reason: String::new() };
            !is_opening || history.is_under_way(&open)
        });
    }

    /// Where somebody else brought a price that is as new, ours is needed no more.
    fn give_up_lost(&mut self, scene: Scene<'_>, metrics: &Metrics) {
        for ((target, publish_ts), running) in &mut self.running {
            let (Stage::Open, Some((place, _))) = (running.stage, &running.brings) else { continue };
            let known = scene.store.raw(target).and_then(|account| on_chain(&account.data, &place.feed));
            if known.is_some_and(|known| known.publish_ts >= *publish_ts) {
                running.stage = Stage::Closing("somebody else brought a price that is as new");
                count(metrics, "lost_race");
            }
        }
    }

    /// The accounts of the push oracle that assets use, each once. Tells of those that nothing can be posted to.
    fn used(&mut self, scene: Scene<'_>, metrics: &Metrics) -> Vec<Used> {
        let (mut used, mut seen, mut not_postable) = (Vec::new(), BTreeSet::new(), 0);
        for (asset, state) in scene.store.assets() {
            for source in state.oracle.active().iter().filter(|source| source.kind == SourceKind::Pyth as u8) {
                let Some(key) = account_of(source, scene.found).filter(|key| seen.insert(*key)) else { continue };
                let Some(account) = scene.store.raw(&key) else { continue };
                match self.place(&key, &account.owner, &source.feed_id) {
                    Some(place) => {
                        let on_chain = on_chain(&account.data, &source.feed_id);
                        used.extend(on_chain.map(|on_chain| Used { place, asset: *asset, on_chain }));
                    }
                    None => not_postable += 1,
                }
            }
        }
        metrics.feeds_not_postable.set(not_postable);
        used
    }

    /// Finds an account once, and says once where nothing can be posted to it.
    fn place(&mut self, key: &Pubkey, owner: &Pubkey, feed: &FeedId) -> Option<Place> {
        *self.places.entry((*key, *owner, *feed)).or_insert_with(|| {
            let place = Place::find(key, owner, feed);
            if place.is_none() {
                tracing::warn!(account = %key, feed = hex::encode(feed), "not postable: {}", why_not(owner));
            }
            place
        })
    }

    fn begin(&self, settings: &PosterSettings, used: &Used, scene: Scene<'_>) -> Option<Decision> {
        let Used { place, asset, on_chain } = used;
        let now_ts = scene.now.unix_ts;
        let is_busy = self.running.keys().any(|(target, _)| *target == place.account);
        let begun_ts = self.begun_ts.get(&place.account);
        let waits = begun_ts.is_some_and(|at| now_ts.saturating_sub(*at) < settings.min_interval_secs.cast_signed());
        if is_busy || waits {
            return None;
        }
        let update = scene.board.update_of(&place.feed)?;
        let ours = update.price(&place.feed)?;
        let reason = reason(settings, on_chain, ours, now_ts)?;
        let (publish_ts, instructions) = (ours.publish_ts, place.open(scene.payer, &update)?);
        let message = place.message(scene.payer, publish_ts)?;
        let posting =
            Posting { step: Step::Open, brings: Some((*place, update)), asset: Some(*asset), message, instructions };
        Some(decision(place.account, publish_ts, on_chain.publish_ts, reason, posting))
    }
}

impl Running {
    fn next(&self, target: &Pubkey, publish_ts: i64, scene: Scene<'_>) -> Option<Decision> {
        if !self.undecided.is_empty() {
            return None;
        }
        let post = |step, instructions| {
            let (message, brings, asset) = (self.message, self.brings.clone(), self.asset);
            Posting { step, brings, asset, message, instructions }
        };
        match (self.stage, &self.brings) {
            (Stage::Open, Some((place, update))) => {
                let posting = post(Step::Price, place.bring(scene.payer, update)?);
                let reason = format!("brings the price published at {publish_ts}");
                Some(decision(*target, publish_ts, 0, reason, posting))
            }
            (Stage::Closing(why), _) => {
                let posting = post(Step::Close, vec![self.message.close()]);
                Some(decision(*target, publish_ts, 0, why.to_owned(), posting))
            }
            (Stage::Open, None) | (Stage::Opening, _) => None,
        }
    }
}

/// Counts what became of postings.
fn count(metrics: &Metrics, result: &'static str) {
    metrics.posts.get_or_create(&OnlyResultLabel { result }).inc();
}

fn decision(target: Pubkey, publish_ts: i64, awaited_ts: i64, reason: String, posting: Posting) -> Decision {
    let fence = posting.step.fence(publish_ts);
    let decision = Decision::new(ActionClass::Post, target, fence, reason, Action::Post(Box::new(posting)));
    Decision { awaited: awaited_ts.cast_unsigned(), ..decision }
}

/// Says why an update is to be brought; nothing where it is not.
///
/// What the program would refuse, such as a time too far ahead of the chain's clock, is not brought.
fn reason(settings: &PosterSettings, on_chain: &RawReading, ours: &RawReading, now_ts: i64) -> Option<String> {
    let reading = Reading::new(*ours, now_ts).ok().filter(|_| ours.publish_ts > on_chain.publish_ts)?;
    let age_of = |raw: &RawReading| now_ts.saturating_sub(raw.publish_ts);
    let most_secs = settings.max_age_secs.cast_signed();
    let (age, own_age) = (age_of(on_chain), age_of(ours));
    if own_age >= most_secs {
        return None;
    }
    if age >= most_secs {
        return Some(format!("the price on chain is {age} s old, the signed one {} s", own_age.max(0)));
    }
    let known = Reading::new(*on_chain, now_ts.max(on_chain.publish_ts)).ok()?;
    let gap = reading.price.deviation(known.price).0;
    (gap >= settings.deviation_bps).then(|| format!("the signed price is {gap} bps away from the one on chain"))
}

/// What the account of a feed holds; `None` for bytes that are no price of it.
fn on_chain(data: &[u8], feed: &FeedId) -> Option<RawReading> {
    let said = PriceUpdateV2::try_deserialize(&mut &*data).ok()?.price_message;
    (said.feed_id == *feed).then(|| RawReading {
        price: said.price.into(),
        confidence: said.conf.into(),
        exponent: said.exponent,
        publish_ts: said.publish_time,
    })
}

/// Says why nothing can be posted to an account of `owner`.
pub(crate) fn why_not(owner: &Pubkey) -> String {
    match Cohort::of(owner) {
        Some(_) => format!("it is none of the push oracle's accounts of the feed, shards {:?}", super::SHARDS),
        None => format!("its owner {owner} is no receiver of Pyth"),
    }
}
