//! The world that every sequence starts from: one guard with everything that the program knows, warm and in use.

use crate::sequences::desk::Desk;
use crate::sequences::model::{DAY, HOUR, Model};
use crate::sequences::{scale, standby};
use rampart::state::bounty::BountyParams;
use rampart::state::group::GroupParams;
use rampart::state::integration::Mode;
use rampart::state::rule::{RuleParams, Scope, Standing};
use rampart::state::{Level, Switch};
use rampart_client::{Instruction, MintOf};
use rampart_client::{Pubkey, VaultKeys, address, bounty, groups, keepers, lending};
use rampart_tests::defaults::{self, SOL, USDC};
use rampart_tests::integrations::{Place, Setup};
use rampart_tests::keepers as reporters;
use rampart_tests::officers::Officer;
use rampart_tests::scenario::args_with_floors;
use rampart_tests::{Outcome, World, rules};
use solana_sdk::message::{Message, VersionedMessage};
use solana_sdk::signature::Signature;
use solana_sdk::signer::Signer;
use solana_sdk::transaction::VersionedTransaction;
use std::rc::Rc;

/// What L never falls below: small, so that it binds.
pub const LOAN_FLOOR: u64 = 60_000 * USDC;
/// As [`LOAN_FLOOR`], of the collateral.
pub const COLLATERAL_FLOOR: u64 = 600 * SOL;
/// Owners; the last one starts without a position.
pub const OWNERS: usize = 4;
/// Integrations: one that reports, one whose tokens are held, one whose mint is held.
pub const PLACES: usize = 3;

/// An owner, by addresses: signatures aren't verified in sequences.
#[derive(Clone, Copy, Debug)]
pub struct Owner {
    /// Signs.
    pub address: Pubkey,
    /// Token account of the collateral mint.
    pub sol: Pubkey,
    /// Token account of the loan mint.
    pub usdc: Pubkey,
    /// The position.
    pub position: Pubkey,
}

/// What never changes within a sequence.
pub struct Cast {
    /// Owners.
    pub owners: [Owner; OWNERS],
    /// Members of the keeper set at first, and one who isn't.
    pub keepers: Vec<Pubkey>,
    /// Everybody who ever signs.
    pub people: Vec<Pubkey>,
    /// A group of rules.
    pub group: Pubkey,
    /// The keeper set.
    pub keeper_set: Pubkey,
    /// The bounty vault.
    pub bounty: Pubkey,
    /// Integrations.
    pub places: [Place; PLACES],
    /// Mints without an asset account.
    pub spare_mints: Vec<MintOf>,
    /// Accounts that may stand where they don't belong.
    pub pool: Vec<Pubkey>,
    /// Where swaps happen.
    pub desk: Desk,
    /// Who is paid bounties.
    pub hunter: Pubkey,
    /// Keys that may get a role.
    pub heirs: Vec<Pubkey>,
}

/// A world with its model, and what was created in it.
pub struct Stage {
    /// The world.
    pub world: World,
    /// The reference that it is held against.
    pub model: Model,
    /// Who takes part.
    pub cast: Rc<Cast>,
    /// Rules of the guard.
    pub rules: Vec<Pubkey>,
    /// Mints with an asset account.
    pub mints: Vec<MintOf>,
    /// Vaults of the guard.
    pub vaults: Vec<Pubkey>,
    /// The source of the collateral that stands by.
    pub spare: Pubkey,
    /// Swap policies: those with an escrow first, then what a sequence created.
    pub policies: Vec<Pubkey>,
    /// The guard that a sequence created last.
    pub new_guard: Option<Pubkey>,
    /// Counts what was created, for numbers.
    pub created: u16,
}

/// A rule that ends soon, so that a sequence sees it end.
fn brief(params: RuleParams) -> RuleParams {
    RuleParams { duration_secs: 1_800, min_dwell_secs: 60, ..params }
}

fn rule_params() -> [(RuleParams, Subject); 9] {
    let member = |params| RuleParams { standing: Standing::Member as u8, ..brief(params) };
    let halting = RuleParams { threshold: 1_500, level: Level::Halt as u8, ..rules::deviation() };
    let guard_wide = RuleParams { scope: Scope::Guard as u8, level: Level::Caution as u8, ..rules::collateral_ratio() };
    let paid = RuleParams { bounty: Switch::Enabled as u8, ..brief(defaults::drawdown_rule()) };
    [
        (paid, Subject::Collateral),
        (brief(halting), Subject::Collateral),
        (brief(rules::oracle_age()), Subject::Loan),
        (brief(rules::outflow_rate()), Subject::Vault),
        (brief(RuleParams { threshold: 18_000, clear_threshold: 22_000, ..guard_wide }), Subject::Vault),
        (brief(reporters::median()), Subject::Collateral),
        (member(defaults::drawdown_rule()), Subject::Collateral),
        (member(rules::deviation()), Subject::Collateral),
        (brief(rules::confidence_ratio()), Subject::Collateral),
    ]
}

