//! What was decided before: under way, settled, failed, or left to another rank.
//!
//! Everything is kept by class and target, so at most one transaction of a kind is under way for an account, whatever
//! its fence. Memory is bounded by the accounts that were acted on; entries that no longer matter are dropped.

use crate::economics::Declined;
use crate::intent::{ActionClass, Intent, IntentId, Outcome};
use anchor_lang::prelude::Pubkey;
use rampart::error::RampartError;
use solana_sdk::instruction::InstructionError;
use solana_sdk::transaction::TransactionError;
use std::collections::{BTreeMap, HashMap};

/// Slots after which state that should have followed a landed transaction is no longer waited for.
const CATCH_UP_SLOTS: u64 = 150;
/// Slots for which a transaction of unknown fate blocks its target: no blockhash lives a fourth of that.
const UNKNOWN_SLOTS: u64 = 1_200;
/// Slots without being wanted after which a stagger starts anew.
const FORGET_SLOTS: u64 = 16;
/// Slots after which a liquidation that was declined is forgotten: far more than pass between two looks at it.
const DECLINED_SLOTS: u64 = 150;
/// The most news that is kept for somebody who doesn't ask.
const UNTOLD: usize = 4_096;
/// The longest pause of a target that keeps failing, slots.
const LONGEST_PAUSE_SLOTS: u64 = 4_096;

type Subject = (ActionClass, Pubkey);
/// What the worth of a liquidation was found on: own tokens of the loan mint, base units, and the price, U64.64.
pub type Basis = (u64, u128);

fn subject(intent: &Intent) -> Subject {
    (intent.class, intent.target)
}

#[derive(Clone, Debug)]
struct UnderWay {
    id: IntentId,
    fence: u64,
    since_slot: u64,
    /// Mint and amount that it will spend.
    spends: Option<(Pubkey, u64)>,
}

/// An intent whose effect must show in the store before it may be decided again.
#[derive(Clone, Copy, Debug)]
struct Settled {
    id: IntentId,
    slot: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Trouble {
    failures: u32,
    expiries: u32,
    compute_exceeded: u32,
    pause_until_slot: u64,
    /// The program asked for the reserve's accounts.
    needs_cover: bool,
}

#[derive(Clone, Copy, Debug)]
struct Wanted {
    awaited: u64,
    first_slot: u64,
    last_slot: u64,
}

/// A liquidation that was declined.
#[derive(Clone, Copy, Debug)]
struct Refusal {
    id: IntentId,
    why: Declined,
    slot: u64,
}

/// The memory of earlier decisions.
#[derive(Clone, Debug)]
pub struct History {
    patience_slots: u64,
    under_way: HashMap<Subject, UnderWay>,
    settled: HashMap<Subject, Settled>,
    trouble: HashMap<Subject, Trouble>,
    /// Why the last plan for a target did not leave.
    refused: HashMap<Subject, String>,
    /// Units that a class was found to need beyond what it is given, with a margin.
    measured: HashMap<ActionClass, u32>,
    wanted: HashMap<Subject, Wanted>,
    /// What was found not worth it, and until which slot that is believed.
    aside: HashMap<Subject, (u64, Basis)>,
    /// What was declined when it was last weighed.
    declined: HashMap<Subject, Refusal>,
    /// What of it nobody was told yet.
    untold: Vec<(Intent, Declined)>,
}

impl Default for History {
    fn default() -> Self {
        Self::with_patience(UNKNOWN_SLOTS)
    }
}

impl History {
    /// A memory in which what is under way blocks its target for `patience_slots` at most.
    pub fn with_patience(patience_slots: u64) -> Self {
        Self {
            patience_slots,
            under_way: HashMap::new(),
            settled: HashMap::new(),
            trouble: HashMap::new(),
            refused: HashMap::new(),
            measured: HashMap::new(),
            wanted: HashMap::new(),
            aside: HashMap::new(),
            declined: HashMap::new(),
            untold: Vec::new(),
        }
    }

    /// Returns how many intents are under way that take room from others: postings have room of their own.
    pub fn in_flight(&self) -> usize {
        self.under_way.keys().filter(|(class, _)| *class != ActionClass::Post).count()
    }

