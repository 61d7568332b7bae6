//! The program's side of the pool: its accounts as they would stand on chain, changed by the program's own functions.
//!
//! Owns the asset with its reference and window, the vault's and the guard's breakers, the outflow limiter and the rules with
//! their streaks. Judges nothing itself: a measure, a verdict, a trip, a level are what `rampart` says.

use super::book::{Grace, Graces, Quote};
use super::keepers::Quorum;
use super::settings::{COLLATERAL_DECIMALS, GuardConfig, LOAN_DECIMALS, LOAN_UNIT, OracleLimits, whole_tokens};
use super::watch::Watch;
use crate::attack::{Keeper, Print, Tick};
use anchor_lang::prelude::Pubkey;
use rampart::constants::LIQUIDATION_GRACE_SECS;
use rampart::error::RampartError;
use rampart::instructions::lending::exit::{ExitPass, Taken};
use rampart::instructions::liquidation::grace::{is_recent, latest_halts};
use rampart::math::Price;
use rampart::math::bps::BPS_ONE;
use rampart::math::price::Q64_ONE;
use rampart::oracle::{AssetReading, Invalid, PriceBand, RateReading, RawReading, Reading, SourceReading};
use rampart::risk::gate::{Class, Pass, gate};
use rampart::risk::health::{PairBand, Side, price_for_new_risk};
use rampart::shared::effective_levels;
use rampart::state::asset::Peg;
use rampart::state::flow::{DayBase, FlowLimits, Outflow};
use rampart::state::oracle_set::{Pin, SourceKind};
use rampart::state::position::ExitFloor;
use rampart::state::rule::{Metric, RuleParams};
use rampart::state::{
    Asset, Cause, CauseKind, Guard, Leaving, Level, Levels, OracleSet, OracleSource, Purse, Reach, RiskParams, Rule,
    Switch, Vault,
};

/// What a policy's halts are filed under.
const POLICY_KEY: Pubkey = Pubkey::new_from_array([0xfe; 32]);
/// Slots in a second, as the program's tests count them.
const SLOTS_A_SEC: u64 = 4;
/// Into how small a part of a wish many users divide it where not all of it passes: halved so many times.
const HALVINGS: u32 = 12;
/// Limits that are never reached: of a pool without.
const UNLIMITED: FlowLimits = FlowLimits {
    absolute_floor_amount: u64::MAX / 2,
    hourly_bps: 10_000,
    daily_bps: 10_000,
    exit_share_bps: 5_000,
    floor_reserve_bps: 1,
};
const NOTHING: SourceReading = SourceReading { reading: Err(Invalid::Missing) };

/// The accounts of one vault under one guard.
#[derive(Clone)]
pub struct Defence {
    pub(super) guard: Box<Guard>,
    pub(super) vault: Box<Vault>,
    pub(super) collateral: Box<Asset>,
    pub(super) loan: Box<Asset>,
    pub(super) watches: Vec<Watch>,
    /// Who reports; none where no keeper's report is played.
    pub(super) quorum: Option<Box<Quorum>>,
    pub(super) reading: AssetReading,
    pub(super) slot: u64,
    /// What the collateral's supply is counted from, base units.
    pub(super) supply: u64,
    supply_start: u64,
    dollar: PriceBand,
    has_limits: bool,
    /// Whether the limiter or a rule reads what the vault holds.
    pub(super) needs_books: bool,
    /// What lenders, as one position, took through the exit floor.
    floor: ExitFloor,
}

/// The accounts of a vault as a chain holds them.
#[derive(Clone)]
pub struct Adopted {
    /// The guard.
    pub guard: Guard,
    /// The vault, with its limits, scale, curve and books.
    pub vault: Vault,
    /// The collateral.
    pub collateral: Asset,
    /// The loan.
    pub loan: Asset,
    /// Supply of the collateral's mint, base units.
    pub supply: u64,
    /// The slot at which they stand.
    pub slot: u64,
}

