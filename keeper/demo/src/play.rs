//! Plays a story: prices into oracles, people's acts, and a look at the chain at every point.

use crate::accounts;
use crate::error::Outcome;
use crate::feeder::Feeder;
use crate::invariants::{self, Broken, Outflow};
use crate::keepers::Keepers;
use crate::lines::Lines;
use crate::live::Live;
use crate::maker::Maker;
use crate::market::PricePoint;
use crate::metronome::SlotMark;
use crate::network::Network;
use crate::scenario::acts::{Record, perform};
use crate::scenario::{Act, Scheduled, Story};
use crate::scores::{self, Course};
use crate::unguarded::{Habits, Held, Unguarded};
use crate::watch::{Snapshot, Watch};
use crate::world::{VAULTS, World};
use rampart::state::Position;
use rampart_client::address;
use std::sync::Arc;
use tokio::task::JoinSet;

/// How long the last price stays after the story's end, so that what was begun is finished, seconds of chain time.
const SETTLE_SECS: i64 = 60;

/// A clock from this chain time of a slot on waits for each price to be written and looked at: on a busy machine it would
/// else run away from the market, and prices would look old.
const FAST_SLOT_MS: u64 = 4_000;

/// What a story takes place on.
pub struct Stage {
    /// The chain.
    pub network: Arc<Network>,
    /// The market on it.
    pub world: Arc<World>,
    /// Publishes prices.
    pub feeder: Feeder,
    /// Defend it.
    pub keepers: Keepers,
    /// Shows it.
    pub live: Live,
}

/// What a played story leaves behind.
pub struct Played {
    /// The chain before the first point.
    pub start: Snapshot,
    /// The chain after the last.
    pub end: Snapshot,
    /// Positions before the first point.
    pub held_before: Vec<Held>,
    /// Positions after the last, in the same order.
    pub held_after: Vec<Held>,
    /// When rules became true.
    pub watch: Watch,
    /// What the keepers reported of each collateral.
    pub scores: Vec<Course>,
    /// What people did.
    pub records: Vec<Record>,
    /// Keepers that died and came back, in words.
    pub outages: Vec<String>,
    /// What was broken on the way.
    pub broken: Vec<Broken>,
    /// What the lines of defence did.
    pub lines: Lines,
    /// The market under fixed thresholds.
    pub fixed: Unguarded,
    /// The market without the guard.
    pub unguarded: Unguarded,
    /// Acts that succeeded without the guard.
    pub unguarded_acts: usize,
    /// Acts that succeeded under fixed thresholds.
    pub fixed_acts: usize,
    /// The last prices, US dollars.
    pub last_usd: [f64; 3],
    /// Whether somebody ended it early.
    pub is_interrupted: bool,
}

/// Reads all positions of the cast.
///
/// # Errors
/// The network's, and [`crate::error::DemoError::Account`] where one is missing.
pub async fn positions(network: &Network, world: &World) -> Outcome<Vec<Held>> {
    let cast = &world.cast;
    let lenders = cast.lenders.iter().map(|l| (l.vault, l.key.key()));
    let borrowers = cast.borrowers.iter().map(|b| (b.vault, b.key.key()));
    let all = lenders.chain(borrowers).chain([(0, cast.attacker.key())]);
    let keys: Vec<_> =
        all.map(|(vault, owner)| (vault, address::position(&world.vaults[vault].vault, &owner))).collect();
    let addresses: Vec<_> = keys.iter().map(|(_, key)| *key).collect();
    let states: Vec<Position> = accounts::read_all(network, &addresses).await?;
    Ok(keys.into_iter().zip(states).map(|((vault, key), state)| Held { key, vault, state }).collect())
}

/// The telling of one story.
struct Telling<'a> {
    stage: &'a mut Stage,
    story: &'a Story,
    start_ts: i64,
    last_slot: u64,
    next_act: usize,
    under_way: JoinSet<Outcome<Record>>,
    maker: Maker,
    flows: Vec<Outflow>,
    played: Played,
}

impl Stage {
    /// Plays `story` until its end, or until somebody interrupts it.
    ///
    /// # Errors
    /// The network's and the keepers'; a broken invariant is part of what is returned.
    pub async fn play(&mut self, story: &Story) -> Outcome<Played> {
        let start = Snapshot::read(&self.network, &self.world).await?;
        let held_before = positions(&self.network, &self.world).await?;
        let played = Played {
            lines: Lines::default(),
            fixed: Unguarded::new(Habits::FIXED, &start, held_before.clone()),
            unguarded: Unguarded::new(Habits::WITHOUT, &start, held_before.clone()),
            end: start.clone(),
            held_after: held_before.clone(),
            watch: Watch::new(&self.world),
            scores: Vec::new(),
            records: Vec::new(),
            outages: Vec::new(),
            broken: Vec::new(),
            unguarded_acts: 0,
            fixed_acts: 0,
            last_usd: story.points.first().map_or([1.0; 3], |p| p.usd),
            is_interrupted: false,
            held_before,
            start,
        };
        let telling = Telling {
            start_ts: played.start.mark.unix_ts,
            last_slot: 0,
            next_act: 0,
            under_way: JoinSet::new(),
            maker: Maker::default(),
            flows: vec![Outflow::default(); VAULTS.len()],
            stage: self,
            story,
            played,
        };
        telling.tell().await
    }
}

/// Waits until somebody ends the demo, by Ctrl-C or as a supervisor does: the keepers are ended with it.
pub async fn told_to_stop() {
    #[cfg(unix)]
    if let Ok(mut terminated) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        return;
    }
    // CANNOT be told without a handler: then it plays to its end
    let _ = tokio::signal::ctrl_c().await;
}

