//! The engine over a book of many positions, and how long it takes.

use crate::bench::habits::Book;
use crate::bench::market::Noise;
use crate::config::Config;
use crate::events::Events;
use crate::intent::{ActionClass, Blockhash, PlannedTx};
use crate::metrics::Metrics;
use crate::run::bench::{Courier, Engine, Refused, Setup, Shared};
use crate::submit::{Hour, Prepared, SubmitError};
use crate::view::TransactionsView;
use crate::watch::oracles::Found;
use crate::watch::poll::{PIECE, Polled, Snapshot};
use crate::watch::testing::{self, NOW, SLOT, World, bytes_of, key};
use crate::watch::{Origin, Update};
use anchor_lang::prelude::Pubkey;
use rampart::state::Position;
use solana_sdk::hash::Hash;
use solana_sdk::signature::Signature;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

const SIGNER: u8 = 90;
const RULE: u8 = 60;

/// Notes when it is asked to send.
#[derive(Clone, Default)]
pub struct Stamps(Arc<Mutex<Vec<Instant>>>);

impl Courier for Stamps {
    async fn prepare_all(&self, plans: Vec<PlannedTx>, blockhash: Blockhash) -> Vec<Result<Prepared, SubmitError>> {
        let prepare =
            |plan: PlannedTx| Ok(Prepared { intent: plan.intent, signature: Signature::default(), blockhash });
        plans.into_iter().map(prepare).collect()
    }

    async fn send(&self, _: &Prepared) -> Result<(), SubmitError> {
        self.0.lock().expect("nothing panics with it").push(Instant::now());
        Ok(())
    }

    fn set_balance(&self, _: u64) {}

    fn counts(&self) -> TransactionsView {
        TransactionsView::default()
    }

    fn hour(&self, _: ActionClass) -> Hour {
        Hour::default()
    }

    fn is_journal_failing(&self) -> bool {
        false
    }
}

/// Returns a book of `count` positions, whose loan-to-value at a dollar lies between 20 % and 74 %.
pub fn book(count: usize, seed: u64) -> Book {
    let (world, mut noise) = (World::new(), Noise::new(seed));
    let mut position = |n: usize| {
        let (mut address, collateral) = ([7; 32], 1_000_000 + noise.below(1_000_000_000));
        address[..8].copy_from_slice(&(n as u64).to_le_bytes());
        let debt = collateral / 10_000 * (2_000 + noise.below(5_400));
        (Pubkey::new_from_array(address), world.position(collateral, debt))
    };
    let positions = (0..count).map(&mut position).collect();
    Book { vault: (world.vault_key, world.vault()), positions }
}

/// An engine that knows a book and a drawdown rule.
pub struct Bench {
    world: World,
    engine: Engine<Stamps>,
    stamps: Stamps,
    slot: u64,
    /// The longest that one piece of a listing of everything held the engine, once everything was known.
    pub sweep_hold: Duration,
    _refused: mpsc::UnboundedReceiver<Refused>,
}

impl Bench {
    /// Loads `book`. MUST be called within a runtime.
    ///
    /// # Panics
    /// If the settings that it writes are refused.
    pub fn new(book: &Book) -> Self {
        let (world, stamps, metrics) = (World::new(), Stamps::default(), Metrics::new());
        let text = format!(
            "[cluster]\nrpc_url = \"http://127.0.0.1:1\"\nguard = \"{}\"\n[keeper]\nname = \"k\"\nstate_dir = \"s\"\n[keys]\npayer_file = \"p\"\n",
            world.guard_key
        );
        let config: Config = toml::from_str(&text).expect("the settings are valid");
        let (refused, from_couriers) = mpsc::unbounded_channel();
        let setup = Setup {
            scorer: crate::score::Scorer::new(&config.score).expect("no model file"),
            config: Arc::new(config),
            signer: key(SIGNER),
            courier: stamps.clone(),
            shared: Shared::new(Arc::default(), Arc::default(), 1).0,
            events: Events::new(metrics.clone()),
            metrics,
            fleet: crate::fleet::Fleet::single(),
            refused,
        };
        let engine = Engine::new(setup);
        tokio::spawn(engine.worker());
        let mut bench = Self { world, engine, stamps, slot: SLOT, sweep_hold: Duration::ZERO, _refused: from_couriers };
        // until what has to be watched stands still
        (0..4).for_each(|_| bench.sweep_hold = bench.load(book));
        let blockhash = Blockhash { hash: Hash::new_from_array([1; 32]), last_valid_block_height: 500 };
        bench.engine.blockhash(blockhash, u64::MAX);
        bench
    }

