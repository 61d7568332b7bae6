//! A guard with a SOL/USDC vault in LiteSVM.

use crate::layouts;
use crate::oracles::Feeds;
use crate::{defaults, program};
use anchor_lang::{Discriminator, ZeroCopy};
use litesvm::LiteSVM;
use litesvm::types::{FailedTransactionMetadata, TransactionMetadata};
use rampart::state::asset::Peg;
use rampart::state::rule::RuleParams;
use rampart::state::{Asset, Guard, Position, Rule, Vault};
use rampart::{InitializeGuardArgs, InitializeVaultArgs, LiquidateArgs, RegisterAssetArgs, SupplyArgs};
use rampart_client::liquidation::Liquidator;
use rampart_client::{AccountMeta, Instruction, MintOf, Pubkey, VaultKeys, address, admin, evidence, lending};
use solana_sdk::clock::Clock;
use solana_sdk::message::Message;
use solana_sdk::signature::Keypair;
use solana_sdk::signer::Signer;
use solana_sdk::transaction::Transaction;

/// What became of a transaction.
pub type Outcome = Result<TransactionMetadata, Box<FailedTransactionMetadata>>;

/// Unix time at which every world starts, seconds.
pub const START_TS: i64 = 1_800_000_000;

/// A guard with one vault, warm references and a chain clock that only the test moves.
pub struct World {
    /// The network.
    pub svm: LiteSVM,
    /// Pays for everything and is the authority of the mints.
    pub payer: Keypair,
    /// Root of the guard.
    pub root: Keypair,
    /// Risk admin of the guard.
    pub risk_admin: Keypair,
    /// The guard.
    pub guard: Pubkey,
    /// Collateral mint, 9 decimals.
    pub sol: MintOf,
    /// Loan mint, 6 decimals.
    pub usdc: MintOf,
    /// Feeds of the collateral.
    pub sol_feeds: Feeds,
    /// Feeds of the loan.
    pub usdc_feeds: Feeds,
    /// The vault.
    pub keys: VaultKeys,
    /// How many keys the world has made.
    keys_made: u64,
}

/// An owner with token accounts and an open position.
pub struct User {
    /// Signs.
    pub key: Keypair,
    /// Token account of the collateral mint.
    pub sol: Pubkey,
    /// Token account of the loan mint.
    pub usdc: Pubkey,
    /// The position.
    pub position: Pubkey,
}

impl User {
    /// Returns the owner's address.
    pub fn address(&self) -> Pubkey {
        self.key.pubkey()
    }
}

impl World {
    /// A network with the program and funded keys, and nothing else.
    pub fn empty() -> Self {
        let mut svm = LiteSVM::new();
        svm.add_program(rampart::ID, &program::bytes()).expect("the program loads");
        let keys: [Keypair; 3] = std::array::from_fn(|i| Keypair::new_from_array([i as u8 + 1; 32]));
        for key in &keys {
            svm.airdrop(&key.pubkey(), 1_000_000_000_000).expect("airdrop");
        }
        let [payer, root, risk_admin] = keys;
        let unset = MintOf { mint: Pubkey::default(), token_program: Pubkey::default() };
        let guard = address::guard(&root.pubkey(), 1);
        let keys = VaultKeys::derive(guard, unset, unset);
        let (sol_feeds, usdc_feeds) = (Feeds::new(0x11), Feeds::new(0x22));
        let mut world = Self {
            svm,
            payer,
            root,
            risk_admin,
            guard,
            sol: unset,
            usdc: unset,
            sol_feeds,
            usdc_feeds,
            keys,
            keys_made: 0,
        };
        world.set_clock(START_TS, 1_000);
        world
    }

    /// A world with mints and a guard, but no assets.
    pub fn with_guard() -> Self {
        Self::with_guard_of(anchor_spl::token::ID, anchor_spl::token::ID)
    }

    fn with_guard_of(sol_program: Pubkey, usdc_program: Pubkey) -> Self {
        let mut world = Self::empty();
        world.sol = world.create_mint(sol_program, 9);
        world.usdc = world.create_mint(usdc_program, 6);
        world.keys = VaultKeys::derive(world.guard, world.sol, world.usdc);
        let ix = world.initialize_guard_ix();
        world.send_as_root(&[ix]).expect("guard is created");
        world
    }

    /// A world with a guard and both assets, priced at 150 and 1 dollars, with cold references.
    pub fn with_assets() -> Self {
        Self::with_assets_of(anchor_spl::token::ID, anchor_spl::token::ID)
    }

