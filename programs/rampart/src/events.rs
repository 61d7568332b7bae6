//! Past-tense facts that the keeper and the app read.
//!
//! Facts about levels, configuration and liquidations are emitted by self-CPI, so that they survive truncated logs.
//! Flows use a plain log event and cumulative counters on the vault: an event by CPI costs more than the whole limiter.

use anchor_lang::prelude::*;

/// A guard was created.
#[event]
pub struct GuardCreated {
    /// The guard.
    pub guard: Pubkey,
    /// Who created it.
    pub creator: Pubkey,
}

/// An asset was registered.
#[event]
pub struct AssetRegistered {
    /// The guard.
    pub guard: Pubkey,
    /// The asset account.
    pub asset: Pubkey,
    /// The mint.
    pub mint: Pubkey,
}

/// A dead source of an asset gave its place to a standby.
#[event]
pub struct StandbyActivated {
    /// The asset account.
    pub asset: Pubkey,
    /// Place of the source in the asset's set.
    pub source: u8,
    /// The oracle account that is dead; a standby now.
    pub dead: Pubkey,
    /// The oracle account that counts in its place.
    pub standby: Pubkey,
}

/// A vault was created.
#[event]
pub struct VaultCreated {
    /// The guard.
    pub guard: Pubkey,
    /// The vault.
    pub vault: Pubkey,
}

/// A vault's limits were tightened.
#[event]
pub struct VaultTightened {
    /// The vault.
    pub vault: Pubkey,
}

/// A rule was created.
#[event]
pub struct RuleCreated {
    /// The guard.
    pub guard: Pubkey,
    /// The rule.
    pub rule: Pubkey,
    /// The asset or vault that it measures.
    pub subject: Pubkey,
}

/// A rule was tightened.
#[event]
pub struct RuleTightened {
    /// The rule.
    pub rule: Pubkey,
}

/// A rule was proved and raised the level of its scope.
#[event]
pub struct BreakerTripped {
    /// The rule.
    pub rule: Pubkey,
    /// The vault, asset or guard whose level rose.
    pub scope: Pubkey,
    /// What was measured, in the metric's unit.
    pub value: u64,
    /// The level that the cause demands.
    pub level: u8,
    /// Effective level of the scope before.
    pub level_before: u8,
    /// Effective level of the scope after.
    pub level_after: u8,
    /// When the cause's own level ends, unix seconds.
    pub expires_at_ts: i64,
    /// Counts trips of the rule, this one included.
    pub trip_epoch: u64,
}

/// A rule was proved clear and its cause lowered by one level.
#[event]
pub struct BreakerSteppedDown {
    /// The rule.
    pub rule: Pubkey,
    /// The vault, asset or guard whose cause was lowered.
    pub scope: Pubkey,
    /// Level of the cause before.
    pub from: u8,
    /// Level of the cause after.
    pub to: u8,
}

/// A position was liquidated or softly deleveraged.
#[event]
pub struct PositionLiquidated {
    /// The vault.
    pub vault: Pubkey,
    /// The position.
    pub position: Pubkey,
    /// Who repaid.
    pub liquidator: Pubkey,
    /// Repaid, base units of the loan mint.
    pub repaid_amount: u64,
    /// Received for it, base units of the collateral mint.
    pub seized_amount: u64,
    /// Bonus on what was repaid, bps.
    pub bonus_bps: u16,
    /// Whether this was soft deleveraging.
    pub is_soft: bool,
    /// Debt written off, base units of the loan mint.
    pub bad_debt_amount: u64,
    /// Part of it that the vault's insurance paid, base units of the loan mint.
    pub insured_amount: u64,
    /// Counts liquidations of the position, this one included.
    pub liquidation_seq: u64,
}

/// Which way value moved.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowKind {
    /// A lender's deposit.
    Supplied,
    /// A lender's withdrawal.
    Withdrawn,
    /// Collateral in.
    CollateralDeposited,
    /// Collateral out.
    CollateralWithdrawn,
    /// Loan out.
    Borrowed,
    /// Loan back.
    Repaid,
}

/// Value moved between an owner and a vault.
#[event]
pub struct Flowed {
    /// The vault.
    pub vault: Pubkey,
    /// The position.
    pub position: Pubkey,
    /// Which way.
    pub kind: FlowKind,
    /// Base units of the mint that moved.
    pub amount: u64,
}

/// An asset's price was observed.
#[event]
pub struct PriceObserved {
    /// The asset.
    pub asset: Pubkey,
    /// Agreed price, US dollars per whole token, U64.64.
    pub price_q64: u128,
    /// Reference after the observation, U64.64.
    pub reference_q64: u128,
}

// --- tickets

/// A ticket was taken for a withdrawal.
#[event]
pub struct TicketOpened {
    /// The vault.
    pub vault: Pubkey,
    /// The position.
    pub position: Pubkey,
    /// Number of the ticket within the position.
    pub ticket: u8,
    /// What it locks: shares, or base units of collateral.
    pub shares: u128,
    /// From when on it may be claimed, unix seconds.
    pub eligible_at_ts: i64,
    /// From when on no level below Resolution holds it back, unix seconds.
    pub latest_at_ts: i64,
    /// [`crate::state::TicketSide`].
    pub side: u8,
}