    /// Lists everything as the poller does, and returns the longest that one piece of it held the engine.
    fn load(&mut self, book: &Book) -> Duration {
        let world = &self.world;
        let of_program = |at, data| testing::of_program(at, data, SLOT, Origin::Poll);
        let mut updates = vec![
            of_program(world.guard_key, bytes_of(&world.guard)),
            of_program(world.asset_keys[0], bytes_of(&world.asset(0))),
            of_program(world.asset_keys[1], bytes_of(&world.asset(1))),
            of_program(world.vault_key, bytes_of(&book.vault.1)),
            of_program(key(RULE), bytes_of(&world.rule())),
        ];
        let listed = updates.iter().map(|u| u.key).chain(book.positions.keys().copied()).collect();
        updates.extend((10..14).map(|n| Update { origin: Origin::Poll, ..oracle(n, 1_000, SLOT) }));
        updates.push(testing::clock(SLOT, NOW));
        updates.push(Update { lamports: 1_000_000_000, ..Update::absent(key(SIGNER), SLOT, Origin::Poll) });
        let set = self.engine.watched();
        let snapshot = Snapshot {
            updates,
            listed,
            slot: SLOT,
            set,
            found: Found::new(),
            asked_at: Instant::now(),
            is_whole: true,
        };
        let mut left = book.positions.iter().map(|(at, position)| of_program(*at, bytes_of(position)));
        let mut longest = Duration::ZERO;
        loop {
            let piece: Vec<Update> = left.by_ref().take(PIECE).collect();
            if piece.is_empty() {
                return longest.max(self.hold(Polled::Snapshot(Box::new(snapshot))));
            }
            longest = longest.max(self.hold(Polled::Positions(piece)));
        }
    }

    fn hold(&mut self, polled: Polled) -> Duration {
        let began = Instant::now();
        self.engine.polled(polled);
        began.elapsed()
    }

    /// Lets both sources of the collateral say a price, and returns how long the engine took to decide.
    pub fn print(&mut self, milli_dollars: u64) -> Duration {
        self.slot += 1;
        let updates = [10, 11].map(|n| oracle(n, milli_dollars.into(), self.slot)).to_vec();
        let began = Instant::now();
        self.engine.updates(updates);
        began.elapsed()
    }

    /// Takes a new version of a position in, and returns how long that took, deciding included.
    pub fn change(&mut self, at: Pubkey, position: &Position) -> Duration {
        self.slot += 1;
        let data = bytes_of(position);
        let update = testing::of_program(at, data, self.slot, Origin::Push);
        let began = Instant::now();
        self.engine.updates(vec![update]);
        began.elapsed()
    }

    /// Takes `count` new versions of positions in at once, as a busy slot brings them; returns the time for each.
    pub fn change_all(&mut self, positions: &[(Pubkey, Position)]) -> Duration {
        self.slot += 1;
        let slot = self.slot;
        let update =
            |(at, position): &(Pubkey, Position)| testing::of_program(*at, bytes_of(position), slot, Origin::Push);
        let updates: Vec<Update> = positions.iter().map(update).collect();
        let began = Instant::now();
        self.engine.updates(updates);
        began.elapsed() / u32::try_from(positions.len().max(1)).unwrap_or(u32::MAX)
    }

    /// Lets the price fall below the drawdown rule, and returns the time until the trip's signed bytes are handed over.
    pub async fn trip(&mut self) -> Option<Duration> {
        for _ in 0..64 {
            tokio::task::yield_now().await;
        }
        self.slot += 1;
        let updates = [10, 11].map(|n| oracle(n, 850, self.slot)).to_vec();
        let began = Instant::now();
        self.engine.updates(updates);
        for _ in 0..64 {
            tokio::task::yield_now().await;
        }
        let sent = self.stamps.0.lock().expect("nothing panics with it").first().copied();
        sent.map(|at| at.saturating_duration_since(began))
    }

    /// Returns how many positions are candidates now.
    pub fn candidates(&self) -> usize {
        self.engine.candidates()
    }
}

fn oracle(n: u8, milli_dollars: i128, slot: u64) -> Update {
    testing::print(key(n), (milli_dollars, NOW - 20), slot)
}