    fn with_assets_of(sol_program: Pubkey, usdc_program: Pubkey) -> Self {
        let mut world = Self::with_guard_of(sol_program, usdc_program);
        let ixs = [
            world.register_asset_ix(world.sol, world.sol_feeds),
            world.register_asset_ix(world.usdc, world.usdc_feeds),
        ];
        world.send_as_root(&ixs).expect("assets are registered");
        world.set_prices(150.0, 1.0);
        world
    }

    /// A world with a vault and warm references.
    pub fn with_vault() -> Self {
        Self::with_vault_of(defaults_args(), anchor_spl::token::ID, anchor_spl::token::ID)
    }

    /// As [`World::with_vault`], with other parameters.
    pub fn with_vault_args(args: InitializeVaultArgs) -> Self {
        Self::with_vault_of(args, anchor_spl::token::ID, anchor_spl::token::ID)
    }

    /// As [`World::with_vault`], with mints of Token-2022.
    pub fn with_token_2022_vault() -> Self {
        Self::with_vault_of(defaults_args(), anchor_spl::token_2022::ID, anchor_spl::token_2022::ID)
    }

    fn with_vault_of(args: InitializeVaultArgs, sol_program: Pubkey, usdc_program: Pubkey) -> Self {
        let mut world = Self::with_assets_of(sol_program, usdc_program);
        let ix = world.initialize_vault_ix(args);
        world.send_as_root(&[ix]).expect("vault is created");
        world.warm_up(10, 60);
        world
    }

    /// Observes both assets `times` times, `step_secs` apart, at the prices that stand.
    pub fn warm_up(&mut self, times: usize, step_secs: i64) {
        let (sol, usdc) = (self.sol_price(), self.usdc_price());
        for _ in 0..times {
            self.advance(step_secs);
            self.set_prices(sol, usdc);
            self.observe_both();
        }
    }

    /// Returns the instruction that creates the world's guard.
    pub fn initialize_guard_ix(&self) -> Instruction {
        let roles = defaults::roles(self.root.pubkey(), self.risk_admin.pubkey());
        admin::initialize_guard(self.root.pubkey(), 1, InitializeGuardArgs { roles, bounds: defaults::bounds() })
    }

    /// The loan is worth a dollar by name, everything else what the market says.
    fn peg_of(&self, mint: MintOf) -> Peg {
        if mint == self.usdc { Peg::UsDollar } else { Peg::Unpegged }
    }

    /// Returns the instruction that registers `mint` with `feeds`.
    pub fn register_asset_ix(&self, mint: MintOf, feeds: Feeds) -> Instruction {
        let args = RegisterAssetArgs { peg: self.peg_of(mint) as u8, ..defaults::asset_args(feeds.set()) };
        admin::register_asset(self.root.pubkey(), self.guard, mint.mint, args)
    }

    /// Returns the instruction that creates the vault.
    pub fn initialize_vault_ix(&self, args: InitializeVaultArgs) -> Instruction {
        admin::initialize_vault(self.root.pubkey(), self.guard, self.sol, self.usdc, args)
    }

    /// Creates rule `id` about `subject` and returns its address.
    pub fn create_rule(&mut self, id: u16, subject: Pubkey, params: RuleParams) -> Pubkey {
        let ix = admin::create_rule(self.root.pubkey(), self.guard, subject, id, params);
        self.send_as_root(&[ix]).expect("rule is created");
        address::rule(&self.guard, id)
    }

    // --- clock and prices

    /// Returns the chain's time, unix seconds.
    pub fn now_ts(&self) -> i64 {
        self.svm.get_sysvar::<Clock>().unix_timestamp
    }

    /// Returns the chain's slot.
    pub fn slot(&self) -> u64 {
        self.svm.get_sysvar::<Clock>().slot
    }

    /// Sets time and slot.
    pub fn set_clock(&mut self, unix_timestamp: i64, slot: u64) {
        let clock = Clock { unix_timestamp, slot, ..self.svm.get_sysvar::<Clock>() };
        self.svm.set_sysvar(&clock);
    }

    /// Moves time on by `secs` at four slots a second, and at least one slot.
    pub fn advance(&mut self, secs: i64) {
        let slots = u64::try_from(secs).map_or(1, |s| s * 4).max(1);
        self.set_clock(self.now_ts() + secs, self.slot() + slots);
    }

    /// Publishes both prices on both sources now.
    pub fn set_prices(&mut self, sol_dollars: f64, usdc_dollars: f64) {
        let (sol, usdc) = (self.sol_feeds, self.usdc_feeds);
        self.publish(&sol, sol_dollars);
        self.publish(&usdc, usdc_dollars);
    }

