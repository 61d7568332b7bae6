//! A quorum of keepers that report about the collateral, and what the program makes of it.
//!
//! Owns who reports what: set, reports, ages and numbers are the program's accounts, changed by the program's own functions, and so are
//! quorum, median, spread and silence (`risk::keepers::Poll`) and how a limit follows the median (`KeeperCut::follow`). Honest keepers
//! see one market, so they say the same: the score of the lab's [`Watcher`], and what else of a report the pool knows.

use super::{Book, Defence, Pool};
use crate::attack::{Keeper, Tick};
use crate::learn::Watcher;
use crate::policy::Volatility;
use anchor_lang::prelude::Pubkey;
use rampart::math::bps::BPS_ONE;
use rampart::risk::keepers::{Ballot, Poll};
use rampart::state::keeper_set::KeeperLimits;
use rampart::state::{KeeperRole, KeeperSeat, KeeperSet, Report, ReportPart, ReportParts, ScaleTarget};
use rampart_score::hazard::staleness;
use rampart_score::input::Input;

/// Oracles' age from which a print counts as old, and as dead, seconds.
const AGES: (f64, f64) = (90.0, 600.0);

/// Who reports. The set is the program's: three to fifteen members, else it has no quorum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KeeperConfig {
    /// How many members there are.
    pub count: u8,
    /// How many of them say what an attacker wants where a scenario has a compromised keeper.
    pub compromised: u8,
    /// How many never report.
    pub silent: u8,
    /// Which reports count.
    pub limits: KeeperLimits,
}

impl KeeperConfig {
    /// Returns `count` honest keepers, of whom one may be compromised: reports count for a quarter of an hour, as one opinion within
    /// 20 %.
    pub fn of(count: u8) -> Self {
        Self { count, compromised: 1, silent: 0, limits: KeeperLimits { max_age_secs: 900, max_spread_bps: 2_000 } }
    }
}

/// The keepers of a guard with their reports.
#[derive(Clone)]
pub struct Quorum {
    set: Box<KeeperSet>,
    reports: Vec<Report>,
    config: KeeperConfig,
    watcher: Watcher,
    volatility: Volatility,
}

impl Quorum {
    /// Returns a set that was just created, without a report so far.
    pub fn new(config: &KeeperConfig, now_ts: i64) -> Self {
        let mut set: Box<KeeperSet> = Box::new(bytemuck::Zeroable::zeroed());
        let seat = |at: u8| KeeperSeat {
            key: Pubkey::new_from_array([at + 1; 32]),
            source_tag: at.into(),
            role: KeeperRole::Reporter as u8,
        };
        let seats: Vec<KeeperSeat> = (0..config.count).map(seat).collect();
        // a set that the program refuses has no quorum
        let _ = set.fill(&seats, config.limits, &bytemuck::Zeroable::zeroed(), now_ts);
        let reports = vec![bytemuck::Zeroable::zeroed(); seats.len()];
        Self { set, reports, config: *config, watcher: Watcher::default(), volatility: Volatility::default() }
    }

    /// Returns the members' reports, in the set's order; one that was never made has number 0.
    pub fn reports(&self) -> &[Report] {
        &self.reports
    }

    /// Returns what the reports of all members come to for one part.
    pub fn poll(&self, part: ReportPart, now_ts: i64) -> Poll {
        let mut poll = Poll::new(&self.set, now_ts);
        for (member, report) in self.set.active().iter().zip(&self.reports) {
            let Report { parts, observed_at_ts, set_epoch, .. } = report;
            let ballot = Ballot { value_bps: parts.get(part), observed_at_ts: *observed_at_ts, set_epoch: *set_epoch };
            poll.count(member, Some(ballot));
        }
        poll
    }

    /// Lets every member report at the end of a step.
    pub(super) fn report<B: Book>(&mut self, tick: &Tick, pool: &Pool<B>) {
        let honest = self.see(tick, pool);
        let lie = if let Keeper::Compromised { score } = tick.keeper { Some(lie(score)) } else { None };
        let speaking = usize::from(self.config.count.saturating_sub(self.config.silent));
        for (at, report) in self.reports.iter_mut().enumerate().take(speaking) {
            let parts = lie.filter(|_| at < usize::from(self.config.compromised)).unwrap_or(honest);
            let _ = report.renew(parts, tick.ts, report.seq + 1, self.set.epoch);
        }
    }

