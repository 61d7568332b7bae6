//! What the accounts hold at one moment, decoded.

use crate::sequences::stage::{Cast, OWNERS, PLACES};
use anchor_lang::{Discriminator, ZeroCopy};
use rampart::state::bounty::BountyVault;
use rampart::state::flow::FlowLimits;
use rampart::state::rule::Rule;
use rampart::state::{
    AggregateLimit, Asset, Guard, Integration, KeeperSet, Level, Position, Reserve, SwapPolicy, Vault,
};
use rampart_client::{Pubkey, VaultKeys, address};
use rampart_tests::World;
use solana_sdk::account::ReadableAccount;

/// All that invariants speak of.
pub struct Snap {
    /// The chain's time, unix seconds.
    pub now: i64,
    /// The vault's keys.
    pub keys: VaultKeys,
    /// The guard.
    pub guard: Box<Guard>,
    /// The vault.
    pub vault: Box<Vault>,
    /// Positions of the owners that are open.
    pub positions: [Option<Box<Position>>; OWNERS],
    /// Collateral and loan.
    pub assets: [Box<Asset>; 2],
    /// Rules with their keys.
    pub rules: Vec<(Pubkey, Box<Rule>)>,
    /// Integrations.
    pub integrations: [Box<Integration>; PLACES],
    /// The keeper set.
    pub keepers: Box<KeeperSet>,
    /// The dollar limit, once there is one.
    pub aggregate: Option<Box<AggregateLimit>>,
    /// Swap policies, with their keys.
    pub policies: Vec<(Pubkey, Box<SwapPolicy>)>,
    /// The reserve, once there is one.
    pub reserve: Option<Box<Reserve>>,
    /// Its balances: collateral mint, loan mint.
    pub reserve_held: [u64; 2],
    /// Balances of those who swap, the market and the thief: collateral mint, loan mint.
    pub traders: [[u64; 2]; 2],
    /// What lies in escrows, all mints together.
    pub escrowed: u64,
    /// Balances of the accounts that grants go to: collateral mint, loan mint.
    pub treasury: [u64; 2],
    /// The bounty vault.
    pub bounty: Box<BountyVault>,
    /// Lamports of the bounty vault.
    pub bounty_lamports: u64,
    /// Balances of the vault: loan, collateral.
    pub held: (u64, u64),
    /// What the custody integration holds.
    pub custody: u64,
    /// Supply of the mint whose authority is an integration.
    pub minted: u64,
}

/// Reads a zero-copy account without a copy of its other bytes.
fn read<T: ZeroCopy + Discriminator>(world: &World, key: &Pubkey) -> Option<Box<T>> {
    let account = world.svm.accounts_db().get_account_ref(key)?;
    let data = account.data();
    (data.len() >= 8 + size_of::<T>()).then(|| Box::new(bytemuck::pod_read_unaligned(&data[8..8 + size_of::<T>()])))
}

fn number(world: &World, key: &Pubkey, at: usize) -> u64 {
    let account = world.svm.accounts_db().get_account_ref(key).expect("account exists");
    u64::from_le_bytes(account.data()[at..at + 8].try_into().expect("eight bytes"))
}

impl Snap {
    /// Reads everything.
    pub fn of(world: &World, cast: &Cast, rules: &[Pubkey], policies: &[Pubkey]) -> Self {
        let k = world.keys;
        let lamports = world.svm.accounts_db().get_account_ref(&cast.bounty).map_or(0, ReadableAccount::lamports);
        Self {
            now: world.now_ts(),
            keys: k,
            guard: read(world, &k.guard).expect("guard"),
            vault: read(world, &k.vault).expect("vault"),
            positions: std::array::from_fn(|i| read(world, &cast.owners[i].position)),
            assets: [k.collateral_asset, k.loan_asset].map(|key| read(world, &key).expect("asset")),
            rules: rules.iter().map(|key| (*key, read(world, key).expect("rule"))).collect(),
            integrations: std::array::from_fn(|i| read(world, &cast.places[i].keys.integration).expect("integration")),
            keepers: read(world, &cast.keeper_set).expect("keeper set"),
            aggregate: read(world, &world.aggregate_key()),
            policies: policies.iter().map(|key| (*key, read(world, key).expect("policy"))).collect(),
            reserve: read(world, &address::reserve(&k.guard)),
            reserve_held: world.reserve_tokens().map(|key| number(world, &key, 64)),
            traders: cast.desk.traders().map(|keys| keys.map(|key| number(world, &key, 64))),
            escrowed: cast.desk.escrows(world).map(|key| number(world, &key, 64)).sum(),
            treasury: cast.desk.treasury.map(|key| number(world, &key, 64)),
            bounty: read(world, &cast.bounty).expect("bounty vault"),
            bounty_lamports: lamports,
            held: (number(world, &k.loan_token, 64), number(world, &k.collateral_token, 64)),
            custody: number(world, &cast.places[1].token, 64),
            minted: number(world, &cast.places[2].mint.mint, 36),
        }
    }

    /// Returns what may leave now: of the loan mint and of the collateral mint.
    pub fn allowed(&self) -> (Allowed, Allowed) {
        let v = &self.vault;
        let of = |flow, base| allowed(flow, base);
        (of(&v.limits.loan_flow, v.loan_flow.base.amount), of(&v.limits.collateral_flow, v.collateral_flow.base.amount))
    }

    /// Returns every breaker with its scope.
    pub fn breakers(&self, cast: &Cast) -> Vec<(Pubkey, &rampart::state::Breaker)> {
        let k = &self.keys;
        let own = [
            (k.guard, &self.guard.breaker),
            (k.vault, &self.vault.breaker),
            (k.collateral_asset, &self.assets[0].breaker),
            (k.loan_asset, &self.assets[1].breaker),
        ];
        let places = cast.places.iter().zip(&self.integrations).map(|(p, i)| (p.keys.integration, &i.breaker));
        own.into_iter().chain(places).collect()
    }

    /// Returns the policy at `key`.
    pub fn policy(&self, key: &Pubkey) -> &SwapPolicy {
        &self.policies.iter().find(|(k, _)| k == key).expect("a policy of the guard").1
    }

    /// Returns the rule at `key`.
    pub fn rule(&self, key: &Pubkey) -> Option<&Rule> {
        self.rules.iter().find(|(k, _)| k == key).map(|(_, rule)| &**rule)
    }

    /// Tells whether new risk is closed at a level.
    pub fn is_closed(level: Level) -> bool {
        level >= Level::ReduceOnly
    }
}

/// L of an hour and of a day, of exits and of new risk: in other words than the program's.
pub fn allowed(flow: &FlowLimits, base: u64) -> Allowed {
    let whole = |bps: u16| (u128::from(base) * u128::from(bps) / 10_000).max(flow.absolute_floor_amount.into());
    let exits = |whole: u128| whole * u128::from(flow.exit_share_bps) / 10_000;
    let (hour, day) = (whole(flow.hourly_bps), whole(flow.daily_bps));
    let cut = |amount: u128| u64::try_from(amount).expect("below 2^64");
    Allowed { exit: (cut(exits(hour)), cut(exits(day))), risk: (cut(hour - exits(hour)), cut(day - exits(day))) }
}

/// What may leave within any hour, and within any day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Through exits.
    pub exit: (u64, u64),
    /// As new risk.
    pub risk: (u64, u64),
}
