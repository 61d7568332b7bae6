use super::*;
use crate::chain::clock::ChainTime;
use crate::config::PosterSettings;
use crate::decide::{Action, Decision, History};
use crate::early::Board;
use crate::intent::Outcome;
use crate::metrics::Metrics;
use crate::watch::store::Store;
use crate::watch::testing::{NOW, SLOT, World, bytes_of, of_program};
use crate::watch::{Origin, Update};
use rampart::state::SourceKind;
use rampart::state::oracle_set::Pin;
use rampart_feeds::{VerificationLevel, pyth_price_update};
use solana_sdk::transaction::TransactionError;
use std::collections::BTreeSet;

const SETTINGS: PosterSettings =
    PosterSettings { max_age_secs: 60, deviation_bps: 100, min_interval_secs: 30, lamports_per_hour: 1_000_000 };
const LANDED: Outcome = Outcome::Landed { slot: SLOT, compute_units: None };

/// A guarded world whose collateral has the sponsored account of a feed as its first source, and what was heard of it.
struct Desked {
    store: Store,
    world: World,
    board: Board,
    desk: Desk,
    history: History,
    metrics: Metrics,
    now: ChainTime,
    account: Pubkey,
    slot: u64,
}

impl Desked {
    /// `age_secs` is that of the price on chain, a dollar.
    fn new(age_secs: i64) -> Self {
        Self::at(place(PYTH_RECEIVER).account, age_secs)
    }

    fn at(account: Pubkey, age_secs: i64) -> Self {
        let world = World::new();
        let mut store = world.store(&[]);
        let mut asset = world.asset(0);
        let source = &mut asset.oracle.sources[0];
        (source.kind, source.program, source.feed_id) = (SourceKind::Pyth as u8, PYTH_RECEIVER, FEED);
        (source.account, source.pin) = (account, Pin::Account as u8);
        world.put(&mut store, world.asset_keys[0], bytes_of(&asset));
        store.watch_raw([account].into());
        let board = Board::default();
        board.keep_updates();
        board.want(BTreeSet::from([FEED]));
        let (desk, history, metrics) = (Desk::new(Some(SETTINGS)), History::default(), Metrics::new());
        let now = ChainTime { slot: SLOT, unix_ts: NOW };
        let mut desked = Self { store, world, board, desk, history, metrics, now, account, slot: SLOT };
        desked.on_chain(100, NOW - age_secs);
        desked
    }

    /// The account on chain holds this price from now on.
    fn on_chain(&mut self, cents: i64, publish_ts: i64) {
        self.slot += 1;
        let data = pyth_price_update(FEED, cents, 1, -2, publish_ts, self.slot, VerificationLevel::Full);
        let update = of_program(self.account, data, self.slot, Origin::Push);
        self.store.apply(Update { owner: PYTH_RECEIVER, ..update }, std::time::Instant::now());
    }

    fn heard(&self, cents: i64, publish_ts: i64) {
        let bytes = signed_update(&[price(FEED, cents, publish_ts)], QUORUM);
        self.board.signed(SignedUpdate::read(&bytes).unwrap());
    }

    fn wanted(&mut self) -> Vec<Decision> {
        self.wanted_if(true)
    }

    fn wanted_if(&mut self, may_begin: bool) -> Vec<Decision> {
        let found = self.world.found();
        let (store, board, now, history) = (&self.store, &self.board, self.now, &self.history);
        self.desk.wanted(Scene { store, found: &found, board, now, payer: PAYER, history, may_begin }, &self.metrics)
    }

    /// The one step that is wanted, with why.
    fn step(&mut self) -> Option<(Step, i64, String)> {
        let wanted = self.wanted();
        assert!(wanted.len() <= 1, "{wanted:?}");
        wanted.first().map(|decision| {
            let (step, publish_ts) = Step::of(&decision.intent).unwrap();
            (step, publish_ts, decision.intent.reason.clone())
        })
    }

