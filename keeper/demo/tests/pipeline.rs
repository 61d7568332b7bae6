//! The whole path: prices in oracle accounts of a local network, a keeper as a process, a landed trip.
//!
//! On an embedded network, or on a validator where the environment names one. The recorded crisis takes place on the
//! embedded one alone: a validator's clock can't run ahead of the wall's.

mod build;

use clap::Parser;
use rampart::state::group::GroupParams;
use rampart::state::rule::RuleParams;
use rampart::state::{Level, Metric, Rule, RuleGroup, Scope, Standing, Switch};
use rampart_client::{Pubkey, address, admin, groups};
use rampart_demo::accounts;
use rampart_demo::cli::Cli;
use rampart_demo::error::Outcome;
use rampart_demo::feeder::Feeder;
use rampart_demo::keepers::files::{Files, Known};
use rampart_demo::keepers::process::{Process, find_binary, free_ports};
use rampart_demo::ledger::Ledger;
use rampart_demo::market::PricePoint;
use rampart_demo::market::synthetic::START_USD;
use rampart_demo::network::{Backend, Network, Pace};
use rampart_demo::run::program;
use rampart_demo::watch::Snapshot;
use rampart_demo::world::World;
use rampart_demo::world::build::SetUp;
use rampart_demo::world::cast::{Cast, KEEPERS};
use rampart_demo::world::params;
use std::path::PathBuf;
use std::time::Duration;

const CALM: PricePoint = PricePoint { at_secs: 0, usd: START_USD };
/// A fifth below the start: beyond the drawdown rule, which is the world's first.
const FALLEN: PricePoint = PricePoint { at_secs: 0, usd: [START_USD[0] * 0.8, START_USD[1], START_USD[2]] };
/// Prints until something must have happened, on a machine that does much else too, and chain seconds between two.
const PRINTS: u32 = 400;
const STEP_SECS: i64 = 2;

/// A network with its market, and the files of one keeper.
struct Bench {
    network: Network,
    world: World,
    feeder: Feeder,
    files: Files,
    binary: PathBuf,
    group: Pubkey,
    from_slot: u64,
    _dir: tempfile::TempDir,
}

impl Bench {
    async fn new(classes: &str) -> Outcome<Self> {
        let dir = tempfile::tempdir().expect("a directory");
        let binary = build::keeper(dir.path());
        let world = World::new(Cast::from_seed(11));
        let network = Network::start(Pace::of_speed(10, 100), world.cast.payer.pair().insecure_clone()).await?;
        let mut feeder = Feeder::new(11);
        let backend = Backend::from_environment();
        let mut set_up =
            SetUp { network: &network, world: &world, feeder: &mut feeder, start: CALM, backend: &backend };
        set_up.run(&program(), |_| ()).await?;
        let group = create_group(&network, &world).await?;
        let network = network.continue_on(&backend).await?;
        let files = Files::write(dir.path(), 0, &free_ports(KEEPERS)?, &network, &world, &Known::default())?;
        let settings = std::fs::read_to_string(files.settings_path()).expect("settings");
        std::fs::write(files.settings_path(), format!("{settings}\n{classes}\n")).expect("settings");
        network.at_pace();
        let from_slot = network.now().slot;
        Ok(Self { network, world, feeder, files, binary, group, from_slot, _dir: dir })
    }

    async fn start(&mut self, environment: &[(&str, &str)], point: PricePoint) -> Outcome<Process> {
        let mut keeper = Process::start(&self.binary, &self.files, environment)?;
        tokio::select! {
            ready = keeper.wait_ready() => ready?,
            stale = self.feeder.keep_publishing(&self.network, &self.world, point) => stale?,
        }
        Ok(keeper)
    }

    /// How often the group was tripped.
    async fn group_trips(&self) -> Outcome<u64> {
        Ok(accounts::read::<RuleGroup>(&self.network, &self.group).await?.trip_epoch)
    }

