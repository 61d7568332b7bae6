//! One scenario told: what happened in a pool under a guard, step by step, and what would have happened without.
//!
//! Owns the two plays side by side (`tell`), the moments worth telling and the sums. The scenario is `attack`'s, the pool `pool`'s; the
//! score and its band are those of a keeper's situation (`learn::Watcher`). Called by `rampart lab attack run` and `report`.

mod text;

use crate::attack::{Keeper, Scenario, Split, Tick};
use crate::backtest::Market;
use crate::learn::Watcher;
use crate::policy::{keeper_scale, median_rule};
use crate::pool::{GuardConfig, KeeperConfig, Pool, Step};
use crate::validate::{Config, canonical_hash};
use rampart::state::Level;
use rampart::state::rule::Metric;
use rampart_score::band::Band;
use serde::{Deserialize, Serialize};

/// Seconds between two judgements of the situation.
const JUDGE_SECS: i64 = 300;
/// What is lost in a step is told from this share of the wanted debt on: losses trickle.
const TOLD_LOSS: f64 = 0.001;

/// A step in which something changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moment {
    /// Minutes since the start.
    pub minute: u64,
    /// End of the step, unix seconds.
    pub ts: i64,
    /// Price at which size trades, which nobody who decides can see.
    pub truth: f64,
    /// Price of the first oracle.
    pub oracle: f64,
    /// Score of the keeper's situation, bps; none while it warms up.
    pub score: Option<u16>,
    /// Band of the score; none while it warms up.
    pub band: Option<Band>,
    /// Level for new risk.
    pub risk: String,
    /// Level for exits and liquidations.
    pub exit: String,
    /// Debt under the guard, whole tokens of the loan.
    pub debt: f64,
    /// Lost so far under the guard.
    pub lost: f64,
    /// Lost so far without.
    pub lost_unguarded: f64,
    /// What happened.
    pub what: Vec<String>,
}

/// One play's sums, whole tokens of the loan where nothing else is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Side {
    /// Lost, with what was under water at the end.
    pub bad_debt: f64,
    /// The same, bps of the debt that is wanted.
    pub bad_debt_bps: f64,
    /// Borrowed by the attacker.
    pub attacked: f64,
    /// Repaid by liquidators.
    pub liquidated: f64,
    /// Repaid by soft deleveraging.
    pub deleveraged: f64,
    /// What both cost owners.
    pub cost: f64,
    /// Withdrawn by lenders.
    pub withdrawn: f64,
    /// Wished for by lenders and not paid in the same step.
    pub refused_exits: f64,
    /// Share of the time in which users were held up, bps.
    pub halted_bps: f64,
    /// Trips of rules.
    pub trips: u64,
}

/// A scenario played with and without the guard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Story {
    /// The scenario's name.
    pub name: String,
    /// Seed that it was drawn with.
    pub seed: u64,
    /// Side of the split.
    pub split: Split,
    /// SHA-256 of the scenario's steps.
    pub scenario_sha256: String,
    /// Name of the guard's configuration.
    pub guard: String,
    /// SHA-256 of the configuration as canonical JSON.
    pub guard_sha256: String,
    /// Rules that the pool can't play, and what of the scenario has no effect in it.
    pub unplayed: Vec<String>,
    /// Debt that borrowers want, whole tokens of the loan.
    pub target_debt: f64,
    /// Minute from which on something is out of the ordinary; none for a true negative.
    pub onset_minute: Option<u64>,
    /// Minutes played.
    pub minutes: u64,
    /// What happened, in order.
    pub moments: Vec<Moment>,
    /// True price and what was lost with and without the guard, at most once in ten minutes: minute, price, lost, lost without.
    pub path: Vec<[f64; 4]>,
    /// With the guard.
    pub guarded: Side,
    /// Without rules, limits and soft deleveraging.
    pub unguarded: Side,
}

