//! Which feeds of the guard nothing can be posted to, where `[poster]` is set.

use super::Finding;
use crate::chain::rpc::{Rpc, RpcError};
use crate::cli::chain::asked;
use crate::config::Config;
use crate::post::{Place, why_not};
use crate::watch::decode::{Decoded, decode};
use crate::watch::feeds::Child;
use rampart::state::SourceKind;
use rampart::state::oracle_set::{OracleSource, Pin};
use solana_sdk::pubkey::Pubkey;

/// A price account that an asset names, and who owns it.
struct Named {
    source: OracleSource,
    owner: Pubkey,
}

pub(super) async fn look(rpc: &Rpc, config: &Config) -> Option<Finding> {
    config.poster?;
    Some(match named(rpc, &config.cluster.guard).await {
        Ok(named) => judge(&named),
        Err(source) => Finding::of("poster", Err(asked("ask for the feeds of the guard", source))),
    })
}

/// Feeds without a pinned account are found while the keeper runs: it names those itself.
async fn named(rpc: &Rpc, guard: &Pubkey) -> Result<Vec<Named>, RpcError> {
    let mut sources = Vec::new();
    for asset in rpc.children(Child::Asset, guard).await?.updates {
        let Ok(Decoded::Asset(asset)) = decode(&asset.owner, &asset.data) else { continue };
        let is_pinned =
            |source: &&OracleSource| source.kind == SourceKind::Pyth as u8 && source.pin == Pin::Account as u8;
        sources.extend(asset.oracle.active().iter().filter(is_pinned).copied());
    }
    let keys: Vec<Pubkey> = sources.iter().map(|source| source.account).collect();
    let owners = rpc.accounts(&keys).await?.updates.into_iter().map(|account| account.owner);
    Ok(sources.into_iter().zip(owners).map(|(source, owner)| Named { source, owner }).collect())
}

fn judge(named: &[Named]) -> Finding {
    let place = |named: &&Named| Place::find(&named.source.account, &named.owner, &named.source.feed_id);
    let mut refused = named.iter().filter(|named| place(named).is_none()).peekable();
    if refused.peek().is_none() {
        return Finding::ok("poster", format!("{} feeds with a pinned account, all postable", named.len()));
    }
    let text = |named: &Named| format!("{} is not postable: {}", named.source.account, why_not(&named.owner));
    let fix = "name the push oracle's account of the feed in the asset, or let whoever writes these accounts push them";
    Finding::warning("poster", refused.map(text).collect::<Vec<_>>().join("; "), fix)
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;
    use crate::post::Cohort;
    use crate::watch::testing::{World, key};

    #[test]
    fn accounts_that_nothing_can_be_posted_to_are_named_with_the_reason() {
        let [cohort, _] = Cohort::ALL;
        let base = World::new().asset(0).oracle.sources[0];
        let source = |account| OracleSource { account, feed_id: [7; 32], ..base };
        let good = Named { source: source(cohort.feed_account(0, &[7; 32])), owner: cohort.receiver };
        let finding = judge(std::slice::from_ref(&good));
        assert_eq!((finding.state, finding.found.as_str()), (State::Ok, "1 feeds with a pinned account, all postable"));
        let elsewhere = Named { source: source(key(3)), owner: cohort.receiver };
        let foreign = Named { source: source(key(4)), owner: key(5) };
        let finding = judge(&[good, elsewhere, foreign]);
        let expected = [
            format!("{} is not postable: it is none of the push oracle's accounts of the feed", key(3)),
            format!("{} is not postable: its owner {} is no receiver of Pyth", key(4), key(5)),
        ];
        assert_eq!(finding.state, State::Warning);
        assert!(expected.iter().all(|text| finding.found.contains(text)), "{}", finding.found);
    }
}