    /// Has the one step that is wanted leave, and returns its intent.
    fn leave(&mut self) -> Intent {
        let wanted = self.wanted();
        let [decision] = wanted.as_slice() else { panic!("{wanted:?}") };
        let intent = decision.intent.clone();
        self.history.started(&intent, None, self.slot);
        self.desk.started(wanted, &self.history, self.now);
        intent
    }

    fn ended(&mut self, intent: &Intent, outcome: &Outcome) {
        self.history.ended(intent, outcome, self.slot);
        self.desk.ended(intent, outcome, &self.metrics);
    }

    fn pass(&mut self, secs: i64) {
        self.now.unix_ts += secs;
    }

    fn count(&self, result: &str) -> u64 {
        let name = format!("rampart_posts_total{{result=\"{result}\"}} ");
        let text = self.metrics.render();
        text.lines().find_map(|line| line.strip_prefix(&name)).unwrap().parse().unwrap()
    }
}

fn failed() -> Outcome {
    Outcome::Failed { slot: SLOT, error: TransactionError::AccountNotFound, code: None, lost_race: false }
}

#[test]
fn feed_that_lags_is_brought_in_two_steps_and_then_left_alone_for_a_while() {
    let mut desked = Desked::new(60);
    assert_eq!(desked.step(), None, "nothing was heard");
    desked.heard(100, NOW - 1);
    let (step, publish_ts, reason) = desked.step().unwrap();
    assert_eq!((step, publish_ts), (Step::Open, NOW - 1));
    assert_eq!(reason, "the price on chain is 60 s old, the signed one 1 s");
    let open = desked.leave();
    assert_eq!((open.class, open.target), (ActionClass::Post, desked.account));
    assert_eq!(desked.step(), None, "the second waits for the first");
    desked.ended(&open, &Outcome::Unknown);
    assert_eq!(desked.step(), None, "nobody knows");
    desked.heard(100, NOW);
    desked.ended(&open, &LANDED);
    let (step, publish_ts, _) = desked.step().unwrap();
    assert_eq!((step, publish_ts), (Step::Price, NOW - 1), "the update that was begun with");
    let bring = desked.leave();
    desked.ended(&bring, &LANDED);
    assert_eq!(desked.step(), None, "not so soon");
    desked.pass(29);
    desked.heard(100, NOW + 29);
    assert_eq!(desked.step(), None, "not so soon");
    desked.pass(1);
    assert_eq!(desked.step().map(|(step, publish_ts, _)| (step, publish_ts)), Some((Step::Open, NOW + 29)));
    assert_eq!((desked.count("opened"), desked.count("posted"), desked.count("closed")), (1, 1, 0));
}

#[test]
fn fresh_feed_is_brought_only_from_the_deviation_on() {
    let mut desked = Desked::new(5);
    desked.heard(100, NOW);
    assert_eq!(desked.step(), None);
    let mut near = Desked::new(5);
    near.heard(101, NOW);
    let reason = near.step().map(|(_, _, reason)| reason);
    assert_eq!(reason.as_deref(), Some("the signed price is 100 bps away from the one on chain"));
    let mut down = Desked::new(5);
    down.heard(90, NOW);
    assert!(down.step().is_some());
}

#[test]
fn fault_21_update_that_is_older_or_too_old_or_of_the_future_is_never_brought() {
    for (age, heard) in [(70, NOW - 70), (70, NOW - 71), (100, NOW - 60), (70, NOW + 3_600)] {
        let mut desked = Desked::new(age);
        desked.heard(50, heard);
        assert_eq!(desked.step(), None, "chain {age} s old, heard of {heard}");
    }
    let mut desked = Desked::new(70);
    desked.heard(0, NOW);
    assert_eq!(desked.step(), None, "no price is zero");
}

#[test]
fn account_that_the_push_oracle_does_not_keep_is_named_and_nothing_is_sent() {
    let mut desked = Desked::at(Pubkey::new_from_array([3; 32]), 600);
    desked.heard(50, NOW);
    assert_eq!(desked.step(), None);
    assert!(desked.metrics.render().contains("rampart_feeds_not_postable 1"));
    let mut good = Desked::new(600);
    assert_eq!(good.step(), None);
    assert!(good.metrics.render().contains("rampart_feeds_not_postable 0"));
}