/// Plays `scenario` under `config` and without, and tells what happened. Where `keepers` report, the limit for new risk and a rule
/// follow them. Every `every`-th minute is told too; 0 for none.
pub fn tell(config: &Config, keepers: Option<KeeperConfig>, scenario: Scenario, every: u64) -> Story {
    let digest = hex::encode(scenario.digest());
    let without_effect =
        scenario.without_effect(keepers.is_some()).into_iter().map(|what| format!("{what}: no effect in the pool"));
    let unplayed = config.unplayed().into_iter().chain(without_effect).collect();
    let market = Market::new(scenario, config.pool, config.market.volumes);
    let guard = match keepers {
        Some(keepers) => config.guard().with_scale(keeper_scale()).with_rule(median_rule()).with_keepers(keepers),
        None => config.guard(),
    };
    let mut teller = Teller::new(&market, &guard);
    let (mut moments, mut path) = (Vec::new(), Vec::new());
    for (at, tick) in market.scenario.ticks.iter().enumerate() {
        let moment = teller.step(at, tick, every);
        if moment.minute.is_multiple_of(10) {
            path.push([moment.minute as f64, moment.truth, moment.lost, moment.lost_unguarded]);
        }
        if !moment.what.is_empty() {
            moments.push(moment);
        }
    }
    let scenario = &market.scenario;
    let minute = |steps: usize| (steps as u64 * u64::from(scenario.step_secs)) / 60;
    Story {
        name: scenario.name.clone(),
        seed: scenario.seed,
        split: scenario.split,
        scenario_sha256: digest,
        guard: config.name.clone(),
        guard_sha256: canonical_hash(config),
        unplayed,
        target_debt: market.settings.target_debt,
        onset_minute: scenario.onset.map(minute),
        minutes: minute(scenario.ticks.len()),
        moments,
        path,
        guarded: teller.ours.side(&market),
        unguarded: teller.bare.side(&market),
    }
}

/// One play under way.
struct Play {
    pool: Pool,
    halted: u64,
    attacked: f64,
    last: Option<Step>,
}

impl Play {
    fn new(market: &Market, guard: &GuardConfig) -> Self {
        let scenario = &market.scenario;
        let start_ts = scenario.ticks.first().map_or(0, |tick| tick.ts - i64::from(scenario.step_secs));
        let pool = Pool::new(guard, market.settings, start_ts, scenario.seed);
        Self { pool, halted: 0, attacked: 0.0, last: None }
    }

    /// Plays a step; returns what the attacker borrowed in it.
    fn step(&mut self, tick: &Tick, step_secs: u32) -> (Step, f64) {
        let step = self.pool.step(tick, step_secs);
        self.halted += u64::from(step.is_halted());
        let attacked = self.pool.totals().attacked - self.attacked;
        self.attacked += attacked;
        self.last = Some(step);
        (step, attacked)
    }

    fn lost(&self) -> f64 {
        self.pool.totals().bad_debt
    }

    fn side(&self, market: &Market) -> Side {
        let totals = self.pool.totals();
        let bad_debt = totals.bad_debt + self.pool.underwater();
        Side {
            bad_debt,
            bad_debt_bps: bad_debt / market.settings.target_debt * 1e4,
            attacked: totals.attacked,
            liquidated: totals.liquidated,
            deleveraged: totals.deleveraged,
            cost: totals.forced_cost + totals.soft_cost,
            withdrawn: totals.withdrawn,
            refused_exits: totals.refused_exits,
            halted_bps: self.halted as f64 / (totals.steps as f64).max(1.0) * 1e4,
            trips: self.pool.defence().trips(),
        }
    }
}

/// Both plays, and what was told last.
struct Teller<'a> {
    market: &'a Market,
    ours: Play,
    bare: Play,
    watcher: Watcher,
    judged_ts: i64,
    levels: [Level; 2],
    band: Option<Band>,
    keeper: Keeper,
    trips: Vec<u64>,
    has_attacked: bool,
    told_lost: [f64; 2],
}

impl<'a> Teller<'a> {
    fn new(market: &'a Market, guard: &GuardConfig) -> Self {
        Self {
            market,
            ours: Play::new(market, guard),
            bare: Play::new(market, &guard.without_defences()),
            watcher: Watcher::default(),
            judged_ts: i64::MIN,
            levels: [Level::Normal; 2],
            band: None,
            keeper: Keeper::Honest,
            trips: vec![0; guard.rules.len()],
            has_attacked: false,
            told_lost: [0.0; 2],
        }
    }

    fn step(&mut self, at: usize, tick: &Tick, every: u64) -> Moment {
        let step_secs = self.market.scenario.step_secs;
        let minute = (at as u64 * u64::from(step_secs)) / 60;
        let (step, attacked) = self.ours.step(tick, step_secs);
        let (_, attacked_bare) = self.bare.step(tick, step_secs);
        let score = self.judge(tick);
        let mut what = Vec::new();
        if self.market.scenario.onset == Some(at) {
            what.push("the attack begins".to_owned());
        }
        self.tell_keeper(tick, &mut what);
        self.tell_trips(&mut what);
        self.tell_levels([step.levels.risk, step.levels.exit], &mut what);
        self.tell_band(score, &mut what);
        self.tell_attack(tick, [attacked, attacked_bare], &mut what);
        self.tell_losses(&mut what);
        if what.is_empty() && every > 0 && minute.is_multiple_of(every) {
            what.push(String::new());
        }
        Moment {
            minute,
            ts: tick.ts,
            truth: tick.truth,
            oracle: tick.oracle.price,
            score,
            band: self.band,
            risk: level(step.levels.risk).into(),
            exit: level(step.levels.exit).into(),
            debt: step.debt,
            lost: self.ours.lost(),
            lost_unguarded: self.bare.lost(),
            what,
        }
    }

