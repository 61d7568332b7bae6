//! Rampart: collateral vaults, circuit breakers and threshold rules that prove every claim on chain.
//!
//! The program trusts nobody: prices, rules and liquidations are re-proved from pinned accounts in the instruction that
//! acts on them. `math`, `oracle`, `risk` and `state` are plain functions over plain values; the keeper links this crate
//! and calls the same ones.

pub mod constants;
pub mod error;
pub mod events;
pub mod instructions;
pub mod math;
pub mod mint;
pub mod oracle;
pub mod risk;
pub mod state;

use anchor_lang::prelude::*;
pub use instructions::*;
use state::bounty::BountyParams;
use state::group::GroupParams;
use state::rule::RuleParams;

declare_id!("HiDN1cZjY1y3GCUFJfsaQae162WdXHXZ7Pkv9UWBjh4s");

/// The program's instructions.
#[program]
pub mod rampart {
    use super::*;

    /// Creates a guard with its roles and hard bounds.
    pub fn initialize_guard(ctx: Context<InitializeGuard>, id: u16, args: InitializeGuardArgs) -> Result<()> {
        InitializeGuard::handle(ctx, id, args)
    }

    /// Registers a mint with its price sources.
    pub fn register_asset(ctx: Context<RegisterAsset>, args: RegisterAssetArgs) -> Result<()> {
        RegisterAsset::handle(ctx, args)
    }

    /// Creates an isolated pair.
    pub fn initialize_vault(ctx: Context<InitializeVault>, args: InitializeVaultArgs) -> Result<()> {
        InitializeVault::handle(ctx, args)
    }

    /// Makes a vault's limits stricter, at once.
    pub fn tighten_vault(ctx: Context<TightenVault>, args: TightenVaultArgs, validity: Validity) -> Result<()> {
        TightenVault::handle(ctx, args, validity)
    }

    /// Creates a threshold rule.
    pub fn create_rule(ctx: Context<CreateRule>, id: u16, params: RuleParams) -> Result<()> {
        CreateRule::handle(ctx, id, params)
    }

    /// Makes a rule stricter, at once.
    pub fn tighten_rule(ctx: Context<TightenRule>, params: RuleParams, validity: Validity) -> Result<()> {
        TightenRule::handle(ctx, params, validity)
    }

    /// Opens an empty position.
    pub fn open_position(ctx: Context<OpenPosition>) -> Result<()> {
        OpenPosition::handle(ctx)
    }

    /// Closes an empty position and returns its rent.
    pub fn close_position(ctx: Context<ClosePosition>) -> Result<()> {
        ClosePosition::handle(ctx)
    }

