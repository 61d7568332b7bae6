//! A small guarded world for unit tests: two assets with two sources each, one vault, positions and rules.

use crate::watch::feeds::CLOCK;
use crate::watch::oracles::Found;
use crate::watch::store::Store;
use crate::watch::{Origin, Update};
use anchor_lang::Discriminator;
use anchor_lang::prelude::Pubkey;
use bytemuck::Zeroable;
use rampart::constants::LAYOUT_VERSION;
use rampart::math::price::Q64_ONE;
use rampart::math::{Price, U128};
use rampart::oracle::{SWITCHBOARD_ON_DEMAND, switchboard};
use rampart::state::RateSource;
use rampart::state::asset::ReferenceSpan;
use rampart::state::oracle_set::{OracleSource, Pin};
use rampart::state::rule::RuleParams;
use rampart::state::{
    Asset, Comparator, Guard, HardBounds, InterestCurve, Level, Metric, Position, Prefix, Purpose, ReportPart,
    ReserveState, RiskParams, Rule, Scope, SourceKind, Standing, SwapCaller, SwapPolicy, Switch, Vault,
};
use rampart_client::swap::PolicyKeys;
use std::collections::HashSet;
use std::time::Instant;

/// Unix seconds at which the tests take place.
pub const NOW: i64 = 1_700_000_000;
/// Slot at which the tests take place.
pub const SLOT: u64 = 1_000;

/// A key that is told apart by its first byte.
pub fn key(n: u8) -> Pubkey {
    let mut bytes = [1; 32];
    bytes[0] = n;
    Pubkey::new_from_array(bytes)
}

/// The bytes of an account of the program.
pub fn bytes_of<T: bytemuck::Pod + Discriminator>(account: &T) -> Vec<u8> {
    [T::DISCRIMINATOR, bytemuck::bytes_of(account)].concat()
}

/// The bytes of a token account.
pub fn token_account(mint: &Pubkey, owner: &Pubkey, amount: u64) -> Vec<u8> {
    let mut data = vec![0; 165];
    data[..32].copy_from_slice(mint.as_ref());
    data[32..64].copy_from_slice(owner.as_ref());
    data[64..72].copy_from_slice(&amount.to_le_bytes());
    data[108] = 1;
    data
}

/// The bytes of a Switchboard feed: thousandths of a dollar, half a thousandth wide.
pub fn feed(milli_dollars: i128, publish_ts: i64) -> Vec<u8> {
    let mut data = vec![0; switchboard::ACCOUNT_LEN];
    let mut put = |at: usize, bytes: &[u8]| data[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &switchboard::DISCRIMINATOR);
    put(switchboard::offset::VALUE, &(milli_dollars * 10i128.pow(15)).to_le_bytes());
    put(switchboard::offset::STD_DEV, &(5 * 10i128.pow(14)).to_le_bytes());
    put(switchboard::offset::NUM_SAMPLES, &[1]);
    put(switchboard::offset::SLOT, &1u64.to_le_bytes());
    put(switchboard::offset::SUBMISSION_TS, &publish_ts.to_le_bytes());
    data
}

/// The bytes of a pool of SPL Token Swap of two mints: 25 bps stay with it, 5 are its owner's.
pub fn pool(a: Pubkey, b: Pubkey) -> Vec<u8> {
    let mut data = vec![0; 324];
    data[..3].copy_from_slice(&[1, 1, 255]);
    let keys = [anchor_spl::token::ID, key(82), key(83), key(84), a, b, key(85)];
    keys.iter().enumerate().for_each(|(n, key)| data[3 + 32 * n..35 + 32 * n].copy_from_slice(key.as_ref()));
    let fees: [u64; 4] = [25, 10_000, 5, 10_000];
    fees.iter().enumerate().for_each(|(n, part)| data[227 + 8 * n..235 + 8 * n].copy_from_slice(&part.to_le_bytes()));
    data
}

/// Policy 1 of `guard`, which lets `program` be called with data that starts with a one.
pub fn swap_policy(guard: Pubkey, program: Pubkey) -> (PolicyKeys, SwapPolicy) {
    let keys = PolicyKeys::derive(&guard, 1, program);
    let mut policy = SwapPolicy::zeroed();
    (policy.guard, policy.escrow, policy.id, policy.version) = (guard, keys.escrow, 1, LAYOUT_VERSION);
    let params = &mut policy.params;
    params.program = program;
    params.prefixes[0] = Prefix { bytes: [1, 0, 0, 0, 0, 0, 0, 0], len: 1 };
    (params.max_swap_micro_usd, params.max_day_micro_usd) = (u64::MAX, u64::MAX);
    (params.loss_day_micro_usd, params.two_sources_micro_usd) = (u64::MAX, u64::MAX);
    (params.max_oracle_age_secs, params.max_slippage_bps, params.prefix_count) = (30, 100, 1);
    (params.purpose, params.caller) = (Purpose::Both as u8, SwapCaller::Anyone as u8);
    params.switch = Switch::Enabled as u8;
    (keys, policy)
}