    /// Moves time on, publishes both prices and observes both assets.
    pub fn tick(&mut self, secs: i64, sol_dollars: f64, usdc_dollars: f64) {
        self.advance(secs);
        self.set_prices(sol_dollars, usdc_dollars);
        self.observe_both();
    }

    /// Observes both assets.
    pub fn observe_both(&mut self) {
        let ixs = [
            evidence::observe(self.keys.collateral_asset, self.sol.mint, &self.sol_feeds.metas()),
            evidence::observe(self.keys.loan_asset, self.usdc.mint, &self.usdc_feeds.metas()),
        ];
        self.send(&ixs, &[]).expect("both are observed");
    }

    /// Returns the price on the collateral's Pyth feed, dollars.
    pub fn sol_price(&self) -> f64 {
        self.price_of(&self.sol_feeds)
    }

    /// Returns the price on the loan's Pyth feed, dollars.
    pub fn usdc_price(&self) -> f64 {
        self.price_of(&self.usdc_feeds)
    }

    /// Returns the price on the Pyth feed of `feeds`, dollars.
    pub fn price_of(&self, feeds: &Feeds) -> f64 {
        let data = self.svm.get_account(&feeds.pyth).expect("feed exists").data;
        i64::from_le_bytes(data[73..81].try_into().expect("eight bytes")) as f64 / 1e8
    }

    /// Returns the oracle accounts of the vault: the collateral's, then the loan's.
    pub fn pair_oracles(&self) -> Vec<AccountMeta> {
        [self.sol_feeds.metas(), self.usdc_feeds.metas()].concat()
    }

    // --- users

    /// Returns a new key: the n-th of every world is the same, so that addresses, and with them compute units, repeat.
    pub fn new_key(&mut self) -> Keypair {
        self.keys_made += 1;
        let mut seed = [0x4b; 32];
        seed[..8].copy_from_slice(&self.keys_made.to_le_bytes());
        Keypair::new_from_array(seed)
    }

    /// Creates an owner with `sol` lamports of collateral and `usdc` base units, and an open position.
    pub fn user(&mut self, sol: u64, usdc: u64) -> User {
        let key = self.new_key();
        self.svm.airdrop(&key.pubkey(), 10_000_000_000).expect("airdrop");
        let sol = self.create_token_account(self.sol, key.pubkey(), sol);
        let usdc = self.create_token_account(self.usdc, key.pubkey(), usdc);
        let ix = lending::open_position(self.payer.pubkey(), key.pubkey(), self.keys.vault);
        self.send(&[ix], &[&key]).expect("position is opened");
        let position = address::position(&self.keys.vault, &key.pubkey());
        User { key, sol, usdc, position }
    }

    /// Creates a lender who has supplied `usdc` base units.
    pub fn lender(&mut self, usdc: u64) -> User {
        let user = self.user(0, usdc);
        self.supply(&user, usdc).expect("lender supplies");
        user
    }

    /// Creates a borrower with `sol` lamports of collateral and `usdc` base units of debt.
    pub fn borrower(&mut self, sol: u64, usdc: u64) -> User {
        let user = self.user(sol, 0);
        self.deposit_collateral(&user, sol).expect("borrower deposits");
        self.borrow(&user, usdc).expect("borrower borrows");
        user
    }

    /// Supplies `amount` from the user's account.
    pub fn supply(&mut self, user: &User, amount: u64) -> Outcome {
        let ix = lending::supply(&self.keys, user.address(), user.usdc, SupplyArgs { amount, min_shares: 0 });
        self.send(&[ix], &[&user.key])
    }

    /// Withdraws `shares`.
    pub fn withdraw(&mut self, user: &User, shares: u128) -> Outcome {
        let args = rampart::WithdrawArgs { shares, min_amount: 0 };
        let ix = lending::withdraw(&self.keys, user.address(), user.usdc, args);
        self.send(&[ix], &[&user.key])
    }

    /// Deposits collateral.
    pub fn deposit_collateral(&mut self, user: &User, amount: u64) -> Outcome {
        let ix = lending::deposit_collateral(&self.keys, user.address(), user.sol, user.address(), amount);
        self.send(&[ix], &[&user.key])
    }

    /// Withdraws collateral.
    pub fn withdraw_collateral(&mut self, user: &User, amount: u64) -> Outcome {
        let ix = lending::withdraw_collateral(&self.keys, user.address(), user.sol, &self.pair_oracles(), amount);
        self.send(&[ix], &[&user.key])
    }

    /// Borrows.
    pub fn borrow(&mut self, user: &User, amount: u64) -> Outcome {
        let ix = lending::borrow(&self.keys, user.address(), user.usdc, &self.pair_oracles(), amount);
        self.send(&[ix], &[&user.key])
    }