    fn judge(&mut self, tick: &Tick) -> Option<u16> {
        self.watcher.push(tick, &self.ours.pool);
        if tick.ts - JUDGE_SECS >= self.judged_ts {
            self.watcher.judge(tick, &self.ours.pool);
            self.judged_ts = tick.ts;
        }
        self.watcher.is_warm().then(|| self.watcher.score_bps())
    }

    fn tell_keeper(&mut self, tick: &Tick, what: &mut Vec<String>) {
        if tick.keeper != self.keeper {
            what.push(match tick.keeper {
                Keeper::Honest => "the keeper runs again".into(),
                Keeper::Down => "the keeper is down".into(),
                Keeper::Compromised { score } => format!("the keeper is in an attacker's hands and says {score}"),
            });
            self.keeper = tick.keeper;
        }
    }

    fn tell_trips(&mut self, what: &mut Vec<String>) {
        let defence = self.ours.pool.defence();
        for (id, ((rule, now), told)) in defence.rules().zip(defence.trips_by_rule()).zip(&mut self.trips).enumerate() {
            if now > *told {
                let metric = Metric::try_from(rule.params.metric).map_or("?".into(), |metric| format!("{metric:?}"));
                let to = Level::try_from(rule.params.level).map_or("?", level);
                what.push(format!("rule {id} trips: {metric} at {} asks for {to}", rule.params.threshold));
                *told = now;
            }
        }
    }

    fn tell_levels(&mut self, now: [Level; 2], what: &mut Vec<String>) {
        for (name, (was, is)) in ["new risk", "exits"].into_iter().zip(self.levels.iter_mut().zip(now)) {
            if *was != is {
                what.push(format!("{name}: {} to {}", level(*was), level(is)));
                *was = is;
            }
        }
    }

    fn tell_band(&mut self, score: Option<u16>, what: &mut Vec<String>) {
        let (band, Some(score)) = (self.watcher.band(), score) else { return };
        let name = text::band(Some(band));
        match self.band {
            Some(was) if was == band => {}
            Some(was) => what.push(format!("band: {} to {name} at a score of {score}", text::band(Some(was)))),
            None => {
                what.push(format!("the score is known from here on: {score}, band {name} as the unknown leaves it"))
            }
        }
        self.band = Some(band);
    }

    fn tell_attack(&mut self, tick: &Tick, got: [f64; 2], what: &mut Vec<String>) {
        let is_attacking = tick.attack_borrow > 0.0;
        if is_attacking && !self.has_attacked {
            let [ours, bare] = got;
            what.push(format!("the attacker borrows {ours:.0} in a step, {bare:.0} without the guard"));
        }
        self.has_attacked = is_attacking;
    }

    fn tell_losses(&mut self, what: &mut Vec<String>) {
        let now = [self.ours.lost(), self.bare.lost()];
        for (name, (told, lost)) in
            ["lost", "lost without the guard"].into_iter().zip(self.told_lost.iter_mut().zip(now))
        {
            if lost - *told >= TOLD_LOSS * self.market.settings.target_debt {
                what.push(format!("{name}: {lost:.0} so far"));
                *told = lost * 1.5;
            }
        }
    }
}

