//! The guard's own basket: it meets bad debt, and moves to the quote asset as risk rises.

use crate::constants::RESERVE_ASSETS;
use crate::error::RampartError;
use crate::math::bps::BPS_ONE;
use crate::math::limiter::DayRing;
use crate::refuse::require;
use crate::state::oracle_set::stored_enum;
use anchor_lang::prelude::*;

/// Whether a guard has a reserve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ReserveState {
    /// There is none: lenders bear what a vault's insurance doesn't.
    Absent = 1,
    /// There is one, and nobody can leave it out where bad debt is recorded. For ever.
    InForce = 2,
}
stored_enum!(ReserveState { Absent, InForce });

/// What the reserve pays at most for bad debt in one mint, base units.
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, bytemuck::Pod, bytemuck::Zeroable,
)]
pub struct CoverCaps {
    /// For one vault, ever.
    pub vault_amount: u64,
    /// For all vaults, within any 24 hours.
    pub day_amount: u64,
    /// For all vaults, ever.
    pub life_amount: u64,
}

/// Where the basket should be and what it pays for.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, bytemuck::Pod, bytemuck::Zeroable)]
pub struct ReservePlan {
    /// Weights of each asset at the levels Normal to Halt, bps.
    pub weights_bps: [[u16; 4]; RESERVE_ASSETS],
    /// What each asset may pay for bad debt in its mint.
    pub cover: [CoverCaps; RESERVE_ASSETS],
    /// How much nearer its targets a rebalance brings the basket at least, bps of the whole.
    pub min_improvement_bps: u16,
    /// How many assets there are, 2 to 6. Fixed at creation.
    pub count: u8,
    /// Which of them is the quote asset. Fixed at creation.
    pub quote: u8,
    /// Which of them the keepers' score of the basket is about. Fixed at creation.
    pub scored: u8,
    /// Zeros.
    pub reserved: [u8; 3],
}

impl ReservePlan {
    /// Checks that the weights are whole at each level and that the basket moves to the quote asset as levels rise.
    ///
    /// # Errors
    /// `ReserveInvalid`, `UnknownKind` for reserved bytes that are set.
    pub fn validate(&self) -> Result<()> {
        require!(self.reserved == [0; 3], RampartError::UnknownKind);
        let count = usize::from(self.count);
        let indexes = self.quote < self.count && self.scored < self.count;
        require!((2..=RESERVE_ASSETS).contains(&count) && indexes, RampartError::ReserveInvalid);
        let least = (1..=BPS_ONE as u16).contains(&self.min_improvement_bps);
        let spare_weights = self.weights_bps[count..].iter().all(|w| *w == [0; 4]);
        let spare_caps = self.cover[count..].iter().all(|c| *c == CoverCaps::default());
        require!(least && spare_weights && spare_caps, RampartError::ReserveInvalid);
        for level in 0..4 {
            let whole: u64 = self.weights_bps.iter().map(|w| u64::from(w[level])).sum();
            require!(whole == BPS_ONE, RampartError::ReserveInvalid);
        }
        for (index, own) in self.weights_bps.iter().enumerate() {
            let is_quote = index == usize::from(self.quote);
            require!(is_quote || own.windows(2).all(|w| w[1] <= w[0]), RampartError::ReserveInvalid);
        }
        Ok(())
    }

    /// Tells whether `next` has the parts that are fixed at creation.
    pub fn keeps_shape(&self, next: &Self) -> bool {
        (self.count, self.quote, self.scored) == (next.count, next.quote, next.scored)
    }
}

/// Leave for governance to take something out, once, to one place.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, bytemuck::Pod, bytemuck::Zeroable)]
pub struct ReserveGrant {
    /// The token account that it goes to.
    pub destination: Pubkey,
    /// How much at most, base units; nothing without a grant.
    pub amount: u64,
    /// Which asset of the basket.
    pub index: u8,
    /// Zeros.
    pub reserved: [u8; 7],
}