    /// Repays the user's own debt.
    pub fn repay(&mut self, user: &User, amount: u64) -> Outcome {
        let ix = lending::repay(&self.keys, user.address(), user.usdc, user.address(), amount);
        self.send(&[ix], &[&user.key])
    }

    /// Liquidates `position` by `by`, at the position's present fence.
    pub fn liquidate(&mut self, by: &User, position: Pubkey, max_repay_amount: u64) -> Outcome {
        let args = self.liquidate_args(position, max_repay_amount);
        let ix =
            rampart_client::liquidation::liquidate(&self.keys, position, liquidator(by), &self.pair_oracles(), args);
        self.send(&[ix], &[&by.key])
    }

    /// Softly deleverages `position` by `by`, at the position's present fence.
    pub fn deleverage(&mut self, by: &User, position: Pubkey, max_repay_amount: u64) -> Outcome {
        let args = self.liquidate_args(position, max_repay_amount);
        let ix =
            rampart_client::liquidation::deleverage(&self.keys, position, liquidator(by), &self.pair_oracles(), args);
        self.send(&[ix], &[&by.key])
    }

    /// Returns arguments at the position's present fence.
    pub fn liquidate_args(&self, position: Pubkey, max_repay_amount: u64) -> LiquidateArgs {
        let liquidation_seq = self.position(&position).liquidation_seq;
        LiquidateArgs { liquidation_seq, max_repay_amount, min_seize_amount: 0 }
    }

    // --- copies

    /// Returns a copy with a network of its own. That costs microseconds, where building a world takes many transactions.
    pub fn replica(&self) -> Self {
        Self {
            svm: self.svm.clone(),
            payer: self.payer.insecure_clone(),
            root: self.root.insecure_clone(),
            risk_admin: self.risk_admin.insecure_clone(),
            ..*self
        }
    }

    // --- sending and reading

    /// Sends instructions signed by the payer and `signers`.
    pub fn send(&mut self, instructions: &[Instruction], signers: &[&Keypair]) -> Outcome {
        let payer = self.payer.insecure_clone();
        let mut all = vec![&payer];
        all.extend_from_slice(signers);
        self.svm.expire_blockhash();
        let message = Message::new(instructions, Some(&payer.pubkey()));
        let transaction = Transaction::new(&all, message, self.svm.latest_blockhash());
        layouts::probe(&mut self.svm, &transaction);
        self.svm.send_transaction(transaction).map_err(Box::new)
    }

    /// Sends instructions signed by the payer and the root.
    pub fn send_as_root(&mut self, instructions: &[Instruction]) -> Outcome {
        let root = self.root.insecure_clone();
        self.send(instructions, &[&root])
    }

    /// Returns a zero-copy account of the program.
    ///
    /// # Panics
    /// If it does not exist or is of another kind.
    pub fn load<T: ZeroCopy + Discriminator>(&self, key: &Pubkey) -> T {
        let data = self.svm.get_account(key).expect("account exists").data;
        assert_eq!(&data[..8], T::DISCRIMINATOR, "account is of another kind");
        bytemuck::pod_read_unaligned(&data[8..8 + size_of::<T>()])
    }

    /// Writes a zero-copy account back: for states that no instruction reaches in a short test.
    pub fn store<T: ZeroCopy + Discriminator>(&mut self, key: &Pubkey, value: &T) {
        let mut account = self.svm.get_account(key).expect("account exists");
        account.data[8..8 + size_of::<T>()].copy_from_slice(bytemuck::bytes_of(value));
        self.svm.set_account(*key, account).expect("account is written");
    }

    /// Returns the vault.
    pub fn vault(&self) -> Vault {
        self.load(&self.keys.vault)
    }

    /// Returns a position.
    pub fn position(&self, key: &Pubkey) -> Position {
        self.load(key)
    }

    /// Returns the collateral's asset account.
    pub fn sol_asset(&self) -> Asset {
        self.load(&self.keys.collateral_asset)
    }

    /// Returns the guard.
    pub fn guard_state(&self) -> Guard {
        self.load(&self.guard)
    }

    /// Returns a rule.
    pub fn rule(&self, key: &Pubkey) -> Rule {
        self.load(key)
    }
}

/// Returns the token accounts with which `by` liquidates.
pub fn liquidator(by: &User) -> Liquidator {
    Liquidator { authority: by.address(), loan_token: by.usdc, collateral_token: by.sol }
}

/// Returns the default parameters of a vault.
pub fn defaults_args() -> InitializeVaultArgs {
    InitializeVaultArgs { risk: defaults::risk(), curve: defaults::curve(), limits: defaults::limits() }
}