/// Returns a level in words.
fn level(of: Level) -> &'static str {
    match of {
        Level::Normal => "normal",
        Level::Caution => "caution",
        Level::ReduceOnly => "reduce only",
        Level::Halt => "halt",
        Level::Resolution => "resolution",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attack::{generate, template};
    use crate::validate::EXAMPLE;

    fn story(name: &str, seed: u64) -> Story {
        let scenario = generate(&template(name).unwrap(), Split::Test, seed).unwrap();
        tell(&Config::parse(EXAMPLE).unwrap(), None, scenario, 0)
    }

    #[test]
    fn same_seed_tells_the_same_and_sums_are_those_of_the_backtest() {
        let first = story("flash-crash", 3);
        assert_eq!(first, story("flash-crash", 3));
        let config = Config::parse(EXAMPLE).unwrap();
        let scenario = generate(&template("flash-crash").unwrap(), Split::Test, 3).unwrap();
        let market = Market::new(scenario, config.pool, config.market.volumes);
        for (guard, side) in [(config.guard(), first.guarded), (config.guard().without_defences(), first.unguarded)] {
            let fixed = crate::policy::Fixed { name: "x".into(), guard };
            let played = crate::backtest::play(&fixed, &market, 3);
            assert_eq!(side.bad_debt, played.totals.bad_debt);
            assert_eq!(side.liquidated, played.totals.liquidated);
        }
    }

    #[test]
    fn every_change_of_a_level_is_told_in_the_step_of_its_trip_or_after_it() {
        let told = story("flash-crash", 3);
        let trip = told.moments.iter().position(|m| m.what.iter().any(|w| w.contains("trips"))).expect("a trip");
        let level = told.moments.iter().position(|m| m.risk != "normal").expect("a level");
        assert!(trip <= level, "{told}");
        assert!(told.guarded.trips > 0 && told.unguarded.trips == 0);
        let told_trips = told.moments.iter().flat_map(|m| &m.what).filter(|w| w.contains("trips")).count();
        assert_eq!(told_trips as u64, told.guarded.trips);
        assert!(told.moments.iter().any(|m| m.what.iter().any(|w| w == "the attack begins")));
    }

    #[test]
    fn attacker_who_is_stopped_borrows_less_than_without_the_guard() {
        let told = story("kelp-rseth-2026", 2);
        assert!(told.unguarded.attacked > 0.0);
        assert!(told.guarded.attacked < told.unguarded.attacked, "{told}");
        let text = told.to_string();
        assert!(text.contains("| bad debt |") && text.contains("the attacker borrows"), "{text}");
    }

    #[test]
    fn what_is_said_to_have_no_effect_has_none_and_is_told() {
        let cases = [
            ("compromised-keeper", Split::Test, "scores that keepers report, without a quorum of them"),
            ("basis-break", Split::Test, "the perpetuals' basis"),
        ];
        let config = Config::parse(EXAMPLE).unwrap();
        for (name, split, what) in cases {
            let scenario = generate(&template(name).unwrap(), split, 1).unwrap();
            assert_eq!(scenario.without_effect(false), [what], "{name}");
            let plain = scenario.clone().as_played();
            assert!(plain.without_effect(false).is_empty() && plain != scenario);
            let (told, again) = (tell(&config, None, scenario, 60), tell(&config, None, plain, 60));
            assert!(told.unplayed.contains(&format!("{what}: no effect in the pool")), "{:?}", told.unplayed);
            assert_eq!(
                (told.guarded, told.unguarded, &told.path),
                (again.guarded, again.unguarded, &again.path),
                "{name}"
            );
            // all but the words about the keeper itself: levels, scores and losses at each of the minutes that both tell
            let at = |story: &Story| -> Vec<Moment> {
                let hourly = story.moments.iter().filter(|moment| moment.minute.is_multiple_of(60));
                hourly.map(|moment| Moment { what: Vec::new(), ..moment.clone() }).collect()
            };
            assert_eq!(at(&told), at(&again), "{name}");
        }
    }

    #[test]
    fn one_compromised_keeper_changes_nothing_and_a_quorum_of_them_costs_new_risk_alone() {
        let config = Config::parse(EXAMPLE).unwrap();
        let drawn = (1..20).map(|seed| generate(&template("compromised-keeper").unwrap(), Split::Test, seed).unwrap());
        let is_high = |scenario: &Scenario| scenario.drawn("manner").is_some_and(|manner| manner < 1.0);
        let scenario = drawn.into_iter().find(is_high).expect("a keeper that cries wolf");
        let told = |compromised, scenario: &Scenario| {
            let keepers = KeeperConfig { compromised, ..KeeperConfig::of(5) };
            tell(&config, Some(keepers), scenario.clone(), 0)
        };
        let honest = told(0, &scenario);
        assert!(honest.unplayed.iter().all(|what| !what.contains("keepers report")), "{:?}", honest.unplayed);
        let one = told(1, &scenario);
        assert_eq!((one.guarded, &one.path), (honest.guarded, &honest.path));
        let quorum = told(5, &scenario);
        assert!(quorum.guarded.trips > honest.guarded.trips);
        // what is only said holds up new risk, never an exit
        assert_eq!(quorum.guarded.refused_exits, honest.guarded.refused_exits);
        assert!(quorum.moments.iter().any(|moment| moment.risk == "reduce only" && moment.exit == "normal"));
    }

    #[test]
    fn scenario_of_prices_alone_has_all_its_effect() {
        for name in ["flash-crash", "calm", "keeper-outage", "bank-run"] {
            let scenario = generate(&template(name).unwrap(), Split::Test, 1).unwrap();
            assert!(scenario.without_effect(false).is_empty(), "{name}");
        }
    }
}
