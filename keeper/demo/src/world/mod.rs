//! The guarded market of the demo: who and what is on chain.
//!
//! Owns addresses, keys and parameters. `build` puts them on the chain; the keepers and the chain own what follows.

pub mod build;
pub mod cast;
pub mod params;
pub mod pool;
mod treasury;

use crate::world::cast::Cast;
use crate::world::pool::Pool;
use rampart_client::swap::PolicyKeys;
use rampart_client::{AccountMeta, MintOf, Pubkey, VaultKeys, address};

/// The assets of the demo, in the order of all its tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Coin {
    /// Collateral of the first vault, 9 decimals.
    Sol,
    /// Collateral of the second vault, 8 decimals.
    Btc,
    /// The loan of both, 6 decimals.
    Usdc,
}

impl Coin {
    /// All of them, in order.
    pub const ALL: [Self; 3] = [Self::Sol, Self::Btc, Self::Usdc];

    /// Returns the place in every table.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Returns the name that people use.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Sol => "SOL",
            Self::Btc => "BTC",
            Self::Usdc => "USDC",
        }
    }

    /// Returns the mint's decimals.
    pub const fn decimals(self) -> u8 {
        match self {
            Self::Sol => 9,
            Self::Btc => 8,
            Self::Usdc => 6,
        }
    }

    /// Returns how many base units `usd` dollars buy at `price` dollars for one whole token.
    pub fn amount_of_usd(self, usd: f64, price: f64) -> u64 {
        // a float becomes an integer here, and saturates: these are made-up amounts, not accounting
        (usd / price * 10f64.powi(i32::from(self.decimals()))) as u64
    }
}

/// Price sources of every asset.
pub const SOURCES: usize = 2;
/// Vaults of the demo, by their collateral.
pub const VAULTS: [Coin; 2] = [Coin::Sol, Coin::Btc];

/// A rule of the demo.
#[derive(Clone, Debug)]
pub struct RuleOf {
    /// Its address.
    pub key: Pubkey,
    /// What people call it.
    pub name: String,
    /// The asset or vault that it measures.
    pub subject: Pubkey,
    /// The vault's place in [`VAULTS`], for a rule about a vault.
    pub vault: Option<usize>,
    /// The asset, for a rule about an asset.
    pub coin: Option<Coin>,
}

/// Everything of the demo's market that stays the same.
#[derive(Debug)]
pub struct World {
    /// The guard.
    pub guard: Pubkey,
    /// People and their keys.
    pub cast: Cast,
    /// Mints, by [`Coin`].
    pub mints: [MintOf; 3],
    /// Oracle accounts, by [`Coin`] and source: Pyth, then Switchboard.
    pub oracles: [[Pubkey; SOURCES]; 3],
    /// Vaults, by [`VAULTS`].
    pub vaults: [VaultKeys; 2],
    /// Rules, by their number less one.
    pub rules: Vec<RuleOf>,
    /// Where the reserve and liquidators swap.
    pub pool: Pool,
    /// Under which conditions.
    pub policy: PolicyKeys,
}

impl World {
    /// Derives every address from the people's keys.
    pub fn new(cast: Cast) -> Self {
        let guard = address::guard(&cast.root.key(), params::GUARD_ID);
        let mints =
            Coin::ALL.map(|c| MintOf { mint: cast.mints[c.index()].key(), token_program: anchor_spl::token::ID });
        let vaults = VAULTS.map(|c| VaultKeys::derive(guard, mints[c.index()], mints[Coin::Usdc.index()]));
        let rules = params::rules(guard, &mints, &vaults);
        let (oracles, pool) = (cast.oracles, Pool::new(&cast, &mints));
        let policy = PolicyKeys::derive(&guard, params::POLICY_ID, pool::TOKEN_SWAP);
        Self { guard, cast, mints, oracles, vaults, rules, pool, policy }
    }

    /// Returns the asset account of a coin.
    pub fn asset(&self, coin: Coin) -> Pubkey {
        address::asset(&self.guard, &self.mints[coin.index()].mint)
    }

    /// Returns the oracle accounts of a coin, as an instruction names them.
    pub fn oracle_metas(&self, coin: Coin) -> Vec<AccountMeta> {
        self.oracles[coin.index()].iter().map(|key| AccountMeta::new_readonly(*key, false)).collect()
    }

    /// Returns the oracle accounts that an instruction about a vault names: the collateral's, then the loan's.
    pub fn pair_metas(&self, vault: usize) -> Vec<AccountMeta> {
        [self.oracle_metas(VAULTS[vault]), self.oracle_metas(Coin::Usdc)].concat()
    }

    /// Returns an owner's associated token account of a coin.
    pub fn token(&self, owner: &Pubkey, coin: Coin) -> Pubkey {
        anchor_spl::associated_token::get_associated_token_address(owner, &self.mints[coin.index()].mint)
    }

    /// Returns the reserve's token accounts: SOL, then USDC.
    pub fn reserve_tokens(&self) -> [Pubkey; 2] {
        let reserve = address::reserve(&self.guard);
        params::BASKET.map(|coin| self.token(&reserve, coin))
    }

    /// Returns what to call an account of the demo.
    pub fn name_of(&self, key: &Pubkey) -> String {
        if let Some(coin) = Coin::ALL.into_iter().find(|c| self.asset(*c) == *key) {
            return coin.symbol().to_owned();
        }
        if let Some(at) = self.vaults.iter().position(|v| v.vault == *key) {
            return vault_name(at);
        }
        let rule = self.rules.iter().find(|r| r.key == *key).map(|r| r.name.clone());
        rule.unwrap_or_else(|| if *key == self.guard { "guard".to_owned() } else { key.to_string() })
    }
}

/// Returns what to call a vault.
pub fn vault_name(vault: usize) -> String {
    format!("{}/{}", VAULTS[vault].symbol(), Coin::Usdc.symbol())
}