    async fn rule(&self) -> Outcome<Rule> {
        accounts::read(&self.network, &self.world.rules[0].key).await
    }

    /// Prints `point` until the first rule has tripped.
    async fn print_until_tripped(&mut self, point: PricePoint) -> Outcome<()> {
        for _ in 0..PRINTS {
            self.feeder.publish(&self.network, &self.world, &point, &[]).await?;
            if self.rule().await?.trip_epoch > 0 {
                return Ok(());
            }
            self.network.until(self.network.now().unix_ts + STEP_SECS).await?;
        }
        panic!("the rule has not tripped after {PRINTS} prints");
    }

    /// Prints `point` for a while, and returns how often the first rule has tripped, by its account and by transactions.
    async fn trips_after(&mut self, point: PricePoint) -> Outcome<(u64, usize)> {
        for _ in 0..20 {
            self.feeder.publish(&self.network, &self.world, &point, &[]).await?;
            self.network.until(self.network.now().unix_ts + STEP_SECS).await?;
        }
        let ledger = Ledger::read(&self.network, &self.world, self.from_slot).await?;
        let landed = ledger.trips.iter().filter(|trip| trip.fact.rule == self.world.rules[0].key).count();
        Ok((self.rule().await?.trip_epoch, landed))
    }
}

/// A group of the drawdown and of a member that is true as soon as anything is lent; it halts the first vault.
async fn create_group(network: &Network, world: &World) -> Outcome<Pubkey> {
    let (root, vault) = (world.cast.root.key(), world.vaults[0].vault);
    let member = RuleParams {
        threshold: 2,
        clear_threshold: 1,
        sources_required: 1,
        metric: Metric::Utilisation as u8,
        level: Level::Halt as u8,
        scope: Scope::Subject as u8,
        standing: Standing::Member as u8,
        ..params::rule_params()[0]
    };
    let group = GroupParams {
        duration_secs: 1_800,
        min_dwell_secs: 300,
        max_age_secs: 30,
        level: Level::Halt as u8,
        bounty: Switch::Disabled as u8,
        reserved: [0; 2],
    };
    let rules = [world.rules[0].key, address::rule(&world.guard, 900)];
    let steps = [
        admin::create_rule(root, world.guard, vault, 900, member),
        groups::create_group(root, world.guard, vault, 1, group, &rules),
    ];
    network.must("a group", &steps, &[world.cast.root.pair()]).await?;
    Ok(address::group(&world.guard, 1))
}

