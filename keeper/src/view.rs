//! What the API shows of the keeper and of everything it guards.
//!
//! Owns the shape alone: amounts and prices are decimal strings, so that no reader loses digits; shares, spans and
//! timestamps are numbers. `view/build` fills it from the account store and the assessment; `http` serves it and puts
//! the peers in.

pub mod amounts;
pub mod build;
mod build_asset;
mod build_rule;
mod build_vault;
mod fleet;
mod reserve;
mod room;
mod score;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use build::Builder;
pub(crate) use build_rule::verdict_of;
pub use fleet::{FleetView, MemberView};
pub use reserve::ReserveView;
pub use score::{LibraryView, ModelView, PolicyView, ScoreView, ScoredView};

/// Version of this shape.
pub const SCHEMA: u32 = 1;

/// All that `GET /api/v1/state` returns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct View {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The keeper itself.
    pub keeper: KeeperView,
    /// Other keepers of this guard; filled by the HTTP server.
    pub peers: Vec<PeerView>,
    /// The chain's clock.
    pub chain: ChainView,
    /// The guard.
    pub guard: GuardView,
    /// Its assets.
    pub assets: Vec<AssetView>,
    /// Its vaults.
    pub vaults: Vec<VaultView>,
    /// Its rules.
    pub rules: Vec<RuleView>,
    /// Its reserve; nothing without one, or while an account that the program takes for it is not known.
    #[serde(default)]
    pub reserve: Option<ReserveView>,
}

/// The keeper itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KeeperView {
    /// Its configured name.
    pub name: String,
    /// Version of the program.
    pub version: String,
    /// `act` or `observe`.
    pub mode: String,
    /// When it started, unix seconds of the host.
    pub started_at_ts: i64,
    /// The key that pays and signs.
    pub signer: String,
    /// Newest slot that any source told of.
    pub slot: u64,
    /// Measured slot duration, milliseconds.
    pub slot_ms: u64,
    /// Whether it may act on all classes.
    pub ready: bool,
    /// Why it may not.
    pub not_ready_reasons: Vec<String>,
    /// Where its data comes from.
    pub sources: Vec<SourceView>,
    /// Where prices are heard of before they are on chain. Nothing is decided on them.
    #[serde(default)]
    pub signals: Vec<SignalView>,
    /// How much of the state was verified lately.
    pub coverage: CoverageView,
    /// Balance of the signer, lamports.
    pub balance_lamports: String,
    /// Transactions since the start.
    pub transactions: TransactionsView,
    /// Classes that an operator paused.
    #[serde(default)]
    pub paused: Vec<PausedView>,
    /// The keepers that share the work.
    #[serde(default)]
    pub fleet: FleetView,
    /// What it judges by.
    #[serde(default)]
    pub score: ScoreView,
    /// Fees of the last hour by class, the most urgent class first.
    #[serde(default)]
    pub budgets: Vec<BudgetView>,
    /// Of its balance, what only trips may spend, lamports.
    #[serde(default)]
    pub kept_for_trips_lamports: Option<String>,
}

/// What a class of action spent within the last hour, and what it may still spend.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BudgetView {
    /// Its name, as in the journal.
    pub class: String,
    /// Its own fees, lamports.
    pub own_lamports: String,
    /// Fees of all classes that share its allowance, lamports.
    pub spent_lamports: String,
    /// The allowance, lamports; nothing for trips, which are never refused.
    pub allowance_lamports: Option<String>,
    /// What is left of the allowance, lamports; nothing for trips.
    pub left_lamports: Option<String>,
}

/// A class of action that an operator paused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PausedView {
    /// Its name in the settings.
    pub class: String,
    /// What the operator said.
    pub reason: String,
    /// Since when, unix seconds of the host.
    pub since_ts: i64,
}

/// One source of account data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SourceView {
    /// Its name.
    pub name: String,
    /// `websocket` or `poll`.
    pub kind: String,
    /// Whether it delivers.
    pub up: bool,
    /// Newest slot that it told of.
    pub last_slot: u64,
    /// How long it has been silent, milliseconds.
    pub silent_ms: u64,
    /// How often it was connected anew.
    pub reconnects: u64,
    /// Whether it may have missed something that no snapshot brought since: nothing is acted on by it alone.
    #[serde(default)]
    pub has_gap: bool,
}

/// One source of early prices.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignalView {
    /// Its name.
    pub name: String,
    /// `hermes` or `pythnet`.
    pub kind: String,
    /// Whether it gives prices.
    pub up: bool,
    /// Whether it failed. Prices on chain are acted on as before.
    pub degraded: bool,
    /// Why it failed, and what to do about it.
    pub reason: Option<String>,
    /// Feeds that it has a price of.
    pub feeds: u64,
    /// How long it has been silent, milliseconds; nothing before its first price.
    pub silent_ms: Option<u64>,
    /// How often it was lost.
    pub losses: u64,
}

