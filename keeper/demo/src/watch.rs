//! Looks at the chain with the program's own eyes, at every point of the market.
//!
//! Owns no account and no decision. When a rule became true is judged here, by the program's functions on the program's
//! accounts, so that the summary doesn't rest on what keepers say of themselves.

use crate::accounts::decode;
use crate::error::{DemoError, Outcome};
use crate::feeder::Print;
use crate::metronome::SlotMark;
use crate::network::Network;
use crate::scores::{self, Polls};
use crate::world::params::oracle_set;
use crate::world::{Coin, SOURCES, VAULTS, World};
use rampart::error::RampartError;
use rampart::oracle::{AssetReading, Invalid, OracleAccount, RateReading, SourceReading, read_source};
use rampart::risk::health::{PairBand, Side};
use rampart::risk::measures;
use rampart::risk::verdict::Verdict;
use rampart::state::{Asset, Guard, Level, Metric, Reserve, Rule, SwapPolicy, Vault};
use rampart_client::{Pubkey, address};

/// Everything that rules and levels hang on, read in one go.
#[derive(Clone)]
pub struct Snapshot {
    /// When it was read.
    pub mark: SlotMark,
    /// The guard.
    pub guard: Guard,
    /// Assets, by [`Coin`].
    pub assets: Vec<Asset>,
    /// Vaults, by [`VAULTS`].
    pub vaults: Vec<Vault>,
    /// Rules, in the world's order.
    pub rules: Vec<Rule>,
    /// What the keepers report.
    pub scores: Polls,
    /// Balances of the vaults' token accounts: loan and collateral.
    pub balances: Vec<[u64; 2]>,
    /// The reserve.
    pub reserve: Reserve,
    /// The policy under which it swaps.
    pub policy: SwapPolicy,
    /// Balances of the reserve's token accounts: SOL and USDC.
    pub reserve_balances: [u64; 2],
    /// Balances of the pool's: SOL and USDC.
    pub pool_balances: [u64; 2],
}

impl Snapshot {
    /// Reads it.
    ///
    /// # Errors
    /// [`DemoError::Account`] where an account is missing or another kind, and the network's.
    pub async fn read(network: &Network, world: &World) -> Outcome<Self> {
        let tokens = world.vaults.iter().flat_map(|v| [v.loan_token, v.collateral_token]);
        let keys: Vec<Pubkey> = core::iter::once(world.guard)
            .chain(Coin::ALL.map(|coin| world.asset(coin)))
            .chain(world.vaults.iter().map(|v| v.vault))
            .chain(world.rules.iter().map(|r| r.key))
            .chain(tokens)
            .chain([address::reserve(&world.guard), world.policy.policy])
            .chain(world.reserve_tokens())
            .chain(world.pool.tokens)
            .collect();
        let (count, reports) = (keys.len(), scores::keys(world));
        let all = [keys.as_slice(), reports.as_slice()].concat();
        let found = network.accounts(&all).await?;
        let mark = network.now();
        let reported: Vec<_> = reports.into_iter().zip(found.iter().skip(count).cloned()).collect();
        let mut next = keys.iter().zip(&found).map(|(key, account)| {
            let missing = || DemoError::Account { what: world.name_of(key), problem: "there is none".to_owned() };
            account.as_ref().map(|a| (key, a.data.as_slice())).ok_or_else(missing)
        });
        let mut take =
            || next.next().unwrap_or_else(|| Err(DemoError::Network("fewer accounts than asked for".to_owned())));
        Ok(Self {
            mark,
            scores: scores::polls(&reported, mark.unix_ts),
            guard: take().and_then(|(key, data)| decode(key, data))?,
            assets: Coin::ALL
                .iter()
                .map(|_| take().and_then(|(key, data)| decode(key, data)))
                .collect::<Outcome<_>>()?,
            vaults: VAULTS.iter().map(|_| take().and_then(|(key, data)| decode(key, data))).collect::<Outcome<_>>()?,
            rules: world
                .rules
                .iter()
                .map(|_| take().and_then(|(key, data)| decode(key, data)))
                .collect::<Outcome<_>>()?,
            balances: VAULTS.iter().map(|_| Ok([balance(take()?)?, balance(take()?)?])).collect::<Outcome<_>>()?,
            reserve: take().and_then(|(key, data)| decode(key, data))?,
            policy: take().and_then(|(key, data)| decode(key, data))?,
            reserve_balances: [balance(take()?)?, balance(take()?)?],
            pool_balances: [balance(take()?)?, balance(take()?)?],
        })
    }

    /// Returns the level in force for a vault: the strictest of guard, vault and both assets.
    pub fn level(&self, vault: usize) -> Level {
        let assets = [&self.assets[VAULTS[vault].index()], &self.assets[Coin::Usdc.index()]];
        rampart::shared::effective_levels(&self.guard, &self.vaults[vault], assets, self.mark.unix_ts).risk
    }
}

