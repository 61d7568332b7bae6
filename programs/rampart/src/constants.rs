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

/// Layout version of every account that this program writes.
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
/// The most causes a breaker keeps at once.
pub const MAX_CAUSES: usize = 4;
/// Cells of an asset's window memory.
pub const WINDOW_CELLS: usize = 64;
/// Cells of the day ring: 24 hours and the one that is only partly inside the day.
pub const RING_CELLS: usize = 25;
/// The most decimals a mint may have.
pub const MAX_DECIMALS: u8 = 12;
/// How far a publish time may lie in the future of the chain's clock, in seconds.
pub const MAX_FUTURE_SECS: i64 = 5;

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