#[test]
fn nothing_begins_without_complete_state_and_money_but_what_began_is_finished() {
    let mut desked = Desked::new(60);
    desked.heard(100, NOW);
    assert_eq!(desked.wanted_if(false).len(), 0);
    let open = desked.leave();
    desked.ended(&open, &LANDED);
    let next = desked.wanted_if(false);
    assert_eq!(next.iter().map(|decision| Step::of(&decision.intent)).collect::<Vec<_>>(), [Some((Step::Price, NOW))]);
}

#[test]
fn first_transaction_that_expires_or_fails_leaves_nothing_behind() {
    for outcome in [Outcome::Expired, failed()] {
        let mut desked = Desked::new(60);
        desked.heard(100, NOW);
        let open = desked.leave();
        desked.ended(&open, &outcome);
        assert_eq!(desked.step(), None, "the interval counts from the attempt");
        desked.pass(30);
        desked.heard(100, NOW + 30);
        assert_eq!(desked.step().map(|(step, at, _)| (step, at)), Some((Step::Open, NOW + 30)));
    }
    let mut desked = Desked::new(60);
    desked.heard(100, NOW);
    let open = desked.leave();
    desked.history.not_sent(&open, desked.slot);
    desked.desk.not_sent(&open);
    desked.pass(30);
    assert!(desked.step().is_some(), "what did not leave is decided anew");
}

#[test]
fn first_transaction_that_never_left_is_forgotten_once_none_can_be_under_way() {
    let mut desked = Desked::new(60);
    desked.heard(100, NOW);
    let open = desked.leave();
    desked.pass(30);
    desked.heard(100, NOW + 30);
    assert_eq!(desked.step(), None);
    desked.history.withdrawn(&open);
    assert_eq!(desked.step().map(|(step, at, _)| (step, at)), Some((Step::Open, NOW + 30)));
}

#[test]
fn room_is_for_four_that_begin_and_for_all_that_have_begun() {
    let mut desked = Desked::new(60);
    desked.heard(100, NOW);
    let one = desked.wanted().remove(0);
    let ending = Decision { intent: Intent { fence: Step::Close.fence(NOW), ..one.intent.clone() }, ..one.clone() };
    let mut due = vec![one.clone(), ending.clone(), one.clone(), one.clone(), one.clone(), one.clone(), ending];
    desked.desk.fit(&mut due);
    assert_eq!(due.iter().filter(|decision| ends_what_began(&decision.intent)).count(), 2);
    assert_eq!(due.len(), 6);
    desked.leave();
    let mut due = vec![one; 5];
    desked.desk.fit(&mut due);
    assert_eq!(due.len(), 3);
}

#[test]
fn second_transaction_that_fails_is_taken_back_and_one_that_expires_is_signed_anew_three_times() {
    let mut desked = Desked::new(60);
    desked.heard(100, NOW);
    let open = desked.leave();
    desked.ended(&open, &LANDED);
    for _ in 0..2 {
        let bring = desked.leave();
        desked.ended(&bring, &Outcome::Expired);
        assert_eq!(desked.step().map(|(step, ..)| step), Some(Step::Price));
    }
    let bring = desked.leave();
    desked.ended(&bring, &Outcome::Expired);
    let (step, publish_ts, reason) = desked.step().unwrap();
    assert_eq!((step, publish_ts, reason.as_str()), (Step::Close, NOW, "the price could not be brought"));
    let close = desked.leave();
    desked.ended(&close, &Outcome::Expired);
    assert_eq!(desked.step().map(|(step, ..)| step), Some(Step::Close));
    desked.ended(&close, &LANDED);
    assert_eq!((desked.step(), desked.count("closed"), desked.count("failed")), (None, 1, 0));

    let mut desked = Desked::new(60);
    desked.heard(100, NOW);
    let open = desked.leave();
    desked.ended(&open, &LANDED);
    let bring = desked.leave();
    desked.ended(&bring, &failed());
    assert_eq!((desked.step().map(|(step, ..)| step), desked.count("failed")), (Some(Step::Close), 1));
    for _ in 0..3 {
        let close = desked.leave();
        desked.ended(&close, &failed());
    }
    assert_eq!((desked.step(), desked.count("abandoned")), (None, 1));
}

