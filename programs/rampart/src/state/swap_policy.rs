//! Through which program the guard's tokens may be swapped, and how much may be risked on it.

use crate::constants::{MAX_SWAP_ORACLE_AGE_SECS, SWAP_PREFIX_LEN, SWAP_PREFIXES};
use crate::error::RampartError;
use crate::math::bps::{BPS_ONE, part};
use crate::math::limiter::DayRing;
use crate::refuse::require;
use crate::state::guard::HardBounds;
use crate::state::oracle_set::{Switch, stored_enum};
use crate::state::step_meter::StepMeter;
use anchor_lang::prelude::*;

/// What a policy's swaps are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Purpose {
    /// The reserve's basket.
    Rebalance = 1,
    /// Collateral that a liquidation seized.
    Liquidation = 2,
    /// Both.
    Both = 3,
}
stored_enum!(Purpose { Rebalance, Liquidation, Both });

impl Purpose {
    /// Tells whether a policy of this purpose serves `asked`.
    pub fn serves(self, asked: Self) -> bool {
        self == asked || self == Self::Both
    }
}

/// Who may rebalance by a policy. A liquidation is anyone's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum SwapCaller {
    /// Anyone.
    Anyone = 1,
    /// A member of the guard's keeper set.
    Keepers = 2,
}
stored_enum!(SwapCaller { Anyone, Keepers });

/// How the data of an allowed instruction starts: one byte at some programs, an eight-byte discriminator at others.
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, bytemuck::Pod, bytemuck::Zeroable,
)]
pub struct Prefix {
    /// The bytes; the first `len` are in use, the rest zeros.
    pub bytes: [u8; SWAP_PREFIX_LEN],
    /// How many bytes count, 1 to 8; 0 in an unused place.
    pub len: u8,
}

impl Prefix {
    /// Returns the bytes that count.
    pub fn active(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len).min(SWAP_PREFIX_LEN)]
    }

    fn is_valid(&self) -> bool {
        let len = usize::from(self.len);
        (1..=SWAP_PREFIX_LEN).contains(&len) && self.bytes[len..].iter().all(|b| *b == 0)
    }
}

/// What a policy allows.
///
/// # Units
/// `_micro_usd`: a millionth of a US dollar.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, bytemuck::Pod, bytemuck::Zeroable)]
pub struct SwapParams {
    /// The program that swaps.
    pub program: Pubkey,
    /// How the data of its allowed instructions starts; the first `prefix_count` are in use.
    pub prefixes: [Prefix; SWAP_PREFIXES],
    /// The most that one swap may be worth.
    pub max_swap_micro_usd: u64,
    /// The most that the swaps of any 24 hours may be worth.
    pub max_day_micro_usd: u64,
    /// The most that rebalances of any 24 hours may lose against the middle of the prices.
    pub loss_day_micro_usd: u64,
    /// Above this worth two sources have to agree on both prices.
    pub two_sources_micro_usd: u64,
    /// Time between two rebalances, seconds.
    pub cooldown_secs: u32,
    /// The oldest price that a swap may be judged by, seconds; at most 30.
    pub max_oracle_age_secs: u32,
    /// How far below the worst end of the prices a swap may pay, bps.
    pub max_slippage_bps: u16,
    /// How many prefixes there are, 1 to 8.
    pub prefix_count: u8,
    /// [`Purpose`].
    pub purpose: u8,
    /// [`SwapCaller`].
    pub caller: u8,
    /// [`Switch`]: everything but enabled refuses.
    pub switch: u8,
    /// Zeros.
    pub reserved: [u8; 2],
}

/// Programs that hold or create what a swap is about: on an escrow's signature they would do anything with it.
const NEVER: [Pubkey; 4] =
    [crate::ID, anchor_lang::system_program::ID, anchor_spl::token::ID, anchor_spl::token_2022::ID];