/// What a rule is about.
#[derive(Clone, Copy)]
enum Subject {
    Collateral,
    Loan,
    Vault,
}

impl Stage {
    /// Builds the world. That takes a second or more: every sequence takes a copy.
    pub fn new() -> Self {
        let mut world = World::with_vault_args(args_with_floors(LOAN_FLOOR, COLLATERAL_FLOOR));
        let owners = owners(&mut world);
        let foreign = world.other_guard();
        let keepers = keeper_set(&mut world);
        let rules = create_rules(&mut world);
        let group = create_group(&mut world, &rules[6..8]);
        create_bounty(&mut world);
        let places = places(&mut world);
        let spare_mints: Vec<MintOf> = (0..3).map(|_| world.create_mint(anchor_spl::token::ID, 6)).collect();
        let hunter = fund(&mut world);
        let desk = Desk::open(&mut world, hunter);
        let heirs: Vec<Pubkey> = (0..3).map(|_| fund(&mut world)).collect();
        let stranger = fund(&mut world);
        let people = people(&world, &owners, &keepers, stranger);
        let pool = pool(&world, &owners, &places, &rules, group, foreign);
        let svm = std::mem::take(&mut world.svm);
        world.svm = svm.with_sigverify(false).with_blockhash_check(false).with_transaction_history(0);
        let mints = vec![world.sol, world.usdc];
        let vaults = vec![world.keys.vault];
        let (keeper_set, bounty) = (address::keeper_set(&world.guard), address::bounty_vault(&world.guard));
        let cast = Rc::new(Cast {
            owners,
            keepers,
            people,
            group,
            keeper_set,
            bounty,
            places,
            spare_mints,
            pool,
            desk,
            hunter,
            heirs,
        });
        scale::switch_on(&mut world);
        let spare = standby::approve(&mut world);
        // what came in lately would leave again without a charge: within an hour of the hour, within a day of the day
        let built_ts = world.now_ts();
        world.advance(DAY + HOUR - 540);
        // drawdowns need a window without gaps
        world.warm_up(10, 60);
        world.warm_up(3, 20);
        let policies: Vec<Pubkey> = cast.desk.policies.iter().map(|keys| keys.policy).collect();
        let model = Model::new(&world, &cast, &rules, &policies, built_ts);
        Self { world, model, cast, rules, mints, vaults, spare, policies, new_guard: None, created: 0 }
    }

    /// Returns a copy of it all.
    pub fn replica(&self) -> Self {
        Self {
            world: self.world.replica(),
            model: self.model.clone(),
            cast: Rc::clone(&self.cast),
            rules: self.rules.clone(),
            mints: self.mints.clone(),
            vaults: self.vaults.clone(),
            spare: self.spare,
            policies: self.policies.clone(),
            new_guard: None,
            created: 0,
        }
    }

    /// Sends instructions; whoever they name as a signer has signed.
    pub fn send(&mut self, instructions: &[Instruction]) -> Outcome {
        self.world.svm.send_transaction(unsigned(&self.world, instructions)).map_err(Box::new)
    }

    /// As [`Stage::send`], without keeping what they do.
    pub fn try_out(&self, instructions: &[Instruction]) -> Result<(), String> {
        let outcome = self.world.svm.simulate_transaction(unsigned(&self.world, instructions));
        outcome.map(drop).map_err(|e| format!("{:?}\n{}", e.err, e.meta.logs.join("\n")))
    }
}

fn unsigned(world: &World, instructions: &[Instruction]) -> VersionedTransaction {
    let message = Message::new(instructions, Some(&world.payer_address()));
    let count = usize::from(message.header.num_required_signatures);
    VersionedTransaction { signatures: vec![Signature::default(); count], message: VersionedMessage::Legacy(message) }
}

fn owners(world: &mut World) -> [Owner; OWNERS] {
    let users: Vec<_> = (0..3).map(|_| world.user(5_000 * SOL, 200_000 * USDC)).collect();
    world.supply(&users[0], 150_000 * USDC).expect("supplied");
    // two borrowers at 61 %, whom a fall of a quarter takes over the line
    for user in &users[1..] {
        world.deposit_collateral(user, 60 * SOL).expect("deposited");
        world.borrow(user, 5_500 * USDC).expect("borrowed");
    }
    let newcomer = fund(world);
    let (sol, usdc) = (world.sol, world.usdc);
    let last = Owner {
        address: newcomer,
        sol: world.create_token_account(sol, newcomer, 50 * SOL),
        usdc: world.create_token_account(usdc, newcomer, 10_000 * USDC),
        position: address::position(&world.keys.vault, &newcomer),
    };
    let owner =
        |i: usize| users.get(i).map(|u| Owner { address: u.address(), sol: u.sol, usdc: u.usdc, position: u.position });
    std::array::from_fn(|i| owner(i).unwrap_or(last))
}