impl ReserveGrant {
    /// Checks that the grant says what and where.
    ///
    /// # Errors
    /// `ReserveInvalid`, `UnknownKind` for reserved bytes that are set.
    pub fn validate(&self) -> Result<()> {
        require!(self.reserved == [0; 7], RampartError::UnknownKind);
        let has_place = self.destination != Pubkey::default() && usize::from(self.index) < RESERVE_ASSETS;
        require!(has_place, RampartError::ReserveInvalid);
        Ok(())
    }
}

/// One asset of the basket.
#[zero_copy]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ReserveAsset {
    /// Its asset account.
    pub asset: Pubkey,
    /// Its mint.
    pub mint: Pubkey,
    /// The reserve's account of that mint: the associated one.
    pub token: Pubkey,
    /// What the reserve holds by its own books, base units; never the raw balance.
    pub accounted_amount: u64,
    /// Paid for bad debt since creation, base units.
    pub covered_amount: u64,
    /// Paid for bad debt, per hour, base units.
    pub covered: DayRing,
    /// Decimals of the mint.
    pub decimals: u8,
    /// Zeros.
    pub reserved: [u8; 7],
}

/// The basket of a guard. There is one for each.
#[account(zero_copy)]
#[derive(Debug, PartialEq, Eq)]
pub struct Reserve {
    /// The guard it belongs to.
    pub guard: Pubkey,
    /// Assets; the first `plan.count` are in use.
    pub assets: [ReserveAsset; RESERVE_ASSETS],
    /// Where the basket should be and what it pays for.
    pub plan: ReservePlan,
    /// What governance may take out.
    pub grant: ReserveGrant,
    /// Layout version.
    pub version: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Zeros.
    pub reserved: [u8; 126],
}

impl Reserve {
    /// Account size in bytes, with the discriminator.
    pub const SPACE: usize = 8 + core::mem::size_of::<Self>();

    /// Returns the assets in use.
    pub fn active(&self) -> &[ReserveAsset] {
        &self.assets[..usize::from(self.plan.count).min(RESERVE_ASSETS)]
    }

    /// Returns the place of `mint` in the basket.
    pub fn index_of(&self, mint: &Pubkey) -> Option<usize> {
        self.active().iter().position(|held| held.mint == *mint)
    }

    /// Returns the asset at `index`.
    ///
    /// # Errors
    /// `ReserveAccountsMismatch` beyond the basket.
    pub fn asset_mut(&mut self, index: u8) -> Result<&mut ReserveAsset> {
        let count = usize::from(self.plan.count).min(RESERVE_ASSETS);
        let found = self.assets[..count].get_mut(usize::from(index));
        found.ok_or_else(|| RampartError::ReserveAccountsMismatch.into())
    }

    /// Takes cover for `open_amount` of a vault's bad debt out of the asset at `index`, at most `available_amount`.
    ///
    /// Returns what the reserve pays: as much as its books, the caps for the vault (which had `vault_covered_amount`), for
    /// the day and for life leave.
    ///
    /// # Errors
    /// `ReserveAccountsMismatch`.
    pub fn take_cover(
        &mut self,
        index: u8,
        (open_amount, available_amount): (u64, u64),
        vault_covered_amount: u64,
        now_ts: i64,
    ) -> Result<u64> {
        let caps = self.plan.cover.get(usize::from(index)).copied().unwrap_or_default();
        let asset = self.asset_mut(index)?;
        asset.covered.settle(now_ts);
        let amount = open_amount
            .min(available_amount)
            .min(asset.accounted_amount)
            .min(caps.vault_amount.saturating_sub(vault_covered_amount))
            .min(caps.day_amount.saturating_sub(asset.covered.total()))
            .min(caps.life_amount.saturating_sub(asset.covered_amount));
        asset.covered.record(amount);
        asset.accounted_amount -= amount;
        // at most the cap for life, which fits
        asset.covered_amount = asset.covered_amount.saturating_add(amount);
        Ok(amount)
    }
}

