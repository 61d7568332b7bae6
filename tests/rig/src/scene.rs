//! What every test starts from: a guarded vault with a rule and a borrower, a keeper's key with money, endpoints.

use crate::chain::Chain;
use crate::endpoint::Endpoint;
use crate::wait::until;
use anchor_spl::associated_token::get_associated_token_address_with_program_id;
use rampart::state::rule::RuleParams;
use rampart::state::{Position, Rule};
use rampart_client::{MintOf, Pubkey};
use rampart_keeper::post::Cohort;
use rampart_keeper::takeover::{HEADER_LEN, data_address};
use rampart_tests::defaults::{SOL, USDC, drawdown_rule};
use rampart_tests::integrator::fixture;
use rampart_tests::world::defaults_args;
use rampart_tests::{User, World};
use solana_sdk::account::Account;
use solana_sdk::signature::{Keypair, Signature};
use solana_sdk::signer::Signer;
use std::collections::BTreeSet;

/// Whose programs of Pyth the stand-in stands for.
pub const COHORT: Cohort = Cohort::ALL[0];
/// The price at the start, dollars.
pub const CALM: f64 = 150.0;
/// Beyond the rule's threshold of 10 %, and short of the borrower's liquidation line.
pub const FALLEN: f64 = 134.0;
/// Beyond the liquidation line of 80 %.
pub const CRASHED: f64 = 120.0;

/// A chain with its endpoints.
pub struct Scene {
    /// The chain.
    pub chain: Chain,
    /// Its endpoints.
    pub endpoints: Vec<Endpoint>,
    /// A drawdown rule on the collateral.
    pub rule: Pubkey,
    /// Borrowed 10,000 USDC against 100 SOL.
    pub borrower: User,
    /// The keeper's key.
    pub payer: Keypair,
    /// The guard.
    pub guard: Pubkey,
}

impl Scene {
    /// A scene with `endpoints` endpoints, whose chain runs.
    pub async fn new(endpoints: usize) -> Self {
        Self::with_rule(endpoints, drawdown_rule()).await
    }

    /// As [`Self::new`], with another rule.
    pub async fn with_rule(endpoints: usize, params: RuleParams) -> Self {
        Self::of(World::with_vault(), endpoints, params).await
    }

    /// As [`Self::new`], with the collateral's Pyth feed where the push oracle keeps it, and a stand-in for the programs of
    /// Pyth.
    pub async fn with_push_feed(endpoints: usize) -> Self {
        let (mut world, cohort) = (World::with_guard(), COHORT);
        let program = fixture("pyth");
        for address in [cohort.receiver, cohort.push_oracle, cohort.verifier] {
            world.svm.add_program(address, &program).expect("the fixture loads");
        }
        world.sol_feeds.pyth = cohort.feed_account(0, &world.sol_feeds.feed_id);
        let assets = [
            world.register_asset_ix(world.sol, world.sol_feeds),
            world.register_asset_ix(world.usdc, world.usdc_feeds),
        ];
        world.send_as_root(&assets).expect("assets are registered");
        world.set_prices(CALM, 1.0);
        let vault = world.initialize_vault_ix(defaults_args());
        world.send_as_root(&[vault]).expect("vault is created");
        world.warm_up(10, 60);
        Self::of(world, endpoints, drawdown_rule()).await
    }

    async fn of(mut world: World, endpoints: usize, params: RuleParams) -> Self {
        let rule = world.create_rule(1, world.keys.collateral_asset, params);
        world.lender(1_000_000 * USDC);
        let borrower = world.borrower(100 * SOL, 10_000 * USDC);
        let payer = world.new_key();
        world.svm.airdrop(&payer.pubkey(), 100 * SOL).expect("airdrop");
        for (mint, amount) in [(world.sol, 0), (world.usdc, 100_000 * USDC)] {
            give(&mut world, payer.pubkey(), mint, amount);
        }
        let guard = world.guard;
        let chain = Chain::new(world, [CALM, 1.0]);
        chain.start();
        let mut scene = Self { chain, endpoints: Vec::new(), rule, borrower, payer, guard };
        for n in 0..endpoints {
            scene.endpoints.push(Endpoint::start(&format!("e{n}"), &scene.chain).await);
        }
        scene
    }

    /// Lets the collateral cost `dollars` from the next slot on.
    pub fn price(&self, dollars: f64) {
        self.chain.state().prices[0] = dollars;
    }

    /// Returns the account of the collateral's Pyth feed.
    pub fn feed(&self) -> Pubkey {
        self.chain.state().world.sol_feeds.pyth
    }