fn fund(world: &mut World) -> Pubkey {
    let key = world.new_key().pubkey();
    world.svm.airdrop(&key, 100_000_000_000).expect("airdrop");
    key
}

fn keeper_set(world: &mut World) -> Vec<Pubkey> {
    let set = reporters::Keepers::new(world, 4);
    let ix = keepers::initialize_keepers(world.root.pubkey(), world.guard, set.args());
    world.send_as_root(&[ix]).expect("set is created");
    let subject = world.keys.collateral_asset;
    set.open(world, subject);
    let mut all: Vec<Pubkey> = set.keys.iter().map(Signer::pubkey).collect();
    all.push(fund(world));
    all
}

fn create_rules(world: &mut World) -> Vec<Pubkey> {
    let k = world.keys;
    let all = rule_params().into_iter().zip(1u16..);
    all.map(|((params, subject), id)| {
        let subject = match subject {
            Subject::Collateral => k.collateral_asset,
            Subject::Loan => k.loan_asset,
            Subject::Vault => k.vault,
        };
        world.create_rule(id, subject, params)
    })
    .collect()
}

/// The parameters of the groups in sequences.
pub fn group_params() -> GroupParams {
    GroupParams {
        duration_secs: 1_800,
        min_dwell_secs: 60,
        max_age_secs: 30,
        level: Level::ReduceOnly as u8,
        bounty: Switch::Enabled as u8,
        reserved: [0; 2],
    }
}

fn create_group(world: &mut World, rules: &[Pubkey]) -> Pubkey {
    let scope = world.keys.vault;
    let ix = groups::create_group(world.root.pubkey(), world.guard, scope, 3, group_params(), rules);
    world.send_as_root(&[ix]).expect("group is created");
    address::group(&world.guard, 3)
}

/// The parameters of the bounty vault at first.
pub fn bounty_params() -> BountyParams {
    BountyParams { bounty_lamports: 5_000_000, daily_limit_lamports: 10_000_000, cooldown_secs: 600, reserved: [0; 4] }
}

fn create_bounty(world: &mut World) {
    let ix = bounty::initialize_bounty(world.root.pubkey(), world.guard, bounty_params());
    world.send_as_root(&[ix]).expect("bounty vault is created");
    world.svm.airdrop(&address::bounty_vault(&world.guard), 1_000_000_000).expect("airdrop");
}

/// One integration of each mode; the held tokens are of the loan asset, whose level counts for them.
fn places(world: &mut World) -> [Place; PLACES] {
    let reported = world.register(Setup { index: 1, ..Setup::reported() });
    let custody = world.register(Setup { index: 2, has_asset: true, ..Setup::custody() });
    let usdc = world.usdc;
    world.usdc = world.create_mint(anchor_spl::token::ID, 6);
    let mint = world.register(Setup { index: 3, ..Setup::mint() });
    world.usdc = usdc;
    debug_assert_eq!(world.integration(&mint).mode, Mode::Mint as u8);
    [reported, custody, mint]
}

fn people(world: &World, owners: &[Owner], keepers: &[Pubkey], stranger: Pubkey) -> Vec<Pubkey> {
    use Officer as O;
    let officers = [O::FirstGuardian, O::SecondGuardian, O::Resetter, O::Vetoer].map(O::address);
    let roots = [world.root.pubkey(), world.risk_admin.pubkey(), stranger];
    roots.into_iter().chain(officers).chain(owners.iter().map(|o| o.address)).chain(keepers.iter().copied()).collect()
}

fn pool(
    world: &World,
    owners: &[Owner],
    places: &[Place],
    rules: &[Pubkey],
    group: Pubkey,
    foreign: VaultKeys,
) -> Vec<Pubkey> {
    let k = &world.keys;
    let mut all = vec![k.vault, k.guard, k.collateral_asset, k.loan_asset, k.collateral_token, k.loan_token, group];
    all.extend([k.collateral_mint, k.loan_mint, world.sol_feeds.pyth, world.usdc_feeds.switchboard]);
    all.extend([foreign.vault, foreign.guard, foreign.collateral_asset, foreign.loan_asset, foreign.loan_token]);
    all.extend([address::bounty_vault(&world.guard), address::keeper_set(&world.guard)]);
    all.extend(owners.iter().flat_map(|o| [o.address, o.sol, o.usdc, o.position]));
    all.extend(places.iter().flat_map(|p| [p.keys.integration, p.token, p.destination]));
    all.extend(rules);
    all
}

/// Opens the position of an owner.
pub fn open_ix(world: &World, owner: &Owner) -> Instruction {
    lending::open_position(world.payer_address(), owner.address, world.keys.vault)
}