const _: () = assert!(Reserve::SPACE <= 10_240);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constants::DAY_SECS;
    use proptest::prelude::*;

    fn plan() -> ReservePlan {
        let mut plan: ReservePlan = bytemuck::Zeroable::zeroed();
        (plan.count, plan.quote, plan.min_improvement_bps) = (2, 1, 100);
        plan.weights_bps[0] = [5_000, 3_000, 1_000, 0];
        plan.weights_bps[1] = [5_000, 7_000, 9_000, 10_000];
        plan
    }

    #[test]
    fn plan_must_be_whole_and_move_to_the_quote_asset() {
        assert!(plan().validate().is_ok());
        let refused = |change: fn(&mut ReservePlan)| {
            let mut p = plan();
            change(&mut p);
            p.validate().unwrap_err()
        };
        let changes: [fn(&mut ReservePlan); 8] = [
            |p| p.weights_bps[0][0] += 1,
            |p| (p.weights_bps[0][1], p.weights_bps[1][1]) = (6_000, 4_000),
            |p| p.count = 1,
            |p| p.count = 7,
            |p| p.quote = 2,
            |p| p.scored = 2,
            |p| p.min_improvement_bps = 0,
            |p| p.cover[2].life_amount = 1,
        ];
        for change in changes {
            assert_eq!(refused(change), RampartError::ReserveInvalid.into());
        }
        assert_eq!(refused(|p| p.reserved[0] = 1), RampartError::UnknownKind.into());
    }

    fn reserve(caps: CoverCaps, accounted_amount: u64) -> Reserve {
        let mut reserve: Reserve = bytemuck::Zeroable::zeroed();
        reserve.plan = plan();
        reserve.plan.cover[1] = caps;
        reserve.assets[1].accounted_amount = accounted_amount;
        reserve
    }

    #[test]
    fn cover_stops_at_each_cap() {
        let caps = CoverCaps { vault_amount: 100, day_amount: 150, life_amount: 220 };
        let mut r = reserve(caps, 1_000);
        let mut take = |open, had, now| r.take_cover(1, (open, u64::MAX), had, now).unwrap();
        assert_eq!(take(30, 0, 0), 30);
        assert_eq!(take(500, 30, 0), 70, "the vault's cap");
        assert_eq!(take(500, 0, 0), 50, "the day's cap");
        assert_eq!(take(500, 0, DAY_SECS + 3_600), 70, "the cap for life");
        assert_eq!(take(500, 0, 9 * DAY_SECS), 0);
        assert_eq!((r.assets[1].accounted_amount, r.assets[1].covered_amount), (780, 220));
        let mut poor = reserve(caps, 20);
        assert_eq!(poor.take_cover(1, (500, 15), 0, 0).unwrap(), 15, "what is there");
        assert_eq!(poor.take_cover(1, (500, u64::MAX), 0, 0).unwrap(), 5, "what the books say");
        assert!(poor.take_cover(2, (1, 1), 0, 0).is_err());
    }

    proptest! {
        #[test]
        fn cover_never_exceeds_a_cap_nor_the_books(asked in prop::collection::vec((0i64..50_000, 0u64..200, 0usize..3), 1..80)) {
            let caps = CoverCaps { vault_amount: 400, day_amount: 300, life_amount: 900 };
            let (mut r, mut now, mut had, mut paid) = (reserve(caps, 1_000), 0, [0u64; 3], vec![]);
            for (wait, open, vault) in asked {
                now += wait;
                let amount = r.take_cover(1, (open, u64::MAX), had[vault], now).unwrap();
                had[vault] += amount;
                paid.push((now, amount));
            }
            prop_assert!(had.iter().all(|sum| *sum <= 400) && had.iter().sum::<u64>() <= 900);
            prop_assert_eq!(r.assets[1].accounted_amount + had.iter().sum::<u64>(), 1_000);
            for (start, _) in &paid {
                let day = paid.iter().filter(|(t, _)| (*start..start + DAY_SECS).contains(t));
                prop_assert!(day.map(|(_, amount)| amount).sum::<u64>() <= 300);
            }
        }
    }
}
