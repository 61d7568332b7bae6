//! The oracle account of each price source, and what it says.

use crate::watch::store::Store;
use anchor_lang::prelude::{AccountMeta, Pubkey};
use rampart::error::RampartError;
use rampart::oracle::rate::CLOCK;
use rampart::oracle::{self, AssetReading, OracleAccount};
use rampart::state::oracle_set::{OracleSource, Pin};
use rampart::state::{Asset, OracleSet};
use std::collections::BTreeMap;

/// Accounts that were found for feeds without a pinned account, by (program, feed id).
pub type Found = BTreeMap<(Pubkey, [u8; 32]), Pubkey>;

/// Returns the account of `source`; `None` while none was found for its feed.
pub fn account_of(source: &OracleSource, found: &Found) -> Option<Pubkey> {
    if source.pin == Pin::Account as u8 {
        Some(source.account)
    } else {
        found.get(&(source.program, source.feed_id)).copied()
    }
}

/// Returns every account that a reading of `set` takes, in the program's order: its sources', then the pool of an exchange
/// rate and the Clock sysvar.
fn accounts_of<'a>(set: &'a OracleSet, found: &'a Found) -> impl Iterator<Item = Option<Pubkey>> + 'a {
    let rate = [set.rate.account, CLOCK].into_iter().take(set.rate.account_count());
    set.active().iter().map(move |source| account_of(source, found)).chain(rate.map(Some))
}

/// Returns the oracle accounts of a set in its order; `None` while one of them is not known.
pub fn metas(set: &OracleSet, found: &Found) -> Option<Vec<AccountMeta>> {
    accounts_of(set, found).map(|key| key.map(|key| AccountMeta::new_readonly(key, false))).collect()
}

/// Reads every source of `asset`, and its exchange rate, as the program will.
///
/// An account that no source has told of yet is not known to be missing: nothing is read then.
///
/// # Errors
/// `OracleAccountsMissing` while an account is not known; those of `rampart::oracle::read_all`, for which the program
/// would refuse the call.
pub fn read(asset: &Asset, store: &Store, found: &Found, now_ts: i64) -> Result<AssetReading, RampartError> {
    let nobody = Pubkey::default();
    let is_known = |key: &Pubkey| store.slot_of(key).is_some();
    let keys: Option<Vec<Pubkey>> = accounts_of(&asset.oracle, found).map(|key| key.filter(is_known)).collect();
    let keys = keys.ok_or(RampartError::OracleAccountsMissing)?;
    let accounts: Vec<OracleAccount> = keys
        .iter()
        .map(|key| match store.raw(key) {
            Some(account) => OracleAccount { key, owner: &account.owner, data: &account.data },
            None => OracleAccount { key, owner: &nobody, data: &[] },
        })
        .collect();
    oracle::read_all(&asset.oracle, &accounts, now_ts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::testing::{World, key};
    use rampart::state::{RateKind, RateSource};

    #[test]
    fn rated_set_is_read_from_its_pool_and_the_clock_too() {
        let mut set = World::new().asset(0).oracle;
        let sources: Vec<Pubkey> = set.active().iter().map(|source| source.account).collect();
        let keys = |set: &OracleSet| -> Vec<Pubkey> {
            metas(set, &Found::default()).expect("all are pinned").iter().map(|meta| meta.pubkey).collect()
        };
        assert_eq!(keys(&set), sources);
        set.rate = RateSource { account: key(77), kind: RateKind::SplStakePool as u8, ..RateSource::UNRATED };
        assert_eq!(keys(&set), [sources, vec![key(77), CLOCK]].concat());
    }
}