    /// What an honest keeper says; what it can't know yet, or the pool doesn't play, is at its dangerous end, as in a real report.
    fn see<B: Book>(&mut self, tick: &Tick, pool: &Pool<B>) -> ReportParts {
        self.watcher.push(tick, pool);
        self.watcher.judge(tick, pool);
        if let Some(price) = pool.price() {
            self.volatility.push(tick.ts, price);
        }
        let age = f64::from(tick.oracle.age_secs.max(tick.second.age_secs));
        let stale = staleness(Input::of(age), AGES.0, AGES.1).known().unwrap_or(1.0);
        ReportParts {
            score_bps: self.watcher.score_bps(),
            volatility_bps: share(self.volatility.slow_day().unwrap_or(1.0)),
            liquidity_bps: share(1.0 - self.watcher.situation().p_liquidity),
            // one asset alone moves with nothing
            correlation_bps: 0,
            anomaly_bps: BPS_ONE as u16,
            system_health_bps: share(1.0 - stale),
        }
    }
}

/// What an attacker lets a keeper say: the score, and of each other part as much danger as in it.
fn lie(score: u16) -> ReportParts {
    let rest = (BPS_ONE as u16).saturating_sub(score);
    ReportParts {
        score_bps: score,
        volatility_bps: score,
        liquidity_bps: rest,
        correlation_bps: score,
        anomaly_bps: score,
        system_health_bps: rest,
    }
}

fn share(value: f64) -> u16 {
    (BPS_ONE as f64 * value.clamp(0.0, 1.0)).round() as u16
}