/// A version of an account of the program.
pub fn of_program(at: Pubkey, data: Vec<u8>, slot: u64, origin: Origin) -> Update {
    Update { owner: rampart::ID, lamports: 1, data, ..Update::absent(at, slot, origin) }
}

/// What a Switchboard feed at `at` says, thousandths of a dollar and unix seconds, as a subscription brings it.
pub fn print(at: Pubkey, (milli_dollars, publish_ts): (i128, i64), slot: u64) -> Update {
    let data = feed(milli_dollars, publish_ts);
    Update { owner: SWITCHBOARD_ON_DEMAND, lamports: 1, data, ..Update::absent(at, slot, Origin::Push) }
}

/// The chain's clock at `slot`.
pub fn clock(slot: u64, unix_ts: i64) -> Update {
    let mut data = vec![0; 40];
    data[..8].copy_from_slice(&slot.to_le_bytes());
    data[32..].copy_from_slice(&unix_ts.to_le_bytes());
    Update { lamports: 1, data, ..Update::absent(CLOCK, slot, Origin::Poll) }
}

/// The guarded world.
pub struct World {
    pub guard_key: Pubkey,
    pub guard: Guard,
    pub asset_keys: [Pubkey; 2],
    pub vault_key: Pubkey,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    pub fn new() -> Self {
        let mut guard = Guard::zeroed();
        guard.version = LAYOUT_VERSION;
        guard.reserve = ReserveState::Absent as u8;
        guard.bounds = HardBounds {
            max_oracle_age_secs: 120,
            max_rule_duration_secs: 86_400,
            min_loosen_delay_secs: 172_800,
            max_execution_window_secs: 259_200,
            max_pause_secs: 21_600,
            max_guardian_pause_secs: 43_200,
            max_guard_pause_secs: 172_800,
            quorum_reserve_secs: 86_400,
            min_warm_up_secs: 0,
            max_confidence_bps: 500,
            max_hourly_outflow_bps: 3_000,
            max_daily_outflow_bps: 6_000,
            min_exit_floor_bps: 50,
            max_ltv_bps: 9_000,
            max_bonus_bps: 1_000,
            max_effect_bps: 2_500,
            max_tighten_step_bps: 10_000,
            max_slippage_bps: 500,
            max_swap_loss_bps: 100,
            reserved: [0; 8],
        };
        Self { guard_key: key(1), guard, asset_keys: [key(2), key(3)], vault_key: key(4) }
    }

    /// The collateral (0, 9 decimals) or the loan (1, 6 decimals), both with a warm reference at a dollar.
    pub fn asset(&self, n: u8) -> Asset {
        let mut asset = Asset::zeroed();
        (asset.guard, asset.mint, asset.version) = (self.guard_key, key(20 + n), LAYOUT_VERSION);
        asset.decimals = 6;
        asset.oracle.count = 2;
        asset.oracle.required = 2;
        asset.oracle.max_disagree_bps = 200;
        asset.oracle.rate = RateSource::UNRATED;
        for (at, source) in asset.oracle.sources.iter_mut().take(2).enumerate() {
            *source = OracleSource {
                program: SWITCHBOARD_ON_DEMAND,
                account: key(10 + 2 * n + at as u8),
                feed_id: [0; 32],
                max_age_secs: 90,
                max_confidence_bps: 200,
                kind: SourceKind::Switchboard as u8,
                pin: Pin::Account as u8,
                publisher: at as u8 + 1,
                reserved: [0; 7],
            };
        }
        asset.window.cell_secs = 60;
        asset.reference_params.half_life_secs = 600;
        asset.reference_params.max_age_secs = 600;
        asset.reference_params.cell_secs = 60;
        asset.reference_params.min_samples = 2;
        asset.reference.price_q64 = Q64_ONE.into();
        asset.reference.updated_at_ts = NOW - 20;
        asset.reference.samples = 10;
        asset.reference.last_slot = SLOT - 50;
        asset.reference.last_publish_ts = [NOW - 20; 3];
        for back in 0..5 {
            asset.window.record(Price::from_q64(Q64_ONE).unwrap(), NOW - 20 - 60 * back);
        }
        asset
    }

    /// All four oracle accounts.
    pub fn oracle_keys(&self) -> [Pubkey; 4] {
        [key(10), key(11), key(12), key(13)]
    }

