//! One run from the first process to the last: network, set-up, keepers, story, summary.

use crate::cli::Cli;
use crate::error::{DemoError, Outcome};
use crate::feeder::Feeder;
use crate::invariants;
use crate::keepers::{Keepers, http};
use crate::ledger::Ledger;
use crate::live::Live;
use crate::market::PricePoint;
use crate::market::past::Past;
use crate::market::recorded::{self, shown};
use crate::market::synthetic::START_USD;
use crate::market::ticks::Gap;
use crate::network::{Backend, Network, Pace};
use crate::play::{Played, Stage, positions, told_to_stop};
use crate::scenario::{Story, stories};
use crate::summary::{Parts, Summary};
use crate::watch::Snapshot;
use crate::world::World;
use crate::world::build::SetUp;
use crate::world::cast::Cast;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Wall time of a slot, milliseconds.
const SLOT_WALL_MS: u64 = 100;
/// Chain time between two points of a market at least, seconds.
const STEP_SECS: i64 = 4;
/// How long the keepers watch the first price before a recorded story, seconds of chain time: they have reported more than once
/// then, and the reserve is where that score wants it. Nobody begins to defend with the first second of a crisis.
const QUIET_SECS: i64 = 300;

/// A story with where it comes from.
struct Chosen {
    story: Story,
    market: String,
    gaps: Vec<Gap>,
    past: Past,
}

/// Runs the demo and returns what it came to.
///
/// # Errors
/// Whatever keeps it from its summary; broken invariants are part of the summary.
pub async fn run(cli: &Cli) -> Outcome<Summary> {
    let pace = Pace::of_speed(cli.speed, SLOT_WALL_MS);
    let mut chosen = choose(cli, pace)?;
    if let Some(limit) = cli.stop_after {
        chosen.story.points.retain(|point| point.at_secs <= i64::from(limit));
        chosen.story.acts.retain(|scheduled| scheduled.at_secs <= i64::from(limit));
    }
    let dir = tempfile::Builder::new().prefix("rampart-demo-").tempdir();
    let dir = dir.map_err(|source| DemoError::File { path: std::env::temp_dir(), source })?;
    let mut stage = set_stage(cli, pace, &chosen, dir.path()).await?;
    let played = stage.play(&chosen.story).await;
    let ended = match played {
        Ok(played) => conclude(cli, &mut stage, chosen, played).await,
        Err(error) => Err(error),
    };
    let stopped = stage.keepers.stop().await;
    let closed = stage.network.stop();
    let summary = ended?;
    stopped.and(closed)?;
    Ok(summary)
}

fn choose(cli: &Cli, pace: Pace) -> Outcome<Chosen> {
    let step_secs = STEP_SECS.max(pace.slot_secs());
    let Some(recording) = cli.recording()? else {
        let story = cli.scenario.story(step_secs, cli.seed);
        let past = Past::calm(START_USD, cli.seed);
        let market = format!("scenario {}", cli.scenario.name());
        return Ok(Chosen { story, market, gaps: Vec::new(), past });
    };
    let recorded = recorded::load(&recording, step_secs, cli.seed)?;
    let market = format!(
        "{} as {}, {} to {}",
        shown(&recording.path),
        recording.coin.symbol(),
        recorded.from_ts,
        recorded.to_ts
    );
    let attempt = "A recorded market was played; nobody attempted anything but to stay solvent.".to_owned();
    let past = Past::read(&recording, &recorded)?;
    Ok(Chosen { story: stories::recorded(recorded.points, attempt), market, gaps: recorded.gaps, past })
}

async fn set_stage(cli: &Cli, pace: Pace, chosen: &Chosen, dir: &Path) -> Outcome<Stage> {
    let story_secs = chosen.story.points.last().map_or(0, |p| p.at_secs);
    let live = Live::open(cli.headless, story_secs);
    let world = Arc::new(World::new(Cast::from_seed(cli.seed)));
    live.say("starting the local network");
    let network = Arc::new(Network::start(pace, world.cast.payer.pair().insecure_clone()).await?);
    let mut feeder = Feeder::new(cli.seed);
    let start = PricePoint { at_secs: -1, usd: chosen.story.points.first().map_or([1.0; 3], |p| p.usd) };
    let mut set_up =
        SetUp { network: &network, world: &world, feeder: &mut feeder, start, backend: &Backend::Surfpool };
    set_up.run(&program(), |step| live.say(step)).await?;
    live.say("starting three keepers");
    let past = chosen.past.write(dir, network.now().unix_ts, cli.seed)?;
    network.at_pace();
    let started = async {
        let mut keepers = Keepers::prepare(dir, &network, &world, past).await?;
        keepers.start().await.map(|()| keepers)
    };
    // prices go on while the keepers look around, or they would rightly call them stale
    let keepers = tokio::select! {
        started = started => started?,
        stale = feeder.keep_publishing(&network, &world, start) => return Err(unending(stale)),
    };
    let page = keepers.page();
    live.say(&format!("the page is at {page}"));
    if cli.market.is_some() {
        live.say("the keepers watch the market while it stands still");
        let until_ts = network.now().unix_ts + QUIET_SECS;
        tokio::select! {
            passed = network.until(until_ts) => passed.map(drop)?,
            stale = feeder.keep_publishing(&network, &world, start) => return Err(unending(stale)),
        }
    }
    if !cli.headless && std::io::stderr().is_terminal() {
        // a machine without a browser has the address above
        let _ = opener::open_browser(&page);
    }
    Ok(Stage { network, world, feeder, keepers, live })
}