    /// Tells whether a transaction is under way for the target that stands in the way of `intent`.
    ///
    /// Where the program fences the action and the fence moved on, the one under way has landed or can't any more.
    pub fn is_under_way(&self, intent: &Intent) -> bool {
        use ActionClass as C;
        let is_fenced = matches!(intent.class, C::Trip | C::Liquidate | C::Deleverage | C::Rebalance);
        self.under_way.get(&subject(intent)).is_some_and(|u| !(is_fenced && intent.fence > u.fence))
    }

    /// Returns what is promised to transactions under way, by mint.
    pub fn reserved(&self) -> BTreeMap<Pubkey, u64> {
        let mut sums = BTreeMap::new();
        for (mint, amount) in self.under_way.values().filter_map(|u| u.spends) {
            let sum: &mut u64 = sums.entry(mint).or_default();
            *sum = sum.saturating_add(amount);
        }
        sums
    }

    /// Returns how often transactions for the target expired unlanded since the last that landed.
    pub fn expiries(&self, intent: &Intent) -> u32 {
        self.trouble.get(&subject(intent)).map_or(0, |t| t.expiries)
    }

    /// Returns how often transactions for the target ran out of compute units since the last that landed.
    pub fn compute_exceeded(&self, intent: &Intent) -> u32 {
        self.trouble.get(&subject(intent)).map_or(0, |t| t.compute_exceeded)
    }

    /// Returns the units that a class was measured to need after it had run out of them; zero while it never had.
    pub fn measured_units(&self, class: ActionClass) -> u32 {
        self.measured.get(&class).copied().unwrap_or(0)
    }

    /// Tells whether the program refused the last transaction for the target for want of the reserve's accounts.
    pub fn needs_cover(&self, intent: &Intent) -> bool {
        self.trouble.get(&subject(intent)).is_some_and(|t| t.needs_cover)
    }

    /// Notes that an intent is not worth it on this basis, as far as is known until `slot`.
    pub fn set_aside(&mut self, intent: &Intent, slot: u64, basis: Basis) {
        self.aside.insert(subject(intent), (slot, basis));
    }

    /// Tells whether an intent was found not worth it on the same basis, and that still counts at `slot`.
    pub fn is_aside(&self, intent: &Intent, slot: u64, basis: Basis) -> bool {
        self.aside.get(&subject(intent)).is_some_and(|(until, on)| slot < *until && *on == basis)
    }

    /// Notes that a liquidation was weighed and declined. It is news once for each reason and state of the position.
    pub fn decline(&mut self, intent: &Intent, why: Declined, slot: u64) {
        let refusal = Refusal { id: intent.id(), why, slot };
        let known = self.declined.insert(subject(intent), refusal);
        let is_news = known.is_none_or(|known| known.id != refusal.id || known.why.as_str() != why.as_str());
        if is_news && self.untold.len() < UNTOLD {
            self.untold.push((intent.clone(), why));
        }
    }

    /// Notes that a liquidation was weighed and is worth it.
    pub fn accept(&mut self, intent: &Intent) {
        self.declined.remove(&subject(intent));
    }

    /// Returns what was declined since the last call and not before.
    pub fn take_declined(&mut self) -> Vec<(Intent, Declined)> {
        std::mem::take(&mut self.untold)
    }

    /// Returns why a position was declined when it was last weighed.
    pub fn declined(&self, class: ActionClass, target: &Pubkey) -> Option<Declined> {
        self.declined.get(&(class, *target)).map(|refusal| refusal.why)
    }

    /// Returns the positions that were declined when they were last weighed.
    pub fn all_declined(&self) -> impl Iterator<Item = &Pubkey> {
        self.declined.keys().map(|(_, target)| target)
    }