impl Snapshot {
    /// Returns what the reserve holds by its books: SOL, then USDC.
    pub fn basket(&self) -> [u64; 2] {
        [0, 1].map(|at| self.reserve.assets[at].accounted_amount)
    }

    /// Returns the loan-to-value limit for new risk of a vault as it is now, bps.
    pub fn ltv_for_new_risk(&self, vault: usize) -> u16 {
        self.vaults[vault].ltv_for_new_risk(&self.assets[VAULTS[vault].index()], self.mark.unix_ts)
    }
}

fn balance((key, data): (&Pubkey, &[u8])) -> Outcome<u64> {
    let bytes = data.get(64..72).and_then(|b| b.try_into().ok()).map(u64::from_le_bytes);
    bytes.ok_or_else(|| DemoError::Account { what: key.to_string(), problem: "not a token account".to_owned() })
}

/// A rule that became true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BecameTrue {
    /// Place of the rule in the world's list.
    pub rule: usize,
    /// What was measured, in the metric's unit.
    pub value: u64,
    /// When the price that made it true was on the chain.
    pub mark: SlotMark,
    /// Slot of the look before, at which it was not true. What keepers report comes between two prices.
    pub false_slot: u64,
}

/// Judges every rule at every point.
pub struct Watch {
    is_true: Vec<bool>,
    last_slot: u64,
    /// Every time that a rule became true.
    pub became_true: Vec<BecameTrue>,
}

impl Watch {
    /// Starts with every rule false.
    pub fn new(world: &World) -> Self {
        Self { is_true: vec![false; world.rules.len()], last_slot: 0, became_true: Vec::new() }
    }

    /// Judges all rules on a snapshot and the prints of the moment, which were on the chain at `published`.
    pub fn judge(&mut self, world: &World, snapshot: &Snapshot, prints: &[[Print; SOURCES]; 3], published: SlotMark) {
        let now_ts = snapshot.mark.unix_ts;
        let readings = Coin::ALL.map(|coin| reading(world, coin, &prints[coin.index()], now_ts));
        for rule in 0..world.rules.len() {
            match verdict(world, snapshot, &readings, rule) {
                Some(Verdict::True { value }) if !self.is_true[rule] => {
                    self.is_true[rule] = true;
                    self.became_true.push(BecameTrue { rule, value, mark: published, false_slot: self.last_slot });
                }
                Some(Verdict::Clear { .. }) => self.is_true[rule] = false,
                _ => {}
            }
        }
        self.last_slot = snapshot.mark.slot;
    }
}

/// What an asset's sources say, read as the program reads them.
pub fn reading(world: &World, coin: Coin, prints: &[Print; SOURCES], now_ts: i64) -> AssetReading {
    let set = oracle_set(coin, world.oracles[coin.index()]);
    let missing = SourceReading { reading: Err(Invalid::Missing) };
    let mut sources = [missing; rampart::constants::MAX_SOURCES];
    for (at, source) in set.active().iter().enumerate() {
        let data = prints[at].account_data(coin, at);
        let account = OracleAccount { key: &source.account, owner: &source.program, data: &data };
        sources[at] = read_source(source, &account, now_ts).unwrap_or(missing);
    }
    AssetReading { sources, count: set.count, rate: RateReading::Unrated }
}

fn verdict(world: &World, snapshot: &Snapshot, readings: &[AssetReading; 3], rule: usize) -> Option<Verdict> {
    let (about, now_ts) = (&world.rules[rule], snapshot.mark.unix_ts);
    let (rule, params) = (&snapshot.rules[rule], &snapshot.rules[rule].params);
    let reported = |coin: Coin| {
        let at = VAULTS.iter().position(|collateral| *collateral == coin)?;
        Some(measures::reported(params, snapshot.scores[at].as_ref()?, now_ts))
    };
    let measured = match (about.coin, about.vault) {
        (Some(coin), _) if Metric::try_from(params.metric).is_ok_and(Metric::is_reported) => reported(coin)?,
        (Some(coin), _) => measures::asset(rule, &snapshot.assets[coin.index()], &readings[coin.index()], now_ts),
        (None, Some(vault)) => {
            measures::vault(params, &snapshot.vaults[vault], pair(snapshot, readings, vault), now_ts)
        }
        (None, None) => return None,
    };
    measured.ok().map(|m| m.verdict)
}

fn pair(snapshot: &Snapshot, readings: &[AssetReading; 3], vault: usize) -> Result<(PairBand, i64), RampartError> {
    let now_ts = snapshot.mark.unix_ts;
    let band = |coin: Coin| readings[coin.index()].band(&snapshot.assets[coin.index()].oracle, now_ts);
    let (collateral, loan) = (band(VAULTS[vault])?, band(Coin::Usdc)?);
    let side = |band, coin: Coin| Side { band, decimals: coin.decimals() };
    let publish_ts = collateral.oldest_publish_ts().min(loan.oldest_publish_ts());
    Ok((PairBand::new(side(&collateral, VAULTS[vault]), side(&loan, Coin::Usdc))?, publish_ts))
}
