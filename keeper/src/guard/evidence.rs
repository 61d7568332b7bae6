//! What the program tries a change on when it is executed, gathered from the chain.

use super::snapshot::Snapshot;
use crate::chain::rpc::{Rpc, RpcError};
use crate::plan::needs::Needs;
use crate::watch::decode::{Decoded, decode};
use crate::watch::feeds::Child;
use crate::watch::oracles::{self, Found};
use anchor_lang::prelude::{AccountMeta, Pubkey};
use rampart::constants::MAX_SAMPLE;
use rampart::oracle::{OracleAccount, is_dead};
use rampart::state::{Asset, Change, OracleSet, OracleSource, PendingChange, Pin, Position, Rule, Vault};
use rampart_client::address;
use rampart_client::evidence::{self, PairAssets};
use solana_sdk::instruction::Instruction;

/// Accounts that follow those of `execute_change`, and what has to run before it.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// The accounts.
    pub metas: Vec<AccountMeta>,
    /// Instructions before it.
    pub before: Vec<Instruction>,
}

/// Gathers what the effect of `pending` is tried on. `named`: positions to sample, else those with the most debt.
///
/// # Errors
/// All of [`RpcError`].
pub async fn gather(
    rpc: &Rpc,
    snapshot: &Snapshot,
    pending: &PendingChange,
    named: &[Pubkey],
) -> Result<Evidence, RpcError> {
    let asset = snapshot.assets.get(&pending.target);
    let metas = match (pending.change(), asset, snapshot.vaults.get(&pending.target)) {
        (Ok(Change::VaultRisk(_)), _, Some(vault)) => lines(rpc, snapshot, &pending.target, vault, named).await?,
        (Ok(Change::AssetOracle(next)), Some(asset), _) => sets(rpc, &[asset.oracle, next]).await?,
        (Ok(Change::AssetStandby(next)), Some(asset), _) => {
            let newcomers = next.sources.iter().take(next.count.into()).filter(|s| !asset.standby.sources.contains(s));
            let alone = newcomers.map(|source| alone(*source, &asset.oracle));
            sets(rpc, &std::iter::once(asset.oracle).chain(alone).collect::<Vec<_>>()).await?
        }
        (Ok(Change::AssetReference(_)), Some(asset), _) => {
            let before = vec![observe(rpc, pending.target, asset).await?];
            return Ok(Evidence { metas: Vec::new(), before });
        }
        _ => named.iter().map(|key| AccountMeta::new_readonly(*key, false)).collect(),
    };
    Ok(Evidence { metas, before: Vec::new() })
}

/// The set of one standby source alone, as the program tries it.
fn alone(source: OracleSource, of: &OracleSet) -> OracleSet {
    let mut set: OracleSet = bytemuck::Zeroable::zeroed();
    set.sources[0] = source;
    (set.count, set.required, set.max_disagree_bps, set.rate) = (1, 1, of.max_disagree_bps, of.rate);
    set
}

async fn observe(rpc: &Rpc, key: Pubkey, asset: &Asset) -> Result<Instruction, RpcError> {
    Ok(evidence::observe(key, asset.mint, &sets(rpc, &[asset.oracle]).await?))
}

async fn sets(rpc: &Rpc, sets: &[OracleSet]) -> Result<Vec<AccountMeta>, RpcError> {
    let found = feeds(rpc, sets).await?;
    let metas = sets.iter().map(|set| oracles::metas(set, &found));
    metas.collect::<Option<Vec<_>>>().map(|all| all.concat()).ok_or(RpcError::Unreadable { what: "oracle accounts" })
}

/// Finds an account for each source that is pinned by its feed.
async fn feeds(rpc: &Rpc, sets: &[OracleSet]) -> Result<Found, RpcError> {
    let mut found = Found::new();
    for source in sets.iter().flat_map(OracleSet::active).filter(|source| source.pin == Pin::Feed as u8) {
        let accounts = rpc.price_accounts(&source.program, &source.feed_id).await?.updates;
        if let Some(account) = accounts.first() {
            found.insert((source.program, source.feed_id), account.key);
        }
    }
    Ok(found)
}