    pub fn vault(&self) -> Vault {
        let mut vault = Vault::zeroed();
        (vault.guard, vault.version) = (self.guard_key, LAYOUT_VERSION);
        [vault.collateral_asset, vault.loan_asset] = self.asset_keys;
        (vault.collateral_mint, vault.loan_mint) = (key(20), key(21));
        (vault.collateral_token, vault.loan_token) = (key(30), key(31));
        vault.risk = RiskParams {
            min_debt_amount: 100,
            ltv_bps: 7_000,
            soft_line_bps: 7_500,
            liquidation_line_bps: 8_000,
            target_ltv_bps: 7_000,
            soft_bonus_bps: 100,
            soft_quota_bps: 1_000,
            min_bonus_bps: 300,
            max_bonus_bps: 800,
            close_factor_bps: 2_500,
            full_close_ltv_bps: 9_500,
            reserved: [0; 4],
        };
        vault.curve = InterestCurve {
            base_rate_bps: 0,
            kink_rate_bps: 1_000,
            max_rate_bps: 10_000,
            kink_bps: 8_000,
            reserve_factor_bps: 1_000,
        };
        vault.borrow_index_q64 = Q64_ONE.into();
        vault.accrued_at_ts = NOW;
        (vault.collateral_decimals, vault.loan_decimals) = (6, 6);
        vault.cash_amount = 1_000_000_000;
        vault
    }

    pub fn position(&self, collateral: u64, debt_scaled: u64) -> Position {
        let mut position = Position::zeroed();
        (position.vault, position.version) = (self.vault_key, LAYOUT_VERSION);
        position.collateral_amount = collateral;
        position.debt_scaled = U128::new(debt_scaled.into());
        position
    }

    /// A drawdown rule on the collateral: 10 % within 5 minutes halts it.
    pub fn rule(&self) -> Rule {
        let mut rule = Rule::zeroed();
        (rule.guard, rule.subject, rule.version) = (self.guard_key, self.asset_keys[0], LAYOUT_VERSION);
        rule.params = RuleParams {
            threshold: 1_000,
            clear_threshold: 500,
            window_secs: 300,
            min_persist_secs: 0,
            max_gap_secs: 30,
            duration_secs: 600,
            min_dwell_secs: 60,
            min_observations: 1,
            sources_required: 2,
            metric: Metric::Drawdown as u8,
            comparator: Comparator::Above as u8,
            level: Level::Halt as u8,
            scope: Scope::Subject as u8,
            switch: Switch::Enabled as u8,
            part: ReportPart::Score as u8,
            reference_span: ReferenceSpan::Short as u8,
            standing: Standing::Alone as u8,
            bounty: Switch::Disabled as u8,
            reserved: [0; 8],
        };
        rule
    }

    /// A store with guard, assets at a dollar, the vault and `positions`.
    pub fn store(&self, positions: &[(Pubkey, Position)]) -> Store {
        let mut store = Store::new(self.guard_key);
        store.watch_raw(self.oracle_keys().into_iter().chain((0..2).map(|n| key(40 + n))).collect::<HashSet<_>>());
        self.put(&mut store, self.guard_key, bytes_of(&self.guard));
        self.put(&mut store, self.asset_keys[0], bytes_of(&self.asset(0)));
        self.put(&mut store, self.asset_keys[1], bytes_of(&self.asset(1)));
        let mut vault = self.vault();
        vault.debt_scaled = positions.iter().map(|(_, p)| p.debt_scaled.get()).sum::<u128>().into();
        vault.collateral_amount = positions.iter().map(|(_, p)| p.collateral_amount).sum();
        self.put(&mut store, self.vault_key, bytes_of(&vault));
        for (at, position) in positions {
            self.put(&mut store, *at, bytes_of(position));
        }
        self.price(&mut store, 0, 1_000, NOW - 1);
        self.price(&mut store, 1, 1_000, NOW - 1);
        store
    }

    /// Puts an account of the program into `store`, at the slot after the one it holds.
    pub fn put(&self, store: &mut Store, at: Pubkey, data: Vec<u8>) {
        let slot = store.slot_of(&at).unwrap_or(SLOT - 100) + 1;
        store.apply(of_program(at, data, slot, Origin::Push), Instant::now());
    }

    /// Lets both sources of an asset say a price, in thousandths of a dollar.
    pub fn price(&self, store: &mut Store, asset: u8, milli_dollars: i128, publish_ts: i64) {
        for at in 0..2 {
            let oracle = key(10 + 2 * asset + at);
            let slot = store.slot_of(&oracle).unwrap_or(SLOT - 100) + 1;
            store.apply(print(oracle, (milli_dollars, publish_ts), slot), Instant::now());
        }
    }

    /// No feed had to be found.
    pub fn found(&self) -> Found {
        Found::new()
    }
}