    /// Lends to a vault.
    pub fn supply<'info>(ctx: Context<'info, Supply<'info>>, args: SupplyArgs) -> Result<()> {
        Supply::handle(ctx, args)
    }

    /// Takes lent tokens back.
    pub fn withdraw<'info>(ctx: Context<'info, Withdraw<'info>>, args: WithdrawArgs) -> Result<()> {
        Withdraw::handle(ctx, args)
    }

    /// Adds collateral to a position.
    pub fn deposit_collateral<'info>(ctx: Context<'info, DepositCollateral<'info>>, amount: u64) -> Result<()> {
        DepositCollateral::handle(ctx, amount)
    }

    /// Takes collateral out of a position.
    pub fn withdraw_collateral<'info>(ctx: Context<'info, WithdrawCollateral<'info>>, amount: u64) -> Result<()> {
        WithdrawCollateral::handle(ctx, amount)
    }

    /// Borrows against collateral.
    pub fn borrow<'info>(ctx: Context<'info, Borrow<'info>>, amount: u64) -> Result<()> {
        Borrow::handle(ctx, amount)
    }

    /// Pays debt back.
    pub fn repay<'info>(ctx: Context<'info, Repay<'info>>, amount: u64) -> Result<()> {
        Repay::handle(ctx, amount)
    }

    /// Brings a vault's interest up to date.
    pub fn accrue(ctx: Context<Accrue>) -> Result<()> {
        Accrue::handle(ctx)
    }

    /// Takes an agreed price into an asset's reference and window memory.
    pub fn observe<'info>(ctx: Context<'info, Observe<'info>>) -> Result<()> {
        Observe::handle(ctx)
    }

    /// Takes one observation into a rule's streak.
    pub fn observe_rule<'info>(ctx: Context<'info, ObserveRule<'info>>) -> Result<()> {
        ObserveRule::handle(ctx)
    }

    /// Proves a rule true and raises the level of its scope.
    pub fn trip<'info>(ctx: Context<'info, Trip<'info>>, trip_epoch: u64) -> Result<()> {
        Trip::handle(ctx, trip_epoch)
    }

    /// Proves a rule clear and lowers its cause by one level.
    pub fn step_down<'info>(ctx: Context<'info, StepDown<'info>>, trip_epoch: u64) -> Result<()> {
        StepDown::handle(ctx, trip_epoch)
    }

    /// Repays part of an unhealthy position for collateral at a bonus.
    pub fn liquidate<'info>(ctx: Context<'info, Liquidate<'info>>, args: LiquidateArgs) -> Result<()> {
        Liquidate::handle(ctx, args)
    }

    /// Softly reduces a position before it has to be liquidated.
    pub fn deleverage<'info>(ctx: Context<'info, Deleverage<'info>>, args: LiquidateArgs) -> Result<()> {
        Deleverage::handle(ctx, args)
    }

    // --- keepers

    /// Creates a guard's keeper set.
    pub fn initialize_keepers(ctx: Context<InitializeKeepers>, args: SetKeepersArgs) -> Result<()> {
        InitializeKeepers::handle(ctx, args)
    }

    /// Replaces the members of a keeper set.
    pub fn set_keepers(ctx: Context<SetKeepers>, args: SetKeepersArgs, validity: Validity) -> Result<()> {
        SetKeepers::handle(ctx, args, validity)
    }

    /// Opens a keeper's report about a subject.
    pub fn open_report(ctx: Context<OpenReport>) -> Result<()> {
        OpenReport::handle(ctx)
    }

    /// Reports about a subject.
    pub fn submit_report(ctx: Context<SubmitReport>, args: SubmitReportArgs) -> Result<()> {
        SubmitReport::handle(ctx, args)
    }

    // --- groups and bounties

    /// Creates a group of rules.
    pub fn create_group<'info>(ctx: Context<'info, CreateGroup<'info>>, id: u16, params: GroupParams) -> Result<()> {
        CreateGroup::handle(ctx, id, params)
    }

    /// Proves that every rule of a group stands true, and raises the level of its scope.
    pub fn trip_group<'info>(ctx: Context<'info, TripGroup<'info>>, trip_epoch: u64) -> Result<()> {
        TripGroup::handle(ctx, trip_epoch)
    }

    /// Proves that a rule of a group stands clear, and lowers the group's cause by one level.
    pub fn step_down_group(ctx: Context<StepDownGroup>, trip_epoch: u64) -> Result<()> {
        StepDownGroup::handle(ctx, trip_epoch)
    }

    /// Creates a guard's bounty vault. Anyone funds it by a transfer.
    pub fn initialize_bounty(ctx: Context<InitializeBounty>, params: BountyParams) -> Result<()> {
        InitializeBounty::handle(ctx, params)
    }

    /// Changes what a bounty vault pays.
    pub fn set_bounty(ctx: Context<SetBounty>, params: BountyParams, validity: Validity) -> Result<()> {
        SetBounty::handle(ctx, params, validity)
    }

    /// Takes lamports out of a bounty vault.
    pub fn withdraw_bounty(ctx: Context<WithdrawBounty>, amount_lamports: u64, validity: Validity) -> Result<()> {
        WithdrawBounty::handle(ctx, amount_lamports, validity)
    }
}
