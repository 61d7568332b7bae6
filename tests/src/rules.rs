//! Rules of the world: parameters for each metric, and the evidence that each is judged on.

use crate::asserts::code_of;
use crate::defaults;
use crate::world::{Outcome, World};
use rampart::error::RampartError;
use rampart::state::asset::ReferenceSpan;
use rampart::state::rule::{Comparator, Metric, RuleParams};
use rampart::state::{Asset, Level};
use rampart_client::evidence::{self, PairAssets};
use rampart_client::{AccountMeta, Instruction, Pubkey, keepers};

/// What a rule comes to, as a caller can find out on chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// A trip is not refused for want of truth.
    True,
    /// Neither true nor clear.
    Between,
    /// A step down is not refused for want of clearness.
    Clear,
    /// Neither can be proved.
    Indeterminate,
}

/// True at once on a gap of 10 % to the reference, proved by two sources: level ReduceOnly.
pub fn deviation() -> RuleParams {
    RuleParams { metric: Metric::DeviationFromReference as u8, window_secs: 1, ..defaults::drawdown_rule() }
}

/// True when the second freshest source is two minutes old: level Caution.
pub fn oracle_age() -> RuleParams {
    let metric = Metric::OracleAge as u8;
    RuleParams { threshold: 120, clear_threshold: 90, window_secs: 1, metric, ..blind() }
}

/// True when the wider of two sources has a confidence of 1 %: level Caution.
pub fn confidence_ratio() -> RuleParams {
    let metric = Metric::ConfidenceRatio as u8;
    RuleParams { threshold: 100, clear_threshold: 50, window_secs: 1, metric, ..blind() }
}

fn blind() -> RuleParams {
    RuleParams { level: Level::Caution as u8, ..defaults::drawdown_rule() }
}

/// True when 20 % of the day's base left within two hours: level ReduceOnly on the vault.
pub fn outflow_rate() -> RuleParams {
    let metric = Metric::OutflowRate as u8;
    RuleParams { threshold: 2_000, clear_threshold: 1_000, window_secs: 7_200, metric, ..defaults::drawdown_rule() }
}

/// True when a vault's collateral is worth at most 130 % of its debt: level ReduceOnly on the vault.
pub fn collateral_ratio() -> RuleParams {
    RuleParams {
        threshold: 13_000,
        clear_threshold: 15_000,
        window_secs: 1,
        metric: Metric::CollateralRatio as u8,
        comparator: Comparator::Below as u8,
        ..defaults::drawdown_rule()
    }
}

/// As [`deviation`], against another of the asset's references.
pub fn deviation_from(span: ReferenceSpan) -> RuleParams {
    RuleParams { reference_span: span as u8, ..deviation() }
}

/// True when the second freshest source is two minutes old and that has been seen for ten: level ReduceOnly.
pub fn long_blindness() -> RuleParams {
    RuleParams { level: Level::ReduceOnly as u8, min_persist_secs: 600, min_observations: 3, ..oracle_age() }
}

/// True when the minutes of ten moved by 8 % in sum of squares: level ReduceOnly.
pub fn realized_volatility() -> RuleParams {
    let metric = Metric::RealizedVolatility as u8;
    RuleParams { threshold: 800, clear_threshold: 400, metric, ..defaults::drawdown_rule() }
}

/// True when sources are 60 bps apart: level Caution.
pub fn source_disagreement() -> RuleParams {
    let metric = Metric::SourceDisagreement as u8;
    RuleParams { threshold: 60, clear_threshold: 30, window_secs: 1, metric, ..blind() }
}

/// True when a dollar is 1.5 % off: level ReduceOnly.
pub fn peg_deviation() -> RuleParams {
    let metric = Metric::PegDeviation as u8;
    RuleParams { threshold: 150, clear_threshold: 75, window_secs: 1, metric, ..defaults::drawdown_rule() }
}

/// True when a mint's supply grew by a tenth over its reference: level Halt.
pub fn supply_growth() -> RuleParams {
    let (metric, level) = (Metric::SupplyGrowth as u8, Level::Halt as u8);
    RuleParams { window_secs: 1, sources_required: 1, metric, level, ..defaults::drawdown_rule() }
}

/// True when collateral of 20 % of the day's base came in within two hours: level ReduceOnly on the vault, for new risk.
pub fn inflow_rate() -> RuleParams {
    RuleParams { metric: Metric::InflowRate as u8, ..outflow_rate() }
}

/// True when 95 % of a vault are lent out: level ReduceOnly on the vault.
pub fn utilisation() -> RuleParams {
    let metric = Metric::Utilisation as u8;
    RuleParams { threshold: 9_500, clear_threshold: 9_000, window_secs: 1, metric, ..outflow_rate() }
}

