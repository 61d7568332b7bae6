//! What liquidations have to bring, how the reserve is moved, and where tokens can be swapped.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use solana_sdk::pubkey::Pubkey;
use std::path::PathBuf;

/// What liquidations have to bring.
///
/// # Units
/// `_micro_usd`: a millionth of a US dollar.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EconomicsSettings {
    /// The least that a liquidation or a deleveraging has to bring; below zero, the most that it may cost. Left out:
    /// whatever the program allows is done, also at a loss: debt that nobody takes on is the lenders' loss.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_profit_micro_usd: Option<i64>,
    /// Vaults whose positions are liquidated whatever it brings.
    #[serde(with = "keys")]
    #[schemars(with = "Vec<String>")]
    pub must_do: Vec<Pubkey>,
    /// What collateral that has to be sold outside of any route loses, bps.
    pub haircut_bps: u16,
    /// What it costs to repay with own tokens and to wait for them again, bps of what is repaid.
    pub inventory_cost_bps: u16,
    /// The part of what is seized that a route isn't told of, so that a price that moves by less doesn't fail it, bps.
    pub seize_slack_bps: u16,
    /// Price of SOL at which fees are reckoned while the guard has no price of wrapped SOL.
    pub sol_micro_usd: u64,
}

impl Default for EconomicsSettings {
    fn default() -> Self {
        Self {
            min_profit_micro_usd: None,
            must_do: Vec::new(),
            haircut_bps: 50,
            inventory_cost_bps: 10,
            seize_slack_bps: 10,
            sol_micro_usd: 200_000_000,
        }
    }
}

impl EconomicsSettings {
    /// Returns what a liquidation in `vault` has to bring, micro-dollars; `None` where it must be done.
    pub fn least(&self, vault: &Pubkey) -> Option<i128> {
        self.min_profit_micro_usd.filter(|_| !self.must_do.contains(vault)).map(i128::from)
    }
}

/// How the reserve's basket is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RebalanceSettings {
    /// The basket is left alone while the sum of all gaps is smaller than this part of the whole, bps.
    pub band_bps: u16,
    /// The same for swaps into the quote asset while the keeper's own score is urgent (`score.bands.urgent_from`), bps;
    /// never more than `band_bps`.
    pub urgent_band_bps: u16,
    /// The most that one rebalance may lose against the middle of the prices, bps of what it sells.
    pub max_loss_bps: u16,
}

impl Default for RebalanceSettings {
    fn default() -> Self {
        Self { band_bps: 500, urgent_band_bps: 200, max_loss_bps: 100 }
    }
}

/// One place where tokens can be swapped.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteSettings {
    /// Name shown in logs.
    pub name: String,
    /// What it is.
    pub kind: RouteKind,
    /// Number of the guard's swap policy under which it swaps; its program is the policy's.
    pub policy: u16,
    /// The pool, of a `token_swap`.
    #[serde(default, with = "super::text_option", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub pool: Option<Pubkey>,
    /// Base address of the API, of `jupiter`.
    #[serde(default = "jupiter_url")]
    pub url: String,
    /// File with the key of the API, of `jupiter`; mode 0600.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
    /// How long an answer of the API is waited for.
    #[serde(default = "timeout_ms")]
    pub timeout_ms: u64,
    /// How long an answer of the API counts.
    #[serde(default = "max_age_ms")]
    pub max_age_ms: u64,
}

fn jupiter_url() -> String {
    "https://api.jup.ag".to_owned()
}

const fn timeout_ms() -> u64 {
    1_500
}

const fn max_age_ms() -> u64 {
    2_000
}

impl RouteSettings {
    /// Checks that a route has what its kind needs.
    ///
    /// # Errors
    /// The key and the reason.
    pub(super) fn check(&self) -> Result<(), (&'static str, String)> {
        match self.kind {
            RouteKind::TokenSwap if self.pool.is_none() => {
                Err(("pool", format!("route `{}` needs the address of its pool", self.name)))
            }
            RouteKind::TokenSwap => Ok(()),
            RouteKind::Jupiter if !self.url.starts_with("http://") && !self.url.starts_with("https://") => {
                Err(("url", format!("`{}` must start with http:// or https://", self.url)))
            }
            RouteKind::Jupiter if !(100..=10_000).contains(&self.timeout_ms) => {
                Err(("timeout_ms", format!("{} must lie between 100 and 10000", self.timeout_ms)))
            }
            RouteKind::Jupiter if !(200..=30_000).contains(&self.max_age_ms) => {
                Err(("max_age_ms", format!("{} must lie between 200 and 30000", self.max_age_ms)))
            }
            RouteKind::Jupiter => Ok(()),
        }
    }
}

/// What a route is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RouteKind {
    /// A pool of SPL Token Swap.
    TokenSwap,
    /// Jupiter's API.
    Jupiter,
}

/// Addresses as base58.
pub(super) mod keys {
    use serde::{Deserialize, Deserializer, Serializer};
    use solana_sdk::pubkey::Pubkey;

    pub fn serialize<S: Serializer>(keys: &[Pubkey], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(keys.iter().map(Pubkey::to_string))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Pubkey>, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        let parse = |text: String| {
            text.parse()
                .map_err(|error| serde::de::Error::custom(format!("`{text}` is not base58 of 32 bytes: {error}")))
        };
        texts.into_iter().map(parse).collect()
    }
}