    /// Notes what would be done now and on which state, for the stagger; forgets what has not been wanted for a while.
    pub fn note_wanted<'a>(&mut self, intents: impl Iterator<Item = (&'a Intent, u64)>, slot: u64) {
        for (intent, awaited) in intents {
            let fresh = Wanted { awaited, first_slot: slot, last_slot: slot };
            let known = self.wanted.entry(subject(intent)).or_insert(fresh);
            // the chain moved, so somebody acted and the wait starts anew; so it does after a pause of this process
            let is_same = known.awaited == awaited && slot.saturating_sub(known.last_slot) <= FORGET_SLOTS;
            *known = if is_same { Wanted { last_slot: slot, ..*known } } else { fresh };
        }
        self.wanted.retain(|_, wanted| slot.saturating_sub(wanted.last_slot) <= FORGET_SLOTS);
        self.aside.retain(|_, (until, _)| slot < *until);
        self.refused.retain(|subject, _| self.wanted.contains_key(subject));
        self.declined.retain(|_, refusal| slot.saturating_sub(refusal.slot) <= DECLINED_SLOTS);
        self.under_way.retain(|_, under_way| slot.saturating_sub(under_way.since_slot) <= self.patience_slots);
    }

    /// Tells whether something is wanted that was not acted on yet: time alone may make it due.
    pub fn is_waiting(&self, slot: u64) -> bool {
        let is_open = |(subject, wanted): (&Subject, &Wanted)| {
            !self.under_way.contains_key(subject) && slot.saturating_sub(wanted.last_slot) <= FORGET_SLOTS
        };
        self.wanted.iter().any(is_open)
    }

    /// Says what holds an intent back at `slot`; nothing where it is due. Changes nothing.
    pub fn hold(&self, intent: &Intent, slot: u64, state_slot: Option<u64>, delay_slots: u64) -> Option<String> {
        let subject = subject(intent);
        if let Some(under_way) = self.under_way.get(&subject).filter(|_| self.is_under_way(intent)) {
            return Some(format!("a transaction is under way since slot {}", under_way.since_slot));
        }
        if let Some(trouble) = self.trouble.get(&subject).filter(|t| slot < t.pause_until_slot) {
            let why = self.refused.get(&subject).map_or_else(String::new, |why| format!(": {why}"));
            return Some(format!(
                "left alone until slot {} after {} failures{why}",
                trouble.pause_until_slot, trouble.failures
            ));
        }
        if let Some(settled) = self.settled.get(&subject).filter(|s| s.id == intent.id()) {
            let shows = state_slot.is_some_and(|at| at >= settled.slot);
            if !shows && slot < settled.slot.saturating_add(CATCH_UP_SLOTS) {
                return Some(format!("it landed at slot {} and does not show yet", settled.slot));
            }
        }
        let due_slot = self.wanted.get(&subject).map_or(slot, |w| w.first_slot).saturating_add(delay_slots);
        (slot < due_slot).then(|| format!("left to keepers of a lower rank until slot {due_slot}"))
    }

    /// Tells whether an intent may be acted on at `slot`, with the target's state as of `state_slot`.
    pub fn is_due(&self, intent: &Intent, slot: u64, state_slot: Option<u64>, delay_slots: u64) -> bool {
        let first_slot = self.wanted.get(&subject(intent)).map_or(slot, |wanted| wanted.first_slot);
        !self.is_held(intent, slot, state_slot) && slot >= first_slot.saturating_add(delay_slots)
    }

    /// Tells whether something stands in the way of an intent at `slot` whatever the rank: a transaction under way, a
    /// pause after a failure, or a landed one whose effect doesn't show yet in the state as of `state_slot`.
    pub fn is_held(&self, intent: &Intent, slot: u64, state_slot: Option<u64>) -> bool {
        let (subject, id) = (subject(intent), intent.id());
        if self.is_under_way(intent) || self.trouble.get(&subject).is_some_and(|t| slot < t.pause_until_slot) {
            return true;
        }
        let is_settled = |s: &Settled| {
            let shows =
                state_slot.is_some_and(|state| state >= s.slot) || slot >= s.slot.saturating_add(CATCH_UP_SLOTS);
            s.id == id && !shows
        };
        self.settled.get(&subject).is_some_and(is_settled)
    }

    /// Notes that an intent is being carried out. `spends`: mint and amount.
    pub fn started(&mut self, intent: &Intent, spends: Option<(Pubkey, u64)>, slot: u64) {
        self.settled.remove(&subject(intent));
        self.refused.remove(&subject(intent));
        let under_way = UnderWay { id: intent.id(), fence: intent.fence, since_slot: slot, spends };
        self.under_way.insert(subject(intent), under_way);
    }

    /// Notes that nothing was sent after all; tried again after a short pause.
    pub fn not_sent(&mut self, intent: &Intent, slot: u64) {
        self.finish(intent);
        let trouble = self.trouble.entry(subject(intent)).or_default();
        trouble.pause_until_slot = trouble.pause_until_slot.max(slot.saturating_add(8));
    }

    /// Notes why nothing was sent, for whoever asks; until it is tried again.
    pub fn note_refusal(&mut self, intent: &Intent, why: String) {
        self.refused.insert(subject(intent), why);
    }

    /// Notes that what was decided was withdrawn before it left; decided anew as if it had never been.
    pub fn withdrawn(&mut self, intent: &Intent) {
        self.finish(intent);
    }

    /// Takes back slots after `slot`, which never were: what was noted then counts from `slot` on.
    pub fn step_back(&mut self, slot: u64) {
        self.under_way.values_mut().for_each(|under_way| under_way.since_slot = under_way.since_slot.min(slot));
        self.settled.retain(|_, settled| settled.slot <= slot);
        let longest = slot.saturating_add(LONGEST_PAUSE_SLOTS);
        self.trouble.values_mut().filter(|t| t.pause_until_slot > longest).for_each(|t| t.pause_until_slot = slot);
        self.wanted.retain(|_, wanted| wanted.last_slot <= slot);
        self.aside.clear();
        self.declined.values_mut().for_each(|refusal| refusal.slot = refusal.slot.min(slot));
    }

    /// Notes what became of an intent's transaction.
    pub fn ended(&mut self, intent: &Intent, outcome: &Outcome, slot: u64) {
        let subject = subject(intent);
        match outcome {
            // it may have landed: nothing new while that is open
            Outcome::Unknown => return,
            Outcome::Landed { slot: landed, compute_units } => {
                let trouble = self.trouble.remove(&subject).unwrap_or_default();
                if let Some(used) = compute_units.filter(|_| trouble.compute_exceeded > 0) {
                    // a quarter more, for the next may cost a little more
                    let needed = u32::try_from(used.saturating_add(used / 4)).unwrap_or(u32::MAX);
                    let known = self.measured.entry(subject.0).or_default();
                    *known = needed.max(*known);
                }
                self.settled.insert(subject, Settled { id: intent.id(), slot: *landed });
            }
            // no error of ours: wait until the winner's change shows. Where the evidence was gone instead, nobody may have
            // changed anything: a short pause is all
            Outcome::Failed { slot: failed, lost_race: true, code, .. } if !is_moved(*code) => {
                self.settled.insert(subject, Settled { id: intent.id(), slot: *failed });
            }
            Outcome::Failed { error, code, .. } => self.failed(subject, error, *code, slot),
            Outcome::Expired => self.trouble.entry(subject).or_default().expiries += 1,
        }
        self.finish(intent);
    }

    /// The target may be under way again by now, on a later fence.
    fn finish(&mut self, intent: &Intent) {
        let subject = subject(intent);
        if self.under_way.get(&subject).is_some_and(|under_way| under_way.id == intent.id()) {
            self.under_way.remove(&subject);
        }
    }

    fn failed(&mut self, subject: Subject, error: &TransactionError, code: Option<u32>, slot: u64) {
        let trouble = self.trouble.entry(subject).or_default();
        if is_compute_exceeded(error) {
            trouble.compute_exceeded = trouble.compute_exceeded.saturating_add(1);
        }
        trouble.needs_cover |= code == Some(RampartError::ReserveMissing.into());
        trouble.failures = trouble.failures.saturating_add(1);
        // one more try at once with more units; then it is no measurement that is off
        let is_poison = trouble.compute_exceeded > 1 && is_compute_exceeded(error);
        let first = if is_poison { LONGEST_PAUSE_SLOTS } else { pause_slots(error, code) };
        let pause = first.saturating_mul(1 << (trouble.failures - 1).min(12)).min(LONGEST_PAUSE_SLOTS);
        // a trip that failed is tried again soon, however often: it guards everything
        let pause = if subject.0 == ActionClass::Trip { pause.min(8) } else { pause };
        trouble.pause_until_slot = slot.saturating_add(pause);
    }
}