/// True when the insurance is at most 1 % of the debt: level Caution on the vault.
pub fn reserve_cover() -> RuleParams {
    RuleParams {
        threshold: 100,
        clear_threshold: 200,
        window_secs: 1,
        metric: Metric::ReserveCover as u8,
        comparator: Comparator::Below as u8,
        level: Level::Caution as u8,
        ..outflow_rate()
    }
}

impl World {
    /// Returns the accounts beside the subject that the rule at `key` is judged on.
    pub fn evidence_of(&self, key: &Pubkey) -> (Option<PairAssets>, Vec<AccountMeta>) {
        let rule = self.rule(key);
        if Metric::try_from(rule.params.metric).is_ok_and(Metric::is_reported) {
            return (None, keepers::report_metas(&self.keeper_set(), &rule.subject));
        }
        if rule.params.metric == Metric::SupplyGrowth as u8 {
            let mint = self.load::<Asset>(&rule.subject).mint;
            return (None, vec![AccountMeta::new_readonly(mint, false)]);
        }
        if rule.params.metric == Metric::CollateralRatio as u8 {
            let pair = PairAssets { collateral: self.keys.collateral_asset, loan: self.keys.loan_asset };
            return (Some(pair), self.pair_oracles());
        }
        let feeds = [(self.keys.collateral_asset, self.sol_feeds), (self.keys.loan_asset, self.usdc_feeds)];
        let own = feeds.iter().find(|(asset, _)| *asset == rule.subject);
        (None, own.map_or(vec![], |(_, feeds)| feeds.metas()))
    }

    /// Returns the instruction that trips the rule at `key`.
    pub fn trip_ix(&self, key: Pubkey) -> Instruction {
        let (pair, oracles) = self.evidence_of(&key);
        evidence::trip(key, &self.rule(&key), pair, &oracles)
    }

    /// Returns the instruction that steps the rule at `key` down.
    pub fn step_down_ix(&self, key: Pubkey) -> Instruction {
        let (pair, oracles) = self.evidence_of(&key);
        evidence::step_down(key, &self.rule(&key), pair, &oracles)
    }

    /// Returns the instruction that takes an observation into the streak of the rule at `key`.
    pub fn observe_rule_ix(&self, key: Pubkey) -> Instruction {
        let (pair, oracles) = self.evidence_of(&key);
        evidence::observe_rule(key, &self.rule(&key), pair, &oracles)
    }

    /// Trips the rule at `key`, signed by nobody but the payer of the fee.
    pub fn trip(&mut self, key: Pubkey) -> Outcome {
        let ix = self.trip_ix(key);
        self.send(&[ix], &[])
    }

    /// Steps the rule at `key` down, signed by nobody but the payer of the fee.
    pub fn step_down(&mut self, key: Pubkey) -> Outcome {
        let ix = self.step_down_ix(key);
        self.send(&[ix], &[])
    }

    /// Observes the rule at `key`, signed by nobody but the payer of the fee.
    pub fn observe_rule(&mut self, key: Pubkey) -> Outcome {
        let ix = self.observe_rule_ix(key);
        self.send(&[ix], &[])
    }

    /// Returns what the rule at `key` comes to now, from what trip and step down would be refused for.
    ///
    /// # Panics
    /// If either is refused for a reason that has nothing to do with the verdict.
    pub fn shown(&self, key: Pubkey) -> Shown {
        use RampartError as E;
        let code = |ix| self.simulate(&[ix]).err().map(|error| code_of(&error));
        let is = |found: Option<u32>, errors: &[E]| errors.iter().any(|e| found == Some(u32::from(*e)));
        let tripped = code(self.trip_ix(key));
        if tripped.is_none() || is(tripped, &[E::RuleNotPersistent, E::AlreadyTripped, E::CausesFull]) {
            return Shown::True;
        }
        let stepped = code(self.step_down_ix(key));
        if is(tripped, &[E::RuleIndeterminate]) && is(stepped, &[E::RuleIndeterminate]) {
            return Shown::Indeterminate;
        }
        assert!(is(tripped, &[E::RuleNotTrue]), "trip is refused with {tripped:?}");
        if is(stepped, &[E::RuleNotClear]) {
            return Shown::Between;
        }
        let is_clear = stepped.is_none() || is(stepped, &[E::NotTripped, E::DwellNotOver]);
        assert!(is_clear, "step down is refused with {stepped:?}");
        Shown::Clear
    }

    /// Returns the level of the vault over guard, vault and both assets.
    pub fn level(&self) -> Level {
        let loan = self.load(&self.keys.loan_asset);
        let (guard, vault, now_ts) = (self.guard_state(), self.vault(), self.now_ts());
        rampart::shared::effective_levels(&guard, &vault, [&self.sol_asset(), &loan], now_ts).risk
    }
}
