//! Swap policies and the reserve: their creation, and what governance takes out.

use super::act::{Act, ActError, at_scope, missing};
use super::change;
use super::snapshot::Snapshot;
use super::spec::{Key, Part, PlanSpec, SwapSpec};
use anchor_lang::prelude::Pubkey;
use rampart::Validity;
use rampart::state::Change;
use rampart_client::{MintOf, address, swap};
use serde::{Deserialize, Serialize};

/// A reserve as it shall be created.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReserveFile {
    /// Mints of the basket; each is an asset of the guard. Weights and cover are in their order.
    pub mints: Vec<Key>,
    /// Weights and cover.
    pub plan: PlanSpec,
}

/// Creates swap policy `id`, switched off.
///
/// # Errors
/// `Exists`, `Change`.
pub fn add_policy(
    snapshot: &Snapshot,
    id: u16,
    spec: &SwapSpec,
    (root, validity): (Pubkey, Validity),
) -> Result<Act, ActError> {
    let (key, params) = (address::swap_policy(&snapshot.key, id), spec.value());
    if snapshot.policies.contains_key(&key) {
        let next = "take another number, or move this one: `rampart guard propose swap-policy`, or `tighten`";
        return Err(ActError::Exists { what: "swap policy", key, next });
    }
    let instruction = swap::create_swap_policy(root, snapshot.key, id, params, validity);
    let when = format!(
        "it is there at once, switched off; `rampart guard propose swap-policy switch=enabled --target {key}` puts it in use, \
         which waits and can be vetoed"
    );
    let act = at_scope(format!("create swap policy {id}"), when, key, vec![root], instruction);
    let lasting = Some("the policy can be switched off, never removed: its number is taken".into());
    Ok(Act { moves: change::created(&Change::SwapPolicy(params))?, lasting, ..act })
}

/// Creates the reserve, empty.
///
/// # Errors
/// `Exists`, `Missing`, `Change`.
pub fn add_reserve(
    snapshot: &Snapshot,
    file: &ReserveFile,
    (root, validity): (Pubkey, Validity),
) -> Result<Act, ActError> {
    let (key, plan) = (address::reserve(&snapshot.key), file.plan.value());
    if snapshot.reserve.is_some() {
        let next = "a guard has one reserve: its weights and cover are the group `reserve-plan`";
        return Err(ActError::Exists { what: "reserve", key, next });
    }
    let mints: Vec<Pubkey> = file.mints.iter().map(|mint| mint.0).collect();
    let is_unknown = |mint: &&Pubkey| !snapshot.assets.contains_key(&address::asset(&snapshot.key, mint));
    if let Some(unknown) = mints.iter().find(is_unknown) {
        return Err(missing("asset for the mint", unknown));
    }
    let instruction = swap::initialize_reserve(root, snapshot.key, &mints, plan, validity);
    let when = "it is there at once, empty and covering no vault: anyone funds it, and the group `vault-cover` waits";
    let act = at_scope("create the reserve".into(), when.into(), key, vec![root], instruction);
    let lasting = "the guard has a reserve from now on: its assets, its quote and its scored asset never change, and bad debt of \
                   a covered vault can't be recorded without it";
    Ok(Act { moves: change::created(&Change::ReservePlan(plan))?, lasting: Some(lasting.into()), ..act })
}

/// Pays what a change granted out of the reserve. Anyone may; where no key is named the root pays the fee.
///
/// # Errors
/// `Missing`.
pub fn pay_grant(snapshot: &Snapshot, root: Pubkey) -> Result<Act, ActError> {
    let key = address::reserve(&snapshot.key);
    let reserve = snapshot.reserve.as_ref().ok_or_else(|| missing("reserve", &key))?;
    let grant = &reserve.grant;
    if grant.amount == 0 {
        return Err(missing("grant out of the reserve", &key));
    }
    let held = reserve.assets.get(usize::from(grant.index)).ok_or_else(|| missing("asset", &grant.index))?;
    let asset = snapshot.assets.get(&held.asset).ok_or_else(|| missing("asset", &held.asset))?;
    let mint = MintOf { mint: held.mint, token_program: asset.token_program };
    let what = format!("pay {} base units of {} out of the reserve to {}", grant.amount, held.mint, grant.destination);
    let when = "holds at once; what the reserve lacks of it stays granted".into();
    let instruction = swap::withdraw_reserve(key, reserve, mint);
    let lasting = Some("what is paid is gone".into());
    Ok(Act { lasting, ..at_scope(what, when, key, vec![root], instruction) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rampart::state::HardBounds;

    /// Blocks of TOML in the section of the documentation that has them.
    fn blocks() -> Vec<String> {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/governance.md");
        let text = std::fs::read_to_string(path).expect("a document");
        text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
    }

    #[test]
    fn files_in_the_documentation_are_what_the_program_takes() {
        let [policy, reserve] = blocks().try_into().expect("a policy and a reserve");
        let policy: SwapSpec = toml::from_str(&policy).expect("a policy");
        let bounds = HardBounds { max_slippage_bps: 100, max_swap_loss_bps: 10, ..bytemuck::Zeroable::zeroed() };
        policy.value().validate(&bounds).expect("within these bounds");
        assert_eq!(policy.switch, crate::guard::spec::SwitchName::Disabled);
        let reserve: ReserveFile = toml::from_str(&reserve).expect("a reserve");
        reserve.plan.value().validate().expect("weights that sum up and move to the quote");
        assert_eq!(reserve.mints.len(), reserve.plan.weights_bps.len());
    }
}