/// Whether the evidence moved between decision and block.
fn is_moved(code: Option<u32>) -> bool {
    use RampartError as E;
    const MOVED: [RampartError; 25] = [
        E::PositionHealthy,
        E::OutsideSoftBand,
        E::LiquidatedThisSlot,
        E::ObservationNotNewer,
        E::PriceIndeterminate,
        E::PriceDisagreement,
        E::RuleNotTrue,
        E::RuleIndeterminate,
        E::RuleNotPersistent,
        E::RuleNotClear,
        E::GroupNotTrue,
        E::GroupNotClear,
        E::LiquidationGrace,
        E::DwellNotOver,
        E::SoftQuotaUsed,
        E::LevelForbids,
        E::TwoSourcesRequired,
        E::ReserveMissing,
        E::SwapRepayNotCovered,
        E::SwapBelowBound,
        E::SwapBelowMinimum,
        E::SwapPriceTooOld,
        E::SwapDayUsed,
        E::RebalanceOvershoots,
        E::RebalanceTooSmall,
    ];
    code.is_some_and(|code| MOVED.iter().any(|moved| u32::from(*moved) == code))
}

/// How long to leave a target alone after its first failure, slots.
fn pause_slots(error: &TransactionError, code: Option<u32>) -> u64 {
    match error {
        // look again after the next slots
        _ if is_moved(code) => 2,
        _ if is_compute_exceeded(error) => 1,
        TransactionError::InsufficientFundsForFee | TransactionError::InsufficientFundsForRent { .. } => 128,
        _ => 16,
    }
}