impl Defence {
    /// Returns the accounts of a guard that was just created with `config`, whose lenders have `deposits`.
    pub fn new(config: &GuardConfig, deposits: f64, now_ts: i64) -> Self {
        let mut guard: Box<Guard> = Box::new(bytemuck::Zeroable::zeroed());
        guard.aggregate = Switch::Disabled as u8;
        let mut vault: Box<Vault> = Box::new(bytemuck::Zeroable::zeroed());
        vault.risk = config.risk;
        vault.scale = config.scale;
        vault.borrow_index_q64 = Q64_ONE.into();
        (vault.collateral_decimals, vault.loan_decimals) = (COLLATERAL_DECIMALS, LOAN_DECIMALS);
        vault.limits.loan_flow = config.flow.unwrap_or(UNLIMITED);
        vault.limits.collateral_flow = UNLIMITED;
        vault.limits.exit_floor_bps = config.exit_floor_bps;
        vault.limits.borrow_cap_amount = (config.borrow_cap * LOAN_UNIT) as u64;
        if config.flow.is_some() {
            let amount = (deposits * LOAN_UNIT) as u64;
            // lenders are there already
            vault.loan_flow.base = DayBase { amount, last_amount: amount, ..DayBase::start(now_ts) };
        }
        let mut collateral: Box<Asset> = Box::new(bytemuck::Zeroable::zeroed());
        collateral.reference_params = config.reference;
        collateral.window.cell_secs = config.reference.cell_secs;
        collateral.oracle = oracle_set(&config.oracle);
        collateral.supply_reference_amount = SUPPLY;
        collateral.reference.updated_at_ts = now_ts;
        collateral.decimals = COLLATERAL_DECIMALS;
        collateral.peg = config.peg as u8;
        let mut loan: Box<Asset> = Box::new(bytemuck::Zeroable::zeroed());
        loan.decimals = LOAN_DECIMALS;
        loan.peg = Peg::UsDollar as u8;
        loan.reference_params = config.reference;
        loan.window.cell_secs = config.reference.cell_secs;
        Self {
            guard,
            vault,
            collateral,
            loan,
            watches: config.rules.iter().enumerate().map(|(id, params)| Watch::new(id, *params)).collect(),
            quorum: config.keepers.as_ref().map(|keepers| Box::new(Quorum::new(keepers, now_ts))),
            reading: AssetReading { sources: [NOTHING; 3], count: 2, rate: RateReading::Unrated },
            slot: 1_000,
            supply: SUPPLY,
            supply_start: SUPPLY,
            dollar: dollar(),
            has_limits: config.flow.is_some(),
            needs_books: config.flow.is_some() || config.rules.iter().any(is_about_books),
            floor: ExitFloor::default(),
        }
    }

    /// Takes the accounts as they stand on a chain, with limits, references, windows and books.
    pub fn adopt(&mut self, chain: Adopted) {
        (*self.guard, *self.vault) = (chain.guard, chain.vault);
        (*self.collateral, *self.loan) = (chain.collateral, chain.loan);
        (self.slot, self.supply, self.supply_start) = (chain.slot, chain.supply, chain.supply);
        (self.has_limits, self.needs_books) = (true, true);
    }

    /// Returns the vault's account.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Returns the collateral's account.
    pub fn asset(&self) -> &Asset {
        &self.collateral
    }

