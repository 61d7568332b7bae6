//! A mint with its price sources, price reference and level.

use crate::constants::{DAY_SECS, HOUR_SECS, MAX_SOURCES};
use crate::error::RampartError;
use crate::math::price::Q64_ONE;
use crate::math::{Price, U128, decay};
use crate::oracle::PriceBand;
use crate::refuse::require;
use crate::state::breaker::Breaker;
use crate::state::oracle_set::{OracleSet, stored_enum};
use crate::state::standby::StandbySet;
use crate::state::warm_up::WarmUp;
use crate::state::window::Window;
use anchor_lang::prelude::*;

/// How the price reference of an asset is kept.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, bytemuck::Pod, bytemuck::Zeroable)]
pub struct ReferenceParams {
    /// Time in which half of a price change has entered the reference, seconds.
    pub half_life_secs: u32,
    /// A reference older than this is unknown, seconds.
    pub max_age_secs: u32,
    /// Length of a cell of the window memory, seconds.
    pub cell_secs: u32,
    /// Observations needed before the reference counts.
    pub min_samples: u32,
}

/// What an asset is meant to be worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Peg {
    /// Whatever the market says.
    Unpegged = 1,
    /// One US dollar.
    UsDollar = 2,
}
stored_enum!(Peg { Unpegged, UsDollar });

impl Peg {
    /// Returns the price that the asset is meant to have; `None` where there is none.
    pub fn price(self) -> Option<Price> {
        match self {
            Self::Unpegged => None,
            Self::UsDollar => Price::from_q64(Q64_ONE).ok(),
        }
    }
}

/// Which of an asset's references a price is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ReferenceSpan {
    /// The reference with the asset's own half-life.
    Short = 1,
    /// The anchor with a half-life of four hours.
    FourHours = 2,
    /// The anchor with a half-life of a day.
    Day = 3,
}
stored_enum!(ReferenceSpan { Short, FourHours, Day });

/// Half-lives of the anchors, seconds.
pub const ANCHOR_SECS: [u64; 2] = [4 * HOUR_SECS as u64, DAY_SECS as u64];

/// A slow price reference: a walk that the short one follows stays far from it. Only `observe` writes it.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Anchor {
    /// Exponentially weighted price, US dollars per whole token, U64.64; meaningful once `weighed_secs` is positive.
    pub price_q64: U128,
    /// Time that its observations stand for, seconds; warm from its half-life on.
    pub weighed_secs: u64,
}

impl Anchor {
    /// Takes `price`, which stands for `weighed_secs`; `elapsed_secs` have passed since the last.
    fn observe(&mut self, price: Price, elapsed_secs: u64, weighed_secs: u64, half_life_secs: u64) {
        match Price::from_q64(self.price_q64.get()) {
            Ok(anchor) if elapsed_secs <= half_life_secs => {
                self.price_q64 = decay::toward(anchor, price, weighed_secs, half_life_secs).q64().into();
                self.weighed_secs = self.weighed_secs.saturating_add(weighed_secs);
            }
            _ => *self = Self { price_q64: price.q64().into(), weighed_secs: 0 },
        }
    }
}

/// The time-weighted price reference. Only `observe` writes it.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reference {
    /// Exponentially weighted price, US dollars per whole token, U64.64; meaningful once `samples` is positive.
    pub price_q64: U128,
    /// When it was last written, unix seconds.
    pub updated_at_ts: i64,
    /// How many observations it holds.
    pub samples: u64,
    /// The newest publish time counted, per source, unix seconds.
    pub last_publish_ts: [i64; MAX_SOURCES],
    /// The slot of the last observation.
    pub last_slot: u64,
}

/// A mint that vaults may hold. Read-only in every user and liquidation instruction.
#[account(zero_copy)]
#[derive(Debug)]
pub struct Asset {
    /// The guard it belongs to.
    pub guard: Pubkey,
    /// The mint.
    pub mint: Pubkey,
    /// SPL Token or Token-2022.
    pub token_program: Pubkey,
    /// Price sources.
    pub oracle: OracleSet,
    /// Sources that may take the place of a dead one.
    pub standby: StandbySet,
    /// How the reference is kept.
    pub reference_params: ReferenceParams,
    /// The reference.
    pub reference: Reference,
    /// Anchors with half-lives of [`ANCHOR_SECS`].
    pub anchors: [Anchor; 2],
    /// Supply of the mint with a half-life of a day, base units. `observe` writes it, from the supply at registration on.
    pub supply_reference_amount: u64,
    /// Level of everything that uses this asset.
    pub breaker: Breaker,
    /// What the mint was when it was registered; see [`crate::mint::admit`]. Re-checked at each use.
    pub extension_fingerprint: u64,
    /// How it comes to carry debt as collateral.
    pub warm_up: WarmUp,
    /// Decimals of the mint.
    pub decimals: u8,
    /// [`Peg`].
    pub peg: u8,
    /// Layout version.
    pub version: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Zeros.
    pub reserved: [u8; 108],
    /// Recent prices.
    pub window: Window,
}

impl Asset {
    /// Account size in bytes, with the discriminator.
    pub const SPACE: usize = 8 + core::mem::size_of::<Self>();