/// What ended that goes on until it fails.
fn unending(ended: Outcome<()>) -> DemoError {
    ended.err().unwrap_or_else(|| DemoError::Network("prices ended".to_owned()))
}

/// The program: the file that `RAMPART_SO` names, else the one that is kept in the repository.
pub fn program() -> PathBuf {
    let kept = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../artifacts/rampart.so");
    std::env::var_os("RAMPART_SO").map_or_else(kept, PathBuf::from)
}

async fn conclude(cli: &Cli, stage: &mut Stage, chosen: Chosen, mut played: Played) -> Outcome<Summary> {
    let (network, world) = (Arc::clone(&stage.network), Arc::clone(&stage.world));
    let answers = ask_keepers(&stage.keepers).await;
    // what keepers still send must not land between the accounts and the transactions that are compared
    network.hold();
    network.step(2).await?;
    played.held_after = positions(&network, &world).await?;
    played.end = Snapshot::read(&network, &world).await?;
    let ledger = Ledger::read(&network, &world, played.start.mark.slot).await?;
    played.broken.extend(at_the_end(&world, &played, &ledger));
    played.broken.dedup();
    let parts = Parts { world: &world, played: &played, ledger: &ledger, timeline: network.timeline() };
    let summary = Summary {
        schema: Summary::schema(),
        market: chosen.market,
        seed: cli.seed,
        speed: cli.speed,
        slot_wall_ms: network.pace().wall_ms,
        slot_chain_ms: network.pace().slot_ms,
        gaps: chosen.gaps,
        attempt: chosen.story.attempt,
        defences: parts.defences(),
        scores: played.scores.clone(),
        lines: parts.lines(),
        reserve: parts.reserve(),
        deleveraged: parts.repaid(true),
        liquidated: parts.repaid(false),
        guarded: parts.guarded(),
        static_thresholds: played.fixed.tally(played.last_usd),
        without_guard: played.unguarded.tally(played.last_usd),
        static_acts: played.fixed_acts,
        without_guard_acts: played.unguarded_acts,
        end_levels: parts.end_levels(),
        keepers: parts.keepers(answers),
        acts: played.records.clone(),
        outages: played.outages.clone(),
        broken: played.broken.clone(),
        is_interrupted: played.is_interrupted,
    };
    if !cli.headless && !played.is_interrupted {
        linger(cli, stage, &summary, played.last_usd).await?;
    }
    Ok(summary)
}

fn at_the_end(world: &World, played: &Played, ledger: &Ledger) -> Vec<invariants::Broken> {
    let (start, end) = (&played.start, &played.end);
    [
        invariants::balances_cover_the_books(end),
        invariants::hedges_stay_in_their_budget(start, end),
        invariants::parts_sum_to_the_vault(&end.vaults, &played.held_after),
        invariants::levels_have_causes(world, start, end, ledger),
        invariants::nobody_is_liquidated_twice(&played.held_before, &played.held_after, ledger),
        invariants::lenders_lose_bad_debt_alone(&start.vaults, &end.vaults),
        invariants::refusals_held(&played.records),
    ]
    .concat()
}

/// Returns what every keeper's API says of its transactions; null where one no longer answers.
async fn ask_keepers(keepers: &Keepers) -> Vec<(String, serde_json::Value)> {
    let mut answers = Vec::new();
    for (name, url) in keepers.addresses() {
        let port = url.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or(0);
        let answer = http::get(port, "/api/v1/state").await.ok();
        let view: Option<serde_json::Value> = answer.and_then(|a| serde_json::from_str(&a.body).ok());
        answers.push((name, view.map_or(serde_json::Value::Null, |v| v["keeper"]["transactions"].clone())));
    }
    answers
}

/// Shows the summary and keeps the page alive until somebody ends it.
async fn linger(cli: &Cli, stage: &mut Stage, summary: &Summary, usd: [f64; 3]) -> Outcome<()> {
    if !cli.json {
        eprintln!("{}", summary.to_text());
    }
    eprintln!("The page stays at {} until Ctrl-C.", stage.keepers.page());
    stage.network.at_pace();
    let fresh = stage.feeder.keep_publishing(&stage.network, &stage.world, PricePoint { at_secs: -1, usd });
    tokio::select! {
        () = told_to_stop() => Ok(()),
        stale = fresh => stale,
    }
}
