//! A keeper without a network: it reads a world's accounts, decides and plans as in production, and its plans are landed on
//! the built program.

use anchor_lang::prelude::Pubkey;
use litesvm::types::{FailedTransactionMetadata, TransactionMetadata};
use rampart_client::address;
use rampart_keeper::assess::{Assessment, assess};
use rampart_keeper::chain::clock::ChainTime;
use rampart_keeper::chain::fees;
use rampart_keeper::config::{BandSettings, Classes, ComputePrices, ReportSettings};
use rampart_keeper::decide::Action;
use rampart_keeper::decide::bands::Bands;
use rampart_keeper::decide::reports::Opinion;
use rampart_keeper::decide::{Decision, History, Means, Policy, decide};
use rampart_keeper::early::Board;
use rampart_keeper::economics::{Economics, Estimate};
use rampart_keeper::intent::{ActionClass, Outcome, PlannedTx};
use rampart_keeper::plan::{PlanError, Planner, tables};
use rampart_keeper::route::{Routes, token_swap::TokenSwap};
use rampart_keeper::score::{Scorer, Seen};
use rampart_keeper::watch::decode::TokenBalance;
use rampart_keeper::watch::feeds::{self, Extra};
use rampart_keeper::watch::index::PriceIndex;
use rampart_keeper::watch::oracles::Found;
use rampart_keeper::watch::store::Store;
use rampart_keeper::watch::{Origin, Update};
use rampart_tests::World;
use rampart_tests::swaps::Market;
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_sdk::instruction::InstructionError;
use solana_sdk::message::{Message, VersionedMessage, v0};
use solana_sdk::signature::Keypair;
use solana_sdk::signer::Signer;
use solana_sdk::transaction::{TransactionError, VersionedTransaction};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

/// A keeper of a world's guard.
pub struct Keeper {
    /// Pays and signs.
    pub key: Keypair,
    /// Accounts of the program that it is told of, beyond those that name the guard by their address.
    pub told: Vec<Pubkey>,
    /// Its policy.
    pub policy: Policy,
    /// Its memory.
    pub history: History,
    /// What it would report, by subject.
    pub opinions: BTreeMap<Pubkey, Opinion>,
    /// Bands of its own scores.
    pub bands: Bands,
    /// Lookup tables.
    pub tables: Vec<Pubkey>,
    /// Its risk engine, where it has one.
    pub scorer: Option<Scorer>,
    /// What it knows.
    pub store: Store,
    index: PriceIndex,
    prices: ComputePrices,
}

impl Keeper {
    /// A keeper with ten SOL for fees that acts on everything, and swaps at `markets` under policy 1.
    pub fn new(world: &mut World, markets: &[Market], told: &[Pubkey]) -> Self {
        let key = world.new_key();
        world.svm.airdrop(&key.pubkey(), 10_000_000_000).expect("airdrop");
        let routes = markets.iter().enumerate().map(|(n, market)| -> Arc<dyn rampart_keeper::route::Route> {
            Arc::new(TokenSwap::new(&format!("pool {n}"), 1, market.pool))
        });
        let economics = Economics { routes: Routes::new(routes.collect()), ..Economics::default() };
        let policy = Policy {
            classes: Classes::default(),
            stagger_slots: 0,
            fleet_delay_slots: None,
            max_in_flight: 64,
            reports: ReportSettings::default(),
            bands: BandSettings::default(),
            economics,
        };
        let keys = &world.keys;
        let own = [world.guard, keys.collateral_asset, keys.loan_asset, keys.vault];
        let swapping = [address::swap_policy(&world.guard, 1), address::reserve(&world.guard)];
        Self {
            key,
            told: [&own[..], &swapping, told].concat(),
            policy,
            history: History::default(),
            opinions: BTreeMap::new(),
            bands: Bands::Off,
            tables: Vec::new(),
            scorer: None,
            store: Store::new(world.guard),
            index: PriceIndex::default(),
            prices: ComputePrices::default(),
        }
    }

