//! What the keepers defend: a guarded vault with rules and borrowers, and their own wallets.

use anchor_spl::associated_token::get_associated_token_address_with_program_id;
use rampart::state::Metric;
use rampart::state::rule::RuleParams;
use rampart_client::{MintOf, Pubkey};
use rampart_tests::defaults::{SOL, USDC, drawdown_rule};
use rampart_tests::rules::{collateral_ratio, deviation, oracle_age, peg_deviation, source_disagreement};
use rampart_tests::{User, World};
use solana_sdk::signature::Keypair;
use solana_sdk::signer::Signer;

/// Price of the collateral at the start, dollars.
pub const CALM: f64 = 150.0;

/// Everything on chain at the start.
pub struct Scene {
    /// The chain's accounts.
    pub world: World,
    /// Rules, with a name each.
    pub rules: Vec<(&'static str, Pubkey)>,
    /// Borrowers.
    pub borrowers: Vec<User>,
    /// Keys of keepers.
    pub payers: Vec<Keypair>,
    /// Somebody rich who only asks what would be possible.
    pub probe: User,
}

impl Scene {
    /// A scene for `keepers` keepers and `borrowers` borrowers.
    ///
    /// # Panics
    /// If the program refuses to build it.
    pub fn new(keepers: usize, borrowers: usize) -> Self {
        let mut world = World::with_vault();
        let (sol, usdc, vault) = (world.keys.collateral_asset, world.keys.loan_asset, world.keys.vault);
        // short enough that a simulation sees many of them begin and end
        let brief = |params: RuleParams| RuleParams { duration_secs: 300, min_dwell_secs: 40, ..params };
        let persistent = RuleParams {
            metric: Metric::DeviationFromReference as u8,
            threshold: 600,
            clear_threshold: 300,
            window_secs: 1,
            min_persist_secs: 12,
            min_observations: 3,
            ..drawdown_rule()
        };
        let params = [
            ("drawdown", sol, drawdown_rule()),
            ("deviation", sol, deviation()),
            ("oracle_age", sol, oracle_age()),
            ("disagreement", sol, source_disagreement()),
            ("peg", usdc, peg_deviation()),
            ("collateral_ratio", vault, collateral_ratio()),
            ("persistent", sol, persistent),
        ];
        let rules = (1u16..).zip(params);
        let rules = rules.map(|(id, (name, subject, p))| (name, world.create_rule(id, subject, brief(p)))).collect();
        world.lender(20_000_000 * USDC);
        let borrowers = (0..borrowers as u64)
            .map(|n| world.borrower((50 + 10 * n) * SOL, (50 + 10 * n) * (60 + 3 * (n % 14)) * USDC))
            .collect();
        let payers = (0..keepers).map(|_| wallet(&mut world)).collect();
        let probe = world.user(0, 50_000_000 * USDC);
        Self { world, rules, borrowers, payers, probe }
    }
}

/// A key with SOL, USDC, and the token accounts of both mints.
fn wallet(world: &mut World) -> Keypair {
    let payer = world.new_key();
    world.svm.airdrop(&payer.pubkey(), 100 * SOL).expect("airdrop");
    for (mint, amount) in [(world.sol, 0), (world.usdc, 5_000_000 * USDC)] {
        give(world, payer.pubkey(), mint, amount);
    }
    payer
}

/// Gives `owner` an associated token account with `amount`.
fn give(world: &mut World, owner: Pubkey, mint: MintOf, amount: u64) {
    let at = get_associated_token_address_with_program_id(&owner, &mint.mint, &mint.token_program);
    let empty = world.create_token_account(mint, owner, amount);
    let account = world.svm.get_account(&empty).expect("account exists");
    world.svm.set_account(at, account).expect("account is written");
}