#[test]
fn fault_30_race_lost_between_the_two_is_no_error_and_the_rent_comes_back() {
    for ahead in [0, 3] {
        let mut desked = Desked::new(60);
        desked.heard(100, NOW - 5);
        let open = desked.leave();
        desked.ended(&open, &LANDED);
        desked.on_chain(100, NOW - 5 + ahead);
        let wanted = desked.wanted();
        let Action::Post(posting) = &wanted[0].action else { panic!("{wanted:?}") };
        assert_eq!((posting.step, wanted.len()), (Step::Close, 1));
        assert_eq!(posting.instructions, [posting.message.close()]);
        let close = desked.leave();
        desked.ended(&close, &LANDED);
        assert_eq!(desked.step(), None);
        assert_eq!((desked.count("lost_race"), desked.count("closed"), desked.count("failed")), (1, 1, 0));
    }
}

#[test]
fn what_an_earlier_run_left_is_closed_once_its_transactions_are_decided_even_by_a_keeper_that_posts_nothing() {
    let message = place(PYTH_RECEIVER).message(PAYER, NOW - 90).unwrap();
    let bring = Intent {
        class: ActionClass::Post,
        target: place(PYTH_RECEIVER).account,
        fence: Step::Price.fence(NOW - 90),
        reason: String::new(),
    };
    let left = Left {
        target: bring.target,
        publish_ts: NOW - 90,
        message,
        is_open: true,
        undecided: BTreeSet::from([bring.id()]),
    };
    for (outcome, expected) in [(Outcome::Expired, Some(Step::Close)), (failed(), Some(Step::Close)), (LANDED, None)] {
        let mut desked = Desked::new(5);
        desked.desk = Desk::new(None);
        assert!(desked.desk.is_idle());
        desked.desk.recover(vec![left.clone()]);
        assert!(!desked.desk.is_idle());
        assert_eq!(desked.step(), None, "its second transaction may land yet");
        desked.ended(&bring, &outcome);
        assert_eq!(desked.step().map(|(step, ..)| step), expected);
    }
    // the first is in doubt: only once it has landed is there anything to close
    let open = Intent { fence: Step::Open.fence(NOW - 90), ..bring };
    let doubt = Left { is_open: false, undecided: BTreeSet::from([open.id()]), ..left };
    for (outcome, expected) in [(LANDED, Some(Step::Close)), (Outcome::Expired, None)] {
        let mut desked = Desked::new(5);
        desked.desk.recover(vec![doubt.clone()]);
        assert_eq!(desked.step(), None);
        desked.ended(&open, &outcome);
        assert_eq!(desked.step().map(|(step, ..)| step), expected);
    }
}

#[test]
fn update_that_is_older_than_what_is_kept_is_no_news() {
    let desked = Desked::new(5);
    let update = |at| SignedUpdate::read(&signed_update(&[price(FEED, 100, at)], QUORUM)).unwrap();
    assert!(desked.board.signed(update(NOW)));
    assert!(!desked.board.signed(update(NOW)) && !desked.board.signed(update(NOW - 1)));
    assert_eq!(desked.board.update_of(&FEED).and_then(|kept| Some(kept.price(&FEED)?.publish_ts)), Some(NOW));
    let other = signed_update(&[price([1; 32], 100, NOW)], QUORUM);
    assert!(!desked.board.signed(SignedUpdate::read(&other).unwrap()), "nobody uses that feed");
    let off = Board::default();
    assert!(!off.keeps_updates() && !off.signed(update(NOW)));
}