/// A ticket was given back.
#[event]
pub struct TicketCancelled {
    /// The vault.
    pub vault: Pubkey,
    /// The position.
    pub position: Pubkey,
    /// Number of the ticket within the position.
    pub ticket: u8,
}

// --- shortfall and Resolution

/// A vault's token accounts were held against its books.
#[event]
pub struct ShortfallRecorded {
    /// The vault.
    pub vault: Pubkey,
    /// What can't leave of the booked cash, bps rounded up; 0 for no shortfall.
    pub loan_missing_bps: u16,
    /// What can't leave of the booked collateral, bps rounded up; 0 for no shortfall.
    pub collateral_missing_bps: u16,
}

/// A withdrawal found a shortfall: it paid nothing and recorded it.
#[event]
pub struct ShortfallFound {
    /// The vault.
    pub vault: Pubkey,
    /// The position that asked.
    pub position: Pubkey,
    /// Number of the ticket that its withdrawal became, where it could become one.
    pub ticket: Option<u8>,
}

/// A vault went into Resolution.
#[event]
pub struct ResolutionEntered {
    /// The vault.
    pub vault: Pubkey,
    /// Whether root and guardians decided it; otherwise a shortfall that stood proved.
    pub is_by_root: bool,
    /// From when on claims are paid, unix seconds.
    pub claims_open_at_ts: i64,
    /// When it is forced, unix seconds.
    pub ends_at_ts: i64,
}

/// A Resolution was called off before its claims opened.
#[event]
pub struct ResolutionLeft {
    /// The vault.
    pub vault: Pubkey,
}

// --- keepers

/// A keeper set was created or changed.
#[event]
pub struct KeepersSet {
    /// The guard.
    pub guard: Pubkey,
    /// Counts the changes; reports of another epoch don't count.
    pub epoch: u64,
    /// How many members the set has.
    pub count: u8,
}

/// A keeper reported.
#[event]
pub struct ReportSubmitted {
    /// The asset or vault.
    pub subject: Pubkey,
    /// Who reported.
    pub keeper: Pubkey,
    /// What it found, bps.
    pub score_bps: u16,
    /// Number of the report.
    pub seq: u64,
}

// --- integrations

/// An integration was registered.
#[event]
pub struct IntegrationRegistered {
    /// The guard.
    pub guard: Pubkey,
    /// The integration.
    pub integration: Pubkey,
    /// The integrator's program.
    pub program: Pubkey,
    /// Who may charge it.
    pub authority: Pubkey,
}

/// An integration's limits were tightened.
#[event]
pub struct IntegrationTightened {
    /// The integration.
    pub integration: Pubkey,
}

/// Value left an integration.
#[event]
pub struct IntegrationFlowed {
    /// The integration.
    pub integration: Pubkey,
    /// The action: [`crate::state::integration::ActionKind`].
    pub kind: u8,
    /// Base units of the integration's mint.
    pub amount: u64,
}

// --- change control and pauses

/// A change was proposed.
#[event]
pub struct ChangeProposed {
    /// The guard.
    pub guard: Pubkey,
    /// The pending change.
    pub change: Pubkey,
    /// The account that it would change.
    pub target: Pubkey,
    /// `ChangeGroup`.
    pub group: u8,
    /// `Direction`, of its loosest part.
    pub direction: u8,
    /// From when it may be executed, unix seconds.
    pub eta_ts: i64,
    /// From when it may no longer be executed, unix seconds.
    pub expires_at_ts: i64,
}

/// A change was executed.
#[event]
pub struct ChangeExecuted {
    /// The guard.
    pub guard: Pubkey,
    /// The change, closed now.
    pub change: Pubkey,
    /// The account that changed.
    pub target: Pubkey,
    /// `ChangeGroup`.
    pub group: u8,
    /// The guard's authority epoch afterwards.
    pub authority_epoch: u64,
}

/// A pending change was stopped.
#[event]
pub struct ChangeStopped {
    /// The guard.
    pub guard: Pubkey,
    /// The change, closed now.
    pub change: Pubkey,
    /// Who stopped it: the vetoer or a guardian by veto, or root.
    pub by: Pubkey,
}

/// A guard's hard bounds were narrowed.
#[event]
pub struct BoundsNarrowed {
    /// The guard.
    pub guard: Pubkey,
}

/// A guard gave up loosening for ever.
#[event]
pub struct GuardFroze {
    /// The guard.
    pub guard: Pubkey,
}

/// A guardian, or the guardians' quorum, raised a level.
#[event]
pub struct ScopePaused {
    /// The guard.
    pub guard: Pubkey,
    /// The guard, asset or vault whose level rose.
    pub scope: Pubkey,
    /// The guardian, or the guard for the quorum.
    pub source: Pubkey,
    /// The level that the pause demands.
    pub level: u8,
    /// When that level ends, unix seconds.
    pub expires_at_ts: i64,
    /// What is left of the source's budget, seconds.
    pub budget_left_secs: u32,
}