/// What the last sweep verified.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CoverageView {
    /// Positions known.
    pub positions: u64,
    /// Share of them that the last sweep verified, 0 to 1.
    pub verified_ratio: f64,
    /// Age of the oldest verification, seconds.
    pub oldest_secs: u64,
    /// Positions on which index and full scan differed, since the start; anything but zero is a defect.
    pub mismatches: u64,
}

/// Transactions by state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TransactionsView {
    /// Signed and journaled.
    pub signed: u64,
    /// Sent at least once.
    pub sent: u64,
    /// Landed and succeeded.
    pub landed: u64,
    /// Landed and failed.
    pub failed: u64,
    /// Can't land any more.
    pub expired: u64,
    /// Not known yet.
    pub unknown: u64,
    /// Failed because another keeper was first.
    pub lost_race: u64,
}

/// Another keeper, as its own API shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PeerView {
    /// Its name.
    pub name: String,
    /// Where its API is.
    pub url: String,
    /// Whether it answers.
    pub up: bool,
    /// Whether it says that it is ready.
    pub ready: bool,
    /// Its newest slot.
    pub slot: u64,
    /// Its transactions.
    pub transactions: TransactionsView,
}

/// The chain's clock.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChainView {
    /// Slot of the Clock sysvar.
    pub slot: u64,
    /// Its time, unix seconds.
    pub unix_ts: i64,
}

/// A cause in force.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CauseView {
    /// The rule behind it.
    pub rule: String,
    /// The rule's name.
    pub rule_name: String,
    /// Whether it narrows new risk alone and leaves exits as they are.
    pub is_new_risk_only: bool,
    /// Level that it demands now.
    pub level: u8,
    /// The level in words.
    pub level_name: String,
    /// When it was put in force, unix seconds.
    pub tripped_at_ts: i64,
    /// When its own level ends, unix seconds.
    pub expires_at_ts: i64,
    /// Before this nobody may step it down, unix seconds.
    pub dwell_until_ts: i64,
}

/// The guard.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GuardView {
    /// Its address.
    pub address: String,
    /// Its own level, 0 to 4.
    pub level: u8,
    /// The level in words.
    pub level_name: String,
    /// Why.
    pub causes: Vec<CauseView>,
}

/// One asset.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetView {
    /// Its address.
    pub address: String,
    /// Its mint.
    pub mint: String,
    /// Its name in the configuration, else a short address.
    pub symbol: String,
    /// Decimals of the mint.
    pub decimals: u8,
    /// Its own level, 0 to 4.
    pub level: u8,
    /// The level in words.
    pub level_name: String,
    /// Why.
    pub causes: Vec<CauseView>,
    /// What its sources say.
    pub price: AssetPriceView,
    /// The time-weighted reference.
    pub reference: ReferenceView,
    /// Highest price in the window memory, US dollars.
    pub window_high: Option<String>,
    /// What was heard of its price before it is on chain. Nothing is decided on it.
    #[serde(default)]
    pub early: Vec<EarlyView>,
}

/// A price that was heard of early, held against the same feed on chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EarlyView {
    /// Name of the signal.
    pub signal: String,
    /// Which of the asset's sources it is about, by index.
    pub source: usize,
    /// US dollars.
    pub price: String,
    /// How much higher it is than on chain, bps; below zero: lower. Nothing where the chain has no price.
    pub gap_bps: Option<i64>,
    /// How much later it was published than what is on chain, seconds.
    pub lead_secs: Option<i64>,
    /// Whether the gap is as large as the settings call a move.
    pub moved: bool,
}

/// What the sources of an asset say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AssetPriceView {
    /// `agreed` or `indeterminate`.
    pub state: String,
    /// Why it is indeterminate.
    pub reason: Option<String>,
    /// Low end, US dollars.
    pub lo: Option<String>,
    /// Middle, US dollars.
    pub mid: Option<String>,
    /// High end, US dollars.
    pub hi: Option<String>,
    /// How many sources agree.
    pub agreeing: u8,
    /// How many have to.
    pub required: u8,
    /// Each source.
    pub sources: Vec<OracleView>,
}

/// One price source.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OracleView {
    /// `pyth` or `switchboard`.
    pub kind: String,
    /// Who publishes.
    pub publisher: u8,
    /// US dollars.
    pub price: Option<String>,
    /// Half width of the confidence interval, bps of the price.
    pub confidence_bps: Option<u32>,
    /// Age of the price, seconds.
    pub age_secs: Option<u64>,
    /// `ok`, `stale`, `wide` or `invalid`.
    pub state: String,
    /// Why it is invalid.
    pub reason: Option<String>,
}

