//! Every refusal of the program. Append only: a code never changes its meaning.

use anchor_lang::prelude::*;

/// Why the program refused. Codes start at 6000.
#[error_code]
#[derive(PartialEq, Eq)]
pub enum RampartError {
    // --- arithmetic and stored data
    #[msg("Arithmetic overflow")]
    MathOverflow,
    #[msg("Price must lie between 2^-32 and 2^48")]
    PriceOutOfRange,
    #[msg("Stored data holds a value this version does not know")]
    UnknownStoredValue,

    // --- oracle
    #[msg("Oracle account is not the one pinned for this source")]
    OracleAccountMismatch,
    #[msg("Oracle account is not owned by the pinned program")]
    OracleOwnerMismatch,
    #[msg("Oracle account has another discriminator or is too short")]
    OracleDataInvalid,
    #[msg("Oracle account is for another feed")]
    OracleFeedMismatch,
    #[msg("Oracle exponent must lie between -18 and 0")]
    OracleExponentOutOfRange,
    #[msg("Number of oracle accounts does not match the asset's sources")]
    OracleAccountsMissing,
    #[msg("Price is indeterminate: too few sources are valid, fresh and confident")]
    PriceIndeterminate,
    #[msg("Price is indeterminate: sources disagree by more than the asset allows")]
    PriceDisagreement,
    #[msg("Sources hold nothing newer than the last observation")]
    ObservationNotNewer,

    // --- configuration
    #[msg("Hard bounds must be consistent: every floor at or below its ceiling")]
    BoundsInvalid,
    #[msg("Value lies outside the guard's hard bounds")]
    OutsideHardBounds,
    #[msg("Roles must be set, pairwise distinct and at most eight guardians")]
    RolesInvalid,
    #[msg("A switch, kind or metric holds an unknown value")]
    UnknownKind,
    #[msg("Asset needs one to three sources with distinct publishers, and required must not exceed them")]
    OracleSetInvalid,
    #[msg("Reference needs a half-life, a cell length, a warm-up count, and an age limit of at least its half-life")]
    ReferenceParamsInvalid,
    #[msg("Mint carries an extension that is not admitted")]
    MintExtensionRefused,
    #[msg("Mint must have at most 12 decimals")]
    MintDecimalsTooLarge,
    #[msg("Mint extensions changed since the asset was registered")]
    MintFingerprintChanged,
    #[msg("Loan and collateral must be different assets of the same guard")]
    VaultAssetsInvalid,
    #[msg("Risk parameters must satisfy ltv < soft line < liquidation line, and line times (1 + bonus) at most one")]
    RiskParamsInvalid,
    #[msg("Interest curve must be ascending, with kink below 10_000 bps")]
    CurveInvalid,
    #[msg("Limiter must hold back at least twice the exit floor for it")]
    LimiterInvalid,
    #[msg("Rule must have a reachable clear threshold, a duration and a level from 1 to 3")]
    RuleInvalid,
    #[msg("Rule subject is not of the kind its metric measures")]
    RuleSubjectMismatch,
    #[msg("Change would loosen a limit: propose it as a change, which waits")]
    LooseningRefused,
    #[msg("Change was prepared under another authority epoch")]
    AuthorityEpochMoved,
    #[msg("Instruction expired before it was executed")]
    InstructionExpired,
    #[msg("Signer does not hold the role this instruction needs")]
    WrongAuthority,

    // --- gate
    #[msg("Level does not allow this class of instruction")]
    LevelForbids,
    #[msg("Exit floor for today is used up")]
    ExitFloorUsed,
    #[msg("Outflow limit of the hour is reached")]
    HourlyLimitReached,
    #[msg("Outflow limit of the day is reached")]
    DailyLimitReached,

    // --- lending
    #[msg("Amount must be positive")]
    ZeroAmount,
    #[msg("Amount exceeds what the position holds")]
    AmountExceedsPosition,
    #[msg("Shares received are fewer than the minimum asked for")]
    SlippageExceeded,
    #[msg("Vault has too little cash")]
    InsufficientCash,
    #[msg("Supply cap of the vault is reached")]
    SupplyCapReached,
    #[msg("Borrow cap of the vault is reached")]
    BorrowCapReached,
    #[msg("Collateral cap of the vault is reached")]
    CollateralCapReached,
    #[msg("Position would exceed the loan-to-value limit")]
    LtvExceeded,
    #[msg("Debt left must be zero or at least the vault's minimum")]
    DebtBelowMinimum,
    #[msg("Position has no debt")]
    NoDebt,
    #[msg("Position still holds shares, debt or collateral")]
    PositionNotEmpty,
    #[msg("Tokens received differ from the amount sent")]
    ReceivedAmountMismatch,
    #[msg("Destination must not be an account of the guard")]
    DestinationForbidden,