impl Defence {
    /// Lets the limits on new risk follow what the keepers report, as `scale_risk` does for each; what it refuses changes nothing.
    pub(super) fn scale(&mut self, quorum: &Quorum, now_ts: i64) {
        for target in [ScaleTarget::Ltv, ScaleTarget::BorrowCap] {
            let (scale, cut) = self.vault.keeper_scale_mut(target);
            let Ok(part) = ReportPart::try_from(scale.part) else { continue };
            if !scale.is_on() {
                continue;
            }
            let poll = quorum.poll(part, now_ts);
            let wanted = poll.median(part.danger_side(), true).ok().and_then(|median| scale.wanted_bps(median).ok());
            if let Some(wanted_bps) = wanted {
                let _ = cut.follow(scale, wanted_bps, poll.heard_ts(), now_ts);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{keeper_scale, median_rule};
    use crate::pool::{GuardConfig, Settings, Step};
    use rampart::risk::verdict::Unknown;
    use rampart::state::Level;
    use rampart::state::rule::{Comparator, Metric, RuleParams};

    const STEP_SECS: u32 = 300;
    const START_TS: i64 = 1_800_000_000;
    /// Four quiet days: what isn't known yet has tightened and eased again.
    const CALM: usize = 1_152;
    const DAY: usize = 288;

    /// Quiet days, then `rough` steps of 1.5 % to and fro in which `keeper` does what it does, then a quiet day.
    fn ticks(rough: usize, keeper: Keeper) -> Vec<Tick> {
        let tick = |step: usize| {
            let is_rough = (CALM..CALM + rough).contains(&step);
            let price = if is_rough && step.is_multiple_of(2) { 98.5 } else { 100.0 };
            let ts = START_TS + (step as i64 + 1) * i64::from(STEP_SECS);
            let ordinary = Tick::ordinary(ts, price, 5e-4, (5e-4, 70_000.0 / price, 35_000.0 / price));
            Tick { keeper: if step >= CALM { keeper } else { Keeper::Honest }, ..ordinary }
        };
        (0..CALM + rough + DAY).map(tick).collect()
    }

    fn guard(keepers: KeeperConfig) -> GuardConfig {
        let spread = RuleParams {
            threshold: 3_000,
            clear_threshold: 1_000,
            metric: Metric::KeeperSpread as u8,
            level: Level::Caution as u8,
            ..median_rule()
        };
        let silence =
            RuleParams { threshold: 1_800, clear_threshold: 900, metric: Metric::KeeperSilence as u8, ..spread };
        GuardConfig::unguarded()
            .with_scale(keeper_scale())
            .with_rule(median_rule())
            .with_rule(spread)
            .with_rule(silence)
            .with_keepers(keepers)
    }

    fn play(keepers: KeeperConfig, ticks: &[Tick]) -> (Pool, Vec<Step>) {
        let mut pool = Pool::new(&guard(keepers), Settings::default(), START_TS, 1);
        let steps = ticks.iter().map(|tick| pool.step(tick, STEP_SECS)).collect();
        (pool, steps)
    }

    fn bought(compromised: u8) -> KeeperConfig {
        KeeperConfig { compromised, ..KeeperConfig::of(5) }
    }

    /// Requires that no hour and no day took more off the limit than the steps allow, and that none gave more back.
    fn assert_bounded(steps: &[Step]) {
        let scale = keeper_scale().ltv;
        let fall = |span: usize| {
            let falls = (0..steps.len()).map(|at| {
                let from = steps[at.saturating_sub(span)..=at].iter().map(|step| step.ltv_bps).max().unwrap_or(0);
                from.saturating_sub(steps[at].ltv_bps)
            });
            falls.max().unwrap_or(0)
        };
        assert!(fall(12) <= scale.hour_bps && fall(DAY) <= scale.day_bps, "{} {}", fall(12), fall(DAY));
        let risen = steps.windows(13).map(|hour| hour[12].ltv_bps.saturating_sub(hour[0].ltv_bps)).max();
        // 100 bps an hour, and one for what is rounded down at each end
        assert!(risen <= Some(101), "{risen:?}");
        assert!(steps.iter().all(|step| (4_500..=7_500).contains(&step.ltv_bps)));
    }

    #[test]
    fn limit_follows_an_honest_median_by_the_steps_and_comes_back() {
        let ticks = ticks(DAY, Keeper::Honest);
        let (_, steps) = play(bought(0), &ticks);
        assert_bounded(&steps[CALM - 12..]);
        assert_eq!(steps[CALM - 1].ltv_bps, 7_500);
        let (low, end) = (steps[CALM + DAY - 1].ltv_bps, steps[CALM + 2 * DAY - 1].ltv_bps);
        assert!(low < 6_300, "{low}");
        assert!(end > low, "{end} {low}");
    }

    #[test]
    fn compromised_minority_moves_neither_the_limit_nor_a_level() {
        for score in [0, 10_000] {
            let honest = play(bought(0), &ticks(DAY, Keeper::Honest));
            let lied = play(bought(1), &ticks(DAY, Keeper::Compromised { score }));
            assert_eq!(lied.1, honest.1, "{score}");
            let cut = |pool: &Pool| pool.defence().vault().ltv_cut;
            assert_eq!(cut(&lied.0), cut(&honest.0));
        }
    }

    #[test]
    fn compromised_quorum_is_held_to_the_steps_of_an_hour_and_a_day_and_never_holds_up_exits() {
        let (pool, steps) = play(bought(5), &ticks(2 * DAY, Keeper::Compromised { score: 10_000 }));
        assert_bounded(&steps[CALM - 12..]);
        assert!(pool.defence().trips() > 0);
        let attacked = &steps[CALM..];
        // the steps bind: a day after the first lie the limit is where they let it be, and not at the floor at once
        assert!(attacked[0].ltv_bps >= 7_250 && attacked[DAY].ltv_bps < 6_100, "{}", attacked[DAY].ltv_bps);
        assert!(attacked.iter().any(|step| step.levels.risk == Level::ReduceOnly));
        assert!(attacked.iter().all(|step| step.levels.exit == Level::Normal));
        // silence about a storm gives no more than the vault's own limit
        let (_, steps) = play(bought(5), &ticks(DAY, Keeper::Compromised { score: 0 }));
        assert!(steps[CALM..].iter().all(|step| step.ltv_bps == 7_500));
    }

    #[test]
    fn keepers_who_differ_make_spread_true_and_prove_no_median() {
        // two of five: no honest one stands alone in the middle half
        let (pool, steps) = play(bought(2), &ticks(12, Keeper::Compromised { score: 10_000 }));
        let now_ts = START_TS + (CALM as i64 + 12) * i64::from(STEP_SECS);
        let poll = play(bought(2), &ticks(12, Keeper::Compromised { score: 10_000 })[..CALM + 12]).0;
        let poll = poll.defence().quorum().expect("keepers report").poll(ReportPart::Score, now_ts);
        assert_eq!(poll.median(Comparator::Above, true), Err(Unknown::Spread));
        assert!(pool.defence().trips_by_rule().nth(1) > Some(0));
        assert!(steps[CALM..].iter().any(|step| step.levels.risk == Level::Caution));
    }

    #[test]
    fn set_whose_quorum_never_speaks_is_silent_and_tightens_nothing() {
        let (pool, steps) = play(KeeperConfig { silent: 2, ..bought(0) }, &ticks(DAY, Keeper::Honest));
        let trips: Vec<u64> = pool.defence().trips_by_rule().collect();
        assert!(trips[0] == 0 && trips[2] > 0, "{trips:?}");
        assert_eq!(steps[CALM].levels.risk, Level::Caution);
        assert!(steps.iter().all(|step| step.ltv_bps == 7_500));
        let spoken: Vec<u64> = pool.defence().quorum().expect("keepers").reports().iter().map(|r| r.seq).collect();
        assert_eq!(spoken[3..], [0, 0]);
    }

    #[test]
    fn rule_about_reports_is_unknown_where_nobody_reports() {
        let config = GuardConfig { keepers: None, ..guard(bought(0)) };
        let mut pool = Pool::new(&config, Settings::default(), START_TS, 1);
        ticks(DAY, Keeper::Compromised { score: 10_000 }).iter().for_each(|tick| {
            pool.step(tick, STEP_SECS);
        });
        assert_eq!((pool.defence().trips(), pool.defence().vault().ltv_cut.cut_bps), (0, 0));
    }
}
