//! Guarded swaps and the reserve.

use crate::admin::SYSTEM;
use crate::liquidation::Liquidator;
use crate::{AccountMeta, Instruction, MintOf, Pubkey, VaultKeys, address, build};
use rampart::control::nonce::INSTRUCTIONS_SYSVAR;
use rampart::state::{Reserve, ReservePlan, SwapParams};
use rampart::{LiquidateBySwapArgs, RebalanceArgs, Validity};
use rampart::{accounts, instruction};

/// A policy with its escrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyKeys {
    /// The policy.
    pub policy: Pubkey,
    /// Its escrow authority.
    pub escrow: Pubkey,
    /// The program that it allows.
    pub program: Pubkey,
}

impl PolicyKeys {
    /// Derives the addresses of policy `id` of `guard`, which allows `program`.
    pub fn derive(guard: &Pubkey, id: u16, program: Pubkey) -> Self {
        let policy = address::swap_policy(guard, id);
        Self { policy, escrow: address::escrow(&policy), program }
    }

    /// Returns the escrow's account of `mint`: the associated one.
    pub fn token(&self, mint: &MintOf) -> Pubkey {
        address::associated(&self.escrow, &mint.mint, &mint.token_program)
    }
}

/// What a route is called with: the accounts of its instruction in order, and its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routed {
    /// Accounts; the escrow authority among them without a signature, which the program adds.
    pub accounts: Vec<AccountMeta>,
    /// Data.
    pub data: Vec<u8>,
}

/// Creates swap policy `id`.
pub fn create_swap_policy(root: Pubkey, guard: Pubkey, id: u16, params: SwapParams, validity: Validity) -> Instruction {
    let accounts = accounts::CreateSwapPolicy {
        root,
        guard,
        program_account: params.program,
        policy: address::swap_policy(&guard, id),
        system_program: SYSTEM,
        instructions: INSTRUCTIONS_SYSVAR,
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    build(accounts, instruction::CreateSwapPolicy { id, params, validity }, &[])
}

/// Makes a swap policy stricter.
pub fn tighten_swap_policy(
    authority: Pubkey,
    guard: Pubkey,
    policy: Pubkey,
    params: SwapParams,
    validity: Validity,
) -> Instruction {
    let accounts = accounts::TightenSwapPolicy {
        authority,
        guard,
        policy,
        instructions: INSTRUCTIONS_SYSVAR,
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    build(accounts, instruction::TightenSwapPolicy { params, validity }, &[])
}

/// Liquidates `position` with the seized collateral itself.
///
/// `evidence`: the collateral's sources, then the loan's; where bad debt may be left, what [`cover`] returns.
pub fn liquidate_by_swap(
    keys: &VaultKeys,
    position: Pubkey,
    by: Liquidator,
    policy: &PolicyKeys,
    evidence: &[AccountMeta],
    (args, route): (rampart::LiquidateArgs, Routed),
    min_surplus_amount: u64,
) -> Instruction {
    let (collateral, loan) = (keys.collateral(), keys.loan());
    let accounts = accounts::LiquidateBySwap {
        liquidator: by.authority,
        guard: keys.guard,
        collateral_asset: keys.collateral_asset,
        loan_asset: keys.loan_asset,
        vault: keys.vault,
        position,
        policy: policy.policy,
        escrow: policy.escrow,
        collateral_mint: keys.collateral_mint,
        loan_mint: keys.loan_mint,
        collateral_token: keys.collateral_token,
        loan_token: keys.loan_token,
        escrow_collateral: policy.token(&collateral),
        escrow_loan: policy.token(&loan),
        liquidator_collateral_token: by.collateral_token,
        liquidator_loan_token: by.loan_token,
        route_program: policy.program,
        collateral_token_program: keys.collateral_token_program,
        loan_token_program: keys.loan_token_program,
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    let args = LiquidateBySwapArgs { liquidate: args, min_surplus_amount, route: route.data };
    let rest = [evidence, &route.accounts].concat();
    build(accounts, instruction::LiquidateBySwap { args }, &rest)
}

/// Returns the accounts by which the reserve of `guard` pays for bad debt in `loan`.
pub fn cover(guard: &Pubkey, loan: &MintOf) -> [AccountMeta; 2] {
    let reserve = address::reserve(guard);
    let token = address::associated(&reserve, &loan.mint, &loan.token_program);
    [AccountMeta::new(reserve, false), AccountMeta::new(token, false)]
}

/// Creates the reserve of `guard` with a basket of `mints`, in the plan's order.
pub fn initialize_reserve(
    root: Pubkey,
    guard: Pubkey,
    mints: &[Pubkey],
    plan: ReservePlan,
    validity: Validity,
) -> Instruction {
    let accounts = accounts::InitializeReserve {
        root,
        guard,
        reserve: address::reserve(&guard),
        system_program: SYSTEM,
        instructions: INSTRUCTIONS_SYSVAR,
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    let assets: Vec<AccountMeta> =
        mints.iter().map(|mint| AccountMeta::new_readonly(address::asset(&guard, mint), false)).collect();
    build(accounts, instruction::InitializeReserve { plan, validity }, &assets)
}

/// Puts `amount` of `mint` from `from` into the reserve of `guard`.
pub fn fund_reserve(funder: Pubkey, guard: Pubkey, mint: MintOf, from: Pubkey, amount: u64) -> Instruction {
    let reserve = address::reserve(&guard);
    let accounts = accounts::FundReserve {
        funder,
        reserve,
        asset: address::asset(&guard, &mint.mint),
        mint: mint.mint,
        from,
        reserve_token: address::associated(&reserve, &mint.mint, &mint.token_program),
        token_program: mint.token_program,
    };
    build(accounts, instruction::FundReserve { amount }, &[])
}

/// Swaps `pair.0` of the reserve into `pair.1`.
///
/// `evidence`: for each asset of the basket its asset account and its oracles; then the keeper set and each member's report
/// about the scored asset, or none of these.
pub fn rebalance(
    caller: Pubkey,
    guard: Pubkey,
    policy: &PolicyKeys,
    (from, to): (MintOf, MintOf),
    evidence: &[AccountMeta],
    args: RebalanceArgs,
    route: &[AccountMeta],
) -> Instruction {
    let reserve = address::reserve(&guard);
    let accounts = accounts::Rebalance {
        caller,
        guard,
        reserve,
        policy: policy.policy,
        escrow: policy.escrow,
        from_mint: from.mint,
        to_mint: to.mint,
        from_token: address::associated(&reserve, &from.mint, &from.token_program),
        to_token: address::associated(&reserve, &to.mint, &to.token_program),
        escrow_from: policy.token(&from),
        escrow_to: policy.token(&to),
        route_program: policy.program,
        from_program: from.token_program,
        to_program: to.token_program,
    };
    build(accounts, instruction::Rebalance { args }, &[evidence, route].concat())
}

/// Pays out what governance was granted of `mint`.
pub fn withdraw_reserve(key: Pubkey, reserve: &Reserve, mint: MintOf) -> Instruction {
    let accounts = accounts::WithdrawReserve {
        reserve: key,
        mint: mint.mint,
        reserve_token: address::associated(&key, &mint.mint, &mint.token_program),
        destination: reserve.grant.destination,
        token_program: mint.token_program,
        event_authority: address::event_authority(),
        program: rampart::ID,
    };
    build(accounts, instruction::WithdrawReserve {}, &[])
}