    // --- liquidation
    #[msg("Position is healthy")]
    PositionHealthy,
    #[msg("Position is below the soft line or above the liquidation line")]
    OutsideSoftBand,
    #[msg("Another liquidation of this position landed first")]
    LiquidationSeqMoved,
    #[msg("Position was already liquidated in this slot")]
    LiquidatedThisSlot,
    #[msg("Soft deleveraging quota of the hour is used up")]
    SoftQuotaUsed,
    #[msg("Collateral received is less than the minimum asked for")]
    SeizedBelowMinimum,
    #[msg("Halt needs a price on which two sources agree")]
    TwoSourcesRequired,
    #[msg("Repayment must be all that is allowed, or at least an eighth of it and the vault's minimum debt")]
    RepayTooSmall,
    #[msg("Liquidation would not improve the position's health")]
    HealthNotImproved,

    // --- rules
    #[msg("Rule is disabled")]
    RuleDisabled,
    #[msg("Rule is not true")]
    RuleNotTrue,
    #[msg("Rule is indeterminate: its data is missing, stale or disputed")]
    RuleIndeterminate,
    #[msg("Rule has not been true for long enough")]
    RuleNotPersistent,
    #[msg("Another trip of this rule landed first")]
    TripEpochMoved,
    #[msg("Rule is already in force at its breaker")]
    AlreadyTripped,
    #[msg("Rule has no cause in force at its breaker")]
    NotTripped,
    #[msg("Rule is not yet false at its clear threshold")]
    RuleNotClear,
    #[msg("Minimum dwell time has not passed")]
    DwellNotOver,
    #[msg("Breaker holds four causes already, all at least as strict")]
    CausesFull,

    // --- grace
    #[msg("Position was healthy when the halt began and has its grace time")]
    LiquidationGrace,
    #[msg("No halt is in force or within its grace time, or its price is no longer known")]
    HaltUnknown,

    // --- shortfall and Resolution
    #[msg("Vault's token account holds less than its books say, or is frozen")]
    VaultShort,
    #[msg("No shortfall has stood proved for three days and is there now")]
    ShortfallNotStanding,
    #[msg("A shortfall is there: Resolution stays")]
    ShortfallStands,
    #[msg("Fewer guardians sign than the quorum needs")]
    QuorumMissing,
    #[msg("Resolution is in force already")]
    ResolutionInForce,
    #[msg("Resolution is not in force")]
    ResolutionNotInForce,
    #[msg("Resolution needs a date 7 to 30 days ahead; 30 days unless root and guardians enter it")]
    ResolutionDateInvalid,
    #[msg("Claims of Resolution are not open yet, or it is not in force")]
    ResolutionNotOpen,
    #[msg("Claims of Resolution are open: nothing leads back")]
    ResolutionOpen,
    #[msg("Nothing to claim now")]
    NothingToClaim,
    #[msg("Position has debt: repay it first")]
    DebtOutstanding,

    // --- tickets
    #[msg("Ticket is for more than one hour of the queue has; ask for less")]
    TicketTooLarge,
    #[msg("No hour of the queue within nine days has room")]
    TicketQueueFull,
    #[msg("Position has eight tickets open")]
    TicketsFull,
    #[msg("Position has no open ticket of this number")]
    TicketNotOpen,
    #[msg("Ticket may not be claimed before its date")]
    TicketNotRipe,
    #[msg("Ticket waits for restricted exits to open, at most until its latest date")]
    TicketHeld,
    #[msg("Amount is locked by tickets")]
    SharesLocked,

    // --- keepers
    #[msg("Keeper set needs 3 to 15 members with keys of their own, none of which holds a role of the guard")]
    KeeperSetInvalid,
    #[msg("Fewer than 3 reporting keepers would be left")]
    KeeperQuorumUnreachable,
    #[msg("Signer is no active keeper of the guard's set")]
    NotAKeeper,
    #[msg("Report must be newer than the last: its sequence and its time must rise")]
    ReportNotNewer,
    #[msg("Report must hold shares of at most 10_000 bps, observed within the set's age limit")]
    ReportInvalid,
    #[msg("Reports must be the set's members' own, one for each, in the set's order")]
    ReportAccountsMismatch,