    /// Returns the rules with their streaks, in the order of the configuration.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.watches.iter().map(|watch| &*watch.rule)
    }

    /// Sets the confidence that the loan's sources print, a share of the dollar.
    pub fn set_loan_confidence(&mut self, share: f64) {
        let end = |price: f64| Price::from_decimal((price * 1e8).round() as u128, -8).unwrap_or(self.dollar.mid);
        (self.dollar.lo, self.dollar.hi) = (end(1.0 - share), end(1.0 + share));
    }

    /// Reads the oracles of a step and, where a keeper runs, observes.
    pub fn observe(&mut self, tick: &Tick, step_secs: u32) -> Result<PriceBand, RampartError> {
        self.slot += SLOTS_A_SEC * u64::from(step_secs);
        self.supply = (self.supply_start as f64 * tick.collateral_supply) as u64;
        let first = source(&tick.oracle, tick.ts);
        let second = if tick.second == tick.oracle { first } else { source(&tick.second, tick.ts) };
        self.reading.sources = [first, second, NOTHING];
        if tick.keeper != Keeper::Down {
            // the loan is a dollar all along, whatever the collateral's sources say; the mark of a halt wants its window too
            self.loan.window.record(self.dollar.mid, tick.ts);
        }
        let band = self.reading.band(&self.collateral.oracle, tick.ts)?;
        if tick.keeper != Keeper::Down {
            // a print that isn't newer is refused, and nothing is lost by that
            let _ = self.collateral.observe(&band, self.supply, tick.ts, self.slot);
        }
        Ok(band)
    }

    /// Returns the price at the end that favours owners.
    pub fn quote(&self, band: &PriceBand, with_units: bool, now_ts: i64) -> Quote {
        let price = band.hi.q64() as f64 / self.dollar.lo.q64() as f64;
        let (collateral, loan) = self.sides(band);
        let pair = if with_units { PairBand::highest(collateral, loan).ok() } else { None };
        Quote { price, pair, now_ts }
    }

    /// Returns what one collateral is worth as new risk; none while the reference is cold: nobody can borrow then.
    pub fn new_risk_price(&self, band: &PriceBand, now_ts: i64) -> Option<f64> {
        self.risk_price(band, now_ts).ok().map(whole_tokens)
    }

    /// Returns what one base unit of collateral is worth as new risk.
    pub(super) fn risk_price(&self, band: &PriceBand, now_ts: i64) -> Result<Price, RampartError> {
        let reference = self.collateral.reference_price(now_ts)?;
        let (collateral, loan) = self.sides(band);
        price_for_new_risk(collateral, reference, loan, self.dollar.mid)
    }

    /// Returns the band that the sources of the last step agree on.
    pub(super) fn band(&self, now_ts: i64) -> Result<PriceBand, RampartError> {
        self.reading.band(&self.collateral.oracle, now_ts)
    }

    pub(super) fn pair_band(&self, band: &PriceBand) -> Result<PairBand, RampartError> {
        let (collateral, loan) = self.sides(band);
        PairBand::new(collateral, loan)
    }

    fn sides<'a>(&'a self, band: &'a PriceBand) -> (Side<'a>, Side<'a>) {
        (Side { band, decimals: COLLATERAL_DECIMALS }, Side { band: &self.dollar, decimals: LOAN_DECIMALS })
    }

    /// Returns the levels in force.
    pub fn levels(&self, now_ts: i64) -> Levels {
        effective_levels(&self.guard, &self.vault, [&self.collateral, &self.loan], now_ts)
    }

    /// Returns what of `wanted` may be borrowed, and charges it to the limiter. Below a level that forbids it, levels narrow
    /// limits: a pool without any lends all of it.
    pub fn admit_borrow(&mut self, wanted: f64, now_ts: i64) -> f64 {
        let Ok(pass) = gate(Class::RiskUp, self.levels(now_ts)) else { return 0.0 };
        if !self.has_limits {
            return wanted;
        }
        let (limits, outflow) = (self.vault.limits.loan_flow, Outflow::Risk { scale_bps: pass.scale_bps() });
        in_parts(wanted, |amount| {
            // a transaction that is refused leaves nothing behind, not even what a bucket leaked at a level's limit
            let before = self.vault.loan_flow;
            let is_lent = self.vault.loan_flow.charge(amount, outflow, &limits, now_ts).is_ok();
            if !is_lent {
                self.vault.loan_flow = before;
            }
            is_lent
        })
    }

    /// Returns what of `wanted` lenders may take out of `deposits`, and charges it to the limiter or to the exit floor: as of one
    /// position that all of them hold together.
    pub fn admit_exit(&mut self, wanted: f64, deposits: f64, now_ts: i64) -> f64 {
        let Ok(pass) = gate(Class::Exit, self.levels(now_ts)) else { return 0.0 };
        if !self.has_limits && pass != Pass::Floor {
            return wanted;
        }
        let assets = [&*self.collateral, &*self.loan];
        let Ok(pass) = ExitPass::new(&self.guard, &self.vault, assets, now_ts) else { return 0.0 };
        let (guard, floor) = (&self.guard, &mut self.floor);
        let Vault { limits, loan_flow, lease, .. } = &mut *self.vault;
        let mut held = (deposits * LOAN_UNIT) as u64;
        in_parts(wanted, |amount| {
            let taken = Taken { amount, units: amount.into(), held_units: held.into() };
            let (mut purse, before) = (Purse::of(guard, lease, Leaving::Loan), (*loan_flow, *floor));
            let is_paid = pass.charge((&mut *loan_flow, &mut purse), &limits.loan_flow, floor, taken).is_ok();
            if is_paid {
                held = held.saturating_sub(amount);
            } else {
                (*loan_flow, *floor) = before;
            }
            is_paid
        })
    }

    /// Notes what the vault holds after the step, for the limiter's base and for rules about the vault.
    pub fn note(&mut self, deposits: f64, debt: f64, collateral_value: f64, price: f64, now_ts: i64) {
        self.vault.cash_amount = ((deposits - debt).max(0.0) * LOAN_UNIT) as u64;
        self.vault.debt_scaled = u128::from((debt * LOAN_UNIT) as u64).into();
        self.vault.collateral_amount = (collateral_value / price * 10f64.powi(COLLATERAL_DECIMALS.into())) as u64;
        if self.has_limits {
            self.vault.loan_flow.base.settle(now_ts);
            self.vault.loan_flow.base.note((deposits * LOAN_UNIT) as u64);
        }
    }

    /// Returns whether the gate lets liquidators act on `band`.
    pub fn may_liquidate(&self, band: &PriceBand, now_ts: i64) -> bool {
        match gate(Class::Liquidation, self.levels(now_ts)) {
            Ok(Pass::TwoSources) => band.require_sources(2).is_ok(),
            Ok(_) => true,
            Err(_) => false,
        }
    }

    /// Returns who is protected by the grace times after halts. Marks the price of a halt while it is in force or just over, as
    /// anyone may: owners can't prevent it, and liquidators want it.
    pub fn graces(&mut self, now_ts: i64) -> Graces {
        let halts = latest_halts(&self.guard, &self.vault, [&self.collateral, &self.loan]);
        let mut graces = Graces::default();
        for (grace, halt) in graces.iter_mut().zip(halts.iter().filter(|halt| is_recent(halt, now_ts))) {
            self.vault.mark_halt(halt, &self.collateral, &self.loan);
            if halt.ended_within(LIQUIDATION_GRACE_SECS, now_ts) {
                *grace = Some(Grace { started_at_ts: halt.started_at_ts, price: self.vault.halt_price(halt) });
            }
        }
        graces
    }

    /// Halts for `secs` as a guardian does, at `ReduceOnly`.
    pub fn pause(&mut self, secs: u32, now_ts: i64) -> bool {
        let expires_at_ts = now_ts + i64::from(secs);
        let cause = Cause {
            source: POLICY_KEY,
            tripped_at_ts: now_ts,
            expires_at_ts,
            dwell_until_ts: now_ts,
            level: Level::ReduceOnly as u8,
            kind: CauseKind::Pause as u8,
            reach: Reach::All as u8,
            reserved: [0; 5],
        };
        self.vault.breaker.trip(cause, now_ts).is_ok()
    }

    /// Returns the vault's lines.
    pub fn risk(&self) -> &RiskParams {
        &self.vault.risk
    }

    /// Returns the loan-to-value limit for new risk as the program scales it by the collateral's window, bps.
    pub fn ltv_for_new_risk(&self, now_ts: i64) -> u16 {
        self.vault.ltv_for_new_risk(&self.collateral, now_ts)
    }

    /// Returns what the keepers' reports leave of a borrow cap, as a share.
    pub(super) fn cap_share(&self, now_ts: i64) -> f64 {
        if self.quorum.is_none() {
            return 1.0;
        }
        self.vault.scale.borrow_cap(BPS_ONE, &self.vault.cap_cut, now_ts) as f64 / BPS_ONE as f64
    }

    /// Returns the keepers that report, where there are any.
    pub fn quorum(&self) -> Option<&Quorum> {
        self.quorum.as_deref()
    }

    /// Returns how often each rule has tripped, in the order of the configuration.
    pub fn trips_by_rule(&self) -> impl Iterator<Item = u64> {
        self.watches.iter().map(Watch::trips)
    }

    /// Returns how often the rules have tripped.
    pub fn trips(&self) -> u64 {
        self.watches.iter().map(Watch::trips).sum()
    }
}