    /// Gives the keeper `sol` and `usdc` base units in its associated accounts, which exist from now on.
    pub fn fund(&self, world: &mut World, sol: u64, usdc: u64) {
        for (mint, amount) in [(world.sol, sol), (world.usdc, usdc)] {
            let token = world.create_associated(mint, self.key.pubkey());
            world.mint_to(mint, token, amount);
        }
    }

    /// Returns what the keeper holds: SOL tokens, USDC, lamports.
    pub fn holds(&self, world: &World) -> (u64, u64, u64) {
        let of = |mint: rampart_client::MintOf| {
            let token = address::associated(&self.key.pubkey(), &mint.mint, &mint.token_program);
            world.svm.get_account(&token).map_or(0, |_| world.balance(&token))
        };
        let lamports = world.svm.get_balance(&self.key.pubkey()).unwrap_or(0);
        (of(world.sol), of(world.usdc), lamports)
    }

    /// Reads every account that it would watch, until nothing new is named.
    pub fn read(&mut self, world: &World) {
        for _ in 0..4 {
            let routes = &self.policy.economics.routes;
            let pools = self.scorer.iter().flat_map(|scorer| scorer.accounts(&self.store));
            let accounts =
                routes.accounts(&self.store).into_iter().chain(self.tables.iter().copied()).chain(pools).collect();
            let extra = Extra { accounts, policies: routes.policies().collect() };
            let set = feeds::watch_set(&self.store, &self.key.pubkey(), &Found::new(), &extra);
            self.store.watch_raw(set.raw.clone());
            for key in set.accounts.into_iter().chain(self.told.clone()) {
                self.take(world, key);
            }
        }
    }

    fn take(&mut self, world: &World, key: Pubkey) {
        let update = match world.svm.get_account(&key).filter(|account| account.lamports > 0) {
            Some(account) => Update {
                owner: account.owner,
                lamports: account.lamports,
                data: account.data,
                ..Update::absent(key, world.slot(), Origin::Poll)
            },
            None => Update::absent(key, world.slot(), Origin::Poll),
        };
        self.store.apply(update, Instant::now());
        self.index.put(key, self.store.position(&key));
    }

    /// Returns what it makes of what it knows, as of now.
    pub fn assess(&self, world: &World) -> Assessment {
        let now = ChainTime { slot: world.slot(), unix_ts: world.now_ts() };
        assess(&self.store, &self.index, &Found::new(), now)
    }

    /// Reads the world and lets the risk engine look at it.
    ///
    /// # Panics
    /// Without one.
    pub fn score(&mut self, world: &World) -> &Scorer {
        self.read(world);
        let (assessment, signer, early) = (self.assess(world), self.key.pubkey(), Board::default());
        let (store, index, tip_slot) = (&self.store, &self.index, world.slot());
        let scorer = self.scorer.as_mut().expect("a risk engine");
        scorer.see(Seen { store, assessment: &assessment, index, early: &early, signer: &signer, tip_slot });
        scorer
    }

    /// Reads the world and decides.
    pub fn decide(&mut self, world: &World) -> Vec<Decision> {
        self.read(world);
        self.decide_on_what_it_knows(world)
    }

    /// Decides without reading.
    pub fn decide_on_what_it_knows(&mut self, world: &World) -> Vec<Decision> {
        let assessment = self.assess(world);
        let signer = self.key.pubkey();
        let held = feeds::wallets(&self.store, &signer).into_iter().filter_map(|(mint, wallet)| {
            let account = self.store.raw(&wallet.token)?;
            TokenBalance::decode(&account.data, &mint, &signer).map(|held| (mint, held.amount))
        });
        let set = self.store.keeper_set();
        let means = Means {
            is_gapless: true,
            is_funded: true,
            is_keeper: set.is_some_and(|(_, set)| set.member_at(&signer, world.now_ts()).is_some()),
            tokens: held.collect(),
            opinions: self.opinions.clone(),
            bands: self.bands.clone(),
        };
        decide(&assessment, &self.store, &self.policy, &means, &mut self.history)
    }