    // --- further metrics
    #[msg("Mint account is not the asset's")]
    AssetMintMismatch,
    // --- integrations
    #[msg("Account is not the one that the integration names")]
    IntegrationMismatch,
    #[msg("Integration needs an executable program, an authority of its own, and a mode that fits its base")]
    IntegrationInvalid,
    #[msg("Integration is disabled")]
    IntegrationDisabled,
    #[msg("Integration's mode does not offer this action")]
    IntegrationModeForbids,
    #[msg("Hours must fit into days, half of the exits must cover the floor, and the floor must exist")]
    FlowCapsInvalid,
    #[msg("Token account or mint authority is not the integration's alone")]
    CustodyNotHandedOver,
    // --- change control
    #[msg("Hard bounds only ever narrow")]
    BoundsOnlyNarrow,
    #[msg("Guard is frozen: nothing can be loosened any more")]
    GuardFrozen,
    #[msg("Transaction uses a durable nonce, which this instruction refuses")]
    DurableNonceRefused,
    #[msg("Account is not the one that this change is about")]
    ChangeTargetMismatch,
    #[msg("Value that the change was prepared against has moved")]
    ChangeValueMoved,
    #[msg("Change would change nothing")]
    ChangeIsEmpty,
    #[msg("Change has not waited for its delay")]
    ChangeNotRipe,
    #[msg("Change was not executed within its window")]
    ChangeExpired,
    #[msg("Nobody can veto a change of their own role")]
    OwnRoleVeto,
    #[msg("Root moves only by the acceptance of the new root")]
    RootNeedsAcceptance,
    #[msg("Change would move the price, health or allowed outflow by more than the guard allows")]
    EffectTooLarge,
    #[msg("Effect of the change can not be known: prices are indeterminate")]
    EffectUnknown,
    #[msg("Change would make a healthy position liquidatable")]
    HealthyPositionHit,
    #[msg("Sample must name one to eight distinct positions with debt in the vault")]
    SampleInvalid,
    #[msg("Past must be settled with the old value first: observe the asset in this transaction")]
    SettleFirst,
    #[msg("Soft band, cell length and what a rule measures are fixed at creation")]
    FixedAtCreation,
    #[msg("Tightenings of the last 24 hours would exceed the step that the guard allows")]
    TightenStepExceeded,
    #[msg("Every asset, vault and rule of the guard must be named once")]
    CensusIncomplete,
    #[msg("Every rule must be enabled, and there must be one")]
    CensusNotEnabled,

    // --- pauses
    #[msg("Pause needs a level from Caution to ReduceOnly and a duration within the guard's bound")]
    PauseInvalid,
    #[msg("Budget of pauses within 30 days is used up")]
    PauseBudgetUsed,
    #[msg("Guardian can not extend a pause of their own")]
    OwnPauseExtension,
    #[msg("Key that paused can not lift the pause")]
    OwnPauseLift,

