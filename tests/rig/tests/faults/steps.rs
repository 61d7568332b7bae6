//! A rule that steps down soon.

use rampart::state::rule::RuleParams;
use rampart_tests::defaults::drawdown_rule;

/// Its dwell time, slots of 400 ms of chain time.
pub const DWELL_SLOTS: u64 = 25;

/// As the default rule, and over soon after the price is back.
pub fn brief_rule() -> RuleParams {
    RuleParams { min_dwell_secs: 10, window_secs: 60, ..drawdown_rule() }
}
