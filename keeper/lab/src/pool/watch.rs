//! One rule and the keeper that watches it: observe, trip, step down, each as the instruction of that name does it.

use super::defence::{Defence, is_on};
use anchor_lang::prelude::Pubkey;
use rampart::error::RampartError;
use rampart::risk::measures::{self, Measured};
use rampart::risk::verdict::{Unknown, Verdict};
use rampart::state::rule::{Metric, RuleParams};
use rampart::state::{Breaker, Cause, ReportPart, Rule, Scope};

/// A rule, its address, and since when a trip of it is under way.
#[derive(Clone)]
pub struct Watch {
    /// The account.
    pub rule: Box<Rule>,
    key: Pubkey,
    ready_ts: Option<i64>,
    trips: u64,
}

/// How a keeper works within a step.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Length of the step, seconds.
    pub step_secs: u32,
    /// Between two observations, seconds.
    pub cadence_secs: u32,
    /// From a proof to its effect, seconds.
    pub latency_secs: u32,
}

impl Watch {
    /// Returns rule `id` as it stands after its creation.
    pub fn new(id: usize, params: RuleParams) -> Self {
        let mut rule: Box<Rule> = Box::new(bytemuck::Zeroable::zeroed());
        rule.params = params;
        rule.id = id as u16;
        let mut key = [0xa0; 32];
        key[..8].copy_from_slice(&(id as u64).to_le_bytes());
        Self { rule, key: Pubkey::new_from_array(key), ready_ts: None, trips: 0 }
    }

    /// Returns how often it has tripped.
    pub fn trips(&self) -> u64 {
        self.trips
    }

    /// Returns whether its cause is in force.
    pub fn is_in_force(&self, breaker: &Breaker, now_ts: i64) -> bool {
        breaker.cause_of(&self.key, now_ts).is_some()
    }

    /// Watches through one step: as many observations as its streak needs, a trip where it is proved, a step down where clear.
    fn play(&mut self, measured: Measured, breaker: &mut Breaker, pace: Pace, now_ts: i64, slot: u64) {
        match measured.verdict {
            Verdict::True { .. } => self.pursue(measured, breaker, pace, now_ts, slot),
            verdict => {
                self.ready_ts = None;
                let _ = self.rule.observe(verdict, measured.publish_ts, now_ts, slot);
                let is_clear = matches!(verdict, Verdict::Clear { .. });
                if is_clear && self.is_in_force(breaker, now_ts) && breaker.step_down(&self.key, now_ts).is_ok() {
                    let _ = self.rule.note_step_down(now_ts);
                }
            }
        }
    }

    fn pursue(&mut self, measured: Measured, breaker: &mut Breaker, pace: Pace, now_ts: i64, slot: u64) {
        let cadence = i64::from(pace.cadence_secs.clamp(1, pace.step_secs.max(1)));
        let end_ts = now_ts + i64::from(pace.step_secs.max(1));
        // a frozen source prints nothing newer, however often one looks
        let is_moving = now_ts - measured.publish_ts < cadence;
        let mut at_ts = now_ts;
        while at_ts < end_ts {
            let passed = at_ts - now_ts;
            let publish_ts = measured.publish_ts + if is_moving { passed } else { 0 };
            let at_slot = slot + passed as u64 * 4;
            if self.rule.is_persistent(publish_ts, at_ts, at_slot) && self.is_due(at_ts, pace, end_ts) {
                self.rule.hold_reference(&measured, at_ts);
                let cause = Cause::of_rule(self.key, &self.rule.params, at_ts);
                if breaker.trip(cause, at_ts).is_ok() {
                    self.rule.trip_epoch += 1;
                    self.trips += 1;
                    return;
                }
            }
            self.rule.hold_reference(&measured, at_ts);
            let _ = self.rule.observe(measured.verdict, publish_ts, at_ts, at_slot);
            if self.is_in_force(breaker, at_ts) {
                return;
            }
            at_ts += cadence;
        }
    }

    /// A proof takes effect after the latency; one that fits into the step, within it.
    fn is_due(&mut self, at_ts: i64, pace: Pace, end_ts: i64) -> bool {
        let ready_ts = *self.ready_ts.get_or_insert(at_ts);
        ready_ts + i64::from(pace.latency_secs) < end_ts
    }
}

/// Tells whether the pool knows what a metric measures without a quorum of keepers: what they report is played where a guard has
/// them (`GuardConfig::keepers`). Nobody forges books or feeds an insurance here.
pub fn is_simulated(metric: Metric) -> bool {
    let is_unknown = matches!(metric, Metric::VaultShortfall | Metric::InflowRate | Metric::ReserveCover);
    !metric.is_reported() && !is_unknown
}

impl Defence {
    /// Lets the keeper watch every rule through one step.
    pub fn watch(&mut self, pace: Pace, now_ts: i64) {
        let mut watches = std::mem::take(&mut self.watches);
        for watch in watches.iter_mut().filter(|watch| is_on(watch.rule.params.switch)) {
            let Ok(measured) = self.measure(&watch.rule, now_ts) else { continue };
            let slot = self.slot;
            let breaker = self.breaker_of(&watch.rule);
            watch.play(measured, breaker, pace, now_ts, slot);
        }
        self.watches = watches;
    }

    /// Measures a rule on the accounts as they stand; what isn't simulated is indeterminate.
    fn measure(&self, rule: &Rule, now_ts: i64) -> Result<Measured, RampartError> {
        let metric = Metric::try_from(rule.params.metric)?;
        if metric == Metric::SupplyGrowth {
            return Ok(measures::supply(&rule.params, &self.collateral, self.supply, now_ts));
        }
        if metric.is_about_asset() {
            return measures::asset(rule, &self.collateral, &self.reading, now_ts);
        }
        if let Some(quorum) = self.quorum.as_deref().filter(|_| metric.is_reported()) {
            let part = ReportPart::try_from(rule.params.part)?;
            return measures::reported(&rule.params, &quorum.poll(part, now_ts), now_ts);
        }
        if !is_simulated(metric) {
            let verdict = Verdict::Indeterminate(Unknown::Nothing);
            return Ok(Measured { verdict, publish_ts: now_ts, reference: None });
        }
        let band = self.band(now_ts);
        let pair = band.and_then(|band| Ok((self.pair_band(&band)?, band.oldest_publish_ts())));
        measures::vault(&rule.params, &self.vault, pair, now_ts)
    }

    fn breaker_of(&mut self, rule: &Rule) -> &mut Breaker {
        // what keepers report is about the collateral
        let of_asset = |metric: Metric| metric.is_about_asset() || metric.is_reported();
        let is_about_asset = Metric::try_from(rule.params.metric).is_ok_and(of_asset);
        match (rule.params.scope == Scope::Guard as u8, is_about_asset) {
            (true, _) => &mut self.guard.breaker,
            (false, true) => &mut self.collateral.breaker,
            (false, false) => &mut self.vault.breaker,
        }
    }
}
