//! The hard bounds, which only ever narrow, and the freeze.

use super::act::{Act, ActError, at_scope};
use super::census;
use super::change::{self, ChangeError, Move};
use super::snapshot::Snapshot;
use super::spec::BoundsSpec;
use anchor_lang::prelude::Pubkey;
use rampart::Validity;
use rampart::state::{CensusPurpose, Guard, HardBounds};
use rampart_client::control;
use serde_json::Value;

const GROUP: &str = "bounds";

fn json(bounds: &HardBounds) -> Result<Value, ChangeError> {
    change::write::<BoundsSpec, _>(GROUP, bounds)
}

/// Returns `now` with bounds set by name.
///
/// # Errors
/// `NoField`, `Fields`.
pub fn edited(now: &HardBounds, edits: &[(String, String)]) -> Result<HardBounds, ChangeError> {
    let value = change::with_edits(GROUP, json(now)?, edits, |_| false)?;
    change::read::<BoundsSpec, _>(GROUP, &value)
}

/// Returns every bound that moves, each judged by the program alone.
///
/// # Errors
/// `Fields`.
pub fn moves(now: &HardBounds, next: &HardBounds) -> Result<Vec<Move>, ChangeError> {
    let (from, to) = (json(now)?, json(next)?);
    let mut moved = Vec::new();
    for path in change::differences(&from, &to) {
        let next = change::at(&to, &path).clone();
        let alone = change::read::<BoundsSpec, _>(GROUP, &change::with(from.clone(), &path, next.clone()))?;
        let direction = if now.require_narrower(&alone).is_ok() { "tighter" } else { "looser" };
        moved.push(Move { field: path.join("."), from: change::at(&from, &path).clone(), to: next, direction });
    }
    Ok(moved)
}

/// Returns the moves of bounds that all narrow.
///
/// # Errors
/// `Change`, `Same`, `Wider`.
pub fn require_narrower(now: &HardBounds, next: &HardBounds) -> Result<Vec<Move>, ActError> {
    let moves = moves(now, next)?;
    match moves.iter().find(|moved| moved.direction != "tighter") {
        Some(wider) => Err(ActError::Wider(wider.field.clone())),
        None if moves.is_empty() => Err(ActError::Same),
        None => Ok(moves),
    }
}

/// Narrows the bounds, over everything that the guard has.
///
/// # Errors
/// Those of [`require_narrower`], `TooMany`.
pub fn narrow(
    snapshot: &Snapshot,
    guard: &Guard,
    next: HardBounds,
    (root, validity): (Pubkey, Validity),
) -> Result<Act, ActError> {
    let moves = require_narrower(&guard.bounds, &next)?;
    let all = census::named(snapshot, guard, (CensusPurpose::Narrow, &next))?;
    let instruction = control::narrow_bounds(root, snapshot.key, next, validity, &all);
    let act = at_scope("narrow the hard bounds".into(), "holds at once".into(), snapshot.key, vec![root], instruction);
    Ok(Act { moves, lasting: Some("no instruction widens a bound again, whoever signs".into()), ..act })
}

/// Freezes the guard, over everything that it has.
///
/// # Errors
/// `TooMany`.
pub fn freeze(snapshot: &Snapshot, guard: &Guard, (root, validity): (Pubkey, Validity)) -> Result<Act, ActError> {
    let all = census::named(snapshot, guard, (CensusPurpose::Freeze, &guard.bounds))?;
    let instruction = control::freeze_forever(root, snapshot.key, validity, &all);
    let act = at_scope("freeze the guard".into(), "holds at once".into(), snapshot.key, vec![root], instruction);
    let pending = snapshot.changes.len();
    let lasting = format!(
        "nothing is loosened again: {pending} pending changes can't be executed any more, roles and root stay with the keys \
         that hold them, a lost key stays lost, and no asset, vault, dollar limit, swap policy or reserve is added; tightening, \
         rules, pauses and levels go on"
    );
    Ok(Act { lasting: Some(lasting), ..act })
}