fn is_compute_exceeded(error: &TransactionError) -> bool {
    use InstructionError::{ComputationalBudgetExceeded, ProgramFailedToComplete};
    matches!(error, TransactionError::InstructionError(_, ComputationalBudgetExceeded | ProgramFailedToComplete))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Pubkey = Pubkey::new_from_array([7; 32]);

    fn intent(class: ActionClass, fence: u64) -> Intent {
        Intent { class, target: TARGET, fence, reason: String::new() }
    }

    fn failed(code: u32) -> Outcome {
        let error = TransactionError::InstructionError(2, InstructionError::Custom(code));
        Outcome::Failed { slot: 10, error, code: Some(code), lost_race: false }
    }

    #[test]
    fn one_transaction_for_a_target_is_under_way_at_a_time() {
        let (mut history, first) = (History::default(), intent(ActionClass::Liquidate, 1));
        assert!(history.is_due(&first, 10, None, 0));
        history.started(&first, Some((TARGET, 5)), 10);
        assert!(!history.is_due(&first, 11, None, 0));
        assert!(!history.is_due(&intent(ActionClass::Liquidate, 0), 11, None, 0), "an older version of the account");
        assert!(history.is_due(&intent(ActionClass::Deleverage, 1), 11, None, 0));
        assert_eq!(history.reserved(), BTreeMap::from([(TARGET, 5)]));
    }

    #[test]
    fn declined_liquidation_is_news_once_for_each_reason_and_state() {
        let (mut history, first) = (History::default(), intent(ActionClass::Liquidate, 1));
        let loss = |profit_micro_usd| Declined::Loss { profit_micro_usd, least_micro_usd: 0 };
        let mut decline = |intent: &Intent, why, slot| {
            history.decline(intent, why, slot);
            history.note_wanted(std::iter::empty(), slot);
            history.take_declined().len()
        };
        assert_eq!(decline(&first, loss(-5), 10), 1);
        assert_eq!(decline(&first, loss(-6), 14), 0, "as before");
        assert_eq!(decline(&first, Declined::NoWay, 18), 1, "another reason");
        assert_eq!(decline(&intent(ActionClass::Liquidate, 2), Declined::NoWay, 22), 1, "another state");
        assert_eq!(history.declined(ActionClass::Liquidate, &TARGET), Some(Declined::NoWay));
        history.note_wanted(std::iter::empty(), 22 + DECLINED_SLOTS + 1);
        assert_eq!(history.declined(ActionClass::Liquidate, &TARGET), None, "it is no longer in reach");
        history.decline(&first, loss(-5), 900);
        history.accept(&first);
        assert_eq!(history.declined(ActionClass::Liquidate, &TARGET), None, "it is worth it by now");
    }

    #[test]
    fn fence_that_moved_frees_a_fenced_target_and_the_late_outcome_changes_nothing() {
        let (mut history, first, second) =
            (History::default(), intent(ActionClass::Liquidate, 1), intent(ActionClass::Liquidate, 2));
        history.started(&first, Some((TARGET, 5)), 10);
        assert!(history.is_due(&second, 12, None, 0));
        history.started(&second, Some((TARGET, 7)), 12);
        history.ended(&first, &Outcome::Landed { slot: 11, compute_units: None }, 14);
        assert!(!history.is_due(&second, 14, None, 0));
        assert_eq!(history.reserved(), BTreeMap::from([(TARGET, 7)]));
        let (observe, next) = (intent(ActionClass::Observe, 1), intent(ActionClass::Observe, 2));
        history.started(&observe, None, 10);
        assert!(!history.is_due(&next, 12, None, 0), "observations are no race to win");
    }

    fn lost(code: RampartError, slot: u64) -> Outcome {
        let code = u32::from(code);
        let error = TransactionError::InstructionError(2, InstructionError::Custom(code));
        Outcome::Failed { slot, error, code: Some(code), lost_race: true }
    }

    /// Nobody had written the position, so that its version in the store never reached the slot of the failure, and the
    /// target was left alone until the next sweep of everything.
    #[test]
    fn refused_evidence_pauses_for_slots_whatever_version_of_the_target_is_known() {
        let cases = [
            (ActionClass::Liquidate, RampartError::PositionHealthy),
            (ActionClass::Liquidate, RampartError::LiquidationGrace),
            (ActionClass::Deleverage, RampartError::OutsideSoftBand),
            (ActionClass::StepDown, RampartError::RuleNotClear),
            (ActionClass::Trip, RampartError::RuleNotTrue),
            (ActionClass::Trip, RampartError::GroupNotTrue),
        ];
        for (class, code) in cases {
            let (mut history, first, stale) = (History::default(), intent(class, 1), Some(7));
            for (slot, pause) in [(100, 2), (200, 4), (300, 8)] {
                history.started(&first, None, slot);
                history.ended(&first, &lost(code, slot), slot);
                assert!(!history.is_due(&first, slot + pause - 1, stale, 0), "{code:?}");
                assert!(history.is_due(&first, slot + pause, stale, 0), "{code:?}: {pause}");
            }
        }
    }

    #[test]
    fn slots_that_never_were_hold_nothing_back() {
        let (mut history, first, other) =
            (History::default(), intent(ActionClass::Liquidate, 1), intent(ActionClass::Observe, 1));
        history.started(&first, None, 50_000_000);
        history.ended(&other, &failed(1), 50_000_000);
        history.step_back(1_000);
        assert!(history.is_due(&other, 1_000, None, 0));
        assert!(!history.is_due(&first, 1_001, None, 0), "it is under way all the same");
        history.note_wanted(std::iter::empty(), 1_001 + UNKNOWN_SLOTS);
        assert!(history.is_due(&first, 1_001 + UNKNOWN_SLOTS, None, 0));
    }

    #[test]
    fn landed_intent_waits_until_its_effect_shows() {
        let (mut history, first) = (History::default(), intent(ActionClass::StepDown, 1));
        history.started(&first, None, 10);
        history.ended(&first, &Outcome::Landed { slot: 12, compute_units: None }, 13);
        assert!(!history.is_due(&first, 13, Some(11), 0), "the store is behind");
        assert!(history.is_due(&intent(ActionClass::StepDown, 2), 13, Some(11), 0), "the fence moved");
        assert!(history.is_due(&first, 14, Some(12), 0), "it shows, and is wanted again");
        assert!(history.is_due(&first, 12 + CATCH_UP_SLOTS, None, 0), "the fork it landed on is gone");
    }

    #[test]
    fn lost_race_is_no_error_but_waits_for_the_winner() {
        let (mut history, first) = (History::default(), intent(ActionClass::Liquidate, 1));
        history.started(&first, None, 10);
        history.ended(&first, &lost(RampartError::LiquidationSeqMoved, 10), 11);
        assert!(!history.is_due(&first, 11, Some(9), 0));
        assert!(history.is_due(&intent(ActionClass::Liquidate, 2), 11, Some(10), 0));
    }

    #[test]
    fn fault_39_target_that_keeps_failing_is_left_alone_for_longer_and_longer() {
        let (mut history, first) = (History::default(), intent(ActionClass::Liquidate, 1));
        let mut pauses = vec![];
        for slot in [1_000, 100_000, 200_000, 300_000] {
            history.ended(&first, &failed(1), slot);
            pauses.push((1..).find(|wait| history.is_due(&first, slot + wait, None, 0)).unwrap());
        }
        assert_eq!(pauses, [16, 32, 64, 128]);
        assert!(history.is_due(&intent(ActionClass::Deleverage, 1), 300_001, None, 0), "others are unaffected");
    }

    #[test]
    fn moved_evidence_and_trips_are_tried_again_soon() {
        let mut history = History::default();
        let (liquidate, trip) = (intent(ActionClass::Liquidate, 1), intent(ActionClass::Trip, 1));
        history.ended(&liquidate, &failed(u32::from(RampartError::PositionHealthy)), 100);
        assert!(!history.is_due(&liquidate, 101, None, 0) && history.is_due(&liquidate, 102, None, 0));
        for _ in 0..40 {
            history.ended(&trip, &failed(u32::from(RampartError::RuleNotTrue)), 100);
        }
        assert!(history.is_due(&trip, 108, None, 0));
    }

    #[test]
    fn unknown_fate_blocks_and_expiry_frees() {
        let (mut history, first) = (History::default(), intent(ActionClass::Trip, 1));
        history.started(&first, None, 10);
        history.ended(&first, &Outcome::Unknown, 50);
        history.note_wanted(std::iter::once((&first, 1)), 60);
        assert!(!history.is_due(&first, 60, None, 0));
        history.ended(&first, &Outcome::Expired, 200);
        assert!(history.is_due(&first, 200, None, 0));
        assert_eq!(history.expiries(&first), 1);
    }

    #[test]
    fn rank_waits_and_waits_anew_when_the_chain_moved() {
        let (mut history, first, second) =
            (History::default(), intent(ActionClass::Liquidate, 1), intent(ActionClass::Liquidate, 2));
        history.note_wanted(std::iter::once((&first, 1)), 100);
        assert!(!history.is_due(&first, 105, None, 6));
        history.note_wanted(std::iter::once((&first, 1)), 106);
        assert!(history.is_due(&first, 106, None, 6));
        history.note_wanted(std::iter::once((&second, 2)), 106);
        assert!(!history.is_due(&second, 106, None, 6));
        history.note_wanted(std::iter::empty(), 106 + FORGET_SLOTS + 1);
        history.note_wanted(std::iter::once((&second, 2)), 200);
        assert!(!history.is_due(&second, 205, None, 6), "it was not wanted for a while");
    }

    #[test]
    fn fault_32_compute_exceeded_is_tried_again_at_once_and_then_left_alone() {
        let (mut history, first) = (History::default(), intent(ActionClass::Liquidate, 1));
        let error = TransactionError::InstructionError(2, InstructionError::ComputationalBudgetExceeded);
        history.ended(&first, &Outcome::Failed { slot: 10, error, code: None, lost_race: false }, 10);
        assert_eq!(history.compute_exceeded(&first), 1);
        assert!(history.is_due(&first, 11, None, 0));
        let error = TransactionError::InstructionError(2, InstructionError::ComputationalBudgetExceeded);
        history.ended(&first, &Outcome::Failed { slot: 12, error, code: None, lost_race: false }, 12);
        assert!(!history.is_due(&first, 12 + LONGEST_PAUSE_SLOTS - 1, None, 0), "no third at once");
        assert!(history.is_due(&first, 12 + LONGEST_PAUSE_SLOTS, None, 0));
        assert_eq!(history.measured_units(ActionClass::Liquidate), 0);
        history.ended(&first, &Outcome::Landed { slot: 5_000, compute_units: Some(200_000) }, 5_000);
        assert_eq!(history.measured_units(ActionClass::Liquidate), 250_000, "what it took, and a quarter more");
        history.ended(&first, &Outcome::Landed { slot: 5_001, compute_units: Some(400_000) }, 5_001);
        assert_eq!(history.measured_units(ActionClass::Liquidate), 250_000, "nothing had run out");
    }
}