    /// Returns the reference where it is warm and recent.
    ///
    /// # Errors
    /// `PriceIndeterminate` while it holds too few observations or is too old: unknown is never normal.
    pub fn reference_price(&self, now_ts: i64) -> core::result::Result<Price, RampartError> {
        let age_secs = now_ts.saturating_sub(self.reference.updated_at_ts);
        let warm = self.reference.samples >= u64::from(self.reference_params.min_samples).max(1);
        if !warm || age_secs > i64::from(self.reference_params.max_age_secs) {
            return Err(RampartError::PriceIndeterminate);
        }
        Price::from_q64(self.reference.price_q64.get())
    }

    /// Returns the reference of `span` where it is warm and recent.
    ///
    /// # Errors
    /// `PriceIndeterminate` otherwise: an anchor is warm once its observations stand for its half-life, and lost after as
    /// long without one.
    pub fn reference_of(&self, span: ReferenceSpan, now_ts: i64) -> core::result::Result<Price, RampartError> {
        let at = match span {
            ReferenceSpan::Short => return self.reference_price(now_ts),
            ReferenceSpan::FourHours => 0,
            ReferenceSpan::Day => 1,
        };
        let (anchor, half_life_secs) = (&self.anchors[at], ANCHOR_SECS[at]);
        if anchor.weighed_secs < half_life_secs || self.elapsed_secs(now_ts) > half_life_secs {
            return Err(RampartError::PriceIndeterminate);
        }
        Price::from_q64(anchor.price_q64.get())
    }

    /// Returns the supply that the mint's present one is held against, base units.
    ///
    /// # Errors
    /// `PriceIndeterminate` while nothing was observed within a day.
    pub fn supply_reference(&self, now_ts: i64) -> core::result::Result<u64, RampartError> {
        let is_recent = self.elapsed_secs(now_ts) <= DAY_SECS as u64;
        if is_recent { Ok(self.supply_reference_amount) } else { Err(RampartError::PriceIndeterminate) }
    }

    /// Time since the last observation, seconds.
    fn elapsed_secs(&self, now_ts: i64) -> u64 {
        u64::try_from(now_ts.saturating_sub(self.reference.updated_at_ts)).unwrap_or(0)
    }

    /// Takes an agreed price into the references and the window memory, and the mint's supply into its reference.
    ///
    /// # Errors
    /// `ObservationNotNewer` unless the slot moved, as many sources as the set requires published after their last
    /// counted print, and none of the agreeing ones before it.
    pub fn observe(&mut self, band: &PriceBand, supply_amount: u64, now_ts: i64, slot: u64) -> Result<()> {
        require!(slot > self.reference.last_slot, RampartError::ObservationNotNewer);
        let (mut newer, mut older) = (0u8, 0u8);
        for (ts, last) in band.publish_ts.iter().zip(&self.reference.last_publish_ts) {
            newer += u8::from(ts.is_some_and(|ts| ts > *last));
            older += u8::from(ts.is_some_and(|ts| ts < *last));
        }
        require!(newer >= self.oracle.required.max(1) && older == 0, RampartError::ObservationNotNewer);
        for (slot, ts) in self.reference.last_publish_ts.iter_mut().zip(band.publish_ts) {
            *slot = ts.unwrap_or(*slot);
        }
        self.observe_slowly(band.mid, supply_amount, now_ts);
        self.reference.price_q64 = self.next_reference(band.mid, now_ts).q64().into();
        self.reference.updated_at_ts = now_ts.max(self.reference.updated_at_ts);
        self.reference.samples = self.reference.samples.saturating_add(1);
        self.reference.last_slot = slot;
        self.window.record(band.mid, now_ts);
        Ok(())
    }

    /// Takes a price and a supply into what moves slowly; neither stands for longer than the reference may be old.
    fn observe_slowly(&mut self, price: Price, supply_amount: u64, now_ts: i64) {
        let elapsed_secs = self.elapsed_secs(now_ts);
        let weighed_secs = elapsed_secs.min(self.reference_params.max_age_secs.into());
        for (anchor, half_life_secs) in self.anchors.iter_mut().zip(ANCHOR_SECS) {
            anchor.observe(price, elapsed_secs, weighed_secs, half_life_secs);
        }
        let supply = &mut self.supply_reference_amount;
        *supply = decay::amount_toward(*supply, supply_amount, weighed_secs, DAY_SECS as u64);
    }

    /// The reference after `price`; a first, or too old, reference starts over at the price and has to warm up again.
    fn next_reference(&mut self, price: Price, now_ts: i64) -> Price {
        let elapsed_secs = now_ts.saturating_sub(self.reference.updated_at_ts);
        let current = Price::from_q64(self.reference.price_q64.get());
        match current {
            Ok(reference) if elapsed_secs <= i64::from(self.reference_params.max_age_secs) => decay::toward(
                reference,
                price,
                elapsed_secs.max(0) as u64,
                u64::from(self.reference_params.half_life_secs),
            ),
            _ => {
                self.reference.samples = 0;
                price
            }
        }
    }
}

const _: () = assert!(Asset::SPACE <= 10_240);
