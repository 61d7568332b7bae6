//! The dollar limit over all vaults of a guard, and the leases that outflows are paid from.
//!
//! While the limit is in force, whoever takes something out of a vault needs what it is worth leased to that vault. The
//! lease and what it is for fit into one transaction: `[lease_budget(..), withdraw(..)]`.

use crate::admin::SYSTEM;
use crate::{AccountMeta, Instruction, Pubkey, VaultKeys, address, build};
use rampart::Validity;
use rampart::control::nonce::INSTRUCTIONS_SYSVAR;
use rampart::math::Price;
use rampart::state::AggregateParams;
use rampart::state::lease::UnitCost;
use rampart::{accounts, instruction};

/// Creates the dollar limit of `guard`.
pub fn initialize_aggregate(root: Pubkey, guard: Pubkey, params: AggregateParams) -> Instruction {
    let accounts = accounts::InitializeAggregate {
        root,
        guard,
        aggregate: address::aggregate(&guard),
        system_program: SYSTEM,
        instructions: INSTRUCTIONS_SYSVAR,
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    build(accounts, instruction::InitializeAggregate { params }, &[])
}

/// Makes the dollar limit of `guard` stricter.
pub fn tighten_aggregate(authority: Pubkey, guard: Pubkey, params: AggregateParams, validity: Validity) -> Instruction {
    let accounts = accounts::TightenAggregate {
        authority,
        guard,
        aggregate: address::aggregate(&guard),
        instructions: INSTRUCTIONS_SYSVAR,
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    build(accounts, instruction::TightenAggregate { params, validity }, &[])
}

/// Leases `amount_micro_usd` to the vault; nothing, to renew its costs. `oracles`: the collateral's sources, then the
/// loan's.
pub fn lease_budget(keys: &VaultKeys, oracles: &[AccountMeta], amount_micro_usd: u64) -> Instruction {
    let accounts = accounts::LeaseBudget {
        guard: keys.guard,
        aggregate: address::aggregate(&keys.guard),
        collateral_asset: keys.collateral_asset,
        loan_asset: keys.loan_asset,
        vault: keys.vault,
    };
    build(accounts, instruction::LeaseBudget { amount_micro_usd }, oracles)
}

/// Gives back what `vault` of `guard` has left unused.
pub fn return_lease(guard: Pubkey, vault: Pubkey) -> Instruction {
    let accounts = accounts::ReturnLease { aggregate: address::aggregate(&guard), vault };
    build(accounts, instruction::ReturnLease {}, &[])
}

/// Returns what to lease for `amount` base units of a mint of `decimals` at `price` and up to `margin_bps` above it;
/// micro-dollars, rounded up. `None` beyond what a lease can hold.
///
/// The program counts at the upper end of its sources or at its reference, where that is higher: the margin has to cover
/// the way from the caller's price to there.
///
/// # Units
/// `price`: US dollars for one whole token.
pub fn lease_for(amount: u64, price: Price, decimals: u8, margin_bps: u16) -> Option<u64> {
    let cost = u128::from(UnitCost::of(price, decimals).ok()?.cost(amount));
    let with_margin = (cost * (10_000 + u128::from(margin_bps))).div_ceil(10_000);
    u64::try_from(with_margin).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lease_for_covers_the_amount_and_its_margin() {
        let price = Price::from_q64(150 << 64).unwrap();
        assert_eq!(lease_for(2_000_000, price, 6, 0), Some(300_000_000));
        assert_eq!(lease_for(2_000_000, price, 6, 100), Some(303_000_000));
        assert_eq!(lease_for(1, price, 9, 1), Some(2));
        assert_eq!(lease_for(u64::MAX, price, 0, 1), None);
    }
}
