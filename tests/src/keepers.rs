//! A keeper set with its keepers, who report what a test tells them to.

use crate::defaults;
use crate::world::{Outcome, World};
use rampart::state::keeper_set::KeeperLimits;
use rampart::state::rule::{Comparator, Metric, RuleParams};
use rampart::state::{KeeperRole, KeeperSeat, KeeperSet, Level, Report, ReportPart, ReportParts};
use rampart::{SetKeepersArgs, SubmitReportArgs};
use rampart_client::{Instruction, Pubkey, address, keepers};
use solana_sdk::signature::Keypair;
use solana_sdk::signer::Signer;

/// The keepers of a world's guard, in the set's order.
pub struct Keepers {
    /// Their keys.
    pub keys: Vec<Keypair>,
}

/// Parts that nobody finds dangerous.
pub const CALM: ReportParts = ReportParts {
    score_bps: 500,
    volatility_bps: 500,
    liquidity_bps: 9_000,
    correlation_bps: 500,
    anomaly_bps: 100,
    system_health_bps: 9_900,
};

/// Limits of a set: reports count for a minute, and are one opinion within 20 %.
pub fn limits() -> KeeperLimits {
    KeeperLimits { max_age_secs: 60, max_spread_bps: 2_000 }
}

/// True when the median risk score is at 60 %: level ReduceOnly for new risk, for an hour.
pub fn median() -> RuleParams {
    RuleParams {
        threshold: 6_000,
        clear_threshold: 4_000,
        window_secs: 1,
        metric: Metric::KeeperMedian as u8,
        sources_required: 1,
        ..defaults::drawdown_rule()
    }
}

/// True when the median depth of the market is at 30 %: level ReduceOnly for new risk, for an hour.
pub fn shallow() -> RuleParams {
    RuleParams {
        threshold: 3_000,
        clear_threshold: 5_000,
        comparator: Comparator::Below as u8,
        part: ReportPart::Liquidity as u8,
        ..median()
    }
}

/// True when no quorum reported for five minutes: level Caution for new risk.
pub fn silence() -> RuleParams {
    RuleParams {
        threshold: 300,
        clear_threshold: 60,
        metric: Metric::KeeperSilence as u8,
        level: Level::Caution as u8,
        ..median()
    }
}

/// True when the middle half of the scores spans 30 %: level Caution for new risk.
pub fn spread() -> RuleParams {
    RuleParams {
        threshold: 3_000,
        clear_threshold: 1_000,
        metric: Metric::KeeperSpread as u8,
        level: Level::Caution as u8,
        ..median()
    }
}

impl Keepers {
    /// Returns `count` keepers, without a set.
    pub fn new(world: &mut World, count: usize) -> Self {
        Self { keys: (0..count).map(|_| world.new_key()).collect() }
    }

    /// Returns a seat for each, each with a source of its own.
    pub fn seats(&self) -> Vec<KeeperSeat> {
        let seat = |(tag, key): (usize, &Keypair)| KeeperSeat {
            key: key.pubkey(),
            source_tag: tag as u16,
            role: KeeperRole::Reporter as u8,
        };
        self.keys.iter().enumerate().map(seat).collect()
    }

    /// Returns what creates their set.
    pub fn args(&self) -> SetKeepersArgs {
        SetKeepersArgs { members: self.seats(), limits: limits() }
    }

    /// Opens each keeper's report about `subject`.
    pub fn open(&self, world: &mut World, subject: Pubkey) {
        for key in &self.keys {
            let ix = keepers::open_report(world.payer_address(), world.guard, subject, key.pubkey());
            world.send(&[ix], &[]).expect("report is opened");
        }
    }

    /// Lets the keepers report these scores about `subject` now, calm otherwise; who has `None` stays silent.
    pub fn report(&self, world: &mut World, subject: Pubkey, scores: &[Option<u16>]) {
        for (key, score) in self.keys.iter().zip(scores) {
            if let Some(score_bps) = score {
                world.report(key, subject, ReportParts { score_bps: *score_bps, ..CALM }).expect("keeper reports");
            }
        }
    }

    /// Lets all keepers report one score.
    pub fn report_all(&self, world: &mut World, subject: Pubkey, score_bps: u16) {
        self.report(world, subject, &vec![Some(score_bps); self.keys.len()]);
    }
}

impl World {
    /// Creates a keeper set of `count` members, each with an open report about the collateral.
    pub fn with_keepers(count: usize) -> (Self, Keepers) {
        let mut world = Self::with_vault();
        let keepers = Keepers::new(&mut world, count);
        let ix = keepers::initialize_keepers(world.root.pubkey(), world.guard, keepers.args());
        world.send_as_root(&[ix]).expect("set is created");
        let subject = world.keys.collateral_asset;
        keepers.open(&mut world, subject);
        (world, keepers)
    }

    /// Returns the guard's keeper set.
    pub fn keeper_set(&self) -> KeeperSet {
        self.load(&address::keeper_set(&self.guard))
    }

    /// Returns a keeper's report about `subject`.
    pub fn report_of(&self, keeper: &Keypair, subject: Pubkey) -> Report {
        self.load(&address::report(&subject, &keeper.pubkey()))
    }

    /// Returns the instruction with which `keeper` reports about `subject` now.
    pub fn report_ix(&self, keeper: &Keypair, subject: Pubkey, parts: ReportParts) -> Instruction {
        let seq = self.report_of(keeper, subject).seq + 1;
        let args = SubmitReportArgs { parts, observed_at_ts: self.now_ts(), seq };
        keepers::submit_report(keeper.pubkey(), self.guard, subject, args)
    }

    /// Lets `keeper` report about `subject` now.
    pub fn report(&mut self, keeper: &Keypair, subject: Pubkey, parts: ReportParts) -> Outcome {
        let ix = self.report_ix(keeper, subject, parts);
        self.send(&[ix], &[keeper])
    }
}