    // --- groups and bounties
    #[msg(
        "Group needs two to four different rules of its guard, a level that one of them may call for, and a duration"
    )]
    GroupInvalid,
    #[msg("Accounts must be the group's rules, in the group's order")]
    GroupRulesMismatch,
    #[msg("Rule trips only as part of a group")]
    RuleOnlyInGroup,
    #[msg("Rule of the group was not seen true, for long enough, just now")]
    GroupNotTrue,
    #[msg("Rule of the group was not seen clear just now")]
    GroupNotClear,
    #[msg("Bounty must be at most 0.1 SOL, and the day's limit at least one bounty")]
    BountyInvalid,
    #[msg("Bounty vault is not the guard's, or not what pays and what is paid")]
    BountyAccountsMismatch,

    // --- the dollar limit over all vaults, new collateral
    #[msg(
        "Dollar limit must be at least 1_000 dollars, its window a multiple of 24 s from an hour to a week, shares 1 to 10_000 bps"
    )]
    AggregateInvalid,
    #[msg("Guard has no dollar limit in force: nothing needs a lease")]
    AggregateNotInForce,
    #[msg("Dollar limit is another guard's")]
    AggregateMismatch,
    #[msg("Vault has leased too little of the guard's dollar limit: lease more with lease_budget, then try again")]
    LeaseTooSmall,
    #[msg("Prices of the vault's lease are older than an hour: renew them with lease_budget, then try again")]
    LeasePriceOld,
    #[msg("Lease would be more than can leave the vault within an hour")]
    LeaseBeyondNeed,
    #[msg("Vault would have more than its share of the guard's dollar limit")]
    LeaseShareReached,
    #[msg(
        "Live leases would be more than half of the guard's dollar limit: the oldest end first; the exit floor needs none"
    )]
    AggregateLimitReached,
    #[msg("Nothing of the vault's lease has lain unused for a whole cell of the window")]
    NothingToReturn,
    #[msg("Time to warm up must be at most 90 days")]
    WarmUpInvalid,
    #[msg("Collateral warms up: it does not carry that much debt yet")]
    CollateralWarmsUp,
    #[msg("Limits on new collateral need a floor above zero and 1 to 10_000 bps, the hour's at most the day's")]
    InflowLimitsInvalid,
    #[msg("Limit on new collateral of the hour or the day is reached")]
    InflowLimitReached,
    // --- exchange rates and standby sources
    #[msg(
        "Exchange rate needs a pool, a snapshot from 0.5 to 100 with its time, a growth of at most 2_000 bps a year and an age of 1 to 3 epochs, or none of them"
    )]
    RateInvalid,
    #[msg("Standby sources must be at most two different ones, pinned by address, each able to take a source's place")]
    StandbyInvalid,
    #[msg("Source is not proved dead: its account is there and its print not old enough")]
    SourceNotDead,
    #[msg("Mint's issuer can freeze accounts or pause the mint: register it as one who may stall")]
    MintIssuerUnnamed,
    // --- edges of the guard
    #[msg("Guard has a keeper set, which a change of roles must name")]
    KeeperSetMissing,
    #[msg("Key of a keeper can not hold a role as well")]
    KeeperHoldsRole,
    #[msg("Integration holds neither a token account nor a mint, or has released it")]
    CustodyNotHeld,
    #[msg("Guard was configured anew since the census was opened, or its day is over: begin a new one")]
    CensusMoved,
    // --- swaps
    #[msg(
        "Policy needs a program of its own, one to eight prefixes, a size within its day's, and prices of at most 30 seconds"
    )]
    SwapPolicyInvalid,
    #[msg("Swap policy is disabled")]
    SwapPolicyDisabled,
    #[msg("Swap policy is for another purpose")]
    SwapPurposeForbids,
    #[msg("Route is not through the program that the policy names")]
    SwapProgramForbidden,
    #[msg("Route's instruction is not on the policy's list")]
    SwapInstructionForbidden,
    #[msg("Route names a writable account twice, or an account of the guard other than the escrow's two")]
    SwapRouteForbidden,
    #[msg("Swap's accounts are not the policy's, or in and out are the same")]
    SwapAccountsMismatch,
    #[msg("Another rebalance by this policy landed first")]
    SwapCounterMoved,
    #[msg("Policy's cooldown has not passed")]
    SwapCooldown,
    #[msg("Price is older than the policy allows for a swap")]
    SwapPriceTooOld,
    #[msg("Swap is worth more than the policy and the level allow")]
    SwapTooLarge,
    #[msg("Swaps of the last 24 hours would exceed what the policy allows")]
    SwapDayUsed,
    #[msg("Losses of the last 24 hours would exceed the policy's budget")]
    SwapLossBudgetUsed,
    #[msg("Escrow account is not the escrow's alone, or not of the mint")]
    EscrowNotClean,
    #[msg("Route changed an escrow account's owner, delegate, close authority, state, size or lamports")]
    EscrowTampered,
    #[msg("Route took more than the amount in")]
    SwapOverspent,
    #[msg("Swap brought less than the prices and the slippage allow")]
    SwapBelowBound,
    #[msg("Swap brought less than the minimum asked for")]
    SwapBelowMinimum,
    #[msg("Swap of the seized collateral does not pay the repayment")]
    SwapRepayNotCovered,

    // --- reserve
    #[msg(
        "Reserve needs two to six assets, weights that are whole and move to the quote, and an improvement to ask for"
    )]
    ReserveInvalid,
    #[msg("Accounts must be the guard's reserve, its assets in order, and their oracles")]
    ReserveAccountsMismatch,
    #[msg("Liquidation leaves bad debt: the guard's reserve must be passed")]
    ReserveMissing,
    #[msg("Keepers' median is not known: the basket holds its weights")]
    ReserveHolds,
    #[msg("Rebalance must sell what is above its target and buy what is below")]
    RebalanceWrongWay,
    #[msg("Rebalance would pass a target")]
    RebalanceOvershoots,
    #[msg("Rebalance would bring the basket too little nearer its targets")]
    RebalanceTooSmall,
    #[msg("Nothing is granted to be taken out of the reserve")]
    GrantMissing,

    // --- limits on new risk that follow the market
    #[msg(
        "Scale needs a span, slopes, floors of 1 to 10_000 bps, steps of 2 to 2_000 bps an hour within 5_000 a day, and a part that fits"
    )]
    ScaleInvalid,
    #[msg("Vault does not let keepers' reports scale this limit")]
    ScaleDisabled,
    #[msg("Keepers' median is not known: too few fresh reports or sources, or no one opinion")]
    MedianUnknown,
    #[msg("Keepers' median asks for what is in force, and the reports are not newer than those that proved it")]
    ScaleUnchanged,
    #[msg("Keepers' reports have taken off what the hour or the day allows: try again later")]
    ScaleStepUsed,

    // --- layouts
    #[msg("Account has the present layout already")]
    LayoutIsPresent,

    // --- what waits before it is in use
    #[msg("New swap policy must be disabled: enabling it is a change that waits")]
    SwapPolicyMustWait,
}
