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
#[cfg(any(test, kani))]
mod proofs;
mod refuse;
pub mod risk;
// of the deployed program alone: who links this crate has contacts of their own
#[cfg(all(not(feature = "no-entrypoint"), any(target_os = "solana", target_os = "zkvm")))]
pub mod security;
pub mod state;

use anchor_lang::prelude::*;
pub use instructions::*;
use state::aggregate::AggregateParams;
use state::bounty::BountyParams;
use state::group::GroupParams;
use state::guard::HardBounds;
use state::reserve::ReservePlan;
use state::rule::RuleParams;
use state::swap_policy::SwapParams;

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

    // --- exits

    /// Takes a ticket for a withdrawal beyond the limit of now.
    pub fn request_withdrawal(ctx: Context<RequestWithdrawal>, shares: u128, side: u8) -> Result<()> {
        RequestWithdrawal::handle(ctx, shares, side)
    }

    /// Pays a ripe ticket.
    pub fn claim_withdrawal<'info>(ctx: Context<'info, Withdraw<'info>>, args: ClaimWithdrawalArgs) -> Result<()> {
        Withdraw::claim(ctx, args)
    }

    /// Pays a ripe ticket for collateral.
    pub fn claim_collateral<'info>(
        ctx: Context<'info, WithdrawCollateral<'info>>,
        args: ClaimWithdrawalArgs,
    ) -> Result<()> {
        WithdrawCollateral::claim(ctx, args)
    }

    /// Gives a ticket back.
    pub fn cancel_withdrawal(ctx: Context<CancelWithdrawal>, ticket: u8) -> Result<()> {
        CancelWithdrawal::handle(ctx, ticket)
    }

    // --- grace

    /// Marks the price when the latest halt began, for the grace time after it.
    pub fn mark_halt(ctx: Context<MarkHalt>) -> Result<()> {
        MarkHalt::handle(ctx)
    }

    // --- shortfall and Resolution

    /// Holds a vault's token accounts against its books.
    pub fn record_shortfall(ctx: Context<RecordShortfall>) -> Result<()> {
        RecordShortfall::handle(ctx)
    }

    /// Begins the orderly end of a vault.
    pub fn enter_resolution<'info>(
        ctx: Context<'info, ChangeResolution<'info>>,
        duration_secs: u32,
        validity: Validity,
    ) -> Result<()> {
        ChangeResolution::enter(ctx, duration_secs, validity)
    }

    /// Calls it off before its claims open.
    pub fn leave_resolution<'info>(ctx: Context<'info, ChangeResolution<'info>>, validity: Validity) -> Result<()> {
        ChangeResolution::leave(ctx, validity)
    }

    /// Pays a position its part of a vault in Resolution.
    pub fn claim_resolution<'info>(ctx: Context<'info, ClaimResolution<'info>>) -> Result<()> {
        ClaimResolution::handle(ctx)
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

    /// Lets a limit of a vault on new risk follow what the keepers report.
    pub fn scale_risk<'info>(ctx: Context<'info, ScaleRisk<'info>>, target: u8) -> Result<()> {
        ScaleRisk::handle(ctx, target)
    }

    // --- integrations

    /// Gives another program a place under a guard.
    pub fn register_integration(
        ctx: Context<RegisterIntegration>,
        index: u16,
        args: RegisterIntegrationArgs,
        validity: Validity,
    ) -> Result<()> {
        RegisterIntegration::handle(ctx, index, args, validity)
    }

    /// Makes an integration's limits stricter, at once.
    pub fn tighten_integration(
        ctx: Context<TightenIntegration>,
        args: TightenIntegrationArgs,
        validity: Validity,
    ) -> Result<()> {
        TightenIntegration::handle(ctx, args, validity)
    }

    /// Answers whether an action is allowed, as return data.
    pub fn check_action<'info>(ctx: Context<'info, AskGuard<'info>>, kind: u8, amount: u64) -> Result<GuardVerdict> {
        AskGuard::check(ctx, kind, amount)
    }

    /// Succeeds only if an action is allowed.
    pub fn enforce_action<'info>(ctx: Context<'info, AskGuard<'info>>, kind: u8, amount: u64) -> Result<()> {
        AskGuard::enforce(ctx, kind, amount)
    }

    /// Enforces and charges an outflow.
    pub fn record_outflow<'info>(ctx: Context<'info, RecordOutflow<'info>>, kind: u8, amount: u64) -> Result<()> {
        RecordOutflow::handle(ctx, kind, amount)
    }

    /// Moves tokens out of an account that the guard holds.
    pub fn custody_transfer<'info>(ctx: Context<'info, CustodyTransfer<'info>>, kind: u8, amount: u64) -> Result<()> {
        CustodyTransfer::handle(ctx, kind, amount)
    }

    /// Mints tokens whose mint authority the guard holds.
    pub fn custody_mint<'info>(ctx: Context<'info, CustodyMint<'info>>, amount: u64) -> Result<()> {
        CustodyMint::handle(ctx, amount)
    }

    // --- change control and pauses

    /// Narrows a guard's hard bounds, at once and for ever.
    pub fn narrow_bounds<'info>(
        ctx: Context<'info, NarrowBounds<'info>>,
        bounds: HardBounds,
        validity: Validity,
    ) -> Result<()> {
        NarrowBounds::handle(ctx, bounds, validity)
    }

    /// Gives up loosening, for ever.
    pub fn freeze_forever<'info>(ctx: Context<'info, FreezeForever<'info>>, validity: Validity) -> Result<()> {
        FreezeForever::handle(ctx, validity)
    }

    /// Begins a census of a guard's accounts.
    pub fn open_census(ctx: Context<OpenCensus>, args: OpenCensusArgs) -> Result<()> {
        OpenCensus::handle(ctx, args)
    }

    /// Counts some of a guard's accounts into its census.
    pub fn count_census<'info>(ctx: Context<'info, CountCensus<'info>>) -> Result<()> {
        CountCensus::handle(ctx)
    }

    /// Closes a census.
    pub fn close_census(ctx: Context<CloseCensus>) -> Result<()> {
        CloseCensus::handle(ctx)
    }

    /// Proposes a change, which then waits in public.
    pub fn propose_change<'info>(ctx: Context<'info, ProposeChange<'info>>, args: ProposeChangeArgs) -> Result<()> {
        ProposeChange::handle(ctx, args)
    }

    /// Executes a change that has waited.
    pub fn execute_change<'info>(ctx: Context<'info, ExecuteChange<'info>>) -> Result<()> {
        ExecuteChange::handle(ctx)
    }

    /// Stops a pending change.
    pub fn veto_change(ctx: Context<VetoChange>) -> Result<()> {
        VetoChange::handle(ctx)
    }

    /// Takes a proposal back.
    pub fn cancel_change(ctx: Context<CancelChange>) -> Result<()> {
        CancelChange::handle(ctx)
    }

    /// Takes over as root, on the new root's own signature.
    pub fn accept_root<'info>(ctx: Context<'info, AcceptRoot<'info>>) -> Result<()> {
        AcceptRoot::handle(ctx)
    }

    /// Lets a standby source take the place of one that is proved dead, at once.
    pub fn activate_standby<'info>(
        ctx: Context<'info, ActivateStandby<'info>>,
        args: ActivateStandbyArgs,
    ) -> Result<()> {
        ActivateStandby::handle(ctx, args)
    }

    /// Raises a level for a bounded time, by one guardian.
    pub fn guardian_pause(ctx: Context<GuardianPause>, args: GuardianPauseArgs) -> Result<()> {
        GuardianPause::handle(ctx, args)
    }

    /// Halts a scope for a bounded time, by a quorum of guardians.
    pub fn guardian_halt<'info>(
        ctx: Context<'info, GuardianHalt<'info>>,
        duration_secs: u32,
        validity: Validity,
    ) -> Result<()> {
        GuardianHalt::handle(ctx, duration_secs, validity)
    }

    /// Ends a pause early, by the resetter.
    pub fn lift_pause(ctx: Context<LiftPause>, source: Pubkey, validity: Validity) -> Result<()> {
        LiftPause::handle(ctx, source, validity)
    }

    /// Takes a rule's cause away with a proof that it is clear, by the resetter.
    pub fn reset_breaker<'info>(ctx: Context<'info, ResetBreaker<'info>>, args: ResetBreakerArgs) -> Result<()> {
        ResetBreaker::handle(ctx, args)
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

    // --- the dollar limit over all vaults

    /// Creates a guard's dollar limit.
    pub fn initialize_aggregate(ctx: Context<InitializeAggregate>, params: AggregateParams) -> Result<()> {
        InitializeAggregate::handle(ctx, params)
    }

    /// Makes a guard's dollar limit stricter, at once.
    pub fn tighten_aggregate(
        ctx: Context<TightenAggregate>,
        params: AggregateParams,
        validity: Validity,
    ) -> Result<()> {
        TightenAggregate::handle(ctx, params, validity)
    }

    /// Leases a part of the dollar limit to a vault.
    pub fn lease_budget<'info>(ctx: Context<'info, LeaseBudget<'info>>, amount_micro_usd: u64) -> Result<()> {
        LeaseBudget::handle(ctx, amount_micro_usd)
    }

    /// Gives back what a vault has leased and not used.
    pub fn return_lease(ctx: Context<ReturnLease>) -> Result<()> {
        ReturnLease::handle(ctx)
    }

    // --- swaps and the reserve

    /// Creates a swap policy.
    pub fn create_swap_policy(
        ctx: Context<CreateSwapPolicy>,
        id: u16,
        params: SwapParams,
        validity: Validity,
    ) -> Result<()> {
        CreateSwapPolicy::handle(ctx, id, params, validity)
    }

    /// Makes a swap policy stricter, at once.
    pub fn tighten_swap_policy(ctx: Context<TightenSwapPolicy>, params: SwapParams, validity: Validity) -> Result<()> {
        TightenSwapPolicy::handle(ctx, params, validity)
    }

    /// Liquidates with the seized collateral itself, sold by a guarded swap.
    pub fn liquidate_by_swap<'info>(
        ctx: Context<'info, LiquidateBySwap<'info>>,
        args: LiquidateBySwapArgs,
    ) -> Result<()> {
        LiquidateBySwap::handle(ctx, args)
    }

    /// Creates a guard's reserve.
    pub fn initialize_reserve<'info>(
        ctx: Context<'info, InitializeReserve<'info>>,
        plan: ReservePlan,
        validity: Validity,
    ) -> Result<()> {
        InitializeReserve::handle(ctx, plan, validity)
    }

    /// Puts tokens into the reserve.
    pub fn fund_reserve(ctx: Context<FundReserve>, amount: u64) -> Result<()> {
        FundReserve::handle(ctx, amount)
    }

    /// Swaps one asset of the reserve into another, nearer to its targets.
    pub fn rebalance<'info>(ctx: Context<'info, Rebalance<'info>>, args: RebalanceArgs) -> Result<()> {
        Rebalance::handle(ctx, args)
    }

    /// Pays out what governance was granted.
    pub fn withdraw_reserve<'info>(ctx: Context<'info, WithdrawReserve<'info>>) -> Result<()> {
        WithdrawReserve::handle(ctx)
    }

    /// Brings a vault from an earlier layout to the present one. Anyone may.
    pub fn migrate_vault(ctx: Context<MigrateVault>) -> Result<()> {
        MigrateVault::handle(ctx)
    }
}
