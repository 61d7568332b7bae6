//! What is done at night: a standby source for a dead one, and the end of a cause that a rule no longer proves.

use super::act::{Act, at_scope};
use anchor_lang::prelude::{AccountMeta, Pubkey};
use rampart::Validity;
use rampart::constants::{MAX_SOURCES, MAX_STANDBY};
use rampart::state::{Asset, HardBounds, Rule};
use rampart_client::evidence::{PairAssets, scope_of};
use rampart_client::{control, guardian};

/// Returns the places of the standby sources that could take the place `source` of `asset`.
pub fn fitting(asset: &Asset, source: u8, bounds: &HardBounds) -> Vec<u8> {
    let fits = |standby: &u8| {
        let (mut set, mut standing) = (asset.oracle, asset.standby);
        standing.activate(&mut set, source, *standby, bounds).is_ok()
    };
    (0..asset.standby.count).filter(fits).collect()
}

/// Lets a standby source take the place of a dead one, by root or risk admin.
pub fn standby(
    (key, asset): (Pubkey, &Asset),
    (source, standby): (u8, u8),
    oracles: &[AccountMeta],
    (authority, validity): (Pubkey, Validity),
) -> Act {
    let dead = asset.oracle.sources[usize::from(source).min(MAX_SOURCES - 1)].account;
    let newcomer = asset.standby.sources[usize::from(standby).min(MAX_STANDBY - 1)].account;
    let instruction = control::activate_standby(authority, (key, asset), (source, standby), validity, oracles);
    at_scope(
        format!("let standby source {standby} ({newcomer}) take the place of source {source} ({dead}) of asset {key}"),
        "holds at once; the dead one stands by, and comes back only in the place of another dead one".into(),
        key,
        vec![authority],
        instruction,
    )
}

/// Ends the cause of a rule that is clear, by the resetter.
pub fn reset(
    (key, rule): (Pubkey, &Rule),
    (pair, oracles): (Option<PairAssets>, &[AccountMeta]),
    (resetter, validity): (Pubkey, Validity),
) -> Act {
    let scope = scope_of(rule);
    let instruction = guardian::reset_breaker(resetter, (key, rule), pair, oracles, validity);
    at_scope(
        format!("reset the cause of rule {} at {scope}", rule.id),
        "holds at once; causes of other rules, pauses and shortfalls stay, and the rule may trip again".into(),
        scope,
        vec![resetter],
        instruction,
    )
}