/// Both assets, their oracles, and a sample of positions; nothing while the vault has no debt.
async fn lines(
    rpc: &Rpc,
    snapshot: &Snapshot,
    key: &Pubkey,
    vault: &Vault,
    named: &[Pubkey],
) -> Result<Vec<AccountMeta>, RpcError> {
    if vault.debt_scaled.get() == 0 {
        return Ok(Vec::new());
    }
    let (pair, oracles) = ([vault.collateral_asset, vault.loan_asset], of_pair(rpc, snapshot, vault).await?);
    let sample = if named.is_empty() { borrowers(rpc, key).await? } else { named.to_vec() };
    let keys = |keys: &[Pubkey]| keys.iter().map(|key| AccountMeta::new_readonly(*key, false)).collect::<Vec<_>>();
    Ok([keys(&pair), oracles, keys(&sample)].concat())
}

async fn of_pair(rpc: &Rpc, snapshot: &Snapshot, vault: &Vault) -> Result<Vec<AccountMeta>, RpcError> {
    let pair = [vault.collateral_asset, vault.loan_asset];
    sets(rpc, &pair.map(|key| snapshot.assets.get(&key).map_or(bytemuck::Zeroable::zeroed(), |a| a.oracle))).await
}

/// Returns the oracle accounts of an asset.
///
/// # Errors
/// All of [`RpcError`].
pub async fn of_asset(rpc: &Rpc, asset: &Asset) -> Result<Vec<AccountMeta>, RpcError> {
    sets(rpc, &[asset.oracle]).await
}

/// Returns what the metric of `rule` is measured on.
///
/// # Errors
/// All of [`RpcError`]; `Unreadable` for a subject or keeper set that isn't there.
pub async fn of_rule(
    rpc: &Rpc,
    snapshot: &Snapshot,
    rule: &Rule,
) -> Result<(Option<PairAssets>, Vec<AccountMeta>), RpcError> {
    let keys = |keys: Vec<Pubkey>| keys.into_iter().map(|key| AccountMeta::new_readonly(key, false)).collect();
    let absent = || RpcError::Unreadable { what: "the subject of the rule, or its keepers" };
    let asset = || snapshot.assets.get(&rule.subject).ok_or_else(absent);
    let vault = || snapshot.vaults.get(&rule.subject).ok_or_else(absent);
    Ok(match Needs::of(rule) {
        Needs::Reports => {
            let set = snapshot.keepers.as_ref().ok_or_else(absent)?;
            let reports = set.active().iter().map(|member| address::report(&rule.subject, &member.key));
            (None, keys(std::iter::once(address::keeper_set(&snapshot.key)).chain(reports).collect()))
        }
        Needs::Mint => (None, keys(vec![asset()?.mint])),
        Needs::Tokens => (None, keys(vec![vault()?.loan_token, vault()?.collateral_token])),
        Needs::Oracles => (None, of_asset(rpc, asset()?).await?),
        Needs::Pair => {
            let vault = vault()?;
            let pair = PairAssets { collateral: vault.collateral_asset, loan: vault.loan_asset };
            (Some(pair), of_pair(rpc, snapshot, vault).await?)
        }
        Needs::Nothing => (None, Vec::new()),
    })
}

/// Returns the places of an asset's sources that are proved dead at `now_ts`, by the program's own judgement.
///
/// # Errors
/// All of [`RpcError`].
pub async fn dead(rpc: &Rpc, asset: &Asset, now_ts: i64) -> Result<Vec<u8>, RpcError> {
    let keys: Vec<Pubkey> = asset.oracle.active().iter().map(|source| source.account).collect();
    let found = rpc.accounts(&keys).await?.updates;
    let of = |source: &OracleSource| found.iter().find(|update| update.key == source.account);
    let proved = |source: &OracleSource| {
        let Some(account) = of(source) else { return false };
        let account = OracleAccount { key: &account.key, owner: &account.owner, data: &account.data };
        is_dead(source, &account, now_ts).unwrap_or(false)
    };
    Ok((0..).zip(asset.oracle.active()).filter(|(_, source)| proved(source)).map(|(place, _)| place).collect())
}

/// The positions with the most debt.
async fn borrowers(rpc: &Rpc, vault: &Pubkey) -> Result<Vec<Pubkey>, RpcError> {
    let listed = rpc.children(Child::Position, vault).await?.updates;
    let read = |update: &crate::watch::Update| match decode(&update.owner, &update.data) {
        Ok(Decoded::Position(position)) => Some((debt(&position), update.key)),
        _ => None,
    };
    let mut all: Vec<_> = listed.iter().filter_map(read).filter(|(debt, _)| *debt > 0).collect();
    all.sort_unstable_by(|a, b| b.cmp(a));
    Ok(all.into_iter().take(MAX_SAMPLE).map(|(_, key)| key).collect())
}

const fn debt(position: &Position) -> u128 {
    position.debt_scaled.get()
}