impl SwapParams {
    /// Checks the parameters against each other and against the guard's hard bounds.
    ///
    /// # Errors
    /// `SwapPolicyInvalid`, `OutsideHardBounds`, `UnknownKind` for undecodable enums and reserved bytes that are set.
    pub fn validate(&self, bounds: &HardBounds) -> Result<()> {
        require!(self.reserved == [0; 2], RampartError::UnknownKind);
        let unknown = |_| RampartError::UnknownKind;
        Purpose::try_from(self.purpose).map_err(unknown)?;
        SwapCaller::try_from(self.caller).map_err(unknown)?;
        Switch::try_from(self.switch).map_err(unknown)?;
        let is_stranger = self.program != Pubkey::default() && !NEVER.contains(&self.program);
        let count = usize::from(self.prefix_count);
        require!(is_stranger && (1..=SWAP_PREFIXES).contains(&count), RampartError::SwapPolicyInvalid);
        let (used, spare) = self.prefixes.split_at(count);
        let fits = used.iter().all(Prefix::is_valid) && spare.iter().all(|p| *p == Prefix::default());
        require!(fits, RampartError::SwapPolicyInvalid);
        let sizes = self.max_swap_micro_usd > 0 && self.max_swap_micro_usd <= self.max_day_micro_usd;
        let ages = (1..=MAX_SWAP_ORACLE_AGE_SECS).contains(&self.max_oracle_age_secs);
        require!(sizes && ages && u64::from(self.max_slippage_bps) < BPS_ONE, RampartError::SwapPolicyInvalid);
        require!(self.max_slippage_bps <= bounds.max_slippage_bps, RampartError::OutsideHardBounds);
        require!(self.loss_day_micro_usd <= self.most_loss(bounds), RampartError::OutsideHardBounds);
        Ok(())
    }

    /// What a day's rebalances may lose by the guard's bounds.
    fn most_loss(&self, bounds: &HardBounds) -> u64 {
        part(self.max_day_micro_usd, bounds.max_swap_loss_bps)
    }

    /// Checks that `program` may be called with `data`.
    ///
    /// # Errors
    /// `SwapProgramForbidden`, `SwapInstructionForbidden`.
    pub fn require_allowed(&self, program: &Pubkey, data: &[u8]) -> Result<()> {
        require!(*program == self.program, RampartError::SwapProgramForbidden);
        let active = &self.prefixes[..usize::from(self.prefix_count).min(SWAP_PREFIXES)];
        // an empty prefix would allow everything: no policy is stored with one, and none is believed
        let is_listed = active.iter().any(|prefix| prefix.len > 0 && data.starts_with(prefix.active()));
        require!(is_listed, RampartError::SwapInstructionForbidden);
        Ok(())
    }
}

/// What a swap asks of its policy.
#[derive(Clone, Copy, Debug)]
pub struct SwapRequest {
    /// What it is for.
    pub purpose: Purpose,
    /// What goes in at the high end of its price.
    pub worth_micro_usd: u64,
    /// How many sources agree on each of both prices; the smaller number.
    pub sources: u8,
    /// The oldest publish time of both prices, unix seconds.
    pub oldest_publish_ts: i64,
    /// The share of the largest swap that the level leaves, bps.
    pub scale_bps: u16,
}

/// One way to swap.
#[account(zero_copy)]
#[derive(Debug, PartialEq, Eq)]
pub struct SwapPolicy {
    /// The guard it belongs to.
    pub guard: Pubkey,
    /// Its escrow authority, which alone signs a route.
    pub escrow: Pubkey,
    /// What it allows.
    pub params: SwapParams,
    /// Counts rebalances: the fence of the next one. Liquidations have their position's.
    pub counter: u64,
    /// When it last served a rebalance, unix seconds.
    pub rebalanced_at_ts: i64,
    /// What was swapped, per hour, micro-dollars.
    pub swapped: DayRing,
    /// What rebalances lost, per hour, micro-dollars.
    pub lost: DayRing,
    /// Swapped since creation, micro-dollars. Saturates and decides nothing.
    pub swapped_micro_usd: u64,
    /// Lost by rebalances since creation, micro-dollars. Saturates and decides nothing.
    pub lost_micro_usd: u64,
    /// What tightenings at once have used of their daily step.
    pub tightened: StepMeter,
    /// Number within the guard; part of the address.
    pub id: u16,
    /// Layout version.
    pub version: u8,
    /// Bump of the address.
    pub bump: u8,
    /// Bump of the escrow's address.
    pub escrow_bump: u8,
    /// Zeros.
    pub reserved: [u8; 91],
}

impl SwapPolicy {
    /// Account size in bytes, with the discriminator.
    pub const SPACE: usize = 8 + core::mem::size_of::<Self>();

