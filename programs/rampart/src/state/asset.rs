//! A mint with its price sources, price reference and level.

use crate::constants::MAX_SOURCES;
use crate::error::RampartError;
use crate::math::{Price, U128, decay};
use crate::oracle::PriceBand;
use crate::state::breaker::Breaker;
use crate::state::oracle_set::OracleSet;
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
    /// How the reference is kept.
    pub reference_params: ReferenceParams,
    /// The reference.
    pub reference: Reference,
    /// Level of everything that uses this asset.
    pub breaker: Breaker,
    /// Bit n is set where the mint carries token extension n; re-checked at each use.
    pub extension_fingerprint: u64,
    /// Decimals of the mint.
    pub decimals: u8,
    /// Layout version.
    pub version: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Zeros.
    pub reserved: [u8; 125],
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

    /// Takes an agreed price into the reference and the window memory.
    ///
    /// # Errors
    /// `ObservationNotNewer` unless the slot moved, as many sources as the set requires published after their last
    /// counted print, and none of the agreeing ones before it.
    pub fn observe(&mut self, band: &PriceBand, now_ts: i64, slot: u64) -> Result<()> {
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
        self.reference.price_q64 = self.next_reference(band.mid, now_ts).q64().into();
        self.reference.updated_at_ts = now_ts.max(self.reference.updated_at_ts);
        self.reference.samples = self.reference.samples.saturating_add(1);
        self.reference.last_slot = slot;
        self.window.record(band.mid, now_ts);
        Ok(())
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