/// Takes as much of `wanted` whole tokens as `take` lets through, all of it or in ever smaller parts, each as often as it passes:
/// many users come one after the other.
fn in_parts(wanted: f64, mut take: impl FnMut(u64) -> bool) -> f64 {
    let (mut taken, mut part) = (0.0, wanted);
    for _ in 0..=HALVINGS {
        let amount = (part * LOAN_UNIT) as u64;
        while amount > 0 && taken + part <= wanted && take(amount) {
            taken += part;
        }
        if taken >= wanted {
            break;
        }
        part /= 2.0;
    }
    taken
}

/// The collateral's supply at the start, base units.
const SUPPLY: u64 = 1_000_000_000_000_000;

fn dollar() -> PriceBand {
    let one = Price::from_q64(Q64_ONE).unwrap_or_else(|_| unreachable!("one is a price"));
    PriceBand { lo: one, mid: one, hi: one, publish_ts: [Some(0), Some(0), None], sources: 2 }
}

/// Two sources of two publishers, pinned by address.
fn oracle_set(limits: &OracleLimits) -> OracleSet {
    let pinned = |tag: u8, kind: SourceKind| OracleSource {
        account: Pubkey::new_from_array([tag; 32]),
        max_age_secs: limits.max_age_secs,
        max_confidence_bps: limits.max_confidence_bps,
        kind: kind as u8,
        pin: Pin::Account as u8,
        publisher: tag,
        ..bytemuck::Zeroable::zeroed()
    };
    OracleSet {
        sources: [pinned(1, SourceKind::Pyth), pinned(2, SourceKind::Switchboard), bytemuck::Zeroable::zeroed()],
        count: 2,
        required: limits.required,
        max_disagree_bps: limits.max_disagree_bps,
        ..bytemuck::Zeroable::zeroed()
    }
}

/// A print as the program reads it from an oracle's account, to eight decimals, twelve below a cent.
fn source(print: &Print, now_ts: i64) -> SourceReading {
    let places = if print.price < 0.01 { 12 } else { 8 };
    let scale = 10f64.powi(places);
    let raw = RawReading {
        price: (print.price * scale).round() as i128,
        confidence: (print.conf * scale).round() as u128,
        exponent: -places,
        publish_ts: now_ts - i64::from(print.age_secs),
    };
    SourceReading { reading: Reading::new(raw, now_ts) }
}

fn is_about_books(params: &RuleParams) -> bool {
    let is_elsewhere = |metric: Metric| metric.is_about_asset() || metric.is_reported();
    !Metric::try_from(params.metric).is_ok_and(is_elsewhere)
}

/// Tells whether a switch is on, for rules that are carried but not in force.
pub(super) fn is_on(switch: u8) -> bool {
    switch == Switch::Enabled as u8
}