/// The resetter took a cause away.
#[event]
pub struct BreakerReset {
    /// The guard, asset or vault.
    pub scope: Pubkey,
    /// The rule, guardian or guard that held the cause.
    pub source: Pubkey,
    /// Level of the cause before.
    pub from: u8,
}

// --- groups and bounties

/// A group of rules was created.
#[event]
pub struct GroupCreated {
    /// The guard.
    pub guard: Pubkey,
    /// The group.
    pub group: Pubkey,
    /// The guard, vault or asset whose level it raises.
    pub scope: Pubkey,
}

/// A bounty vault was created or changed.
#[event]
pub struct BountySet {
    /// The guard.
    pub guard: Pubkey,
    /// For one trip, lamports.
    pub bounty_lamports: u64,
}

/// A bounty was paid for a trip.
#[event]
pub struct BountyPaid {
    /// The guard.
    pub guard: Pubkey,
    /// The rule, or the group, that was tripped.
    pub source: Pubkey,
    /// Who was paid.
    pub to: Pubkey,
    /// How much, lamports.
    pub amount_lamports: u64,
}

/// A guard's dollar limit was created, tightened or switched.
#[event]
pub struct AggregateSet {
    /// The guard.
    pub guard: Pubkey,
    /// L, micro-dollars.
    pub limit_micro_usd: u64,
    /// `Switch`.
    pub switch: u8,
}

/// A part of the dollar limit was leased to a vault, or the costs of its lease renewed.
#[event]
pub struct LeaseGranted {
    /// The vault.
    pub vault: Pubkey,
    /// How much, micro-dollars; zero for a renewal of the costs.
    pub amount_micro_usd: u64,
    /// When the lease is over, unix seconds.
    pub over_at_ts: i64,
}

/// A vault's unused lease went back to the dollar limit.
#[event]
pub struct LeaseReturned {
    /// The vault.
    pub vault: Pubkey,
    /// How much, micro-dollars.
    pub amount_micro_usd: u64,
}

// --- swaps and the reserve

/// A swap policy was created or made stricter.
#[event]
pub struct SwapPolicySet {
    /// The guard.
    pub guard: Pubkey,
    /// The policy.
    pub policy: Pubkey,
    /// The program that it allows.
    pub program: Pubkey,
}

/// Tokens were swapped through a policy.
#[event]
pub struct SwapExecuted {
    /// The policy.
    pub policy: Pubkey,
    /// The mint that went in.
    pub from_mint: Pubkey,
    /// The mint that came out.
    pub to_mint: Pubkey,
    /// What went in, base units.
    pub spent_amount: u64,
    /// What came out, base units.
    pub received_amount: u64,
    /// Worth of what was offered at the high end of its price, micro-dollars: the policy is charged with it. A route may
    /// give a few base units back.
    pub worth_micro_usd: u64,
    /// What was charged to the loss budget, micro-dollars.
    pub loss_micro_usd: u64,
}

/// A guard has a reserve now.
#[event]
pub struct ReserveCreated {
    /// The guard.
    pub guard: Pubkey,
    /// The reserve.
    pub reserve: Pubkey,
}

/// Tokens were put into the reserve.
#[event]
pub struct ReserveFunded {
    /// The reserve.
    pub reserve: Pubkey,
    /// Their mint.
    pub mint: Pubkey,
    /// How many, base units.
    pub amount: u64,
}

/// The reserve paid for bad debt.
#[event]
pub struct BadDebtCovered {
    /// The guard.
    pub guard: Pubkey,
    /// The vault.
    pub vault: Pubkey,
    /// How much, base units of the loan mint.
    pub amount: u64,
}

/// Governance took tokens out of the reserve.
#[event]
pub struct ReserveWithdrawn {
    /// The reserve.
    pub reserve: Pubkey,
    /// Their mint.
    pub mint: Pubkey,
    /// Where they went.
    pub destination: Pubkey,
    /// How many, base units.
    pub amount: u64,
}

// --- limits on new risk that follow the market

/// Keepers' reports moved or renewed what is taken off a limit on new risk.
#[event]
pub struct RiskScaled {
    /// The vault.
    pub vault: Pubkey,
    /// `ScaleTarget`.
    pub target: u8,
    /// The median, bps.
    pub median_bps: u16,
    /// What was taken off before, bps.
    pub from_bps: u16,
    /// What is taken off now, bps.
    pub to_bps: u16,
    /// Until when, unix seconds.
    pub expires_at_ts: i64,
}

// --- layouts

/// A vault was brought from an earlier layout to the present one; what it held stays.
#[event]
pub struct VaultMigrated {
    /// The guard.
    pub guard: Pubkey,
    /// The vault.
    pub vault: Pubkey,
    /// Number of its layout before.
    pub from_layout: u8,
    /// Number of its layout now.
    pub to_layout: u8,
}