impl Telling<'_> {
    async fn tell(mut self) -> Outcome<Played> {
        let last = self.story.points.last().copied().unwrap_or(PricePoint { at_secs: 0, usd: self.played.last_usd });
        let step_secs = self.stage.network.pace().slot_secs().max(4);
        let tail =
            (1..=SETTLE_SECS / step_secs + 1).map(|n| PricePoint { at_secs: last.at_secs + n * step_secs, ..last });
        let points: Vec<_> = self.story.points.iter().copied().chain(tail).collect();
        // one for all points: a signal between two would be lost
        let mut stopped = std::pin::pin!(told_to_stop());
        for point in &points {
            tokio::select! {
                told = self.point(point) => told?,
                () = &mut stopped => {
                    self.played.is_interrupted = true;
                    break;
                }
            }
        }
        self.finish().await
    }

    async fn point(&mut self, point: &PricePoint) -> Outcome<()> {
        let (start_ts, last_slot) = (self.start_ts, self.last_slot);
        let network = Arc::clone(&self.stage.network);
        // one slot for each point at least: no price is skipped, however fast the clock runs
        let due = |mark: &SlotMark| mark.unix_ts >= start_ts + point.at_secs && mark.slot > last_slot;
        let began = network.timeline().until(due).await?;
        self.last_slot = began.slot;
        let is_fast = network.pace().slot_ms >= FAST_SLOT_MS;
        if is_fast {
            network.hold();
        }
        self.stage.feeder.publish(&network, &self.stage.world, point, &self.story.disturbances).await?;
        let published = network.now();
        self.played.last_usd = point.usd;
        self.acts_until(point).await?;
        let snapshot = Snapshot::read(&network, &self.stage.world).await?;
        if is_fast {
            network.at_pace();
        }
        self.maker.trade(&network, &self.stage.world, snapshot.pool_balances, point.usd);
        self.look(point, snapshot, published)
    }

    fn look(&mut self, point: &PricePoint, snapshot: Snapshot, published: SlotMark) -> Outcome<()> {
        let (stage, played) = (&mut *self.stage, &mut self.played);
        let known = played.watch.became_true.len();
        played.watch.judge(&stage.world, &snapshot, stage.feeder.last(), published);
        for fact in &played.watch.became_true[known..] {
            let name = &stage.world.rules[fact.rule].name;
            stage.live.say(&format!("second {}: {name} became true at {}", point.at_secs, fact.value));
        }
        played.broken.extend(invariants::balances_cover_the_books(&snapshot));
        played.broken.extend(invariants::outflow_stays_within_the_limit(&mut self.flows, &snapshot));
        let ended = stage.keepers.ended().into_iter();
        played.broken.extend(ended.map(|detail| Broken { invariant: "keepers keep running", detail }));
        let story_mark = SlotMark { unix_ts: self.start_ts + point.at_secs, ..snapshot.mark };
        played.unguarded.step(stage.feeder.last(), point.usd, story_mark)?;
        played.fixed.step(stage.feeder.last(), point.usd, story_mark)?;
        let medians = scores::medians(&snapshot.scores);
        scores::take(&mut played.scores, medians, point.at_secs);
        played.lines.look(&played.end, &snapshot, medians, point.at_secs);
        stage.live.update(point.at_secs, &snapshot, point.usd);
        played.end = snapshot;
        Ok(())
    }

    async fn acts_until(&mut self, point: &PricePoint) -> Outcome<()> {
        while let Some(scheduled) = self.story.acts.get(self.next_act).copied().filter(|s| s.at_secs <= point.at_secs) {
            self.next_act += 1;
            self.act(scheduled, point.usd).await?;
        }
        while let Some(done) = self.under_way.try_join_next() {
            self.note(done)?;
        }
        Ok(())
    }

    async fn act(&mut self, scheduled: Scheduled, usd: [f64; 3]) -> Outcome<()> {
        let stage = &mut *self.stage;
        match scheduled.act {
            Act::KillsKeeper(rank) => stage.keepers.kill(rank).await?,
            Act::RestartsKeeper(rank) => stage.keepers.restart(rank)?,
            act => {
                let (network, world) = (Arc::clone(&stage.network), Arc::clone(&stage.world));
                // the comparison follows the story's clock, so that the same seed gives the same numbers
                let mark = SlotMark { unix_ts: self.start_ts + scheduled.at_secs, ..network.now() };
                let succeeds = self.played.unguarded.act(&world, act, stage.feeder.last(), usd, mark);
                self.played.unguarded_acts += usize::from(succeeds);
                let succeeds = self.played.fixed.act(&world, act, stage.feeder.last(), usd, mark);
                self.played.fixed_acts += usize::from(succeeds);
                self.under_way.spawn(async move { perform(&network, &world, scheduled, usd).await });
                return Ok(());
            }
        }
        let line = format!("second {}: {}", scheduled.at_secs, scheduled.act.describe());
        stage.live.say(&line);
        self.played.outages.push(line);
        Ok(())
    }

    fn note(&mut self, done: Result<Outcome<Record>, tokio::task::JoinError>) -> Outcome<()> {
        let record = done.map_err(|e| crate::error::DemoError::Network(e.to_string()))??;
        let answer = match &record.answer {
            crate::scenario::acts::Answer::Landed => "done".to_owned(),
            crate::scenario::acts::Answer::Refused { by, .. } => format!("refused by {by}"),
        };
        self.stage.live.say(&format!("second {}: {}: {answer}", record.at_secs, record.what));
        self.played.records.push(record);
        Ok(())
    }

    async fn finish(mut self) -> Outcome<Played> {
        while let Some(done) = self.under_way.join_next().await {
            self.note(done)?;
        }
        self.maker.finish().await;
        self.stage.live.close();
        self.played.records.sort_by_key(|record| record.at_secs);
        Ok(self.played)
    }
}
