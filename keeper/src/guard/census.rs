//! All accounts that a guard's bounds hold for: named in one transaction, or counted over several.

use super::act::{Act, ActError, at_scope};
use super::bounds::require_narrower;
use super::change::Move;
use super::snapshot::Snapshot;
use anchor_lang::prelude::Pubkey;
use rampart::state::{Census, CensusPurpose, Guard, HardBounds};
use rampart::{OpenCensusArgs, Validity};
use rampart_client::{address, control};

/// How many accounts one transaction names: with the largest of the instructions and a payer of its own it fits.
pub const MAX_NAMED: usize = 20;

/// Returns every asset, vault and rule, in the order in which they are counted.
pub fn all(snapshot: &Snapshot) -> Vec<Pubkey> {
    let keys = snapshot.assets.keys().chain(snapshot.vaults.keys()).chain(snapshot.rules.keys());
    let mut keys: Vec<Pubkey> = keys.copied().collect();
    keys.sort_unstable();
    keys
}

/// Returns what stands for all of them in one transaction: a census that is complete, else each by its name.
///
/// # Errors
/// `TooMany`.
pub fn named(
    snapshot: &Snapshot,
    guard: &Guard,
    (purpose, bounds): (CensusPurpose, &HardBounds),
) -> Result<Vec<Pubkey>, ActError> {
    let is_for_this = |census: &Census| census.purpose == purpose as u8 && census.bounds == *bounds;
    let is_whole = |census: &Census| {
        census.require_current(guard, snapshot.now_ts()).is_ok() && census.tally.require_all(guard).is_ok()
    };
    let all = all(snapshot);
    match &snapshot.census {
        Some(census) if is_for_this(census) && is_whole(census) => Ok(vec![address::census(&snapshot.key)]),
        _ if all.len() > MAX_NAMED => Err(ActError::TooMany(all.len())),
        _ => Ok(all),
    }
}

/// Opens a census: for `bounds` where they are given, else for the freeze.
///
/// # Errors
/// `Exists`, and those of [`require_narrower`].
pub fn open(
    snapshot: &Snapshot,
    guard: &Guard,
    bounds: Option<HardBounds>,
    counter: Pubkey,
    (root, validity): (Pubkey, Validity),
) -> Result<Act, ActError> {
    let key = address::census(&snapshot.key);
    if snapshot.census.is_some() {
        return Err(ActError::Exists { what: "census", key, next: "close it first: `rampart guard census close`" });
    }
    let (purpose, goal) = match bounds {
        Some(_) => (CensusPurpose::Narrow, "narrow the hard bounds"),
        None => (CensusPurpose::Freeze, "freeze the guard"),
    };
    let moves: Vec<Move> = bounds.map_or(Ok(Vec::new()), |next| require_narrower(&guard.bounds, &next))?;
    let args = OpenCensusArgs { bounds: bounds.unwrap_or(guard.bounds), purpose: purpose as u8, counter, validity };
    let instruction = control::open_census(root, snapshot.key, args);
    let what = format!("open a census to {goal}; {counter} counts");
    let when = "good for a day, and void once the configuration of an asset, a vault or a rule changes".to_owned();
    Ok(Act { moves, ..at_scope(what, when, key, vec![root], instruction) })
}

/// Counts what is not counted yet, as many in each act as a transaction names.
pub fn count(snapshot: &Snapshot, census: &Census) -> Vec<Act> {
    let all = all(snapshot);
    let rest: Vec<Pubkey> = all.iter().copied().filter(|key| *key > census.tally.last).collect();
    let mut counted = all.len() - rest.len();
    let one = |some: &[Pubkey]| {
        counted += some.len();
        let instruction = control::count_census(census.counter, snapshot.key, some);
        let what = format!("count {} accounts", some.len());
        let when = format!("{counted} of {} are counted then", all.len());
        at_scope(what, when, address::census(&snapshot.key), vec![census.counter], instruction)
    };
    rest.chunks(MAX_NAMED).map(one).collect()
}

/// Closes a census, whatever its state.
pub fn close(snapshot: &Snapshot, census: &Census, root: Pubkey) -> Act {
    let instruction = control::close_census(root, snapshot.key, census.rent_to);
    let when = format!("its rent goes back to {}", census.rent_to);
    at_scope("close the census".into(), when, address::census(&snapshot.key), vec![root], instruction)
}