    /// Returns the decision of `class`, if there is one now.
    pub fn decision(&mut self, world: &World, class: ActionClass) -> Option<Decision> {
        self.decide(world).into_iter().find(|decision| decision.intent.class == class)
    }

    /// Plans a decision.
    ///
    /// # Errors
    /// The planner's.
    pub fn plan(&self, world: &World, decision: &Decision) -> Result<PlannedTx, PlanError> {
        let known = tables::known(&self.store, &self.tables, world.slot());
        let (store, signer, prices, market) = (&self.store, self.key.pubkey(), &self.prices, &fees::Market::default());
        Planner { store, found: &Found::new(), signer, prices, market, tables: &known }.plan(decision, &self.history)
    }

    /// Returns the accounts that a lookup table for it has to hold.
    ///
    /// # Panics
    /// If an account of the guard isn't known.
    pub fn shared_accounts(&mut self, world: &World) -> Vec<Pubkey> {
        self.read(world);
        let (store, signer, prices, market) = (&self.store, self.key.pubkey(), &self.prices, &fees::Market::default());
        let planner = Planner { store, found: &Found::new(), signer, prices, market, tables: &[] };
        planner.shared_accounts(&self.policy.economics.routes, &[]).expect("all are known")
    }

    /// Lands a plan as the submitter would send it.
    ///
    /// # Errors
    /// The transaction's.
    pub fn land(
        &self,
        world: &mut World,
        planned: &PlannedTx,
    ) -> Result<TransactionMetadata, Box<FailedTransactionMetadata>> {
        let mut all = vec![
            ComputeBudgetInstruction::set_compute_unit_limit(planned.compute_unit_limit),
            ComputeBudgetInstruction::set_compute_unit_price(planned.priority_micro_lamports),
        ];
        all.extend_from_slice(&planned.instructions);
        world.svm.expire_blockhash();
        let (payer, blockhash) = (self.key.pubkey(), world.svm.latest_blockhash());
        let message = if planned.tables.is_empty() {
            VersionedMessage::Legacy(Message::new_with_blockhash(&all, Some(&payer), &blockhash))
        } else {
            VersionedMessage::V0(
                v0::Message::try_compile(&payer, &all, &planned.tables, blockhash).expect("it compiles"),
            )
        };
        let transaction = VersionedTransaction::try_new(message, &[&self.key]).expect("one signer");
        let bytes = 1 + 64 * transaction.signatures.len() + transaction.message.serialize().len();
        assert!(bytes <= 1_232, "{bytes} bytes don't fit into a packet");
        world.svm.send_transaction(transaction).map_err(Box::new)
    }

    /// Puts a lookup table of `addresses` on chain, and has the keeper use it.
    pub fn with_table(&mut self, world: &mut World, addresses: &[Pubkey]) {
        let mut data = vec![0; 56];
        data[0] = 1;
        data[4..12].copy_from_slice(&u64::MAX.to_le_bytes());
        addresses.iter().for_each(|key| data.extend_from_slice(key.as_ref()));
        let key = Pubkey::new_from_array([0x7a; 32]);
        world.put_account(key, anchor_lang::prelude::pubkey!("AddressLookupTab1e1111111111111111111111111"), data);
        self.tables.push(key);
    }
}

/// Returns the best way of a decision about a position.
///
/// # Panics
/// If it is about something else.
pub fn estimate(decision: &Decision) -> Estimate {
    match &decision.action {
        Action::Position { offers, .. } => offers.first().expect("a way").estimate,
        other => panic!("not about a position: {other:?}"),
    }
}

/// Returns the outcome that the submitter makes of a failed transaction.
pub fn failed(error: &TransactionError, slot: u64) -> Outcome {
    let code = match error {
        TransactionError::InstructionError(_, InstructionError::Custom(code)) => Some(*code),
        _ => None,
    };
    Outcome::Failed { slot, error: error.clone(), code, lost_race: false }
}