/// The reference of an asset.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReferenceView {
    /// US dollars.
    pub price: Option<String>,
    /// Since the last observation, seconds.
    pub age_secs: Option<u64>,
    /// Whether it is warm and recent.
    pub is_warm: bool,
}

/// One vault.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VaultView {
    /// Its address.
    pub address: String,
    /// Its name in the configuration, else both symbols.
    pub name: String,
    /// Asset account of the collateral.
    pub collateral_asset: String,
    /// Asset account of the loan.
    pub loan_asset: String,
    /// Effective level over guard, vault and both assets.
    pub level: u8,
    /// The level in words.
    pub level_name: String,
    /// Level that exits and liquidations have to pass; blindness doesn't raise it.
    pub exit_level: u8,
    /// The vault's own level.
    pub own_level: u8,
    /// Why, over all four scopes.
    pub causes: Vec<CauseView>,
    /// Loan asset at hand.
    pub cash_amount: String,
    /// Debt, accrued until now.
    pub debt_amount: String,
    /// What belongs to the lenders.
    pub lenders_amount: String,
    /// Kept against bad debt.
    pub insurance_amount: String,
    /// Collateral.
    pub collateral_amount: String,
    /// Share that is lent out, bps.
    pub utilisation_bps: u32,
    /// Yearly rate, bps.
    pub rate_bps: u64,
    /// The most that lenders may have.
    pub supply_cap_amount: String,
    /// The most that may be borrowed.
    pub borrow_cap_amount: String,
    /// The most collateral.
    pub collateral_cap_amount: String,
    /// Decimals of the loan mint.
    pub loan_decimals: u8,
    /// Decimals of the collateral mint.
    pub collateral_decimals: u8,
    /// Price of the pair.
    pub price: PairPriceView,
    /// The price at which new risk is judged, whole loan tokens for one whole collateral token: the worst of the agreed
    /// prices and the references of both sides. Nothing while one of them is not known: new risk is refused then.
    #[serde(default)]
    pub price_for_new_risk: Option<String>,
    /// Limit for new risk as it is now, bps: what volatility, the keepers' median and the collateral's warm-up leave of
    /// `lines.ltv_bps`.
    #[serde(default)]
    pub ltv_now_bps: Option<u32>,
    /// Growth of debt since the vault's creation, accrued until now: a U64.64 number in decimal digits. A position owes its
    /// scaled debt times this, rounded up.
    #[serde(default)]
    pub borrow_index_q64: Option<String>,
    /// Loan-to-value lines.
    pub lines: LinesView,
    /// Use of the outflow limits.
    pub limits: LimitsView,
    /// What each position may take out per day at any level, bps.
    pub exit_floor_bps: u16,
    /// Its positions.
    pub positions: PositionsView,
    /// Totals since its creation.
    pub totals: TotalsView,
}

/// Price of a pair: whole loan tokens for one whole collateral token.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PairPriceView {
    /// `agreed` or `indeterminate`.
    pub state: String,
    /// Why it is indeterminate.
    pub reason: Option<String>,
    /// The end that is worst for borrowers.
    pub lo: Option<String>,
    /// The end that is best for borrowers.
    pub hi: Option<String>,
}

/// Loan-to-value lines of a vault.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LinesView {
    /// Limit for new risk, bps.
    pub ltv_bps: u16,
    /// Soft deleveraging from here, bps.
    pub soft_line_bps: u16,
    /// Liquidation from here, bps.
    pub liquidation_line_bps: u16,
}

/// Outflow limits of both mints of a vault.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LimitsView {
    /// Of the loan mint.
    pub loan: BudgetsView,
    /// Of the collateral mint.
    pub collateral: BudgetsView,
}

/// Both budgets of one mint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BudgetsView {
    /// Withdrawals.
    pub exit: GaugeView,
    /// Borrowing, and collateral from behind a debt.
    pub risk: GaugeView,
    /// What of the exits' budget only the exit floor may use: its limits are what is held back, and what is usable is what
    /// the floor finds in the whole budget.
    #[serde(default)]
    pub floor: Option<GaugeView>,
    /// What the vault's lease of the guard's dollar limit pays for now, base units; nothing where no such limit is in force.
    /// The exit floor needs none.
    #[serde(default)]
    pub lease_amount: Option<String>,
}