    /// Returns the slippage that counts, bps: a bound that was narrowed holds at once.
    pub fn max_slippage_bps(&self, bounds: &HardBounds) -> u16 {
        self.params.max_slippage_bps.min(bounds.max_slippage_bps)
    }

    /// Admits a swap and takes it out of what the day allows. What it loses is charged by [`SwapPolicy::charge_loss`].
    ///
    /// Only rebalances wait for the cooldown and move the counter: nobody can hold liquidations up by either, or
    /// rebalances by liquidations.
    ///
    /// # Errors
    /// `SwapPolicyDisabled`, `SwapPurposeForbids`, `SwapCooldown`, `SwapPriceTooOld`, `SwapTooLarge`, `SwapDayUsed`,
    /// `TwoSourcesRequired`, `MathOverflow`.
    pub fn admit(&mut self, asked: &SwapRequest, now_ts: i64) -> Result<()> {
        let params = &self.params;
        require!(params.switch == Switch::Enabled as u8, RampartError::SwapPolicyDisabled);
        require!(Purpose::try_from(params.purpose)?.serves(asked.purpose), RampartError::SwapPurposeForbids);
        let age_secs = now_ts.saturating_sub(asked.oldest_publish_ts);
        require!(age_secs <= i64::from(params.max_oracle_age_secs), RampartError::SwapPriceTooOld);
        let largest = part(params.max_swap_micro_usd, asked.scale_bps);
        require!(asked.worth_micro_usd <= largest, RampartError::SwapTooLarge);
        let needs_two = asked.worth_micro_usd > params.two_sources_micro_usd;
        require!(!needs_two || asked.sources >= 2, RampartError::TwoSourcesRequired);
        if asked.purpose == Purpose::Rebalance {
            let waited_secs = now_ts.saturating_sub(self.rebalanced_at_ts);
            let is_first = self.counter == 0;
            require!(is_first || waited_secs >= i64::from(params.cooldown_secs), RampartError::SwapCooldown);
            self.counter = self.counter.checked_add(1).ok_or(RampartError::MathOverflow)?;
            self.rebalanced_at_ts = now_ts;
        }
        self.swapped.settle(now_ts);
        let day = self.swapped.take(asked.worth_micro_usd, self.params.max_day_micro_usd);
        day.map_err(|_| RampartError::SwapDayUsed)?;
        self.swapped_micro_usd = self.swapped_micro_usd.saturating_add(asked.worth_micro_usd);
        Ok(())
    }

    /// Takes what a rebalance lost out of the day's budget.
    ///
    /// # Errors
    /// `SwapLossBudgetUsed`.
    pub fn charge_loss(&mut self, loss_micro_usd: u64, bounds: &HardBounds, now_ts: i64) -> Result<()> {
        let budget = self.params.loss_day_micro_usd.min(self.params.most_loss(bounds));
        self.lost.settle(now_ts);
        self.lost.take(loss_micro_usd, budget).map_err(|_| RampartError::SwapLossBudgetUsed)?;
        self.lost_micro_usd = self.lost_micro_usd.saturating_add(loss_micro_usd);
        Ok(())
    }
}