    /// Lets nobody push the collateral's Pyth feed from now on, or lets it be pushed again.
    pub fn lag(&self, is_lagging: bool) {
        let feed = self.feed();
        let mut state = self.chain.state();
        if is_lagging {
            state.silent.insert(feed)
        } else {
            state.silent.remove(&feed)
        };
    }

    /// Returns the price that the collateral's Pyth feed holds on chain, dollars.
    pub fn feed_price(&self) -> f64 {
        self.chain.state().world.sol_price()
    }

    /// Returns how many accounts hold a message that is to be verified.
    pub fn open_messages(&self) -> usize {
        let state = self.chain.state();
        let is_message = |account: &Account| account.owner == COHORT.verifier && account.lamports > 0;
        let all = state.world.svm.accounts_db().inner.values().map(|account| Account::from(account.clone()));
        all.filter(is_message).count()
    }

    /// Returns the accounts of both collateral feeds as a block with another price would hold them.
    pub fn fork_of_prices(&self, dollars: f64) -> Vec<(Pubkey, Account)> {
        let mut fork = self.chain.state().world.replica();
        let feeds = fork.sol_feeds;
        fork.publish(&feeds, dollars);
        let account = |key: Pubkey| (key, fork.svm.get_account(&key).expect("account exists"));
        vec![account(feeds.pyth), account(feeds.switchboard)]
    }

    /// Makes a second keeper's key with money.
    pub fn rival(&self, seed: u8) -> Keypair {
        let key = Keypair::new_from_array([0xa0 | seed; 32]);
        let mut state = self.chain.state();
        state.world.svm.airdrop(&key.pubkey(), 100 * SOL).expect("airdrop");
        for (mint, amount) in [(state.world.sol, 0), (state.world.usdc, 100_000 * USDC)] {
            give(&mut state.world, key.pubkey(), mint, amount);
        }
        key
    }

    /// Lets endpoints see what was done to the world.
    pub async fn settle(&self) {
        let slot = self.chain.state().slot;
        until("two slots pass", || async { self.chain.state().slot > slot + 2 }).await;
    }

    /// Lets the guard's own program belong to `authority` and run `code`.
    ///
    /// # Panics
    /// If there is no program.
    pub fn put_program(&self, authority: &Pubkey, code: &[u8]) {
        let world = &mut self.chain.state().world;
        let mut account = world.svm.get_account(&data_address()).expect("the program's code");
        account.data.truncate(HEADER_LEN);
        account.data[12] = 1;
        account.data[13..HEADER_LEN].copy_from_slice(authority.as_ref());
        account.data.extend_from_slice(code);
        world.svm.set_account(data_address(), account).expect("account is written");
    }

    /// Returns the rule.
    pub fn rule(&self) -> Rule {
        self.chain.state().world.rule(&self.rule)
    }

    /// Returns the borrower's position.
    pub fn position(&self) -> Position {
        self.chain.state().world.position(&self.borrower.position)
    }

    /// Returns how often the rule tripped.
    pub fn trips(&self) -> u64 {
        self.rule().trip_epoch
    }

    /// Returns the signatures that reached an endpoint and name `account`, in order of arrival.
    pub fn signatures_about(&self, account: &Pubkey) -> Vec<Signature> {
        let mut seen = BTreeSet::new();
        let state = self.chain.state();
        let about = state.sends.iter().filter(|send| {
            crate::landing::Pending::read(&send.bytes)
                .is_some_and(|pending| pending.transaction.message.account_keys.contains(account))
        });
        about.map(|send| send.signature).filter(|signature| seen.insert(*signature)).collect()
    }

    /// Returns how many slots after `due` the first transaction that names `account` landed and succeeded; none where none did.
    pub fn slots_to(&self, account: &Pubkey, due: u64) -> Option<u64> {
        let signatures = self.signatures_about(account);
        let state = self.chain.state();
        let landed = signatures.iter().filter_map(|signature| state.landed(signature));
        let first = landed.filter(|landed| landed.result.is_ok()).map(|landed| landed.slot).min();
        first.map(|slot| slot.saturating_sub(due))
    }

    /// Returns how many transactions that name `account` landed and succeeded.
    pub fn landings_about(&self, account: &Pubkey) -> usize {
        let signatures = self.signatures_about(account);
        let state = self.chain.state();
        signatures.iter().filter(|s| state.landed(s).is_some_and(|landed| landed.result.is_ok())).count()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.chain.stop();
    }
}

/// Gives `owner` an associated token account with `amount`.
fn give(world: &mut World, owner: Pubkey, mint: MintOf, amount: u64) {
    let at = get_associated_token_address_with_program_id(&owner, &mint.mint, &mint.token_program);
    let empty = world.create_token_account(mint, owner, amount);
    let account = world.svm.get_account(&empty).expect("account exists");
    world.svm.set_account(at, account).expect("account is written");
}