/// How much of a budget is used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GaugeView {
    /// In the hour's bucket, base units.
    pub hour_used_amount: String,
    /// Room of the bucket when it is empty, base units.
    pub hour_limit_amount: String,
    /// In the day's ring, base units.
    pub day_used_amount: String,
    /// Limit of the day, base units.
    pub day_limit_amount: String,
    /// What the hour lets through now, base units: at the level in force, without what is held back for the exit floor and
    /// what tickets have booked.
    #[serde(default)]
    pub hour_usable_amount: Option<String>,
    /// What the day lets through now, base units, likewise.
    #[serde(default)]
    pub day_usable_amount: Option<String>,
}

/// Positions of a vault.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PositionsView {
    /// All of them.
    pub count: u64,
    /// Those with a debt.
    pub borrowers: u64,
    /// Those between soft and liquidation line.
    pub soft: u64,
    /// Those at the liquidation line or beyond.
    pub liquidatable: u64,
    /// Those of both that are left alone: no way to liquidate them, or none that is worth it.
    #[serde(default)]
    pub declined: u64,
    /// Debt by loan-to-value.
    pub histogram: Vec<BucketView>,
}

/// One bar of the histogram.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BucketView {
    /// From this loan-to-value on, bps.
    pub ltv_from_bps: u32,
    /// Below this one, bps.
    pub ltv_to_bps: u32,
    /// Positions in it.
    pub count: u64,
    /// Their debt, base units of the loan mint.
    pub debt_amount: String,
}

/// Totals of a vault since its creation, base units.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TotalsView {
    /// Lent.
    pub supplied_amount: String,
    /// Withdrawn by lenders.
    pub withdrawn_amount: String,
    /// Borrowed.
    pub borrowed_amount: String,
    /// Repaid by anyone.
    pub repaid_amount: String,
    /// Repaid by liquidators.
    pub liquidated_amount: String,
    /// Collateral that they received.
    pub seized_amount: String,
    /// Debt that was written off.
    pub bad_debt_amount: String,
    /// Part of it that the insurance paid.
    pub insured_amount: String,
}

/// One rule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RuleView {
    /// Its address.
    pub address: String,
    /// Its number within the guard.
    pub id: u16,
    /// Its name in the configuration, else metric and subject.
    pub name: String,
    /// What it measures.
    pub metric: String,
    /// `bps` or `seconds`.
    pub unit: String,
    /// The asset or vault that is measured.
    pub subject: String,
    /// Its name.
    pub subject_name: String,
    /// `above` or `below`.
    pub comparator: String,
    /// True from here on.
    pub threshold: u64,
    /// Clear from here on.
    pub clear_threshold: u64,
    /// Window of the metric, seconds.
    pub window_secs: u32,
    /// What was measured.
    pub value: Option<String>,
    /// `true`, `between`, `clear` or `indeterminate`.
    pub verdict: String,
    /// Why it is indeterminate.
    pub reason: Option<String>,
    /// Level that it raises to.
    pub level: u8,
    /// The level in words.
    pub level_name: String,
    /// `subject` or `guard`.
    pub scope: String,
    /// Since when it has been true.
    pub streak: StreakView,
    /// How long it must hold, seconds.
    pub min_persist_secs: u32,
    /// How often it must be seen.
    pub min_observations: u16,
    /// Trips so far.
    pub trip_epoch: u64,
    /// Whether it holds a level up now.
    pub is_in_force: bool,
    /// Whether it is switched on.
    pub is_enabled: bool,
    /// Which reference a deviation is measured from: `short`, `four_hours` or `day`; nothing for other metrics.
    #[serde(default)]
    pub reference_span: Option<String>,
    /// The price that the present one is compared with, US dollars: the reference that the rule holds or takes, the high of
    /// its own window, or the peg. Nothing for other metrics, and while it is not known.
    #[serde(default)]
    pub compared_price: Option<String>,
    /// `alone`, or `member`: such a rule trips only as part of a group.
    #[serde(default = "alone")]
    pub standing: String,
    /// The groups that it belongs to.
    #[serde(default)]
    pub groups: Vec<RuleGroupView>,
}

fn alone() -> String {
    "alone".to_owned()
}

/// A group of rules: it trips while all of them are true.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleGroupView {
    /// Its address.
    pub address: String,
    /// Its number within the guard.
    pub id: u16,
    /// Level that it raises to.
    pub level: u8,
    /// The level in words.
    pub level_name: String,
    /// The guard, asset or vault whose level it raises.
    pub scope: String,
    /// Addresses of all its rules.
    pub rules: Vec<String>,
    /// Whether it holds a level up now.
    pub is_in_force: bool,
}

/// A rule's streak.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StreakView {
    /// True observations in a row.
    pub count: u64,
    /// Since when, unix seconds.
    pub since_ts: Option<i64>,
}