const _: () = assert!(SwapPolicy::SPACE <= 10_240);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constants::DAY_SECS;
    use proptest::prelude::*;

    fn policy() -> SwapPolicy {
        let mut policy: SwapPolicy = bytemuck::Zeroable::zeroed();
        let params = &mut policy.params;
        (params.max_swap_micro_usd, params.max_day_micro_usd) = (1_000, 5_000);
        (params.loss_day_micro_usd, params.two_sources_micro_usd) = (50, 500);
        (params.cooldown_secs, params.max_oracle_age_secs) = (60, 30);
        (params.purpose, params.switch) = (Purpose::Both as u8, Switch::Enabled as u8);
        policy
    }

    fn bounds(max_swap_loss_bps: u16) -> HardBounds {
        HardBounds { max_slippage_bps: 100, max_swap_loss_bps, ..bytemuck::Zeroable::zeroed() }
    }

    fn request(purpose: Purpose, worth_micro_usd: u64, now_ts: i64) -> SwapRequest {
        SwapRequest { purpose, worth_micro_usd, sources: 2, oldest_publish_ts: now_ts, scale_bps: 10_000 }
    }

    #[track_caller]
    fn refuses(policy: &mut SwapPolicy, asked: SwapRequest, now_ts: i64, expected: RampartError) {
        let before = *policy;
        assert_eq!(policy.admit(&asked, now_ts).unwrap_err(), expected.into());
        assert_eq!(*policy, before);
    }

    #[test]
    fn swap_is_refused_beyond_each_limit_and_admitted_at_it() {
        let (mut p, now) = (policy(), 1_000_000);
        refuses(&mut p, request(Purpose::Rebalance, 1_001, now), now, RampartError::SwapTooLarge);
        let scaled = SwapRequest { scale_bps: 2_500, ..request(Purpose::Rebalance, 251, now) };
        refuses(&mut p, scaled, now, RampartError::SwapTooLarge);
        let old = SwapRequest { oldest_publish_ts: now - 31, ..request(Purpose::Rebalance, 1, now) };
        refuses(&mut p, old, now, RampartError::SwapPriceTooOld);
        let lone = SwapRequest { sources: 1, ..request(Purpose::Rebalance, 501, now) };
        refuses(&mut p, lone, now, RampartError::TwoSourcesRequired);
        p.admit(&SwapRequest { worth_micro_usd: 500, oldest_publish_ts: now - 30, ..lone }, now).unwrap();
        refuses(&mut p, request(Purpose::Rebalance, 1, now + 59), now + 59, RampartError::SwapCooldown);
        assert_eq!((p.counter, p.rebalanced_at_ts), (1, now));
    }

    #[test]
    fn liquidations_wait_for_no_cooldown_and_move_no_counter() {
        let (mut p, now) = (policy(), 1_000_000);
        for _ in 0..5 {
            p.admit(&request(Purpose::Liquidation, 1_000, now), now).unwrap();
        }
        refuses(&mut p, request(Purpose::Liquidation, 1, now), now, RampartError::SwapDayUsed);
        assert_eq!((p.counter, p.rebalanced_at_ts), (0, 0));
        p.params.purpose = Purpose::Rebalance as u8;
        refuses(&mut p, request(Purpose::Liquidation, 1, now), now, RampartError::SwapPurposeForbids);
        p.params.switch = Switch::Disabled as u8;
        refuses(&mut p, request(Purpose::Rebalance, 1, now), now, RampartError::SwapPolicyDisabled);
    }

    #[test]
    fn prefix_of_another_instruction_is_refused_and_so_is_an_empty_one() {
        let mut p = policy().params;
        p.program = Pubkey::new_from_array([7; 32]);
        p.prefix_count = 2;
        p.prefixes[0] = Prefix { bytes: [1, 0, 0, 0, 0, 0, 0, 0], len: 1 };
        p.prefixes[1] = Prefix { bytes: [9; 8], len: 8 };
        let allowed = |data: &[u8]| p.require_allowed(&p.program, data).is_ok();
        assert!(allowed(&[1, 2, 3]) && allowed(&[9; 20]));
        assert!(!allowed(&[2]) && !allowed(&[]) && !allowed(&[9; 7]));
        assert!(p.require_allowed(&Pubkey::default(), &[1]).is_err());
        p.prefixes[0].len = 0;
        assert!(p.require_allowed(&p.program, &[2]).is_err());
    }

    #[test]
    fn narrowed_bound_cuts_the_loss_budget_at_once() {
        let mut p = policy();
        assert_eq!(p.charge_loss(50, &bounds(100), 0), Ok(()));
        let mut p = policy();
        assert_eq!(p.charge_loss(26, &bounds(50), 0).unwrap_err(), RampartError::SwapLossBudgetUsed.into());
        assert_eq!(p.charge_loss(25, &bounds(50), 0), Ok(()));
        assert_eq!(p.max_slippage_bps(&bounds(50)), 0);
    }

    proptest! {
        /// Invariant I13: however small the cuts.
        #[test]
        fn no_day_loses_more_than_its_budget(cuts in prop::collection::vec((0i64..20_000, 0u64..20), 1..200)) {
            let (mut p, mut now, mut lost) = (policy(), 1_000_000i64, vec![]);
            for (wait, loss) in cuts {
                now += wait;
                if p.charge_loss(loss, &bounds(10_000), now).is_ok() {
                    lost.push((now, loss));
                }
            }
            for (start, _) in &lost {
                let day = lost.iter().filter(|(t, _)| (*start..start + DAY_SECS).contains(t));
                prop_assert!(day.map(|(_, loss)| loss).sum::<u64>() <= 50);
            }
        }
    }
}