#[tokio::test(flavor = "multi_thread")]
async fn price_crash_is_tripped_once_by_a_keeper_process() -> Outcome<()> {
    let mut bench = Bench::new("").await?;
    let mut keeper = bench.start(&[], CALM).await?;
    assert_eq!(bench.rule().await?.trip_epoch, 0);
    bench.print_until_tripped(FALLEN).await?;
    assert_eq!(bench.trips_after(FALLEN).await?, (1, 1));
    assert_eq!(bench.group_trips().await?, 1, "the group of it and of another rule is tripped, once");
    assert_eq!(Snapshot::read(&bench.network, &bench.world).await?.level(0), Level::Halt);
    keeper.stop().await?;
    bench.network.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn crash_between_journal_and_send_leads_to_one_trip() -> Outcome<()> {
    // trips alone, so that the first send is the trip's
    let others_off = "[classes]\nliquidate = false\ndeleverage = false\nobserve = false\nstep_down = false\n\
                      settle = false\nrebalance = false\nreport = false";
    let mut bench = Bench::new(others_off).await?;
    let mut keeper = bench.start(&[("RAMPART_FAULT", "crash_after_journal")], CALM).await?;
    let end = tokio::select! {
        end = keeper.wait_end(Duration::from_secs(60)) => end?,
        stale = bench.feeder.keep_publishing(&bench.network, &bench.world, FALLEN) => return stale,
    };
    assert!(!end.success(), "{end}");
    assert_eq!(bench.rule().await?.trip_epoch, 0, "nothing was sent");
    let mut keeper = bench.start(&[], FALLEN).await?;
    bench.print_until_tripped(FALLEN).await?;
    assert_eq!(bench.trips_after(FALLEN).await?, (1, 1));
    keeper.stop().await?;
    bench.network.stop()
}

/// The evening of 5 March 2024: ten minutes of calm, a first leg of 4 %, and a second one in which SOL falls by 17 % within six.
const CRISIS: [&str; 6] = ["--from", "1709666700", "--to", "1709668800", "--speed", "40"];
/// When the second leg begins, seconds.
const FALL_SECS: i64 = 1_500;

/// The recorded market, or why there is none.
fn recording() -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/market");
    let path = std::env::var_os("RAMPART_DATA").map_or_else(beside, PathBuf::from).join("SOLUSDT_5m.csv.gz");
    if !path.is_file() {
        println!("skipped: no recorded market at {}; set RAMPART_DATA to its folder", path.display());
        return None;
    }
    Some(path)
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_crisis_is_met_by_every_line_of_defence_in_its_order() -> Outcome<()> {
    let Some(path) = recording() else { return Ok(()) };
    // any keeper will do: the one that was built with the tests
    if find_binary().is_err() {
        build::keeper(tempfile::tempdir().expect("a directory").path());
    }
    let path = path.display().to_string();
    let args = ["demo", "--headless", "--market", &path].into_iter().chain(CRISIS);
    let summary = rampart_demo::run::run(&Cli::try_parse_from(args).expect("arguments")).await?;
    println!("{}", summary.to_text());
    assert_eq!(summary.broken, [], "an invariant is broken");
    let first = |name: &str| {
        let line = summary.lines.iter().find(|line| line.what.starts_with(name));
        line.unwrap_or_else(|| panic!("no {name:?} in {:?}", summary.lines)).at_secs
    };
    // it begins below what restricts and climbs with the fall; any band may be passed by from one report to the next
    let sol = summary.scores.iter().find(|course| course.coin == "SOL").expect("keepers report");
    assert!(sol.first_bps < 3_000 && first("score of SOL in band") < 60, "{:?}", summary.lines);
    let band = |name: &str| summary.lines.iter().find(|line| line.what == format!("score of SOL in band {name}"));
    let warned = [band("tighten"), band("restrict")].into_iter().flatten().map(|line| line.at_secs).min();
    assert!(warned.is_some_and(|at_secs| at_secs < FALL_SECS), "no warning before the fall: {:?}", summary.lines);
    // the first leg may touch what the second one goes beyond
    let asked = first("score of SOL in band breaker");
    assert!(sol.highest_bps >= 6_000 && sol.highest_at_secs > FALL_SECS, "asked at {asked} s: {sol:?}");
    let (ltv, softly) = (first("loan-to-value for new risk, SOL"), first("soft deleveraging"));
    let (hedge, breaker) = (first("hedge"), first("breaker"));
    assert!(softly > FALL_SECS && softly <= breaker && ltv <= breaker && hedge <= breaker, "{:?}", summary.lines);
    assert!(summary.liquidated.0 == 0 || softly <= first("liquidation at the line"), "{:?}", summary.lines);
    // what moves with the market leaves less to be liquidated by force
    let (guarded, fixed, reserve) = (&summary.guarded, &summary.static_thresholds, &summary.reserve);
    let forced_amount = summary.liquidated.1;
    assert!(forced_amount * 3 < fixed.liquidated_amount * 2, "{forced_amount} of {}", fixed.liquidated_amount);
    assert!(guarded.bonus_amount < fixed.bonus_amount, "{} of {}", guarded.bonus_amount, fixed.bonus_amount);
    // whether a hedge pays hangs on where the story ends: it has to be made
    assert!(reserve.after[0] < reserve.before[0] && reserve.after[1] > reserve.before[1], "{reserve:?}");
    Ok(())
}
