//! Seeds, sizes and fixed bounds, with units.

/// Seed of a guard: `["guard", creator, id u16 LE]`.
pub const GUARD_SEED: &[u8] = b"guard";
/// Seed of an asset: `["asset", guard, mint]`.
pub const ASSET_SEED: &[u8] = b"asset";
/// Seed of a vault: `["vault", guard, collateral mint, loan mint]`.
pub const VAULT_SEED: &[u8] = b"vault";
/// Seed of a vault's collateral token account: `["collateral", vault]`.
pub const COLLATERAL_SEED: &[u8] = b"collateral";
/// Seed of a vault's loan token account: `["loan", vault]`.
pub const LOAN_SEED: &[u8] = b"loan";
/// Seed of a position: `["position", vault, owner]`.
pub const POSITION_SEED: &[u8] = b"position";
/// Seed of a rule: `["rule", guard, rule id u16 LE]`.
pub const RULE_SEED: &[u8] = b"rule";

/// Seed of an integration: `["integration", guard, integrator's program, index u16 LE]`.
pub const INTEGRATION_SEED: &[u8] = b"integration";
/// Version of `GuardVerdict`'s bytes.
pub const VERDICT_ABI: u8 = 1;

/// Version that every account of this program carries. It stays when a layout changes: the discriminator names the layout.
pub const LAYOUT_VERSION: u8 = 1;

/// Seconds in an hour, the window of the leaky bucket and of one cell of the day ring.
pub const HOUR_SECS: i64 = 3_600;
/// Seconds in a day.
pub const DAY_SECS: i64 = 86_400;
/// Seconds in a year of 365 days, the base of interest rates.
pub const YEAR_SECS: u64 = 31_536_000;

/// The most guardians a guard has.
pub const MAX_GUARDIANS: usize = 8;
/// The most price sources an asset has.
pub const MAX_SOURCES: usize = 3;
/// The most standby sources an asset has.
pub const MAX_STANDBY: usize = 2;
/// A source is dead when its newest print is older than this many times its age limit, and than [`DEAD_SOURCE_SECS`].
pub const DEAD_SOURCE_AGES: i64 = 10;
/// The shortest silence after which a source may count as dead, seconds.
pub const DEAD_SOURCE_SECS: i64 = HOUR_SECS;
/// The largest yearly growth that the cap of an exchange rate may allow, bps.
pub const MAX_RATE_GROWTH_BPS: u16 = 2_000;
/// The oldest exchange rate that an asset may allow, epochs.
pub const MAX_RATE_AGE_EPOCHS: u8 = 3;
/// Scale of a snapshot of an exchange rate: 10⁹ is one for one.
pub const RATE_SCALE: u64 = 1_000_000_000;
/// The most causes a breaker keeps at once.
pub const MAX_CAUSES: usize = 4;
/// Cells of an asset's window memory.
pub const WINDOW_CELLS: usize = 64;
/// Cells of the day ring: 24 hours and the one that is only partly inside the day.
pub const RING_CELLS: usize = 25;
/// Hours of the ledger of tickets: the last 24, the present one and 231 to come.
pub const BOOKING_CELLS: usize = 256;
/// The most decimals a mint may have.
pub const MAX_DECIMALS: u8 = 12;
/// How far a publish time may lie in the future of the chain's clock, in seconds.
pub const MAX_FUTURE_SECS: i64 = 5;

/// The most withdraw tickets a position has open at once.
pub const MAX_TICKETS: usize = 8;
/// How much later than others a ticket that is made while exits are restricted may be claimed, hours.
pub const RESTRICTED_TICKET_HOURS: i64 = 24;
/// How long after its date levels below Resolution can hold a ticket back, seconds.
pub const TICKET_HOLD_SECS: i64 = 7 * DAY_SECS;
/// How long from then on the ticket passes at any level below Resolution, seconds: a date, not a standing way out.
pub const TICKET_DUE_SECS: i64 = DAY_SECS;
/// What a ticket books beyond its worth, for interest until its date, bps.
pub const TICKET_MARGIN_BPS: u32 = 50;

/// How long one proof of a shortfall holds its vault at `ReduceOnly`, seconds.
pub const SHORTFALL_LEVEL_SECS: i64 = 6 * HOUR_SECS;
/// How long a shortfall has to stand proved before anyone may enter Resolution, seconds.
pub const SHORTFALL_STANDING_SECS: i64 = 3 * DAY_SECS;
/// How long after Resolution was entered claims open, and root and guardians can leave it no more, seconds.
pub const RESOLUTION_NOTICE_SECS: i64 = DAY_SECS;
/// The shortest time until Resolution is forced, seconds.
pub const RESOLUTION_MIN_SECS: i64 = 7 * DAY_SECS;
/// The longest time until Resolution is forced, seconds.
pub const RESOLUTION_MAX_SECS: i64 = 30 * DAY_SECS;

/// How long after a halt positions that were healthy when it began can't be liquidated, seconds.
pub const LIQUIDATION_GRACE_SECS: i64 = 2 * HOUR_SECS;

/// Virtual shares that every vault starts with, so that a first depositor can't inflate the share price.
pub const VIRTUAL_SHARES: u128 = 1_000_000;
/// Virtual assets behind them, in base units of the loan mint.
pub const VIRTUAL_ASSETS: u128 = 1;

// --- groups and bounties
/// Seed of a group of rules: `["group", guard, group id u16 LE]`.
pub const GROUP_SEED: &[u8] = b"group";
/// Seed of a bounty vault: `["bounty", guard]`.
pub const BOUNTY_SEED: &[u8] = b"bounty";
/// The most rules of a group.
pub const MAX_GROUP_RULES: usize = 4;
/// The longest ago that a group's rules may have been seen true, seconds.
pub const MAX_GROUP_AGE_SECS: u32 = 60;
/// The highest bounty for a trip, lamports: 0.1 SOL.
pub const MAX_BOUNTY_LAMPORTS: u64 = 100_000_000;

// --- keepers
/// Seed of a keeper set: `["keepers", guard]`.
pub const KEEPERS_SEED: &[u8] = b"keepers";
/// Seed of a keeper's report: `["report", subject, keeper]`.
pub const REPORT_SEED: &[u8] = b"report";
/// The most members of a keeper set.
pub const MAX_KEEPERS: usize = 15;
/// The fewest reports that make a quorum.
pub const MIN_KEEPER_QUORUM: u8 = 3;
/// How long a keeper that joins a set waits before its reports count, seconds.
pub const KEEPER_JOIN_DELAY_SECS: i64 = 48 * HOUR_SECS;
/// The oldest report that a set may count, seconds.
pub const MAX_REPORT_AGE_SECS: u32 = 3_600;
/// The longest that a level which hangs on keepers' reports may hold, seconds.
pub const MAX_REPORTED_SECS: u32 = 6 * 3_600;
/// The most that a vault may let keepers' reports take off a limit on new risk within any hour, bps.
pub const MAX_CUT_HOUR_BPS: u16 = 2_000;
/// The most that a vault may let them take off within any day, bps.
pub const MAX_CUT_DAY_BPS: u16 = 5_000;
/// How much of what they took off comes back within an hour while they still report, bps.
pub const CUT_EASE_HOUR_BPS: u16 = 100;
/// Seed of a pending change: `["change", guard, change id u64 LE]`.
pub const CHANGE_SEED: &[u8] = b"change";
/// The shortest floor that a guard may set for the delay of a loosening: 48 hours, in seconds.
pub const MIN_LOOSEN_DELAY_SECS: u32 = 172_800;
/// The longest delay of a loosening: 30 days, in seconds.
pub const MAX_LOOSEN_DELAY_SECS: u32 = 2_592_000;
/// The shortest ceiling on the time in which a ripe change may be executed: an hour, in seconds.
pub const MIN_EXECUTION_WINDOW_SECS: u32 = 3_600;
/// The longest time in which a ripe change may be executed: 14 days, in seconds.
pub const MAX_EXECUTION_WINDOW_SECS: u32 = 1_209_600;
/// The longest one pause that a guard may allow: a day, in seconds.
pub const MAX_PAUSE_SECS: u32 = 86_400;
/// The most that a guard may allow its guardians to pause within any 30 days: half of them, in seconds.
pub const MAX_PAUSE_TOTAL_SECS: u32 = 1_296_000;
/// A pause stands at least this long (or to its end) before the resetter may lift it, seconds.
pub const PAUSE_DWELL_SECS: i64 = 900;
/// Days in which a pause counts against its budget.
pub const PAUSE_WINDOW_DAYS: i64 = 30;
/// The highest bound on what one change may move, bps.
pub const MAX_EFFECT_BPS: u16 = 5_000;
/// The most positions that a change of a vault's lines is tried on.
pub const MAX_SAMPLE: usize = 8;
/// The longest time that an asset may take to warm up as collateral: 90 days, in seconds.
pub const MAX_WARM_UP_SECS: u32 = 7_776_000;

// --- the dollar limit over all vaults
/// Seed of a guard's dollar limit: `["aggregate", guard]`.
pub const AGGREGATE_SEED: &[u8] = b"aggregate";
/// Micro-dollars of a dollar.
pub const MICRO_USD: u64 = 1_000_000;
/// The lowest dollar limit: 1,000 dollars. A limit of nothing would close all exits but the floor.
pub const MIN_AGGREGATE_MICRO_USD: u64 = 1_000 * MICRO_USD;
/// Cells of time that a lease lives, and a window has.
pub const LEASE_CELLS: usize = 24;
/// How long the costs that a lease fixed may be charged at, seconds.
pub const LEASE_PRICE_SECS: i64 = HOUR_SECS;
/// What is added to a stored reference where there is no agreed price for what leaves, bps.
pub const OUTFLOW_HAIRCUT_BPS: u32 = 2_000;

/// The longest encoded value of a change, bytes.
pub const MAX_CHANGE_LEN: usize = 400;

// --- census
/// Seed of a guard's census.
pub const CENSUS_SEED: &[u8] = b"census";
/// How long a census may be counted and used, seconds: time for a multisig, not for a change of mind.
pub const CENSUS_MAX_SECS: i64 = DAY_SECS;
// --- swaps and the reserve
/// Seed of a swap policy: `["policy", guard, policy id u16 LE]`.
pub const POLICY_SEED: &[u8] = b"policy";
/// Seed of the escrow authority of a policy: `["escrow", policy]`.
pub const ESCROW_SEED: &[u8] = b"escrow";
/// Seed of a guard's reserve: `["reserve", guard]`.
pub const RESERVE_SEED: &[u8] = b"reserve";
/// The most kinds of instruction that a swap policy allows.
pub const SWAP_PREFIXES: usize = 8;
/// The most bytes by which an instruction is recognised.
pub const SWAP_PREFIX_LEN: usize = 8;
/// The oldest price that a policy may let a swap be judged by, seconds.
pub const MAX_SWAP_ORACLE_AGE_SECS: u32 = 30;
/// The most assets of a reserve.
pub const RESERVE_ASSETS: usize = 6;
